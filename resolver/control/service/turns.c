/* A turn is the time between two waits for events. CLOCK_THREAD_CPUTIME_ID leaves out times in
 * which the thread did not run. */
#include "resolver/control/service/turns.h"

#include <time.h>

static uint64_t cpu_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void on_turn(uv_prepare_t *prepare)
{
	struct turns *turns = prepare->data;
	uint64_t now_ns = cpu_time_ns(), took_ns = now_ns - turns->begun_ns;

	if (turns->begun_ns > 0 && took_ns > turns->longest_ns) {
		turns->longest_ns = took_ns;
		turns->longest_at_s = (int64_t)time(NULL);
	}
	turns->begun_ns = now_ns;
}

void turns_open(struct turns *turns, uv_loop_t *loop)
{
	uv_prepare_init(loop, &turns->prepare);
	turns->prepare.data = turns;
	uv_prepare_start(&turns->prepare, on_turn);
	uv_unref((uv_handle_t *)&turns->prepare);
}
