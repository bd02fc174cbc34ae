/* ARM's resource groups (inventory_group.h):
 *
 *     GET      all; one; HEAD: 204, or 404
 *     PUT      {"location", "tags"}: made, or its tags replaced; where it is it stays
 *     PATCH    {"tags"}
 *     DELETE   with every address in it, all or nothing; 200, which Azure's clients want to see
 *
 * An address that is put into a group which is not there makes it: less strict than Azure, where
 * that is an error. What the file declares in no group is shown as the group "-", which can only be
 * emptied. Resources other than addresses, locks and managedBy are not known here. */
#include <strings.h>

#include "resolver/control/api_arm.h"
#include "resolver/control/api_reverse.h"
#include "resolver/control/change_group.h"
#include "resolver/control/json.h"
#include "resolver/control/ownership.h"

static const char no_group[] = "-";

/* ---- showing ---- */

static const char *location_of(const struct resource_group *group)
{
	return group->region ? group->region : "global";
}

static json_t *group_json(const struct api_request *request, const struct resource_group *group)
{
	char path[1024];
	snprintf(path, sizeof path, "/subscriptions/%s/resourceGroups/%s",
		 ownership_subscription(api_inventory(request), NULL), group->name);
	return json_make("{s:o, s:o, s:s, s:o, s:o, s:{s:s}}", "id", json_text(path), "name",
			 json_text(group->name), "type", "Microsoft.Resources/resourceGroups",
			 "location", json_text(location_of(group)), "tags",
			 group->tags ? json_loads(group->tags, 0, NULL) : json_object(),
			 "properties", "provisioningState", "Succeeded");
}

static void answer(struct api_request *request, unsigned status, const struct resource_group *group)
{
	char etag[OWNER_ETAG_MAX];
	api_reply_json(request, status, group_json(request, group), group_etag(group, etag));
}

/* Addresses without a group, as if they were in one; false: there are none. */
static bool find_ungrouped(const struct api_request *request, struct resource_group *group)
{
	const struct inventory *inventory = api_inventory(request);
	*group = (struct resource_group){
		.name = no_group,
		.region = inventory_model(inventory)->region,
	};
	return inventory_has_ungrouped(inventory);
}

static bool find(const struct api_request *request, struct resource_group *group)
{
	const char *name = api_parameter(request, "group");
	return strcmp(name, no_group) == 0 ? find_ungrouped(request, group)
					   : inventory_group(api_inventory(request), name, group);
}

void api_groups_list(struct api_request *request)
{
	size_t count;
	struct resource_group ungrouped;
	if (!api_arm_begin(request))
		return;
	struct resource_group *groups = inventory_groups(api_inventory(request), &count);
	json_t *array = groups ? json_array() : NULL;
	if (array && find_ungrouped(request, &ungrouped))
		json_add(array, group_json(request, &ungrouped));
	for (size_t i = 0; array && i < count; i++)
		json_add(array, group_json(request, &groups[i]));
	free(groups);
	api_reply_json(request, 200, array ? json_make("{s:o}", "value", array) : NULL, NULL);
}

/* False: there is no such group, or the request does not fit, and that has been answered. */
static bool find_asked(struct api_request *request, struct resource_group *group)
{
	if (!api_arm_begin(request))
		return false;
	if (find(request, group))
		return true;
	api_fail(request, 404, "ResourceGroupNotFound", "Resource group '%s' could not be found.",
		 api_parameter(request, "group"));
	return false;
}

void api_group_show(struct api_request *request)
{
	struct resource_group group;
	if (find_asked(request, &group))
		answer(request, 200, &group);
}

/* HEAD: clients take 204 for yes, and nothing else. */
void api_group_exists(struct api_request *request)
{
	struct resource_group group;
	if (find_asked(request, &group))
		api_reply_empty(request, 204);
}

/* ---- changing ---- */

/* Azure's rule; letters beyond ASCII are taken as they come. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      (*c >= '0' && *c <= '9') || (unsigned char)*c >= 0x80 || strchr("_().-", *c)))
			return false;
	return length > 0 && name[length - 1] != '.';
}

/* False: the name is not one that a group can be made by, and that has been answered. */
static bool check_name(struct api_request *request)
{
	const char *name = api_parameter(request, "group");
	if (strcmp(name, no_group) == 0) {
		api_fail(request, 409, "ResourceReadOnly",
			 "'-' stands for the addresses without a group, and cannot be changed");
		return false;
	}
	if (is_name(name))
		return true;
	api_fail(request, 400, "InvalidResourceGroup",
		 "The resource group name '%s' does not fit; give 1 to 90 letters, digits and any "
		 "of _().-, not ending in a dot",
		 name);
	return false;
}

/* `before` NULL: there is none. Ends the request. */
static void put(struct api_request *request, const struct resource_group *before,
		const char *location, const char *tags)
{
	const struct change_group wanted = {
		.name = api_parameter(request, "group"),
		.region = before ? before->region : location,
		.tags = tags,
	};
	struct resource_group group;
	struct change *change = change_begin(api_inventory(request));
	int err = change ? change_group_require(change, before, request->if_match,
						request->if_none_match)
			 : ERR_NOMEM;
	if (err == 0)
		err = change_group_put(change, &wanted);
	if (!api_change_end(request, change, err, NULL))
		return;
	api_log_change(request, before ? "resource group changed" : "resource group made",
		       wanted.name);
	if (inventory_group(api_inventory(request), wanted.name, &group))
		answer(request, before ? 200 : 201, &group);
	else
		api_reply_json(request, 200, NULL, NULL);
}

/* The location has been read. Ends the request. */
static void put_read(struct api_request *request, const char *location, const char *tags)
{
	struct resource_group group;
	bool there = find(request, &group);
	if (there && strcasecmp(location_of(&group), location) != 0)
		api_fail_at(request, 409, "InvalidResourceGroupLocation", "location",
			    "Invalid resource group location '%s'. The Resource group already "
			    "exists in location '%s'.",
			    location, location_of(&group));
	else
		put(request, there ? &group : NULL, location, tags);
}

void api_group_put(struct api_request *request)
{
	char location[API_LOCATION_MAX], *tags = NULL;
	if (!api_arm_begin(request) || !check_name(request))
		return;
	if (!json_is_object(request->body)) {
		api_arm_fail(request, "", "a JSON object is wanted");
		return;
	}
	if (api_arm_read_location(request, location) && api_arm_read_tags(request, &tags))
		put_read(request, location, tags);
	free(tags);
}

void api_group_patch(struct api_request *request)
{
	struct resource_group group;
	char *tags = NULL;
	if (!find_asked(request, &group) || !check_name(request))
		return;
	if (api_arm_read_patch(request, &tags))
		put(request, &group, NULL, tags);
	free(tags);
}

void api_group_delete(struct api_request *request)
{
	const char *name = api_parameter(request, "group");
	struct resource_group group;
	if (!find_asked(request, &group))
		return;
	struct change *change = change_begin(api_inventory(request));
	int err = change ? change_group_require(change, &group, request->if_match,
						request->if_none_match)
			 : ERR_NOMEM;
	if (err == 0)
		err = change_group_remove(change, strcmp(name, no_group) == 0 ? NULL : name,
					  api_parameter(request, "subscription"));
	if (!api_change_end(request, change, err, NULL))
		return;
	api_log_change(request, "resource group removed with all its addresses", name);
	api_reply_empty(request, 200);
}
