/* Failed logins at the listeners: counted, told in the log now and then, and slowed where they come
 * from. Twenty failures from one address are free, then one each six seconds; one that comes sooner
 * does not count, and is answered late (http_late): one a second of an address, while up to 16
 * wait; beyond these it is 429 at once, which ends its connection. A right secret is answered at
 * once, whoever else is at its address. So this limits what a guess costs the server, and how many
 * come over connections that are kept; who opens another connection for each guess is not slowed. A
 * secret's 16 characters and more keep it from being guessed.
 *
 * All of loopback is one address here, and an IPv6 /48, which is what one customer has. Failures
 * are kept in two rows of 256 token buckets, where each address has one in each row, and waits when
 * both are empty. So no number of others makes a failure forgotten; all addresses together have
 * 10,240 failures at once and 85 a second; and an address that did not fail waits only when others
 * happen to have emptied both of its buckets: by one hostile address at 1 in 65,536, by 50 at 3 %.
 *
 * The unix socket is not throttled: the kernel says who is there. Secrets, and what was sent in
 * place of one, are never kept or logged. Any thread. */
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
	LOGIN_FREE = 20,  /* failures at once */
	LOGIN_EACH_S = 6, /* and one more after so long */
	LOGIN_LOG_S = 10, /* at most one line in so long */
};

struct login_counts {
	uint64_t failed, refused;
};

struct login_throttle {
	pthread_mutex_t lock;
	struct hash_key key;                        /* nobody outside knows who shares a bucket */
	int64_t until_s[LOGIN_ROWS][LOGIN_BUCKETS]; /* LOGIN_EACH_S for each failure */
	struct login_counts counts;
	int64_t logged_s;
	uint64_t logged_failed; /* counts.failed at that time */
};

void login_throttle_init(struct login_throttle *throttle, const struct hash_key *key);
void login_throttle_release(struct login_throttle *throttle);

/* Seconds until another failure from there is free; 0: it is now. */
unsigned login_throttle_wait_s(struct login_throttle *throttle, const struct address *from,
			       int64_t now_s);
/* An attempt was wrong. client: whose secret it would have to be; NULL: nobody's that is known.
 * False: it came too soon. */
bool login_throttle_failed(struct login_throttle *throttle, const struct address *from,
			   const char *client, int64_t now_s);
struct login_counts login_throttle_counts(struct login_throttle *throttle);

#endif
