/* All targets that any policy names, by (source, address, port, protocol). A policy takes a
 * reference to each of its targets when it is prepared and gives it back when it is freed; the next
 * policy takes its own before that, so health and counters outlive a reload. A mutex, because only
 * policies come here, never a query. */
#include <assert.h>
#include <pthread.h>

#include "endpoints/upstream/target.h"

enum { REGISTRY_BUCKETS = 4096 };

struct target_registry {
	pthread_mutex_t lock;
	struct target *buckets[REGISTRY_BUCKETS];
};

/* The operator chooses the keys, nobody else: a plain multiplicative hash does. */
static unsigned bucket_of(const struct address *source, const struct host *host,
			  enum protocol protocol)
{
	uint64_t hash = (uint64_t)host->port << 1 | (uint64_t)protocol;

	for (size_t i = 0; i < sizeof source->bytes; i++) {
		hash = (hash ^ source->bytes[i]) * 0x100000001b3;
		hash = (hash ^ host->address.bytes[i]) * 0x100000001b3;
	}
	return (unsigned)((hash ^ hash >> 32) % REGISTRY_BUCKETS);
}

struct target_registry *target_registry_new(void)
{
	struct target_registry *registry = calloc(1, sizeof *registry);

	if (!registry)
		return NULL;
	pthread_mutex_init(&registry->lock, NULL);
	return registry;
}

void target_registry_free(struct target_registry *registry)
{
	if (!registry)
		return;
	for (unsigned i = 0; i < REGISTRY_BUCKETS; i++) {
		struct target *next;
		for (struct target *target = registry->buckets[i]; target; target = next) {
			next = target->next;
			target_destroy(target);
			free(target);
		}
	}
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}

static struct target *find(struct target *target, const struct address *source,
			   const struct host *host, enum protocol protocol)
{
	while (target && !(target->protocol == protocol && host_equal(&target->host, host) &&
			   address_equal(&target->source, source)))
		target = target->next;
	return target;
}

struct target *target_acquire(struct target_registry *registry, const struct address *source,
			      const struct host *host, enum protocol protocol)
{
	struct target **bucket = &registry->buckets[bucket_of(source, host, protocol)];

	pthread_mutex_lock(&registry->lock);
	struct target *target = find(*bucket, source, host, protocol);
	if (!target) {
		target = malloc(sizeof *target);
		if (target) {
			target_init(target, source, host, protocol);
			target->next = *bucket;
			*bucket = target;
		}
	}
	if (target)
		target->references++;
	pthread_mutex_unlock(&registry->lock);
	return target;
}

void target_release(struct target_registry *registry, struct target *target)
{
	unsigned bucket = bucket_of(&target->source, &target->host, target->protocol);

	pthread_mutex_lock(&registry->lock);
	assert(target->references > 0);
	if (--target->references == 0) {
		struct target **link = &registry->buckets[bucket];
		while (*link != target)
			link = &(*link)->next;
		*link = target->next;
		target_destroy(target);
		free(target);
	}
	pthread_mutex_unlock(&registry->lock);
}
