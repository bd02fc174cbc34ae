/* Four looks in a period: a worker that is busy for half of it loses two, and the program lives. */
#include "resolver/control/watchdog.h"

#include "resolver/control/notify.h"
#include "resolver/log.h"

static void on_timer(uv_timer_t *timer)
{
	struct watchdog *watchdog = timer->data;
	bool alive = server_is_alive(watchdog->server);
	if (alive)
		notify_alive();
	if (alive == watchdog->told)
		log_event(alive ? LOG_WARNING : LOG_ERROR, "watchdog",
			  alive ? "every worker's loop goes round again"
				: "a worker's loop does not go round; the service manager is not "
				  "told that all is well");
	watchdog->told = !alive;
}

void watchdog_start(struct watchdog *watchdog, uv_loop_t *loop, struct server *server)
{
	uint64_t period_ms = notify_watchdog_us() / 1000 / WATCHDOG_TURNS;
	if (notify_watchdog_us() == 0)
		return;
	watchdog->server = server;
	watchdog->told = false;
	uv_timer_init(loop, &watchdog->timer);
	watchdog->timer.data = watchdog;
	bool alive = server_is_alive(server); /* from here on it is counted */
	(void)alive;
	period_ms = period_ms > 0 ? period_ms : 1;
	uv_timer_start(&watchdog->timer, on_timer, period_ms, period_ms);
}

void watchdog_stop(struct watchdog *watchdog)
{
	if (watchdog->server)
		uv_timer_stop(&watchdog->timer);
}
