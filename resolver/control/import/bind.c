/* named.conf(5): statements of words, which may have blocks of statements in braces, ended by
 * semicolons. They are read into a tree; `include` puts in another file's. Lists of addresses are
 * statements, too, of one word each. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/import/acl.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "resolver/control/import/words.h"
#include "rules/base.h"

enum { DEPTH_MAX = 20, BRACES_MAX = 100, LISTS_MAX = 5000, WORDS_MAX = 16, USUAL_PORT = 53 };

struct statement {
	struct origin at; /* its path is the first word */
	const char *words[WORDS_MAX];
	size_t count;
	bool has_block;
	struct statement *first, *next;
};

struct view {
	const struct statement *statement; /* NULL: the file as a whole */
	bool zones_only;                   /* without recursion */
	struct forward_view *forward;
	struct origin forward_at;
	struct acl_entry *clients; /* that it is for */
	size_t client_count;
	struct acl_set allowed; /* and may ask */
};

struct bind {
	struct import *import;
	const char *file, *folder;       /* options.directory; NULL: none */
	struct statement *first;         /* of the file */
	const struct statement *options; /* NULL: none */
	struct view *views;
	size_t view_count;
	unsigned lists; /* of addresses that were put into others */
};

/* ---- reading ---- */

struct parser {
	struct bind *bind;
	const struct words *words;
	const struct word *at;
	unsigned depth, braces; /* of files, and those that are open in this one */
};

static struct statement **read_statements(struct parser *parser, struct statement **end);

static void fault(struct parser *parser, const char *what)
{
	struct origin at = import_place(parser->bind->import, parser->words->file, parser->at->line,
					parser->at->text);

	import_fault(parser->bind->import, &at, "%s", what);
	parser->at = &parser->words->items[parser->words->count];
}

static struct statement **read_file(struct bind *bind, const char *path, const struct origin *at,
				    unsigned depth, struct statement **end)
{
	static const struct words_syntax syntax = {
		.quotes = "\"", .marks = "{};", .has_slashes = true};
	struct words words;
	struct parser parser = {.bind = bind, .words = &words, .depth = depth};

	if (!words_read(bind->import, path, at, &syntax, &words))
		return end;
	parser.at = words.items;
	end = read_statements(&parser, end);
	if (parser.at->mark == '}')
		fault(&parser, "a brace is closed that was not opened");
	return end;
}

/* Words, a block perhaps, and more words, up to a semicolon. */
static struct statement *read_statement(struct parser *parser)
{
	struct import *import = parser->bind->import;
	struct statement *statement = import_alloc(import, sizeof *statement);

	statement->at = import_place(import, parser->words->file, parser->at->line,
				     parser->at->mark ? NULL : parser->at->text);
	for (;; parser->at++) {
		if (!parser->at->text) {
			fault(parser, "the file ends within a statement; a ';' or '}' is missing");
			return statement;
		}
		if (parser->at->mark == ';')
			break;
		if (parser->at->mark == '}') {
			fault(parser, "a ';' is missing ahead of this");
			return statement;
		}
		if (parser->at->mark == '{') {
			if (parser->braces == BRACES_MAX) {
				fault(parser, "braces stand in more than 100 others");
				return statement;
			}
			parser->at++;
			statement->has_block = true;
			parser->braces++;
			read_statements(parser, &statement->first);
			parser->braces--;
			if (parser->at->mark != '}') {
				if (parser->at->text)
					fault(parser, "a '}' is expected here");
				return statement;
			}
		} else if (statement->count < WORDS_MAX) {
			statement->words[statement->count++] = parser->at->text;
		}
	}
	parser->at++;
	return statement;
}

static struct statement **read_statements(struct parser *parser, struct statement **end)
{
	while (parser->at->text && parser->at->mark != '}') {
		struct statement *statement;

		if (parser->at->mark == ';') {
			parser->at++;
			continue;
		}
		statement = read_statement(parser);
		if (statement->count == 2 && strcmp(statement->words[0], "include") == 0) {
			if (parser->depth == DEPTH_MAX) {
				fault(parser, "files are included through more than 20 others");
				return end;
			}
			char **files = words_files(parser->bind->import, parser->words->file,
						   statement->words[1]);

			for (; *files; files++)
				end = read_file(parser->bind, *files, &statement->at,
						parser->depth + 1, end);
			continue;
		}
		*end = statement;
		end = &statement->next;
	}
	return end;
}

static const struct statement *find(const struct statement *first, const char *name)
{
	while (first && (first->count == 0 || strcasecmp(first->words[0], name) != 0))
		first = first->next;
	return first;
}

/* A view's own, or that of options. */
static const struct statement *setting(const struct bind *bind, const struct view *view,
				       const char *name)
{
	const struct statement *found = view->statement ? find(view->statement->first, name) : NULL;

	return found || !bind->options ? found : find(bind->options->first, name);
}

static const char *word(const struct statement *statement, size_t i)
{
	return statement && i < statement->count ? statement->words[i] : "";
}

/* ---- what becomes nothing ---- */

#define THE_UNIT      "the program, its user and its files are those of the unit"
#define NO_VALIDATION "sluice does not validate; DO and CD are passed through"
#define NO_ROOT       "sluice does not resolve from the root"
#define NO_TRANSFER   "zones are not transferred in"
#define NO_UPDATE     "records are changed by sluice record set and the API, not by DNS UPDATE"
#define BUILT_IN      "how targets are asked and watched is built in"

static const struct reason reasons[] = {
	{"logging", "it logs events to standard error (log in sluice.conf(5))"},
	{"querylog", "query_log in sluice.conf(5) is the log of queries"},
	{"controls", "commands reach sluice by its control socket, management.socket"},
	{"statistics-channels", "sluice status shows what is counted"},
	{"zone-statistics", "sluice status shows what is counted"},
	{"managed-keys", NO_VALIDATION},
	{"trust-anchors", NO_VALIDATION},
	{"trusted-keys", NO_VALIDATION},
	{"dnssec-*", NO_VALIDATION},
	{"validate-except", NO_VALIDATION},
	{"bindkeys-file", NO_VALIDATION},
	{"managed-keys-directory", NO_VALIDATION},
	{"tls", "clients ask without TLS"},
	{"http", "clients ask without TLS"},
	{"pid-file", THE_UNIT},
	{"lock-file", THE_UNIT},
	{"session-key*", THE_UNIT},
	{"dump-file", THE_UNIT},
	{"statistics-file", THE_UNIT},
	{"memstatistics*", THE_UNIT},
	{"recursing-file", THE_UNIT},
	{"secroots-file", THE_UNIT},
	{"key-directory", NO_VALIDATION},
	{"geoip-directory", THE_UNIT},
	{"allow-update*", NO_UPDATE},
	{"update-policy", NO_UPDATE},
	{"allow-notify", NO_TRANSFER},
	{"allow-query-on", "listen says where questions come in"},
	{"allow-recursion-on", "listen says where questions come in"},
	{"allow-query-cache-on", "listen says where questions come in"},
	{"auth-nxdomain", "AA is set for what a zone answers"},
	{"minimal-*", "answers are minimal"},
	{"response-policy", "answers are not filtered; a private zone keeps its names inside"},
	{"rate-limit", "response_limit in sluice.conf(5) limits answers to one prefix"},
	{"dns64*", "AAAA records are not made of A records"},
	{"sortlist", "records come in the order that they have"},
	{"rrset-order", "records come in the order that they have"},
	{"blackhole", "clients that may not ask are answered REFUSED"},
	{"bogus", "only targets are asked"},
	{"server", BUILT_IN},
	{"edns-udp-size", BUILT_IN},
	{"qname-minimization", NO_ROOT},
	{"root-key-sentinel", NO_VALIDATION},
	{"disable-empty-zone", "default_resolver.special_names decides for all such zones; a rule "
			       "comes before them"},
	{"disable-*", NO_VALIDATION},
	{"deny-answer-*", "addresses in answers are passed on as they are"},
	{"fetch*", BUILT_IN},
	{"recursive-clients", BUILT_IN},
	{"clients-per-query", BUILT_IN},
	{"max-clients-per-query", BUILT_IN},
	{"resolver-*", BUILT_IN},
	{"prefetch", "answers in frequent use are fetched again, cache.prefetch"},
	{"tcp-*", "tcp in sluice.conf(5) has its limits"},
	{"masterfile-*", "zones are part of what is written"},
	{"max-journal-size", "zones are part of what is written"},
	{"ixfr-from-differences", "IXFR is given of what has changed"},
	{"notify", "transfers.notify names who is told"},
	{"notify-*", "transfers.notify names who is told"},
	{"transfer*", NO_TRANSFER},
	{"request-*", NO_TRANSFER},
	{"masters", "only zones use it"},
	{"primaries", "only zones use it"},
	{"serial-*", "a zone's serial goes up with every change"},
	{"check-*", "sluice check looks at all of it"},
	{"dlz", "zones are not read from elsewhere"},
	{"dyndb", "zones are not read from elsewhere"},
	{"plugin", "there are no plugins"},
	{"*", NULL},
	{NULL, NULL},
};

/* ---- lists of addresses ---- */

static const struct statement *find_acl(const struct bind *bind, const char *name)
{
	for (const struct statement *at = bind->first; at; at = at->next)
		if (at->count == 2 && strcasecmp(at->words[0], "acl") == 0 &&
		    strcasecmp(at->words[1], name) == 0)
			return at;
	return NULL;
}

static void add_prefix(struct acl *acl, const char *text, bool allow, const struct origin *at)
{
	struct prefix prefix;

	if (acl_prefix(&prefix, text))
		acl_add(acl, &prefix, allow, at);
}

static void add_list(struct bind *bind, struct acl *acl, const struct statement *first,
		     unsigned depth);

/* Of a list in a list counts what it lets in. */
static void add_nested(struct bind *bind, struct acl *acl, const struct statement *first,
		       bool allow, const struct origin *at, unsigned depth)
{
	struct acl inner = {0};
	struct acl_entry *entries;
	size_t count;

	if (++bind->lists > LISTS_MAX) {
		if (bind->lists == LISTS_MAX + 1)
			import_fault(bind->import, at,
				     "lists of addresses are put into others more than %d times",
				     LISTS_MAX);
		return;
	}
	add_list(bind, &inner, first, depth + 1);
	entries = acl_first_match(&inner, &count);
	for (size_t i = 0; i < count; i++)
		acl_add(acl, &entries[i].prefix, allow, at);
	free(entries);
	acl_release(&inner);
}

static void add_element(struct bind *bind, struct acl *acl, const struct statement *element,
			const char *text, bool allow, unsigned depth)
{
	const struct statement *named = find_acl(bind, text);
	const struct origin *at = &element->at;
	struct prefix prefix;

	if (strcasecmp(text, "any") == 0 || strcasecmp(text, "none") == 0) {
		allow = (strcasecmp(text, "any") == 0) == allow;
		add_prefix(acl, "0.0.0.0/0", allow, at);
		add_prefix(acl, "::/0", allow, at);
	} else if (strcasecmp(text, "localhost") == 0) {
		add_prefix(acl, "127.0.0.0/8", allow, at);
		add_prefix(acl, "::1/128", allow, at);
	} else if (strcasecmp(text, "localnets") == 0) {
		for (size_t i = 0; i < USUAL_CLIENTS; i++)
			add_prefix(acl, model_usual_clients[i], allow, at);
		import_changed(bind->import, at,
			       "localnets is loopback and all private networks; name those of "
			       "this machine's interfaces to be narrower");
	} else if (strcasecmp(text, "key") == 0) {
		import_lost(bind->import, at, "clients are told by their addresses, not by keys");
	} else if (named && depth < DEPTH_MAX) {
		add_nested(bind, acl, named->first, allow, at, depth);
	} else if (acl_prefix(&prefix, text)) {
		acl_add(acl, &prefix, allow, at);
	} else {
		import_lost(bind->import, at, "\"%s\" is no address, prefix or list", text);
	}
}

static void add_list(struct bind *bind, struct acl *acl, const struct statement *first,
		     unsigned depth)
{
	for (const struct statement *element = first; element; element = element->next) {
		const char *text = word(element, 0);
		bool allow = *text != '!';

		text += !allow;
		if (!allow && *text == '\0')
			text = word(element, 1);
		if (element->has_block)
			add_nested(bind, acl, element->first, allow, &element->at, depth);
		else
			add_element(bind, acl, element, text, allow, depth);
	}
}

/* ---- who asks ---- */

static bool is_of_earlier(const struct bind *bind, const struct view *view,
			  const struct prefix *prefix)
{
	for (const struct view *earlier = bind->views; earlier < view; earlier++)
		for (size_t i = 0; i < earlier->client_count; i++)
			if (prefix_covers(&earlier->clients[i].prefix, prefix))
				return true;
	return false;
}

/* The first view that fits takes a client; here it is the one with the longest prefix, so only what
 * is inside an earlier view's goes. */
static void take_match_clients(struct bind *bind, struct view *view)
{
	const struct statement *match =
		view->statement ? find(view->statement->first, "match-clients") : NULL;
	struct acl acl = {0};

	if (match)
		add_list(bind, &acl, match->first, 0);
	else
		for (size_t i = 0; i < 2; i++)
			add_prefix(&acl, i ? "::/0" : "0.0.0.0/0", true,
				   view->statement ? &view->statement->at : &bind->first->at);
	view->clients = acl_first_match(&acl, &view->client_count);
	acl_release(&acl);
}

/* Recursion's clients: the others get REFUSED for names of ours, too. */
static const struct statement *allowed(const struct bind *bind, const struct view *view)
{
	static const char *const names[] = {"allow-recursion", "allow-query-cache", "allow-query"};
	const struct statement *found = NULL;

	if (view->zones_only)
		return setting(bind, view, "allow-query");
	for (size_t i = 0; !found && i < COUNT(names); i++)
		found = setting(bind, view, names[i]);
	return found;
}

static void take_clients(struct bind *bind, struct view *view, const struct origin *at)
{
	const struct statement *list = allowed(bind, view);
	const struct statement usual = {
		.at = *at, .words = {view->zones_only ? "any" : "localnets"}, .count = 1};
	const struct statement *query = setting(bind, view, "allow-query");
	struct acl acl = {0};
	struct acl_entry *entries;
	char text[PREFIX_TEXT_MAX];
	size_t count;

	take_match_clients(bind, view);
	add_list(bind, &acl, list ? list->first : &usual, 0);
	entries = acl_first_match(&acl, &count);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < view->client_count; k++) {
			const struct acl_entry *match = &view->clients[k];
			/* Where both let in: the narrower of the two, if one is inside the other.
			 */
			const struct prefix *both =
				prefix_covers(&match->prefix, &entries[i].prefix)
					? &entries[i].prefix
				: prefix_covers(&entries[i].prefix, &match->prefix) ? &match->prefix
										    : NULL;

			if (both && !is_of_earlier(bind, view, both))
				forward_allow(bind->import, view->forward, &entries[i].at,
					      prefix_print(both, text));
		}
	forward_allow_no_more(bind->import, view->forward, list ? &list->at : at);
	view->allowed = acl_both((struct acl_set){entries, count},
				 (struct acl_set){view->clients, view->client_count});
	if (query && list != query)
		import_changed(bind->import, &query->at,
			       "who may ask is who may have names resolved (%s); all others are "
			       "REFUSED, for zones, too",
			       word(list, 0));
	free(entries);
	acl_release(&acl);
}

static void listen_at(struct bind *bind, const struct statement *listen, const char *any)
{
	struct origin whole = import_place(bind->import, bind->file, 0, NULL);
	const struct statement *port_of = bind->options ? find(bind->options->first, "port") : NULL;
	long usual = port_of ? words_number(word(port_of, 1)) : 0, port = usual;

	if (!listen) {
		forward_listen(bind->import, &whole, any, usual);
		return;
	}
	for (size_t i = 1; i + 1 < listen->count; i++) {
		if (strcasecmp(listen->words[i], "port") == 0)
			port = words_number(listen->words[i + 1]);
		else if (strcasecmp(listen->words[i], "tls") == 0 &&
			 strcasecmp(listen->words[i + 1], "none") != 0) {
			import_lost(bind->import, &listen->at, "clients ask without TLS");
			return;
		}
	}
	for (const struct statement *element = listen->first; element; element = element->next) {
		const char *text = word(element, 0);

		if (strcasecmp(text, "any") == 0)
			forward_listen(bind->import, &element->at, any, port);
		else if (strcasecmp(text, "localhost") == 0)
			forward_listen(bind->import, &element->at,
				       *any == ':' ? "::1" : "127.0.0.1", port);
		else if (strcasecmp(text, "none") != 0 &&
			 !forward_listen(bind->import, &element->at, text, port))
			import_lost(bind->import, &element->at,
				    "\"%s\" is no address; listen names each one", text);
	}
}

/* ---- whom to ask ---- */

/* "forwarders port 5353 { 192.0.2.1; 192.0.2.2 port 53; };" and the like; those named by another
 * list ("primaries NAME") are put in. */
static void take_targets(struct bind *bind, struct node *rule, const struct statement *list,
			 unsigned depth)
{
	long usual = 0;

	for (size_t i = 1; i + 1 < list->count; i++)
		if (strcasecmp(list->words[i], "port") == 0)
			usual = words_number(list->words[i + 1]);
	for (const struct statement *at = list->first; at; at = at->next) {
		const char *text = word(at, 0);
		long port = usual;
		bool tls = false;

		for (size_t i = 1; i + 1 < at->count; i++) {
			if (strcasecmp(at->words[i], "port") == 0)
				port = words_number(at->words[i + 1]);
			tls |= strcasecmp(at->words[i], "tls") == 0;
		}
		if (tls) {
			import_lost(bind->import, &at->at, "targets are asked without TLS");
			continue;
		}
		if (forward_target(bind->import, rule, &at->at, text, port, NULL))
			continue;
		const struct statement *named = bind->first;

		for (; named; named = named->next)
			if (named->count >= 2 && strcasecmp(named->words[1], text) == 0 &&
			    (strcasecmp(named->words[0], "primaries") == 0 ||
			     strcasecmp(named->words[0], "masters") == 0 ||
			     strcasecmp(named->words[0], "remote-servers") == 0))
				break;
		if (named && depth < DEPTH_MAX)
			take_targets(bind, rule, named, depth + 1);
		else
			import_lost(bind->import, &at->at, "\"%s\" is no address of a server",
				    text);
	}
}

static bool is_only(const struct bind *bind, const struct view *view, const struct statement *zone)
{
	const struct statement *forward = zone ? find(zone->first, "forward") : NULL;

	if (!forward)
		forward = setting(bind, view, "forward");
	return strcasecmp(word(forward, 1), "only") == 0;
}

static void tell_first(struct bind *bind, const struct view *view, const struct statement *zone,
		       const struct origin *at)
{
	if (!is_only(bind, view, zone))
		import_changed(bind->import, at,
			       "where the servers fail, nobody else is asked: " NO_ROOT
			       " (\"forward only\" means the same there)");
}

/* All that no zone decides. */
static void take_forwarders(struct bind *bind, struct view *view)
{
	const struct statement *own =
		view->statement ? find(view->statement->first, "forwarders") : NULL;
	const struct statement *list = setting(bind, view, "forwarders");
	const struct statement *empty = setting(bind, view, "empty-zones-enable");
	struct origin at = list ? list->at : import_place(bind->import, bind->file, 0, NULL);

	if (view->zones_only) {
		forward_no_default(bind->import, view->forward, &view->forward_at);
		return;
	}
	if (!list || !list->first) {
		import_lost(bind->import, &at,
			    "it resolves from the root by itself, which sluice does not: what no "
			    "zone and no rule decides goes to default_resolver, or to the servers "
			    "of /etc/resolv.conf");
		return;
	}
	take_targets(bind,
		     own ? forward_rule(bind->import, view->forward, &own->at, ".", true)
			 : forward_default(bind->import, &list->at),
		     list, 0);
	tell_first(bind, view, NULL, &list->at);
	/* named has no empty zones where it is to forward only. */
	if (!own && (is_only(bind, view, NULL) || words_flag(word(empty, 1)) == 0))
		import_text(bind->import, forward_default(bind->import, &list->at), "special_names",
			    &list->at, "forward");
}

/* ---- zones ---- */

static const char *path_of(struct bind *bind, const char *file)
{
	return *file == '/' || !bind->folder
		       ? file
		       : import_printf(bind->import, "%s/%s", bind->folder, file);
}

/* Who may copy it: an item of `transfers` for those without a key, and one for each key. */
static void take_transfers(struct bind *bind, const struct view *view, const struct statement *zone,
			   const char *name)
{
	struct import *import = bind->import;
	const struct statement *allow = find(zone->first, "allow-transfer");
	const struct statement *notify = find(zone->first, "also-notify");
	struct acl acl = {0};
	struct acl_entry *entries;
	struct node *item = NULL;
	char text[PREFIX_TEXT_MAX];
	size_t count;

	if (!allow)
		allow = setting(bind, view, "allow-transfer");
	for (const struct statement *at = allow ? allow->first : NULL; at; at = at->next) {
		if (strcasecmp(word(at, 0), "key") != 0) {
			struct statement alone = *at;

			alone.next = NULL;
			add_list(bind, &acl, &alone, 0);
			continue;
		}
		item = import_item(import, import_root(import), "transfers", &at->at);
		import_text(import, item, "name", &at->at,
			    import_name(import, "transfer", name, "zone"));
		import_add(import, item, "zones", &at->at, name);
		import_text(import, item, "key", &at->at, word(at, 1));
	}
	entries = acl_first_match(&acl, &count);
	if (count > 0) {
		item = import_item(import, import_root(import), "transfers", &allow->at);
		import_text(import, item, "name", &allow->at,
			    import_name(import, "transfer", name, "zone"));
		import_add(import, item, "zones", &allow->at, name);
	}
	for (size_t i = 0; i < count; i++)
		import_add(import, item, "allow", &allow->at,
			   prefix_print(&entries[i].prefix, text));
	free(entries);
	acl_release(&acl);
	for (const struct statement *at = notify ? notify->first : NULL; at; at = at->next) {
		if (item)
			import_add(import, item, "notify", &at->at, word(at, 0));
		else
			import_lost(import, &at->at, "nobody may copy the zone");
	}
}

static void take_primary(struct bind *bind, struct view *view, const struct statement *zone,
			 const char *name)
{
	const char *file = word(find(zone->first, "file"), 1);
	struct node *made;

	if (*file == '\0') {
		import_lost(bind->import, &zone->at, "it has no file");
		return;
	}
	made = forward_zone(bind->import, view->forward, &zone->at, name);
	if (!made)
		return;
	forward_zone_file(bind->import, made, &zone->at, path_of(bind, file), name);
	take_transfers(bind, view, zone, import_get(made, "name"));
}

/* Whether it is not, because the view resolves nothing for its clients. */
static bool is_not_asked(struct bind *bind, const struct view *view, const struct statement *zone)
{
	if (view->zones_only)
		import_lost(bind->import, &zone->at,
			    "without recursion its servers are not asked for clients");
	return view->zones_only;
}

static void take_asked(struct bind *bind, struct view *view, const struct statement *zone,
		       const char *name, const struct statement *list, const char *why)
{
	struct node *rule;

	if (!list || !list->first) {
		import_lost(bind->import, &zone->at, "it names no server; " NO_ROOT);
		return;
	}
	rule = forward_rule(bind->import, view->forward, &zone->at, name, true);
	if (rule)
		take_targets(bind, rule, list, 0);
	if (why)
		import_changed(bind->import, &zone->at, "%s", why);
}

/* Forwarders come before a stub's servers, unless the zone has an empty list of them. */
static void take_stub(struct bind *bind, struct view *view, const struct statement *zone,
		      const char *name, const struct statement *servers)
{
	const struct statement *own = find(zone->first, "forwarders"),
			       *forwarders = own ? own : setting(bind, view, "forwarders");

	if (own && own->first)
		take_asked(bind, view, zone, name, own, NULL);
	else if (forwarders && forwarders->first)
		import_lost(
			bind->import, &zone->at,
			"its names go to the forwarders, as its zone has no empty list of them");
	else
		take_asked(bind, view, zone, name, servers,
			   "its servers are asked as resolvers: they have to answer for all below "
			   "it themselves");
}

static void take_shared(struct bind *bind, struct view *view, const struct statement *zone,
			const char *of)
{
	if (!forward_share_zone(bind->import, view->forward, &zone->at, word(zone, 1), of))
		import_lost(bind->import, &zone->at, "the view %s has no such zone here", of);
}

/* Whether clients of the view may ask that may not ask for this zone, which cannot be said of one
 * zone: it is left out then. */
static bool is_closed_zone(struct bind *bind, const struct view *view, const struct statement *zone)
{
	const struct statement *list = find(zone->first, "allow-query");
	struct acl acl = {0};
	struct acl_set own, others;
	bool closed;

	if (!list)
		return false;
	add_list(bind, &acl, list->first, 0);
	own.entries = acl_first_match(&acl, &own.count);
	others = acl_without(view->allowed, own);
	closed = others.count > 0;
	if (closed)
		import_closed(bind->import, &zone->at, &view->forward_at,
			      import_printf(bind->import,
					    "the zone %s, for all clients of the view",
					    word(zone, 1)),
			      "the zone %s is left out: its allow-query lets in fewer than the "
			      "view, and here all clients of a network have its zones",
			      word(zone, 1));
	free(own.entries);
	free(others.entries);
	acl_release(&acl);
	return closed;
}

static void take_zone(struct bind *bind, struct view *view, const struct statement *zone)
{
	static const char *const known[] = {
		"type",           "file",      "forwarders",  "forward",
		"masters",        "primaries", "also-notify", "server-addresses",
		"allow-transfer", "in-view",   "allow-query"};
	const char *name = word(zone, 1), *type = word(find(zone->first, "type"), 1);
	const struct statement *primaries = find(zone->first, "primaries");

	primaries = primaries ? primaries : find(zone->first, "masters");
	if (strcasecmp(word(zone, 2), "CH") == 0 || strcasecmp(word(zone, 2), "chaos") == 0)
		import_lost(bind->import, &zone->at, "only zones of class IN are served");
	else if (is_closed_zone(bind, view, zone))
		; /* told */
	else if (find(zone->first, "in-view"))
		take_shared(bind, view, zone, word(find(zone->first, "in-view"), 1));
	else if (strcasecmp(type, "master") == 0 || strcasecmp(type, "primary") == 0)
		take_primary(bind, view, zone, name);
	else if (strcasecmp(type, "slave") == 0 || strcasecmp(type, "secondary") == 0)
		take_asked(bind, view, zone, name, primaries,
			   "zones are not transferred in: its primaries are asked instead");
	else if (strcasecmp(type, "stub") == 0 && !is_not_asked(bind, view, zone))
		take_stub(bind, view, zone, name, primaries);
	else if (strcasecmp(type, "static-stub") == 0 && !is_not_asked(bind, view, zone))
		take_stub(bind, view, zone, name, find(zone->first, "server-addresses"));
	else if (strcasecmp(type, "forward") == 0 && !is_not_asked(bind, view, zone)) {
		take_asked(bind, view, zone, name, find(zone->first, "forwarders"), NULL);
		tell_first(bind, view, zone, &zone->at);
	} else if (strcasecmp(type, "hint") == 0)
		import_lost(bind->import, &zone->at, NO_ROOT);
	else if (!view->zones_only ||
		 (!strcasestr(type, "stub") && strcasecmp(type, "forward") != 0))
		import_lost(bind->import, &zone->at, "a zone of type \"%s\" has nothing here",
			    type);
	for (const struct statement *at = zone->first; at; at = at->next) {
		size_t i = 0;

		import_comments_move(bind->import, &at->at, &zone->at);
		while (i < COUNT(known) && strcasecmp(known[i], word(at, 0)) != 0)
			i++;
		if (i == COUNT(known))
			words_lost(bind->import, &at->at, reasons, word(at, 0));
	}
}

/* ---- settings ---- */

static const struct row { /* of options that become a setting of ours */
	const char *name, *group, *key;
	enum { PERIOD, SIZE, NUMBER, TEXT } form;
} rows[] = {
	{"max-cache-ttl", "cache", "ttl_max", PERIOD},
	{"min-cache-ttl", "cache", "ttl_min", PERIOD},
	{"max-ncache-ttl", "cache", "negative_ttl_max", PERIOD},
	{"max-stale-ttl", "cache", "stale_max", PERIOD},
	{"max-cache-size", "cache", "size_bytes", SIZE},
	{"max-udp-size", "udp", "payload_max", NUMBER},
	{"version", "identity", "version", TEXT},
	{"server-id", "identity", "server", TEXT},
};

static bool is_handled(const char *name)
{
	static const char *const names[] = {"directory",
					    "recursion",
					    "listen-on",
					    "listen-on-v6",
					    "port",
					    "allow-query",
					    "forwarders",
					    "allow-recursion",
					    "allow-query-cache",
					    "forward",
					    "zone",
					    "empty-zones-enable",
					    "allow-transfer",
					    "match-clients",
					    "acl",
					    "options",
					    "view",
					    "key",
					    "masters",
					    "primaries",
					    "remote-servers"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

static void take_row(struct bind *bind, const struct row *row, const struct statement *statement)
{
	struct import *import = bind->import;
	const char *text = word(statement, 1);
	struct node *in = import_group(import, import_root(import), row->group, &statement->at);
	long long number = row->form == PERIOD ? words_period(text)
			   : row->form == SIZE ? words_size(text)
					       : words_number(text);

	if (row->form == TEXT && strcasecmp(text, "none") != 0)
		import_text(import, in, row->key, &statement->at, text);
	else if (row->form != TEXT && number >= 0)
		import_number(import, in, row->key, &statement->at, number);
	else
		import_lost(import, &statement->at, "\"%s\" is no value for it here", text);
}

static void take_query_source(struct bind *bind, struct view *view,
			      const struct statement *statement)
{
	struct address address;

	for (size_t i = 1; i < statement->count; i++)
		if (address_parse(&address, statement->words[i]) == 0)
			forward_source(bind->import, view->forward, &statement->at,
				       statement->words[i]);
}

/* Of options, of a view, or at the top. */
static void take_settings(struct bind *bind, struct view *view, const struct statement *first)
{
	for (const struct statement *at = first; at; at = at->next) {
		const char *name = word(at, 0);
		size_t i = 0;

		while (i < COUNT(rows) && strcasecmp(rows[i].name, name) != 0)
			i++;
		if (i < COUNT(rows))
			take_row(bind, &rows[i], at);
		else if (strncasecmp(name, "query-source", 12) == 0)
			take_query_source(bind, view, at);
		else if (strcasecmp(name, "stale-answer-enable") == 0) {
			if (words_flag(word(at, 1)) == 0)
				import_number(bind->import,
					      import_group(bind->import, import_root(bind->import),
							   "cache", &at->at),
					      "stale_max", &at->at, 0);
		} else if (!is_handled(name)) {
			words_lost(bind->import, &at->at, reasons, name);
		}
	}
}

static void take_keys(struct bind *bind)
{
	struct import *import = bind->import;

	for (const struct statement *at = bind->first; at; at = at->next) {
		struct node *key;
		const char *algorithm;

		if (at->count != 2 || strcasecmp(at->words[0], "key") != 0)
			continue;
		algorithm = word(find(at->first, "algorithm"), 1);
		key = import_item(import, import_root(import), "keys", &at->at);
		import_text(import, key, "name", &at->at, at->words[1]);
		if (*algorithm != '\0')
			import_text(import, key, "algorithm", &at->at, algorithm);
		import_text(import, key, "secret", &at->at, word(find(at->first, "secret"), 1));
	}
}

/* ---- the whole ---- */

static void list_views(struct bind *bind)
{
	size_t count = 0;

	for (const struct statement *at = bind->first; at; at = at->next)
		count += at->count >= 2 && strcasecmp(at->words[0], "view") == 0;
	bind->views = import_alloc(bind->import, (count + 1) * sizeof *bind->views);
	for (const struct statement *at = bind->first; at; at = at->next)
		if (at->count >= 2 && strcasecmp(at->words[0], "view") == 0)
			bind->views[bind->view_count++] = (struct view){
				.statement = at,
				.forward = forward_view(bind->import, at->words[1], &at->at)};
	if (count == 0)
		bind->views[bind->view_count++].forward =
			forward_view(bind->import, "home", &bind->first->at);
}

static void take_view(struct bind *bind, struct view *view)
{
	const struct statement *first = view->statement ? view->statement->first : bind->first;
	const struct statement *recursion = setting(bind, view, "recursion");

	view->zones_only = recursion && words_flag(word(recursion, 1)) == 0;
	view->forward_at = recursion         ? recursion->at
			   : view->statement ? view->statement->at
					     : bind->first->at;
	take_clients(bind, view, view->statement ? &view->statement->at : &bind->first->at);
	for (const struct statement *at = first; at; at = at->next)
		if (strcasecmp(word(at, 0), "zone") == 0)
			take_zone(bind, view, at);
	take_forwarders(bind, view);
	if (view->statement)
		take_settings(bind, view, view->statement->first);
}

void bind_read(struct import *import, const char *path)
{
	struct bind bind = {.import = import, .file = path};

	read_file(&bind, path, NULL, 0, &bind.first);
	if (!bind.first)
		return;
	bind.options = find(bind.first, "options");
	if (bind.options && find(bind.options->first, "directory"))
		bind.folder = word(find(bind.options->first, "directory"), 1);
	list_views(&bind);
	listen_at(&bind, bind.options ? find(bind.options->first, "listen-on") : NULL, "0.0.0.0");
	listen_at(&bind, bind.options ? find(bind.options->first, "listen-on-v6") : NULL, "::");
	take_keys(&bind);
	for (size_t i = 0; i < bind.view_count; i++)
		take_view(&bind, &bind.views[i]);
	if (bind.options)
		take_settings(&bind, &bind.views[0], bind.options->first);
	take_settings(&bind, &bind.views[0], bind.first);
	for (size_t i = 0; i < bind.view_count; i++) {
		free(bind.views[i].clients);
		free(bind.views[i].allowed.entries);
	}
}
