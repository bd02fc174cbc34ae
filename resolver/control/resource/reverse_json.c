/* One table of keys says what each is worth in a body; showing is plain. Values are checked by
 * change.h, in the schema's own words; only that they are texts and numbers is seen to here. */
#include "resolver/control/resource/reverse_json.h"

#include <string.h>

#include "resolver/control/base/json.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

/* ---- showing ---- */

static json_t *origin_json(const struct origin *origin)
{
	char text[600];
	if (!origin->file)
		return json_null();
	snprintf(text, sizeof text, "%s:%u", origin->file, origin->line);
	return json_text(text);
}

static json_t *address_json(const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];
	return json_text(address_print(address, text));
}

static json_t *tags_json(const char *tags)
{
	json_t *object = tags ? json_loads(tags, 0, NULL) : NULL;
	return object ? object : json_object();
}

enum { PTR_ID_MAX = 300 };

static char *ptr_id(const struct owner *owner, char text[PTR_ID_MAX])
{
	snprintf(text, PTR_ID_MAX, "%s%s%s", owner->region ? owner->region : "",
		 owner->region ? ":" : "", owner->id);
	return text;
}

/* reverse_fqdn, ttl, ttl_served, status, action, reason, and the etag. */
static void put_ptr(json_t *object, const struct owner *owner)
{
	char etag[ETAG_MAX];
	const struct owner_ptr *ptr = &owner->ptr;
	json_put(object, "reverse_fqdn", json_text(ptr->fqdn));
	json_put(object, "ttl", ptr->fqdn && ptr->ttl_given ? json_integer(ptr->ttl) : json_null());
	json_put(object, "ttl_served", ptr->fqdn ? json_integer(ptr->ttl) : json_null());
	json_put(object, "status", json_text(ptr_status_text(ptr->status)));
	json_put(object, "action", json_text(ptr_action_text(ptr->action)));
	json_put(object, "reason", json_text(ptr->reason));
	json_put(object, "etag", json_text(owner_etag(owner, etag)));
}

json_t *owner_json(const struct owner *owner)
{
	bool service = owner->kind == OWNER_SERVICE;
	json_t *object =
		json_make("{s:o, s:o, s:o}", "id", json_text(owner->id), "name",
			  json_text(owner->name), "address", address_json(&owner->address));
	if (!service) {
		json_put(object, "resource_group", json_text(owner->resource_group));
		json_put(object, "region", json_text(owner->region));
		json_put(object, "subscription", json_text(owner->subscription));
		json_put(object, "allocation",
			 json_text(schema_allocation_names[owner->allocation]));
		json_put(object, "domain_name_label", json_text(owner->label));
	}
	json_put(object, "fqdn", json_text(owner->fqdn));
	json_put(object, "tags", tags_json(owner->tags));
	json_put(object, "description",
		 json_text(service ? owner->description : owner->ptr.description));
	put_ptr(object, owner);
	json_put(object, "origin", origin_json(&owner->origin));
	return object;
}

json_t *owner_ptr_json(const struct owner *owner)
{
	char id[PTR_ID_MAX];
	json_t *object = json_make(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", json_text(ptr_id(owner, id)), "kind",
		owner->kind == OWNER_SERVICE ? "service" : "address", "name",
		json_text(owner->name), "resource_group", json_text(owner->resource_group),
		"region", json_text(owner->region), "address", address_json(&owner->address),
		"description", json_text(owner->ptr.description));
	put_ptr(object, owner);
	json_put(object, "origin",
		 owner->ptr.read_only ? origin_json(&owner->origin) : json_null());
	return object;
}

/* ---- taking ---- */

static int read_text(const char *key, const json_t *value, const char **text,
		     struct change_error *error)
{
	*text = json_string_value(value);
	return *text || json_is_null(value) ? 0
					    : change_refuse(error, key, "must be a string or null");
}

static int read_fqdn(struct owner_input *input, const char *key, const json_t *value,
		     struct change_error *error)
{
	input->has_fqdn = true;
	return read_text(key, value, &input->ptr.fqdn, error);
}

static int read_description(struct owner_input *input, const char *key, const json_t *value,
			    struct change_error *error)
{
	input->has_description = true;
	return read_text(key, value, &input->ptr.description, error);
}

static int read_ttl(struct owner_input *input, const char *key, const json_t *value,
		    struct change_error *error)
{
	input->has_ttl = true;
	input->ptr.ttl_given = json_is_integer(value);
	input->ptr.ttl = json_integer_value(value);
	if (json_is_integer(value) || json_is_null(value))
		return 0;
	return change_refuse(error, key, "must be a whole number of seconds or null");
}

static int read_nothing(struct owner_input *input, const char *key, const json_t *value,
			struct change_error *error)
{
	(void)input, (void)key, (void)value, (void)error;
	return 0;
}

static int read_value(struct owner_input *input, const char *key, const json_t *value,
		      struct change_error *error)
{
	const char *text;
	if (input->count == OWNER_VALUES_MAX / 2)
		return change_refuse(error, key, "too many members; the object has at most %d",
				     OWNER_VALUES_MAX / 2);
	int err = read_text(key, value, &text, error);
	if (err == 0)
		input->values[input->count++] = (struct change_value){key, text};
	return err;
}

static int read_tags(struct owner_input *input, const char *key, const json_t *value,
		     struct change_error *error)
{
	if (!json_is_object(value) && !json_is_null(value))
		return change_refuse(error, key, "must be an object of strings, or null");
	if (json_object_size(value) == 0)
		return read_value(input, key, json_null(), error);
	input->tags = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
	if (!input->tags) {
		error->outcome = CHANGE_NO_MEMORY;
		return ERR_INVALID;
	}
	input->values[input->count++] = (struct change_value){key, input->tags};
	return 0;
}

struct key_reader {
	const char *key;
	int (*read)(struct owner_input *input, const char *key, const json_t *value,
		    struct change_error *error);
};

/* Keys that only tell something. */
static const char *const told[] = {"fqdn",   "ttl_served", "status", "action",   "reason",
				   "origin", "etag",       "kind",   "warnings", NULL};

/* Any other key is a value of the owner. */
static const struct key_reader address_keys[] = {
	{"reverse_fqdn", read_fqdn},
	{"description", read_description},
	{"ttl", read_ttl},
	{"tags", read_tags},
	{NULL, NULL},
};
static const struct key_reader service_keys[] = {
	{"reverse_fqdn", read_fqdn},
	{"ttl", read_ttl},
	{"tags", read_tags},
	{NULL, NULL},
};
/* There is no other key. */
static const struct key_reader ptr_keys[] = {
	{"reverse_fqdn", read_fqdn},
	{"description", read_description},
	{"ttl", read_ttl},
	{"id", read_nothing},
	{"name", read_nothing},
	{"region", read_nothing},
	{"resource_group", read_nothing},
	{"address", read_nothing},
	{"owner", read_nothing},
	{NULL, NULL},
};

/* The row of the key; the one that ends the table for any other. */
static const struct key_reader *find_key(const struct key_reader *keys, const char *key)
{
	while (keys->key && strcmp(keys->key, key) != 0)
		keys++;
	return keys;
}

static int read_body(struct owner_input *input, const struct key_reader *keys, bool closed,
		     const json_t *body, struct change_error *error)
{
	const char *key;
	json_t *value;
	int err = 0;
	*input = (struct owner_input){.count = 0};
	*error = (struct change_error){.outcome = CHANGE_FINE};
	if (!json_is_object(body))
		return change_refuse(error, "", "the body must be a JSON object");
	json_object_foreach((json_t *)body, key, value)
	{
		const struct key_reader *row = find_key(keys, key);
		if (text_is_among(key, told))
			continue;
		if (row->read)
			err = row->read(input, key, value, error);
		else if (closed)
			err = change_refuse(error, key,
					    "unknown; a PTR has reverse_fqdn, description and "
					    "ttl");
		else
			err = read_value(input, key, value, error);
		if (err != 0)
			break;
	}
	if (err != 0)
		owner_input_release(input);
	return err;
}

int owner_input_read(struct owner_input *input, enum owner_kind kind, const json_t *body,
		     struct change_error *error)
{
	const struct key_reader *keys = kind == OWNER_SERVICE ? service_keys : address_keys;
	return read_body(input, keys, false, body, error);
}

int owner_input_read_ptr(struct owner_input *input, const json_t *body, struct change_error *error)
{
	return read_body(input, ptr_keys, true, body, error);
}

void owner_input_release(struct owner_input *input)
{
	free(input->tags);
	input->tags = NULL;
}

int owner_input_apply_ptr(const struct owner_input *input, bool whole, struct change *change,
			  const struct owner *owner, struct change_error *error)
{
	const struct owner_ptr *old = &owner->ptr;
	struct change_ptr ptr = input->ptr;
	if (!whole && !input->has_fqdn && !input->has_description && !input->has_ttl)
		return 0;
	if (!whole && !input->has_fqdn)
		ptr.fqdn = old->fqdn;
	if (!whole && !input->has_description)
		ptr.description = old->description;
	if (!whole && !input->has_ttl) {
		ptr.ttl_given = old->ttl_given;
		ptr.ttl = old->ttl;
	}
	if (ptr.fqdn && *ptr.fqdn)
		return change_ptr_set(change, owner, &ptr);
	if (!old->fqdn && (ptr.description || ptr.ttl_given))
		return change_refuse(
			error, ptr.description ? "description" : "ttl",
			"belongs to the PTR, and there is none; give reverse_fqdn as well");
	return old->fqdn ? change_ptr_unset(change, owner) : 0;
}
