/* Networks, subnets, resolvers, endpoints and listeners: each restriction one over and at it. */
#include "tests/lib/limits_case.h"

#define NETWORKS(...)       "virtual_networks = (" __VA_ARGS__ ");\n"
#define SPACES(...)         NETWORKS("{ name = \"n\"; address_space = [" __VA_ARGS__ "]; }")
#define PLAIN(name, prefix) "{ name = \"" name "\"; prefix = \"" prefix "\"; }"
#define SUBNETS(...)                                                                               \
	NETWORKS("{ name = \"n\"; address_space = [\"10.0.0.0/8\", \"fd00::/8\"];\nsubnets = "     \
		 "(" __VA_ARGS__ "); }")
#define RESOLVERS(...) "resolvers = (" __VA_ARGS__ ");\n"
#define WITH(prefix, rest)                                                                         \
	NETWORKS(NETWORK("hub", "10.0.0.0/8", SUBNET("in", prefix)))                               \
	RESOLVERS(RESOLVER("r", "hub", INBOUND(rest)))
#define TWO(first, second)                                                                         \
	NETWORKS(HUB ",\n" SPOKE)                                                                  \
	RESOLVERS(RESOLVER("a", "hub", INBOUND(first)) ",\n" RESOLVER("b", "spoke",                \
								      INBOUND(second)))
#define SERVERS(...)                                                                               \
	NETWORKS("{ name = \"n\"; address_space = [\"10.0.0.0/8\"]; dns_servers = [" __VA_ARGS__   \
		 "]; }")
#define VNET "vnet_resolver = { listen = [ \"127.0.0.3:53\" ]; };\n"

static const struct limits_case cases[] = {
	{"the_usual_network_and_resolver_are_fine", BASE, 0, 0, 0},

	{"network_names_are_unique", NETWORKS(HUB ",\n" HUB), 2, "virtual_networks[hub].name",
	 "is already the name of the virtual network at"},
	{"network_names_are_compared_without_case",
	 NETWORKS(NETWORK("hub", "10.0.0.0/8", "") ",\n" NETWORK("HUB", "11.0.0.0/8", "")), 2,
	 "virtual_networks[HUB].name", "already"},
	{"peerings_of_one_network_have_names_of_their_own",
	 NETWORKS("{ name = \"n\"; peerings = ({ name = \"a.b\"; },\n{ name = \"A.B\"; }); }"), 2,
	 "virtual_networks[n].peerings[A.B].name", "is already the name of the peering at"},
	{"peerings_of_two_networks_may_have_one_name",
	 NETWORKS("{ name = \"n\"; peerings = ({ name = \"a\"; }); },"
		  "{ name = \"m\"; peerings = ({ name = \"a\"; }); }"),
	 0, 0, 0},
	{"a_network_may_have_no_address_space", SPACES(""), 0, 0, 0},
	{"spaces_of_one_network_do_not_overlap", SPACES("\"10.0.0.0/8\", \"10.1.0.0/16\""), 1,
	 "virtual_networks[n].address_space[1]", "overlaps 10.0.0.0/8"},
	{"an_overlap_is_found_behind_a_smaller_neighbour",
	 SPACES("\"10.0.0.0/8\", \"10.1.0.0/16\", \"11.0.0.0/8\""), 1,
	 "virtual_networks[n].address_space[1]", "overlaps 10.0.0.0/8"},
	{"spaces_side_by_side_are_fine", SPACES("\"10.0.0.0/9\", \"10.128.0.0/9\""), 0, 0, 0},
	{"two_networks_may_have_one_space",
	 NETWORKS(NETWORK("a", "10.0.0.0/8", "") "," NETWORK("b", "10.0.0.0/8", "")), 0, 0, 0},
	{"multicast_is_no_address_space", SPACES("\"224.0.0.0/4\""), 1,
	 "virtual_networks[n].address_space[0]", "224.0.0.0/4"},
	{"a_part_of_multicast_is_none_either", SPACES("\"239.255.0.0/16\""), 1,
	 "virtual_networks[n].address_space[0]", "224.0.0.0/4"},
	{"what_lies_before_multicast_is_fine", SPACES("\"223.0.0.0/8\""), 0, 0, 0},
	{"broadcast_is_no_address_space", SPACES("\"255.255.255.255/32\""), 1,
	 "virtual_networks[n].address_space[0]", "255.255.255.255"},
	{"what_lies_before_broadcast_is_fine", SPACES("\"255.255.255.254/32\""), 0, 0, 0},
	{"loopback_is_no_address_space", SPACES("\"127.0.0.0/8\""), 1,
	 "virtual_networks[n].address_space[0]", "127.0.0.0/8"},
	{"around_loopback_is_fine", SPACES("\"126.0.0.0/8\", \"128.0.0.0/8\""), 0, 0, 0},
	{"link_local_is_no_address_space", SPACES("\"169.254.1.0/24\""), 1,
	 "virtual_networks[n].address_space[0]", "169.254.0.0/16"},
	{"around_link_local_is_fine", SPACES("\"169.253.0.0/16\", \"169.255.0.0/16\""), 0, 0, 0},
	{"the_wire_servers_address_is_no_address_space", SPACES("\"168.63.129.0/24\""), 1,
	 "virtual_networks[n].address_space[0]", "168.63.129.16/32"},
	{"around_the_wire_server_is_fine", SPACES("\"168.63.129.0/28\", \"168.63.129.17/32\""), 0,
	 0, 0},

	{"subnet_names_are_unique",
	 SUBNETS(PLAIN("s", "10.0.0.0/24") ",\n" PLAIN("S", "10.0.1.0/24")), 3,
	 "virtual_networks[n].subnets[S].name", "is already the name of the subnet at"},
	{"a_subnet_lies_in_the_address_space", SUBNETS(PLAIN("s", "11.0.0.0/24")), 2,
	 "virtual_networks[n].subnets[s].prefix", "outside the network's address space"},
	{"a_subnet_may_be_the_whole_space", SUBNETS(PLAIN("s", "10.0.0.0/8")), 0, 0, 0},
	{"a_subnet_is_not_larger_than_the_space",
	 NETWORKS("{ name = \"n\"; address_space = [\"10.0.0.0/16\"]; subnets = (" PLAIN(
		 "s", "10.0.0.0/15") "); }"),
	 1, "virtual_networks[n].subnets[s].prefix", "outside"},
	{"subnets_do_not_overlap",
	 SUBNETS(PLAIN("s", "10.0.0.0/24") ",\n" PLAIN("t", "10.0.0.128/25")), 3,
	 "virtual_networks[n].subnets[t].prefix", "overlaps 10.0.0.0/24 (subnet \"s\")"},
	{"the_later_of_two_overlapping_subnets_is_named",
	 SUBNETS(PLAIN("s", "10.0.0.128/25") ",\n" PLAIN("t", "10.0.0.0/24")), 3,
	 "virtual_networks[n].subnets[t].prefix", "overlaps 10.0.0.128/25 (subnet \"s\")"},
	{"a_subnet_of_29_bits_is_the_smallest", SUBNETS(PLAIN("s", "10.0.0.0/29")), 0, 0, 0},
	{"a_subnet_of_30_bits_is_too_small", SUBNETS(PLAIN("s", "10.0.0.0/30")), 2,
	 "virtual_networks[n].subnets[s].prefix", "/2 to /29"},
	{"a_subnet_of_2_bits_is_the_largest",
	 NETWORKS("{ name = \"n\"; address_space = [\"64.0.0.0/2\"]; subnets = (" PLAIN(
		 "s", "64.0.0.0/2") "); }"),
	 1, "virtual_networks[n].address_space[0]", "127.0.0.0/8"},
	{"an_ipv6_subnet_without_endpoint_is_fine", SUBNETS(PLAIN("s", "fd00::/64")), 0, 0, 0},

	{"custom_servers_are_not_unspecified", SERVERS("\"0.0.0.0\""), 1,
	 "virtual_networks[n].dns_servers[0]", "not the address of a server"},
	{"custom_servers_are_not_multicast", SERVERS("\"10.0.0.4\", \"224.0.0.1\""), 1,
	 "virtual_networks[n].dns_servers[1]", "multicast"},
	{"custom_servers_are_there_once", SERVERS("\"10.0.0.4\", \"10.0.0.4:53\""), 1,
	 "virtual_networks[n].dns_servers[1]", "twice"},
	{"custom_servers_may_differ_in_port", SERVERS("\"10.0.0.4\", \"10.0.0.4:54\""), 0, 0, 0},
	{"a_custom_server_is_not_the_vnet_resolver", VNET SERVERS("\"127.0.0.3\""), 2,
	 "virtual_networks[n].dns_servers[0]", "vnet_resolver.listen"},

	{"a_resolver_names_a_network", RESOLVERS(RESOLVER("r", "nowhere", "")), 1,
	 "resolvers[r].virtual_network", "no virtual network \"nowhere\""},
	{"a_resolver_without_endpoints_is_fine", NETWORKS(HUB) RESOLVERS(RESOLVER("r", "HUB", "")),
	 0, 0, 0},
	{"resolver_names_are_unique",
	 NETWORKS(HUB ",\n" SPOKE)
		 RESOLVERS(RESOLVER("r", "hub", "") ",\n" RESOLVER("R", "spoke", "")),
	 4, "resolvers[R].name", "is already the name of the resolver at"},
	{"a_network_has_one_resolver",
	 NETWORKS(HUB) RESOLVERS(RESOLVER("a", "hub", "") ",\n" RESOLVER("b", "hub", "")), 3,
	 "resolvers[b].virtual_network", "limits.resolvers_per_virtual_network"},
	{"resolver_and_network_are_in_one_region",
	 "region = \"east\";\n" NETWORKS(HUB)
		 RESOLVERS(RESOLVER("r", "hub", "region = \"west\"; ")),
	 3, "resolvers[r].region", "in west and virtual network \"hub\" in east"},
	{"regions_are_compared_without_case",
	 "region = \"east\";\n" NETWORKS(HUB)
		 RESOLVERS(RESOLVER("r", "hub", "region = \"East\"; ")),
	 0, 0, 0},
	{"a_resolver_is_not_in_an_encrypted_network",
	 NETWORKS("{ name = \"hub\"; address_space = [\"10.0.0.0/8\"]; encryption = true; }")
		 RESOLVERS(RESOLVER("r", "hub", "")),
	 2, "resolvers[r].virtual_network", "is encrypted"},
	{"an_encrypted_network_without_resolver_is_fine",
	 NETWORKS("{ name = \"hub\"; address_space = [\"10.0.0.0/8\"]; encryption = true; }"), 0, 0,
	 0},

	{"an_endpoint_names_a_subnet_of_the_resolvers_network",
	 NETWORKS(NETWORK("hub", "10.0.0.0/8", "")) RESOLVERS(RESOLVER("r", "hub", INBOUND(""))), 2,
	 "resolvers[r].inbound_endpoints[in].subnet", "no subnet \"in\" in virtual network"},
	{"an_endpoints_subnet_of_28_bits_is_the_smallest", WITH("10.0.0.0/28", ""), 0, 0, 0},
	{"an_endpoints_subnet_of_29_bits_is_too_small", WITH("10.0.0.0/29", ""), 2,
	 "resolvers[r].inbound_endpoints[in].subnet", "too small"},
	{"an_endpoints_subnet_of_24_bits_is_the_largest", WITH("10.0.0.0/24", ""), 0, 0, 0},
	{"an_endpoints_subnet_of_23_bits_is_too_large", WITH("10.0.0.0/23", ""), 2,
	 "resolvers[r].inbound_endpoints[in].subnet", "too large"},
	{"the_smallest_subnet_can_be_changed",
	 "limits = { subnet_prefix_length_max = 29; };\n" WITH("10.0.0.0/29", ""), 0, 0, 0},
	{"the_largest_subnet_can_be_changed",
	 "limits = { subnet_prefix_length_min = 23; };\n" WITH("10.0.0.0/23", ""), 0, 0, 0},
	{"the_changed_largest_subnet_holds",
	 "limits = { subnet_prefix_length_min = 23; };\n" WITH("10.0.0.0/22", ""), 3,
	 "resolvers[r].inbound_endpoints[in].subnet", "/23 to /28"},
	{"an_endpoints_subnet_is_not_ipv6",
	 NETWORKS(NETWORK("hub", "fd00::/8", SUBNET("in", "fd00::/64")))
		 RESOLVERS(RESOLVER("r", "hub", INBOUND(""))),
	 2, "resolvers[r].inbound_endpoints[in].subnet", "is IPv6"},
	{"an_endpoints_subnet_is_delegated",
	 NETWORKS(NETWORK("hub", "10.0.0.0/8", PLAIN("in", "10.0.0.0/28")))
		 RESOLVERS(RESOLVER("r", "hub", INBOUND(""))),
	 2, "resolvers[r].inbound_endpoints[in].subnet", "is not delegated"},
	{"a_delegation_to_something_else_does_not_count",
	 NETWORKS(NETWORK("hub", "10.0.0.0/8",
			  "{ name = \"in\"; prefix = \"10.0.0.0/28\"; delegation = "
			  "\"Microsoft.Network/dnsResolver\"; }"))
		 RESOLVERS(RESOLVER("r", "hub", INBOUND(""))),
	 2, "resolvers[r].inbound_endpoints[in].subnet", "is not delegated"},
	{"the_delegation_is_compared_without_case",
	 NETWORKS(NETWORK("hub", "10.0.0.0/8",
			  "{ name = \"in\"; prefix = \"10.0.0.0/28\"; delegation = "
			  "\"microsoft.network/DNSRESOLVERS\"; }"))
		 RESOLVERS(RESOLVER("r", "hub", INBOUND(""))),
	 0, 0, 0},
	{"a_subnet_holds_one_endpoint",
	 NETWORKS(HUB) RESOLVERS(RESOLVER(
		 "r", "hub",
		 INBOUND("") "\noutbound_endpoints = ({ name = \"out\"; subnet = \"IN\"; }); ")),
	 3, "resolvers[r].outbound_endpoints[out].subnet", "holds the endpoint at"},
	{"inbound_and_outbound_may_share_a_name",
	 NETWORKS(HUB) RESOLVERS(RESOLVER(
		 "r", "hub",
		 INBOUND("") "outbound_endpoints = ({ name = \"in\"; subnet = \"out\"; }); ")),
	 0, 0, 0},
	{"inbound_endpoint_names_are_unique",
	 NETWORKS(HUB) RESOLVERS(
		 RESOLVER("r", "hub",
			  "inbound_endpoints = ({ name = \"x\"; subnet = \"in\"; },\n{ name = "
			  "\"X\"; subnet = \"out\"; }); ")),
	 3, "resolvers[r].inbound_endpoints[X].name",
	 "is already the name of the inbound endpoint at"},
	{"outbound_endpoint_names_are_unique",
	 NETWORKS(HUB) RESOLVERS(
		 RESOLVER("r", "hub",
			  "outbound_endpoints = ({ name = \"x\"; subnet = \"in\"; },\n{ name = "
			  "\"X\"; subnet = \"out\"; }); ")),
	 3, "resolvers[r].outbound_endpoints[X].name",
	 "is already the name of the outbound endpoint at"},

	{"a_static_endpoint_gives_its_address", WITH("10.0.0.0/28", "allocation = \"static\";"), 2,
	 "resolvers[r].inbound_endpoints[in].address", "is missing"},
	{"the_fifth_address_is_the_first_usable",
	 WITH("10.0.0.0/28", "allocation = \"static\"; address = \"10.0.0.4\";"), 0, 0, 0},
	{"the_fourth_address_is_reserved",
	 WITH("10.0.0.0/28", "allocation = \"static\"; address = \"10.0.0.3\";"), 2,
	 "resolvers[r].inbound_endpoints[in].address", "reserved"},
	{"the_first_address_is_reserved",
	 WITH("10.0.0.0/28", "allocation = \"static\"; address = \"10.0.0.0\";"), 2,
	 "resolvers[r].inbound_endpoints[in].address", "reserved"},
	{"the_last_address_is_reserved",
	 WITH("10.0.0.0/28", "allocation = \"static\"; address = \"10.0.0.15\";"), 2,
	 "resolvers[r].inbound_endpoints[in].address", "reserved"},
	{"the_last_but_one_is_usable",
	 WITH("10.0.0.0/28", "allocation = \"static\"; address = \"10.0.0.14\";"), 0, 0, 0},
	{"an_address_lies_in_the_endpoints_subnet",
	 WITH("10.0.0.0/28", "allocation = \"static\"; address = \"10.0.0.16\";"), 2,
	 "resolvers[r].inbound_endpoints[in].address", "use an address in 10.0.0.0/28"},
	{"a_dynamic_endpoint_may_keep_a_usable_address",
	 WITH("10.0.0.0/28", "address = \"10.0.0.9\";"), 0, 0, 0},
	{"a_dynamic_endpoint_does_not_keep_a_reserved_one",
	 WITH("10.0.0.0/28", "address = \"10.0.0.2\";"), 2,
	 "resolvers[r].inbound_endpoints[in].address", "reserved"},
	{"two_endpoints_do_not_have_one_address",
	 NETWORKS(HUB ",\n" NETWORK("spoke", "10.10.0.0/16", SUBNET("in", "10.10.0.0/28")))
		 RESOLVERS(RESOLVER(
			 "a", "hub",
			 INBOUND("listen = \"127.0.0.1:1053\";")) ",\n" RESOLVER("b", "spoke",
										 INBOUND("listen = "
											 "\"127.0."
											 "0.1:"
											 "1054\""
											 ";"))),
	 4, "resolvers[b].inbound_endpoints[in].address", "of the endpoint at"},
	{"a_source_is_not_multicast",
	 NETWORKS(HUB) RESOLVERS(RESOLVER("r", "hub", OUTBOUND("source = \"224.0.0.1\";"))), 2,
	 "resolvers[r].outbound_endpoints[out].source", "cannot be a source"},
	{"a_source_may_be_the_systems_choice",
	 NETWORKS(HUB) RESOLVERS(RESOLVER("r", "hub", OUTBOUND("source = \"0.0.0.0\";"))), 0, 0, 0},

	/* One mistake is told once: what it keeps from being checked is passed over. */
	{"a_bad_subnet_is_not_its_endpoints_fault", WITH("10.0.0.0/99", ""), 1,
	 "virtual_networks[hub].subnets[in].prefix", "a prefix such as"},
	{"a_bad_space_is_not_its_subnets_fault",
	 NETWORKS(NETWORK("n", "10.0.0.0/99", PLAIN("s", "10.0.0.0/24"))), 1,
	 "virtual_networks[n].address_space[0]", "a prefix such as"},
	{"a_bad_custom_server_is_told_once", SERVERS("\"10.0.0.256\""), 1,
	 "virtual_networks[n].dns_servers[0]", "an address such as"},
	{"a_bad_address_is_told_once", WITH("10.0.0.0/28", "address = \"10.0.0.256\";"), 2,
	 "resolvers[r].inbound_endpoints[in].address", "an address such as"},
	{"a_bad_listener_is_told_once", WITH("10.0.0.0/28", "listen = \"127.0.0.1:0\";"), 2,
	 "resolvers[r].inbound_endpoints[in].listen", "has the port 0; a port is from 1 to 65535"},
	{"a_resolver_without_network_is_told_once",
	 NETWORKS(HUB) RESOLVERS("{ name = \"r\"; " INBOUND("") "}"), 2,
	 "resolvers[r].virtual_network", "is missing"},
	{"a_network_without_name_is_told_once", NETWORKS("{ address_space = [\"10.0.0.0/8\"]; }"),
	 1, "virtual_networks[0].name", "is missing"},

	{"listeners_do_not_share_a_place",
	 TWO("listen = \"127.0.0.1:1053\";", "listen = \"127.0.0.1:1053\";"), 4,
	 "resolvers[b].inbound_endpoints[in].listen", "127.0.0.1:1053 is taken"},
	{"listeners_may_differ_in_port",
	 TWO("listen = \"127.0.0.1:1053\";", "listen = \"127.0.0.1:1054\";"), 0, 0, 0},
	{"listeners_may_differ_in_address",
	 TWO("listen = \"127.0.0.1:1053\";", "listen = \"127.0.0.2:1053\";"), 0, 0, 0},
	{"a_listener_on_all_addresses_takes_the_port",
	 TWO("listen = \"0.0.0.0:1053\";", "listen = \"127.0.0.1:1053\";"), 4,
	 "resolvers[b].inbound_endpoints[in].listen", "127.0.0.1:1053 is taken"},
	{"a_listener_on_all_addresses_finds_the_port_taken",
	 TWO("listen = \"127.0.0.1:1053\";", "listen = \"0.0.0.0:1053\";"), 4,
	 "resolvers[b].inbound_endpoints[in].listen", "0.0.0.0:1053 is taken"},
	{"all_addresses_of_one_family_leave_the_other",
	 TWO("listen = \"[::]:1053\";", "listen = \"127.0.0.1:1053\";"), 0, 0, 0},
	{"an_endpoint_does_not_take_the_vnet_resolvers_place",
	 VNET TWO("listen = \"127.0.0.3\";", ""), 4, "resolvers[a].inbound_endpoints[in].listen",
	 "127.0.0.3:53 is taken"},
	{"a_listener_is_not_multicast", TWO("listen = \"224.0.0.1\";", ""), 3,
	 "resolvers[a].inbound_endpoints[in].listen", "cannot be listened at"},
	{"a_vnet_resolver_needs_a_listener", "vnet_resolver = { listen = [ ]; };", 1,
	 "vnet_resolver.listen", "is empty"},
	{"the_vnet_resolver_tells_networks_apart",
	 VNET NETWORKS("{ name = \"a\"; resource_group = \"dev\"; "
		       "address_space = [\"10.0.0.0/8\"]; },\n" NETWORK("b", "10.0.0.0/8", "")),
	 3, "virtual_networks[b].address_space[0]", "is a prefix of virtual network \"dev/a\" too"},
	{"client_prefixes_belong_to_one_network",
	 VNET NETWORKS("{ name = \"a\"; address_space = [\"10.0.0.0/8\"]; client_prefixes = "
		       "[\"127.0.0.0/8\"]; },\n{ name = \"b\"; address_space = [\"11.0.0.0/8\"]; "
		       "client_prefixes = [\"127.0.0.0/8\"]; }"),
	 3, "virtual_networks[b].client_prefixes[0]", "too"},
	{"a_longer_client_prefix_is_another",
	 VNET NETWORKS("{ name = \"a\"; address_space = [\"10.0.0.0/8\"]; client_prefixes = "
		       "[\"127.0.0.0/8\"]; }, { name = \"b\"; address_space = [\"11.0.0.0/8\"]; "
		       "client_prefixes = [\"127.1.0.0/16\"]; }"),
	 0, 0, 0},
	{"without_a_vnet_resolver_prefixes_may_be_equal",
	 NETWORKS("{ name = \"a\"; address_space = [\"10.0.0.0/8\"]; client_prefixes = "
		  "[\"127.0.0.0/8\"]; }, { name = \"b\"; address_space = [\"11.0.0.0/8\"]; "
		  "client_prefixes = [\"127.0.0.0/8\"]; }"),
	 0, 0, 0},
};

int main(void)
{
	return limits_cases_run("limits of networks", cases, sizeof cases / sizeof cases[0]);
}
