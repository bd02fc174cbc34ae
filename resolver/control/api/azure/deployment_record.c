#include "resolver/control/api/azure/deployment_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/resource/resources.h"
#include "rules/array.h"
#include "rules/text.h"

enum { TIME_MAX = 40, KEY_MAX = 16 + GROUP_TEXT_MAX + DEPLOYMENT_NAME_MAX };

static const char summary[] = "deployed";
static const char *const parts[] = {[DEPLOYMENT_RECORD] = "deployment",
				    [DEPLOYMENT_OPERATIONS] = "operations",
				    [DEPLOYMENT_TEMPLATE] = "template"};
enum { PARTS = sizeof parts / sizeof *parts };

/* Makes a key such as "deployment hub-rg/network", or "deployment /network" for the subscription;
 * returns text. */
static char *key_of(const char *kind, const char *group, const char *name, char text[KEY_MAX])
{
	snprintf(text, KEY_MAX, "%s %s/%s", kind, group ? group : "", name);
	return text_lower(text);
}

static int fail(struct change_error *error, int err, const char *text)
{
	return change_say(error, err == ERR_NOMEM ? CHANGE_NO_MEMORY : CHANGE_STORE, NULL, "%s",
			  *text ? text : err_text(err));
}

/* ---- reading ---- */

/* Calls back for pairs whose keys begin with the prefix; a callback that returns ERR_LIMIT ends the
 * walk. */
struct pair_walk {
	const char *prefix;
	int (*on_pair)(void *context, const char *rest, const char *value);
	void *context;
};

static int on_pair(void *context, const struct source_pair *pair)
{
	const struct pair_walk *walk = context;
	size_t length = strlen(walk->prefix);

	if (strncmp(pair->key, walk->prefix, length) != 0)
		return ERR_LIMIT;
	return walk->on_pair(walk->context, pair->key + length, pair->value);
}

static int walk_pairs(const struct pair_walk *walk, struct resources *resources, const char *from,
		      size_t limit, struct change_error *error)
{
	char text[SOURCE_ERROR_MAX] = "";
	struct source *source;
	int err;

	error->outcome = CHANGE_FINE;
	source = change_reader(resources_store(resources), error);
	if (!source)
		return error->outcome == CHANGE_NO_STATE ? 0 : ERR_INVALID;
	err = source->calls->pairs(source, from, limit, on_pair, (void *)(uintptr_t)walk, text);
	return err && err != ERR_LIMIT ? fail(error, err, text) : 0;
}

static int take_text(void *context, const char *rest, const char *value)
{
	char **text = context;

	if (*rest != '\0')
		return ERR_LIMIT;
	*text = strdup(value);
	return *text ? 0 : ERR_NOMEM;
}

static int read_text(struct resources *resources, const char *key, char **text,
		     struct change_error *error)
{
	const struct pair_walk walk = {key, take_text, text};

	*text = NULL;
	return walk_pairs(&walk, resources, key, 1, error);
}

int deployment_read_part(struct resources *resources, const char *group, const char *name,
			 enum deployment_part part, char **text, struct change_error *error)
{
	char key[KEY_MAX];

	return read_text(resources, key_of(parts[part], group, name, key), text, error);
}

struct deployment_summary { /* a deployment, without its JSON */
	char name[DEPLOYMENT_NAME_MAX], at[TIME_MAX], state[DEPLOYMENT_STATE_MAX];
	size_t bytes;
};

static void read_summary(struct deployment_summary *one, const char *name, const char *value)
{
	char at[TIME_MAX] = "", state[DEPLOYMENT_STATE_MAX] = "";

	*one = (struct deployment_summary){.bytes = 0};
	(void)sscanf(value, "%39s %15s %zu", at, state, &one->bytes);
	snprintf(one->name, sizeof one->name, "%s", name);
	snprintf(one->at, sizeof one->at, "%s", at);
	snprintf(one->state, sizeof one->state, "%s", state);
}

int deployment_find(struct resources *resources, const char *group, const char *name,
		    char state[DEPLOYMENT_STATE_MAX], struct change_error *error)
{
	char key[KEY_MAX], *text;
	struct deployment_summary one = {.bytes = 0};
	int err = read_text(resources, key_of(summary, group, name, key), &text, error);

	if (!err && text)
		read_summary(&one, name, text);
	snprintf(state, DEPLOYMENT_STATE_MAX, "%s", one.state);
	free(text);
	return err;
}

struct deployment_summaries {
	struct deployment_summary *items;
	size_t count, room;
};

static struct deployment_summary *add_listed(struct deployment_summaries *listing)
{
	struct deployment_summary *items =
		array_grow(listing->items, listing->count, &listing->room, sizeof *items);

	if (!items)
		return NULL;
	listing->items = items;
	return &items[listing->count++];
}

static int take_summary(void *context, const char *rest, const char *value)
{
	struct deployment_summary *one = add_listed(context);

	if (!one)
		return ERR_NOMEM;
	read_summary(one, rest, value);
	return 0;
}

/* Lists all deployments of the group, by name; the caller frees listing->items. */
static int list_all(struct deployment_summaries *listing, struct resources *resources,
		    const char *group, struct change_error *error)
{
	char prefix[KEY_MAX];
	const struct pair_walk walk = {key_of(summary, group, "", prefix), take_summary, listing};

	return walk_pairs(&walk, resources, prefix, SIZE_MAX / 2, error);
}

/* Writes the records of a page. Returns the number of summaries that it has passed, skipped ones
 * included; sets *err if a record cannot be read. */
static size_t write_page(struct deployment_page *page, const struct deployment_summaries *listing,
			 struct resources *resources, struct change_error *error, int *err)
{
	size_t i = 0, count = 0, bytes = 0;
	char *text;

	for (; !*err && i < listing->count; i++) {
		const struct deployment_summary *one = &listing->items[i];

		if (page->behind && strcasecmp(one->name, page->behind) <= 0)
			continue;
		if (!page->takes(page->context, one->state))
			continue;
		if (count == page->room || bytes > DEPLOYMENT_PAGE_BYTES)
			break;
		*err = deployment_read_part(resources, page->group, one->name, DEPLOYMENT_RECORD,
					    &text, error);
		if (*err || !text)
			continue;
		json_writer_row_text(page->rows, text);
		count++;
		bytes += strlen(text);
		snprintf(page->last, sizeof page->last, "%s", one->name);
		free(text);
	}
	return i;
}

int deployment_list(struct resources *resources, struct deployment_page *page,
		    struct change_error *error)
{
	struct deployment_summaries listing = {.items = NULL};
	int err = list_all(&listing, resources, page->group, error);

	page->last[0] = '\0';
	if (!err && write_page(page, &listing, resources, error, &err) == listing.count)
		page->last[0] = '\0';
	free(listing.items);
	return err;
}

/* ---- writing ---- */

static char *own_text(struct deployment_pairs *pairs, const char *text)
{
	char *own;

	if (!pairs->has_arena)
		arena_init(&pairs->arena);
	pairs->has_arena = true;
	own = arena_strdup(&pairs->arena, text);
	pairs->no_memory |= !own;
	return own;
}

/* Copies the key; value NULL: removes the row. */
static void add_pair(struct deployment_pairs *pairs, const char *key, const char *value)
{
	struct source_pair *rows =
		array_grow(pairs->rows, pairs->count, &pairs->room, sizeof *rows);

	pairs->no_memory |= !rows;
	if (!rows)
		return;
	pairs->rows = rows;
	rows[pairs->count++] = (struct source_pair){own_text(pairs, key), value};
}

static int no_memory(const struct deployment_pairs *pairs, struct change_error *error)
{
	return pairs->no_memory ? fail(error, ERR_NOMEM, "") : 0;
}

static void drop_one(struct deployment_pairs *pairs, const char *group, const char *name)
{
	char key[KEY_MAX];

	add_pair(pairs, key_of(summary, group, name, key), NULL);
	for (size_t i = 0; i < PARTS; i++)
		add_pair(pairs, key_of(parts[i], group, name, key), NULL);
}

static size_t bytes_of(const struct deployment_kept *kept)
{
	return strlen(kept->record) + strlen(kept->operations) +
	       (kept->template ? strlen(kept->template) : 0);
}

static void keep_one(struct deployment_pairs *pairs, const struct deployment_kept *kept)
{
	const char *values[] = {[DEPLOYMENT_RECORD] = kept->record,
				[DEPLOYMENT_OPERATIONS] = kept->operations,
				[DEPLOYMENT_TEMPLATE] = kept->template};
	char key[KEY_MAX], text[TIME_MAX + DEPLOYMENT_STATE_MAX + 24];

	snprintf(text, sizeof text, "%s %s %zu", kept->at, kept->state, bytes_of(kept));
	add_pair(pairs, key_of(summary, kept->group, kept->name, key), own_text(pairs, text));
	for (size_t i = 0; i < PARTS; i++)
		add_pair(pairs, key_of(parts[i], kept->group, kept->name, key), values[i]);
}

/* Orders the oldest first. */
static int compare_ages(const void *left, const void *right)
{
	const struct deployment_summary *a = left, *b = right;

	return strcmp(a->at, b->at);
}

static bool is_same_group(const char *left, const char *right)
{
	return left && right ? strcasecmp(left, right) == 0 : left == right;
}

static bool is_among(const struct deployment_kept *kept, size_t count, const char *group,
		     const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (is_same_group(kept[i].group, group) && strcasecmp(kept[i].name, name) == 0)
			return true;
	return false;
}

/* Lists the deployments that the group will have with `kept`, the oldest first. */
static int list_ages(struct deployment_summaries *listing, struct resources *resources,
		     const char *group, const struct deployment_kept *kept, size_t count,
		     struct change_error *error)
{
	int err = list_all(listing, resources, group, error);
	size_t left = 0;

	if (err)
		return err;
	for (size_t i = 0; i < listing->count; i++)
		if (!is_among(kept, count, group, listing->items[i].name))
			listing->items[left++] = listing->items[i];
	listing->count = left;
	if (left > 0)
		qsort(listing->items, left, sizeof *listing->items, compare_ages);
	for (size_t i = 0; i < count; i++) {
		struct deployment_summary *one;

		if (!is_same_group(kept[i].group, group) ||
		    is_among(kept + i + 1, count - i - 1, group, kept[i].name))
			continue;
		one = add_listed(listing);
		if (!one)
			return fail(error, ERR_NOMEM, "");
		*one = (struct deployment_summary){.bytes = bytes_of(&kept[i])};
		snprintf(one->name, sizeof one->name, "%s", kept[i].name);
	}
	return 0;
}

static int drop_oldest(struct deployment_pairs *pairs, struct resources *resources,
		       const char *group, const struct deployment_kept *kept, size_t count,
		       struct change_error *error)
{
	struct deployment_summaries listing = {.items = NULL};
	int err = list_ages(&listing, resources, group, kept, count, error);
	size_t bytes = 0;

	for (size_t i = 0; !err && i < listing.count; i++)
		bytes += listing.items[i].bytes;
	for (size_t i = 0; !err && i + 1 < listing.count; i++) {
		if (listing.count - i <= DEPLOYMENTS_MAX && bytes <= DEPLOYMENTS_BYTES_MAX)
			break;
		bytes -= listing.items[i].bytes;
		drop_one(pairs, group, listing.items[i].name);
	}
	free(listing.items);
	return err;
}

int deployment_pairs_keep(struct deployment_pairs *pairs, struct resources *resources,
			  const struct deployment_kept *kept, size_t count,
			  struct change_error *error)
{
	int err = 0;

	for (size_t i = 0; i < count; i++)
		keep_one(pairs, &kept[i]);
	for (size_t i = 0; !err && i < count; i++) {
		bool is_first = true;

		for (size_t k = 0; k < i && is_first; k++)
			is_first = !is_same_group(kept[k].group, kept[i].group);
		if (is_first)
			err = drop_oldest(pairs, resources, kept[i].group, kept, count, error);
	}
	return err ? err : no_memory(pairs, error);
}

int deployment_pairs_drop(struct deployment_pairs *pairs, struct resources *resources,
			  const char *group, const char *name, struct change_error *error)
{
	struct deployment_summaries listing = {.items = NULL};
	int err = 0;

	if (name)
		drop_one(pairs, group, name);
	else
		err = list_all(&listing, resources, group, error);
	for (size_t i = 0; !err && i < listing.count; i++)
		drop_one(pairs, group, listing.items[i].name);
	free(listing.items);
	return err ? err : no_memory(pairs, error);
}

int deployment_pairs_write(struct deployment_pairs *pairs, struct resources *resources,
			   struct change_error *error)
{
	struct source *source;
	char text[SOURCE_ERROR_MAX] = "";
	int err;

	if (pairs->count == 0)
		return 0;
	source = change_source(resources_store(resources), error);
	if (!source)
		return ERR_INVALID;
	err = source->calls->put_pairs(source, pairs->rows, pairs->count, true, text);
	return err ? fail(error, err, text) : 0;
}

void deployment_pairs_release(struct deployment_pairs *pairs)
{
	if (pairs->has_arena)
		arena_release(&pairs->arena);
	free(pairs->rows);
	*pairs = (struct deployment_pairs){.rows = NULL};
}
