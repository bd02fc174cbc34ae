/* What is kept of deployments (azure/deployment_record.h): shown, listed, removed. Everything is
 * done when a deployment is answered, so there is nothing to cancel. */
#include <string.h>
#include <strings.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/deployment_record.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/azure/type.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/etag.h"
#include "rules/hash.h"

const char *arm_deployment_group(const struct api_request *request)
{
	const char *group = api_parameter(request, "group");

	return *group ? group : NULL;
}

bool arm_deployment_begin(struct api_request *request)
{
	return api_arm_begin(request) &&
	       (!arm_deployment_group(request) || arm_check_group(request));
}

/* NULL: there is none, which has been answered. */
static json_t *find(struct api_request *request)
{
	struct change_error error;
	json_t *record = NULL;

	if (!arm_deployment_begin(request))
		return NULL;
	if (deployment_record_read(api_inventory(request), arm_deployment_group(request),
				   api_parameter(request, "name"), &record, &error) != 0)
		api_fail_change(request, &error);
	else if (!record)
		api_fail(request, 404, "DeploymentNotFound", "Deployment '%s' could not be found.",
			 api_parameter(request, "name"));
	return record;
}

void arm_deployment_get(struct api_request *request)
{
	json_t *record = find(request);

	if (record)
		api_reply_json(request, 200, record, NULL);
}

void arm_deployment_exists(struct api_request *request)
{
	json_t *record = find(request);

	if (record)
		api_reply_empty(request, 204);
	json_decref(record);
}

void arm_deployment_delete(struct api_request *request)
{
	struct change_error error;

	if (!arm_deployment_begin(request))
		return;
	if (deployment_record_remove(api_inventory(request), arm_deployment_group(request),
				     api_parameter(request, "name"), &error) != 0)
		api_fail_change(request, &error);
	else
		api_reply_empty(request, 204);
}

void arm_deployment_cancel(struct api_request *request)
{
	json_t *record = find(request);

	if (record)
		api_fail(
			request, 409, "DeploymentCannotBeCancelled",
			"The deployment '%s' cannot be cancelled because its provisioning state is "
			"'%s'.",
			json_text_of(record, "name"),
			json_text_of(json_object_get(record, "properties"), "provisioningState"));
	json_decref(record);
}

void arm_deployment_export(struct api_request *request)
{
	json_t *record = find(request), *template = NULL;
	struct change_error error;

	if (!record)
		return;
	json_decref(record);
	if (deployment_template_read(api_inventory(request), arm_deployment_group(request),
				     api_parameter(request, "name"), &template, &error) != 0)
		api_fail_change(request, &error);
	else
		api_reply_json(request, 200,
			       json_make("{s:o}", "template", template ? template : json_object()),
			       NULL);
}

/* A page has those that the filter takes, of as many as it has room for: it may be short, or empty,
 * with others behind it. */
void arm_deployments_list(struct api_request *request)
{
	enum { LISTED_MAX = 50 };
	static const char *const names[] = {"provisioningState", NULL};
	struct arm_page page;
	struct change_error error;
	json_t *array = NULL;
	size_t room, count;
	const char *last = NULL;

	if (!arm_deployment_begin(request) || !arm_page_begin(&page, request, names))
		return;
	room = page.room < LISTED_MAX ? page.room : LISTED_MAX;
	if (deployment_records_list(api_inventory(request), arm_deployment_group(request),
				    page.behind, room + 1, &array, &error) != 0) {
		json_decref(array);
		api_fail_change(request, &error);
		return;
	}
	count = json_array_size(array);
	if (count > room) {
		json_array_remove(array, --count);
		last = arena_strdup(&request->arena,
				    json_text_of(json_array_get(array, room - 1), "name"));
	}
	while (count-- > 0)
		if (!arm_filter_takes(&page.filter, json_array_get(array, count), ""))
			json_array_remove(array, count);
	arm_page_answer(&page, array, last);
}

/* ---- operations: one for each resource, or, of a deployment that failed, for each error ---- */

/* The same for the same resource. */
static json_t *operation_id(const char *id)
{
	static const struct hash_key fixed_key;

	return json_sprintf("%016llX", (unsigned long long)etag_add_text(&fixed_key, 0, id));
}

/* Takes over what it is about: its target, or why it failed. */
static json_t *operation_json(const json_t *record, const char *id, json_t *target, json_t *message)
{
	const json_t *properties = json_object_get(record, "properties");
	json_t *own = operation_id(id);
	json_t *about = json_make("{s:s, s:s, s:s, s:s, s:s}", "provisioningOperation", "Create",
				  "provisioningState", message ? "Failed" : "Succeeded",
				  "timestamp", json_text_of(properties, "timestamp"), "duration",
				  json_text_of(properties, "duration"), "statusCode",
				  message ? "BadRequest" : "OK");

	json_put(about, message ? "statusMessage" : "targetResource", message ? message : target);
	return json_make("{s:o, s:o, s:o}", "id",
			 json_sprintf("%s/operations/%s", json_text_of(record, "id"),
				      json_string_value(own)),
			 "operationId", own, "properties", about);
}

/* {"id", "resourceType", "resourceName"} */
static json_t *target_json(struct api_request *request, const char *id)
{
	const struct arm_type *type;
	struct path path;
	char name[NAME_TEXT_MAX];

	if (arm_id_read(request, id, &type, &path) != 0 || *path_name(&path) == '\0') {
		const char *slash = strrchr(id, '/');

		return json_make("{s:s, s:s, s:s}", "id", id, "resourceType",
				 "Microsoft.Resources/resourceGroups", "resourceName",
				 slash ? slash + 1 : id);
	}
	return json_make("{s:s, s:o, s:o}", "id", id, "resourceType",
			 json_sprintf("%s/%s", type->family->provider, type->path), "resourceName",
			 path.kind->parent
				 ? json_sprintf("%s/%s", path.names[0], arm_name(&path, name))
				 : json_text(path.names[0]));
}

static json_t *operations_of(struct api_request *request, const json_t *record)
{
	const json_t *properties = json_object_get(record, "properties");
	const json_t *made = json_object_get(properties, "outputResources");
	const json_t *errors = json_object_get(json_object_get(properties, "error"), "details");
	json_t *array = json_array(), *item;
	size_t i;

	json_array_foreach(made, i, item)
	{
		const char *id = json_text_of(item, "id");

		json_add(array, operation_json(record, id, target_json(request, id), NULL));
	}
	json_array_foreach(errors, i, item)
	{
		json_add(array, operation_json(record, json_text_of(item, "message"), NULL,
					       json_make("{s:s, s:O}", "status", "Failed", "error",
							 item)));
	}
	return array;
}

void arm_deployment_operations(struct api_request *request)
{
	json_t *record = find(request);

	if (record)
		api_reply_json(request, 200,
			       json_make("{s:o}", "value", operations_of(request, record)), NULL);
	json_decref(record);
}

void arm_deployment_operation(struct api_request *request)
{
	const char *wanted = api_parameter(request, "operation");
	json_t *record = find(request), *operations, *item, *found = NULL;
	size_t i;

	if (!record)
		return;
	operations = operations_of(request, record);
	json_array_foreach(operations, i, item)
	{
		if (strcasecmp(json_text_of(item, "operationId"), wanted) == 0)
			found = item;
	}
	if (found)
		api_reply_json(request, 200, json_incref(found), NULL);
	else
		api_fail(request, 404, "DeploymentOperationNotFound",
			 "The deployment operation '%s' could not be found.", wanted);
	json_decref(operations);
	json_decref(record);
}
