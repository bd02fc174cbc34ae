/* Resource groups of what is at the top, by a configuration as an operator writes it: what they may
 * be called, that a name is unique in its group (but for keys and clients), and what is referred to
 * by NAME, GROUP/NAME and -/NAME. */
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
#define LINK_TO(network)  "links = (" LINK("l", network) "); "
#define LINKS(one, other) "links = (" LINK("l", one) ", " LINK("m", other) "); "
#define CORP_B(rest)      "{ name = \"b.test\"; file = \"zone\"; " rest " }"
#define SUBNETS(net)                                                                               \
	"address_space = [\"10." net ".0.0/16\"]; subnets = (" SUBNET(                             \
		"in", "10." net ".0.0/28") ", " SUBNET("out", "10." net ".0.16/28") "); "
#define TWO_HUBS                                                                                   \
	"virtual_networks = ({ name = \"hub\"; " IN("dev")                                         \
		SUBNETS("10") "},\n{ name = \"hub\"; " IN("prod") SUBNETS("20") "});\n"
#define TWO_RESOLVERS                                                                              \
	TWO_HUBS "resolvers = (" RESOLVER("r", "hub", IN("dev") OUTBOUND("")) ",\n" RESOLVER(      \
		"r", "hub", IN("prod") OUTBOUND("")) ");\n"
#define TWO_ZONES "private_zones = (" CORP(IN("dev")) ",\n" CORP(IN("prod")) ");\n"
#define TWO_KEYS  "keys = ({ name = \"k\"; " SECRET "}, { name = \"l\"; " SECRET "});\n"
#define G         "resource_group = \"g\"; "
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
	{"a_group_has_no_blanks", NETWORK_IN(IN("a b")), 1,
	 "virtual_networks[a b/n].resource_group",
	 "\"a b\" does not fit; give letters, digits and any of _().-"},
	{"a_group_is_no_path", NETWORK_IN(IN("a/b")), 1, "virtual_networks[a/b/n].resource_group",
	 "does not fit"},
	{"a_group_does_not_end_in_a_dot", NETWORK_IN(IN("a.")), 1,
	 "virtual_networks[a./n].resource_group", "give one that does not end in a dot"},
	{"no_group_is_called_as_none_is", NETWORK_IN(IN("-")), 1,
	 "virtual_networks[-/n].resource_group", "it stands for no group"},
	{"a_group_is_not_empty", NETWORK_IN(IN("")), 1, "virtual_networks[n].resource_group",
	 "give a string of 1 to 90 characters"},
	{"every_kind_at_the_top_has_a_group", EVERYTHING, 0, 0, 0},

	/* Names. */
	{"a_network_has_its_name_in_its_group",
	 TWO("virtual_networks", "name = \"n\"; ", "address_space = [\"10.0.0.0/16\"]; ", ""), 0, 0,
	 0},
	{"one_in_a_group_and_one_in_none_may_have_one_name",
	 "virtual_networks = ({ name = \"n\"; },\n{ name = \"n\"; " IN("g") " });\n", 0, 0, 0},
	{"two_in_one_group_may_not",
	 "virtual_networks = ({ name = \"n\"; " IN("g") " },\n{ name = \"N\"; " IN("G") " });\n", 2,
	 "virtual_networks[G/N].name", "\"N\" is already the name of the virtual network at"},
	{"two_in_none_may_not", "virtual_networks = ({ name = \"n\"; },\n{ name = \"N\"; });\n", 2,
	 "virtual_networks[N].name", "is already the name of the virtual network at"},
	{"a_resolver_has_its_name_in_its_group",
	 TWO_HUBS "resolvers = (" RESOLVER("r", "hub", IN("dev")) ",\n" RESOLVER("r", "hub",
										 IN("prod")) ");\n",
	 0, 0, 0},
	{"a_resolver_has_it_once_in_its_group",
	 TWO_HUBS "resolvers = (" RESOLVER("r", "hub", IN("dev")) ",\n" RESOLVER("R", "prod/hub",
										 IN("dev")) ");\n",
	 4, "resolvers[dev/R].name", "is already the name of the resolver at"},
	{"a_zone_has_its_name_in_its_group",
	 "private_zones = (" CORP(IN("Berlin")) ",\n" CORP(IN("Munich")) ");\n", 0, 0, 0},
	{"a_zone_has_it_once_in_its_group",
	 "private_zones = (" CORP(IN("g")) ",\n" CORP(IN("G")) ");\n", 2,
	 "private_zones[G/a.test].name", "is already the name of the private zone at"},
	{"zones_of_one_name_are_not_seen_in_one_network",
	 TWO_HUBS "private_zones = (" CORP(IN("dev") LINK_TO("hub")) ",\n" CORP(
		 IN("prod") LINK_TO("dev/hub")) ");\n",
	 4, "private_zones[prod/a.test].links[l].virtual_network",
	 "virtual network \"dev/hub\" is linked to another zone \"dev/a.test\""},
	{"zones_of_one_name_are_seen_in_two",
	 TWO_HUBS "private_zones = (" CORP(IN("dev") LINK_TO("hub")) ",\n" CORP(
		 IN("prod") LINK_TO("hub")) ");\n",
	 0, 0, 0},
	{"a_ruleset_has_its_name_in_its_group",
	 BASE TWO("rulesets", "name = \"s\"; outbound_endpoints = [\"r/out\"]; ", "", ""), 0, 0, 0},
	{"a_pool_has_its_name_in_its_group",
	 TWO("address_pools", "name = \"p\"; ", "prefix = \"198.51.100.0/24\"; ",
	     "prefix = \"203.0.113.0/24\"; ") REVERSE,
	 0, 0, 0},
	{"a_transfer_has_its_name_in_its_group",
	 POOL REVERSE TWO("transfers", "name = \"t\"; " OUT, "", ""), 0, 0, 0},
	{"a_key_has_its_name_in_all_groups", TWO("keys", "name = \"k\"; " SECRET, "", ""), 2,
	 "keys[k].name", SAYS("key")},
	{"a_client_has_its_id_in_all_groups",
	 "management = { " TWO("clients", "id = \"c\"; ", DIGEST("0"), DIGEST("1")) "};\n", 2,
	 "management.clients[c].id", SAYS("client")},

	/* References. */
	{"a_name_is_that_of_the_own_group",
	 TWO_HUBS "private_zones = (" CORP(IN("dev") LINKS("hub", "prod/hub")) ");\n", 0, 0, 0},
	{"a_name_is_that_of_the_own_group_whichever_case_that_has",
	 TWO_HUBS "private_zones = (" CORP(IN("DEV") LINKS("HUB", "Dev/Hub")) ");\n", 3,
	 "private_zones[DEV/a.test].links[m].virtual_network",
	 "virtual network \"dev/hub\" is linked to this zone twice"},
	{"a_name_that_is_there_once_is_that",
	 "virtual_networks = ({ name = \"hub\"; " IN("dev") " });\nprivate_zones = (" CORP(
		 IN("prod") LINK_TO("hub")) "," CORP_B(LINK_TO("hub")) ");\n",
	 0, 0, 0},
	{"a_name_of_several_elsewhere_is_none",
	 TWO_HUBS "private_zones = (" CORP(IN("test") LINK_TO("hub")) ");\n", 3,
	 "private_zones[test/a.test].links[l].virtual_network",
	 "there is more than one virtual network \"hub\"; give its group: dev/hub, prod/hub"},
	{"in_no_group_the_name_is_of_none",
	 "virtual_networks = ({ name = \"hub\"; " IN("dev") " },\n{ name = \"hub\"; });\n"
							    "private_zones = (" CORP(
								    LINKS("hub", "-/hub")) ");\n",
	 3, "private_zones[a.test].links[m].virtual_network",
	 "virtual network \"hub\" is linked to this zone twice"},
	{"none_is_said_by_a_dash",
	 "virtual_networks = ({ name = \"hub\"; " IN(
		 "dev") " },\n{ name = \"hub\"; });\n"
			"private_zones = (" CORP(IN("dev") LINKS("hub", "-/hub")) ");\n",
	 0, 0, 0},
	{"a_group_that_has_none_of_the_name",
	 TWO_HUBS "private_zones = (" CORP(LINK_TO("test/hub")) ");\n", 3,
	 "private_zones[a.test].links[l].virtual_network",
	 "there is no virtual network \"test/hub\"; name one of virtual_networks"},
	{"a_resolver_is_in_the_network_of_its_group",
	 TWO_HUBS "resolvers = (" RESOLVER("r", "hub", "") ");\n", 3,
	 "resolvers[r].virtual_network", "there is more than one virtual network \"hub\""},
	{"an_endpoint_is_of_the_resolver_of_the_group",
	 TWO_RESOLVERS "rulesets = ({ name = \"s\"; " IN(
		 "dev") "outbound_endpoints = [\"r/out\", \"dev/r/out\"]; });\n",
	 5, "rulesets[dev/s].outbound_endpoints[1]", "\"dev/r/out\" is listed twice"},
	{"an_endpoint_of_another_group",
	 TWO_RESOLVERS "rulesets = ({ name = \"s\"; " IN(
		 "dev") "outbound_endpoints = [\"r/out\", \"prod/r/out\"]; });\n",
	 0, 0, 0},
	{"an_endpoint_of_several_resolvers_is_none",
	 TWO_RESOLVERS "rulesets = ({ name = \"s\"; outbound_endpoints = [\"r/out\"]; });\n", 5,
	 "rulesets[s].outbound_endpoints[0]",
	 "there is more than one resolver \"r\"; give its group: dev/r/out, prod/r/out"},
	{"a_log_is_of_one_network",
	 TWO_HUBS "query_log = { file = \"/tmp/q\"; networks = [\"hub\"]; };\n", 3,
	 "query_log.networks[0]", "there is more than one virtual network \"hub\""},
	{"a_log_names_the_group",
	 TWO_HUBS "query_log = { file = \"/tmp/q\"; networks = [\"dev/hub\"]; };\n", 0, 0, 0},
	{"names_are_checked_in_one_network", TWO_HUBS "reverse = { resolve_in = \"hub\"; };\n", 3,
	 "reverse.resolve_in", "there is more than one virtual network \"hub\""},

	/* Transfers. */
	{"a_zone_of_the_own_group_goes_out",
	 TWO_ZONES "transfers = ({ name = \"t\"; " IN(
		 "dev") "zones = [\"a.test\"]; allow = [\"192.0.2.0/24\"]; });\n",
	 0, 0, 0},
	{"a_zone_of_several_groups_is_none",
	 TWO_ZONES "transfers = ({ name = \"t\"; zones = [\"a.test\"]; "
		   "allow = [\"192.0.2.0/24\"]; });\n",
	 3, "transfers[t].zones[0]",
	 "there is more than one private zone \"a.test\"; give its group: dev/a.test, prod/a.test"},
	{"each_client_may_have_one",
	 TWO_ZONES "transfers = ({ zones = [\"dev/a.test\"]; allow = [\"192.0.2.0/25\"]; },\n"
		   "{ zones = [\"prod/a.test.\"]; allow = [\"192.0.2.128/25\"]; });\n",
	 0, 0, 0},
	{"a_client_may_not_have_both",
	 TWO_ZONES "transfers = ({ zones = [\"dev/a.test\"]; allow = [\"192.0.2.0/24\"]; },\n"
		   "{ zones = [\"prod/a.test.\"]; allow = [\"192.0.2.128/25\"]; });\n",
	 4, "transfers[1].zones[0]",
	 "a client that may copy prod/a.test by this entry may copy dev/a.test by the entry at"},
	{"nor_by_one_entry",
	 TWO_ZONES "transfers = ({ zones = [\"dev/a.test\", \"prod/a.test\"]; "
		   "allow = [\"192.0.2.0/24\"]; });\n",
	 3, "transfers[0].zones[1]", "a client that may copy prod/a.test by this entry"},
	{"a_key_may_have_one",
	 TWO_ZONES TWO_KEYS "transfers = ({ zones = [\"dev/a.test\"]; key = \"k\"; },\n"
			    "{ zones = [\"prod/a.test\"]; key = \"l\"; });\n",
	 0, 0, 0},
	{"who_signs_may_have_what_asks_for_no_key",
	 TWO_ZONES TWO_KEYS "transfers = ({ zones = [\"dev/a.test\"]; key = \"k\"; },\n"
			    "{ zones = [\"prod/a.test\"]; allow = [\"192.0.2.0/24\"]; });\n",
	 5, "transfers[1].zones[0]", "a client that may copy prod/a.test by this entry"},
	{"one_key_may_not_have_both",
	 TWO_ZONES TWO_KEYS "transfers = ({ zones = [\"dev/a.test\"]; key = \"k\"; },\n"
			    "{ zones = [\"prod/a.test\"]; key = \"K.\"; });\n",
	 5, "transfers[1].zones[0]", "a client that may copy prod/a.test by this entry"},
};

int main(void)
{
	return limits_cases_run("limits_group", cases, sizeof cases / sizeof cases[0]);
}
