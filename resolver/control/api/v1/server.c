/* The running program itself: status, names, flush. */
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/observe/plan.h"
#include "resolver/control/observe/rule_statistics.h"
#include "resolver/control/observe/status.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/text.h"

/* GET /healthz: the control thread runs. */
void api_health(struct api_request *request)
{
	api_reply_json(request, 200, json_make("{s:s}", "status", "ok"), NULL);
}

/* GET /v1/server: {"server", "version"}, for the login page; nothing else, because the request
 * needs no credentials. */
void api_server(struct api_request *request)
{
	char name[STATUS_SERVER_MAX];

	status_server_name(request->service->server.model, name);
	api_reply_json(
		request, 200,
		json_make("{s:o, s:s}", "server", json_text(name), "version", SLUICE_VERSION),
		NULL);
}

/* GET /v1/status: the report of status.h. */
void api_status(struct api_request *request)
{
	const struct login_counts logins = api_login_counts(request);
	json_t *status = status_report(request->service, request->role != ROLE_ADMIN);
	json_put(status, "logins",
		 json_make("{s:I, s:I}", "failed", (json_int_t)logins.failed, "refused",
			   (json_int_t)logins.refused));
	json_put(status, "ok", json_true());
	api_reply_json(request, 200, status, NULL);
}

/* Reads the body of a flush. False: it is wrong, and the request has been answered. */
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

/* POST /v1/flush {"name", "suffix"}: {"ok", "entries"}; without a name, flushes everything. */
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
		  (unsigned long long)entries, text_plural(entries, "entry", "entries"),
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

struct names {
	struct api_request *request;
	struct json_writer writer;
};

static void on_name(void *context, json_t *question)
{
	struct names *names = context;

	json_writer_row(&names->writer, question);
}

static char *names_end(struct names *names, size_t *length)
{
	char *text = json_writer_end(&names->writer, length);

	free(names);
	return text;
}

static void on_names(void *context, bool whole)
{
	struct names *names = context;
	struct api_request *request = names->request;
	size_t length;
	char *text;

	fputs("]}", names->writer.out);
	text = names_end(names, &length);
	if (!api_still_may(request)) {
		free(text);
		return;
	}
	if (whole && text) {
		api_reply_text(request, 200, NULL, text, length);
		return;
	}
	free(text);
	if (request->service->ending)
		api_fail_ending(request);
	else
		api_fail_memory(request);
}

static struct names *names_new(struct api_request *request)
{
	struct names *names = calloc(1, sizeof *names);

	if (!names)
		return NULL;
	names->request = request;
	if (json_writer_begin(&names->writer, ",", JSON_COMPACT | JSON_DECIMAL)) {
		json_writer_list(&names->writer, "{\"names\":[");
		return names;
	}
	free(names);
	return NULL;
}

/* GET /v1/names?limit=: the names that are queried most (observe/plan.h). */
void api_names(struct api_request *request)
{
	struct plan_reader reader = {on_name, on_names, NULL};
	struct names *names;
	size_t limit, length;
	int err;

	if (!api_v1_limit(request, &limit) || !api_v1_is_serving(request))
		return;
	reader.context = names = names_new(request);
	err = names ? plan_begin(request->service, limit, &reader) : ERR_NOMEM;
	if (err && names)
		free(names_end(names, &length));
	if (err == ERR_NOMEM)
		api_fail_memory(request);
	else if (err)
		api_fail_ending(request);
}

/* GET /v1/statistics/rules?limit=&marker=: the statistics of observe/rule_statistics.h; `next` is
 * the path of the next page. */
void api_rule_statistics(struct api_request *request)
{
	const char *after = api_query(request, "marker");
	json_t *statistics;
	const char *next;
	size_t limit;

	if (!api_v1_limit(request, &limit) || !api_v1_is_serving(request))
		return;
	statistics = rule_statistics(request->service, after ? after : "", limit);
	next = json_string_value(json_object_get(statistics, "next"));
	if (next)
		json_put(statistics, "next", api_next_page(request, "marker", next));
	if (statistics)
		api_reply_json(request, 200, statistics, NULL);
	else
		api_fail_memory(request);
}
