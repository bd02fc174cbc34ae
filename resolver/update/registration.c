#include "resolver/update/registration.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/transfer/tsig.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"

/* ---- making ---- */

static int copy_prefixes(struct arena *arena, const struct registration_settings *settings,
			 struct registration *entry)
{
	size_t count = settings->prefixes.count;
	struct prefix *prefixes = arena_alloc_array(arena, count, sizeof *prefixes);

	if (!prefixes)
		return ERR_NOMEM;
	if (count > 0)
		memcpy(prefixes, settings->prefixes.items, count * sizeof *prefixes);
	entry->prefixes = prefixes;
	entry->prefix_count = count;
	return 0;
}

static int compare_grants(const void *left, const void *right)
{
	const struct registration_grant *a = left, *b = right;

	return tsig_name_compare(a->key.wire, a->key.length, b->key.wire, b->key.length);
}

static int copy_grants(struct arena *arena, const struct hash_key *key,
		       const struct registration_settings *settings, struct registration *entry)
{
	size_t count = settings->keys.count;
	struct registration_grant *grants = arena_alloc_array(arena, count, sizeof *grants);

	if (!grants)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct registration_key *item = &settings->keys.items[i];

		grants[entry->grant_count].names = item->names;
		if (item->key &&
		    name_from_text(&grants[entry->grant_count].key, key, item->key) == 0)
			entry->grant_count++;
	}
	if (entry->grant_count > 0)
		qsort(grants, entry->grant_count, sizeof *grants, compare_grants);
	entry->grants = grants;
	return 0;
}

static int add_entry(struct registrations *all, const struct model *model,
		     const struct hash_key *key, const struct registration_settings *settings)
{
	const struct private_zone *zone = model_zone(model, NULL, settings->zone);
	struct registration *entry = &all->items[all->count];

	if (!zone || !zone->name || name_from_text(&entry->zone, key, zone->name) != 0)
		return 0;
	entry->zone_name = arena_strdup(&all->arena, full_name(&zone->named));
	if (!entry->zone_name || copy_prefixes(&all->arena, settings, entry) != 0 ||
	    copy_grants(&all->arena, key, settings, entry) != 0)
		return ERR_NOMEM;
	entry->own_address = settings->own_address;
	entry->ttl = settings->ttl;
	entry->expire_s = settings->expire_s;
	entry->names_max = settings->names_max;
	all->count++;
	return 0;
}

struct registrations *registrations_new(const struct model *model, const struct hash_key *key)
{
	struct registrations *all = calloc(1, sizeof *all);
	int err;

	if (!all)
		return NULL;
	arena_init(&all->arena);
	all->items = arena_alloc_array(&all->arena, model->registration.count, sizeof *all->items);
	err = all->items ? 0 : ERR_NOMEM;
	for (size_t i = 0; !err && i < model->registration.count; i++)
		err = add_entry(all, model, key, &model->registration.items[i]);
	if (!err)
		return all;
	registrations_free(all);
	return NULL;
}

void registrations_free(struct registrations *all)
{
	if (!all)
		return;
	arena_release(&all->arena);
	free(all);
}

/* ---- asking ---- */

static bool parse_cut(const struct name *name, struct prefix *cut)
{
	unsigned rest;

	return reverse_parse(name, cut, &rest) && rest == 0;
}

bool update_is_reverse(const struct update *update)
{
	struct prefix cut;
	unsigned rest;

	return reverse_parse(&update->zone, &cut, &rest);
}

bool registration_has_address(const struct registration *entry, const struct address *address)
{
	for (size_t i = 0; i < entry->prefix_count; i++)
		if (prefix_contains(&entry->prefixes[i], address))
			return true;
	return false;
}

/* Finds the address or prefix whose reverse name is the owner of the message's first record.
 * Without a record, or if that owner is no reverse name in the zone, finds the zone's prefix. */
static bool parse_subject(const struct update *update, struct prefix *subject)
{
	const struct update_record *first = update->prerequisite_count > 0 ? update->prerequisites
					    : update->update_count > 0     ? update->updates
									   : NULL;

	if (first && name_is_under(&first->owner, &update->zone) &&
	    parse_cut(&first->owner, subject))
		return true;
	return parse_cut(&update->zone, subject);
}

static bool is_for(const struct registration *entry, const struct update *update)
{
	struct prefix cut, subject;

	if (!update_is_reverse(update))
		return name_equal(&entry->zone, &update->zone);
	if (!parse_cut(&update->zone, &cut) || !parse_subject(update, &subject))
		return false;
	for (size_t i = 0; i < entry->prefix_count; i++)
		if (prefix_overlaps(&entry->prefixes[i], &subject))
			return true;
	return false;
}

const struct registration *registrations_next(const struct registrations *all,
					      const struct update *update,
					      const struct registration *before)
{
	for (size_t i = before ? (size_t)(before - all->items) + 1 : 0; i < all->count; i++)
		if (is_for(&all->items[i], update))
			return &all->items[i];
	return NULL;
}

const struct registration_grant *registration_grant_of(const struct registration *entry,
						       const uint8_t *key)
{
	size_t length = name_wire_length(key), low = 0, high = entry->grant_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct registration_grant *grant = &entry->grants[middle];
		int order = tsig_name_compare(grant->key.wire, grant->key.length, key, length);

		if (order == 0)
			return grant;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool registration_grant_covers(const struct registration_grant *grant, const struct name *name)
{
	switch (grant->names) {
	case REGISTER_SELF: return name_equal(name, &grant->key);
	case REGISTER_SUBDOMAIN: return name_is_under(name, &grant->key);
	case REGISTER_ANY: break;
	}
	return true;
}
