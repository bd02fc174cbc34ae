/* A target's health and round-trip time. One per (source, address, port, protocol), in a registry
 * that outlives policies; shared by the workers, so all of it is relaxed atomics, and a lost update
 * costs a sample and nothing else. Time is a parameter.
 *
 * Slow is not dead, and a dead name is not a dead target. Silence about a question says nothing of
 * its target by itself: it raises a doubt, and a target in doubt is probed with what it answered a
 * moment ago (its known questions, of two clients). It is suspect only when it does not answer
 * those either.
 *
 * When a question is also sent elsewhere (the allowance) and when its silence raises a doubt are
 * two decisions. A few slow answers stretch the allowance up to patience; a target that is dead
 * must be found out long before. So three questions that have waited for longer than the target
 * takes as a rule raise the doubt, or one that has waited for its allowance or half of patience. */
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
	TARGET_PROBE_US = 100 * 1000,     /* probed no more often, by all workers together */
	TARGET_PROBE_MAX_US = 500 * 1000, /* what that grows to while it is suspect */
	/* The same while nobody asks for it. At 20 a second 1,000 suspects take 50 s, and status is
	 * to be right within a minute. */
	TARGET_RECHECK_US = 5 * 1000000,
	TARGET_RECHECK_MAX_US = 50 * 1000000,
	TARGET_RECHECKS = 20,   /* a second, by all workers together */
	TARGET_TOKEN = 100,     /* hundredths: a full token */
	TARGET_TOKENS = 2,      /* held at most */
	TARGET_REPEATS = 1024,  /* held at most */
	TARGET_UNANSWERED = 3,  /* since it was last heard: in doubt; suspect with nothing known */
	TARGET_KNOWN = 2,       /* questions that it is probed with */
	TARGET_LEARN_US = 1000, /* they are noted no more often */
	TARGET_PLAIN_US = 10 * 1000000, /* asked without EDNS for so long, and then with it again */
	TARGET_PLAIN_ROW = 3, /* names in a row that it answers only without: it has no EDNS */
	TARGET_CASE_SURE = 8, /* answers with data: to it case is no difference */
	TARGET_CASE_ROW = 10, /* questions in a row whose letters it changed */
	TARGET_CASE_OFF_US = 900 * 1000000,  /* asked in lower case for so long then */
	TARGET_CASE_PAUSE_US = 10 * 1000000, /* and after an answer that proves nothing */
	TARGET_OTHER_US = 90 * 1000000,  /* who else answers is shown for so long after it did */
	TARGET_OTHER_PACE_US = 1000000,  /* from where it did is noted no more often */
	TARGET_OTHER_ALONE_US = 1000000, /* and the target itself has been silent for so long */
};

enum { TARGET_NO_SAMPLE = UINT32_MAX }; /* as an RTT: a sign of life, not a sample */

struct target_question { /* one that it answered as fast as it does as a rule */
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
	_Atomic uint64_t heard_us;           /* last sign of life; 0: never */
	_Atomic uint64_t suspect_us;         /* suspect since; 0: it is not */
	_Atomic uint64_t revived_us;         /* when its last suspicion ended; 0: never */
	_Atomic uint64_t doubt_us;           /* in doubt since; 0: it is not */
	_Atomic uint64_t probed_us;          /* when it was last probed */
	_Atomic uint64_t learnt_us;          /* when a known question was last noted */
	_Atomic uint64_t plain_until_us;     /* ask without EDNS until then */
	_Atomic uint64_t plain_name;         /* the last name answered only without, hashed */
	_Atomic uint32_t plain_row;          /* such names in a row; up to TARGET_PLAIN_ROW */
	_Atomic uint32_t speaks_edns;        /* has answered with an OPT */
	_Atomic uint32_t waiting;            /* questions waiting here, of all workers */
	_Atomic uint32_t unanswered;         /* questions overdue since it was last heard */
	_Atomic int32_t tokens;  /* hundredths; pay for asking beside the question's way */
	_Atomic int32_t repeats; /* questions that may be asked again after patience */
	_Atomic uint64_t case_off_until_us; /* asked in lower case until then */
	_Atomic uint32_t case_answered;     /* questions in capitals, with data; up to _SURE */
	_Atomic uint32_t case_changed;      /* in a row, by UDP */
	/* What came to its open questions and matched none, to be shown and for nothing else:
	 * anybody can forge it. */
	_Atomic uint64_t mismatched, mismatched_us;
	_Atomic uint64_t other_us; /* when one came from elsewhere, with question and id */
	struct host other;         /* from there; under the lock */
	pthread_mutex_t known_lock;
	struct target_question known[TARGET_KNOWN]; /* the latest first, each of another client */
	struct target_question missed; /* with none known: the last that it left unanswered */
	_Atomic uint32_t *suspects;    /* of its registry; NULL: nobody counts them */
	uint64_t listed; /* the control thread's: the list of targets that has it (snapshot.c) */

	_Atomic uint64_t asked, answered, probes, timeouts, errors, suspicions; /* counters */
	_Atomic uint32_t last_error; /* enum target_error, why it was last passed over */
	struct failures failures;    /* its errors since the last answer that was one */
	/* How long its answers took: of each loop round of a worker the first one's. */
	struct histogram durations;
};

void target_init(struct target *target, const struct address *source, const struct host *host,
		 enum protocol protocol);
void target_destroy(struct target *target); /* what target_init made */

/* How long a question waits before it is also sent elsewhere. */
uint64_t target_allowance_us(const struct target *target);
/* How long a question waits before its silence counts (target_on_silence): 20 ms, or twice SRTT
 * where that is more; the allowance where that is less, or nothing is known. */
uint64_t target_silence_us(const struct target *target);
bool target_is_suspect(const struct target *target);
uint64_t target_revived_us(const struct target *target); /* its last suspicion's end; 0: none */
/* Why it is suspect: NETWORK, where the network says that it cannot be reached, else SILENCE. */
enum target_error target_suspicion(const struct target *target);
uint64_t target_suspect_us(const struct target *target); /* since when; 0: it is not */
/* Probed, and has said nothing so far: what can be asked elsewhere is, meanwhile. */
bool target_is_doubted(const struct target *target);
bool target_never_answered(const struct target *target);
uint64_t target_heard_us(const struct target *target); /* its last sign of life; 0: never */
/* Never answered, and as many wait there as are to find out whether it does. */
bool target_is_untried(const struct target *target);
bool target_is_plain(const struct target *target, uint64_t now_us);
bool target_speaks_edns(const struct target *target);

/* A question is sent (not a copy): counts, adds 0.01 token. */
void target_on_ask(struct target *target);
void target_wait(struct target *target);   /* a question begins to wait here */
void target_unwait(struct target *target); /* and ends to */
/* A matching answer arrived, whatever it says, rtt_us after its question (or TARGET_NO_SAMPLE: it
 * came by another transport): a sample and a sign of life. True when this ended a suspicion. */
bool target_on_answer(struct target *target, uint64_t rtt_us, uint64_t now_us);
/* The same, where a probe was answered: it is none of the questions that are counted. */
bool target_on_life(struct target *target, uint64_t rtt_us, uint64_t now_us);
/* Whether it is to be probed with a question that it has answered after rtt_us: within 20 ms or
 * twice SRTT unless it is the first, so that no slow name becomes a probe, and not right after
 * another one. To be asked before that answer is a sample. The second notes it, for its client. */
bool target_may_learn(const struct target *target, uint64_t rtt_us, uint64_t now_us);
void target_learn(struct target *target, const struct target_question *question, uint64_t now_us);

enum target_silence {
	TARGET_TALKS,   /* it has been heard since; or it is too early to say, with nothing known */
	TARGET_WAITS,   /* it is too early to say, or to probe it again: to be asked at *again_us */
	TARGET_DOUBTED, /* the caller probes it now, or nobody does */
	TARGET_SUSPECT, /* now, or before */
};
/* A question sent at sent_us has waited for target_silence_us or, after TARGET_WAITS, until
 * *again_us. *counted, false at first, is whether it is one of the unanswered. */
enum target_silence target_on_silence(struct target *target, uint64_t sent_us, bool *counted,
				      uint64_t *again_us, uint64_t now_us);
/* How long `count` probes that are sent together are waited for. */
uint64_t target_probe_wait_us(const struct target_question *questions, unsigned count);
/* A probe sent at sent_us has waited for that. True when the target is suspect now. */
bool target_on_probe_silence(struct target *target, uint64_t sent_us, uint64_t now_us);
/* It could not be probed, for a reason that says nothing of it. */
void target_end_doubt(struct target *target);
/* Patience is over for a question: counted. */
void target_on_timeout(struct target *target);
/* The network itself said that it cannot be reached: suspect at once. */
void target_on_unreachable(struct target *target, enum target_error error, uint64_t now_us);
/* It answered, and what it said sends the question elsewhere; or this question could not be sent.
 * Counted and remembered as the last error, and no reason for suspicion. */
void target_on_error(struct target *target, enum target_error error);
/* The error that it answers, where so many questions for so many names get one in a row that the
 * names are not to blame; else NONE. target_on_worthless adds an error to the row; target_on_final,
 * a reply that is passed on to the client, ends the row. */
enum target_error target_answers(struct target *target, uint64_t now_us);
static inline void target_on_final(struct target *target, uint64_t now_us)
{
	failures_end(&target->failures, now_us);
}
void target_on_worthless(struct target *target, uint64_t name, uint16_t type,
			 enum target_error error, uint64_t now_us);
/* It answered this name (a hash) well without an OPT, and with FORMERR or NOTIMP with one. After
 * TARGET_PLAIN_ROW such names in a row it is asked without an OPT for TARGET_PLAIN_US at a time. A
 * question that it answers with an OPT in it ends the row. A target whose answer ever had an OPT is
 * always asked with one. */
void target_on_plain(struct target *target, uint64_t name, uint64_t now_us);
void target_on_opt_read(struct target *target); /* it answered a question with an OPT */
void target_on_opt(struct target *target);      /* the answer itself had an OPT */
/* A reply came that is not accepted as the answer to a question that this target was asked. `from`:
 * the address of somebody else, who sent that question and its id from there, or this id and
 * another question from the target's own address. NULL: it may be an answer that is late. */
void target_on_mismatch(struct target *target, const struct host *from, uint64_t now_us);
/* "something else answers: 192.0.2.1:53" where such replies have come lately and the target's own
 * have not; where all of them may be late answers it says that. Else "". Returns text. */
enum { TARGET_OTHER_TEXT = 64 + HOST_TEXT_MAX };
char *target_other_text(struct target *target, uint64_t now_us, char text[TARGET_OTHER_TEXT]);
/* What it is probed with, `questions` having room for TARGET_KNOWN; how many there are. */
unsigned target_known(struct target *target, struct target_question *questions);
void target_on_probe(struct target *target); /* counts */
/* The target left this question unanswered. While no answer of it is known, it is probed with the
 * last such question, once. */
void target_miss(struct target *target, const struct target_question *question);
bool target_knows_nothing(const struct target *target);
bool target_take_missed(struct target *target, struct target_question *question); /* false: none */
/* Whether a suspect is to be probed now: every TARGET_PROBE_US at first, then less often. The
 * second takes the turn. */
bool target_wants_probe(const struct target *target, uint64_t now_us);
bool target_take_probe(struct target *target, uint64_t now_us);
/* The same where no question brings a probe about: every TARGET_RECHECK_US at first. */
bool target_wants_recheck(const struct target *target, uint64_t now_us);
bool target_take_recheck(struct target *target, uint64_t now_us);
uint64_t target_probed_us(const struct target *target); /* or made suspect; 0: never */
/* Whether a question that waits there may be asked once more, here or elsewhere, before patience is
 * over. One is earned by a hundred questions, and comes back when the copy is answered first: so a
 * target that keeps silent about some of its questions costs one copy for each of them, and names
 * that nobody answers cost one in a hundred. */
bool target_take_token(struct target *target);
void target_return_token(struct target *target);
/* Whether a question may be asked there once more when patience is over. Each answer allows one: so
 * what is lost is repaired, and what is too much for a target is not sent again and again. */
bool target_has_repeats(const struct target *target);
void target_take_repeat(struct target *target);

/* ---- the letters of a question (draft-vixie-dnsext-dns0x20) ----
 *
 * A target is taken to repeat them until it is known that it does not, so one forged packet changes
 * nothing. */

static inline bool target_may_vary_case(const struct target *target, uint64_t now_us)
{
	return atomic_load_explicit(&target->case_off_until_us, memory_order_relaxed) <= now_us;
}

/* Whether it is known to find names in whatever case they are asked for. */
static inline bool target_ignores_case(const struct target *target)
{
	return atomic_load_explicit(&target->case_answered, memory_order_relaxed) >=
	       TARGET_CASE_SURE;
}

/* A reply by UDP repeated the letters, or had others. Those in a row may all be forged, but each of
 * them has hit port and id. */
void target_on_case_kept(struct target *target);
void target_on_case_changed(struct target *target, uint64_t now_us);
/* TCP, which nobody forges, has shown that it changes them. */
void target_on_case_confirmed(struct target *target, uint64_t now_us);
/* It answered a question in capitals with data, or with an error or without, which may be because
 * of the case. */
void target_on_case_answered(struct target *target);
void target_on_case_unsure(struct target *target, uint64_t now_us);

/* ---- all targets ---- */

struct target_registry; /* thread-safe; used when policies come and go, not per query */
struct target_registry *target_registry_new(void);
void target_registry_free(struct target_registry *registry);
/* With a reference; NULL: no memory. */
struct target *target_acquire(struct target_registry *registry, const struct address *source,
			      const struct host *host, enum protocol protocol);
void target_release(struct target_registry *registry, struct target *target);
/* A number that no target has as `listed` yet: for a new list. The control thread's. */
uint64_t target_registry_new_listing(struct target_registry *registry);
/* How many are suspect now. Any thread. */
uint32_t target_registry_suspects(const struct target_registry *registry);
/* Whether the caller is the one of all workers that rechecks suspects in this second. */
bool target_registry_take_turn(struct target_registry *registry, uint64_t now_us);

#endif
