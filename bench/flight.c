#include "bench/flight.h"

#include <assert.h>
#include <stdlib.h>

#include "bench/questions.h"

bool flight_init(struct load_flight *flight, uint32_t room, uint64_t seed)
{
	assert(room && room <= 32768 && !(room & (room - 1)));
	*flight = (struct load_flight){.room = room, .stride = 65536 / room, .random = seed | 1};
	flight->slots = calloc(room, sizeof *flight->slots);
	flight->free_slots = calloc(room, sizeof *flight->free_slots);
	if (!flight->slots || !flight->free_slots) {
		flight_release(flight);
		return false;
	}
	for (uint32_t i = 0; i < room; i++)
		flight->free_slots[i] = (uint16_t)(room - 1 - i);
	return true;
}

void flight_release(struct load_flight *flight)
{
	free(flight->slots);
	free(flight->free_slots);
	*flight = (struct load_flight){0};
}

struct flight_slot *flight_take(struct load_flight *flight)
{
	if (flight->used == flight->room)
		return NULL;
	uint32_t index = flight->free_slots[flight->room - ++flight->used];
	struct flight_slot *slot = &flight->slots[index];
	if (index >= flight->touched)
		flight->touched = index + 1;
	uint32_t step = 1 + random_step(&flight->random) % (flight->stride - 1);
	slot->id = (uint16_t)(index * flight->stride + (slot->id + step) % flight->stride);
	slot->used = true;
	return slot;
}

struct flight_slot *flight_find(struct load_flight *flight, uint16_t id)
{
	struct flight_slot *slot = &flight->slots[id / flight->stride];
	return slot->used && slot->id == id ? slot : NULL;
}

void flight_put_back(struct load_flight *flight, struct flight_slot *slot)
{
	assert(slot->used && flight->used);
	slot->used = false;
	flight->free_slots[flight->room - flight->used--] = (uint16_t)(slot - flight->slots);
}

void flight_expire(struct load_flight *flight, uint64_t before_ns,
		   void (*on_lost)(const struct flight_slot *slot, void *context), void *context)
{
	for (uint32_t i = 0; flight->used && i < flight->touched; i++) {
		struct flight_slot *slot = &flight->slots[i];
		if (slot->used && slot->sent_ns < before_ns) {
			flight_put_back(flight, slot);
			on_lost(slot, context);
		}
	}
}
