/* /v1: addresses, cloud services and PTRs, by the configuration's own words (reverse_json.h).
 *
 *     GET          one, all; a check
 *     PUT, PATCH   api_v1_store.c
 *     DELETE       with its PTR
 *
 * A group of "-" in a path is none. */
#include "resolver/control/api_v1_reverse.h"
#include "resolver/control/api_reverse.h"
#include "resolver/control/control.h"
#include "resolver/control/json.h"
#include "resolver/control/reverse_check.h"
#include "resolver/control/reverse_json.h"

/* ---- answers ---- */

void api_v1_answer(struct api_request *request, const struct owner *owner, show_owner *show)
{
	char etag[ETAG_MAX];
	if (!owner)
		api_fail(request, 404, "not_found",
			 "there is no such thing here; GET the path one level up to see what is");
	else
		api_reply_json(request, 200, show(owner), owner_etag(owner, etag));
}

/* ---- which ---- */

const struct owner *api_v1_address(const struct api_request *request)
{
	return inventory_address(api_inventory(request), api_group(request),
				 api_parameter(request, "name"));
}

const struct owner *api_v1_service(const struct api_request *request)
{
	return inventory_service(api_inventory(request), api_parameter(request, "name"));
}

const struct owner *api_v1_ptr(const struct api_request *request)
{
	return api_find_ptr(api_inventory(request), api_parameter(request, "id"));
}

/* ---- removing ---- */

static void remove_owner(struct api_request *request, const struct owner *owner,
			 int (*edit)(struct change *change, const struct owner *owner))
{
	char text[API_OWNER_TEXT_MAX];
	if (!owner) {
		api_v1_answer(request, NULL, owner_json);
		return;
	}
	api_owner_text(owner, text);
	int err;
	struct change *change = api_change_begin(request, owner, &err);
	if (err == 0)
		err = edit(change, owner);
	if (!api_change_end(request, change, err, NULL))
		return;
	api_log_change(request, edit == change_remove ? "removed" : "PTR removed", text);
	api_reply_empty(request, 204);
}

/* ---- addresses and services ---- */

void api_address_show(struct api_request *request)
{
	api_v1_answer(request, api_v1_address(request), owner_json);
}

void api_address_delete(struct api_request *request)
{
	remove_owner(request, api_v1_address(request), change_remove);
}

void api_service_show(struct api_request *request)
{
	api_v1_answer(request, api_v1_service(request), owner_json);
}

void api_service_delete(struct api_request *request)
{
	remove_owner(request, api_v1_service(request), change_remove);
}

/* ---- PTRs ---- */

void api_ptr_show(struct api_request *request)
{
	api_v1_answer(request, api_v1_ptr(request), owner_ptr_json);
}

void api_ptr_delete(struct api_request *request)
{
	remove_owner(request, api_v1_ptr(request), change_ptr_unset);
}

/* ---- the check of any address or name ---- */

static void on_checked(void *context, enum reverse_result result, json_t *report)
{
	(void)result; /* is in the report */
	api_reply_json(context, 200, report, NULL);
}

/* GET /v1/check?subject=ADDRESS|NAME[&network=NETWORK] */
void api_check(struct api_request *request)
{
	const char *subject = api_query(request, "subject");
	const char *network = api_query(request, "network");
	struct reverse_question question = {.network = network};
	if (!subject || !*subject) {
		api_fail_at(request, 400, "invalid", "subject",
			    "it is missing; give an address or a name: /v1/check?subject=...");
		return;
	}
	if (network && !model_network(inventory_model(api_inventory(request)), network)) {
		api_fail_at(request, 400, "invalid", "network",
			    "there is no virtual network \"%s\"", network);
		return;
	}
	if (address_parse(&question.address, subject) != 0) {
		question.address.family = 0;
		question.name = subject;
	}
	int err = reverse_check(&request->control->server, &question, on_checked, request);
	if (err == ERR_INVALID)
		api_fail_at(request, 400, "invalid", "subject",
			    "\"%s\" is neither an address nor a domain name", subject);
	else if (err != 0)
		api_fail_memory(request);
}
