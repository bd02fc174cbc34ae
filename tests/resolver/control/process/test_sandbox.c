/* The filters of system calls, each entered in a child of its own: what is stopped, how, and what
 * still works. A child tells by its exit status, or is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/control/process/sandbox.h"

enum { FINE = 0, WRONG = 40, NO_FILTER = 41 };

/* How a child ended that did `what` behind the process's filter, or behind a worker's besides. */
static int ended(int (*what)(void), bool worker)
{
	int status;
	if (!sandbox_is_available())
		skip();
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(60);
		if (sandbox_enter() != 0 || (worker && sandbox_enter_worker() != 0))
			_exit(NO_FILTER);
		_exit(what());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void assert_killed(int (*what)(void))
{
	int status = ended(what, false);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void assert_fine(int (*what)(void), bool worker)
{
	int status = ended(what, worker);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), FINE);
}

/* ---- what ends the process ---- */

static int execute(void)
{
	char *const argv[] = {(char *)"true", NULL}, *const envp[] = {NULL};
	return execve("/bin/true", argv, envp);
}

static int become_root(void)
{
	return setuid(0);
}

static int mount_something(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static int leave_the_root(void)
{
	return chroot("/");
}

static int make_a_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int load_a_program_into_the_kernel(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int write_into_another_process(void)
{
	return (int)syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0);
}

static int make_a_link(void)
{
	return symlink("/etc/passwd", "/tmp/sluice-test-no-such-link");
}

static int make_shared_memory(void)
{
	return (int)syscall(SYS_shmget, 0, 4096, 0600);
}

static int trace_another_process(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void what_the_program_never_does_ends_it(void **state)
{
	(void)state;
	int (*const never[])(void) = {
		execute,
		become_root,
		mount_something,
		leave_the_root,
		make_a_namespace,
		load_a_program_into_the_kernel,
		write_into_another_process,
		make_a_link,
		make_shared_memory,
	};
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		assert_killed(never[i]);
	if (!SANDBOX_IS_WIDE)
		assert_killed(trace_another_process);
}

/* ---- what fails ---- */

static int writable_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page != MAP_FAILED || errno != EPERM)
		return WRONG;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return WRONG + 10;
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 && errno == EPERM ? FINE
										 : WRONG + 11;
}

/* A file has two mappings, of which one is written and the other executed. */
static int code_of_a_file(void)
{
	char path[] = "/tmp/sluice-test-XXXXXX";
	int fd = mkstemp(path);
	if (fd < 0 || unlink(path) != 0 || ftruncate(fd, 4096) != 0)
		return WRONG;
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
		return WRONG + 10;
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (code != MAP_FAILED || errno != EPERM)
		return WRONG + 11;
	code = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (code == MAP_FAILED)
		return WRONG + 12;
	return mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0 && errno == EPERM ? FINE
										 : WRONG + 13;
}

/* Nor are there files without a name that could be mapped so. */
static int code_without_a_file(void)
{
	return syscall(SYS_memfd_create, "code", 0) < 0 && errno == ENOSYS ? FINE : WRONG;
}

static int raw_sockets(void)
{
	if (socket(AF_PACKET, SOCK_RAW, 0) >= 0 || errno != EPERM)
		return WRONG;
	if (socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0 || errno != EPERM)
		return WRONG + 10;
	return socket(AF_NETLINK, SOCK_RAW, 12) < 0 && errno == EPERM ? FINE : WRONG + 11;
}

static int another_process(void)
{
	return fork() < 0 && errno == EPERM ? FINE : WRONG;
}

static int new_ways_of_libraries(void)
{
	if (syscall(SYS_clone3, NULL, 0) >= 0 || errno != ENOSYS)
		return WRONG;
	return syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == ENOSYS ? FINE : WRONG + 10;
}

static void what_is_done_never_so_fails(void **state)
{
	(void)state;
	assert_fine(writable_code, false);
	assert_fine(code_of_a_file, false);
	assert_fine(code_without_a_file, false);
	assert_fine(raw_sockets, false);
	assert_fine(new_ways_of_libraries, false);
	if (!SANDBOX_IS_WIDE)
		assert_fine(another_process, false);
}

/* ---- what works ---- */

static int sockets_and_interfaces(void)
{
	struct ifaddrs *list;
	static const int families[] = {AF_INET, AF_INET6};
	for (int i = 0; i < 2; i++)
		if (socket(families[i], SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) < 0 ||
		    socket(families[i], SOCK_STREAM, 0) < 0)
			return WRONG;
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0 || getifaddrs(&list) != 0)
		return WRONG + 10;
	freeifaddrs(list);
	return FINE;
}

static void *do_nothing(void *argument)
{
	return argument;
}

static int threads(void)
{
	pthread_t thread;
	return pthread_create(&thread, NULL, do_nothing, NULL) == 0 &&
			       pthread_join(thread, NULL) == 0
		       ? FINE
		       : WRONG;
}

static int files(void)
{
	char path[] = "/tmp/sluice-test-XXXXXX";
	int fd = mkstemp(path);
	if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) != 0 || unlink(path) != 0)
		return WRONG;
	return open("/etc/passwd", O_RDONLY) >= 0 ? FINE : WRONG + 10;
}

static void what_the_program_does_goes_on(void **state)
{
	(void)state;
	assert_fine(sockets_and_interfaces, false);
	assert_fine(threads, false);
	assert_fine(files, false);
}

/* ---- workers ---- */

static int no_file_is_opened(void)
{
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EPERM)
		return WRONG;
	if (open("/tmp/sluice-test-no-such", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EPERM)
		return WRONG + 10;
	return unlink("/tmp/sluice-test-no-such") < 0 && errno == EPERM ? FINE : WRONG + 11;
}

static int no_thread_is_started(void)
{
	pthread_t thread;
	return pthread_create(&thread, NULL, do_nothing, NULL) != 0 ? FINE : WRONG;
}

static int nothing_is_listened_at(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd >= 0 && listen(fd, 1) < 0 && errno == EPERM ? FINE : WRONG;
}

static void a_worker_has_its_sockets_and_memory_only(void **state)
{
	(void)state;
	assert_fine(no_file_is_opened, true);
	assert_fine(no_thread_is_started, true);
	assert_fine(nothing_is_listened_at, true);
	assert_fine(sockets_and_interfaces, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_program_never_does_ends_it),
		cmocka_unit_test(what_is_done_never_so_fails),
		cmocka_unit_test(what_the_program_does_goes_on),
		cmocka_unit_test(a_worker_has_its_sockets_and_memory_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
