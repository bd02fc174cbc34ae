/* Deployments that were made, as clients see them: kept in the state beside the resources, so that
 * no history, export or undo has them. Of each group, and of the subscription, the latest
 * DEPLOYMENTS_MAX are kept.
 *
 *     deployment GROUP/NAME   "TIME RECORD": when it was made, and what GET shows, as JSON
 *     template GROUP/NAME     its template, as JSON
 *
 * GROUP is empty for those of the subscription.
 *
 * A name is the same in any case. All give ERR_INVALID where the state cannot be used, by the
 * error. */
#ifndef SLUICE_ARM_DEPLOYMENT_RECORD_H
#define SLUICE_ARM_DEPLOYMENT_RECORD_H

#include <jansson.h>

#include "resolver/control/resource/change.h"

struct inventory;

enum { DEPLOYMENTS_MAX = 800, DEPLOYMENT_NAME_MAX = 65 };

/* group NULL: of the subscription. *record is NULL where there is none; to be released. */
MUST_CHECK int deployment_record_read(struct inventory *inventory, const char *group,
				      const char *name, json_t **record,
				      struct change_error *error);
/* The same of its template. */
MUST_CHECK int deployment_template_read(struct inventory *inventory, const char *group,
					const char *name, json_t **template,
					struct change_error *error);
/* An array of at most `limit` records, by name, behind this name (NULL: from the first on). */
MUST_CHECK int deployment_records_list(struct inventory *inventory, const char *group,
				       const char *behind, size_t limit, json_t **array,
				       struct change_error *error);
struct deployment_record {
	const char *group, *name; /* group NULL: of the subscription */
	json_t *record;
	const char *template; /* as JSON; NULL: it has none */
};
/* All of them or none; durable. Each replaces the one of its name, and the oldest ones that are too
 * many go. */
MUST_CHECK int deployment_records_write(struct inventory *inventory,
					const struct deployment_record *rows, size_t count,
					struct change_error *error);
/* name NULL: all of the group. */
MUST_CHECK int deployment_record_remove(struct inventory *inventory, const char *group,
					const char *name, struct change_error *error);

#endif
