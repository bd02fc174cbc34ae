/* What the tags of an item, and other fields of type FIELD_TAGS, may be by their row of the field
 * table. The items of a model are checked with its limits (limits.h); addresses, services and
 * groups are in no model, so the management API calls this. */
#ifndef SLUICE_TAGS_H
#define SLUICE_TAGS_H

#include "rules/schema/schema.h"

enum { TAGS_TEXT_MAX = 256 };

/* Why the item cannot have its tags of that field: too many, too long, an empty name, or two names
 * that differ only in case. NULL: it can. Returns text. */
const char *tags_refusal(const struct field *field, const void *item, char text[TAGS_TEXT_MAX]);

#endif
