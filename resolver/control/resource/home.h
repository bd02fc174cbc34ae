/* A home keeps items that may be too many for the lists of a model, in data that one model shares
 * with the next, so the cost of a change depends only on the items that it touches. Items of the
 * state have rows, like those of every kind. A kind names its home (kind.h). There are two places:
 *
 * In the model, in data of the items' parents: record sets, in their zones. homes_put runs before
 * the transaction that stores the items, because the model with them is made first:
 *
 *     a start, a reload    model_compose ─► homes_load: all rows
 *     parents come or go   model_compose ─► homes_keep: as in the model before
 *                                        ─► homes_read: rows of a new parent ─► edits, as below
 *     items change         model_same    ─► homes_edit ─► homes_put, ... ─► homes_commit
 *
 * Beside the model: addresses, services and PTRs (addresses.h), and groups (group.h). To check an
 * edit of these, the store is searched for free addresses and for the holder of a name. The search
 * must see the change's earlier edits, so the edit is put within that transaction:
 *
 *     a start, a reload    resources_prepare ─► resources_adopt
 *     items change         BEGIN ─► homes_edit ─► homes_put, ... ─► COMMIT ─► homes_commit
 *
 * homes_edit, homes_commit and homes_discard call all homes of the change's place, homes_put that
 * of the path's kind, the others all homes in the model. */
#ifndef SLUICE_HOME_H
#define SLUICE_HOME_H

#include <jansson.h>

#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/part.h"
#include "rules/hash.h"

struct resources;

struct home_rows {                  /* the rows to be read */
	struct source *source;      /* homes_load: NULL: only what the file declares */
	struct model *model;        /* gets the items */
	struct parts *parts;        /* these note that rows were skipped */
	const struct model *before; /* the model that is served, or NULL */
	const struct hash_key *key;
	uint64_t now_s;
};

struct home_change { /* what is edited; outlives the drafts */
	/* In the model: gets the items, and must not be shared yet. NULL: homes beside the model
	 * are edited. */
	struct model *model;
	const struct model *before; /* the served model */
	uint64_t now_s;
	struct faults *faults; /* each value that does not fit */

	/* Beside the model. */
	struct resources *resources; /* get the items */
	uint64_t revision;           /* of the open transaction */
	bool restores;               /* earlier items that no longer fit are put, and not served */
	enum addresses_why why;
	struct change_error *error; /* why an edit failed */

	struct source *source; /* in both places */
};

enum { HOME_ZONES, HOME_ADDRESSES, HOMES };

struct home {
	unsigned number; /* HOME_ZONES ... */
	bool beside;     /* beside the model; false: in the model */

	/* Begins a draft. NULL without memory. */
	void *(*edit)(const struct home_change *change);
	/* Puts the item into the draft; values NULL: removes it. ERR_FAULTS, ERR_NOMEM; beside the
	 * model ERR_INVALID: the change's error says why, and further edits can be put. */
	int (*put)(void *draft, const struct resource_edit *edit, const struct home_change *change);
	/* Puts the draft in place of the present items, and frees it, also on an error. In the
	 * model, completes parents that `before` lacks: a new zone gets its serial. Beside the
	 * model, comes after the COMMIT and cannot fail. ERR_FAULTS, ERR_NOMEM. */
	int (*commit)(void *draft, const struct home_change *change);
	void (*discard)(void *draft);

	/* ---- in the model; NULL beside it. Errors of load and read are those of parts_load ----
	 */

	/* Fills all parents with items of the file and the state. Rows without a parent are not
	 * served and get a warning. */
	int (*load)(const struct home_rows *rows, struct faults *faults,
		    char error[SOURCE_ERROR_MAX]);
	/* Gives each parent the items that it has in `before`, a model of the same file. */
	void (*keep)(struct model *model, const struct model *before);
	/* `load` for the parent of this path; does nothing for a path of another kind. */
	int (*read)(const struct home_rows *rows, const struct path *path, struct faults *faults,
		    char error[SOURCE_ERROR_MAX]);
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
extern const struct home addresses_home; /* addresses, services, PTRs, groups; address_edits.c */

MUST_CHECK int homes_load(const struct home_rows *rows, struct faults *faults,
			  char error[SOURCE_ERROR_MAX]);
void homes_keep(struct model *model, const struct model *before);
MUST_CHECK int homes_read(const struct home_rows *rows, const struct path *path,
			  struct faults *faults, char error[SOURCE_ERROR_MAX]);

struct homes_draft {
	const struct home_change *change;
	void *of[HOMES]; /* NULL: none */
};
/* Begins drafts of the homes in the model or beside it. ERR_NOMEM. */
MUST_CHECK int homes_edit(struct homes_draft *draft, const struct home_change *change);
MUST_CHECK int homes_put(struct homes_draft *draft, const struct resource_edit *edit);
MUST_CHECK int homes_commit(struct homes_draft *draft);
void homes_discard(struct homes_draft *draft); /* also without drafts */
void homes_check(const struct model *model, const struct model *before, struct faults *faults);
bool homes_have_rows(const struct model *model);

#endif
