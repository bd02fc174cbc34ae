/* What is slow is as wrong as what crashes: an input may take so much of the processor's time for
 * each of its bytes, and what a short one may take besides. The clock is the thread's own, so other
 * programs do not count; and what a first call sets up, or an interrupt took, does not come again
 * the second and third time.
 *
 * A page of memory costs what the machine's kernel takes for it, which differs tenfold between
 * machines. So the pages that an input touches are allowed for, at PAGE_TIMES of what a page was
 * measured to cost: the sanitizer's allocator maps, marks and gives back each of them. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum { TRIES = 3, SHORT_US = 20 * 1000, VALGRIND_TIMES = 50, PAGES = 1024, PAGE_TIMES = 3 };

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static long faults_now(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_minflt;
}

/* Of a page that is touched for the first time and given back. */
static double page_us(void)
{
	static double measured;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	double began_us = now_us();

	if (measured > 0)
		return measured;
	char *pages = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	if (pages == MAP_FAILED)
		return 0;
	for (size_t i = 0; i < PAGES; i++)
		((volatile char *)pages)[i * page] = 1;
	munmap(pages, PAGES * page);
	measured = (now_us() - began_us) / PAGES;
	return measured;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	double limit_us = SHORT_US + (double)size * fuzz_byte_us, took_us = 0, allowed_us = 0;

	if (getenv("VALGRIND"))
		limit_us *= VALGRIND_TIMES;
	for (unsigned i = 0; i < TRIES; i++) {
		long faults = faults_now();
		double began_us = now_us();

		fuzz_one(data, size);
		took_us = now_us() - began_us;
		allowed_us = limit_us + (double)(faults_now() - faults) * PAGE_TIMES * page_us();
		if (took_us <= allowed_us)
			return 0;
	}
	fprintf(stderr, "%zu bytes take %.1f ms of the processor's time, and may take %.1f\n", size,
		took_us / 1e3, allowed_us / 1e3);
	abort();
}
