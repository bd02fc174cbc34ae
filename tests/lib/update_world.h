/* For tests: a zone corp.test in which machines register, and the reverse zones of its prefixes.
 * Messages are judged and applied. */
#ifndef SLUICE_TESTS_UPDATE_WORLD_H
#define SLUICE_TESTS_UPDATE_WORLD_H

#include "resolver/update/judge.h"

struct update_world {
	struct registrations *registrations;
	struct zone *manual;                   /* corp.test's own records */
	struct zone *served, *registered;      /* of corp.test */
	struct zone *reverse_served, *reverse; /* of arpa; reverse: its registered PTRs */
	struct update_client client;           /* sends the next messages */
	struct address local;                  /* where they arrive: 10.1.0.53 */
	char *said;      /* what the last message did: a line for each set, "= pc A 10.1.0.5" if it
			  * changed, "- pc A" if it went and "~ pc A" if it was renewed; names are
			  * relative to corp.test or arpa */
	const char *why; /* why update_judge refused the last message, a constant; or NULL */
};

/* manual: corp.test as a master file. The entry has the prefixes 10.1.0.0/16 and 2001:db8:1::/48,
 * the keys "dhcp", "web.corp.test" (self) and "lab.corp.test" (subdomain), own_address, and room
 * for so many names. */
void update_world_init(struct update_world *world, const char *manual, unsigned names_max);
void update_world_release(struct update_world *world);

/* Sets the sender of later messages; key NULL: no key, by TCP. */
void update_world_client(struct update_world *world, const char *key, const char *address);
/* Sends a message for this zone, in the form of update_write, and applies it. Returns its rcode. */
enum rcode update_world_send(struct update_world *world, const char *zone, const char *records);
/* The same for a packet; RCODE_NOTAUTH: there is no such zone. */
enum rcode update_world_give(struct update_world *world, const uint8_t *packet, size_t length);

#endif
