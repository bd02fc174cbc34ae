/* Checks an item's tags, and other fields of type FIELD_TAGS, by their row of the field table.
 * limits.h calls it for the items of a model, and the management API for addresses, services and
 * groups, which are in no model. */
#ifndef SLUICE_TAGS_H
#define SLUICE_TAGS_H

#include "rules/schema/schema.h"

enum { TAGS_TEXT_MAX = 256 };

/* Why the item's tags in this field are invalid: too many, too long together, an empty name, or one
 * name twice, without regard to ASCII case. Without memory the text says so. Returns text or a
 * constant; NULL: they are valid. */
const char *tags_refusal(const struct field *field, const void *item, char text[TAGS_TEXT_MAX]);

#endif
