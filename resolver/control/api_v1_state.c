/* /v1/state: what the management API keeps, as one document (state_json.h), out and in.
 *
 *     GET    all of it
 *     PUT    makes it what the body says, all of it: one change */
#include "resolver/control/api_reverse.h"
#include "resolver/control/state_json.h"
#include "resolver/log.h"

void api_state_export(struct api_request *request)
{
	api_reply_json(request, 200, state_export(api_inventory(request)), NULL);
}

void api_state_import(struct api_request *request)
{
	struct change *change = change_begin(api_inventory(request));
	int err = change ? state_import(change, request->body) : ERR_NOMEM;
	if (err == 0)
		err = change_commit(change);
	if (err == 0) {
		log_event(LOG_INFO, "change", "state imported by %s", request->client);
		api_reply_empty(request, 204);
	} else {
		api_fail_change(request, change_error(change));
	}
	change_free(change);
}
