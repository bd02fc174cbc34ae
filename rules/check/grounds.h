/* What addresses that are owned may be in, as limits.c's checks and territory.h share it. */
#ifndef SLUICE_GROUNDS_H
#define SLUICE_GROUNDS_H

#include "rules/check/internal.h"
#include "rules/check/territory.h"

struct grounds {
	struct prefix_table pools;    /* value: index of the pool */
	struct prefix_table networks; /* address spaces; value: index of the network */
};
/* Behind limits_check_endpoints, which indexes endpoints' subnets. */
void grounds_index(struct grounds *grounds, struct check *check);
const char *grounds_refusal(const struct grounds *grounds, const struct check *check,
			    const struct address *address, const char *region,
			    char text[TERRITORY_TEXT_MAX]);

#endif
