/* The parts that /v1 and Designate's API share: finding a PTR's owner, telling what a change failed
 * of, and the look at whether a name that was just set leads back. */
#include "resolver/control/api_reverse.h"

#include <assert.h>
#include <strings.h>

#include "resolver/control/api_internal.h"
#include "resolver/control/control.h"
#include "resolver/control/inventory_group.h"
#include "resolver/control/inventory_page.h"
#include "resolver/control/json.h"
#include "resolver/control/reverse_check.h"
#include "resolver/log.h"

struct inventory *api_inventory(const struct api_request *request)
{
	return request->control->inventory;
}

const char *api_group(const struct api_request *request)
{
	const char *group = api_parameter(request, "group");
	return strcmp(group, GROUP_NONE) == 0 ? NULL : group;
}

bool api_work_begin(struct api_request *request, void *context)
{
	if (work_begin(&request->control->work, context))
		return true;
	api_fail_ending(request);
	return false;
}

const struct owner *api_find_ptr(const struct inventory *inventory, const char *text)
{
	struct address address;
	if (address_parse(&address, text) == 0)
		return inventory_by_address(inventory, &address);
	const char *colon = strrchr(text, ':');
	const struct owner *owner = inventory_by_id(inventory, colon ? colon + 1 : text);
	size_t length = colon ? (size_t)(colon - text) : 0;
	if (!owner || !colon)
		return owner;
	return owner->region && strlen(owner->region) == length &&
			       strncasecmp(owner->region, text, length) == 0
		       ? owner
		       : NULL;
}

const char *api_change_code(const struct change_error *error, enum api_shape shape)
{
	static const struct {
		const char *v1, *designate, *arm;
	} codes[] = {
		[CHANGE_INVALID] = {"invalid", "invalid_object", "InvalidRequestFormat"},
		[CHANGE_NOT_FOUND] = {"not_found", "not_found", "ResourceNotFound"},
		[CHANGE_TAKEN] = {"taken", "conflict", "Conflict"},
		[CHANGE_READ_ONLY] = {"read_only", "conflict", "ResourceReadOnly"},
		[CHANGE_EXHAUSTED] = {"exhausted", "conflict", "PublicIPAddressesExhausted"},
		[CHANGE_STALE] = {"precondition_failed", "precondition_failed",
				  "PreconditionFailed"},
		[CHANGE_NO_STATE] = {"no_state", "conflict", "StateNotConfigured"},
		[CHANGE_BUSY] = {"busy", "service_unavailable", "ServiceUnavailable"},
		[CHANGE_STORE] = {"store_failed", "service_unavailable", "StoreFailed"},
		[CHANGE_NO_MEMORY] = {"no_memory", "service_unavailable", "OutOfMemory"},
	};
	assert(error->outcome != CHANGE_FINE);
	switch (shape) {
	case API_V2: return codes[error->outcome].designate;
	case API_ARM: return codes[error->outcome].arm;
	default: return codes[error->outcome].v1;
	}
}

/* Where ARM's bodies have what the configuration calls `field`. */
static const char *arm_field(const char *field)
{
	static const struct {
		const char *key, *path;
	} fields[] = {
		{"domain_name_label", "properties.dnsSettings.domainNameLabel"},
		{"reverse_fqdn", "properties.dnsSettings.reverseFqdn"},
		{"region", "location"},
		{"address", "properties.ipAddress"},
		{"allocation", "properties.publicIPAllocationMethod"},
	};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (strcmp(fields[i].key, field) == 0)
			return fields[i].path;
	return field;
}

void api_fail_change(struct api_request *request, const struct change_error *error)
{
	const char *code = api_change_code(error, request->shape);
	unsigned status = change_http_status(error->outcome);
	const char *text = *error->text ? error->text : err_text(ERR_NOMEM);
	if (!*error->field)
		api_fail(request, status, code, "%s", text);
	else if (request->shape == API_ARM)
		api_fail_at(request, status, code, arm_field(error->field), "%s: %s",
			    arm_field(error->field), text);
	else if (request->shape == API_V2) /* which has no member for the field */
		api_fail(request, status, code, "%s: %s",
			 strcmp(error->field, "reverse_fqdn") == 0 ? "ptrdname" : error->field,
			 text);
	else
		api_fail_at(request, status, code, error->field, "%s", text);
}

bool api_all_not_modified(struct api_request *request)
{
	char etag[ETAG_MAX];
	return api_not_modified(request, inventory_etag(api_inventory(request), etag));
}

bool api_require_all(struct api_request *request)
{
	char etag[ETAG_MAX];
	struct change_error error;
	if (change_precondition(inventory_etag(api_inventory(request), etag), request->if_match,
				request->if_none_match, &error) == 0)
		return true;
	api_fail_change(request, &error);
	return false;
}

struct change *api_change_begin(struct api_request *request, const struct owner *owner, int *err)
{
	struct change *change = change_begin(api_inventory(request));
	*err = change ? change_require(change, owner, request->if_match, request->if_none_match)
		      : ERR_NOMEM;
	return change;
}

bool api_change_end(struct api_request *request, struct change *change, int err,
		    const struct change_error *error)
{
	if (err == 0)
		err = change_commit(change);
	if (err != 0)
		api_fail_change(request, error && error->outcome != CHANGE_FINE
						 ? error
						 : change_error(change));
	change_free(change);
	return err == 0;
}

char *api_owner_text(const struct owner *owner, char text[API_OWNER_TEXT_MAX])
{
	char address[ADDRESS_TEXT_MAX];
	snprintf(text, API_OWNER_TEXT_MAX, "%s %s, %s, %s%s",
		 owner->kind == OWNER_SERVICE ? "service" : "address", owner->name,
		 address_print(&owner->address, address), owner->ptr.fqdn ? "PTR " : "no PTR",
		 owner->ptr.fqdn ? owner->ptr.fqdn : "");
	return text;
}

void api_log_change(const struct api_request *request, const char *what, const char *owner_text)
{
	log_event(LOG_INFO, "change", "%s by %s: %s", what, request->client, owner_text);
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
		log_event(LOG_WARNING, "reverse", "a PTR that mail servers will not trust: %s",
			  warning);
	if (forward->on_known)
		forward->on_known(forward->context, warning);
	json_decref(report);
	free(forward);
}

const char *api_own_network(const struct model *model, const struct address *address)
{
	const struct virtual_network *network = model_network_of(model, address);
	return network ? network->name : NULL;
}

void api_check_forward(struct control *control, const struct owner *owner,
		       void (*on_known)(void *context, const char *warning), void *context)
{
	struct forward *forward = owner->ptr.fqdn ? malloc(sizeof *forward) : NULL;
	const struct model *model = inventory_model(control->inventory);
	const char *network = model->reverse.resolve_in;
	const struct reverse_question question = {
		.address = owner->address,
		.name = owner->ptr.fqdn,
		.network = network ? network : api_own_network(model, &owner->address),
	};
	if (forward) {
		*forward = (struct forward){on_known, context};
		if (reverse_check(&control->server, &question, on_forward, forward) == 0)
			return;
	}
	free(forward);
	if (on_known)
		on_known(context, NULL);
}
