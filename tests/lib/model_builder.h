/* Builds models for tests call by call, without a configuration file. A wrong value aborts the
 * test. Returned pointers are valid until the next item of the same kind is made. */
#ifndef SLUICE_TESTS_MODEL_BUILDER_H
#define SLUICE_TESTS_MODEL_BUILDER_H

#include "rules/name.h"
#include "rules/policy/policy.h"
#include "rules/schema/model.h"

extern const struct hash_key test_key;

/* A model with every default of the schema. */
struct model *model_start(void);

/* prefixes: "10.10.0.0/16 10.11.0.0/16". Each network has the subnets in (.0.0/28), out (.0.16/28)
 * and out2 (.0.32/28) of its first prefix. */
struct virtual_network *model_add_network(struct model *model, const char *name,
					  const char *prefixes);
void model_add_client_prefix(struct virtual_network *network, struct model *model,
			     const char *prefix);
void model_add_dns_server(struct virtual_network *network, struct model *model, const char *host);
/* A resolver of that name in that network, with the inbound endpoint "in" at the network's .0.4
 * (listening at `listen`, NULL: at its address) and the outbound endpoints "out" and "out2". */
void model_add_resolver(struct model *model, const char *name, const char *network,
			const char *listen);
/* text: a master file. networks: "hub spoke"; a '?' at a name's end: with NxDomainRedirect, a '>':
 * with NxDomainFallthrough. */
void model_add_zone(struct model *model, const char *name, const char *text, const char *networks);
/* Lets clients register in the zone, with addresses of the prefix. */
void model_add_registration(struct model *model, const char *zone, const char *prefix);
/* endpoints: "hub/out hub/out2". */
struct forwarding_ruleset *model_add_ruleset(struct model *model, const char *name,
					     const char *endpoints, const char *networks);
/* targets: "192.0.2.1 192.0.2.2:5353 tcp:192.0.2.3". */
struct forwarding_rule *model_add_rule(struct model *model, struct forwarding_ruleset *ruleset,
				       const char *name, const char *domain, const char *targets);
void model_add_default(struct model *model, const char *targets);
void model_add_reserved(struct model *model, const char *domain);
void model_add_pool(struct model *model, const char *name, const char *prefix);
struct owned_item *model_add_address(struct model *model, const char *name, const char *address,
				     const char *label, const char *reverse_fqdn);
void model_add_service(struct model *model, const char *name, const char *address,
		       const char *reverse_fqdn);

/* Places the endpoints and compiles. The caller keeps the model. */
struct policy *model_compile(struct model *model, const struct policy *before);

/* The policy's decision as text: "zone corp.internal hit", "rule contoso", "default", "pool public
 * nxdomain", "zone z redirected", "refused". At the inbound side of the network, or with
 * "vnet:NETWORK" at the VNet resolver. The text is good until the next call. */
const char *model_decide(const struct policy *policy, const char *network, const char *name,
			 uint16_t type);

/* A name hashed with test_key. */
struct name test_name(const char *text);

#endif
