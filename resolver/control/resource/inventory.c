/* Makes and copies inventories; finds addresses and services by a key or page by page. Loading is
 * in inventory_load.c. */
#include "resolver/control/resource/inventory.h"

#include <assert.h>
#include <strings.h>

#include "resolver/control/resource/group.h"
#include "resolver/control/resource/part.h"
#include "rules/text.h"

/* The model before the first load, so that changes and lookups need no check for NULL. */
static struct model no_model = {.references = 1};

/* ---- making and freeing ---- */

void inventory_part_release(struct inventory_part *part)
{
	pools_free(part->pools);
	file_rows_free(part->rows);
	owned_unref(part->owned);
	*part = (struct inventory_part){0};
}

struct inventory *inventory_new(const struct hash_key *key)
{
	struct inventory *inventory = calloc(1, sizeof *inventory);

	if (!inventory)
		return NULL;
	inventory->key = *key;
	store_init(&inventory->store, SOURCE_WRITE);
	arena_init(&inventory->shown);
	inventory->now = (struct inventory_part){
		.model = &no_model, .pools = pools_new(&no_model), .owned = owned_new()};
	if (inventory->now.pools && inventory->now.owned)
		return inventory;
	inventory_free(inventory);
	return NULL;
}

void inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return;
	assert(!inventory->changing);
	inventory_part_release(&inventory->now);
	store_close(&inventory->store);
	arena_release(&inventory->shown);
	free(inventory);
}

struct inventory *inventory_copy(struct inventory *inventory, enum store_copy how)
{
	struct inventory *copy = malloc(sizeof *copy);

	if (!copy)
		return NULL;
	*copy = *inventory;
	copy->of = inventory;
	copy->changing = false;
	copy->trouble[0] = '\0';
	arena_init(&copy->shown);
	if (how != STORE_SAME) /* a new connection gets the rows that this one has */
		inventory_attach(inventory);
	store_copy(&copy->store, &inventory->store, how);
	if (how != STORE_VIEW)
		return copy;
	model_ref(copy->now.model);
	pools_ref(copy->now.pools);
	if (copy->now.rows)
		file_rows_ref(copy->now.rows);
	copy->now.owned = NULL;
	return copy;
}

void inventory_copy_free(struct inventory *copy)
{
	if (!copy)
		return;
	if (copy->store.how == STORE_VIEW) {
		model_free(copy->now.model);
		pools_free(copy->now.pools);
		file_rows_free(copy->now.rows);
	}
	store_close(&copy->store);
	arena_release(&copy->shown);
	free(copy);
}

struct store *inventory_store(struct inventory *inventory)
{
	return &inventory->store;
}

const char *inventory_trouble(const struct inventory *inventory)
{
	return *inventory->trouble ? inventory->trouble : NULL;
}

void inventory_say_trouble(struct inventory *inventory, const char *why)
{
	if (*inventory->trouble)
		return;
	snprintf(inventory->trouble, sizeof inventory->trouble, "%s", why);
	inventory->troubled.kind = 0;
}

void inventory_take_trouble(struct inventory *inventory, const struct inventory *from)
{
	if (!*from->trouble || *inventory->trouble)
		return;
	inventory_say_trouble(inventory, from->trouble);
	inventory->troubled = from->troubled;
}

void inventory_note_unread(struct inventory *inventory, const struct inventory *seen_by)
{
	if (*seen_by->trouble && seen_by->troubled.kind)
		inventory->unread = seen_by->troubled;
}

bool inventory_has_unread(const struct inventory *inventory)
{
	return inventory->unread.kind && inventory->store.unread;
}

void inventory_try_unread(struct inventory *inventory)
{
	struct inventory_row *row = &inventory->unread;
	struct store *store = &inventory->store;
	struct owned_resource ptr = {.kind = NULL};
	struct resource_group group;
	const char *name;

	if (!row->kind || !store->source || store->stale)
		return;
	if (*store->error && !store->unread)
		return; /* the error is of writing now, and stays until writing works */
	inventory_forget(inventory);
	name = part_key_name(row->path, &inventory->shown);
	if (!name)
		return;
	if (row->kind == KIND_GROUP)
		(void)group_find_row(inventory, name, &group);
	else if (row->kind == KIND_PTR)
		(void)!inventory_ptr_row(inventory, row->path, &ptr);
	else
		(void)inventory_find(inventory, SOURCE_BY_ROW, row->kind, row->path, NULL);
	if (!*inventory->trouble) {
		row->kind = 0;
		store_note_error(store, NULL, false);
	} else if (strcmp(store->error, inventory->trouble) != 0) {
		store_note_error(store, inventory->trouble, true);
	}
	inventory_forget(inventory);
}

/* Attaches the rows, or returns NULL; `error` says why. */
static struct source *attach(struct inventory *inventory, struct source *source,
			     char error[SOURCE_ERROR_MAX])
{
	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	return source && source->calls->attach(source, inventory->now.rows, error) == 0 ? source
											: NULL;
}

/* The source to read, with the file's rows attached. If the state cannot be opened, the source has
 * the file's rows alone, and `missing` says why; "": it has the state's rows, or no state is
 * configured. NULL: there is no memory. */
static struct source *attached(struct inventory *inventory, char missing[SOURCE_ERROR_MAX])
{
	struct store *store = &inventory->store;
	struct source *source = NULL;
	char error[SOURCE_ERROR_MAX];

	*missing = '\0';
	if (store->source)
		source = attach(inventory, store->source, missing);
	else if (*store->url)
		snprintf(missing, SOURCE_ERROR_MAX, "%s",
			 *store->error ? store->error : "the state is not open; try again");
	if (source)
		*missing = '\0';
	else
		source = attach(inventory, store_empty(store), error);
	if (!source)
		inventory_say_trouble(inventory, error);
	return source;
}

struct source *inventory_reader(struct inventory *inventory)
{
	char missing[SOURCE_ERROR_MAX];
	struct source *source = attached(inventory, missing);

	if (*missing)
		inventory_say_trouble(inventory, missing);
	return source;
}

void inventory_attach(struct inventory *inventory)
{
	char unused[SOURCE_ERROR_MAX];

	(void)attached(inventory, unused);
}

/* ---- resources as callers see them ---- */

/* The result of a lookup in the state, in the arena `shown`. */
struct found {
	struct inventory *inventory;
	struct owned_resource *resource; /* NULL: none was found */
	const struct owned_resource **page;
	size_t count;                  /* on the page */
	size_t rows;                   /* read */
	struct owned_resource *of_ptr; /* gets the PTR of a row */
};

int inventory_complain(struct inventory *inventory, const struct source_resource *row, int err)
{
	const char *ptr = row->keys && row->keys->ptr ? row->keys->ptr : NULL;
	char text[SOURCE_ERROR_MAX];

	snprintf(text, sizeof text,
		 "the state %s has a record \"%s\"%s%s%s, which was not written by sluice; repair "
		 "or remove it",
		 inventory->store.url, row->path, ptr ? " with the PTR \"" : "", ptr ? ptr : "",
		 ptr ? "\"" : "");
	if (!*inventory->trouble) {
		inventory_say_trouble(inventory, err == ERR_INVALID ? text : err_text(err));
		inventory->troubled.kind = err == ERR_INVALID ? row->kind : 0;
		snprintf(inventory->troubled.path, sizeof inventory->troubled.path, "%s",
			 row->path);
	}
	return err;
}

const char *inventory_refusal(const struct inventory *inventory,
			      const struct owned_resource *resource, char text[POOLS_TEXT_MAX])
{
	return owned_is_declared(resource)
		       ? NULL
		       : pools_refusal(inventory->now.pools, &resource->item.address,
				       resource->item.region, text);
}

/* Sets the PTR's status. A row has the PTR's last action, which is pending until every worker has
 * that revision. */
static int show_status(struct inventory *inventory, struct owned_resource *resource)
{
	bool pending = resource->ptr_revision > inventory->served;
	bool is_there = resource->item.reverse_fqdn;
	char text[POOLS_TEXT_MAX];
	const char *refusal = is_there ? inventory_refusal(inventory, resource, text) : NULL;

	if (resource->ptr_is_declared)
		return 0;
	if (refusal) {
		resource->status = PTR_ERROR;
		resource->reason = arena_strdup(&inventory->shown, refusal);
	} else {
		resource->status = pending ? PTR_PENDING : is_there ? PTR_ACTIVE : PTR_INACTIVE;
	}
	if (!pending || refusal)
		resource->action = PTR_ACTION_NONE;
	return refusal && !resource->reason ? ERR_NOMEM : 0;
}

static int on_ptr(void *context, const struct source_resource *row)
{
	struct found *found = context;
	struct inventory *inventory = found->inventory;
	int err = owned_take_ptr_row(found->of_ptr, row, inventory->now.model, &inventory->shown);

	found->rows++;
	return err ? inventory_complain(inventory, row, err) : 0;
}

int inventory_ptr_row(struct inventory *inventory, const char *id, struct owned_resource *resource)
{
	struct source *source = inventory_reader(inventory);
	struct found found = {.inventory = inventory, .of_ptr = resource};
	char error[SOURCE_ERROR_MAX] = "";
	int err = source ? source->calls->find(source, SOURCE_BY_ROW, KIND_PTR, id, NULL, on_ptr,
					       &found, error)
			 : 0;

	if (err) {
		inventory_say_trouble(inventory, error);
		return ERR_SYSTEM;
	}
	return found.rows ? 0 : ERR_NOT_FOUND;
}

static int on_unset(void *id, const struct source_change *change)
{
	return change->kind == KIND_PTR && !change->after && strcmp(change->path, id) == 0
		       ? ERR_EXISTS
		       : 0;
}

/* Whether the PTR of this declared resource was removed, and some worker may still serve it. */
static bool was_unset(struct inventory *inventory, const char *id)
{
	struct source *source = inventory_reader(inventory);
	char error[SOURCE_ERROR_MAX];
	int err = 0;

	if (source && inventory->published > inventory->served)
		err = source->calls->changes(source, inventory->served, on_unset,
					     (void *)(uintptr_t)id, error);
	if (err && err != ERR_EXISTS)
		inventory_say_trouble(inventory, error);
	return err == ERR_EXISTS;
}

/* Gives an item of the file, which has no PTR there, the PTR of the state. ERR_SYSTEM, ERR_NOMEM.
 */
static int take_ptr(struct inventory *inventory, struct owned_resource *resource)
{
	int err = inventory_ptr_row(inventory, resource->item.id, resource);

	if (!err)
		return show_status(inventory, resource);
	if (err == ERR_NOT_FOUND && was_unset(inventory, resource->item.id)) {
		resource->status = PTR_PENDING;
		resource->action = PTR_ACTION_DELETE;
	}
	return inventory_trouble(inventory) ? ERR_SYSTEM : 0;
}

static int take_declared(struct inventory *inventory, struct owned_resource *resource,
			 size_t number)
{
	int err = owned_of_file(resource, number, inventory->now.model, &inventory->shown);

	return err || resource->ptr_is_declared ? err : take_ptr(inventory, resource);
}

/* Whether this is the resource of the row before, which the file repeats; the file's counts. */
static bool is_repeated(const struct found *found, const struct owned_resource *resource)
{
	return found->count > 0 &&
	       strcmp(found->page[found->count - 1]->item.id, resource->item.id) == 0;
}

/* A callback for the source: makes a resource from the row. */
static int on_resource_row(void *context, const struct source_resource *row)
{
	struct found *found = context;
	struct inventory *inventory = found->inventory;
	struct owned_resource *resource = arena_alloc(&inventory->shown, sizeof *resource);
	int err = ERR_NOMEM;

	if (resource && row->number) {
		err = take_declared(inventory, resource, row->number);
	} else if (resource) {
		err = owned_of_row(resource, row, inventory->now.model, &inventory->shown);
		if (!err)
			err = show_status(inventory, resource);
	}
	if (err)
		return inventory_complain(inventory, row, err);
	found->rows++;
	found->resource = resource;
	if (found->page && !is_repeated(found, resource))
		found->page[found->count++] = resource;
	else if (found->page && row->number)
		found->page[found->count - 1] = resource;
	return 0;
}

void inventory_forget(struct inventory *inventory)
{
	if (!inventory->changing && !inventory->of)
		inventory->trouble[0] = '\0';
	if (inventory->shown.held_bytes == 0)
		return;
	arena_release(&inventory->shown);
	arena_init(&inventory->shown);
}

/* ---- lookups ---- */

const struct owned_resource *inventory_find(struct inventory *inventory, enum source_by by,
					    unsigned kind, const char *text,
					    const struct address *address)
{
	char error[SOURCE_ERROR_MAX] = "", missing[SOURCE_ERROR_MAX];
	struct source *source = attached(inventory, missing);
	struct found found = {.inventory = inventory};

	if (source && source->calls->find(source, by, kind, text, address, on_resource_row, &found,
					  error) != 0)
		inventory_say_trouble(inventory, error);
	if (!found.resource && *missing)
		inventory_say_trouble(inventory, missing);
	return found.resource;
}

static int on_number(void *number, const struct source_resource *row)
{
	*(size_t *)number = row->number;
	return 0;
}

int inventory_declared_id(struct inventory *inventory, const char *id, size_t *number)
{
	char error[SOURCE_ERROR_MAX] = "", unused[SOURCE_ERROR_MAX];
	struct source *source = attached(inventory, unused);
	int err = ERR_SYSTEM;

	*number = 0;
	if (source)
		err = source->calls->find(source, SOURCE_BY_ID, 0, id, NULL, on_number, number,
					  error);
	if (source && err)
		inventory_say_trouble(inventory, error);
	return err ? ERR_SYSTEM : 0;
}

static const struct owned_resource *by_name(struct inventory *inventory, unsigned kind,
					    const char *group, const char *name)
{
	char path[PATH_MAX_BYTES];

	return name && path_key_of(kind, group, name, path) == 0
		       ? inventory_find(inventory, SOURCE_BY_PATH, kind, path, NULL)
		       : NULL;
}

const struct owned_resource *inventory_address(struct inventory *inventory, const char *group,
					       const char *name)
{
	return by_name(inventory, KIND_ADDRESS, group, name);
}

const struct owned_resource *inventory_service(struct inventory *inventory, const char *name)
{
	return by_name(inventory, KIND_SERVICE, NULL, name);
}

const struct owned_resource *inventory_by_id(struct inventory *inventory, const char *id)
{
	char key[UUID_TEXT_MAX];

	if (!id || strlen(id) >= sizeof key)
		return NULL;
	snprintf(key, sizeof key, "%s", id);
	return inventory_find(inventory, SOURCE_BY_ID, 0, text_lower(key), NULL);
}

const struct owned_resource *inventory_by_address(struct inventory *inventory,
						  const struct address *address)
{
	return address->family ? inventory_find(inventory, SOURCE_BY_ADDRESS, 0, NULL, address)
			       : NULL;
}

bool inventory_cut_suffix(const char *name, const char *suffix, char text[NAME_TEXT_MAX])
{
	char dotted[NAME_TEXT_MAX];
	size_t length = strlen(name), tail;

	if (!suffix)
		return false;
	owned_dotted(suffix, dotted);
	tail = strlen(dotted);
	if (length < tail + 2 || name[length - tail - 1] != '.' ||
	    strcasecmp(name + length - tail, dotted) != 0)
		return false;
	snprintf(text, NAME_TEXT_MAX, "%.*s", (int)(length - tail - 1), name);
	text_lower(text);
	return true;
}

const struct owned_resource *inventory_by_ptr(struct inventory *inventory, const char *text)
{
	const char *colon = strrchr(text, ':'), *id = colon ? colon + 1 : text;
	size_t length = colon ? (size_t)(colon - text) : 0;
	const struct owned_resource *resource;
	struct address address;

	if (address_parse(&address, text) == 0)
		return inventory_by_address(inventory, &address);
	resource = inventory_by_id(inventory, id);
	if (!resource || !colon)
		return resource;
	return resource->item.region && strlen(resource->item.region) == length &&
			       strncasecmp(resource->item.region, text, length) == 0
		       ? resource
		       : NULL;
}

const struct owned_resource *inventory_by_fqdn(struct inventory *inventory, const char *fqdn)
{
	const struct reverse_settings *reverse = &inventory->now.model->reverse;
	const struct owned_resource *resource = NULL;
	char name[NAME_TEXT_MAX], host[NAME_TEXT_MAX], path[PATH_MAX_BYTES];

	if (!fqdn || !*fqdn || strlen(fqdn) >= sizeof name - 1)
		return NULL;
	owned_dotted(fqdn, name);
	if (inventory_cut_suffix(name, reverse->suffix, host))
		resource = inventory_find(inventory, SOURCE_BY_HOST, 0, host, NULL);
	if (!resource && inventory_cut_suffix(name, reverse->service_suffix, host) &&
	    path_key_of(KIND_SERVICE, NULL, host, path) == 0)
		resource = inventory_find(inventory, SOURCE_BY_PATH, KIND_SERVICE, path, NULL);
	return resource;
}

/* ---- pages ---- */

/* Fills the page with the resources that follow, of file and state. A resource that both have takes
 * two rows, so further rows may be needed. */
static size_t read_page(struct inventory *inventory, const struct source_page *page,
			const struct owned_resource **resources)
{
	struct source *source = inventory_reader(inventory);
	struct source_page wanted = *page;
	struct found found = {.inventory = inventory, .page = resources};
	char error[SOURCE_ERROR_MAX] = "", path[PATH_MAX_BYTES];
	bool more = source;

	while (more && found.count < page->limit) {
		found.rows = 0;
		wanted.limit = page->limit - found.count;
		if (source->calls->page(source, &wanted, on_resource_row, &found, error) != 0) {
			inventory_say_trouble(inventory, error);
			break;
		}
		more = found.rows == wanted.limit;
		if (more && wanted.address)
			wanted.address = &found.resource->item.address;
		else if (more && owned_key(found.resource, path) == 0)
			wanted.path = path;
	}
	return found.count;
}

static size_t addresses_after(struct inventory *inventory, const char *group,
			      const struct address *after, const struct owned_resource **page,
			      size_t room)
{
	static const struct address first;
	char key[NAME_TEXT_MAX];
	const struct source_page wanted = {.kind = KIND_ADDRESS,
					   .group = group ? key : NULL,
					   .address = after ? after : &first,
					   .limit = room};

	snprintf(key, sizeof key, "%s", group ? group : "");
	text_lower(key);
	return read_page(inventory, &wanted, page);
}

size_t inventory_addresses_after(struct inventory *inventory, const struct address *after,
				 const struct owned_resource **page, size_t room)
{
	return addresses_after(inventory, NULL, after, page, room);
}

size_t inventory_group_after(struct inventory *inventory, const char *group,
			     const struct address *after, const struct owned_resource **page,
			     size_t room)
{
	return addresses_after(inventory, group ? group : "", after, page, room);
}

size_t inventory_services_after(struct inventory *inventory, const char *after,
				const struct owned_resource **page, size_t room)
{
	char path[PATH_MAX_BYTES] = "";
	const struct source_page wanted = {.kind = KIND_SERVICE, .path = path, .limit = room};

	if (after && path_key_of(KIND_SERVICE, NULL, after, path) != 0)
		return 0; /* longer than any name */
	return read_page(inventory, &wanted, page);
}

/* ---- waiting PTRs ---- */

static int on_waiting(void *context, const struct source_resource *row)
{
	struct found *found = context;
	struct inventory *inventory = found->inventory;
	struct owned_resource *resource;
	size_t number;
	int err = inventory_declared_id(inventory, row->path, &number);

	if (err || number > 0 || found->count == inventory->now.counts.waiting)
		return err;
	resource = arena_alloc(&inventory->shown, sizeof *resource);
	if (resource)
		resource->item.id = arena_strdup(&inventory->shown, row->path);
	err = resource && resource->item.id
		      ? owned_take_ptr_row(resource, row, inventory->now.model, &inventory->shown)
		      : ERR_NOMEM;
	if (err)
		return inventory_complain(inventory, row, err);
	found->page[found->count++] = resource;
	return 0;
}

const struct owned_resource **inventory_waiting(struct inventory *inventory, size_t *count)
{
	struct source *source = inventory_reader(inventory);
	struct found found = {.inventory = inventory};
	const struct source_page wanted = {.kind = KIND_PTR, .limit = INT64_MAX};
	char error[SOURCE_ERROR_MAX] = "";

	*count = 0;
	if (!source || inventory->now.counts.waiting == 0)
		return NULL;
	found.page = calloc(inventory->now.counts.waiting, sizeof *found.page);
	if (!found.page) {
		inventory_say_trouble(inventory, err_text(ERR_NOMEM));
		return NULL;
	}
	if (source->calls->page(source, &wanted, on_waiting, &found, error) != 0)
		inventory_say_trouble(inventory, error);
	*count = found.count;
	return found.page;
}

/* ---- state and version of the inventory ---- */

static uint64_t hash_counts(uint64_t hash, const struct inventory_counts *counts)
{
	const size_t numbers[] = {counts->addresses, counts->services, counts->ptrs,
				  counts->refused,   counts->given,    counts->repeated,
				  counts->waiting};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		hash = etag_add_number(hash, numbers[i]);
	return hash;
}

char *inventory_etag(const struct inventory *inventory, char text[ETAG_MAX])
{
	const struct inventory_part *now = &inventory->now;
	bool pending = inventory->served < inventory->published;
	uint64_t computed = hash_counts(now->derived, &now->counts);

	/* 0 if nothing is pending, because after a restart workers have served other revisions. */
	computed = etag_add_number(computed, pending ? inventory->served + 1 : 0);
	return etag_print(inventory->changed, now->derived, computed, text);
}

const struct model *inventory_model(const struct inventory *inventory)
{
	return inventory->now.model;
}

void inventory_note_served(struct inventory *inventory)
{
	inventory->served = inventory->published;
}

struct owned *inventory_table(const struct inventory *inventory)
{
	return owned_ref(inventory->now.owned);
}

void inventory_publish(struct inventory *inventory, struct owned *owned, uint64_t revision)
{
	if (owned) {
		owned_unref(inventory->now.owned);
		inventory->now.owned = owned;
	} else if (inventory->served == inventory->published) {
		inventory->served = revision;
	}
	inventory->published = revision;
}

static int count_change(void *context, const struct source_change *change)
{
	size_t *count = context;

	*count += change->kind == KIND_PTR;
	return 0;
}

size_t inventory_pending(const struct inventory *inventory)
{
	struct source *source =
		inventory->published > inventory->served ? inventory->store.source : NULL;
	char error[SOURCE_ERROR_MAX];
	size_t count = 0;

	if (!source ||
	    source->calls->changes(source, inventory->served, count_change, &count, error) != 0)
		return 0;
	return count;
}

static bool has_ptr(const struct owned_item *declared)
{
	return declared->reverse_fqdn && *declared->reverse_fqdn;
}

void inventory_about(const struct inventory *inventory, struct inventory_about *about)
{
	const struct inventory_part *now = &inventory->now;
	const struct store *store = &inventory->store;
	const struct model *file = model_declared(now->model);

	*about = (struct inventory_about){
		.addresses = now->counts.addresses + file->addresses.count,
		.services = now->counts.services + file->cloud_services.count,
		.ptrs = now->counts.ptrs + now->counts.given,
		.waiting = now->counts.waiting,
		.has_state = *store->url,
		.state = *store->url ? store->url : NULL,
		.error = *store->error ? store->error : NULL,
	};
	for (size_t i = 0; i < file->addresses.count; i++)
		about->ptrs += has_ptr(&file->addresses.items[i]);
	for (size_t i = 0; i < file->cloud_services.count; i++)
		about->ptrs += has_ptr(&file->cloud_services.items[i]);
}
