/* What is known of a target that helps to tell its replies from forged ones.
 *
 * Cookies (RFC 7873). Our client cookie is the target's own, made when the registry makes the
 * target. It goes out with questions by UDP; a target that gives a server cookie back is known to
 * speak, and every reply of it has to have our cookie from then on. One that does not is left alone
 * for a while. The server cookie is read and written by all workers without a lock: one that is
 * torn between two writers is a wrong one, and costs a BADCOOKIE that brings the right one.
 *
 * Case (draft-vixie-dnsext-dns0x20). What a target does with a question's letters is learnt from
 * questions that somebody asked anyway; only what it has kept often enough is demanded of it. */
#include "endpoints/target_guard.h"

#include <string.h>

#define GET(member)        atomic_load_explicit(&guard->member, memory_order_relaxed)
#define SET(member, value) atomic_store_explicit(&guard->member, (value), memory_order_relaxed)

/* ---- cookies ---- */

bool target_speaks_cookies(const struct target_guard *guard)
{
	return GET(server_cookie_length) > 0;
}

size_t target_cookie(const struct target_guard *guard, uint64_t now_us,
		     uint8_t cookie[MESSAGE_COOKIE_MAX])
{
	if (!target_wants_cookie(guard, now_us))
		return 0;
	memcpy(cookie, &guard->client_cookie, MESSAGE_COOKIE_CLIENT);
	size_t length = GET(server_cookie_length);
	for (size_t i = 0; i < TARGET_COOKIE_WORDS && 8 * i < length; i++) {
		uint64_t word = GET(server_cookie[i]);
		memcpy(cookie + MESSAGE_COOKIE_CLIENT + 8 * i, &word, sizeof word);
	}
	return MESSAGE_COOKIE_CLIENT + length;
}

bool target_is_cookie_ours(const struct target_guard *guard, const uint8_t *cookie)
{
	return memcmp(&guard->client_cookie, cookie, MESSAGE_COOKIE_CLIENT) == 0;
}

/* What has not changed is not written: the workers share the cache line. */
void target_on_cookie(struct target_guard *guard, const uint8_t *server_cookie, size_t length)
{
	uint64_t words[TARGET_COOKIE_WORDS] = {0};

	memcpy(words, server_cookie, length);
	for (size_t i = 0; i < TARGET_COOKIE_WORDS; i++)
		if (GET(server_cookie[i]) != words[i])
			SET(server_cookie[i], words[i]);
	if (GET(server_cookie_length) != length)
		SET(server_cookie_length, (uint32_t)length);
	if (GET(cookies_missed) != 0)
		SET(cookies_missed, 0);
}

void target_on_unheard(struct target_guard *guard, uint64_t now_us)
{
	if (!target_speaks_cookies(guard))
		SET(cookieless_until_us, now_us + TARGET_COOKIELESS_US);
}

void target_on_no_cookie(struct target_guard *guard, uint64_t now_us)
{
	if (target_speaks_cookies(guard) && GET(cookies_missed) + 1 < TARGET_COOKIES_MISSED) {
		atomic_fetch_add_explicit(&guard->cookies_missed, 1, memory_order_relaxed);
		return;
	}
	SET(server_cookie_length, 0);
	SET(cookies_missed, 0);
	SET(cookieless_until_us, now_us + TARGET_COOKIELESS_US);
}

/* ---- case ---- */

void target_on_case_kept(struct target_guard *guard)
{
	if (!target_keeps_case(guard))
		atomic_fetch_add_explicit(&guard->case_kept, 1, memory_order_relaxed);
}

void target_on_case_changed(struct target_guard *guard, uint64_t now_us)
{
	SET(case_kept, 0);
	SET(case_off_until_us, now_us + TARGET_CASE_OFF_US);
}

void target_on_case_unsure(struct target_guard *guard, uint64_t now_us)
{
	SET(case_off_until_us, now_us + TARGET_CASE_PAUSE_US);
}
