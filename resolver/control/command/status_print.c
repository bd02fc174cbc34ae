/* The status for people, as tables: `sluice status`. In this file "report" means the status.
 *
 * In brief, one screen with what an operator wants first: faults in words, the worst targets with
 * the rules that they hurt, the served items, and counters above zero. Of many healthy items only
 * the number is shown. With --all, every table and every counter, but not the judgement. */
#include "resolver/control/command/print.h"

#include "resolver/control/base/json.h"
#include "resolver/control/base/table.h"
#include "resolver/control/observe/judgement.h"
#include "resolver/control/observe/status.h"
#include "resolver/stats.h"
#include "rules/base.h"
#include "rules/text.h"

enum {
	COLUMNS_MAX = 15,
	ROWS_MAX = 5, /* from here on: for the brief report */
	TARGET_LINES = 8,
	TARGETS_MIN = 3,
	COUNTERS_ABREAST = 3,
};

struct status_table {
	const char *key, *heading;
	const char *brief; /* title of column 1 in brief; NULL: print_brief_endpoints has it */
	struct table_column columns[COLUMNS_MAX];
};

static const struct status_table parts[] = {
	{"networks",
	 "Virtual networks",
	 "VIRTUAL NETWORK",
	 {{"NAME", "name"},
	  {"ADDRESS SPACE", "address_space"},
	  {"DNS SERVERS", "dns_servers"},
	  {"ZONES", "zones"},
	  {"RULESETS", "rulesets"}}},
	{"inbound_endpoints",
	 "Inbound endpoints",
	 NULL,
	 {{"NAME", "name"},
	  {"NETWORK", "network"},
	  {"ADDRESS", "address"},
	  {"LISTEN", "listen"},
	  {"PRESENT", "present"}}},
	{"vnet_resolver", "VNet resolver", NULL, {{"LISTEN", "listen"}, {"PRESENT", "present"}}},
	{"outbound_endpoints",
	 "Outbound endpoints",
	 NULL,
	 {{"NAME", "name"}, {"NETWORK", "network"}, {"SOURCE", "source"}, {"PRESENT", "present"}}},
	{"zones",
	 "Private zones",
	 "PRIVATE ZONE",
	 {{"NAME", "name"},
	  {"RECORD SETS", "record_sets"},
	  {"RECORDS", "records"},
	  {"BYTES", "bytes"},
	  {"NETWORKS", "networks"}}},
	{"rulesets",
	 "Rulesets",
	 "RULESET",
	 {{"NAME", "name"},
	  {"RULES", "rules"},
	  {"DISABLED", "disabled"},
	  {"ENDPOINTS", "outbound_endpoints"},
	  {"NETWORKS", "networks"}}},
	{"transfers",
	 "Zones that go out",
	 "ZONE THAT GOES OUT",
	 {{"ZONE", "zone"},
	  {"SERIAL", "serial"},
	  {"PAST", "past"},
	  {"AXFR", "axfr"},
	  {"IXFR", "ixfr"},
	  {"CURRENT", "current"},
	  {"REFUSED", "refused"},
	  {"BROKEN", "broken"}}},
	{"notices",
	 "Secondaries",
	 "SECONDARIES OF",
	 {{"ZONE", "zone"},
	  {"PEER", "peer"},
	  {"NOTIFY", "state"},
	  {"RCODE", "answer"},
	  {"COPY", "copy"},
	  {"HAS", "has"},
	  {"SINCE", "since"},
	  {"REASON", "reason"}}},
};

static const struct status_table targets = {
	"targets",
	"Targets",
	"TARGET",
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
	 {"MISMATCHED", "mismatched"},
	 {"LAST ERROR", "last_error"},
	 {"SUSPECT SINCE", "since"},
	 {"RULES", "rules"}},
};
static const struct status_table brief_targets = {
	"targets",
	"Targets",
	"TARGET",
	{{"HOST", "host"},
	 {"BY", "protocol"},
	 {"SOURCE", "source"},
	 {"STATE", "state"},
	 {"SRTT MS", "srtt_ms"},
	 {"ASKED", "asked"},
	 {"TIMEOUTS", "timeouts"},
	 {"ERRORS", "errors"},
	 {"LAST ERROR", "last_error"}},
};
/* Numbers; in brief only if one of them is above zero. */
static const struct status_table counts[] = {
	{"owned",
	 "Addresses and their names",
	 "ADDRESSES",
	 {{"ADDRESSES", "addresses"},
	  {"SERVICES", "services"},
	  {"PTRS", "ptrs"},
	  {"WAITING", "waiting"},
	  {"STATE", "state"},
	  {"ERROR", "error"}}},
	{"logins",
	 "Logins at the management listeners",
	 "LOGINS FAILED",
	 {{"FAILED", "failed"}, {"REFUSED", "refused"}}},
	{"cache",
	 "Cache",
	 "CACHE ENTRIES",
	 {{"ENTRIES", "entries"},
	  {"BYTES", "bytes"},
	  {"HITS", "hits"},
	  {"MISSES", "misses"},
	  {"INSERTED", "inserted"},
	  {"EVICTED", "evicted"}}},
};

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static char *get(const json_t *object, const char *key, char cell[TABLE_CELL_MAX])
{
	return table_cell(json_object_get(object, key), cell);
}

/* "3 d 4 h": the two largest units. */
static void print_time(FILE *out, json_int_t seconds)
{
	static const struct {
		const char *unit;
		int seconds;
	} units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
	size_t i = 0;
	while (i < 3 && seconds < units[i].seconds)
		i++;
	fprintf(out, "%" JSON_INTEGER_FORMAT " %s", seconds / units[i].seconds, units[i].unit);
	if (i < 3)
		fprintf(out, " %" JSON_INTEGER_FORMAT " %s",
			seconds % units[i].seconds / units[i + 1].seconds, units[i + 1].unit);
}

static void print_head(FILE *out, const json_t *status)
{
	char cell[TABLE_CELL_MAX];
	fprintf(out, "sluice %s, up ", get(status, "version", cell));
	print_time(out, number(status, "uptime_s"));
	fprintf(out, ", workers %s\n", get(status, "workers", cell));
	fprintf(out, "serving %s, ", get(status, "config", cell));
	fprintf(out, "generation %s, ", get(status, "generation", cell));
	fprintf(out, "loaded at %s\n", get(status, "loaded_at", cell));
	const json_t *restart = json_object_get(status, "restart");
	if (json_is_object(restart)) {
		fprintf(out, "started again at %s: ", get(restart, "time", cell));
		text_print(out, json_string_value(json_object_get(restart, "text")));
		fputc('\n', out);
	}
}

static size_t count_columns(const struct status_table *part)
{
	size_t count = 0;
	while (count < COLUMNS_MAX && part->columns[count].title)
		count++;
	return count;
}

/* A list; an object becomes a list of one. */
static json_t *rows_of(const json_t *status, const char *key)
{
	json_t *value = json_object_get(status, key);
	return json_is_object(value) ? json_make("[O]", value) : json_incref(value);
}

/* ---- the full report ---- */

static void print_part(FILE *out, const json_t *status, const struct status_table *part)
{
	json_t *rows = rows_of(status, part->key);
	table_print(out, part->heading, rows, part->columns, count_columns(part));
	json_decref(rows);
}

static void print_counters(FILE *out, const json_t *status)
{
	static const struct table_column columns[] = {
		{"COUNTER", "name"}, {"VALUE", "value"}, {"", "text"}};
	const json_t *counters = json_object_get(status, "counters");
	json_t *rows = json_array();
	for (unsigned i = 0; i < stats_row_count; i++)
		json_add(rows, json_make("{s:s, s:O?, s:s}", "name", stats_rows[i].name, "value",
					 json_object_get(counters, stats_rows[i].name), "text",
					 stats_rows[i].text));
	table_print(out, "Counters", rows, columns, 3);
	json_decref(rows);
}

/* Prints nothing if queries are not logged. */
static void print_query_log(FILE *out, const json_t *status)
{
	static const struct table_column columns[] = {{"KIND", "kind"},
						      {"PATH", "path"},
						      {"WRITTEN", "written"},
						      {"LOST", "lost"},
						      {"ERROR", "error"}};
	const json_t *outputs = json_object_get(json_object_get(status, "query_log"), "outputs");

	if (json_array_size(outputs) > 0)
		table_print(out, "Query log", outputs, columns, COUNT(columns));
}

static void print_all(FILE *out, const json_t *status)
{
	print_part(out, status, &targets);
	for (size_t i = 0; i < COUNT(parts); i++)
		print_part(out, status, &parts[i]);
	for (size_t i = 0; i < COUNT(counts); i++)
		print_part(out, status, &counts[i]);
	print_query_log(out, status);
	print_counters(out, status);
}

/* ---- the brief report ---- */

/* Prints a change that waits to be confirmed, and a reload that went back: the served configuration
 * may not stay, or is not the file's. */
static void print_unconfirmed(FILE *out, const json_t *status)
{
	static const char *const keys[] = {"unconfirmed", "went_back"};

	for (size_t i = 0; i < COUNT(keys); i++) {
		const json_t *text = json_object_get(json_object_get(status, keys[i]), "text");

		if (!json_is_string(text))
			continue;
		fputs("! ", out);
		text_print(out, json_string_value(text));
		fputc('\n', out);
	}
}

static void print_log_troubles(FILE *out, const json_t *status)
{
	const json_t *outputs = json_object_get(json_object_get(status, "query_log"), "outputs");
	const json_t *output;
	char path[TABLE_CELL_MAX], error[TABLE_CELL_MAX];
	size_t i;

	json_array_foreach(outputs, i, output)
	{
		json_int_t lost = number(output, "lost");

		if (!json_is_string(json_object_get(output, "error")))
			continue;
		fprintf(out, "! the query log's %s %s", get(output, "path", path),
			get(output, "error", error));
		if (lost > 0)
			fprintf(out, "; %" JSON_INTEGER_FORMAT " %s lost", lost,
				text_plural(lost, "entry is", "entries are"));
		fputc('\n', out);
	}
}

static void print_sentences(FILE *out, const char *before, const json_t *texts)
{
	const json_t *text;
	size_t i;

	json_array_foreach(texts, i, text)
	{
		if (!json_is_string(text))
			continue;
		fputs(before, out);
		text_print(out, json_string_value(text));
		fputc('\n', out);
	}
}

/* Prints the secondaries that have lacked a change for long or have a serial beyond ours: the first
 * ROWS_MAX, and the number of the others. */
static void print_secondary_troubles(FILE *out, const json_t *status)
{
	char peer[TABLE_CELL_MAX], zone[TABLE_CELL_MAX], cell[TABLE_CELL_MAX];
	const json_t *row;
	unsigned count = 0;
	size_t i;

	json_array_foreach(json_object_get(status, "notices"), i, row)
	{
		const char *copy = json_string_value(json_object_get(row, "copy"));
		bool is_behind = copy && strcmp(copy, "behind") == 0;

		if ((!is_behind && !(copy && strcmp(copy, "ahead") == 0)) || count++ >= ROWS_MAX)
			continue;
		fprintf(out, "! %s is %s for %s since %s: ", get(row, "peer", peer), copy,
			get(row, "zone", zone), get(row, "since", cell));
		if (json_is_string(json_object_get(row, "reason")))
			fprintf(out, "%s\n", get(row, "reason", cell));
		else
			fprintf(out, "it has serial %s\n", get(row, "has", cell));
	}
	if (count > ROWS_MAX)
		fprintf(out, "! and %u more %s behind or ahead\n", count - ROWS_MAX,
			text_plural(count - ROWS_MAX, "secondary is", "secondaries are"));
}

static void print_judgement(FILE *out, const json_t *status)
{
	const json_t *judgement = json_object_get(status, "judgement");
	bool good = json_is_true(json_object_get(judgement, "good"));

	print_sentences(out, good ? "" : "! ", json_object_get(judgement, "texts"));
	print_sentences(out, "! ", json_object_get(judgement, "notes"));
	print_secondary_troubles(out, status);
	print_log_troubles(out, status);
}

static void print_rows(FILE *out, const struct status_table *part, const json_t *rows)
{
	struct table_column columns[COLUMNS_MAX];
	memcpy(columns, part->columns, sizeof columns);
	columns[0].title = part->brief;
	if (json_array_size(rows) > 0)
		fputc('\n', out);
	table_print(out, NULL, rows, columns, count_columns(part));
}

static void print_brief(FILE *out, const json_t *status, const struct status_table *part)
{
	const json_t *rows = json_object_get(status, part->key);
	json_t *first = json_array();
	size_t count = json_array_size(rows);
	for (size_t i = 0; i < count && i < ROWS_MAX; i++)
		json_add(first, json_incref(json_array_get(rows, i)));
	print_rows(out, part, first);
	json_decref(first);
	if (count > ROWS_MAX)
		fprintf(out, "  and %zu more\n", count - ROWS_MAX);
}

/* Prints the numbers of one object if one of them is above zero. */
static void print_brief_counts(FILE *out, const json_t *status, const struct status_table *part)
{
	json_t *rows = rows_of(status, part->key);
	json_int_t sum = 0;
	for (size_t i = 0; i < count_columns(part); i++)
		sum += number(json_array_get(rows, 0), part->columns[i].key);
	if (sum > 0)
		print_rows(out, part, rows);
	json_decref(rows);
}

static enum target_state state_of(const json_t *target)
{
	return judgement_state(json_text_of(target, "state"));
}

static bool is_fine(const json_t *target)
{
	return target_state_is_good(state_of(target)) && number(target, "unanswered_count") == 0 &&
	       number(target, "timeouts") + number(target, "errors") == 0;
}

/* "2026-01-31T12:00:00Z" becomes "01-31 12:00:00Z" in place, because there is little room. */
static const char *short_time(char *text)
{
	enum { YEAR = 5, DATE = 10, ALL = 20 };
	if (strlen(text) != ALL)
		return text;
	text[DATE] = ' ';
	return text + YEAR;
}

/* The report's words for a target: what else answers in its place, when it became suspect, and the
 * harm to its rules. NULL: there is nothing to say. */
static char *harm_text(const json_t *target)
{
	const char *other = json_string_value(json_object_get(target, "other"));
	const char *harm = json_string_value(json_object_get(target, "harm"));
	char cell[TABLE_CELL_MAX], *text = NULL;
	size_t length;
	if (!harm)
		return other ? strdup(other) : NULL;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return NULL;
	if (other)
		fprintf(out, "%s; ", other);
	if (state_of(target) == TARGET_STATE_SUSPECT)
		fprintf(out, "since %s; ", short_time(get(target, "since", cell)));
	fputs(harm, out);
	fclose(out);
	return text;
}

static void print_rest(FILE *out, const json_t *rows, size_t shown)
{
	static const enum target_state states[] = {TARGET_STATE_SUSPECT, TARGET_STATE_UP,
						   TARGET_STATE_UNKNOWN};
	size_t count = json_array_size(rows), found[TARGET_STATES] = {0};
	const char *separator = ":";
	fprintf(out, "  and %zu more", count - shown);
	for (size_t i = shown; i < count; i++)
		found[state_of(json_array_get(rows, i))]++;
	for (size_t s = 0; s < COUNT(states); s++) {
		if (found[states[s]] == 0)
			continue;
		fprintf(out, "%s %zu %s", separator, found[states[s]],
			target_state_words[states[s]]);
		separator = ",";
	}
	if (found[TARGET_STATE_ERRORS] > 0)
		fprintf(out, "%s %zu with errors", separator, found[TARGET_STATE_ERRORS]);
	fputc('\n', out);
}

/* The report has the worst targets first. If not all fit into TARGET_LINES, the rest are only
 * counted; then healthy targets at the end of the table are only counted, too, but at least
 * TARGETS_MIN stay in it. */
static void print_brief_targets(FILE *out, const json_t *status)
{
	const json_t *rows = json_object_get(status, "targets");
	json_t *first = json_array();
	size_t count = json_array_size(rows), shown = 0, lines = 0;
	for (; shown < count; shown++) {
		json_t *row = json_copy(json_array_get(rows, shown));
		char *harm = harm_text(row);
		if (harm)
			json_put(row, TABLE_NOTE, json_text(harm));
		lines += harm ? 2 : 1;
		free(harm);
		json_add(first, row);
		if (lines >= TARGET_LINES)
			break;
	}
	shown = json_array_size(first);
	while (shown < count && shown > TARGETS_MIN && is_fine(json_array_get(rows, shown - 1)))
		json_array_remove(first, --shown);
	print_rows(out, &brief_targets, first);
	json_decref(first);
	if (shown < count)
		print_rest(out, rows, shown);
}

/* Fills columns from top to bottom, so that related counters are together. */
static void print_brief_counters(FILE *out, const json_t *status)
{
	const json_t *counters = json_object_get(status, "counters");
	const struct stats_row **rows = calloc(stats_row_count, sizeof *rows);
	unsigned count = 0;
	for (unsigned i = 0; rows && i < stats_row_count; i++)
		if (number(counters, stats_rows[i].name) > 0)
			rows[count++] = &stats_rows[i];
	unsigned lines = (count + COUNTERS_ABREAST - 1) / COUNTERS_ABREAST;
	if (count > 0)
		fputc('\n', out);
	for (unsigned line = 0; line < lines; line++) {
		for (unsigned i = line; i < count; i += lines)
			fprintf(out, "  %-19s %11" JSON_INTEGER_FORMAT, rows[i]->name,
				number(counters, rows[i]->name));
		fputc('\n', out);
	}
	free(rows);
}

static void add_endpoints(json_t *rows, const json_t *status, const char *key, const char *kind,
			  const char *at)
{
	size_t i;
	json_t *endpoint;
	json_array_foreach(json_object_get(status, key), i, endpoint)
	{
		json_t *row = json_copy(endpoint);
		json_put(row, "kind", json_text(kind));
		json_put(row, "at", json_incref(json_object_get(endpoint, at)));
		json_add(rows, row);
	}
}

static void print_brief_endpoints(FILE *out, const json_t *status)
{
	static const struct status_table endpoints = {"endpoints",
						      "Endpoints",
						      "ENDPOINT",
						      {{"NAME", "name"},
						       {"KIND", "kind"},
						       {"NETWORK", "network"},
						       {"ADDRESS", "address"},
						       {"LISTEN OR SOURCE", "at"},
						       {"PRESENT", "present"}}};
	json_t *rows = json_array(), *all;
	add_endpoints(rows, status, "inbound_endpoints", "inbound", "listen");
	add_endpoints(rows, status, "vnet_resolver", "VNet", "listen");
	add_endpoints(rows, status, "outbound_endpoints", "outbound", "source");
	all = json_make("{s:o}", endpoints.key, rows);
	print_brief(out, all, &endpoints);
	json_decref(all);
}

static void print_in_brief(FILE *out, const json_t *status)
{
	print_judgement(out, status);
	print_brief_targets(out, status);
	print_brief_endpoints(out, status);
	for (size_t i = 0; i < COUNT(parts); i++)
		if (parts[i].brief)
			print_brief(out, status, &parts[i]);
	for (size_t i = 0; i < COUNT(counts); i++)
		print_brief_counts(out, status, &counts[i]);
	print_brief_counters(out, status);
}

/* ---- made items ---- */

static bool is_among(const json_t *array, const json_t *wanted)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)array, i, item)
	{
		if (json_equal(item, wanted))
			return true;
	}
	return false;
}

/* Makes "home/default (made)" of the name "home/default". */
static json_t *marked(const json_t *name)
{
	return json_sprintf("%s (made)", json_string_value(name));
}

/* Marks the names of made endpoints and hides made addresses. Returns the names of the made
 * endpoints, without the mark. */
static json_t *mark_endpoints(json_t *endpoints)
{
	json_t *names = json_array(), *row;
	size_t i;

	json_array_foreach(endpoints, i, row)
	{
		json_t *name = json_object_get(row, "name");

		if (json_is_true(json_object_get(row, "made_address")))
			json_put(row, "address", json_null());
		if (!json_is_true(json_object_get(row, "made")))
			continue;
		json_add(names, json_incref(name));
		json_put(row, "name", marked(name));
	}
	return names;
}

/* Marks endpoints that the program made because something needs them and nobody named them, and
 * hides its made addresses of 240.0.0.0/4. */
static void mark_made(json_t *status)
{
	json_t *made = mark_endpoints(json_object_get(status, "outbound_endpoints")), *row, *name;
	size_t i, k;

	json_decref(mark_endpoints(json_object_get(status, "inbound_endpoints")));
	json_array_foreach(json_object_get(status, "networks"), i, row)
	{
		json_t *spaces = json_object_get(row, "address_space");

		for (k = json_array_size(spaces); k-- > 0;)
			if (is_among(json_object_get(row, "made_address_space"),
				     json_array_get(spaces, k)))
				json_array_remove(spaces, k);
	}
	json_array_foreach(json_object_get(status, "rulesets"), i, row)
	{
		json_t *endpoints = json_object_get(row, "outbound_endpoints");

		json_array_foreach(endpoints, k, name)
		{
			if (is_among(made, name))
				json_array_set_new(endpoints, k, marked(name));
		}
	}
	json_decref(made);
}

void status_print(const json_t *report, bool all, FILE *out)
{
	json_t *shown = json_deep_copy(report);

	if (!shown) {
		fprintf(out, "%s\n", err_text(ERR_NOMEM));
		return;
	}
	mark_made(shown);
	print_head(out, shown);
	print_unconfirmed(out, shown);
	if (all)
		print_all(out, shown);
	else
		print_in_brief(out, shown);
	json_decref(shown);
}
