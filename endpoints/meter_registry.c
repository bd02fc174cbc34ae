/* A snapshot takes a reference to each of its
 * endpoints' when it is prepared and gives it back when it is freed; the next one takes its own
 * before that, so a reload does not fill anybody's bucket. A list: there are few endpoints, and
 * only the control thread comes here. */
#include "endpoints/meter_registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct meter_registry {
	struct meter *meters;
	struct hash_key key;
	uint64_t rate;
};

struct meter_registry *meter_registry_new(const struct hash_key *key)
{
	struct meter_registry *registry = calloc(1, sizeof *registry);

	if (registry)
		registry->key = *key;
	return registry;
}

static void meter_free(struct meter *meter)
{
	free(meter->name);
	free(meter);
}

void meter_registry_free(struct meter_registry *registry)
{
	if (!registry)
		return;
	while (registry->meters) {
		struct meter *meter = registry->meters;

		registry->meters = meter->next;
		meter_free(meter);
	}
	free(registry);
}

void meter_registry_set_rate(struct meter_registry *registry, uint64_t rate)
{
	registry->rate = rate;
	for (struct meter *meter = registry->meters; meter; meter = meter->next)
		meter_set_rate(meter, rate);
}

static struct meter *meter_new(const struct meter_registry *registry, const char *name,
			       bool outbound)
{
	struct meter *meter = aligned_alloc(METER_LINE, sizeof *meter);
	char *copy = strdup(name);

	if (!meter || !copy) {
		free(meter);
		free(copy);
		return NULL;
	}
	meter_init(meter, registry->rate, &registry->key);
	meter->name = copy;
	meter->outbound = outbound;
	return meter;
}

struct meter *meter_acquire(struct meter_registry *registry, const char *name, bool outbound)
{
	struct meter *meter = registry->meters;

	while (meter && !(meter->outbound == outbound && strcasecmp(meter->name, name) == 0))
		meter = meter->next;
	if (!meter) {
		meter = meter_new(registry, name, outbound);
		if (!meter)
			return NULL;
		meter->next = registry->meters;
		registry->meters = meter;
	}
	meter->references++;
	return meter;
}

void meter_release(struct meter_registry *registry, struct meter *meter)
{
	struct meter **link = &registry->meters;

	assert(meter->references > 0);
	if (--meter->references > 0)
		return;
	while (*link != meter)
		link = &(*link)->next;
	*link = meter->next;
	meter_free(meter);
}
