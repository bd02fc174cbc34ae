/* `sluice confirm`, and --confirm of other commands. */
#include <ctype.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/command/client.h"
#include "resolver/control/service/confirmation.h"

static unsigned unit_seconds(const char *unit)
{
	static const struct {
		const char *name;
		unsigned seconds;
	} units[] = {{"s", 1}, {"m", 60}, {"h", 60 * 60}};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(units[i].name, unit) == 0)
			return units[i].seconds;
	return 0;
}

bool command_confirm_query(const struct command_line *line, char query[COMMAND_CONFIRM_MAX])
{
	const char *text = line->confirm;
	unsigned long number, unit;
	char *end;

	*query = '\0';
	if (!text)
		return true;
	if (line->dry_run) {
		command_misuse(line, "--confirm has no meaning where nothing is changed; leave it "
				     "or --dry-run out");
		return false;
	}
	number = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
	unit = number > 0 ? unit_seconds(end) : 0;
	if (unit == 0 || number > CONFIRMATION_MAX_S / unit) {
		command_misuse(line,
			       "--confirm \"%s\" is no time; give one like 30s, 10m or 1h, at most "
			       "24h",
			       text);
		return false;
	}
	snprintf(query, COMMAND_CONFIRM_MAX, "?confirm=%lu", number * unit);
	return true;
}

void command_print_unconfirmed(const json_t *answer)
{
	const json_t *unconfirmed = json_object_get(answer, "unconfirmed");

	if (json_is_object(unconfirmed))
		printf("goes back at %s, unless it is confirmed: `sluice confirm` keeps it, "
		       "`sluice "
		       "confirm --back` takes it back now\n",
		       json_string_value(json_object_get(unconfirmed, "until")));
}

int command_confirm(const struct command_line *line)
{
	json_t *answer = client_ask(
		line, (struct client_call){.method = "POST", .timeout_ms = CLIENT_RELOAD_MS},
		strdup(line->back ? "/v1/confirm?back" : "/v1/confirm"));
	const json_t *what = json_object_get(answer, "unconfirmed");
	int status = EXIT_SUCCESS;

	if (!answer)
		return EXIT_FAILURE;
	if (line->json)
		status = command_print_json(answer);
	else
		printf(line->back ? "the %s by %s has gone back; what was before it is served\n"
				  : "the %s by %s stays\n",
		       json_string_value(json_object_get(what, "what")),
		       json_string_value(json_object_get(what, "who")));
	json_decref(answer);
	return status;
}
