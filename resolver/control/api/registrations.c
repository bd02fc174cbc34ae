#include "resolver/control/api/registrations.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/percent.h"
#include "resolver/control/resource/kind.h"
#include "resolver/control/service/service.h"
#include "rules/array.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"
#include "rules/text.h"
#include "rules/wire.h"

static const struct policy *policy_of(const struct api_request *request)
{
	return request->service->server.current->policy;
}

/* ---- hidden records ---- */

static bool is_served(const struct registered_zone *zone, const struct name *name, uint16_t type)
{
	return !zone_find_exact(zone->layers.own, name, type) &&
	       zone_find_exact(zone->layers.served, name, type);
}

static const char *hidden_in(const struct registered_zone *zone, const struct name *name,
			     uint16_t type)
{
	struct zone_answer answer;

	if (!name_is_under(name, zone_apex(zone->layers.own)))
		return "setting";
	if (is_served(zone, name, type))
		return NULL;
	if (zone_find_exact(zone->layers.own, name, type))
		return "record";
	zone_find(zone->layers.own, name, type, &answer);
	return answer.outcome == ZONE_CNAME   ? "cname"
	       : answer.outcome == ZONE_DNAME ? "dname"
					      : "pending";
}

const char *registration_hidden_by(const struct api_request *request, const struct machine *machine)
{
	const struct policy *policy = policy_of(request);
	const struct registered_zone *zone =
		registered_find(policy->registered, full_name(&machine->zone->named));
	char text[NAME_TEXT_MAX], apex[NAME_TEXT_MAX];
	struct name name;

	if (!zone)
		return "pending";
	snprintf(text, sizeof text, "%s.%s", machine->label,
		 name_to_text(zone_apex(zone->layers.own), apex));
	return name_from_text(&name, &policy->key, text) == 0
		       ? hidden_in(zone, &name, machine->address.family == 4 ? TYPE_A : TYPE_AAAA)
		       : "length";
}

static bool sees_reverse(const struct policy *policy, const struct policy_network *network,
			 const struct registered_zone *zone)
{
	for (uint32_t i = 0; i < network->registration_count; i++)
		if (&policy->registered->zones[network->registrations[i]] == zone)
			return true;
	return false;
}

/* Whether a network that sees the zone's reverse records has a machine with this address. */
static bool is_machines(const struct policy *policy, const struct registered_zone *zone,
			const struct address *address)
{
	for (uint32_t i = 0; i < policy->network_count; i++)
		if (policy->networks[i].machines &&
		    sees_reverse(policy, &policy->networks[i], zone) &&
		    owned_ptr(policy->registered->ptrs[policy->networks[i].machines - 1], address))
			return true;
	return false;
}

/* For a name below in-addr.arpa or ip6.arpa. A client's PTR is answered only within the prefixes of
 * `registration`, and only if neither an address nor a machine has a PTR there. */
static const char *hidden_in_reverse(const struct policy *policy,
				     const struct registered_zone *zone, const struct name *name,
				     const struct prefix *prefix, uint16_t type)
{
	bool covered = false;

	for (size_t i = 0; i < zone->cut_count; i++)
		covered = covered || prefix_covers(&zone->cuts[i].prefix, prefix);
	if (!covered)
		return "setting";
	if (owned_ptr(policy->owned, &prefix->address))
		return "address";
	if (is_machines(policy, zone, &prefix->address))
		return "machine";
	return zone_find_exact(zone->reverse[prefix->address.family == 6], name, type) ? NULL
										       : "pending";
}

const char *registration_row_hidden_by(const struct api_request *request,
				       const struct registrar_row *row)
{
	const struct policy *policy = policy_of(request);
	const struct registered_zone *zone = registered_find(policy->registered, row->zone);
	const char *hidden_by;
	struct prefix prefix;
	struct name name;
	unsigned rest;

	if (!zone || !zone->base.served || name_from_text(&name, &policy->key, row->owner) != 0)
		return "setting";
	if (reverse_parse(&name, &prefix, &rest))
		return hidden_in_reverse(policy, zone, &name, &prefix, row->type);
	hidden_by = hidden_in(zone, &name, row->type);
	return !hidden_by && zone->machines && zone_find_exact(zone->machines, &name, row->type)
		       ? "machine"
		       : hidden_by;
}

/* ---- as record sets ---- */

/* Makes the last part of a set's key in the store (path_key), which decides the order of lists.
 * ERR_LIMIT: longer than any set's key. */
static int set_key(const char *name, char key[PATH_MAX_BYTES])
{
	if (3 * strlen(name) + 5 > PATH_MAX_BYTES)
		return ERR_LIMIT;
	text_lower(percent_encode(key, PATH_MAX_BYTES, name));
	return 0;
}

/* Compares the leading letters and digits of a name and a key. This is cheaper than making the
 * name's key, and nearly always decides. 0: no difference found. */
static int compare_start(const uint8_t *owner, const char *key)
{
	for (unsigned i = 0; i < owner[0]; i++) {
		int own = tolower(owner[1 + i]), other = (unsigned char)key[i];

		if (!isalnum(own) || !isalnum(other))
			return 0;
		if (own != other)
			return own - other;
	}
	return 0;
}

int registrations_compare(const char *left, const char *right)
{
	char first[PATH_MAX_BYTES], second[PATH_MAX_BYTES];

	return set_key(left, first) == 0 && set_key(right, second) == 0 ? strcmp(first, second) : 0;
}

struct registered_set {
	const char *key; /* decides the order; in the arena */
	const struct rrset *rrset;
	const uint8_t *owner; /* its owner name, in the zone's memory */
};

struct choosing { /* finds the first `wanted.most` sets of the zone */
	struct api_request *request;
	const struct registered_zone *zone;
	size_t apex; /* length of its text */
	struct registrations_wanted wanted;
	char behind[PATH_MAX_BYTES]; /* a key; "": from the first */
	struct registered_set *items;
	size_t count, room;
	const char *last; /* `most` sets are found up to this key; NULL: not yet */
};

/* The length of the apex as text, which ends each name of the zone. */
static size_t apex_bytes(const struct registered_zone *zone)
{
	char text[NAME_TEXT_MAX];

	return strlen(name_to_text(zone_apex(zone->layers.own), text));
}

/* Writes the name of a set, such as "vm1:A" or "@:AAAA". False: the owner is not in the zone. */
static bool name_set(size_t apex, const uint8_t *owner, uint16_t type, char text[NAME_TEXT_MAX + 8])
{
	size_t length = strlen(name_wire_to_text(owner, text));

	if (length < apex)
		return false;
	if (length == apex) {
		text[0] = '@';
		length = 1;
	} else {
		length -= apex + 1;
	}
	memcpy(text + length, type == TYPE_A ? ":A" : ":AAAA", type == TYPE_A ? 3 : 6);
	return true;
}

/* ERR_NOMEM. */
static int make_set(struct arena *arena, const struct rrset *rrset, const char *name,
		    struct record_set *set)
{
	const char **records = arena_alloc_array(arena, rrset->count, sizeof *records);
	uint8_t family = rrset->type == TYPE_A ? 4 : 6;
	size_t size = family == 4 ? 4 : 16;

	*set = (struct record_set){
		.name = arena_strdup(arena, name), .ttl = rrset->ttl, .is_registered = true};
	if (!set->name || !records)
		return ERR_NOMEM;
	for (size_t i = 0; i < rrset->count; i++) {
		struct address address = {.family = family};
		char text[ADDRESS_TEXT_MAX];

		memcpy(address.bytes, rrset->wire + i * (RECORD_HEADER + size) + RECORD_HEADER,
		       size);
		records[i] = arena_strdup(arena, address_print(&address, text));
		if (!records[i])
			return ERR_NOMEM;
	}
	set->records.items = records;
	set->records.count = rrset->count;
	return 0;
}

static int compare_candidates(const void *left, const void *right)
{
	const struct registered_set *a = left, *b = right;

	return strcmp(a->key, b->key);
}

static void keep_first(struct choosing *choosing)
{
	size_t most = choosing->wanted.most;

	if (choosing->count > 0)
		qsort(choosing->items, choosing->count, sizeof *choosing->items,
		      compare_candidates);
	if (choosing->count < most)
		return;
	choosing->count = most;
	choosing->last = choosing->items[most - 1].key;
}

static int add_candidate(struct choosing *choosing, const char *key, const uint8_t *owner,
			 const struct rrset *rrset)
{
	struct registered_set *items =
		array_grow(choosing->items, choosing->count, &choosing->room, sizeof *items);

	if (!items)
		return ERR_NOMEM;
	choosing->items = items;
	items[choosing->count++] =
		(struct registered_set){arena_strdup(&choosing->request->arena, key), rrset, owner};
	if (!items[choosing->count - 1].key)
		return ERR_NOMEM;
	if (choosing->count >= 2 * choosing->wanted.most) /* bounds the memory */
		keep_first(choosing);
	return 0;
}

/* Is the name certainly out of the range? The apex is never ruled out here, because its key begins
 * with "@" instead of its name. */
static bool is_beside(const struct choosing *choosing, const uint8_t *owner)
{
	return !name_wire_equal(owner, zone_apex(choosing->zone->layers.own)->wire) &&
	       (compare_start(owner, choosing->behind) < 0 ||
		(choosing->last && compare_start(owner, choosing->last) > 0));
}

static int on_rrset(void *context, const uint8_t *owner, const struct rrset *rrset)
{
	struct choosing *choosing = context;
	const struct kind *kind = kind_of_id(KIND_RECORD_SET);
	char text[NAME_TEXT_MAX + 8], key[PATH_MAX_BYTES];
	const struct record_set named = {.name = text};
	struct name name;

	/* Cheap tests first, because this runs for every name in the zone. */
	if ((rrset->type != TYPE_A && rrset->type != TYPE_AAAA) || is_beside(choosing, owner) ||
	    !name_set(choosing->apex, owner, rrset->type, text) ||
	    !choosing->wanted.wants(choosing->request, kind, &named) || set_key(text, key) != 0 ||
	    strcmp(key, choosing->behind) <= 0 ||
	    (choosing->last && strcmp(key, choosing->last) > 0) ||
	    name_from_wire(&name, &policy_of(choosing->request)->key, owner, NAME_WIRE_MAX, 0,
			   NULL) != 0)
		return 0;
	return is_served(choosing->zone, &name, rrset->type)
		       ? add_candidate(choosing, key, owner, rrset)
		       : 0;
}

/* ERR_NOMEM. */
static int choose(struct choosing *choosing)
{
	const char *behind = choosing->wanted.behind;

	if (behind && set_key(behind, choosing->behind) != 0)
		choosing->behind[0] = '\0';
	if (zone_walk(choosing->zone->layers.registered, on_rrset, choosing) != 0)
		return ERR_NOMEM;
	keep_first(choosing);
	return 0;
}

int registrations_as_sets(struct api_request *request, const struct private_zone *zone,
			  const struct registrations_wanted *wanted, const struct record_set **sets,
			  size_t *count)
{
	struct choosing choosing = {
		.request = request,
		.zone = registered_find(policy_of(request)->registered, full_name(&zone->named)),
		.wanted = *wanted};
	char text[NAME_TEXT_MAX + 8];
	struct record_set *made = NULL;
	int err = 0;

	*sets = NULL;
	*count = 0;
	if (!choosing.zone || wanted->most == 0)
		return 0;
	choosing.apex = apex_bytes(choosing.zone);
	err = choose(&choosing);
	if (!err && choosing.count > 0) {
		made = arena_alloc_array(&request->arena, choosing.count, sizeof *made);
		err = made ? 0 : ERR_NOMEM;
	}
	for (size_t i = 0; !err && i < choosing.count; i++)
		err = name_set(choosing.apex, choosing.items[i].owner,
			       choosing.items[i].rrset->type, text)
			      ? make_set(&request->arena, choosing.items[i].rrset, text, &made[i])
			      : ERR_NOMEM;
	if (!err)
		*count = choosing.count;
	free(choosing.items);
	*sets = made;
	return err;
}

/* Reads the name of a set, such as "vm1:A". False: no set of addresses can have it. */
static bool read_set_name(const struct policy *policy, const struct registered_zone *zone,
			  const char *text, struct name *name, uint16_t *type)
{
	const char *colon = strrchr(text, ':');
	char apex[NAME_TEXT_MAX], full[2 * NAME_TEXT_MAX];
	bool at_apex = strncmp(text, "@:", 2) == 0;

	if (!colon || record_type_parse(type, colon + 1) != 0 ||
	    (*type != TYPE_A && *type != TYPE_AAAA) || colon - text >= NAME_TEXT_MAX)
		return false;
	snprintf(full, sizeof full, "%.*s%s%s", at_apex ? 0 : (int)(colon - text), text,
		 at_apex ? "" : ".", name_to_text(zone_apex(zone->layers.own), apex));
	return name_from_text(name, &policy->key, full) == 0;
}

const struct record_set *registrations_find(struct api_request *request,
					    const struct private_zone *zone, const char *name)
{
	const struct policy *policy = policy_of(request);
	const struct registered_zone *in =
		registered_find(policy->registered, full_name(&zone->named));
	char text[NAME_TEXT_MAX + 8];
	const struct rrset *rrset;
	struct record_set *made;
	struct name owner;
	uint16_t type;

	if (!in || !read_set_name(policy, in, name, &owner, &type) || !is_served(in, &owner, type))
		return NULL;
	rrset = zone_find_exact(in->layers.registered, &owner, type);
	made = arena_alloc(&request->arena, sizeof *made);
	return rrset && made && name_set(apex_bytes(in), owner.wire, type, text) &&
			       make_set(&request->arena, rrset, text, made) == 0
		       ? made
		       : NULL;
}
