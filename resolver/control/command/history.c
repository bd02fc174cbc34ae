/* `sluice history [REVISION]` and `sluice undo REVISION`: prints changes, and makes a change that
 * restores what was before a revision.
 *
 *     GET /v1/changes ─► those of the revision ─► edits, reversed ─► POST /v1/changes
 *                        later ones: has anything in the revision changed since?
 *
 * The request names the latest change seen, so the server refuses it if there is a later one.
 * `sluice history --follow` reads the same path as a stream. */
#include <limits.h>
#include <stdio.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/table.h"
#include "resolver/control/command/change_words.h"
#include "resolver/control/command/client.h"
#include "resolver/control/command/follow.h"
#include "rules/base.h"
#include "rules/text.h"

enum { PAGE_LINK_MAX = 80, EDITS_MAX = 50000 /* the server's maximum */ };

/* All changes after that revision, page by page, or only those of the next one; NULL as in
 * client_ask. */
static json_t *ask_changes(const struct command_line *line, long long after, bool next_only)
{
	json_t *all = json_array();

	for (bool more = true; more;) {
		char path[PAGE_LINK_MAX];
		json_t *page;

		snprintf(path, sizeof path, "/v1/changes?after=%lld%s", after,
			 next_only ? "&limit=1" : "");
		page = client_ask(
			line, (struct client_call){.method = "GET", .timeout_ms = CLIENT_RELOAD_MS},
			strdup(path));
		if (!page || json_array_extend(all, json_object_get(page, "changes")) != 0) {
			json_decref(page);
			json_decref(all);
			return NULL;
		}
		more = !next_only && json_is_integer(json_object_get(page, "next"));
		after = json_integer_value(json_object_get(page, "next"));
		json_decref(page);
	}
	return all;
}

static long long revision_of(const json_t *change)
{
	return json_integer_value(json_object_get(change, "revision"));
}

/* ---- --follow ---- */

struct followed_history {
	const struct command_line *line;
	json_t *edits; /* of an incomplete revision */
};

static void on_begin(void *context)
{
	struct followed_history *following = context;

	json_array_clear(following->edits);
}

static void print_revision(const json_t *edits)
{
	const json_t *first = json_array_get(edits, 0);
	char who[CHANGE_WORDS_MAX], what[CHANGE_WORDS_MAX];

	printf("  %8lld  %-20s  %-16s  ", revision_of(first), json_text_of(first, "time"),
	       change_who(first, who));
	text_print(stdout, change_line(edits, what));
	putchar('\n');
}

static void on_edit(void *context, const char *text, bool numbered)
{
	struct followed_history *following = context;

	if (following->line->json) {
		printf("%s\n", text);
		return;
	}
	json_add(following->edits, json_loads(text, 0, NULL));
	if (!numbered)
		return;
	print_revision(following->edits);
	json_array_clear(following->edits);
}

static int follow(const struct command_line *line)
{
	struct followed_history following = {line, json_array()};
	const struct follower follower = {on_edit, on_begin, &following};
	int status;

	if (!line->json)
		printf("  REVISION  %-20s  %-16s  WHAT\n", "TIME", "WHO");
	status = command_follow(line, "/v1/changes?after=", 0, &follower);
	json_decref(following.edits);
	return status;
}

/* ---- the list ---- */

/* Returns 0, or an exit status; the error has been printed. */
static int read_number(const struct command_line *line, const char *text, const char *what,
		       long long *number)
{
	char *end;

	*number = strtoll(text, &end, 10);
	if (*text == '\0' || *end != '\0' || *number < 1 || *number == LLONG_MAX)
		return command_misuse(line, "\"%s\" is no %s", text, what);
	return 0;
}

/* The edits by revision: an array of arrays, the oldest first. NULL: out of memory. */
static json_t *by_revision(const json_t *changes)
{
	json_t *revisions = json_array(), *edits = NULL, *change;
	long long last = 0;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)changes, i, change)
	{
		if (!edits || revision_of(change) != last) {
			edits = json_array();
			json_add(revisions, edits);
		}
		last = revision_of(change);
		json_add(edits, json_incref(change));
	}
	return json_whole(revisions);
}

/* Keeps only the latest `limit` revisions. */
static void keep_latest(json_t *revisions, long long limit)
{
	while ((long long)json_array_size(revisions) > limit)
		json_array_remove(revisions, 0);
}

static json_t *join(const json_t *revisions)
{
	json_t *changes = json_array(), *edits;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)revisions, i, edits)
		json_array_extend(changes, edits);
	return changes;
}

static void print_revisions(const json_t *revisions)
{
	static const struct table_column columns[] = {
		{"REVISION", "revision"}, {"TIME", "time"}, {"WHO", "who"}, {"WHAT", "what"}};
	json_t *rows = json_array(), *edits;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)revisions, i, edits)
	{
		const json_t *first = json_array_get(edits, 0);
		char who[CHANGE_WORDS_MAX], what[CHANGE_WORDS_MAX];

		json_add(rows, json_make("{s:O, s:O, s:o, s:o}", "revision",
					 json_object_get(first, "revision"), "time",
					 json_object_get(first, "time"), "who",
					 json_text(change_who(first, who)), "what",
					 json_text(change_line(edits, what))));
	}
	table_print(stdout, NULL, rows, columns, COUNT(columns));
	json_decref(rows);
}

static int list(const struct command_line *line, long long limit)
{
	json_t *changes = ask_changes(line, 0, false);
	json_t *revisions = changes ? by_revision(changes) : NULL;
	int status = EXIT_SUCCESS;

	json_decref(changes);
	if (!changes)
		return EXIT_FAILURE;
	if (!revisions)
		return command_fail_at(line, "%s", err_text(ERR_NOMEM));
	if (limit > 0)
		keep_latest(revisions, limit);
	if (line->json) {
		json_t *joined = join(revisions);

		status = command_print_json(joined);
		json_decref(joined);
	} else {
		print_revisions(revisions);
	}
	json_decref(revisions);
	return status;
}

/* ---- one revision ---- */

static int fail_revision(const struct command_line *line, long long revision)
{
	return command_fail_at(
		line, "there is no revision %lld; `sluice history` has those of a week", revision);
}

/* The edits of the revision; NULL: none; prints why. */
static json_t *ask_revision(const struct command_line *line, long long revision)
{
	json_t *changes = ask_changes(line, revision - 1, true);

	/* With limit=1 the page has all edits of one revision, which may be a later one. */
	for (size_t i = json_array_size(changes); i-- > 0;)
		if (revision_of(json_array_get(changes, i)) != revision)
			json_array_remove(changes, i);
	if (changes && json_array_size(changes) == 0) {
		fail_revision(line, revision);
		json_decref(changes);
		changes = NULL;
	}
	return changes;
}

static int show(const struct command_line *line, long long revision)
{
	json_t *changes = ask_revision(line, revision), *change;
	const json_t *first = json_array_get(changes, 0);
	char who[CHANGE_WORDS_MAX];
	int status = EXIT_SUCCESS;
	size_t i;

	if (!changes)
		return EXIT_FAILURE;
	if (line->json) {
		status = command_print_json(changes);
	} else {
		printf("revision %lld, %s, by ", revision, json_text_of(first, "time"));
		text_print(stdout, change_who(first, who));
		putchar('\n');
		json_array_foreach(changes, i, change) change_print(change, stdout);
	}
	json_decref(changes);
	return status;
}

/* ---- the commands ---- */

int command_history(const struct command_line *line)
{
	long long revision = 0, limit = 0;
	int status = 0;

	if (line->argument_count > 0)
		status = read_number(line, line->arguments[0],
				     "revision; give a number of `sluice history`", &revision);
	if (status == 0 && line->limit)
		status = read_number(line, line->limit, "number of changes", &limit);
	if (status != 0)
		return status;
	if (line->follow && (line->argument_count > 0 || line->limit))
		return command_misuse(line, "--follow takes no REVISION and no --limit");
	if (line->argument_count > 0 && line->limit)
		return command_misuse(line, "--limit is for the list; leave it out for one change");
	return line->follow   ? follow(line)
	       : revision > 0 ? show(line, revision)
			      : list(line, limit);
}

/* The changes by path, of the revision or, with `later`, of all later ones. If a path was changed
 * twice, the values are those before the first change and after the last. NULL: out of memory. */
static json_t *by_path(const json_t *changes, long long revision, bool later)
{
	json_t *found = json_object(), *change;
	size_t i;

	json_array_foreach(changes, i, change)
	{
		const char *path = json_text_of(change, "path");
		const json_t *first = json_object_get(found, path);
		json_t *whole;

		if (later ? revision_of(change) <= revision : revision_of(change) != revision)
			continue;
		whole = json_copy(change);
		if (whole && first)
			json_put(whole, "before", json_incref(json_object_get(first, "before")));
		json_put(found, path, whole);
	}
	return json_whole(found);
}

/* The change of the parent: "rulesets/-/office" for "rulesets/-/office/rules/contoso"; NULL:
 * none. */
static const json_t *parent_in(const json_t *changes, const char *path)
{
	size_t length = strlen(path);
	int slashes = 0;

	for (size_t i = 0; i < length; i++)
		if (path[i] == '/' && ++slashes == 3)
			return json_object_getn(changes, path, i);
	return NULL;
}

/* Whether the later change prevents an undo: it left another value than the revision did, or its
 * resource exists inside one that the revision made, so an undo would remove both. */
static bool is_in_the_way(const json_t *undone, const char *path, const json_t *later)
{
	const json_t *same = json_object_get(undone, path), *parent = parent_in(undone, path);
	const json_t *after = json_object_get(later, "after");

	if (same)
		return !json_equal(json_object_get(same, "after"), after);
	return parent && json_is_null(json_object_get(parent, "before")) && !json_is_null(after);
}

/* Whether the present value is the one before the revision. */
static bool is_undone(const json_t *undone, const char *path, const json_t *later)
{
	const json_t *same = json_object_get(undone, path);

	return same && json_equal(json_object_get(same, "before"), json_object_get(later, "after"));
}

/* Whether something in the revision has changed since, and still differs from the revision's
 * values; prints that. */
static bool has_changed(const struct command_line *line, const json_t *changes, long long revision)
{
	json_t *undone = by_path(changes, revision, false);
	json_t *latest = by_path(changes, revision, true), *later;
	bool found = !undone || !latest;
	char who[CHANGE_WORDS_MAX];
	const char *path;

	if (found)
		command_fail_at(line, "%s", err_text(ERR_NOMEM));
	json_object_foreach(undone ? latest : NULL, path, later)
	{
		found = is_in_the_way(undone, path, later);
		if (!found)
			continue;
		if (is_undone(undone, path, later)) {
			command_fail_at(line,
					"%s is again what it was before revision %lld, since "
					"revision %lld by %s",
					path, revision, revision_of(later), change_who(later, who));
			break;
		}
		command_fail_at(line, "%s was %s since, in revision %lld by %s; undo that first",
				path, change_verb(later), revision_of(later),
				change_who(later, who));
		break;
	}
	json_decref(undone);
	json_decref(latest);
	return found;
}

/* The edits that restore the old values, the last change first; NULL: impossible; prints why. */
static json_t *edits_against(const struct command_line *line, const json_t *changes,
			     long long revision)
{
	const json_t *change;
	json_t *edits;

	if (has_changed(line, changes, revision))
		return NULL;
	edits = json_array();
	for (size_t i = json_array_size(changes); i-- > 0;) {
		change = json_array_get(changes, i);
		if (revision_of(change) != revision)
			continue;
		json_add(edits, json_make("{s:O, s:O}", "path", json_object_get(change, "path"),
					  "values", json_object_get(change, "before")));
	}
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
		fail_revision(line, revision);
	json_decref(edits);
	return NULL;
}

int command_undo(const struct command_line *line)
{
	const char *text = line->arguments[0];
	long long revision, last;
	json_t *changes, *edits, *answer;
	int status =
		read_number(line, text, "revision; give a number of `sluice history`", &revision);

	if (status != 0)
		return status;
	changes = ask_changes(line, revision - 1, false);
	edits = changes ? edits_against(line, changes, revision) : NULL;
	last = revision_of(json_array_get(changes, json_array_size(changes) - 1));
	json_decref(changes);
	if (!edits)
		return EXIT_FAILURE;
	answer = client_ask(
		line,
		(struct client_call){.method = "POST",
				     .timeout_ms = CLIENT_RELOAD_MS,
				     .body = json_make("{s:o, s:I, s:b}", "edits", edits,
						       "revision", (json_int_t)last, "undo", true)},
		client_path(line->dry_run ? "/v1/changes?dry_run" : "/v1/changes"));
	if (!answer)
		return EXIT_FAILURE;
	if (line->dry_run)
		printf("revision %lld can be undone" COMMAND_NOT_DONE "\n", revision);
	else
		printf("revision %lld is undone, by revision %lld\n", revision,
		       revision_of(answer));
	json_decref(answer);
	return EXIT_SUCCESS;
}
