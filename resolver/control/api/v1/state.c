/* /v1/state: the addresses, services, PTRs and groups of the state, as one document (state_json.h).
 *
 *     GET    exports it; a thread writes the document (long_answer.h)
 *     PUT    replaces it by the body, in one change, made in a thread
 */
#include <stdlib.h>

#include "resolver/control/api/long_answer.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/resource/state_json.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"

/* ---- export ---- */

static bool prepare(struct api_long_answer *answer)
{
	return !api_all_not_modified(answer->request);
}

static char *write_all(struct api_long_answer *answer, size_t *length)
{
	return state_export(answer->resources, length);
}

static void export_free(struct api_long_answer *answer)
{
	free(answer);
}

void api_state_export(struct api_request *request)
{
	struct api_long_answer *answer = malloc(sizeof *answer);

	if (!answer) {
		api_fail_memory(request);
		return;
	}
	*answer = (struct api_long_answer){
		.request = request, .prepare = prepare, .write = write_all, .free = export_free};
	api_answer_long(answer);
}

/* ---- import ---- */

struct import_request {
	struct work_job job; /* first; a thread frees the document */
	struct work *work;
	struct api_request *request; /* until it is answered */
	struct state_import *import; /* NULL: not begun */
	char not_json[API_TEXT_MAX];
};

/* Parses the document in the thread, because it may be large. */
static int begin(struct import_request *importing, struct change_error *error)
{
	const struct api_request *request = importing->request;
	json_t *document = request->text ? api_parse(request->dialect, request->text,
						     request->text_length, importing->not_json)
					 : NULL;

	if (*importing->not_json) {
		json_decref(document);
		return change_refuse(error, NULL, "%s", importing->not_json);
	}
	importing->import = state_import_new(document);
	return importing->import ? 0 : change_no_memory(error);
}

/* The `more` of a service_change. */
static int next_page(void *context, struct resources *resources, struct edit_page *page,
		     struct change_error *error)
{
	struct import_request *importing = context;
	int err = importing->import ? 0 : begin(importing, error);

	if (!err)
		err = state_import_next(importing->import, resources, page, error);
	return err;
}

static void free_import(void *context)
{
	struct import_request *importing = context;

	state_import_free(importing->import);
}

static void free_importing(void *context)
{
	free(context);
}

static void on_import(void *context, int err, const struct service_change *change,
		      const struct faults *none)
{
	struct import_request *importing = context;
	struct api_request *request = importing->request;
	struct change_error error = change->error;

	(void)none;
	if (importing->import && change->failed != NO_EDIT && change_error_is_of_edit(&error))
		state_import_place(importing->import, change->failed, &error);
	if (*importing->not_json) {
		api_fail(request, 400, NULL, "%s", importing->not_json);
	} else if (err) {
		api_fail_change(request, &error);
	} else {
		log_event_guarded(LOG_INFO, "change", "state imported", "state imported by %s",
				  request->who);
		api_reply_empty(request, 204);
	}
	if (importing->import &&
	    work_beside_in_thread(importing->work, &importing->job, free_import, free_importing))
		return;
	free_import(importing);
	free_importing(importing);
}

void api_state_import(struct api_request *request)
{
	struct service_change change = {
		.more = next_page, .large = true, .who = request->who, .why = ADDRESSES_IMPORT};
	struct import_request *importing;

	if (!api_require_all(request))
		return;
	importing = calloc(1, sizeof *importing);
	if (!importing) {
		api_fail_memory(request);
		return;
	}
	importing->request = request;
	importing->work = &request->service->work;
	change.context = importing;
	service_commit(request->service, &change, on_import, importing);
}
