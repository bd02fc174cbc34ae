/* A TSIG key's secret, from base64 (RFC 4648) to its bytes. */
#ifndef SLUICE_TSIG_SECRET_H
#define SLUICE_TSIG_SECRET_H

#include <stddef.h>
#include <stdint.h>

enum { TSIG_SECRET_MAX = 256 };

/* How many bytes the text stands for; 0 when it is none, or more than TSIG_SECRET_MAX. Blanks in it
 * are passed over. */
size_t tsig_secret_decode(const char *text, uint8_t secret[TSIG_SECRET_MAX]);

#endif
