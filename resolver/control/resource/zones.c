/* The home of record sets. A zone of the configuration file may have sets of the state, too, unless
 * a master file gives its records. */
#include "resolver/control/resource/home.h"

#include <stdlib.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/store/pairs.h"
#include "rules/check/limits.h"
#include "rules/policy/registered.h"
#include "rules/schema/record_set.h"
#include "rules/schema/reference.h"
#include "rules/schema/schema.h"
#include "rules/text.h"
#include "rules/zone/rdata.h"
#include "rules/zone/record.h"
#include "rules/zone/serial.h"
#include "rules/zone/zonefile.h"

static const struct kind *zone_kind(void)
{
	return kind_named("zone");
}

static const struct kind *record_set_kind(void)
{
	return kind_named("record-set");
}

/* The zone of the path, which may name a set inside it; NULL: none. */
static struct private_zone *find_zone(const struct model *model, const struct path *path)
{
	const struct path root = part_root(path);
	const struct private_zone *zone = part_find(model, &root);

	return zone ? &model->private_zones.items[zone - model->private_zones.items] : NULL;
}

/* Replaces the zone's data; takes the reference over. */
static void give(struct private_zone *zone, struct zone *data)
{
	zone_unref(zone->zone);
	zone->zone = data;
}

static struct origin origin_of(const struct path *path, struct arena *arena)
{
	return (struct origin){.path = path_text(path, arena)};
}

/* ---- reading the store ---- */

struct zone_load {
	struct model *model;
	struct parts *parts;
	uint64_t now_s;
	struct faults *faults;
	struct arena arena;        /* for the current row */
	char root[PATH_MAX_BYTES]; /* the path of the current zone; "": none yet */
	char group[PATH_MAX_BYTES], name[PATH_MAX_BYTES]; /* the zone's */
	struct private_zone *zone;                        /* NULL: the model has no such zone */
	struct zone_draft *draft;                         /* NULL: no such zone, or a master file
							   * gives its records */
	size_t orphans;                                   /* rows that are not served */
};

static struct path zone_path(const struct zone_load *load)
{
	return (struct path){zone_kind(), load->group, {load->name, NULL}};
}

/* The path of a record set in the current zone. */
static struct path set_path(const struct zone_load *load, const char *name)
{
	return (struct path){record_set_kind(), load->group, {load->name, name}};
}

static void warn_of_orphans(struct zone_load *load)
{
	const struct path path = zone_path(load);
	struct origin origin = origin_of(&path, &load->faults->arena);
	const void *namesake = part_named(load->model, path.kind, path.names[0]);
	size_t count = load->orphans;
	const struct private_zone *zone = find_zone(load->model, &path);
	bool has_file = zone && zone->file;
	char why[PART_WHY_MAX] = "is not in the configuration any more";

	if (has_file)
		snprintf(why, sizeof why, "has the records of a file");
	else if (namesake)
		snprintf(why, sizeof why,
			 "is not in the configuration any more (the one of that name is in the "
			 "group "
			 "\"%.80s\")",
			 part_group(path.kind, namesake));
	fault_add(load->faults, FAULT_WARNING, &origin, NULL,
		  "%s, but %zu record set%s of it %s in the state; not served%s", why, count,
		  text_plural(count, "", "s"), text_plural(count, "is", "are"),
		  has_file ? "" : " until it is there again");
}

/* Finishes the current zone. */
static int end_zone(struct zone_load *load)
{
	size_t errors = load->faults->errors;
	struct zone *zone;

	if (load->orphans > 0)
		warn_of_orphans(load);
	load->parts->passed_over = load->parts->passed_over || load->orphans > 0;
	load->orphans = 0;
	if (!load->draft)
		return 0;
	zone = zone_commit(load->draft, load->now_s, load->faults);
	load->draft = NULL;
	if (!zone)
		return load->faults->errors > errors ? 0 : ERR_NOMEM;
	give(load->zone, zone);
	return 0;
}

static int begin_zone(struct zone_load *load, const char *path, size_t length)
{
	const char *slash = memchr(path, '/', length);
	char *to = load->name, *group = load->group;
	struct path wanted;

	snprintf(load->root, sizeof load->root, "%.*s", (int)length, path);
	*to = *group = '\0';
	load->zone = NULL;
	if (!slash || percent_decode(path, (size_t)(slash - path), false, &group) ||
	    percent_decode(slash + 1, length - (size_t)(slash + 1 - path), false, &to))
		return 0;
	wanted = zone_path(load);
	load->zone = find_zone(load->model, &wanted);
	if (!load->zone || load->zone->file || !load->zone->zone)
		return 0;
	load->draft = zone_edit(load->zone->zone);
	return load->draft ? 0 : ERR_NOMEM;
}

/* The file's declared set of the same name; NULL: none. */
static const struct record_set *find_declared(const struct zone_load *load, const char *name)
{
	const struct path path = set_path(load, name);

	return load->zone->record_sets.count > 0 ? part_find(load->model->declared, &path) : NULL;
}

static bool say_the_same(const struct record_set *a, const struct record_set *b)
{
	json_t *one = values_print(record_set_kind(), NULL, a);
	json_t *two = values_print(record_set_kind(), NULL, b);
	bool same;

	json_object_del(one, "name");
	json_object_del(two, "name");
	same = json_equal(one, two);
	json_decref(one);
	json_decref(two);
	return same;
}

/* Skips the row if there are errors; returns whether it does. */
static bool passes_over(struct zone_load *load, const char *row, const struct faults *found)
{
	char why[PART_WHY_MAX] = "which does not fit";

	if (found->errors == 0)
		return false;
	if (found->count > 0)
		snprintf(why, sizeof why, "which does not fit: %.400s", found->items[0].text);
	part_pass_over(load->parts, load->faults, record_set_kind(), row, why);
	return true;
}

/* False: the set does not fit, and is skipped. */
static bool read_set(struct zone_load *load, const char *row, const json_t *values,
		     const struct origin *origin, struct record_set *set)
{
	struct faults found;
	bool fits;

	faults_init(&found);
	values_read(record_set_kind(), values, set, origin, &load->arena, &found);
	fits = !passes_over(load, row, &found);
	faults_release(&found);
	return fits;
}

/* Puts the set into the draft; skips it if its name or records do not fit. ERR_NOMEM. */
static int put_set(struct zone_load *load, const char *row, const struct record_set *set)
{
	const struct name *apex = zone_apex(load->zone->zone);
	struct faults found;
	int err;

	faults_init(&found);
	err = record_set_put(load->draft, apex, set, &found);
	passes_over(load, row, &found);
	faults_release(&found);
	return err == ERR_NOMEM ? err : 0;
}

static int put_row(struct zone_load *load, const char *row, const char *name, const json_t *values)
{
	const struct path path = set_path(load, name);
	struct origin origin = origin_of(&path, &load->arena);
	const struct record_set *declared = find_declared(load, name);
	struct record_set set;

	if (!read_set(load, row, values, &origin, &set))
		return 0;
	if (declared && say_the_same(&set, declared)) {
		fault_add(load->faults, FAULT_WARNING, &declared->origin, NULL,
			  "is in the state, too, and says the same there; the file's counts");
		return 0;
	}
	if (declared) {
		fault_add(
			load->faults, FAULT_ERROR, &declared->origin, NULL,
			"is in the state, too, and says something else there; remove one of them");
		return 0;
	}
	return put_set(load, row, &set);
}

/* The name of a row's set; NULL: sluice did not write this row. */
static const char *name_of_row(const struct zone_load *load, const char *row, const json_t *values)
{
	const char *name = json_string_value(json_object_get(values, "name"));
	const struct path path = set_path(load, name);
	char key[PATH_MAX_BYTES];

	return name && path_key(&path, key) == 0 && strcmp(key, row) == 0 ? name : NULL;
}

static int on_record_set(void *context, const struct source_resource *resource)
{
	struct zone_load *load = context;
	const char *slash = strrchr(resource->path, '/'), *name;
	size_t length = slash ? (size_t)(slash - resource->path) : 0;
	json_t *values;
	int err = 0;

	if (strlen(load->root) != length || memcmp(load->root, resource->path, length) != 0) {
		err = end_zone(load);
		if (!err)
			err = begin_zone(load, resource->path, length);
	}
	if (err || !load->draft) {
		load->orphans++;
		return err;
	}
	values = json_loads(resource->json, 0, NULL);
	name = name_of_row(load, resource->path, values);
	if (name)
		err = put_row(load, resource->path, name, values);
	else
		part_pass_over(load->parts, load->faults, record_set_kind(), resource->path,
			       "which was not written by sluice");
	json_decref(values);
	arena_release(&load->arena);
	return err;
}

/* Gives a zone without records its data, which has only a SOA. */
static int complete(struct private_zone *zone, const struct hash_key *key)
{
	struct name apex;

	if (zone->file || zone->zone || zone->record_sets.count > 0 || !zone->name ||
	    name_from_text(&apex, key, zone->name) != 0)
		return 0; /* needs no data, or its name has a fault */
	zone->zone = zone_new(key, &apex, 0);
	return zone->zone ? 0 : ERR_NOMEM;
}

/* Reads the rows of sets, which come sorted by zone. */
static int read_sets(struct zone_load *load, struct source *source, const struct key_range *range,
		     char error[SOURCE_ERROR_MAX])
{
	size_t errors = load->faults->errors;
	int err;

	arena_init(&load->arena);
	err = source->calls->resources(source, record_set_kind()->id, range->from, range->to,
				       on_record_set, load, error);
	if (!err)
		err = end_zone(load);
	zone_discard(load->draft);
	arena_release(&load->arena);
	return !err && load->faults->errors > errors ? ERR_FAULTS : err;
}

static struct zone_load begin_load(const struct home_rows *rows, struct faults *faults)
{
	return (struct zone_load){
		.model = rows->model, .parts = rows->parts, .now_s = rows->now_s, .faults = faults};
}

static int number_all(struct model *model, const struct model *before, struct source *source,
		      uint64_t now_s);

static int zones_load(const struct home_rows *rows, struct faults *faults,
		      char error[SOURCE_ERROR_MAX])
{
	const struct key_range all = {.from = "", .to = "\x7f"};
	struct zone_load load = begin_load(rows, faults);
	struct model *model = rows->model;
	int err = 0;

	for (size_t i = 0; !err && rows->source && i < model->private_zones.count; i++)
		err = complete(&model->private_zones.items[i], rows->key);
	if (!err && rows->source)
		err = read_sets(&load, rows->source, &all, error);
	return err ? err : number_all(model, rows->before, rows->source, rows->now_s);
}

static int zones_read(const struct home_rows *rows, const struct path *path, struct faults *faults,
		      char error[SOURCE_ERROR_MAX])
{
	struct zone_load load = begin_load(rows, faults);
	struct private_zone *zone = path->kind == zone_kind() ? find_zone(rows->model, path) : NULL;
	const struct private_zone *declared;
	char row[PATH_MAX_BYTES];
	struct key_range sets;
	int err;

	if (!zone || zone->file)
		return 0;
	declared = find_zone(rows->model->declared, path);
	give(zone, declared && declared->zone ? zone_ref(declared->zone) : NULL);
	err = complete(zone, rows->key);
	if (!err)
		err = path_key(path, row);
	if (err)
		return err;
	key_range_inside(&sets, row);
	return read_sets(&load, rows->source, &sets, error);
}

static bool is_at(const struct private_zone *zone, const struct path *path)
{
	return strcasecmp(zone->name, path->names[0]) == 0 &&
	       strcasecmp(part_group(path->kind, zone), path->group) == 0;
}

/* Finds the zone of that path: mostly at the same place in both models, else by the index of names,
 * because all zones after a removed one have moved. */
static const struct private_zone *find_kept(const struct model *before, const struct path *path,
					    size_t place)
{
	const struct private_zone *zone =
		place < before->private_zones.count ? &before->private_zones.items[place] : NULL;

	if (!zone || !zone->name || !is_at(zone, path))
		zone = model_zone(before, path->group, path->names[0]);
	return zone && is_at(zone, path) ? zone : NULL;
}

static void zones_keep(struct model *model, const struct model *before)
{
	for (size_t i = 0; i < model->private_zones.count; i++) {
		struct private_zone *zone = &model->private_zones.items[i];
		const struct path path = part_path(zone_kind(), zone, NULL);
		const struct private_zone *kept = zone->name ? find_kept(before, &path, i) : NULL;

		if (!zone->file && kept && !kept->file && kept->zone)
			give(zone, zone_ref(kept->zone));
	}
}

/* ---- edits ---- */

struct zones_draft {
	struct model *model;
	struct path path;           /* of the last zone that was edited */
	struct private_zone *zone;  /* that zone; NULL: none */
	bool refused;               /* a fault about this zone was added */
	struct zone_draft *zones[]; /* by the zone's index in the model; NULL: not edited */
};

static void *zones_edit(const struct home_change *change)
{
	struct model *model = change->model;
	struct zones_draft *draft =
		calloc(1, sizeof *draft + model->private_zones.count * sizeof *draft->zones);

	if (draft)
		draft->model = model;
	return draft;
}

static void zones_discard(void *context)
{
	struct zones_draft *draft = context;

	for (size_t i = 0; draft && i < draft->model->private_zones.count; i++)
		zone_discard(draft->zones[i]);
	free(draft);
}

/* An invalid name cannot be in the zone; its row is skipped, so removing it cannot fail. */
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

static void refuse(struct zones_draft *draft, const struct path *path, struct faults *faults)
{
	const struct private_zone *zone = draft->zone;
	struct origin origin = origin_of(path, &faults->arena);

	if (draft->refused)
		return;
	draft->refused = true;
	if (zone)
		fault_add(faults, FAULT_ERROR, &origin, NULL,
			  "the records of this zone are those of its file, %s; change them there, "
			  "and reload",
			  zone->file);
	else
		part_refuse_orphan(draft->model, path, faults);
}

static int put_set_of(struct zone_draft *draft, const struct name *apex,
		      const struct resource_edit *edit, struct arena *arena, struct faults *faults)
{
	struct origin origin = origin_of(&edit->path, arena);
	size_t errors = faults->errors;
	struct record_set set;

	if (!edit->values)
		return remove_set(draft, apex, path_name(&edit->path), &origin);
	values_read(record_set_kind(), edit->values, &set, &origin, arena, faults);
	limits_check_record_set(&set, faults);
	return faults->errors > errors ? ERR_FAULTS : record_set_put(draft, apex, &set, faults);
}

/* Cached, because sets of a zone mostly follow each other. */
static void look_up(struct zones_draft *draft, const struct path *path)
{
	const struct path root = part_root(path);

	if (draft->path.kind && strcasecmp(draft->path.names[0], root.names[0]) == 0 &&
	    strcasecmp(draft->path.group, root.group) == 0)
		return;
	draft->path = root;
	draft->zone = find_zone(draft->model, path);
	draft->refused = false;
}

/* A key that is equal for equal record data: its bytes in hex, or the text if it is no data of that
 * type. To be freed; NULL without memory. */
static char *record_key(uint16_t type, const struct name *apex, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *rdata = malloc(RDATA_MAX);
	size_t length = 0;
	const char *why;
	char *key = NULL;

	if (rdata && rdata_parse(type, text, apex->wire, rdata, &length, &why) != 0) {
		if (asprintf(&key, "\"%s", text) < 0)
			key = NULL;
	} else if (rdata) {
		key = malloc(2 * length + 1);
		for (size_t i = 0; key && i < length; i++) {
			key[2 * i] = digits[rdata[i] >> 4];
			key[2 * i + 1] = digits[rdata[i] & 0xf];
		}
		if (key)
			key[2 * length] = '\0';
	}
	free(rdata);
	return key;
}

/* Removes duplicate records, however they are written; the first one stays. Makes a new list,
 * because other values may share this one. */
static void zones_tidy(const struct path *path, json_t *values)
{
	const json_t *records = json_object_get(values, "records");
	const char *colon = strrchr(path_name(path), ':');
	json_t *kept, *seen, *record;
	struct name apex;
	uint16_t type;
	size_t i;

	if (!json_is_array(records) || !colon || record_type_parse(&type, colon + 1) != 0 ||
	    name_from_text(&apex, NULL, path->names[0]) != 0)
		return;
	kept = json_array();
	seen = json_object();
	json_array_foreach((json_t *)(uintptr_t)records, i, record)
	{
		char *key = json_is_string(record)
				    ? record_key(type, &apex, json_string_value(record))
				    : NULL;

		if (!key || !json_object_get(seen, key))
			json_add(kept, json_incref(record));
		if (key)
			json_put(seen, key, json_true());
		free(key);
	}
	json_decref(seen);
	json_put(values, "records", kept);
}

static int zones_put(void *context, const struct resource_edit *edit,
		     const struct home_change *change)
{
	const struct path *path = &edit->path;
	struct zones_draft *draft = context;
	struct zone_draft **edited;
	struct private_zone *zone;
	struct arena arena;
	int err;

	look_up(draft, path);
	zone = draft->zone;
	if (!zone || zone->file) {
		if (edit->values) /* removing from a missing zone is fine */
			refuse(draft, path, change->faults);
		return edit->values ? ERR_FAULTS : 0;
	}
	if (!zone->zone)
		return 0; /* the zone's name has a fault */
	edited = &draft->zones[zone - draft->model->private_zones.items];
	if (!*edited)
		*edited = zone_edit(zone->zone);
	if (!*edited)
		return ERR_NOMEM;
	arena_init(&arena);
	err = put_set_of(*edited, zone_apex(zone->zone), edit, &arena, change->faults);
	arena_release(&arena);
	return err;
}

/* Puts the edited zones into the model. */
static int give_all(struct zones_draft *draft, uint64_t now_s, struct faults *faults)
{
	int err = 0;

	for (size_t i = 0; i < draft->model->private_zones.count; i++) {
		size_t errors = faults->errors;
		struct zone_draft *edited = draft->zones[i];
		struct zone *after = edited ? zone_commit(edited, now_s, faults) : NULL;

		draft->zones[i] = NULL;
		if (after)
			give(&draft->model->private_zones.items[i], after);
		else if (edited)
			err = faults->errors > errors ? ERR_FAULTS : ERR_NOMEM;
	}
	return err;
}

/* ---- serials ---- */

/* 0 means no serial. */
static uint32_t later(uint32_t a, uint32_t b)
{
	return a && (!b || serial_is_newer(a, b)) ? a : b;
}

/* `text`: the key of the serial, as in transfer_zone.text. */
static bool read_serial(struct source *source, const char *text, struct pairs_serial *row)
{
	char error[SOURCE_ERROR_MAX];

	*row = (struct pairs_serial){.zone = text};
	return pairs_read_serials(source, row, 1, error) == 0 && row->found;
}

/* Finds the serial by the zone's full name, else by its domain alone: that is its key in older
 * states, and the key of a zone that was in no group before. */
static bool find_serial(struct source *source, const struct private_zone *zone,
			struct pairs_serial *row)
{
	char apex[NAME_TEXT_MAX], text[GROUP_TEXT_MAX + NAME_TEXT_MAX];
	const char *group = zone->resource_group;

	name_to_text(zone_apex(zone->zone), apex);
	if (group)
		snprintf(text, sizeof text, "%s/%s", group, apex);
	return (group && read_serial(source, text, row)) || read_serial(source, apex, row);
}

/* The latest serial of the domain's zones that only `before` has: if a zone moves to another group,
 * its serial must still rise. 0: none. */
static uint32_t latest_serial(const struct model *before, const struct model *model,
			      const char *domain)
{
	uint32_t latest = 0;

	for (size_t i = 0; i < before->private_zones.count; i++) {
		const struct private_zone *zone = &before->private_zones.items[i];
		const struct path path = part_path(zone_kind(), zone, NULL);

		if (zone->zone && zone->name && strcasecmp(zone->name, domain) == 0 &&
		    !part_find(model, &path))
			latest = later(latest, zone_serial(zone->zone));
	}
	return latest;
}

/* The serial that the zone gets; `same`: its outgoing digest has not changed. If serial and
 * reserved of the row are equal, that serial is the last one given out; otherwise an earlier
 * process may have given out all up to `reserved`. */
static uint32_t serial_for(const struct zone *zone, uint64_t digest, const struct zone *before,
			   bool same, const struct pairs_serial *row, uint64_t now_s)
{
	bool at_rest = row && row->reserved == row->serial;
	uint32_t own = zone_serial(zone); /* 0, the time, or that of a SOA record set */

	if (at_rest && row->digest == digest && (same || !before))
		return same ? later(row->serial, zone_serial(before)) : row->serial;
	if (same)
		return zone_serial(before);
	if (row)
		own = later(own, serial_next(row->reserved, now_s));
	if (before)
		own = later(own, serial_next(zone_serial(before), now_s));
	return own ? own : serial_next(0, now_s);
}

/* Gives the zone its serial, and shares the served data if nothing has changed. */
static int number(struct private_zone *zone, const struct model *model,
		  const struct model *before_model, struct source *source, uint64_t now_s)
{
	const struct path path = part_path(zone_kind(), zone, NULL);
	const struct private_zone *served = before_model ? part_find(before_model, &path) : NULL;
	struct zone **at = &zone->zone, *numbered;
	struct zone *before = served ? served->zone : NULL; /* perhaps data of a master file */
	uint32_t past =
		before_model && !served ? latest_serial(before_model, model, zone->name) : 0;
	struct pairs_serial row;
	bool known = find_serial(source, zone, &row);
	uint64_t digest = registered_digest(model, zone);
	bool same = before && registered_digest(before_model, served) == digest;
	uint32_t serial = serial_for(*at, digest, before, same, known ? &row : NULL, now_s);

	if (past && !serial_is_newer(serial, past))
		serial = serial_next(past, now_s);
	if (same && zone_is_editable(before) && zone_serial(before) == serial)
		numbered = zone_ref(before); /* unchanged */
	else
		numbered = zone_with_serial(*at, serial);
	if (!numbered)
		return ERR_NOMEM;
	zone_unref(*at);
	*at = numbered;
	return 0;
}

/* After a change: gives each new or recreated zone the serial that number_all would. A new zone
 * starts with the time of day, but a secondary that still has the former zone may have a later
 * serial, and accepts only one that is later still. */
static int number_new(struct model *model, const struct model *before, struct source *source,
		      uint64_t now_s)
{
	int err = 0;

	for (size_t i = 0; !err && i < model->private_zones.count; i++) {
		struct private_zone *zone = &model->private_zones.items[i];
		const struct path path = part_path(zone_kind(), zone, NULL);
		const struct private_zone *served = find_kept(before, &path, i);

		if (!zone->zone || !zone_is_editable(zone->zone))
			continue;
		if (!served || !served->zone || zone_serial(zone->zone) == 0 ||
		    (zone->zone != served->zone &&
		     !serial_is_newer(zone_serial(zone->zone), zone_serial(served->zone))))
			err = number(zone, model, before, source, now_s);
	}
	return err;
}

/* An unchanged zone keeps its serial; every other zone gets a later one. */
static int number_all(struct model *model, const struct model *before, struct source *source,
		      uint64_t now_s)
{
	int err = 0;

	for (size_t i = 0; !err && i < model->private_zones.count; i++) {
		struct private_zone *zone = &model->private_zones.items[i];

		if (zone->zone && zone_is_editable(zone->zone))
			err = number(zone, model, before, source, now_s);
	}
	return err;
}

static int zones_commit(void *context, const struct home_change *change)
{
	struct zones_draft *draft = context;
	struct model *model = draft->model;
	int err = give_all(draft, change->now_s, change->faults);

	zones_discard(draft);
	return err ? err : number_new(model, change->before, change->source, change->now_s);
}

/* ---- rows in a model ---- */

static bool zones_have_rows(const struct model *model)
{
	const struct model *declared = model->declared;

	for (size_t i = 0; declared && i < declared->private_zones.count; i++) {
		const struct private_zone *filed = &declared->private_zones.items[i];
		const struct zone *served = model->private_zones.items[i].zone;

		if (filed->zone && !filed->file && served &&
		    zone_content(filed->zone).digest != zone_content(served).digest)
			return true;
	}
	return false;
}

/* ---- for the APIs ---- */

static const char *zones_refusal(const void *parent)
{
	const struct private_zone *zone = parent;

	return zone->file
		       ? "the records of this zone are those of its file; change them there, and "
			 "reload"
		       : NULL;
}

/* Turns "www.corp.internal.:A" of zone corp.internal into "www:A"; leaves names outside the zone
 * alone. */
static const char *zones_name(const struct path *path, struct arena *arena)
{
	const char *zone = path->names[0], *text = path->names[1], *colon = strrchr(text, ':');
	char relative[NAME_TEXT_MAX], *owner;
	struct name apex, name;

	if (!colon)
		return text;
	owner = arena_printf(arena, "%.*s", (int)(colon - text), text);
	if (!owner)
		return NULL;
	if (owner[name_text_length(owner)] == '\0' || name_from_text(&apex, NULL, zone) != 0 ||
	    name_from_text(&name, NULL, owner) != 0 || !name_is_under(&name, &apex))
		return text;
	return arena_printf(arena, "%s%s", zonefile_name(&apex, name.wire, relative), colon);
}

/* A record set without records is not in the zone, but it exists. */
static bool zones_serves(const void *parent, const char *name, const json_t *values)
{
	const struct private_zone *zone = parent;

	return json_array_size(json_object_get(values, "records")) == 0 ||
	       (zone->zone && record_set_is_there(zone->zone, name));
}

const struct home zones_home = {
	.number = HOME_ZONES,
	.load = zones_load,
	.keep = zones_keep,
	.read = zones_read,
	.edit = zones_edit,
	.put = zones_put,
	.commit = zones_commit,
	.discard = zones_discard,
	.check = limits_check_records,
	.has_rows = zones_have_rows,
	.refusal = zones_refusal,
	.serves = zones_serves,
	.tidy = zones_tidy,
	.name = zones_name,
};
