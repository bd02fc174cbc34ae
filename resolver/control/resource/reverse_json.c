/* What is not there is null, so that every address has the same members. */
#include "resolver/control/resource/reverse_json.h"

#include <string.h>

#include "resolver/control/base/json.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

static json_t *origin_json(const struct origin *origin)
{
	char text[600];
	if (!origin->file)
		return json_null();
	snprintf(text, sizeof text, "%s:%u", origin->file, origin->line);
	return json_text(text);
}

static json_t *address_json(const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];
	return json_text(address_print(address, text));
}

static json_t *tags_json(const char *tags)
{
	json_t *object = tags ? json_loads(tags, 0, NULL) : NULL;
	return object ? object : json_object();
}

enum { PTR_ID_MAX = 300 };

static char *ptr_id(const struct owner *owner, char text[PTR_ID_MAX])
{
	snprintf(text, PTR_ID_MAX, "%s%s%s", owner->region ? owner->region : "",
		 owner->region ? ":" : "", owner->id);
	return text;
}

/* reverse_fqdn, ttl, ttl_served, status, action, reason, and the etag. */
static void put_ptr(json_t *object, const struct owner *owner)
{
	char etag[ETAG_MAX];
	const struct owner_ptr *ptr = &owner->ptr;
	json_put(object, "reverse_fqdn", json_text(ptr->fqdn));
	json_put(object, "ttl", ptr->fqdn && ptr->ttl_given ? json_integer(ptr->ttl) : json_null());
	json_put(object, "ttl_served", ptr->fqdn ? json_integer(ptr->ttl) : json_null());
	json_put(object, "status", json_text(ptr_status_text(ptr->status)));
	json_put(object, "action", json_text(ptr_action_text(ptr->action)));
	json_put(object, "reason", json_text(ptr->reason));
	json_put(object, "etag", json_text(owner_etag(owner, etag)));
}

json_t *owner_json(const struct owner *owner)
{
	bool service = owner->kind == OWNER_SERVICE;
	json_t *object =
		json_make("{s:o, s:o, s:o}", "id", json_text(owner->id), "name",
			  json_text(owner->name), "address", address_json(&owner->address));
	if (!service) {
		json_put(object, "resource_group", json_text(owner->resource_group));
		json_put(object, "region", json_text(owner->region));
		json_put(object, "subscription", json_text(owner->subscription));
		json_put(object, "allocation",
			 json_text(schema_allocation_names[owner->allocation]));
		json_put(object, "domain_name_label", json_text(owner->label));
	}
	json_put(object, "fqdn", json_text(owner->fqdn));
	json_put(object, "tags", tags_json(owner->tags));
	json_put(object, "description",
		 json_text(service ? owner->description : owner->ptr.description));
	if (service)
		json_put(object, "ptr_description", json_text(owner->ptr.description));
	put_ptr(object, owner);
	json_put(object, "origin", origin_json(&owner->origin));
	return object;
}

json_t *owner_ptr_json(const struct owner *owner)
{
	char id[PTR_ID_MAX];
	json_t *object = json_make(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", json_text(ptr_id(owner, id)), "kind",
		owner->kind == OWNER_SERVICE ? "service" : "address", "name",
		json_text(owner->name), "resource_group", json_text(owner->resource_group),
		"region", json_text(owner->region), "address", address_json(&owner->address),
		"description", json_text(owner->ptr.description));
	put_ptr(object, owner);
	json_put(object, "origin",
		 owner->ptr.read_only ? origin_json(&owner->origin) : json_null());
	return object;
}
