/* The parts of a type that no row of the table of types (azure/type.c) can express: computed
 * members, values that are chosen or changed along with a resource, and resources that must not be
 * removed. */
#ifndef SLUICE_ARM_PARTICULAR_H
#define SLUICE_ARM_PARTICULAR_H

#include "resolver/control/api/azure/reading.h"
#include "resolver/control/api/azure/shown.h"

/* ---- computed members ---- */

json_t *arm_resource_guid(const struct arm_shown *shown); /* derived from the id */
json_t *arm_endpoint_location(const struct arm_shown *shown);
json_t *arm_subnet_ip_configurations(const struct arm_shown *shown);
/* The users of networks' subnets: {"GROUP/NETWORK": {SUBNET: [{"id"}, ...]}}, with names in lower
 * case. arm_users_want adds a network to the object; arm_users_find then adds the users of all its
 * networks in one walk over the model. */
void arm_users_want(json_t *users, const struct path *network);
void arm_users_find(const struct api_request *request, json_t *users);
/* Calls both for a new object with one network; the path may be that of a subnet in it. */
json_t *arm_network_users(const struct api_request *request, const struct path *network);
json_t *arm_set_fqdn(const struct arm_shown *shown);
json_t *arm_zone_set_count(const struct arm_shown *shown);
json_t *arm_zone_set_limit(const struct arm_shown *shown);
json_t *arm_zone_link_count(const struct arm_shown *shown);
json_t *arm_zone_link_limit(const struct arm_shown *shown);
json_t *arm_set_is_registered(const struct arm_shown *shown);
json_t *arm_zone_registration_count(const struct arm_shown *shown);
json_t *arm_zone_registration_limit(const struct arm_shown *shown);

/* Shows a rule that names a target group with that group's targets. */
void arm_rule_show(const struct arm_shown *shown, json_t *values);
/* Finds the SOA that the server made for a zone without one. False: `path` is no such SOA. */
bool arm_zone_find_soa(struct api_request *request, const struct arm_type *type,
		       const struct path *path, struct arm_shown *shown);

json_t *arm_address_text(const struct arm_shown *shown);
json_t *arm_address_version(const struct arm_shown *shown);
json_t *arm_address_fqdn(const struct arm_shown *shown);
json_t *arm_address_guid(const struct arm_shown *shown);

/* ---- hooks that read ---- */

/* Refuses a group name that Azure would refuse, and "-". */
void arm_group_read(struct arm_reading *reading);
/* Checks Azure's rules for an address, and claims a new reverse name (api/edit.h). A change of the
 * PTR alone is allowed even if a file declares the address (resource/address_edits.c). */
void arm_address_read(struct arm_reading *reading);

/* Removes the target group of a rule that is given targets. */
void arm_rule_read(struct arm_reading *reading);
/* Keeps or drops the endpoint's address, by its allocation. Delegates the subnet if it has no
 * delegation, as Azure does, unless a file declares it. */
void arm_endpoint_read(struct arm_reading *reading);
/* Keeps the delegation of a subnet in use if the body leaves it out. */
void arm_subnet_read(struct arm_reading *reading);
/* Keeps a resolution policy that Azure does not have if the body says Default or nothing. */
void arm_zone_link_read(struct arm_reading *reading);
/* Allows a record set without records, and demands a TTL from a PUT. */
void arm_set_read(struct arm_reading *reading);

/* ---- actions ---- */

void arm_network_list_resolvers(struct api_request *request, const struct arm_shown *shown);
void arm_network_list_rulesets(struct api_request *request, const struct arm_shown *shown);
void arm_network_list_policies(struct api_request *request, const struct arm_shown *shown);

/* ---- removal ---- */

/* Is the resource needed by another, so that it cannot be removed? If so, errors are added. */
bool arm_is_held(const struct arm_shown *shown, struct arm_errors *errors);

#endif
