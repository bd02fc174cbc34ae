/* Finds the question that a packet answers, and decides what the answer is worth.
 *
 * A match (RFC 5452 section 9) needs the socket, the id, the peer's address and port, QR, and the
 * whole question, whose letters count if it left by UDP in random case. Anything else may be
 * forged, so it is ignored (upstream/forgery.c). The exception is a bare header with an error: a
 * server that cannot read a question cannot repeat it (RFC 6891 section 7). It is a sign of life,
 * and counts for its question and as an error of its target. But as it is easier to forge, it is no
 * RTT sample and shows nothing about the target's EDNS.
 *
 * Ignored replies are counted and shown at the target whose question was open, so that operators
 * notice a server behind a translated address, which answers from another address. They end no
 * question and are no sign of life. At most they cause a copy of the question, by TCP or in lower
 * case (upstream/forgery.c).
 *
 * A question whose OPT gets FORMERR, NOTIMP or BADVERS is asked once more without one. After three
 * such names in a row the target counts as one without EDNS for a while, if its replies repeated
 * the questions and none of its answers ever had an OPT. So one odd reply does not take DNSSEC from
 * all clients.
 *
 * Every match is a sign of life, even if nobody needs it any more. It is an RTT sample as well, but
 * not if it is a bare header or came by TCP from a target that is asked by UDP. */
#include "endpoints/upstream/internal.h"

enum worth {
	WORTH_FINAL,     /* NOERROR, NXDOMAIN, YXDOMAIN: used */
	WORTH_TRUNCATED, /* ask by TCP */
	WORTH_PLAIN,     /* FORMERR, NOTIMP or BADVERS because of our OPT: ask without */
	WORTH_LOWER,     /* ask in lower case */
	WORTH_NOTHING,   /* ask the next target */
};

enum likeness { LIKE_NOTHING, LIKE_BUT_LETTERS, LIKE_ALL };

/* How much of the question a reply repeats. */
static enum likeness repeats(const struct flight *flight, const uint8_t *wire, size_t length)
{
	size_t name = (size_t)flight->question_length - 4;

	if (wire_u16(wire + 4) != 1 || length < MESSAGE_HEADER + (size_t)flight->question_length)
		return LIKE_NOTHING;
	wire += MESSAGE_HEADER;
	if (memcmp(wire, flight->question, flight->question_length) == 0)
		return LIKE_ALL;
	for (size_t i = 0; i < name; i++) { /* a label's length is below 'A' */
		if (name_lower(wire[i]) != name_lower(flight->question[i]))
			return LIKE_NOTHING;
	}
	return memcmp(wire + name, flight->question + name, 4) == 0 ? LIKE_BUT_LETTERS
								    : LIKE_NOTHING;
}

static bool is_bare_error(const uint8_t *wire, size_t length)
{
	unsigned rcode = message_flags(wire) & FLAG_RCODE;

	return length == MESSAGE_HEADER && (rcode == RCODE_FORMERR || rcode == RCODE_SERVFAIL ||
					    rcode == RCODE_NOTIMP || rcode == RCODE_REFUSED);
}

static bool matches(struct flight *flight, const uint8_t *wire, size_t length)
{
	enum likeness likeness = repeats(flight, wire, length);

	flight->kept = likeness == LIKE_ALL;
	if (likeness == LIKE_NOTHING)
		return is_bare_error(wire, length);
	return flight->kept || flight->tcp || !flight->cased;
}

/* NULL: the packet is ignored, and noted so that operators can see why nothing is answered. */
static struct flight *match(struct lookups *table, void *socket, const struct host *peer,
			    const uint8_t *wire, size_t length, uint64_t now_us)
{
	struct flight *near = NULL, *stray = NULL;
	bool wrong = false; /* another question for an open id: cannot be just a late answer */

	if (length < MESSAGE_HEADER || !(message_flags(wire) & FLAG_QR))
		return NULL;
	uint16_t id = wire_u16(wire);
	struct flight *flight = lookup_find_flight(table, socket, id);
	for (; flight; flight = flight->next_in_bucket) {
		if (flight->socket != socket || flight->id != id)
			continue;
		if (!host_equal(&flight->upstream->host, peer)) {
			if (repeats(flight, wire, length) == LIKE_ALL)
				stray = flight;
			continue;
		}
		if (matches(flight, wire, length))
			return flight;
		if (repeats(flight, wire, length) == LIKE_BUT_LETTERS)
			near = flight;
		else
			wrong = true;
	}
	if (near)
		forgery_on_letters(near, now_us);
	if (stray)
		target_on_mismatch(stray->target, peer, now_us);
	forgery_on_near_miss(table, socket, peer, wrong, now_us);
	return NULL;
}

/* Reads all sections. False: they are malformed. *rcode: the extended one; *lame: the server does
 * not serve the zone and points elsewhere; *opt: it has an OPT. Restores lower case in records that
 * copy the question's letters. */
static bool read_sections(const struct flight *flight, uint8_t *wire, size_t length,
			  unsigned *rcode, bool *lame, bool *opt)
{
	struct message_walk walk =
		message_walk_from(wire, length, MESSAGE_HEADER + (size_t)flight->question_length);
	struct message_letters letters;
	unsigned answers = wire_u16(wire + 6);
	bool ns = false, soa = false;

	message_letters_init(&letters, flight->question);
	*rcode = message_flags(wire) & FLAG_RCODE;
	for (enum section section = SECTION_ANSWER; section < SECTION_COUNT; section++) {
		unsigned count = wire_u16(wire + 6 + 2 * section);
		for (; count > 0; count--) {
			struct record_view record;
			if (message_read_record(&walk, &record) != 0)
				return false;
			if (flight->cased)
				message_lower_letters(&letters, wire, &record);
			if (section == SECTION_ANSWER && record.class != CLASS_IN) {
				return false; /* another class than asked (RFC 5452 section 9.1) */
			} else if (section == SECTION_AUTHORITY) {
				ns |= record.type == TYPE_NS;
				soa |= record.type == TYPE_SOA;
			} else if (section == SECTION_ADDITIONAL && record.type == TYPE_OPT) {
				*rcode |= wire_u32(wire + record.ttl_at) >> 24 << 4;
				*opt = true;
			}
		}
	}
	*lame = *rcode == RCODE_NOERROR && answers == 0 && ns && !soa;
	return true;
}

/* Keeps only printable ASCII, because a foreign text may contain terminal escapes. */
static void copy_ede(struct ask_ede *ede, const struct flight *flight, const uint8_t *option,
		     size_t length)
{
	size_t text = length - 2;

	if (text > 0 && option[length - 1] == 0) /* some servers add a NUL (RFC 8914 section 2) */
		text--;
	text = text < ASK_EDE_TEXT_MAX ? text : ASK_EDE_TEXT_MAX;
	ede->by = flight->upstream;
	ede->code = wire_u16(option);
	for (size_t i = 0; i < text; i++) {
		uint8_t byte = option[2 + i];

		ede->text[i] = byte >= ' ' && byte <= '~' ? (char)byte : '?';
	}
	ede->text[text] = '\0';
}

/* Keeps the first extended error of the reply. */
static void keep_ede(struct lookup *lookup, const struct flight *flight, const uint8_t *wire,
		     size_t length)
{
	size_t at = MESSAGE_HEADER + (size_t)flight->question_length;
	unsigned records = wire_u16(wire + 6) + wire_u16(wire + 8) + wire_u16(wire + 10);
	struct record_view record = {0};

	if (length < at)
		return; /* a bare header */
	struct message_walk walk = message_walk_from(wire, length, at);
	while (records > 0 && record.type != TYPE_OPT) {
		if (message_read_record(&walk, &record) != 0)
			return;
		records--;
	}
	size_t end = record.rdata + record.rdata_length;
	if (record.type != TYPE_OPT)
		return;
	for (size_t i = record.rdata; end - i >= MESSAGE_OPTION;) {
		const uint8_t *option = wire + i + MESSAGE_OPTION;
		size_t bytes = wire_u16(option - 2);

		if (bytes > end - i - MESSAGE_OPTION)
			return;
		if (wire_u16(option - MESSAGE_OPTION) == OPTION_EDE && bytes >= 2) {
			copy_ede(&lookup->ede, flight, option, bytes);
			return;
		}
		i += MESSAGE_OPTION + bytes;
	}
}

static enum target_error error_of(unsigned rcode)
{
	switch (rcode) {
	case RCODE_FORMERR: return TARGET_ERROR_FORMERR;
	case RCODE_SERVFAIL: return TARGET_ERROR_SERVFAIL;
	case RCODE_NOTIMP: return TARGET_ERROR_NOTIMP;
	case RCODE_REFUSED: return TARGET_ERROR_REFUSED;
	default: return TARGET_ERROR_RCODE;
	}
}

/* *rcode includes the OPT's bits if the sections were read. */
static enum worth judge(const struct flight *flight, uint8_t *wire, size_t length, unsigned *rcode,
			enum target_error *error)
{
	uint16_t flags = message_flags(wire);
	unsigned basic = flags & FLAG_RCODE;
	bool final = basic == RCODE_NOERROR || basic == RCODE_NXDOMAIN || basic == RCODE_YXDOMAIN;
	bool lame = false, opt = false;

	*rcode = basic;
	*error = TARGET_ERROR_MANGLED;
	if (flags & FLAG_OPCODE)
		return WORTH_NOTHING;
	if (final && flags & FLAG_TC)
		return WORTH_TRUNCATED;
	if (final && !read_sections(flight, wire, length, rcode, &lame, &opt))
		return WORTH_NOTHING;
	if (opt && flight->edns && *rcode < RCODE_BADVERS)
		target_on_opt(flight->target);
	if (flight->edns &&
	    (*rcode == RCODE_FORMERR || *rcode == RCODE_NOTIMP || *rcode == RCODE_BADVERS))
		return WORTH_PLAIN;
	if (final && *rcode < RCODE_BADVERS) {
		if (flight->edns)
			target_on_opt_read(flight->target);
		*error = TARGET_ERROR_LAME;
		return lame ? WORTH_NOTHING : WORTH_FINAL;
	}
	*error = error_of(*rcode);
	return WORTH_NOTHING;
}

/* The reply is worth nothing: asks the next upstream. */
static void turn_away(struct lookup *lookup, const struct flight *flight, enum target_error error,
		      uint64_t now_us)
{
	lookup->error = error;
	lookup->said = (struct ask_said){error, flight->upstream};
	lookup_spend(lookup, flight->index, now_us);
	target_on_error(flight->target, error);
	target_on_worthless(flight->target, lookup->name.hash[0], lookup->key.type, error, now_us);
	lookup_go_on(lookup, now_us);
}

/* Asks the same target once more, in another way. */
static void ask_again(struct lookup *lookup, const struct flight *flight, bool tcp, uint64_t now_us)
{
	if (lookup_send(lookup, flight->index, tcp, false, now_us))
		return;
	if (lookup->truncated_by && target_error_is_ours(lookup->error))
		lookup->unretried = true;
	lookup_go_on(lookup, now_us);
}

/* Asks without an OPT once, even if several packets with one are rejected. */
static void ask_plainly(struct lookup *lookup, const struct flight *flight, size_t length,
			uint64_t now_us)
{
	struct attempt *attempt = &lookup->attempts[flight->index];

	attempt->told_plain = attempt->told_plain || length > MESSAGE_HEADER;
	if (attempt->plain) {
		lookup_go_on(lookup, now_us);
		return;
	}
	attempt->plain = true;
	ask_again(lookup, flight, flight->tcp, now_us);
}

/* Asks in lower case once, even if several packets with capitals bring an error or no data. */
static void ask_lower(struct lookup *lookup, const struct flight *flight, uint64_t now_us)
{
	struct attempt *attempt = &lookup->attempts[flight->index];

	if (attempt->sent_lower) {
		lookup_go_on(lookup, now_us);
		return;
	}
	attempt->lower = true;
	ask_again(lookup, flight, false, now_us);
}

static void use_answer(struct lookup *lookup, const struct flight *flight, const uint8_t *wire,
		       size_t length, uint64_t now_us)
{
	struct ask_result result = {.outcome = ASK_ANSWERED,
				    .wire = wire,
				    .length = length,
				    .upstream = flight->upstream};

	if (lookup->key.dnssec_ok && !flight->edns)
		result.edns = target_speaks_edns(flight->target) ? ASK_EDNS_REFUSED : ASK_EDNS_NONE;
	target_on_final(flight->target, now_us);
	lookup_finish(lookup, &result, now_us);
}

static inline void watch_worth(struct lookup *lookup, const struct flight *flight, enum worth worth,
			       unsigned rcode, enum target_error error, uint64_t now_us)
{
	static const enum lookup_try_end ends[] = {[WORTH_FINAL] = LOOKUP_TRY_ANSWERED,
						   [WORTH_TRUNCATED] = LOOKUP_TRY_TRUNCATED,
						   [WORTH_PLAIN] = LOOKUP_TRY_PLAIN,
						   [WORTH_LOWER] = LOOKUP_TRY_LOWER,
						   [WORTH_NOTHING] = LOOKUP_TRY_FAILED};

	watch_end(lookup, flight, ends[worth], rcode, error, now_us);
}

/* May end the lookup. */
static void use(struct lookup *lookup, const struct flight *flight, bool lower, uint8_t *wire,
		size_t length, uint64_t now_us)
{
	struct attempt *attempt = &lookup->attempts[flight->index];
	enum target_error error;
	unsigned rcode;
	enum worth worth = judge(flight, wire, length, &rcode, &error);

	if (lower && worth != WORTH_TRUNCATED && worth != WORTH_PLAIN)
		worth = WORTH_LOWER;

	watch_worth(lookup, flight, worth, rcode, error, now_us);
	lookup->answered = true;
	if (!flight->edns && attempt->told_plain && worth <= WORTH_TRUNCATED)
		target_on_plain(flight->target, lookup->name.hash[0], now_us);
	if (worth == WORTH_FINAL && flight->cased) /* records may point to the question's name */
		memcpy(wire + MESSAGE_HEADER, lookup->name.wire, lookup->name.length);
	switch (worth) {
	case WORTH_FINAL: use_answer(lookup, flight, wire, length, now_us); return;
	case WORTH_TRUNCATED:
		lookup->truncated_by = flight->upstream;
		if (flight->tcp)
			turn_away(lookup, flight, TARGET_ERROR_MANGLED, now_us);
		else
			ask_again(lookup, flight, true, now_us);
		return;
	case WORTH_PLAIN: ask_plainly(lookup, flight, length, now_us); return;
	case WORTH_LOWER: ask_lower(lookup, flight, now_us); return;
	case WORTH_NOTHING:
		keep_ede(lookup, flight, wire, length);
		turn_away(lookup, flight, error, now_us);
		return;
	}
}

/* Notes the question for later probes of its target. */
static void learn(const struct lookup *lookup, const struct flight *flight, uint64_t rtt_us,
		  uint64_t now_us)
{
	const struct lookup_key *key = &lookup->key;
	struct target_question question = {.took_us = (uint32_t)rtt_us,
					   .client = address_client(&flight->client),
					   .type = key->type,
					   .dnssec_ok = key->dnssec_ok,
					   .checking_disabled = key->checking_disabled,
					   .length = (uint8_t)key->name->length};
	memcpy(question.name, key->name->wire, key->name->length);
	target_learn(flight->target, &question, now_us);
}

bool lookup_on_reply(struct lookups *table, void *socket, const struct host *peer, uint8_t *wire,
		     size_t length, uint64_t now_us)
{
	struct flight *flight = match(table, socket, peer, wire, length, now_us);

	if (!flight) {
		table->mismatched++;
		return false;
	}
	struct lookup *lookup = flight->lookup;
	bool lower = forgery_on_reply(flight, wire, length, now_us);
	uint64_t rtt_us = now_us > flight->sent_us ? now_us - flight->sent_us : 0;
	flight->replied = true;
	flight_detach(flight);
	if (flight_is_fallback(flight) || length == MESSAGE_HEADER)
		rtt_us = TARGET_NO_SAMPLE;
	bool learns = lookup && target_may_learn(flight->target, rtt_us, now_us);
	bool back =
		(flight->probe ? target_on_life : target_on_answer)(flight->target, rtt_us, now_us);
	if (learns)
		learn(lookup, flight, rtt_us, now_us);
	if (lookup) {
		if (flight->paid_by) /* the copy was answered first */
			target_return_token(flight->paid_by);
		use(lookup, flight, lower, wire, length, now_us);
	} else if (!flight->probe) {
		table->late++;
	}
	if (back)
		lookup_wake(table, now_us);
	flight_free(flight);
	return true;
}
