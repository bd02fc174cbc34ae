/* GET /v1/explain: the decision about a query, made here at once; with ask=1, a worker resolves the
 * query, and the answer waits for the result. */
#include "resolver/control/observe/explain.h"
#include "resolver/control/api/asking.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/regular_file.h"
#include "resolver/control/observe/status.h"
#include "resolver/control/service/service.h"

static void add_changed(json_t *changed, const struct model_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (file_stamp_number_of(files[i].path) != files[i].stamp)
			json_add(changed, json_text(files[i].path));
}

static void add_source(json_t *explained, const struct service *service, const json_t *status)
{
	const struct model *declared = model_declared(service->server.model);
	json_t *changed = json_array();

	add_changed(changed, declared->files.items, declared->files.count);
	add_changed(changed, declared->zone_files.items, declared->zone_files.count);
	json_put(explained, "source",
		 json_make("{s:s, s:o, s:o, s:O?}", "from", "server", "config",
			   json_text(service->config_path), "changed", changed, "went_back",
			   json_object_get(json_object_get(status, "went_back"), "text")));
}

static void reply_explained(struct api_request *request, json_t *explained)
{
	struct service *service = request->service;
	const struct policy *policy = service->server.current->policy;
	const struct explain_registry registry = {
		service->server.model, policy,
		policy->registered->count > 0 ? resources_store(service->resources)->source : NULL};
	json_t *status = status_report(service, request->role != ROLE_ADMIN);

	explain_add_health(explained, json_object_get(status, "targets"));
	explain_add_made(explained, service->server.model);
	explain_add_registered(explained, &registry);
	add_source(explained, service, status);
	json_decref(status);
	api_reply_json(request, 200, explained, NULL);
}

static void on_resolved(void *context, json_t *explained, const char *trouble)
{
	struct api_request *request = context;

	api_asking_end(request);
	if (request->service->ending) {
		json_decref(explained);
		api_fail_ending(request);
	} else if (!api_still_may(request)) {
		json_decref(explained);
	} else if (trouble) {
		api_fail(request, 503, NULL, "%s", trouble);
	} else {
		reply_explained(request, explained);
	}
}

static void fail_explain(struct api_request *request, int err, const char *error)
{
	unsigned status = err == ERR_NOT_FOUND ? 404 : err == ERR_INVALID ? 400 : 503;

	api_fail(request, status, NULL, "%s", error);
}

static void ask(struct api_request *request, const struct explain_question *question)
{
	struct service *service = request->service;
	char error[EXPLAIN_ERROR_MAX];

	if (!api_asking_begin(request))
		return;
	int err = explain_resolve(&service->server, question, on_resolved, request, error);
	if (err == 0)
		return;
	api_asking_end(request);
	fail_explain(request, err, error);
}

/* GET /v1/explain?name=&type=&vnet=&endpoint=&from= (`vnet` excludes the two after it): explains
 * (explain.h) the decision by what is served now, with its targets' health; with &ask=1 also the
 * result of the query. */
void api_explain(struct api_request *request)
{
	struct service *service = request->service;
	char error[EXPLAIN_ERROR_MAX];
	struct explain_question question;
	struct explain_texts texts = {.dash = "",
				      .name = api_query(request, "name"),
				      .type = api_query(request, "type"),
				      .vnet = api_query(request, "vnet"),
				      .endpoint = api_query(request, "endpoint"),
				      .from = api_query(request, "from")};
	bool asks;
	if (!api_v1_is_serving(request) || !api_query_flag(request, "ask", &asks))
		return;
	if (!texts.name) {
		api_fail_at(request, 400, NULL, "name", "the query has no name: add ?name=");
		return;
	}
	int err = explain_question_read(&question, &texts, &service->server.key, error);
	if (err == 0 && asks) {
		ask(request, &question);
		return;
	}
	json_t *explained =
		err == 0 ? explain_decide(service->server.current->policy, &question, &err, error)
			 : NULL;
	if (err == 0)
		reply_explained(request, explained);
	else
		fail_explain(request, err, error);
}
