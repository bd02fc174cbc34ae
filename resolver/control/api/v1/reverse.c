/* /v1: addresses, cloud services and PTRs, by the configuration's own words (reverse_json.h).
 *
 *     GET          one, all; a check
 *     PUT, PATCH   v1/store.c
 *     DELETE       with its PTR
 *
 * A group of "-" in a path means no group. */
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/reverse_check.h"
#include "resolver/control/resource/reverse_json.h"
#include "resolver/control/service/service.h"
#include "rules/schema/reference.h"

/* ---- which ---- */

const struct owner *api_v1_address(const struct api_request *request)
{
	return inventory_address(api_inventory(request), api_group(request),
				 api_parameter(request, "name"));
}

bool api_v1_is_grouped_service(const struct api_request *request, enum api_v1_noun noun)
{
	const char *group = api_parameter(request, "group");

	return noun == API_V1_SERVICE && *group != '\0' && strcmp(group, GROUP_NONE) != 0;
}

const struct owner *api_v1_service(const struct api_request *request)
{
	return api_v1_is_grouped_service(request, API_V1_SERVICE)
		       ? NULL
		       : inventory_service(api_inventory(request), api_parameter(request, "name"));
}

const struct owner *api_v1_ptr(const struct api_request *request)
{
	return inventory_by_ptr(api_inventory(request), api_parameter(request, "id"));
}

/* ---- answers ---- */

json_t *api_v1_show(enum api_v1_noun noun, const struct owner *owner)
{
	return noun == API_V1_PTR ? owner_ptr_json(owner) : owner_json(owner);
}

void api_v1_miss(struct api_request *request, enum api_v1_noun noun)
{
	const char *group = noun == API_V1_ADDRESS ? api_group(request) : NULL;
	if (api_could_not_read(request))
		return;
	if (noun == API_V1_PTR)
		api_fail(request, 404, "not_found",
			 "\"%.80s\" is not an address or id that we own; add the address first",
			 api_parameter(request, "id"));
	else if (api_v1_is_grouped_service(request, noun))
		api_fail(request, 404, "not_found",
			 "a service is in no resource group; write \"-\", none, in place of "
			 "\"%.80s\"",
			 api_parameter(request, "group"));
	else if (noun == API_V1_SERVICE)
		api_fail(request, 404, "not_found",
			 "there is no cloud service \"%.80s\"; the list of services has all",
			 api_parameter(request, "name"));
	else
		api_fail(request, 404, "not_found",
			 "there is no address \"%.80s\" %s%.90s%s; the list of addresses has "
			 "all, with their groups",
			 api_parameter(request, "name"),
			 group ? "in the resource group \"" : "outside the resource groups",
			 group ? group : "", group ? "\"" : "");
}

static void show(struct api_request *request, const struct owner *owner, enum api_v1_noun noun)
{
	char etag[ETAG_MAX];
	if (!owner)
		api_v1_miss(request, noun);
	else
		api_reply_json(request, 200, api_v1_show(noun, owner), owner_etag(owner, etag));
}

/* ---- removing ---- */

bool api_v1_change_end(struct api_request *request, struct change *change, int err)
{
	if (err || !resource_is_rehearsal(request))
		return api_change_end(request, change, err, NULL);
	change_free(change);
	return true;
}

static void remove_owner(struct api_request *request, const struct owner *owner,
			 enum api_v1_noun noun)
{
	int (*const edit)(struct change *, const struct owner *) =
		noun == API_V1_PTR ? change_ptr_unset : change_remove;
	static const char *const known[] = {"dry_run", NULL};
	char text[API_OWNER_TEXT_MAX];
	if (!resource_check_change(request, known))
		return;
	if (!owner) {
		api_v1_miss(request, noun);
		return;
	}
	api_owner_text(owner, text);
	int err;
	struct change *change = api_change_begin(request, owner, &err);
	if (err == 0)
		err = edit(change, owner);
	if (!api_v1_change_end(request, change, err))
		return;
	if (!resource_is_rehearsal(request))
		api_log_change(request, noun == API_V1_PTR ? "PTR removed" : "removed", text);
	api_reply_empty(request, 204);
}

/* ---- addresses and services ---- */

void api_address_show(struct api_request *request)
{
	show(request, api_v1_address(request), API_V1_ADDRESS);
}

void api_address_delete(struct api_request *request)
{
	remove_owner(request, api_v1_address(request), API_V1_ADDRESS);
}

void api_service_show(struct api_request *request)
{
	show(request, api_v1_service(request), API_V1_SERVICE);
}

void api_service_delete(struct api_request *request)
{
	remove_owner(request, api_v1_service(request), API_V1_SERVICE);
}

/* ---- PTRs ---- */

void api_ptr_show(struct api_request *request)
{
	show(request, api_v1_ptr(request), API_V1_PTR);
}

void api_ptr_delete(struct api_request *request)
{
	remove_owner(request, api_v1_ptr(request), API_V1_PTR);
}

/* ---- the check of any address or name ---- */

static void on_checked(void *context, enum reverse_result result, json_t *report)
{
	(void)result; /* is in the report */
	if (api_still_may(context))
		api_reply_json(context, 200, report, NULL);
	else
		json_decref(report);
}

/* GET /v1/check?subject=ADDRESS|NAME[&network=NETWORK] */
void api_check(struct api_request *request)
{
	const struct model *model = inventory_model(api_inventory(request));
	const char *subject = api_query(request, "subject");
	const char *network = api_query(request, "network");
	struct reverse_question question = {.network = network};
	char why[REFERENCE_TEXT_MAX];
	if (!subject || !*subject) {
		api_fail_at(request, 400, "invalid", "subject",
			    "it is missing; give an address or a name: /v1/check?subject=...");
		return;
	}
	if (network && !model_network(model, NULL, network)) {
		api_fail_at(request, 400, "invalid", "network", "%s",
			    reference_refusal(model, REFERS_NETWORK, NULL, network, why));
		return;
	}
	if (address_parse(&question.address, subject) != 0) {
		question.address.family = 0;
		question.name = subject;
	} else if (!network) {
		question.network = api_own_network(model, &question.address);
	}
	int err = reverse_check(&request->service->server, &question, on_checked, request);
	if (err == ERR_INVALID)
		api_fail_at(request, 400, "invalid", "subject",
			    "\"%s\" is neither an address nor a domain name", subject);
	else if (err != 0)
		api_fail_memory(request);
}
