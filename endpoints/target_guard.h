/* What is known of a target that tells its replies from forged ones: its cookies (RFC 7873), and
 * whether it repeats a question's letters in their case. A part of struct target, and like it
 * shared by the workers and older than any policy; relaxed atomics, and a lost update costs a
 * question more. */
#ifndef SLUICE_TARGET_GUARD_H
#define SLUICE_TARGET_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"

enum {
	TARGET_COOKIE_WORDS = MESSAGE_COOKIE_SERVER_MAX / 8,
	TARGET_COOKIES_MISSED = 8, /* replies in a row: it does not speak cookies any more */
	TARGET_COOKIELESS_US = 900 * 1000000, /* and is sent none for so long */
	TARGET_CASE_SURE = 8,                 /* answers with the letters as they were sent */
	TARGET_CASE_OFF_US = 900 * 1000000,   /* after one with others */
	TARGET_CASE_PAUSE_US = 10 * 1000000,  /* after one that proves nothing */
};

struct target_guard {
	uint64_t client_cookie; /* as it stands in packets; 0: it is sent none */
	_Atomic uint64_t server_cookie[TARGET_COOKIE_WORDS];
	_Atomic uint32_t server_cookie_length; /* 0: not known to speak cookies */
	_Atomic uint32_t cookies_missed;       /* in a row */
	_Atomic uint64_t cookieless_until_us;  /* sent none until then */
	_Atomic uint64_t case_off_until_us;    /* asked in lower case until then */
	_Atomic uint32_t case_kept;            /* answers, up to TARGET_CASE_SURE */
};

static inline bool target_wants_cookie(const struct target_guard *guard, uint64_t now_us)
{
	return guard->client_cookie != 0 &&
	       atomic_load_explicit(&guard->cookieless_until_us, memory_order_relaxed) <= now_us;
}
/* What to send as a cookie by UDP (client's, and the server's where one is known); 0: nothing. */
size_t target_cookie(const struct target_guard *guard, uint64_t now_us,
		     uint8_t cookie[MESSAGE_COOKIE_MAX]);
bool target_speaks_cookies(const struct target_guard *guard);
/* Whether the first MESSAGE_COOKIE_CLIENT bytes are the client cookie that it was sent. */
bool target_is_cookie_ours(const struct target_guard *guard, const uint8_t *cookie);
/* A reply had our cookie, and the server's of 8 to 32 bytes. */
void target_on_cookie(struct target_guard *guard, const uint8_t *server_cookie, size_t length);
/* It is silent: where it is not known to speak cookies, they may be what is dropped on the way. */
void target_on_unheard(struct target_guard *guard, uint64_t now_us);
/* A reply to a question with a cookie had none. */
void target_on_no_cookie(struct target_guard *guard, uint64_t now_us);

/* Whether its questions may have capitals, be it to find out, and whether a reply has to repeat
 * them. */
static inline bool target_may_vary_case(const struct target_guard *guard, uint64_t now_us)
{
	return atomic_load_explicit(&guard->case_off_until_us, memory_order_relaxed) <= now_us;
}

static inline bool target_keeps_case(const struct target_guard *guard)
{
	return atomic_load_explicit(&guard->case_kept, memory_order_relaxed) >= TARGET_CASE_SURE;
}

void target_on_case_kept(struct target_guard *guard);
void target_on_case_changed(struct target_guard *guard, uint64_t now_us);
/* It answered such a question with an error or without data, which may be because of the case. */
void target_on_case_unsure(struct target_guard *guard, uint64_t now_us);

#endif
