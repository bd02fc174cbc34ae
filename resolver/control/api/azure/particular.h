/* What no row of the table of types (azure/type.c) can say: members that are computed, what is
 * chosen or changed along with a resource, and what must not be removed. */
#ifndef SLUICE_ARM_PARTICULAR_H
#define SLUICE_ARM_PARTICULAR_H

#include "resolver/control/api/azure/reading.h"
#include "resolver/control/api/azure/shown.h"

/* ---- members that are shown ---- */

json_t *arm_resource_guid(const struct arm_shown *shown); /* the same for the same id */
json_t *arm_endpoint_location(const struct arm_shown *shown);
json_t *arm_subnet_ip_configurations(const struct arm_shown *shown);
/* Who uses the subnets of a network: {SUBNET: [{"id"}, ...]}, with names in lower case. Goes
 * through the model once, for all the subnets. */
json_t *arm_network_users(const struct api_request *request, const struct path *network);
json_t *arm_set_fqdn(const struct arm_shown *shown);
json_t *arm_zone_set_count(const struct arm_shown *shown);
json_t *arm_zone_set_limit(const struct arm_shown *shown);
json_t *arm_zone_link_count(const struct arm_shown *shown);
json_t *arm_zone_link_limit(const struct arm_shown *shown);
json_t *arm_set_is_registered(const struct arm_shown *shown);
json_t *arm_zone_registration_count(const struct arm_shown *shown);
json_t *arm_zone_registration_limit(const struct arm_shown *shown);

/* A rule that names a target group is shown with that group's targets. */
void arm_rule_show(const struct arm_shown *shown, json_t *values);
/* The SOA of a zone that was given none: the one that is served. False: `path` is no such SOA. */
bool arm_zone_find_soa(struct api_request *request, const struct arm_type *type,
		       const struct path *path, struct arm_shown *shown);

json_t *arm_address_text(const struct arm_shown *shown);
json_t *arm_address_version(const struct arm_shown *shown);
json_t *arm_address_fqdn(const struct arm_shown *shown);
json_t *arm_address_guid(const struct arm_shown *shown);

/* ---- hooks of what is read ---- */

/* Refuses a group name that Azure would not take, and "-". */
void arm_group_read(struct arm_reading *reading);
/* Checks what Azure demands of an address. Where only the PTR changes, the edit is one of the PTR:
 * that is allowed even where a file declares the address. */
void arm_address_read(struct arm_reading *reading);

/* A rule that is given targets no longer has a target group. */
void arm_rule_read(struct arm_reading *reading);
/* Delegates the endpoint's subnet if it is delegated to nobody, as Azure does. */
void arm_endpoint_read(struct arm_reading *reading);
/* A body without the delegation leaves it to a subnet that is in use. */
void arm_subnet_read(struct arm_reading *reading);
/* A body with the policy Default, or without one, leaves one that Azure does not have. */
void arm_zone_link_read(struct arm_reading *reading);
/* A record set may be empty. */
void arm_set_read(struct arm_reading *reading);

/* ---- actions ---- */

void arm_network_list_resolvers(struct api_request *request, const struct arm_shown *shown);
void arm_network_list_rulesets(struct api_request *request, const struct arm_shown *shown);
void arm_network_list_policies(struct api_request *request, const struct arm_shown *shown);

/* ---- removal ---- */

/* Whether something prevents its removal, which is added to the errors. */
bool arm_is_held(const struct arm_shown *shown, struct arm_errors *errors);

#endif
