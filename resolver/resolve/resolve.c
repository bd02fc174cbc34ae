/* See resolve.h for the way of a query. A waiting query keeps its state in its scratch area: the
 * waiter, the deadline, and the answers so far, with which compose makes the next pass. */
#include "resolver/resolve/resolve.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "resolver/outcomes.h"
#include "resolver/popular.h"
#include "resolver/resolve/chaos.h"
#include "resolver/resolve/compose.h"
#include "resolver/resolve/query_record.h"
#include "resolver/resolve/reply.h"
#include "resolver/transfer/transfer.h"
#include "resolver/update/requests.h"
#include "rules/base.h"

struct resolution {
	struct waiter waiter;
	struct timer deadline;
	struct fair_queue_item queue_item; /* its place in resolver->waiting */
	struct resolver *resolver;
	struct endpoint_stats *endpoint; /* counts its end */
	struct query *query;
	struct tsig_context *tsig; /* signs the answer; NULL: unsigned */
	struct policy_hold *hold;
	struct place place;
	bool large;             /* the network is large: deciding takes more passes */
	bool impatient;         /* after RESOLVE_STALE_US: accepts a stale answer */
	struct verdict verdict; /* the qname's */
	bool asked_anybody;
	struct resolution_watch *watch; /* may be NULL */
	unsigned told_count;
	struct cache_entry *told[COMPOSE_TOLD_MAX];
};
_Static_assert(sizeof(struct resolution) <= QUERY_SCRATCH,
	       "a resolution fits into a query's scratch");

static struct resolution *resolution_of(struct query *query)
{
	return (struct resolution *)query->scratch;
}

static struct resolution *of_item(struct fair_queue_item *item)
{
	return container_of(item, struct resolution, queue_item);
}

/* ---- the end of a query ---- */

/* Adds the client's result to the outcomes of each way that was tried for a name of the answer. */
static __attribute__((noinline)) void count_outcomes(const struct resolution *r,
						     const struct composition *c, enum rcode rcode)
{
	for (unsigned i = 0; i < c->outcome_count; i++) {
		const struct composition_outcome *outcome = &c->outcomes[i];

		if (r->endpoint == &r->resolver->own)
			return;
		if (outcome->error == TARGET_ERROR_NONE)
			outcomes_answer(outcome->route->outcomes, outcome->at_us);
		else if (outcome->lost && rcode == RCODE_SERVFAIL)
			outcomes_fail(outcome->route->outcomes, outcome->name, c->request->type,
				      outcome->error, outcome->by ? &outcome->by->host : NULL,
				      outcome->at_us, c->now_us);
	}
}

static inline __attribute__((always_inline)) void count_rule(const struct resolution *r,
							     const struct rule *rule,
							     enum rcode rcode)
{
	_Atomic uint64_t *cell = r->resolver->rules + (size_t)rule->series * RULE_COUNTERS;

	COUNTER_ADD(cell[RULE_QUERIES], 1);
	if (rcode == RCODE_SERVFAIL)
		COUNTER_ADD(cell[RULE_FAILURES], 1);
}

/* Inline, which saves eight instructions for an answer from a zone. */
static inline __attribute__((always_inline)) void count_decided(const struct resolution *r,
								const struct verdict *verdict,
								enum rcode rcode)
{
	if (verdict->by == DECIDED_ZONE)
		COUNTER_ADD(r->resolver->zones[verdict->zone * ZONE_COUNTERS + ZONE_QUERIES], 1);
	else if (verdict->rule)
		count_rule(r, verdict->rule, rcode);
	else
		STATS_ADD(r->endpoint, decided[verdict->by], 1);
}

static bool is_same_decider(const struct composition_decider *a,
			    const struct composition_decider *b)
{
	return a->by == b->by && a->rule == b->rule &&
	       (a->by != DECIDED_ZONE || a->zone == b->zone);
}

/* Whether an earlier item has a rule of the same ruleset. */
static bool repeats_ruleset(const struct composition_decider *each, unsigned i)
{
	const struct rule *rule = each[i].by == DECIDED_ZONE ? NULL : each[i].rule;
	unsigned k = 0;

	if (!rule || !rule->ruleset)
		return false;
	while (k < i && !(each[k].by != DECIDED_ZONE && each[k].rule && each[k].rule->ruleset &&
			  strcmp(each[k].rule->ruleset, rule->ruleset) == 0))
		k++;
	return k < i;
}

/* Counts each decider of the query's names once. A failure counts for the decider of the name that
 * could not be resolved; the deciders of earlier names have answered. */
static void count_chain(const struct resolution *r, const struct composition *c, enum rcode rcode)
{
	struct composition_decider each[1 + COMPOSE_DECIDERS];
	unsigned count = 0;

	for (unsigned i = 0; i <= c->decider_count; i++) {
		const struct composition_decider first = {r->verdict.rule, r->verdict.zone,
							  r->verdict.by, c->failed};
		const struct composition_decider *decider = i > 0 ? &c->deciders[i - 1] : &first;
		unsigned k = 0;

		while (k < count && !is_same_decider(&each[k], decider))
			k++;
		if (k == count)
			each[count++] = *decider;
		each[k].failed = each[k].failed || decider->failed;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct verdict verdict = {
			.by = each[i].by, .zone = each[i].zone, .rule = each[i].rule};
		bool answered = rcode == RCODE_SERVFAIL && !each[i].failed;

		count_decided(r, &verdict, answered ? RCODE_NOERROR : rcode);
		if (repeats_ruleset(each, i))
			COUNTER_ADD(
				r->resolver->rules[(size_t)each[i].rule->series * RULE_COUNTERS +
						   RULE_REPEATS],
				1);
	}
}

/* rcode: the one for the client, which differs from the composition's if the client gets TC. */
static inline void count_deciders(const struct resolution *r, const struct composition *c,
				  enum rcode rcode)
{
	if (r->endpoint == &r->resolver->own)
		return;
	if (c->decider_count == 0)
		count_decided(r, &r->verdict, rcode);
	else
		count_chain(r, c, rcode);
}

/* An answer that waited for a target is timed as forwarded, whatever its source. */
static void count_reply(struct resolution *r, enum response_source source, enum rcode rcode)
{
	STATS_ADD(r->endpoint, responses[rcode][source], 1);
	if (r->resolver->latency.on &&
	    latency_draws(&r->resolver->latency, r->asked_anybody ? RESPONSE_FORWARDED : source) &&
	    r->endpoint != &r->resolver->own)
		latency_note(&r->resolver->latency, r->asked_anybody ? RESPONSE_FORWARDED : source,
			     r->query->arrived_us);
}

/* Releases the resolution's references and finishes the query; both are gone afterwards. */
static void end_resolution(struct resolution *r, const uint8_t *reply, size_t length)
{
	struct policy_hold *hold = r->hold;

	wheel_cancel(r->resolver->wheel, &r->deadline);
	fair_queue_remove(&r->resolver->waiting, &r->queue_item);
	free(r->tsig);
	for (unsigned i = 0; i < r->told_count; i++)
		cache_entry_unref(r->told[i]);
	query_finish(r->query, reply, length);
	policy_hold_give(hold);
}

/* ---- the query log ---- */

static struct query_ring unwanted; /* for a resolver without a ring */

/* Inline, which saves sixteen instructions for each answer while all queries are logged. */
static inline __attribute__((always_inline)) void log_answer(const struct resolution *r,
							     const struct composition *c,
							     const struct message_end *end,
							     size_t length,
							     enum response_source source)
{
	const struct query_answer answer = {
		.query = r->query,
		.verdict = &r->verdict,
		.network = r->place.network,
		.composition = c,
		.source = source,
		.end = end,
		.reply = r->resolver->buffer,
		.length = length,
	};

	query_record_answer(r->resolver->ring, &answer);
}

/* Our own questions are not logged. */
static inline bool is_wanted(const struct resolution *r)
{
	unsigned wanted = query_ring_wanted(r->resolver->ring);

	return wanted && r->endpoint != &r->resolver->own &&
	       (wanted & QUERY_WANTED_ALL || r->asked_anybody);
}

/* The name was decided in advance (resolve_expect), but the answer does not depend on that. */
static void forget_verdict(struct resolution *r)
{
	r->verdict = (struct verdict){.by = DECIDED_NOBODY};
}

/* ---- the end of a resolution ---- */

/* c: may be NULL. */
static inline __attribute__((always_inline)) void finish(struct resolution *r,
							 const struct composition *c,
							 struct message *message,
							 const struct message_end *end,
							 enum response_source source)
{
	size_t length = message_finish(message, &r->query->request, end);

	if (r->tsig)
		length = tsig_sign(r->tsig, message->wire, length, r->query->limit,
				   r->resolver->time_of_day_s());
	if (message_flags(message->wire) & FLAG_TC)
		STATS_ADD(r->endpoint, truncated, 1);
	count_reply(r, source, end->rcode);
	if (is_wanted(r))
		log_answer(r, c, end, length, source);
	end_resolution(r, message->wire, length);
}

static struct message_end message_end_for(const struct resolution *r, enum rcode rcode)
{
	size_t tsig = r->tsig ? tsig_room(r->tsig) : 0;

	return (struct message_end){
		.rcode = rcode,
		.ede = EDE_NONE,
		.nsid = r->hold->policy->server,
		.payload = (uint16_t)r->hold->policy->udp_payload_max,
		.tcp = r->query->tcp,
		.limit = r->query->limit > tsig ? r->query->limit - tsig : 0,
	};
}

static void finish_error(struct resolution *r, enum rcode rcode, enum ede ede, const char *text)
{
	struct message message;
	struct message_end end = message_end_for(r, rcode);

	end.ede = ede;
	end.ede_text = text;
	message_begin(&message, r->resolver->buffer, sizeof r->resolver->buffer, r->query->question,
		      r->query->request.question_length);
	finish(r, NULL, &message, &end, RESPONSE_NONE);
}

static enum response_source source_of(const struct composition *c)
{
	if (c->rcode == RCODE_SERVFAIL || c->rcode == RCODE_REFUSED)
		return RESPONSE_NONE;
	if (c->used.stale)
		return RESPONSE_STALE;
	if (c->used.told)
		return RESPONSE_FORWARDED;
	if (c->used.cache)
		return RESPONSE_CACHE;
	return c->used.own ? RESPONSE_ZONE : RESPONSE_NONE;
}

/* Counts the name as popular.h describes. */
static void count_name(const struct resolution *r, const struct composition *c,
		       enum response_source source)
{
	unsigned weight = r->asked_anybody ? 1 : 0;

	if (!weight && source == RESPONSE_ZONE && ++r->resolver->own_answers % POPULAR_SHARE == 0)
		weight = POPULAR_SHARE;
	if (weight && r->hold->popular && r->endpoint != &r->resolver->own)
		popular_count(r->hold->popular,
			      &(struct popular_key){&r->query->name, r->query->request.type,
						    policy_network_id(r->hold->policy, r->place),
						    r->place.vnet_resolver},
			      weight, c->now_us);
}

/* A target's truncated answer is never passed on (RFC 2181 section 9): a client by UDP gets TC and
 * comes again by TCP, where it gets SERVFAIL if that does not help, either. */
static void finish_composed(struct resolution *r, struct composition *c)
{
	bool by_tcp = c->truncated && !r->query->tcp;
	struct message_end end = message_end_for(r, by_tcp ? RCODE_NOERROR : c->rcode);

	end.authoritative = c->authoritative;
	end.truncated = by_tcp;
	end.ede = by_tcp ? EDE_NONE : c->ede;
	end.ede_text = c->ede_text[0] ? c->ede_text : NULL;
	count_deciders(r, c, end.rcode);
	if (c->outcome_count > 0)
		count_outcomes(r, c, end.rcode);
	count_name(r, c, source_of(c));
	finish(r, c, &c->message, &end, source_of(c));
}

/* ---- the way there ---- */

static void resolve(struct resolution *r, uint64_t now_us);

/* ---- watches ---- */

static void watch_question(struct resolution *r, const struct composition_ask *ask, uint64_t now_us)
{
	struct resolution_watch *watch = r->watch;

	r->waiter.watch = NULL;
	if (watch->question_count == COUNT(watch->questions))
		return;
	struct resolution_question *question = &watch->questions[watch->question_count++];
	question->leg = ask->leg->id;
	question->name = ask->name.hash[0];
	question->began_us = now_us;
	r->waiter.watch = &question->watch;
}

static void watch_answer(struct resolution *r, uint64_t now_us)
{
	if (r->waiter.watch)
		container_of(r->waiter.watch, struct resolution_question, watch)->ended_us = now_us;
}

/* A watched pass decides all names again, to show the reasons. */
static void watch_pass(struct resolution *r, struct composition *c)
{
	r->watch->arrived_us = r->query->arrived_us;
	c->watch = &r->watch->pass;
	c->first = NULL;
	r->watch->on_pass(c->watch->context, c, r->place);
}

/* ---- asking ---- */

static void on_told(struct waiter *waiter, void *value, uint64_t now_us)
{
	struct resolution *r = container_of(waiter, struct resolution, waiter);

	if (r->watch)
		watch_answer(r, now_us);
	if (!value) {
		finish_error(r, RCODE_SERVFAIL, EDE_OTHER, "out of memory");
		return;
	}
	r->told[r->told_count++] = cache_entry_ref(value);
	resolve(r, now_us);
}

static void turn_away(struct resolution *r)
{
	lookup_leave(&r->waiter);
	STATS_ADD(r->endpoint, overload, 1);
	if (r->endpoint != &r->resolver->own)
		count_decided(r, &r->verdict, RCODE_SERVFAIL);
	finish_error(r, RCODE_SERVFAIL, EDE_OTHER, "too many questions are under way");
}

/* Turns one query away if too many wait; false: it is this one. The victim's connection may then
 * take up its next query, which calls this again and is turned away itself: otherwise the recursion
 * could be as deep as the number of connections. */
static bool may_wait(struct resolution *r)
{
	struct resolver *resolver = r->resolver;
	struct fair_queue_item *victim = fair_queue_victim(&resolver->waiting);

	if (!victim)
		return true;
	if (victim == &r->queue_item || resolver->turning_away)
		return false;
	resolver->turning_away = true;
	turn_away(of_item(victim));
	resolver->turning_away = false;
	return true;
}

/* The query begins to wait with its first question to an upstream. False: too many wait, and this
 * one must go. */
static bool begin_waiting(struct resolution *r)
{
	struct resolver *resolver = r->resolver;

	if (r->asked_anybody)
		return true;
	r->asked_anybody = true;
	fair_queue_add(&resolver->waiting, &r->queue_item, &r->query->client);
	return may_wait(r);
}

static struct lookup_key key_of(const struct composition *c, const struct composition_ask *ask)
{
	return (struct lookup_key){
		.leg = ask->leg,
		.name = &ask->name,
		.type = c->request->type,
		.dnssec_ok = c->request->dnssec_ok,
		.checking_disabled = (c->request->flags & FLAG_CD) != 0,
	};
}

/* Asks without waiting. A popular answer about to expire has as much time as a client's query. A
 * leg that was passed over because all its targets are suspect, or that the query no longer waits
 * for, has at least TARGET_PATIENCE_US to show a sign of life: otherwise its return would go
 * unnoticed. The next query asks questions that are left out here. */
static void ask_again(struct resolution *r, const struct composition *c,
		      const struct composition_ask *again, uint64_t now_us)
{
	struct resolver *resolver = r->resolver;
	const struct lookup_key key = key_of(c, again);
	uint64_t time_us = again->prefetch ? RESOLVE_DEADLINE_US : TARGET_PATIENCE_US;

	if (!again->prefetch && resolver->refreshes.count >= REFRESHES / 2)
		return; /* half of the refreshes are kept for prefetching, however many legs are
			   dark */
	if (refresh_ask(&resolver->refreshes, resolver->lookups, &key, r->hold, now_us + time_us,
			again->may_wait, now_us) == 0 &&
	    again->prefetch)
		STATS_ADD(resolver->stats, prefetched, 1);
}

static void ask(struct resolution *r, const struct composition *c, uint64_t now_us)
{
	struct lookup_key key = key_of(c, &c->ask);

	key.client = r->query->client;
	key.proven = r->query->proven;
	if (r->told_count == COMPOSE_TOLD_MAX) {
		finish_error(r, RCODE_SERVFAIL, EDE_OTHER, "too many questions for one name");
		return;
	}
	r->waiter.on_done = on_told;
	if (r->watch)
		watch_question(r, &c->ask, now_us);
	wheel_arm(r->resolver->wheel, &r->deadline,
		  r->query->arrived_us + (c->ask.stale ? RESOLVE_STALE_US : RESOLVE_DEADLINE_US));
	if (!begin_waiting(r) ||
	    lookup_ask(r->resolver->lookups, &key, r->hold, &r->waiter,
		       r->query->arrived_us + RESOLVE_DEADLINE_US, c->ask.may_wait, now_us) != 0)
		turn_away(r);
}

static void resolve(struct resolution *r, uint64_t now_us)
{
	struct composition c;

	c.policy = r->hold->policy;
	c.cache = r->resolver->cache;
	c.stale_max_s = r->hold->cache.stale_max;
	c.now_us = now_us;
	c.limit = r->query->limit;
	c.request = &r->query->request;
	c.qname = &r->query->name;
	c.client = &r->query->client;
	c.query = r->query;
	c.first = &r->verdict;
	c.told = r->told;
	c.told_count = r->told_count;
	c.watch = NULL;
	c.may_prefetch = r->hold->cache.prefetch && r->resolver->refreshes.count < REFRESHES;
	c.impatient = r->impatient;
	c.expired = now_us >= r->query->arrived_us + RESOLVE_DEADLINE_US;
	if (c.expired) /* the query's or its question's timer led here; this pass ends the query */
		STATS_ADD(r->endpoint, deadline, 1);
	if (r->watch)
		watch_pass(r, &c);
	enum composed composed = compose(&c, r->place, r->resolver->buffer, r->query->question);
	for (unsigned i = 0; i < c.refresh_count; i++)
		ask_again(r, &c, &c.refresh[i], now_us);
	if (r->waiter.link) /* impatient: the question goes on as a refresh */
		lookup_leave(&r->waiter);
	if (composed == COMPOSE_ASK)
		ask(r, &c, now_us);
	else
		finish_composed(r, &c);
}

/* The last asked upstream has not answered. A stale answer is given now; at the deadline the query
 * ends with the results so far. */
static void on_deadline(struct timer *timer, uint64_t now_us)
{
	struct resolution *r = container_of(timer, struct resolution, deadline);

	if (now_us < r->query->arrived_us + RESOLVE_DEADLINE_US) {
		r->impatient = true;
		resolve(r, now_us);
		return;
	}
	lookup_expire(&r->waiter, now_us);
}

void resolve_cancel(struct query *query)
{
	struct resolution *r = resolution_of(query);

	assert(r->queue_item.link);
	lookup_leave(&r->waiter);
	end_resolution(r, NULL, 0);
}

void resolver_abandon(struct resolver *resolver)
{
	refreshes_leave(&resolver->refreshes);
	while (resolver->waiting.first)
		resolve_cancel(of_item(resolver->waiting.first)->query);
}

/* ---- zone transfers ---- */

/* Gives the query to the transfer, which takes the holds that it needs. */
static void hand_to_transfers(struct resolution *r)
{
	struct transfers *transfers = r->resolver->transfers;
	struct policy_hold *hold = r->hold;
	struct tsig_context *tsig = r->tsig;

	if (!transfers) {
		finish_error(r, RCODE_REFUSED, EDE_PROHIBITED, "zone transfers are not allowed");
		return;
	}
	transfer_start(transfers, r->query, hold, tsig);
	free(tsig);
	policy_hold_give(hold);
}

/* ---- updates ---- */

/* Gives the query to the update, which takes the holds that it needs. */
static __attribute__((noinline)) void hand_to_updates(struct resolution *r)
{
	struct updates *updates = r->resolver->updates;
	struct policy_hold *hold = r->hold;

	if (!updates) {
		finish_error(r, RCODE_NOTIMP, EDE_NONE, NULL);
		return;
	}
	updates_start(updates, r->query, hold, r->place, r->endpoint);
	policy_hold_give(hold);
}

/* Windows and nsupdate -g ask for keys by GSS-TSIG (RFC 3645) before they send an update. No other
 * server could answer this for us. */
static __attribute__((noinline)) void refuse_tkey(struct resolution *r)
{
	const struct query *query = r->query;
	char name[NAME_TEXT_MAX], client[ADDRESS_TEXT_MAX], more[LOG_MORE_MAX];

	if (log_pace(&r->resolver->tkeys, query->arrived_us, more))
		log_event_guarded(LOG_WARNING, "tkey", "a client wants GSS-TSIG, which is refused",
				  "%s asks for a key (TKEY %s): GSS-TSIG is not supported; let it "
				  "sign with a key of `keys`%s",
				  address_print(&query->client, client),
				  name_to_text(&query->name, name), more);
	forget_verdict(r);
	finish_error(r, RCODE_REFUSED, EDE_NOT_SUPPORTED, "GSS-TSIG (TKEY) is not supported");
}

/* ---- queries that are not looked up ---- */

/* A client that may transfer the zone gets the transfer's SOA, however the name is decided for
 * others. True: answered. */
static bool answer_secondary(struct resolution *r)
{
	const struct request *request = &r->query->request;
	const struct rrset *soa = transfer_soa(r->hold->transfers, r->query, r->tsig);
	struct message message;

	if (!soa)
		return false;
	struct message_end end = message_end_for(r, RCODE_NOERROR);
	message_begin(&message, r->resolver->buffer, sizeof r->resolver->buffer, r->query->question,
		      request->question_length);
	message_add_rrset(&message, SECTION_ANSWER, soa, MESSAGE_HEADER, NULL, UINT32_MAX);
	end.authoritative = true;
	finish(r, NULL, &message, &end, RESPONSE_ZONE);
	return true;
}

/* Checks a query's TSIG; the answer is signed with the same key. True: it was bad (RFC 8945 section
 * 5.2) or there was no memory, and the error is sent. Without configured keys every TSIG is bad. */
static bool refuse_tsig(struct resolution *r)
{
	const struct transfer_table *table = r->hold->transfers;
	const struct transfer_acl *acl = table ? table->acl : NULL;
	const struct query *query = r->query;

	r->tsig = malloc(sizeof *r->tsig);
	if (!r->tsig) {
		finish_error(r, RCODE_SERVFAIL, EDE_OTHER, "out of memory");
		return true;
	}
	enum tsig_error error = tsig_check(
		r->tsig, acl ? acl->keys : NULL, acl ? acl->key_count : 0, query->packet,
		query->packet_length, query->request.tsig_at, r->resolver->time_of_day_s());
	if (error == TSIG_FINE)
		return false;
	STATS_ADD(r->endpoint, tsig_bad, 1);
	forget_verdict(r);
	if (error == TSIG_FORMERR) {
		free(r->tsig);
		r->tsig = NULL;
	}
	finish_error(r, error == TSIG_FORMERR ? RCODE_FORMERR : RCODE_NOTAUTH, EDE_NONE, NULL);
	return true;
}

/* Answers types and classes that are not looked up; true: answered. */
static bool answer_meta(struct resolution *r)
{
	const struct request *request = &r->query->request;

	if (request->class == CLASS_CH) {
		struct message message;
		struct message_end end = message_end_for(r, RCODE_NOERROR);

		message_begin(&message, r->resolver->buffer, sizeof r->resolver->buffer,
			      r->query->question, request->question_length);
		if (!chaos_answer(&message, r->hold->policy, &r->query->name, request->type))
			end.rcode = RCODE_REFUSED;
		end.authoritative = end.rcode == RCODE_NOERROR;
		forget_verdict(r);
		finish(r, NULL, &message, &end, RESPONSE_NONE);
		return true;
	}
	if (request->class != CLASS_IN) {
		if (request->type == TYPE_TKEY) { /* its class is ANY (RFC 2930 section 2) */
			refuse_tkey(r);
			return true;
		}
		forget_verdict(r);
		finish_error(r, RCODE_REFUSED, EDE_NOT_SUPPORTED, "only class IN is served");
		return true;
	}
	switch (request->type) {
	case TYPE_OPT:
	case TYPE_TSIG:
		forget_verdict(r);
		finish_error(r, RCODE_FORMERR, EDE_NONE, NULL);
		return true;
	case TYPE_NXNAME: /* RFC 9824 */
		forget_verdict(r);
		finish_error(r, RCODE_FORMERR, EDE_INVALID_TYPE, "NXNAME cannot be asked for");
		return true;
	case TYPE_MAILA:
	case TYPE_MAILB:
		forget_verdict(r);
		finish_error(r, RCODE_NOTIMP, EDE_NONE, NULL);
		return true;
	case TYPE_TKEY: refuse_tkey(r); return true;
	case TYPE_AXFR:
	case TYPE_IXFR: hand_to_transfers(r); return true;
	default: return false;
	}
}

static struct resolution *begin(struct resolver *resolver, struct query *query,
				struct policy_hold *hold, struct place place,
				struct endpoint_stats *endpoint)
{
	struct resolution *r = resolution_of(query);

	r->waiter = (struct waiter){0};
	r->queue_item.link = NULL;
	r->tsig = NULL;
	timer_init(&r->deadline, on_deadline);
	r->resolver = resolver;
	r->endpoint = endpoint;
	r->query = query;
	r->hold = hold;
	r->place = place;
	r->asked_anybody = r->impatient = false;
	r->watch = NULL;
	r->told_count = 0;
	policy_hold_take(hold);
	return r;
}

/* ---- arriving ---- */

static void decide(struct resolution *r)
{
	policy_decide(r->hold->policy, r->place, &r->query->name, r->query->request.type,
		      &r->verdict, NULL);
}

static void expect_cached(struct resolution *r)
{
	const struct request *request = &r->query->request;
	const struct leg *leg;

	if (r->verdict.kind != VERDICT_FORWARD || !r->verdict.route->leg_count)
		return;
	leg = r->verdict.route->legs;
	if (leg->kind == LEG_ASK)
		cache_expect(r->resolver->cache,
			     &(struct cache_key){leg->id, &r->query->name, request->type,
						 request->dnssec_ok,
						 (request->flags & FLAG_CD) != 0});
}

void resolve_arrive(struct resolver *resolver, struct query *query, struct policy_hold *hold,
		    struct place place, struct endpoint_stats *endpoint)
{
	struct resolution *r = begin(resolver, query, hold, place, endpoint);

	r->large = policy_is_large(hold->policy, place);
	if (r->large)
		policy_expect(hold->policy, place, &query->name, 0);
}

/* In a large network each step needs memory that the step before has prefetched. */
void resolve_expect(struct query *query, unsigned pass)
{
	struct resolution *r = resolution_of(query);

	if (!r->large) {
		if (pass > 1)
			return;
		decide(r);
		expect_cached(r);
	} else if (pass == 1) {
		policy_expect(r->hold->policy, r->place, &query->name, 1);
	} else if (pass == 2) {
		decide(r);
		if (r->verdict.kind == VERDICT_FORWARD)
			__builtin_prefetch(r->verdict.route->legs);
	} else {
		expect_cached(r);
	}
}

void resolve_start(struct query *query, uint64_t now_us)
{
	struct resolution *r = resolution_of(query);

	if (request_is_update(&query->request)) {
		hand_to_updates(r);
		return;
	}
	if (query->tcp)
		STATS_ADD(r->endpoint, queries_tcp, 1);
	else
		STATS_ADD(r->endpoint, queries_udp, 1);
	if ((query->request.tsig_at && refuse_tsig(r)) || answer_meta(r))
		return;
	if (query->request.type == TYPE_SOA && r->hold->transfers && answer_secondary(r))
		return;
	resolve(r, now_us);
}

void resolve_own(struct resolver *resolver, struct query *query, struct policy_hold *hold,
		 struct place place, struct resolution_watch *watch, uint64_t now_us)
{
	struct resolution *r = begin(resolver, query, hold, place, &resolver->own);

	assert(query->request.class == CLASS_IN);
	query->client = query->local = (struct address){0};
	query->binding = NULL;
	query->proven = true;
	r->watch = watch;
	STATS_ADD(resolver->stats, queries_own, 1);
	decide(r);
	resolve(r, now_us);
}

/* ---- callbacks of the lookups ---- */

/* Whether the failure is our own and not that of the name or its servers: then it may be over soon,
 * and asking again burdens no server. */
static bool is_our_own_fault(const struct ask_result *result)
{
	if (result->outcome == ASK_TRUNCATED)
		return result->unretried;
	return result->outcome != ASK_ANSWERED &&
	       (result->error == TARGET_ERROR_OVER || result->error == TARGET_ERROR_ROOM ||
		result->error == TARGET_ERROR_FULL || result->sourceless);
}

/* Whether there is an answer, but the connections for it ended. The next query, usually the same
 * client by TCP after our TC, may get it. */
static bool is_cut_off(const struct ask_result *result)
{
	return result->outcome == ASK_TRUNCATED && result->error == TARGET_ERROR_CLOSED;
}

/* The upstream's index in the leg; UINT8_MAX: none. */
static uint8_t place_of(const struct leg *leg, const struct upstream *upstream)
{
	for (uint32_t i = 0; i < leg->upstream_count; i++)
		if (&leg->upstreams[i] == upstream)
			return (uint8_t)i;
	return UINT8_MAX;
}

static void *on_result(void *context, void *holder, const struct lookup_key *key,
		       const struct ask_result *result, uint64_t now_us)
{
	struct resolver *resolver = context;
	const struct policy_hold *hold = holder;
	struct cache_entry *entry =
		reply_entry(key, result, &hold->cache, &resolver->key, resolver->buffer, now_us);

	const struct cache_key cache_key = cache_key_of(key);

	if (entry)
		entry->upstream = place_of(key->leg, result->upstream);
	if (entry && entry->failed)
		entry->error_by =
			place_of(key->leg, result->said.by ? result->said.by : result->upstream);
	if (!entry || is_our_own_fault(result) || is_cut_off(result))
		return entry;
	if (reply_may_be_cached(entry))
		cache_put(resolver->cache, &cache_key, entry, now_us, hold->cache.stale_max);
	else /* an older answer must not be given as stale after this newer one */
		cache_remove(resolver->cache, &cache_key);
	return entry;
}

static void release_value(void *context, void *value)
{
	(void)context;
	cache_entry_unref(value);
}

static void hold_holder(void *context, void *holder)
{
	(void)context;
	policy_hold_take(holder);
}

static void unhold_holder(void *context, void *holder)
{
	(void)context;
	policy_hold_give(holder);
}

static void on_near_misses(void *context, const struct upstream *upstream, uint64_t now_us)
{
	struct resolver *resolver = context;
	char host[HOST_TEXT_MAX], more[LOG_MORE_MAX];

	if (log_pace(&resolver->near_misses, now_us, more))
		log_event(LOG_WARNING, "forgery",
			  "replies that seem to be from %s have the wrong id or question: somebody "
			  "may be trying to forge answers. The questions they were aimed at are "
			  "asked by TCP as well%s",
			  host_print(&upstream->host, host), more);
}

static uint64_t time_of_day_s(void)
{
	return (uint64_t)time(NULL);
}

void resolver_init(struct resolver *resolver, struct wheel *wheel, struct lookups *lookups,
		   struct cache *cache, struct stats *stats, const struct hash_key *key)
{
	fair_queue_init(&resolver->waiting, RESOLVE_WAITING_MAX, key);
	resolver->turning_away = false;
	resolver->own_answers = 0;
	refreshes_init(&resolver->refreshes);
	resolver->wheel = wheel;
	resolver->lookups = lookups;
	resolver->cache = cache;
	resolver->transfers = NULL;
	resolver->updates = NULL;
	resolver->ring = &unwanted;
	resolver->time_of_day_s = time_of_day_s;
	resolver->near_misses = resolver->tkeys = (struct log_pace){0};
	resolver->stats = stats;
	memset(&resolver->own, 0, sizeof resolver->own);
	resolver->rules = resolver->zones = resolver->nowhere;
	latency_init(&resolver->latency, key->k0);
	resolver->key = *key;
	lookups->context = resolver;
	lookups->on_result = on_result;
	lookups->release_value = release_value;
	lookups->on_near_misses = on_near_misses;
	lookups->hold = hold_holder;
	lookups->unhold = unhold_holder;
}
