/* Reads the rows of a batch of PTRs, out of CSV or JSON, one at a time. */
#ifndef SLUICE_API_BATCH_H
#define SLUICE_API_BATCH_H

#include <jansson.h>

#include "resolver/control/resource/change_error.h"
#include "rules/schema/model.h"

struct batch_reader;

struct batch_row {
	size_t index;          /* from 0; the header of CSV does not count */
	unsigned line;         /* in CSV; 0: JSON */
	const char *address;   /* an address, an id, or REGION:ID */
	const char *owned_key; /* the key or column that has it */
	struct owned_item ptr; /* texts are valid until the next row */
};

/* The text and the JSON must outlive the reader. NULL: `error` has the reason. */
struct batch_reader *batch_reader_of_csv(const char *text, size_t length,
					 struct change_error *error);
struct batch_reader *batch_reader_of_json(const json_t *body, struct change_error *error);
void batch_reader_free(struct batch_reader *reader); /* NULL is fine */
/* How much of the batch has been read. */
int batch_reader_percent(const struct batch_reader *reader);

/* ERR_NOT_FOUND: there are no more rows. ERR_INVALID: the row is wrong, and `error` has the reason;
 * index and line are set, and the next row can be read. */
MUST_CHECK int batch_reader_next(struct batch_reader *reader, struct batch_row *row,
				 struct change_error *error);

#endif
