/* AdGuard Home: lines of upstreams, alone in a file or in AdGuardHome.yaml.
 *
 *     192.0.2.1                      a default upstream
 *     [/corp.example/lan/]10.1.0.4   the upstreams of these domains and all below
 *     [/www.corp.example/]#          the default ones again: the longest domain decides
 *     [//]10.1.0.4                   names without a dot
 *
 * A domain with `*.` ahead means all names below it, but not itself. Leaving a line out would send
 * private names to the default upstreams. So a line that cannot be expressed refuses the file, and
 * so does a domain whose upstreams all use TLS or HTTPS; other upstreams of that kind are left out.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/import/acl.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "resolver/control/import/json_file.h"
#include "resolver/control/import/words.h"
#include "resolver/control/import/yaml_file.h"
#include "rules/base.h"
#include "rules/schema/model.h"
#include "rules/text.h"

struct upstreams { /* a line of upstreams */
	struct origin at;
	const char *domains; /* "corp.example/lan"; NULL: default upstreams */
	const char *servers; /* separated by blanks */
	struct upstreams *next;
};

struct adguard_domain { /* a domain with a rule */
	struct origin at;
	bool below, usual; /* below: not the domain itself; usual: uses the default upstreams */
};

struct adguard { /* kept by the import */
	struct origin at;
	struct forward_view *view;
	struct upstreams *first, **last;
	bool told_of_clients;
};

static struct adguard *adguard_of(struct import *import, const char *path)
{
	struct adguard *adguard = import_find(import, "adguard");

	if (adguard)
		return adguard;
	adguard = import_alloc(import, sizeof *adguard);
	adguard->at = import_place(import, path, 0, NULL);
	adguard->view = forward_main_view(import, &adguard->at);
	adguard->last = &adguard->first;
	import_keep(import, "adguard", adguard);
	return adguard;
}

/* ---- lines ---- */

static void take_line(struct import *import, struct adguard *adguard, const struct origin *at,
		      const char *line)
{
	struct upstreams *upstreams;
	const char *end = NULL;

	line += strspn(line, " \t\r");
	if (*line == '\0' || *line == '#')
		return;
	if (line[0] == '[' && line[1] == '/')
		end = strstr(line, "/]");
	if (line[0] == '[' && line[1] == '/' && !end) {
		import_fault(import, at, "the domains end with \"/]\"");
		return;
	}
	if (strncmp(line, "server=", 7) == 0) {
		import_fault(import, at, "it is a line of dnsmasq, which is imported as such");
		return;
	}
	upstreams = import_alloc(import, sizeof *upstreams);
	upstreams->at = *at;
	if (end && end > line + 1)
		upstreams->domains = import_printf(import, "%.*s", (int)(end - line - 2), line + 2);
	else if (end)
		upstreams->domains = ""; /* "[/]": its slash begins and ends the domains */
	upstreams->servers = import_printf(import, "%s", end ? end + 2 : line);
	if (upstreams->servers[strspn(upstreams->servers, " \t\r")] == '\0') {
		import_fault(import, at, "it has no upstream");
		return;
	}
	*adguard->last = upstreams;
	adguard->last = &upstreams->next;
}

static void take_lines(struct import *import, struct adguard *adguard, const char *path,
		       const char *text)
{
	unsigned number = 1;
	size_t length;

	for (; *text != '\0'; number++) {
		struct origin at = import_place(import, path, number, NULL);
		const char *line = text + strspn(text, " \t");

		length = strcspn(text, "\n");
		if (*line == '#') {
			line += 1 + (line[1] == ' ');
			import_comment_ahead(
				import,
				import_printf(import, "%.*s", (int)strcspn(line, "\r\n"), line));
		} else if (*line != '\r' && *line != '\n' && *line != '\0') {
			import_comments_to(import, path, number);
		}
		take_line(import, adguard, &at, import_printf(import, "%.*s", (int)length, text));
		text += length + (text[length] != '\0');
	}
	import_comments_to(import, path, number);
}

/* ---- upstreams ---- */

enum upstream_kind { UPSTREAM_PLAIN, UPSTREAM_ENCRYPTED, UPSTREAM_OTHER };

struct adguard_upstream {
	struct host host;
	const char *protocol; /* NULL: udp */
};

static enum upstream_kind read_upstream(const char *text, struct adguard_upstream *upstream)
{
	static const char *const encrypted[] = {"tls://",  "https://", "h3://",
						"quic://", "sdns://",  NULL};

	*upstream = (struct adguard_upstream){.protocol = NULL};
	for (size_t i = 0; encrypted[i]; i++)
		if (strncasecmp(text, encrypted[i], strlen(encrypted[i])) == 0)
			return UPSTREAM_ENCRYPTED;
	if (strncasecmp(text, "tcp://", 6) == 0)
		upstream->protocol = "tcp";
	if (upstream->protocol || strncasecmp(text, "udp://", 6) == 0)
		text += 6;
	return host_parse(&upstream->host, text, DNS_PORT) == 0 ? UPSTREAM_PLAIN : UPSTREAM_OTHER;
}

/* The next upstream of the line; NULL: no more. */
static const char *next_upstream(struct import *import, const char **at)
{
	const char *word = *at + strspn(*at, " \t\r");
	size_t length = strcspn(word, " \t\r");

	*at = word + length;
	return length > 0 ? import_printf(import, "%.*s", (int)length, word) : NULL;
}

static bool has_plain(struct import *import, const struct upstreams *line)
{
	const char *at = line->servers, *word;
	struct adguard_upstream upstream;

	while ((word = next_upstream(import, &at)))
		if (read_upstream(word, &upstream) == UPSTREAM_PLAIN)
			return true;
	return false;
}

/* Adds the line's upstreams to the rule or default resolver. `in` NULL: only reports those that
 * cannot be used. */
static void add_upstreams(struct import *import, struct node *in, const struct origin *at,
			  const struct upstreams *line)
{
	const char *rest = line->servers, *word;
	char printed[ADDRESS_TEXT_MAX];
	struct adguard_upstream upstream;

	while ((word = next_upstream(import, &rest)))
		switch (read_upstream(word, &upstream)) {
		case UPSTREAM_PLAIN:
			if (in)
				forward_target(import, in, at,
					       address_print(&upstream.host.address, printed),
					       upstream.host.port, upstream.protocol);
			break;
		case UPSTREAM_ENCRYPTED:
			import_lost(import, at,
				    "%s is asked over TLS or HTTPS, which sluice does not", word);
			break;
		case UPSTREAM_OTHER:
			import_fault(import, at,
				     "\"%s\" is no address of a server; give the addresses of this "
				     "host, or leave it out",
				     word);
		}
}

static bool has_plain_usual(struct import *import, const struct adguard *adguard)
{
	for (const struct upstreams *line = adguard->first; line; line = line->next)
		if (!line->domains && has_plain(import, line))
			return true;
	return false;
}

/* Adds the default upstreams with the place `at` of a reference; NULL: with their own places. */
static void add_usual(struct import *import, const struct adguard *adguard, struct node *in,
		      const struct origin *at)
{
	for (const struct upstreams *line = adguard->first; line; line = line->next)
		if (!line->domains)
			add_upstreams(import, in, at ? at : &line->at, line);
}

static bool is_usual(const struct upstreams *line)
{
	const char *text = line->servers + strspn(line->servers, " \t\r");

	return *text == '#' && text[1 + strspn(text + 1, " \t\r")] == '\0';
}

/* The line's domain for a rule; NULL: no rule can express it, which is reported. *below: without
 * the domain itself. */
static const char *domain_of(struct import *import, const struct upstreams *line,
			     const char *domain, bool *below)
{
	struct name parsed;

	*below = strncmp(domain, "*.", 2) == 0;
	if (*domain == '\0')
		import_fault(
			import, &line->at,
			"it is for names without a dot, which no rule is for; make a zone or a "
			"rule of each such name, and leave this line out");
	else if (strchr(domain + 2 * *below, '*'))
		import_fault(import, &line->at,
			     "\"%s\": a rule is for a domain and all below it; write such domains",
			     domain);
	else if (name_from_text(&parsed, NULL, domain + 2 * *below) != 0)
		import_fault(import, &line->at, "\"%s\" is no domain name", domain);
	else
		return text_lower(import_printf(import, "%s", domain + 2 * *below));
	return NULL;
}

/* Lines for one domain add up. False: they are of different kinds, which is a fault. */
static bool goes_together(struct import *import, const struct upstreams *line, const char *domain,
			  bool below)
{
	char *key = import_printf(import, "adguard %s", domain);
	struct adguard_domain *ruled = import_find(import, key);

	if (ruled && (ruled->below != below || ruled->usual != is_usual(line))) {
		import_fault(
			import, &line->at,
			"%s has other upstreams at line %u, for itself or for what is below it, "
			"and a rule is for both; leave one of them out",
			domain, ruled->at.line);
		return false;
	}
	if (!ruled) {
		ruled = import_alloc(import, sizeof *ruled);
		*ruled = (struct adguard_domain){line->at, below, is_usual(line)};
		import_keep(import, key, ruled);
	}
	return true;
}

static void take_domain(struct import *import, const struct adguard *adguard,
			const struct upstreams *line, const char *text)
{
	bool below, usual = is_usual(line);
	const char *domain = domain_of(import, line, text, &below);
	struct node *rule;

	if (!domain || !goes_together(import, line, domain, below))
		return;
	if (!(usual ? has_plain_usual(import, adguard) : has_plain(import, line))) {
		if (!usual)
			add_upstreams(import, NULL, &line->at, line);
		import_fault(import, &line->at,
			     "%s has no upstream that is asked without TLS; without a rule the "
			     "default ones would learn its names: name such servers",
			     domain);
		return;
	}
	if (below)
		import_changed(import, &line->at, "it is for %s itself, too", domain);
	rule = forward_rule(import, adguard->view, &line->at, domain, false);
	if (rule && usual)
		add_usual(import, adguard, rule, &line->at);
	else if (rule)
		add_upstreams(import, rule, &line->at, line);
}

static void take_domains(struct import *import, const struct adguard *adguard,
			 const struct upstreams *line)
{
	const char *at = line->domains;
	size_t length;

	do {
		length = strcspn(at, "/");
		take_domain(import, adguard, line, import_printf(import, "%.*s", (int)length, at));
		at += length;
	} while (*at++ != '\0');
}

/* Adds the default upstreams. If all of these use TLS or HTTPS, only names of zones and rules
 * are answered. */
static void take_usual(struct import *import, struct adguard *adguard)
{
	const struct upstreams *line = adguard->first;

	while (line && line->domains)
		line = line->next;
	if (!line) {
		import_lost(import, &adguard->at,
			    "it has no default upstreams: what no zone and no rule decides goes to "
			    "default_resolver, or to the servers of /etc/resolv.conf");
		return;
	}
	if (has_plain_usual(import, adguard)) {
		add_usual(import, adguard, forward_default(import, &line->at), NULL);
		return;
	}
	add_usual(import, adguard, NULL, NULL);
	forward_encrypted_default(import, adguard->view, NULL, &line->at);
}

/* ---- AdGuardHome.yaml ---- */

#define NO_PROTECTION "answers are not filtered"
#define NO_LISTS      "there are no blocklists; names in them are answered"

static const struct reason reasons[] = {
	{"fallback_dns", "the targets are asked one after the other, and no others behind them"},
	{"local_ptr_upstreams", "names of private addresses are a rule for their zone, such as "
				"10.in-addr.arpa"},
	{"use_dns64", "AAAA records are not made of A records"},
	{"aaaa_disabled", "answers of targets are not changed"},
	{"bogus_nxdomain", "answers of targets are not changed"},
	{"blocked_hosts", "a private zone with nothing but its SOA gives NXDOMAIN for its name"},
	{"ratelimit", "response_limit in sluice.conf(5) limits answers to one prefix"},
	{"enable_dnssec", "sluice does not validate; DO and CD are passed through"},
	{"ipset", "addresses in answers are passed on, and put into no set"},
	{"ipset_file", "addresses in answers are passed on, and put into no set"},
	{"upstream_mode", "targets are asked in the order that they have"},
	{"cache_size", "cache.size_bytes is 64 MiB unless it is said"},
	{"cache_ttl_min", "cache.ttl_min in sluice.conf(5)"},
	{"cache_ttl_max", "cache.ttl_max in sluice.conf(5)"},
	{"cache_optimistic", "cache.stale_max says how long answers are given behind their TTL"},
	{"edns_client_subnet", "clients' subnets are not sent on"},
	{"hostsfile_enabled",
	 "the names of the machine's /etc/hosts; `sluice import hosts` takes them"},
	{"safebrowsing_enabled", NO_PROTECTION},
	{"parental_enabled", NO_PROTECTION},
	{"safesearch_enabled", NO_PROTECTION},
	{"safe_search", NO_PROTECTION},
	{"filters", NO_LISTS},
	{"whitelist_filters", NO_LISTS},
	{"user_rules", NO_LISTS},
	{"blocked_services", NO_LISTS},
	{"dhcp",
	 "sluice has no DHCP; a DHCP server can register names (registration in sluice.conf(5))"},
	{"tls", "clients ask without TLS"},
	{NULL, NULL},
};

/* Settings of a single client, which count unless it uses those of all clients. */
static const struct reason protections[] = {
	{"safebrowsing_enabled", NO_PROTECTION},
	{"parental_enabled", NO_PROTECTION},
	{"safesearch_enabled", NO_PROTECTION},
	{"safe_search", NO_PROTECTION},
	{NULL, NULL},
};
static const struct reason services[] = {
	{"blocked_services", NO_LISTS},
	{NULL, NULL},
};

/* Whether the value switches something on, as far as that is known without AdGuard's defaults. */
static bool is_on(const json_t *value)
{
	const char *text = json_string_value(value);
	json_t *item;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach((json_t *)value, i, item) if (is_on(item)) return true;
		return false;
	}
	if (json_is_object(value)) {
		const json_t *ids = json_member(value, "ids"), *on = json_member(value, "enabled");

		return ids ? json_array_size(ids) > 0 : on && is_on(on);
	}
	return text && *text != '\0' && strcmp(text, "0") != 0 && strcmp(text, "0s") != 0 &&
	       strcasecmp(text, "load_balance") != 0 && words_flag(text) != 0;
}

static void tell_lost(struct import *import, const json_t *group, const struct reason *reason)
{
	for (; reason->name; reason++) {
		const json_t *value = json_member(group, reason->name);
		struct origin at;

		if (!value || !is_on(value))
			continue;
		at = json_file_at(import, value, reason->name);
		import_lost(import, &at, "%s", reason->why);
	}
}

/* The text at an index of a list, or a single text; NULL: no more. */
static const char *text_at(struct import *import, const json_t *list, size_t index,
			   struct origin *at)
{
	const json_t *value = json_is_array(list) ? json_array_get(list, index) : list;

	if (!value || (!json_is_array(list) && index > 0) || json_is_null(value))
		return NULL;
	*at = json_file_at(import, value, NULL);
	if (!json_is_string(value))
		import_fault(import, at, "a text is expected here");
	return json_string_value(value);
}

static void take_upstreams(struct import *import, struct adguard *adguard, const char *path,
			   const json_t *dns)
{
	const json_t *list = json_member(dns, "upstream_dns");
	const char *other = json_member_text(dns, "upstream_dns_file"), *text;
	struct origin at;
	size_t length;

	if (other && *other != '\0') {
		char **files;

		at = json_file_at(import, json_member(dns, "upstream_dns_file"),
				  "upstream_dns_file");
		files = words_files(import, path, other, &at);
		text = files[0] ? import_read(import, files[0], &at, &length) : NULL;
		if (text)
			take_lines(import, adguard, files[0], text);
		return;
	}
	for (size_t i = 0; (text = text_at(import, list, i, &at)); i++)
		take_line(import, adguard, &at, text);
}

/* Reads the clients of a list; *unread becomes the place of the last client without an address. */
static void read_clients(struct import *import, const json_t *list, struct acl *acl, bool allow,
			 struct origin *unread)
{
	struct prefix prefix;
	struct origin at;
	const char *text;

	for (size_t i = 0; (text = text_at(import, list, i, &at)); i++) {
		if (acl_prefix(&prefix, text)) {
			acl_add(acl, &prefix, allow, &at);
			continue;
		}
		import_lost(import, &at,
			    "clients are told by their addresses, which \"%s\" has none of", text);
		*unread = at;
	}
}

static void take_clients(struct import *import, struct adguard *adguard, const json_t *dns)
{
	const json_t *allowed = json_member(dns, "allowed_clients"),
		     *others = json_member(dns, "disallowed_clients");
	bool only = json_array_size(allowed) > 0;
	struct origin at = json_file_at(import, dns, NULL), unread = {.line = 0};
	struct acl acl = {0};
	struct acl_set clients, none = {0};
	struct prefix prefix;

	adguard->told_of_clients = true;
	if (!only && json_array_size(others) == 0) {
		import_changed(
			import, &at,
			"whoever reaches it may ask there; here loopback and private networks "
			"may, unless client_prefixes of the network names others");
		return;
	}
	/* The first match counts, so denied prefixes come first: one may contain a usual prefix. */
	read_clients(import, only ? allowed : others, &acl, only, &unread);
	for (size_t i = 0; !only && i < USUAL_CLIENTS; i++)
		if (acl_prefix(&prefix, model_usual_clients[i]))
			acl_add(&acl, &prefix, true, &at);
	clients = acl_first_match(import, &acl);
	if (only || unread.line == 0) {
		forward_allow_only(import, adguard->view, &at, clients);
	} else {
		forward_allow_only(import, adguard->view, &at, none);
		import_closed(import, &unread, forward_network(adguard->view),
			      forward_open_text(import, clients),
			      "it may not ask, and its addresses are not known: nobody may");
	}
	acl_set_release(&clients);
	acl_release(&acl);
}

static void take_listen(struct import *import, const json_t *dns)
{
	const json_t *hosts = json_member(dns, "bind_hosts");
	const char *port = json_member_text(dns, "port"), *text;
	struct origin at;

	hosts = hosts ? hosts : json_member(dns, "bind_host");
	for (size_t i = 0; (text = text_at(import, hosts, i, &at)); i++)
		if (!forward_listen(import, &at, text, port ? words_number(port) : 0))
			import_fault(import, &at, "\"%s\" with this port is no place to listen at",
				     text);
}

static bool is_off(const json_t *group, const char *name)
{
	const char *flag = json_member_text(group, name);

	return flag && words_flag(flag) == 0;
}

/* Whether the rewrite only exempts its name from wildcards, for one type or for all. */
static bool is_exemption(const char *domain, const char *answer)
{
	return strcmp(answer, "A") == 0 || strcmp(answer, "AAAA") == 0 ||
	       strcasecmp(answer, domain) == 0;
}

/* A rewrite gives a name, or all names below one, an address or another name. `off`: all rewrites
 * are disabled. */
static void take_rewrite(struct import *import, struct adguard *adguard, const json_t *rewrite,
			 bool off)
{
	struct origin at = json_file_at(import, rewrite, NULL);
	const char *domain = json_member_text(rewrite, "domain"),
		   *answer = json_member_text(rewrite, "answer"), *type;
	struct address address;
	struct node *zone;

	if (!domain || !answer || *answer == '\0') {
		import_fault(import, &at, "a rewrite has a domain and an answer");
		return;
	}
	if (off || is_off(rewrite, "enabled")) {
		import_lost(import, &at, "it is disabled there");
		return;
	}
	if (is_exemption(domain, answer)) {
		import_lost(import, &at, "%s has what a target answers unless a rewrite is for it",
			    domain);
		return;
	}
	type = address_parse(&address, answer) != 0 ? "CNAME" : address.family == 4 ? "A" : "AAAA";
	if (strcmp(type, "CNAME") == 0 && answer[strlen(answer) - 1] != '.')
		answer = import_printf(import, "%s.", answer);
	if (strncmp(domain, "*.", 2) != 0) {
		forward_record(import, adguard->view, &at, domain, type, -1, answer);
		return;
	}
	zone = forward_zone(import, adguard->view, &at, domain + 2);
	if (!zone)
		return;
	forward_zone_record(import, zone, &at, domain, type, -1, answer);
	import_changed(import, &at, "%s is a zone now: it has nothing but what is written here",
		       domain + 2);
}

static void take_rewrites(struct import *import, struct adguard *adguard, const json_t *group,
			  bool off)
{
	const json_t *list = json_member(group, "rewrites");
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item) take_rewrite(import, adguard, item, off);
}

/* Refuses clients with upstreams of their own, which would need a view, and reports their other
 * settings. */
static void check_clients(struct import *import, const json_t *file)
{
	const json_t *list = json_member(json_member(file, "clients"), "persistent");
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		const json_t *own = json_member(item, "upstreams");
		struct origin at = json_file_at(import, item, json_member_text(item, "name"));

		if (json_array_size(own) > 0)
			import_fault(import, &at,
				     "this client has upstreams of its own: import what is for the "
				     "others, and make a network with a ruleset of what is for it");
		if (!is_on(json_member(item, "use_global_settings")))
			tell_lost(import, item, protections);
		if (!is_on(json_member(item, "use_global_blocked_services")))
			tell_lost(import, item, services);
	}
}

static void read_yaml(struct import *import, struct adguard *adguard, const char *path,
		      const char *text, size_t length)
{
	json_t *file = yaml_file_parse(import, path, text, length);
	const json_t *dns = json_member(file, "dns"), *filtering = json_member(file, "filtering");
	/* Older versions have no group `filtering`, and filtering_enabled is in `dns`. */
	bool no_rewrites = is_off(filtering, "rewrites_enabled") ||
			   is_off(filtering, "filtering_enabled") ||
			   is_off(dns, "filtering_enabled");
	struct origin at = import_place(import, path, 1, NULL);

	if (file && !json_is_object(dns))
		import_fault(import, &at, "it has no group dns, as AdGuardHome.yaml has");
	if (json_is_object(dns)) {
		take_upstreams(import, adguard, path, dns);
		take_clients(import, adguard, dns);
		take_listen(import, dns);
		take_rewrites(import, adguard, dns, no_rewrites);
		take_rewrites(import, adguard, filtering, no_rewrites);
		check_clients(import, file);
		tell_lost(import, dns, reasons);
		tell_lost(import, file, reasons);
		tell_lost(import, filtering, reasons);
	}
	json_decref(file);
}

/* ---- both formats ---- */

/* Whether it is AdGuardHome.yaml: no line of upstreams begins with `dns:` or `---`. */
static bool is_yaml(const char *text)
{
	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, "dns:", 4) == 0 || strncmp(text, "---", 3) == 0)
			return true;
	}
	return false;
}

void adguard_read(struct import *import, const char *path)
{
	struct adguard *adguard = adguard_of(import, path);
	size_t length;
	char *text = import_read(import, path, NULL, &length);

	if (!text)
		return;
	if (is_yaml(text)) {
		read_yaml(import, adguard, path, text, length);
		return;
	}
	if (!import_is_for_server(import))
		forward_listen(import, &adguard->at, "127.0.0.1", 0);
	take_lines(import, adguard, path, text);
}

void adguard_finish(struct import *import)
{
	struct adguard *adguard = import_find(import, "adguard");

	if (adguard) {
		for (const struct upstreams *line = adguard->first; line; line = line->next)
			if (line->domains)
				take_domains(import, adguard, line);
		take_usual(import, adguard);
		if (!adguard->told_of_clients)
			import_lost(import, &adguard->at, "who may ask is not in it");
	}
	forward_finish(import);
}
