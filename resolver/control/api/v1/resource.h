/* Functions for handlers of resources (resource.c, list.c, body.c, changes.c, zone_file.c). */
#ifndef SLUICE_API_V1_RESOURCE_H
#define SLUICE_API_V1_RESOURCE_H

#include "resolver/control/api/edit.h"
#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/kind.h"
#include "resolver/control/resource/part.h"

/* Reads the path of a resource, or, without the last name, of a list; without a group, a list of
 * all groups. False: it is no such path, or not one for this client, and the request has been
 * answered. */
bool resource_read_path(struct api_request *request, struct path *path);
/* Answer 404: there is no such kind, or no such resource. */
void resource_fail_kind(struct api_request *request);
void resource_fail_missing(struct api_request *request, const struct path *path);
/* For the `read` of an api_editor: reads the body for the path. Sets path->kind to NULL if there is
 * nothing to change. With `merges` only the members in the body change. False: the body is wrong,
 * and the request has been answered. */
bool resource_read_body(struct api_edit *edit, bool merges, struct path *path, json_t **values);
/* May the resource at the path be changed, or with `removes` be removed, given these preconditions
 * (RFC 9110 section 13.1; NULL: none)? False: `error` has the reason. */
bool resource_may_change(const struct api_request *request, const struct path *path, bool removes,
			 const char *if_match, const char *if_none_match,
			 struct change_error *error);
/* The group of a path. For GROUP_ANY, the group of the only item of that name (part_named), or
 * GROUP_NONE. Lives as long as the request. NULL: several groups have the name; `why` tells so. */
const char *resource_group(struct api_request *request, const struct path *path,
			   char why[PART_WHY_MAX]);
/* Makes a resource's values out of a body: removes members that are only shown, and adds the path's
 * name and group. NULL: the value of *member is wrong, and *why has the reason, or *member is NULL,
 * and there is no memory. */
json_t *resource_values(const struct path *path, const json_t *body, const char **member,
			const char **why);
/* The texts of warnings. Of the first `checked` faults only those at the path or below it count
 * ("": all); all later faults count, because serving the model caused them. */
json_t *resource_warnings(const struct faults *faults, const char *path, size_t checked);

#endif
