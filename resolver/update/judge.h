/* What an UPDATE message (RFC 2136) comes to: whether this client may send it at all, whether its
 * prerequisites hold, and what it makes of the records that are registered. In this order:
 *
 *     who       a key of the entry; or nobody's, by TCP, for its own address      else REFUSED
 *     names     all in the zone of the message                                    else NOTZONE
 *     what      each name and type in the message is one that this client may use else REFUSED
 *     requires  section 3.2, of what a query sees     else NXDOMAIN, YXDOMAIN, NXRRSET, YXRRSET
 *     update    section 3.4.2, of what is registered                         names_max: REFUSED
 *
 * Permission comes ahead of the prerequisites, unlike in section 3, so that nobody learns from
 * rcodes what is in a zone.
 *
 * **Two views.** Prerequisites are asked of the zone as served, exact names alone: a wildcard or an
 * empty non-terminal is no name in use, and the name server's is. Updates change the zone of
 * registered records alone. So a delete does nothing to what the zone has itself, and an add lies
 * beneath that until it goes. What can be registered includes no CNAME and no SOA, so
 * section 3.4.2's rules for them have nothing to apply to.
 *
 * **What can be registered.** A and AAAA of an address in the entry's prefixes, DHCID, and TXT as
 * dhcpd writes it, by owners below the entry's zone other than wildcards and its name server; in
 * the reverse zones PTR to a name in the entry's zone, DHCID and such TXT, by the names of
 * addresses in the prefixes. An update of any other type is REFUSED. The TTL is the entry's.
 *
 * **A key** whose names are `self` or `subdomain` may use a reverse name where every PTR that is
 * registered there, or would be, leads to a name of its own; a PTR to another name whose address
 * has gone since is in nobody's way.
 *
 * **Without a key**, by TCP, from an address in the prefixes where own_address is set, a client may
 * add that address under one name: one that the zone does not have itself, that means nothing to
 * others (the apex, wpad, isatap, labels with an underscore), and under which no other
 * address is registered, while the client's is registered under no other name. It may delete its
 * address, or all of a name that has nothing else registered. And the PTR of its address may lead
 * to the name that the address is registered with. So a machine whose address has changed waits
 * until the old one was deleted, or has expired.
 *
 * Pure, and without locks: nothing is changed here. Messages that arrive together are judged one
 * after the other, each by the zones that the one before made. */
#ifndef SLUICE_UPDATE_JUDGE_H
#define SLUICE_UPDATE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/update/message.h"
#include "resolver/update/registration.h"
#include "rules/arena.h"
#include "rules/prefix.h"
#include "rules/zone/zone.h"

enum {
	UPDATE_SET_MAX = 20,    /* records of a registered set, as Azure's record sets have them */
	UPDATE_DHCID_MAX = 128, /* bytes of a DHCID; SHA-256 makes 35 (RFC 4701 section 3.3) */
};

struct update_client {
	const uint8_t *key; /* that signed, and was verified: its name, wire in lower case; NULL:
			     * the message was not signed */
	struct address address;
	bool tcp;
};

struct update_view {
	/* Of the zone that the message is for: what a query sees, and what of it was registered.
	 * For a reverse zone both may begin at any cut above the addresses. Registered zones are
	 * editable (zone_is_editable). */
	const struct zone *served, *registered;
	/* What is registered in the entry's zone: for a message to that, the same. */
	const struct zone *names;
	size_t owners; /* how many names `registered` has for this entry, the apex apart */
	/* What a query has for the name of the zone's name server (rules/policy/registered.h), from
	 * where the message arrived; NULL, or of no family: it has none. */
	const struct address *server;
};

struct update_set {           /* an RRset, and its records once the message has been applied */
	const uint8_t *owner; /* wire in lower case, in the message's arena */
	uint16_t type;
	const struct update_rdata *records; /* some may be in the registered zone */
	size_t count;                       /* 0: the set goes */
};

struct update_verdict {
	enum rcode rcode;
	const char *why; /* for a log, a constant: what the client may not do, or which
			  * prerequisite failed; NULL: NOERROR */
	/* With NOERROR alone, each set once: those that change, */
	const struct update_set *changed;
	size_t changed_count;
	/* and those that stay what they are and that the message had in it, to add them or as a
	 * prerequisite: their clients are alive. */
	const struct update_set *renewed;
	size_t renewed_count;
};

/* entry: what registrations_next gave for the message. Everything in the verdict lives as long as
 * the arena, the update and the view. SERVFAIL: no memory. */
void update_judge(struct update_verdict *verdict, struct arena *arena, const struct update *update,
		  const struct registration *entry, const struct update_client *client,
		  const struct update_view *view);

#endif
