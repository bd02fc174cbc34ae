/* What is allowed: Azure's limits, its rules on subnets, networks, endpoints, rulesets, links,
 * rules and zones, and that every reference leads somewhere. Pure: a model in, faults out.
 *
 * Warnings are what is legal and surely not meant: a rule that a linked zone shadows, a forwarding
 * loop through our own endpoints, a target that cannot be reached from the endpoint's source. */
#ifndef SLUICE_LIMITS_H
#define SLUICE_LIMITS_H

#include "rules/fault.h"
#include "rules/model.h"

/* The table of limits; each row's key is its name in the configuration's `limits` group. */
struct limit {
	const char *key;
	size_t offset; /* of the uint32_t in struct limit_values */
	uint32_t azure;
	const char *doc;
};
extern const struct limit limits_table[];
extern const size_t limits_table_count;

/* Checks everything; expects model_place_endpoints to have run and zones to have been read (a zone
 * whose file could not be read is NULL, has its own fault already, and is passed over). */
void limits_check(const struct model *model, struct faults *faults);

#endif
