/* What a server gives by TCP: how many answers to a connection, and how many connections at a time.
 * RFC 7766 leaves both to the server, which says neither, so it is learned from what becomes of its
 * connections. No sockets here, and no clock: whoever has them tells. */
#ifndef SLUICE_OUTBOUND_TERMS_H
#define SLUICE_OUTBOUND_TERMS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	OUTBOUND_TERMS_CONNECTIONS = 32,   /* at most, where pipelines are short, and ... */
	OUTBOUND_TERMS_PIPELINES = 8,      /* ... where they are not */
	OUTBOUND_TERMS_PIPELINE = 256,     /* at most */
	OUTBOUND_TERMS_PIPELINE_SLOW = 32, /* of a slow server; fewer are a short one */
	OUTBOUND_TERMS_FULL_US = 1000 * 1000,
	OUTBOUND_TERMS_PAUSE_US = 50 * 1000,
};

struct outbound_terms {
	unsigned pipeline;    /* questions under way on a connection: the answers it gives */
	unsigned parallel;    /* connections to have while the pipeline is short */
	unsigned connections; /* at a time, that the server accepts, as far as is known */
	unsigned doubted;     /* beside so many the last one ended at once; none: ..._CONNECTIONS */
	unsigned accepted;    /* at a time, that it has answered by: it does accept so many */
	uint64_t ended_after; /* so many answers, the last connection */
	uint64_t full_us;     /* when it was seen to accept no more, or one more was tried */
	unsigned in_vain;     /* connections that ended without an answer, in a row */
	bool answers;         /* it has given one */
};

enum outbound_dial {
	OUTBOUND_DIAL_NO,
	OUTBOUND_DIAL_MORE,
	OUTBOUND_DIAL_DOUBTED, /* maybe more than it accepts: to stay for a while, and then be used
				*/
	OUTBOUND_DIAL_TRIAL,   /* more than it accepts, as far as is known; one in ..._FULL_US */
};

/* Nothing is known: long pipelines, any number of connections. */
void outbound_terms_init(struct outbound_terms *terms);
/* Whether to have one more connection than the live ones, of which so many are silent: the server
 * has accepted them, and others do what they do not. */
enum outbound_dial outbound_terms_dial(struct outbound_terms *terms, unsigned live, unsigned silent,
				       uint64_t now_us);
/* There are so many, and one more was not to be had. Where it has answered by more at a time, those
 * are what it accepts, and one less with each time that this is told. 0: it is away, and nothing is
 * known of what it will accept. That there are no more than was known does not put off the next
 * trial. */
void outbound_terms_on_full(struct outbound_terms *terms, unsigned live, uint64_t now_us);
/* A connection has given one more answer, so many in all. */
void outbound_terms_on_answer(struct outbound_terms *terms, uint64_t answered);
/* That was the first of a connection, so many have answered now: as many are accepted. */
void outbound_terms_on_accepted(struct outbound_terms *terms, unsigned proven);
/* A connection ended while there was something to ask, after so many answers. */
void outbound_terms_on_end(struct outbound_terms *terms, uint64_t answered);
/* And without any, with or without others that are live. */
void outbound_terms_on_end_in_vain(struct outbound_terms *terms, bool others);
/* A question took long, while so many were answered on its connection: what to have under way. */
unsigned outbound_terms_on_slow(struct outbound_terms *terms, uint64_t answered);
/* One ended without an answer beside so many that are live, by a question or as one too many: the
 * next one tells. Where each gives one answer, others follow at once: it was too many. */
void outbound_terms_on_doubt(struct outbound_terms *terms, unsigned live, uint64_t now_us);
/* That one has stayed. */
void outbound_terms_on_stay(struct outbound_terms *terms);
/* How long a question that was alone on the last of them is to wait, after more than one. */
uint64_t outbound_terms_pause_us(const struct outbound_terms *terms);
/* Whether it ends connections without answers, and does nothing else. */
bool outbound_terms_are_hopeless(const struct outbound_terms *terms);

#endif
