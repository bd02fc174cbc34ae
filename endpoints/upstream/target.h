/* A target's health and round-trip time. There is one for each (source, address, port, protocol),
 * in a registry that outlives policies. Workers share it by relaxed atomics: a lost update costs
 * one sample. Time is a parameter.
 *
 * Slow is not dead, and a dead name is not a dead target. One unanswered question proves nothing
 * about its target: it raises a doubt, and the target is probed with questions that it answered a
 * moment ago (its known questions, of two clients). Only a target that leaves these unanswered too
 * is suspect.
 *
 * Two decisions are separate: when a question is also sent elsewhere (the allowance), and when its
 * silence raises a doubt. A few slow answers stretch the allowance up to patience, but a dead
 * target must be noticed long before. So the doubt takes three questions that have waited longer
 * than the target usually needs, or one that has waited for its allowance (at most half of
 * patience, or twice SRTT if that is longer). */
#ifndef SLUICE_TARGET_H
#define SLUICE_TARGET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "endpoints/histogram.h"
#include "endpoints/upstream/failures.h"
#include "rules/name.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

enum {
	TARGET_ALLOWANCE_MIN_US = 20 * 1000,
	TARGET_ALLOWANCE_FIRST_US = 100 * 1000, /* before the first answer */
	TARGET_PATIENCE_US = 800 * 1000,
	TARGET_PROBE_US = 100 * 1000,     /* between probes, by all workers together */
	TARGET_PROBE_MAX_US = 500 * 1000, /* the longest pause between probes of a suspect */
	/* The pauses while no question needs the suspect. At 20 a second, 1,000 suspects take 50 s,
	 * and the status has to be right within a minute. */
	TARGET_RECHECK_US = 5 * 1000000,
	TARGET_RECHECK_MAX_US = 50 * 1000000,
	TARGET_RECHECKS = 20,   /* a second, by all workers together */
	TARGET_TOKEN = 100,     /* hundredths: a full token */
	TARGET_TOKENS = 2,      /* held at most */
	TARGET_REPEATS = 1024,  /* held at most */
	TARGET_UNANSWERED = 3,  /* silent questions: in doubt; without known questions suspect */
	TARGET_KNOWN = 2,       /* known questions, for probes */
	TARGET_LEARN_US = 1000, /* between two notes of known questions */
	TARGET_PLAIN_US = 10 * 1000000, /* without EDNS for so long, then with it again */
	TARGET_PLAIN_ROW = 3,           /* names in a row answered only without EDNS: it has none */
	TARGET_CASE_SURE = 8,           /* answers with data: it ignores case */
	TARGET_CASE_ROW = 10,           /* replies in a row with changed letters */
	TARGET_CASE_OFF_US = 900 * 1000000,  /* then asked in lower case for so long */
	TARGET_CASE_PAUSE_US = 10 * 1000000, /* the same after an answer that proves nothing */
	TARGET_OTHER_US = 90 * 1000000,      /* how long another answering address is shown */
	TARGET_OTHER_PACE_US = 1000000,      /* between two notes of that address */
	TARGET_OTHER_ALONE_US = 1000000,     /* shown once the target is silent for so long */
};

enum { TARGET_NO_SAMPLE = UINT32_MAX }; /* given as an RTT: a sign of life without a sample */

struct target_question { /* for probes: a known one, the last unanswered one, or an apex's SOA */
	struct address client;
	uint32_t took_us; /* until its answer came */
	uint16_t type;
	bool dnssec_ok, checking_disabled;
	uint8_t length; /* of the name; 0: there is none */
	uint8_t name[NAME_WIRE_MAX];
};

struct target {
	struct target *next; /* in the registry */
	struct address source;
	struct host host;
	enum protocol protocol;
	atomic_uint references;
	_Atomic uint32_t srtt_us, rttvar_us; /* 0: never answered */
	_Atomic uint64_t heard_us;           /* the last sign of life; 0: none */
	_Atomic uint64_t suspect_us;         /* since when it is suspect; 0: it is not */
	_Atomic uint64_t revived_us;         /* when its last suspicion ended; 0: never */
	_Atomic uint64_t doubt_us;           /* when it was last put in doubt; 0: it is not */
	_Atomic uint64_t probed_us;          /* when it was last probed, or became suspect */
	_Atomic uint64_t learnt_us;          /* when a known question was last noted */
	_Atomic uint64_t plain_until_us;     /* ask without EDNS until then */
	_Atomic uint64_t plain_name;         /* the last name answered only without EDNS, hashed */
	_Atomic uint32_t plain_row;          /* such names in a row; up to TARGET_PLAIN_ROW */
	_Atomic uint32_t speaks_edns;        /* has answered with an OPT */
	_Atomic uint32_t waiting;            /* questions of all workers that wait for it */
	_Atomic uint32_t unanswered;         /* silent questions since its last sign of life */
	_Atomic int32_t tokens;              /* hundredths; a token pays for an early copy */
	_Atomic int32_t repeats;             /* how many questions may be repeated after patience */
	_Atomic uint64_t case_off_until_us;  /* asked in lower case until then */
	_Atomic uint32_t case_answered;      /* answers with data to capitals; up to _SURE */
	_Atomic uint32_t case_changed;       /* replies in a row with changed letters, by UDP */
	/* Replies that matched none of its open questions. They are only shown, because anybody can
	 * forge them. */
	_Atomic uint64_t mismatched, mismatched_us;
	_Atomic uint64_t other_us; /* when one last came that is no late answer */
	struct host other;         /* its sender, perhaps the target itself; under the lock */
	pthread_mutex_t known_lock;
	struct target_question known[TARGET_KNOWN]; /* the latest first, each from another client */
	struct target_question missed; /* for probes while none is known: the last unanswered one */
	_Atomic uint32_t *suspects;    /* the registry's count of suspects; NULL: nobody counts */
	uint64_t listed; /* for the control thread: the last list that it is in (snapshot.c) */

	_Atomic uint64_t asked, answered, probes, timeouts, errors, suspicions; /* counters */
	_Atomic uint32_t last_error; /* enum target_error: why it was last passed over */
	_Atomic uint32_t suspicion;  /* the same: why it was last suspect */
	struct failures failures;    /* its errors since its last useful answer */
	/* How long its answers took. Of answers with the same time of arrival, as in one batch from
	 * a socket, only the first counts. */
	struct histogram durations;
};

void target_init(struct target *target, const struct address *source, const struct host *host,
		 enum protocol protocol);
void target_destroy(struct target *target); /* releases what target_init made */

/* How long a question waits before it is also sent elsewhere. */
uint64_t target_allowance_us(const struct target *target);
/* How long a question waits before its silence counts (target_on_silence): 20 ms, or twice SRTT if
 * that is longer, but at most the allowance; the allowance if no question is known. */
uint64_t target_silence_us(const struct target *target);
bool target_is_suspect(const struct target *target);
uint64_t target_revived_us(const struct target *target); /* of the last suspicion; 0: none */
/* Why it is suspect: NETWORK (it cannot be reached), AWAY (it closes every connection), or
 * SILENCE. */
enum target_error target_suspicion(const struct target *target);
uint64_t target_suspect_us(const struct target *target); /* since when; 0: it is not */
/* Whether it is being probed and has not answered yet: meanwhile other targets are asked
 * instead. */
bool target_is_doubted(const struct target *target);
bool target_never_answered(const struct target *target);
uint64_t target_heard_us(const struct target *target); /* its last sign of life; 0: none */
/* Whether it has never answered, and enough questions already wait to find out if it does. */
bool target_is_untried(const struct target *target);
bool target_is_plain(const struct target *target, uint64_t now_us);
bool target_speaks_edns(const struct target *target);

/* A question (not a copy) is sent: counts it, and adds 0.01 token. */
void target_on_ask(struct target *target);
void target_wait(struct target *target);   /* a question begins to wait for it */
void target_unwait(struct target *target); /* a question no longer waits */
/* A matching answer of any kind arrived, rtt_us after its question: a sample and a sign of life.
 * TARGET_NO_SAMPLE: it came by another transport. True: this ended a suspicion. */
bool target_on_answer(struct target *target, uint64_t rtt_us, uint64_t now_us);
/* The same for the answer to a probe, which is not counted as a question. */
bool target_on_life(struct target *target, uint64_t rtt_us, uint64_t now_us);
/* Whether a question that was answered after rtt_us is good for probes. The answer must have come
 * within 20 ms or twice SRTT (unless it is the first), so that no slow name becomes a probe, and
 * not right after the last noted one. Call it before the answer becomes a sample. target_learn
 * notes the question, one for each client. */
bool target_may_learn(const struct target *target, uint64_t rtt_us, uint64_t now_us);
void target_learn(struct target *target, const struct target_question *question, uint64_t now_us);

enum target_silence {
	/* It has sent something since. Without known questions also: it is too early to say. */
	TARGET_TALKS,
	TARGET_WAITS,   /* too early to say, or to probe again: call again at *again_us */
	TARGET_DOUBTED, /* the caller must probe it now: nobody else does */
	TARGET_SUSPECT, /* since now, or already before */
};
/* A question sent at sent_us has waited for target_silence_us or, after TARGET_WAITS, until
 * *again_us. *counted, false at first, says whether the question is counted in `unanswered`. */
enum target_silence target_on_silence(struct target *target, uint64_t sent_us, bool *counted,
				      uint64_t *again_us, uint64_t now_us);
/* How long to wait for `count` probes that are sent together. */
uint64_t target_probe_wait_us(const struct target_question *questions, unsigned count);
/* A probe sent at sent_us has waited for target_probe_wait_us. True: the target is suspect now. */
bool target_on_probe_silence(struct target *target, uint64_t sent_us, uint64_t now_us);
/* The probe could not be sent, for a reason that is not the target's. */
void target_end_doubt(struct target *target);
/* Counts a question whose patience is over. */
void target_on_timeout(struct target *target);
/* It cannot be reached (NETWORK) or closes every connection (AWAY): it is suspect at once. */
void target_on_unreachable(struct target *target, enum target_error error, uint64_t now_us);
/* It answered with an error, so the question goes elsewhere; or this question could not be sent.
 * Counts and remembers the error, and raises no suspicion. */
void target_on_error(struct target *target, enum target_error error);
/* The error that it currently answers with, or NONE: so many questions for so many names failed in
 * a row that the names are not to blame. target_on_worthless adds an error to the row;
 * target_on_final ends the row with a reply that is passed on to the client. */
enum target_error target_answers(struct target *target, uint64_t now_us);
static inline void target_on_final(struct target *target, uint64_t now_us)
{
	failures_end(&target->failures, now_us);
}
void target_on_worthless(struct target *target, uint64_t name, uint16_t type,
			 enum target_error error, uint64_t now_us);
/* It answered this name (a hash) well without an OPT, and with FORMERR, NOTIMP or BADVERS with one.
 * After TARGET_PLAIN_ROW such names in a row it is asked without an OPT for TARGET_PLAIN_US at a
 * time. An answered question that had an OPT ends the row. A target is always asked with an OPT
 * once one of its answers had one. */
void target_on_plain(struct target *target, uint64_t name, uint64_t now_us);
void target_on_opt_read(struct target *target); /* it answered a question with an OPT */
void target_on_opt(struct target *target);      /* the answer itself had an OPT */
/* Counts a reply that answers no open question of this target. `from` is its sender: another
 * address that repeats an open question and its id, or the target itself with an open id and
 * another question. NULL: the reply may be a late answer. */
void target_on_mismatch(struct target *target, const struct host *from, uint64_t now_us);
/* "something else answers: 192.0.2.1:53" if such replies came lately and the target's own did not;
 * a text about late answers if all of them may be late; else "". Returns text. */
enum { TARGET_OTHER_TEXT = 64 + HOST_TEXT_MAX };
char *target_other_text(struct target *target, uint64_t now_us, char text[TARGET_OTHER_TEXT]);
/* Copies its known questions to `questions`, which has room for TARGET_KNOWN; returns how many. */
unsigned target_known(struct target *target, struct target_question *questions);
void target_on_probe(struct target *target); /* counts */
/* The target left this question unanswered. While it has no known question, it is probed once with
 * the last such question. */
void target_miss(struct target *target, const struct target_question *question);
bool target_knows_nothing(const struct target *target);
bool target_take_missed(struct target *target, struct target_question *question); /* false: none */
/* Whether a suspect should be probed now: every TARGET_PROBE_US at first, then less often.
 * target_take_probe takes the turn; false: another worker has it. */
bool target_wants_probe(const struct target *target, uint64_t now_us);
bool target_take_probe(struct target *target, uint64_t now_us);
/* The same for a suspect that no question needs: every TARGET_RECHECK_US at first. */
bool target_wants_recheck(const struct target *target, uint64_t now_us);
bool target_take_recheck(struct target *target, uint64_t now_us);
uint64_t target_probed_us(const struct target *target); /* or became suspect; 0: never */
/* Takes a token, which lets a waiting question be asked once more before patience is over, here or
 * elsewhere; false: there is none. A hundred questions earn one token, and it is returned if the
 * copy is answered first. So a target that keeps silent about some questions costs one copy for
 * each of them, and names that nobody answers cost one copy in a hundred questions. */
bool target_take_token(struct target *target);
void target_return_token(struct target *target);
/* Whether a question may be repeated when patience is over. Each answer allows one repeat: lost
 * packets are repaired, and an overloaded target does not get everything again and again. */
bool target_has_repeats(const struct target *target);
void target_take_repeat(struct target *target);

/* ---- the letters of a question (draft-vixie-dnsext-dns0x20) ----
 *
 * A target is assumed to repeat the letters until it is known not to, so one forged packet changes
 * nothing. */

static inline bool target_may_vary_case(const struct target *target, uint64_t now_us)
{
	return atomic_load_explicit(&target->case_off_until_us, memory_order_relaxed) <= now_us;
}

/* Whether it is known to find names in any case. */
static inline bool target_ignores_case(const struct target *target)
{
	return atomic_load_explicit(&target->case_answered, memory_order_relaxed) >=
	       TARGET_CASE_SURE;
}

/* A reply by UDP repeated the letters, or changed them. Changed ones may be forged, but each has
 * hit port and id. */
void target_on_case_kept(struct target *target);
void target_on_case_changed(struct target *target, uint64_t now_us);
/* A reply by TCP, which nobody forges, has shown that the target changes letters. */
void target_on_case_confirmed(struct target *target, uint64_t now_us);
/* It answered a question in capitals with data; or with an error or no data, perhaps because of the
 * capitals. */
void target_on_case_answered(struct target *target);
void target_on_case_unsure(struct target *target, uint64_t now_us);

/* ---- all targets ---- */

struct target_registry; /* thread-safe; for changes of policies, not for queries */
struct target_registry *target_registry_new(void);
void target_registry_free(struct target_registry *registry);
/* Returns the target with a reference; NULL: no memory. */
struct target *target_acquire(struct target_registry *registry, const struct address *source,
			      const struct host *host, enum protocol protocol);
void target_release(struct target_registry *registry, struct target *target);
/* A number for a new list that no target's `listed` has yet. Control thread only. */
uint64_t target_registry_new_listing(struct target_registry *registry);
/* How many targets are suspect now. Any thread. */
uint32_t target_registry_suspects(const struct target_registry *registry);
/* True for one worker in each second, which then rechecks suspects. */
bool target_registry_take_turn(struct target_registry *registry, uint64_t now_us);

#endif
