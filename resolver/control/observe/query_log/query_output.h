/* Where the query log is written to: a file of JSON lines, a file or a socket of dnstap (Frame
 * Streams, by libfstrm). Each has a thread of its own, which may wait for a disk or a reader, and a
 * bounded queue ahead of it:
 *
 *     the log's thread: put, put ... wake ─► queue ─► thread: open, write; moved away? open anew
 *
 * What finds the queue full is lost and counted. A failure is one line in the log when it begins
 * and one when it is over; until then what is in the queue waits, and it is tried again every
 * second. Only whole lines and whole frames stay in a file, whatever fails: a full disk, kill -9.
 *
 * The file may be moved away at any time: its path is looked at once a second, and at
 * query_output_look. A dnstap file cannot be appended to: what is there already is kept as
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
	QUERY_OUTPUT_STALL_MS = 5000, /* a reader that takes nothing for so long has its
				       * connection closed */
	QUERY_OUTPUT_END_MS = 1000,   /* what is left at the end has so long */
};

enum query_output_kind { QUERY_OUTPUT_FILE, QUERY_OUTPUT_DNSTAP_FILE, QUERY_OUTPUT_DNSTAP_SOCKET };

struct query_output;

struct query_output_status {
	uint64_t written, lost; /* entries */
	bool open;
	char error[QUERY_OUTPUT_ERROR_MAX]; /* "": none */
};

/* niceness: its thread's. NULL without memory or a thread. */
struct query_output *query_output_new(enum query_output_kind kind, const char *path, int niceness);
/* Its thread writes what is left, as long as that takes QUERY_OUTPUT_END_MS, and it is freed:
 * query_output_end waits for nothing, query_output_free until then. NULL is fine. */
void query_output_end(struct query_output *output);
void query_output_free(struct query_output *output);
bool query_output_is(const struct query_output *output, const char *path);
const char *query_output_path(const struct query_output *output);

/* One entry: a line with its newline, or a dnstap message. From one thread. */
void query_output_put(struct query_output *output, const void *entry, size_t length);
/* Behind several: there is something to write. */
void query_output_wake(struct query_output *output);

/* Looks now whether the file has been moved away. */
void query_output_look(struct query_output *output);
/* The path is another process's from now on: what is open is written to the end, and not opened
 * anew. */
void query_output_leave(struct query_output *output);
void query_output_read_status(struct query_output *output, struct query_output_status *status);

#endif
