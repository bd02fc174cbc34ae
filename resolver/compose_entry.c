/* What an upstream said, as a network may use it.
 *
 * An answer of the default resolver (and of a rule with follow_cname) is cut at the first owner
 * behind the question's own that somebody else decides: that is what makes Private Link work. A
 * rule's answer is final where it holds the asked data. A chain that ends without them is continued
 * where another route leads on. */
#include <string.h>

#include "resolver/compose_internal.h"

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

	memcpy(message->wire + from, entry->wire + from, entry->length - from);
	for (unsigned i = 0; i < entry->ttl_count; i++) {
		uint8_t *ttl = message->wire + entry->ttls[i];

		wire_put32(ttl, aged(source, wire_u32(ttl)));
	}
	message->length = entry->length;
	message->counts[SECTION_ANSWER] = entry->answers;
	message->counts[SECTION_AUTHORITY] = entry->authorities;
}

static bool read_owner(const struct composition *c, const struct cache_entry *entry, size_t *at,
		       struct record_view *record, struct name *owner)
{
	return message_read_record(entry->wire, entry->length, at, record) == 0 &&
	       name_from_wire(owner, &c->policy->key, entry->wire, entry->length, record->owner,
			      NULL) == 0;
}

static void copy_authority(struct composition *c, const struct source *source)
{
	const struct cache_entry *entry = source->entry;
	size_t at = MESSAGE_HEADER + (size_t)entry->question_length;
	struct record_view record;
	struct name owner;

	for (unsigned i = 0; i < (unsigned)entry->answers + entry->authorities; i++) {
		if (!read_owner(c, entry, &at, &record, &owner))
			return;
		if (i >= entry->answers)
			message_copy_record(&c->message, SECTION_AUTHORITY, entry->wire,
					    entry->length, &record, 0, owner.wire,
					    aged(source, record.ttl));
	}
}

/* What the answer section has for the name the chain has come to. */
struct link {
	bool data;
	bool alias;
	size_t target_at; /* alias: where its target stands in the message now */
};

/* A DNAME, or the signature of one: of interest to the names below its owner, too. */
static bool record_is_dname(const struct cache_entry *entry, const struct record_view *record)
{
	return record->type == TYPE_DNAME ||
	       (record->type == TYPE_RRSIG && record->rdata_length >= 2 &&
		wire_u16(entry->wire + record->rdata) == TYPE_DNAME);
}

/* Copies that: the asked type's records, or else the CNAME with a DNAME it was made from. */
static struct link copy_link(struct composition *c, const struct frame *f,
			     const struct source *source)
{
	const struct cache_entry *entry = source->entry;
	size_t at = MESSAGE_HEADER + (size_t)entry->question_length;
	struct link link = {0};
	struct record_view record;
	struct name owner;

	for (unsigned i = 0; i < entry->answers; i++) {
		if (!read_owner(c, entry, &at, &record, &owner))
			break;
		bool same = name_equal(&owner, &f->name);
		bool above = record_is_dname(entry, &record) && name_is_under(&f->name, &owner);

		if (!same && !above)
			continue;
		size_t rdata_at = message_copy_record(
			&c->message, SECTION_ANSWER, entry->wire, entry->length, &record,
			same ? f->owner_at : 0, owner.wire, aged(source, record.ttl));
		if (same && record.type == c->request->type) {
			link.data = true;
		} else if (same && record.type == TYPE_CNAME && !link.alias) {
			link.alias = true;
			link.target_at = rdata_at;
		}
	}
	return link;
}

/* Whether the name is still the business of whoever said this. */
static bool same_route(const struct composition *c, const struct frame *f,
		       const struct verdict *verdict)
{
	struct verdict next;

	policy_decide(c->policy, f->place, &f->name, c->request->type, &next, NULL);
	return next.kind == VERDICT_FORWARD && next.route->id == verdict->route->id;
}

/* The chain has come to an end without the asked data. */
static enum step end_of_chain(struct composition *c, struct frame *f, const struct verdict *verdict,
			      const struct source *source)
{
	const struct cache_entry *entry = source->entry;

	if (!same_route(c, f, verdict))
		return STEP_NEXT;
	if (entry->rcode == RCODE_NOERROR && !entry->has_soa && !entry->truncated &&
	    !f->asked_again) {
		f->asked_again = true;
		return STEP_NEXT;
	}
	copy_authority(c, source);
	c->rcode = entry->rcode;
	return STEP_DONE;
}

static enum step follow_entry(struct composition *c, struct frame *f, const struct verdict *verdict,
			      const struct source *source)
{
	bool cuts = verdict->by == DECIDED_DEFAULT || verdict->redirected ||
		    (verdict->rule && verdict->rule->follow_cname);
	bool first = true;

	for (;;) {
		struct link link = copy_link(c, f, source);

		if (link.data || (!link.alias && first)) {
			copy_authority(c, source);
			c->rcode = source->entry->rcode;
			return STEP_DONE;
		}
		if (!link.alias)
			return end_of_chain(c, f, verdict, source);
		c->rcode = RCODE_NOERROR;
		if (!link.target_at || !compose_move(f, c->message.wire + link.target_at,
						     link.target_at, &c->policy->key))
			return STEP_DONE; /* a loop, cut where it closes; or no room is left */
		if (cuts && !same_route(c, f, verdict))
			return STEP_NEXT;
		first = false;
	}
}

enum step compose_from_entry(struct composition *c, struct frame *f, const struct verdict *verdict,
			     const struct cache_entry *entry, bool stale)
{
	struct source source = {entry, (uint32_t)((c->now_us - entry->stored_us) / 1000000), stale};
	bool first = !c->message.counts[SECTION_ANSWER] && f->owner_at == MESSAGE_HEADER;
	bool final_chain = entry->has_data && verdict->by != DECIDED_DEFAULT &&
			   !verdict->redirected && !(verdict->rule && verdict->rule->follow_cname);

	compose_begin_owner(c, false);
	c->truncated = c->truncated || entry->truncated;
	c->used_stale = c->used_stale || stale;
	if (first && (!entry->chain || final_chain)) {
		copy_whole(c, &source);
		c->rcode = entry->rcode;
		return STEP_DONE;
	}
	return follow_entry(c, f, verdict, &source);
}
