/* Record sets of the model as those of a zone that is changed set by set (rules/zone/zone.h): names
 * such as "www:A", and data as texts.
 *
 * A set has one name only: an owner that is written otherwise ("www.corp.internal.", "w\\119w"), or
 * a type ("TYPE1"), is refused with the name that would be right. ASCII case does not matter. */
#ifndef SLUICE_SCHEMA_RECORD_SET_H
#define SLUICE_SCHEMA_RECORD_SET_H

#include "rules/schema/model.h"
#include "rules/zone/zone.h"

enum { RECORD_SET_NAME_MAX = NAME_TEXT_MAX + 16 };

/* "www:A" of an owner (uncompressed wire) at or below the apex. Returns text. */
char *record_set_name(const struct name *apex, const uint8_t *owner, uint16_t type,
		      char text[RECORD_SET_NAME_MAX]);

/* Puts the set into a draft of a zone with this apex; one without records is not in the zone.
 * ERR_FAULTS: it does not fit, by faults with the set's origin; ERR_NOMEM. */
MUST_CHECK int record_set_put(struct zone_draft *draft, const struct name *apex,
			      const struct record_set *set, struct faults *faults);
/* Takes out what has that name; the same errors. */
MUST_CHECK int record_set_remove(struct zone_draft *draft, const struct name *apex,
				 const char *name, const struct origin *origin,
				 struct faults *faults);
/* Whether the zone, which is editable, has a set of that name. */
bool record_set_is_there(const struct zone *zone, const char *name);

#endif
