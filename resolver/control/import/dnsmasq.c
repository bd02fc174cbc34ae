/* The configuration file of dnsmasq(8): one option per line, as on its command line without the
 * dashes. */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "resolver/control/import/words.h"
#include "rules/base.h"
#include "rules/prefix.h"
#include "rules/reverse.h"

enum { DEPTH_MAX = 10, FOLDER_MAX = 1024 };

struct option {
	struct origin at;  /* at.path is the name */
	const char *value; /* NULL: none */
	struct option *next;
};

struct dnsmasq { /* kept by the import: all files are one server's */
	struct import *import;
	struct origin whole; /* the first file */
	struct option *first, **last;
	struct forward_view *view;
	long port, ttl_s;
	const char *own_domain; /* of domain=; NULL: none */
	const char *domain;     /* goes after names of hosts; NULL: none does */
	bool listens;
	const struct option *unheard; /* an option that makes the listening address unknown; NULL:
				       * none */
	const struct option *for_all; /* an address for all names; NULL: none */
};

struct fields { /* the parts of a value */
	char **items;
	size_t count;
};

/* ---- reading ---- */

static void read_file(struct dnsmasq *dnsmasq, const char *path, const struct origin *at,
		      unsigned depth);

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* conf-dir=/etc/dnsmasq.d,*.conf reads only files with that ending, and an ending without '*'
 * leaves files out. Hidden files and those that editors leave are never read. */
static bool is_taken(const char *name, const struct fields *fields)
{
	size_t length = strlen(name);
	bool fits = true;

	if (length == 0 || name[0] == '.' || name[length - 1] == '~' ||
	    (name[0] == '#' && name[length - 1] == '#'))
		return false;
	for (size_t i = 1; i < fields->count; i++) {
		const char *end = fields->items[i];
		bool only = *end == '*';
		size_t end_length = strlen(end += only);
		bool ends = length >= end_length && strcmp(name + length - end_length, end) == 0;

		if (only) {
			if (ends)
				return true;
			fits = false;
		} else if (ends) {
			return false;
		}
	}
	return fits;
}

static struct fields split(struct import *import, const char *text, char mark)
{
	struct fields fields = {0};
	char *at = import_printf(import, "%s", text), *to;
	size_t room = 1;
	bool more = true;

	for (const char *c = text; *c != '\0'; c++)
		room += *c == mark;
	fields.items = import_alloc(import, room * sizeof *fields.items);
	while (more) {
		bool quoted = false;

		while (isspace((unsigned char)*at))
			at++;
		fields.items[fields.count++] = to = at;
		for (; *at != '\0' && (quoted || *at != mark); at++) {
			if (*at == '"')
				quoted = !quoted;
			else
				*to++ = *at;
		}
		more = *at != '\0';
		at += more;
		*to = '\0';
	}
	return fields;
}

struct folder { /* the files of a folder, sorted */
	const char *names[FOLDER_MAX];
	size_t count;
};

static bool is_regular(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Lists the folder's regular files, like dnsmasq, which passes over others. `fields`: the parts of
 * conf-dir's value, whose endings select files; empty: takes files of every ending. A folder that
 * cannot be read is a fault. */
static void list_folder(struct import *import, const char *path, const struct fields *fields,
			const struct origin *at, struct folder *folder)
{
	DIR *open = opendir(path);
	const struct dirent *entry;
	bool more = false;

	folder->count = 0;
	if (!open) {
		import_fault(import, at, "%s cannot be read", path);
		return;
	}
	while (!more && (entry = readdir(open))) {
		const char *name = import_printf(import, "%s/%s", path, entry->d_name);

		if (!is_taken(entry->d_name, fields) || !is_regular(name))
			continue;
		more = folder->count == FOLDER_MAX;
		if (!more)
			folder->names[folder->count++] = name;
	}
	closedir(open);
	if (more) {
		import_fault(import, at, "%s has more than %d files", path, FOLDER_MAX);
		folder->count = 0;
	}
	if (folder->count > 1)
		qsort(folder->names, folder->count, sizeof *folder->names, by_name);
}

static void read_folder(struct dnsmasq *dnsmasq, const char *value, const struct origin *at,
			unsigned depth)
{
	struct fields fields = split(dnsmasq->import, value, ',');
	struct folder folder;

	list_folder(dnsmasq->import, fields.items[0], &fields, at, &folder);
	for (size_t i = 0; i < folder.count; i++)
		read_file(dnsmasq, folder.names[i], at, depth);
}

/* The beginning of a comment: a '#' outside quotes that is first or after a blank. NULL: none. */
static char *find_comment(char *line)
{
	bool quoted = false;

	for (char *at = line; *at != '\0'; at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (*at == '#' && !quoted && (at == line || isspace((unsigned char)at[-1])))
			return at;
	}
	return NULL;
}

static char *trim(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

static void take_line(struct dnsmasq *dnsmasq, const char *path, unsigned number, char *line,
		      unsigned depth)
{
	struct option *option = import_alloc(dnsmasq->import, sizeof *option);
	char *equals = strchr(line, '=');

	if (equals)
		*equals = '\0';
	option->at = import_place(dnsmasq->import, path, number, trim(line));
	option->value = equals ? trim(equals + 1) : NULL;
	if (option->value && (strcmp(option->at.path, "conf-file") == 0 ||
			      strcmp(option->at.path, "servers-file") == 0)) {
		read_file(dnsmasq, option->value, &option->at, depth + 1);
	} else if (option->value && strcmp(option->at.path, "conf-dir") == 0) {
		read_folder(dnsmasq, option->value, &option->at, depth + 1);
	} else {
		*dnsmasq->last = option;
		dnsmasq->last = &option->next;
	}
}

static void read_file(struct dnsmasq *dnsmasq, const char *path, const struct origin *at,
		      unsigned depth)
{
	size_t length;
	char *text;

	if (depth == DEPTH_MAX) {
		import_fault(dnsmasq->import, at, "files are included through more than %d others",
			     DEPTH_MAX);
		return;
	}
	text = import_read(dnsmasq->import, path, at, &length);
	char *line, *next, *comment;
	unsigned number = 1;

	for (line = text; line && *line != '\0'; line = next, number++) {
		next = strchrnul(line, '\n');
		if (*next == '\n')
			*next++ = '\0';
		comment = find_comment(line);
		if (comment) {
			*comment++ = '\0';
			comment += strspn(comment, "#");
			import_comment_ahead(dnsmasq->import, comment + (*comment == ' '));
		}
		line = trim(line);
		if (*line == '\0')
			continue;
		import_comments_to(dnsmasq->import, path, number);
		take_line(dnsmasq, path, number, line, depth);
	}
	import_comments_to(dnsmasq->import, path, number);
}

static const struct option *find(const struct dnsmasq *dnsmasq, const char *name)
{
	const struct option *option = dnsmasq->first;

	while (option && strcmp(option->at.path, name) != 0)
		option = option->next;
	return option;
}

/* ---- options without a counterpart ---- */

#define THE_UNIT "the program, its user and its files are those of the unit"
#define NO_DHCP                                                                                    \
	"sluice has no DHCP; a DHCP server can register names (registration in sluice.conf(5))"
#define NO_SETS "addresses in answers are passed on, and put into no set"

static const struct reason reasons[] = {
	{"user", THE_UNIT},
	{"group", THE_UNIT},
	{"pid-file", THE_UNIT},
	{"keep-in-foreground", THE_UNIT},
	{"no-daemon", THE_UNIT},
	{"bind-interfaces", "it binds the addresses of listen alone"},
	{"bind-dynamic", "it binds an address as soon as an interface has it"},
	{"no-dhcp-interface", NO_DHCP},
	{"dhcp*", NO_DHCP},
	{"enable-ra", "sluice has no DHCP"},
	{"ra-param", "sluice has no DHCP"},
	{"enable-tftp", "sluice has no TFTP"},
	{"tftp*", "sluice has no TFTP"},
	{"pxe*", "sluice has no DHCP"},
	{"log*", "sluice.conf(5) has log for events, and query_log for queries"},
	{"dnssec*", "sluice does not validate; DO and CD are passed through"},
	{"trust-anchor", "sluice does not validate; DO and CD are passed through"},
	{"proxy-dnssec", "AD is passed through"},
	{"domain-needed", "names without a dot are asked for like others; a private zone of such a "
			  "name keeps it inside"},
	{"stop-dns-rebind", "addresses in answers are passed on as they are"},
	{"rebind*", "addresses in answers are passed on as they are"},
	{"bogus-nxdomain", "answers of targets are not changed"},
	{"ignore-address", "answers of targets are not changed"},
	{"alias", "answers of targets are not changed"},
	{"filter*", "answers of targets are not changed"},
	{"ipset", NO_SETS},
	{"nftset", NO_SETS},
	{"connmark*", NO_SETS},
	{"strict-order", "targets are asked in their order"},
	{"all-servers", "targets are asked in their order; the next when one is late"},
	{"dns-loop-detect",
	 "a target that leads back here is found by the check, and by the query"},
	{"no-poll", "resolv.conf is followed where no default_resolver is named"},
	{"clear-on-reload", "sluice flush empties the cache"},
	{"cache-size", "cache.size_bytes is in bytes, 64 MiB unless it is said"},
	{"no-negcache", "negative answers are cached; cache.negative_ttl_max says how long"},
	{"neg-ttl", "negative answers without a SOA are not cached"},
	{"dns-forward-max", "how many questions wait is built in"},
	{"min-port", "source ports are the system's"},
	{"max-port", "source ports are the system's"},
	{"query-port", "each question has a random source port"},
	{"add-mac", "nothing of clients is sent on"},
	{"add-cpe-id", "nothing of clients is sent on"},
	{"add-subnet", "nothing of clients is sent on"},
	{"auth*", "a zone is authoritative already; transfers say who may copy it"},
	{"interface-name", "a name has the addresses that are written down, not an interface's"},
	{"dynamic-host", "a name has the addresses that are written down, not an interface's"},
	{"synth-domain", "records are written down one by one"},
	{"localise-queries", "records come in the order that they have"},
	{"selfmx", "records are written down one by one"},
	{"localmx", "records are written down one by one"},
	{"mx-target", "records are written down one by one"},
	{"no-round-robin", "records come in the order that they have"},
	{"enable-dbus", THE_UNIT},
	{"enable-ubus", THE_UNIT},
	{"fast-dns-retry", "a late target is not waited for: the next is asked"},
	{"read-ethers", "sluice has no DHCP"},
	{NULL, NULL},
};

/* ---- servers ---- */

/* The domain of a rule: "#" is every name, "*.corp" all names below corp. NULL: no rule can express
 * it, which is reported. */
static const char *domain_of(struct dnsmasq *dnsmasq, const struct option *option,
			     const char *domain)
{
	struct import *import = dnsmasq->import;

	if (strcmp(domain, "#") == 0)
		return ".";
	domain += strspn(domain, "."); /* ".corp" is corp, and all below it */
	if (*domain == '\0') {
		import_lost(import, &option->at, "names without a dot are handled like others");
		return NULL;
	}
	if (*domain != '*')
		return domain;
	if (domain[1] != '.') {
		import_lost(import, &option->at,
			    "a rule is for a domain, not for all names that end in \"%s\"",
			    domain + 1);
		return NULL;
	}
	import_changed(import, &option->at, "it is for %s itself, too", domain + 2);
	return domain + 2;
}

/* Adds "192.0.2.1#5353@eth0" to the rule's targets. */
static void take_server(struct dnsmasq *dnsmasq, const struct option *option, struct node *rule,
			const char *text)
{
	struct import *import = dnsmasq->import;
	char *address = import_printf(import, "%s", text), *mark = strchr(address, '@');
	long port = 0;

	if (mark) {
		*mark = '\0';
		import_changed(
			import, &option->at,
			"it is asked from the system's choice of address; \"%s\" could be the "
			"source of an outbound endpoint",
			mark + 1);
	}
	mark = strchr(address, '#');
	if (mark) {
		*mark = '\0';
		port = words_number(mark + 1);
	}
	if (rule && !forward_target(import, rule, &option->at, address, port, NULL))
		import_lost(import, &option->at, "\"%s\" is no address of a server", text);
}

/* Splits server=/corp/lan/192.0.2.1: returns the domains between slashes; *rest is the text after
 * the last slash. */
static struct fields domains_of(struct dnsmasq *dnsmasq, const struct option *option,
				const char **rest)
{
	struct fields fields = {0};

	*rest = option->value ? option->value : "";
	if (**rest != '/')
		return fields;
	fields = split(dnsmasq->import, *rest + 1, '/');
	*rest = fields.items[--fields.count];
	return fields;
}

/* server=/corp/#: adds the servers that are given without a domain. */
static void take_usual_servers(struct dnsmasq *dnsmasq, const struct option *option,
			       struct node *rule, const char *domain)
{
	bool any = false;

	for (const struct option *usual = dnsmasq->first; usual; usual = usual->next) {
		if (strcmp(usual->at.path, "server") != 0 || !usual->value || *usual->value == '/')
			continue;
		take_server(dnsmasq, option, rule, usual->value);
		any = true;
	}
	if (!any)
		import_lost(dnsmasq->import, &option->at,
			    "a rule names its targets; give those that %s is to have", domain);
}

static void take_domain(struct dnsmasq *dnsmasq, const struct option *option, const char *domain,
			const char *rest)
{
	struct node *rule;

	if (!domain)
		return;
	if (strcmp(domain, ".") == 0 && dnsmasq->for_all) {
		import_lost(dnsmasq->import, &option->at, "all names have an address already");
		return;
	}
	if (*rest == '\0') {
		forward_zone(dnsmasq->import, dnsmasq->view, &option->at, domain);
		return;
	}
	rule = forward_rule(dnsmasq->import, dnsmasq->view, &option->at, domain, false);
	if (strcmp(rest, "#") == 0)
		take_usual_servers(dnsmasq, option, rule, domain);
	else
		take_server(dnsmasq, option, rule, rest);
}

static void on_server(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct import *import = dnsmasq->import;
	const char *rest;
	struct fields domains = domains_of(dnsmasq, option, &rest);

	if (!option->value || (*option->value != '/' && *rest == '\0'))
		import_lost(import, &option->at, "it has no server");
	else if (*option->value != '/')
		take_server(dnsmasq, option, forward_default(import, &option->at), rest);
	for (size_t i = 0; i < domains.count; i++)
		take_domain(dnsmasq, option, domain_of(dnsmasq, option, domains.items[i]), rest);
}

/* The reverse zones of a prefix: one for a prefix of whole octets (IPv6: hex digits), else one for
 * each value of its last, partial octet. */
static struct fields reverse_zones(struct import *import, const struct prefix *prefix)
{
	unsigned step = prefix->address.family == 4 ? 8 : 4;
	unsigned bits = (prefix->length + step - 1) / step * step;
	size_t count = (size_t)1 << (bits - prefix->length);
	struct prefix part = {prefix->address, (uint8_t)bits};
	uint8_t *last = &part.address.bytes[(bits - 1) / 8];
	struct fields zones = {0};
	char text[NAME_TEXT_MAX];

	zones.items = import_alloc(import, count * sizeof *zones.items);
	for (; zones.count < count; *last = (uint8_t)(*last + (bits % 8 == 0 ? 1 : 16)))
		zones.items[zones.count++] =
			import_printf(import, "%s", reverse_zone_text(&part, text));
	return zones;
}

/* rev-server=10.1.0.0/16,192.0.2.1 */
static void on_rev_server(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct import *import = dnsmasq->import;
	struct fields fields = split(import, option->value ? option->value : "", ','), zones;
	struct prefix prefix;

	if (fields.count < 2 || prefix_parse_lenient(&prefix, fields.items[0]) != 0 ||
	    prefix.length == 0) {
		import_lost(import, &option->at, "it has no prefix and server");
		return;
	}
	zones = reverse_zones(import, &prefix);
	for (size_t i = 0; i < zones.count; i++)
		take_server(dnsmasq, option,
			    forward_rule(import, dnsmasq->view, &option->at, zones.items[i], false),
			    fields.items[1]);
}

/* domain=wifi.lan,10.2.0.0/24,local: the names of machines in this range, which dnsmasq has from
 * DHCP or, with expand-hosts, a hosts file. With `local`, it forwards neither the domain nor the
 * reverse names of the range. */
static void on_domain(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct import *import = dnsmasq->import;
	struct fields fields = split(import, option->value ? option->value : "", ','), zones;
	bool is_local = fields.count == 3 && strcmp(fields.items[2], "local") == 0;
	struct prefix prefix;

	if (strcmp(fields.items[0], "#") == 0)
		import_lost(import, &option->at,
			    "the domain of /etc/resolv.conf is not taken; name it");
	if (fields.count < 2)
		return;
	if (!is_local || find(dnsmasq, "expand-hosts"))
		import_lost(import, &option->at,
			    find(dnsmasq, "expand-hosts")
				    ? "a name of a hosts file gets the domain without a range, "
				      "whatever its address is"
				    : "it is for names from DHCP, which sluice does not have");
	if (!is_local || prefix_parse_lenient(&prefix, fields.items[1]) != 0 || prefix.length == 0)
		return;
	forward_zone(import, dnsmasq->view, &option->at, fields.items[0]);
	zones = reverse_zones(import, &prefix);
	for (size_t i = 0; i < zones.count; i++)
		forward_zone(import, dnsmasq->view, &option->at, zones.items[i]);
}

/* ---- names ---- */

static const char *type_of(const char *address)
{
	struct address parsed;

	if (address_parse(&parsed, address) != 0)
		return NULL;
	return parsed.family == 4 ? "A" : "AAAA";
}

static void below(struct dnsmasq *dnsmasq, const struct option *option, const char *domain,
		  const char *address)
{
	forward_below(dnsmasq->import, dnsmasq->view, &option->at, domain, type_of(address),
		      dnsmasq->ttl_s, address);
}

static void on_address(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct import *import = dnsmasq->import;
	const char *address;
	struct fields domains = domains_of(dnsmasq, option, &address);

	for (size_t i = 0; i < domains.count; i++) {
		const char *domain = domain_of(dnsmasq, option, domains.items[i]);

		if (!domain)
			continue;
		if (strcmp(domain, ".") == 0) {
			dnsmasq->for_all = option;
		} else if (*address == '\0') {
			forward_zone(import, dnsmasq->view, &option->at, domain);
		} else if (strcmp(address, "#") == 0) {
			below(dnsmasq, option, domain, "0.0.0.0");
			below(dnsmasq, option, domain, "::");
		} else if (type_of(address)) {
			below(dnsmasq, option, domain, address);
		} else {
			import_lost(import, &option->at, "\"%s\" is no address", address);
		}
	}
	if (domains.count == 0)
		import_lost(import, &option->at, "it has no /DOMAIN/");
}

/* host-record=nas.lan,nas,10.1.0.5,2001:db8::5,300 */
static void on_host_record(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct import *import = dnsmasq->import;
	struct fields fields = split(import, option->value ? option->value : "", ',');
	long ttl_s = dnsmasq->ttl_s;
	size_t names = 0;

	while (names < fields.count && !type_of(fields.items[names]))
		names++;
	if (fields.count > names + 1 && words_number(fields.items[fields.count - 1]) >= 0)
		ttl_s = words_number(fields.items[fields.count - 1]);
	for (size_t i = names; i < fields.count; i++)
		for (size_t k = 0; k < names && type_of(fields.items[i]); k++)
			forward_host(import, dnsmasq->view, &option->at, fields.items[k],
				     fields.items[i], ttl_s, true);
	if (names == 0 || names == fields.count)
		import_lost(import, &option->at, "it has no name with an address");
}

static void put(struct dnsmasq *dnsmasq, const struct option *option, const char *owner,
		const char *type, const char *rdata)
{
	forward_record(dnsmasq->import, dnsmasq->view, &option->at, owner, type, dnsmasq->ttl_s,
		       rdata);
}

static const char *absolute(struct dnsmasq *dnsmasq, const char *name)
{
	size_t length = strlen(name);

	return import_printf(dnsmasq->import, "%s%s", name,
			     length > 0 && name[length - 1] == '.' ? "" : ".");
}

static const char *field(const struct fields *fields, size_t i, const char *usual)
{
	return i < fields->count && *fields->items[i] != '\0' ? fields->items[i] : usual;
}

/* cname=alias,alias2,target,ttl */
static void on_cname(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct fields fields = split(dnsmasq->import, option->value ? option->value : "", ',');
	size_t count = fields.count;

	if (count > 2 && words_number(fields.items[count - 1]) >= 0)
		count--;
	if (count < 2)
		import_lost(dnsmasq->import, &option->at, "it has no alias with a target");
	for (size_t i = 0; i + 1 < count; i++)
		put(dnsmasq, option, fields.items[i], "CNAME",
		    absolute(dnsmasq, fields.items[count - 1]));
}

static void on_mx(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct fields fields = split(dnsmasq->import, option->value ? option->value : "", ',');
	const struct option *target = find(dnsmasq, "mx-target");
	const char *host = field(&fields, 1, target && target->value ? target->value : NULL);

	if (!host || *fields.items[0] == '\0')
		import_lost(dnsmasq->import, &option->at, "it has no name with a host");
	else
		put(dnsmasq, option, fields.items[0], "MX",
		    import_printf(dnsmasq->import, "%s %s", field(&fields, 2, "1"),
				  absolute(dnsmasq, host)));
}

/* srv-host=_ldap._tcp.example.com,ldap.example.com,389,1,2: target, port, priority, weight */
static void on_srv(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct fields fields = split(dnsmasq->import, option->value ? option->value : "", ',');
	const char *owner = fields.items[0];

	/* "_ldap._tcp" gets the domain, whether names of hosts do or not. */
	if (dnsmasq->own_domain && !strchr(strchr(owner, '.') ? strchr(owner, '.') + 1 : "", '.'))
		owner = import_printf(dnsmasq->import, "%s.%s", owner, dnsmasq->own_domain);
	put(dnsmasq, option, owner, "SRV",
	    import_printf(dnsmasq->import, "%s %s %s %s", field(&fields, 3, "0"),
			  field(&fields, 4, "0"), field(&fields, 2, "1"),
			  absolute(dnsmasq, field(&fields, 1, ""))));
}

static void put_quoted(struct text_maker *maker, const char *text)
{
	import_put(maker, "\"");
	for (; *text != '\0'; text++)
		import_put(maker, strchr("\\\"", *text) ? "\\%c" : "%c", *text);
	import_put(maker, "\"");
}

static void on_txt(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct fields fields = split(dnsmasq->import, option->value ? option->value : "", ',');
	struct text_maker *maker = import_begin(dnsmasq->import);

	for (size_t i = 1; i < fields.count; i++) {
		import_put(maker, "%s", i > 1 ? " " : "");
		put_quoted(maker, fields.items[i]);
	}
	if (fields.count < 2)
		put_quoted(maker, "");
	put(dnsmasq, option, fields.items[0], "TXT", import_end(maker));
}

static void on_ptr(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct fields fields = split(dnsmasq->import, option->value ? option->value : "", ',');

	if (fields.count < 2)
		import_lost(dnsmasq->import, &option->at, "it has no name with a target");
	else
		put(dnsmasq, option, fields.items[0], "PTR", absolute(dnsmasq, fields.items[1]));
}

static const char *quoted(struct import *import, const char *text)
{
	struct text_maker *maker = import_begin(import);

	put_quoted(maker, text);
	return import_end(maker);
}

/* naptr-record=NAME,ORDER,PREFERENCE,FLAGS,SERVICE,REGEXP[,REPLACEMENT] */
static void on_naptr(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct import *import = dnsmasq->import;
	struct fields fields = split(import, option->value ? option->value : "", ',');
	const char *replacement = field(&fields, 6, "");

	put(dnsmasq, option, fields.items[0], "NAPTR",
	    import_printf(import, "%s %s %s %s %s %s", field(&fields, 1, "0"),
			  field(&fields, 2, "0"), quoted(import, field(&fields, 3, "")),
			  quoted(import, field(&fields, 4, "")),
			  quoted(import, field(&fields, 5, "")),
			  *replacement != '\0' ? absolute(dnsmasq, replacement) : "."));
}

/* caa-record=example.com,0,issue,ca.example */
static void on_caa(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct fields fields = split(dnsmasq->import, option->value ? option->value : "", ',');

	put(dnsmasq, option, fields.items[0], "CAA",
	    import_printf(dnsmasq->import, "%s %s \"%s\"", field(&fields, 1, "0"),
			  field(&fields, 2, "issue"), field(&fields, 3, "")));
}

/* dns-rr=example.com,51,01:23:45 */
static void on_rr(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct fields fields = split(dnsmasq->import, option->value ? option->value : "", ',');
	const char *hex = field(&fields, 2, "");
	char *data = import_alloc(dnsmasq->import, strlen(hex) + 1);
	size_t length = 0;

	for (; *hex != '\0'; hex++)
		if (isxdigit((unsigned char)*hex))
			data[length++] = *hex;
	put(dnsmasq, option, fields.items[0],
	    import_printf(dnsmasq->import, "TYPE%s", field(&fields, 1, "0")),
	    import_printf(dnsmasq->import, "\\# %zu %s", length / 2, data));
}

static void on_hosts(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct import *import = dnsmasq->import;
	const struct hosts_style style = {.ttl_s = dnsmasq->ttl_s, .domain = dnsmasq->domain};
	const char *path = option->value ? option->value : "";
	struct stat status;
	struct folder folder;

	if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
		hosts_read_into(import, dnsmasq->view, &option->at, path, &style);
		return;
	}
	list_folder(import, path, &(struct fields){0}, &option->at, &folder);
	for (size_t i = 0; i < folder.count; i++)
		hosts_read_into(import, dnsmasq->view, &option->at, folder.names[i], &style);
}

/* Takes the servers of the file that resolv-file names, unless no-resolv is set. */
static void on_resolv_file(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct import *import = dnsmasq->import;
	size_t length;
	char *text = NULL, *line, *rest, *word;
	unsigned number = 1;

	if (find(dnsmasq, "no-resolv"))
		return;
	if (option->value)
		text = import_read(import, option->value, &option->at, &length);
	for (; text && (line = strsep(&text, "\n")); number++) {
		struct origin at = import_place(import, option->value, number, "nameserver");

		rest = line + strspn(line, " \t");
		word = strsep(&rest, " \t");
		if (strcmp(word, "nameserver") != 0 || !rest)
			continue;
		if (!forward_target(import, forward_default(import, &at), &at, trim(rest), 0, NULL))
			import_lost(import, &at, "\"%s\" is no address of a server", trim(rest));
	}
}

/* ---- settings ---- */

static bool is_loopback(const char *text)
{
	struct address address;

	return address_parse(&address, text) == 0 && address_is_loopback(&address);
}

static void on_listen(struct dnsmasq *dnsmasq, const struct option *option)
{
	struct fields fields = split(dnsmasq->import, option->value ? option->value : "", ',');

	for (size_t i = 0; i < fields.count; i++) {
		/* The address may belong to the excluded interface, whose addresses are unknown. */
		const struct option *without = find(dnsmasq, "except-interface");

		if (without && !is_loopback(fields.items[i])) {
			dnsmasq->unheard = without;
			continue;
		}
		dnsmasq->listens = true;
		if (!forward_listen(dnsmasq->import, &option->at, fields.items[i], dnsmasq->port))
			import_lost(dnsmasq->import, &option->at, "\"%s\" is no address",
				    fields.items[i]);
	}
}

/* Of all interfaces only loopback has known addresses; dnsmasq listens there in any case. */
static void on_interface(struct dnsmasq *dnsmasq, const struct option *option)
{
	if (!option->value || strcmp(option->value, "lo") != 0)
		dnsmasq->unheard = option;
}

static void on_except_interface(struct dnsmasq *dnsmasq, const struct option *option)
{
	dnsmasq->unheard = option;
}

static void number(struct dnsmasq *dnsmasq, const struct option *option, const char *group,
		   const char *key)
{
	struct import *import = dnsmasq->import;

	if (words_number(option->value) < 0)
		import_lost(import, &option->at, "it has no number");
	else
		import_number(import, import_group(import, import_root(import), group, &option->at),
			      key, &option->at, words_number(option->value));
}

static void on_max_cache_ttl(struct dnsmasq *dnsmasq, const struct option *option)
{
	number(dnsmasq, option, "cache", "ttl_max");
}

static void on_min_cache_ttl(struct dnsmasq *dnsmasq, const struct option *option)
{
	number(dnsmasq, option, "cache", "ttl_min");
}

static void on_packet_max(struct dnsmasq *dnsmasq, const struct option *option)
{
	number(dnsmasq, option, "udp", "payload_max");
}

static void on_stale(struct dnsmasq *dnsmasq, const struct option *option)
{
	if (option->value)
		number(dnsmasq, option, "cache", "stale_max");
}

static void on_nothing(struct dnsmasq *dnsmasq, const struct option *option)
{
	(void)dnsmasq;
	(void)option;
}

static const struct {
	const char *name;
	void (*take)(struct dnsmasq *dnsmasq, const struct option *option);
} handlers[] = {
	{"server", on_server},
	{"local", on_server},
	{"rev-server", on_rev_server},
	{"domain", on_domain},
	{"address", on_address},
	{"host-record", on_host_record},
	{"cname", on_cname},
	{"mx-host", on_mx},
	{"srv-host", on_srv},
	{"txt-record", on_txt},
	{"ptr-record", on_ptr},
	{"naptr-record", on_naptr},
	{"caa-record", on_caa},
	{"dns-rr", on_rr},
	{"addn-hosts", on_hosts},
	{"hostsdir", on_hosts},
	{"resolv-file", on_resolv_file},
	{"listen-address", on_listen},
	{"interface", on_interface},
	{"except-interface", on_except_interface},
	{"max-cache-ttl", on_max_cache_ttl},
	{"min-cache-ttl", on_min_cache_ttl},
	{"edns-packet-max", on_packet_max},
	{"use-stale-cache", on_stale},
	/* Other functions look these options up: */
	{"port", on_nothing},
	{"local-ttl", on_nothing},
	{"expand-hosts", on_nothing},
	{"no-hosts", on_nothing},
	{"no-resolv", on_nothing},
	{"bogus-priv", on_nothing},
	{"local-service", on_nothing},
	{"mx-target", on_nothing},
};

static void take_option(struct dnsmasq *dnsmasq, const struct option *option)
{
	for (size_t i = 0; i < COUNT(handlers); i++)
		if (strcmp(handlers[i].name, option->at.path) == 0) {
			handlers[i].take(dnsmasq, option);
			return;
		}
	words_lost(dnsmasq->import, &option->at, reasons, option->at.path);
}

/* ---- the whole server ---- */

static const char *listen_text(struct dnsmasq *dnsmasq)
{
	struct import *import = dnsmasq->import;
	struct text_maker *maker = import_begin(import);
	long port = dnsmasq->port > 0 ? dnsmasq->port : DNS_PORT;
	bool any = false;

	import_put(maker, "listen = [ ");
	for (const struct option *at = dnsmasq->first; at; at = at->next) {
		if (strcmp(at->at.path, "listen-address") != 0)
			continue;
		struct fields fields = split(import, at->value ? at->value : "", ',');

		for (size_t i = 0; i < fields.count; i++) {
			struct address address;
			char text[HOST_TEXT_MAX];

			if (address_parse(&address, fields.items[i]) != 0)
				continue;
			import_put(maker, "%s\"%s\"", any ? ", " : "",
				   host_print(&(struct host){address, (uint16_t)port}, text));
			any = true;
		}
	}
	if (!any)
		import_put(maker, "\"0.0.0.0:%ld\", \"[::]:%ld\"", port, port);
	import_put(maker, " ];");
	return import_end(maker);
}

/* If no address is named, listens at all addresses; with interface options, whose addresses are
 * unknown, or `only_host`, at loopback only. */
static void take_listen(struct dnsmasq *dnsmasq, const struct origin *at, bool only_host)
{
	static const char *const loopback[] = {"127.0.0.1", "::1"}, *const any[] = {"0.0.0.0",
										    "::"};
	struct import *import = dnsmasq->import;
	const struct option *unheard = dnsmasq->unheard;
	bool closed = unheard || only_host || find(dnsmasq, "interface");

	for (size_t i = 0; !dnsmasq->listens && i < COUNT(any); i++)
		forward_listen(import, at, (closed ? loopback : any)[i], dnsmasq->port);
	if (unheard)
		import_closed(import, &unheard->at,
			      import_group(import, import_root(import), "vnet_resolver", at),
			      listen_text(dnsmasq),
			      "listen has addresses, not interfaces: name those that are meant; "
			      "those of %.255s are not listened at",
			      unheard->value && *unheard->value ? unheard->value : "it");
}

/* Sets the clients: anybody; with local-service, the default ones (loopback and private networks);
 * with local-service=host, the machine itself. */
static void take_clients(struct dnsmasq *dnsmasq, const struct origin *at,
			 const struct option *local, bool only_host)
{
	static const char *const anybody[] = {"0.0.0.0/0", "::/0"}, *const itself[] = {
									    "127.0.0.0/8",
									    "::1/128"};
	struct import *import = dnsmasq->import;

	if (local && !only_host)
		import_changed(import, &local->at,
			       "more open: the networks that this machine is in are loopback and "
			       "all private networks; client_prefixes can name fewer");
	for (size_t i = 0; (!local || only_host) && i < COUNT(anybody); i++)
		forward_allow(import, dnsmasq->view, at, (only_host ? itself : anybody)[i]);
}

/* The first server that is given without a domain; NULL: none. */
static const struct option *usual_server(const struct dnsmasq *dnsmasq)
{
	for (const struct option *option = dnsmasq->first; option; option = option->next)
		if (strcmp(option->at.path, "server") == 0 && option->value &&
		    *option->value != '/')
			return option;
	return NULL;
}

static void take_default(struct dnsmasq *dnsmasq, const struct origin *at)
{
	struct import *import = dnsmasq->import;
	const struct option *server = usual_server(dnsmasq), *file = find(dnsmasq, "resolv-file");

	if (dnsmasq->for_all) {
		forward_no_default(import, dnsmasq->view, &dnsmasq->for_all->at);
		import_closed(import, &dnsmasq->for_all->at, forward_network(dnsmasq->view),
			      "uses_default_resolver = true;",
			      "no zone can have all names: what nothing else decides is refused, "
			      "and not forwarded");
	} else if (find(dnsmasq, "no-resolv") && !server) {
		forward_no_default(import, dnsmasq->view, at);
		import_changed(import, at,
			       "what no rule and no zone decides is not forwarded, as "
			       "no server is named for it");
	} else if (find(dnsmasq, "no-resolv") || file) {
		forward_lost_default(import, dnsmasq->view, forward_default(import, at),
				     server ? &server->at : &file->at);
	}
}

static void take_whole(struct dnsmasq *dnsmasq, const struct origin *at)
{
	static const char *const where[] = {"interface", "except-interface", "listen-address",
					    "auth-server"};
	struct import *import = dnsmasq->import;
	const struct option *local = find(dnsmasq, "local-service");
	bool only_host;

	for (size_t i = 0; local && i < COUNT(where); i++)
		if (find(dnsmasq, where[i])) {
			import_changed(import, &local->at,
				       "with %s it says nothing there: "
				       "anybody may ask",
				       where[i]);
			local = NULL;
		}
	only_host = local && local->value && strcmp(local->value, "host") == 0;
	if (!find(dnsmasq, "no-hosts") && forward_takes_hosts(import)) {
		struct option hosts = {.at = *at, .value = "/etc/hosts"};

		import_changed(
			import, at,
			"the names of this machine's /etc/hosts are taken, too, as dnsmasq does; "
			"--no-hosts leaves them out");
		on_hosts(dnsmasq, &hosts);
	}
	take_listen(dnsmasq, at, only_host);
	take_clients(dnsmasq, at, local, only_host);
	take_default(dnsmasq, at);
	if (!find(dnsmasq, "bogus-priv"))
		import_text(import, forward_default(import, at), "special_names", at, "forward");
	if (!find(dnsmasq, "no-resolv") && !find(dnsmasq, "resolv-file") &&
	    import_count(forward_default(import, at), "targets") > 0)
		import_lost(import, at,
			    "the servers of resolv.conf, which are asked beside those of server=");
}

/* The last domain that is not for a range of addresses; NULL: there is none. */
static const char *own_domain(const struct dnsmasq *dnsmasq)
{
	const char *domain = NULL;

	for (const struct option *option = dnsmasq->first; option; option = option->next) {
		struct fields fields = {0};

		if (strcmp(option->at.path, "domain") == 0 && option->value)
			fields = split(dnsmasq->import, option->value, ',');
		if (fields.count == 1 && strcmp(fields.items[0], "#") != 0)
			domain = fields.items[0];
	}
	return domain;
}

static void take_all(struct dnsmasq *dnsmasq)
{
	struct import *import = dnsmasq->import;
	const struct option *option;

	dnsmasq->view = forward_main_view(import, &dnsmasq->whole);
	option = find(dnsmasq, "port");
	if (option && words_number(option->value) == 0)
		import_fault(import, &option->at,
			     "it answers no questions (port 0), so there is nothing to import");
	dnsmasq->port = option && words_number(option->value) > 0 ? words_number(option->value) : 0;
	option = find(dnsmasq, "local-ttl");
	dnsmasq->ttl_s =
		option && words_number(option->value) >= 0 ? words_number(option->value) : 0;
	dnsmasq->own_domain = own_domain(dnsmasq);
	if (find(dnsmasq, "expand-hosts"))
		dnsmasq->domain = dnsmasq->own_domain;
	for (option = dnsmasq->first; option; option = option->next)
		if (strcmp(option->at.path, "address") == 0)
			take_option(dnsmasq, option);
	for (option = dnsmasq->first; option; option = option->next)
		if (strcmp(option->at.path, "address") != 0)
			take_option(dnsmasq, option);
	take_whole(dnsmasq, &dnsmasq->whole);
}

static struct dnsmasq *dnsmasq_of(struct import *import, const char *path)
{
	struct dnsmasq *dnsmasq = import_find(import, "dnsmasq");

	if (dnsmasq)
		return dnsmasq;
	dnsmasq = import_alloc(import, sizeof *dnsmasq);
	dnsmasq->import = import;
	dnsmasq->whole = import_place(import, path, 0, NULL);
	dnsmasq->last = &dnsmasq->first;
	import_keep(import, "dnsmasq", dnsmasq);
	return dnsmasq;
}

void dnsmasq_read(struct import *import, const char *path)
{
	read_file(dnsmasq_of(import, path), path, NULL, 0);
}

void dnsmasq_take(struct import *import, const char *path, const struct dnsmasq_line *lines)
{
	struct dnsmasq *dnsmasq = dnsmasq_of(import, path);

	for (; lines; lines = lines->next)
		take_line(dnsmasq, path, lines->number, import_printf(import, "%s", lines->text),
			  0);
}

void dnsmasq_finish(struct import *import)
{
	struct dnsmasq *dnsmasq = import_find(import, "dnsmasq");

	if (dnsmasq)
		take_all(dnsmasq);
	forward_finish(import);
}
