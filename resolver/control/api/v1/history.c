/* GET /v1/history?span=minute|hour|week: counters over time (observe/history.h). Answers are
 * written in portions, one request at a time, because each may take some megabytes. */
#include "resolver/control/observe/history.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/service.h"

struct showing {
	struct work_job job; /* first */
	struct api_request *request;
	enum history_span span;
	int64_t from_us;
	struct history_writer *writer; /* NULL: not begun, or failed */
};

/* False: there is no such span, and the request has been answered. */
static bool read_span(struct api_request *request, enum history_span *span)
{
	const char *text = api_query(request, "span");

	for (unsigned i = 0; i < HISTORY_SPANS; i++) {
		*span = text ? (enum history_span)i : HISTORY_HOUR;
		if (!text || strcmp(text, history_spans[i].name) == 0)
			return true;
	}
	api_fail_at(request, 400, "invalid", "span",
		    "\"%.32s\" does not fit; give minute, hour or week", text);
	return false;
}

static void fail_without_history(struct api_request *request)
{
	api_fail(request, 503, NULL, "nothing is recorded now; ask again later");
}

static void stop_writing(struct showing *showing)
{
	size_t length;

	free(history_writer_end(showing->writer, &length));
	showing->writer = NULL;
}

static void begin_writing(struct showing *showing, const struct history *history)
{
	struct wall_clock *clock = &showing->request->service->clock;
	json_t *from;

	stop_writing(showing);
	showing->from_us = history_from_us(history, showing->span);
	wall_clock_adjust(clock);
	from = json_whole(json_time(wall_clock_s(clock, (uint64_t)showing->from_us)));
	if (from)
		showing->writer =
			history_writer_new(history, showing->span, json_string_value(from));
	json_decref(from);
}

static bool on_portion(void *job)
{
	struct showing *showing = job;
	const struct history *history = api_history(showing->request);

	if (!history)
		return false;
	if (!showing->writer || history_from_us(history, showing->span) != showing->from_us)
		begin_writing(showing, history);
	return showing->writer && history_write_on(showing->writer);
}

static void on_end(void *job)
{
	struct showing *showing = job;
	struct api_request *request = showing->request;
	bool given_up = showing->job.given_up;
	size_t length = 0;
	char *text = history_writer_end(showing->writer, &length);

	free(showing);
	if (!api_still_may(request))
		free(text);
	else if (text)
		api_reply_text(request, 200, NULL, text, length);
	else if (given_up)
		api_fail_ending(request);
	else if (!api_history(request))
		fail_without_history(request);
	else
		api_fail_memory(request);
}

void api_history_show(struct api_request *request)
{
	struct showing *showing;
	enum history_span span;

	if (!read_span(request, &span))
		return;
	if (!api_history(request)) {
		fail_without_history(request);
		return;
	}
	showing = calloc(1, sizeof *showing);
	if (!showing) {
		api_fail_memory(request);
		return;
	}
	*showing = (struct showing){.job = {.large = true}, .request = request, .span = span};
	if (work_beside_in_portions(&request->service->work, &showing->job, on_portion, on_end))
		return;
	free(showing);
	api_fail_ending(request);
}
