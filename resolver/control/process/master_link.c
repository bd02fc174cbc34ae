/* The master answers at once, so this end waits for the answer; other messages that come meanwhile
 * are kept for the loop's next round. */
#include "resolver/control/process/master_link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "resolver/log.h"

enum { PATIENCE_MS = 30 * 1000 };

/* Waits for the next message. */
static int receive(const struct master_link *link, struct master_message *message,
		   struct master_fds *fds)
{
	struct pollfd wait = {.fd = link->fd, .events = POLLIN};
	int err, found;
	while ((err = master_receive(link->fd, message, fds)) == ERR_NOT_FOUND) {
		do
			found = poll(&wait, 1, PATIENCE_MS);
		while (found < 0 && errno == EINTR);
		if (found != 1)
			return ERR_SYSTEM;
	}
	return err;
}

int master_link_init(struct master_link *link, int fd)
{
	struct master_message message;
	struct master_fds fds;
	*link = (struct master_link){.fd = fd};
	if (receive(link, &message, &fds) != 0)
		return ERR_SYSTEM;
	master_fds_close(&fds);
	link->workers = message.number;
	link->upgrading = message.kind == MASTER_UPGRADING;
	return message.word == MASTER_START ? 0 : ERR_SYSTEM;
}

int master_link_bind(const struct master_link *link)
{
	struct pollfd end = {.fd = link->fd};
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && poll(&end, 1, 0) == 0 ? 0
										       : ERR_SYSTEM;
}

/* ---- sending ---- */

/* Clears all but the text, whose unused end is never sent. */
static void prepare(struct master_message *message, enum master_word word, unsigned kind,
		    const char *text)
{
	memset(message, 0, offsetof(struct master_message, text));
	message->word = word;
	message->kind = kind;
	snprintf(message->text, sizeof message->text, "%s", text ? text : "");
}

/* Only logs a failure: if the master is gone, the kernel ends this process (master_link_bind). */
int master_link_say(struct master_link *link, enum master_word word, unsigned kind,
		    const char *text)
{
	struct master_message message;
	prepare(&message, word, kind, text);
	int err = master_send(link->fd, &message, NULL, 0);
	if (err != 0 && word != MASTER_ALIVE)
		log_event(LOG_ERROR, "master", "the master takes no message %u", (unsigned)word);
	return err;
}

void master_link_serve(struct master_link *link, const char *status)
{
	struct master_message message;
	gid_t groups[MASTER_GROUPS_MAX];
	/* getgroups fails if there are more. Then this process still runs as the user that started
	 * it, and the master has the same groups. */
	int count = getgroups(MASTER_GROUPS_MAX, groups);
	prepare(&message, MASTER_SERVES, 0, status);
	message.uid = geteuid();
	message.gid = getegid();
	for (int i = 0; i < count; i++)
		message.groups[message.group_count++] = groups[i];
	int err = master_send(link->fd, &message, NULL, 0);
	(void)err;
}

/* ---- requests ---- */

/* The descriptor of a message that is not an answer, -1: none. Such a message has one at most; an
 * answer that comes too late may have more. */
static int only_fd(struct master_fds *fds)
{
	int fd = fds->count == 1 ? fds->fds[0] : -1;

	if (fd < 0)
		master_fds_close(fds);
	return fd;
}

/* Keeps a message that is not an answer; false: it is an answer. `kept` has room, because the
 * master sends each word at most once per upgrade, and HURRY once. */
static bool keep(struct master_link *link, const struct master_message *message,
		 struct master_fds *fds)
{
	if (message->word == MASTER_SOCKETS || message->word == MASTER_FAULT)
		return false;
	if (link->kept_count < MASTER_LINK_KEPT_MAX) {
		link->kept[link->kept_count].message = *message;
		link->kept[link->kept_count].fd = only_fd(fds);
		link->kept_count++;
		uv_async_send(&link->again);
	} else {
		log_event(LOG_ERROR, "master", "too many messages of the master wait: %u is lost",
			  message->word);
		master_fds_close(fds);
	}
	return true;
}

/* Does this answer a request that was given up, because the master took too long? */
static bool is_late(const struct master_message *message, const char *name)
{
	if (message->word == MASTER_FAULT)
		return message->number > 0 && message->number != master_name_mark(name);
	return message->word == MASTER_SOCKETS && *message->text &&
	       strcmp(message->text, name) != 0;
}

/* Waits until all `wanted` descriptors, or a FAULT, have come. */
static int ask(struct master_link *link, enum master_kind kind, const char *name, unsigned workers,
	       int *found, unsigned wanted, char *error, size_t size)
{
	struct master_message message;
	struct master_fds fds;
	unsigned count = 0;
	prepare(&message, MASTER_OPEN, kind, name);
	message.number = workers;
	message.uid = geteuid();
	message.gid = getegid();
	snprintf(error, size, "%s: the master does not answer", name);
	int err = master_send(link->fd, &message, NULL, 0);
	while (err == 0 && count < wanted) {
		err = receive(link, &message, &fds);
		if (err != 0 || keep(link, &message, &fds))
			continue;
		if (is_late(&message, name)) {
			master_fds_close(&fds);
			continue;
		}
		if (message.word == MASTER_FAULT || fds.count == 0 || fds.count > wanted - count) {
			if (message.word == MASTER_FAULT)
				snprintf(error, size, "%s", message.text);
			master_fds_close(&fds);
			err = ERR_SYSTEM;
			continue;
		}
		memcpy(found + count, fds.fds, fds.count * sizeof *found);
		count += fds.count;
	}
	while (err != 0 && count > 0)
		close(found[--count]);
	return err;
}

struct listener *master_link_open_dns(struct master_link *link, const struct host *host,
				      unsigned workers, char error[LISTENER_ERROR_MAX])
{
	char name[HOST_TEXT_MAX];
	struct listener *listener = NULL;
	struct listener_sockets *sockets = calloc(workers, sizeof *sockets);
	_Static_assert(sizeof *sockets == 3 * sizeof(int), "descriptors, one after the other");
	if (!sockets)
		snprintf(error, LISTENER_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	else if (ask(link, MASTER_DNS, host_print(host, name), workers, &sockets->udp, 3 * workers,
		     error, LISTENER_ERROR_MAX) == 0)
		listener = listener_adopt(host, workers, sockets, error);
	if (!listener) /* or the master would hold sockets that nobody reads */
		master_link_close_dns(link, host);
	free(sockets);
	return listener;
}

int master_link_open(struct master_link *link, enum master_kind kind, const char *name, int *fd,
		     char error[MASTER_LINK_ERROR_MAX])
{
	return ask(link, kind, name, 1, fd, 1, error, MASTER_LINK_ERROR_MAX);
}

void master_link_close_dns(struct master_link *link, const struct host *host)
{
	char name[HOST_TEXT_MAX];
	master_link_say(link, MASTER_CLOSE, MASTER_DNS, host_print(host, name));
}

/* ---- receiving ---- */

static void on_again(uv_async_t *again)
{
	struct master_link *link = again->data;
	while (link->kept_count > 0) {
		struct master_message message = link->kept[0].message;
		int fd = link->kept[0].fd;
		memmove(link->kept, link->kept + 1, --link->kept_count * sizeof *link->kept);
		link->on_word(link->context, &message, fd);
	}
}

/* If the master is gone, ends at once, as the kernel would do a moment later (master_link_bind). */
static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	struct master_link *link = poll->data;
	struct master_message message;
	struct master_fds fds;
	int err = master_receive(link->fd, &message, &fds);
	if (err == ERR_SYSTEM) {
		log_event(LOG_ERROR, "master", "the master has ended, and this server with it");
		_exit(EXIT_FAILURE);
	}
	if (err == 0)
		link->on_word(link->context, &message, only_fd(&fds));
}

int master_link_follow(struct master_link *link, uv_loop_t *loop,
		       void (*on_word)(void *context, const struct master_message *message, int fd),
		       void *context)
{
	int err = uv_async_init(loop, &link->again, on_again);
	if (err == 0)
		err = uv_poll_init(loop, &link->poll, link->fd);
	if (err != 0)
		return err;
	link->again.data = link->poll.data = link;
	link->on_word = on_word;
	link->context = context;
	return uv_poll_start(&link->poll, UV_READABLE, on_readable);
}
