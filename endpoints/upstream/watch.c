/* Records, for the watchers of a question, which packet was sent where, and its result. An
 * unanswered packet gets no result: the question goes on, or is over, without the answer. A packet
 * that still waits for a TCP connection when its watcher leaves is recorded as unsent. So is a
 * packet by UDP that the system refused. */
#include "endpoints/upstream/internal.h"

/* What UDP has gathered leaves at the end of the loop round, even if its question ends before. */
static uint8_t packets_of(const struct flight *flight)
{
	return flight->gathered && !flight->tcp ? 1 : flight->departures;
}

static struct lookup_try *add(struct lookup_watch *watch)
{
	if (watch->count == LOOKUP_TRIES_MAX) {
		watch->dropped++;
		return NULL;
	}
	return &watch->tries[watch->count++];
}

static struct lookup_try *find(struct lookup_watch *watch, const struct flight *flight)
{
	for (unsigned i = 0; i < watch->count; i++)
		if (watch->tries[i].flight == flight)
			return &watch->tries[i];
	return NULL;
}

/* A flight may get the memory of an earlier one whose end was not noted. find() compares pointers,
 * so the record of the earlier flight must lose its pointer. */
static void add_flight(struct lookup_watch *watch, const struct flight *flight, uint64_t sent_us)
{
	struct lookup_try *before = find(watch, flight), *try = add(watch);

	if (before)
		before->flight = NULL;
	if (try)
		*try = (struct lookup_try){.upstream = flight->index,
					   .flight = flight,
					   .sent_us = sent_us,
					   .tcp = flight->tcp};
}

/* Lists the flights under way, which may still be answered. */
void watch_join(struct lookup *lookup, struct lookup_watch *watch)
{
	lookup->watchers++;
	for (const struct flight *flight = lookup->flights; flight; flight = flight->next)
		add_flight(watch, flight, flight->sent_us);
}

void watch_note_sent(struct lookup *lookup, const struct flight *flight, uint64_t now_us)
{
	for (struct waiter *at = lookup->waiters; at; at = at->next)
		if (at->watch)
			add_flight(at->watch, flight, now_us);
}

void watch_note_end(struct lookup *lookup, const struct flight *flight, enum lookup_try_end end,
		    unsigned rcode, enum target_error error, uint64_t now_us)
{
	for (struct waiter *at = lookup->waiters; at; at = at->next) {
		struct lookup_try *try = at->watch ? find(at->watch, flight) : NULL;

		if (!try)
			continue;
		try->packets = flight->departures;
		try->flight = NULL;
		try->ended_us = now_us;
		try->end = end;
		try->error = error;
		try->rcode = (uint8_t)rcode;
	}
}

/* Keeps try->flight, because the flight's end may be noted a moment later. */
void watch_note_gone(struct lookup *lookup, const struct flight *flight)
{
	for (struct waiter *at = lookup->waiters; at; at = at->next) {
		struct lookup_try *try = at->watch ? find(at->watch, flight) : NULL;

		if (try)
			try->packets = packets_of(flight);
	}
}

void watch_leave(struct lookup *lookup, struct lookup_watch *watch)
{
	for (const struct flight *flight = lookup->flights; flight; flight = flight->next) {
		struct lookup_try *try = find(watch, flight);

		if (try)
			try->packets = packets_of(flight);
	}
	for (unsigned i = 0; i < watch->count; i++) {
		struct lookup_try *try = &watch->tries[i];

		if (try->packets == 0 &&
		    (try->end == LOOKUP_TRY_SILENT || try->end == LOOKUP_TRY_FAILED))
			try->end = LOOKUP_TRY_UNSENT;
	}
}

void watch_note_unsent(struct lookup *lookup, unsigned index, enum target_error error,
		       uint64_t now_us)
{
	const struct upstream *upstream = &lookup->key.leg->upstreams[index];

	for (struct waiter *at = lookup->waiters; at; at = at->next) {
		struct lookup_try *try = at->watch ? add(at->watch) : NULL;

		if (try)
			*try = (struct lookup_try){.upstream = (uint8_t)index,
						   .sent_us = now_us,
						   .ended_us = now_us,
						   .end = LOOKUP_TRY_UNSENT,
						   .error = error,
						   .tcp = upstream->protocol == PROTOCOL_TCP};
	}
}
