/* `sluice serve`: a process that serves, for as long as its master (master.h) wants it to. Its loop
 * has everything but the workers and the listeners of the management API.
 *
 * It starts in an order that leaves it, and whatever thread comes after, with as few rights as do:
 *
 *     load ─► become another user ─► sockets, by the master ─► seccomp ─► state, API, workers
 *
 * Beside another one that serves it starts in the same way, but only looks at the state and does
 * not listen for HTTP. When it serves, the master has the other one leave, and then gives the word:
 *
 *     this one   ... workers ─SERVES─►  ........................  STATE ─► state to write, HTTP
 *     the other  ..................... LEAVE ─► HTTP closed, state closed ─QUIET─► drains, ends */
#ifndef SLUICE_PROCESS_H
#define SLUICE_PROCESS_H

#include <stdbool.h>
#include <uv.h>

#include "resolver/control/observe/events.h"
#include "resolver/control/observe/health.h"
#include "resolver/control/observe/recorder.h"
#include "resolver/control/observe/webhook.h"
#include "resolver/control/process/management_api.h"
#include "resolver/control/process/master_link.h"
#include "resolver/control/process/metrics_listener.h"
#include "resolver/control/service/service.h"

struct process {
	uv_loop_t loop;
	struct service service;
	struct management_api management;
	struct tally *tally; /* of what is counted by name, for the two below */
	struct metrics_listener metrics;
	struct recorder recorder; /* keeps what was counted when */
	struct master_link master;
	uv_timer_t watchdog;           /* tells the master that every loop turns */
	bool hangs;                    /* a worker does, and that has been logged */
	bool lacks_thread;             /* likewise, for good */
	struct health_log health;      /* tells what becomes of targets and source addresses */
	struct query_log *query_log;   /* the service's */
	uv_async_t query_news;         /* there is something for its followers */
	uv_signal_t hangup, terminate; /* from the master */
	bool reload_wanted;            /* by SIGHUP, and not done yet */
	bool goes_back_first;          /* what waits to be confirmed, at the start */
	char *user, *group;            /* as configured at the start; NULL: not */
	bool seccomp;                  /* as configured at the start */
	struct api_request *upgrading; /* waits for what becomes of it; NULL: none */
	bool taking;                   /* over: the master is told when every worker does */
	bool succeeded;       /* another one serves: this one finishes what it holds, and ends */
	bool stopping;        /* by a signal */
	uv_timer_t leaving;   /* looks whether all is done that it waits for */
	uint64_t leave_at_ms; /* at the latest, where service.ending */
};

/* All APIs, as struct api has them; with POST /v1/reload, /v1/confirm and /v1/upgrade of a
 * service that is a process's. */
extern const struct api_dialect *const process_dialects[];

/* How many workers the model means. */
unsigned process_workers(const struct model *model);

/* The process whose service a request is for. */
static inline struct process *process_of(const struct api_request *request)
{
	return container_of(request->service, struct process, service);
}

/* Loads, opens everything and serves until a signal says to stop, or a successor serves. Faults and
 * errors go to stderr; returns the exit status. `master`: the descriptor of its end; `beside`: of
 * another one, which serves until this one does. */
int process_run(const char *config, const char *resolv_conf, int master, bool beside);

/* Calls whom the model says of what happens, from now on; where that cannot be, the log says so. */
void process_call_webhook(const struct model *model);

#endif
