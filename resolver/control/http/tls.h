/* The certificate of https listeners, and its key. */
#ifndef SLUICE_TLS_H
#define SLUICE_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "resolver/control/http/http.h"

/* Reads a certificate with its chain, and its key, from PEM files; the two must belong together.
 * NULL: `error` has the reason. */
struct http_certificate *http_certificate_load(const char *chain, const char *key,
					       char error[HTTP_ERROR_MAX]);
void http_certificate_free(struct http_certificate *certificate); /* NULL is fine */

/* Makes copies for a handshake, which frees them. Returns 0 or GnuTLS' error. */
MUST_CHECK int http_certificate_copy(const struct http_certificate *certificate,
				     gnutls_pcert_st **chain, unsigned *length,
				     gnutls_privkey_t *key);

#endif
