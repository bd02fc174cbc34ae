/* The desired configuration as plain values, with the names of the configuration file (the table in
 * schema.h connects the two). It may be invalid: limits.h checks it, policy.h compiles it.
 *
 * Everything that a model points to is in an arena (the model's own, or that of a row, part or
 * model that it references) or has a reference count, like the zones' data and our addresses. A
 * string that was not given is NULL, an address has family 0, and a list has count 0. Every item
 * begins with its origin, so that a later fault still names the file and line. */
#ifndef SLUICE_MODEL_H
#define SLUICE_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/arena.h"
#include "rules/fault.h"
#include "rules/hash.h"
#include "rules/prefix.h"

struct field;
struct owned;
struct zone;

/* The shape of all lists, even of bare values such as strings, hosts and prefixes. */
#define LIST_OF(type)                                                                              \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t count;                                                                      \
	}

/* Stands for "no resource group" in a path or a reference, so no group can have this name. */
#define GROUP_NONE "-"
/* In a path: the group of the item that a name without a group means (reference.h). */
#define GROUP_ANY "*"

/* A number that was not given and has no default. */
#define NOT_GIVEN UINT32_MAX

struct tag {
	const char *name, *value;
};

/* The first members of an item at the top of a model whose name is unique in its resource group, so
 * that each group may have one of this name. reference.h explains such names. */
#define NAMED_MEMBERS()                                                                            \
	struct origin origin;                                                                      \
	const char *name;                                                                          \
	const char *resource_group; /* NULL: none */                                               \
	const char *full_name       /* "GROUP/NAME" (reference_name); NULL: it is the name */
struct named {
	NAMED_MEMBERS();
};
#define NAMED()                                                                                    \
	union {                                                                                    \
		struct named named;                                                                \
		struct {                                                                           \
			NAMED_MEMBERS();                                                           \
		};                                                                                 \
	}
enum { GROUP_TEXT_MAX = 90 + 1 };

enum protocol { PROTOCOL_UDP, PROTOCOL_TCP };
enum allocation { ALLOCATION_DYNAMIC, ALLOCATION_STATIC };
enum rule_state { RULE_ENABLED, RULE_DISABLED };
/* What happens to a name that a zone does not have. */
enum resolution_policy {
	RESOLUTION_DEFAULT,
	RESOLUTION_NXDOMAIN_REDIRECT,
	RESOLUTION_NXDOMAIN_FALLTHROUGH, /* Azure has the other two */
};
enum special_names { SPECIAL_ANSWER, SPECIAL_FORWARD };
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_AUTO, LOG_TEXT, LOG_JOURNAL, LOG_JSON };
enum client_role { ROLE_READER, ROLE_ADMIN };
enum { CLIENT_DIGEST_BYTES = 32 }; /* SHA-256 */
enum excess { EXCESS_DROP, EXCESS_REFUSE, EXCESS_TRUNCATE };
enum tsig_algorithm {
	TSIG_HMAC_SHA256,
	TSIG_HMAC_SHA1,
	TSIG_HMAC_SHA224,
	TSIG_HMAC_SHA384,
	TSIG_HMAC_SHA512,
};

struct target_server { /* of rules, target groups and default_resolver */
	struct origin origin;
	struct address address;
	uint32_t port;
	enum protocol protocol;
	const char *description;
};

struct default_resolver {
	struct origin origin;
	bool given;
	LIST_OF(struct target_server)
	targets; /* empty: the servers of the system's resolv.conf */
	enum special_names special_names;
};

struct vnet_resolver {
	struct origin origin;
	bool given;
	LIST_OF(struct host) listen;
};

struct subnet {
	struct origin origin;
	const char *name;
	struct prefix prefix;
	const char *delegation;
	LIST_OF(struct tag) azure;
};

struct peering {
	struct origin origin;
	const char *name;
	LIST_OF(struct tag) azure;
};

struct virtual_network {
	NAMED();
	const char *region;
	bool encryption;
	LIST_OF(struct prefix) address_space;
	LIST_OF(struct host) dns_servers;
	LIST_OF(struct prefix) client_prefixes;
	bool uses_default_resolver;
	LIST_OF(struct subnet) subnets;
	LIST_OF(struct peering) peerings;
	LIST_OF(struct tag) tags;
	LIST_OF(struct tag) azure;
};

struct inbound_endpoint {
	struct origin origin;
	const char *name;
	const char *subnet;
	enum allocation allocation;
	struct address address;       /* not given and dynamic: model_place_endpoints finds one */
	struct host listen;           /* not given: address:53 */
	LIST_OF(struct prefix) allow; /* the clients; empty: access_add_private, and all networks */
	LIST_OF(struct tag) tags;
};

struct outbound_endpoint {
	struct origin origin;
	const char *name;
	const char *subnet;
	struct address source; /* not given: the first usable address of the subnet */
	bool is_anywhere;      /* in a made subnet: the system chooses the source */
	LIST_OF(struct tag) tags;
};

struct dns_resolver {
	NAMED();
	const char *virtual_network;
	const char *region;
	LIST_OF(struct inbound_endpoint) inbound_endpoints;
	LIST_OF(struct outbound_endpoint) outbound_endpoints;
	LIST_OF(struct tag) tags;
};

struct zone_link {
	struct origin origin;
	const char *name;
	const char *virtual_network;
	bool registration;
	enum resolution_policy resolution_policy;
	LIST_OF(struct tag) tags;
};

struct record_set { /* private_zones.record_sets; record_set.h */
	struct origin origin;
	const char *name; /* "www:A": owner, relative to the zone, and type */
	uint32_t ttl;
	LIST_OF(const char *) records;  /* rdata, as in a master file */
	LIST_OF(const char *) metadata; /* "NAME=VALUE" */
	LIST_OF(struct tag) azure;
	bool is_registered; /* by a machine; not in a model or a row */
};

struct private_zone {
	NAMED();          /* the name has no final dot, as in Azure */
	const char *file; /* absolute, or relative to the working directory; NULL: it has none */
	LIST_OF(struct record_set) record_sets; /* without a file: the declared ones */
	LIST_OF(struct zone_link) links;
	LIST_OF(struct tag) tags;
	/* The zone from its file, or from the declared record sets and the state's; a reference;
	 * NULL until it is read. */
	struct zone *zone;
	const struct zone_reading *reading; /* the file's state when it was read (zone_files.c) */
};

struct ruleset_link {
	struct origin origin;
	const char *name;
	const char *virtual_network;
	LIST_OF(const char *) metadata; /* "NAME=VALUE" */
};

struct target_group {
	struct origin origin;
	const char *name;
	LIST_OF(struct target_server) targets;
	const char *description;
};

struct forwarding_rule {
	struct origin origin;
	const char *name;
	const char *domain; /* dot-terminated */
	enum rule_state state;
	bool follow_cname;
	LIST_OF(struct target_server) targets;
	const char *target_group; /* whose targets are used instead (rule_targets.h) */
	const char *description;
	LIST_OF(const char *) metadata; /* "NAME=VALUE" */
};

struct forwarding_ruleset {
	NAMED();
	uint64_t version; /* model_next_version: equal ones mean equal rules; 0: unknown */
	const char *region;
	LIST_OF(const char *) outbound_endpoints; /* references, "RESOLVER/ENDPOINT" */
	LIST_OF(struct ruleset_link) links;
	LIST_OF(struct target_group) target_groups;
	LIST_OF(struct forwarding_rule) rules;
	LIST_OF(struct tag) tags;
};

struct ip_configuration { /* of a network interface */
	struct origin origin;
	const char *name;
	const char *subnet; /* a reference, "NETWORK/SUBNET" */
	enum allocation allocation;
	struct address address;
	bool primary; /* if none is, the first one counts */
};

struct network_interface {
	NAMED();
	const char *region;
	const char *label;            /* NULL: the machine has the interface's name */
	bool primary;                 /* the first interface of its machine */
	const char *private_endpoint; /* its name, in the same group; NULL: none */
	LIST_OF(struct ip_configuration) ip_configurations;
	LIST_OF(struct tag) tags;
	LIST_OF(struct tag) azure;
};

struct zone_configuration { /* of a zone group */
	struct origin origin;
	const char *name;
	const char *zone; /* a reference */
};

struct zone_group {
	struct origin origin;
	const char *name;
	LIST_OF(struct zone_configuration) zones;
};

struct private_endpoint {
	NAMED();
	const char *region;
	const char *subnet;            /* a reference, "NETWORK/SUBNET" */
	const char *network_interface; /* its name, in the same group; NULL: none */
	LIST_OF(struct zone_group) zone_groups;
	LIST_OF(struct tag) tags;
	LIST_OF(struct tag) azure;
};

/* Azure's limits: key, Azure's value, the least and the greatest value in the `limits` group, and
 * what it counts. Each row is a setting, too (table.c). */
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

/* The most servers, counted for each endpoint, that a leg may have, whatever the limits are. */
enum { LEG_UPSTREAMS_MAX = 64 };

struct limit_values {
	struct origin origin;
#define X(key, azure, least, most, what) uint32_t key;
	LIMITS_MAP(X)
#undef X
	enum excess excess; /* what happens to queries over queries_per_second_per_endpoint */
};

struct management_client {
	struct origin origin;
	const char *id;
	const char *resource_group;
	const char *secret_file;
	const char *secret_sha256; /* instead of the file: 64 hexadecimal digits */
	enum client_role role;
	bool loaded; /* `digest` is set (http_secret_load) */
	uint8_t digest[CLIENT_DIGEST_BYTES];
};

struct management {
	struct origin origin;
	bool given;
	const char *socket;
	LIST_OF(const char *) listen; /* URLs */
	LIST_OF(const char *) hosts;
	const char *certificate, *key;
	LIST_OF(struct management_client) clients;
	const char *state;
	uint32_t upload_max; /* bytes */
};

struct metrics_settings {
	struct origin origin;
	LIST_OF(const char *) listen;               /* URLs; empty: metrics are off */
	LIST_OF(struct prefix) allow;               /* clients besides this machine */
	uint32_t rules_max, targets_max, zones_max; /* how many have their own series */
};

struct address_pool {
	NAMED();
	const char *region; /* NULL: every region */
	struct prefix prefix;
	const char *zone; /* a classless pool's reverse zone, as delegated; NULL: derived
			     (reverse_zones.h) */
};

/* An item that may have a PTR: an address, or a cloud service, which has no group, region or label;
 * the table has a list of each. Only a service has a `description`. */
struct owned_item {
	struct origin origin;
	const char *name, *resource_group, *id, *region;
	struct address address;
	enum allocation allocation;
	const char *domain_name_label;
	const char *description;
	const char *reverse_fqdn, *ptr_description; /* reverse_fqdn NULL: no PTR from here */
	uint32_t ttl;                               /* of the PTR; NOT_GIVEN: reverse.ttl */
	LIST_OF(struct tag) tags;
	LIST_OF(struct tag) azure; /* for an address */
};

/* A resource group, which resources name. No file has a list of groups. */
struct resource_group {
	struct origin origin; /* the file's first mention, with the state's revision */
	const char *name;     /* in its first spelling */
	const char *region;   /* NULL: none */
	LIST_OF(struct tag) tags;
	bool used; /* the model uses it; not in the table */
};

struct reverse_settings {
	struct origin origin;
	const char *suffix, *service_suffix;
	/* Their places in the file. file NULL: they are defaults. */
	struct origin suffix_origin, service_suffix_origin;
	uint32_t ttl;
	bool ipv6;
	LIST_OF(const char *) name_servers;
	const char *hostmaster;
	const char *resolve_in;
};

struct tsig_settings { /* keys */
	struct origin origin;
	const char *name;
	const char *resource_group;
	enum tsig_algorithm algorithm;
	const char *secret, *secret_file;
	const char *loaded; /* the file's contents; NULL: it was not read */
};

struct transfer_settings {           /* transfers */
	NAMED();                     /* the file's nameless entries are named by their index */
	LIST_OF(const char *) zones; /* references, names of reverse zones, "*" */
	LIST_OF(struct prefix) allow;
	const char *key; /* NULL: no key is needed */
	LIST_OF(struct host) notify;
	struct address source;   /* for NOTIFY; family 0: the system's choice */
	uint32_t behind_after_s; /* 0: does not ask secondaries for their serial */
};

enum registration_names { REGISTER_ANY, REGISTER_SELF, REGISTER_SUBDOMAIN };
struct registration_key { /* registration.keys */
	struct origin origin;
	const char *key;
	enum registration_names names; /* that a client with the key may register */
};

struct registration_settings { /* registration */
	struct origin origin;
	const char *zone; /* a reference */
	LIST_OF(struct prefix) prefixes;
	LIST_OF(struct registration_key) keys;
	bool own_address;       /* also without a key: by TCP, the client's own address */
	uint32_t ttl, expire_s; /* seconds; expire_s 0: a registration stays */
	uint32_t names_max;
};

struct cache_settings {
	struct origin origin;
	uint64_t size_bytes;
	uint32_t ttl_min, ttl_max; /* seconds, of positive answers */
	uint32_t negative_ttl_max; /* seconds */
	uint32_t stale_max;        /* seconds after its TTL that an answer may be given; 0: never */
	bool prefetch;
};

struct udp_settings {
	struct origin origin;
	uint32_t payload_max; /* bytes, of an answer by UDP */
	const char *cookie_secret_file;
	struct hash_key cookie_key[2]; /* from that file: the secret and the previous one */
	unsigned cookie_keys;          /* how many there are */
};

struct response_limit_settings { /* answers by UDP to one prefix in a second; 0: unlimited */
	struct origin origin;
	uint32_t answers_per_second, negatives_per_second, errors_per_second;
	uint32_t slip; /* one in so many above the limit gets TC; 0: none */
	uint32_t ipv4_prefix_length, ipv6_prefix_length;
};

struct outbound_settings { /* protection from forged replies, beyond ports and ids */
	struct origin origin;
	bool random_case;
};

struct tcp_settings {
	struct origin origin;
	uint32_t connections_max;            /* inbound, per worker */
	uint32_t connections_per_client_max; /* inbound, per worker and address_client */
	uint32_t idle_timeout_ms;
	uint32_t pipeline_max; /* unanswered queries on a connection */
};

struct log_settings {
	struct origin origin;
	enum log_level level;
	enum log_format format;
};

struct query_log_settings {
	struct origin origin;
	bool given;                                     /* false: nothing is logged */
	const char *file, *dnstap_file, *dnstap_socket; /* NULL: none */
	LIST_OF(const char *) suffixes;                 /* logs only these; empty: all */
	LIST_OF(struct prefix) clients;
	LIST_OF(const char *) networks, rcodes;
	uint32_t slower_than_ms; /* 0: all */
	uint32_t sample;         /* one in so many */
	bool privacy;            /* shows clients only by their /24 and /48 */
};

struct events_settings {
	struct origin origin;
	const char *webhook, *webhook_ca; /* NULL: no webhook; the system's authorities */
	enum log_level level;
};

struct identity_settings {
	struct origin origin;
	const char *version, *server; /* for CH TXT and NSID; NULL: nothing of interest */
	bool details;                 /* extended errors name rules, targets and so on */
};

/* A row of the state, as read. All models with the row share it. */
struct model_row {
	atomic_uint references;
	struct arena arena;
	unsigned kind;   /* its id (resource/kind.h) */
	const char *key; /* in the state */
	void *item;      /* a struct of the kind's group */
};
struct model_row_list {
	struct model_row **items;
	size_t count;
};

/* An item of a list at the top of a model (a ruleset, for example) with everything below it, that
 * does not come only from the file: a resource, or an item of the file with added resources. All
 * models share a part until it changes; a changed part shares its unchanged rows. */
struct model_part {
	atomic_uint references;
	uint64_t version; /* model_next_version */
	struct arena arena;
	const struct field *list;   /* of schema_model, or of a group in it */
	const void *declared;       /* the file's item that it replaces; NULL: none */
	void *item;                 /* of list->group */
	struct model_row_list rows; /* by kind and key; references */
};

/* An item that was made because the configuration needs it but does not name it
 * (rules/schema/made.c). */
struct made {
	const char *path;    /* "resolvers[home]", "rulesets[office].outbound_endpoints" */
	const char *value;   /* "home/default"; NULL: nothing to say */
	const char *because; /* the reason: "ruleset "office" names none ..." */
};

struct model_file {
	const char *path;
	uint64_t stamp; /* changes when the file changes */
};

struct model {
	struct origin origin;
	LIST_OF(struct made) made; /* items that were made */

	const char *subscription, *region;
	uint32_t workers; /* 0: one per CPU */
	struct origin workers_origin;
	const char *user, *group; /* the process's user and group; names or numbers */
	struct origin user_origin;
	bool seccomp;
	LIST_OF(struct model_file) files;      /* of the configuration, without zones */
	LIST_OF(struct model_file) zone_files; /* of zones that could be read */
	bool count_names;
	LIST_OF(const char *) reserved_domains;
	struct default_resolver default_resolver;
	struct vnet_resolver vnet_resolver;
	LIST_OF(struct virtual_network) virtual_networks;
	LIST_OF(struct dns_resolver) resolvers;
	/* Indexes sorted by name (model_sort_names); NULL: look-ups search one by one. */
	const uint32_t *networks_by_name, *resolvers_by_name, *zones_by_name;
	LIST_OF(struct private_zone) private_zones;
	LIST_OF(struct forwarding_ruleset) rulesets;
	LIST_OF(struct network_interface) network_interfaces;
	LIST_OF(struct private_endpoint) private_endpoints;
	struct limit_values limits;
	struct management management;
	struct metrics_settings metrics;
	LIST_OF(struct address_pool) address_pools;
	LIST_OF(struct owned_item) addresses;
	LIST_OF(struct owned_item) cloud_services;
	struct reverse_settings reverse;
	struct owned *owned; /* the names of these and other addresses of ours; a reference. NULL:
				policy_compile makes it */
	LIST_OF(struct tsig_settings) keys;
	LIST_OF(struct transfer_settings) transfers;
	LIST_OF(struct registration_settings) registration;
	struct cache_settings cache;
	struct udp_settings udp;
	struct outbound_settings outbound;
	struct tcp_settings tcp;
	struct response_limit_settings response_limit;
	struct log_settings log;
	struct query_log_settings query_log;
	struct events_settings events;
	struct identity_settings identity;

	/* The members that a composed model does not share. */
	struct arena arena;
	atomic_uint references; /* atomic: the threads of large changes take some, too */
	struct model *declared; /* the model of only the file; a reference. NULL: this is it */
	struct model *like;     /* of model_same: the model with its items; a reference */
	LIST_OF(struct model_part *) parts; /* the other items; references */
};

/* Makes an empty model; schema_defaults sets the defaults of all fields. */
struct model *model_new(void);
struct model *model_ref(struct model *model); /* another reference, for a holder of one */
/* Releases a reference; the last one releases the zones, the owned table and the arena. NULL is
 * fine. */
void model_free(struct model *model);
/* Composes the file's model with parts, which follow the file's items of their list or replace one.
 * Takes its own references; `declared` must not change any more, except its zones' references. The
 * caller must place the result's endpoints and complete its default resolver. NULL without
 * memory. */
struct model *model_compose(struct model *declared, struct model_part *const *parts, size_t count);
/* The model of the file alone, which may be this one. */
static inline struct model *model_declared(const struct model *model)
{
	return model->declared ? model->declared : (struct model *)(uintptr_t)model;
}
/* A model that shares everything with a complete one, except that it has its own references to the
 * zones' data, and no owned table yet. NULL without memory. */
struct model *model_same(struct model *model);

/* Sorts networks, resolvers and zones by name for look-ups (reference.h), because there may be a
 * hundred thousand links. Call it again after adding or renaming one, because a stale order gives
 * wrong results; model_compose and model_make_unnamed do it themselves. ERR_NOMEM. */
MUST_CHECK int model_sort_names(struct model *model);

/* Makes items that the configuration needs but does not name: outbound endpoints of rulesets, with
 * resolvers, endpoints and subnets (made.c). Call it once for a composed model, before
 * model_place_endpoints. Adds to named items only what they leave out, and changes no item that
 * other models share. Deterministic. ERR_NOMEM: some items are missing. */
MUST_CHECK int model_make_unnamed(struct model *model);
/* Why the item at the path was made (struct made); NULL: it was not. */
const char *model_made(const struct model *model, const char *path);
/* Whether it is the origin of a made item. */
bool model_is_made(const struct origin *origin);
/* The default clients: loopback and private networks. */
enum { USUAL_CLIENTS = 6 };
extern const char *const model_usual_clients[USUAL_CLIENTS];

/* A new version: unique in the process, never 0. */
uint64_t model_next_version(void);
/* Make a row with an item of `size` bytes, or a part with an item of the list, in its arena; NULL
 * without memory. */
struct model_row *model_row_new(unsigned kind, const char *key, size_t size);
struct model_part *model_part_new(const struct field *list);
/* Release a reference; NULL is fine. */
void model_row_free(struct model_row *row);
void model_part_free(struct model_part *part);

/* The network of a private address, by the longest prefix; NULL: none, or the address is public and
 * so in no network. */
struct virtual_network *model_network_of(const struct model *model, const struct address *address);
/* Finds a subnet by name. */
struct subnet *model_subnet(const struct virtual_network *network, const char *name);
/* The item's own region, else the model's; may be NULL. */
const char *model_region(const struct model *model, const char *own);

struct model_self { /* a host of one of our inbound endpoints */
	const struct dns_resolver *resolver;
	const struct inbound_endpoint *endpoint;
	struct host host;
};
/* Calls back for every placed endpoint's address with port 53, and then for its `listen`. */
void model_each_self(const struct model *model,
		     void (*on_self)(void *context, const struct model_self *self), void *context);

/* Gives every dynamic inbound endpoint without an address the first free usable one of its subnet
 * (as in Azure: the fifth, unless a static endpoint has it), every inbound endpoint without
 * `listen` its address with port 53, and every outbound endpoint without a source the first usable
 * address of its subnet, unless the subnet was made. An endpoint that cannot be placed (no such
 * subnet) stays unset; limits_check says why. Idempotent. */
void model_place_endpoints(struct model *model);

#endif
