/* Items of resources of every kind, for handlers and exports: how to find one, and to walk a list
 * page by page. Models have a set of these calls, and each kind beside the model names its own
 * (kind.h). For a kind with a home in the model (home.h), items that the file declares come from
 * the model, and items of the state from their rows. A row that does not fit is an item as well,
 * which is not served. */
#ifndef SLUICE_ITEM_H
#define SLUICE_ITEM_H

#include <jansson.h>

#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/kind.h"
#include "resolver/control/resource/resources.h"

struct item {
	struct path path;   /* in the item's own spelling; a PTR's name is the id of its address */
	const void *fields; /* the struct of its field table; NULL: it is not served */
	const struct owned_resource *owned; /* of an address, a service or a PTR; NULL: of others */
	struct origin origin; /* file NULL: no file declares it; revision 0: it has no row */
	bool is_absent;       /* a PTR that does not exist, of an address that does */
	const char *row;      /* of an item that is not served: its values in the state */
};

enum { ITEM_MARK_MAX = PATH_URL_MAX };

struct item_list {
	/* Has the model and the state. Another thread needs a copy (STORE_ASIDE, STORE_VIEW). */
	struct resources *resources;
	struct arena *arena; /* gets the items; texts may be those of `resources` */
	/* Without the last name. group NULL: items of all groups; for kinds inside another one,
	 * names[0] NULL: inside all items of that kind. */
	struct path path;
	const char *only; /* an id or an address: lists only this one; NULL: all */
	bool unserved;    /* items that are not served are listed as well */
	bool (*fits)(void *context, const struct item *item); /* items to be listed; NULL: all */
	void *context;
	size_t rows_max; /* of a home: rows of the state that `next` reads at most; 0: any number */
	char behind[ITEM_MARK_MAX]; /* the next items follow the item with this mark; "": begin */

	/* ---- set by `next` ---- */

	struct item *items;
	size_t count;
	bool more;     /* others may follow */
	size_t passed; /* beside the model: items that did not fit, since the first call */
};

struct item_calls {
	/* Finds the path's item, if it is served. ERR_NOT_FOUND; ERR_INVALID: it cannot be read,
	 * `error` says why. */
	int (*find)(struct resources *resources, const struct path *path, struct arena *arena,
		    struct item *item, struct change_error *error);
	/* Sets the list's next items, `room` at most, and moves list->behind; the order is that of
	 * marks. Beside the model, and with rows_max, it looks at some rows only, so there may be
	 * none although others follow (list->more). ERR_INVALID: `error` says why; its field is
	 * "marker" if list->behind is no mark. */
	int (*next)(struct item_list *list, size_t room, struct change_error *error);
	/* Prints the item's mark, after which a page of that list can begin. Returns text. */
	char *(*mark)(const struct item_list *list, const struct item *item,
		      char text[ITEM_MARK_MAX]);
	/* Prints the item's etag, quoted; without an item, that of all lists of the kind. Returns
	 * text; NULL: the kind's lists have none. */
	char *(*etag)(const struct resources *resources, const struct kind *kind,
		      const struct item *item, char text[ETAG_MAX]);

	/* The item's values as they were given, and the item as /v1 shows it, with its etag. NULL
	 * without memory. */
	json_t *(*values)(const struct resources *resources, const struct item *item);
	json_t *(*show)(const struct resources *resources, const struct item *item,
			char etag[ETAG_MAX]);
	/* The values as the state keeps them: putting these again changes nothing. NULL: it has
	 * none, or they cannot be read, `error` says why. */
	json_t *(*stored)(struct resources *resources, const struct path *path,
			  struct change_error *error);
};

extern const struct item_calls items_of_model;
extern const struct item_calls items_of_addresses; /* and of services and PTRs; address_items.c */
extern const struct item_calls items_of_groups;    /* group.c */

static inline const struct item_calls *items_of(const struct kind *kind)
{
	return kind->items ? kind->items : &items_of_model;
}

/* The item with these fields, which a model serves; `around`: the path of the item that it is
 * inside, NULL for a top-level item. */
struct item item_served(const struct kind *kind, const void *fields, const struct path *around);
/* Finds the row of an item that `find` has not found. ERR_NOT_FOUND: there is none, or the kind is
 * beside the model; other errors are those of `find`. */
MUST_CHECK int item_find_unserved(struct resources *resources, const struct path *path,
				  struct arena *arena, struct item *item,
				  struct change_error *error);
/* For `next`: clears what the last call has set. ERR_INVALID: the mark is longer than any name. */
MUST_CHECK int item_list_begin(struct item_list *list, struct change_error *error);
/* Whether the item is to be listed. */
static inline bool item_fits(const struct item_list *list, const struct item *item)
{
	return !list->fits || list->fits(list->context, item);
}

/* Calls back for all items of the list, which needs no arena, and forgets each page before the next
 * (resources_forget). A callback that returns an error ends the call with it. ERR_INVALID: `error`
 * says why. */
MUST_CHECK int item_each(struct item_list *list,
			 int (*on_item)(void *context, const struct item *item), void *context,
			 struct change_error *error);

/* The reason for an item that the model made because the file names none; NULL: the file names it,
 * or it does not exist. */
const char *item_made_because(const struct model *model, const struct path *path);
/* May an API change or remove the item (NULL: it does not exist)? False: `error` has the reason,
 * such as the file that declares it. Always true for items beside the model: homes_put gives the
 * reason. */
bool item_may_change(const struct model *served, const struct path *path, const void *item,
		     bool removes, struct change_error *error);

#endif
