/* The addresses and services of a file that is applied (apply_plan.h), with their PTRs: what no two
 * may have goes from one to another, and what was derived is not asked for. */
#ifndef SLUICE_APPLY_OWNERS_H
#define SLUICE_APPLY_OWNERS_H

#include <jansson.h>

#include "rules/schema/model.h"

struct apply_plan;

/* One that is served has what no two may have. key: in plan->served. */
void apply_note_holder(struct apply_plan *plan, const char *key, const json_t *served);
/* Adds to plan->removals and plan->puts. */
void apply_plan_owners(struct apply_plan *plan, const struct model *model);

#endif
