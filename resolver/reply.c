/* A target's reply becomes a cache entry in three steps:
 *
 *     follow     www ─CNAME─► cdn ─CNAME─► edge ─► A      the chain from the question's name
 *     copy       the records that belong to the chain, and for a negative answer the SOA
 *     settle     every TTL within its bounds, and where it stands
 *
 * Copied are only names that are spelled out, or point to where the question or a name of the chain
 * stands in the copy. A pointer of the target's own is never kept: it may lead into a TTL, and be
 * another name each time that is settled or aged. Records whose owner points to the question and
 * whose data hold no name are nearly all there are; a section of those is copied as it came.
 *
 * Not here: whether the reply is one to our question, and whether it is of any worth
 * (endpoints/pending_reply.c), and what of it a network may see (resolver/compose_entry.c). */
#include "resolver/reply.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHAIN_MAX = 17, /* names: the question's and 16 behind it */
	TTLS_MAX = MESSAGE_MAX / (1 + RECORD_FIXED),
	FIXED_SOA_LENGTH = 20,
};

struct reading { /* of one reply */
	const struct pending_key *key;
	const struct hash_key *hash_key;
	const struct cache_settings *settings;
	const uint8_t *wire;
	size_t length;
	size_t answers_at, answers_end;
	uint16_t answers, authorities;
	struct name *chain;          /* CHAIN_MAX */
	size_t stands_at[CHAIN_MAX]; /* each of them in the copy; 0: not there yet */
	unsigned chain_length;
	bool has_data, has_soa, negative;
};

/* ---- which records belong ---- */

static bool owner_of(const struct reading *r, const struct record_view *record, struct name *owner)
{
	return record->class == CLASS_IN &&
	       name_from_wire(owner, r->hash_key, r->wire, r->length, record->owner, NULL) == 0;
}

/* One step along the chain: what the answer section has for the name it has come to. */
static bool find_next(struct reading *r, struct name *next)
{
	const struct name *name = &r->chain[r->chain_length - 1];
	size_t at = r->answers_at;
	struct record_view record;
	struct name owner;
	bool alias = false;

	for (unsigned i = 0; i < r->answers; i++) {
		if (message_read_record(r->wire, r->length, &at, &record) != 0)
			return false;
		if (record.type != r->key->type && record.type != TYPE_CNAME)
			continue;
		if (!owner_of(r, &record, &owner) || !name_equal(&owner, name))
			continue;
		if (record.type == r->key->type) {
			r->has_data = true;
			return false;
		}
		alias = alias || name_from_wire(next, r->hash_key, r->wire, r->length, record.rdata,
						NULL) == 0;
	}
	return alias;
}

/* Where the name is in the chain; chain_length when it is not. */
static unsigned chain_place(const struct reading *r, const struct name *name)
{
	unsigned place = 0;

	while (place < r->chain_length && !name_equal(&r->chain[place], name))
		place++;
	return place;
}

static bool in_chain(const struct reading *r, const struct name *name)
{
	return chain_place(r, name) < r->chain_length;
}

static void follow_chain(struct reading *r)
{
	struct name next;

	r->chain[0] = *r->key->name;
	r->chain_length = 1;
	while (r->chain_length < CHAIN_MAX && find_next(r, &next) && !in_chain(r, &next))
		r->chain[r->chain_length++] = next;
}

static uint16_t covered_type(const struct reading *r, const struct record_view *record)
{
	return record->rdata_length >= 2 ? wire_u16(r->wire + record->rdata) : 0;
}

static bool answer_belongs(const struct reading *r, const struct record_view *record)
{
	uint16_t type = record->type;
	struct name owner;

	if (type == TYPE_RRSIG && r->key->type != TYPE_RRSIG) {
		if (!r->key->dnssec_ok)
			return false;
		type = covered_type(r, record);
	}
	if (type != r->key->type && type != TYPE_CNAME && type != TYPE_DNAME)
		return false;
	if (!owner_of(r, record, &owner))
		return false;
	if (in_chain(r, &owner))
		return true;
	/* A DNAME stands for the step from a name to the next; or it is why there is no next one.
	 */
	bool overlong = (message_flags(r->wire) & FLAG_RCODE) == RCODE_YXDOMAIN;
	for (unsigned i = 0; type == TYPE_DNAME && i + !overlong < r->chain_length; i++)
		if (name_is_under(&r->chain[i], &owner))
			return true;
	return false;
}

static bool authority_belongs(const struct reading *r, const struct record_view *record)
{
	const struct name *last = &r->chain[r->chain_length - 1];
	struct name owner;

	switch (record->type) {
	case TYPE_SOA:
		return r->negative && owner_of(r, record, &owner) && name_is_under(last, &owner);
	case TYPE_NSEC:
	case TYPE_NSEC3: return r->key->dnssec_ok;
	case TYPE_RRSIG: {
		uint16_t covered = covered_type(r, record);

		return r->key->dnssec_ok && ((covered == TYPE_SOA && r->negative) ||
					     covered == TYPE_NSEC || covered == TYPE_NSEC3);
	}
	default: return false;
	}
}

/* ---- writing down what belongs ---- */

/* Whether every answer record belongs, and its names need no thought: then the section is copied as
 * it came. */
static bool answers_are_plain(struct reading *r)
{
	static const uint8_t question[] = {WIRE_POINTER, MESSAGE_HEADER};
	size_t at = r->answers_at;
	struct record_view record;

	for (unsigned i = 0; i < r->answers; i++)
		if (message_read_record(r->wire, r->length, &at, &record) != 0 ||
		    memcmp(r->wire + record.owner, question, sizeof question) != 0 ||
		    record_layout(record.type) || !answer_belongs(r, &record))
			return false;
	return true;
}

/* Copies a record, and remembers where that puts names of the chain. */
static void copy_record(struct reading *r, struct message *message, enum section section,
			const struct record_view *record, const struct name *owner)
{
	unsigned place = chain_place(r, owner);
	bool known = place < r->chain_length;
	size_t start = message->length, owner_at = known ? r->stands_at[place] : 0;
	size_t rdata = message_copy_record(message, section, r->wire, r->length, record, owner_at,
					   owner->wire, record->ttl);

	if (!known || rdata == 0)
		return;
	if (owner_at == 0)
		r->stands_at[place] = start;
	if (record->type == TYPE_CNAME && place + 1 < r->chain_length &&
	    r->stands_at[place + 1] == 0)
		r->stands_at[place + 1] = rdata;
}

static void copy_records(struct reading *r, struct message *message, enum section section,
			 size_t at, unsigned count,
			 bool (*belongs)(const struct reading *, const struct record_view *))
{
	struct record_view record;

	for (unsigned i = 0; i < count; i++) {
		struct name owner;

		if (message_read_record(r->wire, r->length, &at, &record) != 0)
			return;
		if (belongs(r, &record) && owner_of(r, &record, &owner))
			copy_record(r, message, section, &record, &owner);
	}
}

static void copy_answers(struct reading *r, struct message *message)
{
	if (!answers_are_plain(r)) {
		copy_records(r, message, SECTION_ANSWER, r->answers_at, r->answers, answer_belongs);
		return;
	}
	memcpy(message->wire + message->length, r->wire + r->answers_at,
	       r->answers_end - r->answers_at);
	message->length += r->answers_end - r->answers_at;
	message->counts[SECTION_ANSWER] = r->answers;
}

/* RFC 2308 section 5: the SOA's own TTL or its MINIMUM, whichever is less. */
static uint32_t negative_ttl(const struct reading *r, const uint8_t *wire,
			     const struct record_view *soa)
{
	uint32_t ttl = soa->ttl, cap = r->settings->negative_ttl_max;

	if (soa->rdata_length >= FIXED_SOA_LENGTH) {
		uint32_t minimum = wire_u32(wire + soa->rdata + soa->rdata_length - 4);

		ttl = minimum < ttl ? minimum : ttl;
	}
	return ttl < cap ? ttl : cap;
}

/* Bounds every TTL, notes where it stands, and gives the least of them. */
static uint32_t settle_ttls(struct reading *r, struct message *message, uint16_t *ttls,
			    unsigned *count)
{
	uint32_t least = r->settings->ttl_max;
	size_t at = MESSAGE_HEADER + message->question_length;
	unsigned records = message->counts[SECTION_ANSWER] + message->counts[SECTION_AUTHORITY];
	struct record_view record;

	*count = 0;
	for (unsigned i = 0; i < records; i++) {
		int err = message_read_record(message->wire, message->length, &at, &record);
		uint32_t ttl = record.ttl;

		assert(err == 0); /* we wrote it */
		(void)err;
		ttl = ttl > r->settings->ttl_max ? r->settings->ttl_max : ttl;
		ttl = ttl < r->settings->ttl_min ? r->settings->ttl_min : ttl;
		if (record.type == TYPE_SOA && i >= message->counts[SECTION_ANSWER]) {
			ttl = negative_ttl(r, message->wire, &record);
			r->has_soa = true;
		}
		wire_put32(message->wire + record.ttl_at, ttl);
		least = ttl < least ? ttl : least;
		ttls[(*count)++] = (uint16_t)record.ttl_at;
	}
	return least;
}

/* ---- entries ---- */

static struct cache_entry *entry_new(const struct pending_key *key, const uint8_t *wire,
				     size_t length, const uint16_t *ttls, unsigned ttl_count,
				     const char *text)
{
	size_t ttl_bytes = ttl_count * sizeof *ttls, text_bytes = text ? strlen(text) + 1 : 0;
	size_t bytes =
		sizeof(struct cache_entry) + ttl_bytes + key->name->length + length + text_bytes;
	struct cache_entry *entry = calloc(1, bytes);

	if (!entry)
		return NULL;
	uint8_t *name = entry->data + ttl_bytes, *copy = name + key->name->length;

	if (ttl_bytes)
		memcpy(entry->data, ttls, ttl_bytes);
	memcpy(name, key->name->wire, key->name->length);
	if (length)
		memcpy(copy, wire, length);
	if (text)
		memcpy(copy + length, text, text_bytes);
	atomic_init(&entry->references, 1);
	entry->hash = cache_hash(&(struct cache_key){key->leg->id, key->name, key->type,
						     key->dnssec_ok, key->checking_disabled});
	entry->leg = key->leg->id;
	entry->type = key->type;
	entry->dnssec_ok = key->dnssec_ok;
	entry->checking_disabled = key->checking_disabled;
	entry->ttls = (const uint16_t *)entry->data;
	entry->ttl_count = (uint16_t)ttl_count;
	entry->name = name;
	entry->name_length = key->name->length;
	entry->wire = copy;
	entry->length = (uint32_t)length;
	entry->text = text ? (const char *)(copy + length) : NULL;
	entry->bytes = (uint32_t)bytes;
	return entry;
}

static struct cache_entry *failure_entry(const struct pending_key *key,
					 const struct ask_result *result, uint64_t now_us)
{
	char text[MESSAGE_EDE_TEXT_MAX], host[HOST_TEXT_MAX];

	if (result->upstream)
		snprintf(text, sizeof text, "no target answered; %s: %s",
			 host_print(&result->upstream->host, host),
			 target_error_text(result->error));
	else
		snprintf(text, sizeof text, "no target could be asked");
	struct cache_entry *entry = entry_new(key, NULL, 0, NULL, 0, text);
	if (!entry)
		return NULL;
	entry->failed = true;
	entry->rcode = RCODE_SERVFAIL;
	entry->unreachable =
		result->error == TARGET_ERROR_NETWORK || result->error == TARGET_ERROR_SOURCE;
	entry->stored_us = now_us;
	entry->expires_us = now_us + FAILURE_TTL_US;
	return entry;
}

/* The reply's outline; false when it does not parse (pending has looked already, so it does). */
static bool outline(struct reading *r)
{
	struct record_view record;

	r->answers = wire_u16(r->wire + 6);
	r->authorities = wire_u16(r->wire + 8);
	r->answers_at = MESSAGE_HEADER + (size_t)r->key->name->length + 4;
	r->answers_end = r->answers_at;
	if (r->answers_at > r->length)
		return false;
	for (unsigned i = 0; i < r->answers; i++)
		if (message_read_record(r->wire, r->length, &r->answers_end, &record) != 0)
			return false;
	return true;
}

struct cache_entry *reply_entry(const struct pending_key *key, const struct ask_result *result,
				const struct cache_settings *settings,
				const struct hash_key *hash_key, uint64_t now_us)
{
	struct name chain[CHAIN_MAX];
	struct reading r = {.key = key,
			    .hash_key = hash_key,
			    .settings = settings,
			    .wire = result->wire,
			    .length = result->length,
			    .chain = chain};
	uint8_t buffer[MESSAGE_MAX];
	uint16_t ttls[TTLS_MAX];
	unsigned ttl_count;
	struct message message;

	if ((result->outcome != ASK_ANSWERED && result->outcome != ASK_TRUNCATED) || !outline(&r))
		return failure_entry(key, result, now_us);
	follow_chain(&r);
	r.stands_at[0] = MESSAGE_HEADER;
	r.negative = !r.has_data;
	message_begin(&message, buffer, sizeof buffer, r.wire + MESSAGE_HEADER,
		      (uint16_t)(r.answers_at - MESSAGE_HEADER));
	copy_answers(&r, &message);
	if (r.negative || key->dnssec_ok)
		copy_records(&r, &message, SECTION_AUTHORITY, r.answers_end, r.authorities,
			     authority_belongs);
	uint32_t ttl = settle_ttls(&r, &message, ttls, &ttl_count);
	struct cache_entry *entry =
		entry_new(key, message.wire, message.length, ttls, ttl_count, NULL);
	if (!entry)
		return NULL;
	entry->rcode = (uint8_t)(message_flags(r.wire) & FLAG_RCODE);
	entry->truncated = result->outcome == ASK_TRUNCATED || message.overflow;
	entry->chain = r.chain_length > 1;
	entry->has_data = r.has_data;
	entry->has_soa = r.has_soa;
	entry->question_length = message.question_length;
	entry->answers = message.counts[SECTION_ANSWER];
	entry->authorities = message.counts[SECTION_AUTHORITY];
	entry->stored_us = now_us;
	entry->expires_us = now_us + (uint64_t)ttl * 1000000;
	return entry;
}

bool reply_may_be_cached(const struct cache_entry *entry)
{
	if (entry->failed)
		return true;
	return !entry->truncated && (entry->has_data || entry->has_soa) &&
	       entry->expires_us > entry->stored_us;
}
