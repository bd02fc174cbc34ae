/* `sluice run`: the master; and `sluice --serve`, which the master executes. Sets up the process,
 * then runs the master's loop, or the control thread. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "resolver/control/command/command.h"
#include "resolver/control/process/master.h"
#include "resolver/control/process/process.h"
#include "resolver/log.h"

/* Raises the limit of descriptors as far as allowed: each source and worker has a pool of ports. */
static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_event(LOG_WARNING, "limits", "the number of open files could not be raised");
}

/* The descriptor of --master; -1: none. */
static int handed_descriptor(const struct command_line *line)
{
	char *end;
	long number = line->master ? strtol(line->master, &end, 10) : -1;
	return number >= 0 && number <= INT32_MAX && *end == '\0' &&
			       fcntl((int)number, F_SETFD, FD_CLOEXEC) == 0
		       ? (int)number
		       : -1;
}

static void begin(void)
{
	int fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO) /* or a socket could become the log's descriptor */
		fd = open("/dev/null", O_RDWR);
	if (fd >= 0)
		close(fd);
	log_configure(LOG_INFO, LOG_AUTO);
	log_never_wait();
	raise_descriptors();
	signal(SIGPIPE, SIG_IGN);
	/* Before Linux 6.14 a program executed by a descriptor is named after the descriptor. */
	(void)prctl(PR_SET_NAME, program_invocation_short_name, 0, 0, 0);
}

int command_run(const struct command_line *line)
{
	begin();
	return master_run(line->config, line->resolv_conf, handed_descriptor(line));
}

int command_serve(const struct command_line *line)
{
	int master = handed_descriptor(line);
	if (master < 0)
		return command_misuse(line, "only the master starts this; use `sluice run`");
	begin();
	return process_run(line->config, line->resolv_conf, master, line->beside);
}
