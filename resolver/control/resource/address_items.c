/* Addresses, services and PTRs for the APIs. The mark of an address is its IP address, that of a
 * service is its name. A PTR has the mark of its address or service; addresses come first. */
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/item.h"

enum { ROWS_AT_ONCE = 50 }; /* read by one `next`, fitting or not */

/* ---- finding ---- */

static struct item owned_item(const struct kind *kind, const struct owned_resource *owned)
{
	const char *group = owned->item.resource_group;
	bool is_ptr = kind->id == KIND_PTR;
	struct item item = {.path = {kind,
				     kind->id == KIND_ADDRESS && group ? group : GROUP_NONE,
				     {is_ptr ? owned->item.id : owned->item.name, NULL}},
			    .fields = &owned->item,
			    .owned = owned,
			    .is_absent = is_ptr && !owned->item.reverse_fqdn};

	if (!is_ptr || owned->ptr_is_declared)
		item.origin = owned->item.origin;
	return item;
}

static int find(struct resources *resources, const struct path *path, struct arena *arena,
		struct item *item, struct change_error *error)
{
	const struct owned_resource *owned = addresses_find(resources, path);

	(void)arena;
	error->outcome = CHANGE_FINE;
	if (resources_check_reads(resources, error) != 0)
		return ERR_INVALID;
	if (!owned)
		return ERR_NOT_FOUND;
	*item = owned_item(path->kind, owned);
	return 0;
}

/* ---- lists ---- */

/* Finds list->only, the one address, service or PTR of the list. */
static size_t read_only(const struct item_list *list, const struct owned_resource **page)
{
	unsigned kind = list->path.kind->id;
	const struct owned_resource *owned =
		*list->behind ? NULL : addresses_by_ptr(list->resources, list->only);

	if (!owned || (kind != KIND_PTR && kind != owned->kind->id))
		return 0;
	page[0] = owned;
	return 1;
}

/* Addresses come first. */
static size_t read_page(const struct item_list *list, const struct owned_resource **page,
			size_t room)
{
	struct resources *resources = list->resources;
	unsigned kind = list->path.kind->id;
	const char *group = list->path.group, *service = NULL;
	bool grouped = group && strcmp(group, GROUP_NONE) != 0;
	struct address after = {0};
	size_t count = 0;

	if (*list->behind && (kind == KIND_SERVICE || address_parse(&after, list->behind) != 0))
		service = list->behind;
	if (list->only)
		return read_only(list, page);
	if (kind != KIND_SERVICE && !service)
		count = group ? addresses_in_group_after(resources, grouped ? group : NULL, &after,
							 page, room)
			      : addresses_after(resources, &after, page, room);
	if (kind == KIND_ADDRESS || count == room || grouped) /* services are in no group */
		return count;
	return count + services_after(resources, service, page + count, room - count);
}

static char *mark(const struct item_list *list, const struct item *item, char text[ITEM_MARK_MAX])
{
	const struct owned_resource *owned = item->owned;
	char address[ADDRESS_TEXT_MAX];

	(void)list;
	snprintf(text, ITEM_MARK_MAX, "%s",
		 owned_is_service(owned) ? owned->item.name
					 : address_print(&owned->item.address, address));
	return text;
}

/* Sets the rows that fit as the list's items, up to `room`. */
static void take_rows(struct item_list *list, const struct owned_resource *const *rows,
		      size_t count, size_t room)
{
	size_t i;

	for (i = 0; i < count && list->count < room; i++) {
		const struct item item = owned_item(list->path.kind, rows[i]);

		if (item_fits(list, &item))
			list->items[list->count++] = item;
		else
			list->passed++;
		mark(list, &item, list->behind);
	}
	list->more = list->more || i < count;
}

static int next(struct item_list *list, size_t room, struct change_error *error)
{
	const struct owned_resource *rows[ROWS_AT_ONCE];
	size_t most = ROWS_AT_ONCE, count;
	struct address address;

	if (item_list_begin(list, error) != 0)
		return ERR_INVALID;
	if (list->path.kind->id == KIND_ADDRESS && *list->behind &&
	    address_parse(&address, list->behind) != 0)
		return change_say(error, CHANGE_INVALID, "marker",
				  "\"%.64s\" is not an address; follow the `next` link of the "
				  "previous page",
				  list->behind);
	if (!list->fits && room < most)
		most = room;
	count = read_page(list, rows, most);
	if (resources_check_reads(list->resources, error) != 0)
		return ERR_INVALID;
	list->items = arena_alloc_array(list->arena, count, sizeof *list->items);
	if (!list->items)
		return change_no_memory(error);
	list->more = count == most;
	take_rows(list, rows, count, room);
	return 0;
}

/* ---- values ---- */

static char *etag(const struct resources *resources, const struct kind *kind,
		  const struct item *item, char text[ETAG_MAX])
{
	(void)kind;
	return item ? owned_etag(item->owned, text) : addresses_etag(resources, text);
}

static json_t *values(const struct resources *resources, const struct item *item)
{
	const struct owned_resource *owned = item->owned;

	(void)resources;
	if (item->path.kind->id == KIND_PTR)
		return owned_ptr_values(owned);
	return owned_has_ptr_of_state(owned) ? owned_values_alone(owned) : owned_values(owned);
}

static json_t *stored(struct resources *resources, const struct path *path,
		      struct change_error *error)
{
	const struct owned_resource *owned = addresses_find(resources, path);
	bool has_ptr = owned && owned->item.reverse_fqdn && !owned->ptr_is_declared;
	json_t *found;

	error->outcome = CHANGE_FINE;
	if (!owned) {
		if (resources_check_reads(resources, error) == 0)
			change_say(error, CHANGE_NOT_FOUND, NULL, CHANGE_GONE);
		return NULL;
	}
	if (path->kind->id != KIND_PTR)
		found = owned_values(owned);
	else
		found = has_ptr ? owned_ptr_values(owned) : json_make("{s:n}", "reverse_fqdn");
	if (!found)
		(void)change_no_memory(error);
	return found;
}

static json_t *show(const struct resources *resources, const struct item *item, char text[ETAG_MAX])
{
	(void)resources;
	owned_etag(item->owned, text);
	return owned_show(item->owned, item->path.kind->id);
}

const struct item_calls items_of_addresses = {.find = find,
					      .next = next,
					      .mark = mark,
					      .etag = etag,
					      .values = values,
					      .stored = stored,
					      .show = show};
