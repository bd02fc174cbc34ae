/* The one table of routes. Of rows that fit a path and method the first counts, so what is written
 * out stands above what has a parameter in that place. */
#include "resolver/control/api_routes.h"

const struct api_route api_routes[] = {
	{"GET", "/healthz", API_NOTHING, api_health, 0},
	{"GET", "/readyz", API_NOTHING, api_ready, 0},

	{"GET", "/v1/status", API_READ, api_status, 0},
	{"GET", "/v1/explain", API_READ, api_explain, 0},
	{"POST", "/v1/reload", API_CHANGE, api_reload, 0},
	{"POST", "/v1/flush", API_CHANGE, api_flush, 0},

	{.method = NULL},
};
