/* Microsoft.Network/publicIPAddresses: an address, and its PTR as dnsSettings.reverseFqdn.
 *
 *     GET      of one; of a group, of the subscription: in pages (azure/page.h)
 *     PUT      azure/public_ip_put.c
 *     PATCH    {"tags"}
 *     DELETE   with its PTR; 204 also when there is none */
#include "resolver/control/api/azure/public_ip.h"

#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/inventory_group.h"
#include "resolver/control/resource/inventory_page.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/service/service.h"

enum { IDLE_SHOWN = 4, LOOKED_AT_ONCE = 100, LOOKED_AT_MAX = 10000, ROW_BYTES = 600 };

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

/* A page in the making: addresses in their order, of which not all are the list's; some are looked
 * at in each round of the control thread's loop, and nobody waits for it. */
struct list {
	struct work_job job; /* first */
	struct arm_page page;
	const char *group; /* NULL: all */
	struct api_text text;
	struct address at; /* the last one looked at; family 0: none */
	size_t looked_at, shown;
	bool more;
};

static bool is_listed(const struct list *list, const struct owner *owner)
{
	const struct api_request *request = list->page.request;
	return ownership_is_of(api_inventory(request), owner,
			       api_parameter(request, "subscription")) &&
	       (!list->group || strcasecmp(list->group, api_arm_group(owner)) == 0);
}

/* Of a group that is not too large, its own; else they are looked for among all. */
static size_t next_owners(const struct list *list, const struct owner *owners[LOOKED_AT_ONCE])
{
	const struct api_request *request = list->page.request;
	const struct inventory *inventory = api_inventory(request);
	const struct address *after = list->at.family ? &list->at : NULL;
	const char *group = list->group ? api_group(request) : NULL;
	if (list->group && inventory_group_size(inventory, group) <= INVENTORY_GROUP_MAX)
		return inventory_group_after(inventory, group, after, owners, LOOKED_AT_ONCE);
	return inventory_addresses_after(inventory, after, owners, LOOKED_AT_ONCE);
}

/* False: there are no more. */
static bool add_some(struct list *list)
{
	const struct owner *owners[LOOKED_AT_ONCE];
	struct api_request *request = list->page.request;
	size_t count = next_owners(list, owners);
	for (size_t i = 0; i < count; i++) {
		bool listed = is_listed(list, owners[i]);
		if (listed && list->shown == list->page.room) {
			list->looked_at = LOOKED_AT_MAX;
			return true;
		}
		if (listed) {
			api_text_put(&list->text, list->shown++ > 0 ? "," : "");
			api_text_put_json(&list->text, public_ip_json(request, owners[i]));
		}
		list->at = owners[i]->address;
	}
	list->looked_at += count;
	return count > 0;
}

static bool on_portion(void *context)
{
	struct list *list = context;
	list->more = add_some(list);
	return list->more && list->looked_at < LOOKED_AT_MAX;
}

/* Where a large group has few of very many addresses, a page may have fewer than it has room for,
 * even none, and there is a next one all the same. */
static void on_done(void *context)
{
	struct list *list = context;
	char last[ADDRESS_TEXT_MAX];
	list->text.failed = list->text.failed || list->job.given_up;
	arm_page_answer_text(&list->page, &list->text,
			     list->more ? address_print(&list->at, last) : NULL);
	free(list);
}

static void answer_list(struct api_request *request, const char *group)
{
	struct list *list = calloc(1, sizeof *list);
	if (!list) {
		api_fail_memory(request);
		return;
	}
	list->group = group;
	if (!api_arm_begin(request) || !arm_page_begin(&list->page, request, false)) {
		free(list);
		return;
	}
	if (list->page.behind && address_parse(&list->at, list->page.behind) != 0) {
		api_fail_at(request, 400, "InvalidSkipToken", "$skiptoken",
			    "it is not one that a nextLink had");
		free(list);
		return;
	}
	if (api_all_not_modified(request)) {
		free(list);
		return;
	}
	api_text_init(&list->text, (list->page.room + 1) * ROW_BYTES);
	api_text_put(&list->text, "{\"value\":[");
	if (work_beside_in_portions(&request->service->work, &list->job, on_portion, on_done))
		return;
	api_fail_ending(request);
	api_text_release(&list->text);
	free(list);
}

void api_public_ips_list(struct api_request *request)
{
	answer_list(request, NULL);
}

void api_public_ips_list_group(struct api_request *request)
{
	answer_list(request, api_parameter(request, "group"));
}

/* ---- which ---- */

const struct owner *public_ip_asked(const struct api_request *request)
{
	const struct inventory *inventory = api_inventory(request);
	const struct owner *owner =
		inventory_address(inventory, api_group(request), api_parameter(request, "name"));
	return owner && ownership_is_of(inventory, owner, api_parameter(request, "subscription"))
		       ? owner
		       : NULL;
}

static void fail_missing(struct api_request *request)
{
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

/* ---- tags, and the end ---- */

static void set_tags(struct api_request *request, const struct owner *owner, const char *tags)
{
	const struct change_value value = {"tags", tags};
	char id[UUID_TEXT_MAX], text[API_OWNER_TEXT_MAX];
	snprintf(id, sizeof id, "%s", owner->id);
	int err;
	struct change *change = api_change_begin(request, owner, &err);
	if (err == 0)
		err = change_set(change, owner, &value, 1, NULL);
	if (!api_change_end(request, change, err, NULL))
		return;
	owner = inventory_by_id(api_inventory(request), id);
	api_log_change(request, "tagged", api_owner_text(owner, text));
	public_ip_answer(request, 200, owner);
}

void api_public_ip_patch(struct api_request *request)
{
	char *tags = NULL;
	if (!api_arm_begin(request))
		return;
	const struct owner *owner = public_ip_asked(request);
	if (!owner) {
		fail_missing(request);
	} else if (api_arm_read_patch(request, &tags)) {
		set_tags(request, owner, tags);
		free(tags);
	}
}

void api_public_ip_delete(struct api_request *request)
{
	char text[API_OWNER_TEXT_MAX] = "";
	if (!api_arm_begin(request))
		return;
	const struct owner *owner = public_ip_asked(request);
	if (!owner && !request->if_match) {
		api_reply_empty(request, 204);
		return;
	}
	int err;
	struct change *change = api_change_begin(request, owner, &err);
	if (err == 0) {
		api_owner_text(owner, text);
		err = change_remove(change, owner);
	}
	if (!api_change_end(request, change, err, NULL))
		return;
	api_log_change(request, "removed", text);
	api_reply_empty(request, 204);
}
