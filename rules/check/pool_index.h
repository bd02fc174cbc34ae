/* What addresses that are owned may be in, as limits.c's checks and pools.h share it. */
#ifndef SLUICE_POOL_INDEX_H
#define SLUICE_POOL_INDEX_H

#include "rules/check/internal.h"
#include "rules/check/pools.h"

struct pool_index {
	struct prefix_table pools;    /* value: index of the pool */
	struct prefix_table networks; /* address spaces; value: index of the network */
};
/* Behind limits_check_endpoints, which indexes endpoints' subnets. */
void pool_index_fill(struct pool_index *pool_index, struct check *check);
const char *pool_index_refusal(const struct pool_index *pool_index, const struct check *check,
			       const struct address *address, const char *region,
			       char text[POOLS_TEXT_MAX]);

#endif
