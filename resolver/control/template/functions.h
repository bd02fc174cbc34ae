/* The functions that expressions call: a row each, in a table for each kind. */
#ifndef SLUICE_TEMPLATE_FUNCTIONS_H
#define SLUICE_TEMPLATE_FUNCTIONS_H

#include <jansson.h>
#include <stddef.h>

#include "resolver/control/template/expression.h"

enum { FUNCTION_ANY = 1000 }; /* as many arguments as are written */

/* A function of values gets them evaluated, and gives one of the budget's. A lazy one evaluates
 * those of its arguments that it needs. NULL is a failure, or waiting. */
struct function {
	const char *name;
	size_t least, most; /* arguments */
	json_t *(*call)(const struct scope *scope, json_t **arguments, size_t count);
	json_t *(*lazy)(const struct scope *scope, const struct expression_term *term);
};

/* Finds the function by its name, in any case. NULL, and the budget has failed: there is none, or
 * it does not take so many arguments. */
const struct function *function_find(struct budget *budget, const char *name, size_t count);

/* Each ends with a row without a name. */
extern const struct function address_functions[];    /* prefixes of addresses */
extern const struct function array_functions[];      /* arrays and objects */
extern const struct function deployment_functions[]; /* of the deployment */
extern const struct function encoding_functions[];   /* base64, URIs, hashes */
extern const struct function lazy_functions[];       /* logic and lambdas */
extern const struct function number_functions[];     /* and comparison */
extern const struct function text_functions[];
extern const struct function time_functions[];

#endif
