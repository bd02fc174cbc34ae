/* `sluice run`: what the process as a whole needs, and then the control thread, which is this one.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "resolver/control/client.h"
#include "resolver/control/command.h"
#include "resolver/control/control.h"
#include "resolver/log.h"

/* Sockets are many: a pool of ports for each source and worker. What is allowed is taken. */
static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_event(LOG_WARNING, "limits", "the number of open files could not be raised");
}

static int run_taking_over(const struct command_line *line)
{
	char socket[CLIENT_PATH_MAX], error[TAKE_OVER_ERROR_MAX], *end;
	struct take_over take_over = {.told = (int)strtol(line->take_over, &end, 10)};
	if (*end != '\0' || take_over.told < 0 || fcntl(take_over.told, F_SETFD, FD_CLOEXEC) != 0)
		return command_misuse(line, "--take-over takes an open descriptor");
	if (!client_socket_path(line, socket))
		return COMMAND_NO;
	int status = take_over_begin(&take_over, socket, error) == 0
			     ? control_run(line->config, line->resolv_conf, &take_over)
			     : command_fail("cannot take over: %s", error);
	take_over_release(&take_over);
	return status;
}

int command_run(const struct command_line *line)
{
	log_configure(LOG_INFO, LOG_AUTO);
	raise_descriptors();
	signal(SIGPIPE, SIG_IGN);
	if (!line->take_over)
		return control_run(line->config, line->resolv_conf, NULL);
	return run_taking_over(line);
}
