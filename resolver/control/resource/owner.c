/* What an owner is called, and its entity tag: a hash of all that it is and of the revisions it was
 * last written at. */
#include "resolver/control/resource/owner.h"

#include "rules/base.h"
#include "rules/hash.h"
#include "rules/name.h"

const char *owner_title(const struct owner *owner, char text[OWNER_TITLE_MAX])
{
	char place[OWNER_TITLE_MAX / 2];

	if (owner->origin.file)
		snprintf(place, sizeof place, "%s:%u", owner->origin.file, owner->origin.line);
	else
		snprintf(place, sizeof place, "id %s, in the state", owner->id);
	snprintf(text, OWNER_TITLE_MAX, "%s \"%s\"%s%s%s (%s)",
		 owner->kind == OWNER_SERVICE ? "cloud service" : "address", owner->name,
		 owner->resource_group ? " of resource group \"" : "",
		 owner->resource_group ? owner->resource_group : "",
		 owner->resource_group ? "\"" : "", place);
	return text;
}

bool owner_has_ptr(const struct owner *owner, const char *fqdn)
{
	static const struct hash_key any_key = {1, 2};
	struct name mine, other;

	return owner && owner->ptr.fqdn && fqdn &&
	       name_from_text(&mine, &any_key, owner->ptr.fqdn) == 0 &&
	       name_from_text(&other, &any_key, fqdn) == 0 && name_equal(&mine, &other);
}

static const struct hash_key etag_key = {UINT64_C(0x736c75696365), UINT64_C(0x65746167)};

static uint64_t version_of(const struct owner *owner)
{
	const char *const texts[] = {owner->id,       owner->name,           owner->resource_group,
				     owner->region,   owner->subscription,   owner->label,
				     owner->fqdn,     owner->description,    owner->tags,
				     owner->ptr.fqdn, owner->ptr.description};
	const uint64_t numbers[] = {owner->kind,          owner->allocation,    owner->revision,
				    owner->ptr.ttl,       owner->ptr.ttl_given, owner->ptr.revision,
				    owner->address.family};
	uint64_t hash = hash_bytes(&etag_key, 0, owner->address.bytes, sizeof owner->address.bytes);

	for (size_t i = 0; i < COUNT(numbers); i++)
		hash = etag_add_number(&etag_key, hash, numbers[i]);
	for (size_t i = 0; i < COUNT(texts); i++)
		hash = etag_add_text(&etag_key, hash, texts[i]);
	return hash;
}

static uint32_t standing_of(const struct owner *owner)
{
	uint64_t hash = etag_add_text(&etag_key, owner->origin.line, owner->origin.file);

	hash = etag_add_text(&etag_key, hash, owner->ptr.reason);
	hash = etag_add_number(&etag_key, hash, owner->ptr.status);
	return (uint32_t)etag_add_number(&etag_key, hash, owner->ptr.action);
}

char *owner_etag(const struct owner *owner, char text[ETAG_MAX])
{
	return etag_print(version_of(owner), standing_of(owner), text);
}

char *owner_version_etag(const struct owner *owner, char text[ETAG_MAX])
{
	return etag_print(version_of(owner), 0, text);
}

const char *ptr_status_text(enum ptr_status status)
{
	static const char *const texts[] = {
#define X(name) [PTR_##name] = #name,
		PTR_STATUS_MAP(X)
#undef X
	};

	return texts[status];
}

const char *ptr_action_text(enum ptr_action action)
{
	static const char *const texts[] = {
#define X(name) [PTR_ACTION_##name] = #name,
		PTR_ACTION_MAP(X)
#undef X
	};

	return texts[action];
}
