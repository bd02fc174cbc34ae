/* Judges an UPDATE message (RFC 2136): whether this client may send it, whether its prerequisites
 * hold, and how it changes the registered records. In this order:
 *
 *     client    a key of the entry; or no key, by TCP, for its own address        else REFUSED
 *     names     all in the zone of the message                                    else NOTZONE
 *     rights    each name and type in the message is one that this client may use else REFUSED
 *     requires  section 3.2, on the served zone       else NXDOMAIN, YXDOMAIN, NXRRSET, YXRRSET
 *     update    section 3.4.2, on the registered zone                        names_max: REFUSED
 *
 * Permission comes before the prerequisites, unlike in section 3, so that rcodes do not reveal what
 * is in a zone.
 *
 * **Two views.** Prerequisites look at exact names of the served zone: a wildcard or an empty
 * non-terminal is not a name in use, but the name server's name is. Updates change only the zone of
 * registered records. So a delete does not touch the zone's own records, and an added record stays
 * hidden beneath them. No CNAME or SOA can be registered, so section 3.4.2's rules for these do not
 * apply.
 *
 * **Records that can be registered.** Below the entry's zone: A and AAAA of an address in the
 * entry's prefixes, DHCID, and TXT in dhcpd's form, except for wildcards and the name server's
 * name. In the reverse zones, at addresses in the prefixes: PTR to a name in the entry's zone,
 * DHCID and such TXT. An update of any other type is REFUSED. The TTL is the entry's.
 *
 * **A key** with names `self` or `subdomain` may use a reverse name if every PTR there, registered
 * or added, leads to one of its names. A PTR to another name that has lost this address does not
 * count.
 *
 * **Without a key**, if own_address is set, a client by TCP from an address in the prefixes may add
 * that address under one name. The zone itself must have neither that name nor a wildcard for it;
 * the name must have no special meaning (the apex, wpad, isatap, labels that begin with an
 * underscore), no other registered address, and no DHCID or TXT of a DHCP server; and the client's
 * address must be registered under no other name. The client may delete its address, or a whole
 * name that has nothing else registered. The PTR of its address may lead to the name of that
 * address. So a machine with a new address waits until the old one was deleted or has expired.
 *
 * Pure, without locks: changes nothing. Messages that arrive together are judged one after the
 * other, each with the zones that its predecessor made. */
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
	UPDATE_SET_MAX = 20,    /* records of a registered set, as in Azure's record sets */
	UPDATE_DHCID_MAX = 128, /* bytes of a DHCID; SHA-256 makes 35 (RFC 4701 section 3.5) */
};

struct update_client {
	const uint8_t *key; /* name of the verified key, wire in lower case; NULL: not signed */
	struct address address;
	bool tcp;
};

struct update_view {
	/* The message's zone as queries see it, and its registered records. For a reverse zone both
	 * may begin at any cut above the addresses. Registered zones are editable
	 * (zone_is_editable). */
	const struct zone *served, *registered;
	/* The registered records of the entry's zone; may be the same as `registered`. */
	const struct zone *names;
	const struct zone *served_names; /* the entry's zone as queries see it */
	size_t owners; /* how many names `registered` has for this entry, without the apex */
	/* The address that queries at this place get for the zone's name server
	 * (rules/policy/registered.h); NULL, or family 0: none. */
	const struct address *server;
};

struct update_set {           /* an RRset, with its records after the message */
	const uint8_t *owner; /* wire in lower case, in the message's arena */
	uint16_t type;
	const struct update_rdata *records; /* some point into the registered zone */
	size_t count;                       /* 0: the set is removed */
};

struct update_verdict {
	enum rcode rcode;
	const char *why; /* a constant text for logs: what is not allowed, or which prerequisite
			    failed; NULL: NOERROR */
	/* Only with NOERROR, each set once: the sets that change. */
	const struct update_set *changed;
	size_t changed_count;
	/* Sets that stay the same, but that the message adds or requires. So their clients are
	 * alive. */
	const struct update_set *renewed;
	size_t renewed_count;
};

/* entry: from registrations_next for the message. The verdict's contents live as long as the arena,
 * the update and the view. SERVFAIL: no memory. */
void update_judge(struct update_verdict *verdict, struct arena *arena, const struct update *update,
		  const struct registration *entry, const struct update_client *client,
		  const struct update_view *view);

#endif
