/* The control thread of `sluice serve`: one loop for signals, requests of the management API,
 * resolv.conf and what the workers let go of. It is the only thread that changes what is served. */
#ifndef SLUICE_CONTROL_H
#define SLUICE_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "resolver/control/api.h"
#include "resolver/control/file_watch.h"
#include "resolver/control/health_log.h"
#include "resolver/control/http.h"
#include "resolver/control/http_auth.h"
#include "resolver/control/inventory.h"
#include "resolver/control/load.h"
#include "resolver/control/master_link.h"
#include "resolver/control/serial_book.h"
#include "resolver/control/status.h"
#include "resolver/control/watchdog.h"
#include "resolver/control/work.h"
#include "resolver/control/zone_notify.h"
#include "resolver/server.h"

struct control {
	uv_loop_t loop;
	struct load load;
	struct server server;
	struct inventory *inventory; /* what is ours, from the file and from the state */
	struct serial_book serials;  /* of zones that go out */
	struct zone_notify *notify;  /* who is told of their changes */
	struct http *http;           /* the management API's listeners */
	struct http_auth *auth;      /* who may use it */
	struct api api;
	struct work work;         /* what takes longer, of one request */
	bool reload_wanted;       /* by SIGHUP, and not done yet */
	atomic_size_t upload_max; /* bytes; listeners read it */
	bool has_socket;          /* else none could be had */
	char *socket_path;        /* where it is, whatever a later model says */
	char *listeners;          /* the URLs that the others were opened at */
	char *config_path;        /* the file's, absolute where that could be had */
	struct file_watch resolv_conf;
	struct status_clock clock;
	uv_signal_t hangup, terminate;
	uv_timer_t leaving;        /* looks whether all is answered, once it is told to stop */
	uint64_t leaving_until_ms; /* 0: it is not */
	bool stopping;             /* by a signal */
	bool taking;               /* over: the master is told when every worker does */
	bool succeeded;       /* another one serves: this one finishes what it holds, and ends */
	uv_async_t wake;      /* a worker has let go of a snapshot */
	uv_timer_t unsettled; /* answers wait for every worker, but for one that hangs not long */
	struct watchdog watchdog;
	struct health_log health; /* tells what becomes of targets and source addresses */
	struct master_link master;
	struct api_request *upgrading; /* waits for what becomes of it; NULL: none */
	char *user, *group;            /* as configured at the start; NULL: not */
	bool seccomp;                  /* as configured at the start */
	bool filtered;                 /* it is in force */
};

enum { CONTROL_TEXT_MAX = 512 };

/* Loads, opens everything and serves until a signal says to stop, or a successor serves. Faults and
 * errors go to stderr; returns the exit status. `master`: the descriptor of its end; `beside`: of
 * another one, which serves until this one does. */
int control_run(const char *config, const char *resolv_conf, int master, bool beside);

/* Reads the configuration again and serves it. 0, and `text` says what changed; else faults say why
 * not, and what was served still is. Both are logged, the faults too, which are sorted. */
MUST_CHECK int control_reload(struct control *control, struct faults *faults,
			      char text[CONTROL_TEXT_MAX]);
/* Has the master start that program beside this one; the request is answered when that serves, or
 * not. ERR_EXISTS: something else is under way, and `why` says what. */
MUST_CHECK int control_upgrade(struct control *control, const char *program,
			       struct api_request *request, const char **why);
/* Takes from the calling thread, which has bytes of strangers to read, every right and most system
 * calls: a worker's, and a listener's of the management API. */
void control_bare_thread(const struct control *control);
/* Does what SIGHUP wanted, unless work or an upgrade is under way: whoever ends one calls this. */
void control_catch_up(struct control *control);

#endif
