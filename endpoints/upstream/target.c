/* The health of a target.
 *
 *             questions have waited,            its probes have waited 20 ms and four times
 *             and nothing was heard             as long as they took before (800 ms at most),
 *             since they were sent              and nothing was heard since they were sent
 *     live ──────────────────────────► in doubt ──────────────────────► suspect ◄─┐
 *      ▲ ▲ │                              │                             │  ▲  │    │ probes
 *      │ └─┼────────── any reply ─────────┘                             │  │  └────┘
 *      │   └── unreachable; or no known question, ──────────────────────┼──┘
 *      │       and three questions have waited                          │
 *      └─────────────────────── any reply ─────────────────────────────┘
 *
 * RTTVAR rises fast and falls slowly (RFC 6298 uses 1/4 both ways): a server that is slow for one
 * name in five keeps an allowance long enough for these names through the fast answers in between.
 * Such an allowance would also hide a dead server for too long, so a doubt does not wait for it.
 *
 * A target in doubt has probes under way. If the last probes left less than 100 ms ago, the silent
 * question is judged again when that time is over.
 *
 * Several workers write the members as relaxed atomics. Two samples at the same moment may become
 * one. A suspicion begins and ends by an exchange, so that exactly one worker counts it. The known
 * questions have a lock, which an answer only tries to take.
 *
 * Not here: what happens to the questions of a suspect (upstream/failover.c). */
#include "endpoints/upstream/target.h"

#include <assert.h>

#include "rules/base.h"

#define GET(member)        atomic_load_explicit(&target->member, memory_order_relaxed)
#define SET(member, value) atomic_store_explicit(&target->member, (value), memory_order_relaxed)
#define ADD(member, value) atomic_fetch_add_explicit(&target->member, (value), memory_order_relaxed)

void target_init(struct target *target, const struct address *source, const struct host *host,
		 enum protocol protocol)
{
	memset(target, 0, sizeof *target);
	target->source = *source;
	target->host = *host;
	target->protocol = protocol;
	SET(repeats, TARGET_REPEATS);
	SET(suspicion, TARGET_ERROR_SILENCE);
	pthread_mutex_init(&target->known_lock, NULL);
	failures_init(&target->failures);
}

void target_destroy(struct target *target)
{
	pthread_mutex_destroy(&target->known_lock);
	failures_destroy(&target->failures);
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

/* The longest time that the target usually needs. A question that is answered within this time may
 * become a known question. A question that waits longer counts as unanswered (the exceptions are in
 * target_silence_us). */
static uint64_t usual_us(const struct target *target)
{
	uint64_t twice = 2 * (uint64_t)GET(srtt_us);

	return twice > TARGET_ALLOWANCE_MIN_US ? twice : TARGET_ALLOWANCE_MIN_US;
}

/* How long a single question must be silent to raise a doubt. */
static uint64_t alone_us(const struct target *target)
{
	uint64_t allowance = target_allowance_us(target);
	uint64_t most = usual_us(target);

	if (most < TARGET_PATIENCE_US / 2)
		most = TARGET_PATIENCE_US / 2;
	return allowance < most ? allowance : most;
}

uint64_t target_silence_us(const struct target *target)
{
	uint64_t allowance = target_allowance_us(target), usual = usual_us(target);

	return usual < allowance && GET(learnt_us) != 0 ? usual : allowance;
}

bool target_is_suspect(const struct target *target)
{
	return GET(suspect_us) != 0;
}

uint64_t target_suspect_us(const struct target *target)
{
	return GET(suspect_us);
}

uint64_t target_revived_us(const struct target *target)
{
	return GET(revived_us);
}

enum target_error target_suspicion(const struct target *target)
{
	return (enum target_error)GET(suspicion);
}

bool target_is_doubted(const struct target *target)
{
	return GET(doubt_us) != 0;
}

bool target_never_answered(const struct target *target)
{
	return GET(srtt_us) == 0;
}

uint64_t target_heard_us(const struct target *target)
{
	return GET(heard_us);
}

bool target_is_untried(const struct target *target)
{
	return target_never_answered(target) && GET(waiting) >= TARGET_UNANSWERED;
}

bool target_is_plain(const struct target *target, uint64_t now_us)
{
	return GET(plain_until_us) > now_us;
}

bool target_speaks_edns(const struct target *target)
{
	return GET(speaks_edns) != 0;
}

/* Racing workers may exceed the maximum by what each of them adds. */
static void earn(struct target *target, int32_t hundredths)
{
	int32_t room = TARGET_TOKENS * TARGET_TOKEN - GET(tokens);

	if (room > 0)
		ADD(tokens, hundredths < room ? hundredths : room);
}

bool target_take_token(struct target *target)
{
	int32_t held = GET(tokens);

	while (held >= TARGET_TOKEN) {
		if (atomic_compare_exchange_weak_explicit(&target->tokens, &held,
							  held - TARGET_TOKEN, memory_order_relaxed,
							  memory_order_relaxed))
			return true;
	}
	return false;
}

void target_return_token(struct target *target)
{
	earn(target, TARGET_TOKEN);
}

bool target_has_repeats(const struct target *target)
{
	return GET(repeats) > 0;
}

void target_take_repeat(struct target *target)
{
	ADD(repeats, -1);
}

void target_on_ask(struct target *target)
{
	ADD(asked, 1);
	earn(target, 1);
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

static void count_suspect(struct target *target, uint32_t more)
{
	if (target->suspects)
		atomic_fetch_add_explicit(target->suspects, more, memory_order_relaxed);
}

static bool end_suspicion(struct target *target, uint64_t now_us)
{
	if (atomic_exchange_explicit(&target->suspect_us, 0, memory_order_relaxed) == 0)
		return false;
	SET(revived_us, now_us);
	count_suspect(target, (uint32_t)-1);
	return true;
}

bool target_on_answer(struct target *target, uint64_t rtt_us, uint64_t now_us)
{
	ADD(answered, 1);
	return target_on_life(target, rtt_us, now_us);
}

bool target_on_life(struct target *target, uint64_t rtt_us, uint64_t now_us)
{
	if (rtt_us != TARGET_NO_SAMPLE) {
		take_sample(target, rtt_us);
		if (GET(heard_us) != now_us)
			histogram_add_shared(&target->durations, rtt_us);
	}
	SET(heard_us, now_us == 0 ? 1 : now_us);
	if (GET(repeats) < TARGET_REPEATS)
		ADD(repeats, 1);
	if (GET(unanswered) != 0) /* write only changes: workers share the cache line */
		SET(unanswered, 0);
	if (GET(doubt_us) != 0)
		SET(doubt_us, 0);
	return target_is_suspect(target) && end_suspicion(target, now_us);
}

/* ---- known questions ---- */

bool target_may_learn(const struct target *target, uint64_t rtt_us, uint64_t now_us)
{
	uint64_t learnt = GET(learnt_us);

	if (rtt_us == TARGET_NO_SAMPLE || now_us < learnt + TARGET_LEARN_US)
		return false;
	return learnt == 0 || rtt_us <= usual_us(target);
}

/* Each client has at most one known question. So if the names of one client are no longer answered,
 * another client's question still shows whether the target is alive. A third client's question
 * replaces the older one. */
void target_learn(struct target *target, const struct target_question *question, uint64_t now_us)
{
	struct target_question *known = target->known;

	if (pthread_mutex_trylock(&target->known_lock) != 0)
		return;
	SET(learnt_us, now_us);
	if (known[0].length > 0 && !address_equal(&known[0].client, &question->client))
		known[1] = known[0];
	known[0] = *question;
	pthread_mutex_unlock(&target->known_lock);
}

unsigned target_known(struct target *target, struct target_question *questions)
{
	unsigned count = 0;

	pthread_mutex_lock(&target->known_lock);
	while (count < TARGET_KNOWN && target->known[count].length > 0) {
		questions[count] = target->known[count];
		count++;
	}
	pthread_mutex_unlock(&target->known_lock);
	return count;
}

bool target_knows_nothing(const struct target *target)
{
	return GET(learnt_us) == 0;
}

void target_miss(struct target *target, const struct target_question *question)
{
	if (pthread_mutex_trylock(&target->known_lock) != 0)
		return;
	target->missed = *question;
	pthread_mutex_unlock(&target->known_lock);
}

bool target_take_missed(struct target *target, struct target_question *question)
{
	pthread_mutex_lock(&target->known_lock);
	*question = target->missed;
	target->missed.length = 0;
	pthread_mutex_unlock(&target->known_lock);
	return question->length > 0;
}

/* ---- silence ---- */

static void make_suspect(struct target *target, enum target_error error, uint64_t now_us)
{
	uint64_t trusted = 0;

	SET(last_error, (uint32_t)error);
	SET(doubt_us, 0);
	SET(probed_us, now_us);
	if (atomic_compare_exchange_strong_explicit(&target->suspect_us, &trusted,
						    now_us == 0 ? 1 : now_us, memory_order_relaxed,
						    memory_order_relaxed)) {
		SET(suspicion, (uint32_t)error);
		ADD(suspicions, 1);
		count_suspect(target, 1);
	}
}

/* Whether the pause since the last probe is over, and no other worker has taken this turn. */
static bool take_turn(struct target *target, uint64_t pause_us, uint64_t now_us)
{
	uint64_t probed = GET(probed_us);

	return now_us >= probed + pause_us &&
	       atomic_compare_exchange_strong_explicit(&target->probed_us, &probed, now_us,
						       memory_order_relaxed, memory_order_relaxed);
}

enum target_silence target_on_silence(struct target *target, uint64_t sent_us, bool *counted,
				      uint64_t *again_us, uint64_t now_us)
{
	uint64_t alone = sent_us + alone_us(target);

	if (target_is_suspect(target))
		return TARGET_SUSPECT;
	if (GET(heard_us) > sent_us)
		return TARGET_TALKS;
	if (!*counted)
		ADD(unanswered, 1);
	*counted = true;
	bool enough = GET(unanswered) >= TARGET_UNANSWERED;
	if (GET(learnt_us) == 0) {
		if (!enough)
			return TARGET_TALKS;
		make_suspect(target, TARGET_ERROR_SILENCE, now_us);
		return TARGET_SUSPECT;
	}
	if (!enough && now_us < alone) {
		*again_us = alone;
		return TARGET_WAITS;
	}
	if (!take_turn(target, TARGET_PROBE_US, now_us)) {
		*again_us = GET(probed_us) + TARGET_PROBE_US;
		return TARGET_WAITS;
	}
	SET(doubt_us, now_us == 0 ? 1 : now_us);
	return TARGET_DOUBTED;
}

/* A reply to any probe is a sign of life, so the wait is long enough for the slowest. */
uint64_t target_probe_wait_us(const struct target_question *questions, unsigned count)
{
	uint64_t longest = 0;

	for (unsigned i = 0; i < count; i++)
		longest = questions[i].took_us > longest ? questions[i].took_us : longest;
	uint64_t wait = TARGET_ALLOWANCE_MIN_US + 4 * longest;
	return wait < TARGET_PATIENCE_US ? wait : TARGET_PATIENCE_US;
}

bool target_on_probe_silence(struct target *target, uint64_t sent_us, uint64_t now_us)
{
	if (target_is_suspect(target))
		return true;
	if (GET(heard_us) > sent_us)
		return false;
	make_suspect(target, TARGET_ERROR_SILENCE, now_us);
	return true;
}

void target_end_doubt(struct target *target)
{
	SET(doubt_us, 0);
}

void target_on_probe(struct target *target)
{
	ADD(probes, 1);
}

void target_on_timeout(struct target *target)
{
	ADD(timeouts, 1);
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

enum target_error target_answers(struct target *target, uint64_t now_us)
{
	struct failures_now now;

	failures_read(&target->failures, now_us, &now);
	return now.kind == FAILURES_OF_ERRORS ? now.error : TARGET_ERROR_NONE;
}

void target_on_worthless(struct target *target, uint64_t name, uint16_t type,
			 enum target_error error, uint64_t now_us)
{
	if (target_error_is_answer(error))
		failures_add(&target->failures, name, type, error, NULL, now_us, now_us);
}

/* Racing workers may count a name twice or lose one, which does no harm. */
void target_on_plain(struct target *target, uint64_t name, uint64_t now_us)
{
	if (target_speaks_edns(target))
		return;
	if (GET(plain_row) < TARGET_PLAIN_ROW && (GET(plain_row) == 0 || GET(plain_name) != name)) {
		SET(plain_name, name);
		ADD(plain_row, 1);
	}
	if (GET(plain_row) >= TARGET_PLAIN_ROW)
		SET(plain_until_us, now_us + TARGET_PLAIN_US);
}

void target_on_opt_read(struct target *target)
{
	if (GET(plain_row) != 0) /* the workers share the cache line */
		SET(plain_row, 0);
}

void target_on_opt(struct target *target)
{
	if (target_speaks_edns(target)) /* the workers share the cache line */
		return;
	SET(speaks_edns, 1);
	SET(plain_until_us, 0);
}

/* ---- probes ---- */

/* A quarter of the time since it became suspect, so that a target that is soon back is soon
 * noticed. */
static uint64_t pause_us(const struct target *target, uint64_t least_us, uint64_t most_us,
			 uint64_t now_us)
{
	uint64_t suspect = GET(suspect_us);
	uint64_t pause = now_us > suspect ? (now_us - suspect) / 4 : 0;

	if (pause < least_us)
		return least_us;
	return pause < most_us ? pause : most_us;
}

static uint64_t probe_pause_us(const struct target *target, uint64_t now_us)
{
	return pause_us(target, TARGET_PROBE_US, TARGET_PROBE_MAX_US, now_us);
}

static uint64_t recheck_pause_us(const struct target *target, uint64_t now_us)
{
	return pause_us(target, TARGET_RECHECK_US, TARGET_RECHECK_MAX_US, now_us);
}

bool target_wants_probe(const struct target *target, uint64_t now_us)
{
	return target_is_suspect(target) &&
	       now_us >= GET(probed_us) + probe_pause_us(target, now_us);
}

bool target_take_probe(struct target *target, uint64_t now_us)
{
	return target_is_suspect(target) &&
	       take_turn(target, probe_pause_us(target, now_us), now_us);
}

bool target_wants_recheck(const struct target *target, uint64_t now_us)
{
	return target_is_suspect(target) &&
	       now_us >= GET(probed_us) + recheck_pause_us(target, now_us);
}

bool target_take_recheck(struct target *target, uint64_t now_us)
{
	return target_is_suspect(target) &&
	       take_turn(target, recheck_pause_us(target, now_us), now_us);
}

uint64_t target_probed_us(const struct target *target)
{
	return GET(probed_us);
}

/* ---- replies that match nothing ---- */

void target_on_mismatch(struct target *target, const struct host *from, uint64_t now_us)
{
	uint64_t noted = GET(other_us);

	ADD(mismatched, 1);
	SET(mismatched_us, now_us);
	if (!from || (noted != 0 && now_us < noted + TARGET_OTHER_PACE_US) ||
	    pthread_mutex_trylock(&target->known_lock) != 0)
		return;
	target->other = *from;
	SET(other_us, now_us);
	pthread_mutex_unlock(&target->known_lock);
}

/* A duplicate of the target's own answer is a mismatch, too. So a mismatch counts only if the
 * target had been silent for TARGET_OTHER_ALONE_US before it. */
char *target_other_text(struct target *target, uint64_t now_us, char text[TARGET_OTHER_TEXT])
{
	uint64_t at = GET(mismatched_us), other_us = GET(other_us), heard_us = GET(heard_us);
	char host[HOST_TEXT_MAX];

	*text = '\0';
	if (at == 0 || now_us >= at + TARGET_OTHER_US ||
	    (heard_us != 0 && at < heard_us + TARGET_OTHER_ALONE_US))
		return text;
	if (other_us == 0 || now_us >= other_us + TARGET_OTHER_US) {
		snprintf(text, TARGET_OTHER_TEXT,
			 "answers come that match no open question; they may be late");
		return text;
	}
	pthread_mutex_lock(&target->known_lock);
	host_print(&target->other, host);
	pthread_mutex_unlock(&target->known_lock);
	snprintf(text, TARGET_OTHER_TEXT, "something else answers: %s", host);
	return text;
}

/* ---- the letters of a question ---- */

void target_on_case_kept(struct target *target)
{
	if (GET(case_changed) != 0) /* the workers share the cache line */
		SET(case_changed, 0);
}

void target_on_case_changed(struct target *target, uint64_t now_us)
{
	if (ADD(case_changed, 1) + 1 >= TARGET_CASE_ROW)
		target_on_case_confirmed(target, now_us);
}

void target_on_case_confirmed(struct target *target, uint64_t now_us)
{
	SET(case_changed, 0);
	SET(case_answered, 0);
	SET(case_off_until_us, now_us + TARGET_CASE_OFF_US);
}

void target_on_case_answered(struct target *target)
{
	if (!target_ignores_case(target))
		ADD(case_answered, 1);
}

void target_on_case_unsure(struct target *target, uint64_t now_us)
{
	SET(case_off_until_us, now_us + TARGET_CASE_PAUSE_US);
}

/* ---- all targets, by (source, address, port, protocol) ----
 *
 * A policy takes a reference to each of its targets while it is being prepared, and returns the
 * references when it is freed. At a reload the new policy takes its references before the old
 * policy is freed, so health and counters outlive the reload. A mutex is enough, because no query
 * uses the registry. */

enum { REGISTRY_BUCKETS = 4096 };

struct target_registry {
	pthread_mutex_t lock;
	_Atomic uint32_t suspects;
	_Atomic uint64_t rechecked_us; /* when a worker last looked for suspects to probe */
	uint64_t listings;
	struct target *buckets[REGISTRY_BUCKETS];
};

/* Only the operator chooses the keys, so a plain multiplicative hash is enough. */
static unsigned bucket_of(const struct address *source, const struct host *host,
			  enum protocol protocol)
{
	uint64_t hash = (uint64_t)host->port << 1 | (uint64_t)protocol;

	for (size_t i = 0; i < sizeof source->bytes; i++) {
		hash = (hash ^ source->bytes[i]) * 0x100000001b3;
		hash = (hash ^ host->address.bytes[i]) * 0x100000001b3;
	}
	return (unsigned)((hash ^ hash >> 32) % REGISTRY_BUCKETS);
}

struct target_registry *target_registry_new(void)
{
	struct target_registry *registry = calloc(1, sizeof *registry);

	if (!registry)
		return NULL;
	pthread_mutex_init(&registry->lock, NULL);
	return registry;
}

void target_registry_free(struct target_registry *registry)
{
	if (!registry)
		return;
	for (unsigned i = 0; i < REGISTRY_BUCKETS; i++) {
		struct target *next;
		for (struct target *target = registry->buckets[i]; target; target = next) {
			next = target->next;
			target_destroy(target);
			free(target);
		}
	}
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}

static struct target *find(struct target *target, const struct address *source,
			   const struct host *host, enum protocol protocol)
{
	while (target && !(target->protocol == protocol && host_equal(&target->host, host) &&
			   address_equal(&target->source, source)))
		target = target->next;
	return target;
}

struct target *target_acquire(struct target_registry *registry, const struct address *source,
			      const struct host *host, enum protocol protocol)
{
	struct target **bucket = &registry->buckets[bucket_of(source, host, protocol)];

	pthread_mutex_lock(&registry->lock);
	struct target *target = find(*bucket, source, host, protocol);
	if (!target) {
		target = malloc(sizeof *target);
		if (target) {
			target_init(target, source, host, protocol);
			target->suspects = &registry->suspects;
			target->next = *bucket;
			*bucket = target;
		}
	}
	if (target)
		target->references++;
	pthread_mutex_unlock(&registry->lock);
	return target;
}

void target_release(struct target_registry *registry, struct target *target)
{
	unsigned bucket = bucket_of(&target->source, &target->host, target->protocol);

	pthread_mutex_lock(&registry->lock);
	assert(target->references > 0);
	if (--target->references == 0) {
		struct target **link = &registry->buckets[bucket];
		while (*link != target)
			link = &(*link)->next;
		*link = target->next;
		end_suspicion(target, 0);
		target_destroy(target);
		free(target);
	}
	pthread_mutex_unlock(&registry->lock);
}

uint64_t target_registry_new_listing(struct target_registry *registry)
{
	return ++registry->listings;
}

uint32_t target_registry_suspects(const struct target_registry *registry)
{
	return atomic_load_explicit(&registry->suspects, memory_order_relaxed);
}

bool target_registry_take_turn(struct target_registry *registry, uint64_t now_us)
{
	uint64_t last = atomic_load_explicit(&registry->rechecked_us, memory_order_relaxed);

	return now_us >= last + 1000000 &&
	       atomic_compare_exchange_strong_explicit(&registry->rechecked_us, &last, now_us,
						       memory_order_relaxed, memory_order_relaxed);
}
