/* The sockets and the timer of secondaries (secondary.h), on the control thread's loop. The table
 * that is served is asked for each time: it may be gone by the next round of the loop. */
#ifndef SLUICE_SECONDARY_SOCKETS_H
#define SLUICE_SECONDARY_SOCKETS_H

#include <jansson.h>
#include <uv.h>

#include "resolver/transfer/table.h"

struct secondary_sockets;

/* `table` gives what is served now, NULL where no zone goes out. NULL without memory. */
struct secondary_sockets *secondary_sockets_new(
	uv_loop_t *loop, const struct transfer_table *(*table)(void *context), void *context);
/* Call it for every table that is served. NULL is fine. */
void secondary_sockets_look(struct secondary_sockets *sockets);
/* From now on nothing is sent: another process serves. NULL is fine. */
void secondary_sockets_rest(struct secondary_sockets *sockets);
/* As secondaries_report. NULL is fine. */
void secondary_sockets_report(const struct secondary_sockets *sockets, json_t *array);
/* When the loop has closed its handles. NULL is fine. */
void secondary_sockets_free(struct secondary_sockets *sockets);

#endif
