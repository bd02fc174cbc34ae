/* The query log: reads the workers' rings, and passes matching entries on.
 *
 *     workers ─► rings ─► this log's thread ─┬─ filters, sample ─┬─► outputs (query_output.h)
 *                (query_ring.h)              │                   ├─► the latest, in memory
 *                                            │                   └─► slow ones, in the log
 *                                            └─ filters of each ─► followers (GET /v1/queries)
 *
 * With settings or a follower, the thread checks every QUERY_LOG_LOOK_MS or sooner. It never waits
 * for an output's disk or a follower's client. So the rings are emptied even if an output or client
 * hangs, and no record keeps an old policy alive for long. Without settings and followers the
 * workers write no records.
 *
 * Control thread only. */
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
	QUERY_LOG_BUSY_MS = 2,                  /* if a ring was an eighth full, or more */
	QUERY_LOG_LATEST = 1000,                /* kept in memory */
	QUERY_LOG_FOLLOWER_BYTES = 1024 * 1024, /* waiting for a follower's client */
	QUERY_LOG_NICENESS = 5,                 /* of its threads, compared with workers' */
	QUERY_LOG_OUTPUTS = 3,                  /* kinds of outputs; at most one of each */
};

struct query_log;
struct query_follower;

struct query_log_listener {              /* called on the log's thread */
	void (*on_start)(void *context); /* first; may be NULL */
	void (*on_read)(void *context); /* the rings have been read, perhaps past an awaited mark */
	void (*on_news)(void *context); /* followers have something to take */
	void *context;
};

/* Logs nothing until configured or followed. The rings outlive the log. NULL: out of memory. */
struct query_log *query_log_new(struct query_rings *rings,
				const struct query_log_listener *listener);
/* Logs the rest of the rings, and ends the outputs; followers get nothing more. Call it after the
 * last worker has ended, before the rings are freed. NULL is fine. */
void query_log_stop(struct query_log *log);
/* Call it after query_log_stop and the end of the last follower. NULL is fine. */
void query_log_free(struct query_log *log);

/* Applies the model's settings; the model is not needed afterwards. Outputs with the same path
 * stay, and check whether their file was moved away. ERR_NOMEM, ERR_SYSTEM (no thread): nothing has
 * changed. */
MUST_CHECK int query_log_configure(struct query_log *log, const struct model *model);
/* Another process writes to the outputs' paths from now on: see query_output_leave. */
void query_log_leave(struct query_log *log);

/* Follows matching entries from now on, as server-sent events; after a loss there is an event
 * "lost" with {"lost": N}. Takes over the filter. NULL: out of memory, or no thread. */
struct query_follower *query_log_follow(struct query_log *log, struct query_filter *filter);
/* The events since the last call, to be freed; NULL: none. */
char *query_follower_take(struct query_follower *follower, size_t *length);
void query_follower_free(struct query_follower *follower);

/* The latest matching entries, the oldest first: at most `limit`. NULL: out of memory. */
json_t *query_log_latest(struct query_log *log, const struct query_filter *filter, size_t limit);
/* on (by the settings), followers, logged (entries that fit the settings), lost (in the rings),
 * outputs: kind, path, open, written, lost, error. */
json_t *query_log_status(struct query_log *log);
/* For each kind of output, present or former: `written` and `lost` count entries since the start,
 * and never fall. */
struct query_log_output {
	const char *kind; /* the setting's name */
	bool is_there,
		is_up; /* is_there: the settings have it; is_up: it is there and has no error */
	uint64_t written, lost;
};
void query_log_read_outputs(struct query_log *log,
			    struct query_log_output outputs[QUERY_LOG_OUTPUTS]);
bool query_log_is_on(const struct query_log *log);

#endif
