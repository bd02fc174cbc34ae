/* Where resources are kept: what the management API made, each with its history. What the values
 * mean is for the kinds to say (resource/kind.h); the store knows a path, a JSON text, and what
 * else a resource is found by. Another store (one that a fleet shares) is one more file behind the
 * same calls:
 *
 *     begin, put, commit    one change: all of it or nothing; durable when commit returns 0, so
 *                           that what is acknowledged outlives a kill -9 and a power cut
 *     resources, find, page what is there, with what an open change has put
 *     owned                 all that has an address, without a look at its JSON: how a start reads
 *                           a million of them
 *     changes               what was changed, when and by whom
 *     is_current            whether nobody else has written since `sync`
 *     another, join         a second connection, for a change that is made in a thread
 *     view                  a second connection, for what a thread reads while others write
 *     is_untidy, tidy       what a thread does now and then, so that no change has to
 *     pairs, put_pairs      keys and values beside the resources (pairs.h)
 *
 * One thread calls, the control thread, but for `another`'s. Calls may take as long as the disk
 * takes, and may fail at any time; then nothing has changed, and the text says why and what would
 * help. Texts that are given to a callback are good until it returns. */
#ifndef SLUICE_SOURCE_H
#define SLUICE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/prefix.h"

enum { SOURCE_ERROR_MAX = 512 };

struct source_about {
	const char *place; /* a path, or what names the store */
	const char *error; /* of the latest call; NULL: that one went well */
	uint64_t revision; /* of the latest change, of whatever kind, as this process knows it */
};

/* What a resource is found by besides its path, and what is served of it: of kinds that are too
 * many to be read as a whole. NULL, family 0: it has none. */
struct source_keys {
	const char *id;         /* unique; lower case */
	struct address address; /* unique */
	const char *host;       /* unique: its own name, without a suffix; lower case */
	const char *group;      /* lower case; "" for none */
	const char *region;
	const char *ptr; /* the name that its PTR gives */
	bool ttl_given;
	uint32_t ttl;          /* of the PTR, seconds */
	uint64_t ptr_revision; /* at which the PTR was last changed; 0: never */
	unsigned ptr_action;   /* and how (enum ptr_action) */
};

/* A resource (resource/kind.h) as it is kept. */
struct source_resource {
	unsigned kind;
	const char *path; /* its key */
	const char *json; /* its values */
	uint64_t revision;
	const struct source_keys *keys; /* where find, page and owned give it; else NULL */
};
typedef int source_on_resource(void *context, const struct source_resource *resource);

/* What happened to one. */
struct source_change {
	uint64_t revision;
	int64_t at_s; /* since 1970 */
	const char *who;
	unsigned kind;
	const char *path;
	const char *before, *after; /* values; NULL: there was none, there is none */
};

/* By what find looks, and page sorts: a text, but for SOURCE_BY_ADDRESS. */
enum source_by { SOURCE_BY_PATH, SOURCE_BY_ID, SOURCE_BY_HOST, SOURCE_BY_ADDRESS };

struct source_page {
	unsigned kind;                 /* 0: any, in the order of addresses */
	const char *group;             /* NULL: of all */
	const struct address *address; /* behind this one, by address; NULL: by path */
	const char *path;              /* behind this one */
	size_t limit;
};

struct source_pair {
	const char *key;
	const char *value; /* written NULL: the row goes, also when it is not there */
};

struct source { /* what every kind of source begins with */
	const struct source_calls *calls;
};

/* A callback that returns an error ends the call with it. */
struct source_calls {
	/* Whether nobody else has written since sync, and the store can be read; cheap. */
	bool (*is_current)(struct source *source);
	/* The caller is about to read everything; whoever writes from here on is noticed. */
	int (*sync)(struct source *source, char error[SOURCE_ERROR_MAX]);
	/* Calls back with at most `limit` pairs, in the order of keys, from this key on. */
	int (*pairs)(struct source *source, const char *from, size_t limit,
		     int (*on_pair)(void *context, const struct source_pair *pair), void *context,
		     char error[SOURCE_ERROR_MAX]);
	/* All pairs or none. ERR_NOT_FOUND: the store is only read. Not durable: a power cut may
	 * take them. Between begin and commit they are part of that change. */
	int (*put_pairs)(struct source *source, const struct source_pair *rows, size_t count,
			 bool durable, char error[SOURCE_ERROR_MAX]);
	/* Calls back with those of the kind whose paths are from `from` on and ahead of `to`, in
	 * their order. */
	int (*resources)(struct source *source, unsigned kind, const char *from, const char *to,
			 source_on_resource *on_resource, void *context,
			 char error[SOURCE_ERROR_MAX]);
	/* Calls back with the one that has this; not at all where there is none. The kind counts
	 * for paths only. */
	int (*find)(struct source *source, enum source_by by, unsigned kind, const char *text,
		    const struct address *address, source_on_resource *on_resource, void *context,
		    char error[SOURCE_ERROR_MAX]);
	int (*page)(struct source *source, const struct source_page *page,
		    source_on_resource *on_resource, void *context, char error[SOURCE_ERROR_MAX]);
	/* All that have an address, in no order, without their JSON. */
	int (*owned)(struct source *source, source_on_resource *on_resource, void *context,
		     char error[SOURCE_ERROR_MAX]);
	/* How many of the kind there are, in this group (NULL: in all). */
	int (*count)(struct source *source, unsigned kind, const char *group, size_t *count,
		     char error[SOURCE_ERROR_MAX]);
	/* A change: begin, put for each (json NULL: it goes, also when it is not there; keys NULL:
	 * it has none), commit or roll_back. Nobody else sees it before commit. Of the other calls
	 * only those that read and put_pairs come between. begin: ERR_EXISTS where somebody else
	 * has written since sync. put: ERR_EXISTS where another one has one of the keys. */
	int (*begin)(struct source *source, const char *who, uint64_t *revision,
		     char error[SOURCE_ERROR_MAX]);
	int (*put)(struct source *source, unsigned kind, const char *path, const char *json,
		   const struct source_keys *keys, char error[SOURCE_ERROR_MAX]);
	int (*commit)(struct source *source, char error[SOURCE_ERROR_MAX]);
	void (*roll_back)(struct source *source);
	/* Calls back with those behind this revision, the oldest first. */
	int (*changes)(struct source *source, uint64_t after,
		       int (*on_change)(void *context, const struct source_change *change),
		       void *context, char error[SOURCE_ERROR_MAX]);
	/* The same store once more, for one change in another thread; nobody else writes until
	 * join, which closes it, and which makes what it has committed ours. Both are called in the
	 * thread of `source`. Where a change would fail it can be read all the same; NULL: error.
	 */
	struct source *(*another)(struct source *source, char error[SOURCE_ERROR_MAX]);
	void (*join)(struct source *source, struct source *other);
	/* The same store as it is now, to be read in another thread while others write. Closed by
	 * its close; NULL: error. */
	struct source *(*view)(struct source *source, char error[SOURCE_ERROR_MAX]);
	/* Whether so much was written that tidy should be called: of another one, in a thread,
	 * where nobody waits for the disk. */
	bool (*is_untidy)(struct source *source);
	void (*tidy)(struct source *source);
	void (*about)(const struct source *source, struct source_about *about);
	void (*close)(struct source *source);
};

/* The store that management.state names: a path, or a URL ("file:/PATH" is a file's). To read: also
 * while a server has it open to write; in the process that has, or APART in any other, which then
 * does not even write SQLite's -shm file. NULL: `error` says why, and what would help; "" where one
 * to be read is not there. */
enum source_mode { SOURCE_READ, SOURCE_READ_APART, SOURCE_WRITE };
struct source *source_open(const char *url, enum source_mode mode, char error[SOURCE_ERROR_MAX]);
/* Called before a server reads its state. Copies an older version's file to PATH.new and migrates
 * the copy; source_open to write replaces the file with it. Calls on_progress about once a second.
 * ERR_SYSTEM, ERR_NOMEM: `error` says why. */
MUST_CHECK int source_migrate(const char *url, void (*on_progress)(void *context), void *context,
			      char error[SOURCE_ERROR_MAX]);
/* Removes the copy that source_migrate made, because this server does not take over. */
void source_forget_migration(const char *url);
/* The path in `url`, for files kept beside the state; NULL: the store is not a file, or url is NULL
 * or "". Points into url. */
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
