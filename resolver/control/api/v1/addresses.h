/* The parts of showing and changing a resource (v1/resource.c) that differ for addresses, services,
 * their PTRs and resource groups, because no model has them (resource/inventory.h). */
#ifndef SLUICE_API_V1_ADDRESSES_H
#define SLUICE_API_V1_ADDRESSES_H

#include "resolver/control/api/edit.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/resource/change_error.h"

/* Reads the path of a request for a resource of that kind. False: it has a group although the kind
 * has none, and the request has been answered. */
bool api_addresses_read_path(struct api_request *request, const struct kind *kind,
			     struct path *path);
/* The address or service that the request names, itself or by its PTR; NULL: there is none. */
const struct owned_resource *api_addresses_asked(const struct api_request *request);
/* Answers 404. */
void api_addresses_fail_missing(struct api_request *request, const struct path *path);

/* The `read` of an api_editor: reads the body for that path. With `merges` only the members in the
 * body change; without, members that it leaves out are removed, except id, region, address and
 * allocation. The name of a cloud service is claimed. */
bool api_addresses_read(struct api_edit *edit, const struct path *asked, bool merges,
			struct path *path, json_t **values);

/* The resource's title in the log, which lives as long as the request. */
const char *api_addresses_title(struct api_request *request, const struct path *path);
/* Answers with the resource at that path after a change; `was_there`: it existed before. If a name
 * was set, the answer waits, 3 s at most, for the check whether it leads back, and has the result
 * in `warnings`. It is sent when every worker serves the change. */
void api_addresses_answer(struct api_request *request, const struct path *path, bool was_there);

#endif
