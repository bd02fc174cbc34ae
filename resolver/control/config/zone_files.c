/* Zones of the previous model are sorted once, then found by file and apex. A zone without a file
 * is made of its record sets. */
#include "resolver/control/config/zone_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "resolver/control/base/regular_file.h"
#include "rules/schema/record_set.h"
#include "rules/zone/zonefile.h"

#define SECOND_NS INT64_C(1000000000)

struct zone_reading {
	struct file_stamp stamp;
	bool trusted; /* the next change is sure to change the stamp */
};

struct zone_reader {
	const struct private_zone **before; /* sorted */
	size_t before_count;
	const struct hash_key *key;
	struct model *model;
	struct faults *faults;
};

/* ---- the model before ---- */

struct sought {
	const char *file;
	const struct name *apex;
};

static int order(const struct sought *sought, const struct private_zone *zone)
{
	const struct name *apex = zone_apex(zone->zone);
	int difference = strcmp(sought->file, zone->file);

	if (difference == 0)
		difference = sought->apex->length - apex->length;
	return difference ? difference : memcmp(sought->apex->wire, apex->wire, apex->length);
}

static int compare(const void *a, const void *b)
{
	const struct private_zone *zone = *(const struct private_zone *const *)a;
	const struct sought sought = {zone->file, zone_apex(zone->zone)};

	return order(&sought, *(const struct private_zone *const *)b);
}

static int compare_sought(const void *sought, const void *zone)
{
	return order(sought, *(const struct private_zone *const *)zone);
}

/* Without memory no zone is shared: all are read. */
static void sort_before(struct zone_reader *reader, const struct model *before)
{
	size_t count = before ? before->private_zones.count : 0;

	reader->before = count > 0 ? malloc(count * sizeof *reader->before) : NULL;
	for (size_t i = 0; reader->before && i < count; i++) {
		const struct private_zone *zone = &before->private_zones.items[i];
		if (zone->file && zone->zone && zone->reading)
			reader->before[reader->before_count++] = zone;
	}
	if (reader->before_count > 0)
		qsort(reader->before, reader->before_count, sizeof *reader->before, compare);
}

static const struct private_zone *find_before(const struct zone_reader *reader, const char *file,
					      const struct name *apex)
{
	const struct sought sought = {file, apex};
	const struct private_zone **found = NULL;

	if (reader->before_count > 0)
		found = bsearch(&sought, reader->before, reader->before_count,
				sizeof *reader->before, compare_sought);
	return found ? *found : NULL;
}

/* ---- a file ---- */

/* NULL: *why or the faults tell the reason. A file without records is refused, because somebody may
 * just have begun to write it. */
static struct zone *parse(const struct zone_reader *reader, char *bytes, size_t length,
			  const char *path, struct zonefile_folder *folder, const struct name *apex,
			  const char **why)
{
	FILE *text = fmemopen(length > 0 ? bytes : "\n", length > 0 ? length : 1, "r");
	struct zone *zone;

	if (!text) {
		*why = strerror(errno);
		return NULL;
	}
	zone = zonefile_read(text, path, folder, reader->key, apex, reader->faults);
	fclose(text);
	if (!zone || !zone_is_empty(zone))
		return zone;
	*why = "it has no record; write a SOA record alone, if the zone is meant to be empty";
	zone_unref(zone);
	return NULL;
}

/* *alone: the zone has no other file. */
static struct zone *read_whole(const struct zone_reader *reader, const char *path,
			       const struct name *apex, struct file_stamp *stamp, bool *alone,
			       const char **why)
{
	struct zonefile_folder folder;
	struct zone *zone = NULL;
	size_t length;
	char *bytes;

	if (zonefile_folder_init(&folder, path, regular_file_read_below) != 0) {
		*why = err_text(ERR_NOMEM);
		return NULL;
	}
	bytes = regular_file_read(path, SIZE_MAX, stamp, &length, why);
	if (bytes)
		zone = parse(reader, bytes, length, path, &folder, apex, why);
	*alone = !folder.used;
	free(bytes);
	zonefile_folder_release(&folder);
	return zone;
}

static bool is_unchanged(const struct private_zone *before, const char *path)
{
	struct file_stamp stamp;

	return before && before->reading->trusted && file_stamp_of(&stamp, path) &&
	       file_stamp_equal(&before->reading->stamp, &stamp);
}

static void read_zone(const struct zone_reader *reader, struct private_zone *zone,
		      const struct name *apex)
{
	const struct private_zone *before = find_before(reader, zone->file, apex);
	struct zone_reading reading, *kept;
	struct timespec now;
	const char *why = NULL;
	bool alone;

	clock_gettime(CLOCK_REALTIME, &now);
	if (is_unchanged(before, zone->file)) {
		reading = *before->reading;
		zone->zone = zone_ref(before->zone);
	} else {
		zone->zone = read_whole(reader, zone->file, apex, &reading.stamp, &alone, &why);
		reading.trusted =
			zone->zone && alone &&
			(int64_t)now.tv_sec * SECOND_NS + now.tv_nsec - reading.stamp.ctime_ns >
				SECOND_NS;
	}
	if (why)
		fault_add(reader->faults, FAULT_ERROR, &zone->origin, "file",
			  "%s cannot be read: %s", zone->file, why);
	kept = zone->zone ? arena_alloc(&reader->model->arena, sizeof *kept) : NULL;
	if (kept) /* without memory the zone is served, but read again next time */
		*kept = reading;
	zone->reading = kept;
}

/* ---- without a file ---- */

static void make_zone(const struct zone_reader *reader, struct private_zone *zone,
		      const struct name *apex)
{
	struct zone *empty = zone_new(reader->key, apex, 0);
	struct zone_draft *draft = empty ? zone_edit(empty) : NULL;
	size_t errors = reader->faults->errors;
	int err = draft ? 0 : ERR_NOMEM;

	for (size_t i = 0; err != ERR_NOMEM && i < zone->record_sets.count; i++)
		err = record_set_put(draft, apex, &zone->record_sets.items[i], reader->faults);
	if (err != ERR_NOMEM && reader->faults->errors == errors)
		zone->zone = zone_commit(draft, (uint64_t)time(NULL), reader->faults);
	else
		zone_discard(draft);
	if (err == ERR_NOMEM)
		fault_add(reader->faults, FAULT_ERROR, &zone->origin, NULL, "%s", err_text(err));
	zone_unref(empty);
}

/* A zone without a stamp (zone->reading) is left out. */
static void list_files(struct model *model, struct faults *faults)
{
	size_t count = model->private_zones.count;

	if (count == 0)
		return;
	model->zone_files.items =
		arena_alloc_array(&model->arena, count, sizeof *model->zone_files.items);
	if (!model->zone_files.items) {
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(ERR_NOMEM));
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];

		if (zone->file && zone->zone && zone->reading)
			model->zone_files.items[model->zone_files.count++] = (struct model_file){
				zone->file, file_stamp_number(&zone->reading->stamp)};
	}
}

void zone_files_read(struct model *model, const struct model *before, const struct hash_key *key,
		     struct faults *faults)
{
	struct zone_reader reader = {.key = key, .model = model, .faults = faults};
	struct name apex;

	sort_before(&reader, before);
	for (size_t i = 0; i < model->private_zones.count; i++) {
		struct private_zone *zone = &model->private_zones.items[i];
		if (!zone->name || name_from_text(&apex, key, zone->name) != 0)
			continue;
		if (zone->file)
			read_zone(&reader, zone, &apex);
		else
			make_zone(&reader, zone, &apex);
	}
	free(reader.before);
	list_files(model, faults);
}
