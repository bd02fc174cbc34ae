/* Decodes a TSIG key's secret from base64 (RFC 4648). */
#ifndef SLUICE_TSIG_SECRET_H
#define SLUICE_TSIG_SECRET_H

#include <stddef.h>
#include <stdint.h>

enum { TSIG_SECRET_MAX = 256 };

/* Returns the number of bytes; 0: invalid, or more than TSIG_SECRET_MAX. Skips blanks. */
size_t tsig_secret_decode(const char *text, uint8_t secret[TSIG_SECRET_MAX]);

#endif
