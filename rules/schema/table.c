/* The rows of the field table: all settings of a configuration, from the innermost groups to the
 * whole. Each group fills the struct of model.h that its AT rows name; the manual page prints
 * `doc`. schema/value.c reads and prints values. */
#include "rules/base.h"
#include "rules/name.h"
#include "rules/schema/schema.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define FIELDS(rows)     .fields = rows, .count = COUNT(rows)
#define TTL_MAX          2147483647 /* RFC 2181 section 8 */

/* Fields of several groups. */
#define NAME_FIELD(struct_type, form, what)                                                        \
	{                                                                                          \
		.key = "name", .type = form, AT(struct_type, name), .required = true, .doc = what  \
	}
#define REGION_FIELD(struct_type)                                                                  \
	{                                                                                          \
		.key = "region", .type = FIELD_NAME, AT(struct_type, region),                      \
		.doc = "Where it is. Absent: the server's region."                                 \
	}
#define RESOURCE_GROUP_FIELD(struct_type)                                                          \
	{                                                                                          \
		.key = "resource_group", .type = FIELD_STRING, AT(struct_type, resource_group),    \
		.min = 1, .max = 90,                                                               \
		.doc = "The resource group of the item: letters, digits and any of "               \
		       "_().-, not ending in a dot. Absent: none."                                 \
	}

#define TAGS_FIELD(struct_type)                                                                    \
	{                                                                                          \
		.key = "tags", .type = FIELD_TAGS, AT(struct_type, tags), .count_max = 50,         \
		.max = 16384,                                                                      \
		.doc = "\"NAME=VALUE\" each, for people and their tools; no name twice, at most "  \
		       "50. In a file, two backslashes stand before a '=' in a name."              \
	}
#define AZURE_FIELD(struct_type)                                                                   \
	{                                                                                          \
		.key = "azure", .type = FIELD_TAGS, AT(struct_type, azure), .max = 65536,          \
		.doc = "Properties of Azure's resource that sluice does not use but "              \
		       "keeps and gives back as they are, each as NAME=JSON. NAME is "             \
		       "a property's path, such as enableDdosProtection or "                       \
		       "delegations[0].name."                                                      \
	}
#define METADATA_FIELD(struct_type)                                                                \
	{                                                                                          \
		.key = "metadata", .type = FIELD_STRINGS, AT(struct_type, metadata),               \
		.doc = "\"NAME=VALUE\" each, for people and their tools; no name twice, at most "  \
		       "50."                                                                       \
	}

/* ---- networks, resolvers, zones, rulesets ---- */

static const char *const protocol_names[] = {"udp", "tcp", NULL};
const char *const schema_allocation_names[] = {"dynamic", "static", NULL};
static const char *const rule_state_names[] = {"Enabled", "Disabled", NULL};
static const char *const resolution_policy_names[] = {"Default", "NxDomainRedirect",
						      "NxDomainFallthrough", NULL};
static const char *const special_names_names[] = {"answer", "forward", NULL};

#define LINK_NETWORK_FIELD(struct_type)                                                            \
	{                                                                                          \
		.key = "virtual_network", .type = FIELD_STRING, AT(struct_type, virtual_network),  \
		.refers = REFERS_NETWORK, .required = true,                                        \
		.doc = "The virtual network that is linked: NAME or GROUP/NAME."                   \
	}

static const struct field target_fields[] = {
	{.key = "address",
	 .type = FIELD_ADDRESS,
	 AT(target_server, address),
	 .required = true,
	 .doc = "The DNS server's IPv4 or IPv6 address. Questions to an "
		"inbound endpoint of this configuration go there directly, "
		"without a packet."},
	{.key = "port",
	 .type = FIELD_UINT,
	 AT(target_server, port),
	 .fallback = "53",
	 .min = 1,
	 .max = 65535,
	 .doc = "Its port."},
	{.key = "protocol",
	 .type = FIELD_ENUM,
	 AT(target_server, protocol),
	 .fallback = "udp",
	 .names = protocol_names,
	 .doc = "The protocol of questions to it, whatever the client used. "
		"With udp, sluice asks again by TCP after a truncated answer."},
	{.key = "description",
	 .type = FIELD_STRING,
	 AT(target_server, description),
	 .min = 0,
	 .max = 160,
	 .doc = "For people."},
};
static const struct group target_server_group = {
	.name = "target",
	FIELDS(target_fields),
	.size = sizeof(struct target_server),
	.doc = "A DNS server to forward to. sluice asks targets in their "
	       "order, and the next one when one fails or falls silent.",
};

static const struct field default_resolver_fields[] = {
	{.key = "targets",
	 .type = FIELD_LIST,
	 AT(default_resolver, targets),
	 .group = &target_server_group,
	 .doc = "The servers. Absent: those of the system's resolv.conf, followed when it "
		"changes."},
	{.key = "special_names",
	 .type = FIELD_ENUM,
	 AT(default_resolver, special_names),
	 .fallback = "answer",
	 .names = special_names_names,
	 .doc = "Special-use names that no zone and no rule matches: localhost, "
		"invalid, onion, alt, test, local, home.arpa, resolver.arpa "
		"and the zones of RFC 6303. answer: sluice answers them "
		"itself; forward: it forwards them like any other name."},
};
static const struct group default_resolver_group = {
	.name = "default resolver",
	FIELDS(default_resolver_fields),
	.size = sizeof(struct default_resolver),
	.given_offset = offsetof(struct default_resolver, given),
	.doc = "The resolver for all names that no zone and no rule decides. "
	       "Absent: the servers of the system's resolv.conf.",
};

static const struct field vnet_resolver_fields[] = {
	{.key = "listen",
	 .type = FIELD_HOSTS,
	 AT(vnet_resolver, listen),
	 .required = true,
	 .doc = "Where it listens. Azure's is 168.63.129.16:53."},
};
static const struct group vnet_resolver_group = {
	.name = "VNet resolver",
	FIELDS(vnet_resolver_fields),
	.size = sizeof(struct vnet_resolver),
	.given_offset = offsetof(struct vnet_resolver, given),
	.doc = "The default resolver of the machines in the virtual networks. "
	       "It resolves a question in the network whose address_space or "
	       "client_prefixes contain the source, the longest prefix first, "
	       "and refuses questions from elsewhere.",
};

static const struct field subnet_fields[] = {
	NAME_FIELD(subnet, FIELD_NAME_DOTS, "Unique in the network."),
	{.key = "prefix",
	 .type = FIELD_PREFIX,
	 AT(subnet, prefix),
	 .required = true,
	 .doc = "Within the network's address space, not overlapping another subnet; IPv4 from /2 "
		"to /29. An endpoint's subnet is IPv4 and within limits.subnet_prefix_length_min "
		"and limits.subnet_prefix_length_max."},
	{.key = "delegation",
	 .type = FIELD_STRING,
	 AT(subnet, delegation),
	 .doc = "The service to which the subnet is delegated. An endpoint's "
		"subnet is delegated to Microsoft.Network/dnsResolvers, and "
		"has one endpoint and nothing else."},
	AZURE_FIELD(subnet),
};
static const struct group subnet_group = {
	.name = "subnet",
	FIELDS(subnet_fields),
	.size = sizeof(struct subnet),
	.doc = "A part of a virtual network. Its first four addresses and its last are reserved.",
};

static const struct field peering_fields[] = {
	NAME_FIELD(peering, FIELD_NAME_DOTS, "Unique in the network."),
	AZURE_FIELD(peering),
};
static const struct group peering_group = {
	.name = "peering",
	FIELDS(peering_fields),
	.size = sizeof(struct peering),
	.doc = "A peering with another network, as Azure's clients keep it; it has no effect here.",
};

static const struct field virtual_network_fields[] = {
	NAME_FIELD(virtual_network, FIELD_NAME_DOTS, "Unique in its resource group."),
	RESOURCE_GROUP_FIELD(virtual_network),
	REGION_FIELD(virtual_network),
	{.key = "encryption",
	 .type = FIELD_BOOL,
	 AT(virtual_network, encryption),
	 .fallback = "false",
	 .doc = "Whether the network is encrypted. A resolver cannot be in such a network."},
	{.key = "address_space",
	 .type = FIELD_PREFIXES,
	 AT(virtual_network, address_space),
	 .doc = "The network's own prefixes; they do not overlap each other nor "
		"224.0.0.0/4, 255.255.255.255, 127.0.0.0/8, 169.254.0.0/16 and 168.63.129.16. "
		"Required where it has subnets."},
	{.key = "dns_servers",
	 .type = FIELD_HOSTS,
	 AT(virtual_network, dns_servers),
	 .doc = "Custom DNS servers. All questions of this network's machines "
		"at the VNet resolver go to these servers and nowhere else: "
		"zones and rules linked to the network have no effect then."},
	{.key = "client_prefixes",
	 .type = FIELD_PREFIXES,
	 AT(virtual_network, client_prefixes),
	 .doc = "Further source prefixes that the VNet resolver takes for this "
		"network; any prefix, loopback included. Absent: none, but the "
		"first network without address_space and client_prefixes has "
		"loopback and private networks, as far as no other network has "
		"them."},
	{.key = "uses_default_resolver",
	 .type = FIELD_BOOL,
	 AT(virtual_network, uses_default_resolver),
	 .fallback = "true",
	 .doc = "Whether names that no zone and no rule of the network decides "
		"go to the default resolver. If not, they are REFUSED: without "
		"rules, such a network gets answers from its zones only, and "
		"nothing is forwarded."},
	{.key = "subnets",
	 .type = FIELD_LIST,
	 AT(virtual_network, subnets),
	 .group = &subnet_group,
	 .doc = "The network's subnets."},
	{.key = "peerings",
	 .type = FIELD_LIST,
	 AT(virtual_network, peerings),
	 .group = &peering_group,
	 .doc = "The network's peerings, which have no effect here."},
	TAGS_FIELD(virtual_network),
	AZURE_FIELD(virtual_network),
};
static const struct group virtual_network_group = {
	.name = "virtual network",
	FIELDS(virtual_network_fields),
	.size = sizeof(struct virtual_network),
	.named = true,
	.doc = "A network whose machines ask questions. Zones and rulesets are linked to it.",
};

static const struct field inbound_endpoint_fields[] = {
	NAME_FIELD(inbound_endpoint, FIELD_NAME, "Unique among the resolver's inbound endpoints."),
	{.key = "subnet",
	 .type = FIELD_STRING,
	 AT(inbound_endpoint, subnet),
	 .doc = "A subnet of the resolver's network, delegated, and used by this endpoint alone. "
		"Absent: one is made. Required where allocation is static."},
	{.key = "allocation",
	 .type = FIELD_ENUM,
	 AT(inbound_endpoint, allocation),
	 .fallback = "dynamic",
	 .names = schema_allocation_names,
	 .doc = "static: address gives the address. dynamic: the endpoint "
		"takes the subnet's first free address, which is its fifth."},
	{.key = "address",
	 .type = FIELD_ADDRESS,
	 AT(inbound_endpoint, address),
	 .doc = "The endpoint's address, in its subnet and not a reserved one. Required where "
		"allocation is static."},
	{.key = "listen",
	 .type = FIELD_HOST,
	 AT(inbound_endpoint, listen),
	 .doc = "Where to bind. Absent: the endpoint's address at port 53, or "
		"without a subnet 127.0.0.1:53 or the next free address of "
		"127.0.0.0/8."},
	{.key = "allow",
	 .type = FIELD_PREFIXES,
	 AT(inbound_endpoint, allow),
	 .doc = "The prefixes of clients that may ask here; all others are "
		"REFUSED. Absent or empty: loopback, 10.0.0.0/8, "
		"172.16.0.0/12, 192.168.0.0/16, fc00::/7, and the "
		"address_space and client_prefixes of every network."},
	TAGS_FIELD(inbound_endpoint),
};
static const struct group inbound_endpoint_group = {
	.name = "inbound endpoint",
	FIELDS(inbound_endpoint_fields),
	.size = sizeof(struct inbound_endpoint),
	.doc = "An address where questions come in. sluice resolves them as "
	       "if asked inside the resolver's virtual network, whatever "
	       "their source.",
};

static const struct field outbound_endpoint_fields[] = {
	NAME_FIELD(outbound_endpoint, FIELD_NAME,
		   "Unique among the resolver's outbound endpoints."),
	{.key = "subnet",
	 .type = FIELD_STRING,
	 AT(outbound_endpoint, subnet),
	 .doc = "A subnet of the resolver's network, delegated, and used by this endpoint alone. "
		"Absent: one is made."},
	{.key = "source",
	 .type = FIELD_ADDRESS,
	 AT(outbound_endpoint, source),
	 .doc = "The source address of forwarded questions. Absent: the first "
		"usable address of the subnet, which is its fifth; for a "
		"subnet that sluice made, the system's choice, of either IP "
		"version. 0.0.0.0: the system's choice."},
	TAGS_FIELD(outbound_endpoint),
};
static const struct group outbound_endpoint_group = {
	.name = "outbound endpoint",
	FIELDS(outbound_endpoint_fields),
	.size = sizeof(struct outbound_endpoint),
	.doc = "Where forwarded questions leave.",
};

static const struct field resolver_fields[] = {
	NAME_FIELD(dns_resolver, FIELD_NAME, "Unique in its resource group."),
	RESOURCE_GROUP_FIELD(dns_resolver),
	{.key = "virtual_network",
	 .type = FIELD_STRING,
	 AT(dns_resolver, virtual_network),
	 .refers = REFERS_NETWORK,
	 .required = true,
	 .doc = "The resolver's network, as NAME or GROUP/NAME: of the same "
		"region, not encrypted, with no other resolver."},
	REGION_FIELD(dns_resolver),
	{.key = "inbound_endpoints",
	 .type = FIELD_LIST,
	 AT(dns_resolver, inbound_endpoints),
	 .group = &inbound_endpoint_group,
	 .doc = "Where questions come in."},
	{.key = "outbound_endpoints",
	 .type = FIELD_LIST,
	 AT(dns_resolver, outbound_endpoints),
	 .group = &outbound_endpoint_group,
	 .doc = "Where forwarded questions leave."},
	TAGS_FIELD(dns_resolver),
};
static const struct group resolver_group = {
	.name = "resolver",
	FIELDS(resolver_fields),
	.size = sizeof(struct dns_resolver),
	.named = true,
	.doc = "A private resolver: endpoints in a virtual network.",
};

static const struct field zone_link_fields[] = {
	NAME_FIELD(zone_link, FIELD_NAME_DOTS, "Unique among the zone's links."),
	LINK_NETWORK_FIELD(zone_link),
	{.key = "registration",
	 .type = FIELD_BOOL,
	 AT(zone_link, registration),
	 .fallback = "false",
	 .doc = "Whether sluice registers the network's machines in the zone: "
		"each network interface that is the first of its machine, "
		"except those of private endpoints, by its label or name. A "
		"zone's own record of that name and type takes precedence. "
		"Each address has its PTR in the network. Azure registers A "
		"records alone."},
	{.key = "resolution_policy",
	 .type = FIELD_ENUM,
	 AT(zone_link, resolution_policy),
	 .fallback = "Default",
	 .names = resolution_policy_names,
	 .doc = "How sluice answers a name that the zone does not have, and "
		"that is not above another zone of the network. Default: the "
		"name does not exist. NxDomainRedirect, only for zones named "
		"privatelink.*: A, AAAA and CNAME questions for the name go to "
		"the default resolver. NxDomainFallthrough: a shorter zone, a "
		"rule, or the steps after these decide, as if the zone were "
		"not linked; if the zone has the name, it answers every type. "
		"Azure has no NxDomainFallthrough."},
	TAGS_FIELD(zone_link),
};
static const struct group zone_link_group = {
	.name = "zone link",
	FIELDS(zone_link_fields),
	.size = sizeof(struct zone_link),
	.doc = "Makes a zone visible in a virtual network.",
};

static const struct field record_set_fields[] = {
	{.key = "name",
	 .type = FIELD_STRING,
	 AT(record_set, name),
	 .required = true,
	 .min = 3,
	 .max = NAME_TEXT_MAX,
	 .doc = "OWNER:TYPE, such as www:A. The owner is relative to the zone, without a final "
		"dot; "
		"@ is the zone itself. Unique in the zone."},
	{.key = "ttl",
	 .type = FIELD_UINT,
	 AT(record_set, ttl),
	 .fallback = "3600",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "The TTL of all of its records."},
	{.key = "records",
	 .type = FIELD_STRINGS,
	 AT(record_set, records),
	 .required = true,
	 .doc = "The data of each record, as in a master file: \"10.0.0.1\", "
		"\"10 mail\". Names without a final dot are relative to the "
		"zone. An empty list: the state keeps the set, and sluice "
		"serves nothing of it. The serial in a SOA is the zone's "
		"first; it rises with every change."},
	METADATA_FIELD(record_set),
	AZURE_FIELD(record_set),
};
static const struct group record_set_group = {
	.name = "record set",
	FIELDS(record_set_fields),
	.size = sizeof(struct record_set),
	.doc = "The records of one owner and type, in a zone without a file. A CNAME stands alone, "
	       "and "
	       "there is no NS below the apex, as in a master file.",
};

static const struct field private_zone_fields[] = {
	{.key = "name",
	 .type = FIELD_DOMAIN,
	 .dot = DOT_NONE,
	 AT(private_zone, name),
	 .required = true,
	 .doc = "The zone's name, of 2 (limits.zone_labels_min) to 34 labels. "
		"A final dot may be written, and is not kept. Azure's own "
		"zones (azure.com, windows.net and so on) are refused, but not "
		"their subzones."},
	RESOURCE_GROUP_FIELD(private_zone),
	{.key = "file",
	 .type = FIELD_PATH,
	 AT(private_zone, file),
	 .doc = "Its master file (RFC 1035). $ORIGIN starts as the zone's "
		"name; sluice makes a SOA if the file has none. $INCLUDE takes "
		"files from the folder of this one, and below it, of 64 MB "
		"together. Absent: the zone has record sets, which can be "
		"changed one by one while it is served."},
	{.key = "record_sets",
	 .type = FIELD_LIST,
	 AT(private_zone, record_sets),
	 .group = &record_set_group,
	 .doc = "Its records if it has no file, beside those that the "
		"management interface adds. sluice makes a SOA if there is "
		"none."},
	{.key = "links",
	 .type = FIELD_LIST,
	 AT(private_zone, links),
	 .group = &zone_link_group,
	 .doc = "The networks that see the zone, each once."},
	TAGS_FIELD(private_zone),
};
static const struct group private_zone_group = {
	.name = "private zone",
	FIELDS(private_zone_fields),
	.size = sizeof(struct private_zone),
	.named = true,
	.doc = "A zone that sluice answers, with authority, in the networks "
	       "to which it is linked. The longest linked zone decides before "
	       "every rule.",
};

static const struct field ruleset_link_fields[] = {
	NAME_FIELD(ruleset_link, FIELD_NAME, "Unique among the ruleset's links."),
	LINK_NETWORK_FIELD(ruleset_link),
	METADATA_FIELD(ruleset_link),
};
static const struct group ruleset_link_group = {
	.name = "ruleset link",
	FIELDS(ruleset_link_fields),
	.size = sizeof(struct ruleset_link),
	.doc = "Makes a ruleset apply in a virtual network of its region.",
};

static const struct field target_group_fields[] = {
	NAME_FIELD(target_group, FIELD_NAME, "Unique in the ruleset."),
	{.key = "targets",
	 .type = FIELD_LIST,
	 AT(target_group, targets),
	 .required = true,
	 .group = &target_server_group,
	 .doc = "The servers to ask, in this order; at least one, and as many as a rule may have."},
	{.key = "description",
	 .type = FIELD_STRING,
	 AT(target_group, description),
	 .min = 0,
	 .max = 160,
	 .doc = "For people."},
};
static const struct group target_group_group = {
	.name = "target group",
	FIELDS(target_group_fields),
	.size = sizeof(struct target_group),
	.doc = "Targets with a name, for all rules of the ruleset that give it as target_group.",
};

static const struct field rule_fields[] = {
	NAME_FIELD(forwarding_rule, FIELD_NAME,
		   "Unique in the ruleset; begins with a letter, as in Azure."),
	{.key = "domain",
	 .type = FIELD_DOMAIN,
	 .dot = DOT_FINAL,
	 AT(forwarding_rule, domain),
	 .required = true,
	 .example = "contoso.corp.",
	 .doc = "The suffix that the rule matches, of at most 34 labels, or "
		"\".\" for every name. sluice keeps it with its final dot, "
		"which need not be written. Unique in the ruleset."},
	{.key = "state",
	 .type = FIELD_ENUM,
	 AT(forwarding_rule, state),
	 .fallback = "Enabled",
	 .names = rule_state_names,
	 .doc = "sluice ignores a disabled rule, and the next shorter one "
		"applies."},
	{.key = "follow_cname",
	 .type = FIELD_BOOL,
	 AT(forwarding_rule, follow_cname),
	 .fallback = "false",
	 .doc = "Whether zones and rules decide anew at a CNAME in a target's "
		"answer. Otherwise the target's answer is final, as in Azure."},
	{.key = "targets",
	 .type = FIELD_LIST,
	 AT(forwarding_rule, targets),
	 .group = &target_server_group,
	 .doc = "The servers to ask, in this order; at least one, or target_group."},
	{.key = "target_group",
	 .type = FIELD_STRING,
	 AT(forwarding_rule, target_group),
	 .doc = "A target group of the ruleset; sluice asks its targets. "
		"Instead of targets."},
	{.key = "description",
	 .type = FIELD_STRING,
	 AT(forwarding_rule, description),
	 .min = 0,
	 .max = 160,
	 .doc = "For people."},
	METADATA_FIELD(forwarding_rule),
};
static const struct group rule_group = {
	.name = "rule",
	FIELDS(rule_fields),
	.size = sizeof(struct forwarding_rule),
	.doc = "Forwards a domain and all names below it. The longest enabled "
	       "rule of the rulesets linked to the network decides.",
};

static const struct field ruleset_fields[] = {
	NAME_FIELD(forwarding_ruleset, FIELD_NAME, "Unique in its resource group."),
	RESOURCE_GROUP_FIELD(forwarding_ruleset),
	REGION_FIELD(forwarding_ruleset),
	{.key = "outbound_endpoints",
	 .type = FIELD_STRINGS,
	 AT(forwarding_ruleset, outbound_endpoints),
	 .refers = REFERS_OUTBOUND,
	 .doc = "The endpoints through which to ask, each as RESOLVER/ENDPOINT "
		"or GROUP/RESOLVER/ENDPOINT, in this order; of the ruleset's "
		"region. Absent: those of a resolver in a network to which the "
		"ruleset is linked, by the order of its links; sluice makes "
		"resolver and endpoint if there is none."},
	{.key = "links",
	 .type = FIELD_LIST,
	 AT(forwarding_ruleset, links),
	 .group = &ruleset_link_group,
	 .doc = "The networks in which the rules apply, each once."},
	{.key = "target_groups",
	 .type = FIELD_LIST,
	 AT(forwarding_ruleset, target_groups),
	 .group = &target_group_group,
	 .doc = "Targets that have one name and serve many rules."},
	{.key = "rules",
	 .type = FIELD_LIST,
	 AT(forwarding_ruleset, rules),
	 .group = &rule_group,
	 .doc = "The rules; their order does not matter."},
	TAGS_FIELD(forwarding_ruleset),
};
static const struct group ruleset_group = {
	.name = "ruleset",
	FIELDS(ruleset_fields),
	.size = sizeof(struct forwarding_ruleset),
	.named = true,
	.doc = "Forwarding rules, the endpoints that they use, and the "
	       "networks in which they apply.",
};

/* ---- machines' interfaces, and private endpoints ---- */

#define SUBNET_REFERENCE_FIELD(struct_type)                                                        \
	{                                                                                          \
		.key = "subnet", .type = FIELD_STRING, AT(struct_type, subnet),                    \
		.refers = REFERS_SUBNET, .required = true,                                         \
		.doc = "Its subnet, NETWORK/SUBNET or GROUP/NETWORK/SUBNET; not the "              \
		       "subnet of an endpoint."                                                    \
	}

static const struct field ip_configuration_fields[] = {
	NAME_FIELD(ip_configuration, FIELD_NAME_DOTS, "Unique in the interface."),
	SUBNET_REFERENCE_FIELD(ip_configuration),
	{.key = "allocation",
	 .type = FIELD_ENUM,
	 AT(ip_configuration, allocation),
	 .fallback = "dynamic",
	 .names = schema_allocation_names,
	 .doc = "Whether the address is permanent, for Azure's clients."},
	{.key = "address",
	 .type = FIELD_ADDRESS,
	 AT(ip_configuration, address),
	 .required = true,
	 .doc = "Its address, in the subnet and not a reserved one; no other interface of the "
		"network has it."},
	{.key = "primary",
	 .type = FIELD_BOOL,
	 AT(ip_configuration, primary),
	 .fallback = "false",
	 .doc = "Whether this is the interface's first address: one at most. "
		"If none is marked, the first one counts."},
};
static const struct group ip_configuration_group = {
	.name = "ip configuration",
	FIELDS(ip_configuration_fields),
	.size = sizeof(struct ip_configuration),
	.doc = "An address of a network interface.",
};

static const struct field network_interface_fields[] = {
	NAME_FIELD(network_interface, FIELD_NAME_DOTS, "Unique in its resource group."),
	RESOURCE_GROUP_FIELD(network_interface),
	REGION_FIELD(network_interface),
	{.key = "label",
	 .type = FIELD_STRING,
	 AT(network_interface, label),
	 .min = 1,
	 .max = 63,
	 .doc = "The name that the machine registers in private zones (Azure's "
		"internalDnsNameLabel): 1 to 63 letters, digits and '-', with a letter or digit at "
		"both ends. Absent: the interface's own name, if it is of that form."},
	{.key = "primary",
	 .type = FIELD_BOOL,
	 AT(network_interface, primary),
	 .fallback = "true",
	 .doc = "Whether it is the first interface of its machine: sluice "
		"registers only the first."},
	{.key = "private_endpoint",
	 .type = FIELD_STRING,
	 AT(network_interface, private_endpoint),
	 .min = 1,
	 .max = 80,
	 .doc = "The name of its private endpoint, in the same resource group."},
	{.key = "ip_configurations",
	 .type = FIELD_LIST,
	 AT(network_interface, ip_configurations),
	 .required = true,
	 .group = &ip_configuration_group,
	 .doc = "Its addresses, at least one; all in one network."},
	TAGS_FIELD(network_interface),
	AZURE_FIELD(network_interface),
};
static const struct group network_interface_group = {
	.name = "network interface",
	FIELDS(network_interface_fields),
	.size = sizeof(struct network_interface),
	.named = true,
	.doc = "An interface of a machine, in a virtual network of its "
	       "region. sluice does not bind its addresses.",
};

static const struct field zone_configuration_fields[] = {
	NAME_FIELD(zone_configuration, FIELD_NAME_DOTS, "Unique in the zone group."),
	{.key = "zone",
	 .type = FIELD_STRING,
	 AT(zone_configuration, zone),
	 .refers = REFERS_ZONE,
	 .required = true,
	 .doc = "The private zone: NAME or GROUP/NAME."},
};
static const struct group zone_configuration_group = {
	.name = "zone of a zone group",
	FIELDS(zone_configuration_fields),
	.size = sizeof(struct zone_configuration),
	.doc = "A zone in which the private endpoint has a name.",
};

static const struct field zone_group_fields[] = {
	NAME_FIELD(zone_group, FIELD_NAME_DOTS, "Unique in the private endpoint."),
	{.key = "zones",
	 .type = FIELD_LIST,
	 AT(zone_group, zones),
	 .required = true,
	 .group = &zone_configuration_group,
	 .doc = "The zones, at least one."},
};
static const struct group zone_group_group = {
	.name = "zone group",
	FIELDS(zone_group_fields),
	.size = sizeof(struct zone_group),
	.doc = "The private zones in which a private endpoint has names.",
};

static const struct field private_endpoint_fields[] = {
	NAME_FIELD(private_endpoint, FIELD_NAME_DOTS, "Unique in its resource group."),
	RESOURCE_GROUP_FIELD(private_endpoint),
	REGION_FIELD(private_endpoint),
	SUBNET_REFERENCE_FIELD(private_endpoint),
	{.key = "network_interface",
	 .type = FIELD_STRING,
	 AT(private_endpoint, network_interface),
	 .min = 1,
	 .max = 80,
	 .doc = "The name of its network interface, in the same resource group."},
	{.key = "zone_groups",
	 .type = FIELD_LIST,
	 AT(private_endpoint, zone_groups),
	 .group = &zone_group_group,
	 .doc = "The zones in which the endpoint has names."},
	TAGS_FIELD(private_endpoint),
	AZURE_FIELD(private_endpoint),
};
static const struct group private_endpoint_group = {
	.name = "private endpoint",
	FIELDS(private_endpoint_fields),
	.size = sizeof(struct private_endpoint),
	.named = true,
	.doc = "A service that a virtual network of its region reaches at a "
	       "separate interface.",
};

/* ---- limits, and the program's own settings ---- */

static const char *const log_level_names[] = {"error", "warning", "info", "debug", NULL};
static const char *const event_level_names[] = {"error", "warning", "info", NULL};
static const char *const log_format_names[] = {"auto", "text", "journal", "json", NULL};
static const char *const client_role_names[] = {"reader", "admin", NULL};
static const char *const excess_names[] = {"drop", "refuse", "truncate", NULL};

#define LIMIT_FIELD(limit_key, azure, least, most, what)                                           \
	{.key = #limit_key,                                                                        \
	 .type = FIELD_UINT,                                                                       \
	 AT(limit_values, limit_key),                                                              \
	 .fallback = #azure,                                                                       \
	 .min = least,                                                                             \
	 .max = most,                                                                              \
	 .doc = what "."},
static const struct field limits_fields[] = {
	LIMITS_MAP(LIMIT_FIELD) /* excess is for queries_per_second_per_endpoint */
	{.key = "excess",
	 .type = FIELD_ENUM,
	 AT(limit_values, excess),
	 .fallback = "truncate",
	 .names = excess_names,
	 .doc = "The answer to a query over queries_per_second_per_endpoint at "
		"an inbound endpoint. truncate: an empty answer with TC, so "
		"that the client asks again by TCP, which proves its address "
		"(a proven client over the limit is refused). refuse: REFUSED. "
		"drop: no answer, and the client asks again. The clients that "
		"have asked most lately exceed the limit first. An update gets "
		"no answer in any case, and its client sends it again."},
};
static const struct group limits_group = {
	.name = "limits",
	FIELDS(limits_fields),
	.size = sizeof(struct limit_values),
	.doc = "Azure's limits, which can be changed here. The defaults are "
	       "Azure's numbers.",
};

static const struct field management_client_fields[] = {
	{.key = "id",
	 .type = FIELD_STRING,
	 AT(management_client, id),
	 .required = true,
	 .min = 1,
	 .max = 255,
	 .doc = "The client's name, unique over all groups."},
	RESOURCE_GROUP_FIELD(management_client),
	{.key = "secret_file",
	 .type = FIELD_PATH,
	 AT(management_client, secret_file),
	 .doc = "A file with the client's secret: 16 to 1024 printable ASCII "
		"characters without blanks. The client sends it as its token."},
	{.key = "secret_sha256",
	 .type = FIELD_STRING,
	 AT(management_client, secret_sha256),
	 .min = 64,
	 .max = 64,
	 .doc = "Instead of a file, the SHA-256 of the secret, in hexadecimal "
		"digits: printf %s \"$SECRET\" | sha256sum. It reveals nothing "
		"about a secret of 32 random characters."},
	{.key = "role",
	 .type = FIELD_ENUM,
	 AT(management_client, role),
	 .fallback = "reader",
	 .names = client_role_names,
	 .doc = "The client's rights: to read, or to read and change."},
};
static const struct group management_client_group = {
	.name = "management client",
	FIELDS(management_client_fields),
	.size = sizeof(struct management_client),
	.doc = "A client of the management listeners.",
};

static const struct field management_fields[] = {
	{.key = "socket",
	 .type = FIELD_PATH,
	 AT(management, socket),
	 .fallback = "/run/sluice/control.sock",
	 .doc = "The control socket: the management API for this machine. Only root and sluice's "
		"own user may use it."},
	{.key = "listen",
	 .type = FIELD_STRINGS,
	 AT(management, listen),
	 .doc = "URLs where the management API listens: http on loopback addresses only, https "
		"anywhere."},
	{.key = "hosts",
	 .type = FIELD_STRINGS,
	 AT(management, hosts),
	 .doc = "Further names and addresses, without a port, by which clients "
		"may reach those listeners, such as those of a certificate, or "
		"those that a proxy passes on. The address of the connection, "
		"and localhost on loopback, are always allowed. The server "
		"refuses a request with any other Host (421), so that a web "
		"page cannot reach the API by a name that leads to the "
		"server's address."},
	{.key = "certificate",
	 .type = FIELD_PATH,
	 AT(management, certificate),
	 .doc = "The certificate for https, with its chain, PEM. Read anew at every reload."},
	{.key = "key",
	 .type = FIELD_PATH,
	 AT(management, key),
	 .doc = "Its private key, PEM, without a password. A key that everybody can read gives a "
		"warning."},
	{.key = "clients",
	 .type = FIELD_LIST,
	 AT(management, clients),
	 .group = &management_client_group,
	 .doc = "The clients that may use the listeners."},
	{.key = "state",
	 .type = FIELD_PATH,
	 AT(management, state),
	 .url = true,
	 .doc = "The database of changes made through the management API: a path on a local disk "
		"(or file:/PATH), in a directory that sluice's user may write to. Without it, the "
		"API refuses changes of resources."},
	{.key = "upload_max",
	 .type = FIELD_UINT,
	 AT(management, upload_max),
	 .fallback = "67108864",
	 .min = 1024,
	 .max = 1073741824,
	 .unit = "bytes",
	 .doc = "The longest file that an administrator may send, such as "
		"sluice ptr import does: 64 MiB are more than 500,000 PTRs. "
		"Any other request is at most 1 MiB, except for a whole state, "
		"many edits, and a resource or template by Azure's API."},
};
static const struct group management_group = {
	.name = "management",
	FIELDS(management_fields),
	.size = sizeof(struct management),
	.given_offset = offsetof(struct management, given),
	.doc = "The management of the running program.",
};

static const struct field cache_fields[] = {
	{.key = "size_bytes",
	 .type = FIELD_UINT64,
	 AT(cache_settings, size_bytes),
	 .fallback = "67108864",
	 .min = 0,
	 .max = UINT64_C(1) << 40,
	 .unit = "bytes",
	 .doc = "Memory for answers; 0: no cache. From 2147483648 on the "
		"number needs an L after it."},
	{.key = "ttl_min",
	 .type = FIELD_UINT,
	 AT(cache_settings, ttl_min),
	 .fallback = "0",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "The shortest time for which positive answers are kept."},
	{.key = "ttl_max",
	 .type = FIELD_UINT,
	 AT(cache_settings, ttl_max),
	 .fallback = "86400",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "The longest time for which positive answers are kept."},
	{.key = "negative_ttl_max",
	 .type = FIELD_UINT,
	 AT(cache_settings, negative_ttl_max),
	 .fallback = "3600",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "The longest time for which negative answers are kept (RFC 2308)."},
	{.key = "stale_max",
	 .type = FIELD_UINT,
	 AT(cache_settings, stale_max),
	 .fallback = "86400",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "How long sluice may still give an answer after the end of its "
		"TTL, while no target answers, or none within 1.8 s (RFC "
		"8767). 0: never."},
	{.key = "prefetch",
	 .type = FIELD_BOOL,
	 AT(cache_settings, prefetch),
	 .fallback = "true",
	 .doc = "Whether sluice fetches an answer in frequent use again when a "
		"tenth of its time is left, so that no client waits for it. It "
		"does not do so for a TTL below 10 seconds."},
};
static const struct group cache_group = {
	.name = "cache",
	FIELDS(cache_fields),
	.size = sizeof(struct cache_settings),
	.doc = "The cache of targets' answers.",
};

static const struct field udp_fields[] = {
	{.key = "payload_max",
	 .type = FIELD_UINT,
	 AT(udp_settings, payload_max),
	 .fallback = "1232",
	 .min = 512,
	 .max = 4096,
	 .unit = "bytes",
	 .doc = "The longest answer by UDP, and never more than the client "
		"advertises. sluice truncates a longer answer, and the client "
		"asks by TCP."},
	{.key = "cookie_secret_file",
	 .type = FIELD_PATH,
	 AT(udp_settings, cookie_secret_file),
	 .doc = "A file with the secret of clients' DNS cookies (RFC 9018), the same for every "
		"server behind one address: 32 hexadecimal digits, and optionally on a second line "
		"those of the previous secret, which is still accepted. "
		"Absent: a random one, changed every day."},
};
static const struct group udp_group = {
	.name = "udp",
	FIELDS(udp_fields),
	.size = sizeof(struct udp_settings),
	.doc = "Answers by UDP.",
};

static const struct field outbound_fields[] = {
	{.key = "random_case",
	 .type = FIELD_BOOL,
	 AT(outbound_settings, random_case),
	 .fallback = "true",
	 .doc = "Whether questions to targets have random capitals, which a "
		"reply must repeat: an attacker who has not seen the question "
		"does not know them. sluice ignores a reply that does not "
		"repeat them, and also asks the question by TCP. If a target "
		"changes letters by TCP too, or by UDP for ten questions in a "
		"row, sluice asks it in lower case for the next 15 minutes. "
		"If a question with capitals gets an error or no data, sluice "
		"asks it again in lower case, until the target has answered "
		"some questions with capitals with data."},
	{.key = "cookies",
	 .type = FIELD_GONE,
	 .doc = "No longer used: sluice sends targets no DNS cookies any more "
		"(clients still get theirs). It gives a warning and changes "
		"nothing."},
};
static const struct group outbound_group = {
	.name = "outbound",
	FIELDS(outbound_fields),
	.size = sizeof(struct outbound_settings),
	.doc = "Protection against forged replies by UDP, besides random ids and ports.",
};

static const struct field tcp_fields[] = {
	{.key = "connections_max",
	 .type = FIELD_UINT,
	 AT(tcp_settings, connections_max),
	 .fallback = "1000",
	 .min = 1,
	 .max = 1000000,
	 .doc = "The most client connections of each worker."},
	{.key = "connections_per_client_max",
	 .type = FIELD_UINT,
	 AT(tcp_settings, connections_per_client_max),
	 .fallback = "100",
	 .min = 1,
	 .max = 1000000,
	 .doc = "The most connections of each worker from one client: an IPv4 "
		"address, or the /64 of an IPv6 one."},
	{.key = "idle_timeout_ms",
	 .type = FIELD_UINT,
	 AT(tcp_settings, idle_timeout_ms),
	 .fallback = "10000",
	 .min = 1,
	 .max = 3600000,
	 .unit = "milliseconds",
	 .doc = "How long a connection without a question stays open."},
	{.key = "pipeline_max",
	 .type = FIELD_UINT,
	 AT(tcp_settings, pipeline_max),
	 .fallback = "100",
	 .min = 1,
	 .max = 65535,
	 .doc = "The most unanswered questions of one connection; the server "
		"reads no more from it until some are answered."},
};
static const struct group tcp_group = {
	.name = "tcp",
	FIELDS(tcp_fields),
	.size = sizeof(struct tcp_settings),
	.doc = "Clients' connections.",
};

#define RESPONSES_FIELD(kind, what)                                                                \
	{                                                                                          \
		.key = #kind, .type = FIELD_UINT, AT(response_limit_settings, kind),               \
		.fallback = "0", .min = 0, .max = 1000000,                                         \
		.doc = what " to one prefix in a second. 0: any number."                           \
	}
static const struct field response_limit_fields[] = {
	RESPONSES_FIELD(answers_per_second, "Answers that have data,"),
	RESPONSES_FIELD(negatives_per_second, "NXDOMAIN, and answers without data,"),
	RESPONSES_FIELD(errors_per_second, "SERVFAIL, REFUSED and other errors"),
	{.key = "slip",
	 .type = FIELD_UINT,
	 AT(response_limit_settings, slip),
	 .fallback = "2",
	 .min = 0,
	 .max = 1000,
	 .doc = "One in this many answers over the limit is still sent, empty and with TC, so that "
		"a client whose address is forged can ask again by TCP. 0: none, 1: each."},
	{.key = "ipv4_prefix_length",
	 .type = FIELD_UINT,
	 AT(response_limit_settings, ipv4_prefix_length),
	 .fallback = "24",
	 .min = 0,
	 .max = 32,
	 .doc = "IPv4 clients that share this many leading bits count as one."},
	{.key = "ipv6_prefix_length",
	 .type = FIELD_UINT,
	 AT(response_limit_settings, ipv6_prefix_length),
	 .fallback = "56",
	 .min = 0,
	 .max = 128,
	 .doc = "The same for IPv6 clients."},
};
static const struct group response_limit_group = {
	.name = "response limit",
	FIELDS(response_limit_fields),
	.size = sizeof(struct response_limit_settings),
	.doc = "The most answers by UDP to one prefix, so that nobody can use "
	       "this server to flood others with answers to forged questions. "
	       "Off by default, because a forwarder is one address for a "
	       "whole company.",
};

static const struct field log_fields[] = {
	{.key = "level",
	 .type = FIELD_ENUM,
	 AT(log_settings, level),
	 .fallback = "info",
	 .names = log_level_names,
	 .doc = "The server logs this level and everything more severe."},
	{.key = "format",
	 .type = FIELD_ENUM,
	 AT(log_settings, format),
	 .fallback = "auto",
	 .names = log_format_names,
	 .doc = "auto: journal when standard error is the journal, else text."},
};
static const struct group log_group = {
	.name = "log",
	FIELDS(log_fields),
	.size = sizeof(struct log_settings),
	.doc = "The log, on standard error.",
};

static const struct field query_log_fields[] = {
	{.key = "file",
	 .type = FIELD_PATH,
	 AT(query_log_settings, file),
	 .doc = "A file that gets a JSON object a line, appended. It may be "
		"moved away at any time: the server makes it anew a second "
		"later, or at the next reload."},
	{.key = "dnstap_file",
	 .type = FIELD_PATH,
	 AT(query_log_settings, dnstap_file),
	 .doc = "A file that gets dnstap in Frame Streams, with the replies. "
		"The server cannot append to such a file, so it keeps an "
		"existing one, with the time as a further ending. It keeps "
		"the latest 20 of the files below 64 KiB. The file may be moved "
		"away as well."},
	{.key = "dnstap_socket",
	 .type = FIELD_PATH,
	 AT(query_log_settings, dnstap_socket),
	 .min = 1,
	 .max = 107,
	 .doc = "A unix socket where a reader of dnstap listens. While nobody "
		"listens, the server tries again every second."},
	{.key = "suffixes",
	 .type = FIELD_DOMAINS,
	 AT(query_log_settings, suffixes),
	 .doc = "Only names at or below one of these are logged."},
	{.key = "clients",
	 .type = FIELD_PREFIXES,
	 AT(query_log_settings, clients),
	 .doc = "Only queries of these clients are logged."},
	{.key = "networks",
	 .type = FIELD_STRINGS,
	 AT(query_log_settings, networks),
	 .refers = REFERS_NETWORK,
	 .doc = "Only queries that are resolved in these virtual networks are "
		"logged."},
	{.key = "rcodes",
	 .type = FIELD_STRINGS,
	 AT(query_log_settings, rcodes),
	 .doc = "Only answers with these response codes are logged: \"SERVFAIL\", \"NXDOMAIN\" "
		"..."},
	{.key = "slower_than_ms",
	 .type = FIELD_UINT,
	 AT(query_log_settings, slower_than_ms),
	 .fallback = "0",
	 .min = 0,
	 .max = 60000,
	 .unit = "milliseconds",
	 .doc = "Only answers that took at least this time, and had to wait "
		"for a target, are logged; 0: all. This setting is enough by "
		"itself: without a file or socket the answers are lines of the "
		"log, one a second at most."},
	{.key = "sample",
	 .type = FIELD_UINT,
	 AT(query_log_settings, sample),
	 .fallback = "1",
	 .min = 1,
	 .max = 1000000,
	 .doc = "One in this many of the remaining queries is logged, by "
		"chance."},
	{.key = "privacy",
	 .type = FIELD_BOOL,
	 AT(query_log_settings, privacy),
	 .fallback = "false",
	 .doc = "Whether the log hides single clients: it has IPv4 addresses "
		"by their /24, IPv6 addresses by their /48, and no ports and no "
		"DNS cookies. This "
		"also holds for `sluice log --follow` and the dashboard."},
};
static const struct group query_log_group = {
	.name = "query log",
	FIELDS(query_log_fields),
	.size = sizeof(struct query_log_settings),
	.given_offset = offsetof(struct query_log_settings, given),
	.doc = "The log of every query with its client, what decided it and "
	       "how long it took; a query must fit all given filters. Absent: "
	       "nothing is logged until somebody watches (`sluice log "
	       "--follow`). The server keeps the latest 1000 in memory, for "
	       "`sluice log`, until the log is turned off or `privacy` is "
	       "turned on; sluice-log(8), QUERY LOG, describes an entry.",
};

static const struct field events_fields[] = {
	{.key = "webhook",
	 .type = FIELD_STRING,
	 AT(events_settings, webhook),
	 .min = 1,
	 .max = 2000,
	 .secret = true,
	 .doc = "A URL that the server calls for each event, by POST of JSON, "
		"until it answers 2xx: https, or http at a loopback address."},
	{.key = "webhook_ca",
	 .type = FIELD_PATH,
	 AT(events_settings, webhook_ca),
	 .doc = "The authorities that verify the webhook's certificate, PEM. "
		"Absent: the system's."},
	{.key = "level",
	 .type = FIELD_ENUM,
	 AT(events_settings, level),
	 .fallback = "warning",
	 .names = event_level_names,
	 .doc = "The server calls the webhook for this level and everything more severe."},
};
static const struct group events_group = {
	.name = "events",
	FIELDS(events_fields),
	.size = sizeof(struct events_settings),
	.doc = "How the server reports events to others. An event is a line "
	       "of the log.",
};

static const struct field identity_fields[] = {
	{.key = "version",
	 .type = FIELD_STRING,
	 AT(identity_settings, version),
	 .min = 1,
	 .max = 255,
	 .doc = "The answer to CH TXT version.bind. Absent: REFUSED."},
	{.key = "server",
	 .type = FIELD_STRING,
	 AT(identity_settings, server),
	 .min = 1,
	 .max = 255,
	 .doc = "This server's name in the dashboard, in `sluice status`, and "
		"in the answers to CH TXT id.server and NSID (RFC 5001). "
		"Absent: the dashboard and the status have the host's name, "
		"and clients that ask by DNS get REFUSED, and no NSID."},
	{.key = "details",
	 .type = FIELD_BOOL,
	 AT(identity_settings, details),
	 .fallback = "true",
	 .doc = "Whether an extended error (RFC 8914) names the rule, target "
		"and endpoint that failed, and repeats the target's text. Only "
		"clients on this machine or in a virtual network (its "
		"address_space or client_prefixes) get this text; all others "
		"get the error's number."},
};
static const struct group identity_group = {
	.name = "identity",
	FIELDS(identity_fields),
	.size = sizeof(struct identity_settings),
	.doc = "What the server says about itself.",
};

/* ---- our addresses, and their names ---- */

static const struct field address_pool_fields[] = {
	NAME_FIELD(address_pool, FIELD_NAME_DOTS, "Unique in its resource group."),
	RESOURCE_GROUP_FIELD(address_pool),
	{.key = "region",
	 .type = FIELD_NAME,
	 AT(address_pool, region),
	 .doc = "The region of its addresses. Absent: every region."},
	{.key = "prefix",
	 .type = FIELD_PREFIX,
	 AT(address_pool, prefix),
	 .required = true,
	 .doc = "The prefix; pools do not overlap."},
	{.key = "zone",
	 .type = FIELD_DOMAIN,
	 .dot = DOT_FINAL,
	 AT(address_pool, zone),
	 .example = "64-127.100.51.198.in-addr.arpa",
	 .doc = "The name of its reverse zone, for an IPv4 prefix longer than "
		"/24 (RFC 2317): one label below the octet's zone, as your "
		"provider delegates it, such as 64/26.100.51.198.in-addr.arpa. "
		"Absent: named after its first and last address, such as "
		"64-127.100.51.198.in-addr.arpa."},
};
static const struct group address_pool_group = {
	.name = "address pool",
	FIELDS(address_pool_fields),
	.size = sizeof(struct address_pool),
	.named = true,
	.doc = "A prefix that you own. sluice answers its reverse names with "
	       "authority.",
};

#define REVERSE_FQDN_FIELD()                                                                       \
	{                                                                                          \
		.key = "reverse_fqdn", .type = FIELD_DOMAIN, AT(owned_item, reverse_fqdn),         \
		.doc = "The name in its PTR."                                                      \
	}
#define PTR_DESCRIPTION_FIELD(name, what)                                                          \
	{                                                                                          \
		.key = name, .type = FIELD_STRING, AT(owned_item, ptr_description), .min = 0,      \
		.max = 160, .doc = what                                                            \
	}
#define PTR_TTL_FIELD()                                                                            \
	{                                                                                          \
		.key = "ttl", .type = FIELD_UINT, AT(owned_item, ttl), .min = 0, .max = TTL_MAX,   \
		.unit = "seconds",                                                                 \
		.doc = "The TTL of its PTR. 0: nobody may cache the PTR. Absent: "                 \
		       "`reverse.ttl`."                                                            \
	}

static const struct field owned_address_fields[] = {
	NAME_FIELD(owned_item, FIELD_NAME_DOTS, "Unique in its resource group."),
	{.key = "resource_group",
	 .type = FIELD_STRING,
	 AT(owned_item, resource_group),
	 .min = 1,
	 .max = 90,
	 .doc = "Its resource group."},
	{.key = "id",
	 .type = FIELD_UUID,
	 AT(owned_item, id),
	 .doc = "Its identity. Absent: derived from the name."},
	REGION_FIELD(owned_item),
	{.key = "address",
	 .type = FIELD_ADDRESS,
	 AT(owned_item, address),
	 .required = true,
	 .doc = "In a pool of its region, or private and in a virtual network's address space; "
		"each address once."},
	{.key = "allocation",
	 .type = FIELD_ENUM,
	 AT(owned_item, allocation),
	 .fallback = "dynamic",
	 .names = schema_allocation_names,
	 .doc = "Whether the address is permanent. Only a static address "
		"proves that you own a reverse name."},
	{.key = "domain_name_label",
	 .type = FIELD_STRING,
	 AT(owned_item, domain_name_label),
	 .doc = "Gives it the forward name LABEL.REGION.SUFFIX (see "
		"`reverse.suffix`): 3 to 63 of a-z, 0-9 and '-', beginning with "
		"a letter and not ending in '-'; unique in its region. The "
		"forward name of a private address, like its PTR, is answered "
		"in its own network only."},
	REVERSE_FQDN_FIELD(),
	PTR_DESCRIPTION_FIELD("description", "For people; it goes with reverse_fqdn."),
	PTR_TTL_FIELD(),
	TAGS_FIELD(owned_item),
	AZURE_FIELD(owned_item),
};
static const struct group owned_address_group = {
	.name = "address",
	FIELDS(owned_address_fields),
	.size = sizeof(struct owned_item),
	.doc = "An address that you own, with its forward and reverse name.",
};

static const struct field cloud_service_fields[] = {
	{.key = "name",
	 .type = FIELD_STRING,
	 AT(owned_item, name),
	 .required = true,
	 .doc = "Gives it the forward name NAME.SUFFIX (see "
		"reverse.service_suffix): 1 to 63 letters, digits and '-', "
		"with a letter or digit at both ends; unique among the "
		"services. The forward name of a private address is answered "
		"in its own network only."},
	{.key = "id",
	 .type = FIELD_UUID,
	 AT(owned_item, id),
	 .doc = "Its identity. Absent: derived from the name."},
	{.key = "description",
	 .type = FIELD_STRING,
	 AT(owned_item, description),
	 .min = 0,
	 .max = 160,
	 .doc = "For people."},
	{.key = "address",
	 .type = FIELD_ADDRESS,
	 AT(owned_item, address),
	 .required = true,
	 .doc = "Its address, in a pool, or private and in a virtual network."},
	REVERSE_FQDN_FIELD(),
	PTR_DESCRIPTION_FIELD("ptr_description",
			      "A description of the PTR, for people; it goes with "
			      "reverse_fqdn."),
	PTR_TTL_FIELD(),
	TAGS_FIELD(owned_item),
};
static const struct group cloud_service_group = {
	.name = "cloud service",
	FIELDS(cloud_service_fields),
	.size = sizeof(struct owned_item),
	.doc = "A service with an address of its own, with its forward and reverse name.",
};

/* ---- resources without a list in a file, and the reverse settings ---- */

static const struct field ptr_fields[] = {
	{.key = "address",
	 .type = FIELD_ADDRESS,
	 AT(owned_item, address),
	 .doc = "The address of the address or service that has this PTR."},
	REVERSE_FQDN_FIELD(),
	PTR_DESCRIPTION_FIELD("description", "For people; it goes with reverse_fqdn."),
	PTR_TTL_FIELD(),
};
static const struct group ptr_group = {
	.name = "ptr",
	FIELDS(ptr_fields),
	.size = sizeof(struct owned_item),
	.doc = "The PTR of an address or service.",
};

static const struct field resource_group_fields[] = {
	{.key = "name",
	 .type = FIELD_STRING,
	 AT(resource_group, name),
	 .required = true,
	 .min = 1,
	 .max = 90,
	 .doc = "Unique: letters, digits and any of _().-, not ending in a dot."},
	{.key = "region",
	 .type = FIELD_NAME,
	 AT(resource_group, region),
	 .doc = "Its region, for people and Azure's clients."},
	TAGS_FIELD(resource_group),
};
static const struct group resource_group_group = {
	.name = "resource group",
	FIELDS(resource_group_fields),
	.size = sizeof(struct resource_group),
	.doc = "A group of resources.",
};

static const struct field apart_fields[] = {
	{.key = "ptrs", .type = FIELD_LIST, .group = &ptr_group},
	{.key = "groups", .type = FIELD_LIST, .group = &resource_group_group},
};
const struct group schema_apart = {.name = "resources", FIELDS(apart_fields)};

static const struct field reverse_fields[] = {
	{.key = "suffix",
	 .type = FIELD_DOMAIN,
	 AT(reverse_settings, suffix),
	 .origin_offset = offsetof(struct reverse_settings, suffix_origin),
	 .fallback = "cloudapp.azure.com",
	 .doc = "An address with a label has the name LABEL.REGION.SUFFIX. The "
		"default is Azure's domain; unless the file sets a suffix, "
		"`sluice check` warns of labels."},
	{.key = "service_suffix",
	 .type = FIELD_DOMAIN,
	 AT(reverse_settings, service_suffix),
	 .origin_offset = offsetof(struct reverse_settings, service_suffix_origin),
	 .fallback = "cloudapp.net",
	 .doc = "A cloud service has the name NAME.SUFFIX. The default is "
		"Azure's domain, as with suffix."},
	{.key = "ttl",
	 .type = FIELD_UINT,
	 AT(reverse_settings, ttl),
	 .fallback = "3600",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "The TTL of derived records that have none of their own."},
	{.key = "ipv6",
	 .type = FIELD_BOOL,
	 AT(reverse_settings, ipv6),
	 .fallback = "false",
	 .doc = "Whether cloud services with an IPv6 address, and IPv6 addresses that Azure's API "
		"sets, may have reverse names; in Azure they may not."},
	{.key = "name_servers",
	 .type = FIELD_DOMAINS,
	 AT(reverse_settings, name_servers),
	 .doc = "Names for the NS records of the reverse zones."},
	{.key = "hostmaster",
	 .type = FIELD_DOMAIN,
	 AT(reverse_settings, hostmaster),
	 .doc = "The mailbox in their SOA, as a domain name."},
	{.key = "resolve_in",
	 .type = FIELD_STRING,
	 AT(reverse_settings, resolve_in),
	 .refers = REFERS_NETWORK,
	 .doc = "The virtual network in which sluice checks the ownership of a "
		"reverse name. Absent: in no network, without zones and rules."},
};
static const struct group reverse_group = {
	.name = "reverse",
	FIELDS(reverse_fields),
	.size = sizeof(struct reverse_settings),
	.doc = "Names of addresses and the zones derived from the pools.",
};

/* ---- zone transfers, and their keys ---- */

static const char *const algorithm_names[] = {"hmac-sha256", "hmac-sha1",   "hmac-sha224",
					      "hmac-sha384", "hmac-sha512", NULL};

static const struct field key_fields[] = {
	{.key = "name",
	 .type = FIELD_DOMAIN,
	 AT(tsig_settings, name),
	 .required = true,
	 .doc = "The key's name, the same at the other side; unique over all groups."},
	RESOURCE_GROUP_FIELD(tsig_settings),
	{.key = "algorithm",
	 .type = FIELD_ENUM,
	 AT(tsig_settings, algorithm),
	 .fallback = "hmac-sha256",
	 .names = algorithm_names,
	 .doc = "The algorithm of its signatures."},
	{.key = "secret",
	 .type = FIELD_STRING,
	 AT(tsig_settings, secret),
	 .secret = true,
	 .doc = "The secret, in base64. A secret_file that only sluice's user "
		"may read is better: a secret in a configuration that "
		"everybody can read gives a warning."},
	{.key = "secret_file",
	 .type = FIELD_PATH,
	 AT(tsig_settings, secret_file),
	 .doc = "A file with the secret, in base64, instead of secret. Read "
		"anew at every reload."},
};
static const struct group key_group = {
	.name = "key",
	FIELDS(key_fields),
	.size = sizeof(struct tsig_settings),
	.doc = "A TSIG key (RFC 8945): a secret shared with another name server.",
};

static const struct field transfer_fields[] = {
	{.key = "name",
	 .type = FIELD_NAME,
	 AT(transfer_settings, name),
	 .doc = "Unique in its resource group. Absent: its place in the list, 0 for the first."},
	RESOURCE_GROUP_FIELD(transfer_settings),
	{.key = "zones",
	 .type = FIELD_STRINGS,
	 AT(transfer_settings, zones),
	 .refers = REFERS_ZONE,
	 .required = true,
	 .doc = "The zones: private zones, as NAME or GROUP/NAME, and reverse "
		"zones of address pools, by name; \"*\" is every reverse zone "
		"of an address pool, except zones that have private addresses, "
		"which must be named."},
	{.key = "allow",
	 .type = FIELD_PREFIXES,
	 AT(transfer_settings, allow),
	 .doc = "The clients that may copy the zones. Absent: every client "
		"with the key."},
	{.key = "key",
	 .type = FIELD_DOMAIN,
	 AT(transfer_settings, key),
	 .doc = "The name of the key with which these clients must sign, and "
		"with which sluice signs NOTIFY. Absent: none."},
	{.key = "notify",
	 .type = FIELD_HOSTS,
	 AT(transfer_settings, notify),
	 .doc = "Servers that sluice notifies of every change (RFC 1996), each "
		"as ADDRESS or ADDRESS:PORT, and that it asks there for the "
		"zone's SOA."},
	{.key = "source",
	 .type = FIELD_ADDRESS,
	 AT(transfer_settings, source),
	 .doc = "The source address of NOTIFY and of these questions. Absent: the system's "
		"choice."},
	{.key = "behind_after_s",
	 .type = FIELD_UINT,
	 AT(transfer_settings, behind_after_s),
	 .fallback = "60",
	 .max = 604800,
	 .unit = "seconds",
	 .doc = "A server of `notify` that lacks a change for this long is "
		"reported as behind. Give more for a server that looks for "
		"changes at its own pace; 0: sluice asks no server for its "
		"copy."},
};
static const struct group transfer_group = {
	.name = "transfer",
	FIELDS(transfer_fields),
	.size = sizeof(struct transfer_settings),
	.named = true,
	.doc = "Zones that other name servers may copy (AXFR, RFC 5936; IXFR, "
	       "RFC 1995), and these servers. Servers that are notified "
	       "follow every change.",
};

/* ---- machines that register themselves ---- */

static const char *const registration_names_names[] = {"any", "self", "subdomain", NULL};

static const struct field registration_key_fields[] = {
	{.key = "key",
	 .type = FIELD_DOMAIN,
	 AT(registration_key, key),
	 .required = true,
	 .doc = "The name of a key of `keys`."},
	{.key = "names",
	 .type = FIELD_ENUM,
	 AT(registration_key, names),
	 .fallback = "any",
	 .names = registration_names_names,
	 .doc = "The names of the zone that the key's client may register. "
		"any: all of them, as a DHCP server needs it; self: the key's "
		"own name, for a machine with its own key; subdomain: that "
		"name, and those below it. With self and subdomain the client "
		"may register PTRs that lead to such a name, unless the "
		"address has a PTR to another name that also has the address."},
};
static const struct group registration_key_group = {
	.name = "registration key",
	FIELDS(registration_key_fields),
	.size = sizeof(struct registration_key),
	.doc = "A key (TSIG, RFC 8945); clients that sign with it may "
	       "register.",
};

static const struct field registration_fields[] = {
	{.key = "zone",
	 .type = FIELD_STRING,
	 AT(registration_settings, zone),
	 .refers = REFERS_ZONE,
	 .required = true,
	 .doc = "The private zone that has the names: NAME or GROUP/NAME. A "
		"zone has one entry. The zone's own records come before "
		"registered ones. Clients send updates to the name server in "
		"SOA and NS of the zone and of the reverse zones: the name ns "
		"in the zone, unless the zone has its own name servers. The "
		"address of ns is that of the endpoint that is asked. Nobody "
		"may register that name."},
	{.key = "prefixes",
	 .type = FIELD_PREFIXES,
	 AT(registration_settings, prefixes),
	 .required = true,
	 .doc = "Addresses that clients may register, and PTRs for them; "
		"sluice answers the reverse zones of these prefixes. No other "
		"entry may have one of these addresses for the same network. "
		"For clients of networks to which the zone is linked, these "
		"prefixes replace address_pools: only a PTR of an address or a "
		"machine in the network's own space comes before registered "
		"PTRs."},
	{.key = "keys",
	 .type = FIELD_LIST,
	 AT(registration_settings, keys),
	 .group = &registration_key_group,
	 .doc = "The keys of clients that may register by a signed update."},
	{.key = "own_address",
	 .type = FIELD_BOOL,
	 AT(registration_settings, own_address),
	 .fallback = "false",
	 .doc = "Whether a machine may also register itself without a key: by "
		"TCP, the address from which it asks and its PTR, with one "
		"name. It may not register a name that the zone itself, a "
		"wildcard of it or another registered address has, nor wpad, "
		"isatap, the zone's own name, or a name with a label that "
		"begins with an underscore."},
	{.key = "ttl",
	 .type = FIELD_UINT,
	 AT(registration_settings, ttl),
	 .fallback = "10",
	 .min = 1,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "The TTL of all registered records, whatever the update says."},
	{.key = "expire",
	 .type = FIELD_UINT,
	 AT(registration_settings, expire_s),
	 .fallback = "0",
	 .max = 31536000,
	 .unit = "seconds",
	 .doc = "How long a client's record stays if the client does not renew "
		"it, by any update with the same record; 0: until it is "
		"deleted. An address and its PTR expire separately. Only time "
		"in which the server takes updates for the zone counts, and "
		"after a kill it begins anew. Give 172800 or more for machines "
		"that renew once a day, as sssd and Windows do; leave it out "
		"for a DHCP server, which renews nothing and deletes ended "
		"leases itself."},
	{.key = "names_max",
	 .type = FIELD_UINT,
	 AT(registration_settings, names_max),
	 .fallback = "25000",
	 .min = 1,
	 .max = 1000000,
	 .doc = "The most registered names; sluice refuses a further one."},
};
static const struct group registration_group = {
	.name = "registration",
	FIELDS(registration_fields),
	.size = sizeof(struct registration_settings),
	.doc = "A private zone in which machines and DHCP servers register "
	       "names by DNS UPDATE (RFC 2136): A, AAAA and PTR, and the "
	       "DHCID or TXT by which a DHCP server recognizes its own names; "
	       "no wildcard. `nsupdate -y` takes the key's algorithm ahead of "
	       "its name, as in hmac-sha256:NAME:SECRET; without it, nsupdate "
	       "signs with HMAC-MD5, which sluice refuses.",
};

/* ---- metrics, and the whole ---- */

#define MODEL_GROUP(member, what)                                                                  \
	{                                                                                          \
		.key = #member, .type = FIELD_GROUP, AT(model, member), .group = &member##_group,  \
		.doc = what                                                                        \
	}
#define MODEL_LIST(member, item_group, what)                                                       \
	{                                                                                          \
		.key = #member, .type = FIELD_LIST, AT(model, member), .group = &item_group,       \
		.doc = what                                                                        \
	}

/* The listeners of metrics, and the limits on series. */

static const struct field metrics_fields[] = {
	{.key = "listen",
	 .type = FIELD_STRINGS,
	 AT(metrics_settings, listen),
	 .doc = "URLs where Prometheus and others read GET /metrics, without a "
		"secret: \"http://127.0.0.1:9153\". https uses "
		"management.certificate and management.key. Addresses other "
		"than loopback need allow. management.hosts has the names that "
		"clients may use for these URLs. Absent: there are no metrics, "
		"and sluice does not time answers unless there is a "
		"management.listen. A reload changes it."},
	{.key = "allow",
	 .type = FIELD_PREFIXES,
	 AT(metrics_settings, allow),
	 .doc = "The prefixes of clients that may read metrics, besides this "
		"machine. Absent: none."},
	{.key = "rules_max",
	 .type = FIELD_UINT,
	 AT(metrics_settings, rules_max),
	 .fallback = "1000",
	 .max = 100000,
	 .doc = "The most rules with series of their own. If there are more, "
		"those asked first have series, and the others count together "
		"as rule=\"other\". A series stays until the server ends, also "
		"when its rule is gone, and goes on if the rule comes back; "
		"counts of `other` stay there."},
	{.key = "targets_max",
	 .type = FIELD_UINT,
	 AT(metrics_settings, targets_max),
	 .fallback = "500",
	 .max = 100000,
	 .doc = "The same for targets."},
	{.key = "zones_max",
	 .type = FIELD_UINT,
	 AT(metrics_settings, zones_max),
	 .fallback = "1000",
	 .max = 100000,
	 .doc = "The same for private zones."},
};
static const struct group metrics_group = {
	.name = "metrics",
	FIELDS(metrics_fields),
	.size = sizeof(struct metrics_settings),
	.doc = "Counters, gauges and histograms in the OpenMetrics and Prometheus text formats; "
	       "sluice-api(7) lists them.",
};

static const struct field model_fields[] = {
	{.key = "subscription",
	 .type = FIELD_UUID,
	 AT(model, subscription),
	 .doc = "The subscription of all resources, as Azure's interfaces name "
		"it."},
	{.key = "region",
	 .type = FIELD_NAME,
	 AT(model, region),
	 .doc = "The region of all resources that name none of their own."},
	{.key = "workers",
	 .type = FIELD_UINT,
	 AT(model, workers),
	 .origin_offset = offsetof(struct model, workers_origin),
	 .fallback = "0",
	 .min = 0,
	 .max = 256,
	 .doc = "Threads that answer. 0: one per CPU. A change takes a restart."},
	{.key = "user",
	 .type = FIELD_STRING,
	 AT(model, user),
	 .origin_offset = offsetof(struct model, user_origin),
	 .min = 1,
	 .max = 255,
	 .doc = "The user, by name or number, that the program becomes when "
		"root starts it. The server keeps none of root's rights, and "
		"its master only the right to bind ports below 1024. That user must be "
		"able to read and write every file of the program. Absent: the "
		"user does not change, with a warning for root; \"root\": the "
		"same without the warning. A change takes a restart."},
	{.key = "group",
	 .type = FIELD_STRING,
	 AT(model, group),
	 .min = 1,
	 .max = 255,
	 .doc = "The group that goes with user. Absent: the user's own, with the others that the "
		"user is a member of, 64 in all at most."},
	{.key = "seccomp",
	 .type = FIELD_BOOL,
	 AT(model, seccomp),
	 .fallback = "true",
	 .doc = "Whether the program gives up the system calls that it does "
		"not need; the kernel ends it when it tries one anyway. If the "
		"kernel does not support that, the program continues with a "
		"warning. Calls that no version needs are refused either way "
		"(SECURITY.md). A change takes a restart."},
	{.key = "count_names",
	 .type = FIELD_BOOL,
	 AT(model, count_names),
	 .fallback = "true",
	 .doc = "Whether sluice counts the names that clients ask for most, in "
		"at most 4 MB of each worker, for `sluice plan` and `sluice "
		"names`; the state keeps the thousand most frequent, for a day "
		"at most. false counts none, and removes them from the state."},
	{.key = "reserved_domains",
	 .type = FIELD_DOMAINS,
	 AT(model, reserved_domains),
	 .doc = "Suffixes that a shorter rule does not capture; a rule for the suffix itself "
		"does. Azure has such a list and publishes none."},
	MODEL_GROUP(default_resolver, "The resolver for all other names."),
	MODEL_GROUP(vnet_resolver, "The resolver of the machines in the networks."),
	MODEL_LIST(virtual_networks, virtual_network_group, "The virtual networks."),
	MODEL_LIST(resolvers, resolver_group, "The private resolvers."),
	MODEL_LIST(private_zones, private_zone_group, "The zones that sluice answers."),
	MODEL_LIST(rulesets, ruleset_group, "The forwarding rulesets."),
	MODEL_LIST(network_interfaces, network_interface_group, "The machines' interfaces."),
	MODEL_LIST(private_endpoints, private_endpoint_group, "The private endpoints."),
	MODEL_GROUP(limits, "Changes to Azure's limits."),
	MODEL_GROUP(management, "Control socket and management listeners."),
	MODEL_GROUP(metrics, "The listeners of metrics."),
	MODEL_LIST(address_pools, address_pool_group, "The prefixes that you own."),
	MODEL_LIST(addresses, owned_address_group, "The addresses that you own."),
	MODEL_LIST(cloud_services, cloud_service_group, "The services that you own."),
	MODEL_GROUP(reverse, "Derived names."),
	MODEL_LIST(keys, key_group, "TSIG keys."),
	MODEL_LIST(transfers, transfer_group, "The zones that others may copy."),
	MODEL_LIST(registration, registration_group, "The zones in which machines register."),
	MODEL_GROUP(cache, "The cache."),
	MODEL_GROUP(udp, "Answers by UDP."),
	MODEL_GROUP(outbound, "Questions to targets by UDP."),
	MODEL_GROUP(tcp, "Clients' connections."),
	MODEL_GROUP(response_limit, "The most answers to one prefix."),
	MODEL_GROUP(log, "The log."),
	MODEL_GROUP(query_log, "The log of queries."),
	MODEL_GROUP(events, "Reports of events."),
	MODEL_GROUP(identity, "What the server says about itself."),
};
const struct group schema_model = {
	.name = "configuration",
	FIELDS(model_fields),
	.size = sizeof(struct model),
	.doc = "The whole configuration.",
};
