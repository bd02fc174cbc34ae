/* Types of parameters and outputs, and checks of their values. */
#ifndef SLUICE_TEMPLATE_PARAMETER_H
#define SLUICE_TEMPLATE_PARAMETER_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/template/frame.h"

struct parameter_type {
	const char *name;  /* as templates write it, in any case */
	const char *shown; /* as Azure shows it */
	json_type type;    /* a boolean is JSON_TRUE */
	bool is_secure;    /* deployments never show its value */
};

/* A member of a declaration, or of the definition that it refers to; NULL: none, or the budget has
 * failed. */
const json_t *parameter_trait(struct template_frame *frame, const json_t *declared,
			      const char *trait);
/* NULL, and the budget has failed: no type, or an unknown one. */
const struct parameter_type *parameter_type_of(struct template_frame *frame,
					       const json_t *declared);
/* Checks the value of a parameter; fails if it does not fit. */
MUST_CHECK bool parameter_check(struct template_frame *frame, const struct parameter *parameter,
				const json_t *value);
/* Whether a value is of the type. */
bool parameter_is_of_type(const struct parameter_type *type, const json_t *value);
/* Prints Azure's name for the value's type: "Integer". */
const char *parameter_type_shown(const json_t *value);

#endif
