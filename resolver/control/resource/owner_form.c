/* Texts from a request into the same structs, and by the same table of fields, as texts from the
 * configuration file. What goes together with what is change.c's matter. */
#include "resolver/control/resource/owner_form.h"

#include <jansson.h>
#include <stddef.h>

#include "rules/check/pools.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

const struct group *owner_fields(enum owner_kind kind)
{
	return schema_field(&schema_model, kind == OWNER_SERVICE ? "cloud_services" : "addresses")
		->group;
}

int owner_form_init(struct owner_form *form, enum owner_kind kind, const struct owner *owner)
{
	*form = (struct owner_form){.kind = kind, .family = 4};
	arena_init(&form->arena);
	schema_defaults(owner_fields(OWNER_ADDRESS), &form->address, &form->arena);
	schema_defaults(owner_fields(OWNER_SERVICE), &form->service, &form->arena);
	if (!owner)
		return 0;
	form->family = owner->address.family;
	form->tags = owner->tags ? strdup(owner->tags) : NULL;
	form->service.name = form->address.name = owner->name;
	form->service.address = form->address.address = owner->address;
	form->service.description = owner->description;
	form->address.id = owner->id;
	form->address.resource_group = owner->resource_group;
	form->address.region = owner->region;
	form->address.allocation = owner->allocation;
	form->address.domain_name_label = owner->label;
	return owner->tags && !form->tags ? ERR_NOMEM : 0;
}

void owner_form_release(struct owner_form *form)
{
	free(form->tags);
	arena_release(&form->arena);
}

int owner_check_text(struct change *change, const struct field *field, void *item, const char *text,
		     struct arena *arena)
{
	static const struct origin nowhere;
	struct faults faults;

	faults_init(&faults);
	int err = schema_set_text(field, item, text, &nowhere, arena, &faults);
	if (err)
		err = change_fail(change, CHANGE_INVALID, field->key, "%s",
				  faults.count ? faults.items[0].text : err_text(ERR_NOMEM));
	faults_release(&faults);
	return err;
}

static bool is_tags(const json_t *tags)
{
	const char *key;
	json_t *value;

	if (!json_is_object(tags) || json_object_size(tags) > TAGS_MAX)
		return false;
	json_object_foreach((json_t *)(uintptr_t)tags, key,
			    value) if (!json_is_string(value)) return false;
	return true;
}

static int check_tags(struct change *change, const json_t *tags)
{
	char why[TEXT_FLAW_MAX];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)tags, key, value)
	{
		if (!text_is_plain(key, why))
			return change_fail(change, CHANGE_INVALID, "tags", "in a name, %s", why);
		if (!text_is_plain(json_string_value(value), why))
			return change_fail(change, CHANGE_INVALID, "tags", "in what \"%s\" is, %s",
					   key, why);
	}
	return 0;
}

static int set_tags(struct change *change, struct owner_form *form, const char *text)
{
	json_t *tags = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	char *kept = NULL;
	int err = 0;

	if (text && (!is_tags(tags) || strlen(text) > TAGS_BYTES_MAX)) {
		err = change_fail(change, CHANGE_INVALID, "tags",
				  "do not fit; give an object of at most %d strings, %d bytes in "
				  "all",
				  TAGS_MAX, TAGS_BYTES_MAX);
	} else if (text && (err = check_tags(change, tags)) == 0 && json_object_size(tags) > 0) {
		kept = json_dumps(tags, JSON_COMPACT | JSON_SORT_KEYS);
		err = kept ? 0 : change_fail_memory(change);
	}
	json_decref(tags);
	if (!err) {
		free(form->tags);
		form->tags = kept;
	}
	return err;
}

static int set_family(struct change *change, struct owner_form *form, const char *text)
{
	if (text && strcmp(text, "4") != 0 && strcmp(text, "6") != 0)
		return change_fail(change, CHANGE_INVALID, "family",
				   "\"%s\" does not fit; give \"4\" or \"6\"", text);
	form->family = text && *text == '6' ? 6 : 4;
	return 0;
}

static int clear(struct change *change, const struct field *field, void *item, struct arena *arena)
{
	static const char *const none;

	if (strcmp(field->key, "address") == 0)
		memset((char *)item + field->offset, 0, sizeof(struct address));
	else if (field->required)
		return change_fail(change, CHANGE_INVALID, field->key,
				   "cannot be taken away; give one");
	else if (field->fallback)
		return owner_check_text(change, field, item, field->fallback, arena);
	else /* what is left are texts */
		memcpy((char *)item + field->offset, &none, sizeof none);
	return 0;
}

/* A PTR has calls of its own; the description of an address is its PTR's. */
static bool is_ptrs(const struct owner_form *form, const char *key)
{
	return strcmp(key, "reverse_fqdn") == 0 || strcmp(key, "ttl") == 0 ||
	       (form->kind == OWNER_ADDRESS && strcmp(key, "description") == 0);
}

enum { MEMBERS_MAX = 400 };

static int unknown(struct change *change, const struct group *group, const char *key)
{
	const struct field *meant = schema_suggest(group, key);
	char members[MEMBERS_MAX] = "";

	if (meant)
		return change_fail(change, CHANGE_INVALID, key,
				   "is not a member of %s; did you mean \"%s\"?", group->name,
				   meant->key);
	for (size_t i = 0; i < group->count; i++)
		text_append(members, sizeof members, "%s%s", i > 0 ? ", " : "",
			    group->fields[i].key);
	return change_fail(change, CHANGE_INVALID, key, "is not a member of %s; it has %s",
			   group->name, members);
}

int owner_form_set(struct change *change, struct owner_form *form, const struct change_value *value)
{
	const struct group *group = owner_fields(form->kind);
	const struct field *field = schema_field(group, value->key);
	void *item = form->kind == OWNER_SERVICE ? (void *)&form->service : (void *)&form->address;
	const char *text = value->text;

	if (strcmp(value->key, "tags") == 0)
		return set_tags(change, form, text);
	if (strcmp(value->key, "family") == 0)
		return set_family(change, form, text);
	if (form->kind == OWNER_SERVICE && strcmp(value->key, "id") == 0) {
		field = schema_field(owner_fields(OWNER_ADDRESS), "id");
		item = &form->address;
	}
	if (!field)
		return unknown(change, group, value->key);
	if (is_ptrs(form, value->key))
		return change_fail(change, CHANGE_INVALID, value->key,
				   "belongs to the PTR; set it with the PTR");
	if (field->type == FIELD_STRING && text && !*text && !field->required)
		text = NULL;
	return text ? owner_check_text(change, field, item, text, &form->arena)
		    : clear(change, field, item, &form->arena);
}
