/* Questions with a time limit each, but for the last. Nothing here moves anything: descriptors are
 * copies, and a process that ends half way takes only its copies with it.
 *
 * The conversation is on an abstract socket of this process, which the running server connects to.
 * Anybody on this machine could, and as often as he likes: the one whose process number the control
 * socket told is meant, and the time for it to come is a whole.
 *
 * That nothing can be sent, or that nothing comes, says little of the running server: what it said
 * last may still be there to be read, and whether it has ended the kernel knows (pidfd_open(2)).
 * Where it has, after it has given everything, nobody is left to wait for, and this process serves.
 */
#include "resolver/control/take_over.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "resolver/control/client.h"
#include "resolver/control/json.h"
#include "resolver/control/place.h"
#include "rules/prefix.h"

enum {
	PATIENCE_S = 30,
	ADOPTION_MS = 1000,     /* for who has started this process to end; an older one does not */
	LEAVING_MS = 15 * 1000, /* from hanging up to its end there is little to do for it */
	ITEMS_MAX = 65536,
};

static int say(char error[TAKE_OVER_ERROR_MAX], const char *text)
{
	snprintf(error, TAKE_OVER_ERROR_MAX, "%s", text);
	return ERR_SYSTEM;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- beginning ---- */

/* Listens at a name of the kernel's choice, which goes to `name`. */
static int listen_somewhere(char name[sizeof((struct sockaddr_un *)NULL)->sun_path])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&address, sizeof address.sun_family) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
	    listen(fd, SOMAXCONN) == 0) {
		size_t used = length - offsetof(struct sockaddr_un, sun_path) - 1;
		memcpy(name, address.sun_path + 1, used);
		name[used] = '\0';
		return fd;
	}
	close(fd);
	return -1;
}

/* The running server's process number; 0: it refuses, and `error` has its words. */
static pid_t ask_server(const char *socket, const char *name, char error[TAKE_OVER_ERROR_MAX])
{
	char cause[CLIENT_ERROR_MAX];
	unsigned status = 0;
	struct client_call call = {
		.method = "POST",
		.path = "/v1/upgrade",
		.body = json_make("{s:i, s:s}", "protocol", UPGRADE_PROTOCOL, "socket", name)};
	json_t *answer = client_call(socket, call, &status, cause);
	json_int_t pid = json_integer_value(json_object_get(answer, "pid"));
	const char *text = answer ? client_error_text(answer) : cause;
	if (!answer || status >= 400)
		say(error, text ? text : "the running server cannot hand over; restart it instead");
	else if (pid <= 0)
		say(error, "the running server answers what cannot be understood");
	json_decref(answer);
	return status < 400 ? (pid_t)pid : 0;
}

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

int take_over_accept(int listening, pid_t pid, uid_t *uid, unsigned patience_ms)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	uint64_t now = now_ms(), until = now + patience_ms;
	struct ucred peer;
	socklen_t length = sizeof peer;
	for (; now < until; now = now_ms()) {
		struct pollfd come = {.fd = listening, .events = POLLIN};
		if (poll(&come, 1, (int)(until - now)) < 1)
			continue;
		int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
		    peer.pid == pid &&
		    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0) {
			*uid = peer.uid;
			return fd;
		}
		close_fd(&fd);
	}
	return -1;
}

static int meet(struct take_over *take_over, const char *socket, char error[TAKE_OVER_ERROR_MAX])
{
	char name[sizeof((struct sockaddr_un *)NULL)->sun_path];
	int listening = listen_somewhere(name);
	if (listening < 0)
		return say(error, strerror(errno));
	pid_t pid = take_over->pid = ask_server(socket, name, error);
	if (pid > 0) {
		take_over->fd =
			take_over_accept(listening, pid, &take_over->uid, PATIENCE_S * 1000);
		if (take_over->fd < 0)
			say(error, "the running server does not call back");
	}
	close(listening);
	snprintf(take_over->user, sizeof take_over->user, "%lu", (unsigned long)take_over->uid);
	if (take_over->fd < 0)
		return ERR_SYSTEM;
	/* It answers after this, and so this is no other process with its number. */
	take_over->server = (int)syscall(SYS_pidfd_open, pid, 0);
	if (take_over->server >= 0)
		return 0;
	snprintf(error, TAKE_OVER_ERROR_MAX, "the running server cannot be watched: %s",
		 strerror(errno));
	return ERR_SYSTEM;
}

/* ---- questions ---- */

/* The answer; NULL, and `error` says why. *silent: it is not a refusal, but nothing. */
static json_t *ask(struct take_over *take_over, json_t *question, struct upgrade_fds *fds,
		   bool *silent, char error[TAKE_OVER_ERROR_MAX])
{
	bool ended;
	int err = upgrade_send(take_over->fd, question, NULL);
	(void)err; /* why not, may be there to be read */
	json_t *answer = upgrade_receive(take_over->fd, fds, &ended);
	const char *refused = json_string_value(json_object_get(answer, "error"));
	*silent = !answer;
	if (answer && !refused)
		return answer;
	say(error, refused ? refused
		   : ended ? "the running server has hung up"
			   : "the running server answers nothing that can be understood");
	json_decref(answer);
	upgrade_fds_close(fds);
	return NULL;
}

static void set_or_unset(const char *variable, const json_t *text)
{
	if (json_is_string(text))
		setenv(variable, json_string_value(text), 1);
	else
		unsetenv(variable);
}

/* What only a service manager's own process would be told. */
static void inherit(const json_t *about)
{
	char number[24];
	json_int_t watchdog_us = json_integer_value(json_object_get(about, "watchdog_us"));
	set_or_unset("NOTIFY_SOCKET", json_object_get(about, "notify"));
	set_or_unset("JOURNAL_STREAM", json_object_get(about, "journal"));
	unsetenv("WATCHDOG_PID");
	snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, watchdog_us);
	setenv("WATCHDOG_USEC", number, 1);
}

static int ask_item(struct take_over *take_over, size_t i, char error[TAKE_OVER_ERROR_MAX])
{
	struct take_over_item *item = &take_over->items[i];
	bool silent;
	json_t *answer =
		ask(take_over, json_make("{s:s, s:I}", "want", "item", "item", (json_int_t)i),
		    &item->fds, &silent, error);
	if (!answer)
		return ERR_SYSTEM;
	const char *kind = json_string_value(json_object_get(answer, "kind"));
	const char *name = json_string_value(json_object_get(answer, "name"));
	item->worker = (unsigned)json_integer_value(json_object_get(answer, "worker"));
	item->kind = kind ? strdup(kind) : NULL;
	item->name = name ? strdup(name) : NULL;
	json_decref(answer);
	if (item->kind && item->name && item->fds.count == (strcmp(item->kind, "dns") ? 1 : 3))
		return 0;
	return say(error, "the running server hands over what is not understood");
}

int take_over_begin(struct take_over *take_over, const char *socket,
		    char error[TAKE_OVER_ERROR_MAX])
{
	struct upgrade_fds none;
	bool silent;
	take_over->fd = take_over->server = -1;
	take_over->starter = getppid();
	if (meet(take_over, socket, error) != 0)
		return ERR_SYSTEM;
	json_t *about = ask(take_over, json_make("{s:s}", "want", "items"), &none, &silent, error);
	if (!about)
		return ERR_SYSTEM;
	upgrade_fds_close(&none);
	json_int_t count = json_integer_value(json_object_get(about, "items"));
	take_over->workers = (unsigned)json_integer_value(json_object_get(about, "workers"));
	take_over->generation = (uint64_t)json_integer_value(json_object_get(about, "generation"));
	inherit(about);
	bool managed = json_is_string(json_object_get(about, "notify"));
	json_decref(about);
	if (managed &&
	    place_enter(take_over->pid, take_over->server, error, TAKE_OVER_ERROR_MAX) != 0)
		return ERR_SYSTEM;
	if (count < 1 || count > ITEMS_MAX || take_over->workers < 1)
		return say(error, "the running server hands over what is not understood");
	take_over->items = calloc((size_t)count, sizeof *take_over->items);
	if (!take_over->items)
		return say(error, err_text(ERR_NOMEM));
	take_over->count = (size_t)count;
	int err = 0;
	for (size_t i = 0; i < take_over->count && err == 0; i++)
		err = ask_item(take_over, i, error);
	return err;
}

/* ---- what was handed over ---- */

static struct take_over_item *find_item(struct take_over *take_over, const char *kind,
					const char *name, unsigned worker)
{
	for (size_t i = 0; i < take_over->count; i++) {
		struct take_over_item *item = &take_over->items[i];
		if (item->fds.count > 0 && strcmp(item->kind, kind) == 0 &&
		    strcmp(item->name, name) == 0 && item->worker == worker)
			return item;
	}
	return NULL;
}

/* The listener whose part this is; false: it is not one that can be used. */
static bool take_listener(struct take_over *take_over, struct server *server, const char *name,
			  char error[TAKE_OVER_ERROR_MAX])
{
	char why[LISTENER_ERROR_MAX] = "parts of it are missing";
	struct host host;
	bool fine = host_parse(&host, name, 53) == 0;
	struct listener_sockets *sockets = calloc(take_over->workers, sizeof *sockets);
	for (unsigned i = 0; i < take_over->workers; i++)
		fine = fine && find_item(take_over, "dns", name, i);
	for (unsigned i = 0; fine && sockets && i < take_over->workers; i++) {
		struct take_over_item *item = find_item(take_over, "dns", name, i);
		sockets[i] = (struct listener_sockets){item->fds.fds[0], item->fds.fds[1],
						       item->fds.fds[2]};
		item->fds.count = 0;
	}
	struct listener *listener =
		fine && sockets ? listener_adopt(&host, take_over->workers, sockets, why) : NULL;
	free(sockets);
	if (listener && server_take_listener(server, listener) == 0)
		return true;
	snprintf(error, TAKE_OVER_ERROR_MAX, "%s cannot be taken over: %s", name, why);
	return false;
}

int take_over_listeners(struct take_over *take_over, struct server *server,
			char error[TAKE_OVER_ERROR_MAX])
{
	for (size_t i = 0; i < take_over->count; i++) {
		const struct take_over_item *item = &take_over->items[i];
		if (item->fds.count > 0 && strcmp(item->kind, "dns") == 0 &&
		    !take_listener(take_over, server, item->name, error))
			return ERR_SYSTEM;
	}
	return 0;
}

/* Paths may be written in several ways. */
static bool is_same_file(const char *a, const char *b)
{
	struct stat one, other;
	return strcmp(a, b) == 0 || (stat(a, &one) == 0 && stat(b, &other) == 0 &&
				     one.st_dev == other.st_dev && one.st_ino == other.st_ino);
}

int take_over_http(struct take_over *take_over, const char *kind, const char *name)
{
	for (size_t i = 0; i < take_over->count; i++) {
		struct take_over_item *item = &take_over->items[i];
		if (item->fds.count == 0 || strcmp(item->kind, kind) != 0)
			continue;
		if (strcmp(kind, "control") == 0 ? is_same_file(item->name, name)
						 : strcmp(item->name, name) == 0) {
			item->fds.count = 0;
			return item->fds.fds[0];
		}
	}
	return -1;
}

/* ---- the end ---- */

/* Whether the running server ends, about which it says nothing any more. */
static bool server_ends(const struct take_over *take_over)
{
	struct pollfd end = {.fd = take_over->server, .events = POLLIN};
	int found;
	do
		found = poll(&end, 1, LEAVING_MS);
	while (found < 0 && errno == EINTR);
	return found == 1;
}

/* Goes to the next stage, if the running server agrees; or is ALONE, where it has ended. */
static int announce(struct take_over *take_over, enum take_over_stage next, json_t *question,
		    char error[TAKE_OVER_ERROR_MAX])
{
	struct upgrade_fds none;
	bool silent;
	if (take_over->stage == TAKE_OVER_ALONE) {
		json_decref(question);
		return 0;
	}
	json_t *answer = ask(take_over, question, &none, &silent, error);
	bool agreed = answer != NULL;
	upgrade_fds_close(&none);
	json_decref(answer);
	if (agreed)
		take_over->stage = next;
	else if (silent && server_ends(take_over))
		take_over->stage = TAKE_OVER_ALONE;
	else
		return ERR_SYSTEM;
	return 0;
}

int take_over_ready(struct take_over *take_over, bool has_socket, char error[TAKE_OVER_ERROR_MAX])
{
	return announce(take_over, TAKE_OVER_READY,
			json_make("{s:s, s:b}", "want", "ready", "socket", (int)has_socket), error);
}

/* False: nobody waits for a word any more. */
static bool tell(const struct take_over *take_over, char word)
{
	return take_over->told < 0 || write(take_over->told, &word, 1) == 1 || errno != EPIPE;
}

static void free_items(struct take_over *take_over)
{
	for (size_t i = 0; i < take_over->count; i++) {
		upgrade_fds_close(&take_over->items[i].fds);
		free(take_over->items[i].kind);
		free(take_over->items[i].name);
	}
	free(take_over->items);
	take_over->items = NULL;
	take_over->count = 0;
}

/* Until who has started this process has ended, so that a service manager is the parent of its new
 * main process. */
static void wait_for_adoption(const struct take_over *take_over)
{
	for (int i = 0; i < ADOPTION_MS && take_over->told >= 0; i++) {
		if (getppid() != take_over->starter)
			return;
		poll(NULL, 0, 1);
	}
}

int take_over_serving(struct take_over *take_over, char error[TAKE_OVER_ERROR_MAX])
{
	const struct timeval as_long_as_it_takes = {0};
	struct take_over_item *log = find_item(take_over, "log", "stderr", 0);
	if (!tell(take_over, TAKE_OVER_WORD_ASKS))
		return say(error, "nobody waits for this process any more");
	wait_for_adoption(take_over);
	if (setsockopt(take_over->fd, SOL_SOCKET, SO_RCVTIMEO, &as_long_as_it_takes,
		       sizeof as_long_as_it_takes) != 0)
		return say(error, strerror(errno));
	int err = announce(take_over, TAKE_OVER_SERVING, json_make("{s:s}", "want", "serving"),
			   error);
	if (err != 0)
		return err;
	tell(take_over, TAKE_OVER_WORD_SERVES);
	close_fd(&take_over->told);
	for (int fd = STDOUT_FILENO; log && fd <= STDERR_FILENO; fd++)
		(void)dup2(log->fds.fds[0], fd);
	free_items(take_over);
	return 0;
}

static void on_last_words(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	struct take_over *take_over = poll->data;
	struct upgrade_fds none;
	bool ended;
	json_t *message = upgrade_receive(take_over->fd, &none, &ended);
	upgrade_fds_close(&none);
	if (!message)
		uv_poll_stop(poll);
	else if (json_is_true(json_object_get(message, "reload")))
		take_over->on_reload(take_over->context);
	json_decref(message);
}

void take_over_follow(struct take_over *take_over, uv_loop_t *loop,
		      void (*on_reload)(void *context), void *context)
{
	if (uv_poll_init(loop, &take_over->poll, take_over->fd) != 0)
		return;
	take_over->poll.data = take_over;
	take_over->on_reload = on_reload;
	take_over->context = context;
	uv_poll_start(&take_over->poll, UV_READABLE, on_last_words);
}

void take_over_release(struct take_over *take_over)
{
	free_items(take_over);
	close_fd(&take_over->fd);
	close_fd(&take_over->server);
	close_fd(&take_over->told);
}
