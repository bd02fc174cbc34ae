/* Messages of a DHCP server that registers machines (RFC 2136, RFC 8945). Machine n is m<n>.ZONE,
 * and has an address in 10.128.0.0/16 and its own DHCID. Each message has one prerequisite:
 *
 *     add       the name is not in use     adds A and DHCID
 *     remove    it has this DHCID          deletes the whole name */
#ifndef BENCH_REGISTRATION_H
#define BENCH_REGISTRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REGISTRATION_BYTES = 384, REGISTRATION_NAME_BYTES = 64 };

struct registration_key {
	uint8_t zone[REGISTRATION_NAME_BYTES], name[REGISTRATION_NAME_BYTES]; /* wire */
	size_t zone_length, name_length;
	const char *secret; /* the bytes of the text */
};

/* Takes names as text; false: one is too long for the bench. */
bool registration_key_init(struct registration_key *key, const char *zone, const char *name,
			   const char *secret);
/* Makes a message signed at `now_s`; returns its length, 0: it cannot be signed. */
size_t registration_make(uint8_t packet[REGISTRATION_BYTES], const struct registration_key *key,
			 uint16_t id, uint32_t machine, bool remove, uint64_t now_s);

#endif
