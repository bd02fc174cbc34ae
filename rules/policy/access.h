/* The prefixes of clients that may ask: one set for each inbound endpoint and one for the VNet
 * resolver, made once for each policy and read for every query. The first octet of an address
 * nearly always decides (10.0.0.0/8, 127.0.0.0/8 and fc00::/7 are whole octets), which costs one
 * byte to read. The longest-prefix table decides the rest. */
#ifndef SLUICE_ACCESS_H
#define SLUICE_ACCESS_H

#include "rules/prefix.h"

struct access {
	bool whole[2][256]; /* IPv4 and IPv6, by first octet: all its addresses may ask */
	struct prefix_table table;
};

/* Adds a prefix to the set; a set that is all zero allows no client. The memory is the arena's.
 * ERR_NOMEM. */
MUST_CHECK int access_add(struct access *access, struct arena *arena, const struct prefix *prefix);
/* Adds loopback, RFC 1918 and unique local addresses (RFC 4193). An endpoint's default clients are
 * these and all networks' prefixes. */
MUST_CHECK int access_add_private(struct access *access, struct arena *arena);
/* Call it after the last prefix was added. */
void access_build(struct access *access);

/* For access_allows: finds an address that its first octet does not decide. */
bool access_finds(const struct access *access, const struct address *address);

static inline bool access_allows(const struct access *access, const struct address *address)
{
	return access->whole[address->family >> 1 & 1][address->bytes[0]] ||
	       access_finds(access, address);
}
_Static_assert((4 >> 1 & 1) == 0 && (6 >> 1 & 1) == 1, "families are told apart by a bit");

#endif
