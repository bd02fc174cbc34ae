/* dnsdist, in YAML (2.0), and in Lua as far as that can be read without running it: backends in
 * pools, rules that select a pool, and clients.
 *
 *     rules, in order; the first that fits decides      domains, the longest decides
 *     QNameSuffix corp.example    ─► Pool "dc"          corp.example ─► dc's backends
 *     QNameSuffix www.corp.example ─► Pool "web"        refused: dnsdist never comes to this rule,
 *                                                       but here it would decide
 *     none fits                   ─► pool ""            the default resolver
 *
 * A rule that selects a pool refuses the file unless it is for suffixes or for all names. A rule
 * with an unread action may keep clients out: then the list of clients is written closed. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "resolver/control/import/acl.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "resolver/control/import/json_file.h"
#include "resolver/control/import/lua.h"
#include "resolver/control/import/words.h"
#include "resolver/control/import/yaml_file.h"
#include "rules/base.h"
#include "rules/text.h"

struct pool {
	const char *name;
	bool is_led_to;
	struct pool *next;
};

struct backend {
	struct origin at;
	const char *address;
	long port, order;
	bool tcp;
	const struct pool *pool; /* a backend in several pools has an entry for each */
	struct backend *next;
};

struct dnsdist_route {
	struct origin at;
	const char *domain; /* without a final dot; ".": every name */
	struct pool *pool;
	unsigned order;
	struct dnsdist_route *next;
};

struct dnsdist_listener {
	struct origin at;
	const char *address;
	bool at_interface; /* the listener has the address at one interface alone */
	struct dnsdist_listener *next;
};

struct dnsdist { /* kept by the import */
	struct import *import;
	struct origin at;
	struct forward_view *view;
	struct pool *pools, **last_pool;
	struct backend *backends, **last_backend;
	struct dnsdist_route *routes, **last_route;
	unsigned route_count;
	struct dnsdist_listener *listeners, **last_listener;
	struct acl acl;
	bool has_acl, by_order; /* by_order: firstAvailable */
	struct origin unread;   /* a rule that may keep clients out; line 0: none */
	bool has_lua, has_yaml;
};

/* dnsdist's default clients. */
static const char *const usual_clients[] = {"127.0.0.0/8",    "10.0.0.0/8",     "100.64.0.0/10",
					    "169.254.0.0/16", "192.168.0.0/16", "172.16.0.0/12",
					    "::1/128",        "fc00::/7",       "fe80::/10"};

static struct dnsdist *dnsdist_of(struct import *import, const char *path)
{
	struct dnsdist *dnsdist = import_find(import, "dnsdist");

	if (dnsdist)
		return dnsdist;
	dnsdist = import_alloc(import, sizeof *dnsdist);
	dnsdist->import = import;
	dnsdist->at = import_place(import, path, 0, NULL);
	dnsdist->view = forward_main_view(import, &dnsdist->at);
	dnsdist->last_pool = &dnsdist->pools;
	dnsdist->last_backend = &dnsdist->backends;
	dnsdist->last_route = &dnsdist->routes;
	dnsdist->last_listener = &dnsdist->listeners;
	import_keep(import, "dnsdist", dnsdist);
	return dnsdist;
}

/* ---- texts, and lists of them ---- */

/* The text at an index of a list, or a single text, perhaps inside newDNSName(); NULL: no more.
 * Other values are a fault. */
static const char *text_at(struct import *import, const json_t *list, size_t index,
			   struct origin *at)
{
	const json_t *value = json_is_array(list) ? json_array_get(list, index)
			      : index == 0        ? list
						  : NULL;
	const char *call = json_member_text(value, "call");

	if (!value || json_is_null(value))
		return NULL;
	*at = json_file_at(import, value, NULL);
	if (call && strcmp(call, "newDNSName") == 0)
		value = json_array_get(json_member(value, "args"), 0);
	if (!json_is_string(value))
		import_fault(import, at, "a text is expected here");
	return json_string_value(value);
}

static bool is_yes(const json_t *value)
{
	return words_flag(json_string_value(value)) == 1;
}

/* ---- backends ---- */

static struct pool *pool_named(struct dnsdist *dnsdist, const char *name)
{
	struct pool *pool = dnsdist->pools;

	while (pool && strcmp(pool->name, name) != 0)
		pool = pool->next;
	if (pool)
		return pool;
	pool = import_alloc(dnsdist->import, sizeof *pool);
	pool->name = import_printf(dnsdist->import, "%s", name);
	*dnsdist->last_pool = pool;
	dnsdist->last_pool = &pool->next;
	return pool;
}

static void add_to_pool(struct dnsdist *dnsdist, const struct backend *like, const char *name)
{
	struct backend *backend = import_alloc(dnsdist->import, sizeof *backend);

	*backend = *like;
	backend->pool = pool_named(dnsdist, name);
	*dnsdist->last_backend = backend;
	dnsdist->last_backend = &backend->next;
}

/* Whether the backend uses a protocol that sluice lacks, which is reported. */
static bool is_encrypted(struct import *import, const struct origin *at, const json_t *values)
{
	static const char *const members[] = {"tls", "dohPath", "doh"};
	const char *protocol = json_member_text(values, "protocol");
	bool encrypted = protocol && strcasecmp(protocol, "Do53") != 0;

	for (size_t i = 0; i < COUNT(members); i++) {
		const json_t *value = json_member(values, members[i]);

		encrypted |= value && !json_is_null(value);
	}
	if (encrypted)
		import_fault(import, at,
			     "it is asked over TLS or HTTPS, and would be asked without it: give a "
			     "server here that is asked by UDP");
	return encrypted;
}

static void tell_lost(struct import *import, const json_t *values, const struct reason *reasons)
{
	for (; reasons->name; reasons++) {
		const json_t *value = json_member(values, reasons->name);
		struct origin at;

		if (!value || json_is_null(value))
			continue;
		at = json_file_at(import, value, reasons->name);
		import_lost(import, &at, "%s", reasons->why);
	}
}

/* Takes a backend from newServer{...} or from the list `backends`. */
static void take_backend(struct dnsdist *dnsdist, const struct origin *at, const json_t *values)
{
	static const struct reason reasons[] = {
		{"qps", "how many queries a target gets has no limit"},
		{"queries_per_second", "how many queries a target gets has no limit"},
		{"weight", "targets are asked in the order that they have"},
		{"source", "source of an outbound endpoint is where targets are asked from"},
		{"useProxyProtocol", "nothing of clients is sent on"},
		{"proxy_protocol", "nothing of clients is sent on"},
		{"useClientSubnet", "clients' subnets are not sent on"},
		{"use_client_subnet", "clients' subnets are not sent on"},
		{NULL, NULL},
	};
	struct import *import = dnsdist->import;
	const json_t *pools = json_member(values, "pools");
	const char *address = json_member_text(values, "address"), *name;
	const json_t *order = json_member(values, "order");
	struct backend backend = {.at = *at, .order = 1};
	struct origin where;
	struct host host;
	size_t count = 0;
	char text[ADDRESS_TEXT_MAX];

	if (is_encrypted(import, at, values))
		return;
	if (!address || host_parse(&host, address, DNS_PORT) != 0) {
		import_fault(import, at, "\"%s\" is no address of a server",
			     address ? address : "");
		return;
	}
	backend.address = import_printf(import, "%s", address_print(&host.address, text));
	backend.port = host.port;
	backend.tcp =
		is_yes(json_member(values, "tcpOnly")) || is_yes(json_member(values, "tcp_only"));
	if (order)
		backend.order = words_number(json_string_value(order));
	pools = pools ? pools : json_member(values, "pool");
	for (; (name = text_at(import, pools, count, &where)); count++)
		add_to_pool(dnsdist, &backend, name);
	if (count == 0)
		add_to_pool(dnsdist, &backend, "");
	tell_lost(import, values, reasons);
}

/* ---- rules ---- */

enum selector_kind { SELECT_SUFFIXES, SELECT_NAMES, SELECT_ALL, SELECT_OTHER };
enum action_kind { ACTION_POOL, ACTION_SPOOF, ACTION_ALLOW, ACTION_OTHER };

struct dnsdist_rule {
	struct origin at;
	enum selector_kind selector;
	enum action_kind action;
	const json_t *names;     /* of the selector */
	const char *pool;        /* of the action */
	const json_t *addresses; /* of the action */
	const char *by, *does;   /* their names in the file */
};

/* The domain in lower case, without a final dot; NULL: no name, which is reported. */
static const char *domain_of(struct import *import, const struct origin *at, const char *text)
{
	size_t length = strlen(text);
	struct name name;

	if (name_from_text(&name, NULL, text) != 0) {
		import_fault(import, at, "\"%s\" is no domain name", text);
		return NULL;
	}
	length -= length > 1 && text[length - 1] == '.';
	return length == 0 ? "." : text_lower(import_printf(import, "%.*s", (int)length, text));
}

static struct dnsdist_route *route_of(struct import *import, const char *domain)
{
	return import_find(import, import_printf(import, "dnsdist route %s", domain));
}

/* The first rule so far that matches the name; NULL: none. */
static const struct dnsdist_route *first_around(struct import *import, const char *domain)
{
	const struct dnsdist_route *first = route_of(import, "."), *route;

	for (const char *at = domain; at && *at != '\0' && strcmp(at, ".") != 0;) {
		route = route_of(import, at);
		if (route && (!first || route->order < first->order))
			first = route;
		at = strchr(at, '.');
		at = at ? at + 1 : NULL;
	}
	return first;
}

static void add_route(struct dnsdist *dnsdist, const struct origin *at, const char *domain,
		      const char *pool_name)
{
	struct pool *pool = pool_named(dnsdist, pool_name);
	const struct dnsdist_route *first = first_around(dnsdist->import, domain);
	struct dnsdist_route *route;

	if (first && first->pool == pool)
		return;
	if (first) {
		import_fault(dnsdist->import, at,
			     "the rule at line %u, for %s, is ahead of it and decides; here the "
			     "longest domain does: leave this one out, or put it ahead",
			     first->at.line, first->domain);
		return;
	}
	route = import_alloc(dnsdist->import, sizeof *route);
	*route = (struct dnsdist_route){*at, domain, pool, dnsdist->route_count++, NULL};
	*dnsdist->last_route = route;
	dnsdist->last_route = &route->next;
	import_keep(dnsdist->import, import_printf(dnsdist->import, "dnsdist route %s", domain),
		    route);
}

static void take_pool_rule(struct dnsdist *dnsdist, const struct dnsdist_rule *rule)
{
	struct import *import = dnsdist->import;
	const char *text, *domain;
	struct origin at;

	if (rule->selector == SELECT_ALL)
		add_route(dnsdist, &rule->at, ".", rule->pool);
	else if (rule->selector == SELECT_NAMES)
		import_fault(import, &rule->at,
			     "it is for names, and not for what is below them, as a rule here is; "
			     "make it a rule for a suffix if that is the same");
	else if (rule->selector == SELECT_OTHER)
		import_fault(import, &rule->at,
			     "%s decides where a query goes; here the name alone does: make a "
			     "network of clients that go elsewhere",
			     rule->by);
	for (size_t i = 0;
	     rule->selector == SELECT_SUFFIXES && (text = text_at(import, rule->names, i, &at));
	     i++) {
		domain = domain_of(import, &at, text);
		if (domain)
			add_route(dnsdist, &rule->at, domain, rule->pool);
	}
}

static void take_spoof(struct dnsdist *dnsdist, const struct dnsdist_rule *rule)
{
	struct import *import = dnsdist->import;
	const char *text, *domain;
	struct address address;
	struct origin at;

	if (rule->selector != SELECT_NAMES) {
		import_fault(import, &rule->at,
			     "only names can be given addresses (QNameRule), and not %s; make a "
			     "private zone with a wildcard, and leave this out",
			     rule->by);
		return;
	}
	for (size_t i = 0; (text = text_at(import, rule->names, i, &at)); i++) {
		domain = domain_of(import, &at, text);
		if (!domain)
			continue;
		if (first_around(import, domain)) {
			import_fault(import, &rule->at,
				     "the rule at line %u is ahead of it and decides for %s",
				     first_around(import, domain)->at.line, domain);
			continue;
		}
		for (size_t n = 0; (text = text_at(import, rule->addresses, n, &at)); n++)
			if (address_parse(&address, text) != 0)
				import_fault(import, &at, "\"%s\" is no address", text);
			else
				forward_record(import, dnsdist->view, &rule->at, domain,
					       address.family == 4 ? "A" : "AAAA", -1, text);
	}
}

static void take_rule(struct dnsdist *dnsdist, const struct dnsdist_rule *rule)
{
	bool has_names = rule->selector == SELECT_SUFFIXES || rule->selector == SELECT_NAMES;
	struct origin at;

	if (has_names && !text_at(dnsdist->import, rule->names, 0, &at)) {
		import_fault(dnsdist->import, &rule->at, "it has no name that it is for");
		return;
	}
	if (rule->action == ACTION_SPOOF && !text_at(dnsdist->import, rule->addresses, 0, &at)) {
		import_fault(dnsdist->import, &rule->at, "it has no address");
		return;
	}
	switch (rule->action) {
	case ACTION_POOL: take_pool_rule(dnsdist, rule); break;
	case ACTION_SPOOF: take_spoof(dnsdist, rule); break;
	case ACTION_ALLOW:
		import_fault(dnsdist->import, &rule->at,
			     "%s leads past the rules behind it; make rules of what these do",
			     rule->does);
		break;
	case ACTION_OTHER:
		import_lost(dnsdist->import, &rule->at, "%s with %s is not read", rule->by,
			    rule->does);
		if (dnsdist->unread.line == 0)
			dnsdist->unread = rule->at;
		break;
	}
}

/* ---- clients, and where to listen ---- */

/* Adds the clients of NetmaskGroup's list, where the most specific prefix counts. */
static void add_clients(struct dnsdist *dnsdist, const json_t *list)
{
	struct prefix prefix;
	struct origin at;
	const char *text;

	dnsdist->has_acl = true;
	for (size_t i = 0; (text = text_at(dnsdist->import, list, i, &at)); i++) {
		bool allow = *text != '!';

		if (acl_prefix(&prefix, text + !allow))
			acl_add(&dnsdist->acl, &prefix, allow, &at);
		else
			import_fault(dnsdist->import, &at, "\"%s\" is no prefix", text);
	}
}

static void add_usual_clients(struct dnsdist *dnsdist, const struct origin *at)
{
	struct prefix prefix;

	dnsdist->has_acl = true;
	for (size_t i = 0; i < COUNT(usual_clients); i++)
		if (acl_prefix(&prefix, usual_clients[i]))
			acl_add(&dnsdist->acl, &prefix, true, at);
}

/* `options`: of the listener, such as its interface; NULL: none. */
static void add_listener(struct dnsdist *dnsdist, const struct origin *at, const char *address,
			 const json_t *options)
{
	struct dnsdist_listener *listener = import_alloc(dnsdist->import, sizeof *listener);
	const char *interface = json_member_text(options, "interface");

	*listener =
		(struct dnsdist_listener){.at = *at,
					  .address = import_printf(dnsdist->import, "%s", address),
					  .at_interface = interface && *interface != '\0'};
	*dnsdist->last_listener = listener;
	dnsdist->last_listener = &listener->next;
}

static void clear_listeners(struct dnsdist *dnsdist)
{
	dnsdist->listeners = NULL;
	dnsdist->last_listener = &dnsdist->listeners;
}

static void take_policy(struct dnsdist *dnsdist, const struct origin *at, const char *policy)
{
	dnsdist->by_order = policy && strcmp(policy, "firstAvailable") == 0;
	if (!dnsdist->by_order)
		import_changed(dnsdist->import, at,
			       "targets are asked in the order that they have; the next one when "
			       "one is late");
}

/* ---- YAML ---- */

static void read_selector(struct dnsdist_rule *rule, const json_t *selector)
{
	static const struct {
		const char *type, *names;
		enum selector_kind kind;
	} rows[] = {
		{"QNameSuffix", "suffixes", SELECT_SUFFIXES},
		{"QName", "qname", SELECT_NAMES},
		{"QNameSet", "qnames", SELECT_NAMES},
		{"All", "", SELECT_ALL},
	};

	rule->selector = SELECT_OTHER;
	rule->by = json_member_text(selector, "type");
	for (size_t i = 0; rule->by && i < COUNT(rows); i++) {
		if (strcasecmp(rows[i].type, rule->by) != 0)
			continue;
		rule->selector = rows[i].kind;
		rule->names = json_member(selector, rows[i].names);
	}
	rule->by = rule->by ? rule->by : "a selector without a type";
}

static void read_action(struct import *import, struct dnsdist_rule *rule, const json_t *action)
{
	const json_t *stop = json_member(action, "stop_processing");

	rule->action = ACTION_OTHER;
	rule->does = json_member_text(action, "type");
	rule->does = rule->does ? rule->does : "an action without a type";
	if (strcasecmp(rule->does, "Pool") == 0) {
		rule->action = ACTION_POOL;
		rule->pool = json_member_text(action, "pool_name");
		if (!rule->pool)
			import_fault(import, &rule->at, "it names no pool");
		if (stop && !is_yes(stop))
			import_fault(import, &rule->at,
				     "the rules behind it may lead elsewhere (stop_processing)");
	} else if (strcasecmp(rule->does, "Spoof") == 0) {
		rule->action = ACTION_SPOOF;
		rule->addresses = json_member(action, "ips");
	} else if (strcasecmp(rule->does, "Allow") == 0) {
		rule->action = ACTION_ALLOW;
	}
}

static void take_yaml_rule(struct dnsdist *dnsdist, const json_t *values)
{
	struct dnsdist_rule rule = {
		.at = json_file_at(dnsdist->import, values, json_member_text(values, "name"))};

	read_selector(&rule, json_member(values, "selector"));
	read_action(dnsdist->import, &rule, json_member(values, "action"));
	if (rule.action != ACTION_POOL || rule.pool)
		take_rule(dnsdist, &rule);
}

static void take_yaml_bind(struct dnsdist *dnsdist, const json_t *values)
{
	const char *protocol = json_member_text(values, "protocol"),
		   *address = json_member_text(values, "listen_address");
	struct origin at = json_file_at(dnsdist->import, values, NULL);

	if (protocol && strcasecmp(protocol, "Do53") != 0)
		import_lost(dnsdist->import, &at, "clients ask by UDP and TCP, and not by %s",
			    protocol);
	else if (address)
		add_listener(dnsdist, &at, address, values);
}

static void take_yaml_backend(struct dnsdist *dnsdist, const json_t *values)
{
	struct origin at = json_file_at(dnsdist->import, values, NULL);

	take_backend(dnsdist, &at, values);
}

/* Refuses other lists of rules for queries, because they may select a pool; other settings are
 * lost. */
static void take_yaml_other(struct dnsdist *dnsdist, const char *key, const json_t *value)
{
	struct origin at = json_file_at(dnsdist->import, value, key);
	size_t length = strlen(key);

	if (length > 6 && strcmp(key + length - 6, "_rules") == 0 && !strstr(key, "response") &&
	    strcmp(key, "dynamic_rules") != 0)
		import_fault(dnsdist->import, &at,
			     "only query_rules are read; leave the others out of a copy of the "
			     "file, if they lead nowhere and keep nobody out");
	else
		import_lost(
			dnsdist->import, &at,
			"only acl, backends, binds, query_rules and the default policy are read");
}

static void take_yaml(struct dnsdist *dnsdist, const json_t *file)
{
	static const struct {
		const char *key;
		void (*take)(struct dnsdist *dnsdist, const json_t *item);
	} lists[] = {
		{"backends", take_yaml_backend},
		{"binds", take_yaml_bind},
		{"query_rules", take_yaml_rule},
	};
	json_t *value, *item;
	const char *key;
	size_t i, row;

	json_object_foreach((json_t *)file, key, value)
	{
		struct origin at = json_file_at(dnsdist->import, value, key);
		const char *policy = json_member_text(value, "default_policy");

		for (row = 0; row < COUNT(lists) && strcmp(lists[row].key, key) != 0; row++)
			;
		if (json_is_null(value))
			continue;
		if (row < COUNT(lists)) {
			if (!json_is_array(value))
				import_fault(dnsdist->import, &at, "a list is expected here");
			json_array_foreach(value, i, item) lists[row].take(dnsdist, item);
		} else if (strcmp(key, "acl") == 0) {
			if (dnsdist->has_acl)
				import_fault(dnsdist->import, &at,
					     "who may ask is said in another file, too; leave one "
					     "of the two lists out");
			add_clients(dnsdist, value);
		} else if (strcmp(key, "load_balancing_policies") == 0) {
			take_policy(dnsdist, &at, policy);
		} else if (strcmp(key, "selectors") != 0) {
			take_yaml_other(dnsdist, key, value);
		}
	}
}

/* ---- Lua ---- */

static const char *const policies[] = {
	"leastOutstanding", "firstAvailable", "roundrobin", "wrandom", "whashed", "chashed", NULL};

#define IS_SHOWN    "sluice status and the dashboard show what it does, and its API changes it"
#define IS_BUILT_IN "how much of the machine it takes is built in, and in limits of sluice.conf(5)"
#define NOT_ANSWERS "answers of targets are not changed"
#define NO_TLS      "clients ask by UDP and TCP alone"

static const struct reason lua_reasons[] = {
	{"setCache", "what targets answer is in one cache; cache in sluice.conf(5)"},
	{"unsetCache", "what targets answer is in one cache; cache in sluice.conf(5)"},
	{"setStaleCacheEntriesTTL", "cache.stale_max in sluice.conf(5)"},
	{"setCacheCleaningDelay", "the cache cleans itself"},
	{"setCacheCleaningPercentage", "the cache cleans itself"},
	{"controlSocket", IS_SHOWN},
	{"setKey", IS_SHOWN},
	{"setConsoleACL", IS_SHOWN},
	{"addConsoleACL", IS_SHOWN},
	{"setConsoleMaximumConcurrentConnections", IS_SHOWN},
	{"webserver", IS_SHOWN},
	{"setWebserverConfig", IS_SHOWN},
	{"setAPIWritable", IS_SHOWN},
	{"carbonServer", IS_SHOWN},
	{"snmpAgent", IS_SHOWN},
	{"setRingBuffersSize", IS_BUILT_IN},
	{"setMaxTCPClientThreads", IS_BUILT_IN},
	{"setMaxTCPQueuedConnections", IS_BUILT_IN},
	{"setMaxTCPConnectionsPerClient", IS_BUILT_IN},
	{"setMaxUDPOutstanding", IS_BUILT_IN},
	{"setTCPRecvTimeout", IS_BUILT_IN},
	{"setTCPSendTimeout", IS_BUILT_IN},
	{"setUDPTimeout", IS_BUILT_IN},
	{"setUDPMultipleMessagesVectorSize", IS_BUILT_IN},
	{"setVerboseHealthChecks", "log in sluice.conf(5) says what is logged"},
	{"setVerbose", "log in sluice.conf(5) says what is logged"},
	{"setSyslogFacility", "log in sluice.conf(5) says what is logged"},
	{"setSecurityPollSuffix", "nothing is asked but what clients ask"},
	{"setServFailWhenNoServer", "where no target answers, SERVFAIL is"},
	{"setECSOverride", "clients' subnets are not sent on"},
	{"setECSSourcePrefixV4", "clients' subnets are not sent on"},
	{"setECSSourcePrefixV6", "clients' subnets are not sent on"},
	{"addResponseAction", NOT_ANSWERS},
	{"addCacheHitResponseAction", NOT_ANSWERS},
	{"addSelfAnsweredResponseAction", NOT_ANSWERS},
	{"addTLSLocal", NO_TLS},
	{"addDOHLocal", NO_TLS},
	{"addDOH3Local", NO_TLS},
	{"addDOQLocal", NO_TLS},
	{"addDNSCryptBind", NO_TLS},
	{NULL, NULL},
};

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), wanted = strlen(end);

	return length >= wanted && strcasecmp(text + length - wanted, end) == 0;
}

/* Whether the call only makes a value, such as a selector, an action or a list of names. A selector
 * or an action that runs Lua is none. */
static bool is_value(const char *name)
{
	static const char *const others[] = {"newSuffixMatchNode",
					     "newDNSName",
					     "newDNSNameSet",
					     "newNMG",
					     "newCA",
					     "newPacketCache",
					     "getPool",
					     NULL};
	static const char *const doing[] = {"Lua", "add",   "set",  "rm",
					    "mv",  "clear", "show", "get"};

	if (text_is_among(name, others))
		return true;
	for (size_t i = 0; i < COUNT(doing); i++)
		if (strncmp(name, doing[i], strlen(doing[i])) == 0)
			return false;
	return ends_with(name, "Rule") || ends_with(name, "Action");
}

static const json_t *argument(const json_t *call, size_t index)
{
	return json_array_get(json_member(call, "args"), index);
}

/* newServer("10.1.0.4") or newServer{address="10.1.0.4", ...} */
static void on_server(struct dnsdist *dnsdist, const struct origin *at, const json_t *call)
{
	const json_t *first = argument(call, 0);
	json_t *made;

	if (!json_is_string(first)) {
		take_backend(dnsdist, at, first);
		return;
	}
	made = json_pack("{s:O}", "address", first);
	take_backend(dnsdist, at, made);
	json_decref(made);
}

/* The names in a rule's selector. Marks a newSuffixMatchNode() as used, so that a later add() to it
 * is a fault. */
static const json_t *names_of(const json_t *value)
{
	const char *call = json_member_text(value, "call");

	if (!call || strcmp(call, "newSuffixMatchNode") != 0)
		return value;
	json_object_set_new((json_t *)value, "used", json_true());
	return json_member(value, "args");
}

/* A text in place of a rule is a suffix, or a prefix of clients. */
static void read_lua_texts(struct import *import, struct dnsdist_rule *rule, const json_t *value)
{
	struct prefix prefix;
	struct origin at;
	const char *text;

	rule->selector = SELECT_SUFFIXES;
	rule->names = value;
	rule->by = "a suffix";
	for (size_t i = 0; (text = text_at(import, value, i, &at)); i++)
		if (acl_prefix(&prefix, text)) {
			rule->selector = SELECT_OTHER;
			rule->by = "a prefix of clients";
		}
}

static void read_lua_selector(struct import *import, struct dnsdist_rule *rule, const json_t *value)
{
	const char *call = json_member_text(value, "call");

	if (!call || strcmp(call, "newDNSName") == 0) {
		read_lua_texts(import, rule, value);
		return;
	}
	rule->by = call;
	rule->selector = SELECT_OTHER;
	if (strcmp(call, "QNameSuffixRule") == 0 || strcmp(call, "SuffixMatchNodeRule") == 0)
		rule->selector = SELECT_SUFFIXES;
	else if (strcmp(call, "QNameRule") == 0 || strcmp(call, "QNameSetRule") == 0)
		rule->selector = SELECT_NAMES;
	else if (strcmp(call, "AllRule") == 0)
		rule->selector = SELECT_ALL;
	else if (strcmp(call, "makeRule") == 0)
		read_lua_texts(import, rule, argument(value, 0));
	else
		return;
	if (rule->selector == SELECT_SUFFIXES || rule->selector == SELECT_NAMES)
		rule->names = names_of(argument(value, 0));
	call = json_member_text(rule->names, "call");
	if (call && strcmp(call, "newDNSName") != 0)
		rule->selector = SELECT_OTHER; /* names from another call */
}

static void read_lua_action(struct import *import, struct dnsdist_rule *rule, const json_t *value)
{
	const char *call = json_member_text(value, "call");
	const json_t *stop = argument(value, 1);

	rule->does = call ? call : "this";
	rule->action = ACTION_OTHER;
	if (!call)
		return;
	if (strcmp(call, "PoolAction") == 0) {
		rule->action = ACTION_POOL;
		rule->pool = json_string_value(argument(value, 0));
		if (!rule->pool)
			import_fault(import, &rule->at, "it names no pool");
		if (stop && !is_yes(stop))
			import_fault(import, &rule->at,
				     "the rules behind it may lead elsewhere: it does not stop");
	} else if (strcmp(call, "SpoofAction") == 0) {
		rule->action = ACTION_SPOOF;
		rule->addresses = argument(value, 0);
		/* the older form: ("192.0.2.1", "2001:db8::1") */
		if (json_is_string(stop))
			rule->addresses = json_member(value, "args");
	} else if (strcmp(call, "AllowAction") == 0) {
		rule->action = ACTION_ALLOW;
	}
}

static void on_action(struct dnsdist *dnsdist, const struct origin *at, const json_t *call)
{
	struct dnsdist_rule rule = {.at = *at};

	read_lua_selector(dnsdist->import, &rule, argument(call, 0));
	read_lua_action(dnsdist->import, &rule, argument(call, 1));
	if (rule.action != ACTION_POOL || rule.pool)
		take_rule(dnsdist, &rule);
}

/* smn:add("corp.example"), or add() with a list. */
static void on_add(struct dnsdist *dnsdist, const struct origin *at, const json_t *call)
{
	json_t *node = json_member(call, "on");
	const char *made = json_member_text(node, "call"), *text;
	struct origin where;

	if (!made || strcmp(made, "newSuffixMatchNode") != 0 || json_object_get(node, "used")) {
		import_fault(dnsdist->import, at,
			     "only a newSuffixMatchNode() can be added to, before a rule has it");
		return;
	}
	for (size_t i = 0; (text = text_at(dnsdist->import, argument(call, 0), i, &where)); i++)
		json_array_append_new(json_member(node, "args"),
				      json_file_keep(dnsdist->import, json_string(text), &where));
}

static void on_set_acl(struct dnsdist *dnsdist, const struct origin *at, const json_t *call)
{
	(void)at;
	acl_release(&dnsdist->acl);
	dnsdist->acl = (struct acl){0};
	add_clients(dnsdist, argument(call, 0));
}

static void on_add_acl(struct dnsdist *dnsdist, const struct origin *at, const json_t *call)
{
	if (!dnsdist->has_acl)
		add_usual_clients(dnsdist, at);
	add_clients(dnsdist, argument(call, 0));
}

static void on_add_local(struct dnsdist *dnsdist, const struct origin *at, const json_t *call)
{
	const char *address = json_string_value(argument(call, 0));

	if (address)
		add_listener(dnsdist, at, address, argument(call, 1));
	else
		import_fault(dnsdist->import, at, "it names no address");
}

static void on_set_local(struct dnsdist *dnsdist, const struct origin *at, const json_t *call)
{
	clear_listeners(dnsdist);
	on_add_local(dnsdist, at, call);
}

static void on_policy(struct dnsdist *dnsdist, const struct origin *at, const json_t *call)
{
	take_policy(dnsdist, at, json_member_text(argument(call, 0), "name"));
}

/* The node begins empty, and add() fills it; `args` then holds the names. */
static void on_node(struct dnsdist *dnsdist, const struct origin *at, const json_t *call)
{
	if (argument(call, 0))
		import_fault(dnsdist->import, at, "names are put into it by :add(\"NAME\")");
}

/* Takes a call. An unknown call is a fault, because it could mean anything. */
static void take_call(struct dnsdist *dnsdist, const json_t *call)
{
	static const struct {
		const char *name;
		void (*take)(struct dnsdist *dnsdist, const struct origin *at, const json_t *call);
	} rows[] = {
		{"newServer", on_server},
		{"addAction", on_action},
		{"add", on_add},
		{"setACL", on_set_acl},
		{"addACL", on_add_acl},
		{"setLocal", on_set_local},
		{"addLocal", on_add_local},
		{"setServerPolicy", on_policy},
		{"newSuffixMatchNode", on_node},
	};
	const char *name = json_member_text(call, "call");
	struct origin at = json_file_at(dnsdist->import, call, name);

	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].name, name) == 0) {
			rows[i].take(dnsdist, &at, call);
			return;
		}
	if (is_value(name)) { /* assigned to a variable: a node in it counts as used from now on */
		names_of(argument(call, 0));
		return;
	}
	for (const struct reason *reason = lua_reasons; reason->name; reason++)
		if (strcmp(reason->name, name) == 0) {
			import_lost(dnsdist->import, &at, "%s", reason->why);
			return;
		}
	import_fault(
		dnsdist->import, &at,
		"this is not read; leave it out of a copy of the file, if it leads nowhere and "
		"keeps nobody out");
}

/* ---- files ---- */

/* dnsdist reads dnsdist.lua before dnsdist.yml, so it has to be given first. */
static void ask_for_lua(struct dnsdist *dnsdist, const char *path)
{
	struct import *import = dnsdist->import;
	struct origin at = import_place(import, path, 0, NULL);
	const char *dot = strrchr(path, '.'), *beside;

	if (dnsdist->has_lua)
		return;
	beside = import_printf(import, "%.*s.lua", (int)(dot ? dot - path : (long)strlen(path)),
			       path);
	if (access(beside, F_OK) == 0)
		import_fault(import, &at, "dnsdist reads %s ahead of it: give it, too, ahead of it",
			     beside);
	else
		import_changed(import, &at,
			       "where the server has a file of that name that ends in .lua, it is "
			       "read, too: give it ahead of this one");
}

/* Decides by the file's name, or by a key of YAML at the beginning of a line. */
static bool is_yaml(const char *path, const char *text)
{
	static const char *const keys[] = {
		"acl:", "backends:", "binds:", "console:", "query_rules:", "pools:", "webserver:"};

	if (ends_with(path, ".yml") || ends_with(path, ".yaml"))
		return true;
	if (ends_with(path, ".lua") || ends_with(path, ".conf"))
		return false;
	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		for (size_t i = 0; i < COUNT(keys); i++)
			if (strncmp(text, keys[i], strlen(keys[i])) == 0)
				return true;
	}
	return false;
}

static void read_yaml(struct dnsdist *dnsdist, const char *path, const char *text, size_t length)
{
	json_t *file = yaml_file_parse(dnsdist->import, path, text, length);
	struct origin at = import_place(dnsdist->import, path, 1, NULL);

	dnsdist->has_yaml = true;
	ask_for_lua(dnsdist, path);
	if (file && !json_is_object(file))
		import_fault(dnsdist->import, &at, "it has no settings, such as backends");
	take_yaml(dnsdist, file);
	json_decref(file);
}

static void read_lua(struct dnsdist *dnsdist, const char *path, const char *text)
{
	json_t *calls = lua_parse(dnsdist->import, path, text, is_value, policies), *call;
	struct origin at = import_place(dnsdist->import, path, 0, NULL);
	size_t i;

	dnsdist->has_lua = true;
	if (dnsdist->has_yaml)
		import_fault(dnsdist->import, &at,
			     "dnsdist reads it ahead of the one in YAML: give it ahead of that");
	json_array_foreach(calls, i, call) take_call(dnsdist, call);
	json_decref(calls);
}

void dnsdist_read(struct import *import, const char *path)
{
	struct dnsdist *dnsdist = dnsdist_of(import, path);
	size_t length;
	const char *text = import_read(import, path, NULL, &length);

	if (text && is_yaml(path, text))
		read_yaml(dnsdist, path, text, length);
	else if (text)
		read_lua(dnsdist, path, text);
}

/* ---- finishing ---- */

static int by_order(const void *a, const void *b)
{
	const struct backend *first = *(const struct backend *const *)a,
			     *second = *(const struct backend *const *)b;

	return first->order < second->order ? -1 : first->order > second->order;
}

/* Adds the pool's backends as targets (`in` NULL: only counts them). False: the pool has none. */
static bool add_targets(struct dnsdist *dnsdist, struct node *in, const struct pool *pool)
{
	const struct backend **backends;
	size_t count = 0;

	for (const struct backend *at = dnsdist->backends; at; at = at->next)
		count += at->pool == pool;
	if (!in || count == 0)
		return count > 0;
	backends = import_alloc(dnsdist->import, count * sizeof *backends);
	count = 0;
	for (const struct backend *at = dnsdist->backends; at; at = at->next)
		if (at->pool == pool)
			backends[count++] = at;
	if (dnsdist->by_order)
		qsort(backends, count, sizeof *backends, by_order);
	for (size_t i = 0; i < count; i++)
		forward_target(dnsdist->import, in, &backends[i]->at, backends[i]->address,
			       backends[i]->port, backends[i]->tcp ? "tcp" : NULL);
	return true;
}

static void put_routes(struct dnsdist *dnsdist)
{
	struct import *import = dnsdist->import;
	bool has_all = false;

	for (struct dnsdist_route *route = dnsdist->routes; route; route = route->next) {
		bool is_all = strcmp(route->domain, ".") == 0;

		has_all |= is_all;
		route->pool->is_led_to = true;
		if (!add_targets(dnsdist, NULL, route->pool))
			import_fault(import, &route->at, "the pool \"%s\" has no backend",
				     route->pool->name);
		else
			add_targets(dnsdist,
				    is_all ? forward_default(import, &route->at)
					   : forward_rule(import, dnsdist->view, &route->at,
							  route->domain, false),
				    route->pool);
	}
	if (has_all)
		return;
	struct pool *usual = pool_named(dnsdist, "");

	usual->is_led_to = true;
	if (add_targets(dnsdist, NULL, usual))
		add_targets(dnsdist, forward_default(import, &dnsdist->at), usual);
	else
		forward_no_default(import, dnsdist->view, &dnsdist->at);
}

static void put_clients(struct dnsdist *dnsdist)
{
	struct import *import = dnsdist->import;
	struct acl_set clients, nobody = {0};

	if (!dnsdist->has_acl)
		add_usual_clients(dnsdist, &dnsdist->at);
	clients = acl_most_specific(import, &dnsdist->acl);
	if (dnsdist->unread.line == 0) {
		forward_allow_only(import, dnsdist->view, &dnsdist->at, clients);
	} else {
		forward_allow_only(import, dnsdist->view, &dnsdist->at, nobody);
		import_closed(import, &dnsdist->unread, forward_network(dnsdist->view),
			      forward_open_text(import, clients),
			      "this rule may keep clients out, and the list of who may ask is "
			      "without it: nobody may");
	}
	acl_set_release(&clients);
}

/* Prints "listen = [ ... ];" with the addresses of all listeners. */
static const char *listen_text(struct dnsdist *dnsdist)
{
	struct text_maker *maker = import_begin(dnsdist->import);
	bool any = false;

	import_put(maker, "listen = [ ");
	for (const struct dnsdist_listener *at = dnsdist->listeners; at; at = at->next) {
		char text[HOST_TEXT_MAX];
		struct host host;

		if (host_parse(&host, at->address, DNS_PORT) != 0)
			continue;
		import_put(maker, "%s\"%s\"", any ? ", " : "", host_print(&host, text));
		any = true;
	}
	import_put(maker, " ];");
	return import_end(maker);
}

/* Listens at the addresses of all listeners, except those bound to one interface, because `listen`
 * would open their addresses at all interfaces. If no listener is left, listens at loopback. */
static void put_listeners(struct dnsdist *dnsdist)
{
	struct import *import = dnsdist->import;
	bool listens = false;

	for (const struct dnsdist_listener *at = dnsdist->listeners; at; at = at->next) {
		struct host host;

		if (host_parse(&host, at->address, DNS_PORT) != 0)
			import_fault(import, &at->at, "\"%s\" is no place to listen at",
				     at->address);
		else if (at->at_interface)
			import_closed(
				import, &at->at,
				import_group(import, import_root(import), "vnet_resolver", &at->at),
				listen_text(dnsdist),
				"listen has addresses, not interfaces: name those that are "
				"meant; %s is not listened at",
				at->address);
		else
			listens |= forward_listen(import, &at->at, at->address, 0);
	}
	if (!listens)
		forward_listen(import, &dnsdist->at, "127.0.0.1", 0);
}

void dnsdist_finish(struct import *import)
{
	struct dnsdist *dnsdist = import_find(import, "dnsdist");

	if (dnsdist) {
		put_routes(dnsdist);
		put_clients(dnsdist);
		put_listeners(dnsdist);
		for (const struct backend *at = dnsdist->backends; at; at = at->next)
			if (!at->pool->is_led_to)
				import_lost(import, &at->at, "no rule leads to its pool \"%s\"",
					    at->pool->name);
		acl_release(&dnsdist->acl);
	}
	forward_finish(import);
}
