#include "resolver/control/observe/status.h"
#include "resolver/control/command/client.h"

int command_status(const struct command_line *line)
{
	json_t *status =
		client_ask(line, (struct client_call){.method = "GET", .path = "/v1/status"});
	if (!status)
		return EXIT_FAILURE;
	int exit_status = EXIT_SUCCESS;
	if (line->json)
		exit_status = command_print_json(status);
	else
		status_print(status, line->all, stdout);
	json_decref(status);
	return exit_status;
}
