/* The compiled entries of `registration`: which entry a message belongs to, and which names a key
 * may register. Immutable; the control thread makes one for each model, and drops it when it makes
 * the next one. */
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
	const char *zone_name; /* the private zone's full name (reference.h) */
	const struct prefix *prefixes;
	const struct registration_grant *grants; /* sorted by the keys' names */
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

/* Compiles the entries of a model that limits_check passed, and keeps nothing of it. key: the hash
 * key for names of zones. NULL without memory. */
struct registrations *registrations_new(const struct model *model, const struct hash_key *key);
void registrations_free(struct registrations *all); /* NULL is fine */

/* The next entry after `before` (NULL: the first) that the message may belong to; NULL: no more. An
 * entry is found by the zone's name, or in in-addr.arpa and ip6.arpa by the address of the
 * message's first record, at any cut above it. Several entries may have the same domain or address
 * for different networks: the right one has a zone that is linked to the asked network. If there is
 * none, the answer is NOTAUTH. */
const struct registration *registrations_next(const struct registrations *all,
					      const struct update *update,
					      const struct registration *before);

/* Whether the message is for a reverse zone. */
bool update_is_reverse(const struct update *update);
bool registration_has_address(const struct registration *entry, const struct address *address);
/* The rights of the key with this name (wire, in lower case); NULL: none. */
const struct registration_grant *registration_grant_of(const struct registration *entry,
						       const uint8_t *key);
/* Whether the grant covers the name, which must be in the entry's zone. */
bool registration_grant_covers(const struct registration_grant *grant, const struct name *name);

#endif
