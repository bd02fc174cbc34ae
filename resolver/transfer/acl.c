/* Cheap checks of an entry come first: the key, the client, then the names of its zones. So a
 * stranger that keeps asking costs little. */
#include "resolver/transfer/acl.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/transfer/zone.h"
#include "rules/policy/reverse_zones.h"
#include "rules/schema/reference.h"

void transfer_acl_unref(struct transfer_acl *acl)
{
	if (!acl || --acl->references > 0)
		return;
	for (size_t i = 0; i < acl->key_count; i++)
		explicit_bzero(&acl->keys[i], sizeof acl->keys[i]);
	arena_release(&acl->arena);
	free(acl);
}

struct transfer_acl *transfer_acl_ref(struct transfer_acl *acl)
{
	acl->references++;
	return acl;
}

struct named_key {
	uint8_t name[NAME_WIRE_MAX];
	size_t length;
	const struct tsig_settings *settings;
};

static int compare_keys(const void *left, const void *right)
{
	const struct named_key *a = left, *b = right;

	return tsig_name_compare(a->name, a->length, b->name, b->length);
}

/* Sorts the model's keys by name, without a copy of their secrets. The caller frees the array; NULL
 * without memory. */
static struct named_key *sort_keys(const struct model *model, size_t *count)
{
	struct named_key *named = calloc(model->keys.count + 1, sizeof *named);
	struct name name;

	*count = 0;
	for (size_t i = 0; named && i < model->keys.count; i++) {
		const struct tsig_settings *settings = &model->keys.items[i];
		struct named_key *key = &named[*count];

		if (!settings->name || name_from_text(&name, NULL, settings->name) != 0)
			continue;
		memcpy(key->name, name.wire, name.length);
		key->length = name.length;
		key->settings = settings;
		++*count;
	}
	if (named && *count > 0)
		qsort(named, *count, sizeof *named, compare_keys);
	return named;
}

static int copy_keys(struct transfer_acl *acl, const struct model *model)
{
	size_t count;
	struct named_key *named = sort_keys(model, &count);

	acl->keys = arena_alloc_array(&acl->arena, model->keys.count, sizeof *acl->keys);
	if (!named || !acl->keys) {
		free(named);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < count; i++)
		if (tsig_key_init(&acl->keys[acl->key_count], named[i].settings))
			acl->key_count++;
	free(named);
	return 0;
}

static const struct tsig_key *find_key(const struct transfer_acl *acl, const char *text)
{
	struct name name;

	return text && name_from_text(&name, NULL, text) == 0
		       ? tsig_key_find(acl->keys, acl->key_count, name.wire)
		       : NULL;
}

/* Copies a list's items into the arena. */
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

/* The text of a zone in `zones`, as transfer_zone.text has it: the name of a reverse zone, or else
 * the group and name of a private zone. rules/check/transfer.c prefers reverse zones, too. */
static const char *zone_text(struct transfer_acl *acl, const struct model *model, const char *group,
			     const char *text)
{
	const struct private_zone *zone = NULL;
	char printed[NAME_TEXT_MAX];
	struct name name;

	if (name_from_text(&name, NULL, text) != 0 || !reverse_has_zone(model, &name))
		zone = model_zone(model, group, text);
	/* A text that is no name is no zone's, and limits_check has refused it. */
	if (name_from_text(&name, NULL, zone ? zone->name : text) != 0)
		return arena_strdup(&acl->arena, text);
	group = zone ? zone->resource_group : NULL;
	return arena_printf(&acl->arena, "%s%s%s", group ? group : "", group ? "/" : "",
			    name_to_text(&name, printed));
}

static int compare_texts(const void *left, const void *right)
{
	return strcasecmp(*(const char *const *)left, *(const char *const *)right);
}

static int name_zones(struct transfer_acl *acl, const struct model *model,
		      struct transfer_grant *grant)
{
	const struct transfer_settings *settings = grant->settings;

	grant->names = arena_alloc_array(&acl->arena, settings->zones.count, sizeof *grant->names);
	if (!grant->names)
		return ERR_NOMEM;
	for (size_t i = 0; i < settings->zones.count; i++) {
		const char *text = settings->zones.items[i];

		if (strcmp(text, "*") == 0) {
			grant->every = true;
			continue;
		}
		text = zone_text(acl, model, settings->resource_group, text);
		if (!text)
			return ERR_NOMEM;
		grant->names[grant->name_count++] = text;
	}
	if (grant->name_count > 0)
		qsort(grant->names, grant->name_count, sizeof *grant->names, compare_texts);
	return 0;
}

static int copy_settings(struct transfer_acl *acl, struct transfer_settings *settings)
{
	int err = copy_items(&acl->arena, &settings->allow.items, settings->allow.count,
			     sizeof *settings->allow.items);

	if (!err)
		err = copy_items(&acl->arena, &settings->notify.items, settings->notify.count,
				 sizeof *settings->notify.items);
	settings->named = (struct named){.name = NULL}; /* they belong to the model */
	settings->key = NULL;                           /* it is in the grant */
	settings->zones.items = NULL;                   /* they are in the grant */
	settings->zones.count = 0;
	return err;
}

static int copy_grants(struct transfer_acl *acl, const struct model *model)
{
	size_t count = model->transfers.count;
	int err = 0;

	acl->grants = arena_alloc_array(&acl->arena, count, sizeof *acl->grants);
	struct transfer_settings *copies = arena_alloc_array(&acl->arena, count, sizeof *copies);
	if (!acl->grants || !copies)
		return ERR_NOMEM;
	for (size_t i = 0; !err && i < count; i++) {
		copies[i] = model->transfers.items[i];
		acl->grants[i] = (struct transfer_grant){.settings = &copies[i],
							 .key = find_key(acl, copies[i].key)};
		/* limits_check has checked that the key exists; without it an entry allows
		 * nothing. */
		if (!copies[i].key || acl->grants[i].key)
			err = name_zones(acl, model, &acl->grants[i]);
		if (!err)
			err = copy_settings(acl, &copies[i]);
	}
	acl->grant_count = err ? 0 : count;
	return err;
}

struct transfer_acl *transfer_acl_new(const struct model *model)
{
	struct transfer_acl *acl = calloc(1, sizeof *acl);

	if (!acl)
		return NULL;
	acl->references = 1;
	arena_init(&acl->arena);
	if (copy_keys(acl, model) == 0 && copy_grants(acl, model) == 0)
		return acl;
	transfer_acl_unref(acl);
	return NULL;
}

/* "*" does not cover private zones, second spellings of a zone, or zones with PTRs of private
 * addresses. */
static bool has_to_be_named(const struct transfer_zone *zone)
{
	return !zone->reverse || zone->alias || prefix_has_private(&zone->prefix);
}

bool transfer_grant_covers(const struct transfer_grant *grant, const struct transfer_zone *zone)
{
	const char *text = zone->text;

	if (grant->every && !has_to_be_named(zone))
		return true;
	return grant->name_count > 0 &&
	       bsearch(&text, grant->names, grant->name_count, sizeof *grant->names, compare_texts);
}

bool transfer_acl_covers(const struct transfer_acl *acl, const struct transfer_zone *zone)
{
	for (size_t i = 0; i < acl->grant_count; i++)
		if (transfer_grant_covers(&acl->grants[i], zone))
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

bool transfer_acl_allows(const struct transfer_acl *acl, const struct transfer_zone *zone,
			 const struct address *client, const struct tsig_key *key)
{
	for (size_t i = 0; i < acl->grant_count; i++) {
		const struct transfer_grant *grant = &acl->grants[i];

		if ((!grant->key || grant->key == key) && is_allowed(grant->settings, client) &&
		    transfer_grant_covers(grant, zone))
			return true;
	}
	return false;
}
