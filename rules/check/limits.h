/* What is allowed: Azure's limits, its rules on subnets, networks, endpoints, rulesets, links,
 * rules and zones, and that every reference leads somewhere. Pure: a model in, faults out.
 *
 * Warnings are what is legal and surely not meant: a rule that a linked zone shadows, a forwarding
 * loop through our own endpoints, a target that cannot be reached from the endpoint's source. They
 * are looked for when there is no error: a wrong configuration is not advised on its finer points.
 */
#ifndef SLUICE_LIMITS_H
#define SLUICE_LIMITS_H

#include "rules/fault.h"
#include "rules/schema/model.h"

/* Checks everything; expects model_place_endpoints to have run and zones to have been read (a zone
 * whose file could not be read is NULL, has its own fault already, and is passed over). */
void limits_check(const struct model *model, struct faults *faults);
/* The same for a model of the same file as `before`, which was found good: the rules of rulesets
 * and the records of zones that both have are not looked at again, nor are warnings of theirs, nor
 * loops. before NULL, or of another file: as limits_check. */
void limits_check_change(const struct model *model, const struct model *before,
			 struct faults *faults);
/* limits_check_change of two models that differ in the records of zones alone: looks at these, and
 * at nothing else. */
void limits_check_records(const struct model *model, const struct model *before,
			  struct faults *faults);
/* What is not looked at there because no model has it: a record set of the state that is put. */
void limits_check_record_set(const struct record_set *set, struct faults *faults);
/* Whether that value of a limit, by its key, lets more in than the other: a least one is the less
 * strict the less it is. */
bool limits_lets_more(const char *key, uint64_t value, uint64_t than);
/* By Azure's rule, what a resource group cannot be called: what is wrong with it; NULL: nothing.
 * Letters beyond ASCII are taken as they come. */
const char *group_name_refusal(const char *name);

#endif
