/* Puts record sets of the model, with names such as "www:A" and data as texts, into a zone that is
 * changed set by set (rules/zone/zone.h).
 *
 * A set has exactly one name: another spelling of the owner ("www.corp.internal.", "w\119w") or
 * the type ("TYPE1") is refused with the right name. ASCII case does not matter. */
#ifndef SLUICE_SCHEMA_RECORD_SET_H
#define SLUICE_SCHEMA_RECORD_SET_H

#include "rules/schema/model.h"
#include "rules/zone/zone.h"

enum { RECORD_SET_NAME_MAX = NAME_TEXT_MAX + 16 };

/* Prints "www:A" for an owner (uncompressed wire) at or below the apex. Returns text. */
char *record_set_name(const struct name *apex, const uint8_t *owner, uint16_t type,
		      char text[RECORD_SET_NAME_MAX]);

/* Puts the set into a draft of a zone with this apex; a set without records removes it. ERR_FAULTS:
 * it does not fit, and the faults have the set's origin. ERR_NOMEM. */
MUST_CHECK int record_set_put(struct zone_draft *draft, const struct name *apex,
			      const struct record_set *set, struct faults *faults);
/* Removes the set with this name; the same errors. */
MUST_CHECK int record_set_remove(struct zone_draft *draft, const struct name *apex,
				 const char *name, const struct origin *origin,
				 struct faults *faults);
/* Whether an editable zone has a set with this name. */
bool record_set_is_there(const struct zone *zone, const char *name);

#endif
