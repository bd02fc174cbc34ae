/* Combines the file's model and the state. Each load makes a new part, which is adopted or freed:
 *
 *     inventory_prepare ──► next ──served?─┬─ yes: inventory_adopt moves its part to the inventory
 *                                          └─ no:  it is only freed
 *
 * If file and state overlap:
 *
 *     a name, address, id, label or PTR in both    a fault that names both; nothing is served
 *     the same resource in both, with the same id  a warning; the file's counts
 *     an address of the state without a pool       a warning; kept, and not served
 *     a PTR in the state, its address in the file  the PTR of that address
 *     a PTR in the state, its address nowhere      kept, waits
 *     a state that cannot be read                  a warning; its served resources stay */
#include "resolver/control/resource/inventory.h"

#include <assert.h>

#include "resolver/control/base/percent.h"
#include "resolver/control/store/pairs.h"
#include "rules/text.h"

struct merge {
	struct inventory *inventory;
	struct inventory_part *next;
	const struct inventory_part *before;
	struct owned_draft *draft;
	struct faults *faults;
	bool unread; /* the state could not be read, which is reported already */
};

/* Reports both resources at the file's place, because the file has probably just been edited. */
static void clash(struct merge *merge, const struct owned_resource *declared,
		  const struct owned_resource *other, const char *field)
{
	char text[OWNED_TITLE_MAX], other_text[OWNED_TITLE_MAX];

	fault_add(merge->faults, FAULT_ERROR, &declared->item.origin, field,
		  "%s and %s cannot both have this %s; remove one of them, or give it another",
		  owned_title(declared, text), owned_title(other, other_text), field);
}

static void complain_of_ptr(struct merge *merge, const struct owned_resource *declared,
			    const char *fqdn)
{
	char title[OWNED_TITLE_MAX];

	fault_add(merge->faults, FAULT_ERROR, &declared->item.origin, "reverse_fqdn",
		  "%s has the PTR \"%s\" here and \"%s\" in the state; take one of them away",
		  owned_title(declared, title), declared->item.reverse_fqdn, fqdn);
}

/* Frees resources that were returned while the whole state is read, to bound the memory. */
static void forget_shown(struct inventory *inventory)
{
	arena_release(&inventory->shown);
	arena_init(&inventory->shown);
}

/* Whether the file declares exactly the resource of the state, with its PTR. */
static bool is_repeated(const struct owned_resource *declared,
			const struct owned_resource *resource)
{
	json_t *left, *right;
	bool same;

	if (!resource || strcmp(declared->item.id, resource->item.id) != 0)
		return false;
	left = owned_values(declared);
	right = owned_values(resource);
	same = json_equal(left, right);
	json_decref(left);
	json_decref(right);
	return same;
}

/* A resource made from a row's keys alone; its name comes from the path. */
struct keyed {
	struct owned_resource resource;
	char name[PATH_MAX_BYTES], fqdn[NAME_TEXT_MAX];
};

static void read_keys(struct keyed *keyed, const struct source_resource *row,
		      const struct model *model)
{
	const struct source_keys *keys = row->keys;
	bool service = row->kind == KIND_SERVICE;
	const char *slash = strchr(row->path, '/'), *suffix;
	char bare[NAME_TEXT_MAX];

	keyed->resource = (struct owned_resource){
		.kind = kind_of_id(row->kind),
		.item = {.id = keys->id,
			 .region = keys->region,
			 .address = keys->address,
			 .reverse_fqdn = keys->ptr},
		.ttl_served = keys->ttl_given ? keys->ttl : model->reverse.ttl,
	};
	keyed->resource.item.resource_group = keys->group && *keys->group ? keys->group : NULL;
	keyed->name[0] = '\0';
	if (slash) {
		char *end = keyed->name;

		if (percent_decode(slash + 1, strlen(slash + 1), false, &end) != 0)
			keyed->name[0] = '\0';
	}
	keyed->resource.item.name = keyed->name;
	suffix = service ? model->reverse.service_suffix : model->reverse.suffix;
	if (!suffix || (!service && !keys->host))
		return;
	if ((size_t)snprintf(bare, sizeof bare, "%s.%s", service ? keyed->name : keys->host,
			     suffix) < sizeof bare - 1)
		keyed->resource.fqdn = owned_dotted(bare, keyed->fqdn);
}

static void note_revision(struct inventory_part *part, const struct source_resource *row)
{
	if (row->keys->ptr_revision > part->latest)
		part->latest = row->keys->ptr_revision;
	/* Another program that wrote the row may not have noted it (pairs_note_changed). */
	if (row->revision > part->changed)
		part->changed = row->revision;
}

/* Whether the model's suffixes would give this service of the state the same forward name as an
 * address of the state; if so, reports it. */
static bool has_namesake(struct merge *merge, const struct owned_resource *service)
{
	const struct reverse_settings *reverse = &merge->next->model->reverse;
	char host[NAME_TEXT_MAX], text[OWNED_TITLE_MAX], other_text[OWNED_TITLE_MAX];
	const struct owned_resource *other;

	if (!service->fqdn || !inventory_cut_suffix(service->fqdn, reverse->suffix, host))
		return false;
	other = inventory_find_row(merge->inventory, SOURCE_BY_HOST, 0, host, NULL);
	if (other)
		fault_add(merge->faults, FAULT_ERROR, &reverse->origin, "service_suffix",
			  "%s and %s would both have the name %s; give another suffix, or remove "
			  "one of them",
			  owned_title(service, text), owned_title(other, other_text),
			  service->fqdn);
	return other;
}

/* Handles one row of a full read of the state. */
static int on_owned(void *context, const struct source_resource *row)
{
	struct merge *merge = context;
	struct inventory_part *next = merge->next;
	const struct owned_resource *declared, *whole;
	char text[POOLS_TEXT_MAX];
	const char *field;
	struct keyed keyed;

	if (!row->keys->id || !row->keys->address.family ||
	    (row->kind != KIND_ADDRESS && row->kind != KIND_SERVICE))
		return inventory_complain(merge->inventory, row, ERR_INVALID);
	read_keys(&keyed, row, next->model);
	*(row->kind == KIND_SERVICE ? &next->counts.services : &next->counts.addresses) += 1;
	next->counts.ptrs += row->keys->ptr != NULL;
	note_revision(next, row);
	declared = declared_clash(next->declared, &keyed.resource, &field);
	if (declared) {
		whole = inventory_find_row(merge->inventory, SOURCE_BY_ID, 0, row->keys->id, NULL);
		if (is_repeated(declared, whole)) {
			*(row->kind == KIND_SERVICE ? &next->counts.services
						    : &next->counts.addresses) -= 1;
			next->counts.ptrs -= row->keys->ptr != NULL;
			next->counts.repeated++;
		} else {
			clash(merge, declared, whole ? whole : &keyed.resource, field);
		}
		forget_shown(merge->inventory);
		return 0; /* continue, to report all clashes */
	}
	if (row->kind == KIND_SERVICE && has_namesake(merge, &keyed.resource))
		return 0;
	if (pools_refusal(next->pools, &keyed.resource.item.address, keyed.resource.item.region,
			  text)) {
		next->counts.refused++;
		return 0;
	}
	int err = owned_serve(&keyed.resource, merge->draft, &merge->inventory->key, next->model);
	return err == ERR_INVALID ? inventory_complain(merge->inventory, row, err) : err;
}

/* Handles a PTR's row: the PTR's address or service is declared in the file, or missing. */
static int on_ptr_row(void *context, const struct source_resource *row)
{
	struct merge *merge = context;
	const struct owned_resource probe = {.item.id = row->path};
	const struct owned_resource *declared =
		declared_find(merge->next->declared, DECLARED_BY_ID, &probe);
	struct inventory *inventory = merge->inventory;
	struct owned_resource resource = {.item.id = row->path};
	struct name name;
	int err;

	if (!row->keys->ptr || name_from_text(&name, &merge->inventory->key, row->keys->ptr) != 0)
		return inventory_complain(merge->inventory, row, ERR_INVALID);
	if (!declared) {
		merge->next->counts.waiting++;
		return 0;
	}
	if (declared->item.reverse_fqdn) {
		err = owned_take_ptr_row(&resource, row, merge->next->model, &inventory->shown);
		if (!err && owned_is_same_ptr(&declared->item, &resource.item))
			merge->next->counts.repeated++;
		else if (!err)
			complain_of_ptr(merge, declared, row->keys->ptr);
		forget_shown(inventory);
		return err ? inventory_complain(inventory, row, err) : 0;
	}
	merge->next->counts.given++;
	note_revision(merge->next, row);
	resource = (struct owned_resource){
		.item = {.address = declared->item.address, .reverse_fqdn = row->keys->ptr},
		.ttl_served =
			row->keys->ttl_given ? row->keys->ttl : merge->next->model->reverse.ttl};
	return owned_serve(&resource, merge->draft, &merge->inventory->key, merge->next->model);
}

/* The served data may now differ from the state, so the next load must read the whole state. */
static void tell_unread(struct merge *merge, const char *error)
{
	struct inventory *inventory = merge->inventory;
	const char *trouble = inventory_trouble(inventory);
	const char *why = trouble ? trouble : error;

	if (merge->unread)
		return;
	merge->unread = inventory->store.stale = true;
	store_say_unread(&inventory->store, why);
	fault_add(merge->faults, FAULT_WARNING, &(struct origin){.file = inventory->store.url},
		  NULL,
		  "%s; what the file says is served, and what was known of the state; changes are "
		  "refused until a reload can read it",
		  why);
}

/* Reads the whole state into an empty draft. ERR_SYSTEM: the state cannot be read, which is
 * reported. */
static int read_state(struct merge *merge)
{
	struct inventory *inventory = merge->inventory;
	struct source *source = inventory->store.source;
	static const struct source_page ptrs = {.kind = KIND_PTR, .limit = INT64_MAX};
	struct faults *faults = merge->faults, found;
	char error[SOURCE_ERROR_MAX] = "";
	int err;

	faults_init(&found);
	merge->faults = &found;
	merge->draft = owned_edit(NULL);
	err = merge->draft ? source->calls->sync(source, error) : ERR_NOMEM;
	if (!err)
		err = pairs_read_changed(source, &merge->next->changed, error);
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
						       .declared = merge->next->declared,
						       .derived = merge->next->derived};
		err = ERR_SYSTEM;
	}
	faults_release(&found);
	return err;
}

/* ---- the state is unchanged: only new items of the file are checked ---- */

/* The model of the file alone. */
static const struct model *file_of(const struct model *model)
{
	return model->declared ? model->declared : model;
}

/* A change of resources leaves the file's items as they are, however many there are. */
static struct declared *declared_of(struct model *model, const struct inventory_part *before)
{
	return file_of(model) == file_of(before->model) ? declared_ref(before->declared)
							: declared_new(model);
}

static bool is_same(const struct owned_resource *a, const struct owned_resource *b)
{
	char left[ETAG_MAX], right[ETAG_MAX];

	return a && b && strcmp(owned_version_etag(a, left), owned_version_etag(b, right)) == 0;
}

static bool has_kept(const struct declared *declared, const struct owned_resource *resource)
{
	return is_same(resource, declared_find(declared, DECLARED_BY_ID, resource));
}

/* Reports a resource of the state that has a unique member of this newly declared one. */
static void check_new(struct merge *merge, const struct owned_resource *declared)
{
	struct inventory *inventory = merge->inventory;
	char path[PATH_MAX_BYTES];
	const char *field = "id";
	const struct owned_resource *other =
		inventory_find_row(inventory, SOURCE_BY_ID, 0, declared->item.id, NULL);

	if (!other && owned_key(declared, path) == 0) {
		field = "name";
		other = inventory_find_row(inventory, SOURCE_BY_PATH, declared->kind->id, path,
					   NULL);
	}
	if (!other) {
		field = "address";
		other = inventory_find_row(inventory, SOURCE_BY_ADDRESS, 0, NULL,
					   &declared->item.address);
	}
	if (!other && declared->fqdn) {
		field = owned_fqdn_field(declared);
		other = inventory_find_fqdn(inventory, &merge->next->model->reverse,
					    declared->fqdn);
	}
	if (other)
		clash(merge, declared, other, field);
}

static int leave(struct merge *merge, const struct owned_resource *declared)
{
	int err = owned_unserve(declared, merge->draft, &merge->inventory->key);

	if (err || declared->item.reverse_fqdn ||
	    !owned_ptr(merge->before->owned, &declared->item.address))
		return err;
	merge->next->counts.given--;
	merge->next->counts.waiting++;
	return owned_set_ptr(merge->draft, &declared->item.address, NULL, 0);
}

static int enter(struct merge *merge, const struct owned_resource *declared)
{
	struct inventory *inventory = merge->inventory;
	struct owned_resource resource = *declared;
	int err;

	if (!inventory->store.source)
		return owned_serve(declared, merge->draft, &inventory->key, merge->next->model);
	check_new(merge, declared);
	err = inventory_ptr_row(inventory, declared->item.id, &resource);
	if (!err && declared->item.reverse_fqdn) {
		complain_of_ptr(merge, declared, resource.item.reverse_fqdn);
		return 0;
	}
	if (!err) {
		merge->next->counts.given++;
		merge->next->counts.waiting--;
	}
	return owned_serve(err ? declared : &resource, merge->draft, &inventory->key,
			   merge->next->model);
}

static int keep_state(struct merge *merge)
{
	struct inventory_part *next = merge->next;
	const struct inventory_part *before = merge->before;
	bool same = next->declared == before->declared;
	size_t old, new;
	const struct owned_resource *const *items =
		declared_list(before->declared, DECLARED_BY_ID, &old);
	const struct owned_resource *const *now =
		declared_list(next->declared, DECLARED_BY_ID, &new);
	int err;

	next->counts = before->counts;
	merge->draft = owned_edit(before->owned);
	err = merge->draft ? 0 : ERR_NOMEM;
	for (size_t i = 0; !err && !same && i < old; i++)
		if (!has_kept(next->declared, items[i]))
			err = leave(merge, items[i]);
	for (size_t i = 0; !err && !same && i < new; i++)
		if (!has_kept(before->declared, now[i]))
			err = enter(merge, now[i]);
	if (inventory_trouble(merge->inventory))
		tell_unread(merge, "");
	return err;
}

/* ---- a whole load ---- */

/* Whether both models give the state's resources the same names, TTLs and pools. */
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
	const struct owned_resource *const *items =
		declared_list(merge->next->declared, DECLARED_BY_ID, &count);
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = owned_serve(items[i], merge->draft, &merge->inventory->key,
				  merge->next->model);
	return err;
}

/* Warns of refused, repeated and waiting items: of all when the file was read, otherwise only if
 * their number has grown. */
static void warn(struct merge *merge)
{
	const struct inventory_part *next = merge->next, *before = merge->before;
	bool same_file = file_of(next->model) == file_of(before->model);
	struct origin origin = {.file = merge->inventory->store.url};

	if (next->counts.refused > (same_file ? before->counts.refused : 0))
		fault_add(merge->faults, FAULT_WARNING, &origin, NULL,
			  "%zu of the addresses and services in the state %s in no address pool "
			  "or network any more, and %s not served; add the pools they are from, "
			  "or remove them (sluice ptr list says which)",
			  next->counts.refused, text_plural(next->counts.refused, "is", "are"),
			  text_plural(next->counts.refused, "is", "are"));
	if (next->counts.repeated > (same_file ? before->counts.repeated : 0))
		fault_add(merge->faults, FAULT_WARNING, &origin, NULL,
			  "%zu of the addresses, services and PTRs in the state %s in the file, "
			  "too, which says the same of %s; the file's %s",
			  next->counts.repeated, text_plural(next->counts.repeated, "is", "are"),
			  text_plural(next->counts.repeated, "it", "them"),
			  text_plural(next->counts.repeated, "counts", "count"));
	if (next->counts.waiting > (same_file ? before->counts.waiting : 0))
		fault_add(merge->faults, FAULT_WARNING, &origin, NULL,
			  "%zu of the PTRs in the state %s gone from the "
			  "file; %s kept, and not served",
			  next->counts.waiting,
			  text_plural(next->counts.waiting, "belongs to an address that is",
				      "belong to addresses that are"),
			  text_plural(next->counts.waiting, "it is", "they are"));
}

/* Whether the state has a newly declared item, perhaps an equal one. */
static bool may_be_repeated(struct merge *merge)
{
	struct inventory *inventory = merge->inventory;
	size_t count;
	const struct owned_resource *const *items =
		declared_list(merge->next->declared, DECLARED_BY_ID, &count);
	struct owned_resource unused;
	bool found = false;

	if (merge->next->declared == merge->before->declared)
		return false;
	for (size_t i = 0; !found && i < count; i++) {
		if (has_kept(merge->before->declared, items[i]))
			continue;
		found = inventory_find_row(inventory, SOURCE_BY_ID, 0, items[i]->item.id, NULL) ||
			(items[i]->item.reverse_fqdn &&
			 inventory_ptr_row(inventory, items[i]->item.id, &unused) == 0);
		forget_shown(inventory);
	}
	return found;
}

static int fill(struct merge *merge)
{
	struct inventory *inventory = merge->inventory;
	struct source *source = inventory->store.source;
	bool is_other = source && (inventory->store.stale || !source->calls->is_current(source));
	bool same_file = merge->next->declared == merge->before->declared;
	bool alike = derive_alike(merge->before, merge->next);
	int err = ERR_SYSTEM;

	/* With the same file, repeated rows stay repeated, because they are read-only. */
	if (is_other || (source && (!alike || (!same_file && merge->before->counts.repeated > 0) ||
				    may_be_repeated(merge)))) {
		err = read_state(merge);
		if (!err)
			err = serve_declared(merge);
		merge->next->read = is_other && err != ERR_SYSTEM;
	}
	return err == ERR_SYSTEM ? keep_state(merge) : err;
}

/* Notes that another program has changed the state, and its rows cannot be served. */
static void say_unserved(struct inventory *inventory, const struct inventory_part *part)
{
	struct store *store = &inventory->store;

	if (!part->read)
		return;
	store->stale = true;
	snprintf(store->error, sizeof store->error,
		 "the state %s was changed elsewhere, and what it has now could not be served; "
		 "reload the configuration",
		 store->url);
}

/* For etags of lists; inventory_etag adds revisions and counts. */
static uint64_t hash_derived(const struct inventory_part *part)
{
	const struct reverse_settings *reverse = &part->model->reverse;
	uint64_t hash = declared_hash(part->declared);

	hash = etag_add_number(hash, reverse->ttl);
	hash = etag_add_text(hash, reverse->suffix);
	hash = etag_add_text(hash, reverse->service_suffix);
	return etag_add_number(hash, pools_hash(part->pools));
}

/* Makes the part of this model, with its table. On an error there is nothing to release. */
static int make_part(struct inventory *inventory, struct model *model, struct inventory_part *part,
		     struct faults *faults)
{
	struct merge merge = {
		.inventory = inventory, .next = part, .before = &inventory->now, .faults = faults};
	size_t errors = faults->errors;
	int err = ERR_NOMEM;

	inventory->trouble[0] = '\0'; /* left by a request */
	*part = (struct inventory_part){.model = model,
					.pools = pools_new(model),
					.declared = declared_of(model, merge.before)};
	if (part->pools && part->declared) {
		part->derived = hash_derived(part);
		err = fill(&merge);
	}
	inventory->trouble[0] = '\0';
	if (!err && faults->errors > errors)
		err = ERR_FAULTS;
	if (!err) {
		part->owned = owned_commit(merge.draft);
		warn(&merge);
		return 0;
	}
	owned_discard(merge.draft);
	if (faults->errors == errors)
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(err));
	say_unserved(inventory, part);
	inventory_part_release(part);
	return err;
}

struct inventory *inventory_prepare(struct inventory *inventory, struct model *model,
				    struct faults *faults)
{
	struct inventory_part part;
	struct inventory *next;

	assert(!inventory->changing && !inventory->store.held);
	if (store_follow(&inventory->store, model->management.state, &model->management.origin,
			 faults) != 0)
		return NULL;
	if (make_part(inventory, model, &part, faults) != 0)
		return NULL;
	next = inventory_copy(inventory, STORE_SAME);
	if (!next) {
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(ERR_NOMEM));
		say_unserved(inventory, &part);
		inventory_part_release(&part);
		return NULL;
	}
	next->now = part;
	return next;
}

void inventory_adopt(struct inventory *next)
{
	struct inventory *inventory = next->of;
	struct inventory_part *now = &inventory->now;

	inventory_part_release(now);
	*now = next->now;
	next->now = (struct inventory_part){0};
	if (!now->read)
		return;
	inventory->changed = now->changed;
	/* Changes by another process are not pending: workers did not get these from this
	 * process. */
	if (inventory->served == inventory->published)
		inventory->served = now->latest;
	inventory->published = now->latest;
	now->read = inventory->store.stale = false;
	inventory->store.error[0] = '\0';
}

void inventory_prepared_free(struct inventory *next)
{
	struct source *source = next ? next->of->store.source : NULL;

	if (!next)
		return;
	assert(!next->changing);
	if (next->now.read && source) /* not served, so the next load reads the state again */
		source->calls->unsync(source);
	inventory_part_release(&next->now);
	inventory_copy_free(next);
}

void inventory_check(struct model *model, struct faults *faults)
{
	static const struct hash_key any_key;
	const struct management *management = &model->management;
	struct inventory *inventory = inventory_new(&any_key);
	struct inventory_part part;

	if (!inventory)
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(ERR_NOMEM));
	else if (store_look(&inventory->store, management->state, &management->origin, faults) &&
		 make_part(inventory, model, &part, faults) == 0)
		inventory_part_release(&part); /* otherwise the faults have the error */
	inventory_free(inventory);
}
