/* `sluice status`: the server's own report (status.h) as tables. */
#include "resolver/control/client.h"
#include "resolver/control/json.h"
#include "resolver/control/table.h"
#include "resolver/stats.h"

enum { COLUMNS_MAX = 14 };

static const struct {
	const char *key, *heading;
	struct table_column columns[COLUMNS_MAX];
} tables[] = {
	{"networks",
	 "Virtual networks",
	 {{"NAME", "name"},
	  {"ADDRESS SPACE", "address_space"},
	  {"DNS SERVERS", "dns_servers"},
	  {"ZONES", "zones"},
	  {"RULESETS", "rulesets"}}},
	{"inbound_endpoints",
	 "Inbound endpoints",
	 {{"NAME", "name"},
	  {"NETWORK", "network"},
	  {"ADDRESS", "address"},
	  {"LISTEN", "listen"},
	  {"PRESENT", "present"}}},
	{"vnet_resolver", "VNet resolver", {{"LISTEN", "listen"}, {"PRESENT", "present"}}},
	{"outbound_endpoints",
	 "Outbound endpoints",
	 {{"NAME", "name"}, {"NETWORK", "network"}, {"SOURCE", "source"}}},
	{"zones",
	 "Private zones",
	 {{"NAME", "name"},
	  {"RECORD SETS", "record_sets"},
	  {"RECORDS", "records"},
	  {"BYTES", "bytes"},
	  {"NETWORKS", "networks"}}},
	{"rulesets",
	 "Rulesets",
	 {{"NAME", "name"},
	  {"RULES", "rules"},
	  {"DISABLED", "disabled"},
	  {"ENDPOINTS", "outbound_endpoints"},
	  {"NETWORKS", "networks"}}},
	{"owned",
	 "Addresses and their names",
	 {{"ADDRESSES", "addresses"},
	  {"SERVICES", "services"},
	  {"PTRS", "ptrs"},
	  {"WAITING", "waiting"},
	  {"STATE", "state"},
	  {"ERROR", "error"}}},
	{"transfers",
	 "Zones that go out",
	 {{"ZONE", "zone"},
	  {"SERIAL", "serial"},
	  {"PAST", "past"},
	  {"AXFR", "axfr"},
	  {"IXFR", "ixfr"},
	  {"CURRENT", "current"},
	  {"REFUSED", "refused"},
	  {"BROKEN", "broken"}}},
	{"notices",
	 "Secondaries told",
	 {{"ZONE", "zone"},
	  {"PEER", "peer"},
	  {"SERIAL", "serial"},
	  {"STATE", "state"},
	  {"RCODE", "answer"},
	  {"AT", "at"}}},
	{"targets",
	 "Targets",
	 {{"HOST", "host"},
	  {"PROTOCOL", "protocol"},
	  {"SOURCE", "source"},
	  {"STATE", "state"},
	  {"SRTT MS", "srtt_ms"},
	  {"ALLOWANCE MS", "allowance_ms"},
	  {"ASKED", "asked"},
	  {"ANSWERED", "answered"},
	  {"PROBES", "probes"},
	  {"TIMEOUTS", "timeouts"},
	  {"ERRORS", "errors"},
	  {"LAST ERROR", "last_error"},
	  {"SUSPECT SINCE", "since"}}},
};

static void print_head(const json_t *status)
{
	char uptime[TABLE_CELL_MAX], generation[TABLE_CELL_MAX], workers[TABLE_CELL_MAX];
	char config[TABLE_CELL_MAX], loaded[TABLE_CELL_MAX], version[TABLE_CELL_MAX];
	printf("sluice %s, up %s s, workers %s\n"
	       "serving %s, generation %s, loaded at %s\n",
	       table_cell(json_object_get(status, "version"), version),
	       table_cell(json_object_get(status, "uptime_s"), uptime),
	       table_cell(json_object_get(status, "workers"), workers),
	       table_cell(json_object_get(status, "config"), config),
	       table_cell(json_object_get(status, "generation"), generation),
	       table_cell(json_object_get(status, "loaded_at"), loaded));
}

static void print_counters(const json_t *status)
{
	static const struct table_column columns[] = {
		{"COUNTER", "name"}, {"VALUE", "value"}, {"", "text"}};
	const json_t *counters = json_object_get(status, "counters");
	json_t *rows = json_array();
	for (unsigned i = 0; i < stats_row_count; i++)
		json_add(rows, json_make("{s:s, s:O?, s:s}", "name", stats_rows[i].name, "value",
					 json_object_get(counters, stats_rows[i].name), "text",
					 stats_rows[i].text));
	table_print(stdout, "Counters", rows, columns, 3);
	json_decref(rows);
}

static void print_cache(const json_t *status)
{
	static const struct table_column columns[] = {
		{"ENTRIES", "entries"}, {"BYTES", "bytes"},       {"HITS", "hits"},
		{"MISSES", "misses"},   {"INSERTED", "inserted"}, {"EVICTED", "evicted"}};
	json_t *rows = json_make("[O]", json_object_get(status, "cache"));
	table_print(stdout, "Cache", rows, columns, 6);
	json_decref(rows);
}

static void print_logins(const json_t *status)
{
	static const struct table_column columns[] = {{"FAILED", "failed"}, {"REFUSED", "refused"}};
	json_t *rows = json_make("[O]", json_object_get(status, "logins"));
	table_print(stdout, "Logins at the management listeners", rows, columns, 2);
	json_decref(rows);
}

static void print_status(const json_t *status)
{
	print_head(status);
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		size_t count = 0;
		while (count < COLUMNS_MAX && tables[i].columns[count].title)
			count++;
		table_print(stdout, tables[i].heading, json_object_get(status, tables[i].key),
			    tables[i].columns, count);
	}
	print_logins(status);
	print_cache(status);
	print_counters(status);
}

int command_status(const struct command_line *line)
{
	json_t *status =
		client_ask(line, (struct client_call){.method = "GET", .path = "/v1/status"});
	if (!status)
		return COMMAND_NO;
	int exit_status = COMMAND_FINE;
	if (line->json)
		exit_status = command_print_json(status);
	else
		print_status(status);
	json_decref(status);
	return exit_status;
}
