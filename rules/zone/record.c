/* Types by name and number, and the layout of their rdata. The mnemonics of types 249 to 255, which
 * occur only in messages, are listed here. ldns has the others.
 *
 * Not here: reading and writing messages (endpoints/message.c and message_write.c, which use
 * record_layout). */
#include "rules/zone/record.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <strings.h>

#include "rules/base.h"
#include "rules/name.h"
#include "rules/wire.h"

const uint8_t *rrset_rdata(const struct rrset *rrset, size_t *length)
{
	*length = wire_u16(rrset->wire + RECORD_HEADER - 2);
	return rrset->wire + RECORD_HEADER;
}

/* The types whose names may be compressed (RFC 3597 section 4): the well-known types of RFC 1035,
 * and types that older software compressed. KX and DNAME are not on its list, but RFC 2230 and RFC
 * 2672 allow it; an uncompressed name reads the same either way. */
static const char *const with_names[] = {
	[TYPE_NS] = "n",     [3] = "n",
	[4] = "n", /* MD, MF */
	[TYPE_CNAME] = "n",  [TYPE_SOA] = "nn44444",
	[7] = "n",           [8] = "n",
	[9] = "n",                        /* MB, MG, MR */
	[TYPE_PTR] = "n",    [14] = "nn", /* MINFO */
	[TYPE_MX] = "2n",    [17] = "nn", /* RP */
	[TYPE_AFSDB] = "2n", [21] = "2n",
	[24] = "2114442n*",               /* RT, SIG */
	[26] = "2nn",        [30] = "n*", /* PX, NXT */
	[TYPE_SRV] = "222n", [35] = "22sssn",
	[TYPE_KX] = "2n", /* 35: NAPTR */
	[TYPE_DNAME] = "n",
};

/* Types without names but with a fixed form: most importantly addresses, which are wrong in any
 * other length (RFC 1035 section 3.4.1, RFC 3596 section 2.2), and other simple types. */
static const char *const without_names[] = {
	[TYPE_A] = "4", [TYPE_AAAA] = "88", [TYPE_HINFO] = "ss",
	[104] = "28",   [105] = "24",       [106] = "28", /* NID, L32, L64 */
	[108] = "6",    [109] = "8",                      /* EUI48, EUI64 */
};

bool record_has_names(uint16_t type)
{
	return type < COUNT(with_names) && with_names[type];
}

const char *record_layout(uint16_t type)
{
	if (record_has_names(type))
		return with_names[type];
	return type < COUNT(without_names) ? without_names[type] : NULL;
}

bool record_skip_element(char element, const uint8_t *packet, size_t *at, size_t end, size_t lowest,
			 unsigned *jumps)
{
	size_t bytes;

	if (element == 'n')
		return wire_skip_name(packet, end, *at, lowest, at, jumps) != 0;
	if (element == '*')
		bytes = end - *at;
	else if (element == 's')
		bytes = *at < end ? (size_t)packet[*at] + 1 : 1;
	else
		bytes = (size_t)(element - '0');
	if (bytes > end - *at)
		return false;
	*at += bytes;
	return true;
}

bool record_rdata_fits(uint16_t type, const uint8_t *packet, size_t at, size_t end, size_t lowest,
		       unsigned *jumps)
{
	const char *layout = record_layout(type);

	if (!layout)
		return true;
	for (; *layout != '\0'; layout++)
		if (!record_skip_element(*layout, packet, &at, end, lowest, jumps))
			return false;
	return at == end;
}

struct record_part record_parts(uint16_t type)
{
	return (struct record_part){.layout = record_has_names(type) ? record_layout(type) : ""};
}

bool record_next_part(struct record_part *part, const uint8_t *rdata, size_t length)
{
	part->start = part->end;
	part->is_name = *part->layout == 'n';
	if (*part->layout != '\0' &&
	    record_skip_element(*part->layout, rdata, &part->end, length, 0, NULL)) {
		part->layout++;
		return true;
	}
	part->layout = "";
	part->is_name = false;
	part->end = length;
	return part->start < length;
}

int record_compare_rdata(uint16_t type, const uint8_t *a, const uint8_t *b, size_t length)
{
	struct record_part part = record_parts(type);
	int order = 0;

	while (order == 0 && record_next_part(&part, a, length)) {
		if (!part.is_name)
			order = memcmp(a + part.start, b + part.start, part.end - part.start);
		for (size_t i = part.start; part.is_name && i < part.end && order == 0; i++)
			order = name_lower(a[i]) - name_lower(b[i]); /* lengths are below 'A' */
	}
	return order;
}

bool record_type_is_data(uint16_t type)
{
	return type != 0 && type != TYPE_OPT && (type < 128 || type > 255) && type != UINT16_MAX;
}

static const struct {
	uint16_t type;
	const char *name;
} question_types[] = {
	{TYPE_TKEY, "TKEY"},   {TYPE_TSIG, "TSIG"},   {TYPE_IXFR, "IXFR"}, {TYPE_AXFR, "AXFR"},
	{TYPE_MAILB, "MAILB"}, {TYPE_MAILA, "MAILA"}, {TYPE_ANY, "ANY"},
};
enum { QUESTION_TYPES = COUNT(question_types) };

static const char *type_name(uint16_t type)
{
	const ldns_rr_descriptor *descriptor = ldns_rr_descript(type);

	for (size_t i = 0; i < QUESTION_TYPES; i++) {
		if (question_types[i].type == type)
			return question_types[i].name;
	}
	return descriptor && descriptor->_type == type ? descriptor->_name : NULL;
}

char *record_type_print(uint16_t type, char *text, size_t size)
{
	const char *name = type_name(type);

	if (name)
		snprintf(text, size, "%s", name);
	else
		snprintf(text, size, "TYPE%u", type);
	return text;
}

/* Reads the n of "TYPEn" (RFC 3597 section 5). */
static int parse_number(uint16_t *type, const char *digits)
{
	unsigned number = 0;

	if (*digits == '\0')
		return ERR_INVALID;
	for (; *digits != '\0'; digits++) {
		if (!isdigit((unsigned char)*digits))
			return ERR_INVALID;
		number = number * 10 + (unsigned)(*digits - '0');
		if (number > UINT16_MAX)
			return ERR_INVALID;
	}
	*type = (uint16_t)number;
	return 0;
}

int record_type_parse(uint16_t *type, const char *text)
{
	ldns_rr_type known;

	if (strncasecmp(text, "TYPE", 4) == 0)
		return parse_number(type, text + 4);
	for (size_t i = 0; i < QUESTION_TYPES; i++) {
		if (strcasecmp(text, question_types[i].name) == 0) {
			*type = question_types[i].type;
			return 0;
		}
	}
	known = ldns_get_rr_type_by_name(text);
	if (known == 0 || (unsigned)known > UINT16_MAX)
		return ERR_INVALID;
	*type = (uint16_t)known;
	return 0;
}
