/* Where addresses may be that are ours, and how their names are written: in a pool of their region,
 * or private and inside a virtual network; not in a subnet that an endpoint has for itself.
 * limits.h asks this of every address in the file, the management API of each one that it is given.
 *
 * A refusal is a text that says what is wrong and what would be right. */
#ifndef SLUICE_POOLS_H
#define SLUICE_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/prefix.h"
#include "rules/schema/model.h"

struct pools;

enum { POOLS_TEXT_MAX = 512 };

/* Of a model without errors, which must outlive it. NULL without memory. */
struct pools *pools_new(const struct model *model);
/* Take a reference, and let go of one; the last one frees them. One thread has all references. NULL
 * is fine. */
struct pools *pools_ref(struct pools *pools);
void pools_free(struct pools *pools);

/* Why the address cannot be one of ours in this region (NULL: in any); NULL when it can. Returns
 * text. */
const char *pools_refusal(const struct pools *pools, const struct address *address,
			  const char *region, char text[POOLS_TEXT_MAX]);
/* Whether both refuse the same addresses; `places`: for the same reasons, too, which name a line of
 * the configuration. */
bool pools_equal(const struct pools *a, const struct pools *b, bool places);
/* A hash of everything that pools_equal compares, places included; it depends on nothing else. */
uint64_t pools_hash(const struct pools *pools);
/* What would be right, where the label of an address (Azure's ^[a-z][a-z0-9-]{1,61}[a-z0-9]$), the
 * name of a cloud service, or the name that a PTR gives (no wildcard, not the root) does not fit;
 * NULL when it does. */
const char *label_refusal(const char *label);
const char *service_name_refusal(const char *name);
const char *reverse_fqdn_refusal(const char *fqdn);

#endif
