/* Resources come in any order and from several files. They are collected first, and then put into
 * the tree in the order of the API's table of types, so that references find their targets.
 *
 *     body ─► azure/reading, by the rows of azure/type ─► values ─► tree, each at its line
 *                │ ids, children
 *                └─► resources of these files
 *
 * The table translates Azure's members. This file adds only what an import also needs: which types
 * it carries, what has no counterpart, duplicate names, and references to resources in none of the
 * files. A missing network of a link or resolver is made from its id, in the region of the resource
 * that refers to it, and the missing zone of records or links is made from its id alone; other
 * missing resources are reported.
 *
 * Values that the server only keeps for Azure's clients are not carried over. */
#include "resolver/control/import/azure.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/reading.h"
#include "resolver/control/base/exit.h"
#include "resolver/control/base/json.h"
#include "resolver/control/import/json_file.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

struct resource {
	const struct arm_type *type;
	const char *subscription;
	struct path path; /* from the id */
	struct path own;  /* in the tree; group or name may differ */
	json_t *body;     /* NULL: in none of the files */
	struct origin at;
	struct node *node;        /* NULL: not in the tree */
	struct resource *network; /* for a resolver */
	bool has_endpoint;        /* for a network: with an inbound endpoint */
	struct resource *next;
};

struct azure {
	struct resource *first, **last;
	bool same_space;     /* two networks have the same prefix */
	bool places_unknown; /* the group or subscription of some resources is unknown */
};

struct putting { /* a resource on its way into the tree */
	struct import *import;
	struct resource *resource;
	const struct resource *parent; /* NULL: a top-level resource */
};

static struct azure *azure_of(struct import *import)
{
	struct azure *azure = import_find(import, "azure");

	if (!azure) {
		azure = import_alloc(import, sizeof *azure);
		*azure = (struct azure){.last = &azure->first};
		import_keep(import, "azure", azure);
	}
	return azure;
}

/* ---- types ---- */

#define NO_ANSWERS "nothing that answers DNS is made of it"

/* Types that are not carried over; `why` NULL: nothing is lost with them. */
static const struct {
	const char *type, *why; /* type: below Microsoft.Network */
} reasons[] = {
	{"dnsResolverPolicies*", "sluice has no security policies: it blocks no names"},
	{"dnsResolverDomainLists", "sluice has no security policies: it blocks no names"},
	{"dnsZones*", "public zones are not served; a private zone may have its records"},
	{"privateEndpoints/privateDnsZoneGroups",
	 "Azure makes its records; give `az network private-dns record-set list -o json` of the "
	 "zone"},
	{"privateEndpoints", NO_ANSWERS},
	{"networkInterfaces", NO_ANSWERS},
	{"virtualNetworks/virtualNetworkPeerings", NULL},
	{"networkSecurityGroups*", NULL},
	{"routeTables*", NULL},
};

/* az's commands that list the kinds that have children or are referred to. */
static const struct {
	unsigned kind;
	const char *command;
} lists[] = {
	{KIND_NETWORK, "network vnet list"},
	{KIND_RESOLVER, "dns-resolver list"},
	{KIND_OUTBOUND, "dns-resolver outbound-endpoint list"},
	{KIND_RULESET, "dns-resolver forwarding-ruleset list"},
};

static bool fits(const char *pattern, const char *type)
{
	size_t length = strlen(pattern);

	return pattern[length - 1] == '*' ? strncasecmp(pattern, type, length - 1) == 0
					  : strcasecmp(pattern, type) == 0;
}

/* Whether the type, below Microsoft.Network, is carried over. *why: why not. */
static bool is_carried(const char *type, const char **why)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (fits(reasons[i].type, type)) {
			*why = reasons[i].why;
			return false;
		}
	*why = NO_ANSWERS;
	return arm_type_named(type);
}

bool azure_carries(struct import *import, const char *type, const struct origin *at)
{
	static const char provider[] = ARM_PROVIDER "/";
	struct origin there = import_place(import, at->file, at->line, type);
	const char *why = NO_ANSWERS;

	if (strcasecmp(type, "Microsoft.Resources/resourceGroups") == 0)
		return false;
	if (strncasecmp(type, provider, sizeof provider - 1) == 0 &&
	    is_carried(type + sizeof provider - 1, &why))
		return true;
	if (why)
		import_lost(import, &there, "%s", why);
	return false;
}

/* ---- ids ---- */

const char *azure_id(struct import *import, const char *subscription, const char *group,
		     const char *type, const char *name)
{
	char *types = import_printf(import, "%s", type), *names = import_printf(import, "%s", name);
	char *provider = strsep(&types, "/"), *id;

	id = import_printf(import, "/subscriptions/%s/resourceGroups/%s/providers/%s", subscription,
			   group, provider);
	while (types && names)
		id = import_printf(import, "%s/%s/%s", id, strsep(&types, "/"),
				   strsep(&names, "/"));
	return id;
}

/* False: no id of a resource in the table. */
static bool parse_id(struct import *import, const char *id, struct resource *resource)
{
	*resource = (struct resource){.body = NULL};
	return arm_id_split(import_arena(import), id, &resource->subscription, &resource->type,
			    &resource->path) == 0;
}

static const char *key_of(struct import *import, const struct resource *resource)
{
	const struct path *path = &resource->path;

	return text_lower(import_printf(import, "azure id %s %s %s/%s/%s", resource->subscription,
					resource->type->path, path->group, path->names[0],
					path->names[1] ? path->names[1] : ""));
}

/* Whether subscription or group of the resource is unknown. */
static bool is_somewhere(const struct resource *resource)
{
	return strcmp(resource->path.group, AZURE_UNKNOWN) == 0 ||
	       strcmp(resource->subscription, AZURE_UNKNOWN) == 0;
}

static void add(struct import *import, struct resource *resource)
{
	struct azure *azure = azure_of(import);

	*azure->last = resource;
	azure->last = &resource->next;
	azure->places_unknown |= is_somewhere(resource);
	import_keep(import, key_of(import, resource), resource);
}

static bool alike(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0 || strcmp(a, AZURE_UNKNOWN) == 0 ||
	       strcmp(b, AZURE_UNKNOWN) == 0;
}

/* Finds the resource with the same id, as far as both ids are known. */
static struct resource *find(struct import *import, const struct resource *like)
{
	struct azure *azure = azure_of(import);
	struct resource *found = import_find(import, key_of(import, like));

	if (found || !(azure->places_unknown || is_somewhere(like)))
		return found;
	for (struct resource *at = azure->first; at && !found; at = at->next)
		if (at->type == like->type && alike(at->path.group, like->path.group) &&
		    alike(at->subscription, like->subscription) &&
		    strcasecmp(at->path.names[0], like->path.names[0]) == 0 &&
		    (!like->path.kind->parent ||
		     strcasecmp(at->path.names[1], like->path.names[1]) == 0))
			found = at;
	return found;
}

static void put(struct import *import, struct resource *resource);

/* Makes a resource that no file has, from its names. */
static struct resource *make(struct import *import, const struct resource *like,
			     const struct origin *at)
{
	struct resource *resource = import_alloc(import, sizeof *resource);

	*resource = *like;
	resource->at = (struct origin){.file = at->file, .line = at->line};
	put(import, resource);
	add(import, resource);
	return resource;
}

/* ---- places ---- */

/* The place of the value at that path of the body, or of the nearest one around it; the place is
 * named after the resource and the path. */
static struct origin place_at(const struct putting *putting, const char *target)
{
	static const char around[] = "properties.";
	struct import *import = putting->import;
	const struct resource *resource = putting->resource;
	char *path = import_printf(import, "%s", target), *last;
	const char *what = strncmp(target, around, sizeof around - 1) == 0
				   ? target + sizeof around - 1
				   : target;
	struct origin at = {.line = 0};

	for (; at.line == 0 && *path != '\0'; *last = '\0') {
		at = json_file_at(import, arm_get(resource->body, path), NULL);
		last = path + strlen(path) - 1;
		while (last > path && !strchr(".[", *last))
			last--;
	}
	if (at.line == 0)
		at = resource->at;
	if (*what == '\0')
		return import_place(import, at.file, at.line, resource->at.path);
	return import_place(
		import, at.file, at.line,
		resource->at.path ? import_printf(import, "%s.%s", resource->at.path, what) : what);
}

/* ---- members without a counterpart ---- */

/* Members that are not reported although the table lacks them: those of every resource, those that
 * Azure computes, and those that do not concern DNS. */
static const char *const passed_over[] = {
	/* the envelope */
	"etag", "extendedLocation", "id", "identity", "location", "managedBy", "name", "properties",
	"resourceGroup", "resourceGuid", "systemData", "type",
	/* of networks and their subnets */
	"applicationGateways", "enableVmProtection", "flowLogs", "ipConfigurationProfiles",
	"privateEndpoints", "purpose", "resourceNavigationLinks", "serviceAssociationLinks",
	/* of addresses */
	"ipConfiguration", "linkedPublicIPAddress", "servicePublicIPAddress", NULL};

static bool is_known(const struct arm_type *type, const char *name)
{
	const char *const *passed = passed_over;

	while (*passed && strcasecmp(*passed, name) != 0)
		passed++;
	for (const struct arm_member *member = type->members; !*passed && member->path; member++) {
		const char *path = member->path + (*member->path == '/');
		size_t length = strcspn(path, ".[");

		if (strncasecmp(path, name, length) == 0 && name[length] == '\0')
			return true;
	}
	return *passed;
}

static bool is_empty(const json_t *value)
{
	return json_is_null(value) || json_is_false(value) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

static void tell_members(const struct putting *putting, json_t *object, const char *ahead)
{
	struct import *import = putting->import;
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		struct origin at;

		if (is_known(putting->resource->type, key) || is_empty(value))
			continue;
		at = place_at(putting, import_printf(import, "%s%s", ahead, key));
		import_lost(import, &at, "%s",
			    strcasecmp(key, "tags") == 0
				    ? "resources of this type have no tags here"
				    : "sluice has nothing that corresponds to it");
	}
}

/* Reports and removes all but the first item of an array that can have only one here. */
static void take_first(const struct putting *putting, const char *path)
{
	json_t *array = arm_get(putting->resource->body, path);
	size_t count = json_array_size(array);

	for (size_t i = 1; i < count; i++) {
		const char *text = json_string_value(json_array_get(array, i));
		struct origin at =
			place_at(putting, import_printf(putting->import, "%s[%zu]", path, i));

		import_lost(putting->import, &at, "%s%sthere is one here, which is the first",
			    text ? text : "", text ? ": " : "");
	}
	while (count > 1)
		json_array_remove(array, --count);
}

/* ---- from what az prints to a body ---- */

/* Adds Azure's "properties" if they are missing: az prints their members one level higher. */
static void put_properties(json_t *object)
{
	if (json_is_object(object) && !json_is_object(json_member(object, "properties")))
		json_put(object, "properties", json_copy(object));
}

/* Reports members that the table lacks, and gives the rest the form of a request's body: with
 * "properties", and with one item in arrays that can have only one here. */
static void make_body(const struct putting *putting)
{
	const struct resource *resource = putting->resource;
	char path[ARM_TARGET_MAX];

	if (json_is_object(json_member(resource->body, "properties")))
		tell_members(putting, json_member(resource->body, "properties"), "properties.");
	tell_members(putting, resource->body, "");
	put_properties(resource->body);
	for (const struct arm_member *member = resource->type->members; member->path; member++) {
		char *first, *inner;

		arm_member_path(member, path);
		first = strstr(path, "[0]");
		if (first) {
			*first = '\0';
			take_first(putting, path);
			*first = '[';
		}
		inner = strstr(path, ".properties.");
		if (inner) {
			*inner = '\0';
			put_properties(arm_get(resource->body, path));
		}
	}
}

/* ---- references by id ---- */

/* found: the resource in a file; NULL: in none. */
static void fail_missing(struct import *import, struct arm_errors *errors, const char *target,
			 const struct resource *missing, const struct resource *found)
{
	char *title = import_printf(import, "%s", missing->type->title);
	const char *name = path_name(&missing->path), *command = "";

	if (islower((unsigned char)title[1])) /* like "Outbound endpoint", but not "DNS resolver" */
		title[0] = (char)tolower((unsigned char)title[0]);
	for (size_t i = 0; i < COUNT(lists); i++)
		if (lists[i].kind == missing->type->kind)
			command = lists[i].command;
	if (found)
		arm_error(errors, 400, "InvalidResourceReference", target,
			  "the %s %s is not carried over, either", title, name);
	else
		arm_error(errors, 400, "InvalidResourceReference", target,
			  "the %s %s is in none of the files; give `az %s -o json`, too", title,
			  name, command);
}

static void put_region(struct import *import, const struct resource *resource, const char *region)
{
	if (region && !import_get(resource->node, "region"))
		import_text(import, resource->node, "region", &resource->at, region);
}

/* The network of that id. If no file has it, it is made in the region of the referring resource. */
static struct resource *network_of(const struct putting *putting, const json_t *values,
				   const struct resource *like)
{
	struct import *import = putting->import;
	struct resource *network = find(import, like);
	const char *region = json_string_value(json_object_get(values, "region"));

	if (!network || !network->node) {
		network = make(import, like, &putting->resource->at);
		import_changed(import, &putting->resource->at,
			       "the network %s is in none of the files and has no address_space "
			       "here; give `az network vnet list -o json`, too",
			       like->path.names[0]);
	}
	if (!network->body)
		put_region(import, network,
			   region            ? region
			   : putting->parent ? import_get(putting->parent->node, "region")
					     : NULL);
	return network;
}

static json_t *refer(struct arm_reading *reading, const struct arm_member *member,
		     const char *target, const char *id)
{
	struct putting *putting = reading->context;
	const struct arm_type *of = arm_type_named(member->of);
	struct resource like, *to;

	if (!parse_id(putting->import, id, &like) || like.type != of) {
		arm_misfit_id(reading, of, target, id);
		return NULL;
	}
	if (member->form == ARM_SUBNET)
		return json_text(path_name(&like.path));
	if (of->kind == KIND_NETWORK)
		to = putting->resource->network = network_of(putting, reading->values, &like);
	else
		to = find(putting->import, &like);
	if (to && to->node)
		return json_sprintf("%s/%s%s%s", to->own.group, to->own.names[0],
				    to->own.names[1] ? "/" : "",
				    to->own.names[1] ? to->own.names[1] : "");
	fail_missing(putting->import, reading->errors, target, &like, to);
	return NULL;
}

/* Collects children, which are put when their type's turn comes. A child that a file lists by
 * itself takes precedence. */
static void read_children(struct arm_reading *reading, const struct arm_member *member,
			  const char *path, json_t *array)
{
	const struct putting *putting = reading->context;
	const struct resource *outer = putting->resource;
	const char *why;
	json_t *item;
	size_t i;

	if (!is_carried(member->of, &why))
		return;
	json_array_foreach(array, i, item)
	{
		const char *target = import_printf(putting->import, "%s[%zu]", path, i);
		struct resource *child = import_alloc(putting->import, sizeof *child);

		*child = (struct resource){.type = arm_type_named(member->of),
					   .subscription = outer->subscription,
					   .path = outer->path,
					   .body = item,
					   .at = place_at(putting, target)};
		child->path.kind = kind_of_id(child->type->kind);
		child->path.names[1] = json_member_text(item, "name");
		if (!child->path.names[1] || !*child->path.names[1])
			arm_misfit(reading->errors, target, "has no name");
		else if (!find(putting->import, child))
			add(putting->import, child);
	}
}

static const struct arm_reader files_reader = {.refer = refer, .read_children = read_children};

/* ---- values ---- */

/* In a tag's name a backslash is put ahead of each '=' and backslash. */
static void put_tag(const struct putting *putting, struct node *in, const char *key,
		    const char *name, const char *value)
{
	char *written = import_alloc(putting->import, 2 * strlen(name) + 1), *to = written;

	for (const char *at = name; *at != '\0'; at++) {
		if (strchr("=\\", *at))
			*to++ = '\\';
		*to++ = *at;
	}
	import_add(putting->import, in, key, &putting->resource->at,
		   import_printf(putting->import, "%s=%s", written, value));
}

static void tell_misfit(const struct putting *putting, const struct origin *at,
			const struct field *field)
{
	char expected[ARM_TARGET_MAX];

	import_lost(putting->import, at, "must be %s",
		    schema_expected(field, expected, sizeof expected));
}

/* The next required field without a value after `behind` (NULL: the first one); NULL: none. */
static const struct field *lacking(const struct group *fields, const json_t *values,
				   const struct field *behind)
{
	const struct field *field = behind ? behind + 1 : fields->fields,
			   *end = fields->fields + fields->count;

	while (field < end && (!field->required || json_object_get(values, field->key)))
		field++;
	return field < end ? field : NULL;
}

static void put_values(const struct putting *putting, struct node *in, const struct group *fields,
		       const json_t *values, const char *ahead);

/* Puts a value; `called` is its path from the resource on: "targets[0].port". */
static void put_value(const struct putting *putting, struct node *in, const struct field *field,
		      const json_t *value, const char *called)
{
	struct import *import = putting->import;
	char target[ARM_TARGET_MAX];
	struct origin at =
		place_at(putting, arm_target_of_key(putting->resource->type, called, target));
	const char *name;
	json_t *item;
	size_t i;

	if (field->type == FIELD_TAGS && json_is_object(value)) {
		json_object_foreach((json_t *)value, name, item)
		{
			if (json_is_string(item))
				put_tag(putting, in, field->key, name, json_string_value(item));
			else
				import_lost(import, &at, "the value of %s must be a string", name);
		}
	} else if (field->type == FIELD_LIST && json_is_array(value)) {
		json_array_foreach(value, i, item)
		{
			const char *inner = import_printf(import, "%s[%zu]", called, i);

			if (lacking(field->group, item, NULL))
				continue; /* reported already */
			at = place_at(putting,
				      arm_target_of_key(putting->resource->type, inner, target));
			put_values(putting, import_item(import, in, field->key, &at), field->group,
				   item, import_printf(import, "%s.", inner));
		}
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item)
		{
			if (json_is_string(item))
				import_add(import, in, field->key, &at, json_string_value(item));
			else
				tell_misfit(putting, &at, field);
		}
	} else if (json_is_string(value)) {
		import_text(import, in, field->key, &at, json_string_value(value));
	} else if (json_is_integer(value)) {
		import_number(import, in, field->key, &at, json_integer_value(value));
	} else if (json_is_boolean(value)) {
		import_flag(import, in, field->key, &at, json_is_true(value));
	} else {
		tell_misfit(putting, &at, field);
	}
}

static void put_values(const struct putting *putting, struct node *in, const struct group *fields,
		       const json_t *values, const char *ahead)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)values, key, value)
	{
		const struct field *field = schema_field(fields, key);

		if (field && strcmp(key, "azure") != 0)
			put_value(putting, in, field, value,
				  import_printf(putting->import, "%s%s", ahead, key));
	}
}

/* Reports errors as "FILE:LINE: MEMBER: not carried over: TEXT". */
static void tell_errors(const struct putting *putting, const struct arm_errors *errors)
{
	json_t *error;
	size_t i;

	json_array_foreach(errors->list, i, error)
	{
		const char *target = json_text_of(error, "target"),
			   *text = json_text_of(error, "message");
		size_t length = strlen(target);
		struct origin at = place_at(putting, target);

		if (strncmp(text, target, length) == 0 && strncmp(text + length, ": ", 2) == 0)
			text += length + 2;
		import_lost(putting->import, &at, "%s", text);
	}
	if (errors->more > 0)
		import_lost(putting->import, &putting->resource->at,
			    "%zu more of its members do not fit", errors->more);
}

/* Adds an error for each required field without a value. False: there are some. */
static bool check_required(const struct putting *putting, const json_t *values,
			   struct arm_errors *errors)
{
	const struct kind *kind = putting->resource->path.kind;
	const struct group *fields = kind_field(kind)->group;
	const struct field *field = NULL;
	struct arm_errors more = {.status = 0};
	char target[ARM_TARGET_MAX];
	bool is_whole;

	while ((field = lacking(fields, values, field)))
		if (strcmp(field->key, kind_name_key(kind)) != 0 &&
		    !(kind->chosen && strcmp(field->key, kind->chosen) == 0))
			arm_misfit(&more,
				   arm_target_of_key(putting->resource->type, field->key, target),
				   "is missing; it is required");
	is_whole = more.status == 0;
	arm_errors_add(errors, &more);
	arm_errors_release(&more);
	return is_whole;
}

/* The body's values, by the field table; NULL: required ones are missing, which is reported. The
 * body is read like a PATCH, because files leave out members that Azure's API requires. */
static json_t *read_values(struct putting *putting)
{
	const struct resource *resource = putting->resource;
	struct arm_errors errors = {.status = 0};
	struct arm_reading reading = {.reader = &files_reader,
				      .context = putting,
				      .type = resource->type,
				      .path = &resource->own,
				      .place = "",
				      .body = resource->body,
				      .merges = true,
				      .errors = &errors};
	json_t *values;
	bool is_whole;

	make_body(putting);
	arm_read_body(&reading);
	values = json_whole(reading.values);
	if (!values)
		exit(exit_fail("%s", err_text(ERR_NOMEM)));
	is_whole = check_required(putting, values, &errors);
	tell_errors(putting, &errors);
	arm_errors_release(&errors);
	if (is_whole) {
		values_shorten(resource->path.kind, resource->own.group, values);
		return values;
	}
	json_decref(values);
	return NULL;
}

/* ---- names ---- */

/* Makes a name unique in its scope, such as the resources of one kind in one group. */
static const char *unique(struct import *import, const char *scope, const char *name,
			  const struct origin *at)
{
	const char *made = name;

	for (unsigned number = 2;; number++) {
		char *key = text_lower(import_printf(import, "azure %s %s", scope, made));

		if (!import_find(import, key)) {
			import_keep(import, key, import);
			break;
		}
		made = import_printf(import, "%s-%u", name, number);
	}
	if (made != name)
		import_changed(import, at, "it is called %s here: another one is %s already", made,
			       name);
	return made;
}

/* A zone keeps its name: if two subscriptions have it in groups of the same name, one zone gets
 * another group. */
static void set_own(const struct putting *putting)
{
	struct import *import = putting->import;
	struct resource *resource = putting->resource;
	struct path *own = &resource->own;

	*own = resource->path;
	if (putting->parent) {
		own->group = putting->parent->own.group;
		own->names[0] = putting->parent->own.names[0];
	} else if (own->kind->id == KIND_ZONE) {
		own->group =
			unique(import, import_printf(import, "group of zone %s", own->names[0]),
			       own->group, &resource->at);
	} else {
		own->names[0] =
			unique(import,
			       import_printf(import, "%s of %s", own->kind->collection, own->group),
			       own->names[0], &resource->at);
	}
}

/* ---- special cases of types ---- */

static void note_space(struct import *import, struct resource *network, const json_t *values)
{
	json_t *prefix;
	size_t i;

	json_array_foreach(json_object_get(values, "address_space"), i, prefix)
	{
		const char *text = json_string_value(prefix);
		char *key = import_printf(import, "azure space %s", text ? text : "");

		azure_of(import)->same_space |= import_find(import, key) != NULL;
		import_keep(import, key, network);
	}
}

/* Azure chooses a static address at deployment, and a dynamic one each time its use begins. A
 * deployed resource has a provisioningState. */
static void tell_no_address(struct import *import, const struct resource *resource)
{
	const char *method =
		json_string_value(arm_get(resource->body, "properties.publicIPAllocationMethod"));
	bool is_dynamic = method && strcasecmp(method, "Dynamic") == 0;

	if (arm_get(resource->body, "properties.provisioningState"))
		import_lost(import, &resource->at,
			    "nothing uses it, and so it has no address; import it again when it "
			    "has one");
	else
		import_lost(import, &resource->at,
			    "it has no address until %s; give `az network public-ip list -o json` "
			    "of then",
			    is_dynamic ? "something uses it" : "it is deployed");
}

/* The address comes from one of Azure's prefixes. A pool of this address alone lets the server
 * answer its PTR. */
static void put_address(const struct putting *putting, const char *address)
{
	struct import *import = putting->import;
	const struct resource *resource = putting->resource;
	struct node *pool =
		import_item(import, import_root(import), "address_pools", &resource->at);

	import_text(import, resource->node, "address", &resource->at, address);
	import_text(import, pool, "name", &resource->at,
		    unique(import, "address_pools", resource->path.names[0], &resource->at));
	import_text(import, pool, "prefix", &resource->at,
		    import_printf(import, "%s/%d", address, strchr(address, ':') ? 128 : 32));
	if (import_get(resource->node, "reverse_fqdn"))
		import_changed(import, &resource->at,
			       "its PTR is answered to those who ask here; all others ask Azure");
}

/* The suffix in Azure's name LABEL.REGION.SUFFIX; NULL: another form. An address from Terraform
 * comes without this name, and gets the suffix of the public cloud. */
static const char *suffix_of(struct import *import, const char *fqdn, const json_t *values)
{
	const char *before =
		import_printf(import, "%s.%s.", json_text_of(values, "domain_name_label"),
			      json_text_of(values, "region"));
	const char *fallback =
		schema_field(schema_field(&schema_model, "reverse")->group, "suffix")->fallback;
	size_t length = strlen(before);

	if (!fqdn)
		return fallback;
	return strncasecmp(fqdn, before, length) == 0 && fqdn[length] != '\0' ? fqdn + length
									      : NULL;
}

/* All labels share one suffix, so a label whose full name would change is left out. */
static void put_suffix(const struct putting *putting, json_t *values)
{
	struct import *import = putting->import;
	const struct resource *resource = putting->resource;
	const char *fqdn =
		json_string_value(arm_get(resource->body, "properties.dnsSettings.fqdn"));
	const char *suffix, *set;
	struct node *reverse;

	if (!json_object_get(values, "domain_name_label"))
		return;
	suffix = suffix_of(import, fqdn, values);
	reverse =
		suffix ? import_group(import, import_root(import), "reverse", &resource->at) : NULL;
	set = reverse ? import_get(reverse, "suffix") : NULL;
	if (reverse && !set)
		import_text(import, reverse, "suffix", &resource->at, suffix);
	if (suffix && (!set || strcasecmp(suffix, set) == 0))
		return;
	if (suffix)
		import_lost(import, &resource->at,
			    "its name %s: names of labels are LABEL.REGION.SUFFIX, and the suffix "
			    "is %s already",
			    fqdn ? fqdn : suffix, set);
	else
		import_lost(import, &resource->at,
			    "its name %s: names of labels are LABEL.REGION.SUFFIX", fqdn);
	json_object_del(values, "domain_name_label");
}

static void put_particular(const struct putting *putting, const json_t *values)
{
	struct import *import = putting->import;
	struct resource *resource = putting->resource;

	switch (resource->type->kind) {
	case KIND_NETWORK: note_space(import, resource, values); break;
	case KIND_INBOUND:
		if (putting->parent && putting->parent->network)
			putting->parent->network->has_endpoint = true;
		break;
	case KIND_RECORD_SET:
		if (json_is_true(arm_get(resource->body, "properties.isAutoRegistered")))
			import_changed(import, &resource->at,
				       "Azure registered it; here it stays until it is removed");
		break;
	case KIND_ADDRESS:
		put_address(putting,
			    json_string_value(arm_get(resource->body, "properties.ipAddress")));
		break;
	default: break;
	}
}

/* ---- resources ---- */

/* The parent; NULL: it is in none of the files, or was not carried over, which is reported. */
static struct resource *parent_of(struct import *import, const struct resource *resource)
{
	struct resource like = {.type = arm_type_parent(resource->type),
				.subscription = resource->subscription,
				.path = part_root(&resource->path)},
			*found = find(import, &like);
	struct arm_errors errors = {.status = 0};

	if (found && found->node)
		return found;
	if (like.path.kind->id == KIND_ZONE)
		return make(import, &like, &resource->at);
	fail_missing(import, &errors, "", &like, found);
	tell_errors(&(struct putting){import, (struct resource *)resource, NULL}, &errors);
	arm_errors_release(&errors);
	return NULL;
}

static void put(struct import *import, struct resource *resource)
{
	const struct kind *kind = resource->path.kind;
	struct putting putting = {import, resource,
				  kind->parent ? parent_of(import, resource) : NULL};
	json_t *values;

	if (kind->parent && !putting.parent)
		return;
	set_own(&putting);
	values = resource->body ? read_values(&putting) : NULL;
	if (resource->body && !values)
		return;
	if (kind->id == KIND_ADDRESS &&
	    json_string_length(arm_get(resource->body, "properties.ipAddress")) == 0) {
		tell_no_address(import, resource);
		json_decref(values);
		return;
	}
	if (kind->id == KIND_ADDRESS)
		put_suffix(&putting, values);
	resource->node =
		import_item(import, putting.parent ? putting.parent->node : import_root(import),
			    kind->collection, &resource->at);
	import_text(import, resource->node, kind_name_key(kind), &resource->at,
		    path_name(&resource->own));
	if (!kind->parent && strcmp(resource->own.group, AZURE_UNKNOWN) != 0)
		import_text(import, resource->node, "resource_group", &resource->at,
			    resource->own.group);
	put_values(&putting, resource->node, kind_field(kind)->group, values, "");
	put_particular(&putting, values);
	json_decref(values);
}

void azure_take(struct import *import, const char *id, const char *what, json_t *value)
{
	struct resource *resource = import_alloc(import, sizeof *resource);
	struct origin at = json_file_at(import, value, what);
	const char *why;

	if (!parse_id(import, id, resource)) {
		import_lost(import, &at, "\"%s\" is no id of a resource", id);
		return;
	}
	resource->body = value;
	resource->at = at;
	if (is_carried(resource->type->path, &why) &&
	    !import_find(import, key_of(import, resource)))
		add(import, resource);
}

/* Listens at 168.63.129.16, where machines in any network may ask Azure's resolver, unless each
 * network has an inbound endpoint. */
static void put_vnet_resolver(struct import *import)
{
	struct azure *azure = azure_of(import);
	struct origin nowhere = {.file = NULL};
	const struct resource *asked = azure->first;
	struct node *vnet;

	while (asked && !(asked->type->kind == KIND_NETWORK && asked->node && asked->body &&
			  !asked->has_endpoint))
		asked = asked->next;
	if (!asked)
		return;
	nowhere.file = asked->at.file;
	if (azure->same_space) {
		import_lost(import, &asked->at,
			    "the resolver at 168.63.129.16: two networks have the same address "
			    "space, so a client's address does not tell where it is");
		return;
	}
	vnet = import_group(import, import_root(import), "vnet_resolver", &nowhere);
	import_add(import, vnet, "listen", &nowhere, "168.63.129.16:53");
}

void azure_finish(struct import *import)
{
	struct azure *azure = azure_of(import);

	if (!azure->first)
		import_fault(import, &(struct origin){.file = NULL},
			     "there is nothing in it that answers DNS");
	for (const struct arm_type *type = arm_types; type->path; type++) {
		if (type > arm_types && type[-1].kind == type->kind)
			continue; /* already put: record sets of all types keep their order */
		for (struct resource *at = azure->first; at; at = at->next)
			if (at->type->kind == type->kind && at->body)
				put(import, at);
	}
	put_vnet_resolver(import);
}
