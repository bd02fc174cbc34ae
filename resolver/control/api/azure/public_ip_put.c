/* PUT of an address, as ARM has it: makes it, or makes it what the body says. Without dnsSettings
 * it then has neither a label nor a PTR; "" for reverseFqdn removes the PTR. A new reverse name
 * must be owned (api/edit.h).
 *
 * Clients send back what GET gave them: ipAddress, fqdn, etag, ipTags, sku and the like are passed
 * over. idleTimeoutInMinutes is checked and not kept. Another location or version is an error. DNS
 * names with a scope (domainNameLabelScope) are not supported. */
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/addresses.h"
#include "resolver/control/resource/values.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum { IDLE_MIN = 4, IDLE_MAX = 30 };

#define DNS_SETTINGS "properties.dnsSettings"

/* ---- what a body asks for ---- */

struct wanted_ip {
	char location[API_LOCATION_MAX];
	enum allocation allocation;
	uint8_t family;
	bool has_dns;
	const char *label, *reverse_fqdn; /* the body's; NULL: none */
	const json_t *tags;               /* the body's; NULL or null: none */
};

/* One of two words, the first where none is given; *second is which. */
static bool read_word(struct api_request *request, const json_t *object, const char *path,
		      const char *const words[2], bool *second)
{
	const char *text;
	if (!api_arm_read_text(request, object, path, &text))
		return false;
	*second = text && strcasecmp(text, words[1]) == 0;
	if (text && !*second && strcasecmp(text, words[0]) != 0)
		return api_arm_fail(request, path, "\"%.100s\" does not fit; give %s or %s", text,
				    words[0], words[1]);
	return true;
}

static bool read_properties(struct api_request *request, struct wanted_ip *wanted)
{
	static const char *const methods[] = {"Dynamic", "Static"}, *const versions[] = {"IPv4",
											 "IPv6"};
	const json_t *properties = json_object_get(request->body, "properties");
	const json_t *idle = json_object_get(properties, "idleTimeoutInMinutes");
	const json_t *dns = json_object_get(properties, "dnsSettings");
	bool is_static, is_six;
	if (properties && !json_is_object(properties) && !json_is_null(properties))
		return api_arm_fail(request, "properties", "must be an object");
	if (!read_word(request, properties, "properties.publicIPAllocationMethod", methods,
		       &is_static) ||
	    !read_word(request, properties, "properties.publicIPAddressVersion", versions, &is_six))
		return false;
	if (idle && !json_is_null(idle) &&
	    (!json_is_integer(idle) || json_integer_value(idle) < IDLE_MIN ||
	     json_integer_value(idle) > IDLE_MAX))
		return api_arm_fail(request, "properties.idleTimeoutInMinutes",
				    "must be a whole number from %d to %d", IDLE_MIN, IDLE_MAX);
	if (dns && !json_is_object(dns) && !json_is_null(dns))
		return api_arm_fail(request, DNS_SETTINGS, "must be an object or null");
	wanted->allocation = is_static ? ALLOCATION_STATIC : ALLOCATION_DYNAMIC;
	wanted->family = is_six ? 6 : 4;
	wanted->has_dns = json_is_object(dns);
	return api_arm_read_text(request, dns, DNS_SETTINGS ".domainNameLabel", &wanted->label) &&
	       api_arm_read_text(request, dns, DNS_SETTINGS ".reverseFqdn", &wanted->reverse_fqdn);
}

static bool read_wanted(struct api_request *request, struct wanted_ip *wanted)
{
	if (!json_is_object(request->body))
		return api_arm_fail(request, "", "must be a JSON object");
	wanted->tags = json_object_get(request->body, "tags");
	return api_arm_read_location(request, wanted->location) &&
	       read_properties(request, wanted) && api_arm_check_tags(request);
}

/* ---- what does not fit what is there ---- */

/* Designate's clients make addresses with a PTR and no label: such an address may be sent back with
 * the same PTR, or without it. */
static bool may_lack_label(const struct owned_resource *resource, const struct wanted_ip *wanted)
{
	return resource && !resource->item.domain_name_label && resource->item.reverse_fqdn &&
	       (!wanted->reverse_fqdn || owned_has_ptr(resource, wanted->reverse_fqdn));
}

static bool check_wanted(struct api_request *request, const struct owned_resource *resource,
			 const struct wanted_ip *wanted)
{
	const char *name = api_parameter(request, "name");
	if (wanted->has_dns && !wanted->label && !may_lack_label(resource, wanted)) {
		api_fail_at(request, 400, "DomainNameLabelMissing", DNS_SETTINGS ".domainNameLabel",
			    "The domain name label in the dnsSettings section of the public IP "
			    "address %s is null or empty. If a dnsSettings section exists, its "
			    "domain name label must not be null or empty.",
			    name);
		return false;
	}
	if (resource && strcasecmp(api_arm_location(resource), wanted->location) != 0) {
		api_fail_at(request, 409, "InvalidResourceLocation", "location",
			    "the address %s is in %s, and cannot move to %s", name,
			    api_arm_location(resource), wanted->location);
		return false;
	}
	if (resource && resource->item.address.family != wanted->family) {
		api_fail_at(request, 409, "PropertyChangeNotAllowed",
			    "properties.publicIPAddressVersion",
			    "the address %s is IPv%u, which cannot change", name,
			    resource->item.address.family);
		return false;
	}
	return true;
}

/* ---- the change ---- */

static void put_text(json_t *values, const char *key, const char *text)
{
	json_put(values, key, json_text(text)); /* null: it is removed */
}

/* Of an address, without its PTR. */
static void put_members(const struct wanted_ip *wanted, json_t *values)
{
	put_text(values, "allocation", schema_allocation_names[wanted->allocation]);
	put_text(values, "domain_name_label", wanted->label);
	json_put(values, "tags", wanted->tags ? json_deep_copy(wanted->tags) : json_null());
}

static bool has_tags(const struct wanted_ip *wanted, const struct owned_item *item)
{
	json_t *tags = values_print_tags(item->tags.items, item->tags.count);
	bool has = json_object_size(wanted->tags) == 0 ? json_object_size(tags) == 0
						       : json_equal(wanted->tags, tags);

	json_decref(tags);
	return has;
}

static bool has_members(const struct wanted_ip *wanted, const struct owned_resource *resource)
{
	return wanted->allocation == resource->item.allocation &&
	       text_equal(wanted->label, resource->item.domain_name_label) &&
	       has_tags(wanted, &resource->item);
}

static bool has_name(const struct wanted_ip *wanted, const struct owned_resource *resource)
{
	return wanted->reverse_fqdn ? owned_has_ptr(resource, wanted->reverse_fqdn)
				    : !resource->item.reverse_fqdn;
}

static json_t *new_values(const struct wanted_ip *wanted)
{
	json_t *values = json_object();

	put_members(wanted, values);
	put_text(values, "region", wanted->location);
	put_text(values, "family", wanted->family == 6 ? "6" : "4");
	put_text(values, "reverse_fqdn", wanted->reverse_fqdn);
	return values;
}

static json_t *changed_values(const struct wanted_ip *wanted, const struct owned_resource *resource)
{
	json_t *values = owned_values(resource);

	put_members(wanted, values);
	if (has_name(wanted, resource))
		return values;
	json_object_del(values, "description"); /* was the other PTR's */
	json_object_del(values, "ttl");
	put_text(values, "reverse_fqdn", wanted->reverse_fqdn);
	return values;
}

/* ---- the whole of it ---- */

struct put {
	struct api_edit edit; /* first */
	struct wanted_ip wanted;
	bool created;
};

/* Whether it is there, and another subscription's, which has been answered. */
static bool is_anothers(struct api_request *request)
{
	const struct path path = public_ip_path(request);
	struct change_error error;

	if (!addresses_find(api_inventory(request), &path))
		return false;
	change_say(&error, CHANGE_TAKEN, "name",
		   "%s is taken, by an address of another subscription; give another",
		   path.names[0]);
	api_fail_change(request, &error);
	return true;
}

/* Where the PTR alone differs, the PTR alone is changed: that of an address of the file can be. */
static bool read_put(struct api_edit *edit, struct path *path, json_t **values)
{
	struct api_request *request = edit->request;
	struct put *put = (struct put *)edit;
	const struct wanted_ip *wanted = &put->wanted;
	const struct owned_resource *resource = public_ip_asked(request);

	if (!resource && (api_could_not_read(request) || is_anothers(request)))
		return false;
	if (!check_wanted(request, resource, wanted) || !api_require_address(request, resource) ||
	    !api_edit_allows(edit, resource, api_parameter(request, "name"), wanted->family,
			     wanted->reverse_fqdn))
		return false;
	put->created = !resource;
	edit->claimed = wanted->reverse_fqdn;
	*path = public_ip_path(request);
	if (!resource) {
		*values = new_values(wanted);
	} else if (!has_members(wanted, resource)) {
		*values = changed_values(wanted, resource);
	} else if (!has_name(wanted, resource)) {
		*path = (struct path){kind_of_id(KIND_PTR), GROUP_NONE, {resource->item.id, NULL}};
		*values = json_make("{s:o}", "reverse_fqdn", json_text(wanted->reverse_fqdn));
	} else {
		path->kind = NULL; /* nothing is to be done */
	}
	return true;
}

static void fail(struct api_edit *edit, const struct change_error *error)
{
	struct api_request *request = edit->request;
	const struct wanted_ip *wanted = &((struct put *)edit)->wanted;
	const char *suffix = inventory_model(api_inventory(request))->reverse.suffix;
	if (error->outcome == CHANGE_TAKEN && strcmp(error->field, "domain_name_label") == 0)
		api_fail_at(request, 400, "DnsRecordInUse", DNS_SETTINGS ".domainNameLabel",
			    "DNS record %s.%s.%s is already used by another public IP. %s.",
			    wanted->label, wanted->location, suffix, error->text);
	else
		api_fail_change(request, error);
}

static void answer(struct api_edit *edit, const struct api_made *made)
{
	bool created = ((struct put *)edit)->created;

	(void)made;
	public_ip_answer_changed(edit->request, created ? 201 : 200, created ? "made" : "changed");
}

void api_public_ip_put(struct api_request *request)
{
	static const struct api_editor editor = {.read = read_put,
						 .answer = answer,
						 .fail = fail,
						 .find = public_ip_asked,
						 .title = "PublicIPAddress",
						 .field = DNS_SETTINGS ".reverseFqdn",
						 .also = ""};
	if (!api_arm_begin(request))
		return;
	struct put *put = calloc(1, sizeof *put);
	if (!put) {
		api_fail_memory(request);
		return;
	}
	put->edit = (struct api_edit){.editor = &editor, .request = request};
	if (read_wanted(request, &put->wanted))
		api_edit(&put->edit);
	else
		free(put);
}
