#include "tests/lib/message_text.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 70000 };

static const char *const section_words[] = {"answer", "authority", "additional"};
static const ldns_pkt_section sections[] = {LDNS_SECTION_ANSWER, LDNS_SECTION_AUTHORITY,
					    LDNS_SECTION_ADDITIONAL};

size_t request_write(uint8_t wire[MESSAGE_UDP_MIN], uint16_t id, uint16_t flags, const char *qname,
		     uint16_t type, uint16_t class, unsigned payload, bool dnssec_ok)
{
	ldns_rdf *name = NULL;

	if (ldns_str2rdf_dname(&name, qname) != LDNS_STATUS_OK)
		return 0;
	size_t at = MESSAGE_HEADER, length = ldns_rdf_size(name);
	memset(wire, 0, MESSAGE_HEADER);
	wire_put16(wire, id);
	wire_put16(wire + 2, flags);
	wire_put16(wire + 4, 1);
	memcpy(wire + at, ldns_rdf_data(name), length);
	ldns_rdf_deep_free(name);
	at += length;
	wire_put16(wire + at, type);
	wire_put16(wire + at + 2, class);
	at += 4;
	if (payload) {
		wire_put16(wire + 10, 1);
		wire[at] = 0;
		wire_put16(wire + at + 1, TYPE_OPT);
		wire_put16(wire + at + 3, (uint16_t)payload);
		wire_put32(wire + at + 5, dnssec_ok ? 0x8000 : 0);
		wire_put16(wire + at + 9, 0);
		at += 11;
	}
	return at;
}

/* ---- building a reply ---- */

/* The section that a line begins with, and where the record begins; -1: none. */
static int line_section(const char *line, const char **record)
{
	size_t word = strcspn(line, " \t");

	for (int i = 0; i < SECTION_COUNT; i++)
		if (strlen(section_words[i]) == word &&
		    strncmp(line, section_words[i], word) == 0) {
			*record = line + word + strspn(line + word, " \t");
			return i;
		}
	return -1;
}

static ldns_rr *parse_record(const char *text)
{
	ldns_rr *rr = NULL;

	if (ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL) == LDNS_STATUS_OK)
		return rr;
	fprintf(stderr, "not a record: %s\n", text);
	return NULL;
}

static bool push_line(ldns_pkt *packet, const char *line, size_t length)
{
	char *copy = strndup(line + strspn(line, " \t"), length - strspn(line, " \t"));
	const char *record = NULL;
	int section = copy ? line_section(copy, &record) : -1;
	ldns_rr *rr = section < 0 ? NULL : parse_record(record);

	if (rr)
		ldns_pkt_push_rr(packet, sections[section], rr);
	else if (copy)
		fprintf(stderr, "not a line of a section: %s\n", copy);
	free(copy);
	return rr != NULL;
}

static bool push_lines(ldns_pkt *packet, const char *lines)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		if (strspn(lines, " \t") < length && !push_line(packet, lines, length))
			return false;
		lines += length + (lines[length] == '\n');
	}
	return true;
}

size_t reply_write(uint8_t wire[MESSAGE_MAX], const uint8_t *query, size_t query_length,
		   unsigned rcode, uint16_t flags, const char *records)
{
	ldns_pkt *asked = NULL, *packet = ldns_pkt_new();
	uint8_t *bytes = NULL;
	size_t length = 0;

	if (!packet || ldns_wire2pkt(&asked, query, query_length) != LDNS_STATUS_OK)
		goto out;
	ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION,
			 ldns_rr_clone(ldns_rr_list_rr(ldns_pkt_question(asked), 0)));
	if (!push_lines(packet, records ? records : ""))
		goto out;
	if (ldns_pkt2wire(&bytes, packet, &length) != LDNS_STATUS_OK || length > MESSAGE_MAX) {
		length = 0;
		goto out;
	}
	memcpy(wire, bytes, length);
	memcpy(wire, query, 2);
	wire_put16(wire + 2, (uint16_t)(FLAG_QR | flags | (rcode & FLAG_RCODE)));
out:
	free(bytes);
	ldns_pkt_free(asked);
	ldns_pkt_free(packet);
	return length;
}

/* ---- taking a message apart ---- */

/* ldns's spelling in one line with single blanks. */
static void squeeze(const char *from, char *to, size_t size)
{
	size_t used = 0;

	for (; *from && *from != '\n' && used + 1 < size; from++) {
		char c = isspace((unsigned char)*from) ? ' ' : *from;

		if (c != ' ' || (used > 0 && to[used - 1] != ' '))
			to[used++] = c;
	}
	while (used > 0 && to[used - 1] == ' ')
		used--;
	to[used] = '\0';
}

static bool record_to_line(const ldns_rr *rr, int section, char *out, size_t size)
{
	char *text = ldns_rr2str(rr), *comment = text ? strstr(text, " ;{") : NULL;
	size_t used = (size_t)snprintf(out, size, "%s ", section_words[section]);

	if (!text || used >= size)
		return false;
	if (comment)
		*comment = '\0';
	squeeze(text, out + used, size - used);
	free(text);
	return true;
}

bool record_line_normalise(const char *line, char *out, size_t size)
{
	const char *record;
	int section = line_section(line, &record);
	ldns_rr *rr = section < 0 ? NULL : parse_record(record);
	bool good = rr && record_to_line(rr, section, out, size);

	ldns_rr_free(rr);
	return good;
}

static bool read_records(struct message_text *text, const ldns_pkt *packet)
{
	char *line = malloc(LINE_MAX_BYTES);
	size_t length;
	FILE *out = open_memstream(&text->records, &length);
	bool good = out && line;

	for (int s = 0; good && s < SECTION_COUNT; s++) {
		ldns_rr_list *list = ldns_pkt_get_section_clone(packet, sections[s]);

		for (size_t i = 0; good && i < ldns_rr_list_rr_count(list); i++) {
			good = record_to_line(ldns_rr_list_rr(list, i), s, line, LINE_MAX_BYTES);
			fprintf(out, "%s\n", good ? line : "");
		}
		ldns_rr_list_deep_free(list);
	}
	if (out)
		fclose(out);
	free(line);
	return good;
}

static void read_status(struct message_text *text, const ldns_pkt *packet)
{
	char *rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(packet));

	snprintf(text->status, sizeof text->status, "%s%s%s%s%s%s%s%s", rcode,
		 ldns_pkt_aa(packet) ? " aa" : "", ldns_pkt_tc(packet) ? " tc" : "",
		 ldns_pkt_ad(packet) ? " ad" : "", ldns_pkt_cd(packet) ? " cd" : "",
		 ldns_pkt_rd(packet) ? "" : " rd0", ldns_pkt_ra(packet) ? "" : " ra0",
		 ldns_pkt_qr(packet) ? "" : " query");
	free(rcode);
}

static void read_question(struct message_text *text, const ldns_pkt *packet)
{
	const ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_question(packet), 0);

	if (!rr)
		return;
	char *name = ldns_rdf2str(ldns_rr_owner(rr));
	char *type = ldns_rr_type2str(ldns_rr_get_type(rr));
	snprintf(text->question, sizeof text->question, "%s %s", name, type);
	free(name);
	free(type);
}

static void read_option(struct message_text *text, unsigned code, const uint8_t *data,
			size_t length)
{
	if (code == OPTION_EDE && length >= 2) {
		text->ede = wire_u16(data);
		snprintf(text->ede_text, sizeof text->ede_text, "%.*s", (int)(length - 2),
			 (const char *)data + 2);
	} else if (code == OPTION_NSID) {
		snprintf(text->nsid, sizeof text->nsid, "%.*s", (int)length, (const char *)data);
	}
}

static void read_edns(struct message_text *text, const ldns_pkt *packet)
{
	const ldns_rdf *rdf = ldns_pkt_edns_data(packet);
	const uint8_t *data = rdf ? ldns_rdf_data(rdf) : NULL;
	size_t left = rdf ? ldns_rdf_size(rdf) : 0;

	text->edns = ldns_pkt_edns(packet);
	text->dnssec_ok = ldns_pkt_edns_do(packet);
	while (left >= 4 && left - 4 >= wire_u16(data + 2)) {
		size_t length = wire_u16(data + 2);

		read_option(text, wire_u16(data), data + 4, length);
		data += 4 + length;
		left -= 4 + length;
	}
}

bool message_read_text(struct message_text *text, const uint8_t *wire, size_t length)
{
	ldns_pkt *packet = NULL;

	*text = (struct message_text){.ede = -1};
	if (ldns_wire2pkt(&packet, wire, length) != LDNS_STATUS_OK)
		return false;
	read_status(text, packet);
	read_question(text, packet);
	read_edns(text, packet);
	bool good = read_records(text, packet);
	ldns_pkt_free(packet);
	return good;
}

void message_text_release(struct message_text *text)
{
	free(text->records);
	text->records = NULL;
}
