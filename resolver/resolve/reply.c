/* A target's reply becomes a cache entry in three steps:
 *
 *     follow     www ─CNAME─► cdn ─DNAME─► edge ─► A      the chain from the question's name
 *     copy       the chain's records, link by link, and the SOA of a negative answer, each
 *                record once (RFC 2181 section 5)
 *     bound      every TTL, the lowest of its set, and note its offset
 *
 * Nearly every reply has only the question's own data, with owners that point to the question and
 * no names in the data: it is copied as a whole. In other replies each owner is read once and
 * compared by hash, so the cost of thousands of records after a long chain grows only with their
 * bytes. Names in the copy are uncompressed, or point to a name of the chain in the copy. The
 * target's pointers are never kept: one may lead into a TTL, and give another name whenever that
 * TTL changes.
 *
 * Not here: whether the reply answers our question and is usable (endpoints/upstream/reply.c), and
 * which networks may see it (compose.c). */
#include "resolver/resolve/reply.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/text.h"

enum {
	CHAIN_MAX = 17,             /* names: the question's and 16 after it */
	CHAIN_ROOM = CHAIN_MAX + 1, /* plus the name that the last one leads to */
	DNAMES_MAX = 16,            /* read in a reply; a chain needs no more */
	RECORDS_FEW = 64,           /* answer records on the stack; more are allocated */
	COPIED_FEW = 2 * RECORDS_FEW,
	PLAIN_FEW = 8, /* plain records compared in pairs; more are hashed */
	FIXED_SOA_LENGTH = 20,
	TTL_BEFORE_RDATA = 6, /* bytes: the TTL and the rdata's length */
};

struct indexed {        /* an answer record with its owner's hash */
	uint64_t owner; /* hash of the name in lower case */
	struct record_view view;
	uint16_t kind; /* its type, or a signature's covered type */
	bool taken;
};

struct copied_record {  /* a record in the copy */
	uint64_t hash;  /* 0: free */
	uint16_t rdata; /* its offset in the copy */
};

/* The count is a power of two, and at most half of the slots are used. */
struct copied {
	struct copied_record *slots; /* `few`, or allocated */
	size_t count;
	struct copied_record few[COPIED_FEW];
};

struct target_reply { /* the state of one reply */
	const struct lookup_key *key;
	const struct ask_result *result;
	const struct hash_key *hash_key;
	const struct cache_settings *settings;
	uint64_t now_us;
	const uint8_t *wire;
	size_t length;
	size_t answers_at;
	struct message_walk rest; /* the records after the answers */
	uint16_t answers, authorities;
	struct indexed *records; /* of class IN, in the reply's order */
	unsigned record_count;
	struct copied *copied; /* set while there is a copy */
	enum rcode rcode;
	struct name *chain; /* CHAIN_ROOM names; not used for plain answers */
	uint64_t owners[CHAIN_MAX];
	/* The DNAME that leads from a name to the next one without a CNAME; else NULL. */
	const struct indexed *dnames[CHAIN_MAX];
	bool dead_end; /* a DNAME above the chain's last name gives no name (YXDOMAIN) */
	struct cache_link links[CHAIN_MAX];
	unsigned chain_length;
	bool plain; /* every answer record is the question's own data, without names */
	bool has_data, has_soa;
};

/* ---- following the chain ---- */

static uint64_t hash_name(const struct target_reply *r, const uint8_t *wire, size_t length)
{
	return hash_bytes(r->hash_key, 0, wire, length);
}

static uint64_t hash_owner(const struct target_reply *r, size_t at)
{
	uint8_t name[NAME_WIRE_MAX];
	size_t length = wire_read_name(r->wire, r->length, at, WIRE_HEADER, name, NULL);

	for (size_t i = 0; i < length; i++)
		name[i] = name_lower(name[i]); /* lengths are below 'A' */
	return hash_name(r, name, length);
}

/* The record's type, or a signature's covered type. */
static uint16_t covered_type(const uint8_t *wire, const struct record_view *view)
{
	if (view->type != TYPE_RRSIG)
		return view->type;
	return view->rdata_length < 2 ? 0 : wire_u16(wire + view->rdata);
}

/* Reads an owner once for successive records with the same pointer. */
static void index_answers(struct target_reply *r)
{
	struct message_walk walk = message_walk_from(r->wire, r->length, r->answers_at);
	const uint8_t *last = NULL;
	uint64_t owner = 0;

	for (unsigned i = 0; i < r->answers; i++) {
		struct indexed *record = &r->records[r->record_count];
		struct record_view *view = &record->view;

		if (message_reread_record(&walk, view) != 0)
			return;
		if (view->class != CLASS_IN)
			continue;
		const uint8_t *start = r->wire + view->owner;
		if (!last || start[0] < WIRE_POINTER || memcmp(start, last, 2) != 0)
			owner = hash_owner(r, view->owner);
		last = start;
		record->owner = owner;
		record->kind =
			r->key->type == TYPE_RRSIG ? view->type : covered_type(r->wire, view);
		record->taken = false;
		r->record_count++;
	}
}

static const struct indexed *find_record(const struct target_reply *r, uint64_t owner,
					 uint16_t type)
{
	for (unsigned i = 0; i < r->record_count; i++) /* index_answers has set record_count */
		if (r->records[i].owner == owner &&    // NOLINT(*UndefinedBinaryOperatorResult)
		    r->records[i].view.type == type)
			return &r->records[i];
	return NULL;
}

/* A set has one TTL, the lowest of all its records in the reply, even of those that are not copied
 * (RFC 2181 section 5.2). */
static uint32_t lowest_ttl(const struct target_reply *r, const struct indexed *of)
{
	uint32_t lowest = of->view.ttl;

	for (unsigned i = 0; i < r->record_count; i++) {
		const struct indexed *record = &r->records[i];

		if (record->owner == of->owner && record->view.type == of->view.type &&
		    record->view.ttl < lowest)
			lowest = record->view.ttl;
	}
	return lowest;
}

static bool stands_above(const struct target_reply *r, const struct indexed *record, unsigned hop,
			 struct name *owner)
{
	return record->owner != r->owners[hop] &&
	       name_from_wire(owner, r->hash_key, r->wire, r->length, record->view.owner, NULL) ==
		       0 &&
	       name_is_under(&r->chain[hop], owner);
}

static const struct indexed *find_dname(const struct target_reply *r, struct name *owner)
{
	unsigned looked_at = 0;

	for (unsigned i = 0; i < r->record_count && looked_at < DNAMES_MAX; i++) {
		if (r->records[i].view.type != TYPE_DNAME)
			continue;
		if (stands_above(r, &r->records[i], r->chain_length - 1, owner))
			return &r->records[i];
		looked_at++;
	}
	return NULL;
}

/* Replaces the DNAME's owner in the chain's last name by its target (RFC 6672 section 2.2). False:
 * the result is too long for a name. */
static bool substitute(const struct target_reply *r, const struct indexed *dname,
		       const struct name *owner, struct name *next)
{
	const struct name *last = &r->chain[r->chain_length - 1];
	size_t length = last->length - (size_t)owner->length;
	uint8_t target[2 * NAME_WIRE_MAX];

	memcpy(target, last->wire, length);
	length += wire_read_name(r->wire, r->length, dname->view.rdata, WIRE_HEADER,
				 target + length, NULL);
	return name_from_wire(next, r->hash_key, target, length, 0, NULL) == 0;
}

static bool leads_to(const struct target_reply *r, const struct indexed *alias,
		     const struct name *name)
{
	uint8_t target[NAME_WIRE_MAX];

	return wire_read_name(r->wire, r->length, alias->view.rdata, WIRE_HEADER, target, NULL) ==
		       name->length &&
	       name_wire_equal(target, name->wire);
}

/* Finds the name that the chain's last one leads to; false: none. A DNAME above the last name leads
 * on like the CNAME that follows from it. The copy has that CNAME even if the target left it out or
 * sent a different one (RFC 6672 sections 3.1, 3.4). With YXDOMAIN the chain ends at the first name
 * with a DNAME but without that CNAME, because the target found the next name too long (section
 * 2.2). If the next name really is too long, the rcode becomes YXDOMAIN. */
static bool read_next(struct target_reply *r, struct name *next)
{
	unsigned hop = r->chain_length - 1;
	const struct indexed *alias = find_record(r, r->owners[hop], TYPE_CNAME);
	struct name owner;
	const struct indexed *dname = find_dname(r, &owner);

	if (!dname)
		return alias && name_from_wire(next, r->hash_key, r->wire, r->length,
					       alias->view.rdata, NULL) == 0;
	bool fits = substitute(r, dname, &owner, next);
	if (fits && alias && leads_to(r, alias, next))
		return true;
	if (!fits)
		r->rcode = RCODE_YXDOMAIN;
	r->dead_end = r->rcode == RCODE_YXDOMAIN;
	if (!r->dead_end)
		r->dnames[hop] = dname;
	return !r->dead_end;
}

/* Appends the name that the last one leads to; false: none. If CNAME is the asked type, a CNAME
 * does not lead on, not even one that follows from a DNAME. */
static bool follow_alias(struct target_reply *r)
{
	struct name *next = &r->chain[r->chain_length];

	if (!read_next(r, next))
		return false;
	r->has_data = r->key->type == TYPE_CNAME;
	if (r->has_data || r->chain_length == CHAIN_MAX)
		return false;
	uint64_t owner = hash_name(r, next->wire, next->length);
	for (unsigned i = 0; i < r->chain_length; i++)
		if (r->owners[i] == owner)
			return false;
	r->owners[r->chain_length++] = owner;
	return true;
}

/* A server that was asked for a CNAME and follows it (RFC 6672 section 3.2 can be read that way)
 * may say NXDOMAIN about the target, which is not the answer. */
static void follow_chain(struct target_reply *r)
{
	do
		r->has_data = r->key->type != TYPE_CNAME &&
			      find_record(r, r->owners[r->chain_length - 1], r->key->type);
	while (!r->has_data && follow_alias(r));
	if (r->has_data && r->key->type == TYPE_CNAME)
		r->rcode = RCODE_NOERROR;
}

/* ---- copying the chain's records ---- */

/* Equal for equal records; ignores TTLs and the case of names. */
static uint64_t hash_record(const struct target_reply *r, const struct record_view *view,
			    uint64_t owner, const uint8_t *rdata, size_t length)
{
	uint64_t hash = hash_bytes(r->hash_key, owner, &view->type, sizeof view->type);
	struct record_part part = record_parts(view->type);

	while (record_next_part(&part, rdata, length)) {
		size_t bytes = part.end - part.start;
		uint8_t name[NAME_WIRE_MAX];

		for (size_t i = 0; part.is_name && i < bytes; i++)
			name[i] = name_lower(rdata[part.start + i]);
		hash = hash_bytes(r->hash_key, hash, part.is_name ? name : rdata + part.start,
				  bytes);
	}
	return hash ? hash : 1;
}

/* The slot of the record with this hash, or a free slot for it. */
static struct copied_record *copied_find(struct copied *copied, uint64_t hash)
{
	size_t slot = hash & (copied->count - 1);

	while (copied->slots[slot].hash && copied->slots[slot].hash != hash)
		slot = (slot + 1) & (copied->count - 1);
	return &copied->slots[slot];
}

/* Lowers the TTL of the copied record with its rdata at this offset. */
static void lower_ttl(struct message *message, size_t rdata, uint32_t ttl)
{
	uint8_t *at = message->wire + rdata - TTL_BEFORE_RDATA;

	if (ttl < wire_u32(at))
		wire_put32(at, ttl);
}

/* Returns the rdata's offset. 0: there is no room, or the copy has this record already, and gets
 * the lower TTL of both (RFC 2181 section 5.2). */
static size_t copy(struct target_reply *r, struct message *message, enum section section,
		   const struct record_view *view, uint32_t ttl, uint64_t owner_hash,
		   size_t owner_at, const uint8_t *owner)
{
	struct message_mark mark = message_mark(message);
	size_t rdata = message_copy_record(message, section, r->wire, r->length, view, owner_at,
					   owner, ttl);

	if (rdata == 0)
		return 0;
	uint64_t hash = hash_record(r, view, owner_hash + section, message->wire + rdata,
				    message->length - rdata);
	struct copied_record *copied = copied_find(r->copied, hash);
	if (!copied->hash) {
		*copied = (struct copied_record){hash, (uint16_t)rdata};
		return rdata;
	}
	message_rewind(message, &mark);
	lower_ttl(message, copied->rdata, ttl);
	return 0;
}

/* Copies the DNAMEs that lead from a name to the next one, or that explain why there is none
 * (YXDOMAIN); even if DNAME was asked for. */
static void copy_dnames(struct target_reply *r, struct message *message, unsigned hop)
{
	unsigned looked_at = 0;
	struct name owner;

	for (unsigned i = 0; i < r->record_count && looked_at < DNAMES_MAX; i++) {
		struct indexed *record = &r->records[i];

		if (record->kind != TYPE_DNAME || record->taken ||
		    (record->view.type != TYPE_DNAME && !r->key->dnssec_ok))
			continue;
		looked_at++;
		if (!stands_above(r, record, hop, &owner))
			continue;
		record->taken = true;
		if (copy(r, message, SECTION_ANSWER, &record->view, lowest_ttl(r, record),
			 record->owner, 0, owner.wire))
			r->links[hop].above++;
	}
}

/* Writes the CNAME that follows from the DNAME before it, with the DNAME's TTL and no signature. */
static size_t write_alias(struct target_reply *r, struct message *message, unsigned hop,
			  size_t owner_at)
{
	const struct name *target = &r->chain[hop + 1];

	return message_add_record(message, SECTION_ANSWER, TYPE_CNAME, CLASS_IN,
				  lowest_ttl(r, r->dnames[hop]), owner_at, r->chain[hop].wire,
				  target->wire, target->length);
}

static bool record_belongs(const struct target_reply *r, const struct indexed *record, bool data)
{
	if (record->view.type == TYPE_RRSIG && record->kind != record->view.type &&
	    !r->key->dnssec_ok)
		return false;
	return record->kind == (data ? r->key->type : TYPE_CNAME);
}

/* Copies one name of the chain and its records. Returns the offset of the next name in the copy; 0:
 * out of a pointer's reach. Of several CNAMEs only the first is copied, which was followed. */
static size_t copy_link(struct target_reply *r, struct message *message, unsigned hop,
			size_t owner_at)
{
	struct cache_link *link = &r->links[hop];
	bool data = r->has_data && hop + 1 == r->chain_length, alias = false;
	size_t next_at = 0;

	*link = (struct cache_link){.at = (uint16_t)message->length};
	if (!data || r->key->type == TYPE_CNAME)
		copy_dnames(r, message, hop);
	if (r->dead_end && hop + 1 == r->chain_length)
		return 0;
	if (r->dnames[hop]) {
		link->count = 1;
		next_at = write_alias(r, message, hop, owner_at);
		return next_at <= WIRE_POINTER_MAX ? next_at : 0;
	}
	for (unsigned i = 0; i < r->record_count && !message->overflow; i++) {
		struct indexed *record = &r->records[i];

		if (record->owner != r->owners[hop] || record->taken ||
		    !record_belongs(r, record, data))
			continue;
		bool leads_on = !data && record->view.type == TYPE_CNAME;
		if (leads_on && alias)
			continue;
		record->taken = true;
		size_t rdata = copy(r, message, SECTION_ANSWER, &record->view,
				    leads_on ? lowest_ttl(r, record) : record->view.ttl,
				    record->owner, owner_at, r->chain[hop].wire);
		link->count += rdata > 0;
		if (leads_on)
			next_at = rdata <= WIRE_POINTER_MAX ? rdata : 0;
		alias = alias || leads_on;
	}
	return next_at;
}

/* False without memory. */
static bool copy_chain(struct target_reply *r, struct message *message)
{
	struct indexed few[RECORDS_FEW], *many = NULL;
	size_t owner_at = MESSAGE_HEADER;

	if (r->answers > RECORDS_FEW && !(many = malloc(r->answers * sizeof *many)))
		return false;
	r->records = many ? many : few;
	memset(r->dnames, 0, sizeof r->dnames);
	name_copy(&r->chain[0], r->key->name);
	r->owners[0] = hash_name(r, r->key->name->wire, r->key->name->length);
	index_answers(r);
	follow_chain(r);
	for (unsigned i = 0; i < r->chain_length; i++)
		owner_at = copy_link(r, message, i, owner_at);
	r->records = NULL;
	free(many);
	return true;
}

static bool copy_answers(struct target_reply *r, struct message *message)
{
	if (!r->plain)
		return copy_chain(r, message);
	memcpy(message->wire + message->length, r->wire + r->answers_at,
	       r->rest.at - r->answers_at);
	message->length += r->rest.at - r->answers_at;
	message->counts[SECTION_ANSWER] = r->answers;
	return true;
}

/* Whether it is the SOA of a negative answer, and the chain's end is in its zone. */
static bool soa_belongs(struct target_reply *r, const struct record_view *view)
{
	const struct name *end =
		r->chain_length > 1 ? &r->chain[r->chain_length - 1] : r->key->name;
	struct name owner;

	if (r->has_data || r->has_soa)
		return false;
	r->has_soa =
		name_from_wire(&owner, r->hash_key, r->wire, r->length, view->owner, NULL) == 0 &&
		name_is_under(end, &owner);
	return r->has_soa;
}

static bool authority_belongs(struct target_reply *r, const struct record_view *view)
{
	uint16_t type = covered_type(r->wire, view);

	if (view->class != CLASS_IN)
		return false;
	if (view->type == TYPE_SOA)
		return soa_belongs(r, view);
	return r->key->dnssec_ok &&
	       (type == TYPE_NSEC || type == TYPE_NSEC3 || (type == TYPE_SOA && !r->has_data));
}

/* Copies the first of several SOAs. */
static void copy_authority(struct target_reply *r, struct message *message)
{
	struct message_walk walk = r->rest;
	struct record_view view;
	size_t soa = 0, rdata;

	if (r->has_data && !r->key->dnssec_ok)
		return;
	for (unsigned i = 0; i < r->authorities && !message->overflow; i++) {
		if (message_read_record(&walk, &view) != 0)
			return;
		if (soa > 0 && view.type == TYPE_SOA)
			lower_ttl(message, soa, view.ttl);
		if (!authority_belongs(r, &view))
			continue;
		rdata = copy(r, message, SECTION_AUTHORITY, &view, view.ttl,
			     hash_owner(r, view.owner), 0, NULL);
		if (view.type == TYPE_SOA)
			soa = rdata;
	}
}

/* The lesser of the SOA's TTL and its MINIMUM (RFC 2308 section 5), at most negative_ttl_max. */
static uint32_t negative_ttl(const struct target_reply *r, const uint8_t *wire,
			     const struct record_view *soa)
{
	uint32_t ttl = soa->ttl, cap = r->settings->negative_ttl_max;

	if (soa->rdata_length >= FIXED_SOA_LENGTH) {
		uint32_t minimum = wire_u32(wire + soa->rdata + soa->rdata_length - 4);

		ttl = minimum < ttl ? minimum : ttl;
	}
	return ttl < cap ? ttl : cap;
}

/* Whether two records of our copy belong to one set, including its signatures. Within a set the
 * owner is always a pointer or always uncompressed. */
static bool is_same_set(const uint8_t *wire, const struct record_view *a,
			const struct record_view *b)
{
	const uint8_t *owner = wire + a->owner, *other = wire + b->owner;

	if (covered_type(wire, a) != covered_type(wire, b))
		return false;
	return *owner >= WIRE_POINTER ? wire_u16(owner) == wire_u16(other)
				      : name_wire_equal(owner, other);
}

static void put_ttls(uint8_t *wire, const uint16_t *at, const uint16_t *end, uint32_t ttl)
{
	while (at < end)
		wire_put32(wire + *at++, ttl);
}

/* Bounds every TTL, notes its offset, and returns the least TTL. A set and its signatures, which
 * are adjacent, get their lowest one (RFC 2181 section 5.2, RFC 4034 section 3). No other thread
 * has the entry yet. */
static uint32_t bound_ttls(const struct target_reply *r, struct cache_entry *entry)
{
	uint8_t *wire = (uint8_t *)cache_entry_wire(entry);
	uint16_t *next = (uint16_t *)cache_entry_ttls(entry), *set = next;
	uint32_t least = r->settings->ttl_max, lowest = 0;
	struct message_walk walk = message_walk_from(wire, entry->length, r->answers_at);
	struct record_view record, before;

	for (unsigned i = 0; i < entry->ttl_count; i++, before = record) {
		int err = message_reread_record(&walk, &record);
		uint32_t ttl = record.ttl;

		assert(err == 0); /* the message was read before, or we wrote it */
		(void)err;
		ttl = ttl > r->settings->ttl_max ? r->settings->ttl_max : ttl;
		ttl = ttl < r->settings->ttl_min ? r->settings->ttl_min : ttl;
		if (record.type == TYPE_SOA && i >= entry->answers)
			ttl = negative_ttl(r, wire, &record);
		least = ttl < least ? ttl : least;
		if (i == 0 || !is_same_set(wire, &before, &record)) {
			put_ttls(wire, set, next, lowest);
			set = next;
			lowest = ttl;
		}
		lowest = ttl < lowest ? ttl : lowest;
		*next++ = (uint16_t)record.ttl_at;
	}
	put_ttls(wire, set, next, lowest);
	return least;
}

/* ---- entries ---- */

struct entry_parts { /* the parts of an entry besides its key */
	const struct cache_link *links;
	unsigned link_count;
	const uint8_t *wire;
	size_t length;
	uint16_t question_length;
	uint16_t answers, authorities;
	const char *text;
};

static uint8_t *append(uint8_t *at, const void *data, size_t length)
{
	if (length)
		memcpy(at, data, length);
	return at + length;
}

/* Makes an entry with the parts in cache.h's order. Does not fill in the offsets of TTLs. */
static struct cache_entry *entry_new(const struct lookup_key *key, const struct entry_parts *parts)
{
	size_t link_bytes = parts->link_count * sizeof *parts->links;
	unsigned ttl_count = (unsigned)parts->answers + parts->authorities;
	size_t ttl_bytes = ttl_count * sizeof(uint16_t);
	size_t text_bytes = parts->text ? strlen(parts->text) + 1 : 0;
	size_t bytes = sizeof(struct cache_entry) + link_bytes + ttl_bytes + key->name->length +
		       parts->length + text_bytes;
	const struct cache_key cache_key = cache_key_of(key);
	struct cache_entry *entry = malloc(bytes);

	if (!entry)
		return NULL;
	*entry = (struct cache_entry){
		.references = 1,
		.hash = cache_hash(&cache_key),
		.leg = key->leg->id,
		.type = key->type,
		.dnssec_ok = key->dnssec_ok,
		.checking_disabled = key->checking_disabled,
		.link_count = (uint8_t)parts->link_count,
		.ttl_count = (uint16_t)ttl_count,
		.name_length = key->name->length,
		.question_length = parts->question_length,
		.answers = parts->answers,
		.authorities = parts->authorities,
		.length = (uint32_t)parts->length,
		.bytes = (uint32_t)bytes,
	};
	uint8_t *at = append(entry->data, parts->links, link_bytes);
	at = append(at + ttl_bytes, key->name->wire, key->name->length);
	at = append(at, parts->wire, parts->length);
	append(at, parts->text, text_bytes);
	return entry;
}

static void print_failure(const struct ask_result *result, bool too_long,
			  char text[MESSAGE_EDE_TEXT_MAX])
{
	const size_t room = MESSAGE_EDE_TEXT_MAX;
	char host[HOST_TEXT_MAX] = "";

	if (result->upstream)
		host_print(&result->upstream->host, host);
	if (too_long)
		snprintf(text, room, "the answer of %s is too long", host);
	else if (result->outcome == ASK_TRUNCATED)
		snprintf(text, room, "only a truncated answer, from %s", host);
	else if (result->upstream)
		snprintf(text, room, "%s; last %s: %s",
			 result->outcome == ASK_SILENT ? "no target answered" : "no usable answer",
			 host, target_error_text(result->error));
	else if (result->error != TARGET_ERROR_SILENCE)
		snprintf(text, room, "no target could be asked: %s",
			 target_error_text(result->error));
	else
		snprintf(text, room, "no target could be asked");
}

/* A forwarded EDE names its source (RFC 8914 section 3). */
static void print_ede(const struct ask_ede *ede, char text[MESSAGE_EDE_TEXT_MAX])
{
	char host[HOST_TEXT_MAX];

	text_append(text, MESSAGE_EDE_TEXT_MAX, "; %s says EDE %u%s%s",
		    host_print(&ede->by->host, host), ede->code, *ede->text ? ": " : "", ede->text);
}

/* too_long: the answer with uncompressed names is too long for a message. */
static struct cache_entry *failure_entry(const struct lookup_key *key,
					 const struct ask_result *result, bool too_long,
					 uint64_t now_us)
{
	char text[MESSAGE_EDE_TEXT_MAX];
	bool truncated = too_long || result->outcome == ASK_TRUNCATED;

	print_failure(result, too_long, text);
	if (result->ede)
		print_ede(result->ede, text);
	struct cache_entry *entry = entry_new(key, &(struct entry_parts){.text = text});
	if (!entry)
		return NULL;
	entry->failed = true;
	entry->rcode = RCODE_SERVFAIL;
	entry->error = (uint8_t)(too_long          ? TARGET_ERROR_TRUNCATED
				 : result->said.by ? result->said.error
						   : result->error);
	entry->error_by = UINT8_MAX;
	entry->ede = result->ede ? result->ede->code : 0;
	entry->truncated = truncated;
	entry->unreachable = !truncated && (result->error == TARGET_ERROR_NETWORK ||
					    result->error == TARGET_ERROR_AWAY ||
					    result->error == TARGET_ERROR_SOURCE);
	entry->hasty = result->hasty;
	entry->unusable = result->sourceless;
	entry->stored_us = now_us;
	entry->expires_us = now_us + FAILURE_TTL_US;
	atomic_init(&entry->again_us, entry->expires_us);
	return entry;
}

/* Whether an answer record is the question's own data, with an owner that points to the question.
 */
static bool record_is_plain(const struct target_reply *r, const struct record_view *record)
{
	static const uint8_t question[] = {WIRE_POINTER, MESSAGE_HEADER};

	return record->type == r->key->type && record->class == CLASS_IN &&
	       memcmp(r->wire + record->owner, question, sizeof question) == 0;
}

static bool is_among(const struct target_reply *r, const struct record_view *record,
		     const struct record_view *others, unsigned count)
{
	while (count > 0) {
		const struct record_view *other = &others[--count];

		if (other->rdata_length == record->rdata_length &&
		    memcmp(r->wire + other->rdata, r->wire + record->rdata, record->rdata_length) ==
			    0)
			return true;
	}
	return false;
}

/* Reads counts and bounds of the answers; false: they do not parse, which lookups have excluded. */
static bool outline(struct target_reply *r)
{
	struct record_view records[PLAIN_FEW];

	r->rcode = message_flags(r->wire) & FLAG_RCODE;
	r->answers = wire_u16(r->wire + 6);
	r->authorities = wire_u16(r->wire + 8);
	r->plain = r->answers <= PLAIN_FEW && !record_has_names(r->key->type);
	r->plain = r->plain || r->answers == 0;
	if (r->answers_at > r->length)
		return false;
	for (unsigned i = 0; i < r->answers; i++) {
		struct record_view *record = &records[i % PLAIN_FEW];

		if (message_read_record(&r->rest, record) != 0)
			return false;
		r->plain =
			r->plain && record_is_plain(r, record) && !is_among(r, record, records, i);
	}
	r->has_data = r->plain && r->answers > 0;
	r->links[0] = (struct cache_link){.at = (uint16_t)r->answers_at, .count = r->answers};
	return true;
}

static void target_reply_init(struct target_reply *r, const struct lookup_key *key,
			      const struct ask_result *result,
			      const struct cache_settings *settings,
			      const struct hash_key *hash_key, uint64_t now_us)
{
	r->key = key;
	r->result = result;
	r->hash_key = hash_key;
	r->settings = settings;
	r->now_us = now_us;
	r->wire = result->wire;
	r->length = result->length;
	r->answers_at = MESSAGE_HEADER + (size_t)key->name->length + 4;
	r->rest = message_walk_from(result->wire, result->length, r->answers_at);
	r->records = NULL;
	r->record_count = 0;
	r->chain = NULL;
	r->chain_length = 1;
	r->dead_end = r->has_data = r->has_soa = false;
}

/* When to refresh an answer: in the last tenth of its life. If that is less than a second, never:
 * the new answer might come too late, and such a name is meant to be asked often. */
static uint64_t again_us(const struct cache_entry *entry)
{
	uint64_t life_us = entry->expires_us - entry->stored_us;

	return life_us < PREFETCH_LIFE_US ? entry->expires_us : entry->expires_us - life_us / 10;
}

/* How long an answer without EDNS is kept: as long as its target counts as one without EDNS. 0 if
 * the target has EDNS, because its next answer may be signed. */
static uint32_t believed_s(const struct ask_result *result, uint32_t ttl)
{
	uint32_t most = result->edns == ASK_EDNS_FINE   ? UINT32_MAX
			: result->edns == ASK_EDNS_NONE ? TARGET_PLAIN_US / 1000000
							: 0;
	return ttl < most ? ttl : most;
}

static struct cache_entry *answer_entry(const struct target_reply *r,
					const struct entry_parts *parts)
{
	struct cache_entry *entry = entry_new(r->key, parts);

	if (!entry)
		return NULL;
	uint32_t ttl = believed_s(r->result, bound_ttls(r, entry));
	entry->rcode = (uint8_t)r->rcode;
	entry->has_data = r->has_data;
	entry->has_soa = r->has_soa;
	entry->stored_us = r->now_us;
	entry->expires_us = r->now_us + (uint64_t)ttl * 1000000;
	atomic_init(&entry->again_us, again_us(entry));
	return entry;
}

/* An entry of the reply up to the end of its answer section. */
static struct cache_entry *whole_entry(const struct target_reply *r)
{
	return answer_entry(r, &(struct entry_parts){.links = r->links,
						     .link_count = 1,
						     .wire = r->wire,
						     .length = r->rest.at,
						     .question_length = (uint16_t)(r->answers_at -
										   MESSAGE_HEADER),
						     .answers = r->answers});
}

/* Makes room for at least so many records. False without memory. */
static bool copied_init(struct copied *copied, size_t records)
{
	copied->count = COPIED_FEW;
	while (copied->count < 2 * records)
		copied->count *= 2;
	if (copied->count > COPIED_FEW) {
		copied->slots = calloc(copied->count, sizeof *copied->slots);
		return copied->slots;
	}
	memset(copied->few, 0, sizeof copied->few);
	copied->slots = copied->few;
	return true;
}

static void copied_release(struct copied *copied)
{
	if (copied->slots != copied->few)
		free(copied->slots);
}

/* noinline, because most replies do not need this large frame. */
static __attribute__((noinline)) struct cache_entry *copied_entry(struct target_reply *r,
								  uint8_t *buffer)
{
	struct name chain[CHAIN_ROOM];
	struct message message;
	struct copied copied;

	if (!copied_init(&copied, (size_t)r->answers + r->authorities))
		return NULL;
	r->copied = &copied;
	r->chain = chain;
	message_begin(&message, buffer, MESSAGE_MAX, r->wire + MESSAGE_HEADER,
		      (uint16_t)(r->answers_at - MESSAGE_HEADER));
	bool is_whole = copy_answers(r, &message);
	if (is_whole)
		copy_authority(r, &message);
	copied_release(&copied);
	r->copied = NULL;
	r->chain = NULL;
	if (!is_whole)
		return NULL;
	if (message.overflow)
		return failure_entry(r->key, r->result, true, r->now_us);
	return answer_entry(
		r, &(struct entry_parts){.links = r->links,
					 .link_count = r->chain_length,
					 .wire = message.wire,
					 .length = message.length,
					 .question_length = message.question_length,
					 .answers = message.counts[SECTION_ANSWER],
					 .authorities = message.counts[SECTION_AUTHORITY]});
}

struct cache_entry *reply_entry(const struct lookup_key *key, const struct ask_result *result,
				const struct cache_settings *settings,
				const struct hash_key *hash_key, uint8_t *buffer, uint64_t now_us)
{
	struct target_reply r;

	if (result->outcome != ASK_ANSWERED)
		return failure_entry(key, result, false, now_us);
	target_reply_init(&r, key, result, settings, hash_key, now_us);
	if (!outline(&r))
		return failure_entry(key, result, false, now_us);
	bool whole = r.plain && (r.authorities == 0 || (r.has_data && !key->dnssec_ok));
	return whole ? whole_entry(&r) : copied_entry(&r, buffer);
}

bool reply_may_be_cached(const struct cache_entry *entry)
{
	bool leads_on = entry->rcode == RCODE_NOERROR && entry->link_count > 1;

	if (entry->failed)
		return true;
	return (entry->has_data || entry->has_soa || leads_on) &&
	       entry->expires_us > entry->stored_us;
}
