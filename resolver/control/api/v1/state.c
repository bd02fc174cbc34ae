/* /v1/state: what the management API keeps, as one document (state_json.h), out and in.
 *
 *     GET    all of it, written by a thread of its own while changes wait (work.h)
 *     PUT    makes it what the body says, in one change, made in a thread (bulk.h) */
#include "resolver/control/api/bulk.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/resource/state_json.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"

/* ---- out ---- */

struct export
{
	struct api_request *request;
	struct inventory *inventory;
	char *text;
	size_t length;
};

static void write_all(void *context) /* in a thread of its own */
{
	struct export *export = context;
	export->text = state_export(export->inventory, &export->length);
}

/* Ends the work, too. */
static void answer(void *context)
{
	struct export *export = context;
	struct api_request *request = export->request;
	struct work *work = &request->service->work;
	const char *trouble = export->inventory ? inventory_trouble(export->inventory) : NULL;
	if (export->text)
		api_reply_text(request, NULL, export->text, export->length);
	else if (trouble)
		api_fail(request, 503, "store_failed", "%s", trouble);
	else
		api_fail_memory(request);
	inventory_aside_free(export->inventory);
	free(export);
	work_end(work);
}

void api_state_export(struct api_request *request)
{
	if (api_all_not_modified(request))
		return;
	struct export *export = calloc(1, sizeof *export);
	if (!export) {
		api_fail_memory(request);
		return;
	}
	export->request = request;
	if (!api_work_begin(request, export)) {
		free(export);
		return;
	}
	export->inventory = inventory_aside(api_inventory(request));
	if (!export->inventory || work_in_thread(&request->service->work, write_all, answer) != 0)
		answer(export);
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
		log_event(LOG_INFO, "change", "state imported by %s", request->client);
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
