/* named.conf(5): statements of words and perhaps blocks of statements in braces, ended by
 * semicolons. They are read into a tree, with those of included files in place of the include. A
 * list of addresses is a block with a statement for each element. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/import/acl.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "resolver/control/import/words.h"
#include "rules/base.h"
#include "rules/prefix.h"
#include "rules/text.h"

enum { DEPTH_MAX = 20, BRACES_MAX = 100, WORDS_MAX = 16 };
enum { STALE_USUAL_S = 86400 }; /* the default of BIND's max-stale-ttl, and of our stale_max */

struct statement {
	struct origin at; /* at.path is the first word */
	const char *words[WORDS_MAX];
	size_t count;
	unsigned quoted; /* a bit for each word that is in quotes */
	bool has_block;
	struct statement *first, *next;
};

struct bind_view {
	const struct statement *statement; /* NULL: the only view, made of all files */
	bool zones_only;                   /* no recursion */
	struct forward_view *forward;
	struct origin forward_at;
	struct acl_set clients;   /* clients that use the view */
	struct acl_set reachable; /* not in `shut`, and no earlier view can match them by address */
	struct acl_set allowed;   /* clients that may ask */
};

struct unread { /* an unreadable part of a list, which makes the result more closed than the list */
	const struct statement *element; /* NULL: all was read */
	const char *text;
};

struct bind { /* kept by the import: all files are one server's */
	struct import *import;
	struct origin whole;             /* the first file */
	const char *folder;              /* options.directory; NULL: none */
	struct statement *first, **last; /* of all files */
	const struct statement *options; /* NULL: none */
	struct bind_view *views;
	size_t view_count;
	/* Elements of `listen` for all lists; an "any" loses its exceptions. NULL: none. */
	const char *listens;
	struct list *lists;   /* lists of addresses that were read */
	struct acl_set shut;  /* clients that get no answers at all */
	struct acl taken;     /* clients of earlier views */
	struct unread unread; /* of `shut` and `taken` */
};

/* ---- reading ---- */

struct bind_parser {
	struct bind *bind;
	const struct words *words;
	const struct word *at;
	unsigned depth, braces; /* depth: of included files; braces: open in this file */
};

static struct statement **read_statements(struct bind_parser *parser, struct statement **end);

static void fault(struct bind_parser *parser, const char *what)
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
	struct bind_parser parser = {.bind = bind, .words = &words, .depth = depth};

	if (!words_read(bind->import, path, at, &syntax, &words))
		return end;
	parser.at = words.items;
	end = read_statements(&parser, end);
	if (parser.at->mark == '}')
		fault(&parser, "a brace is closed that was not opened");
	return end;
}

/* Reads words, perhaps a block, and more words, up to a semicolon. */
static struct statement *read_statement(struct bind_parser *parser)
{
	struct import *import = parser->bind->import;
	struct statement *statement = import_alloc(import, sizeof *statement);
	bool more = false;

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
			statement->quoted |= (unsigned)parser->at->quoted << statement->count;
			statement->words[statement->count++] = parser->at->text;
		} else {
			more = true;
		}
	}
	if (more)
		import_lost(import, &statement->at, "its words behind the %dth are not read",
			    WORDS_MAX);
	parser->at++;
	return statement;
}

static struct statement **read_statements(struct bind_parser *parser, struct statement **end)
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
						   statement->words[1], &statement->at);

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

/* The view's own setting, or that of options. */
static const struct statement *setting(const struct bind *bind, const struct bind_view *view,
				       const char *name)
{
	const struct statement *found = view->statement ? find(view->statement->first, name) : NULL;

	return found || !bind->options ? found : find(bind->options->first, name);
}

static const char *word(const struct statement *statement, size_t i)
{
	return statement && i < statement->count ? statement->words[i] : "";
}

/* The word that follows `name` in the statement, as 5353 follows port in "forwarders port 5353";
 * NULL: none. */
static const char *word_behind(const struct statement *statement, const char *name)
{
	for (size_t i = 1; i + 1 < statement->count; i++)
		if (strcasecmp(statement->words[i], name) == 0)
			return statement->words[i + 1];
	return NULL;
}

/* Whether this is the first use of a setting that may apply to several views or zones. Callers
 * report only that use. */
static bool is_first_use(struct bind *bind, const struct statement *statement)
{
	char *key = import_printf(bind->import, "use of %p", (const void *)statement);
	bool first = !import_find(bind->import, key);

	if (first)
		import_keep(bind->import, key, bind);
	return first;
}

/* Whether the view or zone is of another class than IN, such as a view with "version.bind". */
static bool is_other_class(const struct statement *statement)
{
	static const char *const classes[] = {"CH", "CHAOS", "HS", "HESIOD"};

	for (size_t i = 0; i < COUNT(classes); i++)
		if (strcasecmp(word(statement, 2), classes[i]) == 0)
			return true;
	return false;
}

/* ---- settings without a counterpart ---- */

#define THE_UNIT      "the program, its user and its files are those of the unit"
#define NO_VALIDATION "sluice does not validate; DO and CD are passed through"
#define NO_ROOT       "sluice does not resolve from the root"
#define NO_TRANSFER   "zones are not transferred in"
#define NO_UPDATE     "DNS UPDATE registers names of machines only (registration in sluice.conf(5))"
#define BUILT_IN      "how targets are asked and watched is built in"

static const struct reason reasons[] = {
	{"logging", "sluice logs events to standard error (log in sluice.conf(5))"},
	{"querylog", "query_log in sluice.conf(5) is the log of queries"},
	{"controls", "commands reach sluice by its control socket, management.socket"},
	{"statistics-channels", "sluice status shows what is counted"},
	{"zone-statistics", "sluice status shows what is counted"},
	{"managed-keys", NO_VALIDATION},
	{"trust-anchors", NO_VALIDATION},
	{"trusted-keys", NO_VALIDATION},
	{"dnssec-*", NO_VALIDATION},
	{"also-notify", "each item of transfers has notify; write these servers there"},
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
	{"auth-nxdomain", "AA is set for what a zone answers"},
	{"minimal-*", "answers are minimal"},
	{"response-policy", "answers are not filtered; a private zone keeps its names inside"},
	{"rate-limit", "response_limit in sluice.conf(5) limits answers to one prefix"},
	{"dns64*", "AAAA records are not made of A records"},
	{"sortlist", "records come in the order that they have"},
	{"rrset-order", "records come in the order that they have"},
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

/* The reading of a list of addresses. An unreadable element lets nobody in, or keeps everybody
 * out. `excludes`: the addresses of the list are kept out. */
struct list_reading {
	struct bind *bind;
	bool excludes;
	bool is_usual; /* the file has no such list, so this is BIND's default */
	struct unread unread;
};

static void add_list(struct list_reading *reading, struct acl *acl, const struct statement *first,
		     unsigned depth);

struct list { /* a list, read once for all its uses */
	struct acl_set clients;
	struct unread unread;
	bool is_read;
	struct list *next;
};

/* Reads each list once. NULL: the list contains itself, which is a fault. */
static const struct list *list_of(struct list_reading *reading, const struct statement *first,
				  bool excludes, const struct origin *at, unsigned depth)
{
	struct bind *bind = reading->bind;
	struct list_reading nested = {.bind = bind, .excludes = excludes};
	char *key = import_printf(bind->import, "list %p %d", (const void *)first, excludes);
	struct list *list = import_find(bind->import, key);
	struct acl inner = {0};

	if (list && !list->is_read)
		import_fault(bind->import, at, "the list is in a list that it names");
	if (list)
		return list->is_read ? list : NULL;
	list = import_alloc(bind->import, sizeof *list);
	import_keep(bind->import, key, list);
	list->next = bind->lists;
	bind->lists = list;
	add_list(&nested, &inner, first, depth + 1);
	list->clients = acl_first_match(bind->import, &inner);
	list->unread = nested.unread;
	list->is_read = true;
	acl_release(&inner);
	return list;
}

/* A nested list stands for the addresses that it allows. */
static void add_nested(struct list_reading *reading, struct acl *acl, const struct statement *first,
		       bool allow, const struct origin *at, unsigned depth)
{
	const struct list *list = list_of(reading, first, reading->excludes == allow, at, depth);

	if (!list)
		return;
	if (!reading->unread.element)
		reading->unread = list->unread;
	for (size_t i = 0; i < list->clients.count; i++)
		acl_add(acl, &list->clients.entries[i].prefix, allow, at);
}

/* Adds an element of unknown meaning: as nobody if it lets clients in, as everybody if it keeps
 * them out, so that the result is not more open than the file. */
static void add_unread(struct list_reading *reading, struct acl *acl,
		       const struct statement *element, const char *text, bool allow)
{
	import_lost(reading->bind->import, &element->at, "\"%s\" is no address, prefix or list",
		    text);
	if (allow != reading->excludes)
		return;
	acl_add_all(acl, allow, &element->at);
	if (!reading->unread.element)
		reading->unread = (struct unread){element, text};
}

static void add_element(struct list_reading *reading, struct acl *acl,
			const struct statement *element, const char *text, bool allow,
			unsigned depth)
{
	struct import *import = reading->bind->import;
	const struct statement *named = find_acl(reading->bind, text);
	const struct origin *at = &element->at;
	struct prefix prefix;

	if (strcasecmp(text, "any") == 0 || strcasecmp(text, "none") == 0) {
		acl_add_all(acl, (strcasecmp(text, "any") == 0) == allow, at);
	} else if (strcasecmp(text, "localhost") == 0) {
		add_prefix(acl, "127.0.0.0/8", allow, at);
		add_prefix(acl, "::1/128", allow, at);
	} else if (strcasecmp(text, "localnets") == 0 && allow) {
		for (size_t i = 0; i < USUAL_CLIENTS; i++)
			add_prefix(acl, model_usual_clients[i], allow, at);
		import_changed(
			import, at,
			"more open: localnets, the networks that this machine is in, is "
			"loopback and all private networks; client_prefixes can name fewer%s",
			reading->is_usual
				? " (BIND takes localnets where allow-recursion is not given)"
				: "");
	} else if (strcasecmp(text, "key") == 0) {
		/* A key lets nobody in here, because only addresses count. */
		import_lost(import, at, "clients are told by their addresses, not by keys");
	} else if (named && depth < BRACES_MAX) {
		add_nested(reading, acl, named->first, allow, at, depth);
	} else if (!named && acl_prefix(&prefix, text)) {
		acl_add(acl, &prefix, allow, at);
	} else {
		add_unread(reading, acl, element, text, allow);
	}
}

/* Whether the element keeps out what it names, as "!10.0.0.1" and "! key k" do. */
static bool is_denial(const struct statement *element)
{
	return *word(element, 0) == '!';
}

/* A word of an element, without its "!", which may be a word of its own. */
static const char *element_word(const struct statement *element, size_t i)
{
	const char *first = word(element, 0);

	if (strcmp(first, "!") == 0)
		return word(element, i + 1);
	return i == 0 ? first + is_denial(element) : word(element, i);
}

static void add_list(struct list_reading *reading, struct acl *acl, const struct statement *first,
		     unsigned depth)
{
	for (const struct statement *element = first; element; element = element->next) {
		const char *text = element_word(element, 0);
		bool allow = !is_denial(element);

		if (element->has_block)
			add_nested(reading, acl, element->first, allow, &element->at, depth);
		else
			add_element(reading, acl, element, text, allow, depth);
	}
}

/* The addresses that the list allows, or those of `usual` if `list` is NULL. If a part cannot be
 * read, the result has too few addresses, or with `excludes` too many. */
static struct acl_set read_list(struct bind *bind, const struct statement *list, const char *usual,
				const struct origin *at, bool excludes, struct unread *unread)
{
	const struct statement alone = {.at = *at, .words = {usual}, .count = 1};
	struct list_reading reading = {.bind = bind, .excludes = excludes, .is_usual = !list};
	struct acl acl = {0};
	struct acl_set clients;

	add_list(&reading, &acl, list ? list->first : &alone, 0);
	clients = acl_first_match(bind->import, &acl);
	acl_release(&acl);
	if (!unread->element)
		*unread = reading.unread;
	return clients;
}

/* ---- clients ---- */

static struct acl_set cut(struct bind *bind, struct acl_set from, struct acl_set what)
{
	struct acl_set rest = acl_without(bind->import, from, what);

	acl_set_release(&from);
	return rest;
}

static struct acl_set narrow(struct bind *bind, struct acl_set set, struct acl_set to)
{
	struct acl_set both = acl_both(bind->import, set, to);

	acl_set_release(&set);
	acl_set_release(&to);
	return both;
}

static bool means_all(const struct statement *list)
{
	return !list ||
	       (list->first && !list->first->next && strcasecmp(word(list->first, 0), "any") == 0);
}

/* A setting that selects the view by more than the client; NULL: none. */
static const struct statement *place_of_view(const struct bind_view *view)
{
	const struct statement *first = view->statement ? view->statement->first : NULL;
	const struct statement *where = find(first, "match-destinations"),
			       *how = find(first, "match-recursive-only");

	if (!means_all(where))
		return where;
	return how && words_flag(word(how, 1)) != 0 ? how : NULL;
}

static const struct statement *place_of_recursion(const struct bind *bind,
						  const struct bind_view *view)
{
	const struct statement *where = setting(bind, view, "allow-recursion-on"),
			       *cache = setting(bind, view, "allow-query-cache-on");

	return !means_all(where) ? where : !means_all(cache) ? cache : NULL;
}

/* In BIND a client gets the first view that matches; here it gets the one with the longest prefix.
 * So clients that an earlier view may match are removed from later ones. */
static void take_match_clients(struct bind *bind, struct bind_view *view, const struct origin *at,
			       struct unread *unread)
{
	const struct statement *match =
		view->statement ? find(view->statement->first, "match-clients") : NULL;
	struct acl_set taken = {bind->taken.entries, bind->taken.count},
		       most = read_list(bind, match, "any", at, true, &bind->unread);

	view->clients = read_list(bind, match, "any", at, false, unread);
	view->clients = cut(bind, view->clients, taken);
	view->clients = cut(bind, view->clients, bind->shut);
	view->reachable = read_list(bind, NULL, "any", at, false, &bind->unread);
	view->reachable = cut(bind, view->reachable, taken);
	view->reachable = cut(bind, view->reachable, bind->shut);
	most = cut(bind, most, taken);
	for (size_t i = 0; i < most.count; i++)
		acl_add_of(&bind->taken, &most.entries[i]);
	acl_set_release(&most);
}

/* The clients that get recursion: those that allow-recursion and allow-query-cache have in common,
 * or those of the only one of the two that is given. If neither is given, those of allow-query; if
 * that is not given either, the default, localnets. */
static struct acl_set recursion_of(struct bind *bind, const struct bind_view *view,
				   const struct origin *at, struct unread *unread)
{
	static const char *const names[] = {"allow-recursion", "allow-query-cache"};
	struct acl_set clients;
	const struct statement *lists[COUNT(names)];

	for (size_t i = 0; i < COUNT(names); i++)
		lists[i] = setting(bind, view, names[i]);
	if (!lists[0] && !lists[1])
		lists[0] = setting(bind, view, "allow-query");
	clients = read_list(bind, lists[0] ? lists[0] : lists[1], "localnets", at, false, unread);
	if (lists[0] && lists[1])
		clients =
			narrow(bind, clients, read_list(bind, lists[1], "none", at, false, unread));
	return clients;
}

/* Sets the clients of the view's network: those with recursion, or, in a view without recursion,
 * those of its zones. */
static void take_clients(struct bind *bind, struct bind_view *view, const struct origin *at)
{
	struct import *import = bind->import;
	const struct statement *query = setting(bind, view, "allow-query");
	const struct statement *place = place_of_view(view);
	struct unread unread = bind->unread;
	struct acl_set open = {0};

	take_match_clients(bind, view, at, &unread);
	if (!view->zones_only) {
		view->allowed = recursion_of(bind, view, at, &unread);
		view->zones_only = view->allowed.count == 0 && !unread.element;
		if (!place && !view->zones_only)
			place = place_of_recursion(bind, view);
	}
	if (view->zones_only) {
		acl_set_release(&view->allowed);
		view->allowed = read_list(bind, query, "any", at, false, &unread);
	}
	view->allowed = narrow(bind, view->allowed,
			       acl_without(import, view->clients, (struct acl_set){0}));
	if (place) {
		open = view->allowed;
		view->allowed = (struct acl_set){0};
		import_closed(import, &place->at, forward_network(view->forward),
			      forward_open_text(import, open),
			      "clients are told by their addresses, not by where and how they ask: "
			      "nobody may");
	} else if (unread.element) {
		import_closed(import, &unread.element->at, forward_network(view->forward),
			      "client_prefixes = [ \"0.0.0.0/0\", \"::/0\" ];",
			      "\"%s\" is no address, prefix or list, and anybody may be meant: "
			      "whoever is not let in ahead of it is kept out",
			      unread.text);
	}
	forward_allow_only(import, view->forward, at, view->allowed);
	acl_set_release(&open);
}

/* Whether the list or its element is for TLS. */
static bool is_encrypted(const struct statement *statement)
{
	const char *tls = word_behind(statement, "tls");

	return tls && strcasecmp(tls, "none") != 0;
}

/* The port of a listen-on; NULL: the port of a server without listen-on. */
static long listen_port(const struct bind *bind, const struct statement *listen)
{
	const struct statement *usual = bind->options ? find(bind->options->first, "port") : NULL;
	const char *own = listen ? word_behind(listen, "port") : NULL;

	return own ? words_number(own) : usual ? words_number(word(usual, 1)) : DNS_PORT;
}

/* Whether the port is valid. If not, reports a fault. */
static bool is_port(struct bind *bind, const struct origin *at, long port)
{
	if (port > 0 && port <= 65535)
		return true;
	import_fault(bind->import, at, "its port is no number from 1 to 65535");
	return false;
}

/* The first element that keeps an address out of the "any" that follows it; NULL: there is none. */
static const struct statement *exclusion(const struct statement *listen)
{
	const struct statement *denied = NULL;

	for (const struct statement *at = listen->first; at; at = at->next) {
		if (strcasecmp(word(at, 0), "any") == 0)
			return denied;
		if (strcasecmp(word(at, 0), "none") == 0)
			return NULL;
		if (!denied && *word(at, 0) == '!')
			denied = at;
	}
	return NULL;
}

/* Whether BIND certainly listens at the address because of this list. The first element with the
 * address counts. A denied element that is no prefix, such as a named list, may have the address,
 * so it counts as if it had. */
static bool listens_at(const struct statement *listen, const char *text)
{
	for (const struct statement *at = listen->first; at; at = at->next) {
		const char *element = element_word(at, 0);
		struct prefix prefix, address;

		if (strcasecmp(element, "none") == 0)
			return false;
		if (strcasecmp(element, "any") == 0 || strcasecmp(element, "localhost") == 0 ||
		    (is_denial(at) && !acl_prefix(&prefix, element)) ||
		    (acl_prefix(&prefix, element) && acl_prefix(&address, text) &&
		     prefix_contains(&prefix, &address.address)))
			return !is_denial(at);
	}
	return false;
}

/* Adds an address to bind->listens, which close_listen offers as a line to copy. Leaves out an
 * invalid address or port. */
static void add_open(struct bind *bind, const char *address, long port)
{
	const char *ahead = bind->listens;
	struct host host;
	char text[HOST_TEXT_MAX];

	if (port <= 0 || port > 65535 || host_parse(&host, address, DNS_PORT) != 0)
		return;
	host.port = (uint16_t)port;
	bind->listens = import_printf(bind->import, "%s%s\"%s\"", ahead ? ahead : "",
				      ahead ? ", " : "", host_print(&host, text));
}

/* Whether the text is an address that an earlier element of the list denies, or may deny. */
static bool is_denied_first(const struct statement *listen, const char *text)
{
	struct address address;

	return address_parse(&address, text) == 0 && !listens_at(listen, text);
}

/* Listens at the addresses of a list. As in BIND the first element that fits counts, so an address
 * that is denied behind "any" is listened at. An "any" with exceptions is left out. */
static void listen_at(struct bind *bind, const struct statement *listen, const char *any)
{
	const struct statement *denied = exclusion(listen);
	long port = listen_port(bind, listen);

	if (is_encrypted(listen)) {
		import_lost(bind->import, &listen->at, "clients ask without TLS");
		return;
	}
	if (!is_port(bind, &listen->at, port))
		return;
	for (const struct statement *element = listen->first; element; element = element->next) {
		const char *text = word(element, 0);
		bool is_any = strcasecmp(text, "any") == 0;

		if (strcasecmp(text, "none") == 0)
			return;
		if (*text == '!')
			continue;
		if (is_any)
			text = any;
		else if (strcasecmp(text, "localhost") == 0)
			text = *any == ':' ? "::1" : "127.0.0.1";
		if (!is_any && is_denied_first(listen, text)) {
			import_fault(bind->import, &element->at,
				     "an element before \"%s\" denies it, or may; write the "
				     "addresses that are meant",
				     word(element, 0));
			continue;
		}
		/* With `denied` an "any" follows, which has this address, too. */
		if (is_any || !denied)
			add_open(bind, text, port);
		if (!(is_any && denied) && !forward_listen(bind->import, &element->at, text, port))
			import_lost(bind->import, &element->at,
				    "\"%s\" is no address; listen names each one", text);
		if (is_any)
			return;
	}
}

static const char *const listen_names[] = {"listen-on", "listen-on-v6"};

/* Listens at a loopback address. False: BIND listens at none. */
static bool listen_at_loopback(struct bind *bind, const struct origin *why)
{
	static const char *const loopback[] = {"127.0.0.1", "::1"};

	for (size_t i = 0; i < COUNT(listen_names); i++)
		for (const struct statement *at = find(bind->options->first, listen_names[i]); at;
		     at = find(at->next, listen_names[i]))
			if (!is_encrypted(at) && listens_at(at, loopback[i]))
				return forward_listen(bind->import, why, loopback[i],
						      listen_port(bind, at));
	return false;
}

/* Reports lists whose "any" is left out, because `listen` cannot express exceptions. If no address
 * is left, listens at loopback: without `listen`, the server would choose addresses by itself. */
static void close_listen(struct bind *bind)
{
	struct import *import = bind->import;
	const struct statement *first = bind->options ? bind->options->first : NULL;
	struct node *group = NULL;
	bool is_empty = false;

	/* There is no "any", or its port is invalid, which was reported as a fault. */
	if (!bind->listens)
		return;
	for (size_t i = 0; i < COUNT(listen_names); i++)
		for (const struct statement *at = find(first, listen_names[i]); at;
		     at = find(at->next, listen_names[i])) {
			const struct statement *denied = is_encrypted(at) ? NULL : exclusion(at);

			if (!denied)
				continue;
			group = import_group(import, import_root(import), "vnet_resolver",
					     &denied->at);
			if (import_count(group, "listen") == 0) {
				is_empty = true;
				if (!listen_at_loopback(bind, &denied->at)) {
					import_fault(import, &denied->at,
						     "listen has no exceptions: write the "
						     "addresses that are meant by \"any\" in its "
						     "place");
					return;
				}
			}
			import_closed(import, &denied->at, group,
				      import_printf(import, "listen = [ %s ];", bind->listens),
				      "listen has no exceptions: name the addresses that are "
				      "meant by \"any\", which is left out%s",
				      is_empty ? "; only loopback is listened at" : "");
		}
}

/* listen-on may be repeated, each time with another port. */
static void listen_at_all(struct bind *bind)
{
	static const char *const any[] = {"0.0.0.0", "::"};
	const struct statement *first = bind->options ? bind->options->first : NULL;
	const struct statement *port = find(first, "port");

	if (port && !is_port(bind, &port->at, words_number(word(port, 1))))
		return;
	for (size_t i = 0; i < COUNT(listen_names); i++) {
		const struct statement *at = find(first, listen_names[i]);

		if (!at) {
			add_open(bind, any[i], listen_port(bind, NULL));
			forward_listen(bind->import, &bind->whole, any[i], listen_port(bind, NULL));
		}
		for (; at; at = find(at->next, listen_names[i]))
			listen_at(bind, at, any[i]);
	}
	close_listen(bind);
}

/* Whether clients can ask at no other port. */
static bool listens_only_at(const struct bind *bind, long port)
{
	const struct statement *first = bind->options ? bind->options->first : NULL;

	for (size_t i = 0; i < COUNT(listen_names); i++) {
		const struct statement *at = find(first, listen_names[i]);

		if (!at && listen_port(bind, NULL) != port)
			return false;
		for (; at; at = find(at->next, listen_names[i]))
			if (!is_encrypted(at) && strcasecmp(word(at->first, 0), "none") != 0 &&
			    listen_port(bind, at) != port)
				return false;
	}
	return true;
}

/* ---- upstreams ---- */

static const struct statement *find_servers(const struct bind *bind, const char *name)
{
	static const char *const kinds[] = {"primaries", "masters", "remote-servers"};

	for (const struct statement *at = bind->first; at; at = at->next)
		for (size_t i = 0; i < COUNT(kinds); i++)
			if (at->count >= 2 && strcasecmp(at->words[0], kinds[i]) == 0 &&
			    strcasecmp(at->words[1], name) == 0)
				return at;
	return NULL;
}

/* Where the servers of a list go: to `rule`, a rule or the default resolver. If `rule` is NULL, the
 * first server makes a rule of `view` for all names, which then gets them all. */
struct asked_servers {
	struct node *rule;
	struct forward_view *view;
	const struct origin *at; /* of the view's rule */
};

struct servers { /* a named list whose servers a rule has */
	bool is_read;
	bool encrypted; /* some of its servers are asked over TLS, and so left out */
};

/* Adds a server; false: its address or port is invalid. */
static bool take_target(struct bind *bind, struct asked_servers *asked, const struct origin *at,
			const char *address, long port)
{
	if (!forward_is_target(address, port))
		return false;
	if (!asked->rule)
		asked->rule = forward_rule(bind->import, asked->view, asked->at, ".", true);
	return forward_target(bind->import, asked->rule, at, address, port, NULL);
}

static bool take_targets(struct bind *bind, struct asked_servers *asked,
			 const struct statement *list, unsigned depth);

/* Gives the rule the servers of a named list, once for all its uses. Returns whether some are asked
 * over TLS. */
static bool take_named(struct bind *bind, struct asked_servers *asked,
		       const struct statement *named, const struct origin *at, unsigned depth)
{
	struct import *import = bind->import;
	const void *whose = asked->view ? (void *)asked->view : (void *)asked->rule;
	char *key = import_printf(import, "servers %p %p", whose, (const void *)named);
	struct servers *servers = import_find(import, key);

	if (servers && !servers->is_read)
		import_fault(import, at, "the list is in a list that it names");
	if (servers)
		return servers->encrypted;
	if (depth == DEPTH_MAX) {
		import_fault(import, at, "servers are named through more than %d lists", DEPTH_MAX);
		return false;
	}
	servers = import_alloc(import, sizeof *servers);
	import_keep(import, key, servers);
	servers->encrypted = take_targets(bind, asked, named, depth + 1);
	servers->is_read = true;
	return servers->encrypted;
}

/* Reads "forwarders port 5353 { 192.0.2.1; 192.0.2.2 port 53; };" and the like; named lists
 * ("primaries NAME") are included. Returns whether some servers were left out because they are
 * asked over TLS. */
static bool take_targets(struct bind *bind, struct asked_servers *asked,
			 const struct statement *list, unsigned depth)
{
	const char *usual = word_behind(list, "port");
	bool encrypted = false;

	for (const struct statement *at = list->first; at; at = at->next) {
		const char *text = word(at, 0), *port = word_behind(at, "port");
		const struct statement *named;

		port = port ? port : usual;
		if (is_encrypted(at) || (is_encrypted(list) && !word_behind(at, "tls"))) {
			import_lost(bind->import, &at->at, "targets are asked without TLS");
			encrypted = true;
			continue;
		}
		if (take_target(bind, asked, &at->at, text, port ? words_number(port) : 0))
			continue;
		named = find_servers(bind, text);
		if (named)
			encrypted |= take_named(bind, asked, named, &at->at, depth);
		else
			import_lost(bind->import, &at->at, "\"%s\" is no address of a server",
				    text);
	}
	return encrypted;
}

static bool is_only(const struct bind *bind, const struct bind_view *view,
		    const struct statement *zone)
{
	const struct statement *forward = zone ? find(zone->first, "forward") : NULL;

	if (!forward)
		forward = setting(bind, view, "forward");
	return strcasecmp(word(forward, 1), "only") == 0;
}

static void tell_first(struct bind *bind, const struct bind_view *view,
		       const struct statement *zone, const struct origin *at)
{
	if (!is_only(bind, view, zone))
		import_changed(bind->import, at,
			       "where the servers fail, nobody else is asked, as with \"forward "
			       "only\"; BIND resolves the name from the root then");
}

/* Sets the upstreams for names that no zone decides. */
static void take_forwarders(struct bind *bind, struct bind_view *view)
{
	const struct statement *own =
		view->statement ? find(view->statement->first, "forwarders") : NULL;
	const struct statement *list = setting(bind, view, "forwarders");
	const struct statement *empty = setting(bind, view, "empty-zones-enable");
	struct origin at = list ? list->at : bind->whole;
	struct asked_servers asked = {0};

	if (view->zones_only) {
		forward_no_default(bind->import, view->forward, &view->forward_at);
		return;
	}
	if (!list || !list->first) {
		import_lost(
			bind->import, &at,
			"%sit resolves from the root by itself, which sluice does not: what no "
			"zone and no rule decides goes to default_resolver, or to the servers "
			"of /etc/resolv.conf",
			bind->view_count > 1
				? import_printf(bind->import, "in view %s, ",
						import_get(forward_network(view->forward), "name"))
				: "");
		return;
	}
	if (own)
		asked = (struct asked_servers){.view = view->forward, .at = &own->at};
	else
		asked.rule = forward_default(bind->import, &list->at);
	if (take_targets(bind, &asked, list, 0))
		forward_encrypted_default(bind->import, view->forward, asked.rule, &list->at);
	else if (!asked.rule)
		import_lost(bind->import, &list->at,
			    "no server is left; what no zone and no rule decides goes to "
			    "default_resolver, or to the servers of /etc/resolv.conf");
	tell_first(bind, view, NULL, &list->at);
	/* A server that only forwards has no empty zones. */
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

/* The key of import_find for the use of a TSIG key in zone transfers. */
static const char *key_use(struct import *import, const char *name)
{
	size_t length = strlen(name);

	length -= length > 1 && name[length - 1] == '.';
	return text_lower(import_printf(import, "use of key %.*s", (int)length, name));
}

/* The clients that a list lets in if they have the key. `ahead`: the addresses ahead of the key in
 * the list, which count first. All other clients are let in, or, if the key is denied, kept out. */
static struct acl_set clients_behind(struct import *import, const struct acl *ahead,
				     const struct statement *key)
{
	struct acl acl = {0};
	struct acl_set clients;

	for (size_t i = 0; i < ahead->count; i++)
		acl_add_of(&acl, &ahead->entries[i]);
	acl_add_all(&acl, !is_denial(key), &key->at);
	clients = acl_first_match(import, &acl);
	acl_release(&acl);
	return clients;
}

static void add_one(struct list_reading *reading, struct acl *acl, const struct statement *element)
{
	struct statement alone = *element;

	alone.next = NULL;
	add_list(reading, acl, &alone, 0);
}

/* The clients that use the view if they have the key. */
static struct acl_set clients_with(struct bind *bind, const struct bind_view *view, const char *key)
{
	struct import *import = bind->import;
	const struct statement *match =
		view->statement ? find(view->statement->first, "match-clients") : NULL;
	const char *use = key_use(import, key);
	struct list_reading reading = {.bind = bind};
	struct acl ahead = {0};
	struct acl_set clients = acl_without(import, view->clients, (struct acl_set){0});

	for (const struct statement *at = match ? match->first : NULL; at; at = at->next) {
		if (strcasecmp(element_word(at, 0), "key") == 0 &&
		    strcmp(key_use(import, element_word(at, 1)), use) == 0) {
			acl_set_release(&clients);
			clients = narrow(bind, clients_behind(import, &ahead, at),
					 acl_without(import, view->reachable, (struct acl_set){0}));
			break;
		}
		add_one(&reading, &ahead, at);
	}
	acl_release(&ahead);
	return clients;
}

/* With several views, keeps only the clients of this view: clients of another view get that view's
 * zone of the same name. `key`: the name of the key that the clients have; NULL: none. */
static struct acl_set copying(struct bind *bind, const struct bind_view *view,
			      struct acl_set clients, const char *key)
{
	if (bind->view_count > 1)
		clients =
			narrow(bind, clients,
			       key ? clients_with(bind, view, key)
				   : acl_without(bind->import, view->clients, (struct acl_set){0}));
	return clients;
}

static bool is_everybody(struct acl_set clients)
{
	return clients.count == 2 && clients.entries[0].prefix.length == 0 &&
	       clients.entries[1].prefix.length == 0;
}

/* Makes an item of `transfers` that lets these clients copy the zone. An empty set lets in all
 * clients, so the caller must then add a key. */
static struct node *allow_copies(struct bind *bind, const struct node *made,
				 const struct origin *at, struct acl_set clients)
{
	struct import *import = bind->import;
	struct node *item = import_item(import, import_root(import), "transfers", at);
	char text[PREFIX_TEXT_MAX];

	import_text(import, item, "name", at,
		    import_name(import, "transfer", import_get(made, "name"), "zone"));
	import_add(import, item, "zones", at, forward_zone_name(import, made));
	for (size_t i = 0; i < clients.count; i++)
		import_add(import, item, "allow", at,
			   prefix_print(&clients.entries[i].prefix, text));
	return item;
}

/* Whether the list allows transfers only over TLS, or only at one of several ports. Such a limit
 * cannot be expressed, and without it the same clients could copy the zone in other ways, so the
 * caller then allows nobody. Reports that. */
static bool is_for_some(struct bind *bind, const struct statement *allow)
{
	const char *transport = word_behind(allow, "transport"), *port = word_behind(allow, "port");
	bool encrypted = transport && strcasecmp(transport, "tcp") != 0;

	if (!encrypted && (!port || listens_only_at(bind, words_number(port))))
		return false;
	if (is_first_use(bind, allow))
		import_lost(
			bind->import, &allow->at, "%s: nobody may copy the zone",
			encrypted
				? "the zone is given over TLS alone, which sluice does not speak"
				: "clients are told by their addresses, not by the port that they "
				  "ask at");
	return true;
}

/* Lets clients with the key copy the zone, by an item of `transfers`. Leaves out clients that an
 * element ahead of the key denies, and clients of other views. NULL: no client is left, which is
 * reported. */
static struct node *allow_key(struct bind *bind, const struct bind_view *view,
			      const struct statement *element, const struct acl *ahead,
			      const struct node *made)
{
	struct import *import = bind->import;
	struct acl_set clients = clients_behind(import, ahead, element),
		       no_list = {0}; /* everybody with the key */
	struct node *item = NULL;
	bool lets_in = clients.count > 0;

	clients = copying(bind, view, clients, word(element, 1));
	if (clients.count == 0) {
		import_lost(import, &element->at,
			    lets_in ? "no client with this key uses the view, or the list ahead of "
				      "it keeps them out"
				    : "the list ahead of it keeps out all clients");
	} else {
		item = allow_copies(bind, made, &element->at,
				    is_everybody(clients) ? no_list : clients);
		import_text(import, item, "key", &element->at, word(element, 1));
		import_keep(import, key_use(import, word(element, 1)), item);
	}
	acl_set_release(&clients);
	return item;
}

/* Takes the servers to notify: "also-notify port 5353 { 10.1.0.9; 10.1.0.10 port 53; };". */
static void take_notify(struct bind *bind, struct node *item, const struct statement *notify)
{
	struct import *import = bind->import;
	const char *usual = word_behind(notify, "port");

	for (const struct statement *at = notify->first; at; at = at->next) {
		const char *port = word_behind(at, "port"), *text = word(at, 0);
		long number = port || usual ? words_number(port ? port : usual) : 0;
		struct host host;
		char printed[HOST_TEXT_MAX];

		if (is_encrypted(at) || (is_encrypted(notify) && !word_behind(at, "tls"))) {
			import_lost(import, &at->at,
				    "it is told over TLS, which sluice does not speak");
		} else if (!item) {
			import_lost(import, &at->at, "nobody may copy the zone");
		} else if (number > 0 && number < 65536 && host_parse(&host, text, DNS_PORT) == 0) {
			host.port = (uint16_t)number;
			import_add(import, item, "notify", &at->at, host_print(&host, printed));
		} else {
			import_add(import, item, "notify", &at->at, text);
		}
	}
}

/* Writes the access to copies of the zone: an item of `transfers` for clients without a key, and
 * one for each key. */
static void take_transfers(struct bind *bind, const struct bind_view *view,
			   const struct statement *zone, const struct node *made)
{
	struct import *import = bind->import;
	const struct statement *allow = find(zone->first, "allow-transfer");
	const struct statement *notify = find(zone->first, "also-notify");
	struct list_reading reading = {.bind = bind};
	struct acl acl = {0};
	struct acl_set clients;
	struct node *item = NULL;

	if (!allow)
		allow = setting(bind, view, "allow-transfer");
	if (!allow && !import_find(import, "copies by default")) {
		import_keep(import, "copies by default", bind);
		import_changed(import, &zone->at,
			       "nobody may copy it, nor other zones without allow-transfer; BIND "
			       "before 9.20 lets everybody");
	}
	if (allow && is_for_some(bind, allow))
		allow = NULL;
	for (const struct statement *at = allow ? allow->first : NULL; at; at = at->next) {
		if (strcasecmp(word(at, 0), "key") == 0) {
			struct node *keyed = allow_key(bind, view, at, &acl, made);

			item = keyed ? keyed : item;
		} else {
			add_one(&reading, &acl, at);
		}
	}
	clients = copying(bind, view, acl_first_match(import, &acl), NULL);
	if (clients.count > 0)
		item = allow_copies(bind, made, &allow->at, clients);
	acl_set_release(&clients);
	acl_release(&acl);
	if (notify)
		take_notify(bind, item, notify);
}

/* What becomes of the names of a zone that is closed. */
#define NOT_REFUSED                                                                                \
	"until it is open its names go where others go; BIND refuses them to clients that may "    \
	"not ask"

static void take_primary(struct bind *bind, struct bind_view *view, const struct statement *zone,
			 const char *name, bool closed)
{
	const char *file = word(find(zone->first, "file"), 1);
	struct node *made;

	if (*file == '\0') {
		import_lost(bind->import, &zone->at, "it has no file");
		return;
	}
	made = closed ? forward_zone_unlinked(bind->import, view->forward, &zone->at, name)
		      : forward_zone(bind->import, view->forward, &zone->at, name);
	if (!made)
		return;
	if (closed)
		import_closed(bind->import, &zone->at, made,
			      forward_link_text(bind->import, view->forward),
			      "the zone %s is nobody's: it lets in fewer than the view, and here "
			      "all clients of a network have its zones; " NOT_REFUSED,
			      name);
	/* named opens included files relative to its working directory. */
	forward_zone_file(bind->import, made, &zone->at, path_of(bind, file), name, bind->folder);
	take_transfers(bind, view, zone, made);
}

/* Whether the zone's servers are never asked, because the view has no recursion; reports that. */
static bool is_not_asked(struct bind *bind, const struct bind_view *view,
			 const struct statement *zone)
{
	if (view->zones_only)
		import_lost(bind->import, &zone->at,
			    "without recursion its servers are not asked for clients");
	return view->zones_only;
}

/* Makes a rule that asks the servers of the list. NULL: the list has none, or the zone's name is
 * invalid, which is reported. */
static struct node *take_asked(struct bind *bind, struct bind_view *view,
			       const struct statement *zone, const char *name,
			       const struct statement *list, const char *why)
{
	struct node *rule;

	if (!list || !list->first) {
		import_lost(bind->import, &zone->at, "it names no server; " NO_ROOT);
		return NULL;
	}
	rule = forward_rule(bind->import, view->forward, &zone->at, name, true);
	if (rule)
		take_targets(bind, &(struct asked_servers){.rule = rule}, list, 0);
	if (why)
		import_changed(bind->import, &zone->at, "%s", why);
	return rule;
}

/* Whether the zone is a copy of the root, or a stub of it, whose servers only refer to others;
 * reports that. */
static bool is_root_copy(struct bind *bind, const struct statement *zone, const char *name)
{
	bool is_root = strcmp(name, ".") == 0;

	if (is_root)
		import_lost(
			bind->import, &zone->at,
			"it is a copy of the root, whose servers only refer to others: " NO_ROOT);
	return is_root;
}

static void take_secondary(struct bind *bind, struct bind_view *view, const struct statement *zone,
			   const char *name, const struct statement *primaries, bool closed)
{
	struct node *rule;

	if (is_root_copy(bind, zone, name))
		return;
	rule = take_asked(bind, view, zone, name, primaries,
			  "zones are not transferred in: its primaries are asked instead");
	if (!rule || !closed)
		return;
	import_text(bind->import, rule, "state", &zone->at, "Disabled");
	import_closed(bind->import, &zone->at, rule, "state = \"Enabled\";",
		      "the zone %s is nobody's: it lets in fewer than the view, and here all "
		      "clients of a network have its rules; " NOT_REFUSED,
		      name);
}

/* Forwarders take precedence over a stub's servers, unless the zone has an empty list of them. */
static void take_stub(struct bind *bind, struct bind_view *view, const struct statement *zone,
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
	else if (!is_root_copy(bind, zone, name))
		take_asked(bind, view, zone, name, servers,
			   "its servers are asked as resolvers: they have to answer for all below "
			   "it themselves");
}

static void take_shared(struct bind *bind, struct bind_view *view, const struct statement *zone,
			const char *of)
{
	if (!forward_share_zone(bind->import, view->forward, &zone->at, word(zone, 1),
				forward_view(bind->import, of, &zone->at)))
		import_lost(bind->import, &zone->at, "the view %s has no such zone here", of);
}

/* The zone's setting, or that of its view. A zone that is shared from another view (in-view) has
 * the settings that it has in that view. */
static const struct statement *setting_of_zone(const struct bind *bind,
					       const struct bind_view *view,
					       const struct statement *zone, const char *name)
{
	const struct statement *own = find(zone->first, name), *in = find(zone->first, "in-view");

	for (size_t i = 0; in && i < bind->view_count; i++) {
		const struct statement *other = bind->views[i].statement;

		if (!other || strcasecmp(word(other, 1), word(in, 1)) != 0)
			continue;
		for (const struct statement *at = other->first; at; at = at->next)
			if (strcasecmp(word(at, 0), "zone") == 0 &&
			    strcasecmp(word(at, 1), word(zone, 1)) == 0 &&
			    !find(at->first, "in-view"))
				own = find(at->first, name);
		return own ? own : setting(bind, &bind->views[i], name);
	}
	return own ? own : setting(bind, view, name);
}

struct zone_access {    /* the clients that may ask for a zone */
	bool closed;    /* some clients of the view may not ask for it */
	bool strangers; /* some clients that may not ask the view may ask for it */
};

/* The zone's access, cached by its two settings, which most zones of a view share. */
static const struct zone_access *access_of(struct bind *bind, const struct bind_view *view,
					   const struct statement *zone)
{
	struct import *import = bind->import;
	const struct statement *list = setting_of_zone(bind, view, zone, "allow-query"),
			       *where = setting_of_zone(bind, view, zone, "allow-query-on");
	char *key = import_printf(import, "access %p %p %p", (const void *)view, (const void *)list,
				  (const void *)where);
	struct zone_access *access = import_find(import, key);
	struct unread unread = {0};
	struct acl_set own, others, strangers;

	if (access)
		return access;
	access = import_alloc(import, sizeof *access);
	import_keep(import, key, access);
	own = read_list(bind, list, "any", &zone->at, false, &unread);
	others = acl_without(import, view->allowed, own);
	own = narrow(bind, own, acl_without(import, view->clients, (struct acl_set){0}));
	strangers = acl_without(import, own, view->allowed);
	access->closed = others.count > 0 || !means_all(where);
	access->strangers = strangers.count > 0;
	acl_set_release(&own);
	acl_set_release(&others);
	acl_set_release(&strangers);
	return access;
}

/* Whether some clients of the view may not ask for this zone: such a limit cannot be expressed for
 * a single zone. If not, reports clients that may ask only for the zone: here they may not ask. */
static bool is_closed_zone(struct bind *bind, const struct bind_view *view,
			   const struct statement *zone)
{
	const struct zone_access *access = access_of(bind, view, zone);

	if (!access->closed && access->strangers)
		import_changed(bind->import, &zone->at,
			       "who may ask for it is who may have names resolved: all others that "
			       "have it there are answered REFUSED");
	return access->closed;
}

/* Whether the zone has data of its own, to which access may be limited. */
static bool has_data(const struct statement *zone, const char *type)
{
	static const char *const types[] = {"master", "primary", "slave", "secondary"};

	for (size_t i = 0; i < COUNT(types); i++)
		if (strcasecmp(types[i], type) == 0)
			return true;
	return find(zone->first, "in-view");
}

static void take_zone(struct bind *bind, struct bind_view *view, const struct statement *zone)
{
	static const char *const known[] = {
		"type",           "file",      "forwarders",  "forward",
		"masters",        "primaries", "also-notify", "server-addresses",
		"allow-transfer", "in-view",   "allow-query", "allow-query-on"};
	const char *name = word(zone, 1), *type = word(find(zone->first, "type"), 1);
	const struct statement *primaries = find(zone->first, "primaries");
	bool closed = has_data(zone, type) && is_closed_zone(bind, view, zone),
	     is_primary = strcasecmp(type, "master") == 0 || strcasecmp(type, "primary") == 0;

	primaries = primaries ? primaries : find(zone->first, "masters");
	if (is_other_class(zone))
		import_lost(bind->import, &zone->at, "only zones of class IN are served");
	else if (closed && find(zone->first, "in-view"))
		import_closed(bind->import, &zone->at, forward_network(view->forward),
			      forward_open_text(bind->import, view->allowed),
			      "the zone %s is left out: it lets in fewer than the view, and here "
			      "all clients of a network have its zones; " NOT_REFUSED,
			      name);
	else if (find(zone->first, "in-view"))
		take_shared(bind, view, zone, word(find(zone->first, "in-view"), 1));
	else if (is_primary)
		take_primary(bind, view, zone, name, closed);
	else if (strcasecmp(type, "slave") == 0 || strcasecmp(type, "secondary") == 0)
		take_secondary(bind, view, zone, name, primaries, closed);
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

static const struct bind_setting { /* options that become a setting */
	const char *name, *group, *key;
	enum { PERIOD, SIZE, NUMBER, TEXT } form;
} rows[] = {
	{"max-cache-ttl", "cache", "ttl_max", PERIOD},
	{"min-cache-ttl", "cache", "ttl_min", PERIOD},
	{"max-ncache-ttl", "cache", "negative_ttl_max", PERIOD},
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
					    "allow-query-on",
					    "allow-recursion-on",
					    "allow-query-cache-on",
					    "match-destinations",
					    "match-recursive-only",
					    "blackhole",
					    "query-source",
					    "query-source-v6",
					    "stale-answer-enable",
					    "max-stale-ttl",
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

static long long row_number(const struct bind_setting *row, const char *text)
{
	return row->form == PERIOD ? words_period(text)
	       : row->form == SIZE ? words_size(text)
				   : words_number(text);
}

/* Whether the statement gives a text. Without quotes, "none" is the default, and "hostname" is the
 * host's name, which is reported. */
static bool has_text(struct bind *bind, const struct statement *statement)
{
	const char *text = word(statement, 1);

	if (statement->quoted & 2)
		return true;
	if (strcasecmp(text, "hostname") == 0)
		import_lost(bind->import, &statement->at,
			    "the host's name is not found by itself; give it as identity.server");
	return strcasecmp(text, "hostname") != 0 && strcasecmp(text, "none") != 0;
}

/* Makes the setting, unless has_text finds no text for it. False: the number is invalid here, which
 * is reported, and another view's statement may decide. */
static bool put_row(struct bind *bind, const struct bind_setting *row,
		    const struct statement *statement)
{
	struct import *import = bind->import;
	const char *text = word(statement, 1);
	long long number = row_number(row, text);
	struct node *in;

	if (row->form == TEXT && !has_text(bind, statement))
		return true;
	if (row->form != TEXT && number < 0) {
		import_lost(import, &statement->at, "\"%s\" is no value for it here", text);
		return false;
	}
	in = import_group(import, import_root(import), row->group, &statement->at);
	if (row->form == TEXT)
		import_text(import, in, row->key, &statement->at, text);
	else
		import_number(import, in, row->key, &statement->at, number);
	return true;
}

/* Makes a setting, which is for all views here: the first view that has it, in its own block or
 * from `options`, decides. Reports views in which it is different. */
static void take_row(struct bind *bind, const struct bind_setting *row)
{
	const struct statement *decided = NULL;

	for (size_t i = 0; i < bind->view_count; i++) {
		const struct bind_view *view = &bind->views[i];
		const struct statement *at = setting(bind, view, row->name);

		/* A view without recursion has no use for its cache. */
		if (view->zones_only && strcmp(row->group, "cache") == 0)
			continue;
		if (!at || at == decided || (!decided && !is_first_use(bind, at)))
			continue;
		if (!decided)
			decided = put_row(bind, row, at) ? at : NULL;
		else if (row->form == TEXT ? strcmp(word(at, 1), word(decided, 1)) != 0
					   : row_number(row, word(at, 1)) !=
						     row_number(row, word(decided, 1)))
			import_changed(
				bind->import, &at->at,
				"in view %s it is %s; all views have one %s here, and its %s "
				"is that of the first view that has it: %s",
				import_get(forward_network(view->forward), "name"), word(at, 1),
				row->group, row->key, word(decided, 1));
	}
}

/* Reads "query-source address 10.1.0.2 port 53". A setting of `options` is for all views, and is
 * reported once. */
static void take_query_source(struct bind *bind, struct bind_view *view,
			      const struct statement *statement)
{
	struct import *import = bind->import;
	const char *port = statement ? word_behind(statement, "port") : NULL;
	bool tells = statement && is_first_use(bind, statement);
	struct address address;

	for (size_t i = 1; statement && i < statement->count; i++)
		if (address_parse(&address, statement->words[i]) == 0)
			forward_source(import, view->forward, &statement->at, statement->words[i]);
		else if (tells && strcasecmp(statement->words[i], "none") == 0)
			import_lost(import, &statement->at, "targets that are named are asked");
	if (tells && port && strcmp(port, "*") != 0)
		import_lost(import, &statement->at, "each question has a random source port");
}

/* Sets how long answers may be stale, as in the first view that says so: all views have one cache
 * here. Reports other views that differ. The time counts only while stale answers are on. */
static void take_stale(struct bind *bind)
{
	struct import *import = bind->import;
	bool is_decided = false;
	long decided_s = 0;

	for (size_t i = 0; i < bind->view_count; i++) {
		const struct bind_view *view = &bind->views[i];
		const struct statement *on = setting(bind, view, "stale-answer-enable"),
				       *time = setting(bind, view, "max-stale-ttl"),
				       *at = time ? time : on;
		bool is_on = on && words_flag(word(on, 1)) == 1;
		long stale_s = !is_on ? 0 : time ? words_period(word(time, 1)) : STALE_USUAL_S;

		if (!at || view->zones_only)
			continue;
		if (stale_s < 0 && is_first_use(bind, at))
			import_lost(import, &at->at, "\"%s\" is no value for it here", word(at, 1));
		if (stale_s < 0)
			continue;
		if (is_decided && stale_s != decided_s)
			import_changed(
				import, &at->at,
				"in view %s, answers may be stale for %ld seconds; all views "
				"have one cache here, and its stale_max is %ld, as in the "
				"first view that says so",
				import_get(forward_network(view->forward), "name"), stale_s,
				decided_s);
		if (is_decided)
			continue;
		is_decided = true;
		decided_s = stale_s;
		if (!is_on || time)
			import_number(import,
				      import_group(import, import_root(import), "cache", &at->at),
				      "stale_max", &at->at, stale_s);
	}
}

/* Reports the settings without a counterpart, of the options block, of a view, or at the top of the
 * file. */
static void tell_settings(struct bind *bind, const struct statement *first)
{
	for (const struct statement *at = first; at; at = at->next) {
		const char *name = word(at, 0);
		size_t i = 0;

		while (i < COUNT(rows) && strcasecmp(rows[i].name, name) != 0)
			i++;
		if (i == COUNT(rows) && !is_handled(name))
			words_lost(bind->import, &at->at, reasons, name);
	}
}

/* Takes the keys of zone transfers. Other keys, such as rndc's, open nothing here. */
static void take_keys(struct bind *bind)
{
	struct import *import = bind->import;

	for (const struct statement *at = bind->first; at; at = at->next) {
		struct node *key;
		const char *algorithm;

		if (at->count != 2 || strcasecmp(at->words[0], "key") != 0)
			continue;
		if (!import_find(import, key_use(import, at->words[1]))) {
			import_lost(import, &at->at, "no zone is copied with it");
			continue;
		}
		if (import_is_for_server(import))
			import_changed(import, &at->at,
				       "--apply cannot take it: import with --output, put its "
				       "secret into a file of its own, name that as secret_file in "
				       "place of secret, and apply what was written");
		algorithm = word(find(at->first, "algorithm"), 1);
		key = import_item(import, import_root(import), "keys", &at->at);
		import_text(import, key, "name", &at->at, at->words[1]);
		if (*algorithm != '\0')
			import_text(import, key, "algorithm", &at->at, algorithm);
		import_text(import, key, "secret", &at->at, word(find(at->first, "secret"), 1));
	}
}

/* ---- the whole server ---- */

static bool is_view(const struct statement *statement)
{
	return statement->count >= 2 && strcasecmp(statement->words[0], "view") == 0;
}

/* Lists the views of class IN. A question of this class never matches a view of another class, so
 * the other views take no clients from those behind them. */
static void list_views(struct bind *bind)
{
	const struct statement *first = NULL;
	size_t count = 0;

	for (const struct statement *at = bind->first; at; at = at->next) {
		first = !first && is_view(at) ? at : first;
		count += is_view(at);
	}
	bind->views = import_alloc(bind->import, (count + 1) * sizeof *bind->views);
	for (const struct statement *at = bind->first; at; at = at->next)
		if (is_view(at) && is_other_class(at))
			import_lost(bind->import, &at->at, "only class IN is served");
		else if (is_view(at))
			bind->views[bind->view_count++] = (struct bind_view){
				.statement = at,
				.forward = forward_view(bind->import, at->words[1], &at->at)};
	if (bind->view_count > 0)
		return;
	if (first)
		import_fault(bind->import, &first->at,
			     "the file has no view of class IN, so there is nothing to import");
	bind->views[bind->view_count++].forward = forward_main_view(bind->import, &bind->first->at);
}

/* Refuses files of several servers: named has one block of options, one view of each name, and with
 * views no zone outside of them. */
static void refuse_others(struct bind *bind)
{
	for (size_t i = 1; i < bind->view_count; i++)
		for (size_t k = 0; k < i; k++) {
			const struct statement *at = bind->views[i].statement,
					       *earlier = bind->views[k].statement;

			if (strcmp(word(at, 1), word(earlier, 1)) == 0)
				import_fault(bind->import, &at->at,
					     "there is a view %s at %s:%u already; import each "
					     "server by itself",
					     word(at, 1), earlier->at.file, earlier->at.line);
		}
	for (const struct statement *at = bind->first; at; at = at->next)
		if (strcasecmp(word(at, 0), "options") == 0 && at != bind->options)
			import_fault(bind->import, &at->at,
				     "there are options at %s:%u already; import each server by "
				     "itself",
				     bind->options->at.file, bind->options->at.line);
		else if (bind->views[0].statement && strcasecmp(word(at, 0), "zone") == 0)
			import_fault(bind->import, &at->at,
				     "with views, each zone is in one of them; import each server "
				     "by itself");
}

static void take_view(struct bind *bind, struct bind_view *view)
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
	take_query_source(bind, view, setting(bind, view, "query-source"));
	take_query_source(bind, view, setting(bind, view, "query-source-v6"));
	if (view->statement)
		tell_settings(bind, view->statement->first);
}

static void take_all(struct bind *bind)
{
	bind->options = find(bind->first, "options");
	if (bind->options && find(bind->options->first, "directory"))
		bind->folder = word(find(bind->options->first, "directory"), 1);
	list_views(bind);
	refuse_others(bind);
	listen_at_all(bind);
	if (bind->options && find(bind->options->first, "blackhole"))
		bind->shut = read_list(bind, find(bind->options->first, "blackhole"), "none",
				       &bind->options->at, true, &bind->unread);
	for (size_t i = 0; i < bind->view_count; i++)
		take_view(bind, &bind->views[i]);
	for (size_t i = 0; i < COUNT(rows); i++)
		take_row(bind, &rows[i]);
	take_stale(bind);
	take_keys(bind);
	if (bind->options)
		tell_settings(bind, bind->options->first);
	tell_settings(bind, bind->first);
	for (size_t i = 0; i < bind->view_count; i++) {
		acl_set_release(&bind->views[i].clients);
		acl_set_release(&bind->views[i].reachable);
		acl_set_release(&bind->views[i].allowed);
	}
	for (struct list *list = bind->lists; list; list = list->next)
		acl_set_release(&list->clients);
	acl_set_release(&bind->shut);
	acl_release(&bind->taken);
}

void bind_read(struct import *import, const char *path)
{
	struct bind *bind = import_find(import, "bind");

	if (!bind) {
		bind = import_alloc(import, sizeof *bind);
		bind->import = import;
		bind->whole = import_place(import, path, 0, NULL);
		bind->last = &bind->first;
		import_keep(import, "bind", bind);
	}
	bind->last = read_file(bind, path, NULL, 0, bind->last);
}

void bind_finish(struct import *import)
{
	struct bind *bind = import_find(import, "bind");

	if (bind && bind->first)
		take_all(bind);
	forward_finish(import);
}
