/* Several filters, because each has only one verdict for all calls that it does not list. The
 * kernel takes the gravest verdict.
 *
 *     is the call in the table?          no  ─► the process ends
 *     do its arguments match a row?      no  ─► the call fails, EPERM
 *     is it in the denylist of workers?  yes ─► the call fails, EPERM
 *
 * The table also has calls that libraries try first, but do not need, as older kernels lack them:
 * they fail with ENOSYS. The table has names for all architectures; names that one lacks are
 * skipped. Calls that a query makes have no conditions on arguments: the kernel keeps a bitmap of
 * those calls, and runs no filter at all for them.
 *
 * Code that makes a new call adds it to the table: test_privileges.py makes the ordinary build do
 * all it can, and fails if a call was forgotten.
 *
 * The filters do not decide which files may be opened. The user's rights (privileges.h) and the
 * service manager do; a worker opens none. */
#include "resolver/control/process/sandbox.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "resolver/control/base/threads.h"
#include "resolver/control/process/privileges.h"
#include "resolver/log.h"
#include "rules/base.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

/* ---- allowed with any arguments ---- */

static const char *const plain[] = {
	/* memory */
	"brk",
	"madvise",
	"mremap",
	"munmap",
	"msync",
	"mincore",
	"membarrier",
	/* descriptors */
	"close",
	"dup",
	"dup2",
	"dup3",
	"fcntl",
	"fcntl64",
	"fstat",
	"fstat64",
	"lseek",
	"_llseek",
	"pipe2",
	"pread64",
	"preadv",
	"preadv2",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"read",
	"readv",
	"sendfile",
	"sendfile64",
	"write",
	"writev",
	/* files: configuration, zones, secrets, state, control socket */
	"access",
	"faccessat",
	"faccessat2",
	"fadvise64",
	"fadvise64_64",
	"fallocate",
	"fchmod",
	"fchown",
	"fdatasync",
	"flock",
	"fstatat64",
	"fstatfs",
	"fstatfs64",
	"fsync",
	"ftruncate",
	"ftruncate64",
	"getcwd",
	"getdents64",
	"link",
	"linkat",
	"lstat",
	"lstat64",
	"mkdir",
	"mkdirat",
	"newfstatat",
	"open",
	"openat",
	"readlink",
	"readlinkat",
	"rename",
	"renameat",
	"renameat2",
	"rmdir",
	"setfsgid",
	"setfsuid",
	"stat",
	"stat64",
	"statfs",
	"statfs64",
	"statx",
	"umask",
	"unlink",
	"unlinkat",
	"utimensat",
	"inotify_add_watch",
	"inotify_init1",
	"inotify_rm_watch",
	/* sockets */
	"accept",
	"accept4",
	"bind",
	"connect",
	"getpeername",
	"getsockname",
	"getsockopt",
	"listen",
	"recv",
	"recvfrom",
	"recvmmsg",
	"recvmmsg_time64",
	"recvmsg",
	"send",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"setsockopt",
	"shutdown",
	"socketpair",
	/* waiting */
	"_newselect",
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd2",
	"poll",
	"ppoll",
	"ppoll_time64",
	"pselect6",
	"pselect6_time64",
	"select",
	/* time */
	"clock_getres",
	"clock_getres_time64",
	"clock_gettime",
	"clock_gettime64",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"gettimeofday",
	"nanosleep",
	"time",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_settime64",
	/* threads and signals */
	"exit",
	"exit_group",
	"futex",
	"futex_time64",
	"get_robust_list",
	"getcpu",
	"getpid",
	"gettid",
	"restart_syscall",
	"rseq",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigtimedwait",
	"sched_getaffinity",
	"sched_yield",
	"set_robust_list",
	"set_tid_address",
	"sigaltstack",
	"sigreturn",
	/* about the process and the machine */
	"capget",
	"capset",
	"getegid",
	"getegid32",
	"geteuid",
	"geteuid32",
	"getgid",
	"getgid32",
	"getgroups",
	"getgroups32",
	"getppid",
	"getrandom",
	"getresgid",
	"getresuid",
	"getrlimit",
	"getrusage",
	"getuid",
	"getuid32",
	"seccomp",
	"sysinfo",
	"times",
	"ugetrlimit",
	"uname",
};

/* ---- allowed with some arguments ---- */

/* The value of one argument in the bits of `mask`; mask 0: any value. */
struct argument {
	unsigned index;
	scmp_datum_t mask, value;
};

/* A call with several rows needs one that matches. */
struct condition {
	const char *name;
	struct argument arguments[3];
};

#ifdef __s390x__
enum { CLONE_FLAGS = 1 };
#else
enum { CLONE_FLAGS = 0 };
#endif

#define INT_BITS UINT32_MAX /* the kernel reads only these of an int */
#define TYPE     0xf        /* of a socket, without its flags */

static const struct condition conditions[] = {
	/* no executable mapping, because another mapping could write to the same file */
	{"mmap", {{2, PROT_EXEC, 0}}},
	{"mmap2", {{2, PROT_EXEC, 0}}},
	{"mprotect", {{2, PROT_EXEC, 0}}},
	/* threads, no processes */
	{"clone", {{CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD}}},
	{"socket", {{0, INT_BITS, AF_INET}, {1, TYPE, SOCK_STREAM}}},
	{"socket", {{0, INT_BITS, AF_INET}, {1, TYPE, SOCK_DGRAM}}},
	{"socket", {{0, INT_BITS, AF_INET6}, {1, TYPE, SOCK_STREAM}}},
	{"socket", {{0, INT_BITS, AF_INET6}, {1, TYPE, SOCK_DGRAM}}},
	{"socket", {{0, INT_BITS, AF_UNIX}}},
	/* getifaddrs(3) */
	{"socket", {{0, INT_BITS, AF_NETLINK}, {2, INT_BITS, NETLINK_ROUTE}}},
	{"ioctl", {{1, INT_BITS, FIONBIO}}},
	{"ioctl", {{1, INT_BITS, FIOCLEX}}},
	{"ioctl", {{1, INT_BITS, FIONCLEX}}},
	{"ioctl", {{1, INT_BITS, FIONREAD}}},
	{"ioctl", {{1, INT_BITS, TCGETS}}},
	{"prctl", {{0, INT_BITS, PR_GET_NAME}}},
	{"prctl", {{0, INT_BITS, PR_GET_NO_NEW_PRIVS}}},
	{"prctl", {{0, INT_BITS, PR_GET_SECCOMP}}},
	{"prctl", {{0, INT_BITS, PR_SET_NAME}}},
	{"prctl", {{0, INT_BITS, PR_SET_NO_NEW_PRIVS}}},
	{"prctl", {{0, INT_BITS, PR_SET_SECCOMP}}},
	/* of this process only */
	{"prlimit64", {{0, INT_BITS, 0}}},
	{"getpriority", {{0, INT_BITS, PRIO_PROCESS}, {1, INT_BITS, 0}}},
	{"setpriority", {{0, INT_BITS, PRIO_PROCESS}, {1, INT_BITS, 0}}},
};

/* Calls that libraries try first, but can do without. clone3 is one of them because no filter sees
 * its flags, which are in memory. */
static const char *const unknown_here[] = {
	"clone3",
	"futex_requeue",
	"futex_wait",
	"futex_waitv",
	"futex_wake",
	"get_mempolicy",
	"io_uring_setup",
	"map_shadow_stack",
	"mbind",
	"memfd_create",
	"mlock",
	"mlock2",
	"mseal",
	"munlock",
	"openat2",
	"sched_getparam",
	"sched_getscheduler",
	"sched_setscheduler",
};

/* Calls of the sanitizers, to look for leaks and to write reports. */
static const char *const wide[] = {
	"clone", "getdents", "kill", "personality", "prctl", "ptrace", "wait4",
};

/* Calls that look into other processes, change the kernel or the machine's settings, or enter
 * another namespace. A denylist, not an allowlist: later versions inherit it and may need calls
 * that this one does not know. */
static const char *const never[] = {
	"acct",
	"add_key",
	"adjtimex",
	"bpf",
	"chroot",
	"clock_adjtime",
	"clock_settime",
	"clock_settime64",
	"create_module",
	"delete_module",
	"finit_module",
	"fsconfig",
	"fsmount",
	"fsopen",
	"fspick",
	"init_module",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"lookup_dcookie",
	"mount",
	"mount_setattr",
	"move_mount",
	"name_to_handle_at",
	"nfsservctl",
	"open_by_handle_at",
	"open_tree",
	"perf_event_open",
	"pidfd_getfd",
	"pivot_root",
	"process_madvise",
	"process_vm_readv",
	"process_vm_writev",
	"quotactl",
	"quotactl_fd",
	"reboot",
	"request_key",
	"setdomainname",
	"sethostname",
	"setns",
	"settimeofday",
	"stime",
	"swapoff",
	"swapon",
	"syslog",
	"umount",
	"umount2",
	"unshare",
	"uselib",
	"userfaultfd",
	"vhangup",
	"vm86",
	"vm86old",
	"ptrace",
};

/* Flags of clone for new namespaces: in a user namespace of its own a process would be root. */
static const scmp_datum_t namespaces[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
					  CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};

/* The denylist of workers, which need only their sockets and memory. */
static const char *const not_a_workers[] = {
	"clone",     "fallocate",         "fchmod", "fchown",   "flock",
	"ftruncate", "inotify_add_watch", "link",   "linkat",   "listen",
	"mkdir",     "mkdirat",           "open",   "openat",   "rename",
	"renameat",  "renameat2",         "rmdir",  "seccomp",  "setfsgid",
	"setfsuid",  "socketpair",        "unlink", "unlinkat", "utimensat",
};

/* ---- filters ---- */

static int refuse(int err)
{
	errno = -err;
	return ERR_SYSTEM;
}

/* Adds the rule, unless this architecture or libseccomp lacks the call. */
static int add_rule(scmp_filter_ctx filter, uint32_t action, const char *name,
		    const struct argument *arguments, size_t count)
{
	struct scmp_arg_cmp compared[3];
	unsigned used = 0;
	int number = seccomp_syscall_resolve_name(name);

	for (size_t i = 0; i < count; i++)
		if (arguments[i].mask != 0)
			compared[used++] =
				(struct scmp_arg_cmp){arguments[i].index, SCMP_CMP_MASKED_EQ,
						      arguments[i].mask, arguments[i].value};
	int err = number < 0 ? 0 : seccomp_rule_add_array(filter, action, number, used, compared);
	return err == -EEXIST ? 0 : err;
}

static int add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names,
		     size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && err == 0; i++)
		err = add_rule(filter, action, names[i], NULL, 0);
	return err;
}

static bool is_wide(const char *name)
{
	for (size_t i = 0; i < COUNT(wide); i++)
		if (SANDBOX_IS_WIDE && strcmp(wide[i], name) == 0)
			return true;
	return false;
}

static int add_conditions(scmp_filter_ctx filter, bool by_arguments)
{
	int err = 0;

	for (size_t i = 0; i < COUNT(conditions) && err == 0; i++)
		if (!is_wide(conditions[i].name))
			err = add_rule(filter, SCMP_ACT_ALLOW, conditions[i].name,
				       conditions[i].arguments,
				       by_arguments ? COUNT(conditions[i].arguments) : 0);
	return err;
}

/* Signals to threads of this process, as abort(3) and pthread_kill(3) send them. */
static int add_own_signals(scmp_filter_ctx filter, bool by_arguments)
{
	const struct argument own = {0, INT_BITS, (scmp_datum_t)getpid()};

	return add_rule(filter, SCMP_ACT_ALLOW, "tgkill", &own, by_arguments);
}

/* Adds the table of allowed calls to one of the process's two filters. `by_arguments`: adds the
 * conditions on their arguments, too. */
static int add_table(scmp_filter_ctx filter, bool by_arguments)
{
	int err = add_names(filter, SCMP_ACT_ALLOW, plain, COUNT(plain));

	if (err == 0)
		err = add_conditions(filter, by_arguments);
	if (err == 0)
		err = add_own_signals(filter, by_arguments);
	if (err == 0)
		err = add_names(filter, SCMP_ACT_ERRNO(ENOSYS), unknown_here, COUNT(unknown_here));
	if (err == 0 && SANDBOX_IS_WIDE)
		err = add_names(filter, SCMP_ACT_ALLOW, wide, COUNT(wide));
	return err;
}

/* Turns off the slow SSB mitigation, which protects only from foreign code in this process, and
 * makes the filter search its calls as a tree. Older libseccomp has neither attribute. */
static scmp_filter_ctx filter_new(uint32_t otherwise)
{
	scmp_filter_ctx filter = seccomp_init(otherwise);

	if (!filter)
		return NULL;
	/* A call of another ABI ends the process, not only its thread: the other threads would go
	 * on without it. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return filter;
}

static int enter(uint32_t otherwise, bool by_arguments)
{
	scmp_filter_ctx filter = filter_new(otherwise);
	int err = filter ? add_table(filter, by_arguments) : -ENOMEM;

	if (err == 0)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err == 0 ? 0 : refuse(err);
}

/* A filter cannot see clone3's flags, which are in memory. So clone3 fails with ENOSYS, and
 * libraries use clone instead. */
static int add_never(scmp_filter_ctx filter)
{
	const uint32_t action = SCMP_ACT_ERRNO(EPERM);
	int err = 0;

	for (size_t i = 0; i < COUNT(never) && err == 0; i++)
		if (!is_wide(never[i]))
			err = add_rule(filter, action, never[i], NULL, 0);
	for (size_t i = 0; i < COUNT(namespaces) && err == 0; i++)
		err = add_rule(filter, action, "clone",
			       &(struct argument){CLONE_FLAGS, namespaces[i], namespaces[i]}, 1);
	return err ? err : add_rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", NULL, 0);
}

int sandbox_enter_master(void)
{
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);
	int err = filter ? add_never(filter) : -ENOMEM;

	if (err == 0)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err == 0 ? 0 : refuse(err);
}

bool sandbox_is_available(void)
{
	const uint32_t action = SCMP_ACT_KILL_PROCESS;

	return !RUNNING_ON_VALGRIND && /* valgrind complains of the call */
	       syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool entered;

int sandbox_enter(void)
{
	int err = enter(SCMP_ACT_ERRNO(EPERM), true);

	if (err == 0)
		err = enter(SCMP_ACT_KILL_PROCESS, false);
	entered = err == 0;
	return err;
}

void sandbox_bare_thread(void *context)
{
	int err = privileges_none();

	(void)context;
	threads_join();
	if (err == 0 && entered && !SANDBOX_IS_WIDE)
		err = sandbox_enter_worker();
	if (err != 0)
		log_event(LOG_ERROR, "privileges", "a thread keeps more rights than it needs: %s",
			  strerror(errno));
}

int sandbox_enter_worker(void)
{
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);
	int err = filter ? add_names(filter, SCMP_ACT_ERRNO(EPERM), not_a_workers,
				     COUNT(not_a_workers))
			 : -ENOMEM;

	if (err == 0)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err == 0 ? 0 : refuse(err);
}
