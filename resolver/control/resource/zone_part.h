/* Private zones of the store. Their record sets are no items of the model: a part has them as a
 * zone that is changed set by set (rules/zone/zone.h), so that one set among 25,000 costs what one
 * costs.
 *
 *     rows of record sets ──► draft ──► zone ─┐
 *     row of the zone, of its links ──────────┴─► part
 *
 * A zone of the file without a file of records may have some, too, beside those that the file
 * declares. */
#ifndef SLUICE_ZONE_PART_H
#define SLUICE_ZONE_PART_H

#include <jansson.h>

#include "resolver/control/resource/part.h"
#include "rules/hash.h"

/* Whether the records of the zone that the path is in are those of a master file. */
bool zone_has_file(const struct model *model, const struct path *path);

/* Gives all of the parts their zones, by what the store has. What is in a zone that the file does
 * not have any more is not served, with a warning. Errors as of parts_load. */
MUST_CHECK int zone_parts_load(struct parts *parts, struct source *source,
			       const struct hash_key *key, const struct model *declared,
			       uint64_t now_s, struct faults *faults, char error[SOURCE_ERROR_MAX]);

/* parts_refresh: the records stay as they are, or, `anew` and of a zone that was not there, are
 * those of the store. */
MUST_CHECK int zone_part_refresh(struct parts *parts, struct source *source,
				 const struct hash_key *key, const struct path *path, bool anew,
				 uint64_t revision, const struct model *declared, uint64_t now_s,
				 struct faults *faults, char error[SOURCE_ERROR_MAX]);

struct record_set_edit {
	const struct path *path;
	const json_t *values; /* NULL: it goes */
};
/* The next version of one zone: all of its edits, in their order. ERR_FAULTS, ERR_NOMEM. */
MUST_CHECK int zone_part_edit(struct parts *parts, const struct model *declared,
			      const struct record_set_edit *edits, size_t count, uint64_t now_s,
			      struct faults *faults);

/* Gives zones that say what they said before the serial they had, and others a later one. `before`:
 * the model that is served, or NULL. `source`: where serials are kept (serial_book.h), or NULL. */
MUST_CHECK int zone_parts_number(struct parts *parts, struct model *declared,
				 const struct model *before, struct source *source, uint64_t now_s);

#endif
