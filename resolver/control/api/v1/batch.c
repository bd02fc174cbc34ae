/* POST /v1/ptrs: many PTRs at once, all or none of them (ptr_batch.h).
 *
 *     application/json   [{"address": A or "owner": ID, "reverse_fqdn": NAME or null, ...}, ...]
 *                        with "description" and "ttl"; 1 MiB, as all JSON
 *     text/csv           address,reverse_fqdn,description,ttl, as the first line names them, where
 *                        ptrdname means reverse_fqdn; management.upload_max
 *
 *     rows ─► read, checked, staged: a portion each round ─► any error? 400, all of them told
 *               └─► stored: a thread ─► in the book: a portion each round ─► published ─► 200
 *
 * ?dry_run=true stops ahead of storing. A row gives the whole PTR; without a name it removes the
 * PTR. An error names the row, "[17].ttl", and for CSV the line. Deliberately not here: whether
 * each name leads back, which takes questions; GET /v1/check does that for one. */

#include "resolver/control/api/batch.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/ptr_batch.h"
#include "resolver/control/resource/reverse_json.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"

enum { PORTION_ROWS = 200, SETTLED_ROWS = 1000, ERRORS_TOLD = 100 };

struct upload {
	struct api_request *request;
	struct work *work;
	struct ptr_batch *batch;
	struct batch_reader *reader;
	bool dry_run;
	json_t *errors;
	size_t error_count;
	bool no_memory; /* for one of the rows */
};

static void upload_free(struct upload *upload)
{
	ptr_batch_free(upload->batch);
	batch_reader_free(upload->reader);
	json_decref(upload->errors);
	free(upload);
}

/* ---- what is wrong ---- */

static void note_error(struct upload *upload, const struct batch_row *row,
		       const struct change_error *error)
{
	char path[CHANGE_FIELD_MAX + 32];
	upload->no_memory |= error->outcome == CHANGE_NO_MEMORY;
	if (upload->error_count++ >= ERRORS_TOLD)
		return;
	snprintf(path, sizeof path, "[%zu]%s%s", row->index, *error->field ? "." : "",
		 error->field);
	json_t *told = json_make("{s:o, s:s, s:o, s:o, s:o}", "path", json_text(path), "code",
				 api_v1_change_code(error), "line",
				 row->line ? json_integer(row->line) : json_null(), "field",
				 *error->field ? json_text(error->field) : json_null(), "message",
				 json_text(error->text));
	json_add(upload->errors, told);
}

/* The first error as the error, and all of them in a list beside it. */
static void answer_errors(struct upload *upload)
{
	const json_t *first = json_array_get(upload->errors, 0);
	const char *path = json_string_value(json_object_get(first, "path"));
	const char *message = json_string_value(json_object_get(first, "message"));
	char *text = NULL;
	if (asprintf(&text, "%zu %s, and nothing has changed; the first: %s", upload->error_count,
		     upload->error_count == 1 ? "row does not fit" : "rows do not fit",
		     message ? message : "") < 0)
		text = NULL;
	json_t *body = json_make("{s:{s:s, s:o, s:o}, s:O, s:I}", "error", "code", "invalid",
				 "message", json_text(text), "path", json_text(path), "errors",
				 upload->errors, "count", (json_int_t)upload->error_count);
	free(text);
	if (upload->no_memory) {
		json_decref(body);
		body = NULL;
	}
	api_reply_json(upload->request, 400, body, NULL);
}

/* ---- from the rows to the answer ---- */

static bool clear_portion(void *context)
{
	const struct upload *upload = context;
	return ptr_batch_clear(upload->batch, SETTLED_ROWS);
}

static void end(void *context)
{
	struct upload *upload = context;
	struct work *work = upload->work;
	upload_free(upload);
	work_end(work);
}

/* Ends the work, too. */
static void answer(struct upload *upload, const struct change_error *error)
{
	struct api_request *request = upload->request;
	const struct ptr_batch_counts counts = ptr_batch_count(upload->batch);
	if (error)
		api_fail_change(request, error);
	else if (upload->error_count > 0)
		answer_errors(upload);
	else
		api_reply_json(request, 200,
			       json_make("{s:I, s:I, s:I, s:b}", "set", (json_int_t)counts.set,
					 "removed", (json_int_t)counts.removed, "unchanged",
					 (json_int_t)counts.unchanged, "dry_run", upload->dry_run),
			       NULL);
	work_in_portions(upload->work, clear_portion, end);
}

static void store(void *context) /* in a thread of its own */
{
	const struct upload *upload = context;
	ptr_batch_store(upload->batch);
}

static bool settle_portion(void *context)
{
	const struct upload *upload = context;
	return ptr_batch_settle(upload->batch, SETTLED_ROWS);
}

static void on_settled(void *context)
{
	struct upload *upload = context;
	const struct ptr_batch_counts counts = ptr_batch_count(upload->batch);
	struct change_error error;
	int err = ptr_batch_finish(upload->batch, &error);
	if (err == 0)
		log_event(LOG_INFO, "change", "%zu PTRs set and %zu removed by %s", counts.set,
			  counts.removed, upload->request->client);
	answer(upload, err == 0 ? NULL : &error);
}

static void on_stored(void *context)
{
	const struct upload *upload = context;
	work_in_portions(upload->work, settle_portion, on_settled);
}

static void on_read(void *context)
{
	static const struct change_error no_thread = {
		.outcome = CHANGE_STORE,
		.text = "the system has no thread left to store it; try again"};
	struct upload *upload = context;
	const struct ptr_batch_counts counts = ptr_batch_count(upload->batch);
	upload->request->service->work.percent = 100;
	if (upload->error_count > 0 || upload->dry_run || counts.set + counts.removed == 0)
		answer(upload, NULL);
	else if (work_in_thread(upload->work, store, on_stored) != 0)
		answer(upload, &no_thread);
}

static int find_owner(const struct upload *upload, const struct batch_row *row,
		      const struct owner **owner, struct change_error *error)
{
	*owner = api_find_ptr(api_inventory(upload->request), row->owner);
	if (*owner)
		return 0;
	return change_refuse(error, row->owner_key,
			     "\"%.64s\" is not an address or id that we own; add the address first",
			     row->owner);
}

static bool read_portion(void *context)
{
	struct upload *upload = context;
	struct change_error error;
	struct batch_row row;
	const struct owner *owner;
	upload->request->service->work.percent = batch_reader_percent(upload->reader);
	for (unsigned i = 0; i < PORTION_ROWS; i++) {
		int err = batch_reader_next(upload->reader, &row, &error);
		if (err == ERR_NOT_FOUND)
			return false;
		if (err == 0)
			err = find_owner(upload, &row, &owner, &error);
		if (err == 0)
			err = ptr_batch_add(upload->batch, owner, &row.ptr, &error);
		if (err != 0)
			note_error(upload, &row, &error);
	}
	return true;
}

/* ---- beginning ---- */

/* False: it has been answered. */
static bool read_dry_run(struct api_request *request, bool *dry_run)
{
	const char *text = api_query(request, "dry_run");
	*dry_run = text && (strcmp(text, "true") == 0 || *text == '\0');
	if (!text || *dry_run || strcmp(text, "false") == 0)
		return true;
	api_fail_at(request, 400, "invalid", "dry_run",
		    "\"%.32s\" does not fit; give true or false", text);
	return false;
}

static struct upload *upload_new(struct api_request *request, bool dry_run,
				 struct change_error *error)
{
	struct upload *upload = calloc(1, sizeof *upload);
	*error = (struct change_error){.outcome = CHANGE_NO_MEMORY};
	if (!upload)
		return NULL;
	*upload = (struct upload){
		.request = request,
		.work = &request->service->work,
		.dry_run = dry_run,
		.errors = json_array(),
		.batch = ptr_batch_new(api_inventory(request)),
	};
	if (upload->errors && upload->batch && ptr_batch_is_open(upload->batch, error) == 0) {
		upload->reader = request->text ? batch_reader_of_csv(request->text,
								     request->text_length, error)
					       : batch_reader_of_json(request->body, error);
		if (upload->reader)
			return upload;
	}
	upload_free(upload);
	return NULL;
}

void api_ptrs_batch(struct api_request *request)
{
	struct work *work = &request->service->work;
	struct change_error error;
	bool dry_run;
	if (!read_dry_run(request, &dry_run) || !api_require_all(request))
		return;
	struct upload *upload = upload_new(request, dry_run, &error);
	if (!upload) {
		api_fail_change(request, &error);
	} else if (!api_work_begin(request, upload)) {
		upload_free(upload);
	} else {
		work_in_portions(work, read_portion, on_read);
	}
}
