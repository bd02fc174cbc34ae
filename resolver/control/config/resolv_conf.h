/* The system's resolv.conf as the default resolver: used when default_resolver names no targets,
 * and followed when it changes. Its nameservers become the model's default targets, in their order,
 * by UDP on port 53. */
#ifndef SLUICE_RESOLV_CONF_H
#define SLUICE_RESOLV_CONF_H

#include <stdbool.h>

#include "rules/err.h"
#include "rules/fault.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

#define RESOLV_CONF_PATH "/etc/resolv.conf"

enum { RESOLV_CONF_SERVERS_MAX = 6 }; /* Azure's targets of a rule; the C library takes 3 */

struct resolv_server {
	struct address address;
	unsigned line;
};

struct resolv_conf {
	struct resolv_server servers[RESOLV_CONF_SERVERS_MAX];
	unsigned count;
};

/* Whether the model wants it: there is a network, and default_resolver has no targets. */
bool resolv_conf_wanted(const struct model *model);

/* Reads it. What cannot be used (no address, a link-local, multicast or broadcast one, one that is
 * there already, one too many) is a warning with its line; 0.0.0.0 and :: are read as 127.0.0.1 and
 * ::1, with a warning. Everything else (options, search) is ignored.
 * ERR_SYSTEM when it cannot be read, which is a fault. */
MUST_CHECK int resolv_conf_read(struct resolv_conf *conf, const char *path, struct faults *faults);

/* Makes the servers the model's default targets, without those that are us: an inbound endpoint's
 * address or `listen`, a VNet resolver's listener, an address that one of these covers by listening
 * on all addresses. Each of those is a warning, none left is a fault (ERR_FAULTS; the model is as
 * it was). Expects model_place_endpoints to have run. */
MUST_CHECK int resolv_conf_apply(const struct resolv_conf *conf, const char *path,
				 struct model *model, struct faults *faults);

/* Same servers in the same order; their lines do not matter. */
bool resolv_conf_equal(const struct resolv_conf *a, const struct resolv_conf *b);

#endif
