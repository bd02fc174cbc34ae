/* Rdata by ldns, with checks for its weaknesses.
 *
 *     "10 mail"              ─► parse_plain ─────────► wire
 *     "0 issue \"ca.test\""  ─► ldns_rr_new_frm_str ─► wire    names and lengths checked
 *     "\# 4 0a000001"        ─► parse_generic ───────► wire
 *
 * In the end is_well_formed checks the wire of all three (record_layout, ldns_wire2rdf).
 *
 * Nearly every record of a private zone has only plain fields, which are read here: ldns allocates
 * and frees 256 KB for each record, which can cost more than all the rest.
 *
 * ldns accepts odd or wrong hex digits in RFC 3597's form, silently cuts lines at 64 KB, reads
 * 70000 as 4464 for a number of 16 bits, and prints some types in a form that it cannot read. So
 * RFC 3597's form is read here, lengths and numbers are checked before, and printed text is read
 * back as a check. */
#include "rules/zone/rdata.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ldns/ldns.h>

#include "rules/name.h"
#include "rules/wire.h"
#include "rules/zone/record.h"

enum {
	LDNS_TEXT_MAX = 65000, /* ldns' buffers have LDNS_MAX_RDFLEN and LDNS_MAX_PACKETLEN bytes */
	FIELD_MAX = 256,       /* bytes: a string with its length; a name has 255 */
};

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

bool rdata_is_valid(uint16_t type, const uint8_t *rdata, size_t length)
{
	return length <= RDATA_MAX && record_rdata_fits(type, rdata, 0, length, WIRE_PLAIN, NULL);
}

/* ---- plain fields ----
 *
 * ldns_str2rdf_dname reads names. */

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
	if (fits) { /* the origin first, because it may be in the same memory */
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

static unsigned unit_seconds(char unit)
{
	switch (tolower((uint8_t)unit)) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return 86400;
	case 'w': return 7 * 86400;
	default: return 0;
	}
}

bool rdata_parse_period(const char *text, uint32_t most, uint32_t *seconds)
{
	uint64_t total = 0, number;

	do {
		if (!isdigit((uint8_t)*text))
			return false;
		for (number = 0; isdigit((uint8_t)*text); text++) {
			number = number * 10 + (uint64_t)(*text - '0');
			if (number > most)
				return false;
		}
		if (*text != '\0' && !isblank((uint8_t)*text)) {
			if (unit_seconds(*text) == 0)
				return false;
			number *= unit_seconds(*text++);
		}
		total += number;
		if (total > most)
			return false;
	} while (*text != '\0' && !isblank((uint8_t)*text));
	*seconds = (uint32_t)total;
	return true;
}

/* Reads one plain field; returns its length in bytes, 0: not plain, or wrong. */
static size_t parse_plain_field(ldns_rdf_type field, const char *text, const uint8_t *origin,
				uint8_t *wire)
{
	const char *why;
	uint32_t seconds;
	size_t length;

	switch (field) {
	case LDNS_RDF_TYPE_A: return inet_pton(AF_INET, text, wire) == 1 ? 4 : 0;
	case LDNS_RDF_TYPE_AAAA: return inet_pton(AF_INET6, text, wire) == 1 ? 16 : 0;
	case LDNS_RDF_TYPE_INT16: return parse_number(text, wire, 2) ? 2 : 0;
	case LDNS_RDF_TYPE_INT32: return parse_number(text, wire, 4) ? 4 : 0;
	case LDNS_RDF_TYPE_PERIOD:
		if (!rdata_parse_period(text, UINT32_MAX, &seconds))
			return 0;
		wire_put32(wire, seconds);
		return 4;
	case LDNS_RDF_TYPE_DNAME:
		return rdata_parse_name(text, origin, wire, &length, &why) == 0 ? length : 0;
	default: return 0;
	}
}

/* Reads a character-string, with or without quotes; returns its length in bytes, 0: wrong. */
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

/* Reads one field at *text and moves *text after it; returns its length in bytes, 0: not plain, or
 * wrong. */
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

/* Reads types that have only addresses, numbers of 16 and 32 bits, names and character-strings.
 * False for other types and for wrong text, for which ldns then gives the reason. */
static bool parse_plain(uint16_t type, const char *text, const uint8_t *origin, uint8_t *rdata,
			size_t *length)
{
	const ldns_rr_descriptor *fields = ldns_rr_descript(type);
	size_t least = ldns_rr_descriptor_minimum(fields), at = 0, count = 0;
	size_t most = ldns_rr_descriptor_maximum(fields);

	text = skip_blanks(text);
	while (count < least || (*text != '\0' && count < most)) {
		ldns_rdf_type field = ldns_rr_descriptor_field_type(fields, count++);
		size_t taken;

		if (at > RDATA_MAX - FIELD_MAX)
			return false;
		taken = parse_field(field, &text, origin, rdata + at);
		if (taken == 0)
			return false;
		at += taken;
		text = skip_blanks(text);
	}
	*length = at;
	return *text == '\0' && count > 0;
}

/* ---- everything else ---- */

/* Lets ldns parse the rdata, for printing or checking; NULL: ldns refuses it, or there is no
 * memory. */
static ldns_rr *read_wire(uint16_t type, const uint8_t *rdata, size_t length)
{
	size_t at = 0;
	uint8_t *prefixed = malloc(length + 2);
	ldns_rr *rr = ldns_rr_new();

	if (!rr || !prefixed)
		goto refused;
	wire_put16(prefixed, (uint16_t)length);
	memcpy(prefixed + 2, rdata, length);
	ldns_rr_set_type(rr, (ldns_rr_type)type);
	if (ldns_wire2rdf(rr, prefixed, length + 2, &at) != LDNS_STATUS_OK || at != length + 2)
		goto refused;
	free(prefixed);
	return rr;

refused:
	free(prefixed);
	ldns_rr_free(rr);
	return NULL;
}

static bool type_has_text_form(uint16_t type)
{
	const ldns_rr_descriptor *descriptor = ldns_rr_descript(type);

	return descriptor && descriptor->_type == type && descriptor->_name;
}

static bool is_well_formed(uint16_t type, const uint8_t *rdata, size_t length)
{
	ldns_rr *rr;

	if (!rdata_is_valid(type, rdata, length))
		return false;
	if (!type_has_text_form(type))
		return true;
	if (length == 0 && ldns_rr_descript(type)->_variable == LDNS_RDF_TYPE_STR)
		return false; /* TXT and similar types need at least one string (RFC 1035
				 section 3.3.14) */
	rr = read_wire(type, rdata, length);
	ldns_rr_free(rr);
	return rr != NULL;
}

/* The text after "\#"; NULL: the rdata is not in RFC 3597's form. */
static const char *generic_form(const char *text)
{
	text = skip_blanks(text);
	if (text[0] != '\\' || text[1] != '#' || (text[2] != '\0' && !isblank((uint8_t)text[2])))
		return NULL;
	return skip_blanks(text + 2);
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)(digit | 0x20);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Reads "LENGTH HEX..." (RFC 3597 section 5), with blanks anywhere between the hex digits. */
static const char *parse_generic(const char *text, uint8_t *rdata, size_t *length)
{
	size_t announced = 0, digits = 0;

	if (!isdigit((uint8_t)*text))
		return "\\# is followed by the length in bytes, then the bytes in hex (RFC 3597)";
	for (; isdigit((uint8_t)*text); text++) {
		announced = announced * 10 + (size_t)(*text - '0');
		if (announced > RDATA_MAX)
			return "the length after \\# is over 65535";
	}
	if (*text != '\0' && !isblank((uint8_t)*text))
		return "the length after \\# is a decimal number";
	for (text = skip_blanks(text); *text != '\0'; text = skip_blanks(text + 1)) {
		int value = hex_value(*text);

		if (value < 0)
			return "the bytes after \\# are in hex";
		if (digits == announced * 2)
			return "there are more hex digits than the length after \\# says";
		if (digits % 2 == 0)
			rdata[digits / 2] = (uint8_t)(value << 4);
		else
			rdata[digits / 2] |= (uint8_t)value;
		digits++;
	}
	if (digits != announced * 2)
		return "there are fewer hex digits than the length after \\# says";
	*length = announced;
	return NULL;
}

/* The largest number in a field of this kind; 0: it has no number, or one that is not checked. */
static uint64_t number_max(ldns_rdf_type field)
{
	switch (field) {
	case LDNS_RDF_TYPE_INT8:
	case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
	case LDNS_RDF_TYPE_SELECTOR:
	case LDNS_RDF_TYPE_MATCHING_TYPE:
	case LDNS_RDF_TYPE_ALG: return UINT8_MAX;
	case LDNS_RDF_TYPE_INT16:
	case LDNS_RDF_TYPE_CERT_ALG: return UINT16_MAX;
	case LDNS_RDF_TYPE_INT32:
	case LDNS_RDF_TYPE_PERIOD: return UINT32_MAX;
	default: return 0;
	}
}

/* Why a number does not fit its field; NULL: all fit. Stops at the first quoted string, because no
 * type has a number after one. */
static const char *number_flaw(uint16_t type, const char *text)
{
	const ldns_rr_descriptor *fields = ldns_rr_descript(type);
	uint32_t seconds;

	text = skip_blanks(text);
	for (size_t i = 0; i < ldns_rr_descriptor_minimum(fields) && *text != '\0'; i++) {
		ldns_rdf_type field = ldns_rr_descriptor_field_type(fields, i);
		uint64_t max = number_max(field), number = 0;

		if (*text == '"')
			break;
		if (max > 0 && (*text == '-' || *text == '+'))
			return "write its numbers without a sign"; /* ldns reads "-1" as 65535 */
		for (const char *at = text; max > 0 && isdigit((uint8_t)*at); at++) {
			number = number * 10 + (uint64_t)(*at - '0');
			if (number > max)
				return "a number is too large for its field";
		}
		if (field == LDNS_RDF_TYPE_PERIOD &&
		    !rdata_parse_period(text, UINT32_MAX, &seconds))
			return "a time is a number of seconds up to 4294967295, or like 1h30m";
		text = skip_blanks(text + strcspn(text, " \t"));
	}
	return NULL;
}

/* Counts the bytes of the field at *text, with or without quotes, and moves *text after it. */
static size_t skip_field(const char **text)
{
	const char *at = *text;
	bool quoted = *at == '"';
	size_t bytes = 0;
	uint8_t byte;

	for (at += quoted; *at != '\0' && (quoted ? *at != '"' : !isblank((uint8_t)*at)); bytes++) {
		const char *behind = at;

		at = *at == '\\' && name_parse_escape(&behind, &byte) ? behind : at + 1;
	}
	*text = skip_blanks(at + (quoted && *at == '"'));
	return bytes;
}

/* Whether a character-string (RFC 1035 section 3.3) with more than 255 bytes is the reason, because
 * ldns gives the same text for everything that it cannot read. */
static bool has_long_string(uint16_t type, const char *text)
{
	const ldns_rr_descriptor *fields = ldns_rr_descript(type);

	text = skip_blanks(text);
	for (size_t i = 0; *text != '\0' && i < ldns_rr_descriptor_maximum(fields); i++)
		if (skip_field(&text) > UINT8_MAX &&
		    ldns_rr_descriptor_field_type(fields, i) == LDNS_RDF_TYPE_STR)
			return true;
	return false;
}

/* Whether the gateway of IPSECKEY (RFC 4025) or AMTRELAY (RFC 8777) is a relative name, which ldns
 * would not complete, or a wrong address. */
static bool has_relative_gateway(uint16_t type, const char *text)
{
	enum { TYPE_IPSECKEY = 45, TYPE_AMTRELAY = 260 };
	char gateway[NAME_TEXT_MAX];
	uint8_t address[16];
	size_t size;

	if (type != TYPE_IPSECKEY && type != TYPE_AMTRELAY)
		return false;
	text = skip_blanks(text);
	for (int before = 0; before < 3; before++)
		skip_field(&text);
	size = strcspn(text, " \t");
	if (size == 0 || size >= sizeof gateway)
		return false; /* ldns refuses it */
	memcpy(gateway, text, size);
	gateway[size] = '\0';
	return !ldns_dname_str_absolute(gateway) && inet_pton(AF_INET, gateway, address) != 1 &&
	       inet_pton(AF_INET6, gateway, address) != 1;
}

/* Concatenates the fields. */
static const char *collect_fields(const ldns_rr *rr, uint8_t *rdata, size_t *length)
{
	size_t at = 0;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);
		size_t size = ldns_rdf_size(field);

		if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME &&
		    wire_skip_name(ldns_rdf_data(field), size, 0, WIRE_PLAIN, NULL, NULL) != size)
			return "a name is longer than 255 bytes";
		if (size > RDATA_MAX - at)
			return "the data is longer than 65535 bytes";
		if (size > 0) /* an empty field's data may be NULL */
			memcpy(rdata + at, ldns_rdf_data(field), size);
		at += size;
	}
	*length = at;
	return NULL;
}

/* A correct example for common types; NULL for others. */
static const char *expected(uint16_t type)
{
	enum { TYPE_CAA = 257 };

	switch (type) {
	case TYPE_A: return "give an IPv4 address, like 192.0.2.1";
	case TYPE_AAAA: return "give an IPv6 address, like 2001:db8::1";
	case TYPE_CNAME:
	case TYPE_DNAME:
	case TYPE_NS:
	case TYPE_PTR: return "give one name, like www or www.example.com.";
	case TYPE_MX: return "give preference and name, like 10 mail";
	case TYPE_SRV: return "give priority, weight, port and name, like 0 5 443 web";
	case TYPE_SOA:
		return "give two names, serial, refresh, retry, expire and minimum, like "
		       "ns hostmaster 1 3600 600 86400 300";
	case TYPE_TXT: return "give strings, in quotes where they have blanks: \"a b\" c";
	case TYPE_HINFO: return "give two strings, like \"x86-64\" \"linux\"";
	case TYPE_CAA: return "give flags, tag and value, like 0 issue \"ca.example.com\"";
	default: return NULL;
	}
}

/* Reads the text form of a type that ldns knows. */
static const char *parse_known(uint16_t type, const char *text, const uint8_t *origin,
			       uint8_t *rdata, size_t *length)
{
	char type_text[16], *line = NULL;
	const char *why;
	ldns_rr *rr = NULL;
	ldns_rdf base = {._size = name_wire_length(origin),
			 ._type = LDNS_RDF_TYPE_DNAME,
			 ._data = (void *)(uintptr_t)origin};
	ldns_status status;

	if (strlen(text) > LDNS_TEXT_MAX)
		return "the text is longer than 65000 characters; use the form \\# LENGTH HEX";
	why = number_flaw(type, text);
	if (why)
		return why;
	if (has_relative_gateway(type, text))
		return "its gateway is an address, or a name with a final dot";
	record_type_print(type, type_text, sizeof type_text);
	if (asprintf(&line, ". 0 IN %s %s", type_text, text) < 0)
		return "out of memory";
	status = ldns_rr_new_frm_str(&rr, line, 0, &base, NULL);
	if (status == LDNS_STATUS_OK)
		why = collect_fields(rr, rdata, length);
	else if (has_long_string(type, text))
		why = "a character-string has at most 255 bytes; longer text in TXT is several of "
		      "them, each in quotes";
	else
		why = expected(type) ? expected(type) : ldns_get_errorstr_by_id(status);
	ldns_rr_free(rr);
	free(line);
	return why;
}

int rdata_parse(uint16_t type, const char *text, const uint8_t *origin, uint8_t rdata[RDATA_MAX],
		size_t *length, const char **why)
{
	const char *generic = generic_form(text);

	if (generic)
		*why = parse_generic(generic, rdata, length);
	else if (!type_has_text_form(type))
		*why = "data of an unknown type is written as \\# LENGTH HEX (RFC 3597)";
	else if (parse_plain(type, text, origin, rdata, length))
		*why = NULL;
	else
		*why = parse_known(type, text, origin, rdata, length);
	if (!*why && !is_well_formed(type, rdata, *length))
		*why = "these bytes are not data of this type";
	return !*why ? 0 : ERR_INVALID;
}

/* Prints the fields in presentation form with blanks between, into a buffer that the caller frees;
 * NULL: ldns cannot. Does not use ldns_rr2str, because it adds comments. */
static char *print_known(uint16_t type, const uint8_t *rdata, size_t length)
{
	ldns_rr *rr = read_wire(type, rdata, length);
	ldns_buffer *buffer = ldns_buffer_new(256);
	char *text = NULL;
	ldns_status status = LDNS_STATUS_OK;

	if (!rr || !buffer)
		goto out;
	for (size_t i = 0; i < ldns_rr_rd_count(rr) && status == LDNS_STATUS_OK; i++) {
		if (i > 0)
			ldns_buffer_printf(buffer, " ");
		status = ldns_rdf2buffer_str(buffer, ldns_rr_rdf(rr, i));
	}
	if (status == LDNS_STATUS_OK && ldns_buffer_status_ok(buffer))
		text = ldns_buffer_export2str(buffer);
	for (size_t end = text ? strlen(text) : 0; end > 0 && text[end - 1] == ' ';)
		text[--end] = '\0'; /* as after the last type of a bitmap */
out:
	ldns_buffer_free(buffer);
	ldns_rr_free(rr);
	return text;
}

/* Whether the reader of a master file would take the text as the whole rest of one entry. It might
 * not, because ldns prints a quote in a label unescaped. */
static bool is_one_entry(const char *text)
{
	bool quoted = false;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0')
			text++;
		else if (*text == '"')
			quoted = !quoted;
		else if (*text == '\n' || *text == '\r' || (!quoted && strchr("();", *text)))
			return false;
	}
	return !quoted;
}

/* Whether rdata_parse reads the text back to the same bytes. */
static bool reads_back(uint16_t type, const char *text, const uint8_t *rdata, size_t length)
{
	static const uint8_t root[] = {0};
	uint8_t *again = malloc(RDATA_MAX);
	size_t again_length = 0;
	const char *why;
	bool same = again && is_one_entry(text) &&
		    rdata_parse(type, text, root, again, &again_length, &why) == 0 &&
		    again_length == length && memcmp(again, rdata, length) == 0;

	free(again);
	return same;
}

static void print_generic(const uint8_t *rdata, size_t length, FILE *out)
{
	fprintf(out, "\\# %zu", length);
	for (size_t i = 0; i < length; i++)
		fprintf(out, i == 0 ? " %02x" : "%02x", rdata[i]);
}

int rdata_print(uint16_t type, const uint8_t *rdata, size_t length, FILE *out)
{
	char *text = type_has_text_form(type) ? print_known(type, rdata, length) : NULL;

	if (text && reads_back(type, text, rdata, length))
		fputs(text, out);
	else
		print_generic(rdata, length, out);
	free(text);
	return ferror(out) ? ERR_SYSTEM : 0;
}
