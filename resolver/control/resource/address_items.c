/* Items of the resources. Marks are the address of an address, the name of a service or a group;
 * PTRs have the mark of their address or service, addresses first. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/resource/address_edits.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/item.h"

enum { ROWS_AT_ONCE = 50 }; /* read by one `next`, fitting or not */

static int fail_memory(struct change_error *error)
{
	return change_say(error, CHANGE_NO_MEMORY, NULL, "%s", err_text(ERR_NOMEM));
}

/* ERR_INVALID: something could not be read, and `error` says why. */
static int check_reads(struct resources *resources, struct change_error *error)
{
	const char *trouble = resources_trouble(resources);

	return trouble ? change_say(error, CHANGE_STORE, NULL, "%s", trouble) : 0;
}

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

static struct item group_item(const struct resource_group *group)
{
	return (struct item){.path = {kind_of_id(KIND_GROUP), GROUP_NONE, {group->name, NULL}},
			     .fields = group,
			     .origin = group->origin};
}

static int find_group(struct resources *resources, const struct path *path, struct arena *arena,
		      struct item *item, struct change_error *error)
{
	struct resource_group *group = arena_alloc(arena, sizeof *group);
	bool found;

	if (!group)
		return fail_memory(error);
	found = group_find(resources, path->names[0], group);
	if (check_reads(resources, error) != 0)
		return ERR_INVALID;
	*item = group_item(group);
	return found ? 0 : ERR_NOT_FOUND;
}

static int find(struct resources *resources, const struct path *path, struct arena *arena,
		struct item *item, struct change_error *error)
{
	const struct owned_resource *owned;

	error->outcome = CHANGE_FINE;
	if (path->kind->id == KIND_GROUP)
		return find_group(resources, path, arena, item, error);
	owned = addresses_find(resources, path);
	if (check_reads(resources, error) != 0)
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
	const char *key = path_name(&item->path);

	(void)list;
	if (owned)
		key = owned_is_service(owned) ? owned->item.name
					      : address_print(&owned->item.address, address);
	snprintf(text, ITEM_MARK_MAX, "%s", key);
	return text;
}

static bool is_wanted(const struct item_list *list, const struct item *item)
{
	return !list->fits || list->fits(list->context, item);
}

/* Sets the rows that fit as the list's items, up to `room`. */
static void take_rows(struct item_list *list, const struct owned_resource *const *rows,
		      size_t count, size_t room)
{
	size_t i;

	for (i = 0; i < count && list->count < room; i++) {
		const struct item item = owned_item(list->path.kind, rows[i]);

		if (is_wanted(list, &item))
			list->items[list->count++] = item;
		else
			list->passed++;
		mark(list, &item, list->behind);
	}
	list->more = list->more || i < count;
}

static int next_owned(struct item_list *list, size_t room, struct change_error *error)
{
	const struct owned_resource *rows[ROWS_AT_ONCE];
	size_t most = ROWS_AT_ONCE, count;

	if (!list->fits && room < most)
		most = room;
	count = read_page(list, rows, most);
	if (check_reads(list->resources, error) != 0)
		return ERR_INVALID;
	list->items = arena_alloc_array(list->arena, count, sizeof *list->items);
	if (!list->items)
		return fail_memory(error);
	list->more = count == most;
	take_rows(list, rows, count, room);
	return 0;
}

static int take_groups(struct item_list *list, const struct resource_group *groups, size_t count,
		       size_t room)
{
	struct resource_group *copies = arena_alloc_array(list->arena, count, sizeof *copies);

	list->items = arena_alloc_array(list->arena, count, sizeof *list->items);
	if (!copies || !list->items)
		return ERR_NOMEM;
	for (size_t i = 0; !list->more && i < count; i++) {
		struct item item;

		copies[i] = groups[i];
		item = group_item(&copies[i]);
		if ((*list->behind && strcasecmp(groups[i].name, list->behind) <= 0) ||
		    !is_wanted(list, &item))
			continue;
		list->more = list->count == room;
		if (!list->more)
			list->items[list->count++] = item;
	}
	if (list->count > 0)
		mark(list, &list->items[list->count - 1], list->behind);
	return 0;
}

static int next_groups(struct item_list *list, size_t room, struct change_error *error)
{
	size_t count;
	struct resource_group *groups = groups_list(list->resources, &count);
	int err = groups ? take_groups(list, groups, count, room) : ERR_NOMEM;

	free(groups);
	if (check_reads(list->resources, error) != 0)
		return ERR_INVALID;
	return err ? fail_memory(error) : 0;
}

static int next(struct item_list *list, size_t room, struct change_error *error)
{
	struct address address;

	error->outcome = CHANGE_FINE;
	list->items = NULL;
	list->count = 0;
	list->more = false;
	if (list->path.kind->id == KIND_ADDRESS && *list->behind &&
	    address_parse(&address, list->behind) != 0)
		return change_say(error, CHANGE_INVALID, "marker",
				  "\"%.64s\" is not an address; follow the `next` link of the "
				  "previous page",
				  list->behind);
	if (strlen(list->behind) >= (size_t)NAME_TEXT_MAX + GROUP_TEXT_MAX)
		return change_say(error, CHANGE_INVALID, "marker",
				  "it is longer than any name; follow the `next` link of the "
				  "previous page");
	return list->path.kind->id == KIND_GROUP ? next_groups(list, room, error)
						 : next_owned(list, room, error);
}

/* ---- values ---- */

static char *etag(const struct resources *resources, const struct kind *kind,
		  const struct item *item, char text[ETAG_MAX])
{
	if (!item)
		return kind->id == KIND_GROUP ? NULL : addresses_etag(resources, text);
	return item->owned ? owned_etag(item->owned, text) : group_etag(item->fields, text);
}

static json_t *values(const struct resources *resources, const struct item *item)
{
	const struct owned_resource *owned = item->owned;

	(void)resources;
	if (!owned)
		return group_values(item->fields);
	if (item->path.kind->id == KIND_PTR)
		return owned_ptr_values(owned);
	return owned_has_ptr_of_state(owned) ? owned_values_alone(owned) : owned_values(owned);
}

static json_t *stored(struct resources *resources, const struct path *path,
		      struct change_error *error)
{
	json_t *found = addresses_values(resources, path);

	error->outcome = CHANGE_FINE;
	if (!found && check_reads(resources, error) == 0)
		(void)fail_memory(error);
	return found;
}

static json_t *show(const struct resources *resources, const struct item *item, char text[ETAG_MAX])
{
	etag(resources, item->path.kind, item, text);
	return item->owned ? owned_show(item->owned, item->path.kind->id)
			   : group_show(item->fields);
}

const struct item_calls items_of_addresses = {.find = find,
					      .next = next,
					      .mark = mark,
					      .etag = etag,
					      .values = values,
					      .stored = stored,
					      .show = show};
