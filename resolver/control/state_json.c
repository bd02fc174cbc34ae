/* Out of the inventory, and in by the same edits that every other change takes, so that an import
 * is checked like all of them, and is one transaction. */
#include "resolver/control/state_json.h"

#include <stdio.h>

#include "resolver/control/change_internal.h"
#include "resolver/control/json.h"

/* ---- out ---- */

static void put_text(json_t *object, const char *key, const char *text)
{
	if (text)
		json_put(object, key, json_text(text));
}

static json_t *address_json(const struct owner *owner)
{
	char address[ADDRESS_TEXT_MAX];
	json_t *object =
		json_make("{s:o, s:o}", "id", json_text(owner->id), "name", json_text(owner->name));

	put_text(object, "resource_group", owner->resource_group);
	put_text(object, "region", owner->region);
	put_text(object, "address", address_print(&owner->address, address));
	if (owner->kind == OWNER_ADDRESS)
		put_text(object, "allocation",
			 owner->allocation == ALLOCATION_STATIC ? "static" : "dynamic");
	put_text(object, "domain_name_label", owner->label);
	put_text(object, "description", owner->description);
	if (owner->tags)
		json_put(object, "tags", json_loads(owner->tags, 0, NULL));
	return object;
}

static json_t *ptr_json(const char *owner, const char *fqdn, const char *description,
			bool ttl_given, uint32_t ttl)
{
	json_t *object =
		json_make("{s:o, s:o}", "owner", json_text(owner), "reverse_fqdn", json_text(fqdn));

	put_text(object, "description", description);
	if (ttl_given)
		json_put(object, "ttl", json_integer(ttl));
	return object;
}

static json_t *waiting_json(const struct book *book)
{
	json_t *array = json_make("[]");

	for (const struct waiting *at = book->waiting; at; at = at->hh.next)
		json_add(array, ptr_json(at->ptr.owner, at->ptr.fqdn, at->ptr.description,
					 at->ptr.ttl_given, at->ptr.ttl));
	return array;
}

static bool export_kind(const struct inventory *inventory, enum owner_kind kind, json_t *owners,
			json_t *ptrs)
{
	size_t count;
	const struct owner **list = inventory_list(inventory, kind, &count);

	for (size_t i = 0; list && i < count; i++) {
		const struct owner_ptr *ptr = &list[i]->ptr;

		if (!owner_is_read_only(list[i]))
			json_add(owners, address_json(list[i]));
		if (ptr->fqdn && !ptr->read_only)
			json_add(ptrs, ptr_json(list[i]->id, ptr->fqdn, ptr->description,
						ptr->ttl_given, ptr->ttl));
	}
	free(list);
	return list != NULL;
}

json_t *state_export(const struct inventory *inventory)
{
	json_t *addresses = json_make("[]"), *services = json_make("[]"), *ptrs = json_make("[]");
	bool fine = export_kind(inventory, OWNER_ADDRESS, addresses, ptrs) &&
		    export_kind(inventory, OWNER_SERVICE, services, ptrs);
	json_t *state = json_whole(json_make(
		"{s:i, s:o, s:o, s:o, s:o}", "version", STATE_JSON_VERSION, "addresses", addresses,
		"services", services, "ptrs", ptrs, "waiting", waiting_json(inventory->book)));

	if (fine)
		return state;
	json_decref(state);
	return NULL;
}

/* ---- in ---- */

enum { VALUES_MAX = 16 };

/* Where an edit failed, ahead of its own field. */
static int place(struct change *change, const char *list, size_t index)
{
	struct change_error *error = &change->error;
	char field[sizeof error->field];

	snprintf(field, sizeof field, "%s[%zu]%s%s", list, index, *error->field ? "." : "",
		 error->field);
	memcpy(error->field, field, sizeof field);
	return ERR_INVALID;
}

static const json_t *list_of(struct change *change, const json_t *document, const char *key)
{
	const json_t *list = json_object_get(document, key);

	if (list && !json_is_array(list)) {
		change_fail(change, CHANGE_INVALID, key,
			    "is not a list; give one, or leave it out");
		return NULL;
	}
	return list;
}

/* A member as text; *made is what must be freed. */
static int text_of(struct change *change, const char *key, const json_t *value,
		   struct change_value *text, char **made)
{
	text->key = key;
	if (json_is_string(value)) {
		text->text = json_string_value(value);
		if (strlen(text->text) == json_string_length(value))
			return 0;
		return change_fail(change, CHANGE_INVALID, key, "has a NUL in it; leave it out");
	}
	if (!json_is_object(value) || strcmp(key, "tags") != 0)
		return change_fail(change, CHANGE_INVALID, key, "is not a string; give one");
	text->text = *made = json_dumps(value, JSON_COMPACT);
	return *made ? 0 : change_fail_memory(change);
}

static int import_owner(struct change *change, enum owner_kind kind, const json_t *object)
{
	struct change_value values[VALUES_MAX];
	const char *key;
	json_t *value;
	char *tags = NULL;
	size_t count = 0;
	int err = 0;

	if (!json_is_object(object) || json_object_size(object) > VALUES_MAX)
		return change_fail(change, CHANGE_INVALID, NULL, "is not what an export has");
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		err = text_of(change, key, value, &values[count++], &tags);
		if (err)
			break;
	}
	if (!err)
		err = change_add(change, kind, values, count, NULL);
	free(tags);
	return err;
}

static int import_ptr(struct change *change, const json_t *object)
{
	const json_t *description = json_object_get(object, "description");
	const json_t *ttl = json_object_get(object, "ttl");
	const char *id = json_string_value(json_object_get(object, "owner"));
	const struct owner *owner = inventory_by_id(change->inventory, id);
	const struct change_ptr ptr = {
		.fqdn = json_string_value(json_object_get(object, "reverse_fqdn")),
		.description = json_string_value(description),
		.ttl_given = ttl != NULL,
		.ttl = json_integer_value(ttl),
	};

	if (!id || !owner)
		return change_fail(change, CHANGE_INVALID, "owner",
				   "there is no address or service with the id \"%s\"; give one "
				   "that is in the document, or in the configuration file",
				   id ? id : "");
	if ((description && !json_is_string(description)) || (ttl && !json_is_integer(ttl)))
		return change_fail(change, CHANGE_INVALID, ttl ? "ttl" : "description",
				   "is not what an export has");
	if (owner->ptr.fqdn && !owner->ptr.read_only)
		return change_fail(change, CHANGE_TAKEN, "owner", "%s has two PTRs; leave one out",
				   id);
	return change_ptr_set(change, owner, &ptr);
}

static int import_owners(struct change *change, const json_t *document, const char *key,
			 enum owner_kind kind)
{
	const json_t *list = list_of(change, document, key);
	int err = change->error.outcome == CHANGE_FINE ? 0 : ERR_INVALID;

	for (size_t i = 0; !err && i < json_array_size(list); i++)
		if (import_owner(change, kind, json_array_get(list, i)) != 0)
			err = place(change, key, i);
	return err;
}

static int import_ptrs(struct change *change, const json_t *document)
{
	const json_t *list = list_of(change, document, "ptrs");
	int err = change->error.outcome == CHANGE_FINE ? 0 : ERR_INVALID;

	for (size_t i = 0; !err && i < json_array_size(list); i++)
		if (import_ptr(change, json_array_get(list, i)) != 0)
			err = place(change, "ptrs", i);
	return err;
}

/* What is taken out stays where it is until the change ends, and with it what the list points to.
 */
static int remove_kind(struct change *change, enum owner_kind kind)
{
	size_t count;
	const struct owner **list = inventory_list(change->inventory, kind, &count);
	int err = 0;

	if (!list)
		return change_fail_memory(change);
	for (size_t i = 0; !err && i < count; i++) {
		if (!owner_is_read_only(list[i]))
			err = change_remove(change, list[i]);
		else if (list[i]->ptr.fqdn && !list[i]->ptr.read_only)
			err = change_ptr_unset(change, list[i]);
	}
	free(list);
	return err;
}

int state_import(struct change *change, const json_t *document)
{
	const json_t *version = json_object_get(document, "version");
	int err = change_is_open(change);

	if (!err && (!json_is_integer(version) || json_integer_value(version) < 1 ||
		     json_integer_value(version) > STATE_JSON_VERSION))
		err = change_fail(change, CHANGE_INVALID, "version",
				  "is not one that this version of sluice reads; give an export of "
				  "version 1");
	if (!err)
		err = remove_kind(change, OWNER_ADDRESS);
	if (!err)
		err = remove_kind(change, OWNER_SERVICE);
	if (!err)
		err = import_owners(change, document, "addresses", OWNER_ADDRESS);
	if (!err)
		err = import_owners(change, document, "services", OWNER_SERVICE);
	return err ? err : import_ptrs(change, document);
}
