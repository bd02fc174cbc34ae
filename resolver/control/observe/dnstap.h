/* An answered query as dnstap (https://dnstap.info): a message CLIENT_RESPONSE with the question
 * and the reply where the record has it (CLIENT_QUERY where it was dropped), and what decided it:
 * in `policy` by its name, and in `extra` all that the query log knows, as the JSON of
 * query_entry.h.
 *
 * It is one message of three levels that never changes, so it is written here, by the field numbers
 * of dnstap.proto; protobuf-c would be a compiler and a library more for that. */
#ifndef SLUICE_DNSTAP_H
#define SLUICE_DNSTAP_H

#include <stddef.h>
#include <stdint.h>

#include "resolver/control/observe/query_entry.h"

#define DNSTAP_CONTENT_TYPE "protobuf:dnstap.Dnstap"

enum {
	/* What is not the reply or the JSON. */
	DNSTAP_MAX = QUERY_RING_MESSAGE_MAX + QUERY_ENTRY_TEXT_MAX + 2048,
};

/* identity: this server's, NULL: none. Returns the length. */
size_t dnstap_write(const struct query_entry *entry, const char *json, size_t json_length,
		    const char *identity, uint8_t frame[DNSTAP_MAX]);

#endif
