/* Where the management API's changes are kept, as records; what they mean the inventory knows.
 * Another store (one that a fleet shares) is one more file behind the same six calls:
 *
 *     load     every record there is
 *     apply    one change: all of its edits or none, each on its precondition; durable when it
 *              returns 0, so that an acknowledged change outlives a kill -9 and a power cut
 *     watch    call back when somebody else has changed something
 *     secret   random bytes of a name, made when first asked for; in no export
 *     about    where it is, and how it is
 *     close
 *
 * A record is an owner (an address or a cloud service) or the PTR of one. Owners that the
 * configuration file declares are not in here; the PTRs that the API gave them are. Every record
 * has the revision at which it was last written, which counts up and is never used twice. One
 * thread calls, the control thread. Calls may take as long as the disk takes, and may fail at any
 * time; then nothing has changed, and the text says why and what would help. */
#ifndef SLUICE_SOURCE_H
#define SLUICE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/prefix.h"

enum owner_kind { OWNER_ADDRESS, OWNER_SERVICE };

/* Texts that were not given are NULL. They belong to whoever made the record. */
struct source_owner {
	enum owner_kind kind;
	const char *id; /* lower-case UUID: the key */
	const char *name;
	const char *resource_group, *region, *subscription; /* NULL for a service */
	struct address address;
	unsigned allocation;     /* enum allocation (model.h) */
	const char *label;       /* NULL for a service */
	const char *description; /* of a service; NULL for an address */
	const char *tags;        /* a JSON object; NULL: none */
	uint64_t revision;
};

struct source_ptr {
	const char *owner; /* its id: the key */
	const char *fqdn, *description;
	bool ttl_given;
	uint32_t ttl; /* seconds */
	uint64_t revision;
};

enum source_act { SOURCE_PUT_OWNER, SOURCE_DELETE_OWNER, SOURCE_PUT_PTR, SOURCE_DELETE_PTR };

struct source_edit {
	enum source_act act;
	uint64_t expected;         /* revision of the record that is there now; 0: there is none */
	struct source_owner owner; /* *_OWNER; a deletion needs the id only */
	struct source_ptr ptr;     /* *_PTR; a deletion needs the owner's id only */
};

enum { SOURCE_ERROR_MAX = 512, SOURCE_SECRET_BYTES = 32 };

struct source_about {
	const char *place; /* a path, or what names the store */
	const char *error; /* of the latest call; NULL: that one went well */
};

/* What load calls back with; the records live until the callback returns. A callback that returns
 * an error ends the load with it. */
struct source_reader {
	void *context;
	int (*on_owner)(void *context, const struct source_owner *owner);
	int (*on_ptr)(void *context, const struct source_ptr *ptr);
};

/* Every kind of source begins with this. */
struct source {
	const struct source_calls *calls;
};

struct source_calls {
	/* Owners first. ERR_SYSTEM: the store could not be read, `error` says why. */
	int (*load)(struct source *source, const struct source_reader *reader,
		    char error[SOURCE_ERROR_MAX]);
	/* The records written get *revision. ERR_EXISTS: a precondition does not hold, so somebody
	 * else has written; load again. ERR_SYSTEM: the store failed. Nothing has changed then. */
	int (*apply)(struct source *source, const struct source_edit *edits, size_t count,
		     uint64_t *revision, char error[SOURCE_ERROR_MAX]);
	/* Once, before the first change. Never called back where nobody else writes. */
	int (*watch)(struct source *source, void (*on_change)(void *context), void *context);
	int (*secret)(struct source *source, const char *name, uint8_t bytes[SOURCE_SECRET_BYTES],
		      char error[SOURCE_ERROR_MAX]);
	void (*about)(const struct source *source, struct source_about *about);
	void (*close)(struct source *source);
};

MUST_CHECK static inline int source_load(struct source *source, const struct source_reader *reader,
					 char error[SOURCE_ERROR_MAX])
{
	return source->calls->load(source, reader, error);
}

MUST_CHECK static inline int source_apply(struct source *source, const struct source_edit *edits,
					  size_t count, uint64_t *revision,
					  char error[SOURCE_ERROR_MAX])
{
	return source->calls->apply(source, edits, count, revision, error);
}

static inline void source_about(const struct source *source, struct source_about *about)
{
	source->calls->about(source, about);
}

static inline void source_close(struct source *source) /* NULL is fine */
{
	if (source)
		source->calls->close(source);
}

#endif
