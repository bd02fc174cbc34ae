/* Network interfaces and private endpoints: each restriction, broken and kept. */
#include "tests/lib/limits_case.h"

#define APPS "{ name = \"apps\"; prefix = \"10.10.1.0/29\"; }"
#define NETWORKS                                                                                   \
	"virtual_networks = ({ name = \"hub\"; address_space = [ \"10.10.0.0/16\", \"fd00::/48\" " \
	"];"                                                                                       \
	" subnets = (" SUBNET("in", "10.10.0.0/28") "," SUBNET(                                    \
		"out", "10.10.0.16/28") "," APPS                                                   \
					", { name = \"more\"; prefix = \"10.10.2.0/24\"; }"        \
					", { name = \"six\"; prefix = \"fd00::/64\"; }); },"       \
					"{ name = \"spoke\"; address_space = [ \"10.10.0.0/16\" "  \
					"]; subnets = (" APPS "); });\n"                           \
					"resolvers = (" R ");\n"                                   \
					"default_resolver = { targets = ({ address = "             \
					"\"127.0.0.9\"; }); };\n"
#define INTERFACES(...) "network_interfaces = (" __VA_ARGS__ ");\n"
#define INTERFACE(name, rest, ...)                                                                 \
	"{ name = \"" name "\"; " rest " ip_configurations = (" __VA_ARGS__ "); }"
#define ADDRESS_WITH(name, subnet, address, rest)                                                  \
	"{ name = \"" name "\"; subnet = \"" subnet "\"; address = \"" address "\"; " rest "}"
#define ADDRESS(name, subnet, address) ADDRESS_WITH(name, subnet, address, "")
#define MARKED                         "primary = true; "
#define PRIMARY(name, address)         ADDRESS_WITH(name, "hub/apps", address, MARKED)
#define ONE_INTERFACE(rest, address)   NETWORKS INTERFACES(INTERFACE("vm", rest, address))
#define VM(rest)                       ONE_INTERFACE(rest, ADDRESS("a", "hub/apps", "10.10.1.4"))
#define AT(in, address)                ONE_INTERFACE("", ADDRESS("a", in, address))
#define ENDPOINTS(...)                 "private_endpoints = (" __VA_ARGS__ ");\n"
#define ENDPOINT(rest)                 NETWORKS ENDPOINTS("{ name = \"store\"; " rest " }")
#define ZONES                          "private_zones = (" ZONE("a.b", "") ");\n"
#define GROUP(name, zones)             "{ name = \"" name "\"; zones = (" zones "); }"
#define IN_ZONE(name, zone)            "{ name = \"" name "\"; zone = \"" zone "\"; }"
#define STORE(groups)                                                                              \
	NETWORKS ZONES ENDPOINTS(                                                                  \
		"{ name = \"store\"; subnet = \"hub/apps\"; zone_groups = (" groups "); }")
#define MACHINE(name, rest, subnet, address) INTERFACE(name, rest, ADDRESS("a", subnet, address))
#define CALLED(label)                        "label = \"" label "\"; "
#define REGISTERING                          "{ name = \"l\"; virtual_network = \"hub\"; registration = true; }"
#define CROWDED_ZONE                         "private_zones = (" ZONE("a.b", REGISTERING) ");\n"
#define MACHINES                                                                                   \
	MACHINE("a", CALLED("vm"), "hub/apps", "10.10.1.4")                                        \
	",\n" MACHINE("b", CALLED("VM"), "hub/apps", "10.10.1.5") ",\n" MACHINE(                   \
		"c", CALLED("vm"), "spoke/apps", "10.10.1.5") ",\n" MACHINE("d", "", "hub/apps",   \
									    "10.10.1.6")
/* Three machines called vm, of which two register, and another one. */
#define CROWD(max)                                                                                 \
	NETWORKS "limits = { records_per_record_set = " max "; };\n" CROWDED_ZONE INTERFACES(      \
		MACHINES)
#define ONE "network_interfaces[vm].ip_configurations[a]."
#define TWO "network_interfaces[vm].ip_configurations[b]."

static const struct limits_case cases[] = {
	{"an_interface_in_a_subnet_is_fine", VM("label = \"vm-1\"; "), 0, 0, 0},
	{"names_are_unique_in_their_group",
	 NETWORKS INTERFACES(
		 INTERFACE("vm", "", ADDRESS("a", "hub/apps", "10.10.1.4")) ",\n" INTERFACE(
			 "VM", "", ADDRESS("a", "hub/apps", "10.10.1.5"))),
	 5, "network_interfaces[VM].name", "is already the name of the network interface at"},
	{"two_groups_may_each_have_one_of_a_name",
	 NETWORKS INTERFACES(
		 INTERFACE("vm", "", ADDRESS("a", "hub/apps", "10.10.1.4")) ",\n" INTERFACE(
			 "VM", "resource_group = \"g\"; ", ADDRESS("a", "hub/apps", "10.10.1.5"))),
	 0, 0, 0},
	{"a_label_has_no_dot", VM("label = \"vm.a\"; "), 4, "network_interfaces[vm].label",
	 "\"vm.a\" does not fit; use 1 to 63 letters"},
	{"a_label_does_not_end_in_a_hyphen", VM("label = \"vm-\"; "), 4,
	 "network_interfaces[vm].label", "\"vm-\" does not fit"},
	{"an_interfaces_private_endpoint_may_come_later", VM("private_endpoint = \"none\"; "), 0, 0,
	 0},
	{"an_interface_has_an_address", NETWORKS INTERFACES(INTERFACE("vm", "", "")), 4,
	 "network_interfaces[vm].ip_configurations", "is empty; give at least one"},
	{"ip_configurations_are_required", NETWORKS INTERFACES("{ name = \"vm\"; }"), 4,
	 "network_interfaces[vm].ip_configurations", "is missing"},
	{"ip_configurations_have_names_of_their_own",
	 NETWORKS INTERFACES(INTERFACE("vm", "",
				       ADDRESS("a", "hub/apps", "10.10.1.4") ",\n" ADDRESS(
					       "A", "hub/apps", "10.10.1.5"))),
	 5, "network_interfaces[vm].ip_configurations[A].name",
	 "is already the name of the ip configuration at"},

	{"an_interfaces_subnet_is_there", AT("hub/none", "10.10.1.4"), 4, ONE "subnet",
	 "there is no subnet \"hub/none\"; write NETWORK/SUBNET"},
	{"an_interfaces_network_is_there", AT("none/apps", "10.10.1.4"), 4, ONE "subnet",
	 "there is no subnet \"none/apps\""},
	{"an_outbound_endpoints_subnet_has_no_interface", AT("hub/out", "10.10.0.21"), 4,
	 ONE "subnet",
	 "subnet \"out\" is delegated to Microsoft.Network/dnsResolvers, so an endpoint has it"},
	{"an_inbound_endpoints_subnet_has_no_interface", AT("hub/in", "10.10.0.4"), 4, ONE "subnet",
	 "subnet \"in\" is delegated"},
	{"the_first_usable_address_is_fine", AT("hub/apps", "10.10.1.4"), 0, 0, 0},
	{"the_fourth_address_is_reserved", AT("hub/apps", "10.10.1.3"), 4, ONE "address",
	 "10.10.1.3 is one of the first four or the last of 10.10.1.0/29"},
	{"the_last_usable_address_is_fine", AT("hub/apps", "10.10.1.6"), 0, 0, 0},
	{"the_last_address_is_reserved", AT("hub/apps", "10.10.1.7"), 4, ONE "address",
	 "10.10.1.7 is one of the first four or the last"},
	{"an_address_is_in_its_subnet", AT("hub/apps", "10.10.1.8"), 4, ONE "address",
	 "10.10.1.8 is outside its subnet; use an address in 10.10.1.0/29"},
	{"an_ipv6_address_is_fine", AT("hub/six", "fd00::5"), 0, 0, 0},

	{"an_address_is_there_once_in_an_interface",
	 NETWORKS INTERFACES(INTERFACE("vm", "",
				       ADDRESS("a", "hub/apps", "10.10.1.4") ",\n" ADDRESS(
					       "b", "hub/apps", "10.10.1.4"))),
	 5, TWO "address",
	 "10.10.1.4 is the address of another ip configuration in virtual network "
	 "\"hub\", at"},
	{"an_address_is_there_once_in_a_network",
	 NETWORKS INTERFACES(
		 INTERFACE("x", "", ADDRESS("a", "hub/apps", "10.10.1.4")) ",\n" INTERFACE(
			 "vm", "", ADDRESS("a", "-/HUB/apps", "10.10.1.4"))),
	 5, ONE "address", "10.10.1.4 is the address of another"},
	{"two_networks_may_have_the_same_address",
	 NETWORKS INTERFACES(
		 INTERFACE("x", "", ADDRESS("a", "hub/apps", "10.10.1.4")) ",\n" INTERFACE(
			 "vm", "", ADDRESS("a", "spoke/apps", "10.10.1.4"))),
	 0, 0, 0},
	{"an_interface_is_in_one_network",
	 NETWORKS INTERFACES(INTERFACE("vm", "",
				       ADDRESS("a", "hub/apps", "10.10.1.4") ",\n" ADDRESS(
					       "b", "spoke/apps", "10.10.1.5"))),
	 5, TWO "subnet", "keep an interface in one network"},
	{"an_interface_may_be_in_several_subnets",
	 NETWORKS INTERFACES(INTERFACE("vm", "",
				       ADDRESS("a", "hub/apps", "10.10.1.4") ",\n" ADDRESS(
					       "b", "hub/more", "10.10.2.4"))),
	 0, 0, 0},
	{"one_address_may_be_primary",
	 NETWORKS INTERFACES(INTERFACE(
		 "vm", "", ADDRESS("a", "hub/apps", "10.10.1.4") ",\n" PRIMARY("b", "10.10.1.5"))),
	 0, 0, 0},
	{"two_addresses_may_not_be_primary",
	 NETWORKS INTERFACES(
		 INTERFACE("vm", "", PRIMARY("a", "10.10.1.4") ",\n" PRIMARY("b", "10.10.1.5"))),
	 5, TWO "primary", "is primary already; mark one of them"},
	{"an_interface_is_in_its_networks_region", VM("region = \"east\"; "), 4,
	 "network_interfaces[vm].region",
	 "the interface is in east and virtual network \"hub\" in (none); both must be in one"},

	{"a_private_endpoint_is_fine",
	 ENDPOINT("subnet = \"hub/apps\"; network_interface = \"none\"; "), 0, 0, 0},
	{"private_endpoints_have_names_of_their_own",
	 NETWORKS ENDPOINTS("{ name = \"store\"; subnet = \"hub/apps\"; },\n"
			    "{ name = \"STORE\"; subnet = \"hub/apps\"; }"),
	 5, "private_endpoints[STORE].name", "is already the name of the private endpoint at"},
	{"a_private_endpoints_subnet_is_there", ENDPOINT("subnet = \"apps\"; "), 4,
	 "private_endpoints[store].subnet", "there is no subnet \"apps\""},
	{"a_private_endpoints_subnet_is_required", ENDPOINT(""), 4,
	 "private_endpoints[store].subnet", "is missing"},
	{"a_private_endpoint_is_not_in_an_endpoints_subnet", ENDPOINT("subnet = \"hub/in\"; "), 4,
	 "private_endpoints[store].subnet", "is delegated to"},
	{"a_private_endpoint_is_in_its_networks_region",
	 ENDPOINT("subnet = \"hub/apps\"; region = \"east\"; "), 4,
	 "private_endpoints[store].region", "the private endpoint is in east"},

	{"zone_groups_are_fine", STORE(GROUP("d", IN_ZONE("c", "a.b"))), 0, 0, 0},
	{"zone_groups_have_names_of_their_own",
	 STORE(GROUP("d", IN_ZONE("c", "a.b")) ",\n" GROUP("D", IN_ZONE("c", "a.b"))), 6,
	 "private_endpoints[store].zone_groups[D].name",
	 "is already the name of the zone group at"},
	{"a_zone_group_has_a_zone", STORE(GROUP("d", "")), 5,
	 "private_endpoints[store].zone_groups[d].zones", "is empty; give at least one"},
	{"the_zones_of_a_zone_group_are_there", STORE(GROUP("d", IN_ZONE("c", "none.b"))), 5,
	 "private_endpoints[store].zone_groups[d].zones[c].zone", "there is no zone \"none.b\""},
	{"zones_of_a_zone_group_have_names_of_their_own",
	 STORE(GROUP("d", IN_ZONE("c", "a.b") ",\n" IN_ZONE("C", "a.b"))), 6,
	 "private_endpoints[store].zone_groups[d].zones[C].name",
	 "is already the name of the zone at"},

	{"machines_of_one_name_fit_into_a_record_set", CROWD("2"), 0, 0, 0},
	{"more_machines_of_one_name_than_a_set_has_records", CROWD("1"), 7,
	 "network_interfaces[b].label",
	 "2 machines are called vm in a.b, and at most 1 may be; give the others a label"},
};

int main(void)
{
	return limits_cases_run("limits, interfaces", cases, sizeof cases / sizeof *cases);
}
