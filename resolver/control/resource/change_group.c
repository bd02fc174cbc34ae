/* Groups are edited as owners are (change.c): the book's entry is replaced at once, and what was
 * there is kept until the change is committed or undone. */
#include "resolver/control/resource/change_group.h"

#include <assert.h>
#include <strings.h>

#include "resolver/control/resource/change_internal.h"
#include "resolver/control/resource/inventory_group_internal.h"
#include "resolver/control/resource/ownership.h"
#include "rules/text.h"

struct group_touch { /* a group that the change has to do with */
	char key[GROUP_KEY_MAX];
	struct group_entry *first; /* as it was, out of the book; NULL: there was none */
	struct group_entry *now;   /* as it is, in the book; NULL: removed */
	UT_hash_handle hh;
};

/* ---- beginning, undoing, committing ---- */

static struct group_touch *touch_of(struct change *change, const char *name)
{
	char key[GROUP_KEY_MAX] = "";
	struct group_touch *touch;

	bool fits = group_key(name, key);
	assert(fits);
	(void)fits;
	HASH_FIND_STR(change->groups, key, touch);
	if (touch)
		return touch;
	touch = calloc(1, sizeof *touch);
	if (!touch)
		return NULL;
	memcpy(touch->key, key, sizeof key);
	touch->first = touch->now = group_find(change->inventory->book->state->groups, name);
	HASH_ADD_STR(change->groups, key, touch);
	if (touch->hh.tbl)
		return touch;
	free(touch);
	return NULL;
}

static void forget(struct change *change)
{
	struct group_touch *touch, *next;

	HASH_ITER (hh, change->groups, touch, next) {
		HASH_DEL(change->groups, touch);
		free(touch);
	}
}

/* Puts `after` (NULL: nothing) into the place of what is there. Takes it over. */
static int swap(struct change *change, const char *name, struct group_entry *after)
{
	struct group_entry **table = &change->inventory->book->state->groups;
	struct group_touch *touch = touch_of(change, name);
	struct group_entry *before = touch ? touch->now : NULL;

	if (!touch) {
		free(after);
		return change_fail_memory(change);
	}
	if (before)
		group_take(table, before);
	if (before != touch->first)
		free(before);
	touch->now = NULL;
	if (after && group_put(table, after) != 0) { /* change_groups_undo() puts the rest right */
		free(after);
		return change_fail_memory(change);
	}
	touch->now = after;
	return 0;
}

bool change_groups_undo(struct change *change)
{
	struct group_entry **table = &change->inventory->book->state->groups;
	bool all = true;

	for (struct group_touch *touch = change->groups; touch; touch = touch->hh.next) {
		if (touch->now == touch->first)
			continue;
		if (touch->now)
			group_take(table, touch->now);
		free(touch->now);
		if (touch->first && group_put(table, touch->first) != 0) {
			free(touch->first);
			all = false;
		}
	}
	forget(change);
	return all;
}

size_t change_groups_count(const struct change *change)
{
	return HASH_COUNT(change->groups);
}

size_t change_groups_describe(const struct change *change, struct source_edit *edits)
{
	size_t count = 0;

	for (const struct group_touch *touch = change->groups; touch; touch = touch->hh.next) {
		const struct group_entry *told = touch->now ? touch->now : touch->first;
		uint64_t before = touch->first ? touch->first->group.revision : 0;

		if (touch->now == touch->first || (!touch->now && !before))
			continue;
		edits[count++] = (struct source_edit){
			.act = touch->now ? SOURCE_PUT_GROUP : SOURCE_DELETE_GROUP,
			.expected = before,
			.group = {.name = told->group.name,
				  .region = told->group.region,
				  .tags = told->group.tags},
		};
	}
	return count;
}

void change_groups_settle(struct change *change, uint64_t revision)
{
	for (struct group_touch *touch = change->groups; touch; touch = touch->hh.next) {
		if (touch->now == touch->first)
			continue;
		if (touch->now)
			touch->now->group.revision = revision;
		free(touch->first);
	}
	forget(change);
}

/* ---- edits ---- */

static int put(struct change *change, const struct resource_group *values)
{
	struct group_entry *entry = group_entry_new(values);

	return entry ? swap(change, values->name, entry) : change_fail_memory(change);
}

const char *group_name_refusal(const char *name)
{
	size_t length = strlen(name);

	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      (*c >= '0' && *c <= '9') || (unsigned char)*c >= 0x80 || strchr("_().-", *c)))
			return "give letters, digits and any of _().-";
	if (strcmp(name, GROUP_NONE) == 0)
		return "it stands for the addresses without a group; give another";
	return length > 0 && name[length - 1] == '.' ? "give one that does not end in a dot" : NULL;
}

/* One that is there already keeps its name. */
static int check_name(struct change *change, const char *name)
{
	const struct book *book = change->inventory->book;
	const char *advice = group_name_refusal(name);

	if (!advice || group_find(book->file->groups, name) ||
	    group_find(book->state->groups, name))
		return 0;
	return change_fail(change, CHANGE_INVALID, "resource_group", "\"%s\" does not fit; %s",
			   name, advice);
}

int change_group_ensure(struct change *change, const char *name, const char *region)
{
	const struct book *book = change->inventory->book;
	const struct group_entry *filed = group_find(book->file->groups, name);
	const struct resource_group group = {
		.name = name,
		.region = filed ? filed->group.region : region,
	};

	if (group_find(book->state->groups, name))
		return 0;
	return check_name(change, name) == 0 ? put(change, &group) : ERR_INVALID;
}

/* By the table of fields, as if it were an address's group. */
static int check(struct change *change, const struct change_group *wanted, struct wish *wish)
{
	const struct change_value values[] = {
		{"resource_group", wanted->name},
		{"region", wanted->region},
		{"tags", wanted->tags},
	};
	int err = wish_init(wish, OWNER_ADDRESS, NULL) == 0 ? 0 : change_fail_memory(change);

	for (size_t i = 0; !err && i < sizeof values / sizeof *values; i++)
		err = wish_set(change, wish, &values[i]);
	if (!err && !wish->address.resource_group)
		err = change_fail(change, CHANGE_INVALID, "resource_group", "is missing; give one");
	return err ? err : check_name(change, wanted->name);
}

static int check_writable(struct change *change, const struct resource_group *group)
{
	if (!group_is_read_only(group))
		return 0;
	return change_fail(change, CHANGE_READ_ONLY, NULL,
			   "resource group \"%s\" comes from the configuration file, at %s:%u; "
			   "change it there",
			   group->name, group->origin.file, group->origin.line);
}

static int put_wish(struct change *change, const char *name, const struct wish *wish)
{
	const struct resource_group group = {
		.name = name,
		.region = wish->address.region,
		.tags = wish->tags,
	};

	return put(change, &group);
}

int change_group_put(struct change *change, const struct change_group *wanted)
{
	struct resource_group group = {.name = wanted->name};
	struct wish wish;
	int err = change_is_open(change);

	if (err)
		return err;
	err = check(change, wanted, &wish);
	bool there = !err && inventory_group(change->inventory, wanted->name, &group);
	bool same = there && text_equal(group.region, wish.address.region) &&
		    text_equal(group.tags, wish.tags);
	if (there && !same)
		err = check_writable(change, &group);
	if (!err && !same)
		err = put_wish(change, group.name, &wish);
	wish_release(&wish);
	return err;
}

int change_group_import(struct change *change, const struct change_group *wanted)
{
	struct wish wish;
	int err = check(change, wanted, &wish);

	if (!err && group_find(change->inventory->book->state->groups, wanted->name))
		err = change_fail(change, CHANGE_INVALID, "name",
				  "%s is there twice; leave one out", wanted->name);
	if (!err)
		err = put_wish(change, wanted->name, &wish);
	wish_release(&wish);
	return err;
}

static size_t add_found(const struct shelf *shelf, const char *group, const struct owner **found)
{
	size_t count, i = 0;
	const struct node *node = shelf_members(shelf, group, &count);

	for (; node; node = node->group_behind)
		found[i++] = &node->owner;
	return i;
}

/* Removing one changes the list that is walked, so they are put aside first. */
static int remove_addresses(struct change *change, const char *name, const char *subscription)
{
	const struct inventory *inventory = change->inventory;
	size_t size = inventory_group_size(inventory, name), count = 0;
	const struct owner **found = calloc(size + 1, sizeof *found);
	int err = 0;

	if (!found)
		return change_fail_memory(change);
	count += add_found(inventory->book->file, name, found);
	count += add_found(inventory->book->state, name, found + count);
	for (size_t i = 0; !err && i < count; i++)
		if (ownership_is_of(inventory, found[i], subscription))
			err = change_remove(change, found[i]);
	free(found);
	return err;
}

int change_group_remove(struct change *change, const char *name, const char *subscription)
{
	int err = change_is_open(change);

	if (!err)
		err = remove_addresses(change, name, subscription);
	if (!err && name && group_find(change->inventory->book->state->groups, name))
		err = swap(change, name, NULL);
	return err;
}
