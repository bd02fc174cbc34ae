/* Access lists of other programs: prefixes that are allowed or denied, of which the most specific
 * (Unbound) or the first that matches (BIND) counts. Our lists only allow, so denied prefixes are
 * cut out. */
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
	void *group; /* the caller's; prefixes of different groups stay separate */
};

struct acl { /* all zero: allows nobody */
	struct acl_entry *entries;
	size_t count, room;
};

/* Parses "10.0.0.0/8", "10/8", or a single address "10.0.0.1". */
bool acl_prefix(struct prefix *prefix, const char *text);
void acl_add(struct acl *acl, const struct prefix *prefix, bool allow, const struct origin *at);
void acl_add_of(struct acl *acl, const struct acl_entry *entry);
/* Adds all addresses of both families. */
void acl_add_all(struct acl *acl, bool allow, const struct origin *at);
void acl_release(struct acl *acl);

/* Allowed prefixes that do not overlap, sorted by address, each with the place that allows it. Too
 * many of them are a fault of the import at the first one's place, and the set is empty. */
struct acl_set {
	struct acl_entry *entries;
	size_t count;
};
struct acl_set acl_most_specific(struct import *import, const struct acl *acl);
struct acl_set acl_first_match(struct import *import, const struct acl *acl);
/* The part of a that is not in b; and the part that is in both. */
struct acl_set acl_without(struct import *import, struct acl_set a, struct acl_set b);
struct acl_set acl_both(struct import *import, struct acl_set a, struct acl_set b);
void acl_set_release(struct acl_set *set);

#endif
