/* The rows of the field table: everything a configuration may say, from the innermost groups to the
 * whole. Each group fills the struct of model.h that its AT rows name; `doc` is what the manual
 * page prints. How values are read and printed is in schema/value.c.
 *
 *     schema/table.c      networks, resolvers, zones, rulesets, and the whole
 *     schema/settings.c   limits, management, cache, transports, log
 *     schema/addresses.c  pools, addresses, cloud services, reverse names */
#include "rules/schema/rows.h"
#include "rules/schema/schema.h"

static const char *const protocol_names[] = {"udp", "tcp", NULL};
const char *const schema_allocation_names[] = {"dynamic", "static", NULL};
static const char *const rule_state_names[] = {"Enabled", "Disabled", NULL};
static const char *const resolution_policy_names[] = {"Default", "NxDomainRedirect", NULL};
static const char *const special_names_names[] = {"answer", "forward", NULL};

#define LINK_NETWORK_FIELD(struct_type)                                                            \
	{                                                                                          \
		.key = "virtual_network", .type = FIELD_STRING, AT(struct_type, virtual_network),  \
		.required = true, .doc = "The name of the virtual network that is linked."         \
	}

static const struct field target_fields[] = {
	{.key = "address",
	 .type = FIELD_ADDRESS,
	 AT(target_server, address),
	 .required = true,
	 .doc = "The DNS server's IPv4 or IPv6 address. An inbound endpoint of this configuration "
		"is entered directly, without a packet."},
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
	 .doc = "How it is asked, whatever the client used. With udp, a truncated answer is asked "
		"for again by TCP."},
};
static const struct group target_group = {
	.name = "target",
	FIELDS(target_fields),
	.size = sizeof(struct target_server),
	.doc = "A DNS server to forward to. Targets are asked in their order; the next one is "
	       "asked when one fails or falls silent.",
};

static const struct field default_resolver_fields[] = {
	{.key = "targets",
	 .type = FIELD_LIST,
	 AT(default_resolver, targets),
	 .group = &target_group,
	 .doc = "The servers. Absent: those of the system's resolv.conf, followed when it "
		"changes."},
	{.key = "special_names",
	 .type = FIELD_ENUM,
	 AT(default_resolver, special_names),
	 .fallback = "answer",
	 .names = special_names_names,
	 .doc = "What becomes of special-use names (localhost, invalid, onion, alt, test, local, "
		"home.arpa, resolver.arpa and the zones of RFC 6303) that no zone and no rule "
		"takes: answered here, or forwarded like any other name."},
};
static const struct group schema_default_resolver = {
	.name = "default resolver",
	FIELDS(default_resolver_fields),
	.size = sizeof(struct default_resolver),
	.given_offset = offsetof(struct default_resolver, given),
	.doc = "Where everything goes that no zone and no rule decides. Absent: the servers of the "
	       "system's resolv.conf.",
};

static const struct field vnet_resolver_fields[] = {
	{.key = "listen",
	 .type = FIELD_HOSTS,
	 AT(vnet_resolver, listen),
	 .required = true,
	 .doc = "Where it listens. Azure's is 168.63.129.16:53."},
};
static const struct group schema_vnet_resolver = {
	.name = "VNet resolver",
	FIELDS(vnet_resolver_fields),
	.size = sizeof(struct vnet_resolver),
	.given_offset = offsetof(struct vnet_resolver, given),
	.doc = "The default resolver of the machines in the virtual networks. A question is "
	       "resolved in the network whose address_space or client_prefixes contain its source, "
	       "the longest prefix first; one from elsewhere is refused.",
};

static const struct field subnet_fields[] = {
	NAME_FIELD(subnet, FIELD_NAME_DOTS, "Unique in the network."),
	{.key = "prefix",
	 .type = FIELD_PREFIX,
	 AT(subnet, prefix),
	 .required = true,
	 .doc = "Within the network's address space, not overlapping another subnet; IPv4 from /2 "
		"to /29. An endpoint's subnet is IPv4 and within limits.subnet_prefix_length_min "
		"and _max."},
	{.key = "delegation",
	 .type = FIELD_STRING,
	 AT(subnet, delegation),
	 .doc = "The service the subnet is delegated to. An endpoint's subnet says "
		"Microsoft.Network/dnsResolvers, and holds one endpoint and nothing else."},
};
static const struct group subnet_group = {
	.name = "subnet",
	FIELDS(subnet_fields),
	.size = sizeof(struct subnet),
	.doc = "A part of a virtual network. Its first four addresses and its last are reserved.",
};

static const struct field virtual_network_fields[] = {
	NAME_FIELD(virtual_network, FIELD_NAME_DOTS, "Unique among the networks."),
	REGION_FIELD(virtual_network),
	{.key = "encryption",
	 .type = FIELD_BOOL,
	 AT(virtual_network, encryption),
	 .fallback = "false",
	 .doc = "Whether the network is encrypted. A resolver cannot be in such a network."},
	{.key = "address_space",
	 .type = FIELD_PREFIXES,
	 AT(virtual_network, address_space),
	 .required = true,
	 .doc = "The network's own prefixes, at least one; they do not overlap each other nor "
		"224.0.0.0/4, 255.255.255.255, 127.0.0.0/8, 169.254.0.0/16 and 168.63.129.16."},
	{.key = "dns_servers",
	 .type = FIELD_HOSTS,
	 AT(virtual_network, dns_servers),
	 .doc = "Custom DNS servers. What machines of this network ask at the VNet resolver is "
		"sent to them and nowhere else: zones and rules linked to the network are not "
		"consulted then."},
	{.key = "client_prefixes",
	 .type = FIELD_PREFIXES,
	 AT(virtual_network, client_prefixes),
	 .doc = "Further source prefixes that the VNet resolver takes for this network; any "
		"prefix, loopback included."},
	{.key = "subnets",
	 .type = FIELD_LIST,
	 AT(virtual_network, subnets),
	 .group = &subnet_group,
	 .doc = "The network's subnets."},
};
static const struct group virtual_network_group = {
	.name = "virtual network",
	FIELDS(virtual_network_fields),
	.size = sizeof(struct virtual_network),
	.doc = "A network whose machines ask questions. Zones and rulesets are linked to it.",
};

static const struct field inbound_endpoint_fields[] = {
	NAME_FIELD(inbound_endpoint, FIELD_NAME, "Unique among the resolver's inbound endpoints."),
	{.key = "subnet",
	 .type = FIELD_STRING,
	 AT(inbound_endpoint, subnet),
	 .required = true,
	 .doc = "A subnet of the resolver's network, delegated, and used by this endpoint alone."},
	{.key = "allocation",
	 .type = FIELD_ENUM,
	 AT(inbound_endpoint, allocation),
	 .fallback = "dynamic",
	 .names = schema_allocation_names,
	 .doc = "static: the address is given. dynamic: the subnet's first free one is taken, "
		"which is its fifth."},
	{.key = "address",
	 .type = FIELD_ADDRESS,
	 AT(inbound_endpoint, address),
	 .doc = "The endpoint's address, in its subnet and not a reserved one. Required where "
		"allocation is static."},
	{.key = "listen",
	 .type = FIELD_HOST,
	 AT(inbound_endpoint, listen),
	 .doc = "Where to bind, when that is not the endpoint's address at port 53."},
	{.key = "allow",
	 .type = FIELD_PREFIXES,
	 AT(inbound_endpoint, allow),
	 .doc = "Who may ask here, by prefix; everybody else is REFUSED. Absent or empty: "
		"loopback, "
		"10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7, and the address_space and "
		"client_prefixes of every network."},
};
static const struct group inbound_endpoint_group = {
	.name = "inbound endpoint",
	FIELDS(inbound_endpoint_fields),
	.size = sizeof(struct inbound_endpoint),
	.doc = "Where questions come in. They are resolved as if asked inside the resolver's "
	       "virtual network, whatever their source.",
};

static const struct field outbound_endpoint_fields[] = {
	NAME_FIELD(outbound_endpoint, FIELD_NAME,
		   "Unique among the resolver's outbound endpoints."),
	{.key = "subnet",
	 .type = FIELD_STRING,
	 AT(outbound_endpoint, subnet),
	 .required = true,
	 .doc = "A subnet of the resolver's network, delegated, and used by this endpoint alone."},
	{.key = "source",
	 .type = FIELD_ADDRESS,
	 AT(outbound_endpoint, source),
	 .doc = "The source address of forwarded questions. Absent: the first usable address of "
		"the subnet, which is its fifth. 0.0.0.0: the system's choice."},
};
static const struct group outbound_endpoint_group = {
	.name = "outbound endpoint",
	FIELDS(outbound_endpoint_fields),
	.size = sizeof(struct outbound_endpoint),
	.doc = "Where forwarded questions leave.",
};

static const struct field resolver_fields[] = {
	NAME_FIELD(dns_resolver, FIELD_NAME, "Unique among the resolvers."),
	{.key = "virtual_network",
	 .type = FIELD_STRING,
	 AT(dns_resolver, virtual_network),
	 .required = true,
	 .doc = "The network the resolver is in: of the same region, not encrypted, with no "
		"other resolver."},
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
};
static const struct group resolver_group = {
	.name = "resolver",
	FIELDS(resolver_fields),
	.size = sizeof(struct dns_resolver),
	.doc = "A private resolver: endpoints in a virtual network.",
};

static const struct field zone_link_fields[] = {
	NAME_FIELD(zone_link, FIELD_NAME_DOTS, "Unique among the zone's links."),
	LINK_NETWORK_FIELD(zone_link),
	{.key = "registration",
	 .type = FIELD_BOOL,
	 AT(zone_link, registration),
	 .fallback = "false",
	 .doc = "Whether the network's machines are registered in the zone."},
	{.key = "resolution_policy",
	 .type = FIELD_ENUM,
	 AT(zone_link, resolution_policy),
	 .fallback = "Default",
	 .names = resolution_policy_names,
	 .doc = "NxDomainRedirect: an A, AAAA or CNAME question for a name that the zone does not "
		"have is put to the default resolver instead. Only for zones named "
		"privatelink.*."},
};
static const struct group zone_link_group = {
	.name = "zone link",
	FIELDS(zone_link_fields),
	.size = sizeof(struct zone_link),
	.doc = "Makes a zone visible in a virtual network.",
};

static const struct field private_zone_fields[] = {
	{.key = "name",
	 .type = FIELD_DOMAIN,
	 AT(private_zone, name),
	 .required = true,
	 .doc = "The zone's name, of 2 (limits.zone_labels_min) to 34 labels, without a final dot. "
		"Azure's own zones (azure.com, windows.net and their like) are refused, their "
		"subzones are not."},
	{.key = "file",
	 .type = FIELD_PATH,
	 AT(private_zone, file),
	 .required = true,
	 .doc = "Its master file (RFC 1035). $ORIGIN starts as the zone's name; a SOA is made "
		"where there is none."},
	{.key = "links",
	 .type = FIELD_LIST,
	 AT(private_zone, links),
	 .group = &zone_link_group,
	 .doc = "The networks that see the zone, each once."},
};
static const struct group private_zone_group = {
	.name = "private zone",
	FIELDS(private_zone_fields),
	.size = sizeof(struct private_zone),
	.doc = "A zone that is answered here, with authority, in the networks it is linked to. The "
	       "longest linked zone decides before every rule.",
};

static const struct field ruleset_link_fields[] = {
	NAME_FIELD(ruleset_link, FIELD_NAME, "Unique among the ruleset's links."),
	LINK_NETWORK_FIELD(ruleset_link),
};
static const struct group ruleset_link_group = {
	.name = "ruleset link",
	FIELDS(ruleset_link_fields),
	.size = sizeof(struct ruleset_link),
	.doc = "Makes a ruleset hold in a virtual network of its region.",
};

static const struct field rule_fields[] = {
	NAME_FIELD(forwarding_rule, FIELD_NAME,
		   "Unique in the ruleset; begins with a letter, as in Azure."),
	{.key = "domain",
	 .type = FIELD_DOMAIN,
	 AT(forwarding_rule, domain),
	 .required = true,
	 .example = "contoso.corp.",
	 .doc = "The suffix that the rule takes, with a final dot; at most 34 labels, or \".\" for "
		"everything. Unique in the ruleset."},
	{.key = "state",
	 .type = FIELD_ENUM,
	 AT(forwarding_rule, state),
	 .fallback = "Enabled",
	 .names = rule_state_names,
	 .doc = "A disabled rule is passed over, and the next shorter one holds."},
	{.key = "follow_cname",
	 .type = FIELD_BOOL,
	 AT(forwarding_rule, follow_cname),
	 .fallback = "false",
	 .doc = "Whether a CNAME in a target's answer is decided anew by zones and rules. "
		"Otherwise the target's answer is final, as in Azure."},
	{.key = "targets",
	 .type = FIELD_LIST,
	 AT(forwarding_rule, targets),
	 .required = true,
	 .group = &target_group,
	 .doc = "The servers to ask, in this order; at least one."},
};
static const struct group rule_group = {
	.name = "rule",
	FIELDS(rule_fields),
	.size = sizeof(struct forwarding_rule),
	.doc = "Forwards a domain and all below it. The longest enabled rule of the rulesets "
	       "linked to the network decides.",
};

static const struct field ruleset_fields[] = {
	NAME_FIELD(forwarding_ruleset, FIELD_NAME, "Unique among the rulesets."),
	REGION_FIELD(forwarding_ruleset),
	{.key = "outbound_endpoints",
	 .type = FIELD_STRINGS,
	 AT(forwarding_ruleset, outbound_endpoints),
	 .required = true,
	 .doc = "Through which endpoints to ask, each as RESOLVER/ENDPOINT, in this order; at "
		"least one, of the ruleset's region."},
	{.key = "links",
	 .type = FIELD_LIST,
	 AT(forwarding_ruleset, links),
	 .group = &ruleset_link_group,
	 .doc = "The networks in which the rules hold, each once."},
	{.key = "rules",
	 .type = FIELD_LIST,
	 AT(forwarding_ruleset, rules),
	 .group = &rule_group,
	 .doc = "The rules; their order does not matter."},
};
static const struct group ruleset_group = {
	.name = "ruleset",
	FIELDS(ruleset_fields),
	.size = sizeof(struct forwarding_ruleset),
	.doc = "Forwarding rules, the endpoints they leave by, and the networks they hold in.",
};

#define MODEL_GROUP(member, what)                                                                  \
	{                                                                                          \
		.key = #member, .type = FIELD_GROUP, AT(model, member), .group = &schema_##member, \
		.doc = what                                                                        \
	}
#define MODEL_LIST(member, item_group, what)                                                       \
	{                                                                                          \
		.key = #member, .type = FIELD_LIST, AT(model, member), .group = &item_group,       \
		.doc = what                                                                        \
	}

static const struct field model_fields[] = {
	{.key = "subscription",
	 .type = FIELD_UUID,
	 AT(model, subscription),
	 .doc = "The subscription that everything belongs to, as Azure's interfaces name it."},
	{.key = "region",
	 .type = FIELD_NAME,
	 AT(model, region),
	 .doc = "Where everything is that names no region of its own."},
	{.key = "workers",
	 .type = FIELD_UINT,
	 AT(model, workers),
	 .fallback = "0",
	 .min = 0,
	 .max = 256,
	 .doc = "Threads that answer. 0: one per CPU. A change takes a restart."},
	{.key = "user",
	 .type = FIELD_STRING,
	 AT(model, user),
	 .min = 1,
	 .max = 255,
	 .doc = "The user, by name or number, that the program becomes when root starts it; of "
		"root's "
		"rights the server keeps none, and its master that of binding port 53. Everything "
		"that it reads and writes has to be that user's to read and write. Absent: it "
		"stays who it is, and root is "
		"warned of that; \"root\": root, and no warning. A change takes a restart."},
	{.key = "group",
	 .type = FIELD_STRING,
	 AT(model, group),
	 .min = 1,
	 .max = 255,
	 .doc = "The group to go with user. Absent: the user's own, with the others that the "
		"system "
		"lists the user in."},
	{.key = "seccomp",
	 .type = FIELD_BOOL,
	 AT(model, seccomp),
	 .fallback = "true",
	 .doc = "Whether the program gives up the system calls that it has no use for: the kernel "
		"ends it when it tries one all the same. Where the kernel cannot do that, it goes "
		"on with a warning. A change takes a restart."},
	{.key = "reserved_domains",
	 .type = FIELD_DOMAINS,
	 AT(model, reserved_domains),
	 .doc = "Suffixes that a shorter rule does not capture; a rule for the suffix itself "
		"does. Azure has such a list and publishes none."},
	MODEL_GROUP(default_resolver, "Where everything else goes."),
	MODEL_GROUP(vnet_resolver, "The resolver of the machines in the networks."),
	MODEL_LIST(virtual_networks, virtual_network_group, "The virtual networks."),
	MODEL_LIST(resolvers, resolver_group, "The private resolvers."),
	MODEL_LIST(private_zones, private_zone_group, "The zones answered here."),
	MODEL_LIST(rulesets, ruleset_group, "The forwarding rulesets."),
	MODEL_GROUP(limits, "Azure's limits, changed."),
	MODEL_GROUP(management, "Control socket and management listeners."),
	MODEL_LIST(address_pools, schema_address_pool, "The prefixes you own."),
	MODEL_LIST(addresses, schema_owned_address, "The addresses you own."),
	MODEL_LIST(cloud_services, schema_cloud_service, "The services you own."),
	MODEL_GROUP(reverse, "Derived names."),
	MODEL_LIST(keys, schema_key, "TSIG keys."),
	MODEL_LIST(transfers, schema_transfer, "The zones that others may copy."),
	MODEL_GROUP(cache, "The cache."),
	MODEL_GROUP(udp, "Answers by UDP."),
	MODEL_GROUP(outbound, "Questions to targets by UDP."),
	MODEL_GROUP(tcp, "Clients' connections."),
	MODEL_GROUP(response_limit, "How many answers one prefix gets."),
	MODEL_GROUP(log, "The log."),
	MODEL_GROUP(identity, "What the server tells of itself."),
};
const struct group schema_model = {
	.name = "configuration",
	FIELDS(model_fields),
	.size = sizeof(struct model),
	.doc = "The whole configuration.",
};
