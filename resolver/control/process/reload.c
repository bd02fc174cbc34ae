/* Every configuration is served by publish(), in a reload and in going back:
 *
 *     reload   copy of the served one ─► load ─► does it need a restart? ─┐
 *              (if the reload must be confirmed)                          ├─► publish()
 *     back     load of the copy ──────────────────────────────────────────┘
 *
 * A change of resources goes back by service_take_back. */
#include "resolver/control/process/reload.h"

#include <unistd.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"
#include "resolver/control/config/copy.h"
#include "resolver/control/config/file.h"
#include "resolver/control/observe/query_log/query_log.h"
#include "resolver/control/process/process.h"
#include "resolver/log.h"
#include "rules/text.h"

/* ---- serving a model ---- */

/* Warns of settings that only a restart can change. */
static void warn_of_restart(const struct process *process, const struct model *model,
			    struct faults *faults)
{
	unsigned workers = process->service.server.worker_count;
	/* Both 0 (one worker per CPU): no setting has changed, even if the number of CPUs has. */
	bool same_workers = model->workers == 0 && process->workers == 0;

	if (!text_equal(model->user, process->user) || !text_equal(model->group, process->group))
		fault_add(faults, FAULT_WARNING, &model->user_origin, NULL,
			  "another user or group takes a restart");
	if (model->seccomp != process->seccomp)
		fault_add(faults, FAULT_WARNING, &model->origin, "seccomp",
			  "to turn seccomp on or off takes a restart");
	if (!same_workers && process_workers(model) != workers)
		fault_add(faults, FAULT_WARNING, &model->workers_origin, NULL,
			  "another number of workers takes a restart; still %u", workers);
	management_api_warn(&process->management, &model->management, faults);
}

void reload_query_log(struct process *process, const struct model *model)
{
	int err = query_log_configure(process->query_log, model);

	if (err != 0)
		log_event(LOG_ERROR, "query_log", "queries are logged as before: %s",
			  err_text(err));
}

/* Calls service_publish, and sets the key of tokens and the query log. */
static void publish(struct process *process, struct service_prepared *prepared,
		    char text[SERVICE_TEXT_MAX])
{
	service_publish(prepared, text);
	management_api_use_state(&process->management);
	if (!process->service.beside)
		reload_query_log(process, process->service.server.model);
}

int reload_serve(struct process *process, struct model *model, struct faults *faults,
		 char text[SERVICE_TEXT_MAX])
{
	struct service_prepared prepared;
	int err = service_prepare(&process->service, model, NULL, &prepared, faults);

	if (err == 0)
		publish(process, &prepared, text);
	service_prepared_release(&prepared);
	return err;
}

/* A requested reload: by whom, and how long it waits to be confirmed. */
struct reload_order {
	const char *who;
	unsigned wait_s; /* 0: needs no confirmation */
};

/* ---- a reload that may go back (service/confirmation.h) ---- */

static void add_fault(const struct process *process, struct faults *faults, const char *text)
{
	fault_add(faults, FAULT_ERROR, &process->service.server.model->origin, NULL, "%s", text);
}

/* Checks that the copy of the served configuration can be served: going back needs it. */
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

/* Keeps the served configuration as files. If a reload went back, the files are still there. */
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
		err = config_copy_write(model_declared(service->server.model), confirmation->copy,
					error);
	if (err)
		add_fault(process, faults, error);
	return err ? err : check_copy(process, faults);
}

/* Refuses a change that needs a restart: it would not be tried now, and a restart would apply it
 * unconfirmed. `warnings`: their count before warn_of_restart. */
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

/* Writes down that the next start goes back to the previous configuration. `unconfirmed` NULL: it
 * serves the configuration file as it is. */
static int note_reload(const struct confirmation *confirmation,
		       const struct unconfirmed *unconfirmed, struct faults *faults)
{
	char error[CONFIRMATION_TEXT_MAX];
	const struct origin nowhere = {0};
	int err = 0;

	if (unconfirmed)
		err = confirmation_write(confirmation, unconfirmed, error);
	else if (confirmation->directory)
		err = confirmation_remove(confirmation, UNCONFIRMED_RELOAD, error);
	if (err)
		fault_add(faults, FAULT_ERROR, &nowhere, NULL, "%s", error);
	return err;
}

/* Serves the model; begins to wait for a confirmation if `order` says so. */
static int replace_as(struct process *process, const struct reload_order *order,
		      struct model *model, struct faults *faults, char text[SERVICE_TEXT_MAX])
{
	struct confirmation *confirmation = &process->service.confirmation;
	const struct unconfirmed unconfirmed =
		unconfirmed_now(UNCONFIRMED_RELOAD, order->who, order->wait_s);
	bool waits = order->wait_s > 0;
	struct service_prepared prepared;
	int err = service_prepare(&process->service, model, NULL, &prepared, faults);

	if (err == 0)
		err = note_reload(confirmation, waits ? &unconfirmed : NULL, faults);
	if (err == 0)
		publish(process, &prepared, text);
	service_prepared_release(&prepared);
	if (err)
		return err;
	confirmation->is_back = false;
	if (waits)
		confirmation_begin(confirmation, &unconfirmed);
	log_configure(model->log.level, model->log.format);
	process_call_webhook(model);
	return 0;
}

/* Replaces the copy's full paths of control socket and state by those of the file, which may be
 * relative and mean the same. So a later reload sees no difference, and the master, which knows an
 * open socket by the text of its path, finds the socket. If memory is short, the full paths
 * stay. */
static void take_places(struct model *copy, const struct management *file)
{
	for (; copy; copy = copy->declared) {
		const char *socket = file->socket ? arena_strdup(&copy->arena, file->socket) : NULL;
		const char *state = file->state ? arena_strdup(&copy->arena, file->state) : NULL;

		copy->management.socket = socket ? socket : copy->management.socket;
		copy->management.state = state ? state : copy->management.state;
	}
}

/* Serves again the configuration from before the unconfirmed reload. */
static int take_back_reload(struct process *process, struct faults *faults)
{
	struct service *service = &process->service;
	struct confirmation *confirmation = &service->confirmation;
	struct model *model =
		load_file(&service->load, confirmation->copy_file, service->server.model, faults);
	char text[SERVICE_TEXT_MAX];
	int err;

	take_places(model, &service->server.model->management);
	err = model ? reload_serve(process, model, faults, text) : ERR_FAULTS;
	if (err) {
		model_free(model);
		return err;
	}
	log_configure(model->log.level, model->log.format);
	process_call_webhook(model);
	confirmation_end(confirmation, true);
	return 0;
}

/* A reload or change that goes back, and the request for it. */
struct going {
	struct process *process;
	struct api_request *request; /* NULL: the time to confirm is over */
	struct unconfirmed what;
};

static void log_back(const struct going *going)
{
	const char *by = going->request ? going->request->who : NULL;
	unsigned long long generation = going->process->service.server.generation;
	char name[UNCONFIRMED_NAME_MAX], shown[CONFIRMATION_TEXT_MAX];

	snprintf(shown, sizeof shown, "%s goes back: %s; generation %llu",
		 unconfirmed_name(&going->what, true, name),
		 by ? "as a client wants it" : "nobody confirmed it in time", generation);
	log_event_guarded(LOG_WARNING, "confirm", shown, "%s goes back: %s%s%s; generation %llu",
			  unconfirmed_name(&going->what, false, name),
			  by ? "as " : "nobody confirmed it in time", by ? by : "",
			  by ? " wants it" : "", generation);
	confirmation_log_is_back(&going->process->service.confirmation);
}

static void answer_decided(struct api_request *request, const struct unconfirmed *what, bool back);

/* Ends a try to go back. `why`: the reason of its failure, which is logged before another try;
 * NULL: it succeeded. */
static void on_back(void *context, const char *why)
{
	struct going *going = context;
	struct confirmation *confirmation = &going->process->service.confirmation;

	if (!why) {
		log_back(going);
		if (going->request)
			answer_decided(going->request, &going->what, true);
	} else {
		snprintf(confirmation->error, sizeof confirmation->error, "%s", why);
		confirmation_log_waits(confirmation);
		confirmation_try_again(confirmation, CONFIRMATION_AGAIN_MS);
		if (going->request)
			api_fail(going->request, 503, NULL,
				 "%s; it is still served, and that is tried again", why);
	}
	free(going);
}

/* Takes the unconfirmed reload or change back. */
static void take_back(struct process *process, bool at_once, struct api_request *request)
{
	struct service *service = &process->service;
	struct going *going = malloc(sizeof *going);
	const struct fault *first;
	struct faults faults;

	if (!going) {
		if (request)
			api_fail_memory(request);
		else
			confirmation_try_again(&service->confirmation, CONFIRMATION_AGAIN_MS);
		return;
	}
	*going = (struct going){process, request, service->confirmation.waiting};
	if (going->what.kind == UNCONFIRMED_CHANGE) {
		service_take_back(service, at_once, on_back, going);
		return;
	}
	faults_init(&faults);
	int err = take_back_reload(process, &faults);
	faults_sort(&faults);
	log_faults("confirm", &faults);
	first = faults_first(&faults);
	on_back(going, !err ? NULL : first ? first->text : err_text(err));
	faults_release(&faults);
}

/* Takes an unconfirmed change or reload back when its time is over. A change that still waits at a
 * start goes back at once, before the first request (reload_open). */
static void on_due(void *context)
{
	enum { BUSY_MS = 100 };
	struct process *process = context;
	struct confirmation *confirmation = &process->service.confirmation;
	bool at_once = process->goes_back_first;

	process->goes_back_first = false;

	if (process->service.ending) /* the next start takes it back */
		return;
	if (process->service.work.busy)
		confirmation_try_again(confirmation, BUSY_MS);
	else
		take_back(process, at_once, NULL);
}

/* ---- reloads ---- */

/* Why no reload is possible now; NULL: one is possible. */
static const char *why_no_reload(const struct process *process, char text[CONFIRMATION_TEXT_MAX])
{
	if (process->service.ending)
		return "the server is about to end";
	if (process->service.upgrading)
		return "an upgrade is under way; reload once it is done";
	return confirmation_waits(&process->service.confirmation, false, text);
}

/* On failure the faults say why the configuration is not served; else `text` says what is
 * served. */
static int try_reload(struct process *process, const struct reload_order *order,
		      struct faults *faults, char text[SERVICE_TEXT_MAX])
{
	struct service *service = &process->service;
	char waits[CONFIRMATION_TEXT_MAX];
	const char *why = why_no_reload(process, waits);
	bool will_wait = order->wait_s > 0;
	struct model *model = NULL;
	size_t warnings;
	int err = 0;

	if (!why && will_wait) /* only one can wait at a time */
		why = commit_doubt_waits(service);
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
		err = model ? replace_as(process, order, model, faults, text) : ERR_FAULTS;
	if (err != 0)
		model_free(model);
	if (err != 0 && will_wait)
		confirmation_forget_copy(&service->confirmation);
	return err;
}

/* Reads the configuration again and serves it; on failure the old one stays, and the sorted faults
 * say why. Logs the result, and tells it to the service manager. */
static int reload(struct process *process, const struct reload_order *order, struct faults *faults,
		  char text[SERVICE_TEXT_MAX])
{
	struct master_link *master = &process->master;
	bool ending = process->service.ending; /* the manager has been told of the stop */
	char count[REPORT_TEXT_MAX];
	int err;

	if (!ending)
		master_link_say(master, MASTER_TELL, MASTER_RELOADING, NULL);
	err = try_reload(process, order, faults, text);
	faults_sort(faults);
	process->service.reloads.last_refused = err != 0;
	*(err ? &process->service.reloads.refused : &process->service.reloads.succeeded) += 1;
	if (err == 0)
		log_event(LOG_INFO, "reload", "reloaded: %s%s", text,
			  order->wait_s > 0 ? "; to be confirmed" : "");
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

void reload_catch_up(struct process *process)
{
	static const struct reload_order order = {"SIGHUP", 0};
	char text[SERVICE_TEXT_MAX];
	struct faults faults;

	if (!process->reload_wanted || process->service.work.busy || process->service.upgrading ||
	    process->service.beside || process->successor)
		return;
	process->reload_wanted = false;
	faults_init(&faults);
	int err = reload(process, &order, &faults, text);
	(void)err; /* already logged */
	faults_release(&faults);
}

/* ---- a start ---- */

/* If an unconfirmed change still waits after the load, takes it back as soon as the loop runs, or
 * after CONFIRMATION_AGAIN_MS if an attempt at the start has failed. */
void reload_open(struct process *process)
{
	struct confirmation *confirmation = &process->service.confirmation;

	confirmation_open(confirmation, &process->loop, on_due, process);
	process->goes_back_first = confirmation->waits && !*confirmation->error;
	if (confirmation->waits)
		confirmation_try_again(confirmation,
				       *confirmation->error ? CONFIRMATION_AGAIN_MS : 0);
}

/* Loads the copy from before an unconfirmed reload in place of the model (NULL: the file has
 * faults). `file` has the paths of the file's control socket and state. If the copy cannot be read,
 * the file's model is served: names must be answered. */
static struct model *go_back_to_copy(struct process *process, struct model *model,
				     const struct management *file, const struct unconfirmed *found,
				     struct faults *faults)
{
	struct confirmation *confirmation = &process->service.confirmation;
	struct faults of_copy;
	struct model *copy;

	faults_init(&of_copy);
	copy = load_file(&process->service.load, confirmation->copy_file, NULL, &of_copy);
	if (copy) {
		faults_release(faults);
		*faults = of_copy;
		take_places(copy, file);
		model_free(model);
		confirmation->is_back = true;
		confirmation->gone = *found;
		confirmation_log_is_back(confirmation);
		return copy;
	}
	log_faults("confirm", &of_copy);
	faults_release(&of_copy);
	log_event_guarded(LOG_ERROR, "confirm",
			  "what was served before a reload that was not confirmed cannot be read",
			  "what was served before the reload by %s that was not confirmed cannot "
			  "be read%s",
			  found->who, model ? "; the configuration file is served" : "");
	return model;
}

/* Reads two paths from a configuration file that has faults: load->state, and the control socket's
 * ("": the file has none, or it cannot be read). False: the state's path or `user` cannot be read,
 * or this process is root and must become another user before it reads the copy beside the
 * state. */
static bool find_places(struct load *load, char socket[LOAD_PATH_MAX])
{
	struct faults ignored;
	char user[LOAD_PATH_MAX];
	bool found;

	faults_init(&ignored);
	found = config_file_setting(load->config, NULL, "user", user, sizeof user, &ignored) == 0 &&
		(geteuid() != 0 || *user == '\0') &&
		config_file_setting(load->config, "management", "state", load->state, LOAD_PATH_MAX,
				    &ignored) == 0;
	if (config_file_setting(load->config, "management", "socket", socket, LOAD_PATH_MAX,
				&ignored) != 0)
		*socket = '\0';
	faults_release(&ignored);
	/* The load takes the state's path from the first model that it reads, which would be the
	 * copy, with the full path. has_read keeps the path that was found here. */
	load->has_read |= found;
	return found;
}

struct model *reload_load(struct process *process, struct faults *faults)
{
	struct service *service = &process->service;
	struct load *load = &service->load;
	struct model *model = load_model(load, NULL, faults);
	struct unconfirmed found;
	char socket[LOAD_PATH_MAX];

	if (model || !find_places(load, socket) ||
	    confirmation_place(&service->confirmation, load->state) != 0 ||
	    !confirmation_find(&service->confirmation, UNCONFIRMED_RELOAD, &found))
		return model;
	log_faults("load", faults);
	return go_back_to_copy(
		process, NULL,
		&(struct management){.socket = *socket ? socket : NULL, .state = load->state},
		&found, faults);
}

/* Loads the model again after a failed try to go back. The try may still have changed the state
 * (COMMIT_UNKNOWN, or only the record could not be removed). In that case a later try finds no rows
 * to restore, so the state is loaded here. */
static struct model *load_after_failure(struct load *load, struct model *model,
					struct faults *faults)
{
	struct faults found;
	struct model *again;

	faults_init(&found);
	again = load_again(load, model_declared(model), model, &found);
	if (!again) {
		faults_release(&found);
		return model;
	}
	faults_release(faults);
	*faults = found;
	faults_sort(faults);
	model_free(model);
	return again;
}

/* Restores the state from before an unconfirmed change, and loads the model again; NULL: the faults
 * say why it cannot. If the state cannot be written, going back is tried again later. */
static struct model *go_back_in_state(struct process *process, struct model *model,
				      const struct unconfirmed *found, struct faults *faults)
{
	struct service *service = &process->service;
	struct confirmation *confirmation = &service->confirmation;
	char error[CONFIRMATION_TEXT_MAX], name[UNCONFIRMED_NAME_MAX], shown[CONFIRMATION_TEXT_MAX];
	struct model *before;

	if (confirmation_restore(confirmation, service->load.state, found, error) != 0) {
		if (*error)
			log_event_guarded(LOG_ERROR, "confirm", "a change could not go back",
					  "the change by %s could not go back: %s", found->who,
					  error);
		confirmation->waiting = *found;
		confirmation->waits = true;
		snprintf(confirmation->error, sizeof confirmation->error, "%s", error);
		return *error ? load_after_failure(&service->load, model, faults) : model;
	}
	snprintf(shown, sizeof shown, "%s was not confirmed and has gone back",
		 unconfirmed_name(found, true, name));
	log_event_guarded(LOG_WARNING, "confirm", shown, "%s was not confirmed and has gone back",
			  unconfirmed_name(found, false, name));
	faults_release(faults);
	faults_init(faults);
	before = load_again(&service->load, model_declared(model), NULL, faults);
	faults_sort(faults);
	model_free(model);
	return before;
}

struct model *reload_go_back(struct process *process, struct model *model, struct faults *faults)
{
	struct confirmation *confirmation = &process->service.confirmation;
	struct unconfirmed found;

	if (confirmation_place(confirmation, process->service.load.state) != 0) {
		log_event(LOG_ERROR, "confirm", "%s", err_text(ERR_NOMEM));
		return model;
	}
	if (!confirmation->is_back && confirmation_find(confirmation, UNCONFIRMED_RELOAD, &found))
		model = go_back_to_copy(process, model, &model->management, &found, faults);
	if (!process->service.beside && confirmation_find(confirmation, UNCONFIRMED_CHANGE, &found))
		model = go_back_in_state(process, model, &found, faults);
	if (model)
		log_configure(model->log.level, model->log.format);
	return model;
}

/* ---- requests ---- */

/* The unconfirmed reload or change; null: nothing waits. */
static json_t *waiting_json(const struct process *process)
{
	const struct confirmation *confirmation = &process->service.confirmation;

	return confirmation->waits
		       ? unconfirmed_json(&confirmation->waiting, confirmation->error, false)
		       : json_null();
}

/* POST /v1/reload?confirm=SECONDS: {"ok", "text", "generation", "faults", "unconfirmed"}. If the
 * configuration has faults, answers 422 with an "error" besides; then nothing has changed. */
void api_reload(struct api_request *request)
{
	struct process *process = process_of(request);
	char text[SERVICE_TEXT_MAX], count[REPORT_TEXT_MAX];
	struct reload_order order = {.who = request->who};
	struct faults faults;
	json_t *answer;
	bool fine;

	if (!api_may_change(request) || !api_query_confirm(request, &order.wait_s))
		return;
	faults_init(&faults);
	fine = reload(process, &order, &faults, text) == 0;
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

/* Confirms the waiting reload or change. False: the confirmation cannot be recorded, and the client
 * has been told. */
static bool confirm(struct api_request *request, struct confirmation *confirmation)
{
	char error[CONFIRMATION_TEXT_MAX], name[UNCONFIRMED_NAME_MAX], shown[CONFIRMATION_TEXT_MAX];

	if (confirmation_remove(confirmation, confirmation->waiting.kind, error) != 0) {
		api_fail(request, 503, NULL, "%s; it is not confirmed", error);
		return false;
	}
	confirmation_end(confirmation, false);
	snprintf(shown, sizeof shown, "%s is confirmed",
		 unconfirmed_name(&confirmation->waiting, true, name));
	log_event_guarded(LOG_INFO, "confirm", shown, "%s is confirmed by %s",
			  unconfirmed_name(&confirmation->waiting, false, name), request->who);
	return true;
}

static void answer_decided(struct api_request *request, const struct unconfirmed *what, bool back)
{
	api_reply_json(request, 200,
		       json_make("{s:b, s:b, s:o}", "ok", 1, "confirmed", (int)!back, "unconfirmed",
				 unconfirmed_json(what, NULL, false)),
		       NULL);
}

/* POST /v1/confirm, ?back: {"ok", "confirmed", "unconfirmed": the reload or change}; 409 if nothing
 * waits. */
void api_confirm(struct api_request *request)
{
	struct process *process = process_of(request);
	struct confirmation *confirmation = &process->service.confirmation;
	char text[CONFIRMATION_TEXT_MAX];
	bool back;

	if (!api_query_flag(request, "back", &back))
		return;
	if (!confirmation->waits && confirmation_is_back(confirmation, false, text))
		api_fail(request, 409, NULL, "nothing waits to be confirmed: %s", text);
	else if (!confirmation->waits)
		api_fail(request, 409, NULL, "nothing waits to be confirmed");
	else if (back)
		take_back(process, false, request);
	else if (confirmation->waiting.kind == UNCONFIRMED_CHANGE &&
		 commit_rollback_is_doubtful(&process->service))
		api_fail(request, 503, NULL,
			 "it is not known whether the change has gone back already, because the "
			 "disk failed; that is found out by itself: try again later");
	else if (confirm(request, confirmation))
		answer_decided(request, &confirmation->waiting, false);
}
