/* The one table of routes. Of rows that fit a path and method the first counts, so what is written
 * out stands above what has a parameter in that place. */
#include "resolver/control/api_routes.h"

#include "resolver/control/api_arm.h"
#include "resolver/control/api_reverse.h"

#define SUBSCRIPTION "/subscriptions/{subscription}"
#define NETWORK      "/providers/Microsoft.Network/publicIPAddresses"
#define OPENID       "/.well-known/openid-configuration"
#define PUBLIC_IPS   SUBSCRIPTION "/resourceGroups/{group}" NETWORK

enum {
	STATE_BODY_MAX = 256 * 1024 * 1024, /* a million addresses */
	LOGIN_BODY_MAX = 16 * 1024,         /* of anybody */
};

const struct api_route api_routes[] = {
	{"GET", "/healthz", API_NOTHING, api_health, 0},
	{"GET", "/readyz", API_NOTHING, api_ready, 0},

	{"GET", "/v1/status", API_READ, api_status, 0},
	{"GET", "/v1/explain", API_READ, api_explain, 0},
	{"POST", "/v1/reload", API_CHANGE, api_reload, 0},
	{"POST", "/v1/flush", API_CHANGE, api_flush, 0},
	{"POST", "/v1/upgrade", API_CHANGE, api_upgrade, 0},

	{"GET", "/v1/addresses", API_READ, api_addresses_list, 0},
	{"GET", "/v1/addresses/{group}/{name}", API_READ, api_address_show, 0},
	{"PUT", "/v1/addresses/{group}/{name}", API_CHANGE, api_address_put, 0},
	{"PATCH", "/v1/addresses/{group}/{name}", API_CHANGE, api_address_patch, 0},
	{"DELETE", "/v1/addresses/{group}/{name}", API_CHANGE, api_address_delete, 0},
	{"GET", "/v1/services", API_READ, api_services_list, 0},
	{"GET", "/v1/services/{name}", API_READ, api_service_show, 0},
	{"PUT", "/v1/services/{name}", API_CHANGE, api_service_put, 0},
	{"PATCH", "/v1/services/{name}", API_CHANGE, api_service_patch, 0},
	{"DELETE", "/v1/services/{name}", API_CHANGE, api_service_delete, 0},
	{"GET", "/v1/ptrs", API_READ, api_ptrs_list, 0},
	{"POST", "/v1/ptrs", API_CHANGE, api_ptrs_batch, API_UPLOAD},
	{"GET", "/v1/ptrs/{id}", API_READ, api_ptr_show, 0},
	{"PUT", "/v1/ptrs/{id}", API_CHANGE, api_ptr_put, 0},
	{"PATCH", "/v1/ptrs/{id}", API_CHANGE, api_ptr_patch, 0},
	{"DELETE", "/v1/ptrs/{id}", API_CHANGE, api_ptr_delete, 0},
	{"GET", "/v1/check", API_READ, api_check, 0},
	{"GET", "/v1/state", API_ALONE, api_state_export, 0},
	{"PUT", "/v1/state", API_CHANGE_TEXT, api_state_import, STATE_BODY_MAX},

	{"GET", "/v2", API_NOTHING, api_designate_version, 0},
	{"GET", "/v2/reverse/floatingips", API_READ, api_floatingips_list, 0},
	{"GET", "/v2/reverse/floatingips/{key}", API_READ, api_floatingip_show, 0},
	{"PATCH", "/v2/reverse/floatingips/{key}", API_CHANGE, api_floatingip_patch, 0},
	{"DELETE", "/v2/reverse/floatingips/{key}", API_CHANGE, api_floatingip_delete, 0},

	{"GET", "/", API_NOTHING, api_keystone_versions, 0},
	{"GET", "/v3", API_NOTHING, api_keystone_version, 0},
	{"POST", "/v3/auth/tokens", API_NOTHING, api_keystone_issue, LOGIN_BODY_MAX},

	{"GET", "/metadata/endpoints", API_NOTHING, api_metadata_endpoints, 0},
	{"GET", "/metadata/clouds", API_NOTHING, api_metadata_clouds, 0},
	{"GET", "/adfs" OPENID, API_NOTHING, api_openid_show, 0},
	{"GET", "/adfs/adfs" OPENID, API_NOTHING, api_openid_show, 0},
	{"GET", "/adfs/discovery/keys", API_NOTHING, api_openid_keys, 0},
	{"POST", "/adfs/oauth2/token", API_FORM, api_oauth_issue, LOGIN_BODY_MAX},

	{"GET", "/tenants", API_READ, api_tenants_list, 0},
	{"GET", "/providers", API_READ, api_providers_list, 0},
	{"GET", "/providers/{namespace}", API_READ, api_provider_show, 0},
	{"GET", "/subscriptions", API_READ, api_subscriptions_list, 0},
	{"GET", SUBSCRIPTION, API_READ, api_subscription_show, 0},
	{"GET", SUBSCRIPTION "/locations", API_READ, api_locations_list, 0},
	{"GET", SUBSCRIPTION "/providers", API_READ, api_providers_list, 0},
	{"GET", SUBSCRIPTION "/providers/{namespace}", API_READ, api_provider_show, 0},
	{"POST", SUBSCRIPTION "/providers/{namespace}/register", API_READ, api_provider_show, 0},
	{"GET", SUBSCRIPTION "/resourceGroups", API_READ, api_groups_list, 0},
	{"HEAD", SUBSCRIPTION "/resourceGroups/{group}", API_READ, api_group_exists, 0},
	{"GET", SUBSCRIPTION "/resourceGroups/{group}", API_READ, api_group_show, 0},
	{"PUT", SUBSCRIPTION "/resourceGroups/{group}", API_CHANGE, api_group_put, 0},
	{"PATCH", SUBSCRIPTION "/resourceGroups/{group}", API_CHANGE, api_group_patch, 0},
	{"DELETE", SUBSCRIPTION "/resourceGroups/{group}", API_CHANGE, api_group_delete, 0},
	{"GET", SUBSCRIPTION NETWORK, API_READ, api_public_ips_list, 0},
	{"GET", PUBLIC_IPS, API_READ, api_public_ips_list_group, 0},
	{"GET", PUBLIC_IPS "/{name}", API_READ, api_public_ip_show, 0},
	{"PUT", PUBLIC_IPS "/{name}", API_CHANGE, api_public_ip_put, 0},
	{"PATCH", PUBLIC_IPS "/{name}", API_CHANGE, api_public_ip_patch, 0},
	{"DELETE", PUBLIC_IPS "/{name}", API_CHANGE, api_public_ip_delete, 0},

	{.method = NULL},
};
