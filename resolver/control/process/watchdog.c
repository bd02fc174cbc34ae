/* Four looks in a period: a worker that is busy for half of it loses two, and the program lives. */
#include "resolver/control/process/watchdog.h"

#include "resolver/control/process/notify.h"
#include "resolver/log.h"

static void on_timer(uv_timer_t *timer)
{
	struct watchdog *watchdog = timer->data;
	bool alive = server_is_alive(watchdog->server);
	if (alive)
		master_link_say(watchdog->master, MASTER_ALIVE, 0, NULL);
	if (alive == watchdog->told)
		log_event(alive ? LOG_WARNING : LOG_ERROR, "watchdog",
			  alive ? "every worker's loop turns again"
				: "a worker's loop has stopped turning; the master is no longer "
				  "told that all is well");
	watchdog->told = !alive;
}

uint64_t watchdog_period_us(void)
{
	uint64_t given = notify_watchdog_us();
	return given ? given : WATCHDOG_PERIOD_US;
}

void watchdog_start(struct watchdog *watchdog, uv_loop_t *loop, struct server *server,
		    struct master_link *master)
{
	uint64_t turn_ms = watchdog_period_us() / 1000 / WATCHDOG_TURNS;
	watchdog->server = server;
	watchdog->master = master;
	watchdog->told = false;
	uv_timer_init(loop, &watchdog->timer);
	watchdog->timer.data = watchdog;
	bool alive = server_is_alive(server); /* from here on it is counted */
	(void)alive;
	turn_ms = turn_ms > 0 ? turn_ms : 1;
	uv_timer_start(&watchdog->timer, on_timer, turn_ms, turn_ms);
}
