/* /v1/private_zones/GROUP/NAME/master_file: a zone's records as a master file, those of a file and
 * those of the state alike, as they are served. */
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/resource/part.h"
#include "resolver/control/service/service.h"
#include "rules/zone/zonefile.h"

void api_zone_file(struct api_request *request)
{
	struct path path = {kind_named("zone"),
			    api_parameter(request, "group"),
			    {api_parameter(request, "name"), NULL}};
	const struct model *served = request->service->server.model;
	const struct private_zone *zone;
	char *text = NULL, why[PART_WHY_MAX];
	size_t length = 0;
	FILE *out;
	int err;

	path.group = resource_group(request, &path);
	zone = part_find(served, &path);
	if (!zone) {
		api_fail(request, 404, "not_found", "%s",
			 part_missing(&path, part_named(served, path.kind, path.names[0]), why));
		return;
	}
	out = open_memstream(&text, &length);
	err = out ? zonefile_write(zone->zone, out) : ERR_NOMEM;
	if (out && fclose(out) != 0)
		err = ERR_NOMEM;
	if (!err) {
		api_reply_text(request, "text/dns", text, length); /* RFC 4027 */
		return;
	}
	free(text);
	api_fail_memory(request);
}
