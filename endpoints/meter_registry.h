/* All endpoints' meters (meter.h), by name and direction: they outlive policies. Used when policies
 * come and go, not per query, and by one thread. */
#ifndef SLUICE_METER_REGISTRY_H
#define SLUICE_METER_REGISTRY_H

#include "endpoints/meter.h"

struct meter_registry;
struct meter_registry *meter_registry_new(const struct hash_key *key);
void meter_registry_free(struct meter_registry *registry);
/* The limit of all endpoints, those that come later too. */
void meter_registry_set_rate(struct meter_registry *registry, uint64_t rate);
/* Finds or makes it, with a reference; names are equal without regard to case. NULL without memory.
 */
struct meter *meter_acquire(struct meter_registry *registry, const char *name, bool outbound);
void meter_release(struct meter_registry *registry, struct meter *meter);

#endif
