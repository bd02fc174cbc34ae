/* What is slow is as wrong as what crashes: an input may take so much of the processor's time for
 * each of its bytes, and what a short one may take besides. The clock is the thread's own, so other
 * programs do not count; and what a first call sets up, or an interrupt took, does not come again
 * the second and third time. */
#include <time.h>

#include "tests/fuzz/fuzz.h"

enum { TRIES = 3, SHORT_US = 20 * 1000, VALGRIND_TIMES = 50 };

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	double limit_us = SHORT_US + (double)size * fuzz_byte_us, took_us = 0;

	if (getenv("VALGRIND"))
		limit_us *= VALGRIND_TIMES;
	for (unsigned i = 0; i < TRIES; i++) {
		double began_us = now_us();

		fuzz_one(data, size);
		took_us = now_us() - began_us;
		if (took_us <= limit_us)
			return 0;
	}
	fprintf(stderr, "%zu bytes take %.1f ms of the processor's time, and may take %.1f\n", size,
		took_us / 1e3, limit_us / 1e3);
	abort();
}
