/* What the handlers of /v1's addresses, services and PTRs share: which owner the path names, and
 * how it is shown. */
#ifndef SLUICE_API_V1_REVERSE_H
#define SLUICE_API_V1_REVERSE_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/owner.h"

enum api_v1_noun { API_V1_ADDRESS, API_V1_SERVICE, API_V1_PTR };
json_t *api_v1_show(enum api_v1_noun noun, const struct owner *owner);

/* The owner that the path names, of a route with that kind of path; NULL: there is none. */
const struct owner *api_v1_address(const struct api_request *request);
const struct owner *api_v1_service(const struct api_request *request);
const struct owner *api_v1_ptr(const struct api_request *request);
/* Answers with the owner; NULL: api_v1_miss. */
void api_v1_answer(struct api_request *request, const struct owner *owner, enum api_v1_noun noun);
/* 404: what the path names is not there. */
void api_v1_miss(struct api_request *request, enum api_v1_noun noun);

#endif
