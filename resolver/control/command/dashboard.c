/* `sluice dashboard`: prints a link that opens the dashboard, logged in as the command's user. */
#include "resolver/control/base/json.h"
#include "resolver/control/command/client.h"

int command_dashboard(const struct command_line *line)
{
	json_t *answer = client_ask(line, (struct client_call){.method = "POST"},
				    client_path("/v1/login_links"));
	int status = EXIT_SUCCESS;

	if (!answer)
		return EXIT_FAILURE;
	if (line->json)
		status = command_print_json(answer);
	else
		printf("open %s\n"
		       "It logs in once, within %" JSON_INTEGER_FORMAT
		       " seconds, in a browser on this machine.\n",
		       json_text_of(answer, "url"),
		       json_integer_value(json_object_get(answer, "expires_s")));
	json_decref(answer);
	return status;
}
