/* A small state machine on the control thread's loop; every step is an answer to the successor.
 *
 *     ASKED ─ready─► CLOSING ─quiet─► READY ─serving─► DRAINING ─► the loop stops
 *       └───────────────┴───────────────┴── gone, too late, nonsense ──► ENDING ─► NONE
 *
 * The state has one writer at any time: from READY on nobody asks this process for a change, its
 * serials are not written, and the successor is asked for none before it serves. Both may have it
 * open. In the same way the control socket's file is the successor's from READY on, or ours again.
 *
 * A signal to reload is for who serves when it is over: this process, when it has given up, or the
 * successor, to whom it is passed on. A signal to stop gives the upgrade up before READY. From then
 * on this process reads nothing more, and what comes waits for the successor: where that one goes
 * away before it serves, whoever waits is told that it is over.
 *
 * Draining: workers read nothing more, answer what they hold, and end TCP connections once they are
 * quiet for a second, or after a second with what was read answered. What they do not read, the
 * successor does: the sockets are the same, and of a connection that was ended the client asks
 * again.
 *
 * Not here: starting the successor, which is `sluice upgrade`'s; this process may not. */
#include "resolver/control/upgrade.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "resolver/control/control.h"
#include "resolver/control/http_handover.h"
#include "resolver/control/json.h"
#include "resolver/control/notify.h"
#include "resolver/control/upgrade_wire.h"
#include "resolver/log.h"

enum {
	STEP_MAX_MS = 120 * 1000,   /* the successor's next message: loading takes a while */
	CLOSING_MAX_MS = 10 * 1000, /* for requests that are with the control thread */
	LOOK_MS = 10,
	RESUME_MS = 1000, /* between two tries to listen again */
	DRAIN_MAX_MS = 10 * 1000,
};

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

bool upgrade_is_under_way(const struct upgrade *upgrade)
{
	return upgrade->stage != UPGRADE_NONE && upgrade->stage != UPGRADE_ENDING;
}

/* ---- giving up ---- */

static void on_closed(uv_handle_t *handle)
{
	struct upgrade *upgrade = handle->data;
	if (--upgrade->open_handles == 0)
		upgrade->stage = UPGRADE_NONE;
}

/* Listeners start again when nothing hangs on them; what cannot be started is tried on. */
static void on_resuming(uv_timer_t *timer)
{
	struct upgrade *upgrade = timer->data;
	struct control *control = upgrade->control;
	if (!http_is_quiet(control->http))
		return;
	if (!http_resume(control->http)) {
		uv_timer_start(timer, on_resuming, RESUME_MS, RESUME_MS);
		return;
	}
	uv_close((uv_handle_t *)timer, on_closed);
	control_catch_up(control);
}

/* What became the successor's when this process was READY. */
static void take_back(struct control *control)
{
	serial_book_take_back(&control->serials);
	http_give_socket(control->http, false);
	if (control->leaving_until_ms > 0) /* clients were the successor's, too */
		control_leave(control);
}

/* The successor is told, so that it ends, whatever it was about to say; where it has ended nobody
 * hears it. */
static void give_up(struct upgrade *upgrade, const char *why)
{
	struct control *control = upgrade->control;
	enum upgrade_stage stage = upgrade->stage;
	int err = upgrade_send(upgrade->fd, json_make("{s:s}", "error", why), NULL);
	(void)err;
	log_event(LOG_WARNING, "upgrade", "given up%s: %s",
		  control->leaving_until_ms > 0 ? "" : ", goes on as before", why);
	upgrade->stage = UPGRADE_ENDING;
	uv_close((uv_handle_t *)&upgrade->poll, on_closed);
	upgrade_release(upgrade);
	if (stage == UPGRADE_READY)
		take_back(control);
	if (stage == UPGRADE_ASKED) {
		uv_close((uv_handle_t *)&upgrade->timer, on_closed);
		control_catch_up(control);
	} else {
		uv_timer_start(&upgrade->timer, on_resuming, 0, LOOK_MS);
	}
}

bool upgrade_stop(struct upgrade *upgrade)
{
	if (upgrade->stage == UPGRADE_ASKED || upgrade->stage == UPGRADE_CLOSING)
		give_up(upgrade, "the server is told to stop");
	return upgrade_is_under_way(upgrade);
}

static void on_too_late(uv_timer_t *timer)
{
	give_up(timer->data, "the new process took too long");
}

static void answer(struct upgrade *upgrade, json_t *message, const struct upgrade_fds *fds)
{
	if (upgrade_send(upgrade->fd, message, fds) != 0)
		give_up(upgrade, "the new process does not take what it is given");
	else
		uv_timer_start(&upgrade->timer, on_too_late, STEP_MAX_MS, 0);
}

/* ---- what there is ---- */

static json_int_t item_count(const struct control *control)
{
	const struct server *server = &control->server;
	return (json_int_t)server->current->binding_count * server->worker_count +
	       (json_int_t)http_listener_count(control->http) + 1;
}

static void answer_items(struct upgrade *upgrade)
{
	const struct control *control = upgrade->control;
	answer(upgrade,
	       json_make("{s:I, s:I, s:I, s:o, s:o, s:I}", "items", item_count(control), "workers",
			 (json_int_t)control->server.worker_count, "generation",
			 (json_int_t)control->server.generation, "notify",
			 json_text(getenv("NOTIFY_SOCKET")), "journal",
			 json_text(getenv("JOURNAL_STREAM")), "watchdog_us",
			 (json_int_t)notify_watchdog_us()),
	       NULL);
}

static void answer_dns(struct upgrade *upgrade, json_int_t number)
{
	char text[HOST_TEXT_MAX];
	const struct server *server = &upgrade->control->server;
	const struct snapshot_binding *binding =
		&server->current->bindings[number / server->worker_count];
	unsigned worker = (unsigned)(number % server->worker_count);
	const struct listener_share *share = &binding->listener->shares[worker];
	struct upgrade_fds fds = {{share->udp, share->twin, share->tcp}, 3};
	answer(upgrade,
	       json_make("{s:s, s:s, s:I}", "kind", "dns", "name", host_print(&binding->host, text),
			 "worker", (json_int_t)worker),
	       &fds);
}

static void answer_http(struct upgrade *upgrade, size_t number)
{
	const struct http *http = upgrade->control->http;
	struct upgrade_fds fds = {.count = 1};
	if (number == http_listener_count(http)) {
		fds.fds[0] = STDERR_FILENO;
		answer(upgrade, json_make("{s:s, s:s}", "kind", "log", "name", "stderr"), &fds);
		return;
	}
	enum http_origin origin;
	const char *name = http_listener_at(http, number, &origin, &fds.fds[0]);
	answer(upgrade,
	       json_make("{s:s, s:o}", "kind", origin == HTTP_UNIX ? "control" : "http", "name",
			 json_text(name)),
	       &fds);
}

static void answer_item(struct upgrade *upgrade, const json_t *message)
{
	const struct control *control = upgrade->control;
	json_int_t number = json_integer_value(json_object_get(message, "item"));
	json_int_t dns =
		(json_int_t)control->server.current->binding_count * control->server.worker_count;
	if (number < 0 || number >= item_count(control))
		give_up(upgrade, "there is no such item");
	else if (number < dns)
		answer_dns(upgrade, number);
	else
		answer_http(upgrade, (size_t)(number - dns));
}

/* ---- ready, and serving ---- */

static void on_closing(uv_timer_t *timer)
{
	struct upgrade *upgrade = timer->data;
	struct control *control = upgrade->control;
	if (!http_is_quiet(control->http)) {
		if (now_ms() >= upgrade->until_ms)
			give_up(upgrade, "requests of the management API do not come to an end");
		return;
	}
	upgrade->stage = UPGRADE_READY;
	serial_book_hand_over(&control->serials);
	http_give_socket(control->http, upgrade->keeps_socket);
	answer(upgrade, json_make("{}"), NULL);
}

static void begin_closing(struct upgrade *upgrade, const json_t *message)
{
	upgrade->keeps_socket = json_is_true(json_object_get(message, "socket"));
	upgrade->stage = UPGRADE_CLOSING;
	upgrade->until_ms = now_ms() + CLOSING_MAX_MS;
	http_pause(upgrade->control->http);
	uv_timer_start(&upgrade->timer, on_closing, 0, LOOK_MS);
}

static void on_draining(uv_timer_t *timer)
{
	struct upgrade *upgrade = timer->data;
	struct control *control = upgrade->control;
	if (!server_is_drained(&control->server) && now_ms() < upgrade->until_ms)
		return;
	log_event(LOG_INFO, "upgrade", "all is answered; leaves");
	uv_stop(&control->loop);
}

void upgrade_pass_reload(struct upgrade *upgrade)
{
	if (upgrade_send(upgrade->fd, json_make("{s:b}", "reload", 1), NULL) == 0)
		log_event(LOG_INFO, "upgrade", "passes on to process %ld that it is to reload",
			  (long)upgrade->successor);
	else
		log_event(LOG_WARNING, "upgrade", "process %ld serves, and is the one to reload",
			  (long)upgrade->successor);
}

/* The manager is told first, and then the successor that it may speak to it: this process says
 * nothing more to it. */
static void begin_draining(struct upgrade *upgrade)
{
	struct control *control = upgrade->control;
	upgrade->stage = UPGRADE_DRAINING;
	log_event(LOG_INFO, "upgrade", "process %ld serves; finishes what is under way",
		  (long)upgrade->successor);
	inventory_hand_over(control->inventory);
	notify_main_process(upgrade->successor);
	watchdog_stop(&control->watchdog);
	health_log_stop(&control->health);
	int err = upgrade_send(upgrade->fd, json_make("{}"), NULL);
	(void)err; /* whom it does not reach sees this process end */
	control_catch_up(control);
	uv_poll_stop(&upgrade->poll);
	server_drain(&control->server);
	upgrade->until_ms = now_ms() + DRAIN_MAX_MS;
	uv_timer_start(&upgrade->timer, on_draining, LOOK_MS, LOOK_MS);
}

/* ---- the conversation ---- */

static void on_message(struct upgrade *upgrade, const json_t *message)
{
	const char *want = json_string_value(json_object_get(message, "want"));
	enum upgrade_stage stage = upgrade->stage;
	if (want && strcmp(want, "items") == 0 && stage == UPGRADE_ASKED)
		answer_items(upgrade);
	else if (want && strcmp(want, "item") == 0 && stage == UPGRADE_ASKED)
		answer_item(upgrade, message);
	else if (want && strcmp(want, "ready") == 0 && stage == UPGRADE_ASKED)
		begin_closing(upgrade, message);
	else if (want && strcmp(want, "serving") == 0 && stage == UPGRADE_READY)
		begin_draining(upgrade);
	else
		give_up(upgrade, "the new process asks what is not its turn");
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	struct upgrade *upgrade = poll->data;
	struct upgrade_fds fds;
	bool ended;
	json_t *message = upgrade_receive(upgrade->fd, &fds, &ended);
	upgrade_fds_close(&fds);
	if (message)
		on_message(upgrade, message);
	else
		give_up(upgrade, ended ? "the new process has ended"
				       : "the new process says what cannot be understood");
	json_decref(message);
}

/* ---- beginning ---- */

/* Only who could stop this process, too, may take its place. */
static bool is_allowed(int fd, pid_t *pid)
{
	struct ucred peer;
	socklen_t length = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
		return false;
	*pid = peer.pid;
	return peer.uid == 0 || peer.uid == geteuid();
}

static int connect_to(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(name);
	if (length == 0 || length >= sizeof address.sun_path) {
		errno = EINVAL;
		return -1;
	}
	memcpy(address.sun_path + 1, name, length);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, size) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int watch(struct upgrade *upgrade, struct control *control)
{
	int err = uv_poll_init(&control->loop, &upgrade->poll, upgrade->fd);
	if (err != 0)
		return err;
	uv_timer_init(&control->loop, &upgrade->timer);
	upgrade->open_handles = 2;
	upgrade->poll.data = upgrade->timer.data = upgrade;
	upgrade->control = control;
	upgrade->stage = UPGRADE_ASKED;
	uv_poll_start(&upgrade->poll, UV_READABLE, on_readable);
	return uv_timer_start(&upgrade->timer, on_too_late, STEP_MAX_MS, 0);
}

int upgrade_begin(struct control *control, const char *name, char error[UPGRADE_ERROR_MAX])
{
	struct upgrade *upgrade = &control->upgrade;
	if (upgrade->stage != UPGRADE_NONE) {
		snprintf(error, UPGRADE_ERROR_MAX,
			 "another upgrade is under way; wait until it is done");
		return ERR_EXISTS;
	}
	if (control->leaving_until_ms > 0) {
		snprintf(error, UPGRADE_ERROR_MAX, "the server is about to end");
		return ERR_EXISTS;
	}
	int fd = connect_to(name);
	if (fd < 0) {
		snprintf(error, UPGRADE_ERROR_MAX, "the new process cannot be reached: %s",
			 strerror(errno));
		return ERR_SYSTEM;
	}
	upgrade->fd = fd;
	bool allowed = is_allowed(fd, &upgrade->successor);
	int err = allowed ? watch(upgrade, control) : 0;
	if (allowed && err == 0) {
		log_event(LOG_INFO, "upgrade", "process %ld asks to take over",
			  (long)upgrade->successor);
		return 0;
	}
	snprintf(error, UPGRADE_ERROR_MAX, "%s%s",
		 allowed ? "the new process cannot be listened to: "
			 : "the new process is neither root nor this server's own user",
		 allowed ? uv_strerror(err) : "");
	upgrade_release(upgrade);
	return ERR_SYSTEM;
}

void upgrade_release(struct upgrade *upgrade)
{
	if (upgrade->fd > 0)
		close(upgrade->fd);
	upgrade->fd = 0;
}
