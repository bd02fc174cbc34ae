/* `sluice history` and `sluice undo REVISION`: what was changed, and a change that restores what
 * was before one of them.
 *
 *     GET /v1/changes ─► those of the revision ─► edits, the other way round ─► POST /v1/changes
 *                        those behind it: whether something of it has changed since
 *
 * The server is told which change was the last that was seen: another one meanwhile is refused.
 * `sluice history --follow` reads the same path as a stream. */
#include <stdio.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/table.h"
#include "resolver/control/command/client.h"
#include "resolver/control/command/events.h"
#include "rules/base.h"

enum { PAGE_LINK_MAX = 80, EDITS_MAX = 10000 /* of a POST */ };

/* All changes behind that revision, page by page; NULL as client_ask. */
static json_t *ask_changes(const struct command_line *line, long long after)
{
	json_t *all = json_array();

	for (bool more = true; more;) {
		char path[PAGE_LINK_MAX];
		json_t *page;

		snprintf(path, sizeof path, "/v1/changes?after=%lld", after);
		page = client_ask(line, (struct client_call){.method = "GET"}, strdup(path));
		if (!page || json_array_extend(all, json_object_get(page, "changes")) != 0) {
			json_decref(page);
			json_decref(all);
			return NULL;
		}
		more = json_is_integer(json_object_get(page, "next"));
		after = json_integer_value(json_object_get(page, "next"));
		json_decref(page);
	}
	return all;
}

static const char *text_of(const json_t *change, const char *key)
{
	const char *text = json_string_value(json_object_get(change, key));

	return text ? text : "";
}

static long long revision_of(const json_t *change)
{
	return json_integer_value(json_object_get(change, "revision"));
}

static const char *what_of(const json_t *change)
{
	bool made = json_is_null(json_object_get(change, "before"));
	bool gone = json_is_null(json_object_get(change, "after"));

	return made ? "created" : gone ? "deleted" : "changed";
}

/* ---- as it happens ---- */

struct watching {
	bool json;
	long long last; /* revision: all up to it has been printed */
};

static void print_change(const struct watching *watching, const char *text)
{
	json_t *change = json_loads(text, 0, NULL);

	if (watching->json)
		printf("%s\n", text);
	else if (change)
		printf("%-8lld  %s  %-16s  %-7s  %s\n", revision_of(change),
		       text_of(change, "time"), text_of(change, "who"), what_of(change),
		       text_of(change, "path"));
	fflush(stdout);
	json_decref(change);
}

/* The edit that ends its revision has an id. */
static void on_event(void *context, const struct event *event)
{
	struct watching *watching = context;

	if (*event->id)
		watching->last = strtoll(event->id, NULL, 10);
	print_change(watching, event->data);
}

static char *path_behind(void *context)
{
	const struct watching *watching = context;
	char path[PAGE_LINK_MAX];

	snprintf(path, sizeof path, "/v1/changes?after=%lld", watching->last);
	return strdup(path);
}

static int follow(const struct command_line *line)
{
	struct watching watching = {.json = line->json};

	return events_follow(line, &(struct event_reader){path_behind, on_event, &watching});
}

/* ---- the commands ---- */

int command_history(const struct command_line *line)
{
	static const struct table_column columns[] = {{"REVISION", "revision"},
						      {"TIME", "time"},
						      {"WHO", "who"},
						      {"WHAT", "what"},
						      {"PATH", "path"}};
	json_t *changes, *change;
	int status = EXIT_SUCCESS;
	size_t i;

	if (line->follow)
		return follow(line);
	changes = ask_changes(line, 0);
	if (!changes)
		return EXIT_FAILURE;
	json_array_foreach(changes, i, change) if (!line->json)
		json_put(change, "what", json_text(what_of(change)));
	if (line->json)
		status = command_print_json(changes);
	else
		table_print(stdout, NULL, changes, columns, COUNT(columns));
	json_decref(changes);
	return status;
}

/* Of each path the latest change; NULL: no memory. */
static json_t *latest_by_path(const json_t *changes)
{
	json_t *latest = json_object();
	json_t *change;
	size_t i;

	json_array_foreach(changes, i, change)
		json_put(latest, text_of(change, "path"), json_incref(change));
	return json_whole(latest);
}

/* Whether something else was made of it since; that has been said. */
static bool has_changed(const struct command_line *line, const json_t *latest, const json_t *undone)
{
	const json_t *change = json_object_get(latest, text_of(undone, "path"));

	if (revision_of(change) <= revision_of(undone))
		return false;
	command_fail_at(line, "%s was changed since, in revision %lld by %s; undo that first",
			text_of(undone, "path"), revision_of(change), text_of(change, "who"));
	return true;
}

/* What makes it again what it was, the last change first; NULL: it cannot be, which has been said.
 */
static json_t *edits_against(const struct command_line *line, const json_t *changes,
			     long long revision)
{
	json_t *edits = json_array(), *edit = NULL, *latest = latest_by_path(changes);
	const json_t *change;

	if (!latest) {
		json_decref(edits);
		command_fail_at(line, "%s", err_text(ERR_NOMEM));
		return NULL;
	}
	for (size_t i = json_array_size(changes); i-- > 0;) {
		change = json_array_get(changes, i);
		if (revision_of(change) != revision)
			continue;
		if (has_changed(line, latest, change)) {
			json_decref(latest);
			json_decref(edits);
			return NULL;
		}
		/* An address and its PTR are two changes of one. */
		if (strcmp(text_of(edit, "path"), text_of(change, "path")) != 0)
			json_add(edits, edit = json_make("{s:O}", "path",
							 json_object_get(change, "path")));
		json_put(edit, "values", json_incref(json_object_get(change, "before")));
	}
	json_decref(latest);
	if (json_array_size(edits) > 0 && json_array_size(edits) <= EDITS_MAX)
		return edits;
	if (json_array_size(edits) > 0)
		command_fail_at(
			line,
			"revision %lld changed %zu resources, and at most %d can be undone at "
			"once; import what was before: sluice ptr import, or sluice state "
			"import",
			revision, json_array_size(edits), EDITS_MAX);
	else
		command_fail_at(line,
				"there is no revision %lld; `sluice history` has those of a week",
				revision);
	json_decref(edits);
	return NULL;
}

int command_undo(const struct command_line *line)
{
	const char *text = line->arguments[0];
	char *end;
	long long revision = strtoll(text, &end, 10), last;
	json_t *changes, *edits, *answer;

	if (*end != '\0' || revision < 1)
		return command_misuse(
			line, "\"%s\" is no revision; give a number of `sluice history`", text);
	changes = ask_changes(line, revision - 1);
	edits = changes ? edits_against(line, changes, revision) : NULL;
	last = revision_of(json_array_get(changes, json_array_size(changes) - 1));
	json_decref(changes);
	if (!edits)
		return EXIT_FAILURE;
	answer = client_ask(line,
			    (struct client_call){.method = "POST",
						 .body = json_make("{s:o, s:I}", "edits", edits,
								   "revision", (json_int_t)last)},
			    client_path(line->dry_run ? "/v1/changes?dry_run" : "/v1/changes"));
	if (!answer)
		return EXIT_FAILURE;
	if (line->dry_run)
		printf("revision %lld can be undone\n", revision);
	else
		printf("revision %lld is undone, by revision %lld\n", revision,
		       revision_of(answer));
	json_decref(answer);
	return EXIT_SUCCESS;
}
