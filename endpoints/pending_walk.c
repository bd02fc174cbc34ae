/* The way of a question along its leg's targets.
 *
 *     ask ──► first live target ──answer──► finish
 *                  │      ▲
 *                  │      └── once more here, when it talks to others and has the budget
 *                  │ error, or silence that makes it suspect, or patience over;
 *                  │ or a new target's allowance
 *                  ▼
 *             next live target ... none left ──► stalled: copies to the suspects,
 *                                                until one shows a sign of life
 *
 * At any time a question waits for at most one flight, the one that leads; all the others are
 * silent ones that may yet be answered, and copies. A target's silence is judged by each flight
 * that waits there: first when it has waited for the allowance, and then when patience is over.
 * Who becomes suspect is target.c's to say; what follows for the questions is done here.
 *
 * An error that somebody answered ends the upstream for this question. A network error does not: it
 * makes the target suspect, and like any question with nothing but suspects left this one waits for
 * a sign of life (a server being restarted is not worth a SERVFAIL). But once some target has
 * answered with an error, only copies that are under way are waited for. */
#include <assert.h>

#include "endpoints/pending_guard.h"
#include "endpoints/pending_outstanding.h"

enum { COPY_PAUSE_MAX_US = 4 * TARGET_COPY_EVERY_US };

static uint64_t bit(unsigned index)
{
	return (uint64_t)1 << index;
}

static struct target *target_of(const struct pending *pending, unsigned index)
{
	struct target *target = pending->key.leg->upstreams[index].target;

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

/* ---- silence ---- */

/* Everything that waits at a new suspect goes on; what joins meanwhile stays. */
static void move_all(struct pending_table *table, const struct target *target, uint64_t now_us)
{
	struct flight *flight;

	for (unsigned n = flights_waiting(table, target);
	     n > 0 && (flight = flights_oldest(table, target)); n--) {
		struct pending *pending = flight->pending;

		flight_unwait(flight);
		wheel_arm(table->wheel, &flight->timer, flight->sent_us + TARGET_PATIENCE_US);
		if (!pending || pending->leading != flight || flight_is_fallback(flight))
			continue;
		pending->leading = NULL;
		pending->error = TARGET_ERROR_SILENCE;
		pending_go_on(pending, now_us);
	}
}

/* The flight that waits for a connection there, and has not left yet; NULL: none does. */
static struct flight *unsent(const struct pending *pending, unsigned index)
{
	struct flight *flight = pending->flights;

	if (pending->key.leg->upstreams[index].protocol != PROTOCOL_TCP)
		return NULL;
	while (flight && !(flight->index == index && flight->gathered))
		flight = flight->next;
	return flight;
}

/* The first live upstream in order among those asked least often; -1 when there is none. One that
 * waits for a connection there is not sent again, so others are asked before it is waited for. */
static int next_live(const struct pending *pending)
{
	unsigned fewest = PENDING_SENDS;
	int best = -1;

	for (unsigned i = 0; i < pending->key.leg->upstream_count; i++) {
		unsigned sends = unsent(pending, i) ? PENDING_SENDS - 1 : pending->sends[i];

		if (!(pending->spent & bit(i)) && sends < fewest &&
		    !target_is_suspect(target_of(pending, i))) {
			fewest = sends;
			best = (int)i;
		}
	}
	return best;
}

/* Whether there is a live upstream that this question has not been sent to. */
static bool has_untried(const struct pending *pending)
{
	int next = next_live(pending);

	return next >= 0 && pending->sends[next] == 0;
}

/* It may still be answered here, but somebody else is asked now. */
static void leave_behind(struct pending *pending, const struct flight *flight)
{
	if (pending->leading == flight)
		pending->leading = NULL;
	if (!flight->copy)
		pending->error = TARGET_ERROR_SILENCE;
}

static void on_allowance(struct flight *flight, uint64_t now_us)
{
	struct pending_table *table = flight->table;
	struct pending *pending = flight->pending;
	uint64_t due_us = flight->sent_us + target_allowance_us(flight->target);

	if (now_us < due_us) { /* the allowance has grown meanwhile */
		wheel_arm(table->wheel, &flight->timer, due_us);
		return;
	}
	wheel_arm(table->wheel, &flight->timer, flight->sent_us + TARGET_PATIENCE_US);
	if (target_is_new(flight->target) && pending && pending->leading == flight &&
	    has_untried(pending)) {
		leave_behind(pending, flight);
		pending_go_on(pending, now_us);
		return;
	}
	if (target_on_silence(flight->target, flight->sent_us, false, now_us)) {
		move_all(table, flight->target, now_us);
		return;
	}
	if (pending && pending->leading == flight &&
	    pending->sends[flight->index] < PENDING_SENDS && target_take_resend(flight->target))
		pending_send(pending, flight->index, flight->tcp, true, now_us);
}

/* Its question has its answer, or no more time: nobody needs to know any more. */
static void drop(struct flight *flight, uint64_t now_us)
{
	struct pending *pending = flight->pending;
	bool suspect = flight->outstanding && !flight_is_fallback(flight) &&
		       target_on_silence(flight->target, flight->sent_us, true, now_us);

	flight_detach(flight);
	if (pending)
		pending_go_on(pending, now_us);
	if (suspect)
		move_all(flight->table, flight->target, now_us);
	flight_free(flight);
}

/* TCP instead of a truncated reply: it is the question that gives up this upstream, and nothing is
 * said about the target. */
static void drop_fallback(struct flight *flight, uint64_t now_us)
{
	target_on_error(flight->target, TARGET_ERROR_SILENCE);
	if (flight->pending && flight_is_beside(flight->pending, flight)) {
		guard_on_no_tcp(flight->pending, flight, now_us);
	} else if (flight->pending) {
		pending_spend(flight->pending, flight->index, now_us);
		flight->pending->error = TARGET_ERROR_SILENCE;
	}
	drop(flight, now_us);
}

/* The question goes on, but the flight stays for as long as the question does: where every target
 * takes a second for a name that is new to it, a late answer is all there will be. */
static void on_patience(struct flight *flight, uint64_t now_us)
{
	struct pending_table *table = flight->table;
	struct pending *pending = flight->pending;
	struct target *target = flight->target;
	bool waited = flight->outstanding;

	flight->overdue = true;
	flight_unwait(flight);
	leave_behind(pending, flight);
	wheel_arm(table->wheel, &flight->timer, pending->deadline_us);
	bool suspect = waited && target_on_silence(target, flight->sent_us, true, now_us);
	pending_go_on(pending, now_us);
	if (suspect)
		move_all(table, target, now_us);
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
	struct flight *flight =
		(struct flight *)((uint8_t *)timer - offsetof(struct flight, timer));

	if (now_us < flight->sent_us + TARGET_PATIENCE_US)
		on_allowance(flight, now_us);
	else if (flight_is_fallback(flight))
		drop_fallback(flight, now_us);
	else if (!flight->pending || flight->overdue)
		drop(flight, now_us);
	else
		on_patience(flight, now_us);
}

static void note_error(struct pending *pending, unsigned index, enum target_error error)
{
	pending->error = error;
	if (error == TARGET_ERROR_SOURCE)
		pending->sourceless |= bit(index);
}

void pending_on_error(struct pending_table *table, struct flight *flight, enum target_error error,
		      uint64_t now_us)
{
	struct pending *pending = flight->pending;
	struct target *target = flight->target;
	bool unreachable = error == TARGET_ERROR_NETWORK && !flight_is_fallback(flight);

	flight_detach(flight);
	if (unreachable)
		target_on_unreachable(target, error, now_us);
	else
		target_on_error(target, error);
	if (pending && flight_is_beside(pending, flight)) {
		guard_on_no_tcp(pending, flight, now_us);
	} else if (pending) {
		note_error(pending, flight->index, error);
		if (!unreachable)
			pending_spend(pending, flight->index, now_us);
	}
	if (pending) {
		pending->copy_again_us = now_us + pending->copy_pause_us; /* not at once */
		pending_go_on(pending, now_us);
	}
	if (unreachable)
		move_all(table, target, now_us);
	flight_free(flight);
}

/* ---- sending ---- */

static size_t write_query(struct pending *pending, struct flight *flight,
			  uint8_t wire[MESSAGE_QUERY_MAX], uint64_t now_us)
{
	const struct name *name = pending->key.name;
	size_t length = message_write_query(wire, flight->id, name->wire, name->length,
					    pending->key.type, pending->key.checking_disabled,
					    pending->key.dnssec_ok, flight->edns);

	guard_question(pending, flight, wire, now_us);
	flight->question_length = (uint16_t)(name->length + 4);
	memcpy(flight->question, wire + MESSAGE_HEADER, flight->question_length);
	return length;
}

static bool not_sent(struct pending *pending, unsigned index, enum target_error error, bool beside,
		     uint64_t now_us)
{
	target_on_error(target_of(pending, index), error);
	if (beside)
		return false;
	pending_spend(pending, index, now_us);
	note_error(pending, index, error);
	return false;
}

static void turn_away(struct pending *pending, unsigned index, enum target_error limit,
		      uint64_t now_us)
{
	pending_spend(pending, index, now_us);
	pending->error = pending->limit = limit;
}

/* Whether one more packet may leave for it: its endpoint is not over its limit. Where it is, the
 * question goes on to the next upstream, in the end to the ruleset's next endpoint; a copy is left
 * out. It is not the target's fault. */
static bool may_send(struct pending *pending, unsigned index, bool copy, uint64_t now_us)
{
	const struct upstream *upstream = &pending->key.leg->upstreams[index];
	struct pending_table *table = pending->table;

	if (meter_pass(upstream->meter, table->worker, &pending->key.client, now_us))
		return true;
	table->over_limit_outbound++;
	if (!copy)
		turn_away(pending, index, TARGET_ERROR_OVER, now_us);
	return false;
}

/* What leads goes on to the next target, but by its timer: this is in the middle of another
 * question's way, and there may be no room at the next one either. */
static void crowd_out(struct flight *flight, uint64_t now_us)
{
	struct pending_table *table = flight->table;
	struct pending *pending = flight->pending;
	bool led = pending && pending->leading == flight;

	table->crowded_out++;
	flight_detach(flight);
	if (led) {
		turn_away(pending, flight->index, TARGET_ERROR_ROOM, now_us);
		wheel_arm(table->wheel, &pending->timer, now_us);
	}
	flight_free(flight);
}

/* One more waits there: where that is one too many, somebody has to go. Whether the newcomer stays;
 * where it does not, its packet has not left yet. */
static bool keeps_its_place(struct flight *newcomer, uint64_t now_us)
{
	struct flight *victim = flights_victim(newcomer, now_us);
	bool stays = victim != newcomer;

	if (victim)
		crowd_out(victim, now_us);
	return stays;
}

/* The flight's time begins; where it leads, its target is judged by that. */
static void begin_wait(struct pending *pending, struct flight *flight, uint64_t now_us)
{
	uint64_t wait_us = TARGET_PATIENCE_US;

	flight->sent_us = now_us;
	if (!flight->copy) {
		pending->leading = flight;
		pending_unstall(pending);
	}
	if (pending->leading == flight && !flight->outstanding)
		flight_wait(flight);
	if (pending->leading == flight && !flight_is_fallback(flight))
		wait_us = target_allowance_us(flight->target);
	wheel_arm(pending->table->wheel, &flight->timer, now_us + wait_us);
}

static void count_send(struct pending *pending, struct flight *flight, uint64_t now_us)
{
	struct pending_table *table = pending->table;

	if (pending->last)
		table->retried++;
	pending->last = flight->upstream;
	if (!flight->copy) {
		pending->sends[flight->index]++;
		target_on_ask(flight->target, now_us);
	}
}

/* It has not left yet: twice in the same line it would come no sooner. */
static bool send_no_more(struct pending *pending, struct flight *flight, bool copy, uint64_t now_us)
{
	if (copy)
		return false;
	flight->copy = flight->overdue = false;
	begin_wait(pending, flight, now_us);
	return keeps_its_place(flight, now_us);
}

bool pending_send(struct pending *pending, unsigned index, bool tcp, bool copy, uint64_t now_us)
{
	struct pending_table *table = pending->table;
	bool beside = tcp && copy && pending->by_tcp & bit(index);
	struct flight *flight = unsent(pending, index);
	uint8_t wire[MESSAGE_QUERY_MAX];

	if (flight)
		return send_no_more(pending, flight, copy, now_us);
	if (!may_send(pending, index, copy, now_us))
		return false;
	flight = flight_new(pending, index);
	if (!flight)
		return not_sent(pending, index, TARGET_ERROR_ROOM, beside, now_us);
	flight->tcp = tcp || flight->upstream->protocol == PROTOCOL_TCP;
	flight->copy = copy || pending->leading;
	flight->edns = !(pending->plain & bit(index)) && !target_is_plain(flight->target, now_us);
	flight->id = entropy_u16(table->entropy);
	timer_init(&flight->timer, on_timer);
	size_t length = write_query(pending, flight, wire, now_us);
	int err = table->send(table->transport, flight, wire, length, now_us);
	if (err != 0) {
		flight->socket = NULL;
		flight_detach(flight);
		flight_free(flight);
		return not_sent(pending, index,
				err == ERR_NOMEM ? TARGET_ERROR_ROOM : TARGET_ERROR_SOURCE, beside,
				now_us);
	}
	flight_insert(flight);
	begin_wait(pending, flight, now_us);
	if (!keeps_its_place(flight, now_us))
		return false;
	count_send(pending, flight, now_us);
	return true;
}

/* ---- which target next ---- */

static bool is_all(const struct pending *pending, uint64_t upstreams)
{
	unsigned count = pending->key.leg->upstream_count;

	return upstreams == (count == 64 ? UINT64_MAX : bit(count) - 1);
}

bool pending_is_spent(const struct pending *pending)
{
	return is_all(pending, pending->spent);
}

bool pending_is_sourceless(const struct pending *pending)
{
	return is_all(pending, pending->sourceless);
}

/* Who was asked as often as may be, and goes on answering others, has lost every packet of this
 * question: TCP does not (RFC 9520 section 3.1 allows another transport). It may as well be slow,
 * so nothing else is waited for any less, and nothing comes of it when that fails. */
static void ask_by_tcp(struct pending *pending, uint64_t now_us)
{
	for (unsigned i = 0; i < pending->key.leg->upstream_count; i++) {
		const struct upstream *upstream = &pending->key.leg->upstreams[i];

		if (pending->sends[i] < PENDING_SENDS || upstream->protocol == PROTOCOL_TCP ||
		    (pending->spent | pending->by_tcp) & bit(i) ||
		    target_is_suspect(upstream->target))
			continue;
		pending->by_tcp |= bit(i);
		pending_send(pending, i, true, true, now_us);
	}
}

/* Copies to the suspects among the first `count` upstreams. A question that is a copy again and
 * again becomes a rarer one: its server may only be slow, and has it already. */
static void send_copies(struct pending *pending, unsigned count, uint64_t now_us)
{
	bool sent = false;

	if (now_us < pending->copy_again_us)
		return;
	for (unsigned i = 0; i < count; i++) {
		if (!(pending->spent & bit(i)) && !unsent(pending, i) &&
		    target_take_copy(target_of(pending, i), now_us))
			sent |= pending_send(pending, i, false, true, now_us);
	}
	if (!sent)
		return;
	pending->copy_again_us = now_us + pending->copy_pause_us;
	if (pending->copy_pause_us < COPY_PAUSE_MAX_US)
		pending->copy_pause_us *= 2;
}

void pending_go_on(struct pending *pending, uint64_t now_us)
{
	int next;

	if (pending->leading || pending->given_up)
		return;
	while ((next = next_live(pending)) >= 0) {
		if (pending_send(pending, (unsigned)next, false, false, now_us))
			return;
	}
	bool waits = pending->may_wait && !pending_is_spent(pending);
	if (waits) {
		ask_by_tcp(pending, now_us);
		send_copies(pending, pending->key.leg->upstream_count, now_us);
	}
	if (!waits || ((pending->answered || pending->limit) && !pending->flights) ||
	    !pending_stall(pending, now_us))
		pending_give_up(pending, false, now_us);
}

void pending_start(struct pending *pending, uint64_t now_us)
{
	pending_go_on(pending, now_us);
	if (pending->leading)
		send_copies(pending, pending->leading->index, now_us);
}
