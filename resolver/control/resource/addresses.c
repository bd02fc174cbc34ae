/* Finds addresses and services by a key or page by page. Loading is in addresses_load.c. */
#include "resolver/control/resource/addresses.h"

#include <strings.h>

#include "resolver/control/resource/group.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/resources.h"
#include "rules/text.h"

/* ---- making and freeing ---- */

bool addresses_init(struct addresses *addresses, const struct model *model)
{
	*addresses = (struct addresses){.pools = pools_new(model), .owned = owned_new()};
	return addresses->pools && addresses->owned;
}

void addresses_share(struct addresses *addresses)
{
	pools_ref(addresses->pools);
	if (addresses->rows)
		file_rows_ref(addresses->rows);
	addresses->owned = NULL;
}

void addresses_release(struct addresses *addresses)
{
	pools_free(addresses->pools);
	file_rows_free(addresses->rows);
	owned_unref(addresses->owned);
	*addresses = (struct addresses){0};
}

/* ---- resources as callers see them ---- */

/* The result of a lookup in the rows of the state and of the file, in the arena `shown`. */
struct found {
	struct resources *resources;
	struct owned_resource *resource; /* NULL: none was found */
	const struct owned_resource **page;
	size_t count;                  /* on the page */
	size_t rows;                   /* read */
	struct owned_resource *of_ptr; /* gets the PTR of a row */
};

const char *addresses_refusal(const struct resources *resources,
			      const struct owned_resource *resource, char text[POOLS_TEXT_MAX])
{
	return owned_is_declared(resource)
		       ? NULL
		       : pools_refusal(resources->addresses.pools, &resource->item.address,
				       resource->item.region, text);
}

/* Sets the PTR's status. A row has the PTR's last action and its revision. The action is pending
 * until every worker serves that revision. */
static int show_status(struct resources *resources, struct owned_resource *resource)
{
	bool pending = resource->ptr_revision > resources->addresses.past.served;
	bool is_there = resource->item.reverse_fqdn;
	char text[POOLS_TEXT_MAX];
	const char *refusal = is_there ? addresses_refusal(resources, resource, text) : NULL;

	if (resource->ptr_is_declared)
		return 0;
	if (refusal) {
		resource->status = PTR_ERROR;
		resource->reason = arena_strdup(&resources->shown, refusal);
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
	struct resources *resources = found->resources;
	int err = owned_take_ptr_row(found->of_ptr, row, resources->model, &resources->shown);

	found->rows++;
	return err ? resources_complain(resources, row, err) : 0;
}

int addresses_ptr_row(struct resources *resources, const char *id, struct owned_resource *resource)
{
	struct source *source = resources_reader(resources);
	struct found found = {.resources = resources, .of_ptr = resource};
	char error[SOURCE_ERROR_MAX] = "";
	int err = source ? source->calls->find(source, SOURCE_BY_ROW, KIND_PTR, id, NULL, on_ptr,
					       &found, error)
			 : 0;

	if (err) {
		resources_say_trouble(resources, error);
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
static bool was_unset(struct resources *resources, const char *id)
{
	struct source *source = resources_reader(resources);
	char error[SOURCE_ERROR_MAX];
	int err = 0;

	if (source && resources->addresses.past.published > resources->addresses.past.served)
		err = source->calls->changes(source, source_after(resources->addresses.past.served),
					     on_unset, (void *)(uintptr_t)id, error);
	if (err && err != ERR_EXISTS)
		resources_say_trouble(resources, error);
	return err == ERR_EXISTS;
}

/* Gives an item of the file, which has no PTR there, the PTR of the state. ERR_SYSTEM, ERR_NOMEM.
 */
static int take_ptr(struct resources *resources, struct owned_resource *resource)
{
	int err = addresses_ptr_row(resources, resource->item.id, resource);

	if (!err)
		return show_status(resources, resource);
	if (err == ERR_NOT_FOUND && was_unset(resources, resource->item.id)) {
		resource->status = PTR_PENDING;
		resource->action = PTR_ACTION_DELETE;
	}
	return resources_trouble(resources) ? ERR_SYSTEM : 0;
}

static int take_declared(struct resources *resources, struct owned_resource *resource,
			 size_t number)
{
	int err = owned_of_file(resource, number, resources->model, &resources->shown);

	return err || resource->ptr_is_declared ? err : take_ptr(resources, resource);
}

/* Whether the page's last resource is the same one: if file and state both have a resource, their
 * rows follow each other, and the file's counts. */
static bool is_repeated(const struct found *found, const struct owned_resource *resource)
{
	return found->count > 0 &&
	       strcmp(found->page[found->count - 1]->item.id, resource->item.id) == 0;
}

/* A callback for the source: makes a resource from the row. */
static int on_resource_row(void *context, const struct source_resource *row)
{
	struct found *found = context;
	struct resources *resources = found->resources;
	struct owned_resource *resource = arena_alloc(&resources->shown, sizeof *resource);
	int err = ERR_NOMEM;

	if (resource && row->number) {
		err = take_declared(resources, resource, row->number);
	} else if (resource) {
		err = owned_of_row(resource, row, resources->model, &resources->shown);
		if (!err)
			err = show_status(resources, resource);
	}
	if (err)
		return resources_complain(resources, row, err);
	found->rows++;
	found->resource = resource;
	if (found->page && !is_repeated(found, resource))
		found->page[found->count++] = resource;
	else if (found->page && row->number)
		found->page[found->count - 1] = resource;
	return 0;
}

/* ---- lookups ---- */

const struct owned_resource *addresses_search(struct resources *resources, enum source_by by,
					      unsigned kind, const char *text,
					      const struct address *address)
{
	char error[SOURCE_ERROR_MAX] = "", missing[SOURCE_ERROR_MAX];
	struct source *source = resources_source(resources, missing);
	struct found found = {.resources = resources};

	if (source && source->calls->find(source, by, kind, text, address, on_resource_row, &found,
					  error) != 0)
		resources_say_trouble(resources, error);
	if (!found.resource && *missing)
		resources_say_trouble(resources, missing);
	return found.resource;
}

static int on_number(void *number, const struct source_resource *row)
{
	*(size_t *)number = row->number;
	return 0;
}

int addresses_declared_id(struct resources *resources, const char *id, size_t *number)
{
	char error[SOURCE_ERROR_MAX] = "", unused[SOURCE_ERROR_MAX];
	struct source *source = resources_source(resources, unused);
	int err = ERR_SYSTEM;

	*number = 0;
	if (source)
		err = source->calls->find(source, SOURCE_BY_ID, 0, id, NULL, on_number, number,
					  error);
	if (source && err)
		resources_say_trouble(resources, error);
	return err ? ERR_SYSTEM : 0;
}

static const struct owned_resource *by_name(struct resources *resources, unsigned kind,
					    const char *group, const char *name)
{
	char path[PATH_MAX_BYTES];

	return name && path_key_of(kind, group, name, path) == 0
		       ? addresses_search(resources, SOURCE_BY_PATH, kind, path, NULL)
		       : NULL;
}

const struct owned_resource *addresses_by_name(struct resources *resources, const char *group,
					       const char *name)
{
	return by_name(resources, KIND_ADDRESS, group, name);
}

const struct owned_resource *services_by_name(struct resources *resources, const char *name)
{
	return by_name(resources, KIND_SERVICE, NULL, name);
}

const struct owned_resource *addresses_by_id(struct resources *resources, const char *id)
{
	char key[UUID_TEXT_MAX];

	if (!id || strlen(id) >= sizeof key)
		return NULL;
	snprintf(key, sizeof key, "%s", id);
	return addresses_search(resources, SOURCE_BY_ID, 0, text_lower(key), NULL);
}

const struct owned_resource *addresses_by_address(struct resources *resources,
						  const struct address *address)
{
	return address->family ? addresses_search(resources, SOURCE_BY_ADDRESS, 0, NULL, address)
			       : NULL;
}

bool addresses_cut_suffix(const char *name, const char *suffix, char text[NAME_TEXT_MAX])
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

const struct owned_resource *addresses_by_ptr(struct resources *resources, const char *text)
{
	const char *colon = strrchr(text, ':'), *id = colon ? colon + 1 : text;
	size_t length = colon ? (size_t)(colon - text) : 0;
	const struct owned_resource *resource;
	struct address address;

	if (address_parse(&address, text) == 0)
		return addresses_by_address(resources, &address);
	resource = addresses_by_id(resources, id);
	if (!resource || !colon)
		return resource;
	return resource->item.region && strlen(resource->item.region) == length &&
			       strncasecmp(resource->item.region, text, length) == 0
		       ? resource
		       : NULL;
}

const struct owned_resource *addresses_by_fqdn(struct resources *resources, const char *fqdn)
{
	const struct reverse_settings *reverse = &resources->model->reverse;
	const struct owned_resource *resource = NULL;
	char name[NAME_TEXT_MAX], host[NAME_TEXT_MAX], path[PATH_MAX_BYTES];

	if (!fqdn || !*fqdn || strlen(fqdn) >= sizeof name - 1)
		return NULL;
	owned_dotted(fqdn, name);
	if (addresses_cut_suffix(name, reverse->suffix, host))
		resource = addresses_search(resources, SOURCE_BY_HOST, 0, host, NULL);
	if (!resource && addresses_cut_suffix(name, reverse->service_suffix, host) &&
	    path_key_of(KIND_SERVICE, NULL, host, path) == 0)
		resource = addresses_search(resources, SOURCE_BY_PATH, KIND_SERVICE, path, NULL);
	return resource;
}

const struct owned_resource *addresses_find(struct resources *resources, const struct path *path)
{
	switch (path->kind->id) {
	case KIND_GROUP: return NULL;
	case KIND_ADDRESS:
		return addresses_by_name(resources,
					 strcmp(path->group, GROUP_NONE) == 0 ? NULL : path->group,
					 path->names[0]);
	case KIND_SERVICE: return services_by_name(resources, path->names[0]);
	default: return addresses_by_ptr(resources, path->names[0]);
	}
}

/* ---- pages ---- */

/* Fills the page with the resources that follow, of file and state. A resource that both have takes
 * two rows, so further rows may be needed. */
static size_t read_page(struct resources *resources, const struct source_page *page,
			const struct owned_resource **rows)
{
	struct source *source = resources_reader(resources);
	struct source_page wanted = *page;
	struct found found = {.resources = resources, .page = rows};
	char error[SOURCE_ERROR_MAX] = "", path[PATH_MAX_BYTES];
	bool more = source;

	while (more && found.count < page->limit) {
		found.rows = 0;
		wanted.limit = page->limit - found.count;
		if (source->calls->page(source, &wanted, on_resource_row, &found, error) != 0) {
			resources_say_trouble(resources, error);
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

static size_t read_addresses(struct resources *resources, const char *group,
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
	return read_page(resources, &wanted, page);
}

size_t addresses_after(struct resources *resources, const struct address *after,
		       const struct owned_resource **page, size_t room)
{
	return read_addresses(resources, NULL, after, page, room);
}

size_t addresses_in_group_after(struct resources *resources, const char *group,
				const struct address *after, const struct owned_resource **page,
				size_t room)
{
	return read_addresses(resources, group ? group : "", after, page, room);
}

size_t services_after(struct resources *resources, const char *after,
		      const struct owned_resource **page, size_t room)
{
	char path[PATH_MAX_BYTES] = "";
	const struct source_page wanted = {.kind = KIND_SERVICE, .path = path, .limit = room};

	if (after && path_key_of(KIND_SERVICE, NULL, after, path) != 0)
		return 0; /* longer than any name */
	return read_page(resources, &wanted, page);
}

bool addresses_try_row(struct resources *resources, unsigned kind, const char *path)
{
	const char *name = part_key_name(path, &resources->shown);
	struct owned_resource ptr = {.kind = NULL};
	struct resource_group group;

	if (!name)
		return false;
	if (kind == KIND_GROUP)
		(void)group_find_row(resources, name, &group);
	else if (kind == KIND_PTR)
		(void)!addresses_ptr_row(resources, path, &ptr);
	else
		(void)addresses_search(resources, SOURCE_BY_ROW, kind, path, NULL);
	return true;
}

/* ---- waiting PTRs ---- */

static int on_waiting(void *context, const struct source_resource *row)
{
	struct found *found = context;
	struct resources *resources = found->resources;
	struct owned_resource *resource;
	size_t number;
	int err = addresses_declared_id(resources, row->path, &number);

	if (err || number > 0 || found->count == resources->addresses.counts.waiting)
		return err;
	resource = arena_alloc(&resources->shown, sizeof *resource);
	if (resource)
		resource->item.id = arena_strdup(&resources->shown, row->path);
	err = resource && resource->item.id
		      ? owned_take_ptr_row(resource, row, resources->model, &resources->shown)
		      : ERR_NOMEM;
	if (err)
		return resources_complain(resources, row, err);
	found->page[found->count++] = resource;
	return 0;
}

const struct owned_resource **ptrs_waiting(struct resources *resources, size_t *count)
{
	struct source *source = resources_reader(resources);
	struct found found = {.resources = resources};
	const struct source_page wanted = {.kind = KIND_PTR, .limit = INT64_MAX};
	char error[SOURCE_ERROR_MAX] = "";

	*count = 0;
	if (!source || resources->addresses.counts.waiting == 0)
		return NULL;
	found.page = calloc(resources->addresses.counts.waiting, sizeof *found.page);
	if (!found.page) {
		resources_say_trouble(resources, err_text(ERR_NOMEM));
		return NULL;
	}
	if (source->calls->page(source, &wanted, on_waiting, &found, error) != 0)
		resources_say_trouble(resources, error);
	*count = found.count;
	return found.page;
}

/* ---- state and version ---- */

static uint64_t hash_counts(uint64_t hash, const struct addresses_counts *counts)
{
	const size_t numbers[] = {counts->addresses, counts->services, counts->ptrs,
				  counts->refused,   counts->given,    counts->repeated,
				  counts->waiting};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		hash = etag_add_number(hash, numbers[i]);
	return hash;
}

char *addresses_etag(const struct resources *resources, char text[ETAG_MAX])
{
	const struct addresses *now = &resources->addresses;
	bool pending = resources->addresses.past.served < resources->addresses.past.published;
	uint64_t computed = hash_counts(now->derived, &now->counts);

	/* 0 if nothing is pending: `served` itself may differ after a restart, which the etag must
	 * survive. */
	computed = etag_add_number(computed, pending ? resources->addresses.past.served + 1 : 0);
	return etag_print(resources->addresses.past.changed, now->derived, computed, text);
}

void addresses_note_served(struct resources *resources)
{
	resources->addresses.past.served = resources->addresses.past.published;
}

struct owned *addresses_table(const struct resources *resources)
{
	return owned_ref(resources->addresses.owned);
}

void addresses_publish(struct resources *resources, struct owned *owned, uint64_t revision)
{
	if (owned) {
		owned_unref(resources->addresses.owned);
		resources->addresses.owned = owned;
	} else if (resources->addresses.past.served == resources->addresses.past.published) {
		resources->addresses.past.served = revision;
	}
	resources->addresses.past.published = revision;
}

static int count_change(void *context, const struct source_change *change)
{
	size_t *count = context;

	*count += change->kind == KIND_PTR;
	return 0;
}

size_t ptrs_pending(const struct resources *resources)
{
	struct source *source =
		resources->addresses.past.published > resources->addresses.past.served
			? resources->store.source
			: NULL;
	char error[SOURCE_ERROR_MAX];
	size_t count = 0;

	if (!source ||
	    source->calls->changes(source, source_after(resources->addresses.past.served),
				   count_change, &count, error) != 0)
		return 0;
	return count;
}

static bool has_ptr(const struct owned_item *declared)
{
	return declared->reverse_fqdn && *declared->reverse_fqdn;
}

void addresses_about(const struct resources *resources, struct addresses_about *about)
{
	const struct addresses *now = &resources->addresses;
	const struct store *store = &resources->store;
	const struct model *file = model_declared(resources->model);

	*about = (struct addresses_about){
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
