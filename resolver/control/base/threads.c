/* A thread that returns is taken off the list by the destructor of its key. A thread that the
 * kernel kills runs no destructor, so it stays on the list. */
#include "resolver/control/base/threads.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <unistd.h>

struct thread {
	LIST_ENTRY(thread) next;
	pid_t id;
	char name[THREAD_NAME_MAX];
};

static struct {
	pthread_once_t once;
	pthread_mutex_t lock;
	pthread_key_t key;
	LIST_HEAD(, thread) list;
} threads = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static void leave(void *context)
{
	struct thread *thread = context;

	pthread_mutex_lock(&threads.lock);
	LIST_REMOVE(thread, next);
	pthread_mutex_unlock(&threads.lock);
	free(thread);
}

static void begin(void)
{
	if (pthread_key_create(&threads.key, leave) != 0)
		abort(); /* fails only when the process has over a thousand keys */
}

void threads_join(void)
{
	struct thread *thread = calloc(1, sizeof *thread);

	pthread_once(&threads.once, begin);
	if (!thread || pthread_getspecific(threads.key) ||
	    pthread_setspecific(threads.key, thread) != 0) {
		free(thread); /* the thread is watched already, or memory is short */
		return;
	}
	thread->id = (pid_t)syscall(SYS_gettid);
	if (pthread_getname_np(pthread_self(), thread->name, sizeof thread->name) != 0)
		thread->name[0] = '?';
	pthread_mutex_lock(&threads.lock);
	LIST_INSERT_HEAD(&threads.list, thread, next);
	pthread_mutex_unlock(&threads.lock);
}

bool threads_find_gone(char name[THREAD_NAME_MAX])
{
	struct thread *thread;

	pthread_mutex_lock(&threads.lock);
	LIST_FOREACH (thread, &threads.list, next)
		if (syscall(SYS_tgkill, getpid(), thread->id, 0) != 0 && errno == ESRCH)
			break;
	if (thread) {
		LIST_REMOVE(thread, next);
		memcpy(name, thread->name, THREAD_NAME_MAX);
	}
	pthread_mutex_unlock(&threads.lock);
	bool found = thread;
	free(thread);
	return found;
}
