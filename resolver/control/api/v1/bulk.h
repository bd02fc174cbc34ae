/* Resources of kinds in bulk (resource/kind.h): what is in the state is read there when it is asked
 * for, as items like those of a model. */
#ifndef SLUICE_API_V1_BULK_H
#define SLUICE_API_V1_BULK_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/change.h"
#include "resolver/control/resource/kind.h"

/* The item of the path, of any kind, as it is served: of the model, or in the arena. NULL: there is
 * none, or, with an outcome in the error, it cannot be read. */
const void *bulk_find(const struct api_request *request, const struct path *path,
		      struct arena *arena, struct change_error *error);

/* A resource with items in bulk inside. */
struct bulk_in {
	struct inventory *inventory;
	const void *item;        /* in a model; NULL: it is not there */
	const struct zone *zone; /* NULL: it has a file, and the state is not asked */
};
struct bulk_in bulk_in_of(const struct api_request *request, const struct path *path);

/* Those of a kind in bulk inside it, behind the one that the path names (no name: all), in the
 * order of their keys, up to `limit`: that `fits` takes (NULL: all). *items is to be freed. Errors
 * are in the error, with ERR_INVALID. Of an inventory_view in any thread. */
MUST_CHECK int bulk_list(const struct bulk_in *in, const struct path *path, size_t limit,
			 bool (*fits)(const struct api_request *request, const struct kind *kind,
				      const void *item),
			 struct api_request *request, struct arena *arena, const void ***items,
			 size_t *count, struct change_error *error);

#endif
