/* Server cookies for clients (RFC 7873), in the form that every server of a fleet can check (RFC
 * 9018). A client that shows one has heard from us where it says it is, within the last hour; it is
 * no source of spoofed questions. Nobody has to show one.
 *
 *      0        8  9        12          16             24
 *      | client | 1 | 0 0 0 | time, s   | SipHash-2-4 of all that and the client's address |
 *
 * The secret is a file's, the same for the whole fleet; else it is made from what the process drew
 * at its start, another one for each day. The one before is good, too. */
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
	bool given; /* keys are a file's */
	struct hash_key drawn;
	uint32_t day;
	struct hash_key keys[2]; /* the one to sign with, and the one before */
};

/* With what the process drew at its start. */
void cookie_init(struct cookie_keeper *keeper, const struct hash_key *drawn);
/* With a file's secrets; `before` may be the same. */
void cookie_init_given(struct cookie_keeper *keeper, const struct hash_key *key,
		       const struct hash_key *before);
/* Looks at a client's cookie of `length` bytes and makes it the one to answer with, of
 * MESSAGE_COOKIE_REPLY bytes. True: it was good. */
bool cookie_check(struct cookie_keeper *keeper, const struct address *client, uint32_t now_s,
		  uint8_t cookie[MESSAGE_COOKIE_REPLY], size_t length);

#endif
