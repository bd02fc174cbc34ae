/* What a fuzz target is: one function that takes bytes from anywhere, and ends the process when
 * something that must hold does not. limit.c calls it for libFuzzer (make fuzz), or for replay.c
 * with the files of the corpus (make test), and looks at the time that it takes. The same bytes do
 * the same thing each time: whatever is kept from one call to the next must not show. */
#ifndef SLUICE_TESTS_FUZZ_H
#define SLUICE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The target's: its function, and how much of the processor's time it may take for a byte of a long
 * input, under a sanitizer: some ten times what it takes. */
int fuzz_one(const uint8_t *data, size_t size);
extern const double fuzz_byte_us;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold; assert() is the program's own word, and this is the test's. */
#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* An input that is read from its front; at its end it has zeros. */
struct fuzz_input {
	const uint8_t *at, *end;
};

static inline size_t fuzz_left(const struct fuzz_input *input)
{
	return (size_t)(input->end - input->at);
}

static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

#endif
