/* Notices hang on their zones, and those that wait on a second list:
 *
 *     zones (by name) ─► zone ─► notice ─► notice        one for each peer and source
 *                        zone ─► notice                  └─ waiting ─► notice ─► notice
 *
 * Not here: what a secondary does then, and NOTIFY that comes in (answered NOTIMP). */
#include "resolver/control/service/zone_notice.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "endpoints/entropy.h"
#include "endpoints/message.h"
#include "resolver/control/base/json.h"
#include "resolver/log.h"
#include "rules/zone/serial.h"

enum notice_state { NOTICE_WAITING, NOTICE_ANSWERED, NOTICE_GIVEN_UP };
static const char *const state_texts[] = {"waiting", "answered", "given up"};

struct notice {
	struct notice *next;                    /* of the zone */
	struct notice *next_waiting, **waiting; /* waiting NULL: it is not on that list */
	const struct notice_zone *zone;
	struct host peer;
	struct address source;
	const struct tsig_key *key; /* of the ACL that was followed last */
	enum notice_state state;
	uint32_t serial;      /* to notify of */
	uint32_t told_serial; /* the last one that was answered */
	bool told, seen;
	uint16_t id;
	unsigned tries;
	uint64_t due_ms, sent_ms; /* sent 0: never */
	struct tsig_context tsig;
	uint64_t at_s; /* of the state */
	unsigned rcode;
};

struct notice_zone {
	struct name name;
	struct notice *notices;
	UT_hash_handle hh;
	char text[];
};

struct zone_notices {
	struct notice_zone *zones;
	struct notice *waiting;
	/* Of the table that was followed last; NULL: none was. */
	struct transfer_acl *acl;
	uint64_t version;
};

/* ---- a notice's state ---- */

static void set_state(struct notice *notice, enum notice_state state, uint64_t now_s)
{
	notice->state = state;
	notice->at_s = now_s;
	if (!notice->waiting)
		return;
	*notice->waiting = notice->next_waiting;
	if (notice->next_waiting)
		notice->next_waiting->waiting = notice->waiting;
	notice->waiting = NULL;
}

static void enqueue(struct zone_notices *notices, struct notice *notice, uint64_t now_s)
{
	set_state(notice, NOTICE_WAITING, now_s);
	notice->next_waiting = notices->waiting;
	notice->waiting = &notices->waiting;
	if (notice->next_waiting)
		notice->next_waiting->waiting = &notice->next_waiting;
	notices->waiting = notice;
}

/* The serial has changed: the peer is notified of it, whatever became of the notice before. One
 * that is about to be sent keeps its time. */
static void tell(struct zone_notices *notices, struct notice *notice, uint32_t serial,
		 uint64_t now_ms, uint64_t now_s)
{
	uint64_t due_ms = now_ms + NOTICE_LOOK_MS;
	bool at_hand = notice->waiting && notice->tries == 0;

	if (notice->sent_ms && due_ms < notice->sent_ms + NOTICE_APART_MS)
		due_ms = notice->sent_ms + NOTICE_APART_MS;
	notice->serial = serial;
	notice->tries = 0;
	if (!at_hand)
		notice->due_ms = due_ms;
	enqueue(notices, notice, now_s);
}

static void give_up(struct notice *notice, uint64_t now_s)
{
	char peer[HOST_TEXT_MAX];

	set_state(notice, NOTICE_GIVEN_UP, now_s);
	log_event(LOG_WARNING, "notify", "%s does not answer NOTIFY for %s serial %u",
		  host_print(&notice->peer, peer), notice->zone->text, notice->serial);
}

static void answered(struct notice *notice, unsigned rcode, uint64_t now_s)
{
	char peer[HOST_TEXT_MAX];

	set_state(notice, NOTICE_ANSWERED, now_s);
	notice->told = true;
	notice->told_serial = notice->serial;
	if (rcode != RCODE_NOERROR && rcode != notice->rcode)
		log_event(LOG_WARNING, "notify", "%s answers NOTIFY for %s with rcode %u",
			  host_print(&notice->peer, peer), notice->zone->text, rcode);
	notice->rcode = rcode;
}

/* ---- which notices there are ---- */

static struct notice_zone *zone_at(struct zone_notices *notices, const struct transfer_zone *of)
{
	size_t length = strlen(of->text) + 1;
	struct notice_zone *zone;

	HASH_FIND_STR(notices->zones, of->text, zone);
	if (zone)
		return zone;
	zone = calloc(1, sizeof *zone + length);
	if (!zone)
		return NULL;
	memcpy(zone->text, of->text, length);
	name_copy(&zone->name, &of->name);
	HASH_ADD_STR(notices->zones, text, zone);
	if (zone->hh.tbl)
		return zone;
	free(zone);
	return NULL;
}

static struct notice *notice_at(struct notice_zone *zone, const struct host *peer,
				const struct address *source)
{
	struct notice *notice = zone->notices;

	while (notice &&
	       !(host_equal(&notice->peer, peer) && address_equal(&notice->source, source)))
		notice = notice->next;
	if (notice)
		return notice;
	notice = calloc(1, sizeof *notice);
	if (!notice)
		return NULL;
	notice->zone = zone;
	notice->peer = *peer;
	notice->source = *source;
	notice->next = zone->notices;
	zone->notices = notice;
	return notice;
}

struct following {
	struct zone_notices *notices;
	const struct transfer_table *table;
	uint64_t now_ms, now_s;
};

/* Where several entries for a zone name a peer, the first one counts. */
static void look_at_peer(const struct following *l, struct notice_zone *zone, uint32_t serial,
			 const struct transfer_grant *grant, const struct host *peer)
{
	struct notice *notice = notice_at(zone, peer, &grant->settings->source);

	if (!notice || notice->seen)
		return;
	notice->seen = true;
	notice->key = grant->key;
	notice->tsig.key = NULL; /* answers to what was sent before no longer count */
	bool fresh = !notice->waiting && notice->tries == 0;
	if (fresh || notice->serial != serial)
		tell(l->notices, notice, serial, l->now_ms, l->now_s);
}

static void look_at_zone(const struct following *l, const struct transfer_zone *of)
{
	const struct transfer_acl *acl = l->table->acl;

	for (size_t g = 0; g < acl->grant_count; g++) {
		const struct transfer_grant *grant = &acl->grants[g];
		size_t count = grant->settings->notify.count;
		struct notice_zone *zone =
			count && transfer_grant_covers(grant, of) ? zone_at(l->notices, of) : NULL;

		for (size_t i = 0; zone && i < count; i++)
			look_at_peer(l, zone, of->serial, grant, &grant->settings->notify.items[i]);
	}
}

static void drop_unseen(struct zone_notices *notices, struct notice_zone *zone)
{
	for (struct notice **link = &zone->notices; *link;) {
		struct notice *notice = *link;

		if (notice->seen) {
			notice->seen = false;
			link = &notice->next;
			continue;
		}
		set_state(notice, notice->state, notice->at_s);
		*link = notice->next;
		free(notice);
	}
	if (zone->notices)
		return;
	HASH_DEL(notices->zones, zone);
	free(zone);
}

static void look_at_all(const struct following *l)
{
	struct notice_zone *zone, *next;

	for (size_t i = 0; l->table && i < l->table->count; i++)
		look_at_zone(l, l->table->zones[i]);
	HASH_ITER (hh, l->notices->zones, zone, next)
		drop_unseen(l->notices, zone);
}

static void look_at_fresh(const struct following *l)
{
	struct notice_zone *zone;

	for (size_t i = 0; i < l->table->fresh_count; i++) {
		const struct transfer_zone *of = l->table->fresh[i];

		HASH_FIND_STR(l->notices->zones, of->text, zone);
		for (struct notice *at = zone ? zone->notices : NULL; at; at = at->next)
			if (at->serial != of->serial)
				tell(l->notices, at, of->serial, l->now_ms, l->now_s);
	}
}

void zone_notices_follow(struct zone_notices *notices, const struct transfer_table *table,
			 uint64_t now_ms, uint64_t now_s)
{
	const struct following l = {notices, table, now_ms, now_s};
	struct transfer_acl *before = notices->acl;
	bool next = table && table->acl == before && table->version == notices->version + 1;

	if (table && table->acl == before && table->version == notices->version)
		return;
	notices->acl = table ? transfer_acl_ref(table->acl) : NULL;
	notices->version = table ? table->version : 0;
	if (next)
		look_at_fresh(&l);
	else
		look_at_all(&l);
	transfer_acl_unref(before);
}

/* ---- sending ---- */

/* RFC 1996 section 3.7: the question names the zone, the answer section has the SOA. */
static void write_message(struct notice *notice, const struct rrset *soa, uint64_t now_s,
			  struct notify_message *out)
{
	const struct name *zone = &notice->zone->name;
	uint8_t question[MESSAGE_QUESTION_MAX], *bytes = out->bytes;
	struct message message;

	memcpy(question, zone->wire, zone->length);
	wire_put16(question + zone->length, TYPE_SOA);
	wire_put16(question + zone->length + 2, CLASS_IN);
	message_begin(&message, bytes, NOTICE_MAX, question, (uint16_t)(zone->length + 4U));
	message_add_rrset(&message, SECTION_ANSWER, soa, MESSAGE_HEADER, NULL, UINT32_MAX);
	wire_put16(bytes, notice->id);
	wire_put16(bytes + 2, OPCODE_NOTIFY << 11 | FLAG_AA);
	wire_put16(bytes + 4, 1);
	wire_put16(bytes + 6, message.counts[SECTION_ANSWER]);
	out->source = notice->source;
	out->peer = notice->peer;
	out->length = message.length;
	if (!notice->key)
		return;
	tsig_begin(&notice->tsig, notice->key, notice->id);
	out->length = tsig_sign(&notice->tsig, bytes, message.length, NOTICE_MAX, now_s);
}

uint64_t zone_notices_send(struct zone_notices *notices, const struct transfer_table *table,
			   uint64_t now_ms, uint64_t now_s,
			   void (*send)(void *context, const struct notify_message *message),
			   void *context)
{
	struct notify_message message;
	struct notice *notice, *next;
	uint64_t next_ms = UINT64_MAX;
	unsigned sent = 0;

	for (notice = notices->waiting; notice; notice = next) {
		next = notice->next_waiting;
		if (notice->due_ms <= now_ms && notice->tries == NOTICE_TRIES) {
			give_up(notice, now_s);
			continue;
		}
		if (notice->due_ms <= now_ms && sent < NOTICE_AT_ONCE) {
			const struct transfer_zone *zone =
				transfer_table_find(table, &notice->zone->name);

			assert(zone);
			sent++;
			notice->due_ms = now_ms + ((uint64_t)NOTICE_FIRST_MS << notice->tries++);
			notice->sent_ms = now_ms;
			entropy_read(&notice->id, sizeof notice->id);
			write_message(notice, zone_soa(zone->zone), now_s, &message);
			send(context, &message);
		}
		if (notice->due_ms < next_ms)
			next_ms = notice->due_ms;
	}
	return next_ms <= now_ms ? now_ms + NOTICE_AGAIN_MS : next_ms;
}

/* ---- answers ---- */

static bool is_answer_to(const struct notice *notice, const struct host *from,
			 const struct name *zone, const uint8_t *packet)
{
	return notice->tries > 0 && notice->id == wire_u16(packet) &&
	       host_equal(&notice->peer, from) && name_equal(zone, &notice->zone->name);
}

/* Where the TSIG record of a message with one question begins; 0: it has none, or is not well
 * formed.
 */
static size_t find_tsig(const uint8_t *packet, size_t length)
{
	unsigned records = wire_u16(packet + 6) + wire_u16(packet + 8) + wire_u16(packet + 10);
	struct record_view record = {0};
	size_t at;

	if (wire_u16(packet + 4) != 1 ||
	    wire_skip_name(packet, length, MESSAGE_HEADER, WIRE_HEADER, &at, NULL) == 0 ||
	    length - at < 4)
		return 0;
	struct message_walk walk = message_walk_from(packet, length, at + 4);
	for (unsigned i = 0; i < records; i++)
		if (message_read_record(&walk, &record) != 0)
			return 0;
	return records && walk.at == length && record.type == TYPE_TSIG ? record.owner : 0;
}

/* Without the key nobody can end a notice. */
static bool is_signed_well(const struct notice *notice, const uint8_t *packet, size_t length,
			   uint64_t now_s)
{
	struct tsig_context tsig = notice->tsig;
	size_t tsig_at = find_tsig(packet, length);

	return !notice->key ||
	       (tsig.key && tsig_at &&
		tsig_check_answer(&tsig, packet, length, tsig_at, now_s) == TSIG_FINE);
}

bool zone_notices_receive(struct zone_notices *notices, const struct host *from,
			  const uint8_t *packet, size_t length, uint64_t now_s)
{
	static const struct hash_key any;
	struct name zone;
	size_t end;

	if (length < MESSAGE_HEADER)
		return false;
	unsigned bits = message_flags(packet);
	if (!(bits & FLAG_QR) || (bits & FLAG_OPCODE) >> 11 != OPCODE_NOTIFY ||
	    name_from_wire(&zone, &any, packet, length, MESSAGE_HEADER, &end) != 0)
		return false;
	for (struct notice *at = notices->waiting; at; at = at->next_waiting)
		if (is_answer_to(at, from, &zone, packet) &&
		    is_signed_well(at, packet, length, now_s)) {
			answered(at, bits & FLAG_RCODE, now_s);
			return true;
		}
	return false;
}

/* ---- the rest of the interface ---- */

static json_t *report_notice(const struct notice *notice)
{
	char peer[HOST_TEXT_MAX];

	return json_make("{s:o, s:o, s:o, s:o, s:o, s:o}", "zone", json_text(notice->zone->text),
			 "peer", json_text(host_print(&notice->peer, peer)), "serial",
			 notice->told ? json_integer(notice->told_serial) : json_null(), "state",
			 json_text(state_texts[notice->state]), "answer",
			 notice->told ? json_integer(notice->rcode) : json_null(), "at",
			 json_time((int64_t)notice->at_s));
}

void zone_notices_report(const struct zone_notices *notices, json_t *array)
{
	for (const struct notice_zone *zone = notices->zones; zone; zone = zone->hh.next)
		for (const struct notice *at = zone->notices; at; at = at->next)
			json_add(array, report_notice(at));
}

bool zone_notices_wait(const struct zone_notices *notices)
{
	return notices->waiting;
}

struct zone_notices *zone_notices_new(void)
{
	return calloc(1, sizeof(struct zone_notices));
}

void zone_notices_free(struct zone_notices *notices)
{
	if (!notices)
		return;
	zone_notices_follow(notices, NULL, 0, 0);
	free(notices);
}
