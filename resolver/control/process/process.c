#include "resolver/control/process/process.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/openstack/openstack.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/exit.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"
#include "resolver/control/base/signals.h"
#include "resolver/control/config/copy.h"
#include "resolver/control/process/notify.h"
#include "resolver/control/process/privileges.h"
#include "resolver/control/process/sandbox.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "rules/text.h"

enum {
	WORKERS_MAX = 256,
	NICENESS = 5,
	LEAVE_MS = 2000,
	DRAIN_MAX_MS = 10 * 1000,
	LEAVE_LOOK_MS = 5,
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

/* ---- serving a model ---- */

/* Warns of what a reload cannot change. */
static void warn_of_restart(const struct process *process, const struct model *model,
			    struct faults *faults)
{
	if (!text_equal(model->user, process->user) || !text_equal(model->group, process->group))
		fault_add(faults, FAULT_WARNING, &model->user_origin, NULL,
			  "another user or group takes a restart");
	if (model->seccomp != process->seccomp)
		fault_add(faults, FAULT_WARNING, &model->origin, "seccomp",
			  "to turn seccomp on or off takes a restart");
	if (workers_wanted(model) != process->service.server.worker_count)
		fault_add(faults, FAULT_WARNING, &model->workers_origin, NULL,
			  "another number of workers takes a restart; still %u",
			  process->service.server.worker_count);
	management_api_warn(&process->management, &model->management, faults);
}

/* Also where tokens are signed from now on. */
static int serve_model(struct process *process, struct model *model,
		       const struct server_commit *step, struct faults *faults,
		       char text[SERVICE_TEXT_MAX])
{
	int err = service_serve_with(&process->service, model, step, faults, text);

	if (err == 0)
		management_api_use_state(&process->management);
	return err;
}

/* Serves the model and lets its clients in, or neither. */
static int replace(struct process *process, struct model *model, const struct server_commit *step,
		   struct faults *faults, char text[SERVICE_TEXT_MAX])
{
	struct management_access access;
	int err;

	if (management_access_load(&access, &model->management, faults) != 0)
		return ERR_FAULTS;
	err = serve_model(process, model, step, faults, text);
	if (err == 0)
		management_access_serve(&access, &process->management);
	management_access_release(&access);
	return err;
}

/* Who asks for a reload, and for how long it waits to be confirmed. */
struct wish {
	const char *who;
	unsigned wait_s; /* 0: it stays */
};

/* ---- a reload that may go back (service/confirmation.h) ---- */

static void add_fault(const struct process *process, struct faults *faults, const char *text)
{
	fault_add(faults, FAULT_ERROR, &process->service.server.model->origin, NULL, "%s", text);
}

/* Whether the copy of what is served can be served: it is looked at now, because later there is no
 * other. */
static int check_copy(struct process *process, struct faults *faults)
{
	struct service *service = &process->service;
	struct management_access access;
	struct faults found;
	struct model *model;
	int err = ERR_FAULTS;

	faults_init(&found);
	model = load_file(&service->load, service->confirmation.copy_file, service->server.model,
			  &found);
	if (model)
		err = management_access_load(&access, &model->management, &found);
	if (!err)
		management_access_release(&access);
	model_free(model);
	for (size_t i = 0; i < found.count; i++)
		if (found.items[i].severity == FAULT_ERROR)
			fault_add(faults, FAULT_ERROR, &found.items[i].origin, NULL,
				  "what is served cannot be kept to go back to: %s",
				  found.items[i].text);
	faults_release(&found);
	return err;
}

/* What is served is kept as files; where a reload has gone back before, it is there. */
static int keep_before(struct process *process, struct faults *faults)
{
	struct service *service = &process->service;
	const struct confirmation *confirmation = &service->confirmation;
	char error[CONFIRMATION_TEXT_MAX];
	int err;

	if (confirmation->is_back)
		return 0;
	err = confirmation_make_room(confirmation, error);
	if (!err)
		err = config_copy_write(load_declared(service->server.model), confirmation->copy,
					error);
	if (err)
		add_fault(process, faults, error);
	return err ? err : check_copy(process, faults);
}

/* Only what a reload changes can wait: anything else would not be tried, and a restart would do it.
 * `warnings`: how many there were ahead of those of such things. */
static int check_restart(const struct process *process, const struct model *model, size_t warnings,
			 struct faults *faults)
{
	const char *state = model->management.state;

	if (faults->warnings == warnings &&
	    strcmp(state ? state : "", process->service.load.state) == 0)
		return 0;
	add_fault(process, faults,
		  "only what a reload changes can wait to be confirmed, and something of this "
		  "takes a restart (user, group, seccomp, workers, management.socket, listen or "
		  "state); take that out, or reload without --confirm");
	return ERR_FAULTS;
}

struct reload_step {
	const struct confirmation *confirmation;
	struct unconfirmed unconfirmed;
	bool waits;
};

/* What the next start finds: how to go back, or that the configuration file is what is wanted. */
static int note_reload(void *context, struct faults *faults)
{
	const struct reload_step *step = context;
	const struct confirmation *confirmation = step->confirmation;
	char error[CONFIRMATION_TEXT_MAX];
	const struct origin nowhere = {0};
	int err = 0;

	if (step->waits)
		err = confirmation_write(confirmation, &step->unconfirmed, error);
	else if (confirmation->directory)
		err = confirmation_remove(confirmation, UNCONFIRMED_RELOAD, error);
	if (err)
		fault_add(faults, FAULT_ERROR, &nowhere, NULL, "%s", error);
	return err;
}

/* As the wish has it. */
static int replace_as(struct process *process, const struct wish *wish, struct model *model,
		      struct faults *faults, char text[SERVICE_TEXT_MAX])
{
	struct confirmation *confirmation = &process->service.confirmation;
	struct reload_step step = {confirmation,
				   unconfirmed_now(UNCONFIRMED_RELOAD, wish->who, wish->wait_s),
				   wish->wait_s > 0};
	const struct server_commit commit = {note_reload, &step};
	int err = replace(process, model, &commit, faults, text);

	if (err)
		return err;
	confirmation->is_back = false;
	if (step.waits)
		confirmation_begin(confirmation, &step.unconfirmed);
	log_configure(model->log.level, model->log.format);
	return 0;
}

/* What was served before the reload that waits is served again. */
static int take_back_reload(struct process *process, struct faults *faults)
{
	struct service *service = &process->service;
	struct confirmation *confirmation = &service->confirmation;
	struct model *model =
		load_file(&service->load, confirmation->copy_file, service->server.model, faults);
	char text[SERVICE_TEXT_MAX];
	int err = model ? replace(process, model, NULL, faults, text) : ERR_FAULTS;

	if (err) {
		model_free(model);
		return err;
	}
	log_configure(model->log.level, model->log.format);
	confirmation_end(confirmation, true);
	return 0;
}

/* What waits to be confirmed goes back. Where it cannot, that is logged, and tried again. */
static int take_back(struct process *process, const char *why)
{
	struct confirmation *confirmation = &process->service.confirmation;
	bool is_reload = confirmation->waiting.kind == UNCONFIRMED_RELOAD;
	char text[CONFIRMATION_TEXT_MAX];
	struct faults faults;
	int err;

	faults_init(&faults);
	err = is_reload ? take_back_reload(process, &faults)
			: service_take_back(&process->service, &faults);
	faults_sort(&faults);
	if (!err) {
		log_event(LOG_WARNING, "confirm", "%s by %s goes back: %s; generation %llu",
			  is_reload ? "the reload" : "the change", confirmation->waiting.who, why,
			  (unsigned long long)process->service.server.generation);
		if (confirmation_is_back(confirmation, text))
			log_event(LOG_WARNING, "confirm", "%s", text);
	} else {
		for (size_t i = faults.count; i-- > 0;)
			if (faults.items[i].severity == FAULT_ERROR)
				snprintf(confirmation->error, sizeof confirmation->error, "%s",
					 faults.items[i].text);
		log_faults("confirm", &faults);
		log_event(LOG_ERROR, "confirm", "%s", confirmation_waits(confirmation, text));
		confirmation_try_again(confirmation, CONFIRMATION_AGAIN_MS);
	}
	faults_release(&faults);
	return err;
}

static void on_due(void *context)
{
	enum { BUSY_MS = 100 };
	struct process *process = context;
	struct confirmation *confirmation = &process->service.confirmation;

	if (process->service.ending) /* the next start sees to it */
		return;
	if (process->service.work.busy)
		confirmation_try_again(confirmation, BUSY_MS);
	else
		(void)take_back(process, "nobody confirmed it in time");
}

/* ---- reloads ---- */

/* Why there is none now; NULL: there may be one. */
static const char *why_no_reload(const struct process *process, char text[CONFIRMATION_TEXT_MAX])
{
	if (process->service.ending)
		return "the server is about to end";
	if (process->upgrading)
		return "an upgrade is under way; reload once it is done";
	return confirmation_waits(&process->service.confirmation, text);
}

/* Adds to the faults why the configuration is not served; else `text` says what is. */
static int try_reload(struct process *process, const struct wish *wish, struct faults *faults,
		      char text[SERVICE_TEXT_MAX])
{
	struct service *service = &process->service;
	char waits[CONFIRMATION_TEXT_MAX];
	const char *why = why_no_reload(process, waits);
	bool will_wait = wish->wait_s > 0;
	struct model *model = NULL;
	size_t warnings;
	int err = 0;

	if (why) {
		add_fault(process, faults, why);
		return ERR_FAULTS;
	}
	if (will_wait)
		err = keep_before(process, faults);
	if (err == 0)
		model = load_model(&service->load, service->server.model, faults);
	warnings = faults->warnings;
	if (model)
		warn_of_restart(process, model, faults);
	if (model && will_wait)
		err = check_restart(process, model, warnings, faults);
	if (err == 0)
		err = model ? replace_as(process, wish, model, faults, text) : ERR_FAULTS;
	if (err != 0)
		model_free(model);
	if (err != 0 && will_wait)
		confirmation_forget_copy(&service->confirmation);
	return err;
}

/* Reads the configuration again and serves it; or the faults, which are sorted, say why not, and
 * what was served still is. Both are logged, and told to the service manager. */
static int reload(struct process *process, const struct wish *wish, struct faults *faults,
		  char text[SERVICE_TEXT_MAX])
{
	struct master_link *master = &process->master;
	bool ending = process->service.ending; /* the manager has been told */
	char count[REPORT_TEXT_MAX];
	int err;

	if (!ending)
		master_link_say(master, MASTER_TELL, MASTER_RELOADING, NULL);
	err = try_reload(process, wish, faults, text);
	faults_sort(faults);
	if (err == 0)
		log_event(LOG_INFO, "reload", "reloaded: %s", text);
	else {
		snprintf(text, SERVICE_TEXT_MAX, "refused, still serving generation %llu: %s",
			 (unsigned long long)process->service.server.generation,
			 report_faults_text(faults, count));
		log_event(LOG_ERROR, "reload", "%s", text);
	}
	if (!ending)
		master_link_say(master, MASTER_TELL, MASTER_READY, text);
	log_faults("reload", faults);
	return err;
}

/* Does what SIGHUP wanted, unless work or an upgrade is under way: whoever ends one calls this.
 * While another process starts beside, it waits: for its end, or the other one reads the files
 * again, which the master has it do. */
static void catch_up(struct process *process)
{
	static const struct wish wish = {"SIGHUP", 0};
	char text[SERVICE_TEXT_MAX];
	struct faults faults;

	if (!process->reload_wanted || process->service.work.busy || process->upgrading ||
	    process->service.beside || process->succeeded)
		return;
	process->reload_wanted = false;
	faults_init(&faults);
	int err = reload(process, &wish, &faults, text);
	(void)err; /* has been logged */
	faults_release(&faults);
}

static void on_hangup(uv_signal_t *signal, int number)
{
	struct process *process = signal->data;

	(void)number;
	process->reload_wanted = true;
	catch_up(process);
}

static void on_work_end(void *context)
{
	catch_up(context);
}

/* ---- starting and stopping ---- */

static void on_leaving(uv_timer_t *timer)
{
	struct process *process = timer->data;
	bool drained = server_is_drained(&process->service.server);

	if (!drained && uv_now(timer->loop) < process->leave_at_ms)
		return;
	if (!drained)
		log_event(LOG_INFO, "stop", "some questions are still unanswered; ending");
	uv_timer_stop(timer);
	uv_stop(timer->loop);
}

static void leave_within(struct process *process, uint64_t ms)
{
	process->service.ending = true;
	service_rest(&process->service);
	process->leave_at_ms = uv_now(&process->loop) + ms;
	uv_timer_start(&process->leaving, on_leaving, LEAVE_LOOK_MS, LEAVE_LOOK_MS);
}

static void end_upgrade(struct process *process, unsigned status, const char *text)
{
	struct api_request *request = process->upgrading;
	process->upgrading = NULL;
	process->service.confirmation.closed = false;
	if (request)
		api_fail(request, status, NULL, "%s", text);
}

/* Finishes what is under way, but for what waits for a target that is as good as dead. The service
 * does not stop with a process that has a successor, which gets what arrives. Told again, it ends
 * at once. */
static void on_stop(uv_signal_t *signal, int number)
{
	(void)number; /* the master passes SIGINT on as this */
	struct process *process = signal->data;
	log_event(LOG_INFO, "stop", "stopping on SIGTERM");
	if (process->stopping) {
		uv_timer_stop(&process->leaving);
		uv_stop(signal->loop);
		return;
	}
	process->stopping = true;
	if (process->succeeded)
		server_drain(&process->service.server);
	else
		server_leave(&process->service.server);
	leave_within(process, LEAVE_MS);
	end_upgrade(process, 503, "the server is told to stop");
}

/* ---- one after the other ---- */

static void on_refused(struct process *process, const char *why)
{
	const char *last = strrchr(why, '\n'); /* the master has logged what the program said */

	log_event(LOG_WARNING, "upgrade", "goes on as before: %s", last ? last + 1 : why);
	end_upgrade(process, 409, why);
	catch_up(process);
}

/* What the API has begun is finished; nothing more is begun. */
static void on_closing(uv_timer_t *timer)
{
	struct process *process = timer->data;
	if (!http_is_quiet(process->management.http))
		return;
	service_hand_over(&process->service);
	uv_timer_stop(timer);
	master_link_say(&process->master, MASTER_QUIET, 0, NULL);
}

static void on_drain(struct process *process)
{
	if (!process->succeeded || process->service.ending)
		return;
	server_drain(&process->service.server);
	leave_within(process, DRAIN_MAX_MS);
}

static void on_leave(struct process *process, uint32_t pid)
{
	struct api_request *request = process->upgrading;
	process->upgrading = NULL;
	if (process->stopping || process->succeeded)
		return;
	process->succeeded = true;
	log_event(LOG_INFO, "upgrade", "process %u serves now; finishing what is under way", pid);
	if (request)
		api_reply_json(request, 200, json_make("{s:I}", "pid", (json_int_t)pid), NULL);
	health_log_stop(&process->health);
	service_rest(&process->service);
	http_pause(process->management.http);
	uv_timer_start(&process->leaving, on_closing, 0, LEAVE_LOOK_MS);
}

/* The log is the master's from now on: until now it was what whoever asked for the upgrade is told.
 */
static void take_log(const struct process *process, int fd)
{
	const struct model *model = process->service.server.model;
	if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0)
		log_configure(model->log.level, model->log.format);
	if (fd >= 0)
		close(fd);
}

/* What the state has now is served, and who waits at the management API is heard. There is no way
 * back: where something fails it is logged, and the rest goes on. */
static void on_state(struct process *process, int fd)
{
	char text[SERVICE_TEXT_MAX], error[HTTP_ERROR_MAX];

	take_log(process, fd);
	process->taking = true;
	service_take(&process->service, text);
	management_api_use_state(&process->management);
	if (http_listen(process->management.http, error) != 0)
		log_event(LOG_ERROR, "http", "%s", error);
	log_event(LOG_INFO, "upgrade", "has taken over: %s", text);
	master_link_say(&process->master, MASTER_TELL, MASTER_READY, text);
	catch_up(process);
}

static void on_word(void *context, const struct master_message *message, int fd)
{
	struct process *process = context;
	if (message->word == MASTER_STATE && process->service.beside &&
	    process->service.server.model) {
		on_state(process, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (message->word == MASTER_LEAVE)
		on_leave(process, message->number);
	else if (message->word == MASTER_DRAIN)
		on_drain(process);
	else if (message->word == MASTER_REFUSED)
		on_refused(process, message->text);
}

static void close_open(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void close_loop(struct process *process)
{
	service_close(&process->service);
	management_api_close(&process->management);
	uv_walk(&process->loop, close_open, NULL);
	uv_run(&process->loop, UV_RUN_DEFAULT);
	int err = uv_loop_close(&process->loop);
	assert(err == 0);
	(void)err;
}

static int watch_signal(struct process *process, uv_signal_t *signal, uv_signal_cb callback,
			int number)
{
	int err = uv_signal_init(&process->loop, signal);
	signal->data = process;
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

/* The loop and its handles, which fail for lack of memory or descriptors. EXIT_SUCCESS, or it is
 * closed again. */
static int open_loop(struct process *process)
{
	int err = probe_descriptors();
	if (err == 0)
		err = uv_loop_init(&process->loop);
	if (err != 0)
		return exit_fail("the event loop cannot be opened: %s", uv_strerror(err));
	uv_timer_init(&process->loop, &process->leaving);
	uv_timer_init(&process->loop, &process->watchdog);
	process->leaving.data = process->watchdog.data = process;
	err = watch_signal(process, &process->hangup, on_hangup, SIGHUP);
	if (err == 0)
		err = watch_signal(process, &process->terminate, on_stop, SIGTERM);
	if (err == 0)
		err = master_link_follow(&process->master, &process->loop, on_word, process);
	if (err != 0) {
		close_loop(process);
		return exit_fail("signals cannot be watched: %s", uv_strerror(err));
	}
	signals_allow();
	return EXIT_SUCCESS;
}

/* The master hears that this server is alive only while this loop turns and every worker has turned
 * its own since the time before. A worker that hangs would be noticed by a part of the clients
 * only; here it silences the server as a whole, and the master kills it and starts another. */
static void on_watchdog(uv_timer_t *timer)
{
	struct process *process = timer->data;
	bool alive = server_is_alive(&process->service.server);

	if (alive)
		master_link_say(&process->master, MASTER_ALIVE, 0, NULL);
	if (alive == process->hangs)
		log_event(alive ? LOG_WARNING : LOG_ERROR, "watchdog",
			  alive ? "every worker's loop turns again"
				: "a worker's loop has stopped turning; the master is no longer "
				  "told that all is well");
	process->hangs = !alive;
}

/* The period is the master's, which gives it as a service manager does. */
static void start_watchdog(struct process *process)
{
	uint64_t turn_ms = notify_watchdog_us() / 1000 / WATCHDOG_TURNS + 1;
	bool alive = server_is_alive(&process->service.server); /* from here on it is counted */

	(void)alive;
	uv_timer_start(&process->watchdog, on_watchdog, turn_ms, turn_ms);
}

static int refuse(struct faults *faults)
{
	faults_sort(faults);
	faults_print(faults, stderr);
	return EXIT_FAILURE;
}

/* Every worker answers by what was published last: requests that wait for that are answered. */
static void on_settled(void *context)
{
	struct process *process = context;

	api_let_go(&process->management.api);
	if (process->taking && !process->service.beside)
		master_link_say(&process->master, MASTER_TAKEN, 0, NULL);
	process->taking = false;
}

/* From here on the process does without most system calls; no other thread runs yet. */
static int enter_sandbox(const struct process *process)
{
	if (!process->seccomp)
		return EXIT_SUCCESS;
	if (!sandbox_is_available())
		log_event(LOG_WARNING, "privileges",
			  "the kernel cannot filter system calls; continuing without the filter");
	else if (sandbox_enter() != 0)
		return exit_fail("the filter of system calls cannot be set: %s; set seccomp = "
				 "false to go without",
				 strerror(errno));
	return EXIT_SUCCESS;
}

/* All steps up to serving, one after the other. The API's requests are answered when the loop runs.
 */
static int begin(struct process *process, struct model *model, struct faults *faults,
		 char text[SERVICE_TEXT_MAX])
{
	if (server_open(&process->service.server, model, faults) != 0)
		return refuse(faults);
	int status = enter_sandbox(process);
	if (status == EXIT_SUCCESS)
		status =
			management_api_open(&process->management, &process->loop, &process->service,
					    process_dialects, &process->master, model, faults);
	if (status != EXIT_SUCCESS)
		return status;
	if (serve_model(process, model, NULL, faults, text) != 0)
		return refuse(faults);
	/* Workers run by now, and come first: a change, however long, takes no processor that an
	 * answer wants. This thread, and those that it starts later, are between them and the
	 * listeners' threads (HTTP_NICENESS), which strangers keep busy. */
	int niceness = nice(NICENESS);
	(void)niceness; /* a thread that could not become nicer serves all the same */
	return EXIT_SUCCESS;
}

/* Serves until a signal says to stop, or a successor serves. */
static void run(struct process *process, const struct model *model, const struct faults *faults,
		const char *text)
{
	struct server *server = &process->service.server;

	start_watchdog(process);
	health_log_start(&process->health, &process->loop, server);
	service_follow(&process->service);
	if (process->service.confirmation.waits) /* it could not go back at the start */
		confirmation_try_again(&process->service.confirmation, CONFIRMATION_AGAIN_MS);
	master_link_serve(&process->master, text); /* before the log says so */
	log_faults("load", faults);
	log_event(LOG_INFO, "serving", "sluice %s, %u worker%s, %s", SLUICE_VERSION,
		  server->worker_count, server->worker_count == 1 ? "" : "s", text);
	if (geteuid() == 0 && !model->user)
		log_event(LOG_WARNING, "privileges",
			  "running as root; set `user` to drop root's rights");
	uv_run(&process->loop, UV_RUN_DEFAULT);
	service_finish(&process->service);
	health_log_stop(&process->health);
}

static struct listener *open_listener(void *context, const struct host *host, unsigned workers,
				      char error[LISTENER_ERROR_MAX])
{
	struct process *process = context;
	return master_link_open_dns(&process->master, host, workers, error);
}

static void close_listener(void *context, const struct host *host)
{
	struct process *process = context;
	master_link_close_dns(&process->master, host);
}

/* Sockets are opened once, for a number of workers: another number takes a restart of all. */
static int check_workers(const struct process *process, const struct model *model,
			 struct faults *faults)
{
	unsigned workers = process->master.workers;
	if (workers == 0 || model->workers == 0 || model->workers == workers)
		return EXIT_SUCCESS;
	fault_add(faults, process->service.beside ? FAULT_ERROR : FAULT_WARNING,
		  &model->workers_origin, NULL,
		  "another number of workers takes a restart; the sockets are there for %u",
		  workers);
	return process->service.beside ? refuse(faults) : EXIT_SUCCESS;
}

/* Serves the model; takes it over. The loop is open. */
static int serve(struct process *process, struct model *model, struct faults *faults)
{
	struct service *service = &process->service;
	char text[SERVICE_TEXT_MAX];
	sigset_t before;
	unsigned workers =
		process->master.workers ? process->master.workers : workers_wanted(model);
	int err = service_open(service, &process->loop, workers, on_settled, on_work_end, process);

	if (err != 0) {
		model_free(model);
		return exit_fail("%s", err_text(err));
	}
	confirmation_open(&service->confirmation, &process->loop, on_due, process);
	service->server.shared.on_start = sandbox_bare_thread;
	service->server.sockets = (struct server_sockets){process, open_listener, close_listener};
	signals_block(&before);
	int status = begin(process, model, faults, text);
	signals_restore(&before);
	if (status == EXIT_SUCCESS)
		run(process, model, faults, text);
	if (!service->server.model) /* it did not come to be served */
		model_free(model);
	return status;
}

/* Becomes whom the model says, and notes what a reload cannot change. */
static int become_user(struct process *process, struct model *model, struct faults *faults)
{
	char who[PRIVILEGES_TEXT_MAX];
	const struct load *load = &process->service.load;
	const char *resolv_conf = load->next_follows ? load->resolv_conf : NULL;
	uid_t before = geteuid();
	process->user = model->user ? strdup(model->user) : NULL;
	process->group = model->group ? strdup(model->group) : NULL;
	if (privileges_drop(model, resolv_conf, true, faults) != 0)
		return refuse(faults);
	if (master_link_bind(&process->master) != 0)
		return exit_fail("the master has ended");
	if (geteuid() != before)
		log_event(LOG_INFO, "privileges", "goes on as %s", privileges_text(who));
	process->seccomp = model->seccomp;
	return EXIT_SUCCESS;
}

/* What was served before a reload that nobody has confirmed, in the place of the model. Where it
 * cannot be read any more the file's model is served all the same: names are answered then. */
static struct model *go_back_to_copy(struct process *process, struct model *model,
				     const struct unconfirmed *found, struct faults *faults)
{
	struct confirmation *confirmation = &process->service.confirmation;
	char text[CONFIRMATION_TEXT_MAX];
	struct faults of_copy;
	struct model *copy;

	faults_init(&of_copy);
	copy = load_file(&process->service.load, confirmation->copy_file, NULL, &of_copy);
	if (copy) {
		faults_release(faults);
		*faults = of_copy;
		model_free(model);
		confirmation->is_back = true;
		confirmation->gone = *found;
		log_event(LOG_WARNING, "confirm", "%s", confirmation_is_back(confirmation, text));
		return copy;
	}
	log_faults("confirm", &of_copy);
	faults_release(&of_copy);
	log_event(LOG_ERROR, "confirm",
		  "what was served before the reload by %s that was not confirmed cannot be read; "
		  "the configuration file is served",
		  found->who);
	return model;
}

/* The state is as it was before a change that nobody has confirmed, and so is the model; NULL: the
 * faults say why it cannot be. A state that cannot be written is tried again later. */
static struct model *go_back_in_state(struct process *process, struct model *model,
				      const struct unconfirmed *found, struct faults *faults)
{
	struct service *service = &process->service;
	struct confirmation *confirmation = &service->confirmation;
	char error[CONFIRMATION_TEXT_MAX];
	struct model *before;

	if (confirmation_restore(confirmation, service->load.state, found, error) != 0) {
		log_event(LOG_ERROR, "confirm", "the change by %s could not go back: %s",
			  found->who, error);
		confirmation->waiting = *found;
		confirmation->waits = true;
		snprintf(confirmation->error, sizeof confirmation->error, "%s", error);
		return model;
	}
	log_event(LOG_WARNING, "confirm",
		  "the change of revision %llu by %s was not confirmed and has gone back",
		  (unsigned long long)found->revision, found->who);
	faults_release(faults);
	faults_init(faults);
	before = load_again(&service->load, load_declared(model), NULL, faults);
	faults_sort(faults);
	model_free(model);
	return before;
}

/* A start goes back from whatever waits to be confirmed. As the user that it is by now: the records
 * are that user's to write. */
static struct model *go_back(struct process *process, struct model *model, struct faults *faults)
{
	struct confirmation *confirmation = &process->service.confirmation;
	struct unconfirmed found;

	if (confirmation_place(confirmation, process->service.load.state) != 0) {
		log_event(LOG_ERROR, "confirm", "%s", err_text(ERR_NOMEM));
		return model;
	}
	if (confirmation_find(confirmation, UNCONFIRMED_RELOAD, &found))
		model = go_back_to_copy(process, model, &found, faults);
	if (!process->service.beside && confirmation_find(confirmation, UNCONFIRMED_CHANGE, &found))
		model = go_back_in_state(process, model, &found, faults);
	if (model)
		log_configure(model->log.level, model->log.format);
	return model;
}

/* Serves as the configuration says; the exit status. */
static int load_and_serve(struct process *process, struct faults *faults)
{
	struct model *model = load_model(&process->service.load, NULL, faults);
	int status;

	if (!model)
		return refuse(faults);
	log_configure(model->log.level, model->log.format);
	status = become_user(process, model, faults);
	if (status == EXIT_SUCCESS) {
		model = go_back(process, model, faults);
		status = model ? check_workers(process, model, faults) : refuse(faults);
	}
	if (status == EXIT_SUCCESS)
		status = open_loop(process);
	if (status != EXIT_SUCCESS) {
		model_free(model);
		return status;
	}
	status = serve(process, model, faults);
	close_loop(process);
	return status;
}

int process_run(const char *config, const char *resolv_conf, int master, bool beside)
{
	struct process *process = calloc(1, sizeof *process);
	struct faults faults;
	int status;

	if (!process)
		return exit_fail("%s", err_text(ERR_NOMEM));
	faults_init(&faults);
	if (service_init(&process->service, config, resolv_conf, beside) != 0)
		status = exit_fail("%s", err_text(ERR_NOMEM));
	else if (master_link_init(&process->master, master) != 0)
		status = exit_fail("the master and this program do not understand each other; "
				   "restart instead");
	else
		status = load_and_serve(process, &faults);
	faults_release(&faults);
	service_release(&process->service);
	management_api_release(&process->management);
	free(process->user);
	free(process->group);
	free(process);
	return status;
}

/* ---- what is asked of it ---- */

static struct process *process_of(const struct api_request *request)
{
	return container_of(request->service, struct process, service);
}

/* What waits to be confirmed, for an answer. */
static json_t *waiting_json(const struct process *process)
{
	const struct confirmation *confirmation = &process->service.confirmation;

	return confirmation->waits ? unconfirmed_json(&confirmation->waiting, confirmation->error)
				   : json_null();
}

/* POST /v1/reload?confirm=SECONDS: {"ok", "text", "generation", "faults", "unconfirmed"}, with 422
 * and an "error" beside them when the configuration has faults and nothing has moved. */
static void api_reload(struct api_request *request)
{
	struct process *process = process_of(request);
	char text[SERVICE_TEXT_MAX], count[REPORT_TEXT_MAX];
	struct wish wish = {.who = request->client};
	struct faults faults;
	json_t *answer;
	bool fine;

	if (!api_may_change(request) || !api_query_confirm(request, &wish.wait_s))
		return;
	faults_init(&faults);
	fine = reload(process, &wish, &faults, text) == 0;
	answer = json_make("{s:b, s:o, s:I, s:o, s:o}", "ok", fine, "text",
			   json_text(fine ? text : ""), "generation",
			   (json_int_t)process->service.server.generation, "faults",
			   report_faults(&faults), "unconfirmed", waiting_json(process));
	if (!fine)
		json_put(answer, "error",
			 json_make("{s:s, s:o, s:n}", "code", "configuration_faults", "message",
				   json_text(report_faults_text(&faults, count)), "path"));
	faults_release(&faults);
	api_reply_json(request, fine ? 200 : 422, answer, NULL);
}

/* What waits stays. False: that cannot be noted, which has been answered. */
static bool confirm(struct api_request *request, struct confirmation *confirmation)
{
	char error[CONFIRMATION_TEXT_MAX];

	if (confirmation_remove(confirmation, confirmation->waiting.kind, error) != 0) {
		api_fail(request, 503, NULL, "%s; it is not confirmed", error);
		return false;
	}
	confirmation_end(confirmation, false);
	log_event(LOG_INFO, "confirm", "the %s by %s is confirmed by %s",
		  confirmation->waiting.kind == UNCONFIRMED_RELOAD ? "reload" : "change",
		  confirmation->waiting.who, request->client);
	return true;
}

static bool go_back_now(struct api_request *request, struct process *process)
{
	char why[CONFIRMATION_WHO_MAX + 32];

	snprintf(why, sizeof why, "as %s wants it", request->client);
	if (take_back(process, why) == 0)
		return true;
	api_fail(request, 503, NULL, "%s; it is still served, and that is tried again",
		 process->service.confirmation.error);
	return false;
}

/* POST /v1/confirm, ?back: {"ok", "confirmed", "unconfirmed": what it was}; 409 where nothing
 * waits.
 */
static void api_confirm(struct api_request *request)
{
	static const char *const known[] = {"back", NULL};
	struct process *process = process_of(request);
	struct confirmation *confirmation = &process->service.confirmation;
	const char *other = api_query_other(request, known);
	bool back = api_query(request, "back");
	char text[CONFIRMATION_TEXT_MAX];

	if (other)
		api_fail_at(request, 400, NULL, other, "is not known here");
	else if (!confirmation->waits && confirmation_is_back(confirmation, text))
		api_fail(request, 409, NULL, "nothing waits to be confirmed: %s", text);
	else if (!confirmation->waits)
		api_fail(request, 409, NULL, "nothing waits to be confirmed");
	else if (back ? go_back_now(request, process) : confirm(request, confirmation))
		api_reply_json(request, 200,
			       json_make("{s:b, s:b, s:o}", "ok", 1, "confirmed", (int)!back,
					 "unconfirmed",
					 unconfirmed_json(&confirmation->waiting, NULL)),
			       NULL);
}

/* POST /v1/upgrade {"binary"}: the master starts that program beside this one. {"pid"} when it
 * serves instead; 409 and why, when this one goes on. Only on the unix socket, where the kernel
 * says who asks. */
static void api_upgrade(struct api_request *request)
{
	const char *program = json_string_value(json_object_get(request->body, "binary"));
	struct process *process = process_of(request);
	char waits[CONFIRMATION_TEXT_MAX];
	const char *why = process->service.ending ? "the server is about to end"
			  : process->upgrading
				  ? "another upgrade is under way; wait until it is done"
				  : confirmation_waits(&process->service.confirmation, waits);

	if (!api_is_local(request)) {
		api_fail(request, 403, NULL, "an upgrade begins on the control socket only");
		return;
	}
	if (!program || *program != '/') {
		api_fail_at(request, 400, NULL, "binary", "give the new program's absolute path");
		return;
	}
	if (why) {
		api_fail(request, 409, NULL, "%s", why);
		return;
	}
	process->upgrading = request;
	process->service.confirmation.closed = true;
	log_event(LOG_INFO, "upgrade", "starting %s beside this process", program);
	master_link_say(&process->master, MASTER_UPGRADE, 0, program);
}

static const struct api_route routes[] = {
	{"POST", "/v1/reload", API_OPERATE, api_reload, 0},
	{"POST", "/v1/confirm", API_OPERATE, api_confirm, 0},
	{"POST", "/v1/upgrade", API_OPERATE, api_upgrade, 0},
	{.method = NULL},
};
static const struct api_dialect process_api = {.routes = routes};

const struct api_dialect *const process_dialects[] = {
	&api_designate, &api_keystone, &api_arm, &api_arm_login, &process_api, &api_v1, NULL,
};
