/* The running program itself: how it is, what it would answer, and what it is told to do. */
#include "resolver/control/api_internal.h"
#include "resolver/control/api_routes.h"
#include "resolver/control/control.h"
#include "resolver/control/explain_ask.h"
#include "resolver/control/json.h"
#include "resolver/control/report.h"
#include "resolver/control/status.h"
#include "resolver/control/status_zones.h"
#include "resolver/log.h"

/* GET /healthz: this thread works. */
void api_health(struct api_request *request)
{
	api_reply_json(request, 200, json_make("{s:s}", "status", "ok"), NULL);
}

/* GET /readyz: DNS is answered. */
void api_ready(struct api_request *request)
{
	const struct server *server = &request->control->server;
	if (server->current)
		api_reply_json(request, 200,
			       json_make("{s:s, s:I}", "status", "ready", "generation",
					 (json_int_t)server->generation),
			       NULL);
	else
		api_fail(request, 503, NULL, "nothing is served yet");
}

/* What takes longer and is under way. */
static json_t *work_json(const struct work *work)
{
	if (!work->busy)
		return json_null();
	return json_make("{s:o}", "percent",
			 work->percent < 0 ? json_null() : json_integer(work->percent));
}

/* GET /v1/status: as status.h has it. */
void api_status(struct api_request *request)
{
	struct control *control = request->control;
	const struct guard_counts logins = http_auth_counts(control->api.auth);
	json_t *status = status_report(&control->server, control->inventory, control->config_path,
				       &control->clock);
	json_put(status, "logins",
		 json_make("{s:I, s:I}", "failed", (json_int_t)logins.failed, "refused",
			   (json_int_t)logins.refused));
	status_add_zones(status, &control->server, control->notify);
	json_put(status, "work", work_json(&control->work));
	json_put(status, "ok", json_true());
	api_reply_json(request, 200, status, NULL);
}

/* POST /v1/reload: {"ok", "text", "generation", "faults"}, with 422 and an "error" beside them when
 * the configuration has faults and nothing has moved. */
void api_reload(struct api_request *request)
{
	struct control *control = request->control;
	char text[CONTROL_TEXT_MAX] = "", count[REPORT_TEXT_MAX];
	struct faults faults;
	faults_init(&faults);
	bool fine = control_reload(control, &faults, text) == 0;
	json_t *answer =
		json_make("{s:b, s:o, s:I, s:o}", "ok", fine, "text", json_text(text), "generation",
			  (json_int_t)control->server.generation, "faults", report_faults(&faults));
	if (!fine)
		json_put(answer, "error",
			 json_make("{s:s, s:o, s:n}", "code", "configuration_faults", "message",
				   json_text(report_faults_text(&faults, count)), "path"));
	faults_release(&faults);
	api_reply_json(request, fine ? 200 : 422, answer, NULL);
}

/* The body of a flush. False: it has been answered. */
static bool read_flush(struct api_request *request, const char **name, bool *below)
{
	const json_t *name_value = json_object_get(request->body, "name");
	const json_t *suffix_value = json_object_get(request->body, "suffix");
	*name = json_string_value(name_value);
	*below = json_is_true(suffix_value);
	if (request->body && !json_is_object(request->body))
		api_fail(request, 400, NULL, "the body is not an object");
	else if (name_value && !*name)
		api_fail_at(request, 400, NULL, "name", "it is not a string");
	else if (suffix_value && !json_is_boolean(suffix_value))
		api_fail_at(request, 400, NULL, "suffix", "it is neither true nor false");
	else if (*below && !*name)
		api_fail_at(request, 400, NULL, "suffix", "it takes a name");
	else
		return true;
	return false;
}

/* POST /v1/flush {"name", "suffix"}: {"ok", "entries"}; without a name, everything. */
void api_flush(struct api_request *request)
{
	struct server *server = &request->control->server;
	char text[NAME_TEXT_MAX];
	const char *wanted;
	bool below;
	struct name name;
	if (!read_flush(request, &wanted, &below))
		return;
	if (wanted && name_from_text(&name, &server->key, wanted) != 0) {
		api_fail_at(request, 400, NULL, "name", "that is not a domain name");
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

/* POST /v1/upgrade {"binary"}: {"pid"} of the one that serves instead; 409 and why, where this one
 * goes on. Only on the unix socket, where the kernel says who asks. */
void api_upgrade(struct api_request *request)
{
	const struct api_call *call = (const struct api_call *)request;
	const char *program = json_string_value(json_object_get(request->body, "binary"));
	const char *why;
	if (call->http->origin != HTTP_UNIX) {
		api_fail(request, 403, NULL, "an upgrade begins on the control socket only");
		return;
	}
	if (!program || *program != '/') {
		api_fail_at(request, 400, NULL, "binary", "give the new program's absolute path");
		return;
	}
	if (control_upgrade(request->control, program, request, &why) != 0)
		api_fail(request, 409, NULL, "%s", why);
}

/* GET /v1/explain?name=&type=&vnet= | &endpoint= | &from=: as explain.h has it, of what is served
 * now, with its targets' health. */
void api_explain(struct api_request *request)
{
	struct control *control = request->control;
	char error[EXPLAIN_ERROR_MAX];
	struct explain_question question;
	struct explain_texts texts = {.dash = "",
				      .name = api_query(request, "name"),
				      .type = api_query(request, "type"),
				      .vnet = api_query(request, "vnet"),
				      .endpoint = api_query(request, "endpoint"),
				      .from = api_query(request, "from")};
	if (!control->server.current) {
		api_fail(request, 503, NULL, "nothing is served yet");
		return;
	}
	if (!texts.name) {
		api_fail_at(request, 400, NULL, "name", "what is to be explained? say ?name=");
		return;
	}
	int err = explain_read(&question, &texts, &control->server.key, error);
	json_t *explained =
		err == 0 ? explain_ask(control->server.current->policy, &question, &err, error)
			 : NULL;
	if (err != 0) {
		api_fail(request, err == ERR_NOT_FOUND ? 404 : 400, NULL, "%s", error);
		return;
	}
	json_t *status = status_report(&control->server, control->inventory, control->config_path,
				       &control->clock);
	explain_add_health(explained, json_object_get(status, "targets"));
	json_decref(status);
	api_reply_json(request, 200, explained, NULL);
}
