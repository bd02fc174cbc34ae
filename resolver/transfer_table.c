/* How a table follows a policy. Zones are found anew only when a model is compiled; from then on a
 * change of what we own makes another version of each zone that it touches, and shares the rest:
 *
 *     before->policy->owned ─┐ owned_cursor_change,      zone's digest moves, and if so
 *     policy->owned ─────────┘ zone by zone         ─►   serial + 1, the apex again with it,
 *                                                        the old (serial, owned) to its past
 *
 * What is kept by value here is small; what is large (tables of what we own) is shared with the
 * policies it came from, by reference. */
#include "resolver/transfer_table.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/log.h"
#include "rules/reverse_zones.h"
#include "rules/serial.h"

/* ---- zones ---- */

static struct transfer_zone *zone_hold(struct transfer_zone *zone)
{
	zone->references++;
	return zone;
}

static void meter_unref(struct transfer_meter *meter)
{
	if (meter && --meter->references == 0)
		free(meter);
}

static void past_release(struct transfer_past *past)
{
	owned_unref(past->owned);
	transfer_delta_unref(past->delta);
}

static void zone_let_go(struct transfer_zone *zone)
{
	if (!zone || --zone->references > 0)
		return;
	for (size_t i = 0; i < zone->past_count; i++)
		past_release(&zone->past[i]);
	zone_unref(zone->apex);
	zone_unref(zone->zone);
	meter_unref(zone->meter);
	free(zone->text);
	free(zone);
}

static struct transfer_meter *meter_new(void)
{
	struct transfer_meter *meter = calloc(1, sizeof *meter);

	if (meter)
		meter->references = 1;
	return meter;
}

/* A zone that is found in a policy, without serial and content. */
static struct transfer_zone *zone_of(struct zone *apex)
{
	struct transfer_zone *zone = calloc(1, sizeof *zone);
	char text[NAME_TEXT_MAX];

	if (!zone)
		return NULL;
	zone->references = 1;
	name_copy(&zone->name, zone_apex(apex));
	zone->text = strdup(name_to_text(&zone->name, text));
	zone->apex = zone_ref(apex);
	zone->zone = zone_ref(apex);
	zone->meter = meter_new();
	if (zone->text && zone->meter)
		return zone;
	zone_let_go(zone);
	return NULL;
}

/* Another version of a zone, with `past` places for what it was. */
static struct transfer_zone *zone_again(const struct transfer_zone *zone, size_t past)
{
	struct transfer_zone *again = calloc(1, sizeof *again + past * sizeof again->past[0]);

	if (!again)
		return NULL;
	*again = *zone;
	again->references = 1;
	again->past_count = 0;
	again->text = strdup(zone->text);
	zone_ref(again->apex);
	zone_ref(again->zone);
	again->meter->references++;
	if (again->text)
		return again;
	zone_let_go(again);
	return NULL;
}

/* Gives a reverse zone its serial: what is answered is the apex with it. */
static int set_serial(struct transfer_zone *zone, const struct hash_key *key, uint32_t serial)
{
	struct zone *stamped = zone_with_serial(zone->apex, key, serial);

	if (!stamped)
		return ERR_NOMEM;
	zone_unref(zone->zone);
	zone->zone = stamped;
	zone->serial = serial;
	return 0;
}

/* ---- content ---- */

static uint64_t digest_all(const struct transfer_zone *zone, const struct policy *policy)
{
	uint64_t digest = digest_of_zone(zone->apex);
	struct owned_cursor cursor;
	struct address address;
	const struct rrset *ptr;

	if (!zone->reverse)
		return digest;
	owned_cursor_begin(&cursor, &zone->prefix);
	while ((ptr = owned_cursor_ptr(&cursor, policy->owned, &address)))
		digest += digest_of_ptr(&address, ptr);
	return digest;
}

struct tally { /* of a change in one zone */
	uint64_t digest;
	size_t changes, records;
};

static void tally_changes(struct tally *tally, const struct transfer_zone *zone,
			  const struct policy *policy, const struct owned *before)
{
	struct owned_cursor cursor;
	struct address address;
	const struct rrset *was, *is;

	owned_cursor_begin(&cursor, &zone->prefix);
	while (owned_cursor_change(&cursor, before, policy->owned, &address, &was, &is)) {
		tally->changes++;
		if (was)
			tally->digest -= digest_of_ptr(&address, was);
		if (is)
			tally->digest += digest_of_ptr(&address, is);
	}
}

/* ---- from one version to the next ---- */

/* What only the old table holds: about a page for each change, where the new one was made of it by
 * changing it; otherwise all of it. */
static size_t past_bytes(const struct owned *owned, const struct tally *tally, bool edited)
{
	enum { PAGE_BYTES = 4096 };
	size_t all = owned_bytes(owned);

	return edited && tally->changes < all / PAGE_BYTES ? tally->changes * PAGE_BYTES : all;
}

static void add_past(struct transfer_zone *zone, const struct transfer_past *past)
{
	zone->past[zone->past_count++] = (struct transfer_past){
		.serial = past->serial,
		.bytes = past->bytes,
		.owned = owned_ref(past->owned),
		.delta = transfer_delta_ref(past->delta),
	};
}

/* What the zone was, as far back as there is room. What is too large is not kept, nor is what
 * was before it. */
static void take_past(struct transfer_zone *zone, const struct transfer_zone *before,
		      const struct transfer_past *latest)
{
	size_t first = before->past_count, held = latest->bytes;

	if (latest->bytes > TRANSFER_PAST_BYTES)
		return;
	while (first > 0 && before->past_count - first < TRANSFER_PAST - 1 &&
	       held + before->past[first - 1].bytes <= TRANSFER_PAST_BYTES)
		held += before->past[--first].bytes;
	for (; first < before->past_count; first++) {
		add_past(zone, &before->past[first]);
	}
	add_past(zone, latest);
}

/* The zone after a change of what we own; itself, when there was none in it. edited: the new table
 * was made of the old one. */
static struct transfer_zone *zone_after(struct transfer_zone *zone, const struct policy *policy,
					struct owned *owned_before, bool edited, uint64_t now_s)
{
	struct tally tally = {.digest = zone->digest};

	if (zone->reverse)
		tally_changes(&tally, zone, policy, owned_before);
	if (tally.changes == 0)
		return zone_hold(zone);
	struct transfer_zone *next = zone_again(zone, zone->past_count + 1);
	if (!next)
		return NULL;
	next->digest = tally.digest;
	take_past(next, zone,
		  &(struct transfer_past){.serial = zone->serial,
					  .bytes = past_bytes(owned_before, &tally, edited),
					  .owned = owned_before});
	if (set_serial(next, &policy->key, serial_next(zone->serial, now_s)) == 0)
		return next;
	zone_let_go(next);
	return NULL;
}

/* ---- serials ---- */

static void warn_of_serial(const struct transfer_zone *zone, uint32_t before)
{
	if (serial_is_newer(zone->serial, before))
		return;
	log_event(LOG_WARNING, "transfer",
		  "%s has changed and its serial has not gone up (%u, it was %u); secondaries will "
		  "not take the change: give the SOA in its file a higher serial",
		  zone->text, zone->serial, before);
}

/* A private zone has the serial that its file gives it; all there is to do is to look. */
static void look_at_serial(const struct transfer_zone *zone, uint64_t digest, uint32_t before)
{
	if (zone->digest != digest)
		warn_of_serial(zone, before);
}

static bool recall(const struct serial_keeper *keeper, const struct transfer_zone *zone,
		   struct kept_serial *kept)
{
	return keeper && keeper->recall && keeper->recall(keeper->context, zone->text, kept);
}

/* The first serial of a zone in this process. Where a later one may have been given out than was
 * written down, it is none of those. */
static uint32_t first_serial(const struct transfer_zone *zone, const struct kept_serial *kept,
			     uint64_t now_s)
{
	if (!kept)
		return serial_next((uint32_t)now_s - 1, now_s);
	if (kept->digest == zone->digest && kept->reserved == kept->serial)
		return kept->serial;
	return serial_next(kept->reserved, now_s);
}

static int begin_zone(struct transfer_zone *zone, const struct policy *policy,
		      const struct serial_keeper *keeper, uint64_t now_s)
{
	struct kept_serial kept;
	bool known = recall(keeper, zone, &kept);

	if (!zone->reverse) {
		zone->serial = zone_serial(zone->zone);
		if (known)
			look_at_serial(zone, kept.digest, kept.serial);
		return 0;
	}
	return set_serial(zone, &policy->key, first_serial(zone, known ? &kept : NULL, now_s));
}

/* A reverse zone that was there before and is cut, served and filled in another way now. */
static struct transfer_zone *recut_zone(struct transfer_zone *zone,
					const struct transfer_zone *before,
					const struct policy *policy, uint64_t now_s)
{
	bool same = zone->digest == before->digest;
	uint32_t serial = same ? before->serial : serial_next(before->serial, now_s);

	return set_serial(zone, &policy->key, serial) == 0 ? zone_hold(zone) : NULL;
}

/* ---- tables ---- */

static struct transfer_table *table_new(struct transfer_terms *terms, const struct policy *policy,
					size_t room)
{
	struct transfer_table *table = calloc(1, sizeof *table + room * sizeof table->zones[0]);

	if (!table)
		return NULL;
	table->terms = transfer_terms_ref(terms);
	table->policy = policy;
	return table;
}

void transfer_table_free(struct transfer_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		zone_let_go(table->zones[i]);
	transfer_terms_unref(table->terms);
	free(table->stamps);
	free(table);
}

static int compare_zones(const void *left, const void *right)
{
	uint64_t a = (*(struct transfer_zone *const *)left)->name.hash[0];
	uint64_t b = (*(struct transfer_zone *const *)right)->name.hash[0];

	return a < b ? -1 : a > b;
}

/* What the policy answers with from now on. */
static int stamp(struct transfer_table *table, struct policy *policy)
{
	table->stamps = calloc(policy->pool_zone_count + 1, sizeof *table->stamps);
	if (!table->stamps)
		return ERR_NOMEM;
	for (size_t i = 0; i < table->count; i++) {
		const struct transfer_zone *zone = table->zones[i];
		const struct policy_pool_zone *in =
			zone->reverse ? suffix_table_get(&policy->pools, &zone->name, 0) : NULL;

		if (in)
			table->stamps[in - policy->pool_zones] = zone->zone;
	}
	policy->stamps = table->stamps;
	return 0;
}

static bool is_new(const struct transfer_zone *zone, const struct transfer_table *before)
{
	const struct transfer_zone *old = before ? transfer_table_find(before, &zone->name) : NULL;

	return !old ||
	       (old != zone && (old->serial != zone->serial || old->digest != zone->digest));
}

/* Those that are another version than in `before` are written down, now that all is made. */
static int keep_new(const struct transfer_table *table, const struct transfer_table *before,
		    const struct serial_keeper *keeper)
{
	size_t count = 0;

	if (!keeper || !keeper->keep)
		return 0;
	const struct transfer_zone **fresh = calloc(table->count + 1, sizeof *fresh);
	if (!fresh)
		return ERR_NOMEM;
	for (size_t i = 0; i < table->count; i++)
		if (is_new(table->zones[i], before))
			fresh[count++] = table->zones[i];
	if (count)
		keeper->keep(keeper->context, fresh, count);
	free(fresh);
	return 0;
}

struct compiling {
	struct transfer_table *table;
	struct policy *policy;
	const struct transfer_table *before;
	const struct serial_keeper *keeper;
	uint64_t now_s;
};

/* A private zone whose file was read again. Without memory for what has changed it goes out whole.
 */
static struct transfer_zone *reread_zone(struct transfer_zone *zone,
					 const struct transfer_zone *before,
					 const struct policy *policy)
{
	struct transfer_zone *next;

	zone->serial = zone_serial(zone->zone);
	look_at_serial(zone, before->digest, before->serial);
	if (zone->serial == before->serial && zone->digest == before->digest) {
		next = zone_again(zone, before->past_count);
		for (size_t i = 0; next && i < before->past_count; i++)
			add_past(next, &before->past[i]);
		return next;
	}
	if (!serial_is_newer(zone->serial, before->serial))
		return zone_hold(zone);
	struct transfer_past past = {
		.serial = before->serial,
		.delta = transfer_delta_new(before->zone, zone->zone, &policy->key)};
	next = past.delta ? zone_again(zone, before->past_count + 1) : NULL;
	if (next) {
		past.bytes = past.delta->end;
		take_past(next, before, &past);
	}
	transfer_delta_unref(past.delta);
	return next ? next : zone_hold(zone);
}

/* A zone that was there before the model was compiled anew; may be that of before. */
static struct transfer_zone *continue_zone(struct compiling *c, struct transfer_zone *zone,
					   struct transfer_zone *before)
{
	if (zone->apex == before->apex && !zone->reverse)
		return zone_hold(before);
	if (zone->apex == before->apex && prefix_equal(&zone->prefix, &before->prefix))
		return zone_after(before, c->policy, c->before->policy->owned, false, c->now_s);
	meter_unref(zone->meter); /* another struct goes on with the same counts */
	zone->meter = before->meter;
	zone->meter->references++;
	zone->digest = digest_all(zone, c->policy);
	if (zone->reverse)
		return recut_zone(zone, before, c->policy, c->now_s);
	return reread_zone(zone, before, c->policy);
}

/* The zone in the version that is to be served; lets go of what it is given. */
static struct transfer_zone *settle_zone(struct compiling *c, struct transfer_zone *zone)
{
	const struct transfer_zone *before =
		c->before ? transfer_table_find(c->before, &zone->name) : NULL;
	struct transfer_zone *settled = NULL;

	if (before && before->reverse == zone->reverse) {
		settled = continue_zone(c, zone, (struct transfer_zone *)(uintptr_t)before);
	} else {
		zone->digest = digest_all(zone, c->policy);
		if (begin_zone(zone, c->policy, c->keeper, c->now_s) == 0)
			settled = zone_hold(zone);
	}
	zone_let_go(zone);
	return settled;
}

/* Takes the zone over; one that no entry is about is left out. */
static int add_zone(struct compiling *c, struct transfer_zone *zone)
{
	struct transfer_table *table = c->table;

	if (!zone)
		return ERR_NOMEM;
	if (!transfer_terms_cover(table->terms, zone)) {
		zone_let_go(zone);
		return 0;
	}
	zone = settle_zone(c, zone);
	if (!zone)
		return ERR_NOMEM;
	table->zones[table->count++] = zone;
	return 0;
}

static int add_reverse(struct compiling *c, const char *text, bool alias)
{
	struct name name;

	if (name_from_text(&name, &c->policy->key, text) != 0)
		return 0;
	const struct policy_pool_zone *in = suffix_table_get(&c->policy->pools, &name, 0);
	if (!in)
		return 0;
	struct transfer_zone *zone = zone_of(in->zone);
	if (!zone)
		return ERR_NOMEM;
	zone->reverse = true;
	zone->classless = in->classless;
	zone->alias = alias;
	zone->prefix = in->prefix;
	return add_zone(c, zone);
}

static int on_reverse_zone(void *context, const struct reverse_zone *zone)
{
	struct compiling *c = context;
	int err = add_reverse(c, zone->origin, false);

	return err || !zone->alias ? err : add_reverse(c, zone->alias, true);
}

static int add_zones(struct compiling *c, const struct model *model)
{
	int err = reverse_each_zone(model, on_reverse_zone, c);

	for (size_t i = 0; !err && i < model->private_zones.count; i++)
		if (model->private_zones.items[i].zone)
			err = add_zone(c, zone_of(model->private_zones.items[i].zone));
	return err;
}

int transfer_table_compile(struct transfer_table **table, const struct model *model,
			   struct policy *policy, const struct transfer_table *before,
			   const struct serial_keeper *keeper, uint64_t now_s)
{
	struct transfer_terms *terms = transfer_terms_new(model);
	struct compiling c = {.policy = policy, .before = before, .keeper = keeper, .now_s = now_s};
	int err = ERR_NOMEM;

	if (terms)
		c.table = table_new(terms, policy,
				    policy->pool_zone_count + model->private_zones.count);
	transfer_terms_unref(terms);
	if (c.table)
		err = add_zones(&c, model);
	if (!err) {
		qsort(c.table->zones, c.table->count, sizeof c.table->zones[0], compare_zones);
		err = stamp(c.table, policy);
	}
	if (!err)
		err = keep_new(c.table, before, keeper);
	if (err) {
		transfer_table_free(c.table);
		return err;
	}
	*table = c.table;
	return 0;
}

int transfer_table_advance(struct transfer_table **result, struct policy *policy,
			   const struct transfer_table *before, const struct serial_keeper *keeper,
			   uint64_t now_s)
{
	struct transfer_table *table = table_new(before->terms, policy, before->count);
	int err = table ? 0 : ERR_NOMEM;

	for (size_t i = 0; !err && i < before->count; i++) {
		table->zones[i] =
			zone_after(before->zones[i], policy, before->policy->owned, true, now_s);
		if (table->zones[i])
			table->count++;
		else
			err = ERR_NOMEM;
	}
	if (!err)
		err = stamp(table, policy);
	if (!err)
		err = keep_new(table, before, keeper);
	if (err) {
		transfer_table_free(table);
		return err;
	}
	*result = table;
	return 0;
}

/* ---- looking ---- */

const struct transfer_zone *transfer_table_find(const struct transfer_table *table,
						const struct name *name)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->zones[middle]->name.hash[0] < name->hash[0])
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < table->count && table->zones[low]->name.hash[0] == name->hash[0]; low++)
		if (name_equal(&table->zones[low]->name, name))
			return table->zones[low];
	return NULL;
}
