/* An RRset as ready-to-send wire. Each of its successive records has a compression pointer as its
 * owner, so that the answer to the question at offset 12 is one memcpy:
 *
 *     c0 0c | type | class | ttl | rdlength | rdata      c0 0c | type | ...
 *
 * Names within rdata are not compressed. For another owner, change the two bytes at each record's
 * start. */
#ifndef SLUICE_RECORD_H
#define SLUICE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"

enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_HINFO = 13,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AFSDB = 18,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_KX = 36,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_DS = 43,
	TYPE_RRSIG = 46,
	TYPE_NSEC = 47,
	TYPE_DHCID = 49, /* RFC 4701 */
	TYPE_NSEC3 = 50,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65,
	TYPE_SPF = 99,     /* RFC 4408; a TXT since RFC 7208 */
	TYPE_NXNAME = 128, /* only in an NSEC's bitmap (RFC 9824) */
	TYPE_TKEY = 249,
	TYPE_TSIG = 250,
	TYPE_IXFR = 251,
	TYPE_AXFR = 252,
	TYPE_MAILB = 253,
	TYPE_MAILA = 254,
	TYPE_ANY = 255,
};
enum { CLASS_IN = 1, CLASS_CH = 3, CLASS_NONE = 254, CLASS_ANY = 255 };

enum {
	RECORD_FIXED = 10, /* bytes between owner and rdata: type, class, ttl, rdlength */
	RECORD_HEADER = 2 + RECORD_FIXED, /* before the rdata, with a pointer for an owner */
};

struct rrset {
	uint16_t type;
	uint16_t count;  /* records */
	uint32_t ttl;    /* seconds, the same in every record */
	uint32_t length; /* bytes of wire */
	uint8_t wire[];
};

/* The first record's rdata and its length, for sets of one record (CNAME, DNAME, SOA). */
const uint8_t *rrset_rdata(const struct rrset *rrset, size_t *length);

/* The layout of this type's rdata, for types with names that an old server may have compressed (RFC
 * 3597 section 4), and for types with a fixed form. The text has one character for each element:
 * 'n' is a name, a digit is so many bytes, 's' is a character-string, and '*' is the rest. NULL:
 * opaque rdata, to be copied unchanged. */
const char *record_layout(uint16_t type);
/* Whether the layout has a name, so that a copy of the rdata needs its names uncompressed. */
bool record_has_names(uint16_t type);

/* Moves *at from the start of a layout's element to its end; false: it is malformed or ends after
 * `end`. lowest, jumps: the lowest target and the number of pointers in names (rules/wire.h). */
bool record_skip_element(char element, const uint8_t *packet, size_t *at, size_t end, size_t lowest,
			 unsigned *jumps);
/* A walk over uncompressed rdata by parts: names, whose case does not matter, and other bytes.
 * Together the parts are all of the rdata, even if it does not fit its layout. */
struct record_part {
	size_t start, end;
	bool is_name;
	const char *layout; /* the layout after this part */
};

/* Starts before the first part. */
struct record_part record_parts(uint16_t type);
/* Moves to the next part; false: there is none. */
bool record_next_part(struct record_part *part, const uint8_t *rdata, size_t length);

/* Compares uncompressed rdata of one type and length; 0: the same record (RFC 2181 section 5),
 * without regard to the case of names. */
int record_compare_rdata(uint16_t type, const uint8_t *a, const uint8_t *b, size_t length);

/* Whether packet[at] up to `end` fits the type's layout exactly. */
bool record_rdata_fits(uint16_t type, const uint8_t *packet, size_t at, size_t end, size_t lowest,
		       unsigned *jumps);

/* Whether records of this type can be data of a zone. Types that exist only in questions or the
 * additional section (RFC 6895 section 3.1), and reserved ones, cannot. */
bool record_type_is_data(uint16_t type);

/* "A", "TYPE65280"; returns text (at least 16 bytes). */
char *record_type_print(uint16_t type, char *text, size_t size);
/* "A", "a", "TYPE1" -> 1; ERR_INVALID: no type. */
MUST_CHECK int record_type_parse(uint16_t *type, const char *text);

#endif
