/* What changes of targets and source addresses (health.h), as lines in the log, each with what it
 * means: which rules cannot be answered now. Looked for once a second. Where very many change at
 * once, as when a link goes down, HEALTH_LOG_LINES are told, and of the rest how many. */
#ifndef SLUICE_HEALTH_LOG_H
#define SLUICE_HEALTH_LOG_H

#include <uv.h>

#include "resolver/control/observe/health.h"
#include "resolver/server/server.h"

enum { HEALTH_LOG_LINES = 8, HEALTH_TEXT_MAX = 2048 };

struct health_log {
	uv_timer_t timer;
	const struct server *server;
	struct health *health;         /* NULL: it was not started */
	unsigned lines;                /* of this look */
	unsigned untold[HEALTH_KINDS]; /* of this look */
};

/* On the loop, until it is closed with the loop's other handles. Without memory nothing is told. */
void health_log_start(struct health_log *log, uv_loop_t *loop, const struct server *server);
/* Before the server is released; fine on one that was not started. */
void health_log_stop(struct health_log *log);

/* The line of one change; returns text. From on_change of health_look. */
const char *health_log_text(const struct health *health, const struct health_change *change,
			    char text[HEALTH_TEXT_MAX]);

#endif
