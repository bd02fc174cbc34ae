/* A counter: one thread adds, and any may read. */
#ifndef SLUICE_COUNTER_H
#define SLUICE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/* A plain load and store without a locked instruction, because only one thread adds. */
#define COUNTER_ADD(counter, n)                                                                    \
	atomic_store_explicit(&(counter),                                                          \
			      atomic_load_explicit(&(counter), memory_order_relaxed) + (n),        \
			      memory_order_relaxed)

#define COUNTER_GET(counter) atomic_load_explicit(&(counter), memory_order_relaxed)

#endif
