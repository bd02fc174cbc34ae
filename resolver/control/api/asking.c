/* Each client has a place in a table, by a hash of its id with a secret key. Two clients with the
 * same place share one limit. */
#include "resolver/control/api/asking.h"

#include <string.h>

#include "resolver/control/service/service.h"
#include "rules/hash.h"

enum { OPEN_MAX = 16, SECOND_MAX = 20 };

static struct service_asking *asking_of(const struct api_request *request)
{
	struct service *service = request->service;
	const char *client = request->client;
	uint64_t hash = hash_bytes(&service->server.key, 0, client, strlen(client));

	return &service->asking[hash % SERVICE_ASKING];
}

bool api_asking_begin(struct api_request *request)
{
	struct service_asking *asking = asking_of(request);
	uint64_t second = uv_hrtime() / 1000000000;

	if (asking->second != second)
		asking->begun = 0;
	asking->second = second;
	if (asking->open == OPEN_MAX || asking->begun == SECOND_MAX) {
		api_answer_header(request, "Retry-After", "1");
		api_fail(request, 429, NULL, "too many ask at once; try again in a second");
		return false;
	}
	asking->open++;
	asking->begun++;
	return true;
}

void api_asking_end(struct api_request *request)
{
	asking_of(request)->open--;
}
