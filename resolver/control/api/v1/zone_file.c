/* /v1/private_zones/GROUP/NAME/master_file: a zone's records as a master file, those of a file and
 * those of the state alike, as they are served; and a master file, {"text"}, as the record sets
 * that it would be, {"record_sets": [{"name", "ttl", "records"}]}. That changes nothing, and the
 * zone need not be there: who wants them sends them as edits. Threads write and read them, beside
 * whatever else is done. */
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

/* ---- out ---- */

struct writing {
	struct work_job job; /* first */
	struct api_request *request;
	struct zone *zone; /* as it was when it was asked for */
	char *text;
	size_t length;
};

static void write_zone(void *job) /* in a thread */
{
	struct writing *writing = job;
	FILE *out = open_memstream(&writing->text, &writing->length);
	int err = out ? zonefile_write(writing->zone, out) : ERR_NOMEM;

	if (out && fclose(out) != 0)
		err = ERR_NOMEM;
	if (!err)
		return;
	free(writing->text);
	writing->text = NULL;
}

static void on_written(void *job)
{
	struct writing *writing = job;

	if (writing->text)
		api_reply_text(writing->request, "text/dns", writing->text, /* RFC 4027 */
			       writing->length);
	else
		api_fail_memory(writing->request);
	zone_unref(writing->zone);
	free(writing);
}

void api_zone_file(struct api_request *request)
{
	struct path path = {kind_named("zone"),
			    api_parameter(request, "group"),
			    {api_parameter(request, "name"), NULL}};
	const struct model *served = request->service->server.model;
	const struct private_zone *zone;
	struct writing *writing;
	char why[PART_WHY_MAX];

	path.group = resource_group(request, &path);
	zone = part_find(served, &path);
	if (!zone) {
		api_fail(request, 404, "not_found", "%s",
			 part_missing(&path, part_named(served, path.kind, path.names[0]), why));
		return;
	}
	writing = calloc(1, sizeof *writing);
	if (!writing) {
		api_fail_memory(request);
		return;
	}
	writing->request = request;
	writing->zone = zone_ref(zone->zone);
	if (work_beside_in_thread(&request->service->work, &writing->job, write_zone, on_written))
		return;
	api_fail_ending(request);
	zone_unref(writing->zone);
	free(writing);
}

/* ---- in ---- */

struct reading {
	struct work_job job; /* first */
	struct api_request *request;
	struct name apex;
	const char *text;
	struct faults faults;
	json_t *sets; /* NULL: the faults say why, or there was no memory */
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

static void read_zone(void *job) /* in a thread */
{
	static const struct hash_key any_key;
	struct reading *reading = job;
	FILE *in = fmemopen((char *)(uintptr_t)reading->text, strlen(reading->text), "r");
	struct zone *zone =
		in ? zonefile_read(in, "text", NULL, &any_key, &reading->apex, &reading->faults)
		   : NULL;

	if (in)
		fclose(in);
	if (zone) {
		reading->sets = json_array();
		reading->has_soa = zone_has_own_soa(zone);
		zone_walk(zone, add_set, reading);
	}
	zone_unref(zone);
	faults_sort(&reading->faults);
}

static void reading_free(struct reading *reading)
{
	faults_release(&reading->faults);
	free(reading);
}

static void on_read(void *job)
{
	struct reading *reading = job;
	struct api_request *request = reading->request;

	if (reading->sets)
		api_reply_json(request, 200, json_make("{s:o}", "record_sets", reading->sets),
			       NULL);
	else if (reading->faults.errors > 0)
		api_fail_faults(request, 400, "invalid", &reading->faults);
	else
		api_fail_memory(request);
	reading_free(reading);
}

void api_zone_read(struct api_request *request)
{
	const char *name = api_parameter(request, "name");
	const char *text = json_string_value(json_object_get(request->body, "text"));
	struct reading *reading;
	struct name apex;

	if (!text || !*text) {
		api_fail_at(request, 400, "invalid", "text", "is missing; give a master file");
		return;
	}
	if (name_from_text(&apex, &request->service->server.key, name) != 0) {
		api_fail(request, 400, "invalid", "\"%.255s\" is no zone's name", name);
		return;
	}
	reading = calloc(1, sizeof *reading);
	if (!reading) {
		api_fail_memory(request);
		return;
	}
	reading->request = request;
	reading->text = text;
	name_copy(&reading->apex, &apex);
	faults_init(&reading->faults);
	if (work_beside_in_thread(&request->service->work, &reading->job, read_zone, on_read))
		return;
	api_fail_ending(request);
	reading_free(reading);
}
