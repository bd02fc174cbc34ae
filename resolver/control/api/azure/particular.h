/* What Azure's types have that no row of the table can say: computed members, what is chosen or
 * changed along with a resource, and what must not be removed. By the members and hooks of
 * azure/type.c. */
#ifndef SLUICE_ARM_PARTICULAR_H
#define SLUICE_ARM_PARTICULAR_H

#include "resolver/control/api/azure/reading.h"

/* ---- members that are shown ---- */

json_t *particular_guid(const struct arm_shown *shown); /* the same for the same id */
json_t *particular_location(const struct arm_shown *shown);
json_t *particular_subnet_users(const struct arm_shown *shown);
/* Who uses the subnets of a network: an object of arrays of {"id"}, by their names in lower case.
 * One look at the model, for as many subnets as there are. */
json_t *particular_users(const struct api_request *request, const struct path *network);
json_t *particular_fqdn(const struct arm_shown *shown);
json_t *particular_set_count(const struct arm_shown *shown);
json_t *particular_set_limit(const struct arm_shown *shown);
json_t *particular_link_count(const struct arm_shown *shown);
json_t *particular_link_limit(const struct arm_shown *shown);
json_t *particular_registration_count(const struct arm_shown *shown);
json_t *particular_registration_limit(const struct arm_shown *shown);

/* A rule that names a target group is shown with that group's targets. */
void particular_show_rule(const struct arm_shown *shown, json_t *values);
/* Every zone has a SOA at its apex, also one that nobody gave. */
bool particular_find_soa(struct api_request *request, const struct arm_type *type,
			 const struct path *path, struct arm_shown *shown);

json_t *particular_address(const struct arm_shown *shown);
json_t *particular_address_version(const struct arm_shown *shown);
json_t *particular_address_fqdn(const struct arm_shown *shown);
json_t *particular_address_id(const struct arm_shown *shown);

/* ---- hooks of what is read ---- */

/* A group's name is one, and is not that of the addresses without a group. */
void particular_read_group(struct arm_reading *reading);
/* What Azure asks of an address's names. A PTR that alone is changed is a change of the PTR alone:
 * that of an address of the file can be changed. */
void particular_read_address(struct arm_reading *reading);

/* Targets that are not those of the rule's target group any more are its own. */
void particular_read_rule(struct arm_reading *reading);
/* A subnet that is delegated to nobody is delegated along with its endpoint, as Azure does. */
void particular_read_endpoint(struct arm_reading *reading);
/* A body that leaves the delegation out does not take it from endpoints that are there. */
void particular_read_subnet(struct arm_reading *reading);
/* A record set may be empty. */
void particular_read_set(struct arm_reading *reading);

/* ---- actions ---- */

void particular_list_resolvers(struct api_request *request, const struct arm_shown *shown);
void particular_list_rulesets(struct api_request *request, const struct arm_shown *shown);
void particular_list_policies(struct api_request *request, const struct arm_shown *shown);

/* ---- removal ---- */

/* Whether something else is in the way of its removal, which is an error. */
bool particular_is_held(const struct arm_shown *shown, struct arm_errors *errors);

#endif
