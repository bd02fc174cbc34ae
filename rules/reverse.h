/* Reverse names: address <-> in-addr.arpa (RFC 1035 section 3.5) and ip6.arpa (RFC 3596
 * section 2.5). PTRs are derived from the addresses that own them (owned.h), never stored twice. */
#ifndef SLUICE_REVERSE_H
#define SLUICE_REVERSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/name.h"
#include "rules/prefix.h"

/* "10.2.0.192.in-addr.arpa." and its IPv6 like; returns text. */
char *reverse_text(const struct address *address, char text[NAME_TEXT_MAX]);

/* The same name as it goes out; returns its length. */
enum { REVERSE_WIRE_MAX = 32 * 2 + 10 };
size_t reverse_wire(const struct address *address, uint8_t wire[REVERSE_WIRE_MAX]);

/* The reverse zone name of a prefix, whose length must be a multiple of 8 (IPv4) or 4 (IPv6). */
char *reverse_zone_text(const struct prefix *prefix, char text[NAME_TEXT_MAX]);

/* What a name under in-addr.arpa or ip6.arpa stands for: a whole address, or the prefix that its
 * labels spell. Labels in front of a whole address, and labels that are not of the tree (such as
 * RFC 2317's "0-25", or "010" for 10), are counted in *rest. An IPv4-mapped IPv6 address stays IPv6
 * here. False for a name outside both trees. */
bool reverse_parse(const struct name *name, struct prefix *prefix, unsigned *rest);
/* A label (its length byte ahead) as an octet: decimal without leading zeros; false for any other,
 * and *octet is undefined then. */
bool reverse_parse_octet(const uint8_t *label, uint8_t *octet);

#endif
