/* An answered query as dnstap (https://dnstap.info): a message CLIENT_RESPONSE with question and
 * reply, as far as the record has them (CLIENT_QUERY if the query was dropped). `policy` names what
 * decided it, `extra` has the query log's whole entry, as the JSON of query_entry.h. protoc-c makes
 * C of dnstap.proto during the build. */
#ifndef SLUICE_DNSTAP_H
#define SLUICE_DNSTAP_H

#include <stddef.h>
#include <stdint.h>

#include "resolver/control/observe/query_log/query_entry.h"

#define DNSTAP_CONTENT_TYPE "protobuf:dnstap.Dnstap"

enum {
	DNSTAP_IDENTITY_MAX = 255,
	DNSTAP_RULE_MAX = NAME_TEXT_MAX + 128, /* name of a RULESET/RULE, zone, network or pool */
	DNSTAP_OTHER_MAX = 2560,               /* all except the reply and the JSON */
	DNSTAP_MAX = QUERY_RING_MESSAGE_MAX + QUERY_ENTRY_TEXT_MAX + DNSTAP_OTHER_MAX,
};

/* Writes the message; returns its length. identity: this server's, cut at DNSTAP_IDENTITY_MAX;
 * NULL: none. */
size_t dnstap_write(const struct query_entry *entry, const char *json, size_t json_length,
		    const char *identity, uint8_t frame[DNSTAP_MAX]);

#endif
