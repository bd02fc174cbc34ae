/* What is known of a target that tells its replies from forged ones: what it does with the letters
 * of a question. A part of struct target, and like it shared by the workers and older than any
 * policy; relaxed atomics, and a lost update costs a question more. */
#ifndef SLUICE_TARGET_GUARD_H
#define SLUICE_TARGET_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	TARGET_CASE_SURE = 8,                /* answers with data: to it case is no difference */
	TARGET_CASE_ROW = 10,                /* questions in a row whose letters it changed */
	TARGET_CASE_OFF_US = 900 * 1000000,  /* asked in lower case for so long then */
	TARGET_CASE_PAUSE_US = 10 * 1000000, /* and after an answer that proves nothing */
};

struct target_guard {
	_Atomic uint64_t case_off_until_us; /* asked in lower case until then */
	_Atomic uint32_t case_answered;     /* questions in capitals, with data; up to _SURE */
	_Atomic uint32_t case_changed;      /* in a row, by UDP */
};

static inline bool target_may_vary_case(const struct target_guard *guard, uint64_t now_us)
{
	return atomic_load_explicit(&guard->case_off_until_us, memory_order_relaxed) <= now_us;
}

/* Whether it is known to find names in whatever case they are asked for. */
static inline bool target_ignores_case(const struct target_guard *guard)
{
	return atomic_load_explicit(&guard->case_answered, memory_order_relaxed) >=
	       TARGET_CASE_SURE;
}

/* A reply by UDP repeated the letters, or had others. Those in a row may all be forged, but each of
 * them has hit port and id. */
void target_on_case_kept(struct target_guard *guard);
void target_on_case_changed(struct target_guard *guard, uint64_t now_us);
/* TCP, which nobody forges, has shown that it changes them. */
void target_on_case_confirmed(struct target_guard *guard, uint64_t now_us);
/* It answered a question in capitals with data, or with an error or without, which may be because
 * of the case. */
void target_on_case_answered(struct target_guard *guard);
void target_on_case_unsure(struct target_guard *guard, uint64_t now_us);

#endif
