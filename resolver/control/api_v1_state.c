/* /v1/state: what the management API keeps, as one document (state_json.h), out and in.
 *
 *     GET    all of it, written by a thread of its own while changes wait (work.h)
 *     PUT    makes it what the body says, all of it: one change */
#include "resolver/control/api_internal.h"
#include "resolver/control/api_reverse.h"
#include "resolver/control/control.h"
#include "resolver/control/state_json.h"
#include "resolver/log.h"

struct export
{
	struct api_request *request;
	char *text;
};

static void write_all(void *context) /* in a thread of its own */
{
	struct export *export = context;
	export->text = state_export(api_inventory(export->request));
}

/* Ends the work, too. */
static void answer(void *context)
{
	struct export *export = context;
	struct api_request *request = export->request;
	struct work *work = &request->control->work;
	if (export->text)
		api_finish((struct api_call *)request, 200, export->text);
	else
		api_reply_json(request, 200, NULL, NULL);
	free(export);
	work_end(work);
}

void api_state_export(struct api_request *request)
{
	struct work *work = &request->control->work;
	struct export *export = calloc(1, sizeof *export);
	if (!export || state_export_prepare(api_inventory(request)) != 0) {
		free(export);
		api_reply_json(request, 200, NULL, NULL);
		return;
	}
	export->request = request;
	if (!work_begin(work, export)) {
		free(export);
		api_fail(request, 503, NULL, "the server is about to end");
	} else if (work_in_thread(work, write_all, answer) != 0) {
		answer(export);
	}
}

void api_state_import(struct api_request *request)
{
	struct change *change = change_begin(api_inventory(request));
	int err = change ? state_import(change, request->body) : ERR_NOMEM;
	if (!api_change_end(request, change, err, NULL))
		return;
	log_event(LOG_INFO, "change", "state imported by %s", request->client);
	api_reply_empty(request, 204);
}
