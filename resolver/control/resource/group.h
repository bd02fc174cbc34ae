/* Resource groups: what addresses, and all that is at the top of a model, are sorted into. One is
 * there because the API made it, or put an address into it (a row of the state, until it is
 * deleted), because the file puts an address or something else into it (read-only here), or because
 * a resource of the state says that it is in it. One without a row is where the first address, else
 * the first other resource in it is, and has no tags. */
#ifndef SLUICE_GROUP_H
#define SLUICE_GROUP_H

#include "resolver/control/resource/owned_resource.h"

static inline bool group_is_read_only(const struct resource_group *group)
{
	return group->origin.file != NULL;
}

/* Calls back for every item at the top of the model that is in a group, kind by kind. */
void group_each_item(const struct model *model,
		     void (*on_item)(void *context, const struct kind *kind, const void *item),
		     void *context);
/* How many of them are in that group; `text` names the first, "rulesets/office/hub, ...". */
enum { GROUP_ITEMS_MAX = 400 };
size_t group_items(const struct model *model, const char *name, char text[GROUP_ITEMS_MAX]);
/* As the state has it, in the arena. ERR_INVALID: that was not written by sluice. */
MUST_CHECK int group_of_row(struct resource_group *group, const struct source_resource *row,
			    struct arena *arena);
/* Its values, which the state keeps. */
json_t *group_values(const struct resource_group *group);
/* What the API shows of it: its values, null where there is none, its place in a file, and its
 * etag. NULL without memory. */
json_t *group_show(const struct resource_group *group);
/* A strong entity tag, quoted: another one after every change, the same after a restart. Returns
 * text. */
char *group_etag(const struct resource_group *group, char text[ETAG_MAX]);

#endif
