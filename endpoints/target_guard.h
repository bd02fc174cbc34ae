/* What is known of a target that tells its replies from forged ones: whether it repeats a
 * question's letters in their case. A part of struct target, and like it shared by the workers and
 * older than any policy; relaxed atomics, and a lost update costs a question more. */
#ifndef SLUICE_TARGET_GUARD_H
#define SLUICE_TARGET_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	TARGET_CASE_SURE = 8,                /* answers with the letters as they were sent */
	TARGET_CASE_OFF_US = 900 * 1000000,  /* after one with others */
	TARGET_CASE_PAUSE_US = 10 * 1000000, /* after one that proves nothing */
};

struct target_guard {
	_Atomic uint64_t case_off_until_us; /* asked in lower case until then */
	_Atomic uint32_t case_kept;         /* answers, up to TARGET_CASE_SURE */
};

/* Whether its questions may have capitals, be it to find out, and whether a reply has to repeat
 * them. */
static inline bool target_may_vary_case(const struct target_guard *guard, uint64_t now_us)
{
	return atomic_load_explicit(&guard->case_off_until_us, memory_order_relaxed) <= now_us;
}

static inline bool target_keeps_case(const struct target_guard *guard)
{
	return atomic_load_explicit(&guard->case_kept, memory_order_relaxed) >= TARGET_CASE_SURE;
}

void target_on_case_kept(struct target_guard *guard);
void target_on_case_changed(struct target_guard *guard, uint64_t now_us);
/* It answered such a question with an error or without data, which may be because of the case. */
void target_on_case_unsure(struct target_guard *guard, uint64_t now_us);

#endif
