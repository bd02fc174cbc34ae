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

/* ---- calls of another ABI ---- */

#ifdef __x86_64__
static void *call_by_32_bits(void *unused)
{
	enum { GETPID_OF_32_BITS = 20 };
	long result;

	(void)unused;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(GETPID_OF_32_BITS) : "memory");
	return NULL;
}

static void *call_by_x32(void *unused)
{
	enum { X32 = 0x40000000 };

	(void)unused;
	(void)syscall(X32 | SYS_getpid);
	return NULL;
}

/* In a second thread, while the first one lives: were it the thread that ends, the child would be
 * fine. */
static int in_a_thread(void *(*call)(void *unused))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, call, NULL) != 0)
		return WRONG;
	pthread_join(thread, NULL);
	return FINE;
}

static int another_abi(void)
{
	return in_a_thread(call_by_32_bits);
}

static int x32(void)
{
	return in_a_thread(call_by_x32);
}

/* Kernels may be built without it: the instruction is a fault then. */
static bool has_32_bits(void)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		call_by_32_bits(NULL);
		_exit(FINE);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status);
}
#endif

static void a_call_of_another_abi_ends_the_process_and_not_the_thread(void **state)
{
	(void)state;
#ifdef __x86_64__
	assert_killed(x32);
	if (has_32_bits())
		assert_killed(another_abi);
#else
	skip();
#endif
}

/* ---- below the master's filter ---- */

/* With arguments that make each call harmless, or fail otherwise, where it is allowed. */
static int looks_into_processes(void)
{
	const struct {
		long number, first;
	} calls[] = {
		{SYS_process_vm_readv, getppid()},
		{SYS_process_vm_writev, getppid()},
		{SYS_keyctl, 0},
		{SYS_setns, -1},
		{SYS_mount, 0},
		{SYS_unshare, 0},
		{SYS_add_key, 0},
		{SYS_init_module, 0},
		{SYS_kexec_load, 0},
		{SYS_perf_event_open, 0},
		{SYS_bpf, -1},
		{SYS_userfaultfd, -1},
		{SYS_open_by_handle_at, -1},
		{SYS_pidfd_getfd, -1},
		{SYS_settimeofday, 0},
		{SYS_chroot, 0},
	};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		errno = 0;
		if (syscall(calls[i].number, calls[i].first, 0, 0, 0, 0, 0) != -1 || errno != EPERM)
			return WRONG + (int)i;
	}
	if (!SANDBOX_IS_WIDE && (ptrace(PTRACE_TRACEME) != -1 || errno != EPERM))
		return WRONG - 1;
	return FINE;
}

static int makes_namespaces(void)
{
	static const int flags[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
				    CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		long child = syscall(SYS_clone, flags[i] | SIGCHLD, NULL, NULL, NULL, 0);

		if (child == 0)
			_exit(0);
		if (child != -1 || errno != EPERM)
			return WRONG + (int)i;
	}
	return syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS ? FINE : WRONG + 20;
}

/* What a later version may do that this one does not. */
static int makes_other_calls(void)
{
	long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	if (child == 0)
		_exit(0);
	if (child < 0 || syscall(SYS_memfd_create, "x", 0) < 0)
		return WRONG;
	return syscall(SYS_tgkill, getppid(), getppid(), 0) == 0 ? FINE : WRONG + 1;
}

static void below_the_master_s_filter_named_calls_fail_and_others_work(void **state)
{
	int (*const calls[])(void) = {looks_into_processes, makes_namespaces, makes_other_calls};

	(void)state;
	if (!sandbox_is_available())
		skip();
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		int status;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			alarm(60);
			_exit(sandbox_enter_master() == 0 ? calls[i]() : NO_FILTER);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), FINE);
	}
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

/* To itself it may, as abort(3) does. */
static int signals_to_another_process(void)
{
	if (syscall(SYS_tgkill, getpid(), getpid(), 0) != 0)
		return WRONG;
	return syscall(SYS_tgkill, getppid(), getppid(), 0) < 0 && errno == EPERM ? FINE
										  : WRONG + 1;
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
	assert_fine(signals_to_another_process, false);
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
		cmocka_unit_test(a_call_of_another_abi_ends_the_process_and_not_the_thread),
		cmocka_unit_test(below_the_master_s_filter_named_calls_fail_and_others_work),
		cmocka_unit_test(what_is_done_never_so_fails),
		cmocka_unit_test(what_the_program_does_goes_on),
		cmocka_unit_test(a_worker_has_its_sockets_and_memory_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
