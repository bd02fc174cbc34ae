/* The fields that most rdata is made of. Names go through ldns_str2rdf_dname; numbers in anything
 * but decimal digits ("1h" for a SOA's times) are left to ldns as well.
 *
 * This file gives no reasons: what it does not take, ldns is asked about, and it has the words. */
#include "rules/zone/rdata_plain.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ldns/ldns.h>
#include <string.h>

#include "rules/name.h"
#include "rules/zone/rdata.h"

enum { FIELD_MAX = 256 }; /* bytes: a string with its length; a name has 255 */

int rdata_parse_name(const char *text, const uint8_t *origin, uint8_t wire[NAME_WIRE_MAX],
		     size_t *length, const char **why)
{
	size_t base = name_wire_length(origin);
	bool relative = !ldns_dname_str_absolute(text), fits;
	ldns_rdf *name = NULL;
	ldns_status status;

	if (strcmp(text, "@") == 0) {
		memmove(wire, origin, base);
		*length = base;
		return 0;
	}
	status = ldns_str2rdf_dname(&name, text);
	if (status != LDNS_STATUS_OK || !name) {
		*why = status == LDNS_STATUS_OK ? "out of memory" : ldns_get_errorstr_by_id(status);
		return ERR_INVALID;
	}
	*length = ldns_rdf_size(name) + (relative ? base - 1 : 0);
	fits = *length <= NAME_WIRE_MAX;
	if (fits) { /* the origin first: it may be what is being replaced */
		if (relative)
			memmove(wire + ldns_rdf_size(name) - 1, origin, base);
		memcpy(wire, ldns_rdf_data(name), ldns_rdf_size(name) - (relative ? 1 : 0));
	}
	ldns_rdf_deep_free(name);
	if (!fits)
		*why = "it is longer than 255 bytes";
	return fits ? 0 : ERR_TOO_LONG;
}

/* Reads a decimal number into `size` bytes. */
static bool parse_number(const char *text, uint8_t *wire, size_t size)
{
	uint64_t number = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (!isdigit((uint8_t)*text))
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
		if (number >> (8 * size) != 0)
			return false;
	}
	for (size_t i = size; i-- > 0; number >>= 8)
		wire[i] = (uint8_t)number;
	return true;
}

/* Reads one plain field; returns the bytes it takes, 0 when it is not plain or not right. */
static size_t parse_plain_field(ldns_rdf_type field, const char *text, const uint8_t *origin,
				uint8_t *wire)
{
	const char *why;
	size_t length;

	switch (field) {
	case LDNS_RDF_TYPE_A: return inet_pton(AF_INET, text, wire) == 1 ? 4 : 0;
	case LDNS_RDF_TYPE_AAAA: return inet_pton(AF_INET6, text, wire) == 1 ? 16 : 0;
	case LDNS_RDF_TYPE_INT16: return parse_number(text, wire, 2) ? 2 : 0;
	case LDNS_RDF_TYPE_INT32:
	case LDNS_RDF_TYPE_PERIOD: return parse_number(text, wire, 4) ? 4 : 0;
	case LDNS_RDF_TYPE_DNAME:
		return rdata_parse_name(text, origin, wire, &length, &why) == 0 ? length : 0;
	default: return 0;
	}
}

/* Reads a character-string, with or without quotes; returns the bytes it takes, 0 when it is not
 * right. */
static size_t parse_string(const char **text, uint8_t wire[256])
{
	const char *at = *text;
	bool quoted = *at == '"';
	size_t used = 1;

	at += quoted;
	while (*at != '\0' && (quoted ? *at != '"' : !isblank((uint8_t)*at))) {
		if (used == 256 || *at == '"')
			return 0;
		if (*at != '\\')
			wire[used] = (uint8_t)*at++;
		else if (!name_parse_escape(&at, &wire[used]))
			return 0;
		used++;
	}
	if (quoted ? *at++ != '"' : used == 1)
		return 0;
	if (*at != '\0' && !isblank((uint8_t)*at))
		return 0;
	wire[0] = (uint8_t)(used - 1);
	*text = at;
	return used;
}

/* Reads one field at *text and moves *text behind it; returns the bytes it takes, 0 when it is not
 * plain or not right. */
static size_t parse_field(ldns_rdf_type field, const char **text, const uint8_t *origin,
			  uint8_t *wire)
{
	size_t size = strcspn(*text, " \t");
	char token[NAME_TEXT_MAX];

	if (field == LDNS_RDF_TYPE_STR)
		return parse_string(text, wire);
	if (size >= sizeof token)
		return 0;
	memcpy(token, *text, size);
	token[size] = '\0';
	*text += size;
	return parse_plain_field(field, token, origin, wire);
}

bool rdata_parse_plain(uint16_t type, const char *text, const uint8_t *origin, uint8_t *rdata,
		       size_t *length)
{
	const ldns_rr_descriptor *fields = ldns_rr_descript(type);
	size_t least = ldns_rr_descriptor_minimum(fields), at = 0, count = 0;
	size_t most = ldns_rr_descriptor_maximum(fields);

	text = text + strspn(text, " \t");
	while (count < least || (*text != '\0' && count < most)) {
		ldns_rdf_type field = ldns_rr_descriptor_field_type(fields, count++);
		size_t taken;

		if (at > RDATA_MAX - FIELD_MAX)
			return false;
		taken = parse_field(field, &text, origin, rdata + at);
		if (taken == 0)
			return false;
		at += taken;
		text = text + strspn(text, " \t");
	}
	*length = at;
	return *text == '\0' && count > 0;
}
