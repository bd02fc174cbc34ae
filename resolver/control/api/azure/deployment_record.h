/* Records of deployments, as clients see them. The state keeps them beside the resources, so they
 * are in no history, export or undo.
 *
 *     deployed GROUP/NAME     "TIME STATE BYTES": when it was made, how it ended, how long it is
 *     deployment GROUP/NAME   what GET shows
 *     operations GROUP/NAME   what GET .../operations shows
 *     template GROUP/NAME     the template
 *
 * GROUP is empty for a deployment to the subscription. Names are compared without regard to case.
 * The last three values are JSON that answers send unchanged, because parsing it would hold up the
 * control thread.
 *
 * All functions return ERR_INVALID if the state cannot be used; `error` has the reason. Without a
 * state, those that read find nothing. */
#ifndef SLUICE_ARM_DEPLOYMENT_RECORD_H
#define SLUICE_ARM_DEPLOYMENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/change_error.h"
#include "resolver/control/store/source.h"
#include "rules/arena.h"

struct resources;

enum {
	DEPLOYMENT_NAME_MAX = 65,
	DEPLOYMENT_STATE_MAX = 16,
	/* A group, and the subscription, keep their latest deployments, within these limits of
	 * number and of bytes; the newest is always kept. */
	DEPLOYMENTS_MAX = 800,
	DEPLOYMENTS_BYTES_MAX = 64 * 1024 * 1024,
	/* The limit of one deployment, with all that are nested in it. */
	DEPLOYMENT_BYTES_MAX = 16 * 1024 * 1024,
	/* A page of the list ends after the record that makes it longer than this. */
	DEPLOYMENT_PAGE_BYTES = 1024 * 1024,
};

/* ---- reading ---- */

/* state: the deployment's provisioningState; "": there is no deployment of that name. */
MUST_CHECK int deployment_find(struct resources *resources, const char *group, const char *name,
			       char state[DEPLOYMENT_STATE_MAX], struct change_error *error);

enum deployment_part { DEPLOYMENT_RECORD, DEPLOYMENT_OPERATIONS, DEPLOYMENT_TEMPLATE };

/* *text: JSON, to be freed; NULL: there is none. */
MUST_CHECK int deployment_read_part(struct resources *resources, const char *group,
				    const char *name, enum deployment_part part, char **text,
				    struct change_error *error);

struct deployment_page {
	const char *group;  /* NULL: those to the subscription */
	const char *behind; /* a name; NULL: the first page */
	size_t room;
	bool (*takes)(void *context, const char *state); /* selects by provisioningState */
	void *context;
	struct json_writer *rows; /* gets the records, by name */
	/* out: */
	char last[DEPLOYMENT_NAME_MAX]; /* the next page begins after it; "": there is none */
};
MUST_CHECK int deployment_list(struct resources *resources, struct deployment_page *page,
			       struct change_error *error);

/* ---- writing ---- */

struct deployment_kept {
	const char *group, *name;  /* group NULL: to the subscription */
	const char *at;            /* "2026-01-31T23:59:59.123456Z" */
	const char *state;         /* its provisioningState */
	char *record, *operations; /* as JSON */
	const char *template;      /* as JSON; NULL: none */
};

struct deployment_pairs { /* all zero: none */
	struct source_pair *rows;
	size_t count;
	/* private */
	size_t room;
	struct arena arena;
	bool has_arena, no_memory;
};

/* Adds the pairs that store these deployments, each replacing one of the same name, and that drop
 * the oldest ones above the limits. The texts are borrowed until deployment_pairs_release, which
 * must be called in any case. */
MUST_CHECK int deployment_pairs_keep(struct deployment_pairs *pairs, struct resources *resources,
				     const struct deployment_kept *kept, size_t count,
				     struct change_error *error);
/* Adds the pairs that drop a deployment; name NULL: all of the group. */
MUST_CHECK int deployment_pairs_drop(struct deployment_pairs *pairs, struct resources *resources,
				     const char *group, const char *name,
				     struct change_error *error);
/* Writes the pairs without a change of resources: all or none, durable. */
MUST_CHECK int deployment_pairs_write(struct deployment_pairs *pairs, struct resources *resources,
				      struct change_error *error);
void deployment_pairs_release(struct deployment_pairs *pairs);

#endif
