/* If default_resolver names no targets, the nameservers of the system's resolv.conf are used, also
 * after the file changes. They become the model's default targets, in the order of the file, by UDP
 * on port 53. */
#ifndef SLUICE_RESOLV_CONF_H
#define SLUICE_RESOLV_CONF_H

#include <stdbool.h>

#include "rules/err.h"
#include "rules/fault.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

#define RESOLV_CONF_PATH "/etc/resolv.conf"

enum { RESOLV_CONF_SERVERS_MAX = 6 }; /* Azure's limit for a rule; the C library takes 3 */

struct resolv_server {
	struct address address;
	unsigned line;
};

struct resolv_conf {
	struct resolv_server servers[RESOLV_CONF_SERVERS_MAX];
	unsigned count;
};

/* Does the model need resolv.conf? It has a network, and default_resolver has no targets. */
bool resolv_conf_wanted(const struct model *model);

/* Reads the file. A server that cannot be used is a warning with its line: no address, a
 * link-local, multicast or broadcast one, one that is listed twice, or one too many. 0.0.0.0 and ::
 * become 127.0.0.1 and ::1, with a warning. Other lines (options, search) are ignored. ERR_SYSTEM:
 * the file cannot be read, and a fault tells why. */
MUST_CHECK int resolv_conf_read(struct resolv_conf *conf, const char *path, struct faults *faults);

/* Makes the servers the model's default targets, except those that are sluice itself at port 53:
 * the address of an inbound endpoint or its `listen`, a VNet resolver's listener, or any address of
 * the machine if one of these listens on all addresses. Each exception is a warning. If no server
 * remains, that is a fault (ERR_FAULTS), and the model stays as it was, as on ERR_NOMEM. Call
 * model_place_endpoints first. */
MUST_CHECK int resolv_conf_apply(const struct resolv_conf *conf, const char *path,
				 struct model *model, struct faults *faults);

/* True: the same servers in the same order; lines may differ. */
bool resolv_conf_equal(const struct resolv_conf *a, const struct resolv_conf *b);

#endif
