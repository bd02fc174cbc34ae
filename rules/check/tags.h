/* What tags may be, and all else of type FIELD_TAGS, by its row of the field table. limits.h asks
 * this of every item of a model, the management API of the addresses, services and groups that it
 * is given, which are in none. */
#ifndef SLUICE_TAGS_H
#define SLUICE_TAGS_H

#include "rules/schema/schema.h"

enum { TAGS_TEXT_MAX = 256 };

/* Why the tags that the item has by that field of its group cannot be: too many, or too long, a
 * name is empty, or two are the same but for their case. NULL when they can. Returns text. */
const char *tags_refusal(const struct field *field, const void *item, char text[TAGS_TEXT_MAX]);

#endif
