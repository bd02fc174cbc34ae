/* The run time of another process, of all its threads, from the scheduler. */
#ifndef BENCH_CPU_TIME_H
#define BENCH_CPU_TIME_H

#include <stdint.h>

/* Nanoseconds; 0: there is no such process. Does not include threads that have ended. */
uint64_t cpu_time_ns(uint32_t pid);

#endif
