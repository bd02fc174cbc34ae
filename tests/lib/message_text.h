/* DNS messages as text, for tests: ldns builds replies from presentation form and parses messages,
 * so that another parser reads the messages of the code under test.
 *
 * Records are lines of "SECTION RECORD", as in "answer www.example. 300 IN A 192.0.2.1". */
#ifndef SLUICE_TESTS_MESSAGE_TEXT_H
#define SLUICE_TESTS_MESSAGE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"

/* Writes a client's request; payload 0: without EDNS. Returns its length. */
size_t request_write(uint8_t wire[MESSAGE_UDP_MIN], uint16_t id, uint16_t flags, const char *qname,
		     uint16_t type, uint16_t class, unsigned payload, bool dnssec_ok);

/* Writes a reply to the query, with its id and question, QR and the flags, and the records. Names
 * are compressed as by servers. Returns its length; 0 and a message on stderr: a record is
 * wrong. */
size_t reply_write(uint8_t wire[MESSAGE_MAX], const uint8_t *query, size_t query_length,
		   unsigned rcode, uint16_t flags, const char *records);

struct message_text {
	char status[64]; /* "NOERROR aa tc ad cd", and what should not be: "rd0", "ra0", "query" */
	char question[NAME_TEXT_MAX + 32]; /* "Www.example. A", case as it is; "" without one */
	char *records;                     /* lines as above; to be freed */
	bool edns, dnssec_ok;
	int ede; /* -1: none */
	char ede_text[MESSAGE_EDE_TEXT_MAX + 1];
	char nsid[64];
};

/* False when ldns cannot read it. */
bool message_read_text(struct message_text *text, const uint8_t *wire, size_t length);
void message_text_release(struct message_text *text);

/* Converts a record line to the form of message_read_text: single blanks, ldns's spelling. False:
 * it is no record. */
bool record_line_normalise(const char *line, char *out, size_t size);

#endif
