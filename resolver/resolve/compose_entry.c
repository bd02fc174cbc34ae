/* What an upstream said, as a network may use it.
 *
 * An answer of the default resolver (and of a rule with follow_cname) is cut at the first owner
 * behind the question's own that somebody else decides: that is what makes Private Link work. A
 * rule's answer is final where it holds the asked data. A chain that ends without them is decided
 * anew at its last name: what another route may know, or the same target did not look for. */
#include <string.h>

#include "resolver/resolve/compose_internal.h"

struct source { /* the entry as it is read */
	const struct cache_entry *entry;
	uint32_t age_s;
	bool stale;
};

static uint32_t aged(const struct source *source, uint32_t ttl)
{
	if (source->stale)
		return COMPOSE_STALE_TTL;
	return ttl > source->age_s ? ttl - source->age_s : 0;
}

/* The entry is the whole answer and its owner names stand where the client's question has them:
 * copy it, age it. */
static void copy_whole(struct composition *c, const struct source *source)
{
	const struct cache_entry *entry = source->entry;
	size_t from = MESSAGE_HEADER + (size_t)entry->question_length;
	struct message *message = &c->message;

	if (entry->length > message->capacity) {
		message->overflow = true;
		return;
	}
	memcpy(message->wire + from, cache_entry_wire(entry) + from, entry->length - from);
	for (unsigned i = 0; i < entry->ttl_count; i++) {
		uint8_t *ttl = message->wire + cache_entry_ttls(entry)[i];

		wire_put32(ttl, aged(source, wire_u32(ttl)));
	}
	message->length = entry->length;
	message->counts[SECTION_ANSWER] = entry->answers;
	message->counts[SECTION_AUTHORITY] = entry->authorities;
}

static void copy_authority(struct composition *c, const struct source *source)
{
	const struct cache_entry *entry = source->entry;
	const struct cache_link *last = &cache_entry_links(entry)[entry->link_count - 1];
	struct message_walk walk =
		message_walk_from(cache_entry_wire(entry), entry->length, last->at);
	struct record_view record;

	for (unsigned i = 0; i < last->above + last->count + (unsigned)entry->authorities; i++) {
		if (c->message.overflow || message_reread_record(&walk, &record) != 0)
			return;
		if (i >= last->above + (unsigned)last->count)
			message_copy_record(&c->message, SECTION_AUTHORITY, cache_entry_wire(entry),
					    entry->length, &record, 0, NULL,
					    aged(source, record.ttl));
	}
}

/* Copies what the answer section has for the name the chain has come to; returns where the target
 * of its CNAME stands now, 0: there is none, or no room. */
static size_t copy_link(struct composition *c, const struct frame *f, const struct source *source,
			const struct cache_link *link)
{
	const struct cache_entry *entry = source->entry;
	struct message_walk walk =
		message_walk_from(cache_entry_wire(entry), entry->length, link->at);
	size_t target_at = 0;
	struct record_view record;

	for (unsigned i = 0; i < link->above + (unsigned)link->count; i++) {
		bool own = i >= link->above;

		if (c->message.overflow || message_reread_record(&walk, &record) != 0)
			return 0;
		size_t rdata_at =
			message_copy_record(&c->message, SECTION_ANSWER, cache_entry_wire(entry),
					    entry->length, &record, own ? f->owner_at : 0,
					    own ? f->name->wire : NULL, aged(source, record.ttl));
		if (own && record.type == TYPE_CNAME && c->request->type != TYPE_CNAME)
			target_at = rdata_at;
	}
	return target_at;
}

/* Whether an answer by this verdict is looked through for names that somebody else decides. */
static bool route_is_cut(const struct verdict *verdict)
{
	return verdict->by == DECIDED_DEFAULT || verdict->redirected ||
	       (verdict->rule && verdict->rule->follow_cname);
}

/* Whether the name is still the business of whoever said this. */
static bool same_route(const struct composition *c, const struct frame *f,
		       const struct verdict *verdict)
{
	struct verdict next;

	policy_decide(c->policy, f->place, f->name, c->request->type, &next, NULL);
	return next.kind == VERDICT_FORWARD && next.route->id == verdict->route->id;
}

static enum step end_with_entry(struct composition *c, const struct source *source)
{
	copy_authority(c, source);
	c->rcode = source->entry->rcode;
	return STEP_DONE;
}

/* The chain has led on, and ends without the asked data. Who has said why there are none is not
 * asked again. */
static enum step end_of_chain(struct composition *c, struct frame *f, const struct verdict *verdict,
			      const struct source *source)
{
	const struct cache_entry *entry = source->entry;

	if ((entry->has_soa || entry->rcode == RCODE_YXDOMAIN) && same_route(c, f, verdict))
		return end_with_entry(c, source);
	return STEP_NEXT;
}

static enum step follow_entry(struct composition *c, struct frame *f, const struct verdict *verdict,
			      const struct source *source)
{
	const struct cache_entry *entry = source->entry;

	for (unsigned i = 0; i < entry->link_count; i++) {
		bool last = i + 1 == entry->link_count;
		size_t target_at = copy_link(c, f, source, &cache_entry_links(entry)[i]);

		c->rcode = RCODE_NOERROR;
		if (c->message.overflow)
			return STEP_DONE;
		if (!target_at && (i == 0 || (last && entry->has_data)))
			return end_with_entry(c, source);
		if (!target_at)
			break;
		enum step step = compose_move(c, f, c->message.wire + target_at, target_at);
		if (step == STEP_DONE || (route_is_cut(verdict) && !same_route(c, f, verdict)))
			return step;
	}
	return end_of_chain(c, f, verdict, source);
}

enum step compose_from_entry(struct composition *c, struct frame *f, const struct verdict *verdict,
			     const struct cache_entry *entry, bool stale)
{
	struct source source = {entry, (uint32_t)((c->now_us - entry->stored_us) / 1000000), stale};
	bool first = !c->message.counts[SECTION_ANSWER] && f->owner_at == MESSAGE_HEADER;
	bool whole = entry->link_count == 1 || (entry->has_data && !route_is_cut(verdict));

	compose_begin_owner(c, false);
	c->used_stale = c->used_stale || stale;
	if (first && whole) {
		copy_whole(c, &source);
		c->rcode = entry->rcode;
		return STEP_DONE;
	}
	return follow_entry(c, f, verdict, &source);
}
