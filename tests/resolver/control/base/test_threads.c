/* Who returns from its function has left; whom the kernel has ended alone is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "resolver/control/base/threads.h"

enum { THREADS = 8 };

struct world {
	sem_t joined, go_on;
};

static void begin(struct world *world, const char *name)
{
	pthread_setname_np(pthread_self(), name);
	threads_join();
	threads_join(); /* which changes nothing */
	sem_post(&world->joined);
	sem_wait(&world->go_on);
}

static void *come_to_its_end(void *context)
{
	begin(context, "fine");
	return NULL;
}

/* As one ends that made a call which its filter does not allow. */
static void *be_ended(void *context)
{
	begin(context, "lost");
	syscall(SYS_exit, 0);
	return NULL;
}

static void run(void *(*function)(void *), unsigned count)
{
	struct world world;
	pthread_t threads[THREADS];
	char name[THREAD_NAME_MAX];

	sem_init(&world.joined, 0, 0);
	sem_init(&world.go_on, 0, 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, function, &world), 0);
	for (unsigned i = 0; i < count; i++)
		sem_wait(&world.joined);
	assert_false(threads_find_gone(name));
	for (unsigned i = 0; i < count; i++)
		sem_post(&world.go_on);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	sem_destroy(&world.joined);
	sem_destroy(&world.go_on);
}

static void who_comes_to_its_end_has_left(void **state)
{
	char name[THREAD_NAME_MAX];

	(void)state;
	run(come_to_its_end, THREADS);
	assert_false(threads_find_gone(name));
}

static void who_is_ended_alone_is_found_once(void **state)
{
	char name[THREAD_NAME_MAX];
	bool found = false;

	(void)state;
#ifdef __SANITIZE_THREAD__
	skip(); /* its runtime does not see such an end, and waits for another for ever */
#endif
	run(be_ended, 1);
	/* Whoever joins it is woken a moment before the kernel has forgotten it. */
	for (unsigned i = 0; i < 30000 && !(found = threads_find_gone(name)); i++)
		usleep(1000);
	assert_true(found);
	assert_string_equal(name, "lost");
	assert_false(threads_find_gone(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_to_its_end_has_left),
		cmocka_unit_test(who_is_ended_alone_is_found_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
