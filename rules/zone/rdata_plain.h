/* The quick way to read rdata, a part of rdata.c's work: types whose fields are all addresses,
 * numbers of 16 and 32 bits, names and character-strings. */
#ifndef SLUICE_RDATA_PLAIN_H
#define SLUICE_RDATA_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* rdata has room for RDATA_MAX. False for types of other fields, and for text that is not right. */
bool rdata_parse_plain(uint16_t type, const char *text, const uint8_t *origin, uint8_t *rdata,
		       size_t *length);

#endif
