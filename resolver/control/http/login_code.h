/* Codes that log a browser in: a user of the control socket gets one, and a browser that sends it
 * over HTTP from this machine gets a session in that user's name. A code works once, within
 * LOGIN_CODE_LIFE_S. Its 128 random bits keep it from being guessed. Wrong codes do not affect
 * valid ones, so nobody can keep others from logging in. Only digests are kept, and only in memory:
 * a code is in no log and no state. Time is a parameter, of CLOCK_MONOTONIC: setting the wall clock
 * prolongs no code. */
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
	LOGIN_CODES_MAX = 8, /* valid ones; another one replaces the oldest */
};

struct login_code {
	uint8_t digest[32];
	uint64_t until_us; /* 0: this place is free */
	char client[HTTP_CLIENT_MAX];
};

/* All zero: no codes. */
struct login_codes {
	struct login_code items[LOGIN_CODES_MAX];
};

/* Makes a code for the client out of random bytes. ERR_NOMEM: GnuTLS has no memory. */
MUST_CHECK int login_codes_make(struct login_codes *codes, const char *client,
				const uint8_t random[LOGIN_CODE_BYTES], uint64_t now_us,
				char text[LOGIN_CODE_MAX]);
/* Uses a code up. ERR_NOT_FOUND: there is no such code, or it has expired; ERR_NOMEM. */
MUST_CHECK int login_codes_take(struct login_codes *codes, const char *text, uint64_t now_us,
				char client[HTTP_CLIENT_MAX]);

#endif
