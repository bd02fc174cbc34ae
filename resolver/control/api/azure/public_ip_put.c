/* PUT of an address, as ARM has it: makes it, or makes it what the body says. Without dnsSettings
 * it then has neither a label nor a PTR; "" for reverseFqdn removes the PTR. A new reverse name
 * must be owned (api/claim.h).
 *
 * Clients send back what GET gave them: ipAddress, fqdn, etag, ipTags, sku and the like are passed
 * over. idleTimeoutInMinutes is checked and not kept. Another location or version is an error. DNS
 * names with a scope (domainNameLabelScope) are not supported. */
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/claim.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/uuid.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum { VALUES_MAX = 8, IDLE_MIN = 4, IDLE_MAX = 30 };

#define DNS_SETTINGS "properties.dnsSettings"

/* ---- what a body asks for ---- */

struct wanted_ip {
	char location[API_LOCATION_MAX];
	enum allocation allocation;
	uint8_t family;
	bool has_dns;
	const char *label, *reverse_fqdn; /* the body's; NULL: none */
	char *tags;                       /* sorted; NULL: none */
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
	return api_arm_read_location(request, wanted->location) &&
	       read_properties(request, wanted) && api_arm_read_tags(request, &wanted->tags);
}

/* ---- what does not fit what is there ---- */

/* Designate's clients make addresses with a PTR and no label: such an address may be sent back with
 * the same PTR, or without it. */
static bool may_lack_label(const struct owner *owner, const struct wanted_ip *wanted)
{
	return owner && !owner->label && owner->ptr.fqdn &&
	       (!wanted->reverse_fqdn || owner_has_ptr(owner, wanted->reverse_fqdn));
}

static bool check_wanted(struct api_request *request, const struct owner *owner,
			 const struct wanted_ip *wanted)
{
	const char *name = api_parameter(request, "name");
	if (wanted->has_dns && !wanted->label && !may_lack_label(owner, wanted)) {
		api_fail_at(request, 400, "DomainNameLabelMissing", DNS_SETTINGS ".domainNameLabel",
			    "The domain name label in the dnsSettings section of the public IP "
			    "address %s is null or empty. If a dnsSettings section exists, its "
			    "domain name label must not be null or empty.",
			    name);
		return false;
	}
	if (owner && strcasecmp(api_arm_location(owner), wanted->location) != 0) {
		api_fail_at(request, 409, "InvalidResourceLocation", "location",
			    "the address %s is in %s, and cannot move to %s", name,
			    api_arm_location(owner), wanted->location);
		return false;
	}
	if (owner && owner->address.family != wanted->family) {
		api_fail_at(request, 409, "PropertyChangeNotAllowed",
			    "properties.publicIPAddressVersion",
			    "the address %s is IPv%u, which cannot change", name,
			    owner->address.family);
		return false;
	}
	return true;
}

/* ---- the change ---- */

static int add(struct api_request *request, const struct wanted_ip *wanted, struct change *change,
	       const struct owner **owner)
{
	const struct change_value values[] = {
		{"name", api_parameter(request, "name")},
		{"resource_group", api_group(request)},
		{"region", wanted->location},
		{"allocation", schema_allocation_names[wanted->allocation]},
		{"family", wanted->family == 6 ? "6" : "4"},
		{"domain_name_label", wanted->label},
		{"tags", wanted->tags},
	};
	return change_add(change, OWNER_ADDRESS, values, COUNT(values), owner);
}

/* Only what differs: of an address that the file declares only the PTR can change. */
static int set(const struct wanted_ip *wanted, struct change *change, const struct owner **owner)
{
	struct change_value values[VALUES_MAX];
	size_t count = 0;
	if (wanted->allocation != (*owner)->allocation)
		values[count++] = (struct change_value){
			"allocation", schema_allocation_names[wanted->allocation]};
	if (!text_equal(wanted->label, (*owner)->label))
		values[count++] = (struct change_value){"domain_name_label", wanted->label};
	if (!text_equal(wanted->tags, (*owner)->tags))
		values[count++] = (struct change_value){"tags", wanted->tags};
	return count > 0 ? change_set(change, *owner, values, count, owner) : 0;
}

static int set_ptr(const struct wanted_ip *wanted, struct change *change, const struct owner *owner)
{
	const struct change_ptr ptr = {.fqdn = wanted->reverse_fqdn};
	if (wanted->reverse_fqdn)
		return owner_has_ptr(owner, wanted->reverse_fqdn)
			       ? 0
			       : change_ptr_set(change, owner, &ptr);
	return owner->ptr.fqdn ? change_ptr_unset(change, owner) : 0;
}

/* ---- the whole of it ---- */

struct put {
	struct api_claim claim; /* first */
	struct wanted_ip wanted;
	bool created;
};

static bool fits(struct api_claim *claim, const struct owner *owner)
{
	return check_wanted(claim->request, owner, &((struct put *)claim)->wanted);
}

static int edit(struct api_claim *claim, struct change *change, const struct owner **owner,
		struct change_error *error)
{
	struct api_request *request = claim->request;
	struct put *put = (struct put *)claim;
	char id[UUID_TEXT_MAX];
	(void)error; /* all that can fail is the change's */
	put->created = !*owner;
	int err = api_require(request, change, *owner);
	if (err == 0)
		err = *owner ? set(&put->wanted, change, owner)
			     : add(request, &put->wanted, change, owner);
	if (err != 0)
		return err;
	snprintf(id, sizeof id, "%s", (*owner)->id);
	err = set_ptr(&put->wanted, change, *owner);
	*owner = inventory_by_id(api_inventory(request), id);
	return err;
}

static void fail(struct api_claim *claim, const struct change_error *error)
{
	struct api_request *request = claim->request;
	const struct wanted_ip *wanted = &((struct put *)claim)->wanted;
	const char *suffix = inventory_model(api_inventory(request))->reverse.suffix;
	if (error->outcome == CHANGE_TAKEN && strcmp(error->field, "domain_name_label") == 0)
		api_fail_at(request, 400, "DnsRecordInUse", DNS_SETTINGS ".domainNameLabel",
			    "DNS record %s.%s.%s is already used by another public IP. %s.",
			    wanted->label, wanted->location, suffix, error->text);
	else
		api_fail_change(request, error);
}

static void answer(struct api_claim *claim, const struct owner *owner)
{
	char text[API_OWNER_TEXT_MAX];
	bool created = ((struct put *)claim)->created;
	api_log_change(claim->request, created ? "made" : "changed", api_owner_text(owner, text));
	public_ip_answer(claim->request, created ? 201 : 200, owner);
}

static void put_free(struct api_claim *claim)
{
	struct put *put = (struct put *)claim;
	free(put->wanted.tags);
	free(put);
}

static const struct api_claimant public_ip = {
	.title = "PublicIPAddress",
	.field = DNS_SETTINGS ".reverseFqdn",
	.also = "",
	.find = public_ip_asked,
	.fits = fits,
	.edit = edit,
	.fail = fail,
	.answer = answer,
	.free = put_free,
};

void api_public_ip_put(struct api_request *request)
{
	if (!api_arm_begin(request))
		return;
	struct put *put = calloc(1, sizeof *put);
	if (!put) {
		api_fail_memory(request);
		return;
	}
	put->claim =
		(struct api_claim){.claimant = &public_ip, .request = request, .checked = true};
	if (!read_wanted(request, &put->wanted)) {
		put_free(&put->claim);
		return;
	}
	put->claim.fqdn = put->wanted.reverse_fqdn;
	api_claim(&put->claim);
}
