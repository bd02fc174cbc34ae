/* Pools, addresses, cloud services, reverse names, and single settings. */
#include "tests/limits_case.h"

#define POOL(name, prefix, rest) "{ name = \"" name "\"; prefix = \"" prefix "\"; " rest "}"
#define POOLS(...)               "region = \"east\"; address_pools = (" __VA_ARGS__ ");\n"
#define PUBLIC                   POOLS(POOL("public", "198.51.100.0/24", ""))
#define IP(name, address, rest)  "{ name = \"" name "\"; address = \"" address "\"; " rest "}"
#define ADDRESSES(...)           "addresses = (" __VA_ARGS__ ");\n"
#define SERVICES(...)            "cloud_services = (" __VA_ARGS__ ");\n"
#define LABEL(label)                                                                               \
	PUBLIC ADDRESSES(IP("a", "198.51.100.1", "domain_name_label = \"" label "\"; "))
#define SIXTY  "abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrst-0"
#define ID(id) "id = \"" id "\"; "
#define ID_1   ID("6f8b4ce6-1111-4d2e-9c55-0242ac120002")
#define ID_2   ID("6F8B4CE6-1111-4D2E-9C55-0242AC120002")

static const struct limits_case cases[] = {
	{"an_address_in_a_pool_is_fine", PUBLIC ADDRESSES(IP("a", "198.51.100.1", "")), 0, 0, 0},
	{"an_address_outside_every_pool_is_refused", PUBLIC ADDRESSES(IP("a", "198.51.101.0", "")),
	 2, "addresses[a].address", "no address pool of its region, east"},
	{"a_pools_last_address_is_in_it", PUBLIC ADDRESSES(IP("a", "198.51.100.255", "")), 0, 0, 0},
	{"a_pool_of_another_region_does_not_count",
	 POOLS(POOL("p", "198.51.100.0/24", "region = \"west\"; "))
		 ADDRESSES(IP("a", "198.51.100.1", "")),
	 2, "addresses[a].address", "no address pool of its region, east"},
	{"an_addresss_own_region_counts",
	 POOLS(POOL("p", "198.51.100.0/24", "region = \"west\"; "))
		 ADDRESSES(IP("a", "198.51.100.1", "region = \"West\"; ")),
	 0, 0, 0},
	{"a_private_address_in_a_network_is_fine", BASE ADDRESSES(IP("a", "10.10.1.1", "")), 0, 0,
	 0},
	{"a_private_address_outside_every_network_is_refused",
	 BASE ADDRESSES(IP("a", "10.11.0.0", "")), 4, "addresses[a].address", "nor private and in"},
	{"a_public_address_in_a_network_is_not_enough",
	 "virtual_networks = (" NETWORK("n", "8.8.8.0/24",
					"") ");\n" ADDRESSES(IP("a", "8.8.8.8", "")),
	 2, "addresses[a].address", "nor private and in"},
	{"an_ipv6_address_in_a_pool_is_fine",
	 POOLS(POOL("p", "2001:db8::/32", ""))
		 ADDRESSES(IP("a", "2001:db8::1", "reverse_fqdn = \"a.test.\"; ")),
	 0, 0, 0},
	{"nothing_else_is_in_an_endpoints_subnet", BASE ADDRESSES(IP("a", "10.10.0.15", "")), 4,
	 "addresses[a].address", "in the subnet of the endpoint at"},
	{"behind_an_endpoints_subnet_is_fine", BASE ADDRESSES(IP("a", "10.10.0.32", "")), 0, 0, 0},

	{"pools_do_not_overlap",
	 POOLS(POOL("p", "198.51.100.0/24", "") ",\n" POOL("q", "198.51.100.128/25", "")), 2,
	 "address_pools[q].prefix", "overlaps 198.51.100.0/24 (address pool \"p\")"},
	{"pools_side_by_side_are_fine",
	 POOLS(POOL("p", "198.51.100.0/25", "") "," POOL("q", "198.51.100.128/25", "")), 0, 0, 0},
	{"pool_names_are_unique",
	 POOLS(POOL("p", "198.51.100.0/24", "") ",\n" POOL("P", "203.0.113.0/24", "")), 2,
	 "address_pools[P].name", "is the name of the address pool at"},

	{"an_address_is_given_once",
	 PUBLIC ADDRESSES(IP("a", "198.51.100.1", "") ",\n" IP("b", "198.51.100.1", "")), 3,
	 "addresses[b].address", "given at"},
	{"a_service_does_not_share_an_address",
	 PUBLIC ADDRESSES(IP("a", "198.51.100.1", "")) SERVICES(IP("s", "198.51.100.1", "")), 3,
	 "cloud_services[s].address", "given at"},
	{"address_names_are_unique_in_a_group",
	 PUBLIC ADDRESSES(IP("a", "198.51.100.1", "") ",\n" IP("A", "198.51.100.2", "")), 3,
	 "addresses[A].name", "in this resource group already"},
	{"address_names_may_be_equal_in_two_groups",
	 PUBLIC ADDRESSES(IP("a", "198.51.100.1", "") ",\n" IP("a", "198.51.100.2",
							       "resource_group = \"g\"; ")),
	 0, 0, 0},
	{"ids_are_unique_without_case",
	 PUBLIC ADDRESSES(IP("a", "198.51.100.1", ID_1) ",\n" IP("b", "198.51.100.2", ID_2)), 3,
	 "addresses[b].id", "is the id of the address at"},

	{"a_label_of_3_is_fine", LABEL("abc"), 0, 0, 0},
	{"a_label_of_2_is_too_short", LABEL("ab"), 2, "addresses[a].domain_name_label",
	 "3 to 63 of a-z"},
	{"a_label_of_63_is_fine", LABEL(SIXTY "abc"), 0, 0, 0},
	{"a_label_of_64_is_too_long", LABEL(SIXTY "abcd"), 2, "addresses[a].domain_name_label",
	 "3 to 63 of a-z"},
	{"a_label_begins_with_a_letter", LABEL("1abc"), 2, "addresses[a].domain_name_label",
	 "3 to 63 of a-z"},
	{"a_label_does_not_end_in_a_hyphen", LABEL("abc-"), 2, "addresses[a].domain_name_label",
	 "3 to 63 of a-z"},
	{"a_label_is_in_lower_case", LABEL("Abc"), 2, "addresses[a].domain_name_label",
	 "3 to 63 of a-z"},
	{"a_label_has_no_dots", LABEL("a.bc"), 2, "addresses[a].domain_name_label",
	 "3 to 63 of a-z"},
	{"a_label_is_taken_once_in_a_region",
	 PUBLIC ADDRESSES(IP("a", "198.51.100.1", "domain_name_label = \"abc\"; ") ",\n" IP(
		 "b", "198.51.100.2", "domain_name_label = \"abc\"; ")),
	 3, "addresses[b].domain_name_label", "taken in this region"},
	{"a_label_may_be_taken_again_in_another_region",
	 PUBLIC ADDRESSES(IP("a", "198.51.100.1", "domain_name_label = \"abc\"; ") ",\n" IP(
		 "b", "198.51.100.2", "region = \"west\"; domain_name_label = \"abc\"; ")),
	 0, 0, 0},
	{"a_reverse_name_has_a_dot_or_none",
	 PUBLIC ADDRESSES(IP("a", "198.51.100.1", "reverse_fqdn = \"a.test.\"; ") "," IP(
		 "b", "198.51.100.2", "reverse_fqdn = \"b.test\"; ")),
	 0, 0, 0},
	{"a_reverse_name_is_not_a_wildcard",
	 PUBLIC ADDRESSES(IP("a", "198.51.100.1", "reverse_fqdn = \"*.test.\"; ")), 2,
	 "addresses[a].reverse_fqdn", "not a host's name"},
	{"a_reverse_name_is_not_the_root",
	 PUBLIC ADDRESSES(IP("a", "198.51.100.1", "reverse_fqdn = \".\"; ")), 2,
	 "addresses[a].reverse_fqdn", "not a host's name"},
	{"a_services_reverse_name_is_checked_too",
	 PUBLIC SERVICES(IP("s", "198.51.100.1", "reverse_fqdn = \"*.test.\"; ")), 2,
	 "cloud_services[s].reverse_fqdn", "not a host's name"},
	{"service_names_are_unique",
	 PUBLIC SERVICES(IP("s", "198.51.100.1", "") ",\n" IP("S", "198.51.100.2", "")), 3,
	 "cloud_services[S].name", "is the name of the cloud service at"},
	{"a_services_name_is_a_label", PUBLIC SERVICES(IP("a.b", "198.51.100.1", "")), 2,
	 "cloud_services[a.b].name", "letters, digits and '-'"},
	{"a_services_name_of_1_is_fine", PUBLIC SERVICES(IP("s", "198.51.100.1", "")), 0, 0, 0},
	{"a_services_name_of_63_is_fine", PUBLIC SERVICES(IP(SIXTY "ABC", "198.51.100.1", "")), 0,
	 0, 0},
	{"a_services_name_of_64_is_too_long", PUBLIC SERVICES(IP(SIXTY "ABCD", "198.51.100.1", "")),
	 2, "cloud_services[" SIXTY "ABCD].name", "1 to 63 letters"},
	{"a_services_name_does_not_begin_with_a_hyphen",
	 PUBLIC SERVICES(IP("-s", "198.51.100.1", "")), 2, "cloud_services[-s].name",
	 "letters, digits and '-'"},
	{"a_services_name_does_not_end_in_a_hyphen", PUBLIC SERVICES(IP("s-", "198.51.100.1", "")),
	 2, "cloud_services[s-].name", "letters, digits and '-'"},
	{"a_services_address_is_in_a_pool", PUBLIC SERVICES(IP("s", "198.51.101.1", "")), 2,
	 "cloud_services[s].address", "in no address pool"},
	{"ownership_is_resolved_in_a_network", BASE "reverse = { resolve_in = \"HUB\"; };", 0, 0,
	 0},
	{"ownership_is_not_resolved_nowhere", BASE "reverse = { resolve_in = \"none\"; };", 4,
	 "reverse.resolve_in", "no virtual network \"none\""},
	{"name_servers_are_domain_names", "reverse = { name_servers = [\"ns.test\", \"a..b\"]; };",
	 1, "reverse.name_servers[1]", "give a domain name"},

	{"the_least_ttl_may_equal_the_greatest", "cache = { ttl_min = 60; ttl_max = 60; };", 0, 0,
	 0},
	{"the_least_ttl_is_not_above_the_greatest", "cache = { ttl_min = 61; ttl_max = 60; };", 1,
	 "cache.ttl_min", "more than ttl_max"},
	{"prefix_lengths_are_in_order",
	 "limits = { subnet_prefix_length_min = 28; subnet_prefix_length_max = 27; };", 1,
	 "limits.subnet_prefix_length_min", "more than subnet_prefix_length_max"},
	{"reserved_domains_are_domain_names", "reserved_domains = [ \"test\",\n\"a..b\" ];", 2,
	 "reserved_domains[1]", "give a domain name"},
	{"management_listens_by_http_on_loopback",
	 "management = { listen = [ \"http://192.0.2.1:80\" ]; };", 1, "management.listen[0]",
	 "in the clear"},
	{"management_listens_by_https_with_a_certificate",
	 "management = { listen = [ \"https://127.0.0.1:443\" ]; key = \"k\"; };", 1,
	 "management.listen[0]", "needs management.certificate"},
	{"management_listens_at_a_port", "management = { listen = [ \"http://127.0.0.1\" ]; };", 1,
	 "management.listen[0]", "http://ADDRESS:PORT"},
	{"management_listens_at_nothing_else",
	 "management = { listen = [ \"ftp://127.0.0.1:21\" ]; };", 1, "management.listen[0]",
	 "http://ADDRESS:PORT"},
	{"clients_have_an_id_of_their_own",
	 "management = { clients = ({ id = \"a\"; secret_file = \"s\"; },\n{ id = \"a\"; "
	 "secret_file = \"s\"; }); };",
	 2, "management.clients[a].id", "already"},
};

int main(void)
{
	return limits_cases_run("limits of addresses", cases, sizeof cases / sizeof cases[0]);
}
