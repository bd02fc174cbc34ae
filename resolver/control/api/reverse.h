/* What the APIs that know addresses and PTRs have in common. */
#ifndef SLUICE_API_REVERSE_H
#define SLUICE_API_REVERSE_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/change.h"

struct inventory *api_inventory(const struct api_request *request);

/* Whether the state could not be read while this request looked for something; that has been
 * answered then (503). */
bool api_could_not_read(struct api_request *request);

/* The resource group of the path; NULL for GROUP_NONE. */
const char *api_group(const struct api_request *request);

/* Answers why a change failed, in the words of the request's API. */
void api_fail_change(struct api_request *request, const struct change_error *error);
/* The status of HTTP that such an answer has. */
unsigned api_change_status(const struct change_error *error);
/* Whether the request's preconditions hold for an address or service (NULL: nothing is there yet),
 * and for all that is ours, by the etag of its lists; false: they do not, which has been answered.
 */
bool api_require_address(struct api_request *request, const struct owned_resource *resource);
bool api_require_all(struct api_request *request);
/* Gives the answer the etag of all that is ours. True: the client has that version, and has been
 * answered 304. */
bool api_all_not_modified(struct api_request *request);
enum { API_OWNED_TEXT_MAX = 1400 };
/* "address mail, 192.0.2.1, PTR mail.test."; returns text. */
char *api_owned_text(const struct owned_resource *resource, char text[API_OWNED_TEXT_MAX]);
/* The same, as long as the request lives: an address or a service. */
const char *api_address_title(struct api_request *request, const struct owned_resource *resource);
/* One line in the log: what was done to what, and by whom. */
void api_log_change(const struct api_request *request, const char *what, const char *text);

/* The network of a private address, in which its names are looked up; NULL: it is in none. */
const char *api_own_network(const struct model *model, const struct address *address);
/* Finds out whether the name in the PTR of the resource leads back to its address. If not, that is
 * a line in the log, and the warning for on_known (NULL: nothing is wrong, or there is no PTR).
 * on_known is called once, within 3 s and perhaps before this returns; it may be NULL. */
void api_check_forward(struct service *service, const struct owned_resource *resource,
		       void (*on_known)(void *context, const char *warning), void *context);

#endif
