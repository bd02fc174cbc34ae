#include "resolver/control/api/bulk.h"

#include "resolver/control/api/reverse.h"
#include "resolver/control/service/service.h"

/* What comes to nothing is let go of here, too: that may be much. */
static void run(void *context) /* in a thread of its own */
{
	struct api_bulk *bulk = context;
	struct change *change = change_begin(bulk->inventory, bulk->request->client);
	int err = change ? bulk->edit(bulk, change, bulk->inventory) : ERR_NOMEM;

	if (!err && !bulk->rehearsal)
		err = change_store(change);
	if (!err && !bulk->rehearsal) {
		bulk->change = change;
		return;
	}
	bulk->error = *change_error(change);
	change_free(change);
}

static void end(struct api_bulk *bulk, const struct change_error *error)
{
	struct work *work = &bulk->request->service->work;

	inventory_aside_free(bulk->inventory);
	bulk->answer(bulk, error);
	bulk->free(bulk);
	work_end(work);
}

static void on_run(void *context)
{
	struct api_bulk *bulk = context;
	bool failed = !bulk->change && bulk->error.outcome != CHANGE_FINE;

	if (bulk->change && change_publish(bulk->change) != 0) {
		bulk->error = *change_error(bulk->change);
		failed = true;
	}
	if (failed && bulk->error.outcome == CHANGE_STORE)
		inventory_note_error(api_inventory(bulk->request), bulk->error.text);
	change_free(bulk->change);
	end(bulk, failed ? &bulk->error : NULL);
}

void api_bulk(struct api_bulk *bulk)
{
	static const struct change_error no_thread = {
		.outcome = CHANGE_STORE, .text = "no thread could be started for it; try again"};
	struct api_request *request = bulk->request;

	if (!api_work_begin(request)) {
		bulk->free(bulk);
		return;
	}
	bulk->inventory = inventory_aside(api_inventory(request));
	if (!bulk->inventory)
		end(bulk, change_error(NULL));
	else if (work_in_thread(&request->service->work, bulk, run, on_run) != 0)
		end(bulk, &no_thread);
}
