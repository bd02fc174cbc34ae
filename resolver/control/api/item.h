/* Finds items of resources, and tells whether one may be changed by an API. Most are in the model;
 * items in a home (resource/home.h) are read from the state's rows on demand. */
#ifndef SLUICE_API_ITEM_H
#define SLUICE_API_ITEM_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/kind.h"

/* The model that is served. */
const struct model *api_model(const struct api_request *request);

/* Finds an item of any kind, as it is served: in the model, or read into the arena. NULL: there is
 * none, or, with an outcome in the error, it cannot be read. */
const void *item_find(const struct api_request *request, const struct path *path,
		      struct arena *arena, struct change_error *error);

/* The reason for an item that the model made because the file names none; NULL: the file names it,
 * or it does not exist. */
const char *item_made_because(const struct model *model, const struct path *path);
/* May an API change or remove the item (NULL: it does not exist)? False: `error` has the reason,
 * such as the file that declares it. Not for the inventory's kinds. */
bool item_may_change(const struct model *served, const struct path *path, const void *item,
		     bool removes, struct change_error *error);

/* A resource that may have items in a home. */
struct item_source {
	struct inventory *inventory;
	const void *item; /* in a model; NULL: it does not exist */
};
struct item_source item_source_of(const struct api_request *request, const struct path *path);

struct item_page {
	size_t limit;    /* of items */
	size_t rows_max; /* of the state that are read, also those that do not fit; 0: any number */
	/* Which items are listed; NULL: all. */
	bool (*fits)(const struct api_request *request, const struct kind *kind, const void *item);
	struct api_request *request; /* for `fits` */
	/* out: */
	const void **items; /* in the order of their keys; the caller frees the array */
	size_t count;
	const char *end; /* rows_max were read: the page ends with this name; else NULL */
};

/* Lists the source's items of the path's kind behind the path's item (no name: from the first). The
 * items are in the arena or in the model. ERR_INVALID: `error` has the reason. Another thread needs
 * a copy of the inventory (STORE_ASIDE, STORE_VIEW). */
MUST_CHECK int item_list(const struct item_source *in, const struct path *path,
			 struct item_page *page, struct arena *arena, struct change_error *error);

#endif
