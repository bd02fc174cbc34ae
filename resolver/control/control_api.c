/* Listeners take a restart, because a port that is given up may be another's by the time that it is
 * wanted again; what they show and whom they let in does not. Their threads are started with
 * signals blocked: those are for the control thread alone. */
#include "resolver/control/control_api.h"

#include <errno.h>
#include <strings.h>

#include "resolver/control/api_routes.h"
#include "resolver/control/command.h"
#include "resolver/control/regular_file.h"
#include "resolver/log.h"

/* ---- what a reload brings ---- */

static bool wants_tls(const struct management *management)
{
	for (size_t i = 0; i < management->listen.count; i++)
		if (strncasecmp(management->listen.items[i], "https:", 6) == 0)
			return true;
	return false;
}

int control_access_load(struct control_access *access, const struct management *management,
			struct faults *faults)
{
	char error[HTTP_ERROR_MAX];
	*access = (struct control_access){
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
	control_access_release(access);
	return ERR_FAULTS;
}

void control_access_serve(struct control_access *access, struct control *control)
{
	http_auth_serve(control->auth, access->secrets);
	atomic_store(&control->upload_max, access->upload_max);
	if (access->certificate) /* else an old listener for https goes on with what it has */
		http_use_certificate(control->http, access->certificate);
	http_use_hosts(control->http, access->hosts);
	*access = (struct control_access){.secrets = NULL};
}

void control_access_release(struct control_access *access)
{
	http_secrets_free(access->secrets);
	http_certificate_free(access->certificate);
	http_hosts_free(access->hosts);
	*access = (struct control_access){.secrets = NULL};
}

void control_access_use_state(struct control *control)
{
	char error[SOURCE_ERROR_MAX];
	struct token_key key;
	_Static_assert(sizeof key.bytes == SOURCE_SECRET_BYTES, "a key is one secret");
	int err = inventory_secret(control->inventory, "tokens", key.bytes, error);
	if (err == 0)
		http_auth_use_key(control->auth, &key);
	else if (err != ERR_NOT_FOUND)
		log_event(
			LOG_WARNING, "control",
			"the key of tokens cannot be had, and tokens will not outlive this run: %s",
			error);
	explicit_bzero(&key, sizeof key);
}

/* ---- what stays ---- */

/* All URLs as one text; NULL without memory. */
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

void control_api_warn(const struct control *control, const struct management *management,
		      struct faults *faults)
{
	if (strcmp(management->socket, control->socket_path) != 0 && control->has_socket)
		fault_add(faults, FAULT_WARNING, &management->origin, "socket",
			  "another control socket takes a restart; until then use --socket %s",
			  control->socket_path);
	else if (strcmp(management->socket, control->socket_path) != 0)
		fault_add(faults, FAULT_WARNING, &management->origin, "socket",
			  "another control socket takes a restart; until then there is none");
	char *listeners = listeners_text(management);
	if (listeners && strcmp(listeners, control->listeners) != 0)
		fault_add(faults, FAULT_WARNING, &management->origin, "listen",
			  "other listeners take a restart; until then they stay as they are");
	free(listeners);
}

/* ---- opening and closing ---- */

static int add_listener(struct control *control, enum master_kind kind, enum http_origin origin,
			const char *name, char error[HTTP_ERROR_MAX])
{
	int fd, err;
	_Static_assert((int)HTTP_ERROR_MAX >= MASTER_LINK_ERROR_MAX, "one line is the other's");
	err = master_link_open(&control->master, kind, name, &fd, error);
	if (err == 0) {
		err = http_add(control->http, name, origin, fd);
		snprintf(error, HTTP_ERROR_MAX, "%s", err_text(err));
	}
	return err;
}

/* Without a `management` group the socket is a convenience; one that is configured is meant. */
static int open_socket(struct control *control, const struct management *management)
{
	char error[HTTP_ERROR_MAX];
	control->has_socket =
		add_listener(control, MASTER_UNIX, HTTP_UNIX, control->socket_path, error) == 0;
	if (control->has_socket)
		return COMMAND_FINE;
	if (management->given)
		return command_fail("%s", error);
	log_event(LOG_WARNING, "control", "%s; reload, status and flush cannot reach this server",
		  error);
	return COMMAND_FINE;
}

/* Beside another server it only has the sockets; whom it accepts, that one does. */
static int open_listeners(struct control *control, const struct management *management)
{
	char error[HTTP_ERROR_MAX];
	for (size_t i = 0; i < management->listen.count; i++) {
		const char *url = management->listen.items[i];
		if (add_listener(control, MASTER_HTTP, http_origin_of(url), url, error) != 0)
			return command_fail("%s", error);
		log_event(LOG_INFO, "http", "management API at %s", url);
	}
	if (!control->master.beside && http_listen(control->http, error) != 0)
		return command_fail("%s", error);
	return COMMAND_FINE;
}

static void on_thread(void *context)
{
	const struct api *api = context;
	control_bare_thread(api->control);
}

int control_api_open(struct control *control, const struct model *model, struct faults *faults)
{
	const struct management *management = &model->management;
	struct control_access access;
	control->auth = http_auth_new();
	control->api =
		(struct api){.control = control, .auth = control->auth, .routes = api_routes};
	control->socket_path = strdup(management->socket);
	control->listeners = listeners_text(management);
	struct http_handler handler = api_handler(&control->api);
	handler.on_thread = on_thread;
	control->http = control->auth ? http_new(&control->loop, &handler) : NULL;
	if (!control->http || !control->socket_path || !control->listeners)
		return command_fail("%s", err_text(ERR_NOMEM));
	if (control_access_load(&access, management, faults) != 0) {
		faults_sort(faults);
		faults_print(faults, stderr);
		return COMMAND_NO;
	}
	control_access_serve(&access, control);
	int status = open_socket(control, management);
	return status == COMMAND_FINE ? open_listeners(control, management) : status;
}

void control_api_close(struct control *control)
{
	api_let_go(&control->api);
	http_close(control->http);
	control->http = NULL;
}

void control_api_release(struct control *control)
{
	http_auth_free(control->auth);
	free(control->socket_path);
	free(control->listeners);
}
