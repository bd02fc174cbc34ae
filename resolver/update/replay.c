/* A table of chains finds entries by their MAC. A heap orders them by the time signed: entries too
 * old to be accepted are first, and the first one goes when all places are taken.
 *
 *     buckets ─► entry ─► entry       heap [0] the oldest, [n] not older than [(n - 1) / 2]
 *
 * Both grow with the entries by doubling, and never shrink. */
#include "resolver/update/replay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { REPLAYS_FIRST = 64, RCODE_NONE = UINT16_MAX };

struct replay_entry {
	uint8_t mac[REPLAY_MAC];
	uint64_t signed_s;
	struct host source;
	uint32_t next; /* index plus 1, in its bucket or the free list */
	uint32_t at;   /* in the heap */
	uint16_t rcode;
	uint16_t floor; /* the index of its key's floor */
	uint8_t mac_length;
	bool tcp;
};

void replays_init(struct replays *replays, const struct hash_key *hash, unsigned max,
		  uint64_t now_s)
{
	uint64_t floor_s = now_s > REPLAY_START_S ? now_s - REPLAY_START_S : 0;

	assert(max > 0 && (max & (max - 1)) == 0);
	*replays = (struct replays){.hash = *hash, .max = max};
	for (unsigned i = 0; i < REPLAY_FLOORS; i++)
		replays->floors[i] = floor_s;
}

void replays_release(struct replays *replays)
{
	free(replays->entries);
	free(replays->heap);
	free(replays->buckets);
	*replays = (struct replays){0};
}

/* ---- by the time signed ---- */

static uint64_t time_at(const struct replays *replays, uint32_t at)
{
	return replays->entries[replays->heap[at]].signed_s;
}

static void put(struct replays *replays, uint32_t at, uint32_t entry)
{
	replays->heap[at] = entry;
	replays->entries[entry].at = at;
}

static void swap(struct replays *replays, uint32_t a, uint32_t b)
{
	uint32_t entry = replays->heap[a];

	put(replays, a, replays->heap[b]);
	put(replays, b, entry);
}

static void sink(struct replays *replays, uint32_t at)
{
	for (;;) {
		uint32_t least = at;

		for (uint32_t below = 2 * at + 1; below <= 2 * at + 2; below++)
			if (below < replays->count &&
			    time_at(replays, below) < time_at(replays, least))
				least = below;
		if (least == at)
			return;
		swap(replays, at, least);
		at = least;
	}
}

static void rise(struct replays *replays, uint32_t at)
{
	for (; at > 0 && time_at(replays, at) < time_at(replays, (at - 1) / 2); at = (at - 1) / 2)
		swap(replays, at, (at - 1) / 2);
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
	uint32_t at = replays->entries[number].at;

	unlink_entry(replays, number);
	replays->count--;
	if (at < replays->count) {
		put(replays, at, replays->heap[replays->count]);
		sink(replays, at);
		rise(replays, at);
	}
	replays->entries[number].next = replays->unused;
	replays->unused = number + 1;
}

static bool grow(struct replays *replays)
{
	uint32_t room = replays->room ? 2 * replays->room : REPLAYS_FIRST;

	if (room > replays->max)
		room = replays->max;
	struct replay_entry *entries = realloc(replays->entries, room * sizeof *entries);
	if (entries)
		replays->entries = entries;
	uint32_t *heap = realloc(replays->heap, room * sizeof *heap);
	if (heap)
		replays->heap = heap;
	uint32_t *buckets = calloc(room, sizeof *buckets);
	if (!entries || !heap || !buckets) {
		free(buckets);
		return false;
	}
	free(replays->buckets);
	replays->buckets = buckets;
	uint32_t before = replays->room;
	replays->room = room;
	for (uint32_t i = 0; i < replays->count; i++)
		link_entry(replays, replays->heap[i]);
	for (uint32_t i = room; i-- > before;) {
		replays->entries[i].next = replays->unused;
		replays->unused = i + 1;
	}
	return true;
}

/* Makes room for a request with this time: NEW, or why there is none. Without memory the existing
 * places have to do. */
static enum replay make_room(struct replays *replays, uint64_t signed_s)
{
	if (replays->unused || (replays->room < replays->max && grow(replays)))
		return REPLAY_NEW;
	if (replays->count == 0)
		return REPLAY_NO_MEMORY;
	const struct replay_entry *oldest = &replays->entries[replays->heap[0]];
	if (signed_s < oldest->signed_s)
		return REPLAY_OLD;
	if (oldest->signed_s > replays->floors[oldest->floor])
		replays->floors[oldest->floor] = oldest->signed_s;
	drop(replays, replays->heap[0]);
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
	uint64_t floor =
		hash_bytes(&replays->hash, 1, request->key, request->key_length) % REPLAY_FLOORS;

	if (known)
		return judge_known(known, request, rcode);
	if (request->signed_s <= replays->floors[floor])
		return REPLAY_OLD;
	/* A request may wait for the control thread until TSIG would refuse it. Then it may be a
	 * replay of a request whose entry is already gone. */
	if (request->signed_s + TSIG_FUDGE_S < now_s)
		return REPLAY_OLD;
	while (replays->count > 0 && time_at(replays, 0) + TSIG_FUDGE_S < now_s)
		drop(replays, replays->heap[0]);
	enum replay room = make_room(replays, request->signed_s);
	if (room != REPLAY_NEW)
		return room;
	if (request->signed_s <= replays->floors[floor]) /* raised by the entry that just left */
		return REPLAY_OLD;
	uint32_t number = replays->unused - 1;
	struct replay_entry *entry = &replays->entries[number];
	replays->unused = entry->next;
	*entry = (struct replay_entry){.signed_s = request->signed_s,
				       .source = request->source,
				       .rcode = RCODE_NONE,
				       .floor = (uint16_t)floor,
				       .mac_length = (uint8_t)request->mac_length,
				       .tcp = request->tcp};
	memcpy(entry->mac, request->mac, compared(request->mac_length));
	link_entry(replays, number);
	put(replays, replays->count, number);
	replays->count++;
	rise(replays, replays->count - 1);
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
		drop(replays, (uint32_t)(entry - replays->entries));
}
