/* /v1/state: what the management API keeps, as one document (state_json.h), out and in.
 *
 *     GET    all of it, written by a thread (long_answer.h)
 *     PUT    makes it what the body says, in one change, made in a thread (bulk.h) */
#include <stdlib.h>

#include "resolver/control/api/bulk.h"
#include "resolver/control/api/long_answer.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/resource/state_json.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"

/* ---- out ---- */

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

/* ---- in ---- */

struct import {
	struct api_bulk bulk; /* first */
	char not_json[API_TEXT_MAX];
};

static int read_all(struct api_bulk *bulk, struct change *change, struct inventory *inventory)
{
	struct import *import = (struct import *)bulk;
	const struct api_request *request = bulk->request;
	json_t *document =
		request->text ? api_parse(request->text, request->text_length, import->not_json)
			      : NULL;
	int err = *import->not_json
			  ? change_fail(change, CHANGE_INVALID, NULL, "%s", import->not_json)
			  : state_json_read(change, inventory, document);
	json_decref(document);
	return err;
}

static void answer_import(struct api_bulk *bulk, const struct change_error *error)
{
	struct api_request *request = bulk->request;
	const struct import *import = (const struct import *)bulk;
	if (*import->not_json) {
		api_fail(request, 400, NULL, "%s", import->not_json);
	} else if (error) {
		api_fail_change(request, error);
	} else {
		log_event_guarded(LOG_INFO, "change", "state imported", "state imported by %s",
				  request->client);
		api_reply_empty(request, 204);
	}
}

static void import_free(struct api_bulk *bulk)
{
	free((struct import *)bulk);
}

void api_state_import(struct api_request *request)
{
	if (!api_require_all(request))
		return;
	struct import *import = calloc(1, sizeof *import);
	if (!import) {
		api_fail_memory(request);
		return;
	}
	import->bulk = (struct api_bulk){
		.request = request, .edit = read_all, .answer = answer_import, .free = import_free};
	api_bulk(&import->bulk);
}
