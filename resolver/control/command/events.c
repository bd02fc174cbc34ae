/* `sluice events`: what has happened, and with --follow what happens. */
#include <stdio.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/table.h"
#include "resolver/control/command/client.h"
#include "resolver/control/command/follow.h"
#include "rules/base.h"
#include "rules/text.h"

static const char *text_of(const json_t *event, const char *key)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text ? text : "";
}

static void print_event(const struct command_line *line, const char *data)
{
	json_t *event = line->json ? NULL : json_loads(data, 0, NULL);

	if (line->json)
		printf("%s\n", data);
	if (event) {
		printf("  %-20s  %-7s  %-10s  ", text_of(event, "time"), text_of(event, "level"),
		       text_of(event, "event"));
		text_print(stdout, text_of(event, "text"));
		printf("\n");
	}
	json_decref(event);
}

int command_events(const struct command_line *line)
{
	static const struct table_column columns[] = {
		{"TIME", "time"}, {"LEVEL", "level"}, {"EVENT", "event"}, {"TEXT", "text"}};
	int status = EXIT_SUCCESS;
	json_t *answer;

	if (line->follow) {
		if (!line->json)
			printf("  %-20s  %-7s  %-10s  TEXT\n", "TIME", "LEVEL", "EVENT");
		return command_follow(line, "/v1/events?after=", print_event);
	}
	answer = client_ask(line, (struct client_call){.method = "GET"}, strdup("/v1/events"));
	if (!answer)
		return EXIT_FAILURE;
	if (line->json)
		status = command_print_json(json_object_get(answer, "events"));
	else
		table_print(stdout, NULL, json_object_get(answer, "events"), columns,
			    COUNT(columns));
	json_decref(answer);
	return status;
}
