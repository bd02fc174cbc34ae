/* A change is the state's open transaction, and beside it a draft of the served table:
 *
 *     edit ─► present row (with the edits before) ─► checks ─► put: row, keys, history
 *                                                          └─► draft: old entry out, new one in
 *
 * A rollback of the transaction and discarding the draft undo the change. An edit sees the rows of
 * the edits before it: a name or address is free as soon as one of these releases it. After the
 * commit only publishing can fail, for lack of memory, which is reported. A failed read voids the
 * change, whatever the edit made of it. */
#include "resolver/control/resource/change.h"

#include <assert.h>
#include <stdarg.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "rules/check/limits.h"
#include "rules/check/pools.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

struct change {
	struct inventory *inventory;
	const char *who;
	struct source *source; /* NULL: no edit yet */
	uint64_t revision;
	struct owned_draft *draft;   /* NULL: the served table does not change */
	struct inventory_part after; /* only its numbers are used */
	struct change_error error;
	bool restores, over;
};

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

/* Also records the error for the status and the log. For an inventory aside the publisher does
 * that, because this is another thread. */
static int fail_store(struct change *change, const char *error)
{
	if (change->error.outcome != CHANGE_FINE)
		return ERR_INVALID;
	if (!change->inventory->of)
		inventory_note_error(change->inventory, error);
	return change_say(&change->error, CHANGE_STORE, NULL, "%s", error);
}

/* "Not found" may really be a failed read; report that instead. */
static int check_trouble(struct change *change)
{
	const char *trouble = inventory_trouble(change->inventory);

	return trouble ? fail_store(change, trouble) : 0;
}

int change_fail(struct change *change, enum change_outcome outcome, const char *field,
		const char *format, ...)
{
	va_list arguments;

	if (change->error.outcome != CHANGE_FINE || check_trouble(change) != 0)
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

void change_place(struct change *change, const char *list, size_t index)
{
	change_error_place(&change->error, list, index);
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

int change_stale(struct change *change, const char *text)
{
	return change_fail(change, CHANGE_STALE, NULL, "%s", text);
}

struct source *change_reader(struct inventory *inventory, struct change_error *error)
{
	struct source *source = inventory_source(inventory);

	if (!inventory->wants_state)
		change_say(error, CHANGE_NO_STATE, NULL,
			   "there is no state to keep changes in; name a file for it in the "
			   "configuration, management = { state = "
			   "\"/var/lib/sluice/state.db\"; }, and restart");
	else if (!source || inventory->stale)
		change_say(error, CHANGE_STORE, NULL, "%s",
			   *inventory->error ? inventory->error
					     : "the state has not been read yet");
	else
		return source;
	return NULL;
}

struct source *change_source(struct inventory *inventory, struct change_error *error)
{
	struct source *source = change_reader(inventory, error);

	if (!source || !inventory->held)
		return source;
	change_say(error, CHANGE_BUSY, NULL,
		   "many changes are being made at this moment; try again");
	return NULL;
}

/* ---- begin and free ---- */

struct change *change_begin(struct inventory *inventory, const char *who, uint64_t revision)
{
	struct change *change = calloc(1, sizeof *change);

	assert(!inventory->changing);
	if (!change)
		return NULL;
	*change = (struct change){.inventory = inventory, .who = who, .revision = revision};
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
	change->inventory->edits++;
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
		return check_trouble(change);
	source = change_source(change->inventory, &change->error);
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

/* json NULL: deletes the row. ERR_EXISTS: another row has one of the keys. */
static int write_row(struct change *change, unsigned kind, const char *path, const char *json,
		     const struct source_keys *keys)
{
	char error[SOURCE_ERROR_MAX] = "";
	int err = check_trouble(change);

	if (err)
		return err;
	change->inventory->edits++;
	err = change->source->calls->put(change->source, kind, path, json, keys, error);
	return !err || err == ERR_EXISTS ? err : fail_store(change, error);
}

/* Writes the JSON and frees it; NULL: out of memory. */
static int put_row(struct change *change, unsigned kind, const char *path, char *json,
		   const struct source_keys *keys)
{
	int err = json ? write_row(change, kind, path, json, keys) : change_fail_memory(change);

	free(json);
	return err;
}

static int delete_row(struct change *change, unsigned kind, const char *path)
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

/* Replaces `before` by `now` in the draft; either may be NULL. */
static int serve(struct change *change, const struct owned_resource *before,
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

/* ---- checks of an edit ---- */

/* The resource as the edits so far have left it; reads it again if an edit came after it was read.
 * NULL: *err is set and the change is void. */
static const struct owned_resource *find_now(struct change *change,
					     const struct owned_resource *resource, int *err)
{
	const struct owned_resource *found;

	*err = change_is_open(change);
	found = *err || !resource ? NULL
		: resource->item.origin.revision && resource->read_at == change->inventory->edits
			? resource
			: inventory_by_id(change->inventory, resource->item.id);
	if (!*err && !found)
		*err = change_fail(change, CHANGE_NOT_FOUND, NULL,
				   "there is no such address or service");
	return *err ? NULL : found;
}

int change_check_writable(struct change *change, const struct owned_resource *resource)
{
	char title[OWNED_TITLE_MAX];

	if (!owned_is_declared(resource))
		return 0;
	return change_fail(change, CHANGE_READ_ONLY, NULL,
			   "%s comes from the configuration file; change it there",
			   owned_title(resource, title));
}

static int check_names(struct change *change, const struct owned_resource *resource)
{
	const char *advice = NULL, *field = "name", *text = resource->item.name;

	if (owned_is_service(resource)) {
		advice = service_name_refusal(resource->item.name);
	} else if (resource->item.domain_name_label) {
		field = "domain_name_label";
		text = resource->item.domain_name_label;
		advice = label_refusal(resource->item.domain_name_label);
		if (!advice && !resource->item.region)
			advice = "a label takes a region: give one, or a top-level one in the "
				 "configuration";
	}
	return advice ? change_fail(change, CHANGE_INVALID, field, "\"%s\" does not fit; %s", text,
				    advice)
		      : 0;
}

int change_fail_taken(struct change *change, const struct owned_resource *wanted, const char *field,
		      const struct owned_resource *holder)
{
	const struct owned_item *item = &wanted->item;
	char title[OWNED_TITLE_MAX], address[ADDRESS_TEXT_MAX];
	const char *text = strcmp(field, "id") == 0        ? item->id
			   : strcmp(field, "address") == 0 ? address_print(&item->address, address)
			   : strcmp(field, "name") == 0    ? item->name
							   : wanted->fqdn;

	return change_fail(change, CHANGE_TAKEN, field, "%s is taken, by %s; give another", text,
			   owned_title(holder, title));
}

/* Finds conflicts that the store's unique keys miss: with an item of the file, between a service
 * and an address with the same forward name, and with an id that a PTR waits for. */
static int check_clash(struct change *change, const struct owned_resource *wanted,
		       const struct owned_resource *before)
{
	struct inventory *inventory = change->inventory;
	const struct reverse_settings *reverse = &inventory->now.model->reverse;
	const char *suffix = owned_is_service(wanted) ? reverse->suffix : reverse->service_suffix;
	const char *field;
	const struct owned_resource *holder =
		declared_clash(inventory->now.declared, wanted, &field);
	struct owned_resource waiting = {.kind = NULL};
	char host[NAME_TEXT_MAX];

	if (!holder && wanted->fqdn && inventory_cut_suffix(wanted->fqdn, suffix, host)) {
		field = owned_fqdn_field(wanted);
		holder = inventory_by_fqdn(inventory, wanted->fqdn);
		if (holder && before && strcmp(holder->item.id, before->item.id) == 0)
			holder = NULL;
	}
	if (holder)
		return change_fail_taken(change, wanted, field, holder);
	if (!before && change->after.waiting > 0 &&
	    inventory_ptr_row(inventory, wanted->item.id, &waiting) == 0)
		return change_fail(change, CHANGE_TAKEN, "id",
				   "%s is the id of an address that the file had, and whose PTR "
				   "\"%s\" waits for its return; give another",
				   wanted->item.id, waiting.item.reverse_fqdn);
	return check_trouble(change);
}

/* The store refused the row because another one has one of its keys; finds that resource for the
 * message. */
static int name_holder(struct change *change, const struct owned_resource *wanted,
		       const struct owned_resource *before)
{
	struct inventory *inventory = change->inventory;
	const struct {
		const char *field;
		const struct owned_resource *found;
	} looked[] = {
		{"id", inventory_by_id(inventory, wanted->item.id)},
		{"address", inventory_by_address(inventory, &wanted->item.address)},
		{owned_fqdn_field(wanted), inventory_by_fqdn(inventory, wanted->fqdn)},
	};

	for (size_t i = 0; i < COUNT(looked); i++) {
		const struct owned_resource *found = looked[i].found;

		if (found && !(before && strcmp(found->item.id, before->item.id) == 0))
			return change_fail_taken(change, wanted, looked[i].field, found);
	}
	return fail_store(change, "another record has the id, address or label");
}

/* Writes the row and updates the draft. `before` NULL: it is new. */
static int put_resource(struct change *change, const struct owned_resource *before,
			const struct owned_resource *now)
{
	char path[PATH_MAX_BYTES];
	struct owned_scratch scratch;
	struct source_keys keys = owned_keys(now, &scratch);
	int err;

	if (owned_key(now, path) != 0)
		return change_fail(change, CHANGE_INVALID, "name",
				   "is too long; give a shorter one");
	err = put_row(change, now->kind->id, path, owned_row_json(now), &keys);
	if (err == ERR_EXISTS)
		return name_holder(change, now, before);
	return err ? err : serve(change, before, now);
}

/* Checks names, the pool, and conflicts with present resources; the resource must be complete. */
static int check_resource(struct change *change, struct owned_resource *resource,
			  const struct owned_resource *before, char fqdn[NAME_TEXT_MAX])
{
	char refusal[POOLS_TEXT_MAX];
	int err = check_names(change, resource);

	if (err)
		return err;
	if (owned_derive_fqdn(resource, change->inventory->now.model, fqdn) != 0)
		return change_fail(change, CHANGE_INVALID, owned_fqdn_field(resource),
				   "the name it would have is no domain name: \"%s\"; use a "
				   "shorter one",
				   fqdn);
	if (!change->restores && inventory_refusal(change->inventory, resource, refusal))
		return change_fail(change, CHANGE_INVALID, "address", "%s", refusal);
	return check_clash(change, resource, before);
}

/* ---- choosing a free address: the pools of the region in order. The search begins where the last
 * one ended, so that filling a pool checks each address about once, and a released address is not
 * given out again at once ---- */

enum { LOOKED_AT_MAX = 1 << 24 /* addresses of one pool */, TAKEN_MAX = 256 };

/* The state's taken addresses in order, read a page at a time. */
struct address_page {
	struct address items[TAKEN_MAX];
	size_t count, at;
};

/* How many addresses of the pool may be given out, and the number of the first. An IPv4 pool's
 * first and last address are excluded unless it has no others; in IPv6 only the first is, which is
 * for routers (RFC 4291 section 2.6.1). */
static uint32_t room_of(const struct prefix *pool, uint32_t *first)
{
	unsigned bits = address_bits(&pool->address) - pool->length;
	uint64_t size = bits > 31 ? UINT64_C(1) << 31 : UINT64_C(1) << bits;

	*first = bits >= 2;
	if (bits >= 2)
		size -= pool->address.family == 4 && bits <= 31 ? 2 : 1;
	return size > LOOKED_AT_MAX ? LOOKED_AT_MAX : (uint32_t)size;
}

static int on_taken(void *context, const struct source_resource *row)
{
	struct address_page *taken = context;

	taken->items[taken->count++] = row->keys->address;
	return 0;
}

static int read_taken(struct change *change, struct address_page *taken,
		      const struct address *behind)
{
	const struct source_page page = {.address = behind, .limit = TAKEN_MAX};
	char error[SOURCE_ERROR_MAX] = "";

	taken->count = taken->at = 0;
	return change->source->calls->page(change->source, &page, on_taken, taken, error) == 0
		       ? 0
		       : fail_store(change, error);
}

/* Calls must come with ascending addresses. */
static int is_taken(struct change *change, struct address_page *taken,
		    const struct address *address, bool *found)
{
	for (;;) {
		while (taken->at < taken->count &&
		       address_compare(&taken->items[taken->at], address) < 0)
			taken->at++;
		if (taken->at < taken->count || taken->count < TAKEN_MAX)
			break;
		if (read_taken(change, taken, &taken->items[TAKEN_MAX - 1]) != 0)
			return ERR_INVALID;
	}
	*found = taken->at < taken->count && address_equal(&taken->items[taken->at], address);
	return 0;
}

/* Finds a free address of the pool whose number is at least `from` and less than `to`. */
static int find_free(struct change *change, const struct prefix *pool, const char *region,
		     uint32_t from, uint32_t to, struct address *address, bool *found)
{
	struct inventory *inventory = change->inventory;
	char text[POOLS_TEXT_MAX];
	struct address_page taken;
	uint32_t first;
	bool used;
	int err = 0;

	room_of(pool, &first);
	for (uint32_t at = from; !err && !*found && at < to; at++) {
		const struct owned_resource probe = {
			.item.address = address_add(&pool->address, first + at)};

		*address = probe.item.address;
		if (at == from) {
			used = inventory_by_address(inventory, address);
			err = read_taken(change, &taken, address);
		} else {
			err = is_taken(change, &taken, address, &used);
		}
		*found = !err && !used &&
			 !declared_find(inventory->now.declared, DECLARED_BY_ADDRESS, &probe) &&
			 !pools_refusal(inventory->now.pools, address, region, text);
		if (*found)
			inventory->pool_cursor = at + 1;
	}
	return err;
}

static int find_address(struct change *change, const char *region, uint8_t family,
			struct address *address, bool *found)
{
	struct inventory *inventory = change->inventory;
	const struct model *model = inventory->now.model;
	int err = 0;

	for (size_t i = 0; !err && !*found && i < model->address_pools.count; i++) {
		const struct address_pool *pool = &model->address_pools.items[i];
		bool fits = !pool->region || !region || strcasecmp(pool->region, region) == 0;
		uint32_t first, room = room_of(&pool->prefix, &first), at;

		if (!fits || pool->prefix.address.family != family)
			continue;
		at = inventory->pool_cursor % room;
		err = find_free(change, &pool->prefix, region, at, room, address, found);
		if (!err && !*found && at > 0)
			err = find_free(change, &pool->prefix, region, 0, at, address, found);
	}
	return err;
}

/* ---- addresses and services ---- */

static int give_address(struct change *change, struct owned_resource *resource, uint8_t family)
{
	bool found = false;
	int err;

	if (resource->item.address.family)
		return 0;
	err = find_address(change, resource->item.region, family, &resource->item.address, &found);
	if (err || found)
		return err;
	return change_fail(change, CHANGE_EXHAUSTED, "address",
			   "no address pool%s%s has a free IPv%u address; add a pool, or name an "
			   "address",
			   resource->item.region ? " of region " : "",
			   resource->item.region ? resource->item.region : "", family);
}

/* Makes sure that the state has a row for the group. */
static int ensure_group(struct change *change, const char *name, const char *region);

static const struct owned_resource nobody; /* has no PTR */

/* Notes that this change sets, replaces or deletes the PTR. */
static void note_action(const struct change *change, const struct owned_resource *before,
			struct owned_resource *now)
{
	now->ptr_is_declared = false;
	now->ptr_revision = change->revision;
	now->action = !now->item.reverse_fqdn     ? PTR_ACTION_DELETE
		      : before->item.reverse_fqdn ? PTR_ACTION_UPDATE
						  : PTR_ACTION_CREATE;
}

/* A PTR that stays the same keeps its revision, unless its address changes or it was not served.
 * `before` NULL: the resource is new. */
static void note_ptr(const struct change *change, const struct owned_resource *before,
		     struct owned_resource *now)
{
	const struct owned_resource *was = before ? before : &nobody;
	bool moves = before && now->item.reverse_fqdn &&
		     (was->status == PTR_ERROR ||
		      !address_equal(&now->item.address, &was->item.address));

	if (!owned_is_same_ptr(&was->item, &now->item) || moves) {
		note_action(change, was, now);
		return;
	}
	now->ptr_is_declared = was->ptr_is_declared;
	now->ptr_revision = was->ptr_revision;
	now->action = was->action;
}

int change_put(struct change *change, const struct owned_resource *resource,
	       struct owned_resource *wanted, uint8_t family)
{
	const struct owned_resource *before = NULL;
	char fqdn[NAME_TEXT_MAX];
	int err = change_is_open(change);

	if (!err && resource)
		before = find_now(change, resource, &err);
	if (!err)
		err = give_address(change, wanted, family);
	if (!err)
		err = check_resource(change, wanted, before, fqdn);
	if (!err && !before && wanted->item.resource_group)
		/* The group's row comes first, so that an undo, which goes backwards, works. */
		err = ensure_group(change, wanted->item.resource_group, wanted->item.region);
	if (err)
		return err;
	note_ptr(change, before, wanted);
	return put_resource(change, before, wanted);
}

int change_remove(struct change *change, const struct owned_resource *resource)
{
	char path[PATH_MAX_BYTES];
	int err;
	const struct owned_resource *before = find_now(change, resource, &err);

	if (!before)
		return err;
	err = change_check_writable(change, before);
	if (!err)
		err = owned_key(before, path);
	if (!err)
		err = delete_row(change, before->kind->id, path);
	return err ? err : serve(change, before, NULL);
}

/* ---- PTRs ---- */

int change_ptr_check(struct change *change, const struct owned_item *ptr)
{
	const char *advice = reverse_fqdn_refusal(ptr->reverse_fqdn);

	return advice ? change_fail(change, CHANGE_INVALID, "reverse_fqdn",
				    "\"%s\" is not a host's name; %s", ptr->reverse_fqdn, advice)
		      : 0;
}

int change_ptr_check_writable(struct change *change, const struct owned_resource *resource)
{
	if (!resource->ptr_is_declared)
		return 0;
	return change_fail(change, CHANGE_READ_ONLY, NULL,
			   "the configuration file gives it the PTR \"%s\", at %s:%u; change it "
			   "there",
			   resource->item.reverse_fqdn, resource->item.origin.file,
			   resource->item.origin.line);
}

/* Copies the resource with this PTR, whose form was checked; reverse_fqdn NULL or "": with none.
 * The copy uses `fqdn` and the texts of `ptr`. */
static struct owned_resource with_ptr(const struct change *change,
				      const struct owned_resource *before,
				      const struct owned_item *ptr, char fqdn[NAME_TEXT_MAX])
{
	bool is_there = ptr->reverse_fqdn && *ptr->reverse_fqdn;
	const char *description = ptr->ptr_description;
	const struct owned_item wanted = {
		.reverse_fqdn = is_there ? owned_dotted(ptr->reverse_fqdn, fqdn) : NULL,
		.ptr_description = is_there && description && *description ? description : NULL,
		.ttl = is_there ? ptr->ttl : NOT_GIVEN,
	};
	struct owned_resource now = *before;

	owned_take_ptr(&now, &wanted, change->inventory->now.model);
	note_action(change, before, &now);
	return now;
}

bool change_ptr_is_same(const struct change *change, const struct owned_resource *resource,
			const struct owned_item *ptr)
{
	char fqdn[NAME_TEXT_MAX];
	const struct owned_resource now = with_ptr(change, resource, ptr, fqdn);

	return owned_is_same_ptr(&resource->item, &now.item);
}

/* Writes or deletes the row of a PTR that is a resource of its own. */
static int put_ptr_row(struct change *change, const struct owned_resource *resource)
{
	const struct source_keys keys = owned_ptr_keys(resource);

	return put_row(change, KIND_PTR, resource->item.id, owned_ptr_row_json(resource), &keys);
}

static int put_ptr(struct change *change, const struct owned_resource *before,
		   const struct owned_resource *now)
{
	int err;

	if (!owned_is_declared(before))
		return put_resource(change, before, now);
	err = now->item.reverse_fqdn ? put_ptr_row(change, now)
				     : delete_row(change, KIND_PTR, now->item.id);
	return err ? err : serve(change, before, now);
}

/* Replaces the resource's PTR; a ptr without a name removes it. */
static int replace_ptr(struct change *change, const struct owned_resource *resource,
		       const struct owned_item *ptr)
{
	char fqdn[NAME_TEXT_MAX];
	int err;
	const struct owned_resource *before = find_now(change, resource, &err);
	struct owned_resource now;

	if (!before)
		return err;
	err = change_ptr_check_writable(change, before);
	if (!err && ptr->reverse_fqdn)
		err = change_ptr_check(change, ptr);
	else if (!err && !before->item.reverse_fqdn)
		err = change_fail(change, CHANGE_NOT_FOUND, NULL, "it has no PTR");
	if (err)
		return err;
	now = with_ptr(change, before, ptr, fqdn);
	return put_ptr(change, before, &now);
}

int change_ptr_set(struct change *change, const struct owned_resource *resource,
		   const struct owned_item *ptr)
{
	if (!ptr->reverse_fqdn)
		return change_fail(change, CHANGE_INVALID, "reverse_fqdn", "is missing; give one");
	return *ptr->reverse_fqdn ? replace_ptr(change, resource, ptr)
				  : change_ptr_unset(change, resource);
}

int change_ptr_unset(struct change *change, const struct owned_resource *resource)
{
	static const struct owned_item none = {.ttl = NOT_GIVEN};

	return replace_ptr(change, resource, &none);
}

int change_ptr_wait(struct change *change, const char *id, const struct owned_item *ptr)
{
	char lower[UUID_TEXT_MAX], fqdn[NAME_TEXT_MAX];
	struct owned_resource waiting, other;
	int err = change_is_open(change);

	if (!err && !text_is_uuid(id))
		err = change_fail(change, CHANGE_INVALID, "owner",
				  "\"%.64s\" does not fit; give a UUID", id);
	if (!err)
		err = change_ptr_check(change, ptr);
	if (err)
		return err;
	snprintf(lower, sizeof lower, "%s", id);
	text_lower(lower);
	if (inventory_ptr_row(change->inventory, lower, &other) == 0)
		return change_fail(change, CHANGE_TAKEN, "owner", "%s has two PTRs; leave one out",
				   lower);
	waiting = with_ptr(change, &nobody, ptr, fqdn);
	waiting.item.id = lower;
	change->after.waiting++;
	return put_ptr_row(change, &waiting);
}

int change_ptr_forget(struct change *change, const char *id)
{
	int err = change_is_open(change);

	if (err)
		return err;
	change->after.waiting--;
	return delete_row(change, KIND_PTR, id);
}

/* ---- resource groups ---- */

static int put_group(struct change *change, const struct resource_group *group)
{
	char path[PATH_MAX_BYTES];

	if (path_key_of(KIND_GROUP, NULL, group->name, path) != 0)
		return change_fail(change, CHANGE_INVALID, "name",
				   "is too long; give a shorter one");
	return put_row(change, KIND_GROUP, path, json_whole_text(group_values(group)), NULL);
}

/* Checks the name of a new group; an existing group keeps its name. `field` is for the error. */
static int check_name(struct change *change, const char *name, const char *field)
{
	const char *advice = group_name_refusal(name);
	struct resource_group group;

	if (!advice || inventory_group(change->inventory, name, &group))
		return 0;
	return change_fail(change, CHANGE_INVALID, field, "\"%s\" does not fit; %s", name, advice);
}

static int ensure_group(struct change *change, const char *name, const char *region)
{
	struct resource_group group;
	bool there = inventory_group(change->inventory, name, &group);

	if (there && group.origin.revision)
		return 0;
	if (check_name(change, name, "resource_group") != 0)
		return ERR_INVALID;
	return put_group(change,
			 &(const struct resource_group){.name = there ? group.name : name,
							.region = there ? group.region : region});
}

static int check_group_writable(struct change *change, const struct resource_group *group)
{
	if (!group_is_read_only(group))
		return 0;
	return change_fail(change, CHANGE_READ_ONLY, NULL,
			   "resource group \"%s\" comes from the configuration file, at %s:%u; "
			   "change it there",
			   group->name, group->origin.file, group->origin.line);
}

/* Ignores the case of the names. */
static bool is_same_group(const struct resource_group *a, struct resource_group b)
{
	json_t *left, *right;
	bool same;

	b.name = a->name;
	left = group_values(a);
	right = group_values(&b);
	same = left && json_equal(left, right);
	json_decref(left);
	json_decref(right);
	return same;
}

int change_group_put(struct change *change, const struct resource_group *wanted, bool import)
{
	struct resource_group group, put = *wanted;
	int err = change_is_open(change);
	bool there, keeps_name;

	if (!err)
		err = check_name(change, wanted->name, "name");
	if (err)
		return err;
	there = inventory_group(change->inventory, wanted->name, &group);
	keeps_name = there && !import && !change->restores;
	if (import && there && group.origin.revision)
		return change_fail(change, CHANGE_INVALID, "name",
				   "%s is there twice; leave one out", wanted->name);
	if (!import && there && is_same_group(&group, *wanted))
		return 0;
	if (keeps_name && check_group_writable(change, &group) != 0)
		return ERR_INVALID;
	if (keeps_name)
		put.name = group.name;
	return put_group(change, &put);
}

enum { PAGE_ROWS = 100 };

static int remove_addresses(struct change *change, const char *name, const char *subscription)
{
	struct inventory *inventory = change->inventory;
	const struct owned_resource *page[PAGE_ROWS];
	struct address after = {0};
	size_t found = PAGE_ROWS;
	int err = 0;

	while (!err && found == PAGE_ROWS) {
		found = inventory_group_after(inventory, name, &after, page, PAGE_ROWS);
		for (size_t i = 0; !err && i < found; i++) {
			after = page[i]->item.address;
			if (ownership_is_of(inventory, page[i], subscription))
				err = change_remove(change, page[i]);
		}
		if (!err && inventory->of)
			inventory_forget(inventory);
	}
	return err;
}

int change_group_forget(struct change *change, const char *name)
{
	char path[PATH_MAX_BYTES];
	int err = change_is_open(change);

	if (!err)
		err = path_key_of(KIND_GROUP, NULL, name, path);
	return err ? err : delete_row(change, KIND_GROUP, path);
}

int change_group_remove(struct change *change, const char *name, const char *subscription)
{
	struct resource_group group;
	int err = change_is_open(change);

	if (!err)
		err = remove_addresses(change, name, subscription);
	if (err || !name || !inventory_group(change->inventory, name, &group) ||
	    !group.origin.revision)
		return err;
	return change_group_forget(change, name);
}

/* ---- publishing ---- */

/* Updates the numbers, and the served table if it changed, of the original of an inventory
 * aside. */
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
	inventory_note_error(inventory, NULL);
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
