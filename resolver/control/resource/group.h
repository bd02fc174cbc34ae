/* Resource groups, which contain addresses and top-level items of a model. A group exists because
 * the API made it or put an address into it (a row of the state, until it is deleted), because the
 * file puts something into it (read-only here), or because a resource of the state names it. A
 * group without a row has no tags, and has the region of its first address, else of its first other
 * resource. */
#ifndef SLUICE_GROUP_H
#define SLUICE_GROUP_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/store/source.h"
#include "rules/schema/model.h"

struct address_draft;

static inline bool group_is_read_only(const struct resource_group *group)
{
	return group->origin.file != NULL;
}

/* False: no such group, not even one that only a resource of the model names. */
bool group_find(struct resources *resources, const char *name, struct resource_group *group);
/* Finds the group's row alone, which is quick; false: it has none. */
bool group_find_row(struct resources *resources, const char *name, struct resource_group *group);
/* All groups by name, in an array that the caller frees; NULL without memory. */
struct resource_group *groups_list(struct resources *resources, size_t *count);
/* How many addresses are in the group, of all subscriptions; name NULL: in no group. */
size_t group_size(struct resources *resources, const char *name);

/* Make an edit, like addresses_put. group_ensure makes the group's row if it is missing, for its
 * first address; if the name does not fit, its error names the member resource_group. */
MUST_CHECK int group_put(struct address_draft *draft, const struct path *path, const json_t *values,
			 enum addresses_why why);
MUST_CHECK int group_remove(struct address_draft *draft, const struct path *path,
			    enum addresses_why why);
MUST_CHECK int group_ensure(struct address_draft *draft, const char *name, const char *region);

/* Calls back for every top-level item of the model that is in a group, kind by kind. */
void group_each_item(const struct model *model,
		     void (*on_item)(void *context, const struct kind *kind, const void *item),
		     void *context);
/* Counts the model's items in that group; `text` names the first, "rulesets/office/hub, ...". */
enum { GROUP_ITEMS_MAX = 400 };
size_t group_items(const struct model *model, const char *name, char text[GROUP_ITEMS_MAX]);
enum { GROUP_REMOVAL_PAGE = 50 };
/* The edits that remove a group (ADDRESSES_BACK): its addresses of that subscription, a page at a
 * time, then its row. Each page must be put before the next. */
struct group_removal {
	const char *name; /* NULL: addresses in no group */
	const char *subscription;
	/* internal */
	struct item_list list; /* of the addresses */
	struct arena arena;
	struct resource_edit edits[GROUP_REMOVAL_PAGE];
};
/* The texts must outlive the removal. */
void group_removal_init(struct group_removal *removal, const char *name, const char *subscription);
/* Sets the next page; its texts may be those of `resources`. ERR_INVALID: `error` says why. */
MUST_CHECK int group_removal_next(struct group_removal *removal, struct resources *resources,
				  struct edit_page *page, struct change_error *error);
void group_removal_release(struct group_removal *removal);
/* The group's values, as the state keeps them. */
json_t *group_values(const struct resource_group *group);
/* Prints a strong entity tag, quoted; it changes with every change and survives a restart. Returns
 * text. */
char *group_etag(const struct resource_group *group, char text[ETAG_MAX]);

#endif
