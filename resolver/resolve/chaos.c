/* What a server says about itself in class CH: its version, and which server it is (RFC 4892). The
 * policy says how much of that it gives away: a text that it does not set is not told, and a name
 * without a text is like any other.
 *
 * Not here: NSID, which carries the same identity in an OPT (endpoints/message_write.c). */
#include "resolver/resolve/chaos.h"
#include "rules/base.h"

#include <string.h>

static const struct chaos_name {
	const char *name; /* wire form */
	size_t length;
	bool version;
} identities[] = {
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
	for (size_t i = 0; i < COUNT(identities); i++) {
		const struct chaos_name *identity = &identities[i];
		const char *text = identity->version ? policy->version : policy->server;

		if (!text || name->length != identity->length ||
		    memcmp(name->wire, identity->name, identity->length) != 0)
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
