/* The inventory's life: the state is opened, a book is made of it and the file, served, and
 * replaced by the next one. Two books are at hand only while a reload is under way:
 *
 *     inventory_reload ──► next ──served?── yes: inventory_adopt    next becomes book
 *                                      └─── no:  inventory_abandon  next is forgotten
 *
 * Changes (change.c) alter the present book in place; there is none while a reload is under way,
 * because both begin and end within one callback of the control thread. */
#include "resolver/control/inventory.h"

#include <assert.h>
#include <utlist.h>

#include "resolver/control/inventory_internal.h"
#include "resolver/control/state.h"

/* A book before there is a model: changes and lookups need not ask whether there is one. */
static const struct model no_model;

struct inventory *inventory_new(const struct hash_key *key,
				const struct inventory_publisher *publisher)
{
	struct inventory *inventory = calloc(1, sizeof *inventory);

	if (!inventory)
		return NULL;
	inventory->key = *key;
	inventory->publisher = *publisher;
	inventory->book = book_new(&no_model);
	if (inventory->book)
		inventory->book->owned = owned_new();
	if (inventory->book && inventory->book->owned)
		return inventory;
	inventory_free(inventory);
	return NULL;
}

void inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return;
	assert(!inventory->changing);
	book_free(inventory->next);
	book_free(inventory->book);
	source_close(inventory->source);
	free(inventory->state_path);
	free(inventory);
}

/* A store that others write to, too, has changed: what is at hand may be old. */
static void on_change(void *context)
{
	struct inventory *inventory = context;

	inventory->stale = true;
	snprintf(inventory->error, sizeof inventory->error,
		 "the state %s was changed elsewhere; reload the configuration",
		 inventory->state_path);
}

static int open_source(struct inventory *inventory)
{
	inventory->source = state_open(inventory->state_path, inventory->error);
	if (!inventory->source)
		return ERR_SYSTEM;
	inventory->error[0] = '\0';
	return inventory->source->calls->watch(inventory->source, on_change, inventory);
}

void inventory_open(struct inventory *inventory, const struct model *model, struct faults *faults)
{
	const char *path = model->management.state;

	inventory->wants_state = path != NULL;
	if (!path || inventory->source)
		return;
	free(inventory->state_path);
	inventory->state_path = strdup(path);
	inventory->stale = true;
	if (!inventory->state_path || open_source(inventory) != 0)
		fault_add(faults, FAULT_WARNING, &model->management.origin, "state",
			  "%s; what the file says is served, and changes are refused until then",
			  inventory->error);
}

/* ---- reloading ---- */

/* One that could not be opened is tried again; another one takes a restart. */
static void reopen(struct inventory *inventory, const struct model *model, struct faults *faults)
{
	const char *path = model->management.state, *before = inventory->state_path;

	if (!before || !path ? before != path : strcmp(before, path) != 0)
		fault_add(faults, FAULT_WARNING, &model->management.origin, "state",
			  "another state takes a restart; still %s", before ? before : "none");
	if (!before || inventory->source)
		return;
	int err = open_source(inventory);
	(void)err; /* its reason is kept */
}

/* Without a book that holds what the state has (at the start, that is), a state that cannot be read
 * keeps nothing from being served; later, what it said goes on being served. */
static bool can_do_without(const struct inventory *inventory)
{
	return inventory->book->model == &no_model;
}

static int merge_without(struct inventory *inventory, struct book *book, struct faults *faults)
{
	struct source *source = inventory->source;
	struct origin origin = {.file = inventory->state_path};

	fault_add(faults, FAULT_WARNING, &origin, NULL,
		  "%s; what the file says is served, and changes are refused until a reload finds "
		  "it well",
		  inventory->error);
	inventory->source = NULL;
	int err = inventory_merge(inventory, book, faults);
	inventory->source = source;
	inventory->stale = true;
	return err;
}

/* The state's trouble is told by `scratch`, whose faults become warnings where one can do without.
 */
static int merge(struct inventory *inventory, struct faults *faults)
{
	struct faults found;
	bool optional = can_do_without(inventory);

	faults_init(&found);
	if (inventory->source)
		inventory->error[0] = '\0';
	int err = inventory_merge(inventory, inventory->next, &found);
	bool unreadable = err && inventory->source && inventory->error[0];
	if (!unreadable || !optional) {
		for (size_t i = 0; i < found.count; i++)
			fault_add(faults, found.items[i].severity, &found.items[i].origin, NULL,
				  "%s", found.items[i].text);
		inventory->stale = unreadable;
	} else {
		struct book *book = book_new(inventory->next->model);

		book_free(inventory->next);
		inventory->next = book;
		err = book ? merge_without(inventory, book, faults) : ERR_NOMEM;
	}
	faults_release(&found);
	return err;
}

int inventory_reload(struct inventory *inventory, const struct model *model, struct owned **owned,
		     struct faults *faults)
{
	assert(!inventory->next && !inventory->changing);
	if (can_do_without(inventory))
		inventory_open(inventory, model, faults);
	else
		reopen(inventory, model, faults);
	inventory->next = book_new(model);
	int err = inventory->next ? merge(inventory, faults) : ERR_NOMEM;
	if (err == ERR_NOMEM && faults->errors == 0)
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(err));
	if (err) {
		inventory_abandon(inventory);
		return err;
	}
	*owned = owned_ref(inventory->next->owned);
	return 0;
}

void inventory_adopt(struct inventory *inventory)
{
	assert(inventory->next);
	book_free(inventory->book);
	inventory->book = inventory->next;
	inventory->next = NULL;
}

void inventory_abandon(struct inventory *inventory)
{
	book_free(inventory->next);
	inventory->next = NULL;
}

/* ---- how it is ---- */

struct owned *inventory_owned(const struct inventory *inventory)
{
	return inventory->book->owned;
}

const struct model *inventory_model(const struct inventory *inventory)
{
	return inventory->book->model;
}

int inventory_secret(struct inventory *inventory, const char *name,
		     uint8_t bytes[SOURCE_SECRET_BYTES], char error[SOURCE_ERROR_MAX])
{
	if (!inventory->source)
		return ERR_NOT_FOUND;
	return inventory->source->calls->secret(inventory->source, name, bytes, error);
}

void inventory_settle(struct inventory *inventory)
{
	struct book *book = inventory->book;

	while (book->pending) {
		struct node *node = book->pending;

		DL_DELETE2(book->pending, node, pending_before, pending_behind);
		node->owner.ptr.status = node->owner.ptr.fqdn ? PTR_ACTIVE : PTR_INACTIVE;
		node->owner.ptr.action = PTR_ACTION_NONE;
	}
}

void inventory_about(const struct inventory *inventory, struct inventory_about *about)
{
	const struct book *book = inventory->book;

	*about = (struct inventory_about){
		.addresses = book->addresses,
		.services = book->services,
		.ptrs = book->ptrs,
		.waiting = HASH_CNT(hh, book->waiting),
		.has_state = inventory->wants_state,
		.state = inventory->state_path,
		.error = inventory->error[0] ? inventory->error : NULL,
	};
}
