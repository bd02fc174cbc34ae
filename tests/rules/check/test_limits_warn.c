/* Warnings: what each says, where it stands, and when there is none. */
#include "tests/lib/limits_case.h"

#define HUB_AND_SPOKE                                                                              \
	"virtual_networks = (" HUB ",\n" SPOKE ");\nresolvers = (" R                               \
	",\n" RESOLVER("s", "spoke", INBOUND("listen = \"127.0.0.1:5301\";")) ");\n"
#define RULESETS(...) HUB_AND_SPOKE "rulesets = (" __VA_ARGS__ ");\n"
#define ZONES(...)    "private_zones = (" __VA_ARGS__ ");\n"
#define PLAIN         "127.0.0.2"
#define HUB_IN        "10.10.0.4"
#define SPOKE_IN      "10.20.0.4"
#define ONE(links, domain, target)                                                                 \
	RULESETS(RULESET("rs", links, "\n" RULE("one", domain, "\n" TARGET(target))))
#define FROM(source, target)                                                                       \
	"virtual_networks = (" HUB                                                                 \
	");\nresolvers = (" RESOLVER("r", "hub", OUTBOUND(source)) ");\nrulesets = (" RULESET(     \
		"rs", LINK("l", "hub"), RULE("one", "a.test.", TARGET(target))) ");\n"
#define TO_HUB   LINK("l", "hub")
#define TO_SPOKE LINK("m", "spoke")
#define SHADOWS(domain, zone, linked)                                                              \
	ONE(TO_HUB, domain, PLAIN) ZONES(ZONE(zone, LINK("l", linked)))
#define PASSES(name, zone_network)                                                                 \
	"{ name = \"" name "\"; virtual_network = \"" zone_network                                 \
	"\"; resolution_policy = \"NxDomainFallthrough\"; }"
#define SHADOWED "warning: never reached in virtual network \"hub\""

#define BY_GROUP(links, target)                                                                    \
	RULESETS("{ name = \"rs\"; outbound_endpoints = [ \"r/out\" ]; links = (" links            \
		 ");\ntarget_groups = ({ name = \"dc\"; targets = (" TARGET(                       \
			 target) "); });\nrules = ({ name = \"one\"; domain = \"a.test.\"; "       \
				 "target_group = \"dc\"; }, { name = \"two\"; domain = "           \
				 "\"b.test.\"; "                                                   \
				 "target_group = \"dc\"; }); }")

/* Addresses with and without a label, and a service: what has a name in Azure's domains unless a
 * suffix is set. */
#define POOL(region) region "address_pools = ({ name = \"p\"; prefix = \"198.51.100.0/24\"; });\n"
#define LABELLED(name, address, label)                                                             \
	"{ name = \"" name "\"; address = \"" address "\"; domain_name_label = \"" label "\"; }"
#define LABELS                                                                                     \
	"addresses = ({ name = \"plain\"; address = \"198.51.100.1\"; },\n" LABELLED(              \
		"a", "198.51.100.2", "web") ",\n" LABELLED("b", "198.51.100.3", "mail") ");\n"
#define SERVICE(name, address) "{ name = \"" name "\"; address = \"" address "\"; }"
#define EAST                   "region = \"east\"; "

/* 63 of them: one short of a quarter. */
#define SLASH8S                                                                                    \
	"\"1.0.0.0/8\", \"2.0.0.0/8\", \"3.0.0.0/8\", \"4.0.0.0/8\", "                             \
	"\"5.0.0.0/8\", \"6.0.0.0/8\", \"7.0.0.0/8\", \"8.0.0.0/8\", "                             \
	"\"9.0.0.0/8\", \"10.0.0.0/8\", \"11.0.0.0/8\", \"12.0.0.0/8\", "                          \
	"\"13.0.0.0/8\", \"14.0.0.0/8\", \"15.0.0.0/8\", \"16.0.0.0/8\", "                         \
	"\"17.0.0.0/8\", \"18.0.0.0/8\", \"19.0.0.0/8\", \"20.0.0.0/8\", "                         \
	"\"21.0.0.0/8\", \"22.0.0.0/8\", \"23.0.0.0/8\", \"24.0.0.0/8\", "                         \
	"\"25.0.0.0/8\", \"26.0.0.0/8\", \"27.0.0.0/8\", \"28.0.0.0/8\", "                         \
	"\"29.0.0.0/8\", \"30.0.0.0/8\", \"31.0.0.0/8\", \"32.0.0.0/8\", "                         \
	"\"33.0.0.0/8\", \"34.0.0.0/8\", \"35.0.0.0/8\", \"36.0.0.0/8\", "                         \
	"\"37.0.0.0/8\", \"38.0.0.0/8\", \"39.0.0.0/8\", \"40.0.0.0/8\", "                         \
	"\"41.0.0.0/8\", \"42.0.0.0/8\", \"43.0.0.0/8\", \"44.0.0.0/8\", "                         \
	"\"45.0.0.0/8\", \"46.0.0.0/8\", \"47.0.0.0/8\", \"48.0.0.0/8\", "                         \
	"\"49.0.0.0/8\", \"50.0.0.0/8\", \"51.0.0.0/8\", \"52.0.0.0/8\", "                         \
	"\"53.0.0.0/8\", \"54.0.0.0/8\", \"55.0.0.0/8\", \"56.0.0.0/8\", "                         \
	"\"57.0.0.0/8\", \"58.0.0.0/8\", \"59.0.0.0/8\", \"60.0.0.0/8\", "                         \
	"\"61.0.0.0/8\", \"62.0.0.0/8\", \"63.0.0.0/8\", "

static const struct limits_case cases[] = {
	{"a_target_groups_target_is_told_once", BY_GROUP(TO_HUB, "192.0.2.1"), 6,
	 "rulesets[rs].target_groups[dc].targets[0].address",
	 "warning: 192.0.2.1 cannot be reached"},
	{"a_link_to_the_network_of_a_groups_target_is_a_loop", BY_GROUP(TO_HUB, HUB_IN), 6,
	 "rulesets[rs].target_groups[dc].targets[0].address",
	 "warning: is the inbound endpoint r/in in virtual network \"hub\", which this ruleset is "
	 "linked to: rule \"one\" is a loop; remove this target or the link \"l\""},
	{"a_target_group_may_lead_into_another_network", BY_GROUP(TO_HUB, SPOKE_IN), 0, 0, 0},

	{"a_rule_at_a_linked_zone_is_never_reached", SHADOWS("z.test.", "z.test", "hub"), 6,
	 "rulesets[rs].rules[one].domain", SHADOWED ": private zone z.test."},
	{"a_rule_below_a_linked_zone_is_never_reached", SHADOWS("a.b.Z.test.", "z.test", "hub"), 6,
	 "rulesets[rs].rules[one].domain", SHADOWED ": private zone z.test."},
	{"a_rule_above_a_linked_zone_is_reached", SHADOWS("test.", "z.test", "hub"), 0, 0, 0},
	{"a_rule_beside_a_linked_zone_is_reached", SHADOWS("az.test.", "z.test", "hub"), 0, 0, 0},
	{"a_zone_of_another_network_shadows_nothing", SHADOWS("z.test.", "z.test", "spoke"), 0, 0,
	 0},
	{"a_rule_below_a_zone_that_passes_names_on_is_reached",
	 ONE(TO_HUB, "a.z.test.", PLAIN) ZONES(ZONE("z.test", PASSES("l", "hub"))), 0, 0, 0},
	{"a_shorter_zone_shadows_behind_one_that_passes_names_on",
	 ONE(TO_HUB, "a.y.z.test.", PLAIN)
		 ZONES(ZONE("y.z.test", PASSES("l", "hub")) "," ZONE("z.test", LINK("l", "hub"))),
	 6, "rulesets[rs].rules[one].domain", SHADOWED ": private zone z.test."},
	{"a_zone_shadows_in_another_network_than_where_it_passes_names_on",
	 ONE(TO_SPOKE "," TO_HUB, "z.test.", PLAIN)
		 ZONES(ZONE("z.test", PASSES("m", "spoke") "," LINK("l", "hub"))),
	 6, "rulesets[rs].rules[one].domain", SHADOWED ": private zone z.test."},
	{"a_second_link_is_looked_at_too",
	 ONE(TO_SPOKE "," TO_HUB, "z.test.", PLAIN) ZONES(ZONE("z.test", LINK("l", "hub"))), 6,
	 "rulesets[rs].rules[one].domain", SHADOWED},
	{"a_disabled_rule_is_not_shadowed",
	 RULESETS(RULESET("rs", TO_HUB,
			  "{ name = \"one\"; domain = \"z.test.\"; state = "
			  "\"Disabled\"; targets = (" TARGET(PLAIN) "); }"))
		 ZONES(ZONE("z.test", LINK("l", "hub"))),
	 0, 0, 0},

	{"loopback_reaches_loopback", FROM("source = \"127.0.0.1\";", "127.0.0.2"), 0, 0, 0},
	{"loopback_does_not_reach_out", FROM("source = \"127.0.0.1\";", "192.0.2.1"), 3,
	 "rulesets[rs].rules[one].targets[0].address", "warning: 192.0.2.1 cannot be reached"},
	{"a_network_does_not_reach_loopback", FROM("", "127.0.0.2"), 3,
	 "rulesets[rs].rules[one].targets[0].address", "warning: 127.0.0.2 cannot be reached"},
	{"a_network_reaches_out", FROM("", "192.0.2.1"), 0, 0, 0},
	{"ipv4_does_not_reach_ipv6", FROM("", "2001:db8::1"), 3,
	 "rulesets[rs].rules[one].targets[0].address", "warning: 2001:db8::1 cannot be reached"},
	{"ipv6_reaches_ipv6", FROM("source = \"2001:db8::2\";", "2001:db8::1"), 0, 0, 0},
	{"the_systems_choice_reaches_loopback", FROM("source = \"0.0.0.0\";", "127.0.0.2"), 0, 0,
	 0},
	{"the_systems_choice_reaches_out", FROM("source = \"0.0.0.0\";", "192.0.2.1"), 0, 0, 0},
	{"one_endpoint_that_reaches_is_enough",
	 "virtual_networks = (" HUB ");\nresolvers = (" RESOLVER(
		 "r", "hub",
		 "outbound_endpoints = ({ name = \"out\"; subnet = \"out\"; "
		 "source = \"::\"; }, { "
		 "name = \"o2\"; subnet = \"in\"; source = \"127.0.0.1\"; "
		 "}); ") ");\nrulesets = ({ name = \"rs\"; outbound_endpoints "
			 "= [\"r/out\", \"r/o2\"]; rules = "
			 "(" RULE("one", "a.test.", TARGET("127.0.0.2")) "); });\n",
	 0, 0, 0},
	{"our_own_endpoint_is_entered_and_needs_no_way", ONE(TO_HUB, "a.test.", SPOKE_IN), 0, 0, 0},

	{"a_ruleset_is_not_linked_to_where_it_forwards", ONE(TO_HUB, "a.test.", HUB_IN), 7,
	 "rulesets[rs].rules[one].targets[0].address",
	 "warning: is the inbound endpoint r/in in virtual network \"hub\""},
	{"an_endpoints_listener_means_the_endpoint",
	 RULESETS(RULESET("rs", TO_HUB,
			  RULE("one", "a.test.", "{ address = \"127.0.0.1\"; port = 5300; }"))),
	 5, "rulesets[rs].rules[one].targets[0].address", "warning: is the inbound endpoint r/in"},
	{"forwarding_from_the_spoke_to_the_hub_is_fine", ONE(TO_SPOKE, "a.test.", HUB_IN), 0, 0, 0},
	{"a_ping_and_a_pong_are_a_loop",
	 "limits = { rulesets_per_outbound_endpoint = 3; };\n" RULESETS(
		 RULESET("rs", TO_HUB, RULE("one", "a.test.", TARGET(SPOKE_IN))) ",\n" RULESET(
			 "rt", TO_SPOKE,
			 RULE("two", "x.test.", TARGET(HUB_IN)) ",\n" RULE("three", "b.a.test.",
									   TARGET(HUB_IN)))),
	 8, "rulesets[rt].rules[three].targets[0].address",
	 "warning: a forwarding loop for b.a.test.: r/in (\"hub\") -> s/in (\"spoke\") -> r/in"},
	{"a_ruleset_that_is_linked_nowhere_makes_no_loop",
	 "limits = { rulesets_per_outbound_endpoint = 3; };\n" RULESETS(
		 RULESET("rs", TO_HUB, RULE("one", "a.test.", TARGET(SPOKE_IN))) ",\n" RULESET(
			 "rt", "", RULE("three", "b.a.test.", TARGET(HUB_IN)))),
	 0, 0, 0},
	{"a_zone_on_the_way_ends_the_loop",
	 "limits = { rulesets_per_outbound_endpoint = 3; };\n" RULESETS(
		 RULESET("rs", TO_HUB, RULE("one", "a.test.", TARGET(SPOKE_IN))) ",\n" RULESET(
			 "rt", TO_SPOKE, RULE("three", "b.a.test.", TARGET(HUB_IN))))
		 ZONES(ZONE("b.a.test", LINK("l", "hub"))),
	 0, 0, 0},
	{"a_zone_that_passes_names_on_ends_no_loop",
	 "limits = { rulesets_per_outbound_endpoint = 3; };\n" RULESETS(
		 RULESET("rs", TO_HUB, RULE("one", "a.test.", TARGET(SPOKE_IN))) ",\n" RULESET(
			 "rt", TO_SPOKE, RULE("three", "b.a.test.", TARGET(HUB_IN))))
		 ZONES(ZONE("b.a.test", PASSES("l", "hub"))),
	 7, "rulesets[rt].rules[three].targets[0].address",
	 "warning: a forwarding loop for b.a.test.: r/in (\"hub\") -> s/in (\"spoke\") -> r/in"},
	{"a_default_resolver_that_is_us_is_a_loop",
	 HUB_AND_SPOKE "default_resolver = { targets = (" TARGET(HUB_IN) "); };", 5,
	 "default_resolver.targets[0].address",
	 "warning: a forwarding loop for .: r/in (\"hub\") -> r/in"},
	{"a_network_without_the_default_resolver_ends_the_loop",
	 "virtual_networks = ({ name = \"hub\"; address_space = [\"10.10.0.0/16\"]; subnets = "
	 "(" SUBNET("in", "10.10.0.0/28") "," SUBNET(
		 "out", "10.10.0.16/28") "); "
					 "uses_default_resolver = false; });\nresolvers = (" R
					 ");\n"
					 "default_resolver = { targets = (" TARGET(HUB_IN) "); };",
	 0, 0, "forwarding loop"},
	{"a_loop_by_a_target_group_is_told_once",
	 "limits = { rulesets_per_outbound_endpoint = 3; };\n" RULESETS(RULESET(
		 "rs", TO_HUB,
		 RULE("one", "a.test.",
		      TARGET(SPOKE_IN))) ",\n{ name = \"rt\"; "
					 "outbound_endpoints = [ \"r/out\" ]; links = (" TO_SPOKE
					 ");\ntarget_groups = ({ name = \"g\"; targets = (" TARGET(
						 HUB_IN) "); });\nrules = ({ name = \"two\"; "
							 "domain = \"b.a.test.\"; "
							 "target_group = \"g\"; }, { name = "
							 "\"three\"; domain = "
							 "\"c.a.test.\"; target_group = \"g\"; }); "
							 "}"),
	 8, "rulesets[rt].target_groups[g].targets[0].address",
	 "warning: a forwarding loop for b.a.test.: r/in"},

	{"a_zone_that_is_linked_nowhere_answers_nobody", HUB_AND_SPOKE ZONES(ZONE("z.test", "")), 5,
	 "private_zones[z.test]",
	 "warning: is linked to no virtual network, so it answers nobody; add a link"},
	{"a_zone_that_is_transferred_answers_somebody",
	 HUB_AND_SPOKE ZONES(
		 ZONE("z.test",
		      "")) "transfers = ({ zones = [\"z.test\"]; allow = [\"192.0.2.0/24\"]; });\n",
	 0, 0, "is linked to no virtual network"},
	{"a_transfer_of_all_zones_has_no_private_zones",
	 HUB_AND_SPOKE ZONES(ZONE(
		 "z.test", "")) "reverse = { name_servers = [\"ns.z.test\"]; };\n"
				"transfers = ({ zones = [\"*\"]; allow = [\"192.0.2.0/24\"]; });\n",
	 5, "private_zones[z.test]", "warning: is linked to no virtual network"},
	{"another_zones_transfer_does_not_count",
	 HUB_AND_SPOKE ZONES(ZONE("z.test", "") ", " ZONE(
		 "y.test",
		 TO_HUB)) "transfers = ({ zones = [\"y.test\"]; allow = [\"192.0.2.0/24\"]; });\n",
	 5, "private_zones[z.test]", "warning: is linked to no virtual network"},
	{"a_ruleset_that_is_linked_nowhere_forwards_for_nobody", ONE("", "a.test.", PLAIN), 5,
	 "rulesets[rs]", "warning: is linked to no virtual network, so it answers nobody"},

	{"one_networks_space_is_not_inside_anothers",
	 "virtual_networks = (" NETWORK("a", "10.0.0.0/8", "") ",\n" NETWORK("b", "10.1.0.0/16",
									     "") ");\n",
	 2, "virtual_networks[b].address_space",
	 "warning: 10.1.0.0/16 lies inside 10.0.0.0/8 of virtual network \"a\""},
	{"the_order_of_networks_does_not_matter",
	 "virtual_networks = (" NETWORK("b", "10.1.0.0/16", "") ",\n" NETWORK("a", "10.0.0.0/8",
									      "") ");\n",
	 1, "virtual_networks[b].address_space",
	 "warning: 10.1.0.0/16 lies inside 10.0.0.0/8 of virtual network \"a\""},
	{"equal_spaces_may_be_meant",
	 "virtual_networks = (" NETWORK("a", "10.0.0.0/8", "") ",\n" NETWORK("b", "10.0.0.0/8",
									     "") ");\n",
	 0, 0, 0},
	{"spaces_side_by_side_are_fine",
	 "virtual_networks = (" NETWORK("a", "10.0.0.0/16", "") ",\n" NETWORK("b", "10.1.0.0/16",
									      "") ");\n",
	 0, 0, 0},

	{"a_colon_is_no_part_of_a_domain", ONE(TO_HUB, "dns:53.test.", PLAIN), 6,
	 "rulesets[rs].rules[one].domain", "warning: \"dns:53.test.\" has a ':' in it"},
	{"nor_is_a_slash", HUB_AND_SPOKE ZONES(ZONE("corp/x.test", TO_HUB)), 5,
	 "private_zones[corp/x.test].name",
	 "warning: \"corp/x.test\" has a '/' in it, which no host's name has; give the domain "
	 "alone"},
	{"but_of_a_reverse_zone_it_is",
	 HUB_AND_SPOKE ZONES(ZONE("0/25.2.0.192.in-addr.arpa", TO_HUB)), 0, 0, 0},
	{"a_catch_all_rule_keeps_from_the_default_resolver",
	 ONE(TO_HUB, ".", PLAIN) "default_resolver = { targets = (" TARGET(HUB_IN) "); };", 0, 0,
	 0},
	{"a_reserved_domain_goes_to_the_default_resolver",
	 "reserved_domains = [ \"b.a.test\" ]; limits = { rulesets_per_outbound_endpoint = 3; "
	 "};\n" RULESETS(
		 RULESET("rs", TO_HUB, RULE("one", "a.test.", TARGET(SPOKE_IN))) ",\n" RULESET(
			 "rt", TO_SPOKE, RULE("three", "b.a.test.", TARGET(HUB_IN)))),
	 0, 0, 0},

	{"custom_servers_hide_links_from_the_vnet_resolver",
	 "vnet_resolver = { listen = [\"127.0.0.3\"]; };\nvirtual_networks = ({ name = \"n\"; "
	 "address_space = [\"10.0.0.0/8\"]; dns_servers = [\"192.0.2.1\"]; });\n" ZONES(
		 ZONE("z.test", LINK("l", "n"))),
	 2, "virtual_networks[n].dns_servers", "warning: with custom servers"},
	{"links_without_custom_servers_are_consulted",
	 "vnet_resolver = { listen = [\"127.0.0.3\"]; };\nvirtual_networks = ({ name = \"n\"; "
	 "address_space = [\"10.0.0.0/8\"]; });\n" ZONES(ZONE("z.test", LINK("l", "n"))),
	 0, 0, 0},
	{"custom_servers_without_links_hide_nothing",
	 "vnet_resolver = { listen = [\"127.0.0.3\"]; };\nvirtual_networks = ({ name = \"n\"; "
	 "address_space = [\"10.0.0.0/8\"]; dns_servers = [\"192.0.2.1\"]; });\n",
	 0, 0, 0},
	{"custom_servers_without_a_vnet_resolver_hide_nothing",
	 "virtual_networks = ({ name = \"n\"; address_space = [\"10.0.0.0/8\"]; dns_servers = "
	 "[\"192.0.2.1\"]; });\n" ZONES(ZONE("z.test", LINK("l", "n"))),
	 0, 0, 0},

	{"who_listens_to_everybody_and_forwards_is_open",
	 "vnet_resolver = { listen = [\"127.0.0.3\", \"192.0.2.3\"]; };\n"
	 "virtual_networks = ({ name = \"n\"; client_prefixes = [\"10.0.0.0/8\", \"0.0.0.0/0\"]; "
	 "});\n",
	 2, "virtual_networks[n].client_prefixes",
	 "warning: 0.0.0.0/0 may ask at 192.0.2.3:53, and its names are forwarded"},
	{"half_of_ipv4_is_everybody",
	 "vnet_resolver = { listen = [\"192.0.2.3\"]; };\n"
	 "virtual_networks = ({ name = \"n\"; client_prefixes = [\"10.0.0.0/8\", \"0.0.0.0/1\"]; "
	 "});\n",
	 2, "virtual_networks[n].client_prefixes",
	 "warning: 0.0.0.0/1 may ask at 192.0.2.3:53, and its names are forwarded"},
	{"a_wide_public_prefix_is_open",
	 "vnet_resolver = { listen = [\"192.0.2.3\"]; };\n"
	 "virtual_networks = ({ name = \"n\"; client_prefixes = [\"10.0.0.0/8\", \"2000::/15\"]; "
	 "});\n",
	 2, "virtual_networks[n].client_prefixes", "warning: 2000::/15 may ask at 192.0.2.3:53"},
	{"private_and_narrow_prefixes_are_not_open",
	 "vnet_resolver = { listen = [\"192.0.2.3\"]; };\n"
	 "virtual_networks = ({ name = \"n\"; client_prefixes = [\"10.0.0.0/8\", \"11.0.0.0/8\", "
	 "\"fc00::/7\", \"fe80::/10\", \"2001::/16\"]; });\n",
	 0, 0, 0},
	{"many_prefixes_that_come_to_a_quarter_are_open",
	 "vnet_resolver = { listen = [\"192.0.2.3\"]; };\n"
	 "virtual_networks = ({ name = \"n\"; client_prefixes = [" SLASH8S "\"64.0.0.0/8\"]; });\n",
	 2, "virtual_networks[n].client_prefixes",
	 "warning: 1.0.0.0/8 and others, a quarter of all addresses or more, may ask at "},
	{"many_prefixes_that_come_to_less_are_not_open",
	 "vnet_resolver = { listen = [\"192.0.2.3\"]; };\n"
	 "virtual_networks = ({ name = \"n\"; client_prefixes = [" SLASH8S "\"1.2.0.0/16\"]; });\n",
	 0, 0, 0},
	{"who_only_listens_to_loopback_is_not_open",
	 "vnet_resolver = { listen = [\"127.0.0.3\"]; };\n"
	 "virtual_networks = ({ name = \"n\"; client_prefixes = [\"::/0\"]; });\n",
	 0, 0, 0},
	{"who_only_serves_zones_is_not_open",
	 "vnet_resolver = { listen = [\"192.0.2.3\"]; };\n"
	 "virtual_networks = ({ name = \"n\"; client_prefixes = [\"::/0\"]; uses_default_resolver "
	 "= "
	 "false; });\n",
	 0, 0, 0},
	{"custom_servers_are_not_for_who_asks_an_endpoint",
	 "virtual_networks = ({ name = \"hub\"; address_space = [\"10.10.0.0/16\"]; subnets = "
	 "(" SUBNET("in",
		    "10.10.0.0/28") "); dns_servers = [\"192.0.2.9\"]; "
				    "uses_default_resolver = false; });\nresolvers = (" RESOLVER(
					    "r", "hub",
					    INBOUND("listen = \"192.0.2.3\"; allow = "
						    "[\"0.0.0.0/0\"];")) ");\n",
	 0, 0, "may ask at"},
	{"rules_without_a_default_resolver_forward_too",
	 "vnet_resolver = { listen = [\"0.0.0.0\"]; };\n"
	 "virtual_networks = ({ name = \"n\"; client_prefixes = [\"::/0\"]; uses_default_resolver "
	 "= "
	 "false; });\n"
	 "resolvers = ({ name = \"r\"; virtual_network = \"n\"; outbound_endpoints = ({ name = "
	 "\"o\"; }); });\n"
	 "rulesets = ({ name = \"s\"; outbound_endpoints = [\"r/o\"]; links = ({ name = \"l\"; "
	 "virtual_network = \"n\"; }); rules = ({ name = \"one\"; domain = \"a.test.\"; targets = "
	 "({ "
	 "address = \"192.0.2.1\"; }); }); });\n",
	 2, "virtual_networks[n].client_prefixes", "warning: ::/0 may ask at 0.0.0.0:53"},

	{"a_machine_that_cannot_be_registered",
	 "virtual_networks = ({ name = \"n\"; address_space = [\"10.1.0.0/16\"]; subnets = ({ name "
	 "= \"s\"; prefix = \"10.1.0.0/24\"; }); });\n"
	 "private_zones = ({ name = \"z.test\"; record_sets = (); links = ({ name = \"l\"; "
	 "virtual_network = \"n\"; registration = true; }); });\n"
	 "network_interfaces = ({ name = \"vm_1\"; ip_configurations = ({ name = \"i\"; subnet = "
	 "\"n/s\"; address = \"10.1.0.4\"; }); },\n"
	 "{ name = \"vm_2\"; label = \"vm2\"; ip_configurations = ({ name = \"i\"; subnet = "
	 "\"n/s\"; address = \"10.1.0.5\"; }); });\n",
	 3, "network_interfaces[vm_1].name", "warning: \"vm_1\" cannot be a host's name"},

	{"labels_below_the_default_suffix_are_told_at_the_first", POOL(EAST) LABELS, 3,
	 "addresses[a].domain_name_label",
	 "warning: gives the name web.east.cloudapp.azure.com, in Azure's domain, as does 1 other; "
	 "set reverse.suffix to a domain of yours, or to \"cloudapp.azure.com\" where this is "
	 "meant"},
	{"an_item_of_reverse_that_is_no_suffix_does_not_say_that_it_is_meant",
	 POOL(EAST) LABELS "reverse = { ttl = 60; service_suffix = \"cloudapp.net\"; };\n", 3,
	 "addresses[a].domain_name_label", "warning: gives the name web.east.cloudapp.azure.com"},
	{"a_suffix_of_ones_own_is_fine",
	 POOL(EAST) LABELS "reverse = { suffix = \"corp.example\"; };\n", 0, 0, 0},
	{"azures_suffix_is_fine_where_it_is_written",
	 POOL(EAST) LABELS "reverse = { suffix = \"cloudapp.azure.com\"; };\n", 0, 0, 0},
	{"an_address_without_a_label_has_no_name",
	 POOL(EAST) "addresses = ({ name = \"a\"; address = \"198.51.100.1\"; });\n", 0, 0, 0},
	{"a_label_without_a_region_gives_no_name", POOL("") LABELS, 0, 0, 0},
	{"services_below_the_default_suffix_are_told_at_the_first",
	 POOL(EAST) "cloud_services = (" SERVICE("s", "198.51.100.1") ",\n" SERVICE(
		 "t", "198.51.100.2") ",\n" SERVICE("u", "198.51.100.3") ");\n",
	 2, "cloud_services[s].name",
	 "warning: gives the name s.cloudapp.net, in Azure's domain, as do 2 others; set "
	 "reverse.service_suffix to a domain of yours, or to \"cloudapp.net\" where this is meant"},
	{"a_suffix_of_ones_own_for_services_is_fine",
	 POOL(EAST) "cloud_services = (" SERVICE(
		 "s", "198.51.100.1") ");\n"
				      "reverse = { service_suffix = \"corp.example\"; };\n",
	 0, 0, 0},

	{"everything_of_management_is_served",
	 "management = { socket = \"s\"; listen = [\"https://127.0.0.1:8443\"]; certificate = "
	 "\"c\"; key = \"k\"; clients = ({ id = \"a\"; secret_file = \"s\"; }); state = "
	 "\"db\"; };",
	 0, 0, 0},
};

int main(void)
{
	return limits_cases_run("warnings", cases, sizeof cases / sizeof cases[0]);
}
