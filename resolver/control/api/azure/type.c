/* The rows of the table of Azure's types, and the functions that read ids. The hooks of types are
 * in azure/hooks.c, so that code that needs only the rows, such as an import, needs no server. */
#include "resolver/control/api/azure/type.h"

#include <strings.h>

/* ---- families ---- */

static const struct arm_family network = {
	ARM_PROVIDER, ARM_ETAG_WEAK, true, {"2022-07-01", "2022-05-01", "2022-01-01"}};
static const struct arm_family resolver = {
	ARM_PROVIDER, ARM_ETAG_QUOTED, false, {"2022-07-01", "2023-07-01-preview", "2025-05-01"}};
static const struct arm_family private_dns = {
	ARM_PROVIDER, ARM_ETAG_BARE, true, {"2020-06-01", "2018-09-01", "2024-06-01"}};
static const struct arm_family resources = {
	"Microsoft.Resources", ARM_ETAG_QUOTED, true, {"2021-04-01", "2022-09-01", "2022-12-01"}};

/* ---- members of many types ---- */

#define SHOWN(at, json)                                                                            \
	{                                                                                          \
		.path = at, .form = ARM_SHOWN, .fallback = json                                    \
	}
#define COMPUTED(at, from)                                                                         \
	{                                                                                          \
		.path = at, .form = ARM_SHOWN, .computed = from                                    \
	}
#define KEPT(at)                                                                                   \
	{                                                                                          \
		.path = at, .form = ARM_KEPT                                                       \
	}
#define KEPT_OR(at, json)                                                                          \
	{                                                                                          \
		.path = at, .form = ARM_KEPT, .fallback = json                                     \
	}
#define INSIDE(at, type)                                                                           \
	{                                                                                          \
		.path = at, .form = ARM_CHILDREN, .of = type                                       \
	}
#define STATE SHOWN("provisioningState", "\"Succeeded\"")
#define GUID  COMPUTED("resourceGuid", ARM_RESOURCE_GUID)
#define TAGS                                                                                       \
	{                                                                                          \
		.path = "/tags", .key = "tags", .form = ARM_TAGS                                   \
	}
#define LOCATION                                                                                   \
	{                                                                                          \
		.path = "/location", .key = "region", .form = ARM_LOCATION, .required = true,      \
		.fixed = true                                                                      \
	}
/* For resources inside one that has a region. */
#define LOCATION_OF_PARENT COMPUTED("/location", ARM_ENDPOINT_LOCATION)
#define GLOBAL_LOCATION                                                                            \
	{                                                                                          \
		.path = "/location", .form = ARM_GLOBAL                                            \
	}
#define NETWORK_ID                                                                                 \
	{                                                                                          \
		.path = "virtualNetwork", .key = "virtual_network", .form = ARM_ID,                \
		.of = "virtualNetworks", .required = true, .fixed = true                           \
	}
#define METADATA                                                                                   \
	{                                                                                          \
		.path = "metadata", .key = "metadata", .form = ARM_METADATA                        \
	}
#define END                                                                                        \
	{                                                                                          \
		.path = NULL                                                                       \
	}

static const struct arm_member group_members[] = {LOCATION, TAGS, STATE, END};

/* ---- networks ---- */

static const struct arm_member network_members[] = {
	LOCATION,
	TAGS,
	{.path = "addressSpace.addressPrefixes", .key = "address_space", .required = true},
	{.path = "dhcpOptions.dnsServers", .key = "dns_servers", .form = ARM_HOSTS, .quiet = true},
	{.path = "encryption.enabled", .key = "encryption", .quiet = true},
	KEPT("encryption.enforcement"),
	INSIDE("subnets", "virtualNetworks/subnets"),
	INSIDE("virtualNetworkPeerings", "virtualNetworks/virtualNetworkPeerings"),
	KEPT_OR("enableDdosProtection", "false"),
	KEPT("ddosProtectionPlan"),
	KEPT("flowTimeoutInMinutes"),
	KEPT("bgpCommunities"),
	KEPT("ipAllocations"),
	KEPT("privateEndpointVNetPolicies"),
	KEPT("/extendedLocation"),
	GUID,
	STATE,
	END,
};

static const struct arm_member subnet_members[] = {
	{.path = "addressPrefix", .key = "prefix", .required = true},
	{.path = "addressPrefixes[0]", .key = "prefix", .alias = true},
	SHOWN("delegations", "[]"),
	{.path = "delegations[0].properties.serviceName", .key = "delegation"},
	{.path = "delegations[0].name",
	 .form = ARM_KEPT,
	 .beside = "delegation",
	 .fallback = "\"0\""},
	{.path = "delegations[0].type",
	 .form = ARM_SHOWN,
	 .beside = "delegation",
	 .fallback = "\"Microsoft.Network/virtualNetworks/subnets/delegations\""},
	{.path = "delegations[0].properties.actions",
	 .form = ARM_SHOWN,
	 .beside = "delegation",
	 .fallback = "[\"Microsoft.Network/virtualNetworks/subnets/join/action\"]"},
	{.path = "delegations[0].properties.provisioningState",
	 .form = ARM_SHOWN,
	 .beside = "delegation",
	 .fallback = "\"Succeeded\""},
	COMPUTED("ipConfigurations", ARM_SUBNET_IP_CONFIGURATIONS),
	KEPT_OR("privateEndpointNetworkPolicies", "\"Disabled\""),
	KEPT_OR("privateLinkServiceNetworkPolicies", "\"Enabled\""),
	KEPT("networkSecurityGroup"),
	KEPT("routeTable"),
	KEPT("natGateway"),
	KEPT("serviceEndpoints"),
	KEPT("serviceEndpointPolicies"),
	KEPT("applicationGatewayIPConfigurations"),
	KEPT("ipAllocations"),
	KEPT("defaultOutboundAccess"),
	KEPT("sharingScope"),
	STATE,
	END,
};

static const struct arm_member peering_members[] = {
	{.path = "remoteVirtualNetwork", .form = ARM_KEPT, .required = true},
	KEPT_OR("allowVirtualNetworkAccess", "true"),
	KEPT_OR("allowForwardedTraffic", "false"),
	KEPT_OR("allowGatewayTransit", "false"),
	KEPT_OR("useRemoteGateways", "false"),
	KEPT("doNotVerifyRemoteGateways"),
	KEPT("peerCompleteVnets"),
	KEPT("enableOnlyIPv6Peering"),
	KEPT("localSubnetNames"),
	KEPT("remoteSubnetNames"),
	KEPT("remoteAddressSpace"),
	KEPT("remoteVirtualNetworkAddressSpace"),
	KEPT("remoteBgpCommunities"),
	SHOWN("peeringState", "\"Connected\""),
	SHOWN("peeringSyncLevel", "\"FullyInSync\""),
	GUID,
	STATE,
	END,
};

static const char *const allocations[] = {"Dynamic", "Static", NULL};

/* ---- interfaces and private endpoints ---- */

#define SUBNET_ID                                                                                  \
	{                                                                                          \
		.path = "subnet", .key = "subnet", .form = ARM_ID,                                 \
		.of = "virtualNetworks/subnets", .required = true, .fixed = true                   \
	}

static const struct arm_member ip_configuration_members[] = {
	{.path = "name", .key = "name", .required = true},
	{.path = "properties.subnet",
	 .key = "subnet",
	 .form = ARM_ID,
	 .of = "virtualNetworks/subnets",
	 .required = true},
	{.path = "properties.privateIPAddress", .key = "address"},
	{.path = "properties.privateIPAllocationMethod",
	 .key = "allocation",
	 .form = ARM_WORD,
	 .words = allocations},
	COMPUTED("properties.privateIPAddressVersion", ARM_IP_CONFIGURATION_VERSION),
	{.path = "properties.primary", .key = "primary"},
	COMPUTED("id", ARM_IP_CONFIGURATION_ID),
	SHOWN("properties.provisioningState", "\"Succeeded\""),
	END,
};

static const struct arm_member interface_members[] = {
	LOCATION,
	TAGS,
	{.path = "ipConfigurations",
	 .key = "ip_configurations",
	 .form = ARM_OBJECTS,
	 .inner = ip_configuration_members,
	 .required = true},
	KEPT("ipConfigurations[0].properties.publicIPAddress"),
	{.path = "dnsSettings.internalDnsNameLabel", .key = "label"},
	KEPT_OR("dnsSettings.dnsServers", "[]"),
	COMPUTED("macAddress", ARM_INTERFACE_MAC_ADDRESS),
	COMPUTED("privateEndpoint", ARM_INTERFACE_PRIVATE_ENDPOINT),
	{.path = "primary", .key = "primary"},
	KEPT("networkSecurityGroup"),
	KEPT("virtualMachine"),
	KEPT_OR("enableAcceleratedNetworking", "false"),
	KEPT_OR("enableIPForwarding", "false"),
	KEPT("disableTcpStateTracking"),
	KEPT("auxiliaryMode"),
	KEPT("auxiliarySku"),
	KEPT("workloadType"),
	KEPT("nicType"),
	KEPT("/extendedLocation"),
	GUID,
	STATE,
	END,
};

static const struct arm_member endpoint_members[] = {
	LOCATION,
	TAGS,
	SUBNET_ID,
	KEPT("privateLinkServiceConnections"),
	COMPUTED("privateLinkServiceConnections[0].properties.privateLinkServiceConnectionState",
		 ARM_PRIVATE_ENDPOINT_STATE),
	KEPT("manualPrivateLinkServiceConnections"),
	KEPT("customNetworkInterfaceName"),
	KEPT("ipConfigurations"),
	KEPT("applicationSecurityGroups"),
	KEPT("/extendedLocation"),
	COMPUTED("networkInterfaces", ARM_PRIVATE_ENDPOINT_INTERFACES),
	COMPUTED("customDnsConfigs", ARM_PRIVATE_ENDPOINT_DNS_CONFIGS),
	GUID,
	STATE,
	END,
};

static const struct arm_member zone_configuration_members[] = {
	{.path = "name", .key = "name", .required = true},
	{.path = "properties.privateDnsZoneId",
	 .key = "zone",
	 .form = ARM_ID_TEXT,
	 .of = "privateDnsZones",
	 .required = true},
	COMPUTED("properties.recordSets", ARM_ZONE_GROUP_RECORDS),
	END,
};

static const struct arm_member zone_group_members[] = {
	{.path = "privateDnsZoneConfigs",
	 .key = "zones",
	 .form = ARM_OBJECTS,
	 .inner = zone_configuration_members,
	 .required = true},
	STATE,
	END,
};

/* ---- resolvers and rulesets ---- */

static const struct arm_member resolver_members[] = {
	LOCATION, TAGS, NETWORK_ID, SHOWN("dnsResolverState", "\"Connected\""), GUID, STATE, END,
};

static const struct arm_member inbound_members[] = {
	LOCATION_OF_PARENT,
	TAGS,
	{.path = "ipConfigurations[0].subnet",
	 .key = "subnet",
	 .form = ARM_SUBNET,
	 .of = "virtualNetworks/subnets",
	 .required = true},
	{.path = "ipConfigurations[0].privateIpAllocationMethod",
	 .key = "allocation",
	 .form = ARM_WORD,
	 .words = allocations},
	{.path = "ipConfigurations[0].privateIpAddress", .key = "address"},
	GUID,
	STATE,
	END,
};

static const struct arm_member outbound_members[] = {
	LOCATION_OF_PARENT,
	TAGS,
	{.path = "subnet",
	 .key = "subnet",
	 .form = ARM_SUBNET,
	 .of = "virtualNetworks/subnets",
	 .required = true,
	 .fixed = true},
	GUID,
	STATE,
	END,
};

static const struct arm_member ruleset_members[] = {
	LOCATION,
	TAGS,
	{.path = "dnsResolverOutboundEndpoints",
	 .key = "outbound_endpoints",
	 .form = ARM_IDS,
	 .of = "dnsResolvers/outboundEndpoints",
	 .required = true},
	/* A PATCH has them beside the tags, not in the properties. */
	{.path = "/dnsResolverOutboundEndpoints",
	 .key = "outbound_endpoints",
	 .form = ARM_IDS,
	 .of = "dnsResolvers/outboundEndpoints",
	 .alias = true},
	GUID,
	STATE,
	END,
};

static const char *const rule_states[] = {"Enabled", "Disabled", NULL};

static const struct arm_member target_members[] = {
	{.path = "ipAddress", .key = "address", .required = true},
	{.path = "port", .key = "port"},
	END,
};

static const struct arm_member rule_members[] = {
	{.path = "domainName", .key = "domain", .required = true, .fixed = true},
	{.path = "targetDnsServers",
	 .key = "targets",
	 .form = ARM_OBJECTS,
	 .inner = target_members,
	 .required = true},
	{.path = "forwardingRuleState", .key = "state", .form = ARM_WORD, .words = rule_states},
	METADATA,
	STATE,
	END,
};

static const struct arm_member ruleset_link_members[] = {NETWORK_ID, METADATA, STATE, END};

/* ---- private zones ---- */

static const struct arm_member zone_members[] = {
	GLOBAL_LOCATION,
	TAGS,
	COMPUTED("numberOfRecordSets", ARM_ZONE_SET_COUNT),
	COMPUTED("maxNumberOfRecordSets", ARM_ZONE_SET_LIMIT),
	COMPUTED("numberOfVirtualNetworkLinks", ARM_ZONE_LINK_COUNT),
	COMPUTED("maxNumberOfVirtualNetworkLinks", ARM_ZONE_LINK_LIMIT),
	COMPUTED("numberOfVirtualNetworkLinksWithRegistration", ARM_ZONE_REGISTRATION_COUNT),
	COMPUTED("maxNumberOfVirtualNetworkLinksWithRegistration", ARM_ZONE_REGISTRATION_LIMIT),
	COMPUTED("internalId", ARM_RESOURCE_GUID),
	STATE,
	END,
};

static const char *const resolution_policies[] = {"Default", "NxDomainRedirect", NULL};

static const struct arm_member zone_link_members[] = {
	GLOBAL_LOCATION,
	TAGS,
	NETWORK_ID,
	{.path = "registrationEnabled", .key = "registration"},
	{.path = "resolutionPolicy",
	 .key = "resolution_policy",
	 .form = ARM_WORD,
	 .words = resolution_policies},
	SHOWN("virtualNetworkLinkState", "\"Completed\""),
	STATE,
	END,
};

#define A_SET(at, how, data)                                                                       \
	{.path = "ttl", .key = "ttl"}, {.path = at, .key = "records", .form = how, .inner = data}, \
		METADATA, COMPUTED("fqdn", ARM_SET_FQDN),                                          \
		COMPUTED("isAutoRegistered", ARM_SET_IS_REGISTERED), STATE, END
#define DATUM(at, how)                                                                             \
	{                                                                                          \
		.path = at, .form = how                                                            \
	}

static const struct arm_member a_data[] = {DATUM("ipv4Address", ARM_TEXT), END};
static const struct arm_member aaaa_data[] = {DATUM("ipv6Address", ARM_TEXT), END};
static const struct arm_member cname_data[] = {DATUM("cname", ARM_NAME), END};
static const struct arm_member mx_data[] = {DATUM("preference", ARM_NUMBER),
					    DATUM("exchange", ARM_NAME), END};
static const struct arm_member ptr_data[] = {DATUM("ptrdname", ARM_NAME), END};
static const struct arm_member soa_data[] = {
	DATUM("host", ARM_NAME),           DATUM("email", ARM_NAME),
	DATUM("serialNumber", ARM_NUMBER), DATUM("refreshTime", ARM_NUMBER),
	DATUM("retryTime", ARM_NUMBER),    DATUM("expireTime", ARM_NUMBER),
	DATUM("minimumTtl", ARM_NUMBER),   END};
static const struct arm_member srv_data[] = {DATUM("priority", ARM_NUMBER),
					     DATUM("weight", ARM_NUMBER), DATUM("port", ARM_NUMBER),
					     DATUM("target", ARM_NAME), END};
static const struct arm_member txt_data[] = {DATUM("value", ARM_STRINGS), END};

static const struct arm_member a_members[] = {A_SET("aRecords", ARM_RECORDS, a_data)};
static const struct arm_member aaaa_members[] = {A_SET("aaaaRecords", ARM_RECORDS, aaaa_data)};
static const struct arm_member cname_members[] = {A_SET("cnameRecord", ARM_RECORD, cname_data)};
static const struct arm_member mx_members[] = {A_SET("mxRecords", ARM_RECORDS, mx_data)};
static const struct arm_member ptr_members[] = {A_SET("ptrRecords", ARM_RECORDS, ptr_data)};
static const struct arm_member soa_members[] = {A_SET("soaRecord", ARM_RECORD, soa_data)};
static const struct arm_member srv_members[] = {A_SET("srvRecords", ARM_RECORDS, srv_data)};
static const struct arm_member txt_members[] = {A_SET("txtRecords", ARM_RECORDS, txt_data)};

/* ---- public addresses ---- */

static const struct arm_member address_members[] = {
	LOCATION,
	TAGS,
	KEPT_OR("/sku", "{\"name\": \"Basic\", \"tier\": \"Regional\"}"),
	KEPT("/zones"),
	KEPT("/extendedLocation"),
	COMPUTED("ipAddress", ARM_ADDRESS_TEXT),
	COMPUTED("publicIPAddressVersion", ARM_ADDRESS_VERSION),
	{.path = "publicIPAllocationMethod",
	 .key = "allocation",
	 .form = ARM_WORD,
	 .words = allocations},
	{.path = "dnsSettings.domainNameLabel", .key = "domain_name_label"},
	COMPUTED("dnsSettings.fqdn", ARM_ADDRESS_FQDN),
	{.path = "dnsSettings.reverseFqdn", .key = "reverse_fqdn"},
	KEPT_OR("idleTimeoutInMinutes", "4"),
	KEPT_OR("ipTags", "[]"),
	KEPT("deleteOption"),
	KEPT("ddosSettings"),
	KEPT("natGateway"),
	KEPT("publicIPPrefix"),
	KEPT("migrationPhase"),
	COMPUTED("resourceGuid", ARM_ADDRESS_GUID),
	STATE,
	END,
};

/* ---- the types ---- */

#define SET(which, rows)                                                                           \
	{                                                                                          \
		.path = "privateDnsZones/" which, .kind = KIND_RECORD_SET, .family = &private_dns, \
		.title = "Record set", .members = rows, .record_type = which                       \
	}

const struct arm_type arm_types[] = {
	{.path = "resourceGroups",
	 .kind = KIND_GROUP,
	 .family = &resources,
	 .title = "Resource group",
	 .members = group_members},
	{.path = "virtualNetworks",
	 .kind = KIND_NETWORK,
	 .family = &network,
	 .title = "Virtual network",
	 .members = network_members,
	 .tracked = true},
	{.path = "virtualNetworks/subnets",
	 .kind = KIND_SUBNET,
	 .family = &network,
	 .title = "Subnet",
	 .members = subnet_members},
	{.path = "virtualNetworks/virtualNetworkPeerings",
	 .kind = KIND_PEERING,
	 .family = &network,
	 .title = "Peering",
	 .members = peering_members},
	{.path = "networkInterfaces",
	 .kind = KIND_INTERFACE,
	 .family = &network,
	 .title = "Network interface",
	 .members = interface_members,
	 .tracked = true},
	{.path = "privateEndpoints",
	 .kind = KIND_PRIVATE_ENDPOINT,
	 .family = &network,
	 .title = "Private endpoint",
	 .members = endpoint_members,
	 .tracked = true},
	{.path = "privateEndpoints/privateDnsZoneGroups",
	 .kind = KIND_ZONE_GROUP,
	 .family = &network,
	 .title = "Private DNS zone group",
	 .members = zone_group_members},
	{.path = "publicIPAddresses",
	 .kind = KIND_ADDRESS,
	 .family = &network,
	 .title = "Public IP address",
	 .members = address_members,
	 .tracked = true},
	{.path = "dnsResolvers",
	 .kind = KIND_RESOLVER,
	 .family = &resolver,
	 .title = "DNS resolver",
	 .members = resolver_members,
	 .tracked = true},
	{.path = "dnsResolvers/inboundEndpoints",
	 .kind = KIND_INBOUND,
	 .family = &resolver,
	 .title = "Inbound endpoint",
	 .members = inbound_members,
	 .tracked = true,
	 .holds = true,
	 .shows_placed = true},
	{.path = "dnsResolvers/outboundEndpoints",
	 .kind = KIND_OUTBOUND,
	 .family = &resolver,
	 .title = "Outbound endpoint",
	 .members = outbound_members,
	 .tracked = true,
	 .holds = true},
	{.path = "dnsForwardingRulesets",
	 .kind = KIND_RULESET,
	 .family = &resolver,
	 .title = "DNS forwarding ruleset",
	 .members = ruleset_members,
	 .tracked = true},
	{.path = "dnsForwardingRulesets/forwardingRules",
	 .kind = KIND_RULE,
	 .family = &resolver,
	 .title = "Forwarding rule",
	 .members = rule_members},
	{.path = "dnsForwardingRulesets/virtualNetworkLinks",
	 .kind = KIND_RULESET_LINK,
	 .family = &resolver,
	 .title = "Virtual network link",
	 .members = ruleset_link_members,
	 .holds = true},
	{.path = "privateDnsZones",
	 .kind = KIND_ZONE,
	 .family = &private_dns,
	 .title = "Zone",
	 .members = zone_members,
	 .tracked = true},
	{.path = "privateDnsZones/virtualNetworkLinks",
	 .kind = KIND_ZONE_LINK,
	 .family = &private_dns,
	 .title = "Virtual network link",
	 .members = zone_link_members,
	 .tracked = true,
	 .holds = true},
	SET("A", a_members),
	SET("AAAA", aaaa_members),
	SET("CNAME", cname_members),
	SET("MX", mx_members),
	SET("PTR", ptr_members),
	SET("SOA", soa_members),
	SET("SRV", srv_members),
	SET("TXT", txt_members),
	{.path = NULL},
};

const struct arm_type *arm_type_named(const char *path)
{
	for (const struct arm_type *type = arm_types; type->path; type++)
		if (strcasecmp(type->path, path) == 0)
			return type;
	return NULL;
}

const struct arm_type *arm_type_of_kind(unsigned kind)
{
	const struct arm_type *type = arm_types;

	while (type->path && type->kind != kind)
		type++;
	return type->path ? type : NULL;
}

const struct arm_type *arm_type_parent(const struct arm_type *type)
{
	const struct kind *parent = kind_of_id(type->kind)->parent;

	return parent ? arm_type_of_kind(parent->id) : NULL;
}

const struct arm_type *arm_type_of(const struct path *path)
{
	const char *colon = strrchr(path_name(path) ? path_name(path) : "", ':');

	for (const struct arm_type *type = arm_types; type->path; type++)
		if (type->kind == path->kind->id &&
		    (!type->record_type ||
		     (colon && strcasecmp(colon + 1, type->record_type) == 0)))
			return type;
	return NULL;
}

const char *arm_type_last(const struct arm_type *type)
{
	const char *slash = strrchr(type->path, '/');

	return slash ? slash + 1 : type->path;
}

/* ---- ids ---- */

char *arm_name(const struct path *path, char text[NAME_TEXT_MAX])
{
	const char *name = path_name(path);
	size_t length = strlen(name);

	if (path->kind->id == KIND_RECORD_SET)
		length = (size_t)(strrchr(name, ':') - name);
	snprintf(text, NAME_TEXT_MAX, "%.*s", (int)length, name);
	return text;
}

int arm_path_read(struct arena *arena, const char *group, const char *const *segments, size_t count,
		  const struct arm_type **type, struct path *path, const char **unknown)
{
	char types[ARM_ID_MAX];

	*unknown = count > 1 ? segments[1] : "";
	if (count < 3 || count > 6 || strcasecmp(segments[0], "providers") != 0 ||
	    strcasecmp(segments[1], ARM_PROVIDER) != 0)
		return ERR_NOT_FOUND;
	*unknown = segments[2];
	snprintf(types, sizeof types, "%s%s%s", segments[2], count > 4 ? "/" : "",
		 count > 4 ? segments[4] : "");
	/* "virtualNetworks%2Fsubnets" in one segment is no type's name. */
	*type = strchr(segments[2], '/') ? NULL : arm_type_named(types);
	if (!*type || strcasecmp((*type)->family->provider, segments[1]) != 0) {
		*unknown = arena_strdup(arena, types);
		return *unknown ? ERR_NOT_FOUND : ERR_NOMEM;
	}
	*path = (struct path){.kind = kind_of_id((*type)->kind), .group = group};
	path->names[0] = count > 3 ? segments[3] : "";
	if (!path->kind->parent)
		return 0;
	path->names[1] = count > 5 ? segments[5] : "";
	if ((*type)->record_type && count > 5)
		path->names[1] = arena_printf(arena, "%s:%s", segments[5], (*type)->record_type);
	return path->names[1] ? 0 : ERR_NOMEM;
}

int arm_id_split(struct arena *arena, const char *id, const char **subscription,
		 const struct arm_type **type, struct path *path)
{
	enum { PARTS = 10 };
	char *copy = arena_strdup(arena, id), *rest = copy, *part;
	const char *parts[PARTS + 1], *unknown;
	size_t count = 0;

	while (copy && count <= PARTS && (part = strtok_r(count > 0 ? NULL : copy, "/", &rest)))
		parts[count++] = part;
	if (count != 8 && count != 10)
		return ERR_INVALID;
	if (strcasecmp(parts[0], "subscriptions") != 0 ||
	    strcasecmp(parts[2], "resourceGroups") != 0 ||
	    arm_path_read(arena, parts[3], parts + 4, count - 4, type, path, &unknown) != 0)
		return ERR_INVALID;
	*subscription = parts[1];
	return 0;
}
