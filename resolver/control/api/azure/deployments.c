/* Deployments: validates, previews and makes templates (azure/deployment.h). The record of a
 * deployment (azure/deployment_record.h) is written by the transaction that makes it; the record of
 * one that changes nothing, or that fails, by a transaction of its own.
 *
 *     service_change.read, in its thread: deployment_read ─► records, or the answer of what-if
 *     on_made, on the control thread:     answers
 */
#include <inttypes.h>
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
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "resolver/log.h"
#include "rules/text.h"

#define DEPLOYMENTS     "Microsoft.Resources/deployments"
#define RESOURCE_GROUPS "Microsoft.Resources/resourceGroups"

enum deployment_operation { VALIDATE, WHAT_IF, CREATE };

struct deploying {
	struct deployment deployment;
	enum deployment_operation how;
	bool ids_only; /* what-if without bodies */
	json_t *tags;  /* of the deployment itself, in the body; NULL: none */
	char id[UUID_TEXT_MAX];
	char at[40];
	struct timespec begun;
	uint64_t hash; /* of the template */
	/* out: */
	char *what_if;                /* the answer of what-if; NULL: no memory */
	struct deployment_kept *kept; /* records: of nested deployments, and last of this one */
	size_t kept_count;
	struct deployment_pairs pairs; /* pairs that store the records */
	bool was_there;                /* there was a deployment of this name */
	bool is_same;                  /* there is nothing to change */
};

/* ---- the request ---- */

/* False: a deployment cannot have this name, and the request has been answered. */
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

/* False: the body is wrong, and the request has been answered. */
static bool read_body(struct deploying *deploying)
{
	struct deployment_asked *asked = &deploying->deployment.asked;
	struct api_request *request = asked->request;
	json_t *body = request->body;
	const json_t *mode = arm_get(body, "properties.mode");
	const char *text = json_string_value(mode);

	asked->template = arm_get(body, "properties.template");
	asked->parameters = arm_get(body, "properties.parameters");
	asked->location = json_string_value(arm_get(body, "location"));
	asked->complete = text && strcasecmp(text, "Complete") == 0;
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
	if (!json_is_object(asked->template))
		return fail_member(request, "properties.template", "must be a template, an object");
	if (asked->parameters && !json_is_null(asked->parameters) &&
	    !json_is_object(asked->parameters))
		return fail_member(request, "properties.parameters",
				   "must be an object: {\"NAME\": {\"value\": ...}}");
	if (mode && !asked->complete && (!text || strcasecmp(text, "Incremental") != 0))
		return fail_member(request, "properties.mode",
				   "must be \"Incremental\" or \"Complete\"");
	if (asked->complete && !asked->group)
		return fail_member(request, "properties.mode",
				   "must be \"Incremental\" for a subscription");
	if (!asked->group && !asked->location)
		return fail_member(request, "location",
				   "is missing; a deployment to a subscription has one");
	text = json_string_value(arm_get(body, "properties.whatIfSettings.resultFormat"));
	deploying->ids_only = text && strcasecmp(text, "ResourceIdOnly") == 0;
	return true;
}

/* ---- answers and records ---- */

static json_t *deployment_id(const struct api_request *request, const char *group, const char *name)
{
	const char *subscription = ownership_subscription(api_resources(request), NULL);

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

/* Such as "PT1.250S". */
static json_t *duration(const struct deploying *deploying)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return json_sprintf("PT%.3fS",
			    (double)(now.tv_sec - deploying->begun.tv_sec) +
				    (double)(now.tv_nsec - deploying->begun.tv_nsec) / 1e9);
}

/* ---- this deployment, which has index 0, and those nested in it ---- */

/* Is `inner` the deployment `outer`, or nested in it at any depth? */
static bool is_within(const struct deployment *deployment, size_t inner, size_t outer)
{
	while (inner != outer && inner > 0)
		inner = deployment->deployments[inner].outer;
	return inner == outer;
}

static bool is_made_by(const struct deployment *deployment, const struct deployed *deployed,
		       size_t of)
{
	return !deployed->is_removed &&
	       (of == 0 || is_within(deployment, deployed->deployment, of));
}

/* The types of the resources that the deployment number `of` makes, by provider. */
static json_t *providers_json(const struct deployment *deployment, size_t of)
{
	json_t *providers = json_array(), *types = NULL;
	const char *namespace = NULL;

	for (const struct arm_type *type = arm_types; type->path; type++) {
		bool used = false;

		for (size_t i = 0; i < deployment->count && !used; i++)
			used = deployment->resources[i].type == type &&
			       is_made_by(deployment, &deployment->resources[i], of);
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

static json_t *output_resources(const struct deployment *deployment, size_t of)
{
	json_t *array = json_array();

	for (size_t i = 0; i < deployment->count; i++)
		if (is_made_by(deployment, &deployment->resources[i], of))
			json_add(array, json_make("{s:s}", "id", deployment->resources[i].id));
	return array;
}

/* The hash by which clients can tell whether two templates are the same. */
static uint64_t template_hash(const char *text)
{
	return etag_add_text(0, text);
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
					 json_sprintf("%" PRIu64, template_hash(text))),
			       NULL);
	else
		api_fail_memory(request);
	free(text);
}

static json_t *properties_json(const struct deploying *deploying, size_t of, const char *state)
{
	const struct deployment *deployment = &deploying->deployment;
	json_t *parameters =
		deployment->deployments ? deployment->deployments[of].parameters : NULL;

	return json_make("{s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:[]}", "mode",
			 deployment->asked.complete ? "Complete" : "Incremental",
			 "provisioningState", state, "timestamp", deploying->at, "duration",
			 duration(deploying), "correlationId", deploying->id, "parameters",
			 parameters ? json_incref(parameters) : json_object(), "templateHash",
			 json_sprintf("%" PRIu64, deploying->hash), "providers",
			 providers_json(deployment, of), "dependencies");
}

/* Takes ownership of the properties. `tags`: NULL or null for none. */
static json_t *record_json(const struct deploying *deploying, const char *group, const char *name,
			   json_t *properties, json_t *tags)
{
	const struct deployment_asked *asked = &deploying->deployment.asked;
	json_t *record =
		json_make("{s:o, s:s, s:s, s:o}", "id", deployment_id(asked->request, group, name),
			  "name", name, "type", DEPLOYMENTS, "properties", properties);

	if (!group)
		json_put_text(record, "location", asked->location);
	if (json_is_object(tags))
		json_put(record, "tags", json_incref(tags));
	return record;
}

static json_t *made_json(const struct deploying *deploying, size_t of)
{
	const struct deployment *deployment = &deploying->deployment;
	const struct template_deployment *made = &deployment->deployments[of];
	json_t *properties = properties_json(deploying, of, "Succeeded");

	json_put(properties, "outputs", json_incref(made->outputs));
	json_put(properties, "outputResources", output_resources(deployment, of));
	return record_json(deploying, made->group, made->name, properties,
			   of == 0 ? deploying->tags : NULL);
}

/* ---- operations: one for each resource and each nested deployment; of a deployment that failed,
 * one for each error ---- */

/* The same text gives the same id. */
static json_t *operation_id(const char *text)
{
	return json_sprintf("%016llX", (unsigned long long)etag_add_text(0, text));
}

/* `about` determines the id. Takes ownership of the target (NULL: none) and of the error's message
 * (NULL: it succeeded). */
static json_t *operation_json(const struct deploying *deploying, const json_t *record,
			      const char *about, json_t *target, json_t *message)
{
	json_t *own = operation_id(about);
	json_t *properties = json_make(
		"{s:s, s:s, s:s, s:o, s:s}", "provisioningOperation", "Create", "provisioningState",
		message ? "Failed" : "Succeeded", "timestamp", deploying->at, "duration",
		duration(deploying), "statusCode", message ? "BadRequest" : "OK");

	if (target)
		json_put(properties, "targetResource", target);
	if (message)
		json_put(properties, "statusMessage", message);
	return json_make("{s:o, s:o, s:o}", "id",
			 json_sprintf("%s/operations/%s", json_text_of(record, "id"),
				      json_string_value(own)),
			 "operationId", own, "properties", properties);
}

/* Makes {"id", "resourceType", "resourceName"}. */
static json_t *target_json(struct api_request *request, const char *id)
{
	const struct arm_type *type;
	struct path path;
	char name[NAME_TEXT_MAX];

	if (arm_id_read(request, id, &type, &path) != 0 || *path_name(&path) == '\0') {
		const char *slash = strrchr(id, '/');

		return json_make("{s:s, s:s, s:s}", "id", id, "resourceType",
				 strcasestr(id, DEPLOYMENTS) ? DEPLOYMENTS : RESOURCE_GROUPS,
				 "resourceName", slash ? slash + 1 : id);
	}
	return json_make("{s:s, s:o, s:o}", "id", id, "resourceType",
			 json_sprintf("%s/%s", type->family->provider, type->path), "resourceName",
			 path.kind->parent
				 ? json_sprintf("%s/%s", path.names[0], arm_name(&path, name))
				 : json_text(path.names[0]));
}

static json_t *made_operations(const struct deploying *deploying, const json_t *record, size_t of)
{
	const struct deployment *deployment = &deploying->deployment;
	struct api_request *request = deployment->asked.request;
	json_t *array = json_array(), *id;

	for (size_t i = 0; i < deployment->count; i++) {
		const struct deployed *deployed = &deployment->resources[i];

		if (!deployed->is_removed && deployed->deployment == of)
			json_add(array, operation_json(deploying, record, deployed->id,
						       target_json(request, deployed->id), NULL));
	}
	for (size_t i = 1; i < deployment->deployment_count; i++) {
		const struct template_deployment *inner = &deployment->deployments[i];

		if (inner->outer != of)
			continue;
		id = deployment_id(request, inner->group, inner->name);
		json_add(array, operation_json(deploying, record, json_string_value(id),
					       target_json(request, json_string_value(id)), NULL));
		json_decref(id);
	}
	return json_make("{s:o}", "value", array);
}

/* The id of the resource that the error is about; NULL: none. */
static const char *failed_id(const struct deployment *deployment, const json_t *error)
{
	const json_t *failed;
	size_t i;

	json_array_foreach(deployment->failed, i, failed)
	{
		if (json_object_get(failed, "error") == error)
			return json_text_of(failed, "id");
	}
	return NULL;
}

static json_t *failed_operations(const struct deploying *deploying, const json_t *record,
				 const json_t *errors)
{
	const struct deployment *deployment = &deploying->deployment;
	json_t *array = json_array(), *error;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)errors, i, error)
	{
		const char *id = failed_id(deployment, error);

		json_add(array,
			 operation_json(
				 deploying, record, json_text_of(error, "message"),
				 id ? target_json(deployment->asked.request, id) : NULL,
				 json_make("{s:s, s:O}", "status", "Failed", "error", error)));
	}
	return json_make("{s:o}", "value", array);
}

/* ---- errors ---- */

/* Takes ownership of `details` and `message`. */
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

/* The errors of resources, and of a reference() that found nothing. */
static json_t *details_json(const struct deployment *deployment)
{
	json_t *details =
		deployment->errors.list ? json_incref(deployment->errors.list) : json_array();

	if (deployment->error.trouble == TEMPLATE_NOT_FOUND)
		json_add(details, error_json("ResourceNotFound", deployment->error.place,
					     json_text(deployment->error.text), json_array()));
	return details;
}

static json_t *failure_json(const struct deploying *deploying)
{
	const struct deployment *deployment = &deploying->deployment;
	json_t *details = details_json(deployment);

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
				       deployment->asked.name, deploying->id),
			  details);
}

/* Whether the template itself is wrong, or there was no memory for it: then no record is kept. */
static bool is_refused(const struct deployment *deployment)
{
	enum template_trouble trouble = deployment->error.trouble;

	return trouble == TEMPLATE_NO_MEMORY || trouble == TEMPLATE_INVALID ||
	       trouble == TEMPLATE_LIMIT;
}

/* ---- making records ---- */

struct json_output {
	FILE *out;
	size_t left; /* bytes */
};

static int print_some(const char *text, size_t length, void *data)
{
	struct json_output *output = data;

	if (length > output->left)
		return -1;
	output->left -= length;
	return fwrite(text, 1, length, output->out) == length ? 0 : -1;
}

/* The value as JSON, to be freed; NULL: it has more than *left bytes, or there is no memory. Takes
 * ownership of the value, and subtracts its length from *left. */
static char *print_json(json_t *value, size_t *left)
{
	struct json_output output = {.left = *left};
	char *text = NULL;
	size_t length;
	int err;

	value = json_whole(value);
	output.out = value ? open_memstream(&text, &length) : NULL;
	if (!output.out) {
		json_decref(value);
		return NULL;
	}
	err = json_dump_callback(value, print_some, &output, JSON_COMPACT);
	json_decref(value);
	*left = output.left;
	if (fclose(output.out) == 0 && !err)
		return text;
	free(text);
	return NULL;
}

/* Takes ownership of `record` and `operations`. False: they have more than *left bytes, or there is
 * no memory. */
static bool add_kept(struct deploying *deploying, const struct deployment_kept *like,
		     json_t *record, json_t *operations, size_t *left)
{
	struct deployment_kept *kept = &deploying->kept[deploying->kept_count++];

	*kept = *like;
	kept->at = deploying->at;
	kept->record = print_json(record, left);
	kept->operations = print_json(operations, left);
	return kept->record && kept->operations;
}

/* False: the records have more than *left bytes, or there is no memory. */
static bool read_made(struct deploying *deploying, size_t *left)
{
	const struct deployment *deployment = &deploying->deployment;
	size_t count = deployment->deployment_count;
	bool fits = true;

	deploying->kept = calloc(count, sizeof *deploying->kept);
	if (!deploying->kept)
		return false;
	/* This deployment comes last, so that no nested one of the same name replaces it. */
	for (size_t i = count; fits && i-- > 0;) {
		const struct template_deployment *made = &deployment->deployments[i];
		const struct deployment_kept like = {.group = made->group,
						     .name = made->name,
						     .state = "Succeeded",
						     .template = i == 0 ? deployment->text : NULL};
		json_t *record = made_json(deploying, i);

		fits = add_kept(deploying, &like, record, made_operations(deploying, record, i),
				left);
	}
	return fits;
}

static bool read_failed(struct deploying *deploying, size_t *left)
{
	const struct deployment *deployment = &deploying->deployment;
	const struct deployment_asked *asked = &deployment->asked;
	const struct deployment_kept like = {.group = asked->group,
					     .name = asked->name,
					     .state = "Failed",
					     .template = deployment->text};
	json_t *properties, *record, *error = failure_json(deploying);

	deploying->kept = calloc(1, sizeof *deploying->kept);
	if (!deploying->kept) {
		json_decref(error);
		return false;
	}
	properties = properties_json(deploying, 0, "Failed");
	json_put(properties, "outputResources", json_array());
	json_put(properties, "error", error);
	record = record_json(deploying, asked->group, asked->name, properties, deploying->tags);
	return add_kept(deploying, &like, record,
			failed_operations(deploying, record, json_object_get(error, "details")),
			left);
}

static void forget_kept(struct deploying *deploying)
{
	deployment_pairs_release(&deploying->pairs);
	for (size_t i = 0; i < deploying->kept_count; i++) {
		free(deploying->kept[i].record);
		free(deploying->kept[i].operations);
	}
	free(deploying->kept);
	deploying->kept = NULL;
	deploying->kept_count = 0;
}

/* Makes the records that the state keeps of the deployment. False: they are too long, the state
 * cannot be read, or there is no memory. Without memory for the records, the error says that they
 * are too long. */
static bool read_kept(struct deploying *deploying, struct resources *resources,
		      struct change_error *error)
{
	const struct deployment *deployment = &deploying->deployment;
	size_t length = deployment->text ? strlen(deployment->text) : 0;
	size_t left = length < DEPLOYMENT_BYTES_MAX ? DEPLOYMENT_BYTES_MAX - length : 0;
	bool fits;

	fits = deployment_has_failed(deployment) ? read_failed(deploying, &left)
						 : read_made(deploying, &left);
	if (fits)
		return deployment_pairs_keep(&deploying->pairs, resources, deploying->kept,
					     deploying->kept_count, error) == 0;
	(void)change_say(error, CHANGE_INVALID, NULL,
			 "what is to be kept of the deployment, its parameters and outputs and "
			 "those of nested ones, has more than %d bytes; make several of it",
			 DEPLOYMENT_BYTES_MAX);
	return false;
}

static void warn(const struct deployment *deployment, const struct change_error *error)
{
	log_event(LOG_WARNING, "deploy", "the deployment %s is not kept: %s",
		  deployment->asked.name, error->text);
}

/* Makes the records of a deployment that is not a change, and writes them by a transaction of their
 * own. False: the error says why not. */
static bool keep_alone(struct deploying *deploying, struct resources *resources,
		       struct change_error *error)
{
	return read_kept(deploying, resources, error) &&
	       deployment_pairs_write(&deploying->pairs, resources, error) == 0;
}

/* ---- in the change's thread ---- */

/* Writes the records of a deployment that is not a change (err is set); others are written with
 * the change. A failed deployment that cannot be kept is only a warning. Returns the result of the
 * change's `read`. */
static int keep(struct deploying *deploying, int err, struct resources *resources,
		struct service_change *change)
{
	const struct deployment *deployment = &deploying->deployment;
	char state[DEPLOYMENT_STATE_MAX];
	struct change_error error;

	deploying->was_there = deployment_find(resources, deployment->asked.group,
					       deployment->asked.name, state, &error) == 0 &&
			       *state;
	if (err ? keep_alone(deploying, resources, &error)
		: read_kept(deploying, resources, &error)) {
		change->pairs = deploying->pairs.rows;
		change->pair_count = deploying->pairs.count;
		return err;
	}
	if (deployment_has_failed(deployment)) {
		warn(deployment, &error);
		return err;
	}
	deploying->is_same = false;
	change->error = error;
	return ERR_INVALID;
}

static int read_deployment(void *context, struct resources *resources,
			   struct service_change *change)
{
	struct deploying *deploying = context;
	struct deployment *deployment = &deploying->deployment;
	struct api_request *request = deployment->asked.request;
	int err = deployment_read(deployment, resources, change);

	if (deployment->text)
		deploying->hash = template_hash(deployment->text);
	deploying->is_same = err == ERR_NOT_FOUND;
	request->aside = resources;
	(void)json_whole(NULL); /* forgets failures of earlier work in this thread */
	if (deployment_has_failed(deployment))
		deployment_clear_errors(deployment);
	if (deploying->how == WHAT_IF && !deployment_has_failed(deployment))
		deploying->what_if = json_whole_text(
			what_if_json(deployment, deploying->id, deploying->ids_only));
	if (deploying->how == CREATE && !is_refused(deployment))
		err = keep(deploying, err, resources, change);
	request->aside = NULL;
	return err;
}

/* ---- answers ---- */

static void fail(struct deploying *deploying)
{
	struct deployment *deployment = &deploying->deployment;
	struct api_request *request = deployment->asked.request;

	if (deployment->error.trouble == TEMPLATE_NO_MEMORY)
		api_fail_memory(request);
	else if (is_refused(deployment))
		api_reply_json(request, 400,
			       json_make("{s:o}", "error", template_error(&deployment->error)),
			       NULL);
	else
		api_reply_json(request, deployment->errors.status == 503 ? 503 : 400,
			       json_make("{s:o}", "error", failure_json(deploying)), NULL);
}

static void answer_validated(const struct deploying *deploying)
{
	const struct deployment_asked *asked = &deploying->deployment.asked;
	json_t *properties = properties_json(deploying, 0, "Succeeded");

	json_put(properties, "validatedResources", output_resources(&deploying->deployment, 0));
	api_reply_json(
		asked->request, 200,
		record_json(deploying, asked->group, asked->name, properties, deploying->tags),
		NULL);
}

static void answer_what_if(struct deploying *deploying)
{
	struct api_request *request = deploying->deployment.asked.request;
	char *text = deploying->what_if;

	deploying->what_if = NULL;
	if (text)
		api_reply_text(request, 200, NULL, text, strlen(text));
	else
		api_fail_memory(request);
}

static void answer_made(struct deploying *deploying)
{
	const struct deployment *deployment = &deploying->deployment;
	struct api_request *request = deployment->asked.request;
	char *record = deploying->kept[deploying->kept_count - 1].record;
	char text[ARM_ID_MAX];
	size_t made = 0;

	for (size_t i = 0; i < deployment->count; i++)
		made += !deployment->resources[i].is_removed;
	snprintf(text, sizeof text, "deployment %s, %zu resource%s", deployment->asked.name, made,
		 text_plural(made, "", "s"));
	api_log_change(request, "made", text);
	api_arm_say_revision(request);
	deploying->kept[deploying->kept_count - 1].record = NULL;
	api_reply_json_text(request, deploying->was_there ? 200 : 201, record);
}

static void answer(struct deploying *deploying)
{
	if (deploying->how == CREATE)
		answer_made(deploying);
	else if (deploying->how == VALIDATE)
		answer_validated(deploying);
	else
		answer_what_if(deploying);
}

static void deploying_free(struct deploying *deploying)
{
	forget_kept(deploying);
	free(deploying->what_if);
	deployment_release(&deploying->deployment);
	free(deploying);
}

/* The edits were valid in the last draft, but no longer when the change was made. */
static void fail_late(struct deploying *deploying, const struct faults *faults)
{
	struct deployment *deployment = &deploying->deployment;
	struct resources *resources = api_resources(deployment->asked.request);
	struct change_error error;

	deployment_tell_faults(deployment, faults);
	deployment_clear_errors(deployment);
	forget_kept(deploying);
	if (deploying->how != CREATE)
		return;
	if (!keep_alone(deploying, resources, &error))
		warn(deployment, &error);
}

static void on_made(void *context, int err, const struct service_change *change,
		    const struct faults *faults)
{
	struct deploying *deploying = context;
	struct deployment *deployment = &deploying->deployment;
	struct api_request *request = deployment->asked.request;

	if (deploying->is_same)
		err = 0;
	if (err == ERR_FAULTS && !deployment_has_failed(deployment))
		fail_late(deploying, faults);
	if ((!err && deploying->how == CREATE) || api_still_may(request)) {
		if (deployment_has_failed(deployment))
			fail(deploying);
		else if (err)
			api_fail_change(request, &change->error);
		else
			answer(deploying);
	}
	deploying_free(deploying);
}

static void deploy(struct api_request *request, enum deployment_operation how)
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
	*deploying =
		(struct deploying){.deployment = {.asked = {.request = request,
							    .name = api_parameter(request, "name"),
							    .group = arm_deployment_group(request),
							    .wants_before_after = how == WHAT_IF},
						  .errors = {.request = request}},
				   .how = how};
	uuid_random(deploying->id);
	note_time(deploying);
	if (!read_body(deploying)) {
		deploying_free(deploying);
		return;
	}
	change = (struct service_change){.read = read_deployment,
					 .context = deploying,
					 .large = true,
					 .rehearsal = how != CREATE,
					 .who = request->who};
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
