/* A failure adds LOGIN_EACH_S to `until_s` of two buckets, and the clock catches up with them:
 *
 *     now_s ├─6─┼─6─┼─6─┤ until_s            three recent failures: seventeen more are free
 *
 * A keyed hash of the address chooses the two buckets; the emptier one decides whether the address
 * must wait. Other addresses may have filled the fuller one: ahead_s reads a bucket as at most one
 * failure above full, so that it does not grow without bound. */
#include "resolver/control/http/login_throttle.h"

#include <assert.h>
#include <string.h>

#include "resolver/log.h"

enum { FULL_S = LOGIN_FREE * LOGIN_EACH_S };

void login_throttle_init(struct login_throttle *throttle, const struct hash_key *key)
{
	memset(throttle, 0, sizeof *throttle);
	throttle->key = *key;
	int err = pthread_mutex_init(&throttle->lock, NULL);
	assert(err == 0);
	(void)err;
}

void login_throttle_release(struct login_throttle *throttle)
{
	pthread_mutex_destroy(&throttle->lock);
}

static uint64_t hash_of(const struct login_throttle *throttle, uint64_t seed,
			const struct address *from)
{
	const struct address site = address_site(from);

	return hash_bytes(&throttle->key, seed, &site, sizeof site);
}

static int64_t *bucket(struct login_throttle *throttle, unsigned row, const struct address *from)
{
	return &throttle->until_s[row][hash_of(throttle, row, from) % LOGIN_BUCKETS];
}

/* How far until_s is ahead of the clock, one failure more than full at most. */
static int64_t ahead_s(int64_t until_s, int64_t now_s)
{
	int64_t ahead = until_s - now_s;

	return ahead < 0 ? 0 : ahead > FULL_S + LOGIN_EACH_S ? FULL_S + LOGIN_EACH_S : ahead;
}

/* The caller holds the lock. */
static unsigned wait_s(struct login_throttle *throttle, const struct address *from, int64_t now_s)
{
	int64_t least = FULL_S + LOGIN_EACH_S;

	for (unsigned row = 0; row < LOGIN_ROWS; row++) {
		int64_t ahead = ahead_s(*bucket(throttle, row, from), now_s);
		least = ahead < least ? ahead : least;
	}
	return least < FULL_S ? 0 : (unsigned)(least - FULL_S + 1);
}

unsigned login_throttle_wait_s(struct login_throttle *throttle, const struct address *from,
			       int64_t now_s)
{
	pthread_mutex_lock(&throttle->lock);
	unsigned wait = wait_s(throttle, from, now_s);
	pthread_mutex_unlock(&throttle->lock);
	return wait;
}

/* Is this failure logged? *untold: failures since the last logged one. The caller holds the lock.
 */
static bool may_log(struct login_throttle *throttle, int64_t now_s, uint64_t *untold)
{
	bool first = throttle->logged_failed == 0;

	*untold = throttle->counts.failed - throttle->logged_failed - 1;
	if (!first && now_s - throttle->logged_s < LOGIN_LOG_S)
		return false;
	throttle->logged_s = now_s;
	throttle->logged_failed = throttle->counts.failed;
	return true;
}

/* Counts a failure within the limit. The caller holds the lock. */
static void count(struct login_throttle *throttle, const struct address *from, int64_t now_s)
{
	for (unsigned row = 0; row < LOGIN_ROWS; row++) {
		int64_t *until_s = bucket(throttle, row, from);
		*until_s = now_s + ahead_s(*until_s, now_s) + LOGIN_EACH_S;
	}
	throttle->counts.failed++;
}

static void log_failure(const char *from, const char *client, uint64_t untold)
{
	const char *nobody = "nobody has that secret or token";
	char shown[256];

	snprintf(shown, sizeof shown,
		 "a login from %s has failed: %s; %llu more since the last such line", from,
		 client ? "not the client's secret" : nobody, (unsigned long long)untold);
	log_event_guarded(LOG_WARNING, "login", shown,
			  "a login from %s has failed: %s%s; %llu more since the last such line",
			  from, client ? "not the secret of client " : nobody, client ? client : "",
			  (unsigned long long)untold);
}

bool login_throttle_failed(struct login_throttle *throttle, const struct address *from,
			   const char *client, int64_t now_s)
{
	char text[ADDRESS_TEXT_MAX];
	uint64_t untold;
	bool told = false;

	if (!from->family)
		return true;
	pthread_mutex_lock(&throttle->lock);
	bool in_time = wait_s(throttle, from, now_s) == 0;
	if (in_time) {
		count(throttle, from, now_s);
		told = may_log(throttle, now_s, &untold);
	} else {
		throttle->counts.refused++;
	}
	pthread_mutex_unlock(&throttle->lock);
	if (told)
		log_failure(address_print(from, text), client, untold);
	return in_time;
}

struct login_counts login_throttle_counts(struct login_throttle *throttle)
{
	pthread_mutex_lock(&throttle->lock);
	const struct login_counts counts = throttle->counts;
	pthread_mutex_unlock(&throttle->lock);
	return counts;
}
