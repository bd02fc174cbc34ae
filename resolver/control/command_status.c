#include "resolver/control/client.h"
#include "resolver/control/status.h"

int command_status(const struct command_line *line)
{
	json_t *status =
		client_ask(line, (struct client_call){.method = "GET", .path = "/v1/status"});
	if (!status)
		return COMMAND_NO;
	int exit_status = COMMAND_FINE;
	if (line->json)
		exit_status = command_print_json(status);
	else
		status_print(status, line->all, stdout);
	json_decref(status);
	return exit_status;
}
