/* `sluice run`: what the process as a whole needs, and then the control thread, which is this one.
 */
#include <signal.h>
#include <sys/resource.h>

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

int command_run(const struct command_line *line)
{
	log_configure(LOG_INFO, LOG_AUTO);
	raise_descriptors();
	signal(SIGPIPE, SIG_IGN);
	return control_run(line->config, line->resolv_conf);
}
