/* sluice's own API, /v1, and the routes without a login: its handlers, by file. */
#ifndef SLUICE_API_V1_H
#define SLUICE_API_V1_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/change_error.h"

extern const struct api_dialect api_v1;

/* The error code of a failed change. */
const char *api_v1_change_code(const struct change_error *error);

/* ---- v1/server.c, ready.c, changes.c, registrations.c: the running program itself ---- */

void api_health(struct api_request *request);
void api_ready(struct api_request *request);
void api_status(struct api_request *request);
void api_server(struct api_request *request);
void api_flush(struct api_request *request);
void api_names(struct api_request *request);
void api_plan(struct api_request *request);
void api_rule_statistics(struct api_request *request);
void api_registrations(struct api_request *request);
void api_registrations_delete(struct api_request *request);

/* ---- v1/explain.c ---- */

void api_explain(struct api_request *request);

/* ---- v1/login.c ---- */

void api_login_link(struct api_request *request);
void api_login_with_code(struct api_request *request);

/* ---- v1/check.c ---- */

void api_check(struct api_request *request);

/* ---- v1/list.c, server.c: parameters of several routes ---- */

/* Reads ?limit, or sets the default. False: it is invalid, and the request has been answered. */
bool api_v1_limit(struct api_request *request, size_t *limit);
/* Reads ?limit of a stream, the number of events after which it ends; 0: it was not given. False:
 * it is invalid, and the request has been answered.
 */
bool api_v1_stream_limit(struct api_request *request, size_t *limit);
/* False: no configuration is served yet, and the request has been answered 503. */
bool api_v1_is_serving(struct api_request *request);
/* Reads ?after, a number that an earlier answer had; text NULL: 0. False: it is invalid, and the
 * request has been answered. */
bool api_v1_after(struct api_request *request, const char *text, uint64_t *after);

/* ---- v1/resource.c, list.c, export.c, zone_file.c ---- */

void api_export(struct api_request *request);
void api_zone_file(struct api_request *request);
void api_zone_read(struct api_request *request);
void api_schema(struct api_request *request);
void api_resource_list(struct api_request *request);
void api_resource_show(struct api_request *request);
void api_resource_put(struct api_request *request);
void api_resource_patch(struct api_request *request);
void api_resource_delete(struct api_request *request);

/* ---- v1/openapi.c ---- */

void api_openapi(struct api_request *request);
/* The document for the routes of these dialects, which end with a NULL. */
json_t *openapi_document(const struct api_dialect *const *dialects);

/* ---- v1/changes.c ---- */

void api_changes_list(struct api_request *request);
void api_changes_post(struct api_request *request);

/* ---- v1/queries.c ---- */

void api_queries(struct api_request *request);

/* ---- v1/events.c ---- */

void api_events(struct api_request *request);

/* ---- v1/history.c ---- */

void api_history_show(struct api_request *request);

/* ---- v1/report.c ---- */

void api_report(struct api_request *request);

/* ---- v1/batch.c ---- */

void api_ptrs_batch(struct api_request *request);

/* ---- v1/state.c ---- */

void api_state_export(struct api_request *request);
void api_state_import(struct api_request *request);

#endif
