/* What the two processes of an upgrade say to each other, on a SOCK_SEQPACKET pair of their own:
 * each message one JSON object, with descriptors beside it. The new one asks, the old one answers,
 * so neither is ever waited for by the other's sending.
 *
 *     new                                  old
 *     POST /v1/upgrade {protocol, socket}  connects to that abstract socket, answers its pid
 *     {"want": "items"}                    {"items", "workers", ...}
 *     {"want": "item", "item": 0}          {"kind": "dns", "name": "10.0.0.4:53", "worker": 0} + 3
 *     ...                                  {"kind": "http" | "control" | "log", "name"} + 1
 *     {"want": "ready", "socket": true}    {}: its state is at rest, its API's clients wait
 *     {"want": "serving"}                  {}: it reads no more, finishes what it holds, leaves
 *
 * An answer with "error" ends it. Until "serving" the old one goes on as before when the new one
 * goes away. Versions that do not understand each other differ in `protocol`, and refuse. */
#ifndef SLUICE_UPGRADE_WIRE_H
#define SLUICE_UPGRADE_WIRE_H

#include <jansson.h>
#include <stdbool.h>

#include "rules/err.h"

enum { UPGRADE_PROTOCOL = 1, UPGRADE_FDS_MAX = 3, UPGRADE_MESSAGE_MAX = 8192 };

struct upgrade_fds { /* the sender's stay its own, the receiver's are new */
	int fds[UPGRADE_FDS_MAX];
	unsigned count;
};

/* Takes the message over. ERR_SYSTEM: it could not be sent at once and whole. */
MUST_CHECK int upgrade_send(int fd, json_t *message, const struct upgrade_fds *fds);
/* An object for the caller to release; NULL: it could not be read. *ended: the other side is gone.
 * Descriptors that came with it are closed on failure. */
json_t *upgrade_receive(int fd, struct upgrade_fds *fds, bool *ended);
void upgrade_fds_close(struct upgrade_fds *fds);

#endif
