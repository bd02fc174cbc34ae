/* Lists of resources of one type: of the subscription or a group, by group and name; of a parent,
 * by name; record sets, which come from the file, from rows of the state and from registrations;
 * addresses, of which there may be a million. The marker of a page is GROUP/NAME, or NAME, or
 * ADDRESS. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/found.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/azure/particular.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/registrations.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/part.h"
#include "rules/schema/schema.h"

enum {
	LISTED_MAX = 250, /* of a page: takes some milliseconds */
	/* Record sets that one request reads, which takes some milliseconds. Sets of another type
	 * or suffix count as well, so a page may be empty and have a next one. */
	READ_MAX = 1000,
	MARK_MAX = NAME_TEXT_MAX + GROUP_TEXT_MAX
};

struct arm_listing {
	const struct arm_asked *asked;
	const char *suffix; /* of record sets' names; NULL: any */
	struct arm_found_list found;
	const char *end; /* READ_MAX were read: the page ends with this name; else NULL */
};

/* Does the record set have the type and the suffix of the request? */
static bool is_listed_set(const struct arm_listing *listing, const struct path *path)
{
	const char *name = path_name(path), *colon = strrchr(name, ':');
	size_t length = (size_t)(colon - name),
	       suffix = listing->suffix ? strlen(listing->suffix) : 0;

	return (listing->asked->is_all
			? arm_type_of(path) != NULL
			: strcasecmp(colon + 1, listing->asked->type->record_type) == 0) &&
	       suffix <= length &&
	       strncasecmp(colon - suffix, listing->suffix ? listing->suffix : "", suffix) == 0;
}

static bool is_own_set(void *context, const struct item *item)
{
	return is_listed_set(context, &item->path);
}

static bool is_registered_set(const struct api_request *request, const struct kind *kind,
			      const void *set)
{
	const struct path path = {kind, NULL, {NULL, part_name(kind, set)}};

	return is_listed_set(request->state, &path);
}

/* False: the record sets cannot be read, and the request has been answered. */
static bool collect_sets(struct arm_listing *listing, const struct path *zone, const char *behind,
			 size_t room)
{
	struct api_request *request = listing->found.request;
	struct item_list list = {
		.resources = api_resources(request),
		.arena = &request->arena,
		.path = {listing->asked->path.kind, zone->group, {zone->names[0], NULL}},
		.fits = is_own_set,
		.context = listing,
		.rows_max = READ_MAX};
	struct change_error error;

	snprintf(list.behind, sizeof list.behind, "%s", behind ? behind : "");
	if (items_of(list.path.kind)->next(&list, room + 1, &error) != 0) {
		api_fail_change(request, &error);
		return false;
	}
	if (list.more && list.count <= room) {
		listing->end = arena_strdup(&request->arena, list.behind);
		listing->found.no_memory = !listing->end;
	}
	for (size_t i = 0; i < list.count; i++) {
		const struct item *item = &list.items[i];

		arm_found_add(&listing->found, arm_type_of(&item->path), &item->path, item->fields);
	}
	return true;
}

/* Merges registered record sets with the zone's own. Both lists are sorted, and each has more than
 * a page or all that there is. If reading of the zone's own sets stopped at listing->end, the
 * registered sets after it are left to the next page. */
static void merge_registered(struct arm_listing *listing, const struct path *zone,
			     const struct private_zone *in, const char *behind, size_t room)
{
	struct api_request *request = listing->found.request;
	const struct registrations_wanted wanted = {behind, room + 1, is_registered_set};
	const struct record_set *sets;
	struct arm_found_list own = listing->found;
	size_t count, at = 0;

	request->state = listing;
	if (registrations_as_sets(request, in, &wanted, &sets, &count) != 0) {
		listing->found.no_memory = true;
		return;
	}
	listing->found.items = NULL;
	listing->found.count = listing->found.room = 0;
	for (size_t i = 0; i < count; i++) {
		const struct path path = part_path(kind_of_id(KIND_RECORD_SET), &sets[i], zone);

		if (listing->end && registrations_compare(path.names[1], listing->end) > 0)
			break;
		while (at < own.count &&
		       registrations_compare(own.items[at].path.names[1], path.names[1]) < 0) {
			arm_found_add(&listing->found, own.items[at].type, &own.items[at].path,
				      own.items[at].item);
			at++;
		}
		arm_found_add(&listing->found, arm_type_of(&path), &path, &sets[i]);
	}
	for (; at < own.count; at++)
		arm_found_add(&listing->found, own.items[at].type, &own.items[at].path,
			      own.items[at].item);
	free(own.items);
}

/* Adds the SOA that the server made for a zone, which comes first. False: the zone has its own, or
 * the list has no SOA. */
static bool add_soa(struct arm_listing *listing, const struct path *parent, json_t *array)
{
	const struct arm_asked *asked = listing->asked;
	const struct arm_type *type = arm_type_named("privateDnsZones/SOA");
	struct path path = {asked->path.kind, parent->group, {parent->names[0], "@:SOA"}};
	struct arm_shown shown;
	struct change_error error;
	bool is_given;

	if ((!asked->is_all && asked->type != type) || (listing->suffix && *listing->suffix))
		return false;
	if (!arm_find(listing->found.request, type, &path, &shown, &error))
		return false;
	is_given = shown.item;
	if (!is_given)
		json_add(array, arm_print(&shown));
	arm_shown_release(&shown);
	return !is_given;
}

static void mark(const struct arm_found *found, char text[MARK_MAX])
{
	bool at_top = !found->path.kind->parent;

	snprintf(text, MARK_MAX, "%s%s%s", at_top ? found->path.group : "", at_top ? "/" : "",
		 path_name(&found->path));
}

/* Shows the resource with its etag. Children that share the parent's etag get it from the first
 * one. */
static void show_found(struct api_request *request, const struct arm_found *found,
		       char etag[ARM_ETAG_MAX], struct arm_shown *shown)
{
	if (!arm_is_inside(found->type) || *etag == '\0') {
		arm_show_item(request, found->type, &found->path, found->item, shown);
		memcpy(etag, shown->etag, sizeof shown->etag);
		return;
	}
	arm_show_plain(request, found->type, &found->path, found->item, shown);
	memcpy(shown->etag, etag, sizeof shown->etag);
}

/* The number of children that are printed in the resource. */
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

/* The index of the page's first resource. It is 0 for record sets: only those of the page were
 * collected. */
static size_t find_first(const struct arm_listing *listing, const struct arm_page *page)
{
	size_t first = 0;
	char own[MARK_MAX];

	if (!page->behind || listing->asked->path.kind->home)
		return 0;
	for (; first < listing->found.count; first++) {
		mark(&listing->found.items[first], own);
		if (arm_compare_keys(own, page->behind) > 0)
			break;
	}
	return first;
}

/* Finds the users of all subnets of the page in one walk, because the page may have thousands of
 * subnets. NULL: the list is neither of networks nor of subnets. */
static json_t *find_users(const struct arm_listing *listing, size_t first, size_t room)
{
	const struct path *path = &listing->asked->path;
	json_t *users;

	if (path->kind->id == KIND_SUBNET)
		return arm_network_users(listing->found.request, path);
	if (path->kind->id != KIND_NETWORK)
		return NULL;
	users = json_object();
	for (size_t i = first; i < listing->found.count && i < first + room; i++)
		arm_users_want(users, &listing->found.items[i].path);
	arm_users_find(listing->found.request, users);
	return users;
}

static void answer_list(struct arm_listing *listing, const struct arm_page *page, json_t *array,
			size_t room)
{
	size_t first = find_first(listing, page), shown_inside = 0;
	json_t *users = find_users(listing, first, room);
	char last[MARK_MAX] = "", etag[ARM_ETAG_MAX] = "";
	bool more = false;

	for (size_t i = first; i < listing->found.count; i++) {
		const struct arm_found *found = &listing->found.items[i];
		struct arm_shown shown;

		more = i - first == room || shown_inside > LISTED_MAX;
		if (more)
			break;
		show_found(page->request, found, etag, &shown);
		shown.users = json_incref(users);
		shown_inside += count_inside(&shown);
		json_add(array, arm_print(&shown));
		arm_shown_release(&shown);
		mark(found, last);
	}
	json_decref(users);
	arm_page_answer(page, array, more ? last : listing->end);
}

/* ---- addresses, of which there may be a million ---- */

static json_t *address_row(struct api_request *request, const struct item *item)
{
	struct arm_shown shown;
	json_t *row;

	arm_show_address(request, item->owned, &shown);
	row = arm_print(&shown);
	arm_shown_release(&shown);
	return row;
}

static void list_addresses(struct api_request *request)
{
	static const struct api_list rows = {
		.key = "value", .row = address_row, .tail = "nextLink", .tail_json = arm_next_link};
	struct item_list list = arm_addresses(request);
	struct arm_page page;
	struct address address;

	if ((*api_parameter(request, "group") && !arm_check_group(request)) ||
	    !arm_page_begin(&page, request, NULL))
		return;
	api_arm_say_revision(request);
	snprintf(list.behind, sizeof list.behind, "%s", page.behind ? page.behind : "");
	if (page.behind && address_parse(&address, page.behind) != 0)
		api_fail_at(request, 400, "InvalidSkipToken", "$skiptoken",
			    "it is not from a nextLink; follow the nextLink of the previous page");
	else
		api_list_answer(request, &rows, &list, page.room);
}

/* Collects children. False: they cannot be read, and the request has been answered. */
static bool collect_inside(struct arm_listing *listing, const struct arm_page *page, json_t *array,
			   size_t *room)
{
	struct api_request *request = page->request;
	const struct path *path = &listing->asked->path, root = part_root(path);
	const void *in = part_find(api_model(request), &root);
	const struct path parent = part_path(root.kind, in, NULL);

	if (!path->kind->home) {
		arm_found_add_items(&listing->found, listing->asked->type, &parent, in);
		arm_found_sort(&listing->found);
		return true;
	}
	if (!collect_sets(listing, &parent, page->behind, *room))
		return false;
	merge_registered(listing, &parent, in, page->behind, *room);
	if (!page->behind)
		*room -= add_soa(listing, &parent, array);
	return true;
}

void arm_list(struct api_request *request, const struct arm_asked *asked)
{
	struct arm_listing listing = {.asked = asked,
				      .suffix = api_query(request, "$recordsetnamesuffix"),
				      .found = {.request = request, .group = asked->path.group}};
	struct arm_page page;
	json_t *array;
	size_t room;

	if (kind_is_beside(asked->path.kind)) {
		list_addresses(request);
		return;
	}
	if ((asked->path.group && !arm_check_parent(request, asked, "read")) ||
	    !arm_page_begin(&page, request, NULL))
		return;
	room = page.room < LISTED_MAX ? page.room : LISTED_MAX;
	array = json_array();
	if (!asked->path.kind->parent) {
		arm_found_add_items(&listing.found, asked->type, NULL, NULL);
		arm_found_sort(&listing.found);
	} else if (!collect_inside(&listing, &page, array, &room)) {
		json_decref(array);
		return;
	}
	if (listing.found.no_memory) {
		json_decref(array);
		api_fail_memory(request);
	} else {
		answer_list(&listing, &page, array, room);
	}
	free(listing.found.items);
}
