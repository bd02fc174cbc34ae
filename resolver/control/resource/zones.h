/* The record sets of private zones, kept outside the model's items because a zone may have 25,000:
 * they live in the zone that is served (rules/zone/zone.h), so changing one set costs only that
 * set.
 *
 *     a start, a reload      model_compose ─► zones_load: of all rows ─► zones_number: serials
 *     a zone, made or gone   model_compose ─► zones_keep: of the model before ─► zones_read: a new
 *                                             one's rows ─► sets, as below ─► zones_go_on: serials
 *     a change of sets       model_same    ─► zones_edit ─► zones_put, ... ─► zones_commit
 *
 * A zone of the configuration file may have sets of the state beside those that the file declares,
 * unless it has a file of records. */
#ifndef SLUICE_ZONES_H
#define SLUICE_ZONES_H

#include <jansson.h>

#include "resolver/control/resource/part.h"
#include "rules/hash.h"

/* Whether the records of the path's zone come from a master file. */
bool zone_has_file(const struct model *model, const struct path *path);

/* Fills all zones of the model with record sets of the file and the state. Rows of a zone that the
 * model does not have are not served and get a warning; the parts note that rows were skipped.
 * Errors as of parts_load. */
MUST_CHECK int zones_load(struct model *model, struct parts *parts, struct source *source,
			  const struct hash_key *key, uint64_t now_s, struct faults *faults,
			  char error[SOURCE_ERROR_MAX]);
/* Takes over the records of each zone that `before`, a model of the same file, has as well, unless
 * a master file gives them. */
void zones_keep(struct model *model, const struct model *before);
/* zones_load for the zone of this path; does nothing for a path of another kind. */
MUST_CHECK int zones_read(struct model *model, struct parts *parts, struct source *source,
			  const struct hash_key *key, const struct path *path, uint64_t now_s,
			  struct faults *faults, char error[SOURCE_ERROR_MAX]);

/* Gives a zone whose records are as before its old serial, and every other zone a later one.
 * `before`: the model that is served, or NULL. `source`: keeps the serials (serial_book.h), or
 * NULL. ERR_NOMEM. */
MUST_CHECK int zones_number(struct model *model, const struct model *before, struct source *source,
			    uint64_t now_s);

/* After a change: gives each new or recreated zone the serial that zones_number would. A secondary
 * that still has the domain asks only for serials later than its own, which may be ahead of the
 * clock that new zones start from. ERR_NOMEM. */
MUST_CHECK int zones_go_on(struct model *model, const struct model *before, struct source *source,
			   uint64_t now_s);

/* ---- edits; call the functions in this order ---- */

/* Removes duplicate records from the values of a record set, however they are written; the first
 * one stays. The values get a list of their own. */
void zones_unique(const struct path *path, json_t *values);

struct zones_draft;
/* Begins an edit of the model, which must not be shared yet; zones_commit puts the sets into it.
 * NULL without memory. */
struct zones_draft *zones_edit(struct model *model);
/* Puts the record set of that path into the draft; values NULL: removes it. Each value that does
 * not fit is a fault. ERR_FAULTS, ERR_NOMEM. */
MUST_CHECK int zones_put(struct zones_draft *draft, const struct path *path, const json_t *values,
			 struct faults *faults);
/* Puts the draft into the model and frees it, also on an error. ERR_FAULTS, ERR_NOMEM. */
MUST_CHECK int zones_commit(struct zones_draft *draft, uint64_t now_s, struct faults *faults);
void zones_discard(struct zones_draft *draft); /* NULL is fine */

#endif
