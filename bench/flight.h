/* Questions under way on one socket: a slot for each, found by the answer's id.
 *
 *     id = slot * stride + random below stride, but not the id that the slot had before
 *
 * so an answer to a question that was given up does not match the slot's next id, and counts as
 * late. The low bits of ids, by which a server may choose its threads, are evenly distributed. */
#ifndef BENCH_FLIGHT_H
#define BENCH_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/answer.h"

struct flight_slot {
	struct bench_question question;
	uint64_t sent_ns;
	uint16_t id;
	bool used;
};

struct load_flight {
	struct flight_slot *slots;
	uint16_t *free_slots; /* a stack, because a slot used last is still in the processor's cache
			       */
	uint32_t room, used, stride;
	uint32_t touched; /* slots ever used: the stack gives out the lowest first */
	uint64_t random;
};

/* room: a power of two, at most 32768. False without memory. */
bool flight_init(struct load_flight *flight, uint32_t room, uint64_t seed);
void flight_release(struct load_flight *flight);
/* A slot with a new id; the caller fills in question and time. NULL: all are taken. */
struct flight_slot *flight_take(struct load_flight *flight);
/* The question that waits with this id, or NULL. */
struct flight_slot *flight_find(struct load_flight *flight, uint16_t id);
void flight_put_back(struct load_flight *flight, struct flight_slot *slot);
/* Gives up questions that were sent before, and calls back for each. */
void flight_expire(struct load_flight *flight, uint64_t before_ns,
		   void (*on_lost)(const struct flight_slot *slot, void *context), void *context);

#endif
