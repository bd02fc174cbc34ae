/* Version and server name from the policy; a name without a text is treated like any other. NSID,
 * which has the server's name in an OPT, is in message.h. */
#include "resolver/resolve/chaos.h"

#include <string.h>

#include "rules/base.h"

static const struct chaos_name {
	const char *name; /* wire form */
	size_t length;
	bool version;
} chaos_names[] = {
	{"\7version\4bind", 14, true},
	{"\7version\6server", 16, true},
	{"\2id\6server", 11, false},
	{"\10hostname\4bind", 15, false},
};

bool chaos_answer(struct message *message, const struct policy *policy, const struct name *name,
		  uint16_t type)
{
	uint8_t rdata[256];

	if (type != TYPE_TXT && type != TYPE_ANY)
		return false;
	for (size_t i = 0; i < COUNT(chaos_names); i++) {
		const struct chaos_name *known = &chaos_names[i];
		const char *text = known->version ? policy->version : policy->server;

		if (!text || name->length != known->length ||
		    memcmp(name->wire, known->name, known->length) != 0)
			continue;
		size_t length = strlen(text) < 255 ? strlen(text) : 255;
		rdata[0] = (uint8_t)length;
		memcpy(rdata + 1, text, length);
		message_add_record(message, SECTION_ANSWER, TYPE_TXT, CLASS_CH, 0, MESSAGE_HEADER,
				   NULL, rdata, length + 1);
		return true;
	}
	return false;
}
