#include "resolver/control/resource/zone_part.h"

#include <stdlib.h>
#include <strings.h>

#include "resolver/control/base/percent.h"
#include "resolver/control/resource/values.h"
#include "rules/check/limits.h"
#include "rules/schema/record_set.h"
#include "rules/schema/schema.h"
#include "rules/text.h"
#include "rules/zone/serial.h"

static const struct kind *zone_kind(void)
{
	return kind_named("zone");
}

static const struct kind *record_set_kind(void)
{
	return kind_named("record-set");
}

/* The zone that the path is in. */
static const struct private_zone *find_zone(const struct model *model, const struct path *path)
{
	const struct path root = part_root(path);

	return part_find(model, &root);
}

bool zone_has_file(const struct model *model, const struct path *path)
{
	const struct private_zone *zone = find_zone(model, path);

	return zone && zone->file;
}

/* What the part's zone says; NULL: it has a file, or could not be read. */
static struct zone *data_of(const struct model_part *part)
{
	const struct private_zone *item = part->item;

	return item->file ? NULL : part->zone ? part->zone : item->zone;
}

/* A part for a zone of the file that has none yet; NULL without memory. */
static struct model_part *add_declared(struct parts *parts, const struct private_zone *zone)
{
	const struct field *list = kind_field(zone_kind());
	struct model_part *part = model_part_new(list);

	if (!part)
		return NULL;
	memcpy(part->item, zone, list->group->size);
	part->declared = zone;
	return parts_add(parts, part) == 0 ? part : NULL;
}

static struct origin set_origin(const char *zone, const char *name, struct arena *arena)
{
	const struct path path = {record_set_kind(), NULL, {zone, name}};

	return (struct origin){.path = path_text(&path, arena)};
}

/* ---- reading the store ---- */

struct loading {
	struct parts *parts;
	const struct model *declared;
	uint64_t now_s;
	struct faults *faults;
	struct arena arena;        /* of the row at hand */
	char root[PATH_MAX_BYTES]; /* the zone's part of the path; "": none yet */
	char group[PATH_MAX_BYTES], name[PATH_MAX_BYTES]; /* the zone's */
	size_t at;                                        /* of its part, */
	struct zone_draft *draft;                         /* or NULL: it has none, or a file */
	size_t orphans;                                   /* rows that are not served */
};

static struct path zone_path(const struct loading *loading)
{
	return (struct path){zone_kind(), loading->group, {loading->name, NULL}};
}

/* Of one of its sets. */
static struct path set_path(const struct loading *loading, const char *name)
{
	return (struct path){record_set_kind(), loading->group, {loading->name, name}};
}

static struct model_part **part_at(struct loading *loading)
{
	return &loading->parts->items[loading->at];
}

static void warn_of_orphans(struct loading *loading)
{
	struct origin origin = {.path = arena_printf(&loading->faults->arena, "%s[%s]",
						     zone_kind()->collection, loading->name)};
	const struct path path = zone_path(loading);
	const void *moved = part_named(loading->declared, path.kind, path.names[0]);
	size_t count = loading->orphans;
	bool has_file = zone_has_file(loading->declared, &path);
	char why[PART_WHY_MAX] = "is not in the configuration any more";

	if (has_file)
		snprintf(why, sizeof why, "has the records of a file");
	else if (moved)
		snprintf(why, sizeof why, "is in the group \"%.80s\" now and not in \"%.80s\"",
			 part_group(path.kind, moved), path.group);
	fault_add(loading->faults, FAULT_WARNING, &origin, NULL,
		  "%s, but %zu record set%s of it %s in the state; not served%s", why, count,
		  text_plural(count, "", "s"), text_plural(count, "is", "are"),
		  has_file ? "" : " until it is there again");
}

/* All rows of a zone have been read. */
static int end_zone(struct loading *loading)
{
	size_t errors = loading->faults->errors;
	struct zone *zone;

	if (loading->orphans > 0)
		warn_of_orphans(loading);
	loading->parts->passed_over = loading->parts->passed_over || loading->orphans > 0;
	loading->orphans = 0;
	if (!loading->draft)
		return 0;
	zone = zone_commit(loading->draft, loading->now_s, loading->faults);
	loading->draft = NULL;
	if (!zone)
		return loading->faults->errors > errors ? 0 : ERR_NOMEM;
	zone_unref((*part_at(loading))->zone);
	(*part_at(loading))->zone = zone;
	return 0;
}

static int begin_zone(struct loading *loading, const char *path, size_t length)
{
	const char *slash = memchr(path, '/', length);
	char *to = loading->name, *group = loading->group;
	const struct private_zone *declared;
	struct path wanted;
	struct model_part *part;
	struct zone *data;

	snprintf(loading->root, sizeof loading->root, "%.*s", (int)length, path);
	*to = *group = '\0';
	if (!slash || percent_decode(path, (size_t)(slash - path), false, &group) ||
	    percent_decode(slash + 1, length - (size_t)(slash + 1 - path), false, &to))
		return 0;
	wanted = zone_path(loading);
	part = parts_at(loading->parts, &wanted, &loading->at);
	declared = part ? NULL : find_zone(loading->declared, &wanted);
	if (declared && !declared->file) {
		part = add_declared(loading->parts, declared);
		loading->at = loading->parts->count - 1;
		if (!part)
			return ERR_NOMEM;
	}
	data = part ? data_of(part) : NULL;
	loading->draft = data ? zone_edit(data) : NULL;
	return data && !loading->draft ? ERR_NOMEM : 0;
}

/* The set of that name that the file declares, too; NULL: it does not. */
static const struct record_set *find_declared(const struct loading *loading, const char *name)
{
	const struct path path = set_path(loading, name);

	return part_find(loading->declared, &path);
}

static bool say_the_same(const struct record_set *a, const struct record_set *b)
{
	json_t *one = values_print(record_set_kind(), a), *two = values_print(record_set_kind(), b);
	bool same;

	json_object_del(one, "name");
	json_object_del(two, "name");
	same = json_equal(one, two);
	json_decref(one);
	json_decref(two);
	return same;
}

/* Where there are errors the row is passed over, and it is true. */
static bool passes_over(struct loading *loading, const char *row, const struct faults *found)
{
	char why[PART_WHY_MAX] = "which does not fit";

	if (found->errors == 0)
		return false;
	if (found->count > 0)
		snprintf(why, sizeof why, "which does not fit: %.400s", found->items[0].text);
	part_pass_over(loading->parts, loading->faults, record_set_kind(), row, why);
	return true;
}

/* False: it does not fit, and is passed over. */
static bool read_set(struct loading *loading, const char *row, const json_t *values,
		     const struct origin *origin, struct record_set *set)
{
	struct faults found;
	bool fits;

	faults_init(&found);
	values_read(record_set_kind(), values, set, origin, &loading->arena, &found);
	fits = !passes_over(loading, row, &found);
	faults_release(&found);
	return fits;
}

/* The same of what its name and its records say. ERR_NOMEM. */
static int put_set(struct loading *loading, const char *row, const struct record_set *set)
{
	const struct name *apex = zone_apex(data_of(*part_at(loading)));
	struct faults found;
	int err;

	faults_init(&found);
	err = record_set_put(loading->draft, apex, set, &found);
	passes_over(loading, row, &found);
	faults_release(&found);
	return err == ERR_NOMEM ? err : 0;
}

static int put_row(struct loading *loading, const char *row, const char *name, const json_t *values)
{
	struct origin origin = set_origin(loading->name, name, &loading->arena);
	struct model_part *part = *part_at(loading);
	const struct record_set *declared = part->declared ? find_declared(loading, name) : NULL;
	struct record_set set;

	if (!read_set(loading, row, values, &origin, &set))
		return 0;
	if (declared && say_the_same(&set, declared)) {
		fault_add(loading->faults, FAULT_WARNING, &declared->origin, NULL,
			  "is in the state, too, and says the same there; the file's counts");
		return 0;
	}
	if (declared) {
		fault_add(
			loading->faults, FAULT_ERROR, &declared->origin, NULL,
			"is in the state, too, and says something else there; remove one of them");
		return 0;
	}
	return put_set(loading, row, &set);
}

/* NULL: it is none that sluice has written. */
static const char *name_of_row(const struct loading *loading, const char *row, const json_t *values)
{
	const char *name = json_string_value(json_object_get(values, "name"));
	const struct path path = set_path(loading, name);
	char key[PATH_MAX_BYTES];

	return name && path_key(&path, key) == 0 && strcmp(key, row) == 0 ? name : NULL;
}

static int on_record_set(void *context, const struct source_resource *resource)
{
	struct loading *loading = context;
	const char *slash = strrchr(resource->path, '/'), *name;
	size_t length = slash ? (size_t)(slash - resource->path) : 0;
	json_t *values;
	int err = 0;

	if (strlen(loading->root) != length || memcmp(loading->root, resource->path, length) != 0) {
		err = end_zone(loading);
		if (!err)
			err = begin_zone(loading, resource->path, length);
	}
	if (err || !loading->draft) {
		loading->orphans++;
		return err;
	}
	values = json_loads(resource->json, 0, NULL);
	name = name_of_row(loading, resource->path, values);
	if (name)
		err = put_row(loading, resource->path, name, values);
	else
		part_pass_over(loading->parts, loading->faults, record_set_kind(), resource->path,
			       "which was not written by sluice");
	json_decref(values);
	arena_release(&loading->arena);
	return err;
}

/* A file's name is the configuration file's business. */
static bool has_file(const struct model_part *part)
{
	return !part->declared && ((const struct private_zone *)part->item)->file;
}

/* A zone of the store that has no records yet has a SOA. */
static int complete(struct model_part *part, const struct hash_key *key)
{
	const struct private_zone *item = part->item;
	struct name apex;

	if (part->declared || part->zone || !item->name)
		return 0;
	if (item->record_sets.count > 0 || name_from_text(&apex, key, item->name) != 0)
		return 0; /* has its fault */
	part->zone = zone_new(key, &apex, 0);
	return part->zone ? 0 : ERR_NOMEM;
}

static bool is_zone(const struct model_part *part)
{
	return part->list == kind_field(zone_kind());
}

static void pass_over_zone(struct parts *parts, struct faults *faults, const void *zone)
{
	const struct path path = part_path(zone_kind(), zone, NULL);
	char key[PATH_MAX_BYTES];

	if (path_key(&path, key) == 0)
		part_pass_over(parts, faults, zone_kind(), key,
			       "with a file, which only zones of the configuration file have");
}

int zone_parts_load(struct parts *parts, struct source *source, const struct hash_key *key,
		    const struct model *declared, uint64_t now_s, struct faults *faults,
		    char error[SOURCE_ERROR_MAX])
{
	struct loading loading = {
		.parts = parts, .declared = declared, .now_s = now_s, .faults = faults};
	size_t errors = faults->errors;
	int err = 0, ended;

	for (size_t i = 0; !err && i < parts->count; i++) {
		struct model_part *part = parts->items[i];

		if (!is_zone(part))
			continue;
		if (!has_file(part)) {
			err = complete(part, key);
			continue;
		}
		pass_over_zone(parts, faults, part->item);
		model_part_free(part);
		parts->items[i--] = parts->items[--parts->count];
	}
	arena_init(&loading.arena);
	if (!err)
		err = source->calls->resources(source, record_set_kind()->id, "", "\x7f",
					       on_record_set, &loading, error);
	ended = err ? 0 : end_zone(&loading);
	zone_discard(loading.draft);
	arena_release(&loading.arena);
	if (!err)
		parts_sort(parts);
	if (!err)
		err = ended;
	return !err && faults->errors > errors ? ERR_FAULTS : err;
}

/* Of one zone of the parts, which has none yet: those that were kept while the zone was not there.
 */
static int load_sets(struct parts *parts, struct source *source, const struct path *zone,
		     const struct model *declared, uint64_t now_s, struct faults *faults,
		     char error[SOURCE_ERROR_MAX])
{
	struct loading loading = {
		.parts = parts, .declared = declared, .now_s = now_s, .faults = faults};
	struct key_range sets;
	char key[PATH_MAX_BYTES];
	size_t errors = faults->errors;
	int err = path_key(zone, key);

	if (err)
		return err;
	key_range_inside(&sets, key);
	arena_init(&loading.arena);
	err = source->calls->resources(source, record_set_kind()->id, sets.from, sets.to,
				       on_record_set, &loading, error);
	if (!err)
		err = end_zone(&loading);
	zone_discard(loading.draft);
	arena_release(&loading.arena);
	return !err && faults->errors > errors ? ERR_FAULTS : err;
}

/* ---- changes ---- */

int zone_part_refresh(struct parts *parts, struct source *source, const struct hash_key *key,
		      const struct path *path, bool anew, uint64_t revision,
		      const struct model *declared, uint64_t now_s, struct faults *faults,
		      char error[SOURCE_ERROR_MAX])
{
	const struct path root = part_root(path);
	bool of_zone = root.kind == zone_kind();
	struct model_part *part = of_zone ? parts_at(parts, &root, NULL) : NULL;
	struct zone *kept = part && part->zone && !anew ? zone_ref(part->zone) : NULL;
	int err = parts_refresh(parts, source, path, revision, declared, faults, error);

	part = of_zone && !err ? parts_at(parts, &root, NULL) : NULL;
	if (!err && !part && kept && find_zone(declared, &root)) {
		part = add_declared(parts, find_zone(declared, &root));
		err = part ? 0 : ERR_NOMEM;
		parts_sort(parts);
	}
	if (!err && part && kept && !part->zone && !((struct private_zone *)part->item)->file)
		part->zone = zone_ref(kept);
	if (!err && part && has_file(part)) {
		const struct private_zone *item = part->item;

		fault_add(faults, FAULT_ERROR, &item->origin, "file",
			  "is for zones of the configuration file; leave it out, and import the "
			  "records (sluice zone import)");
		err = ERR_FAULTS;
	}
	if (!err && part)
		err = complete(part, key);
	if (!err && part && !kept && part->zone)
		err = load_sets(parts, source, &root, declared, now_s, faults, error);
	zone_unref(kept);
	return err;
}

/* What has a name that no set can have is not in the zone, but a row that is passed over. */
static int remove_set(struct zone_draft *draft, const struct name *apex, const char *name,
		      const struct origin *origin)
{
	struct faults unused;
	int err;

	faults_init(&unused);
	err = record_set_remove(draft, apex, name, origin, &unused);
	faults_release(&unused);
	return err == ERR_NOMEM ? err : 0;
}

static int put_edit(struct zone_draft *draft, const struct name *apex,
		    const struct record_set_edit *edit, struct arena *arena, struct faults *faults)
{
	struct origin origin = set_origin(edit->path->names[0], path_name(edit->path), arena);
	size_t errors = faults->errors;
	struct record_set set;

	if (!edit->values)
		return remove_set(draft, apex, path_name(edit->path), &origin);
	values_read(record_set_kind(), edit->values, &set, &origin, arena, faults);
	limits_check_record_set(&set, faults);
	return faults->errors > errors ? ERR_FAULTS : record_set_put(draft, apex, &set, faults);
}

static int edit_data(struct zone *before, const struct record_set_edit *edits, size_t count,
		     uint64_t now_s, struct zone **after, struct faults *faults)
{
	struct zone_draft *draft = zone_edit(before);
	size_t errors = faults->errors;
	struct arena arena;
	int err = draft ? 0 : ERR_NOMEM;

	for (size_t i = 0; err != ERR_NOMEM && i < count; i++) {
		arena_init(&arena);
		err = put_edit(draft, zone_apex(before), &edits[i], &arena, faults);
		arena_release(&arena);
	}
	if (err == ERR_NOMEM || faults->errors > errors) {
		zone_discard(draft);
		return err == ERR_NOMEM ? err : ERR_FAULTS;
	}
	*after = zone_commit(draft, now_s, faults);
	return *after ? 0 : ERR_FAULTS;
}

/* `elsewhere`: the zone of that name in another group. */
static void refuse_missing(const struct record_set_edit *edit, const struct private_zone *zone,
			   const void *elsewhere, struct faults *faults)
{
	struct origin origin =
		set_origin(edit->path->names[0], path_name(edit->path), &faults->arena);
	const struct path root = part_root(edit->path);
	char why[PART_WHY_MAX];

	if (zone && zone->file)
		fault_add(faults, FAULT_ERROR, &origin, NULL,
			  "the records of this zone are those of its file, %s; change them there, "
			  "and reload",
			  zone->file);
	else
		fault_add(faults, FAULT_ERROR, &origin, NULL, "%s%s",
			  part_missing(&root, elsewhere, why), elsewhere ? "" : "; make it first");
}

static bool any_put(const struct record_set_edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (edits[i].values)
			return true;
	return false;
}

int zone_part_edit(struct parts *parts, const struct model *declared,
		   const struct record_set_edit *edits, size_t count, uint64_t now_s,
		   struct faults *faults)
{
	struct path root = part_root(edits[0].path);
	const struct private_zone *there = find_zone(declared, &root);
	struct model_part *part, *next;
	struct zone *before, *after;
	size_t at = 0;

	part = parts_at(parts, &root, &at);
	if (!part && there && !there->file) {
		part = add_declared(parts, there);
		at = parts->count - 1;
		if (!part)
			return ERR_NOMEM;
	}
	before = part ? data_of(part) : NULL;
	if (!before) {
		if (!any_put(edits, count))
			return 0; /* what is not there is gone */
		there = part ? part->item : there;
		root.group = NULL;
		refuse_missing(&edits[0], there, there ? NULL : parts_find(parts, declared, &root),
			       faults);
		return ERR_FAULTS;
	}
	int err = edit_data(before, edits, count, now_s, &after, faults);
	if (err)
		return err;
	next = model_part_with_zone(part, after);
	zone_unref(after);
	if (!next)
		return ERR_NOMEM;
	model_part_free(part);
	parts->items[at] = next;
	parts_sort(parts);
	return 0;
}

/* ---- serials ---- */

static bool read_serial(struct source *source, const struct zone *zone, struct source_serial *row)
{
	char text[NAME_TEXT_MAX], error[SOURCE_ERROR_MAX];

	*row = (struct source_serial){.zone = name_to_text(zone_apex(zone), text)};
	return source && source->calls->serials(source, row, 1, false, error) == 0 && row->found;
}

static uint32_t later(uint32_t a, uint32_t b)
{
	return serial_is_newer(a, b) ? a : b;
}

/* The serial that the zone is to have. A row at rest tells what was given out last; else all up to
 * `reserved` may have been, by this process, which knows, or by one that has ended. */
static uint32_t serial_for(const struct zone *zone, const struct zone *before,
			   const struct source_serial *row, uint64_t now_s)
{
	uint64_t digest = zone_content(zone).digest;
	bool same = before && zone_content(before).digest == digest;
	bool at_rest = row && row->reserved == row->serial;
	uint32_t own = zone_serial(zone); /* the time, or of a SOA that was put */

	if (at_rest && row->digest == digest)
		return same ? later(row->serial, zone_serial(before)) : row->serial;
	if (same)
		return zone_serial(before);
	if (row)
		own = later(own, serial_next(row->reserved, now_s));
	if (before)
		own = later(own, serial_next(zone_serial(before), now_s));
	return own ? own : serial_next(0, now_s);
}

/* Replaces the zone, where it is to have another serial, or is what it was. */
static int number(struct zone **at, const char *name, const struct model *before_model,
		  struct source *source, uint64_t now_s)
{
	const struct private_zone *served =
		before_model ? part_named(before_model, zone_kind(), name) : NULL;
	struct zone *before = served ? served->zone : NULL; /* of a file, perhaps */
	struct source_serial row;
	bool known = read_serial(source, *at, &row);
	uint32_t serial = serial_for(*at, before, known ? &row : NULL, now_s);
	struct zone *numbered;

	if (before && zone_is_editable(before) && zone_serial(before) == serial &&
	    zone_content(before).digest == zone_content(*at).digest)
		numbered = zone_ref(before); /* it is what it was */
	else
		numbered = zone_with_serial(*at, serial);
	if (!numbered)
		return ERR_NOMEM;
	zone_unref(*at);
	*at = numbered;
	return 0;
}

int zone_parts_number(struct parts *parts, struct model *declared, const struct model *before,
		      struct source *source, uint64_t now_s)
{
	int err = 0;

	for (size_t i = 0; !err && i < parts->count; i++) {
		struct model_part *part = parts->items[i];

		if (is_zone(part) && part->zone)
			err = number(&part->zone, ((struct private_zone *)part->item)->name, before,
				     source, now_s);
	}
	for (size_t i = 0; !err && i < declared->private_zones.count; i++) {
		struct private_zone *zone = &declared->private_zones.items[i];
		const struct path path = part_path(zone_kind(), zone, NULL);
		struct model_part *part = zone->name ? parts_at(parts, &path, NULL) : NULL;

		if (!zone->zone || !zone_is_editable(zone->zone) || (part && part->zone))
			continue;
		err = number(&zone->zone, zone->name, before, source, now_s);
		if (!err && part) /* for its links: it is a copy */
			((struct private_zone *)part->item)->zone = zone->zone;
	}
	return err;
}
