/* What the files of inventory*.c and change*.c share of groups: an entry of a shelf's table,
 * what the state keeps or what the file names. */
#ifndef SLUICE_INVENTORY_GROUP_INTERNAL_H
#define SLUICE_INVENTORY_GROUP_INTERNAL_H

#include "resolver/control/resource/inventory_group.h"
#include "resolver/control/resource/inventory_internal.h"

enum { GROUP_KEY_MAX = 128 }; /* of a group's name with its NUL; the schema allows 90 */

struct group_entry {
	struct resource_group group; /* texts are in `texts`, but for the origin's: the model's */
	UT_hash_handle hh;
	char texts[]; /* first the key: the name in lower case */
};

/* What tables find the name by; false: it is too long to be in one. */
bool group_key(const char *name, char key[GROUP_KEY_MAX]);
/* A copy, in no table, to be freed; NULL without memory. */
struct group_entry *group_entry_new(const struct resource_group *values);
struct group_entry *group_find(struct group_entry *table, const char *name);
/* There is none of that name. ERR_NOMEM: it is in no table. */
MUST_CHECK int group_put(struct group_entry **table, struct group_entry *entry);
void group_take(struct group_entry **table, struct group_entry *entry);
/* Puts a copy of the values where there is none of that name yet. */
MUST_CHECK int group_name_once(struct group_entry **table, const struct resource_group *values);
void groups_free(struct group_entry **table);

#endif
