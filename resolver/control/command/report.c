/* `sluice report`: prints findings for an operator, all from the server (GET /v1/report), and waits
 * for the sections that ask the network. While it waits it asks only for sections that are not
 * done: results expire, and asking for an expired one starts it again, so a short section would
 * start again and again beside a long one. */
#include <time.h>
#include <unistd.h>

#include "resolver/control/base/json.h"
#include "resolver/control/command/client.h"
#include "rules/text.h"

enum {
	ANSWER_MS = 60 * 1000,
	LOOK_MS = 300,
	PATIENCE_MS = 30 * 1000,
	SHOWN = 20, /* findings of a section, without --json */
	WORDS_MAX = 512,
};

/* ---- asking ---- */

/* "rules,targets" */
static void join_sections(const struct command_line *line, char text[WORDS_MAX])
{
	*text = '\0';
	for (int i = 0; i < line->argument_count; i++)
		text_append(text, WORDS_MAX, "%s%s", i > 0 ? "," : "", line->arguments[i]);
}

/* Asks for these sections; `sections` NULL: for all. Returns NULL after an error, which has been
 * printed. */
static json_t *fetch(const struct command_line *line, const char *sections)
{
	char shown[16];
	const char *limit = line->limit, *days = line->days ? line->days : "30";

	snprintf(shown, sizeof shown, "%d", line->json ? 1000 : SHOWN);
	if (!limit)
		limit = shown;
	return client_ask(line, (struct client_call){.method = "GET", .timeout_ms = ANSWER_MS},
			  sections ? client_path("/v1/report?days=%&limit=%&sections=%", days,
						 limit, sections)
				   : client_path("/v1/report?days=%&limit=%", days, limit));
}

static bool is_running(const json_t *section)
{
	return strcmp(json_text_of(section, "state"), "running") == 0;
}

/* Returns whether any section is still running. */
static bool join_running(const json_t *report, char text[WORDS_MAX])
{
	const json_t *section;
	size_t i;

	*text = '\0';
	json_array_foreach(json_object_get(report, "sections"), i, section)
	{
		if (is_running(section))
			text_append(text, WORDS_MAX, "%s%s", *text ? "," : "",
				    json_text_of(section, "section"));
	}
	return *text;
}

/* Replaces sections by newer ones. */
static void renew(const json_t *report, const json_t *newer)
{
	json_t *sections = json_object_get(report, "sections"), *section, *now;
	size_t i, k;

	json_array_foreach(sections, i, section)
	{
		json_array_foreach(json_object_get(newer, "sections"), k, now)
		{
			if (strcmp(json_text_of(section, "section"),
				   json_text_of(now, "section")) != 0)
				continue;
			json_array_set(sections, i, now);
			break;
		}
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void show_progress(const json_t *report)
{
	const json_t *section;
	size_t i;

	if (!isatty(STDERR_FILENO))
		return;
	json_array_foreach(json_object_get(report, "sections"), i, section)
	{
		if (is_running(section))
			fprintf(stderr, "\r%s: asked for %lld so far\033[K",
				json_text_of(section, "section"),
				(long long)json_integer_value(
					json_object_get(section, "looked_at")));
	}
}

/* Asks again while a section is running, at growing intervals, without --wait for PATIENCE_MS at
 * most. */
static json_t *fetch_all(const struct command_line *line)
{
	int64_t began_ms = now_ms(), pause_ms = LOOK_MS;
	char sections[WORDS_MAX];
	json_t *report, *newer;
	bool waited = false;

	join_sections(line, sections);
	report = fetch(line, line->argument_count > 0 ? sections : NULL);
	while (report && join_running(report, sections) &&
	       (line->wait || now_ms() - began_ms < PATIENCE_MS)) {
		const struct timespec pause = {.tv_sec = pause_ms / 1000,
					       .tv_nsec = pause_ms % 1000 * 1000000};

		show_progress(report);
		waited = true;
		nanosleep(&pause, NULL);
		pause_ms = pause_ms < 10 * LOOK_MS ? pause_ms + LOOK_MS : pause_ms;
		newer = fetch(line, sections);
		if (newer) {
			renew(report, newer);
		} else {
			json_decref(report);
			report = NULL;
		}
		json_decref(newer);
	}
	if (waited && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	return report;
}

/* ---- printing ---- */

static void print_line(const char *ahead, const char *text)
{
	fputs(ahead, stdout);
	text_print(stdout, text);
	putchar('\n');
}

static void print_section(const json_t *section)
{
	const json_t *findings = json_object_get(section, "findings"), *finding;
	json_int_t count = json_integer_value(json_object_get(section, "count"));
	size_t i, shown = json_array_size(findings);

	printf("%s: ", json_text_of(section, "section"));
	print_line("", json_text_of(section, "summary"));
	if (shown > 0)
		print_line("  What to do: ", json_text_of(section, "advice"));
	json_array_foreach(findings, i, finding) print_line("    ", json_text_of(finding, "text"));
	if (count > (json_int_t)shown && strcmp(json_text_of(section, "section"), "names") != 0)
		printf("    and %lld more (--limit)\n", (long long)(count - (json_int_t)shown));
	json_array_foreach(json_object_get(section, "unknown"), i, finding)
		print_line("    not known: ", json_text_of(finding, "text"));
}

int command_report(const struct command_line *line)
{
	json_t *report = fetch_all(line);
	const json_t *section;
	int status = EXIT_SUCCESS;
	size_t i;

	if (!report)
		return EXIT_FAILURE;
	if (line->json)
		status = command_print_json(report);
	else
		json_array_foreach(json_object_get(report, "sections"), i, section)
			print_section(section);
	json_decref(report);
	return status;
}
