/* Helpers of all APIs that have addresses and PTRs. */
#ifndef SLUICE_API_REVERSE_H
#define SLUICE_API_REVERSE_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/owned_resource.h"

struct resources *api_resources(const struct api_request *request);
/* The model of api_resources: the served one, or that of a draft or a thread's view. */
const struct model *api_model(const struct api_request *request);

/* True: the state could not be read for this request, which has been answered (503). */
bool api_could_not_read(struct api_request *request);

/* The resource group of the path; NULL for GROUP_NONE. */
const char *api_group(const struct api_request *request);

/* Answers a change that failed, in the dialect of the request's API. */
void api_fail_change(struct api_request *request, const struct change_error *error);
/* The HTTP status of a change that failed. */
unsigned api_change_status(const struct change_error *error);
/* Checks the request's preconditions against an address or service (NULL: it does not exist yet),
 * or against the list of all of them; false: they are not met, and the request has been answered.
 */
bool api_require_address(struct api_request *request, const struct owned_resource *resource);
bool api_require_all(struct api_request *request);
/* Gives the answer the etag of the list of all addresses and services. True: the client has that
 * version, and the request has been answered 304. */
bool api_all_not_modified(struct api_request *request);
enum { API_OWNED_TEXT_MAX = 1400 };
/* "address mail, 192.0.2.1, PTR mail.test."; returns text. */
char *api_owned_text(const struct owned_resource *resource, char text[API_OWNED_TEXT_MAX]);
/* api_owned_text, with a text that lives as long as the request. */
const char *api_address_title(struct api_request *request, const struct owned_resource *resource);
/* Writes a line to the log: what was done, to what, and by whom. */
void api_log_change(const struct api_request *request, const char *what, const char *text);

/* The network with this private address. api_check_forward looks the PTR's name up there if
 * reverse.resolve_in is not set. NULL: no network has the address, or it is public. */
const char *api_own_network(const struct model *model, const struct address *address);
/* Looks up whether the name in the resource's PTR leads back to its address. If it does not, or if
 * that could not be found out, a warning is logged and passed to on_known (NULL: the name leads
 * back, there is no PTR, or memory is short). on_known, which may be NULL, is called once, within
 * 3 s and perhaps before this returns. */
void api_check_forward(struct service *service, const struct owned_resource *resource,
		       void (*on_known)(void *context, const char *warning), void *context);

#endif
