/* For tests: a model whose zones go out, as it is served, and as it was served before. */
#ifndef SLUICE_TESTS_SERVED_ZONES_H
#define SLUICE_TESTS_SERVED_ZONES_H

#include "resolver/transfer/table.h"
#include "tests/lib/model_builder.h"

enum { SERVED_NOW = 1700000000 }; /* seconds: a time of day to begin with */

struct served_zones {
	struct model *model;
	const char *zones[4]; /* the entry's; one at first: "*" */
	struct transfer_settings entry;
	const struct serial_keeper *keeper; /* NULL: none */
	struct policy *policy;
	struct transfer_table *table;
	/* What these came after, which the next ones let go of. */
	struct policy *policy_before;
	struct transfer_table *before;
};

/* With the network "hub", 10.10.0.0/16, and the entry. Nothing is served yet. */
void served_init(struct served_zones *served);
void served_release(struct served_zones *served);
/* The pools 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32 and, inside the network, 10.10.0.0/16;
 * and the private zone a.test of serial 7. */
void served_add_zones(struct served_zones *served);
#define SERVED_REVERSE "100.51.198.in-addr.arpa."
/* For a test's set-up and tear-down: *state is one with these. */
int served_set_up(void **state);
int served_tear_down(void **state);

/* Serves the model as it is now. */
void served_compile(struct served_zones *served, uint64_t now_s);
/* Serves what the draft makes of what we own; takes it over. */
void served_advance(struct served_zones *served, struct owned_draft *draft, uint64_t now_s);
/* Lets go of what was served before. */
void served_forget(struct served_zones *served);

/* A PTR of 60 s; target NULL: none. */
void served_set_ptr(struct owned_draft *draft, const char *address, const char *target);
/* The same as a change by itself. */
void served_point(struct served_zones *served, const char *address, const char *target,
		  uint64_t now_s);
/* What is served of that name; NULL: nothing. */
const struct transfer_zone *served_zone(const struct served_zones *served, const char *text);
/* The serial that a question for its SOA is answered with, in the network "hub". */
uint32_t served_answered(const struct served_zones *served, const char *text);

#endif
