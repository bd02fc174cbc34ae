/* Plans what happens to each resource of a server when a file is applied: it is created, changed,
 * kept, deleted, or refused. Planning sends no request. It prints a line for each resource to be
 * created, changed or deleted, and below a change a line for each member that differs. It also
 * prints resources that stay although the file gives only some of their values, refusals with their
 * reasons, and the first three resources that the file lacks and the server keeps. Resources with
 * equal values are not mentioned.
 *
 * Resources that the file has are taken out of `served`. The rest of it is kept, or deleted with
 * --prune. */
#ifndef SLUICE_APPLY_PLAN_H
#define SLUICE_APPLY_PLAN_H

#include <jansson.h>

#include "resolver/control/command/command.h"
#include "rules/schema/model.h"

struct apply_plan {
	const struct command_line *line;
	json_t *served; /* key -> {"path", "values", "origin"}; without those in the file */
	json_t *made;   /* "virtual_networks[home].client_prefixes" -> "127.0.0.0/8, ::1/128" */
	json_t *wanted; /* keys of the file's resources */
	const struct model *model; /* the file's; NULL: not planned yet */
	json_t *vnet;              /* --vnet's network as served; NULL: none */
	json_t *holders;           /* "198.51.100.5", "label.region" -> key of the present holder */
	/* For kinds beside the model removals come before puts, which may reuse their addresses. */
	json_t *edits, *removals, *puts;
	size_t creates, changes, deletes;
	bool refused; /* a change is impossible from here; the reason was printed */
};

/* exported: the answer to GET /v1/export. False: the answer has no network for --vnet, or more than
 * one; prints why. Release the plan either way. */
bool apply_plan_init(struct apply_plan *plan, const struct command_line *line,
		     const json_t *exported);
void apply_plan_release(struct apply_plan *plan);
/* Plans the file's resources, and those it lacks. The network of --vnet gets its served group. */
void apply_plan_model(struct apply_plan *plan, struct model *model);

#endif
