/* Run time of another process: of all its threads, from the scheduler. */
#ifndef BENCH_CPU_TIME_H
#define BENCH_CPU_TIME_H

#include <stdint.h>

/* In nanoseconds; 0 when there is no such process. Threads that have ended are not in it. */
uint64_t cpu_time_ns(uint32_t pid);

#endif
