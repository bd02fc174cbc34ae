#include "resolver/control/api/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/service/service.h"

void api_text_init(struct api_text *text, size_t room)
{
	assert(room > 0);
	*text = (struct api_text){.bytes = malloc(room), .room = room};
	text->failed = !text->bytes;
}

void api_text_release(struct api_text *text)
{
	free(text->bytes);
	*text = (struct api_text){.failed = true};
}

static int append(const char *bytes, size_t length, void *context)
{
	struct api_text *text = context;
	size_t room = text->room;
	if (text->failed)
		return -1;
	while (room - text->length < length)
		room *= 2;
	char *grown = room > text->room ? realloc(text->bytes, room) : text->bytes;
	if (!grown) {
		text->failed = true;
		return -1;
	}
	memcpy(grown + text->length, bytes, length);
	text->bytes = grown;
	text->room = room;
	text->length += length;
	return 0;
}

void api_text_put(struct api_text *text, const char *string)
{
	int err = append(string, strlen(string), text);
	(void)err; /* is noted in the text */
}

void api_text_put_json(struct api_text *text, json_t *value)
{
	value = json_whole(value);
	if (!value || json_dump_callback(value, append, text,
					 JSON_COMPACT | JSON_DECIMAL | JSON_ENCODE_ANY) != 0)
		text->failed = true;
	json_decref(value);
}

void api_text_reply(struct api_text *text, struct api_request *request)
{
	if (text->failed) {
		api_text_release(text);
		if (request->service->work.ending)
			api_fail_ending(request);
		else
			api_fail_memory(request);
		return;
	}
	api_reply_text(request, text->bytes, text->length);
	*text = (struct api_text){.failed = true};
}
