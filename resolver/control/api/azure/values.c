/* Walks the table of types (type.h) over values and bodies. One function prints a form and one
 * reads it; what is left to neither is a hook of its type. */
#include "resolver/control/api/azure/values.h"

#include <stdarg.h>
#include <strings.h>

#include "resolver/control/api/azure/particular.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/item.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/addresses.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "rules/name.h"
#include "rules/schema/reference.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

static const struct model *served(const struct api_request *request)
{
	return request->service->server.model;
}

static const struct group *fields_of(const struct arm_type *type)
{
	return kind_field(kind_of_id(type->kind))->group;
}

/* ---- members of a body, by their paths ---- */

struct step { /* of a path: "addressSpace", or "ipConfigurations[0]" */
	const char *name;
	size_t length;
	bool in_array; /* it is the only item of an array */
};

/* The next step; false: there is none. */
static bool next_step(const char **path, struct step *step)
{
	const char *at = *path;
	size_t length = strcspn(at, ".");

	if (*at == '\0')
		return false;
	step->in_array = length > 3 && strncmp(at + length - 3, "[0]", 3) == 0;
	step->name = at;
	step->length = length - (step->in_array ? 3 : 0);
	*path = at[length] == '.' ? at + length + 1 : at + length;
	return true;
}

static json_t *member_of(const json_t *object, const char *name, size_t length)
{
	const char *key;
	json_t *value, *found = NULL;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (strncasecmp(key, name, length) != 0 || key[length] != '\0')
			continue;
		if (!found || strncmp(key, name, length) == 0)
			found = value;
	}
	return json_is_null(found) ? NULL : found;
}

/* The place of a member below a resource. */
static const char *member_path(const struct arm_member *member, char path[ARM_TARGET_MAX])
{
	bool is_outer = *member->path == '/';

	snprintf(path, ARM_TARGET_MAX, "%s%s", is_outer ? "" : "properties.",
		 member->path + is_outer);
	return path;
}

json_t *arm_get(const json_t *body, const char *path)
{
	const json_t *at = body;
	struct step step;

	while (at && next_step(&path, &step)) {
		at = member_of(at, step.name, step.length);
		if (step.in_array)
			at = json_array_get(at, 0);
	}
	return json_is_null(at) ? NULL : (json_t *)(uintptr_t)at;
}

/* Takes the value over; NULL is nothing. */
static void put_at(json_t *body, const char *path, json_t *value)
{
	json_t *at = body, *inner;
	char name[ARM_TARGET_MAX];
	struct step step;

	if (!value)
		return;
	while (next_step(&path, &step)) {
		bool is_last = *path == '\0';

		snprintf(name, sizeof name, "%.*s", (int)step.length, step.name);
		inner = json_object_get(at, name);
		if (is_last && !step.in_array) {
			json_put(at, name, value);
			return;
		}
		if (!inner) {
			inner = step.in_array ? json_array() : json_object();
			json_put(at, name, inner);
		}
		if (step.in_array && json_array_size(inner) == 0)
			json_add(inner, is_last ? json_incref(value) : json_object());
		at = step.in_array ? json_array_get(inner, 0) : inner;
	}
	json_decref(value);
}

/* ---- references and ids ---- */

/* What the reference in a resource of that group refers to. False: to nothing. */
static bool read_reference(const struct arm_shown *shown, const struct field *field,
			   const char *text, const struct arm_type *of, struct path *path)
{
	struct arena *arena = &shown->request->arena;
	const char *full = reference_full(served(shown->request), field->refers, shown->path.group,
					  text, arena);
	char *copy = full ? arena_strdup(arena, full) : NULL,
	     *slash = copy ? strchr(copy, '/') : NULL;

	if (!slash)
		return false;
	*slash = '\0';
	*path = (struct path){kind_of_id(of->kind), copy, {slash + 1, NULL}};
	if (path->kind->parent) {
		slash = strrchr(slash + 1, '/');
		if (!slash)
			return false;
		*slash = '\0';
		path->names[1] = slash + 1;
	}
	return true;
}

static json_t *id_json(const struct api_request *request, const struct path *path)
{
	char id[ARM_ID_MAX];

	return json_make("{s:o}", "id", json_text(arm_id(request, path, id)));
}

static json_t *print_reference(const struct arm_shown *shown, const struct field *field,
			       const struct arm_member *member, const json_t *value)
{
	const struct arm_type *of = arm_type_named(member->of, strlen(member->of));
	const char *text = json_string_value(value);
	char id[ARM_ID_MAX];
	struct path path;

	if (text && read_reference(shown, field, text, of, &path))
		text = arm_id(shown->request, &path, id);
	return member->form == ARM_ID_TEXT ? json_text(text)
					   : json_make("{s:o}", "id", json_text(text));
}

/* The network of the resolver that an endpoint is in. False: it is not there. */
static bool find_network(const struct api_request *request, const struct path *endpoint,
			 struct path *network)
{
	const struct path root = part_root(endpoint);
	const struct dns_resolver *resolver = part_find(served(request), &root);
	const struct virtual_network *found =
		resolver ? model_network(served(request), resolver->resource_group,
					 resolver->virtual_network)
			 : NULL;

	if (!found)
		return false;
	*network = part_path(kind_of_id(KIND_NETWORK), found, NULL);
	return true;
}

static json_t *print_subnet(const struct arm_shown *shown, const json_t *value)
{
	struct path path;

	if (!json_is_string(value) || !find_network(shown->request, &shown->path, &path))
		return NULL;
	path.kind = kind_of_id(KIND_SUBNET);
	path.names[1] = json_string_value(value);
	return id_json(shown->request, &path);
}

/* ---- the data of records ---- */

static unsigned char read_escape(const char **at)
{
	const char *digits = *at + 1;

	if (isdigit((unsigned char)digits[0]) && isdigit((unsigned char)digits[1]) &&
	    isdigit((unsigned char)digits[2])) {
		*at += 4;
		return (unsigned char)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 +
				       digits[2] - '0');
	}
	*at += 1 + (*digits != '\0');
	return (unsigned char)*digits;
}

/* The next part of a record's data as a master file has it, in the buffer; of a string, without
 * quotes and escapes. False: there is none. */
static bool next_datum(const char **at, bool is_string, char *part, size_t size)
{
	bool quoted = false;
	size_t used = 0;

	*at += strspn(*at, " \t");
	if (**at == '\0')
		return false;
	if (is_string && **at == '"') {
		quoted = true;
		(*at)++;
	}
	while (**at != '\0' && used + 1 < size) {
		if (quoted ? **at == '"' : strchr(" \t", **at) != NULL)
			break;
		part[used++] = is_string && **at == '\\' ? (char)read_escape(at) : *(*at)++;
	}
	part[used] = '\0';
	*at += quoted && **at == '"';
	return true;
}

/* A domain name of the data, which may be relative to the zone: in full, without a final dot. */
static json_t *print_name(const char *name, const char *zone)
{
	size_t length = strlen(name);

	if (strcmp(name, "@") == 0)
		return json_text(zone);
	if (length > 1 && name[length - 1] == '.')
		return json_stringn(name, length - 1);
	return length == 1 && *name == '.' ? json_text(name) : json_sprintf("%s.%s", name, zone);
}

enum { RECORD_TEXT_MAX = 65536 };

static json_t *print_record(const struct arm_member *data, const char *text, const char *zone)
{
	char *part = malloc(RECORD_TEXT_MAX);
	json_t *object = json_object(), *strings;

	for (; part && data->path; data++) {
		if (data->form == ARM_STRINGS) {
			strings = json_array();
			while (next_datum(&text, true, part, RECORD_TEXT_MAX))
				json_add(strings, json_text(part));
			json_put(object, data->path, strings);
			continue;
		}
		if (!next_datum(&text, false, part, RECORD_TEXT_MAX))
			continue;
		json_put(object, data->path,
			 data->form == ARM_NUMBER ? json_integer(strtoll(part, NULL, 10))
			 : data->form == ARM_NAME ? print_name(part, zone)
						  : json_text(part));
	}
	free(part);
	return object;
}

/* A string of a TXT record as a master file has it. */
static void add_string(FILE *out, const char *string)
{
	fputc('"', out);
	for (const char *at = string; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f) {
			fprintf(out, "\\%03u", (unsigned char)*at);
			continue;
		}
		if (*at == '"' || *at == '\\')
			fputc('\\', out);
		fputc(*at, out);
	}
	fputc('"', out);
}

/* ---- out ---- */

static json_t *from_text(const char *text)
{
	return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

static json_t *print_words(const struct arm_member *member, const json_t *value)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; text && member->words[i]; i++)
		if (strcasecmp(member->words[i], text) == 0)
			return json_text(member->words[i]);
	return NULL;
}

static json_t *print_metadata(const json_t *array)
{
	json_t *object = json_object(), *item;
	char *name;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)array, i, item)
	{
		const char *text = json_string_value(item), *equals = strchr(text ? text : "", '=');

		if (!equals)
			continue;
		name = strndup(text, (size_t)(equals - text));
		json_put(object, name, json_text(equals + 1));
		free(name);
	}
	return object;
}

static json_t *print_member(const struct arm_shown *shown, const struct group *fields,
			    const struct arm_member *member);

static json_t *print_objects(const struct arm_shown *shown, const struct group *fields,
			     const struct arm_member *member, const json_t *array)
{
	json_t *printed = json_array(), *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)array, i, item)
	{
		struct arm_shown inside = *shown;
		json_t *object = json_object();

		inside.values = item;
		inside.outer = shown;
		for (const struct arm_member *inner = member->inner; inner->path; inner++)
			put_at(object, inner->path, print_member(&inside, fields, inner));
		json_add(printed, object);
	}
	return printed;
}

/* "10.0.0.4:53" is 10.0.0.4, "[2001:db8::4]:53" is 2001:db8::4; another port stays. */
static json_t *print_hosts(const json_t *array)
{
	json_t *printed = json_array(), *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)array, i, item)
	{
		const char *text = json_string_value(item),
			   *port = text ? strrchr(text, ':') : NULL;
		bool is_v6 = text && *text == '[';

		if (!port || strcmp(port, ":53") != 0 || (!is_v6 && strchr(text, ':') != port))
			json_add(printed, json_incref(item));
		else
			json_add(printed,
				 json_stringn(text + is_v6, (size_t)(port - text) - 2 * is_v6));
	}
	return printed;
}

/* Whether two texts are the same domain name, be its final dot there or not. */
static bool is_same_name(const char *left, const char *right)
{
	size_t length = strlen(left), other = strlen(right);

	length -= length > 1 && left[length - 1] == '.';
	other -= other > 1 && right[other - 1] == '.';
	return length == other && strncasecmp(left, right, length) == 0;
}

/* Whether what a client wrote says what is printed. */
static bool says_record(const struct arm_member *data, const json_t *written, const json_t *printed)
{
	for (; data->path; data++) {
		const json_t *said = arm_get(written, data->path),
			     *is = json_object_get(printed, data->path);
		const char *text = json_string_value(said), *own = json_string_value(is);
		bool same = data->form == ARM_NAME && text && own
				    ? is_same_name(text, own)
				    : said && json_equal((json_t *)(uintptr_t)said,
							 (json_t *)(uintptr_t)is);

		if (!same)
			return false;
	}
	return true;
}

/* A record as the client wrote it, who may look for it by the final dot that it gave. */
static json_t *as_written(const struct arm_member *member, const json_t *written, json_t *printed)
{
	if (!says_record(member->inner, written, printed))
		return printed;
	json_decref(printed);
	return json_incref((json_t *)(uintptr_t)written);
}

static json_t *print_records(const struct arm_shown *shown, const struct arm_member *member,
			     const json_t *array)
{
	const char *zone = shown->path.names[0];
	json_t *written = from_text(json_string_value(
		       json_object_get(json_object_get(shown->values, "azure"), member->path))),
	       *printed = json_array(), *item, *record;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)array, i, item)
	{
		record = print_record(member->inner, json_string_value(item), zone);
		json_add(printed,
			 as_written(member,
				    json_is_array(written) ? json_array_get(written, i) : written,
				    record));
	}
	json_decref(written);
	if (member->form != ARM_RECORD)
		return printed;
	record = json_incref(json_array_get(printed, 0));
	json_decref(printed);
	return record;
}

static void add_child(void *context, struct arm_shown *child)
{
	json_add(context, arm_print(child));
}

static json_t *print_children(const struct arm_shown *shown, const struct arm_member *member)
{
	const struct arm_type *type = arm_type_named(member->of, strlen(member->of));
	struct arm_shown outer = *shown;
	json_t *array = json_array();

	if (type->kind == KIND_SUBNET)
		outer.users = particular_users(shown->request, &shown->path);
	arm_each_child(&outer, type, add_child, array);
	json_decref(outer.users);
	return array;
}

static json_t *print_kept(const struct arm_shown *shown, const struct arm_member *member)
{
	const json_t *kept = json_object_get(shown->values, "azure");
	json_t *value = from_text(json_string_value(json_object_get(kept, member->path)));

	return value ? value : from_text(member->fallback);
}

static json_t *print_location(const struct arm_shown *shown, const json_t *value)
{
	const struct model *model = inventory_model(api_inventory(shown->request));
	const char *region = model_region(model, json_string_value(value));

	return json_text(region ? region : "global");
}

/* Of a member without a key. */
static json_t *print_keyless(const struct arm_shown *shown, const struct arm_member *member)
{
	switch (member->form) {
	case ARM_GLOBAL: return json_text("global");
	case ARM_CHILDREN: return print_children(shown, member);
	case ARM_KEPT: return print_kept(shown, member);
	default: return member->show ? member->show(shown) : from_text(member->fallback);
	}
}

/* Whether something is kept of the object that the member is in: "encryption.enforcement" beside
 * "encryption.enabled". */
static bool is_beside_kept(const struct arm_shown *shown, const struct arm_member *member)
{
	const char *dot = strrchr(member->path, '.'), *key;
	size_t length = dot ? (size_t)(dot - member->path) + 1 : 0;
	json_t *value;

	json_object_foreach(json_object_get(shown->values, "azure"), key,
			    value) if (length > 0 &&
				       strncmp(key, member->path, length) == 0) return true;
	return false;
}

/* NULL: it is not shown. `fields`: of the values. */
static json_t *print_member(const struct arm_shown *shown, const struct group *fields,
			    const struct arm_member *member)
{
	json_t *value = member->key ? json_object_get(shown->values, member->key) : NULL;
	const struct field *field = member->key ? schema_field(fields, member->key) : NULL;
	json_t *array, *item;
	size_t i;

	if (member->beside && !json_object_get(shown->values, member->beside))
		return NULL;
	if (shown->is_bare && member->form == ARM_SHOWN)
		return NULL;
	if (!member->key)
		return print_keyless(shown, member);
	if (member->form == ARM_LOCATION)
		return print_location(shown, value);
	if (member->form == ARM_TAGS)
		return value ? json_incref(value) : json_object();
	if (!value || json_is_null(value) || member->other ||
	    (member->quiet && values_is_default(shown->path.kind, member->key, value) &&
	     !is_beside_kept(shown, member)))
		return NULL;
	switch (member->form) {
	case ARM_WORD: return print_words(member, value);
	case ARM_METADATA: return json_array_size(value) > 0 ? print_metadata(value) : NULL;
	case ARM_ID:
	case ARM_ID_TEXT: return print_reference(shown, field, member, value);
	case ARM_SUBNET: return print_subnet(shown, value);
	case ARM_OBJECTS: return print_objects(shown, field->group, member, value);
	case ARM_HOSTS: return print_hosts(value);
	case ARM_RECORD:
	case ARM_RECORDS: return print_records(shown, member, value);
	case ARM_IDS:
		array = json_array();
		json_array_foreach(value, i, item)
			json_add(array, print_reference(shown, field, member, item));
		return array;
	default: return json_incref(value);
	}
}

static json_t *print_envelope(const struct arm_shown *shown)
{
	char id[ARM_ID_MAX], name[NAME_TEXT_MAX];

	return json_make("{s:o, s:o, s:o}", "id",
			 json_text(arm_id(shown->request, &shown->path, id)), "name",
			 json_text(arm_name(&shown->path, name)), "type",
			 json_sprintf("%s/%s", shown->type->family->provider, shown->type->path));
}

json_t *arm_print(const struct arm_shown *shown)
{
	json_t *body = shown->is_bare ? json_object() : print_envelope(shown);
	char path[ARM_TARGET_MAX], name[NAME_TEXT_MAX];

	if (shown->is_bare)
		json_put(body, "name", json_text(arm_name(&shown->path, name)));
	else
		json_put(body, "etag", json_text(shown->etag));
	json_put(body, "properties", json_object());
	for (const struct arm_member *member = shown->type->members; member->path; member++)
		put_at(body, member_path(member, path),
		       print_member(shown, fields_of(shown->type), member));
	return body;
}

json_t *arm_print_short(const struct arm_shown *shown)
{
	json_t *body = print_envelope(shown);
	char name[NAME_TEXT_MAX];

	if (shown->path.kind->parent)
		json_put(body, "name",
			 json_sprintf("%s/%s", shown->path.names[0], arm_name(&shown->path, name)));

	for (const struct arm_member *member = shown->type->members; member->path; member++)
		if (strcmp(member->path, "/location") == 0 || strcmp(member->path, "/tags") == 0)
			put_at(body, member->path + 1,
			       print_member(shown, fields_of(shown->type), member));
	return body;
}

/* ---- what there is ---- */

/* A hash of the item and of all that is shown with it. */
struct version {
	uint64_t hash;
};

static const struct hash_key fixed_key; /* a client's tag is good after a restart */

static void add_version(struct version *version, const struct arm_shown *shown);

static void add_child_version(void *context, struct arm_shown *child)
{
	add_version(context, child);
}

static void add_version(struct version *version, const struct arm_shown *shown)
{
	char *text = NULL;

	if (shown->revision == 0)
		text = json_dumps(shown->values, JSON_COMPACT | JSON_SORT_KEYS);
	version->hash = shown->revision > 0
				? etag_add_number(&fixed_key, version->hash, shown->revision)
				: etag_add_text(&fixed_key, version->hash, text);
	free(text);
	for (const struct arm_member *member = shown->type->members; member->path; member++)
		if (member->form == ARM_CHILDREN)
			arm_each_child(shown, arm_type_named(member->of, strlen(member->of)),
				       add_child_version, version);
}

bool arm_is_inside(const struct arm_type *type)
{
	const struct arm_type *parent = arm_type_parent(type);

	for (const struct arm_member *member = parent ? parent->members : NULL;
	     member && member->path; member++)
		if (member->form == ARM_CHILDREN &&
		    arm_type_named(member->of, strlen(member->of)) == type)
			return true;
	return false;
}

/* As a body has it: `text` is quoted. */
static void put_etag(struct arm_shown *shown, const char *text)
{
	enum arm_etag form = shown->type->family->etag;
	int length = (int)strlen(text);

	if (form == ARM_ETAG_BARE)
		snprintf(shown->etag, sizeof shown->etag, "%.*s", length - 2, text + 1);
	else
		snprintf(shown->etag, sizeof shown->etag, "%s%s", form == ARM_ETAG_WEAK ? "W/" : "",
			 text);
}

/* What is shown inside something shares that one's etag. */
static void set_etag(struct arm_shown *shown)
{
	struct version version = {0};
	struct change_error unused;
	struct arm_shown outer;
	const struct path root = part_root(&shown->path);
	char text[ETAG_MAX];

	if (arm_is_inside(shown->type) &&
	    arm_find(shown->request, arm_type_parent(shown->type), &root, &outer, &unused)) {
		memcpy(shown->etag, outer.etag, sizeof shown->etag);
		arm_shown_release(&outer);
		return;
	}
	add_version(&version, shown);
	put_etag(shown, etag_print(version.hash, 0, text));
}

void arm_show_plain(struct api_request *request, const struct arm_type *type,
		    const struct path *path, const void *item, struct arm_shown *shown)
{
	const void *given = type->shows_placed ? NULL : part_given(served(request), path);

	*shown = (struct arm_shown){.request = request,
				    .type = type,
				    .path = *path,
				    .item = item,
				    .revision = part_origin(item).revision};
	shown->values = values_print(path->kind, NULL, given ? given : item);
	if (type->show)
		type->show(shown, shown->values);
}

void arm_show_item(struct api_request *request, const struct arm_type *type,
		   const struct path *path, const void *item, struct arm_shown *shown)
{
	arm_show_plain(request, type, path, item, shown);
	set_etag(shown);
}

/* The path as it was first written. */
static struct path spelled(const struct api_request *request, const struct path *path,
			   const void *item)
{
	struct path own = *path, root = part_root(path);
	const void *outer = part_find(served(request), &root);

	if (outer) {
		own.group = part_group(root.kind, outer);
		own.names[0] = part_name(root.kind, outer);
	}
	if (path->kind->parent && item)
		own.names[1] = part_name(path->kind, item);
	return own;
}

void arm_show_address(struct api_request *request, const struct owned_resource *resource,
		      struct arm_shown *shown)
{
	const char *group = resource->item.resource_group;
	char etag[ETAG_MAX];

	*shown = (struct arm_shown){
		.request = request,
		.type = arm_type_of_kind(KIND_ADDRESS),
		.path = {resource->kind, group ? group : GROUP_NONE, {resource->item.name, NULL}},
		.values = owned_values(resource),
		.item = resource};
	/* Of what the file declares the PTR may be a resource of its own. */
	json_put_text(shown->values, "reverse_fqdn", resource->item.reverse_fqdn);
	put_etag(shown, owned_version_etag(resource, etag));
}

static bool find_address(struct api_request *request, const struct path *path,
			 struct arm_shown *shown, struct change_error *error)
{
	struct inventory *inventory = api_inventory(request);
	const struct owned_resource *resource = addresses_find(inventory, path);

	error->outcome = CHANGE_FINE;
	if (inventory_trouble(inventory))
		change_say(error, CHANGE_STORE, NULL, "%s", inventory_trouble(inventory));
	else if (resource &&
		 ownership_is_of(inventory, resource, api_parameter(request, "subscription")))
		arm_show_address(request, resource, shown);
	else
		resource = NULL;
	return resource && error->outcome == CHANGE_FINE;
}

void arm_show_group(struct api_request *request, const struct resource_group *group,
		    struct arm_shown *shown)
{
	char etag[ETAG_MAX];

	*shown = (struct arm_shown){
		.request = request,
		.type = arm_type_of_kind(KIND_GROUP),
		.path = {kind_of_id(KIND_GROUP), GROUP_NONE, {group->name, NULL}},
		.values = group_values(group),
		.revision = group->origin.revision,
		.is_implied = group->origin.revision == 0 && !group->origin.file};
	put_etag(shown, group_etag(group, etag));
}

bool arm_find_ungrouped(struct inventory *inventory, struct resource_group *group)
{
	const struct owned_resource *any;

	*group = (struct resource_group){.name = GROUP_NONE,
					 .region = inventory_model(inventory)->region};
	return inventory_group_after(inventory, NULL, NULL, &any, 1) > 0;
}

static bool find_group(struct api_request *request, const struct path *path,
		       struct arm_shown *shown, struct change_error *error)
{
	struct inventory *inventory = api_inventory(request);
	struct resource_group group;
	bool found = strcmp(path->names[0], GROUP_NONE) == 0
			     ? arm_find_ungrouped(inventory, &group)
			     : inventory_group(inventory, path->names[0], &group);

	error->outcome = CHANGE_FINE;
	if (inventory_trouble(inventory))
		change_say(error, CHANGE_STORE, NULL, "%s", inventory_trouble(inventory));
	else if (found)
		arm_show_group(request, &group, shown);
	return found && error->outcome == CHANGE_FINE;
}

bool arm_find_plain(struct api_request *request, const struct arm_type *type,
		    const struct path *path, struct arm_shown *shown, struct change_error *error)
{
	const void *item;
	struct path own;

	if (path->kind->id == KIND_GROUP)
		return find_group(request, path, shown, error);
	if (path->kind->inventory)
		return find_address(request, path, shown, error);
	item = item_find(request, path, &request->arena, error);
	own = spelled(request, path, item);
	if (item && !item_made_because(served(request), path)) {
		arm_show_plain(request, type, &own, item, shown);
		return true;
	}
	return error->outcome == CHANGE_FINE && type->record_type &&
	       particular_find_soa(request, type, &own, shown);
}

bool arm_find(struct api_request *request, const struct arm_type *type, const struct path *path,
	      struct arm_shown *shown, struct change_error *error)
{
	bool found = arm_find_plain(request, type, path, shown, error);

	if (found && !path->kind->inventory)
		set_etag(shown);
	return found;
}

void arm_shown_release(struct arm_shown *shown)
{
	json_decref(shown->values);
	json_decref(shown->users);
	shown->values = shown->users = NULL;
}

json_t *arm_base(const struct arm_shown *shown, struct change_error *error)
{
	error->outcome = CHANGE_FINE;
	if (shown->path.kind->id == KIND_GROUP)
		return json_deep_copy(shown->values);
	if (shown->path.kind->inventory)
		return owned_values(shown->item);
	return shown->revision > 0 ? service_values(shown->request->service, &shown->path, error)
				   : json_deep_copy(shown->values);
}

void arm_each_child(const struct arm_shown *shown, const struct arm_type *type,
		    void (*on_child)(void *context, struct arm_shown *child), void *context)
{
	const struct kind *kind = kind_of_id(type->kind);
	size_t size = kind_field(kind)->group->size;
	struct schema_list items = kind_list(kind, shown->item);

	for (size_t i = 0; i < items.count; i++) {
		const void *item = (const char *)items.items + i * size;
		const struct path path = part_path(kind, item, &shown->path);
		struct arm_shown child;

		if (item_made_because(served(shown->request), &path))
			continue;
		arm_show_plain(shown->request, type, &path, item, &child);
		memcpy(child.etag, shown->etag, sizeof child.etag);
		child.is_bare = shown->is_bare;
		child.users = json_incref(shown->users);
		on_child(context, &child);
		arm_shown_release(&child);
	}
}

/* ---- what is wrong ---- */

static void add_error(struct arm_errors *errors, unsigned status, const char *code,
		      const char *target, const char *message)
{
	json_t *item;
	size_t i;

	if (!errors->list)
		errors->list = json_array();
	json_array_foreach(errors->list, i,
			   item) if (target && *target &&
				     strcmp(json_text_of(item, "target"), target) ==
					     0) return; /* one thing is said of one member */
	if (errors->status == 0)
		errors->status = status;
	json_add(errors->list, json_make("{s:s, s:o, s:o}", "code", code, "message",
					 json_text(message), "target", json_text(target)));
}

void arm_error(struct arm_errors *errors, unsigned status, const char *code, const char *target,
	       const char *format, ...)
{
	char message[2 * ARM_ID_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	add_error(errors, status, code, target, message);
}

void arm_misfit(struct arm_errors *errors, const char *target, const char *format, ...)
{
	char text[API_TEXT_MAX], message[API_TEXT_MAX + ARM_TARGET_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	snprintf(message, sizeof message, "%s: %s", *target ? target : "the body", text);
	add_error(errors, 400, "InvalidRequestContent", target, message);
}

void arm_fail_all(struct arm_errors *errors)
{
	size_t count = json_array_size(errors->list);
	const json_t *first = json_array_get(errors->list, 0);
	json_t *error = json_make("{s:o}", "message", json_text(json_text_of(first, "message")));

	json_put(error, "code", json_text(json_text_of(first, "code")));
	json_put(error, "target", json_incref(json_object_get(first, "target")));
	if (count > 1)
		json_put(error, "message",
			 json_sprintf("%s (and %zu more)", json_text_of(first, "message"),
				      count - 1));
	json_put(error, "details", count > 1 ? json_incref(errors->list) : json_array());
	api_reply_json(errors->request, errors->status, json_make("{s:o}", "error", error), NULL);
}

void arm_errors_release(struct arm_errors *errors)
{
	json_decref(errors->list);
	*errors = (struct arm_errors){.request = errors->request};
}

/* ---- in ---- */

char *arm_target(const struct arm_reading *reading, const char *path, char text[ARM_TARGET_MAX])
{
	snprintf(text, ARM_TARGET_MAX, "%s%s", reading->place, path);
	return text;
}

static void misfit(const struct arm_reading *reading, const char *path, const char *expected)
{
	char target[ARM_TARGET_MAX];

	arm_misfit(reading->errors, arm_target(reading, path, target), "must be %s", expected);
}

/* The member of the body; NULL: it is not there, or is in something of the wrong type, which is an
 * error. */
static json_t *get_checked(struct arm_reading *reading, const char *path)
{
	const json_t *at = reading->body;
	const char *rest = path;
	struct step step;

	while (next_step(&rest, &step)) {
		char place[ARM_TARGET_MAX];
		size_t length = (size_t)(step.name - path) + step.length;

		at = member_of(at, step.name, step.length);
		if (!at)
			return NULL;
		snprintf(place, sizeof place, "%.*s", (int)length, path);
		if (step.in_array && (!json_is_array(at) || json_array_size(at) > 1)) {
			misfit(reading, place, "an array of one object");
			return NULL;
		}
		if (step.in_array)
			at = json_array_get(at, 0);
		if (*rest != '\0' && at && !json_is_object(at)) {
			misfit(reading, place,
			       step.in_array ? "an array of one object" : "an object");
			return NULL;
		}
	}
	return json_is_null(at) ? NULL : (json_t *)(uintptr_t)at;
}

static json_t *read_word(struct arm_reading *reading, const struct field *field,
			 const struct arm_member *member, const char *path, const json_t *value)
{
	const char *text = json_string_value(value);
	char expected[ARM_TARGET_MAX] = "";

	for (size_t i = 0; text && field->names[i]; i++)
		if (strcasecmp(field->names[i], text) == 0)
			return json_text(field->names[i]);
	for (size_t i = 0; member->words[i]; i++)
		text_append(expected, sizeof expected, "%s\"%s\"", i > 0 ? " or " : "",
			    member->words[i]);
	misfit(reading, path, expected);
	return NULL;
}

/* "West Europe" is westeurope. */
static json_t *read_location(struct arm_reading *reading, const char *path, const json_t *value)
{
	const char *text = json_string_value(value);
	char location[ARM_TARGET_MAX];
	size_t used = 0;

	if (!text || !*text || strlen(text) >= sizeof location) {
		misfit(reading, path, "the name of a region: \"westeurope\"");
		return NULL;
	}
	for (; *text; text++)
		if (*text != ' ')
			location[used++] = (char)name_lower((uint8_t)*text);
	location[used] = '\0';
	return json_text(location);
}

static json_t *read_metadata(struct arm_reading *reading, const char *path, const json_t *value)
{
	json_t *array = json_array(), *text;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)value, key, text)
	{
		if (json_is_string(text) && !strchr(key, '=')) {
			json_add(array, json_sprintf("%s=%s", key, json_string_value(text)));
			continue;
		}
		misfit(reading, path, "an object of strings, without \"=\" in their names");
		break;
	}
	if (!json_is_object(value))
		misfit(reading, path, "an object of strings: {\"NAME\": \"VALUE\"}");
	return array;
}

/* What the id names, which is the value itself or in an object. False: it is no such id, or nothing
 * is there, which is an error. */
static bool read_id(struct arm_reading *reading, const struct arm_type *of, bool is_text,
		    const char *path, const json_t *value, struct path *to)
{
	struct api_request *request = reading->request;
	const char *id = json_string_value(is_text                 ? value
					   : json_is_object(value) ? arm_get(value, "id")
								   : NULL);
	char target[ARM_TARGET_MAX], own[ARM_ID_MAX];
	const struct arm_type *type;

	if (!id) {
		misfit(reading, path,
		       is_text ? "an id: \"/subscriptions/...\""
			       : "an object with an id: {\"id\": \"/subscriptions/...\"}");
		return false;
	}
	snprintf(target, sizeof target, "%s%s%s", reading->place, path, is_text ? "" : ".id");
	if (arm_id_read(request, id, &type, to) != 0 || type != of || *path_name(to) == '\0') {
		arm_misfit(reading->errors, target,
			   "\"%.300s\" is not the id of one; give /subscriptions/SUBSCRIPTION/"
			   "resourceGroups/GROUP/providers/" ARM_PROVIDER "/%.*s/NAME%s%s",
			   id, (int)strcspn(of->path, "/"), of->path,
			   strchr(of->path, '/') ? strchr(of->path, '/') : "",
			   strchr(of->path, '/') ? "/NAME" : "");
		return false;
	}
	if (part_find(served(request), to))
		return true;
	arm_error(reading->errors, 400, "InvalidResourceReference", target,
		  "Resource %s referenced by resource %s was not found. Please make sure that the "
		  "referenced resource exists, and that both resources are in the same region.",
		  id, arm_id(request, reading->path, own));
	return false;
}

static json_t *read_reference_of(struct arm_reading *reading, const struct arm_member *member,
				 const char *path, const json_t *value)
{
	struct path to;

	if (!read_id(reading, arm_type_named(member->of, strlen(member->of)),
		     member->form == ARM_ID_TEXT, path, value, &to))
		return NULL;
	to = spelled(reading->request, &to, part_find(served(reading->request), &to));
	return to.kind->parent ? json_sprintf("%s/%s/%s", to.group, to.names[0], to.names[1])
			       : json_sprintf("%s/%s", to.group, to.names[0]);
}

static json_t *read_references(struct arm_reading *reading, const struct arm_member *member,
			       const char *path, const json_t *value)
{
	json_t *array = json_array(), *item, *text;
	char place[ARM_TARGET_MAX];
	size_t i;

	if (!json_is_array(value) || (member->required && json_array_size(value) == 0))
		misfit(reading, path, "an array of objects with an id: [{\"id\": \"...\"}]");
	json_array_foreach((json_t *)(uintptr_t)value, i, item)
	{
		snprintf(place, sizeof place, "%s[%zu]", path, i);
		text = read_reference_of(reading, member, place, item);
		if (text)
			json_add(array, text);
	}
	return array;
}

static json_t *read_subnet(struct arm_reading *reading, const char *path, const json_t *value)
{
	const char *of = "virtualNetworks/subnets";
	char target[ARM_TARGET_MAX], id[ARM_ID_MAX];
	struct path to, network;

	if (!find_network(reading->request, reading->path, &network) ||
	    !read_id(reading, arm_type_named(of, strlen(of)), false, path, value, &to))
		return NULL;
	if (strcasecmp(network.group, to.group) == 0 &&
	    strcasecmp(network.names[0], to.names[0]) == 0)
		return json_text(path_name(&to));
	snprintf(target, sizeof target, "%s%s.id", reading->place, path);
	arm_misfit(reading->errors, target,
		   "the subnet is not in the resolver's network; give one of %s",
		   arm_id(reading->request, &network, id));
	return NULL;
}

static json_t *read_form(struct arm_reading *reading, const struct field *field,
			 const struct arm_member *member, const char *path, json_t *value);

/* The keys of one object of a body; places of errors begin with `path`. */
static json_t *read_object(struct arm_reading *reading, const struct group *fields,
			   const struct arm_member *member, const char *path, const json_t *said)
{
	json_t *object = json_object();
	char place[ARM_TARGET_MAX];

	for (const struct arm_member *inner = member->inner; inner->path; inner++) {
		json_t *value = inner->key ? arm_get(said, inner->path) : NULL, *read;
		bool is_empty = json_is_string(value) && json_string_length(value) == 0;

		if (!value || is_empty)
			continue;
		snprintf(place, sizeof place, "%s.%s", path, inner->path);
		read = read_form(reading, schema_field(fields, inner->key), inner, place, value);
		if (read)
			json_put(object, inner->key, read);
	}
	return object;
}

/* Whether two objects have the same members of those that Azure has, with defaults. */
static bool is_same_object(const struct group *fields, const struct arm_member *member,
			   const json_t *left, const json_t *right)
{
	for (const struct arm_member *inner = member->inner; inner->path; inner++) {
		const struct field *field = inner->key ? schema_field(fields, inner->key) : NULL;
		json_t *a = field ? json_object_get(left, inner->key) : NULL,
		       *b = field ? json_object_get(right, inner->key) : NULL;

		if (!a && !b)
			continue;
		if (a && b ? json_equal(a, b) : values_is_fallback(field, a ? a : b))
			continue;
		return false;
	}
	return true;
}

/* An item that is there already stays whole, with what Azure has no member for. */
static json_t *read_objects(struct arm_reading *reading, const struct field *field,
			    const struct arm_member *member, const char *path, const json_t *value)
{
	json_t *array = json_array(), *said, *now;
	const json_t *before = json_object_get(reading->base, member->key);
	char place[ARM_TARGET_MAX];
	size_t i, k;

	if (!json_is_array(value))
		misfit(reading, path, "an array of objects");
	json_array_foreach((json_t *)(uintptr_t)value, i, said)
	{
		json_t *read;

		snprintf(place, sizeof place, "%s[%zu]", path, i);
		if (!json_is_object(said)) {
			misfit(reading, place, "an object");
			continue;
		}
		read = read_object(reading, field->group, member, place, said);
		json_array_foreach((json_t *)(uintptr_t)before, k, now)
		{
			if (!is_same_object(field->group, member, read, now))
				continue;
			json_decref(read);
			read = json_incref(now);
			break;
		}
		json_add(array, read);
	}
	return array;
}

/* Whether it is one part of a record's data: no more than that, and no comment. */
static bool is_word(const char *text)
{
	return text && *text && text[strcspn(text, " \t\r\n;()\"")] == '\0';
}

static bool read_datum(const struct arm_member *data, const json_t *value, FILE *out)
{
	const char *text = json_string_value(value);
	json_t *string;
	size_t i;

	switch (data->form) {
	case ARM_NUMBER:
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case ARM_NAME:
		fprintf(out, "%s%s", text ? text : "",
			text && *text && text[strlen(text) - 1] == '.' ? "" : ".");
		return is_word(text);
	case ARM_STRINGS:
		json_array_foreach((json_t *)(uintptr_t)value, i, string)
		{
			if (!json_is_string(string))
				return false;
			fputs(i > 0 ? " " : "", out);
			add_string(out, json_string_value(string));
		}
		return json_array_size(value) > 0;
	default: fputs(text ? text : "", out); return is_word(text);
	}
}

static const char *datum_expected(const struct arm_member *data)
{
	switch (data->form) {
	case ARM_NUMBER: return "a whole number";
	case ARM_NAME: return "a domain name";
	case ARM_STRINGS: return "an array of strings";
	default: return "an address";
	}
}

/* NULL: it does not fit, which is an error. */
static json_t *read_record(struct arm_reading *reading, const struct arm_member *member,
			   const char *path, const json_t *value)
{
	char *text = NULL, place[ARM_TARGET_MAX];
	size_t length;
	FILE *out = open_memstream(&text, &length);
	json_t *record = NULL;
	bool good = out && json_is_object(value);

	if (out && !good)
		misfit(reading, path, "an object");
	for (const struct arm_member *data = member->inner; good && data->path; data++) {
		if (data > member->inner)
			fputc(' ', out);
		good = read_datum(data, arm_get(value, data->path), out);
		snprintf(place, sizeof place, "%s.%s", path, data->path);
		if (!good)
			misfit(reading, place, datum_expected(data));
	}
	if (out && fclose(out) == 0 && good)
		record = json_text(text);
	free(text);
	return record;
}

/* A record that is there already stays as it was written. */
static json_t *keep_record(struct arm_reading *reading, const struct arm_member *member,
			   json_t *record)
{
	const char *zone = reading->path->names[0];
	json_t *now,
		*is = record ? print_record(member->inner, json_string_value(record), zone) : NULL;
	size_t i;

	json_array_foreach(json_object_get(reading->base, member->key), i, now)
	{
		json_t *was = print_record(member->inner, json_string_value(now), zone);
		bool same = json_equal(was, is);

		json_decref(was);
		if (!same)
			continue;
		json_decref(record);
		record = json_incref(now);
		break;
	}
	json_decref(is);
	return record;
}

static json_t *read_records(struct arm_reading *reading, const struct arm_member *member,
			    const char *path, const json_t *value)
{
	json_t *array = json_array(), *item, *record;
	char place[ARM_TARGET_MAX];
	size_t i;

	if (member->form == ARM_RECORD) {
		record = keep_record(reading, member, read_record(reading, member, path, value));
		if (record)
			json_add(array, record);
		return array;
	}
	if (!json_is_array(value))
		misfit(reading, path, "an array of objects");
	json_array_foreach((json_t *)(uintptr_t)value, i, item)
	{
		snprintf(place, sizeof place, "%s[%zu]", path, i);
		record = keep_record(reading, member, read_record(reading, member, place, item));
		if (record)
			json_add(array, record);
	}
	return array;
}

/* As it is: the engine says what does not fit. But an empty array or object is for it as if nothing
 * were given. */
static json_t *read_plain(struct arm_reading *reading, const struct field *field, const char *path,
			  json_t *value)
{
	bool is_list = field->type == FIELD_STRINGS || field->type == FIELD_DOMAINS ||
		       field->type == FIELD_HOSTS || field->type == FIELD_PREFIXES;
	char expected[ARM_TARGET_MAX];

	if ((json_is_object(value) && json_object_size(value) == 0) ||
	    (json_is_array(value) && json_array_size(value) == 0 && !is_list)) {
		misfit(reading, path, schema_expected(field, expected, sizeof expected));
		return NULL;
	}
	return json_incref(value);
}

/* The members of a record as a client wrote them, by Azure's names. */
static json_t *written_record(const struct arm_member *data, const json_t *value)
{
	json_t *object = json_object();

	for (; data->path; data++) {
		json_t *datum = arm_get(value, data->path);

		if (datum)
			json_put(object, data->path, json_incref(datum));
	}
	return object;
}

/* Keeps how the names of records were written, where that is not how they are printed. */
static void keep_written(struct arm_reading *reading, const struct arm_member *member,
			 const json_t *value, const json_t *records)
{
	json_t *printed = json_array(), *written = json_array(), *item;
	bool is_one = member->form == ARM_RECORD;
	char *text;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)records, i, item)
	{
		json_add(printed, print_record(member->inner, json_string_value(item),
					       reading->path->names[0]));
		json_add(written,
			 written_record(member->inner, is_one ? value : json_array_get(value, i)));
	}
	json_object_del(reading->kept, member->path);
	if (!json_equal(written, printed)) {
		text = json_dumps(is_one ? json_array_get(written, 0) : written,
				  JSON_COMPACT | JSON_SORT_KEYS);
		json_put(reading->kept, member->path, json_text(text));
		free(text);
	}
	json_decref(printed);
	json_decref(written);
}

/* The value of a key; NULL: it does not fit, which is an error. */
static json_t *read_form(struct arm_reading *reading, const struct field *field,
			 const struct arm_member *member, const char *path, json_t *value)
{
	switch (member->form) {
	case ARM_WORD: return read_word(reading, field, member, path, value);
	case ARM_LOCATION: return read_location(reading, path, value);
	case ARM_TAGS:
		if (!json_is_object(value))
			misfit(reading, path, "an object of strings: {\"NAME\": \"VALUE\"}");
		return json_incref(value);
	case ARM_METADATA: return read_metadata(reading, path, value);
	case ARM_ID:
	case ARM_ID_TEXT: return read_reference_of(reading, member, path, value);
	case ARM_IDS: return read_references(reading, member, path, value);
	case ARM_SUBNET: return read_subnet(reading, path, value);
	case ARM_OBJECTS: return read_objects(reading, field, member, path, value);
	case ARM_RECORD:
	case ARM_RECORDS: return read_records(reading, member, path, value);
	default: return read_plain(reading, field, path, value);
	}
}

/* ---- in: member by member ---- */

/* A member in a body. An empty text is none, where the member need not be there. */
static json_t *get_member(struct arm_reading *reading, const struct arm_member *member,
			  const char *path)
{
	json_t *value = get_checked(reading, path);
	bool is_empty = json_is_string(value) && json_string_length(value) == 0;

	return is_empty && !member->required ? NULL : value;
}

/* Whether another member gives the same key. */
static bool has_other(struct arm_reading *reading, const struct arm_member *member)
{
	char path[ARM_TARGET_MAX];

	for (const struct arm_member *other = reading->type->members; other->path; other++)
		if (other->other && other->key && strcmp(other->key, member->key) == 0 &&
		    get_member(reading, other, member_path(other, path)))
			return true;
	return false;
}

static void fail_lacking(struct arm_reading *reading, const struct arm_member *member,
			 const char *path)
{
	char target[ARM_TARGET_MAX];

	arm_target(reading, path, target);
	if (member->form == ARM_LOCATION)
		arm_error(reading->errors, 400, "LocationRequired", target,
			  "the body has no location; give the name of a region");
	else
		arm_misfit(reading->errors, target, "is missing; it is required");
}

static void fail_fixed(struct arm_reading *reading, const struct arm_member *member,
		       const char *path)
{
	char target[ARM_TARGET_MAX], name[NAME_TEXT_MAX];

	arm_target(reading, path, target);
	arm_name(reading->path, name);
	if (reading->type->kind == KIND_GROUP)
		arm_error(reading->errors, 409, "InvalidResourceGroupLocation", target,
			  "Invalid resource group location '%s'. The Resource group already exists "
			  "in location '%s'.",
			  json_text_of(reading->body, "location"),
			  json_string_value(arm_get(reading->shown, "location")));
	else if (member->form == ARM_LOCATION)
		arm_error(reading->errors, 409, "InvalidResourceLocation", target,
			  "The resource '%s' already exists in location '%s'. A resource with the "
			  "same name cannot be created in another location; delete it first.",
			  name, json_string_value(arm_get(reading->shown, "location")));
	else
		arm_error(reading->errors, 409, "Conflict", target,
			  "%s: it cannot change; delete %s and make it anew", target, name);
}

/* Whether the value says what the key has now, also where it is written otherwise. */
static bool is_value(const struct arm_reading *reading, const struct arm_member *member,
		     const json_t *value)
{
	const json_t *now = json_object_get(reading->base, member->key);
	const char *text = json_string_value(value), *own = json_string_value(now);

	if (member->form == ARM_LOCATION && reading->shown)
		own = json_string_value(arm_get(reading->shown, "location"));
	if (!text || !own)
		return json_equal((json_t *)(uintptr_t)value, (json_t *)(uintptr_t)now);
	if (schema_field(fields_of(reading->type), member->key)->type == FIELD_DOMAIN) {
		size_t length = strlen(text), own_length = strlen(own);

		length -= length > 1 && text[length - 1] == '.';
		own_length -= own_length > 1 && own[own_length - 1] == '.';
		return length == own_length && strncasecmp(text, own, length) == 0;
	}
	return (member->fixed ? strcasecmp(text, own) : strcmp(text, own)) == 0;
}

static void take_value(struct arm_reading *reading, const struct arm_member *member,
		       const char *path, json_t *value)
{
	const struct kind *kind = kind_of_id(reading->type->kind);
	json_t *read = read_form(reading, schema_field(fields_of(reading->type), member->key),
				 member, path, value);
	bool was_there = json_object_get(reading->base, member->key);

	if (!read)
		return;
	if (member->form == ARM_RECORD || member->form == ARM_RECORDS)
		keep_written(reading, member, value, read);
	if (is_value(reading, member, read) ||
	    (!was_there && !member->required && values_is_default(kind, member->key, read)))
		json_decref(read);
	else if (member->fixed && reading->shown)
		fail_fixed(reading, member, path), json_decref(read);
	else
		json_put(reading->values, member->key, read);
}

static void read_member(struct arm_reading *reading, const struct arm_member *member)
{
	char path[ARM_TARGET_MAX];
	json_t *value, *now;

	value = get_member(reading, member, member_path(member, path));
	now = reading->shown ? arm_get(reading->shown, path) : NULL;
	if (value && now && !member->other && json_equal(value, now))
		return; /* as it is shown, so as it is */
	if (value) {
		take_value(reading, member, path, value);
		return;
	}
	if (reading->merges || member->other || has_other(reading, member))
		return;
	value = json_object_get(reading->values, member->key);
	json_object_del(reading->kept, member->path); /* how its records were written */
	if (member->required)
		fail_lacking(reading, member, path);
	else if (value && !values_is_default(kind_of_id(reading->type->kind), member->key, value))
		json_object_del(reading->values, member->key);
}

static void read_global(struct arm_reading *reading)
{
	const json_t *value = get_checked(reading, "location");
	const char *text = json_string_value(value);
	char target[ARM_TARGET_MAX];

	if (value ? text && strcasecmp(text, "global") == 0 : reading->merges || reading->shown)
		return;
	arm_target(reading, "location", target);
	if (!value)
		arm_error(reading->errors, 400, "LocationRequired", target,
			  "the body has no location; give \"global\"");
	else
		arm_error(reading->errors, 400, "LocationNotAvailableForResourceType", target,
			  "The provided location '%s' is not available for resource type "
			  "'" ARM_PROVIDER "/%s'. List of available regions for the resource type "
			  "is 'global'.",
			  text ? text : "", reading->type->path);
}

/* What nothing here uses is kept as JSON, by the path that it has. */
static void read_kept(struct arm_reading *reading, const struct arm_member *member)
{
	char path[ARM_TARGET_MAX], *text;
	json_t *value, *usual = from_text(member->fallback);

	value = arm_get(reading->body, member_path(member, path));
	if (member->beside && !json_object_get(reading->values, member->beside))
		value = NULL;
	if (value && json_equal(value, reading->shown ? arm_get(reading->shown, path) : NULL)) {
		json_decref(usual);
		return; /* as it is shown, so as it is */
	}
	if (member->required && !value && !reading->merges)
		fail_lacking(reading, member, path);
	if (value && !json_equal(value, usual)) {
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
		json_put(reading->kept, member->path, json_text(text));
		free(text);
	} else if (value || !reading->merges) {
		json_object_del(reading->kept, member->path);
	}
	json_decref(usual);
}

/* ---- in: what is inside ---- */

struct children { /* of a body */
	struct arm_reading *reading;
	const struct arm_type *type;
	const json_t *array;
};

static json_t *child_named(const json_t *array, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)array, i, item)
	{
		const char *own = json_string_value(arm_get(item, "name"));

		if (own && strcasecmp(own, name) == 0)
			return item;
	}
	return NULL;
}

static void add_edit(struct arm_reading *reading, const struct path *path, const void *item,
		     json_t *values)
{
	struct change_error error;

	if (!item_may_change(served(reading->request), path, item, !values, &error)) {
		arm_error(reading->errors, 409, "ResourceReadOnly", reading->place, "%s: %s",
			  path_name(path), error.text);
		json_decref(values);
	} else if (api_edit_also(reading->edit, path, values) != 0) {
		arm_error(reading->errors, 503, "OutOfMemory", NULL, "%s", err_text(ERR_NOMEM));
	}
}

static void read_child(struct arm_reading *outer, const struct arm_type *type, const json_t *body,
		       const char *place)
{
	struct api_request *request = outer->request;
	const char *name = json_string_value(arm_get(body, "name"));
	const struct path path = {
		kind_of_id(type->kind),
		outer->path->group,
		{outer->path->names[0], arena_strdup(&request->arena, name ? name : "")}};
	struct arm_reading reading = {.request = request,
				      .edit = outer->edit,
				      .type = type,
				      .path = &path,
				      .place = place,
				      .body = body,
				      .errors = outer->errors};
	struct arm_shown shown = {.values = NULL};
	struct change_error error;
	json_t *base = NULL;

	if (!json_is_object(body) || !name || !*name) {
		misfit(&reading, "name", "the name of a resource");
		return;
	}
	if (arm_find_plain(request, type, &path, &shown, &error)) {
		reading.shown = arm_print(&shown);
		reading.base = base = arm_base(&shown, &error);
	}
	arm_read_body(&reading);
	if (!json_equal(reading.values, base)) {
		if (!base)
			json_put(reading.values, "name", json_text(name));
		add_edit(outer, &path, shown.item, json_incref(reading.values));
	}
	json_decref(reading.values);
	json_decref((json_t *)(uintptr_t)reading.shown);
	json_decref(base);
	arm_shown_release(&shown);
}

static void remove_missing(void *context, struct arm_shown *child)
{
	const struct children *children = context;

	if (child_named(children->array, path_name(&child->path)))
		return;
	if (particular_is_held(child, children->reading->errors))
		return;
	add_edit(children->reading, &child->path, child->item, NULL);
}

/* A body that has them has all of them. */
static void read_children(struct arm_reading *reading, const struct arm_member *member)
{
	const struct arm_type *type = arm_type_named(member->of, strlen(member->of));
	char path[ARM_TARGET_MAX], target[ARM_TARGET_MAX];
	json_t *array = get_checked(reading, member_path(member, path)), *item;
	struct children children = {reading, type, array};
	struct arm_shown shown;
	struct change_error error;
	size_t i;

	if (!array)
		return;
	if (!json_is_array(array)) {
		misfit(reading, path, "an array of resources");
		return;
	}
	json_array_foreach(array, i, item)
	{
		const char *place = arena_printf(&reading->request->arena, "%s%s[%zu].",
						 reading->place, path, i);
		const char *name = json_string_value(arm_get(item, "name"));

		if (name && child_named(array, name) != item) {
			snprintf(target, sizeof target, "%sname", place ? place : "");
			arm_misfit(reading->errors, target,
				   "\"%.80s\" occurs twice; give each name once", name);
			continue;
		}
		read_child(reading, type, item, place ? place : "");
	}
	if (!reading->shown ||
	    !arm_find_plain(reading->request, reading->type, reading->path, &shown, &error))
		return;
	if (type->kind == KIND_SUBNET)
		shown.users = particular_users(reading->request, reading->path);
	arm_each_child(&shown, type, remove_missing, &children);
	arm_shown_release(&shown);
}

void arm_read_body(struct arm_reading *reading)
{
	reading->values = reading->base ? json_deep_copy(reading->base) : json_object();
	(void)get_checked(reading, "properties.provisioningState"); /* is it an object? */
	reading->kept = json_deep_copy(json_object_get(reading->values, "azure"));
	if (!reading->kept)
		reading->kept = json_object();
	for (const struct arm_member *member = reading->type->members; member->path; member++)
		switch (member->form) {
		case ARM_SHOWN: break;
		case ARM_GLOBAL: read_global(reading); break;
		case ARM_KEPT: read_kept(reading, member); break;
		case ARM_CHILDREN: read_children(reading, member); break;
		default: read_member(reading, member);
		}
	if (json_object_size(reading->kept) > 0)
		json_put(reading->values, "azure", json_incref(reading->kept));
	else if (json_object_size(json_object_get(reading->values, "azure")) > 0)
		json_object_del(reading->values, "azure");
	json_decref(reading->kept);
	if (reading->type->read)
		reading->type->read(reading);
}

/* ---- faults ---- */

char *arm_target_of_key(const struct arm_type *type, const char *key, char text[ARM_TARGET_MAX])
{
	size_t length = strcspn(key, "[.");
	char path[ARM_TARGET_MAX];

	for (const struct arm_member *member = type->members; member->path; member++) {
		const char *rest = key + length, *dot = strchr(rest, '.');

		if (!member->key || member->other || strncmp(member->key, key, length) != 0 ||
		    member->key[length] != '\0')
			continue;
		member_path(member, path);
		for (const struct arm_member *inner = member->inner;
		     dot && member->form == ARM_OBJECTS && inner->path; inner++) {
			if (strcmp(inner->key, dot + 1) != 0)
				continue;
			snprintf(text, ARM_TARGET_MAX, "%s%.*s.%s", path, (int)(dot - rest), rest,
				 inner->path);
			return text;
		}
		snprintf(text, ARM_TARGET_MAX, "%s%s", path, rest);
		return text;
	}
	snprintf(text, ARM_TARGET_MAX, "%s", strcmp(key, "name") == 0 ? key : "");
	return text;
}
