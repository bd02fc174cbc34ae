/* A home keeps items that may be too many for the lists of a model, in data that one model shares
 * with the next, so the cost of a change depends only on the items that it touches. Items of the
 * state have rows, like those of every kind. A kind names its home (kind.h). There are two places:
 *
 * Beside the model: addresses, services and PTRs (addresses.h), and groups (group.h). Checking an
 * edit of one reads the store (which addresses are free, who has a name), where the change's
 * earlier edits must be visible, so the edit is put within the transaction that is committed.
 *
 * In the model, in data of the items' parents: record sets, in their zones. They are put before
 * that transaction begins, because compiling them writes serials to the same store:
 *
 *     a start, a reload    model_compose ─► homes_load: all rows
 *     parents come or go   model_compose ─► homes_keep: as in the model before
 *                                        ─► homes_read: rows of a new parent ─► edits, as below
 *     items change         model_same    ─► homes_edit ─► homes_put, ... ─► homes_commit
 *
 * The functions below call all homes in the model, or the path's. */
#ifndef SLUICE_HOME_H
#define SLUICE_HOME_H

#include <jansson.h>

#include "resolver/control/resource/item.h"
#include "resolver/control/resource/part.h"
#include "rules/hash.h"

struct home_rows {                  /* the rows to be read */
	struct source *source;      /* homes_load: NULL: only what the file declares */
	struct model *model;        /* gets the items */
	struct parts *parts;        /* these note that rows were skipped */
	const struct model *before; /* the model that is served, or NULL */
	const struct hash_key *key;
	uint64_t now_s;
};

struct home {
	bool beside;                    /* beside the model, and without the calls below */
	const struct item_calls *items; /* for the APIs */

	/* ---- in the model: all are set. Errors of load and read as of parts_load ---- */

	/* Fills all parents with items of the file and the state. Rows without a parent are not
	 * served and get a warning. */
	int (*load)(const struct home_rows *rows, struct faults *faults,
		    char error[SOURCE_ERROR_MAX]);
	/* Gives each parent the items that it has in `before`, a model of the same file. */
	void (*keep)(struct model *model, const struct model *before);
	/* `load` for the parent of this path; does nothing for a path of another kind. */
	int (*read)(const struct home_rows *rows, const struct path *path, struct faults *faults,
		    char error[SOURCE_ERROR_MAX]);
	/* Begins an edit of the model, which must not be shared yet. NULL without memory. */
	void *(*edit)(struct model *model);
	/* Puts the item into the draft; values NULL: removes it. Each value that does not fit is a
	 * fault. ERR_FAULTS, ERR_NOMEM. */
	int (*put)(void *draft, const struct path *path, const json_t *values,
		   struct faults *faults);
	/* Puts the draft into the model and frees it, also on an error. Completes parents that
	 * `before`, the served model, lacks: a new zone gets its serial. ERR_FAULTS, ERR_NOMEM. */
	int (*commit)(void *draft, const struct model *before, struct source *source,
		      uint64_t now_s, struct faults *faults);
	void (*discard)(void *draft); /* NULL is fine */
	/* Checks limits of the parents whose items are not as in `before`. */
	void (*check)(const struct model *model, const struct model *before, struct faults *faults);
	/* Whether parents that the file declares serve items of the state. */
	bool (*has_rows)(const struct model *model);

	/* ---- in the model, for the APIs; `parent` is an item of a model ---- */

	/* A text for clients: why the state can have no items in this parent; NULL: it can. */
	const char *(*refusal)(const void *parent);
	/* Whether the item of that name, with these values in its row, is served. */
	bool (*serves)(const void *parent, const char *name, const json_t *values);
	/* Removes duplicates from the values. */
	void (*tidy)(const struct path *path, json_t *values);
	/* The stored form of the path's last name, which may be the path's own text. NULL without
	 * memory. */
	const char *(*name)(const struct path *path, struct arena *arena);
};

extern const struct home zones_home;     /* record sets, in zones.c */
extern const struct home addresses_home; /* in address_items.c */
extern const struct home groups_home;    /* in group.c */

MUST_CHECK int homes_load(const struct home_rows *rows, struct faults *faults,
			  char error[SOURCE_ERROR_MAX]);
void homes_keep(struct model *model, const struct model *before);
MUST_CHECK int homes_read(const struct home_rows *rows, const struct path *path,
			  struct faults *faults, char error[SOURCE_ERROR_MAX]);

struct homes_draft { /* by the index of the kind */
	void *of[KIND_COUNT];
};
MUST_CHECK int homes_edit(struct homes_draft *draft, struct model *model);
MUST_CHECK int homes_put(struct homes_draft *draft, const struct path *path, const json_t *values,
			 struct faults *faults);
MUST_CHECK int homes_commit(struct homes_draft *draft, const struct model *before,
			    struct source *source, uint64_t now_s, struct faults *faults);
void homes_discard(struct homes_draft *draft);
void homes_check(const struct model *model, const struct model *before, struct faults *faults);
bool homes_have_rows(const struct model *model);

#endif
