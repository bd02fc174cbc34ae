/* The health of each route, with the reason, for the status, the metrics and the log. Events in the
 * log tell when targets, source and listening addresses or clients' answers change, and which rules
 * cannot be answered because of that. For this the data path only notes the failed queries of each
 * route, and the answer that follows them (resolver/outcomes.h). The control thread reads these
 * notes and the targets' states once a second. Time is a parameter.
 *
 * A target, address or route gets at most one line in HEALTH_PACE_US. A change that comes sooner is
 * logged when that time is over, if it still holds. If not, the next line of the target or address
 * counts it; a change of a route is not counted. A suspicion
 * that begins and ends between two checks is only counted; HEALTH_FLAPS of them are a line. If very
 * many change at once, as when a link goes down, a check logs HEALTH_LINES of targets and addresses
 * and HEALTH_LINES of routes, and the number of the others. The next checks log the other routes.
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
	HEALTH_FAILING, /* its last queries all got SERVFAIL, for errors of its targets */
	HEALTH_UNHEARD, /* its last queries all got SERVFAIL, some without a reply, but its targets
			   are live: they do not reply for these names, but may for others */
};

struct health_route {
	enum health_state state;
	uint64_t since_us;              /* 0: not known */
	unsigned count;                 /* FAILING, UNHEARD: queries in a row; else 0 */
	char reason[HEALTH_REASON_MAX]; /* "127.0.0.1:5301 answers REFUSED"; UNHEARD: "" */
	/* DARK: the first target; FAILING: the target that the reason names; else NULL. */
	const struct upstream *upstream;
	enum target_error error; /* of `upstream` */
	bool lost;               /* DARK: no interface has its source */
};

struct health_log {
	uv_timer_t timer;
	const struct server *server;
	struct health *health; /* NULL: it was not started */
};

/* Runs on the loop until it is closed with the loop's other handles. If memory is short nothing is
 * logged. */
void health_log_start(struct health_log *log, uv_loop_t *loop, const struct server *server);
/* Call it before the server is released; a log that was not started is fine. */
void health_log_stop(struct health_log *log);

/* has_lost tells whether no interface has an address (socket.h). NULL: out of memory. */
struct health *health_new(struct target_registry *registry,
			  bool (*has_lost)(const struct address *address));
void health_free(struct health *health); /* before the registry; NULL is fine */
/* Checks once, and calls back with every line that is due. The cost grows with the snapshot's
 * targets; each address costs three system calls (IPv6: four), each line about targets or sources a
 * walk through all routes. */
void health_look(struct health *health, const struct snapshot *snapshot, uint64_t now_us,
		 void (*on_line)(void *context, enum log_level level, const char *event,
				 const char *text),
		 void *context);

/* The present health. health_now_init makes three system calls for each source of the snapshot
 * (IPv6: four). */
struct health_now {
	const struct snapshot *snapshot;
	uint64_t now_us;
	bool *lost; /* which of its sources no interface has; NULL: out of memory */
};
void health_now_init(struct health_now *now, const struct snapshot *snapshot, uint64_t now_us);
void health_now_release(struct health_now *now);
/* Judges a route. An endpoint of our own counts as a live target. */
void health_now_judge(const struct health_now *now, const struct route *route,
		      struct health_route *judged);
/* Whether the route is DARK or FAILING. */
bool health_now_is_unanswered(const struct health_now *now, const struct route *route);

#endif
