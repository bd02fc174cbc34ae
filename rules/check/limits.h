/* Checks a model: Azure's limits, its rules on subnets, networks, endpoints, rulesets, links, rules
 * and zones, and that every reference leads to an item. Pure: a model in, faults out.
 *
 * Warnings are for legal settings that are surely not intended: a rule that a linked zone shadows,
 * a forwarding loop through our own endpoints, a target that cannot be reached from the endpoint's
 * source. Those that need the whole model (warn.c, loop.c) are looked for only if there is no
 * error. */
#ifndef SLUICE_LIMITS_H
#define SLUICE_LIMITS_H

#include "rules/fault.h"
#include "rules/schema/model.h"

/* Checks everything. Call it after model_place_endpoints and after reading the zones (a zone whose
 * file could not be read is NULL, has its own fault already, and is skipped). */
void limits_check(const struct model *model, struct faults *faults);
/* The same for a change of `before`, a good model of the same file: skips rules and records that
 * both have, warnings about these, and loops. before NULL, or of another file: like
 * limits_check. */
void limits_check_change(const struct model *model, const struct model *before,
			 struct faults *faults);
/* limits_check_change for two models that differ only in records of zones: checks only these. */
void limits_check_records(const struct model *model, const struct model *before,
			  struct faults *faults);
/* Checks a record set that is put into the state, because no model has it. */
void limits_check_record_set(const struct record_set *set, struct faults *faults);
/* Whether a value of a limit, by its key, allows more than another: for a minimum the smaller one
 * does. */
bool limits_lets_more(const char *key, uint64_t value, uint64_t than);
/* Why this name is invalid for a resource group by Azure's rule; NULL: it is valid. Letters beyond
 * ASCII are accepted. */
const char *group_name_refusal(const char *name);

#endif
