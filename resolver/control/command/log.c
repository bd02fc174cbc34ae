/* `sluice log [--follow] [KEY=VALUE...]`: prints the query log of the running server, its latest
 * entries or new ones (GET /v1/queries). With --follow it also tells how many entries were lost. */
#include <stdio.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/command/client.h"
#include "resolver/control/command/follow.h"
#include "resolver/control/observe/query_log/query_filter.h"
#include "rules/text.h"

/* "/v1/queries?limit=1000&suffix=..."; NULL: an argument is wrong (then *misused is true, and the
 * error has been printed), or there is no memory. */
static char *path_of(const struct command_line *line, bool *misused)
{
	char *path = client_path(line->follow ? "/v1/queries?" : "/v1/queries?limit=1000");

	*misused = false;
	for (int i = 0; path && i < line->argument_count; i++) {
		const char *argument = line->arguments[i], *equals = strchr(argument, '=');
		size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
		char key[32], *longer, *value;

		snprintf(key, sizeof key, "%.*s", (int)length, argument);
		if (!equals || !text_is_among(key, query_filter_keys)) {
			command_misuse(line,
				       "\"%s\" is no filter; give suffix=NAME, client=PREFIX, "
				       "network=NAME, rcode=NAME or slower_than_ms=N",
				       argument);
			*misused = true;
			free(path);
			return NULL;
		}
		value = client_path("%", equals + 1);
		if (!value || asprintf(&longer, "%s&%s=%s", path, key, value) < 0)
			longer = NULL;
		free(value);
		free(path);
		path = longer;
	}
	return path;
}

static const char *text_of(const json_t *entry, const char *key)
{
	return json_string_value(json_object_get(entry, key));
}

/* "rule office/contoso", "zone corp.internal", "default" */
static const char *decision_of(const json_t *entry, char *text, size_t size)
{
	const char *ruleset = text_of(entry, "ruleset"), *object = text_of(entry, "object");
	const char *by = text_of(entry, "decided_by");

	snprintf(text, size, "%s%s%s%s%s", by ? by : "?", object ? " " : "", ruleset ? ruleset : "",
		 ruleset ? "/" : "", object ? object : "");
	return text;
}

/* Prints the time without the day, which --json has. */
static void print_entry(const json_t *entry)
{
	const char *time = text_of(entry, "time"), *name = text_of(entry, "name");
	const char *type = text_of(entry, "type"), *target = text_of(entry, "target");
	const char *from = text_of(entry, "answered_from"), *text = text_of(entry, "text");
	const char *clock = time ? strchr(time, 'T') : NULL;
	json_int_t us = json_integer_value(json_object_get(entry, "microseconds"));
	char decision[512], question[NAME_TEXT_MAX + 32];

	snprintf(question, sizeof question, "%s %s", name ? name : "-", type ? type : "");
	printf("%.12s  %-15s  %-36s  %-8s  %8.3f ms  %s", clock ? clock + 1 : "?",
	       text_of(entry, "client") ? text_of(entry, "client") : "?", question,
	       text_of(entry, "rcode") ? text_of(entry, "rcode") : "-", (double)us / 1000,
	       decision_of(entry, decision, sizeof decision));
	if (from && (strcmp(from, "cache") == 0 || strcmp(from, "stale") == 0))
		printf(", %s", from);
	if (target)
		printf(", %s", target);
	if (text) {
		fputs("; ", stdout);
		text_print(stdout, text);
	}
	putchar('\n');
}

static void print_json(const json_t *entry)
{
	char *text = json_dumps(entry, JSON_COMPACT);

	printf("%s\n", text ? text : "");
	free(text);
}

/* ---- --follow ---- */

static void print_data(void *context, const char *data, bool numbered)
{
	const struct command_line *line = context;
	json_t *entry = json_loads(data, 0, NULL);
	const json_t *lost = json_object_get(entry, "lost");

	(void)numbered;
	if (lost)
		command_fail_at(line, "%lld %s lost", (long long)json_integer_value(lost),
				text_plural(json_integer_value(lost), "entry was", "entries were"));
	else if (line->json)
		printf("%s\n", data);
	else if (entry)
		print_entry(entry);
	json_decref(entry);
}

/* ---- latest entries ---- */

static int print_latest(const struct command_line *line, char *path)
{
	json_t *answer = client_ask(line, (struct client_call){.method = "GET"}, path);
	const json_t *entries = json_object_get(answer, "queries"), *entry;
	size_t i;

	if (!answer)
		return EXIT_FAILURE;
	json_array_foreach(entries, i, entry)
	{
		if (line->json)
			print_json(entry);
		else
			print_entry(entry);
	}
	if (!json_is_true(json_object_get(answer, "on")))
		command_fail_at(line, "queries are not logged; give the configuration a query_log, "
				      "or watch them with --follow");
	json_decref(answer);
	return EXIT_SUCCESS;
}

int command_log(const struct command_line *line)
{
	const struct follower follower = {.on_data = print_data,
					  .context = (void *)(uintptr_t)line};
	bool misused;
	char *path = path_of(line, &misused);
	int status;

	if (misused)
		return COMMAND_USAGE;
	if (!path)
		return command_fail_at(line, "%s", err_text(ERR_NOMEM));
	if (!line->follow)
		return print_latest(line, path);
	status = command_follow(line, path, -1, &follower);
	free(path);
	return status;
}
