/* What becomes of each resource of a server where a file is applied: it is created, changed, kept,
 * deleted, or refused. Nothing is asked or changed here. What is to be created, changed or deleted
 * is printed as it is planned, a line each, and why not for what cannot be; of what the file does
 * not have and is kept, the first three. What is the same already is not mentioned.
 *
 * What the file has is taken out of `served`. What is left there is kept, or goes with --prune. */
#ifndef SLUICE_APPLY_PLAN_H
#define SLUICE_APPLY_PLAN_H

#include <jansson.h>

#include "resolver/control/command/command.h"
#include "rules/schema/model.h"

struct apply_plan {
	const struct command_line *line;
	json_t *served; /* key -> {"path", "values", "origin"}; what the file has is taken out */
	json_t *made;   /* "virtual_networks[home].client_prefixes" -> "127.0.0.0/8, ::1/128" */
	json_t *wanted; /* keys of what the file has */
	const struct model *model; /* the file's; NULL: it is not planned yet */
	json_t *vnet;              /* --vnet's network as it is served; NULL: none */
	json_t *holders; /* "198.51.100.5", "label.region" -> key of the address that has it now */
	/* Of the inventory's kinds those that remove come first: what they had may be given again.
	 */
	json_t *edits, *removals, *puts;
	size_t creates, changes, deletes;
	bool refused; /* something cannot be done from here, which has been printed */
};

/* exported: the answer to GET /v1/export. False: --vnet names no network of it, which has been
 * said. To be released either way. */
bool apply_plan_init(struct apply_plan *plan, const struct command_line *line,
		     const json_t *exported);
void apply_plan_release(struct apply_plan *plan);
/* Everything that the file has, and what it has not. The network of --vnet gets the group that it
 * is served in. */
void apply_plan_model(struct apply_plan *plan, struct model *model);

#endif
