/* The queue is two buffers: one is filled while the other is written. Entries that could not be
 * written stay at the front of the writing buffer.
 *
 *     filling  [length entry] [length entry] ...      under the lock
 *     writing  ......[length entry] [length entry]    the thread's own; written from `at`
 *
 * Descriptors do not block: the thread waits in poll, for a limited time. A disk that hangs delays
 * only this thread; the end of the process does not wait for it. query_output_free waits for the
 * thread and frees the output, query_output_end leaves both to the thread. */
#include "resolver/control/observe/query_log/query_output.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fstrm.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "resolver/control/base/signals.h"
#include "resolver/control/base/threads.h"
#include "resolver/control/observe/query_log/dnstap.h"
#include "resolver/log.h"
#include "rules/err.h"
#include "rules/text.h"

enum {
	LENGTH = sizeof(uint32_t), /* before each entry in the queue */
	BATCH = 64,                /* entries of one write */
	WAIT_MS = 100,             /* in poll, between checks for the end */
	TAIL_MS = 50,
	TAIL_MAX = 64 * 1024,
	SMALL_BYTES = 64 * 1024, /* a dnstap file with fewer bytes is small */
	SMALL_KEPT = 20,         /* small dnstap files that are kept, at most */
};

struct queue {
	char *bytes;
	size_t at, length, room;
};

struct query_output {
	enum query_output_kind kind;
	char *path;
	int niceness;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock: */
	struct queue filling;
	bool look, leaves, ending, ended;
	bool left; /* nobody else uses the output, and the thread frees it */
	struct query_output_status status;
	/* The thread's: */
	struct queue writing;
	int fd; /* -1: not open */
	struct fstrm_writer *frames;
	uint64_t whole;       /* bytes of complete frames in a dnstap file */
	int frame_error;      /* errno of a failed write; 0 allows the next one */
	uint64_t try_ms;      /* after a failure: time of the next try */
	uint64_t look_ms;     /* time of the next check of the path */
	uint64_t end_ms;      /* deadline of the end; 0: the end has not come */
	bool failed;          /* opening or writing has failed, and that has been logged */
	bool ends;            /* the rest is tried once more, even after a failure */
	uint64_t lost_before; /* status.lost when `failed` was set */
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- failure and success ---- */

static const char *what_of(const struct query_output *output)
{
	return output->kind == QUERY_OUTPUT_FILE ? "file" : "dnstap";
}

static void tell_failure(struct query_output *output, const char *what, const char *why)
{
	char error[QUERY_OUTPUT_ERROR_MAX];
	uint64_t lost;

	snprintf(error, sizeof error, "cannot be %s: %s", what, why);
	pthread_mutex_lock(&output->lock);
	memcpy(output->status.error, error, sizeof error);
	lost = output->status.lost;
	pthread_mutex_unlock(&output->lock);
	output->try_ms = clock_ms() + QUERY_OUTPUT_TRY_MS;
	if (output->failed)
		return;
	output->failed = true;
	output->lost_before = lost;
	log_event(LOG_WARNING, "query_log",
		  "%s %s %s; it is tried again every second, and what does not fit into memory "
		  "meanwhile is lost",
		  what_of(output), output->path, error);
}

static void tell_success(struct query_output *output)
{
	uint64_t lost;

	if (!output->failed)
		return;
	output->failed = false;
	pthread_mutex_lock(&output->lock);
	output->status.error[0] = '\0';
	lost = output->status.lost - output->lost_before;
	pthread_mutex_unlock(&output->lock);
	log_event(LOG_INFO, "query_log", "%s %s is written again; %llu %s lost", what_of(output),
		  output->path, (unsigned long long)lost,
		  text_plural(lost, "entry was", "entries were"));
}

static void set_open(struct query_output *output, bool open)
{
	pthread_mutex_lock(&output->lock);
	output->status.open = open;
	pthread_mutex_unlock(&output->lock);
}

/* Whether the deadline of the end has passed. */
static bool is_over(struct query_output *output)
{
	bool ending;

	pthread_mutex_lock(&output->lock);
	ending = output->ending;
	pthread_mutex_unlock(&output->lock);
	if (ending && !output->end_ms)
		output->end_ms = clock_ms() + QUERY_OUTPUT_END_MS;
	return ending && clock_ms() >= output->end_ms;
}

/* ---- bytes to and from the descriptor, which does not block ---- */

/* False: not ready in time. */
static bool wait_for(struct query_output *output, short events)
{
	uint64_t until_ms = clock_ms() + QUERY_OUTPUT_STALL_MS;
	struct pollfd poll_fd = {.fd = output->fd, .events = events};

	while (!is_over(output) && clock_ms() < until_ms)
		if (poll(&poll_fd, 1, WAIT_MS) > 0)
			return true;
	errno = ETIMEDOUT;
	return false;
}

/* sendmsg to a socket, because writev raises SIGPIPE if the reader has gone. */
static ssize_t send_some(const struct query_output *output, struct iovec *vectors, int count)
{
	struct msghdr message = {.msg_iov = vectors, .msg_iovlen = (size_t)count};

	return output->kind == QUERY_OUTPUT_DNSTAP_SOCKET
		       ? sendmsg(output->fd, &message, MSG_NOSIGNAL)
		       : writev(output->fd, vectors, count);
}

/* Moves the vectors past what was written. */
static void advance(struct iovec **vectors, int *count, size_t written)
{
	while (*count > 0 && written >= (*vectors)->iov_len) {
		written -= (*vectors)->iov_len;
		++*vectors;
		--*count;
	}
	if (*count > 0) {
		(*vectors)->iov_base = (char *)(*vectors)->iov_base + written;
		(*vectors)->iov_len -= written;
	}
}

/* Writes all of it; false: errno says why not, *written how much. */
static bool write_all(struct query_output *output, struct iovec *vectors, int count,
		      size_t *written)
{
	*written = 0;
	advance(&vectors, &count, 0);
	while (count > 0) {
		ssize_t part = send_some(output, vectors, count);

		if (part > 0) {
			*written += (size_t)part;
			advance(&vectors, &count, (size_t)part);
		} else if (part < 0 && errno == EAGAIN) {
			if (!wait_for(output, POLLOUT))
				return false;
		} else if (part == 0 || errno != EINTR) {
			errno = part == 0 ? ENOSPC : errno;
			return false;
		}
	}
	return true;
}

/* ---- Frame Streams: callbacks of libfstrm ---- */

static fstrm_res on_open(void *context)
{
	(void)context; /* already open */
	return fstrm_res_success;
}

/* close_output closes the descriptor. */
static fstrm_res on_close(void *context)
{
	(void)context;
	return fstrm_res_success;
}

static fstrm_res on_read(void *context, void *buffer, size_t count)
{
	struct query_output *output = context;
	char *to = buffer;

	while (count > 0) {
		ssize_t part;

		if (!wait_for(output, POLLIN))
			return fstrm_res_failure;
		part = recv(output->fd, to, count, 0);
		if (part > 0) {
			to += part;
			count -= (size_t)part;
		} else if (part == 0 || (errno != EAGAIN && errno != EINTR)) {
			errno = part == 0 ? ECONNRESET : errno;
			return fstrm_res_failure;
		}
	}
	return fstrm_res_success;
}

/* After a failed write to a file, cuts incomplete frames off. libfstrm is not told of the failure,
 * because it would give up the stream; write_batch tries the frames again later. */
static fstrm_res on_write(void *context, const struct iovec *vectors, int count)
{
	struct query_output *output = context;
	struct iovec copy[2 * BATCH + 2];
	size_t written;

	if (output->frame_error)
		return fstrm_res_success;
	assert(count <= (int)(sizeof copy / sizeof *copy));
	memcpy(copy, vectors, (size_t)count * sizeof *vectors);
	if (write_all(output, copy, count, &written)) {
		output->whole += written;
		return fstrm_res_success;
	}
	if (output->kind != QUERY_OUTPUT_DNSTAP_FILE)
		return fstrm_res_failure;
	output->frame_error = errno;
	if (ftruncate(output->fd, (off_t)output->whole) == 0)
		lseek(output->fd, (off_t)output->whole, SEEK_SET);
	return fstrm_res_success;
}

static struct fstrm_rdwr *rdwr_new(struct query_output *output)
{
	struct fstrm_rdwr *rdwr = fstrm_rdwr_init(output);

	if (!rdwr)
		return NULL;
	fstrm_rdwr_set_open(rdwr, on_open);
	fstrm_rdwr_set_close(rdwr, on_close);
	fstrm_rdwr_set_write(rdwr, on_write);
	if (output->kind == QUERY_OUTPUT_DNSTAP_SOCKET) /* which negotiates with the reader */
		fstrm_rdwr_set_read(rdwr, on_read);
	return rdwr;
}

static bool begin_frames(struct query_output *output)
{
	struct fstrm_writer_options *options = fstrm_writer_options_init();
	struct fstrm_rdwr *rdwr = rdwr_new(output);

	output->whole = 0;
	output->frame_error = 0;
	errno = ENOMEM;
	if (options && rdwr &&
	    fstrm_writer_options_add_content_type(options, DNSTAP_CONTENT_TYPE,
						  sizeof DNSTAP_CONTENT_TYPE - 1) ==
		    fstrm_res_success)
		output->frames = fstrm_writer_init(options, &rdwr);
	errno = EPROTO; /* unless a callback sets it */
	if (output->frames &&
	    (fstrm_writer_open(output->frames) != fstrm_res_success || output->frame_error)) {
		int error = output->frame_error ? output->frame_error : errno;

		fstrm_writer_destroy(&output->frames);
		errno = error;
	}
	fstrm_writer_options_destroy(&options);
	fstrm_rdwr_destroy(&rdwr);
	return output->frames;
}

/* ---- opening and closing ---- */

/* Makes the next write begin a line. After kill -9 the file may end within a line of ours: that
 * line is cut off. A foreign line gets a newline. Another process may be writing the line at this
 * moment, so this waits until the file's size has stayed the same for TAIL_MS. */
static void begin_line(int fd, const char *path)
{
	char *tail = malloc(TAIL_MAX);
	int reads = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat before, after;

	for (bool again = true; tail && reads >= 0 && again;) {
		size_t length;
		ssize_t got;

		if (fstat(fd, &before) != 0 || !S_ISREG(before.st_mode) || before.st_size == 0)
			break;
		length = before.st_size < TAIL_MAX ? (size_t)before.st_size : TAIL_MAX;
		got = pread(reads, tail, length, before.st_size - (off_t)length);
		if (got != (ssize_t)length || tail[length - 1] == '\n')
			break;
		poll(NULL, 0, TAIL_MS);
		again = fstat(fd, &after) == 0 && after.st_size != before.st_size;
		while (length > 0 && tail[length - 1] != '\n')
			length--;
		if (again)
			continue;
		off_t from = before.st_size < TAIL_MAX ? 0 : before.st_size - TAIL_MAX;
		bool ours = tail[length] == '{' && (length > 0 || from == 0);
		if (!ours || ftruncate(fd, from + (off_t)length) != 0) {
			got = write(fd, "\n", 1);
			(void)got; /* then it is one bad line */
		}
	}
	if (reads >= 0)
		close(reads);
	free(tail);
}

static int open_lines(struct query_output *output)
{
	int fd = open(output->path,
		      O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);

	if (fd >= 0)
		begin_line(fd, output->path);
	return fd;
}

/* Keeps the file as FILE.20260131T120000Z, or FILE.20260131T120000Z-2. */
static bool keep_old(const struct query_output *output)
{
	enum { TRIES = 100 };
	time_t now = time(NULL);
	char stamp[32], *path;
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned i = 1; i <= TRIES; i++) {
		char number[16] = "";
		int err;

		if (i > 1)
			snprintf(number, sizeof number, "-%u", i);
		if (asprintf(&path, "%s.%s%s", output->path, stamp, number) < 0)
			return false;
		err = renameat2(AT_FDCWD, output->path, AT_FDCWD, path, RENAME_NOREPLACE);
		free(path);
		if (err == 0)
			return true;
		if (errno != EEXIST)
			return false;
	}
	return false;
}

/* "20260131T120000Z" or "20260131T120000Z-2", as keep_old writes it: other files beside the log,
 * such as those of logrotate, are not ours. */
static bool is_stamp(const char *text)
{
	static const char digits[] = "0123456789";

	return strspn(text, digits) == 8 && text[8] == 'T' && strspn(text + 9, digits) == 6 &&
	       text[15] == 'Z' &&
	       (text[16] == '\0' ||
		(text[16] == '-' && text[17 + strspn(text + 17, digits)] == '\0'));
}

/* Keeps at most SMALL_KEPT small files, and removes the oldest: a server that crashes at its start
 * again and again leaves one each time. Their names sort by time. */
static void forget_small(const struct query_output *output)
{
	char *folder = strdup(output->path), *slash = folder ? strrchr(folder, '/') : NULL;
	char oldest[NAME_MAX + 1] = "";
	unsigned count = 0;
	DIR *dir = slash ? opendir((*slash = '\0', slash == folder ? "/" : folder)) : NULL;
	size_t length = slash ? strlen(slash + 1) : 0;
	struct dirent *entry;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strncmp(name, slash + 1, length) != 0 || name[length] != '.' ||
		    !is_stamp(name + length + 1) ||
		    fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode) || st.st_size >= SMALL_BYTES)
			continue;
		if (count++ == 0 || strcmp(name, oldest) < 0)
			snprintf(oldest, sizeof oldest, "%s", name);
	}
	if (count >= SMALL_KEPT)
		(void)unlinkat(dirfd(dir), oldest, 0);
	if (dir)
		closedir(dir);
	free(folder);
}

static int open_frames(struct query_output *output)
{
	struct stat st;
	bool is_there = stat(output->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;

	if (is_there && st.st_size < SMALL_BYTES)
		forget_small(output);
	if (is_there && !keep_old(output))
		return -1;
	return open(output->path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
}

static int open_socket(struct query_output *output)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", output->path);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		int error = errno;

		close(fd);
		fd = -1;
		errno = error;
	}
	return fd;
}

/* Destroying the writer sends the end of the stream, if a reader is left. */
static void close_output(struct query_output *output)
{
	output->frame_error = 0;
	if (output->frames)
		fstrm_writer_destroy(&output->frames);
	if (output->fd >= 0)
		close(output->fd);
	output->fd = -1;
	set_open(output, false);
}

/* Why opening failed, by errno. */
static const char *why_closed(const struct query_output *output)
{
	if (output->kind != QUERY_OUTPUT_DNSTAP_SOCKET)
		return strerror(errno);
	return errno == ECONNREFUSED ? "nobody listens there"
	       : errno == EAGAIN     ? "the reader does not accept connections"
				     : strerror(errno);
}

static bool open_output(struct query_output *output)
{
	static int (*const opens[])(struct query_output *) = {
		[QUERY_OUTPUT_FILE] = open_lines,
		[QUERY_OUTPUT_DNSTAP_FILE] = open_frames,
		[QUERY_OUTPUT_DNSTAP_SOCKET] = open_socket,
	};

	output->fd = opens[output->kind](output);
	if (output->fd < 0) {
		tell_failure(output, "opened", why_closed(output));
		return false;
	}
	if (output->kind != QUERY_OUTPUT_FILE && !begin_frames(output)) {
		tell_failure(output, "opened",
			     errno == EPROTO ? "the reader does not take dnstap" : strerror(errno));
		close_output(output);
		return false;
	}
	set_open(output, true);
	return true;
}

/* Whether the path no longer leads to the open file. */
static bool has_moved(const struct query_output *output)
{
	struct stat now, open;

	if (output->kind == QUERY_OUTPUT_DNSTAP_SOCKET || fstat(output->fd, &open) != 0)
		return false;
	return stat(output->path, &now) != 0 || now.st_dev != open.st_dev ||
	       now.st_ino != open.st_ino;
}

/* Notices a reader that has gone even if nothing is written. */
static bool has_hung_up(const struct query_output *output)
{
	struct pollfd poll_fd = {.fd = output->fd, .events = POLLIN};

	return output->kind == QUERY_OUTPUT_DNSTAP_SOCKET && poll(&poll_fd, 1, 0) > 0;
}

/* ---- writing ---- */

/* Collects the next entries; returns their number. */
static int gather(const struct queue *queue, struct iovec vectors[BATCH])
{
	size_t at = queue->at;
	int count = 0;

	while (count < BATCH && at < queue->length) {
		uint32_t length;

		memcpy(&length, queue->bytes + at, LENGTH);
		vectors[count++] = (struct iovec){queue->bytes + at + LENGTH, length};
		at += LENGTH + length;
	}
	return count;
}

static void done_with(struct query_output *output, const struct iovec *vectors, int count,
		      bool written)
{
	for (int i = 0; i < count; i++)
		output->writing.at += LENGTH + vectors[i].iov_len;
	pthread_mutex_lock(&output->lock);
	if (written)
		output->status.written += (uint64_t)count;
	else
		output->status.lost += (uint64_t)count;
	pthread_mutex_unlock(&output->lock);
}

/* Cuts off a line that found no room; returns the number of whole lines. */
static int take_off_half(const struct query_output *output, const struct iovec *vectors, int count,
			 size_t written)
{
	struct stat st;
	int whole = 0;

	while (whole < count && written >= vectors[whole].iov_len)
		written -= vectors[whole++].iov_len;
	if (written > 0 && fstat(output->fd, &st) == 0 && S_ISREG(st.st_mode)) {
		int err = ftruncate(output->fd, st.st_size - (off_t)written);
		(void)err; /* then it is one bad line */
	}
	return whole;
}

/* Returns the number of lines written. */
static int write_lines(struct query_output *output, const struct iovec *vectors, int count)
{
	struct iovec copy[BATCH];
	size_t written;
	int error;

	memcpy(copy, vectors, (size_t)count * sizeof *vectors);
	if (write_all(output, copy, count, &written))
		return count;
	error = errno;
	count = take_off_half(output, vectors, count, written);
	errno = error;
	return count;
}

static int write_frames(struct query_output *output, const struct iovec *vectors, int count)
{
	output->frame_error = 0;
	errno = EPROTO;
	if (fstrm_writer_writev(output->frames, vectors, count) != fstrm_res_success)
		return 0;
	errno = output->frame_error;
	return output->frame_error ? 0 : count;
}

/* False: writing failed, and is tried again later. */
static bool write_batch(struct query_output *output)
{
	struct iovec vectors[BATCH];
	int count = gather(&output->writing, vectors), written, error;

	written = output->kind == QUERY_OUTPUT_FILE ? write_lines(output, vectors, count)
						    : write_frames(output, vectors, count);
	error = errno;
	done_with(output, vectors, written, true);
	if (written == count) {
		tell_success(output);
		return true;
	}
	tell_failure(output, "written", strerror(error));
	if (output->kind != QUERY_OUTPUT_DNSTAP_SOCKET)
		return false;
	done_with(output, vectors, count, false); /* unknown how much the reader has */
	close_output(output);
	return false;
}

/* ---- the thread ---- */

/* Waits for something to do, and takes queued entries for writing. False: the end. */
static bool take_turn(struct query_output *output)
{
	struct queue *filling = &output->filling, *writing = &output->writing;
	struct timespec until;
	uint64_t now_ms = clock_ms();
	bool empty = writing->at == writing->length;
	bool ending;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += QUERY_OUTPUT_TRY_MS / 1000;
	pthread_mutex_lock(&output->lock);
	if ((filling->length == 0 || !empty || now_ms < output->try_ms) && !output->look &&
	    !output->ending)
		pthread_cond_timedwait(&output->wake, &output->lock, &until);
	if (output->look)
		output->look_ms = 0;
	output->look = false;
	if (empty) {
		struct queue swapped = *writing;

		*writing = *filling;
		*filling = swapped;
		filling->at = filling->length = 0;
	}
	ending = output->ending;
	pthread_mutex_unlock(&output->lock);
	if (!ending)
		return true;
	if (!output->ends) {
		output->ends = true;
		output->try_ms = 0;
		return !is_over(output);
	}
	return !is_over(output) && writing->at < writing->length && !output->failed;
}

static bool may_open(struct query_output *output)
{
	bool leaves;

	pthread_mutex_lock(&output->lock);
	leaves = output->leaves;
	pthread_mutex_unlock(&output->lock);
	return !leaves;
}

/* Closes the socket if its reader has gone, and the file if it was moved away; run opens the path
 * again, and waiting entries go there. After query_output_leave nothing is opened again, so a moved
 * file stays open. */
static void look_at_path(struct query_output *output)
{
	uint64_t now_ms = clock_ms();

	if (output->fd >= 0 && has_hung_up(output))
		close_output(output);
	if (now_ms < output->look_ms)
		return;
	output->look_ms = now_ms + QUERY_OUTPUT_TRY_MS;
	if (output->fd >= 0 && may_open(output) && has_moved(output))
		close_output(output);
}

static void release(struct query_output *output)
{
	pthread_cond_destroy(&output->wake);
	pthread_mutex_destroy(&output->lock);
	free(output->filling.bytes);
	free(output->writing.bytes);
	free(output->path);
	free(output);
}

static void end_thread(struct query_output *output)
{
	bool left;

	pthread_mutex_lock(&output->lock);
	output->ended = true;
	left = output->left;
	pthread_cond_broadcast(&output->wake);
	pthread_mutex_unlock(&output->lock);
	if (left)
		release(output);
}

static void *run(void *context)
{
	struct query_output *output = context;
	int err = setpriority(PRIO_PROCESS, 0, output->niceness); /* this thread's */

	(void)err; /* then it is as nice as its creator */
	pthread_setname_np(pthread_self(), "query-output");
	threads_join();
	while (take_turn(output)) {
		look_at_path(output);
		if (output->fd < 0 && clock_ms() >= output->try_ms && may_open(output) &&
		    open_output(output) && output->writing.at == output->writing.length)
			tell_success(output);
		while (output->fd >= 0 && clock_ms() >= output->try_ms && !is_over(output) &&
		       output->writing.at < output->writing.length && write_batch(output))
			;
	}
	close_output(output);
	end_thread(output);
	return NULL;
}

/* ---- called by other threads ---- */

/* Makes room; false: the queue is full, or out of memory. */
static bool make_room(struct queue *queue, size_t more)
{
	size_t room = queue->room ? queue->room : 64 * 1024;
	char *bytes;

	if (more > QUERY_OUTPUT_QUEUE_BYTES - queue->length)
		return false;
	while (room < queue->length + more)
		room *= 2;
	if (room == queue->room)
		return true;
	bytes = realloc(queue->bytes, room);
	if (!bytes)
		return false;
	queue->bytes = bytes;
	queue->room = room;
	return true;
}

void query_output_put(struct query_output *output, const void *entry, size_t length)
{
	struct queue *queue = &output->filling;
	uint32_t ahead = (uint32_t)length;

	pthread_mutex_lock(&output->lock);
	if (make_room(queue, LENGTH + length)) {
		memcpy(queue->bytes + queue->length, &ahead, LENGTH);
		memcpy(queue->bytes + queue->length + LENGTH, entry, length);
		queue->length += LENGTH + length;
	} else {
		output->status.lost++;
	}
	pthread_mutex_unlock(&output->lock);
}

void query_output_wake(struct query_output *output)
{
	pthread_mutex_lock(&output->lock);
	if (output->filling.length > 0)
		pthread_cond_broadcast(&output->wake);
	pthread_mutex_unlock(&output->lock);
}

void query_output_look(struct query_output *output)
{
	pthread_mutex_lock(&output->lock);
	output->look = true;
	pthread_cond_broadcast(&output->wake);
	pthread_mutex_unlock(&output->lock);
}

void query_output_leave(struct query_output *output)
{
	pthread_mutex_lock(&output->lock);
	output->leaves = true;
	pthread_mutex_unlock(&output->lock);
}

bool query_output_is(const struct query_output *output, const char *path)
{
	return path && strcmp(output->path, path) == 0;
}

const char *query_output_path(const struct query_output *output)
{
	return output->path;
}

void query_output_read_status(struct query_output *output, struct query_output_status *status)
{
	pthread_mutex_lock(&output->lock);
	*status = output->status;
	pthread_mutex_unlock(&output->lock);
}

static bool start(struct query_output *output)
{
	sigset_t before;
	int err;

	signals_block(&before);
	err = pthread_create(&output->thread, NULL, run, output);
	signals_restore(&before);
	return err == 0;
}

struct query_output *query_output_new(enum query_output_kind kind, const char *path, int niceness)
{
	struct query_output *output = calloc(1, sizeof *output);
	pthread_condattr_t clock;

	if (!output)
		return NULL;
	output->kind = kind;
	output->niceness = niceness;
	output->fd = -1;
	output->path = strdup(path);
	pthread_mutex_init(&output->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&output->wake, &clock);
	pthread_condattr_destroy(&clock);
	output->look = true; /* opens at once */
	if (output->path && start(output))
		return output;
	release(output);
	return NULL;
}

void query_output_end(struct query_output *output)
{
	if (!output)
		return;
	pthread_detach(output->thread);
	pthread_mutex_lock(&output->lock);
	output->ending = output->left = true;
	pthread_cond_broadcast(&output->wake);
	pthread_mutex_unlock(&output->lock);
}

/* Leaves a thread that hangs in a disk behind: the process is about to end. */
void query_output_free(struct query_output *output)
{
	struct timespec until;
	int err = 0;

	if (!output)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 1 + QUERY_OUTPUT_END_MS / 1000;
	pthread_mutex_lock(&output->lock);
	output->ending = true;
	pthread_cond_broadcast(&output->wake);
	while (!output->ended && err == 0)
		err = pthread_cond_timedwait(&output->wake, &output->lock, &until);
	output->left = !output->ended;
	bool left = output->left;
	pthread_t thread = output->thread;
	if (left) /* under the lock: afterwards the thread may free the output */
		log_event(LOG_WARNING, "query_log",
			  "%s %s takes too long to be written; its last entries may be missing",
			  what_of(output), output->path);
	pthread_mutex_unlock(&output->lock);
	if (left) {
		pthread_detach(thread);
		return;
	}
	pthread_join(thread, NULL);
	release(output);
}
