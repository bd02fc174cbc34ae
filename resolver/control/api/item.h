/* The items that resources are, of a model or of a kind in bulk (resource/kind.h), whose rows of
 * the state are read when they are asked for; and whether one may be changed here. */
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

/* Why it was made, where nobody named it; NULL: somebody did, or it is not there. */
const char *item_made_because(const struct model *model, const struct path *path);
/* Whether the item (NULL: it is not there) may be changed here, or removed; false: `error` says
 * that a file declares it. Not of the inventory's kinds. */
bool item_may_change(const struct model *served, const struct path *path, const void *item,
		     bool removes, struct change_error *error);

/* A resource with items in bulk inside. */
struct item_source {
	struct inventory *inventory;
	const void *item;        /* in a model; NULL: it is not there */
	const struct zone *zone; /* NULL: it has a file, and the state is not asked */
};
struct item_source item_source_of(const struct api_request *request, const struct path *path);

/* Those of a kind in bulk inside it, behind the one that the path names (no name: all), in the
 * order of their keys, up to `limit`: that `fits` takes (NULL: all). *items is to be freed. Errors
 * are in the error, with ERR_INVALID. Of an inventory_view in any thread. */
MUST_CHECK int item_list(const struct item_source *in, const struct path *path, size_t limit,
			 bool (*fits)(const struct api_request *request, const struct kind *kind,
				      const void *item),
			 struct api_request *request, struct arena *arena, const void ***items,
			 size_t *count, struct change_error *error);

#endif
