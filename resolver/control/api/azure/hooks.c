#include "resolver/control/api/azure/hooks.h"

#include "resolver/control/api/azure/particular.h"
#include "resolver/control/api/azure/private_link.h"
#include "rules/base.h"

static const struct arm_action network_actions[] = {
	{"listDnsResolvers", arm_network_list_resolvers},
	{"listDnsForwardingRulesets", arm_network_list_rulesets},
	{"listDnsResolverPolicies", arm_network_list_policies},
	{NULL, NULL},
};

static const struct {
	unsigned kind;
	struct arm_hooks hooks;
} kinds_with_hooks[] = {
	{KIND_GROUP, {.read = arm_group_read}},
	{KIND_NETWORK, {.actions = network_actions}},
	{KIND_SUBNET, {.read = arm_subnet_read}},
	{KIND_INTERFACE, {.read = arm_interface_read}},
	{KIND_PRIVATE_ENDPOINT,
	 {.read = arm_private_endpoint_read, .remove = arm_private_endpoint_remove}},
	{KIND_ZONE_GROUP, {.read = arm_zone_group_read, .remove = arm_zone_group_remove}},
	{KIND_ADDRESS, {.read = arm_address_read}},
	{KIND_INBOUND, {.read = arm_endpoint_read}},
	{KIND_OUTBOUND, {.read = arm_endpoint_read}},
	{KIND_RULE, {.show = arm_rule_show, .read = arm_rule_read}},
	{KIND_ZONE_LINK, {.read = arm_zone_link_read}},
	{KIND_RECORD_SET, {.read = arm_set_read}},
};

const struct arm_hooks *arm_hooks_of(const struct arm_type *type)
{
	static const struct arm_hooks none;

	for (size_t i = 0; i < COUNT(kinds_with_hooks); i++)
		if (kinds_with_hooks[i].kind == type->kind)
			return &kinds_with_hooks[i].hooks;
	return &none;
}

json_t *arm_compute(const struct arm_shown *shown, enum arm_computed computed)
{
	static json_t *(*const functions[])(const struct arm_shown *) = {
		[ARM_RESOURCE_GUID] = arm_resource_guid,
		[ARM_ENDPOINT_LOCATION] = arm_endpoint_location,
		[ARM_SUBNET_IP_CONFIGURATIONS] = arm_subnet_ip_configurations,
		[ARM_IP_CONFIGURATION_ID] = arm_ip_configuration_id,
		[ARM_IP_CONFIGURATION_VERSION] = arm_ip_configuration_version,
		[ARM_INTERFACE_MAC_ADDRESS] = arm_interface_mac_address,
		[ARM_INTERFACE_PRIVATE_ENDPOINT] = arm_interface_private_endpoint,
		[ARM_PRIVATE_ENDPOINT_STATE] = arm_private_endpoint_state,
		[ARM_PRIVATE_ENDPOINT_INTERFACES] = arm_private_endpoint_interfaces,
		[ARM_PRIVATE_ENDPOINT_DNS_CONFIGS] = arm_private_endpoint_dns_configs,
		[ARM_ZONE_GROUP_RECORDS] = arm_zone_group_records,
		[ARM_ZONE_SET_COUNT] = arm_zone_set_count,
		[ARM_ZONE_SET_LIMIT] = arm_zone_set_limit,
		[ARM_ZONE_LINK_COUNT] = arm_zone_link_count,
		[ARM_ZONE_LINK_LIMIT] = arm_zone_link_limit,
		[ARM_ZONE_REGISTRATION_COUNT] = arm_zone_registration_count,
		[ARM_ZONE_REGISTRATION_LIMIT] = arm_zone_registration_limit,
		[ARM_SET_FQDN] = arm_set_fqdn,
		[ARM_SET_IS_REGISTERED] = arm_set_is_registered,
		[ARM_ADDRESS_TEXT] = arm_address_text,
		[ARM_ADDRESS_VERSION] = arm_address_version,
		[ARM_ADDRESS_FQDN] = arm_address_fqdn,
		[ARM_ADDRESS_GUID] = arm_address_guid,
	};

	return functions[computed](shown);
}
