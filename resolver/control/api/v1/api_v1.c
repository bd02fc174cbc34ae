/* Rows without parameters are tried first (api.c). Of the other rows the first that matches a path
 * and method counts, so a row with a literal segment stands above one with a parameter there. */
#include "resolver/control/api/v1/api_v1.h"

#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"

enum {
	STATE_BODY_MAX = 256 * 1024 * 1024,  /* enough for a million addresses */
	CHANGES_BODY_MAX = 64 * 1024 * 1024, /* enough for as many rules as v1/changes.c takes */
};

static const char *const of_change[] = {"dry_run", "make", NULL};
static const struct api_route routes[] = {
	{"GET", "/healthz", API_NOTHING, api_health, 0, NULL},
	{"GET", "/readyz", API_NOTHING, api_ready, 0, API_FIELDS("generation", "revision", "wait")},
	{"GET", "/v1/server", API_NOTHING, api_server, 0, API_NO_FIELDS},
	{"POST", "/v1/login", API_NOTHING, api_login_with_code, API_LOGIN_BODY_MAX, API_NO_FIELDS},
	{"POST", "/v1/login_links", API_READ, api_login_link, 0, API_NO_FIELDS},
	{"GET", "/v1/status", API_READ, api_status, 0, API_NO_FIELDS},
	{"GET", "/v1/explain", API_READ, api_explain, 0,
	 API_FIELDS("name", "type", "vnet", "endpoint", "from", "ask")},
	{"GET", "/v1/history", API_READ, api_history_show, 0, API_FIELDS("span")},
	{"GET", "/v1/names", API_READ, api_names, 0, API_FIELDS("limit")},
	{"GET", "/v1/report", API_READ, api_report, 0, API_FIELDS("sections", "days", "limit")},
	{"GET", "/v1/registrations", API_READ, api_registrations, 0,
	 API_FIELDS("zone", "q", "served", "limit", "marker")},
	{"DELETE", "/v1/registrations", API_CHANGE, api_registrations_delete, 0,
	 API_FIELDS("name", "type", "zone", "all", "dry_run")},
	{"GET", "/v1/statistics/rules", API_READ, api_rule_statistics, 0,
	 API_FIELDS("limit", "marker")},
	{"POST", "/v1/plan", API_OPERATE, api_plan, CHANGES_BODY_MAX, API_FIELDS("limit")},
	{"POST", "/v1/flush", API_OPERATE, api_flush, 0, API_NO_FIELDS},
	{"GET", "/v1/services/{name}", API_READ, api_resource_show, 0, API_NO_FIELDS},
	{"PUT", "/v1/services/{name}", API_CHANGE, api_resource_put, 0, of_change},
	{"PATCH", "/v1/services/{name}", API_CHANGE, api_resource_patch, 0, of_change},
	{"DELETE", "/v1/services/{name}", API_CHANGE, api_resource_delete, 0, of_change},
	{"GET", "/v1/ptrs", API_READ, api_resource_list, 0, NULL},
	{"POST", "/v1/ptrs", API_CHANGE, api_ptrs_batch, API_UPLOAD, of_change},
	{"GET", "/v1/ptrs/{id}", API_READ, api_resource_show, 0, API_NO_FIELDS},
	{"PUT", "/v1/ptrs/{id}", API_CHANGE, api_resource_put, 0, of_change},
	{"PATCH", "/v1/ptrs/{id}", API_CHANGE, api_resource_patch, 0, of_change},
	{"DELETE", "/v1/ptrs/{id}", API_CHANGE, api_resource_delete, 0, of_change},
	{"GET", "/v1/check", API_READ, api_check, 0, API_FIELDS("subject", "network")},
	{"GET", "/v1/state", API_READ, api_state_export, 0, API_NO_FIELDS},
	{"PUT", "/v1/state", API_CHANGE_TEXT, api_state_import, STATE_BODY_MAX, API_NO_FIELDS},
	{"GET", "/v1/export", API_OPERATE, api_export, 0, API_FIELDS("as")},
	{"GET", "/v1/schema", API_READ, api_schema, 0, API_NO_FIELDS},
	{"GET", "/v1/openapi.json", API_READ, api_openapi, 0, API_NO_FIELDS},
	{"GET", "/v1/events", API_READ, api_events, 0,
	 API_FIELDS("after", "limit", "event", "level")},
	{"GET", "/v1/changes", API_READ, api_changes_list, 0, API_FIELDS("after", "limit")},
	{"POST", "/v1/changes", API_OPERATE, api_changes_post, CHANGES_BODY_MAX,
	 API_FIELDS("dry_run", "confirm")},
	{"GET", "/v1/queries", API_READ, api_queries, 0,
	 API_FIELDS("suffix", "client", "network", "rcode", "slower_than_ms", "limit")},
	{"GET", "/v1/private_zones/{group}/{name}/master_file", API_READ, api_zone_file, 0,
	 API_NO_FIELDS},
	{"POST", "/v1/private_zones/{group}/{name}/master_file", API_READ, api_zone_read, 0,
	 API_NO_FIELDS},
	/* All kinds; names without a group are above. */
	{"GET", "/v1/{kind}", API_READ, api_resource_list, 0, NULL},
	{"GET", "/v1/{kind}/{group}", API_READ, api_resource_list, 0, NULL},
	{"GET", "/v1/{kind}/{group}/{name}", API_READ, api_resource_show, 0, API_NO_FIELDS},
	{"PUT", "/v1/{kind}/{group}/{name}", API_CHANGE, api_resource_put, 0, of_change},
	{"PATCH", "/v1/{kind}/{group}/{name}", API_CHANGE, api_resource_patch, 0, of_change},
	{"DELETE", "/v1/{kind}/{group}/{name}", API_CHANGE, api_resource_delete, 0, of_change},
	{"GET", "/v1/{kind}/{group}/{name}/{child}", API_READ, api_resource_list, 0, NULL},
	{"GET", "/v1/{kind}/{group}/{name}/{child}/{child_name}", API_READ, api_resource_show, 0,
	 API_NO_FIELDS},
	{"PUT", "/v1/{kind}/{group}/{name}/{child}/{child_name}", API_CHANGE, api_resource_put, 0,
	 of_change},
	{"PATCH", "/v1/{kind}/{group}/{name}/{child}/{child_name}", API_CHANGE, api_resource_patch,
	 0, of_change},
	{"DELETE", "/v1/{kind}/{group}/{name}/{child}/{child_name}", API_CHANGE,
	 api_resource_delete, 0, of_change},
	{.method = NULL},
};

static json_t *error_json(const struct api_error *error)
{
	json_t *object = json_make("{s:o, s:o, s:o}", "code", json_text(error->code), "message",
				   json_text(error->text), "path", json_text(error->field));

	if (error->faults)
		json_put(object, "faults", report_faults(error->faults));
	return json_make("{s:o}", "error", object);
}

const char *api_v1_change_code(const struct change_error *error)
{
	static const char *const codes[] = {
		[CHANGE_INVALID] = "invalid",     [CHANGE_NOT_FOUND] = "not_found",
		[CHANGE_TAKEN] = "taken",         [CHANGE_READ_ONLY] = "read_only",
		[CHANGE_EXHAUSTED] = "exhausted", [CHANGE_STALE] = "precondition_failed",
		[CHANGE_NO_STATE] = "no_state",   [CHANGE_BUSY] = "busy",
		[CHANGE_STORE] = "store_failed",  [CHANGE_UNKNOWN] = "outcome_unknown",
		[CHANGE_NO_MEMORY] = "no_memory",
	};

	return codes[error->outcome];
}

static void fail_change(struct api_request *request, const struct change_error *error,
			unsigned status)
{
	api_fail_at(request, status, api_v1_change_code(error), *error->field ? error->field : NULL,
		    "%s", error->text);
}

const struct api_dialect api_v1 = {
	.routes = routes, .codes = api_codes, .error = error_json, .fail_change = fail_change};
