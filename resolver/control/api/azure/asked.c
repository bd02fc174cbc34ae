#include "resolver/control/api/azure/asked.h"

#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"

enum {
	BEHIND_SUBSCRIPTION = 2, /* segments, "/subscriptions/S" */
	BEHIND_GROUP = 4,        /* "/subscriptions/S/resourceGroups/G" */
	CHILD_TYPE = 4,          /* in "providers/NAMESPACE/TYPE/NAME/TYPE" */
	TAGS_LENGTH = 4,
	SEGMENTS_MAX = 12
};

static void fail_type(struct api_request *request, const char *provider, const char *unknown)
{
	if (strcasecmp(provider, ARM_PROVIDER) != 0)
		api_fail(request, 404, "InvalidResourceNamespace",
			 "The resource namespace '%s' is invalid; this server has %s", provider,
			 ARM_PROVIDER);
	else
		api_fail(request, 404, "InvalidResourceType",
			 "The resource type '%s' could not be found in the namespace '%s'; "
			 "/providers/%s lists those of this server",
			 unknown, ARM_PROVIDER, ARM_PROVIDER);
}

/* Do the segments end with the tags of a resource or group, which have a path of their own? */
static bool ends_with_tags(const char *const *segments, size_t count)
{
	static const char *const tail[TAGS_LENGTH] = {"providers", "Microsoft.Resources", "tags",
						      "default"};
	bool same = count >= TAGS_LENGTH;

	for (size_t i = 0; same && i < TAGS_LENGTH; i++)
		same = strcasecmp(segments[count - TAGS_LENGTH + i], tail[i]) == 0;
	return same;
}

bool arm_asked_read(struct api_request *request, struct arm_asked *asked)
{
	const char *group = api_parameter(request, "group"), *segments[SEGMENTS_MAX], *unknown = "";
	size_t at = *group ? BEHIND_GROUP : BEHIND_SUBSCRIPTION, count = 0;
	int err;

	if (!api_arm_begin(request))
		return false;
	while (count < SEGMENTS_MAX &&
	       *(segments[count] = api_segment(request, at + count)) != '\0')
		count++;
	bool is_tags = ends_with_tags(segments, count);

	count -= is_tags ? TAGS_LENGTH : 0;
	if (*group && count == 0) {
		*asked = (struct arm_asked){
			.type = arm_type_of_kind(KIND_GROUP),
			.path = {kind_of_id(KIND_GROUP), GROUP_NONE, {group, NULL}},
			.is_tags = is_tags};
		return true;
	}
	/* providers/NAMESPACE/TYPE/NAME[/TYPE/NAME]: without the last name it is a list. */
	*asked = (struct arm_asked){.is_list = count % 2 == 1, .is_tags = is_tags};
	if (count == CHILD_TYPE + 1 && strcasecmp(segments[CHILD_TYPE], "all") == 0) {
		asked->is_all = true;
		segments[CHILD_TYPE] = "A"; /* any type of record sets */
	}
	if (strcmp(request->method, "POST") == 0 && asked->is_list && count >= CHILD_TYPE) {
		asked->action = segments[--count];
		asked->is_list = false;
	}
	err = arm_path_read(&request->arena, *group ? group : NULL, segments, count, &asked->type,
			    &asked->path, &unknown);
	if (!err)
		err = part_normalize(api_model(request), &asked->path, &request->arena);
	if (err == ERR_NOMEM)
		api_fail_memory(request);
	else if (err)
		fail_type(request, count > 1 ? segments[1] : "", unknown);
	return err == 0;
}

bool arm_has_group(struct api_request *request, const char *name)
{
	struct resource_group group;

	return strcmp(name, GROUP_NONE) == 0 || group_find(api_resources(request), name, &group);
}

bool arm_check_group(struct api_request *request)
{
	const char *name = api_parameter(request, "group");

	if (arm_has_group(request, name))
		return true;
	if (!api_could_not_read(request))
		api_fail(request, 404, "ResourceGroupNotFound",
			 "Resource group '%s' could not be found.", name);
	return false;
}

void arm_fail_missing(struct api_request *request, const struct arm_asked *asked)
{
	char name[NAME_TEXT_MAX];

	if (!arm_check_group(request))
		return;
	arm_name(&asked->path, name);
	api_fail(request, 404, "ResourceNotFound",
		 "The Resource '%s/%s/%s%s%s' under resource group '%s' was not found. For more "
		 "details please go to https://aka.ms/ARMResourceNotFoundFix",
		 ARM_PROVIDER, asked->type->path, asked->path.names[0],
		 asked->path.kind->parent ? "/" : "", asked->path.kind->parent ? name : "",
		 asked->path.group);
}

bool arm_check_parent(struct api_request *request, const struct arm_asked *asked, const char *what)
{
	const struct path root = part_root(&asked->path);
	char id[ARM_ID_MAX];

	if (!arm_check_group(request))
		return false;
	if (!asked->path.kind->parent ||
	    (part_find(api_model(request), &root) && !item_made_because(api_model(request), &root)))
		return true;
	api_fail(request, 404, "ParentResourceNotFound",
		 "Failed to perform '%s' on resource(s) of type '%s', because the parent resource "
		 "'%s' could not be found.",
		 what, asked->type->path, arm_id(request, &root, id));
	return false;
}

int arm_id_read(struct api_request *request, const char *id, const struct arm_type **type,
		struct path *path)
{
	const char *subscription;

	if (arm_id_split(&request->arena, id, &subscription, type, path) != 0 ||
	    !ownership_is_of(api_resources(request), NULL, subscription))
		return ERR_INVALID;
	return part_normalize(api_model(request), path, &request->arena);
}
