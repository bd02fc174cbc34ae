/* Reads a DNS UPDATE message (RFC 2136) into records with uncompressed names, and writes its
 * response.
 *
 *     header | zone: ZNAME SOA IN | prerequisites | updates | additional: perhaps OPT, TSIG
 *
 * The message has the layout of a query, with the zone section as its question, so `struct request`
 * has all that an answer needs. A record's class says what it asks for (sections 2.4 and 2.5):
 *
 *     class   rdata   as a prerequisite                    as an update
 *     IN      some    the RRset has exactly these records  add the record
 *     ANY     none    the RRset, or the name, is there     delete the RRset, or all of the name
 *     NONE    none    it is not there
 *     NONE    some                                         delete the record
 *
 * This file finds errors in the message itself; judge.h decides what it means for a zone. Pure: no
 * socket, no clock, and no memory except the arena's. */
#ifndef SLUICE_UPDATE_MESSAGE_H
#define SLUICE_UPDATE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "rules/arena.h"
#include "rules/name.h"

enum {
	UPDATE_RECORDS_MAX = 64, /* prerequisites and updates together */
	UPDATE_BYTES_MAX = 8192, /* of a message, including its TSIG */
	UPDATE_RESPONSE_MAX = MESSAGE_HEADER + MESSAGE_QUESTION_MAX + MESSAGE_OPT, /* unsigned */
};

struct update_rdata {
	const uint8_t *bytes; /* its names uncompressed and in lower case (RFC 4034 section 6.2);
				 unaligned */
	size_t length;
};

struct update_record {
	struct name owner;
	uint16_t type;  /* a data type (record_type_is_data); ANY only in classes that allow it */
	uint16_t class; /* IN, ANY or NONE */
	struct update_rdata data; /* empty where none is allowed */
};

struct update {
	struct request request; /* id, flags, tsig_at, OPT; the question is the zone section */
	struct name zone;       /* ZNAME */
	struct update_record *prerequisites, *updates; /* in the message's order; in the arena */
	size_t prerequisite_count, update_count;
	bool outside; /* an owner is not in the zone: NOTZONE, after the zone and the client are
			 checked */
};

/* Reads a packet of opcode UPDATE. REQUEST_FINE: everything is filled in. REQUEST_ERROR: answer
 * with *rcode; `request` is filled in as far as possible, most importantly the TSIG's place, so
 * that an error is signed:
 *
 *     FORMERR   not one zone, or its type not SOA; a record that is cut short, has rdata, a TTL or
 *               a class where none may be, rdata that its type does not have, or a type that is
 *               only asked for (sections 3.1.1, 3.2.5, 3.4.1.3); bytes after the last record; a
 *               TSIG that is not last or not of class ANY; an OPT that is the second one or not of
 *               the root
 *     NOTAUTH   a zone of a class other than IN
 *     BADVERS   an OPT of a version other than 0
 *     REFUSED   over UPDATE_RECORDS_MAX or UPDATE_BYTES_MAX
 *     SERVFAIL  no memory
 *
 * REQUEST_SILENT: too short for a header, or a response. The cost always grows only with the
 * packet's length. key: the hash key for names of zones. */
enum request_state update_read(struct update *update, struct arena *arena,
			       const struct hash_key *key, const uint8_t *packet, size_t length,
			       enum rcode *rcode);

/* Writes the response (section 3.8): the header, the zone section copied from offset 12 of
 * `packet`, and an OPT with this payload if the request had one. Returns its length. The caller may
 * append a TSIG (tsig_sign). */
size_t update_respond(uint8_t response[UPDATE_RESPONSE_MAX], const struct request *request,
		      const uint8_t *packet, enum rcode rcode, uint16_t payload);

#endif
