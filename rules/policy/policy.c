/* The decisions of a policy. Each stage is a function that either decides or passes; policy_decide
 * walks the stages. With a trace the walk continues after the decision, to show what would have
 * matched and why it did not. */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "rules/base.h"
#include "rules/policy/internal.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"

struct decision {
	const struct policy *policy;
	const struct policy_network *network;
	struct place place;
	const struct name *name;
	uint16_t type;
	bool decided; /* an earlier stage has decided: this one is only traced */
	struct trace *trace;
};

const char *decided_word(enum decided_by by)
{
	static const char *const words[] = {
#define X(name, word, text) [DECIDED_##name] = word,
		DECIDED_MAP(X)
#undef X
	};
	return words[by];
}

const char *decided_text(enum decided_by by)
{
	static const char *const texts[] = {
#define X(name, word, text) [DECIDED_##name] = text,
		DECIDED_MAP(X)
#undef X
	};
	return texts[by];
}

static void note(const struct decision *d, enum decided_by by, enum trace_outcome outcome,
		 const char *object, const char *ruleset, unsigned label)
{
	if (!d->trace)
		return;
	if (outcome == TRACE_MATCHED && d->decided)
		outcome = TRACE_SHADOWED;
	if (d->trace->count == TRACE_STEPS) {
		d->trace->dropped++;
		return;
	}
	d->trace->steps[d->trace->count++] =
		(struct trace_step){by, outcome, object, ruleset, label};
}

static void forward(struct verdict *verdict, enum decided_by by, const char *object,
		    const struct route *route)
{
	verdict->kind = VERDICT_FORWARD;
	verdict->by = by;
	verdict->object = object;
	verdict->route = route;
}

static void answer(struct verdict *verdict, enum decided_by by, const char *object)
{
	verdict->kind = VERDICT_ANSWER;
	verdict->by = by;
	verdict->object = object;
}

/* ---- the stages, in their order ---- */

static bool by_custom(const struct decision *d, struct verdict *verdict)
{
	if (!d->place.vnet_resolver || !d->network->custom)
		return false;
	note(d, DECIDED_CUSTOM, TRACE_MATCHED, d->network->name, NULL, d->name->labels);
	forward(verdict, DECIDED_CUSTOM, d->network->name, d->network->custom);
	return true;
}

/* The next shorter linked zone after the one that starts at *label; NULL: none. */
static const struct policy_zone_link *shorter_zone(const struct decision *d, unsigned *label)
{
	return *label < d->name->labels
		       ? suffix_table_find(&d->network->zones, d->name, *label + 1, label)
		       : NULL;
}

static void note_shorter_zones(const struct decision *d, unsigned label)
{
	const struct policy_zone_link *link;

	while (d->trace && (link = shorter_zone(d, &label)))
		note(d, DECIDED_ZONE, TRACE_SHORTER, link->name, NULL, label);
}

struct zone_answer policy_answer_set(const struct rrset *set, uint16_t type,
				     const struct zone *zone)
{
	bool hit = type == set->type || type == TYPE_ANY;

	return (struct zone_answer){
		.outcome = hit ? ZONE_HIT : ZONE_NODATA,
		.rrset = hit ? set : NULL,
		.zone = zone,
	};
}

/* Must be cheap, because it runs for every name. */
static inline bool is_reverse(const struct name *name)
{
	static const char arpa[] = "\4arpa";
	unsigned last = name->labels - 1U;

	return name->labels > 2 && name_suffix_length(name, last) == sizeof arpa &&
	       memcmp(name_suffix_wire(name, last), arpa, sizeof arpa) == 0;
}

static bool is_whole(const struct prefix *prefix)
{
	return prefix->length == address_bits(&prefix->address);
}

/* Searches the last space that begins at or before the address: only it may contain the address. */
static bool is_networks(const struct policy_network *network, const struct address *address)
{
	uint32_t low = 0, high = network->space_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (address_compare(&network->spaces[middle].address, address) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && prefix_contains(&network->spaces[low - 1], address);
}

static const struct registered_zone *registered_at(const struct decision *d, uint32_t place)
{
	return &d->policy->registered->zones[place];
}

/* The PTRs of the network's machines; NULL: none register. */
static const struct owned *machine_ptrs(const struct decision *d)
{
	return d->network->machines ? d->policy->registered->ptrs[d->network->machines - 1] : NULL;
}

/* The PTR of a machine's address in the network's own space; NULL: none. */
static const struct rrset *machine_ptr(const struct decision *d, const struct address *address)
{
	const struct owned *ptrs = machine_ptrs(d);
	const struct rrset *ptr = ptrs ? owned_ptr(ptrs, address) : NULL;

	return ptr && is_networks(d->network, address) ? ptr : NULL;
}

static bool any_machine(const struct decision *d, const struct prefix *prefix)
{
	const struct owned *ptrs = machine_ptrs(d);

	return ptrs && owned_any_ptr(ptrs, prefix);
}

/* Whether any address in the prefix has a PTR, of our own or of a machine. */
static bool any_ptr(const struct decision *d, const struct prefix *prefix)
{
	return owned_any_ptr(d->policy->owned, prefix) || any_machine(d, prefix);
}

/* A reverse name exists if a PTR of the network's address space is below it, even if other data
 * deny it. */
static void find_above_ptrs(const struct decision *d, struct zone_answer *answer)
{
	const struct policy_network *network = d->network;
	struct prefix prefix;
	unsigned rest;
	bool any = false;

	if (answer->outcome != ZONE_NXDOMAIN || !is_reverse(d->name) ||
	    !reverse_parse(d->name, &prefix, &rest) || rest > 0)
		return;
	for (uint32_t i = 0; !any && i < network->space_count; i++) {
		const struct prefix *space = &network->spaces[i];

		if (prefix_covers(space, &prefix))
			any = any_ptr(d, &prefix);
		else if (prefix_covers(&prefix, space))
			any = any_ptr(d, space);
	}
	if (any)
		answer->outcome = ZONE_NODATA;
}

static void answer_server(struct verdict *verdict, const struct zone *zone)
{
	verdict->answer = (struct zone_answer){.outcome = ZONE_NODATA, .zone = zone};
	verdict->as = AS_SERVER;
}

static __attribute__((noinline)) void find_beside_registered(const struct decision *d,
							     uint32_t place,
							     struct verdict *verdict)
{
	const struct registered_zone *zone = registered_at(d, place);
	const struct zone *served = zone->layers.served;

	if (zone->base.served && registered_has_server(served, d->name))
		answer_server(verdict, served);
	else
		zone_find(served, d->name, d->type, &verdict->answer);
}

/* Answers the name of a name server of a cut of the reverse tree. */
static __attribute__((noinline)) bool find_cut_server(const struct decision *d,
						      struct verdict *verdict)
{
	for (uint32_t i = 0; i < d->network->registration_count; i++) {
		const struct registered_zone *zone = registered_at(d, d->network->registrations[i]);

		for (size_t k = 0; k < zone->cut_count; k++)
			if (registered_is_server(d->name, zone_apex(zone->cuts[k].apex))) {
				answer_server(verdict, zone->cuts[k].apex);
				return true;
			}
	}
	return false;
}

/* Answers a reverse name from the records that clients registered in a linked zone, if one of that
 * zone's prefixes contains the address. False: none does. */
static bool find_registered(const struct decision *d, const struct prefix *prefix,
			    struct zone_answer *answer)
{
	for (uint32_t i = 0; i < d->network->registration_count; i++) {
		const struct registered_zone *zone = registered_at(d, d->network->registrations[i]);

		for (size_t k = 0; k < zone->cut_count; k++) {
			const struct registered_cut *cut = &zone->cuts[k];

			if (!prefix_covers(&cut->prefix, prefix))
				continue;
			zone_find(zone->reverse[prefix->address.family == 6], d->name, d->type,
				  answer);
			/* A cut has SOA and NS at its own name. In a prefix of one address this is
			 * the address's name, which may have a PTR as well. */
			if (answer->outcome != ZONE_HIT &&
			    d->name->labels == zone_apex(cut->apex)->labels)
				zone_find(cut->apex, d->name, d->type, answer);
			answer->zone = cut->apex;
			return true;
		}
	}
	return false;
}

/* Answers SOA and NS of a cut whose prefix is not one of whole octets or nibbles: the cut is above
 * the prefix, and other names there are not ours to deny. A pool's zone of that name takes
 * precedence, because it has the transferred serial. */
static bool find_cut(const struct decision *d, struct zone_answer *answer)
{
	if ((d->type != TYPE_SOA && d->type != TYPE_NS) ||
	    suffix_table_get(&d->policy->pools, d->name, 0))
		return false;
	for (uint32_t i = 0; i < d->network->registration_count; i++) {
		const struct registered_zone *zone = registered_at(d, d->network->registrations[i]);

		for (size_t k = 0; k < zone->cut_count; k++)
			if (name_equal(d->name, zone_apex(zone->cuts[k].apex))) {
				zone_find(zone->cuts[k].apex, d->name, d->type, answer);
				return true;
			}
	}
	return false;
}

/* Answers PTRs of machines beside the records of a linked reverse zone, after that zone has denied
 * the name. */
static void find_machine(const struct decision *d, struct zone_answer *answer)
{
	struct prefix prefix;
	unsigned rest;

	if (!d->network->machines || !is_reverse(d->name) ||
	    !reverse_parse(d->name, &prefix, &rest) || rest > 0)
		return;
	const struct rrset *ptr = is_whole(&prefix) ? machine_ptr(d, &prefix.address) : NULL;
	if (ptr && (d->type == TYPE_PTR || d->type == TYPE_ANY || answer->outcome == ZONE_NXDOMAIN))
		*answer = policy_answer_set(ptr, d->type, answer->zone);
	else if (!is_whole(&prefix) && any_machine(d, &prefix))
		answer->outcome = ZONE_NODATA; /* the name is an empty non-terminal */
}

/* Looks a name up in a zone (RFC 1034 section 4.3.2). Registered records are beside the zone's own,
 * and machines' PTRs beside both. */
static void find_in_zone(const struct decision *d, const struct policy_zone_link *link,
			 struct verdict *verdict)
{
	if (link->registered)
		find_beside_registered(d, link->registered - 1, verdict);
	else
		zone_find(link->zone, d->name, d->type, &verdict->answer);
	if (verdict->answer.outcome == ZONE_NXDOMAIN || verdict->answer.outcome == ZONE_NODATA)
		find_machine(d, &verdict->answer);
}

/* Whether the link redirects this type; Azure redirects only these. */
static bool is_redirected(const struct decision *d, const struct policy_zone_link *link)
{
	return link->resolution_policy == RESOLUTION_NXDOMAIN_REDIRECT &&
	       (d->type == TYPE_A || d->type == TYPE_AAAA || d->type == TYPE_CNAME) &&
	       d->policy->default_route && !d->network->no_default;
}

/* Whether the zone lacks the name and its link passes such names on. */
static bool is_passed_on(const struct policy_zone_link *link, const struct zone_answer *answer)
{
	return answer->outcome == ZONE_NXDOMAIN &&
	       link->resolution_policy == RESOLUTION_NXDOMAIN_FALLTHROUGH;
}

/* A name above a linked zone exists, even if the data around it lack it: a client that takes
 * NXDOMAIN for all names below (RFC 8020) would never ask for the linked zone. */
static void find_above(const struct decision *d, struct zone_answer *answer)
{
	if (answer->outcome == ZONE_NXDOMAIN && suffix_table_get(&d->network->above, d->name, 0))
		answer->outcome = ZONE_NODATA;
}

static void decide_by_zone(const struct decision *d, const struct policy_zone_link *link,
			   struct verdict *verdict)
{
	verdict->zone = link->series;
	find_above(d, &verdict->answer);
	if (verdict->answer.outcome == ZONE_NXDOMAIN && is_redirected(d, link)) {
		forward(verdict, DECIDED_ZONE, link->name, d->policy->default_route);
		verdict->redirected = true;
	} else {
		answer(verdict, DECIDED_ZONE, link->name);
	}
}

/* The longest linked zone decides, unless it lacks the name and passes it on. */
static bool by_zone(const struct decision *d, struct verdict *verdict)
{
	unsigned label;
	const struct policy_zone_link *link =
		suffix_table_find(&d->network->zones, d->name, 0, &label);

	if (!link)
		note(d, DECIDED_ZONE, TRACE_NONE, NULL, NULL, 0);
	for (; link; link = shorter_zone(d, &label)) {
		find_in_zone(d, link, verdict);
		if (!is_passed_on(link, &verdict->answer)) {
			note(d, DECIDED_ZONE, TRACE_MATCHED, link->name, NULL, label);
			note_shorter_zones(d, label);
			decide_by_zone(d, link, verdict);
			return true;
		}
		note(d, DECIDED_ZONE, TRACE_PASSED, link->name, NULL, label);
	}
	return false;
}

/* Answers the exact name of an address in the network's own space from our PTR or a machine's, else
 * from clients' registered records. */
static bool find_address(const struct decision *d, const struct prefix *prefix,
			 struct verdict *verdict)
{
	const struct rrset *ptr = NULL;

	if (is_whole(prefix) && is_networks(d->network, &prefix->address))
		ptr = owned_ptr(d->policy->owned, &prefix->address);
	if (!ptr && is_whole(prefix))
		ptr = machine_ptr(d, &prefix->address);
	if (!ptr)
		return find_registered(d, prefix, &verdict->answer) ||
		       find_cut(d, &verdict->answer);
	verdict->as = AS_NAME;
	verdict->answer =
		policy_answer_set(ptr, d->type, d->policy->trees[prefix->address.family == 6]);
	return true;
}

static bool by_address(const struct decision *d, struct verdict *verdict)
{
	const struct policy_network *network = d->network;
	struct prefix prefix;
	unsigned rest;

	if ((!network->space_count && !network->registration_count) || !is_reverse(d->name) ||
	    !reverse_parse(d->name, &prefix, &rest))
		return false;
	if (rest > 0 ? !find_cut_server(d, verdict) : !find_address(d, &prefix, verdict))
		return false;
	note(d, DECIDED_ADDRESS, TRACE_MATCHED, network->name, NULL, 0);
	answer(verdict, DECIDED_ADDRESS, network->name);
	return true;
}

/* The rule with the longest enabled suffix of all rulesets; of equal suffixes the earlier
 * ruleset's. */
static const struct rule *longest_rule(const struct decision *d, unsigned *label)
{
	const struct rule *longest = NULL;
	unsigned at = 0;

	for (uint32_t i = 0; i < d->network->ruleset_count; i++) {
		const struct rule *rule = ruleset_find(d->network->rulesets[i], d->name, &at);

		if (rule && (!longest || at < *label)) {
			longest = rule;
			*label = at;
		}
	}
	return longest;
}

static void note_rules(const struct decision *d, const struct rule *longest, unsigned decides)
{
	if (!d->trace)
		return;
	for (uint32_t i = 0; i < d->network->ruleset_count; i++) {
		const struct ruleset *ruleset = d->network->rulesets[i];
		unsigned label = 0;
		const struct rule *rule = ruleset_next(ruleset, d->name, 0, &label);

		if (!rule)
			note(d, DECIDED_RULE, TRACE_NOT_FOUND, NULL, ruleset_name(ruleset), 0);
		while (rule) {
			enum trace_outcome outcome =
				rule == longest  ? TRACE_MATCHED
				: !rule->enabled ? rule->reserved ? TRACE_RESERVED : TRACE_DISABLED
				: label == decides ? TRACE_LATER
						   : TRACE_SHORTER;

			note(d, DECIDED_RULE, outcome, rule->name ? rule->name : rule->domain,
			     rule->ruleset, label);
			rule = label < d->name->labels
				       ? ruleset_next(ruleset, d->name, label + 1, &label)
				       : NULL;
		}
	}
}

static bool by_rule(const struct decision *d, struct verdict *verdict)
{
	unsigned label = 0;
	const struct rule *rule = longest_rule(d, &label);

	if (!d->network->ruleset_count)
		note(d, DECIDED_RULE, TRACE_NONE, NULL, NULL, 0);
	note_rules(d, rule, label);
	if (!rule)
		return false;
	forward(verdict, DECIDED_RULE, rule->name, &rule->route);
	verdict->rule = rule;
	return true;
}

/* Pools decide exactly the names in their zones. */
static bool by_pool(const struct decision *d, struct verdict *verdict)
{
	unsigned label;
	const char *pool;

	if (!d->policy->pools.count || !is_reverse(d->name))
		return false;
	pool = policy_find_in_pools(d->policy, d->name, d->type, &verdict->answer, &label);
	if (!pool)
		return false;
	note(d, DECIDED_POOL, TRACE_MATCHED, pool, NULL, label);
	answer(verdict, DECIDED_POOL, pool);
	return true;
}

/* The address in the set of an own name. */
static struct address address_of(const struct rrset *set)
{
	struct address address = {.family = set->type == TYPE_A ? 4 : 6};
	size_t length;
	const uint8_t *bytes = rrset_rdata(set, &length);

	assert(length == address_bits(&address) / 8);
	memcpy(address.bytes, bytes, length);
	return address;
}

/* A private address has its names, like its PTR, only in the network whose space contains it. */
static bool by_own_name(const struct decision *d, struct verdict *verdict)
{
	unsigned label;
	const struct owned *owned = d->policy->owned;
	const struct zone *zone = owned_host_count(owned)
					  ? suffix_table_find(&d->policy->names, d->name, 0, &label)
					  : NULL;
	const struct rrset *set = zone ? owned_host(owned, d->name) : NULL;

	if (!set)
		return false;
	const struct address address = address_of(set);
	if (address_is_private(&address) && !is_networks(d->network, &address)) {
		note(d, DECIDED_NAME, TRACE_ELSEWHERE, NULL, NULL, 0);
		return false;
	}
	note(d, DECIDED_NAME, TRACE_MATCHED, NULL, NULL, 0);
	answer(verdict, DECIDED_NAME, NULL);
	verdict->answer = policy_answer_set(set, d->type, zone);
	verdict->as = AS_NAME;
	return true;
}

static bool by_special(const struct decision *d, struct verdict *verdict)
{
	unsigned label;
	const struct zone *zone = suffix_table_find(&d->policy->special, d->name, 0, &label);

	if (!zone)
		return false;
	note(d, DECIDED_SPECIAL, TRACE_MATCHED, NULL, NULL, label);
	answer(verdict, DECIDED_SPECIAL, NULL);
	zone_find(zone, d->name, d->type, &verdict->answer);
	if (zone == d->policy->resolver_arpa && verdict->answer.outcome == ZONE_NXDOMAIN)
		verdict->answer.outcome = ZONE_NODATA;
	return true;
}

static bool by_default(const struct decision *d, struct verdict *verdict)
{
	if (!d->policy->default_route || (d->network && d->network->no_default))
		return false;
	note(d, DECIDED_DEFAULT, TRACE_MATCHED, NULL, NULL, d->name->labels);
	forward(verdict, DECIDED_DEFAULT, NULL, d->policy->default_route);
	return true;
}

static bool (*const stages[])(const struct decision *, struct verdict *) = {
	by_custom, by_zone, by_address, by_rule, by_pool, by_own_name, by_special, by_default,
};

/* Stages after the rules do not know the rules below the name. */
static void find_above_rules(const struct decision *d, struct zone_answer *answer)
{
	for (uint32_t i = 0; i < d->network->ruleset_count; i++)
		if (ruleset_has_below(d->network->rulesets[i], d->name))
			answer->outcome = ZONE_NODATA;
}

/* Stages after the zones do not know all of our own names. A label's name is LABEL.REGION.SUFFIX.
 * Labels come and go without a new policy, so while there is any own name, each name right below
 * the suffix counts as a region. */
static void find_above_ours(const struct decision *d, struct zone_answer *answer)
{
	const struct policy *policy = d->policy;
	bool region = policy->regions && d->name->labels > 0 && owned_host_count(policy->owned) &&
		      suffix_table_get(&policy->names, d->name, 1) == policy->regions;

	if (region || suffix_table_get(&policy->above, d->name, 0))
		answer->outcome = ZONE_NODATA;
}

/* No stage may deny a name above a linked zone, a rule, one of our own names or pools, or a PTR of
 * the network's own addresses and machines. A linked zone hides the rules, own names, pools and
 * PTRs within it, so it may deny names above these. */
static inline void keep_existing(const struct decision *d, struct verdict *verdict)
{
	if (verdict->kind != VERDICT_ANSWER || verdict->by == DECIDED_ZONE ||
	    verdict->answer.outcome != ZONE_NXDOMAIN)
		return; /* by_zone calls find_above itself, before a redirection */
	find_above(d, &verdict->answer);
	find_above_rules(d, &verdict->answer);
	find_above_ours(d, &verdict->answer);
	find_above_ptrs(d, &verdict->answer);
}

/* A network without links and addresses. */
static const struct policy_network nowhere = {.name = "the default resolver"};

void policy_decide(const struct policy *policy, struct place place, const struct name *name,
		   uint16_t type, struct verdict *verdict, struct trace *trace)
{
	struct decision decision = {
		.policy = policy,
		.place = place,
		.name = name,
		.type = type,
		.trace = trace,
	};
	struct verdict later;

	*verdict = (struct verdict){.kind = VERDICT_REFUSE};
	if (trace)
		trace->count = trace->dropped = 0;
	if (place.network < NETWORK_OUTSIDE) { /* one comparison for nearly all queries */
		decision.network = &policy->networks[place.network];
	} else if (place.network == NETWORK_DEFAULT) {
		decision.network = &nowhere;
	} else {
		if (place.network == NETWORK_OUTSIDE)
			by_default(&decision, verdict);
		return;
	}
	for (size_t i = 0; i < COUNT(stages); i++) {
		bool matched = stages[i](&decision, decision.decided ? &later : verdict);

		if (matched && !decision.decided)
			keep_existing(&decision, verdict);
		if (matched && !trace)
			return;
		decision.decided = decision.decided || matched;
	}
}

bool policy_is_large(const struct policy *policy, struct place place)
{
	return place.network < policy->network_count && policy->networks[place.network].large;
}

void policy_expect(const struct policy *policy, struct place place, const struct name *name,
		   unsigned pass)
{
	const struct policy_network *network = &policy->networks[place.network];
	unsigned label;
	const struct policy_zone_link *link = suffix_table_find(&network->zones, name, 0, &label);

	if (link && !link->registered)
		zone_expect(link->zone, name, pass);
	for (uint32_t i = 0; !link && i < network->ruleset_count; i++)
		ruleset_expect(network->rulesets[i], name, pass);
}

/* ---- places ---- */

bool policy_explains_to(const struct policy *policy, const struct address *client)
{
	return client->family == 0 ||
	       (policy->details &&
		(address_is_loopback(client) || prefix_table_find(&policy->clients, client)));
}

struct place policy_place_of_client(const struct policy *policy, const struct address *source)
{
	const struct prefix_entry *entry = prefix_table_find(&policy->clients, source);

	return (struct place){entry ? entry->value : NETWORK_NONE, true};
}

uint32_t policy_find_network(const struct policy *policy, const char *text)
{
	uint32_t namesakes = 0, found = NETWORK_NONE;

	for (uint32_t i = 0; i < policy->network_count; i++) {
		enum reference_fit fit = reference_fit(text, policy->networks[i].name, 0);

		if (fit == REFERENCE_EXACT)
			return i;
		if (fit == REFERENCE_NAMESAKE && ++namesakes)
			found = i;
	}
	return namesakes == 1 ? found : NETWORK_NONE;
}

const struct policy_inbound *policy_find_inbound(const struct policy *policy, const char *text)
{
	const struct policy_inbound *found = NULL;
	uint32_t namesakes = 0;

	for (uint32_t i = 0; i < policy->inbound_count; i++) {
		enum reference_fit fit = reference_fit(text, policy->inbounds[i].name, 1);

		if (fit == REFERENCE_EXACT)
			return &policy->inbounds[i];
		if (fit == REFERENCE_NAMESAKE && ++namesakes)
			found = &policy->inbounds[i];
	}
	return namesakes == 1 ? found : NULL;
}
