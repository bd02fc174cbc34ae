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
#include "resolver/control/resource/values.h"

enum { IDLE_SHOWN = 4 };

/* ---- showing ---- */

static json_t *dns_json(const struct owned_resource *resource)
{
	json_t *dns = json_object();
	if (resource->item.domain_name_label)
		json_put(dns, "domainNameLabel", json_text(resource->item.domain_name_label));
	if (resource->fqdn) /* which ARM shows without its final dot */
		json_put(dns, "fqdn", json_stringn(resource->fqdn, strlen(resource->fqdn) - 1));
	if (resource->item.reverse_fqdn)
		json_put(dns, "reverseFqdn", json_text(resource->item.reverse_fqdn));
	return dns;
}

static json_t *properties_json(const struct owned_resource *resource)
{
	char address[ADDRESS_TEXT_MAX];
	json_t *properties = json_make(
		"{s:s, s:o, s:o, s:s, s:s, s:i, s:[]}", "provisioningState", "Succeeded",
		"resourceGuid", json_text(resource->item.id), "ipAddress",
		json_text(address_print(&resource->item.address, address)),
		"publicIPAddressVersion", resource->item.address.family == 6 ? "IPv6" : "IPv4",
		"publicIPAllocationMethod",
		resource->item.allocation == ALLOCATION_STATIC ? "Static" : "Dynamic",
		"idleTimeoutInMinutes", IDLE_SHOWN, "ipTags");
	if (resource->item.domain_name_label || resource->item.reverse_fqdn)
		json_put(properties, "dnsSettings", dns_json(resource));
	return properties;
}

static json_t *public_ip_json(const struct api_request *request,
			      const struct owned_resource *resource)
{
	char path[1024], etag[ETAG_MAX];
	json_t *tags = values_print_tags(resource->item.tags.items, resource->item.tags.count);
	snprintf(path, sizeof path,
		 "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/"
		 "publicIPAddresses/%s",
		 ownership_subscription(api_inventory(request), resource), api_arm_group(resource),
		 resource->item.name);
	json_t *object = json_make("{s:o, s:o, s:o, s:s, s:o, s:o}", "name",
				   json_text(resource->item.name), "id", json_text(path), "etag",
				   json_text(owned_version_etag(resource, etag)), "type",
				   "Microsoft.Network/publicIPAddresses", "location",
				   json_text(api_arm_location(resource)), "tags", tags);
	json_put(object, "sku", json_make("{s:s, s:s}", "name", "Basic", "tier", "Regional"));
	json_put(object, "properties", properties_json(resource));
	return object;
}

/* ---- lists ---- */

/* The group of the path; "": it names none, and the list is the subscription's. */
static bool is_listed(const struct api_request *request, const struct owned_resource *resource)
{
	const char *group = api_parameter(request, "group");
	return ownership_is_of(api_inventory(request), resource,
			       api_parameter(request, "subscription")) &&
	       (!*group || strcasecmp(group, api_arm_group(resource)) == 0);
}

/* Of the group of the path, or all addresses. */
static int next_resources(const struct api_request *request, const char *behind,
			  const struct owned_resource **resources, size_t room, size_t *count)
{
	struct inventory *inventory = api_inventory(request);
	const char *group = api_group(request);
	struct address address;
	if (!*api_parameter(request, "group"))
		return api_list_addresses(request, behind, resources, room, count);
	bool after = behind && address_parse(&address, behind) == 0;
	*count = inventory_group_after(inventory, group, after ? &address : NULL, resources, room);
	return 0;
}

void api_public_ips_list(struct api_request *request)
{
	static const struct api_list list = {"value",        next_resources, is_listed,
					     public_ip_json, "nextLink",     arm_next_link};
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

const struct owned_resource *public_ip_asked(const struct api_request *request)
{
	struct inventory *inventory = api_inventory(request);
	const struct owned_resource *resource =
		inventory_address(inventory, api_group(request), api_parameter(request, "name"));
	return resource && ownership_is_of(inventory, resource,
					   api_parameter(request, "subscription"))
		       ? resource
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

void public_ip_answer(struct api_request *request, unsigned status,
		      const struct owned_resource *resource)
{
	char etag[ETAG_MAX];
	api_reply_json(request, status, public_ip_json(request, resource),
		       owned_version_etag(resource, etag));
}

void api_public_ip_show(struct api_request *request)
{
	if (!api_arm_begin(request))
		return;
	const struct owned_resource *resource = public_ip_asked(request);
	if (resource)
		public_ip_answer(request, 200, resource);
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
	const struct owned_resource *resource = public_ip_asked(request);
	char text[API_OWNED_TEXT_MAX];

	if (resource) {
		api_log_change(request, done, api_owned_text(resource, text));
		public_ip_answer(request, status, resource);
	} else if (!api_could_not_read(request)) {
		api_fail_memory(request);
	}
}

/* ---- tags, and the end ---- */

static bool read_tags(struct api_edit *edit, struct path *path, json_t **values)
{
	struct api_request *request = edit->request;
	const struct owned_resource *resource = public_ip_asked(request);

	if (!resource)
		fail_missing(request);
	if (!resource || !api_require_address(request, resource))
		return false;
	*path = public_ip_path(request);
	*values = owned_values(resource);
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
	const struct owned_resource *resource = public_ip_asked(request);

	*values = json_null();
	*path = public_ip_path(request);
	if (!resource && api_could_not_read(request))
		return false;
	if (!resource && !request->if_match) {
		path->kind = NULL; /* nothing is to be done */
		return true;
	}
	if (!api_require_address(request, resource))
		return false;
	edit->was = api_address_title(request, resource); /* it is there: If-Match wants that */
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
