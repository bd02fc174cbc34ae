/* Special-use names (RFC 6761, 6762, 7686, 8375, 9462, 9476) and the empty zones of RFC 6303, as
 * small zones: localhost has addresses, and the others are empty. They deny the names below them,
 * except resolver.arpa, which answers NODATA. */
#include <stdio.h>
#include <string.h>

#include "rules/base.h"
#include "rules/policy/internal.h"
#include "rules/reverse.h"
#include "rules/zone/zonefile.h"

static const char empty_zone[] = "@ 10800 IN SOA @ nobody.invalid. 1 3600 1200 604800 10800\n"
				 "@ 10800 IN NS @\n";
static const char localhost_zone[] = "@ 10800 IN SOA @ nobody.invalid. 1 3600 1200 604800 10800\n"
				     "@ 10800 IN NS @\n"
				     "@ 10800 IN A 127.0.0.1\n"
				     "@ 10800 IN AAAA ::1\n"
				     "* 10800 IN A 127.0.0.1\n"
				     "* 10800 IN AAAA ::1\n";

/* Clients look for encrypted transports at _dns.resolver.arpa. A server without them answers NODATA
 * for every name in resolver.arpa, not NXDOMAIN (RFC 9462). */
static const char resolver_arpa[] = "resolver.arpa.";

static const struct special {
	const char *name;
	const char *zone;
} specials[] = {
	{"localhost.", localhost_zone},
	{"invalid.", empty_zone},
	{"onion.", empty_zone},
	{"alt.", empty_zone},
	{"test.", empty_zone},
	{"local.", empty_zone},
	{"home.arpa.", empty_zone},
	{resolver_arpa, empty_zone},
	/* RFC 6303 sections 4.1 to 4.6 */
	{"10.in-addr.arpa.", empty_zone},
	{"16.172.in-addr.arpa.", empty_zone},
	{"17.172.in-addr.arpa.", empty_zone},
	{"18.172.in-addr.arpa.", empty_zone},
	{"19.172.in-addr.arpa.", empty_zone},
	{"20.172.in-addr.arpa.", empty_zone},
	{"21.172.in-addr.arpa.", empty_zone},
	{"22.172.in-addr.arpa.", empty_zone},
	{"23.172.in-addr.arpa.", empty_zone},
	{"24.172.in-addr.arpa.", empty_zone},
	{"25.172.in-addr.arpa.", empty_zone},
	{"26.172.in-addr.arpa.", empty_zone},
	{"27.172.in-addr.arpa.", empty_zone},
	{"28.172.in-addr.arpa.", empty_zone},
	{"29.172.in-addr.arpa.", empty_zone},
	{"30.172.in-addr.arpa.", empty_zone},
	{"31.172.in-addr.arpa.", empty_zone},
	{"168.192.in-addr.arpa.", empty_zone},
	{"0.in-addr.arpa.", empty_zone},
	{"127.in-addr.arpa.", empty_zone},
	{"254.169.in-addr.arpa.", empty_zone},
	{"2.0.192.in-addr.arpa.", empty_zone},
	{"100.51.198.in-addr.arpa.", empty_zone},
	{"113.0.203.in-addr.arpa.", empty_zone},
	{"255.255.255.255.in-addr.arpa.", empty_zone},
	{"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", empty_zone},
	{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", empty_zone},
	{"d.f.ip6.arpa.", empty_zone},
	{"8.e.f.ip6.arpa.", empty_zone},
	{"9.e.f.ip6.arpa.", empty_zone},
	{"a.e.f.ip6.arpa.", empty_zone},
	{"b.e.f.ip6.arpa.", empty_zone},
	{"8.b.d.0.1.0.0.2.ip6.arpa.", empty_zone},
};
enum { SPECIALS = COUNT(specials) };

static struct zone *read_special(const struct special *special, const struct hash_key *key)
{
	struct faults faults;
	struct name apex;
	struct zone *zone = NULL;
	FILE *in = fmemopen((void *)special->zone, strlen(special->zone), "r");

	faults_init(&faults);
	if (in && name_from_text(&apex, key, special->name) == 0)
		zone = zonefile_read(in, special->name, NULL, key, &apex, &faults);
	if (in)
		fclose(in);
	faults_release(&faults);
	return zone;
}

int policy_compile_special(struct policy *policy, const struct policy *before, bool answered)
{
	policy->special_zones =
		arena_alloc_array(&policy->arena, SPECIALS, sizeof *policy->special_zones);
	if (!policy->special_zones)
		return ERR_NOMEM;
	for (unsigned i = 0; i < SPECIALS; i++) {
		struct zone *zone = before ? zone_ref(before->special_zones[i])
					   : read_special(&specials[i], &policy->key);
		if (!zone)
			return ERR_NOMEM;
		policy->special_zones[policy->special_zone_count++] = zone;
		if (specials[i].name == resolver_arpa)
			policy->resolver_arpa = zone;
	}
	if (suffix_table_init(&policy->special, &policy->arena, answered ? SPECIALS : 0) != 0)
		return ERR_NOMEM;
	for (unsigned i = 0; answered && i < SPECIALS; i++) {
		struct zone *zone = policy->special_zones[i];
		int err = suffix_table_add(&policy->special, &policy->arena, zone_apex(zone), zone);

		if (err)
			return err;
	}
	return 0;
}

/* In the reverse trees, counts every name between the apex and in-addr.arpa or ip6.arpa. */
unsigned policy_count_above(const struct suffix_table *special, const struct name *apex)
{
	struct prefix prefix;
	unsigned label, rest, count = 0;

	if (special && apex->labels > 0 && suffix_table_find(special, apex, 1, &label))
		count = label - 1;
	if (apex->labels > 3U + count && reverse_parse(apex, &prefix, &rest))
		count = apex->labels - 3U;
	return count;
}

int policy_add_above(struct suffix_table *above, struct arena *arena, const struct hash_key *key,
		     const struct name *apex, unsigned first, unsigned last)
{
	struct name name;
	int err = 0;

	for (unsigned label = first; !err && label <= last; label++) {
		err = name_from_wire(&name, key, name_suffix_wire(apex, label),
				     name_suffix_length(apex, label), 0, NULL);
		if (!err)
			err = suffix_table_add(above, arena, &name, above);
		err = err == ERR_EXISTS ? 0 : err;
	}
	return err;
}
