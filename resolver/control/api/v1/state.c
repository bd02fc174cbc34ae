/* /v1/state: the addresses, services, PTRs and groups of the state, as one document (state_json.h).
 *
 *     GET    exports it; a thread writes the document (long_answer.h)
 *     PUT    replaces it by the body, in one change, made in a thread
 */
#include <stdlib.h>

#include "resolver/control/api/long_answer.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/resource/address_draft.h"
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
	return state_export(answer->inventory, length);
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
	struct api_request *request;
	char not_json[API_TEXT_MAX];
};

static int put_all(void *context, struct address_draft *draft)
{
	struct import_request *import = context;
	const struct api_request *request = import->request;
	json_t *document = request->text ? api_parse(request->dialect, request->text,
						     request->text_length, import->not_json)
					 : NULL;
	int err = *import->not_json
			  ? draft_fail(draft, CHANGE_INVALID, NULL, "%s", import->not_json)
			  : state_json_read(draft, document);
	json_decref(document);
	return err;
}

static void on_import(void *context, int err, const struct service_change *change,
		      const struct faults *none)
{
	struct import_request *import = context;
	struct api_request *request = import->request;

	(void)none;
	if (*import->not_json) {
		api_fail(request, 400, NULL, "%s", import->not_json);
	} else if (err) {
		api_fail_change(request, &change->error);
	} else {
		log_event_guarded(LOG_INFO, "change", "state imported", "state imported by %s",
				  request->who);
		api_reply_empty(request, 204);
	}
	free(import);
}

void api_state_import(struct api_request *request)
{
	struct service_change change = {.put = put_all, .large = true, .who = request->who};
	struct import_request *import;

	if (!api_require_all(request))
		return;
	import = calloc(1, sizeof *import);
	if (!import) {
		api_fail_memory(request);
		return;
	}
	import->request = request;
	change.context = import;
	service_commit(request->service, &change, on_import, import);
}
