/* How each way to forward is, with the reason: for the status, the metrics and the log. And what
 * changes of targets, of source addresses, of addresses that we listen at and of what clients get,
 * as lines in the log, each with what it means: which rules cannot be answered now. The data path
 * keeps its atomics as it does anyway and is asked nothing; the control thread looks once a second,
 * and time is a parameter.
 *
 * One target, address or way has a line in HEALTH_PACE_US at most: what changes sooner is told when
 * that time is over, if it is still so, and else as a count in the next line. A suspicion that
 * begins and ends between two looks is only counted; HEALTH_FLAPS of them are a line. Where very
 * many change at once, as when a link goes down, a look tells HEALTH_LINES of targets and addresses
 * and HEALTH_LINES of ways, and how many more there are. The next looks tell the other ways.
 */
#ifndef SLUICE_HEALTH_H
#define SLUICE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "endpoints/upstream/failures.h"
#include "resolver/log.h"
#include "resolver/server/server.h"

enum {
	HEALTH_PACE_US = 10 * 1000000,
	HEALTH_FLAPS = 10,
	HEALTH_LINES = 8,
	HEALTH_TEXT_MAX = 2048,
	HEALTH_REASON_MAX = 192,
};

struct health;

enum health_state {
	HEALTH_WELL,    /* as far as is known */
	HEALTH_DARK,    /* it has targets, and none of them is live */
	HEALTH_FAILING, /* its clients get SERVFAIL in a row, by errors of its targets */
	HEALTH_UNHEARD, /* they do, and not all of them by errors; but its targets live: so nobody
			 * answers these names, and the way may be well for others */
};

struct health_route {
	enum health_state state;
	uint64_t since_us;              /* 0: not known */
	unsigned count;                 /* FAILING, UNHEARD: queries in a row; else 0 */
	char reason[HEALTH_REASON_MAX]; /* "127.0.0.1:5301 answers REFUSED"; UNHEARD: "" */
	/* DARK: the first target; FAILING: the target that the reason names; else NULL. */
	const struct upstream *upstream;
	enum target_error error; /* what is wrong with it */
	bool lost;               /* DARK: no interface has its source */
};

struct health_log {
	uv_timer_t timer;
	const struct server *server;
	struct health *health; /* NULL: it was not started */
};

/* On the loop, until it is closed with the loop's other handles. Without memory nothing is told. */
void health_log_start(struct health_log *log, uv_loop_t *loop, const struct server *server);
/* Before the server is released; fine on one that was not started. */
void health_log_stop(struct health_log *log);

/* has_lost tells whether no interface has an address (socket.h). NULL without memory. */
struct health *health_new(struct target_registry *registry,
			  bool (*has_lost)(const struct address *address));
void health_free(struct health *health); /* before the registry; NULL is fine */
/* Calls back for every line that is due. Each target of the snapshot is looked at, so it costs as
 * much as there are; each address costs three system calls, each line as much as there are routes.
 */
void health_look(struct health *health, const struct snapshot *snapshot, uint64_t now_us,
		 void (*on_line)(void *context, enum log_level level, const char *event,
				 const char *text),
		 void *context);

/* A target in a word: "up", "suspect", "unknown" (never asked, or never answered), or what it
 * answers: "REFUSED" (target_error_text). */
const char *health_target_text(struct target *target, uint64_t now_us);
bool health_target_is_up(struct target *target, uint64_t now_us); /* "up" or "unknown" */

/* How it is now. It costs three system calls for each source of the snapshot. */
struct health_now {
	const struct snapshot *snapshot;
	uint64_t now_us;
	bool *lost; /* which of its sources no interface has; NULL without memory */
};
void health_now_init(struct health_now *now, const struct snapshot *snapshot, uint64_t now_us);
void health_now_release(struct health_now *now);
/* We ourselves are live, as a target. */
void health_now_judge(const struct health_now *now, const struct route *route,
		      struct health_route *judged);
/* Whether it is DARK or FAILING. */
bool health_now_is_unanswered(const struct health_now *now, const struct route *route);

#endif
