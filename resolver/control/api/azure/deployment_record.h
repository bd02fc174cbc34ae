/* Deployments that were made, as clients see them: kept in the state beside the resources, so that
 * no history, export or undo has them.
 *
 *     deployed GROUP/NAME     "TIME STATE BYTES": when it was made, how it ended, how long it is
 *     deployment GROUP/NAME   what GET shows
 *     operations GROUP/NAME   what GET .../operations shows
 *     template GROUP/NAME     the template
 *
 * GROUP is empty for those of the subscription. A name is the same in any case. The latter three
 * are JSON that is answered as it is, because reading it would hold the control thread up.
 *
 * All give ERR_INVALID where the state cannot be used, by the error. Those that read find nothing
 * where there is no state. */
#ifndef SLUICE_ARM_DEPLOYMENT_RECORD_H
#define SLUICE_ARM_DEPLOYMENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/resource/change.h"
#include "resolver/control/store/source.h"
#include "rules/arena.h"

struct inventory;

enum {
	DEPLOYMENT_NAME_MAX = 65,
	DEPLOYMENT_STATE_MAX = 16,
	/* Of each group, and of the subscription, the latest are kept: so many, and so many bytes
	 * of all of them. The newest one always is. */
	DEPLOYMENTS_MAX = 800,
	DEPLOYMENTS_BYTES_MAX = 64 * 1024 * 1024,
	/* What may be kept of one, with those that are nested in it. */
	DEPLOYMENT_BYTES_MAX = 16 * 1024 * 1024,
	/* A page of the list ends behind the record with which it is longer. */
	DEPLOYMENT_PAGE_BYTES = 1024 * 1024,
};

/* ---- reading ---- */

/* state: its provisioningState; "" where there is none of that name. */
MUST_CHECK int deployment_find(struct inventory *inventory, const char *group, const char *name,
			       char state[DEPLOYMENT_STATE_MAX], struct change_error *error);

enum deployment_part { DEPLOYMENT_RECORD, DEPLOYMENT_OPERATIONS, DEPLOYMENT_TEMPLATE };

/* JSON, to be freed; NULL: it has none. */
MUST_CHECK int deployment_read_part(struct inventory *inventory, const char *group,
				    const char *name, enum deployment_part part, char **text,
				    struct change_error *error);

struct deployment_page {
	const char *group;  /* NULL: of the subscription */
	const char *behind; /* a name; NULL: it is the first page */
	size_t room;
	bool (*takes)(void *context, const char *state); /* those of this provisioningState */
	void *context;
	/* out: */
	char *text; /* an array of records as JSON, by name; to be freed */
	size_t length;
	char last[DEPLOYMENT_NAME_MAX]; /* behind which the next page begins; "": there is none */
};
MUST_CHECK int deployment_list(struct inventory *inventory, struct deployment_page *page,
			       struct change_error *error);

/* ---- writing ---- */

struct deployment_kept {
	const char *group, *name;  /* group NULL: of the subscription */
	const char *at;            /* "2026-01-31T23:59:59.123456Z" */
	const char *state;         /* its provisioningState */
	char *record, *operations; /* as JSON */
	const char *template;      /* as JSON; NULL: it has none */
};

struct deployment_pairs { /* all zero: none */
	struct source_pair *rows;
	size_t count;
	/* inside */
	size_t room;
	struct arena arena;
	bool has_arena, no_memory;
};

/* Adds the pairs that keep these, each in the place of the one of its name, and that drop the
 * oldest ones which are too many then. The texts are borrowed until deployment_pairs_release, which
 * comes last in any case. */
MUST_CHECK int deployment_pairs_keep(struct deployment_pairs *pairs, struct inventory *inventory,
				     const struct deployment_kept *kept, size_t count,
				     struct change_error *error);
/* Adds the pairs that drop it; name NULL: all of the group. */
MUST_CHECK int deployment_pairs_drop(struct deployment_pairs *pairs, struct inventory *inventory,
				     const char *group, const char *name,
				     struct change_error *error);
/* Writes them by themselves: all or none, durable. */
MUST_CHECK int deployment_pairs_write(struct deployment_pairs *pairs, struct inventory *inventory,
				      struct change_error *error);
void deployment_pairs_release(struct deployment_pairs *pairs);

#endif
