/* An entry is looked at in the order of what is cheap: the key, the client, and only then the names
 * of its zones, so that a stranger who asks and asks costs little. */
#include "resolver/transfer/terms.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/transfer/zone.h"

void transfer_terms_unref(struct transfer_terms *terms)
{
	if (!terms || --terms->references > 0)
		return;
	for (size_t i = 0; i < terms->key_count; i++)
		explicit_bzero(&terms->keys[i], sizeof terms->keys[i]);
	arena_release(&terms->arena);
	free(terms);
}

struct transfer_terms *transfer_terms_ref(struct transfer_terms *terms)
{
	terms->references++;
	return terms;
}

static int copy_keys(struct transfer_terms *terms, const struct model *model)
{
	terms->keys = arena_alloc_array(&terms->arena, model->keys.count, sizeof *terms->keys);
	if (!terms->keys)
		return ERR_NOMEM;
	for (size_t i = 0; i < model->keys.count; i++)
		if (tsig_key_init(&terms->keys[terms->key_count], &model->keys.items[i]))
			terms->key_count++;
	return 0;
}

static const struct tsig_key *find_key(const struct transfer_terms *terms, const char *text)
{
	static const struct hash_key any;
	struct name name;

	return text && name_from_text(&name, &any, text) == 0
		       ? tsig_key_find(terms->keys, terms->key_count, name.wire)
		       : NULL;
}

/* A list's items, where they live as long as the terms. */
static int copy_items(struct arena *arena, void *items_at, size_t count, size_t size)
{
	void *copy = arena_alloc_array(arena, count, size);
	void *from;

	if (!copy)
		return ERR_NOMEM;
	memcpy(&from, items_at, sizeof from);
	if (count)
		memcpy(copy, from, count * size);
	memcpy(items_at, &copy, sizeof copy);
	return 0;
}

static int copy_settings(struct transfer_terms *terms, struct transfer_settings *settings)
{
	int err = copy_items(&terms->arena, &settings->zones.items, settings->zones.count,
			     sizeof *settings->zones.items);

	for (size_t i = 0; !err && i < settings->zones.count; i++) {
		settings->zones.items[i] = arena_strdup(&terms->arena, settings->zones.items[i]);
		err = settings->zones.items[i] ? 0 : ERR_NOMEM;
	}
	if (!err)
		err = copy_items(&terms->arena, &settings->allow.items, settings->allow.count,
				 sizeof *settings->allow.items);
	if (!err)
		err = copy_items(&terms->arena, &settings->notify.items, settings->notify.count,
				 sizeof *settings->notify.items);
	settings->origin = (struct origin){0};
	settings->key = NULL; /* the grant has it */
	return err;
}

static int copy_grants(struct transfer_terms *terms, const struct model *model)
{
	size_t count = model->transfers.count;
	int err = 0;

	terms->grants = arena_alloc_array(&terms->arena, count, sizeof *terms->grants);
	struct transfer_settings *copies = arena_alloc_array(&terms->arena, count, sizeof *copies);
	if (!terms->grants || !copies)
		return ERR_NOMEM;
	for (size_t i = 0; !err && i < count; i++) {
		copies[i] = model->transfers.items[i];
		terms->grants[i] =
			(struct transfer_grant){&copies[i], find_key(terms, copies[i].key)};
		/* limits_check has seen that it is there; without it nobody gets anything. */
		if (copies[i].key && !terms->grants[i].key)
			copies[i].zones.count = 0;
		err = copy_settings(terms, &copies[i]);
	}
	terms->grant_count = err ? 0 : count;
	return err;
}

struct transfer_terms *transfer_terms_new(const struct model *model)
{
	struct transfer_terms *terms = calloc(1, sizeof *terms);

	if (!terms)
		return NULL;
	terms->references = 1;
	arena_init(&terms->arena);
	if (copy_keys(terms, model) == 0 && copy_grants(terms, model) == 0)
		return terms;
	transfer_terms_unref(terms);
	return NULL;
}

/* "*" is what anybody may see, once: PTRs of private addresses are their network's. */
static bool has_to_be_named(const struct transfer_zone *zone)
{
	return !zone->reverse || zone->alias || address_is_private(&zone->prefix.address);
}

bool transfer_grant_covers(const struct transfer_grant *grant, const struct transfer_zone *zone)
{
	static const struct hash_key any;

	for (size_t i = 0; i < grant->settings->zones.count; i++) {
		const char *text = grant->settings->zones.items[i];
		struct name name;

		if (strcmp(text, "*") == 0 ? !has_to_be_named(zone)
					   : name_from_text(&name, &any, text) == 0 &&
						     name_wire_equal(name.wire, zone->name.wire))
			return true;
	}
	return false;
}

bool transfer_terms_cover(const struct transfer_terms *terms, const struct transfer_zone *zone)
{
	for (size_t i = 0; i < terms->grant_count; i++)
		if (transfer_grant_covers(&terms->grants[i], zone))
			return true;
	return false;
}

static bool is_allowed(const struct transfer_settings *settings, const struct address *client)
{
	for (size_t i = 0; i < settings->allow.count; i++)
		if (prefix_contains(&settings->allow.items[i], client))
			return true;
	return settings->allow.count == 0;
}

bool transfer_terms_allow(const struct transfer_terms *terms, const struct transfer_zone *zone,
			  const struct address *client, const struct tsig_key *key)
{
	for (size_t i = 0; i < terms->grant_count; i++) {
		const struct transfer_grant *grant = &terms->grants[i];

		if ((!grant->key || grant->key == key) && is_allowed(grant->settings, client) &&
		    transfer_grant_covers(grant, zone))
			return true;
	}
	return false;
}
