/* Rows of the field table (schema_table.c has the map): addresses that are owned, and their names.
 */
#include "rules/schema_rows.h"

static const struct field address_pool_fields[] = {
	NAME_FIELD(address_pool, FIELD_NAME_DOTS, "Unique among the pools."),
	{.key = "region",
	 .type = FIELD_NAME,
	 AT(address_pool, region),
	 .doc = "Where its addresses are used. Absent: in every region."},
	{.key = "prefix",
	 .type = FIELD_PREFIX,
	 AT(address_pool, prefix),
	 .required = true,
	 .doc = "The prefix; pools do not overlap."},
	{.key = "zone",
	 .type = FIELD_DOMAIN,
	 AT(address_pool, zone),
	 .doc = "The name of its reverse zone, for an IPv4 prefix longer than /24 (RFC 2317): one "
		"label below the octet's zone, as your provider delegates it, such as "
		"64/26.100.51.198.in-addr.arpa. Absent: by its first and last address, "
		"64-127.100.51.198.in-addr.arpa."},
};
const struct group schema_address_pool = {
	.name = "address pool",
	FIELDS(address_pool_fields),
	.size = sizeof(struct address_pool),
	.doc = "A prefix you own. Its reverse names are answered here with authority.",
};

static const struct field owned_address_fields[] = {
	NAME_FIELD(owned_address, FIELD_NAME_DOTS, "Unique in its resource group."),
	{.key = "resource_group",
	 .type = FIELD_STRING,
	 AT(owned_address, resource_group),
	 .min = 1,
	 .max = 90,
	 .doc = "The resource group it is in."},
	{.key = "id",
	 .type = FIELD_UUID,
	 AT(owned_address, id),
	 .doc = "Its identity. Absent: derived from the name."},
	REGION_FIELD(owned_address),
	{.key = "address",
	 .type = FIELD_ADDRESS,
	 AT(owned_address, address),
	 .required = true,
	 .doc = "In a pool of its region, or private and in a virtual network's address space; "
		"each address once."},
	{.key = "allocation",
	 .type = FIELD_ENUM,
	 AT(owned_address, allocation),
	 .fallback = "dynamic",
	 .names = schema_allocation_names,
	 .doc = "Whether it stays. Only a static address proves that a reverse name is owned."},
	{.key = "domain_name_label",
	 .type = FIELD_STRING,
	 AT(owned_address, domain_name_label),
	 .doc = "Gives it the forward name LABEL.REGION.SUFFIX (see reverse.suffix): 3 to 63 of "
		"a-z, 0-9 and '-', beginning with a letter and not ending in '-'; unique in its "
		"region."},
	{.key = "reverse_fqdn",
	 .type = FIELD_DOMAIN,
	 AT(owned_address, reverse_fqdn),
	 .doc = "The name that its PTR gives."},
	{.key = "description",
	 .type = FIELD_STRING,
	 AT(owned_address, description),
	 .min = 0,
	 .max = 160,
	 .doc = "For people."},
	{.key = "ttl",
	 .type = FIELD_UINT,
	 AT(owned_address, ttl),
	 .fallback = "0",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "Of its PTR. 0: reverse.ttl."},
};
const struct group schema_owned_address = {
	.name = "address",
	FIELDS(owned_address_fields),
	.size = sizeof(struct owned_address),
	.doc = "An address you own, with its forward and reverse name.",
};

static const struct field cloud_service_fields[] = {
	{.key = "name",
	 .type = FIELD_STRING,
	 AT(cloud_service, name),
	 .required = true,
	 .doc = "Gives it the forward name NAME.SUFFIX (see reverse.service_suffix): 1 to 63 "
		"letters, digits and '-', with a letter or digit at both ends; unique among the "
		"services."},
	{.key = "description",
	 .type = FIELD_STRING,
	 AT(cloud_service, description),
	 .min = 0,
	 .max = 160,
	 .doc = "For people."},
	{.key = "address",
	 .type = FIELD_ADDRESS,
	 AT(cloud_service, address),
	 .required = true,
	 .doc = "As an address's: in a pool, or private and in a virtual network."},
	{.key = "reverse_fqdn",
	 .type = FIELD_DOMAIN,
	 AT(cloud_service, reverse_fqdn),
	 .doc = "The name that its PTR gives."},
};
const struct group schema_cloud_service = {
	.name = "cloud service",
	FIELDS(cloud_service_fields),
	.size = sizeof(struct cloud_service),
	.doc = "A service with an address of its own, with its forward and reverse name.",
};

static const struct field reverse_fields[] = {
	{.key = "suffix",
	 .type = FIELD_DOMAIN,
	 AT(reverse_settings, suffix),
	 .fallback = "cloudapp.azure.com",
	 .doc = "Addresses are named LABEL.REGION.SUFFIX."},
	{.key = "service_suffix",
	 .type = FIELD_DOMAIN,
	 AT(reverse_settings, service_suffix),
	 .fallback = "cloudapp.net",
	 .doc = "Cloud services are named NAME.SUFFIX."},
	{.key = "ttl",
	 .type = FIELD_UINT,
	 AT(reverse_settings, ttl),
	 .fallback = "3600",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "Of derived records, where nothing else is said."},
	{.key = "ipv6",
	 .type = FIELD_BOOL,
	 AT(reverse_settings, ipv6),
	 .fallback = "false",
	 .doc = "Whether reverse names of IPv6 addresses may be set through the management "
		"interface, which Azure does not allow."},
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
	 .doc = "The virtual network whose view counts when the ownership of a reverse name is "
		"checked. Absent: none's, neither zones nor rules."},
};
const struct group schema_reverse = {
	.name = "reverse",
	FIELDS(reverse_fields),
	.size = sizeof(struct reverse_settings),
	.doc = "Names of addresses and the zones derived from the pools.",
};
