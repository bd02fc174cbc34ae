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

/* Those of a kind in bulk inside the path's parent that `fits` takes, in the order of their keys,
 * behind the one that the path names (no name: all), up to `limit`. *items is to be freed. Errors
 * are in the error, with ERR_INVALID. */
MUST_CHECK int bulk_list(struct api_request *request, const struct path *path, size_t limit,
			 bool (*fits)(struct api_request *request, const struct kind *kind,
				      const void *item),
			 struct arena *arena, const void ***items, size_t *count,
			 struct change_error *error);

#endif
