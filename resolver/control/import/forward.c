/* A name with data of its own (Unbound's local-data, a line of a hosts file) leaves the names
 * around it alone; a private zone does not. So a name in no zone of the view becomes a zone of just
 * that name:
 *
 *     zone lan            declared: has nas.lan and router.lan; tv.lan does not exist
 *     zone db.example.com made: has its apex only; www.example.com is asked for elsewhere
 *
 * A zone contains all names below its own, so the link of such a zone passes on names that it lacks
 * (NxDomainFallthrough). A CNAME cannot be at an apex, so such a name gets the addresses of its
 * target.
 *
 * If the files have all names of a domain (--zone DOMAIN), these become one zone. If the files have
 * all PTRs of a prefix (--zone PREFIX), these go into an address pool, or into reverse zones if a
 * pool would not be answered as in the original. */
#include "resolver/control/import/forward.h"

#include <string.h>
#include <strings.h>

#include "rules/base.h"
#include "rules/name.h"
#include "rules/prefix.h"
#include "rules/reverse.h"
#include "rules/text.h"
#include "rules/zone/record.h"
#include "rules/zone/zonefile.h"

struct loose { /* a record whose zone is not known yet */
	struct forward_view *view;
	struct origin at;
	const char *owner, *type, *rdata; /* owner: in lower case, without a final dot */
	long ttl_s;
	bool placed;                       /* in a declared zone, or in a pool */
	struct loose *next, *next_address; /* next_address: of the same owner */
};

struct target_addresses { /* of an owner, in the order given */
	struct loose *first, **last;
};

struct allowed {
	struct prefix prefix;
	struct allowed *next;
};

struct whole {                     /* a domain or prefix whose names or addresses are all in
				    * the file */
	const char *text, *domain; /* domain NULL: a prefix */
	struct prefix prefix;
	struct node *pool; /* NULL: not made */
	bool used;
	struct whole *next;
};

struct forward_view {
	const char *name; /* in the original; not unique, as a file's view may be called like the
			   * main one */
	bool is_main;
	struct allowed *allowed;             /* clients */
	struct node *network, *ruleset;      /* NULL: no rule yet */
	struct node *resolver;               /* NULL: no source address given */
	const struct forward_view *fallback; /* its zones are used for names that this view lacks */
	struct origin fallback_at;
	struct forward_view *next;
};

struct owned_zone { /* a view's zone */
	const struct forward_view *view;
	const char *apex;
	struct node *node;
	bool alone; /* the zone was made for a single name */
	struct owned_zone *next;
};

struct rule_domain { /* a domain with a rule */
	const struct forward_view *view;
	struct origin at;
	const char *domain;
	struct rule_domain *next;
};

struct forwarder {           /* kept by the import */
	const char *into;    /* NULL: each view becomes a network */
	bool told_of_access; /* reported that the existing network decides who may ask */
	unsigned closed;     /* number of networks without clients */
	bool listens;        /* the import sets an address to listen at */
	bool without_hosts;
	struct whole *wholes;
	struct forward_view *views;
	struct loose *first, **last;
	struct rule_domain *ruled;
	struct owned_zone *zones;
};

static struct forwarder *forwarder_of(struct import *import)
{
	struct forwarder *forwarder = import_find(import, "forwarder");

	if (!forwarder) {
		forwarder = import_alloc(import, sizeof *forwarder);
		forwarder->last = &forwarder->first;
		import_keep(import, "forwarder", forwarder);
	}
	return forwarder;
}

/* The name in lower case without a final dot, "." for the root; NULL: no name, which is
 * reported. */
static const char *plain_name(struct import *import, const struct origin *at, const char *text)
{
	struct name name;
	char printed[NAME_TEXT_MAX];
	size_t length;

	if (name_from_text(&name, NULL, text) != 0) {
		import_lost(import, at, "\"%s\" is no domain name", text);
		return NULL;
	}
	name_to_text(&name, printed);
	length = strlen(printed);
	if (length > 1)
		printed[length - 1] = '\0';
	return import_printf(import, "%s", printed);
}

/* ---- options of the command ---- */

void forward_without_hosts(struct import *import)
{
	forwarder_of(import)->without_hosts = true;
}

bool forward_takes_hosts(struct import *import)
{
	return !forwarder_of(import)->without_hosts;
}

bool forward_whole(struct import *import, const char *text)
{
	struct forwarder *forwarder = forwarder_of(import);
	struct whole *whole = import_alloc(import, sizeof *whole);
	struct name name;
	char printed[NAME_TEXT_MAX];

	*whole = (struct whole){.text = import_printf(import, "%s", text)};
	if (strchr(text, '/')) {
		if (prefix_parse(&whole->prefix, text) != 0)
			return false;
	} else if (name_from_text(&name, NULL, text) == 0 && name.labels > 0) {
		name_to_text(&name, printed);
		printed[strlen(printed) - 1] = '\0';
		whole->domain = import_printf(import, "%s", printed);
	} else {
		return false;
	}
	for (const struct whole *other = forwarder->wholes; other; other = other->next)
		if (whole->domain
			    ? other->domain && strcmp(whole->domain, other->domain) == 0
			    : !other->domain && prefix_overlaps(&whole->prefix, &other->prefix))
			return false;
	whole->next = forwarder->wholes;
	forwarder->wholes = whole;
	return true;
}

/* ---- views ---- */

void forward_into(struct import *import, const char *network)
{
	forwarder_of(import)->into = import_printf(import, "%s", network);
}

static struct forward_view *find_or_make_view(struct import *import, const char *name, bool is_main,
					      const struct origin *at)
{
	struct forwarder *forwarder = forwarder_of(import);
	struct forward_view **end = &forwarder->views, *view;

	for (; *end; end = &(*end)->next)
		if ((*end)->is_main == is_main && strcmp((*end)->name, name) == 0)
			return *end;
	if (forwarder->into && forwarder->views)
		import_fault(import, at,
			     "%s is a second view, and --vnet is for one; leave --vnet out, for a "
			     "network of each view",
			     name);
	view = *end = import_alloc(import, sizeof *view);
	view->name = import_printf(import, "%s", name);
	view->is_main = is_main;
	view->network = import_item(import, import_root(import), "virtual_networks", at);
	import_text(import, view->network, "name", at,
		    forwarder->into ? forwarder->into
				    : import_name(import, "network", name, "view"));
	import_view(import, view->network);
	return view;
}

struct forward_view *forward_view(struct import *import, const char *name, const struct origin *at)
{
	return find_or_make_view(import, name, false, at);
}

struct forward_view *forward_main_view(struct import *import, const struct origin *at)
{
	return find_or_make_view(import, "home", true, at);
}

static struct node *link_network(struct import *import, struct forward_view *view, struct node *in,
				 const struct origin *at)
{
	struct node *link = import_item(import, in, "links", at);
	const char *network = import_get(view->network, "name");

	import_text(import, link, "name", at, network);
	import_text(import, link, "virtual_network", at, network);
	return link;
}

void forward_allow(struct import *import, struct forward_view *view, const struct origin *at,
		   const char *prefix)
{
	struct forwarder *forwarder = forwarder_of(import);
	struct allowed *allowed = import_alloc(import, sizeof *allowed);

	if (acl_prefix(&allowed->prefix, prefix)) {
		allowed->next = view->allowed;
		view->allowed = allowed;
	}
	if (!forwarder->into)
		import_add(import, view->network, "client_prefixes", at, prefix);
	else if (!forwarder->told_of_access)
		import_changed(import, at, "the network %s says who may ask", forwarder->into);
	forwarder->told_of_access = true;
}

void forward_allow_only(struct import *import, struct forward_view *view, const struct origin *at,
			struct acl_set clients)
{
	struct forwarder *forwarder = forwarder_of(import);
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < clients.count; i++)
		forward_allow(import, view, &clients.entries[i].at,
			      prefix_print(&clients.entries[i].prefix, text));
	if (forwarder->into || import_count(view->network, "client_prefixes") > 0)
		return;
	import_changed(import, at, "nobody may ask, which is written as a client that cannot be");
	forward_allow(import, view, at,
		      import_printf(import, "255.255.%u.%u/32",
				    255 - (forwarder->closed >> 8 & 255),
				    255 - (forwarder->closed & 255)));
	forwarder->closed++;
}

const char *forward_open_text(struct import *import, struct acl_set clients)
{
	struct text_maker *maker = import_begin(import);
	char text[PREFIX_TEXT_MAX];

	import_put(maker, "client_prefixes = [ ");
	for (size_t i = 0; i < clients.count; i++)
		import_put(maker, "%s\"%s\"", i ? ", " : "",
			   prefix_print(&clients.entries[i].prefix, text));
	import_put(maker, " ];");
	return import_end(maker);
}

const struct node *forward_network(const struct forward_view *view)
{
	return view->network;
}

const char *forward_link_text(struct import *import, const struct forward_view *view)
{
	const char *network = import_get(view->network, "name");

	return import_printf(import, "links = ( { name = \"%s\"; virtual_network = \"%s\"; } );",
			     network, network);
}

void forward_no_default(struct import *import, struct forward_view *view, const struct origin *at)
{
	const char *into = forwarder_of(import)->into;

	if (into)
		import_changed(import, at,
			       "the network %s says whether the default resolver is for its "
			       "clients (uses_default_resolver)",
			       into);
	else
		import_flag(import, view->network, "uses_default_resolver", at, false);
}

/* Closes the default resolver to the view, unless `in` has a target for names that no rule decides
 * (forward.h). */
static void close_default(struct import *import, struct forward_view *view, const struct node *in,
			  const struct origin *at, const char *why)
{
	if (in && import_count(in, "targets") > 0)
		return;
	forward_no_default(import, view, at);
	import_closed(import, at, view->network, "uses_default_resolver = true;",
		      "what no rule decides is refused, because %s: name servers in "
		      "default_resolver, and only then open it",
		      why);
}

void forward_encrypted_default(struct import *import, struct forward_view *view,
			       const struct node *in, const struct origin *at)
{
	close_default(import, view, in, at, "its servers are asked over TLS or HTTPS alone");
}

void forward_lost_default(struct import *import, struct forward_view *view, const struct node *in,
			  const struct origin *at)
{
	close_default(import, view, in, at, "none of its servers is carried over");
}

void forward_falls_back(struct forward_view *view, const struct forward_view *to,
			const struct origin *at)
{
	view->fallback = to;
	view->fallback_at = *at;
}

static const char *print_host(const char *address, long port, char text[HOST_TEXT_MAX])
{
	struct host host;

	if (port < 0 || port > 65535 || host_parse(&host, address, DNS_PORT) != 0)
		return NULL;
	if (port > 0)
		host.port = (uint16_t)port;
	return host_print(&host, text);
}

bool forward_listen(struct import *import, const struct origin *at, const char *address, long port)
{
	char text[HOST_TEXT_MAX];
	struct node *vnet;

	if (!print_host(address, port, text))
		return false;
	vnet = import_group(import, import_root(import), "vnet_resolver", at);
	import_add(import, vnet, "listen", at, text);
	forwarder_of(import)->listens = true;
	return true;
}

void forward_source(struct import *import, struct forward_view *view, const struct origin *at,
		    const char *address)
{
	struct node *endpoint;
	char name[32];

	if (!view->resolver) {
		view->resolver = import_item(import, import_root(import), "resolvers", at);
		import_text(import, view->resolver, "name", at,
			    import_name(import, "resolver", view->name, "view"));
		import_text(import, view->resolver, "virtual_network", at,
			    import_get(view->network, "name"));
	}
	endpoint = import_item(import, view->resolver, "outbound_endpoints", at);
	snprintf(name, sizeof name, "out-%zu", import_count(view->resolver, "outbound_endpoints"));
	import_text(import, endpoint, "name", at, name);
	import_text(import, endpoint, "source", at, address);
}

/* ---- rules ---- */

static struct node *ruleset_of(struct import *import, struct forward_view *view,
			       const struct origin *at)
{
	struct origin nowhere = {.file = at->file};

	if (view->ruleset)
		return view->ruleset;
	view->ruleset = import_item(import, import_root(import), "rulesets", &nowhere);
	import_text(import, view->ruleset, "name", &nowhere,
		    import_name(import, "ruleset", import_get(view->network, "name"), "view"));
	link_network(import, view, view->ruleset, &nowhere);
	return view->ruleset;
}

void forward_share_rules(struct import *import, struct forward_view *view,
			 struct forward_view *with, const struct origin *at)
{
	if (view->ruleset)
		link_network(import, with, view->ruleset, at);
}

static void keep_rule(struct import *import, const struct forward_view *view,
		      const struct origin *at, const char *domain)
{
	struct forwarder *forwarder = forwarder_of(import);
	struct rule_domain *ruled = import_alloc(import, sizeof *ruled);

	*ruled = (struct rule_domain){view, *at, domain, forwarder->ruled};
	forwarder->ruled = ruled;
}

struct node *forward_rule(struct import *import, struct forward_view *view, const struct origin *at,
			  const char *domain, bool follows)
{
	const char *plain = plain_name(import, at, domain);
	struct node *ruleset, *rule;
	bool is_root;
	char *key;

	if (!plain)
		return NULL;
	is_root = strcmp(plain, ".") == 0;
	key = import_printf(import, "rule %p %s", (void *)view, plain);
	rule = import_find(import, key);
	if (rule)
		return rule;
	ruleset = ruleset_of(import, view, at);
	rule = import_item(import, ruleset, "rules", at);
	import_text(import, rule, "name", at,
		    import_name(import, import_printf(import, "rule %p", (void *)view),
				is_root ? "everything" : plain, "rule"));
	import_text(import, rule, "domain", at,
		    is_root ? plain : import_printf(import, "%s.", plain));
	if (follows)
		import_flag(import, rule, "follow_cname", at, true);
	import_keep(import, key, rule);
	keep_rule(import, view, at, plain);
	return rule;
}

struct node *forward_default(struct import *import, const struct origin *at)
{
	return import_group(import, import_root(import), "default_resolver", at);
}

bool forward_is_target(const char *address, long port)
{
	struct address parsed;

	return address_parse(&parsed, address) == 0 && port >= 0 && port <= 65535;
}

bool forward_target(struct import *import, struct node *rule, const struct origin *at,
		    const char *address, long port, const char *protocol)
{
	struct address parsed;
	struct node *target;
	char text[ADDRESS_TEXT_MAX], *key;

	if (!forward_is_target(address, port) || address_parse(&parsed, address) != 0)
		return false;
	if (port == 0)
		port = DNS_PORT;
	key = import_printf(import, "target %p %s %ld", (void *)rule, address_print(&parsed, text),
			    port);
	if (import_find(import, key))
		return true;
	import_keep(import, key, rule);
	target = import_item(import, rule, "targets", at);
	import_text(import, target, "address", at, text);
	if (port != DNS_PORT)
		import_number(import, target, "port", at, port);
	if (protocol)
		import_text(import, target, "protocol", at, protocol);
	return true;
}

/* ---- zones ---- */

static char *zone_key(struct import *import, const struct forward_view *view, const char *apex)
{
	return import_printf(import, "zone %p %s", (const void *)view, apex);
}

/* The key of import_find for zones that were made for a single name. */
static char *alone_key(struct import *import, const struct node *zone)
{
	return import_printf(import, "alone %p", (const void *)zone);
}

static void link_zone(struct import *import, struct forward_view *view,
		      const struct owned_zone *zone, const struct origin *at)
{
	struct node *link = link_network(import, view, zone->node, at);

	if (zone->alone)
		import_text(import, link, "resolution_policy", at, "NxDomainFallthrough");
}

struct node *forward_zone_unlinked(struct import *import, struct forward_view *view,
				   const struct origin *at, const char *apex)
{
	const char *plain = plain_name(import, at, apex);
	struct node *zone;
	char *key;

	if (!plain)
		return NULL;
	if (strcmp(plain, ".") == 0) {
		import_lost(import, at, "the root cannot be a private zone");
		return NULL;
	}
	key = zone_key(import, view, plain);
	zone = import_find(import, key);
	if (zone)
		return zone;
	zone = import_item(import, import_root(import), "private_zones", at);
	import_text(import, zone, "name", at, plain);
	key = import_printf(import, "zone name %s", plain);
	if (import_find(import, key)) /* another view has it: names are unique in their group */
		import_text(import, zone, "resource_group", at, import_get(view->network, "name"));
	else
		import_keep(import, key, zone);
	return zone;
}

const char *forward_zone_name(struct import *import, const struct node *zone)
{
	const char *name = import_get(zone, "name"), *group = import_get(zone, "resource_group");

	return group ? import_printf(import, "%s/%s", group, name) : name;
}

/* The view's zone, made if missing. `alone`: a new zone is for this name only. */
static struct node *zone_of_view(struct import *import, struct forward_view *view,
				 const struct origin *at, const char *apex, bool alone)
{
	struct forwarder *forwarder = forwarder_of(import);
	struct node *zone = forward_zone_unlinked(import, view, at, apex);
	const char *plain = zone ? import_get(zone, "name") : NULL;
	char *key = plain ? zone_key(import, view, plain) : NULL;
	struct owned_zone *owned;

	if (!zone || import_find(import, key))
		return zone;
	owned = import_alloc(import, sizeof *owned);
	*owned = (struct owned_zone){view, plain, zone, alone, forwarder->zones};
	forwarder->zones = owned;
	link_zone(import, view, owned, at);
	import_keep(import, key, zone);
	if (alone) {
		import_aside(import, zone);
		import_keep(import, alone_key(import, zone), zone);
	}
	return zone;
}

struct node *forward_zone(struct import *import, struct forward_view *view, const struct origin *at,
			  const char *apex)
{
	return zone_of_view(import, view, at, apex, false);
}

bool forward_share_zone(struct import *import, struct forward_view *view, const struct origin *at,
			const char *apex, const struct forward_view *of)
{
	const char *plain = plain_name(import, at, apex);
	struct node *zone = plain ? import_find(import, zone_key(import, of, plain)) : NULL;

	if (zone && !import_find(import, zone_key(import, view, plain)))
		link_network(import, view, zone, at);
	return zone;
}

void forward_zone_record(struct import *import, struct node *zone, const struct origin *at,
			 const char *owner, const char *type, long ttl_s, const char *rdata)
{
	struct name apex, name;
	char relative[NAME_TEXT_MAX], number[16], *set_name, *key;
	struct node *set;
	uint16_t code;

	if (name_from_text(&apex, NULL, import_get(zone, "name")) != 0 ||
	    name_from_text(&name, NULL, owner) != 0 || !name_is_under(&name, &apex)) {
		import_lost(import, at, "%s is not in the zone %s", owner,
			    import_get(zone, "name"));
		return;
	}
	if (record_type_parse(&code, type) != 0 || !record_type_is_data(code)) {
		import_lost(import, at, "%s is no type of record here", type);
		return;
	}
	set_name = import_printf(import, "%s:%s", zonefile_name(&apex, name.wire, relative),
				 record_type_print(code, number, sizeof number));
	key = import_printf(import, "set %p %s", (void *)zone, set_name);
	set = import_find(import, key);
	if (!set) {
		set = import_item(import, zone, "record_sets", at);
		import_text(import, set, "name", at, set_name);
		if (ttl_s >= 0)
			import_number(import, set, "ttl", at, ttl_s);
		import_keep(import, key, set);
	}
	import_add(import, set, "records", at, rdata);
}

/* Prints the data as in a master file, with absolute names; NULL: it could not be printed. */
static char *print_rdata(struct import *import, const ldns_rr *rr)
{
	struct text_maker *maker = import_begin(import);
	bool all = true;
	char *one, *text;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		one = ldns_rdf2str(ldns_rr_rdf(rr, i));
		all = all && one;
		import_put(maker, "%s%s", i == 0 ? "" : " ", one ? one : "");
		LDNS_FREE(one);
	}
	text = import_end(maker);
	return all ? text : NULL;
}

typedef void take_record(struct import *import, void *where, const struct origin *at,
			 const char *owner, const char *type, long ttl_s, const char *rdata);

static void take_rr(struct import *import, take_record *take, void *where, const struct origin *at,
		    const ldns_rr *rr)
{
	char *owner = ldns_rdf2str(ldns_rr_owner(rr)),
	     *type = ldns_rr_type2str(ldns_rr_get_type(rr));
	char *rdata = print_rdata(import, rr);

	if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
		import_lost(import, at, "only records of class IN are served");
	else if (owner && type && rdata)
		take(import, where, at, owner, type, (long)ldns_rr_ttl(rr), rdata);
	LDNS_FREE(owner);
	LDNS_FREE(type);
}

static void take_into_zone(struct import *import, void *zone, const struct origin *at,
			   const char *owner, const char *type, long ttl_s, const char *rdata)
{
	forward_zone_record(import, zone, at, owner, type, ttl_s, rdata);
}

void forward_zone_rr(struct import *import, struct node *zone, const struct origin *at,
		     const ldns_rr *rr)
{
	take_rr(import, take_into_zone, zone, at, rr);
}

/* ---- names whose zone is not known yet ---- */

static char *addresses_key(struct import *import, const struct forward_view *view,
			   const char *owner)
{
	size_t length = strlen(owner);

	length -= length > 1 && owner[length - 1] == '.';
	return text_lower(
		import_printf(import, "addresses %p %.*s", (const void *)view, (int)length, owner));
}

/* The owner's addresses; NULL: none. */
static struct target_addresses *addresses_of(struct import *import, const struct forward_view *view,
					     const char *owner)
{
	return import_find(import, addresses_key(import, view, owner));
}

static void keep_address(struct import *import, struct loose *loose)
{
	struct target_addresses *addresses = addresses_of(import, loose->view, loose->owner);

	if (!addresses) {
		addresses = import_alloc(import, sizeof *addresses);
		addresses->last = &addresses->first;
		import_keep(import, addresses_key(import, loose->view, loose->owner), addresses);
	}
	*addresses->last = loose;
	addresses->last = &loose->next_address;
}

void forward_record(struct import *import, struct forward_view *view, const struct origin *at,
		    const char *owner, const char *type, long ttl_s, const char *rdata)
{
	struct forwarder *forwarder = forwarder_of(import);
	const char *plain = plain_name(import, at, owner);
	struct loose *loose;

	if (!plain)
		return;
	if (*plain == '*') {
		import_lost(import, at, "%s is that name alone there, and all names below here",
			    plain);
		return;
	}
	loose = import_alloc(import, sizeof *loose);
	*loose = (struct loose){.view = view,
				.at = *at,
				.owner = plain,
				.type = import_printf(import, "%s", type),
				.rdata = import_printf(import, "%s", rdata),
				.ttl_s = ttl_s};
	*forwarder->last = loose;
	forwarder->last = &loose->next;
	if (strcasecmp(type, "A") == 0 || strcasecmp(type, "AAAA") == 0)
		keep_address(import, loose);
}

static void take_loose(struct import *import, void *view, const struct origin *at,
		       const char *owner, const char *type, long ttl_s, const char *rdata)
{
	forward_record(import, view, at, owner, type, ttl_s, rdata);
}

void forward_rr(struct import *import, struct forward_view *view, const struct origin *at,
		const ldns_rr *rr)
{
	take_rr(import, take_loose, view, at, rr);
}

void forward_below(struct import *import, struct forward_view *view, const struct origin *at,
		   const char *owner, const char *type, long ttl_s, const char *rdata)
{
	struct node *zone = forward_zone(import, view, at, owner);

	if (!zone)
		return;
	forward_zone_record(import, zone, at, owner, type, ttl_s, rdata);
	forward_zone_record(import, zone, at, import_printf(import, "*.%s", owner), type, ttl_s,
			    rdata);
}

void forward_host(struct import *import, struct forward_view *view, const struct origin *at,
		  const char *name, const char *address, long ttl_s, bool with_ptr)
{
	struct address parsed;
	char text[ADDRESS_TEXT_MAX], *reverse, *key;
	ldns_rdf *rdf, *pointer;
	const char *plain = plain_name(import, at, name);

	if (!plain)
		return;
	if (address_parse(&parsed, address) != 0) {
		import_lost(import, at, "\"%s\" is no address", address);
		return;
	}
	address_print(&parsed, text);
	forward_record(import, view, at, plain, parsed.family == 4 ? "A" : "AAAA", ttl_s, text);
	key = import_printf(import, "ptr %p %s", (void *)view, text);
	if (!with_ptr || import_find(import, key))
		return;
	import_keep(import, key, view);
	rdf = ldns_rdf_new_frm_str(parsed.family == 4 ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA, text);
	pointer = rdf ? ldns_rdf_address_reverse(rdf) : NULL;
	reverse = pointer ? ldns_rdf2str(pointer) : NULL;
	if (reverse)
		forward_record(import, view, at, reverse, "PTR", ttl_s,
			       import_printf(import, "%s.", plain));
	LDNS_FREE(reverse);
	ldns_rdf_deep_free(pointer);
	ldns_rdf_deep_free(rdf);
}

/* The longest zone of the view that contains the name; NULL: none. */
static struct node *zone_around(struct import *import, const struct forward_view *view,
				const char *owner)
{
	struct node *zone = NULL;

	for (const char *at = owner; !zone && at && *at != '\0';) {
		zone = import_find(import, zone_key(import, view, at));
		at = strchr(at, '.');
		at = at ? at + 1 : NULL;
	}
	return zone;
}

static void put_alias(struct import *import, const struct loose *alias)
{
	const struct target_addresses *addresses = addresses_of(import, alias->view, alias->rdata);
	struct node *zone = NULL;

	for (const struct loose *loose = addresses ? addresses->first : NULL; loose;
	     loose = loose->next_address) {
		zone = zone_of_view(import, alias->view, &alias->at, alias->owner, true);
		if (!zone)
			return;
		forward_zone_record(import, zone, &alias->at, alias->owner, loose->type,
				    loose->ttl_s, loose->rdata);
	}
	if (zone)
		import_changed(import, &alias->at,
			       "%s has the addresses of %s in place of a CNAME, which cannot stand "
			       "at the top of a zone",
			       alias->owner, alias->rdata);
	else
		import_lost(import, &alias->at,
			    "%s would be a zone, and a CNAME cannot stand at the top of one; give "
			    "it an address, or a zone that it is in",
			    alias->owner);
}

/* Puts the record into a declared zone; false: none contains the name, or the record is a CNAME at
 * a zone's top. */
static bool put_into_declared(struct import *import, const struct loose *loose)
{
	struct node *zone = zone_around(import, loose->view, loose->owner);

	if (!zone)
		return false;
	if (strcasecmp(loose->type, "CNAME") == 0 &&
	    strcasecmp(import_get(zone, "name"), loose->owner) == 0)
		return false;
	forward_zone_record(import, zone, &loose->at, loose->owner, loose->type, loose->ttl_s,
			    loose->rdata);
	return true;
}

/* Puts the record into a zone for its name only. */
static void put_alone(struct import *import, const struct loose *loose)
{
	struct node *zone;

	if (strcasecmp(loose->type, "CNAME") == 0) {
		put_alias(import, loose);
		return;
	}
	zone = zone_of_view(import, loose->view, &loose->at, loose->owner, true);
	if (zone)
		forward_zone_record(import, zone, &loose->at, loose->owner, loose->type,
				    loose->ttl_s, loose->rdata);
}

/* ---- complete domains and prefixes ---- */

static bool is_below(const char *name, const char *domain)
{
	size_t length = strlen(name), behind = strlen(domain);

	return length >= behind && strcmp(name + length - behind, domain) == 0 &&
	       (length == behind || name[length - behind - 1] == '.');
}

/* The address of a reverse name; false: not a reverse name. */
static bool address_of(const char *owner, struct address *address)
{
	struct prefix prefix;
	struct name name;
	unsigned rest;

	if (name_from_text(&name, NULL, owner) != 0 || !reverse_parse(&name, &prefix, &rest) ||
	    rest > 0 || prefix.length != address_bits(&prefix.address))
		return false;
	*address = prefix.address;
	return true;
}

/* The longest complete domain, or else the prefix, that contains the name; NULL: none. */
static struct whole *whole_of(const struct forwarder *forwarder, const struct loose *loose)
{
	struct whole *found = NULL;
	struct address address;

	for (struct whole *whole = forwarder->wholes; whole; whole = whole->next)
		if (whole->domain && is_below(loose->owner, whole->domain) &&
		    (!found || strlen(whole->domain) > strlen(found->domain)))
			found = whole;
	if (found || strcasecmp(loose->type, "PTR") != 0 || !address_of(loose->owner, &address))
		return found;
	for (struct whole *whole = forwarder->wholes; whole; whole = whole->next)
		if (!whole->domain && prefix_contains(&whole->prefix, &address))
			return whole;
	return NULL;
}

static const char *const usual_clients[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
					    "fc00::/7",   "127.0.0.0/8",   "::1/128"};
enum { USUAL_PRIVATE = 4 }; /* the first ones; loopback follows */

static bool any_covers(const char *const *prefixes, size_t count, const struct prefix *inner)
{
	struct prefix outer;

	for (size_t i = 0; i < count; i++)
		if (prefix_parse(&outer, prefixes[i]) == 0 && prefix_covers(&outer, inner))
			return true;
	return false;
}

static bool may_ask(const struct forward_view *view, const struct prefix *prefix)
{
	for (const struct allowed *allowed = view->allowed; allowed; allowed = allowed->next)
		if (prefix_covers(&allowed->prefix, prefix))
			return true;
	return !view->allowed && any_covers(usual_clients, COUNT(usual_clients), prefix);
}

/* Whether PTRs of a pool would be answered as in the original. A pool has the same PTRs for all
 * views, so there must be only one view. A private address has a PTR only in a network whose
 * address_space contains the address. address_space also makes the address a client, so the address
 * must be a client already. The networks of a running server are unknown here, and so is whether it
 * takes IPv6 PTRs. */
static bool is_for_pool(struct import *import, const struct forward_view *view,
			const struct prefix *prefix)
{
	const struct forwarder *forwarder = forwarder_of(import);
	bool for_server = import_is_for_server(import);

	if (forwarder->views->next)
		return false;
	if (any_covers(usual_clients, USUAL_PRIVATE, prefix))
		return !for_server && !forwarder->into && may_ask(view, prefix);
	return !address_is_private(&prefix->address) &&
	       !(for_server && prefix->address.family == 6);
}

static void make_pool(struct import *import, struct forward_view *view, struct whole *whole,
		      const struct origin *at)
{
	whole->pool = import_item(import, import_root(import), "address_pools", at);
	import_text(import, whole->pool, "name", at,
		    import_name(import, "pool", whole->text, "pool"));
	import_text(import, whole->pool, "prefix", at, whole->text);
	if (!any_covers(usual_clients, USUAL_PRIVATE, &whole->prefix))
		return;
	for (size_t i = 0; !view->allowed && i < COUNT(usual_clients); i++)
		import_add(import, view->network, "client_prefixes", at, usual_clients[i]);
	import_add(import, view->network, "address_space", at, whole->text);
}

static void put_into_pool(struct import *import, struct whole *whole, struct loose *loose)
{
	struct address address;
	char text[ADDRESS_TEXT_MAX], *key;
	struct node *item;

	loose->placed = true;
	if (!address_of(loose->owner, &address))
		return;
	key = import_printf(import, "pooled %s", address_print(&address, text));
	if (import_find(import, key)) {
		import_lost(import, &loose->at,
			    "%s has a name already, and here an address has one", text);
		return;
	}
	if (!whole->pool)
		make_pool(import, loose->view, whole, &loose->at);
	item = import_item(import, import_root(import), "addresses", &loose->at);
	import_text(import, item, "name", &loose->at,
		    import_name(import, "address", loose->rdata, "address"));
	import_text(import, item, "address", &loose->at, text);
	import_text(import, item, "reverse_fqdn", &loose->at, loose->rdata);
	if (loose->ttl_s >= 0)
		import_number(import, item, "ttl", &loose->at, loose->ttl_s);
	import_keep(import, key, item);
}

/* Makes the reverse zone that contains the record. For this, the prefix is narrowed to whole octets
 * (IPv6: hex digits). */
static void make_reverse_zone(struct import *import, const struct whole *whole,
			      const struct loose *loose)
{
	struct prefix prefix = whole->prefix;
	char text[NAME_TEXT_MAX];
	unsigned step;

	if (!address_of(loose->owner, &prefix.address))
		return;
	step = prefix.address.family == 4 ? 8 : 4;
	prefix.length = (uint8_t)((prefix.length + step - 1) / step * step);
	prefix.address = address_mask(&prefix.address, prefix.length);
	forward_zone(import, loose->view, &loose->at, reverse_zone_text(&prefix, text));
}

/* Makes the zone or pool for the record's complete domain or prefix, unless a zone in that domain
 * (for a prefix: any zone) contains the record's name. */
static void put_whole(struct import *import, struct loose *loose)
{
	struct whole *whole = whole_of(forwarder_of(import), loose);
	const struct node *zone = zone_around(import, loose->view, loose->owner);

	if (!whole)
		return;
	whole->used = true;
	if (zone && (!whole->domain || is_below(import_get(zone, "name"), whole->domain)))
		return;
	if (whole->domain)
		forward_zone(import, loose->view, &loose->at, whole->domain);
	else if (is_for_pool(import, loose->view, &whole->prefix))
		put_into_pool(import, whole, loose);
	else
		make_reverse_zone(import, whole, loose);
}

/* ---- finishing ---- */

/* Removes Azure's limit of queries, which no forwarder has. A running server keeps its own limit if
 * the import, such as that of a hosts file, sets no address to listen at. */
static void allow_queries(struct import *import)
{
	const struct origin nowhere = {.file = NULL};

	if (forwarder_of(import)->listens || !import_is_for_server(import))
		import_number(import, import_group(import, import_root(import), "limits", &nowhere),
			      "queries_per_second_per_endpoint", &nowhere, 0);
}

/* "in view guests, ", with the name of the view's network, which no other view has; "" if there is
 * one view. */
static const char *in_view(struct import *import, const struct forward_view *view)
{
	return forwarder_of(import)->views->next
		       ? import_printf(import, "in view %s, ", import_get(view->network, "name"))
		       : "";
}

/* Reports a rule that a declared zone hides. Zones made for single names pass other names on, so
 * they hide no rule. */
static void tell_shadowed(struct import *import, const struct rule_domain *ruled)
{
	const struct node *zone = zone_around(import, ruled->view, ruled->domain);

	if (zone)
		import_changed(import, &ruled->at,
			       "%sno server is asked for %s any more: %s has data of its own, and "
			       "then has all below its name",
			       in_view(import, ruled->view), ruled->domain,
			       import_get(zone, "name"));
}

/* Whether the view itself answers for the name: zones made for single names pass other names on. */
static bool answers_for(struct import *import, const struct forward_view *view, const char *name)
{
	const struct node *zone = zone_around(import, view, name);

	return zone && (strcmp(import_get(zone, "name"), name) == 0 ||
			!import_find(import, alone_key(import, zone)));
}

void forward_finish(struct import *import)
{
	struct forwarder *forwarder = forwarder_of(import);

	allow_queries(import);
	for (struct loose *loose = forwarder->first; loose; loose = loose->next)
		put_whole(import, loose);
	for (const struct whole *whole = forwarder->wholes; whole; whole = whole->next)
		if (!whole->used)
			import_fault(import, &(struct origin){.file = "--zone"},
				     "%s has none of the names that stand alone; leave it out",
				     whole->text);
	/* Declared zones take their names first, before a zone made for a single name could take
	 * some of these. */
	for (struct loose *loose = forwarder->first; loose; loose = loose->next)
		loose->placed = loose->placed || put_into_declared(import, loose);
	forward_finish_files(import);
	for (const struct rule_domain *ruled = forwarder->ruled; ruled; ruled = ruled->next)
		tell_shadowed(import, ruled);
	for (struct loose *loose = forwarder->first; loose; loose = loose->next)
		if (!loose->placed)
			put_alone(import, loose);
	for (struct forward_view *view = forwarder->views; view; view = view->next)
		for (const struct owned_zone *zone = forwarder->zones; zone; zone = zone->next)
			if (zone->view == view->fallback && !answers_for(import, view, zone->apex))
				link_zone(import, view, zone, &view->fallback_at);
}
