/* Protects questions from answers of somebody who has not seen them, beyond port and id: letters in
 * random case, and TCP once somebody seems to be guessing.
 *
 *     a packet from the right server to the right port         is ignored, and
 *     with another id, or another question                     counted; after eight within a second
 *                                                              the question goes by TCP as well
 *     with other letters than were sent                        the question goes by TCP as well, at
 *                                                              once, in random case: TCP is not
 *                                                              forged, so it shows what the target
 *                                                              does
 *
 * If nothing came until patience was over, the question goes by TCP as well, unless the target is
 * known to repeat letters: if it changes them, its late reply by UDP will be ignored, and TCP would
 * then come too late. This copy by TCP weakens nothing: a reply in other letters is still ignored,
 * and the clock starts TCP, not a packet that may be forged.
 *
 * For all these reasons together, a question goes by TCP at most once to each of its targets, and
 * later replies by UDP still count. A target is asked in lower case for a quarter of an hour when
 * TCP has shown that it changes letters, or when it changed them for ten questions in a row. A
 * server that changes letters and has no TCP is of use even before that: once it has changed the
 * letters of a question, further packets by UDP for that question are in lower case. The first of
 * them leaves at once, or, while a TCP copy is under way, when the copy has failed or the patience
 * for it is over.
 *
 * Near misses are counted for each flight: few of them meet a question that is answered in a
 * millisecond, so duplicate replies do not send every question to TCP.
 *
 * After an error or an answer without data the question is asked again in lower case, until the
 * target has shown that it ignores case: for some servers case matters. */
#include <endian.h>

#include "endpoints/upstream/internal.h"

enum {
	FORGERY_MISSES = 8,
	FORGERY_WINDOW_US = 1000 * 1000,
};

/* ---- the question ---- */

/* Turns random letters of a lower-case name into capitals, eight bytes at a time, each by its own
 * coin (64 coins, reused for longer names). False: none was turned. Lengths of labels are below
 * 'a', and bytes from 0x80 on are no letters. The last eight bytes may reach up to seven beyond the
 * name, so as many must follow it in the buffer. */
static bool vary_case(uint8_t *name, size_t length, uint64_t coins)
{
	const uint64_t each = 0x0101010101010101;
	uint64_t turned = 0;

	for (size_t at = 0; at < length; at += 8) {
		uint64_t word, low;

		memcpy(&word, name + at, sizeof word);
		word = le64toh(word);
		low = word & 0x7f * each;
		uint64_t letters = (low + (0x80 - 'a') * each) & ~(low + (0x7f - 'z') * each) &
				   ~word & 0x80 * each;
		if (length - at < 8)
			letters &= ((uint64_t)1 << 8 * (length - at)) - 1;
		uint64_t turn = letters >> 2 & coins;
		coins = coins << 1 | coins >> 63;
		turned |= turn;
		word = htole64(word ^ turn);
		memcpy(name + at, &word, sizeof word);
	}
	return turned != 0;
}

void forgery_vary_case(struct lookup *lookup, struct flight *flight,
		       uint8_t wire[MESSAGE_QUERY_MAX], uint64_t now_us)
{
	struct lookups *table = lookup->table;

	if ((flight->tcp && !flight_is_beside(lookup, flight)) || !table->random_case ||
	    lookup->attempts[flight->index].lower || !target_may_vary_case(flight->target, now_us))
		return;
	flight->cased =
		vary_case(wire + MESSAGE_HEADER, lookup->name.length, entropy_u64(table->entropy));
}

/* ---- near misses ---- */

static bool may_ask(const struct lookup *lookup, unsigned index)
{
	return !lookup->given_up && !lookup->attempts[index].spent;
}

/* Whether a TCP copy of the question is on its way, and not overdue. */
static bool is_asked_by_tcp(const struct lookup *lookup, unsigned index)
{
	const struct flight *flight = lookup->flights;

	while (flight &&
	       !(flight->index == index && flight_is_beside(lookup, flight) && !flight->overdue))
		flight = flight->next;
	return flight;
}

/* False: not sent, because it was asked by TCP before or cannot be. */
static bool ask_by_tcp(struct lookup *lookup, unsigned index, uint64_t now_us)
{
	struct attempt *attempt = &lookup->attempts[index];

	if (attempt->by_tcp || !may_ask(lookup, index))
		return false;
	attempt->by_tcp = true;
	bool sent = lookup_send(lookup, index, true, true, now_us);
	lookup->table->guarded += sent;
	return sent;
}

static bool is_one_too_many(struct flight *flight, uint64_t now_us)
{
	if (flight->misses == 0 || now_us - flight->missed_us >= FORGERY_WINDOW_US) {
		flight->misses = 0;
		flight->missed_us = now_us;
	}
	return flight->misses < FORGERY_MISSES && ++flight->misses == FORGERY_MISSES;
}

/* The loop is safe: what it sends are copies by TCP, which end none of the socket's flights. */
void forgery_on_near_miss(struct lookups *table, struct lookup_socket *socket,
			  const struct host *peer, bool wrong, uint64_t now_us)
{
	const struct host *from = wrong ? peer : NULL;
	const struct upstream *beset = NULL;
	bool near = false;

	if (!socket->flights)
		return;
	if (socket->flights->tcp) {
		target_on_mismatch(socket->flights->target, from, now_us);
		return;
	}
	for (struct flight *flight = socket->flights; flight; flight = flight->next_at_socket) {
		if (!flight->lookup || !host_equal(&flight->upstream->host, peer))
			continue;
		if (!near)
			target_on_mismatch(flight->target, from, now_us);
		near = true;
		if (!is_one_too_many(flight, now_us))
			continue;
		beset = flight->upstream;
		ask_by_tcp(flight->lookup, flight->index, now_us);
	}
	table->near_missed += near;
	if (beset && table->on_near_misses)
		table->on_near_misses(table->context, beset, now_us);
}

static void ask_in_lower_case(struct lookup *lookup, unsigned index, uint64_t now_us)
{
	if (may_ask(lookup, index))
		lookup_send(lookup, index, false, true, now_us);
}

void forgery_on_letters(struct flight *flight, uint64_t now_us)
{
	struct lookup *lookup = flight->lookup;

	if (flight->recased)
		return;
	flight->recased = true;
	target_on_case_changed(flight->target, now_us);
	if (!lookup)
		return;
	ask_by_tcp(lookup, flight->index, now_us); /* before `lower` is set */
	if (lookup->attempts[flight->index].lower)
		return;
	lookup->attempts[flight->index].lower = true;
	if (!is_asked_by_tcp(lookup, flight->index))
		ask_in_lower_case(lookup, flight->index, now_us);
}

/* TCP replaces one packet by UDP, so a name that nobody answers costs no more packets than with
 * other targets. */
void forgery_on_patience(struct lookup *lookup, const struct flight *flight, uint64_t now_us)
{
	if (!flight->cased || target_ignores_case(flight->target) ||
	    target_is_suspect(flight->target) || lookup->packets >= LOOKUP_PACKETS)
		return;
	if (ask_by_tcp(lookup, flight->index, now_us))
		lookup->packets++;
}

void forgery_on_no_tcp(struct lookup *lookup, const struct flight *flight, uint64_t now_us)
{
	const struct attempt *attempt = &lookup->attempts[flight->index];

	if (!flight->overdue && attempt->lower && !attempt->sent_lower)
		ask_in_lower_case(lookup, flight->index, now_us);
}

/* ---- matching replies ---- */

bool forgery_look(const struct flight *flight, const uint8_t *wire, uint64_t now_us)
{
	struct target *target = flight->target;

	if (!flight->kept) { /* possible only by TCP */
		target_on_case_confirmed(target, now_us);
		return false;
	}
	if (!flight->tcp)
		target_on_case_kept(target);
	if (target_ignores_case(target) || message_flags(wire) & FLAG_TC)
		return false;
	if ((message_flags(wire) & FLAG_RCODE) == RCODE_NOERROR && wire_u16(wire + 6) > 0) {
		target_on_case_answered(target);
		return false;
	}
	target_on_case_unsure(target, now_us);
	return true;
}
