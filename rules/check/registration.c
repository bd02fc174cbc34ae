/* Checks entries of `registration`: their zone and keys must exist, and in a network an address
 * belongs to only one entry, because it has one PTR there. */
#include <stdlib.h>

#include "rules/check/internal.h"
#include "rules/reverse.h"

/* ---- zones ---- */

static const struct private_zone *check_zone(struct check *check,
					     const struct registration_settings *entry)
{
	const struct private_zone *zone = model_zone(check->model, NULL, entry->zone);
	char why[REFERENCE_TEXT_MAX];
	struct prefix prefix;
	struct name name;
	unsigned rest;

	if (!entry->zone)
		return NULL;
	if (!zone && reference_is_ambiguous(check->model, REFERS_ZONE, NULL, entry->zone))
		ERROR(check, &entry->origin, "zone", "%s",
		      reference_refusal(check->model, REFERS_ZONE, NULL, entry->zone, why));
	else if (!zone)
		ERROR(check, &entry->origin, "zone",
		      "there is no private zone \"%s\"; name one of private_zones", entry->zone);
	else if (check_name(&name, zone->name) && reverse_parse(&name, &prefix, &rest))
		ERROR(check, &entry->origin, "zone",
		      "%s is a reverse zone; name the zone of the machines' names, and the "
		      "addresses in `prefixes`",
		      full_name(&zone->named));
	return zone;
}

static void check_one_entry(struct check *check, const struct private_zone *zone,
			    const struct registration_settings *entry, struct seen *zones)
{
	const struct registration_settings *before =
		seen_put(check, zones, full_name(&zone->named), entry);

	if (before)
		ERROR(check, &entry->origin, "zone",
		      "%s has an entry at %s already; put prefixes and keys into that one",
		      full_name(&zone->named), check_place(check, &before->origin));
}

/* ---- keys ---- */

static void check_keys(struct check *check, const struct registration_settings *entry,
		       const struct seen *keys)
{
	struct seen listed = {0};

	for (size_t i = 0; i < entry->keys.count; i++) {
		const struct registration_key *item = &entry->keys.items[i];
		const char *name = item->key ? check_normal_name(check, item->key) : NULL;
		const struct registration_key *before;

		if (!name)
			continue;
		if (!seen_get(keys, name))
			ERROR(check, &item->origin, "key",
			      "there is no key \"%s\"; name one of `keys` at the top level",
			      item->key);
		before = seen_put(check, &listed, name, item);
		if (before)
			ERROR(check, &item->origin, "key",
			      "\"%s\" is listed already, at %s; keep one of them", item->key,
			      check_place(check, &before->origin));
	}
	if (entry->keys.count == 0 && !entry->own_address)
		WARN(check, &entry->origin, "keys",
		     "nothing can register here; name the key of a DHCP server, or say "
		     "own_address = true for machines that register themselves by TCP");
}

/* ---- renewals ---- */

/* sssd and Windows renew every 24 hours; twice that, so that one renewal may be missed. */
enum { EXPIRE_LEAST_S = 48 * 60 * 60 };

static void warn_of_expire(struct check *check, const struct registration_settings *entry)
{
	if (entry->expire_s > 0 && entry->expire_s < EXPIRE_LEAST_S)
		WARN(check, &entry->origin, "expire",
		     "%u seconds are less than two days; sssd and Windows renew once a day, so a "
		     "machine that misses it would lose its name: give %d or more, or 0 so that "
		     "nothing expires",
		     entry->expire_s, EXPIRE_LEAST_S);
}

/* ---- prefixes ---- */

struct prefix_claim { /* a prefix in a network that the zone is linked to */
	const struct virtual_network *network;
	const struct registration_settings *entry;
	size_t index; /* the prefix's index in the entry */
	bool *told;   /* the prefix has a fault already */
};

struct claims {
	struct prefix_claim *items;
	size_t count;
};

/* By network, and in each an outer prefix before the prefixes inside it, so that each claim need be
 * compared only with the latest outer one of its network. */
static int compare_claims(const void *left, const void *right)
{
	const struct prefix_claim *a = left, *b = right;
	int order;

	if (a->network != b->network)
		return a->network < b->network ? -1 : 1;
	order = prefix_compare(&a->entry->prefixes.items[a->index],
			       &b->entry->prefixes.items[b->index]);
	if (order)
		return order;
	return a->entry != b->entry ? (a->entry < b->entry ? -1 : 1)
				    : (a->index > b->index) - (a->index < b->index);
}

static void tell_overlap(struct check *check, const struct prefix_claim *a,
			 const struct prefix_claim *b)
{
	bool swap = a->entry != b->entry ? a->entry < b->entry : a->index < b->index;
	const struct prefix_claim *later = swap ? b : a, *earlier = swap ? a : b;
	char field[32], text[PREFIX_TEXT_MAX], other[PREFIX_TEXT_MAX];

	if (*later->told)
		return;
	*later->told = true;
	snprintf(field, sizeof field, "prefixes[%zu]", later->index);
	prefix_print(&later->entry->prefixes.items[later->index], text);
	prefix_print(&earlier->entry->prefixes.items[earlier->index], other);
	if (later->entry == earlier->entry)
		ERROR(check, &later->entry->origin, field,
		      "%s overlaps %s of the same entry; keep one of them", text, other);
	else
		ERROR(check, &later->entry->origin, field,
		      "%s overlaps %s of the entry at %s, and both zones are linked to the network "
		      "%s, where an address has one PTR; give prefixes that do not overlap",
		      text, other, check_place(check, &earlier->entry->origin),
		      full_name(&later->network->named));
}

static void check_overlapping(struct check *check, const struct claims *claims)
{
	const struct prefix_claim *outer = NULL;

	if (claims->count > 0)
		qsort(claims->items, claims->count, sizeof *claims->items, compare_claims);
	for (size_t i = 0; i < claims->count; i++) {
		const struct prefix_claim *claim = &claims->items[i];

		if (outer && outer->network == claim->network &&
		    prefix_overlaps(&outer->entry->prefixes.items[outer->index],
				    &claim->entry->prefixes.items[claim->index]))
			tell_overlap(check, outer, claim);
		else
			outer = claim;
	}
}

static void claim_prefixes(struct check *check, const struct private_zone *zone,
			   const struct registration_settings *entry, struct claims *claims)
{
	bool *told = arena_alloc_array(&check->arena, entry->prefixes.count, sizeof *told);

	check->out_of_memory |= !told;
	if (IS_EMPTY(entry->prefixes))
		ERROR(check, &entry->origin, "prefixes",
		      "is empty; give the prefixes whose addresses may be registered");
	for (size_t i = 0; told && i < zone->links.count; i++) {
		const struct virtual_network *network = model_network(
			check->model, zone->resource_group, zone->links.items[i].virtual_network);

		for (size_t k = 0; network && k < entry->prefixes.count; k++)
			if (entry->prefixes.items[k].address.family)
				claims->items[claims->count++] =
					(struct prefix_claim){network, entry, k, &told[k]};
	}
}

/* ---- the whole ---- */

/* Makes room for a claim of each prefix in each network. */
static bool claims_init(struct check *check, struct claims *claims,
			const struct private_zone *const *zones)
{
	const struct model *model = check->model;
	size_t room = 0;

	for (size_t i = 0; i < model->registration.count; i++)
		if (zones[i])
			room += zones[i]->links.count * model->registration.items[i].prefixes.count;
	claims->items = arena_alloc_array(&check->arena, room, sizeof *claims->items);
	check->out_of_memory |= !claims->items;
	return claims->items;
}

void limits_check_registration(struct check *check)
{
	const struct model *model = check->model;
	size_t count = model->registration.count;
	const struct private_zone **zones = arena_alloc_array(&check->arena, count, sizeof *zones);
	struct seen keys = {0}, named = {0};
	struct claims claims = {0};

	check->out_of_memory |= !zones;
	if (!zones || count == 0)
		return;
	if (!model->management.state)
		WARN(check, &model->registration.items[0].origin, NULL,
		     "nothing can register without a file to keep it in; set management.state");
	for (size_t i = 0; i < model->keys.count; i++)
		if (model->keys.items[i].name)
			seen_put(check, &keys, check_normal_name(check, model->keys.items[i].name),
				 &model->keys.items[i]);
	for (size_t i = 0; i < count; i++)
		zones[i] = check_zone(check, &model->registration.items[i]);
	if (!claims_init(check, &claims, zones))
		return;
	for (size_t i = 0; i < count; i++) {
		const struct registration_settings *entry = &model->registration.items[i];

		check_keys(check, entry, &keys);
		warn_of_expire(check, entry);
		if (!zones[i])
			continue;
		check_one_entry(check, zones[i], entry, &named);
		claim_prefixes(check, zones[i], entry, &claims);
	}
	check_overlapping(check, &claims);
}
