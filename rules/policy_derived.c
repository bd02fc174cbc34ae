/* A zone that is made of a model's values is described twice by the same function: first its
 * fingerprint is taken, a keyed hash of everything it would be made of, and only where the policy
 * before has no zone with the same are records made and sorted.
 *
 *     describe ─► fingerprint ──in the policy before?──► yes: its zone, one reference more
 *                                                  └───► no: describe again ─► builder ─► zone
 *
 * So a reload that changes nothing here costs a hash of each address and not a zone, and both walks
 * cannot differ in what they take in. It does not keep a zone's records where only some of them
 * have changed: such a zone is made anew. */
#include <stdlib.h>
#include <string.h>

#include "rules/policy_internal.h"
#include "rules/reverse.h"

enum { APEX_TTL = 3600, RDATA_SOA_MAX = 2 * NAME_WIRE_MAX + 20 };

/* ---- the fingerprint ---- */

static bool is_printing(const struct derived *derived)
{
	return derived->builder == NULL;
}

static void print(struct derived *derived, const void *bytes, size_t length)
{
	derived->fingerprint =
		hash_bytes(&derived->policy->key, derived->fingerprint, bytes, length);
}

/* With its end, so that two texts in a row are not two others. */
static void print_text(struct derived *derived, const char *text)
{
	print(derived, text ? text : "", text ? strlen(text) + 1 : 0);
}

static void print_address(struct derived *derived, const struct address *address, uint32_t ttl)
{
	uint8_t bytes[1 + sizeof address->bytes + sizeof ttl];

	bytes[0] = address->family;
	memcpy(bytes + 1, address->bytes, sizeof address->bytes);
	memcpy(bytes + 1 + sizeof address->bytes, &ttl, sizeof ttl);
	print(derived, bytes, sizeof bytes);
}

static void print_reverse(struct derived *derived)
{
	const struct reverse_settings *reverse = derived->reverse;

	for (size_t i = 0; i < reverse->name_servers.count; i++)
		print_text(derived, reverse->name_servers.items[i]);
	print_text(derived, reverse->hostmaster);
}

/* ---- records ---- */

static int add(struct derived *derived, const char *owner, uint16_t type, uint32_t ttl,
	       const uint8_t *rdata, size_t length)
{
	static const struct origin origin;
	struct name name;

	if (name_from_text(&name, &derived->policy->key, owner) != 0)
		return 0;
	return zone_builder_add(derived->builder, &origin, name.wire, type, ttl, rdata, length,
				&derived->faults);
}

static int add_name(struct derived *derived, const char *owner, uint16_t type, uint32_t ttl,
		    const char *target)
{
	struct name name;

	if (name_from_text(&name, &derived->policy->key, target) != 0)
		return 0;
	return add(derived, owner, type, ttl, name.wire, name.length);
}

int derived_ptr(struct derived *derived, const struct address *address, uint32_t ttl,
		const char *name)
{
	char owner[NAME_TEXT_MAX];

	derived->records++;
	if (!is_printing(derived))
		return add_name(derived, reverse_text(address, owner), TYPE_PTR, ttl, name);
	print_address(derived, address, ttl);
	print_text(derived, name);
	return 0;
}

int derived_address(struct derived *derived, const char *owner, const struct address *address)
{
	uint32_t ttl = derived->reverse->ttl;

	derived->records++;
	if (!is_printing(derived))
		return add(derived, owner, address->family == 4 ? TYPE_A : TYPE_AAAA, ttl,
			   address->bytes, address->family == 4 ? 4 : 16);
	print_address(derived, address, ttl);
	print_text(derived, owner);
	return 0;
}

int derived_apex(struct derived *derived)
{
	static const uint8_t times[20] = {0, 0,    0, 1,    0,    0, 0x0e, 0x10, 0, 0,
					  1, 0x2c, 0, 0x24, 0xea, 0, 0,    0,    1, 0x2c};
	const struct reverse_settings *reverse = derived->reverse;
	const struct hash_key *key = &derived->policy->key;
	struct name server, hostmaster;
	uint8_t rdata[RDATA_SOA_MAX];

	derived->records++;
	if (is_printing(derived)) {
		print_reverse(derived);
		return 0;
	}
	if (!reverse->name_servers.count ||
	    name_from_text(&server, key, reverse->name_servers.items[0]) != 0)
		return 0;
	if (!reverse->hostmaster || name_from_text(&hostmaster, key, reverse->hostmaster) != 0)
		hostmaster = server;
	memcpy(rdata, server.wire, server.length);
	memcpy(rdata + server.length, hostmaster.wire, hostmaster.length);
	memcpy(rdata + server.length + hostmaster.length, times, sizeof times);
	int err = add(derived, derived->apex, TYPE_SOA, APEX_TTL, rdata,
		      (size_t)server.length + hostmaster.length + sizeof times);
	for (size_t i = 0; !err && i < reverse->name_servers.count; i++)
		err = add_name(derived, derived->apex, TYPE_NS, APEX_TTL,
			       reverse->name_servers.items[i]);
	return err;
}

/* ---- the zone ---- */

static int compare_fingerprints(const void *a, const void *b)
{
	uint64_t left = ((const struct policy_derived *)a)->fingerprint;
	uint64_t right = ((const struct policy_derived *)b)->fingerprint;

	return left < right ? -1 : left > right;
}

static struct zone *taken_over(const struct policy *before, uint64_t fingerprint)
{
	const struct policy_derived key = {.fingerprint = fingerprint};
	const struct policy_derived *found =
		before && before->derived_count
			? bsearch(&key, before->derived, before->derived_count, sizeof key,
				  compare_fingerprints)
			: NULL;

	return found ? zone_ref(found->zone) : NULL;
}

/* What limits_check let pass and is no record all the same is left out: there is nobody to tell. */
static struct zone *build(struct derived *derived, const struct name *apex,
			  int (*describe)(struct derived *derived, const void *of), const void *of)
{
	static const struct origin origin;
	struct zone *zone = NULL;

	derived->builder = zone_builder_new(&derived->policy->key, apex);
	if (!derived->builder)
		return NULL;
	faults_init(&derived->faults);
	if (describe(derived, of) == 0)
		zone = zone_builder_finish(derived->builder, &origin, &derived->faults);
	else
		zone_builder_free(derived->builder);
	faults_release(&derived->faults);
	return zone;
}

int policy_derive(struct policy *policy, const struct policy *before,
		  const struct reverse_settings *reverse, const char *apex,
		  int (*describe)(struct derived *derived, const void *of), const void *of,
		  struct zone **zone)
{
	struct derived derived = {.policy = policy, .reverse = reverse, .apex = apex};
	struct name name;

	*zone = NULL;
	if (name_from_text(&name, &policy->key, apex) != 0)
		return ERR_INVALID;
	print_text(&derived, apex);
	int err = describe(&derived, of);
	if (err || !derived.records)
		return err;
	struct zone *made = taken_over(before, derived.fingerprint);
	if (!made)
		made = build(&derived, &name, describe, of);
	err = policy_keep_zone(policy, made);
	if (err)
		return err;
	policy->derived[policy->derived_count++] =
		(struct policy_derived){derived.fingerprint, made};
	*zone = made;
	return 0;
}

void policy_derived_sort(struct policy *policy)
{
	if (policy->derived_count)
		qsort(policy->derived, policy->derived_count, sizeof *policy->derived,
		      compare_fingerprints);
}
