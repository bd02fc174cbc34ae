/* Combines the file's model and the state. Each load makes new addresses, beside the served ones:
 *
 *     resources_prepare ──► next ──served?─┬─ yes: resources_adopt puts them in place of the others
 *                                          └─ no:  they are only freed
 *
 * If file and state overlap:
 *
 *     a name, address, id, label or PTR in both    a fault that names both; the model is refused
 *     the same resource in both, with the same id  a warning; the file's counts
 *     an address of the state without a pool       a warning; kept, and not served
 *     a PTR in the state, its address in the file  the PTR of that address
 *     a PTR in the state, its address nowhere      kept, waits
 *     a state that cannot be read                  a warning; its served resources stay */
#include "resolver/control/resource/resources.h"

#include <assert.h>

#include "resolver/control/base/percent.h"
#include "resolver/control/store/pairs.h"
#include "rules/text.h"

struct merge {
	struct resources *resources; /* a copy, which gets the next addresses */
	struct model *model;
	struct addresses *next;         /* the copy's, which are being made */
	const struct model *former;     /* the model that is served now */
	const struct addresses *before; /* the served addresses */
	struct owned_draft *draft;
	json_t *repeated; /* ids of the state's resources that the file repeats */
	struct faults *faults;
};

/* ---- the file's rows ---- */

static int index_item(struct file_rows *rows, const struct owned_resource *resource,
		      char error[SOURCE_ERROR_MAX])
{
	struct owned_scratch scratch;
	struct source_keys keys = owned_keys(resource, &scratch);
	char path[PATH_MAX_BYTES];

	if (owned_key(resource, path) != 0) /* longer than the path of any request */
		path[0] = '\0';
	return file_rows_add(rows, resource->kind->id, path, &keys, error);
}

/* Indexes all items, and hashes all that the API shows of them, for etags. */
static int index_items(struct file_rows *rows, const struct model *model, uint64_t *hash,
		       char error[SOURCE_ERROR_MAX])
{
	struct owned_resource resource;
	struct arena arena;
	int err = 0;

	arena_init(&arena);
	for (size_t number = 1; !err; number++) {
		err = owned_of_file(&resource, number, model, &arena);
		if (!err) {
			err = index_item(rows, &resource, error);
			*hash = etag_add_number(*hash, owned_hash(&resource));
		}
		arena_release(&arena);
		arena_init(&arena);
	}
	return err == ERR_NOT_FOUND ? file_rows_end(rows, error) : err;
}

/* The rows of the model's file. A change of resources shares the served rows, because the file is
 * the same and may have a million items. NULL: `error` says why. */
static struct file_rows *rows_of(const struct model *model, const struct resources *served,
				 uint64_t *hash, char error[SOURCE_ERROR_MAX])
{
	const struct addresses *before = &served->addresses;
	struct file_rows *rows;

	*hash = before->declared_hash;
	if (before->rows && model_declared(model) == model_declared(served->model))
		return file_rows_ref(before->rows);
	*hash = 0;
	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	rows = file_rows_new(error);
	if (rows && index_items(rows, model, hash, error) == 0)
		return rows;
	file_rows_free(rows);
	return NULL;
}

/* ---- what both have ---- */

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

/* Reports both resources at the file's place, because the file has probably just been edited. */
static void clash(struct merge *merge, const struct owned_resource *declared,
		  const struct owned_resource *other, const char *field)
{
	char text[OWNED_TITLE_MAX], other_text[OWNED_TITLE_MAX];

	fault_add(merge->faults, FAULT_ERROR, &declared->item.origin, field,
		  "%s and %s cannot both have this %s; remove one of them, or give it another",
		  owned_title(declared, text), owned_title(other, other_text), field);
}

/* Whether the file declares exactly the resource of the state, with its PTR. */
static bool is_repeated(const struct owned_resource *declared,
			const struct owned_resource *resource)
{
	json_t *left, *right;
	bool same;

	if (strcmp(declared->item.id, resource->item.id) != 0)
		return false;
	left = owned_values(declared);
	right = owned_values(resource);
	same = json_equal(left, right);
	json_decref(left);
	json_decref(right);
	return same;
}

/* The member that both have; the store has found that they have one. */
static const char *common_field(const struct owned_resource *a, const struct owned_resource *b)
{
	char left[PATH_MAX_BYTES], right[PATH_MAX_BYTES];

	if (strcmp(a->item.id, b->item.id) == 0)
		return "id";
	if (a->kind == b->kind && owned_key(a, left) == 0 && owned_key(b, right) == 0 &&
	    strcmp(left, right) == 0)
		return "name";
	return address_equal(&a->item.address, &b->item.address) ? "address" : owned_fqdn_field(a);
}

/* Handles a row of the state that shares a key with an item of the file. If the row's values cannot
 * be read, the clash is reported by the row's keys alone. It is an error if the row is neither an
 * address nor a service, or lacks its keys. */
static int on_alike(void *context, const struct source_resource *row)
{
	struct merge *merge = context;
	struct resources *resources = merge->resources;
	const struct model *model = merge->model;
	struct owned_resource declared, resource;
	struct keyed keyed;
	int err;

	if (!owned_is_row(row))
		return resources_complain(resources, row, ERR_INVALID);
	err = owned_of_file(&declared, row->number, model, &resources->shown);
	if (!err)
		err = owned_of_row(&resource, row, model, &resources->shown);
	if (err == ERR_INVALID) {
		read_keys(&keyed, row, model);
		clash(merge, &declared, &keyed.resource, common_field(&declared, &keyed.resource));
		err = 0;
	} else if (!err && is_repeated(&declared, &resource)) {
		err = json_object_set_new(merge->repeated, resource.item.id, json_true());
	} else if (!err) {
		clash(merge, &declared, &resource, common_field(&declared, &resource));
	}
	resources_forget(resources);
	return err ? ERR_NOMEM : 0; /* go on, to report all clashes */
}

/* For an address, the service with the same forward name; for a service, the address. NULL: none.
 * A service has no host key, so the store does not find this conflict. */
static const struct owned_resource *namesake(struct merge *merge,
					     const struct owned_resource *resource)
{
	const struct reverse_settings *reverse = &merge->model->reverse;
	bool is_service = owned_is_service(resource);
	const char *suffix = is_service ? reverse->suffix : reverse->service_suffix;
	char host[NAME_TEXT_MAX], path[PATH_MAX_BYTES];

	if (!resource->fqdn || !addresses_cut_suffix(resource->fqdn, suffix, host))
		return NULL;
	if (is_service)
		return addresses_search(merge->resources, SOURCE_BY_HOST, 0, host, NULL);
	return path_key_of(KIND_SERVICE, NULL, host, path) == 0
		       ? addresses_search(merge->resources, SOURCE_BY_PATH, KIND_SERVICE, path,
					  NULL)
		       : NULL;
}

/* Reports items of the file with a namesake in the state. Two of the file are refused already. */
static int check_namesakes(struct merge *merge)
{
	struct resources *resources = merge->resources;
	const struct owned_resource *other;
	struct owned_resource declared;
	int err = 0;

	for (size_t number = 1; !err; number++) {
		err = owned_of_file(&declared, number, merge->model, &resources->shown);
		other = err ? NULL : namesake(merge, &declared);
		if (other && !owned_is_declared(other))
			clash(merge, &declared, other, owned_fqdn_field(&declared));
		resources_forget(resources);
	}
	return err == ERR_NOT_FOUND ? 0 : err;
}

/* Compares the file with the state. ERR_SYSTEM: the state cannot be read. */
static int compare(struct merge *merge, char error[SOURCE_ERROR_MAX])
{
	struct source *source = merge->resources->store.source;
	int err = source->calls->alike(source, on_alike, merge, error);

	return err ? err : check_namesakes(merge);
}

static void complain_of_ptr(struct merge *merge, const struct owned_resource *declared,
			    const char *fqdn)
{
	char title[OWNED_TITLE_MAX];

	fault_add(merge->faults, FAULT_ERROR, &declared->item.origin, "reverse_fqdn",
		  "%s has the PTR \"%s\" here and \"%s\" in the state; take one of them away",
		  owned_title(declared, title), declared->item.reverse_fqdn, fqdn);
}

/* ---- rows of the state ---- */

static void note_revision(struct addresses *made, const struct source_resource *row)
{
	if (row->keys->ptr_revision > made->latest)
		made->latest = row->keys->ptr_revision;
	/* Another program that wrote the row may not have noted it (pairs_note_changed). */
	if (row->revision > made->changed)
		made->changed = row->revision;
}

/* Whether the model's suffixes would give this service of the state the same forward name as an
 * address of the state; if so, reports it. */
static bool has_namesake(struct merge *merge, const struct owned_resource *service)
{
	const struct owned_resource *other = namesake(merge, service);
	char text[OWNED_TITLE_MAX], other_text[OWNED_TITLE_MAX];

	if (other && !owned_is_declared(other))
		fault_add(
			merge->faults, FAULT_ERROR, &merge->model->reverse.origin, "service_suffix",
			"%s and %s would both have the name %s; give another suffix, or remove "
			"one of them",
			owned_title(service, text), owned_title(other, other_text), service->fqdn);
	return other;
}

/* Handles one row of a full read of the state. */
static int on_owned(void *context, const struct source_resource *row)
{
	struct merge *merge = context;
	struct addresses *next = merge->next;
	char text[POOLS_TEXT_MAX];
	struct keyed keyed;
	int err;

	if (!owned_is_row(row))
		return resources_complain(merge->resources, row, ERR_INVALID);
	note_revision(next, row);
	if (json_object_get(merge->repeated, row->keys->id)) {
		next->counts.repeated++;
		return 0;
	}
	read_keys(&keyed, row, merge->model);
	*(row->kind == KIND_SERVICE ? &next->counts.services : &next->counts.addresses) += 1;
	next->counts.ptrs += row->keys->ptr != NULL;
	if (row->kind == KIND_SERVICE && has_namesake(merge, &keyed.resource))
		return 0; /* go on, to report all of them */
	if (pools_refusal(next->pools, &keyed.resource.item.address, keyed.resource.item.region,
			  text)) {
		next->counts.refused++;
		return 0;
	}
	err = owned_serve(&keyed.resource, merge->draft, &merge->resources->key, merge->model);
	return err == ERR_INVALID ? resources_complain(merge->resources, row, err) : err;
}

/* Handles a PTR that both the file and the state have. */
static int compare_ptr(struct merge *merge, const struct owned_resource *declared,
		       const struct source_resource *row)
{
	struct resources *resources = merge->resources;
	struct owned_resource resource = {.item.id = row->path};
	int err = owned_take_ptr_row(&resource, row, merge->model, &resources->shown);

	if (err)
		return resources_complain(resources, row, err);
	if (owned_is_same_ptr(&declared->item, &resource.item))
		merge->next->counts.repeated++;
	else
		complain_of_ptr(merge, declared, row->keys->ptr);
	return 0;
}

/* Handles the PTR of the state for an item of the file. Its row's keys say all that is served. */
static int take_ptr_row(struct merge *merge, const struct source_resource *row, size_t number)
{
	struct resources *resources = merge->resources;
	struct addresses *next = merge->next;
	const struct source_keys *keys = row->keys;
	struct owned_resource declared;

	if (owned_of_file(&declared, number, merge->model, &resources->shown) != 0)
		return ERR_NOMEM;
	if (declared.ptr_is_declared)
		return compare_ptr(merge, &declared, row);
	next->counts.given++;
	note_revision(next, row);
	declared.item.reverse_fqdn = keys->ptr;
	declared.ttl_served = keys->ttl_given ? keys->ttl : merge->model->reverse.ttl;
	return owned_serve(&declared, merge->draft, &resources->key, merge->model);
}

/* Handles a PTR's row: the PTR's address or service is declared in the file, or missing. */
static int on_ptr_row(void *context, const struct source_resource *row)
{
	struct merge *merge = context;
	struct resources *resources = merge->resources;
	struct name name;
	size_t number;
	int err;

	if (!row->keys->ptr || name_from_text(&name, &resources->key, row->keys->ptr) != 0)
		return resources_complain(resources, row, ERR_INVALID);
	err = addresses_declared_id(resources, row->path, &number);
	if (!err && number > 0)
		err = take_ptr_row(merge, row, number);
	else if (!err)
		merge->next->counts.waiting++;
	resources_forget(resources);
	return err;
}

/* ---- the next table ---- */

static int serve_file(struct merge *merge)
{
	struct resources *resources = merge->resources;
	struct owned_resource resource;
	int err = 0;

	for (size_t number = 1; !err; number++) {
		err = owned_of_file(&resource, number, merge->model, &resources->shown);
		if (!err)
			err = owned_serve(&resource, merge->draft, &resources->key, merge->model);
		resources_forget(resources);
	}
	return err == ERR_NOT_FOUND ? 0 : err;
}

/* Finds the former item in the new file, by its id. False: it is gone, or has another address. */
static bool find_again(struct merge *merge, const struct owned_resource *former,
		       struct owned_resource *now)
{
	size_t number;

	return addresses_declared_id(merge->resources, former->item.id, &number) == 0 &&
	       number > 0 &&
	       owned_of_file(now, number, merge->model, &merge->resources->shown) == 0 &&
	       address_equal(&now->item.address, &former->item.address);
}

/* Takes a former item of the file out of the table, with its PTR of the state. If the state cannot
 * be read, the PTR of an item that the new file has as well stays in the table. */
static int leave(struct merge *merge, const struct owned_resource *former, bool is_read)
{
	const struct address *address = &former->item.address;
	struct owned_resource now = {.ptr_is_declared = false};
	int err = owned_unserve(former, merge->draft, &merge->resources->key);
	bool has_ptr = !former->ptr_is_declared && owned_ptr(merge->before->owned, address);
	bool stays;

	if (err || !has_ptr)
		return err;
	stays = !is_read && find_again(merge, former, &now);
	if (stays && !now.ptr_is_declared)
		return 0;
	merge->next->counts.given--;
	merge->next->counts.waiting += !stays;
	return owned_set_ptr(merge->draft, address, NULL, 0);
}

/* Begins with the table as it is, without the former file's items if there is another file. */
static int begin_with_former(struct merge *merge, bool is_read)
{
	const struct addresses *before = merge->before;
	struct owned_resource former;
	int err = 0;

	merge->next->counts = before->counts;
	merge->draft = owned_edit(before->owned);
	if (!merge->draft)
		return ERR_NOMEM;
	for (size_t number = 1; !err && merge->next->rows != before->rows; number++) {
		err = owned_of_file(&former, number, merge->former, &merge->resources->shown);
		if (!err)
			err = leave(merge, &former, is_read);
		resources_forget(merge->resources);
	}
	return err == ERR_NOT_FOUND ? 0 : err;
}

/* Begins with all rows of the state. */
static int begin_with_state(struct merge *merge, char error[SOURCE_ERROR_MAX])
{
	struct source *source = merge->resources->store.source;
	int err;

	merge->draft = owned_edit(NULL);
	if (!merge->draft)
		return ERR_NOMEM;
	err = pairs_read_changed(source, &merge->next->changed, error);
	return err ? err : source->calls->owned(source, on_owned, merge, error);
}

/* Whether both models give the state's resources the same names, TTLs and pools. */
static bool derive_alike(const struct merge *merge)
{
	const struct reverse_settings *left = &merge->former->reverse;
	const struct reverse_settings *right = &merge->model->reverse;

	return left->ttl == right->ttl && text_equal(left->suffix, right->suffix) &&
	       text_equal(left->service_suffix, right->service_suffix) &&
	       pools_equal(merge->before->pools, merge->next->pools, false);
}

/* Warns of refused, repeated and waiting items: of all when the file was read, otherwise only if
 * their number has grown. */
static void warn(struct merge *merge)
{
	const struct addresses *next = merge->next, *before = merge->before;
	bool same_file = next->rows == before->rows;
	struct origin origin = {.file = merge->resources->store.url};

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

/* The served data may now differ from the state, so the next load must read the whole state. */
static void tell_unread(struct merge *merge, const char *error)
{
	struct store *store = resources_store(merge->resources->of);
	const char *trouble = resources_trouble(merge->resources);
	const char *why = trouble ? trouble : error;

	store->stale = true;
	store_say_unread(store, why);
	fault_add(merge->faults, FAULT_WARNING, &(struct origin){.file = store->url}, NULL,
		  "%s; what the file says is served, and what was known of the state; changes are "
		  "refused until a reload can read it",
		  why);
}

/* Makes the table from the file and the state. Reads all rows of the state only if that is
 * necessary. ERR_SYSTEM: the state cannot be read. */
static int merge_with_state(struct merge *merge, bool is_other, char error[SOURCE_ERROR_MAX])
{
	static const struct source_page ptrs = {.kind = KIND_PTR, .limit = INT64_MAX};
	const struct addresses *before = merge->before;
	struct source *source = merge->resources->store.source;
	bool same_file = merge->next->rows == before->rows;
	bool whole =
		is_other || !derive_alike(merge) || (!same_file && before->counts.repeated > 0);
	int err = 0;

	if (same_file && !whole)
		return begin_with_former(merge, true);
	if (whole)
		err = source->calls->sync(source, error);
	if (!err)
		err = compare(merge, error);
	if (err)
		return err;
	whole = whole || json_object_size(merge->repeated) > 0;
	err = whole ? begin_with_state(merge, error) : begin_with_former(merge, true);
	merge->next->counts.given = merge->next->counts.waiting = 0; /* their rows are read now */
	if (!err)
		err = serve_file(merge);
	if (!err)
		err = source->calls->page(source, &ptrs, on_ptr_row, merge, error);
	return err;
}

/* Merges the state; its faults count only if all of it can be read. ERR_SYSTEM: no state is open,
 * or it cannot be read, which is reported. */
static int try_state(struct merge *merge)
{
	struct addresses *next = merge->next;
	struct store *store = resources_store(merge->resources->of);
	struct source *source = store->source;
	bool is_other = source && (store->stale || !source->calls->is_current(source));
	struct faults *faults = merge->faults, found;
	char error[SOURCE_ERROR_MAX] = "";
	int err;

	if (!source)
		return ERR_SYSTEM;
	faults_init(&found);
	merge->faults = &found;
	err = source->calls->attach(source, next->rows, error);
	if (!err)
		err = merge_with_state(merge, is_other, error);
	if (!err && resources_trouble(merge->resources))
		err = ERR_SYSTEM;
	merge->faults = faults;
	next->read = !err && is_other;
	if (!err) {
		for (size_t i = 0; i < found.count; i++)
			fault_add(faults, found.items[i].severity, &found.items[i].origin, NULL,
				  "%s", found.items[i].text);
	} else if (err != ERR_NOMEM) {
		tell_unread(merge, error);
		err = ERR_SYSTEM;
	}
	faults_release(&found);
	return err;
}

/* Makes the table from the file, and from what was known of the state. */
static int merge_without_state(struct merge *merge)
{
	struct store *store = &merge->resources->store;
	int err;

	owned_discard(merge->draft);
	merge->next->latest = merge->next->changed = 0;
	/* Otherwise each search of the file's rows would try to open the state again. */
	store_init(store, SOURCE_READ);
	err = begin_with_former(merge, false);
	if (!err && merge->next->rows != merge->before->rows)
		err = serve_file(merge);
	store_close(store);
	store_copy(store, resources_store(merge->resources->of), STORE_SAME);
	return err;
}

static int fill(struct merge *merge)
{
	int err = try_state(merge);

	return err == ERR_SYSTEM ? merge_without_state(merge) : err;
}

/* Notes that another program has changed the state, and its rows cannot be served. */
static void say_unserved(struct resources *resources, const struct addresses *made)
{
	struct store *store = &resources->store;

	if (!made->read)
		return;
	store->stale = true;
	snprintf(store->error, sizeof store->error,
		 "the state %s was changed elsewhere, and what it has now could not be served; "
		 "reload the configuration",
		 store->url);
}

/* For etags of lists; addresses_etag adds revisions and counts. */
static uint64_t hash_derived(const struct addresses *made, const struct model *model)
{
	const struct reverse_settings *reverse = &model->reverse;
	uint64_t hash = made->declared_hash;

	hash = etag_add_number(hash, reverse->ttl);
	hash = etag_add_text(hash, reverse->suffix);
	hash = etag_add_text(hash, reverse->service_suffix);
	return etag_add_number(hash, pools_hash(made->pools));
}

int addresses_load(struct resources *next, struct faults *faults)
{
	struct model *model = next->model;
	struct addresses *made = &next->addresses;
	struct merge merge = {.resources = next,
			      .model = model,
			      .former = next->of->model,
			      .next = made,
			      .before = &next->of->addresses,
			      .faults = faults,
			      .repeated = json_object()};
	size_t errors = faults->errors;
	char error[SOURCE_ERROR_MAX];
	int err = ERR_NOMEM;

	*made = (struct addresses){.pools = pools_new(model), .past = merge.before->past};
	made->rows = rows_of(model, next->of, &made->declared_hash, error);
	if (!made->rows)
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", error);
	if (made->pools && made->rows && merge.repeated) {
		made->derived = hash_derived(made, model);
		err = fill(&merge);
	}
	json_decref(merge.repeated);
	if (!err && faults->errors > errors)
		err = ERR_FAULTS;
	if (!err) {
		made->owned = owned_commit(merge.draft);
		warn(&merge);
		return 0;
	}
	owned_discard(merge.draft);
	if (faults->errors == errors)
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(err));
	say_unserved(next->of, made);
	return err;
}

void addresses_adopt(struct resources *next)
{
	struct resources *resources = next->of;
	struct addresses *now = &resources->addresses;
	const struct addresses_past past = now->past;

	addresses_release(now);
	*now = next->addresses;
	next->addresses = (struct addresses){.past = now->past}; /* an open draft has its cursors */
	now->past = past;
	if (!now->read)
		return;
	now->past.changed = now->changed;
	/* Changes by another process are not pending: workers did not get these from this
	 * process. */
	if (now->past.served == now->past.published)
		now->past.served = now->latest;
	now->past.published = now->latest;
	now->read = resources->store.stale = false;
	resources->store.error[0] = '\0';
}
