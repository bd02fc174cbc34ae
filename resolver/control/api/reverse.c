/* Helpers of the APIs: answers to failed changes, and the check whether a new PTR's name leads
 * back. */
#include "resolver/control/api/reverse.h"

#include <assert.h>

#include "resolver/control/api/precondition.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/reverse_check.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/schema/reference.h"

struct resources *api_resources(const struct api_request *request)
{
	return request->aside ? request->aside : request->service->resources;
}

const struct model *api_model(const struct api_request *request)
{
	return resources_model(api_resources(request));
}

bool api_could_not_read(struct api_request *request)
{
	const char *trouble = resources_trouble(api_resources(request));
	struct change_error told = {.outcome = CHANGE_STORE};

	if (!trouble)
		return false;
	snprintf(told.text, sizeof told.text, "%s", trouble);
	api_fail_change(request, &told);
	return true;
}

const char *api_group(const struct api_request *request)
{
	const char *group = api_parameter(request, "group");
	return strcmp(group, GROUP_NONE) == 0 ? NULL : group;
}

unsigned api_change_status(const struct change_error *error)
{
	static const unsigned statuses[] = {
		[CHANGE_INVALID] = 400,   [CHANGE_NOT_FOUND] = 404, [CHANGE_TAKEN] = 409,
		[CHANGE_READ_ONLY] = 409, [CHANGE_EXHAUSTED] = 409, [CHANGE_STALE] = 412,
		[CHANGE_NO_STATE] = 409,  [CHANGE_BUSY] = 503,      [CHANGE_STORE] = 503,
		[CHANGE_UNKNOWN] = 503,   [CHANGE_NO_MEMORY] = 503,
	};

	return statuses[error->outcome];
}

void api_fail_change(struct api_request *request, const struct change_error *error)
{
	struct change_error told = *error;

	assert(error->outcome != CHANGE_FINE);
	if (!*told.text)
		snprintf(told.text, sizeof told.text, "%s", err_text(ERR_NOMEM));
	request->dialect->fail_change(request, &told, api_change_status(error));
}

bool api_all_not_modified(struct api_request *request)
{
	char etag[ETAG_MAX];
	return api_not_modified(request, addresses_etag(api_resources(request), etag));
}

/* etag NULL: the resource does not exist yet. */
static bool require(struct api_request *request, const char *etag)
{
	char text[PRECONDITION_TEXT_MAX];
	struct change_error error;

	if (precondition_check(etag, request->if_match, request->if_none_match, text) == 0)
		return true;
	change_say(&error, CHANGE_STALE, NULL, "%s", text);
	api_fail_change(request, &error);
	return false;
}

bool api_require_address(struct api_request *request, const struct owned_resource *resource)
{
	char etag[ETAG_MAX];

	return require(request, resource ? owned_etag(resource, etag) : NULL);
}

bool api_require_all(struct api_request *request)
{
	char etag[ETAG_MAX];

	return require(request, addresses_etag(api_resources(request), etag));
}

char *api_owned_text(const struct owned_resource *resource, char text[API_OWNED_TEXT_MAX])
{
	char address[ADDRESS_TEXT_MAX];
	snprintf(text, API_OWNED_TEXT_MAX, "%s %s, %s, %s%s",
		 owned_is_service(resource) ? "service" : "address", resource->item.name,
		 address_print(&resource->item.address, address),
		 resource->item.reverse_fqdn ? "PTR " : "no PTR",
		 resource->item.reverse_fqdn ? resource->item.reverse_fqdn : "");
	return text;
}

const char *api_address_title(struct api_request *request, const struct owned_resource *resource)
{
	char text[API_OWNED_TEXT_MAX];
	const char *kept = arena_strdup(&request->arena, api_owned_text(resource, text));

	return kept ? kept : resource->item.name;
}

void api_log_change(const struct api_request *request, const char *what, const char *text)
{
	char shown[API_OWNED_TEXT_MAX + 64];

	snprintf(shown, sizeof shown, "%s: %s", what, text);
	log_event_guarded(LOG_INFO, "change", shown, "%s by %s: %s", what, request->who, text);
}

/* ---- does the name lead back? ---- */

struct forward {
	void (*on_known)(void *context, const char *warning);
	void *context;
};

static void on_forward(void *context, enum reverse_result result, json_t *report)
{
	struct forward *forward = context;
	const char *text = json_string_value(json_object_get(report, "text"));
	const char *warning = result == REVERSE_CONFIRMED ? NULL : text;
	if (warning)
		log_event(LOG_WARNING, "reverse", "%s%s",
			  result == REVERSE_FAILED ? "" : "mail servers will not trust this PTR: ",
			  warning);
	if (forward->on_known)
		forward->on_known(forward->context, warning);
	json_decref(report);
	free(forward);
}

const char *api_own_network(const struct model *model, const struct address *address)
{
	const struct virtual_network *network = model_network_of(model, address);
	return network ? full_name(&network->named) : NULL;
}

void api_check_forward(struct service *service, const struct owned_resource *resource,
		       void (*on_known)(void *context, const char *warning), void *context)
{
	struct forward *forward = resource->item.reverse_fqdn ? malloc(sizeof *forward) : NULL;
	const struct model *model = resources_model(service->resources);
	const char *network = model->reverse.resolve_in;
	const struct reverse_question question = {
		.address = resource->item.address,
		.name = resource->item.reverse_fqdn,
		.network = network ? network : api_own_network(model, &resource->item.address),
	};
	if (forward) {
		*forward = (struct forward){on_known, context};
		if (reverse_check(&service->server, &question, on_forward, forward) == 0)
			return;
	}
	free(forward);
	if (on_known)
		on_known(context, NULL);
}
