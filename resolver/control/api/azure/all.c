/* /resources lists what is tracked (it has a location and tags), without its properties, and
 * $filter chooses:
 *
 *     resourceType|name|location|resourceGroup|tagName|tagValue  eq|ne  'value'  [and ...]
 *
 * Types come in the order of the table, each by group and name, and addresses last, because there
 * may be a million of them. The marker of a page is TYPE:GROUP/NAME, or addresses:ADDRESS. */
#include "resolver/control/api/azure/all.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/item.h"
#include "resolver/control/api/list.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/service/service.h"
#include "rules/array.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

static const struct model *served(const struct api_request *request)
{
	return request->service->server.model;
}

/* ---- every resource of the model, type by type ---- */

static void add_found(struct arm_found_list *list, const struct arm_type *type,
		      const struct path *path, const void *item)
{
	struct arm_found *items = array_grow(list->items, list->count, &list->room, sizeof *items);

	if (!items) {
		list->no_memory = true;
		return;
	}
	list->items = items;
	items[list->count++] = (struct arm_found){type, *path, item};
}

static void add_items(struct arm_found_list *list, const struct arm_type *type,
		      const struct path *parent, const void *in)
{
	const struct kind *kind = kind_of_id(type->kind);
	size_t size = kind_field(kind)->group->size;
	struct schema_list items = kind_list(kind, in);

	for (size_t i = 0; i < items.count; i++) {
		const void *item = (const char *)items.items + i * size;
		const struct path path = part_path(kind, item, parent);

		if ((list->group && strcasecmp(list->group, path.group) != 0) ||
		    item_made_because(served(list->request), &path))
			continue;
		add_found(list, type, &path, item);
	}
}

static int compare_found(const void *a, const void *b)
{
	const struct arm_found *left = a, *right = b;
	int order = (left->type > right->type) - (left->type < right->type);

	if (order == 0)
		order = strcasecmp(left->path.group, right->path.group);
	if (order == 0)
		order = strcasecmp(left->path.names[0], right->path.names[0]);
	return order == 0 && left->path.names[1]
		       ? strcasecmp(left->path.names[1], right->path.names[1])
		       : order;
}

void arm_find_all(struct arm_found_list *list, bool (*wants)(const struct arm_type *type))
{
	for (const struct arm_type *type = arm_types; type->path; type++) {
		const struct kind *kind = kind_of_id(type->kind);
		size_t before = list->count;

		if (!wants(type) || kind->inventory || kind->bulk)
			continue;
		if (!kind->parent) {
			add_items(list, type, NULL, served(list->request));
			continue;
		}
		for (size_t i = 0; i < before; i++) {
			const struct arm_found outer = list->items[i];

			if (outer.path.kind == kind->parent)
				add_items(list, type, &outer.path, outer.item);
		}
	}
	if (list->count > 0)
		qsort(list->items, list->count, sizeof *list->items, compare_found);
}

/* ---- $filter ---- */

enum { CLAUSES_MAX = 8 };

struct clause {
	char name[16], value[512];
	bool is_not;
};

struct filter {
	struct clause clauses[CLAUSES_MAX];
	size_t count;
};

static bool take_word(const char **at, char *word, size_t size)
{
	size_t length;

	*at += strspn(*at, " ");
	for (length = 0; isalpha((unsigned char)(*at)[length]); length++)
		;
	if (length == 0 || length >= size)
		return false;
	snprintf(word, size, "%.*s", (int)length, *at);
	*at += length;
	return true;
}

/* 'it''s' is it's. */
static bool take_text(const char **at, char *text, size_t size)
{
	size_t used = 0;

	*at += strspn(*at, " ");
	if (*(*at)++ != '\'')
		return false;
	for (; **at && used + 1 < size; (*at)++) {
		if (**at == '\'' && (*at)[1] != '\'') {
			text[used] = '\0';
			(*at)++;
			return true;
		}
		*at += **at == '\'';
		text[used++] = **at;
	}
	return false;
}

static bool take_clause(const char **at, struct clause *clause)
{
	static const char *const names[] = {"resourcetype", "name",     "location", "resourcegroup",
					    "tagname",      "tagvalue", NULL};
	char word[8];

	if (!take_word(at, clause->name, sizeof clause->name) ||
	    !text_is_among(text_lower(clause->name), names) || !take_word(at, word, sizeof word))
		return false;
	clause->is_not = strcasecmp(word, "ne") == 0;
	return (clause->is_not || strcasecmp(word, "eq") == 0) &&
	       take_text(at, clause->value, sizeof clause->value);
}

static bool read_filter(struct filter *filter, const char *at)
{
	char word[8];

	filter->count = 0;
	while (filter->count < CLAUSES_MAX && take_clause(&at, &filter->clauses[filter->count])) {
		filter->count++;
		at += strspn(at, " ");
		if (*at == '\0')
			return true;
		if (!take_word(&at, word, sizeof word) || strcasecmp(word, "and") != 0)
			return false;
	}
	return false;
}

static bool has_tag(json_t *tags, const char *name, const char *value)
{
	const char *key;
	json_t *own;

	json_object_foreach(tags, key, own)
	{
		bool is_named = !name || strcasecmp(key, name) == 0;

		if (is_named && (!value || strcmp(json_string_value(own), value) == 0))
			return true;
	}
	return false;
}

static bool fits_clause(const struct filter *filter, const struct clause *clause, const json_t *row,
			const char *group)
{
	json_t *tags = json_object_get(row, "tags");
	const char *tag = NULL;

	if (strcmp(clause->name, "resourcetype") == 0)
		return strcasecmp(json_text_of(row, "type"), clause->value) == 0;
	if (strcmp(clause->name, "resourcegroup") == 0)
		return strcasecmp(group, clause->value) == 0;
	if (strcmp(clause->name, "tagname") == 0)
		return has_tag(tags, clause->value, NULL);
	if (strcmp(clause->name, "tagvalue") != 0)
		return strcasecmp(json_text_of(row, clause->name), clause->value) == 0;
	for (size_t i = 0; i < filter->count; i++)
		if (strcmp(filter->clauses[i].name, "tagname") == 0)
			tag = filter->clauses[i].value;
	return has_tag(tags, tag, clause->value);
}

static bool fits(const struct filter *filter, const json_t *row, const char *group)
{
	for (size_t i = 0; i < filter->count; i++)
		if (fits_clause(filter, &filter->clauses[i], row, group) ==
		    filter->clauses[i].is_not)
			return false;
	return true;
}

/* ---- /resources ---- */

enum { SCANNED_MAX = 2000 }; /* addresses that one request looks at: some milliseconds */

struct resources { /* a page of them */
	struct api_request *request;
	struct filter filter;
	json_t *array;
	size_t room;
	char last[ARM_ID_MAX]; /* the marker of what was looked at last */
};

/* False: the page is full. */
static bool add_row(struct resources *resources, const struct arm_shown *shown)
{
	json_t *row;

	if (json_array_size(resources->array) == resources->room)
		return false;
	row = arm_print_short(shown);
	if (fits(&resources->filter, row, shown->path.group))
		json_add(resources->array, row);
	else
		json_decref(row);
	return true;
}

static void mark(const struct arm_found *found, char text[ARM_ID_MAX])
{
	char name[NAME_TEXT_MAX];

	snprintf(text, ARM_ID_MAX, "%zu:%s/%s%s%s", (size_t)(found->type - arm_types),
		 found->path.group, found->path.names[0], found->path.kind->parent ? "/" : "",
		 found->path.kind->parent ? arm_name(&found->path, name) : "");
}

static int compare_marks(const char *left, const char *right)
{
	size_t a = strtoul(left, NULL, 10), b = strtoul(right, NULL, 10);

	return a != b ? (a > b) - (a < b) : arm_compare_keys(left, right);
}

static const char addresses_mark[] = "addresses:";

static bool is_tracked(const struct arm_type *type)
{
	return type->tracked;
}

/* False: there is more. */
static bool add_of_model(struct resources *resources, const char *behind)
{
	struct arm_found_list list = {.request = resources->request};
	const char *group = api_parameter(resources->request, "group");
	bool all = true;

	if (behind && strncmp(behind, addresses_mark, strlen(addresses_mark)) == 0)
		return true;
	list.group = *group ? group : NULL;
	arm_find_all(&list, is_tracked);
	for (size_t i = 0; i < list.count && all; i++) {
		const struct arm_found *found = &list.items[i];
		struct arm_shown shown;
		char text[ARM_ID_MAX];

		mark(found, text);
		if (behind && compare_marks(text, behind) <= 0)
			continue;
		arm_show_plain(resources->request, found->type, &found->path, found->item, &shown);
		all = add_row(resources, &shown);
		arm_shown_release(&shown);
		if (all)
			snprintf(resources->last, sizeof resources->last, "%s", text);
	}
	free(list.items);
	return all;
}

/* False: there is more. */
static bool add_addresses(struct resources *resources, const char *behind)
{
	struct api_request *request = resources->request;
	struct inventory *inventory = api_inventory(request);
	const char *group = api_parameter(request, "group");
	const char *from = NULL;
	const struct owned_resource *page[64];
	struct address after;
	size_t count, scanned = 0;

	if (behind && strncmp(behind, addresses_mark, strlen(addresses_mark)) == 0)
		from = behind + strlen(addresses_mark);
	for (;;) {
		bool has_after = from && address_parse(&after, from) == 0;

		if (*group)
			count = inventory_group_after(inventory, api_group(request),
						      has_after ? &after : NULL, page, 64);
		else if (api_list_addresses(request, from, page, 64, &count) != 0)
			count = 0;
		for (size_t i = 0; i < count; i++) {
			struct arm_shown shown;
			char text[ADDRESS_TEXT_MAX];
			bool added = true;

			if (ownership_is_of(inventory, page[i],
					    api_parameter(request, "subscription"))) {
				arm_show_address(request, page[i], &shown);
				added = add_row(resources, &shown);
				arm_shown_release(&shown);
			}
			if (!added)
				return false;
			snprintf(resources->last, sizeof resources->last, "%s%s", addresses_mark,
				 address_print(&page[i]->item.address, text));
		}
		scanned += count;
		if (count < 64)
			return true;
		if (scanned >= SCANNED_MAX)
			return false;
		from = arena_strdup(&request->arena, resources->last + strlen(addresses_mark));
		inventory_forget(inventory);
	}
}

void arm_resources_list(struct api_request *request)
{
	const char *filter = api_query(request, "$filter"),
		   *group = api_parameter(request, "group");
	struct resources resources = {.request = request};
	struct resource_group unused;
	struct arm_page page;
	bool all;
	json_t *body;

	if (!api_arm_begin(request) || !arm_page_read(&page, request))
		return;
	if (*group && strcmp(group, GROUP_NONE) != 0 &&
	    !inventory_group(api_inventory(request), group, &unused)) {
		api_fail(request, 404, "ResourceGroupNotFound",
			 "Resource group '%s' could not be found.", group);
		return;
	}
	if (filter && *filter && !read_filter(&resources.filter, filter)) {
		api_fail_at(
			request, 400, "InvalidFilterInQueryString", "$filter",
			"Invalid $filter '%.200s' specified in the query string. Use resourceType, "
			"name, location, resourceGroup, tagName or tagValue with eq or ne and a "
			"'value', joined by and.",
			filter);
		return;
	}
	resources.room = page.room;
	resources.array = json_array();
	all = add_of_model(&resources, page.behind) && add_addresses(&resources, page.behind);
	body = json_make("{s:o}", "value", resources.array);
	if (!all)
		json_put(body, "nextLink", arm_next_link(request, resources.last));
	api_arm_say_revision(request);
	api_reply_json(request, 200, body, NULL);
}
