/* Listeners: a socket of ours, and a libmicrohttpd daemon with one thread behind it. For https the
 * certificate and the key are tried first, so that what is wrong with them is told in words.
 *
 * A daemon that could not be started leaves its socket open: whether it has closed it itself
 * depends on how far it came, and a number that is closed twice may be another file's by then. */
#include <assert.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoints/socket.h"
#include "resolver/control/http_internal.h"
#include "resolver/control/regular_file.h"
#include "resolver/log.h"

enum { PEM_MAX = 1024 * 1024 };

/* Only what can be had without doubt today (RFC 9325 section 3.1.1). */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* ---- the daemon ---- */

static void on_log(void *context, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
static void on_log(void *context, const char *format, va_list arguments)
{
	(void)context;
	char text[512];
	vsnprintf(text, sizeof text, format, arguments);
	text[strcspn(text, "\n")] = '\0';
	log_event(LOG_DEBUG, "http", "%s", text);
}

static int listener_start(struct http *http, int fd, enum http_origin origin,
			  const struct unix_socket *socket, const char *certificate,
			  const char *key, char error[HTTP_ERROR_MAX])
{
	struct http_listener *listener = calloc(1, sizeof *listener);
	if (!listener) {
		snprintf(error, HTTP_ERROR_MAX, "%s", err_text(ERR_NOMEM));
		return ERR_NOMEM;
	}
	listener->http = http;
	listener->origin = origin;
	if (socket)
		listener->socket = *socket;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES},
		{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
			 MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 (origin == HTTP_TLS ? MHD_USE_TLS : 0);
	listener->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, http_on_access, listener, MHD_OPTION_EXTERNAL_LOGGER, on_log,
		NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		origin == HTTP_UNIX ? 0U : (unsigned)HTTP_PER_ADDRESS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, http->handler.idle_ms / 1000,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, http_on_target,
		listener, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, listener,
		MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, listener, MHD_OPTION_ARRAY,
		origin == HTTP_TLS ? tls : none, MHD_OPTION_END);
	if (!listener->daemon) {
		snprintf(error, HTTP_ERROR_MAX, "the HTTP server cannot be started: %s",
			 strerror(errno));
		free(listener);
		return ERR_SYSTEM;
	}
	SLIST_INSERT_HEAD(&http->listeners, listener, next);
	return 0;
}

/* ---- the unix socket ---- */

int http_listen_unix(struct http *http, const char *path, char error[HTTP_ERROR_MAX])
{
	struct unix_socket socket;
	int fd, err = unix_socket_open(&socket, path, &fd, error);
	if (err != 0)
		return err;
	err = listener_start(http, fd, HTTP_UNIX, &socket, NULL, NULL, error);
	if (err != 0)
		unix_socket_remove(&socket);
	return err;
}

/* ---- http and https ---- */

/* A whole file as text, to be wiped and freed; NULL with `error`. */
static char *read_pem(const char *path, const char *what, char error[HTTP_ERROR_MAX])
{
	const char *why;
	FILE *file = regular_file_open(path, &why);
	char *text = file ? calloc(1, PEM_MAX + 1) : NULL;
	size_t length = text ? fread(text, 1, PEM_MAX + 1, file) : 0;
	bool fine = text && !ferror(file) && length <= PEM_MAX;
	if (!fine)
		snprintf(error, HTTP_ERROR_MAX, "the %s %.150s cannot be read: %s", what, path,
			 !file              ? why
			 : length > PEM_MAX ? "it is longer than 1 MiB"
					    : strerror(errno));
	if (file)
		fclose(file);
	if (fine)
		return text;
	free(text);
	return NULL;
}

static void free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static int check_pair(const char *certificate, const char *key, char error[HTTP_ERROR_MAX])
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t chain = {(unsigned char *)(uintptr_t)certificate,
				(unsigned)strlen(certificate)};
	gnutls_datum_t secret = {(unsigned char *)(uintptr_t)key, (unsigned)strlen(key)};
	int err = gnutls_certificate_allocate_credentials(&credentials);
	if (err == 0) {
		err = gnutls_certificate_set_x509_key_mem(credentials, &chain, &secret,
							  GNUTLS_X509_FMT_PEM);
		gnutls_certificate_free_credentials(credentials);
	}
	if (err >= 0)
		return 0;
	snprintf(error, HTTP_ERROR_MAX,
		 "management.certificate and management.key cannot be used: %s",
		 gnutls_strerror(err));
	return ERR_INVALID;
}

static int bind_host(const struct host *host, const char *url, int *fd, char error[HTTP_ERROR_MAX])
{
	const int on = 1;
	struct sockaddr_storage storage;
	socklen_t length = socket_address(host, &storage);
	*fd = socket_tcp(host->address.family);
	if (*fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
	    bind(*fd, (struct sockaddr *)&storage, length) == 0 &&
	    listen(*fd, HTTP_CONNECTIONS_MAX) == 0)
		return 0;
	snprintf(error, HTTP_ERROR_MAX, "management.listen %s: %s", url, strerror(errno));
	if (*fd >= 0)
		close(*fd);
	return ERR_SYSTEM;
}

int http_listen_url(struct http *http, const char *url, const char *certificate, const char *key,
		    char error[HTTP_ERROR_MAX])
{
	bool tls = strncasecmp(url, "https://", 8) == 0;
	struct host host;
	char *chain = NULL, *secret = NULL;
	int fd, err = host_parse(&host, url + (tls ? 8 : 7), 0);
	assert(err == 0); /* has been checked */
	err = ERR_SYSTEM;
	if (tls &&
	    (!(chain = read_pem(certificate, "certificate", error)) ||
	     !(secret = read_pem(key, "key", error)) || check_pair(chain, secret, error) != 0))
		goto out;
	err = bind_host(&host, url, &fd, error);
	if (err == 0)
		err = listener_start(http, fd, tls ? HTTP_TLS : HTTP_TCP, NULL, chain, secret,
				     error);
out:
	free(chain);
	free_secret(secret);
	return err;
}
