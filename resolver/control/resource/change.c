/* A change is the state's open transaction, and beside it the draft of what will be served:
 *
 *     edit ─► what is there (with the edits before) ─► checked ─► put: row, keys, history
 *                                                            └─► draft: out with what was, in with
 *                                                                what is
 *
 * To undo it is to roll back and to forget the draft. An edit sees what the edits before it have
 * written: a name or address is free as soon as one has let go of it. After the commit nothing can
 * fail but publishing, for lack of memory, which is told. A read that fails voids the change,
 * whatever the edit made of it. */
#include "resolver/control/resource/change.h"

#include <assert.h>
#include <stdarg.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/log.h"
#include "rules/check/limits.h"
#include "rules/check/pools.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

struct change {
	struct inventory *inventory;
	const char *who;
	struct source *source; /* NULL: no edit has been made yet */
	uint64_t revision;
	struct owned_draft *draft;   /* NULL: what is served stays as it is */
	struct inventory_part after; /* the numbers of it count */
	struct change_error error;
	bool restores, over;
};

/* ---- why not ---- */

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

/* Where the state fails, the status says so, and the log. Of an inventory aside whoever publishes
 * sees to that: this is another thread. */
static int fail_store(struct change *change, const char *error)
{
	if (change->error.outcome != CHANGE_FINE)
		return ERR_INVALID;
	if (!change->inventory->of)
		inventory_note_error(change->inventory, error);
	return change_say(&change->error, CHANGE_STORE, NULL, "%s", error);
}

/* An edit that fails may have seen nothing only because it could not be read. */
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

/* ---- beginning and undoing ---- */

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

/* ---- what is written ---- */

/* json NULL: it goes. */
static int write_row(struct change *change, unsigned kind, const char *path, const char *json,
		     const struct source_keys *keys)
{
	char error[SOURCE_ERROR_MAX] = "";

	if (check_trouble(change) != 0)
		return ERR_INVALID;
	change->inventory->edits++;
	return change->source->calls->put(change->source, kind, path, json, keys, error) == 0
		       ? 0
		       : fail_store(change, error);
}

/* Takes the JSON over, which NULL is no memory for. */
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

/* ---- what is served ---- */

/* One more of the owner, or (-1) one less. */
static void count(struct change *change, const struct owner *owner, bool refused, int one)
{
	struct inventory_part *after = &change->after;

	if (owner_is_read_only(owner)) {
		after->given += (size_t)(owner->ptr.fqdn && !owner->ptr.read_only ? one : 0);
		return;
	}
	*(owner->kind == OWNER_SERVICE ? &after->services : &after->addresses) += (size_t)one;
	after->ptrs += (size_t)(owner->ptr.fqdn ? one : 0);
	after->refused += (size_t)(refused ? one : 0);
}

/* The draft has `now` (NULL: nobody) in the place of `before` (NULL: of nobody). */
static int serve(struct change *change, const struct owner *before, const struct owner *now)
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
			err = owner_unserve(before, change->draft, &inventory->key);
	}
	if (now) {
		refused = inventory_refusal(inventory, now, text);
		count(change, now, refused, 1);
		if (!err && !refused)
			err = owner_serve(now, change->draft, &inventory->key,
					  inventory->now.model);
	}
	return err ? change_fail(change, CHANGE_NO_MEMORY, NULL, "cannot be served: %s",
				 err_text(err))
		   : 0;
}

/* The owner of the state, in the place of what it was before. */
static int put_owner(struct change *change, const struct owner *before, const struct owner *now)
{
	char path[PATH_MAX_BYTES];
	struct owner_scratch scratch;
	struct source_keys keys = owner_keys(now, &scratch);

	if (owner_key(now, path) != 0)
		return change_fail(change, CHANGE_INVALID, "name",
				   "is too long; give a shorter one");
	if (put_row(change, owner_kind_id(now->kind), path, owner_values(now), &keys) != 0)
		return ERR_INVALID;
	return serve(change, before, now);
}

/* ---- edits: what stands in the way ---- */

/* The owner as it is with the edits so far: what was read ahead of the latest one is read again.
 * NULL: *err, and the change is void. */
static const struct owner *find_now(struct change *change, const struct owner *owner, int *err)
{
	const struct owner *found;

	*err = change_is_open(change);
	found = *err || !owner ? NULL
		: owner->revision && owner->read_at == change->inventory->edits
			? owner
			: inventory_by_id(change->inventory, owner->id);
	if (!*err && !found)
		*err = change_fail(change, CHANGE_NOT_FOUND, NULL,
				   "there is no such address or service");
	return *err ? NULL : found;
}

int change_check_writable(struct change *change, const struct owner *owner)
{
	char title[OWNER_TITLE_MAX];

	if (!owner_is_read_only(owner))
		return 0;
	return change_fail(change, CHANGE_READ_ONLY, NULL,
			   "%s comes from the configuration file; change it there",
			   owner_title(owner, title));
}

static int check_names(struct change *change, const struct owner *owner)
{
	const char *advice = NULL, *field = "name", *text = owner->name;

	if (owner->kind == OWNER_SERVICE) {
		advice = service_name_refusal(owner->name);
	} else if (owner->label) {
		field = "domain_name_label";
		text = owner->label;
		advice = label_refusal(owner->label);
		if (!advice && !owner->region)
			advice = "a label takes a region: give one, or a top-level one in the "
				 "configuration";
	}
	return advice ? change_fail(change, CHANGE_INVALID, field, "\"%s\" does not fit; %s", text,
				    advice)
		      : 0;
}

/* Who has the same id, name, address or forward name, another one than `before`; *field says which
 * by the schema's key. NULL: nobody. */
static const struct owner *find_clash(struct change *change, const struct owner *owner,
				      const struct owner *before, const char **field)
{
	struct inventory *inventory = change->inventory;
	const struct {
		const char *field;
		const struct owner *found;
	} looked[] = {
		{"id", before ? NULL : inventory_by_id(inventory, owner->id)},
		{"name",
		 before ? NULL
		 : owner->kind == OWNER_SERVICE
			 ? inventory_service(inventory, owner->name)
			 : inventory_address(inventory, owner->resource_group, owner->name)},
		{"address", inventory_by_address(inventory, &owner->address)},
		{owner->kind == OWNER_SERVICE ? "name" : "domain_name_label",
		 inventory_by_fqdn(inventory, owner->fqdn)},
	};

	for (size_t i = 0; i < sizeof looked / sizeof *looked; i++) {
		*field = looked[i].field;
		if (looked[i].found && (!before || strcmp(looked[i].found->id, before->id) != 0))
			return looked[i].found;
	}
	return NULL;
}

static int check_clash(struct change *change, const struct owner *owner, const struct owner *before)
{
	const char *field, *text;
	char title[OWNER_TITLE_MAX], address[ADDRESS_TEXT_MAX];
	const struct owner *other = find_clash(change, owner, before, &field);
	struct owner_ptr waiting;

	if (!other && !before && inventory_ptr_row(change->inventory, owner->id, &waiting) == 0)
		return change_fail(change, CHANGE_TAKEN, "id",
				   "%s is the id of an address that the file had, and whose PTR "
				   "\"%s\" waits for its return; give another",
				   owner->id, waiting.fqdn);
	if (!other)
		return check_trouble(change);
	text = strcmp(field, "id") == 0        ? owner->id
	       : strcmp(field, "address") == 0 ? address_print(&owner->address, address)
	       : strcmp(field, "name") == 0    ? owner->name
					       : owner->fqdn;
	return change_fail(change, CHANGE_TAKEN, field, "%s is taken, by %s; give another", text,
			   owner_title(other, title));
}

/* Everything about an owner that has its values. */
static int check_owner(struct change *change, struct owner *owner, const struct owner *before,
		       char fqdn[NAME_TEXT_MAX])
{
	char refusal[POOLS_TEXT_MAX];
	int err = check_names(change, owner);

	if (err)
		return err;
	if (owner_derive_fqdn(owner, change->inventory->now.model, fqdn) != 0)
		return change_fail(change, CHANGE_INVALID,
				   owner->kind == OWNER_SERVICE ? "name" : "domain_name_label",
				   "the name it would have is no domain name: \"%s\"; use a "
				   "shorter one",
				   fqdn);
	if (!change->restores && inventory_refusal(change->inventory, owner, refusal))
		return change_fail(change, CHANGE_INVALID, "address", "%s", refusal);
	return check_clash(change, owner, before);
}

/* ---- an address where none was named: the next free one of a pool of the region, in the pools'
 * order. The search begins where the last one ended, so that filling a pool looks at each address
 * about once, and an address that was just let go is not given to another owner at once ---- */

enum { LOOKED_AT_MAX = 1 << 24 /* addresses of one pool */, TAKEN_MAX = 256 };

/* The addresses of the state that are taken, from one on, a page at a time. */
struct taken {
	struct address items[TAKEN_MAX];
	size_t count, at;
};

/* How many it has to give, and from which on. An IPv4 pool's first and last address are not given
 * away unless it has no others; IPv6 has no last one, and its first is the routers' (RFC 4291
 * section 2.6.1). */
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
	struct taken *taken = context;

	taken->items[taken->count++] = row->keys->address;
	return 0;
}

static int read_taken(struct change *change, struct taken *taken, const struct address *behind)
{
	const struct source_page page = {.address = behind, .limit = TAKEN_MAX};
	char error[SOURCE_ERROR_MAX] = "";

	taken->count = taken->at = 0;
	return change->source->calls->page(change->source, &page, on_taken, taken, error) == 0
		       ? 0
		       : fail_store(change, error);
}

/* Addresses come in their order. */
static int is_taken(struct change *change, struct taken *taken, const struct address *address,
		    bool *found)
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

/* One of those from the pool's address number `from` on, ahead of `to`. */
static int find_free(struct change *change, const struct prefix *pool, const char *region,
		     uint32_t from, uint32_t to, struct address *address, bool *found)
{
	struct inventory *inventory = change->inventory;
	char text[POOLS_TEXT_MAX];
	struct taken taken;
	uint32_t first;
	bool used;
	int err = 0;

	room_of(pool, &first);
	for (uint32_t at = from; !err && !*found && at < to; at++) {
		const struct owner probe = {.address = address_add(&pool->address, first + at)};

		*address = probe.address;
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

static int give_address(struct change *change, struct owner *owner, uint8_t family)
{
	bool found = false;
	int err;

	if (owner->address.family)
		return 0;
	err = find_address(change, owner->region, family, &owner->address, &found);
	if (err || found)
		return err;
	return change_fail(change, CHANGE_EXHAUSTED, "address",
			   "no address pool%s%s has a free IPv%u address; add a pool, or name an "
			   "address",
			   owner->region ? " of region " : "", owner->region ? owner->region : "",
			   family);
}

/* The group is there, in the state, too. */
static int ensure_group(struct change *change, const char *name, const char *region);

static bool is_same_ptr(const struct owner_ptr *a, const struct owner_ptr *b)
{
	if (!a->fqdn || !b->fqdn)
		return !a->fqdn && !b->fqdn;
	return text_equal(a->fqdn, b->fqdn) && text_equal(a->description, b->description) &&
	       a->ttl_given == b->ttl_given && a->ttl == b->ttl;
}

static enum ptr_action action_after(const struct owner_ptr *before)
{
	return before->fqdn ? PTR_ACTION_UPDATE : PTR_ACTION_CREATE;
}

/* One that is as it was keeps the revision at which it was set, unless it is served elsewhere now,
 * or was not served. */
static void note_ptr(const struct change *change, const struct owner *before, struct owner *wanted)
{
	static const struct owner_ptr none;
	struct owner_ptr *ptr = &wanted->ptr;
	const struct owner_ptr *was = before ? &before->ptr : &none;
	bool same = is_same_ptr(was, ptr), moves;

	if (same)
		*ptr = *was;
	moves = same && before && ptr->fqdn &&
		(ptr->status == PTR_ERROR || !address_equal(&wanted->address, &before->address));
	if (same && !moves)
		return;
	ptr->revision = change->revision;
	ptr->action = ptr->fqdn ? action_after(was) : PTR_ACTION_DELETE;
}

int change_put(struct change *change, const struct owner *owner, struct owner *wanted,
	       uint8_t family)
{
	const struct owner *before = NULL;
	char fqdn[NAME_TEXT_MAX];
	int err = change_is_open(change);

	if (!err && owner)
		before = find_now(change, owner, &err);
	if (!err)
		err = give_address(change, wanted, family);
	if (!err)
		err = check_owner(change, wanted, before, fqdn);
	if (!err && !before && wanted->resource_group)
		/* Ahead of it, so that an undo, backwards, works. */
		err = ensure_group(change, wanted->resource_group, wanted->region);
	if (err)
		return err;
	note_ptr(change, before, wanted);
	return put_owner(change, before, wanted);
}

int change_remove(struct change *change, const struct owner *owner)
{
	char path[PATH_MAX_BYTES];
	int err;
	const struct owner *before = find_now(change, owner, &err);

	if (!before)
		return err;
	err = change_check_writable(change, before);
	if (!err)
		err = owner_key(before, path);
	if (!err)
		err = delete_row(change, owner_kind_id(before->kind), path);
	return err ? err : serve(change, before, NULL);
}

/* ---- the form of single values: by the table of fields, as values of an address ---- */

static const struct field *address_field(const char *key)
{
	return schema_field(kind_field(kind_of_id(KIND_ADDRESS))->group, key);
}

/* text NULL: nothing is said. */
static int check_text(struct change *change, const char *key, const char *text)
{
	static const struct origin nowhere;
	struct owned_address item;
	struct faults faults;
	struct arena arena;
	int err = 0;

	arena_init(&arena);
	faults_init(&faults);
	if (text)
		err = schema_set_text(address_field(key), &item, text, &nowhere, &arena, &faults);
	if (err)
		err = change_fail(change, CHANGE_INVALID, key, "%s",
				  faults.count ? faults.items[0].text : err_text(ERR_NOMEM));
	faults_release(&faults);
	arena_release(&arena);
	return err;
}

static int check_ttl(struct change *change, long long ttl)
{
	static const struct origin nowhere;
	struct owned_address item;
	struct faults faults;
	int err;

	faults_init(&faults);
	err = schema_set_number(address_field("ttl"), &item, ttl, &nowhere, &faults);
	if (err)
		err = change_fail(change, CHANGE_INVALID, "ttl", "%s",
				  faults.count ? faults.items[0].text : err_text(ERR_NOMEM));
	faults_release(&faults);
	return err;
}

static int check_tag(struct change *change, const char *name, const char *value)
{
	char why[TEXT_FLAW_MAX];

	if (!text_is_plain(name, why))
		return change_fail(change, CHANGE_INVALID, "tags", "in a name, %s", why);
	if (!text_is_plain(value, why))
		return change_fail(change, CHANGE_INVALID, "tags", "in what \"%s\" is, %s", name,
				   why);
	return 0;
}

static bool are_texts(const json_t *tags)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)tags, name,
			    value) if (!json_is_string(value)) return false;
	return true;
}

int change_read_tags(struct change *change, const json_t *tags, struct arena *arena,
		     const char **text)
{
	const char *name;
	char *dumped;
	json_t *value;
	int err = 0;

	*text = NULL;
	if (!tags || json_is_null(tags) || (json_is_object(tags) && json_object_size(tags) == 0))
		return 0;
	if (!json_is_object(tags))
		return change_fail(change, CHANGE_INVALID, "tags",
				   "must be an object of strings, or null");
	dumped = json_dumps(tags, JSON_COMPACT | JSON_SORT_KEYS);
	*text = dumped ? arena_strdup(arena, dumped) : NULL;
	free(dumped);
	if (!*text)
		return change_fail_memory(change);
	if (json_object_size(tags) > TAGS_MAX || strlen(*text) > TAGS_BYTES_MAX || !are_texts(tags))
		return change_fail(change, CHANGE_INVALID, "tags",
				   "do not fit; give an object of at most %d strings, %d bytes in "
				   "all",
				   TAGS_MAX, TAGS_BYTES_MAX);
	json_object_foreach((json_t *)(uintptr_t)tags, name, value) err =
		err ? err : check_tag(change, name, json_string_value(value));
	return err;
}

/* ---- PTRs ---- */

int change_ptr_check(struct change *change, const struct change_ptr *ptr)
{
	int err = check_text(change, "reverse_fqdn", ptr->fqdn);
	const char *advice = err ? NULL : reverse_fqdn_refusal(ptr->fqdn);

	if (advice)
		err = change_fail(change, CHANGE_INVALID, "reverse_fqdn",
				  "\"%s\" is not a host's name; %s", ptr->fqdn, advice);
	if (!err)
		err = check_text(change, "description", ptr->description);
	return err || !ptr->ttl_given ? err : check_ttl(change, ptr->ttl);
}

static int check_ptr_writable(struct change *change, const struct owner *owner)
{
	if (!owner->ptr.read_only)
		return 0;
	return change_fail(change, CHANGE_READ_ONLY, NULL,
			   "the configuration file gives it the PTR \"%s\", at %s:%u; change it "
			   "there",
			   owner->ptr.fqdn, owner->origin.file, owner->origin.line);
}

/* What the owner has once it gets this PTR, which is of good form; fqdn NULL or "": none. Good as
 * long as `fqdn` and the texts of `ptr` are. */
static struct owner_ptr wanted_ptr(const struct change *change, const struct owner *owner,
				   const struct change_ptr *ptr, char fqdn[NAME_TEXT_MAX])
{
	bool none = !ptr->fqdn || !*ptr->fqdn;

	return (struct owner_ptr){
		.fqdn = none ? NULL : owner_dotted(ptr->fqdn, fqdn),
		.description =
			!none && ptr->description && *ptr->description ? ptr->description : NULL,
		.ttl_given = !none && ptr->ttl_given,
		.ttl = !none && ptr->ttl_given ? (uint32_t)ptr->ttl
					       : change->inventory->now.model->reverse.ttl,
		.revision = change->revision,
		.action = none ? PTR_ACTION_DELETE : action_after(&owner->ptr),
	};
}

bool change_ptr_is_same(const struct change *change, const struct owner *owner,
			const struct change_ptr *ptr)
{
	char fqdn[NAME_TEXT_MAX];
	const struct owner_ptr wanted = wanted_ptr(change, owner, ptr, fqdn);

	return is_same_ptr(&owner->ptr, &wanted);
}

static int put_ptr(struct change *change, const struct owner *before, const struct owner_ptr *ptr)
{
	struct owner now = *before;
	struct source_keys keys;

	now.ptr = *ptr;
	if (!owner_is_read_only(before))
		return put_owner(change, before, &now);
	keys = owner_ptr_keys(ptr);
	if ((ptr->fqdn ? put_row(change, KIND_PTR, before->id, owner_ptr_values(ptr), &keys)
		       : delete_row(change, KIND_PTR, before->id)) != 0)
		return ERR_INVALID;
	return serve(change, before, &now);
}

/* In the place of what it has; a ptr without a name: none. */
static int replace_ptr(struct change *change, const struct owner *owner,
		       const struct change_ptr *ptr)
{
	char fqdn[NAME_TEXT_MAX];
	int err;
	const struct owner *before = find_now(change, owner, &err);
	struct owner_ptr wanted;

	if (!before)
		return err;
	err = check_ptr_writable(change, before);
	if (!err && ptr->fqdn)
		err = change_ptr_check(change, ptr);
	else if (!err && !before->ptr.fqdn)
		err = change_fail(change, CHANGE_NOT_FOUND, NULL, "it has no PTR");
	if (err)
		return err;
	wanted = wanted_ptr(change, before, ptr, fqdn);
	return put_ptr(change, before, &wanted);
}

int change_ptr_set(struct change *change, const struct owner *owner, const struct change_ptr *ptr)
{
	if (!ptr->fqdn)
		return change_fail(change, CHANGE_INVALID, "reverse_fqdn", "is missing; give one");
	return *ptr->fqdn ? replace_ptr(change, owner, ptr) : change_ptr_unset(change, owner);
}

int change_ptr_unset(struct change *change, const struct owner *owner)
{
	static const struct change_ptr none;

	return replace_ptr(change, owner, &none);
}

static int check_id(struct change *change, const char *id, char lower[UUID_TEXT_MAX])
{
	if (check_text(change, "id", id) != 0) {
		snprintf(change->error.field, sizeof change->error.field, "owner");
		return ERR_INVALID;
	}
	snprintf(lower, UUID_TEXT_MAX, "%s", id);
	text_lower(lower);
	return 0;
}

int change_ptr_wait(struct change *change, const char *owner, const struct change_ptr *ptr)
{
	char id[UUID_TEXT_MAX], fqdn[NAME_TEXT_MAX];
	static const struct owner nobody;
	struct owner_ptr wanted;
	struct source_keys keys;
	int err = change_is_open(change);

	if (!err)
		err = check_id(change, owner, id);
	if (!err)
		err = change_ptr_check(change, ptr);
	if (err)
		return err;
	if (inventory_ptr_row(change->inventory, id, &wanted) == 0)
		return change_fail(change, CHANGE_TAKEN, "owner", "%s has two PTRs; leave one out",
				   id);
	wanted = wanted_ptr(change, &nobody, ptr, fqdn);
	keys = owner_ptr_keys(&wanted);
	change->after.waiting++;
	return put_row(change, KIND_PTR, id, owner_ptr_values(&wanted), &keys);
}

int change_ptr_forget(struct change *change, const char *owner)
{
	int err = change_is_open(change);

	if (err)
		return err;
	change->after.waiting--;
	return delete_row(change, KIND_PTR, owner);
}

/* ---- resource groups ---- */

/* tags: as the state keeps them. */
static int put_group(struct change *change, const char *name, const char *region, const char *tags)
{
	const struct resource_group group = {.name = name, .region = region, .tags = tags};
	char path[PATH_MAX_BYTES];

	if (path_key_of(KIND_GROUP, NULL, name, path) != 0)
		return change_fail(change, CHANGE_INVALID, "name",
				   "is too long; give a shorter one");
	return put_row(change, KIND_GROUP, path, json_whole_text(group_object(&group)), NULL);
}

/* One that is there already keeps its name. */
static int check_name(struct change *change, const char *name)
{
	const char *advice = group_name_refusal(name);
	struct resource_group group;

	if (!advice || inventory_group(change->inventory, name, &group))
		return 0;
	return change_fail(change, CHANGE_INVALID, "resource_group", "\"%s\" does not fit; %s",
			   name, advice);
}

static int ensure_group(struct change *change, const char *name, const char *region)
{
	struct resource_group group;
	bool there = inventory_group(change->inventory, name, &group);

	if (there && group.revision)
		return 0;
	if (check_name(change, name) != 0)
		return ERR_INVALID;
	return put_group(change, there ? group.name : name, there ? group.region : region, NULL);
}

/* As if it were an address's group. */
static int check_group(struct change *change, const struct change_group *wanted)
{
	if (!wanted->name)
		return change_fail(change, CHANGE_INVALID, "resource_group",
				   "is missing; give one");
	if (check_text(change, "resource_group", wanted->name) != 0 ||
	    check_text(change, "region", wanted->region) != 0)
		return ERR_INVALID;
	return check_name(change, wanted->name);
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

static int put_wanted(struct change *change, const struct change_group *wanted, const char *tags,
		      bool import)
{
	struct resource_group group;
	bool there = inventory_group(change->inventory, wanted->name, &group);
	bool keeps_name = there && !import && !change->restores;

	if (import && there && group.revision)
		return change_fail(change, CHANGE_INVALID, "name",
				   "%s is there twice; leave one out", wanted->name);
	if (!import && there && text_equal(group.region, wanted->region) &&
	    text_equal(group.tags, tags))
		return 0;
	if (keeps_name && check_group_writable(change, &group) != 0)
		return ERR_INVALID;
	return put_group(change, keeps_name ? group.name : wanted->name, wanted->region, tags);
}

int change_group_put(struct change *change, const struct change_group *given, bool import)
{
	struct change_group wanted = *given;
	const char *tags;
	struct arena arena;
	int err = change_is_open(change);

	if (err)
		return err;
	if (wanted.region && !*wanted.region)
		wanted.region = NULL;
	arena_init(&arena);
	err = check_group(change, &wanted);
	if (!err)
		err = change_read_tags(change, wanted.tags, &arena, &tags);
	if (!err)
		err = put_wanted(change, &wanted, tags, import);
	arena_release(&arena);
	return err;
}

enum { PAGE_ROWS = 100 };

static int remove_addresses(struct change *change, const char *name, const char *subscription)
{
	struct inventory *inventory = change->inventory;
	const struct owner *page[PAGE_ROWS];
	struct address after = {0};
	size_t found = PAGE_ROWS;
	int err = 0;

	while (!err && found == PAGE_ROWS) {
		found = inventory_group_after(inventory, name, &after, page, PAGE_ROWS);
		for (size_t i = 0; !err && i < found; i++) {
			after = page[i]->address;
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
	if (err || !name || !inventory_group(change->inventory, name, &group) || !group.revision)
		return err;
	return change_group_forget(change, name);
}

/* ---- making it so ---- */

/* The numbers, and the table where it is another; of the inventory that an aside one is of. */
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
