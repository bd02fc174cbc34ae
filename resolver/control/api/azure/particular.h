/* What Azure's types have that no row of the table can say: computed members, what is chosen or
 * changed along with a resource, and what must not be removed. By the members and hooks of
 * azure/type.c. */
#ifndef SLUICE_ARM_PARTICULAR_H
#define SLUICE_ARM_PARTICULAR_H

#include "resolver/control/api/azure/reading.h"

/* ---- members that are shown ---- */

json_t *arm_resource_guid(const struct arm_shown *shown); /* the same for the same id */
json_t *arm_endpoint_location(const struct arm_shown *shown);
json_t *arm_subnet_ip_configurations(const struct arm_shown *shown);
/* Who uses the subnets of a network: an object of arrays of {"id"}, by their names in lower case.
 * One look at the model, for as many subnets as there are. */
json_t *arm_network_users(const struct api_request *request, const struct path *network);
json_t *arm_set_fqdn(const struct arm_shown *shown);
json_t *arm_zone_set_count(const struct arm_shown *shown);
json_t *arm_zone_set_limit(const struct arm_shown *shown);
json_t *arm_zone_link_count(const struct arm_shown *shown);
json_t *arm_zone_link_limit(const struct arm_shown *shown);
json_t *arm_zone_registration_count(const struct arm_shown *shown);
json_t *arm_zone_registration_limit(const struct arm_shown *shown);

/* A rule that names a target group is shown with that group's targets. */
void arm_rule_show(const struct arm_shown *shown, json_t *values);
/* Every zone has a SOA at its apex, also one that nobody gave. */
bool arm_zone_find_soa(struct api_request *request, const struct arm_type *type,
		       const struct path *path, struct arm_shown *shown);

json_t *arm_address_text(const struct arm_shown *shown);
json_t *arm_address_version(const struct arm_shown *shown);
json_t *arm_address_fqdn(const struct arm_shown *shown);
json_t *arm_address_guid(const struct arm_shown *shown);

/* ---- hooks of what is read ---- */

/* A group's name is one, and is not that of the addresses without a group. */
void arm_group_read(struct arm_reading *reading);
/* What Azure asks of an address's names. A PTR that alone is changed is a change of the PTR alone:
 * that of an address of the file can be changed. */
void arm_address_read(struct arm_reading *reading);

/* Targets that are not those of the rule's target group any more are its own. */
void arm_rule_read(struct arm_reading *reading);
/* A subnet that is delegated to nobody is delegated along with its endpoint, as Azure does. */
void arm_endpoint_read(struct arm_reading *reading);
/* A body that leaves the delegation out does not take it from endpoints that are there. */
void arm_subnet_read(struct arm_reading *reading);
/* A record set may be empty. */
void arm_set_read(struct arm_reading *reading);

/* ---- actions ---- */

void arm_network_list_resolvers(struct api_request *request, const struct arm_shown *shown);
void arm_network_list_rulesets(struct api_request *request, const struct arm_shown *shown);
void arm_network_list_policies(struct api_request *request, const struct arm_shown *shown);

/* ---- removal ---- */

/* Whether something else is in the way of its removal, which is an error. */
bool arm_is_held(const struct arm_shown *shown, struct arm_errors *errors);

#endif
