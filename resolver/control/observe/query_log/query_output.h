/* An output of the query log: a file of JSON lines, or a file or socket of dnstap (Frame Streams,
 * by libfstrm). Each has a thread of its own, which may wait for a disk or a reader, and a bounded
 * queue:
 *
 *     the log's thread: put, put ... wake ─► queue ─► thread: open, write; moved away? reopen
 *
 * Entries that find the queue full are lost and counted, and so are entries whose write to a socket
 * failed, because the reader may have some of them. A failure is one line in the log when it begins
 * and one when it is over. Meanwhile the other entries wait in the queue, and writing is retried
 * every second. A full disk leaves only whole lines and whole frames in a file. A line that kill -9
 * has cut is removed when the file is opened again.
 *
 * The file may be moved away at any time: its path is checked once a second, and by
 * query_output_look. A dnstap file cannot be appended to, so an existing one is kept as
 * FILE.20260131T120000Z. */
#ifndef SLUICE_QUERY_OUTPUT_H
#define SLUICE_QUERY_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	QUERY_OUTPUT_QUEUE_BYTES = 4 << 20,
	QUERY_OUTPUT_ERROR_MAX = 256,
	QUERY_OUTPUT_TRY_MS = 1000,
	QUERY_OUTPUT_STALL_MS = 5000, /* then a reader that takes nothing is disconnected */
	QUERY_OUTPUT_END_MS = 1000,   /* for the rest of the queue at the end */
};

enum query_output_kind { QUERY_OUTPUT_FILE, QUERY_OUTPUT_DNSTAP_FILE, QUERY_OUTPUT_DNSTAP_SOCKET };

struct query_output;

struct query_output_status {
	uint64_t written, lost; /* entries */
	bool open;
	char error[QUERY_OUTPUT_ERROR_MAX]; /* "": none */
};

/* niceness: of its thread. NULL: out of memory, or no thread. */
struct query_output *query_output_new(enum query_output_kind kind, const char *path, int niceness);
/* Both let the thread write the rest, for at most QUERY_OUTPUT_END_MS, and free the output.
 * query_output_end returns at once. query_output_free waits for the thread, but at most a second
 * longer than that: a disk may hang. NULL is fine. */
void query_output_end(struct query_output *output);
void query_output_free(struct query_output *output);
bool query_output_is(const struct query_output *output, const char *path);
const char *query_output_path(const struct query_output *output);

/* Queues one entry: a line with its newline, or a dnstap message. */
void query_output_put(struct query_output *output, const void *entry, size_t length);
/* Starts writing; call it after several puts. */
void query_output_wake(struct query_output *output);

/* Checks now whether the file has been moved away. */
void query_output_look(struct query_output *output);
/* Another process opens the path from now on: this output writes its open file to the end, and does
 * not open it again. */
void query_output_leave(struct query_output *output);
void query_output_read_status(struct query_output *output, struct query_output_status *status);

#endif
