/* Counts failed logins at the listeners, logs them now and then, and slows them down by address. An
 * address may fail twenty times at once, then once in six seconds. A failure beyond that counts
 * only as `refused`, not against the address, and is answered late (http_late): one answer a second
 * for an address, up to 16 waiting; any more get 429 at once, which ends the connection. A right
 * secret is answered at once, whatever else comes from its address. So this limits what guesses
 * cost the server, and their rate over kept connections; a client that opens a connection for each
 * guess is not slowed. A secret's 16 or more characters keep it from being guessed.
 *
 * All of loopback counts as one address here, and so does an IPv6 /48, which is what one customer
 * has. Failures are kept in two rows of 256 leaky buckets. Each address has a bucket in each row,
 * and waits when both are full. So a failure is never forgotten because of others. All addresses
 * together may fail 10,240 times at once and 85 times a second. An address without failures waits
 * only if others happen to have filled both of its buckets: one hostile address does that with a
 * chance of 1 in 65,536, 50 of them with 3 %.
 *
 * The unix socket is not throttled: the kernel identifies its peers. Secrets, right or wrong, are
 * never kept or logged. Times are of CLOCK_MONOTONIC: if the wall clock is set back, nobody waits
 * longer. Any thread may call these functions. */
#ifndef SLUICE_LOGIN_THROTTLE_H
#define SLUICE_LOGIN_THROTTLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "rules/hash.h"
#include "rules/prefix.h"

enum {
	LOGIN_ROWS = 2,
	LOGIN_BUCKETS = 256,
	LOGIN_FREE = 20,  /* failures that an address may have at once */
	LOGIN_EACH_S = 6, /* seconds until an address may have one more */
	LOGIN_LOG_S = 10, /* seconds between two lines of the log, at least */
};

struct login_counts {
	uint64_t failed, refused;
};

struct login_throttle {
	pthread_mutex_t lock;
	struct hash_key key; /* secret, so that nobody can tell which addresses share a bucket */
	int64_t until_s[LOGIN_ROWS][LOGIN_BUCKETS]; /* LOGIN_EACH_S ahead for each failure */
	struct login_counts counts;
	int64_t logged_s;
	uint64_t logged_failed; /* counts.failed at that time */
};

void login_throttle_init(struct login_throttle *throttle, const struct hash_key *key);
void login_throttle_release(struct login_throttle *throttle);

/* Seconds until another failure from this address is within the limit; 0: it is now. */
unsigned login_throttle_wait_s(struct login_throttle *throttle, const struct address *from,
			       int64_t now_s);
/* Counts a failed login. client: the client whose secret was wrong; NULL: not known. False: it is
 * beyond the limit. */
bool login_throttle_failed(struct login_throttle *throttle, const struct address *from,
			   const char *client, int64_t now_s);
struct login_counts login_throttle_counts(struct login_throttle *throttle);

#endif
