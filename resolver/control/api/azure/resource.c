/* Resources of all types (type.h), by one set of handlers:
 *
 *     GET      a list: of the subscription, of a group, of what is inside something, in pages; one
 *     HEAD     whether it is there
 *     PUT      makes it, or makes it what the body says; what Azure has no member for stays
 *     PATCH    only what the body has
 *     DELETE   with all that is inside it, unless something is in the way
 *     POST     an action
 *
 * Everything is answered at once. */
#include <ctype.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/azure/particular.h"
#include "resolver/control/api/azure/values.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/item.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/addresses.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/service/service.h"
#include "rules/array.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

static const struct model *served(const struct api_request *request)
{
	return request->service->server.model;
}

/* ---- which ---- */

struct arm_asked {
	const struct arm_type *type;
	struct path path;     /* of a list: without the last name */
	bool is_list, is_all; /* is_all: of record sets of all types */
	const char *action;
	bool is_tags; /* of the resource's tags by themselves: .../tags/default */
};

static void fail_type(struct api_request *request, const char *provider, const char *unknown)
{
	if (strcasecmp(provider, ARM_PROVIDER) != 0)
		api_fail(request, 404, "InvalidResourceNamespace",
			 "The resource namespace '%s' is invalid; this server has %s", provider,
			 ARM_PROVIDER);
	else
		api_fail(request, 404, "InvalidResourceType",
			 "The resource type '%s' could not be found in the namespace '%s'; "
			 "/providers/%s lists those of this server",
			 unknown, ARM_PROVIDER, ARM_PROVIDER);
}

static bool ends_with_tags(const char *const *parts, size_t count)
{
	static const char *const tail[] = {"providers", "Microsoft.Resources", "tags", "default"};
	bool same = count >= 4;

	for (size_t i = 0; same && i < 4; i++)
		same = strcasecmp(parts[count - 4 + i], tail[i]) == 0;
	return same;
}

/* False: the request is about no type, which has been answered. */
static bool read_asked(struct api_request *request, struct arm_asked *asked)
{
	enum { PARTS_MAX = 12, TAGS_PARTS = 4 };
	const char *group = api_parameter(request, "group"), *parts[PARTS_MAX], *unknown = "";
	size_t at = *group ? 4 : 2, count = 0;
	int err;

	if (!api_arm_begin(request))
		return false;
	while (count < PARTS_MAX && *(parts[count] = api_segment(request, at + count)) != '\0')
		count++;
	bool is_tags = ends_with_tags(parts, count);

	count -= is_tags ? TAGS_PARTS : 0;
	if (*group && count == 0) {
		*asked = (struct arm_asked){
			.type = arm_type_of_kind(KIND_GROUP),
			.path = {kind_of_id(KIND_GROUP), GROUP_NONE, {group, NULL}},
			.is_tags = is_tags};
		return true;
	}
	*asked = (struct arm_asked){.is_list = count % 2 == 1, .is_tags = is_tags};
	if (count == 5 && strcasecmp(parts[4], "all") == 0) {
		asked->is_all = true;
		parts[4] = "A";
	}
	if (strcmp(request->method, "POST") == 0 && count % 2 == 1 && count > 3) {
		asked->action = parts[--count];
		asked->is_list = false;
	}
	err = arm_path_read(request, *group ? group : NULL, parts, count, &asked->type,
			    &asked->path, &unknown);
	if (err == ERR_NOMEM)
		api_fail_memory(request);
	else if (err)
		fail_type(request, count > 1 ? parts[1] : "", unknown);
	return err == 0;
}

static bool is_group(struct api_request *request, const char *name)
{
	struct resource_group group;

	return strcmp(name, GROUP_NONE) == 0 ||
	       inventory_group(api_inventory(request), name, &group);
}

/* False: there is no such group, which has been answered. */
static bool check_group(struct api_request *request)
{
	const char *name = api_parameter(request, "group");

	if (is_group(request, name))
		return true;
	if (!api_could_not_read(request))
		api_fail(request, 404, "ResourceGroupNotFound",
			 "Resource group '%s' could not be found.", name);
	return false;
}

static void fail_missing(struct api_request *request, const struct arm_asked *asked)
{
	char name[NAME_TEXT_MAX];

	if (!check_group(request))
		return;
	arm_name(&asked->path, name);
	api_fail(request, 404, "ResourceNotFound",
		 "The Resource '%s/%s/%s%s%s' under resource group '%s' was not found. For more "
		 "details please go to https://aka.ms/ARMResourceNotFoundFix",
		 ARM_PROVIDER, asked->type->path, asked->path.names[0],
		 asked->path.kind->parent ? "/" : "", asked->path.kind->parent ? name : "",
		 asked->path.group);
}

/* Whether what it is to be inside of is there; false: not, which has been answered. */
static bool check_parent(struct api_request *request, const struct arm_asked *asked,
			 const char *what)
{
	const struct path root = part_root(&asked->path);
	char id[ARM_ID_MAX];

	if (!check_group(request))
		return false;
	if (!asked->path.kind->parent ||
	    (part_find(served(request), &root) && !item_made_because(served(request), &root)))
		return true;
	api_fail(request, 404, "ParentResourceNotFound",
		 "Failed to perform '%s' on resource(s) of type '%s', because the parent resource "
		 "'%s' could not be found.",
		 what, asked->type->path, arm_id(request, &root, id));
	return false;
}

/* ---- answers ---- */

static void answer_tags(struct api_request *request, const struct arm_shown *shown)
{
	json_t *tags = json_object_get(shown->values, "tags");
	char id[ARM_ID_MAX];

	api_arm_say_revision(request);
	arm_id(request, &shown->path, id);
	api_reply_json(request, 200,
		       json_make("{s:o, s:s, s:s, s:{s:o}}", "id",
				 json_sprintf("%s/providers/Microsoft.Resources/tags/default", id),
				 "name", "default", "type", "Microsoft.Resources/tags",
				 "properties", "tags", tags ? json_incref(tags) : json_object()),
		       NULL);
}

static void answer(struct api_request *request, unsigned status, const struct arm_shown *shown)
{
	const struct arm_family *family = shown->type->family;
	bool is_tag = family->etag != ARM_ETAG_BARE; /* as RFC 9110 has one */

	api_arm_say_revision(request);
	if (family->etag_header && !is_tag)
		api_answer_header(request, "ETag", shown->etag);
	api_reply_json(request, status, arm_print(shown),
		       family->etag_header && is_tag ? shown->etag : NULL);
}

static void fail_read(struct api_request *request, const struct arm_asked *asked,
		      const struct change_error *error)
{
	if (error->outcome != CHANGE_FINE)
		api_fail_change(request, error);
	else
		fail_missing(request, asked);
}

/* ---- lists ---- */

enum { LISTED_MAX = 250 }; /* a page: some milliseconds */

struct listed {
	const char *group, *name;
	const void *item;
	struct path path;
};

struct listing {
	struct api_request *request;
	const struct arm_asked *asked;
	const char *suffix; /* of the names of record sets; NULL: any */
	struct listed *items;
	size_t count, room;
};

static int compare_listed(const void *a, const void *b)
{
	const struct listed *left = a, *right = b;
	int order = strcasecmp(left->group, right->group);

	return order != 0 ? order : strcasecmp(left->name, right->name);
}

static int add_listed(struct listing *listing, const struct path *path, const void *item)
{
	struct listed *items =
		array_grow(listing->items, listing->count, &listing->room, sizeof *items);

	if (!items)
		return ERR_NOMEM;
	listing->items = items;
	items[listing->count++] = (struct listed){path->group, path_name(path), item, *path};
	return 0;
}

/* Those of a list of the model: at the top, or in that item of its parent. */
static int collect(struct listing *listing, const struct path *parent, const void *in)
{
	const struct kind *kind = listing->asked->path.kind;
	const char *group = listing->asked->path.group;
	size_t size = kind_field(kind)->group->size;
	struct schema_list items = kind_list(kind, in);
	int err = 0;

	for (size_t i = 0; !err && i < items.count; i++) {
		const void *item = (const char *)items.items + i * size;
		const struct path path = part_path(kind, item, parent);

		if ((!parent && group && strcasecmp(group, path.group) != 0) ||
		    item_made_because(served(listing->request), &path))
			continue;
		err = add_listed(listing, &path, item);
	}
	if (listing->count > 0)
		qsort(listing->items, listing->count, sizeof *listing->items, compare_listed);
	return err;
}

/* Of a record set: whether it is of the type and the suffix that are asked for. */
static bool is_listed_set(const struct api_request *request, const struct kind *kind,
			  const void *item)
{
	const struct listing *listing = request->state;
	const char *name = part_name(kind, item), *colon = strrchr(name, ':');
	size_t length = (size_t)(colon - name),
	       suffix = listing->suffix ? strlen(listing->suffix) : 0;
	const struct path path = {kind, NULL, {NULL, name}};

	return (listing->asked->is_all
			? arm_type_of(&path) != NULL
			: strcasecmp(colon + 1, listing->asked->type->record_type) == 0) &&
	       suffix <= length &&
	       strncasecmp(colon - suffix, listing->suffix ? listing->suffix : "", suffix) == 0;
}

/* 0, or an answer has been given. */
static int collect_sets(struct listing *listing, const struct path *parent, const char *behind,
			size_t room)
{
	struct api_request *request = listing->request;
	const struct item_source in = item_source_of(request, &listing->asked->path);
	struct path path = listing->asked->path;
	struct change_error error;
	const void **items;
	size_t count;
	int err;

	request->state = listing;
	path.group = parent->group;
	path.names[1] = behind;
	err = item_list(&in, &path, room + 1, is_listed_set, request, &request->arena, &items,
			&count, &error);
	if (err) {
		api_fail_change(request, &error);
		return err;
	}
	for (size_t i = 0; !err && i < count; i++) {
		path = part_path(path.kind, items[i], parent);
		err = add_listed(listing, &path, items[i]);
	}
	free(items);
	if (err)
		api_fail_memory(request);
	return err;
}

/* The SOA that nobody gave comes first. True: it is there. */
static bool add_soa(struct listing *listing, const struct path *parent, json_t *array)
{
	const struct arm_asked *asked = listing->asked;
	const struct arm_type *type = arm_type_named("privateDnsZones/SOA", 19);
	struct path path = {asked->path.kind, parent->group, {parent->names[0], "@:SOA"}};
	struct arm_shown shown;
	struct change_error error;
	bool is_nobodys;

	if ((!asked->is_all && asked->type != type) || (listing->suffix && *listing->suffix))
		return false;
	if (!arm_find(listing->request, type, &path, &shown, &error))
		return false;
	is_nobodys = !shown.item;
	if (is_nobodys)
		json_add(array, arm_print(&shown));
	arm_shown_release(&shown);
	return is_nobodys;
}

static bool is_behind(const struct listed *listed, bool at_top, const char *behind)
{
	char key[NAME_TEXT_MAX + GROUP_TEXT_MAX];

	snprintf(key, sizeof key, "%s%s%s", at_top ? listed->group : "", at_top ? "/" : "",
		 listed->name);
	return strcasecmp(key, behind) > 0;
}

/* With its etag: those that are shown inside one thing share that one's. */
static void show_listed(const struct listing *listing, const struct listed *listed,
			char etag[ETAG_MAX + 4], struct arm_shown *shown)
{
	const struct arm_type *type = arm_type_of(&listed->path);

	if (!arm_is_inside(type) || *etag == '\0') {
		arm_show_item(listing->request, type, &listed->path, listed->item, shown);
		memcpy(etag, shown->etag, sizeof shown->etag);
		return;
	}
	arm_show_plain(listing->request, type, &listed->path, listed->item, shown);
	memcpy(shown->etag, etag, sizeof shown->etag);
}

/* How many resources are printed inside it. */
static size_t count_inside(const struct arm_shown *shown)
{
	size_t count = 0;

	for (const struct arm_member *member = shown->type->members; member->path; member++)
		if (member->form == ARM_CHILDREN) {
			const struct arm_type *type =
				arm_type_named(member->of, strlen(member->of));

			count += kind_list(kind_of_id(type->kind), shown->item).count;
		}
	return count;
}

static void answer_list(struct listing *listing, const struct arm_page *page, json_t *array,
			size_t room)
{
	struct api_request *request = listing->request;
	bool at_top = !listing->asked->path.kind->parent, is_bulk = listing->asked->path.kind->bulk;
	size_t count = 0, shown_inside = 0;
	char last[NAME_TEXT_MAX + GROUP_TEXT_MAX] = "", etag[ETAG_MAX + 4] = "";
	json_t *body, *link = NULL;

	for (size_t i = 0; i < listing->count && !link; i++) {
		const struct listed *listed = &listing->items[i];
		struct arm_shown shown;

		if (!is_bulk && page->behind && !is_behind(listed, at_top, page->behind))
			continue;
		if (count++ == room || shown_inside > LISTED_MAX) {
			link = arm_next_link(request, last);
			break;
		}
		show_listed(listing, listed, etag, &shown);
		shown_inside += count_inside(&shown);
		json_add(array, arm_print(&shown));
		arm_shown_release(&shown);
		snprintf(last, sizeof last, "%s%s%s", at_top ? listed->group : "",
			 at_top ? "/" : "", listed->name);
	}
	body = json_make("{s:o}", "value", array);
	if (link)
		json_put(body, "nextLink", link);
	api_arm_say_revision(request);
	api_reply_json(request, 200, body, NULL);
}

/* ---- lists of addresses, of which there may be a million ---- */

/* The group of the path; "": it names none, and the list is the subscription's. */
static bool is_listed_address(const struct api_request *request,
			      const struct owned_resource *resource)
{
	const char *group = api_parameter(request, "group"), *own = resource->item.resource_group;

	return ownership_is_of(api_inventory(request), resource,
			       api_parameter(request, "subscription")) &&
	       (!*group || strcasecmp(group, own ? own : GROUP_NONE) == 0);
}

static int next_addresses(const struct api_request *request, const char *behind,
			  const struct owned_resource **resources, size_t room, size_t *count)
{
	struct inventory *inventory = api_inventory(request);
	struct address address;
	bool after = behind && address_parse(&address, behind) == 0;

	if (!*api_parameter(request, "group"))
		return api_list_addresses(request, behind, resources, room, count);
	*count = inventory_group_after(inventory, api_group(request), after ? &address : NULL,
				       resources, room);
	return 0;
}

static json_t *address_row(const struct api_request *request, const struct owned_resource *resource)
{
	struct arm_shown shown;
	json_t *row;

	arm_show_address((struct api_request *)(uintptr_t)request, resource, &shown);
	row = arm_print(&shown);
	arm_shown_release(&shown);
	return row;
}

static void list_addresses(struct api_request *request)
{
	static const struct api_list rows = {"value",     next_addresses, is_listed_address,
					     address_row, "nextLink",     arm_next_link};
	struct arm_page page;
	struct address address;

	if ((*api_parameter(request, "group") && !check_group(request)) ||
	    !arm_page_begin(&page, request, false))
		return;
	api_arm_say_revision(request);
	if (page.behind && address_parse(&address, page.behind) != 0)
		api_fail_at(request, 400, "InvalidSkipToken", "$skiptoken",
			    "it is not from a nextLink; follow the nextLink of the previous page");
	else
		api_list_answer(request, &rows, page.room, page.behind);
}

static void list(struct api_request *request, const struct arm_asked *asked)
{
	struct listing listing = {.request = request,
				  .asked = asked,
				  .suffix = api_query(request, "$recordsetnamesuffix")};
	const struct path root = part_root(&asked->path);
	const void *in = served(request);
	struct path parent;
	struct arm_page page;
	json_t *array = json_array();
	bool is_inside = asked->path.kind->parent;
	size_t room;
	int err = ERR_INVALID;

	if ((!asked->path.group || check_parent(request, asked, "read")) &&
	    arm_page_begin(&page, request, false)) {
		room = page.room < LISTED_MAX ? page.room : LISTED_MAX;
		if (is_inside) {
			in = part_find(served(request), &root);
			parent = part_path(root.kind, in, NULL);
		}
		if (asked->path.kind->bulk) {
			err = collect_sets(&listing, &parent, page.behind, room);
			if (!err && !page.behind)
				room -= add_soa(&listing, &parent, array);
		} else {
			err = collect(&listing, is_inside ? &parent : NULL, in);
			if (err)
				api_fail_memory(request);
		}
	}
	if (!err)
		answer_list(&listing, &page, array, room);
	else
		json_decref(array);
	free(listing.items);
}

void arm_resource_get(struct api_request *request)
{
	struct change_error error;
	struct arm_shown shown;
	struct arm_asked asked;

	if (!read_asked(request, &asked))
		return;
	if (asked.is_list && asked.path.kind->inventory) {
		list_addresses(request);
	} else if (asked.is_list) {
		list(request, &asked);
	} else if (arm_find(request, asked.type, &asked.path, &shown, &error)) {
		if (asked.is_tags)
			answer_tags(request, &shown);
		else
			answer(request, 200, &shown);
		arm_shown_release(&shown);
	} else {
		fail_read(request, &asked, &error);
	}
}

/* HEAD: clients take only 204 for yes. */
void arm_resource_exists(struct api_request *request)
{
	struct change_error error;
	struct arm_shown shown;
	struct arm_asked asked;

	if (!read_asked(request, &asked))
		return;
	if (asked.is_list && asked.path.kind->inventory) {
		list_addresses(request);
	} else if (asked.is_list) {
		list(request, &asked);
	} else if (arm_find(request, asked.type, &asked.path, &shown, &error)) {
		arm_shown_release(&shown);
		api_reply_empty(request, 204);
	} else {
		fail_read(request, &asked, &error);
	}
}

/* ---- preconditions ---- */

/* A tag without what is around its text: clients of private DNS send it bare. */
static const char *bare_tag(const char *text, size_t *length)
{
	if (*length > 1 && (text[0] == 'W' || text[0] == 'w') && text[1] == '/') {
		text += 2;
		*length -= 2;
	}
	while (*length > 0 && (*text == '"' || *text == '\\')) {
		text++;
		(*length)--;
	}
	while (*length > 0 && (text[*length - 1] == '"' || text[*length - 1] == '\\'))
		(*length)--;
	return text;
}

/* Whether a header's list has the etag (NULL: it is not there), or is "*". */
static bool has_tag(const char *list, const char *etag)
{
	size_t length, own_length = etag ? strlen(etag) : 0;
	const char *own = etag ? bare_tag(etag, &own_length) : NULL;

	for (; *list; list += *list == ',') {
		const char *tag;

		list += strspn(list, " \t");
		length = strcspn(list, ",");
		tag = list;
		list += length;
		while (length > 0 && isspace((unsigned char)tag[length - 1]))
			length--;
		if (length == 1 && *tag == '*')
			return etag;
		tag = bare_tag(tag, &length);
		if (own && length == own_length && strncmp(tag, own, length) == 0)
			return true;
	}
	return false;
}

/* False: what the headers ask for does not hold, which has been answered. */
static bool check_preconditions(struct api_request *request, const struct arm_asked *asked,
				const char *etag)
{
	const struct arm_type *type = asked->type;
	char name[NAME_TEXT_MAX];

	arm_name(&asked->path, name);
	if (request->if_none_match && has_tag(request->if_none_match, etag))
		api_fail(request, 412, "PreconditionFailed",
			 "The %s %s exists already and hence cannot be created again.", type->title,
			 name);
	else if (request->if_match && !etag)
		api_fail(request, 412, "PreconditionFailed",
			 "The %s %s does not exist, and If-Match asks for it.", type->title, name);
	else if (request->if_match && !has_tag(request->if_match, etag))
		api_fail(request, 412, "PreconditionFailed",
			 "The %s %s has been modified (etag mismatch).", type->title, name);
	else
		return true;
	return false;
}

/* ---- changes ---- */

enum method { PUT, PATCH, DELETE };

struct making {
	struct api_edit edit; /* first */
	struct arm_asked asked;
	enum method method;
	bool there; /* before */
};

static struct making *making_of(struct api_edit *edit)
{
	return container_of(edit, struct making, edit);
}

static void making_free(struct api_edit *edit)
{
	free(making_of(edit));
}

/* A new one has the name and the group of the path. */
static void put_names(const struct path *path, json_t *values)
{
	json_put(values, kind_name_key(path->kind), json_text(path_name(path)));
	if (!path->kind->parent && path->kind->id != KIND_GROUP &&
	    strcmp(path->group, GROUP_NONE) != 0)
		json_put(values, "resource_group", json_text(path->group));
}

/* What a request about tags alone makes of them: a body that has them. NULL: it does not fit, which
 * is an error. */
static json_t *read_tags(const struct making *making, const struct arm_shown *shown,
			 struct arm_errors *errors)
{
	const struct api_request *request = making->edit.request;
	const json_t *given = arm_get(request->body, "properties.tags");
	const char *operation = json_string_value(arm_get(request->body, "operation")), *key;
	json_t *tags = json_object(), *value;
	bool is_patch = making->method == PATCH, replaces = !is_patch;

	if (making->method == DELETE)
		return json_make("{s:o}", "tags", tags);
	if (!json_is_object(given))
		arm_misfit(errors, "properties.tags",
			   "must be an object of strings: {\"NAME\": \"VALUE\"}");
	if (is_patch) {
		replaces = operation && strcasecmp(operation, "Replace") == 0;
		if (!replaces && (!operation || (strcasecmp(operation, "Merge") != 0 &&
						 strcasecmp(operation, "Delete") != 0)))
			arm_misfit(errors, "operation",
				   "must be \"Merge\", \"Replace\" or \"Delete\"");
	}
	if (!replaces)
		json_object_update(tags, json_object_get(shown->values, "tags"));
	json_object_foreach((json_t *)(uintptr_t)given, key, value)
	{
		json_object_del(tags, key);
		if (replaces || !operation || strcasecmp(operation, "Delete") != 0)
			json_put(tags, key, json_incref(value));
	}
	return json_make("{s:o}", "tags", tags);
}

/* What the body makes of what is there; false: it does not fit, which has been answered. */
static bool read_body(struct making *making, const struct arm_shown *shown, struct path *path,
		      json_t **values)
{
	struct api_request *request = making->edit.request;
	struct change_error error = {.outcome = CHANGE_FINE};
	struct arm_errors errors = {.request = request};
	struct arm_reading reading = {.request = request,
				      .edit = &making->edit,
				      .type = making->asked.type,
				      .path = &making->asked.path,
				      .place = "",
				      .body = request->body,
				      .merges = making->method == PATCH,
				      .to = path,
				      .errors = &errors};
	json_t *base = making->there ? arm_base(shown, &error) : NULL, *tags = NULL;
	bool good = false;

	if (making->there && !base) {
		api_fail_change(request, &error);
		return false;
	}
	reading.base = base;
	reading.shown = making->there ? arm_print(shown) : NULL;
	if (making->asked.is_tags) {
		tags = read_tags(making, shown, &errors);
		reading.body = tags;
		reading.merges = true;
	}
	if (!json_is_object(reading.body))
		arm_misfit(&errors, "", "must be a JSON object");
	else if (errors.status == 0)
		arm_read_body(&reading);
	if (!making->there && reading.values)
		put_names(path, reading.values);
	if (errors.status == 0 && making->there && !shown->is_implied &&
	    json_equal(reading.values, base))
		path->kind = NULL; /* nothing is to be done */
	if (errors.status != 0) {
		arm_fail_all(&errors);
	} else if (path->kind && !path->kind->inventory &&
		   !item_may_change(served(request), path, making->there ? shown->item : NULL,
				    false, &error)) {
		making->edit.editor->fail(&making->edit, &error);
	} else {
		good = true;
		*values = json_incref(reading.values);
	}
	json_decref(reading.values);
	json_decref((json_t *)(uintptr_t)reading.shown);
	json_decref(base);
	json_decref(tags);
	arm_errors_release(&errors);
	return good;
}

/* Whether it may be removed; false: not, which has been answered. */
static bool check_removal(struct making *making, const struct arm_shown *shown)
{
	struct arm_errors errors = {.request = making->edit.request};
	struct change_error error;
	bool held = particular_is_held(shown, &errors);

	if (!held && shown->type->remove) {
		shown->type->remove(shown, &making->edit, &errors);
		held = errors.status != 0;
	}
	if (held)
		arm_fail_all(&errors);
	arm_errors_release(&errors);
	if (held)
		return false;
	if (shown->path.kind->inventory ||
	    item_may_change(served(making->edit.request), &shown->path, shown->item, true, &error))
		return true;
	making->edit.editor->fail(&making->edit, &error);
	return false;
}

static bool has_tags(const struct arm_type *type)
{
	const struct arm_member *member = type->members;

	while (member->path && strcmp(member->path, "/tags") != 0)
		member++;
	return member->path;
}

static bool read_making(struct api_edit *edit, struct path *path, json_t **values)
{
	struct making *making = making_of(edit);
	const struct arm_asked *asked = &making->asked;
	struct api_request *request = edit->request;
	struct arm_shown shown = {.values = NULL};
	struct change_error error;
	bool good = false;

	*path = asked->path;
	*values = json_null();
	making->there = arm_find(request, asked->type, &asked->path, &shown, &error);
	if (making->there)
		*path = shown.path;
	if (error.outcome != CHANGE_FINE)
		api_fail_change(request, &error);
	else if (!check_preconditions(request, asked, making->there ? shown.etag : NULL))
		; /* which has been answered */
	else if (asked->is_tags && !making->there)
		fail_missing(request, asked);
	else if (asked->is_tags && !has_tags(asked->type))
		api_fail(request, 400, "ResourceTypeNotSupported",
			 "%s: resources of this type have no tags", asked->type->path);
	else if (asked->is_tags)
		good = read_body(making, &shown, path, values);
	else if (making->method == DELETE && !making->there)
		good = true, path->kind = NULL;
	else if (making->method == DELETE)
		good = check_removal(making, &shown);
	else if (!making->there && making->method == PATCH)
		fail_missing(request, asked);
	else if (making->there || asked->type->kind == KIND_GROUP ||
		 check_parent(request, asked, "write"))
		good = read_body(making, &shown, path, values);
	arm_shown_release(&shown);
	return good;
}

static void answer_making(struct api_edit *edit, const struct api_made *made)
{
	struct making *making = making_of(edit);
	struct api_request *request = edit->request;
	struct arm_shown shown;
	struct change_error error;
	char text[ARM_ID_MAX];

	if (made->change->count > 0)
		api_log_change(request, making->method == DELETE ? "removed" : "set",
			       arm_id(request, &making->asked.path, text));
	if (making->method == DELETE) {
		api_arm_say_revision(request);
		api_reply_empty(request, making->there ? 200 : 204);
	} else if (making->asked.is_tags &&
		   arm_find(request, making->asked.type, &making->asked.path, &shown, &error)) {
		answer_tags(request, &shown);
		arm_shown_release(&shown);
	} else if (arm_find(request, making->asked.type, &making->asked.path, &shown, &error)) {
		answer(request, making->there ? 200 : 201, &shown);
		arm_shown_release(&shown);
	} else {
		fail_read(request, &making->asked, &error);
	}
}

/* At the member of the body. */
static void fail(struct api_edit *edit, const struct change_error *error)
{
	const struct arm_type *type = making_of(edit)->asked.type;
	struct change_error told = *error;
	char target[ARM_TARGET_MAX];

	if (error->outcome == CHANGE_TAKEN && strcmp(error->field, "domain_name_label") == 0) {
		const struct model *model = served(edit->request);
		const char *region = model_region(
			model, json_string_value(json_object_get(edit->values, "region")));

		api_fail_at(edit->request, 400, "DnsRecordInUse",
			    "properties.dnsSettings.domainNameLabel",
			    "DNS record %s.%s.%s is already used by another public IP. %s.",
			    json_text_of(edit->values, "domain_name_label"), region ? region : "",
			    model->reverse.suffix, error->text);
		return;
	}
	if (*error->field)
		snprintf(told.field, sizeof told.field, "%s",
			 arm_target_of_key(type, error->field, target));
	api_fail_change(edit->request, &told);
}

/* The edit that a fault is about; NULL: none. *rest: what its path has behind the resource's. */
static const struct service_edit *edit_of(struct api_edit *edit, const struct fault *fault,
					  const char **rest)
{
	const char *at = fault->origin.path ? fault->origin.path : "";
	const struct service_edit *found = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < edit->count; i++) {
		const struct path *path = &edit->edits[i].path;
		const char *text = path->kind ? path_text(path, &edit->request->arena) : NULL;
		size_t length = text ? strlen(text) : 0;

		if (length <= longest || strncasecmp(at, text, length) != 0 ||
		    (at[length] != '.' && at[length] != '\0'))
			continue;
		found = &edit->edits[i];
		longest = length;
		*rest = at + length + (at[length] == '.');
	}
	return found;
}

/* The path that a text of the engine begins with, "rulesets[dev/office].rules[contoso]": its
 * length; 0: it begins with none. */
static size_t read_place(struct arena *arena, const char *text, struct path *path)
{
	size_t used = 0;
	char *slash = NULL;

	*path = (struct path){.group = GROUP_NONE};
	for (size_t level = 0; level < 2 && (level == 0 || text[used] == '.'); level++) {
		const char *word = text + used + level;
		size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz_"),
		       end = strcspn(word, "]");
		const char *collection = arena_printf(arena, "%.*s", (int)length, word);
		const struct kind *kind =
			collection ? kind_of_collection(path->kind, collection) : NULL;

		if (!kind || word[length] != '[' || word[end] != ']')
			break;
		path->kind = kind;
		path->names[level] =
			arena_printf(arena, "%.*s", (int)(end - length - 1), word + length + 1);
		used = (size_t)(word - text) + end + 1;
		if (!path->names[level])
			return 0;
	}
	slash = used > 0 ? strchr(path->names[0], '/') : NULL;
	if (slash) {
		*slash = '\0';
		path->group = path->names[0];
		path->names[0] = slash + 1;
	}
	return used;
}

/* A text of the engine, with ids in place of its paths; NULL without memory. */
static const char *with_ids(struct api_request *request, const char *text)
{
	char *copy = NULL, id[ARM_ID_MAX];
	const char *kept = NULL;
	size_t length;
	FILE *out = open_memstream(&copy, &length);
	struct path path;
	bool in_word = false;

	while (out && *text) {
		size_t used = in_word ? 0 : read_place(&request->arena, text, &path);

		in_word = isalnum((unsigned char)*text) || strchr("_.[", *text);
		if (used > 0 && arm_type_of(&path)) {
			fputs(arm_id(request, &path, id), out);
			text += used;
		} else {
			fputc(*text++, out);
		}
	}
	if (out && fclose(out) == 0)
		kept = arena_strdup(&request->arena, copy);
	free(copy);
	return kept;
}

/* Where the body has what an edit of what is inside is about: "properties.subnets[2]."; "":
 * nowhere.
 */
static void find_in_body(const struct making *making, const struct path *path,
			 char place[ARM_TARGET_MAX])
{
	char at[ARM_TARGET_MAX];
	json_t *item;
	size_t i;

	*place = '\0';
	for (const struct arm_member *member = making->asked.type->members; member->path;
	     member++) {
		if (member->form != ARM_CHILDREN ||
		    arm_type_named(member->of, strlen(member->of)) != arm_type_of(path))
			continue;
		snprintf(at, sizeof at, "properties.%s", member->path);
		json_array_foreach(arm_get(making->edit.request->body, at), i, item)
		{
			const char *name = json_string_value(arm_get(item, "name"));

			if (name && strcasecmp(name, path_name(path)) == 0)
				snprintf(place, ARM_TARGET_MAX, "%s[%zu].", at, i);
		}
	}
}

/* Faults name an item of a list by its name, where it has one; Azure, by its place in the body. */
static void count_item(const json_t *body, char target[ARM_TARGET_MAX])
{
	char *open = strchr(target, '['), *close = open ? strchr(open, ']') : NULL;
	char rest[ARM_TARGET_MAX];
	json_t *array, *item;
	size_t i;

	if (!close)
		return;
	snprintf(rest, sizeof rest, "%s", close);
	*open = *close = '\0';
	array = arm_get(body, target);
	json_array_foreach(array, i, item)
	{
		const char *name = json_string_value(arm_get(item, "name"));

		if (name && strcasecmp(name, open + 1) == 0)
			break;
	}
	if (array && i < json_array_size(array))
		snprintf(open, ARM_TARGET_MAX - (size_t)(open - target), "[%zu%s", i, rest);
	else
		*open = '[', *close = ']';
}

/* Which member a fault is about. *subject: which resource, "" where that is the one of the request
 * or in its body; returns false where the fault is about none that Azure has. */
static bool read_fault(struct api_edit *edit, const struct fault *fault,
		       char target[ARM_TARGET_MAX], char subject[ARM_ID_MAX])
{
	struct api_request *request = edit->request;
	const char *rest = "", *at = fault->origin.path ? fault->origin.path : "";
	const struct service_edit *about = edit_of(edit, fault, &rest);
	char place[ARM_TARGET_MAX] = "", member[ARM_TARGET_MAX] = "";
	struct path path = about ? about->path : (struct path){0};
	size_t length;

	*subject = *target = '\0';
	if (about && about != edit->edits)
		find_in_body(making_of(edit), &path, place);
	if (!about) {
		length = read_place(&request->arena, at, &path);
		if (length == 0 || !arm_type_of(&path))
			return false;
		rest = at + length + (at[length] == '.');
	}
	if (about != edit->edits && !*place)
		arm_id(request, &path, subject);
	if (*rest)
		arm_target_of_key(arm_type_of(&path), rest, member);
	if (about == edit->edits)
		count_item(request->body, member);
	snprintf(target, ARM_TARGET_MAX, "%s%s", place, member);
	return true;
}

static void fail_faults(struct api_edit *edit, const struct faults *faults)
{
	struct arm_errors errors = {.request = edit->request};
	char target[ARM_TARGET_MAX], subject[ARM_ID_MAX];

	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		const char *text = with_ids(edit->request, fault->text),
			   *at = fault->origin.path ? fault->origin.path : "";

		if (fault->severity != FAULT_ERROR || !text)
			continue;
		if (!read_fault(edit, fault, target, subject))
			snprintf(target, sizeof target, "%s", at);
		arm_error(&errors, 400, "BadRequest", target, "%s%s%s%s%s", subject,
			  *subject ? ": " : "", target, *target ? ": " : "", text);
	}
	if (errors.status == 0)
		api_fail_memory(edit->request);
	else
		arm_fail_all(&errors);
	arm_errors_release(&errors);
}

/* The address that is to have the reverse name. */
static const struct owned_resource *find_claimant(const struct api_request *request)
{
	const struct making *making = request->state;

	return addresses_find(api_inventory(request), &making->asked.path);
}

static void change(struct api_request *request, enum method method)
{
	static const struct api_editor editor = {.read = read_making,
						 .answer = answer_making,
						 .fail = fail,
						 .fail_faults = fail_faults,
						 .free = making_free,
						 .find = find_claimant,
						 .title = "PublicIPAddress",
						 .field = "properties.dnsSettings.reverseFqdn",
						 .also = ""};
	struct making *making;
	struct arm_asked asked;

	if (!read_asked(request, &asked))
		return;
	if (asked.is_list) {
		api_fail(request, 405, NULL, "this is a list; give the name of a resource");
		return;
	}
	making = calloc(1, sizeof *making);
	if (!making) {
		api_fail_memory(request);
		return;
	}
	*making = (struct making){
		.edit = {.editor = &editor, .request = request}, .asked = asked, .method = method};
	request->state = making;
	api_edit(&making->edit);
}

void arm_resource_put(struct api_request *request)
{
	change(request, PUT);
}

void arm_resource_patch(struct api_request *request)
{
	change(request, PATCH);
}

void arm_resource_delete(struct api_request *request)
{
	change(request, DELETE);
}

/* ---- actions ---- */

void arm_resource_post(struct api_request *request)
{
	const struct arm_action *action;
	struct change_error error;
	struct arm_shown shown;
	struct arm_asked asked;

	if (!read_asked(request, &asked))
		return;
	action = asked.action ? asked.type->actions : NULL;
	while (action && action->name && strcasecmp(action->name, asked.action) != 0)
		action++;
	if (!action || !action->name) {
		api_fail(request, 404, "InvalidResourceType", "%s has no action '%s'",
			 asked.type->path, asked.action ? asked.action : "");
	} else if (arm_find(request, asked.type, &asked.path, &shown, &error)) {
		action->handle(request, &shown);
		arm_shown_release(&shown);
	} else {
		fail_read(request, &asked, &error);
	}
}
