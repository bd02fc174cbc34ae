/* Lists of resources: what is at the top of a model, by group and name; what is inside something,
 * by name; record sets, which are rows of the state; addresses, of which there may be a million. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/item.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/service/service.h"
#include "rules/array.h"
#include "rules/schema/schema.h"

static const struct model *served(const struct api_request *request)
{
	return request->service->server.model;
}

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
	const void **items = NULL;
	size_t count = 0;
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
	const struct arm_type *type = arm_type_named("privateDnsZones/SOA");
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
	return arm_compare_keys(key, behind) > 0;
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
			const struct arm_type *type = arm_type_named(member->of);

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

/* ---- addresses, of which there may be a million ---- */

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

	if ((*api_parameter(request, "group") && !arm_check_group(request)) ||
	    !arm_page_begin(&page, request, false))
		return;
	api_arm_say_revision(request);
	if (page.behind && address_parse(&address, page.behind) != 0)
		api_fail_at(request, 400, "InvalidSkipToken", "$skiptoken",
			    "it is not from a nextLink; follow the nextLink of the previous page");
	else
		api_list_answer(request, &rows, page.room, page.behind);
}

/* What is inside something. 0, or an answer has been given. */
static int collect_inside(struct listing *listing, const struct arm_page *page, json_t *array,
			  size_t *room)
{
	struct api_request *request = listing->request;
	const struct path *path = &listing->asked->path, root = part_root(path);
	const void *in = part_find(served(request), &root);
	const struct path parent = part_path(root.kind, in, NULL);
	int err;

	if (!path->kind->bulk) {
		err = collect(listing, &parent, in);
		if (err)
			api_fail_memory(request);
		return err;
	}
	err = collect_sets(listing, &parent, page->behind, *room);
	if (!err && !page->behind)
		*room -= add_soa(listing, &parent, array);
	return err;
}

void arm_list(struct api_request *request, const struct arm_asked *asked)
{
	struct listing listing = {.request = request,
				  .asked = asked,
				  .suffix = api_query(request, "$recordsetnamesuffix")};
	struct arm_page page;
	json_t *array;
	size_t room;
	int err;

	if (asked->path.kind->inventory) {
		list_addresses(request);
		return;
	}
	if ((asked->path.group && !arm_check_parent(request, asked, "read")) ||
	    !arm_page_begin(&page, request, false))
		return;
	room = page.room < LISTED_MAX ? page.room : LISTED_MAX;
	array = json_array();
	if (asked->path.kind->parent) {
		err = collect_inside(&listing, &page, array, &room);
	} else {
		err = collect(&listing, NULL, served(request));
		if (err)
			api_fail_memory(request);
	}
	if (!err)
		answer_list(&listing, &page, array, room);
	else
		json_decref(array);
	free(listing.items);
}
