/* What private zones say: the home of record sets. These are no items of a model, because a zone
 * may have 25,000: they stand in the zone that is served (rules/zone/zone.h), so that a change of
 * one set costs what one set costs.
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

/* Whether the records of the zone that the path is in are those of a master file. */
bool zone_has_file(const struct model *model, const struct path *path);

/* All zones of the model say what its file declares, and what the state has. Rows of a zone that
 * the model does not have are not served, with a warning; parts are told what is passed over.
 * Errors as of parts_load. */
MUST_CHECK int zones_load(struct model *model, struct parts *parts, struct source *source,
			  const struct hash_key *key, uint64_t now_s, struct faults *faults,
			  char error[SOURCE_ERROR_MAX]);
/* Each zone that `before`, a model of the same file, has too says what it says there. */
void zones_keep(struct model *model, const struct model *before);
/* zones_load of the one that has this path, if it is a zone's. */
MUST_CHECK int zones_read(struct model *model, struct parts *parts, struct source *source,
			  const struct hash_key *key, const struct path *path, uint64_t now_s,
			  struct faults *faults, char error[SOURCE_ERROR_MAX]);

/* Gives zones that say what they said before the serial they had, and others a later one. `before`:
 * the model that is served, or NULL. `source`: where serials are kept (serial_book.h), or NULL.
 * ERR_NOMEM. */
MUST_CHECK int zones_number(struct model *model, const struct model *before, struct source *source,
			    uint64_t now_s);

/* After a change: gives a zone that is new, or was made again, the serial that zones_number would.
 * A secondary that has the domain from before asks for what is later than its own serial, which may
 * be ahead of the clock that new zones begin with. ERR_NOMEM. */
MUST_CHECK int zones_go_on(struct model *model, const struct model *before, struct source *source,
			   uint64_t now_s);

/* ---- edits, in their order ---- */

/* Of the values of a record set of that path, records that are the same, however they are written,
 * become the first of them. The values get a list of their own. */
void zones_unique(const struct path *path, json_t *values);

struct zones_draft;
/* The model, which nobody else has yet, gets what is put with zones_commit. NULL without memory. */
struct zones_draft *zones_edit(struct model *model);
/* Puts the record set of that path into the draft; values NULL: removes it. Each value that does
 * not fit is a fault. ERR_FAULTS, ERR_NOMEM. */
MUST_CHECK int zones_put(struct zones_draft *draft, const struct path *path, const json_t *values,
			 struct faults *faults);
/* The draft is gone; the same errors. */
MUST_CHECK int zones_commit(struct zones_draft *draft, uint64_t now_s, struct faults *faults);
void zones_discard(struct zones_draft *draft); /* NULL is fine */

#endif
