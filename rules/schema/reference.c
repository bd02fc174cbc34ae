#include "rules/schema/reference.h"

#include <assert.h>
#include <strings.h>

#include "rules/text.h"

enum { CANDIDATES_MAX = 8 }; /* items shown to the operator */

#define IN_NONE GROUP_NONE "/" /* the start of a reference to an item in no group */

int reference_name(struct named *item, struct arena *arena)
{
	if (!item->name || !item->resource_group)
		return 0;
	item->full_name = arena_printf(arena, "%s/%s", item->resource_group, item->name);
	return item->full_name ? 0 : ERR_NOMEM;
}

/* ---- the kinds of references ---- */

struct inside {        /* a list inside each item */
	size_t offset; /* of the list in the item */
	size_t size;   /* of an inner item */
	bool given;    /* false: there is no such list */
};
#define INSIDE(type, list)                                                                         \
	{                                                                                          \
		offsetof(struct type, list), sizeof *((struct type *)NULL)->list.items, true       \
	}
#define LISTED(member)                                                                             \
	.key = #member, .list = {.type = FIELD_LIST, .offset = offsetof(struct model, member)},    \
	.size = sizeof *((struct model *)NULL)->member.items

/* A row for each kind of reference (enum refers): the model's list that such a reference leads to,
 * and the list inside its items, if the reference leads further. */
static const struct reference_row {
	const char *key;
	struct field list;
	size_t size;    /* sizeof an item */
	size_t by_name; /* offset of the order by name in the model */
	bool of_zones;
	struct inside inside;
	const char *noun; /* for the item */
	const char *none; /* the fault of a reference without an item */
} rows[REFERS_COUNT] = {
	[REFERS_NETWORK] = {LISTED(virtual_networks),
			    .by_name = offsetof(struct model, networks_by_name),
			    .noun = "virtual network",
			    .none = "there is no virtual network \"%.300s\"; name one of "
				    "virtual_networks"},
	[REFERS_OUTBOUND] = {LISTED(resolvers),
			     .by_name = offsetof(struct model, resolvers_by_name),
			     .inside = INSIDE(dns_resolver, outbound_endpoints), .noun = "resolver",
			     .none = "there is no outbound endpoint \"%.300s\"; write "
				     "RESOLVER/ENDPOINT, as in \"hub-resolver/outbound\""},
	[REFERS_ZONE] = {LISTED(private_zones), .by_name = offsetof(struct model, zones_by_name),
			 .of_zones = true, .noun = "private zone",
			 .none = "there is no zone \"%.300s\"; name a private zone, or a reverse "
				 "zone of an address pool as \"sluice ptr delegation\" has it"},
	[REFERS_SUBNET] = {LISTED(virtual_networks),
			   .by_name = offsetof(struct model, networks_by_name),
			   .inside = INSIDE(virtual_network, subnets), .noun = "virtual network",
			   .none = "there is no subnet \"%.300s\"; write NETWORK/SUBNET, as in "
				   "\"hub/machines\""},
};

struct named_list reference_list(const struct model *model, enum refers refers)
{
	const struct reference_row *row = &rows[refers];
	struct named_list list = {.size = row->size, .of_zones = row->of_zones};
	struct schema_list items = schema_list_get(&row->list, model);

	list.items = items.items;
	list.count = items.count;
	memcpy(&list.by_name, (const char *)model + row->by_name, sizeof list.by_name);
	return list;
}

struct named_list reference_list_of(const struct model *model, const struct field *list)
{
	struct schema_list items = schema_list_get(list, model);

	for (enum refers refers = REFERS_NETWORK; refers < REFERS_COUNT; refers++)
		if (strcmp(list->key, rows[refers].key) == 0)
			return reference_list(model, refers);
	return (struct named_list){
		.items = items.items, .count = items.count, .size = list->group->size};
}

/* A search for the items of one name. */
struct name_search {
	const struct named_list *list;
	const char *name; /* `length` bytes */
	size_t length;
	size_t next; /* the next index to look at, in the list or in by_name */
	size_t place;
	const struct named *item; /* the last one looked at, at `place` in the list */
};

static void look_at(struct name_search *search)
{
	const struct named_list *list = search->list;

	search->place = list->by_name ? list->by_name[search->next] : search->next;
	search->item =
		(const struct named *)((const char *)list->items + search->place * list->size);
	search->next++;
}

/* Compares the item's name with the one searched for, like strcasecmp. */
static int compare(const struct name_search *search)
{
	const char *name = search->item->name ? search->item->name : "";
	int order = strncasecmp(name, search->name, search->length);

	return order ? order : name[search->length] != '\0';
}

static struct name_search search_for(const struct named_list *list, const char *name, size_t length)
{
	struct name_search search = {.list = list, .name = name, .length = length};
	size_t low = 0, high = list->count;

	if (list->of_zones && length > 1 && name[length - 1] == '.')
		search.length--;
	while (list->by_name && low < high) {
		size_t middle = low + (high - low) / 2;

		search.next = middle;
		look_at(&search);
		if (compare(&search) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	search.next = low;
	return search;
}

/* False: no more. */
static bool find_next(struct name_search *search)
{
	while (search->next < search->list->count) {
		look_at(search);
		if (compare(search) == 0)
			return true;
		if (search->list->by_name)
			return false;
	}
	return false;
}

/* ---- finding ---- */

static const char *group_of(const struct named *item)
{
	assert(item);
	return item->resource_group ? item->resource_group : GROUP_NONE;
}

/* Whether the item is in the group, a name of `length` bytes. */
static bool is_in(const struct named *item, const char *group, size_t length)
{
	const char *own = group_of(item);

	return strlen(own) == length && strncasecmp(own, group, length) == 0;
}

struct named_place {
	size_t place; /* the list's count: not found */
	bool is_full; /* the text had the group */
	bool ambiguous;
};

/* Finds the item for the first `length` bytes of the text. */
static struct named_place find(const struct named_list *list, const char *group, const char *text,
			       size_t length)
{
	const char *slash = memchr(text, '/', length), *own = group ? group : GROUP_NONE;
	struct named_place found = {.place = list->count};
	struct name_search search;
	size_t others = 0;

	if (slash) {
		search = search_for(list, slash + 1, length - (size_t)(slash + 1 - text));
		while (find_next(&search))
			if (is_in(search.item, text, (size_t)(slash - text)))
				return (struct named_place){search.place, true, false};
		if (!list->of_zones)
			return found;
	}
	search = search_for(list, text, length);
	for (; find_next(&search); others++) {
		found.place = search.place;
		if (is_in(search.item, own, strlen(own)))
			return found;
	}
	found.ambiguous = others > 1;
	if (found.ambiguous)
		found.place = list->count;
	return found;
}

static struct named_place find_in_model(const struct model *model, enum refers refers,
					const char *group, const char *text)
{
	const struct named_list list = reference_list(model, refers);

	return text ? find(&list, group, text, strlen(text))
		    : (struct named_place){.place = list.count};
}

const struct named *reference_find(const struct named_list *list, const char *group,
				   const char *text)
{
	size_t place = text ? find(list, group, text, strlen(text)).place : list->count;

	return place < list->count
		       ? (const struct named *)((const char *)list->items + place * list->size)
		       : NULL;
}

/* The length of the text's part that names the item of the model's list. */
static size_t item_length(enum refers refers, const char *text)
{
	const char *end = rows[refers].inside.given ? strrchr(text, '/') : NULL;

	return end ? (size_t)(end - text) : strlen(text);
}

bool reference_is_ambiguous(const struct model *model, enum refers refers, const char *group,
			    const char *text)
{
	const struct named_list list = reference_list(model, refers);

	return text && find(&list, group, text, item_length(refers, text)).ambiguous;
}

struct virtual_network *model_network(const struct model *model, const char *group,
				      const char *text)
{
	size_t place = find_in_model(model, REFERS_NETWORK, group, text).place;

	return place < model->virtual_networks.count ? &model->virtual_networks.items[place] : NULL;
}

struct private_zone *model_zone(const struct model *model, const char *group, const char *text)
{
	size_t place = find_in_model(model, REFERS_ZONE, group, text).place;

	return place < model->private_zones.count ? &model->private_zones.items[place] : NULL;
}

/* The first members of all inner items. */
struct inner {
	struct origin origin;
	const char *name;
};
_Static_assert(offsetof(struct inner, name) == offsetof(struct subnet, name) &&
		       offsetof(struct inner, name) == offsetof(struct inbound_endpoint, name) &&
		       offsetof(struct inner, name) == offsetof(struct outbound_endpoint, name),
	       "items inside others have their names behind their origins");

/* Finds "[GROUP/]OUTER/INNER": the outer item in the list of `refers`, and the inner one in the
 * outer item's list `inside`. *outer: NULL for none. */
static const void *find_inside(const struct model *model, enum refers refers,
			       const struct inside *inside, const char *group, const char *text,
			       const void **outer)
{
	const struct field inner_list = {.type = FIELD_LIST, .offset = inside->offset};
	const struct named_list list = reference_list(model, refers);
	const char *slash = text ? strrchr(text, '/') : NULL;
	size_t place = slash ? find(&list, group, text, (size_t)(slash - text)).place : list.count;
	struct schema_list items = {NULL, 0};

	*outer = place < list.count ? (const char *)list.items + place * list.size : NULL;
	if (*outer)
		items = schema_list_get(&inner_list, *outer);
	for (size_t i = 0; i < items.count; i++) {
		const struct inner *inner =
			(const struct inner *)((const char *)items.items + i * inside->size);

		if (inner->name && strcasecmp(inner->name, slash + 1) == 0)
			return inner;
	}
	return NULL;
}

static void *find_in_resolver(const struct model *model, const struct inside *inside,
			      const char *group, const char *text, struct dns_resolver **resolver)
{
	const void *outer,
		*inner = find_inside(model, REFERS_OUTBOUND, inside, group, text, &outer);

	if (resolver)
		*resolver = (struct dns_resolver *)(uintptr_t)outer;
	return (void *)(uintptr_t)inner;
}

struct outbound_endpoint *model_outbound(const struct model *model, const char *group,
					 const char *text, struct dns_resolver **resolver)
{
	return find_in_resolver(model, &rows[REFERS_OUTBOUND].inside, group, text, resolver);
}

struct inbound_endpoint *model_inbound(const struct model *model, const char *group,
				       const char *text, struct dns_resolver **resolver)
{
	static const struct inside inbounds = INSIDE(dns_resolver, inbound_endpoints);

	return find_in_resolver(model, &inbounds, group, text, resolver);
}

struct subnet *model_subnet_of(const struct model *model, const char *group, const char *text,
			       struct virtual_network **network)
{
	const void *outer, *inner = find_inside(model, REFERS_SUBNET, &rows[REFERS_SUBNET].inside,
						group, text, &outer);

	if (network)
		*network = (struct virtual_network *)(uintptr_t)outer;
	return (struct subnet *)(uintptr_t)inner;
}

/* ---- writing ---- */

const char *reference_full(const struct model *model, enum refers refers, const char *group,
			   const char *text, struct arena *arena)
{
	const struct named_list list = reference_list(model, refers);
	const struct inside *inside = &rows[refers].inside;
	size_t length = item_length(refers, text);
	const struct named *item;
	struct named_place found;
	const void *outer;

	if (inside->given && !find_inside(model, refers, inside, group, text, &outer))
		return NULL;
	found = find(&list, group, text, length);
	if (found.place == list.count || found.is_full)
		return found.is_full ? text : NULL;
	item = (const struct named *)((const char *)list.items + found.place * list.size);
	return arena_printf(arena, "%s/%s%s", group_of(item), item->name, text + length);
}

bool reference_has_group(enum refers refers, const char *text)
{
	const char *slash = strchr(text, '/');

	if (rows[refers].of_zones)
		return false;
	return slash && (!rows[refers].inside.given || strchr(slash + 1, '/'));
}

const char *reference_short(const char *text, enum refers refers, const char *group)
{
	const char *own = group ? group : GROUP_NONE, *slash = strchr(text, '/');
	size_t length = strlen(own);
	bool grouped = rows[refers].of_zones ? slash != NULL : reference_has_group(refers, text);

	/* "64/26.100.51.198.in-addr.arpa" may be the name of a zone, so a group whose name has only
	 * digits is not removed. */
	if (rows[refers].of_zones && strspn(own, "0123456789") == length)
		return text;

	return grouped && (size_t)(slash - text) == length && strncasecmp(text, own, length) == 0
		       ? slash + 1
		       : text;
}

/* ---- the references of a model ---- */

struct reference_walk {
	int (*on_reference)(void *context, const struct reference *reference);
	void *context;
};

static bool has_references(const struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];

		if (field->refers || (field->group && has_references(field->group)))
			return true;
	}
	return false;
}

static int walk_group(const struct reference_walk *walk, const struct group *group,
		      const void *item, const char *in);

static int walk_texts(const struct reference_walk *walk, const struct field *field,
		      const void *item, const char *in)
{
	bool is_list = field->type == FIELD_STRINGS;
	struct schema_list list =
		is_list ? schema_list_get(field, item) : (struct schema_list){NULL, 1};
	struct reference reference = {field->refers, in, NULL, field->key, item};
	int err = 0;

	for (size_t i = 0; !err && i < list.count; i++) {
		memcpy(&reference.text,
		       is_list ? (const char *)list.items + i * sizeof reference.text
			       : (const char *)item + field->offset,
		       sizeof reference.text);
		if (reference.text)
			err = walk->on_reference(walk->context, &reference);
	}
	return err;
}

static int walk_list(const struct reference_walk *walk, const struct field *field, const void *item,
		     const char *in)
{
	struct schema_list list = schema_list_get(field, item);
	int err = 0;

	for (size_t i = 0; !err && i < list.count; i++)
		err = walk_group(walk, field->group,
				 (const char *)list.items + i * field->group->size, in);
	return err;
}

static int walk_group(const struct reference_walk *walk, const struct group *group,
		      const void *item, const char *in)
{
	int err = 0;

	if (group->named)
		in = ((const struct named *)item)->resource_group;
	for (size_t i = 0; !err && i < group->count; i++) {
		const struct field *field = &group->fields[i];

		if (field->refers)
			err = walk_texts(walk, field, item, in);
		else if (!field->group || !has_references(field->group))
			continue;
		else if (field->type == FIELD_LIST)
			err = walk_list(walk, field, item, in);
		else
			err = walk_group(walk, field->group, (const char *)item + field->offset,
					 in);
	}
	return err;
}

int reference_each(const struct model *model,
		   int (*on_reference)(void *context, const struct reference *reference),
		   void *context)
{
	const struct reference_walk walk = {on_reference, context};

	return walk_group(&walk, &schema_model, model, NULL);
}

/* ---- failed look-ups ---- */

static size_t print_candidates(struct name_search search, const char *inner,
			       char text[REFERENCE_TEXT_MAX])
{
	size_t count = 0;

	text[0] = '\0';
	for (; find_next(&search); count++) {
		if (count == CANDIDATES_MAX)
			text_append(text, REFERENCE_TEXT_MAX, " ...");
		if (count < CANDIDATES_MAX)
			text_append(text, REFERENCE_TEXT_MAX, "%s%s/%s%s", count > 0 ? ", " : "",
				    group_of(search.item), search.item->name, inner);
	}
	return count;
}

size_t reference_candidates(const struct named_list *list, const char *name,
			    char text[REFERENCE_TEXT_MAX])
{
	return print_candidates(search_for(list, name, strlen(name)), "", text);
}

char *reference_refusal(const struct model *model, enum refers refers, const char *group,
			const char *text, char why[REFERENCE_TEXT_MAX])
{
	const struct named_list list = reference_list(model, refers);
	size_t length = item_length(refers, text);
	char candidates[REFERENCE_TEXT_MAX];

	const char *shown = reference_short(text, refers, NULL);
	size_t count = print_candidates(search_for(&list, shown, length - (size_t)(shown - text)),
					text + length, candidates);

	if (find(&list, group, text, length).ambiguous) {
		snprintf(why, REFERENCE_TEXT_MAX,
			 "there is more than one %s \"%.*s\"; give its group: %.360s",
			 rows[refers].noun, (int)(length < 80 ? length : 80), text, candidates);
	} else {
		/* Shows "-/hub" as "hub" only if no group has a hub. */
		snprintf(why, REFERENCE_TEXT_MAX, rows[refers].none, count > 0 ? text : shown);
	}
	return why;
}

/* ---- full names ---- */

const char *full_name_behind_group(const char *full, unsigned slashes)
{
	const char *slash = strchr(full, '/');
	unsigned found = 0;

	for (const char *at = slash; at; at = strchr(at + 1, '/'))
		found++;
	return found > slashes ? slash + 1 : full;
}

enum reference_fit reference_fit(const char *text, const char *full, unsigned slashes)
{
	const char *name = full_name_behind_group(full, slashes);
	size_t none = strlen(IN_NONE);
	bool in_none = strncmp(text, IN_NONE, none) == 0;

	if (in_none)
		return name == full && strcasecmp(text + none, full) == 0 ? REFERENCE_EXACT
									  : REFERENCE_OTHER;
	if (strcasecmp(text, full) == 0)
		return REFERENCE_EXACT;
	return name != full && strcasecmp(text, name) == 0 ? REFERENCE_NAMESAKE : REFERENCE_OTHER;
}
