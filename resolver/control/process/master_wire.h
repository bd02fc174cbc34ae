/* What the master and a server say to each other, on a SOCK_SEQPACKET pair of their own: one fixed
 * head, a text, and descriptors beside it.
 *
 *     server                                master
 *                                           START workers: how many there are, 0: none yet
 *     OPEN kind, name, workers              SOCKETS, as many messages as it takes; or FAULT text
 *     ...
 *     SERVES who it is, status              the first one: it becomes that user, too
 *     ALIVE, now and then                   kills one that is mute
 *     TELL status                           the service manager is told
 *     CLOSE kind, name                      closes its own, after a reload
 *                                           GAP ms, how the server before ended: for so long
 *                                           nobody served; after SERVES, where there was a gap
 *
 * An upgrade: a second server is started beside the one that serves.
 *
 *     the one that serves     master             the new one
 *     UPGRADE program    ──►  starts it     ──►  START
 *                             SOCKETS       ◄──► OPEN ...      the same ones
 *                        ◄──  REFUSED text  ◄──  ends, or is too late: nothing has moved
 *                        ◄──  LEAVE pid     ◄──  SERVES
 *     QUIET: no HTTP, the     STATE         ──►  opens the state to write, and reads it again;
 *     state is closed    ──►                     listens for HTTP, and reads questions
 *                        ◄──  DRAIN         ◄──  TAKEN
 *     answers what it holds, ends           then the master executes the new program, too
 *
 * Versions that do not understand each other differ in MASTER_PROTOCOL, and refuse. It is the
 * number of the table in master.c, too: a program that could not read that is refused before
 * anything has moved. */
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
	MASTER_GAP, /* from the master; servers of before do not know it, and pass over it */
};

enum master_kind {
	MASTER_DNS,  /* "10.0.0.4:53": receiver, twin and TCP of each worker */
	MASTER_HTTP, /* a URL */
	MASTER_UNIX, /* a path */
};

enum master_tale { MASTER_READY, MASTER_RELOADING }; /* for TELL */

struct master_message {
	uint32_t protocol;
	uint32_t word;   /* enum master_word */
	uint32_t kind;   /* enum master_kind or master_tale */
	uint32_t number; /* of workers, of a process */
	uint32_t uid, gid, group_count, groups[MASTER_GROUPS_MAX]; /* of a server */
	char text[MASTER_TEXT_MAX];
};

struct master_fds {
	int fds[MASTER_FDS_MAX];
	unsigned count;
};

/* Sends the message with copies of descriptors. ERR_SYSTEM: it could not be sent at once and whole.
 */
MUST_CHECK int master_send(int fd, struct master_message *message, const int *fds, unsigned count);
/* The next one, without waiting. ERR_NOT_FOUND: there is none now; ERR_SYSTEM: the other side is
 * gone, or says what cannot be understood. The descriptors are the caller's. */
MUST_CHECK int master_receive(int fd, struct master_message *message, struct master_fds *fds);
void master_fds_close(struct master_fds *fds);

#endif
