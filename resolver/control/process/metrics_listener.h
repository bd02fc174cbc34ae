/* HTTP listeners for metrics. Clients on this machine and in metrics.allow need no secret. The
 * listeners follow the configuration: a reload opens new ones before anything changes, and
 * afterwards closes those that the configuration no longer has. The master holds the sockets, so
 * clients wait while one server takes over from another. */
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
	struct metrics_readers *next; /* of the model being prepared, or NULL */
	bool prepared;                /* a preparation waits for metrics_listener_finish */
	pthread_mutex_t lock;         /* protects: */
	struct metrics_readers *readers;
};

/* Opens the model's listeners, which do not listen yet if another server does. Returns
 * EXIT_SUCCESS, or the exit status of a printed error. Either way call metrics_listener_close. */
int metrics_listener_open(struct metrics_listener *listener, uv_loop_t *loop,
			  struct service *service, struct tally *tally, struct master_link *master,
			  const struct model *model);
/* For the callbacks of service_access (prepare_access and finish_access in process.c). prepare does
 * nothing for the first model, nor for a change of resources. */
MUST_CHECK int metrics_listener_prepare(struct metrics_listener *listener,
					const struct model *model, const struct model *before,
					struct faults *faults);
void metrics_listener_finish(struct metrics_listener *listener, bool served);
/* Begins to listen. Call it once the other server has left. Logs failures. */
void metrics_listener_listen(struct metrics_listener *listener);
/* Stops listening, because another server takes over. */
void metrics_listener_pause(struct metrics_listener *listener);
/* Call it before the server ends; the loop's last callbacks free the rest. A zeroed listener is
 * fine. */
void metrics_listener_close(struct metrics_listener *listener);

#endif
