/* A Corefile: server blocks, each with zones (and ports) and plugins; a plugin is a line with
 * arguments and perhaps a block. `import` inserts snippets and other files.
 *
 * Servers get questions by the longest suffix, like rules and zones here. The address and port of a
 * question do not matter here, so all servers become one, for the clients that all of them allow,
 * at the addresses where all of them listen. */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/import/acl.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "resolver/control/import/words.h"
#include "rules/base.h"
#include "rules/text.h"

enum { DEPTH_MAX = 10, BRACES_MAX = 100, PLACES_MAX = 32, USUAL_TTL_S = 3600 };

struct corefile_line {    /* a plugin, or a line of its block */
	struct origin at; /* at.path is the first word */
	const char **words;
	size_t count, room; /* of words */
	bool has_block;
	struct corefile_line *first, **last, *next; /* first, last: of the block */
};

struct listen_places { /* addresses where a server listens */
	struct host hosts[PLACES_MAX];
	struct origin at[PLACES_MAX];
	size_t count;
};

struct corefile_server {
	struct corefile_line head; /* words are the zones, the block is the plugins */
	const char *root;          /* folder of files; NULL: none */
	struct acl acl;            /* from its plugins, in order */
	bool skipped;              /* nothing of it is carried over */
	struct listen_places listen;
	struct corefile_server *next;
};

struct coredns { /* kept by the import: all files belong to one CoreDNS */
	struct import *import;
	struct origin whole; /* the first file */
	struct corefile_server *first, **last;
	struct forward_view *view;
	struct origin at;                 /* the place of `view` */
	const struct corefile_line *root; /* forwards "."; NULL: none does */
	bool has_root_file;               /* "." has the servers of a file such as resolv.conf */
	const struct corefile_line *encrypted_root; /* forwards "." over TLS; NULL: none does */
};

/* ---- reading ---- */

struct corefile_parser {
	struct coredns *coredns;
	const struct words *words;
	const struct word *at;
	unsigned depth, braces; /* depth: of included files; braces: open in this file */
};

static void fault(struct corefile_parser *parser, const char *what)
{
	struct origin at =
		import_place(parser->coredns->import, parser->words->file, parser->at->line, NULL);

	import_fault(parser->coredns->import, &at, "%s", what);
	parser->at = &parser->words->items[parser->words->count];
}

static void read_lines(struct corefile_parser *parser, struct corefile_line *in);

static void add_word(struct import *import, struct corefile_line *line, const char *word)
{
	if (line->count == line->room) {
		const char **more;

		line->room = line->room == 0 ? 4 : 2 * line->room;
		more = import_alloc(import, line->room * sizeof *more);
		if (line->count > 0)
			memcpy(more, line->words, line->count * sizeof *more);
		line->words = more;
	}
	line->words[line->count++] = word;
}

/* Reads words up to the end of the line, and a block if there is one. */
static struct corefile_line *read_line(struct corefile_parser *parser, bool is_head)
{
	struct import *import = parser->coredns->import;
	struct corefile_line *line = import_alloc(import, sizeof *line);

	line->last = &line->first;
	line->at = import_place(import, parser->words->file, parser->at->line, parser->at->text);
	for (; parser->at->text; parser->at++) {
		if (parser->at->mark == '\n') {
			/* Behind a comma, the list of zones goes on in the next line. */
			size_t length = line->count ? strlen(line->words[line->count - 1]) : 0;

			if (is_head && length > 0 &&
			    line->words[line->count - 1][length - 1] == ',')
				continue;
			return line;
		}
		if (parser->at->mark == '}')
			return line;
		if (parser->at->mark == '{') {
			if (parser->braces == BRACES_MAX) {
				fault(parser, "blocks stand in more than 100 others");
				return line;
			}
			parser->at++;
			line->has_block = true;
			parser->braces++;
			read_lines(parser, line);
			parser->braces--;
			if (parser->at->mark == '}')
				parser->at++;
			else
				fault(parser, "a block is not closed; a '}' is missing");
			return line;
		}
		add_word(import, line, parser->at->text);
	}
	return line;
}

/* Inserts the lines of a snippet or of a file. False: too many imports are nested. */
static bool put_in(struct corefile_parser *parser, struct corefile_line *in,
		   const struct corefile_line *import_line)
{
	struct coredns *coredns = parser->coredns;
	const char *name = import_line->count > 1 ? import_line->words[1] : "";
	char *key = import_printf(coredns->import, "snippet (%s)", name);
	const struct corefile_line *snippet = import_find(coredns->import, key);
	char **files;

	if (parser->depth >= DEPTH_MAX)
		return false;
	if (snippet) {
		for (const struct corefile_line *at = snippet->first; at; at = at->next) {
			struct corefile_line *copy = import_alloc(coredns->import, sizeof *copy);

			*copy = *at;
			copy->next = NULL;
			*in->last = copy;
			in->last = &copy->next;
		}
		return true;
	}
	for (files = words_files(coredns->import, parser->words->file, name, &import_line->at);
	     *files; files++) {
		static const struct words_syntax syntax = {
			.quotes = "\"", .marks = "{}", .marks_alone = true, .has_lines = true};
		struct words words;
		struct corefile_parser inner = {coredns, &words, NULL, parser->depth + 1, 0};

		if (!words_read(coredns->import, *files, &import_line->at, &syntax, &words))
			return true;
		inner.at = words.items;
		read_lines(&inner, in);
	}
	return true;
}

static void read_lines(struct corefile_parser *parser, struct corefile_line *in)
{
	while (parser->at->text && parser->at->mark != '}') {
		struct corefile_line *line;

		if (parser->at->mark == '\n') {
			parser->at++;
			continue;
		}
		line = read_line(parser, false);
		if (line->count == 0) {
			fault(parser, "a block has no name; a word is expected ahead of it");
			return;
		}
		if (strcmp(line->words[0], "import") == 0) {
			if (!put_in(parser, in, line))
				import_lost(parser->coredns->import, &line->at,
					    "it is imported too deep");
			continue;
		}
		*in->last = line;
		in->last = &line->next;
	}
}

static void read_servers(struct coredns *coredns, const char *path, const struct origin *at,
			 unsigned depth)
{
	static const struct words_syntax syntax = {
		.quotes = "\"", .marks = "{}", .marks_alone = true, .has_lines = true};
	struct words words;
	struct corefile_parser parser = {coredns, &words, NULL, depth, 0};

	if (depth >= DEPTH_MAX) {
		import_fault(coredns->import, at, "files are imported through more than %d others",
			     DEPTH_MAX);
		return;
	}
	if (!words_read(coredns->import, path, at, &syntax, &words))
		return;
	for (parser.at = words.items; parser.at->text;) {
		struct corefile_line *head;
		struct corefile_server *server;

		if (parser.at->mark == '\n') {
			parser.at++;
			continue;
		}
		if (parser.at->mark) {
			fault(&parser,
			      "a zone is expected here, such as \".\" or \"example.org:53\"");
			return;
		}
		head = read_line(&parser, true);
		if (head->count == 1 && *head->words[0] == '(') {
			import_keep(coredns->import,
				    import_printf(coredns->import, "snippet %s", head->words[0]),
				    head);
		} else if (head->count > 1 && strcmp(head->words[0], "import") == 0) {
			char **files =
				words_files(coredns->import, path, head->words[1], &head->at);

			for (; *files; files++)
				read_servers(coredns, *files, &head->at, depth + 1);
		} else {
			/* A single server needs no braces: the rest of the file is its block. */
			if (!head->has_block)
				read_lines(&parser, head);
			server = import_alloc(coredns->import, sizeof *server);
			server->head = *head;
			*coredns->last = server;
			coredns->last = &server->next;
		}
	}
}

/* ---- plugins without a counterpart ---- */

#define NO_SERVICE "sluice status shows how it fares"
#define PROBES     "/healthz and /readyz of management.listen say so (sluice-api(7))"
#define NO_TLS     "clients and targets are asked without TLS"
#define UNCHANGED  "questions and answers are passed on as they are"
#define BACKEND    "zones are not read from elsewhere; the API and sluice record set change them"

static const struct reason reasons[] = {
	{"log", "query_log in sluice.conf(5) is the log of queries"},
	{"errors", "sluice logs events (log in sluice.conf(5))"},
	{"health", PROBES},
	{"ready", PROBES},
	{"prometheus", "metrics in sluice.conf(5) has a listener of its own"},
	{"trace", NO_SERVICE},
	{"pprof", NO_SERVICE},
	{"debug", NO_SERVICE},
	{"dnstap", "query_log.dnstap_socket in sluice.conf(5) is where it goes"},
	{"reload", "systemctl reload sluice reads its file again"},
	{"loop", "sluice check and sluice status tell of rules that lead back to sluice"},
	{"loadbalance", "records come in the order that they have"},
	{"any", "ANY is answered with one record set (RFC 8482)"},
	{"cancel", "how long a question may take is built in"},
	{"timeouts", "tcp in sluice.conf(5) has its limits"},
	{"minimal", "answers are minimal"},
	{"local", "localhost is answered by itself"},
	{"whoami", "there is no such answer"},
	{"rewrite", UNCHANGED},
	{"template", UNCHANGED},
	{"header", UNCHANGED},
	{"dns64", UNCHANGED},
	{"erratic", UNCHANGED},
	{"tls", NO_TLS},
	{"grpc", NO_TLS},
	{"dnssec", "zones are not signed; DO and CD are passed through"},
	{"sign", "zones are not signed; DO and CD are passed through"},
	{"kubernetes", BACKEND},
	{"k8s_external", BACKEND},
	{"etcd", BACKEND},
	{"route53", BACKEND},
	{"clouddns", BACKEND},
	{"nomad", BACKEND},
	{"azure", "sluice import arm takes what az prints of the zones"},
	{"view", "views are told by their clients' prefixes, as virtual networks"},
	{"autopath", "names are looked up as they are asked"},
	{"tsig", "transfers.key names the key of those who copy a zone"},
	{"except", "a rule holds for all below its domain; make a longer one for these names"},
	{NULL, NULL},
};

/* ---- zones of servers ---- */

/* Splits "dns://example.org:1053" into example.org and 1053; false: TLS or another transport. */
static bool split_zone(struct import *import, const char *text, const char **zone, long *port)
{
	const char *scheme = strstr(text, "://"), *colon;
	size_t length;

	if (scheme && strncmp(text, "dns://", 6) != 0)
		return false;
	text = scheme ? scheme + 3 : text;
	length = strlen(text);
	length -= length > 0 && text[length - 1] == ',';
	*zone = import_printf(import, "%.*s", (int)length, text);
	colon = strrchr(*zone, ':');
	*port = colon ? words_number(colon + 1) : 0;
	if (colon && *port >= 0)
		*zone = import_printf(import, "%.*s", (int)(colon - *zone), *zone);
	else
		*port = 0;
	return true;
}

/* The name of a zone; "10.0.0.0/24" means its reverse zone. NULL: a prefix that is not of whole
 * IPv4 octets. */
static const char *zone_name(struct import *import, const char *text)
{
	struct prefix prefix;
	const char *name = "in-addr.arpa";

	if (!strchr(text, '/') || !acl_prefix(&prefix, text))
		return *text == '\0' ? "." : text;
	if (prefix.address.family != 4 || prefix.length % 8 != 0)
		return NULL;
	for (unsigned i = 0; i < prefix.length / 8; i++)
		name = import_printf(import, "%u.%s", prefix.address.bytes[i], name);
	return name;
}

/* The line that has a plugin's zones: its own line if it has words from *from on, or the head of
 * the server. *from becomes the index of the first zone. */
static const struct corefile_line *zones_of(const struct corefile_server *server,
					    const struct corefile_line *line, size_t *from)
{
	if (line->count > *from)
		return line;
	*from = 0;
	return &server->head;
}

/* A zone's name; NULL: it cannot be carried over. A prefix is then reported, unless `at` is NULL.
 */
static const char *zone_of(struct coredns *coredns, const char *word, const struct origin *at)
{
	const char *zone;
	long port;

	if (!split_zone(coredns->import, word, &zone, &port))
		return NULL;
	zone = zone_name(coredns->import, zone);
	if (!zone && at)
		import_lost(coredns->import, at, "\"%s\" is no zone here", word);
	return zone;
}

typedef void on_zone(struct coredns *coredns, const struct corefile_server *server,
		     const struct corefile_line *line, const char *zone);

static void each_zone(struct coredns *coredns, const struct corefile_server *server,
		      const struct corefile_line *line, size_t from, on_zone *take)
{
	const struct corefile_line *named = zones_of(server, line, &from);

	for (size_t i = from; i < named->count; i++) {
		const char *zone = zone_of(coredns, named->words[i], &line->at);

		if (zone)
			take(coredns, server, line, zone);
	}
}

static bool is_below(const char *name, const char *suffix)
{
	size_t length = strlen(name), behind = strlen(suffix);

	length -= length > 1 && name[length - 1] == '.';
	behind -= behind > 1 && suffix[behind - 1] == '.';
	if (strcmp(suffix, ".") == 0)
		return true;
	return length >= behind && strncasecmp(name + length - behind, suffix, behind) == 0 &&
	       (length == behind || name[length - behind - 1] == '.');
}

/* Whether the name is in a zone of the plugin, or of a line of its block. */
static bool is_in_zones(struct coredns *coredns, const struct corefile_server *server,
			const struct corefile_line *line, size_t from, const char *name)
{
	const struct corefile_line *named = zones_of(server, line, &from);

	for (size_t i = from; i < named->count; i++) {
		const char *zone = zone_of(coredns, named->words[i], NULL);

		if (zone && is_below(name, zone))
			return true;
	}
	return false;
}

static const struct corefile_line *in_block(const struct corefile_line *line, const char *name)
{
	const struct corefile_line *at = line->first;

	while (at && (at->count == 0 || strcmp(at->words[0], name) != 0))
		at = at->next;
	return at;
}

static const char *path_of(struct coredns *coredns, const struct corefile_server *server,
			   const char *path)
{
	return server->root && *path != '/'
		       ? import_printf(coredns->import, "%s/%s", server->root, path)
		       : path;
}

/* ---- names that are answered ---- */

/* The key of import_find for a name, with or without its final dot. */
static char *name_key(struct import *import, const char *what, const char *name)
{
	size_t length = strlen(name);

	length -= length > 1 && name[length - 1] == '.';
	return text_lower(import_printf(import, "%s %.*s", what, (int)length, name));
}

/* Notes that a plugin answers for this name, and so for the server's names below it. */
static void note_answered(struct coredns *coredns, const struct corefile_server *server,
			  const char *name)
{
	struct import *import = coredns->import;

	import_keep(import, name_key(import, "answered", name), coredns);
	for (size_t i = 0; i < server->head.count; i++) {
		const char *zone = zone_of(coredns, server->head.words[i], NULL);

		if (zone && is_below(zone, name))
			import_keep(import, name_key(import, "answered", zone), coredns);
	}
}

/* Notes a rule that has a target. */
static void note_rule(struct coredns *coredns, const struct corefile_server *server,
		      const char *domain)
{
	struct import *import = coredns->import;

	note_answered(coredns, server, domain);
	for (const char *dot = strchr(domain, '.'); dot && dot[1]; dot = strchr(dot + 1, '.'))
		import_keep(import, name_key(import, "rules below", dot + 1), coredns);
}

/* Whether a zone of this name would hide rules: zones are asked before all rules. */
static bool hides_rules(struct coredns *coredns, const char *zone)
{
	return import_find(coredns->import, name_key(coredns->import, "rules below", zone));
}

/* ---- plugins ---- */

/* Whether the servers are those of a file, such as /etc/resolv.conf. */
static bool is_file(const char *target)
{
	return *target == '/';
}

static bool is_encrypted(const char *target)
{
	return !is_file(target) && strstr(target, "://") && strncmp(target, "dns://", 6) != 0;
}

/* Adds a server; false: it cannot be carried over, which is reported. */
static bool take_target(struct coredns *coredns, const struct corefile_line *line,
			struct node *rule, const char *text)
{
	struct import *import = coredns->import;
	const char *scheme = strstr(text, "://");
	bool by_tcp = in_block(line, "force_tcp");
	struct host host;
	char address[ADDRESS_TEXT_MAX];

	if (is_file(text))
		import_lost(
			import, &line->at,
			"the servers of %s; name them, or leave default_resolver out where that "
			"is the system's resolv.conf",
			text);
	else if (is_encrypted(text))
		import_lost(import, &line->at, "%s: " NO_TLS, text);
	else if (host_parse(&host, scheme ? scheme + 3 : text, DNS_PORT) != 0)
		import_lost(import, &line->at, "\"%s\" is no address of a server", text);
	else
		return forward_target(import, rule, &line->at,
				      address_print(&host.address, address), host.port,
				      by_tcp ? "tcp" : NULL);
	return false;
}

static void forward_one(struct coredns *coredns, const struct corefile_server *server,
			const struct corefile_line *line, const char *zone)
{
	struct import *import = coredns->import;
	const char *from = zone_name(import, line->words[1]);
	const char *domain = !from                  ? NULL
			     : is_below(from, zone) ? from
			     : is_below(zone, from) ? zone
						    : NULL;
	struct node *rule;
	bool asks = false;

	if (!domain) {
		import_lost(import, &line->at, "no name of the zone %s is below %s", zone,
			    line->words[1]);
		return;
	}
	if (strcmp(domain, ".") == 0)
		coredns->root = line;
	rule = strcmp(domain, ".") == 0
		       ? forward_default(import, &line->at)
		       : forward_rule(import, coredns->view, &line->at, domain, false);
	for (size_t i = 2; rule && i < line->count; i++) {
		asks |= take_target(coredns, line, rule, line->words[i]);
		if (strcmp(domain, ".") != 0) {
			if (is_file(line->words[i]))
				import_keep(import, name_key(import, "file for", domain), coredns);
			continue;
		}
		if (is_encrypted(line->words[i]))
			coredns->encrypted_root = line;
		coredns->has_root_file |= is_file(line->words[i]);
	}
	if (asks)
		note_rule(coredns, server, domain);
}

/* Whether the line is "policy sequential". */
static bool is_in_order(const struct corefile_line *line)
{
	return line->count > 1 && strcmp(line->words[0], "policy") == 0 &&
	       strcmp(line->words[1], "sequential") == 0;
}

static void on_forward(struct coredns *coredns, struct corefile_server *server,
		       const struct corefile_line *line)
{
	static const char *const quiet[] = {
		"policy",         "max_fails",      "expire",
		"health_check",   "prefer_udp",     "force_tcp",
		"max_concurrent", "max_idle_conns", "failfast_all_unhealthy_upstreams"};

	if (line->count < 3) {
		import_lost(coredns->import, &line->at, "it has no server");
		return;
	}
	each_zone(coredns, server, line, line->count, forward_one);
	for (const struct corefile_line *at = line->first; at; at = at->next) {
		size_t i = 0;

		import_comments_move(coredns->import, &at->at, &line->at);
		while (i < COUNT(quiet) && strcmp(quiet[i], at->words[0]) != 0)
			i++;
		if (i == COUNT(quiet))
			words_lost(coredns->import, &at->at, reasons, at->words[0]);
		else if (strcmp(at->words[0], "force_tcp") != 0 && !is_in_order(at))
			import_changed(coredns->import, &at->at,
				       "targets are asked in their order; how they are watched is "
				       "built in");
	}
}

static void file_one(struct coredns *coredns, const struct corefile_server *server,
		     const struct corefile_line *line, const char *zone)
{
	struct node *made = forward_zone(coredns->import, coredns->view, &line->at, zone);

	if (!made)
		return;
	note_answered(coredns, server, zone);
	forward_zone_file(coredns->import, made, &line->at,
			  path_of(coredns, server, line->words[1]), zone, NULL);
}

static void on_file(struct coredns *coredns, struct corefile_server *server,
		    const struct corefile_line *line)
{
	if (line->count < 2)
		import_lost(coredns->import, &line->at, "it has no file");
	else
		each_zone(coredns, server, line, 2, file_one);
}

/* Takes the zone of a file that `auto` found, if it is in a zone of the plugin. */
static void auto_one(struct coredns *coredns, const struct corefile_server *server,
		     const struct corefile_line *line, const char *zone, const char *path)
{
	struct import *import = coredns->import;
	struct node *made;

	if (!is_in_zones(coredns, server, line, 1, zone)) {
		import_lost(import, &line->at, "%s is in no zone that the files are for", zone);
		return;
	}
	made = forward_zone(import, coredns->view, &line->at, zone);
	if (!made)
		return;
	note_answered(coredns, server, zone);
	forward_zone_file(import, made, &line->at, path, zone, NULL);
}

/* Takes files called db.ZONE, the plugin's default pattern. */
static void on_auto(struct coredns *coredns, struct corefile_server *server,
		    const struct corefile_line *line)
{
	struct import *import = coredns->import;
	const struct corefile_line *directory = in_block(line, "directory");
	const char *path = directory && directory->count > 1
				   ? path_of(coredns, server, directory->words[1])
				   : NULL;
	DIR *folder = path && directory->count == 2 ? opendir(path) : NULL;
	struct dirent *entry;

	if (!folder) {
		import_lost(import, &line->at,
			    "only files called db.ZONE in a folder that can be read are taken");
		return;
	}
	while ((entry = readdir(folder)))
		if (strncmp(entry->d_name, "db.", 3) == 0 && entry->d_name[3] != '\0')
			auto_one(coredns, server, line, entry->d_name + 3,
				 import_printf(import, "%s/%s", path, entry->d_name));
	closedir(folder);
}

static void secondary_one(struct coredns *coredns, const struct corefile_server *server,
			  const struct corefile_line *line, const char *zone)
{
	struct node *rule;
	bool asks = false;

	if (strcmp(zone, ".") == 0) {
		import_lost(coredns->import, &line->at,
			    "it is a copy of the root, whose servers only refer to others");
		return;
	}
	rule = forward_rule(coredns->import, coredns->view, &line->at, zone, false);
	for (const struct corefile_line *at = line->first; rule && at; at = at->next)
		for (size_t i = 2; at->count > 1 && i < at->count; i++)
			asks |= take_target(coredns, at, rule, at->words[i]);
	if (asks)
		note_rule(coredns, server, zone);
	import_changed(coredns->import, &line->at,
		       "zones are not transferred in: its primary is asked instead");
}

static void on_secondary(struct coredns *coredns, struct corefile_server *server,
			 const struct corefile_line *line)
{
	each_zone(coredns, server, line, 1, secondary_one);
}

/* Whether another plugin of the server answers names that its hosts lack. */
static bool answers_more(const struct corefile_server *server)
{
	static const char *const names[] = {"forward", "file", "auto", "secondary"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (in_block(&server->head, names[i]))
			return true;
	return false;
}

/* Makes one zone of the plugin, so that names in it that the hosts lack do not exist. No zone is
 * made if the plugin falls through for all of it, if it is the root, or if it would hide rules. */
static void hosts_one(struct coredns *coredns, const struct corefile_server *server,
		      const struct corefile_line *line, const char *zone)
{
	const struct corefile_line *through = in_block(line, "fallthrough");

	note_answered(coredns, server, zone);
	if (through && (through->count == 1 || is_in_zones(coredns, server, through, 1, zone))) {
		if (!answers_more(server))
			import_changed(
				coredns->import, &line->at,
				"a name of %s that the hosts do not have goes where others go; "
				"there it is refused, as nothing behind \"fallthrough\" has it",
				zone);
		return;
	}
	if (strcmp(zone, ".") == 0) {
		import_changed(coredns->import, &line->at,
			       "a name that the hosts do not have is forwarded; there it does not "
			       "exist, %s",
			       through ? "except in the zones of \"fallthrough\""
				       : "unless the line \"fallthrough\" is in the block");
		return;
	}
	if (hides_rules(coredns, zone)) {
		import_changed(coredns->import, &line->at,
			       "a name of %s that the hosts do not have goes where others go; "
			       "there it does not exist. A zone would hide the rules below it",
			       zone);
		return;
	}
	forward_zone(coredns->import, coredns->view, &line->at, zone);
	for (size_t i = 1; through && i < through->count; i++) {
		const char *below = zone_of(coredns, through->words[i], NULL);

		if (below && is_below(below, zone))
			import_lost(coredns->import, &through->at,
				    "%s stays in the zone %s, which has no exceptions here: a name "
				    "that the hosts do not have does not exist",
				    below, zone);
	}
}

struct hosts_in { /* a plugin's zones, for selecting names */
	struct coredns *coredns;
	const struct corefile_server *server;
	const struct corefile_line *line;
};

static bool is_hosts_zone(void *context, const char *name)
{
	const struct hosts_in *in = context;

	return is_in_zones(in->coredns, in->server, in->line, 2, name);
}

static void on_hosts(struct coredns *coredns, struct corefile_server *server,
		     const struct corefile_line *line)
{
	struct import *import = coredns->import;
	const struct corefile_line *ttl = in_block(line, "ttl");
	long ttl_s = ttl && ttl->count > 1 ? words_number(ttl->words[1]) : USUAL_TTL_S;
	const struct hosts_zones zones = {is_hosts_zone, &(struct hosts_in){coredns, server, line}};
	const struct hosts_style style = {
		.ttl_s = ttl_s, .without_ptrs = in_block(line, "no_reverse"), .zones = &zones};

	for (const struct corefile_line *at = line->first; at; at = at->next) {
		struct address address;

		if (at->count < 2 || address_parse(&address, at->words[0]) != 0)
			continue;
		for (size_t i = 1; i < at->count; i++)
			hosts_take(import, coredns->view, &at->at, at->words[i], at->words[0],
				   ttl_s, i == 1 && !style.without_ptrs, &zones);
	}
	/* Without a file, the plugin reads /etc/hosts, also beside the lines of its block. */
	if (line->count == 1)
		import_changed(import, &line->at,
			       "the names of this machine's /etc/hosts are taken, too, as CoreDNS "
			       "does; \"hosts /dev/null\" leaves them out");
	hosts_read_into(import, coredns->view, &line->at,
			line->count > 1 ? path_of(coredns, server, line->words[1]) : "/etc/hosts",
			&style);
}

static void set(struct coredns *coredns, const struct corefile_line *line, const char *group,
		const char *key, const char *text)
{
	struct import *import = coredns->import;
	long number = words_period(text);

	if (number < 0)
		import_lost(import, &line->at, "\"%s\" is no number", text);
	else
		import_number(import, import_group(import, import_root(import), group, &line->at),
			      key, &line->at, number);
}

static void on_cache(struct coredns *coredns, struct corefile_server *server,
		     const struct corefile_line *line)
{
	(void)server;
	if (line->count > 1 && isdigit((unsigned char)*line->words[1]))
		set(coredns, line, "cache", "ttl_max", line->words[1]);
	for (const struct corefile_line *at = line->first; at; at = at->next) {
		const char *name = at->words[0];

		if (strcmp(name, "success") == 0 && at->count > 2)
			set(coredns, at, "cache", "ttl_max", at->words[2]);
		else if (strcmp(name, "denial") == 0 && at->count > 2)
			set(coredns, at, "cache", "negative_ttl_max", at->words[2]);
		else if (strcmp(name, "serve_stale") == 0 && at->count > 1)
			set(coredns, at, "cache", "stale_max", at->words[1]);
		else if (strcmp(name, "prefetch") != 0 && strcmp(name, "serve_stale") != 0)
			import_lost(coredns->import, &at->at,
				    "cache.size_bytes is in bytes, 64 MiB unless it is said");
	}
}

/* The port of the first zone without TLS; 0: the usual one. */
static long port_of(struct coredns *coredns, const struct corefile_server *server)
{
	const char *zone;
	long port;

	for (size_t i = 0; i < server->head.count; i++)
		if (split_zone(coredns->import, server->head.words[i], &zone, &port))
			return port;
	return 0;
}

static void listen_at(struct coredns *coredns, struct corefile_server *server,
		      const struct origin *at, const char *address)
{
	struct listen_places *places = &server->listen;
	long port = port_of(coredns, server);
	struct host host;

	if (host_parse(&host, address, DNS_PORT) != 0) {
		import_lost(coredns->import, at, "\"%s\" is no address; listen names each one",
			    address);
		return;
	}
	host.port = port > 0 && port < 65536 ? (uint16_t)port : host.port;
	for (size_t i = 0; i < places->count; i++)
		if (host_equal(&places->hosts[i], &host))
			return;
	if (places->count == PLACES_MAX) {
		import_lost(coredns->import, at, "it listens at more than %d addresses",
			    PLACES_MAX);
		return;
	}
	places->at[places->count] = *at;
	places->hosts[places->count++] = host;
}

static void on_bind(struct coredns *coredns, struct corefile_server *server,
		    const struct corefile_line *line)
{
	for (size_t i = 1; i < line->count; i++)
		listen_at(coredns, server, &line->at, line->words[i]);
}

/* Whether rules for this type need no counterpart: only `transfers` allows copying zones, and ANY
 * is answered with one record set. */
static bool is_built_in(const char *type)
{
	static const char *const types[] = {"AXFR", "IXFR", "ANY"};

	for (size_t i = 0; i < COUNT(types); i++)
		if (strcasecmp(types[i], type) == 0)
			return true;
	return false;
}

/* Reads "allow type A net 10.0.0.0/8"; without types it applies to all types, without nets to all
 * clients. A rule for only some types or names (`some`) applies to all here if it keeps clients
 * out, and otherwise to none. A rule that keeps clients out for types of is_built_in alone is
 * skipped. A net that cannot be read may mean all clients: a rule that blocks it keeps everybody
 * out, and a rule that allows it counts for its other nets only. */
static void take_action(struct coredns *coredns, struct corefile_server *server,
			const struct corefile_line *at, bool some)
{
	struct import *import = coredns->import;
	const struct node *network = forward_network(coredns->view);
	bool allow = strcmp(at->words[0], "allow") == 0, any_net = true, built_in = !some;
	const char *unread = NULL, *open;
	enum { NOTHING, TYPES, NETS } in = NOTHING;
	struct acl nets = {0};
	struct acl_set clients;
	struct prefix prefix;

	for (size_t i = 1; i < at->count; i++) {
		const char *word = at->words[i];

		if (strcmp(word, "type") == 0 || strcmp(word, "net") == 0) {
			in = *word == 't' ? TYPES : NETS;
		} else if (in == TYPES) {
			some = some || strcmp(word, "*") != 0;
			built_in = built_in && is_built_in(word);
		} else if (in == NETS && strcmp(word, "*") != 0) {
			any_net = false;
			if (acl_prefix(&prefix, word))
				acl_add(&nets, &prefix, true, &at->at);
			else
				unread = word;
		}
	}
	if (any_net)
		acl_add_all(&nets, true, &at->at);
	clients = acl_first_match(import, &nets);
	open = forward_open_text(import, clients);
	if (unread && allow)
		import_lost(import, &at->at, "\"%s\" is no address or prefix", unread);
	if (unread && !allow)
		import_closed(
			import, &at->at, network, "client_prefixes = [ \"0.0.0.0/0\", \"::/0\" ];",
			"\"%s\" is no address or prefix, and all may be meant: whoever is not "
			"let in ahead of this is kept out",
			unread);
	if (some && allow)
		import_closed(import, &at->at, network, open,
			      "clients are let in for all types and names or for none: these are "
			      "not");
	else if (some && !built_in)
		import_closed(import, &at->at, network, open,
			      "clients are kept out for all types and names or for none: these "
			      "are");
	if (unread && !allow)
		acl_add_all(&server->acl, false, &at->at);
	else if (!(some && (allow || built_in)))
		for (size_t i = 0; i < clients.count; i++)
			acl_add(&server->acl, &clients.entries[i].prefix, allow, &at->at);
	acl_set_release(&clients);
	acl_release(&nets);
}

/* Whether the plugin's zones are only some of the server's. */
static bool is_for_some(struct coredns *coredns, const struct corefile_server *server,
			const struct corefile_line *line)
{
	for (size_t i = 0; i < server->head.count; i++) {
		const char *zone = zone_of(coredns, server->head.words[i], NULL);

		if (zone && !is_in_zones(coredns, server, line, 1, zone))
			return true;
	}
	return false;
}

static void on_acl(struct coredns *coredns, struct corefile_server *server,
		   const struct corefile_line *line)
{
	bool some = is_for_some(coredns, server, line);

	for (const struct corefile_line *at = line->first; at; at = at->next)
		if (at->count > 0)
			take_action(coredns, server, at, some);
}

static void transfer_one(struct coredns *coredns, const struct corefile_server *server,
			 const struct corefile_line *line, const char *zone)
{
	struct import *import = coredns->import;
	struct node *item = import_item(import, import_root(import), "transfers", &line->at);
	size_t length = strlen(zone);

	(void)server;
	length -= length > 1 && zone[length - 1] == '.';
	import_text(import, item, "name", &line->at, import_name(import, "transfer", zone, "zone"));
	import_add(import, item, "zones", &line->at,
		   import_printf(import, "%.*s", (int)length, zone));
	for (const struct corefile_line *at = line->first; at; at = at->next)
		for (size_t i = 1; i < at->count && strcmp(at->words[0], "to") == 0; i++) {
			struct host host;
			char address[ADDRESS_TEXT_MAX];

			if (strcmp(at->words[i], "*") == 0) {
				import_add(import, item, "allow", &at->at, "0.0.0.0/0");
				import_add(import, item, "allow", &at->at, "::/0");
			} else if (host_parse(&host, at->words[i], DNS_PORT) == 0) {
				address_print(&host.address, address);
				import_add(import, item, "allow", &at->at,
					   import_printf(import, "%s/%u", address,
							 address_bits(&host.address)));
				import_add(import, item, "notify", &at->at, at->words[i]);
			}
		}
}

static void on_transfer(struct coredns *coredns, struct corefile_server *server,
			const struct corefile_line *line)
{
	each_zone(coredns, server, line, 1, transfer_one);
}

static void on_bufsize(struct coredns *coredns, struct corefile_server *server,
		       const struct corefile_line *line)
{
	(void)server;
	if (line->count > 1)
		set(coredns, line, "udp", "payload_max", line->words[1]);
}

static void identify(struct coredns *coredns, const struct corefile_line *line, const char *key)
{
	struct import *import = coredns->import;

	if (line->count > 1)
		import_text(import,
			    import_group(import, import_root(import), "identity", &line->at), key,
			    &line->at, line->words[1]);
}

static void on_chaos(struct coredns *coredns, struct corefile_server *server,
		     const struct corefile_line *line)
{
	(void)server;
	identify(coredns, line, "version");
}

static void on_nsid(struct coredns *coredns, struct corefile_server *server,
		    const struct corefile_line *line)
{
	(void)server;
	identify(coredns, line, "server");
}

static void on_root(struct coredns *coredns, struct corefile_server *server,
		    const struct corefile_line *line)
{
	(void)coredns;
	(void)server;
	(void)line; /* handled before the other plugins */
}

static const struct {
	const char *name;
	void (*take)(struct coredns *coredns, struct corefile_server *server,
		     const struct corefile_line *line);
} plugins[] = {
	{"forward", on_forward},     {"file", on_file},   {"auto", on_auto},
	{"secondary", on_secondary}, {"hosts", on_hosts}, {"cache", on_cache},
	{"bind", on_bind},           {"acl", on_acl},     {"transfer", on_transfer},
	{"bufsize", on_bufsize},     {"chaos", on_chaos}, {"nsid", on_nsid},
	{"root", on_root},
};

static void take_plugin(struct coredns *coredns, struct corefile_server *server,
			const struct corefile_line *line)
{
	for (size_t i = 0; i < COUNT(plugins); i++)
		if (strcmp(plugins[i].name, line->words[0]) == 0) {
			plugins[i].take(coredns, server, line);
			return;
		}
	words_lost(coredns->import, &line->at, reasons, line->words[0]);
}

/* ---- servers ---- */

static void take_server(struct coredns *coredns, struct corefile_server *server)
{
	struct import *import = coredns->import;
	const struct corefile_line *root = in_block(&server->head, "root");
	const char *zone;
	long port;

	server->root = root && root->count > 1 ? root->words[1] : NULL;
	server->skipped = true;
	for (size_t i = 0; i < server->head.count; i++)
		if (split_zone(import, server->head.words[i], &zone, &port))
			server->skipped = false;
		else
			import_lost(import, &server->head.at, "%s: clients ask without TLS",
				    server->head.words[i]);
	if (in_block(&server->head, "view")) {
		words_lost(import, &server->head.at, reasons, "view");
		server->skipped = true;
	}
	if (server->skipped)
		return;
	for (const struct corefile_line *line = server->head.first; line; line = line->next)
		if (line->count > 0)
			take_plugin(coredns, server, line);
	if (!in_block(&server->head, "bind")) {
		listen_at(coredns, server, &server->head.at, "0.0.0.0");
		listen_at(coredns, server, &server->head.at, "::");
	}
}

/* Makes the zones of a server's hosts. Called when all rules are known. */
static void take_hosts_zones(struct coredns *coredns, const struct corefile_server *server)
{
	const struct corefile_line *line = server->skipped ? NULL : server->head.first;

	for (; line; line = line->next)
		if (line->count > 0 && strcmp(line->words[0], "hosts") == 0)
			each_zone(coredns, server, line, 2, hosts_one);
}

/* Whether names of the zone are answered here, or go with all others to the servers of a file. */
static bool is_answered(struct coredns *coredns, const char *zone)
{
	struct import *import = coredns->import;

	return import_find(import, name_key(import, "answered", zone)) ||
	       (coredns->has_root_file && import_find(import, name_key(import, "file for", zone)));
}

/* Makes a zone for each name of the server for which no plugin that answers was carried over.
 * Without the zone, names in it would go to the servers of a shorter name. The root gets no zone,
 * nor does a name with rules below it, which the zone would hide. */
static void take_unanswered(struct coredns *coredns, const struct corefile_server *server)
{
	struct import *import = coredns->import;

	for (size_t i = 0; i < server->head.count; i++) {
		const char *zone = zone_of(coredns, server->head.words[i], NULL);

		if (!zone || strcmp(zone, ".") == 0 || is_answered(coredns, zone))
			continue;
		if (hides_rules(coredns, zone)) {
			import_changed(
				import, &server->head.at,
				"no plugin that answers for %s is carried over; its names "
				"go where others go, as a zone would hide the rules below it",
				zone);
			continue;
		}
		forward_zone(import, coredns->view, &server->head.at, zone);
		import_changed(import, &server->head.at,
			       "no plugin that answers for %s is carried over; its names do not "
			       "exist here, so that they are not forwarded",
			       zone);
	}
}

/* ---- where to listen ---- */

static bool is_around(const struct host *outer, const struct host *inner)
{
	return host_equal(outer, inner) ||
	       (outer->port == inner->port && host_overlaps(outer, inner) &&
		address_is_unspecified(&outer->address));
}

/* The addresses that both `a` and `b` have. */
static struct listen_places places_of_both(const struct listen_places *a,
					   const struct listen_places *b)
{
	const struct listen_places *sides[] = {a, b};
	struct listen_places both = {.count = 0};

	for (size_t side = 0; side < 2; side++)
		for (size_t i = 0; i < sides[side]->count; i++) {
			const struct host *host = &sides[side]->hosts[i];
			bool there = false, already = false;

			for (size_t k = 0; k < sides[1 - side]->count; k++)
				there |= is_around(&sides[1 - side]->hosts[k], host);
			for (size_t k = 0; k < both.count; k++)
				already |= host_equal(&both.hosts[k], host);
			if (!there || already || both.count == PLACES_MAX)
				continue;
			both.at[both.count] = sides[side]->at[i];
			both.hosts[both.count++] = *host;
		}
	return both;
}

static bool has_same_places(const struct listen_places *a, const struct listen_places *both)
{
	bool same = a->count == both->count;

	for (size_t i = 0; same && i < a->count; i++) {
		size_t k = 0;

		while (k < both->count && !host_equal(&a->hosts[i], &both->hosts[k]))
			k++;
		same = k < both->count;
	}
	return same;
}

/* Whether a server listens at all addresses of the host's family, and so at this one. */
static bool is_within_another(const struct coredns *coredns, const struct host *host)
{
	for (const struct corefile_server *server = coredns->first; server; server = server->next)
		for (size_t i = 0; !server->skipped && i < server->listen.count; i++)
			if (is_around(&server->listen.hosts[i], host) &&
			    !host_equal(&server->listen.hosts[i], host))
				return true;
	return false;
}

/* Prints "listen = [ ... ];" with the addresses of all servers. */
static const char *listen_text(struct coredns *coredns)
{
	struct import *import = coredns->import;
	struct text_maker *maker = import_begin(import);
	bool any = false;

	import_put(maker, "listen = [ ");
	for (const struct corefile_server *server = coredns->first; server; server = server->next)
		for (size_t i = 0; !server->skipped && i < server->listen.count; i++) {
			char text[HOST_TEXT_MAX], *key;

			host_print(&server->listen.hosts[i], text);
			key = import_printf(import, "listens %s", text);
			if (import_find(import, key))
				continue;
			import_keep(import, key, coredns);
			if (is_within_another(coredns, &server->listen.hosts[i]))
				continue;
			import_put(maker, "%s\"%s\"", any ? ", " : "", text);
			any = true;
		}
	import_put(maker, "%s ];", any ? "" : "\"0.0.0.0\", \"::\"");
	return import_end(maker);
}

/* Listens where all servers listen: elsewhere one server would answer for the zones of another.
 * Without a common address, listens at loopback. */
static void take_places(struct coredns *coredns, const struct origin *whole)
{
	struct import *import = coredns->import;
	const struct corefile_server *first = NULL, *differs = NULL;
	struct listen_places all = {.count = 0};
	char text[HOST_TEXT_MAX];

	for (const struct corefile_server *server = coredns->first; server; server = server->next) {
		struct listen_places both;

		if (server->skipped)
			continue;
		if (!first) {
			first = server;
			all = server->listen;
			continue;
		}
		both = places_of_both(&all, &server->listen);
		if (!differs &&
		    (!has_same_places(&all, &both) || !has_same_places(&server->listen, &both)))
			differs = server;
		all = both;
	}
	if (!first)
		return;
	for (size_t i = 0; i < all.count; i++)
		forward_listen(import, &all.at[i], host_print(&all.hosts[i], text), 0);
	if (all.count == 0)
		forward_listen(import, whole, "127.0.0.1", 0);
	if (differs || all.count == 0)
		import_closed(import, differs ? &differs->head.at : &first->head.at,
			      import_group(import, import_root(import), "vnet_resolver", whole),
			      listen_text(coredns),
			      "what is asked at one address and port is answered at all others, "
			      "too: only those where all servers listen are taken, or loopback");
}

/* ---- clients ---- */

/* The clients that may ask the server, including those outside all its nets. */
static struct acl_set clients_of(struct coredns *coredns, struct corefile_server *server)
{
	struct acl_set clients;

	acl_add_all(&server->acl, true, &server->head.at);
	clients = acl_first_match(coredns->import, &server->acl);
	acl_release(&server->acl);
	return clients;
}

/* All servers become one, so only clients that may ask each of them may ask here. */
static void take_clients(struct coredns *coredns, const struct origin *at)
{
	struct import *import = coredns->import;
	struct acl_set all = clients_of(coredns, &(struct corefile_server){.head.at = *at});
	bool first = true;

	for (struct corefile_server *server = coredns->first; server; server = server->next) {
		struct acl_set own, both, only_all, only_own;

		if (server->skipped)
			continue;
		own = clients_of(coredns, server);
		both = acl_both(import, all, own);
		only_all = acl_without(import, all, own);
		only_own = acl_without(import, own, all);
		if (!first && (only_all.count > 0 || only_own.count > 0))
			import_closed(
				import, &server->head.at, forward_network(coredns->view),
				forward_open_text(import, only_all.count > 0 ? all : own),
				"its clients are not those of the servers ahead of it: who may "
				"ask one of them and not the other may ask none of them here");
		acl_set_release(&all);
		acl_set_release(&own);
		acl_set_release(&only_all);
		acl_set_release(&only_own);
		all = both;
		first = false;
	}
	forward_allow_only(import, coredns->view, at, all);
	acl_set_release(&all);
}

/* The place for reports about the network's clients. */
static struct origin place_of_clients(const struct coredns *coredns, const struct origin *whole)
{
	for (const struct corefile_server *server = coredns->first; server; server = server->next) {
		const struct corefile_line *line = in_block(&server->head, "acl");

		if (line)
			return line->at;
	}
	return *whole;
}

/* ---- all files ---- */

static void take_all(struct coredns *coredns)
{
	struct import *import = coredns->import;
	const struct origin *whole = &coredns->whole;

	coredns->at = place_of_clients(coredns, whole);
	coredns->view = forward_main_view(import, &coredns->at);
	for (struct corefile_server *server = coredns->first; server; server = server->next)
		take_server(coredns, server);
	for (struct corefile_server *server = coredns->first; server; server = server->next)
		take_hosts_zones(coredns, server);
	for (struct corefile_server *server = coredns->first; server; server = server->next)
		take_unanswered(coredns, server);
	take_places(coredns, whole);
	take_clients(coredns, &coredns->at);
	/* CoreDNS has no special-use names. */
	import_text(import, forward_default(import, whole), "special_names", whole, "forward");
	if (!coredns->root) /* CoreDNS refuses names that no server has */
		forward_no_default(import, coredns->view, &coredns->at);
	else if (coredns->encrypted_root && !coredns->has_root_file)
		forward_encrypted_default(import, coredns->view, forward_default(import, whole),
					  &coredns->encrypted_root->at);
	else if (!coredns->has_root_file)
		forward_lost_default(import, coredns->view, forward_default(import, whole),
				     &coredns->root->at);
}

void coredns_read(struct import *import, const char *path)
{
	struct coredns *coredns = import_find(import, "coredns");

	if (!coredns) {
		coredns = import_alloc(import, sizeof *coredns);
		coredns->import = import;
		coredns->whole = import_place(import, path, 0, NULL);
		coredns->last = &coredns->first;
		import_keep(import, "coredns", coredns);
	}
	read_servers(coredns, path, NULL, 0);
}

void coredns_finish(struct import *import)
{
	struct coredns *coredns = import_find(import, "coredns");

	if (coredns)
		take_all(coredns);
	forward_finish(import);
}
