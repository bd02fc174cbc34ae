/* The health of a target.
 *
 *            silence > allowance, nothing heard since, and
 *            (3 wait | never answered | token)             ┌──────── copies ───────┐
 *     live ──────────────────────────────────────────► suspect ◄──────────────────┘
 *       ▲     patience over and nothing heard since        │
 *       │     unreachable                                  │
 *       └────────────────── any matching answer ───────────┘
 *
 * RTTVAR rises fast and falls slowly (RFC 6298 has 1/4 both ways): a server that is slow for one
 * name in five keeps an allowance that covers those names through the fast answers in between.
 *
 * Everything is a relaxed atomic that several workers write. Two samples at the same moment may
 * become one; a suspicion is begun and ended by exchange, so that exactly one worker counts it.
 * What to do with the questions of a suspect is pending_walk.c's business. */
#include "endpoints/target.h"

#define GET(member)        atomic_load_explicit(&target->member, memory_order_relaxed)
#define SET(member, value) atomic_store_explicit(&target->member, (value), memory_order_relaxed)
#define ADD(member, value) atomic_fetch_add_explicit(&target->member, (value), memory_order_relaxed)

static const char *const error_texts[] = {
#define X(name, text) text,
	TARGET_ERROR_MAP(X)
#undef X
};

const char *target_error_text(enum target_error error)
{
	size_t i = (size_t)error;
	return i < sizeof error_texts / sizeof error_texts[0] ? error_texts[i] : "unknown error";
}

void target_init(struct target *target, const struct address *source, const struct host *host,
		 enum protocol protocol)
{
	memset(target, 0, sizeof *target);
	target->source = *source;
	target->host = *host;
	target->protocol = protocol;
	SET(resend, TARGET_TOKEN);
}

uint64_t target_allowance_us(const struct target *target)
{
	uint64_t srtt = GET(srtt_us), allowance = srtt + 4 * (uint64_t)GET(rttvar_us);

	if (srtt == 0)
		return TARGET_ALLOWANCE_FIRST_US;
	if (allowance < TARGET_ALLOWANCE_MIN_US)
		return TARGET_ALLOWANCE_MIN_US;
	return allowance < TARGET_PATIENCE_US ? allowance : TARGET_PATIENCE_US;
}

bool target_is_suspect(const struct target *target)
{
	return GET(suspect_us) != 0;
}

bool target_is_new(const struct target *target)
{
	return GET(srtt_us) == 0 && GET(waiting) < TARGET_WAITING_SURE;
}

bool target_is_plain(const struct target *target, uint64_t now_us)
{
	return GET(plain_until_us) > now_us;
}

bool target_speaks_edns(const struct target *target)
{
	return GET(speaks_edns) != 0;
}

/* One per hundred questions. Racing workers may overfill by one hundredth each, no more. */
static void budget_earn(_Atomic int32_t *budget)
{
	if (atomic_load_explicit(budget, memory_order_relaxed) < TARGET_TOKEN)
		atomic_fetch_add_explicit(budget, 1, memory_order_relaxed);
}

static bool budget_take(_Atomic int32_t *budget)
{
	int32_t held = atomic_load_explicit(budget, memory_order_relaxed);

	while (held >= TARGET_TOKEN) {
		if (atomic_compare_exchange_weak_explicit(budget, &held, held - TARGET_TOKEN,
							  memory_order_relaxed,
							  memory_order_relaxed))
			return true;
	}
	return false;
}

void target_on_ask(struct target *target, uint64_t now_us)
{
	(void)now_us;
	ADD(asked, 1);
	budget_earn(&target->token);
	budget_earn(&target->resend);
}

void target_wait(struct target *target)
{
	ADD(waiting, 1);
}

void target_unwait(struct target *target)
{
	atomic_fetch_sub_explicit(&target->waiting, 1, memory_order_relaxed);
}

static void take_sample(struct target *target, uint64_t rtt_us)
{
	uint32_t rtt = rtt_us == 0 ? 1 : rtt_us < 60000000 ? (uint32_t)rtt_us : 60000000;
	uint32_t srtt = GET(srtt_us), var = GET(rttvar_us);

	if (srtt == 0) {
		SET(rttvar_us, rtt / 2);
		SET(srtt_us, rtt);
		return;
	}
	uint32_t off = rtt > srtt ? rtt - srtt : srtt - rtt;
	var = off > var ? var + (off - var) / 4 : var - (var - off) / 64;
	srtt = rtt > srtt ? srtt + off / 8 : srtt - off / 8;
	SET(rttvar_us, var);
	SET(srtt_us, srtt == 0 ? 1 : srtt);
}

bool target_on_answer(struct target *target, uint64_t rtt_us, uint64_t now_us)
{
	ADD(answered, 1);
	if (rtt_us != TARGET_NO_SAMPLE)
		take_sample(target, rtt_us);
	SET(heard_us, now_us == 0 ? 1 : now_us);
	if (!target_is_suspect(target)) /* saves the others' cache line an exchange */
		return false;
	return atomic_exchange_explicit(&target->suspect_us, 0, memory_order_relaxed) != 0;
}

static void make_suspect(struct target *target, enum target_error error, uint64_t now_us)
{
	uint64_t trusted = 0;

	SET(last_error, (uint32_t)error);
	if (atomic_compare_exchange_strong_explicit(&target->suspect_us, &trusted,
						    now_us == 0 ? 1 : now_us, memory_order_relaxed,
						    memory_order_relaxed)) {
		SET(copied_us, now_us);
		ADD(suspicions, 1);
	}
}

bool target_on_silence(struct target *target, uint64_t sent_us, bool patience, uint64_t now_us)
{
	if (patience)
		ADD(timeouts, 1);
	if (target_is_suspect(target))
		return true;
	if (GET(heard_us) > sent_us)
		return false;
	if (!patience) {
		bool paid = budget_take(&target->token);
		if (!paid && GET(waiting) < TARGET_WAITING_SURE && GET(srtt_us) != 0)
			return false;
	}
	make_suspect(target, TARGET_ERROR_SILENCE, now_us);
	return true;
}

void target_on_unreachable(struct target *target, enum target_error error, uint64_t now_us)
{
	ADD(errors, 1);
	make_suspect(target, error, now_us);
}

void target_on_error(struct target *target, enum target_error error)
{
	ADD(errors, 1);
	SET(last_error, (uint32_t)error);
}

void target_on_plain(struct target *target, uint64_t now_us)
{
	if (!target_speaks_edns(target))
		SET(plain_until_us, now_us + TARGET_PLAIN_US);
}

void target_on_opt(struct target *target)
{
	if (target_speaks_edns(target)) /* the workers share the cache line */
		return;
	SET(speaks_edns, 1);
	SET(plain_until_us, 0);
}

bool target_wants_copy(const struct target *target, uint64_t now_us)
{
	uint64_t suspect = GET(suspect_us);

	return suspect != 0 && (now_us < suspect + TARGET_COPY_ALL_US ||
				now_us >= GET(copied_us) + TARGET_COPY_EVERY_US);
}

bool target_take_copy(struct target *target, uint64_t now_us)
{
	uint64_t suspect = GET(suspect_us), copied = GET(copied_us);

	if (suspect == 0)
		return false;
	if (now_us < suspect + TARGET_COPY_ALL_US) {
		SET(copied_us, now_us);
	} else if (now_us < copied + TARGET_COPY_EVERY_US ||
		   !atomic_compare_exchange_strong_explicit(&target->copied_us, &copied, now_us,
							    memory_order_relaxed,
							    memory_order_relaxed)) {
		return false; /* not due, or another worker took the turn */
	}
	ADD(copies, 1);
	return true;
}

bool target_take_resend(struct target *target)
{
	return budget_take(&target->resend);
}
