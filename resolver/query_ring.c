/* A ring of pieces. Each begins with its length, a multiple of QUERY_RING_ALIGN bytes. Positions
 * count bytes since the start and never wrap; their lower bits are the offset in memory.
 *
 *     ROUND (when it left) RECORD RECORD ... ROUND RECORD ... PAD (up to the end of memory)
 *
 * A ROUND is written before the round's first record, and filled in at the commit, before
 * `committed` moves past it. */
#include "resolver/query_ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "rules/base.h"

enum piece_kind { RECORD = QUERY_RING_RECORD, ROUND, PAD };

struct piece { /* the beginning of each piece, even of a record */
	uint32_t bytes;
	uint8_t kind;
};

struct round_piece {
	struct piece piece;
	_Alignas(QUERY_RING_ALIGN / 2) uint64_t left_us;
};
_Static_assert(sizeof(struct round_piece) == QUERY_RING_ALIGN, "records behind it are aligned");

static struct piece *piece_at(const struct query_ring *ring, uint64_t at)
{
	return (struct piece *)(void *)(ring->bytes + (at & (QUERY_RING_BYTES - 1)));
}

static uint64_t position(const struct query_ring *ring)
{
	return (uint64_t)(uintptr_t)ring->next + ring->ahead;
}

/* Sets the memory that may be written from `at` on: up to unread pieces or the end of memory.
 * Returns its length. */
static size_t find_run(struct query_ring *ring, uint64_t at)
{
	uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
	size_t free = QUERY_RING_BYTES - (size_t)(at - read);
	size_t left = QUERY_RING_BYTES - (at & (QUERY_RING_BYTES - 1));

	ring->next = (uint8_t *)piece_at(ring, at);
	ring->end = ring->next + (left < free ? left : free);
	ring->ahead = at - (uint64_t)(uintptr_t)ring->next;
	return (size_t)(ring->end - ring->next);
}

/* A piece is contiguous: if the end of memory is too near, a PAD fills it. */
static struct piece *put(struct query_ring *ring, size_t bytes, enum piece_kind kind)
{
	uint64_t at = position(ring);
	size_t run = find_run(ring, at), left = QUERY_RING_BYTES - (at & (QUERY_RING_BYTES - 1));

	if (run < bytes && run == left) {
		*piece_at(ring, at) = (struct piece){(uint32_t)left, PAD};
		run = find_run(ring, at + left);
	}
	if (run < bytes)
		return NULL;
	struct piece *piece = (void *)ring->next;
	*piece = (struct piece){(uint32_t)bytes, (uint8_t)kind};
	ring->next += bytes;
	return piece;
}

static bool begin_round(struct query_ring *ring)
{
	struct round_piece *round = (void *)put(ring, sizeof *round, ROUND);

	ring->round = round ? &round->left_us : NULL;
	return round;
}

struct query_record *query_ring_append(struct query_ring *ring, size_t data_length)
{
	struct query_record *record = NULL;

	if (ring->round || begin_round(ring))
		record = (void *)put(ring, query_ring_bytes(data_length), RECORD);
	if (!record)
		atomic_store_explicit(&ring->lost,
				      atomic_load_explicit(&ring->lost, memory_order_relaxed) + 1,
				      memory_order_relaxed);
	return record;
}

void query_ring_commit_at(struct query_ring *ring, uint64_t left_us)
{
	*ring->round = left_us;
	ring->round = NULL;
	query_ring_publish(ring);
	atomic_store_explicit(&ring->committed, position(ring), memory_order_release);
}

void query_ring_publish(struct query_ring *ring)
{
	atomic_store_explicit(&ring->written, position(ring), memory_order_relaxed);
}

struct query_record *query_ring_read(struct query_ring *ring, uint64_t *at, uint64_t *left_us)
{
	uint64_t end = atomic_load_explicit(&ring->committed, memory_order_acquire);

	while (*at < end) {
		struct piece *piece = piece_at(ring, *at);

		*at += piece->bytes;
		if (piece->kind == ROUND)
			ring->left_us = ((const struct round_piece *)(const void *)piece)->left_us;
		if (piece->kind == RECORD) {
			*left_us = ring->left_us;
			return (struct query_record *)(void *)piece;
		}
	}
	return NULL;
}

void query_ring_give_back(struct query_ring *ring, uint64_t at)
{
	atomic_store(&ring->read, at);
}

/* ---- all rings ---- */

/* Mapped and not touched, so that a ring costs no memory before it is used. */
int query_rings_init(struct query_rings *rings, unsigned count)
{
	_Static_assert(sizeof(struct query_ring) % 64 == 0, "each has its own lines of the cache");
	_Static_assert(offsetof(struct query_record, kind) == offsetof(struct piece, kind),
		       "a record is a piece");
	size_t bytes = count * sizeof *rings->rings;

	*rings = (struct query_rings){.rings = aligned_alloc(64, bytes)};
	if (!rings->rings)
		return ERR_NOMEM;
	memset(rings->rings, 0, bytes);
	for (; rings->count < count; rings->count++) {
		void *memory = mmap(NULL, QUERY_RING_BYTES, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED) {
			query_rings_release(rings);
			return ERR_NOMEM;
		}
		rings->rings[rings->count].bytes = memory;
		rings->rings[rings->count].next = rings->rings[rings->count].end = memory;
		rings->rings[rings->count].ahead = -(uint64_t)(uintptr_t)memory;
	}
	return 0;
}

void query_rings_release(struct query_rings *rings)
{
	for (unsigned i = 0; i < rings->count; i++)
		munmap(rings->rings[i].bytes, QUERY_RING_BYTES);
	free(rings->rings);
	*rings = (struct query_rings){.rings = NULL};
}

void query_rings_want(struct query_rings *rings, unsigned wanted)
{
	for (unsigned i = 0; i < rings->count; i++) {
		unsigned max = wanted & QUERY_WANTED_MESSAGES ? QUERY_RING_MESSAGE_MAX : 0;

		atomic_store_explicit(&rings->rings[i].message_max, max, memory_order_relaxed);
		atomic_store_explicit(&rings->rings[i].wanted, wanted, memory_order_relaxed);
	}
}

uint64_t query_rings_lost(const struct query_rings *rings)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < rings->count; i++)
		lost += atomic_load_explicit(&rings->rings[i].lost, memory_order_relaxed);
	return lost;
}

void query_rings_mark(const struct query_rings *rings, uint64_t *mark)
{
	for (unsigned i = 0; i < rings->count; i++)
		mark[i] = atomic_load_explicit(&rings->rings[i].written, memory_order_relaxed);
}

static bool all_passed(const struct query_rings *rings, const uint64_t *mark)
{
	for (unsigned i = 0; i < rings->count; i++)
		if (atomic_load(&rings->rings[i].read) < mark[i])
			return false;
	return true;
}

/* Looks again after setting `awaited`, because the reader may have passed the mark just before,
 * without a wake-up. */
bool query_rings_passed(struct query_rings *rings, const uint64_t *mark)
{
	if (all_passed(rings, mark))
		return true;
	atomic_store(&rings->awaited, true);
	return all_passed(rings, mark);
}
