/* The certificate that https listeners show, and its key. */
#ifndef SLUICE_HTTP_TLS_H
#define SLUICE_HTTP_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "resolver/control/http/http.h"

/* TLS 1.3, and 1.2 with ECDHE and AEAD only (RFC 9325 sections 3.1.1, 4.1 and 4.2). */
#define HTTP_TLS_PRIORITIES                                                                        \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-CIPHER-ALL:+AES-256-GCM:"       \
	"+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD"

/* A gnutls_certificate_retrieve_function3 for connections of a struct http. */
int http_tls_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
			 gnutls_pcert_st **chain, unsigned *length, gnutls_ocsp_data_st **ocsp,
			 unsigned *ocsp_length, gnutls_privkey_t *key, unsigned *flags);

#endif
