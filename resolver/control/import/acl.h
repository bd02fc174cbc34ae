/* Who may ask, as other programs say it: prefixes that are let in and others that are not, of which
 * either the most specific counts (Unbound) or the first that fits (BIND). Ours only let in, so
 * what is not let in is cut out. */
#ifndef SLUICE_IMPORT_ACL_H
#define SLUICE_IMPORT_ACL_H

#include <stdbool.h>

#include "rules/fault.h"
#include "rules/prefix.h"

struct acl_entry {
	struct prefix prefix;
	bool allow;
	struct origin at;
};

struct acl { /* all zero: nobody */
	struct acl_entry *entries;
	size_t count;
};

/* "10.0.0.0/8", "10/8", and "10.0.0.1" for that address alone. */
bool acl_prefix(struct prefix *prefix, const char *text);
void acl_add(struct acl *acl, const struct prefix *prefix, bool allow, const struct origin *at);
void acl_release(struct acl *acl);

/* So many prefixes that do not overlap, each let in with where that is said; to be freed. */
/* Of such entries: those prefixes of a that b does not have; those that both have. The same. */
struct acl_set {
	struct acl_entry *entries;
	size_t count;
};
struct acl_set acl_without(struct acl_set a, struct acl_set b);
struct acl_set acl_both(struct acl_set a, struct acl_set b);

struct acl_entry *acl_most_specific(const struct acl *acl, size_t *count);
struct acl_entry *acl_first_match(const struct acl *acl, size_t *count);

#endif
