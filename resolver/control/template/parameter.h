/* Types of parameters and outputs, and what a value of one has to be. */
#ifndef SLUICE_TEMPLATE_PARAMETER_H
#define SLUICE_TEMPLATE_PARAMETER_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/template/frame.h"

struct parameter_type {
	const char *name;  /* as a template has it, in any case */
	const char *shown; /* as Azure shows it */
	json_type type;    /* a boolean is JSON_TRUE */
	bool is_secure;    /* its value is never shown */
};

/* A member of a declaration, or of the definition that it refers to; NULL: there is none. */
const json_t *parameter_trait(struct template_frame *frame, const json_t *declared,
			      const char *trait);
/* NULL, which fails: it has none, or an unknown one. */
const struct parameter_type *parameter_type_of(struct template_frame *frame,
					       const json_t *declared);
/* Whether the value may be the parameter's; fails where not. */
MUST_CHECK bool parameter_check(struct template_frame *frame, const struct parameter *parameter,
				const json_t *value);
/* Whether a value is of the type. */
bool parameter_is_of_type(const struct parameter_type *type, const json_t *value);
/* "Integer" */
const char *parameter_type_shown(const json_t *value);

#endif
