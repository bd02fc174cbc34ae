/* Checks keys and transfers: a key has one secret, an entry's zones and key must exist, and no zone
 * is open to everybody. */
#include <string.h>
#include <strings.h>

#include "rules/check/internal.h"
#include "rules/policy/reverse_zones.h"
#include "rules/schema/tsig_secret.h"

/* ---- keys ---- */

/* The text must not contain the secret, because it is logged. */
static void check_secret(struct check *check, const struct tsig_settings *key)
{
	uint8_t secret[TSIG_SECRET_MAX];
	const char *field = key->secret ? "secret" : "secret_file";
	const char *text = key->secret ? key->secret : key->loaded;

	if (!key->secret && !key->secret_file)
		ERROR(check, &key->origin, "secret",
		      "the key has no secret; give secret_file, or secret");
	else if (key->secret && key->secret_file)
		ERROR(check, &key->origin, field,
		      "the key has a secret and a secret_file; keep one of them");
	else if (text && tsig_secret_decode(text, secret) == 0)
		ERROR(check, &key->origin, field,
		      "the secret is not base64 of 1 to %d bytes; tsig-keygen makes one",
		      TSIG_SECRET_MAX);
	explicit_bzero(secret, sizeof secret);
}

static void check_keys(struct check *check, struct seen *keys)
{
	for (size_t i = 0; i < check->model->keys.count; i++) {
		const struct tsig_settings *key = &check->model->keys.items[i];

		check_overall(check, keys, key->name ? check_normal_name(check, key->name) : NULL,
			      key->resource_group, &key->origin, "name", "key");
		check_secret(check, key);
	}
}

/* ---- zones ---- */

/* BIND, for example, does not load a transferred zone without NS at its apex. */
static void warn_of_no_servers(struct check *check, const struct transfer_settings *entry)
{
	if (check->model->reverse.name_servers.count == 0)
		WARN(check, &entry->origin, "zones",
		     "reverse zones have no NS, and other servers may refuse them; give "
		     "reverse.name_servers");
}

/* An entry that allows transfers of a zone. */
struct transfer_claim {
	const struct private_zone *zone; /* NULL: the reverse zone of that name */
	const struct transfer_settings *entry;
	const char *key;             /* its name in normal form; NULL: no key is needed */
	struct transfer_claim *next; /* for a zone of the same domain */
};

/* Whether one client can satisfy both entries. A signed request also satisfies an entry without a
 * key. */
static bool have_client_in_common(const struct transfer_claim *one,
				  const struct transfer_claim *other)
{
	const struct transfer_settings *a = one->entry, *b = other->entry;

	if (one->key && other->key && strcasecmp(one->key, other->key) != 0)
		return false;
	if (a->allow.count == 0 || b->allow.count == 0)
		return true;
	for (size_t i = 0; i < a->allow.count; i++)
		for (size_t k = 0; k < b->allow.count; k++)
			if (prefix_overlaps(&a->allow.items[i], &b->allow.items[k]))
				return true;
	return false;
}

static const char *claim_text(struct check *check, const struct private_zone *zone,
			      const char *domain)
{
	const char *text = zone ? full_name(&zone->named)
				: arena_printf(&check->arena, "the reverse zone %.*s",
					       (int)name_text_length(domain), domain);

	return text ? text : domain;
}

/* A request gives only the domain, so no client may be allowed two zones of one domain. zone NULL:
 * the reverse zone of the domain. */
static void claim_zone(struct check *check, const struct private_zone *zone, const char *name,
		       const struct transfer_settings *entry, const char *field,
		       struct seen *claims)
{
	const char *domain = check_normal_name(check, name);
	struct transfer_claim *claim = arena_alloc(&check->arena, sizeof *claim);
	struct transfer_claim *first = (struct transfer_claim *)(uintptr_t)seen_get(claims, domain),
			      *other;

	check->out_of_memory |= !claim;
	if (!claim)
		return;
	*claim = (struct transfer_claim){zone, entry,
					 entry->key ? check_normal_name(check, entry->key) : NULL,
					 first ? first->next : NULL};
	for (other = first; other; other = other->next)
		if (other->zone != zone && have_client_in_common(other, claim))
			break;
	if (other)
		ERROR(check, &entry->origin, field,
		      "a client that may copy %s by this entry may copy %s by the entry at %s, and "
		      "a request gives only the domain; use different keys, or `allow` with "
		      "prefixes that do not overlap",
		      claim_text(check, zone, domain), claim_text(check, other->zone, domain),
		      check_place(check, &other->entry->origin));
	if (first)
		first->next = claim;
	else
		seen_put(check, claims, domain, claim);
}

static bool is_reverse_zone(const struct check *check, const char *text)
{
	struct name name;

	return check_name(&name, text) && reverse_has_zone(check->model, &name);
}

/* Refuses a private zone in no group with the name of a reverse zone, because transfers, serials
 * and notifies would confuse the two. */
static void check_namesake(struct check *check, const struct private_zone *zone,
			   const struct transfer_settings *entry, const char *field)
{
	if (zone && !zone->resource_group && is_reverse_zone(check, zone->name))
		ERROR(check, &entry->origin, field,
		      "%s is the name of a reverse zone and of the private zone at %s, which is in "
		      "no resource group, so a client may get either; put the private zone into a "
		      "resource group, and name it as GROUP/%s",
		      zone->name, check_place(check, &zone->origin), zone->name);
}

/* A callback: whether the reverse zone has the name `context` and "*" allows its transfer. */
static int on_reverse_zone(void *context, const struct reverse_zone *reverse)
{
	struct name name;

	return name_from_text(&name, NULL, reverse->origin) == 0 && name_equal(&name, context) &&
	       !prefix_has_private(&reverse->prefix);
}

/* Claims the reverse zones that "*" allows. Only those with a private zone's name matter. */
static void claim_all(struct check *check, const struct transfer_settings *entry, const char *field,
		      struct seen *claims)
{
	const struct model *model = check->model;
	struct name name;

	for (size_t i = 0; i < model->private_zones.count; i++) {
		const struct private_zone *zone = &model->private_zones.items[i];
		size_t length = zone->name ? name_text_length(zone->name) : 0;

		/* The ending comes first, because the rest looks at every pool. */
		if (zone->resource_group && length > 5 &&
		    strncasecmp(zone->name + length - 5, ".arpa", 5) == 0 &&
		    check_name(&name, zone->name) &&
		    reverse_each_zone(model, on_reverse_zone, &name) != 0)
			claim_zone(check, NULL, zone->name, entry, field, claims);
	}
}

static void check_zones(struct check *check, const struct transfer_settings *entry,
			struct seen *claims)
{
	char why[REFERENCE_TEXT_MAX], field[32];
	const struct private_zone *zone;
	bool reverse = false;

	if (IS_EMPTY(entry->zones))
		ERROR(check, &entry->origin, "zones", "no zone is named; name one, or \"*\"");
	for (size_t i = 0; i < entry->zones.count; i++) {
		const char *text = entry->zones.items[i];
		bool all = text && strcmp(text, "*") == 0;
		bool pool = all || (text && is_reverse_zone(check, text));

		if (!text)
			continue;
		snprintf(field, sizeof field, "zones[%zu]", i);
		zone = pool ? NULL : model_zone(check->model, entry->resource_group, text);
		if (all)
			claim_all(check, entry, field, claims);
		else if (pool || zone)
			claim_zone(check, zone, zone ? zone->name : text, entry, field, claims);
		else
			ERROR(check, &entry->origin, field, "%s",
			      reference_refusal(check->model, REFERS_ZONE, entry->resource_group,
						text, why));
		if (pool && !all) {
			text = arena_printf(&check->arena, GROUP_NONE "/%s", text);
			check->out_of_memory |= !text;
			zone = text ? model_zone(check->model, NULL, text) : NULL;
		}
		check_namesake(check, zone, entry, field);
		reverse = reverse || pool;
	}
	if (reverse)
		warn_of_no_servers(check, entry);
}

/* ---- peers ---- */

static void check_notify(struct check *check, const struct transfer_settings *entry)
{
	char field[32];

	for (size_t i = 0; i < entry->notify.count; i++) {
		const struct host *host = &entry->notify.items[i];

		snprintf(field, sizeof field, "notify[%zu]", i);
		if (!host->address.family)
			continue;
		check_server(check, host, &entry->origin, field);
		if (entry->source.family && entry->source.family != host->address.family)
			ERROR(check, &entry->origin, field,
			      "cannot be notified from the source, which is IPv%u; give it an "
			      "entry of its own",
			      entry->source.family);
	}
}

static void check_entry(struct check *check, const struct transfer_settings *entry,
			const struct seen *keys, struct seen *claims)
{
	if (entry->key && !seen_get(keys, check_normal_name(check, entry->key)))
		ERROR(check, &entry->origin, "key", "there is no key \"%s\"; name one of `keys`",
		      entry->key);
	if (!entry->key && entry->allow.count == 0)
		ERROR(check, &entry->origin, "allow",
		      "anybody could copy the zones; give allow, a key, or both");
	check_zones(check, entry, claims);
	check_notify(check, entry);
}

void limits_check_transfers(struct check *check)
{
	struct seen keys = {0}, names = {0}, claims = {0};

	check_keys(check, &keys);
	for (size_t i = 0; i < check->model->transfers.count; i++) {
		const struct transfer_settings *entry = &check->model->transfers.items[i];

		check_top(check, &names, &entry->named, "transfer");
		check_entry(check, entry, &keys, &claims);
	}
}
