/* GET /v1/queries: entries of the query log (query_log/query_entry.h).
 *
 *     ?suffix, client, network, rcode, slower_than_ms   filters; commas separate several values
 *     {"on": whether the configuration logs, "queries": the latest ?limit of those in memory that
 *      match, the oldest first}
 *
 * With "Accept: text/event-stream" a stream of new entries that match, even if the configuration
 * does not log; it ends after ?limit of them. */
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/http/stream.h"
#include "resolver/control/observe/query_log/query_log.h"
#include "resolver/control/service/service.h"

/* False: a filter is invalid, and the request has been answered. */
static bool read_filter(struct api_request *request, struct query_filter *filter)
{
	const struct model *model = request->service->server.model;
	char error[QUERY_FILTER_ERROR_MAX];
	int err = 0;

	for (size_t i = 0; query_filter_keys[i] && !err; i++) {
		const char *key = query_filter_keys[i], *value = api_query(request, key);

		err = value ? query_filter_add(filter, model, key, value, error) : 0;
		if (err == ERR_INVALID)
			api_fail_at(request, 400, "invalid", key, "%s", error);
		else if (err)
			api_fail_memory(request);
	}
	return !err;
}

static char *next(void *context, size_t *length)
{
	return query_follower_take(context, length);
}

static void release(void *context)
{
	query_follower_free(context);
}

/* Moves the filter into the stream, if that begins. */
static void answer_stream(struct api_request *request, struct query_filter *filter)
{
	struct http_stream_source source = {.next = next, .release = release};
	struct query_follower *follower;

	if (!api_v1_stream_limit(request, &source.limit))
		return;
	source.context = follower = query_log_follow(request->service->query_log, filter);
	if (follower)
		api_reply_stream(request, &source);
	else
		api_fail_memory(request);
}

static void answer_latest(struct api_request *request, const struct query_filter *filter)
{
	struct query_log *log = request->service->query_log;
	size_t limit;

	if (!api_v1_limit(request, &limit))
		return;
	api_reply_json(request, 200,
		       json_make("{s:b, s:o}", "on", query_log_is_on(log), "queries",
				 query_log_latest(log, filter, limit)),
		       NULL);
}

void api_queries(struct api_request *request)
{
	struct query_filter filter = {.suffixes = NULL};

	if (!request->service->query_log) {
		api_fail(request, 503, NULL, "nothing is served yet");
		return;
	}
	if (read_filter(request, &filter)) {
		if (api_accepts(request, "text/event-stream"))
			answer_stream(request, &filter);
		else
			answer_latest(request, &filter);
	}
	query_filter_release(&filter);
}
