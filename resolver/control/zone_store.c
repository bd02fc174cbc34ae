/* A hash table from "path\napex" to the zone and to what the file looked like when it was read. */
#include "resolver/control/zone_store.h"

#include <errno.h>
#include <limits.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "resolver/control/regular_file.h"
#include "rules/zonefile.h"

#define SECOND_NS INT64_C(1000000000)
#define LOST_END                                                                                   \
	"its last line has lost its end; give it its newline, if it is whole, and try again"
#define LOST_RECORDS                                                                               \
	"it has lost all its records; write them again, or a SOA record alone, if the zone is "    \
	"meant to be empty, and try again"
#define LOST_SETTINGS                                                                              \
	"it has lost all its settings; write them again and try again, or restart, if none are "   \
	"meant"

struct zone_store_entry {
	char *key;
	struct zone *zone;
	struct file_stamp stamp;
	bool trusted;     /* the stamp will show the next change */
	bool ended;       /* its last line had an end */
	bool used, fresh; /* in this round */
	UT_hash_handle hh;
};

struct zone_store {
	struct zone_store_entry *entries;
	bool has_settings, had_settings; /* the main file: in this round, in the last good one */
};

struct zone_store *zone_store_new(void)
{
	return calloc(1, sizeof(struct zone_store));
}

static void drop(struct zone_store *store, struct zone_store_entry *entry)
{
	HASH_DEL(store->entries, entry);
	zone_unref(entry->zone);
	free(entry->key);
	free(entry);
}

void zone_store_free(struct zone_store *store)
{
	struct zone_store_entry *entry, *next;

	if (!store)
		return;
	HASH_ITER (hh, store->entries, entry, next)
		drop(store, entry);
	free(store);
}

void zone_store_begin(struct zone_store *store)
{
	store->has_settings = false;
	for (struct zone_store_entry *entry = store->entries; entry; entry = entry->hh.next)
		entry->used = entry->fresh = false;
}

void zone_store_end(struct zone_store *store, bool good)
{
	struct zone_store_entry *entry, *next;

	if (good)
		store->had_settings = store->has_settings;
	HASH_ITER (hh, store->entries, entry, next)
		if (good ? !entry->used : entry->fresh)
			drop(store, entry);
}

size_t zone_store_count(const struct zone_store *store)
{
	return HASH_COUNT(store->entries);
}

/* Opens the file and takes its stamp before anything is read from it. NULL: *why says it. */
static FILE *open_stamped(const char *path, struct file_stamp *stamp, const char **why)
{
	FILE *file = regular_file_open(path, why);

	if (!file || file_stamp_take(stamp, file))
		return file;
	*why = strerror(errno);
	fclose(file);
	return NULL;
}

static void remember(struct zone_store *store, const char *key, struct zone_store_entry *entry,
		     const struct file_stamp *stamp, bool ended, struct zone *zone)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!entry) {
		entry = calloc(1, sizeof *entry);
		if (!entry)
			return;
		entry->key = strdup(key);
		if (!entry->key) {
			free(entry);
			return;
		}
		HASH_ADD_KEYPTR(hh, store->entries, entry->key, strlen(entry->key), entry);
		if (!entry->hh.tbl) { /* no memory: the zone is served and not remembered */
			free(entry->key);
			free(entry);
			return;
		}
		entry->fresh = true;
	}
	zone_unref(entry->zone);
	entry->zone = zone_ref(zone);
	entry->stamp = *stamp;
	entry->ended = ended;
	entry->trusted =
		(int64_t)now.tv_sec * SECOND_NS + now.tv_nsec - stamp->ctime_ns > SECOND_NS;
	entry->used = true;
}

static char *make_key(const char *path, const struct name *apex)
{
	char text[NAME_TEXT_MAX], *key;

	return asprintf(&key, "%s\n%s", path, name_to_text(apex, text)) < 0 ? NULL : key;
}

/* What size and last byte tell of a file that was cut since the entry was read; NULL: nothing. It
 * is one that somebody has not finished to write, or could not: what is left of its last line may
 * be a good record, and another one than was meant. */
static const char *why_cut(const struct zone_store_entry *entry, FILE *file,
			   const struct file_stamp *stamp)
{
	if (stamp->size == 0 && !zone_is_empty(entry->zone))
		return LOST_RECORDS;
	return entry->ended && !regular_file_is_ended(file, stamp) ? LOST_END : NULL;
}

/* Reads all of it; `entry` is of the read before, or NULL. */
static struct zone *read_whole(FILE *file, const char *path, const struct name *apex,
			       const struct hash_key *key, const struct zone_store_entry *entry,
			       const struct file_stamp *stamp, const struct origin *origin,
			       struct faults *faults)
{
	const char *why = entry ? why_cut(entry, file, stamp) : NULL;
	struct zone *zone = why ? NULL : zonefile_read(file, path, key, apex, faults);

	if (zone && entry && zone_is_empty(zone) && !zone_is_empty(entry->zone))
		why = LOST_RECORDS;
	if (!why && !(zone && regular_file_changed(file, stamp, &why)))
		return zone;
	fault_add(faults, FAULT_ERROR, origin, "file", "%s cannot be read: %s", path, why);
	zone_unref(zone);
	return NULL;
}

struct zone *zone_store_read(struct zone_store *store, const char *path, const struct name *apex,
			     const struct hash_key *key, const struct origin *origin,
			     struct faults *faults)
{
	struct zone_store_entry *entry = NULL;
	char *entry_key = make_key(path, apex);
	struct zone *zone = NULL;
	struct file_stamp stamp;
	const char *why;
	FILE *file = open_stamped(path, &stamp, &why);

	if (!file) {
		fault_add(faults, FAULT_ERROR, origin, "file", "%s cannot be read: %s", path, why);
		goto out;
	}
	if (entry_key)
		HASH_FIND(hh, store->entries, entry_key, strlen(entry_key), entry);
	if (entry && entry->trusted && file_stamp_equal(&entry->stamp, &stamp)) {
		entry->used = true;
		zone = zone_ref(entry->zone);
	} else {
		bool ended = regular_file_is_ended(file, &stamp);
		zone = read_whole(file, path, apex, key, entry, &stamp, origin, faults);
		if (zone && entry_key)
			remember(store, entry_key, entry, &stamp, ended, zone);
	}
	fclose(file);
out:
	free(entry_key);
	return zone;
}

const char *zone_store_note_settings(struct zone_store *store, bool any)
{
	store->has_settings = any;
	return store->had_settings && !any ? LOST_SETTINGS : NULL;
}

/* Why the file is cut: the entry's, or the main one where that is NULL. */
static const char *why_cut_now(const struct zone_store_entry *entry, const char *path)
{
	struct file_stamp stamp;
	const char *why;
	FILE *file = open_stamped(path, &stamp, &why);

	if (!file) /* whoever reads it will say so */
		return NULL;
	if (entry)
		why = why_cut(entry, file, &stamp);
	else
		why = stamp.size == 0 ? LOST_SETTINGS : NULL;
	fclose(file);
	return why;
}

bool zone_store_is_cut(const struct zone_store *store, const char *main_file, char *error,
		       size_t size)
{
	const char *why = store->had_settings ? why_cut_now(NULL, main_file) : NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s", main_file);
	for (const struct zone_store_entry *entry = store->entries; entry && !why;
	     entry = entry->hh.next) {
		snprintf(path, sizeof path, "%.*s", (int)(strrchr(entry->key, '\n') - entry->key),
			 entry->key);
		why = why_cut_now(entry, path);
	}
	if (why)
		snprintf(error, size, "%.300s: %s", path, why);
	return why != NULL;
}
