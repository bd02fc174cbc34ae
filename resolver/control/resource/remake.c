/* The edits are made by change.c, in an inventory that has the new book instead of the present one
 * and is otherwise the same. What the store must do is what is different between the two books,
 *
 *     before   the record's revision      not in after: deleted
 *     after    that revision               as it was, and left alone
 *              0                           written, in the place of the one before
 *
 * so what was made anew there costs the disk nothing. Of the present book only tables and records
 * are read, which nobody changes meanwhile; whether a PTR is served by now (its status) is not. */
#include "resolver/control/resource/remake.h"

#include <assert.h>

#include "resolver/control/resource/change_internal.h"
#include "resolver/control/resource/inventory_group_internal.h"
#include "resolver/log.h"

struct remake {
	struct inventory *inventory;
	struct inventory aside; /* with the new book; and with the old one, once it is finished */
	struct change_error error;
	bool stored;
	char store_error[SOURCE_ERROR_MAX]; /* "": it has not failed */
};

struct remake *remake_new(struct inventory *inventory)
{
	struct remake *remake = calloc(1, sizeof *remake);

	if (!remake)
		return NULL;
	remake->inventory = inventory;
	remake->aside = *inventory;
	remake->aside.book = NULL;
	remake->aside.held = false;
	return remake;
}

void remake_free(struct remake *remake)
{
	if (!remake)
		return;
	book_free(remake->aside.book);
	free(remake);
}

/* ---- what the store is to do ---- */

struct plan {
	const struct book *before, *after;
	struct source_edit *edits; /* NULL: they are only counted */
	size_t count;
};

static void add(struct plan *plan, const struct source_edit *edit)
{
	if (plan->edits)
		plan->edits[plan->count] = *edit;
	plan->count++;
}

static const struct node *state_owner(const struct book *book, const char *id)
{
	return shelf_find(book->state, SHELF_BY_ID, id, strlen(id));
}

/* The record that the state has of the PTR of that owner, be it there or not; fqdn NULL: none. */
static struct source_ptr state_ptr(const struct book *book, const char *id)
{
	const struct node *node = book_by_id(book, id);
	const struct orphan *waiting;

	if (node && node->owner.ptr.fqdn && !node->owner.ptr.read_only)
		return owner_ptr_record(&node->owner);
	HASH_FIND_STR(book->waiting, id, waiting);
	return waiting ? waiting->ptr : (struct source_ptr){.owner = id};
}

static void plan_owner(struct plan *plan, const struct node *node)
{
	const struct node *before = state_owner(plan->before, node->owner.id);
	const struct source_edit edit = {
		.act = SOURCE_PUT_OWNER,
		.expected = before ? before->owner.revision : 0,
		.owner = owner_record(&node->owner),
	};

	if (!node->owner.revision)
		add(plan, &edit);
}

static void plan_owner_gone(struct plan *plan, const struct node *node)
{
	const struct source_edit edit = {
		.act = SOURCE_DELETE_OWNER,
		.expected = node->owner.revision,
		.owner = owner_record(&node->owner),
	};

	if (!state_owner(plan->after, node->owner.id))
		add(plan, &edit);
}

/* A PTR of either book. */
static void plan_ptr(struct plan *plan, const char *id, bool of_before)
{
	const struct source_ptr before = state_ptr(plan->before, id);
	const struct source_ptr after = state_ptr(plan->after, id);
	const struct source_edit edit = {
		.act = after.fqdn ? SOURCE_PUT_PTR : SOURCE_DELETE_PTR,
		.expected = before.revision,
		.ptr = after.fqdn ? after : before,
	};

	if (of_before ? before.fqdn && !after.fqdn : after.fqdn && !after.revision)
		add(plan, &edit);
}

static void plan_ptrs(struct plan *plan, const struct book *book)
{
	const struct shelf *const shelves[] = {book->file, book->state};

	for (unsigned i = 0; i < 2; i++)
		for (const struct node *node = shelves[i]->by_id; node; node = node->by_id.next)
			plan_ptr(plan, node->owner.id, book == plan->before);
	for (const struct orphan *at = book->waiting; at; at = at->hh.next)
		plan_ptr(plan, at->ptr.owner, book == plan->before);
}

static void plan_groups(struct plan *plan)
{
	struct group_entry *was = plan->before->state->groups, *is = plan->after->state->groups;

	for (const struct group_entry *at = was; at; at = at->hh.next) {
		const struct source_edit edit = {
			.act = SOURCE_DELETE_GROUP,
			.expected = at->group.revision,
			.group = {.name = at->group.name},
		};

		if (at->group.revision && !group_find(is, at->group.name))
			add(plan, &edit);
	}
	for (const struct group_entry *at = is; at; at = at->hh.next) {
		const struct group_entry *before = group_find(was, at->group.name);
		const struct source_edit edit = {
			.act = SOURCE_PUT_GROUP,
			.expected = before ? before->group.revision : 0,
			.group = {.name = at->group.name,
				  .region = at->group.region,
				  .tags = at->group.tags},
		};

		if (!at->group.revision)
			add(plan, &edit);
	}
}

static void plan_all(struct plan *plan)
{
	const struct node *node;

	plan->count = 0;
	for (node = plan->before->state->by_id; node; node = node->by_id.next)
		plan_owner_gone(plan, node);
	for (node = plan->after->state->by_id; node; node = node->by_id.next)
		plan_owner(plan, node);
	plan_ptrs(plan, plan->before);
	plan_ptrs(plan, plan->after);
	plan_groups(plan);
}

/* What was written has this revision from now on. */
static void stamp(struct book *book, uint64_t revision)
{
	struct shelf *const shelves[] = {book->file, book->state};

	for (unsigned i = 0; i < 2; i++)
		for (struct node *node = shelves[i]->by_id; node; node = node->by_id.next) {
			struct owner *owner = &node->owner;

			if (!owner->revision && !owner_is_read_only(owner))
				owner->revision = revision;
			if (!owner->ptr.revision && owner->ptr.fqdn && !owner->ptr.read_only)
				owner->ptr.revision = revision;
		}
	for (struct orphan *at = book->waiting; at; at = at->hh.next)
		at->ptr.revision = at->ptr.revision ? at->ptr.revision : revision;
	for (struct group_entry *at = book->state->groups; at; at = at->hh.next)
		at->group.revision = at->group.revision ? at->group.revision : revision;
}

/* ---- in a thread ---- */

static int store(struct remake *remake, struct change *change)
{
	const struct inventory *inventory = remake->inventory;
	struct plan plan = {.before = inventory->book, .after = remake->aside.book};
	uint64_t revision = 0;

	plan_all(&plan);
	plan.edits = calloc(plan.count + 1, sizeof *plan.edits);
	if (!plan.edits)
		return change_fail_memory(change);
	plan_all(&plan);
	int err = plan.count ? source_apply(inventory->source, plan.edits, plan.count, &revision,
					    remake->store_error)
			     : 0;
	free(plan.edits);
	if (err)
		return change_fail(change, CHANGE_STORE, NULL, "%s", remake->store_error);
	stamp(remake->aside.book, revision);
	remake->stored = true;
	return 0;
}

static int make_book(struct remake *remake, bool afresh)
{
	struct book *book = remake->aside.book = book_new(inventory_model(remake->inventory));

	return book ? inventory_merge_aside(remake->inventory, book, afresh) : ERR_NOMEM;
}

static void run(struct remake *remake, struct change *change,
		int (*edit)(void *context, struct change *change), void *context)
{
	int err = edit(context, change);

	if (!err)
		change_settle(change, 0); /* of no revision yet: to be written */
	if (!err && inventory_merge_table(remake->inventory, remake->aside.book) != 0)
		err = change_fail(change, CHANGE_NO_MEMORY, NULL,
				  "cannot be served: out of memory");
	if (!err)
		err = store(remake, change);
	(void)err; /* is the change's */
	remake->error = *change_error(change);
}

void remake_run(struct remake *remake, bool afresh,
		int (*edit)(void *context, struct change *change), void *context)
{
	struct change *change =
		make_book(remake, afresh) == 0 ? change_begin(&remake->aside) : NULL;

	if (change)
		run(remake, change, edit, context);
	else
		remake->error = *change_error(NULL);
	change_free(change);
}

/* ---- the end ---- */

int remake_finish(struct remake *remake, struct change_error *error)
{
	struct inventory *inventory = remake->inventory;
	struct book *before = inventory->book, *after = remake->aside.book;

	*error = remake->error;
	if (*remake->store_error)
		log_event(LOG_ERROR, "state", "%s", remake->store_error);
	if (remake->stored || *remake->store_error)
		snprintf(inventory->error, sizeof inventory->error, "%s", remake->store_error);
	if (!remake->stored)
		return ERR_INVALID;
	inventory->book = after;
	inventory->version++;
	remake->aside.book = before;
	struct owned *owned = after->owned;
	after->owned = NULL;
	owned_unref(before->owned); /* which this thread has to do */
	before->owned = NULL;
	if (inventory_publish(inventory, owned) == 0)
		return 0;
	*error = (struct change_error){
		.outcome = CHANGE_NO_MEMORY,
		.text = "it is kept, and will be served with the next change or reload: out of "
			"memory"};
	log_event(LOG_ERROR, "state", "%s", error->text);
	return ERR_INVALID;
}
