/* `sluice events`: prints the latest events, and with --follow new ones. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "resolver/control/base/json.h"
#include "resolver/control/command/client.h"
#include "resolver/control/command/follow.h"
#include "rules/text.h"

static void print_head(void)
{
	printf("  %-20s  %-7s  %-10s  TEXT\n", "TIME", "LEVEL", "EVENT");
}

/* The text is last and complete, because its end often says what to do. */
static void print_event(const json_t *event)
{
	printf("  %-20s  %-7s  %-10s  ", json_text_of(event, "time"), json_text_of(event, "level"),
	       json_text_of(event, "event"));
	text_print(stdout, json_text_of(event, "text"));
	printf("\n");
}

static void on_event(void *context, const char *data, bool numbered)
{
	const struct command_line *line = context;
	json_t *event = line->json ? NULL : json_loads(data, 0, NULL);

	(void)numbered;
	if (line->json)
		printf("%s\n", data);
	if (event)
		print_event(event);
	json_decref(event);
}

/* Runs the program with the event as standard input, and prints its failure. */
static void run_program(void *context, const char *data, bool numbered)
{
	const struct command_line *line = context;
	json_t *event = json_loads(data, 0, NULL);
	void (*before)(int);
	FILE *program = NULL;
	int status = -1;

	(void)numbered;
	if (event && setenv("SLUICE_LEVEL", json_text_of(event, "level"), 1) == 0 &&
	    setenv("SLUICE_EVENT", json_text_of(event, "event"), 1) == 0 &&
	    setenv("SLUICE_TEXT", json_text_of(event, "text"), 1) == 0)
		program = popen(line->exec, "w");
	if (program) {
		before = signal(SIGPIPE, SIG_IGN); /* the program need not read its input */
		fprintf(program, "%s\n", data);
		status = pclose(program);
		signal(SIGPIPE, before); /* the next program inherits it */
	}
	if (status != 0)
		fprintf(stderr, "sluice events: %s failed for event %s\n", line->exec,
			json_text_of(event, "text"));
	json_decref(event);
}

/* Starts after the latest event, so that the program does not run for past events. */
static int run_for_each(const struct command_line *line)
{
	json_t *answer = client_ask(line, (struct client_call){.method = "GET"},
				    strdup("/v1/events?limit=5000"));
	const json_t *all = json_object_get(answer, "events");
	const json_t *last = json_array_get(all, json_array_size(all) - 1);
	long long after = json_integer_value(json_object_get(last, "id"));
	const struct follower follower = {.on_data = run_program,
					  .context = (void *)(uintptr_t)line};

	if (!answer)
		return EXIT_FAILURE;
	json_decref(answer);
	return command_follow(line, "/v1/events?after=", after, &follower);
}

int command_events(const struct command_line *line)
{
	const struct follower follower = {.on_data = on_event, .context = (void *)(uintptr_t)line};
	int status = EXIT_SUCCESS;
	json_t *answer, *event;
	size_t i;

	if (line->exec)
		return run_for_each(line);
	if (line->follow) {
		if (!line->json)
			print_head();
		return command_follow(line, "/v1/events?after=", 0, &follower);
	}
	answer = client_ask(line, (struct client_call){.method = "GET"}, strdup("/v1/events"));
	if (!answer)
		return EXIT_FAILURE;
	if (line->json) {
		status = command_print_json(json_object_get(answer, "events"));
	} else {
		print_head();
		json_array_foreach(json_object_get(answer, "events"), i, event)
		{
			print_event(event);
		}
	}
	json_decref(answer);
	return status;
}
