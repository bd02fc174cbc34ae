/* Makes changes of resources, rolls one back, and reads rows of the state. */
#include "resolver/control/resource/home.h"
#include "resolver/control/service/next_model.h"
#include "resolver/control/service/rows.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/base.h"

/* ---- making a change ---- */

/* A change under way:
 *
 *     next model (next_model.h) ─► prepare: sockets ─► store: BEGIN, rows, COMMIT ─► publish
 *           └────────────────────────┴───────────────────┴── faults, or an error: the end
 *
 * A change of only addresses, services, PTRs and groups begins with store. A rehearsal ends after
 * store. The control thread prepares and publishes; for a large change a thread does the other two
 * steps, with a connection of its own to the state. */
struct commit {
	struct service *service;
	struct next_model next;
	struct model *model; /* with the edits; NULL: no edit is of a model, or the model is served
			      * already */
	struct policy *compiled;          /* of a large change */
	struct service_prepared prepared; /* of that model */
	struct resources *resources;      /* take the edits beside the model */
	struct home_change edited;        /* by the edits beside the model */
	struct homes_draft drafts;        /* of these edits */
	struct change_error refused;      /* of the first edit that `refuse` got */
	struct unconfirmed unconfirmed;
	bool is_unnoted; /* the data for a rollback, not the state, could not be written */
	enum commit_answer answer;
};

/* The data for a rollback must be on disk before the change is made. */
static int note_unconfirmed(struct commit *commit)
{
	struct service_change *change = commit->next.change;
	char error[CONFIRMATION_TEXT_MAX];
	int err;

	commit->unconfirmed.revision = change->revision;
	err = confirmation_write(&commit->service->confirmation, &commit->unconfirmed, error);
	commit->is_unnoted = err;
	return err ? change_say(&change->error, CHANGE_STORE, NULL, "%s", error) : 0;
}

/* Takes the error of a wrong edit, so that later edits are checked as well. False: the change ends
 * with this error, because it has no `refuse`, or because every edit would fail. */
static bool refuse_edit(struct commit *commit, size_t index)
{
	struct service_change *change = commit->next.change;
	struct change_error *error = &change->error;
	bool is_first = commit->refused.outcome == CHANGE_FINE;
	bool ends = !change->refuse || !change_error_is_of_edit(error);

	if (ends || is_first)
		change->failed = index;
	if (ends)
		return false;
	change->refuse(change->context, index, error);
	if (is_first)
		commit->refused = *error;
	error->outcome = CHANGE_FINE;
	return true;
}

/* Puts the page's edits beside the model. `before`: the index of the page's first edit for
 * service_change.refuse; 0 for a page of `more`. */
static int put_page(struct commit *commit, const struct edit_page *page, size_t before)
{
	int err = 0;

	for (size_t i = 0; !err && i < page->count; i++) {
		const struct resource_edit *edit = &page->edits[i];

		if (!kind_is_beside(edit->path.kind))
			continue;
		err = homes_put(&commit->drafts, edit);
		if (err && refuse_edit(commit, before + i))
			err = 0;
	}
	return err;
}

static int put_edits(struct commit *commit)
{
	enum { EDITS_AT_ONCE = 1000 };
	const struct service_change *change = commit->next.change;
	int err = 0;

	for (size_t at = 0; !err && at < change->count; at += EDITS_AT_ONCE) {
		size_t left = change->count - at;
		const struct edit_page page = {.edits = change->edits + at,
					       .count =
						       left < EDITS_AT_ONCE ? left : EDITS_AT_ONCE};

		err = put_page(commit, &page, at);
		if (page.count == EDITS_AT_ONCE)
			resources_forget(commit->resources);
	}
	return err;
}

/* Puts the edits of service_change.more. */
static int put_more(struct commit *commit)
{
	struct service_change *change = commit->next.change;
	struct edit_page page;
	int err;

	do {
		page = (struct edit_page){.count = 0};
		err = change->more(change->context, commit->resources, &page, &change->error);
		if (!err)
			err = put_page(commit, &page, 0);
		resources_forget(commit->resources);
	} while (!err && page.more);
	return err;
}

/* Puts the edits beside the model. Runs within the transaction. */
static int put_beside(struct commit *commit)
{
	struct service_change *change = commit->next.change;
	struct change_error trouble;
	int err;

	commit->edited = (struct home_change){.resources = commit->resources,
					      .source = commit->next.source,
					      .revision = change->revision,
					      .restores = change->again,
					      .why = change->again  ? ADDRESSES_BACK
						     : change->undo ? ADDRESSES_UNDO
								    : change->why,
					      .error = &change->error};
	if (homes_edit(&commit->drafts, &commit->edited) != 0)
		return next_model_fail(&commit->next, ERR_NOMEM, "");
	err = put_edits(commit);
	if (!err && change->more)
		err = put_more(commit);
	if (!err && commit->refused.outcome != CHANGE_FINE) {
		change->error = commit->refused;
		err = ERR_INVALID;
	}
	/* The reason of an error, such as "not found", may really be a failed read. */
	if (resources_check_reads(commit->resources, &trouble) == 0)
		return err;
	change->error = trouble;
	return ERR_INVALID;
}

static size_t count_beside(const struct service_change *change)
{
	size_t count = 0;

	for (size_t i = 0; i < change->count; i++)
		count += kind_is_beside(change->edits[i].path.kind);
	return count;
}

/* Sets change->rows. Runs within the transaction, which a rehearsal rolls back. */
static int tell_rows(struct commit *commit)
{
	struct service_change *change = commit->next.change;
	char error[SOURCE_ERROR_MAX];

	*change->rows = rows_written(commit->next.source, change->revision, error);
	return *change->rows ? 0 : change_say(&change->error, CHANGE_STORE, NULL, "%s", error);
}

/* Calls change->look within the transaction, which the rehearsal rolls back. */
static int look(struct commit *commit)
{
	struct service_change *change = commit->next.change;
	const struct snapshot *snapshot = commit->prepared.snapshot;
	struct resources *draft = resources_copy(commit->resources, STORE_SAME);
	int err;

	if (!draft)
		return next_model_fail(&commit->next, ERR_NOMEM, "");
	draft->model = commit->model ? commit->model : commit->next.now;
	change->look(change->context, draft, snapshot ? snapshot->policy : NULL);
	err = resources_check_reads(draft, &change->error);
	resources_take_trouble(commit->resources, draft);
	resources_copy_free(draft);
	return err;
}

static int tell_rehearsed(struct commit *commit)
{
	const struct service_change *change = commit->next.change;
	int err = change->rows ? tell_rows(commit) : 0;

	return !err && change->look ? look(commit) : err;
}

static int keep_pairs(struct commit *commit)
{
	const struct service_change *change = commit->next.change;
	struct source *source = commit->next.source;
	char error[SOURCE_ERROR_MAX] = "";
	int err = source->calls->put_pairs(source, change->pairs, change->pair_count, true, error);

	return err ? next_model_fail(&commit->next, err, error) : 0;
}

static int commit_rows(struct commit *commit)
{
	struct source *source = commit->next.source;
	char error[SOURCE_ERROR_MAX] = "";

	commit->answer = source->calls->commit(source, error);
	if (commit->answer == COMMIT_YES)
		return 0;
	if (commit->answer == COMMIT_NO)
		return next_model_fail(&commit->next, ERR_SYSTEM, error);
	return change_say(&commit->next.change->error, CHANGE_UNKNOWN, NULL,
			  "it is not known whether the change is made: %s. Look whether it is "
			  "there before you send it again",
			  error);
}

/* Writes and commits; a rehearsal is rolled back instead. */
static int store(struct commit *commit)
{
	struct service_change *change = commit->next.change;
	struct source *source = commit->next.source;
	uint64_t revision = change->revision; /* of the transaction that made the model; 0: none */
	bool any_beside = change->more || count_beside(change) > 0;
	int err;

	if (change->rehearsal && !any_beside && !change->rows && !change->look)
		return 0;
	/* Before BEGIN: a rollback recognizes the change's rows by this time, and writing them may
	 * take minutes. */
	if (change->wait_s > 0)
		commit->unconfirmed =
			unconfirmed_now(UNCONFIRMED_CHANGE, change->who, change->wait_s);
	err = next_model_write(&commit->next);
	if (err)
		return err;
	if (revision && change->revision != revision)
		err = change_say(&change->error, CHANGE_STALE, NULL,
				 "the state was changed meanwhile; try again");
	if (!err && any_beside)
		err = put_beside(commit);
	if (!err && change->rehearsal)
		err = tell_rehearsed(commit);
	if (!err && change->pair_count > 0 && !change->rehearsal)
		err = keep_pairs(commit);
	if (!err && change->wait_s > 0 && !change->rehearsal)
		err = note_unconfirmed(commit);
	if (!err && !change->rehearsal)
		err = commit_rows(commit);
	if (err || change->rehearsal)
		source->calls->roll_back(source);
	return err;
}

/* Begins to wait, or removes the record if the change failed. A record that stays is harmless:
 * the next start finds that the change was never made. */
static void wait_for_confirmation(struct commit *commit, bool is_made)
{
	struct confirmation *confirmation = &commit->service->confirmation;
	char error[CONFIRMATION_TEXT_MAX];

	if (is_made)
		confirmation_begin(confirmation, &commit->unconfirmed);
	else if (commit->unconfirmed.revision > 0 &&
		 confirmation_remove(confirmation, UNCONFIRMED_CHANGE, error) != 0)
		log_event(LOG_WARNING, "confirm", "%s", error);
}

static bool is_beside(const struct service_change *change)
{
	return count_beside(change) == change->count;
}

static void begin(struct commit *commit, struct service *service, struct resources *resources,
		  struct service_change *change, struct faults *faults)
{
	change->error.outcome = CHANGE_FINE;
	change->failed = NO_EDIT;
	change->revision = 0;
	change->checked = 0;
	*commit = (struct commit){.service = service,
				  .prepared = {.service = service},
				  .resources = resources,
				  .next = {.now = service->server.model,
					   .load = service->load,
					   .change = change,
					   .faults = faults}};
}

/* Reads the edits, and makes their model if they edit one, or if rows of another program come with
 * them. */
static int make_model(struct commit *commit)
{
	struct service_change *change = commit->next.change;
	struct next_model *next = &commit->next;
	int err = change->read ? change->read(change->context, commit->resources, change) : 0;

	if (err)
		return err;
	next->source = change_source(&commit->resources->store, &change->error);
	if (!next->source)
		return ERR_INVALID;
	next->anew = change->again && !next->source->calls->is_current(next->source);
	if (is_beside(change) && !next->anew)
		return 0;
	commit->model = next_model_make(next);
	return commit->model ? 0 : ERR_FAULTS;
}

/* Refuses the change if another program has written to the state: service_prepare reads addresses
 * again, but not the rows of the model. A rollback or agreed change goes on, because a reload is
 * refused until it is made. */
static int prepare(struct commit *commit)
{
	const struct store *store = resources_store(commit->service->resources);
	struct change_error *error = &commit->next.change->error;
	struct source_about known, found;
	int err;

	source_about(store->source, &known);
	err = service_prepare(commit->service, commit->model, commit->compiled, &commit->prepared,
			      commit->next.faults);
	if (err)
		return err;
	commit->resources = commit->prepared.resources;
	if (!change_source(store, error))
		return ERR_INVALID;
	source_about(store->source, &found);
	return found.revision == known.revision || commit->next.change->again
		       ? 0
		       : change_say(error, CHANGE_STORE, NULL,
				    "the state %s was changed by another program; reload the "
				    "configuration",
				    store->url);
}

/* Serves the stored change. */
static void publish(struct commit *commit)
{
	char text[SERVICE_TEXT_MAX];

	if (commit->model) {
		commit->service->load = commit->next.load;
		service_publish(&commit->prepared, text);
		commit->model = NULL;
	}
	(void)!homes_commit(&commit->drafts); /* after the COMMIT, it cannot fail */
	service_publish_owned(commit->service);
}

static void release_made(struct commit *commit)
{
	policy_free(commit->compiled);
	model_free(commit->model);
	next_model_release(&commit->next);
}

/* Ends the change. `err`: the result of the last step. Returns the result of service_change. */
static int finish(struct commit *commit, int err)
{
	struct store *store = resources_store(commit->service->resources);
	struct service_change *change = commit->next.change;
	const struct faults *faults = commit->next.faults;
	bool is_made = !err && !change->rehearsal;

	if (is_made)
		publish(commit);
	if (commit->answer == COMMIT_UNKNOWN)
		commit_doubt(commit->service, &commit->unconfirmed);
	else if (change->wait_s > 0 && !change->rehearsal)
		wait_for_confirmation(commit, is_made);
	if ((change->error.outcome == CHANGE_STORE || change->error.outcome == CHANGE_UNKNOWN) &&
	    commit->next.source && !commit->is_unnoted) {
		store_note_error(store, change->error.text, resources_trouble(commit->resources));
		resources_note_unread(commit->service->resources, commit->resources);
	} else if (is_made && !resources_has_unread(commit->service->resources)) {
		store_note_error(store, NULL, false);
	}
	homes_discard(&commit->drafts);
	service_prepared_release(&commit->prepared);
	release_made(commit);
	if (change->error.outcome != CHANGE_FINE)
		return ERR_INVALID;
	if (err)
		return ERR_FAULTS;
	for (size_t i = change->checked; is_made && i < faults->count; i++)
		log_fault("change", &faults->items[i]);
	return 0;
}

int service_change(struct service *service, struct service_change *change, struct faults *faults)
{
	struct commit commit;
	int err;

	begin(&commit, service, service->resources, change, faults);
	err = make_model(&commit);
	if (!err && commit.model)
		err = prepare(&commit);
	if (!err)
		err = store(&commit);
	return finish(&commit, err);
}

int service_rehearse(struct service *service, struct resources *resources,
		     struct service_change *change, struct faults *faults)
{
	struct commit commit;
	int err;

	change->rehearsal = true;
	begin(&commit, service, resources, change, faults);
	err = make_model(&commit);
	if (!err)
		err = store(&commit);
	/* `prepared` is empty. Releasing it may publish, which a thread that rehearses must not. */
	homes_discard(&commit.drafts);
	release_made(&commit);
	if (change->error.outcome != CHANGE_FINE)
		return ERR_INVALID;
	return err ? ERR_FAULTS : 0;
}

/* ---- large changes ---- */

enum { PORTION_RULES = 1000 }; /* attached per turn of the loop, in 1 to 2 ms */

struct large {
	struct commit commit;
	struct work_job attaching;
	struct service_change change;
	struct faults faults;
	struct resources *aside; /* has a connection of its own */
	bool is_stored;
	int err;
	service_on_change *on_change;
	void *context;
};

static void end_large(struct large *large)
{
	struct work *work = &large->commit.service->work;

	resources_copy_free(large->aside);
	service_end_of_thread(large->commit.service);
	large->on_change(large->context, large->err, &large->change, &large->faults);
	faults_release(&large->faults);
	free(large);
	work_end(work);
}

/* Closes the thread's connection first, because publishing may write serials over the server's own
 * connection. */
static void on_stored(void *context)
{
	struct large *large = context;

	if (large->aside)
		store_close(&large->aside->store);
	large->err = finish(&large->commit, large->err);
	end_large(large);
}

static void store_in_thread(void *context)
{
	struct large *large = context;

	large->err = store(&large->commit);
	large->is_stored = true;
}

/* Runs the next step in a thread. */
static void go_on(struct large *large, void (*in_thread)(void *context),
		  void (*on_done)(void *context))
{
	if (work_in_thread(&large->commit.service->work, large, in_thread, on_done) == 0)
		return;
	large->err = change_say(&large->change.error, CHANGE_BUSY, NULL,
				"no thread could be started for it; try again");
	on_stored(large);
}

static struct large *large_of(void *job)
{
	return container_of(job, struct large, attaching);
}

static bool attach_portion(void *job)
{
	struct large *large = large_of(job);
	struct commit *commit = &large->commit;
	int left = server_attach_some(&commit->service->server, commit->compiled, PORTION_RULES);

	if (left < 0)
		large->err = change_no_memory(&large->change.error);
	return left > 0;
}

/* Closes the thread's connection and opens a new one after preparing, which may read the state
 * again and accept what others have written since. */
static int prepare_large(struct large *large)
{
	struct commit *commit = &large->commit;
	struct store *aside = &large->aside->store;
	int err;

	store_close(aside);
	err = prepare(commit);
	if (err)
		return err;
	store_copy(aside, resources_store(commit->service->resources), STORE_ASIDE);
	commit->next.source = change_source(aside, &large->change.error);
	commit->resources->store.source = commit->next.source;
	return commit->next.source ? 0 : ERR_INVALID;
}

static void on_attached(void *job)
{
	struct large *large = large_of(job);

	store_hold(resources_store(large->commit.service->resources), false);
	if (!large->err)
		large->err = prepare_large(large);
	if (large->err)
		on_stored(large);
	else
		go_on(large, store_in_thread, on_stored);
}

/* Holds the store until the model is prepared, because the thread has checked only the state
 * that it has read. */
static void on_model_made(void *context)
{
	struct large *large = context;
	struct service *service = large->commit.service;

	if (large->err || large->is_stored) {
		on_stored(large);
		return;
	}
	store_hold(resources_store(service->resources), true);
	if (!large->commit.compiled || !work_beside_in_portions(&service->work, &large->attaching,
								attach_portion, on_attached))
		on_attached(&large->attaching);
}

static void make_model_in_thread(void *context)
{
	struct large *large = context;
	struct commit *commit = &large->commit;

	large->err = make_model(commit);
	if (large->err)
		return;
	if (commit->model) {
		commit->model->owned = owned_ref(commit->next.now->owned); /* as served */
		commit->compiled = server_compile(&commit->service->server, commit->model);
	} else {
		store_in_thread(large);
	}
}

static void make_large(struct large *large, struct service *service)
{
	struct resources *aside = resources_copy(service->resources, STORE_ASIDE);

	work_block(&service->work);
	faults_init(&large->faults);
	large->aside = aside;
	begin(&large->commit, service, aside ? aside : service->resources, &large->change,
	      &large->faults);
	if (aside) {
		go_on(large, make_model_in_thread, on_model_made);
		return;
	}
	large->err = change_no_memory(&large->change.error);
	on_stored(large);
}

static void make_at_once(struct service *service, struct service_change *change,
			 service_on_change *on_change, void *context)
{
	struct faults faults;
	int err;

	faults_init(&faults);
	err = service_change(service, change, &faults);
	on_change(context, err, change, &faults);
	faults_release(&faults);
}

static bool has_kinds_inside(const struct kind *kind)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (kinds[i].parent == kind)
			return true;
	return false;
}

/* Removing a zone or a ruleset removes everything inside it, which may be much. */
static bool is_large(const struct service_change *change)
{
	bool large = change->large || change->count >= SERVICE_LARGE;

	for (size_t i = 0; !large && i < change->count; i++)
		large = !change->edits[i].values && has_kinds_inside(change->edits[i].path.kind);
	return large;
}

void service_make(struct service *service, struct service_change *change,
		  service_on_change *on_change, void *context)
{
	struct large *large = NULL;

	if (is_large(change) && !service->work.ending)
		large = calloc(1, sizeof *large);
	if (!large) {
		make_at_once(service, change, on_change, context);
		return;
	}
	large->change = *change;
	large->on_change = on_change;
	large->context = context;
	make_large(large, service);
}

/* ---- rollback ---- */

/* A rollback, until its result is known. */
struct going_back {
	struct work_job job; /* first member: a thread frees a large rollback */
	struct service *service;
	struct unconfirmed what;
	char who[UNCONFIRMED_WHO_MAX];
	json_t *rows; /* the old rows */
	struct row_edits edits;
	void (*on_back)(void *context, const char *why);
	void *context;
};

static void free_rows(void *context)
{
	struct going_back *back = context;

	json_decref(back->rows);
	row_edits_release(&back->edits);
}

static void free_back(void *context)
{
	free(context);
}

static void finish_back(struct going_back *back, const char *why)
{
	struct confirmation *confirmation = &back->service->confirmation;
	char text[CONFIRMATION_TEXT_MAX];

	if (!why) {
		/* A record that stays is found to be outdated at the next start. */
		if (confirmation_remove(confirmation, UNCONFIRMED_CHANGE, text) != 0)
			log_event(LOG_WARNING, "confirm", "%s", text);
		confirmation_end(confirmation, true);
	}
	back->on_back(back->context, why);
	if (work_beside_in_thread(&back->service->work, &back->job, free_rows, free_back))
		return;
	free_rows(back);
	free_back(back);
}

/* Ends a rollback that has no rows to restore. If another program has written to the state, serves
 * that program's rows. */
static void serve_instead(struct going_back *back)
{
	struct service *service = back->service;
	struct store *store = resources_store(service->resources);
	char text[SERVICE_TEXT_MAX];
	const char *why = NULL;
	struct faults faults;

	faults_init(&faults);
	if (!store->source->calls->is_current(store->source)) {
		store->stale = true; /* until all of it is read */
		if (service_serve_again(service, &faults, text) != 0 || store->stale)
			why = faults.count > 0 ? faults_first(&faults)->text : err_text(ERR_SYSTEM);
	}
	log_faults("confirm", &faults);
	finish_back(back, why);
	faults_release(&faults);
}

static void on_put_back(void *context, int err, const struct service_change *change,
			const struct faults *faults)
{
	struct going_back *back = context;
	const struct fault *first = faults_first(faults);

	log_faults("confirm", faults);
	if (back->rows && json_array_size(back->rows) == 0)
		serve_instead(back);
	else if (err == ERR_INVALID)
		finish_back(back, change->error.text);
	else
		finish_back(back, !err ? NULL : first ? first->text : err_text(err));
}

static int read_back(void *context, struct resources *resources, struct service_change *change)
{
	struct going_back *back = context;
	struct source *source = change_source(resources_store(resources), &change->error);
	char text[CONFIRMATION_TEXT_MAX];
	int err;

	if (!source)
		return ERR_INVALID;
	resources_forget(resources);
	back->rows = confirmation_rows(source, &back->what, text);
	if (!back->rows)
		return change_say(&change->error, CHANGE_STORE, NULL, "%s", text);
	err = row_edits_read(&back->edits, back->rows, true, resources);
	change->edits = back->edits.edits;
	change->count = back->edits.count;
	if (err)
		return change_say(&change->error,
				  err == ERR_NOMEM ? CHANGE_NO_MEMORY : CHANGE_INVALID, NULL, "%s",
				  err_text(err));
	return change->count > 0 ? 0 : ERR_NOT_FOUND; /* nothing to do */
}

/* Whether the state can be opened. Opening it only to read makes no new file in its place. */
static bool can_open(const struct store *store)
{
	char error[SOURCE_ERROR_MAX];
	struct source *source = source_open(store->url, SOURCE_READ, error);

	if (source)
		source_close(source);
	return source;
}

/* Reads a state that could not be read before: until then a rollback cannot write to it, and a
 * reload, which would read it, is refused while a change waits. */
static void read_state(struct service *service)
{
	const struct store *store = resources_store(service->resources);
	char text[SERVICE_TEXT_MAX] = "";
	struct faults faults;

	if (store->source ? !store->stale : !can_open(store))
		return;
	faults_init(&faults);
	if (service_serve_again(service, &faults, text) == 0)
		log_event(LOG_INFO, "confirm", "the state was read again: %s", text);
	log_faults("confirm", &faults);
	faults_release(&faults);
}

void service_take_back(struct service *service, bool at_once,
		       void (*on_back)(void *context, const char *why), void *context)
{
	struct going_back *back = calloc(1, sizeof *back);
	struct service_change change = {.read = read_back, .large = !at_once, .again = true};

	if (!back) {
		on_back(context, err_text(ERR_NOMEM));
		return;
	}
	*back = (struct going_back){.service = service,
				    .what = service->confirmation.waiting,
				    .on_back = on_back,
				    .context = context};
	row_edits_init(&back->edits);
	read_state(service);
	unconfirmed_who(&back->what, back->who);
	change.who = back->who;
	change.context = back;
	service_commit(service, &change, on_put_back, back);
}

void service_try_state(struct service *service)
{
	if (!service->resources || service->work.busy)
		return;
	store_try(resources_store(service->resources), uv_hrtime() / 1000000);
	resources_try_unread(service->resources);
}
