/* A store of the resources that the management API made, and of their history. The store knows a
 * resource's path, JSON text and other keys; its kind says what the values mean (resource/kind.h).
 * Another store (one that a fleet shares) would be one more file behind the same calls:
 *
 *     begin, put, commit    one change: all of it or nothing; durable when commit says yes, so
 *                           an acknowledged change outlives a kill -9 and a power cut
 *     resources, find, page the stored resources, with those that an open change has put
 *     attach                find, page and count have items of the configuration file as well
 *     owned                 every resource with an address, without its JSON, so that a start can
 *                           read a million of them
 *     changes               the history: what changed, when and by whom
 *     is_current            whether nobody else has written since `sync`
 *     another, join         a second connection, for a change made in a thread
 *     view                  a second connection, for a thread that reads while others write
 *     is_untidy, tidy       maintenance in a thread, so that no change has to wait for it
 *     pairs, put_pairs      keys and values beside the resources (pairs.h)
 *
 * Only the control thread calls these, except on the sources that `another` and `view` return. A
 * call may take as long as the disk takes, and may fail at any time; then nothing has changed, and
 * `error` says why and what would help. Texts given to a callback are valid until it returns. */
#ifndef SLUICE_SOURCE_H
#define SLUICE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/prefix.h"

enum {
	SOURCE_ERROR_MAX = 512,
	SOURCE_PATH_MAX = 4096, /* of a row's path, with its NUL */
};

enum commit_answer {
	COMMIT_YES,
	COMMIT_NO,      /* final */
	COMMIT_UNKNOWN, /* perhaps */
};

struct source_about {
	const char *place; /* a path, or the store's name */
	const char *error; /* of the latest call; NULL: it succeeded */
	uint64_t revision; /* of the latest change, as this process knows it */
};

/* Further keys of a resource, and its PTR data, for kinds with too many resources to read them all.
 * NULL, family 0: not set. */
struct source_keys {
	const char *id;         /* unique; lower case */
	struct address address; /* unique */
	const char *host;       /* unique: its own name, without a suffix; lower case */
	const char *group;      /* lower case; "" for none */
	const char *region;
	const char *ptr; /* the name that its PTR gives */
	bool ttl_given;
	uint32_t ttl;          /* of the PTR, seconds */
	uint64_t ptr_revision; /* of the PTR's last change; 0: never changed */
	unsigned ptr_action;   /* of the PTR's last change (enum ptr_action) */
};

/* A stored resource (resource/kind.h). */
struct source_resource {
	unsigned kind;
	const char *path; /* its key */
	const char *json; /* its values */
	uint64_t revision;
	const struct source_keys *keys; /* set in every callback */
	size_t number; /* of an item that the configuration file declares (file_rows.h): the row
			* has neither JSON nor a revision; 0: a row of the state */
};
typedef int source_on_resource(void *context, const struct source_resource *resource);

/* A place in the history: behind the edit with this number in this revision. */
struct source_place {
	uint64_t revision;
	int64_t edit;
};

/* Behind the whole revision. */
static inline struct source_place source_after(uint64_t revision)
{
	return (struct source_place){revision, INT64_MAX};
}

/* One row of the history. */
struct source_change {
	uint64_t revision;
	int64_t edit; /* its number; later edits have higher ones */
	int64_t at_s; /* since 1970 */
	const char *who;
	unsigned kind;
	const char *path;
	const char *before, *after; /* values; NULL: no resource before, none after */
};

/* The key that find compares: a text, except SOURCE_BY_ADDRESS. SOURCE_BY_ROW compares paths of the
 * state's rows alone. SOURCE_BY_GROUP finds only the first item of the configuration file in the
 * group. */
enum source_by {
	SOURCE_BY_ROW,
	SOURCE_BY_GROUP,
	SOURCE_BY_PATH,
	SOURCE_BY_ID,
	SOURCE_BY_HOST,
	SOURCE_BY_ADDRESS
};

struct source_page {
	unsigned kind;                 /* 0: any, in the order of addresses */
	const char *group;             /* NULL: all groups; else `address` is set */
	const struct address *address; /* start after it, sorted by address; NULL: by path */
	const char *path;              /* start after it; NULL: with the first path */
	size_t limit;
};

struct file_rows;

struct source_pair {
	const char *key;
	const char *value; /* NULL: put_pairs removes the row, if there is one */
};

struct source { /* the first member of every store */
	const struct source_calls *calls;
};

/* A callback's error ends the call, which returns it. */
struct source_calls {
	/* Whether the store can be read and nobody else has written since sync; cheap. */
	bool (*is_current)(struct source *source);
	/* Call it before reading everything: later foreign writes are noticed. */
	int (*sync)(struct source *source, char error[SOURCE_ERROR_MAX]);
	/* Takes the latest sync back, because the data read since is not served: foreign writes
	 * that the sync accepted are foreign again. Nothing may have been committed since. */
	void (*unsync)(struct source *source);
	/* Calls back with at most `limit` pairs in the order of keys, starting at `from`. */
	int (*pairs)(struct source *source, const char *from, size_t limit,
		     int (*on_pair)(void *context, const struct source_pair *pair), void *context,
		     char error[SOURCE_ERROR_MAX]);
	/* Writes all pairs or none; between begin and commit they belong to that change. `durable`
	 * false: a power cut may lose them. ERR_NOT_FOUND: the store was opened to read only. */
	int (*put_pairs)(struct source *source, const struct source_pair *rows, size_t count,
			 bool durable, char error[SOURCE_ERROR_MAX]);
	/* Calls back with the resources of the kind whose paths are in [from, to), in the order of
	 * paths. */
	int (*resources)(struct source *source, unsigned kind, const char *from, const char *to,
			 source_on_resource *on_resource, void *context,
			 char error[SOURCE_ERROR_MAX]);
	/* From now on find, page and count see these items of the configuration file, in place of
	 * those that were attached before; none are at first. Not within a change, or a callback.
	 */
	int (*attach)(struct source *source, struct file_rows *rows, char error[SOURCE_ERROR_MAX]);
	/* Calls back with each resource that has a key of an attached item, and with that item's
	 * number, in the order of the numbers. */
	int (*alike)(struct source *source, source_on_resource *on_resource, void *context,
		     char error[SOURCE_ERROR_MAX]);
	/* Calls back with the resource that has this key, if there is one. If the file has an item
	 * with that key, calls back with the item instead. `kind` matters only for paths. */
	int (*find)(struct source *source, enum source_by by, unsigned kind, const char *text,
		    const struct address *address, source_on_resource *on_resource, void *context,
		    char error[SOURCE_ERROR_MAX]);
	int (*page)(struct source *source, const struct source_page *page,
		    source_on_resource *on_resource, void *context, char error[SOURCE_ERROR_MAX]);
	/* Calls back with every resource that has an address, in no order, without its JSON. */
	int (*owned)(struct source *source, source_on_resource *on_resource, void *context,
		     char error[SOURCE_ERROR_MAX]);
	/* Counts the resources of the kind in this group, and the file's items in it; NULL: all of
	 * the state, without the file's items. */
	int (*count)(struct source *source, unsigned kind, const char *group, size_t *count,
		     char error[SOURCE_ERROR_MAX]);
	/* A change: begin, then put for each resource (json NULL: remove it if it exists; keys
	 * NULL: no keys), then commit or roll_back. Nobody else sees the change before commit.
	 * Until then only put, put_pairs and calls that read are allowed. begin: ERR_EXISTS if
	 * somebody else has written since sync. put: ERR_EXISTS if another resource, or an attached
	 * item of the configuration file, has one of the keys. */
	int (*begin)(struct source *source, const char *who, uint64_t *revision,
		     char error[SOURCE_ERROR_MAX]);
	int (*put)(struct source *source, unsigned kind, const char *path, const char *json,
		   const struct source_keys *keys, char error[SOURCE_ERROR_MAX]);
	/* UNKNOWN: the disk failed at the very end. Then begin fails until a further call of
	 * commit, at any time, says YES or NO. After such a YES the caller reads everything again.
	 */
	enum commit_answer (*commit)(struct source *source, char error[SOURCE_ERROR_MAX]);
	void (*roll_back)(struct source *source);
	/* Calls back with the changes behind this place, the oldest first. */
	int (*changes)(struct source *source, struct source_place after,
		       int (*on_change)(void *context, const struct source_change *change),
		       void *context, char error[SOURCE_ERROR_MAX]);
	/* A second connection to the same store, for one change in another thread, or for tidy.
	 * With a connection for a change, nobody else may write until join, which closes the
	 * connection and makes its commits known to `source`. A connection for tidy is closed with
	 * its own close. another and join are called in the thread of `source`. If the store cannot
	 * be written, the connection can only read; NULL: error. */
	struct source *(*another)(struct source *source, char error[SOURCE_ERROR_MAX]);
	void (*join)(struct source *source, struct source *other);
	/* A snapshot of the store, to be read in another thread while others write. Close it with
	 * its own close; NULL: error. */
	struct source *(*view)(struct source *source, char error[SOURCE_ERROR_MAX]);
	/* Whether so much was written that tidy should be called: on `another`'s connection, in a
	 * thread, where nobody waits for the disk. */
	bool (*is_untidy)(struct source *source);
	void (*tidy)(struct source *source);
	void (*about)(const struct source *source, struct source_about *about);
	void (*close)(struct source *source);
};

/* Opens the store that management.state names: a path, or a URL ("file:/PATH"). SOURCE_READ and
 * SOURCE_READ_APART work while a server writes, in this or another process; APART does not even
 * write SQLite's -shm file. NULL: `error` says why, and what would help; "" if a store to be read
 * does not exist. */
enum source_mode { SOURCE_READ, SOURCE_READ_APART, SOURCE_WRITE };
struct source *source_open(const char *url, enum source_mode mode, char error[SOURCE_ERROR_MAX]);
/* Opens a source without resources, to read attached items of the configuration file. NULL: `error`
 * says why. */
struct source *source_open_empty(char error[SOURCE_ERROR_MAX]);
/* Call it before a server reads its state: copies an older version's file to PATH.new and migrates
 * the copy, which replaces the file when source_open opens it to write. Calls on_progress about
 * once a second. ERR_SYSTEM, ERR_NOMEM: `error` says why. */
MUST_CHECK int source_migrate(const char *url, void (*on_progress)(void *context), void *context,
			      char error[SOURCE_ERROR_MAX]);
/* Removes the copy that source_migrate made, if this server does not take over. */
void source_forget_migration(const char *url);
/* The path in `url`, for files kept beside the state; points into url. NULL: the store is not a
 * file, or url is NULL or "". */
const char *source_file(const char *url);

static inline void source_about(const struct source *source, struct source_about *about)
{
	source->calls->about(source, about);
}

static inline void source_close(struct source *source)
{
	if (source) /* NULL is fine */
		source->calls->close(source);
}

#endif
