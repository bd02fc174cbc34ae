/* A target's health and round-trip time, as DESIGN's section "Targets" defines them: SRTT and
 * RTTVAR, allowance and patience, suspicion, tokens, copies. One per (source, address, port,
 * protocol), in a registry that outlives policies; shared by the workers, so all of it is relaxed
 * atomics, and a lost update costs a sample and nothing else. Time is a parameter.
 *
 * Slow is not dead: silence longer than the allowance makes a target suspect only when nothing at
 * all was heard since that question was sent, and either three questions wait there, or it never
 * answered, or it has a token to pay with (none at first: it is yet to show how slow it may be). */
#ifndef SLUICE_TARGET_H
#define SLUICE_TARGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "endpoints/target_guard.h"
#include "rules/model.h"
#include "rules/prefix.h"

enum {
	TARGET_ALLOWANCE_MIN_US = 20 * 1000,
	TARGET_ALLOWANCE_FIRST_US = 100 * 1000, /* before the first answer */
	TARGET_PATIENCE_US = 800 * 1000,
	TARGET_COPY_ALL_US = 1000 * 1000,  /* of every question, to a new suspect */
	TARGET_COPY_EVERY_US = 100 * 1000, /* and then one in so long */
	TARGET_TOKEN = 100,                /* hundredths: a full token */
	TARGET_WAITING_SURE = 3,           /* so many waiting questions need no token */
	TARGET_PLAIN_US = 10 * 1000000, /* asked without EDNS for so long, and then with it again */
};

enum { TARGET_NO_SAMPLE = UINT32_MAX }; /* as an RTT: a sign of life, not a sample */

struct target {
	struct target *next; /* in the registry */
	struct address source;
	struct host host;
	enum protocol protocol;
	atomic_uint references;
	_Atomic uint32_t srtt_us, rttvar_us; /* 0: never answered */
	_Atomic uint64_t heard_us;           /* last sign of life; 0: never */
	_Atomic uint64_t suspect_us;         /* suspect since; 0: it is not */
	_Atomic uint64_t copied_us;          /* when the last copy was sent to the suspect */
	_Atomic uint64_t plain_until_us;     /* ask without EDNS until then */
	_Atomic uint32_t speaks_edns;        /* has answered with an OPT */
	_Atomic uint32_t waiting;            /* questions waiting here, of all workers */
	_Atomic int32_t token, resend; /* hundredths; pay for a suspicion, for asking once more */
	struct target_guard guard;

	_Atomic uint64_t asked, answered, copies, timeouts, errors, suspicions; /* counters */
	_Atomic uint32_t last_error; /* enum target_error, why it was last passed over */
};

#define TARGET_ERROR_MAP(X)                                                                        \
	X(NONE, "none")                                                                            \
	X(SILENCE, "no answer")                                                                    \
	X(NETWORK, "network error")                                                                \
	X(SERVFAIL, "SERVFAIL")                                                                    \
	X(REFUSED, "REFUSED")                                                                      \
	X(NOTIMP, "NOTIMP")                                                                        \
	X(FORMERR, "FORMERR")                                                                      \
	X(RCODE, "unexpected rcode")                                                               \
	X(LAME, "lame answer")                                                                     \
	X(MANGLED, "mangled reply")                                                                \
	X(CLOSED, "connection closed")                                                             \
	X(SOURCE, "source address unusable")                                                       \
	X(FULL, "connections are full")                                                            \
	X(ROOM, "no room for the question")                                                        \
	X(OVER, "the outbound endpoint is over its limit")
enum target_error {
#define X(name, text) TARGET_ERROR_##name,
	TARGET_ERROR_MAP(X)
#undef X
};
const char *target_error_text(enum target_error error);

void target_init(struct target *target, const struct address *source, const struct host *host,
		 enum protocol protocol);

uint64_t target_allowance_us(const struct target *target);
bool target_is_suspect(const struct target *target);
/* Never answered, and few wait there: no suspect while the question has somewhere else to go. */
bool target_is_new(const struct target *target);
bool target_is_plain(const struct target *target, uint64_t now_us);
bool target_speaks_edns(const struct target *target);

/* A question is sent (not a copy): counts, adds 0.01 to both budgets. */
void target_on_ask(struct target *target, uint64_t now_us);
void target_wait(struct target *target);   /* a question begins to wait here */
void target_unwait(struct target *target); /* and ends to */
/* A matching answer arrived, whatever it says, rtt_us after its question (or TARGET_NO_SAMPLE: it
 * came by another transport): a sample and a sign of life. True when this ended a suspicion. */
bool target_on_answer(struct target *target, uint64_t rtt_us, uint64_t now_us);
/* A question sent at sent_us has waited longer than the allowance, or (`patience`) until patience
 * is over. True when the target is suspect now (it may have been before). */
bool target_on_silence(struct target *target, uint64_t sent_us, bool patience, uint64_t now_us);
/* The network itself said that it cannot be reached: suspect at once. */
void target_on_unreachable(struct target *target, enum target_error error, uint64_t now_us);
/* It answered, and what it said sends the question elsewhere; or this question could not be sent.
 * Counted and remembered as the last error, and no reason for suspicion. */
void target_on_error(struct target *target, enum target_error error);
/* It answers well without an OPT, and did not with one: asked without for TARGET_PLAIN_US, unless
 * it has ever answered with one. */
void target_on_plain(struct target *target, uint64_t now_us);
void target_on_opt(struct target *target); /* that is what it did */
/* Whether a suspect is to get a copy of a question now; the second takes the turn. */
bool target_wants_copy(const struct target *target, uint64_t now_us);
bool target_take_copy(struct target *target, uint64_t now_us);
/* Whether a question that has waited longer than the allowance at a target which does talk is asked
 * there once more: a lost packet looks the same as a slow name, and this mends it long before
 * patience is over. True takes one; it is refilled by 0.01 per question, so slow names cost at most
 * 1 % in copies. */
bool target_take_resend(struct target *target);

struct target_registry; /* thread-safe; used when policies come and go, not per query */
struct target_registry *target_registry_new(void);
void target_registry_free(struct target_registry *registry);
/* With a reference; NULL: no memory. */
struct target *target_acquire(struct target_registry *registry, const struct address *source,
			      const struct host *host, enum protocol protocol);
void target_release(struct target_registry *registry, struct target *target);

#endif
