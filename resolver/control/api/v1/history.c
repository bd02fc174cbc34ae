/* GET /v1/history?span=minute|hour|week: what was counted when, as observe/history.h has it. */
#include "resolver/control/observe/history.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/service.h"

/* False: there is none of that name, which has been answered. */
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

void api_history_show(struct api_request *request)
{
	static const char *const known[] = {"span", NULL};
	const struct history *history = api_history(request);
	struct wall_clock *clock = &request->service->clock;
	enum history_span span;
	json_t *from;
	char *text = NULL;
	size_t length;

	if (!resource_check_query(request, known) || !read_span(request, &span))
		return;
	if (!history) {
		api_fail(request, 503, NULL, "nothing is recorded now; ask again later");
		return;
	}
	wall_clock_adjust(clock);
	from = json_whole(json_time(wall_clock_s(clock, (uint64_t)history_from_us(history, span))));
	if (from)
		text = history_write(history, span, json_string_value(from), &length);
	json_decref(from);
	if (text)
		api_reply_text(request, NULL, text, length);
	else
		api_fail_memory(request);
}
