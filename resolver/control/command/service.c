/* `sluice service ...`: cloud services, each by its name. */
#include "resolver/control/base/json.h"
#include "resolver/control/command/reverse.h"

static const struct table_column list_columns[] = {
	{"NAME", "name"},
	{"ADDRESS", "address"},
	{"FQDN", "fqdn"},
	{"REVERSE FQDN", "reverse_fqdn"},
	{"DESCRIPTION", "description"},
	{"ORIGIN", "origin"},
};
static const struct table_column show_columns[] = {
	{"Name", "name"},
	{"ID", "id"},
	{"Address", "address"},
	{"FQDN", "fqdn"},
	{"Description", "description"},
	{"Reverse FQDN", "reverse_fqdn"},
	{"Time To Live", "ttl_served"},
	{"Status", "status"},
	{"Tags", "tags"},
	{"Origin", "origin"},
};

static char *service_path(const struct command_line *line)
{
	return client_path("/v1/services/%", line->arguments[0]);
}

int command_service_list(const struct command_line *line)
{
	return command_show_list(line, client_path("/v1/services"), "services",
				 COLUMNS(list_columns));
}

int command_service_add(const struct command_line *line)
{
	json_t *body = json_make("{s:o}", "address", json_text(line->arguments[1]));
	if (!command_put_given(line, body)) {
		json_decref(body);
		return COMMAND_USAGE;
	}
	return command_show_one(line, "PUT", service_path(line), body, "*", COLUMNS(show_columns));
}

int command_service_set(const struct command_line *line)
{
	json_t *body = json_object();
	if (line->address)
		json_put(body, "address", json_text(line->address));
	bool good = command_put_given(line, body);
	if (good && json_object_size(body) == 0) {
		command_misuse(line, "nothing to set; name what should change");
		good = false;
	}
	if (!good) {
		json_decref(body);
		return COMMAND_USAGE;
	}
	return command_show_one(line, "PATCH", service_path(line), body, NULL,
				COLUMNS(show_columns));
}

int command_service_remove(const struct command_line *line)
{
	return command_delete(line, service_path(line), "the service is removed");
}
