/* Notices are few and looked at one by one; what has to be quick is to find that nothing is to be
 * told. The table that is served is asked for anew each time: it may be gone by the next turn of
 * the loop. Not here: what a secondary does then, and NOTIFY that comes in (answered NOTIMP). */
#include "resolver/control/zone_notify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "endpoints/entropy.h"
#include "endpoints/message.h"
#include "endpoints/socket.h"
#include "resolver/control/json.h"
#include "resolver/log.h"
#include "rules/serial.h"

enum {
	LOOK_MS = 50,    /* after a change */
	APART_MS = 1000, /* between two notices of one zone to one peer */
	FIRST_MS = 1000, /* for the first answer, doubled for each that follows */
	TRIES = 5,       /* RFC 1996 section 3.6 */
	AT_ONCE = 64,    /* sent in one go */
	AGAIN_MS = 10,
	KEY_MAX = NAME_TEXT_MAX + HOST_TEXT_MAX + ADDRESS_TEXT_MAX,
	BUFFER_MAX = 2048,
};

enum notice_state { NOTICE_WAITING, NOTICE_ANSWERED, NOTICE_GIVEN_UP };
static const char *const state_texts[] = {"waiting", "answered", "given up"};

struct notice {
	struct name zone;
	struct host peer;
	struct address source;
	const struct tsig_key *key;   /* in the terms */
	struct transfer_terms *terms; /* held */
	enum notice_state state;
	uint32_t serial;      /* that it is about */
	uint32_t told_serial; /* that was answered */
	bool told, seen;
	uint16_t id;
	unsigned tries;
	uint64_t due_ms, sent_ms; /* sent 0: never */
	struct tsig_seal seal;
	time_t at; /* of the state */
	unsigned rcode;
	UT_hash_handle hh;
	char text[]; /* the key: zone, peer, source */
};

struct notify_socket { /* one for each source */
	uv_udp_t handle;
	struct notify_socket *next;
	struct zone_notify *notify;
	struct address source; /* family 0: see there */
	uint8_t family;
	uint8_t buffer[BUFFER_MAX];
};

struct zone_notify {
	uv_loop_t *loop;
	uv_timer_t timer;
	const struct transfer_table *(*table)(void *context);
	void *context;
	struct notice *notices;
	struct notify_socket *sockets;
	bool look; /* what is served may be another */
};

/* ---- which notices there are ---- */

static void drop_notice(struct zone_notify *notify, struct notice *notice)
{
	HASH_DEL(notify->notices, notice);
	transfer_terms_unref(notice->terms);
	free(notice);
}

static struct notice *add_notice(struct zone_notify *notify, const char *text,
				 const struct transfer_zone *zone)
{
	size_t length = strlen(text) + 1;
	struct notice *notice = calloc(1, sizeof *notice + length);

	if (!notice)
		return NULL;
	memcpy(notice->text, text, length);
	name_copy(&notice->zone, &zone->name);
	notice->serial = zone->serial - 1;
	HASH_ADD_STR(notify->notices, text, notice);
	if (notice->hh.tbl)
		return notice;
	free(notice);
	return NULL;
}

/* The serial is another: it is told, however the one before fared. */
static void change_notice(struct notice *notice, uint32_t serial, uint64_t now_ms)
{
	uint64_t earliest_ms = notice->sent_ms ? notice->sent_ms + APART_MS : 0;

	notice->serial = serial;
	notice->tries = 0;
	notice->state = NOTICE_WAITING;
	notice->at = time(NULL);
	notice->due_ms = earliest_ms > now_ms ? earliest_ms : now_ms;
}

static void look_at_peer(struct zone_notify *notify, const struct transfer_table *table,
			 const struct transfer_zone *zone, const struct transfer_grant *grant,
			 const struct host *peer)
{
	const struct address *source = &grant->settings->source;
	char text[KEY_MAX], host[HOST_TEXT_MAX], from[ADDRESS_TEXT_MAX] = "";
	struct notice *notice;

	if (source->family)
		address_print(source, from);
	snprintf(text, sizeof text, "%s %s %s", zone->text, host_print(peer, host), from);
	HASH_FIND_STR(notify->notices, text, notice);
	if (!notice)
		notice = add_notice(notify, text, zone);
	if (!notice || notice->seen)
		return;
	notice->seen = true;
	notice->peer = *peer;
	notice->source = *source;
	struct transfer_terms *before = notice->terms;
	notice->terms = transfer_terms_ref(table->terms);
	transfer_terms_unref(before);
	if (notice->key != grant->key)
		notice->seal.key = NULL; /* an answer to the old one is none any more */
	notice->key = grant->key;
	if (notice->serial != zone->serial)
		change_notice(notice, zone->serial, uv_now(notify->loop));
}

static void look_at_zone(struct zone_notify *notify, const struct transfer_table *table,
			 const struct transfer_zone *zone)
{
	for (size_t g = 0; g < table->terms->grant_count; g++) {
		const struct transfer_grant *grant = &table->terms->grants[g];

		if (!grant->settings->notify.count || !transfer_grant_covers(grant, zone))
			continue;
		for (size_t i = 0; i < grant->settings->notify.count; i++)
			look_at_peer(notify, table, zone, grant, &grant->settings->notify.items[i]);
	}
}

static void look(struct zone_notify *notify)
{
	const struct transfer_table *table = notify->table(notify->context);
	struct notice *notice, *next;

	notify->look = false;
	HASH_ITER (hh, notify->notices, notice, next)
		notice->seen = false;
	for (size_t i = 0; table && i < table->count; i++)
		look_at_zone(notify, table, table->zones[i]);
	HASH_ITER (hh, notify->notices, notice, next)
		if (!notice->seen)
			drop_notice(notify, notice);
}

/* ---- sending ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct notify_socket *socket = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)socket->buffer, sizeof socket->buffer);
}

static void on_received(uv_udp_t *handle, ssize_t count, const uv_buf_t *buffer,
			const struct sockaddr *from, unsigned flags);

static bool open_socket(struct zone_notify *notify, struct notify_socket *socket)
{
	struct host local = {socket->source, 0};
	struct sockaddr_storage address;

	if (uv_udp_init(notify->loop, &socket->handle) != 0)
		return false;
	socket->handle.data = socket;
	socket->next = notify->sockets;
	notify->sockets = socket;
	if (!local.address.family)
		local.address.family = socket->family;
	socket_address(&local, &address);
	return uv_udp_bind(&socket->handle, (struct sockaddr *)&address, 0) == 0 &&
	       uv_udp_recv_start(&socket->handle, on_alloc, on_received) == 0;
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct notify_socket *socket = handle->data;

	free(socket);
}

static void close_socket(struct zone_notify *notify, struct notify_socket *socket)
{
	struct notify_socket **link = &notify->sockets;

	while (*link && *link != socket)
		link = &(*link)->next;
	if (!*link) { /* it has no handle yet */
		free(socket);
		return;
	}
	*link = socket->next;
	uv_close((uv_handle_t *)&socket->handle, on_socket_closed);
}

static struct notify_socket *socket_for(struct zone_notify *notify, const struct notice *notice)
{
	struct notify_socket *socket = notify->sockets;

	while (socket && (socket->family != notice->peer.address.family ||
			  !address_equal(&socket->source, &notice->source)))
		socket = socket->next;
	if (socket)
		return socket;
	socket = calloc(1, sizeof *socket);
	if (!socket)
		return NULL;
	socket->notify = notify;
	socket->source = notice->source;
	socket->family = notice->peer.address.family;
	if (open_socket(notify, socket))
		return socket;
	close_socket(notify, socket);
	return NULL;
}

/* RFC 1996 section 3.7: the question names the zone, the answer section has the SOA. */
static size_t write_notify(struct notice *notice, const struct rrset *soa,
			   uint8_t buffer[BUFFER_MAX])
{
	uint8_t question[MESSAGE_QUESTION_MAX];
	size_t name = notice->zone.length;
	struct message message;

	memcpy(question, notice->zone.wire, name);
	wire_put16(question + name, TYPE_SOA);
	wire_put16(question + name + 2, CLASS_IN);
	message_begin(&message, buffer, BUFFER_MAX, question, (uint16_t)(name + 4));
	message_add_rrset(&message, SECTION_ANSWER, soa, MESSAGE_HEADER, NULL, UINT32_MAX);
	wire_put16(buffer, notice->id);
	wire_put16(buffer + 2, OPCODE_NOTIFY << 11 | FLAG_AA);
	wire_put16(buffer + 4, 1);
	wire_put16(buffer + 6, message.counts[SECTION_ANSWER]);
	if (!notice->key)
		return message.length;
	tsig_seal_begin(&notice->seal, notice->key, notice->id);
	return tsig_sign(&notice->seal, buffer, message.length, BUFFER_MAX, (uint64_t)time(NULL));
}

static void give_up(struct notice *notice)
{
	char zone[NAME_TEXT_MAX], peer[HOST_TEXT_MAX];

	notice->state = NOTICE_GIVEN_UP;
	notice->at = time(NULL);
	log_event(LOG_WARNING, "notify", "%s does not answer NOTIFY for %s serial %u",
		  host_print(&notice->peer, peer), name_to_text(&notice->zone, zone),
		  notice->serial);
}

static void send_notice(struct zone_notify *notify, struct notice *notice,
			const struct transfer_zone *zone, uint64_t now_ms)
{
	struct notify_socket *socket = socket_for(notify, notice);
	struct sockaddr_storage to;
	uint8_t buffer[BUFFER_MAX];

	if (notice->tries == TRIES) {
		give_up(notice);
		return;
	}
	notice->due_ms = now_ms + ((uint64_t)FIRST_MS << notice->tries++);
	notice->sent_ms = now_ms;
	entropy_read(&notice->id, sizeof notice->id);
	size_t length = write_notify(notice, zone_soa(zone->zone), buffer);
	socket_address(&notice->peer, &to);
	uv_buf_t bytes = uv_buf_init((char *)buffer, (unsigned)length);
	/* What cannot be sent is as what does not arrive. */
	if (socket)
		uv_udp_try_send(&socket->handle, &bytes, 1, (struct sockaddr *)&to);
}

static void on_timer(uv_timer_t *timer);

/* Sends what is due; comes again when the next one is. */
static void work(struct zone_notify *notify)
{
	const struct transfer_table *table = notify->table(notify->context);
	uint64_t now_ms = uv_now(notify->loop), next_ms = UINT64_MAX;
	unsigned sent = 0;

	for (struct notice *notice = notify->notices; notice; notice = notice->hh.next) {
		if (notice->state != NOTICE_WAITING)
			continue;
		const struct transfer_zone *zone =
			table ? transfer_table_find(table, &notice->zone) : NULL;
		if (zone && notice->due_ms <= now_ms && sent < AT_ONCE) {
			send_notice(notify, notice, zone, now_ms);
			sent++;
		}
		if (notice->state == NOTICE_WAITING && notice->due_ms < next_ms)
			next_ms = notice->due_ms;
	}
	if (next_ms == UINT64_MAX)
		return;
	uv_timer_start(&notify->timer, on_timer,
		       next_ms > now_ms ? next_ms - now_ms : (uint64_t)AGAIN_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct zone_notify *notify = timer->data;

	if (notify->look)
		look(notify);
	work(notify);
}

/* ---- answers ---- */

static bool is_answer_to(const struct notice *notice, const struct host *from,
			 const uint8_t *packet, size_t length)
{
	static const struct hash_key any;
	struct name zone;
	size_t end;

	return notice->state == NOTICE_WAITING && notice->tries > 0 &&
	       notice->id == wire_u16(packet) && host_equal(&notice->peer, from) &&
	       name_from_wire(&zone, &any, packet, length, MESSAGE_HEADER, &end) == 0 &&
	       name_equal(&zone, &notice->zone);
}

/* Where the TSIG of a message with nothing but a question and what follows stands; 0: there is
 * none, or the message is not well formed. */
static size_t find_tsig(const uint8_t *packet, size_t length)
{
	unsigned records = wire_u16(packet + 6) + wire_u16(packet + 8) + wire_u16(packet + 10);
	struct record_view record = {0};
	size_t at;

	if (wire_u16(packet + 4) != 1 ||
	    wire_skip_name(packet, length, MESSAGE_HEADER, WIRE_HEADER, &at) == 0 ||
	    length - at < 4)
		return 0;
	at += 4;
	for (unsigned i = 0; i < records; i++)
		if (message_read_record(packet, length, &at, &record) != 0)
			return 0;
	return records && at == length && record.type == TYPE_TSIG ? record.owner : 0;
}

/* Somebody without the key cannot end a notice. */
static bool is_signed_well(struct notice *notice, const uint8_t *packet, size_t length)
{
	struct tsig_seal seal = notice->seal;
	size_t tsig_at = find_tsig(packet, length);

	return !notice->key || (seal.key && tsig_at &&
				tsig_check_answer(&seal, packet, length, tsig_at,
						  (uint64_t)time(NULL)) == TSIG_FINE);
}

static void answered(struct notice *notice, unsigned rcode)
{
	char zone[NAME_TEXT_MAX], peer[HOST_TEXT_MAX];

	notice->state = NOTICE_ANSWERED;
	notice->told = true;
	notice->told_serial = notice->serial;
	notice->at = time(NULL);
	if (rcode != RCODE_NOERROR && rcode != notice->rcode)
		log_event(LOG_WARNING, "notify", "%s answers NOTIFY for %s with rcode %u",
			  host_print(&notice->peer, peer), name_to_text(&notice->zone, zone),
			  rcode);
	notice->rcode = rcode;
}

static void on_received(uv_udp_t *handle, ssize_t count, const uv_buf_t *buffer,
			const struct sockaddr *from, unsigned flags)
{
	struct notify_socket *socket = handle->data;
	const uint8_t *packet = (const uint8_t *)buffer->base;
	struct sockaddr_storage address = {0};
	struct host peer;

	if (count < MESSAGE_HEADER || !from || (flags & UV_UDP_PARTIAL))
		return;
	unsigned bits = message_flags(packet);
	if (!(bits & FLAG_QR) || (bits & FLAG_OPCODE) >> 11 != OPCODE_NOTIFY)
		return;
	memcpy(&address, from,
	       from->sa_family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6));
	socket_host(&address, &peer);
	for (struct notice *notice = socket->notify->notices; notice; notice = notice->hh.next)
		if (is_answer_to(notice, &peer, packet, (size_t)count) &&
		    is_signed_well(notice, packet, (size_t)count)) {
			answered(notice, bits & FLAG_RCODE);
			return;
		}
}

/* ---- the interface ---- */

struct zone_notify *zone_notify_new(uv_loop_t *loop,
				    const struct transfer_table *(*table)(void *context),
				    void *context)
{
	struct zone_notify *notify = calloc(1, sizeof *notify);

	if (!notify || uv_timer_init(loop, &notify->timer) != 0) {
		free(notify);
		return NULL;
	}
	notify->timer.data = notify;
	notify->loop = loop;
	notify->table = table;
	notify->context = context;
	return notify;
}

void zone_notify_look(struct zone_notify *notify)
{
	if (!notify || notify->look || (!notify->notices && !notify->table(notify->context)))
		return;
	notify->look = true;
	uv_update_time(notify->loop);
	uv_timer_start(&notify->timer, on_timer, LOOK_MS, 0);
}

void zone_notify_report(const struct zone_notify *notify, json_t *array)
{
	for (const struct notice *notice = notify ? notify->notices : NULL; notice;
	     notice = notice->hh.next) {
		char zone[NAME_TEXT_MAX], peer[HOST_TEXT_MAX], at[40];
		struct tm tm;

		gmtime_r(&notice->at, &tm);
		strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &tm);
		json_add(array,
			 json_make("{s:o, s:o, s:o, s:o, s:o, s:o}", "zone",
				   json_text(name_to_text(&notice->zone, zone)), "peer",
				   json_text(host_print(&notice->peer, peer)), "serial",
				   notice->told ? json_integer(notice->told_serial) : json_null(),
				   "state", json_text(state_texts[notice->state]), "answer",
				   notice->told ? json_integer(notice->rcode) : json_null(), "at",
				   json_text(at)));
	}
}

void zone_notify_free(struct zone_notify *notify)
{
	struct notice *notice, *next;

	if (!notify)
		return;
	HASH_ITER (hh, notify->notices, notice, next)
		drop_notice(notify, notice);
	while (notify->sockets) {
		struct notify_socket *socket = notify->sockets;

		notify->sockets = socket->next;
		free(socket);
	}
	free(notify);
}
