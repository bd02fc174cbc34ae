/* Zones with only an apex: a SOA, and for pools NS. The names below are in the owned table
 * (owned.h); the zone has the SOA for answers and denials. */
#include <string.h>

#include "rules/policy/internal.h"

enum { APEX_TTL = 3600, RDATA_SOA_MAX = 2 * NAME_WIRE_MAX + 20 };

struct apex_draft {
	const struct hash_key *key;
	const struct name *apex;
	struct zone_builder *builder;
	struct faults faults;
};

static int add(struct apex_draft *draft, uint16_t type, const uint8_t *rdata, size_t length)
{
	static const struct origin origin;

	return zone_builder_add(draft->builder, &origin, draft->apex->wire, type, APEX_TTL, rdata,
				length, &draft->faults);
}

/* Skips texts that are no names. A checked model has none, because the schema refuses them. */
static int add_servers(struct apex_draft *draft, const struct reverse_settings *reverse)
{
	struct name server;
	int err = 0;

	for (size_t i = 0; !err && i < reverse->name_servers.count; i++)
		if (name_from_text(&server, draft->key, reverse->name_servers.items[i]) == 0)
			err = add(draft, TYPE_NS, server.wire, server.length);
	return err;
}

/* Adds a SOA with the first name server; without one the builder makes the usual SOA. */
static int add_soa(struct apex_draft *draft, const struct reverse_settings *reverse)
{
	static const uint8_t times[20] = {0, 0,    0, 1,    0,    0, 0x0e, 0x10, 0, 0,
					  1, 0x2c, 0, 0x24, 0xea, 0, 0,    0,    1, 0x2c};
	struct name server, hostmaster;
	uint8_t rdata[RDATA_SOA_MAX];

	if (!reverse->name_servers.count ||
	    name_from_text(&server, draft->key, reverse->name_servers.items[0]) != 0)
		return 0;
	if (!reverse->hostmaster ||
	    name_from_text(&hostmaster, draft->key, reverse->hostmaster) != 0)
		hostmaster = server;
	memcpy(rdata, server.wire, server.length);
	memcpy(rdata + server.length, hostmaster.wire, hostmaster.length);
	memcpy(rdata + server.length + hostmaster.length, times, sizeof times);
	return add(draft, TYPE_SOA, rdata,
		   (size_t)server.length + hostmaster.length + sizeof times);
}

static struct zone *make_apex(const struct policy *policy, const struct name *apex,
			      const struct reverse_settings *reverse)
{
	static const struct origin origin;
	struct apex_draft draft = {
		.key = &policy->key, .apex = apex, .builder = zone_builder_new(&policy->key, apex)};
	struct zone *zone = NULL;
	int err = 0;

	if (!draft.builder)
		return NULL;
	faults_init(&draft.faults);
	if (reverse)
		err = add_soa(&draft, reverse);
	if (!err && reverse)
		err = add_servers(&draft, reverse);
	if (!err)
		zone = zone_builder_finish(draft.builder, &origin, &draft.faults);
	else
		zone_builder_free(draft.builder);
	faults_release(&draft.faults);
	return zone;
}

struct zone *policy_make_apex(const struct policy *policy, const char *text,
			      const struct reverse_settings *reverse)
{
	struct name apex;

	return name_from_text(&apex, &policy->key, text) == 0 ? make_apex(policy, &apex, reverse)
							      : NULL;
}

int policy_add_apex(struct policy *policy, struct suffix_table *zones,
		    const struct suffix_table *before, const char *text,
		    const struct reverse_settings *reverse)
{
	struct name apex;

	if (name_from_text(&apex, &policy->key, text) != 0)
		return ERR_INVALID;
	if (suffix_table_get(zones, &apex, 0))
		return 0;
	struct zone *zone = before ? suffix_table_get(before, &apex, 0) : NULL;
	int err =
		policy_keep_zone(policy, zone ? zone_ref(zone) : make_apex(policy, &apex, reverse));
	return err ? err
		   : suffix_table_add(zones, &policy->arena, &apex,
				      policy->zones[policy->zone_count - 1]);
}
