/* Everything that can be asked of the management API. A new route is one row in api_routes.c and
 * its handler, declared here, in the file of its API. */
#ifndef SLUICE_API_ROUTES_H
#define SLUICE_API_ROUTES_H

#include "resolver/control/api.h"

extern const struct api_route api_routes[];

/* api_server.c: the running program itself */
void api_health(struct api_request *request);
void api_ready(struct api_request *request);
void api_status(struct api_request *request);
void api_reload(struct api_request *request);
void api_flush(struct api_request *request);
void api_upgrade(struct api_request *request);
void api_explain(struct api_request *request);

/* api_keystone.c: who has a secret gets a token, and is told where /v2 is */
void api_keystone_versions(struct api_request *request);
void api_keystone_version(struct api_request *request);
void api_keystone_issue(struct api_request *request);
void api_designate_version(struct api_request *request);

#endif
