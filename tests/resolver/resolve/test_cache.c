#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "endpoints/upstream/lookup.h"
#include "resolver/resolve/cache.h"
#include "resolver/resolve/reply.h"
#include "tests/lib/message_text.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/random.h"

enum { S = 1000 * 1000, BEGIN = 1000 * S, STALE_MAX_S = 3600, SIZE = 64 << 20 };

static const struct cache_settings settings = {
	.ttl_max = 86400, .negative_ttl_max = 3600, .stale_max = STALE_MAX_S};

static int setup(void **state)
{
	*state = cache_new(SIZE);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	cache_free(*state);
	return 0;
}

/* ---- entries ---- */

/* An answer of one A record with that TTL, or (ttl < 0) a failure. */
static struct cache_entry *entry_new(uint64_t leg, const char *text, int ttl, uint64_t now_us)
{
	struct name name = test_name(text);
	const struct leg asked = {.id = leg};
	const struct lookup_key key = {.leg = &asked, .name = &name, .type = TYPE_A};
	uint8_t query[MESSAGE_UDP_MIN], wire[MESSAGE_MAX], buffer[MESSAGE_MAX];
	struct ask_result result = {.outcome = ASK_FAILED};
	char record[400];

	if (ttl >= 0) {
		size_t length = request_write(query, 1, FLAG_RD, text, TYPE_A, CLASS_IN, 0, false);
		snprintf(record, sizeof record, "answer %s %d IN A 192.0.2.1", text, ttl);
		result.outcome = ASK_ANSWERED;
		result.length = reply_write(wire, query, length, RCODE_NOERROR, 0, record);
		result.wire = wire;
		assert_true(result.length > 0);
	}
	return reply_entry(&key, &result, &settings, &test_key, buffer, now_us);
}

static void put(struct cache *cache, uint64_t leg, const char *text, int ttl, uint64_t now_us)
{
	struct name name = test_name(text);
	const struct cache_key key = {.leg = leg, .name = &name, .type = TYPE_A};
	struct cache_entry *entry = entry_new(leg, text, ttl, now_us);

	assert_non_null(entry);
	cache_put(cache, &key, entry, now_us, STALE_MAX_S);
	cache_entry_unref(entry);
}

static enum cache_state get(struct cache *cache, uint64_t leg, const char *text, uint64_t now_us)
{
	struct name name = test_name(text);
	const struct cache_key key = {.leg = leg, .name = &name, .type = TYPE_A};
	struct cache_entry *entry = NULL;
	enum cache_state state = cache_get(cache, &key, now_us, STALE_MAX_S, &entry);

	assert_true((state == CACHE_MISS) == (entry == NULL));
	cache_entry_unref(entry);
	return state;
}

static struct cache_stats stats_of(struct cache *cache)
{
	struct cache_stats stats;

	cache_read_stats(cache, &stats);
	return stats;
}

/* ---- finding ---- */

static void an_entry_is_found_by_the_whole_of_its_key(void **state)
{
	struct name name = test_name("www.example."), other = test_name("xww.example.");
	const struct cache_key right = {.leg = 1, .name = &name, .type = TYPE_A};
	struct cache_key wrong[] = {right, right, right, right, right};
	struct cache_entry *entry = NULL;

	wrong[0].leg = 2;
	wrong[1].name = &other;
	wrong[2].type = TYPE_AAAA;
	wrong[3].dnssec_ok = true;
	wrong[4].checking_disabled = true;
	put(*state, 1, "www.example.", 60, BEGIN);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(cache_get(*state, &wrong[i], BEGIN, STALE_MAX_S, &entry),
				 CACHE_MISS);
	assert_int_equal(cache_get(*state, &right, BEGIN, STALE_MAX_S, &entry), CACHE_FRESH);
	assert_true(cache_entry_matches(entry, &right));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(cache_entry_matches(entry, &wrong[i]));
	cache_entry_unref(entry);
	assert_int_equal(stats_of(*state).hits, 1);
	assert_int_equal(stats_of(*state).misses, 5);
}

static void an_entry_is_fresh_until_its_ttl_and_stale_for_stale_max(void **state)
{
	uint64_t expires = BEGIN + 60ULL * S, gone = expires + (uint64_t)STALE_MAX_S * S;

	put(*state, 1, "www.example.", 60, BEGIN);
	assert_int_equal(get(*state, 1, "www.example.", BEGIN), CACHE_FRESH);
	assert_int_equal(get(*state, 1, "www.example.", expires - 1), CACHE_FADING);
	assert_int_equal(get(*state, 1, "www.example.", expires), CACHE_STALE);
	assert_int_equal(get(*state, 1, "www.example.", gone - 1), CACHE_STALE);
	assert_int_equal(get(*state, 1, "www.example.", gone), CACHE_MISS);
}

static void nothing_is_stale_when_stale_max_is_0(void **state)
{
	struct name name = test_name("www.example.");
	const struct cache_key key = {.leg = 1, .name = &name, .type = TYPE_A};
	struct cache_entry *entry = NULL;

	put(*state, 1, "www.example.", 60, BEGIN);
	assert_int_equal(cache_get(*state, &key, BEGIN + 60ULL * S, 0, &entry), CACHE_MISS);
}

static void of_an_answer_without_room_nothing_is_kept_and_the_older_one_goes(void **state)
{
	struct name name = test_name("www.example.");
	const struct cache_key key = {.leg = 1, .name = &name, .type = TYPE_A};
	struct cache_entry *large = entry_new(1, "www.example.", 60, BEGIN);

	assert_non_null(large);
	put(*state, 1, "www.example.", 60, BEGIN);
	large->bytes = UINT32_MAX;
	cache_put(*state, &key, large, BEGIN, STALE_MAX_S);
	cache_entry_unref(large);
	assert_int_equal(get(*state, 1, "www.example.", BEGIN), CACHE_MISS);
}

static void a_newer_answer_takes_the_place_of_an_older_one(void **state)
{
	put(*state, 1, "www.example.", 60, BEGIN);
	put(*state, 1, "www.example.", 60, BEGIN + 30ULL * S);
	assert_int_equal(stats_of(*state).entries, 1);
	assert_int_equal(get(*state, 1, "www.example.", BEGIN + 89ULL * S), CACHE_FRESH);
}

/* ---- who has asked ---- */

/* As it is found now; it stays in the cache. */
static struct cache_entry *found(struct cache *cache, const char *text, uint64_t now_us)
{
	struct name name = test_name(text);
	const struct cache_key key = {.leg = 1, .name = &name, .type = TYPE_A};
	struct cache_entry *entry = NULL;

	assert_int_not_equal(cache_get(cache, &key, now_us, STALE_MAX_S, &entry), CACHE_MISS);
	cache_entry_unref(entry);
	return entry;
}

static void the_networks_that_have_asked_are_known_as_far_as_there_is_room(void **state)
{
	static const uint16_t networks[] = {7, UINT16_MAX, 1, 256};

	put(*state, 1, "www.example.", 60, BEGIN);
	struct cache_entry *entry = found(*state, "www.example.", BEGIN);
	cache_entry_note_asker(entry, 0);
	assert_false(cache_entry_has_asker(entry, 0));
	for (unsigned i = 0; i < 4; i++) {
		assert_false(cache_entry_has_asker(entry, networks[i]));
		cache_entry_note_asker(entry, networks[i]);
		cache_entry_note_asker(entry, networks[0]);
		cache_entry_note_asker(entry, networks[i]);
		assert_true(cache_entry_has_asker(entry, networks[i]));
	}
	cache_entry_note_asker(entry, 8);
	assert_false(cache_entry_has_asker(entry, 8) || cache_entry_has_asker(entry, 0));
	for (unsigned i = 0; i < 4; i++)
		assert_true(cache_entry_has_asker(entry, networks[i]));
}

static void who_has_asked_goes_on_with_an_answer_that_is_renewed_in_time(void **state)
{
	put(*state, 1, "www.example.", 60, BEGIN);
	cache_entry_note_asker(found(*state, "www.example.", BEGIN), 7);
	put(*state, 1, "www.example.", 60, BEGIN + 59ULL * S);
	assert_true(cache_entry_has_asker(found(*state, "www.example.", BEGIN + 59ULL * S), 7));
	put(*state, 1, "www.example.", 60, BEGIN + 119ULL * S);
	assert_false(cache_entry_has_asker(found(*state, "www.example.", BEGIN + 119ULL * S), 7));
}

/* ---- fading ---- */

static void an_answer_that_was_hit_before_fades_in_the_last_tenth_of_its_time(void **state)
{
	uint64_t fades = BEGIN + 54ULL * S;

	put(*state, 1, "www.example.", 60, BEGIN);
	put(*state, 1, "once.example.", 60, BEGIN);
	assert_int_equal(get(*state, 1, "www.example.", fades - 1), CACHE_FRESH);
	assert_int_equal(get(*state, 1, "www.example.", fades - 1), CACHE_FRESH);
	assert_int_equal(get(*state, 1, "www.example.", fades), CACHE_FADING);
	assert_int_equal(get(*state, 1, "once.example.", fades), CACHE_FRESH);
	assert_int_equal(get(*state, 1, "once.example.", fades), CACHE_FADING);
	assert_int_equal(stats_of(*state).hits, 5);
	put(*state, 1, "www.example.", 60, fades);
	assert_int_equal(get(*state, 1, "www.example.", fades + 54ULL * S), CACHE_FRESH);
}

static void less_than_ten_seconds_do_not_fade_nor_do_failures(void **state)
{
	uint64_t late = BEGIN + 9ULL * S;

	put(*state, 1, "nine.example.", 9, BEGIN);
	put(*state, 1, "ten.example.", 10, BEGIN);
	put(*state, 1, "fails.example.", -1, BEGIN);
	get(*state, 1, "nine.example.", late - 1);
	get(*state, 1, "ten.example.", late - 1);
	get(*state, 1, "fails.example.", BEGIN);
	assert_int_equal(get(*state, 1, "nine.example.", late - 1), CACHE_FRESH);
	assert_int_equal(get(*state, 1, "ten.example.", late - 1), CACHE_FRESH);
	assert_int_equal(get(*state, 1, "ten.example.", late), CACHE_FADING);
	assert_int_equal(get(*state, 1, "fails.example.", BEGIN + FAILURE_TTL_US - 1), CACHE_FRESH);
}

static void a_fading_answer_is_claimed_once_and_is_fresh_then(void **state)
{
	struct name name = test_name("www.example.");
	const struct cache_key key = {.leg = 1, .name = &name, .type = TYPE_A};
	uint64_t late = BEGIN + 55ULL * S;
	struct cache_entry *entry = NULL;

	put(*state, 1, "www.example.", 60, BEGIN);
	get(*state, 1, "www.example.", BEGIN);
	assert_int_equal(cache_get(*state, &key, late, STALE_MAX_S, &entry), CACHE_FADING);
	assert_true(cache_entry_claim(entry));
	assert_false(cache_entry_claim(entry));
	cache_entry_unref(entry);
	assert_int_equal(get(*state, 1, "www.example.", late), CACHE_FRESH);
}

static void a_failure_leaves_a_fresh_answer_and_no_reason_to_ask_again(void **state)
{
	uint64_t late = BEGIN + 55ULL * S;

	put(*state, 1, "www.example.", 60, BEGIN);
	get(*state, 1, "www.example.", BEGIN);
	put(*state, 1, "www.example.", -1, late);
	assert_int_equal(get(*state, 1, "www.example.", BEGIN + 60ULL * S - 1), CACHE_FRESH);
}

/* ---- failures ---- */

static void a_failure_is_kept_for_a_second_and_never_stale(void **state)
{
	put(*state, 1, "www.example.", -1, BEGIN);
	assert_int_equal(get(*state, 1, "www.example.", BEGIN + FAILURE_TTL_US - 1), CACHE_FRESH);
	assert_int_equal(get(*state, 1, "www.example.", BEGIN + FAILURE_TTL_US), CACHE_MISS);
}

static void a_failure_does_not_replace_a_stale_answer_but_holds_back_the_next_question(void **state)
{
	struct name name = test_name("www.example.");
	const struct cache_key key = {.leg = 1, .name = &name, .type = TYPE_A};
	uint64_t later = BEGIN + 100ULL * S;
	struct cache_entry *entry = NULL;

	put(*state, 1, "www.example.", 60, BEGIN);
	put(*state, 1, "www.example.", -1, later);
	assert_int_equal(cache_get(*state, &key, later, STALE_MAX_S, &entry), CACHE_STALE);
	assert_false(entry->failed);
	assert_true(atomic_load(&entry->again_us) == later + FAILURE_TTL_US);
	cache_entry_unref(entry);
}

static void a_failure_replaces_an_answer_that_is_too_old_to_be_given(void **state)
{
	uint64_t later = BEGIN + (60ULL + STALE_MAX_S) * S;

	put(*state, 1, "www.example.", 60, BEGIN);
	put(*state, 1, "www.example.", -1, later);
	assert_int_equal(get(*state, 1, "www.example.", later), CACHE_FRESH);
	assert_int_equal(stats_of(*state).entries, 1);
}

static void an_answer_replaces_a_failure(void **state)
{
	put(*state, 1, "www.example.", -1, BEGIN);
	put(*state, 1, "www.example.", 60, BEGIN);
	assert_int_equal(get(*state, 1, "www.example.", BEGIN + 59ULL * S), CACHE_FRESH);
}

/* ---- room ---- */

static void put_many(struct cache *cache, const char *format, unsigned from, unsigned to)
{
	char text[64];

	for (unsigned i = from; i < to; i++) {
		snprintf(text, sizeof text, format, i);
		put(cache, 1, text, 60, BEGIN);
	}
}

static unsigned count_found(struct cache *cache, const char *format, unsigned count)
{
	unsigned found = 0;
	char text[64];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof text, format, i);
		found += get(cache, 1, text, BEGIN) == CACHE_FRESH;
	}
	return found;
}

static void the_bytes_never_exceed_the_size(void **state)
{
	enum { SMALL = 1 << 20 };
	(void)state;
	struct cache *cache = cache_new(SMALL);

	for (unsigned i = 0; i < 10; i++) {
		put_many(cache, "n%u.example.", i * 1000, (i + 1) * 1000);
		assert_true(stats_of(cache).bytes <= SMALL);
	}
	struct cache_stats stats = stats_of(cache);
	assert_true(stats.bytes > SMALL / 2); /* and it is used */
	assert_int_equal(stats.inserted, 10000);
	assert_int_equal(stats.entries + stats.evicted, 10000);

	cache_resize(cache, SMALL / 4);
	assert_true(stats_of(cache).bytes <= SMALL / 4);
	cache_resize(cache, 0);
	assert_int_equal(stats_of(cache).entries, 0);
	put(cache, 1, "www.example.", 60, BEGIN);
	assert_int_equal(stats_of(cache).entries, 0);
	cache_free(cache);
}

/* Buckets are seldom full before the cache is. */
static void what_there_is_room_for_is_kept(void **state)
{
	enum { NAMES = 49000 }; /* where buckets are fullest, before the tables double */
	struct cache *cache = *state;

	put_many(cache, "n%u.example.", 0, NAMES);
	assert_true(stats_of(cache).bytes < SIZE / 2);
	assert_in_range(count_found(cache, "n%u.example.", NAMES), NAMES / 1000 * 995, NAMES);
}

/* SIEVE: what has been asked again stays, what was asked once makes room. */
static void popular_names_survive_a_scan(void **state)
{
	enum { SMALL = 1 << 20, POPULAR = 500, SCAN = 20000 };
	(void)state;
	struct cache *cache = cache_new(SMALL);

	put_many(cache, "popular%u.example.", 0, POPULAR);
	for (unsigned i = 0; i < SCAN; i += 500) {
		assert_true(count_found(cache, "popular%u.example.", POPULAR) > POPULAR * 9 / 10);
		put_many(cache, "scan%u.example.", i, i + 500);
	}
	assert_true(stats_of(cache).evicted > SCAN / 2);
	assert_true(count_found(cache, "popular%u.example.", POPULAR) > POPULAR * 9 / 10);
	cache_free(cache);
}

static void an_entry_stays_whole_past_its_eviction_while_it_is_referenced(void **state)
{
	struct name name = test_name("www.example.");
	const struct cache_key key = {.leg = 1, .name = &name, .type = TYPE_A};
	struct cache_entry *entry = NULL;

	put(*state, 1, "www.example.", 60, BEGIN);
	assert_int_equal(cache_get(*state, &key, BEGIN, STALE_MAX_S, &entry), CACHE_FRESH);
	assert_int_equal(cache_flush(*state, NULL, false), 1);
	assert_int_equal(get(*state, 1, "www.example.", BEGIN), CACHE_MISS);
	assert_true(cache_entry_matches(entry, &key));
	assert_int_equal(entry->answers, 1);
	assert_ptr_equal(cache_entry_ref(entry), entry);
	cache_entry_unref(entry);
	assert_int_equal(entry->answers, 1);
	cache_entry_unref(entry);
	cache_entry_unref(NULL);
}

/* ---- flushing ---- */

static void flushing_takes_one_name_or_all_below_it_or_everything(void **state)
{
	struct name corp = test_name("Corp.example."), root = test_name(".");
	struct cache *cache = *state;

	put(cache, 1, "corp.example.", 60, BEGIN);
	put(cache, 2, "corp.example.", 60, BEGIN);
	put(cache, 1, "www.corp.example.", 60, BEGIN);
	put(cache, 1, "a.b.corp.example.", 60, BEGIN);
	put(cache, 1, "xcorp.example.", 60, BEGIN);
	put(cache, 1, "example.", 60, BEGIN);
	assert_int_equal(cache_flush(cache, &corp, false), 2);
	assert_int_equal(get(cache, 1, "corp.example.", BEGIN), CACHE_MISS);
	assert_int_equal(get(cache, 1, "www.corp.example.", BEGIN), CACHE_FRESH);
	assert_int_equal(cache_flush(cache, &corp, true), 2);
	assert_int_equal(get(cache, 1, "xcorp.example.", BEGIN), CACHE_FRESH);
	assert_int_equal(cache_flush(cache, &root, false), 0);
	assert_int_equal(cache_flush(cache, &root, true), 2);
	put(cache, 1, "corp.example.", 60, BEGIN);
	assert_int_equal(cache_flush(cache, NULL, false), 1);
	assert_int_equal(stats_of(cache).bytes, 0);
}

/* Bytes that look like the suffix, but begin within a label. */
static void flushing_below_a_name_begins_at_a_label(void **state)
{
	struct name corp = test_name("corp.example."), longer = test_name("x.corp.example.");
	struct cache *cache = *state;

	put(cache, 1, "x\\004corp.example.", 60, BEGIN);
	put(cache, 1, "a.\\004corp.example.", 60, BEGIN);
	put(cache, 1, "corp.example.", 60, BEGIN);
	assert_int_equal(cache_flush(cache, &longer, true), 0);
	assert_int_equal(cache_flush(cache, &corp, true), 1);
	assert_int_equal(get(cache, 1, "corp.example.", BEGIN), CACHE_MISS);
	assert_int_equal(get(cache, 1, "x\\004corp.example.", BEGIN), CACHE_FRESH);
	assert_int_equal(get(cache, 1, "a.\\004corp.example.", BEGIN), CACHE_FRESH);
}

/* Nobody hashes a name a second time when it is put in, or with a shard locked. */
static void an_entry_brings_the_hash_of_what_was_asked(void **state)
{
	struct name name = test_name("www.example.");
	const struct cache_key key = {.leg = 7, .name = &name, .type = TYPE_A};
	struct cache_entry *answer = entry_new(7, "www.example.", 60, BEGIN);
	struct cache_entry *failure = entry_new(7, "www.example.", -1, BEGIN);

	(void)state;
	assert_true(answer->hash == cache_hash(&key));
	assert_true(failure->hash == cache_hash(&key));
	cache_entry_unref(answer);
	cache_entry_unref(failure);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 4000, HAMMERED = 300 };

struct hammer {
	struct cache *cache;
	uint64_t random;
	unsigned wrong, claims;
};

/* Whatever is found must be the name that was asked for, and whole. */
static void *hammer(void *context)
{
	struct hammer *h = context;
	char text[64];

	for (unsigned i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof text, "h%u.example.", random_below(&h->random, HAMMERED));
		struct name name = test_name(text);
		const struct cache_key key = {.leg = 1, .name = &name, .type = TYPE_A};
		struct cache_entry *entry = NULL;

		if (cache_get(h->cache, &key, BEGIN, STALE_MAX_S, &entry) != CACHE_MISS) {
			h->wrong += !cache_entry_matches(entry, &key);
			cache_entry_unref(entry);
		} else if ((entry = entry_new(1, text, 60, BEGIN))) {
			cache_put(h->cache, &key, entry, BEGIN, STALE_MAX_S);
			h->wrong += !cache_entry_matches(entry, &key);
			cache_entry_unref(entry);
		}
		if (random_below(&h->random, 200) == 0)
			cache_flush(h->cache, &name, true);
		if (random_below(&h->random, 500) == 0)
			cache_resize(h->cache, (1 + random_below(&h->random, 4)) * 40000);
	}
	return NULL;
}

static void several_threads_put_find_flush_and_resize(void **state)
{
	struct hammer hammers[THREADS];
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		hammers[i] = (struct hammer){.cache = *state, .random = 77 + i};
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, &hammers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(hammers[i].wrong, 0);
	}
	struct cache_stats stats = stats_of(*state);
	assert_int_equal(stats.hits + stats.misses, THREADS * ROUNDS);
	assert_true(stats.hits > 0 && stats.evicted > 0);
}

static void *claim_all(void *context)
{
	struct hammer *h = context;
	char text[64];

	for (unsigned i = 0; i < HAMMERED; i++) {
		snprintf(text, sizeof text, "c%u.example.", i);
		struct name name = test_name(text);
		const struct cache_key key = {.leg = 1, .name = &name, .type = TYPE_A};
		struct cache_entry *entry = NULL;

		if (cache_get(h->cache, &key, BEGIN + 59ULL * S, STALE_MAX_S, &entry) ==
		    CACHE_FADING)
			h->claims += cache_entry_claim(entry);
		cache_entry_unref(entry);
	}
	return NULL;
}

static void of_several_threads_one_claims_an_answer_that_fades(void **state)
{
	struct hammer hammers[THREADS];
	pthread_t threads[THREADS];
	unsigned claims = 0;
	char text[64];

	for (unsigned i = 0; i < HAMMERED; i++) {
		snprintf(text, sizeof text, "c%u.example.", i);
		put(*state, 1, text, 60, BEGIN);
		get(*state, 1, text, BEGIN);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		hammers[i] = (struct hammer){.cache = *state};
		assert_int_equal(pthread_create(&threads[i], NULL, claim_all, &hammers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		claims += hammers[i].claims;
	}
	assert_int_equal(claims, HAMMERED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_entry_is_found_by_the_whole_of_its_key),
		TEST(an_entry_is_fresh_until_its_ttl_and_stale_for_stale_max),
		TEST(nothing_is_stale_when_stale_max_is_0),
		TEST(of_an_answer_without_room_nothing_is_kept_and_the_older_one_goes),
		TEST(a_newer_answer_takes_the_place_of_an_older_one),
		TEST(the_networks_that_have_asked_are_known_as_far_as_there_is_room),
		TEST(who_has_asked_goes_on_with_an_answer_that_is_renewed_in_time),
		TEST(an_answer_that_was_hit_before_fades_in_the_last_tenth_of_its_time),
		TEST(less_than_ten_seconds_do_not_fade_nor_do_failures),
		TEST(a_fading_answer_is_claimed_once_and_is_fresh_then),
		TEST(a_failure_leaves_a_fresh_answer_and_no_reason_to_ask_again),
		TEST(a_failure_is_kept_for_a_second_and_never_stale),
		TEST(a_failure_does_not_replace_a_stale_answer_but_holds_back_the_next_question),
		TEST(a_failure_replaces_an_answer_that_is_too_old_to_be_given),
		TEST(an_answer_replaces_a_failure),
		TEST(the_bytes_never_exceed_the_size),
		TEST(what_there_is_room_for_is_kept),
		TEST(popular_names_survive_a_scan),
		TEST(an_entry_stays_whole_past_its_eviction_while_it_is_referenced),
		TEST(flushing_takes_one_name_or_all_below_it_or_everything),
		TEST(flushing_below_a_name_begins_at_a_label),
		TEST(an_entry_brings_the_hash_of_what_was_asked),
		TEST(several_threads_put_find_flush_and_resize),
		TEST(of_several_threads_one_claims_an_answer_that_fades),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
