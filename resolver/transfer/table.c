/* How a table follows a policy. Only compiling a model looks for zones. Later, a change of our
 * addresses makes another version of each zone that it touches, and shares the rest:
 *
 *     before->policy->owned ─┐ owned_cursor_change,      if the zone's content changes:
 *     policy->owned ─────────┘ zone by zone         ─►   next serial, a new apex with it,
 *                                                        the difference goes to its past
 *
 * Only zones with a changed PTR are compared, unless so many PTRs have changed that finding their
 * zones costs more than comparing all. */
#include "resolver/transfer/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/log.h"
#include "rules/policy/reverse_zones.h"
#include "rules/schema/reference.h"
#include "rules/zone/serial.h"

enum { CHANGED_MAX = 1024 };

/* Each zone's share of the memory for the past. */
static size_t past_max(const struct transfer_table *table)
{
	return TRANSFER_PAST_BYTES / (table->count ? table->count : 1);
}

/* ---- from one version to the next ---- */

static struct transfer_zone *zone_as_it_is(struct transfer_zone *zone, size_t room)
{
	return zone->past_bytes <= room ? transfer_zone_ref(zone)
					: transfer_zone_with_past(zone, zone, NULL, room);
}

/* The zone with the policy's current addresses; the same zone if nothing in it has changed. Without
 * memory for the difference its past ends. */
static struct transfer_zone *zone_after(struct transfer_zone *zone, const struct policy *policy,
					const struct owned *before, size_t room, uint64_t now_s)
{
	struct zone_content content;

	if (!zone->reverse || !transfer_zone_content_after(zone, before, policy->owned, &content))
		return zone_as_it_is(zone, room);
	struct transfer_delta *delta = transfer_delta_of_ptrs(zone, before, policy->owned, room);
	struct transfer_zone *next = transfer_zone_with_past(zone, zone, delta, delta ? room : 0);
	transfer_delta_unref(delta);
	if (!next)
		return NULL;
	next->content = content;
	if (transfer_zone_set_serial(next, serial_next(zone->serial, now_s)) == 0)
		return next;
	transfer_zone_unref(next);
	return NULL;
}

/* ---- serials ---- */

/* Warns of a private zone that changed without a higher serial in its file. */
static void check_serial(const struct transfer_zone *zone, uint64_t digest, uint32_t before)
{
	if (zone->content.digest == digest || serial_is_newer(zone->serial, before))
		return;
	log_event(
		LOG_WARNING, "transfer",
		"%s has changed, but its serial has not gone up (%u, before %u); secondaries will "
		"not take the change: raise the serial of the SOA in its file",
		zone->text, zone->serial, before);
}

/* The first serial of a zone in this process: the kept one if the content is the same and no later
 * one may have been given out; else the next. */
static uint32_t first_serial(const struct transfer_zone *zone, const struct kept_serial *kept,
			     uint64_t now_s)
{
	if (!kept)
		return serial_next((uint32_t)now_s - 1, now_s);
	if (kept->digest == zone->content.digest && kept->reserved == kept->serial)
		return kept->serial;
	return serial_next(kept->reserved, now_s);
}

static int first_version(struct transfer_zone *zone, const struct serial_keeper *keeper,
			 uint64_t now_s)
{
	struct kept_serial kept;
	bool known = keeper && keeper->recall && keeper->recall(keeper->context, zone->text, &kept);

	if (!zone->reverse) {
		zone->serial = zone_serial(zone->zone);
		if (known)
			check_serial(zone, kept.digest, kept.serial);
		return 0;
	}
	return transfer_zone_set_serial(zone, first_serial(zone, known ? &kept : NULL, now_s));
}

/* A reverse zone with other bounds, apex or spelling. With the same content it keeps its serial and
 * its past. */
static struct transfer_zone *recut_zone(struct transfer_zone *zone,
					const struct transfer_zone *before, size_t room,
					uint64_t now_s)
{
	bool same = zone->content.digest == before->content.digest;
	uint32_t serial = same ? before->serial : serial_next(before->serial, now_s);

	if (transfer_zone_set_serial(zone, serial) != 0)
		return NULL;
	return transfer_zone_with_past(zone, before, NULL, same ? room : 0);
}

/* A private zone from a file that was read again, or another version of an edited one. With the
 * same serial and content the zone keeps its past. Otherwise all secondaries get the zone whole if
 * its serial is not higher or the difference does not fit. */
static struct transfer_zone *reread_zone(struct transfer_zone *zone,
					 const struct transfer_zone *before, size_t room)
{
	struct transfer_delta *delta = NULL;

	zone->serial = zone_serial(zone->zone);
	check_serial(zone, before->content.digest, before->serial);
	if (zone->serial == before->serial && zone->content.digest == before->content.digest)
		return transfer_zone_with_past(zone, before, NULL, room);
	if (serial_is_newer(zone->serial, before->serial))
		delta = transfer_delta_of_zones(before->zone, zone->zone, room);
	struct transfer_zone *again =
		transfer_zone_with_past(zone, before, delta, delta ? room : 0);
	transfer_delta_unref(delta);
	return again;
}

/* ---- tables ---- */

static struct transfer_table *table_new(struct transfer_acl *acl, const struct policy *policy,
					const struct transfer_table *before, size_t room)
{
	struct transfer_table *table = calloc(1, sizeof *table + room * sizeof table->zones[0]);

	if (!table)
		return NULL;
	table->acl = transfer_acl_ref(acl);
	table->policy = policy;
	table->version = before ? before->version + 1 : 1;
	table->fresh = calloc(room + 1, sizeof *table->fresh);
	if (table->fresh)
		return table;
	transfer_table_free(table);
	return NULL;
}

void transfer_table_free(struct transfer_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		transfer_zone_unref(table->zones[i]);
	transfer_acl_unref(table->acl);
	free(table->fresh);
	free(table->stamps);
	free(table);
}

static int compare_zones(const void *left, const void *right)
{
	uint64_t a = (*(struct transfer_zone *const *)left)->name.hash[0];
	uint64_t b = (*(struct transfer_zone *const *)right)->name.hash[0];

	return a < b ? -1 : a > b;
}

/* Sets the zones that the policy takes SOAs from. `before`: the table of a policy with the same
 * pools; its zones are taken over, and only fresh zones replace them. NULL: sets all zones anew. */
static int stamp(struct transfer_table *table, struct policy *policy,
		 const struct transfer_table *before)
{
	const struct transfer_zone *const *zones =
		before ? table->fresh : (const struct transfer_zone *const *)table->zones;
	size_t count = before ? table->fresh_count : table->count;

	table->stamps = calloc(policy->pool_zone_count + 1, sizeof *table->stamps);
	if (!table->stamps)
		return ERR_NOMEM;
	if (before)
		memcpy(table->stamps, before->stamps,
		       policy->pool_zone_count * sizeof *table->stamps);
	for (size_t i = 0; i < count; i++) {
		const struct policy_pool_zone *in =
			zones[i]->reverse ? suffix_table_get(&policy->pools, &zones[i]->name, 0)
					  : NULL;

		if (in)
			table->stamps[in - policy->pool_zones] = zones[i]->zone;
	}
	policy->stamps = table->stamps;
	return 0;
}

/* Notes a zone that differs from `before` (NULL: it is new). */
static void note_fresh(struct transfer_table *table, const struct transfer_zone *zone,
		       const struct transfer_zone *before)
{
	if (!before || before->serial != zone->serial ||
	    before->content.digest != zone->content.digest)
		table->fresh[table->fresh_count++] = zone;
}

void transfer_table_keep(const struct transfer_table *table, const struct serial_keeper *keeper)
{
	if (keeper->keep && table->fresh_count)
		keeper->keep(keeper->context, table->fresh, table->fresh_count);
}

/* ---- the table of a model ---- */

struct compiling {
	struct transfer_table *table;
	struct policy *policy;
	const struct transfer_table *before;
	const struct serial_keeper *keeper;
	uint64_t now_s;
};

/* Continues a zone of the former table; may return that zone itself. */
static struct transfer_zone *continue_zone(struct compiling *c, struct transfer_zone *zone,
					   struct transfer_zone *before)
{
	size_t room = past_max(c->table);

	if (zone->apex == before->apex && zone->alias == before->alias &&
	    (!zone->reverse || prefix_equal(&zone->prefix, &before->prefix)))
		return zone_after(before, c->policy, c->before->policy->owned, room, c->now_s);
	transfer_zone_take_meter(zone, before);
	zone->content = transfer_zone_content(zone, c->policy);
	if (zone->reverse)
		return recut_zone(zone, before, room, c->now_s);
	return reread_zone(zone, before, room);
}

static struct transfer_zone *begin_zone(struct compiling *c, struct transfer_zone *zone)
{
	zone->content = transfer_zone_content(zone, c->policy);
	return first_version(zone, c->keeper, c->now_s) == 0 ? transfer_zone_ref(zone) : NULL;
}

/* Replaces the zone by its version to serve. */
static int choose_version(struct compiling *c, struct transfer_zone **at)
{
	struct transfer_zone *zone = *at, *chosen;
	const struct transfer_zone *before =
		c->before ? transfer_table_find(c->before, &zone->name, zone->text) : NULL;

	if (before && before->reverse == zone->reverse)
		chosen = continue_zone(c, zone, (struct transfer_zone *)(uintptr_t)before);
	else
		chosen = begin_zone(c, zone);
	if (!chosen)
		return ERR_NOMEM;
	transfer_zone_unref(zone);
	*at = chosen;
	note_fresh(c->table, chosen, before);
	return 0;
}

/* Takes over the zone; leaves out one that no entry covers. */
static int add_zone(struct compiling *c, struct transfer_zone *zone)
{
	struct transfer_table *table = c->table;

	if (!zone)
		return ERR_NOMEM;
	if (transfer_acl_covers(table->acl, zone))
		table->zones[table->count++] = zone;
	else
		transfer_zone_unref(zone);
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
	struct transfer_zone *zone = transfer_zone_new(in->zone, NULL);
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

/* A private zone is transferred with the SOA that its answers have: if clients may register in the
 * zone, that of base.served. *place: the next registered zone. */
static int add_private(struct compiling *c, const struct private_zone *private, size_t *place)
{
	const struct registered *registered = c->policy->registered;
	struct zone *zone = private->zone;
	struct transfer_zone *made;

	if (*place < registered->count &&
	    strcasecmp(registered->zones[*place].name, full_name(&private->named)) == 0) {
		const struct zone_layers *base = &registered->zones[(*place)++].base;

		zone = base->served ? base->served : zone;
	}
	if (!zone)
		return 0;
	made = transfer_zone_new(zone, private->resource_group);
	if (made)
		made->editable = zone_is_editable(private->zone);
	return add_zone(c, made);
}

/* Adds all zones first, because their count gives each zone's share of the past. */
static int add_zones(struct compiling *c, const struct model *model)
{
	struct transfer_table *table = c->table;
	int err = reverse_each_zone(model, on_reverse_zone, c);
	size_t place = 0;

	for (size_t i = 0; !err && i < model->private_zones.count; i++)
		err = add_private(c, &model->private_zones.items[i], &place);
	for (size_t i = 0; !err && i < table->count; i++)
		err = choose_version(c, &table->zones[i]);
	qsort(table->zones, table->count, sizeof table->zones[0], compare_zones);
	return err;
}

int transfer_table_compile(struct transfer_table **table, const struct model *model,
			   struct policy *policy, const struct transfer_table *before,
			   const struct serial_keeper *keeper, uint64_t now_s)
{
	struct transfer_acl *acl = transfer_acl_new(model);
	struct compiling c = {.policy = policy, .before = before, .keeper = keeper, .now_s = now_s};

	if (acl)
		c.table = table_new(acl, policy, before,
				    policy->pool_zone_count + model->private_zones.count);
	transfer_acl_unref(acl);
	int err = c.table ? add_zones(&c, model) : ERR_NOMEM;
	if (!err)
		err = stamp(c.table, policy, NULL);
	if (err) {
		transfer_table_free(c.table);
		return err;
	}
	*table = c.table;
	return 0;
}

/* ---- changes of our addresses ---- */

/* The addresses whose PTR has changed, in order; if there are too many, none is listed. */
struct changed {
	size_t count;
	bool too_many;
	struct address addresses[CHANGED_MAX];
};

static void find_changed(struct changed *changed, const struct owned *before,
			 const struct owned *after)
{
	static const struct prefix all[] = {{.address.family = 4}, {.address.family = 6}};
	struct owned_cursor cursor;
	struct address address;
	const struct rrset *was, *is;

	changed->count = 0;
	changed->too_many = false;
	for (unsigned i = 0; i < 2; i++) {
		owned_cursor_begin(&cursor, &all[i]);
		while (!changed->too_many &&
		       owned_cursor_change(&cursor, before, after, &address, &was, &is)) {
			changed->too_many = changed->count == CHANGED_MAX;
			if (!changed->too_many)
				changed->addresses[changed->count++] = address;
		}
	}
}

/* Whether the zone may have one of these addresses. */
static bool is_touched(const struct transfer_zone *zone, const struct changed *changed)
{
	size_t low = 0, high = changed->count;

	while (low < high) { /* finds the first address that is not below the zone's */
		size_t middle = low + (high - low) / 2;

		if (address_compare(&changed->addresses[middle], &zone->prefix.address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return changed->too_many ||
	       (low < changed->count && prefix_contains(&zone->prefix, &changed->addresses[low]));
}

int transfer_table_advance(struct transfer_table **result, struct policy *policy,
			   const struct transfer_table *before, uint64_t now_s)
{
	struct transfer_table *table = table_new(before->acl, policy, before, before->count);
	const struct owned *owned = before->policy->owned;
	size_t room = past_max(before);
	struct changed changed;
	int err = table ? 0 : ERR_NOMEM;

	find_changed(&changed, owned, policy->owned);
	assert(policy->pool_zones == before->policy->pool_zones);
	for (size_t i = 0; !err && i < before->count; i++) {
		struct transfer_zone *at = before->zones[i], *zone;

		zone = is_touched(at, &changed) ? zone_after(at, policy, owned, room, now_s)
						: zone_as_it_is(at, room);
		if (zone) {
			table->zones[table->count++] = zone;
			note_fresh(table, zone, at);
		} else {
			err = ERR_NOMEM;
		}
	}
	if (!err)
		err = stamp(table, policy, before);
	if (err) {
		transfer_table_free(table);
		return err;
	}
	*result = table;
	return 0;
}

/* ---- searching ---- */

/* The index of the first zone whose name has this hash or a higher one. */
static size_t first_with(const struct transfer_table *table, uint64_t hash)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->zones[middle]->name.hash[0] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct transfer_zone *transfer_table_next(const struct transfer_table *table,
						const struct name *name, size_t *at)
{
	size_t i = first_with(table, name->hash[0]) + *at;

	for (; i < table->count && table->zones[i]->name.hash[0] == name->hash[0]; i++) {
		++*at;
		if (name_equal(&table->zones[i]->name, name))
			return table->zones[i];
	}
	return NULL;
}

const struct transfer_zone *transfer_table_find(const struct transfer_table *table,
						const struct name *name, const char *text)
{
	const struct transfer_zone *zone;
	size_t at = 0;

	while ((zone = transfer_table_next(table, name, &at)) && strcasecmp(zone->text, text) != 0)
		;
	return zone;
}
