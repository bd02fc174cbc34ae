/* A change alters the book as it goes, so that its edits see each other, and keeps what was there,
 * so that it can be undone:
 *
 *     touch   id ─┬─ first   as it was when the change began
 *                 └─ now     as it is, however often it was edited since
 *
 * Committing compares the two: what the source is to write, what the workers are to serve. All that
 * can fail is made ready before the source is asked; once it has the change, nothing fails any
 * more but publishing for lack of memory, and that is said. */
#include "resolver/control/resource/change.h"

#include <assert.h>
#include <stdarg.h>
#include <strings.h>

#include "resolver/control/resource/change_internal.h"
#include "resolver/control/resource/etag.h"
#include "resolver/log.h"
#include "rules/schema/schema.h"

/* ---- why not ---- */

static const struct change_error no_memory = {.outcome = CHANGE_NO_MEMORY, .text = "out of memory"};

const struct change_error *change_error(const struct change *change)
{
	return change ? &change->error : &no_memory;
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

int change_fail(struct change *change, enum change_outcome outcome, const char *field,
		const char *format, ...)
{
	va_list arguments;

	if (change->error.outcome != CHANGE_FINE)
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

int change_say(struct change_error *error, enum change_outcome outcome, const char *field,
	       const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_error(error, outcome, field, format, arguments);
	va_end(arguments);
	return ERR_INVALID;
}

struct source *change_source(struct inventory *inventory, struct change_error *error)
{
	if (!inventory->wants_state)
		change_say(error, CHANGE_NO_STATE, NULL,
			   "there is no state to keep changes in; name a file for it in the "
			   "configuration, management = { state = "
			   "\"/var/lib/sluice/state.db\"; }, and restart");
	else if (!inventory->source || inventory->stale)
		change_say(error, CHANGE_STORE, NULL, "%s",
			   inventory->error[0] ? inventory->error
					       : "the state has not been read yet");
	else if (inventory->held)
		change_say(error, CHANGE_BUSY, NULL,
			   "many changes are being made at this moment; try again");
	else
		return inventory->source;
	return NULL;
}

int change_is_open(struct change *change)
{
	assert(!change->over);
	if (change->error.outcome != CHANGE_FINE ||
	    !change_source(change->inventory, &change->error))
		return ERR_INVALID;
	return 0;
}

/* ---- beginning and undoing ---- */

struct change *change_begin(struct inventory *inventory)
{
	struct change *change = calloc(1, sizeof *change);

	assert(!inventory->changing && !inventory->next);
	if (!change)
		return NULL;
	change->inventory = inventory;
	inventory->changing = true;
	return change;
}

static void forget_touches(struct change *change)
{
	struct touch *touch, *next;

	HASH_ITER (hh, change->touches, touch, next) {
		HASH_DEL(change->touches, touch);
		free(touch);
	}
}

/* All that is new goes first: what was there may have had the same address or label. Putting back
 * may take memory, where a table had become empty, say. Without any the book has lost an owner:
 * what is served knows nothing of that, and a reload reads the state again. */
static void undo(struct change *change)
{
	struct inventory *inventory = change->inventory;
	struct book *book = inventory->book;
	bool lost = false;

	for (struct touch *touch = change->touches; touch; touch = touch->hh.next)
		if (touch->now) {
			book_take(book, touch->now);
			node_free(touch->now);
		}
	for (struct touch *touch = change->touches; touch; touch = touch->hh.next)
		if (touch->first && book_put(book, touch->first) != 0) {
			node_free(touch->first);
			lost = true;
		}
	forget_touches(change);
	if (!change_groups_undo(change) || lost)
		inventory_say_lost(inventory);
}

void change_free(struct change *change)
{
	if (!change)
		return;
	undo(change);
	change->inventory->changing = false;
	free(change);
}

static struct touch *touch_of(struct change *change, const char *id, struct node *before)
{
	struct touch *touch;

	HASH_FIND_STR(change->touches, id, touch);
	if (touch)
		return touch;
	touch = calloc(1, sizeof *touch);
	if (!touch)
		return NULL;
	snprintf(touch->id, sizeof touch->id, "%s", id);
	HASH_ADD_STR(change->touches, id, touch);
	if (!touch->hh.tbl) {
		free(touch);
		return NULL;
	}
	touch->first = touch->now = before;
	return touch;
}

int change_swap(struct change *change, struct node *before, struct node *after, bool owner,
		bool ptr)
{
	struct book *book = change->inventory->book;
	struct touch *touch = touch_of(change, before ? before->owner.id : after->owner.id, before);

	if (!touch) {
		node_free(after);
		return change_fail_memory(change);
	}
	assert(touch->now == before);
	if (before)
		book_take(book, before);
	if (before && before != touch->first)
		node_free(before);
	touch->now = NULL;
	if (after && book_put(book, after) != 0) { /* undo() puts the rest right */
		node_free(after);
		return change_fail_memory(change);
	}
	touch->now = after;
	touch->owner |= owner;
	touch->ptr |= ptr;
	return 0;
}

int change_stale(struct change *change, const char *text)
{
	return change_fail(change, CHANGE_STALE, NULL, "%s", text);
}

/* ---- committing ---- */

/* What the source must do to get from first to now; returns how many edits that is, 2 at most. */
static size_t describe(const struct touch *touch, struct source_edit *edits)
{
	const struct owner *first = touch->first ? &touch->first->owner : NULL;
	const struct owner *now = touch->now ? &touch->now->owner : NULL;
	uint64_t owner_before = first ? first->revision : 0;
	uint64_t ptr_before = first ? first->ptr.revision : 0;
	size_t count = 0;

	if (touch->owner && (now || owner_before))
		edits[count++] = (struct source_edit){
			.act = now ? SOURCE_PUT_OWNER : SOURCE_DELETE_OWNER,
			.expected = owner_before,
			.owner = owner_record(now ? now : first),
		};
	if (touch->ptr && ((now && now->ptr.fqdn) || ptr_before))
		edits[count++] = (struct source_edit){
			.act = now && now->ptr.fqdn ? SOURCE_PUT_PTR : SOURCE_DELETE_PTR,
			.expected = ptr_before,
			.ptr = owner_ptr_record(now && now->ptr.fqdn ? now : first),
		};
	return count;
}

static int store(struct change *change, uint64_t *revision)
{
	struct inventory *inventory = change->inventory;
	size_t count = 0;
	size_t most = 2 * (size_t)HASH_COUNT(change->touches) + change_groups_count(change);
	struct source_edit *edits = calloc(most + 1, sizeof *edits);
	char error[SOURCE_ERROR_MAX];

	if (!edits)
		return change_fail_memory(change);
	for (const struct touch *touch = change->touches; touch; touch = touch->hh.next)
		count += describe(touch, edits + count);
	count += change_groups_describe(change, edits + count);
	int err = source_apply(inventory->source, edits, count, revision, error);
	free(edits);
	inventory_note_error(inventory, err ? error : NULL);
	if (!err)
		return 0;
	return change_fail(change, CHANGE_STORE, NULL, "%s", error);
}

/* The owned table with all of the change in it. What is gone goes first, as in undo(). */
static struct owned_draft *draft(struct change *change)
{
	const struct inventory *inventory = change->inventory;
	const struct book *book = inventory->book;
	struct owned_draft *made = owned_edit(book->owned);
	const struct touch *touch;
	int err = made ? 0 : ERR_NOMEM;

	for (touch = change->touches; !err && touch; touch = touch->hh.next)
		if (touch->first)
			err = node_unserve(touch->first, made, &inventory->key);
	for (touch = change->touches; !err && touch; touch = touch->hh.next)
		if (touch->now)
			err = node_serve(touch->now, made, &inventory->key, book->model);
	if (!err)
		return made;
	owned_discard(made);
	change_fail(change, CHANGE_NO_MEMORY, NULL, "cannot be served: %s", err_text(err));
	return NULL;
}

void change_settle(struct change *change, uint64_t revision)
{
	assert(!change->over);
	change->over = true;
	change->inventory->version++;
	for (struct touch *touch = change->touches; touch; touch = touch->hh.next) {
		struct owner *now = touch->now ? &touch->now->owner : NULL;

		if (now && touch->owner)
			now->revision = revision;
		if (now && touch->ptr)
			now->ptr.revision = now->ptr.fqdn ? revision : 0;
		node_free(touch->first);
	}
	forget_touches(change);
	change_groups_settle(change, revision);
}

static int publish(struct change *change, struct owned *owned)
{
	if (inventory_publish(change->inventory, owned) == 0)
		return 0;
	log_event(LOG_ERROR, "state", "a change is kept and cannot be served yet: %s",
		  err_text(ERR_NOMEM));
	return change_fail(change, CHANGE_NO_MEMORY, NULL,
			   "it is kept, and will be served with the next change or reload: %s",
			   err_text(ERR_NOMEM));
}

int change_commit(struct change *change)
{
	uint64_t revision = 0;

	if (change->error.outcome != CHANGE_FINE)
		return ERR_INVALID;
	assert(!change->over);
	if (!change->touches && !change->groups) {
		change->over = true;
		return 0;
	}
	bool serves = change->touches; /* groups are nothing that the workers know */
	struct owned_draft *made = serves ? draft(change) : NULL;
	if (serves && !made)
		return ERR_INVALID;
	int err = store(change, &revision);
	if (err) {
		owned_discard(made);
		return err;
	}
	change_settle(change, revision);
	return serves ? publish(change, owned_commit(made)) : 0;
}
