/* The running program itself: status, explain, flush. */
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/observe/explain.h"
#include "resolver/control/observe/plan.h"
#include "resolver/control/observe/status.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"

/* GET /healthz: the control thread runs. */
void api_health(struct api_request *request)
{
	api_reply_json(request, 200, json_make("{s:s}", "status", "ok"), NULL);
}

/* GET /readyz: DNS is answered. */
void api_ready(struct api_request *request)
{
	const struct server *server = &request->service->server;
	if (server->current)
		api_reply_json(request, 200,
			       json_make("{s:s, s:I}", "status", "ready", "generation",
					 (json_int_t)server->generation),
			       NULL);
	else
		api_fail(request, 503, NULL, "nothing is served yet");
}

/* GET /v1/status: as status.h has it. */
void api_status(struct api_request *request)
{
	const struct login_counts logins = api_login_counts(request);
	json_t *status = status_report(request->service);
	json_put(status, "logins",
		 json_make("{s:I, s:I}", "failed", (json_int_t)logins.failed, "refused",
			   (json_int_t)logins.refused));
	json_put(status, "ok", json_true());
	api_reply_json(request, 200, status, NULL);
}

/* The body of a flush. False: it has been answered. */
static bool read_flush(struct api_request *request, const char **name, bool *below)
{
	const json_t *name_value = json_object_get(request->body, "name");
	const json_t *suffix_value = json_object_get(request->body, "suffix");
	*name = json_string_value(name_value);
	*below = json_is_true(suffix_value);
	if (request->body && !json_is_object(request->body))
		api_fail(request, 400, NULL, "the body must be an object");
	else if (name_value && !*name)
		api_fail_at(request, 400, NULL, "name", "must be a string");
	else if (suffix_value && !json_is_boolean(suffix_value))
		api_fail_at(request, 400, NULL, "suffix", "must be true or false");
	else if (*below && !*name)
		api_fail_at(request, 400, NULL, "suffix", "needs a name beside it");
	else
		return true;
	return false;
}

/* POST /v1/flush {"name", "suffix"}: {"ok", "entries"}; without a name, everything. */
void api_flush(struct api_request *request)
{
	struct server *server = &request->service->server;
	char text[NAME_TEXT_MAX];
	const char *wanted;
	bool below;
	struct name name;
	if (!read_flush(request, &wanted, &below))
		return;
	if (wanted && name_from_text(&name, &server->key, wanted) != 0) {
		api_fail_at(request, 400, NULL, "name", "must be a domain name");
		return;
	}
	uint64_t entries = cache_flush(server->cache, wanted ? &name : NULL, below);
	log_event(LOG_INFO, "flush", "%llu %s dropped from the cache: %s%s",
		  (unsigned long long)entries, entries == 1 ? "entry" : "entries",
		  !wanted ? "everything" : name_to_text(&name, text),
		  below ? " and what is below it" : "");
	api_reply_json(request, 200,
		       json_make("{s:b, s:I}", "ok", 1, "entries", (json_int_t)entries), NULL);
}

bool api_v1_is_serving(struct api_request *request)
{
	if (request->service->server.current)
		return true;
	api_fail(request, 503, NULL, "nothing is served yet");
	return false;
}

/* GET /v1/names?limit=: those asked for most, as observe/plan.h has them. */
void api_names(struct api_request *request)
{
	static const char *const known[] = {"limit", NULL};
	json_t *questions;
	size_t limit;

	if (!resource_check_query(request, known) || !api_v1_limit(request, &limit) ||
	    !api_v1_is_serving(request))
		return;
	questions = plan_questions(&request->service->server, limit);
	if (questions)
		api_reply_json(request, 200, json_make("{s:o}", "names", questions), NULL);
	else
		api_fail_memory(request);
}

/* ---- explain ---- */

static void reply_explained(struct api_request *request, json_t *explained)
{
	struct service *service = request->service;
	json_t *status = status_report(service);

	explain_add_health(explained, json_object_get(status, "targets"));
	json_decref(status);
	explain_add_made(explained, service->server.model);
	api_reply_json(request, 200, explained, NULL);
}

static void on_resolved(void *context, json_t *explained, const char *trouble)
{
	struct api_request *request = context;

	request->service->asking.open--;
	if (request->service->ending) {
		json_decref(explained);
		api_fail_ending(request);
	} else if (explained) {
		reply_explained(request, explained);
	} else {
		api_fail(request, 503, NULL, "%s", trouble);
	}
}

/* So many at once, and so many begun in a second, of all clients together: asking makes the server
 * send packets. */
static bool may_ask(struct service *service)
{
	enum { OPEN_MAX = 16, SECOND_MAX = 20 };
	uint64_t second = uv_hrtime() / 1000000000;

	if (service->asking.second != second)
		service->asking.begun = 0;
	service->asking.second = second;
	if (service->asking.open == OPEN_MAX || service->asking.begun == SECOND_MAX)
		return false;
	service->asking.open++;
	service->asking.begun++;
	return true;
}

/* ?ask=1. False: it is neither that nor 0, which has been answered. */
static bool read_ask(struct api_request *request, bool *asks)
{
	const char *text = api_query(request, "ask");

	*asks = text && strcmp(text, "1") == 0;
	if (*asks || !text || strcmp(text, "0") == 0)
		return true;
	api_fail_at(request, 400, NULL, "ask",
		    "\"%.32s\" does not fit; give 1 to ask, 0 to only decide", text);
	return false;
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

	if (!may_ask(service)) {
		api_answer_header(request, "Retry-After", "1");
		api_fail(request, 429, NULL, "too many ask at once; try again in a second");
		return;
	}
	int err = explain_resolve(&service->server, question, on_resolved, request, error);
	if (err == 0)
		return;
	service->asking.open--;
	fail_explain(request, err, error);
}

/* GET /v1/explain?name=&type=&vnet= | &endpoint= | &from=: as explain.h has it, of what is served
 * now, with its targets' health; with &ask=1 what comes of it when it is asked. */
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
	if (!api_v1_is_serving(request) || !read_ask(request, &asks))
		return;
	if (!texts.name) {
		api_fail_at(request, 400, NULL, "name", "the query has no name: add ?name=");
		return;
	}
	int err = explain_read(&question, &texts, &service->server.key, error);
	if (err == 0 && asks) {
		ask(request, &question);
		return;
	}
	json_t *explained =
		err == 0 ? explain_ask(service->server.current->policy, &question, &err, error)
			 : NULL;
	if (err == 0)
		reply_explained(request, explained);
	else
		fail_explain(request, err, error);
}
