/* Everything that changes what is served comes together here and takes the one path, server_apply:
 *
 *     SIGHUP ───────────┐
 *     POST /v1/reload ──┴─► control_reload ─► load_model ─┐
 *     resolv.conf ───────────────► load_resolv_conf ──────┴─► server_apply
 *     management API ────────────► change_commit ───────────► server_serve_owned
 *
 * It starts in an order that leaves it, and whatever thread comes after, with as few rights as do:
 *
 *     load ─► become another user ─► open listeners ─► capabilities, seccomp ─► state, API, workers
 *
 * Loading may take a while; the workers go on answering meanwhile, because they share nothing with
 * this thread but what is published. What can be asked of it is in api_routes.c. */
#include "resolver/control/control.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "resolver/control/command.h"
#include "resolver/control/control_api.h"
#include "resolver/control/http_handover.h"
#include "resolver/control/notify.h"
#include "resolver/control/privileges.h"
#include "resolver/control/report.h"
#include "resolver/control/sandbox.h"
#include "resolver/control/signals.h"
#include "resolver/log.h"
#include "rules/text.h"

enum {
	WORKERS_MAX = 256,
	NICENESS = 5,
	STAND_BACK_MS = 10 * 1000,
	LEAVE_MS = 2000,
	LEAVE_LOOK_MS = 5,
	SETTLE_MAX_MS = 2000,
};

static unsigned workers_wanted(const struct model *model)
{
	cpu_set_t cpus;
	if (model->workers > 0)
		return model->workers;
	if (sched_getaffinity(0, sizeof cpus, &cpus) != 0)
		return 1;
	unsigned count = (unsigned)CPU_COUNT(&cpus);
	return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : count;
}

/* ---- changes ---- */

/* What tells others of a change comes when it is answered by. */
static void on_settled(struct control *control)
{
	uv_timer_stop(&control->unsettled);
	api_let_go(&control->api);
	zone_notify_look(control->notify);
}

static void on_unsettled(uv_timer_t *timer)
{
	on_settled(timer->data);
}

/* Serves the model, and says in one line what came of it. */
static int apply(struct control *control, struct model *model, struct faults *faults,
		 char text[CONTROL_TEXT_MAX])
{
	char numbers[REPORT_TEXT_MAX];
	struct server *server = &control->server;
	int err = server_apply(server, model, faults);
	if (err == 0) {
		uv_timer_start(&control->unsettled, on_unsettled, SETTLE_MAX_MS, 0);
		snprintf(text, CONTROL_TEXT_MAX,
			 "generation %llu, %s, %u listener%s added, %u removed",
			 (unsigned long long)server->generation,
			 report_numbers_text(model, numbers), server->listeners_added,
			 server->listeners_added == 1 ? "" : "s", server->listeners_removed);
	}
	return err;
}

/* The same for a model from the file, whose addresses are merged with those of the state. */
static int apply_file(struct control *control, struct model *model, struct faults *faults,
		      char text[CONTROL_TEXT_MAX])
{
	int err = inventory_reload(control->inventory, model, &model->owned, faults);
	if (err != 0)
		return err;
	err = apply(control, model, faults, text);
	if (err == 0)
		inventory_adopt(control->inventory);
	else
		inventory_abandon(control->inventory);
	if (err == 0)
		control_access_use_state(control);
	return err;
}

/* What a reload cannot change is told, and left as it is. */
static void warn_of_restart(const struct control *control, const struct model *model,
			    struct faults *faults)
{
	if (!text_equal(model->user, control->user) || !text_equal(model->group, control->group))
		fault_add(faults, FAULT_WARNING, &model->user_origin, NULL,
			  "another user or group takes a restart");
	if (model->seccomp != control->seccomp)
		fault_add(faults, FAULT_WARNING, &model->origin, "seccomp",
			  "to turn seccomp on or off takes a restart");
	if (workers_wanted(model) != control->server.worker_count)
		fault_add(faults, FAULT_WARNING, &model->workers_origin, NULL,
			  "another number of workers takes a restart; still %u",
			  control->server.worker_count);
	control_api_warn(control, &model->management, faults);
}

/* Serves the model and lets its clients in, or neither. */
static int replace(struct control *control, struct model *model, struct faults *faults,
		   char text[CONTROL_TEXT_MAX])
{
	struct control_access access;
	if (control_access_load(&access, &model->management, faults) != 0)
		return ERR_FAULTS;
	int err = apply_file(control, model, faults, text);
	if (err == 0)
		control_access_serve(&access, control);
	control_access_release(&access);
	return err;
}

int control_reload(struct control *control, struct faults *faults, char text[CONTROL_TEXT_MAX])
{
	bool leaves = control->leaving_until_ms > 0; /* the manager has been told */
	if (!leaves)
		notify_reloading();
	int err = ERR_FAULTS;
	const char *why = leaves ? "the server is about to end"
			  : upgrade_is_under_way(&control->upgrade)
				  ? "an upgrade is under way; reload once it is done"
				  : NULL;
	struct model *model =
		why ? NULL : load_model(&control->load, control->server.model, faults);
	if (why)
		fault_add(faults, FAULT_ERROR, &control->server.model->origin, NULL, "%s", why);
	if (model) {
		warn_of_restart(control, model, faults);
		err = replace(control, model, faults, text);
		if (err == 0)
			log_configure(model->log.level, model->log.format);
		else
			model_free(model);
	}
	faults_sort(faults);
	if (err == 0) {
		log_event(LOG_INFO, "reload", "reloaded: %s", text);
		notify_ready(text);
	} else {
		char count[REPORT_TEXT_MAX], refused[CONTROL_TEXT_MAX];
		snprintf(refused, sizeof refused, "refused, still serving generation %llu: %s",
			 (unsigned long long)control->server.generation,
			 report_faults_text(faults, count));
		log_event(LOG_ERROR, "reload", "%s", refused);
		if (!leaves)
			notify_ready(refused);
	}
	log_faults("reload", faults);
	return err;
}

static void reload(struct control *control)
{
	char text[CONTROL_TEXT_MAX];
	struct faults faults;
	control->reload_wanted = false;
	faults_init(&faults);
	int err = control_reload(control, &faults, text);
	(void)err; /* has been logged */
	faults_release(&faults);
}

void control_catch_up(struct control *control)
{
	if (!control->reload_wanted || control->work.busy)
		return;
	if (control->upgrade.stage == UPGRADE_DRAINING) { /* another process serves */
		control->reload_wanted = false;
		upgrade_pass_reload(&control->upgrade);
	} else if (!upgrade_is_under_way(&control->upgrade)) {
		reload(control);
	}
}

static void want_reload(void *context)
{
	struct control *control = context;
	control->reload_wanted = true;
	control_catch_up(control);
}

static void on_hangup(uv_signal_t *signal, int number)
{
	(void)number;
	want_reload(signal->data);
}

static void on_work_end(void *context)
{
	control_catch_up(context);
}

static void on_resolv_conf(void *context)
{
	struct control *control = context;
	char text[CONTROL_TEXT_MAX];
	struct load_targets before;
	struct faults faults;
	if (!control->load.follows || control->upgrade.stage == UPGRADE_DRAINING ||
	    control->leaving_until_ms > 0)
		return;
	faults_init(&faults);
	int err = load_resolv_conf(&control->load, control->server.model, &before, &faults);
	if (err == 0) {
		err = apply(control, control->server.model, &faults, text);
		if (err == 0)
			log_event(LOG_INFO, "resolv_conf", "%s has changed: %s",
				  control->load.resolv_conf, text);
		else
			load_restore(&control->load, control->server.model, &before);
	} else if (err != ERR_EXISTS) {
		log_event(LOG_ERROR, "resolv_conf",
			  "%s has changed and cannot be used; the default resolver stays as it is",
			  control->load.resolv_conf);
	}
	log_faults("resolv_conf", &faults);
	faults_release(&faults);
}

/* ---- starting and stopping ---- */

static void on_leaving(uv_timer_t *timer)
{
	struct control *control = timer->data;
	bool drained = server_is_drained(&control->server);
	if (!drained && uv_now(timer->loop) < control->leaving_until_ms)
		return;
	if (!drained)
		log_event(LOG_INFO, "stop", "not all is answered by now; ends");
	uv_timer_stop(timer);
	uv_stop(timer->loop);
}

void control_leave(struct control *control)
{
	notify_stopping();
	server_leave(&control->server);
}

/* What is under way is finished, but for what waits for a target that is as good as dead: that is
 * told, and holds up the end no longer. The service does not stop with a process that has a
 * successor: what comes is that one's. Told again, it ends at once. */
static void on_stop(uv_signal_t *signal, int number)
{
	struct control *control = signal->data;
	log_event(LOG_INFO, "stop", "stopping on %s", number == SIGINT ? "SIGINT" : "SIGTERM");
	if (control->leaving_until_ms > 0) {
		uv_timer_stop(&control->leaving);
		uv_stop(signal->loop);
		return;
	}
	control->leaving_until_ms = uv_now(signal->loop) + LEAVE_MS;
	if (upgrade_stop(&control->upgrade))
		server_drain(&control->server);
	else
		control_leave(control);
	uv_timer_start(&control->leaving, on_leaving, LEAVE_LOOK_MS, LEAVE_LOOK_MS);
}

static void on_wake(uv_async_t *wake)
{
	struct control *control = wake->data;
	server_collect(&control->server);
	if (!server_is_settled(&control->server))
		return;
	on_settled(control);
	if (inventory_settle(control->inventory))
		uv_async_send(wake);
}

static void on_release(void *context) /* on a worker's thread */
{
	struct control *control = context;
	uv_async_send(&control->wake);
}

static void close_open(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void close_loop(struct control *control)
{
	control_api_close(control);
	if (control->resolv_conf.on_change) /* it is watched */
		file_watch_close(&control->resolv_conf);
	upgrade_release(&control->upgrade);
	uv_walk(&control->loop, close_open, NULL);
	uv_run(&control->loop, UV_RUN_DEFAULT);
	int err = uv_loop_close(&control->loop);
	assert(err == 0);
	(void)err;
}

static int watch_signal(struct control *control, uv_signal_t *signal, uv_signal_cb callback,
			int number)
{
	int err = uv_signal_init(&control->loop, signal);
	signal->data = control;
	return err == 0 ? uv_signal_start(signal, callback, number) : err;
}

/* Whether there are descriptors left for libuv's first loop, which aborts without those of the pipe
 * that it makes for signals. */
static int probe_descriptors(void)
{
	enum { NEEDED = 6 };
	int fds[NEEDED], count = 0, err = 0;
	while (count < NEEDED && err == 0) {
		fds[count] = eventfd(0, EFD_CLOEXEC);
		if (fds[count] >= 0)
			count++;
		else
			err = uv_translate_sys_error(errno);
	}
	while (count > 0)
		close(fds[--count]);
	return err;
}

/* The loop and its handles, which fail for lack of memory or descriptors. COMMAND_FINE, or it is
 * closed again. */
static int open_loop(struct control *control)
{
	int err = probe_descriptors();
	if (err == 0)
		err = uv_loop_init(&control->loop);
	if (err != 0)
		return command_fail("the event loop cannot be opened: %s", uv_strerror(err));
	err = uv_async_init(&control->loop, &control->wake, on_wake);
	control->wake.data = control;
	uv_timer_init(&control->loop, &control->leaving);
	uv_timer_init(&control->loop, &control->unsettled);
	control->leaving.data = control->unsettled.data = control;
	if (err == 0)
		err = watch_signal(control, &control->hangup, on_hangup, SIGHUP);
	if (err == 0)
		err = watch_signal(control, &control->terminate, on_stop, SIGTERM);
	if (err == 0)
		err = watch_signal(control, &control->interrupt, on_stop, SIGINT);
	if (err != 0) {
		close_loop(control);
		return command_fail("signals cannot be watched: %s", uv_strerror(err));
	}
	work_init(&control->work, &control->loop, control->inventory, on_work_end, control);
	file_watch_start(&control->resolv_conf, &control->loop, on_resolv_conf, control);
	return COMMAND_FINE;
}

static int refuse(struct faults *faults)
{
	faults_sort(faults);
	faults_print(faults, stderr);
	return COMMAND_NO;
}

/* Opens the management API, whose requests are answered when the loop runs, and serves the first
 * model: all threads are started in here. */
static int open_all(struct control *control, struct model *model, struct faults *faults,
		    char text[CONTROL_TEXT_MAX])
{
	int status = control_api_open(control, model, faults);
	if (status == COMMAND_FINE && apply_file(control, model, faults, text) != 0)
		status = refuse(faults);
	return status;
}

void control_bare_thread(const struct control *control)
{
	int err = privileges_none();
	if (err == 0 && control->filtered && !SANDBOX_IS_WIDE)
		err = sandbox_enter_worker();
	if (err != 0)
		log_event(LOG_ERROR, "privileges", "a thread keeps more rights than it needs: %s",
			  strerror(errno));
}

static void on_worker_start(void *context)
{
	control_bare_thread(context);
}

/* Opens what takes rights, and then gives them up; no other thread runs yet. */
static int open_and_settle(struct control *control, const struct model *model,
			   struct faults *faults)
{
	if (server_open(&control->server, model, faults) != 0)
		return refuse(faults);
	if (privileges_settle() != 0)
		return command_fail("capabilities cannot be given up: %s", strerror(errno));
	if (control->seccomp && !sandbox_is_available()) {
		log_event(LOG_WARNING, "privileges",
			  "the kernel cannot filter system calls; goes on without");
		control->filtered = false;
	}
	if (control->filtered && sandbox_enter() != 0)
		return command_fail("the filter of system calls cannot be set: %s; set seccomp = "
				    "false to go without",
				    strerror(errno));
	return COMMAND_FINE;
}

static const struct transfer_table *served_zones(void *context)
{
	const struct control *control = context;
	return control->server.current ? control->server.current->transfers : NULL;
}

/* What follows zones that go out. ERR_NOMEM. */
static int open_followers(struct control *control)
{
	control->notify = zone_notify_new(&control->loop, served_zones, control);
	if (!control->notify || serial_book_open(&control->serials, &control->loop,
						 control->inventory, &control->server.keeper) != 0)
		return ERR_NOMEM;
	return 0;
}

/* Has the server go on with what was handed over. */
static int take_listeners(struct control *control)
{
	char error[TAKE_OVER_ERROR_MAX];
	struct take_over *take_over = control->take_over;
	if (!take_over)
		return COMMAND_FINE;
	if (take_over->workers != control->server.worker_count)
		return command_fail("cannot take over: the running server has %u workers, and %u "
				    "are wanted; another number takes a restart",
				    take_over->workers, control->server.worker_count);
	control->server.generation = take_over->generation;
	if (take_over_listeners(take_over, &control->server, error) != 0)
		return command_fail("cannot take over: %s", error);
	return COMMAND_FINE;
}

/* From here on the state, and the management API's clients, are this process's. */
static int say_ready(struct control *control, const struct model *model)
{
	char error[TAKE_OVER_ERROR_MAX];
	struct take_over *take_over = control->take_over;
	if (!take_over)
		return COMMAND_FINE;
	control->socket_fd = take_over_http(take_over, "control", model->management.socket);
	if (take_over_ready(take_over, control->socket_fd >= 0, error) == 0)
		return COMMAND_FINE;
	return command_fail("cannot take over: %s", error);
}

/* From here on it is this process that serves, and the other one leaves. */
static int say_serving(struct control *control, const struct model *model)
{
	char error[TAKE_OVER_ERROR_MAX];
	struct take_over *take_over = control->take_over;
	if (!take_over)
		return COMMAND_FINE;
	if (signals_stop_waits()) /* or nobody would serve */
		return command_fail("cannot take over: this process is told to stop");
	if (take_over_serving(take_over, error) != 0)
		return command_fail("cannot take over: %s", error);
	take_over_follow(take_over, &control->loop, want_reload, control);
	log_configure(model->log.level, model->log.format);
	return COMMAND_FINE;
}

/* Workers run by now, and come first: a change, however long, takes no processor that an answer
 * wants. Between them and the listeners' threads (HTTP_NICENESS), which strangers keep busy.
 * Threads that are started from here on inherit it. */
static void let_workers_first(void)
{
	int niceness = nice(NICENESS);
	(void)niceness; /* a thread that could not become nicer serves all the same */
}

/* All steps up to serving, one after the other. */
static int begin(struct control *control, struct model *model, struct faults *faults,
		 char text[CONTROL_TEXT_MAX])
{
	int status = take_listeners(control);
	if (status == COMMAND_FINE)
		status = open_and_settle(control, model, faults);
	if (status == COMMAND_FINE)
		status = say_ready(control, model);
	if (status == COMMAND_FINE)
		status = open_all(control, model, faults, text);
	if (status == COMMAND_FINE)
		let_workers_first();
	return status == COMMAND_FINE ? say_serving(control, model) : status;
}

/* It could not take over, and the running server goes on: with the control socket, with the state,
 * and with every question that this one's workers have not read yet. */
static void stand_back(struct control *control)
{
	const struct timespec step = {.tv_nsec = 10 * 1000000L};
	if (!control->take_over || control->take_over->stage == TAKE_OVER_ALONE)
		return;
	if (control->http) {
		http_pause(control->http);
		http_give_socket(control->http, true);
	}
	take_over_release(control->take_over); /* it may go on */
	if (!control->server.current)          /* there are no workers */
		return;
	server_drain(&control->server);
	for (int i = 0; i < STAND_BACK_MS / 10 && !server_is_drained(&control->server); i++)
		nanosleep(&step, NULL);
}

/* Serves until a signal says to stop, or a successor serves. */
static void run(struct control *control, const struct model *model, const struct faults *faults,
		const char *text)
{
	log_faults("load", faults);
	log_event(LOG_INFO, "serving", "sluice %s, %u worker%s, %s", SLUICE_VERSION,
		  control->server.worker_count, control->server.worker_count == 1 ? "" : "s", text);
	if (geteuid() == 0 && !model->user)
		log_event(
			LOG_WARNING, "privileges",
			"runs as root; with `user` it keeps of root's rights only that of binding "
			"port 53");
	watchdog_start(&control->watchdog, &control->loop, &control->server);
	health_log_start(&control->health, &control->loop, &control->server);
	notify_ready(text);
	uv_run(&control->loop, UV_RUN_DEFAULT);
	work_finish(&control->work);
	serial_book_rest(&control->serials);
	health_log_stop(&control->health);
}

/* Serves the model; takes it over. The loop is open. */
static int serve(struct control *control, struct model *model, struct faults *faults)
{
	char text[CONTROL_TEXT_MAX];
	sigset_t before;
	unsigned workers = control->take_over && model->workers == 0 ? control->take_over->workers
								     : workers_wanted(model);
	int err = server_init(&control->server, workers, &control->load.key, on_release, control);
	if (err == 0 && open_followers(control) != 0) {
		server_release(&control->server);
		err = ERR_NOMEM;
	}
	if (err != 0) {
		model_free(model);
		return command_fail("%s", err_text(ERR_NOMEM));
	}
	control->server.shared.on_start = on_worker_start;
	signals_block(&before);
	int status = begin(control, model, faults, text);
	signals_restore(&before);
	if (status == COMMAND_FINE)
		run(control, model, faults, text);
	else
		stand_back(control);
	if (!control->server.model) /* it did not come to be served */
		model_free(model);
	server_release(&control->server); /* before the loop: workers still wake it */
	return status;
}

/* An operator who looks at status is seldom where the server was started. */
static char *absolute_path(const char *path)
{
	char *directory = *path == '/' ? NULL : getcwd(NULL, 0), *absolute;
	int length = directory ? asprintf(&absolute, "%s/%s", directory, path)
			       : asprintf(&absolute, "%s", path);
	free(directory);
	return length < 0 ? NULL : absolute;
}

static int serve_owned(void *context, struct owned *owned)
{
	struct control *control = context;
	int err = server_serve_owned(&control->server, owned);
	if (err == 0)
		uv_timer_start(&control->unsettled, on_unsettled, SETTLE_MAX_MS, 0);
	return err;
}

static int init(struct control *control, const char *config, const char *resolv_conf)
{
	const struct inventory_publisher publisher = {control, serve_owned};
	load_init(&control->load, config, resolv_conf);
	control->inventory = inventory_new(&control->load.key, &publisher);
	return control->inventory ? 0 : ERR_NOMEM;
}

/* Becomes whom the model says, and notes what a reload cannot change. */
static int become_user(struct control *control, struct model *model, struct faults *faults)
{
	char who[PRIVILEGES_TEXT_MAX];
	const char *resolv_conf = control->load.follows ? control->load.resolv_conf : NULL;
	uid_t before = geteuid();
	control->user = model->user ? strdup(model->user) : NULL;
	control->group = model->group ? strdup(model->group) : NULL;
	if (control->take_over && before == 0 && !model->user) /* a service manager has chosen it */
		model->user = control->take_over->user;
	if (privileges_drop(model, resolv_conf, true, faults) != 0)
		return refuse(faults);
	if (geteuid() != before)
		log_event(LOG_INFO, "privileges", "goes on as %s", privileges_text(who));
	control->seccomp = control->filtered = model->seccomp;
	return COMMAND_FINE;
}

int control_run(const char *config, const char *resolv_conf, struct take_over *take_over)
{
	struct control *control = calloc(1, sizeof *control);
	struct faults faults;
	struct model *model;
	int status;
	if (!control || init(control, config, resolv_conf) != 0) {
		free(control);
		return command_fail("cannot start: %s", strerror(errno));
	}
	control->config_path = absolute_path(config);
	control->take_over = take_over;
	control->socket_fd = -1;
	faults_init(&faults);
	file_watch_note(&control->resolv_conf, control->load.resolv_conf);
	model = load_model(&control->load, NULL, &faults);
	if (!model) {
		status = refuse(&faults);
		goto out;
	}
	log_configure(model->log.level, model->log.format);
	status = become_user(control, model, &faults);
	if (status == COMMAND_FINE)
		status = open_loop(control);
	if (status == COMMAND_FINE) {
		status = serve(control, model, &faults);
		close_loop(control);
	} else {
		model_free(model);
	}
out:
	faults_release(&faults);
	zone_notify_free(control->notify);
	serial_book_release(&control->serials);
	inventory_free(control->inventory);
	control_api_release(control);
	free(control->config_path);
	free(control->user);
	free(control->group);
	free(control);
	return status;
}
