/* Who may ask, as other programs say it: prefixes that are let in and others that are not, of which
 * either the most specific counts (Unbound) or the first that fits (BIND). Ours only let in, so
 * what is not let in is cut out. */
#ifndef SLUICE_IMPORT_ACL_H
#define SLUICE_IMPORT_ACL_H

#include <stdbool.h>

#include "rules/fault.h"
#include "rules/prefix.h"

struct import;

struct acl_entry {
	struct prefix prefix;
	bool allow;
	struct origin at;
	void *group; /* the caller's; prefixes of several groups stay apart */
};

struct acl { /* all zero: nobody */
	struct acl_entry *entries;
	size_t count, room;
};

/* "10.0.0.0/8", "10/8", and "10.0.0.1" for that address alone. */
bool acl_prefix(struct prefix *prefix, const char *text);
void acl_add(struct acl *acl, const struct prefix *prefix, bool allow, const struct origin *at);
void acl_add_of(struct acl *acl, const struct acl_entry *entry);
/* All addresses of both families. */
void acl_add_all(struct acl *acl, bool allow, const struct origin *at);
void acl_release(struct acl *acl);

/* Prefixes that do not overlap, by address, each let in with where that is said. More of them than
 * anybody has are a fault of the import's at that place, and the set is empty. */
struct acl_set {
	struct acl_entry *entries;
	size_t count;
};
struct acl_set acl_most_specific(struct import *import, const struct acl *acl);
struct acl_set acl_first_match(struct import *import, const struct acl *acl);
/* What of a is not in b. */
struct acl_set acl_without(struct import *import, struct acl_set a, struct acl_set b);
struct acl_set acl_both(struct import *import, struct acl_set a, struct acl_set b);
void acl_set_release(struct acl_set *set);

#endif
