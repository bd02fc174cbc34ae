/* Rulesets, links, rules and targets: each restriction one over and at it. */
#include "tests/lib/limits_case.h"

#define RULESETS(...) BASE "rulesets = (" __VA_ARGS__ ");\n"
#define RULES(...)    RULESETS(RULESET("rs", "", __VA_ARGS__))
#define ONE(domain)   RULES(RULE("one", domain, TARGET("127.0.0.2")))
#define TARGETS(...)  RULES(RULE("one", "a.test.", __VA_ARGS__))
#define LINKS(...)    RULESETS(RULESET("rs", __VA_ARGS__, ""))
#define THROUGH(...)  RULESETS("{ name = \"rs\"; outbound_endpoints = [" __VA_ARGS__ "]; }")
#define GROUP(name, address)                                                                       \
	"{ name = \"" name "\"; description = \"d\"; targets = (" TARGET(address) "); }"
#define USE(name) "{ name = \"one\"; domain = \"a.test.\"; target_group = \"" name "\"; }"
#define GROUPS(groups, rules)                                                                      \
	RULESETS("{ name = \"rs\"; outbound_endpoints = [ \"r/out\" ]; target_groups = (" groups   \
		 "); rules = (" rules "); }")
#define SIX                                                                                        \
	TARGET("127.0.0.11")                                                                       \
	", " TARGET("127.0.0.12") ", " TARGET("127.0.0.13") ", " TARGET("127.0.0.14") ", " TARGET( \
		"127.0.0.15") ", " TARGET("127.0.0.16")
#define FIVE              "a.a.a.a.a."
#define THIRTY            FIVE FIVE FIVE FIVE FIVE FIVE
#define AT(rest)          "rulesets[rs].rules[one]." rest
#define DEFAULTS(targets) "default_resolver = { targets = (" targets "); };\n"
/* Two networks with a resolver each, in two regions. */
#define REGIONS                                                                                    \
	"virtual_networks = ({ name = \"w\"; region = \"west\"; address_space = "                  \
	"[\"10.30.0.0/16\"]; }, " HUB ");\nresolvers = (" R ");\nregion = \"east\";\n"
static const struct limits_case cases[] = {
	{"a_ruleset_with_a_rule_is_fine", ONE("a.test."), 0, 0, 0},
	{"ruleset_names_are_unique", RULESETS(RULESET("rs", "", "") ",\n" RULESET("RS", "", "")), 5,
	 "rulesets[RS].name", "is already the name of the ruleset at"},
	{"a_ruleset_that_is_not_linked_needs_no_outbound_endpoint", THROUGH(""), 0, 0, 0},
	{"an_outbound_endpoint_exists", THROUGH("\"r/none\""), 4,
	 "rulesets[rs].outbound_endpoints[0]", "no outbound endpoint \"r/none\""},
	{"an_outbound_endpoint_is_named_with_its_resolver", THROUGH("\"out\""), 4,
	 "rulesets[rs].outbound_endpoints[0]", "RESOLVER/ENDPOINT"},
	{"an_inbound_endpoint_is_not_an_outbound_one", THROUGH("\"r/in\""), 4,
	 "rulesets[rs].outbound_endpoints[0]", "no outbound endpoint"},
	{"paths_are_compared_without_case", THROUGH("\"R/OUT\""), 0, 0, 0},
	{"an_outbound_endpoint_is_there_once", THROUGH("\"r/out\", \"R/Out\""), 4,
	 "rulesets[rs].outbound_endpoints[1]", "twice"},
	{"ruleset_and_endpoint_are_in_one_region",
	 REGIONS "rulesets = ({ name = \"rs\"; region = \"west\"; outbound_endpoints = "
		 "[\"r/out\"]; });",
	 4, "rulesets[rs].outbound_endpoints[0]", "is in east and the ruleset in west"},
	{"ruleset_and_linked_network_are_in_one_region",
	 REGIONS "rulesets = (" RULESET("rs", LINK("l", "w"), "") ");", 4,
	 "rulesets[rs].links[l].virtual_network", "is in west and the ruleset in east"},

	{"a_link_names_a_network", LINKS(LINK("l", "none")), 4,
	 "rulesets[rs].links[l].virtual_network", "no virtual network \"none\""},
	{"link_names_are_unique",
	 "virtual_networks = (" HUB "," SPOKE ");\nresolvers = (" R
	 ");\nrulesets = (" RULESET("rs", LINK("l", "hub") ",\n" LINK("L", "spoke"), "") ");",
	 4, "rulesets[rs].links[L].name", "is already the name of the link at"},
	{"a_network_is_linked_to_a_ruleset_once", LINKS(LINK("l", "hub") ",\n" LINK("m", "HUB")), 5,
	 "rulesets[rs].links[m].virtual_network", "to this ruleset twice"},

	{"rule_names_are_unique",
	 RULES(RULE("one", "a.test.", TARGET("127.0.0.2")) ",\n" RULE("One", "b.test.",
								      TARGET("127.0.0.2"))),
	 5, "rulesets[rs].rules[One].name", "is already the name of the rule at"},
	{"a_rules_name_begins_with_a_letter", RULES(RULE("1st", "a.test.", TARGET("127.0.0.2"))), 4,
	 "rulesets[rs].rules[1st].name", "does not begin with a letter"},
	{"a_rules_name_may_go_on_with_digits", RULES(RULE("r1", "a.test.", TARGET("127.0.0.2"))), 0,
	 0, 0},
	{"a_domain_may_lack_its_final_dot", ONE("a.test"), 0, 0, 0},
	{"a_domain_is_the_same_with_and_without_its_final_dot",
	 RULES(RULE("one", "a.test.", TARGET("127.0.0.2")) ",\n" RULE("two", "a.test",
								      TARGET("127.0.0.2"))),
	 5, "rulesets[rs].rules[two].domain",
	 "a.test. is the domain of rule \"one\" of this ruleset, too, at"},
	{"a_domain_has_no_asterisk", ONE("*.a.test."), 4, AT("domain"),
	 "every name below it; write \"a.test.\""},
	{"one_without_a_dot_is_told_with_it", ONE("*.a.test"), 4, AT("domain"),
	 "write \"a.test.\""},
	{"everything_has_no_asterisk_either", ONE("*."), 4, AT("domain"), "write \".\""},
	{"everything_is_no_asterisk", ONE("*"), 4, AT("domain"), "write \".\""},
	{"an_asterisk_that_is_escaped_is_a_label", ONE("\\\\*.a.test."), 0, 0, 0},
	{"a_label_may_begin_with_an_asterisk", ONE("*a.test."), 0, 0, 0},
	{"a_malformed_domain_is_told_with_an_example_that_fits", ONE("a..test."), 4, AT("domain"),
	 "such as \"contoso.corp.\""},
	{"that_example_fits", ONE("contoso.corp."), 0, 0, 0},
	{"an_escaped_dot_ends_nothing",
	 RULES(RULE("one", "a.test.", TARGET("127.0.0.2")) ",\n" RULE("two", "a.test\\\\.",
								      TARGET("127.0.0.2"))),
	 0, 0, 0},
	{"an_escaped_backslash_before_the_dot_is_no_escape", ONE("a.test\\\\\\\\."), 0, 0, 0},
	{"a_domain_may_be_everything", ONE("."), 0, 0, 0},
	{"a_domain_may_have_one_label", ONE("test."), 0, 0, 0},
	{"a_domain_of_34_labels_is_fine", ONE(THIRTY "a.a.a.a."), 0, 0, 0},
	{"a_domain_of_35_labels_is_refused", ONE(THIRTY FIVE), 4, AT("domain"),
	 "has 35 labels; a rule has at most 34"},
	{"a_domain_has_one_rule",
	 RULES(RULE("one", "a.test.", TARGET("127.0.0.2")) ",\n" RULE("two", "A.TEST.",
								      TARGET("127.0.0.2"))),
	 5, "rulesets[rs].rules[two].domain",
	 "a.test. is the domain of rule \"one\" of this ruleset, too, at"},
	{"an_escape_makes_no_other_domain",
	 RULES(RULE("one", "a.test.", TARGET("127.0.0.2")) ",\n" RULE("two", "\\\\097.test.",
								      TARGET("127.0.0.2"))),
	 5, "rulesets[rs].rules[two].domain", "is the domain of rule"},
	{"everything_has_one_rule",
	 RULES(RULE("one", ".", TARGET("127.0.0.2")) ",\n" RULE("two", ".", TARGET("127.0.0.2"))),
	 5, "rulesets[rs].rules[two].domain", "is the domain of rule"},
	{"a_disabled_rule_keeps_its_domain",
	 RULES("{ name = \"one\"; domain = \"a.test.\"; state = \"Disabled\"; targets = (" TARGET(
		 "127.0.0.2") "); },\n" RULE("two", "a.test.", TARGET("127.0.0.2"))),
	 5, "rulesets[rs].rules[two].domain", "is the domain of rule"},
	{"one_domain_may_have_a_rule_in_each_ruleset",
	 RULESETS(RULESET("rs", "", RULE("one", "a.test.", TARGET("127.0.0.2"))) "," RULESET(
		 "rt", "", RULE("one", "a.test.", TARGET("127.0.0.2")))),
	 0, 0, 0},

	{"a_rule_says_what_it_is_for",
	 RULES("{ name = \"one\"; domain = \"a.test.\"; description = \"for tests\"; "
	       "metadata = [ \"team=dns\", \"ticket=\" ]; targets = (" TARGET("127.0.0.2") "); }"),
	 0, 0, 0},
	{"metadata_are_names_and_values",
	 RULES("{ name = \"one\"; domain = \"a.test.\"; metadata = [ \"team\" ]; targets = "
	       "(" TARGET("127.0.0.2") "); }"),
	 4, AT("metadata"), "give \"NAME=VALUE\""},
	{"metadata_have_each_name_once",
	 RULES("{ name = \"one\"; domain = \"a.test.\"; metadata = [ \"a=1\", \"A=2\" ]; "
	       "targets = (" TARGET("127.0.0.2") "); }"),
	 4, AT("metadata"), "occurs twice"},
	{"a_rule_needs_a_target", TARGETS(""), 4, AT("targets"), "at least one"},
	{"a_rule_says_whom_to_ask", RULES("{ name = \"one\"; domain = \"a.test.\"; }"), 4,
	 AT("targets"), "is missing; give at least one server, or target_group"},
	{"a_rule_may_name_a_target_group", GROUPS(GROUP("dc", "127.0.0.2"), USE("dc")), 0, 0, 0},
	{"a_target_groups_name_has_no_case", GROUPS(GROUP("dc", "127.0.0.2"), USE("DC")), 0, 0, 0},
	{"many_rules_may_name_one",
	 GROUPS(GROUP("dc", "127.0.0.2"),
		USE("dc") ", { name = \"two\"; domain = \"b.test.\"; target_group = \"dc\"; }"),
	 0, 0, 0},
	{"a_target_group_that_is_not_there_is_told_with_those_that_are",
	 GROUPS(GROUP("dc", "127.0.0.2") ", " GROUP("branch", "127.0.0.3"), USE("d")), 4,
	 AT("target_group"), "no target group \"d\" in this ruleset; it has branch, dc"},
	{"there_may_be_none", RULES(USE("dc")), 4, AT("target_group"), "; it has none"},
	{"a_rule_has_targets_or_a_group",
	 GROUPS(GROUP("dc", "127.0.0.2"),
		"{ name = \"one\"; domain = \"a.test.\"; target_group = \"dc\"; targets = (" TARGET(
			"127.0.0.3") "); }"),
	 4, AT("target_group"), "and targets too; keep one of them"},
	{"target_group_names_are_unique",
	 GROUPS(GROUP("dc", "127.0.0.2") ",\n" GROUP("DC", "127.0.0.3"), ""), 5,
	 "rulesets[rs].target_groups[DC].name", "already the name of the target group"},
	{"a_target_group_needs_a_target", GROUPS("{ name = \"dc\"; targets = (); }", ""), 4,
	 "rulesets[rs].target_groups[dc].targets", "at least one"},
	{"a_target_of_a_group_is_checked_as_a_rules",
	 GROUPS(GROUP("dc", "168.63.129.16"), USE("dc")), 4,
	 "rulesets[rs].target_groups[dc].targets[0].address", "cannot be a rule's target"},
	{"a_target_group_has_as_many_as_a_rule",
	 GROUPS("{ name = \"dc\"; targets = (" SIX ", " TARGET("127.0.0.17") "); }", ""), 4,
	 "rulesets[rs].target_groups[dc].targets",
	 "there are 7, and at most 6 are allowed; remove some, or raise limits.targets_per_rule"},
	{"and_no_fewer", GROUPS("{ name = \"dc\"; targets = (" SIX "); }", USE("dc")), 0, 0, 0},
	{"targets_say_what_they_are_for",
	 TARGETS("{ address = \"127.0.0.2\"; description = \"the old one\"; }"), 0, 0, 0},
	{"the_wire_server_is_no_target", TARGETS(TARGET("168.63.129.16")), 4,
	 AT("targets[0].address"), "cannot be a rule's target"},
	{"a_target_is_not_unspecified", TARGETS(TARGET("0.0.0.0")), 4, AT("targets[0].address"),
	 "not the address of a server"},
	{"a_target_is_not_ipv6_unspecified", TARGETS(TARGET("::")), 4, AT("targets[0].address"),
	 "not the address of a server"},
	{"a_target_is_not_multicast", TARGETS(TARGET("239.0.0.1")), 4, AT("targets[0].address"),
	 "multicast"},
	{"a_target_is_not_broadcast", TARGETS(TARGET("255.255.255.255")), 4,
	 AT("targets[0].address"), "broadcast"},
	{"a_target_is_there_once",
	 TARGETS(TARGET("127.0.0.2") ",\n{ address = \"127.0.0.2\"; port = 53; }"), 5,
	 AT("targets[1].address"), "127.0.0.2:53 is listed twice"},
	{"a_target_may_differ_in_port",
	 TARGETS(TARGET("127.0.0.2") ",\n{ address = \"127.0.0.2\"; port = 54; }"), 0, 0, 0},
	{"port_0_is_none", TARGETS("{ address = \"127.0.0.2\"; port = 0; }"), 4,
	 AT("targets[0].port"), "an integer from 1 to 65535"},
	{"port_1_is_one", TARGETS("{ address = \"127.0.0.2\"; port = 1; }"), 0, 0, 0},
	{"port_65535_is_one", TARGETS("{ address = \"127.0.0.2\"; port = 65535; }"), 0, 0, 0},
	{"port_65536_is_none", TARGETS("{ address = \"127.0.0.2\"; port = 65536; }"), 4,
	 AT("targets[0].port"), "an integer from 1 to 65535"},
	{"the_vnet_resolver_is_no_target",
	 TARGETS(TARGET("127.0.0.3")) "vnet_resolver = { listen = [ \"127.0.0.3:53\" ]; };", 4,
	 AT("targets[0].address"), "vnet_resolver.listen"},
	{"the_vnet_resolver_at_all_addresses_has_loopbacks",
	 TARGETS("{ address = \"127.0.0.3\"; port = 54; }") "vnet_resolver = { listen = [ "
							    "\"0.0.0.0:54\" ]; };",
	 4, AT("targets[0].address"), "vnet_resolver.listen"},
	{"another_port_of_the_vnet_resolvers_address_is_a_target",
	 TARGETS("{ address = \"127.0.0.3\"; port = 54; }") "vnet_resolver = { listen = [ "
							    "\"127.0.0.3:53\" ]; };",
	 0, 0, 0},
	{"a_default_resolver_needs_a_target", DEFAULTS(""), 1, "default_resolver.targets",
	 "at least one"},
	{"a_default_resolver_without_targets_is_the_systems",
	 "default_resolver = { special_names = \"forward\"; };", 0, 0, 0},
	{"a_default_target_is_not_multicast", DEFAULTS(TARGET("ff02::1")), 1,
	 "default_resolver.targets[0].address", "multicast"},
	{"a_default_target_is_there_once", DEFAULTS(TARGET("127.0.0.2") ",\n" TARGET("127.0.0.2")),
	 2, "default_resolver.targets[1].address", "twice"},
	{"the_wire_server_may_be_the_default_resolver", DEFAULTS(TARGET("168.63.129.16")), 0, 0, 0},
	{"the_vnet_resolver_is_not_the_default_resolver",
	 DEFAULTS(TARGET("127.0.0.3")) "vnet_resolver = { listen = [ \"127.0.0.3\" ]; };", 1,
	 "default_resolver.targets[0].address", "vnet_resolver.listen"},
};

int main(void)
{
	return limits_cases_run("limits of rulesets", cases, sizeof cases / sizeof cases[0]);
}
