/* The server, which the master (master.h) starts as `sluice --serve`. It serves until the master
 * ends it. Workers, HTTP listeners, query log and webhook have threads of their own, and long work
 * runs in a thread or in portions (service/work.h). The server's loop runs everything else.
 *
 * The order of the start leaves the process, and each thread it starts, with as few rights as
 * possible:
 *
 *     load ─► become another user ─► sockets, by the master ─► seccomp ─► state, API, workers
 *
 * A process started beside a serving one starts in the same order, but only reads the state and
 * does not listen for HTTP. Once it serves, the master makes the other process leave, then sends
 * STATE:
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
	struct tally *tally; /* named counters, for metrics and recorder */
	struct metrics_listener metrics;
	struct recorder recorder; /* keeps counters over time */
	struct master_link master;
	uv_timer_t watchdog;           /* tells the master that every loop turns */
	bool hangs;                    /* a worker hangs, and that has been logged */
	bool lacks_thread;             /* a thread is lost for good, and that has been logged */
	struct health_log health;      /* logs changes of targets and source addresses */
	struct query_log *query_log;   /* the service has it as well */
	uv_async_t query_news;         /* wakes the log's followers */
	uv_async_t log_waits;          /* tells the loop that log lines wait for room in stderr */
	uv_timer_t log_goes_on;        /* writes the waiting log lines whenever there is room */
	uv_signal_t hangup, terminate; /* from the master */
	bool reload_wanted;            /* SIGHUP came, and its reload is not done yet */
	bool goes_back_first;          /* a change found at the start must still be taken back */
	char *user, *group;            /* as configured at the start; NULL: not configured */
	bool seccomp;                  /* as configured at the start */
	unsigned workers;              /* as configured at the start; 0: not configured */
	struct api_request *upgrading; /* waits for the upgrade's result; NULL: no upgrade, or one
					* that a client of the previous server began */
	bool taking;          /* taking over: sends TAKEN once all workers have the model */
	uint32_t successor;   /* the process that serves: this one finishes and ends; 0: none */
	bool stopping;        /* by a signal */
	uv_timer_t leaving;   /* checks whether the process can end */
	uint64_t leave_at_ms; /* latest end of the process if service.ending; else the time from
			       * which on_closing answers the upgrade's client and gives up long
			       * answers */
};

/* All APIs, for struct api. POST /v1/reload, /v1/confirm and /v1/upgrade are defined here, because
 * they need a process. */
extern const struct api_dialect *const process_dialects[];

/* The model's number of workers; if it gives none, the number of CPUs. */
unsigned process_workers(const struct model *model);

/* The process whose service a request is for. */
static inline struct process *process_of(const struct api_request *request)
{
	return container_of(request->service, struct process, service);
}

/* Loads, opens everything and serves until a signal stops it or a successor serves. Prints faults
 * and errors to stderr; returns the exit status. `master`: descriptor of the link; `beside`:
 * another process serves until this one does. */
int process_run(const char *config, const char *resolv_conf, int master, bool beside);

/* Calls the model's webhook on events from now on. Logs a failure. */
void process_call_webhook(const struct model *model);

#endif
