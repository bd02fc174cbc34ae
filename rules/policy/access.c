/* Prefixes of up to eight bits are stored as whole first octets, all others in the table:
 *
 *     10.0.0.0/8  ──► octet 10             172.16.0.0/12 ──► table
 *     fc00::/7    ──► octets fc and fd     ::1           ──► table
 *
 * policy_place_of_client finds the network of a client of the VNet resolver; endpoints/inbound's
 * admission refuses strangers. */
#include "rules/policy/access.h"
#include "rules/schema/model.h"

#include <assert.h>

enum { OCTET_BITS = 8 };

int access_add(struct access *access, struct arena *arena, const struct prefix *prefix)
{
	unsigned first = prefix->address.bytes[0];
	bool *whole = access->whole[prefix->address.family == 6];

	if (prefix->length > OCTET_BITS)
		return prefix_table_add(&access->table, arena, prefix, 0);
	for (unsigned octet = first; octet < first + (1u << (OCTET_BITS - prefix->length)); octet++)
		whole[octet] = true;
	return 0;
}

int access_add_private(struct access *access, struct arena *arena)
{
	int err = 0;

	for (size_t i = 0; !err && i < USUAL_CLIENTS; i++) {
		struct prefix prefix;

		err = prefix_parse(&prefix, model_usual_clients[i]);
		assert(!err);
		err = access_add(access, arena, &prefix);
	}
	return err;
}

void access_build(struct access *access)
{
	prefix_table_build(&access->table);
}

bool access_finds(const struct access *access, const struct address *address)
{
	return prefix_table_find(&access->table, address) != NULL;
}
