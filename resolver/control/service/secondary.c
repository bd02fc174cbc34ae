/* A secondary belongs to its zone, and is in the wheel while one of its two times lies ahead:
 *
 *     zones (by name) ─► zone ─► secondary ─► secondary      one for each peer and source
 *                        zone ─► secondary                   │ notice: the next NOTIFY
 *     wheel ──────────────────────────┴──────────────────────┘ replica: the next question */
#include "resolver/control/service/secondary.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "endpoints/wheel.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/replica.h"
#include "resolver/control/service/zone_notice.h"
#include "resolver/log.h"
#include "rules/base.h"

struct secondary {
	struct secondary *next; /* of the zone */
	struct secondary_zone *zone;
	struct host peer;
	struct address source;
	const struct tsig_key *key; /* from the ACL that was followed last */
	bool seen;
	struct notice notice;
	struct replica replica;
	struct timer timer;
};

struct secondary_zone {
	struct secondaries *all;
	struct name name;
	uint32_t serial;
	struct instant since; /* when this serial was published */
	struct secondary *secondaries;
	UT_hash_handle hh;
	char text[];
};

struct sending { /* exists during secondaries_send */
	const struct transfer_table *table;
	struct instant now;
	void (*send)(void *context, const struct exchange_message *message);
	void *context;
	unsigned sent, put_off;
	struct exchange_message message;
};

enum line { LINE_SILENT, LINE_RCODE, LINE_BEHIND, LINE_AHEAD, LINE_FOLLOWS, LINES };

struct secondaries {
	struct secondary_zone *zones;
	struct wheel wheel;
	struct sending *sending;
	/* Of the table that was followed last; NULL: none yet. */
	struct transfer_acl *acl;
	uint64_t version;
	struct {                    /* of log lines */
		struct timer timer; /* armed until the end of the current period */
		unsigned logged, unlogged[LINES];
	} pace;
};

/* ---- log lines ---- */

static void on_pace_end(struct timer *timer, uint64_t now_us)
{
	static const char *const texts[LINES] = {
		[LINE_SILENT] = "do not answer NOTIFY",
		[LINE_RCODE] = "answer NOTIFY with an error",
		[LINE_BEHIND] = "are behind",
		[LINE_AHEAD] = "are ahead",
		[LINE_FOLLOWS] = "are up to date again",
	};
	struct secondaries *all = container_of(timer, struct secondaries, pace.timer);

	(void)now_us;
	for (unsigned i = 0; i < LINES; i++)
		if (all->pace.unlogged[i] > 0)
			log_event(i == LINE_FOLLOWS ? LOG_INFO : LOG_WARNING, "secondary",
				  "and %u more %s; sluice status --all names them",
				  all->pace.unlogged[i], texts[i]);
	all->pace.logged = 0;
	memset(all->pace.unlogged, 0, sizeof all->pace.unlogged);
}

static void __attribute__((format(printf, 4, 5)))
tell(const struct secondary *secondary, enum line line, uint64_t now_ms, const char *format, ...)
{
	struct secondaries *all = secondary->zone->all;
	char peer[HOST_TEXT_MAX], text[REPLICA_TEXT_MAX + 2 * NAME_TEXT_MAX];
	va_list arguments;

	if (!timer_armed(&all->pace.timer))
		wheel_arm(&all->wheel, &all->pace.timer, (now_ms + SECONDARY_PACE_MS) * 1000);
	if (all->pace.logged == SECONDARY_LINES) {
		all->pace.unlogged[line]++;
		return;
	}
	all->pace.logged++;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	log_event(line == LINE_FOLLOWS ? LOG_INFO : LOG_WARNING,
		  line <= LINE_RCODE ? "notify" : "secondary", "%s %s",
		  host_print(&secondary->peer, peer), text);
}

static void tell_news(const struct secondary *secondary, enum replica_news news, uint32_t serial,
		      struct instant now)
{
	static const enum line lines[] = {[REPLICA_FELL_BEHIND] = LINE_BEHIND,
					  [REPLICA_GOT_AHEAD] = LINE_AHEAD,
					  [REPLICA_FOLLOWS] = LINE_FOLLOWS};
	char text[REPLICA_TEXT_MAX + NAME_TEXT_MAX];

	if (news == REPLICA_NO_NEWS)
		return;
	replica_print_news(&secondary->replica, news, secondary->zone->text, serial, now, text);
	tell(secondary, lines[news], now.ms, "%s", text);
}

/* ---- timers ---- */

static void arm(struct secondary *secondary)
{
	struct wheel *wheel = &secondary->zone->all->wheel;
	uint64_t due_ms = secondary->notice.due_ms < secondary->replica.due_ms
				  ? secondary->notice.due_ms
				  : secondary->replica.due_ms;

	if (due_ms == UINT64_MAX)
		wheel_cancel(wheel, &secondary->timer);
	else
		wheel_arm(wheel, &secondary->timer, due_ms * 1000);
}

uint64_t secondaries_next_ms(const struct secondaries *secondaries)
{
	uint64_t next_us = wheel_next_us(&secondaries->wheel);

	return next_us == UINT64_MAX ? UINT64_MAX : (next_us + 999) / 1000;
}

/* ---- zones and secondaries ---- */

/* Finds a zone by its full name. */
static struct secondary_zone *find_zone(const struct secondaries *all, const char *text)
{
	struct secondary_zone *zone;

	HASH_FIND_STR(all->zones, text, zone);
	return zone;
}

static struct secondary_zone *zone_at(struct secondaries *all, const struct transfer_zone *of,
				      struct instant now)
{
	size_t length = strlen(of->text) + 1;
	struct secondary_zone *zone = find_zone(all, of->text);

	if (zone)
		return zone;
	zone = calloc(1, sizeof *zone + length);
	if (!zone)
		return NULL;
	memcpy(zone->text, of->text, length);
	name_copy(&zone->name, &of->name);
	zone->all = all;
	zone->serial = of->serial;
	zone->since = now;
	HASH_ADD_STR(all->zones, text, zone);
	if (zone->hh.tbl)
		return zone;
	free(zone);
	return NULL;
}

static void on_due(struct timer *timer, uint64_t now_us);

static struct secondary *secondary_at(struct secondary_zone *zone, const struct host *peer,
				      const struct address *source)
{
	struct secondary *secondary = zone->secondaries;

	while (secondary &&
	       !(host_equal(&secondary->peer, peer) && address_equal(&secondary->source, source)))
		secondary = secondary->next;
	if (secondary)
		return secondary;
	secondary = calloc(1, sizeof *secondary);
	if (!secondary)
		return NULL;
	secondary->zone = zone;
	secondary->peer = *peer;
	secondary->source = *source;
	notice_init(&secondary->notice);
	replica_init(&secondary->replica);
	timer_init(&secondary->timer, on_due);
	secondary->next = zone->secondaries;
	zone->secondaries = secondary;
	return secondary;
}

struct following {
	struct secondaries *all;
	const struct transfer_table *table;
	struct instant now;
};

/* If several entries for a zone name the same peer with the same source, the first one counts. */
static void look_at_peer(const struct following *following, struct secondary_zone *zone,
			 const struct transfer_grant *grant, const struct host *peer)
{
	const struct transfer_settings *settings = grant->settings;
	struct secondary *secondary = secondary_at(zone, peer, &settings->source);

	if (!secondary || secondary->seen)
		return;
	secondary->seen = true;
	secondary->key = grant->key;
	exchange_follow_key(&secondary->notice.exchange, grant->key);
	exchange_follow_key(&secondary->replica.exchange, grant->key);
	replica_follow(&secondary->replica, settings->behind_after_s, zone->serial, following->now);
	if (secondary->notice.tries == 0 && secondary->notice.due_ms == UINT64_MAX)
		notice_tell(&secondary->notice, zone->serial, following->now); /* a new secondary */
	arm(secondary);
}

/* Notes the zone's new serial and schedules notices and questions. */
static void take_serial(const struct following *following, struct secondary_zone *zone,
			uint32_t serial)
{
	if (zone->serial == serial)
		return;
	zone->serial = serial;
	zone->since = following->now;
	for (struct secondary *at = zone->secondaries; at; at = at->next) {
		notice_tell(&at->notice, serial, following->now);
		replica_expect(&at->replica, serial, following->now);
		arm(at);
	}
}

static void look_at_zone(const struct following *following, const struct transfer_zone *of)
{
	const struct transfer_acl *acl = following->table->acl;

	for (size_t g = 0; g < acl->grant_count; g++) {
		const struct transfer_grant *grant = &acl->grants[g];
		size_t count = grant->settings->notify.count;
		struct secondary_zone *zone = count && transfer_grant_covers(grant, of)
						      ? zone_at(following->all, of, following->now)
						      : NULL;

		if (zone)
			take_serial(following, zone, of->serial);
		for (size_t i = 0; zone && i < count; i++)
			look_at_peer(following, zone, grant, &grant->settings->notify.items[i]);
	}
}

static void drop_unseen(struct secondaries *all, struct secondary_zone *zone)
{
	for (struct secondary **link = &zone->secondaries; *link;) {
		struct secondary *secondary = *link;

		if (secondary->seen) {
			secondary->seen = false;
			link = &secondary->next;
			continue;
		}
		wheel_cancel(&all->wheel, &secondary->timer);
		*link = secondary->next;
		free(secondary);
	}
	if (zone->secondaries)
		return;
	HASH_DEL(all->zones, zone);
	free(zone);
}

static void look_at_all(const struct following *following)
{
	struct secondary_zone *zone, *next;

	for (size_t i = 0; following->table && i < following->table->count; i++)
		look_at_zone(following, following->table->zones[i]);
	HASH_ITER (hh, following->all->zones, zone, next)
		drop_unseen(following->all, zone);
}

static void look_at_fresh(const struct following *following)
{
	for (size_t i = 0; i < following->table->fresh_count; i++) {
		const struct transfer_zone *of = following->table->fresh[i];
		struct secondary_zone *zone = find_zone(following->all, of->text);

		if (zone)
			take_serial(following, zone, of->serial);
	}
}

void secondaries_follow(struct secondaries *secondaries, const struct transfer_table *table,
			struct instant now)
{
	const struct following following = {secondaries, table, now};
	struct transfer_acl *before = secondaries->acl;
	bool next = table && table->acl == before && table->version == secondaries->version + 1;

	if (table && table->acl == before && table->version == secondaries->version)
		return;
	secondaries->acl = table ? transfer_acl_ref(table->acl) : NULL;
	secondaries->version = table ? table->version : 0;
	if (next)
		look_at_fresh(&following);
	else
		look_at_all(&following);
	transfer_acl_unref(before);
}

/* ---- sending ---- */

static void send_message(struct sending *sending, const struct secondary *secondary)
{
	sending->message.source = secondary->source;
	sending->message.peer = secondary->peer;
	sending->sent++;
	sending->send(sending->context, &sending->message);
}

/* Sends the notice, or gives it up. Postpones it if the zone is no longer served, until
 * secondaries_follow removes the secondary. */
static void notify(struct sending *sending, struct secondary *secondary)
{
	struct secondary_zone *zone = secondary->zone;
	struct notice *notice = &secondary->notice;
	const struct transfer_zone *served =
		sending->table ? transfer_table_find(sending->table, &zone->name, zone->text)
			       : NULL;

	if (!served)
		notice->due_ms = sending->now.ms + NOTICE_LOOK_MS;
	else if (notice_send(notice, &zone->name, zone_soa(served->zone), secondary->key,
			     sending->now, &sending->message))
		send_message(sending, secondary);
	else
		tell(secondary, LINE_SILENT, sending->now.ms,
		     "does not answer NOTIFY for %s serial %u", zone->text, notice->serial);
}

static void ask(struct sending *sending, struct secondary *secondary)
{
	replica_ask(&secondary->replica, &secondary->zone->name, secondary->key, sending->now,
		    &sending->message);
	send_message(sending, secondary);
}

/* Sends the due messages; beyond SECONDARY_AT_ONCE, spreads the rest over later bursts. */
static void on_due(struct timer *timer, uint64_t now_us)
{
	struct secondary *secondary = container_of(timer, struct secondary, timer);
	struct secondaries *all = secondary->zone->all;
	struct sending *sending = all->sending;

	if (sending->sent >= SECONDARY_AT_ONCE) {
		unsigned turn = sending->put_off++ / SECONDARY_AT_ONCE + 1;

		wheel_arm(&all->wheel, timer, now_us + turn * SECONDARY_AGAIN_MS * 1000);
		return;
	}
	if (secondary->notice.due_ms <= sending->now.ms)
		notify(sending, secondary);
	if (secondary->replica.due_ms <= sending->now.ms)
		ask(sending, secondary);
	arm(secondary);
}

void secondaries_send(struct secondaries *secondaries, const struct transfer_table *table,
		      struct instant now,
		      void (*send)(void *context, const struct exchange_message *message),
		      void *context)
{
	struct sending sending = {.table = table, .now = now, .send = send, .context = context};

	secondaries->sending = &sending;
	wheel_advance(&secondaries->wheel, now.ms * 1000);
	secondaries->sending = NULL;
}

/* ---- answers ---- */

static bool receive_notice(struct secondary *secondary, const struct exchange_answer *answer,
			   struct instant now)
{
	unsigned before = secondary->notice.rcode;

	if (!notice_receive(&secondary->notice, answer, now))
		return false;
	if (secondary->notice.rcode != RCODE_NOERROR && secondary->notice.rcode != before)
		tell(secondary, LINE_RCODE, now.ms, "answers NOTIFY for %s with rcode %u",
		     secondary->zone->text, secondary->notice.rcode);
	return true;
}

/* Uses the served table, because a secondary may already have a change that is not followed yet. */
static bool receive_soa(struct secondary *secondary, const struct transfer_table *table,
			const struct exchange_answer *answer, struct instant now)
{
	const struct secondary_zone *zone = secondary->zone;
	const struct transfer_zone *served =
		table ? transfer_table_find(table, &zone->name, zone->text) : NULL;
	struct replica_zone is = {zone->serial, zone->since};
	enum replica_news news;

	if (served && served->serial != zone->serial)
		is = (struct replica_zone){served->serial, now};
	if (!replica_receive(&secondary->replica, &is, answer, now, &news))
		return false;
	tell_news(secondary, news, is.serial, now);
	return true;
}

/* Whether the message is an answer from one of the zone's secondaries. */
static bool receive(struct secondary_zone *zone, const struct transfer_table *table,
		    const struct host *from, const struct exchange_answer *answer,
		    struct instant now)
{
	unsigned opcode = (answer->flags & FLAG_OPCODE) >> 11;
	bool taken = false;

	for (struct secondary *at = zone->secondaries; at && !taken; at = at->next) {
		if (!host_equal(&at->peer, from))
			continue;
		if (opcode == OPCODE_NOTIFY)
			taken = receive_notice(at, answer, now);
		else if (opcode == OPCODE_QUERY)
			taken = receive_soa(at, table, answer, now);
		if (taken)
			arm(at);
	}
	return taken;
}

bool secondaries_receive(struct secondaries *secondaries, const struct transfer_table *table,
			 const struct host *from, const uint8_t *packet, size_t length,
			 struct instant now)
{
	char text[NAME_TEXT_MAX];
	struct exchange_answer answer;
	struct secondary_zone *zone;
	const struct transfer_zone *of;
	bool taken = false;
	struct name name;
	size_t at = 0;

	if (!exchange_read(&answer, packet, length) || !table ||
	    name_from_text(&name, &table->policy->key, name_to_text(&answer.zone, text)) != 0)
		return false;
	while (!taken && (of = transfer_table_next(table, &name, &at))) {
		zone = find_zone(secondaries, of->text);
		taken = zone && receive(zone, table, from, &answer, now);
	}
	return taken;
}

/* ---- interface ---- */

static json_t *report(const struct secondary *secondary)
{
	char peer[HOST_TEXT_MAX];
	json_t *object = json_make("{s:o, s:o}", "zone", json_text(secondary->zone->text), "peer",
				   json_text(host_print(&secondary->peer, peer)));

	notice_put(&secondary->notice, object);
	replica_put(&secondary->replica, object);
	return object;
}

void secondaries_report(const struct secondaries *secondaries, json_t *array)
{
	for (const struct secondary_zone *zone = secondaries->zones; zone; zone = zone->hh.next)
		for (const struct secondary *at = zone->secondaries; at; at = at->next)
			json_add(array, report(at));
}

struct secondaries *secondaries_new(uint64_t now_ms)
{
	struct secondaries *all = calloc(1, sizeof *all);

	if (!all)
		return NULL;
	wheel_init(&all->wheel, now_ms * 1000);
	timer_init(&all->pace.timer, on_pace_end);
	return all;
}

void secondaries_free(struct secondaries *secondaries)
{
	if (!secondaries)
		return;
	secondaries_follow(secondaries, NULL, (struct instant){0, 0});
	free(secondaries);
}
