/* Messages between the master and a server, on a SOCK_SEQPACKET pair of their own: a fixed head, a
 * text, and descriptors beside it.
 *
 *     server                                master
 *                                           START workers (of the DNS sockets; 0: none are open),
 *                                           kind: whether a new server is beside this server;
 *                                           older masters always say ALONE
 *     OPEN kind, name, workers              SOCKETS name, in as many messages as needed; or FAULT
 *                                           mark of the name, text. Older masters send neither
 *                                           the name nor the mark
 *     ...
 *     SERVES user, status                   after the first one the master becomes that user
 *     ALIVE, now and then                   kills a server that stays silent
 *     TELL status                           passes the status to the service manager
 *     CLOSE kind, name, after a reload      closes its own descriptors
 *                                           GAP ms, end: for how long nobody served, and how the
 *                                           previous server ended; after SERVES, if there was a gap
 *                                           HURRY: the server ends at once. The master says it
 *                                           when it is told to stop a second time
 *
 * For an upgrade a second server is started beside the serving one.
 *
 *     serving server          master             new server
 *     UPGRADE program    ──►  starts it     ──►  START
 *                             SOCKETS       ◄──► OPEN ...      the same sockets
 *                        ◄──  REFUSED text  ◄──  ends, or is too late: nothing has changed
 *                        ◄──  LEAVE pid     ◄──  SERVES
 *     QUIET: no HTTP, the     STATE         ──►  opens the state to write, and reads it again;
 *     state is closed    ──►                     listens for HTTP, and reads queries
 *                        ◄──  DRAIN pid     ◄──  TAKEN
 *     answers its queries, ends                  then the master executes the new program as well
 *
 * Versions that do not understand each other differ in MASTER_PROTOCOL, and refuse each other.
 * The table in master.c has the same number, so a program that could not read the table is refused
 * before anything has changed. */
#ifndef SLUICE_MASTER_WIRE_H
#define SLUICE_MASTER_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "rules/err.h"

enum {
	MASTER_PROTOCOL = 1,
	MASTER_TEXT_MAX = 4096,
	MASTER_FDS_MAX = 240, /* a multiple of three; the kernel takes 253 */
	MASTER_GROUPS_MAX = 64,
};

enum master_word {
	MASTER_START, /* from the master */
	MASTER_SOCKETS,
	MASTER_FAULT,
	MASTER_LEAVE,
	MASTER_STATE,
	MASTER_DRAIN,
	MASTER_REFUSED,
	MASTER_OPEN, /* from a server */
	MASTER_CLOSE,
	MASTER_SERVES,
	MASTER_TELL,
	MASTER_ALIVE,
	MASTER_UPGRADE,
	MASTER_QUIET,
	MASTER_TAKEN,
	MASTER_GAP,   /* from the master; older servers ignore it */
	MASTER_HURRY, /* from the master; older servers ignore it */
};

enum master_kind {
	MASTER_DNS,  /* "10.0.0.4:53": for each worker the receiver, its twin and TCP */
	MASTER_HTTP, /* a URL */
	MASTER_UNIX, /* a path */
};

enum master_tale { MASTER_READY, MASTER_RELOADING };    /* for TELL */
enum master_upgrade { MASTER_ALONE, MASTER_UPGRADING }; /* for START: is a new server beside it? */

struct master_message {
	uint32_t protocol;
	uint32_t word;   /* enum master_word */
	uint32_t kind;   /* enum master_kind, master_tale or master_upgrade */
	uint32_t number; /* of workers; a mark (FAULT); a pid (LEAVE, DRAIN); milliseconds (GAP) */
	uint32_t uid, gid, group_count, groups[MASTER_GROUPS_MAX]; /* of a server's user */
	char text[MASTER_TEXT_MAX];
};

struct master_fds {
	int fds[MASTER_FDS_MAX];
	unsigned count;
};

/* The mark of a name. A FAULT has the mark of the requested name in place of the name, because its
 * text is the reason. Never 0. All versions must compute the same mark for a name. */
uint32_t master_name_mark(const char *name);

/* Sends the message with copies of the descriptors. ERR_SYSTEM: it could not be sent at once and
 * whole. */
MUST_CHECK int master_send(int fd, struct master_message *message, const int *fds, unsigned count);
/* Receives the next message without waiting; the caller closes its descriptors. ERR_NOT_FOUND: none
 * has come; ERR_SYSTEM: the other side is gone, or speaks another protocol. */
MUST_CHECK int master_receive(int fd, struct master_message *message, struct master_fds *fds);
void master_fds_close(struct master_fds *fds);

#endif
