/* The model that a change of resources makes of the one that is served, and the rows that it
 * writes. It only reads what is served, so that it can be done in a thread, by a connection of its
 * own to the state. */
#ifndef SLUICE_NEXT_MODEL_H
#define SLUICE_NEXT_MODEL_H

#include <jansson.h>

#include "resolver/control/service/load.h"
#include "resolver/control/store/source.h"

struct service_change;

struct next_model {
	struct model *now; /* that is served */
	struct load load;  /* a copy of the service's, which it takes back with the model */
	struct source *source;
	struct service_change *change; /* its error, revision and checked are set */
	struct faults *faults;
	/* inside */
	json_t **values; /* of rows, by the edits, whose references are written in full; NULL, all
			  * or one: as given */
};

/* The model with the edits, complete and checked. NULL: the faults or the change's error say why
 * there is none. */
struct model *next_model_make(struct next_model *next);
/* Begins a transaction with all rows in it that are not the inventory's. ERR_INVALID: there is
 * none, by the change's error. */
MUST_CHECK int next_model_write(struct next_model *next);
/* The state or the memory has failed, as the change's error says from now on. Returns ERR_INVALID.
 */
int next_model_fail(struct next_model *next, int err, const char *error);
/* Nothing but the values is its own. */
void next_model_release(struct next_model *next);

#endif
