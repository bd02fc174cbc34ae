/* Where the management API's changes are kept, as records (source_record.h); the inventory knows
 * what they mean. Another store (one that a fleet shares) is one more file behind the same
 * calls:
 *
 *     load        every record there is
 *     is_current  whether that, with what was applied since, is still all, and can be read; cheap
 *     apply       one change: all of its edits or none, each on its precondition; durable when it
 *                 returns 0, so that what is acknowledged outlives a kill -9 and a power cut
 *     watch       call back when somebody else has changed something
 *     secret      random bytes of a name, made when first asked for; in no export, as are
 *     serials     what was given out for zones that go out
 *     resources   those of a kind, by their paths; begin, put, commit and roll_back change them,
 *     changes     and this says what was changed, when and by whom
 *     about       where it is, and how it is; and close
 *
 * Owners that the configuration file declares are not in here; the PTRs that the API gave them are.
 * One thread calls, the control thread. Calls may take as long as the disk takes, and may fail at
 * any time; then nothing has changed, and the text says why and what would help. */
#ifndef SLUICE_SOURCE_H
#define SLUICE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/control/store/source_record.h"
#include "rules/err.h"

enum { SOURCE_ERROR_MAX = 512, SOURCE_SECRET_BYTES = 32 };

struct source_about {
	const char *place; /* a path, or what names the store */
	const char *error; /* of the latest call; NULL: that one went well */
	uint64_t revision; /* of the latest change, of whatever kind, as this process knows it */
};

/* What load calls back with, for that moment; one that returns an error ends the load with it. */
struct source_reader {
	void *context;
	int (*on_owner)(void *context, const struct source_owner *owner);
	int (*on_ptr)(void *context, const struct source_ptr *ptr);
	int (*on_group)(void *context, const struct source_group *group);
};

/* A resource (resource/kind.h) as it is kept. */
struct source_resource {
	unsigned kind;
	const char *path; /* its key */
	const char *json; /* its values */
	uint64_t revision;
};
/* What happened to one. */
struct source_change {
	uint64_t revision;
	int64_t at_s; /* since 1970 */
	const char *who;
	unsigned kind;
	const char *path;
	const char *before, *after; /* values; NULL: there was none, there is none */
};

struct source { /* what every kind of source begins with */
	const struct source_calls *calls;
};
struct source_calls {
	/* Groups first, then owners. ERR_SYSTEM: the store could not be read, `error` says why. */
	int (*load)(struct source *source, const struct source_reader *reader,
		    char error[SOURCE_ERROR_MAX]);
	bool (*is_current)(struct source *source);
	/* The records written get *revision. ERR_EXISTS: a precondition does not hold, so somebody
	 * else has written; load again. ERR_SYSTEM: the store failed. Nothing has changed then. */
	int (*apply)(struct source *source, const struct source_edit *edits, size_t count,
		     uint64_t *revision, char error[SOURCE_ERROR_MAX]);
	/* Once, before the first change. Does not call back where nobody else writes. */
	int (*watch)(struct source *source, void (*on_change)(void *context), void *context);
	int (*secret)(struct source *source, const char *name, uint8_t bytes[SOURCE_SECRET_BYTES],
		      char error[SOURCE_ERROR_MAX]);
	int (*serials)(struct source *source, struct source_serial *rows, size_t count, bool write,
		       char error[SOURCE_ERROR_MAX]); /* all rows or none; read by their zone */
	/* Calls back with those of the kind whose paths are from `from` on and ahead of `to`, in
	 * their order; an error that is returned ends it. */
	int (*resources)(struct source *source, unsigned kind, const char *from, const char *to,
			 int (*on_resource)(void *context, const struct source_resource *resource),
			 void *context, char error[SOURCE_ERROR_MAX]);
	/* A change of resources: begin, put for each (json NULL: it goes, also when it is not
	 * there), commit or roll_back. Nobody else sees it before commit; what is read by these
	 * calls has it already. No other call but resources comes between. begin: ERR_EXISTS as for
	 * apply. */
	int (*begin)(struct source *source, const char *who, uint64_t *revision,
		     char error[SOURCE_ERROR_MAX]);
	int (*put)(struct source *source, unsigned kind, const char *path, const char *json,
		   char error[SOURCE_ERROR_MAX]);
	int (*commit)(struct source *source, char error[SOURCE_ERROR_MAX]);
	void (*roll_back)(struct source *source);
	/* Calls back with those behind this revision, the oldest first; an error that is returned
	 * ends it. */
	int (*changes)(struct source *source, uint64_t after,
		       int (*on_change)(void *context, const struct source_change *change),
		       void *context, char error[SOURCE_ERROR_MAX]);
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

static inline void source_close(struct source *source)
{
	if (source) /* NULL is fine */
		source->calls->close(source);
}

#endif
