/* The master is one loop over signals (by a signalfd) and servers' messages. A server has one of
 * three parts, and each part has at most one server:
 *
 *              start                SERVES: LEAVE to NOW            has ended
 *     nothing ───────► BESIDE ─────────────────────────► NOW ─┐
 *     nothing ─────────────────start─────────────────────► NOW ─┴─LEAVE─► OLD ─────────► nothing
 *                                     ▲                    │
 *                                     └─ ends by itself ───┘
 *
 * Until the new server says SERVES, the old one serves on, and is restarted if it ends.
 * After that there is no way back: the old server gets some time to finish, and the new one is told
 * STATE when the old one has closed the state, or is gone. Once the new server is the only one, the
 * master executes the new program in place of itself: same process, same children. It passes its
 * own data on as a table in a file without a name.
 *
 * Servers ask for sockets by name (master_wire.h). A server wants the sockets that it has asked
 * for; sockets that no server wants are closed.
 *
 * The master has no threads, DNS, configuration or state. A server may become hostile, so every
 * message is checked. Once a server has served, a master that is not root opens only unix sockets,
 * port 53, ports from 1024 on and names that it had open before. It starts only programs of root,
 * and the file it was started from, while that file's owner is the same; always with `--serve`, so
 * that an interpreter gets no script to run. No other file can take the place of the checked one:
 * the master's own file is executed by a descriptor, a program of root by a path that only root can
 * change. All servers run under the master's filter of system calls (sandbox.h). */
#include "resolver/control/process/master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "endpoints/inbound/listener.h"
#include "resolver/control/base/exit.h"
#include "resolver/control/http/http.h"
#include "resolver/control/http/unix_socket.h"
#include "resolver/control/process/master_wire.h"
#include "resolver/control/process/notify.h"
#include "resolver/control/process/privileges.h"
#include "resolver/control/process/sandbox.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "rules/text.h"

enum {
	STARTING_PERIODS = 4,       /* of the watchdog, for loading or reading the state */
	LEAVING_MAX_MS = 15 * 1000, /* to close the state; and again to answer pending queries */
#ifdef __SANITIZE_ADDRESS__         /* its search for leaks at the end may take long */
	STOPPING_MAX_MS = 30 * 1000,
#else
	STOPPING_MAX_MS = 10 * 1000,
#endif
	CRASH_MS = 1000, /* a server that ends this soon after its start has crashed */
	PAUSE_MAX_S = 5,
	OUTPUT_TEXT_MAX = 900,
	END_TEXT_MAX = 128,
	OUTPUT_MAX = 65536, /* a pipe's capacity */
};

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

enum part { NOW, BESIDE, OLD, PARTS };
static const char *const part_names[PARTS] = {"the server", "the new server", "the old server"};

struct child {
	pid_t pid; /* 0: no child */
	int fd;    /* the link to it; -1: it has hung up */
	bool serves;
	bool ended;       /* another process may have its pid */
	bool has_state;   /* it has the state open, or was told to open it */
	uint64_t mute_ms; /* it was killed after so long a silence; 0: not killed for silence */
	uint64_t started_ms;
	uint64_t heard_ms; /* its latest sign of life */
	uint64_t until_ms; /* when to kill it; 0: never */
};

struct opened { /* a listening socket, or several */
	enum master_kind kind;
	char *name;
	int *fds; /* NULL: closed, but may be opened again */
	unsigned count;
	bool wanted[PARTS];      /* by NOW, by BESIDE */
	struct unix_socket file; /* of MASTER_UNIX */
};

struct master {
	const char *config, *resolv_conf; /* for its servers */
	char home[PATH_MAX];              /* the path that the master was started from */
	uid_t owner;                      /* of the file at `home`, at the start */
	char program[PATH_MAX];           /* the program of new servers */
	char next[PATH_MAX];              /* the program of an upgrade */
	struct child parts[PARTS];
	struct opened *opened;
	size_t opened_count;
	unsigned workers; /* 0: not known yet */
	int signals;
	bool served;   /* a server has served */
	bool upgraded; /* new servers run another program than this process */
	bool follows;  /* executes that program once it has a single server */
	bool upgrade_wanted, reload_wanted;
	unsigned stopping; /* how often it was told to stop */
	int status;
	unsigned crashes;                  /* in a row */
	struct {                           /* nobody has served since a server ended: */
		uint64_t since_ms;         /* 0: somebody serves */
		unsigned failed;           /* further servers, which ended before serving */
		char end[END_TEXT_MAX];    /* how that server ended */
		char latest[END_TEXT_MAX]; /* how the latest failed one ended */
	} gap;
	uint64_t start_ms;                 /* when to start the next server; 0: not planned */
	uint64_t period_ms, turn_ms;       /* of the watchdog; turn_ms: its next check */
	int output;                        /* the new server's stderr; -1: none */
	char output_text[OUTPUT_TEXT_MAX]; /* the output's beginning, for the upgrade's caller */
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* `ms` 0: no deadline. Once the master is told to stop, the deadline of the stop stays. */
static void set_deadline(const struct master *master, struct child *child, uint64_t ms)
{
	if (!master->stopping)
		child->until_ms = ms == 0 ? 0 : now_ms() + ms;
}

static void send_signal(const struct child *child, int number)
{
	if (child->pid != 0 && !child->ended)
		kill(child->pid, number);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Closes the link of a server that does not serve yet, because a SERVES that waits there would make
 * the killed server NOW. */
static void kill_child(struct child *child)
{
	send_signal(child, SIGKILL);
	if (!child->serves)
		close_fd(&child->fd);
}

static void send_message(struct child *child, struct master_message *message, int fd)
{
	if (child->pid == 0 || child->fd < 0)
		return;
	if (master_send(child->fd, message, &fd, fd >= 0 ? 1 : 0) != 0)
		kill_child(child); /* its queue is full: it reads nothing */
}

static void say(struct child *child, enum master_word word, uint32_t number, const char *text,
		int fd)
{
	static struct master_message message;
	message = (struct master_message){.word = word, .number = number};
	snprintf(message.text, sizeof message.text, "%s", text ? text : "");
	send_message(child, &message, fd);
}

/* ---- listening sockets ---- */

static struct opened *find_opened(const struct master *master, enum master_kind kind,
				  const char *name)
{
	for (size_t i = 0; i < master->opened_count; i++)
		if (master->opened[i].kind == kind && strcmp(master->opened[i].name, name) == 0)
			return &master->opened[i];
	return NULL;
}

static int parse_host(struct host *host, enum master_kind kind, const char *name)
{
	if (kind == MASTER_UNIX)
		return ERR_INVALID;
	return kind == MASTER_DNS ? host_parse(host, name, 53) : http_url_host(name, host);
}

/* Whether the master opens the socket at any time, even for a hostile server. */
static bool is_harmless(enum master_kind kind, const char *name)
{
	struct host host;
	if (kind == MASTER_UNIX) /* the user could make the socket itself */
		return true;
	return parse_host(&host, kind, name) == 0 && (host.port == 53 || host.port >= 1024);
}

/* Closes the sockets. Removes the entry, and moves the last one into its place, unless the right to
 * open the name again depends on the entry (may_open). */
static void close_opened(struct master *master, struct opened *opened)
{
	if (opened->kind == MASTER_UNIX && opened->fds)
		unix_socket_remove(&opened->file);
	for (; opened->fds && opened->count > 0; opened->count--)
		close(opened->fds[opened->count - 1]);
	free(opened->fds);
	opened->fds = NULL;
	if (!is_harmless(opened->kind, opened->name))
		return;
	free(opened->name);
	*opened = master->opened[--master->opened_count];
}

static void close_unwanted(struct master *master)
{
	for (size_t i = master->opened_count; i-- > 0;)
		if (!master->opened[i].wanted[NOW] && !master->opened[i].wanted[BESIDE])
			close_opened(master, &master->opened[i]);
}

static struct opened *add_opened(struct master *master, enum master_kind kind, const char *name)
{
	struct opened *all =
		realloc(master->opened, (master->opened_count + 1) * sizeof *master->opened);
	char *copy = strdup(name);
	if (all)
		master->opened = all;
	if (!all || !copy) {
		free(copy);
		return NULL;
	}
	struct opened *opened = &all[master->opened_count++];
	*opened = (struct opened){.kind = kind, .name = copy};
	return opened;
}

/* Whether a name that was never open may be opened. The kernel cannot decide this: a master that is
 * not root may have the right to bind any port. */
static bool may_open(const struct master *master, const struct master_message *message)
{
	return !master->served || geteuid() == 0 || is_harmless(message->kind, message->text);
}

static unsigned count_descriptors(const struct master_message *message)
{
	return message->kind == MASTER_DNS ? 3 * message->number : 1;
}

/* The reserve lets the master start another server when a hostile one asks for many sockets. */
static bool has_descriptors(const struct master *master, const struct master_message *message)
{
	enum { RESERVE = 32 };
	struct rlimit limit = {0};
	rlim_t used = RESERVE + count_descriptors(message);
	for (size_t i = 0; i < master->opened_count; i++)
		used += master->opened[i].count;
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && used <= limit.rlim_cur;
}

/* Opens the socket as the server's user, who then owns its file. */
static int open_unix(struct opened *opened, const struct master_message *message, char *error)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	bool other = uid == 0 && message->uid != 0;
	int err = other && (setegid(message->gid) != 0 || seteuid(message->uid) != 0)
			  ? ERR_SYSTEM
			  : unix_socket_open(&opened->file, opened->name, opened->fds, error);
	if (other && (seteuid(uid) != 0 || setegid(gid) != 0))
		abort();
	return err;
}

/* Whether a socket of the same kind that the master has open is in the way, as when https replaces
 * http, or 0.0.0.0 replaces 127.0.0.1. */
static bool is_beside_ours(const struct master *master, enum master_kind kind,
			   const struct host *host)
{
	struct host other;
	for (size_t i = 0; i < master->opened_count; i++) {
		const struct opened *at = &master->opened[i];
		if (at->kind == kind && at->count > 0 && parse_host(&other, kind, at->name) == 0 &&
		    (host_overlaps(host, &other) || host_equal(host, &other)))
			return true;
	}
	return false;
}

/* Makes the server's user own the sockets: only sockets of one user can share a port, and the
 * master may be root only at its start. */
static int give_to_user(const struct opened *opened, const struct master_message *message,
			char *error)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < count_descriptors(message); i++)
		err = fchown(opened->fds[i], message->uid, message->gid);
	if (err == 0)
		return 0;
	snprintf(error, MASTER_TEXT_MAX, "%.256s: the sockets cannot be given to user %u: %s",
		 opened->name, (unsigned)message->uid, strerror(errno));
	for (unsigned i = 0; i < count_descriptors(message); i++)
		close(opened->fds[i]);
	return ERR_SYSTEM;
}

static int open_host(const struct master *master, const struct opened *opened,
		     const struct master_message *message, char *error)
{
	struct host host;
	if (parse_host(&host, opened->kind, opened->name) != 0)
		return ERR_INVALID;
	bool beside_ours = is_beside_ours(master, opened->kind, &host);
	int err = opened->kind == MASTER_HTTP
			  ? http_open(opened->name, beside_ours, opened->fds, error)
			  : listener_open_sockets(&host, message->number, beside_ours,
						  (struct listener_sockets *)opened->fds, error);
	return err == 0 && message->uid != 0 && geteuid() == 0
		       ? give_to_user(opened, message, error)
		       : err;
}

/* Returns 0, or `error` (MASTER_TEXT_MAX) says why not. */
static int open_sockets(struct master *master, struct opened *opened,
			const struct master_message *message, char *error)
{
	unsigned count = count_descriptors(message);
	opened->fds = calloc(count, sizeof *opened->fds);
	snprintf(error, MASTER_TEXT_MAX, "%s", err_text(ERR_NOMEM));
	int err = opened->fds ? 0 : ERR_NOMEM;
	if (err == 0 && opened->kind == MASTER_UNIX)
		err = open_unix(opened, message, error);
	else if (err == 0)
		err = open_host(master, opened, message, error);
	if (err == 0) {
		opened->count = count;
		master->workers = opened->kind == MASTER_DNS ? message->number : master->workers;
		return 0;
	}
	free(opened->fds);
	opened->fds = NULL;
	return err;
}

/* A server that leaves shuts its sockets down, so they no longer listen for any process. */
static void listen_again(const struct opened *opened)
{
	enum { BACKLOG = 1024 };
	for (unsigned i = 0; i < opened->count; i++)
		if (opened->kind == MASTER_HTTP || (opened->kind == MASTER_DNS && i % 3 == 2))
			(void)listen(opened->fds[i], BACKLOG);
}

static struct opened *open_named(struct master *master, const struct master_message *message,
				 char *error)
{
	struct opened *opened = find_opened(master, message->kind, message->text);
	if (opened && opened->kind == MASTER_UNIX && !unix_socket_is_there(&opened->file)) {
		close_opened(master, opened); /* its file is gone: no client can reach it */
		opened = NULL;
	}
	if (opened && opened->fds) {
		listen_again(opened);
		return opened;
	}
	if (!has_descriptors(master, message)) {
		close_unwanted(master); /* sockets that only an ended server wanted */
		opened = find_opened(master, message->kind, message->text);
	}
	if (!has_descriptors(master, message)) {
		snprintf(error, MASTER_TEXT_MAX,
			 "%.256s: too many open files; raise the limit (LimitNOFILE, ulimit -n)",
			 message->text);
		return NULL;
	}
	if (!opened && !may_open(master, message)) {
		snprintf(error, MASTER_TEXT_MAX,
			 "%.256s: below port 1024 only 53 is opened after the start; restart "
			 "instead",
			 message->text);
		return NULL;
	}
	snprintf(error, MASTER_TEXT_MAX, "%s", err_text(ERR_NOMEM));
	if (!opened)
		opened = add_opened(master, message->kind, message->text);
	if (!opened || open_sockets(master, opened, message, error) == 0)
		return opened;
	close_opened(master, opened);
	return NULL;
}

static bool is_sane(const struct master *master, const struct master_message *message)
{
	enum { WORKERS_MAX = 1024, NAME_MAX_BYTES = 256 };
	struct host host;
	if (message->kind != MASTER_DNS)
		return message->kind <= MASTER_UNIX && strlen(message->text) <= NAME_MAX_BYTES;
	return host_parse(&host, message->text, 53) == 0 && message->number > 0 &&
	       message->number <= WORKERS_MAX &&
	       (master->workers == 0 || master->workers == message->number);
}

static void answer_open(struct master *master, enum part part, const struct master_message *message)
{
	static struct master_message answer;
	char error[MASTER_TEXT_MAX] = "what is asked for cannot be understood";
	struct child *child = &master->parts[part];
	struct opened *opened =
		part != OLD && is_sane(master, message) ? open_named(master, message, error) : NULL;
	if (!opened) {
		say(child, MASTER_FAULT, master_name_mark(message->text),
		    part == OLD ? "another server serves" : error, -1);
		return;
	}
	opened->wanted[part] = true;
	for (unsigned sent = 0; sent < opened->count;) {
		unsigned left = opened->count - sent;
		unsigned count = left < MASTER_FDS_MAX ? left : MASTER_FDS_MAX;
		answer = (struct master_message){.word = MASTER_SOCKETS};
		snprintf(answer.text, sizeof answer.text, "%s", opened->name);
		if (master_send(child->fd, &answer, opened->fds + sent, count) != 0) {
			kill_child(child);
			return;
		}
		sent += count;
	}
}

static void answer_close(struct master *master, enum part part,
			 const struct master_message *message)
{
	struct opened *opened = find_opened(master, message->kind, message->text);
	if (!opened || part == OLD)
		return;
	opened->wanted[part] = false;
	if (!opened->wanted[NOW] && !opened->wanted[BESIDE])
		close_opened(master, opened);
}

/* ---- starting ---- */

static const char itself[] = "/proc/self/exe";

/* Finds this program's path. If the file is gone or replaced, the kernel says "PATH (deleted)", but
 * still has the program at /proc/self/exe. */
static void find_program(char path[PATH_MAX])
{
	ssize_t length = readlink(itself, path, PATH_MAX - 1);
	path[length > 0 ? length : 0] = '\0';
	if (access(path, X_OK) != 0)
		snprintf(path, PATH_MAX, "%s", itself);
}

/* Whether only root can have put the file there, and only root can replace it. */
static bool is_root_s(const char *path)
{
	const mode_t others = S_IWGRP | S_IWOTH;
	struct stat st;
	char part[PATH_MAX];
	snprintf(part, sizeof part, "%s", path);
	for (char *end = part + strlen(part); end > part; end = strrchr(part, '/')) {
		*end = '\0';
		if (stat(part, &st) != 0 || st.st_uid != 0 ||
		    (st.st_mode & others && !(S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX)))
			return false;
	}
	return true;
}

/* Opens this program itself, or the file it was started from if its owner is still the same.
 * Somebody else may own the folders and put another file there at any time, so the file is executed
 * by this descriptor, not by its path. -1: neither. */
static int open_home(const struct master *master, const char *path)
{
	struct stat st;
	bool is_self = strcmp(path, itself) == 0;
	int fd = is_self || strcmp(path, master->home) == 0 ? open(path, O_PATH | O_CLOEXEC) : -1;
	if (fd < 0 || is_self || (fstat(fd, &st) == 0 && st.st_uid == master->owner))
		return fd;
	close(fd);
	return -1;
}

/* A hostile server could name any program, or a script of its own. */
static bool is_trusted(const struct master *master, const char *path)
{
	int fd = open_home(master, path);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || is_root_s(path);
}

/* Returns only on failure, with errno. The descriptor is closed on execution, so a script put in
 * the program's place fails. A program of root is executed by its path, which nobody else can
 * change; it may be a script. */
static void execute(const struct master *master, const char *path, char *const arguments[])
{
	int fd = open_home(master, path);
	if (fd >= 0) {
		syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH);
		int error = errno;
		close(fd);
		errno = error;
	} else if (is_root_s(path)) {
		execv(path, arguments);
	} else {
		errno = EPERM;
	}
}

/* Runs in the child. Signals stay blocked until the server handles them; only the master hears
 * ^C. */
static void become_server(const struct master *master, const char *program, bool beside, int fd,
			  int output, pid_t parent)
{
	char number[16], period[32];
	char *const arguments[] = {(char *)program,
				   "--serve",
				   "-c",
				   (char *)master->config,
				   "--resolv-conf",
				   (char *)master->resolv_conf,
				   "--master",
				   number,
				   beside ? "--beside" : NULL,
				   NULL};
	snprintf(number, sizeof number, "%d", fd);
	snprintf(period, sizeof period, "%llu", (unsigned long long)master->period_ms * 1000);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", period, 1);
	signal(SIGINT, SIG_IGN);
	if (output >= 0 && dup2(output, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
		_exit(EXIT_FAILURE);
	if (fcntl(fd, F_SETFD, 0) == 0)
		execute(master, program, arguments);
	exit_fail("%s cannot be started: %s", program, strerror(errno));
	_exit(EXIT_FAILURE);
}

static void clear_wanted(struct master *master, enum part part)
{
	for (size_t i = 0; i < master->opened_count; i++)
		master->opened[i].wanted[part] = false;
}

/* A server that is started again during an upgrade is told to refuse reloads: the new server has
 * read the files already, so a later reload would be lost when the new server takes over. */
static void say_start(struct master *master, enum part part)
{
	static struct master_message message;
	bool upgrading = part == NOW && master->parts[BESIDE].pid != 0;
	message = (struct master_message){.word = MASTER_START,
					  .kind = upgrading ? MASTER_UPGRADING : MASTER_ALONE,
					  .number = master->workers};
	send_message(&master->parts[part], &message, -1);
}

/* Returns 0, or ERR_SYSTEM with errno. */
static int start(struct master *master, enum part part, const char *program)
{
	struct child *child = &master->parts[part];
	const int none = 0;
	int pair[2], output[2] = {-1, -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return ERR_SYSTEM;
	/* Closing a socket that a hostile server has sent could take a minute; only Linux 6.16 and
	 * later can refuse descriptors. */
	int err = setsockopt(pair[0], SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof none);
	(void)err;
	pid_t parent = getpid(), pid = -1;
	if (part == NOW ||
	    (pipe2(output, O_CLOEXEC) == 0 && fcntl(output[0], F_SETFL, O_NONBLOCK) == 0))
		pid = fork();
	if (pid == 0)
		become_server(master, program, part == BESIDE, pair[1], output[1], parent);
	int error = errno;
	close_fd(&pair[1]);
	close_fd(&output[1]);
	if (pid < 0) {
		close_fd(&pair[0]);
		close_fd(&output[0]);
		errno = error;
		return ERR_SYSTEM;
	}
	clear_wanted(master, part);
	uint64_t now = now_ms();
	*child = (struct child){.pid = pid,
				.fd = pair[0],
				.has_state = part == NOW,
				.started_ms = now,
				.heard_ms = now,
				.until_ms = now + STARTING_PERIODS * master->period_ms};
	if (part == BESIDE) {
		close_fd(&master->output); /* of the previous server; another process may still
					      hold the other end */
		master->output = output[0];
		master->output_text[0] = '\0';
	}
	say_start(master, part);
	return 0;
}

/* ---- stderr of the new server ---- */

/* Passes the output to the log, and keeps its beginning for the upgrade's caller. One read at a
 * time, so that endless output does not block the loop. */
static void read_output(struct master *master)
{
	char text[OUTPUT_MAX];
	size_t used = strlen(master->output_text), room = sizeof master->output_text - used - 1;
	ssize_t length = read(master->output, text, sizeof text);
	if (length == 0)
		close_fd(&master->output);
	if (length <= 0)
		return;
	size_t copied = (size_t)length < room ? (size_t)length : room;
	log_pass_on(text, (size_t)length);
	memcpy(master->output_text + used, text, copied);
	master->output_text[used + copied] = '\0';
}

/* ---- upgrade ---- */

static void note_home(struct master *master)
{
	struct stat st;
	snprintf(master->home, sizeof master->home, "%s", master->program);
	master->owner = stat(itself, &st) == 0 ? st.st_uid : 0;
}

static void begin_upgrade(struct master *master, const char *program)
{
	const char *why = NULL;
	char path[PATH_MAX];
	if (master->parts[OLD].pid != 0) { /* the previous upgrade's server has not ended yet */
		snprintf(master->next, sizeof master->next, "%s", program);
		master->upgrade_wanted = true;
		return;
	}
	master->upgrade_wanted = false;
	if (master->parts[BESIDE].pid != 0)
		why = "another upgrade is under way; wait until it is done";
	else if (!realpath(program, path))
		why = strerror(errno);
	else if (!is_trusted(master, path))
		why = "it is not the file that this one was started from, so it and every "
		      "directory above it have to belong to root, with nobody else allowed to "
		      "write there";
	else if (start(master, BESIDE, path) != 0)
		why = strerror(errno);
	if (why)
		say(&master->parts[NOW], MASTER_REFUSED, 0, why, -1);
	else
		memcpy(master->next, path, sizeof path);
}

static void refuse_upgrade(struct master *master, const char *how)
{
	char text[OUTPUT_TEXT_MAX + 128];
	if (master->output >= 0)
		read_output(master);
	close_fd(&master->output);
	snprintf(text, sizeof text, "%s%snothing is taken over: the new process %s",
		 master->output_text,
		 *master->output_text &&
				 master->output_text[strlen(master->output_text) - 1] != '\n'
			 ? "\n"
			 : "",
		 how);
	say(&master->parts[NOW], MASTER_REFUSED, 0, text, -1);
	clear_wanted(master, BESIDE);
	/* A server that was started again in the meantime has read the latest files. */
	master->reload_wanted = false;
	if (master->parts[NOW].serves) /* else NOW may still ask for its sockets */
		close_unwanted(master);
}

/* Gives the state, HTTP and the log to the serving server, unless it has them. A master that stops
 * gives them to nobody: opening the state may take longer than a stop. */
static void give_state(struct master *master)
{
	struct child *child = &master->parts[NOW];
	if (master->stopping || !child->serves || child->has_state)
		return;
	child->has_state = true;
	say(child, MASTER_STATE, 0, NULL, STDERR_FILENO);
	if (master->reload_wanted)
		send_signal(child, SIGHUP);
	master->reload_wanted = false;
}

static void change_places(struct master *master)
{
	struct child *parts = master->parts;
	say(&parts[NOW], MASTER_LEAVE, (uint32_t)parts[BESIDE].pid, NULL, -1);
	parts[OLD] = parts[NOW];
	if (parts[OLD].pid != 0) /* it may have crashed, and not be started again yet */
		set_deadline(master, &parts[OLD], LEAVING_MAX_MS);
	parts[NOW] = parts[BESIDE];
	parts[BESIDE] = (struct child){.fd = -1};
	for (size_t i = 0; i < master->opened_count; i++)
		master->opened[i].wanted[NOW] = master->opened[i].wanted[BESIDE];
	clear_wanted(master, BESIDE);
	snprintf(master->program, sizeof master->program, "%s", master->next);
	master->upgraded = master->follows = true;
	master->start_ms = 0;
	if (parts[OLD].pid == 0)
		give_state(master);
}

/* The new server reads queries now, so the old one can finish. */
static void drain_old(struct master *master)
{
	if (master->parts[OLD].pid == 0)
		return;
	set_deadline(master, &master->parts[OLD], LEAVING_MAX_MS);
	say(&master->parts[OLD], MASTER_DRAIN, (uint32_t)master->parts[NOW].pid, NULL, -1);
}

/* ---- serving ---- */

/* Becomes the server's user, and keeps only the right to bind ports below 1024. */
static void drop(const struct master_message *message)
{
	if (geteuid() != 0 || message->uid == 0)
		return;
	if (privileges_keep_binding(message->uid, message->gid, message->groups,
				    message->group_count) != 0) {
		log_event(LOG_ERROR, "master", "cannot become uid %u: %s; ends",
			  (unsigned)message->uid, strerror(errno));
		exit(EXIT_FAILURE); /* the servers end with the master */
	}
}

/* Tells the new server how the previous one ended: operators read a server's events and status, but
 * not the master's log. */
static void tell_gap(struct master *master)
{
	char text[3 * END_TEXT_MAX];
	if (master->gap.since_ms == 0)
		return;
	int used = snprintf(text, sizeof text, "%s", master->gap.end);
	if (master->gap.failed > 0)
		snprintf(text + used, sizeof text - (size_t)used,
			 ", and %u other%s after it did not come to serve: the last one %s",
			 master->gap.failed, text_plural(master->gap.failed, "", "s"),
			 master->gap.latest);
	uint64_t ms = now_ms() - master->gap.since_ms;
	say(&master->parts[NOW], MASTER_GAP, ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX, text, -1);
	master->gap.since_ms = 0;
}

static void note_gap(struct master *master, const struct child *ended, const char *end)
{
	if (master->gap.since_ms != 0) {
		master->gap.failed++;
		snprintf(master->gap.latest, END_TEXT_MAX, "%s", end);
		return;
	}
	master->gap.since_ms = now_ms();
	master->gap.failed = 0;
	snprintf(master->gap.end, END_TEXT_MAX, "%s", end);
	if (ended->mute_ms > 0)
		snprintf(master->gap.end, END_TEXT_MAX,
			 "%s: it was killed after it had hung for %llu ms", end,
			 (unsigned long long)ended->mute_ms);
}

static void on_serves(struct master *master, enum part part, const struct master_message *message)
{
	struct child *child = &master->parts[part];
	if (part == OLD || child->serves)
		return;
	child->serves = true;
	child->heard_ms = now_ms();
	set_deadline(master, child, 0);
	drop(message);
	if (part == BESIDE)
		change_places(master);
	else
		drain_old(master); /* a server restarted after STATE says no TAKEN */
	close_unwanted(master);
	master->served = true;
	notify_ready(message->text);
	tell_gap(master);
}

/* Migrating a very large state may take long: each sign of life extends the deadline of a server
 * that does not serve yet. */
static void on_alive(struct master *master, enum part part)
{
	struct child *child = &master->parts[part];

	child->heard_ms = now_ms();
	if (child->serves || part == OLD)
		return;
	set_deadline(master, child, STARTING_PERIODS * master->period_ms);
	if (!master->served)
		notify_starting(STARTING_PERIODS * master->period_ms);
}

static void on_message(struct master *master, enum part part, const struct master_message *message)
{
	struct child *child = &master->parts[part];
	switch (message->word) {
	case MASTER_OPEN: answer_open(master, part, message); break;
	case MASTER_CLOSE: answer_close(master, part, message); break;
	case MASTER_SERVES: on_serves(master, part, message); break;
	case MASTER_ALIVE: on_alive(master, part); break;
	case MASTER_TELL:
		if (part != NOW || master->stopping)
			break;
		if (message->kind == MASTER_RELOADING)
			notify_reloading();
		else
			notify_ready(message->text);
		break;
	case MASTER_UPGRADE:
		if (part == NOW && child->serves && !master->stopping)
			begin_upgrade(master, message->text);
		break;
	case MASTER_QUIET:
		if (part != OLD || master->parts[NOW].has_state)
			break;
		set_deadline(master, child, STARTING_PERIODS * master->period_ms);
		give_state(master);
		break;
	case MASTER_TAKEN:
		if (part == NOW)
			drain_old(master);
		break;
	default: kill_child(child);
	}
}

/* Reads one message; false if there was none. Kills a server that sends garbage or closes the link;
 * if it closed the link by exiting, it keeps its exit status. */
static bool read_message(struct master *master, enum part part)
{
	static struct master_message message;
	struct child *child = &master->parts[part];
	struct master_fds fds;
	int err = master_receive(child->fd, &message, &fds);
	if (err == ERR_NOT_FOUND)
		return false;
	if (err == 0) {
		master_fds_close(&fds);
		on_message(master, part, &message);
		return true;
	}
	send_signal(child, SIGKILL);
	close_fd(&child->fd);
	return false;
}

/* ---- the table ---- */

/* One line for the master, one for the server, and one for each name, which ends with a NUL, so
 * that no name can begin another line. */
static int write_table(const struct master *master)
{
	int fd = memfd_create("sluice-master", 0), copy = fd < 0 ? -1 : dup(fd);
	FILE *out = copy < 0 ? NULL : fdopen(copy, "w");
	if (!out) {
		close_fd(&copy);
		close_fd(&fd);
		return -1;
	}
	const struct child *now = &master->parts[NOW];
	fprintf(out, "%d %u %d\n", MASTER_PROTOCOL, master->workers, master->output);
	fprintf(out, "%d %d %d\n", (int)now->pid, now->fd, (int)now->serves);
	for (size_t i = 0; i < master->opened_count; i++) {
		const struct opened *opened = &master->opened[i];
		fprintf(out, "%u %u", (unsigned)opened->kind, opened->count);
		for (unsigned j = 0; j < opened->count; j++)
			fprintf(out, " %d", opened->fds[j]);
		fprintf(out, " %s%c", opened->name, '\0');
	}
	bool whole = fclose(out) == 0 && lseek(fd, 0, SEEK_SET) == 0;
	if (whole)
		return fd;
	close(fd);
	return -1;
}

/* Sets whether an executed program inherits the descriptors. False: not for all of them. */
static bool set_inherited(const struct master *master, bool inherited)
{
	int flags = inherited ? 0 : FD_CLOEXEC;
	bool all = fcntl(master->parts[NOW].fd, F_SETFD, flags) == 0;

	if (master->output >= 0)
		all = fcntl(master->output, F_SETFD, flags) == 0 && all;
	for (size_t i = 0; i < master->opened_count; i++)
		for (unsigned j = 0; j < master->opened[i].count; j++)
			all = fcntl(master->opened[i].fds[j], F_SETFD, flags) == 0 && all;
	return all;
}

/* On failure this program goes on. */
static void execute_itself(struct master *master)
{
	int table = write_table(master), error;
	char number[16];
	char *const arguments[] = {master->program,
				   "--run",
				   "-c",
				   (char *)master->config,
				   "--resolv-conf",
				   (char *)master->resolv_conf,
				   "--master",
				   number,
				   NULL};
	if (table >= 0) {
		snprintf(number, sizeof number, "%d", table);
		log_rest(LOG_REST_MS); /* lines that still wait would be lost with this program */
		if (set_inherited(master, true))
			execute(master, master->program, arguments);
	}
	error = errno;
	log_event(LOG_WARNING, "master", "goes on as the program before: %s", strerror(error));
	if (table >= 0 && !set_inherited(master, false))
		log_event(LOG_ERROR, "master", "servers may inherit sockets: %s", strerror(errno));
	close_fd(&table);
}

/* Executes the new program after an upgrade, once the serving server is the only one, because the
 * table has room for no other. That is at once if the old server has crashed, or later if another
 * upgrade is tried in between. */
static void follow_upgrade(struct master *master)
{
	const struct child *parts = master->parts;

	if (!master->follows || master->stopping || parts[NOW].fd < 0 || !parts[NOW].serves ||
	    !parts[NOW].has_state || parts[OLD].pid != 0 || parts[BESIDE].pid != 0)
		return;
	master->follows = false;
	execute_itself(master);
}

static bool read_opened(struct master *master, FILE *in)
{
	unsigned kind, count;
	char *name = NULL;
	size_t size = 0;
	if (fscanf(in, "%u %u", &kind, &count) != 2)
		return false;
	int *fds = count > 0 ? calloc(count, sizeof *fds) : NULL;
	bool whole = count == 0 || fds;
	for (unsigned i = 0; whole && i < count; i++)
		whole = fscanf(in, "%d", &fds[i]) == 1;
	whole = whole && fgetc(in) == ' ' && getdelim(&name, &size, '\0', in) > 0;
	struct opened *opened = whole ? add_opened(master, kind, name) : NULL;
	free(name);
	if (!opened) {
		free(fds);
		return false;
	}
	opened->fds = fds;
	opened->count = count;
	opened->wanted[NOW] = true;
	if (kind == MASTER_UNIX && fds && unix_socket_adopt(&opened->file, opened->name) != 0)
		memset(&opened->file, 0, sizeof opened->file);
	return true;
}

/* Restores the master's data after it has executed a new program. */
static bool read_table(struct master *master, int fd)
{
	int version = 0, pid, serves;
	struct child *now = &master->parts[NOW];
	FILE *in = fdopen(fd, "r");
	if (!in || fscanf(in, "%d %u %d", &version, &master->workers, &master->output) != 3 ||
	    version != MASTER_PROTOCOL || fscanf(in, "%d %d %d", &pid, &now->fd, &serves) != 3)
		return false;
	while (read_opened(master, in))
		;
	if (!feof(in)) /* no memory: an unknown socket would stay open */
		return false;
	fclose(in);
	now->pid = pid;
	now->serves = serves;
	now->has_state = true;
	now->heard_ms = now_ms();
	if (!serves)
		set_deadline(master, now, STARTING_PERIODS * master->period_ms);
	master->served = true;
	set_inherited(master, false);
	log_event(LOG_INFO, "master", "goes on as sluice %s", SLUICE_VERSION);
	return true;
}

/* ---- ends of servers ---- */

static void start_again(struct master *master)
{
	master->start_ms = 0;
	/* After an upgrade starts the new program, else this one. If the new program is gone, any
	 * program is better than none. */
	if (!master->upgraded || access(master->program, X_OK) != 0)
		find_program(master->program);
	if (!is_trusted(master, master->program)) /* somebody has replaced the file */
		snprintf(master->program, sizeof master->program, "%s", itself);
	if (start(master, NOW, master->program) == 0)
		return;
	log_event(LOG_ERROR, "master", "no server can be started: %s", strerror(errno));
	master->start_ms = now_ms() + PAUSE_MAX_S * 1000;
}

/* Plans the next start: at once after each of the first crashes in a row, and after a pause that
 * grows from the fifth on. A server that serves and lives for CRASH_MS ends the row. A server that
 * never served counts as crashed, however long it tried. */
static void plan_start(struct master *master, const struct child *ended, const char *end)
{
	static const unsigned pauses_s[] = {0, 0, 0, 0, 0, 1, 2, 4, PAUSE_MAX_S};
	uint64_t now = now_ms();
	if (ended->serves && now - ended->started_ms >= CRASH_MS)
		master->crashes = 0;
	else if (master->crashes < COUNT(pauses_s) - 1)
		master->crashes++;
	unsigned pause_s = pauses_s[master->crashes];
	notify_ended();
	if (pause_s == 0) {
		log_event(LOG_ERROR, "master", "the server %s; started again", end);
		start_again(master);
	} else {
		log_event(LOG_ERROR, "master",
			  "the server %s, as others before it; started again in %u s", end,
			  pause_s);
		master->start_ms = now + pause_s * 1000;
	}
}

static void on_end_of_now(struct master *master, const struct child *ended, int status,
			  const char *end)
{
	bool by_signal = WIFSIGNALED(status);
	if (master->stopping || !master->served) {
		bool had_not_begun = master->stopping && !ended->serves;
		master->status = !by_signal      ? WEXITSTATUS(status)
				 : had_not_begun ? EXIT_SUCCESS
						 : EXIT_FAILURE;
		if (by_signal && !had_not_begun)
			log_event(LOG_ERROR, "master", "the server %s", end);
	} else {
		note_gap(master, ended, end);
		plan_start(master, ended, end);
	}
}

static void on_end(struct master *master, enum part part, int status)
{
	char end[64];
	struct child *child = &master->parts[part];
	const struct child ended = *child;
	snprintf(end, sizeof end,
		 WIFSIGNALED(status) ? "ended by signal %d" : "ended with status %d",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	close_fd(&child->fd);
	*child = (struct child){.fd = -1};
	if (part == NOW) {
		/* OLD must be gone, because the next server opens the state to write at once. While
		 * the master stops there is no next one, and OLD answers its queries. */
		if (!ended.has_state && !master->stopping)
			send_signal(&master->parts[OLD], SIGKILL);
		master->upgrade_wanted = false; /* its client was connected to this server */
		on_end_of_now(master, &ended, status, end);
	}
	if (part == BESIDE)
		refuse_upgrade(master, master->stopping ? "ends, the server is told to stop" : end);
	if (part != OLD)
		return;
	if (!(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		log_event(LOG_WARNING, "master", "the old server %s", end);
	give_state(master);
	if (master->upgrade_wanted && !master->stopping)
		begin_upgrade(master, master->next);
}

static enum part find_part(const struct master *master, pid_t pid)
{
	enum part part = 0;
	while (part < PARTS && master->parts[part].pid != pid)
		part++;
	return part;
}

/* Reads the child's last messages first, which may give it another part. */
static void bury(struct master *master, pid_t pid, int status)
{
	enum part part = find_part(master, pid);
	if (part < PARTS)
		master->parts[part].ended = true;
	while (part < PARTS && master->parts[part].fd >= 0 && read_message(master, part))
		part = find_part(master, pid);
	if (part < PARTS) /* else an orphan, adopted because the master is a container's pid 1 */
		on_end(master, part, status);
}

static void reap(struct master *master)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bury(master, pid, status);
}

/* ---- signals ---- */

static void on_stop(struct master *master)
{
	struct child *parts = master->parts;
	for (enum part part = 0; part < PARTS; part++)
		set_deadline(master, &parts[part], STOPPING_MAX_MS);
	if (master->stopping++ == 0) {
		notify_stopping();
		master->start_ms = 0;
	}
	kill_child(&parts[BESIDE]);
	send_signal(&parts[OLD], SIGTERM);
	/* A starting server handles SIGTERM later, so a second stop kills it. */
	if (master->stopping > 1 && !parts[NOW].serves)
		kill_child(&parts[NOW]);
	else
		send_signal(&parts[NOW], SIGTERM);
	/* HURRY is sent once: a server that is ending reads no messages, and send_message kills a
	 * server whose link is full. */
	if (master->stopping == 2) {
		say(&parts[NOW], MASTER_HURRY, 0, NULL, -1);
		say(&parts[OLD], MASTER_HURRY, 0, NULL, -1);
	}
}

static void on_signal(struct master *master)
{
	struct signalfd_siginfo signal;
	while (read(master->signals, &signal, sizeof signal) == sizeof signal) {
		struct child *now = &master->parts[NOW];
		if (signal.ssi_signo == SIGCHLD) {
			reap(master);
		} else if (signal.ssi_signo == SIGHUP) {
			/* A starting server may have read the files before they changed. */
			master->reload_wanted = master->parts[BESIDE].pid != 0 || !now->has_state;
			if (now->has_state)
				send_signal(now, SIGHUP);
		} else {
			on_stop(master);
		}
	}
}

/* ---- time ---- */

static void kill_late(struct master *master, uint64_t now)
{
	for (enum part part = 0; part < PARTS; part++) {
		struct child *child = &master->parts[part];
		if (child->pid == 0 || child->until_ms == 0 || now < child->until_ms)
			continue;
		child->until_ms = 0;
		log_event(LOG_ERROR, "master", "%s takes too long; killed", part_names[part]);
		kill_child(child);
	}
}

/* Kills a silent server. If the master itself was suspended it could not hear the server, so the
 * period begins anew. */
static void look_after(struct master *master, uint64_t now)
{
	struct child *child = &master->parts[NOW];
	uint64_t turn = master->period_ms / WATCHDOG_TURNS + 1;
	if (now < master->turn_ms)
		return;
	if (now > master->turn_ms + turn)
		child->heard_ms = now;
	master->turn_ms = now + turn;
	if (notify_watchdog_us() != 0)
		notify_alive();
	if (child->pid == 0 || !child->serves || master->stopping ||
	    now - child->heard_ms <= master->period_ms)
		return;
	child->mute_ms = now - child->heard_ms;
	log_event(LOG_ERROR, "master", "the server says nothing for %llu ms; killed",
		  (unsigned long long)child->mute_ms);
	child->heard_ms = now;
	send_signal(child, SIGKILL);
}

static int time_left(const struct master *master, uint64_t now)
{
	uint64_t next = master->turn_ms;
	for (enum part part = 0; part < PARTS; part++) {
		uint64_t until = master->parts[part].until_ms;
		if (until != 0 && until < next)
			next = until;
	}
	if (master->start_ms != 0 && master->start_ms < next)
		next = master->start_ms;
	return next <= now ? 0 : (int)(next - now) + 1;
}

/* ---- the loop ---- */

static int watch_signals(struct master *master)
{
	sigset_t heard;
	sigemptyset(&heard);
	sigaddset(&heard, SIGCHLD);
	sigaddset(&heard, SIGHUP);
	sigaddset(&heard, SIGTERM);
	sigaddset(&heard, SIGINT);
	signal(SIGCHLD, SIG_DFL); /* if the parent ignored it, children's ends would be hidden */
	sigprocmask(SIG_SETMASK, &heard, NULL);
	master->signals = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
	return master->signals < 0 ? ERR_SYSTEM : 0;
}

static bool is_over(const struct master *master)
{
	for (enum part part = 0; part < PARTS; part++)
		if (master->parts[part].pid != 0)
			return false;
	return master->stopping || !master->served;
}

static void turn(struct master *master)
{
	/* While the master's log lines wait, it reads none of the new server's. */
	bool log_waits = !log_go_on();
	struct pollfd ready[PARTS + 3];
	for (enum part part = 0; part < PARTS; part++)
		ready[part] =
			(struct pollfd){.fd = master->parts[part].pid ? master->parts[part].fd : -1,
					.events = POLLIN};
	ready[PARTS] = (struct pollfd){.fd = log_waits ? -1 : master->output, .events = POLLIN};
	ready[PARTS + 1] = (struct pollfd){.fd = master->signals, .events = POLLIN};
	ready[PARTS + 2] = (struct pollfd){.fd = log_waits ? STDERR_FILENO : -1, .events = POLLOUT};
	if (poll(ready, PARTS + 3, time_left(master, now_ms())) < 0)
		return;
	if (ready[PARTS].revents && master->output >= 0)
		read_output(master);
	if (ready[NOW].revents)
		read_message(master, NOW);
	if (ready[OLD].revents)
		read_message(master, OLD);
	if (ready[BESIDE].revents) /* last, because SERVES changes the parts */
		read_message(master, BESIDE);
	if (ready[PARTS + 1].revents)
		on_signal(master);
	uint64_t now = now_ms();
	if (master->start_ms != 0 && now >= master->start_ms)
		start_again(master);
	kill_late(master, now);
	look_after(master, now);
	follow_upgrade(master);
}

int master_run(const char *config, const char *resolv_conf, int table)
{
	static struct master master;
	master = (struct master){.config = config, .resolv_conf = resolv_conf, .output = -1};
	for (enum part part = 0; part < PARTS; part++)
		master.parts[part].fd = -1;
	uint64_t period_us = notify_watchdog_us();
	master.period_ms = (period_us ? period_us : WATCHDOG_PERIOD_US) / 1000;
	master.turn_ms = now_ms() + master.period_ms / WATCHDOG_TURNS;
	find_program(master.program);
	note_home(&master);
	/* A filter survives execve, so only the first program sets it: with one more for each
	 * upgrade, the kernel's limit on their instructions would be reached. */
	if (privileges_begin() != 0 ||
	    (table < 0 && sandbox_is_available() && sandbox_enter_master() != 0))
		return exit_fail("the rights of what it starts cannot be limited: %s",
				 strerror(errno));
	if (watch_signals(&master) != 0)
		return exit_fail("signals cannot be watched: %s", strerror(errno));
	if (table >= 0 && !read_table(&master, table))
		return exit_fail(
			"what this master noted before it executed this program cannot be read");
	if (table < 0 && start(&master, NOW, master.program) != 0) {
		close(master.signals);
		return exit_fail("no server can be started: %s", strerror(errno));
	}
	reap(&master);
	while (!is_over(&master))
		turn(&master);
	clear_wanted(&master, NOW);
	close_unwanted(&master);
	return master.status;
}
