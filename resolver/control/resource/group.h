/* Resource groups: what addresses are sorted into. One is there because the API made it, or put an
 * address into it (a row of the state, until it is deleted), or because the file puts an address
 * into it (read-only here), or both. One that only the file has is where the first such address is,
 * and has no tags. */
#ifndef SLUICE_GROUP_H
#define SLUICE_GROUP_H

#include "resolver/control/resource/owner.h"

struct resource_group {
	const char *name;     /* as it was first written */
	const char *region;   /* NULL: none */
	const char *tags;     /* a JSON object; NULL: none */
	struct origin origin; /* where the file names it first; origin.file NULL: nowhere */
	uint64_t revision;    /* in the state; 0: not there */
};

static inline bool group_is_read_only(const struct resource_group *group)
{
	return group->origin.file != NULL;
}

/* By Azure's rule, what a group cannot be called that is made here: what is wrong with it; NULL:
 * nothing. Those of the file are called as they are. Letters beyond ASCII are taken as they come.
 */
const char *group_name_refusal(const char *name);
/* As the state has it, in the arena. ERR_INVALID: that was not written by sluice. */
MUST_CHECK int group_of_row(struct resource_group *group, const struct source_resource *row,
			    struct arena *arena);
/* What the state keeps of it, and an export has. */
json_t *group_object(const struct resource_group *group);
/* A strong entity tag, quoted: another one after every change, the same after a restart. Returns
 * text. */
char *group_etag(const struct resource_group *group, char text[ETAG_MAX]);

#endif
