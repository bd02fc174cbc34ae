/* Server cookies for clients (RFC 7873), in the form that every server of a fleet can check (RFC
 * 9018). A client that shows one has received it at its address within the last hour, so the
 * address is not forged. Cookies are optional.
 *
 *      0        8  9        12          16             24
 *      | client | 1 | 0 0 0 | time, s   | SipHash-2-4 of all that and the client's address |
 *
 * The secret comes from a file, the same for the whole fleet; without a file it is derived each day
 * from a key that the process draws at its start. The previous secret is accepted, too. */
#ifndef SLUICE_COOKIE_H
#define SLUICE_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "rules/hash.h"
#include "rules/prefix.h"

enum {
	COOKIE_TIME_AHEAD_S = 300, /* RFC 9018 section 4.3 */
	COOKIE_TIME_BEHIND_S = 3600,
	COOKIE_RENEW_S = 1800,
	COOKIE_DAY_S = 86400,
};

struct cookie_keeper {
	bool given; /* the keys come from a file */
	struct hash_key drawn;
	uint32_t day;
	struct hash_key keys[2]; /* the signing one, and the previous one */
};

/* Uses a key that the process drew at its start. */
void cookie_init(struct cookie_keeper *keeper, const struct hash_key *drawn);
/* Uses a file's secrets; `before` may be the same as `key`. */
void cookie_init_given(struct cookie_keeper *keeper, const struct hash_key *key,
		       const struct hash_key *before);
/* Checks a client's cookie of `length` bytes, and replaces it by the one to answer with, of
 * MESSAGE_COOKIE_REPLY bytes. True: it was good. */
bool cookie_check(struct cookie_keeper *keeper, const struct address *client, uint32_t now_s,
		  uint8_t cookie[MESSAGE_COOKIE_REPLY], size_t length);

#endif
