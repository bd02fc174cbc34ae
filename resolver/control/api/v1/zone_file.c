/* /v1/private_zones/GROUP/NAME/master_file: a zone's records as a master file, those of a file and
 * those of the state alike, as they are served; and a master file, {"text"}, as the record sets
 * that it would be, {"record_sets": [{"name", "ttl", "records"}]}. That changes nothing, and the
 * zone need not be there: who wants them sends them as edits. */
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/service/service.h"
#include "rules/schema/record_set.h"
#include "rules/zone/zonefile.h"

void api_zone_file(struct api_request *request)
{
	struct path path = {kind_named("zone"),
			    api_parameter(request, "group"),
			    {api_parameter(request, "name"), NULL}};
	const struct model *served = request->service->server.model;
	const struct private_zone *zone;
	char *text = NULL, why[PART_WHY_MAX];
	size_t length = 0;
	FILE *out;
	int err;

	path.group = resource_group(request, &path);
	zone = part_find(served, &path);
	if (!zone) {
		api_fail(request, 404, "not_found", "%s",
			 part_missing(&path, part_named(served, path.kind, path.names[0]), why));
		return;
	}
	out = open_memstream(&text, &length);
	err = out ? zonefile_write(zone->zone, out) : ERR_NOMEM;
	if (out && fclose(out) != 0)
		err = ERR_NOMEM;
	if (!err) {
		api_reply_text(request, "text/dns", text, length); /* RFC 4027 */
		return;
	}
	free(text);
	api_fail_memory(request);
}

struct reading {
	struct name apex;
	json_t *sets;
	bool has_soa; /* of its own, not one that was made for it */
};

static int add_set(void *context, const uint8_t *owner, const struct rrset *set)
{
	struct reading *reading = context;
	char name[RECORD_SET_NAME_MAX];

	if (set->type == TYPE_SOA && !reading->has_soa)
		return 0;
	record_set_name(&reading->apex, owner, set->type, name);
	json_add(reading->sets, json_make("{s:o, s:I, s:o}", "name", json_text(name), "ttl",
					  (json_int_t)set->ttl, "records", report_records(set)));
	return 0;
}

static struct zone *read_text(const struct name *apex, const char *text, struct faults *faults)
{
	static const struct hash_key any_key;
	FILE *in = fmemopen((char *)text, strlen(text), "r");
	struct zone *zone = in ? zonefile_read(in, "text", &any_key, apex, faults) : NULL;

	if (in)
		fclose(in);
	return zone;
}

void api_zone_read(struct api_request *request)
{
	const char *name = api_parameter(request, "name");
	const char *text = json_string_value(json_object_get(request->body, "text"));
	struct reading reading;
	struct faults faults;
	struct zone *zone;

	if (!text || !*text) {
		api_fail_at(request, 400, "invalid", "text", "is missing; give a master file");
		return;
	}
	if (name_from_text(&reading.apex, &request->service->server.key, name) != 0) {
		api_fail(request, 400, "invalid", "\"%.255s\" is no zone's name", name);
		return;
	}
	faults_init(&faults);
	zone = read_text(&reading.apex, text, &faults);
	faults_sort(&faults);
	if (zone) {
		reading.sets = json_array();
		reading.has_soa = zone_has_own_soa(zone);
		zone_walk(zone, add_set, &reading);
		api_reply_json(request, 200, json_make("{s:o}", "record_sets", reading.sets), NULL);
	} else if (faults.errors > 0) {
		api_fail_faults(request, 400, "invalid", &faults);
	} else {
		api_fail_memory(request);
	}
	zone_unref(zone);
	faults_release(&faults);
}
