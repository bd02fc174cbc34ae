/* PUT of an address the ARM way: makes it, or makes it what the body says. Without dnsSettings
 * there is neither a label nor a PTR afterwards; "" for reverseFqdn takes the PTR away. One that
 * sets another reverse name asks first whose that is (ownership.h):
 *
 *     body ─► rehearsed: made in a change that is then undone (form, labels, preconditions: 4xx)
 *          ─► another name than now? ─► ownership_check ─► not ours, not known: 400, nothing moved
 *          ─► made
 *
 * Bodies come back as GET gave them: ipAddress, fqdn, etag, ipTags, sku and the like are passed
 * over. idleTimeoutInMinutes is checked and not kept. What cannot change says so: location,
 * version. DNS names with a scope (domainNameLabelScope) are not made. */
#include <strings.h>

#include "resolver/control/api_arm.h"
#include "resolver/control/api_arm_public_ip.h"
#include "resolver/control/api_reverse.h"
#include "resolver/control/control.h"
#include "resolver/control/ownership.h"
#include "rules/name.h"

enum { ID_MAX = 37, LOCATION_MAX = 256, VALUES_MAX = 8, IDLE_MIN = 4, IDLE_MAX = 30 };

#define DNS_SETTINGS "properties.dnsSettings"

/* ---- what a body asks for ---- */

struct wish {
	char location[LOCATION_MAX]; /* in the form of a region: "West Europe" is westeurope */
	enum allocation allocation;
	uint8_t family;
	bool has_dns;
	const char *label, *reverse_fqdn; /* the body's; NULL: none */
	char *tags;                       /* sorted; NULL: none */
};

/* A text, or NULL where there is none or an empty one. `path` ends with the key. */
static bool read_text(struct api_request *request, const json_t *object, const char *path,
		      const char **text)
{
	const char *dot = strrchr(path, '.');
	const json_t *value = json_object_get(object, dot ? dot + 1 : path);
	*text = json_string_value(value);
	if (value && !*text && !json_is_null(value))
		return public_ip_fail(request, path, "a text is wanted here");
	if (*text && !**text)
		*text = NULL;
	return true;
}

/* One of two words, the first where none is given; *second is which. */
static bool read_word(struct api_request *request, const json_t *object, const char *path,
		      const char *const words[2], bool *second)
{
	const char *text;
	if (!read_text(request, object, path, &text))
		return false;
	*second = text && strcasecmp(text, words[1]) == 0;
	if (text && !*second && strcasecmp(text, words[0]) != 0)
		return public_ip_fail(request, path, "\"%.100s\" does not fit; give %s or %s", text,
				      words[0], words[1]);
	return true;
}

static bool read_location(struct api_request *request, struct wish *wish)
{
	const char *text;
	size_t used = 0;
	if (!read_text(request, request->body, "location", &text))
		return false;
	if (!text) {
		api_fail_at(request, 400, "LocationRequired", "location",
			    "the body says no location; give the region of the address");
		return false;
	}
	for (; *text; text++) {
		if (*text == ' ')
			continue;
		if (used == sizeof wish->location - 1)
			return public_ip_fail(request, "location", "it is too long for a region");
		wish->location[used++] = (char)name_lower((uint8_t)*text);
	}
	wish->location[used] = '\0';
	return true;
}

static bool read_properties(struct api_request *request, struct wish *wish)
{
	static const char *const methods[] = {"Dynamic", "Static"}, *const versions[] = {"IPv4",
											 "IPv6"};
	const json_t *properties = json_object_get(request->body, "properties");
	const json_t *idle = json_object_get(properties, "idleTimeoutInMinutes");
	const json_t *dns = json_object_get(properties, "dnsSettings");
	bool is_static, is_six;
	if (properties && !json_is_object(properties) && !json_is_null(properties))
		return public_ip_fail(request, "properties", "an object is wanted here");
	if (!read_word(request, properties, "properties.publicIPAllocationMethod", methods,
		       &is_static) ||
	    !read_word(request, properties, "properties.publicIPAddressVersion", versions, &is_six))
		return false;
	if (idle && !json_is_null(idle) &&
	    (!json_is_integer(idle) || json_integer_value(idle) < IDLE_MIN ||
	     json_integer_value(idle) > IDLE_MAX))
		return public_ip_fail(request, "properties.idleTimeoutInMinutes",
				      "a whole number from %d to %d is wanted here", IDLE_MIN,
				      IDLE_MAX);
	if (dns && !json_is_object(dns) && !json_is_null(dns))
		return public_ip_fail(request, DNS_SETTINGS, "an object or null is wanted here");
	wish->allocation = is_static ? ALLOCATION_STATIC : ALLOCATION_DYNAMIC;
	wish->family = is_six ? 6 : 4;
	wish->has_dns = json_is_object(dns);
	return read_text(request, dns, DNS_SETTINGS ".domainNameLabel", &wish->label) &&
	       read_text(request, dns, DNS_SETTINGS ".reverseFqdn", &wish->reverse_fqdn);
}

static bool read_wish(struct api_request *request, struct wish *wish)
{
	if (!json_is_object(request->body))
		return public_ip_fail(request, "", "a JSON object is wanted");
	return read_location(request, wish) && read_properties(request, wish) &&
	       public_ip_read_tags(request, &wish->tags);
}

/* ---- what does not fit what is there ---- */

/* As DNS compares names; `fqdn` may lack its final dot. */
static bool has_name(const struct owner *owner, const char *fqdn)
{
	static const struct hash_key any_key = {1, 2};
	struct name mine, other;
	return owner && owner->ptr.fqdn && fqdn &&
	       name_from_text(&mine, &any_key, owner->ptr.fqdn) == 0 &&
	       name_from_text(&other, &any_key, fqdn) == 0 && name_equal(&mine, &other);
}

/* Whoever sends back an address that has a PTR and no label, which Designate's clients make, may
 * keep the PTR or take it away. */
static bool may_lack_label(const struct owner *owner, const struct wish *wish)
{
	return owner && !owner->label && owner->ptr.fqdn &&
	       (!wish->reverse_fqdn || has_name(owner, wish->reverse_fqdn));
}

static bool check_wish(struct api_request *request, const struct owner *owner,
		       const struct wish *wish)
{
	const char *name = api_parameter(request, "name");
	bool ipv6 = inventory_model(api_inventory(request))->reverse.ipv6;
	if (wish->has_dns && !wish->label && !may_lack_label(owner, wish)) {
		api_fail_at(request, 400, "DomainNameLabelMissing", DNS_SETTINGS ".domainNameLabel",
			    "The domain name label in the dnsSettings section of the public IP "
			    "address %s is null or empty. If a dnsSettings section exists, its "
			    "domain name label must not be null or empty.",
			    name);
		return false;
	}
	if (owner && strcasecmp(api_arm_location(owner), wish->location) != 0) {
		api_fail_at(request, 409, "InvalidResourceLocation", "location",
			    "the address %s is in %s, and cannot move to %s", name,
			    api_arm_location(owner), wish->location);
		return false;
	}
	if (owner && owner->address.family != wish->family) {
		api_fail_at(request, 409, "PropertyChangeNotAllowed",
			    "properties.publicIPAddressVersion",
			    "the address %s is IPv%u, and stays so", name, owner->address.family);
		return false;
	}
	if (wish->reverse_fqdn && wish->family == 6 && !ipv6 &&
	    !has_name(owner, wish->reverse_fqdn)) {
		api_fail_at(request, 400, "ReverseFqdnNotSupportedForIPv6",
			    DNS_SETTINGS ".reverseFqdn",
			    "ReverseFqdn is for IPv4 addresses, and %s is IPv6; reverse.ipv6 in "
			    "the configuration allows it",
			    name);
		return false;
	}
	return true;
}

/* ---- the change ---- */

static bool is_same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static int add(struct api_request *request, const struct wish *wish, struct change *change,
	       const struct owner **owner)
{
	const struct change_value values[] = {
		{"name", api_parameter(request, "name")},
		{"resource_group", public_ip_group(request)},
		{"region", wish->location},
		{"allocation", wish->allocation == ALLOCATION_STATIC ? "static" : "dynamic"},
		{"family", wish->family == 6 ? "6" : "4"},
		{"domain_name_label", wish->label},
		{"tags", wish->tags},
	};
	return change_add(change, OWNER_ADDRESS, values, sizeof values / sizeof *values, owner);
}

/* Only what is another: of an address that the file declares nothing can change but the PTR. */
static int set(const struct wish *wish, struct change *change, const struct owner **owner)
{
	struct change_value values[VALUES_MAX];
	size_t count = 0;
	if (wish->allocation != (*owner)->allocation)
		values[count++] = (struct change_value){
			"allocation", wish->allocation == ALLOCATION_STATIC ? "static" : "dynamic"};
	if (!is_same(wish->label, (*owner)->label))
		values[count++] = (struct change_value){"domain_name_label", wish->label};
	if (!is_same(wish->tags, (*owner)->tags))
		values[count++] = (struct change_value){"tags", wish->tags};
	return count > 0 ? change_set(change, *owner, values, count, owner) : 0;
}

static int set_ptr(const struct wish *wish, struct change *change, const struct owner *owner)
{
	const struct change_ptr ptr = {.fqdn = wish->reverse_fqdn};
	if (wish->reverse_fqdn)
		return has_name(owner, wish->reverse_fqdn) ? 0
							   : change_ptr_set(change, owner, &ptr);
	return owner->ptr.fqdn ? change_ptr_unset(change, owner) : 0;
}

/* All edits of the PUT; *owner is what there was, NULL for nothing, and then what there is. */
static int edit(struct api_request *request, const struct wish *wish, struct change *change,
		const struct owner **owner)
{
	char id[ID_MAX];
	int err = change_require(change, *owner, request->if_match, request->if_none_match);
	if (err == 0)
		err = *owner ? set(wish, change, owner) : add(request, wish, change, owner);
	if (err != 0)
		return err;
	snprintf(id, sizeof id, "%s", (*owner)->id);
	err = set_ptr(wish, change, *owner);
	*owner = inventory_by_id(api_inventory(request), id);
	return err;
}

/* Ends the request. */
static void fail_edit(struct api_request *request, const struct wish *wish,
		      const struct change_error *error)
{
	const char *suffix = inventory_model(api_inventory(request))->reverse.suffix;
	if (error->outcome == CHANGE_TAKEN && strcmp(error->field, "domain_name_label") == 0)
		api_fail_at(request, 400, "DnsRecordInUse", DNS_SETTINGS ".domainNameLabel",
			    "DNS record %s.%s.%s is already used by another public IP. %s.",
			    wish->label, wish->location, suffix, error->text);
	else
		api_fail_change(request, error);
}

struct put {
	struct api_request *request;
	struct wish wish;
};

static void put_free(struct put *put)
{
	free(put->wish.tags);
	free(put);
}

static void put_make(struct put *put)
{
	struct api_request *request = put->request;
	const struct owner *owner = public_ip_asked(request);
	bool created = !owner;
	char id[ID_MAX] = "", text[API_OWNER_TEXT_MAX];
	if (!check_wish(request, owner, &put->wish)) { /* it came while the name was asked for */
		put_free(put);
		return;
	}
	struct change *change = change_begin(api_inventory(request));
	int err = change ? edit(request, &put->wish, change, &owner) : ERR_NOMEM;
	if (err == 0)
		snprintf(id, sizeof id, "%s", owner->id);
	if (err == 0)
		err = change_commit(change);
	if (err != 0)
		fail_edit(request, &put->wish, change_error(change));
	change_free(change);
	if (err == 0) {
		owner = inventory_by_id(api_inventory(request), id);
		api_log_change(request, created ? "made" : "changed", api_owner_text(owner, text));
		public_ip_answer(request, created ? 201 : 200, owner);
	}
	put_free(put);
}

/* ---- whose the reverse name is ---- */

static void on_ownership(void *context, enum ownership ownership, const char *reason)
{
	struct put *put = context;
	struct api_request *request = put->request;
	const char *fqdn = put->wish.reverse_fqdn, *name = api_parameter(request, "name");
	if (ownership == OWNERSHIP_OWNED) {
		put_make(put);
		return;
	}
	if (ownership == OWNERSHIP_UNRESOLVED)
		api_fail_at(request, 400, "ReverseFqdnCouldNotBeResolved",
			    DNS_SETTINGS ".reverseFqdn",
			    "ReverseFqdn %s that PublicIPAddress %s is trying to use could not be "
			    "resolved, so it is not known whose it is: %s. Nothing has changed; "
			    "try again when it resolves.",
			    fqdn, name, reason);
	else
		api_fail_at(request, 400, "ReverseFqdnDoesNotBelongToSubscription",
			    DNS_SETTINGS ".reverseFqdn",
			    "ReverseFqdn %s that PublicIPAddress %s is trying to use does not "
			    "belong to subscription %s. One of the following conditions need to be "
			    "met to establish ownership: 1) ReverseFqdn matches fqdn of any public "
			    "ip resource under the subscription; 2) ReverseFqdn resolves to the "
			    "fqdn (through CName records chain) of any public ip resource under "
			    "the subscription; 3) It resolves to the ip address (through CName and "
			    "A records chain) of a static public ip resource under the "
			    "subscription.",
			    fqdn, name, ownership_subscription(api_inventory(request), NULL));
	put_free(put);
}

/* What the address would be if the name were its own; the texts belong to the caller. */
struct rehearsal {
	char id[ID_MAX], fqdn[NAME_TEXT_MAX];
	struct address address;
};

/* False: it cannot be made, and that has been answered. */
static bool rehearse(struct put *put, struct rehearsal *will_be)
{
	struct api_request *request = put->request;
	const struct owner *owner = public_ip_asked(request);
	bool is_there = owner;
	*will_be = (struct rehearsal){.id = ""};
	if (!check_wish(request, owner, &put->wish))
		return false;
	struct change *change = change_begin(api_inventory(request));
	int err = change ? edit(request, &put->wish, change, &owner) : ERR_NOMEM;
	if (err != 0) {
		fail_edit(request, &put->wish, change_error(change));
	} else {
		if (is_there)
			snprintf(will_be->id, sizeof will_be->id, "%s", owner->id);
		if (owner->fqdn)
			snprintf(will_be->fqdn, sizeof will_be->fqdn, "%s", owner->fqdn);
		if (is_there && owner->allocation == ALLOCATION_STATIC)
			will_be->address = owner->address;
	}
	change_free(change);
	return err == 0;
}

static void put_start(struct put *put)
{
	struct api_request *request = put->request;
	struct rehearsal will_be;
	if (!rehearse(put, &will_be)) {
		put_free(put);
		return;
	}
	if (!put->wish.reverse_fqdn || has_name(public_ip_asked(request), put->wish.reverse_fqdn)) {
		put_make(put);
		return;
	}
	const struct ownership_question question = {
		.name = put->wish.reverse_fqdn,
		.subscription = api_parameter(request, "subscription"),
		.id = *will_be.id ? will_be.id : NULL,
		.fqdn = *will_be.fqdn ? will_be.fqdn : NULL,
		.address = will_be.address,
	};
	if (ownership_check(api_inventory(request), &request->control->server, &question,
			    on_ownership, put) == 0)
		return;
	api_fail(request, 503, NULL, "out of memory"); /* its form is good: it was rehearsed */
	put_free(put);
}

void api_public_ip_put(struct api_request *request)
{
	if (!api_arm_begin(request))
		return;
	struct put *put = calloc(1, sizeof *put);
	if (!put) {
		api_fail(request, 503, NULL, "out of memory");
		return;
	}
	put->request = request;
	if (read_wish(request, &put->wish))
		put_start(put);
	else
		put_free(put);
}
