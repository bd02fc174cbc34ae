/* In by the same edits that every other change takes, so that an import is checked like all of
 * them. Out is state_export.c. */
#include "resolver/control/resource/state_json.h"

#include <stdio.h>

#include "resolver/control/resource/change_internal.h"

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

static int import_group(struct change *change, const json_t *object)
{
	struct change_value values[] = {{"name", NULL}, {"region", NULL}, {"tags", NULL}};
	char *tags = NULL;
	int err = 0;

	if (!json_is_object(object) || !json_object_get(object, "name"))
		return change_fail(change, CHANGE_INVALID, NULL,
				   "is not what an export has; give an object with a \"name\"");
	for (size_t i = 0; !err && i < sizeof values / sizeof *values; i++) {
		const json_t *value = json_object_get(object, values[i].key);
		if (value)
			err = text_of(change, values[i].key, value, &values[i], &tags);
	}
	const struct change_group group = {values[0].text, values[1].text, values[2].text};
	if (!err)
		err = change_group_import(change, &group);
	free(tags);
	return err;
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
		return change_fail(change, CHANGE_INVALID, NULL,
				   "is not what an export has; give an object of at most %d "
				   "members",
				   VALUES_MAX);
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

static int import_address(struct change *change, const json_t *object)
{
	return import_owner(change, OWNER_ADDRESS, object);
}

static int import_service(struct change *change, const json_t *object)
{
	return import_owner(change, OWNER_SERVICE, object);
}

static int read_ptr(struct change *change, const json_t *object, struct change_ptr *ptr)
{
	const json_t *description = json_object_get(object, "description");
	const json_t *ttl = json_object_get(object, "ttl");

	*ptr = (struct change_ptr){
		.fqdn = json_string_value(json_object_get(object, "reverse_fqdn")),
		.description = json_string_value(description),
		.ttl_given = ttl != NULL,
		.ttl = json_integer_value(ttl),
	};
	if (!ptr->fqdn)
		return change_fail(change, CHANGE_INVALID, "reverse_fqdn",
				   "is missing, or not a string; give one");
	if (description && !json_is_string(description))
		return change_fail(change, CHANGE_INVALID, "description",
				   "is not a string; give one, or leave it out");
	if (ttl && !json_is_integer(ttl))
		return change_fail(change, CHANGE_INVALID, "ttl",
				   "is not a whole number of seconds; give one, or leave it out");
	return 0;
}

static int import_ptr(struct change *change, const json_t *object)
{
	const char *id = json_string_value(json_object_get(object, "owner"));
	const struct owner *owner = inventory_by_id(change->inventory, id);
	struct change_ptr ptr;

	if (!id || !owner)
		return change_fail(change, CHANGE_INVALID, "owner",
				   "there is no address or service with the id \"%s\"; give one "
				   "that is in the document, or in the configuration file",
				   id ? id : "");
	int err = read_ptr(change, object, &ptr);
	if (err)
		return err;
	if (owner->ptr.fqdn && !owner->ptr.read_only)
		return change_fail(change, CHANGE_TAKEN, "owner", "%s has two PTRs; leave one out",
				   id);
	return change_ptr_set(change, owner, &ptr);
}

/* One whose owner is not there waits for it, also if it did not where it was exported. */
static int import_waiting(struct change *change, const json_t *object)
{
	const char *id = json_string_value(json_object_get(object, "owner"));
	struct change_ptr ptr;

	if (!id || inventory_by_id(change->inventory, id))
		return import_ptr(change, object);
	int err = read_ptr(change, object, &ptr);
	return err ? err : change_wait(change, id, &ptr);
}

/* In this order: an address names its group, a PTR its owner. */
static const struct {
	const char *key;
	int (*import)(struct change *change, const json_t *object);
} lists[] = {
	{"groups", import_group}, {"addresses", import_address}, {"services", import_service},
	{"ptrs", import_ptr},     {"waiting", import_waiting},
};

/* The list number `at`, which need not be there. */
static int import_list(struct change *change, const json_t *document, size_t at)
{
	const char *key = lists[at].key;
	const json_t *list = json_object_get(document, key);
	int err = 0;

	if (list && !json_is_array(list))
		return change_fail(change, CHANGE_INVALID, key,
				   "is not a list; give one, or leave it out");
	for (size_t i = 0; !err && i < json_array_size(list); i++)
		if (lists[at].import(change, json_array_get(list, i)) != 0)
			err = place(change, key, i);
	return err;
}

int state_json_read(struct change *change, const json_t *document)
{
	const json_t *version = json_object_get(document, "version");
	int err = change_is_open(change);

	if (!err && (!json_is_integer(version) || json_integer_value(version) < 1 ||
		     json_integer_value(version) > STATE_JSON_VERSION))
		err = change_fail(change, CHANGE_INVALID, "version",
				  "is not one that this version of sluice reads; give an export of "
				  "version 1");
	for (size_t i = 0; !err && i < sizeof lists / sizeof *lists; i++)
		err = import_list(change, document, i);
	return err;
}
