/* Going where another process is: into a view of the files that the system has made, and not into
 * one that a user has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/control/place.h"

enum { ENTERED, REFUSED, ELSEWHERE, SILENT };

struct server { /* what is gone to */
	pid_t pid;
	int pidfd;
};

/* False where the system lets nobody have one. */
static bool server_start(struct server *server, int namespaces)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	server->pid = fork();
	if (server->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(namespaces) != 0 || write(ready[1], "!", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	bool started = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	server->pidfd = (int)syscall(SYS_pidfd_open, server->pid, 0);
	assert_true(server->pidfd >= 0);
	return started;
}

static void server_kill(const struct server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
}

static bool has_files_of(pid_t pid)
{
	char path[64];
	struct stat theirs, ours;
	snprintf(path, sizeof path, "/proc/%ld/ns/mnt", (long)pid);
	return stat(path, &theirs) == 0 && stat("/proc/self/ns/mnt", &ours) == 0 &&
	       theirs.st_ino == ours.st_ino;
}

static int enter(const struct server *server)
{
	char error[256] = "";
	if (place_enter(server->pid, server->pidfd, error, sizeof error) != 0)
		return *error ? REFUSED : SILENT;
	return has_files_of(server->pid) ? ENTERED : ELSEWHERE;
}

/* What becomes of a process that goes there. */
static int end_of_one_that_enters(const struct server *server)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(enter(server));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* setns(2): one that has two threads enters no files, and ThreadSanitizer has one of its own. */
#ifdef __SANITIZE_THREAD__
enum { HAS_ONE_THREAD = 0 };
#else
enum { HAS_ONE_THREAD = 1 };
#endif

static bool knows_pidfd_open(void)
{
	return !getenv("VALGRIND"); /* up to 3.19 */
}

static void the_files_of_a_service_are_entered(void **state)
{
	struct server server;
	(void)state;
	if (!HAS_ONE_THREAD || !knows_pidfd_open())
		skip();
	bool started = server_start(&server, CLONE_NEWNS);
	if (started)
		assert_int_equal(end_of_one_that_enters(&server), ENTERED);
	server_kill(&server);
	close(server.pidfd);
	if (!started)
		skip();
}

static void files_that_a_user_has_put_together_are_not_entered(void **state)
{
	struct server server;
	(void)state;
	bool started = geteuid() == 0 && knows_pidfd_open() &&
		       server_start(&server, CLONE_NEWUSER | CLONE_NEWNS);
	if (!started)
		skip();
	assert_int_equal(end_of_one_that_enters(&server), REFUSED);
	server_kill(&server);
	close(server.pidfd);
}

static void a_server_that_has_ended_is_not_followed(void **state)
{
	struct server server, other;
	(void)state;
	bool started = geteuid() == 0 && knows_pidfd_open() && server_start(&server, CLONE_NEWNS);
	if (!started)
		skip();
	assert_true(server_start(&other, CLONE_NEWNS));
	server_kill(&server);
	server.pid = other.pid; /* which has its number by now */
	assert_int_equal(end_of_one_that_enters(&server), REFUSED);
	server_kill(&other);
	close(server.pidfd);
	close(other.pidfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_files_of_a_service_are_entered),
		cmocka_unit_test(files_that_a_user_has_put_together_are_not_entered),
		cmocka_unit_test(a_server_that_has_ended_is_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
