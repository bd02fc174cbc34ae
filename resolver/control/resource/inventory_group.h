/* Resource groups: what addresses are sorted into. One is there because
 *
 *     the API made it, or put an address into it    a record of the state, until it is deleted
 *     the file puts an address into it              as long as the file does; read-only here
 *
 * or both. A group that only the file has is where the first such address is, and has no tags. */
#ifndef SLUICE_INVENTORY_GROUP_H
#define SLUICE_INVENTORY_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/resource/inventory.h"
#include "resolver/control/store/source_record.h"

/* What a path says for no group; so no group can be made that is called so. */
#define GROUP_NONE "-"

/* The texts are good until the next change or reload. */
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

/* Without regard to ASCII case; false: there is no such group. */
bool inventory_group(const struct inventory *inventory, const char *name,
		     struct resource_group *group);
/* All of them by name: an array that the caller frees; NULL without memory. */
struct resource_group *inventory_groups(const struct inventory *inventory, size_t *count);
/* How many addresses are in it, of whichever subscription; name NULL: in none. */
size_t inventory_group_size(const struct inventory *inventory, const char *name);
/* Whether there is an address in no group. */
bool inventory_has_ungrouped(const struct inventory *inventory);
/* A strong entity tag, quoted: another one after every change, the same after a restart. Returns
 * text. */
char *group_etag(const struct resource_group *group, char text[ETAG_MAX]);

#endif
