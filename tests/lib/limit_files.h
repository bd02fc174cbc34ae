/* A full disk, for tests: no file grows beyond so many bytes. */
#ifndef SLUICE_TESTS_LIMIT_FILES_H
#define SLUICE_TESTS_LIMIT_FILES_H

#include <signal.h>
#include <sys/resource.h>

/* RLIM_INFINITY: no limit. */
static inline void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
