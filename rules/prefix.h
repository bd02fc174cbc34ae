/* IP addresses and CIDR prefixes as plain values, and a table that finds the longest prefix of an
 * address. No sockets here: endpoints/ turns an address into a sockaddr. */
#ifndef SLUICE_PREFIX_H
#define SLUICE_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/arena.h"
#include "rules/err.h"

/* family 0 means "no address". The bytes after an IPv4 address are zero, and an IPv4-mapped IPv6
 * address becomes the IPv4 address, so equal addresses have equal values. */
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
/* "10.0.0.0/8"; also ERR_INVALID if host bits are set (prefix_parse_lenient gives the likely
 * prefix). */
MUST_CHECK int prefix_parse(struct prefix *prefix, const char *text);
/* Like prefix_parse, but clears host bits instead of refusing them. */
MUST_CHECK int prefix_parse_lenient(struct prefix *prefix, const char *text);
/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53". Port 0 is ERR_INVALID. */
MUST_CHECK int host_parse(struct host *host, const char *text, uint16_t default_port);

/* All three return text. Hosts print as ADDRESS:PORT, IPv6 in brackets. */
char *address_print(const struct address *address, char text[ADDRESS_TEXT_MAX]);
char *prefix_print(const struct prefix *prefix, char text[PREFIX_TEXT_MAX]);
char *host_print(const struct host *host, char text[HOST_TEXT_MAX]);

bool address_equal(const struct address *a, const struct address *b);
/* Compares like memcmp: IPv4 first, then by number. */
int address_compare(const struct address *a, const struct address *b);
bool host_equal(const struct host *a, const struct host *b);
/* Whether one is the unspecified address and the other is another address of its family, at the
 * same port: packets for the latter match both. */
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
/* The client with this address, for sharing among clients: an IPv4 address itself, or an IPv6
 * address's /64, because a client has any number of addresses in it. */
struct address address_client(const struct address *address);
/* The site with this address, for limits that many addresses of one site must not escape: 127.0.0.1
 * for all of loopback, an IPv4 address itself, or an IPv6 address's /48, because one customer gets
 * a /48. */
struct address address_site(const struct address *address);
/* The address plus n. */
struct address address_add(const struct address *address, uint32_t n);
bool prefix_contains(const struct prefix *prefix, const struct address *address);
/* Whether any address in the prefix is private. */
bool prefix_has_private(const struct prefix *prefix);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
/* Compares like memcmp: by address, then the shorter prefix first, so that covered prefixes follow
 * a prefix. */
int prefix_compare(const struct prefix *a, const struct prefix *b);
/* The n-th address of an IPv4 prefix, from n = 0; false: it has fewer addresses, or is not IPv4. */
bool prefix_nth(const struct prefix *prefix, uint32_t n, struct address *address);
/* How many addresses an IPv4 prefix has; 0 for IPv6. */
uint64_t prefix_size(const struct prefix *prefix);

/* A longest-prefix table: add all prefixes, build, then find. The caller chooses the values; the
 * memory is the arena's. A prefix that is added twice keeps its first value. All zero is an empty
 * table. */
struct prefix_entry {
	struct prefix prefix;
	uint32_t value;
	uint32_t order; /* of entries with equal prefixes, the one added first has the least */
};

struct prefix_run { /* entries of one family and length */
	uint8_t family, length;
	uint32_t first, count;
};

enum { PREFIX_RUNS_MAX = 33 + 129 };

struct prefix_table {
	struct prefix_entry *entries; /* once built: by run, then by address */
	size_t count, room;
	bool built;
	uint8_t run_count;
	struct prefix_run runs[PREFIX_RUNS_MAX]; /* the longest first within a family */
};

/* ERR_NOMEM. After adding to a built table, build it again. */
MUST_CHECK int prefix_table_add(struct prefix_table *table, struct arena *arena,
				const struct prefix *prefix, uint32_t value);
void prefix_table_build(struct prefix_table *table);
/* The entry of the longest prefix that contains address, or NULL. Costs one binary search for each
 * prefix length in use. */
const struct prefix_entry *prefix_table_find(const struct prefix_table *table,
					     const struct address *address);

#endif
