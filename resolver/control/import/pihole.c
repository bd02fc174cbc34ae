/* Pi-hole is dnsmasq with files of its own, which Pi-hole translates into dnsmasq's options, as
 * the code here does:
 *
 *     pihole.toml (version 6)        a TOML file, of which [dns] is taken: upstreams, hosts,
 *                                    cnameRecords, revServers, and who may ask; and dnsmasq_lines
 *                                    of [misc]. The table `others` has settings that are lost
 *     custom.list                    a hosts file
 *     05-pihole-custom-cname.conf    dnsmasq's cname=
 *     01-pihole.conf and others      dnsmasq.conf
 *
 * The form of a file is recognised by its content, not by its name. All files belong to one server,
 * and only pihole.toml or a dnsmasq.conf says who may ask it. Block lists, groups and clients are
 * in a database, which is not read. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "rules/base.h"
#include "rules/prefix.h"

static const char blanks[] = " \t\r\v\f";

struct pihole { /* kept by the import */
	struct import *import;
	const char *path;                   /* the file that is being read */
	struct dnsmasq_line *first, **last; /* that file as lines of dnsmasq.conf */
	const char *interface;
	bool single, all;      /* single: answers at one interface; all: answers everybody */
	struct origin mode_at; /* the place of the mode, or else the first file */
	bool bogus_priv;
	bool has_toml, has_dnsmasq; /* a file is FORM_TOML, or FORM_DNSMASQ */
};

static void add_line(struct pihole *pihole, unsigned number, const char *text)
{
	struct dnsmasq_line *line = import_alloc(pihole->import, sizeof *line);

	*line = (struct dnsmasq_line){.number = number, .text = text};
	*pihole->last = line;
	pihole->last = &line->next;
}

/* ---- settings that are carried over ---- */

static void on_upstream(struct pihole *pihole, const struct origin *at, const char *value)
{
	add_line(pihole, at->line, import_printf(pihole->import, "server=%s", value));
}

/* "192.0.2.1 name alias": the address gets a PTR to the first name. */
static void on_host(struct pihole *pihole, const struct origin *at, const char *value)
{
	char *text = import_printf(pihole->import, "%s", value), *word, *rest = NULL;
	const char *address = strtok_r(text, blanks, &rest);
	struct text_maker *maker = import_begin(pihole->import);
	bool any = false;

	import_put(maker, "host-record=");
	while (address && (word = strtok_r(NULL, blanks, &rest))) {
		import_put(maker, "%s,", word);
		any = true;
	}
	import_put(maker, "%s", address ? address : "");
	text = import_end(maker);
	if (any)
		add_line(pihole, at->line, text);
	else
		import_lost(pihole->import, at, "\"%s\" is no address with its names", value);
}

static void on_cname(struct pihole *pihole, const struct origin *at, const char *value)
{
	add_line(pihole, at->line, import_printf(pihole->import, "cname=%s", value));
}

/* Reads "true,10.10.0.0/16,10.10.5.1,lan": on or off, the prefix, the server and the domain. */
static void on_rev_server(struct pihole *pihole, const struct origin *at, const char *value)
{
	char *text = import_printf(pihole->import, "%s", value), *fields[4];

	for (size_t i = 0; i < COUNT(fields); i++) {
		fields[i] = strsep(&text, ",");
		fields[i] = fields[i] ? fields[i] : "";
		fields[i] += strspn(fields[i], blanks);
	}
	if (strcasecmp(fields[0], "true") != 0) {
		import_lost(pihole->import, at, "it is turned off");
		return;
	}
	add_line(pihole, at->line,
		 import_printf(pihole->import, "rev-server=%s,%s", fields[1], fields[2]));
	if (*fields[3] != '\0')
		add_line(pihole, at->line,
			 import_printf(pihole->import, "server=/%s/%s", fields[3], fields[2]));
}

static void on_port(struct pihole *pihole, const struct origin *at, const char *value)
{
	add_line(pihole, at->line, import_printf(pihole->import, "port=%s", value));
}

static void on_interface(struct pihole *pihole, const struct origin *at, const char *value)
{
	(void)at;
	pihole->interface = value;
}

static void on_mode(struct pihole *pihole, const struct origin *at, const char *value)
{
	pihole->mode_at = *at;
	pihole->all = strcasecmp(value, "ALL") == 0;
	pihole->single = strcasecmp(value, "SINGLE") == 0 || strcasecmp(value, "BIND") == 0;
}

static void on_bogus_priv(struct pihole *pihole, const struct origin *at, const char *value)
{
	(void)at;
	pihole->bogus_priv = strcasecmp(value, "false") != 0;
}

static void on_expand(struct pihole *pihole, const struct origin *at, const char *value)
{
	if (strcasecmp(value, "true") == 0)
		import_lost(pihole->import, at,
			    "hosts keep the names that they have; write the domain behind those "
			    "that are short");
}

static void on_dnssec(struct pihole *pihole, const struct origin *at, const char *value)
{
	if (strcasecmp(value, "true") == 0)
		import_lost(pihole->import, at,
			    "sluice does not validate; DO and CD are passed through");
}

static void on_host_record(struct pihole *pihole, const struct origin *at, const char *value)
{
	if (*value != '\0')
		add_line(pihole, at->line, import_printf(pihole->import, "host-record=%s", value));
}

/* A line of dnsmasq.conf. */
static void on_dnsmasq_line(struct pihole *pihole, const struct origin *at, const char *value)
{
	value += strspn(value, blanks);
	if (*value != '\0' && *value != '#')
		add_line(pihole, at->line, value);
}

static const struct {
	const char *section, *key;
	void (*take)(struct pihole *pihole, const struct origin *at, const char *value);
} settings[] = {
	{"dns", "upstreams", on_upstream},     {"dns", "hosts", on_host},
	{"dns", "cnameRecords", on_cname},     {"dns", "revServers", on_rev_server},
	{"dns", "hostRecord", on_host_record}, {"dns", "port", on_port},
	{"dns", "interface", on_interface},    {"dns", "listeningMode", on_mode},
	{"dns", "bogusPriv", on_bogus_priv},   {"dns", "expandHosts", on_expand},
	{"dns", "dnssec", on_dnssec},          {"misc", "dnsmasq_lines", on_dnsmasq_line},
};

/* ---- settings without a counterpart ---- */

#define NO_BLOCKING NULL /* pihole_read reports that nothing is blocked */
#define OWN_NAMES   "a private zone with nothing but its SOA gives NXDOMAIN for its name"
#define OWN_REPLY   "a record of pi.hole has the addresses that are written down"

/* Pi-hole writes all its settings down, so those with their usual value are passed over. So are
 * those with a `why` of NULL, which have no effect on answers or are about blocking. */
static const struct {
	const char *section, *key; /* key NULL: all of the section */
	const char *usual;
	const char *why;
} others[] = {
	{"dns", "domainNeeded", "false",
	 "names without a dot are asked for like others; a private zone of such a name keeps it "
	 "inside"},
	{"dns", "domain", NULL,
	 "names below it are asked for like others; a private zone of that name keeps them inside"},
	{"dns.domain", "name", NULL,
	 "names below it are asked for like others; a private zone of that name keeps them inside"},
	{"dns.domain", NULL, NULL, NULL},
	{"dns", "CNAMEdeepInspect", NULL, NO_BLOCKING},
	{"dns", "blockESNI", NULL, NO_BLOCKING},
	{"dns", "blockTTL", NULL, NO_BLOCKING},
	{"dns", "replyWhenBusy", NULL, NO_BLOCKING},
	{"dns", "EDNS0ECS", NULL, NULL},
	{"dns", "ignoreLocalhost", NULL, NULL},
	{"dns", "showDNSSEC", NULL, NULL},
	{"dns", "analyzeOnlyAandAAAA", NULL, NULL},
	{"dns", "queryLogging", NULL, NULL},
	{"dns", "piholePTR", "PI.HOLE", OWN_REPLY},
	{"dns", "localise", "true", "records come in the order that they have"},
	{"dns.cache", "size", "10000", "cache.size_bytes is in bytes, 64 MiB unless it is said"},
	{"dns.cache", "optimizer", "3600",
	 "cache.stale_max says how long answers are given behind their TTL"},
	{"dns.cache", NULL, NULL, NULL},
	{"dns.blocking", NULL, NULL, NO_BLOCKING},
	{"dns.reply.blocking", NULL, NULL, NO_BLOCKING},
	{"dns.reply.host", "force4", "false", OWN_REPLY},
	{"dns.reply.host", "force6", "false", OWN_REPLY},
	{"dns.reply.host", NULL, NULL, NULL},
	{"dns.specialDomains", NULL, "false", OWN_NAMES},
	{"dns.rateLimit", "count", "1000",
	 "response_limit in sluice.conf(5) limits answers to one prefix"},
	{"dns.rateLimit", "interval", "60",
	 "response_limit in sluice.conf(5) limits answers to one prefix"},
	{"dhcp", "active", "false",
	 "sluice has no DHCP; a DHCP server can register names (registration in sluice.conf(5))"},
	{"misc", "etc_dnsmasq_d", "false",
	 "the files of /etc/dnsmasq.d count as well; give them to this import, too"},
};

static void tell_other(struct pihole *pihole, const struct origin *at, const char *section,
		       const char *value)
{
	for (size_t i = 0; i < COUNT(others); i++) {
		if (strcmp(others[i].section, section) != 0 ||
		    (others[i].key && strcmp(others[i].key, at->path) != 0))
			continue;
		if (others[i].why && *value != '\0' &&
		    (!others[i].usual || strcasecmp(others[i].usual, value) != 0))
			import_lost(pihole->import, at, "%s", others[i].why);
		return;
	}
	/* Other sections are about the web interface, the database and the process. */
	if (strcmp(section, "dns") == 0 || strncmp(section, "dns.", 4) == 0)
		import_lost(pihole->import, at, "sluice has nothing that corresponds to it");
}

static void take(struct pihole *pihole, const char *section, const char *key, const char *value,
		 unsigned line)
{
	struct origin at = import_place(pihole->import, pihole->path, line, key);

	for (size_t i = 0; i < COUNT(settings); i++)
		if (strcmp(settings[i].section, section) == 0 &&
		    strcmp(settings[i].key, key) == 0) {
			settings[i].take(pihole, &at, value);
			return;
		}
	tell_other(pihole, &at, section, value);
}

/* ---- TOML, as Pi-hole writes it ---- */

struct toml {
	char *at;
	unsigned line;
};

/* Skips blanks, line ends, comments, and the commas of an array. */
static void skip(struct toml *toml)
{
	for (;; toml->at++) {
		if (*toml->at == '#')
			toml->at += strcspn(toml->at, "\n");
		if (*toml->at == '\n')
			toml->line++;
		else if (*toml->at == '\0' || !strchr(" \t\r\v\f,", *toml->at))
			return;
	}
}

/* The text up to one of the characters in `ends`, without trailing blanks. */
static const char *word_of(struct import *import, struct toml *toml, const char *ends)
{
	size_t length = strcspn(toml->at, ends), kept = length;
	const char *word;

	while (kept > 0 && isspace((unsigned char)toml->at[kept - 1]))
		kept--;
	word = import_printf(import, "%.*s", (int)kept, toml->at);
	toml->at += length;
	return word;
}

static void fail(const struct pihole *pihole, unsigned line, const char *text)
{
	struct origin at = import_place(pihole->import, pihole->path, line, NULL);

	import_fault(pihole->import, &at, "%s", text);
}

static const char *string_of(const struct pihole *pihole, struct toml *toml)
{
	char mark = *toml->at++, *text, *to;
	const char *end = toml->at;

	while (*end != '\0' && *end != mark && *end != '\n')
		end += *end == '\\' && mark == '"' && end[1] != '\0' ? 2 : 1;
	if (*end != mark)
		fail(pihole, toml->line, "a text has no quote at its end");
	text = to = import_printf(pihole->import, "%.*s", (int)(end - toml->at), toml->at);
	for (const char *from = text; *from != '\0'; from++) {
		if (*from == '\\' && mark == '"' && from[1] != '\0')
			from++;
		*to++ = *from;
	}
	*to = '\0';
	toml->at = (char *)(uintptr_t)end + (*end == mark);
	return text;
}

/* Reads a value, or each value of an array. */
static void read_value(struct pihole *pihole, struct toml *toml, const char *section,
		       const char *key)
{
	bool array = *toml->at == '[';
	unsigned first = toml->line;

	toml->at += array;
	do {
		if (array)
			skip(toml);
		if (array && *toml->at == '\0')
			fail(pihole, first, "an array has no bracket at its end");
		if (*toml->at == '\0' || (array && *toml->at == ']'))
			break;
		unsigned line = toml->line;
		const char *value =
			*toml->at == '"' || *toml->at == '\''
				? string_of(pihole, toml)
				: word_of(pihole->import, toml, array ? ",]#\n" : "#\n");

		take(pihole, section, key, value, line);
	} while (array);
	toml->at += strcspn(toml->at, "\n"); /* a comment with the default value */
}

static void read_toml(struct pihole *pihole, char *text)
{
	struct toml toml = {text, 1};
	const char *section = "", *key;

	for (skip(&toml); *toml.at != '\0'; skip(&toml)) {
		if (*toml.at == '[') {
			toml.at++;
			section = word_of(pihole->import, &toml, "]\n");
			toml.at += strcspn(toml.at, "\n");
			continue;
		}
		key = word_of(pihole->import, &toml, "=\n");
		if (*toml.at != '=')
			continue;
		toml.at++;
		toml.at += strspn(toml.at, blanks);
		read_value(pihole, &toml, section, key);
	}
}

/* ---- files ---- */

enum pihole_form { FORM_TOML, FORM_HOSTS, FORM_CNAMES, FORM_DNSMASQ };

/* The first line that begins with [ or an address decides the form. If no line does, the form is
 * FORM_CNAMES if every line is cname=, and FORM_DNSMASQ if not. */
static enum pihole_form form_of(struct import *import, const char *text)
{
	enum pihole_form form = FORM_CNAMES;

	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n")) {
		char *word;
		struct address address;

		line += strspn(line, " \t\r\v\f\n");
		if (*line == '#' || *line == '\0')
			continue;
		word = import_printf(import, "%.*s", (int)strcspn(line, " \t\r\v\f\n"), line);
		if (*line == '[')
			return FORM_TOML;
		if (address_parse(&address, word) == 0)
			return FORM_HOSTS;
		if (strncmp(word, "cname=", strlen("cname=")) != 0)
			form = FORM_DNSMASQ;
	}
	return form;
}

/* Takes the lines of a hosts file, or of dnsmasq.conf. */
static void read_lines(struct pihole *pihole, char *text, bool hosts)
{
	const char *line;
	char *next;

	for (unsigned number = 1; (next = strsep(&text, "\n")); number++) {
		struct origin at = import_place(pihole->import, pihole->path, number, NULL);

		next += strspn(next, blanks);
		line = word_of(pihole->import, &(struct toml){next, number}, "#");
		if (*line != '\0' && hosts)
			on_host(pihole, &at, line);
		else if (*next != '#' && *line != '\0')
			add_line(pihole, number, next);
	}
}

static struct pihole *pihole_of(struct import *import, const char *path)
{
	struct pihole *pihole = import_find(import, "pihole");

	if (pihole)
		return pihole;
	pihole = import_alloc(import, sizeof *pihole);
	pihole->import = import;
	pihole->mode_at = import_place(import, path, 0, NULL);
	pihole->bogus_priv = true;
	import_keep(import, "pihole", pihole);
	return pihole;
}

void pihole_read(struct import *import, const char *path)
{
	struct pihole *pihole = pihole_of(import, path);
	struct origin at = import_place(import, path, 0, NULL);
	size_t length;
	char *text = import_read(import, path, &at, &length);
	enum pihole_form form = text ? form_of(import, text) : FORM_DNSMASQ;

	if (!text)
		return;
	pihole->path = path;
	pihole->first = NULL;
	pihole->last = &pihole->first;
	pihole->has_toml |= form == FORM_TOML;
	pihole->has_dnsmasq |= form == FORM_DNSMASQ;
	if (form == FORM_DNSMASQ && strcmp(path, "-") != 0) {
		dnsmasq_read(import, path); /* keeps its comments */
		return;
	}
	if (form == FORM_TOML) {
		read_toml(pihole, text);
		add_line(pihole, 0, "no-resolv");
		import_lost(import, &at,
			    "its block lists, groups and clients, which are in gravity.db: sluice "
			    "blocks no names");
	} else {
		read_lines(pihole, text, form == FORM_HOSTS);
	}
	dnsmasq_take(import, path, pihole->first);
}

/* ---- the whole server ---- */

/* Adds what Pi-hole itself tells dnsmasq. Only the mode ALL answers everybody; any other mode must
 * not become an open resolver. */
static void close_lines(struct pihole *pihole)
{
	unsigned line = pihole->mode_at.line;

	pihole->first = NULL;
	pihole->last = &pihole->first;
	if (pihole->single)
		add_line(pihole, line,
			 import_printf(pihole->import, "interface=%s",
				       pihole->interface ? pihole->interface : ""));
	else if (!pihole->all)
		add_line(pihole, line, "local-service");
	add_line(pihole, 0, "no-hosts");
	if (pihole->bogus_priv)
		add_line(pihole, 0, "bogus-priv");
	dnsmasq_take(pihole->import, pihole->mode_at.file, pihole->first);
}

void pihole_finish(struct import *import)
{
	struct pihole *pihole = import_find(import, "pihole");

	if (pihole && (pihole->has_toml || !pihole->has_dnsmasq))
		close_lines(pihole);
	dnsmasq_finish(import);
}
