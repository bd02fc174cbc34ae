/* What becomes of each resource of a server where a file is applied: it is created, changed, kept,
 * deleted, or refused. Nothing is asked or changed here; each is printed as it is planned, a line.
 *
 * What the file has is taken out of `served`. What is left there is kept, or goes with --prune. */
#ifndef SLUICE_APPLY_PLAN_H
#define SLUICE_APPLY_PLAN_H

#include <jansson.h>

#include "resolver/control/command/command.h"
#include "resolver/control/resource/kind.h"
#include "rules/schema/model.h"

struct apply_plan {
	const struct command_line *line;
	json_t *served;  /* key -> {"path", "values", "origin"}; what the file has is taken out */
	json_t *made;    /* "virtual_networks[home].client_prefixes" -> "127.0.0.0/8, ::1/128" */
	json_t *wanted;  /* keys of what the file has */
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
/* Everything that the file has, and what it has not. */
void apply_plan_model(struct apply_plan *plan, const struct model *model);

/* ---- for apply_owners.c ---- */

/* What stands for a path in `served`, to be freed; NULL without a path, or memory. */
char *apply_key_of(const char *path);
/* What is served there, taken out; NULL: nothing. */
json_t *apply_take_served(struct apply_plan *plan, const char *path);
/* Takes `values` over; NULL: it goes. */
void apply_add_edit(json_t *edits, const char *path, json_t *values);
/* Of what is served there (NULL: nothing) and is to have these values, which are taken over. False:
 * it was there before, and so was what is inside it. */
bool apply_plan_values(struct apply_plan *plan, const struct kind *kind, const char *path,
		       const json_t *served, json_t *values);

#endif
