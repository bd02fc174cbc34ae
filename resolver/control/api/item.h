/* Finds the items of resources, and says whether one may be changed here. Most are in the model;
 * those of a kind in bulk (resource/kind.h) are read from the state's rows when they are asked for.
 */
#ifndef SLUICE_API_ITEM_H
#define SLUICE_API_ITEM_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/change.h"
#include "resolver/control/resource/kind.h"

/* The model that is served. */
const struct model *api_model(const struct api_request *request);

/* The item of the path, of any kind, as it is served: of the model, or in the arena. NULL: there is
 * none, or, with an outcome in the error, it cannot be read. */
const void *item_find(const struct api_request *request, const struct path *path,
		      struct arena *arena, struct change_error *error);

/* Why an item was made that nobody named; NULL: somebody did, or it is not there. */
const char *item_made_because(const struct model *model, const struct path *path);
/* Whether the item (NULL: it is not there) may be changed or removed here. False: `error` says
 * which file declares it. Not for the inventory's kinds. */
bool item_may_change(const struct model *served, const struct path *path, const void *item,
		     bool removes, struct change_error *error);

/* A resource that has items in bulk. */
struct item_source {
	struct inventory *inventory;
	const void *item;        /* in a model; NULL: it is not there */
	const struct zone *zone; /* NULL: it has a file, and the state is not asked */
};
struct item_source item_source_of(const struct api_request *request, const struct path *path);

/* Lists its items of the path's kind, in the order of their keys: at most `limit` of those that
 * come behind the path's (no name: from the first on) and that `fits` takes (NULL: all). *items is
 * to be freed. ERR_INVALID: `error` says why. With an inventory_view in any thread. */
MUST_CHECK int item_list(const struct item_source *in, const struct path *path, size_t limit,
			 bool (*fits)(const struct api_request *request, const struct kind *kind,
				      const void *item),
			 struct api_request *request, struct arena *arena, const void ***items,
			 size_t *count, struct change_error *error);

#endif
