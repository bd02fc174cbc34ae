#include "resolver/control/observe/health_log.h"

#include <stdarg.h>

#include "endpoints/socket.h"
#include "resolver/log.h"

enum { LOOK_MS = 1000 };

struct line {
	char *text;
	size_t length;
};

/* What does not fit is cut. */
static void __attribute__((format(printf, 2, 3))) add(struct line *line, const char *format, ...)
{
	size_t room = HEALTH_TEXT_MAX - line->length;
	va_list arguments;
	va_start(arguments, format);
	int wrote = vsnprintf(line->text + line->length, room, format, arguments);
	va_end(arguments);
	if (wrote > 0)
		line->length += (size_t)wrote < room ? (size_t)wrote : room - 1;
}

static void add_seconds(struct line *line, uint64_t us)
{
	if (us < 10 * 1000000)
		add(line, "%.1f s", (double)us / 1e6);
	else
		add(line, "%llu s", (unsigned long long)(us / 1000000));
}

static void add_target(struct line *line, const struct target *target)
{
	char host[HOST_TEXT_MAX], source[ADDRESS_TEXT_MAX];
	add(line, "%s (%s", host_print(&target->host, host),
	    target->protocol == PROTOCOL_TCP ? "tcp" : "udp");
	if (target->source.family)
		add(line, ", from %s", address_print(&target->source, source));
	add(line, ")");
}

static void add_names(struct line *line, const struct health_reach *reach)
{
	unsigned named = reach->dark < HEALTH_ROUTES ? reach->dark : HEALTH_ROUTES;
	for (unsigned i = 0; i < named; i++)
		add(line, "%s%s", i > 0 ? ", " : "", reach->names[i]);
	if (reach->dark > named)
		add(line, " and %u more", reach->dark - named);
}

static void add_times(struct line *line, const char *what, unsigned times)
{
	if (times > 0)
		add(line, " (%s %u time%s in between)", what, times, times == 1 ? "" : "s");
}

/* What it means that it is gone. */
static void add_loss(struct line *line, const struct health_reach *reach)
{
	if (reach->dark > 0) {
		add(line, "; no live target is left for ");
		add_names(line, reach);
		add(line, ": clients get stale answers or SERVFAIL");
	}
	if (reach->others > 0)
		add(line, "; %u%s rule%s on without it", reach->others,
		    reach->dark > 0 ? " other" : "", reach->others == 1 ? " goes" : "s go");
}

static void add_return(struct line *line, const struct health_reach *reach)
{
	if (reach->dark == 0)
		return;
	add(line, "; answered again: ");
	add_names(line, reach);
}

static const char *error_text(const struct target *target)
{
	return target_error_text(
		(enum target_error)atomic_load_explicit(&target->last_error, memory_order_relaxed));
}

static void add_source(struct line *line, const struct health_change *change,
		       const struct health_reach *reach)
{
	char source[ADDRESS_TEXT_MAX];
	address_print(change->source, source);
	add(line, "%s, the source of %s, ", source, reach->endpoint ? reach->endpoint : "nobody");
	if (change->kind == HEALTH_SOURCE_GONE) {
		add(line, "is gone: no interface has it, so nothing is asked from there");
		add_times(line, "it had come back", change->times);
		add_loss(line, reach);
	} else {
		add(line, "is there again after ");
		add_seconds(line, change->for_us);
		add_times(line, "it had gone again", change->times);
		add_return(line, reach);
	}
}

const char *health_log_text(const struct health *health, const struct health_change *change,
			    char text[HEALTH_TEXT_MAX])
{
	struct health_reach reach;
	struct line line = {.text = text};
	text[0] = '\0';
	health_reach(health, change, &reach);
	if (!change->target) {
		add_source(&line, change, &reach);
		return text;
	}
	add_target(&line, change->target);
	switch (change->kind) {
	case HEALTH_SUSPECT:
		add(&line, " is suspect, for ");
		add_seconds(&line, change->for_us);
		add(&line, " now: %s", error_text(change->target));
		add_times(&line, "it was so", change->times);
		add_loss(&line, &reach);
		break;
	case HEALTH_BACK:
		add(&line, " is back after ");
		add_seconds(&line, change->for_us);
		add_times(&line, "it was suspect again", change->times);
		add_return(&line, &reach);
		break;
	default:
		add(&line, " was suspect %u times for moments within ", change->times);
		add_seconds(&line, change->for_us);
		add(&line, ": %s", error_text(change->target));
	}
	return text;
}

/* ---- once a second ---- */

static void on_change(void *context, const struct health_change *change)
{
	struct health_log *log = context;
	char text[HEALTH_TEXT_MAX];
	bool good = change->kind == HEALTH_BACK || change->kind == HEALTH_SOURCE_BACK;
	if (log->lines == HEALTH_LOG_LINES) {
		log->untold[change->kind]++;
		return;
	}
	log->lines++;
	log_event(good ? LOG_INFO : LOG_WARNING, change->target ? "target" : "source", "%s",
		  health_log_text(log->health, change, text));
}

static void tell_rest(struct health_log *log)
{
	static const char *const texts[HEALTH_KINDS] = {
		[HEALTH_SUSPECT] = "suspect",
		[HEALTH_BACK] = "back",
		[HEALTH_FLAPS_BY] = "suspect for moments",
		[HEALTH_SOURCE_GONE] = "sources that are gone",
		[HEALTH_SOURCE_BACK] = "sources that are there again",
	};
	char text[HEALTH_TEXT_MAX];
	struct line line = {.text = text};
	struct health_reach reach;
	for (unsigned kind = 0; kind < HEALTH_KINDS; kind++)
		if (log->untold[kind] > 0)
			add(&line, "%s%u %s", line.length > 0 ? ", " : "", log->untold[kind],
			    texts[kind]);
	if (line.length == 0)
		return;
	health_reach(log->health, NULL, &reach);
	if (reach.dark > 0) {
		add(&line, "; in all, no target is live for ");
		add_names(&line, &reach);
	}
	log_event(LOG_WARNING, "target", "and more at once: %s; sluice status names them", text);
}

static void on_timer(uv_timer_t *timer)
{
	struct health_log *log = timer->data;
	if (!log->server->current)
		return;
	log->lines = 0;
	memset(log->untold, 0, sizeof log->untold);
	health_look(log->health, log->server->current, uv_hrtime() / 1000, on_change, log);
	tell_rest(log);
}

void health_log_start(struct health_log *log, uv_loop_t *loop, const struct server *server)
{
	log->server = server;
	log->health = health_new(server->registry, socket_address_is_missing);
	if (!log->health)
		return;
	uv_timer_init(loop, &log->timer);
	log->timer.data = log;
	uv_timer_start(&log->timer, on_timer, LOOK_MS, LOOK_MS);
}

void health_log_stop(struct health_log *log)
{
	if (log->health)
		uv_timer_stop(&log->timer);
	health_free(log->health);
	log->health = NULL;
}
