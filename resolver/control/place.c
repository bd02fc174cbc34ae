/* The group first: from within the files of a unit its group cannot be changed any more. What makes
 * a difference is refused where it fails: the group, without which the manager would start another
 * server beside this one, and the files, of which the state is one. The rest is as good as can be.
 *
 * Not here: what a manager forbids by filters of system calls, which cannot be had from a process.
 * The program's own filters (sandbox.h) are narrower. */
#include "resolver/control/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

enum { TEXT_MAX = 8192 };

/* What the kernel says of a process, an empty text where it does not; 0: of this one. */
static void read_about(pid_t pid, const char *what, char text[TEXT_MAX])
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%ld/%s", (long)(pid ? pid : getpid()), what);
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, TEXT_MAX - 1, file) : 0;
	text[length] = '\0';
	if (file)
		fclose(file);
}

/* What is behind that word at a line's beginning, to the end of the text; NULL: there is none. */
static const char *line_of(const char *text, const char *word)
{
	for (; text && *text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, word, strlen(word)) == 0)
			return text + strlen(word);
	}
	return NULL;
}

/* ---- the parts ---- */

/* What the kernel tells afterwards is what counts. */
static bool enter_group(pid_t pid)
{
	char theirs[TEXT_MAX], ours[TEXT_MAX], path[TEXT_MAX + sizeof CGROUP_ROOT "/cgroup.procs"];
	read_about(pid, "cgroup", theirs);
	read_about(0, "cgroup", ours);
	const char *group = line_of(theirs, "0::");
	if (strcmp(theirs, ours) == 0)
		return true;
	if (!group) /* an older hierarchy, with a group for each controller */
		return false;
	snprintf(path, sizeof path, CGROUP_ROOT "%.*s/cgroup.procs", (int)strcspn(group, "\n"),
		 group);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, "0", 1) == 1;
	if (fd >= 0)
		close(fd);
	read_about(0, "cgroup", ours);
	return written && strcmp(theirs, ours) == 0;
}

static bool is_file(int fd, const char *path)
{
	struct stat one, other;
	return fd >= 0 && fstat(fd, &one) == 0 && stat(path, &other) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* A user can have a namespace of his own, and in that a view of files that he has put together,
 * libraries and all: root does not follow him there. */
static bool is_trusted(int files)
{
	int users = ioctl(files, NS_GET_USERNS);
	bool ours = is_file(users, "/proc/self/ns/user");
	if (users >= 0)
		close(users);
	if (!ours)
		errno = EPERM;
	return ours;
}

/* What was opened by that process's number is its own, where it lives yet. */
static bool is_alive(int pidfd)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	errno = ESRCH;
	return poll(&end, 1, 0) == 0;
}

/* Relative paths lead where they led. */
static bool enter_view(int files)
{
	char at[PATH_MAX];
	bool known = getcwd(at, sizeof at) != NULL;
	return setns(files, CLONE_NEWNS) == 0 && ((known && chdir(at) == 0) || chdir("/") == 0);
}

static bool enter_files(pid_t pid, int pidfd)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%ld/ns/mnt", (long)pid);
	int files = open(path, O_RDONLY | O_CLOEXEC);
	if (files < 0) /* who may not look has no other files to enter */
		return true;
	bool entered = is_file(files, "/proc/self/ns/mnt") ||
		       (is_alive(pidfd) && is_trusted(files) && enter_view(files));
	int err = errno;
	close(files);
	errno = err;
	return entered;
}

static void take_limits(pid_t pid)
{
	char text[TEXT_MAX];
	unsigned mask;
	unsigned long soft, hard;
	read_about(pid, "status", text);
	const char *line = line_of(text, "Umask:");
	if (line && sscanf(line, "%o", &mask) == 1)
		umask(mask);
	read_about(pid, "limits", text);
	line = line_of(text, "Max open files");
	if (line && sscanf(line, "%lu %lu", &soft, &hard) == 2) {
		int err = setrlimit(RLIMIT_NOFILE, &(struct rlimit){soft, hard});
		(void)err; /* there are fewer sources then */
	}
}

int place_enter(pid_t pid, int pidfd, char *error, size_t size)
{
	take_limits(pid);
	errno = 0;
	if (!enter_group(pid))
		snprintf(error, size,
			 "the control group of the running server, from which alone its service "
			 "manager takes a new main process, cannot be entered%s%s; be root, or "
			 "restart it instead",
			 errno ? ": " : "", errno ? strerror(errno) : "");
	else if (!enter_files(pid, pidfd))
		snprintf(
			error, size,
			"the files of the running server cannot be entered: %s; restart it instead",
			strerror(errno));
	else
		return 0;
	return ERR_SYSTEM;
}
