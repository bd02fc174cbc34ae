/* How much a server accepts by TCP: how many questions on a connection, and how many connections at
 * a time. RFC 7766 leaves both to the server, which announces neither, so they are learned from the
 * ends of its connections. There are no sockets and no clock in here. */
#ifndef SLUICE_OUTBOUND_CAPACITY_H
#define SLUICE_OUTBOUND_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	OUTBOUND_CAPACITY_CONNECTIONS = 32,       /* at most, with short pipelines */
	OUTBOUND_CAPACITY_PIPELINES = 8,          /* connections at most, with long pipelines */
	OUTBOUND_CAPACITY_PIPELINE = 256,         /* at most */
	OUTBOUND_CAPACITY_PIPELINE_SLOW = 32,     /* of a slow server; less is a short pipeline */
	OUTBOUND_CAPACITY_FULL_US = 1000 * 1000,  /* at least, between two tries above the limit */
	OUTBOUND_CAPACITY_SILENT_US = 100 * 1000, /* the same while all live ones are silent */
	OUTBOUND_CAPACITY_PAUSE_US = 50 * 1000,
};

struct outbound_capacity {
	unsigned pipeline;    /* questions at a time on a connection: as many as it answers */
	unsigned parallel;    /* connections to open while the pipeline is short */
	unsigned connections; /* that the server accepts at a time, as far as is known */
	unsigned doubted;     /* how many were live when one more ended without an answer;
			       * ..._CONNECTIONS: no doubt */
	unsigned accepted;    /* this many have answered at a time, so it accepts as many */
	uint64_t ended_after; /* answers of the last connection that ended with questions left */
	uint64_t full_us;     /* when the known limit last fell, or one more was tried above it */
	unsigned in_vain;     /* connections in a row that ended without an answer */
	bool answers;         /* it has given an answer */
};

enum outbound_dial {
	OUTBOUND_DIAL_NO,
	OUTBOUND_DIAL_MORE,
	OUTBOUND_DIAL_DOUBTED, /* maybe more than it accepts: must stay for a while before use */
	OUTBOUND_DIAL_TRIAL,   /* probably more than it accepts; one in each ..._FULL_US */
};

/* Starts with long pipelines and any number of connections. */
void outbound_capacity_init(struct outbound_capacity *capacity);
/* Whether to open one more connection than the live ones. `silent` of these cannot take the next
 * question, because they do not answer, or because a suspect has to be alone, so others have to do
 * their work. */
enum outbound_dial outbound_capacity_dial(struct outbound_capacity *capacity, unsigned live,
					  unsigned silent, uint64_t now_us);
/* One connection more than `live` was refused: `live` is the known limit now. If more have answered
 * at a time before, their number is the limit instead, and counts one less the next time. live 0:
 * the server is away, and its limit is unknown again. Only a lower limit delays the next
 * trial. */
void outbound_capacity_on_full(struct outbound_capacity *capacity, unsigned live, uint64_t now_us);
/* A connection has given `answered` answers, one more than before. */
void outbound_capacity_on_answer(struct outbound_capacity *capacity, uint64_t answered);
/* A connection gave its first answer. `proven` connections have answered now, so as many are
 * accepted. */
void outbound_capacity_on_accepted(struct outbound_capacity *capacity, unsigned proven);
/* A connection ended after `answered` answers, while questions were left. */
void outbound_capacity_on_end(struct outbound_capacity *capacity, uint64_t answered);
/* A connection ended without an answer, with or without other live ones. */
void outbound_capacity_on_end_in_vain(struct outbound_capacity *capacity, bool others);
/* A question took long while `answered` others were answered on its connection. Returns the limit
 * for this connection's pipeline; the capacity's own pipeline may be shorter already. */
unsigned outbound_capacity_on_slow(struct outbound_capacity *capacity, uint64_t answered);
/* A connection ended without an answer beside `live` ones. Either a question caused it, or it was
 * one too many: the next connection shows which. If each connection gives one answer, it was one
 * too many. */
void outbound_capacity_on_doubt(struct outbound_capacity *capacity, unsigned live, uint64_t now_us);
/* The doubted connection has stayed open. */
void outbound_capacity_on_stay(struct outbound_capacity *capacity);
/* How long to wait before repeating a question that was alone on a connection when that ended: 0
 * unless several connections in a row have ended without an answer, of a server that has answered
 * before. */
uint64_t outbound_capacity_pause_us(const struct outbound_capacity *capacity);
/* Whether it ends every connection without an answer. */
bool outbound_capacity_is_hopeless(const struct outbound_capacity *capacity);

#endif
