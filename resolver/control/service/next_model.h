/* The model that a change of resources makes from the served one, and the rows that it writes. It
 * only reads the served model, so it can run in a thread, with a connection of its own to the
 * state. */
#ifndef SLUICE_NEXT_MODEL_H
#define SLUICE_NEXT_MODEL_H

#include <jansson.h>

#include "resolver/control/service/load.h"
#include "resolver/control/store/source.h"

struct service_change;

struct next_model {
	struct model *now; /* the served model */
	struct load load;  /* a copy of the service's; replaces it when the model is served */
	struct source *source;
	struct service_change *change; /* gets error, revision and checked */
	struct faults *faults;
	bool anew; /* all rows are read: another program has written to the state, and the change,
		    * which puts rows back, cannot wait for a reload */
	/* internal */
	json_t **values; /* each edit's values with full references; NULL, or `values` NULL: as
			  * given */
};

/* Makes the model with the edits, complete and checked. NULL: the faults or the change's error say
 * why. */
struct model *next_model_make(struct next_model *next);
/* Begins a transaction and writes all rows except those of kinds beside the model. ERR_INVALID: no
 * transaction is open; the change's error says why. */
MUST_CHECK int next_model_write(struct next_model *next);
/* Sets the change's error, because the state or memory failed, or a path is too long (ERR_LIMIT).
 * Returns ERR_INVALID. */
int next_model_fail(struct next_model *next, int err, const char *error);
/* Frees the values; everything else is borrowed. */
void next_model_release(struct next_model *next);

#endif
