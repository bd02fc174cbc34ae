/* A reload replaces the certificate and the clients, but not the listeners: another process could
 * take a port that is given up. */
#include "resolver/control/process/management_api.h"

#include <strings.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/base/regular_file.h"
#include "resolver/control/http/tls.h"
#include "resolver/control/process/sandbox.h"
#include "resolver/control/service/logouts.h"
#include "resolver/control/store/pairs.h"
#include "resolver/log.h"

/* ---- what a reload replaces ---- */

static bool wants_tls(const struct management *management)
{
	for (size_t i = 0; i < management->listen.count; i++)
		if (strncasecmp(management->listen.items[i], "https:", 6) == 0)
			return true;
	return false;
}

void management_access_release(struct management_access *access)
{
	http_secrets_free(access->secrets);
	http_certificate_free(access->certificate);
	http_hosts_free(access->hosts);
	*access = (struct management_access){.secrets = NULL};
}

int management_access_load(struct management_access *access, const struct management *management,
			   struct faults *faults)
{
	char error[HTTP_ERROR_MAX];
	*access = (struct management_access){
		.secrets = http_secrets_load(management, faults),
		.hosts = http_hosts_new(management->hosts.items, management->hosts.count),
		.upload_max = management->upload_max};
	bool tls = wants_tls(management);
	if (tls) {
		access->certificate =
			http_certificate_load(management->certificate, management->key, error);
		if (!access->certificate)
			fault_add(faults, FAULT_ERROR, &management->origin, "certificate", "%s",
				  error);
		else
			regular_file_warn(management->key, SECRET_OF_GROUP, &management->origin,
					  "key", faults);
	}
	if (!access->hosts)
		fault_add(faults, FAULT_ERROR, &management->origin, "hosts", "%s",
			  err_text(ERR_NOMEM));
	if (access->secrets && access->hosts && (access->certificate || !tls))
		return 0;
	management_access_release(access);
	return ERR_FAULTS;
}

static void serve(struct management_access *access, struct management_api *management)
{
	if (access->secrets) {
		http_auth_serve(management->auth, access->secrets);
		http_end_streams(management->http); /* clients reconnect, if they still may */
	}
	if (access->certificate) /* else an old https listener keeps its certificate */
		http_use_certificate(management->http, access->certificate);
	if (access->hosts) {
		http_use_hosts(management->http, access->hosts);
		atomic_store(&management->api.upload_max, access->upload_max);
	}
	*access = (struct management_access){.secrets = NULL};
}

/* Compares pointers, because models share the strings of unchanged clients. */
static bool same_clients(const struct management *management, const struct management *before)
{
	bool same = management->clients.count == before->clients.count;

	for (size_t i = 0; same && i < management->clients.count; i++)
		same = management->clients.items[i].id == before->clients.items[i].id;
	return same;
}

/* The URL after "http://" or "https://". */
static const char *place_of(const char *url)
{
	return strchr(url, ':') + 3;
}

/* Whether the API was opened at the host of this URL, or at one that overlaps, whatever the scheme.
 */
static bool is_there(const struct management_api *management, const char *url)
{
	char listener[sizeof "https://" + HOST_TEXT_MAX];
	struct host host, other;

	if (http_url_host(url, &host) != 0)
		return false;
	for (const char *at = management->listeners; *at; at = strchr(at, '\n') + 1) {
		snprintf(listener, sizeof listener, "%.*s", (int)strcspn(at, "\n"), at);
		if (http_url_host(listener, &other) == 0 &&
		    (host_equal(&host, &other) || host_overlaps(&host, &other)))
			return true;
	}
	return false;
}

/* The API's URLs stay open until a restart. If metrics listened at one of them, or at one that
 * overlaps, each connection could go to either. */
static int check_metrics(const struct management_api *management,
			 const struct metrics_settings *metrics, struct faults *faults)
{
	size_t errors = faults->errors;

	for (size_t i = 0; i < metrics->listen.count; i++) {
		const char *url = metrics->listen.items[i];
		char field[32];

		if (!is_there(management, url))
			continue;
		snprintf(field, sizeof field, "listen[%zu]", i);
		fault_add(faults, FAULT_ERROR, &metrics->origin, field,
			  "the management API has %s until the next restart; restart, or give "
			  "metrics another URL",
			  place_of(url));
	}
	return faults->errors > errors ? ERR_FAULTS : 0;
}

/* A change of resources can change only the clients; if they are the same, no file is read. */
int management_api_prepare(struct management_api *management, const struct model *model,
			   const struct model *before, struct faults *faults)
{
	bool is_change = before && model->declared && model->declared == before->declared;
	int err;

	if (!before || (is_change && same_clients(&model->management, &before->management)))
		return 0;
	if (!is_change) {
		err = check_metrics(management, &model->metrics, faults);
		if (management_access_load(&management->next, &model->management, faults) != 0)
			return ERR_FAULTS;
		if (err)
			management_access_release(&management->next);
		return err;
	}
	management->next.secrets = http_secrets_load(&model->management, faults);
	return management->next.secrets ? 0 : ERR_FAULTS;
}

void management_api_finish(struct management_api *management, bool served)
{
	if (served)
		serve(&management->next, management);
	else
		management_access_release(&management->next);
}

void management_api_use_state(struct management_api *management)
{
	char error[SOURCE_ERROR_MAX];
	struct token_key key;
	_Static_assert(sizeof key.bytes == PAIRS_SECRET_BYTES, "a key is one secret");
	int err = pairs_secret(resources_store(management->api.service->resources)->source,
			       "tokens", key.bytes, error);
	if (err == 0)
		http_auth_use_key(management->auth, &key);
	else if (err != ERR_NOT_FOUND)
		log_event(
			LOG_WARNING, "control",
			"the key that signs tokens cannot be read, so tokens end with this run: %s",
			error);
	explicit_bzero(&key, sizeof key);
	logouts_load(resources_store(management->api.service->resources), management->auth,
		     time(NULL));
}

/* ---- what needs a restart ---- */

/* All URLs as one text; NULL: out of memory. */
static char *listeners_text(const struct management *management)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return NULL;
	for (size_t i = 0; i < management->listen.count; i++)
		fprintf(out, "%s\n", management->listen.items[i]);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

void management_api_warn(const struct management_api *management, const struct management *wanted,
			 struct faults *faults)
{
	char *listeners = listeners_text(wanted);

	if (strcmp(wanted->socket, management->socket_path) != 0 && management->has_socket)
		fault_add(faults, FAULT_WARNING, &wanted->origin, "socket",
			  "another control socket takes a restart; until then use --socket %s",
			  management->socket_path);
	else if (strcmp(wanted->socket, management->socket_path) != 0)
		fault_add(faults, FAULT_WARNING, &wanted->origin, "socket",
			  "another control socket takes a restart; until then there is none");
	if (listeners && strcmp(listeners, management->listeners) != 0)
		fault_add(faults, FAULT_WARNING, &wanted->origin, "listen",
			  "other listeners take a restart; until then they stay as they are");
	free(listeners);
}

/* ---- opening and closing ---- */

static int add_listener(struct management_api *management, struct master_link *master,
			enum master_kind kind, enum http_origin origin, const char *name,
			char error[HTTP_ERROR_MAX])
{
	int fd, err;

	_Static_assert((int)HTTP_ERROR_MAX >= MASTER_LINK_ERROR_MAX, "one line is the other's");
	err = master_link_open(master, kind, name, &fd, error);
	if (err == 0) {
		err = http_add(management->http, name, origin, fd);
		snprintf(error, HTTP_ERROR_MAX, "%s", err_text(err));
	}
	return err;
}

/* A socket that cannot be opened is an error only if the file has a `management` group: without the
 * group, the socket is a convenience. A server that is started again goes without the socket, for
 * the same reason as in open_listeners. */
static int open_socket(struct management_api *management, struct master_link *master,
		       const struct management *wanted, bool again)
{
	char error[HTTP_ERROR_MAX];

	management->has_socket = add_listener(management, master, MASTER_UNIX, HTTP_UNIX,
					      management->socket_path, error) == 0;
	if (management->has_socket)
		return EXIT_SUCCESS;
	if (wanted->given && !again)
		return exit_fail("%s", error);
	log_event(LOG_WARNING, "control", "%s; reload, status and flush cannot reach this server",
		  error);
	return EXIT_SUCCESS;
}

/* A server that is started again goes without a listener that cannot be opened. A reload may have
 * accepted the setting without opening the listener, and DNS clients must get answers all the
 * same. */
static int open_listeners(struct management_api *management, struct master_link *master,
			  const struct management *wanted, bool again)
{
	char error[HTTP_ERROR_MAX];

	for (size_t i = 0; i < wanted->listen.count; i++) {
		const char *url = wanted->listen.items[i];

		if (add_listener(management, master, MASTER_HTTP, http_origin_of(url), url,
				 error) == 0)
			log_event(LOG_INFO, "http", "management API at %s", url);
		else if (again)
			log_event(LOG_ERROR, "http",
				  "management.listen[%zu]: %s; until a restart, the management API "
				  "is not there",
				  i, error);
		else
			return exit_fail("management.listen[%zu]: %s", i, error);
	}
	return EXIT_SUCCESS;
}

int management_api_listen(struct management_api *management)
{
	char error[HTTP_ERROR_MAX];

	return http_listen(management->http, error) == 0 ? EXIT_SUCCESS : exit_fail("%s", error);
}

int management_api_open(struct management_api *management, uv_loop_t *loop, struct service *service,
			const struct api_dialect *const *dialects, struct master_link *master,
			bool again, const struct model *model, struct faults *faults)
{
	const struct management *wanted = &model->management;

	management->auth = http_auth_new();
	management->api =
		(struct api){.service = service, .auth = management->auth, .dialects = dialects};
	management->socket_path = strdup(wanted->socket);
	management->listeners = listeners_text(wanted);
	struct http_handler handler = api_handler(&management->api);
	handler.on_thread = sandbox_bare_thread;
	management->http = management->auth ? http_new(loop, &handler) : NULL;
	if (!management->http || !management->socket_path || !management->listeners)
		return exit_fail("%s", err_text(ERR_NOMEM));
	if (management_access_load(&management->next, wanted, faults) != 0) {
		faults_sort(faults);
		faults_print(faults, stderr);
		return EXIT_FAILURE;
	}
	serve(&management->next, management);
	int status = open_socket(management, master, wanted, again);
	return status == EXIT_SUCCESS ? open_listeners(management, master, wanted, again) : status;
}

void management_api_close(struct management_api *management)
{
	api_let_go(&management->api);
	http_close(management->http);
	management->http = NULL;
}

void management_api_release(struct management_api *management)
{
	http_auth_free(management->auth);
	free(management->socket_path);
	free(management->listeners);
}
