/* What makes a question hard to answer for somebody who has not seen it, beyond its port and id:
 * letters in random case where the target repeats them. By UDP only: TCP has its handshake.
 *
 *     reply has                                              it is
 *     other letters than were sent, where it keeps them      doubtful: asked again by TCP, and the
 *                                                            target's letters are left alone for a
 *                                                            quarter of an hour
 *     no data, in answer to letters that it is tried with    asked again in lower case: there are
 *                                                            servers to which case is a difference
 */
#include <endian.h>

#include "endpoints/pending_guard.h"

/* ---- the question ---- */

/* Turns letters of a name in lower case into capitals, each by a coin of its own (64 coins; what is
 * longer has them twice), eight bytes at a time. False when none was turned. Lengths of labels are
 * below 'a', and bytes from 0x80 on are no letters. The buffer goes on for eight bytes behind. */
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

void guard_question(struct pending *pending, struct flight *flight, uint8_t wire[MESSAGE_QUERY_MAX],
		    uint64_t now_us)
{
	struct pending_table *table = pending->table;
	struct target_guard *guard = &flight->target->guard;

	if (flight->tcp || !table->random_case || pending->lower >> flight->index & 1 ||
	    !target_may_vary_case(guard, now_us))
		return;
	flight->cased =
		vary_case(wire + MESSAGE_HEADER, pending->name.length, entropy_u64(table->entropy));
	flight->strict = flight->cased && target_keeps_case(guard);
}

/* ---- the reply ---- */

enum guard guard_look(struct flight *flight, const uint8_t *wire, size_t length, uint64_t now_us)
{
	if (length == MESSAGE_HEADER) /* a bare FORMERR says nothing of letters */
		return flight->strict ? GUARD_DOUBTFUL : GUARD_FINE;
	bool data = (message_flags(wire) & FLAG_RCODE) == RCODE_NOERROR && wire_u16(wire + 6) > 0;

	if (!flight->kept)
		target_on_case_changed(&flight->target->guard, now_us);
	if (flight->strict)
		return flight->kept ? GUARD_FINE : GUARD_DOUBTFUL;
	if (message_flags(wire) & FLAG_TC)
		return GUARD_FINE;
	if (data && flight->kept)
		target_on_case_kept(&flight->target->guard);
	else if (flight->kept)
		target_on_case_unsure(&flight->target->guard, now_us);
	return data ? GUARD_FINE : GUARD_UNSURE;
}
