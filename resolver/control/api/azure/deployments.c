/* Deployments: templates (azure/deployment.h) that are validated, previewed and made, and what is
 * kept of them (azure/deployment_record.h). A deployment that fails is kept as Failed, although
 * none of it was made. Everything is done when it is answered, so there is nothing to cancel. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <time.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/body.h"
#include "resolver/control/api/azure/deployment.h"
#include "resolver/control/api/azure/deployment_record.h"
#include "resolver/control/api/azure/found.h"
#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/azure/shown.h"
#include "resolver/control/api/item.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/log.h"
#include "rules/text.h"

#define DEPLOYMENTS "Microsoft.Resources/deployments"

enum how { VALIDATE, WHAT_IF, CREATE };

struct deploying {
	struct deployment deployment; /* first */
	enum how how;
	bool ids_only; /* what-if without bodies */
	char id[UUID_TEXT_MAX];
	char at[40];
	struct timespec begun;
};

/* ---- what is asked for ---- */

static const char *group_of(const struct api_request *request)
{
	const char *group = api_parameter(request, "group");

	return *group ? group : NULL;
}

/* False: there is no such subscription or group, which has been answered. */
static bool begin(struct api_request *request)
{
	return api_arm_begin(request) && (!group_of(request) || arm_check_group(request));
}

/* False: it cannot be the name of a deployment, which has been answered. */
static bool check_name(struct api_request *request, const char *name)
{
	if (strlen(name) >= DEPLOYMENT_NAME_MAX)
		api_fail(request, 400, "DeploymentNameLengthLimitExceeded",
			 "The length of the deployment name exceeds the maximum of '%d' "
			 "characters.",
			 DEPLOYMENT_NAME_MAX - 1);
	else if (strspn(name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.()") !=
		 strlen(name))
		api_fail(request, 400, "DeploymentNameInvalidCharacters",
			 "The deployment name '%s' contains invalid characters; use letters, "
			 "digits and -_.()",
			 name);
	else
		return true;
	return false;
}

static bool fail_member(struct api_request *request, const char *member, const char *text)
{
	api_fail_at(request, 400, "InvalidRequestContent", member, "%s: %s", member, text);
	return false;
}

/* False: the body does not fit, which has been answered. */
static bool read_body(struct deploying *deploying)
{
	struct deployment *deployment = &deploying->deployment;
	struct api_request *request = deployment->request;
	json_t *body = request->body;
	const json_t *mode = arm_get(body, "properties.mode");
	const char *text = json_string_value(mode);

	deployment->source = arm_get(body, "properties.template");
	deployment->given = arm_get(body, "properties.parameters");
	deployment->location = json_string_value(arm_get(body, "location"));
	deployment->complete = text && strcasecmp(text, "Complete") == 0;
	if (arm_get(body, "properties.templateLink"))
		return fail_member(request, "properties.templateLink",
				   "templates are not fetched from elsewhere; give the template "
				   "itself as properties.template");
	if (arm_get(body, "properties.parametersLink"))
		return fail_member(request, "properties.parametersLink",
				   "parameters are not fetched from elsewhere; give them as "
				   "properties.parameters");
	if (!json_is_object(deployment->source))
		return fail_member(request, "properties.template", "must be a template, an object");
	if (mode && !deployment->complete && (!text || strcasecmp(text, "Incremental") != 0))
		return fail_member(request, "properties.mode",
				   "must be \"Incremental\" or \"Complete\"");
	if (deployment->complete && !deployment->group)
		return fail_member(request, "properties.mode",
				   "must be \"Incremental\" for a subscription");
	if (!deployment->group && !deployment->location)
		return fail_member(request, "location",
				   "is missing; a deployment to a subscription has one");
	text = json_string_value(arm_get(body, "properties.whatIfSettings.resultFormat"));
	deploying->ids_only = text && strcasecmp(text, "ResourceIdOnly") == 0;
	return true;
}

/* ---- what is answered, and kept ---- */

static json_t *deployment_id(const struct api_request *request, const char *group, const char *name)
{
	const char *subscription = ownership_subscription(api_inventory(request), NULL);

	return group ? json_sprintf("/subscriptions/%s/resourceGroups/%s/providers/" DEPLOYMENTS
				    "/%s",
				    subscription, group, name)
		     : json_sprintf("/subscriptions/%s/providers/" DEPLOYMENTS "/%s", subscription,
				    name);
}

static void note_time(struct deploying *deploying)
{
	struct timeval now;
	struct tm date;
	char seconds[24];

	gettimeofday(&now, NULL);
	gmtime_r(&now.tv_sec, &date);
	strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &date);
	snprintf(deploying->at, sizeof deploying->at, "%s.%06ldZ", seconds, (long)now.tv_usec);
	clock_gettime(CLOCK_MONOTONIC, &deploying->begun);
}

/* "PT1.25S" */
static json_t *duration(const struct deploying *deploying)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return json_sprintf("PT%.3fS",
			    (double)(now.tv_sec - deploying->begun.tv_sec) +
				    (double)(now.tv_nsec - deploying->begun.tv_nsec) / 1e9);
}

/* The types that were used, by provider. */
static json_t *providers_json(const struct deployment *deployment)
{
	json_t *providers = json_array(), *types = NULL;
	const char *namespace = NULL;

	for (const struct arm_type *type = arm_types; type->path; type++) {
		bool used = false;

		for (size_t i = 0; i < deployment->count && !used; i++)
			used = deployment->resources[i].type == type &&
			       !deployment->resources[i].goes;
		if (!used)
			continue;
		if (!namespace || strcmp(namespace, type->family->provider) != 0) {
			namespace = type->family->provider;
			types = json_array();
			json_add(providers, json_make("{s:s, s:o}", "namespace", namespace,
						      "resourceTypes", types));
		}
		json_add(types, json_make("{s:s, s:[n]}", "resourceType", type->path, "locations"));
	}
	return providers;
}

static json_t *output_resources(const struct deployment *deployment)
{
	json_t *array = json_array();

	for (size_t i = 0; i < deployment->count; i++)
		if (!deployment->resources[i].goes)
			json_add(array, json_make("{s:s}", "id", deployment->resources[i].id));
	return array;
}

/* The hash of the template, so that clients can tell whether two are the same. */
static json_t *template_hash(const struct deployment *deployment)
{
	static const struct hash_key fixed_key;

	return json_sprintf("%llu",
			    (unsigned long long)etag_add_text(&fixed_key, 0, deployment->text));
}

static json_t *parameters_of(const json_t *record)
{
	json_t *parameters = json_object_get(record, "parameters");

	return parameters ? json_incref(parameters) : json_object();
}

static json_t *properties_json(const struct deploying *deploying, const json_t *record,
			       const char *state)
{
	const struct deployment *deployment = &deploying->deployment;

	return json_make("{s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:[]}", "mode",
			 deployment->complete ? "Complete" : "Incremental", "provisioningState",
			 state, "timestamp", deploying->at, "duration", duration(deploying),
			 "correlationId", deploying->id, "parameters", parameters_of(record),
			 "templateHash", template_hash(deployment), "providers",
			 providers_json(deployment), "dependencies");
}

/* Takes the properties over. */
static json_t *record_json(const struct deploying *deploying, const char *group, const char *name,
			   json_t *properties)
{
	const struct deployment *deployment = &deploying->deployment;
	json_t *record = json_make("{s:o, s:s, s:s, s:o}", "id",
				   deployment_id(deployment->request, group, name), "name", name,
				   "type", DEPLOYMENTS, "properties", properties);

	if (!group)
		json_put(record, "location", json_text(deployment->location));
	return record;
}

static void keep(const struct deploying *deploying, const char *group, const char *name,
		 const json_t *record, bool is_own)
{
	const struct deployment *deployment = &deploying->deployment;
	struct change_error error;

	if (deployment_record_write(api_inventory(deployment->request), group, name, record,
				    is_own ? deployment->text : NULL, &error) != 0)
		log_event(LOG_WARNING, "deploy", "the deployment %s is not kept: %s", name,
			  error.text);
}

/* Keeps the deployment, and the nested ones. Returns the record of the first. */
static json_t *keep_all(const struct deploying *deploying)
{
	const struct deployment *deployment = &deploying->deployment;
	json_t *first = NULL, *one;
	size_t i;

	json_array_foreach(deployment->records, i, one)
	{
		const char *name = json_text_of(one, "name"),
			   *group = json_string_value(json_object_get(one, "group"));
		json_t *properties = properties_json(deploying, one, "Succeeded"), *record;

		json_put(properties, "outputs", json_incref(json_object_get(one, "outputs")));
		json_put(properties, "outputResources",
			 i == 0 ? output_resources(deployment) : json_array());
		record = record_json(deploying, group, name, properties);
		keep(deploying, group, name, record, i == 0);
		if (i == 0)
			first = record;
		else
			json_decref(record);
	}
	return first;
}

/* ---- errors ---- */

/* Takes `details` over. */
static json_t *error_json(const char *code, const char *target, json_t *message, json_t *details)
{
	return json_make("{s:s, s:o, s:o, s:o}", "code", code, "message", message, "target",
			 json_text(target && *target ? target : NULL), "details", details);
}

static json_t *template_error(const struct template_error *error)
{
	return error_json("InvalidTemplate", error->place,
			  json_sprintf("Deployment template validation failed: '%s%s%s'.",
				       error->place, *error->place ? ": " : "", error->text),
			  json_array());
}

static json_t *failure_json(const struct deploying *deploying)
{
	const struct deployment *deployment = &deploying->deployment;
	const struct arm_errors *errors = &deployment->errors;
	json_t *details = errors->list ? json_incref(errors->list) : json_array();

	if (deployment->error.trouble == TEMPLATE_NOT_FOUND)
		json_add(details, error_json("ResourceNotFound", deployment->error.place,
					     json_text(deployment->error.text), json_array()));
	if (deploying->how == CREATE)
		return error_json(
			"DeploymentFailed", NULL,
			json_text("At least one resource deployment operation failed. Please list "
				  "deployment operations for details. Please see "
				  "https://aka.ms/arm-deployment-operations for usage details."),
			details);
	return error_json("InvalidTemplateDeployment", NULL,
			  json_sprintf("The template deployment '%s' is not valid according to the "
				       "validation procedure. The tracking id is '%s'. See inner "
				       "errors for details.",
				       deployment->name, deploying->id),
			  details);
}

static void fail(struct deploying *deploying)
{
	struct deployment *deployment = &deploying->deployment;
	struct api_request *request = deployment->request;
	enum template_trouble trouble = deployment->error.trouble;
	json_t *error, *properties, *record;

	deployment_clear_errors(deployment);
	if (trouble == TEMPLATE_NO_MEMORY) {
		api_fail_memory(request);
		return;
	}
	if (trouble == TEMPLATE_INVALID || trouble == TEMPLATE_LIMIT) {
		api_reply_json(request, 400,
			       json_make("{s:o}", "error", template_error(&deployment->error)),
			       NULL);
		return;
	}
	error = failure_json(deploying);
	if (deploying->how == CREATE) {
		properties = properties_json(deploying, json_array_get(deployment->records, 0),
					     "Failed");
		json_put(properties, "outputResources", json_array());
		json_put(properties, "error", json_incref(error));
		record = record_json(deploying, deployment->group, deployment->name, properties);
		keep(deploying, deployment->group, deployment->name, record, true);
		json_decref(record);
	}
	api_reply_json(request, 400, json_make("{s:o}", "error", error), NULL);
}

/* ---- what-if ---- */

static void add_delta(json_t *delta, const char *path, const char *type, json_t *before,
		      json_t *after)
{
	json_add(delta, json_make("{s:s, s:s, s:o, s:o, s:n}", "path", path, "propertyChangeType",
				  type, "before", before ? json_incref(before) : json_null(),
				  "after", after ? json_incref(after) : json_null(), "children"));
}

static void compare(json_t *delta, const char *path, json_t *before, json_t *after)
{
	char inner[ARM_TARGET_MAX];
	json_t *value, *other;
	const char *key;

	json_object_foreach(before, key, value)
	{
		other = json_object_get(after, key);
		snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", key);
		if (json_equal(value, other))
			continue;
		if (json_is_object(value) && json_is_object(other))
			compare(delta, inner, value, other);
		else
			add_delta(delta, inner, other ? "Modify" : "Delete", value, other);
	}
	json_object_foreach(after, key, value)
	{
		snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", key);
		if (!json_object_get(before, key))
			add_delta(delta, inner, "Create", NULL, value);
	}
}

static json_t *change_json(const struct deploying *deploying, const char *id, const char *type,
			   json_t *before, json_t *after, json_t *delta)
{
	json_t *change = json_make("{s:s, s:s}", "resourceId", id, "changeType", type);

	if (!deploying->ids_only) {
		json_put(change, "before", before ? json_incref(before) : json_null());
		json_put(change, "after", after ? json_incref(after) : json_null());
		json_put(change, "delta", json_incref(delta));
	}
	json_decref(delta);
	return change;
}

static json_t *deployed_change(const struct deploying *deploying, const struct deployed *deployed)
{
	json_t *delta = json_array();
	const char *type;

	if (deployed->before && deployed->after)
		compare(delta, "", deployed->before, deployed->after);
	type = !deployed->after             ? "Delete"
	       : !deployed->before          ? "Create"
	       : json_array_size(delta) > 0 ? "Modify"
					    : "NoChange";
	return change_json(deploying, deployed->id, type, deployed->before, deployed->after, delta);
}

static bool is_top(const struct arm_type *type)
{
	return !kind_of_id(type->kind)->parent && type->kind != KIND_GROUP;
}

/* What the group has besides. */
static void add_ignored(const struct deploying *deploying, json_t *changes)
{
	const struct deployment *deployment = &deploying->deployment;
	struct arm_found_list list = {.request = deployment->request, .group = deployment->group};
	json_t *told = json_object();
	char id[ARM_ID_MAX];

	for (size_t i = 0; i < deployment->count; i++) {
		snprintf(id, sizeof id, "%s", deployment->resources[i].id);
		json_put(told, text_lower(id), json_true());
	}
	arm_found_add_all(&list, is_top);
	arm_found_sort(&list);
	for (size_t i = 0; i < list.count; i++) {
		const struct arm_found *found = &list.items[i];
		struct arm_shown shown;
		json_t *before;

		arm_id(deployment->request, &found->path, id);
		if (json_object_get(told, text_lower(id)))
			continue;
		arm_show_item(deployment->request, found->type, &found->path, found->item, &shown);
		before = arm_print(&shown);
		json_add(changes, change_json(deploying, json_text_of(before, "id"), "Ignore",
					      before, before, json_array()));
		json_decref(before);
		arm_shown_release(&shown);
	}
	json_decref(told);
	free(list.items);
}

static void answer_what_if(const struct deploying *deploying)
{
	const struct deployment *deployment = &deploying->deployment;
	json_t *changes = json_array();

	for (size_t i = 0; i < deployment->count; i++)
		json_add(changes, deployed_change(deploying, &deployment->resources[i]));
	if (deployment->group)
		add_ignored(deploying, changes);
	api_reply_json(deployment->request, 200,
		       json_make("{s:s, s:{s:s, s:o}}", "status", "Succeeded", "properties",
				 "correlationId", deploying->id, "changes", changes),
		       NULL);
}

/* ---- making it ---- */

static void answer_validated(const struct deploying *deploying)
{
	const struct deployment *deployment = &deploying->deployment;
	json_t *properties =
		properties_json(deploying, json_array_get(deployment->records, 0), "Succeeded");

	json_put(properties, "validatedResources", output_resources(deployment));
	api_reply_json(deployment->request, 200,
		       record_json(deploying, deployment->group, deployment->name, properties),
		       NULL);
}

static void answer_made(const struct deploying *deploying)
{
	const struct deployment *deployment = &deploying->deployment;
	struct api_request *request = deployment->request;
	json_t *before = NULL, *record;
	struct change_error error;
	char text[ARM_ID_MAX];
	bool was_there;

	was_there = deployment_record_read(api_inventory(request), deployment->group,
					   deployment->name, &before, &error) == 0 &&
		    before;
	json_decref(before);
	record = keep_all(deploying);
	snprintf(text, sizeof text, "deployment %s, %zu resource%s", deployment->name,
		 deployment->count, text_plural(deployment->count, "", "s"));
	api_log_change(request, "made", text);
	api_arm_say_revision(request);
	api_reply_json(request, was_there ? 200 : 201, record, NULL);
}

static void deploying_free(struct deploying *deploying)
{
	deployment_release(&deploying->deployment);
	free(deploying);
}

static void on_made(void *context, int err, const struct service_change *change,
		    const struct faults *faults)
{
	struct deploying *deploying = context;
	struct deployment *deployment = &deploying->deployment;
	struct api_request *request = deployment->request;
	bool failed = deployment->error.trouble != TEMPLATE_FINE || deployment->errors.status != 0;
	/* A template that changes nothing is refused by its reader, as there is nothing to make. */
	bool nothing = deployment->done && deployment->edit_count == 0;

	if (!failed && !nothing && err == ERR_FAULTS)
		deployment_tell_faults(deployment, faults);
	if (!api_still_may(request))
		;
	else if (failed || (!nothing && err == ERR_FAULTS))
		fail(deploying);
	else if (!nothing && err)
		api_fail_change(request, &change->error);
	else if (deploying->how == CREATE)
		answer_made(deploying);
	else if (deploying->how == WHAT_IF)
		answer_what_if(deploying);
	else
		answer_validated(deploying);
	deploying_free(deploying);
}

static void deploy(struct api_request *request, enum how how)
{
	struct deploying *deploying;
	struct service_change change;

	if (!begin(request) || !check_name(request, api_parameter(request, "name")))
		return;
	deploying = calloc(1, sizeof *deploying);
	if (!deploying) {
		api_fail_memory(request);
		return;
	}
	*deploying = (struct deploying){.deployment = {.request = request,
						       .name = api_parameter(request, "name"),
						       .group = group_of(request),
						       .looks = how == WHAT_IF,
						       .errors = {.request = request}},
					.how = how};
	uuid_random(deploying->id);
	note_time(deploying);
	if (!read_body(deploying)) {
		deploying_free(deploying);
		return;
	}
	change = (struct service_change){.read = deployment_read,
					 .context = &deploying->deployment,
					 .large = true,
					 .rehearsal = how != CREATE,
					 .who = request->client};
	service_commit(request->service, &change, on_made, deploying);
}

void arm_deployment_put(struct api_request *request)
{
	deploy(request, CREATE);
}

void arm_deployment_validate(struct api_request *request)
{
	deploy(request, VALIDATE);
}

void arm_deployment_what_if(struct api_request *request)
{
	deploy(request, WHAT_IF);
}

/* ---- what was made ---- */

/* NULL: there is none, which has been answered. */
static json_t *find(struct api_request *request)
{
	struct change_error error;
	json_t *record = NULL;

	if (!begin(request))
		return NULL;
	if (deployment_record_read(api_inventory(request), group_of(request),
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

	if (!begin(request))
		return;
	if (deployment_record_remove(api_inventory(request), group_of(request),
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
	if (deployment_template_read(api_inventory(request), group_of(request),
				     api_parameter(request, "name"), &template, &error) != 0)
		api_fail_change(request, &error);
	else
		api_reply_json(request, 200,
			       json_make("{s:o}", "template", template ? template : json_object()),
			       NULL);
}

void arm_deployments_list(struct api_request *request)
{
	enum { LISTED_MAX = 50 };
	struct arm_page page;
	struct change_error error;
	json_t *array = NULL;
	size_t room, count;
	const char *last = NULL;

	if (!begin(request) || !arm_page_begin(&page, request, NULL))
		return;
	room = page.room < LISTED_MAX ? page.room : LISTED_MAX;
	if (deployment_records_list(api_inventory(request), group_of(request), page.behind,
				    room + 1, &array, &error) != 0) {
		json_decref(array);
		api_fail_change(request, &error);
		return;
	}
	count = json_array_size(array);
	if (count > room) {
		json_array_remove(array, count - 1);
		last = json_text_of(json_array_get(array, room - 1), "name");
	}
	arm_page_answer(&page, array, last);
}

/* ---- operations: one for each resource ---- */

/* The same for the same resource. */
static json_t *operation_id(const char *id)
{
	static const struct hash_key fixed_key;

	return json_sprintf("%016llX", (unsigned long long)etag_add_text(&fixed_key, 0, id));
}

static json_t *operation_json(const json_t *record, const char *id, json_t *target)
{
	const json_t *properties = json_object_get(record, "properties");
	json_t *own = operation_id(id);
	json_t *operation =
		json_make("{s:o, s:O, s:{s:s, s:s, s:s, s:s, s:s, s:o}}", "id",
			  json_sprintf("%s/operations/%s", json_text_of(record, "id"),
				       json_string_value(own)),
			  "operationId", own, "properties", "provisioningOperation",
			  target ? "Create" : "EvaluateDeploymentOutput", "provisioningState",
			  "Succeeded", "timestamp", json_text_of(properties, "timestamp"),
			  "duration", json_text_of(properties, "duration"), "statusCode", "OK",
			  "targetResource", target ? target : json_null());

	json_decref(own);
	return operation;
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
	const json_t *made =
		json_object_get(json_object_get(record, "properties"), "outputResources");
	json_t *array = json_array(), *item;
	size_t i;

	json_array_foreach(made, i, item)
	{
		const char *id = json_text_of(item, "id");

		json_add(array, operation_json(record, id, target_json(request, id)));
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
