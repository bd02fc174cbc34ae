/* What a target does with a question's letters (draft-vixie-dnsext-dns0x20). It is supposed to
 * repeat them until it is known that it does not, so one forged packet changes nothing. */
#include "endpoints/upstream/target_guard.h"

#define GET(member)        atomic_load_explicit(&guard->member, memory_order_relaxed)
#define SET(member, value) atomic_store_explicit(&guard->member, (value), memory_order_relaxed)
#define ADD(member, value) atomic_fetch_add_explicit(&guard->member, (value), memory_order_relaxed)

void target_on_case_kept(struct target_guard *guard)
{
	if (GET(case_changed) != 0) /* the workers share the cache line */
		SET(case_changed, 0);
}

void target_on_case_changed(struct target_guard *guard, uint64_t now_us)
{
	if (ADD(case_changed, 1) + 1 >= TARGET_CASE_ROW)
		target_on_case_confirmed(guard, now_us);
}

void target_on_case_confirmed(struct target_guard *guard, uint64_t now_us)
{
	SET(case_changed, 0);
	SET(case_answered, 0);
	SET(case_off_until_us, now_us + TARGET_CASE_OFF_US);
}

void target_on_case_answered(struct target_guard *guard)
{
	if (!target_ignores_case(guard))
		ADD(case_answered, 1);
}

void target_on_case_unsure(struct target_guard *guard, uint64_t now_us)
{
	SET(case_off_until_us, now_us + TARGET_CASE_PAUSE_US);
}
