/* The management API's listeners. They stay as they were opened; a reload replaces only the allowed
 * clients, the certificate, the host names and the size of uploads. */
#ifndef SLUICE_MANAGEMENT_API_H
#define SLUICE_MANAGEMENT_API_H

#include "resolver/control/api/api.h"
#include "resolver/control/http/auth.h"
#include "resolver/control/http/http.h"
#include "resolver/control/process/master_link.h"
#include "resolver/control/service/service.h"

/* A configuration's settings of access; the files that they name have been read. */
struct management_access {
	struct http_secrets *secrets;         /* NULL: keep the previous ones */
	struct http_certificate *certificate; /* NULL: no https, or keep the previous one */
	struct http_hosts *hosts;             /* NULL: keep the previous ones, and upload_max */
	size_t upload_max;
};
/* Returns 0 or ERR_FAULTS; in that case `access` is released. */
MUST_CHECK int management_access_load(struct management_access *access,
				      const struct management *management, struct faults *faults);
void management_access_release(struct management_access *access);

struct management_api {
	struct api api;
	struct management_access next; /* of the model being prepared */
	struct http *http;             /* the listeners */
	struct http_auth *auth;        /* the allowed clients */
	bool has_socket;               /* false: the socket could not be opened */
	char *socket_path;             /* as opened, whatever a later model says */
	char *listeners;               /* the URLs of management.listen, as opened */
};

/* Opens the model's listeners, with sockets of the master. `again`: the master has started this
 * server in place of one that ended, so a listener that cannot be opened is only logged. Returns
 * EXIT_SUCCESS, or the exit status of a printed error. Either way call management_api_close, but
 * after service_close, which ends the queries (server_ask) that requests wait for. */
int management_api_open(struct management_api *management, uv_loop_t *loop, struct service *service,
			const struct api_dialect *const *dialects, struct master_link *master,
			bool again, const struct model *model, struct faults *faults);
/* Begins to accept connections. Call it after management_api_use_state has read the key of tokens,
 * or tokens of the previous server are refused. Returns EXIT_SUCCESS, or the exit status of a
 * printed error. */
int management_api_listen(struct management_api *management);
/* Stops the listeners; the loop's last callbacks free them. management_api_release frees the
 * rest. */
void management_api_close(struct management_api *management);
void management_api_release(struct management_api *management);

/* For the callbacks of service_access (prepare_access and finish_access in process.c), which call
 * these for every model. management_api_prepare does nothing for the first one. */
MUST_CHECK int management_api_prepare(struct management_api *management, const struct model *model,
				      const struct model *before, struct faults *faults);
void management_api_finish(struct management_api *management, bool served);

/* Signs tokens with the state's key from now on, and reads the state's logouts. Without a state, or
 * if the key cannot be read, the previous key stays: the random first one, which is lost when this
 * run ends, or the one that was read from the state before. */
void management_api_use_state(struct management_api *management);

/* Warns of listener settings that only a restart can change. */
void management_api_warn(const struct management_api *management, const struct management *wanted,
			 struct faults *faults);

#endif
