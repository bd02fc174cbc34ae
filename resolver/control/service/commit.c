/* One record is open at a time, because changes wait for it like for other work. */
#include "resolver/control/service/commit.h"

#include <assert.h>
#include <stdarg.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/addresses.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/base.h"

/* ---- a change as a record ----
 *
 * {"id": UUID, "who", "wait_s", "undo", "again", "claimed",
 *  "edits": [{"kind": N, "group", "names": [...], "values": as it is to be; null: it goes}]} */

static json_t *edit_json(const struct service_edit *edit)
{
	const struct path *path = &edit->path;
	json_t *names = json_array();

	json_add(names, json_text(path->names[0]));
	if (path->kind->parent)
		json_add(names, json_text(path->names[1]));
	return json_make("{s:i, s:o, s:o, s:o}", "kind", (int)path->kind->id, "group",
			 json_text(path->group), "names", names, "values",
			 edit->values ? json_deep_copy(edit->values) : json_null());
}

/* With what was chosen for it where nothing was given. */
static json_t *completed(const struct service_edit *edit, const json_t *chosen)
{
	json_t *record = edit_json(edit), *values = json_object_get(record, "values"), *value;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)chosen, key, value)
	{
		const json_t *given = json_object_get(values, key);

		if (!given || json_is_null(given))
			json_put(values, key, json_incref(value));
	}
	return record;
}

/* To be released; NULL without memory. `chosen`: an array by the edits. */
static json_t *record_of(const struct service_change *change, const json_t *chosen)
{
	json_t *edits = json_array();
	char id[UUID_TEXT_MAX];

	for (size_t i = 0; i < change->count; i++)
		json_add(edits, completed(&change->edits[i], json_array_get(chosen, i)));
	return json_whole(json_make("{s:s, s:o, s:I, s:b, s:b, s:b, s:o}", "id", uuid_random(id),
				    "who", json_text(change->who), "wait_s",
				    (json_int_t)change->wait_s, "undo", change->undo, "again",
				    change->again, "claimed", change->claimed, "edits", edits));
}

/* Its texts are the record's. ERR_INVALID: it was not written by sluice, or by a later version. */
static int read_edit(struct service_edit *edit, const json_t *from)
{
	const json_t *names = json_object_get(from, "names");
	const json_t *values = json_object_get(from, "values");
	struct path *path = &edit->path;

	*path = (struct path){
		kind_of_id((unsigned)json_integer_value(json_object_get(from, "kind"))),
		json_string_value(json_object_get(from, "group")),
		{json_string_value(json_array_get(names, 0)),
		 json_string_value(json_array_get(names, 1))}};
	edit->values = json_is_object(values) ? values : NULL;
	return path->kind && path->group && path->names[0] &&
			       !path->kind->parent == !path->names[1] &&
			       (edit->values || json_is_null(values))
		       ? 0
		       : ERR_INVALID;
}

/* The edits are to be freed. */
static int read_record(struct service_change *change, const json_t *record)
{
	const json_t *from = json_object_get(record, "edits"), *item;
	struct service_edit *edits = calloc(json_array_size(from) + 1, sizeof *edits);
	int err = edits ? 0 : ERR_NOMEM;
	size_t i;

	*change = (struct service_change){
		.edits = edits,
		.count = json_array_size(from),
		.who = json_text_of(record, "who"),
		.wait_s = (unsigned)json_integer_value(json_object_get(record, "wait_s")),
		.undo = json_is_true(json_object_get(record, "undo")),
		.again = json_is_true(json_object_get(record, "again")),
		.claimed = json_is_true(json_object_get(record, "claimed"))};
	json_array_foreach(from, i, item) err = err ? err : read_edit(&edits[i], item);
	return err;
}

struct applying {
	json_t *record; /* a reference, which has the texts */
	struct service_change change;
	service_on_change *on_change;
	void *context;
};

static void on_applied(void *context, int err, const struct service_change *change,
		       const struct faults *faults)
{
	struct applying *applying = context;

	applying->on_change(applying->context, err, change, faults);
	json_decref(applying->record);
	free((void *)(uintptr_t)applying->change.edits);
	free(applying);
}

/* A change that is not even begun, for this reason. */
static void refuse(struct service_change *change, enum change_outcome outcome, const char *why,
		   service_on_change *on_change, void *context)
{
	struct faults none;

	change_say(&change->error, outcome, NULL, "%s", why);
	faults_init(&none);
	on_change(context, ERR_INVALID, change, &none);
	faults_release(&none);
}

void service_apply(struct service *service, json_t *record, service_on_change *on_change,
		   void *context)
{
	struct applying *applying = calloc(1, sizeof *applying);
	struct service_change none = {.who = json_text_of(record, "who")};
	int err;

	if (!applying) {
		refuse(&none, CHANGE_NO_MEMORY, err_text(ERR_NOMEM), on_change, context);
		return;
	}
	applying->record = json_incref(record);
	applying->on_change = on_change;
	applying->context = context;
	err = read_record(&applying->change, record);
	if (!err)
		service_make(service, &applying->change, on_applied, applying);
	else if (err == ERR_NOMEM)
		refuse(&applying->change, CHANGE_NO_MEMORY, err_text(err), on_applied, applying);
	else
		refuse(&applying->change, CHANGE_STORE,
		       "a change that was agreed to cannot be read: it may be a later version's",
		       on_applied, applying);
}

/* ---- asking ---- */

/* Tells whoever asked for the change, once. */
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

/* Forgets the open change, made or refused, and lets those begin that waited for its end. */
static void end(struct service *service)
{
	struct open_commit *open = &service->commit;

	uv_timer_stop(&open->again);
	uv_timer_stop(&open->late);
	json_decref(open->record);
	open->record = NULL;
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

	tell_failed(open, CHANGE_STORE,
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

/* A change that is rehearsed before it is asked for. An id and a free address of a pool are chosen
 * then, once for all servers. */
struct rehearsing {
	struct service *service;
	struct service_change change;     /* as it was asked for */
	const struct service_edit *edits; /* once they are read */
	json_t *chosen;                   /* an array by the edits; null: nothing was */
	service_on_change *on_change;
	void *context;
};

static int read_edits(void *context, struct inventory *inventory, struct service_change *change)
{
	struct rehearsing *rehearsing = context;
	const struct service_change *wanted = &rehearsing->change;
	int err = wanted->read ? wanted->read(wanted->context, inventory, change) : 0;

	rehearsing->edits = change->edits;
	return err;
}

static void note_chosen(void *context, struct inventory *inventory, size_t at)
{
	struct rehearsing *rehearsing = context;
	const struct service_edit *edit = &rehearsing->edits[at];
	unsigned kind = edit->path.kind->id;
	const struct owner *owner = NULL;
	char address[ADDRESS_TEXT_MAX];

	if (edit->values && (kind == KIND_ADDRESS || kind == KIND_SERVICE))
		owner = addresses_find(inventory, &edit->path);
	while (json_array_size(rehearsing->chosen) <= at)
		json_add(rehearsing->chosen, json_null());
	if (owner)
		json_array_set_new(rehearsing->chosen, at,
				   json_make("{s:o, s:o}", "id", json_text(owner->id), "address",
					     json_text(address_print(&owner->address, address))));
}

static void propose(const struct rehearsing *rehearsing, const struct service_change *change)
{
	struct service *service = rehearsing->service;
	struct open_commit *open = &service->commit;

	assert(!open->record);
	open->on_change = rehearsing->on_change;
	open->context = rehearsing->context;
	open->record = record_of(change, rehearsing->chosen);
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
	json_decref(rehearsing->chosen);
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
	*rehearsing = (struct rehearsing){.service = service,
					  .change = *change,
					  .chosen = json_array(),
					  .on_change = on_change,
					  .context = context};
	rehearsed.rehearsal = true;
	rehearsed.read = read_edits;
	rehearsed.on_owned = note_chosen;
	rehearsed.context = rehearsing;
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

/* ---- its life ---- */

void commit_open(struct service *service, uv_loop_t *loop)
{
	struct open_commit *open = &service->commit;

	uv_timer_init(loop, &open->again);
	uv_timer_init(loop, &open->late);
	open->again.data = open->late.data = service;
}

bool commit_is_open(const struct service *service)
{
	return service->commit.record;
}

void commit_rest(struct service *service)
{
	struct open_commit *open = &service->commit;

	if (open->record && !service->resting)
		uv_timer_start(&open->late, on_late, COMMIT_LAST_MS, 0);
	service->resting = true;
}
