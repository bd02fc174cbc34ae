/* The edits so far of a change that is read resource by resource, such as a deployment. A hash
 * finds them by their paths, because a tenant's template may have very many. */
#ifndef SLUICE_API_EARLIER_H
#define SLUICE_API_EARLIER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/service/service.h"

struct api_earlier {
	struct resource_edit *edits; /* in order; their values belong to this struct */
	size_t count, room;
	/* private */
	/* By path, the number of the last edit: of a resource, or of any resource of one kind
	 * inside an outer one. */
	json_t *last;
	json_t *addresses; /* of interfaces, by network and text */
};

/* Takes ownership of the edit's values. False: no memory; the edit was dropped. */
bool api_earlier_add(struct api_earlier *earlier, const struct resource_edit *edit);
void api_earlier_release(struct api_earlier *earlier);

/* For the following functions `earlier` may be NULL: there are no edits. */

/* The last edit of the resource. If the path has no inner name: the last edit of any resource of
 * that kind inside the outer one. NULL: none. */
const struct resource_edit *api_earlier_find(const struct api_earlier *earlier,
					     const struct path *path);
/* Is there an edit of the resource among those from number `from` on? */
bool api_earlier_is_since(const struct api_earlier *earlier, const struct path *path, size_t from);
/* Does an edit of an interface have the address in the subnet's network? `subnet` has the form
 * "GROUP/NETWORK/SUBNET", as in the edits. */
bool api_earlier_has_address(const struct api_earlier *earlier, const char *subnet,
			     const char *address);

#endif
