/* Three steps of one work, the first and the last in a thread. */
#include "resolver/control/api/remake.h"

#include "resolver/control/api/reverse.h"
#include "resolver/control/service/service.h"

static int edit(void *context, struct change *change)
{
	struct api_remake *remake = context;
	return remake->edit(remake, change);
}

static void run(void *context) /* in a thread of its own */
{
	struct api_remake *remake = context;
	remake_run(remake->book, remake->afresh, edit, remake);
}

static void forget(void *context) /* there, too */
{
	struct api_remake *remake = context;
	remake_free(remake->book);
}

static void end(void *context)
{
	struct api_remake *remake = context;
	struct work *work = remake->work;
	remake->free(remake);
	work_end(work);
}

/* The request is gone afterwards. */
static void answer(struct api_remake *remake, const struct change_error *error)
{
	remake->answer(remake, error);
	if (work_in_thread(remake->work, forget, end) == 0)
		return;
	forget(remake);
	end(remake);
}

static void on_run(void *context)
{
	struct api_remake *remake = context;
	struct change_error error;
	int err = remake_finish(remake->book, &error);
	answer(remake, err == 0 ? NULL : &error);
}

void api_remake(struct api_remake *remake)
{
	static const struct change_error no_thread = {
		.outcome = CHANGE_STORE,
		.text = "the system has no thread left to make it in; try again"};
	struct api_request *request = remake->request;
	remake->work = &request->service->work;
	remake->book = remake_new(api_inventory(request));
	if (!remake->book) {
		remake->answer(remake, change_error(NULL));
	} else if (!api_work_begin(request, remake)) {
		remake_free(remake->book);
	} else {
		if (work_in_thread(remake->work, run, on_run) != 0)
			answer(remake, &no_thread);
		return;
	}
	remake->free(remake);
}
