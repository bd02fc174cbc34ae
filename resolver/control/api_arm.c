/* ARM's subscriptions and resource groups. There is one subscription, the configuration's. A group
 * is there while an address names it: it comes with its first address and goes with its last, for
 * the state keeps owners and PTRs alone. So a group that is there can be put as it is, one that is
 * not cannot be made empty, and deleting one deletes what is in it, all or nothing. */
#include "resolver/control/api_arm.h"

#include <strings.h>

#include "resolver/control/api_reverse.h"
#include "resolver/control/json.h"
#include "resolver/control/ownership.h"

bool api_arm_begin(struct api_request *request)
{
	const char *version = api_query(request, "api-version");
	const char *subscription = api_parameter(request, "subscription");
	if (!version || !*version) {
		api_fail_at(request, 400, "MissingApiVersionParameter", "api-version",
			    "the query says no api-version; any will do, as in "
			    "?api-version=2022-07-01");
		return false;
	}
	if (!*subscription || ownership_is_of(api_inventory(request), NULL, subscription))
		return true;
	api_fail(request, 404, "SubscriptionNotFound",
		 "The subscription '%s' could not be found; it is %s here", subscription,
		 ownership_subscription(api_inventory(request), NULL));
	return false;
}

const char *api_arm_group(const struct owner *owner)
{
	return owner->resource_group ? owner->resource_group : "-";
}

const char *api_arm_location(const struct owner *owner)
{
	return owner->region ? owner->region : "global";
}

/* ---- subscriptions ---- */

static json_t *subscription_json(const struct api_request *request)
{
	const char *id = ownership_subscription(api_inventory(request), NULL);
	char path[160];
	snprintf(path, sizeof path, "/subscriptions/%s", id);
	return json_make("{s:o, s:o, s:s, s:s, s:s}", "id", json_text(path), "subscriptionId",
			 json_text(id), "displayName", "sluice", "state", "Enabled", "tenantId",
			 "adfs");
}

void api_subscriptions_list(struct api_request *request)
{
	if (api_arm_begin(request))
		api_reply_json(request, 200,
			       json_make("{s:[o]}", "value", subscription_json(request)), NULL);
}

void api_subscription_show(struct api_request *request)
{
	if (api_arm_begin(request))
		api_reply_json(request, 200, subscription_json(request), NULL);
}

/* ---- resource groups ---- */

static json_t *group_json(const struct api_request *request, const struct owner *owner)
{
	const char *group = api_arm_group(owner);
	char path[1024];
	snprintf(path, sizeof path, "/subscriptions/%s/resourceGroups/%s",
		 ownership_subscription(api_inventory(request), owner), group);
	return json_make("{s:o, s:o, s:s, s:o, s:{}, s:{s:s}}", "id", json_text(path), "name",
			 json_text(group), "type", "Microsoft.Resources/resourceGroups", "location",
			 json_text(api_arm_location(owner)), "tags", "properties",
			 "provisioningState", "Succeeded");
}

/* By group; one group's by address, so that what stands first says the same each time. */
static int compare_groups(const void *a, const void *b)
{
	const struct owner *const *x = a, *const *y = b;
	int order = strcasecmp(api_arm_group(*x), api_arm_group(*y));
	if (order == 0)
		order = memcmp((*x)->address.bytes, (*y)->address.bytes, sizeof(*x)->address.bytes);
	return order;
}

/* The addresses of the subscription, group by group; the caller frees it. NULL without memory. */
static const struct owner **addresses_by_group(const struct api_request *request, size_t *count)
{
	const struct inventory *inventory = api_inventory(request);
	const char *subscription = api_parameter(request, "subscription");
	size_t all, kept = 0;
	const struct owner **owners = inventory_list(inventory, OWNER_ADDRESS, &all);
	for (size_t i = 0; owners && i < all; i++)
		if (ownership_is_of(inventory, owners[i], subscription))
			owners[kept++] = owners[i];
	if (owners)
		qsort(owners, kept, sizeof *owners, compare_groups);
	*count = kept;
	return owners;
}

void api_groups_list(struct api_request *request)
{
	size_t count;
	if (!api_arm_begin(request))
		return;
	const struct owner **owners = addresses_by_group(request, &count);
	json_t *array = owners ? json_array() : NULL;
	for (size_t i = 0; array && i < count; i++)
		if (i == 0 ||
		    strcasecmp(api_arm_group(owners[i - 1]), api_arm_group(owners[i])) != 0)
			json_add(array, group_json(request, owners[i]));
	free(owners);
	api_reply_json(request, 200, array ? json_make("{s:o}", "value", array) : NULL, NULL);
}

/* The first address of the group that the path names; NULL: there is no such group, and that has
 * been answered, as everything else that does not fit. */
static const struct owner *asked_group(struct api_request *request)
{
	size_t count;
	const char *group = api_parameter(request, "group");
	const struct owner *found = NULL;
	if (!api_arm_begin(request))
		return NULL;
	const struct owner **owners = addresses_by_group(request, &count);
	for (size_t i = 0; owners && !found && i < count; i++)
		if (strcasecmp(api_arm_group(owners[i]), group) == 0)
			found = owners[i];
	if (!owners)
		api_reply_json(request, 200, NULL, NULL);
	else if (!found)
		api_fail(request, 404, "ResourceGroupNotFound",
			 "Resource group '%s' could not be found; a group is there while an "
			 "address is in it",
			 group);
	free(owners);
	return found;
}

void api_group_show(struct api_request *request)
{
	const struct owner *owner = asked_group(request);
	if (owner)
		api_reply_json(request, 200, group_json(request, owner), NULL);
}

/* HEAD: clients take 204 for yes, and nothing else. */
void api_group_exists(struct api_request *request)
{
	if (asked_group(request))
		api_reply_empty(request, 204);
}

/* What is put is there already, or cannot be: tags and a location of its own a group has not. */
void api_group_put(struct api_request *request)
{
	const char *group = api_parameter(request, "group");
	size_t count, i = 0;
	if (!api_arm_begin(request))
		return;
	const struct owner **owners = addresses_by_group(request, &count);
	while (owners && i < count && strcasecmp(api_arm_group(owners[i]), group) != 0)
		i++;
	if (!owners)
		api_reply_json(request, 200, NULL, NULL);
	else if (i < count)
		api_reply_json(request, 200, group_json(request, owners[i]), NULL);
	else
		api_fail(request, 409, "ResourceGroupEmpty",
			 "Resource group '%s' cannot be made empty; it comes with the first "
			 "address that names it",
			 group);
	free(owners);
}

/* Every address of the group, in one change. */
static int remove_group(struct change *change, const struct owner *const *owners, size_t count,
			const char *group)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < count; i++)
		if (strcasecmp(api_arm_group(owners[i]), group) == 0)
			err = change_remove(change, owners[i]);
	return err;
}

void api_group_delete(struct api_request *request)
{
	const char *group = api_parameter(request, "group");
	size_t count;
	if (!asked_group(request))
		return;
	const struct owner **owners = addresses_by_group(request, &count);
	struct change *change = owners ? change_begin(api_inventory(request)) : NULL;
	int err = change ? remove_group(change, owners, count, group) : ERR_NOMEM;
	if (err == 0)
		err = change_commit(change);
	if (err != 0) {
		api_fail_change(request, change_error(change));
	} else {
		api_log_change(request, "removed with all its addresses", group);
		api_reply_empty(request, 204);
	}
	change_free(change);
	free(owners);
}
