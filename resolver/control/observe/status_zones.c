/* Read while workers count: every number is true for itself. */
#include "resolver/control/observe/status_zones.h"

#include "resolver/control/base/json.h"

static json_int_t read_meter(const atomic_uint_fast64_t *counter)
{
	return (json_int_t)atomic_load_explicit(counter, memory_order_relaxed);
}

static json_t *zone_json(const struct transfer_zone *zone)
{
	const struct transfer_meter *meter = zone->meter;

	return json_make("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "zone", json_text(zone->text),
			 "serial", (json_int_t)zone->serial, "past", (json_int_t)zone->past_count,
			 "axfr", read_meter(&meter->axfr), "ixfr", read_meter(&meter->ixfr),
			 "current", read_meter(&meter->current), "refused",
			 read_meter(&meter->refused), "broken", read_meter(&meter->broken));
}

void status_add_zones(json_t *report, const struct server *server, const struct zone_notify *notify)
{
	const struct transfer_table *table = server->current ? server->current->transfers : NULL;
	json_t *zones = json_array(), *notices = json_array();

	for (size_t i = 0; table && i < table->count; i++)
		json_add(zones, zone_json(table->zones[i]));
	zone_notify_report(notify, notices);
	json_put(report, "transfers", zones);
	json_put(report, "notices", notices);
}
