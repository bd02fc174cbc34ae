/* An answer is judged by the time of its question, because a late answer says nothing about the
 * present. A question fails if it is unanswered when the next one is due; so one timer is enough,
 * and an answer may take that long. */
#include "resolver/control/service/replica.h"

#include <inttypes.h>
#include <stdio.h>

#include "resolver/control/base/json.h"
#include "rules/rcode.h"
#include "rules/zone/serial.h"

enum { SOA_NUMBERS = 20 }; /* bytes at the end of a SOA's data, which begin with the serial */

const char *const replica_state_texts[REPLICA_STATES] = {"pending", "current", "behind", "ahead",
							 "unknown"};

/* ---- timing ---- */

static uint64_t first_wait_ms(const struct replica *replica)
{
	return replica->behind_after_ms < REPLICA_FIRST_MS ? replica->behind_after_ms
							   : REPLICA_FIRST_MS;
}

/* Since when the copy is not current. */
static const struct instant *trouble_at(const struct replica *replica)
{
	return replica->is_ahead ? &replica->ahead_at : &replica->lacked_at;
}

static bool is_overdue(const struct replica *replica, uint64_t ms)
{
	return ms >= trouble_at(replica)->ms + replica->behind_after_ms;
}

/* Schedules the next question, at the latest for the moment when the copy becomes overdue, so that
 * this is noticed in time. */
static void schedule(struct replica *replica)
{
	bool off = replica->lacks || replica->is_ahead;
	uint64_t over_ms = off ? trouble_at(replica)->ms + replica->behind_after_ms : 0;

	replica->due_ms = replica->asked_ms + replica->wait_ms;
	if (replica->asked_ms < over_ms && over_ms < replica->due_ms)
		replica->due_ms = over_ms;
}

/* Notes this serial as the missing one. */
static void mark(struct replica *replica, uint32_t serial, struct instant at)
{
	replica->lacks = true;
	replica->doubted = false;
	replica->lacked = serial;
	replica->lacked_at = at;
}

static void begin(struct replica *replica, struct instant now)
{
	uint64_t soon_ms = now.ms + first_wait_ms(replica);

	replica->wait_ms = first_wait_ms(replica);
	if (soon_ms < replica->due_ms)
		replica->due_ms = soon_ms;
	if (replica->state == REPLICA_CURRENT)
		replica->state = REPLICA_PENDING;
}

void replica_init(struct replica *replica)
{
	*replica = (struct replica){.due_ms = UINT64_MAX};
}

void replica_follow(struct replica *replica, uint32_t behind_after_s, uint32_t serial,
		    struct instant now)
{
	bool was_asked = replica->behind_after_ms != 0;

	replica->bare = replica->refused = false;
	replica->behind_after_ms = (uint64_t)behind_after_s * 1000;
	if (behind_after_s == 0) {
		replica_init(replica);
		replica->state = REPLICA_UNKNOWN;
	} else if (!was_asked) {
		replica->state = REPLICA_PENDING;
		mark(replica, serial, now);
		begin(replica, now);
	} else if (replica->lacks || replica->doubted) {
		begin(replica, now);
	}
}

void replica_expect(struct replica *replica, uint32_t serial, struct instant now)
{
	if (replica->behind_after_ms == 0)
		return;
	/* The zone's serial may also have been set back. */
	if (!replica->lacks || !serial_is_newer(serial, replica->lacked))
		mark(replica, serial, now);
	begin(replica, now);
}

/* ---- judging ---- */

static bool is_bad(enum replica_state state)
{
	return state == REPLICA_BEHIND || state == REPLICA_AHEAD;
}

/* Notes that a copy that was current lacks this serial. The next question is signed, because an
 * unsigned answer may be forged. */
static void lose(struct replica *replica, uint32_t serial, struct instant now)
{
	if (replica->lacks)
		return;
	mark(replica, serial, now);
	replica->bare = false;
}

/* Notes that a current copy has stopped answering. */
static void doubt(struct replica *replica, struct instant now)
{
	if (!replica->doubted)
		replica->doubted_ms = now.ms;
	replica->doubted = true;
}

/* A question without a result changes nothing for a copy that is behind or ahead. */
static void learn_nothing(struct replica *replica, enum replica_finding finding, struct instant now)
{
	replica->finding = finding;
	if (!replica->lacks)
		doubt(replica, now);
	if (replica->lacks ? !is_bad(replica->state) && is_overdue(replica, now.ms)
			   : now.ms >= replica->doubted_ms + REPLICA_SILENT_MS)
		replica->state = REPLICA_UNKNOWN;
}

static enum replica_news news_of(struct replica *replica, bool follows)
{
	if (follows) {
		bool was_told = replica->told;

		replica->told = false;
		return was_told ? REPLICA_FOLLOWS : REPLICA_NO_NEWS;
	}
	if (!is_bad(replica->state) || (replica->told && replica->told_state == replica->state))
		return REPLICA_NO_NEWS;
	replica->told = true;
	replica->told_state = replica->state;
	return replica->state == REPLICA_BEHIND ? REPLICA_FELL_BEHIND : REPLICA_GOT_AHEAD;
}

static enum replica_news find_current(struct replica *replica)
{
	replica->state = REPLICA_CURRENT;
	replica->lacks = replica->is_ahead = replica->doubted = replica->bare = false;
	replica->wait_ms = first_wait_ms(replica);
	replica->due_ms = replica->asked_ms + REPLICA_RARELY_MS;
	return news_of(replica, true);
}

/* Behind if the missing serial was overdue when the question was asked, else pending. */
static void find_behind(struct replica *replica)
{
	replica->is_ahead = false;
	replica->state = is_overdue(replica, replica->asked_ms) ? REPLICA_BEHIND : REPLICA_PENDING;
}

/* A copy that has got the missing serial follows again, unless the next missing one is overdue as
 * well. For a copy that was ahead the serial proves nothing. */
static enum replica_news find_older(struct replica *replica, const struct replica_zone *zone)
{
	bool has_moved = !serial_is_newer(replica->lacked, replica->serial);
	bool was_ahead = replica->is_ahead;

	if (has_moved) {
		mark(replica, zone->serial, zone->since);
		replica->wait_ms = first_wait_ms(replica);
	}
	find_behind(replica);
	schedule(replica);
	return news_of(replica, has_moved && !was_ahead && replica->state == REPLICA_PENDING);
}

static enum replica_news find_ahead(struct replica *replica, struct instant now)
{
	if (!replica->is_ahead)
		replica->ahead_at = now;
	replica->is_ahead = true;
	replica->state = is_overdue(replica, replica->asked_ms) ? REPLICA_AHEAD : REPLICA_PENDING;
	schedule(replica);
	return news_of(replica, false);
}

static enum replica_news find_serial(struct replica *replica, const struct replica_zone *zone,
				     struct instant now)
{
	if (replica->serial == zone->serial)
		return find_current(replica);
	lose(replica, zone->serial, now);
	return serial_is_newer(zone->serial, replica->serial) ? find_older(replica, zone)
							      : find_ahead(replica, now);
}

static enum replica_news judge(struct replica *replica, const struct replica_zone *zone,
			       enum replica_finding finding, struct instant now)
{
	replica->finding = finding;
	switch (finding) {
	case REPLICA_SERIAL: return find_serial(replica, zone, now);
	case REPLICA_SERVFAIL:
	case REPLICA_LAME:
	case REPLICA_NO_SOA:
		replica->has_serial = false;
		lose(replica, zone->serial, now);
		find_behind(replica);
		schedule(replica);
		return news_of(replica, false);
	case REPLICA_REFUSED:
		replica->bare = !replica->bare;
		/* fall through */
	default: learn_nothing(replica, finding, now); return REPLICA_NO_NEWS;
	}
}

/* ---- asking ---- */

/* Ends the last question if it is unanswered. */
static void end_question(struct replica *replica, struct instant now)
{
	if (!replica->exchange.open)
		return;
	/* For a current copy, one lost packet is no reason to change between signed and
	 * unsigned. */
	if (replica->lacks || replica->doubted || replica->refused)
		replica->bare = !replica->bare;
	learn_nothing(replica, replica->refused ? REPLICA_REFUSED : REPLICA_SILENT, now);
}

void replica_ask(struct replica *replica, const struct name *zone, const struct tsig_key *key,
		 struct instant now, struct exchange_message *out)
{
	end_question(replica, now);
	uint64_t most_ms = replica->state == REPLICA_UNKNOWN ? REPLICA_RARELY_MS : REPLICA_MOST_MS;

	replica->refused = false;
	replica->asked_ms = now.ms;
	replica->wait_ms = replica->wait_ms * 2 < most_ms ? replica->wait_ms * 2 : most_ms;
	schedule(replica);
	exchange_ask(&replica->exchange, zone, replica->bare ? NULL : key, now.s, out);
}

/* ---- answers ---- */

/* Finds the serial of the zone's SOA in the answer section. */
static bool find_soa(const struct exchange_answer *answer, uint32_t *serial)
{
	const uint8_t *packet = answer->packet;
	struct message_walk walk =
		message_walk_from(packet, answer->length, answer->question_at + 4);
	struct record_view record;
	uint8_t owner[NAME_WIRE_MAX];
	unsigned jumps = MESSAGE_JUMPS;

	for (unsigned i = wire_u16(packet + 6); i > 0; i--) {
		if (message_read_record(&walk, &record) != 0)
			return false;
		size_t end = record.rdata + record.rdata_length;
		if (record.type != TYPE_SOA || record.class != CLASS_IN ||
		    wire_read_name(packet, answer->length, record.owner, WIRE_HEADER, owner,
				   NULL) == 0 ||
		    !name_wire_equal(owner, answer->zone.wire) ||
		    !record_rdata_fits(TYPE_SOA, packet, record.rdata, end, WIRE_HEADER, &jumps))
			continue;
		*serial = wire_u32(packet + end - SOA_NUMBERS);
		return true;
	}
	return false;
}

static enum replica_finding read_answer(struct replica *replica,
					const struct exchange_answer *answer)
{
	uint32_t serial;

	replica->rcode = answer->flags & FLAG_RCODE;
	if (replica->rcode == RCODE_SERVFAIL)
		return REPLICA_SERVFAIL;
	if (replica->rcode != RCODE_NOERROR && replica->rcode != RCODE_NXDOMAIN)
		return REPLICA_REFUSED;
	if (!(answer->flags & FLAG_AA))
		return REPLICA_LAME;
	if (replica->rcode == RCODE_NOERROR && find_soa(answer, &serial)) {
		replica->has_serial = true;
		replica->serial = serial;
		return REPLICA_SERIAL;
	}
	return answer->flags & FLAG_TC ? REPLICA_TRUNCATED : REPLICA_NO_SOA;
}

static bool is_about_the_soa(const struct exchange_answer *answer)
{
	const uint8_t *question = answer->packet + answer->question_at;

	return wire_u16(answer->packet + 4) == 1 && answer->length - answer->question_at >= 4 &&
	       wire_u16(question) == TYPE_SOA && wire_u16(question + 2) == CLASS_IN;
}

bool replica_receive(struct replica *replica, const struct replica_zone *zone,
		     const struct exchange_answer *answer, struct instant now,
		     enum replica_news *news)
{
	*news = REPLICA_NO_NEWS;
	if (!is_about_the_soa(answer))
		return false;
	switch (exchange_receive(&replica->exchange, answer, now.s)) {
	case EXCHANGE_FOREIGN: return false;
	case EXCHANGE_UNSIGNED:
		/* Anybody may have sent this; the real answer may still come. */
		replica->refused = true;
		replica->rcode = answer->flags & FLAG_RCODE;
		return true;
	default: *news = judge(replica, zone, read_answer(replica, answer), now); return true;
	}
}

/* ---- texts ---- */

/* Why the last question gave no serial; NULL: it did, or no question has ended yet. */
static const char *reason_of(const struct replica *replica, char text[REPLICA_TEXT_MAX])
{
	static const char *const texts[REPLICA_FINDINGS] = {
		[REPLICA_SERVFAIL] = "SERVFAIL: its copy has expired, or never came",
		[REPLICA_LAME] = "it is not authoritative for the zone",
		[REPLICA_NO_SOA] = "it has no SOA of the zone",
		[REPLICA_TRUNCATED] = "its answer is truncated",
		[REPLICA_SILENT] = "it does not answer",
	};
	char rcode[RCODE_TEXT_MAX];

	if (replica->behind_after_ms == 0)
		return "it is not asked (behind_after_s is 0)";
	if (replica->finding != REPLICA_REFUSED)
		return texts[replica->finding];
	snprintf(text, REPLICA_TEXT_MAX, "it refuses the question: %s%s",
		 rcode_print(replica->rcode, rcode),
		 replica->rcode == RCODE_NOERROR ? ", not signed with the key" : "");
	return text;
}

void replica_print_news(const struct replica *replica, enum replica_news news, const char *zone,
			uint32_t serial, struct instant now,
			char text[REPLICA_TEXT_MAX + NAME_TEXT_MAX])
{
	uint64_t for_s = (now.ms - trouble_at(replica)->ms) / 1000;
	char buffer[REPLICA_TEXT_MAX], what[REPLICA_TEXT_MAX];
	const char *reason = reason_of(replica, buffer);
	size_t size = REPLICA_TEXT_MAX + NAME_TEXT_MAX;

	if (reason)
		snprintf(what, sizeof what, "%s", reason);
	else
		snprintf(what, sizeof what, "it has serial %" PRIu32 " of %" PRIu32,
			 replica->serial, serial);
	if (news == REPLICA_FELL_BEHIND)
		snprintf(text, size,
			 "is behind for %s: %s, for %" PRIu64
			 " s now; its own log says why it does not transfer",
			 zone, what, for_s);
	else if (news == REPLICA_GOT_AHEAD)
		snprintf(text, size,
			 "is ahead for %s: it has serial %" PRIu32 ", and ours is %" PRIu32
			 ": it takes nothing from here until ours is higher. Another primary "
			 "writes it, our serial was set back, or it signs the zone itself",
			 zone, replica->serial, serial);
	else
		snprintf(text, size, "is up to date again for %s: it has serial %" PRIu32, zone,
			 replica->serial);
}

void replica_put(const struct replica *replica, json_t *object)
{
	bool is_off = replica->state == REPLICA_PENDING || is_bad(replica->state);
	char text[REPLICA_TEXT_MAX];

	json_put(object, "copy", json_text(replica_state_texts[replica->state]));
	json_put(object, "has", replica->has_serial ? json_integer(replica->serial) : json_null());
	json_put(object, "since",
		 is_off ? json_time((int64_t)trouble_at(replica)->s) : json_null());
	json_put(object, "reason", json_text(reason_of(replica, text)));
}
