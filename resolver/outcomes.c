#include "resolver/outcomes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct outcomes_registry {
	struct outcomes *by_name;
	_Atomic uint64_t begun, ended; /* rows of failures of all ways */
};

struct outcomes_registry *outcomes_registry_new(void)
{
	return calloc(1, sizeof(struct outcomes_registry));
}

static void forget(struct outcomes *outcomes)
{
	HASH_DEL(outcomes->registry->by_name, outcomes);
	failures_destroy(&outcomes->failures);
	free(outcomes);
}

void outcomes_registry_free(struct outcomes_registry *registry)
{
	struct outcomes *outcomes, *next;

	if (!registry)
		return;
	HASH_ITER (hh, registry->by_name, outcomes, next)
		forget(outcomes);
	free(registry);
}

struct outcomes *outcomes_acquire(struct outcomes_registry *registry, const char *name)
{
	size_t length = strlen(name);
	struct outcomes *outcomes;

	HASH_FIND(hh, registry->by_name, name, length, outcomes);
	if (!outcomes) {
		outcomes = calloc(1, sizeof *outcomes + length + 1);
		if (!outcomes)
			return NULL;
		memcpy(outcomes->name, name, length + 1);
		outcomes->registry = registry;
		HASH_ADD_KEYPTR(hh, registry->by_name, outcomes->name, length, outcomes);
		if (!outcomes->hh.tbl) {
			free(outcomes);
			return NULL;
		}
		failures_init(&outcomes->failures);
	}
	outcomes->references++;
	return outcomes;
}

/* With the last reference no other thread has it, so its row is read without a lock. */
void outcomes_release(struct outcomes *outcomes)
{
	if (!outcomes)
		return;
	assert(outcomes->references > 0);
	if (--outcomes->references > 0)
		return;
	if (failures_have_begun(&outcomes->failures))
		outcomes->registry->ended++;
	forget(outcomes);
}

bool outcomes_have_failures(const struct outcomes_registry *registry)
{
	return atomic_load_explicit(&registry->begun, memory_order_relaxed) !=
	       atomic_load_explicit(&registry->ended, memory_order_relaxed);
}

void outcomes_fail(struct outcomes *outcomes, uint64_t name, uint16_t type, enum target_error error,
		   const struct host *host, uint64_t at_us, uint64_t now_us)
{
	if (failures_add(&outcomes->failures, name, type, error, host, at_us, now_us))
		atomic_fetch_add_explicit(&outcomes->registry->begun, 1, memory_order_relaxed);
}

void outcomes_answer(struct outcomes *outcomes, uint64_t at_us)
{
	if (failures_end(&outcomes->failures, at_us))
		atomic_fetch_add_explicit(&outcomes->registry->ended, 1, memory_order_relaxed);
}
