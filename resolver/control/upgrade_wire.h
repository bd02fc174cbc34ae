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
 *                                          {"reload": true}: it was told to reload meanwhile
 *
 * What each of them is in meanwhile (upgrade.h, take_over.h), and where that may end:
 *
 *     new      ASKING ─"ready"────────────────► READY ─"serving"───────────► SERVING
 *                 │            {} │                             {} │
 *     old      ASKED ──────► CLOSING ──────► READY ─────────────► DRAINING ──► ends
 *                 └─────────────┴──────────────┴─► ENDING ──► goes on as before
 *
 * One moment decides: that in which the old one reads "serving" and is READY. Before it the old one
 * may give up, when the new one goes away, is too late, or talks nonsense, or when it is told to
 * stop and is not READY: it says {"error"} with the reason, whether it was asked or not, and goes
 * on; the new one obeys and ends, also if it serves beside already. After it the old one is as good
 * as gone.
 *
 * An old one that hangs up without a word is ending, by a fault or told to when READY; the new one
 * waits for that end, and goes on ALONE where it has everything. Where the end does not come, the
 * old one is alive and keeps its place. So never do both serve for good, nor neither.
 *
 * Versions that do not understand each other differ in `protocol`, and refuse. */
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
