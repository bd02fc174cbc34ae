#include "resolver/control/api/azure/deployment_record.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/inventory.h"
#include "rules/array.h"
#include "rules/text.h"

enum { KEY_MAX = 16 + GROUP_TEXT_MAX + DEPLOYMENT_NAME_MAX };

static const char records[] = "deployment ", templates[] = "template ";

/* "deployment hub-rg/network", or, of the subscription, "deployment /network"; returns text. */
static char *key_of(const char *kind, const char *group, const char *name, char text[KEY_MAX])
{
	snprintf(text, KEY_MAX, "%s%s/%s", kind, group ? group : "", name);
	return text_lower(text);
}

static int fail(struct change_error *error, int err, const char *text)
{
	return change_say(error, err == ERR_NOMEM ? CHANGE_NO_MEMORY : CHANGE_STORE, NULL, "%s",
			  *text ? text : err_text(err));
}

/* NULL: there is no state, or it cannot be used, by the error. */
static struct source *source_of(struct inventory *inventory, struct change_error *error)
{
	error->outcome = CHANGE_FINE;
	return change_reader(inventory, error);
}

/* Pairs whose keys begin with the prefix, from a key on. */
struct walk {
	const char *prefix, *behind; /* the key behind which it begins; NULL: none */
	size_t limit;
	json_t *array;
	/* Adds what is wanted of a pair to the array. */
	void (*add)(struct walk *walk, const struct source_pair *pair);
};

static int on_pair(void *context, const struct source_pair *pair)
{
	struct walk *walk = context;

	if (strncmp(pair->key, walk->prefix, strlen(walk->prefix)) != 0 ||
	    json_array_size(walk->array) == walk->limit)
		return ERR_LIMIT;
	if (!walk->behind || strcmp(pair->key, walk->behind) != 0)
		walk->add(walk, pair);
	return 0;
}

static int walk_pairs(struct walk *walk, struct inventory *inventory, struct change_error *error)
{
	struct source *source = source_of(inventory, error);
	char text[SOURCE_ERROR_MAX] = "";
	int err;

	walk->array = json_array();
	if (!source)
		return error->outcome == CHANGE_NO_STATE ? 0 : ERR_INVALID;
	err = source->calls->pairs(source, walk->behind ? walk->behind : walk->prefix,
				   walk->limit + 1, on_pair, walk, text);
	return err && err != ERR_LIMIT ? fail(error, err, text) : 0;
}

/* ---- reading ---- */

static const char *json_of(const char *value)
{
	const char *space = strchr(value, ' ');

	return *value != '{' && space ? space + 1 : value;
}

static void add_json(struct walk *walk, const struct source_pair *pair)
{
	json_add(walk->array, json_loads(json_of(pair->value), JSON_DECODE_ANY, NULL));
}

static void add_whole(struct walk *walk, const struct source_pair *pair)
{
	if (strcmp(pair->key, walk->prefix) == 0)
		add_json(walk, pair);
}

static int read_one(struct inventory *inventory, const char *kind, const char *group,
		    const char *name, json_t **value, struct change_error *error)
{
	char key[KEY_MAX];
	struct walk walk = {.prefix = key_of(kind, group, name, key), .limit = 1, .add = add_whole};
	int err = walk_pairs(&walk, inventory, error);

	*value = json_incref(json_array_get(walk.array, 0));
	json_decref(walk.array);
	return err;
}

int deployment_record_read(struct inventory *inventory, const char *group, const char *name,
			   json_t **record, struct change_error *error)
{
	return read_one(inventory, records, group, name, record, error);
}

int deployment_template_read(struct inventory *inventory, const char *group, const char *name,
			     json_t **template, struct change_error *error)
{
	return read_one(inventory, templates, group, name, template, error);
}

int deployment_records_list(struct inventory *inventory, const char *group, const char *behind,
			    size_t limit, json_t **array, struct change_error *error)
{
	char prefix[KEY_MAX], from[KEY_MAX];
	struct walk walk = {.prefix = key_of(records, group, "", prefix),
			    .behind = behind ? key_of(records, group, behind, from) : NULL,
			    .limit = limit,
			    .add = add_json};
	int err = walk_pairs(&walk, inventory, error);

	*array = walk.array;
	return err;
}

/* ---- writing ---- */

static void add_key(struct walk *walk, const struct source_pair *pair)
{
	json_add(walk->array, json_text(pair->key));
}

/* "TIME deployment GROUP/NAME", in whose order the oldest is the first. */
static void add_age(struct walk *walk, const struct source_pair *pair)
{
	json_add(walk->array,
		 json_sprintf("%.*s %s", (int)strcspn(pair->value, " "), pair->value, pair->key));
}

/* Pairs that are written together. */
struct writing {
	struct source_pair *rows;
	size_t count, room;
	struct arena arena;
	bool no_memory;
};

/* Both texts are copied; value NULL: the row goes. */
static void add_row(struct writing *writing, const char *key, const char *value)
{
	struct source_pair *rows =
		array_grow(writing->rows, writing->count, &writing->room, sizeof *rows);
	char *own = arena_strdup(&writing->arena, key);
	char *text = value ? arena_strdup(&writing->arena, value) : NULL;

	writing->no_memory |= !rows || !own || (value && !text);
	if (!rows)
		return;
	writing->rows = rows;
	rows[writing->count++] = (struct source_pair){own, text};
}

static int end_writing(struct writing *writing, struct inventory *inventory,
		       struct change_error *error)
{
	struct source *source = change_source(inventory, error);
	char text[SOURCE_ERROR_MAX] = "";
	int err = writing->no_memory ? ERR_NOMEM : 0;

	if (!err && source && writing->count > 0)
		err = source->calls->put_pairs(source, writing->rows, writing->count, true, text);
	if (err)
		(void)fail(error, err, text);
	free(writing->rows);
	arena_release(&writing->arena);
	return err || !source ? ERR_INVALID : 0;
}

static void remove_one(struct writing *writing, const char *key)
{
	const char *rest = key + strlen(records);
	char own[KEY_MAX];

	add_row(writing, key, NULL);
	snprintf(own, sizeof own, "%s%s", templates, rest);
	add_row(writing, own, NULL);
}

static int compare_ages(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Adds the removal of the oldest that are too many. */
static void remove_oldest(struct writing *writing, const json_t *ages)
{
	size_t count = json_array_size(ages);
	const char **texts = count > DEPLOYMENTS_MAX ? calloc(count, sizeof *texts) : NULL;

	writing->no_memory |= count > DEPLOYMENTS_MAX && !texts;
	if (!texts)
		return;
	for (size_t i = 0; i < count; i++)
		texts[i] = json_string_value(json_array_get(ages, i));
	qsort(texts, count, sizeof *texts, compare_ages);
	for (size_t i = 0; i < count - DEPLOYMENTS_MAX; i++)
		remove_one(writing, strchr(texts[i], ' ') + 1);
	free(texts);
}

static int trim(struct inventory *inventory, const char *group, struct change_error *error)
{
	struct writing writing = {.rows = NULL};
	char prefix[KEY_MAX];
	struct walk walk = {.prefix = key_of(records, group, "", prefix),
			    .limit = SIZE_MAX - 1,
			    .add = add_age};
	int err = walk_pairs(&walk, inventory, error);

	arena_init(&writing.arena);
	if (!err)
		remove_oldest(&writing, walk.array);
	json_decref(walk.array);
	return err ? err : end_writing(&writing, inventory, error);
}

/* "TIME RECORD" */
static void add_record(struct writing *writing, const char *key, const json_t *record)
{
	const char *at = json_text_of(json_object_get(record, "properties"), "timestamp");
	char *json = json_dumps(record, JSON_COMPACT), *text = NULL;

	if (!json || asprintf(&text, "%s %s", at, json) < 0)
		writing->no_memory = true;
	else
		add_row(writing, key, text);
	free(json);
	free(text);
}

static bool is_same_group(const char *left, const char *right)
{
	return left && right ? strcasecmp(left, right) == 0 : left == right;
}

int deployment_records_write(struct inventory *inventory, const struct deployment_record *rows,
			     size_t count, struct change_error *error)
{
	struct writing writing = {.rows = NULL};
	char key[KEY_MAX];
	int err;

	arena_init(&writing.arena);
	for (size_t i = 0; i < count; i++) {
		const struct deployment_record *row = &rows[i];

		add_record(&writing, key_of(records, row->group, row->name, key), row->record);
		add_row(&writing, key_of(templates, row->group, row->name, key), row->template);
	}
	err = end_writing(&writing, inventory, error);
	for (size_t i = 0; !err && i < count; i++)
		if (i == 0 || !is_same_group(rows[i].group, rows[i - 1].group))
			err = trim(inventory, rows[i].group, error);
	return err;
}

int deployment_record_remove(struct inventory *inventory, const char *group, const char *name,
			     struct change_error *error)
{
	char key[KEY_MAX];
	struct walk walk = {
		.prefix = key_of(records, group, "", key), .limit = SIZE_MAX - 1, .add = add_key};
	struct writing writing = {.rows = NULL};
	json_t *item;
	size_t i;
	int err = 0;

	arena_init(&writing.arena);
	if (name) {
		remove_one(&writing, key_of(records, group, name, key));
	} else {
		err = walk_pairs(&walk, inventory, error);
		json_array_foreach(walk.array, i, item)
			remove_one(&writing, json_string_value(item));
		json_decref(walk.array);
	}
	if (!err)
		return end_writing(&writing, inventory, error);
	free(writing.rows);
	arena_release(&writing.arena);
	return err;
}
