/* Network interfaces and private endpoints: how their addresses are chosen, and which resources
 * come and go with a private endpoint. azure/hooks.c calls these functions by type.
 *
 *     private endpoint ─► its interface, with an address in its subnet
 *     zone group       ─► in each of its zones an A or AAAA record NAME -> that address, and a PTR
 *                         in the closest reverse zone that the endpoint's network is linked to, if
 *                         there is one, unless that zone's records are those of a master file
 *
 * NAME is the last part of privateLinkServiceId. A record set may have the addresses of several
 * endpoints, and further addresses; each endpoint adds and removes only its own. */
#ifndef SLUICE_ARM_PRIVATE_LINK_H
#define SLUICE_ARM_PRIVATE_LINK_H

#include "resolver/control/api/azure/reading.h"
#include "resolver/control/api/azure/shown.h"

/* ---- computed members ---- */

json_t *arm_ip_configuration_id(const struct arm_shown *shown); /* of an IP configuration */
json_t *arm_interface_mac_address(const struct arm_shown *shown);
json_t *arm_ip_configuration_version(const struct arm_shown *shown);
json_t *arm_interface_private_endpoint(const struct arm_shown *shown);
json_t *arm_private_endpoint_state(const struct arm_shown *shown);
json_t *arm_private_endpoint_interfaces(const struct arm_shown *shown);
json_t *arm_private_endpoint_dns_configs(const struct arm_shown *shown);
json_t *arm_zone_group_records(const struct arm_shown *shown);

/* ---- hooks ---- */

void arm_interface_read(struct arm_reading *reading);
void arm_private_endpoint_read(struct arm_reading *reading);
void arm_zone_group_read(struct arm_reading *reading);
void arm_private_endpoint_remove(const struct arm_shown *shown, struct api_edit *edit,
				 struct arm_errors *errors);
void arm_zone_group_remove(const struct arm_shown *shown, struct api_edit *edit,
			   struct arm_errors *errors);

#endif
