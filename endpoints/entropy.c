/* Entropy by the page: one getrandom(2) serves some two thousand ids. */
#include "endpoints/entropy.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void entropy_read(void *bytes, size_t length)
{
	uint8_t *buffer = bytes;

	while (length > 0) {
		ssize_t got = getrandom(buffer, length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		/* Without it there are no ids, and guessable ids are worse than none. */
		if (got <= 0) {
			perror("getrandom");
			abort();
		}
		buffer += got;
		length -= (size_t)got;
	}
}

static void fill_from_kernel(void *context, uint8_t *buffer, size_t length)
{
	(void)context;
	entropy_read(buffer, length);
}

void entropy_init(struct entropy *entropy)
{
	entropy->left = 0;
	entropy->fill = fill_from_kernel;
	entropy->context = NULL;
}

static inline void entropy_bytes(struct entropy *entropy, void *bytes, size_t length)
{
	assert(length <= sizeof entropy->buffer);
	if (entropy->left < length) {
		entropy->fill(entropy->context, entropy->buffer, sizeof entropy->buffer);
		entropy->left = sizeof entropy->buffer;
	}
	memcpy(bytes, entropy->buffer + sizeof entropy->buffer - entropy->left, length);
	entropy->left -= length;
}

uint16_t entropy_u16(struct entropy *entropy)
{
	uint16_t value;

	entropy_bytes(entropy, &value, sizeof value);
	return value;
}

uint64_t entropy_u64(struct entropy *entropy)
{
	uint64_t value;

	entropy_bytes(entropy, &value, sizeof value);
	return value;
}

/* The upper half of a 32 x 32 bit product is uniform if a draw is discarded whenever its product
 * has a lower half below 2^32 mod n. Otherwise some results would be a little likelier than
 * others. */
uint32_t entropy_below(struct entropy *entropy, uint32_t n)
{
	assert(n > 0);
	for (;;) {
		uint32_t draw;
		entropy_bytes(entropy, &draw, sizeof draw);
		uint64_t product = (uint64_t)draw * n;
		uint32_t low = (uint32_t)product;
		if (low >= n || low >= (uint32_t)-n % n)
			return (uint32_t)(product >> 32);
	}
}
