/* An answered query as dnstap (https://dnstap.info): a message CLIENT_RESPONSE with the question
 * and the reply where the record has it (CLIENT_QUERY where it was dropped), and what decided it:
 * in `policy` by its name, and in `extra` all that the query log knows, as the JSON of
 * query_entry.h. dnstap.proto has the messages, of which protoc-c makes C when sluice is built. */
#ifndef SLUICE_DNSTAP_H
#define SLUICE_DNSTAP_H

#include <stddef.h>
#include <stdint.h>

#include "resolver/control/observe/query_log/query_entry.h"

#define DNSTAP_CONTENT_TYPE "protobuf:dnstap.Dnstap"

enum {
	DNSTAP_IDENTITY_MAX = 255,
	DNSTAP_RULE_MAX = NAME_TEXT_MAX + 128, /* RULESET/RULE, or a zone's name */
	DNSTAP_OTHER_MAX = 2560,               /* all but the reply and the JSON */
	DNSTAP_MAX = QUERY_RING_MESSAGE_MAX + QUERY_ENTRY_TEXT_MAX + DNSTAP_OTHER_MAX,
};

/* identity: this server's, cut where it is longer than DNSTAP_IDENTITY_MAX; NULL: none. Returns
 * the length. */
size_t dnstap_write(const struct query_entry *entry, const char *json, size_t json_length,
		    const char *identity, uint8_t frame[DNSTAP_MAX]);

#endif
