/* A failure moves two buckets' `until_s` on by GUARD_EACH_S, and the clock catches up with them:
 *
 *     now_s ├─6─┼─6─┼─6─┤ until_s            three failures of late: seventeen more are free
 *
 * Which two, a keyed hash of the address says; the emptier one counts. Times are the wall clock's,
 * which may be set: what lies further ahead than failures can have moved it counts as the most that
 * there can be. */
#include "resolver/control/http/guard.h"

#include <string.h>

#include "resolver/log.h"

enum { FULL_S = GUARD_FREE * GUARD_EACH_S };

bool http_guard_init(struct http_guard *guard, const struct hash_key *key)
{
	memset(guard, 0, sizeof *guard);
	guard->key = *key;
	return pthread_mutex_init(&guard->lock, NULL) == 0;
}

void http_guard_release(struct http_guard *guard)
{
	pthread_mutex_destroy(&guard->lock);
}

static uint64_t hash_of(const struct http_guard *guard, uint64_t seed, const struct address *from)
{
	const struct address site = address_site(from);

	return hash_bytes(&guard->key, seed, &site, sizeof site);
}

static int64_t *bucket(struct http_guard *guard, unsigned row, const struct address *from)
{
	return &guard->until_s[row][hash_of(guard, row, from) % GUARD_BUCKETS];
}

/* How far ahead of the clock it is. */
static int64_t ahead_s(int64_t until_s, int64_t now_s)
{
	int64_t ahead = until_s - now_s;

	return ahead < 0 ? 0 : ahead > FULL_S + GUARD_EACH_S ? FULL_S + GUARD_EACH_S : ahead;
}

unsigned http_guard_wait_s(struct http_guard *guard, const struct address *from, int64_t now_s)
{
	int64_t least = FULL_S + GUARD_EACH_S;

	pthread_mutex_lock(&guard->lock);
	for (unsigned row = 0; row < GUARD_ROWS; row++) {
		int64_t ahead = ahead_s(*bucket(guard, row, from), now_s);
		least = ahead < least ? ahead : least;
	}
	pthread_mutex_unlock(&guard->lock);
	return least < FULL_S ? 0 : (unsigned)(least - FULL_S + 1);
}

/* By which it is remembered that this client was let in from there. */
static uint64_t mark_of(const struct http_guard *guard, const struct address *from,
			const char *client)
{
	return hash_bytes(&guard->key, hash_of(guard, GUARD_ROWS, from), client, strlen(client));
}

bool http_guard_trusts(struct http_guard *guard, const struct address *from, const char *client)
{
	uint64_t mark = mark_of(guard, from, client);

	pthread_mutex_lock(&guard->lock);
	bool trusted = guard->trusted[mark % GUARD_TRUSTED] == mark;
	pthread_mutex_unlock(&guard->lock);
	return trusted;
}

/* Under the lock: whether this one is told, and how many were not since the last that was. */
static bool may_log(struct http_guard *guard, int64_t now_s, uint64_t *untold)
{
	bool first = guard->logged_failed == 0;
	int64_t since = now_s - guard->logged_s;

	*untold = guard->counts.failed - guard->logged_failed - 1;
	if (!first && since >= 0 && since < GUARD_LOG_S)
		return false;
	guard->logged_s = now_s;
	guard->logged_failed = guard->counts.failed;
	return true;
}

void http_guard_failed(struct http_guard *guard, const struct address *from, const char *client,
		       int64_t now_s)
{
	char text[ADDRESS_TEXT_MAX];
	uint64_t untold;

	if (!from->family)
		return;
	pthread_mutex_lock(&guard->lock);
	for (unsigned row = 0; row < GUARD_ROWS; row++) {
		int64_t *until_s = bucket(guard, row, from);
		*until_s = now_s + ahead_s(*until_s, now_s) + GUARD_EACH_S;
	}
	guard->counts.failed++;
	bool told = may_log(guard, now_s, &untold);
	pthread_mutex_unlock(&guard->lock);
	if (told)
		log_event(LOG_WARNING, "login",
			  "a login from %s has failed: %s%s; %llu more since this was said last",
			  address_print(from, text),
			  client ? "not the secret of client " : "nobody has that secret or token",
			  client ? client : "", (unsigned long long)untold);
}

void http_guard_let_in(struct http_guard *guard, const struct address *from, const char *client)
{
	uint64_t mark = mark_of(guard, from, client);

	pthread_mutex_lock(&guard->lock);
	guard->trusted[mark % GUARD_TRUSTED] = mark;
	pthread_mutex_unlock(&guard->lock);
}

void http_guard_refused(struct http_guard *guard)
{
	pthread_mutex_lock(&guard->lock);
	guard->counts.refused++;
	pthread_mutex_unlock(&guard->lock);
}

struct guard_counts http_guard_counts(struct http_guard *guard)
{
	pthread_mutex_lock(&guard->lock);
	const struct guard_counts counts = guard->counts;
	pthread_mutex_unlock(&guard->lock);
	return counts;
}
