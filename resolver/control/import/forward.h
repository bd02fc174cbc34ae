/* The parts of a forwarder, on top of the tree: views, each a virtual network with a ruleset;
 * rules; zones; and names with data of their own, which get zones of their own if no zone contains
 * them. */
#ifndef SLUICE_IMPORT_FORWARD_H
#define SLUICE_IMPORT_FORWARD_H

#include <stdbool.h> /* before ldns, which otherwise defines bool */

#include <ldns/ldns.h>

#include "resolver/control/import/acl.h"
#include "resolver/control/import/import.h"

struct forward_view;

/* Puts the dialect's only view into this existing network, which itself decides who may ask. A
 * second view is a fault. Called before a dialect is read. */
void forward_into(struct import *import, const char *network);
/* Declares that the file has data for all names of the domain `text`, so that they become one zone;
 * or for all addresses of the prefix `text`, whose PTRs go into one address pool or into reverse
 * zones. Called before a dialect is read. False: `text` is neither, or it repeats a domain or
 * overlaps a prefix. */
bool forward_whole(struct import *import, const char *text);
/* Leaves out the names of /etc/hosts, which some dialects read by default. Called before a dialect
 * is read. */
void forward_without_hosts(struct import *import);
bool forward_takes_hosts(struct import *import);
/* The view of that name, made on first use. */
struct forward_view *forward_view(struct import *import, const char *name, const struct origin *at);
/* The view of clients for which the original names no view, made on first use. The view is called
 * "home"; a view of that name in the original is a different one. */
struct forward_view *forward_main_view(struct import *import, const struct origin *at);
/* Lets the prefix ask the view; repeated prefixes count once. */
void forward_allow(struct import *import, struct forward_view *view, const struct origin *at,
		   const char *prefix);
/* Lets this set ask the view. If the view still has no clients, closes it: its network gets an
 * address that no machine has, a different one for each view, because a network without clients
 * would get the default ones. With forward_into, the existing network decides instead. */
void forward_allow_only(struct import *import, struct forward_view *view, const struct origin *at,
			struct acl_set clients);
/* Prints "client_prefixes = [ ... ];" for these clients. */
const char *forward_open_text(struct import *import, struct acl_set clients);
/* The view's network, for import_closed. */
const struct node *forward_network(const struct forward_view *view);
/* The view's clients only get answers from zones and rules. With forward_into, the existing network
 * decides instead, which is reported. */
void forward_no_default(struct import *import, struct forward_view *view, const struct origin *at);
/* Calls forward_no_default for a view whose default servers are asked over TLS or HTTPS alone, and
 * reports it: the view's names must not go to the servers of /etc/resolv.conf unencrypted. `in` has
 * the default servers that are asked without TLS: if there is one, nothing is done. NULL: none. */
void forward_encrypted_default(struct import *import, struct forward_view *view,
			       const struct node *in, const struct origin *at);
/* Does what forward_encrypted_default does, if the default servers were lost for another reason,
 * such as an invalid address. */
void forward_lost_default(struct import *import, struct forward_view *view, const struct node *in,
			  const struct origin *at);
/* Links the view to each zone of `to` as well, except where the view itself answers: by a zone of
 * the same name, or by one around it. A zone made for a single name passes other names on, so it
 * does not count as one around. */
void forward_falls_back(struct forward_view *view, const struct forward_view *to,
			const struct origin *at);
/* Prints "links = ( ... );" for the view's network. */
const char *forward_link_text(struct import *import, const struct forward_view *view);
/* Adds an address, perhaps with a port, where the server listens. False: it is invalid. */
bool forward_listen(struct import *import, const struct origin *at, const char *address, long port);

/* Adds a source address for asking the view's targets. */
void forward_source(struct import *import, struct forward_view *view, const struct origin *at,
		    const char *address);
/* Applies the rules of `view` to the clients of `with` as well. */
void forward_share_rules(struct import *import, struct forward_view *view,
			 struct forward_view *with, const struct origin *at);

/* The rule for the domain (".": every name), made if missing. NULL: the domain is no name, which is
 * reported. `follows`: whether a CNAME in an answer is looked up anew. */
struct node *forward_rule(struct import *import, struct forward_view *view, const struct origin *at,
			  const char *domain, bool follows);
/* The default resolver, for all names that no rule or zone decides. */
struct node *forward_default(struct import *import, const struct origin *at);
/* Whether the address and port (0: the usual one) are valid for a target. */
bool forward_is_target(const char *address, long port);
/* Adds a server to the targets of a rule or the default resolver, unless it is there already.
 * False: the address or port is invalid. */
bool forward_target(struct import *import, struct node *rule, const struct origin *at,
		    const char *address, long port, const char *protocol);

/* The view's zone of that name, made if missing; names that it lacks do not exist. NULL: `apex` is
 * no name, or the root, which is reported. */
struct node *forward_zone(struct import *import, struct forward_view *view, const struct origin *at,
			  const char *apex);
/* The view's zone of that name, or else a new one without a link. NULL: as for forward_zone. */
struct node *forward_zone_unlinked(struct import *import, struct forward_view *view,
				   const struct origin *at, const char *apex);
/* The zone's name: "corp.test", or "guests/corp.test" if a zone of that name was made before; then
 * the zone is in a resource group named after its view's network. */
const char *forward_zone_name(struct import *import, const struct node *zone);
/* Links the zone of the view `of` to this view, unless this view has a zone of that name. False:
 * `of` has no such zone. */
bool forward_share_zone(struct import *import, struct forward_view *view, const struct origin *at,
			const char *apex, const struct forward_view *of);
/* Adds a record to the zone; `owner` and names in the data are absolute, with or without a final
 * dot. ttl_s < 0: the default. */
void forward_zone_record(struct import *import, struct node *zone, const struct origin *at,
			 const char *owner, const char *type, long ttl_s, const char *rdata);
void forward_zone_rr(struct import *import, struct node *zone, const struct origin *at,
		     const ldns_rr *rr);

/* Adds a record whose zone is not known yet: forward_finish puts it into the view's zone that
 * contains the name, into the zone or pool of a forward_whole, or into a zone of its own. */
void forward_record(struct import *import, struct forward_view *view, const struct origin *at,
		    const char *owner, const char *type, long ttl_s, const char *rdata);
void forward_rr(struct import *import, struct forward_view *view, const struct origin *at,
		const ldns_rr *rr);
/* Gives this data to the name and all names below it, by a zone with a wildcard. */
void forward_below(struct import *import, struct forward_view *view, const struct origin *at,
		   const char *owner, const char *type, long ttl_s, const char *rdata);
/* Adds an address record and, `with_ptr`, a PTR, unless an earlier call gave the address one in
 * this view. */
void forward_host(struct import *import, struct forward_view *view, const struct origin *at,
		  const char *name, const char *address, long ttl_s, bool with_ptr);

/* Gives the zone the records of a master file, whose relative names are below `origin`. The zone
 * keeps the file if the server can read it unchanged and the zone has no other records. Otherwise,
 * and for a running server, the records become record sets. Unreadable records are reported.
 * `folder` is the base for relative paths of $INCLUDE; NULL: the file's own folder, as for the
 * server. */
void forward_zone_file(struct import *import, struct node *zone, const struct origin *at,
		       const char *path, const char *origin, const char *folder);

/* A program's extensions of the format. `edit` may change an entry in place: a record's text
 * without comments, parentheses and line ends. False: skips the entry. */
struct master_variant {
	bool (*edit)(void *context, const struct origin *at, char *entry);
	void *context;
	bool writes_comments; /* comments come from the program, not from people, and are left
			       * out */
};
/* Puts the records of a master file's text, from import_read, into the zone. An unreadable record
 * is a fault. */
void forward_zone_text(struct import *import, struct node *zone, const char *path, const char *text,
		       const char *origin, const struct master_variant *variant);

/* Puts names into zones; called before import_finish. */
void forward_finish(struct import *import);

/* Decides for each zone with a master file whether it keeps the file or gets the records.
 * forward_finish calls this. */
void forward_finish_files(struct import *import);

#endif
