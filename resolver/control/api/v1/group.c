/* GET /v1/groups: resource groups, which addresses are sorted into (resource/group.h), by name. */
#include <strings.h>

#include "resolver/control/api/v1/addresses.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"

static bool has_value(const struct api_request *request, const char *key, const char *text)
{
	const char *wanted = api_query(request, key);

	return !wanted || strcasecmp(wanted, text ? text : "") == 0;
}

static bool is_listed(const struct api_request *request, const struct resource_group *group)
{
	const char *part = api_query(request, "q"), *marker = api_query(request, "marker");

	return (!part || strcasestr(group->name, part)) &&
	       has_value(request, "name", group->name) &&
	       has_value(request, "region", group->region) &&
	       (!marker || strcasecmp(group->name, marker) > 0);
}

void api_v1_groups_list(struct api_request *request)
{
	static const char *const known[] = {"limit", "marker", "q", "name", "region", NULL};
	json_t *array, *next = NULL;
	struct resource_group *groups;
	const char *last = NULL;
	size_t count, limit;

	if (!resource_check_query(request, known) || !api_v1_limit(request, &limit))
		return;
	groups = inventory_groups(api_inventory(request), &count);
	if (!groups) {
		if (!api_could_not_read(request))
			api_fail_memory(request);
		return;
	}
	array = json_array();
	for (size_t i = 0; i < count && !next; i++) {
		if (!is_listed(request, &groups[i]))
			continue;
		if (json_array_size(array) == limit)
			next = api_next_page(request, "marker", last);
		else
			json_add(array, api_addresses_group(&groups[i]));
		last = groups[i].name;
	}
	free(groups);
	api_reply_json(request, 200,
		       json_make("{s:o, s:o}", "groups", array, "next", next ? next : json_null()),
		       NULL);
}
