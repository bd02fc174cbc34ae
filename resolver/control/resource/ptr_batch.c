/* Unlike change.c this does not alter the book as it goes: others read it meanwhile. What is to be
 * lies ready beside it,
 *
 *     staged   node ── what it will have (struct owner_ptr), with its texts in memory
 *
 * and takes its place in the end, which can fail no more: an owner keeps its node and its keys when
 * it gets another PTR. Those that have it wait for the workers in a list of the batch's own, which
 * becomes the shelf's when they are published: until then no worker can be said to serve them. */
#include "resolver/control/resource/ptr_batch.h"

#include <assert.h>
#include <utlist.h>

#include "resolver/control/resource/change_internal.h"
#include "resolver/log.h"
#include "rules/text.h"

struct staged { /* a row */
	struct node *node;
	struct owner_ptr ptr;
	char *texts;
	bool changes; /* else it is what the node has */
	struct staged *next;
};

struct ptr_batch {
	struct inventory *inventory;
	struct staged *rows, **end; /* each node's one is marked there */
	struct staged *left;        /* of them, in a step that is done in portions */
	struct owned_draft *draft;
	struct node *pending[2]; /* of the file's shelf, and of the state's */
	struct ptr_batch_counts counts;
	/* of storing */
	int err;
	bool stored;
	uint64_t revision;
	char error[SOURCE_ERROR_MAX];
};

struct ptr_batch *ptr_batch_new(struct inventory *inventory)
{
	struct ptr_batch *batch = calloc(1, sizeof *batch);

	if (!batch)
		return NULL;
	batch->inventory = inventory;
	batch->end = &batch->rows;
	batch->draft = owned_edit(inventory->book->owned);
	if (batch->draft)
		return batch;
	free(batch);
	return NULL;
}

bool ptr_batch_clear(struct ptr_batch *batch, size_t most)
{
	for (; batch->rows && most > 0; most--) {
		struct staged *row = batch->rows;

		batch->rows = row->next;
		row->node->staged = false;
		free(row->texts);
		free(row);
	}
	return batch->rows;
}

void ptr_batch_free(struct ptr_batch *batch)
{
	if (!batch)
		return;
	ptr_batch_clear(batch, SIZE_MAX);
	owned_discard(batch->draft);
	free(batch);
}

struct ptr_batch_counts ptr_batch_count(const struct ptr_batch *batch)
{
	return batch->counts;
}

int ptr_batch_is_open(const struct ptr_batch *batch, struct change_error *error)
{
	struct change scratch = {.inventory = batch->inventory};
	int err = change_is_open(&scratch);

	*error = scratch.error;
	return err;
}

/* ---- a row ---- */

static bool is_same(const struct owner_ptr *now, const struct owner_ptr *wanted)
{
	if (!now->fqdn || !wanted->fqdn)
		return !now->fqdn && !wanted->fqdn;
	return text_equal(now->fqdn, wanted->fqdn) &&
	       text_equal(now->description, wanted->description) &&
	       now->ttl_given == wanted->ttl_given && now->ttl == wanted->ttl;
}

static int check(struct change *scratch, const struct node *node, const struct change_ptr *ptr)
{
	if (node->staged)
		return change_fail(scratch, CHANGE_TAKEN, NULL,
				   "another row before this one is for the same address; leave one "
				   "out");
	if (ptr->fqdn && *ptr->fqdn)
		return change_check_ptr(scratch, ptr);
	if ((ptr->description && *ptr->description) || ptr->ttl_given)
		return change_fail(
			scratch, CHANGE_INVALID, ptr->ttl_given ? "ttl" : "description",
			"belongs to the PTR, and there is none; give reverse_fqdn as well");
	return 0;
}

/* A cloud service's new name has to be asked for, whosever it is (api/claim.h). */
static int check_owned(struct change *scratch, const struct owner *owner,
		       const struct owner_ptr *wanted)
{
	if (owner->kind != OWNER_SERVICE || !wanted->fqdn ||
	    text_equal(owner->ptr.fqdn, wanted->fqdn))
		return 0;
	return change_fail(scratch, CHANGE_INVALID, "reverse_fqdn",
			   "the name of a cloud service must belong to its subscription, which is "
			   "not checked in bulk; set it on its own: sluice service set, or PUT "
			   "/v1/services/NAME");
}

/* What the workers are to serve of it. */
static int draft(struct ptr_batch *batch, const struct node *node, const struct owner_ptr *ptr)
{
	struct name name;

	if (node->refusal)
		return 0;
	if (!ptr->fqdn)
		return owned_set_ptr(batch->draft, &node->owner.address, NULL, 0);
	int err = name_from_text(&name, &batch->inventory->key, ptr->fqdn);
	return err ? err : owned_set_ptr(batch->draft, &node->owner.address, &name, ptr->ttl);
}

static int stage(struct ptr_batch *batch, struct node *node, const struct owner_ptr *wanted)
{
	struct staged *row = calloc(1, sizeof *row);
	int err = row ? 0 : ERR_NOMEM;

	if (!err)
		row->node = node;
	if (!err && !is_same(&node->owner.ptr, wanted)) {
		row->changes = true;
		err = node_make_ptr(node, wanted, &row->ptr, &row->texts);
		err = err ? err : draft(batch, node, wanted);
	}
	if (!err) {
		node->staged = true;
		*batch->end = row;
		batch->end = &row->next;
		batch->counts.unchanged += !row->changes;
		batch->counts.set += row->changes && wanted->fqdn;
		batch->counts.removed += row->changes && !wanted->fqdn;
		return 0;
	}
	if (row)
		free(row->texts);
	free(row);
	return err;
}

int ptr_batch_add(struct ptr_batch *batch, const struct owner *owner, const struct change_ptr *ptr,
		  struct change_error *error)
{
	struct change scratch = {.inventory = batch->inventory};
	struct node *node = (struct node *)(uintptr_t)owner; /* whose first member it is */
	char fqdn[NAME_TEXT_MAX];

	_Static_assert(offsetof(struct node, owner) == 0, "an owner that is shown is in its node");
	assert(!batch->stored);
	int err = check(&scratch, node, ptr);
	if (!err) {
		const struct owner_ptr wanted =
			change_wanted_ptr(&node->owner, ptr, batch->inventory->book->model, fqdn);

		if (!is_same(&node->owner.ptr, &wanted))
			err = change_check_ptr_writable(&scratch, &node->owner);
		if (!err)
			err = check_owned(&scratch, &node->owner, &wanted);
		if (!err && stage(batch, node, &wanted) != 0)
			err = change_fail_memory(&scratch);
	}
	*error = scratch.error;
	return err;
}

/* ---- making it so ---- */

static size_t describe(const struct ptr_batch *batch, struct source_edit *edits)
{
	size_t count = 0;

	for (const struct staged *row = batch->rows; row; row = row->next) {
		struct owner owner = row->node->owner;

		if (!row->changes)
			continue;
		owner.ptr = row->ptr;
		edits[count++] = (struct source_edit){
			.act = row->ptr.fqdn ? SOURCE_PUT_PTR : SOURCE_DELETE_PTR,
			.expected = row->node->owner.ptr.revision,
			.ptr = owner_ptr_record(&owner),
		};
	}
	return count;
}

void ptr_batch_store(struct ptr_batch *batch)
{
	const struct ptr_batch_counts *counts = &batch->counts;
	struct source_edit *edits = calloc(counts->set + counts->removed + 1, sizeof *edits);

	batch->err = ERR_NOMEM;
	snprintf(batch->error, sizeof batch->error, "%s", err_text(ERR_NOMEM));
	if (edits)
		batch->err = source_apply(batch->inventory->source, edits, describe(batch, edits),
					  &batch->revision, batch->error);
	batch->stored = true;
	batch->left = batch->err ? NULL : batch->rows;
	free(edits);
}

/* The node keeps its place in every table. */
static void settle(struct ptr_batch *batch, struct staged *row)
{
	struct book *book = batch->inventory->book;
	struct node *node = row->node;
	struct shelf *shelf = book_shelf(book, node);
	struct node **pending = &batch->pending[shelf == book->state];

	if (node->owner.ptr.status == PTR_PENDING)
		DL_DELETE2(shelf->pending, node, pending_before, pending_behind);
	shelf->ptrs -= node->owner.ptr.fqdn != NULL;
	shelf->ptrs += row->ptr.fqdn != NULL;
	row->ptr.revision = row->ptr.fqdn ? batch->revision : 0;
	node_take_ptr(node, &row->ptr, row->texts);
	row->texts = NULL;
	if (node->owner.ptr.status == PTR_PENDING)
		DL_APPEND2(*pending, node, pending_before, pending_behind);
}

bool ptr_batch_settle(struct ptr_batch *batch, size_t most)
{
	assert(batch->stored);
	for (; batch->left && most > 0; most--) {
		if (batch->left->changes)
			settle(batch, batch->left);
		batch->left = batch->left->next;
	}
	return batch->left;
}

static int fail(struct change_error *error, enum change_outcome outcome, const char *text)
{
	*error = (struct change_error){.outcome = outcome};
	snprintf(error->text, sizeof error->text, "%s", text);
	log_event(LOG_ERROR, "state", "%s", text);
	return ERR_INVALID;
}

int ptr_batch_finish(struct ptr_batch *batch, struct change_error *error)
{
	struct inventory *inventory = batch->inventory;
	struct book *book = inventory->book;

	assert(batch->stored && !batch->left);
	snprintf(inventory->error, sizeof inventory->error, "%s", batch->err ? batch->error : "");
	if (batch->err)
		return fail(error, batch->err == ERR_NOMEM ? CHANGE_NO_MEMORY : CHANGE_STORE,
			    batch->error);
	DL_CONCAT2(book->file->pending, batch->pending[0], pending_before, pending_behind);
	DL_CONCAT2(book->state->pending, batch->pending[1], pending_before, pending_behind);
	inventory->version++;
	struct owned *owned = owned_commit(batch->draft);
	batch->draft = NULL;
	if (inventory_publish(inventory, owned) == 0)
		return 0;
	return fail(error, CHANGE_NO_MEMORY,
		    "it is kept, and will be served with the next change or reload: out of memory");
}
