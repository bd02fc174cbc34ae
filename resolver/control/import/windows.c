/* Windows DNS: conditional forwarders and the server's own forwarders, as exported by PowerShell,
 * and zone files. No server can be asked, and exports lose data silently, so a file is read
 * completely, or refused at a line:
 *
 *     CSV ──► row ─┐   a row has columns with the names of Get-DnsServerZone,
 *     JSON ─► row ─┴─► Get-DnsServerForwarder, Get-DnsServerRecursion, Infoblox, or a handmade list
 *     zone file ─────► the reader of master files, without what Windows adds to the format
 *
 * Export-Csv writes only the columns of the first object, and the name of a type in place of
 * several values. ConvertTo-Json writes values deeper than two levels as text, and loses IPv6
 * addresses there. Lost values cannot be guessed, so the refusal names a command that exports all
 * of them. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/csv.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "resolver/control/import/json_file.h"
#include "resolver/control/import/words.h"
#include "rules/base.h"
#include "rules/reverse.h"
#include "rules/text.h"

#define ZONES_COMMAND                                                                              \
	"Get-DnsServerZone | ? ZoneType -eq Forwarder | select ZoneName,ZoneType,IsPaused,"        \
	"UseRecursion,@{n='MasterServers';e={$_.MasterServers -join ';'}} | "                      \
	"Export-Csv zones.csv -NoType -Encoding UTF8"
#define FORWARDERS_COMMAND                                                                         \
	"Get-DnsServerForwarder | select UseRootHint,@{n='IPAddress';e={$_.IPAddress -join "       \
	"';'}} | Export-Csv forwarders.csv -NoType -Encoding UTF8"
#define RECORDS_COMMAND "Export-DnsServerZone -Name ZONE -FileName ZONE.dns"

enum column {
	ZONE,
	SERVERS,
	NAMED_SERVERS, /* in Infoblox: "name/address,name/address" */
	ADDRESSES,
	ROOT_HINT,
	ENABLE,
	TYPE,
	RECURSION,
	ONLY,
	PAUSED,
	SHUT,
	CREATED,
	DISABLED,
	VIEW,
	FORMAT,
	RECORD,
	COLUMNS
};

enum { COLUMN_NAMES_MAX = 5 };

/* Possible names of a column or member, in any case; the first one present counts. */
static const char *const column_names[COLUMNS][COLUMN_NAMES_MAX] = {
	[ZONE] = {"ZoneName", "Name", "Domain", "fqdn", "Zone"},
	[SERVERS] = {"MasterServers", "ForwarderIPs", "Forwarders", "Servers"},
	[NAMED_SERVERS] = {"forward_to"},
	[ADDRESSES] = {"IPAddress"},
	[ROOT_HINT] = {"UseRootHint"},
	[ENABLE] = {"Enable"},
	[TYPE] = {"ZoneType"},
	[RECURSION] = {"UseRecursion"},
	[ONLY] = {"forwarders_only"},
	[PAUSED] = {"IsPaused"},
	[SHUT] = {"IsShutdown"},
	[CREATED] = {"IsAutoCreated"},
	[DISABLED] = {"disabled"},
	[VIEW] = {"view"},
	[FORMAT] = {"zone_format"},
	[RECORD] = {"RecordData", "RecordType"},
};

struct export_row {
	struct origin at;
	const char *values[COLUMNS]; /* NULL: none */
};

struct windows { /* kept by the import */
	struct forward_view *view;
	struct origin at;      /* the first file */
	const char *of;        /* the view in Infoblox that all zones must be in; NULL: none */
	bool has_default, any; /* any: something was taken */
};

struct windows_rule { /* a zone with a rule */
	struct origin at;
	const char *servers;
};

static struct windows *windows_of(struct import *import, const char *path)
{
	struct windows *windows = import_find(import, "windows");

	if (windows)
		return windows;
	windows = import_alloc(import, sizeof *windows);
	windows->at = import_place(import, path, 0, NULL);
	windows->view = forward_main_view(import, &windows->at);
	if (!import_is_for_server(import))
		forward_listen(import, &windows->at, "127.0.0.1", 0);
	import_keep(import, "windows", windows);
	return windows;
}

/* ---- servers ---- */

/* Whether the value was lost: it is a type's name, or a list cut for the screen. */
static bool is_cut(const char *text)
{
	return strstr(text, "System.") || strstr(text, "Microsoft.Management") ||
	       strchr(text, '{') || strstr(text, "...") || strstr(text, "\xe2\x80\xa6");
}

/* fec0:0:0:ffff::1 to 3, Windows' default servers. */
static bool is_stray(const struct address *address)
{
	static const char *const strays[] = {"fec0:0:0:ffff::1", "fec0:0:0:ffff::2",
					     "fec0:0:0:ffff::3"};
	struct address stray;

	for (size_t i = 0; i < COUNT(strays); i++)
		if (address_parse(&stray, strays[i]) == 0 && address_equal(&stray, address))
			return true;
	return false;
}

/* Reads the addresses, and returns them as "a:53 b:53". NULL: there is none, or one is unreadable;
 * either is reported. */
static const char *read_servers(struct import *import, const struct origin *at, const char *text,
				bool named, const char *command)
{
	const char *servers = "", *separators = named ? ",; \t\r\n" : ",;/ \t\r\n";
	char printed[HOST_TEXT_MAX];
	struct host host;
	size_t length;

	if (is_cut(text)) {
		import_fault(import, at,
			     "\"%.60s\" stands where its addresses should: they were lost when it "
			     "was exported; export it by: %s",
			     text, command);
		return NULL;
	}
	for (; *text != '\0'; text += length) {
		text += strspn(text, separators);
		length = strcspn(text, separators);
		if (length == 0)
			break;
		const char *word = import_printf(import, "%.*s", (int)length, text);
		const char *slash = named ? strrchr(word, '/') : NULL;

		word = slash ? slash + 1 : word;
		if (host_parse(&host, word, DNS_PORT) != 0) {
			import_fault(import, at, "\"%s\" is no address of a server", word);
			return NULL;
		}
		if (is_stray(&host.address)) {
			import_lost(import, at,
				    "%s is an address that Windows has by itself, and no server",
				    word);
			continue;
		}
		servers = import_printf(import, "%s%s%s", servers, *servers ? " " : "",
					host_print(&host, printed));
	}
	if (*servers != '\0')
		return servers;
	import_fault(import, at, "it has no server; if it has some on the server, export it by: %s",
		     command);
	return NULL;
}

/* Adds the result of read_servers to the targets. */
static void add_targets(struct import *import, struct node *in, const struct origin *at,
			const char *servers)
{
	char text[ADDRESS_TEXT_MAX];
	struct host host;

	for (size_t length; *servers != '\0'; servers += length + (servers[length] != '\0')) {
		length = strcspn(servers, " ");
		if (host_parse(&host, import_printf(import, "%.*s", (int)length, servers),
			       DNS_PORT) == 0)
			forward_target(import, in, at, address_print(&host.address, text),
				       host.port, NULL);
	}
}

/* ---- rows ---- */

/* Ignores the '*' that Infoblox puts after names of required columns. */
static bool is_called(const char *text, const char *name)
{
	size_t length = strlen(name);

	text += strspn(text, " ");
	return strncasecmp(text, name, length) == 0 &&
	       text[length + strspn(text + length, " *")] == '\0';
}

/* Whether Get-DnsServerForwarder, or PowerShell itself, writes this column; "" is a column without
 * a name. If not, reports a fault: the column may name zones, and the addresses in the rows would
 * be those of the zones, not of the server. */
static bool is_of_forwarders(struct import *import, const struct origin *at, const char *column)
{
	static const char *const names[] = {"UseRootHint",
					    "Timeout",
					    "EnableReordering",
					    "IPAddress",
					    "ReorderedIPAddress",
					    "PSComputerName",
					    "PSShowComputerName",
					    "RunspaceId",
					    "CimClass",
					    "CimInstanceProperties",
					    "CimSystemProperties",
					    ""};

	for (size_t i = 0; i < COUNT(names); i++)
		if (is_called(column, names[i]))
			return true;
	import_fault(
		import, at,
		"no column is called ZoneName, and the server's own forwarders have no "
		"\"%s\": call the column of the zones ZoneName, or export the forwarders by: %s",
		column, FORWARDERS_COMMAND);
	return false;
}

/* 1, 0, or -1 if the row does not say. */
static int flag(struct import *import, const struct export_row *row, enum column column)
{
	const char *text = row->values[column];
	int flag = text && *text != '\0' ? words_flag(text) : -1;

	if (text && *text != '\0' && flag < 0)
		import_fault(import, &row->at, "%s is \"%s\", and should be True or False",
			     column_names[column][0], text);
	return flag;
}

/* Why a zone of that type is no forwarder; NULL: it is one, or the type is unknown, which is a
 * fault. */
static const char *other_type(struct import *import, const struct export_row *row)
{
	static const struct reason types[] = {
		{"Secondary", "it is a secondary zone: forward it to its primary, or import the "
			      "primary's zone file"},
		{"Stub", "it is a stub zone: its servers are found by its NS records; a rule to a "
			 "server that resolves does the same"},
		{"Cache", "the cache is no zone"},
		{NULL, NULL},
	};
	const char *type = row->values[TYPE];

	if (!type || *type == '\0' || strcasecmp(type, "Forwarder") == 0)
		return NULL;
	if (strcasecmp(type, "Primary") == 0)
		return import_printf(
			import,
			"it is a primary zone: import its zone file, too, which is written "
			"into %%windir%%\\System32\\dns by: Export-DnsServerZone -Name %s "
			"-FileName %s.dns. A zone of Active Directory is better forwarded "
			"to its domain controllers, which change it all the time",
			row->values[ZONE], row->values[ZONE]);
	for (size_t i = 0; types[i].name; i++)
		if (strcasecmp(types[i].name, type) == 0)
			return types[i].why;
	import_fault(import, &row->at,
		     "ZoneType is \"%s\", and should be Forwarder, Primary, Secondary or Stub",
		     type);
	return NULL;
}

/* Reads "10.1.0.0/16", Infoblox's form of reverse zones. NULL: no reverse zone, which is
 * reported. */
static const char *reverse_apex(struct import *import, const struct export_row *row)
{
	char text[NAME_TEXT_MAX];
	struct prefix prefix;

	if (prefix_parse_lenient(&prefix, row->values[ZONE]) == 0 && prefix.length > 0 &&
	    prefix.length % (prefix.address.family == 4 ? 8 : 4) == 0)
		return import_printf(import, "%s", reverse_zone_text(&prefix, text));
	import_fault(import, &row->at,
		     "\"%s\" is no prefix that has one reverse zone; split it into such prefixes",
		     row->values[ZONE]);
	return NULL;
}

/* NULL: no domain, which is reported. */
static const char *domain_of(struct import *import, const struct export_row *row)
{
	const char *name = row->values[ZONE], *format = row->values[FORMAT];
	struct name parsed;

	if (format && strncasecmp(format, "IPV", 3) == 0)
		return reverse_apex(import, row);
	if (strchr(name, '?')) {
		import_fault(import, &row->at,
			     "\"%s\" has a ? in place of a letter that was lost when it was "
			     "exported; export it by: %s",
			     name, ZONES_COMMAND);
		return NULL;
	}
	if (name_from_text(&parsed, NULL, name) == 0)
		return name;
	import_fault(import, &row->at, "\"%s\" is no domain name", name);
	return NULL;
}

/* Refuses zones of a second view: they may have the same names, for other clients. */
static bool is_of_the_view(struct import *import, struct windows *windows,
			   const struct export_row *row)
{
	const char *view = row->values[VIEW];

	if (!view || *view == '\0')
		return true;
	windows->of = windows->of ? windows->of : import_printf(import, "%s", view);
	if (strcasecmp(windows->of, view) == 0)
		return true;
	import_fault(import, &row->at,
		     "it is of the view %s, and a row before it of %s: import each view by "
		     "itself, with --vnet for its clients",
		     view, windows->of);
	return false;
}

/* Why the row is not in force; NULL: it is. */
static const char *out_of_force(struct import *import, const struct export_row *row)
{
	if (flag(import, row, PAUSED) == 1)
		return "it is paused there";
	if (flag(import, row, SHUT) == 1)
		return "it is shut down there";
	return flag(import, row, DISABLED) == 1 ? "it is disabled there" : NULL;
}

static void take_forwarder(struct import *import, struct windows *windows,
			   const struct export_row *row, const char *domain, const char *servers)
{
	size_t length = strlen(domain);
	const char *key = text_lower(
		import_printf(import, "windows zone %.*s",
			      (int)(length - (length > 1 && domain[length - 1] == '.')), domain));
	struct windows_rule *taken = import_find(import, key);
	struct node *rule;

	windows->any = true;
	if (taken && strcmp(taken->servers, servers) != 0)
		import_fault(import, &row->at,
			     "%s has other servers at %s:%u; leave one of the two out", domain,
			     taken->at.file, taken->at.line);
	if (taken)
		return;
	taken = import_alloc(import, sizeof *taken);
	*taken = (struct windows_rule){row->at, servers};
	import_keep(import, key, taken);
	if (flag(import, row, RECURSION) == 1 || flag(import, row, ONLY) == 0)
		import_changed(import, &row->at,
			       "only its servers are asked: where they fail, Windows asks the "
			       "internet's servers, which learn the name then");
	rule = forward_rule(import, windows->view, &row->at, domain, false);
	if (rule)
		add_targets(import, rule, &row->at, servers);
}

static void take_zone(struct import *import, struct windows *windows, const struct export_row *row)
{
	const char *why, *domain, *servers;
	bool named = row->values[NAMED_SERVERS];

	if (flag(import, row, CREATED) == 1 || strcasecmp(row->values[ZONE], "TrustAnchors") == 0)
		return;
	why = other_type(import, row);
	why = why ? why : out_of_force(import, row);
	if (why) {
		import_lost(import, &row->at, "%s", why);
		return;
	}
	domain = is_of_the_view(import, windows, row) ? domain_of(import, row) : NULL;
	if (!domain)
		return;
	servers = row->values[named ? NAMED_SERVERS : row->values[SERVERS] ? SERVERS : ADDRESSES];
	servers = read_servers(import, &row->at, servers ? servers : "", named, ZONES_COMMAND);
	if (servers)
		take_forwarder(import, windows, row, domain, servers);
}

/* Takes the servers for names that no zone and no conditional forwarder has. */
static void take_default(struct import *import, struct windows *windows,
			 const struct export_row *row)
{
	const char *servers = row->values[ADDRESSES];

	if (!servers || *servers == '\0') {
		import_lost(import, &row->at, "the server has no forwarders");
		return;
	}
	servers = read_servers(import, &row->at, servers, false, FORWARDERS_COMMAND);
	if (!servers)
		return;
	if (flag(import, row, ROOT_HINT) != 0)
		import_changed(import, &row->at,
			       "only the forwarders are asked: where they fail, Windows asks the "
			       "internet's servers (UseRootHint)");
	windows->any = windows->has_default = true;
	add_targets(import, forward_default(import, &row->at), &row->at, servers);
}

/* Takes a row of Get-DnsServerRecursion. */
static void take_recursion(struct import *import, const struct export_row *row)
{
	if (flag(import, row, ENABLE) == 0)
		import_fault(import, &row->at,
			     "recursion is off there, which turns all forwarders off, too: "
			     "imported they would answer what is not answered now");
}

static void take_row(struct import *import, struct windows *windows, const struct export_row *row)
{
	const char *zone = row->values[ZONE];

	if (row->values[RECORD])
		import_fault(import, &row->at,
			     "records lose their data in this form; import the zone file, which "
			     "is written by: %s",
			     RECORDS_COMMAND);
	else if (zone && *zone != '\0')
		take_zone(import, windows, row);
	else if (!zone && row->values[ADDRESSES])
		take_default(import, windows, row);
	else if (!zone && row->values[ENABLE])
		take_recursion(import, row);
	else
		import_fault(import, &row->at, "it names no zone");
}

/* ---- CSV ---- */

struct table {               /* where the columns are, by the last row of column names */
	int places[COLUMNS]; /* -1: no such column */
	size_t width;
};

/* Returns the number of known columns. */
static size_t read_columns(struct table *table, const struct csv_row *row)
{
	size_t known = 0;

	table->width = row->count;
	for (size_t column = 0; column < COLUMNS; column++) {
		table->places[column] = -1;
		for (size_t n = 0; n < COLUMN_NAMES_MAX && column_names[column][n]; n++)
			for (size_t i = 0; i < row->count && table->places[column] < 0; i++)
				if (is_called(row->fields[i], column_names[column][n]))
					table->places[column] = (int)i;
		known += table->places[column] >= 0;
	}
	return known;
}

/* `names`: the row of column names. */
static bool has_what_it_takes(struct import *import, const struct origin *at,
			      const struct table *table, const struct csv_row *names)
{
	bool has_servers = table->places[SERVERS] >= 0 || table->places[NAMED_SERVERS] >= 0 ||
			   table->places[ADDRESSES] >= 0;

	if (table->places[RECORD] >= 0)
		return true; /* refused at the first row */
	if (table->places[ZONE] < 0 && table->places[ADDRESSES] < 0 && table->places[ENABLE] < 0) {
		import_fault(import, at,
			     "no column is called ZoneName; the columns for conditional forwarders "
			     "are ZoneName and MasterServers, as they are written by: %s",
			     ZONES_COMMAND);
		return false;
	}
	if (table->places[ZONE] < 0 && table->places[ADDRESSES] >= 0)
		for (size_t i = 0; i < names->count; i++)
			if (!is_of_forwarders(import, at, names->fields[i]))
				return false;
	if (table->places[ZONE] < 0 || has_servers)
		return true;
	import_fault(import, at,
		     "no column is called MasterServers: Export-Csv writes the columns of the "
		     "first zone alone, which is no forwarder; export the forwarders by: %s",
		     ZONES_COMMAND);
	return false;
}

/* The separator in the line of column names; PowerShell may write another line before it. */
static char find_separator(const char *text)
{
	if (strncmp(text, "#TYPE", 5) == 0)
		text += strcspn(text, "\n");
	text += *text == '\n';
	return csv_separator(text, strlen(text));
}

/* Whether this is a line that PowerShell, a spreadsheet or a person writes above and between the
 * rows. */
static bool is_remark(const struct csv_row *row)
{
	return row->fields[0][0] == '#' ||
	       (row->count <= 2 && strncasecmp(row->fields[0], "sep=", 4) == 0);
}

/* Whether the row may describe a zone, or has the column names of a file that is not Infoblox's. In
 * Infoblox the first column has the kind of object, and each kind has a row of column names. Only
 * that of forward zones is read into the table. */
static bool is_of_kind(struct import *import, const struct origin *at, const struct csv_row *row,
		       struct table *table, bool *is_infoblox)
{
	static const char header[] = "header-";
	const char *kind = row->fields[0];

	if (strncasecmp(kind, header, sizeof header - 1) == 0) {
		*is_infoblox = true;
		if (is_called(kind, "header-forwardzone"))
			read_columns(table, row);
		else
			import_lost(import, at, "only forward zones are read, and no rows of %s",
				    kind + sizeof header - 1);
		return false;
	}
	return !*is_infoblox || strcasecmp(kind, "forwardzone") == 0;
}

static bool is_blank_row(const struct csv_row *row)
{
	for (size_t i = 0; i < row->count; i++)
		if (row->fields[i][strspn(row->fields[i], " \t\r\n")] != '\0')
			return false;
	return true;
}

static void take_csv_row(struct import *import, struct windows *windows, const struct origin *at,
			 const struct table *table, const struct csv_row *cells)
{
	struct export_row row = {.at = *at};

	for (size_t i = table->width; i < cells->count; i++)
		if (*cells->fields[i] != '\0') {
			import_fault(import, at,
				     "it has %zu cells, and there are %zu columns; quote a cell "
				     "that has several addresses",
				     cells->count, table->width);
			return;
		}
	for (size_t i = 0; i < COLUMNS; i++)
		if (table->places[i] >= 0 && (size_t)table->places[i] < cells->count)
			row.values[i] = cells->fields[table->places[i]];
	if (row.values[ZONE] && *row.values[ZONE] != '\0')
		row.at = import_place(import, at->file, at->line, row.values[ZONE]);
	take_row(import, windows, &row);
}

static void read_csv(struct import *import, struct windows *windows, const char *path,
		     const char *text, size_t length)
{
	struct csv_row *row = import_alloc(import, sizeof *row);
	struct table table = {.width = 0};
	bool is_infoblox = false;
	const char *why;
	struct csv csv;
	int err;

	csv_init(&csv, text, length);
	csv.separator = find_separator(text);
	while ((err = csv_next(&csv, row, &why)) != ERR_NOT_FOUND) {
		struct origin at = import_place(import, path, row->line, NULL);

		if (err) {
			import_fault(import, &at, "%s", why);
			continue;
		}
		if (is_remark(row) || is_blank_row(row))
			continue;
		if (!is_of_kind(import, &at, row, &table, &is_infoblox))
			continue;
		if (table.width > 0) {
			take_csv_row(import, windows, &at, &table, row);
			continue;
		}
		read_columns(&table, row);
		if (!has_what_it_takes(import, &at, &table, row))
			return;
	}
}

/* ---- JSON ---- */

/* Unwraps {"value": [...], "Count": 2}, as some lists are wrapped; returns other values
 * unchanged. */
static const json_t *unwrap(const json_t *value)
{
	const json_t *inner = json_is_object(value) ? json_member(value, "value") : NULL;

	return inner && json_member(value, "Count") ? inner : value;
}

/* Reads an address as ConvertTo-Json writes it, in parts. NULL: it is lost, which is reported. */
static const char *json_address(struct import *import, const struct origin *at,
				const json_t *object)
{
	const char *text = json_member_text(object, "IPAddressToString");
	const json_t *number = json_member(object, "Address");
	json_int_t bytes = json_integer_value(number);

	if (text)
		return text;
	if (json_is_integer(number) && bytes >= 0 && bytes <= UINT32_MAX) /* low byte first */
		return import_printf(import, "%u.%u.%u.%u", (unsigned)(bytes & 255),
				     (unsigned)(bytes >> 8 & 255), (unsigned)(bytes >> 16 & 255),
				     (unsigned)(bytes >> 24));
	import_fault(import, at,
		     "an address was lost when it was exported, as ConvertTo-Json does with IPv6; "
		     "export it by: %s",
		     ZONES_COMMAND);
	return NULL;
}

/* Turns a list of servers, in any of its forms, into a cell of CSV. NULL: an address is lost, which
 * is reported. */
static const char *json_servers(struct import *import, const struct origin *at, const json_t *value)
{
	const char *text = "", *one;
	const json_t *item;
	size_t i;

	value = unwrap(value);
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_object(value))
		return json_address(import, at, value);
	if (json_is_null(value))
		return text;
	if (!json_is_array(value)) {
		import_fault(import, at, "its servers are no addresses");
		return NULL;
	}
	json_array_foreach((json_t *)value, i, item)
	{
		one = json_is_string(item)   ? json_string_value(item)
		      : json_is_object(item) ? json_address(import, at, item)
					     : "null";
		if (!one)
			return NULL;
		text = import_printf(import, "%s;%s", text, one);
	}
	return text;
}

/* Turns a member into a cell of CSV. False: it is lost, which is reported. */
static bool json_cell(struct import *import, const struct origin *at, const json_t *value,
		      enum column column, const char **cell)
{
	if (column == RECORD)
		*cell = "";
	else if (column == SERVERS || column == NAMED_SERVERS || column == ADDRESSES)
		*cell = json_servers(import, at, value);
	else if (json_is_boolean(value))
		*cell = json_is_true(value) ? "True" : "False";
	else if (json_is_integer(value))
		*cell = import_printf(import, "%lld", (long long)json_integer_value(value));
	else if (json_is_string(value))
		*cell = json_string_value(value);
	else if (!json_is_null(value))
		import_fault(import, at, "%s cannot be read; export it by: %s",
			     column_names[column][0], ZONES_COMMAND);
	return *cell || json_is_null(value);
}

static void take_json_object(struct import *import, struct windows *windows, const json_t *object)
{
	struct export_row row = {.at = json_file_at(import, object, NULL)};
	const char *const *name;
	const json_t *value;
	const char *key;
	json_t *member;

	if (!json_is_object(object)) {
		import_fault(import, &row.at,
			     "a zone or the server's forwarders are expected here");
		return;
	}
	for (size_t column = 0; column < COLUMNS; column++) {
		name = column_names[column];
		value = NULL;
		for (size_t n = 0; n < COLUMN_NAMES_MAX && name[n] && !value; n++)
			value = json_member(object, name[n]);
		if (value && !json_cell(import, &row.at, value, column, &row.values[column]))
			return;
		if (column == ZONE && row.values[ZONE] && *row.values[ZONE] != '\0')
			row.at = json_file_at(import, object, row.values[ZONE]);
	}
	json_object_foreach((json_t *)object, key, member)
	{
		if (!row.values[ZONE] && row.values[ADDRESSES] &&
		    !is_of_forwarders(import, &row.at, key))
			return;
	}
	take_row(import, windows, &row);
}

static void read_json(struct import *import, struct windows *windows, const char *path,
		      const char *text, size_t length)
{
	json_t *file = json_file_parse(import, path, text, length), *item;
	const json_t *all = unwrap(file);
	size_t i;

	if (json_is_array(all)) {
		json_array_foreach((json_t *)all, i, item) take_json_object(import, windows, item);
	} else if (file) {
		take_json_object(import, windows, all);
	}
	json_decref(file);
}

/* ---- zone files ---- */

struct zone_file {
	struct import *import;
	unsigned dynamic;     /* number of records that machines registered */
	struct origin active; /* the first record of Active Directory; line 0: none */
};

/* The part between `from` and `to` in the first `length` bytes of the text; NULL: not found. */
static const char *between(struct import *import, const char *text, size_t length, const char *from,
			   const char *to)
{
	const char *begin = memmem(text, length, from, strlen(from)), *end;

	if (!begin)
		return NULL;
	begin += strlen(from);
	length -= (size_t)(begin - text);
	end = memmem(begin, length, to, strlen(to));
	return end ? import_printf(import, "%.*s", (int)(end - begin), begin) : NULL;
}

/* The zone's name in the path; NULL: none. */
static const char *zone_of_path(struct import *import, const char *path)
{
	static const char *const ends[] = {".dns", ".dns.txt", ".zone", ".txt"};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t length = strlen(name), cut;

	for (size_t i = 0; i < COUNT(ends); i++) {
		cut = strlen(ends[i]);
		if (length > cut && strcasecmp(name + length - cut, ends[i]) == 0)
			return import_printf(import, "%.*s", (int)(length - cut), name);
	}
	return NULL;
}

/* The zone of the records, by a comment at the top: `;  Database file corp.dns for Default zone
 * scope in zone corp.example.`, or in older versions `... for corp.example zone.`; else by the
 * file's name. NULL: none, which is reported. */
static const char *zone_of(struct import *import, const struct origin *at, const char *path,
			   const char *text)
{
	const char *name, *scope;
	size_t length;

	for (; *text == ';' || *text == '\r' || *text == '\n';
	     text += length + (text[length] != '\0')) {
		length = strcspn(text, "\n");
		if (!memmem(text, length, "Database file ", 14))
			continue;
		scope = between(import, text, length, " for ", " zone scope in zone ");
		if (scope && strcmp(scope, "Default") != 0) {
			import_fault(import, at,
				     "it is what some clients see of the zone (the zone scope %s); "
				     "export the zone itself",
				     scope);
			return NULL;
		}
		name = between(import, text, length, " in zone ", ".\r");
		name = name ? name : between(import, text, length + 1, " in zone ", ".\n");
		name = name ? name : between(import, text, length, " for ", " zone.");
		if (name)
			return name;
	}
	name = zone_of_path(import, path);
	if (!name)
		import_fault(
			import, at,
			"it does not say what zone it is of; call it ZONE.dns, after its zone");
	return name;
}

/* The next word of an entry, in place; *at moves past it, *length is set. */
static char *next_word(char **at, size_t *length)
{
	char *word = *at + strspn(*at, " \t\r");

	*length = strcspn(word, " \t\r");
	*at = word + *length;
	return *length > 0 ? word : NULL;
}

/* Whether domain controllers register the record, so that a copy would go stale. */
static bool is_active(const char *owner, size_t length)
{
	static const char *const names[] = {"_msdcs",     "DomainDnsZones", "ForestDnsZones",
					    "_ldap._tcp", "_kerberos._tcp", "_gc._tcp"};

	for (size_t i = 0; i < COUNT(names); i++) {
		size_t wanted = strlen(names[i]);

		if (length >= wanted && strncasecmp(owner, names[i], wanted) == 0 &&
		    (length == wanted || owner[wanted] == '.'))
			return true;
	}
	return false;
}

/* Whether the entry has `\DDD`, which is octal from Windows and decimal elsewhere (RFC 1035 section
 * 5.1). */
static bool has_octal(const char *entry)
{
	for (const char *at = strchr(entry, '\\'); at; at = strchr(at + 2, '\\')) {
		if (isdigit((unsigned char)at[1]))
			return true;
		if (at[1] == '\0')
			break;
	}
	return false;
}

/* Edits "owner [AGE:3456789] 3600 A 192.0.2.1": AGE is the hour of a machine's registration. */
static bool edit_entry(void *context, const struct origin *at, char *entry)
{
	struct zone_file *file = context;
	char *rest = entry, *word;
	size_t length;

	if (has_octal(entry)) {
		import_fault(file->import, at,
			     "\\ and digits mean another character here than elsewhere (octal); "
			     "write that character itself");
		return true;
	}
	if (!isspace((unsigned char)*entry)) {
		word = next_word(&rest, &length);
		if (word && file->active.line == 0 && is_active(word, length))
			file->active = *at;
	}
	while ((word = next_word(&rest, &length))) {
		if (strncasecmp(word, "[AGE:", 5) == 0) {
			memset(word, ' ', length);
			file->dynamic++;
		} else if ((length == 4 && strncasecmp(word, "WINS", 4) == 0) ||
			   (length == 5 && strncasecmp(word, "WINSR", 5) == 0)) {
			import_lost(file->import, at, "sluice does not ask WINS");
			return false;
		} else if (!isdigit((unsigned char)*word) &&
			   !(length == 2 && strncasecmp(word, "IN", 2) == 0)) {
			break; /* the type: data follows */
		}
	}
	return true;
}

static void read_zone_file(struct import *import, struct windows *windows, const char *path,
			   const char *text)
{
	struct zone_file file = {.import = import};
	struct master_variant variant = {edit_entry, &file, true};
	struct origin at = import_place(import, path, 1, NULL);
	const char *name = zone_of(import, &at, path, text), *origin;
	struct node *zone;

	if (!name)
		return;
	zone = forward_zone(import, windows->view, &at, name);
	if (!zone) {
		import_fault(import, &at, "\"%s\" can be no zone; call it ZONE.dns, after its zone",
			     name);
		return;
	}
	windows->any = true;
	origin = import_printf(import, "%s.", name);
	forward_zone_text(import, zone, path, text, origin, &variant);
	if (file.dynamic > 0)
		import_changed(import, &at,
			       "%u record%s of it %s registered by machines, and will not change "
			       "here when they do",
			       file.dynamic, text_plural(file.dynamic, "", "s"),
			       text_plural(file.dynamic, "was", "were"));
	if (file.active.line > 0 || is_active(name, strlen(name)))
		import_changed(import, file.active.line > 0 ? &file.active : &at,
			       "it has what domain controllers register, of which a copy goes "
			       "stale: forward the zone to them instead");
}

/* ---- recognizing the format ---- */

/* Whether the first row that is no comment has the name of a column. */
static bool is_csv(struct import *import, const char *text, size_t length)
{
	struct csv_row *row = import_alloc(import, sizeof *row);
	struct table table;
	const char *why;
	struct csv csv;
	int err;

	csv_init(&csv, text, length);
	csv.separator = find_separator(text);
	do
		err = csv_next(&csv, row, &why);
	while (err == 0 && (is_remark(row) || is_blank_row(row)));
	return err == 0 &&
	       (strncasecmp(row->fields[0], "header-", 7) == 0 || read_columns(&table, row) > 0);
}

/* Whether the text begins with a comment, a directive or `@`, or has a SOA. */
static bool is_zone_file(const char *text)
{
	const char *soa = strcasestr(text, "SOA");

	return *text == ';' || *text == '$' || *text == '@' ||
	       (soa && soa > text && isspace((unsigned char)soa[-1]) &&
		isspace((unsigned char)soa[3]));
}

void windows_read(struct import *import, const char *path)
{
	struct windows *windows = windows_of(import, path);
	struct origin at = import_place(import, path, 1, NULL);
	size_t length;
	const char *text = import_read(import, path, NULL, &length), *first;

	if (!text)
		return;
	first = text + strspn(text, " \t\r\n");
	if (*first == '{' || (*first == '[' && strncmp(first, "[HKEY", 5) != 0))
		read_json(import, windows, path, text, length);
	else if (is_csv(import, text, length))
		read_csv(import, windows, path, text, length);
	else if (is_zone_file(first))
		read_zone_file(import, windows, path, text);
	else
		import_fault(import, &at,
			     "it is neither CSV with a row of column names, such as ZoneName and "
			     "MasterServers, nor JSON, nor a zone file; what is printed on a "
			     "screen, dnscmd's lists and the Registry "
			     "lack some of it. Export conditional forwarders by: %s",
			     ZONES_COMMAND);
}

void windows_finish(struct import *import)
{
	struct windows *windows = import_find(import, "windows");

	if (windows && !windows->any && !import_is_refused(import))
		import_fault(import, &windows->at,
			     "no forwarder and no zone is in it; export conditional forwarders "
			     "by: %s",
			     ZONES_COMMAND);
	if (windows && !import_is_refused(import)) {
		import_lost(import, &windows->at,
			    "who may ask, query resolution policies, client subnets, recursion "
			    "scopes and zone scopes are in no export; see whether there are any "
			    "by Get-DnsServerQueryResolutionPolicy and "
			    "Get-DnsServerRecursionScope. Timeouts, replication, aging, dynamic "
			    "update, signing and who may copy a zone stay behind, too%s",
			    import_is_for_server(import)
				    ? ""
				    : ". Here it listens at 127.0.0.1 until vnet_resolver "
				      "names an address, and answers private networks until "
				      "client_prefixes of the network says who may ask");
		if (!windows->has_default)
			import_lost(
				import, &windows->at,
				"the server's own forwarders are not in it: what no zone and no "
				"rule decides goes to default_resolver, or to the servers of "
				"/etc/resolv.conf; export them by: %s",
				FORWARDERS_COMMAND);
	}
	forward_finish(import);
}
