/* Private zones and their links: each restriction one over and at it. */
#include "tests/lib/limits_case.h"

#define NETWORKS                                                                                   \
	"virtual_networks = (" NETWORK("a", "10.0.0.0/8", "") "," NETWORK("b", "11.0.0.0/8",       \
									  "") ");\n"
#define ZONES(...)  NETWORKS "private_zones = (" __VA_ARGS__ ");\n"
#define NAMED(name) ZONES(ZONE(name, ""))
#define FIVE        "a.a.a.a.a."
#define THIRTY      FIVE FIVE FIVE FIVE FIVE FIVE
#define RESERVED(n)                                                                                \
	{                                                                                          \
		n " is reserved", NAMED(n), 2, "private_zones[" n "].name",                        \
			"is reserved for Azure"                                                    \
	}
#define FREE(n)                                                                                    \
	{                                                                                          \
		"below " n " all is free", NAMED("privatelink." n), 0, 0, 0                        \
	}
#define LINKED_BY(name, policy)                                                                    \
	ZONES(ZONE(name, "{ name = \"l\"; virtual_network = \"a\"; resolution_policy = \"" policy  \
			 "\"; }"))
#define REDIRECT(name) LINKED_BY(name, "NxDomainRedirect")

#define SET(name, rest) "{ name = \"" name "\"; " rest " }"
#define SETS(...)       ZONES("{ name = \"z.test\"; record_sets = (" __VA_ARGS__ "); }")
#define ONE             "records = [ \"10.0.0.1\" ];"
#define TWO             "records = [ \"10.0.0.1\", \"10.0.0.2\" ];"
#define SET_PATH(name)  "private_zones[z.test].record_sets[" name "]"

static const struct limits_case cases[] = {
	{"a_zone_of_two_labels_is_fine", NAMED("corp.test"), 0, 0, 0},
	{"a_zone_of_one_label_is_refused", NAMED("corp"), 2, "private_zones[corp].name",
	 "has 1 label; a private zone has 2 to 34, unless limits.zone_labels_min allows fewer"},
	{"a_zone_of_one_label_can_be_allowed", NAMED("lan") "limits = { zone_labels_min = 1; };", 0,
	 0, 0},
	{"the_root_is_no_zone_whatever_is_allowed", NAMED(".") "limits = { zone_labels_min = 1; };",
	 2, "private_zones[.].name", "has 0 labels; a private zone has 1 to 34"},
	{"zones_may_be_made_to_have_more", NAMED("a.b") "limits = { zone_labels_min = 3; };", 2,
	 "private_zones[a.b].name", "has 2 labels; a private zone has 3 to 34"},
	{"a_zone_of_34_labels_is_fine", NAMED(THIRTY "a.a.a.a"), 0, 0, 0},
	{"a_zone_of_35_labels_is_refused", NAMED(THIRTY "a.a.a.a.a"), 2,
	 "private_zones[" THIRTY "a.a.a.a.a].name", "has 35 labels; a private zone has 2 to 34"},
	{"a_zones_name_may_be_written_with_its_final_dot", NAMED("corp.test."), 0, 0, 0},
	{"a_zone_is_the_same_with_and_without_its_final_dot",
	 ZONES(ZONE("corp.test.", "") ",\n" ZONE("Corp.test", "")), 3,
	 "private_zones[Corp.test].name", "is already the name of the private zone at"},

	RESERVED("azclient.ms"),
	RESERVED("azure.com"),
	RESERVED("cloudapp.net"),
	RESERVED("core.windows.net"),
	RESERVED("microsoft.com"),
	RESERVED("msidentity.com"),
	RESERVED("trafficmanager.net"),
	RESERVED("windows.net"),
	RESERVED("azure.us"),
	RESERVED("usgovcloudapp.net"),
	RESERVED("core.usgovcloudapi.net"),
	RESERVED("azure.cn"),
	RESERVED("chinacloudapp.cn"),
	RESERVED("chinacloudapi.cn"),
	RESERVED("Windows.NET"),
	FREE("windows.net"),
	FREE("azure.com"),
	FREE("blob.core.windows.net"),
	{"what_only_ends_like_a_reserved_zone_is_free", NAMED("mywindows.net"), 0, 0, 0},

	{"a_zone_without_a_file_has_record_sets", SETS(SET("www:A", TWO) "," SET("@:A", ONE)), 0, 0,
	 0},
	{"a_zone_without_either_is_fine", ZONES("{ name = \"z.test\"; }"), 0, 0, 0},
	{"a_file_and_record_sets_are_refused",
	 ZONES("{ name = \"z.test\"; file = \"zone\"; record_sets = (" SET("www:A", ONE) "); }"), 2,
	 "private_zones[z.test].record_sets", "a zone has the one or the other"},
	{"a_record_set_is_declared_once", SETS(SET("www:A", ONE) ",\n" SET("WWW:a", ONE)), 3,
	 SET_PATH("WWW:a") ".name", "is already the name of the record set at"},
	{"a_record_set_has_so_many_records",
	 SETS(SET("www:A", TWO)) "limits = { records_per_record_set = 1; };", 2,
	 "private_zones[z.test].record_sets", "www.z.test. A in z.test has 2 records"},
	{"a_zone_has_so_many_record_sets",
	 SETS(SET("www:A", ONE)) "limits = { record_sets_per_zone = 1; };", 2,
	 "private_zones[z.test].record_sets", "z.test has 2 record sets, and at most 1 is allowed"},
	{"a_record_sets_metadata_is_name_and_value",
	 SETS(SET("www:A", ONE " metadata = [ \"x\" ];")), 2, SET_PATH("www:A") ".metadata",
	 "give \"NAME=VALUE\""},
	{"a_record_set_has_an_owner_and_a_type", SETS(SET("www", ONE)), 2, SET_PATH("www") ".name",
	 "give OWNER:TYPE, such as www:A or @:MX"},
	{"its_owner_is_relative", SETS(SET("www.z.test.:A", ONE)), 2,
	 SET_PATH("www.z.test.:A") ".name", "is written www:A"},
	{"and_inside_the_zone", SETS(SET("www.:A", ONE)), 2, SET_PATH("www.:A") ".name",
	 "the owner is outside the zone"},
	{"its_owner_has_no_needless_escape", SETS(SET("w\\\\119w:A", ONE)), 2,
	 SET_PATH("w\\119w:A") ".name", "is written www:A"},
	{"its_type_has_a_name", SETS(SET("www:TYPE1", ONE)), 2, SET_PATH("www:TYPE1") ".name",
	 "is written www:A"},
	{"its_type_is_one", SETS(SET("www:B", ONE)), 2, SET_PATH("www:B") ".name",
	 "is not a record type"},
	{"its_data_are_of_the_type", SETS(SET("www:AAAA", ONE)), 2, SET_PATH("www:AAAA") ".records",
	 "the data of this AAAA record, \"10.0.0.1\", is not right"},
	{"its_data_have_no_comment", SETS(SET("www:TXT", "records = [ \"a ; b\" ];")), 2,
	 SET_PATH("www:TXT") ".records", "it has a comment or a parenthesis"},
	{"but_what_is_quoted_is_data", SETS(SET("www:TXT", "records = [ \"\\\"a ; (b\\\"\" ];")), 0,
	 0, 0},
	{"a_quote_is_closed", SETS(SET("www:TXT", "records = [ \"\\\"a\" ];")), 2,
	 SET_PATH("www:TXT") ".records", "a \" is not closed"},
	{"a_record_set_may_be_empty", SETS(SET("www:A", "records = [ ];")), 0, 0, 0},
	{"a_cname_stands_alone_among_record_sets",
	 SETS(SET("www:A", ONE) ",\n" SET("www:CNAME", "records = [ \"web\" ];")), 3,
	 SET_PATH("www:CNAME"), "has a CNAME beside A data (line 2); a CNAME stands alone"},
	{"there_is_no_ns_below_the_apex", SETS(SET("sub:NS", "records = [ \"ns.other.test.\" ];")),
	 2, SET_PATH("sub:NS"), "a private zone has no delegations"},

	{"two_zones_of_one_name_are_in_two_groups",
	 ZONES(ZONE("z.test", LINK("l", "a")) ",\n" ZONE("Z.test", LINK("l", "b"))), 3,
	 "private_zones[Z.test].name", "choose another, or another resource_group"},
	{"two_zones_of_one_name_are_fine_in_two_networks",
	 ZONES(ZONE("z.test", LINK("l", "a")) "," ZONE("Z.test\"; resource_group = \"g",
						       LINK("l", "b"))),
	 0, 0, 0},
	{"two_zones_of_one_name_are_not_seen_in_one_network",
	 ZONES(ZONE("z.test", LINK("l", "a")) ",\n" ZONE("Z.test\"; resource_group = \"g",
							 LINK("l", "A"))),
	 3, "private_zones[g/Z.test].links[l].virtual_network",
	 "linked to another zone \"z.test\""},
	{"a_network_is_linked_to_a_zone_once",
	 ZONES(ZONE("z.test", LINK("l", "a") ",\n" LINK("m", "A"))), 3,
	 "private_zones[z.test].links[m].virtual_network", "to this zone twice"},
	{"link_names_are_unique_in_a_zone",
	 ZONES(ZONE("z.test", LINK("l", "a") ",\n" LINK("L", "b"))), 3,
	 "private_zones[z.test].links[L].name", "is already the name of the link at"},
	{"link_names_may_be_equal_in_two_zones",
	 ZONES(ZONE("y.test", LINK("l", "a")) "," ZONE("z.test", LINK("l", "a"))), 0, 0, 0},
	{"a_link_names_a_network", ZONES(ZONE("z.test", LINK("l", "c"))), 2,
	 "private_zones[z.test].links[l].virtual_network", "no virtual network \"c\""},
	{"zones_and_networks_may_differ_in_region",
	 "region = \"east\";\nvirtual_networks = ({ name = \"a\"; region = \"west\"; address_space "
	 "= [\"10.0.0.0/8\"]; });\nprivate_zones = (" ZONE("z.test", LINK("l", "a")) ");",
	 0, 0, 0},

	{"redirection_is_for_privatelink_zones", REDIRECT("privatelink.blob.core.windows.net"), 0,
	 0, 0},
	{"redirection_is_not_for_other_zones", REDIRECT("blob.core.windows.net"), 2,
	 "private_zones[blob.core.windows.net].links[l].resolution_policy", "privatelink.*"},
	{"privatelink_is_a_whole_label", REDIRECT("privatelinks.test"), 2,
	 "private_zones[privatelinks.test].links[l].resolution_policy", "privatelink.*"},
	{"privatelink_is_the_first_label", REDIRECT("x.privatelink.test"), 2,
	 "private_zones[x.privatelink.test].links[l].resolution_policy", "privatelink.*"},
	{"privatelink_is_compared_without_case", REDIRECT("PrivateLink.test"), 0, 0, 0},
	{"names_may_be_passed_on_by_any_zone", LINKED_BY("corp.test", "NxDomainFallthrough"), 0, 0,
	 0},
	{"names_may_be_passed_on_by_a_privatelink_zone",
	 LINKED_BY("privatelink.test", "NxDomainFallthrough"), 0, 0, 0},
	{"a_link_that_passes_names_on_is_one_of_the_zones_links",
	 ZONES(ZONE("z.test", "{ name = \"l\"; virtual_network = \"a\"; resolution_policy = "
			      "\"NxDomainFallthrough\"; }, " LINK("m", "a"))),
	 2, "private_zones[z.test].links[m].virtual_network", "is linked to this zone twice"},
};

int main(void)
{
	return limits_cases_run("limits of zones", cases, sizeof cases / sizeof cases[0]);
}
