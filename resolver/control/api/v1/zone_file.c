/* /v1/private_zones/-/NAME/master_file: a zone's records as a master file, those of a file and
 * those of the state alike, as they are served. */
#include "resolver/control/api/v1/api_v1.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/resource/part.h"
#include "resolver/control/service/service.h"
#include "rules/zone/zonefile.h"

void api_zone_file(struct api_request *request)
{
	const struct path path = {kind_named("zone"), "-", {api_parameter(request, "name"), NULL}};
	const struct private_zone *zone = part_find(request->service->server.model, &path);
	char *text = NULL;
	size_t length = 0;
	FILE *out;
	int err;

	if (!zone || strcmp(api_parameter(request, "group"), path.group) != 0) {
		api_fail(request, 404, "not_found", "there is no private zone \"%.80s\"",
			 path.names[0]);
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
