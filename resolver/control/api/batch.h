/* The rows of a batch of PTRs, out of CSV or JSON, one at a time. */
#ifndef SLUICE_API_BATCH_H
#define SLUICE_API_BATCH_H

#include <jansson.h>

#include "resolver/control/resource/change.h"

struct batch_reader;

struct batch_row {
	size_t index;          /* from 0; the first line of CSV is none */
	unsigned line;         /* of CSV; 0: none */
	const char *address;   /* an address, or an id, or REGION:ID */
	const char *owned_key; /* what that is called in the row */
	struct owned_item ptr; /* its PTR; texts are good until the next row */
};

/* What they read must outlive them. NULL: `error` says why. */
struct batch_reader *batch_reader_of_csv(const char *text, size_t length,
					 struct change_error *error);
struct batch_reader *batch_reader_of_json(const json_t *body, struct change_error *error);
void batch_reader_free(struct batch_reader *reader); /* NULL is fine */
/* How much of it has been read. */
int batch_reader_percent(const struct batch_reader *reader);

/* ERR_NOT_FOUND: there are no more rows. ERR_INVALID: the row does not fit, and `error` says why;
 * index and line are set all the same, and the next row can be read. */
MUST_CHECK int batch_reader_next(struct batch_reader *reader, struct batch_row *row,
				 struct change_error *error);

#endif
