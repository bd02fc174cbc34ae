/* What a server takes by TCP: how many questions on a connection, and how many connections at a
 * time. RFC 7766 leaves both to the server, which says neither, so it is learned from what becomes
 * of its connections. No sockets and no clock in here. */
#ifndef SLUICE_OUTBOUND_CAPACITY_H
#define SLUICE_OUTBOUND_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	OUTBOUND_CAPACITY_CONNECTIONS = 32,   /* at most, where pipelines are short, and ... */
	OUTBOUND_CAPACITY_PIPELINES = 8,      /* ... where they are not */
	OUTBOUND_CAPACITY_PIPELINE = 256,     /* at most */
	OUTBOUND_CAPACITY_PIPELINE_SLOW = 32, /* of a slow server; fewer are a short one */
	OUTBOUND_CAPACITY_FULL_US = 1000 * 1000,
	OUTBOUND_CAPACITY_SILENT_US = 100 * 1000, /* where all that it accepts are silent */
	OUTBOUND_CAPACITY_PAUSE_US = 50 * 1000,
};

struct outbound_capacity {
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
void outbound_capacity_init(struct outbound_capacity *capacity);
/* Whether to have one more connection than the live ones, of which so many are silent: the server
 * has accepted them, and others do what they do not. */
enum outbound_dial outbound_capacity_dial(struct outbound_capacity *capacity, unsigned live,
					  unsigned silent, uint64_t now_us);
/* There are so many, and one more was not to be had. Where it has answered by more at a time, those
 * are what it accepts, and one less each time. 0: it is away, and nothing is
 * known of what it will accept. That there are no more than was known does not put off the next
 * trial. */
void outbound_capacity_on_full(struct outbound_capacity *capacity, unsigned live, uint64_t now_us);
/* A connection has given one more answer, so many in all. */
void outbound_capacity_on_answer(struct outbound_capacity *capacity, uint64_t answered);
/* That was the first of a connection, so many have answered now: as many are accepted. */
void outbound_capacity_on_accepted(struct outbound_capacity *capacity, unsigned proven);
/* A connection ended while there was something to ask, after so many answers. */
void outbound_capacity_on_end(struct outbound_capacity *capacity, uint64_t answered);
/* And without any, with or without others that are live. */
void outbound_capacity_on_end_in_vain(struct outbound_capacity *capacity, bool others);
/* A question took long, while so many were answered on its connection: what to have under way. */
unsigned outbound_capacity_on_slow(struct outbound_capacity *capacity, uint64_t answered);
/* One ended without an answer beside so many that are live, by a question or as one too many: the
 * next one tells. Where each gives one answer, others follow at once: it was too many. */
void outbound_capacity_on_doubt(struct outbound_capacity *capacity, unsigned live, uint64_t now_us);
/* That one has stayed. */
void outbound_capacity_on_stay(struct outbound_capacity *capacity);
/* How long a question that was alone on the last of them is to wait, after more than one. */
uint64_t outbound_capacity_pause_us(const struct outbound_capacity *capacity);
/* Whether it ends connections without answers, and does nothing else. */
bool outbound_capacity_is_hopeless(const struct outbound_capacity *capacity);

#endif
