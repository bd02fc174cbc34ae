/* Codes that log a browser in: who may use the control socket gets one, and whoever sends it back
 * over HTTP from this machine gets a session in the same name. A code counts once, for
 * LOGIN_CODE_LIFE_S. Its 128 random bits keep it from being guessed; wrong codes do nothing to
 * those that are good, so that nobody can keep others from logging in. Only digests are kept, in
 * memory alone: a code is in no log and no state. Time is a parameter, of CLOCK_MONOTONIC: a clock
 * that is set makes no code last longer. */
#ifndef SLUICE_LOGIN_CODE_H
#define SLUICE_LOGIN_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/http/http.h"
#include "rules/err.h"

enum {
	LOGIN_CODE_BYTES = 16,
	LOGIN_CODE_MAX = 2 * LOGIN_CODE_BYTES + 1, /* as text, with its NUL */
	LOGIN_CODE_LIFE_S = 60,
	LOGIN_CODES_MAX = 8, /* at once: one more takes the place of the oldest */
};

struct login_code {
	uint8_t digest[32];
	uint64_t until_us; /* 0: there is none here */
	char client[HTTP_CLIENT_MAX];
};

/* All zero: there are none. */
struct login_codes {
	struct login_code items[LOGIN_CODES_MAX];
};

/* Makes one for the client, of random bytes. ERR_NOMEM: GnuTLS has no memory left. */
MUST_CHECK int login_codes_make(struct login_codes *codes, const char *client,
				const uint8_t random[LOGIN_CODE_BYTES], uint64_t now_us,
				char text[LOGIN_CODE_MAX]);
/* Uses it up. ERR_NOT_FOUND: it is none, or no longer; ERR_NOMEM. */
MUST_CHECK int login_codes_take(struct login_codes *codes, const char *text, uint64_t now_us,
				char client[HTTP_CLIENT_MAX]);

#endif
