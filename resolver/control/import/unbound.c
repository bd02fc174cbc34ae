/* unbound.conf(5): clauses ("server:", "forward-zone:") with settings ("name: value"); ends of
 * lines mean nothing. All files are read first, because order matters little. The table
 * `rows` has settings that become one value here, and `reasons` those that are lost. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/import/acl.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "resolver/control/import/words.h"
#include "rules/base.h"
#include "rules/prefix.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum { INCLUDE_DEPTH_MAX = 10, VALUES_MAX = 3, USUAL_TTL_S = 3600 };

struct setting {
	struct origin at; /* at.path is the name */
	const char *values[VALUES_MAX];
	size_t count;
	struct setting *next;
};

struct clause {
	struct origin at;
	struct setting *first, **last;
	struct clause *next;
};

struct block { /* the access settings for one prefix */
	struct acl_entry entry;
	const struct setting *action, *view; /* the settings that count; NULL: none */
	bool with_cookie;                    /* lets in clients that show a DNS cookie */
	struct block *next;
};

struct served_zone { /* of an auth-zone */
	const struct clause *clause;
	const char *name;
	struct served_zone *next;
};

struct unbound { /* kept by the import: all files are one server's */
	struct import *import;
	struct origin whole;                /* the first file */
	struct clause *first, **last, *now; /* now NULL: none has begun in this file */
	struct forward_view *view;
	struct block *blocks;
	struct served_zone *served;
	long port;
	long long cache_bytes;      /* 0: not set */
	const struct setting *shut; /* the root's local zone, which stops forwarding; NULL: none */
	const struct setting *encrypts;   /* makes Unbound ask all servers over TLS; NULL: none */
	const struct origin *closed_root; /* default names are asked over TLS; NULL: they are not */
	const struct clause *root;        /* forwards default names; NULL: none does */
	bool has_interface, listens, is_automatic;
};

/* ---- reading ---- */

/* The length of the key that the word is or begins with, with its colon; 0: none. */
static size_t key_length(const struct word *word)
{
	size_t length = 0;

	if (!word->text || word->quoted || !isalpha((unsigned char)*word->text))
		return 0;
	while (isalnum((unsigned char)word->text[length]) || word->text[length] == '-')
		length++;
	return length > 1 && word->text[length] == ':' ? length + 1 : 0;
}

static bool is_clause(const char *name)
{
	static const char *const names[] = {"server",   "forward-zone",   "stub-zone", "auth-zone",
					    "view",     "remote-control", "python",    "dynlib",
					    "dnscrypt", "cachedb",        "dnstap",    "rpz",
					    "ipset"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

static void begin_clause(struct unbound *unbound, const struct origin *at)
{
	struct clause *clause = import_alloc(unbound->import, sizeof *clause);

	clause->at = *at;
	clause->last = &clause->first;
	*unbound->last = unbound->now = clause;
	unbound->last = &clause->next;
}

/* The number of values that Unbound reads for the setting. */
static size_t values_wanted(const char *name)
{
	static const struct {
		const char *name;
		size_t values;
	} others[] = {
		{"access-control", 2},
		{"access-control-tag", 2},
		{"access-control-tag-action", 3},
		{"access-control-tag-data", 3},
		{"access-control-view", 2},
		{"edns-client-string", 2},
		{"edns-client-tag", 2},
		{"interface-action", 2},
		{"interface-tag", 2},
		{"interface-tag-action", 3},
		{"interface-tag-data", 3},
		{"interface-view", 2},
		{"local-zone", 2},
		{"local-zone-override", 3},
		{"local-zone-tag", 2},
		{"ratelimit-below-domain", 2},
		{"ratelimit-for-domain", 2},
		{"response-ip", 2},
		{"response-ip-data", 2},
		{"response-ip-tag", 2},
		{"tcp-connection-limit", 2},
		{"wait-limit-cookie-netblock", 2},
		{"wait-limit-netblock", 2},
	};

	for (size_t i = 0; i < COUNT(others); i++)
		if (strcasecmp(others[i].name, name) == 0)
			return others[i].values;
	return is_clause(name) ? 0 : 1;
}

/* Whether the word begins the next setting. "port:53" is a key with its value, but if the setting
 * before lacks a value, such a word is that value: "fd00::1". */
static bool begins_setting(const struct word *word, size_t missing)
{
	size_t length = key_length(word);

	return length > 0 && (missing == 0 || word->text[length] == '\0');
}

/* Reads the setting that begins at *word, and moves *word past it. */
static struct setting *read_setting(struct unbound *unbound, const struct words *words,
				    const struct word **word)
{
	struct import *import = unbound->import;
	struct setting *setting = import_alloc(import, sizeof *setting);
	const char *text = (*word)->text;
	size_t length = key_length(*word), wanted;
	const char *name = import_printf(import, "%.*s", (int)length - 1, text);

	setting->at = import_place(import, words->file, (*word)->line, name);
	wanted = values_wanted(name);
	/* The lexer ends a word before a quote, so "name:" may be all of it. */
	if (text[length] != '\0')
		setting->values[setting->count++] = text + length;
	for (++*word; (*word)->text; ++*word) {
		size_t missing = setting->count < wanted ? wanted - setting->count : 0;

		if (begins_setting(*word, missing))
			break;
		if (missing > 0 && setting->count < VALUES_MAX)
			setting->values[setting->count++] = (*word)->text;
		else
			import_lost(import, &setting->at, "\"%s\" is a value more than it takes",
				    (*word)->text);
	}
	return setting;
}

static void read_file(struct unbound *unbound, const char *path, const struct origin *at,
		      unsigned depth);

/* Reads the included files. False: a fault. */
static bool include(struct unbound *unbound, const struct setting *setting, unsigned depth)
{
	char **files =
		words_files(unbound->import, setting->at.file, setting->values[0], &setting->at);

	if (depth == INCLUDE_DEPTH_MAX) {
		import_fault(unbound->import, &setting->at,
			     "files are included through more than 10 others");
		return false;
	}
	for (; *files; files++)
		read_file(unbound, *files, &setting->at, depth + 1);
	return true;
}

static void read_file(struct unbound *unbound, const char *path, const struct origin *at,
		      unsigned depth)
{
	static const struct words_syntax syntax = {.quotes = "\"'", .marks = ""};
	struct import *import = unbound->import;
	struct words words;
	const struct word *word;

	if (!words_read(import, path, at, &syntax, &words))
		return;
	for (word = words.items; word->text;) {
		struct origin here = import_place(import, words.file, word->line, word->text);
		struct setting *setting;

		if (key_length(word) == 0) {
			import_fault(import, &here,
				     "a setting is expected here, such as \"name:\"");
			return;
		}
		setting = read_setting(unbound, &words, &word);
		if (strncasecmp(setting->at.path, "include", 7) == 0 && setting->count > 0) {
			if (!include(unbound, setting, depth))
				return;
		} else if (is_clause(setting->at.path) && setting->count == 0) {
			begin_clause(unbound, &setting->at);
		} else if (!unbound->now) {
			import_fault(import, &setting->at,
				     "it is in no clause; a file begins with one, "
				     "such as \"server:\"");
			return;
		} else {
			*unbound->now->last = setting;
			unbound->now->last = &setting->next;
		}
	}
}

/* The last value counts, as in Unbound; NULL: none. */
static const char *value_of(const struct clause *clause, const char *name)
{
	const char *value = NULL;

	for (const struct setting *setting = clause->first; setting; setting = setting->next)
		if (strcasecmp(setting->at.path, name) == 0 && setting->count > 0)
			value = setting->values[0];
	return value;
}

/* The last setting of that name in the clauses `server`, which counts; NULL: none. */
static const struct setting *last_setting(const struct unbound *unbound, const char *name)
{
	const struct setting *last = NULL;

	for (const struct clause *clause = unbound->first; clause; clause = clause->next)
		for (const struct setting *at = clause->first; at; at = at->next)
			if (strcasecmp(clause->at.path, "server") == 0 && at->count > 0 &&
			    strcasecmp(at->at.path, name) == 0)
				last = at;
	return last;
}

static const char *last_value(const struct unbound *unbound, const char *name)
{
	const struct setting *setting = last_setting(unbound, name);

	return setting ? setting->values[0] : NULL;
}

/* ---- settings without a counterpart ---- */

#define NO_VALIDATION "sluice does not validate; DO and CD are passed through"
#define NO_TLS        "targets are asked without TLS, and clients ask without it"
#define THE_UNIT      "the program, its user and its folders are those of the unit"
#define NO_ROOT       "sluice does not resolve from the root"
#define NO_ATTACK     "what keeps forged answers out is built in (SECURITY.md)"
#define NO_TRANSFER   "zones are not transferred in"

static const struct reason reasons[] = {
	{"username", THE_UNIT},
	{"chroot", THE_UNIT},
	{"directory", THE_UNIT},
	{"pidfile", THE_UNIT},
	{"do-daemonize", THE_UNIT},
	{"use-systemd", THE_UNIT},
	{"log*", "sluice.conf(5) has log for events, and query_log for queries"},
	{"verbosity", "log.level says what is logged"},
	{"use-syslog", "it logs to standard error"},
	{"statistics*", "sluice status shows what is counted"},
	{"extended-statistics", "sluice status shows what is counted"},
	{"shm*", "sluice status shows what is counted"},
	{"trust-anchor*", NO_VALIDATION},
	{"trusted-keys-file", NO_VALIDATION},
	{"auto-trust-anchor-file", NO_VALIDATION},
	{"domain-insecure", NO_VALIDATION},
	{"val-*", NO_VALIDATION},
	{"module-config", NO_VALIDATION},
	{"harden-*", NO_ATTACK},
	{"aggressive-nsec", NO_VALIDATION},
	{"use-caps-exempt", NO_ATTACK},
	{"unwanted-reply-threshold", NO_ATTACK},
	{"private-address", "addresses in answers are passed on as they are"},
	{"private-domain", "addresses in answers are passed on as they are"},
	{"tls-*", NO_TLS},
	{"ssl-*", NO_TLS},
	{"https-port", NO_TLS},
	{"http-*", NO_TLS},
	{"quic-*", NO_TLS},
	{"root-hints", NO_ROOT},
	{"qname-minimisation*", NO_ROOT},
	{"prefer-ip*", "targets are asked in the order that they are named in"},
	{"do-not-query-*", "only targets are asked"},
	{"do-ip4", "the addresses that are named decide"},
	{"do-ip6", "the addresses that are named decide"},
	{"do-udp", "udp is listened at and asked with"},
	{"do-tcp", "tcp is listened at always"},
	{"tcp-upstream", "it is a target's: protocol = \"tcp\""},
	{"infra-*", "how targets are watched is built in"},
	{"outgoing-range", "how many ports are used is built in"},
	{"outgoing-port-*", "how many ports are used is built in"},
	{"outgoing-num-tcp", "how many connections are used is built in"},
	{"num-queries-per-thread", "the limits are in sluice.conf(5), limits"},
	{"jostle-timeout", "how clients take turns is built in"},
	{"so-*", "sockets are set up by the program"},
	{"interface-automatic-ports", "interface-automatic is off"},
	{"edns-buffer-size",
	 "udp.payload_max is what is told to clients; to targets it is built in"},
	{"ratelimit*", "limits.queries_per_second_per_endpoint counts all clients' queries"},
	{"ip-ratelimit*", "response_limit in sluice.conf(5) limits answers to one prefix"},
	{"ip-*", "sockets are set up by the program"},
	{"dns64*", "AAAA records are not made of A records"},
	{"define-tag", "there are no tags; views and rulesets tell clients apart"},
	{"access-control-tag*", "there are no tags: these clients are told by their addresses"},
	{"local-zone-tag", "there are no tags; views and rulesets tell clients apart"},
	{"local-zone-override", "there are no tags; views and rulesets tell clients apart"},
	{"response-ip*", "answers of targets are not changed"},
	{"rrset-roundrobin", "records come in the order that they have"},
	{"minimal-responses", "answers are minimal"},
	{"deny-any", "ANY is answered with one record set (RFC 8482)"},
	{"hide-*", "it says nothing of itself unless identity does"},
	{"delay-close", "sockets are set up by the program"},
	{"msg-cache-slabs", "there is one cache"},
	{"rrset-cache-slabs", "there is one cache"},
	{"key-cache-*", NO_VALIDATION},
	{"neg-cache-size", "negative answers are in the cache"},
	{"send-client-subnet", "clients' subnets are not sent on"},
	{"client-subnet-*", "clients' subnets are not sent on"},
	{"forward-no-cache", "what targets answer is cached"},
	{"stub-no-cache", "what targets answer is cached"},
	{"forward-host", "a target is an address; give those of this host"},
	{"stub-host", "a target is an address; give those of this host"},
	{"stub-prime", NO_ROOT},
	{"allow-notify", NO_TRANSFER},
	{"url", NO_TRANSFER},
	{"fallback-enabled", NO_ROOT},
	{"for-downstream", "clients are answered from the zone"},
	{"for-upstream", "clients are answered from the zone"},
	{"zonemd-*", NO_VALIDATION},
	{NULL, NULL},
};

/* ---- server ---- */

struct unbound_setting { /* a setting of `server` that becomes a single value */
	const char *name, *group, *key;
	enum { SECONDS, FLAG, NUMBER, TEXT } form;
};

static const struct unbound_setting rows[] = {
	{"cache-max-ttl", "cache", "ttl_max", SECONDS},
	{"cache-min-ttl", "cache", "ttl_min", SECONDS},
	{"cache-max-negative-ttl", "cache", "negative_ttl_max", SECONDS},
	{"prefetch", "cache", "prefetch", FLAG},
	{"max-udp-size", "udp", "payload_max", NUMBER},
	{"use-caps-for-id", "outbound", "random_case", FLAG},
	{"num-threads", NULL, "workers", NUMBER},
	{"identity", "identity", "server", TEXT},
	{"version", "identity", "version", TEXT},
};

/* Whether Unbound does not say its identity or version. */
static bool is_hidden(struct unbound *unbound, const char *name)
{
	return words_flag(last_value(unbound, import_printf(unbound->import, "hide-%s", name))) ==
	       1;
}

static bool take_row(struct unbound *unbound, const struct setting *setting)
{
	struct import *import = unbound->import;
	const struct unbound_setting *row = rows;
	struct node *in = import_root(import);
	long number;

	while (row < rows + COUNT(rows) && strcasecmp(row->name, setting->at.path) != 0)
		row++;
	if (row == rows + COUNT(rows))
		return false;
	if (row->form == TEXT && is_hidden(unbound, row->name)) {
		import_lost(import, &setting->at, "hide-%s keeps it from clients", row->name);
		return true;
	}
	if (row->form == TEXT && *setting->values[0] == '\0') {
		import_lost(import, &setting->at,
			    "without a text it is the host's name or the program's version; here "
			    "nothing is said");
		return true;
	}
	number = row->form == FLAG ? words_flag(setting->values[0])
				   : words_number(setting->values[0]);
	if (row->form != TEXT && number < 0) {
		import_lost(import, &setting->at, "\"%s\" is no value for it", setting->values[0]);
		return true;
	}
	if (row->group)
		in = import_group(import, in, row->group, &setting->at);
	if (row->form == FLAG)
		import_flag(import, in, row->key, &setting->at, number);
	else if (row->form == TEXT)
		import_text(import, in, row->key, &setting->at, setting->values[0]);
	else
		import_number(import, in, row->key, &setting->at, number);
	return true;
}

/* Splits "192.0.2.1@5353" into the address and the port (0: none). */
static const char *split_port(struct import *import, const char *text, char mark, long *port)
{
	const char *at = text ? strchr(text, mark) : NULL;

	*port = at ? words_number(at + 1) : 0;
	return at ? import_printf(import, "%.*s", (int)(at - text), text) : text;
}

/* Whether the action lets clients in by their address alone, without a DNS cookie. */
static bool lets_in(const char *action)
{
	return strncasecmp(action, "allow", 5) == 0 && strcasecmp(action, "allow_cookie") != 0;
}

/* The setting that gives the interface's clients a view, or an action other than allow, which
 * cannot be expressed here. NULL: there is none. */
static const struct setting *action_of(const struct unbound *unbound, const char *interface)
{
	for (const struct clause *clause = unbound->first; clause; clause = clause->next)
		for (const struct setting *at = clause->first; at; at = at->next)
			if (at->count > 1 && strcasecmp(at->values[0], interface) == 0 &&
			    ((strcasecmp(at->at.path, "interface-action") == 0 &&
			      !lets_in(at->values[1])) ||
			     strcasecmp(at->at.path, "interface-view") == 0))
				return at;
	return NULL;
}

static struct node *listener(struct import *import, const struct origin *at)
{
	return import_group(import, import_root(import), "vnet_resolver", at);
}

enum tls_ports { TLS_PORT, HTTPS_PORT, TLS_PORTS_MORE, NO_TLS_PORT };

static enum tls_ports tls_ports_of(const char *name)
{
	static const struct {
		const char *name;
		enum tls_ports ports;
	} names[] = {{"tls-port", TLS_PORT},
		     {"ssl-port", TLS_PORT},
		     {"https-port", HTTPS_PORT},
		     {"tls-additional-port", TLS_PORTS_MORE},
		     {"tls-additional-ports", TLS_PORTS_MORE},
		     {"additional-tls-port", TLS_PORTS_MORE},
		     {"additional-ssl-port", TLS_PORTS_MORE}};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcasecmp(names[i].name, name) == 0)
			return names[i].ports;
	return NO_TLS_PORT;
}

/* Whether questions at this port come by TLS or HTTPS. The file's ports replace the usual ones. */
static bool is_tls_port(const struct unbound *unbound, long port)
{
	long usual[NO_TLS_PORT] = {[TLS_PORT] = 853, [HTTPS_PORT] = 443};

	for (const struct clause *clause = unbound->first; clause; clause = clause->next)
		for (const struct setting *at = clause->first; at; at = at->next) {
			enum tls_ports ports = tls_ports_of(at->at.path);

			if (ports == NO_TLS_PORT || at->count == 0)
				continue;
			usual[ports] = 0;
			if (words_number(at->values[0]) == port)
				return true;
		}
	return port > 0 && (port == usual[TLS_PORT] || port == usual[HTTPS_PORT]);
}

/* "192.0.2.1:5335" for the line that would open an interface; an interface's name stays as it is.
 */
static const char *listen_text(struct import *import, const char *address, long port)
{
	char text[HOST_TEXT_MAX];
	struct host host;

	if (port > 0 && port < 65536 && host_parse(&host, address, DNS_PORT) == 0) {
		host.port = (uint16_t)port;
		address = host_print(&host, text);
	}
	return import_printf(import, "listen = [ \"%s\" ];", address);
}

static void listen_at(struct unbound *unbound, const struct setting *setting)
{
	struct import *import = unbound->import;
	long port;
	const char *address = split_port(import, setting->values[0], '@', &port);
	const struct setting *action = action_of(unbound, setting->values[0]);

	port = port ? port : unbound->port;
	if (unbound->is_automatic) {
		import_lost(import, &setting->at, "interface-automatic is in its place");
		return;
	}
	unbound->has_interface = true;
	if (is_tls_port(unbound, port))
		import_lost(import, &setting->at, NO_TLS);
	else if (action)
		import_closed(import, &action->at, listener(import, &setting->at),
			      listen_text(import, address, port),
			      "clients are told by their addresses, not by where they ask: %s is "
			      "not listened at",
			      address);
	else if (!forward_listen(import, &setting->at, address, port))
		import_lost(import, &setting->at,
			    "\"%s\" is no address; give those of this interface to listen",
			    setting->values[0]);
	else
		unbound->listens = true;
}

static void listen_at_all(struct unbound *unbound, const struct setting *setting, long port)
{
	static const char *const any[] = {"0.0.0.0", "::"};

	for (size_t i = 0; i < COUNT(any); i++)
		unbound->listens |= forward_listen(unbound->import, &setting->at, any[i], port);
}

/* Takes interface-automatic: all addresses, at the ports of another setting or the usual one. */
static void listen_everywhere(struct unbound *unbound)
{
	struct import *import = unbound->import;
	const struct setting *automatic = last_setting(unbound, "interface-automatic"),
			     *ports = last_setting(unbound, "interface-automatic-ports");
	char *list = import_printf(import, "%s", ports ? ports->values[0] : ""), *word,
	     *rest = NULL;
	bool one = false;

	for (word = strtok_r(list, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		long port = words_number(word);

		one = true;
		if (is_tls_port(unbound, port))
			import_lost(import, &ports->at, "port %s: " NO_TLS, word);
		else if (port < 1 || port > 65535)
			import_lost(import, &ports->at, "\"%s\" is no port", word);
		else
			listen_at_all(unbound, ports, port);
	}
	if (!one)
		listen_at_all(unbound, automatic, unbound->port);
	unbound->has_interface = true;
}

/* The settings for the prefix, made if missing. Only the most specific prefix of a client counts,
 * so a prefix that has only a view or a tag is allowed, and does not inherit an outer prefix's
 * view. NULL: no prefix, which is reported. */
static struct block *block_of(struct unbound *unbound, const struct setting *setting)
{
	char text[PREFIX_TEXT_MAX], *key;
	struct prefix prefix;
	struct block *block;

	if (!acl_prefix(&prefix, setting->values[0])) {
		import_lost(unbound->import, &setting->at, "\"%s\" is no prefix",
			    setting->values[0]);
		return NULL;
	}
	key = import_printf(unbound->import, "block %s", prefix_print(&prefix, text));
	block = import_find(unbound->import, key);
	if (block)
		return block;
	block = import_alloc(unbound->import, sizeof *block);
	block->entry = (struct acl_entry){
		.prefix = prefix, .allow = true, .at = setting->at, .group = unbound->view};
	block->next = unbound->blocks;
	unbound->blocks = block;
	import_keep(unbound->import, key, block);
	return block;
}

/* Unbound reads its list of access-control from the end, and ignores a prefix that it has already:
 * the last setting counts. */
static void allow(struct unbound *unbound, const struct setting *setting)
{
	const char *how = setting->count > 1 ? setting->values[1] : "";
	struct block *block = block_of(unbound, setting);

	if (!block)
		return;
	if (block->action)
		import_lost(unbound->import, &block->action->at,
			    "a later line is for the same prefix, and counts");
	block->action = setting;
	block->entry.at = setting->at;
	block->entry.allow = lets_in(how);
	block->with_cookie = strcasecmp(how, "allow_cookie") == 0;
	if (strcasecmp(how, "deny") == 0 || strstr(how, "non_local"))
		import_changed(unbound->import, &setting->at, "these clients are answered REFUSED");
}

/* Unbound reads its list of access-control-view from the end, and each setting for a prefix
 * replaces the one read before it: the first setting in the file counts. */
static void view_of_clients(struct unbound *unbound, const struct setting *setting)
{
	struct block *block = setting->count < 2 ? NULL : block_of(unbound, setting);

	if (setting->count < 2)
		import_lost(unbound->import, &setting->at, "it has no prefix and view");
	if (!block)
		return;
	if (block->view) {
		import_lost(unbound->import, &setting->at,
			    "an earlier line is for the same prefix, and counts");
		return;
	}
	block->view = setting;
	block->entry.group = forward_view(unbound->import, setting->values[1], &setting->at);
}

/* Tags have no counterpart, but the setting allows a prefix that has no action. */
static void tags_of_clients(struct unbound *unbound, const struct setting *setting)
{
	block_of(unbound, setting);
	words_lost(unbound->import, &setting->at, reasons, setting->at.path);
}

/* The time counts only while serve-expired is on; both are set once, in any order. */
static void take_stale(struct unbound *unbound)
{
	struct import *import = unbound->import;
	const struct setting *on = last_setting(unbound, "serve-expired"),
			     *time = last_setting(unbound, "serve-expired-ttl"),
			     *at = time ? time : on;
	const struct field *longest =
		schema_field(schema_field(&schema_model, "cache")->group, "stale_max");
	bool is_on = on && words_flag(on->values[0]) == 1;
	long seconds = is_on && time ? words_number(time->values[0]) : 0;

	if (!at || (is_on && !time))
		return;
	if (seconds < 0) {
		import_lost(import, &at->at, "\"%s\" is no value for it", at->values[0]);
		return;
	}
	if (is_on && seconds == 0) {
		seconds = (long)longest->max;
		import_changed(import, &at->at,
			       "it has no limit there; here it is %ld seconds, the longest time",
			       seconds);
	}
	import_number(import, import_group(import, import_root(import), "cache", &at->at),
		      "stale_max", &at->at, seconds);
}

/* Whether other functions look the setting up, by last_setting. */
static bool is_looked_up(const char *name)
{
	static const char *const names[] = {"port", "serve-expired", "serve-expired-ttl",
					    "interface-automatic"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

static void take_setting(struct unbound *unbound, const struct setting *setting)
{
	struct import *import = unbound->import;
	const char *name = setting->at.path, *value = setting->count > 0 ? setting->values[0] : "";

	if (setting->count == 0)
		import_lost(import, &setting->at, "it has no value");
	else if (strcasecmp(name, "interface") == 0 || strcasecmp(name, "ip-address") == 0)
		listen_at(unbound, setting);
	else if (strcasecmp(name, "interface-automatic-ports") == 0 && unbound->is_automatic)
		return;
	else if (strcasecmp(name, "access-control") == 0)
		allow(unbound, setting);
	else if (strcasecmp(name, "access-control-view") == 0)
		view_of_clients(unbound, setting);
	else if (strncasecmp(name, "access-control-tag", 18) == 0)
		tags_of_clients(unbound, setting);
	else if (strncasecmp(name, "interface-", 10) == 0 &&
		 strncasecmp(name, "interface-automatic", 19) != 0)
		import_lost(import, &setting->at,
			    "clients are told by their addresses, not by where they ask");
	else if (strcasecmp(name, "outgoing-interface") == 0)
		forward_source(import, unbound->view, &setting->at, value);
	else if (strcasecmp(name, "unblock-lan-zones") == 0 && words_flag(value) == 1)
		import_text(import, forward_default(import, &setting->at), "special_names",
			    &setting->at, "forward");
	else if ((strcasecmp(name, "msg-cache-size") == 0 ||
		  strcasecmp(name, "rrset-cache-size") == 0) &&
		 words_size(value) >= 0)
		unbound->cache_bytes += words_size(value);
	else if (strncasecmp(name, "local-", 6) != 0 && !is_looked_up(name) &&
		 !take_row(unbound, setting))
		words_lost(import, &setting->at, reasons, name);
}

static void take_server(struct unbound *unbound, const struct clause *clause)
{
	for (const struct setting *setting = clause->first; setting; setting = setting->next)
		take_setting(unbound, setting);
}

/* ---- local data ---- */

/* The key of import_find for what is kept of a view's local zone of that name. */
static char *zone_key(struct import *import, const char *what, const struct forward_view *view,
		      const char *name)
{
	size_t length = strlen(name);

	length -= length > 0 && name[length - 1] == '.';
	return text_lower(
		import_printf(import, "%s %p %.*s", what, (const void *)view, (int)length, name));
}

struct local_zone {
	const struct setting *counts; /* the setting that counts: the last one for the name */
};

static bool is_type(const struct setting *setting, const char *type)
{
	return setting->count > 1 && strcasecmp(setting->values[1], type) == 0;
}

/* Notes the local zones of the clause; nodefault has nothing to do with other types. */
static void note_zones(struct unbound *unbound, const struct clause *clause,
		       const struct forward_view *view)
{
	struct import *import = unbound->import;

	for (const struct setting *at = clause->first; at; at = at->next) {
		struct local_zone *zone;
		char *key;

		if (at->count < 2 || strcasecmp(at->at.path, "local-zone") != 0 ||
		    is_type(at, "nodefault"))
			continue;
		key = zone_key(import, "local zone", view, at->values[0]);
		zone = import_find(import, key);
		if (!zone) {
			zone = import_alloc(import, sizeof *zone);
			import_keep(import, key, zone);
		}
		zone->counts = at;
	}
}

/* The local zone of that name, or else the closest one around it; NULL: none. */
static const struct setting *zone_around(struct unbound *unbound, const struct forward_view *view,
					 const char *name)
{
	for (;;) {
		const struct local_zone *zone = import_find(
			unbound->import, zone_key(unbound->import, "local zone", view, name));

		if (zone)
			return zone->counts;
		if (*name == '\0' || strcmp(name, ".") == 0)
			return NULL;
		name = strchrnul(name, '.');
		name += *name == '.';
	}
}

/* A local zone of the root that answers by itself leaves no names for forwarding, except those in
 * other local zones. */
static void take_root(const struct unbound *unbound, struct forward_view *view,
		      const struct setting *setting)
{
	forward_no_default(unbound->import, view, &setting->at);
	import_changed(unbound->import, &setting->at,
		       "what no rule and no zone decides is refused, and not forwarded");
}

static bool is_open_type(const char *type)
{
	static const char *const types[] = {
		"transparent", "typetransparent", "inform", "always_transparent",
		"block_a",     "nodefault",       "noview"};

	for (size_t i = 0; i < COUNT(types); i++)
		if (strcasecmp(types[i], type) == 0)
			return true;
	return false;
}

static bool is_at_or_below(const char *name, const char *suffix)
{
	size_t length = strlen(name), behind = strlen(suffix);

	length -= length > 1 && name[length - 1] == '.';
	behind -= behind > 1 && suffix[behind - 1] == '.';
	return length >= behind && strncasecmp(name + length - behind, suffix, behind) == 0 &&
	       (length == behind || name[length - behind - 1] == '.');
}

/* The view's local zone of the root, if it answers by itself; NULL: there is none. */
static const struct setting *shut_by(struct unbound *unbound, const struct forward_view *view)
{
	const struct setting *root = zone_around(unbound, view, ".");

	return root && !is_open_type(root->values[1]) ? root : NULL;
}

/* Whether the root's local zone keeps Unbound from asking a rule's targets: it does, unless the
 * rule's domain is another local zone, or below one. */
static bool is_shut(struct unbound *unbound, const char *name)
{
	return unbound->shut && zone_around(unbound, unbound->view, name) == unbound->shut;
}

/* Whether a rule decides names of the local zone. */
static bool has_servers(const struct unbound *unbound, const char *zone)
{
	for (const struct clause *clause = unbound->first; clause; clause = clause->next) {
		const char *name = value_of(clause, "name");

		if (name && strcmp(name, ".") != 0 && is_at_or_below(zone, name) &&
		    (strcasecmp(clause->at.path, "forward-zone") == 0 ||
		     strcasecmp(clause->at.path, "stub-zone") == 0))
			return true;
	}
	return false;
}

/* Reports an open zone inside a zone that answers for all its names. Unbound looks up the open
 * zone's names at servers; a zone here has no such exceptions. */
static void tell_exception(struct unbound *unbound, struct forward_view *view,
			   const struct setting *setting)
{
	const char *name = setting->values[0], *above;
	const struct setting *outer = setting;

	while (outer && is_open_type(outer->values[1])) {
		if (strcmp(outer->values[0], ".") == 0)
			return;
		above = strchrnul(outer->values[0], '.');
		outer = zone_around(unbound, view, above + (*above == '.'));
	}
	if (!outer)
		return;
	if (strcmp(outer->values[0], ".") != 0)
		import_lost(unbound->import, &setting->at,
			    "%s stays in the zone %s, which has no exceptions here: its names are "
			    "not looked up",
			    name, outer->values[0]);
	else if (view != unbound->view || !has_servers(unbound, name))
		import_lost(unbound->import, &setting->at,
			    "names below %s that no zone and no rule decides are refused, like all "
			    "others",
			    name);
}

/* Takes a zone whose names are looked up like others: names with data become zones of their own. */
static void take_open_zone(struct unbound *unbound, struct forward_view *view,
			   const struct setting *setting)
{
	struct import *import = unbound->import;

	if (is_type(setting, "typetransparent"))
		import_changed(import, &setting->at,
			       "a name with data of its own has no other types");
	else if (is_type(setting, "block_a"))
		import_changed(import, &setting->at, "A records of its names are answered");
	else if (is_type(setting, "noview"))
		import_lost(import, &setting->at,
			    "what other views have for these names is not theirs here");
	else if (is_type(setting, "nodefault"))
		import_lost(
			import, &setting->at,
			"a rule or zone comes before special-use names; without one, "
			"default_resolver.special_names = \"forward\" has all of them forwarded");
	if (!is_type(setting, "nodefault"))
		tell_exception(unbound, view, setting);
}

static void take_zone(struct unbound *unbound, struct forward_view *view,
		      const struct setting *setting)
{
	struct import *import = unbound->import;
	const char *name = setting->values[0], *type = setting->count > 1 ? setting->values[1] : "";
	struct node *zone;

	if (setting->count < 2) {
		import_lost(import, &setting->at, "it has no name and type");
		return;
	}
	if (!is_type(setting, "nodefault") && zone_around(unbound, view, name) != setting) {
		import_lost(import, &setting->at, "a later line is for the same name, and counts");
		return;
	}
	if (is_open_type(type)) {
		take_open_zone(unbound, view, setting);
		return;
	}
	if (strcmp(name, ".") == 0) {
		take_root(unbound, view, setting);
		return;
	}
	zone = forward_zone(import, view, &setting->at, name);
	if (!zone || strcasecmp(type, "static") == 0)
		return;
	if (strcasecmp(type, "redirect") == 0 || strcasecmp(type, "inform_redirect") == 0)
		import_keep(import, zone_key(import, "redirect", view, name), zone);
	else if (strcasecmp(type, "always_null") == 0) {
		forward_below(import, view, &setting->at, name, "A", USUAL_TTL_S, "0.0.0.0");
		forward_below(import, view, &setting->at, name, "AAAA", USUAL_TTL_S, "::");
	} else if (strcasecmp(type, "always_nxdomain") != 0) {
		import_changed(
			import, &setting->at,
			"%s: names below %s do not exist (NXDOMAIN); the name itself has no data",
			type, name);
	}
}

/* Whether the local zone of the name has no data, which is reported. */
static bool is_without_data(struct unbound *unbound, const struct forward_view *view,
			    const struct setting *setting, const char *owner)
{
	const struct setting *zone = zone_around(unbound, view, owner);
	bool without = zone && strncasecmp(zone->values[1], "always_", 7) == 0;

	if (without)
		import_lost(unbound->import, &setting->at,
			    "the local-zone %s, of the type %s, has no data of its own",
			    zone->values[0], zone->values[1]);
	return without;
}

static void take_data(struct unbound *unbound, struct forward_view *view,
		      const struct setting *setting)
{
	struct import *import = unbound->import;
	ldns_rr *rr = NULL;
	ldns_status status = ldns_rr_new_frm_str(&rr, setting->values[0], USUAL_TTL_S, NULL, NULL);
	char *owner = status == LDNS_STATUS_OK ? ldns_rdf2str(ldns_rr_owner(rr)) : NULL;
	struct node *zone =
		owner ? import_find(import, zone_key(import, "redirect", view, owner)) : NULL;

	if (status == LDNS_STATUS_OK && !owner)
		status = LDNS_STATUS_MEM_ERR;
	if (status != LDNS_STATUS_OK) {
		import_lost(import, &setting->at, "\"%s\" is no record: %s", setting->values[0],
			    ldns_get_errorstr_by_id(status));
	} else if (!is_without_data(unbound, view, setting, owner)) {
		if (zone) {
			ldns_rr *below = ldns_rr_clone(rr);
			ldns_rdf *name = ldns_dname_new_frm_str("*");

			if (below && name &&
			    ldns_dname_cat(name, ldns_rr_owner(rr)) == LDNS_STATUS_OK) {
				ldns_rdf_deep_free(ldns_rr_owner(below));
				ldns_rr_set_owner(below, name);
				forward_zone_rr(import, zone, &setting->at, below);
			}
			ldns_rr_free(below);
		}
		forward_rr(import, view, &setting->at, rr);
	}
	LDNS_FREE(owner);
	ldns_rr_free(rr);
}

/* Reads "192.0.2.1 3600 www.example.com". */
static void take_pointer(struct unbound *unbound, struct forward_view *view,
			 const struct setting *setting)
{
	char address[64], second[1024], third[1024];
	int count = sscanf(setting->values[0], "%63s %1023s %1023s", address, second, third);
	const char *name = count == 3 ? third : second;
	long ttl_s = count == 3 ? words_number(second) : USUAL_TTL_S;
	struct address parsed;
	ldns_rdf *rdf, *reverse;
	char *text;

	if (count < 2 || ttl_s < 0 || address_parse(&parsed, address) != 0) {
		import_lost(unbound->import, &setting->at, "\"%s\" is no address with its name",
			    setting->values[0]);
		return;
	}
	rdf = ldns_rdf_new_frm_str(parsed.family == 4 ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA,
				   address);
	reverse = rdf ? ldns_rdf_address_reverse(rdf) : NULL;
	text = reverse ? ldns_rdf2str(reverse) : NULL;
	if (text && !is_without_data(unbound, view, setting, text))
		forward_record(unbound->import, view, &setting->at, text, "PTR", ttl_s,
			       import_printf(unbound->import, "%s%s", name,
					     name[strlen(name) - 1] == '.' ? "" : "."));
	LDNS_FREE(text);
	ldns_rdf_deep_free(reverse);
	ldns_rdf_deep_free(rdf);
}

/* Takes zones first, because they decide where data goes. */
static void take_local(struct unbound *unbound, const struct clause *clause,
		       struct forward_view *view)
{
	const struct setting *setting;

	for (setting = clause->first; setting; setting = setting->next)
		if (setting->count > 0 && strcasecmp(setting->at.path, "local-zone") == 0)
			take_zone(unbound, view, setting);
	for (setting = clause->first; setting; setting = setting->next) {
		if (setting->count == 0)
			continue;
		if (strcasecmp(setting->at.path, "local-data") == 0)
			take_data(unbound, view, setting);
		else if (strcasecmp(setting->at.path, "local-data-ptr") == 0)
			take_pointer(unbound, view, setting);
		else if (strcasecmp(setting->at.path, "local-zone-tag") == 0 ||
			 strcasecmp(setting->at.path, "local-zone-override") == 0)
			words_lost(unbound->import, &setting->at, reasons, setting->at.path);
	}
}

/* ---- upstreams ---- */

static bool is_on(const struct clause *clause, const char *name)
{
	return words_flag(value_of(clause, name)) == 1;
}

/* Adds the server of a setting, "192.0.2.1@5353#name"; the name is for TLS alone. */
static void take_target(struct unbound *unbound, const struct setting *setting, struct node *rule,
			const char *protocol)
{
	struct import *import = unbound->import;
	long port;
	const char *address = split_port(import, setting->values[0], '#', &port);

	address = split_port(import, address, '@', &port);
	if (!forward_target(import, rule, &setting->at, address, port, protocol))
		import_lost(import, &setting->at, "\"%s\" is no address of a server",
			    setting->values[0]);
}

static void take_targets(struct unbound *unbound, const struct clause *clause, struct node *rule,
			 const char *addr, bool by_tcp)
{
	for (const struct setting *setting = clause->first; setting; setting = setting->next)
		if (strcasecmp(setting->at.path, addr) == 0 && setting->count > 0)
			take_target(unbound, setting, rule, by_tcp ? "tcp" : NULL);
}

/* Reports the settings of the clause that are not in this table, which ends with NULL. */
static void tell_others(struct unbound *unbound, const struct clause *clause,
			const char *const *known)
{
	for (const struct setting *setting = clause->first; setting; setting = setting->next) {
		size_t i = 0;

		while (known[i] && strcasecmp(known[i], setting->at.path) != 0)
			i++;
		if (!known[i])
			words_lost(unbound->import, &setting->at, reasons, setting->at.path);
	}
}

/* Whether the clause's servers are asked over TLS, by a setting of the clause or by tls-upstream in
 * `server`, which is for all clauses. */
static bool is_encrypted(const struct unbound *unbound, const struct clause *clause)
{
	return unbound->encrypts || is_on(clause, "forward-tls-upstream") ||
	       is_on(clause, "forward-ssl-upstream") || is_on(clause, "stub-tls-upstream") ||
	       is_on(clause, "stub-ssl-upstream");
}

/* Leaves the clause out. If it is a forward-zone for the root, default names are closed: they must
 * not go to other servers. A stub-zone for the root does not close them, because Unbound asks only
 * the root's servers by TLS then, and not those of the names. */
static void take_encrypted(struct unbound *unbound, const struct clause *clause, const char *name,
			   bool is_stub)
{
	if (strcmp(name, ".") == 0 && !is_stub) {
		unbound->closed_root = &clause->at;
		import_lost(unbound->import, &clause->at,
			    "its servers are asked by TLS, which sluice does not speak");
	} else {
		import_lost(
			unbound->import, &clause->at,
			"its servers are asked by TLS, which sluice does not speak; name others "
			"for %s, whose names go where others go until then",
			name);
	}
}

static void take_forward(struct unbound *unbound, const struct clause *clause)
{
	static const char *const known[] = {"name",
					    "forward-addr",
					    "stub-addr",
					    "forward-tcp-upstream",
					    "stub-tcp-upstream",
					    "forward-first",
					    "stub-first",
					    "forward-tls-upstream",
					    "forward-ssl-upstream",
					    "stub-tls-upstream",
					    "stub-ssl-upstream",
					    NULL};
	struct import *import = unbound->import;
	bool is_stub = strcasecmp(clause->at.path, "stub-zone") == 0;
	const char *name = value_of(clause, "name");
	struct node *rule;

	if (!name) {
		import_lost(import, &clause->at, "it has no name");
		return;
	}
	if (is_encrypted(unbound, clause)) {
		take_encrypted(unbound, clause, name, is_stub);
		return;
	}
	if (is_shut(unbound, name)) {
		import_lost(import, &clause->at,
			    "the local-zone of the root answers for %s; its servers are not asked",
			    name);
		return;
	}
	if (strcmp(name, ".") == 0 && !is_stub) {
		unbound->root = clause;
		rule = forward_default(import, &clause->at);
	} else {
		rule = forward_rule(import, unbound->view, &clause->at, name, !is_stub);
	}
	if (!rule)
		return;
	take_targets(unbound, clause, rule, is_stub ? "stub-addr" : "forward-addr",
		     is_on(clause, "forward-tcp-upstream") || is_on(clause, "stub-tcp-upstream"));
	if (is_stub)
		import_changed(import, &clause->at,
			       "its servers are asked as resolvers: they have to answer for all "
			       "below %s themselves",
			       name);
	if (is_on(clause, "forward-first") || is_on(clause, "stub-first"))
		import_changed(import, &clause->at, "where its servers fail, " NO_ROOT);
	tell_others(unbound, clause, known);
}

static bool is_primary(const struct setting *setting)
{
	return (strcasecmp(setting->at.path, "primary") == 0 ||
		strcasecmp(setting->at.path, "master") == 0) &&
	       setting->count > 0;
}

/* Makes a rule that asks the zone's primaries, without those that give the zone over TLS. */
static void take_primaries(struct unbound *unbound, const struct clause *clause, const char *name)
{
	struct import *import = unbound->import;
	struct node *rule = forward_rule(import, unbound->view, &clause->at, name, true);

	for (const struct setting *setting = clause->first; rule && setting;
	     setting = setting->next) {
		if (!is_primary(setting))
			continue;
		if (strchr(setting->values[0], '#'))
			import_lost(import, &setting->at,
				    "the zone comes from it by TLS, which sluice does not speak");
		else
			take_target(unbound, setting, rule, NULL);
	}
	import_changed(import, &clause->at,
		       "zones are not transferred in: its primary is asked instead");
}

/* Reads a zone's master file. A relative path is relative to the folder of the file that names the
 * master file. */
static void take_zone_file(struct unbound *unbound, const struct clause *clause, const char *name,
			   const char *file)
{
	struct node *zone = forward_zone(unbound->import, unbound->view, &clause->at, name);
	const char *slash = strrchr(clause->at.file, '/');
	struct served_zone *served;

	if (*file != '/' && slash)
		file = import_printf(unbound->import, "%.*s/%s", (int)(slash - clause->at.file),
				     clause->at.file, file);
	if (!zone)
		return;
	forward_zone_file(unbound->import, zone, &clause->at, file, name, NULL);
	served = import_alloc(unbound->import, sizeof *served);
	*served = (struct served_zone){clause, import_get(zone, "name"), unbound->served};
	unbound->served = served;
}

static void take_auth(struct unbound *unbound, const struct clause *clause)
{
	static const char *const known[] = {"name", "zonefile", "primary", "master", NULL};
	struct import *import = unbound->import;
	const char *name = value_of(clause, "name"), *file = value_of(clause, "zonefile");

	if (!name)
		import_lost(import, &clause->at, "it has no name");
	else if (strcmp(name, ".") == 0)
		import_lost(
			import, &clause->at,
			"it is a copy of the root, whose servers only refer to others: " NO_ROOT);
	else if (value_of(clause, "primary") || value_of(clause, "master"))
		take_primaries(unbound, clause, name);
	else if (!file)
		import_lost(import, &clause->at, "it has no file that could be read");
	else
		take_zone_file(unbound, clause, name, file);
	tell_others(unbound, clause, known);
}

/* Closes the view's default names, which no rule or zone decides, if their servers are asked over
 * TLS, or if all of these are lost. */
static void close_default(struct unbound *unbound, struct forward_view *view)
{
	struct import *import = unbound->import;

	if (unbound->closed_root)
		forward_encrypted_default(import, view, NULL, unbound->closed_root);
	else if (unbound->root)
		forward_lost_default(import, view, forward_default(import, &unbound->root->at),
				     &unbound->root->at);
}

/* ---- the whole server ---- */

/* The clients of all views, each with its view as group. `with_cookies`: also those that need a
 * cookie. */
static struct acl_set clients_of(struct unbound *unbound, const struct origin *at,
				 bool with_cookies)
{
	static const char *const usual[] = {"127.0.0.0/8", "::1/128"};
	struct acl acl = {0};
	struct acl_set all;

	/* Settings for the same prefix are added later, and so replace these defaults. */
	for (size_t i = 0; i < COUNT(usual); i++) {
		struct prefix prefix;

		if (acl_prefix(&prefix, usual[i]))
			acl_add_of(&acl, &(struct acl_entry){.prefix = prefix,
							     .allow = true,
							     .at = *at,
							     .group = unbound->view});
	}
	for (const struct block *block = unbound->blocks; block; block = block->next) {
		struct acl_entry entry = block->entry;

		entry.allow |= with_cookies && block->with_cookie;
		acl_add_of(&acl, &entry);
	}
	all = acl_most_specific(unbound->import, &acl);
	acl_release(&acl);
	return all;
}

/* Prints the view's clients, with those that need a cookie. */
static const char *open_text(struct unbound *unbound, const struct forward_view *view,
			     const struct origin *at)
{
	struct acl_set all = clients_of(unbound, at, true), own = {0};
	const char *text;

	own.entries = import_alloc(unbound->import, (all.count + 1) * sizeof *own.entries);
	for (size_t i = 0; i < all.count; i++)
		if (all.entries[i].group == view)
			own.entries[own.count++] = all.entries[i];
	text = forward_open_text(unbound->import, own);
	acl_set_release(&all);
	return text;
}

/* Reports that clients that need a cookie are kept out. The first report for each view also offers
 * the line that would let them in. */
static void tell_cookies(struct unbound *unbound, const struct origin *at)
{
	static const char why[] = "clients are told by their addresses, not by cookies: none of "
				  "these may ask";
	struct import *import = unbound->import;

	for (const struct block *block = unbound->blocks; block; block = block->next) {
		const struct forward_view *view = block->entry.group;
		char *key;

		if (!block->with_cookie)
			continue;
		key = import_printf(import, "cookies of %p", (const void *)view);
		if (import_find(import, key)) {
			import_changed(import, &block->action->at, "%s", why);
			continue;
		}
		import_keep(import, key, unbound);
		import_closed(import, &block->action->at, forward_network(view),
			      open_text(unbound, view, at), "%s", why);
	}
}

static void take_clients(struct unbound *unbound, const struct origin *at)
{
	struct import *import = unbound->import;
	struct acl_set all = clients_of(unbound, at, false);
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < all.count; i++)
		forward_allow(import, all.entries[i].group, &all.entries[i].at,
			      prefix_print(&all.entries[i].prefix, text));
	/* A view without clients is closed to all. */
	for (const struct block *block = unbound->blocks; block; block = block->next)
		forward_allow_only(import, block->entry.group, &block->entry.at,
				   (struct acl_set){0});
	for (const struct clause *clause = unbound->first; clause; clause = clause->next)
		if (strcasecmp(clause->at.path, "view") == 0 && value_of(clause, "name"))
			forward_allow_only(
				import, forward_view(import, value_of(clause, "name"), &clause->at),
				&clause->at, (struct acl_set){0});
	forward_allow_only(import, unbound->view, at, (struct acl_set){0});
	tell_cookies(unbound, at);
	acl_set_release(&all);
}

/* Whether the view has local zones or data of its own. */
static bool has_local(const struct clause *clause)
{
	static const char *const names[] = {"local-zone", "local-data", "local-data-ptr"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (value_of(clause, names[i]))
			return true;
	return false;
}

/* Links the view to the auth-zones. Unbound asks local zones first, so an auth-zone is left out if
 * a local zone of the view answers for its name. */
static void share_served(struct unbound *unbound, const struct clause *clause,
			 struct forward_view *view)
{
	for (const struct served_zone *at = unbound->served; at; at = at->next) {
		const struct setting *around = zone_around(unbound, view, at->name);

		if (around && !is_open_type(around->values[1]))
			import_changed(unbound->import, &around->at,
				       "it answers for %s in the view %s, whose clients do not get "
				       "that auth-zone",
				       at->name, value_of(clause, "name"));
		else
			forward_share_zone(unbound->import, view, &at->clause->at, at->name,
					   unbound->view);
	}
}

/* Closes default names in a view, as the root's local zone of `server` does. In Unbound that zone
 * is not for a view that uses only its own local zones (`own_only`). Here such a view is closed,
 * too, which is reported: rules were left out because of that zone, and all views share the
 * rules. */
static void close_open_view(struct unbound *unbound, const struct clause *clause,
			    struct forward_view *view, bool own_only)
{
	forward_no_default(unbound->import, view, &clause->at);
	if (own_only)
		import_changed(
			unbound->import, &unbound->shut->at,
			"it is not for the view %s, whose clients have names looked up: here "
			"what no rule and no zone decides is refused for them, too",
			value_of(clause, "name"));
}

/* Takes a view. Its clients have the view's local zones and data, and all rules. With view-first,
 * or if the view has no local zones or data, they also have those of `server`. If the view's local
 * zone of the root answers by itself, they have neither the rules nor those of `server`. They have
 * the auth-zones, except those that a local zone of the view answers for. */
static void take_view(struct unbound *unbound, const struct clause *clause)
{
	static const char *const known[] = {
		"name",           "view-first",     "local-zone",          "local-data",
		"local-data-ptr", "local-zone-tag", "local-zone-override", NULL};
	const char *name = value_of(clause, "name");
	bool own_only = !is_on(clause, "view-first") && has_local(clause);
	struct forward_view *view;
	const struct setting *shut;

	if (!name) {
		import_lost(unbound->import, &clause->at, "it has no name");
		return;
	}
	view = forward_view(unbound->import, name, &clause->at);
	note_zones(unbound, clause, view);
	shut = shut_by(unbound, view);
	take_local(unbound, clause, view);
	tell_others(unbound, clause, known);
	if (shut) {
		import_changed(unbound->import, &shut->at,
			       "it answers for all names in the view %s but those of its other "
			       "local zones; its clients get no rules, and none of the local zones "
			       "of server",
			       name);
	} else {
		close_default(unbound, view);
		forward_share_rules(unbound->import, unbound->view, view, &clause->at);
	}
	if (unbound->shut && !shut)
		close_open_view(unbound, clause, view, own_only);
	if (shut || own_only)
		share_served(unbound, clause, view);
	else
		forward_falls_back(view, unbound->view, &clause->at);
}

static void take_clause(struct unbound *unbound, const struct clause *clause)
{
	const char *name = clause->at.path;

	if (strcasecmp(name, "server") == 0)
		take_local(unbound, clause, unbound->view);
	else if (strcasecmp(name, "forward-zone") == 0 || strcasecmp(name, "stub-zone") == 0)
		take_forward(unbound, clause);
	else if (strcasecmp(name, "auth-zone") == 0)
		take_auth(unbound, clause);
	else if (strcasecmp(name, "remote-control") == 0)
		import_lost(unbound->import, &clause->at,
			    "commands reach sluice by its control socket, management.socket");
	else if (strcasecmp(name, "dnstap") == 0)
		import_lost(unbound->import, &clause->at,
			    "query_log.dnstap_socket in sluice.conf(5) is where it goes");
	else if (strcasecmp(name, "view") != 0)
		import_lost(unbound->import, &clause->at,
			    "sluice has nothing that corresponds to it");
}

/* Notes the setting that makes Unbound ask all servers over TLS. Default names are closed then,
 * even without a forward-zone of the root. */
static void take_encryption(struct unbound *unbound)
{
	static const char *const names[] = {"tls-upstream", "ssl-upstream"};

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct setting *setting = last_setting(unbound, names[i]);

		if (setting && words_flag(setting->values[0]) == 1)
			unbound->encrypts = setting;
	}
	if (unbound->encrypts)
		unbound->closed_root = &unbound->encrypts->at;
}

static void take_all(struct unbound *unbound)
{
	struct import *import = unbound->import;
	const struct origin *at = &unbound->whole;
	const struct clause *clause;

	unbound->view = forward_main_view(import, at);
	if (last_value(unbound, "port"))
		unbound->port = words_number(last_value(unbound, "port"));
	take_encryption(unbound);
	unbound->is_automatic = words_flag(last_value(unbound, "interface-automatic")) == 1;
	if (unbound->is_automatic)
		listen_everywhere(unbound);
	for (clause = unbound->first; clause; clause = clause->next)
		if (strcasecmp(clause->at.path, "server") == 0)
			take_server(unbound, clause);
	take_stale(unbound);
	for (clause = unbound->first; clause; clause = clause->next)
		if (strcasecmp(clause->at.path, "server") == 0)
			note_zones(unbound, clause, unbound->view);
	unbound->shut = shut_by(unbound, unbound->view);
	for (clause = unbound->first; clause; clause = clause->next) {
		take_clause(unbound, clause);
		if (strcasecmp(clause->at.path, "server") == 0)
			continue;
		for (struct setting *setting = clause->first; setting; setting = setting->next)
			import_comments_move(import, &setting->at, &clause->at);
	}
	for (clause = unbound->first; clause; clause = clause->next)
		if (strcasecmp(clause->at.path, "view") == 0)
			take_view(unbound, clause);
	close_default(unbound, unbound->view);
	take_clients(unbound, at);
	if (!unbound->listens)
		forward_listen(import, at, "127.0.0.1", unbound->port);
	if (!unbound->has_interface)
		forward_listen(import, at, "::1", unbound->port);
	if (unbound->cache_bytes > 0)
		import_number(import, import_group(import, import_root(import), "cache", at),
			      "size_bytes", at, unbound->cache_bytes);
	if (!unbound->root && !unbound->closed_root && !unbound->shut)
		import_lost(
			import, at,
			"it resolves from the root by itself, which sluice does not: what no zone "
			"and no rule decides goes to default_resolver, or to the servers of "
			"/etc/resolv.conf");
}

void unbound_read(struct import *import, const char *path)
{
	struct unbound *unbound = import_find(import, "unbound");

	if (!unbound) {
		unbound = import_alloc(import, sizeof *unbound);
		unbound->import = import;
		unbound->whole = import_place(import, path, 0, NULL);
		unbound->last = &unbound->first;
		import_keep(import, "unbound", unbound);
	}
	unbound->now = NULL;
	read_file(unbound, path, NULL, 0);
}

void unbound_finish(struct import *import)
{
	struct unbound *unbound = import_find(import, "unbound");

	if (unbound)
		take_all(unbound);
	forward_finish(import);
}
