/* A bump allocator that is freed as a whole. Every immutable part of a policy (a zone, a ruleset,
 * the root) has its own arena: building it is fast, freeing it is one call, and its size is known.
 * Nothing in an arena is freed separately. */
#ifndef SLUICE_ARENA_H
#define SLUICE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* the newest first */
	size_t used_bytes;          /* handed out, with alignment */
	size_t held_bytes;          /* taken from malloc */
};

void arena_init(struct arena *arena);
void arena_release(struct arena *arena);

/* Zeroed memory, aligned for any type; NULL without memory. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same for count * size bytes; also NULL if that overflows. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);
/* `size` zeroed bytes without alignment: for packed wire data. */
void *arena_alloc_bytes(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

#endif
