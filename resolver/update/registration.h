/* The entries of `registration`, ready to be asked: which one a message belongs to, and which names
 * a key may register there. Immutable; a control thread makes one of each model and drops it with
 * the model's policy. */
#ifndef SLUICE_UPDATE_REGISTRATION_H
#define SLUICE_UPDATE_REGISTRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/update/message.h"
#include "rules/arena.h"
#include "rules/hash.h"
#include "rules/name.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

struct registration_grant {
	struct name key;
	enum registration_names names;
};

struct registration { /* an entry */
	struct name zone;
	const char *zone_name; /* of the private zone, its full name (reference.h) */
	const struct prefix *prefixes;
	const struct registration_grant *grants;
	size_t prefix_count, grant_count;
	bool own_address;
	uint32_t ttl, expire_s; /* seconds; expire_s 0: never */
	uint32_t names_max;
};

struct registrations {
	struct arena arena;
	struct registration *items; /* in the model's order */
	size_t count;
};

/* Of a model that limits_check passed, which is not needed afterwards; key: that names of zones are
 * hashed with. NULL without memory. */
struct registrations *registrations_new(const struct model *model, const struct hash_key *key);
void registrations_free(struct registrations *all); /* NULL is fine */

/* The next entry behind `before` (NULL: the first) that the message may belong to; NULL: there is
 * none, or no further one. By the zone's name; where that is in in-addr.arpa or ip6.arpa, by the
 * address that the message's first record is for, at whichever cut above it the client has found
 * its zone. Several entries may have the same domain or address for different networks: the one
 * whose zone is linked to the network that was asked is meant, and where it is none the answer is
 * NOTAUTH. */
const struct registration *registrations_next(const struct registrations *all,
					      const struct update *update,
					      const struct registration *before);

/* Whether the message is for a reverse zone. */
bool update_is_reverse(const struct update *update);
bool registration_has_address(const struct registration *entry, const struct address *address);
/* What the key with that name (wire, in lower case) may do; NULL: nothing. */
const struct registration_grant *registration_grant_of(const struct registration *entry,
						       const uint8_t *key);
/* Whether that grant is for the name, which is in the entry's zone. */
bool registration_grant_covers(const struct registration_grant *grant, const struct name *name);

#endif
