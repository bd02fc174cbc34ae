/* Addresses, services, their PTRs and resource groups in /v1: the parts of showing and changing a
 * resource (v1/resource.c) that differ for them, because no model has them (resource/inventory.h).
 */
#ifndef SLUICE_API_V1_ADDRESSES_H
#define SLUICE_API_V1_ADDRESSES_H

#include "resolver/control/api/edit.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/resource/change.h"

/* The path of a request for a resource of that kind. False: it has a group, and the kind is in
 * none, which has been answered. */
bool api_addresses_read_path(struct api_request *request, const struct kind *kind,
			     struct path *path);
/* The address or service that the request names, or whose PTR; NULL: it is not there. */
const struct owned_resource *api_addresses_asked(const struct api_request *request);
/* 404 */
void api_addresses_fail_missing(struct api_request *request, const struct path *path);

/* What the body asks for at that path, as an api_editor's read: whole, or (merges) only what it
 * names. What a whole body leaves out is taken away, but for id, region, address and allocation,
 * which stay. The name of a cloud service is claimed. */
bool api_addresses_read(struct api_edit *edit, const struct path *asked, bool merges,
			struct path *path, json_t **values);

/* The title of the resource in the log; lives as long as the request. */
const char *api_addresses_title(struct api_request *request, const struct path *path);
/* Answers with what was made at that path, which was there before or not. The answer to a name that
 * was set waits, 3 s at most, for whether it leads back, and has that in `warnings`. It is written
 * when every worker serves the change. */
void api_addresses_answer(struct api_request *request, const struct path *path, bool was_there);

#endif
