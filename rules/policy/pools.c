/* Makes the reverse zones of address pools (reverse_zones.h), and answers from them. Each zone is
 * only an apex; the names below it, and an address's own name, are in the owned table and found by
 * the address.
 *
 *     10.100.51.198.in-addr.arpa       ends with a zone's name; the labels are an address
 *     70.64-127.100.51.198...          ends with a classless zone's name after an octet
 *     70.100.51.198.in-addr.arpa       in no zone, but an address of a pool within an octet
 *
 * The last kind needs a zone, too, for its SOA. The octet's zone is not ours, and the classless
 * zone is not above the name. Only this one name is ours, so it is a zone of its own: with a SOA,
 * NS and perhaps a PTR at its apex. One zone serves for all addresses of a pool, because they
 * differ only in their owners, which answers do not take from the zone. */

#include "rules/policy/internal.h"
#include "rules/policy/reverse_zones.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"

/* ---- making ---- */

struct pool_compilation {
	struct policy *policy;
	const struct suffix_table *before; /* zones to take over; may be NULL */
	const struct reverse_settings *reverse;
	const struct address_pool *pool; /* the latest one */
	const char *name;                /* the full name of `pool` */
};

static uint64_t print_reverse(const struct policy *policy, const struct reverse_settings *reverse)
{
	uint64_t print = reverse->name_servers.count;

	for (size_t i = 0; i < reverse->name_servers.count; i++)
		print = policy_print_text(policy, print, reverse->name_servers.items[i]);
	return policy_print_text(policy, print, reverse->hostmaster);
}

/* Counts the names of a zone: a classless zone also has an alias and the addresses' own names. */
static int count_zone(void *context, const struct reverse_zone *zone)
{
	*(size_t *)context += zone->classless ? 2 + (zone->alias != NULL) : 1;
	return 0;
}

static int add_zone(struct pool_compilation *p, const struct reverse_zone *from, const char *text,
		    bool classless)
{
	struct policy *policy = p->policy;
	struct policy_pool_zone *added = &policy->pool_zones[policy->pool_zone_count];
	struct name apex;

	if (name_from_text(&apex, &policy->key, text) != 0)
		return ERR_INVALID;
	const struct policy_pool_zone *before =
		p->before ? suffix_table_get(p->before, &apex, 0) : NULL;
	*added = (struct policy_pool_zone){
		.zone = before ? zone_ref(before->zone)
			       : policy_make_apex(policy, text, p->reverse),
		.pool = p->name,
		.prefix = from->prefix,
		.classless = classless,
	};
	int err = policy_keep_zone(policy, added->zone);
	if (!err)
		err = suffix_table_add(&policy->pools, &policy->arena, &apex, added);
	policy->pool_zone_count += !err;
	return err;
}

/* Makes the zone of the first address's name, which serves for the whole pool. */
static int add_part(struct pool_compilation *p, const struct reverse_zone *zone)
{
	struct policy *policy = p->policy;
	char text[NAME_TEXT_MAX];
	uint32_t index = policy->pool_zone_count;
	int err = add_zone(p, zone, reverse_text(&zone->prefix.address, text), false);

	return err ? err
		   : prefix_table_add(&policy->pool_parts, &policy->arena, &zone->prefix, index);
}

static int on_zone(void *context, const struct reverse_zone *zone)
{
	struct pool_compilation *p = context;

	if (p->pool != zone->pool)
		p->name = arena_strdup(&p->policy->arena, full_name(&zone->pool->named));
	p->pool = zone->pool;
	int err = p->name ? add_zone(p, zone, zone->origin, zone->classless) : ERR_NOMEM;
	if (!err && zone->alias)
		err = add_zone(p, zone, zone->alias, true);
	if (!err && zone->classless)
		err = add_part(p, zone);
	return err;
}

int policy_compile_pools(struct policy *policy, const struct policy *before,
			 const struct model *model)
{
	struct pool_compilation compilation = {.policy = policy, .reverse = &model->reverse};
	size_t count = 0;

	policy->apex_print = print_reverse(policy, &model->reverse);
	if (before && before->apex_print == policy->apex_print)
		compilation.before = &before->pools;
	reverse_each_zone(model, count_zone, &count);
	policy->pool_zones = arena_alloc_array(&policy->arena, count, sizeof *policy->pool_zones);
	int err = policy->pool_zones ? 0 : ERR_NOMEM;
	if (!err)
		err = suffix_table_init(&policy->pools, &policy->arena, count);
	if (!err)
		err = reverse_each_zone(model, on_zone, &compilation);
	prefix_table_build(&policy->pool_parts);
	return err;
}

/* ---- answering ---- */

/* The apex with its current serial. */
static const struct zone *zone_now(const struct policy *policy, const struct policy_pool_zone *in)
{
	const struct zone *stamped =
		policy->stamps ? policy->stamps[in - policy->pool_zones] : NULL;

	return stamped ? stamped : in->zone;
}

/* An address's PTR for all clients; a private address has one only in its network. */
static const struct rrset *public_ptr(const struct policy *policy, const struct address *address)
{
	return address_is_private(address) ? NULL : owned_ptr(policy->owned, address);
}

/* Answers a name below a classless zone's apex, where only labels of octets exist. */
static struct zone_answer find_classless(const struct policy *policy,
					 const struct policy_pool_zone *in, const struct name *name,
					 unsigned label, uint16_t type)
{
	struct zone_answer none = {.outcome = ZONE_NXDOMAIN, .zone = zone_now(policy, in)};
	struct address address = in->prefix.address;

	if (label != 1 || !reverse_parse_octet(name->wire, &address.bytes[3]) ||
	    !prefix_contains(&in->prefix, &address))
		return none;
	const struct rrset *ptr = public_ptr(policy, &address);
	return ptr ? policy_answer_set(ptr, type, none.zone) : none;
}

/* Answers a name below an apex of the tree: PTRs exist, and the names above them, which have no
 * data (RFC 8020). A prefix there is private as a whole or not at all. At an address that is an
 * apex the zone's own data are beside the PTR. */
static struct zone_answer find_in_tree(const struct policy *policy, const struct zone *zone,
				       const struct prefix *prefix, unsigned rest, bool at_apex,
				       uint16_t type)
{
	struct zone_answer answer = {.outcome = ZONE_NXDOMAIN, .zone = zone};
	bool whole = prefix->length == address_bits(&prefix->address);

	if (rest > 0)
		return answer;
	const struct rrset *ptr = whole ? public_ptr(policy, &prefix->address) : NULL;
	if (ptr && (!at_apex || type == TYPE_PTR || type == TYPE_ANY))
		return policy_answer_set(ptr, type, zone);
	if (at_apex)
		zone_find(zone, zone_apex(zone), type, &answer);
	else if (!whole && !address_is_private(&prefix->address) &&
		 owned_any_ptr(policy->owned, prefix))
		answer.outcome = ZONE_NODATA;
	return answer;
}

const char *policy_find_in_pools(const struct policy *policy, const struct name *name,
				 uint16_t type, struct zone_answer *answer, unsigned *label)
{
	const struct policy_pool_zone *in = suffix_table_find(&policy->pools, name, 0, label);
	struct prefix prefix;
	unsigned rest;

	if (in && in->classless) {
		if (*label == 0)
			zone_find(zone_now(policy, in), name, type, answer);
		else
			*answer = find_classless(policy, in, name, *label, type);
		return in->pool;
	}
	if (!reverse_parse(name, &prefix, &rest))
		return NULL;
	if (!in) {
		const struct prefix_entry *part =
			prefix_table_find(&policy->pool_parts, &prefix.address);

		if (!part || !prefix_covers(&part->prefix, &prefix))
			return NULL;
		in = &policy->pool_zones[part->value];
		*label = rest;
	}
	*answer = find_in_tree(policy, zone_now(policy, in), &prefix, rest, *label == 0, type);
	return in->pool;
}
