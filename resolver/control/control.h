/* The control thread of `sluice run`: one loop for signals, requests of the management API,
 * resolv.conf and what the workers let go of. It is the only thread that changes what is served. */
#ifndef SLUICE_CONTROL_H
#define SLUICE_CONTROL_H

#include <stdbool.h>
#include <uv.h>

#include "resolver/control/api.h"
#include "resolver/control/file_watch.h"
#include "resolver/control/http.h"
#include "resolver/control/http_auth.h"
#include "resolver/control/inventory.h"
#include "resolver/control/load.h"
#include "resolver/control/status.h"
#include "resolver/server.h"

struct control {
	uv_loop_t loop;
	struct load load;
	struct server server;
	struct inventory *inventory; /* what is ours, from the file and from the state */
	struct http *http;           /* the management API's listeners */
	struct http_auth *auth;      /* who may use it */
	struct api api;
	bool has_socket;   /* else none could be had */
	char *socket_path; /* where it is, whatever a later model says */
	char *listeners;   /* the URLs that the others were opened at */
	char *config_path; /* the file's, absolute where that could be had */
	struct file_watch resolv_conf;
	struct status_clock clock;
	uv_signal_t hangup, terminate, interrupt;
	uv_async_t wake; /* a worker has let go of a snapshot */
};

enum { CONTROL_TEXT_MAX = 512 };

/* Loads, opens everything and serves until a signal says to stop. Faults and errors go to stderr;
 * returns the exit status. */
int control_run(const char *config, const char *resolv_conf);

/* Reads the configuration again and serves it. 0, and `text` says what changed; else faults say why
 * not, and what was served still is. Both are logged, the faults too, which are sorted. */
MUST_CHECK int control_reload(struct control *control, struct faults *faults,
			      char text[CONTROL_TEXT_MAX]);

#endif
