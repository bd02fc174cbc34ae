/* A failure moves its address's `until_s` on by GUARD_EACH_S; the clock catches up with it:
 *
 *     now_s ├─6─┼─6─┼─6─┤ until_s            three failures of late: seventeen more are free
 *
 * Times are the wall clock's, which may be set: what lies further ahead than failures can have
 * moved it counts as the most that there can be. */
#include "resolver/control/http_guard.h"

#include <string.h>

#include "resolver/log.h"

enum { FULL_S = GUARD_FREE * GUARD_EACH_S };

bool http_guard_init(struct http_guard *guard)
{
	memset(guard, 0, sizeof *guard);
	return pthread_mutex_init(&guard->lock, NULL) == 0;
}

void http_guard_release(struct http_guard *guard)
{
	pthread_mutex_destroy(&guard->lock);
}

/* FNV-1a; whoever can choose clients' ids is the operator. */
static uint64_t hash_of(const char *client)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (; *client; client++)
		hash = (hash ^ (uint8_t)*client) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

/* Under the lock; NULL: it is not remembered. */
static struct guard_place *find(struct http_guard *guard, const struct address *from)
{
	const struct address address = address_client(from);
	for (size_t i = 0; i < GUARD_PLACES && from->family; i++)
		if (address_equal(&guard->places[i].from, &address))
			return &guard->places[i];
	return NULL;
}

/* The same, or the one that was not heard for longest, made this address's. */
static struct guard_place *take(struct http_guard *guard, const struct address *from, int64_t now_s)
{
	struct guard_place *place = find(guard, from), *oldest = guard->places;
	for (size_t i = 0; i < GUARD_PLACES && !place; i++) {
		if (!guard->places[i].from.family) {
			oldest = &guard->places[i];
			break;
		}
		if (guard->places[i].seen_s < oldest->seen_s)
			oldest = &guard->places[i];
	}
	if (!place) {
		place = oldest;
		*place = (struct guard_place){.from = address_client(from)};
	}
	place->seen_s = now_s;
	return place;
}

/* How far ahead of the clock it is. */
static int64_t ahead_s(const struct guard_place *place, int64_t now_s)
{
	int64_t ahead = place->until_s - now_s;
	return ahead < 0 ? 0 : ahead > FULL_S + GUARD_EACH_S ? FULL_S + GUARD_EACH_S : ahead;
}

unsigned http_guard_wait_s(struct http_guard *guard, const struct address *from, int64_t now_s)
{
	pthread_mutex_lock(&guard->lock);
	const struct guard_place *place = find(guard, from);
	int64_t ahead = place ? ahead_s(place, now_s) : 0;
	pthread_mutex_unlock(&guard->lock);
	return ahead < FULL_S ? 0 : (unsigned)(ahead - FULL_S + 1);
}

bool http_guard_trusts(struct http_guard *guard, const struct address *from, const char *client)
{
	uint64_t hash = hash_of(client);
	bool trusted = false;
	pthread_mutex_lock(&guard->lock);
	const struct guard_place *place = find(guard, from);
	for (size_t i = 0; place && i < GUARD_TRUSTED; i++)
		trusted = trusted || place->trusted[i] == hash;
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
	struct guard_place *place = take(guard, from, now_s);
	place->until_s = now_s + ahead_s(place, now_s) + GUARD_EACH_S;
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

void http_guard_let_in(struct http_guard *guard, const struct address *from, const char *client,
		       int64_t now_s)
{
	uint64_t hash = hash_of(client);
	bool known = false;
	if (!from->family)
		return;
	pthread_mutex_lock(&guard->lock);
	struct guard_place *place = take(guard, from, now_s);
	for (size_t i = 0; i < GUARD_TRUSTED; i++)
		known = known || place->trusted[i] == hash;
	if (!known)
		place->trusted[place->next_trusted++ % GUARD_TRUSTED] = hash;
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
