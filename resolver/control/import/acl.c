/* Entries are sorted by address, so those inside a prefix follow it. The address space is halved
 * until no entry is inside a half; then one entry around the half decides all of it. So n entries
 * cost n log n, and at most one step for each of their bits.
 *
 *     10.0.0.0/8 without 10.64.0.0/10:   10.0.0.0/10, 10.128.0.0/9 */
#include "resolver/control/import/acl.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/import/import.h"

bool acl_prefix(struct prefix *prefix, const char *text)
{
	const char *slash = strchr(text, '/');
	char whole[PREFIX_TEXT_MAX];
	size_t length = slash ? (size_t)(slash - text) : 0, dots = 0;

	if (!slash && address_parse(&prefix->address, text) == 0) {
		prefix->length = (uint8_t)address_bits(&prefix->address);
		return true;
	}
	if (prefix_parse_lenient(prefix, text) == 0)
		return true;
	for (size_t i = 0; i < length; i++)
		dots += text[i] == '.';
	if (!slash || dots >= 3 || memchr(text, ':', length))
		return false;
	snprintf(whole, sizeof whole, "%.*s%s%s", (int)length, text, &".0.0.0"[2 * dots], slash);
	return prefix_parse_lenient(prefix, whole) == 0;
}

enum { PREFIXES_MAX = 20000, HALVES_MAX = 1000000 /* before equal halves are joined */ };

void acl_add_of(struct acl *acl, const struct acl_entry *entry)
{
	if (acl->count == acl->room) {
		size_t room = acl->room == 0 ? 4 : 2 * acl->room;
		struct acl_entry *more = realloc(acl->entries, room * sizeof *more);

		if (!more)
			exit(exit_fail("%s", err_text(ERR_NOMEM)));
		acl->entries = more;
		acl->room = room;
	}
	acl->entries[acl->count++] = *entry;
}

void acl_add(struct acl *acl, const struct prefix *prefix, bool allow, const struct origin *at)
{
	acl_add_of(acl, &(struct acl_entry){.prefix = *prefix, .allow = allow, .at = *at});
}

void acl_add_all(struct acl *acl, bool allow, const struct origin *at)
{
	static const uint8_t families[] = {4, 6};

	for (size_t i = 0; i < 2; i++)
		acl_add(acl, &(struct prefix){.address.family = families[i]}, allow, at);
}

void acl_release(struct acl *acl)
{
	free(acl->entries);
	*acl = (struct acl){0};
}

void acl_set_release(struct acl_set *set)
{
	free(set->entries);
	*set = (struct acl_set){0};
}

/* ---- halving ---- */

struct halving {
	const struct acl_entry **sorted;
	bool first_counts; /* otherwise the longest prefix counts, and of equal ones the last */
	struct acl made;
	bool too_many;
};

static int by_prefix(const void *a, const void *b)
{
	const struct acl_entry *left = *(const struct acl_entry *const *)a;
	const struct acl_entry *right = *(const struct acl_entry *const *)b;
	int order = prefix_compare(&left->prefix, &right->prefix);

	if (order != 0)
		return order;
	return left < right ? -1 : left > right; /* in the order given */
}

/* The entry that counts of two around an address; the second has the longer prefix, or the same one
 * and comes later. `first` NULL: none. */
static const struct acl_entry *counting(const struct halving *halving,
					const struct acl_entry *first,
					const struct acl_entry *second)
{
	return first && halving->first_counts && first < second ? first : second;
}

/* Whether all of a prefix is allowed, with a single group. */
struct halved {
	bool whole;
	void *group;
};

/* Decides all of the prefix by this entry. */
static struct halved keep(struct halving *halving, const struct prefix *prefix,
			  const struct acl_entry *counts)
{
	struct acl_entry entry;

	if (!counts || !counts->allow)
		return (struct halved){.whole = false};
	entry = *counts;
	entry.prefix = *prefix;
	halving->too_many |= halving->made.count == HALVES_MAX;
	if (!halving->too_many)
		acl_add_of(&halving->made, &entry);
	return (struct halved){true, counts->group};
}

/* Decides the prefix, which contains the entries from `from` up to `to`. */
static struct halved halve(struct halving *halving, size_t from, size_t to,
			   const struct prefix *prefix, const struct acl_entry *counts)
{
	size_t made = halving->made.count, middle;
	unsigned bit = prefix->length;
	struct prefix half = *prefix;
	struct halved left, right;

	for (; from < to && halving->sorted[from]->prefix.length == prefix->length; from++)
		counts = counting(halving, counts, halving->sorted[from]);
	if (from == to)
		return keep(halving, prefix, counts);
	half.length++;
	for (middle = from; middle < to && prefix_covers(&half, &halving->sorted[middle]->prefix);)
		middle++;
	left = halve(halving, from, middle, &half, counts);
	half.address.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	right = halve(halving, middle, to, &half, counts);
	if (!left.whole || !right.whole || left.group != right.group || !counts || !counts->allow ||
	    counts->group != left.group)
		return (struct halved){.whole = false};
	/* All of the prefix is allowed, and one entry covers it. */
	halving->made.count = made;
	return keep(halving, prefix, counts);
}

static struct acl_set let_in(struct import *import, const struct acl *acl, bool first_counts)
{
	struct halving halving = {.first_counts = first_counts};
	size_t of_ipv4 = 0;

	halving.sorted = calloc(acl->count + 1, sizeof *halving.sorted);
	if (!halving.sorted)
		exit(exit_fail("%s", err_text(ERR_NOMEM)));
	for (size_t i = 0; i < acl->count; i++) {
		halving.sorted[i] = &acl->entries[i];
		of_ipv4 += acl->entries[i].prefix.address.family == 4;
	}
	if (acl->count > 1)
		qsort(halving.sorted, acl->count, sizeof *halving.sorted, by_prefix);
	halve(&halving, 0, of_ipv4, &(struct prefix){.address.family = 4}, NULL);
	halve(&halving, of_ipv4, acl->count, &(struct prefix){.address.family = 6}, NULL);
	free(halving.sorted);
	if (halving.too_many || halving.made.count > PREFIXES_MAX) {
		import_fault(import, &halving.made.entries[0].at,
			     "this list of clients comes to more than %d prefixes; use wider ones",
			     PREFIXES_MAX);
		acl_release(&halving.made);
	}
	return (struct acl_set){halving.made.entries, halving.made.count};
}

struct acl_set acl_most_specific(struct import *import, const struct acl *acl)
{
	return let_in(import, acl, false);
}

struct acl_set acl_first_match(struct import *import, const struct acl *acl)
{
	return let_in(import, acl, true);
}

struct acl_set acl_without(struct import *import, struct acl_set a, struct acl_set b)
{
	struct acl acl = {0};
	struct acl_set rest;

	for (size_t i = 0; i < b.count; i++)
		acl_add(&acl, &b.entries[i].prefix, false, &b.entries[i].at);
	for (size_t i = 0; i < a.count; i++)
		acl_add_of(&acl, &a.entries[i]);
	rest = acl_first_match(import, &acl);
	acl_release(&acl);
	return rest;
}

struct acl_set acl_both(struct import *import, struct acl_set a, struct acl_set b)
{
	struct acl_set only_a = acl_without(import, a, b), both = acl_without(import, a, only_a);

	acl_set_release(&only_a);
	return both;
}
