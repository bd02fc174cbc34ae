/* For tests: a table of configurations, each with the one fault it must have, or none. A row
 * becomes a test whose name is the row's sentence. */
#ifndef SLUICE_TESTS_LIMITS_CASE_H
#define SLUICE_TESTS_LIMITS_CASE_H

#include <stddef.h>

struct limits_case {
	const char *sentence;
	const char *text; /* its directory has "zone", a master file with one record */
	unsigned line;    /* of the fault; 0: there must be no fault and no warning */
	const char *path; /* of the fault */
	const char *says; /* a part of its text; begins with "warning: " for a warning */
};

int limits_cases_run(const char *group, const struct limits_case *cases, size_t count);

/* Parts of configurations. BASE has three lines: a network, a resolver in it (with an inbound
 * endpoint at 10.10.0.4 that listens at 127.0.0.1:5300, and an outbound one from 127.0.0.1), and a
 * default resolver. */
#define DELEGATED            " delegation = \"Microsoft.Network/dnsResolvers\"; }"
#define SUBNET(name, prefix) "{ name = \"" name "\"; prefix = \"" prefix "\";" DELEGATED
#define NETWORK(name, space, subnets)                                                              \
	"{ name = \"" name "\"; address_space = [ \"" space "\" ]; subnets = (" subnets "); }"
#define HUB                                                                                        \
	NETWORK("hub", "10.10.0.0/16",                                                             \
		SUBNET("in", "10.10.0.0/28") "," SUBNET("out", "10.10.0.16/28"))
#define SPOKE                                                                                      \
	NETWORK("spoke", "10.20.0.0/16",                                                           \
		SUBNET("in", "10.20.0.0/28") "," SUBNET("out", "10.20.0.16/28"))
#define INBOUND(rest)  "inbound_endpoints = ({ name = \"in\"; subnet = \"in\"; " rest " }); "
#define OUTBOUND(rest) "outbound_endpoints = ({ name = \"out\"; subnet = \"out\"; " rest " }); "
#define RESOLVER(name, network, rest)                                                              \
	"{ name = \"" name "\"; virtual_network = \"" network "\"; " rest "}"
#define R                                                                                          \
	RESOLVER("r", "hub",                                                                       \
		 INBOUND("listen = \"127.0.0.1:5300\";") OUTBOUND("source = \"127.0.0.1\";"))
#define BASE                                                                                       \
	"virtual_networks = (" HUB ");\n"                                                          \
	"resolvers = (" R ");\n"                                                                   \
	"default_resolver = { targets = ({ address = \"127.0.0.9\"; }); };\n"
#define TARGET(address)     "{ address = \"" address "\"; }"
#define LINK(name, network) "{ name = \"" name "\"; virtual_network = \"" network "\"; }"
#define RULE(name, domain, targets)                                                                \
	"{ name = \"" name "\"; domain = \"" domain "\"; targets = (" targets "); }"
#define RULESET(name, links, rules)                                                                \
	"{ name = \"" name "\"; outbound_endpoints = [ \"r/out\" ]; links = (" links               \
	"); rules = (" rules "); }"
#define ZONE(name, links) "{ name = \"" name "\"; file = \"zone\"; links = (" links "); }"

#endif
