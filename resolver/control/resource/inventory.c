/* The inventory's life, and what is read of it. The state is opened once; each load makes a part of
 * the model and of the state, which is served or forgotten:
 *
 *     inventory_reload ──► next ──served?── yes: inventory_adopt    next becomes now
 *                                      └─── no:  inventory_abandon  next is forgotten
 *
 * Putting the two together:
 *
 *     a name, address, id, label or PTR in both    a fault that names both; nothing is served
 *     an address of the state without a pool       a warning; kept, and not served
 *     a PTR in the state, its owner in the file    the owner's PTR
 *     a PTR in the state, its owner nowhere        kept, waits
 *     a state that cannot be read                  a warning; what is served of it stays */
#include "resolver/control/resource/inventory.h"

#include <assert.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/resource/etag.h"
#include "resolver/control/store/state.h"
#include "resolver/log.h"
#include "rules/text.h"

/* Before there is a model: changes and lookups need not ask whether there is one. */
static const struct model no_model;

/* ---- its life ---- */

static void part_release(struct inventory_part *part)
{
	pools_free(part->pools);
	declared_free(part->declared);
	owned_unref(part->owned);
	*part = (struct inventory_part){0};
}

struct inventory *inventory_new(const struct hash_key *key,
				const struct inventory_publisher *publisher)
{
	struct inventory *inventory = calloc(1, sizeof *inventory);

	if (!inventory)
		return NULL;
	inventory->key = *key;
	inventory->publisher = *publisher;
	arena_init(&inventory->shown);
	inventory->now = (struct inventory_part){.model = &no_model,
						 .pools = pools_new(&no_model),
						 .declared = declared_new(NULL),
						 .owned = owned_new()};
	if (inventory->now.pools && inventory->now.declared && inventory->now.owned)
		return inventory;
	inventory_free(inventory);
	return NULL;
}

void inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return;
	assert(!inventory->changing);
	part_release(&inventory->next);
	part_release(&inventory->now);
	source_close(inventory->source);
	arena_release(&inventory->shown);
	free(inventory->state_path);
	free(inventory);
}

struct inventory *inventory_aside(struct inventory *inventory)
{
	struct inventory *aside = malloc(sizeof *aside);
	char error[SOURCE_ERROR_MAX];

	assert(inventory->held);
	if (!aside)
		return NULL;
	*aside = *inventory;
	aside->of = inventory;
	aside->source = NULL;
	aside->held = aside->changing = false;
	aside->error[0] = aside->trouble[0] = '\0';
	arena_init(&aside->shown);
	if (inventory->source)
		aside->source = inventory->source->calls->another(inventory->source, error);
	if (inventory->source && !aside->source) {
		memcpy(aside->error, error, sizeof aside->error);
		memcpy(aside->trouble, error, sizeof aside->trouble);
	}
	return aside;
}

void inventory_aside_free(struct inventory *aside)
{
	if (!aside)
		return;
	if (aside->source)
		aside->of->source->calls->join(aside->of->source, aside->source);
	arena_release(&aside->shown);
	free(aside);
}

struct source *inventory_source(struct inventory *inventory)
{
	return inventory->source;
}

static void say_unread(struct inventory *inventory, const char *why)
{
	snprintf(inventory->error, sizeof inventory->error, "%s; then reload the configuration",
		 why);
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
		say_unread(inventory, error);
		return ERR_SYSTEM;
	}
	inventory->error[0] = '\0';
	return 0;
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

/* ---- an owner, as it is shown ---- */

/* The row that was looked for, in the arena of what is shown. */
struct found {
	struct inventory *inventory;
	struct owner *owner; /* NULL: none was found */
	const struct owner **page;
	size_t room, count;
	struct owner_ptr *ptr; /* of a row that is a PTR */
};

static void say_trouble(struct inventory *inventory, const char *text)
{
	if (!*inventory->trouble)
		snprintf(inventory->trouble, sizeof inventory->trouble, "%s", text);
}

static int complain(struct inventory *inventory, const struct source_resource *row, int err)
{
	const char *ptr = row->keys && row->keys->ptr ? row->keys->ptr : NULL;
	char text[SOURCE_ERROR_MAX];

	snprintf(text, sizeof text,
		 "the state %s has a record \"%s\"%s%s%s, which was not written by sluice; repair "
		 "or remove it",
		 inventory->state_path, row->path, ptr ? " with the PTR \"" : "", ptr ? ptr : "",
		 ptr ? "\"" : "");
	say_trouble(inventory, err == ERR_INVALID ? text : err_text(err));
	return err;
}

const char *inventory_refusal(const struct inventory *inventory, const struct owner *owner,
			      char text[POOLS_TEXT_MAX])
{
	return owner_is_read_only(owner)
		       ? NULL
		       : pools_refusal(inventory->now.pools, &owner->address, owner->region, text);
}

/* How its PTR fares. A row says what was done to it last, which is pending until every worker has
 * that revision. */
static int show_status(struct inventory *inventory, struct owner *owner)
{
	struct owner_ptr *ptr = &owner->ptr;
	bool pending = ptr->revision > inventory->settled;
	char text[POOLS_TEXT_MAX];
	const char *refusal = ptr->fqdn ? inventory_refusal(inventory, owner, text) : NULL;

	if (ptr->read_only)
		return 0;
	if (refusal) {
		ptr->status = PTR_ERROR;
		ptr->reason = arena_strdup(&inventory->shown, refusal);
	} else {
		ptr->status = pending ? PTR_PENDING : ptr->fqdn ? PTR_ACTIVE : PTR_INACTIVE;
	}
	if (!pending || refusal)
		ptr->action = PTR_ACTION_NONE;
	return refusal && !ptr->reason ? ERR_NOMEM : 0;
}

/* A callback of the source's: the owner that the row is. */
static int on_owner(void *context, const struct source_resource *row)
{
	struct found *found = context;
	struct inventory *inventory = found->inventory;
	struct owner *owner = arena_alloc(&inventory->shown, sizeof *owner);
	int err = owner ? owner_of_row(owner, row, inventory->now.model, &inventory->shown)
			: ERR_NOMEM;

	if (!err)
		err = show_status(inventory, owner);
	if (err)
		return complain(inventory, row, err);
	owner->read_at = inventory->edits;
	found->owner = owner;
	if (found->page && found->count < found->room)
		found->page[found->count++] = owner;
	return 0;
}

static int on_ptr(void *context, const struct source_resource *row)
{
	struct found *found = context;
	struct inventory *inventory = found->inventory;
	int err = owner_take_ptr_row(found->ptr, row, inventory->now.model, &inventory->shown);

	found->count++;
	return err ? complain(inventory, row, err) : 0;
}

int inventory_ptr_row(struct inventory *inventory, const char *id, struct owner_ptr *ptr)
{
	struct source *source = inventory_source(inventory);
	struct found found = {.inventory = inventory, .ptr = ptr};
	char error[SOURCE_ERROR_MAX] = "";
	int err = source ? source->calls->find(source, SOURCE_BY_PATH, KIND_PTR, id, NULL, on_ptr,
					       &found, error)
			 : 0;

	if (err) {
		say_trouble(inventory, error);
		return ERR_SYSTEM;
	}
	return found.count ? 0 : ERR_NOT_FOUND;
}

static int on_unset(void *id, const struct source_change *change)
{
	return change->kind == KIND_PTR && !change->after && strcmp(change->path, id) == 0
		       ? ERR_EXISTS
		       : 0;
}

/* Whether the PTR of this owner of the file is gone, and some worker may have it still. */
static bool was_unset(struct inventory *inventory, const char *id)
{
	struct source *source = inventory_source(inventory);
	char error[SOURCE_ERROR_MAX];

	return source && inventory->published > inventory->settled &&
	       source->calls->changes(source, inventory->settled, on_unset, (void *)(uintptr_t)id,
				      error) == ERR_EXISTS;
}

/* What the file declares, with the PTR that it may have from the state. */
static const struct owner *show_declared(struct inventory *inventory, const struct owner *declared)
{
	struct owner *owner;

	if (!declared || declared->ptr.fqdn)
		return declared;
	owner = arena_alloc(&inventory->shown, sizeof *owner);
	if (!owner) {
		say_trouble(inventory, err_text(ERR_NOMEM));
		return NULL;
	}
	*owner = *declared;
	if (inventory_ptr_row(inventory, owner->id, &owner->ptr) == 0) {
		if (show_status(inventory, owner) != 0)
			say_trouble(inventory, err_text(ERR_NOMEM));
	} else if (was_unset(inventory, owner->id)) {
		owner->ptr.status = PTR_PENDING;
		owner->ptr.action = PTR_ACTION_DELETE;
	}
	return owner;
}

const char *inventory_trouble(const struct inventory *inventory)
{
	return *inventory->trouble ? inventory->trouble : NULL;
}

void inventory_forget(struct inventory *inventory)
{
	inventory->trouble[0] = '\0';
	if (inventory->shown.held_bytes == 0)
		return;
	arena_release(&inventory->shown);
	arena_init(&inventory->shown);
}

/* ---- finding ---- */

static const struct owner *find_row(struct inventory *inventory, enum source_by by, unsigned kind,
				    const char *text, const struct address *address)
{
	struct source *source = inventory_source(inventory);
	struct found found = {.inventory = inventory};
	char error[SOURCE_ERROR_MAX] = "";

	if (source &&
	    source->calls->find(source, by, kind, text, address, on_owner, &found, error) != 0)
		say_trouble(inventory, error);
	return found.owner;
}

/* In the state, or else in the file, by what the probe has. */
static const struct owner *find(struct inventory *inventory, enum source_by by,
				enum declared_order order, unsigned kind, const char *text,
				const struct owner *probe)
{
	const struct owner *declared = declared_find(inventory->now.declared, order, probe);

	return declared ? show_declared(inventory, declared)
			: find_row(inventory, by, kind, text, &probe->address);
}

static const struct owner *by_name(struct inventory *inventory, enum owner_kind kind,
				   const char *group, const char *name)
{
	const struct owner probe = {.kind = kind, .resource_group = group, .name = name};
	char path[OWNER_PATH_MAX];

	if (!name || owner_path(kind, group, name, path) != 0)
		return NULL;
	return find(inventory, SOURCE_BY_PATH, DECLARED_BY_NAME, owner_kind_id(kind), path, &probe);
}

const struct owner *inventory_address(struct inventory *inventory, const char *group,
				      const char *name)
{
	return by_name(inventory, OWNER_ADDRESS, group, name);
}

const struct owner *inventory_service(struct inventory *inventory, const char *name)
{
	return by_name(inventory, OWNER_SERVICE, NULL, name);
}

const struct owner *inventory_by_id(struct inventory *inventory, const char *id)
{
	char key[UUID_TEXT_MAX];
	const struct owner probe = {.id = key};

	if (!id || strlen(id) >= sizeof key)
		return NULL;
	snprintf(key, sizeof key, "%s", id);
	return find(inventory, SOURCE_BY_ID, DECLARED_BY_ID, 0, text_lower(key), &probe);
}

const struct owner *inventory_by_address(struct inventory *inventory, const struct address *address)
{
	const struct owner probe = {.address = *address};

	return address->family
		       ? find(inventory, SOURCE_BY_ADDRESS, DECLARED_BY_ADDRESS, 0, NULL, &probe)
		       : NULL;
}

/* What is ahead of the suffix, which the name ends in; false: it does not. */
static bool cut_suffix(const char *name, const char *suffix, char text[NAME_TEXT_MAX])
{
	char dotted[NAME_TEXT_MAX];
	size_t length = strlen(name), tail;

	if (!suffix)
		return false;
	owner_dotted(suffix, dotted);
	tail = strlen(dotted);
	if (length < tail + 2 || name[length - tail - 1] != '.' ||
	    strcasecmp(name + length - tail, dotted) != 0)
		return false;
	snprintf(text, NAME_TEXT_MAX, "%.*s", (int)(length - tail - 1), name);
	text_lower(text);
	return true;
}

const struct owner *inventory_by_fqdn(struct inventory *inventory, const char *fqdn)
{
	const struct reverse_settings *reverse = &inventory->now.model->reverse;
	char name[NAME_TEXT_MAX], host[NAME_TEXT_MAX], path[OWNER_PATH_MAX];
	const struct owner probe = {.fqdn = name};
	const struct owner *owner;

	if (!fqdn || !*fqdn || strlen(fqdn) >= sizeof name - 1)
		return NULL;
	owner_dotted(fqdn, name);
	owner = declared_find(inventory->now.declared, DECLARED_BY_FQDN, &probe);
	if (owner)
		return show_declared(inventory, owner);
	if (cut_suffix(name, reverse->suffix, host))
		owner = find_row(inventory, SOURCE_BY_HOST, 0, host, NULL);
	if (!owner && cut_suffix(name, reverse->service_suffix, host) &&
	    owner_path(OWNER_SERVICE, NULL, host, path) == 0)
		owner = find_row(inventory, SOURCE_BY_PATH, KIND_SERVICE, path, NULL);
	return owner;
}

/* ---- pages ---- */

static size_t read_page(struct inventory *inventory, const struct source_page *page,
			const struct owner **owners)
{
	struct source *source = inventory_source(inventory);
	struct found found = {.inventory = inventory, .page = owners, .room = page->limit};
	char error[SOURCE_ERROR_MAX] = "";

	if (source && source->calls->page(source, page, on_owner, &found, error) != 0)
		say_trouble(inventory, error);
	return found.count;
}

/* Puts those of the file, from `at` on, among those of the state that are on the page already: in
 * their order, at most `room` of both. */
static size_t merge_page(struct inventory *inventory, const struct owner *const *declared,
			 size_t count, int (*compare)(const struct owner *, const struct owner *),
			 const struct owner **page, size_t used, size_t room)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = used;

		while (at > 0 && compare(declared[i], page[at - 1]) < 0)
			at--;
		if (at == room)
			break;
		used -= used == room;
		memmove(page + at + 1, page + at, (used - at) * sizeof(*page));
		page[at] = show_declared(inventory, declared[i]);
		if (!page[at])
			break;
		used++;
	}
	return used;
}

static int compare_addresses(const struct owner *a, const struct owner *b)
{
	return address_compare(&a->address, &b->address);
}

static int compare_names(const struct owner *a, const struct owner *b)
{
	return strcasecmp(a->name, b->name);
}

/* Those of the order behind the probe, that are of the kind, at most `room`: moved to the front of
 * `list`. */
static size_t declared_page(const struct inventory *inventory, enum declared_order order,
			    const struct owner *probe, enum owner_kind kind, const char *group,
			    const struct owner **list, size_t room)
{
	size_t all, count = 0, at = declared_behind(inventory->now.declared, order, probe);
	const struct owner *const *items = declared_list(inventory->now.declared, order, &all);

	for (; at < all && count < room; at++) {
		if (group && strcasecmp(items[at]->resource_group ? items[at]->resource_group : "",
					group) != 0)
			break;
		if (items[at]->kind == kind)
			list[count++] = items[at];
	}
	return count;
}

static size_t addresses_after(struct inventory *inventory, const char *group,
			      const struct address *after, const struct owner **page, size_t room)
{
	static const struct address first;
	char key[NAME_TEXT_MAX];
	const struct source_page wanted = {.kind = KIND_ADDRESS,
					   .group = group ? key : NULL,
					   .address = after ? after : &first,
					   .limit = room};
	const struct owner probe = {
		.kind = OWNER_ADDRESS, .resource_group = group, .address = after ? *after : first};
	const struct owner **declared = calloc(room + 1, sizeof *declared);
	size_t count;

	snprintf(key, sizeof key, "%s", group ? group : "");
	text_lower(key);
	if (!declared) {
		say_trouble(inventory, err_text(ERR_NOMEM));
		return 0;
	}
	count = declared_page(inventory, group ? DECLARED_BY_GROUP : DECLARED_BY_ADDRESS, &probe,
			      OWNER_ADDRESS, group, declared, room);
	count = merge_page(inventory, declared, count, compare_addresses, page,
			   read_page(inventory, &wanted, page), room);
	free(declared);
	return count;
}

size_t inventory_addresses_after(struct inventory *inventory, const struct address *after,
				 const struct owner **page, size_t room)
{
	return addresses_after(inventory, NULL, after, page, room);
}

size_t inventory_group_after(struct inventory *inventory, const char *group,
			     const struct address *after, const struct owner **page, size_t room)
{
	return addresses_after(inventory, group ? group : "", after, page, room);
}

size_t inventory_services_after(struct inventory *inventory, const char *after,
				const struct owner **page, size_t room)
{
	char path[OWNER_PATH_MAX] = "";
	const struct source_page wanted = {.kind = KIND_SERVICE, .path = path, .limit = room};
	const struct owner probe = {.kind = OWNER_SERVICE, .name = after ? after : ""};
	const struct owner **declared = calloc(room + 1, sizeof *declared);
	size_t count;

	if (after && owner_path(OWNER_SERVICE, NULL, after, path) != 0)
		path[0] = '\0';
	if (!declared) {
		say_trouble(inventory, err_text(ERR_NOMEM));
		return 0;
	}
	count = declared_page(inventory, DECLARED_BY_NAME, &probe, OWNER_SERVICE, NULL, declared,
			      room);
	count = merge_page(inventory, declared, count, compare_names, page,
			   read_page(inventory, &wanted, page), room);
	free(declared);
	return count;
}

/* ---- what waits ---- */

static int on_waiting(void *context, const struct source_resource *row)
{
	struct found *found = context;
	struct inventory *inventory = found->inventory;
	const struct owner probe = {.id = row->path};
	struct owner *owner;
	int err;

	if (declared_find(inventory->now.declared, DECLARED_BY_ID, &probe) ||
	    found->count == found->room)
		return 0;
	owner = arena_alloc(&inventory->shown, sizeof *owner);
	if (owner)
		owner->id = arena_strdup(&inventory->shown, row->path);
	err = owner && owner->id ? owner_take_ptr_row(&owner->ptr, row, inventory->now.model,
						      &inventory->shown)
				 : ERR_NOMEM;
	if (err)
		return complain(inventory, row, err);
	found->page[found->count++] = owner;
	return 0;
}

const struct owner **inventory_waiting(struct inventory *inventory, size_t *count)
{
	struct source *source = inventory_source(inventory);
	struct found found = {.inventory = inventory, .room = inventory->now.waiting};
	const struct source_page wanted = {.kind = KIND_PTR, .limit = INT64_MAX};
	char error[SOURCE_ERROR_MAX] = "";

	*count = 0;
	found.page = source && found.room ? calloc(found.room, sizeof *found.page) : NULL;
	if (!found.page)
		return NULL;
	if (source->calls->page(source, &wanted, on_waiting, &found, error) != 0)
		say_trouble(inventory, error);
	*count = found.count;
	return found.page;
}

/* ---- resource groups ---- */

struct groups {
	struct inventory *inventory;
	struct resource_group *items;
	size_t count, room;
};

static int add_group(struct groups *groups, const struct resource_group *group)
{
	if (groups->count == groups->room) {
		size_t room = groups->room ? 2 * groups->room : 16;
		struct resource_group *items = reallocarray(groups->items, room, sizeof *items);

		if (!items)
			return ERR_NOMEM;
		groups->items = items;
		groups->room = room;
	}
	groups->items[groups->count++] = *group;
	return 0;
}

static const char *kept_text(struct arena *arena, const json_t *values, const char *key)
{
	const char *text = json_string_value(json_object_get(values, key));

	return text ? arena_strdup(arena, text) : NULL;
}

static int on_group(void *context, const struct source_resource *row)
{
	struct groups *groups = context;
	struct inventory *inventory = groups->inventory;
	struct arena *arena = &inventory->shown;
	json_t *values = json_loads(row->json, 0, NULL);
	const json_t *tags = json_object_get(values, "tags");
	char *text =
		json_object_size(tags) > 0 ? json_dumps(tags, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	const struct resource_group group = {
		.name = kept_text(arena, values, "name"),
		.region = kept_text(arena, values, "region"),
		.tags = text ? arena_strdup(arena, text) : NULL,
		.revision = row->revision,
	};
	int err = group.name ? add_group(groups, &group) : ERR_INVALID;

	free(text);
	json_decref(values);
	return err ? complain(inventory, row, err) : 0;
}

/* Where the file names the group first; NULL: nowhere. */
static const struct owner *declared_in(const struct inventory *inventory, const char *name)
{
	size_t count, at;
	const struct owner probe = {.kind = OWNER_ADDRESS, .resource_group = name};
	const struct owner *const *items =
		declared_list(inventory->now.declared, DECLARED_BY_GROUP, &count);
	const struct owner *first = NULL;

	for (at = declared_behind(inventory->now.declared, DECLARED_BY_GROUP, &probe);
	     at < count && items[at]->resource_group &&
	     strcasecmp(items[at]->resource_group, name) == 0;
	     at++)
		if (!first || items[at]->origin.line < first->origin.line)
			first = items[at];
	return first;
}

static void add_declared(const struct inventory *inventory, struct resource_group *group)
{
	const struct owner *owner = declared_in(inventory, group->name);

	if (!owner)
		return;
	group->origin = owner->origin;
	if (group->revision)
		return;
	group->name = owner->resource_group;
	group->region = owner->region;
}

bool inventory_group(struct inventory *inventory, const char *name, struct resource_group *group)
{
	struct source *source = inventory_source(inventory);
	struct groups groups = {.inventory = inventory};
	char path[OWNER_PATH_MAX], error[SOURCE_ERROR_MAX] = "";

	if (!*name || owner_path(OWNER_SERVICE, NULL, name, path) != 0)
		return false;
	if (source && source->calls->find(source, SOURCE_BY_PATH, KIND_GROUP, path, NULL, on_group,
					  &groups, error) != 0)
		say_trouble(inventory, error);
	*group = groups.count ? groups.items[0] : (struct resource_group){.name = name};
	free(groups.items);
	add_declared(inventory, group);
	return group->revision || group->origin.file;
}

static int compare_groups(const void *left, const void *right)
{
	const struct resource_group *a = left, *b = right;

	return strcasecmp(a->name, b->name);
}

static bool has_group(const struct groups *groups, size_t count, const char *name)
{
	const struct resource_group probe = {.name = name};

	return count > 0 &&
	       bsearch(&probe, groups->items, count, sizeof probe, compare_groups) != NULL;
}

/* Those that only the file names, behind the `kept` ones of the state. */
static int add_filed(struct groups *groups, size_t kept)
{
	size_t count;
	const struct owner *const *items =
		declared_list(groups->inventory->now.declared, DECLARED_BY_GROUP, &count);
	const char *before = "";

	for (size_t i = 0; i < count; i++) {
		const char *name = items[i]->resource_group;
		struct resource_group group = {.name = name};

		if (!name || strcasecmp(name, before) == 0)
			continue;
		before = name;
		if (has_group(groups, kept, name))
			continue;
		add_declared(groups->inventory, &group);
		if (add_group(groups, &group) != 0)
			return ERR_NOMEM;
	}
	return 0;
}

struct resource_group *inventory_groups(struct inventory *inventory, size_t *count)
{
	struct source *source = inventory_source(inventory);
	struct groups groups = {.inventory = inventory};
	const struct source_page all = {.kind = KIND_GROUP, .limit = INT64_MAX};
	char error[SOURCE_ERROR_MAX] = "";
	size_t kept;

	*count = 0;
	if (source && source->calls->page(source, &all, on_group, &groups, error) != 0)
		say_trouble(inventory, error);
	kept = groups.count;
	for (size_t i = 0; i < kept; i++)
		add_declared(inventory, &groups.items[i]);
	if (kept)
		qsort(groups.items, kept, sizeof *groups.items, compare_groups);
	if (add_filed(&groups, kept) != 0) {
		free(groups.items);
		return NULL;
	}
	if (groups.count)
		qsort(groups.items, groups.count, sizeof *groups.items, compare_groups);
	*count = groups.count;
	return groups.items ? groups.items : calloc(1, sizeof *groups.items);
}

size_t inventory_group_size(struct inventory *inventory, const char *name)
{
	struct source *source = inventory_source(inventory);
	char key[NAME_TEXT_MAX], error[SOURCE_ERROR_MAX] = "";
	const struct owner probe = {.kind = OWNER_ADDRESS, .resource_group = name};
	size_t count = 0, all, at;
	const struct owner *const *items =
		declared_list(inventory->now.declared, DECLARED_BY_GROUP, &all);

	snprintf(key, sizeof key, "%s", name ? name : "");
	text_lower(key);
	if (source && source->calls->count(source, KIND_ADDRESS, key, &count, error) != 0)
		say_trouble(inventory, error);
	for (at = declared_behind(inventory->now.declared, DECLARED_BY_GROUP, &probe);
	     at < all &&
	     strcasecmp(items[at]->resource_group ? items[at]->resource_group : "", key) == 0;
	     at++)
		count++;
	return count;
}

char *group_etag(const struct resource_group *group, char text[ETAG_MAX])
{
	static const struct hash_key key = {UINT64_C(0x736c75696365), UINT64_C(0x67726f7570)};
	uint64_t hash = etag_add_number(&key, 0, group->revision);

	hash = etag_add_text(&key, hash, group->name);
	hash = etag_add_text(&key, hash, group->region);
	return etag_print(etag_add_text(&key, hash, group->tags), 0, text);
}

/* ---- putting file and state together ---- */

struct merge {
	struct inventory *inventory;
	struct inventory_part *next;
	const struct inventory_part *before;
	struct owned_draft *draft;
	struct faults *faults;
};

/* Names both; the place is the file's, which is where somebody has just changed something. */
static void clash(struct merge *merge, const struct owner *declared, const struct owner *other,
		  const char *field)
{
	char text[OWNER_TITLE_MAX], other_text[OWNER_TITLE_MAX];

	fault_add(merge->faults, FAULT_ERROR, &declared->origin, field,
		  "%s and %s cannot both have this %s; remove one of them, or give it another",
		  owner_title(declared, text), owner_title(other, other_text), field);
}

static void complain_of_ptr(struct merge *merge, const struct owner *declared, const char *fqdn)
{
	char title[OWNER_TITLE_MAX];

	fault_add(merge->faults, FAULT_ERROR, &declared->origin, "reverse_fqdn",
		  "%s has the PTR \"%s\" here and \"%s\" in the state; take one of them away",
		  owner_title(declared, title), declared->ptr.fqdn, fqdn);
}

static const char *fqdn_field(const struct owner *owner)
{
	return owner->kind == OWNER_SERVICE ? "name" : "domain_name_label";
}

/* Of the file's owners the one that has something of this one of the state; *field says what. */
static const struct owner *find_clash(const struct declared *declared, const struct owner *owner,
				      const char **field)
{
	const struct {
		enum declared_order order;
		const char *field;
	} looked[] = {{DECLARED_BY_ID, "id"},
		      {DECLARED_BY_NAME, "name"},
		      {DECLARED_BY_ADDRESS, "address"},
		      {DECLARED_BY_FQDN, fqdn_field(owner)}};
	const struct owner *found = NULL;

	for (size_t i = 0; !found && i < sizeof looked / sizeof *looked; i++) {
		if (looked[i].order == DECLARED_BY_FQDN && !owner->fqdn)
			continue;
		found = declared_find(declared, looked[i].order, owner);
		*field = looked[i].field;
	}
	return found;
}

/* What a row of owned is, as far as its keys tell: its group and name are its path's. */
struct keyed {
	struct owner owner;
	char name[OWNER_PATH_MAX], fqdn[NAME_TEXT_MAX];
};

static void read_keys(struct keyed *keyed, const struct source_resource *row,
		      const struct model *model)
{
	const struct source_keys *keys = row->keys;
	bool service = row->kind == KIND_SERVICE;
	const char *slash = strchr(row->path, '/'), *suffix;
	char bare[NAME_TEXT_MAX];

	keyed->owner = (struct owner){
		.kind = service ? OWNER_SERVICE : OWNER_ADDRESS,
		.id = keys->id,
		.region = keys->region,
		.address = keys->address,
		.ptr = {.fqdn = keys->ptr, .ttl = keys->ttl_given ? keys->ttl : model->reverse.ttl},
	};
	keyed->owner.resource_group = keys->group && *keys->group ? keys->group : NULL;
	keyed->name[0] = '\0';
	if (slash) {
		char *end = keyed->name;

		if (percent_decode(slash + 1, strlen(slash + 1), false, &end) != 0)
			keyed->name[0] = '\0';
	}
	keyed->owner.name = keyed->name;
	suffix = service ? model->reverse.service_suffix : model->reverse.suffix;
	if (!suffix || (!service && !keys->host))
		return;
	if ((size_t)snprintf(bare, sizeof bare, "%s.%s", service ? keyed->name : keys->host,
			     suffix) < sizeof bare - 1)
		keyed->owner.fqdn = owner_dotted(bare, keyed->fqdn);
}

static void note_revision(struct inventory_part *part, const struct source_keys *keys)
{
	if (keys->ptr_revision > part->latest)
		part->latest = keys->ptr_revision;
}

/* Whether these suffixes give this service of the state the forward name that an address of the
 * state has, which has been told then. */
static bool has_namesake(struct merge *merge, const struct owner *service)
{
	const struct reverse_settings *reverse = &merge->next->model->reverse;
	char host[NAME_TEXT_MAX], text[OWNER_TITLE_MAX], other_text[OWNER_TITLE_MAX];
	const struct owner *other;

	if (!service->fqdn || !cut_suffix(service->fqdn, reverse->suffix, host))
		return false;
	other = find_row(merge->inventory, SOURCE_BY_HOST, 0, host, NULL);
	if (other)
		fault_add(merge->faults, FAULT_ERROR, &reverse->origin, "service_suffix",
			  "%s and %s would both have the name %s; give another suffix, or remove "
			  "one of them",
			  owner_title(service, text), owner_title(other, other_text),
			  service->fqdn);
	return other;
}

/* A row of the state, while all of them are read. */
static int on_owned(void *context, const struct source_resource *row)
{
	struct merge *merge = context;
	struct inventory_part *next = merge->next;
	const struct owner *declared, *whole;
	char text[POOLS_TEXT_MAX];
	const char *field;
	struct keyed keyed;

	if (!row->keys->id || !row->keys->address.family ||
	    (row->kind != KIND_ADDRESS && row->kind != KIND_SERVICE))
		return complain(merge->inventory, row, ERR_INVALID);
	read_keys(&keyed, row, next->model);
	*(row->kind == KIND_SERVICE ? &next->services : &next->addresses) += 1;
	next->ptrs += row->keys->ptr != NULL;
	note_revision(next, row->keys);
	declared = find_clash(next->declared, &keyed.owner, &field);
	if (declared) {
		whole = find_row(merge->inventory, SOURCE_BY_ID, 0, row->keys->id, NULL);
		clash(merge, declared, whole ? whole : &keyed.owner, field);
		return 0; /* all of them are told */
	}
	if (row->kind == KIND_SERVICE && has_namesake(merge, &keyed.owner))
		return 0;
	if (pools_refusal(next->pools, &keyed.owner.address, keyed.owner.region, text)) {
		next->refused++;
		return 0;
	}
	int err = owner_serve(&keyed.owner, merge->draft, &merge->inventory->key, next->model);
	return err == ERR_INVALID ? complain(merge->inventory, row, err) : err;
}

/* A PTR of the state whose owner is the file's, or nowhere. */
static int on_ptr_row(void *context, const struct source_resource *row)
{
	struct merge *merge = context;
	const struct owner probe = {.id = row->path};
	const struct owner *declared = declared_find(merge->next->declared, DECLARED_BY_ID, &probe);
	struct owner owner;
	struct name name;

	if (!row->keys->ptr || name_from_text(&name, &merge->inventory->key, row->keys->ptr) != 0)
		return complain(merge->inventory, row, ERR_INVALID);
	if (!declared) {
		merge->next->waiting++;
		return 0;
	}
	if (declared->ptr.fqdn) {
		complain_of_ptr(merge, declared, row->keys->ptr);
		return 0;
	}
	merge->next->given++;
	note_revision(merge->next, row->keys);
	owner = (struct owner){.address = declared->address,
			       .ptr = {.fqdn = row->keys->ptr,
				       .ttl = row->keys->ttl_given
						      ? row->keys->ttl
						      : merge->next->model->reverse.ttl}};
	return owner_serve(&owner, merge->draft, &merge->inventory->key, merge->next->model);
}

static void tell_unread(struct merge *merge, const char *error)
{
	struct inventory *inventory = merge->inventory;
	const char *trouble = inventory_trouble(inventory);
	char why[SOURCE_ERROR_MAX];

	snprintf(why, sizeof why, "%s", trouble ? trouble : error);
	say_unread(inventory, why);
	inventory->stale = true;
	fault_add(merge->faults, FAULT_WARNING, &(struct origin){.file = inventory->state_path},
		  NULL,
		  "%s; what the file says is served, and what was known of the state; changes are "
		  "refused until a reload finds it well",
		  why);
}

/* Everything of the state, into an empty draft. ERR_SYSTEM: it cannot be read, which has been told.
 */
static int read_state(struct merge *merge)
{
	struct inventory *inventory = merge->inventory;
	struct source *source = inventory->source;
	static const struct source_page ptrs = {.kind = KIND_PTR, .limit = INT64_MAX};
	struct faults *faults = merge->faults, found;
	char error[SOURCE_ERROR_MAX] = "";
	int err;

	faults_init(&found);
	merge->faults = &found;
	merge->draft = owned_edit(NULL);
	err = merge->draft ? source->calls->sync(source, error) : ERR_NOMEM;
	if (!err)
		err = source->calls->owned(source, on_owned, merge, error);
	if (!err)
		err = source->calls->page(source, &ptrs, on_ptr_row, merge, error);
	merge->faults = faults;
	if (!err) {
		for (size_t i = 0; i < found.count; i++)
			fault_add(faults, found.items[i].severity, &found.items[i].origin, NULL,
				  "%s", found.items[i].text);
	} else if (err != ERR_NOMEM) {
		tell_unread(merge, error);
		owned_discard(merge->draft);
		merge->draft = NULL;
		*merge->next = (struct inventory_part){.model = merge->next->model,
						       .pools = merge->next->pools,
						       .declared = merge->next->declared};
		err = ERR_SYSTEM;
	}
	faults_release(&found);
	inventory->trouble[0] = '\0';
	return err;
}

/* ---- where the state is as it was: only what is new in the file ---- */

static bool is_same(const struct owner *a, const struct owner *b)
{
	char left[ETAG_MAX], right[ETAG_MAX];

	return a && b && strcmp(owner_version_etag(a, left), owner_version_etag(b, right)) == 0;
}

static bool has_kept(const struct declared *declared, const struct owner *owner)
{
	return is_same(owner, declared_find(declared, DECLARED_BY_ID, owner));
}

/* Whether something of the state is in the way of an owner that is new in the file. */
static void check_new(struct merge *merge, const struct owner *declared)
{
	struct inventory *inventory = merge->inventory;
	const struct reverse_settings *reverse = &merge->next->model->reverse;
	char path[OWNER_PATH_MAX], host[NAME_TEXT_MAX];
	const char *field = "id";
	const struct owner *other = find_row(inventory, SOURCE_BY_ID, 0, declared->id, NULL);

	if (!other &&
	    owner_path(declared->kind, declared->resource_group, declared->name, path) == 0) {
		field = "name";
		other = find_row(inventory, SOURCE_BY_PATH, owner_kind_id(declared->kind), path,
				 NULL);
	}
	if (!other) {
		field = "address";
		other = find_row(inventory, SOURCE_BY_ADDRESS, 0, NULL, &declared->address);
	}
	if (!other && declared->fqdn) {
		field = fqdn_field(declared);
		if (cut_suffix(declared->fqdn, reverse->suffix, host))
			other = find_row(inventory, SOURCE_BY_HOST, 0, host, NULL);
		if (!other && cut_suffix(declared->fqdn, reverse->service_suffix, host) &&
		    owner_path(OWNER_SERVICE, NULL, host, path) == 0)
			other = find_row(inventory, SOURCE_BY_PATH, KIND_SERVICE, path, NULL);
	}
	if (other)
		clash(merge, declared, other, field);
}

static int leave(struct merge *merge, const struct owner *declared)
{
	int err = owner_unserve(declared, merge->draft, &merge->inventory->key);

	if (err || declared->ptr.fqdn || !owned_ptr(merge->before->owned, &declared->address))
		return err;
	merge->next->given--;
	merge->next->waiting++;
	return owned_set_ptr(merge->draft, &declared->address, NULL, 0);
}

static int enter(struct merge *merge, const struct owner *declared)
{
	struct inventory *inventory = merge->inventory;
	struct owner owner = *declared;
	int err;

	check_new(merge, declared);
	err = inventory_ptr_row(inventory, declared->id, &owner.ptr);
	if (!err && declared->ptr.fqdn) {
		complain_of_ptr(merge, declared, owner.ptr.fqdn);
		return 0;
	}
	if (!err) {
		merge->next->given++;
		merge->next->waiting--;
	}
	return owner_serve(err ? declared : &owner, merge->draft, &inventory->key,
			   merge->next->model);
}

static int keep_state(struct merge *merge)
{
	struct inventory_part *next = merge->next;
	const struct inventory_part *before = merge->before;
	size_t old, new;
	const struct owner *const *items = declared_list(before->declared, DECLARED_BY_ID, &old);
	const struct owner *const *now = declared_list(next->declared, DECLARED_BY_ID, &new);
	int err;

	next->addresses = before->addresses;
	next->services = before->services;
	next->ptrs = before->ptrs;
	next->given = before->given;
	next->refused = before->refused;
	next->waiting = before->waiting;
	merge->draft = owned_edit(before->owned);
	err = merge->draft ? 0 : ERR_NOMEM;
	for (size_t i = 0; !err && i < old; i++)
		if (!has_kept(next->declared, items[i]))
			err = leave(merge, items[i]);
	for (size_t i = 0; !err && i < new; i++)
		if (!has_kept(before->declared, now[i]))
			err = enter(merge, now[i]);
	if (inventory_trouble(merge->inventory))
		tell_unread(merge, "");
	merge->inventory->trouble[0] = '\0';
	return err;
}

/* ---- the whole ---- */

/* Whether owners of the state come out the same under both models. */
static bool derive_alike(const struct inventory_part *a, const struct inventory_part *b)
{
	const struct reverse_settings *left = &a->model->reverse, *right = &b->model->reverse;

	return left->ttl == right->ttl && text_equal(left->suffix, right->suffix) &&
	       text_equal(left->service_suffix, right->service_suffix) &&
	       pools_equal(a->pools, b->pools, false);
}

static int serve_declared(struct merge *merge)
{
	size_t count;
	const struct owner *const *items =
		declared_list(merge->next->declared, DECLARED_BY_ID, &count);
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = owner_serve(items[i], merge->draft, &merge->inventory->key,
				  merge->next->model);
	return err;
}

static void warn(struct merge *merge)
{
	const struct inventory_part *next = merge->next;
	struct origin origin = {.file = merge->inventory->state_path};

	if (next->refused)
		fault_add(merge->faults, FAULT_WARNING, &origin, NULL,
			  "%zu of the addresses and services in the state are in no address pool "
			  "or network any more, and are not served; add the pools they are from, "
			  "or remove them (sluice ptr list says which)",
			  next->refused);
	if (next->waiting)
		fault_add(merge->faults, FAULT_WARNING, &origin, NULL,
			  "%zu of the PTRs in the state belong to addresses that are gone from the "
			  "file; they are kept, and not served",
			  next->waiting);
}

static int fill(struct merge *merge)
{
	struct inventory *inventory = merge->inventory;
	struct source *source = inventory->source;
	bool is_other = source && (inventory->stale || !source->calls->is_current(source));
	int err = ERR_SYSTEM;

	inventory->stale = is_other; /* until what was read is adopted */
	if (is_other || (source && !derive_alike(merge->before, merge->next))) {
		err = read_state(merge);
		if (!err)
			err = serve_declared(merge);
		merge->next->read = is_other && err != ERR_SYSTEM;
	}
	return err == ERR_SYSTEM ? keep_state(merge) : err;
}

/* The next part, for the model, with its table. */
static int make_next(struct inventory *inventory, const struct model *model, struct faults *faults)
{
	struct inventory_part *next = &inventory->next;
	struct merge merge = {inventory, next, &inventory->now, NULL, faults};
	size_t errors = faults->errors;
	int err;

	*next = (struct inventory_part){
		.model = model, .pools = pools_new(model), .declared = declared_new(model)};
	err = next->pools && next->declared ? fill(&merge) : ERR_NOMEM;
	if (!err && faults->errors > errors)
		err = ERR_FAULTS;
	if (err) {
		owned_discard(merge.draft);
		if (faults->errors == errors)
			fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(err));
		return err;
	}
	next->owned = owned_commit(merge.draft);
	warn(&merge);
	return 0;
}

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
	int err;

	assert(!inventory->next.model && !inventory->changing && !inventory->held);
	if (inventory->now.model == &no_model)
		inventory_open(inventory, model, faults);
	else
		reopen(inventory, model, faults);
	if (inventory->looks && inventory->wants_state && !inventory->source)
		return ERR_FAULTS;
	err = make_next(inventory, model, faults);
	if (err) {
		inventory_abandon(inventory);
		return err;
	}
	*owned = owned_ref(inventory->next.owned);
	return 0;
}

void inventory_adopt(struct inventory *inventory)
{
	struct inventory_part *now = &inventory->now;

	assert(inventory->next.model);
	part_release(now);
	*now = inventory->next;
	inventory->next = (struct inventory_part){0};
	inventory->version++;
	if (!now->read)
		return;
	/* What others wrote is not pending: who asks them is not told by us. */
	if (inventory->settled == inventory->published)
		inventory->settled = now->latest;
	inventory->published = now->latest;
	now->read = inventory->stale = false;
	inventory->error[0] = '\0';
}

/* What was read then is not what is served, so it has to be read again. */
void inventory_abandon(struct inventory *inventory)
{
	if (inventory->next.read)
		snprintf(inventory->error, sizeof inventory->error,
			 "the state %s was changed elsewhere, and what it has now could not be "
			 "served; reload the configuration",
			 inventory->state_path);
	part_release(&inventory->next);
}

void inventory_check(const struct model *model, struct faults *faults)
{
	static const struct hash_key any_key;
	static const struct inventory_publisher nobody;
	char error[SOURCE_ERROR_MAX];
	const char *path = model->management.state;
	struct source *source = path ? state_look(path, error) : NULL;
	struct inventory *inventory;
	int err = ERR_NOMEM;

	if (!source) {
		if (path && *error)
			fault_add(faults, FAULT_WARNING, &model->management.origin, "state",
				  "%s; what the file says is served, and changes are refused until "
				  "then",
				  error);
		return;
	}
	inventory = inventory_new(&any_key, &nobody);
	if (inventory) {
		inventory->state_path = strdup(path);
		inventory->source = source;
		inventory->stale = true; /* so it is read */
		err = inventory->state_path ? 0 : ERR_NOMEM;
	} else {
		source_close(source);
	}
	if (!err) {
		err = make_next(inventory, model, faults);
		(void)err; /* is in the faults */
	} else {
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(err));
	}
	inventory_free(inventory);
}

/* ---- how it is ---- */

char *inventory_etag(const struct inventory *inventory, char text[ETAG_MAX])
{
	return etag_print(etag_add_number(&inventory->key, 0, inventory->version),
			  inventory->settlings, text);
}

const struct model *inventory_model(const struct inventory *inventory)
{
	return inventory->now.model;
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

void inventory_settle(struct inventory *inventory)
{
	inventory->settlings += inventory->settled != inventory->published;
	inventory->settled = inventory->published;
}

int inventory_publish(struct inventory *inventory, struct owned *owned, uint64_t revision)
{
	owned_unref(inventory->now.owned);
	inventory->now.owned = owned;
	inventory->published = revision;
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

static int count_change(void *context, const struct source_change *change)
{
	size_t *count = context;

	*count += change->kind == KIND_PTR;
	return 0;
}

size_t inventory_pending(const struct inventory *inventory)
{
	struct source *source =
		inventory->published > inventory->settled ? inventory->source : NULL;
	char error[SOURCE_ERROR_MAX];
	size_t count = 0;

	if (!source ||
	    source->calls->changes(source, inventory->settled, count_change, &count, error) != 0)
		return 0;
	return count;
}

void inventory_about(const struct inventory *inventory, struct inventory_about *about)
{
	const struct inventory_part *now = &inventory->now;
	size_t count;
	const struct owner *const *declared = declared_list(now->declared, DECLARED_BY_ID, &count);

	*about = (struct inventory_about){
		.addresses = now->addresses,
		.services = now->services,
		.ptrs = now->ptrs + now->given,
		.waiting = now->waiting,
		.has_state = inventory->wants_state,
		.state = inventory->state_path,
		.error = inventory->error[0] ? inventory->error : NULL,
	};
	for (size_t i = 0; i < count; i++) {
		*(declared[i]->kind == OWNER_SERVICE ? &about->services : &about->addresses) += 1;
		about->ptrs += declared[i]->ptr.fqdn != NULL;
	}
}
