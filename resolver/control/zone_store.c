/* A hash table from "path\napex" to the zone and to what the file looked like when it was read. */
#include "resolver/control/zone_store.h"

#include <errno.h>
#include <sys/stat.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "resolver/control/regular_file.h"
#include "rules/zonefile.h"

#define SECOND_NS INT64_C(1000000000)

struct stamp { /* what a file looked like */
	dev_t device;
	ino_t inode;
	off_t size;
	int64_t mtime_ns, ctime_ns; /* a file's owner can set the first one only */
};

struct zone_store_entry {
	char *key;
	struct zone *zone;
	struct stamp stamp;
	bool trusted;     /* the stamp will show the next change */
	bool used, fresh; /* in this round */
	UT_hash_handle hh;
};

struct zone_store {
	struct zone_store_entry *entries;
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
	for (struct zone_store_entry *entry = store->entries; entry; entry = entry->hh.next)
		entry->used = entry->fresh = false;
}

void zone_store_end(struct zone_store *store, bool good)
{
	struct zone_store_entry *entry, *next;

	HASH_ITER (hh, store->entries, entry, next)
		if (good ? !entry->used : entry->fresh)
			drop(store, entry);
}

size_t zone_store_count(const struct zone_store *store)
{
	return HASH_COUNT(store->entries);
}

static int64_t time_ns(const struct timespec *time)
{
	return (int64_t)time->tv_sec * SECOND_NS + time->tv_nsec;
}

static bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/* Opens the file and takes its stamp before anything is read from it. NULL: *why says it. */
static FILE *open_stamped(const char *path, struct stamp *stamp, const char **why)
{
	FILE *file = regular_file_open(path, why);
	struct stat stat;

	if (!file)
		return NULL;
	if (fstat(fileno(file), &stat) != 0) {
		*why = strerror(errno);
		fclose(file);
		return NULL;
	}
	*stamp = (struct stamp){stat.st_dev, stat.st_ino, stat.st_size, time_ns(&stat.st_mtim),
				time_ns(&stat.st_ctim)};
	return file;
}

static void remember(struct zone_store *store, const char *key, struct zone_store_entry *entry,
		     const struct stamp *stamp, struct zone *zone)
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
	entry->trusted = time_ns(&now) - stamp->ctime_ns > SECOND_NS;
	entry->used = true;
}

static char *make_key(const char *path, const struct name *apex)
{
	char text[NAME_TEXT_MAX], *key;

	return asprintf(&key, "%s\n%s", path, name_to_text(apex, text)) < 0 ? NULL : key;
}

struct zone *zone_store_read(struct zone_store *store, const char *path, const struct name *apex,
			     const struct hash_key *key, const struct origin *origin,
			     struct faults *faults)
{
	struct zone_store_entry *entry = NULL;
	char *entry_key = make_key(path, apex);
	struct zone *zone = NULL;
	struct stamp stamp;
	const char *why;
	FILE *file = open_stamped(path, &stamp, &why);

	if (!file) {
		fault_add(faults, FAULT_ERROR, origin, "file", "%s cannot be read: %s", path, why);
		goto out;
	}
	if (entry_key)
		HASH_FIND(hh, store->entries, entry_key, strlen(entry_key), entry);
	if (entry && entry->trusted && stamp_equal(&entry->stamp, &stamp)) {
		entry->used = true;
		zone = zone_ref(entry->zone);
	} else {
		zone = zonefile_read(file, path, key, apex, faults);
		if (zone && entry_key)
			remember(store, entry_key, entry, &stamp, zone);
	}
	fclose(file);
out:
	free(entry_key);
	return zone;
}
