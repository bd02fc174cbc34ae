/* Hash tables with linear probing. A set's hash also selects its table. Only a table that grows
 * is copied: 1/256 of all sets. Not here: which sets exist, and when they are written and
 * removed (registrar_looks.c). */
#include "resolver/control/service/renewals.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/transfer/tsig.h"
#include "rules/name.h"

enum { ROOM_FIRST = 8, CLOCK_MAX = INT32_MAX };

void renewals_init(struct renewals *renewals, const struct hash_key *key)
{
	*renewals = (struct renewals){.key = *key};
}

void renewals_release(struct renewals *renewals)
{
	struct renewal_clock *clock;

	while ((clock = renewals->clocks)) {
		renewals->clocks = clock->next;
		free(clock->zone);
		free(clock);
	}
	for (size_t i = 0; i < RENEWALS_TABLES; i++) {
		free(renewals->tables[i].items);
		renewals->tables[i] = (struct renewal_table){.items = NULL};
	}
	renewals->unwritten = 0;
}

/* ---- clocks ---- */

struct renewal_clock *renewals_clock(struct renewals *renewals, const char *zone)
{
	struct renewal_clock *clock;

	for (clock = renewals->clocks; clock; clock = clock->next)
		if (strcasecmp(clock->zone, zone) == 0)
			return clock;
	clock = calloc(1, sizeof *clock);
	if (clock)
		clock->zone = strdup(zone);
	if (!clock || !clock->zone) {
		free(clock);
		return NULL;
	}
	for (char *at = clock->zone; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	clock->seed = ++renewals->seeds;
	clock->next = renewals->clocks;
	renewals->clocks = clock;
	return clock;
}

uint32_t renewal_clock_read(const struct renewal_clock *clock, uint64_t now_s)
{
	uint64_t clock_s = clock->base_s + (clock->runs ? now_s - clock->since_s : 0);

	return clock_s < CLOCK_MAX ? (uint32_t)clock_s : CLOCK_MAX;
}

void renewal_clock_run(struct renewal_clock *clock, bool runs, uint64_t now_s)
{
	if (clock->runs == runs)
		return;
	clock->base_s = renewal_clock_read(clock, now_s);
	clock->since_s = now_s;
	clock->runs = runs;
}

/* ---- sets ---- */

uint64_t renewals_print(const struct renewals *renewals, const struct renewal_clock *clock,
			const uint8_t *owner, uint16_t type)
{
	uint64_t print = hash_bytes(&renewals->key, clock->seed << 16 | type, owner,
				    name_wire_length(owner));

	return print ? print : 1;
}

static struct renewal_table *table_of(struct renewals *renewals, uint64_t print)
{
	return &renewals->tables[print % RENEWALS_TABLES];
}

static uint32_t home_of(const struct renewal_table *table, uint64_t print)
{
	return (uint32_t)(print / RENEWALS_TABLES) & (table->room - 1);
}

/* The set's place, or the free one for it. The table must have room. */
static struct renewal *place_of(const struct renewal_table *table, uint64_t print)
{
	uint32_t at = home_of(table, print);

	while (table->items[at].print && table->items[at].print != print)
		at = (at + 1) & (table->room - 1);
	return &table->items[at];
}

static struct renewal *find(struct renewals *renewals, uint64_t print)
{
	const struct renewal_table *table = table_of(renewals, print);
	struct renewal *place = table->room ? place_of(table, print) : NULL;

	return place && place->print ? place : NULL;
}

const struct renewal *renewals_find(struct renewals *renewals, uint64_t print)
{
	return find(renewals, print);
}

static bool make_room(struct renewal_table *table)
{
	struct renewal_table grown = {.count = table->count,
				      .room = table->room ? 2 * table->room : ROOM_FIRST};

	if (4 * (table->count + 1) <= 3 * table->room)
		return true;
	grown.items = calloc(grown.room, sizeof *grown.items);
	if (!grown.items)
		return false;
	for (uint32_t i = 0; i < table->room; i++)
		if (table->items[i].print)
			*place_of(&grown, table->items[i].print) = table->items[i];
	free(table->items);
	*table = grown;
	return true;
}

static void set_unwritten(struct renewals *renewals, struct renewal *renewal, bool unwritten)
{
	renewals->unwritten -= renewal->unwritten;
	renewals->unwritten += unwritten;
	renewal->unwritten = unwritten;
}

void renewals_note(struct renewals *renewals, uint64_t print, int64_t at_s, uint32_t clock_s)
{
	struct renewal *renewal = find(renewals, print);
	struct renewal_table *table = table_of(renewals, print);

	if (!renewal) {
		if (!make_room(table))
			return;
		renewal = place_of(table, print);
		renewal->print = print;
		table->count++;
	}
	renewal->at_s = at_s < 0 ? 0 : at_s > UINT32_MAX ? UINT32_MAX : (uint32_t)at_s;
	renewal->clock_s = clock_s & CLOCK_MAX;
	set_unwritten(renewals, renewal, true);
}

/* Entries after the freed place move up, so that no search for them ends there. */
void renewals_forget(struct renewals *renewals, uint64_t print)
{
	struct renewal_table *table = table_of(renewals, print);
	struct renewal *renewal = find(renewals, print);
	uint32_t hole, at;

	if (!renewal)
		return;
	set_unwritten(renewals, renewal, false);
	table->count--;
	hole = at = (uint32_t)(renewal - table->items);
	while (table->items[at = (at + 1) & (table->room - 1)].print) {
		uint32_t home = home_of(table, table->items[at].print);

		if (((at - home) & (table->room - 1)) < ((at - hole) & (table->room - 1)))
			continue;
		table->items[hole] = table->items[at];
		hole = at;
	}
	table->items[hole] = (struct renewal){.print = 0};
}

void renewals_put_back(struct renewals *renewals, uint64_t print, const struct renewal *before)
{
	struct renewal *renewal;

	if (!before) {
		renewals_forget(renewals, print);
		return;
	}
	renewals_note(renewals, print, before->at_s, before->clock_s);
	renewal = find(renewals, print);
	if (!renewal)
		return;
	set_unwritten(renewals, renewal, before->unwritten);
	renewal->signature = before->signature;
}

void renewals_written(struct renewals *renewals, uint64_t print)
{
	struct renewal *renewal = find(renewals, print);

	if (renewal)
		set_unwritten(renewals, renewal, false);
}

/* ---- signatures ---- */

uint32_t renewals_key_print(const struct renewals *renewals, const char *name)
{
	uint32_t print = (uint32_t)hash_bytes(&renewals->key, 0, name, strlen(name));

	return print ? print : 1;
}

void renewals_sign(struct renewals *renewals, uint64_t print,
		   const struct renewal_signature *signature)
{
	struct renewal *renewal = find(renewals, print);

	if (renewal)
		renewal->signature = *signature;
}

/* Whether TSIG would refuse the signature's time now, because it is in the future. */
static bool is_ahead(const struct renewal_signature *signature, int64_t at_s)
{
	return signature->signed_s > at_s + TSIG_FUDGE_S;
}

void renewals_sign_again(struct renewals *renewals, uint64_t print,
			 const struct renewal_signature *signature, int64_t at_s)
{
	struct renewal *renewal = find(renewals, print);

	if (renewal && renewal->signature.key == signature->key &&
	    (renewal->signature.signed_s < signature->signed_s ||
	     is_ahead(&renewal->signature, at_s)))
		renewal->signature.signed_s = signature->signed_s;
}

bool renewals_are_newer(struct renewals *renewals, uint64_t print,
			const struct renewal_signature *signature, int64_t at_s)
{
	const struct renewal *renewal = find(renewals, print);

	return renewal && signature->key && renewal->signature.key == signature->key &&
	       signature->signed_s < renewal->signature.signed_s &&
	       !is_ahead(&renewal->signature, at_s);
}

/* ---- rows ---- */

char *renewal_print_value(const struct renewal *renewal, char value[RENEWAL_VALUE_MAX])
{
	snprintf(value, RENEWAL_VALUE_MAX, "%" PRIu32 " %u", renewal->at_s, renewal->clock_s);
	return value;
}

char *renewal_clock_print_value(const struct renewal_clock *clock, bool closed, uint64_t now_s,
				char value[RENEWAL_VALUE_MAX])
{
	snprintf(value, RENEWAL_VALUE_MAX, "%" PRIu32 " %s", renewal_clock_read(clock, now_s),
		 closed ? "closed" : "open");
	return value;
}

void renewal_clock_recall(struct renewal_clock *clock, const char *value)
{
	uint32_t clock_s;
	char word[8];

	if (sscanf(value, "%" SCNu32 " %7s", &clock_s, word) != 2 || clock_s > CLOCK_MAX)
		return;
	clock->base_s = clock_s;
	clock->closed = strcmp(word, "closed") == 0;
}

void renewals_recall(struct renewals *renewals, const struct renewal_clock *clock, uint64_t print,
		     const char *value)
{
	struct renewal *renewal = find(renewals, print);
	uint32_t at_s, clock_s;

	if (!renewal || sscanf(value, "%" SCNu32 " %" SCNu32, &at_s, &clock_s) != 2 ||
	    at_s < renewal->at_s)
		return;
	renewal->at_s = at_s;
	if (!clock->closed || clock_s > clock->base_s)
		return;
	renewal->clock_s = clock_s & CLOCK_MAX;
	set_unwritten(renewals, renewal, false);
}
