/* Entries are laid over each other, what counts less first: one that lets in is added, one that
 * does not is cut out of all that is there. A prefix is cut by halving the one around it:
 *
 *     10.0.0.0/8 without 10.64.0.0/10:   10.0.0.0/10, 10.128.0.0/9 */
#include "resolver/control/import/acl.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/exit.h"

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

enum { PREFIXES_MAX = 20000 };

static void push(struct acl *acl, const struct acl_entry *entry)
{
	if (acl->count == PREFIXES_MAX)
		exit(exit_fail("a list of clients comes to more than %d prefixes", PREFIXES_MAX));
	if ((acl->count & (acl->count - 1)) == 0) {
		size_t room = acl->count == 0 ? 1 : 2 * acl->count;
		struct acl_entry *more = realloc(acl->entries, room * sizeof *more);

		if (!more)
			exit(exit_fail("%s", err_text(ERR_NOMEM)));
		acl->entries = more;
	}
	acl->entries[acl->count++] = *entry;
}

void acl_add(struct acl *acl, const struct prefix *prefix, bool allow, const struct origin *at)
{
	push(acl, &(struct acl_entry){*prefix, allow, *at});
}

void acl_release(struct acl *acl)
{
	free(acl->entries);
	*acl = (struct acl){0};
}

/* What of the entry the prefix does not cover, to the end of `to`. */
static void cut(struct acl *to, const struct acl_entry *entry, const struct prefix *prefix)
{
	struct acl_entry half = *entry;
	unsigned bit = entry->prefix.length;

	if (prefix_covers(prefix, &entry->prefix))
		return;
	if (!prefix_overlaps(prefix, &entry->prefix)) {
		push(to, entry);
		return;
	}
	half.prefix.length++;
	cut(to, &half, prefix);
	half.prefix.address.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	cut(to, &half, prefix);
}

static bool is_covered(const struct acl *acl, const struct prefix *prefix)
{
	for (size_t i = 0; i < acl->count; i++)
		if (prefix_covers(&acl->entries[i].prefix, prefix))
			return true;
	return false;
}

/* One by one, the last word last. */
static struct acl_entry *lay(const struct acl *acl, const struct acl_entry *const *order,
			     size_t *count)
{
	struct acl now = {0};

	for (size_t i = 0; i < acl->count; i++) {
		const struct prefix *prefix = &order[i]->prefix;
		struct acl next = {0};

		if (order[i]->allow && is_covered(&now, prefix))
			continue;
		for (size_t k = 0; k < now.count; k++)
			cut(&next, &now.entries[k], prefix);
		if (order[i]->allow)
			push(&next, order[i]);
		acl_release(&now);
		now = next;
	}
	*count = now.count;
	return now.entries;
}

static int by_length(const void *a, const void *b)
{
	const struct acl_entry *left = *(const struct acl_entry *const *)a;
	const struct acl_entry *right = *(const struct acl_entry *const *)b;

	if (left->prefix.length != right->prefix.length)
		return left->prefix.length < right->prefix.length ? -1 : 1;
	return left < right ? -1 : left > right; /* as they were given */
}

static struct acl_entry *ordered(const struct acl *acl, bool by_prefix, size_t *count)
{
	const struct acl_entry **order = calloc(acl->count + 1, sizeof *order);
	struct acl_entry *found;

	if (!order)
		exit(exit_fail("%s", err_text(ERR_NOMEM)));
	for (size_t i = 0; i < acl->count; i++)
		order[i] = &acl->entries[by_prefix ? i : acl->count - 1 - i];
	if (by_prefix && acl->count > 1)
		qsort(order, acl->count, sizeof *order, by_length);
	found = lay(acl, order, count);
	free(order);
	return found;
}

struct acl_entry *acl_most_specific(const struct acl *acl, size_t *count)
{
	return ordered(acl, true, count);
}

struct acl_entry *acl_first_match(const struct acl *acl, size_t *count)
{
	return ordered(acl, false, count);
}

struct acl_set acl_without(struct acl_set a, struct acl_set b)
{
	struct acl acl = {0};
	struct acl_set rest;

	for (size_t i = 0; i < b.count; i++)
		acl_add(&acl, &b.entries[i].prefix, false, &b.entries[i].at);
	for (size_t i = a.count; i-- > 0;) /* the last is laid first: their order stays */
		acl_add(&acl, &a.entries[i].prefix, true, &a.entries[i].at);
	rest.entries = acl_first_match(&acl, &rest.count);
	acl_release(&acl);
	return rest;
}

struct acl_set acl_both(struct acl_set a, struct acl_set b)
{
	struct acl_set only_a = acl_without(a, b), both = acl_without(a, only_a);

	free(only_a.entries);
	return both;
}
