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
#define REDIRECT(name)                                                                             \
	ZONES(ZONE(name, "{ name = \"l\"; virtual_network = \"a\"; resolution_policy = "           \
			 "\"NxDomainRedirect\"; }"))

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
	{"a_zones_name_has_no_final_dot", NAMED("corp.test."), 2, "private_zones[corp.test.].name",
	 "write \"corp.test\""},

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

	{"two_zones_of_one_name_are_fine_in_two_networks",
	 ZONES(ZONE("z.test", LINK("l", "a")) "," ZONE("Z.test", LINK("l", "b"))), 0, 0, 0},
	{"two_zones_of_one_name_are_not_seen_in_one_network",
	 ZONES(ZONE("z.test", LINK("l", "a")) ",\n" ZONE("Z.test", LINK("l", "A"))), 3,
	 "private_zones[Z.test].links[l].virtual_network", "linked to another zone \"z.test\""},
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
};

int main(void)
{
	return limits_cases_run("limits of zones", cases, sizeof cases / sizeof cases[0]);
}
