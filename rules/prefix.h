/* IP addresses and CIDR prefixes as plain values: parse, print, compare, contain, and a table that
 * finds the longest prefix an address is in. No sockets here: endpoints/ turns an address into a
 * sockaddr. */
#ifndef SLUICE_PREFIX_H
#define SLUICE_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/arena.h"
#include "rules/err.h"

/* family 0 means "no address"; the bytes behind an IPv4 address are zero, so two values that mean
 * the same compare equal. An IPv4-mapped IPv6 address is turned into the IPv4 address it maps. */
struct address {
	uint8_t family;    /* 4, 6, or 0 */
	uint8_t bytes[16]; /* network order */
};

struct prefix {
	struct address address; /* host bits are zero */
	uint8_t length;         /* bits */
};

enum { DNS_PORT = 53 };

struct host { /* an address and a port, as in `listen` and targets */
	struct address address;
	uint16_t port; /* host byte order */
};

enum { ADDRESS_TEXT_MAX = 46, PREFIX_TEXT_MAX = 50, HOST_TEXT_MAX = 54 };

MUST_CHECK int address_parse(struct address *address, const char *text);
/* "10.0.0.0/8"; ERR_INVALID also when host bits are set (prefix_parse_lenient tells what was
 * meant). */
MUST_CHECK int prefix_parse(struct prefix *prefix, const char *text);
/* As prefix_parse, but host bits are cleared instead of refused. */
MUST_CHECK int prefix_parse_lenient(struct prefix *prefix, const char *text);
/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53". Port 0 is ERR_INVALID. */
MUST_CHECK int host_parse(struct host *host, const char *text, uint16_t default_port);

/* All three return text. Hosts print as ADDRESS:PORT, IPv6 in brackets. */
char *address_print(const struct address *address, char text[ADDRESS_TEXT_MAX]);
char *prefix_print(const struct prefix *prefix, char text[PREFIX_TEXT_MAX]);
char *host_print(const struct host *host, char text[HOST_TEXT_MAX]);

bool address_equal(const struct address *a, const struct address *b);
/* As memcmp: IPv4 first, then by number. */
int address_compare(const struct address *a, const struct address *b);
bool host_equal(const struct host *a, const struct host *b);
/* Not equal, but one is the unspecified address and the other of its family, at the same port: what
 * arrives for that one could go to either. */
bool host_overlaps(const struct host *a, const struct host *b);
/* 127/8 and ::1. */
bool address_is_loopback(const struct address *address);
/* RFC 1918 and ULA (RFC 4193). */
bool address_is_private(const struct address *address);
bool address_is_unspecified(const struct address *address);
bool address_is_multicast(const struct address *address);
bool address_is_broadcast(const struct address *address);

/* 32 or 128. */
unsigned address_bits(const struct address *address);
/* The address with all but its first `length` bits cleared. */
struct address address_mask(const struct address *address, unsigned length);
/* The client that an address stands for, where each client gets its share: an IPv4 address itself,
 * of IPv6 the /64, in which a client has as many addresses as it likes. */
struct address address_client(const struct address *address);
/* The same where having many addresses must not help: all of loopback is one, and of IPv6 the /48,
 * which is what one customer gets. */
struct address address_site(const struct address *address);
/* The address plus n. */
struct address address_add(const struct address *address, uint32_t n);
bool prefix_contains(const struct prefix *prefix, const struct address *address);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
/* As memcmp: by address, of equal ones the shorter first, so that what a prefix covers follows it.
 */
int prefix_compare(const struct prefix *a, const struct prefix *b);
/* The n-th address of an IPv4 prefix, counted from its first (n = 0); false when it has not that
 * many, or is not IPv4. */
bool prefix_nth(const struct prefix *prefix, uint32_t n, struct address *address);
/* How many addresses an IPv4 prefix has; 0 for any other. */
uint64_t prefix_size(const struct prefix *prefix);

/* A longest-prefix table: add everything, build, then find. Values are the caller's. Memory is the
 * arena's. A prefix added twice keeps the first value. All zero is an empty table. */
struct prefix_entry {
	struct prefix prefix;
	uint32_t value;
	uint32_t order; /* in which it was added */
};

struct prefix_run { /* the entries of one family and length */
	uint8_t family, length;
	uint32_t first, count;
};

enum { PREFIX_RUNS_MAX = 33 + 129 };

struct prefix_table {
	struct prefix_entry *entries; /* once built: by run, by address within a run */
	size_t count, room;
	bool built;
	uint8_t run_count;
	struct prefix_run runs[PREFIX_RUNS_MAX]; /* longest first within a family */
};

/* ERR_NOMEM. Adding to a table that is built means building it again. */
MUST_CHECK int prefix_table_add(struct prefix_table *table, struct arena *arena,
				const struct prefix *prefix, uint32_t value);
void prefix_table_build(struct prefix_table *table);
/* The entry of the longest prefix that contains address, or NULL. Cost: one binary search for each
 * prefix length in use. */
const struct prefix_entry *prefix_table_find(const struct prefix_table *table,
					     const struct address *address);

#endif
