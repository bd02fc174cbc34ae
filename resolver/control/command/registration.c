/* `sluice registration list`: records that machines and clients have registered in private zones;
 * and `sluice registration delete`, for those of clients. */
#include "resolver/control/base/json.h"
#include "resolver/control/base/table.h"
#include "resolver/control/command/client.h"
#include "rules/base.h"
#include "rules/text.h"

/* All registrations, page by page; NULL: the error has been printed. */
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

static bool any_expires(const json_t *all)
{
	const json_t *row;
	size_t i;

	json_array_foreach(all, i,
			   row) if (json_is_string(json_object_get(row, "expires"))) return true;
	return false;
}

int command_registration_list(const struct command_line *line)
{
	enum { EXPIRES = 7 }; /* its index */
	struct table_column columns[] = {
		{"NAME", "name"},       {"TYPE", "type"},       {"DATA", "data"},
		{"ZONE", "zone"},       {"BY", "by"},           {"SINCE", "since"},
		{"RENEWED", "renewed"}, {"EXPIRES", "expires"}, {"SERVED", "served"}};
	size_t count = COUNT(columns);
	json_t *all = ask_all(line);
	int status = EXIT_SUCCESS;

	if (!all)
		return EXIT_FAILURE;
	if (!any_expires(all))
		columns[EXPIRES] = columns[--count];
	if (line->json)
		status = command_print_json(all);
	else
		table_print(stdout, NULL, all, columns, count);
	json_decref(all);
	return status;
}

struct registration_removal {
	const char *name, *type, *zone; /* NULL: not given */
	bool more;                      /* more than the answer to a dry run shows */
};

/* False: the arguments contradict each other, or do not say what to remove; prints why. */
static bool check_removal(const struct command_line *line,
			  const struct registration_removal *removal)
{
	const char *name = removal->name, *zone = removal->zone;

	if (line->zones.count > 1)
		command_misuse(line, "give one --zone at a time");
	else if (name && line->all)
		command_misuse(line, "--all is all of a zone; leave it out, or the name");
	else if (!name && !zone)
		command_misuse(line, "give a NAME, or --zone and --all");
	else if (!name && !line->all)
		command_misuse(line,
			       "without a NAME all that clients have registered in %s goes; "
			       "if that is meant, give --all, too",
			       zone);
	else
		return true;
	return false;
}

static char *path_of(const struct command_line *line, const struct registration_removal *removal)
{
	char *path = client_path("/v1/registrations");

	if (removal->name)
		path = client_add_query(path, "name", removal->name);
	if (removal->type)
		path = client_add_query(path, "type", removal->type);
	if (removal->zone)
		path = client_add_query(path, "zone", removal->zone);
	if (!removal->name)
		path = client_add_query(path, "all", "true");
	if (line->dry_run)
		path = client_add_query(path, "dry_run", "true");
	return path;
}

/* The removed sets of all portions, in one list. NULL: an error is printed. */
static json_t *remove_all(const struct command_line *line, struct registration_removal *removal)
{
	json_t *removed = json_array(), *answer;
	bool again;

	do {
		answer = client_ask(line, (struct client_call){.method = "DELETE"},
				    path_of(line, removal));
		removal->more = json_is_true(json_object_get(answer, "more"));
		again = removal->more && !line->dry_run;
		if (!answer && json_array_size(removed) > 0)
			command_fail_at(line, "%zu record sets were removed before that",
					json_array_size(removed));
		if (!answer ||
		    json_array_extend(removed, json_object_get(answer, "deleted")) != 0) {
			json_decref(removed);
			removed = NULL;
			again = false;
		}
		json_decref(answer);
	} while (again);
	return removed;
}

int command_registration_delete(const struct command_line *line)
{
	static const struct table_column columns[] = {
		{"NAME", "name"}, {"TYPE", "type"}, {"ZONE", "zone"}, {"BY", "by"}};
	struct registration_removal removal = {
		.name = line->argument_count > 0 ? line->arguments[0] : NULL,
		.type = line->argument_count > 1 ? line->arguments[1] : NULL,
		.zone = line->zones.count > 0 ? line->zones.items[0] : NULL};
	int status = EXIT_SUCCESS;
	json_t *removed;
	size_t count;

	if (!check_removal(line, &removal))
		return COMMAND_USAGE;
	removed = remove_all(line, &removal);
	if (!removed)
		return EXIT_FAILURE;
	count = json_array_size(removed);
	if (line->json) {
		status = command_print_json(removed);
	} else {
		if (removal.name)
			table_print(stdout, NULL, removed, columns, COUNT(columns));
		printf("%zu record set%s%s %s%s\n", count, text_plural(count, "", "s"),
		       removal.more ? " and more" : "",
		       line->dry_run ? "would be removed"
				     : text_plural(count, "is removed", "are removed"),
		       line->dry_run ? COMMAND_NOT_DONE : "");
	}
	json_decref(removed);
	return status;
}
