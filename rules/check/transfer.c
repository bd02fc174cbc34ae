/* Keys, and zones that go out: a key has one secret, an entry names zones and a key that exist, and
 * no zone is open to everybody. */
#include <string.h>

#include "rules/check/internal.h"
#include "rules/policy/reverse_zones.h"
#include "rules/schema/tsig_secret.h"

/* ---- keys ---- */

/* Not with the secret in the text: it would be in the log. */
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

/* "key." and "key" are one. */
static const char *normal_name(struct check *check, const char *text)
{
	struct name name;
	char normal[NAME_TEXT_MAX];
	const char *kept = check_name(&name, text)
				   ? arena_strdup(&check->arena, name_to_text(&name, normal))
				   : text;

	return kept ? kept : text;
}

static void check_keys(struct check *check, struct seen *keys)
{
	for (size_t i = 0; i < check->model->keys.count; i++) {
		const struct tsig_settings *key = &check->model->keys.items[i];

		check_top(check, keys, key->name ? normal_name(check, key->name) : NULL,
			  key->resource_group, &key->origin, "key");
		check_secret(check, key);
	}
}

/* ---- zones ---- */

static bool is_name(const struct name *name, const char *text)
{
	struct name other;

	return check_name(&other, text) && name_equal(&other, name);
}

static int on_reverse_zone(void *context, const struct reverse_zone *zone)
{
	const struct name *wanted = context;

	return is_name(wanted, zone->origin) || (zone->alias && is_name(wanted, zone->alias));
}

static bool is_pool_zone(const struct check *check, struct name *name)
{
	return reverse_each_zone(check->model, on_reverse_zone, name) != 0;
}

static bool is_private_zone(const struct check *check, const struct name *name)
{
	for (size_t i = 0; i < check->model->private_zones.count; i++)
		if (is_name(name, check->model->private_zones.items[i].name))
			return true;
	return false;
}

/* BIND, for one, does not load what it got when there is no NS at its apex. */
static void warn_of_no_servers(struct check *check, const struct transfer_settings *entry)
{
	if (check->model->reverse.name_servers.count == 0)
		WARN(check, &entry->origin, "zones",
		     "reverse zones have no NS, and other servers may refuse them; give "
		     "reverse.name_servers");
}

static void check_zones(struct check *check, const struct transfer_settings *entry)
{
	char field[32];
	bool reverse = false;

	if (IS_EMPTY(entry->zones))
		ERROR(check, &entry->origin, "zones", "no zone is named; name one, or \"*\"");
	for (size_t i = 0; i < entry->zones.count; i++) {
		const char *text = entry->zones.items[i];
		struct name name;
		bool all = text && strcmp(text, "*") == 0;

		if (!text)
			continue;
		snprintf(field, sizeof field, "zones[%zu]", i);
		bool pool = all || (check_name(&name, text) && is_pool_zone(check, &name));
		if (!pool && !(check_name(&name, text) && is_private_zone(check, &name)))
			ERROR(check, &entry->origin, field,
			      "there is no zone \"%s\"; name a private zone, or a reverse zone of "
			      "an address pool as \"sluice ptr delegation\" has it",
			      text);
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
			const struct seen *keys)
{
	if (entry->key && !seen_get(keys, normal_name(check, entry->key)))
		ERROR(check, &entry->origin, "key", "there is no key \"%s\"; name one of `keys`",
		      entry->key);
	if (!entry->key && entry->allow.count == 0)
		ERROR(check, &entry->origin, "allow",
		      "anybody could copy the zones; give allow, a key, or both");
	check_zones(check, entry);
	check_notify(check, entry);
}

void limits_check_transfers(struct check *check)
{
	struct seen keys = {0}, names = {0};

	check_keys(check, &keys);
	for (size_t i = 0; i < check->model->transfers.count; i++) {
		const struct transfer_settings *entry = &check->model->transfers.items[i];

		check_top(check, &names, entry->name, entry->resource_group, &entry->origin,
			  "transfer");
		check_entry(check, entry, &keys);
	}
}
