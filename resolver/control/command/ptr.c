/* `sluice ptr list`, also as CSV, `sluice ptr set`, and `sluice ptr check`: what mail servers make
 * of any address or name. resource.c has the other commands for one PTR. */
#include "resolver/control/base/table.h"
#include "resolver/control/command/client.h"
#include "rules/text.h"

int command_ptr_list(const struct command_line *line)
{
	if (line->csv && line->json)
		return command_misuse(line, "--csv and --json are two forms; choose one");
	return line->csv ? command_ptr_list_csv(line) : command_resource_list(line);
}

/* A name replaces the whole PTR; KEY=VALUE changes single members. */
int command_ptr_set(const struct command_line *line)
{
	return strchr(line->arguments[1], '=') ? command_resource_set(line)
					       : command_resource_put(line);
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
