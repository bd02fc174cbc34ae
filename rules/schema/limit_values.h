/* Azure's limits: key, Azure's number, the least and greatest value that the `limits` group may
 * give it, and what it counts. A member of struct limit_values (model.h) and a setting (table.c)
 * are made of each row. */
#ifndef SLUICE_LIMIT_VALUES_H
#define SLUICE_LIMIT_VALUES_H

#define LIMITS_MAP(X)                                                                              \
	X(resolvers_per_subscription, 15, 1, 1000000, "DNS private resolvers")                     \
	X(resolvers_per_virtual_network, 1, 1, 1000000, "resolvers that name the same network")    \
	X(inbound_endpoints_per_resolver, 5, 1, 1000000, "inbound endpoints")                      \
	X(outbound_endpoints_per_resolver, 5, 1, 1000000, "outbound endpoints")                    \
	X(subnets_per_virtual_network, 3000, 1, 1000000, "subnets of a network")                   \
	X(peerings_per_virtual_network, 500, 1, 1000000, "peerings of a network")                  \
	X(rules_per_ruleset, 1000, 1, 10000000, "forwarding rules")                                \
	X(links_per_ruleset, 500, 1, 1000000, "virtual network links of a ruleset")                \
	X(rulesets_per_virtual_network, 1, 1, 1000000,                                             \
	  "rulesets linked to one network; if there are several, the "                             \
	  "longest suffix over all of them decides, and among equal "                              \
	  "suffixes that of the earlier ruleset")                                                  \
	X(outbound_endpoints_per_ruleset, 2, 1, 64, "outbound endpoints of a ruleset")             \
	X(rulesets_per_outbound_endpoint, 2, 1, 1000000,                                           \
	  "rulesets that use one outbound endpoint")                                               \
	X(targets_per_rule, 6, 1, 64, "target servers of a rule")                                  \
	X(queries_per_second_per_endpoint, 10000, 0, 2147483647,                                   \
	  "queries a second at each inbound and each outbound endpoint, "                          \
	  "of all workers; 125 ms' worth at once; 0: no limit. Half of "                           \
	  "the limit, and half as much again at once, is for clients "                             \
	  "whose address is proven (they ask by TCP, or with a server "                            \
	  "cookie of RFC 7873), as far as they need it. An outbound "                              \
	  "endpoint at its limit hands over to the ruleset's next")                                \
	X(private_zones_per_subscription, 1000, 1, 1000000, "private zones")                       \
	X(record_sets_per_zone, 25000, 1, 100000000, "record sets of a zone, with its SOA")        \
	X(records_per_record_set, 20, 1, 65535, "records of a record set")                         \
	X(links_per_zone, 1000, 1, 1000000, "virtual network links of a zone")                     \
	X(registration_links_per_zone, 100, 1, 1000000, "links of a zone with registration")       \
	X(zones_per_virtual_network, 1000, 1, 1000000, "private zones linked to one network")      \
	X(registration_zones_per_virtual_network, 1, 1, 1000000,                                   \
	  "zones linked to one network with registration")                                         \
	X(zone_labels_min, 2, 1, 34, "fewest labels of a private zone's name; 1 allows \"lan\"")   \
	X(subnet_prefix_length_min, 24, 2, 29, "shortest prefix of an endpoint's subnet")          \
	X(subnet_prefix_length_max, 28, 2, 29, "longest prefix of an endpoint's subnet")

/* Whatever the limits are: the ways to ask for a name, each a server through an endpoint. */
enum { LEG_UPSTREAMS_MAX = 64 };

#endif
