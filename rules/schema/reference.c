#include "rules/schema/reference.h"

#include <assert.h>
#include <strings.h>

#include "rules/text.h"

enum { CANDIDATES_MAX = 8 }; /* as many as an operator reads */

#define IN_NONE GROUP_NONE "/" /* what a reference to an item in no group begins with */

int reference_name(struct named *item, struct arena *arena)
{
	if (!item->name || !item->resource_group)
		return 0;
	item->full_name = arena_printf(arena, "%s/%s", item->resource_group, item->name);
	return item->full_name ? 0 : ERR_NOMEM;
}

/* ---- lists ---- */

static const char *const list_keys[] = {
	[REFERS_NETWORK] = "virtual_networks",
	[REFERS_OUTBOUND] = "resolvers",
	[REFERS_ZONE] = "private_zones",
};

struct named_list reference_list(const struct model *model, enum refers refers)
{
	switch (refers) {
	case REFERS_NETWORK:
		return (struct named_list){.items = model->virtual_networks.items,
					   .count = model->virtual_networks.count,
					   .size = sizeof *model->virtual_networks.items,
					   .by_name = model->networks_by_name};
	case REFERS_OUTBOUND:
		return (struct named_list){.items = model->resolvers.items,
					   .count = model->resolvers.count,
					   .size = sizeof *model->resolvers.items,
					   .by_name = model->resolvers_by_name};
	case REFERS_ZONE:
		return (struct named_list){.items = model->private_zones.items,
					   .count = model->private_zones.count,
					   .size = sizeof *model->private_zones.items,
					   .of_zones = true};
	case REFERS_NOWHERE: break;
	}
	return (struct named_list){.count = 0};
}

struct named_list reference_list_of(const struct model *model, const struct field *list)
{
	struct schema_list items = schema_list_get(list, model);

	for (enum refers refers = REFERS_NETWORK; refers <= REFERS_ZONE; refers++)
		if (strcmp(list->key, list_keys[refers]) == 0)
			return reference_list(model, refers);
	return (struct named_list){
		.items = items.items, .count = items.count, .size = list->group->size};
}

/* The items of one name, one after the other. */
struct search {
	const struct named_list *list;
	const char *name; /* so many bytes */
	size_t length;
	size_t next; /* to be looked at, in the list or in its by_name */
	size_t place;
	const struct named *item; /* found last, at that place of the list */
};

static void look_at(struct search *search)
{
	const struct named_list *list = search->list;

	search->place = list->by_name ? list->by_name[search->next] : search->next;
	search->item =
		(const struct named *)((const char *)list->items + search->place * list->size);
	search->next++;
}

/* As strcasecmp, of the item's name and the one that is looked for. */
static int compare(const struct search *search)
{
	const char *name = search->item->name ? search->item->name : "";
	int order = strncasecmp(name, search->name, search->length);

	return order ? order : name[search->length] != '\0';
}

static struct search search_for(const struct named_list *list, const char *name, size_t length)
{
	struct search search = {.list = list, .name = name, .length = length};
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

/* False: there is no further one. */
static bool find_next(struct search *search)
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

/* A group's name as a reference has it: so many bytes. */
static bool is_in(const struct named *item, const char *group, size_t length)
{
	const char *own = group_of(item);

	return strlen(own) == length && strncasecmp(own, group, length) == 0;
}

struct named_place {
	size_t place; /* the list's count: nowhere */
	bool is_full; /* by a text that has the group */
	bool ambiguous;
};

/* Of so many bytes of the text. */
static struct named_place find(const struct named_list *list, const char *group, const char *text,
			       size_t length)
{
	const char *slash = memchr(text, '/', length), *own = group ? group : GROUP_NONE;
	struct named_place found = {.place = list->count};
	struct search search;
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

/* Of an item at the top: without the endpoint. */
static size_t item_length(enum refers refers, const char *text)
{
	const char *end = refers == REFERS_OUTBOUND ? strrchr(text, '/') : NULL;

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

/* The resolver of "[GROUP/]RESOLVER/ENDPOINT"; *endpoint is what stands behind the last slash. */
static struct dns_resolver *find_resolver(const struct model *model, const char *group,
					  const char *text, const char **endpoint)
{
	const struct named_list list = reference_list(model, REFERS_OUTBOUND);
	const char *slash = text ? strrchr(text, '/') : NULL;
	size_t place = slash ? find(&list, group, text, (size_t)(slash - text)).place : list.count;

	*endpoint = slash ? slash + 1 : "";
	return place < list.count ? &model->resolvers.items[place] : NULL;
}

struct outbound_endpoint *model_outbound(const struct model *model, const char *group,
					 const char *text, struct dns_resolver **resolver)
{
	const char *name;
	struct dns_resolver *found = find_resolver(model, group, text, &name);

	if (resolver)
		*resolver = found;
	for (size_t i = 0; found && i < found->outbound_endpoints.count; i++) {
		const char *other = found->outbound_endpoints.items[i].name;

		if (other && strcasecmp(other, name) == 0)
			return &found->outbound_endpoints.items[i];
	}
	return NULL;
}

struct inbound_endpoint *model_inbound(const struct model *model, const char *group,
				       const char *text, struct dns_resolver **resolver)
{
	const char *name;
	struct dns_resolver *found = find_resolver(model, group, text, &name);

	if (resolver)
		*resolver = found;
	for (size_t i = 0; found && i < found->inbound_endpoints.count; i++) {
		const char *other = found->inbound_endpoints.items[i].name;

		if (other && strcasecmp(other, name) == 0)
			return &found->inbound_endpoints.items[i];
	}
	return NULL;
}

/* ---- writing ---- */

const char *reference_full(const struct model *model, enum refers refers, const char *group,
			   const char *text, struct arena *arena)
{
	const struct named_list list = reference_list(model, refers);
	size_t length = item_length(refers, text);
	const struct named *item;
	struct named_place found;

	if (refers == REFERS_OUTBOUND && !model_outbound(model, group, text, NULL))
		return NULL;
	found = find(&list, group, text, length);
	if (found.place == list.count || found.is_full)
		return found.is_full ? text : NULL;
	item = (const struct named *)((const char *)list.items + found.place * list.size);
	return arena_printf(arena, "%s/%s%s", group_of(item), item->name, text + length);
}

const char *reference_short(const char *text, enum refers refers, const char *group)
{
	const char *own = group ? group : GROUP_NONE, *slash = strchr(text, '/');
	size_t length = strlen(own);
	bool grouped = slash && (refers != REFERS_OUTBOUND || strchr(slash + 1, '/'));

	/* "64/26.100.51.198.in-addr.arpa" is a zone's name: a group of digits stays. */
	if (refers == REFERS_ZONE && strspn(own, "0123456789") == length)
		return text;

	return grouped && (size_t)(slash - text) == length && strncasecmp(text, own, length) == 0
		       ? slash + 1
		       : text;
}

/* ---- those of a model ---- */

struct walk {
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

static int walk_group(const struct walk *walk, const struct group *group, const void *item,
		      const char *in);

static int walk_texts(const struct walk *walk, const struct field *field, const void *item,
		      const char *in)
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

static int walk_list(const struct walk *walk, const struct field *field, const void *item,
		     const char *in)
{
	struct schema_list list = schema_list_get(field, item);
	int err = 0;

	for (size_t i = 0; !err && i < list.count; i++)
		err = walk_group(walk, field->group,
				 (const char *)list.items + i * field->group->size, in);
	return err;
}

static int walk_group(const struct walk *walk, const struct group *group, const void *item,
		      const char *in)
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
	const struct walk walk = {on_reference, context};

	return walk_group(&walk, &schema_model, model, NULL);
}

/* ---- what is wrong with them ---- */

static size_t print_candidates(struct search search, const char *endpoint,
			       char text[REFERENCE_TEXT_MAX])
{
	size_t count = 0;

	text[0] = '\0';
	for (; find_next(&search); count++) {
		if (count == CANDIDATES_MAX)
			text_append(text, REFERENCE_TEXT_MAX, " ...");
		if (count < CANDIDATES_MAX)
			text_append(text, REFERENCE_TEXT_MAX, "%s%s/%s%s", count > 0 ? ", " : "",
				    group_of(search.item), search.item->name, endpoint);
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
	static const char *const none[] = {
		[REFERS_NETWORK] = "there is no virtual network \"%.300s\"; name one of "
				   "virtual_networks",
		[REFERS_OUTBOUND] = "there is no outbound endpoint \"%.300s\"; write "
				    "RESOLVER/ENDPOINT, as in \"hub-resolver/outbound\"",
		[REFERS_ZONE] =
			"there is no zone \"%.300s\"; name a private zone, or a reverse zone "
			"of an address pool as \"sluice ptr delegation\" has it",
	};
	static const char *const nouns[] = {
		[REFERS_NETWORK] = "virtual network",
		[REFERS_OUTBOUND] = "resolver",
		[REFERS_ZONE] = "private zone",
	};
	const struct named_list list = reference_list(model, refers);
	size_t length = item_length(refers, text);
	char candidates[REFERENCE_TEXT_MAX];

	const char *shown = reference_short(text, refers, NULL);
	size_t count = print_candidates(search_for(&list, shown, length - (size_t)(shown - text)),
					text + length, candidates);

	if (find(&list, group, text, length).ambiguous) {
		snprintf(why, REFERENCE_TEXT_MAX,
			 "there is more than one %s \"%.*s\"; give its group: %.360s",
			 nouns[refers], (int)(length < 80 ? length : 80), text, candidates);
	} else {
		/* "-/hub" where there is a hub in a group. */
		snprintf(why, REFERENCE_TEXT_MAX, none[refers], count > 0 ? text : shown);
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
