/* HTTP listeners for metrics, without a secret, for clients on this machine and those of
 * metrics.allow. They follow the configuration: a reload opens new ones before anything changes,
 * and then closes those that are gone. The master holds their sockets, so clients wait while one
 * server takes over from another. */
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
	struct metrics_place *places; /* URLs listened at, now or with the next model */
	struct metrics_readers *next; /* of the model being prepared; NULL: unchanged */
	bool prepared;                /* the model being prepared has other settings */
	pthread_mutex_t lock;         /* protects: */
	struct metrics_readers *readers;
};

/* Opens the model's listeners; beside another server does not listen yet. Returns EXIT_SUCCESS, or
 * the exit status of a printed error. Either way call metrics_listener_close. */
int metrics_listener_open(struct metrics_listener *listener, uv_loop_t *loop,
			  struct service *service, struct tally *tally, struct master_link *master,
			  const struct model *model);
/* Callbacks of service_access; prepare is not called for the first model. */
MUST_CHECK int metrics_listener_prepare(struct metrics_listener *listener,
					const struct model *model, const struct model *before,
					struct faults *faults);
void metrics_listener_finish(struct metrics_listener *listener, bool served);
/* Listens, once the other server has left; logs failures. */
void metrics_listener_listen(struct metrics_listener *listener);
/* Stops listening: another server does now. */
void metrics_listener_pause(struct metrics_listener *listener);
/* Call it before the server ends; the loop's last callbacks free the rest. A zeroed one is fine. */
void metrics_listener_close(struct metrics_listener *listener);

#endif
