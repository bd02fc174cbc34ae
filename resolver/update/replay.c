/* A table of chains finds entries by their MAC. Each place in `keys` orders its entries in a heap
 * by the time signed, the oldest first. The oldest entry leaves first: when it is too old to be
 * accepted, or when its place is needed.
 *
 *     buckets ─► entry ─► entry          keys[] ─► oldest ─┬─ not older ─┬─ not older
 *                                                          └─ not older  └─ ...
 *
 * These are pairing heaps: `below` is the first of the entries below an entry, `beside` the next
 * entry beside it, and `back` the one before it, or above it for the first.
 *
 * The table grows with the entries by doubling, and never shrinks. */
#include "resolver/update/replay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { REPLAYS_FIRST = 64, RCODE_NONE = UINT16_MAX };

struct replay_entry {
	uint8_t mac[REPLAY_MAC];
	uint64_t signed_s;
	struct host source;
	uint32_t next;                /* index plus 1, in its bucket or the free list */
	uint32_t below, beside, back; /* in its key's heap, plus 1; 0: none */
	uint16_t rcode;
	uint16_t key; /* the index of its key's place */
	uint8_t mac_length;
	bool tcp;
};

/* What was signed up to this time is too old for a process that starts now. */
static uint64_t start_floor(uint64_t now_s)
{
	return now_s > REPLAY_START_S ? now_s - REPLAY_START_S : 0;
}

void replays_init(struct replays *replays, const struct hash_key *hash, unsigned max,
		  uint64_t now_s)
{
	assert(max > 0 && (max & (max - 1)) == 0);
	*replays = (struct replays){.hash = *hash, .max = max};
	replays_begin(replays, now_s);
}

void replays_begin(struct replays *replays, uint64_t now_s)
{
	replays->floor_s = start_floor(now_s);
}

void replays_release(struct replays *replays)
{
	free(replays->entries);
	free(replays->buckets);
	*replays = (struct replays){0};
}

/* ---- by the time signed ---- */

static struct replay_entry *entry_at(const struct replays *replays, uint32_t number)
{
	return &replays->entries[number - 1];
}

/* Makes one heap of two; each may be empty (0). */
static uint32_t meld(struct replays *replays, uint32_t a, uint32_t b)
{
	uint32_t first = a, second = b;

	if (!a || !b)
		return a ? a : b;
	if (entry_at(replays, b)->signed_s < entry_at(replays, a)->signed_s) {
		first = b;
		second = a;
	}
	struct replay_entry *top = entry_at(replays, first), *under = entry_at(replays, second);
	under->beside = top->below;
	under->back = first;
	if (top->below)
		entry_at(replays, top->below)->back = second;
	top->below = second;
	return first;
}

/* Makes one heap of those beside each other: first pairs, then one of all pairs, which keeps it
 * shallow. */
static uint32_t meld_all(struct replays *replays, uint32_t first)
{
	uint32_t pairs = 0, all = 0, next;

	for (uint32_t a = first; a; a = next) {
		uint32_t b = entry_at(replays, a)->beside;

		next = b ? entry_at(replays, b)->beside : 0;
		entry_at(replays, a)->beside = 0;
		if (b)
			entry_at(replays, b)->beside = 0;
		a = meld(replays, a, b);
		entry_at(replays, a)->beside = pairs;
		pairs = a;
	}
	for (; pairs; pairs = next) {
		next = entry_at(replays, pairs)->beside;
		entry_at(replays, pairs)->beside = 0;
		all = meld(replays, all, pairs);
	}
	if (all)
		entry_at(replays, all)->back = 0;
	return all;
}

static void enter_heap(struct replays *replays, uint32_t number)
{
	struct replay_key *key = &replays->keys[entry_at(replays, number)->key];

	key->oldest = meld(replays, key->oldest, number);
	key->count++;
}

static void leave_heap(struct replays *replays, uint32_t number)
{
	const struct replay_entry *entry = entry_at(replays, number);
	struct replay_key *key = &replays->keys[entry->key];
	uint32_t below = meld_all(replays, entry->below);

	key->count--;
	if (key->oldest == number) {
		key->oldest = below;
		return;
	}
	struct replay_entry *back = entry_at(replays, entry->back);
	if (back->below == number)
		back->below = entry->beside;
	else
		back->beside = entry->beside;
	if (entry->beside)
		entry_at(replays, entry->beside)->back = entry->back;
	key->oldest = meld(replays, key->oldest, below);
}

/* ---- by the MAC ---- */

static size_t compared(size_t mac_length)
{
	return mac_length < REPLAY_MAC ? mac_length : REPLAY_MAC;
}

static uint32_t *bucket_of(const struct replays *replays, const uint8_t *mac, size_t mac_length)
{
	return &replays->buckets[hash_bytes(&replays->hash, 0, mac, compared(mac_length)) &
				 (replays->room - 1)];
}

static struct replay_entry *find(const struct replays *replays, const uint8_t *mac,
				 size_t mac_length)
{
	if (replays->room == 0)
		return NULL;
	for (uint32_t at = *bucket_of(replays, mac, mac_length); at;
	     at = replays->entries[at - 1].next) {
		struct replay_entry *entry = &replays->entries[at - 1];

		if (entry->mac_length == mac_length &&
		    memcmp(entry->mac, mac, compared(mac_length)) == 0)
			return entry;
	}
	return NULL;
}

static void link_entry(struct replays *replays, uint32_t number)
{
	struct replay_entry *entry = &replays->entries[number];
	uint32_t *bucket = bucket_of(replays, entry->mac, entry->mac_length);

	entry->next = *bucket;
	*bucket = number + 1;
}

static void unlink_entry(struct replays *replays, uint32_t number)
{
	const struct replay_entry *entry = &replays->entries[number];
	uint32_t *link = bucket_of(replays, entry->mac, entry->mac_length);

	while (*link != number + 1)
		link = &replays->entries[*link - 1].next;
	*link = entry->next;
}

/* ---- room ---- */

static void drop(struct replays *replays, uint32_t number)
{
	leave_heap(replays, number);
	unlink_entry(replays, number - 1);
	replays->count--;
	entry_at(replays, number)->next = replays->unused;
	replays->unused = number;
}

/* Drops the key's oldest entry. Requests that the key signed up to that entry's time cannot be told
 * from replays any more, so its floor rises to that time. */
static void drop_oldest(struct replays *replays, struct replay_key *key)
{
	uint64_t oldest_s = entry_at(replays, key->oldest)->signed_s;

	if (oldest_s > key->floor_s)
		key->floor_s = oldest_s;
	drop(replays, key->oldest);
}

/* Drops the entries whose time TSIG itself refuses. The key's floor rises to their time, so that
 * they stay refused if the clock is set back. */
static void drop_past(struct replays *replays, struct replay_key *key, uint64_t now_s)
{
	while (key->oldest && entry_at(replays, key->oldest)->signed_s + TSIG_FUDGE_S < now_s)
		drop_oldest(replays, key);
}

static bool grow(struct replays *replays)
{
	uint32_t room = replays->room ? 2 * replays->room : REPLAYS_FIRST;

	if (room > replays->max)
		room = replays->max;
	struct replay_entry *entries = realloc(replays->entries, room * sizeof *entries);
	if (entries)
		replays->entries = entries;
	uint32_t *buckets = calloc(room, sizeof *buckets);
	if (!entries || !buckets) {
		free(buckets);
		return false;
	}
	free(replays->buckets);
	replays->buckets = buckets;
	uint32_t before = replays->room;
	replays->room = room;
	for (uint32_t i = 0; i < before; i++) /* all are in use, otherwise there would be room */
		link_entry(replays, i);
	for (uint32_t i = room; i-- > before;) {
		replays->entries[i].next = replays->unused;
		replays->unused = i + 1;
	}
	return true;
}

/* The key with the most entries; the given one wins a tie. */
static struct replay_key *find_greediest(struct replays *replays, struct replay_key *greediest)
{
	for (unsigned i = 0; i < REPLAY_KEYS; i++)
		if (replays->keys[i].count > greediest->count)
			greediest = &replays->keys[i];
	return greediest;
}

/* Makes room for a request that the key signed at signed_s. Returns NEW, or the reason why there is
 * no room. At the maximum, or without memory for more places, the key with the most entries loses
 * its oldest one. */
static enum replay make_room(struct replays *replays, struct replay_key *key, uint64_t signed_s,
			     uint64_t now_s)
{
	if (replays->unused || (replays->room < replays->max && grow(replays)))
		return REPLAY_NEW;
	if (replays->count == 0)
		return REPLAY_NO_MEMORY;
	for (unsigned i = 0; i < REPLAY_KEYS; i++)
		drop_past(replays, &replays->keys[i], now_s);
	if (replays->unused)
		return REPLAY_NEW;
	struct replay_key *greediest = find_greediest(replays, key);
	if (greediest == key && signed_s < entry_at(replays, key->oldest)->signed_s)
		return REPLAY_OLD;
	drop_oldest(replays, greediest);
	return REPLAY_NEW;
}

/* ---- the interface ---- */

static enum replay judge_known(const struct replay_entry *entry,
			       const struct replay_request *request, enum rcode *rcode)
{
	if (!host_equal(&entry->source, &request->source) || entry->tcp != request->tcp)
		return REPLAY_FOREIGN;
	if (entry->rcode == RCODE_NONE)
		return REPLAY_WAITING;
	*rcode = entry->rcode;
	return REPLAY_ANSWERED;
}

enum replay replays_judge(struct replays *replays, const struct replay_request *request,
			  uint64_t now_s, enum rcode *rcode)
{
	const struct replay_entry *known = find(replays, request->mac, request->mac_length);
	uint64_t place =
		hash_bytes(&replays->hash, 1, request->key, request->key_length) % REPLAY_KEYS;
	struct replay_key *key = &replays->keys[place];

	if (known)
		return judge_known(known, request, rcode);
	if (replays->floor_s > now_s + TSIG_FUDGE_S)
		replays->floor_s = start_floor(now_s); /* the clock was ahead at the start */
	if (request->signed_s <= replays->floor_s || request->signed_s <= key->floor_s)
		return REPLAY_OLD;
	/* A request may wait for the control thread until TSIG would refuse it. Then it may be a
	 * replay of a request whose entry is already gone. */
	if (request->signed_s + TSIG_FUDGE_S < now_s)
		return REPLAY_OLD;
	drop_past(replays, key, now_s);
	enum replay room = make_room(replays, key, request->signed_s, now_s);
	if (room != REPLAY_NEW)
		return room;
	if (request->signed_s <= key->floor_s) /* make_room may have raised it */
		return REPLAY_OLD;
	uint32_t number = replays->unused;
	struct replay_entry *entry = entry_at(replays, number);
	replays->unused = entry->next;
	*entry = (struct replay_entry){.signed_s = request->signed_s,
				       .source = request->source,
				       .rcode = RCODE_NONE,
				       .key = (uint16_t)place,
				       .mac_length = (uint8_t)request->mac_length,
				       .tcp = request->tcp};
	memcpy(entry->mac, request->mac, compared(request->mac_length));
	link_entry(replays, number - 1);
	enter_heap(replays, number);
	replays->count++;
	return REPLAY_NEW;
}

void replays_answer(struct replays *replays, const uint8_t *mac, size_t mac_length,
		    enum rcode rcode)
{
	struct replay_entry *entry = find(replays, mac, mac_length);

	if (entry)
		entry->rcode = (uint16_t)rcode;
}

void replays_forget(struct replays *replays, const uint8_t *mac, size_t mac_length)
{
	const struct replay_entry *entry = find(replays, mac, mac_length);

	if (entry)
		drop(replays, (uint32_t)(entry - replays->entries) + 1);
}
