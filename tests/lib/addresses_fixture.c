#include "tests/lib/addresses_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/resource/group.h"
#include "resolver/control/resource/state_json.h"
#include "resolver/log.h"
#include "tests/lib/addresses.h"

static const struct hash_key key = {1, 2};

static const struct owned *served(const struct addresses_fixture *fixture)
{
	return fixture->resources->addresses.owned;
}

bool addresses_fixture_has_moved(struct addresses_fixture *fixture)
{
	bool moved = fixture->seen != served(fixture);

	owned_unref(fixture->seen);
	fixture->seen = addresses_table(fixture->resources);
	return moved;
}

int addresses_fixture_load(struct addresses_fixture *fixture, const char *text)
{
	struct model *model = text ? config_text_load(&fixture->config, text)
				   : config_text_read(&fixture->config, NULL);
	struct resources *next;

	if (!model)
		return ERR_FAULTS;
	next = resources_prepare(fixture->resources, model, &fixture->config.faults);
	if (!next) {
		model_free(model);
		return ERR_FAULTS;
	}
	resources_adopt(next);
	(void)addresses_fixture_has_moved(fixture);
	resources_prepared_free(next);
	model_free(fixture->model);
	fixture->model = model;
	return 0;
}

static void start(struct addresses_fixture *fixture, const char *text)
{
	fixture->resources = resources_new(&key);
	assert_non_null(fixture->resources);
	if (addresses_fixture_load(fixture, text) == 0)
		return;
	faults_print(&fixture->config.faults, stderr);
	fail();
}

void addresses_fixture_stop(struct addresses_fixture *fixture)
{
	resources_free(fixture->resources);
	model_free(fixture->model);
	owned_unref(fixture->seen);
	fixture->resources = NULL;
	fixture->model = NULL;
	fixture->seen = NULL;
}

void addresses_fixture_init(struct addresses_fixture *fixture, const char *text)
{
	memset(fixture, 0, sizeof *fixture);
	config_text_init(&fixture->config);
	snprintf(fixture->state, sizeof fixture->state, "%s/state.db", fixture->config.directory);
	start(fixture, text);
}

void addresses_fixture_release(struct addresses_fixture *fixture)
{
	addresses_fixture_stop(fixture);
	config_text_release(&fixture->config);
}

void addresses_fixture_start(struct addresses_fixture *fixture)
{
	start(fixture, NULL);
}

void addresses_fixture_restart(struct addresses_fixture *fixture)
{
	addresses_fixture_stop(fixture);
	addresses_fixture_start(fixture);
}

bool addresses_fixture_serves(const struct addresses_fixture *fixture, const char *address,
			      const char *target, uint32_t ttl)
{
	const struct address parsed = address_of(address);
	const struct rrset *ptr = owned_ptr(served(fixture), &parsed);
	struct name name;
	size_t length;

	if (!ptr || !target)
		return !ptr && !target;
	assert_int_equal(name_from_text(&name, &key, target), 0);
	const uint8_t *rdata = rrset_rdata(ptr, &length);
	return ptr->ttl == ttl && length == name.length && name_wire_equal(rdata, name.wire);
}

bool addresses_fixture_resolves(const struct addresses_fixture *fixture, const char *name,
				const char *address)
{
	struct name parsed;
	size_t length;

	assert_int_equal(name_from_text(&parsed, &key, name), 0);
	const struct rrset *host = owned_host(served(fixture), &parsed);
	if (!host || !address)
		return !host && !address;
	const struct address wanted = address_of(address);
	const uint8_t *rdata = rrset_rdata(host, &length);
	return length == (wanted.family == 4 ? 4 : 16) && memcmp(rdata, wanted.bytes, length) == 0;
}

/* ---- changes ---- */

struct address_draft *edit_begin(struct resources *resources, const char *who)
{
	struct change_error refused;
	struct source *source = change_source(resources_store(resources), &refused);
	char error[SOURCE_ERROR_MAX] = "";
	uint64_t revision = 0;
	int err = source ? source->calls->begin(source, who, &revision, error) : 0;
	struct address_draft *draft = addresses_edit(resources, source, revision, false);

	if (draft && !source)
		(void)!draft_fail(draft, refused.outcome, refused.field, "%s", refused.text);
	else if (draft && err)
		(void)!draft_fail_store(draft, error);
	return draft;
}

int edit_store(struct address_draft *draft)
{
	struct source *source = resources_store(draft->resources)->source;
	char error[SOURCE_ERROR_MAX] = "";

	if (draft_error(draft)->outcome != CHANGE_FINE)
		return ERR_INVALID;
	if (resources_trouble(draft->resources)) /* as in service/change.c */
		return draft_is_open(draft);
	if (source && source->calls->commit(source, error) != COMMIT_YES)
		return draft_fail_store(draft, error);
	return 0;
}

int edit_commit(struct address_draft *draft)
{
	if (edit_store(draft) != 0)
		return ERR_INVALID;
	addresses_commit(draft);
	return 0;
}

/* Notes the store's error, or that it works, as service/change.c does. */
void edit_free(struct address_draft *draft)
{
	if (draft && draft->source)
		draft->source->calls->roll_back(draft->source);
	if (draft && !draft->resources->of && draft->error.outcome == CHANGE_STORE)
		store_note_error(resources_store(draft->resources), draft->error.text, false);
	else if (draft && !draft->resources->of && draft->over)
		store_note_error(resources_store(draft->resources), NULL, false);
	addresses_discard(draft);
}

/* ---- changes that succeed ---- */

static void commit(struct address_draft *draft, int err)
{
	if (!err)
		err = edit_commit(draft);
	if (err)
		fprintf(stderr, "%s: %s\n", draft_error(draft)->field, draft_error(draft)->text);
	assert_int_equal(err, 0);
	edit_free(draft);
}

static void put_value(json_t *values, const struct edit_value *value)
{
	json_t *tags = value->text && strcmp(value->key, "tags") == 0
			       ? json_loads(value->text, 0, NULL)
			       : NULL;

	if (tags)
		json_object_set_new(values, value->key, tags);
	else
		json_object_set_new(values, value->key,
				    value->text ? json_string(value->text) : json_null());
}

/* Takes over the values. */
static int put_values(struct address_draft *draft, const struct path *path, json_t *values,
		      bool is_new, const struct owned_resource **resource)
{
	int err = addresses_put(draft, &(struct resource_edit){.path = *path, .values = values},
				is_new ? ADDRESSES_IMPORT : ADDRESSES_CLAIMED);

	if (!err && resource)
		*resource = addresses_find(draft->resources, path);
	json_decref(values);
	return err;
}

int edit_add(struct address_draft *draft, unsigned kind, const struct edit_value *values,
	     size_t count, const struct owned_resource **resource)
{
	struct path path = {.kind = kind_of_id(kind), .group = GROUP_NONE};
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		put_value(object, &values[i]);
		if (strcmp(values[i].key, "name") == 0)
			path.names[0] = values[i].text;
		else if (strcmp(values[i].key, "resource_group") == 0 && values[i].text)
			path.group = values[i].text;
	}
	return put_values(draft, &path, object, true, resource);
}

static struct path path_of(const struct owned_resource *resource)
{
	return (struct path){.kind = resource->kind,
			     .group = resource->item.resource_group ? resource->item.resource_group
								    : GROUP_NONE,
			     .names = {resource->item.name, NULL}};
}

int edit_set(struct address_draft *draft, const struct owned_resource *resource,
	     const struct edit_value *values, size_t count, const struct owned_resource **now)
{
	const struct path path = path_of(resource);
	json_t *object = owned_values(resource);

	for (size_t i = 0; i < count; i++)
		put_value(object, &values[i]);
	return put_values(draft, &path, object, false, now);
}

static json_t *ptr_values(const struct owned_item *ptr)
{
	json_t *values = json_object();

	json_object_set_new(values, "reverse_fqdn",
			    ptr->reverse_fqdn ? json_string(ptr->reverse_fqdn) : json_null());
	if (ptr->ptr_description)
		json_object_set_new(values, "description", json_string(ptr->ptr_description));
	if (ptr->ttl != NOT_GIVEN)
		json_object_set_new(values, "ttl", json_integer(ptr->ttl));
	return values;
}

/* ptr NULL: removes it. */
static int put_ptr(struct address_draft *draft, const char *id, const struct owned_item *ptr,
		   enum addresses_why why)
{
	const struct path path = {kind_of_id(KIND_PTR), GROUP_NONE, {id, NULL}};
	json_t *values = ptr ? ptr_values(ptr) : NULL;
	int err =
		addresses_put(draft, &(struct resource_edit){.path = path, .values = values}, why);

	json_decref(values);
	return err;
}

int edit_point(struct address_draft *draft, const struct owned_resource *resource,
	       const struct owned_item *ptr)
{
	return put_ptr(draft, resource ? resource->item.id : "nobody", ptr, ADDRESSES_CLAIMED);
}

int edit_unpoint(struct address_draft *draft, const struct owned_resource *resource)
{
	return put_ptr(draft, resource->item.id, NULL, ADDRESSES_CLAIMED);
}

int edit_wait(struct address_draft *draft, const char *id, const struct owned_item *ptr)
{
	return put_ptr(draft, id, ptr, ADDRESSES_BACK);
}

int edit_remove(struct address_draft *draft, const struct owned_resource *resource)
{
	const struct path path = path_of(resource);

	return addresses_put(draft, &(struct resource_edit){.path = path}, ADDRESSES_ANY);
}

int edit_group(struct address_draft *draft, const struct resource_group *group)
{
	const struct path path = {kind_of_id(KIND_GROUP), GROUP_NONE, {group->name, NULL}};
	json_t *values = group_values(group);
	int err = addresses_put(draft, &(struct resource_edit){.path = path, .values = values},
				ADDRESSES_ANY);

	json_decref(values);
	return err;
}

/* Puts a page's edits; *at is how many were tried. If the draft is of a copy, frees the results of
 * their lookups afterwards, as a change of many edits does. */
static int put_page(struct address_draft *draft, const struct edit_page *page,
		    enum addresses_why why, size_t *at)
{
	int err = 0;

	for (*at = 0; !err && *at < page->count; ++*at)
		err = addresses_put(draft, &page->edits[*at], why);
	if (draft->resources->of)
		resources_forget(draft->resources);
	return err;
}

int edit_remove_group(struct address_draft *draft, const char *name, const char *subscription)
{
	struct group_removal removal;
	struct change_error error;
	struct edit_page page;
	int err = draft_is_open(draft);
	size_t at;

	group_removal_init(&removal, name, subscription);
	do {
		page = (struct edit_page){.count = 0};
		if (!err && group_removal_next(&removal, draft->resources, &page, &error) != 0)
			err = draft_fail(draft, error.outcome, error.field, "%s", error.text);
		if (!err)
			err = put_page(draft, &page, ADDRESSES_BACK, &at);
	} while (!err && page.more);
	group_removal_release(&removal);
	return err ? err : draft_is_open(draft);
}

int edit_import(struct address_draft *draft, const json_t *document)
{
	struct state_import *import = state_import_new(json_incref((json_t *)(uintptr_t)document));
	struct change_error error;
	struct edit_page page;
	int err = draft_is_open(draft);
	size_t at;

	assert_non_null(import);
	do {
		page = (struct edit_page){.count = 0};
		at = 0;
		if (!err && state_import_next(import, draft->resources, &page, &error) != 0)
			err = draft_fail(draft, error.outcome, error.field, "%s", error.text);
		else if (!err)
			err = put_page(draft, &page, ADDRESSES_IMPORT, &at);
		if (err && at > 0 && change_error_is_of_edit(draft_error(draft))) {
			draft_take_error(draft, &error);
			state_import_place(import, at - 1, &error);
			draft_fail(draft, error.outcome, error.field, "%s", error.text);
		}
	} while (!err && page.more);
	state_import_free(import);
	return err ? err : draft_is_open(draft);
}

const struct owned_resource *addresses_fixture_add(struct addresses_fixture *fixture,
						   const char *name, const char *address)
{
	const struct edit_value values[] = {{"name", name}, {"address", address}};
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_non_null(draft);
	commit(draft, edit_add(draft, KIND_ADDRESS, values, 2, NULL));
	return addresses_by_name(fixture->resources, NULL, name);
}

void addresses_fixture_point(struct addresses_fixture *fixture,
			     const struct owned_resource *resource, const char *fqdn)
{
	const struct owned_item ptr = {.reverse_fqdn = fqdn, .ttl = NOT_GIVEN};
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_non_null(draft);
	commit(draft, edit_point(draft, resource, &ptr));
}

struct addresses_fixture *addresses_fixture_new(const char *text)
{
	struct addresses_fixture *fixture = calloc(1, sizeof *fixture);

	assert_non_null(fixture);
	addresses_fixture_init(fixture, text);
	return fixture;
}

void addresses_fixture_free(struct addresses_fixture *fixture)
{
	addresses_fixture_release(fixture);
	free(fixture);
}

int addresses_fixture_set_up(void **state)
{
	log_configure(LOG_ERROR, LOG_TEXT);
	*state = addresses_fixture_new(FIXTURE_WORLD FIXTURE_FILED);
	return 0;
}

int addresses_fixture_tear_down(void **state)
{
	addresses_fixture_free(*state);
	return 0;
}

const struct owned_resource *addresses_fixture_at(const struct addresses_fixture *fixture,
						  const char *address)
{
	const struct address parsed = address_of(address);

	return addresses_by_address(fixture->resources, &parsed);
}

const struct owned_resource *addresses_fixture_named(const struct addresses_fixture *fixture,
						     const char *name)
{
	const struct owned_resource *address = addresses_by_name(fixture->resources, NULL, name);

	return address ? address : services_by_name(fixture->resources, name);
}

void addresses_fixture_check_error(struct address_draft *draft, enum change_outcome outcome,
				   const char *field, const char *says)
{
	const struct change_error *error = draft_error(draft);

	if (error->outcome != outcome || !strstr(error->text, says))
		fprintf(stderr, "%d %s: %s\n", error->outcome, error->field, error->text);
	assert_int_equal(error->outcome, outcome);
	assert_string_equal(error->field, field);
	assert_non_null(strstr(error->text, says));
	assert_int_not_equal(edit_commit(draft), 0);
	edit_free(draft);
}
