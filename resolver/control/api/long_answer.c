#include "resolver/control/api/long_answer.h"

#include <stdlib.h>

#include "resolver/control/service/service.h"
#include "rules/base.h"

static struct api_long_answer *answer_of(struct work_reading *reading)
{
	return container_of(reading, struct api_long_answer, reading);
}

static void end(struct api_long_answer *answer)
{
	resources_copy_free(answer->resources);
	free(answer->text);
	answer->free(answer);
}

static bool on_begin(struct work_reading *reading)
{
	struct api_long_answer *answer = answer_of(reading);
	bool goes_on = api_still_may(answer->request);

	if (goes_on && !answer->needs_no_view) {
		answer->resources = resources_copy(answer->request->service->resources, STORE_VIEW);
		goes_on = answer->resources;
		if (!goes_on)
			api_fail_memory(answer->request);
	}
	if (goes_on && answer->prepare)
		goes_on = answer->prepare(answer);
	if (!goes_on)
		end(answer);
	return goes_on;
}

static void in_thread(struct work_reading *reading)
{
	struct api_long_answer *answer = answer_of(reading);

	answer->text = answer->write(answer, &answer->length);
}

static void on_done(struct work_reading *reading, bool given_up)
{
	struct api_long_answer *answer = answer_of(reading);
	const char *trouble = answer->resources ? resources_trouble(answer->resources) : NULL;

	if (given_up) {
		api_fail_ending(answer->request);
	} else if (!api_still_may(answer->request)) {
		end(answer);
		return;
	} else if (trouble || *answer->why) {
		api_fail(answer->request, 503, "store_failed", "%s",
			 trouble ? trouble : answer->why);
	} else if (answer->text) {
		api_reply_text(answer->request, 200, answer->type, answer->text, answer->length);
		answer->text = NULL;
	} else {
		api_fail_memory(answer->request);
	}
	end(answer);
}

void api_answer_long(struct api_long_answer *answer)
{
	answer->reading = (struct work_reading){.client = answer->request->client,
						.on_begin = on_begin,
						.in_thread = in_thread,
						.on_done = on_done};
	work_read(&answer->request->service->work, &answer->reading);
}
