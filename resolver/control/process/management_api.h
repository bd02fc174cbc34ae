/* The management API's listeners, which stay as they were opened, and what every reload replaces:
 * the clients that are let in, and the certificate that is shown. */
#ifndef SLUICE_MANAGEMENT_API_H
#define SLUICE_MANAGEMENT_API_H

#include "resolver/control/api/api.h"
#include "resolver/control/http/auth.h"
#include "resolver/control/http/http.h"
#include "resolver/control/process/master_link.h"
#include "resolver/control/service/service.h"

/* What a configuration says about access, read from its files. */
struct management_access {
	struct http_secrets *secrets;         /* NULL: those of before */
	struct http_certificate *certificate; /* NULL: no https, or that of before */
	struct http_hosts *hosts;             /* NULL: those of before, and upload_max */
	size_t upload_max;
};
/* 0, or ERR_FAULTS. Then it is released. */
MUST_CHECK int management_access_load(struct management_access *access,
				      const struct management *management, struct faults *faults);
void management_access_release(struct management_access *access);

struct management_api {
	struct api api;
	struct management_access next; /* of the model that is about to be served */
	struct http *http;             /* its listeners */
	struct http_auth *auth;        /* who may use it */
	bool has_socket;               /* else none could be had */
	char *socket_path;             /* where it is, whatever a later model says */
	char *listeners;               /* the URLs that the others were opened at */
};

/* Opens what the model says, by sockets of the master's. EXIT_SUCCESS, or what was printed about;
 * either way management_api_close ends it, when the questions of our own have been answered
 * (service_close). */
int management_api_open(struct management_api *management, uv_loop_t *loop, struct service *service,
			const struct api_dialect *const *dialects, struct master_link *master,
			const struct model *model, struct faults *faults);
/* Begins to accept connections. Call it when management_api_use_state has read the key of tokens,
 * or tokens of the server before are refused. EXIT_SUCCESS, or what was printed about. */
int management_api_listen(struct management_api *management);
/* Stops the listeners; the loop's last callbacks free the rest, but for management_api_release. */
void management_api_close(struct management_api *management);
void management_api_release(struct management_api *management);

/* As service_access has them: what every model brings. prepare does nothing for the first one. */
MUST_CHECK int management_api_prepare(struct management_api *management, const struct model *model,
				      const struct model *before, struct faults *faults);
void management_api_finish(struct management_api *management, bool served);

/* Tokens are signed with the state's key from now on; without a state, or when that fails, with the
 * key of before, which ends with this run. */
void management_api_use_state(struct management_api *management);

/* Warns of what a reload cannot change of listeners. */
void management_api_warn(const struct management_api *management, const struct management *wanted,
			 struct faults *faults);

#endif
