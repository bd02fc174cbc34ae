/* The inventory's life: the state is opened, a book is made of it and the file, served, and
 * replaced by the next one. Two books are at hand only while a reload is under way:
 *
 *     inventory_reload ──► next ──served?── yes: inventory_adopt    next becomes book
 *                                      └─── no:  inventory_abandon  next is forgotten
 *
 * Changes (change.c) alter the present book in place; there is none while a reload is under way,
 * because both begin and end within one callback of the control thread. */
#include "resolver/control/resource/inventory.h"

#include <assert.h>

#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/inventory_internal.h"
#include "resolver/control/resource/inventory_page.h"
#include "resolver/control/store/state.h"
#include "resolver/log.h"
#include "rules/text.h"

enum { SETTLED_AT_ONCE = 1000 };

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
	if (inventory->book) {
		inventory->book->state = shelf_new();
		inventory->book->owned = owned_new();
	}
	if (inventory->book && inventory->book->state && inventory->book->owned)
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

void inventory_say_unread(struct inventory *inventory, const char *why)
{
	snprintf(inventory->error, sizeof inventory->error, "%s; then reload the configuration",
		 why);
}

void inventory_say_lost(struct inventory *inventory)
{
	inventory->stale = true;
	inventory->version++;
	inventory_say_unread(inventory, "memory was too short to undo a change: what is served is "
					"as it was, but not all of it is listed; free some memory");
	log_event(LOG_ERROR, "state", "%s", inventory->error);
}

void inventory_note_error(struct inventory *inventory, const char *error)
{
	snprintf(inventory->error, sizeof inventory->error, "%s", error ? error : "");
	if (error)
		log_event(LOG_ERROR, "state", "%s", error);
}

static int open_source(struct inventory *inventory)
{
	char error[SOURCE_ERROR_MAX];

	inventory->source = inventory->looks ? state_look(inventory->state_path, error)
					     : state_open(inventory->state_path, error);
	if (!inventory->source && !*error)
		snprintf(error, sizeof error, "the state %s is not there; restart to begin one",
			 inventory->state_path);
	if (!inventory->source) {
		inventory_say_unread(inventory, error);
		return ERR_SYSTEM;
	}
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
	if (inventory->state_path && open_source(inventory) == 0)
		return;
	if (inventory->looks)
		fault_add(faults, FAULT_ERROR, &model->management.origin, "state", "%s",
			  inventory->error);
	else
		fault_add(faults, FAULT_WARNING, &model->management.origin, "state",
			  "%s; what the file says is served, and changes are refused until then",
			  inventory->error);
}

/* ---- reloading ---- */

/* One that could not be opened is tried again; another one takes a restart. */
static void reopen(struct inventory *inventory, const struct model *model, struct faults *faults)
{
	const char *path = model->management.state, *before = inventory->state_path;

	if (!text_equal(before, path))
		fault_add(faults, FAULT_WARNING, &model->management.origin, "state",
			  "another state takes a restart; still %s", before ? before : "none");
	if (before && !inventory->source && open_source(inventory) != 0)
		fault_add(faults, FAULT_WARNING, &model->management.origin, "state",
			  "%s; changes are refused until then", inventory->error);
}

int inventory_reload(struct inventory *inventory, const struct model *model, struct owned **owned,
		     struct faults *faults)
{
	assert(!inventory->next && !inventory->changing && !inventory->held);
	if (inventory->book->model == &no_model)
		inventory_open(inventory, model, faults);
	else
		reopen(inventory, model, faults);
	if (inventory->looks && inventory->wants_state && !inventory->source)
		return ERR_FAULTS;
	inventory->next = book_new(model);
	int err = inventory->next ? inventory_merge(inventory, inventory->next, faults) : ERR_NOMEM;
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
	book_inherit(inventory->next, inventory->book);
	book_free(inventory->book);
	inventory->book = inventory->next;
	inventory->version++;
	inventory->next = NULL;
	if (!inventory->book->read)
		return;
	inventory->stale = false;
	inventory->error[0] = '\0';
}

/* What was read then is not what is served, so it has to be read again. */
void inventory_abandon(struct inventory *inventory)
{
	if (inventory->next && inventory->next->read)
		snprintf(inventory->error, sizeof inventory->error,
			 "the state %s was changed elsewhere, and what it has now could not be "
			 "served; reload the configuration",
			 inventory->state_path);
	book_free(inventory->next);
	inventory->next = NULL;
}

/* ---- for a look ---- */

void inventory_check(const struct model *model, struct faults *faults)
{
	static const struct hash_key any_key;
	static const struct inventory_publisher nobody;
	char error[SOURCE_ERROR_MAX];
	const char *path = model->management.state;
	struct source *source = path ? state_look(path, error) : NULL;

	if (!source) {
		if (path && *error)
			fault_add(faults, FAULT_WARNING, &model->management.origin, "state",
				  "%s; what the file says is served, and changes are refused until "
				  "then",
				  error);
		return;
	}
	struct inventory *inventory = inventory_new(&any_key, &nobody);
	struct book *book = inventory ? book_new(model) : NULL;
	if (inventory)
		inventory->state_path = strdup(path);
	if (book && inventory->state_path) {
		inventory->source = source;
		inventory->stale = true; /* so it is read */
		int err = inventory_merge(inventory, book, faults);
		(void)err; /* is in the faults */
	} else {
		source_close(source);
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(ERR_NOMEM));
	}
	book_free(book);
	inventory_free(inventory);
}

/* ---- how it is ---- */

char *inventory_etag(const struct inventory *inventory, char text[ETAG_MAX])
{
	return etag_print(etag_add_number(&inventory->key, 0, inventory->version),
			  inventory->settled, text);
}

const struct model *inventory_model(const struct inventory *inventory)
{
	return inventory->book->model;
}

void inventory_only_look(struct inventory *inventory)
{
	inventory->looks = true;
}

void inventory_take(struct inventory *inventory)
{
	source_close(inventory->source);
	inventory->source = NULL;
	inventory->looks = false;
	inventory->stale = true;
}

void inventory_hand_over(struct inventory *inventory)
{
	if (!inventory->source)
		return;
	source_close(inventory->source);
	inventory->source = NULL;
	snprintf(inventory->error, sizeof inventory->error,
		 "the state %s is being handed over to another process", inventory->state_path);
}

int inventory_secret(struct inventory *inventory, const char *name,
		     uint8_t bytes[SOURCE_SECRET_BYTES], char error[SOURCE_ERROR_MAX])
{
	if (!inventory->source)
		return ERR_NOT_FOUND;
	return inventory->source->calls->secret(inventory->source, name, bytes, error);
}

int inventory_serials(struct inventory *inventory, struct source_serial *rows, size_t count,
		      bool write)
{
	char error[SOURCE_ERROR_MAX];

	if (!inventory->source)
		return ERR_NOT_FOUND;
	return inventory->source->calls->serials(inventory->source, rows, count, write, error);
}

bool inventory_settle(struct inventory *inventory)
{
	struct shelf *file = inventory->book->file, *state = inventory->book->state;
	size_t settled = shelf_settle(file, SETTLED_AT_ONCE);

	settled += shelf_settle(state, SETTLED_AT_ONCE - settled);
	inventory->settled += (uint32_t)settled;
	return file->pending || state->pending;
}

int inventory_publish(struct inventory *inventory, struct owned *owned)
{
	owned_unref(inventory->book->owned);
	inventory->book->owned = owned;
	return inventory->publisher.serve(inventory->publisher.context, owned);
}

bool inventory_is_held(const struct inventory *inventory)
{
	return inventory->held;
}

void inventory_hold(struct inventory *inventory, bool held)
{
	assert(!inventory->changing && inventory->held != held);
	inventory->held = held;
}

void inventory_about(const struct inventory *inventory, struct inventory_about *about)
{
	const struct book *book = inventory->book;

	*about = (struct inventory_about){
		.addresses = book->file->addresses + book->state->addresses,
		.services = book->file->services + book->state->services,
		.ptrs = book->file->ptrs + book->state->ptrs,
		.waiting = HASH_CNT(hh, book->waiting),
		.has_state = inventory->wants_state,
		.state = inventory->state_path,
		.error = inventory->error[0] ? inventory->error : NULL,
	};
}
