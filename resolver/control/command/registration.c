/* `sluice registration list`: what machines and clients have registered in private zones. */
#include "resolver/control/base/json.h"
#include "resolver/control/base/table.h"
#include "resolver/control/command/client.h"
#include "rules/base.h"

/* All of them, page by page; NULL: why not has been printed. */
static json_t *ask_all(const struct command_line *line)
{
	const char *zone = line->argument_count > 0 ? line->arguments[0] : NULL;
	char *path = zone ? client_path("/v1/registrations?limit=5000&zone=%", zone)
			  : client_path("/v1/registrations?limit=5000");
	json_t *all = json_array();

	while (path) {
		json_t *page = client_ask(line, (struct client_call){.method = "GET"}, path);
		const char *next = json_string_value(json_object_get(page, "next"));

		path = next ? strdup(next) : NULL;
		if (!page || json_array_extend(all, json_object_get(page, "registrations")) != 0) {
			json_decref(page);
			json_decref(all);
			free(path);
			return NULL;
		}
		json_decref(page);
	}
	return all;
}

int command_registration_list(const struct command_line *line)
{
	static const struct table_column columns[] = {
		{"NAME", "name"}, {"TYPE", "type"},   {"DATA", "data"},       {"ZONE", "zone"},
		{"BY", "by"},     {"SINCE", "since"}, {"RENEWED", "renewed"}, {"SERVED", "served"}};
	json_t *all = ask_all(line);
	int status = EXIT_SUCCESS;

	if (!all)
		return EXIT_FAILURE;
	if (line->json)
		status = command_print_json(all);
	else
		table_print(stdout, NULL, all, columns, COUNT(columns));
	json_decref(all);
	return status;
}
