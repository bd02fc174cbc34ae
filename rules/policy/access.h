/* Who may ask at an inbound endpoint: a list of prefixes, made once for each policy and looked at
 * for every question. Nearly always the first octet of an address decides already (10.0.0.0/8,
 * 127.0.0.0/8, fc00::/7 are whole octets), and that costs a byte to look at; the rest is left to
 * the longest-prefix table. */
#ifndef SLUICE_ACCESS_H
#define SLUICE_ACCESS_H

#include "rules/prefix.h"

struct access {
	bool whole[2][256]; /* IPv4, IPv6, by first octet: all behind it may */
	struct prefix_table table;
};

/* All zero lets nobody in. Memory is the arena's. ERR_NOMEM. */
MUST_CHECK int access_add(struct access *access, struct arena *arena, const struct prefix *prefix);
/* What there is by default: loopback, RFC 1918 and unique local addresses (RFC 4193). */
MUST_CHECK int access_add_private(struct access *access, struct arena *arena);
/* After the last was added. */
void access_build(struct access *access);

/* What access_allows comes to where the first octet does not decide. */
bool access_finds(const struct access *access, const struct address *address);

static inline bool access_allows(const struct access *access, const struct address *address)
{
	return access->whole[address->family >> 1 & 1][address->bytes[0]] ||
	       access_finds(access, address);
}
_Static_assert((4 >> 1 & 1) == 0 && (6 >> 1 & 1) == 1, "families are told apart by a bit");

#endif
