/* Failover: which target of its leg a question goes to, and when it goes to the next.
 *
 *     ask ──► first live target ──answer──► finish
 *               │        │
 *               │        └─ the allowance is over: a copy to the next live target, or here
 *               │           again, for a token (a target that never answered is left)
 *               │ error, or its target is suspect, or patience is over
 *               ▼
 *             next live target ... none is live ──► one packet to the suspect that was heard last,
 *                                                   and stalled until one shows a sign of life
 *
 * Questions and targets are judged separately. A silent question moves on and raises a doubt about
 * the target, which is then probed with questions that it answered a moment ago. Silence makes the
 * target suspect only if these stay unanswered, too, or, if there are none, once three questions
 * have waited (target.c). So names that nobody answers make no target suspect that has answered
 * others, and every question gets a packet of its own, whatever other questions have found out.
 *
 * At any time at most one flight of a question leads, which the question waits for. The others are
 * copies, and silent flights that may still be answered.
 *
 * An error reply ends the upstream for this question. A network error only makes the target
 * suspect: a question that has only suspects left waits for a sign of life, so that the restart of
 * a server causes no SERVFAIL. But once some target has replied with an error, the question waits
 * only for copies that are under way. */
#include <assert.h>
#include <limits.h>

#include "endpoints/upstream/internal.h"

#include "rules/base.h"

static struct target *target_of(const struct lookup *lookup, unsigned index)
{
	struct target *target = lookup->key.leg->upstreams[index].target;

	assert(target);
	return target;
}

bool leg_is_dark(const struct leg *leg)
{
	for (uint32_t i = 0; i < leg->upstream_count; i++) {
		if (!target_is_suspect(leg->upstreams[i].target))
			return false;
	}
	return true;
}

static void on_timer(struct timer *timer, uint64_t now_us);

/* ---- silence ---- */

/* Moves on all questions that wait at a new suspect, but not those that come meanwhile. */
static void move_all(struct lookups *table, const struct target *target, uint64_t now_us)
{
	struct flight *flight;

	lookup_recheck(table, now_us);
	for (unsigned n = flights_waiting(table, target);
	     n > 0 && (flight = flights_oldest(table, target)); n--) {
		struct lookup *lookup = flight->lookup;

		flight_unwait(flight);
		wheel_arm(table->wheel, &flight->timer, flight->sent_us + TARGET_PATIENCE_US);
		if (!lookup || lookup->leading != flight || flight_is_fallback(flight))
			continue;
		lookup->leading = NULL;
		lookup->error = TARGET_ERROR_SILENCE;
		lookup_go_on(lookup, now_us);
	}
}

/* The question's flight to this upstream that still waits for a connection; NULL: none does. */
static struct flight *unsent(const struct lookup *lookup, unsigned index)
{
	struct flight *flight = lookup->flights;

	if (lookup->key.leg->upstreams[index].protocol != PROTOCOL_TCP)
		return NULL;
	while (flight && !(flight->index == index && flight->gathered))
		flight = flight->next;
	return flight;
}

/* A copy under way to this upstream. */
static struct flight *copy_under_way(const struct lookup *lookup, unsigned index)
{
	struct flight *flight = lookup->flights;

	while (flight && !(flight->index == index && flight->copy && !flight->overdue &&
			   !flight_is_fallback(flight)))
		flight = flight->next;
	return flight;
}

static bool has_sends(const struct lookup *lookup, unsigned index)
{
	return lookup->attempts[index].sends < LOOKUP_SENDS && lookup->packets < LOOKUP_PACKETS;
}

/* Whether the upstream may be asked once more after patience. Not if another leg follows. */
static bool may_repeat(const struct lookup *lookup, unsigned index)
{
	if (lookup->revived) /* packets from before its return do not count */
		return lookup->packets < LOOKUP_PACKETS;
	return lookup->may_wait && has_sends(lookup, index) &&
	       target_has_repeats(target_of(lookup, index));
}

/* The live upstream that was asked least often; among equals one that is not in doubt, and then the
 * first. -1: there is none. A flight that still waits for its connection is not sent again, so its
 * upstream ranks last. A copy under way costs nothing more: it takes the lead (go_to), so its
 * upstream ranks as never asked. */
static int next_live(const struct lookup *lookup)
{
	unsigned best_rank = UINT_MAX;
	int best = -1;

	for (unsigned i = 0; i < lookup->key.leg->upstream_count; i++) {
		const struct target *target = target_of(lookup, i);
		unsigned sends = lookup->attempts[i].sends;

		if (lookup->attempts[i].spent || target_is_suspect(target))
			continue;
		if (unsent(lookup, i))
			sends = LOOKUP_SENDS;
		else if (!lookup->revived && copy_under_way(lookup, i))
			sends = 0;
		else if (sends > 0 && !may_repeat(lookup, i))
			continue;
		unsigned rank =
			2 * sends + (target_is_doubted(target) || target_is_untried(target));
		if (rank < best_rank) {
			best_rank = rank;
			best = (int)i;
		}
	}
	return best;
}

/* The next live upstream, if this question was never sent to it; -1: there is none. */
static int next_untried(const struct lookup *lookup)
{
	int next = next_live(lookup);

	return next >= 0 && lookup->attempts[next].sends == 0 ? next : -1;
}

/* How many live upstreams the question has. */
static unsigned live_count(const struct lookup *lookup)
{
	unsigned count = 0;

	for (unsigned i = 0; i < lookup->key.leg->upstream_count; i++)
		count += !lookup->attempts[i].spent && !target_is_suspect(target_of(lookup, i));
	return count;
}

/* The flight may still be answered, but another target is asked now. */
static void leave_behind(struct lookup *lookup, const struct flight *flight)
{
	if (lookup->leading == flight)
		lookup->leading = NULL;
	if (!flight->copy)
		lookup->error = TARGET_ERROR_SILENCE;
}

/* A target that never answered may be slow at first, or dead: another one is asked meanwhile. */
static bool leaves_at_allowance(const struct lookup *lookup, const struct flight *flight)
{
	return target_never_answered(flight->target) &&
	       (!lookup->may_wait || next_untried(lookup) >= 0);
}

/* A lost packet looks like a slow or dead name. A copy repairs it long before patience is over: to
 * the next live target, or to this one if there is no other. */
static void ask_beside(struct lookup *lookup, struct flight *flight, uint64_t now_us)
{
	int next = next_untried(lookup);

	if (next < 0 && live_count(lookup) == 1 && has_sends(lookup, flight->index) &&
	    !unsent(lookup, flight->index))
		next = flight->index;
	bool free = target_never_answered(flight->target); /* few questions go there */
	if (next < 0 || (!free && !target_take_token(flight->target)))
		return;
	bool sent = lookup_send(lookup, (unsigned)next, false, true, now_us);
	if (sent && !free)
		lookup->flights->paid_by = flight->target;
	else if (!free)
		target_return_token(flight->target);
}

static void on_allowance(struct flight *flight, uint64_t now_us)
{
	struct lookup *lookup = flight->lookup;

	if (!lookup || lookup->leading != flight)
		return;
	if (leaves_at_allowance(lookup, flight)) {
		leave_behind(lookup, flight);
		lookup_go_on(lookup, now_us);
	} else {
		ask_beside(lookup, flight, now_us);
	}
}

/* Judges its target by its silence. True: the target is suspect. */
static bool judge(struct flight *flight, uint64_t now_us)
{
	struct target *target = flight->target;
	uint64_t again_us = 0;
	bool suspect = false;

	if (flight->probe) {
		suspect = target_on_probe_silence(target, flight->sent_us, now_us);
	} else {
		switch (target_on_silence(target, flight->sent_us, &flight->counted, &again_us,
					  now_us)) {
		case TARGET_SUSPECT: suspect = true; break;
		case TARGET_DOUBTED:
			if (lookup_probe(flight->table, flight->holder, flight->upstream, now_us))
				break;
			target_end_doubt(target);
			again_us = now_us + TARGET_PROBE_US;
			break;
		case TARGET_TALKS:
		case TARGET_WAITS: break;
		}
	}
	flight->judge_us = again_us;
	return suspect;
}

/* Arms the timer for the next event: judgement, the end of the allowance or of patience, or, for an
 * overdue flight, the deadline of its question. */
static void arm(struct flight *flight)
{
	bool stays = flight->overdue && flight->lookup;
	uint64_t due_us =
		stays ? flight->lookup->deadline_us : flight->sent_us + TARGET_PATIENCE_US;

	if (!flight->past_allowance) {
		uint64_t allowance_us = flight->sent_us + target_allowance_us(flight->target);
		due_us = allowance_us < due_us ? allowance_us : due_us;
	}
	if (flight->judge_us && flight->judge_us < due_us)
		due_us = flight->judge_us;
	wheel_arm(flight->table->wheel, &flight->timer, due_us);
}

/* Nobody needs the flight's reply any more. */
static void drop(struct flight *flight, uint64_t now_us)
{
	struct lookup *lookup = flight->lookup;

	if (flight->queue && !flight_is_fallback(flight))
		target_on_timeout(flight->target);
	flight_detach(flight);
	if (lookup)
		lookup_go_on(lookup, now_us);
	flight_free(flight);
}

/* A connection that ends without an answer counts as the target's reply to the question. After a
 * failed fallback the truncated reply counts as that, unless one of our own limits made the
 * fallback fail: then the target is not to blame. */
static void note_said(struct lookup *lookup, const struct flight *flight, enum target_error error,
		      uint64_t now_us)
{
	if (flight_is_fallback(flight) && target_error_is_ours(error))
		lookup->unretried = true;
	else if (flight_is_fallback(flight))
		error = TARGET_ERROR_TRUNCATED;
	if (target_error_is_answer(error))
		lookup->said = (struct ask_said){error, flight->upstream};
	target_on_worthless(flight->target, lookup->name.hash[0], lookup->key.type, error, now_us);
}

/* TCP after a truncated reply is silent: the question gives up this upstream, without a judgement
 * about the target. */
static void drop_fallback(struct flight *flight, uint64_t now_us)
{
	target_on_error(flight->target, TARGET_ERROR_SILENCE);
	if (flight->lookup) {
		note_said(flight->lookup, flight, TARGET_ERROR_SILENCE, now_us);
		lookup_spend(flight->lookup, flight->index, now_us);
		flight->lookup->error = TARGET_ERROR_SILENCE;
	}
	drop(flight, now_us);
}

/* The question goes on, and the flight stays as long as the question: if every target needs a
 * second for a new name, a late answer is the only one. */
static void on_patience(struct flight *flight, uint64_t now_us)
{
	struct lookup *lookup = flight->lookup;

	if (flight->queue)
		target_on_timeout(flight->target);
	flight->overdue = true;
	flight_unwait(flight);
	leave_behind(lookup, flight);
	arm(flight);
	forgery_on_patience(lookup, flight, now_us);
	lookup_go_on(lookup, now_us);
}

/* A late answer to the TCP copy still counts, so its flight stays. */
static void on_patience_beside(struct flight *flight, uint64_t now_us)
{
	struct lookup *lookup = flight->lookup;

	target_on_error(flight->target, TARGET_ERROR_SILENCE);
	forgery_on_no_tcp(lookup, flight, now_us);
	flight->overdue = true;
	arm(flight);
}

/* Calls that may end the flight or move questions elsewhere come last. */
static void on_timer(struct timer *timer, uint64_t now_us)
{
	struct flight *flight = container_of(timer, struct flight, timer);
	const struct lookup *lookup = flight->lookup;

	if (flight->judge_us && now_us >= flight->judge_us && judge(flight, now_us)) {
		flight->past_allowance = true;
		arm(flight);
		move_all(flight->table, flight->target, now_us);
	} else if (now_us < flight->sent_us + TARGET_PATIENCE_US) {
		bool over = now_us >= flight->sent_us + target_allowance_us(flight->target);
		bool now_over = over && !flight->past_allowance;

		flight->past_allowance |= over;
		arm(flight);
		if (now_over)
			on_allowance(flight, now_us);
	} else if (lookup && flight_is_beside(lookup, flight) && !flight->overdue) {
		on_patience_beside(flight, now_us);
	} else if (flight_is_fallback(flight) && !flight->overdue) {
		drop_fallback(flight, now_us);
	} else if (lookup && !flight->overdue) {
		on_patience(flight, now_us);
	} else if (flight->judge_us) {
		wheel_arm(flight->table->wheel, timer, flight->judge_us);
	} else if (lookup && now_us < lookup->deadline_us) {
		wheel_arm(flight->table->wheel, timer, lookup->deadline_us);
	} else {
		drop(flight, now_us);
	}
}

static void note_error(struct lookup *lookup, unsigned index, enum target_error error)
{
	lookup->error = error;
	if (error == TARGET_ERROR_SOURCE)
		lookup->attempts[index].sourceless = true;
}

void lookup_on_error(struct flight *flight, enum target_error error, uint64_t now_us)
{
	struct lookup *lookup = flight->lookup;
	struct lookups *table = flight->table;
	struct target *target = flight->target;
	bool away = error == TARGET_ERROR_NETWORK || error == TARGET_ERROR_AWAY;
	bool unreachable = away && !flight_is_fallback(flight);
	bool suspect = unreachable;

	if (lookup)
		watch_end(lookup, flight, LOOKUP_TRY_FAILED, 0, error, now_us);
	flight_detach(flight);
	if (unreachable)
		target_on_unreachable(target, error, now_us);
	else
		target_on_error(target, error);
	if (flight->probe && flight->judge_us && error == TARGET_ERROR_CLOSED)
		suspect = target_on_probe_silence(target, flight->sent_us, now_us);
	else if (flight->probe && flight->judge_us)
		target_end_doubt(target);
	if (lookup && unreachable && flight->copy && error == TARGET_ERROR_NETWORK) {
		/* The packet never arrived. A target that closes every connection (AWAY) was
		 * asked. */
		lookup->attempts[flight->index].sends -= lookup->attempts[flight->index].sends > 0;
		lookup->packets -= lookup->packets > 0;
	}
	if (lookup && flight_is_beside(lookup, flight)) {
		forgery_on_no_tcp(lookup, flight, now_us);
	} else if (lookup) {
		note_error(lookup, flight->index, error);
		if (!unreachable) {
			note_said(lookup, flight, error, now_us);
			lookup_spend(lookup, flight->index, now_us);
		}
	}
	if (lookup)
		lookup_go_on(lookup, now_us);
	if (suspect)
		move_all(table, target, now_us);
	flight_free(flight);
}

/* ---- sending ---- */

static size_t write_query(struct lookup *lookup, struct flight *flight,
			  uint8_t wire[MESSAGE_QUERY_MAX], uint64_t now_us)
{
	const struct name *name = lookup->key.name;
	size_t length = message_write_query(wire, flight->id, name->wire, name->length,
					    lookup->key.type, lookup->key.checking_disabled,
					    lookup->key.dnssec_ok, flight->edns);

	forgery_vary_case(lookup, flight, wire, now_us);
	return length;
}

/* Starts the flight's timer. After silence_us the target's silence is judged, unless it is suspect
 * already. */
static void begin(struct flight *flight, uint64_t silence_us, uint64_t now_us)
{
	bool judges = !flight_is_fallback(flight) && !target_is_suspect(flight->target);

	flight->sent_us = now_us;
	flight->judge_us = judges && silence_us ? now_us + silence_us : 0;
	flight->past_allowance = !judges || flight->probe;
	wheel_arm(flight->table->wheel, &flight->timer,
		  flight->judge_us ? flight->judge_us : now_us + TARGET_PATIENCE_US);
}

int flight_depart(struct flight *flight, const uint8_t *wire, size_t length, size_t name,
		  uint64_t silence_us, uint64_t now_us)
{
	struct lookups *table = flight->table;

	flight->question_length = (uint16_t)(name + 4);
	memcpy(flight->question, wire + MESSAGE_HEADER, flight->question_length);
	timer_init(&flight->timer, on_timer);
	int err = table->send(table->transport, flight, wire, length, now_us);
	if (err) {
		flight->socket = NULL;
		flight_detach(flight);
		flight_free(flight);
		return err;
	}
	flight_insert(flight);
	begin(flight, silence_us, now_us);
	return 0;
}

static bool not_sent(struct lookup *lookup, unsigned index, enum target_error error, bool beside,
		     uint64_t now_us)
{
	target_on_error(target_of(lookup, index), error);
	watch_unsent(lookup, index, error, now_us);
	if (beside)
		return false;
	lookup_spend(lookup, index, now_us);
	note_error(lookup, index, error);
	return false;
}

static void turn_away(struct lookup *lookup, unsigned index, enum target_error limit,
		      uint64_t now_us)
{
	lookup_spend(lookup, index, now_us);
	lookup->error = lookup->limit = limit;
}

/* Whether the upstream's endpoint is within its limit. If not, a copy is not sent, and a question
 * goes on to the next upstream, and finally to the ruleset's next endpoint. The target is not to
 * blame. */
static bool may_send(struct lookup *lookup, unsigned index, bool copy, uint64_t now_us)
{
	const struct upstream *upstream = &lookup->key.leg->upstreams[index];
	struct lookups *table = lookup->table;

	if (meter_pass(upstream->meter, table->worker, &lookup->key.client, lookup->key.proven,
		       now_us))
		return true;
	table->over_limit_outbound++;
	watch_unsent(lookup, index, TARGET_ERROR_OVER, now_us);
	if (!copy)
		turn_away(lookup, index, TARGET_ERROR_OVER, now_us);
	return false;
}

/* Removes a flight that has to leave. If it led a question, the question's timer sends that to the
 * next target: not now, because another question is just being sent, and the next target may be
 * full, too. */
static void crowd_out(struct flight *flight, uint64_t now_us)
{
	struct lookups *table = flight->table;
	struct lookup *lookup = flight->lookup;
	bool led = lookup && lookup->leading == flight;

	table->crowded_out++;
	if (lookup)
		watch_end(lookup, flight, LOOKUP_TRY_FAILED, 0, TARGET_ERROR_ROOM, now_us);
	flight_detach(flight);
	if (led) {
		turn_away(lookup, flight->index, TARGET_ERROR_ROOM, now_us);
		wheel_arm(table->wheel, &lookup->timer, now_us);
	}
	flight_free(flight);
}

/* One more flight waits at the target; if that is too many, one has to leave. False: the newcomer
 * had to. */
static bool keeps_its_place(struct flight *newcomer, uint64_t now_us)
{
	struct flight *victim = flights_victim(newcomer, now_us);
	bool stays = victim != newcomer;

	if (victim)
		crowd_out(victim, now_us);
	return stays;
}

static void take_the_lead(struct lookup *lookup, struct flight *flight)
{
	lookup->leading = flight;
	lookup_unstall(lookup);
	if (!flight->queue)
		flight_wait(flight);
}

static void count_send(struct lookup *lookup, struct flight *flight)
{
	struct lookups *table = lookup->table;

	if (lookup->last)
		table->retried++;
	lookup->last = flight->upstream;
	if (flight_is_beside(lookup, flight)) /* an extra packet by TCP does not count */
		return;
	lookup->attempts[flight->index].sends++;
	lookup->packets++;
	if (!flight->copy)
		target_on_ask(flight->target);
}

/* The flight has not left yet. A second one in the same queue would not arrive sooner. */
static bool send_no_more(struct lookup *lookup, struct flight *flight, bool copy, uint64_t now_us)
{
	if (copy)
		return false;
	flight->copy = flight->overdue = false;
	begin(flight, target_silence_us(flight->target), now_us);
	take_the_lead(lookup, flight);
	return keeps_its_place(flight, now_us);
}

bool lookup_send(struct lookup *lookup, unsigned index, bool tcp, bool copy, uint64_t now_us)
{
	struct lookups *table = lookup->table;
	bool beside = copy && (lookup->leading || (tcp && lookup->attempts[index].by_tcp));
	struct flight *flight = unsent(lookup, index);
	uint8_t wire[MESSAGE_QUERY_MAX];

	if (flight)
		return send_no_more(lookup, flight, copy, now_us);
	if (!may_send(lookup, index, copy, now_us))
		return false;
	flight = flight_new(table, lookup->holder, &lookup->key.leg->upstreams[index],
			    &lookup->key.client);
	if (!flight)
		return not_sent(lookup, index, TARGET_ERROR_ROOM, beside, now_us);
	flight_join(flight, lookup, index);
	flight->tcp = tcp || flight->upstream->protocol == PROTOCOL_TCP;
	flight->copy = copy || lookup->leading;
	flight->edns = !lookup->attempts[index].plain && !target_is_plain(flight->target, now_us);
	size_t length = write_query(lookup, flight, wire, now_us);
	int err = flight_depart(flight, wire, length, lookup->name.length,
				target_silence_us(flight->target), now_us);
	if (err)
		return not_sent(lookup, index,
				err == ERR_NOMEM ? TARGET_ERROR_ROOM : TARGET_ERROR_SOURCE, beside,
				now_us);
	lookup->attempts[index].sent_lower |= lookup->attempts[index].lower && !flight->tcp;
	watch_sent(lookup, flight, now_us);
	if (!flight->copy) {
		take_the_lead(lookup, flight);
		if (!keeps_its_place(flight, now_us))
			return false;
	}
	count_send(lookup, flight);
	return true;
}

/* ---- which target next ---- */

bool lookup_is_spent(const struct lookup *lookup)
{
	unsigned i = 0;

	while (i < lookup->key.leg->upstream_count && lookup->attempts[i].spent)
		i++;
	return i == lookup->key.leg->upstream_count;
}

bool lookup_is_sourceless(const struct lookup *lookup)
{
	unsigned i = 0;

	while (i < lookup->key.leg->upstream_count && lookup->attempts[i].sourceless)
		i++;
	return i == lookup->key.leg->upstream_count;
}

/* Probes the suspects among the first `count` upstreams whose turn it is, with their known
 * questions, and with this question if it was not sent there or none is known. */
static void probe_suspects(struct lookup *lookup, unsigned count, uint64_t now_us)
{
	for (unsigned i = 0; i < count; i++) {
		const struct upstream *upstream = &lookup->key.leg->upstreams[i];

		if (lookup->attempts[i].spent || !target_take_probe(upstream->target, now_us))
			continue;
		unsigned known = lookup_probe(lookup->table, lookup->holder, upstream, now_us);
		if ((lookup->attempts[i].sends == 0 || known == 0) && has_sends(lookup, i) &&
		    !unsent(lookup, i) && !copy_under_way(lookup, i))
			lookup_send(lookup, i, false, true, now_us);
	}
}

/* The suspect that was heard last is most likely alive. Must not be called if all are spent. */
static unsigned last_heard(const struct lookup *lookup)
{
	uint64_t latest = 0;
	unsigned best = UINT_MAX;

	for (unsigned i = 0; i < lookup->key.leg->upstream_count; i++) {
		uint64_t heard = target_heard_us(target_of(lookup, i));

		if (!lookup->attempts[i].spent && (best == UINT_MAX || heard > latest)) {
			latest = heard;
			best = i;
		}
	}
	assert(best != UINT_MAX);
	return best;
}

/* Asks this upstream; a copy already under way to it leads from now on. */
static bool go_to(struct lookup *lookup, unsigned index, uint64_t now_us)
{
	struct flight *flight = unsent(lookup, index) ? NULL : copy_under_way(lookup, index);

	if (!flight || lookup->revived) {
		if (lookup->attempts[index].sends > 0)
			target_take_repeat(target_of(lookup, index));
		return lookup_send(lookup, index, false, false, now_us);
	}
	flight->copy = false;
	take_the_lead(lookup, flight);
	return keeps_its_place(flight, now_us);
}

/* Whether only suspects are left for the question. */
static bool is_dark(const struct lookup *lookup)
{
	return live_count(lookup) == 0 && !lookup_is_spent(lookup);
}

/* Each question gets one packet even if all targets are suspect, because the suspicion may be
 * wrong; but not a question that had to leave a full target. */
static bool needs_a_packet(const struct lookup *lookup)
{
	return lookup->packets == 0 && !lookup->stalled && !lookup->answered && !lookup->limit &&
	       is_dark(lookup);
}

/* Asks one of the suspects, which may be back, or may never have been away. */
static void ask_suspects(struct lookup *lookup, uint64_t now_us)
{
	unsigned count = lookup->key.leg->upstream_count;

	for (unsigned n = count; n > 0 && needs_a_packet(lookup); n--) {
		unsigned index = last_heard(lookup);

		if (!lookup_send(lookup, index, false, true, now_us) &&
		    !lookup->attempts[index].spent) /* the endpoint is over its limit */
			turn_away(lookup, index, TARGET_ERROR_OVER, now_us);
	}
	probe_suspects(lookup, count, now_us);
}

void lookup_go_on(struct lookup *lookup, uint64_t now_us)
{
	int next;

	if (lookup->leading || lookup->given_up)
		return;
	while ((next = next_live(lookup)) >= 0) {
		if (go_to(lookup, (unsigned)next, now_us))
			return;
	}
	if (lookup->may_wait && is_dark(lookup))
		ask_suspects(lookup, now_us);
	bool waits = lookup->may_wait && !lookup_is_spent(lookup);
	if (!waits || ((lookup->answered || lookup->limit) && !lookup->flights) ||
	    (is_dark(lookup) && !lookup_stall(lookup, now_us)))
		lookup_give_up(lookup, false, now_us);
}

void lookup_start(struct lookup *lookup, uint64_t now_us)
{
	lookup_go_on(lookup, now_us);
	if (lookup->leading)
		probe_suspects(lookup, lookup->leading->index, now_us);
}
