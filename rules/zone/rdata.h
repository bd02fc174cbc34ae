/* Converts the data of one record between presentation form (RFC 1035 section 5.1, and for every
 * type RFC 3597's "\# LENGTH HEX") and wire. ldns knows the types; data that it cannot print and
 * read back is printed in RFC 3597's form. */
#ifndef SLUICE_RDATA_H
#define SLUICE_RDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "rules/err.h"
#include "rules/name.h"

enum { RDATA_MAX = 65535 }; /* bytes */

/* Whether these bytes can be uncompressed rdata of this type, according to record_layout. */
bool rdata_is_valid(uint16_t type, const uint8_t *rdata, size_t length);

/* Reads one line without comments and parentheses. Names without a final dot, and "@", are relative
 * to `origin` (uncompressed wire). ERR_INVALID: *why is the reason, a text that stays valid. */
MUST_CHECK int rdata_parse(uint16_t type, const char *text, const uint8_t *origin,
			   uint8_t rdata[RDATA_MAX], size_t *length, const char **why);

/* Reads one name in the same way, and keeps its case. Also ERR_TOO_LONG, with *why. */
MUST_CHECK int rdata_parse_name(const char *text, const uint8_t *origin,
				uint8_t wire[NAME_WIRE_MAX], size_t *length, const char **why);

/* Reads a time up to a blank: "3600", or with units (s, m, h, d, w) "1h30m". False: it is no time,
 * or over `most` seconds. */
bool rdata_parse_period(const char *text, uint32_t most, uint32_t *seconds);

/* Prints a form that rdata_parse reads back to the same bytes with any origin. ERR_SYSTEM: `out`
 * fails. */
MUST_CHECK int rdata_print(uint16_t type, const uint8_t *rdata, size_t length, FILE *out);

#endif
