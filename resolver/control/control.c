/* Everything that changes what is served comes together here and takes the one path, server_apply:
 *
 *     SIGHUP ───────────┐
 *     POST /v1/reload ──┴─► control_reload ─► load_model ─┐
 *     resolv.conf ───────────────► load_resolv_conf ──────┴─► server_apply
 *     management API ────────────► change_commit ───────────► server_serve_owned
 *
 * Loading may take a while; the workers go on answering meanwhile, because they share nothing with
 * this thread but what is published. What can be asked of it is in api_routes.c. */
#include "resolver/control/control.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "resolver/control/command.h"
#include "resolver/control/control_api.h"
#include "resolver/control/notify.h"
#include "resolver/control/report.h"
#include "resolver/log.h"

enum { WORKERS_MAX = 256 };

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

/* Serves the model, and says in one line what came of it. */
static int apply(struct control *control, struct model *model, struct faults *faults,
		 char text[CONTROL_TEXT_MAX])
{
	char numbers[REPORT_TEXT_MAX];
	struct server *server = &control->server;
	int err = server_apply(server, model, faults);
	if (err == 0)
		snprintf(text, CONTROL_TEXT_MAX,
			 "generation %llu, %s, %u listener%s added, %u removed",
			 (unsigned long long)server->generation,
			 report_numbers_text(model, numbers), server->listeners_added,
			 server->listeners_added == 1 ? "" : "s", server->listeners_removed);
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
	notify_reloading();
	int err = ERR_FAULTS;
	struct model *model = load_model(&control->load, faults);
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
	} else {
		char count[REPORT_TEXT_MAX];
		log_event(LOG_ERROR, "reload", "refused, still serving generation %llu: %s",
			  (unsigned long long)control->server.generation,
			  report_faults_text(faults, count));
	}
	log_faults("reload", faults);
	notify_ready();
	return err;
}

static void on_hangup(uv_signal_t *signal, int number)
{
	(void)number;
	char text[CONTROL_TEXT_MAX];
	struct faults faults;
	faults_init(&faults);
	int err = control_reload(signal->data, &faults, text);
	(void)err; /* has been logged */
	faults_release(&faults);
}

static void on_resolv_conf(void *context)
{
	struct control *control = context;
	char text[CONTROL_TEXT_MAX];
	struct load_targets before;
	struct faults faults;
	if (!control->load.follows)
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

static void on_stop(uv_signal_t *signal, int number)
{
	log_event(LOG_INFO, "stop", "stopping on %s", number == SIGINT ? "SIGINT" : "SIGTERM");
	notify_stopping();
	uv_stop(signal->loop);
}

static void on_wake(uv_async_t *wake)
{
	struct control *control = wake->data;
	server_collect(&control->server);
	if (server_is_settled(&control->server))
		inventory_settle(control->inventory);
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
	if (control->resolv_conf.path) /* it is watched */
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
	file_watch_start(&control->resolv_conf, &control->loop, control->load.resolv_conf,
			 on_resolv_conf, control);
	return COMMAND_FINE;
}

/* Threads inherit the mask of the one that starts them, and signals are for this thread alone; but
 * what a fault of the program raises in its own thread stays unblocked. */
static void block_signals(sigset_t *before)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t blocked;
	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		sigdelset(&blocked, own[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, before);
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
	sigset_t before;
	block_signals(&before);
	int status = control_api_open(control, model, faults);
	if (status == COMMAND_FINE && apply_file(control, model, faults, text) != 0)
		status = refuse(faults);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}

/* Serves the model until stopped; takes it over. The loop is open. */
static int serve(struct control *control, struct model *model, struct faults *faults)
{
	char text[CONTROL_TEXT_MAX];
	if (server_init(&control->server, workers_wanted(model), &control->load.key, on_release,
			control) != 0) {
		model_free(model);
		return command_fail("%s", err_text(ERR_NOMEM));
	}
	int status = open_all(control, model, faults, text);
	if (status == COMMAND_FINE) {
		log_faults("load", faults);
		log_event(LOG_INFO, "serving", "sluice %s, %u worker%s, %s", SLUICE_VERSION,
			  control->server.worker_count,
			  control->server.worker_count == 1 ? "" : "s", text);
		notify_ready();
		uv_run(&control->loop, UV_RUN_DEFAULT);
	}
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
	return server_serve_owned(&control->server, owned);
}

static int init(struct control *control, const char *config, const char *resolv_conf)
{
	const struct inventory_publisher publisher = {control, serve_owned};
	int err = load_init(&control->load, config, resolv_conf);
	if (err != 0)
		return err;
	control->inventory = inventory_new(&control->load.key, &publisher);
	if (control->inventory)
		return 0;
	load_release(&control->load);
	return ERR_NOMEM;
}

int control_run(const char *config, const char *resolv_conf)
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
	model = load_model(&control->load, &faults);
	if (!model) {
		status = refuse(&faults);
		goto out;
	}
	log_configure(model->log.level, model->log.format);
	status = open_loop(control);
	if (status == 0) {
		status = serve(control, model, &faults);
		close_loop(control);
	} else {
		model_free(model);
	}
out:
	faults_release(&faults);
	inventory_free(control->inventory);
	load_release(&control->load);
	control_api_release(control);
	free(control->config_path);
	free(control);
	return status;
}
