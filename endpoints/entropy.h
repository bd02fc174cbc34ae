/* Unpredictable bytes for ids, ports and choices: the kernel's, fetched a page at a time. A test
 * fills it with its own, seeded ones. One per worker. */
#ifndef SLUICE_ENTROPY_H
#define SLUICE_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

struct entropy {
	uint8_t buffer[4096];
	size_t left;
	void (*fill)(void *context, uint8_t *buffer, size_t length);
	void *context;
};

/* Straight from getrandom(2), for a key; without it the program ends. */
void entropy_read(void *bytes, size_t length);

void entropy_init(struct entropy *entropy);                         /* getrandom(2) */
void entropy_init_seeded(struct entropy *entropy, uint64_t *state); /* tests: repeatable */
uint16_t entropy_u16(struct entropy *entropy);
uint64_t entropy_u64(struct entropy *entropy);
/* Uniform below n (n > 0). */
uint32_t entropy_below(struct entropy *entropy, uint32_t n);

#endif
