/* Reverse names: address <-> in-addr.arpa (RFC 1035 section 3.5) and ip6.arpa (RFC 3596 section
 * 2.5). The PTRs of our own addresses are stored by address (owned.h), not by reverse name. */
#ifndef SLUICE_REVERSE_H
#define SLUICE_REVERSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/name.h"
#include "rules/prefix.h"

/* Prints "10.2.0.192.in-addr.arpa.", or the same for IPv6; returns text. */
char *reverse_text(const struct address *address, char text[NAME_TEXT_MAX]);

/* Writes the same name in wire form; returns its length. */
enum { REVERSE_WIRE_MAX = 32 * 2 + 10 };
size_t reverse_wire(const struct address *address, uint8_t wire[REVERSE_WIRE_MAX]);

/* The reverse zone name of a prefix, whose length must be a multiple of 8 (IPv4) or 4 (IPv6). */
char *reverse_zone_text(const struct prefix *prefix, char text[NAME_TEXT_MAX]);

/* Reads the address or prefix of a name under in-addr.arpa or ip6.arpa. *rest counts the labels
 * before a whole address, and labels that do not belong to the tree (such as RFC 2317's "0-25", or
 * "010" for 10). An IPv4-mapped IPv6 address stays IPv6 here. False: the name is outside both
 * trees. */
bool reverse_parse(const struct name *name, struct prefix *prefix, unsigned *rest);
/* Reads a label, which begins with its length byte, as a decimal octet without leading zeros.
 * False: it is none, and *octet is undefined. */
bool reverse_parse_octet(const uint8_t *label, uint8_t *octet);

#endif
