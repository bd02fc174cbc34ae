/* Limits how often one client may ask the DNS by /v1's check and explain: 16 requests may be under
 * way, and 20 may begin within a second. */
#ifndef SLUICE_API_ASKING_H
#define SLUICE_API_ASKING_H

#include "resolver/control/api/api.h"

/* False: the client has reached its limit, and the request has been answered 429. Otherwise call
 * api_asking_end before the answer. */
MUST_CHECK bool api_asking_begin(struct api_request *request);
void api_asking_end(struct api_request *request);

#endif
