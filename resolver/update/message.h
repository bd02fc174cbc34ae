/* A DNS UPDATE message (RFC 2136): read into records whose names are spelled out, and answered.
 *
 *     header | zone: ZNAME SOA IN | prerequisites | updates | additional: perhaps OPT, TSIG
 *
 * It has the layout of a query, so `struct request` has what an answer needs: the zone section is
 * its question. What a record asks for is in its class (sections 2.4 and 2.5):
 *
 *     class   rdata   as a prerequisite                    as an update
 *     IN      some    the RRset has exactly these records  add the record
 *     ANY     none    the RRset, or the name, is there     delete the RRset, or all of the name
 *     NONE    none    it is not there
 *     NONE    some                                         delete the record
 *
 * Everything that can be wrong with a message by itself is found here; what it means for a zone is
 * judge.h's. Pure: no socket, no clock, no memory but the arena's. */
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
	UPDATE_BYTES_MAX = 8192, /* of a message, with its TSIG */
	UPDATE_RESPONSE_MAX = MESSAGE_HEADER + MESSAGE_QUESTION_MAX + MESSAGE_OPT, /* unsigned */
};

struct update_rdata {
	const uint8_t *bytes; /* names in it uncompressed and in lower case (RFC 4034 section 6.2);
			       * of no particular alignment */
	size_t length;
};

struct update_record {
	struct name owner;
	uint16_t type;  /* of data (record_type_is_data); ANY only in the classes that allow it */
	uint16_t class; /* IN, ANY or NONE */
	struct update_rdata data; /* empty wherever none may be */
};

struct update {
	struct request request; /* id, flags, tsig_at, OPT; the question is the zone section */
	struct name zone;       /* ZNAME */
	struct update_record *prerequisites, *updates; /* in their order, in the arena */
	size_t prerequisite_count, update_count;
	bool outside; /* some owner is not in the zone: NOTZONE, once it is known that the zone is
		       * served and who may update it */
};

/* Reads a packet of opcode UPDATE. REQUEST_FINE: everything is filled in. REQUEST_ERROR: to be
 * answered with *rcode, and as much of `request` is filled in as could be read, the TSIG's place
 * above all, so that an error is signed:
 *
 *     FORMERR   not one zone, or its type not SOA; a record that is cut short, has rdata, a TTL or
 *               a class where none may be, rdata that its type does not have, or a type that is
 *               only asked for (sections 3.1.1, 3.2.5, 3.4.1.3); bytes behind the last record; a
 *               TSIG that is not last
 *     NOTAUTH   a zone of a class other than IN
 *     BADVERS   an OPT of a version other than 0
 *     REFUSED   over UPDATE_RECORDS_MAX or UPDATE_BYTES_MAX
 *     SERVFAIL  no memory
 *
 * REQUEST_SILENT: too short for a header, or a response. Whatever it returns, it costs what the
 * packet has bytes. key: that names of the zones are hashed with. */
enum request_state update_read(struct update *update, struct arena *arena,
			       const struct hash_key *key, const uint8_t *packet, size_t length,
			       enum rcode *rcode);

/* Writes the response (section 3.8): header, and the zone section as it came, case and all, which
 * starts at offset 12 of `packet`; an OPT with that payload where the request had one. Returns its
 * length. A TSIG is appended to that (tsig_sign). */
size_t update_respond(uint8_t response[UPDATE_RESPONSE_MAX], const struct request *request,
		      const uint8_t *packet, enum rcode rcode, uint16_t payload);

#endif
