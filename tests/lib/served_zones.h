/* For tests: a model with transferred zones, as served now and before. */
#ifndef SLUICE_TESTS_SERVED_ZONES_H
#define SLUICE_TESTS_SERVED_ZONES_H

#include "resolver/transfer/table.h"
#include "tests/lib/model_builder.h"

enum { SERVED_NOW = 1700000000 }; /* seconds: a time of day to begin with */

struct served_zones {
	struct model *model;
	const char *zones[4]; /* of the entry; at first only "*" */
	struct transfer_settings entry;
	const struct serial_keeper *keeper; /* NULL: none */
	struct policy *policy;
	struct transfer_table *table;
	/* The predecessors, which the next change releases. */
	struct policy *policy_before;
	struct transfer_table *before;
};

/* Begins with the network "hub", 10.10.0.0/16, and the entry. Serves nothing yet. */
void served_init(struct served_zones *served);
void served_release(struct served_zones *served);
/* The pools 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32 and, inside the network, 10.10.0.0/16;
 * and the private zone a.test of serial 7. */
void served_add_zones(struct served_zones *served);
#define SERVED_REVERSE "100.51.198.in-addr.arpa."
/* For a test's set-up and tear-down: *state has these zones. */
int served_set_up(void **state);
int served_tear_down(void **state);

/* Serves the current model. */
void served_compile(struct served_zones *served, uint64_t now_s);
/* Serves the draft's addresses; takes over the draft. */
void served_advance(struct served_zones *served, struct owned_draft *draft, uint64_t now_s);
/* Releases the predecessors. */
void served_forget(struct served_zones *served);

/* Sets a PTR of 60 s; target NULL: removes it. */
void served_set_ptr(struct owned_draft *draft, const char *address, const char *target);
/* The same as a separate change. */
void served_point(struct served_zones *served, const char *address, const char *target,
		  uint64_t now_s);
/* The served zone of this name; NULL: none. */
const struct transfer_zone *served_zone(const struct served_zones *served, const char *text);
/* The serial in the answer to a question for its SOA, in the network "hub". */
uint32_t served_answered(const struct served_zones *served, const char *text);

#endif
