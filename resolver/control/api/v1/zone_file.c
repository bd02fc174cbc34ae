/* /v1/private_zones/GROUP/NAME/master_file. GET prints the records that a zone serves, from its
 * file and from the state, as a master file. POST turns a master file, {"text"}, into record sets,
 * {"record_sets": [{"name", "ttl", "records"}], "warnings": ["line 1: ..."]}; it changes nothing,
 * and the zone need not exist: the client can send the sets as edits. Only one GET or POST is
 * handled at a time, in a thread, and clients take turns (work_reading in service/work.h). So other
 * threads stay free for changes. */
#include "resolver/control/api/long_answer.h"
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

/* ---- GET ---- */

struct zone_download {
	struct api_long_answer answer; /* first */
	struct zone *zone;             /* as it is served when the answer's turn comes */
};

static bool find_zone(struct api_long_answer *answer)
{
	struct zone_download *download = (struct zone_download *)answer;
	struct api_request *request = answer->request;
	struct path path = {kind_named("zone"),
			    api_parameter(request, "group"),
			    {api_parameter(request, "name"), NULL}};
	const struct model *served = request->service->server.model;
	const struct private_zone *zone;
	char why[PART_WHY_MAX];

	if (part_normalize(served, &path, &request->arena) != 0) {
		api_fail_memory(request);
		return false;
	}
	path.group = resource_group(request, &path, why);
	if (!path.group) {
		api_fail(request, 400, "invalid", "%s", why);
		return false;
	}
	zone = part_find(served, &path);
	if (zone)
		download->zone = zone_ref(zone->zone);
	else
		api_fail(request, 404, "not_found", "%s", part_missing(served, &path, why));
	return zone;
}

static char *write_zone(struct api_long_answer *answer, size_t *length)
{
	struct zone_download *download = (struct zone_download *)answer;
	char *text = NULL;
	FILE *out = open_memstream(&text, length);
	int err = out ? zonefile_write(download->zone, out) : ERR_NOMEM;

	if (out && fclose(out) != 0)
		err = ERR_NOMEM;
	if (!err)
		return text;
	free(text);
	return NULL;
}

static void download_free(struct api_long_answer *answer)
{
	struct zone_download *download = (struct zone_download *)answer;

	zone_unref(download->zone);
	free(download);
}

void api_zone_file(struct api_request *request)
{
	struct zone_download *download = calloc(1, sizeof *download);

	if (!download) {
		api_fail_memory(request);
		return;
	}
	download->answer = (struct api_long_answer){.request = request,
						    .type = "text/dns", /* RFC 4027 */
						    .needs_no_view = true,
						    .prepare = find_zone,
						    .write = write_zone,
						    .free = download_free};
	api_answer_long(&download->answer);
}

/* ---- POST ---- */

struct zone_upload {
	struct work_reading reading; /* first */
	struct api_request *request;
	struct name apex;
	const char *text;
	struct faults faults;
	char *answer; /* NULL: the faults have the reason, or there was no memory */
	/* Used only by read_zone, in its thread. */
	struct json_writer writer;
	bool has_soa; /* the file has a SOA, so none was made for it */
};

static int add_set(void *context, const uint8_t *owner, const struct rrset *set)
{
	struct zone_upload *upload = context;
	char name[RECORD_SET_NAME_MAX];

	if (set->type == TYPE_SOA && !upload->has_soa)
		return 0;
	record_set_name(&upload->apex, owner, set->type, name);
	json_writer_row(&upload->writer,
			json_make("{s:o, s:I, s:o}", "name", json_text(name), "ttl",
				  (json_int_t)set->ttl, "records", report_records(set)));
	return 0;
}

/* Warnings with the line alone, because the text is in no file. */
static json_t *warnings_of(const struct faults *faults)
{
	json_t *array = json_array();

	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		char text[API_TEXT_MAX];

		if (fault->severity != FAULT_WARNING)
			continue;
		snprintf(text, sizeof text, "line %u: %s", fault->origin.line, fault->text);
		json_add(array, json_text(text));
	}
	return array;
}

/* A file may have 100,000 sets, so their JSON is not written in the control thread. */
static char *answer_of(struct zone_upload *upload, struct zone *zone)
{
	struct json_writer *writer = &upload->writer;
	size_t length;

	if (!json_writer_begin(writer, ",", JSON_COMPACT))
		return NULL;
	json_writer_list(writer, "{\"record_sets\":[");
	upload->has_soa = zone_has_own_soa(zone);
	zone_walk(zone, add_set, upload);
	fputs("],\"warnings\":", writer->out);
	json_writer_value(writer, warnings_of(&upload->faults));
	fputs("}", writer->out);
	return json_writer_end(writer, &length);
}

static void read_zone(struct work_reading *in_turn) /* in a thread */
{
	static const struct hash_key any_key;
	struct zone_upload *upload = (struct zone_upload *)in_turn;
	FILE *in = fmemopen((char *)(uintptr_t)upload->text, strlen(upload->text), "r");
	struct zone *zone =
		in ? zonefile_read(in, "text", NULL, &any_key, &upload->apex, &upload->faults)
		   : NULL;

	if (in)
		fclose(in);
	faults_sort(&upload->faults);
	if (zone)
		upload->answer = answer_of(upload, zone);
	zone_unref(zone);
}

static void upload_free(struct zone_upload *upload)
{
	faults_release(&upload->faults);
	free(upload->answer);
	free(upload);
}

static bool on_turn(struct work_reading *in_turn)
{
	struct zone_upload *upload = (struct zone_upload *)in_turn;
	bool goes_on = api_still_may(upload->request);

	if (!goes_on)
		upload_free(upload);
	return goes_on;
}

static void on_read(struct work_reading *in_turn, bool given_up)
{
	struct zone_upload *upload = (struct zone_upload *)in_turn;
	struct api_request *request = upload->request;

	if (given_up) {
		api_fail_ending(request);
	} else if (!api_still_may(request)) {
		/* answered */
	} else if (upload->answer) {
		api_reply_json_text(request, 200, upload->answer);
		upload->answer = NULL;
	} else if (upload->faults.errors > 0) {
		api_fail_faults(request, 400, "invalid", &upload->faults);
	} else {
		api_fail_memory(request);
	}
	upload_free(upload);
}

void api_zone_read(struct api_request *request)
{
	const char *name = api_parameter(request, "name");
	const char *text = json_string_value(json_object_get(request->body, "text"));
	struct zone_upload *upload;
	struct name apex;

	if (!text || !*text) {
		api_fail_at(request, 400, "invalid", "text", "is missing; give a master file");
		return;
	}
	if (name_from_text(&apex, &request->service->server.key, name) != 0) {
		api_fail(request, 400, "invalid", "\"%.255s\" is no zone's name", name);
		return;
	}
	upload = calloc(1, sizeof *upload);
	if (!upload) {
		api_fail_memory(request);
		return;
	}
	upload->request = request;
	upload->text = text;
	name_copy(&upload->apex, &apex);
	faults_init(&upload->faults);
	upload->reading = (struct work_reading){.client = request->client,
						.on_begin = on_turn,
						.in_thread = read_zone,
						.on_done = on_read};
	work_read(&request->service->work, &upload->reading);
}
