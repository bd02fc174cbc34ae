/* Questions that failed in a row since the last answered one: how many, for how many names, since
 * when, and how the last one failed. Each target has one row (for its answers), and each way to
 * forward has one (for what its clients get; resolver/outcomes.h).
 *
 * FAILURES_ROW failures for FAILURES_NAMES names are a judgement once the row has lasted
 * FAILURES_AGE_S. One broken name is not enough, however often it is asked for, and neither are
 * many failures within moments. A question that comes again within FAILURES_REPEAT_S counts once,
 * because clients repeat what fails. Errors, which are answers, are judged by themselves. Silence
 * is not, because the names may cause it: the caller knows whether the targets live.
 *
 * Workers share it. An answer costs one load of a line that is written only while questions fail. A
 * failure and the answer that ends a row take a lock for some fifty instructions, so that failures
 * of two workers at the same moment both count. */
#ifndef SLUICE_FAILURES_H
#define SLUICE_FAILURES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rules/prefix.h"

enum {
	FAILURES_ROW = 5,
	FAILURES_NAMES = 3,
	FAILURES_AGE_S = 10,
	FAILURES_REPEAT_S = 5,
	FAILURES_QUESTIONS = 5,
	FAILURES_KEPT_S = 3600,
};

#define TARGET_ERROR_MAP(X)                                                                        \
	X(NONE, "none", "answers")                                                                 \
	X(SILENCE, "no answer", "does not answer")                                                 \
	X(NETWORK, "network error", "cannot be reached")                                           \
	X(SERVFAIL, "SERVFAIL", "answers SERVFAIL")                                                \
	X(REFUSED, "REFUSED", "answers REFUSED")                                                   \
	X(NOTIMP, "NOTIMP", "answers NOTIMP")                                                      \
	X(FORMERR, "FORMERR", "answers FORMERR")                                                   \
	X(RCODE, "unexpected rcode", "answers an unexpected rcode")                                \
	X(LAME, "lame answer", "gives lame answers")                                               \
	X(MANGLED, "mangled reply", "gives mangled replies")                                       \
	X(CLOSED, "connection closed", "closes connections")                                       \
	X(SOURCE, "source address unusable", "cannot be asked from its source address")            \
	X(FULL, "connections are full", "has no room for connections")                             \
	X(ROOM, "no room for the question", "has no room for questions")                           \
	X(OVER, "the outbound endpoint is over its limit", "is over its endpoint's limit")         \
	X(TRUNCATED, "truncated answer", "truncates answers, and does not give them by TCP")       \
	X(AWAY, "connections closed", "closes every connection")                                   \
	X(LOOP, "forwarding loop", "leads back to itself (loop)")                                  \
	X(SHUT, "refused by our own endpoint", "refuses these names")                              \
	X(INNER, "failed at our own endpoint", "answers SERVFAIL")
enum target_error {
#define X(name, text, sentence) TARGET_ERROR_##name,
	TARGET_ERROR_MAP(X)
#undef X
};
const char *target_error_text(enum target_error error);
/* A sentence's rest after "192.0.2.1:53 ". */
const char *target_error_sentence(enum target_error error);
/* Whether it counts as an answer, perhaps of our own endpoint. A connection that ended without an
 * answer (CLOSED) counts as one. Otherwise nothing came, or the question was not sent. */
bool target_error_is_answer(enum target_error error);
/* Whether one of our own inbound endpoints caused it, and no target. */
bool target_error_is_entered(enum target_error error);
/* Whether one of our own limits caused it, and no target. */
bool target_error_is_ours(enum target_error error);

struct failures_row {
	uint32_t count, name_count; /* names: up to FAILURES_NAMES */
	uint64_t names[FAILURES_NAMES];
	struct {                           /* the latest counted ones */
		uint64_t name, counted_us; /* 0: none */
		uint16_t type;
	} questions[FAILURES_QUESTIONS];
	uint64_t began_us, last_us;
};

struct failures {
	_Atomic uint32_t count;    /* copy of all.count; 0: the last question was answered */
	_Atomic uint64_t ended_us; /* when an answer ended the last row; 0: never */
	pthread_mutex_t lock;      /* guards the members below */
	struct failures_row all, errors;
	enum target_error error; /* the last error in `errors` */
	struct host host;        /* that answered with it; family 0: unknown */
};

void failures_init(struct failures *failures);
void failures_destroy(struct failures *failures);

static inline bool failures_have_begun(const struct failures *failures)
{
	return atomic_load_explicit(&failures->count, memory_order_relaxed) != 0;
}

static inline uint64_t failures_ended_us(const struct failures *failures)
{
	return atomic_load_explicit(&failures->ended_us, memory_order_relaxed);
}

/* A question for the name failed at at_us. at_us before now_us (a cached failure): it may continue
 * a row that began before, but begins none. True: it began a row. */
bool failures_add(struct failures *failures, uint64_t name, uint16_t type, enum target_error error,
		  const struct host *host, uint64_t at_us, uint64_t now_us);
/* A question was answered at at_us: ends the row, unless a failure came later. True: it ended. */
bool failures_end_row(struct failures *failures, uint64_t at_us);
static inline bool failures_end(struct failures *failures, uint64_t at_us)
{
	return failures_have_begun(failures) && failures_end_row(failures, at_us);
}

enum failures_kind {
	FAILURES_FEW,
	FAILURES_OF_ERRORS, /* enough errors to be judged */
	FAILURES_OF_NAMES,  /* enough failures only together with unanswered questions */
};
struct failures_now {
	enum failures_kind kind;
	struct failures_row row; /* of that kind; FEW: all failures, or not set */
	enum target_error error; /* OF_ERRORS: the last one */
	struct host host;
};
/* Rows younger than FAILURES_AGE_S, and rows without a question for FAILURES_KEPT_S, are FEW. */
void failures_read(struct failures *failures, uint64_t now_us, struct failures_now *now);

#endif
