/* Microsoft.Network/publicIPAddresses: an address, and its PTR as dnsSettings.reverseFqdn.
 *
 *     GET      of one; of a group, of the subscription: in pages (azure/page.h)
 *     PUT      azure/public_ip_put.c
 *     PATCH    {"tags"}
 *     DELETE   with its PTR; 204 also when there is none */
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/ownership.h"

enum { IDLE_SHOWN = 4 };

/* ---- showing ---- */

static json_t *dns_json(const struct owner *owner)
{
	json_t *dns = json_object();
	if (owner->label)
		json_put(dns, "domainNameLabel", json_text(owner->label));
	if (owner->fqdn) /* which ARM shows without its final dot */
		json_put(dns, "fqdn", json_stringn(owner->fqdn, strlen(owner->fqdn) - 1));
	if (owner->ptr.fqdn)
		json_put(dns, "reverseFqdn", json_text(owner->ptr.fqdn));
	return dns;
}

static json_t *properties_json(const struct owner *owner)
{
	char address[ADDRESS_TEXT_MAX];
	json_t *properties = json_make(
		"{s:s, s:o, s:o, s:s, s:s, s:i, s:[]}", "provisioningState", "Succeeded",
		"resourceGuid", json_text(owner->id), "ipAddress",
		json_text(address_print(&owner->address, address)), "publicIPAddressVersion",
		owner->address.family == 6 ? "IPv6" : "IPv4", "publicIPAllocationMethod",
		owner->allocation == ALLOCATION_STATIC ? "Static" : "Dynamic",
		"idleTimeoutInMinutes", IDLE_SHOWN, "ipTags");
	if (owner->label || owner->ptr.fqdn)
		json_put(properties, "dnsSettings", dns_json(owner));
	return properties;
}

static json_t *public_ip_json(const struct api_request *request, const struct owner *owner)
{
	char path[1024], etag[ETAG_MAX];
	json_t *tags = owner->tags ? json_loads(owner->tags, 0, NULL) : json_object();
	snprintf(path, sizeof path,
		 "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/"
		 "publicIPAddresses/%s",
		 ownership_subscription(api_inventory(request), owner), api_arm_group(owner),
		 owner->name);
	json_t *object =
		json_make("{s:o, s:o, s:o, s:s, s:o, s:o}", "name", json_text(owner->name), "id",
			  json_text(path), "etag", json_text(owner_version_etag(owner, etag)),
			  "type", "Microsoft.Network/publicIPAddresses", "location",
			  json_text(api_arm_location(owner)), "tags", tags);
	json_put(object, "sku", json_make("{s:s, s:s}", "name", "Basic", "tier", "Regional"));
	json_put(object, "properties", properties_json(owner));
	return object;
}

/* ---- lists ---- */

/* The group of the path; "": it names none, and the list is the subscription's. */
static bool is_listed(const struct api_request *request, const struct owner *owner)
{
	const char *group = api_parameter(request, "group");
	return ownership_is_of(api_inventory(request), owner,
			       api_parameter(request, "subscription")) &&
	       (!*group || strcasecmp(group, api_arm_group(owner)) == 0);
}

/* Of the group of the path, or all addresses. */
static int next_owners(const struct api_request *request, const char *behind,
		       const struct owner **owners, size_t room, size_t *count)
{
	struct inventory *inventory = api_inventory(request);
	const char *group = api_group(request);
	struct address address;
	if (!*api_parameter(request, "group"))
		return api_list_addresses(request, behind, owners, room, count);
	bool after = behind && address_parse(&address, behind) == 0;
	*count = inventory_group_after(inventory, group, after ? &address : NULL, owners, room);
	return 0;
}

void api_public_ips_list(struct api_request *request)
{
	static const struct api_list list = {"value",        next_owners, is_listed,
					     public_ip_json, "nextLink",  arm_next_link};
	struct arm_page page;
	struct address address;
	if (!api_arm_begin(request) || !arm_page_begin(&page, request, false))
		return;
	if (page.behind && address_parse(&address, page.behind) != 0)
		api_fail_at(request, 400, "InvalidSkipToken", "$skiptoken",
			    "it is not from a nextLink; follow the nextLink of the previous page");
	else
		api_list_answer(request, &list, page.room, page.behind);
}

/* ---- which ---- */

const struct owner *public_ip_asked(const struct api_request *request)
{
	struct inventory *inventory = api_inventory(request);
	const struct owner *owner =
		inventory_address(inventory, api_group(request), api_parameter(request, "name"));
	return owner && ownership_is_of(inventory, owner, api_parameter(request, "subscription"))
		       ? owner
		       : NULL;
}

static void fail_missing(struct api_request *request)
{
	if (api_could_not_read(request))
		return;
	api_fail(request, 404, "ResourceNotFound",
		 "The Resource 'Microsoft.Network/publicIPAddresses/%s' under resource group '%s' "
		 "was not found",
		 api_parameter(request, "name"), api_parameter(request, "group"));
}

void public_ip_answer(struct api_request *request, unsigned status, const struct owner *owner)
{
	char etag[ETAG_MAX];
	api_reply_json(request, status, public_ip_json(request, owner),
		       owner_version_etag(owner, etag));
}

void api_public_ip_show(struct api_request *request)
{
	if (!api_arm_begin(request))
		return;
	const struct owner *owner = public_ip_asked(request);
	if (owner)
		public_ip_answer(request, 200, owner);
	else
		fail_missing(request);
}

struct path public_ip_path(const struct api_request *request)
{
	return (struct path){kind_of_id(KIND_ADDRESS),
			     api_parameter(request, "group"),
			     {api_parameter(request, "name"), NULL}};
}

void public_ip_answer_changed(struct api_request *request, unsigned status, const char *done)
{
	const struct owner *owner = public_ip_asked(request);
	char text[API_OWNER_TEXT_MAX];

	if (owner) {
		api_log_change(request, done, api_owner_text(owner, text));
		public_ip_answer(request, status, owner);
	} else if (!api_could_not_read(request)) {
		api_fail_memory(request);
	}
}

/* ---- tags, and the end ---- */

static bool read_tags(struct api_edit *edit, struct path *path, json_t **values)
{
	struct api_request *request = edit->request;
	const struct owner *owner = public_ip_asked(request);

	if (!owner)
		fail_missing(request);
	if (!owner || !api_require_address(request, owner))
		return false;
	*path = public_ip_path(request);
	*values = owner_whole_object(owner);
	json_put(*values, "tags", json_deep_copy(json_object_get(request->body, "tags")));
	return true;
}

static void answer_tagged(struct api_edit *edit, const struct api_made *made)
{
	(void)made;
	public_ip_answer_changed(edit->request, 200, "tagged");
}

void api_public_ip_patch(struct api_request *request)
{
	static const struct api_editor editor = {.read = read_tags, .answer = answer_tagged};
	if (!api_arm_begin(request))
		return;
	if (!public_ip_asked(request))
		fail_missing(request);
	else if (api_arm_check_patch(request))
		api_edit_plain(request, &editor);
}

/* Without a precondition an address that is not there is fine. */
static bool read_delete(struct api_edit *edit, struct path *path, json_t **values)
{
	struct api_request *request = edit->request;
	const struct owner *owner = public_ip_asked(request);

	*values = json_null();
	*path = public_ip_path(request);
	if (!owner && api_could_not_read(request))
		return false;
	if (!owner && !request->if_match) {
		path->kind = NULL; /* nothing is to be done */
		return true;
	}
	if (!api_require_address(request, owner))
		return false;
	edit->was = api_address_title(request, owner); /* it is there: If-Match wants that */
	return true;
}

static void answer_deleted(struct api_edit *edit, const struct api_made *made)
{
	if (made->change->count > 0)
		api_log_change(edit->request, "removed", edit->was);
	api_reply_empty(edit->request, 204);
}

void api_public_ip_delete(struct api_request *request)
{
	static const struct api_editor editor = {.read = read_delete, .answer = answer_deleted};

	if (api_arm_begin(request))
		api_edit_plain(request, &editor);
}
