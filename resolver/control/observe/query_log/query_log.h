/* The query log: reads the workers' rings, and gives what fits to whoever wants it.
 *
 *     workers ─► rings ─► this log's thread ─┬─ filters, sample ─┬─► outputs (query_output.h)
 *                (query_ring.h)              │                   ├─► the latest, in memory
 *                                            │                   └─► slow ones, in the log
 *                                            └─ filters of each ─► followers (GET /v1/queries)
 *
 * The thread looks every QUERY_LOG_LOOK_MS or sooner and waits for nobody: an output's disk, a
 * follower's client. So the rings are emptied whatever hangs, and what the policies of records hold
 * is let go of. Where there are neither settings nor followers the workers note nothing.
 *
 * All functions are the control thread's. */
#ifndef SLUICE_QUERY_LOG_H
#define SLUICE_QUERY_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/observe/query_log/query_filter.h"
#include "resolver/query_ring.h"
#include "rules/err.h"
#include "rules/schema/model.h"

enum {
	QUERY_LOG_LOOK_MS = 20,
	QUERY_LOG_BUSY_MS = 2,                  /* where a ring was an eighth full, or more */
	QUERY_LOG_LATEST = 1000,                /* that are kept in memory */
	QUERY_LOG_FOLLOWER_BYTES = 1024 * 1024, /* that wait for a follower's client */
	QUERY_LOG_NICENESS = 5,                 /* of its threads, beside workers' */
	QUERY_LOG_OUTPUTS = 3,                  /* kinds of outputs, of each at most one */
};

struct query_log;
struct query_follower;

struct query_log_listener {              /* called on the log's thread */
	void (*on_start)(void *context); /* first; may be NULL */
	void (*on_read)(void *context);  /* somebody waited for the rings to be read this far */
	void (*on_news)(void *context);  /* there is something for followers */
	void *context;
};

/* Nothing is logged yet. The rings outlive it. NULL without memory. */
struct query_log *query_log_new(struct query_rings *rings,
				const struct query_log_listener *listener);
/* Logs what is in the rings by now, and ends the outputs. Behind the last worker's end, ahead of
 * the rings'; followers get nothing more. NULL is fine. */
void query_log_stop(struct query_log *log);
/* Behind that and the last follower's end. NULL is fine. */
void query_log_free(struct query_log *log);

/* As the model says from now on; outputs of the same path stay, and look for themselves whether
 * they have been moved away. The model is not needed afterwards.
 * ERR_NOMEM, or ERR_SYSTEM without a thread: it is as it was. */
MUST_CHECK int query_log_configure(struct query_log *log, const struct model *model);
/* Another process has the outputs' paths from now on: see query_output_leave. */
void query_log_leave(struct query_log *log);

/* Followers get what fits from now on, as server-sent events; and where something was lost, an
 * event "lost" with {"lost": N}. The filter is taken over. NULL without memory or a thread. */
struct query_follower *query_log_follow(struct query_log *log, struct query_filter *filter);
/* What has come since the last time, to be freed; NULL: nothing. */
char *query_follower_take(struct query_follower *follower, size_t *length);
void query_follower_free(struct query_follower *follower);

/* The latest that fit, the oldest first: at most `limit`. NULL without memory. */
json_t *query_log_latest(struct query_log *log, const struct query_filter *filter, size_t limit);
/* on (by the settings), followers, logged (entries that fit the settings), lost (in the rings),
 * outputs: kind, path, open, written, lost, error. */
json_t *query_log_status(struct query_log *log);
/* Of each kind of output. `written` and `lost` are entries since the start, also those of outputs
 * that settings of before had: they never fall. */
struct query_log_output {
	const char *kind; /* the setting's name */
	bool is_there,
		is_up; /* the settings have it; it is open, or about to be, without an error */
	uint64_t written, lost;
};
void query_log_read_outputs(struct query_log *log,
			    struct query_log_output outputs[QUERY_LOG_OUTPUTS]);
bool query_log_is_on(const struct query_log *log);

#endif
