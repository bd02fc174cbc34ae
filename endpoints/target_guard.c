/* What is known of a target that helps to tell its replies from forged ones.
 *
 * Case (draft-vixie-dnsext-dns0x20). What a target does with a question's letters is learnt from
 * questions that somebody asked anyway; only what it has kept often enough is demanded of it. */
#include "endpoints/target_guard.h"

#define GET(member)        atomic_load_explicit(&guard->member, memory_order_relaxed)
#define SET(member, value) atomic_store_explicit(&guard->member, (value), memory_order_relaxed)

void target_on_case_kept(struct target_guard *guard)
{
	if (!target_keeps_case(guard))
		atomic_fetch_add_explicit(&guard->case_kept, 1, memory_order_relaxed);
}

void target_on_case_changed(struct target_guard *guard, uint64_t now_us)
{
	SET(case_kept, 0);
	SET(case_off_until_us, now_us + TARGET_CASE_OFF_US);
}

void target_on_case_unsure(struct target_guard *guard, uint64_t now_us)
{
	SET(case_off_until_us, now_us + TARGET_CASE_PAUSE_US);
}
