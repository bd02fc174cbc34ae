/* GET /v1/registrations: what machines have registered in private zones.
 *
 *     ?zone=GROUP/NAME   of that zone alone
 *     ?limit=N           so many, at most (1000; never more than 5000)
 *     ?marker=N          those behind the first N
 *
 *     {"registrations": [{"zone", "name", "type", "address", "ttl", "by", "served"}],
 *      "next": the path and query of the next page, null: this is the last} */
#include <stdlib.h>
#include <strings.h>

#include "resolver/control/api/item.h"
#include "resolver/control/api/registrations.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "rules/schema/reference.h"

static json_t *row_of(const struct api_request *request, const struct machine *machine)
{
	char address[ADDRESS_TEXT_MAX];

	address_print(&machine->address, address);
	return json_make(
		"{s:o, s:o, s:s, s:s, s:i, s:o, s:b}", "zone",
		json_text(full_name(&machine->zone->named)), "name",
		json_sprintf("%s.%s.", machine->label, machine->zone->name), "type",
		machine->address.family == 4 ? "A" : "AAAA", "address", address, "ttl",
		REGISTERED_TTL_S, "by",
		json_sprintf("network interface %s", full_name(&machine->interface->named)),
		"served", registration_is_served(request, machine));
}

/* False: a parameter does not fit, which has been answered. */
static bool read_query(struct api_request *request, size_t *limit, size_t *marker,
		       const struct private_zone **zone)
{
	static const char *const known[] = {"zone", "limit", "marker", NULL};
	const char *other = api_query_other(request, known), *text = api_query(request, "zone");
	char why[REFERENCE_TEXT_MAX], *end = NULL;

	if (other) {
		api_fail_at(request, 400, "invalid", other,
			    "is not known here; there is zone, limit and marker");
		return false;
	}
	*zone = text ? model_zone(api_model(request), NULL, text) : NULL;
	if (text && !*zone) {
		api_fail_at(request, 404, "not_found", "zone", "%s",
			    reference_refusal(api_model(request), REFERS_ZONE, NULL, text, why));
		return false;
	}
	text = api_query(request, "marker");
	*marker = text ? strtoul(text, &end, 10) : 0;
	if (text && (*text < '0' || *text > '9' || *end)) {
		api_fail_at(request, 400, "invalid", "marker",
			    "it is not from a \"next\"; follow the previous page's");
		return false;
	}
	return api_v1_limit(request, limit);
}

void api_registrations(struct api_request *request)
{
	const struct private_zone *zone;
	struct machine *machines = NULL;
	size_t limit, marker, count = 0, at = 0;
	json_t *rows = json_array(), *next = NULL;

	if (!read_query(request, &limit, &marker, &zone)) {
		json_decref(rows);
		return;
	}
	if (registered_machines(api_model(request), &machines, &count) != 0) {
		json_decref(rows);
		api_fail_memory(request);
		return;
	}
	for (size_t i = 0; i < count && !next; i++) {
		if ((zone && machines[i].zone != zone) || at++ < marker)
			continue;
		if (json_array_size(rows) < limit)
			json_add(rows, row_of(request, &machines[i]));
		else
			next = json_sprintf("/v1/registrations?limit=%zu&marker=%zu%s%s", limit,
					    marker + limit, zone ? "&zone=" : "",
					    zone ? full_name(&zone->named) : "");
	}
	free(machines);
	api_reply_json(
		request, 200,
		json_make("{s:o, s:o}", "registrations", rows, "next", next ? next : json_null()),
		NULL);
}
