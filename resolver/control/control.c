/* Everything that changes what is served comes together here and takes the one path, server_apply:
 *
 *     SIGHUP ───────────┐
 *     POST /v1/reload ──┴─► control_reload ─► load_model ─┐
 *     resolv.conf ───────────────► load_resolv_conf ──────┴─► server_apply
 *     management API ────────────► change_commit ───────────► server_serve_owned
 *
 * It starts in an order that leaves it, and whatever thread comes after, with as few rights as do:
 *
 *     load ─► become another user ─► sockets, by the master ─► seccomp ─► state, API, workers
 *
 * Beside another one that serves it starts in the same way, but only looks at the state and does
 * not listen for HTTP. When it serves, the master has the other one leave, and then gives the word:
 *
 *     this one   ... workers ─SERVES─►  ........................  STATE ─► state to write, HTTP
 *     the other  ..................... LEAVE ─► HTTP closed, state closed ─QUIET─► drains, ends
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

#include "resolver/control/api.h"
#include "resolver/control/command.h"
#include "resolver/control/control_api.h"
#include "resolver/control/json.h"
#include "resolver/control/privileges.h"
#include "resolver/control/report.h"
#include "resolver/control/sandbox.h"
#include "resolver/control/signals.h"
#include "resolver/log.h"
#include "rules/text.h"

enum {
	WORKERS_MAX = 256,
	NICENESS = 5,
	LEAVE_MS = 2000,
	DRAIN_MAX_MS = 10 * 1000,
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
	if (control->master.beside) /* it has told nobody anything */
		return;
	zone_notify_look(control->notify);
	if (control->taking)
		master_link_say(&control->master, MASTER_TAKEN, 0, NULL);
	control->taking = false;
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
	struct owned *before = model->owned; /* of the same model, which is served again */
	int err = inventory_reload(control->inventory, model, &model->owned, faults);
	if (err != 0)
		return err;
	owned_unref(before);
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
		master_link_say(&control->master, MASTER_TELL, MASTER_RELOADING, NULL);
	int err = ERR_FAULTS;
	const char *why = leaves               ? "the server is about to end"
			  : control->upgrading ? "an upgrade is under way; reload once it is done"
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
		master_link_say(&control->master, MASTER_TELL, MASTER_READY, text);
	} else {
		char count[REPORT_TEXT_MAX], refused[CONTROL_TEXT_MAX];
		snprintf(refused, sizeof refused, "refused, still serving generation %llu: %s",
			 (unsigned long long)control->server.generation,
			 report_faults_text(faults, count));
		log_event(LOG_ERROR, "reload", "%s", refused);
		if (!leaves)
			master_link_say(&control->master, MASTER_TELL, MASTER_READY, refused);
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

/* While another one starts beside, it waits: for its end, or the other one reads the files again,
 * which the master has it do. */
void control_catch_up(struct control *control)
{
	if (!control->reload_wanted || control->work.busy || control->upgrading ||
	    control->master.beside || control->succeeded)
		return;
	reload(control);
}

static void on_hangup(uv_signal_t *signal, int number)
{
	(void)number;
	struct control *control = signal->data;
	control->reload_wanted = true;
	control_catch_up(control);
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
	if (!control->load.follows || control->succeeded || control->leaving_until_ms > 0)
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

static void leave_until(struct control *control, uint64_t ms)
{
	control->leaving_until_ms = uv_now(&control->loop) + ms;
	uv_timer_start(&control->leaving, on_leaving, LEAVE_LOOK_MS, LEAVE_LOOK_MS);
}

static void end_upgrade(struct control *control, unsigned status, const char *text)
{
	struct api_request *request = control->upgrading;
	control->upgrading = NULL;
	if (request)
		api_fail(request, status, NULL, "%s", text);
}

/* What is under way is finished, but for what waits for a target that is as good as dead: that is
 * told, and holds up the end no longer. The service does not stop with a process that has a
 * successor: what comes is that one's. Told again, it ends at once. */
static void on_stop(uv_signal_t *signal, int number)
{
	(void)number; /* the master passes SIGINT on as this */
	struct control *control = signal->data;
	log_event(LOG_INFO, "stop", "stopping on SIGTERM");
	if (control->stopping) {
		uv_timer_stop(&control->leaving);
		uv_stop(signal->loop);
		return;
	}
	control->stopping = true;
	if (control->succeeded)
		server_drain(&control->server);
	else
		server_leave(&control->server);
	leave_until(control, LEAVE_MS);
	end_upgrade(control, 503, "the server is told to stop");
}

/* ---- one after the other ---- */

int control_upgrade(struct control *control, const char *program, struct api_request *request,
		    const char **why)
{
	*why = control->leaving_until_ms > 0 ? "the server is about to end"
	       : control->upgrading          ? "another upgrade is under way; wait until it is done"
					     : NULL;
	if (*why)
		return ERR_EXISTS;
	control->upgrading = request;
	log_event(LOG_INFO, "upgrade", "%s is started beside", program);
	master_link_say(&control->master, MASTER_UPGRADE, 0, program);
	return 0;
}

static void on_refused(struct control *control, const char *why)
{
	log_event(LOG_WARNING, "upgrade", "goes on as before: %s", why);
	end_upgrade(control, 409, why);
	control_catch_up(control);
}

/* What the API has begun is finished; nothing more is begun. */
static void on_closing(uv_timer_t *timer)
{
	struct control *control = timer->data;
	if (!http_is_quiet(control->http))
		return;
	serial_book_hand_over(&control->serials);
	inventory_hand_over(control->inventory);
	uv_timer_stop(timer);
	master_link_say(&control->master, MASTER_QUIET, 0, NULL);
}

static void on_drain(struct control *control)
{
	if (!control->succeeded || control->leaving_until_ms > 0)
		return;
	server_drain(&control->server);
	leave_until(control, DRAIN_MAX_MS);
}

static void on_leave(struct control *control, uint32_t pid)
{
	struct api_request *request = control->upgrading;
	control->upgrading = NULL;
	if (control->stopping || control->succeeded)
		return;
	control->succeeded = true;
	log_event(LOG_INFO, "upgrade", "process %u serves; finishes what is under way", pid);
	if (request)
		api_reply_json(request, 200, json_make("{s:I}", "pid", (json_int_t)pid), NULL);
	health_log_stop(&control->health);
	http_pause(control->http);
	uv_timer_start(&control->leaving, on_closing, 0, LEAVE_LOOK_MS);
}

/* The log is the master's from now on: until now it was what whoever asked for the upgrade is told.
 */
static void take_log(const struct control *control, int fd)
{
	const struct model *model = control->server.model;
	if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0)
		log_configure(model->log.level, model->log.format);
	if (fd >= 0)
		close(fd);
}

/* By what was read of it before; where even that fails, the program ends, and is started again. */
static void serve_without_state(struct control *control, struct faults *faults,
				char text[CONTROL_TEXT_MAX])
{
	log_event(LOG_ERROR, "upgrade", "the state cannot be served as it is now; reload");
	if (apply(control, control->server.model, faults, text) == 0)
		return;
	log_faults("upgrade", faults);
	abort();
}

/* What the state has now is served, and who waits at the management API is heard. There is no way
 * back: where something fails it is logged, and the rest goes on. */
static void on_state(struct control *control, int fd)
{
	char text[CONTROL_TEXT_MAX], error[HTTP_ERROR_MAX];
	struct faults faults;
	take_log(control, fd);
	faults_init(&faults);
	control->master.beside = control->server.silent = false;
	control->server.transfers_anew = control->taking = true;
	inventory_take(control->inventory);
	serial_book_take(&control->serials);
	if (apply_file(control, control->server.model, &faults, text) != 0)
		serve_without_state(control, &faults, text);
	log_faults("upgrade", &faults);
	faults_release(&faults);
	if (http_listen(control->http, error) != 0)
		log_event(LOG_ERROR, "http", "%s", error);
	log_event(LOG_INFO, "upgrade", "has taken over: %s", text);
	master_link_say(&control->master, MASTER_TELL, MASTER_READY, text);
	control_catch_up(control);
}

static void on_word(void *context, const struct master_message *message, int fd)
{
	struct control *control = context;
	if (message->word == MASTER_STATE && control->master.beside && control->server.model) {
		on_state(control, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (message->word == MASTER_LEAVE)
		on_leave(control, message->number);
	else if (message->word == MASTER_DRAIN)
		on_drain(control);
	else if (message->word == MASTER_REFUSED)
		on_refused(control, message->text);
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
		err = master_link_follow(&control->master, &control->loop, on_word, control);
	if (err != 0) {
		close_loop(control);
		return command_fail("signals cannot be watched: %s", uv_strerror(err));
	}
	signals_allow();
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

/* Opens sockets, and then does without most system calls; no other thread runs yet. */
static int open_and_settle(struct control *control, const struct model *model,
			   struct faults *faults)
{
	if (server_open(&control->server, model, faults) != 0)
		return refuse(faults);
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
	int status = open_and_settle(control, model, faults);
	if (status == COMMAND_FINE)
		status = open_all(control, model, faults, text);
	if (status == COMMAND_FINE)
		let_workers_first();
	return status;
}

/* Serves until a signal says to stop, or a successor serves. */
static void run(struct control *control, const struct model *model, const struct faults *faults,
		const char *text)
{
	log_faults("load", faults);
	log_event(LOG_INFO, "serving", "sluice %s, %u worker%s, %s", SLUICE_VERSION,
		  control->server.worker_count, control->server.worker_count == 1 ? "" : "s", text);
	if (geteuid() == 0 && !model->user)
		log_event(LOG_WARNING, "privileges",
			  "runs as root; with `user` it keeps none of root's rights");
	watchdog_start(&control->watchdog, &control->loop, &control->server, &control->master);
	health_log_start(&control->health, &control->loop, &control->server);
	master_link_serve(&control->master, text);
	uv_run(&control->loop, UV_RUN_DEFAULT);
	work_finish(&control->work);
	serial_book_rest(&control->serials);
	health_log_stop(&control->health);
}

static struct listener *open_listener(void *context, const struct host *host, unsigned workers,
				      char error[LISTENER_ERROR_MAX])
{
	struct control *control = context;
	return master_link_open_dns(&control->master, host, workers, error);
}

static void close_listener(void *context, const struct host *host)
{
	struct control *control = context;
	master_link_close_dns(&control->master, host);
}

/* Sockets are opened for so many workers, once: another number takes a restart of all. */
static int check_workers(const struct control *control, const struct model *model,
			 struct faults *faults)
{
	unsigned workers = control->master.workers;
	if (workers == 0 || model->workers == 0 || model->workers == workers)
		return COMMAND_FINE;
	fault_add(faults, control->master.beside ? FAULT_ERROR : FAULT_WARNING,
		  &model->workers_origin, NULL,
		  "another number of workers takes a restart; the sockets are there for %u",
		  workers);
	return control->master.beside ? refuse(faults) : COMMAND_FINE;
}

/* Serves the model; takes it over. The loop is open. */
static int serve(struct control *control, struct model *model, struct faults *faults)
{
	char text[CONTROL_TEXT_MAX];
	sigset_t before;
	unsigned workers =
		control->master.workers ? control->master.workers : workers_wanted(model);
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
	control->server.sockets = (struct server_sockets){control, open_listener, close_listener};
	control->server.silent = control->master.beside;
	if (control->master.beside) {
		inventory_only_look(control->inventory);
		serial_book_hand_over(&control->serials);
	}
	signals_block(&before);
	int status = begin(control, model, faults, text);
	signals_restore(&before);
	if (status == COMMAND_FINE)
		run(control, model, faults, text);
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
	if (privileges_drop(model, resolv_conf, true, faults) != 0)
		return refuse(faults);
	if (master_link_bind(&control->master) != 0)
		return command_fail("the master has ended");
	if (geteuid() != before)
		log_event(LOG_INFO, "privileges", "goes on as %s", privileges_text(who));
	control->seccomp = control->filtered = model->seccomp;
	return COMMAND_FINE;
}

int control_run(const char *config, const char *resolv_conf, int master, bool beside)
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
	faults_init(&faults);
	if (master_link_init(&control->master, master, beside) != 0) {
		status = command_fail("the master and this program do not understand each other; "
				      "restart instead");
		goto out;
	}
	file_watch_note(&control->resolv_conf, control->load.resolv_conf);
	model = load_model(&control->load, NULL, &faults);
	if (!model) {
		status = refuse(&faults);
		goto out;
	}
	log_configure(model->log.level, model->log.format);
	status = check_workers(control, model, &faults);
	if (status == COMMAND_FINE)
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
