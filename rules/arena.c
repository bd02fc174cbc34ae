/* Blocks come from calloc and are never reused before they are freed, so allocations are zero
 * without being cleared again. Blocks double in size, so a small part of a policy is small and a
 * large one needs few calls. An allocation too large for a regular block gets its own block after
 * the newest, which stays in use:
 *
 *     blocks ──► newest [######....] ──► own block [##########] ──► older [########..]
 *
 * Under AddressSanitizer unallocated memory is poisoned, with a gap after every allocation, so that
 * overruns are found as with malloc.
 *
 * Allocations are not freed one by one, and never move. */
#include "rules/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { GAP = 8 };
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
enum { GAP = 0 };
#endif

enum {
	ALIGNMENT = alignof(max_align_t),
	BLOCK_MIN = 512,
	BLOCK_MAX = 1024 * 1024,
};

struct arena_block {
	struct arena_block *next;
	size_t size, used; /* bytes of data */
	alignas(max_align_t) uint8_t data[];
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){0};
}

void arena_release(struct arena *arena)
{
	struct arena_block *block, *next;

	for (block = arena->blocks; block; block = next) {
		next = block->next;
		ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
		free(block);
	}
	arena_init(arena);
}

static struct arena_block *block_new(struct arena *arena, size_t size)
{
	struct arena_block *block = calloc(1, sizeof *block + size);

	if (!block)
		return NULL;
	block->size = size;
	arena->held_bytes += sizeof *block + size;
	ASAN_POISON_MEMORY_REGION(block->data, size);
	return block;
}

/* The size of the next regular block: as much as is already held, within bounds. */
static size_t next_block_size(const struct arena *arena)
{
	if (arena->held_bytes < BLOCK_MIN)
		return BLOCK_MIN;
	return arena->held_bytes < BLOCK_MAX ? arena->held_bytes : BLOCK_MAX;
}

/* A block with room for `size` bytes. */
static struct arena_block *block_add(struct arena *arena, size_t size)
{
	size_t regular = next_block_size(arena);
	struct arena_block *block = block_new(arena, size > regular ? size : regular);

	if (!block)
		return NULL;
	if (size > regular && arena->blocks) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	return block;
}

static void *take(struct arena *arena, size_t size, size_t alignment)
{
	struct arena_block *block = arena->blocks;
	size_t at, need;

	if (size == 0)
		size = 1;
	if (size > PTRDIFF_MAX - sizeof *block - GAP)
		return NULL;
	need = size + GAP;
	at = !block ? 0 : (block->used + alignment - 1) & ~(alignment - 1);
	if (!block || at > block->size || need > block->size - at) {
		block = block_add(arena, need);
		if (!block)
			return NULL;
		at = 0;
	}
	arena->used_bytes += at + need - block->used;
	block->used = at + need;
	assert(block->used <= block->size);
	ASAN_UNPOISON_MEMORY_REGION(block->data + at, size);
	return block->data + at;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return take(arena, size, ALIGNMENT);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return take(arena, total, ALIGNMENT);
}

void *arena_alloc_bytes(struct arena *arena, size_t size)
{
	return take(arena, size, 1);
}

char *arena_strdup(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = arena_alloc_bytes(arena, size);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
	va_list again;
	char *text = NULL;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length >= 0)
		text = arena_alloc_bytes(arena, (size_t)length + 1);
	if (text)
		vsnprintf(text, (size_t)length + 1, format, arguments);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = arena_vprintf(arena, format, arguments);
	va_end(arguments);
	return text;
}
