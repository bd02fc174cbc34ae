/* A certificate is renewed every few weeks while connections come and go. So the present one is
 * kept as text, and each handshake gets its own copy, which GnuTLS frees. Parsing the text is cheap
 * beside the signature of a handshake. */
#include "resolver/control/http/tls.h"

#include <errno.h>

#include "resolver/control/base/regular_file.h"

enum { PEM_MAX = 1024 * 1024, CHAIN_MAX = 16 };

struct http_certificate {
	char *chain, *key; /* PEM */
};

/* ---- files ---- */

/* Clears the text before freeing it, because it may contain a key. */
static void free_secret(char *text, size_t length)
{
	if (text)
		explicit_bzero(text, length);
	free(text);
}

/* Reads a whole file as text; NULL: `error` has the reason. */
static char *read_pem(const char *path, const char *what, char error[HTTP_ERROR_MAX])
{
	const char *why;
	FILE *file = regular_file_open(path, &why);
	char *text = file ? calloc(1, PEM_MAX + 2) : NULL;
	size_t length = text ? fread(text, 1, PEM_MAX + 1, file) : 0;
	if (text && !ferror(file) && length <= PEM_MAX) {
		fclose(file);
		return text;
	}
	snprintf(error, HTTP_ERROR_MAX, "the %s %.150s cannot be read: %s", what, path,
		 !file              ? why
		 : length > PEM_MAX ? "it is longer than 1 MiB"
				    : strerror(errno));
	free_secret(text, length);
	if (file)
		fclose(file);
	return NULL;
}

/* ---- copies for handshakes ---- */

static gnutls_datum_t datum(char *text)
{
	return (gnutls_datum_t){(unsigned char *)text, (unsigned)strlen(text)};
}

static int copy_chain(const struct http_certificate *certificate, gnutls_pcert_st **chain,
		      unsigned *length)
{
	gnutls_datum_t pem = datum(certificate->chain);
	*length = CHAIN_MAX;
	*chain = gnutls_calloc(CHAIN_MAX, sizeof **chain);
	if (!*chain)
		return GNUTLS_E_MEMORY_ERROR;
	int err = gnutls_pcert_list_import_x509_raw(*chain, length, &pem, GNUTLS_X509_FMT_PEM,
						    GNUTLS_X509_CRT_LIST_SORT);
	if (err < 0)
		gnutls_free(*chain);
	return err < 0 ? err : 0;
}

static int copy_key(const struct http_certificate *certificate, gnutls_privkey_t *key)
{
	gnutls_datum_t pem = datum(certificate->key);
	int err = gnutls_privkey_init(key);
	if (err < 0)
		return err;
	err = gnutls_privkey_import_x509_raw(*key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (err < 0)
		gnutls_privkey_deinit(*key);
	return err < 0 ? err : 0;
}

int http_certificate_copy(const struct http_certificate *certificate, gnutls_pcert_st **chain,
			  unsigned *length, gnutls_privkey_t *key)
{
	int err = copy_key(certificate, key);

	if (err != 0)
		return err;
	err = copy_chain(certificate, chain, length);
	if (err != 0)
		gnutls_privkey_deinit(*key);
	return err;
}

/* ---- loading ---- */

static int check(const struct http_certificate *certificate, char error[HTTP_ERROR_MAX])
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t chain = datum(certificate->chain), key = datum(certificate->key);
	gnutls_pcert_st *copy;
	unsigned length;
	int err = gnutls_certificate_allocate_credentials(&credentials);
	if (err == 0) {
		err = gnutls_certificate_set_x509_key_mem(credentials, &chain, &key,
							  GNUTLS_X509_FMT_PEM);
		gnutls_certificate_free_credentials(credentials);
	}
	if (err >= 0)
		err = copy_chain(certificate, &copy, &length);
	if (err >= 0) {
		for (unsigned i = 0; i < length; i++)
			gnutls_pcert_deinit(&copy[i]);
		gnutls_free(copy);
		return 0;
	}
	snprintf(error, HTTP_ERROR_MAX,
		 "management.certificate and management.key cannot be used: %s",
		 gnutls_strerror(err));
	return ERR_INVALID;
}

struct http_certificate *http_certificate_load(const char *chain, const char *key,
					       char error[HTTP_ERROR_MAX])
{
	struct http_certificate *certificate = calloc(1, sizeof *certificate);
	snprintf(error, HTTP_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	if (certificate && (certificate->chain = read_pem(chain, "certificate", error)) &&
	    (certificate->key = read_pem(key, "key", error)) && check(certificate, error) == 0)
		return certificate;
	http_certificate_free(certificate);
	return NULL;
}

void http_certificate_free(struct http_certificate *certificate)
{
	if (!certificate)
		return;
	free(certificate->chain);
	free_secret(certificate->key, certificate->key ? strlen(certificate->key) : 0);
	free(certificate);
}
