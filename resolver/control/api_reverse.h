/* What the APIs that know addresses and PTRs have in common, and their handlers. */
#ifndef SLUICE_API_REVERSE_H
#define SLUICE_API_REVERSE_H

#include "resolver/control/api.h"
#include "resolver/control/change.h"

struct inventory *api_inventory(const struct api_request *request);

/* The resource group of the path; NULL for GROUP_NONE. */
const char *api_group(const struct api_request *request);

/* Begins a work of the request's (work.h). False: the program is about to end, which has been
 * answered. */
bool api_work_begin(struct api_request *request, void *context);

/* The owner of a PTR that "REGION:UUID", a UUID or an address names; NULL: there is none. */
const struct owner *api_find_ptr(const struct inventory *inventory, const char *text);

/* The word for it in that API; Keystone changes nothing. */
const char *api_change_code(const struct change_error *error, enum api_shape shape);
/* Answers with what a change failed of, in the words of the request's API. */
void api_fail_change(struct api_request *request, const struct change_error *error);
/* Whether the request's preconditions hold for all that is ours, as its lists are tagged; false:
 * they do not, which has been answered. */
bool api_require_all(struct api_request *request);
/* Gives the answer the tag of all that is ours. True: the client has that, and has been told so. */
bool api_all_not_modified(struct api_request *request);
/* A change of an owner (NULL: there is none) by the request's preconditions. *err is not 0 when it
 * is void already; api_change_end takes both. */
struct change *api_change_begin(struct api_request *request, const struct owner *owner, int *err);
/* Commits the change unless err, and frees it. False: it did not come about, which has been
 * answered, with `error` where that has the reason (it may be NULL), else with the change's own. */
bool api_change_end(struct api_request *request, struct change *change, int err,
		    const struct change_error *error);

enum { API_OWNER_TEXT_MAX = 1400 };
/* "address mail, 192.0.2.1, PTR mail.test."; returns text. */
char *api_owner_text(const struct owner *owner, char text[API_OWNER_TEXT_MAX]);
/* One line in the log: what has been done to what, and by whom. */
void api_log_change(const struct api_request *request, const char *what, const char *owner_text);

/* Where a private address's names are told, which is its own network; NULL: it has none. */
const char *api_own_network(const struct model *model, const struct address *address);
/* Finds out whether the owner's PTR names something that leads back to its address. A name that
 * does not is a line in the log, and the warning for on_known, which is called once, perhaps before
 * this returns and within 3 s; NULL: nothing is wrong, or there is no PTR. on_known may be NULL. */
void api_check_forward(struct control *control, const struct owner *owner,
		       void (*on_known)(void *context, const char *warning), void *context);

/* ---- api_v1_list.c ---- */

void api_addresses_list(struct api_request *request);
void api_services_list(struct api_request *request);
void api_ptrs_list(struct api_request *request);

/* ---- api_v1_reverse.c; PUT and PATCH: api_v1_store.c ---- */

void api_address_show(struct api_request *request);
void api_address_put(struct api_request *request);
void api_address_patch(struct api_request *request);
void api_address_delete(struct api_request *request);
void api_service_show(struct api_request *request);
void api_service_put(struct api_request *request);
void api_service_patch(struct api_request *request);
void api_service_delete(struct api_request *request);
void api_ptr_show(struct api_request *request);
void api_ptr_put(struct api_request *request);
void api_ptr_patch(struct api_request *request);
void api_ptr_delete(struct api_request *request);
void api_check(struct api_request *request);

/* ---- api_v1_batch.c ---- */

void api_ptrs_batch(struct api_request *request);

/* ---- api_v1_state.c ---- */

void api_state_export(struct api_request *request);
void api_state_import(struct api_request *request);

/* ---- api_designate.c ---- */

void api_floatingips_list(struct api_request *request);
void api_floatingip_show(struct api_request *request);
void api_floatingip_patch(struct api_request *request);
void api_floatingip_delete(struct api_request *request);

#endif
