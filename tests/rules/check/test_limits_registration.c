/* Zones in which machines register: each rule at its edge, by a configuration as an operator writes
 * it. */
#include "tests/lib/limits_case.h"

#define STATE "management = { state = \"state.db\"; }; "
#define KEYS                                                                                       \
	STATE "keys = ({ name = \"dhcp\"; secret = \"Zm9vYmFy\"; }, { name = \"web.a.test\"; "     \
	      "secret = "                                                                          \
	      "\"Zm9vYmFy\"; });\n"
#define REGISTER(rest)              "registration = (" rest ");\n"
#define ENTRY(zone, prefixes, rest) "{ zone = \"" zone "\"; prefixes = [" prefixes "]; " rest " }"
#define BY(keys)                    "keys = (" keys ");"
#define DHCP                        "{ key = \"dhcp\"; }"
#define BY_DHCP                     BY(DHCP)
/* Four lines, and two zones in one network each, and in both. */
#define ZONES(more)                                                                                \
	KEYS "virtual_networks = (" NETWORK("hub", "10.10.0.0/16", "") "," NETWORK(                \
		"spoke", "10.20.0.0/16",                                                           \
		"") ");\n"                                                                         \
		    "private_zones = (" ZONE("a.test", LINK("h", "hub")) "," ZONE(                 \
			    "b.test",                                                              \
			    LINK("s", "spoke")) "," ZONE("c.test",                                 \
							 LINK("h", "hub") "," LINK("s", "spoke"))  \
			    more ");\n"
#define A(rest) ENTRY("a.test", "\"10.10.0.0/16\"", rest)

static const struct limits_case cases[] = {
	{"an_entry_with_a_key_is_fine", ZONES("") REGISTER(A(BY_DHCP)), 0, 0, 0},
	{"a_zone_without_a_file_is_fine",
	 KEYS "private_zones = ({ name = \"d.test\"; });\n" REGISTER(
		 ENTRY("d.test", "\"10.0.0.0/8\"", BY_DHCP)),
	 0, 0, 0},
	{"everything_may_be_said",
	 ZONES("") REGISTER(
		 ENTRY("A.test.", "\"10.10.0.0/16\", \"2001:db8::/48\"",
		       BY("{ key = \"DHCP.\"; names = \"any\"; }, { key = \"web.a.test\"; names = "
			  "\"self\"; }") " own_address = true; ttl = 1; expire = 172800; "
					 "names_max = 1;")),
	 0, 0, 0},
	{"nothing_needs_to_expire", ZONES("") REGISTER(A(BY_DHCP " expire = 0;")), 0, 0, 0},
	{"expire_leaves_time_for_two_renewals", ZONES("") REGISTER(A(BY_DHCP " expire = 172799;")),
	 4, "registration[0].expire",
	 "warning: 172799 seconds are less than two days; sssd and Windows renew once a day"},
	{"the_zone_is_one_that_is_there",
	 ZONES("") REGISTER(ENTRY("z.test", "\"10.0.0.0/8\"", BY_DHCP)), 4, "registration[0].zone",
	 "there is no private zone \"z.test\"; name one of private_zones"},
	{"a_name_of_several_zones_needs_its_group",
	 ZONES(",{ name = \"e.test\"; resource_group = \"one\"; }, { name = \"e.test\"; "
	       "resource_group = \"two\"; }") REGISTER(ENTRY("e.test", "\"10.0.0.0/8\"", BY_DHCP)),
	 4, "registration[0].zone", "more than one private zone \"e.test\"; give its group: "},
	{"a_group_says_which",
	 ZONES(",{ name = \"e.test\"; resource_group = \"one\"; }, { name = \"e.test\"; "
	       "resource_group = \"two\"; }")
		 REGISTER(ENTRY("two/e.test", "\"10.0.0.0/8\"", BY_DHCP)),
	 0, 0, 0},
	{"the_zone_is_no_reverse_zone",
	 ZONES(",{ name = \"10.10.in-addr.arpa\"; }")
		 REGISTER(ENTRY("10.10.in-addr.arpa", "\"10.10.0.0/16\"", BY_DHCP)),
	 4, "registration[0].zone", "10.10.in-addr.arpa is a reverse zone"},
	{"a_zone_has_one_entry",
	 ZONES("") REGISTER(A(BY_DHCP) ",\n" ENTRY("-/A.test", "\"10.11.0.0/16\"", BY_DHCP)), 5,
	 "registration[1].zone", "a.test has an entry at "},
	{"a_zone_is_required", ZONES("") REGISTER("{ prefixes = [\"10.0.0.0/8\"]; " BY_DHCP " }"),
	 4, "registration[0].zone", "is missing"},

	{"prefixes_are_required", ZONES("") REGISTER("{ zone = \"a.test\"; " BY_DHCP " }"), 4,
	 "registration[0].prefixes", "is missing"},
	{"there_is_a_prefix_at_least", ZONES("") REGISTER(ENTRY("a.test", "", BY_DHCP)), 4,
	 "registration[0].prefixes", "is empty"},
	{"prefixes_of_an_entry_do_not_overlap",
	 ZONES("") REGISTER(ENTRY("a.test", "\"10.0.0.0/8\", \"10.10.0.0/16\"", BY_DHCP)), 4,
	 "registration[0].prefixes[1]", "10.10.0.0/16 overlaps 10.0.0.0/8 of the same entry"},
	{"prefixes_of_one_network_do_not_overlap",
	 ZONES("") REGISTER(
		 A(BY_DHCP) ",\n" ENTRY("c.test", "\"192.0.2.0/24\", \"10.0.0.0/8\"", BY_DHCP)),
	 5, "registration[1].prefixes[1]", "10.0.0.0/8 overlaps 10.10.0.0/16 of the entry at "},
	{"a_prefix_that_overlaps_in_two_networks_is_told_once",
	 ZONES(",{ name = \"f.test\"; links = (" LINK("h", "hub") "," LINK("s", "spoke") "); }")
		 REGISTER(ENTRY("c.test", "\"10.0.0.0/8\"",
				BY_DHCP) ",\n" ENTRY("f.test", "\"10.1.0.0/16\"", BY_DHCP)),
	 5, "registration[1].prefixes[0]", "both zones are linked to the network"},
	{"prefixes_of_networks_apart_may_overlap",
	 ZONES("") REGISTER(A(BY_DHCP) "," ENTRY("b.test", "\"10.10.0.0/16\"", BY_DHCP)), 0, 0, 0},
	{"neighbours_do_not_overlap",
	 ZONES("") REGISTER(
		 A(BY_DHCP) "," ENTRY("c.test", "\"10.11.0.0/16\", \"10.9.0.0/16\"", BY_DHCP)),
	 0, 0, 0},

	{"a_key_is_one_of_the_keys", ZONES("") REGISTER(A(BY("{ key = \"other\"; }"))), 4,
	 "registration[0].keys[0].key", "there is no key \"other\"; name one of `keys`"},
	{"a_key_is_listed_once", ZONES("") REGISTER(A(BY(DHCP ",\n{ key = \"DHCP.\"; }"))), 5,
	 "registration[0].keys[1].key", "is listed already"},
	{"names_are_one_of_three_words",
	 ZONES("") REGISTER(A(BY("{ key = \"dhcp\"; names = \"selfsub\"; }"))), 4,
	 "registration[0].keys[0].names", "\"any\", \"self\" or \"subdomain\""},
	{"without_key_and_own_address_nothing_registers", ZONES("") REGISTER(A("")), 4,
	 "registration[0].keys", "warning: nothing can register here"},
	{"without_a_state_nothing_registers",
	 "private_zones = ({ name = \"d.test\"; });\n" REGISTER(
		 ENTRY("d.test", "\"10.0.0.0/8\"", "own_address = true;")),
	 2, "registration[0]",
	 "warning: nothing can register without a file to keep it in; set management.state"},
	{"clients_do_not_find_a_zone_that_passes_their_names_on",
	 ZONES(",{ name = \"e.test\"; links = ({ name = \"l\"; virtual_network = \"spoke\"; }, { "
	       "name = \"h\"; virtual_network = \"hub\"; resolution_policy = "
	       "\"NxDomainFallthrough\"; }); }")
		 REGISTER(ENTRY("e.test", "\"10.10.0.0/16\"", BY_DHCP)),
	 4, "registration[0].zone",
	 "warning: clients in virtual network \"hub\" do not find \"e.test\" by a name that it "
	 "does "
	 "not have yet"},
	{"own_address_needs_no_key", ZONES("") REGISTER(A("own_address = true;")), 0, 0, 0},

	{"a_ttl_is_a_second_at_least", ZONES("") REGISTER(A(BY_DHCP "ttl = 0;")), 4,
	 "registration[0].ttl", "from 1 to"},
	{"one_name_is_the_least", ZONES("") REGISTER(A(BY_DHCP "names_max = 0;")), 4,
	 "registration[0].names_max", "from 1 to"},
};

int main(void)
{
	return limits_cases_run("limits_registration", cases, sizeof cases / sizeof cases[0]);
}
