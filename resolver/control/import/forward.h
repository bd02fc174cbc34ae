/* What a forwarder is made of, on top of a tree of values: views, each a virtual network with a
 * ruleset; rules; zones; and names with data of their own, which become zones where no zone has
 * them. */
#ifndef SLUICE_IMPORT_FORWARD_H
#define SLUICE_IMPORT_FORWARD_H

#include <stdbool.h> /* ahead of ldns, which makes one of its own else */

#include <ldns/ldns.h>

#include "resolver/control/import/acl.h"
#include "resolver/control/import/import.h"

struct forward_view;

/* Call it before a dialect is read: its one view goes into this network, which is there already and
 * says itself who may ask. A second view is a fault. */
void forward_into(struct import *import, const char *network);
/* Call it before a dialect is read: what stands alone has all names of that domain, which becomes a
 * zone where one is in it; or all addresses of that prefix, whose PTRs go into an address pool.
 * False: it is neither, or another one overlaps the prefix. */
bool forward_whole(struct import *import, const char *text);
/* Call it before a dialect is read that has the names of /etc/hosts unless told otherwise. */
void forward_without_hosts(struct import *import);
bool forward_takes_hosts(struct import *import);
/* What asks with a view's clients: the first one is made when it is asked for. */
struct forward_view *forward_view(struct import *import, const char *name, const struct origin *at);
/* Whose questions it answers; what was added twice is there once. */
void forward_allow(struct import *import, struct forward_view *view, const struct origin *at,
		   const char *prefix);
/* Those of the set, and nobody else. A network of nobody has an address that no machine has, each
 * network another one: a network without clients would have the usual ones. */
void forward_allow_only(struct import *import, struct forward_view *view, const struct origin *at,
			struct acl_set clients);
/* "client_prefixes = [ ... ];" of these. */
const char *forward_open_text(struct import *import, struct acl_set clients);
/* The view's network, as import_closed takes it. */
const struct node *forward_network(const struct forward_view *view);
/* For the view's clients only what a zone or a rule decides is answered. */
void forward_no_default(struct import *import, struct forward_view *view, const struct origin *at);
/* What no zone of the view has, the other's may have. */
void forward_falls_back(struct forward_view *view, const struct forward_view *to,
			const struct origin *at);
/* "links = ( ... );" of the view's network. */
const char *forward_link_text(struct import *import, const struct forward_view *view);
/* Where the server listens: ADDRESS or ADDRESS and port. False: it is no address. */
bool forward_listen(struct import *import, const struct origin *at, const char *address, long port);

/* From where targets are asked. */
void forward_source(struct import *import, struct forward_view *view, const struct origin *at,
		    const char *address);
/* The rules of the first hold for the other's clients, too. */
void forward_share_rules(struct import *import, struct forward_view *view,
			 struct forward_view *with, const struct origin *at);

/* The rule for the domain ("." is everything), made where there is none. NULL: it is no name, which
 * was told. `follows`: whether a CNAME in an answer is decided anew. */
struct node *forward_rule(struct import *import, struct forward_view *view, const struct origin *at,
			  const char *domain, bool follows);
/* Where all goes that nothing else decides. */
struct node *forward_default(struct import *import, const struct origin *at);
/* A server at the end of the targets of one of these, unless it is there. False: it is no address.
 */
bool forward_target(struct import *import, struct node *rule, const struct origin *at,
		    const char *address, long port, const char *protocol);

/* The zone of the view that is answered here, made where there is none; what it does not have does
 * not exist. NULL: it is no name, which was told. */
struct node *forward_zone(struct import *import, struct forward_view *view, const struct origin *at,
			  const char *apex);
/* A zone of that name that no network has, unless the view has it already. */
struct node *forward_zone_unlinked(struct import *import, struct forward_view *view,
				   const struct origin *at, const char *apex);
/* "corp.test", or "guests/corp.test" where another view has a zone of that name, too: then the zone
 * is in a resource group called like its view. */
const char *forward_zone_name(struct import *import, const struct node *zone);
/* The zone of that view is this one's, too. False: it has none of that name. */
bool forward_share_zone(struct import *import, struct forward_view *view, const struct origin *at,
			const char *apex, const char *of);
/* A record in that zone; `owner` and names in the data are absolute, with or without a final dot.
 * ttl_s < 0: the usual. */
void forward_zone_record(struct import *import, struct node *zone, const struct origin *at,
			 const char *owner, const char *type, long ttl_s, const char *rdata);
void forward_zone_rr(struct import *import, struct node *zone, const struct origin *at,
		     const ldns_rr *rr);

/* Data of a name alone, whatever zone it is in: to be put into the zone of the view that has the
 * name, once all are known, or into one of its own. */
void forward_record(struct import *import, struct forward_view *view, const struct origin *at,
		    const char *owner, const char *type, long ttl_s, const char *rdata);
void forward_rr(struct import *import, struct forward_view *view, const struct origin *at,
		const ldns_rr *rr);
/* The name and all below it have this data: a zone with a wildcard. */
void forward_below(struct import *import, struct forward_view *view, const struct origin *at,
		   const char *owner, const char *type, long ttl_s, const char *rdata);
/* An address with its name: both records. `with_ptr`: unless the address has a PTR already. */
void forward_host(struct import *import, struct forward_view *view, const struct origin *at,
		  const char *name, const char *address, long ttl_s, bool with_ptr);

/* Gives the zone the records of a master file, whose names begin at `origin`. The zone keeps the
 * file where the server can read it as it is and the zone has no other records. Otherwise, and for
 * a running server, the records become record sets. A remark tells what cannot be read. `folder` is
 * where relative paths of $INCLUDE begin; NULL: the file's own folder, as the server has it. */
void forward_zone_file(struct import *import, struct node *zone, const struct origin *at,
		       const char *path, const char *origin, const char *folder);

/* What a program adds to the format. `entry` is a record without comments, parentheses and ends of
 * lines, which may be changed in place; false: it is passed over. */
struct master_variant {
	bool (*edit)(void *context, const struct origin *at, char *entry);
	void *context;
	bool writes_comments; /* the program does, and keeps no others: they are left out */
};
/* Puts the records of a master file's text, which import_read gave, into the zone. What cannot be
 * read is a fault. */
void forward_zone_text(struct import *import, struct node *zone, const char *path, const char *text,
		       const char *origin, const struct master_variant *variant);

/* Puts names into zones. To be called ahead of import_finish. */
void forward_finish(struct import *import);

/* Decides for each zone with a master file whether it keeps the file or gets the file's records.
 * forward_finish calls this. */
void forward_finish_files(struct import *import);

#endif
