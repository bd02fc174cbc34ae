/* /v1/groups: resource groups, which addresses are sorted into (resource/group.h). A change is what
 * an edit of /v1/changes is; a group that has addresses is not removed. */
#include <strings.h>

#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/resource/reverse_json.h"

/* Members that are shown beside the values; in a body they say nothing. */
static const char *const shown_members[] = {"origin", "etag", "warnings", NULL};

static json_t *group_json(const struct resource_group *group)
{
	char etag[ETAG_MAX], origin[600];
	json_t *object = json_make("{s:o, s:o}", "name", json_text(group->name), "region",
				   json_text(group->region));

	snprintf(origin, sizeof origin, "%s:%u", group->origin.file ? group->origin.file : "",
		 group->origin.line);
	json_put(object, "tags", group->tags ? json_loads(group->tags, 0, NULL) : json_object());
	json_put(object, "origin", json_text(group_is_read_only(group) ? origin : NULL));
	json_put(object, "etag", json_text(group_etag(group, etag)));
	return object;
}

/* The one that the path names. */
static bool find(const struct api_request *request, struct resource_group *group)
{
	return !api_group(request) &&
	       inventory_group(api_inventory(request), api_parameter(request, "name"), group);
}

/* False: that has been answered. */
static bool find_asked(struct api_request *request, struct resource_group *group)
{
	if (find(request, group))
		return true;
	if (!api_could_not_read(request))
		api_fail(request, 404, "not_found", "there is no resource group \"%.90s\"",
			 api_parameter(request, "name"));
	return false;
}

/* ---- showing ---- */

void api_v1_group_show(struct api_request *request)
{
	struct resource_group group;
	char etag[ETAG_MAX];

	if (find_asked(request, &group))
		api_reply_json(request, 200, group_json(&group), group_etag(&group, etag));
}

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

/* The path and query of the page behind that name. */
static json_t *next_json(const struct api_request *request, size_t limit, const char *last)
{
	static const char *const kept[] = {"q", "name", "region"};
	char encoded[3 * 1024], *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	json_t *next;

	if (!out)
		return json_null();
	fprintf(out, "/v1/groups?limit=%zu&marker=%s", limit,
		percent_encode(encoded, sizeof encoded, last));
	for (size_t i = 0; i < COUNT(kept); i++)
		if (api_query(request, kept[i]))
			fprintf(out, "&%s=%s", kept[i],
				percent_encode(encoded, sizeof encoded,
					       api_query(request, kept[i])));
	next = fclose(out) == 0 ? json_text(text) : json_null();
	free(text);
	return next;
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
			next = next_json(request, limit, last);
		else
			json_add(array, group_json(&groups[i]));
		last = groups[i].name;
	}
	free(groups);
	api_reply_json(request, 200,
		       json_make("{s:o, s:o}", "groups", array, "next", next ? next : json_null()),
		       NULL);
}

/* ---- changing ---- */

static struct path path_of(const struct api_request *request)
{
	return (struct path){
		kind_of_id(KIND_GROUP), GROUP_NONE, {api_parameter(request, "name"), NULL}};
}

/* Makes it what the values say, or (NULL) removes it, and answers. */
static void make(struct api_request *request, const struct resource_group *before,
		 const json_t *values)
{
	struct inventory *inventory = api_inventory(request);
	const struct path path = path_of(request);
	struct resource_group group;
	char etag[ETAG_MAX];
	json_t *shown = NULL;
	bool rehearsal = resource_is_rehearsal(request);
	struct change *change = change_begin(inventory, request->client);
	int err =
		change ? api_require_etag(request, change, before ? group_etag(before, etag) : NULL)
		       : ERR_NOMEM;

	if (!err)
		err = owned_put(change, inventory, &path, values, OWNED_ANY);
	if (!err && values && inventory_group(inventory, path.names[0], &group)) {
		shown = group_json(&group);
		group_etag(&group, etag);
	}
	if (!api_v1_change_end(request, change, err)) {
		json_decref(shown);
		return;
	}
	if (!rehearsal)
		api_log_change(request,
			       !values  ? "resource group removed"
			       : before ? "resource group changed"
					: "resource group made",
			       path.names[0]);
	if (!values)
		api_reply_empty(request, 204);
	else if (shown)
		api_reply_json(request, before || rehearsal ? 200 : 201, shown,
			       rehearsal ? NULL : etag);
	else
		api_fail_memory(request);
}

/* The body's values on top of these, which are taken over; NULL: it is no object, or there is no
 * memory, which has been answered. */
static json_t *read_body(struct api_request *request, json_t *values)
{
	if (!json_is_object(request->body)) {
		api_fail(request, 400, "invalid", "the body must be a JSON object");
		json_decref(values);
		return NULL;
	}
	if (!values || json_object_update(values, request->body) != 0) {
		api_fail_memory(request);
		json_decref(values);
		return NULL;
	}
	for (size_t i = 0; shown_members[i]; i++)
		json_object_del(values, shown_members[i]);
	return values;
}

static bool begin(struct api_request *request)
{
	static const char *const known[] = {"dry_run", NULL};

	if (!resource_check_change(request, known))
		return false;
	if (!api_group(request))
		return true;
	api_fail(request, 404, "not_found",
		 "a group is in no other; write \"-\", none, in place of \"%.80s\"",
		 api_parameter(request, "group"));
	return false;
}

void api_v1_group_put(struct api_request *request)
{
	struct resource_group group;
	json_t *values;
	bool there;

	if (!begin(request))
		return;
	there = find(request, &group);
	values = read_body(request, json_object());
	if (values)
		make(request, there ? &group : NULL, values);
	json_decref(values);
}

void api_v1_group_patch(struct api_request *request)
{
	struct resource_group group;
	json_t *values;

	if (!begin(request) || !find_asked(request, &group))
		return;
	values = read_body(request, group_object(&group));
	if (values)
		make(request, &group, values);
	json_decref(values);
}

void api_v1_group_delete(struct api_request *request)
{
	struct resource_group group;

	if (begin(request) && find_asked(request, &group))
		make(request, &group, NULL);
}
