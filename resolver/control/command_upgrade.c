/* `sluice upgrade`: starts the new program, which takes over from the running one, and waits for
 * its words. The new one is a grandchild, and stays when this is done.
 *
 *     upgrade ──fork──► starter ──fork, exec──► PROGRAM run ◄──► the running server
 *      ▲   ▲              │  ▲                  --take-over
 *      │   └─ first word ─┘  └── its number ──────┤
 *      └───────────── second word ────────────────┘
 *
 * Without the first, because it has ended or the time is over, the starter kills it, and the
 * running server goes on. With the first it asks the running one to leave: to kill it then might
 * leave nobody, and the second is waited for, or its end. Where this program has ended before the
 * first, the starter has too, the new one has nobody to tell it to, and ends: so an upgrade can be
 * broken off.
 *
 * The starter ends with the first word, and the new one is a child of the system's first process
 * before it is named the service's main one: systemd(1) kills one that is not its child, where it
 * would stop another and wait. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/control/client.h"
#include "resolver/control/command.h"
#include "resolver/control/take_over.h"

#define UNCHANGED "nothing is taken over, the running server is as it was"

/* One that has failed answers what it holds before it ends. */
enum { PATIENCE_MS = 300 * 1000, ENDING_MS = 20 * 1000, STEP_MS = 10 };

/* This program by its path, which is what the new process is called by then; where another is there
 * meanwhile, by what the kernel holds of it. */
static const char *own_program(char path[PATH_MAX])
{
	static const char self[] = "/proc/self/exe";
	struct stat here, there;
	ssize_t length = readlink(self, path, PATH_MAX - 1);
	path[length > 0 ? length : 0] = '\0';
	bool same = stat(self, &here) == 0 && stat(path, &there) == 0 &&
		    here.st_dev == there.st_dev && here.st_ino == there.st_ino;
	return same ? path : self;
}

/* In the child, where the line has the socket. A session of its own: what ends this shell does not
 * end the server. */
static void become(const struct command_line *line, const char *program, int told)
{
	char number[16];
	snprintf(number, sizeof number, "%d", told);
	char *const arguments[] = {(char *)program,
				   "run",
				   "-c",
				   (char *)line->config,
				   "--resolv-conf",
				   (char *)line->resolv_conf,
				   "--socket",
				   (char *)line->socket,
				   "--take-over",
				   number,
				   NULL};
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (nothing >= 0)
		dup2(nothing, STDIN_FILENO);
	setsid();
	execv(program, arguments);
	command_fail_at(line, "%s cannot be started: %s", program, strerror(errno));
	_exit(COMMAND_NO);
}

static bool is_next_word(int told, char word)
{
	char heard;
	ssize_t length;
	do
		length = recv(told, &heard, 1, 0);
	while (length < 0 && errno == EINTR);
	return length == 1 && heard == word;
}

/* Whether the child asks. What it says is heard before the end of time, or it cannot say it. */
static bool wait_for_question(int told)
{
	struct pollfd wait = {.fd = told, .events = POLLIN};
	int found;
	do
		found = poll(&wait, 1, PATIENCE_MS);
	while (found < 0 && errno == EINTR);
	if (found != 1)
		shutdown(told, SHUT_RD);
	return is_next_word(told, TAKE_OVER_WORD_ASKS);
}

/* Waits for the end of a child that has not asked. */
static int fail(const struct command_line *line, pid_t child)
{
	int status = 0;
	pid_t ended = 0;
	for (int i = 0; i < ENDING_MS / STEP_MS && ended == 0; i++) {
		ended = waitpid(child, &status, WNOHANG);
		poll(NULL, 0, ended == 0 ? STEP_MS : 0);
	}
	if (ended == 0) { /* it hangs */
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
	if (WIFSIGNALED(status))
		return command_fail_at(line, "the new process has ended by signal %d; " UNCHANGED,
				       WTERMSIG(status));
	return command_fail_at(line, UNCHANGED);
}

/* The starter: ends with the program that it is of, or when the new process has asked, whose number
 * it writes then; else with the status that it gives. */
static int start(const struct command_line *line, const char *program, const int words[2],
		 int number, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return command_fail_at(line, "%s", strerror(errno));
	if (getppid() != parent) /* it has ended before that */
		return COMMAND_NO;
	pid_t child = fork();
	if (child == 0) {
		int told = dup(words[1]); /* open in the new program */
		become(line, program, told);
	}
	close(words[1]);
	if (child < 0)
		return command_fail_at(line, "%s", strerror(errno));
	if (!wait_for_question(words[0]))
		return fail(line, child);
	return write(number, &child, sizeof child) == sizeof child ? COMMAND_FINE : COMMAND_NO;
}

/* What becomes of it after its first word. */
static int finish(const struct command_line *line, int told, pid_t successor)
{
	if (is_next_word(told, TAKE_OVER_WORD_SERVES)) {
		printf("process %ld has taken over\n", (long)successor);
		return COMMAND_FINE;
	}
	for (int i = 0; i < ENDING_MS / STEP_MS && kill(successor, 0) == 0; i++)
		poll(NULL, 0, STEP_MS);
	return command_fail_at(line, UNCHANGED);
}

static int upgrade_by(const struct command_line *line, const char *program, const int words[2],
		      const int number[2])
{
	int status;
	pid_t successor, parent = getpid(), starter = fork();
	if (starter == 0)
		_exit(start(line, program, words, number[1], parent));
	close(words[1]);
	close(number[1]);
	if (starter < 0)
		return command_fail_at(line, "%s", strerror(errno));
	bool asks = read(number[0], &successor, sizeof successor) == sizeof successor;
	if (waitpid(starter, &status, 0) == starter && asks)
		return finish(line, words[0], successor);
	return WIFEXITED(status) ? WEXITSTATUS(status) : command_fail_at(line, UNCHANGED);
}

int command_upgrade(const struct command_line *line)
{
	int words[2], number[2];
	char own[PATH_MAX], socket[CLIENT_PATH_MAX];
	struct command_line found = *line;
	const char *program = line->binary ? line->binary : own_program(own);
	if (!client_socket_path(line, socket))
		return COMMAND_NO;
	found.socket = socket;
	if (access(program, X_OK) != 0)
		return command_fail_at(line, "%s: %s", program, strerror(errno));
	signal(SIGCHLD, SIG_DFL); /* who has started this may have ignored it, and no end is told */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, words) != 0 ||
	    pipe2(number, O_CLOEXEC) != 0)
		return command_fail_at(line, "%s", strerror(errno));
	return upgrade_by(&found, program, words, number);
}
