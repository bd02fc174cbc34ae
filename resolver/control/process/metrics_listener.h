/* Where metrics are read: HTTP listeners of their own, without a secret, for this machine and whom
 * metrics.allow names. They follow the configuration: a reload opens what is new before anything
 * moves, and closes what is gone. Their sockets are the master's, as all are, so what arrives while
 * one server takes over from another waits. */
#ifndef SLUICE_METRICS_LISTENER_H
#define SLUICE_METRICS_LISTENER_H

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

#include "resolver/control/observe/metrics.h"
#include "resolver/control/process/master_link.h"
#include "resolver/control/service/service.h"

struct metrics_place;
struct metrics_readers;

struct metrics_listener {
	uv_loop_t *loop;
	struct service *service;
	struct master_link *master;
	struct metrics *metrics;
	struct metrics_place *places; /* URLs that are listened at, or are about to be */
	struct metrics_readers *next; /* of the model that is about to be served; NULL: the same */
	bool prepared;                /* that one has other settings */
	pthread_mutex_t lock;         /* of: */
	struct metrics_readers *readers;
};

/* Opens what the model says; beside another server without listening. EXIT_SUCCESS, or what was
 * printed about. Either way metrics_listener_close ends it. */
int metrics_listener_open(struct metrics_listener *listener, uv_loop_t *loop,
			  struct service *service, struct tally *tally, struct master_link *master,
			  const struct model *model);
/* As service_access has them; prepare is not called for the first model. */
MUST_CHECK int metrics_listener_prepare(struct metrics_listener *listener,
					const struct model *model, const struct model *before,
					struct faults *faults);
void metrics_listener_finish(struct metrics_listener *listener, bool served);
/* Beside another server, which has left: listens. What cannot be listened at is logged. */
void metrics_listener_listen(struct metrics_listener *listener);
/* Another server listens now. */
void metrics_listener_pause(struct metrics_listener *listener);
/* Ahead of the server's end; the loop's last callbacks free the rest. Fine on one that is zero. */
void metrics_listener_close(struct metrics_listener *listener);

#endif
