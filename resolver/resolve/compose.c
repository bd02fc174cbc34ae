/* Makes one pass (compose.h). A frame is a name at a place. The frame moves along its chain, step
 * by step, until the answer is complete, a question must be asked, or no leg can help.
 *
 * An answer of the default resolver (or of a rule with follow_cname) is cut at the first owner that
 * its route does not decide, because a zone or another rule does; this makes Private Link work. Any
 * other rule's answer is final if it has the asked data. If a chain ends without the data, its last
 * name is decided anew: another route may know more, or the target did not look. */
#include "resolver/resolve/compose.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "endpoints/upstream/lookup.h"
#include "resolver/outcomes.h"
#include "resolver/query_ring.h"
#include "rules/base.h"
#include "rules/text.h"

enum step {
	STEP_NEXT,   /* the frame's name has moved on along the chain */
	STEP_DONE,   /* the composition has its rcode */
	STEP_ASK,    /* a question must be asked first */
	STEP_FAILED, /* this leg cannot help; nothing was written */
};

struct frame { /* a name being resolved at a place */
	struct place place;
	const struct name *name; /* the qname, or `moved` */
	struct name moved;
	size_t owner_at; /* offset of the uncompressed name in the message; 0: out of reach */
	unsigned seen_count;
	uint64_t seen[1 + COMPOSE_HOPS_MAX]; /* hashes of the chain's names */
};

/* ---- failures of a pass ---- */

static bool is_explained(const struct composition *c)
{
	return !c->client || policy_explains_to(c->policy, c->client);
}

static __attribute__((format(printf, 3, 4))) void explain(struct composition *c, enum ede ede,
							  const char *format, ...)
{
	va_list arguments;

	c->ede = ede;
	c->ede_text[0] = '\0';
	if (!is_explained(c))
		return;
	va_start(arguments, format);
	vsnprintf(c->ede_text, sizeof c->ede_text, format, arguments);
	va_end(arguments);
}

/* Reports a loop, or a way so long that it must be one; `leg` would close it. */
static void watch_loop(const struct composition *c, const struct leg *leg)
{
	if (c->watch)
		c->watch->on_loop(c->watch->context, leg, c->ede_text);
}

static inline void watch_leg(const struct composition *c, const struct leg *leg,
			     enum composition_from from, const struct cache_entry *entry)
{
	if (c->watch)
		c->watch->on_leg(c->watch->context, leg, from, entry);
}

static enum step end_with(struct composition *c, enum rcode rcode)
{
	c->rcode = rcode;
	return STEP_DONE;
}

/* ---- names along the chain ---- */

static void frame_init(struct frame *frame, struct place place, const struct name *name,
		       size_t owner_at)
{
	frame->place = place;
	frame->name = name;
	frame->owner_at = owner_at;
	frame->seen[0] = name->hash[0];
	frame->seen_count = 1;
}

static bool comes_back(const struct frame *frame)
{
	for (unsigned i = 0; i < frame->seen_count; i++)
		if (frame->seen[i] == frame->moved.hash[0])
			return true;
	return false;
}

static enum step move_on(struct composition *c, struct frame *frame, const uint8_t *target,
			 size_t owner_at)
{
	char text[NAME_TEXT_MAX];
	int err = name_from_wire(&frame->moved, &c->policy->key, target, name_wire_length(target),
				 0, NULL);

	assert(err == 0); /* the name was parsed before */
	(void)err;
	frame->name = &frame->moved;
	if (comes_back(frame)) {
		explain(c, EDE_OTHER, "the chain of names comes back to %s",
			name_to_text(frame->name, text));
		watch_loop(c, NULL);
		return end_with(c, RCODE_NOERROR);
	}
	if (++c->hops > COMPOSE_HOPS_MAX) {
		explain(c, EDE_OTHER, "the chain of names leads on more than %d times",
			COMPOSE_HOPS_MAX);
		watch_loop(c, NULL);
		return end_with(c, RCODE_SERVFAIL);
	}
	frame->seen[frame->seen_count++] = frame->moved.hash[0];
	frame->owner_at = owner_at <= WIRE_POINTER_MAX ? owner_at : 0;
	return STEP_NEXT;
}

static void begin_owner(struct composition *c, bool own)
{
	if (!c->begun)
		c->authoritative = own;
	c->begun = true;
}

/* ---- our own data ---- */

/* If only exact names are ours (an address's PTR, a label), the name itself is the zone: a SOA
 * above it would claim names that we do not answer. */
static void add_negative(struct composition *c, struct frame *f, const struct verdict *verdict)
{
	const struct zone *zone = verdict->answer.zone;
	unsigned label = verdict->as == AS_NAME ? 0 : f->name->labels - zone_apex(zone)->labels;
	size_t at = f->owner_at ? f->owner_at + f->name->offset[label] : 0;

	message_add_rrset(&c->message, SECTION_AUTHORITY, zone_negative_soa(zone),
			  at <= WIRE_POINTER_MAX ? at : 0, name_suffix_wire(f->name, label),
			  UINT32_MAX);
}

/* The address of the endpoint that was asked. If the query has entered endpoints of ours, the
 * innermost one counts, because its network has the zone. `explain` asks no endpoint, so it gets
 * the network's first. NULL: there is none. */
static const struct address *asked_address(const struct composition *c, const struct frame *f)
{
	const struct address *local = c->query ? query_local(c->query) : NULL;
	const struct policy *policy = c->policy;
	const struct policy_inbound *inbound;

	if (c->depth > 0) {
		inbound = policy_find_inbound(policy, c->entered[c->depth - 1].endpoint);
		return inbound ? &inbound->address : NULL;
	}
	if (local)
		return local;
	for (uint32_t i = 0; i < policy->inbound_count; i++)
		if (policy->inbounds[i].network == f->place.network)
			return &policy->inbounds[i].address;
	return NULL;
}

/* Adds the address of a name server. False: it has none of this type. */
static __attribute__((cold, noinline)) bool add_server(struct composition *c, struct frame *f)
{
	const struct address *address = asked_address(c, f);
	uint16_t type = address && address->family == 4 ? TYPE_A : TYPE_AAAA;

	if (!address || !address->family ||
	    (c->request->type != type && c->request->type != TYPE_ANY))
		return false;
	message_add_record(&c->message, SECTION_ANSWER, type, CLASS_IN, REGISTERED_TTL_S,
			   f->owner_at, f->name->wire, address->bytes, address_bits(address) / 8);
	return true;
}

static enum step follow_alias(struct composition *c, struct frame *f, const uint8_t *target,
			      size_t rdata_at)
{
	if (c->request->type == TYPE_CNAME)
		return end_with(c, RCODE_NOERROR);
	return move_on(c, f, target, rdata_at);
}

/* Whether the first `count` answers have a record of this type and owner: one DNAME may apply to
 * several names of a chain. */
static bool has_answer(const struct composition *c, unsigned count, uint16_t type,
		       const uint8_t *owner)
{
	const struct message *message = &c->message;
	struct message_walk walk = message_walk_from(
		message->wire, message->length, MESSAGE_HEADER + (size_t)message->question_length);
	uint8_t name[NAME_WIRE_MAX];
	struct record_view record;

	while (count-- > 0 && message_reread_record(&walk, &record) == 0)
		if (record.type == type &&
		    wire_read_name(message->wire, message->length, record.owner, WIRE_HEADER, name,
				   NULL) &&
		    name_wire_equal(name, owner))
			return true;
	return false;
}

/* Adds the DNAME, and the CNAME that follows from it for this name (RFC 6672 section 2.2). */
static enum step add_dname(struct composition *c, struct frame *f, const struct zone_answer *answer)
{
	size_t prefix = f->name->offset[answer->owner_label], length;
	const uint8_t *to = rrset_rdata(answer->rrset, &length);
	size_t owner_at = f->owner_at ? f->owner_at + prefix : 0;
	uint8_t target[2 * NAME_WIRE_MAX];

	if (!has_answer(c, c->message.counts[SECTION_ANSWER], TYPE_DNAME, f->name->wire + prefix))
		message_add_rrset(&c->message, SECTION_ANSWER, answer->rrset,
				  owner_at <= WIRE_POINTER_MAX ? owner_at : 0,
				  f->name->wire + prefix, UINT32_MAX);
	if (prefix + length > NAME_WIRE_MAX)
		return end_with(c, RCODE_YXDOMAIN);
	memcpy(target, f->name->wire, prefix);
	memcpy(target + prefix, to, length);
	size_t rdata_at = message_add_record(&c->message, SECTION_ANSWER, TYPE_CNAME, CLASS_IN,
					     answer->rrset->ttl, f->owner_at, f->name->wire, target,
					     prefix + length);
	return follow_alias(c, f, target, rdata_at);
}

static enum step answer_own(struct composition *c, struct frame *f, const struct verdict *verdict)
{
	const struct zone_answer *answer = &verdict->answer;
	size_t rdata_at = 0, length;

	begin_owner(c, true);
	c->used.own = true;
	switch (answer->outcome) {
	case ZONE_DNAME: return add_dname(c, f, answer);
	case ZONE_HIT:
	case ZONE_CNAME:
		rdata_at = message_add_rrset(&c->message, SECTION_ANSWER, answer->rrset,
					     f->owner_at, f->name->wire, UINT32_MAX);
		break;
	case ZONE_NODATA:
		if (verdict->as == AS_SERVER && add_server(c, f))
			break;
		add_negative(c, f, verdict);
		break;
	case ZONE_NXDOMAIN: add_negative(c, f, verdict); break;
	}
	if (answer->outcome == ZONE_CNAME)
		return follow_alias(c, f, rrset_rdata(answer->rrset, &length), rdata_at);
	return end_with(c, answer->outcome == ZONE_NXDOMAIN ? RCODE_NXDOMAIN : RCODE_NOERROR);
}

/* ---- answers of upstreams ---- */

struct entry_view { /* an entry being read */
	const struct cache_entry *entry;
	uint32_t age_s;
	bool stale;
};

static uint32_t aged(const struct entry_view *view, uint32_t ttl)
{
	if (view->stale)
		return COMPOSE_STALE_TTL;
	return ttl > view->age_s ? ttl - view->age_s : 0;
}

/* Copies and ages an entry that is the whole answer: its owners point to the question. */
static void copy_whole(struct composition *c, const struct entry_view *view)
{
	const struct cache_entry *entry = view->entry;
	size_t from = MESSAGE_HEADER + (size_t)entry->question_length;
	struct message *message = &c->message;

	if (entry->length > message->capacity) {
		message->overflow = true;
		return;
	}
	memcpy(message->wire + from, cache_entry_wire(entry) + from, entry->length - from);
	for (unsigned i = 0; i < entry->ttl_count; i++) {
		uint8_t *ttl = message->wire + cache_entry_ttls(entry)[i];

		wire_put32(ttl, aged(view, wire_u32(ttl)));
	}
	message->length = entry->length;
	message->counts[SECTION_ANSWER] = entry->answers;
	message->counts[SECTION_AUTHORITY] = entry->authorities;
}

static void copy_authority(struct composition *c, const struct entry_view *view)
{
	const struct cache_entry *entry = view->entry;
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
					    aged(view, record.ttl));
	}
}

/* Whether the first `count` answers have this record of the entry, a DNAME or a DNAME's
 * signature. */
static bool has_above(const struct composition *c, unsigned count, const struct cache_entry *entry,
		      const struct record_view *record)
{
	uint8_t owner[NAME_WIRE_MAX];

	return wire_read_name(cache_entry_wire(entry), entry->length, record->owner, WIRE_HEADER,
			      owner, NULL) &&
	       has_answer(c, count, TYPE_DNAME, owner);
}

/* Copies the link's records for the chain's current name. Returns the offset of its CNAME's target
 * in the message; 0: there is none, or no room. */
static size_t copy_link(struct composition *c, const struct frame *f, const struct entry_view *view,
			const struct cache_link *link)
{
	const struct cache_entry *entry = view->entry;
	struct message_walk walk =
		message_walk_from(cache_entry_wire(entry), entry->length, link->at);
	unsigned before = c->message.counts[SECTION_ANSWER];
	size_t target_at = 0;
	struct record_view record;

	for (unsigned i = 0; i < link->above + (unsigned)link->count; i++) {
		bool own = i >= link->above;

		if (c->message.overflow || message_reread_record(&walk, &record) != 0)
			return 0;
		if (!own && has_above(c, before, entry, &record))
			continue;
		size_t rdata_at =
			message_copy_record(&c->message, SECTION_ANSWER, cache_entry_wire(entry),
					    entry->length, &record, own ? f->owner_at : 0,
					    own ? f->name->wire : NULL, aged(view, record.ttl));
		if (own && record.type == TYPE_CNAME && c->request->type != TYPE_CNAME)
			target_at = rdata_at;
	}
	return target_at;
}

/* Whether an answer by this verdict is cut at names that are decided otherwise. */
static bool route_is_cut(const struct verdict *verdict)
{
	return verdict->by == DECIDED_DEFAULT || verdict->redirected ||
	       (verdict->rule && verdict->rule->follow_cname);
}

/* Whether the same route still decides the name. */
static bool same_route(const struct composition *c, const struct frame *f,
		       const struct verdict *verdict)
{
	struct verdict next;

	policy_decide(c->policy, f->place, f->name, c->request->type, &next, NULL);
	return next.kind == VERDICT_FORWARD && next.route->id == verdict->route->id;
}

static enum step end_with_entry(struct composition *c, const struct entry_view *view)
{
	copy_authority(c, view);
	return end_with(c, view->entry->rcode);
}

static enum step follow_entry(struct composition *c, struct frame *f, const struct verdict *verdict,
			      const struct entry_view *view)
{
	const struct cache_entry *entry = view->entry;

	for (unsigned i = 0; i < entry->link_count; i++) {
		bool last = i + 1 == entry->link_count;
		size_t target_at = copy_link(c, f, view, &cache_entry_links(entry)[i]);

		c->rcode = RCODE_NOERROR;
		if (c->message.overflow)
			return STEP_DONE;
		if (!target_at && (i == 0 || (last && entry->has_data)))
			return end_with_entry(c, view);
		if (!target_at)
			break;
		enum step step = move_on(c, f, c->message.wire + target_at, target_at);
		if (step == STEP_DONE || (route_is_cut(verdict) && !same_route(c, f, verdict)))
			return step;
	}
	/* The chain ends without the asked data. If the upstream has proven that, it is not asked
	 * again. */
	if ((entry->has_soa || entry->rcode == RCODE_YXDOMAIN) && same_route(c, f, verdict))
		return end_with_entry(c, view);
	return STEP_NEXT;
}

static void note_source(struct composition *c, const struct verdict *verdict,
			const struct cache_entry *entry)
{
	c->source.route = verdict->route;
	c->source.leg = entry->leg;
	c->source.upstream = entry->upstream;
}

/* Equal legs have the same upstream at the same index. */
const struct upstream *composition_upstream(const struct composition *c)
{
	const struct route *route = c->source.route;

	for (uint32_t i = 0; route && i < route->leg_count; i++)
		if (route->legs[i].id == c->source.leg &&
		    c->source.upstream < route->legs[i].upstream_count)
			return &route->legs[i].upstreams[c->source.upstream];
	return NULL;
}

/* The leg that the entry's answer came from. */
static const struct leg *leg_of(const struct route *route, const struct cache_entry *entry)
{
	const struct leg *leg = route->legs;

	while (leg->id != entry->leg)
		leg++;
	return leg;
}

/* Notes the latest outcome of a way for the name. But silence of a leg, or a limit of ours, does
 * not replace an error reply of another leg's target. */
static __attribute__((noinline)) void note_outcome(struct composition *c,
						   const struct composition_outcome *outcome)
{
	unsigned i = 0;

	if (!outcome->route->outcomes)
		return;
	while (i < c->outcome_count &&
	       !(c->outcomes[i].route == outcome->route && c->outcomes[i].name == outcome->name))
		i++;
	if (i == COMPOSE_OUTCOMES)
		return;
	if (i == c->outcome_count)
		c->outcome_count++;
	else if (outcome->error != TARGET_ERROR_NONE && !target_error_is_answer(outcome->error) &&
		 target_error_is_answer(c->outcomes[i].error))
		return;
	c->outcomes[i] = *outcome;
}

static __attribute__((noinline)) void note_news(struct composition *c, const struct frame *f,
						const struct verdict *verdict,
						const struct cache_entry *entry)
{
	note_outcome(c, &(struct composition_outcome){.route = verdict->route,
						      .name = f->name->hash[0],
						      .at_us = entry->stored_us});
}

/* An answer matters only after failures, which are rare. */
static inline void note_answer(struct composition *c, const struct frame *f,
			       const struct verdict *verdict, const struct cache_entry *entry)
{
	const struct outcomes *outcomes = verdict->route->outcomes;

	if (outcomes && failures_have_begun(&outcomes->failures))
		note_news(c, f, verdict, entry);
}

/* Another worker may have stored the entry after this query arrived. */
static uint32_t age_s(const struct composition *c, const struct cache_entry *entry)
{
	return c->now_us > entry->stored_us ? (uint32_t)((c->now_us - entry->stored_us) / 1000000)
					    : 0;
}

static enum step use_entry(struct composition *c, struct frame *f, const struct verdict *verdict,
			   const struct cache_entry *entry, bool stale)
{
	struct entry_view view = {entry, age_s(c, entry), stale};
	bool first = !c->message.counts[SECTION_ANSWER] && f->owner_at == MESSAGE_HEADER;
	bool whole = entry->link_count == 1 || (entry->has_data && !route_is_cut(verdict));

	begin_owner(c, false);
	note_source(c, verdict, entry);
	note_answer(c, f, verdict, entry);
	if (c->depth > 0 && entry->stored_us < c->known_us)
		c->known_us = entry->stored_us;
	c->used.stale = c->used.stale || stale;
	if (first && whole) {
		copy_whole(c, &view);
		return end_with(c, entry->rcode);
	}
	return follow_entry(c, f, verdict, &view);
}

/* ---- forwarding ---- */

/* Answers ANY with HINFO (RFC 8482 section 4.2). */
static enum step answer_any(struct composition *c, struct frame *f)
{
	static const uint8_t hinfo[] = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
	enum { HINFO_TTL = 3600 };

	begin_owner(c, false);
	message_add_record(&c->message, SECTION_ANSWER, TYPE_HINFO, CLASS_IN, HINFO_TTL,
			   f->owner_at, f->name->wire, hinfo, sizeof hinfo);
	return end_with(c, RCODE_NOERROR);
}

/* Whether entering the endpoint would loop, because its network is resolving this name already.
 * Then the EDE text names the loop, and the leg has failed. */
static bool entering_loops(struct composition *c, const struct frame *f, const struct leg *leg)
{
	char path[MESSAGE_EDE_TEXT_MAX] = "";
	unsigned first = 0;

	while (first < c->depth && !(c->entered[first].network == leg->network &&
				     c->entered[first].name_hash == f->name->hash[0]))
		first++;
	if (first == c->depth && c->depth <= COMPOSE_DEPTH_MAX)
		return false;
	for (unsigned i = first; i < c->depth; i++)
		text_append(path, sizeof path, "%s -> ", c->entered[i].endpoint);
	if (first == c->depth)
		explain(c, EDE_OTHER, "more than %d endpoints entered one inside the other",
			COMPOSE_DEPTH_MAX);
	else
		explain(c, EDE_OTHER, "forwarding loop: %s%s", path, leg->endpoint);
	watch_loop(c, leg);
	return true;
}

static enum step compose_frame(struct composition *c, struct frame *f);

/* Notes that the route failed for the name, because our own endpoint, to which it leads, could not
 * help. A query without RD does not count: it may be refused only because it has no RD. */
static __attribute__((noinline)) void note_entered(struct composition *c, const struct frame *f,
						   const struct verdict *verdict,
						   enum target_error error)
{
	c->lost_by = error;
	if (c->request->flags & FLAG_RD)
		note_outcome(c, &(struct composition_outcome){.route = verdict->route,
							      .name = f->name->hash[0],
							      .at_us = c->now_us,
							      .error = error});
}

/* The entered endpoint could not help. If a way inside it failed, only that way is to blame; in a
 * loop, every way is. */
static void note_entered_failure(struct composition *c, const struct frame *f,
				 const struct verdict *verdict)
{
	if (c->lost_by == TARGET_ERROR_LOOP)
		note_entered(c, f, verdict, TARGET_ERROR_LOOP);
	else if (c->lost_by == TARGET_ERROR_NONE)
		note_entered(c, f, verdict,
			     c->rcode == RCODE_REFUSED ? TARGET_ERROR_SHUT : TARGET_ERROR_INNER);
}

/* Like note_answer, for our own endpoint. */
static void note_entered_answer(struct composition *c, const struct frame *f,
				const struct verdict *verdict)
{
	const struct outcomes *outcomes = verdict->route->outcomes;

	if (outcomes && failures_have_begun(&outcomes->failures))
		note_outcome(c, &(struct composition_outcome){.route = verdict->route,
							      .name = f->name->hash[0],
							      .at_us = c->known_us});
}

/* False: the endpoint cannot be entered for this name. */
static bool may_enter(struct composition *c, const struct frame *f, const struct leg *leg)
{
	if (f->place.network == NETWORK_DEFAULT || /* without zones and rules */
	    f->place.network == NETWORK_OUTSIDE) {
		explain(c, EDE_OTHER,
			"the default resolver is our own endpoint %s, whose zones and "
			"rules do not count for this",
			leg->endpoint);
		return false;
	}
	if (entering_loops(c, f, leg))
		return false;
	if (++c->entries > COMPOSE_ENTRIES_MAX) {
		explain(c, EDE_OTHER, "more than %d endpoints entered for one name",
			COMPOSE_ENTRIES_MAX);
		return false;
	}
	return true;
}

/* The leg is our own inbound endpoint, so its network answers. Every answer but SERVFAIL and
 * REFUSED is final. */
static enum step enter(struct composition *c, struct frame *f, const struct verdict *verdict,
		       const struct leg *leg)
{
	struct message_mark mark = message_mark(&c->message);
	unsigned hops = c->hops;
	bool begun = c->begun;
	struct frame inner;

	if (!may_enter(c, f, leg)) {
		note_entered(c, f, verdict, TARGET_ERROR_LOOP);
		return STEP_FAILED;
	}
	if (c->watch)
		c->watch->on_enter(c->watch->context, leg);
	c->entered[c->depth++] =
		(struct composition_entry){leg->network, f->name->hash[0], leg->endpoint};
	if (c->depth == 1)
		c->known_us = c->now_us;
	c->lost_by = TARGET_ERROR_NONE;
	frame_init(&inner, (struct place){leg->network, false}, f->name, f->owner_at);
	enum step step = compose_frame(c, &inner);
	c->depth--;
	if (c->watch && step != STEP_ASK)
		c->watch->on_leave(c->watch->context);
	if (step == STEP_ASK)
		return step;
	if (c->rcode != RCODE_SERVFAIL && c->rcode != RCODE_REFUSED) {
		note_entered_answer(c, f, verdict);
		return step;
	}
	note_entered_failure(c, f, verdict);
	message_rewind(&c->message, &mark);
	c->hops = hops;
	c->begun = begun; /* false: the next owner decides AA */
	return STEP_FAILED;
}

static struct cache_key key_of(const struct composition *c, const struct frame *f,
			       const struct leg *leg)
{
	return (struct cache_key){leg->id, f->name, c->request->type, c->request->dnssec_ok,
				  (c->request->flags & FLAG_CD) != 0};
}

/* Finds the newest answer, because a leg that was given up hastily may have been asked again. */
static struct cache_entry *find_told(const struct composition *c, const struct cache_key *key)
{
	for (unsigned i = c->told_count; i-- > 0;)
		if (cache_entry_matches(c->told[i], key))
			return c->told[i];
	return NULL;
}

/* Notes the leg's failure. entry NULL: it was not asked, because its targets are silent. */
static __attribute__((noinline)) void note_failure(struct composition *c, const struct frame *f,
						   const struct verdict *verdict,
						   const struct leg *leg,
						   const struct cache_entry *entry, bool cached)
{
	struct composition_outcome outcome = {.route = verdict->route,
					      .name = f->name->hash[0],
					      .at_us = c->now_us,
					      .error = TARGET_ERROR_SILENCE};

	if (entry) {
		outcome.error = (enum target_error)entry->error;
		if (entry->error_by < leg->upstream_count)
			outcome.by = &leg->upstreams[entry->error_by];
		if (cached)
			outcome.at_us = entry->stored_us;
	}
	c->lost_by = outcome.error;
	if (!target_error_is_ours(outcome.error))
		note_outcome(c, &outcome);
}

static enum step leg_failed(struct composition *c, const struct verdict *verdict,
			    const struct cache_entry *entry, bool cached)
{
	const struct rule *rule = verdict->rule;
	enum ede ede = cached               ? EDE_CACHED_ERROR
		       : entry->unreachable ? EDE_NETWORK_ERROR
					    : EDE_NO_REACHABLE_AUTHORITY;

	/* A target's EDE needs the text, which names the target (RFC 8914 section 3). */
	if (entry->ede && is_explained(c))
		ede = (enum ede)entry->ede;
	c->truncated = c->truncated || entry->truncated;
	note_source(c, verdict, entry);
	if (rule)
		explain(c, ede, "ruleset %s, rule %s: %s", rule->ruleset, rule->name,
			cache_entry_text(entry));
	else
		explain(c, ede, "%s: %s", decided_text(verdict->by), cache_entry_text(entry));
	return STEP_FAILED;
}

static void want(struct composition_ask *ask, const struct frame *f, const struct leg *leg,
		 bool may_wait, bool stale)
{
	ask->leg = leg;
	name_copy(&ask->name, f->name);
	ask->may_wait = may_wait;
	ask->stale = stale;
	ask->prefetch = false;
}

static void want_refresh(struct composition *c, const struct frame *f, const struct leg *leg,
			 bool may_wait)
{
	if (c->refresh_count < COMPOSE_REFRESH_MAX)
		want(&c->refresh[c->refresh_count++], f, leg, may_wait, false);
}

/* Whether every target of the leg is suspect, so that a question would only wait for a sign of
 * life. A refresh still asks the leg, because otherwise its return would go unnoticed. */
static bool passes_over(struct composition *c, const struct frame *f, const struct leg *leg)
{
	if (!leg_is_dark(leg))
		return false;
	want_refresh(c, f, leg, true);
	return true;
}

/* Whether it is stale, and a refresh failed a moment ago. */
static bool was_just_asked(const struct composition *c, const struct cache_entry *entry)
{
	return entry && !entry->failed &&
	       atomic_load_explicit(&entry->again_us, memory_order_relaxed) > c->now_us;
}

/* Asks for a popular answer that is about to expire. The question's may_wait is that of a client's
 * question after the expiry (see use_old), so that such a client joins the question while it is
 * under way. A pass prefetches only one answer, and leaves others to the next pass. */
static void prefetch(struct composition *c, const struct frame *f, const struct leg *leg,
		     struct cache_entry *entry, bool last)
{
	if (!c->may_prefetch || c->refresh_count || !(c->request->flags & FLAG_RD) ||
	    !cache_entry_claim(entry))
		return;
	want_refresh(c, f, leg, last && !c->stale_max_s);
	c->refresh[0].prefetch = true;
}

/* Whether the query has waited long enough for this leg; a refresh keeps waiting. */
static bool gives_up(struct composition *c, const struct frame *f, const struct leg *leg)
{
	if (c->impatient)
		want_refresh(c, f, leg, false);
	return c->impatient;
}

/* There is no fresh answer: the leg must be asked, or has failed. `entry` is stale, a cached
 * failure, or NULL. last: no other leg follows, neither here nor where this endpoint was
 * entered. */
static enum step use_old(struct composition *c, struct frame *f, const struct verdict *verdict,
			 const struct leg *leg, struct cache_entry *entry,
			 const struct cache_entry *told, bool last)
{
	bool failed = told || (entry && entry->failed);
	bool waits = last && !c->stale; /* for a sign of life: there is no alternative */

	if (!(c->request->flags & FLAG_RD))
		return STEP_FAILED;
	if (failed && waits && (told ? told : entry)->hasty)
		failed = false; /* it was given up only because another leg followed */
	if (failed) {
		watch_leg(c, leg, told ? COMPOSED_FROM_TARGET : COMPOSED_FROM_CACHE,
			  told ? told : entry);
		note_failure(c, f, verdict, leg, told ? told : entry, !told);
		return leg_failed(c, verdict, told ? told : entry, !told);
	}
	if (c->expired || was_just_asked(c, entry) || (c->stale && gives_up(c, f, leg)) ||
	    (!waits && passes_over(c, f, leg))) {
		explain(c, EDE_NO_REACHABLE_AUTHORITY, "%s",
			c->expired ? "no answer came in time" : "no target answers");
		watch_leg(c, leg, COMPOSED_FROM_NOBODY, NULL);
		note_failure(c, f, verdict, leg, NULL, false);
		return STEP_FAILED;
	}
	want(&c->ask, f, leg, waits, c->stale > 0);
	return STEP_ASK;
}

/* ANY is never forwarded. But a name that does not exist for this leg has no data of any type (RFC
 * 2308 section 5). Not used with RD = 0, which would reveal questions of others. */
static enum step use_missing(struct composition *c, struct frame *f, const struct verdict *verdict,
			     const struct leg *leg)
{
	static const uint16_t types[] = {TYPE_A, TYPE_AAAA};
	enum step step = STEP_FAILED;

	if (!c->cache || !(c->request->flags & FLAG_RD))
		return STEP_FAILED;
	for (size_t i = 0; i < COUNT(types) && step == STEP_FAILED; i++) {
		struct cache_entry *entry = NULL;
		struct cache_key key = key_of(c, f, leg);

		key.type = types[i];
		if (cache_get(c->cache, &key, c->now_us, 0, &entry) >= CACHE_FRESH &&
		    entry->rcode == RCODE_NXDOMAIN && entry->link_count == 1) {
			watch_leg(c, leg, COMPOSED_FROM_CACHE, entry);
			c->used.cache = true;
			step = use_entry(c, f, verdict, entry, false);
		}
		cache_entry_unref(entry);
	}
	return step;
}

static void keep_stale(struct composition *c, struct cache_entry **kept, struct cache_entry *entry)
{
	if (*kept && (*kept)->stored_us > entry->stored_us)
		return;
	c->stale += !*kept;
	cache_entry_unref(*kept);
	*kept = cache_entry_ref(entry);
}

/* With RD every client gets cached answers, and its network is noted. Without RD only networks that
 * have asked before get them, because cached answers reveal questions of others. What counts is the
 * network of the client, whichever endpoints its query has entered. */
static bool may_tell(const struct composition *c, struct cache_entry *entry)
{
	if (!(c->request->flags & FLAG_RD))
		return cache_entry_has_asker(entry, c->asker);
	cache_entry_note_asker(entry, c->asker);
	return true;
}

/* Uses this leg's answer if it is known; else asks the leg. *stale: the newest stale answer so far,
 * which the caller releases. */
static enum step use_leg(struct composition *c, struct frame *f, const struct verdict *verdict,
			 const struct leg *leg, struct cache_entry **stale, bool last)
{
	const struct cache_key key = key_of(c, f, leg);
	struct cache_entry *told = find_told(c, &key), *entry = NULL;
	enum step step;

	if (told && !told->failed) {
		watch_leg(c, leg, COMPOSED_FROM_TARGET, told);
		c->used.told = true;
		cache_entry_note_asker(told, c->asker);
		return use_entry(c, f, verdict, told, false);
	}
	enum cache_state state =
		c->cache ? cache_get(c->cache, &key, c->now_us, c->stale_max_s, &entry)
			 : CACHE_MISS;
	if (state >= CACHE_FRESH && !entry->failed && may_tell(c, entry)) {
		watch_leg(c, leg, COMPOSED_FROM_CACHE, entry);
		c->used.cache = true;
		if (state == CACHE_FADING)
			prefetch(c, f, leg, entry, last);
		step = use_entry(c, f, verdict, entry, false);
	} else {
		if (state == CACHE_STALE)
			keep_stale(c, stale, entry);
		step = use_old(c, f, verdict, leg, entry, told, last);
	}
	cache_entry_unref(entry);
	return step;
}

/* No leg could help. With RD = 0 no target was asked, so the chain ends at the last known name. */
static enum step end_of_legs(struct composition *c)
{
	if (c->request->flags & FLAG_RD)
		return end_with(c, RCODE_SERVFAIL);
	if (c->message.counts[SECTION_ANSWER])
		return end_with(c, RCODE_NOERROR);
	explain(c, EDE_NOT_AUTHORITATIVE,
		"recursion was not desired, and it is neither our own data nor asked for "
		"by this network lately");
	return end_with(c, RCODE_REFUSED);
}

/* Whether any leg from `from` on may help; one without a source cannot. If none can, the query
 * waits for a sign of life from the leg before them. */
static bool may_help(const struct composition *c, const struct frame *f, const struct route *route,
		     uint32_t from)
{
	if (c->told_count == 0)
		return true;
	for (uint32_t i = from; i < route->leg_count; i++) {
		const struct leg *leg = &route->legs[i];
		const struct cache_key key = key_of(c, f, leg);
		const struct cache_entry *told = leg->kind == LEG_ENTER ? NULL : find_told(c, &key);
		if (!told || !told->unusable)
			return true;
	}
	return false;
}

static enum step ask_legs(struct composition *c, struct frame *f, const struct verdict *verdict,
			  struct cache_entry **stale)
{
	const struct route *route = verdict->route;
	enum step step = STEP_FAILED;

	for (uint32_t i = 0; i < route->leg_count && step == STEP_FAILED; i++) {
		const struct leg *leg = &route->legs[i];
		unsigned follows = i + 1 < route->leg_count && may_help(c, f, route, i + 1);

		c->fallbacks += follows;
		if (leg->kind == LEG_ENTER)
			step = enter(c, f, verdict, leg);
		else if (c->request->type == TYPE_ANY)
			step = use_missing(c, f, verdict, leg);
		else
			step = use_leg(c, f, verdict, leg, stale, c->fallbacks == 0);
		c->fallbacks -= follows;
	}
	return step;
}

/* Tries the legs; if none helps, gives a stale answer, unless a leg outside this endpoint
 * follows. */
static enum step forward(struct composition *c, struct frame *f, const struct verdict *verdict)
{
	struct cache_entry *stale = NULL;

	enum step step = ask_legs(c, f, verdict, &stale);
	if (stale) {
		c->stale--;
		if (step == STEP_FAILED && c->fallbacks == 0 && c->request->flags & FLAG_RD) {
			if (c->watch)
				watch_leg(c, leg_of(verdict->route, stale), COMPOSED_FROM_STALE,
					  stale);
			step = use_entry(c, f, verdict, stale, true);
		}
		cache_entry_unref(stale);
	}
	if (step != STEP_FAILED)
		return step;
	for (unsigned i = 0; i < c->outcome_count; i++)
		if (c->outcomes[i].route == verdict->route &&
		    c->outcomes[i].name == f->name->hash[0])
			c->outcomes[i].lost = true;
	return c->request->type == TYPE_ANY ? answer_any(c, f) : end_of_legs(c);
}

/* Whether this network has no default resolver. Then a chain ends at the first name outside its
 * zones, as in an answer of an authoritative server. */
static bool refuses_the_rest(const struct composition *c, const struct frame *f)
{
	return f->place.network < NETWORK_OUTSIDE &&
	       c->policy->networks[f->place.network].no_default;
}

/* Nothing decides the name. For a later name of a chain the answer is SERVFAIL, or the chain so far
 * if the client wants no recursion or the network has no default resolver. A stranger at the VNet
 * resolver is refused earlier; the text about its address is for `explain`. */
static enum step refuse(struct composition *c, const struct frame *f)
{
	bool ends = refuses_the_rest(c, f);
	bool recursion = (c->request->flags & FLAG_RD) != 0 && !ends;

	if (f->place.network == NETWORK_NONE)
		explain(c, EDE_PROHIBITED,
			"the source is in no network's address_space or client_prefixes");
	else if (ends)
		explain(c, EDE_PROHIBITED,
			"no zone and no rule of this network decides the name, and the default "
			"resolver is not for it");
	else
		explain(c, EDE_NOT_READY, "there is no default resolver");
	if (c->message.counts[SECTION_ANSWER])
		return end_with(c, recursion ? RCODE_SERVFAIL : RCODE_NOERROR);
	return end_with(c, RCODE_REFUSED);
}

/* ---- the pass ---- */

/* Deciders are counted once the answer is complete. */
static void note_decider(struct composition *c, const struct verdict *verdict)
{
	if (c->decider_count < COMPOSE_DECIDERS)
		c->deciders[c->decider_count++] = (struct composition_decider){
			verdict->rule, verdict->zone, verdict->by, false};
}

/* Marks a decider whose name could not be resolved, by its number; 0: the qname's, which is not
 * noted. */
static __attribute__((cold, noinline)) void note_decider_failed(struct composition *c,
								unsigned noted)
{
	if (noted == 0)
		c->failed = true;
	else
		c->deciders[noted - 1].failed = true;
}

static enum step follow_verdict(struct composition *c, struct frame *f,
				const struct verdict *verdict)
{
	switch (verdict->kind) {
	case VERDICT_ANSWER: return answer_own(c, f, verdict);
	case VERDICT_FORWARD: return forward(c, f, verdict);
	case VERDICT_REFUSE: break;
	}
	return refuse(c, f);
}

static enum step compose_name(struct composition *c, struct frame *f)
{
	struct composition_watch *watch = c->watch;
	const struct verdict *verdict = c->first;
	struct verdict own;
	unsigned noted = 0;

	c->first = NULL;
	if (!verdict) {
		policy_decide(c->policy, f->place, f->name, c->request->type, &own,
			      watch ? &watch->trace : NULL);
		verdict = &own;
		note_decider(c, verdict);
		noted = c->decider_count;
	}
	if (watch)
		watch->on_decided(watch->context, f->place, f->name, verdict);
	enum step step = follow_verdict(c, f, verdict);
	if (step == STEP_DONE && c->rcode == RCODE_SERVFAIL)
		note_decider_failed(c, noted);
	if (watch && step != STEP_ASK)
		watch->on_done(watch->context, f->name, step == STEP_NEXT);
	return step;
}

static enum step compose_frame(struct composition *c, struct frame *f)
{
	enum step step;

	do
		step = compose_name(c, f);
	while (step == STEP_NEXT);
	return step;
}

enum composed compose(struct composition *c, struct place place, uint8_t *buffer,
		      const uint8_t *question)
{
	struct frame frame;

	frame_init(&frame, place, c->qname, MESSAGE_HEADER);
	c->asker = policy_network_id(c->policy, place);
	c->ede = EDE_NONE;
	c->ede_text[0] = '\0';
	c->hops = c->depth = c->entries = c->fallbacks = c->stale = 0;
	c->lost_by = TARGET_ERROR_NONE;
	c->begun = c->authoritative = c->truncated = c->failed = false;
	memset(&c->used, 0, sizeof c->used);
	c->source.route = NULL;
	c->refresh_count = c->decider_count = c->outcome_count = 0;
	message_begin(&c->message, buffer, c->limit, question, c->request->question_length);
	if (compose_frame(c, &frame) == STEP_ASK)
		return COMPOSE_ASK;
	c->truncated = c->truncated && c->rcode == RCODE_SERVFAIL;
	if (c->rcode == RCODE_SERVFAIL || c->rcode == RCODE_REFUSED) {
		message_begin(&c->message, buffer, c->limit, question, c->request->question_length);
		c->authoritative = false;
		return COMPOSED;
	}
	c->ede = EDE_NONE; /* from a leg that failed before another one helped */
	if (c->used.stale) /* the text says why */
		c->ede = c->rcode == RCODE_NXDOMAIN ? EDE_STALE_NXDOMAIN : EDE_STALE;
	return COMPOSED;
}
