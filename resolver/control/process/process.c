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
#include "resolver/control/base/threads.h"
#include "resolver/control/dashboard/dashboard.h"
#include "resolver/control/observe/query_log/query_log.h"
#include "resolver/control/process/notify.h"
#include "resolver/control/process/privileges.h"
#include "resolver/control/process/reload.h"
#include "resolver/control/process/sandbox.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "rules/text.h"

enum {
	WORKERS_MAX = 256,
	NICENESS = 5,
	LEAVE_MS = 2000,
	DRAIN_MAX_MS = 10 * 1000,
	CLOSING_MAX_MS = 10 * 1000, /* less than LEAVING_MAX_MS of the master */
	LEAVE_LOOK_MS = 5,
};

unsigned process_workers(const struct model *model)
{
	cpu_set_t cpus;
	if (model->workers > 0)
		return model->workers;
	if (sched_getaffinity(0, sizeof cpus, &cpus) != 0)
		return 1;
	unsigned count = (unsigned)CPU_COUNT(&cpus);
	return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : count;
}

/* ---- lines of the log that wait ---- */

enum { LOG_TURN_MS = 20 };

static void on_log_turn(uv_timer_t *timer)
{
	if (log_go_on())
		uv_timer_stop(timer);
}

static void on_log_waits(uv_async_t *wake)
{
	struct process *process = wake->data;

	uv_timer_start(&process->log_goes_on, on_log_turn, 0, LOG_TURN_MS);
}

static void on_waiting(void *context) /* on any thread */
{
	struct process *process = context;

	uv_async_send(&process->log_waits);
}

/* Lines may already wait, because logging begins before the loop. */
static int follow_log(struct process *process)
{
	int err = uv_async_init(&process->loop, &process->log_waits, on_log_waits);

	if (err != 0)
		return err;
	uv_timer_init(&process->loop, &process->log_goes_on);
	process->log_waits.data = process;
	log_on_waiting(on_waiting, process);
	uv_async_send(&process->log_waits);
	return 0;
}

/* ---- starting and stopping ---- */

static void on_hangup(uv_signal_t *signal, int number)
{
	struct process *process = signal->data;

	(void)number;
	process->reload_wanted = true;
	reload_catch_up(process);
}

static void on_work_end(void *context)
{
	reload_catch_up(context);
}

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
	api_rest(&process->management.api);
	process->leave_at_ms = uv_now(&process->loop) + ms;
	uv_timer_start(&process->leaving, on_leaving, LEAVE_LOOK_MS, LEAVE_LOOK_MS);
}

static void end_upgrade(struct process *process, unsigned status, const char *text)
{
	struct api_request *request = process->upgrading;
	process->upgrading = NULL;
	process->service.upgrading = false;
	if (request)
		api_fail(request, status, NULL, "%s", text);
}

/* Answers the upgrade's client. Call it once the workers drain, so that the successor reads the
 * queries, or when CLOSING_MAX_MS are over. */
static void tell_upgraded(struct process *process)
{
	struct api_request *request = process->upgrading;

	process->upgrading = NULL;
	if (request)
		api_reply_json(request, 200,
			       json_make("{s:I}", "pid", (json_int_t)process->successor), NULL);
}

/* Finishes pending work within LEAVE_MS, which is too short for targets that seem dead. A process
 * with a successor drains: new queries are the successor's, even if that has to stop as well. */
static void stop(struct process *process)
{
	if (process->stopping)
		return;
	process->stopping = true;
	log_event(LOG_INFO, "stop", "stopping on SIGTERM");
	if (process->successor) {
		server_drain(&process->service.server);
		tell_upgraded(process);
	} else {
		server_leave(&process->service.server);
	}
	leave_within(process, LEAVE_MS);
	end_upgrade(process, 503, "the server is told to stop");
}

/* systemd and killall signal this process as well as the master, and the master passes its signal
 * on. So a second SIGTERM changes nothing. */
static void on_stop(uv_signal_t *signal, int number)
{
	(void)number; /* the master passes SIGINT on as SIGTERM */
	stop(signal->data);
}

/* Somebody has told the master to stop a second time, and does not want to wait for LEAVE_MS. */
static void on_hurry(struct process *process)
{
	stop(process);
	log_event(LOG_INFO, "stop", "told to stop again; ending at once");
	uv_timer_stop(&process->leaving);
	uv_stop(&process->loop);
}

/* ---- upgrades ---- */

static void on_refused(struct process *process, const char *why)
{
	const char *last = strrchr(why, '\n'); /* the master has logged the new program's output */

	log_event(LOG_WARNING, "upgrade", "goes on as before: %s", last ? last + 1 : why);
	end_upgrade(process, 409, why);
	reload_catch_up(process);
}

/* Closes the state when the API has finished all requests but the upgrade; it accepts no new ones.
 * The master kills a process that is too slow. So after CLOSING_MAX_MS the upgrade's client gets
 * its answer, and long answers that have not begun are given up. */
static void on_closing(uv_timer_t *timer)
{
	struct process *process = timer->data;
	size_t waiting;

	if (uv_now(timer->loop) >= process->leave_at_ms) {
		tell_upgraded(process);
		work_give_up_readings(&process->service.work);
	}
	waiting = process->upgrading ? 1 : 0;
	if (!http_is_quiet(process->management.http, waiting) || commit_is_open(&process->service))
		return;
	service_hand_over(&process->service);
	uv_timer_stop(timer);
	master_link_say(&process->master, MASTER_QUIET, 0, NULL);
}

/* pid: of the process that reads the queries; 0 from an older master. */
static void on_drain(struct process *process, uint32_t pid)
{
	if (!process->successor || process->service.ending)
		return;
	if (pid)
		process->successor = pid;
	server_drain(&process->service.server);
	tell_upgraded(process);
	leave_within(process, DRAIN_MAX_MS);
}

static void stop_recorder(struct process *process)
{
	process->management.api.history = NULL;
	recorder_stop(&process->recorder);
}

static void on_leave(struct process *process, uint32_t pid)
{
	if (process->stopping || process->successor)
		return;
	process->successor = pid;
	log_event(LOG_INFO, "upgrade", "process %u serves now; finishing what is under way", pid);
	health_log_stop(&process->health);
	stop_recorder(process);
	query_log_leave(process->query_log);
	service_rest(&process->service);
	api_rest(&process->management.api);
	http_pause(process->management.http);
	metrics_listener_pause(&process->metrics);
	process->leave_at_ms = uv_now(&process->loop) + CLOSING_MAX_MS;
	uv_timer_start(&process->leaving, on_closing, 0, LEAVE_LOOK_MS);
}

/* Makes stderr the master's log. Until the takeover, stderr is a pipe to the master, which logs the
 * output and, if the upgrade fails, sends its beginning to the upgrade's caller. */
static void take_log(const struct process *process, int fd)
{
	const struct model *model = process->service.server.model;
	if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0)
		log_configure(model->log.level, model->log.format);
	if (fd >= 0)
		close(fd);
}

/* Takes over: serves the current state, and listens for the management API. There is no way back:
 * each failure is logged, and the rest goes on. */
static void on_state(struct process *process, int fd)
{
	char text[SERVICE_TEXT_MAX], error[HTTP_ERROR_MAX];

	take_log(process, fd);
	process->taking = true;
	reload_query_log(process, process->service.server.model);
	service_take(&process->service, text);
	management_api_use_state(&process->management);
	if (http_listen(process->management.http, error) != 0)
		log_event(LOG_ERROR, "http", "%s", error);
	metrics_listener_listen(&process->metrics);
	log_event(LOG_INFO, "upgrade", "has taken over: %s", text);
	master_link_say(&process->master, MASTER_TELL, MASTER_READY, text);
	reload_catch_up(process);
}

/* The previous server ended unexpectedly, and nobody served until this process did. */
static void on_gap(struct process *process, uint32_t ms, const char *end)
{
	struct service *service = &process->service;
	char text[MASTER_TEXT_MAX + 128], gap[32];

	if (ms < 10 * 1000)
		snprintf(gap, sizeof gap, "%u ms", ms);
	else
		snprintf(gap, sizeof gap, "%u s", ms / 1000);
	snprintf(text, sizeof text, "the server before this one %s; nobody answered for %s", end,
		 gap);
	log_event(LOG_WARNING, "restart", "%s", text);
	free(service->restart.text);
	service->restart.text = strdup(text);
	service->restart.at_s = time(NULL);
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
	if (message->word == MASTER_GAP)
		on_gap(process, message->number, message->text);
	else if (message->word == MASTER_LEAVE)
		on_leave(process, message->number);
	else if (message->word == MASTER_DRAIN)
		on_drain(process, message->number);
	else if (message->word == MASTER_HURRY)
		on_hurry(process);
	else if (message->word == MASTER_REFUSED)
		on_refused(process, message->text);
}

static void close_open(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Ends the query log before the service, because the last records point to data of the service. */
static void close_loop(struct process *process)
{
	metrics_listener_close(&process->metrics);
	tally_free(process->tally);
	if (process->service.server.workers)
		server_stop(&process->service.server);
	query_log_stop(process->query_log);
	events_close();
	log_on_waiting(NULL, NULL);
	service_close(&process->service);
	management_api_close(&process->management);
	uv_walk(&process->loop, close_open, NULL);
	uv_run(&process->loop, UV_RUN_DEFAULT);
	int err = uv_loop_close(&process->loop);
	assert(err == 0);
	(void)err;
	query_log_free(process->query_log);
	process->query_log = process->service.query_log = NULL;
}

static int watch_signal(struct process *process, uv_signal_t *signal, uv_signal_cb callback,
			int number)
{
	int err = uv_signal_init(&process->loop, signal);
	signal->data = process;
	return err == 0 ? uv_signal_start(signal, callback, number) : err;
}

/* Checks that descriptors are left for the first loop: libuv aborts if it cannot open its signal
 * pipe. */
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

static void on_event(void *context)
{
	struct process *process = context;

	if (process->management.http)
		http_look(process->management.http);
}

/* Opens the loop and its handles. On failure (no memory or descriptors) closes the loop and returns
 * the exit status. */
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
	if (err == 0)
		err = events_open(&process->loop, on_event, process);
	if (err == 0)
		err = follow_log(process);
	if (err != 0) {
		close_loop(process);
		return exit_fail("signals cannot be watched: %s", uv_strerror(err));
	}
	signals_allow();
	return EXIT_SUCCESS;
}

/* Tells the master that this server is alive only if this loop turns, every worker has turned its
 * own since the previous check, and no thread is lost. One hanging worker leaves its clients
 * without answers while others get theirs. Therefore this server then tells the master nothing, and
 * the master kills it and starts another. */
static void on_watchdog(uv_timer_t *timer)
{
	struct process *process = timer->data;
	bool turns = server_is_alive(&process->service.server);
	char name[THREAD_NAME_MAX];

	if (turns == process->hangs)
		log_event(turns ? LOG_WARNING : LOG_ERROR, "watchdog",
			  turns ? "every worker's loop turns again"
				: "a worker's loop has stopped turning; the master is no longer "
				  "told that all is well");
	process->hangs = !turns;
	while (threads_find_gone(name)) {
		log_event(LOG_ERROR, "watchdog",
			  "the thread %s has ended ahead of its time; the master is no longer told "
			  "that all is well",
			  name);
		process->lacks_thread = true;
	}
	if (turns && !process->lacks_thread)
		master_link_say(&process->master, MASTER_ALIVE, 0, NULL);
}

/* The master sets the period in the environment, as a service manager does. */
static void start_watchdog(struct process *process)
{
	uint64_t turn_ms = notify_watchdog_us() / 1000 / WATCHDOG_TURNS + 1;
	bool alive = server_is_alive(&process->service.server); /* starts the first interval */

	(void)alive;
	uv_timer_start(&process->watchdog, on_watchdog, turn_ms, turn_ms);
}

static int refuse(struct faults *faults)
{
	faults_sort(faults);
	faults_print(faults, stderr);
	return EXIT_FAILURE;
}

/* Called when every worker answers from the latest policy: answers the requests that wait for this,
 * and tells the master that a takeover is complete. */
static void on_adopted(void *context)
{
	struct process *process = context;

	api_let_go(&process->management.api);
	http_look(process->management.http);
	if (process->taking && !process->service.beside)
		master_link_say(&process->master, MASTER_TAKEN, 0, NULL);
	process->taking = false;
}

/* ---- the query log ---- */

static void on_query_read(void *context) /* on the log's thread */
{
	const struct process *process = context;
	const struct worker_shared *shared = &process->service.server.shared;

	shared->on_release(shared->context);
}

static void on_query_news(void *context) /* on the log's thread */
{
	struct process *process = context;

	uv_async_send(&process->query_news);
}

static void on_query_wake(uv_async_t *wake)
{
	const struct process *process = wake->data;

	if (process->management.http)
		http_look(process->management.http);
}

static int open_query_log(struct process *process)
{
	const struct query_log_listener listener = {sandbox_bare_thread, on_query_read,
						    on_query_news, process};

	if (uv_async_init(&process->loop, &process->query_news, on_query_wake) != 0)
		return ERR_SYSTEM;
	process->query_news.data = process;
	process->query_log = query_log_new(&process->service.server.rings, &listener);
	process->service.query_log = process->query_log;
	return process->query_log ? 0 : ERR_NOMEM;
}

/* Gives up most system calls; call it before other threads run. */
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

/* Prepares a model's listeners, which are outside the service. */
static int prepare_access(void *context, const struct model *model, const struct model *before,
			  struct faults *faults)
{
	struct process *process = context;
	int err = management_api_prepare(&process->management, model, before, faults);

	if (err != 0)
		return err;
	err = metrics_listener_prepare(&process->metrics, model, before, faults);
	if (err != 0)
		management_api_finish(&process->management, false);
	return err;
}

static void finish_access(void *context, bool served)
{
	struct process *process = context;

	management_api_finish(&process->management, served);
	metrics_listener_finish(&process->metrics, served);
	if (served)
		tally_follow(process->tally);
}

/* Whether the master has started this server in place of one that ended. A reload may have
 * accepted, with a warning, settings that take effect only now; they must not keep this server from
 * serving. */
static bool is_again(const struct process *process)
{
	return process->master.workers > 0 && !process->service.beside;
}

/* All steps up to serving. The management API listens once its clients and the key of tokens are
 * known, so that valid tokens are not refused; beside another server it listens once that server
 * has left. */
static int begin(struct process *process, struct model *model, struct faults *faults,
		 char text[SERVICE_TEXT_MAX])
{
	if (server_open(&process->service.server, model, faults) != 0)
		return refuse(faults);
	int status = enter_sandbox(process);
	if (status == EXIT_SUCCESS)
		status = management_api_open(&process->management, &process->loop,
					     &process->service, process_dialects, &process->master,
					     is_again(process), model, faults);
	process->tally = tally_new(&process->service);
	if (status == EXIT_SUCCESS && !process->tally)
		status = exit_fail("%s", err_text(ERR_NOMEM));
	if (status == EXIT_SUCCESS)
		status = metrics_listener_open(&process->metrics, &process->loop, &process->service,
					       process->tally, &process->master, model);
	if (status != EXIT_SUCCESS)
		return status;
	if (!process->service.beside)
		reload_query_log(process, model);
	if (reload_serve(process, model, faults, text) != 0)
		return refuse(faults);
	if (!process->service.beside && management_api_listen(&process->management) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	/* Workers run already, and come first: a change takes no processor time that an answer
	 * needs. This thread, and those it starts later, rank between the workers and the
	 * listeners' threads (HTTP_NICENESS), which strangers can keep busy. */
	int niceness = nice(NICENESS);
	(void)niceness; /* on failure the process serves all the same */
	return EXIT_SUCCESS;
}

void process_call_webhook(const struct model *model)
{
	int err = webhook_configure(&model->events);

	if (err)
		log_event(LOG_ERROR, "webhook", "events.webhook will not be called: %s",
			  err_text(err));
}

/* Serves until a signal stops the process, or its successor has taken over. */
static void run(struct process *process, const struct model *model, const struct faults *faults,
		const char *text)
{
	struct server *server = &process->service.server;

	start_watchdog(process);
	process_call_webhook(model);
	health_log_start(&process->health, &process->loop, server);
	recorder_start(&process->recorder, &process->loop, process->tally);
	process->management.api.history = process->recorder.history;
	service_follow(&process->service);
	master_link_serve(&process->master, text); /* before the log says that it serves */
	log_faults("load", faults);
	log_event(LOG_INFO, "serving", "sluice %s, %u worker%s, %s", SLUICE_VERSION,
		  server->worker_count, text_plural(server->worker_count, "", "s"), text);
	if (geteuid() == 0 && !model->user)
		log_event(LOG_WARNING, "privileges",
			  "running as root; set `user` to drop root's rights");
	uv_run(&process->loop, UV_RUN_DEFAULT);
	service_finish(&process->service);
	health_log_stop(&process->health);
	stop_recorder(process);
	webhook_end();
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

/* The master has opened sockets for a number of workers: another number needs a full restart. */
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

/* Serves the model and takes it over. The loop is open. */
static int serve(struct process *process, struct model *model, struct faults *faults)
{
	struct service *service = &process->service;
	char text[SERVICE_TEXT_MAX];
	sigset_t before;
	unsigned workers =
		process->master.workers ? process->master.workers : process_workers(model);
	int err = service_open(service, &process->loop, workers, on_adopted, on_work_end, process);

	process->workers = model->workers;
	if (err == 0)
		err = open_query_log(process);
	if (err != 0) {
		model_free(model);
		return exit_fail("%s", err_text(err));
	}
	reload_open(process);
	service->access = (struct service_access){prepare_access, finish_access, process};
	service->server.shared.on_start = sandbox_bare_thread;
	service->server.sockets = (struct server_sockets){process, open_listener, close_listener};
	signals_block(&before);
	int status = begin(process, model, faults, text);
	signals_restore(&before);
	if (status == EXIT_SUCCESS)
		run(process, model, faults, text);
	if (!service->server.model) /* the model was never served */
		model_free(model);
	return status;
}

/* Becomes the model's user, and notes what a reload cannot change. */
static int become_user(struct process *process, struct model *model, struct faults *faults)
{
	char who[PRIVILEGES_TEXT_MAX];
	const struct load *load = &process->service.load;
	const char *resolv_conf = load->next_follows ? load->resolv_conf : NULL;
	uid_t before = geteuid();
	process->user = model->user ? strdup(model->user) : NULL;
	process->group = model->group ? strdup(model->group) : NULL;
	privileges_check_program(model, faults);
	if (privileges_drop(model, resolv_conf,
			    is_again(process) ? PRIVILEGES_SERVE_AGAIN : PRIVILEGES_SERVE,
			    faults) != 0)
		return refuse(faults);
	if (master_link_bind(&process->master) != 0)
		return exit_fail("the master has ended");
	if (geteuid() != before)
		log_event(LOG_INFO, "privileges", "goes on as %s", privileges_text(who));
	process->seccomp = model->seccomp;
	return EXIT_SUCCESS;
}

static void on_migration_progress(void *context)
{
	struct process *process = context;

	master_link_say(&process->master, MASTER_ALIVE, 0, NULL);
}

/* Loads the configuration and serves it; returns the exit status. */
static int load_and_serve(struct process *process, struct faults *faults)
{
	struct load *load = &process->service.load;
	struct model *model;
	int status;

	load->migration.on_progress = on_migration_progress;
	load->migration.context = process;
	process->service.upgrading = process->master.upgrading; /* REFUSED clears it */
	model = reload_load(process, faults);
	if (!model)
		return refuse(faults);
	log_configure(model->log.level, model->log.format);
	status = become_user(process, model, faults);
	if (status == EXIT_SUCCESS) {
		model = reload_go_back(process, model, faults);
		status = model ? check_workers(process, model, faults) : refuse(faults);
	}
	if (status == EXIT_SUCCESS)
		status = open_loop(process);
	if (status != EXIT_SUCCESS) {
		model_free(model);
		return status;
	}
	status = serve(process, model, faults);
	/* close_loop removes the signal handlers, so SIGTERM or SIGHUP would kill this process. */
	signals_block(NULL);
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
	events_begin();
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

/* ---- requests ---- */

/* POST /v1/upgrade {"binary"}: the master starts that program beside this process. Answers the
 * program's {"pid"} once that process reads the queries; 409 and the reason if this one goes on.
 * Only on the unix socket, where the kernel identifies the client. */
static void api_upgrade(struct api_request *request)
{
	const char *program = json_string_value(json_object_get(request->body, "binary"));
	struct process *process = process_of(request);
	char waits[CONFIRMATION_TEXT_MAX];
	const char *why =
		process->service.ending ? "the server is about to end"
		: process->service.upgrading || process->successor
			? "another upgrade is under way; wait until it is done"
		: commit_doubt_waits(&process->service)
			? commit_doubt_waits(&process->service)
			: confirmation_waits(&process->service.confirmation, false, waits);

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
	process->service.upgrading = true;
	log_event(LOG_INFO, "upgrade", "starting %s beside this process", program);
	if (master_link_say(&process->master, MASTER_UPGRADE, 0, program) != 0)
		end_upgrade(process, 503, "the master takes no message now; try again");
}

static const struct api_route routes[] = {
	{"POST", "/v1/reload", API_OPERATE, api_reload, 0, API_FIELDS("confirm")},
	{"POST", "/v1/confirm", API_OPERATE, api_confirm, 0, API_FIELDS("back")},
	{"POST", "/v1/upgrade", API_OPERATE, api_upgrade, 0, API_NO_FIELDS},
	{.method = NULL},
};
static const struct api_dialect process_api = {.routes = routes};

const struct api_dialect *const process_dialects[] = {
	&dashboard,     &api_designate, &api_keystone, &api_arm,
	&api_arm_login, &process_api,   &api_v1,       NULL,
};
