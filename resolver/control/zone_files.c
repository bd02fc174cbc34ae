/* The zones of the model before are found by file and apex: sorted once, then searched. */
#include "resolver/control/zone_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "resolver/control/regular_file.h"
#include "rules/zonefile.h"

#define SECOND_NS INT64_C(1000000000)
#define LOST_END                                                                                   \
	"its last line has lost its end; give it its newline, if it is whole, and try again"
#define LOST_RECORDS                                                                               \
	"it has lost all its records; write them again, or a SOA record alone, if the zone is "    \
	"meant to be empty, and try again"

struct zone_reading {
	struct file_stamp stamp;
	bool trusted; /* the stamp will show the next change */
	bool ended;   /* its last line had an end */
};

struct reader {
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

/* Without memory there is no before: all is read. */
static void sort_before(struct reader *reader, const struct model *before)
{
	size_t count = before ? before->private_zones.count : 0;

	reader->before = count > 0 ? malloc(count * sizeof *reader->before) : NULL;
	for (size_t i = 0; reader->before && i < count; i++) {
		const struct private_zone *zone = &before->private_zones.items[i];
		if (zone->zone && zone->reading)
			reader->before[reader->before_count++] = zone;
	}
	if (reader->before_count > 0)
		qsort(reader->before, reader->before_count, sizeof *reader->before, compare);
}

static const struct private_zone *find_before(const struct reader *reader, const char *file,
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

/* Opens it and takes its stamp before anything is read from it. NULL: *why says it. */
static FILE *open_stamped(const char *path, struct file_stamp *stamp, const char **why)
{
	FILE *file = regular_file_open(path, why);

	if (!file || file_stamp_take(stamp, file))
		return file;
	*why = strerror(errno);
	fclose(file);
	return NULL;
}

static FILE *open_read(const char *path, struct zone_reading *reading, const char **why)
{
	struct timespec now;
	FILE *file;

	clock_gettime(CLOCK_REALTIME, &now);
	file = open_stamped(path, &reading->stamp, why);
	if (!file)
		return NULL;
	reading->trusted =
		(int64_t)now.tv_sec * SECOND_NS + now.tv_nsec - reading->stamp.ctime_ns > SECOND_NS;
	reading->ended = regular_file_is_ended(file, &reading->stamp);
	return file;
}

/* What size and last byte tell of a file that was cut since it was read; NULL: nothing. It is one
 * that somebody has not finished to write, or could not: what is left of its last line may be a
 * good record, and another one than was meant. */
static const char *why_cut(const struct private_zone *before, FILE *file,
			   const struct file_stamp *stamp)
{
	if (stamp->size == 0 && !zone_is_empty(before->zone))
		return LOST_RECORDS;
	return before->reading->ended && !regular_file_is_ended(file, stamp) ? LOST_END : NULL;
}

/* Reads all of it. NULL: *why says it, or it is in the faults. */
static struct zone *read_whole(const struct reader *reader, FILE *file, const char *path,
			       const struct name *apex, const struct private_zone *before,
			       const struct file_stamp *stamp, const char **why)
{
	struct zone *zone;

	*why = before ? why_cut(before, file, stamp) : NULL;
	zone = *why ? NULL : zonefile_read(file, path, reader->key, apex, reader->faults);
	if (zone && before && zone_is_empty(zone) && !zone_is_empty(before->zone))
		*why = LOST_RECORDS;
	if (!*why && !(zone && regular_file_changed(file, stamp, why)))
		return zone;
	zone_unref(zone);
	return NULL;
}

static void read_zone(const struct reader *reader, struct private_zone *zone,
		      const struct name *apex)
{
	const struct private_zone *before = find_before(reader, zone->file, apex);
	struct zone_reading reading, *kept;
	const char *why = NULL;
	FILE *file = open_read(zone->file, &reading, &why);

	if (file && before && before->reading->trusted &&
	    file_stamp_equal(&before->reading->stamp, &reading.stamp))
		zone->zone = zone_ref(before->zone);
	else if (file)
		zone->zone =
			read_whole(reader, file, zone->file, apex, before, &reading.stamp, &why);
	if (file)
		fclose(file);
	if (why)
		fault_add(reader->faults, FAULT_ERROR, &zone->origin, "file",
			  "%s cannot be read: %s", zone->file, why);
	kept = zone->zone ? arena_alloc(&reader->model->arena, sizeof *kept) : NULL;
	if (kept) /* else it is served, and read again */
		*kept = reading;
	zone->reading = kept;
}

void zone_files_read(struct model *model, const struct model *before, const struct hash_key *key,
		     struct faults *faults)
{
	struct reader reader = {.key = key, .model = model, .faults = faults};
	struct name apex;

	sort_before(&reader, before);
	for (size_t i = 0; i < model->private_zones.count; i++) {
		struct private_zone *zone = &model->private_zones.items[i];
		if (zone->file && zone->name && name_from_text(&apex, key, zone->name) == 0)
			read_zone(&reader, zone, &apex);
	}
	free(reader.before);
}

bool zone_files_find_cut(const struct model *model, char *error, size_t size)
{
	for (size_t i = 0; i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];
		struct file_stamp stamp;
		const char *why;
		FILE *file = zone->reading ? open_stamped(zone->file, &stamp, &why) : NULL;

		if (!file) /* whoever reads it will say so */
			continue;
		why = why_cut(zone, file, &stamp);
		fclose(file);
		if (!why)
			continue;
		snprintf(error, size, "%.300s: %s", zone->file, why);
		return true;
	}
	return false;
}
