/* `sluice ptr ...`: the PTRs of addresses and services, each by its address or id, and the check
 * that mail servers make of any address or name. */
#include "resolver/control/base/json.h"
#include "resolver/control/command/reverse.h"
#include "rules/text.h"

static const struct table_column list_columns[] = {
	{"ADDRESS", "address"}, {"PTR DOMAIN NAME", "reverse_fqdn"}, {"STATUS", "status"},
	{"TTL", "ttl_served"},  {"DESCRIPTION", "description"},      {"ID", "id"},
};
static const struct table_column show_columns[] = {
	{"Address", "address"},         {"PTR Domain Name", "reverse_fqdn"},
	{"Description", "description"}, {"ID", "id"},
	{"Time To Live", "ttl_served"}, {"Status", "status"},
	{"Action", "action"},           {"Reason", "reason"},
	{"Origin", "origin"},
};

int command_ptr_list(const struct command_line *line)
{
	if (line->csv && line->json)
		return command_misuse(line, "--csv and --json are two forms; choose one");
	if (line->csv)
		return command_ptr_list_csv(line);
	return command_show_list(line, client_path("/v1/ptrs"), "ptrs", COLUMNS(list_columns));
}

int command_ptr_show(const struct command_line *line)
{
	return command_show_one(line, "GET", client_path("/v1/ptrs/%", line->arguments[0]), NULL,
				NULL, COLUMNS(show_columns));
}

int command_ptr_set(const struct command_line *line)
{
	json_t *body = json_make("{s:o}", "reverse_fqdn", json_text(line->arguments[1]));
	if (!command_put_given(line, body)) {
		json_decref(body);
		return COMMAND_USAGE;
	}
	return command_show_one(line, "PUT", client_path("/v1/ptrs/%", line->arguments[0]), body,
				NULL, COLUMNS(show_columns));
}

int command_ptr_unset(const struct command_line *line)
{
	return command_delete(line, client_path("/v1/ptrs/%", line->arguments[0]),
			      "the PTR is removed");
}

/* ---- check ---- */

static void print_check(const json_t *report)
{
	static const struct table_column columns[] = {{"LEADS TO", "leads_to"},
						      {"AND BACK TO", "back_to"},
						      {"CONFIRMED", "confirmed"},
						      {"ERROR", "error"}};
	char result[TABLE_CELL_MAX];
	const char *text = json_string_value(json_object_get(report, "text"));
	printf("%s: ", table_cell(json_object_get(report, "result"), result));
	text_print(stdout, text ? text : "");
	putchar('\n');
	table_print(stdout, NULL, json_object_get(report, "paths"), columns, 4);
}

int command_ptr_check(const struct command_line *line)
{
	char *path = line->vnet ? client_path("/v1/check?subject=%&network=%", line->arguments[0],
					      line->vnet)
				: client_path("/v1/check?subject=%", line->arguments[0]);
	json_t *report = client_ask(line, (struct client_call){.method = "GET"}, path);
	if (!report)
		return EXIT_FAILURE;
	const char *result = json_string_value(json_object_get(report, "result"));
	int status = result && strcmp(result, "confirmed") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (!line->json)
		print_check(report);
	else if (command_print_json(report) != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	json_decref(report);
	return status;
}
