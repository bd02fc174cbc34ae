/* The right answers. The bench asks for names that contain their own answer, so that every answer
 * can be checked without a table, and the answering programs (floor, upstream) need no data:
 *
 *     h513.priv.test          A 10.0.2.1         a host of the private zone
 *     u70000.r7.corp.test     A 10.1.17.112      behind a forwarding rule
 *     x4.priv.test            NXDOMAIN           because of the first letter x
 *     7.2.64.100.in-addr.arpa PTR h519.priv.test one of our addresses
 *
 * The number after the first letter, modulo 2^24, is added to 10.0.0.0. One of our addresses minus
 * 100.64.0.0 is the number of its host. */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DNS_HEADER_BYTES = 12,
	QUESTION_BYTES = 48, /* the longest that questions.h makes, type and class included */
	ANSWER_BASE = 10 << 24,
	ANSWER_MASK = 0xffffff,
	REVERSE_BASE = 100 << 24 | 64 << 16,
	ANSWER_TTL = 300,
};

struct bench_question {
	uint8_t wire[QUESTION_BYTES]; /* name, type A or PTR, class IN */
	uint8_t length;
	uint8_t rcode;    /* 0 or 3 */
	bool reverse;     /* type PTR: the host's number is in `address` */
	uint32_t address; /* if rcode is 0 */
};

/* Appends the label "<letter><number>"; letter 0: none. */
uint8_t *answer_put_label(uint8_t *at, char letter, uint32_t number);

/* Turns the query in `packet` into its answer, in place: one A or PTR record, or NXDOMAIN or NODATA
 * with a SOA, and an OPT if the query had one. Returns the new length; 0: it is no query with one
 * question, or does not fit into `room`. */
size_t answer_make(uint8_t *packet, size_t length, size_t room);

/* A reason for every way in which an answer can be wrong. */
#define ANSWER_MAP(X)                                                                              \
	X(RIGHT, "right")                                                                          \
	X(SHORT, "too short, or not an answer")                                                    \
	X(QUESTION, "another question")                                                            \
	X(TRUNCATED, "truncated")                                                                  \
	X(RCODE, "another rcode")                                                                  \
	X(RECORD, "another record")
enum answer_check {
#define X(name, text) ANSWER_##name,
	ANSWER_MAP(X)
#undef X
		ANSWER_CHECKS
};
const char *answer_check_text(enum answer_check check);

/* Whether `packet`, whose id has been matched, is the right answer to `question`. */
enum answer_check answer_check(const uint8_t *packet, size_t length,
			       const struct bench_question *question);

#endif
