/* Keys and zones that go out: each rule at its edge, by a configuration as an operator writes it.
 */
#include "tests/lib/limits_case.h"

#define KEY(name, rest) "{ name = \"" name "\"; " rest " }"
#define KEYS(keys)      "keys = (" keys ");\n"
#define SECRET          "secret = \"Zm9vYmFy\";"
#define POOL(prefix)                                                                               \
	"address_pools = ({ name = \"p\"; prefix = \"" prefix "\"; }); "                           \
	"reverse = { name_servers = [\"ns.test\"]; };\n"
#define OUT(rest)      "transfers = ({ " rest " });\n"
#define ALLOW          "allow = [\"192.0.2.0/24\"]; "
#define ZONES(all)     "zones = [" all "]; "
#define DEV_ZONE(name) "{ name = \"" name "\"; resource_group = \"dev\"; file = \"zone\"; }"
#define FOUR           POOL("198.51.100.0/24")
#define REVERSE        ZONES("\"100.51.198.in-addr.arpa\"")

static const struct limits_case cases[] = {
	{"a_key_with_a_secret_is_fine", KEYS(KEY("k", SECRET)), 0, 0, 0},
	{"a_key_needs_a_secret", KEYS(KEY("k", "")), 1, "keys[k].secret", "has no secret"},
	{"a_key_has_one_secret", KEYS(KEY("k", SECRET "secret_file = \"zone\";")), 1,
	 "keys[k].secret", "keep one of them"},
	{"a_secret_is_base64", KEYS(KEY("k", "secret = \"Zm9\";")), 1, "keys[k].secret",
	 "not base64"},
	{"key_names_are_unique_with_or_without_a_dot",
	 KEYS(KEY("k", SECRET) ",\n" KEY("K.", SECRET)), 2, "keys[K.].name",
	 "is already the name of the key at"},

	{"a_reverse_zone_goes_out_by_its_name", FOUR OUT(REVERSE ALLOW), 0, 0, 0},
	{"a_zones_name_may_have_its_dot", FOUR OUT(ZONES("\"100.51.198.IN-ADDR.arpa.\"") ALLOW), 0,
	 0, 0},
	{"all_reverse_zones_are_a_star", FOUR OUT(ZONES("\"*\"") ALLOW), 0, 0, 0},
	{"a_cut_above_the_pools_is_no_zone", FOUR OUT(ZONES("\"51.198.in-addr.arpa\"") ALLOW), 2,
	 "transfers[0].zones[0]", "there is no zone"},
	{"a_neighbour_of_the_pool_is_no_zone", FOUR OUT(ZONES("\"101.51.198.in-addr.arpa\"") ALLOW),
	 2, "transfers[0].zones[0]", "there is no zone"},
	{"a_small_pools_zone_is_within_its_octet",
	 POOL("198.51.100.64/26") OUT(ZONES("\"64-127.100.51.198.in-addr.arpa\"") ALLOW), 0, 0, 0},
	{"a_small_pools_zone_has_another_spelling",
	 POOL("198.51.100.64/26") OUT(ZONES("\"64-26.100.51.198.in-addr.arpa\"") ALLOW), 0, 0, 0},
	{"a_small_pools_octet_is_somebody_elses", POOL("198.51.100.64/26") OUT(REVERSE ALLOW), 2,
	 "transfers[0].zones[0]", "there is no zone"},
	{"a_wide_pool_has_a_zone_for_each_octet",
	 POOL("198.51.100.0/22") OUT(ZONES("\"103.51.198.in-addr.arpa\"") ALLOW), 0, 0, 0},
	{"a_wide_pool_ends_at_its_last_octet",
	 POOL("198.51.100.0/22") OUT(ZONES("\"104.51.198.in-addr.arpa\"") ALLOW), 2,
	 "transfers[0].zones[0]", "there is no zone"},
	{"an_ipv6_pool_is_cut_at_a_nibble",
	 POOL("2001:db8::/32") OUT(ZONES("\"8.b.d.0.1.0.0.2.ip6.arpa\"") ALLOW), 0, 0, 0},
	{"a_private_zone_goes_out_by_its_name",
	 "private_zones = (" ZONE("a.test", "") ");\n" OUT(ZONES("\"A.test.\"") ALLOW), 0, 0, 0},
	{"a_reverse_zone_has_its_name_to_itself_in_no_group",
	 "private_zones = (" ZONE("100.51.198.in-addr.arpa", "") ");\n" FOUR OUT(REVERSE ALLOW), 3,
	 "transfers[0].zones[0]",
	 "100.51.198.in-addr.arpa is the name of a reverse zone and of the private zone at"},
	{"so_it_has_where_the_private_zone_is_named",
	 "private_zones = (" ZONE("100.51.198.in-addr.arpa",
				  "") ");\n" FOUR OUT(ZONES("\"-/100.51.198.in-addr.arpa\"") ALLOW),
	 3, "transfers[0].zones[0]", "put the private zone into a resource group"},
	{"a_private_zone_that_does_not_go_out_may_have_a_reverse_zones_name",
	 "private_zones = (" ZONE("100.51.198.in-addr.arpa",
				  "") ");\n" FOUR OUT(ZONES("\"*\"") ALLOW),
	 0, 0, 0},
	{"a_client_may_not_have_a_reverse_zone_and_a_private_zone_of_its_name",
	 "private_zones = (" DEV_ZONE("100.51.198.in-addr.arpa") ");\n" FOUR OUT(
		 REVERSE ALLOW "}, { " ZONES("\"dev/100.51.198.in-addr.arpa\"") ALLOW),
	 3, "transfers[1].zones[0]",
	 "a client that may copy dev/100.51.198.in-addr.arpa by this entry may copy the reverse "
	 "zone 100.51.198.in-addr.arpa by the entry at"},
	{"nor_by_every_reverse_zone",
	 "private_zones = (" DEV_ZONE("100.51.198.in-addr.arpa") ");\n" FOUR OUT(
		 ZONES("\"dev/100.51.198.in-addr.arpa\", \"*\"") ALLOW),
	 3, "transfers[0].zones[1]", "a client that may copy the reverse zone"},
	{"but_a_star_has_no_zone_with_private_addresses",
	 "private_zones = (" DEV_ZONE("172.in-addr.arpa") ");\n" POOL("172.0.0.0/8")
		 OUT(ZONES("\"dev/172.in-addr.arpa\", \"*\"") ALLOW),
	 0, 0, 0},
	{"one_client_may_have_the_one_and_another_the_other",
	 "private_zones = (" DEV_ZONE("100.51.198.in-addr.arpa") ");\n" FOUR OUT(
		 REVERSE ALLOW
		 "}, { " ZONES("\"dev/100.51.198.in-addr.arpa\"") "allow = [\"203.0.113.0/24\"];"),
	 0, 0, 0},
	{"a_zone_that_is_not_there_does_not", OUT(ZONES("\"a.test\"") ALLOW), 1,
	 "transfers[0].zones[0]", "there is no zone \"a.test\""},
	{"an_entry_names_a_zone", OUT(ZONES("") ALLOW), 1, "transfers[0].zones",
	 "no zone is named"},
	{"a_reverse_zone_without_name_servers_is_warned_of",
	 "address_pools = ({ name = \"p\"; prefix = \"198.51.100.0/24\"; });\n" OUT(REVERSE ALLOW),
	 2, "transfers[0].zones", "warning: have no NS"},

	{"an_entrys_name_is_its_own",
	 FOUR OUT(REVERSE ALLOW "name = \"a\"; }, { " REVERSE ALLOW "name = \"A\";"), 2,
	 "transfers[A].name", "is already the name of the transfer at"},
	{"an_entrys_name_is_not_anothers_place",
	 FOUR OUT(REVERSE ALLOW "}, { " REVERSE ALLOW "name = \"0\";"), 2, "transfers[0].name",
	 "is already the name of the transfer at"},
	{"an_entry_says_who_may", FOUR OUT(REVERSE), 2, "transfers[0].allow",
	 "anybody could copy the zones"},
	{"whoever_has_the_key_may", KEYS(KEY("k", SECRET)) FOUR OUT(REVERSE "key = \"k.\";"), 0, 0,
	 0},
	{"an_entrys_key_is_one_of_the_keys", FOUR OUT(REVERSE ALLOW "key = \"k\";"), 2,
	 "transfers[0].key", "there is no key \"k\""},
	{"a_peer_is_told_from_a_source_of_its_family",
	 FOUR OUT(REVERSE ALLOW "notify = [\"[2001:db8::1]:53\"]; source = \"192.0.2.1\";"), 2,
	 "transfers[0].notify[0]", "which is IPv4"},
	{"a_peer_may_have_a_port",
	 FOUR OUT(REVERSE ALLOW "notify = [\"192.0.2.5:5353\"]; source = \"192.0.2.1\";"), 0, 0, 0},
	{"a_peer_is_an_address_that_can_be_asked",
	 FOUR OUT(REVERSE ALLOW "notify = [\"0.0.0.0\"];"), 2, "transfers[0].notify[0]", ""},
};

int main(void)
{
	return limits_cases_run("limits_transfer", cases, sizeof cases / sizeof cases[0]);
}
