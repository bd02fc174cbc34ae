/* The side of an upgrade that hands over: a running server, asked by a process that wants to be its
 * successor. Its sockets are shared and stay open here, so nothing is lost whoever of the two dies
 * before the successor serves; until then this one does. What is said: upgrade_wire.h. */
#ifndef SLUICE_UPGRADE_H
#define SLUICE_UPGRADE_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

enum upgrade_stage {
	UPGRADE_NONE,
	UPGRADE_ASKED,    /* sockets are being handed over */
	UPGRADE_CLOSING,  /* what the API has begun is finished; nothing more is begun */
	UPGRADE_READY,    /* state and control socket are the successor's; it loads */
	UPGRADE_DRAINING, /* the successor serves */
	UPGRADE_ENDING,   /* given up; the API listens again, and the loop closes what served it */
};

enum { UPGRADE_ERROR_MAX = 512 };

struct control;

struct upgrade { /* zero: none */
	struct control *control;
	enum upgrade_stage stage;
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
	bool keeps_socket; /* the successor has the control socket's path */
	pid_t successor;
	uint64_t until_ms; /* of closing, or of draining */
};

/* Connects to the successor's abstract socket and serves it from the loop. ERR_EXISTS: another one
 * is at it; ERR_SYSTEM: it cannot be reached, or is
 * neither root nor of our own user. `error` says so in one line. */
int upgrade_begin(struct control *control, const char *name, char error[UPGRADE_ERROR_MAX]);
/* Whether one is under way: what is listened at does not change meanwhile. */
bool upgrade_is_under_way(const struct upgrade *upgrade);
/* The server is told to stop: an upgrade whose successor has not everything yet is given up.
 * Whether one goes on, and with it the service. */
bool upgrade_stop(struct upgrade *upgrade);
/* While draining: has the successor reload, which is what this process was told. */
void upgrade_pass_reload(struct upgrade *upgrade);
/* Closes what the loop does not; the loop has been run to its end. */
void upgrade_release(struct upgrade *upgrade);

#endif
