/* A change is the state's open transaction, and beside it a draft of the served table:
 *
 *     edit (addresses.c) ─► change_put_row: row, keys, history
 *                      └──► change_serve: the draft, old entry out and new one in
 *
 * A rollback of the transaction and discarding the draft undo the change. An edit sees the rows of
 * the edits before it: a name or address is free as soon as one of these releases it. After the
 * commit only publishing can fail, for lack of memory, which is reported. A failed read voids the
 * change, whatever the edit made of it. */
#include "resolver/control/resource/change.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "resolver/log.h"

/* ---- errors ---- */

static const struct change_error no_memory = {.outcome = CHANGE_NO_MEMORY, .text = "out of memory"};

const struct change_error *change_error(const struct change *change)
{
	return change ? &change->error : &no_memory;
}

void change_take_error(struct change *change, struct change_error *error)
{
	*error = change->error;
	change->error = (struct change_error){.outcome = CHANGE_FINE};
}

static void set_error(struct change_error *error, enum change_outcome outcome, const char *field,
		      const char *format, va_list arguments)
{
	error->outcome = outcome;
	snprintf(error->field, sizeof error->field, "%s", field ? field : "");
	vsnprintf(error->text, sizeof error->text, format, arguments);
}

int change_refuse(struct change_error *error, const char *field, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_error(error, CHANGE_INVALID, field, format, arguments);
	va_end(arguments);
	return ERR_INVALID;
}

/* For a copy of the inventory, service/resources.c notes the error, because this is another thread. */
int change_fail_store(struct change *change, const char *error)
{
	if (change->error.outcome != CHANGE_FINE)
		return ERR_INVALID;
	if (!change->inventory->of)
		store_note_error(&change->inventory->store, error);
	return change_say(&change->error, CHANGE_STORE, NULL, "%s", error);
}

int change_check_trouble(struct change *change)
{
	const char *trouble = store_trouble(&change->inventory->store);

	return trouble ? change_fail_store(change, trouble) : 0;
}

int change_fail(struct change *change, enum change_outcome outcome, const char *field,
		const char *format, ...)
{
	va_list arguments;

	if (change->error.outcome != CHANGE_FINE || change_check_trouble(change) != 0)
		return ERR_INVALID;
	va_start(arguments, format);
	set_error(&change->error, outcome, field, format, arguments);
	va_end(arguments);
	return ERR_INVALID;
}

int change_fail_memory(struct change *change)
{
	return change_fail(change, CHANGE_NO_MEMORY, NULL, "%s", err_text(ERR_NOMEM));
}

bool change_error_is_of_edit(const struct change_error *error)
{
	return error->outcome != CHANGE_STORE && error->outcome != CHANGE_NO_MEMORY;
}

void change_error_place(struct change_error *error, const char *list, size_t index)
{
	char own[CHANGE_FIELD_MAX];

	memcpy(own, error->field, sizeof own);
	if (snprintf(error->field, sizeof error->field, "%s[%zu]%s%s", list, index, *own ? "." : "",
		     own) >= (int)sizeof error->field)
		snprintf(error->field, sizeof error->field, "%s[%zu]", list, index);
}

int change_say(struct change_error *error, enum change_outcome outcome, const char *field,
	       const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_error(error, outcome, field, format, arguments);
	va_end(arguments);
	return ERR_INVALID;
}

struct source *change_reader(const struct store *store, struct change_error *error)
{
	if (!*store->url)
		change_say(error, CHANGE_NO_STATE, NULL,
			   "there is no state to keep changes in; name a file for it in the "
			   "configuration, management = { state = "
			   "\"/var/lib/sluice/state.db\"; }, and restart");
	else if (!store->source || store->stale)
		change_say(error, CHANGE_STORE, NULL, "%s",
			   *store->error ? store->error : "the state has not been read yet");
	else
		return store->source;
	return NULL;
}

struct source *change_source(const struct store *store, struct change_error *error)
{
	struct source *source = change_reader(store, error);

	if (!source || !store->held)
		return source;
	change_say(error, CHANGE_BUSY, NULL,
		   "many changes are being made at this moment; try again");
	return NULL;
}

/* ---- begin and free ---- */

struct change *change_begin(struct inventory *inventory, uint64_t revision)
{
	struct change *change = calloc(1, sizeof *change);

	assert(!inventory->changing);
	if (!change)
		return NULL;
	*change = (struct change){.inventory = inventory, .revision = revision};
	inventory->changing = true;
	return change;
}

void change_restore(struct change *change)
{
	change->restores = true;
}

void change_free(struct change *change)
{
	if (!change)
		return;
	owned_discard(change->draft);
	change->inventory->changing = false;
	free(change);
}

int change_is_open(struct change *change)
{
	struct source *source;

	assert(!change->over);
	if (change->error.outcome != CHANGE_FINE)
		return ERR_INVALID;
	if (change->source)
		return change_check_trouble(change);
	source = change_source(&change->inventory->store, &change->error);
	if (!source)
		return ERR_INVALID;
	change->source = source;
	change->after = change->inventory->now;
	return 0;
}

struct inventory *change_inventory(const struct change *change)
{
	return change->inventory;
}

const struct model *change_model(const struct change *change)
{
	return change->inventory->now.model;
}

/* ---- rows ---- */

/* json NULL: deletes the row. */
static int write_row(struct change *change, unsigned kind, const char *path, const char *json,
		     const struct source_keys *keys)
{
	char error[SOURCE_ERROR_MAX] = "";
	int err = change_check_trouble(change);

	if (err)
		return err;
	err = change->source->calls->put(change->source, kind, path, json, keys, error);
	return !err || err == ERR_EXISTS ? err : change_fail_store(change, error);
}

int change_put_row(struct change *change, unsigned kind, const char *path, char *json,
		   const struct source_keys *keys)
{
	int err = json ? write_row(change, kind, path, json, keys) : change_fail_memory(change);

	free(json);
	return err;
}

int change_delete_row(struct change *change, unsigned kind, const char *path)
{
	return write_row(change, kind, path, NULL, NULL);
}

/* ---- the served table ---- */

/* Adds `one` (1 or -1) to the numbers that count the resource. */
static void count(struct change *change, const struct owned_resource *resource, bool refused,
		  int one)
{
	struct inventory_part *after = &change->after;

	if (owned_is_declared(resource)) {
		after->given +=
			(size_t)(resource->item.reverse_fqdn && !resource->ptr_is_declared ? one
											   : 0);
		return;
	}
	*(owned_is_service(resource) ? &after->services : &after->addresses) += (size_t)one;
	after->ptrs += (size_t)(resource->item.reverse_fqdn ? one : 0);
	after->refused += (size_t)(refused ? one : 0);
}

int change_serve(struct change *change, const struct owned_resource *before,
		 const struct owned_resource *now)
{
	const struct inventory *inventory = change->inventory;
	char text[POOLS_TEXT_MAX];
	bool refused;
	int err = 0;

	if (!change->draft)
		change->draft = owned_edit(inventory->now.owned);
	if (!change->draft)
		return change_fail_memory(change);
	if (before) {
		refused = inventory_refusal(inventory, before, text);
		count(change, before, refused, -1);
		if (!refused)
			err = owned_unserve(before, change->draft, &inventory->key);
	}
	if (now) {
		refused = inventory_refusal(inventory, now, text);
		count(change, now, refused, 1);
		if (!err && !refused)
			err = owned_serve(now, change->draft, &inventory->key,
					  inventory->now.model);
	}
	return err ? change_fail(change, CHANGE_NO_MEMORY, NULL, "cannot be served: %s",
				 err_text(err))
		   : 0;
}

/* ---- publishing ---- */

/* Updates the numbers, and the served table if it changed; for a copy, those of its
 * original. */
int change_publish(struct change *change)
{
	struct inventory *inventory =
		change->inventory->of ? change->inventory->of : change->inventory;
	struct inventory_part *now = &inventory->now;
	struct owned_draft *draft = change->draft;

	assert(!change->over);
	change->over = true;
	if (change->error.outcome != CHANGE_FINE)
		return ERR_INVALID;
	if (!change->source)
		return 0;
	store_note_error(&inventory->store, NULL);
	now->addresses = change->after.addresses;
	now->services = change->after.services;
	now->ptrs = change->after.ptrs;
	now->given = change->after.given;
	now->waiting = change->after.waiting;
	now->refused = change->after.refused;
	inventory->pool_cursor = change->inventory->pool_cursor;
	inventory->version++;
	change->draft = NULL;
	if (!draft || inventory_publish(inventory, owned_commit(draft), change->revision) == 0)
		return 0;
	log_event(LOG_ERROR, "state", "a change is kept and cannot be served yet: %s",
		  err_text(ERR_NOMEM));
	return change_fail(change, CHANGE_NO_MEMORY, NULL,
			   "it is kept, and will be served with the next change or reload: %s",
			   err_text(ERR_NOMEM));
}
