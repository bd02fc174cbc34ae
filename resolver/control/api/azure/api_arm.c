/* ARM's table of routes, functions that its handlers share, and the handlers of what clients read
 * first: the one subscription, which the configuration names, its one tenant, its locations (the
 * regions of the model and of its address pools, addresses and networks), and the providers. */
#include "resolver/control/api/azure/api_arm.h"

#include "resolver/control/api/azure/errors.h"
#include "resolver/control/api/azure/type.h"

#include <stdarg.h>
#include <strings.h>

#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/http/token.h"
#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/ownership.h"
#include "rules/base.h"
#include "rules/name.h"
#include "rules/text.h"

bool api_arm_begin(struct api_request *request)
{
	const char *version = api_query(request, "api-version");
	const char *subscription = api_parameter(request, "subscription");
	if (!version || !*version) {
		api_fail_at(request, 400, "MissingApiVersionParameter", "api-version",
			    "the query has no api-version; any will do, such as "
			    "?api-version=2022-07-01");
		return false;
	}
	if (!*subscription || ownership_is_of(api_resources(request), NULL, subscription))
		return true;
	api_fail(request, 404, "SubscriptionNotFound",
		 "The subscription '%s' could not be found; it is %s here", subscription,
		 ownership_subscription(api_resources(request), NULL));
	return false;
}

void api_arm_say_revision(struct api_request *request)
{
	struct change_error unused;
	struct source *source = change_reader(resources_store(api_resources(request)), &unused);
	struct source_about about = {.revision = 0};
	char text[32];

	if (source)
		source_about(source, &about);
	snprintf(text, sizeof text, "%llu", (unsigned long long)about.revision);
	api_answer_header(request, "x-sluice-revision", text);
}

void arm_fail_all(struct arm_errors *errors)
{
	size_t count = arm_errors_count(errors);
	const json_t *first = json_array_get(errors->list, 0);
	json_t *error = json_make("{s:o}", "message", json_text(json_text_of(first, "message")));

	json_put(error, "code", json_text(json_text_of(first, "code")));
	json_put(error, "target", json_incref(json_object_get(first, "target")));
	if (count > 1)
		json_put(error, "message",
			 json_sprintf("%s (and %zu more)", json_text_of(first, "message"),
				      count - 1));
	json_put(error, "details", count > 1 ? json_incref(errors->list) : json_array());
	api_reply_json(errors->request, errors->status, json_make("{s:o}", "error", error), NULL);
}

/* ---- subscriptions ---- */

static json_t *subscription_json(const struct api_request *request)
{
	const char *id = ownership_subscription(api_resources(request), NULL);
	char path[160];
	snprintf(path, sizeof path, "/subscriptions/%s", id);
	return json_make("{s:o, s:o, s:s, s:s, s:s}", "id", json_text(path), "subscriptionId",
			 json_text(id), "displayName", API_ARM_DISPLAY_NAME, "state", "Enabled",
			 "tenantId", TOKEN_TENANT);
}

static void list_subscriptions(struct api_request *request)
{
	if (api_arm_begin(request))
		api_reply_json(request, 200,
			       json_make("{s:[o]}", "value", subscription_json(request)), NULL);
}

static void show_subscription(struct api_request *request)
{
	if (api_arm_begin(request))
		api_reply_json(request, 200, subscription_json(request), NULL);
}

static void list_tenants(struct api_request *request)
{
	if (api_arm_begin(request))
		api_reply_json(request, 200,
			       json_make("{s:[{s:s, s:s, s:s}]}", "value", "id",
					 "/tenants/" TOKEN_TENANT, "tenantId", TOKEN_TENANT,
					 "displayName", API_ARM_DISPLAY_NAME),
			       NULL);
}

/* ---- locations ---- */

enum { REGION_KEY_MAX = 256 };

/* The regions that are in use. */
struct locations {
	json_t *names; /* in the order of first use */
	json_t *known; /* keys are names in lower case; a hash, because there may be very many */
	const char *last;
};

static void add_location(struct locations *locations, const char *region)
{
	char key[REGION_KEY_MAX];

	if (!region || (locations->last && strcmp(region, locations->last) == 0))
		return;
	locations->last = region;
	snprintf(key, sizeof key, "%s", region);
	if (json_object_get(locations->known, text_lower(key)))
		return;
	json_put(locations->known, key, json_true());
	json_add(locations->names, json_text(region));
}

static json_t *location_names(const struct api_request *request)
{
	const struct model *model = resources_model(api_resources(request));
	struct locations locations = {json_array(), json_object(), NULL};

	add_location(&locations, model->region);
	for (size_t i = 0; i < model->address_pools.count; i++)
		add_location(&locations, model->address_pools.items[i].region);
	for (size_t i = 0; i < model->addresses.count; i++)
		add_location(&locations, model->addresses.items[i].region);
	for (size_t i = 0; i < model->virtual_networks.count; i++)
		add_location(&locations, model->virtual_networks.items[i].region);
	json_decref(locations.known);
	return locations.names;
}

static json_t *location_json(const struct api_request *request, const char *region)
{
	char path[400];
	snprintf(path, sizeof path, "/subscriptions/%s/locations/%s",
		 ownership_subscription(api_resources(request), NULL), region);
	return json_make("{s:o, s:s, s:o, s:o, s:o}", "id", json_text(path), "type", "Region",
			 "name", json_text(region), "displayName", json_text(region),
			 "regionalDisplayName", json_text(region));
}

static void list_locations(struct api_request *request)
{
	if (!api_arm_begin(request))
		return;
	json_t *names = location_names(request), *value = json_make("[]");
	for (size_t i = 0; i < json_array_size(names); i++)
		json_add(value,
			 location_json(request, json_string_value(json_array_get(names, i))));
	json_decref(names);
	api_reply_json(request, 200, json_make("{s:o}", "value", value), NULL);
}

/* ---- tags of the subscription: none ---- */

static void arm_subscription_tags(struct api_request *request)
{
	char path[API_TEXT_MAX];

	if (!api_arm_begin(request))
		return;
	snprintf(path, sizeof path, "/subscriptions/%s/providers/Microsoft.Resources/tags/default",
		 api_parameter(request, "subscription"));
	api_reply_json(request, 200,
		       json_make("{s:o, s:s, s:s, s:{s:{}}}", "id", json_text(path), "name",
				 "default", "type", "Microsoft.Resources/tags", "properties",
				 "tags"),
		       NULL);
}

/* ---- providers ---- */

/* Types that clients look for, besides those of the table of types. A client that names no version
 * takes the first. */
static const struct {
	const char *type, *versions[4];
} other_types[] = {
	{"subscriptions", {"2021-04-01", "2022-12-01"}},
	{"deployments", {"2021-04-01", "2022-09-01"}},
	{"locations", {"2021-04-01", "2022-12-01"}},
	{"tags", {"2021-04-01", "2022-09-01"}},
};
static const char *const providers[] = {ARM_PROVIDER, "Microsoft.Resources"};

static json_t *type_json(const char *type, const char *const versions[4], json_t *locations)
{
	json_t *array = json_array();

	for (const char *const *at = versions; *at; at++)
		json_add(array, json_text(*at));
	return json_make("{s:s, s:o, s:o, s:s}", "resourceType", type, "locations",
			 json_incref(locations), "apiVersions", array, "capabilities", "None");
}

static json_t *provider_json(const struct api_request *request, const char *name)
{
	const char *subscription = api_parameter(request, "subscription");
	json_t *types = json_array(), *locations = location_names(request);
	char path[256];

	snprintf(path, sizeof path, "%s%.100s/providers/%s", *subscription ? "/subscriptions/" : "",
		 subscription, name);
	for (const struct arm_type *type = arm_types; type->path; type++)
		if (strcmp(type->family->provider, name) == 0)
			json_add(types, type_json(type->path, type->family->versions, locations));
	for (size_t i = 0; strcmp(name, providers[1]) == 0 && i < COUNT(other_types); i++)
		json_add(types, type_json(other_types[i].type, other_types[i].versions, locations));
	json_decref(locations);
	return json_make("{s:o, s:s, s:s, s:s, s:o}", "id", json_text(path), "namespace", name,
			 "registrationState", "Registered", "registrationPolicy",
			 "RegistrationFree", "resourceTypes", types);
}

static void list_providers(struct api_request *request)
{
	json_t *value;

	if (!api_arm_begin(request))
		return;
	value = json_array();
	for (size_t i = 0; i < COUNT(providers); i++)
		json_add(value, provider_json(request, providers[i]));
	api_reply_json(request, 200, json_make("{s:o}", "value", value), NULL);
}

json_t *api_arm_provider(const struct api_request *request, const char *namespace)
{
	for (size_t i = 0; i < COUNT(providers); i++)
		if (strcasecmp(providers[i], namespace) == 0)
			return provider_json(request, providers[i]);
	return NULL;
}

static void show_provider(struct api_request *request)
{
	const char *name = api_parameter(request, "namespace");
	json_t *provider;

	if (!api_arm_begin(request))
		return;
	provider = api_arm_provider(request, name);
	if (provider)
		api_reply_json(request, 200, provider, NULL);
	else
		api_fail(request, 404, "InvalidResourceNamespace",
			 "The resource namespace '%s' is invalid; this server has %s", name,
			 providers[0]);
}

/* ---- the API ---- */

static const struct api_code codes[] = {
	{400, "InvalidRequestContent"},
	{401, "AuthenticationFailed"},
	{403, "AuthorizationFailed"},
	{404, "ResourceNotFound"},
	{405, "MethodNotAllowed"},
	{409, "Conflict"},
	{412, "PreconditionFailed"},
	{413, "RequestEntityTooLarge"},
	{415, "UnsupportedMediaType"},
	{421, "MisdirectedRequest"},
	{422, "UnprocessableEntity"},
	{429, "TooManyRequests"},
	{500, "InternalServerError"},
	{503, "ServiceUnavailable"},
	{0, NULL},
};

static json_t *error_json(const struct api_error *error)
{
	return json_make("{s:{s:o, s:o, s:o, s:[]}}", "error", "code", json_text(error->code),
			 "message", json_text(error->text), "target", json_text(error->field),
			 "details");
}

const char *api_arm_change_code(const struct change_error *error)
{
	static const char *const words[] = {
		[CHANGE_INVALID] = "InvalidRequestContent",
		[CHANGE_NOT_FOUND] = "ResourceNotFound",
		[CHANGE_TAKEN] = "Conflict",
		[CHANGE_READ_ONLY] = "ResourceReadOnly",
		[CHANGE_EXHAUSTED] = "PublicIPAddressesExhausted",
		[CHANGE_STALE] = "PreconditionFailed",
		[CHANGE_NO_STATE] = "StateNotConfigured",
		[CHANGE_BUSY] = "ServiceUnavailable",
		[CHANGE_STORE] = "StoreFailed",
		[CHANGE_UNKNOWN] = "OutcomeUnknown",
		[CHANGE_NO_MEMORY] = "OutOfMemory",
	};

	return words[error->outcome];
}

static void fail_change(struct api_request *request, const struct change_error *error,
			unsigned status)
{
	const char *code = api_arm_change_code(error);

	if (!*error->field)
		api_fail(request, status, code, "%s", error->text);
	else
		api_fail_at(request, status, code, error->field, "%s: %s", error->field,
			    error->text);
}

#define SUBSCRIPTION "/subscriptions/{subscription}"
#define TAGS         SUBSCRIPTION "/providers/Microsoft.Resources/tags/default"
#define GROUP        SUBSCRIPTION "/resourceGroups/{group}"
#define RESOURCE     GROUP "/providers/{resource...}"
/* The paths of deployments. */
#define IN_GROUP        GROUP "/providers/Microsoft.Resources/deployments"
#define IN_SUBSCRIPTION SUBSCRIPTION "/providers/Microsoft.Resources/deployments"

enum { ARM_BODY_MAX = 4 * 1024 * 1024 }; /* Azure's limit; holds a network of 3000 subnets */

static const struct api_route routes[] = {
	{"GET", "/tenants", API_READ, list_tenants, 0, NULL},
	{"GET", "/providers", API_READ, list_providers, 0, NULL},
	{"GET", "/providers/{namespace}", API_READ, show_provider, 0, NULL},
	{"POST", "/providers/Microsoft.Resources/calculateTemplateHash", API_READ,
	 arm_template_hash, ARM_BODY_MAX, NULL},
	{"GET", "/subscriptions", API_READ, list_subscriptions, 0, NULL},
	{"GET", SUBSCRIPTION, API_READ, show_subscription, 0, NULL},
	{"GET", SUBSCRIPTION "/locations", API_READ, list_locations, 0, NULL},
	{"GET", SUBSCRIPTION "/providers", API_READ, list_providers, 0, NULL},
	{"GET", SUBSCRIPTION "/providers/{namespace}", API_READ, show_provider, 0, NULL},
	{"POST", SUBSCRIPTION "/providers/{namespace}/register", API_READ, show_provider, 0, NULL},
	{"GET", SUBSCRIPTION "/resourceGroups", API_READ, api_groups_list, 0, NULL},
	{"HEAD", SUBSCRIPTION "/resourceGroups/{group}", API_READ, arm_resource_exists, 0, NULL},
	{"GET", SUBSCRIPTION "/resourceGroups/{group}", API_READ, arm_resource_get, 0, NULL},
	{"PUT", SUBSCRIPTION "/resourceGroups/{group}", API_CHANGE, arm_resource_put, 0, NULL},
	{"PATCH", SUBSCRIPTION "/resourceGroups/{group}", API_CHANGE, arm_resource_patch, 0, NULL},
	{"DELETE", SUBSCRIPTION "/resourceGroups/{group}", API_CHANGE, api_group_delete, 0, NULL},
	{"GET", SUBSCRIPTION "/resources", API_READ, arm_resources_list, 0, NULL},
	{"GET", SUBSCRIPTION "/resourceGroups/{group}/resources", API_READ, arm_resources_list, 0,
	 NULL},
	{"POST", SUBSCRIPTION "/resourceGroups/{group}/exportTemplate", API_READ, arm_group_export,
	 0, NULL},
	{"GET", TAGS, API_READ, arm_subscription_tags, 0, NULL},
	{"GET", IN_GROUP, API_READ, arm_deployments_list, 0, NULL},
	{"HEAD", IN_GROUP "/{name}", API_READ, arm_deployment_exists, 0, NULL},
	{"GET", IN_GROUP "/{name}", API_READ, arm_deployment_get, 0, NULL},
	{"PUT", IN_GROUP "/{name}", API_CHANGE, arm_deployment_put, ARM_BODY_MAX, NULL},
	{"DELETE", IN_GROUP "/{name}", API_CHANGE, arm_deployment_delete, 0, NULL},
	{"POST", IN_GROUP "/{name}/validate", API_OPERATE, arm_deployment_validate, ARM_BODY_MAX,
	 NULL},
	{"POST", IN_GROUP "/{name}/whatIf", API_OPERATE, arm_deployment_what_if, ARM_BODY_MAX,
	 NULL},
	{"POST", IN_GROUP "/{name}/cancel", API_OPERATE, arm_deployment_cancel, 0, NULL},
	{"POST", IN_GROUP "/{name}/exportTemplate", API_READ, arm_deployment_export, 0, NULL},
	{"GET", IN_GROUP "/{name}/operations", API_READ, arm_deployment_operations, 0, NULL},
	{"GET", IN_GROUP "/{name}/operations/{operation}", API_READ, arm_deployment_operation, 0,
	 NULL},
	{"GET", IN_SUBSCRIPTION, API_READ, arm_deployments_list, 0, NULL},
	{"HEAD", IN_SUBSCRIPTION "/{name}", API_READ, arm_deployment_exists, 0, NULL},
	{"GET", IN_SUBSCRIPTION "/{name}", API_READ, arm_deployment_get, 0, NULL},
	{"PUT", IN_SUBSCRIPTION "/{name}", API_CHANGE, arm_deployment_put, ARM_BODY_MAX, NULL},
	{"DELETE", IN_SUBSCRIPTION "/{name}", API_CHANGE, arm_deployment_delete, 0, NULL},
	{"POST", IN_SUBSCRIPTION "/{name}/validate", API_OPERATE, arm_deployment_validate,
	 ARM_BODY_MAX, NULL},
	{"POST", IN_SUBSCRIPTION "/{name}/whatIf", API_OPERATE, arm_deployment_what_if,
	 ARM_BODY_MAX, NULL},
	{"POST", IN_SUBSCRIPTION "/{name}/cancel", API_OPERATE, arm_deployment_cancel, 0, NULL},
	{"POST", IN_SUBSCRIPTION "/{name}/exportTemplate", API_READ, arm_deployment_export, 0,
	 NULL},
	{"GET", IN_SUBSCRIPTION "/{name}/operations", API_READ, arm_deployment_operations, 0, NULL},
	{"GET", IN_SUBSCRIPTION "/{name}/operations/{operation}", API_READ,
	 arm_deployment_operation, 0, NULL},
	{"GET", GROUP "/deployments/{name}/operations", API_READ, arm_deployment_operations, 0,
	 NULL},
	{"GET", GROUP "/deployments/{name}/operations/{operation}", API_READ,
	 arm_deployment_operation, 0, NULL},
	{"GET", SUBSCRIPTION "/providers/{namespace}/{type}", API_READ, arm_resource_get, 0, NULL},
	{"HEAD", RESOURCE, API_READ, arm_resource_exists, 0, NULL},
	{"GET", RESOURCE, API_READ, arm_resource_get, 0, NULL},
	{"PUT", RESOURCE, API_CHANGE, arm_resource_put, ARM_BODY_MAX, NULL},
	{"PATCH", RESOURCE, API_CHANGE, arm_resource_patch, 0, NULL},
	{"DELETE", RESOURCE, API_CHANGE, arm_resource_delete, 0, NULL},
	{"POST", RESOURCE, API_READ, arm_resource_post, 0, NULL},
	{.method = NULL},
};
const struct api_dialect api_arm = {
	.roots = (const char *const[]){"subscriptions", "providers", "tenants", "metadata", NULL},
	.routes = routes,
	.codes = codes,
	.error = error_json,
	.relaxed = true,
	.fail_change = fail_change};
