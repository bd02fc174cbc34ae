/* Checks our addresses and their names. An address must be in a pool of its region, or private and
 * inside a virtual network, but not in an endpoint's own subnet. limits.h checks every address in
 * the file, and the management API each new one.
 *
 * A refusal is a text with the error and a correct alternative. */
#ifndef SLUICE_POOLS_H
#define SLUICE_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/prefix.h"
#include "rules/schema/model.h"

struct pools;

enum { POOLS_TEXT_MAX = 512 };

/* Makes the pools of a model without errors, which must outlive them. NULL without memory. */
struct pools *pools_new(const struct model *model);
/* Take and release a reference; the last one frees the pools. All references belong to one thread.
 * NULL is fine for pools_free only. */
struct pools *pools_ref(struct pools *pools);
void pools_free(struct pools *pools);

/* Why the address cannot be ours in this region (NULL: in any). Returns text, or NULL: it can. */
const char *pools_refusal(const struct pools *pools, const struct address *address,
			  const char *region, char text[POOLS_TEXT_MAX]);
/* Whether both refuse the same addresses; `places`: also with the same texts, which name lines of
 * the configuration. */
bool pools_equal(const struct pools *a, const struct pools *b, bool places);
/* Hashes everything that pools_equal compares, places included. Equal pools have different hashes
 * if regions or files differ in case. */
uint64_t pools_hash(const struct pools *pools);
/* Check an address's label (Azure's ^[a-z][a-z0-9-]{1,61}[a-z0-9]$), a cloud service's name, and
 * the name in a PTR (no wildcard, not the root). Return what would be right; NULL: it is right. For
 * a PTR a missing name is right, and so is a text that is no domain name, which the schema
 * refuses. */
const char *label_refusal(const char *label);
const char *service_name_refusal(const char *name);
const char *reverse_fqdn_refusal(const char *fqdn);

#endif
