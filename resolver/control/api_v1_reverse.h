/* What the handlers of /v1's addresses, services and PTRs share: which owner the path names, and
 * how it is shown. */
#ifndef SLUICE_API_V1_REVERSE_H
#define SLUICE_API_V1_REVERSE_H

#include "resolver/control/api.h"
#include "resolver/control/owner.h"

/* owner_json or owner_ptr_json. */
typedef json_t *show_owner(const struct owner *owner);

/* The owner that the path names, of a route with that kind of path; NULL: there is none. */
const struct owner *api_v1_address(const struct api_request *request);
const struct owner *api_v1_service(const struct api_request *request);
const struct owner *api_v1_ptr(const struct api_request *request);
/* Answers with the owner; NULL: 404. */
void api_v1_answer(struct api_request *request, const struct owner *owner, show_owner *show);

#endif
