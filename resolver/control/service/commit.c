/* Asks the committer about one record at a time, because changes wait while a record is open, as
 * they do for other long work. */
#include "resolver/control/service/commit.h"

#include <assert.h>
#include <stdarg.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/service/rows.h"
#include "resolver/log.h"
#include "rules/base.h"

/* ---- a change as a record ----
 *
 * {"id": UUID, "who", "wait_s", "rows": rows.h, "pairs": [[KEY, VALUE or null], ...]} */

/* Builds the record and takes the rows over. To be released; NULL without memory. */
static json_t *record_of(const struct service_change *change, json_t *rows)
{
	json_t *pairs = json_array();
	char id[UUID_TEXT_MAX];

	for (size_t i = 0; i < change->pair_count; i++)
		json_add(pairs, json_make("[o, o]", json_text(change->pairs[i].key),
					  json_text(change->pairs[i].value)));
	return json_whole(json_make("{s:s, s:o, s:I, s:o, s:o}", "id", uuid_random(id), "who",
				    json_text(change->who), "wait_s", (json_int_t)change->wait_s,
				    "rows", rows, "pairs", pairs));
}

struct applying {
	json_t *record; /* a reference, which keeps the values alive */
	struct row_edits edits;
	struct source_pair *pairs; /* texts belong to the record */
	service_on_change *on_change;
	void *context;
};

/* False without memory. */
static bool read_pairs(struct applying *applying, struct service_change *change)
{
	const json_t *pairs = json_object_get(applying->record, "pairs");
	size_t count = json_array_size(pairs);

	if (count == 0)
		return true;
	applying->pairs = calloc(count, sizeof *applying->pairs);
	if (!applying->pairs)
		return false;
	for (size_t i = 0; i < count; i++) {
		const json_t *pair = json_array_get(pairs, i);

		applying->pairs[i] =
			(struct source_pair){json_string_value(json_array_get(pair, 0)),
					     json_string_value(json_array_get(pair, 1))};
	}
	change->pairs = applying->pairs;
	change->pair_count = count;
	return true;
}

static int read_rows(void *context, struct resources *resources, struct service_change *change)
{
	struct applying *applying = context;
	const json_t *rows = json_object_get(applying->record, "rows");
	int err = row_edits_read(&applying->edits, rows, false, resources);

	change->edits = applying->edits.edits;
	change->count = applying->edits.count;
	if (!err && !read_pairs(applying, change))
		err = ERR_NOMEM;
	if (err == ERR_NOMEM)
		return change_no_memory(&change->error);
	if (err)
		return change_say(&change->error, CHANGE_STORE, NULL,
				  "a change that was agreed to cannot be read: it may be a later "
				  "version's");
	return 0;
}

static void on_applied(void *context, int err, const struct service_change *change,
		       const struct faults *faults)
{
	struct applying *applying = context;
	struct service_change told = *change;

	told.failed = NO_EDIT; /* indexes of rows are not those of the client's edits */
	applying->on_change(applying->context, err, &told, faults);
	json_decref(applying->record);
	row_edits_release(&applying->edits);
	free(applying->pairs);
	free(applying);
}

/* Reports that a change cannot begin, with the reason. */
static void refuse(struct service_change *change, enum change_outcome outcome, const char *why,
		   service_on_change *on_change, void *context)
{
	struct faults none;

	change_say(&change->error, outcome, NULL, "%s", why);
	change->failed = NO_EDIT;
	faults_init(&none);
	on_change(context, ERR_INVALID, change, &none);
	faults_release(&none);
}

void service_apply(struct service *service, json_t *record, service_on_change *on_change,
		   void *context)
{
	struct applying *applying = calloc(1, sizeof *applying);
	struct service_change change = {
		.read = read_rows,
		.context = applying,
		.large = json_array_size(json_object_get(record, "rows")) >= SERVICE_LARGE,
		.who = json_text_of(record, "who"),
		.wait_s = (unsigned)json_integer_value(json_object_get(record, "wait_s")),
		.again = true,
		.agreed = true};

	if (!applying) {
		refuse(&change, CHANGE_NO_MEMORY, err_text(ERR_NOMEM), on_change, context);
		return;
	}
	applying->record = json_incref(record);
	row_edits_init(&applying->edits);
	applying->on_change = on_change;
	applying->context = context;
	service_make(service, &change, on_applied, applying);
}

/* ---- asking ---- */

/* Reports the outcome to the client, once. */
static void tell(struct open_commit *open, int err, const struct service_change *change,
		 const struct faults *faults)
{
	service_on_change *on_change = open->on_change;

	open->on_change = NULL;
	if (on_change)
		on_change(open->context, err, change, faults);
	else if (err)
		log_event(LOG_ERROR, "commit",
			  "a change by %s was agreed to, and could not be made here: %s",
			  change->who, err == ERR_INVALID ? change->error.text : err_text(err));
}

static void take_refusal(void *context, int err, const struct service_change *change,
			 const struct faults *faults)
{
	tell(context, err, change, faults);
}

__attribute__((format(printf, 3, 4))) static void tell_failed(struct open_commit *open,
							      enum change_outcome outcome,
							      const char *format, ...)
{
	struct service_change change = {.who = json_text_of(open->record, "who")};
	char text[CHANGE_TEXT_MAX];
	va_list arguments;

	if (!open->on_change)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	refuse(&change, outcome, text, take_refusal, open);
}

/* Ends the open change, made or refused, and lets waiting ones begin. */
static void end(struct service *service)
{
	struct open_commit *open = &service->commit;

	uv_timer_stop(&open->again);
	uv_timer_stop(&open->late);
	json_decref(open->record);
	open->record = NULL;
	open->agreed = false;
	work_end(&service->work);
}

static void ask(struct service *service);

static void on_again(uv_timer_t *timer)
{
	ask(timer->data);
}

static void on_made(void *context, int err, const struct service_change *change,
		    const struct faults *faults)
{
	struct service *service = context;

	tell(&service->commit, err, change, faults);
	end(service);
}

static void on_answer(void *context, enum commit_answer answer, const char *why)
{
	struct service *service = context;
	struct open_commit *open = &service->commit;

	assert(open->record && open->asking);
	open->asking = false;
	if (answer == COMMIT_UNKNOWN) {
		log_event(LOG_WARNING, "commit",
			  "it is not known whether a change is agreed to: %s", why);
		uv_timer_start(&open->again, on_again, COMMIT_AGAIN_MS, 0);
		return;
	}
	if (answer == COMMIT_YES) {
		open->agreed = true;
		uv_timer_stop(&open->late);
		service_apply(service, open->record, on_made, service);
		return;
	}
	tell_failed(open, CHANGE_STALE, "%s; nothing has changed, try again", why);
	end(service);
}

static void ask(struct service *service)
{
	struct open_commit *open = &service->commit;

	open->asking = true;
	open->committer->ask(open->committer, open->record, on_answer, service);
}

static void on_late(uv_timer_t *timer)
{
	struct service *service = timer->data;
	struct open_commit *open = &service->commit;

	tell_failed(open, CHANGE_UNKNOWN,
		    "it is not known whether the change is agreed to: the other servers have not "
		    "answered yet. Look whether it is there before you send it again");
	if (!service->resting)
		return;
	log_event(LOG_WARNING, "commit",
		  "this server ends while a change by %s may have been agreed to; the next start "
		  "finds out",
		  json_text_of(open->record, "who"));
	if (open->asking)
		open->committer->forget(open->committer);
	open->asking = false;
	end(service);
}

/* A change that is rehearsed before the committer is asked, so that ids and free addresses are
 * chosen once, for all servers. */
struct rehearsing {
	struct service *service;
	json_t *rows;
	service_on_change *on_change;
	void *context;
};

static void propose(struct rehearsing *rehearsing, const struct service_change *change)
{
	struct service *service = rehearsing->service;
	struct open_commit *open = &service->commit;

	assert(!open->record);
	open->on_change = rehearsing->on_change;
	open->context = rehearsing->context;
	open->record = record_of(change, rehearsing->rows);
	if (!open->record) {
		tell_failed(open, CHANGE_NO_MEMORY, "%s", err_text(ERR_NOMEM));
		return;
	}
	work_block(&service->work);
	uv_timer_start(&open->late, on_late, service->resting ? COMMIT_LAST_MS : COMMIT_ANSWER_MS,
		       0);
	ask(service);
}

static void on_rehearsed(void *context, int err, const struct service_change *change,
			 const struct faults *faults)
{
	struct rehearsing *rehearsing = context;
	struct service_change told = *change;

	told.rehearsal = false;
	if (err)
		rehearsing->on_change(rehearsing->context, err, &told, faults);
	else
		propose(rehearsing, &told);
	free(rehearsing);
}

static void rehearse(struct service *service, struct service_change *change,
		     service_on_change *on_change, void *context)
{
	struct rehearsing *rehearsing = calloc(1, sizeof *rehearsing);
	struct service_change rehearsed = *change;

	if (!rehearsing) {
		refuse(change, CHANGE_NO_MEMORY, err_text(ERR_NOMEM), on_change, context);
		return;
	}
	*rehearsing =
		(struct rehearsing){.service = service, .on_change = on_change, .context = context};
	rehearsed.rehearsal = true;
	rehearsed.rows = &rehearsing->rows;
	service_make(service, &rehearsed, on_rehearsed, rehearsing);
}

void service_commit(struct service *service, struct service_change *change,
		    service_on_change *on_change, void *context)
{
	if (service->commit.committer && !change->rehearsal)
		rehearse(service, change, on_change, context);
	else
		service_make(service, change, on_change, context);
}

/* ---- a state that does not know ---- */

enum { SERVE_AGAIN_MS = 10 * 1000 }; /* each try reads the whole state on the control thread */

/* True: the state's rows are served, or the state cannot be read before a reload (then store->stale
 * stays set). */
static bool serve_kept(struct service *service)
{
	struct store *store = resources_store(service->resources);
	char text[SERVICE_TEXT_MAX];
	struct faults faults;
	int err;

	store->stale = true; /* read all of it */
	faults_init(&faults);
	err = service_serve_again(service, &faults, text);
	log_faults("commit", &faults);
	faults_release(&faults);
	if (err)
		store_note_error(store,
				 "the state has a change that cannot be served, as the log says; "
				 "that is tried again",
				 false);
	return !err;
}

static void drop(struct service *service)
{
	char error[CONFIRMATION_TEXT_MAX];

	if (service->commit.doubt.unconfirmed.revision > 0 &&
	    confirmation_remove(&service->confirmation, UNCONFIRMED_CHANGE, error) != 0)
		log_event(LOG_WARNING, "confirm", "%s", error);
}

/* The state has the change. From now on nothing else may change until it is confirmed, even if it
 * cannot be served yet. */
static void wait_for_confirmation(struct service *service)
{
	if (service->commit.doubt.unconfirmed.revision > 0)
		confirmation_begin(&service->confirmation, &service->commit.doubt.unconfirmed);
}

/* If the kept change needs no confirmation and another one still waits for it, the kept change was
 * its rollback. Another try ends the wait, because nothing is left to put back. */
static void end_rollback(struct service *service)
{
	struct confirmation *confirmation = &service->confirmation;

	if (service->commit.doubt.unconfirmed.revision == 0 && confirmation->waits &&
	    confirmation->waiting.kind == UNCONFIRMED_CHANGE)
		confirmation_try_again(confirmation, 0);
}

static void on_doubt(uv_timer_t *timer)
{
	struct service *service = timer->data;
	struct open_commit *open = &service->commit;
	struct store *store = resources_store(service->resources);
	char error[SOURCE_ERROR_MAX];
	enum commit_answer answer = COMMIT_YES;

	if (service->work.busy || !store->source)
		return;
	if (open->doubt.is_kept && !store->stale) { /* a reload or a rollback has read the state */
		uv_timer_stop(timer);
		store_note_error(store, NULL, false);
		return;
	}
	if (!open->doubt.is_kept)
		answer = store->source->calls->commit(store->source, error);
	if (answer == COMMIT_UNKNOWN)
		return;
	if (answer == COMMIT_YES && !open->doubt.is_kept)
		wait_for_confirmation(service);
	open->doubt.is_kept = answer == COMMIT_YES;
	if (answer == COMMIT_YES && !serve_kept(service)) {
		uv_timer_start(timer, on_doubt, SERVE_AGAIN_MS, SERVE_AGAIN_MS);
		return;
	}
	if (answer == COMMIT_NO)
		drop(service);
	else
		end_rollback(service);
	uv_timer_stop(timer);
	log_event(LOG_WARNING, "commit", "the change whose outcome was not known is %s",
		  answer == COMMIT_YES ? "made" : "not made");
	if (!store->stale)
		store_note_error(store, NULL, false);
}

void commit_doubt(struct service *service, const struct unconfirmed *unconfirmed)
{
	struct open_commit *open = &service->commit;

	open->doubt.is_kept = false;
	open->doubt.unconfirmed = *unconfirmed;
	uv_timer_start(&open->doubt.again, on_doubt, COMMIT_AGAIN_MS, COMMIT_AGAIN_MS);
}

bool commit_is_doubtful(const struct service *service)
{
	return uv_is_active((const uv_handle_t *)&service->commit.doubt.again);
}

bool commit_rollback_is_doubtful(const struct service *service)
{
	return commit_is_doubtful(service) && service->commit.doubt.unconfirmed.revision == 0;
}

const char *commit_doubt_waits(const struct service *service)
{
	const struct unconfirmed *unconfirmed = &service->commit.doubt.unconfirmed;

	if (!commit_is_doubtful(service) || service->commit.doubt.is_kept ||
	    unconfirmed->revision == 0)
		return NULL; /* a kept change already waits to be confirmed (confirmation.h) */
	return "it is not known whether a change that is to be confirmed is made, because the disk "
	       "failed; that is found out by itself: try again later";
}

/* ---- opening and resting ---- */

void commit_open(struct service *service, uv_loop_t *loop)
{
	struct open_commit *open = &service->commit;

	uv_timer_init(loop, &open->again);
	uv_timer_init(loop, &open->late);
	uv_timer_init(loop, &open->doubt.again);
	open->again.data = open->late.data = open->doubt.again.data = service;
}

bool commit_is_open(const struct service *service)
{
	return service->commit.record;
}

void commit_rest(struct service *service)
{
	struct open_commit *open = &service->commit;

	if (open->record && !open->agreed && !service->resting)
		uv_timer_start(&open->late, on_late, COMMIT_LAST_MS, 0);
	service->resting = true;
}
