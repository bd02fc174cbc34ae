/* An edit of an address or service:
 *
 *     values ─► completed ─► read by the field table, like the configuration file ─► checked
 *            beside all other resources ─► row and keys, and the draft of the served table
 *
 * Its PTR is part of its row. If the file declares the address, or declared it and the PTR waits
 * for its return, the PTR is a row of its own. An edit that changes nothing but the PTR is made as
 * an edit of the PTR, wherever that is kept. */
#include "resolver/control/resource/address_edits.h"

#include <string.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/free_address.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/home.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/values.h"
#include "rules/base.h"
#include "rules/check/limits.h"
#include "rules/check/pools.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

/* ---- what an edit changes ---- */

/* Whether the values have another id: they are from an earlier address or service of this name. */
static bool is_another(const struct owned_resource *resource, const json_t *values)
{
	const char *id = json_string_value(json_object_get(values, "id"));

	return resource && id && strcasecmp(resource->item.id, id) != 0;
}

/* ---- names of services ---- */

/* Whether this is the forward name that the service will have. */
static bool is_its_own(const struct address_draft *draft, const char *service, const char *fqdn)
{
	char bare[NAME_TEXT_MAX];
	const struct owned_resource resource = {
		.item.reverse_fqdn = owned_service_name(draft_model(draft), service, bare)};

	return owned_has_ptr(&resource, fqdn);
}

/* Fails unless the service (resource NULL: a new one) is known to own the name without DNS
 * questions, for which a change cannot wait. */
static int check_service_name(struct address_draft *draft, const char *service,
			      const struct owned_resource *resource, const char *fqdn)
{
	struct resources *resources = draft->resources;

	if (!fqdn || !*fqdn || owned_has_ptr(resource, fqdn) || is_its_own(draft, service, fqdn) ||
	    ownership_is_forward(resources, ownership_subscription(resources, resource), fqdn))
		return 0;
	return draft_fail(draft, CHANGE_INVALID, "reverse_fqdn",
			  "the name of a cloud service must belong to its subscription; \"%.260s\" "
			  "is no address's or service's own, and others are not checked in bulk; "
			  "set it on its own: PUT /v1/services/NAME",
			  fqdn);
}

static bool asks_whose(enum addresses_why why)
{
	return why != ADDRESSES_CLAIMED && !addresses_restore(why);
}

/* ---- is an address or service possible beside all others? ---- */

static int check_writable(struct address_draft *draft, const struct owned_resource *resource)
{
	return owned_is_declared(resource) ? draft_fail_declared(draft, &resource->item.origin) : 0;
}

static int check_names(struct address_draft *draft, const struct owned_resource *resource)
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
	return advice ? draft_fail(draft, CHANGE_INVALID, field, "\"%s\" does not fit; %s", text,
				   advice)
		      : 0;
}

/* TAKEN: `holder` already has the value that `wanted` has in that field. */
static int fail_taken(struct address_draft *draft, const struct owned_resource *wanted,
		      const char *field, const struct owned_resource *holder)
{
	const struct owned_item *item = &wanted->item;
	char title[OWNED_TITLE_MAX], address[ADDRESS_TEXT_MAX];
	const char *text = strcmp(field, "id") == 0        ? item->id
			   : strcmp(field, "address") == 0 ? address_print(&item->address, address)
			   : strcmp(field, "name") == 0    ? item->name
							   : wanted->fqdn;

	return draft_fail(draft, CHANGE_TAKEN, field, "%s is taken, by %s; give another", text,
			  owned_title(holder, title));
}

/* Finds conflicts that the store's keys miss: between a service and an address with the same
 * forward name, and with an id that a PTR waits for. */
static int check_clash(struct address_draft *draft, const struct owned_resource *wanted,
		       const struct owned_resource *before)
{
	struct resources *resources = draft->resources;
	const struct reverse_settings *reverse = &resources->model->reverse;
	const char *suffix = owned_is_service(wanted) ? reverse->suffix : reverse->service_suffix;
	const struct owned_resource *holder = NULL;
	struct owned_resource waiting = {.kind = NULL};
	char host[NAME_TEXT_MAX];

	if (wanted->fqdn && addresses_cut_suffix(wanted->fqdn, suffix, host))
		holder = addresses_by_fqdn(resources, wanted->fqdn);
	if (holder && !(before && strcmp(holder->item.id, before->item.id) == 0))
		return fail_taken(draft, wanted, owned_fqdn_field(wanted), holder);
	if (!before && draft->counts.waiting > 0 &&
	    addresses_ptr_row(resources, wanted->item.id, &waiting) == 0)
		return draft_fail(draft, CHANGE_TAKEN, "id",
				  "%s is the id of an address that the file had, and whose PTR "
				  "\"%s\" waits for its return; give another",
				  wanted->item.id, waiting.item.reverse_fqdn);
	return draft_check_trouble(draft);
}

/* Checks names, the pool, and conflicts with present resources; the resource must be complete. */
static int check_resource(struct address_draft *draft, struct owned_resource *resource,
			  const struct owned_resource *before, char fqdn[NAME_TEXT_MAX])
{
	char refusal[POOLS_TEXT_MAX];
	int err = check_names(draft, resource);

	if (err)
		return err;
	if (owned_derive_fqdn(resource, draft->resources->model, fqdn) != 0 && !draft->restores)
		return draft_fail(draft, CHANGE_INVALID, owned_fqdn_field(resource),
				  "the name it would have is no domain name: \"%s\"; use a "
				  "shorter one",
				  fqdn);
	if (!draft->restores && addresses_refusal(draft->resources, resource, refusal))
		return draft_fail(draft, CHANGE_INVALID, "address", "%s", refusal);
	return check_clash(draft, resource, before);
}

/* ---- rows ---- */

static const struct owned_resource nobody; /* has no PTR */

/* Notes that this draft sets, replaces or deletes the PTR. */
static void note_action(const struct address_draft *draft, const struct owned_resource *before,
			struct owned_resource *now)
{
	now->ptr_is_declared = false;
	now->ptr_revision = draft->revision;
	now->action = !now->item.reverse_fqdn     ? PTR_ACTION_DELETE
		      : before->item.reverse_fqdn ? PTR_ACTION_UPDATE
						  : PTR_ACTION_CREATE;
}

/* A PTR that stays the same keeps its revision, unless its address changes or it was not served.
 * `before` NULL: the resource is new. */
static void note_ptr(const struct address_draft *draft, const struct owned_resource *before,
		     struct owned_resource *now)
{
	const struct owned_resource *was = before ? before : &nobody;
	bool moves = before && now->item.reverse_fqdn &&
		     (was->status == PTR_ERROR ||
		      !address_equal(&now->item.address, &was->item.address));

	if (!owned_is_same_ptr(&was->item, &now->item) || moves) {
		note_action(draft, was, now);
		return;
	}
	now->ptr_is_declared = was->ptr_is_declared;
	now->ptr_revision = was->ptr_revision;
	now->action = was->action;
}

/* Names the resource, of the file or the state, whose key made the store refuse the row. */
static int name_holder(struct address_draft *draft, const struct owned_resource *wanted,
		       const struct owned_resource *before)
{
	struct resources *resources = draft->resources;
	const char *group = wanted->item.resource_group;
	const struct path path = {
		wanted->kind, group ? group : GROUP_NONE, {wanted->item.name, NULL}};
	const struct {
		const char *field;
		const struct owned_resource *found;
	} looked[] = {
		{"id", addresses_by_id(resources, wanted->item.id)},
		{"name", addresses_find(resources, &path)},
		{"address", addresses_by_address(resources, &wanted->item.address)},
		{owned_fqdn_field(wanted), addresses_by_fqdn(resources, wanted->fqdn)},
	};

	for (size_t i = 0; i < COUNT(looked); i++) {
		const struct owned_resource *found = looked[i].found;

		if (found && !(before && strcmp(found->item.id, before->item.id) == 0))
			return fail_taken(draft, wanted, looked[i].field, found);
	}
	return draft_fail_store(draft, "another record has the id, address or label");
}

/* Writes the row and updates the served table. `before` NULL: it is new. */
static int put_resource(struct address_draft *draft, const struct owned_resource *before,
			const struct owned_resource *now)
{
	char path[PATH_MAX_BYTES];
	struct owned_scratch scratch;
	struct source_keys keys = owned_keys(now, &scratch);
	int err;

	if (owned_key(now, path) != 0)
		return draft_fail(draft, CHANGE_INVALID, "name", "is too long; give a shorter one");
	err = draft_put_row(draft, now->kind->id, path, owned_row_json(now), &keys);
	if (err == ERR_EXISTS)
		return name_holder(draft, now, before);
	return err ? err : draft_serve(draft, before, now);
}

/* Puts the complete resource in place of `before` (NULL: it is new), unless it conflicts with
 * others. */
static int put_checked(struct address_draft *draft, const struct owned_resource *before,
		       struct owned_resource *wanted)
{
	char fqdn[NAME_TEXT_MAX];
	int err = check_resource(draft, wanted, before, fqdn);

	if (!err && !before && wanted->item.resource_group)
		/* The group's row comes first: an undo goes backwards, and removes the address
		 * before the group. */
		err = group_ensure(draft, wanted->item.resource_group, wanted->item.region);
	if (err)
		return err;
	note_ptr(draft, before, wanted);
	return put_resource(draft, before, wanted);
}

/* Removes the address or service with its PTR. */
static int remove_resource(struct address_draft *draft, const struct owned_resource *before)
{
	char path[PATH_MAX_BYTES];
	int err = check_writable(draft, before);

	if (!err)
		err = owned_key(before, path);
	if (!err)
		err = draft_delete_row(draft, before->kind->id, path);
	return err ? err : draft_serve(draft, before, NULL);
}

/* ---- PTRs ---- */

/* Copies the resource with this PTR, whose form was checked; reverse_fqdn NULL or "": without a
 * PTR. The copy uses `fqdn` and the texts of `ptr`. */
static struct owned_resource with_ptr(const struct model *model,
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

	owned_take_ptr(&now, &wanted, model);
	return now;
}

bool addresses_points(const struct resources *resources, const struct owned_resource *resource,
		      const struct owned_item *ptr)
{
	char fqdn[NAME_TEXT_MAX];
	const struct owned_resource now = with_ptr(resources_model(resources), resource, ptr, fqdn);

	return owned_is_same_ptr(&resource->item, &now.item);
}

static int check_ptr_name(struct address_draft *draft, const char *fqdn)
{
	const char *advice = reverse_fqdn_refusal(fqdn);

	return advice ? draft_fail(draft, CHANGE_INVALID, "reverse_fqdn",
				   "\"%s\" is not a host's name; %s", fqdn, advice)
		      : 0;
}

static int check_ptr_writable(struct address_draft *draft, const struct owned_resource *resource)
{
	return resource->ptr_is_declared ? draft_fail_declared(draft, &resource->item.origin) : 0;
}

/* Writes the row of a PTR that is a resource of its own. */
static int put_ptr_row(struct address_draft *draft, const struct owned_resource *resource)
{
	const struct source_keys keys = owned_ptr_keys(resource);

	return draft_put_row(draft, KIND_PTR, resource->item.id, owned_ptr_row_json(resource),
			     &keys);
}

/* Replaces the resource's PTR; a `ptr` without a name removes it. */
static int replace_ptr(struct address_draft *draft, const struct owned_resource *before,
		       const struct owned_item *ptr)
{
	char fqdn[NAME_TEXT_MAX];
	struct owned_resource now = with_ptr(draft_model(draft), before, ptr, fqdn);
	int err;

	note_action(draft, before, &now);
	if (!owned_is_declared(before))
		return put_resource(draft, before, &now);
	err = now.item.reverse_fqdn ? put_ptr_row(draft, &now)
				    : draft_delete_row(draft, KIND_PTR, now.item.id);
	return err ? err : draft_serve(draft, before, &now);
}

/* Replaces the resource's whole PTR by these members, or removes it if they have no name. */
static int point(struct address_draft *draft, const struct owned_resource *resource,
		 const struct owned_item *ptr, enum addresses_why why)
{
	int err = check_ptr_writable(draft, resource);

	if (!err && owned_is_service(resource) && asks_whose(why))
		err = check_service_name(draft, resource->item.name, resource, ptr->reverse_fqdn);
	if (!err && ptr->reverse_fqdn)
		err = check_ptr_name(draft, ptr->reverse_fqdn);
	if (err)
		return err;
	if (addresses_restore(why) && addresses_points(draft->resources, resource, ptr))
		return 0;
	if (ptr->reverse_fqdn || resource->item.reverse_fqdn)
		return replace_ptr(draft, resource, ptr);
	if (!ptr->ptr_description && ptr->ttl == NOT_GIVEN)
		return 0;
	return draft_fail(draft, CHANGE_INVALID, ptr->ptr_description ? "description" : "ttl",
			  "belongs to the PTR, and there is none; give reverse_fqdn as well");
}

/* Removes the waiting PTR of this id, if there is one. */
static int forget_waiting(struct address_draft *draft, const char *id)
{
	struct owned_resource waiting;

	if (addresses_ptr_row(draft->resources, id, &waiting) != 0)
		return 0;
	draft->counts.waiting--;
	return draft_delete_row(draft, KIND_PTR, id);
}

/* Puts a PTR that waits for the missing address or service of this id. */
static int put_waiting(struct address_draft *draft, const char *id, const struct owned_item *ptr)
{
	char lower[UUID_TEXT_MAX], fqdn[NAME_TEXT_MAX];
	struct owned_resource waiting, before = nobody;
	bool was_there;
	int err;

	if (!text_is_uuid(id))
		return draft_fail(draft, CHANGE_INVALID, "owner",
				  "\"%.64s\" does not fit; give a UUID", id);
	snprintf(lower, sizeof lower, "%s", id);
	text_lower(lower);
	err = check_ptr_name(draft, ptr->reverse_fqdn);
	if (err)
		return err;
	was_there = addresses_ptr_row(draft->resources, lower, &before) == 0;
	waiting = with_ptr(draft_model(draft), &nobody, ptr, fqdn);
	if (was_there && owned_is_same_ptr(&before.item, &waiting.item))
		return 0;
	note_action(draft, &nobody, &waiting);
	waiting.item.id = lower;
	draft->counts.waiting += !was_there;
	return put_ptr_row(draft, &waiting);
}

static int put_ptr_of(struct address_draft *draft, const struct path *path,
		      const struct owned_resource *resource, const json_t *values,
		      enum addresses_why why)
{
	struct owned_item ptr;
	struct arena arena;
	int err;

	if (!resource && !addresses_restore(why))
		return draft_fail(draft, CHANGE_NOT_FOUND, NULL,
				  "\"%.80s\" is not an address or id that we own; add the address "
				  "first",
				  path->names[0]);
	arena_init(&arena);
	err = draft_read(draft, path->kind, values, &ptr, &arena);
	if (!err && resource)
		err = point(draft, resource, &ptr, why);
	else if (!err)
		err = ptr.reverse_fqdn ? put_waiting(draft, path->names[0], &ptr)
				       : forget_waiting(draft, path->names[0]);
	arena_release(&arena);
	return err;
}

/* ---- an address or service from its values ---- */

struct address_reading {
	struct address_draft *draft;
	const struct path *path;
	const struct owned_resource *before; /* the present resource; NULL: it is new */
	bool is_of_history;                  /* values from the history; an undo's come in a body */
	json_t *values;                      /* completed step by step */
	const char *subscription;            /* of the result; NULL: none */
	uint8_t family;                      /* of the address to be chosen */
	struct arena arena;
};

static bool is_service(const struct address_reading *reading)
{
	return reading->path->kind->id == KIND_SERVICE;
}

static const char *ptr_description_key(const struct address_reading *reading)
{
	return is_service(reading) ? "ptr_description" : "description";
}

/* A body may repeat members that the path has or that cannot change, but not contradict them. */
static int check_repeated(struct address_reading *reading, const char *key, const char *expected)
{
	const json_t *value = json_object_get(reading->values, key);
	const char *text = json_is_null(value) ? "" : json_string_value(value);

	if (value && !text)
		return draft_fail(reading->draft, CHANGE_INVALID, key, "must be a string or null");
	if (!value || strcasecmp(text, expected ? expected : "") == 0)
		return 0;
	return draft_fail(reading->draft, CHANGE_INVALID, key, "it is %s%s%s, and cannot change",
			  expected ? "\"" : "", expected ? expected : "none", expected ? "\"" : "");
}

/* Keeps the spelling of the present resource; a new one is spelled as in the values, else as in the
 * path. */
static void put_spelled(struct address_reading *reading, const char *key, const char *stored,
			const char *in_path)
{
	const char *given = json_string_value(json_object_get(reading->values, key));

	if (reading->before)
		json_put(reading->values, key, json_text(stored));
	else if (!given || !*given)
		json_put(reading->values, key, json_text(in_path));
}

/* A restored row keeps its own subscription, or none, whatever the configuration has now. Any other
 * new resource gets the configuration's. So does one in an undo: its values come from a client, and
 * no client may choose a subscription. */
static int take_subscription(struct address_reading *reading)
{
	const struct owned_resource *before = reading->before;
	struct address_draft *draft = reading->draft;
	const char *own = json_string_value(json_object_get(reading->values, "subscription"));

	reading->subscription = before ? before->subscription : draft_model(draft)->subscription;
	if (draft->restores) {
		reading->subscription = own ? arena_strdup(&reading->arena, own) : NULL;
		return own && !reading->subscription ? draft_fail_memory(draft) : 0;
	}
	if (is_service(reading) && reading->is_of_history)
		return 0;
	return check_repeated(reading, "subscription", reading->subscription);
}

static int check_repeated_all(struct address_reading *reading)
{
	const struct owned_resource *before = reading->before;
	const struct path *path = reading->path;
	const char *group = strcmp(path->group, GROUP_NONE) == 0 ? NULL : path->group;

	if (check_repeated(reading, "name", path->names[0]) != 0 ||
	    (before && check_repeated(reading, "id", before->item.id) != 0) ||
	    (!is_service(reading) && check_repeated(reading, "resource_group", group) != 0) ||
	    take_subscription(reading) != 0)
		return ERR_INVALID;
	put_spelled(reading, "name", before ? before->item.name : NULL, path->names[0]);
	if (!is_service(reading))
		put_spelled(reading, "resource_group", before ? before->item.resource_group : NULL,
			    group);
	return 0;
}

/* Keeps the present value of a member that the body leaves out. */
static void keep(struct address_reading *reading, const char *key, const char *text)
{
	if (!json_object_get(reading->values, key))
		json_put(reading->values, key, json_text(text));
}

/* GET /v1/export shows an address of the file without its PTR of the state. So a body without
 * reverse_fqdn keeps the PTR; null removes it. */
static void keep_ptr(struct address_reading *reading)
{
	const char *const keys[] = {"reverse_fqdn", ptr_description_key(reading), "ttl"};
	json_t *present, *value;

	if (json_object_get(reading->values, "reverse_fqdn"))
		return;
	present = owned_values(reading->before);
	for (size_t i = 0; i < COUNT(keys); i++) {
		value = json_object_get(present, keys[i]);
		if (value && !json_object_get(reading->values, keys[i]))
			json_put(reading->values, keys[i], json_incref(value));
	}
	json_decref(present);
}

static void keep_all(struct address_reading *reading)
{
	const struct owned_resource *before = reading->before;
	char address[ADDRESS_TEXT_MAX];

	if (!before)
		return;
	keep(reading, "address", address_print(&before->item.address, address));
	if (owned_is_declared(before))
		keep_ptr(reading);
	if (is_service(reading))
		return;
	keep(reading, "region", before->item.region);
	keep(reading, "allocation", schema_allocation_names[before->item.allocation]);
}

/* An id never changes; a new address or service without one gets a random id. */
static void give_id(struct address_reading *reading)
{
	const json_t *given = json_object_get(reading->values, "id");
	char id[UUID_TEXT_MAX];

	if (reading->before)
		json_put(reading->values, "id", json_text(reading->before->item.id));
	else if (!given || json_is_null(given))
		json_put(reading->values, "id", json_text(uuid_random(id)));
}

/* "family" is no member: it only says whether an IPv4 or IPv6 address is chosen. */
static int take_family(struct address_reading *reading)
{
	const json_t *value = json_object_get(reading->values, "family");
	const char *text = json_string_value(value);
	bool is_good = text && (strcmp(text, "4") == 0 || strcmp(text, "6") == 0);

	if (value && !json_is_null(value) && !is_good)
		return draft_fail(reading->draft, CHANGE_INVALID, "family",
				  "does not fit; give the string \"4\" or \"6\"");
	reading->family = reading->before ? reading->before->item.address.family : 4;
	if (is_good)
		reading->family = *text == '6' ? 6 : 4;
	json_object_del(reading->values, "family");
	return 0;
}

static int complete(struct address_reading *reading)
{
	int err = check_repeated_all(reading);

	if (!err)
		err = take_family(reading);
	if (err)
		return err;
	json_object_del(reading->values, "subscription");
	keep_all(reading);
	give_id(reading);
	reading->values = json_whole(reading->values);
	return reading->values ? 0 : draft_fail_memory(reading->draft);
}

/* Checks the form of the PTR's name. Without a name, a description or TTL is refused, unless there
 * was a PTR, whose description and TTL are removed with it. */
static int check_ptr(const struct address_reading *reading, const struct owned_item *item)
{
	const struct owned_resource *before = reading->before;
	bool is_alone = item->ptr_description || item->ttl != NOT_GIVEN;

	if (item->reverse_fqdn)
		return check_ptr_name(reading->draft, item->reverse_fqdn);
	if (!is_alone || (before && before->item.reverse_fqdn))
		return 0;
	return draft_fail(reading->draft, CHANGE_INVALID,
			  item->ptr_description ? ptr_description_key(reading) : "ttl",
			  "belongs to the PTR, and there is none; give reverse_fqdn as well");
}

/* Completes the values and reads them into the resource. */
static int read_resource(struct address_reading *reading, struct owned_resource *resource)
{
	const struct owned_resource *before = reading->before;
	const struct kind *kind = reading->path->kind;
	struct owned_item item;
	int err = complete(reading);

	if (!err)
		err = draft_read(reading->draft, kind, reading->values, &item, &reading->arena);
	if (!err)
		err = check_ptr(reading, &item);
	if (err)
		return err;
	err = owned_declared(resource, kind->id, &item, draft_model(reading->draft),
			     &reading->arena);
	if (err)
		return draft_fail_memory(reading->draft);
	resource->ptr_is_declared = false;
	resource->subscription = reading->subscription;
	if (before && !before->item.region && !item.region)
		resource->item.region = NULL; /* the configuration may have got one since */
	return 0;
}

static bool is_same_but_ptr(struct address_draft *draft, const struct owned_resource *a,
			    const struct owned_resource *b)
{
	json_t *left = owned_values_alone(a), *right = owned_values_alone(b);
	bool same = json_equal(left, right) && text_equal(a->subscription, b->subscription);

	if (!left || !right)
		(void)!draft_fail_memory(draft);
	json_decref(left);
	json_decref(right);
	return same;
}

/* Puts the resource that was read. If it differs from the present one only in its PTR, that alone
 * is edited: it may have a row of its own, and the checks of the address do not apply. */
static int put_read(struct address_reading *reading, struct owned_resource *wanted,
		    enum addresses_why why)
{
	const struct owned_resource *before = reading->before;
	struct address_draft *draft = reading->draft;
	int err = 0;

	if (before && is_same_but_ptr(draft, before, wanted))
		return owned_is_same_ptr(&before->item, &wanted->item)
			       ? 0
			       : point(draft, before, &wanted->item, why);
	if (before)
		err = check_writable(draft, before);
	if (!err && is_service(reading) && asks_whose(why))
		err = check_service_name(draft, wanted->item.name, before,
					 wanted->item.reverse_fqdn);
	if (!err && !wanted->item.address.family)
		err = free_address_find(draft, wanted->item.region, reading->family,
					&wanted->item.address);
	return err ? err : put_checked(draft, before, wanted);
}

static int put_address(struct address_draft *draft, const struct path *path,
		       const struct owned_resource *before, const json_t *values,
		       enum addresses_why why)
{
	struct address_reading reading = {.draft = draft,
					  .path = path,
					  .before = before,
					  .is_of_history =
						  why == ADDRESSES_UNDO || addresses_restore(why),
					  .values = json_copy((json_t *)(uintptr_t)values)};
	struct owned_resource resource;
	int err;

	if (!reading.values)
		return draft_fail_memory(draft);
	arena_init(&reading.arena);
	err = read_resource(&reading, &resource);
	if (!err)
		err = put_read(&reading, &resource, why);
	arena_release(&reading.arena);
	json_decref(reading.values);
	return err;
}

/* ---- a new address for its PTR ---- */

static const struct address_pool *pool_of(const struct model *model, const struct address *address)
{
	for (size_t i = 0; i < model->address_pools.count; i++)
		if (prefix_contains(&model->address_pools.items[i].prefix, address))
			return &model->address_pools.items[i];
	return NULL;
}

/* Makes a valid resource name from an address: '-' for each colon, but none at either end. NULL
 * without memory. */
static const char *name_of(const struct address *address, struct arena *arena)
{
	char text[ADDRESS_TEXT_MAX + 1];
	size_t length;

	address_print(address, text);
	for (char *at = text; *at != '\0'; at++)
		if (*at == ':')
			*at = '-';
	length = strlen(text);
	return arena_printf(arena, "%s%s%s", *text == '-' ? "0" : "", text,
			    text[length - 1] == '-' ? "0" : "");
}

int addresses_make(struct resources *resources, const struct model *model, const char *text,
		   struct path *path, json_t *values, struct arena *arena,
		   char why[ADDRESSES_WHY_MAX])
{
	const struct address_pool *pool = NULL;
	char printed[ADDRESS_TEXT_MAX];
	struct address address;

	if (address_parse(&address, text) != 0) {
		snprintf(why, ADDRESSES_WHY_MAX,
			 "\"%.64s\" is no address; give one such as 192.0.2.1 or 2001:db8::1",
			 text);
		return ERR_NOT_FOUND;
	}
	pool = pool_of(model, &address);
	if (!pool) {
		snprintf(why, ADDRESSES_WHY_MAX,
			 "\"%.64s\" is in none of our address pools, so it is not made; check the "
			 "address, or make an address pool that has it",
			 text);
		return ERR_NOT_FOUND;
	}
	*path = (struct path){
		kind_of_id(KIND_ADDRESS), GROUP_NONE, {name_of(&address, arena), NULL}};
	if (!path->names[0]) {
		snprintf(why, ADDRESSES_WHY_MAX, "%s", err_text(ERR_NOMEM));
		return ERR_NOMEM;
	}
	if (addresses_find(resources, path)) {
		snprintf(why, ADDRESSES_WHY_MAX,
			 "an address that is called \"%s\" is there, and is another one; add this "
			 "one by a name of its own",
			 path->names[0]);
		return ERR_EXISTS;
	}
	json_put(values, "address", json_text(address_print(&address, printed)));
	if (pool->region)
		json_put(values, "region", json_text(pool->region));
	return 0;
}

/* ---- the entry points ---- */

/* Whether an import may change this resource: it is of the state, and the document's own. */
static bool may_replace(const struct owned_resource *resource, const json_t *values)
{
	return !owned_is_declared(resource) && json_object_get(values, "id") &&
	       !is_another(resource, values);
}

static const struct owned_item no_ptr = {.ttl = NOT_GIVEN};

static int remove_one(struct address_draft *draft, const struct path *path,
		      const struct owned_resource *resource, enum addresses_why why)
{
	if (path->kind->id == KIND_GROUP)
		return group_remove(draft, path, why);
	if (path->kind->id == KIND_PTR && resource)
		return point(draft, resource, &no_ptr, why);
	if (path->kind->id == KIND_PTR)
		return addresses_restore(why) ? forget_waiting(draft, path->names[0]) : 0;
	return resource ? remove_resource(draft, resource) : 0;
}

int addresses_put(struct address_draft *draft, const struct resource_edit *edit,
		  enum addresses_why why)
{
	const struct path *path = &edit->path;
	const json_t *values = edit->values;
	const struct owned_resource wanted = {.item.name = path->names[0]}, *resource;
	int err = draft_is_open(draft);

	if (err)
		return err;
	resource = edit->found ? edit->found : addresses_find(draft->resources, path);
	if (!values) {
		err = remove_one(draft, path, resource, why);
	} else if (path->kind->id == KIND_GROUP) {
		err = group_put(draft, path, values, why);
	} else if (path->kind->id == KIND_PTR) {
		err = put_ptr_of(draft, path, resource, values, why);
	} else if (why == ADDRESSES_IMPORT && resource && !may_replace(resource, values)) {
		err = fail_taken(draft, &wanted, "name", resource);
	} else {
		if (why == ADDRESSES_BACK && is_another(resource, values)) {
			err = remove_resource(draft, resource);
			resource = NULL;
		}
		if (!err)
			err = put_address(draft, path, resource, values, why);
	}
	return err ? err : draft_is_open(draft); /* "not found" may really be a failed read */
}

/* ---- the home ---- */

static void *edit_addresses(const struct home_change *change)
{
	return addresses_edit(change->resources, change->source, change->revision,
			      change->restores);
}

static int put(void *draft, const struct resource_edit *edit, const struct home_change *change)
{
	int err = addresses_put(draft, edit, change->why);

	if (!err)
		return 0;
	draft_take_error(draft, change->error);
	if (change->error->outcome == CHANGE_FINE) /* the call that failed has not said why */
		return change_say(change->error, CHANGE_STORE, NULL, "%s", err_text(err));
	return ERR_INVALID;
}

static int commit(void *draft, const struct home_change *change)
{
	(void)change;
	addresses_commit(draft);
	addresses_discard(draft);
	return 0;
}

static void discard(void *draft)
{
	addresses_discard(draft);
}

const struct home addresses_home = {
	.number = HOME_ADDRESSES,
	.beside = true,
	.edit = edit_addresses,
	.put = put,
	.commit = commit,
	.discard = discard,
};
