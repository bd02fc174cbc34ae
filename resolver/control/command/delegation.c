/* `sluice ptr delegation`: prints lines for the zone files of the zones above ours. It asks nobody:
 * the lines follow from the configuration and its state.
 *
 *     /24, a nibble     100.51.198.in-addr.arpa.           IN NS     ns1.example.com.
 *     /26 (RFC 2317)    64-127.100.51.198.in-addr.arpa.    IN NS     ns1.example.com.
 *                       64.100.51.198.in-addr.arpa.        IN CNAME  64.64-127.100.51.198...
 *                       ...                                          one for each address
 *
 * The command knows only which names must be delegated. It knows neither where the zones above are
 * cut nor whether the delegations exist already. */
#include <stdarg.h>

#include "resolver/control/base/json.h"
#include "resolver/control/command/command.h"
#include "resolver/control/service/load.h"
#include "rules/name.h"
#include "rules/policy/reverse_zones.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"

/* The largest blocks ever allocated to one network: IPv4 /8, IPv6 /16. */
enum { SENSIBLE_MIN_4 = 8, SENSIBLE_MIN_6 = 16, SERVERS_USUAL_MIN = 2 };

struct delegation {
	struct prefix prefix;
	json_t *warnings, *servers, *zones;
	__uint128_t covered; /* the share of the prefix that is in pools; ALL: all of it */
	const struct address_pool *around;
};
#define ALL ((__uint128_t)1 << 127)

static void warn(struct delegation *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void warn(struct delegation *d, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	json_add(d->warnings, json_text(text));
}

/* ---- zones ---- */

/* The name without its first label. */
static const char *parent_of(const struct reverse_zone *zone, char text[NAME_TEXT_MAX])
{
	if (zone->classless) /* its first label is arbitrary, and may contain a dot */
		return reverse_octet_zone_text(&zone->prefix, text);
	return strchr(zone->origin, '.') + 1;
}

static json_t *cnames_of(const struct reverse_zone *zone)
{
	char owner[NAME_TEXT_MAX], target[NAME_TEXT_MAX];
	json_t *cnames = json_array();
	struct address address;
	for (uint32_t n = 0; prefix_nth(&zone->prefix, n, &address); n++) {
		snprintf(target, sizeof target, "%u.%s", (unsigned)address.bytes[3], zone->origin);
		json_add(cnames,
			 json_make("{s:o, s:o}", "name", json_text(reverse_text(&address, owner)),
				   "target", json_text(target)));
	}
	return cnames;
}

/* The short form of all CNAME records of the zone, for BIND and PowerDNS. */
static json_t *generate_of(const struct reverse_zone *zone)
{
	char text[3 * NAME_TEXT_MAX], parent[NAME_TEXT_MAX];
	unsigned first = zone->prefix.address.bytes[3];
	unsigned last = first + (unsigned)prefix_size(&zone->prefix) - 1;
	snprintf(text, sizeof text, "$GENERATE %u-%u $.%s CNAME $.%s", first, last,
		 parent_of(zone, parent), zone->origin);
	return json_text(text);
}

static int on_zone(void *context, const struct reverse_zone *zone)
{
	struct delegation *d = context;
	char text[PREFIX_TEXT_MAX], parent[NAME_TEXT_MAX];
	if (!prefix_overlaps(&zone->prefix, &d->prefix))
		return 0;
	json_add(d->zones,
		 json_make("{s:o, s:s, s:o, s:b, s:o, s:o, s:o}", "zone", json_text(zone->origin),
			   "prefix", prefix_print(&zone->prefix, text), "pool",
			   json_text(full_name(&zone->pool->named)), "classless", zone->classless,
			   "parent", json_text(parent_of(zone, parent)), "cnames",
			   zone->classless ? cnames_of(zone) : json_array(), "generate",
			   zone->classless ? generate_of(zone) : json_null()));
	return 0;
}

static void find_zones(struct delegation *d, const struct model *model)
{
	for (size_t i = 0; i < model->address_pools.count; i++) {
		const struct address_pool *pool = &model->address_pools.items[i];
		if (!prefix_overlaps(&pool->prefix, &d->prefix))
			continue;
		if (pool->prefix.length < d->prefix.length)
			d->around = pool;
		unsigned deeper = (unsigned)(pool->prefix.length - d->prefix.length);
		d->covered += d->around ? ALL : deeper < 128 ? ALL >> deeper : 0;
		reverse_each_pool_zone(pool, on_zone, d);
	}
	if (json_array_size(d->zones) > 0)
		return;
	const struct address_pool pretended = {.prefix = d->prefix};
	reverse_each_pool_zone(&pretended, on_zone, d);
}

/* ---- warnings ---- */

static void warn_of_prefix(struct delegation *d)
{
	char text[PREFIX_TEXT_MAX], pool[PREFIX_TEXT_MAX];
	unsigned least = d->prefix.address.family == 4 ? SENSIBLE_MIN_4 : SENSIBLE_MIN_6;
	prefix_print(&d->prefix, text);
	if (d->around)
		warn(d,
		     "%s is a part of address pool \"%s\", %s, whose zones are what is served; "
		     "they are printed",
		     text, d->around->name, prefix_print(&d->around->prefix, pool));
	else if (d->covered == 0)
		warn(d,
		     "%s is in no address pool: nothing here answers its names; add it to "
		     "address_pools",
		     text);
	else if (d->covered < ALL)
		warn(d,
		     "address pools have only parts of %s; the zones of these are printed, the "
		     "rest is not ours",
		     text);
	if (d->prefix.length < least)
		warn(d, "%s is larger than any prefix that is handed out; the largest is a /%u",
		     text, least);
	if (address_is_private(&d->prefix.address))
		warn(d,
		     "%s is private: nobody can delegate its names, which are answered inside of "
		     "its networks only",
		     text);
}

/* Adds the command line's servers. False: one is not a name; prints why. */
static bool add_servers(struct delegation *d, const struct command_line *line)
{
	char text[NAME_TEXT_MAX];
	struct name name;
	for (int i = 0; i < line->servers.count; i++) {
		if (name_from_text(&name, NULL, line->servers.items[i]) != 0 || name.labels == 0) {
			command_misuse(line, "\"%s\" is not the name of a name server",
				       line->servers.items[i]);
			return false;
		}
		json_add(d->servers, json_text(name_to_text(&name, text)));
	}
	return true;
}

static void add_configured_servers(struct delegation *d, const struct reverse_settings *reverse)
{
	char text[NAME_TEXT_MAX];
	struct name name;
	for (size_t i = 0; i < reverse->name_servers.count; i++)
		if (name_from_text(&name, NULL, reverse->name_servers.items[i]) == 0)
			json_add(d->servers, json_text(name_to_text(&name, text)));
}

/* ---- printing ---- */

static void print_zone(const json_t *zone, const json_t *servers)
{
	size_t i;
	const json_t *item;
	bool classless = json_is_true(json_object_get(zone, "classless"));
	bool pooled = *json_text_of(zone, "pool");
	printf("\n; Zone %s of %s%s%s%s\n; For the zone above it, %s or further up:\n",
	       json_text_of(zone, "zone"), json_text_of(zone, "prefix"),
	       pooled ? ", address pool " : "", json_text_of(zone, "pool"),
	       classless ? ", classless (RFC 2317)" : "", json_text_of(zone, "parent"));
	json_array_foreach(servers, i, item)
		printf("%s\tIN\tNS\t%s\n", json_text_of(zone, "zone"), json_string_value(item));
	json_array_foreach(json_object_get(zone, "cnames"), i, item) printf(
		"%s\tIN\tCNAME\t%s\n", json_text_of(item, "name"), json_text_of(item, "target"));
	if (classless)
		printf("; In place of the CNAME lines, for BIND and PowerDNS:\n; %s\n",
		       json_text_of(zone, "generate"));
}

static int print_text(const struct command_line *line, const json_t *all)
{
	size_t i;
	const json_t *item, *servers = json_object_get(all, "name_servers");

	command_print_warnings(line, all);
	printf("; To delegate the reverse names of %s, please add:\n", json_text_of(all, "prefix"));
	json_array_foreach(json_object_get(all, "zones"), i, item) print_zone(item, servers);
	return EXIT_SUCCESS;
}

static int print(const struct command_line *line, const struct delegation *d)
{
	char text[PREFIX_TEXT_MAX];
	json_t *all = json_whole(json_make("{s:s, s:O, s:O, s:O}", "prefix",
					   prefix_print(&d->prefix, text), "name_servers",
					   d->servers, "zones", d->zones, "warnings", d->warnings));
	int status = line->json || !all ? command_print_json(all) : print_text(line, all);
	json_decref(all);
	return status;
}

/* ---- the command ---- */

static int delegate(const struct command_line *line, struct delegation *d,
		    const struct model *model)
{
	if (line->servers.count == 0)
		add_configured_servers(d, &model->reverse);
	size_t servers = json_array_size(d->servers);
	if (servers == 0)
		return command_fail_at(line,
				       "no name servers to delegate to; give them with "
				       "--ns, or as reverse.name_servers in %s",
				       line->config);
	find_zones(d, model);
	warn_of_prefix(d);
	if (servers < SERVERS_USUAL_MIN)
		warn(d, "there is one name server; most parents want two or more (RFC 1034, "
			"section 4.1)");
	return print(line, d);
}

static int load_and_delegate(const struct command_line *line, struct delegation *d)
{
	struct load load;
	load_init(&load, line->config, line->resolv_conf);
	struct model *model = command_load(line, &load);
	int status = model ? delegate(line, d, model) : EXIT_FAILURE;
	model_free(model);
	return status;
}

/* Reads a prefix, or an address as a prefix of full length. */
static int parse_subject(const struct command_line *line, struct prefix *prefix)
{
	const char *text = line->arguments[0];
	char right[PREFIX_TEXT_MAX];
	if (address_parse(&prefix->address, text) == 0) {
		prefix->length = (uint8_t)address_bits(&prefix->address);
		return EXIT_SUCCESS;
	}
	if (prefix_parse(prefix, text) == 0)
		return EXIT_SUCCESS;
	if (prefix_parse_lenient(prefix, text) == 0)
		return command_misuse(line, "\"%s\" has host bits set; did you mean %s?", text,
				      prefix_print(prefix, right));
	return command_misuse(line, "\"%s\" is not a prefix; write one such as 198.51.100.64/26",
			      text);
}

int command_ptr_delegation(const struct command_line *line)
{
	struct delegation d = {
		.warnings = json_array(), .servers = json_array(), .zones = json_array()};
	int status = parse_subject(line, &d.prefix);
	if (status == EXIT_SUCCESS)
		status = add_servers(&d, line) ? load_and_delegate(line, &d) : COMMAND_USAGE;
	json_decref(d.warnings);
	json_decref(d.servers);
	json_decref(d.zones);
	return status;
}
