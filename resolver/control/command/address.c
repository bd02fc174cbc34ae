/* `sluice address ...`: the addresses that are ours. One is named by its group and name; without
 * --group it is in none, which a path says as "-". */
#include "resolver/control/base/json.h"
#include "resolver/control/command/reverse.h"
#include "resolver/control/resource/kind.h"

static const struct table_column list_columns[] = {
	{"NAME", "name"},
	{"GROUP", "resource_group"},
	{"REGION", "region"},
	{"ADDRESS", "address"},
	{"ALLOCATION", "allocation"},
	{"FQDN", "fqdn"},
	{"REVERSE FQDN", "reverse_fqdn"},
	{"ORIGIN", "origin"},
};
static const struct table_column show_columns[] = {
	{"Name", "name"},
	{"Group", "resource_group"},
	{"Region", "region"},
	{"Subscription", "subscription"},
	{"ID", "id"},
	{"Address", "address"},
	{"Allocation", "allocation"},
	{"FQDN", "fqdn"},
	{"Reverse FQDN", "reverse_fqdn"},
	{"Description", "description"},
	{"Time To Live", "ttl_served"},
	{"Status", "status"},
	{"Tags", "tags"},
	{"Origin", "origin"},
};

static char *address_path(const struct command_line *line)
{
	return client_path("/v1/addresses/%/%", line->group ? line->group : GROUP_NONE,
			   line->arguments[0]);
}

int command_address_list(const struct command_line *line)
{
	return command_show_list(line, client_path("/v1/addresses"), "addresses",
				 COLUMNS(list_columns));
}

int command_address_show(const struct command_line *line)
{
	return command_show_one(line, "GET", address_path(line), NULL, NULL, COLUMNS(show_columns));
}

int command_address_add(const struct command_line *line)
{
	json_t *body = json_object();
	if (line->argument_count > 1)
		json_put(body, "address", json_text(line->arguments[1]));
	if (line->is_static)
		json_put(body, "allocation", json_text("static"));
	if (line->region)
		json_put(body, "region", json_text(line->region));
	if (line->label)
		json_put(body, "domain_name_label", json_text(line->label));
	if (!command_put_given(line, body)) {
		json_decref(body);
		return COMMAND_USAGE;
	}
	return command_show_one(line, "PUT", address_path(line), body, "*", COLUMNS(show_columns));
}

int command_address_remove(const struct command_line *line)
{
	return command_delete(line, address_path(line), "the address is removed");
}
