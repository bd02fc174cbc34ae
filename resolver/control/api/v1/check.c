/* GET /v1/check?subject=ADDRESS|NAME[&network=NETWORK]: does an address's PTR, or a name, lead back
 * to itself (reverse_check.h)? */
#include "resolver/control/api/asking.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/resource/reverse_check.h"
#include "resolver/control/service/service.h"
#include "rules/schema/reference.h"

static void on_checked(void *context, enum reverse_result result, json_t *report)
{
	(void)result; /* the report has it */
	api_asking_end(context);
	if (api_still_may(context))
		api_reply_json(context, 200, report, NULL);
	else
		json_decref(report);
}

void api_check(struct api_request *request)
{
	const struct model *model = resources_model(api_resources(request));
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
	if (!api_asking_begin(request))
		return;
	int err = reverse_check(&request->service->server, &question, on_checked, request);
	if (err == 0)
		return;
	api_asking_end(request);
	if (err == ERR_INVALID)
		api_fail_at(request, 400, "invalid", "subject",
			    "\"%s\" is neither an address nor a domain name", subject);
	else
		api_fail_memory(request);
}
