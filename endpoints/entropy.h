/* Unpredictable bytes for ids, ports and choices, from the kernel, a page at a time. Tests use
 * seeded bytes instead (tests/lib/random.h). Each worker has its own. */
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

/* Reads bytes for a key from getrandom(2); aborts the program if that fails. */
void entropy_read(void *bytes, size_t length);

void entropy_init(struct entropy *entropy);
uint16_t entropy_u16(struct entropy *entropy);
uint64_t entropy_u64(struct entropy *entropy);
/* Uniform below n (n > 0). */
uint32_t entropy_below(struct entropy *entropy, uint32_t n);

#endif
