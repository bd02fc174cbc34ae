/* GET /v1/groups: resource groups, which addresses are sorted into (resource/group.h), by name. */
#include <strings.h>

#include "resolver/control/api/v1/addresses.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/filter.h"
#include "resolver/control/base/json.h"

static bool is_listed(const struct api_request *request, const struct filter *filter,
		      const struct resource_group *group)
{
	const struct owned_address item = {.name = group->name, .region = group->region};
	const char *marker = api_query(request, "marker");

	return filter_takes(request, filter, filter->kinds[0], &item, NULL) &&
	       (!marker || strcasecmp(group->name, marker) > 0);
}

void api_v1_groups_list(struct api_request *request)
{
	const struct filter filter = {.kinds = {kind_of_id(KIND_GROUP)}};
	json_t *array, *next = NULL;
	struct resource_group *groups;
	const char *last = NULL;
	size_t count, limit;

	if (!filter_check(request, &filter) || !api_v1_limit(request, &limit))
		return;
	groups = inventory_groups(api_inventory(request), &count);
	if (!groups) {
		if (!api_could_not_read(request))
			api_fail_memory(request);
		return;
	}
	array = json_array();
	for (size_t i = 0; i < count && !next; i++) {
		if (!is_listed(request, &filter, &groups[i]))
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
