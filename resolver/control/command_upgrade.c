/* `sluice upgrade`: starts the new program, which takes over from the running one, and waits for
 * its words. The new one is a child, and stays when this is done.
 *
 *     upgrade ──fork, exec──► PROGRAM run --take-over FD ... ◄── sockets ── the running server
 *        ▲                            │
 *        └──────── two words ─────────┘
 *
 * Without the first, because it has ended or the time is over, it is killed, and the running server
 * goes on. With the first it asks the running one to leave: to kill it then might leave nobody, and
 * the second is waited for, or its end. Where this program has ended before the first, the new one
 * has nobody to tell it to, and ends too: so an upgrade can be broken off. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/control/client.h"
#include "resolver/control/command.h"
#include "resolver/control/take_over.h"

/* One that has failed answers what it holds before it ends. */
enum { PATIENCE_MS = 300 * 1000, ENDING_MS = 20 * 1000, STEP_MS = 10 };

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

static bool is_next_word(int told, char word)
{
	char heard;
	ssize_t length;
	do
		length = recv(told, &heard, 1, 0);
	while (length < 0 && errno == EINTR);
	return length == 1 && heard == word;
}

/* Whether the child serves. What it says is heard before the end of time, or it cannot say it. */
static bool wait_for_words(int told)
{
	struct pollfd wait = {.fd = told, .events = POLLIN};
	int found;
	do
		found = poll(&wait, 1, PATIENCE_MS);
	while (found < 0 && errno == EINTR);
	if (found != 1)
		shutdown(told, SHUT_RD);
	return is_next_word(told, TAKE_OVER_WORD_ASKS) && is_next_word(told, TAKE_OVER_WORD_SERVES);
}

static int finish(const struct command_line *line, pid_t child, bool serving)
{
	int status = 0;
	if (serving) {
		printf("process %ld has taken over\n", (long)child);
		return COMMAND_FINE;
	}
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
		return command_fail_at(line,
				       "the new process has ended by signal %d; the running server "
				       "goes on",
				       WTERMSIG(status));
	return command_fail_at(line, "nothing has changed, the running server goes on");
}

int command_upgrade(const struct command_line *line)
{
	int words[2];
	const char *program = line->binary ? line->binary : "/proc/self/exe";
	if (access(program, X_OK) != 0)
		return command_fail_at(line, "%s: %s", program, strerror(errno));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, words) != 0)
		return command_fail_at(line, "%s", strerror(errno));
	pid_t child = fork();
	if (child == 0) {
		int told = dup(words[1]); /* open in the new program */
		become(line, program, told);
	}
	close(words[1]);
	if (child < 0) {
		close(words[0]);
		return command_fail_at(line, "%s", strerror(errno));
	}
	bool serving = wait_for_words(words[0]);
	close(words[0]);
	return finish(line, child, serving);
}
