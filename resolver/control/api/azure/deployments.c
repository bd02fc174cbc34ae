/* Deployments: templates (azure/deployment.h) that are validated, previewed and made. One that
 * fails is kept as Failed, although none of it was made. */
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
#include "resolver/control/api/azure/deployment_errors.h"
#include "resolver/control/api/azure/deployment_record.h"
#include "resolver/control/api/azure/what_if.h"
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
	json_t *tags;  /* of the deployment, of the body; NULL: none */
	char id[UUID_TEXT_MAX];
	char at[40];
	struct timespec begun;
};

/* ---- what is asked for ---- */

/* False: it cannot be the name of a deployment, which has been answered. */
static bool check_name(struct api_request *request, const char *name)
{
	struct arm_errors errors = {.request = request};
	bool good = deployment_check_name(name, &errors);

	if (!good)
		arm_fail_all(&errors);
	arm_errors_release(&errors);
	return good;
}

static bool fail_member(struct api_request *request, const char *member, const char *text)
{
	api_fail_at(request, 400, "InvalidRequestContent", member, "%s: %s", member, text);
	return false;
}

static bool are_tags(json_t *tags)
{
	const char *name;
	json_t *value;

	json_object_foreach(tags, name, value)
	{
		if (!json_is_string(value))
			return false;
	}
	return !tags || json_is_null(tags) || json_is_object(tags);
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
	deploying->tags = arm_get(body, "tags");
	if (arm_get(body, "properties.templateLink"))
		return fail_member(request, "properties.templateLink",
				   "templates are not fetched from elsewhere; give the template "
				   "itself as properties.template");
	if (arm_get(body, "properties.parametersLink"))
		return fail_member(request, "properties.parametersLink",
				   "parameters are not fetched from elsewhere; give them as "
				   "properties.parameters");
	if (!are_tags(deploying->tags))
		return fail_member(request, "tags", "must be texts by their names");
	if (!json_is_object(deployment->source))
		return fail_member(request, "properties.template", "must be a template, an object");
	if (deployment->given && !json_is_null(deployment->given) &&
	    !json_is_object(deployment->given))
		return fail_member(request, "properties.parameters",
				   "must be an object: {\"NAME\": {\"value\": ...}}");
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
static json_t *template_hash(const char *text)
{
	static const struct hash_key fixed_key;

	return json_sprintf("%llu", (unsigned long long)etag_add_text(&fixed_key, 0, text));
}

void arm_template_hash(struct api_request *request)
{
	char *text;

	if (!api_arm_begin(request))
		return;
	if (!json_is_object(request->body)) {
		api_fail(request, 400, "InvalidRequestContent",
			 "the body must be a template, an object");
		return;
	}
	text = json_dumps(request->body, JSON_COMPACT);
	if (text)
		api_reply_json(request, 200,
			       json_make("{s:s, s:o}", "minifiedTemplate", text, "templateHash",
					 template_hash(text)),
			       NULL);
	else
		api_fail_memory(request);
	free(text);
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
			 "templateHash", template_hash(deployment->text), "providers",
			 providers_json(deployment), "dependencies");
}

/* Takes the properties over. `tags`: NULL or null for none. */
static json_t *record_json(const struct deploying *deploying, const char *group, const char *name,
			   json_t *properties, json_t *tags)
{
	const struct deployment *deployment = &deploying->deployment;
	json_t *record = json_make("{s:o, s:s, s:s, s:o}", "id",
				   deployment_id(deployment->request, group, name), "name", name,
				   "type", DEPLOYMENTS, "properties", properties);

	if (!group)
		json_put(record, "location", json_text(deployment->location));
	if (json_is_object(tags))
		json_put(record, "tags", json_incref(tags));
	return record;
}

static void keep(const struct deployment *deployment, const struct deployment_record *rows,
		 size_t count)
{
	struct change_error error;

	if (deployment_records_write(api_inventory(deployment->request), rows, count, &error) != 0)
		log_event(LOG_WARNING, "deploy", "the deployment %s is not kept: %s",
			  deployment->name, error.text);
}

static json_t *made_json(const struct deploying *deploying, const json_t *one, bool is_nested)
{
	json_t *properties = properties_json(deploying, one, "Succeeded");

	json_put(properties, "outputs", json_incref(json_object_get(one, "outputs")));
	json_put(properties, "outputResources",
		 is_nested ? json_array() : output_resources(&deploying->deployment));
	return record_json(deploying, json_string_value(json_object_get(one, "group")),
			   json_text_of(one, "name"), properties,
			   is_nested ? NULL : deploying->tags);
}

/* Keeps the deployment, and the nested ones. Returns its record. */
static json_t *keep_all(const struct deploying *deploying)
{
	const struct deployment *deployment = &deploying->deployment;
	size_t count = json_array_size(deployment->records);
	struct deployment_record *rows = calloc(count, sizeof *rows);
	json_t *own = made_json(deploying, json_array_get(deployment->records, 0), false);

	/* The first is the deployment itself. It comes last, so that no nested one replaces it. */
	for (size_t i = 0; rows && i < count; i++) {
		const json_t *one = json_array_get(deployment->records, count - 1 - i);
		bool is_nested = i + 1 < count;

		rows[i] = (struct deployment_record){
			json_string_value(json_object_get(one, "group")), json_text_of(one, "name"),
			is_nested ? made_json(deploying, one, true) : json_incref(own),
			is_nested ? NULL : deployment->text};
	}
	if (rows)
		keep(deployment, rows, count);
	for (size_t i = 0; rows && i < count; i++)
		json_decref(rows[i].record);
	free(rows);
	return own;
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
		record = record_json(deploying, deployment->group, deployment->name, properties,
				     deploying->tags);
		keep(deployment,
		     &(struct deployment_record){deployment->group, deployment->name, record,
						 deployment->text},
		     1);
		json_decref(record);
	}
	api_reply_json(request, deployment->errors.status == 503 ? 503 : 400,
		       json_make("{s:o}", "error", error), NULL);
}

/* ---- making it ---- */

static void answer_validated(const struct deploying *deploying)
{
	const struct deployment *deployment = &deploying->deployment;
	json_t *properties =
		properties_json(deploying, json_array_get(deployment->records, 0), "Succeeded");

	json_put(properties, "validatedResources", output_resources(deployment));
	api_reply_json(deployment->request, 200,
		       record_json(deploying, deployment->group, deployment->name, properties,
				   deploying->tags),
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

static void answer(const struct deploying *deploying)
{
	const struct deployment *deployment = &deploying->deployment;

	if (deploying->how == CREATE)
		answer_made(deploying);
	else if (deploying->how == VALIDATE)
		answer_validated(deploying);
	else
		api_reply_json(deployment->request, 200,
			       what_if_json(deployment, deploying->id, deploying->ids_only), NULL);
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

	/* Where the template changes nothing no change is made, which is no error. */
	if (deployment->done && deployment->edit_count == 0)
		err = 0;
	if (err == ERR_FAULTS && !failed) {
		deployment_tell_faults(deployment, faults);
		failed = true;
	}
	if (api_still_may(request)) {
		if (failed)
			fail(deploying);
		else if (err)
			api_fail_change(request, &change->error);
		else
			answer(deploying);
	}
	deploying_free(deploying);
}

static void deploy(struct api_request *request, enum how how)
{
	struct deploying *deploying;
	struct service_change change;

	if (!arm_deployment_begin(request) || !check_name(request, api_parameter(request, "name")))
		return;
	deploying = calloc(1, sizeof *deploying);
	if (!deploying) {
		api_fail_memory(request);
		return;
	}
	*deploying = (struct deploying){.deployment = {.request = request,
						       .name = api_parameter(request, "name"),
						       .group = arm_deployment_group(request),
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
