/* The sockets and the timer of secondaries (secondary.h), on the control thread's loop. The served
 * table is looked up each time, because it may be freed by the next turn of the loop. */
#ifndef SLUICE_SECONDARY_SOCKETS_H
#define SLUICE_SECONDARY_SOCKETS_H

#include <jansson.h>
#include <uv.h>

#include "resolver/transfer/table.h"

struct secondary_sockets;

/* `table` returns the served table, NULL if no zone is published. NULL without memory. */
struct secondary_sockets *secondary_sockets_new(
	uv_loop_t *loop, const struct transfer_table *(*table)(void *context), void *context);
/* To be called for every served table. NULL is fine. */
void secondary_sockets_look(struct secondary_sockets *sockets);
/* Stops sending, because another process serves. NULL is fine. */
void secondary_sockets_rest(struct secondary_sockets *sockets);
/* secondaries_report for these sockets. NULL is fine. */
void secondary_sockets_report(const struct secondary_sockets *sockets, json_t *array);
/* Called after the loop has closed the handles. NULL is fine. */
void secondary_sockets_free(struct secondary_sockets *sockets);

#endif
