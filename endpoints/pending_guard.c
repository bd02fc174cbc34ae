/* What makes a question hard to answer for somebody who has not seen it, beyond its port and id:
 * letters in random case where the target repeats them, and cookies where it speaks them. By UDP
 * only: TCP has its handshake.
 *
 *     reply has                                              it is
 *     a cookie that is not ours                              forged: counted, waited on
 *     no cookie, where the target speaks them                doubtful: asked again by TCP
 *     other letters than were sent, where it keeps them      doubtful, and the target's letters are
 *                                                            left alone for a quarter of an hour
 *     no data, in answer to letters that it is tried with    asked again in lower case: there are
 *                                                            servers to which case is a difference
 *     FORMERR, in answer to a cookie                         asked again without: not every server
 *                                                            passes over options unknown to it
 *
 * So a lie has to get through by guessing, and a server that changes its ways loses no question: it
 * is asked by TCP, and where that fails by UDP once more, without any of this. */
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

size_t guard_question(struct pending *pending, struct flight *flight,
		      uint8_t wire[MESSAGE_QUERY_MAX], size_t length, uint64_t now_us)
{
	struct pending_table *table = pending->table;
	struct target_guard *guard = &flight->target->guard;
	bool doubted = pending->doubted >> flight->index & 1;
	uint8_t cookie[MESSAGE_COOKIE_MAX];

	if (flight->tcp)
		return length;
	if (table->random_case && !doubted && !(pending->lower >> flight->index & 1) &&
	    target_may_vary_case(guard, now_us)) {
		flight->cased = vary_case(wire + MESSAGE_HEADER, pending->name.length,
					  entropy_u64(table->entropy));
		flight->strict = flight->cased && target_keeps_case(guard);
	}
	if (!table->cookies || !flight->edns || pending->cookieless >> flight->index & 1 ||
	    !target_wants_cookie(guard, now_us))
		return length;
	size_t bytes = target_cookie(guard, now_us, cookie);
	if (bytes == 0) /* another worker has just learnt that it speaks none */
		return length;
	flight->cookie = true;
	flight->cookie_due = !doubted && target_speaks_cookies(guard);
	return message_put_cookie(wire, length, cookie, bytes);
}

/* ---- the reply ---- */

struct seen { /* of a reply's OPT */
	unsigned rcode;
	const uint8_t *cookie;
	size_t cookie_length; /* 0: none */
};

static void look_at_options(struct seen *seen, const uint8_t *at, size_t left)
{
	while (left >= MESSAGE_OPTION) {
		size_t bytes = MESSAGE_OPTION + (size_t)wire_u16(at + 2);

		if (bytes > left)
			return;
		if (wire_u16(at) == OPTION_COOKIE && seen->cookie_length == 0) {
			seen->cookie = at + MESSAGE_OPTION;
			seen->cookie_length = bytes - MESSAGE_OPTION;
		}
		at += bytes;
		left -= bytes;
	}
}

static struct seen look_at_reply(const struct flight *flight, const uint8_t *wire, size_t length)
{
	struct seen seen = {.rcode = message_flags(wire) & FLAG_RCODE};
	unsigned before = (unsigned)wire_u16(wire + 6) + wire_u16(wire + 8);
	unsigned count = before + wire_u16(wire + 10);
	struct message_walk walk =
		message_walk_from(wire, length, MESSAGE_HEADER + (size_t)flight->question_length);
	struct record_view record;

	for (unsigned i = 0; i < count && walk.at < length; i++) {
		if (message_read_record(&walk, &record) != 0)
			break;
		if (i < before || record.type != TYPE_OPT)
			continue;
		seen.rcode |= wire_u32(wire + record.ttl_at) >> 24 << 4;
		look_at_options(&seen, wire + record.rdata, record.rdata_length);
		break;
	}
	return seen;
}

/* RFC 7873 section 5.3. A client cookie alone is what somebody echoes who does not know what it is.
 */
static enum guard guard_cookie(struct flight *flight, const uint8_t *wire, size_t length,
			       uint64_t now_us)
{
	struct seen seen = look_at_reply(flight, wire, length);
	size_t server = seen.cookie_length - MESSAGE_COOKIE_CLIENT;

	if (seen.cookie_length > 0 && (seen.cookie_length < MESSAGE_COOKIE_CLIENT ||
				       !target_is_cookie_ours(&flight->target->guard, seen.cookie)))
		return GUARD_FORGED;
	if (seen.cookie_length <= MESSAGE_COOKIE_CLIENT) {
		bool cut = message_flags(wire) & FLAG_TC;
		if (cut)
			return GUARD_FINE; /* it is asked by TCP in any case */
		target_on_no_cookie(&flight->target->guard, now_us);
		return flight->cookie_due ? GUARD_DOUBTFUL : GUARD_FINE;
	}
	if (server < MESSAGE_COOKIE_SERVER_MIN || server > MESSAGE_COOKIE_SERVER_MAX)
		return GUARD_FORGED;
	target_on_cookie(&flight->target->guard, seen.cookie + MESSAGE_COOKIE_CLIENT, server);
	return seen.rcode == RCODE_BADCOOKIE ? GUARD_BADCOOKIE : GUARD_FINE;
}

static enum guard guard_case(struct flight *flight, const uint8_t *wire, size_t length,
			     uint64_t now_us)
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

enum guard guard_look(struct flight *flight, const uint8_t *wire, size_t length, uint64_t now_us)
{
	enum guard guard = GUARD_FINE;

	if (flight->cookie)
		guard = guard_cookie(flight, wire, length, now_us);
	if (flight->cased && guard == GUARD_FINE)
		guard = guard_case(flight, wire, length, now_us);
	return guard;
}
