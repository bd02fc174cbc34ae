/* A table of groups on each shelf, by the lower-case name: what the state keeps, and what the file
 * names. They are put together when somebody asks. */
#include "resolver/control/resource/inventory_group_internal.h"

#include <assert.h>
#include <strings.h>

#include "rules/text.h"

bool group_key(const char *name, char key[GROUP_KEY_MAX])
{
	size_t length = strlen(name);

	if (length >= GROUP_KEY_MAX)
		return false;
	memcpy(key, name, length + 1);
	text_lower(key);
	return true;
}

struct group_entry *group_entry_new(const struct resource_group *values)
{
	const char *region = values->region ? values->region : "";
	const char *tags = values->tags ? values->tags : "";
	size_t name = strlen(values->name) + 1, place = strlen(region) + 1, rest = strlen(tags) + 1;
	struct group_entry *entry = calloc(1, sizeof *entry + 2 * name + place + rest);

	if (!entry)
		return NULL;
	char *key = entry->texts, *kept = key + name;
	memcpy(key, values->name, name);
	text_lower(key);
	memcpy(kept, values->name, name);
	memcpy(kept + name, region, place);
	memcpy(kept + name + place, tags, rest);
	entry->group = (struct resource_group){
		.name = kept,
		.region = values->region ? kept + name : NULL,
		.tags = values->tags ? kept + name + place : NULL,
		.origin = values->origin,
		.revision = values->revision,
	};
	return entry;
}

struct group_entry *group_find(struct group_entry *table, const char *name)
{
	struct group_entry *entry = NULL;
	char key[GROUP_KEY_MAX] = "";

	if (group_key(name, key))
		HASH_FIND_STR(table, key, entry);
	return entry;
}

int group_put(struct group_entry **table, struct group_entry *entry)
{
	assert(!entry->hh.tbl);
	HASH_ADD_KEYPTR(hh, *table, entry->texts, strlen(entry->texts), entry);
	return entry->hh.tbl ? 0 : ERR_NOMEM;
}

void group_take(struct group_entry **table, struct group_entry *entry)
{
	HASH_DEL(*table, entry);
	entry->hh.tbl = NULL;
}

void groups_free(struct group_entry **table)
{
	struct group_entry *entry, *next;

	HASH_ITER (hh, *table, entry, next) {
		HASH_DEL(*table, entry);
		free(entry);
	}
}

int group_name_once(struct group_entry **table, const struct resource_group *values)
{
	if (strlen(values->name) >= GROUP_KEY_MAX || group_find(*table, values->name))
		return 0;
	struct group_entry *entry = group_entry_new(values);
	int err = entry ? group_put(table, entry) : ERR_NOMEM;
	if (err)
		free(entry);
	return err;
}

/* ---- for readers (inventory_group.h) ---- */

/* Both may be NULL; false: there is nothing to put together. */
static bool put_together(const struct group_entry *kept, const struct group_entry *filed,
			 struct resource_group *group)
{
	if (kept)
		*group = kept->group;
	else if (filed)
		*group = filed->group;
	if (kept && filed)
		group->origin = filed->group.origin;
	return kept || filed;
}

bool inventory_group(const struct inventory *inventory, const char *name,
		     struct resource_group *group)
{
	const struct book *book = inventory->book;

	return put_together(group_find(book->state->groups, name),
			    group_find(book->file->groups, name), group);
}

static int compare_groups(const void *left, const void *right)
{
	const struct resource_group *a = left, *b = right;

	return strcasecmp(a->name, b->name);
}

struct resource_group *inventory_groups(const struct inventory *inventory, size_t *count)
{
	const struct book *book = inventory->book;
	size_t most = HASH_COUNT(book->state->groups) + HASH_COUNT(book->file->groups), used = 0;
	struct resource_group *list = calloc(most + 1, sizeof *list);
	const struct group_entry *at;

	*count = 0;
	if (!list)
		return NULL;
	for (at = book->state->groups; at; at = at->hh.next)
		put_together(at, group_find(book->file->groups, at->texts), &list[used++]);
	for (at = book->file->groups; at; at = at->hh.next)
		if (!group_find(book->state->groups, at->texts))
			put_together(NULL, at, &list[used++]);
	qsort(list, used, sizeof *list, compare_groups);
	*count = used;
	return list;
}

size_t inventory_group_size(const struct inventory *inventory, const char *name)
{
	const struct book *book = inventory->book;
	size_t file, state;

	shelf_members(book->file, name, &file);
	shelf_members(book->state, name, &state);
	return file + state;
}

bool inventory_has_ungrouped(const struct inventory *inventory)
{
	return inventory_group_size(inventory, NULL) > 0;
}

char *group_etag(const struct resource_group *group, char text[ETAG_MAX])
{
	static const struct hash_key key = {UINT64_C(0x736c75696365), UINT64_C(0x67726f7570)};
	uint64_t hash = etag_add_number(&key, 0, group->revision);

	hash = etag_add_text(&key, hash, group->name);
	hash = etag_add_text(&key, hash, group->region);
	return etag_print(etag_add_text(&key, hash, group->tags), 0, text);
}
