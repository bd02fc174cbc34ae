/* `sluice run`: the master; and `sluice serve`, which it executes: what that process as a whole
 * needs, and then the control thread, which is this one. */
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

/* The descriptor of --master; -1: there is none. */
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
	while (fd >= 0 && fd <= STDERR_FILENO) /* or a socket would be what the log is written to */
		fd = open("/dev/null", O_RDWR);
	if (fd >= 0)
		close(fd);
	log_configure(LOG_INFO, LOG_AUTO);
	raise_descriptors();
	signal(SIGPIPE, SIG_IGN);
	/* A program that is executed by a descriptor is called as that is, before Linux 6.14. */
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
