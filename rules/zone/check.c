/* Sorting and checking what a builder has gathered (zone/build.c has the overview).
 *
 * After sorting, a name's descendants follow it; one name is below another when the other's key
 * starts its own; and the empty non-terminals between two neighbours are the labels that they do
 * not share:
 *
 *     corp.test                 node
 *     a.corp.test               node
 *     x.y.a.corp.test           node, and y.a.corp.test ahead of it
 *     z.y.a.corp.test           node
 *
 * Within an RRset the records go back into the order in which they were added: it is the
 * operator's.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/zone/builder.h"
#include "rules/zone/internal.h"
#include "rules/zone/zone.h"

/* What one RRset can have of a message of 65535 bytes with header, question and OPT. */
enum { SET_WIRE_MAX = 65535 - 12 - (NAME_WIRE_MAX + 4) - 11 };

/* ---- sort ---- */

static int compare_keys(const struct entry *a, const struct entry *b)
{
	size_t shorter = a->key_length < b->key_length ? a->key_length : b->key_length;
	int order;

	if (a->key_start != b->key_start)
		return a->key_start < b->key_start ? -1 : 1;
	if (a->key == b->key)
		return 0;
	order = memcmp(a->key, b->key, shorter);
	return order != 0 ? order : (int)a->key_length - (int)b->key_length;
}

/* The SOA first, as readers of zone files and transfers want it. */
static int type_rank(const struct entry *entry)
{
	return entry->type == TYPE_SOA ? 0 : entry->type;
}

static int compare_rdata(const struct entry *a, const struct entry *b)
{
	if (a->rdata_length != b->rdata_length)
		return (int)a->rdata_length - (int)b->rdata_length;
	return memcmp(a->rdata, b->rdata, a->rdata_length);
}

static int compare_order(const struct entry *a, const struct entry *b)
{
	return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare_keys(a, b);

	if (order == 0)
		order = type_rank(a) - type_rank(b);
	if (order == 0)
		order = compare_rdata(a, b);
	return order != 0 ? order : compare_order(a, b);
}

/* Within an RRset: as they were added, duplicates last. */
static int compare_within_set(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return a->duplicate != b->duplicate ? a->duplicate - b->duplicate : compare_order(a, b);
}

struct span zone_owner_span(struct entry *items, size_t count)
{
	struct span span = {items, 1};

	while (span.count < count && compare_keys(items, items + span.count) == 0)
		span.count++;
	return span;
}

struct span zone_set_span(struct entry *items, size_t count)
{
	struct span span = {items, 1};

	while (span.count < count && items[span.count].type == items->type)
		span.count++;
	return span;
}

/* Marks what was added twice, gives all of the set the lowest TTL (RFC 2181 section 5.2) and puts
 * the set into the order of the file. */
static void settle_set(struct span set)
{
	uint32_t ttl = set.items->ttl;

	for (size_t i = 1; i < set.count; i++) {
		set.items[i].duplicate = compare_rdata(&set.items[i - 1], &set.items[i]) == 0;
		if (set.items[i].ttl < ttl)
			ttl = set.items[i].ttl;
	}
	for (size_t i = 0; i < set.count; i++)
		set.items[i].ttl = ttl;
	if (set.count > 1)
		qsort(set.items, set.count, sizeof *set.items, compare_within_set);
}

struct span zone_unique(struct span set)
{
	while (set.items[set.count - 1].duplicate)
		set.count--;
	return set;
}

size_t zone_wire_length(struct span set)
{
	size_t length = 0;

	for (size_t i = 0; i < set.count; i++)
		length += RECORD_HEADER + (size_t)set.items[i].rdata_length;
	return length;
}

/* ---- check ---- */

struct origin zone_entry_origin(const struct entry *entry)
{
	const struct source *source = entry->source;

	return (struct origin){.file = *source->file != '\0' ? source->file : NULL,
			       .path = *source->path != '\0' ? source->path : NULL,
			       .line = entry->line};
}

static void refuse(struct zone_builder *builder, const struct entry *entry, struct faults *faults,
		   const char *format, const char *type, unsigned line)
{
	struct origin origin = zone_entry_origin(entry);
	char text[NAME_TEXT_MAX];

	builder->broken = true;
	fault_add(faults, FAULT_ERROR, &origin, NULL, format, name_wire_to_text(entry->owner, text),
		  type, line);
}

static bool may_stand_beside_cname(uint16_t type)
{
	enum { TYPE_SIG = 24, TYPE_KEY = 25, TYPE_NXT = 30 };

	/* RFC 2181 section 10.1, RFC 4035 section 2.5. */
	return type == TYPE_CNAME || type == TYPE_RRSIG || type == TYPE_NSEC || type == TYPE_SIG ||
	       type == TYPE_KEY || type == TYPE_NXT;
}

static void check_cname(struct zone_builder *builder, struct span owner, struct faults *faults)
{
	const struct entry *cname = NULL, *other = NULL;
	char type[16];

	for (size_t i = 0; i < owner.count; i++) {
		const struct entry *entry = &owner.items[i];

		if (!cname && entry->type == TYPE_CNAME)
			cname = entry;
		if (!other && !may_stand_beside_cname(entry->type))
			other = entry;
	}
	if (!cname || !other)
		return;
	record_type_print(other->type, type, sizeof type);
	if (cname->order > other->order)
		refuse(builder, cname, faults,
		       "%s has a CNAME beside %s data (line %u); a CNAME stands alone", type,
		       other->line);
	else
		refuse(builder, other, faults,
		       "%s has %s data beside a CNAME (line %u); a CNAME stands alone", type,
		       cname->line);
}

static void check_set(struct zone_builder *builder, struct span set, struct faults *faults)
{
	uint16_t type = set.items->type;
	char text[16];

	record_type_print(type, text, sizeof text);
	if ((type == TYPE_SOA || type == TYPE_CNAME || type == TYPE_DNAME) && set.count > 1)
		refuse(builder, &set.items[1], faults,
		       "%s has a second %s, the first is on line %u; keep one of them", text,
		       set.items[0].line);
	if (zone_wire_length(set) > SET_WIRE_MAX)
		refuse(builder, &set.items[set.count - 1], faults,
		       "%s has more %s data than a DNS message can carry (%u bytes); spread it "
		       "over several names",
		       text, SET_WIRE_MAX);
}

/* Data below a DNAME could never be reached (RFC 6672 section 2.4). */
static void check_cover(struct zone_builder *builder, const struct entry *dname, struct span owner,
			struct faults *faults)
{
	for (size_t i = 0; i < owner.count; i++) {
		if (!owner.items[i].duplicate)
			refuse(builder, &owner.items[i], faults,
			       "%s is below a %s (line %u), which covers everything below it",
			       "DNAME", dname->line);
	}
}

static bool is_below(const struct entry *entry, const struct entry *upper)
{
	return entry->key_length > upper->key_length &&
	       memcmp(entry->key, upper->key, upper->key_length) == 0;
}

size_t zone_common_labels(const struct entry *a, const struct entry *b)
{
	size_t labels = 0;

	for (size_t i = 0; i < a->key_length && i < b->key_length && a->key[i] == b->key[i]; i++)
		labels += a->key[i] == 0;
	return labels;
}

size_t zone_count_between(const struct entry *before, const struct entry *entry)
{
	return !before ? 0
		       : zone_common_labels(entry, entry) - zone_common_labels(before, entry) - 1;
}

/* The nodes of an owner, and of the empty non-terminals between the one before and it. */
static void count_nodes(struct totals *totals, const struct entry *before,
			const struct entry *entry)
{
	const uint8_t *owner = entry->owner;
	size_t between = zone_count_between(before, entry);

	for (size_t i = 0; i <= between; i++) {
		totals->nodes++;
		totals->bytes += zone_sets_at(name_wire_length(owner));
		owner += 1 + owner[0];
	}
}

void zone_builder_check(struct zone_builder *builder, struct totals *totals, struct faults *faults)
{
	const struct entry *before = NULL, *dname = NULL;
	struct span owner, set;

	*totals = (struct totals){0};
	if (builder->count > 0)
		qsort(builder->entries, builder->count, sizeof *builder->entries, compare_entries);
	for (size_t i = 0; i < builder->count; i += owner.count) {
		owner = zone_owner_span(builder->entries + i, builder->count - i);
		count_nodes(totals, before, owner.items);
		before = owner.items;
		for (size_t n = 0; n < owner.count; n += set.count) {
			set = zone_set_span(owner.items + n, owner.count - n);
			zone_warn_ttls(builder, set, faults);
			settle_set(set);
			check_set(builder, zone_unique(set), faults);
			totals->sets++;
			totals->records += zone_unique(set).count;
			totals->bytes += zone_set_bytes(zone_wire_length(zone_unique(set)));
		}
		check_cname(builder, owner, faults);
		zone_warn_owner(builder, owner, faults);
		if (dname && is_below(owner.items, dname)) {
			check_cover(builder, dname, owner, faults);
			continue;
		}
		for (size_t n = 0; n < owner.count; n++) {
			if (owner.items[n].type == TYPE_DNAME)
				dname = &owner.items[n];
		}
	}
	zone_warn_rest(builder, faults);
}
