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
void api_explain(struct api_request *request);

#endif
