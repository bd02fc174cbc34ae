/* A long answer that is put together in portions, as text: a tree of JSON of the whole would have
 * to be made, printed and freed at once. A failure shows in the end. */
#ifndef SLUICE_API_TEXT_H
#define SLUICE_API_TEXT_H

#include <jansson.h>

#include "resolver/control/api/api.h"

struct api_text {
	char *bytes;
	size_t length, room;
	bool failed;
};

/* room: how long it will be, about, so that it is not copied as it grows. */
void api_text_init(struct api_text *text, size_t room);
void api_text_release(struct api_text *text);
void api_text_put(struct api_text *text, const char *string);
/* Takes the value over, which json_whole looks at. */
void api_text_put_json(struct api_text *text, json_t *value);
/* Answers with it, or that there is no memory; it is released. */
void api_text_reply(struct api_text *text, struct api_request *request);

#endif
