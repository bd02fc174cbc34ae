/* `sluice upgrade`: starts the new program, which takes over from the running one, and waits for
 * its word. The new one is a child, and stays when this is done.
 *
 *     upgrade ──fork, exec──► PROGRAM run --take-over FD ... ◄── sockets ── the running server
 *        ▲                            │
 *        └──────── one byte ──────────┘
 *
 * Without a word, because it has ended or the time is over, it is killed, and the running server
 * goes on. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/control/client.h"
#include "resolver/control/command.h"

enum { PATIENCE_MS = 300 * 1000, ENDING_MS = 2000 };

/* In the child. A session of its own: what ends this shell does not end the server. */
static void become(const struct command_line *line, const char *program, int told)
{
	char number[16], socket[CLIENT_PATH_MAX];
	snprintf(number, sizeof number, "%d", told);
	client_socket_path(line, socket);
	char *const arguments[] = {(char *)program,
				   "run",
				   "-c",
				   (char *)line->config,
				   "--resolv-conf",
				   (char *)line->resolv_conf,
				   "--socket",
				   socket,
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

/* Whether the child has given its word. */
static bool wait_for_word(int told)
{
	struct pollfd wait = {.fd = told, .events = POLLIN};
	char word = '\0';
	int found;
	do
		found = poll(&wait, 1, PATIENCE_MS);
	while (found < 0 && errno == EINTR);
	return found == 1 && read(told, &word, 1) == 1;
}

static int finish(const struct command_line *line, pid_t child, bool serving)
{
	int status = 0;
	if (serving) {
		printf("process %ld has taken over\n", (long)child);
		return COMMAND_FINE;
	}
	pid_t ended = 0;
	for (int i = 0; i < ENDING_MS && ended == 0; i++) {
		ended = waitpid(child, &status, WNOHANG);
		poll(NULL, 0, 1);
	}
	if (ended == 0) { /* it hangs */
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
	if (WIFSIGNALED(status))
		return command_fail_at(line,
				       "the new process has ended by signal %d; the running server "
				       "goes on",
				       WTERMSIG(status));
	return command_fail_at(line, "nothing has changed, the running server goes on");
}

int command_upgrade(const struct command_line *line)
{
	int word[2];
	const char *program = line->binary ? line->binary : "/proc/self/exe";
	if (access(program, X_OK) != 0)
		return command_fail_at(line, "%s: %s", program, strerror(errno));
	if (pipe2(word, O_CLOEXEC) != 0)
		return command_fail_at(line, "%s", strerror(errno));
	pid_t child = fork();
	if (child == 0) {
		int told = dup(word[1]); /* open in the new program */
		become(line, program, told);
	}
	close(word[1]);
	if (child < 0) {
		close(word[0]);
		return command_fail_at(line, "%s", strerror(errno));
	}
	bool serving = wait_for_word(word[0]);
	close(word[0]);
	return finish(line, child, serving);
}
