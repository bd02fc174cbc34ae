/* What handlers of resources share (resource.c, changes.c). */
#ifndef SLUICE_API_V1_RESOURCE_H
#define SLUICE_API_V1_RESOURCE_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/change.h"
#include "resolver/control/resource/kind.h"
#include "resolver/control/resource/part.h"

/* Whether what is at the path may be removed here, or else changed, and by these preconditions (RFC
 * 9110 section 13.1; NULL: none); false: `error` says why not. */
bool resource_may_change(const struct api_request *request, const struct path *path, bool removes,
			 const char *if_match, const char *if_none_match,
			 struct change_error *error);
/* A path's group: where that is GROUP_ANY, that of what the name alone means (part_named), else
 * none. Lives as long as the request. NULL: `why` says that there are several of the name. */
const char *resource_group(struct api_request *request, const struct path *path,
			   char why[PART_WHY_MAX]);
/* A body as a resource's values: without what is shown beside them, and with the path's name and
 * group. NULL: *member does not fit, or there is no memory; *why says which. */
json_t *resource_values(const struct path *path, const json_t *body, const char **member,
			const char **why);
/* Whether the query has nothing but these; and, with dry_run among them, whether it is a change's.
 * False: not, which has been answered. */
bool resource_check_query(struct api_request *request, const char *const *known);
bool resource_check_change(struct api_request *request, const char *const *known);
bool resource_is_rehearsal(const struct api_request *request); /* ?dry_run */
/* Texts of those below that path ("": all), and of those that serving it came to. */
json_t *resource_warnings(const struct faults *faults, const char *path, size_t checked);
/* Where it stands in a file, "FILE:LINE"; null: in none. */
json_t *resource_origin(const void *item);
/* Its values as they were given. */
json_t *resource_given(const struct model *model, const struct path *path, const void *item);

#endif
