/* What a zone file may say and nobody means:
 *
 *     mail.corp.test  A                    in corp.test: mail.corp.test.corp.test, without a dot
 *     www             CNAME web.corp.test  the same of what it points to
 *     www 60 A, www 300 A                  one TTL for all of a set (RFC 2181 section 5.2)
 *
 * Of a zone with an apex of one label nothing is said: intranet.intranet may well be meant. Only
 * the first few are told, because a file that is wrong in this way is wrong in many places. */
#include <stdarg.h>

#include "rules/zone/builder.h"
#include "rules/zone/zone.h"

enum { WARNINGS_MAX = 20 };

static void __attribute__((format(printf, 4, 5)))
warn(struct zone_builder *builder, const struct entry *entry, struct faults *faults,
     const char *format, ...)
{
	struct origin origin = zone_entry_origin(entry);
	char text[2 * NAME_TEXT_MAX + 128];
	va_list arguments;

	if (builder->warnings == 0 || origin.line > builder->warning.line)
		builder->warning = origin;
	if (builder->warnings++ >= WARNINGS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	fault_add(faults, FAULT_WARNING, &origin, NULL, "%s", text);
}

static bool is_doubled(const struct zone_builder *builder, const uint8_t *name)
{
	size_t wanted = builder->doubled_length, length = name_wire_length(name);

	if (wanted == 0)
		return false;
	for (; length > wanted; length -= *name + 1U, name += *name + 1)
		;
	return length == wanted && name_wire_equal(name, builder->doubled);
}

/* The name that this record points to, where a zone file may leave out its final dot. */
static const uint8_t *find_target(const struct entry *entry)
{
	switch (entry->type) {
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_PTR:
	case TYPE_DNAME: return entry->rdata;
	case TYPE_MX: return entry->rdata + 2;
	case TYPE_SRV: return entry->rdata + 6;
	default: return NULL;
	}
}

/* The owner's first record in the file. */
static const struct entry *first_of(struct span span)
{
	const struct entry *first = span.items;

	for (size_t i = 1; i < span.count; i++) {
		if (span.items[i].order < first->order)
			first = &span.items[i];
	}
	return first;
}

void zone_warn_owner(struct zone_builder *builder, struct span owner, struct faults *faults)
{
	char name[NAME_TEXT_MAX], target_name[NAME_TEXT_MAX], type[16];

	if (is_doubled(builder, owner.items->owner))
		warn(builder, first_of(owner), faults,
		     "%s ends with the zone's name twice; a final dot is missing",
		     name_wire_to_text(owner.items->owner, name));
	for (size_t i = 0; i < owner.count; i++) {
		const struct entry *entry = &owner.items[i];
		const uint8_t *target = find_target(entry);

		if (!target || entry->duplicate || !is_doubled(builder, target))
			continue;
		record_type_print(entry->type, type, sizeof type);
		warn(builder, entry, faults,
		     "the %s of %s points to %s, which ends with the zone's name twice; a final "
		     "dot is missing",
		     type, name_wire_to_text(entry->owner, name),
		     name_wire_to_text(target, target_name));
	}
}

void zone_warn_ttls(struct zone_builder *builder, struct span set, struct faults *faults)
{
	const struct entry *first = first_of(set), *other = NULL;
	uint32_t lowest = first->ttl;
	char name[NAME_TEXT_MAX], type[16];

	for (size_t i = 0; i < set.count; i++) {
		const struct entry *entry = &set.items[i];

		if (entry->ttl < lowest)
			lowest = entry->ttl;
		if (entry->ttl != first->ttl && (!other || entry->order < other->order))
			other = entry;
	}
	if (!other)
		return;
	record_type_print(other->type, type, sizeof type);
	warn(builder, other, faults,
	     "the %s data of %s has TTL %u here and %u on line %u; the lowest, %u, is used for "
	     "all of it",
	     type, name_wire_to_text(other->owner, name), other->ttl, first->ttl, first->line,
	     lowest);
}

void zone_warn_rest(struct zone_builder *builder, struct faults *faults)
{
	if (builder->warnings > WARNINGS_MAX)
		fault_add(faults, FAULT_WARNING, &builder->warning, NULL,
			  "%zu more of such warnings in this zone",
			  builder->warnings - WARNINGS_MAX);
}
