/* Resource groups of what is at the top: what they may be called, and that they make no name free,
 * by a configuration as an operator writes it. */
#include "tests/lib/limits_case.h"

#define IN(group) "resource_group = \"" group "\";"
#define TWO(list, same, one, other)                                                                \
	list " = ({ " same IN("Berlin") one " },\n{ " same IN("Munich") other " });\n"
#define SAYS(what) "is already the name of the " what " in the resource group \"Berlin\", at "

#define NETWORK_IN(group) "virtual_networks = ({ name = \"n\"; " group " });\n"
#define CORP(rest)        "{ name = \"a.test\"; file = \"zone\"; " rest " }"
#define SECRET            "secret = \"Zm9vYmFy\"; "
#define POOL              "address_pools = ({ name = \"p\"; prefix = \"198.51.100.0/24\"; });\n"
#define REVERSE           "reverse = { name_servers = [\"ns.test\"]; };\n"
#define OUT               "zones = [\"100.51.198.in-addr.arpa\"]; allow = [\"192.0.2.0/24\"]; "

#define DIGEST(digit)                                                                              \
	"secret_sha256 = \"" digit                                                                 \
	"123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"; "
#define G "resource_group = \"g\"; "
#define EVERYTHING                                                                                 \
	"virtual_networks = ({ name = \"hub\"; " G "address_space = [\"10.10.0.0/16\"]; "          \
	"subnets = (" SUBNET("in", "10.10.0.0/28") "," SUBNET(                                     \
		"out",                                                                             \
		"10.10.0.16/28") "); });\n"                                                        \
				 "resolvers = ({ name = \"r\"; virtual_network = \"hub\"; " G      \
				 "inbound_endpoints = ({ name = \"in\"; subnet = \"in\"; listen "  \
				 "= \"127.0.0.1:5300\"; }); "                                      \
				 "outbound_endpoints = ({ name = \"out\"; subnet = \"out\"; "      \
				 "source = \"127.0.0.1\"; }); "                                    \
				 "});\n"                                                           \
				 "default_resolver = { targets = ({ address = \"127.0.0.9\"; }); " \
				 "};\n"                                                            \
				 "private_zones = ({ name = \"a.test\"; file = \"zone\"; " G       \
				 "});\n"                                                           \
				 "rulesets = ({ name = \"s\"; outbound_endpoints = "               \
				 "[\"r/out\"]; " G "});\n"                                         \
				 "address_pools = ({ name = \"p\"; prefix = "                      \
				 "\"198.51.100.0/24\"; " G "});\n" REVERSE                         \
				 "keys = ({ name = \"k\"; " SECRET G "});\n"                       \
				 "transfers = ({ name = \"t\"; " OUT G "});\n"                     \
				 "management = { clients = ({ id = \"c\"; " DIGEST("0") G          \
		"}); };\n"

static const struct limits_case cases[] = {
	{"a_group_is_called_as_azure_would_have_it", NETWORK_IN(IN("a_(1).-b")), 0, 0, 0},
	{"a_group_has_no_blanks", NETWORK_IN(IN("a b")), 1, "virtual_networks[n].resource_group",
	 "\"a b\" does not fit; give letters, digits and any of _().-"},
	{"a_group_is_no_path", NETWORK_IN(IN("a/b")), 1, "virtual_networks[n].resource_group",
	 "does not fit"},
	{"a_group_does_not_end_in_a_dot", NETWORK_IN(IN("a.")), 1,
	 "virtual_networks[n].resource_group", "give one that does not end in a dot"},
	{"no_group_is_called_as_none_is", NETWORK_IN(IN("-")), 1,
	 "virtual_networks[n].resource_group", "it stands for no group"},
	{"a_group_is_not_empty", NETWORK_IN(IN("")), 1, "virtual_networks[n].resource_group",
	 "give a string of 1 to 90 characters"},
	{"every_kind_at_the_top_has_a_group", EVERYTHING, 0, 0, 0},

	{"a_network_has_its_name_in_all_groups",
	 TWO("virtual_networks", "name = \"n\"; ", "address_space = [\"10.0.0.0/16\"]; ", ""), 2,
	 "virtual_networks[n].name", SAYS("virtual network")},
	{"of_two_in_one_group_the_group_is_not_told_of",
	 "virtual_networks = ({ name = \"n\"; " IN("g") " },\n{ name = \"N\"; " IN("G") " });\n", 2,
	 "virtual_networks[N].name", "is already the name of the virtual network at"},
	{"one_in_no_group_has_its_name_too",
	 "virtual_networks = ({ name = \"n\"; },\n{ name = \"n\"; " IN("g") " });\n", 2,
	 "virtual_networks[n].name", "the virtual network in no resource group, at"},
	{"a_resolver_has_its_name_in_all_groups",
	 "virtual_networks = (" HUB "," SPOKE ");\nresolvers = (" RESOLVER(
		 "r", "hub", IN("Berlin")) ",\n" RESOLVER("r", "spoke", IN("Munich")) ");\n",
	 3, "resolvers[r].name", SAYS("resolver")},
	{"a_zone_has_its_name_in_all_groups",
	 "private_zones = (" CORP(IN("Berlin")) ",\n" CORP(IN("Munich")) ");\n", 2,
	 "private_zones[a.test].name", SAYS("private zone")},
	{"zones_of_one_name_for_two_networks_are_in_one_group",
	 "virtual_networks = (" HUB "," SPOKE ");\nprivate_zones = (" CORP(
		 IN("g") "links = ({ name = \"l\"; virtual_network = \"hub\"; "
			 "}); ") ",\n" CORP(IN("G") "links = ({ name = \"l\"; virtual_network = "
						    "\"spoke\"; }); ") ");\n",
	 0, 0, 0},
	{"a_ruleset_has_its_name_in_all_groups",
	 BASE TWO("rulesets", "name = \"s\"; outbound_endpoints = [\"r/out\"]; ", "", ""), 5,
	 "rulesets[s].name", SAYS("ruleset")},
	{"a_pool_has_its_name_in_all_groups",
	 TWO("address_pools", "name = \"p\"; ", "prefix = \"198.51.100.0/24\"; ",
	     "prefix = \"203.0.113.0/24\"; ") REVERSE,
	 2, "address_pools[p].name", SAYS("address pool")},
	{"a_key_has_its_name_in_all_groups", TWO("keys", "name = \"k\"; " SECRET, "", ""), 2,
	 "keys[k].name", SAYS("key")},
	{"a_transfer_has_its_name_in_all_groups",
	 POOL REVERSE TWO("transfers", "name = \"t\"; " OUT, "", ""), 4, "transfers[t].name",
	 SAYS("transfer")},
	{"a_client_has_its_id_in_all_groups",
	 "management = { " TWO("clients", "id = \"c\"; ", DIGEST("0"), DIGEST("1")) "};\n", 2,
	 "management.clients[c].id", SAYS("client")},
};

int main(void)
{
	return limits_cases_run("limits_group", cases, sizeof cases / sizeof cases[0]);
}
