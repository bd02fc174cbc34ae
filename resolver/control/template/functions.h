/* The functions of expressions: a row for each, in tables by kind. */
#ifndef SLUICE_TEMPLATE_FUNCTIONS_H
#define SLUICE_TEMPLATE_FUNCTIONS_H

#include <jansson.h>
#include <stddef.h>

#include "resolver/control/template/expression.h"

enum { FUNCTION_ANY = 1000 }; /* any number of arguments */

/* A function has either `call`, which gets evaluated arguments, or `lazy`, which evaluates the
 * arguments that it needs. Both return a value; NULL: the budget has failed, or is waiting. */
struct function {
	const char *name;
	size_t least, most; /* arguments */
	json_t *(*call)(const struct scope *scope, json_t **arguments, size_t count);
	json_t *(*lazy)(const struct scope *scope, const struct expression_term *term);
};

/* Finds the function by its name, ignoring case. NULL, and the budget has failed: no such function,
 * or a wrong number of arguments. */
const struct function *function_find(struct budget *budget, const char *name, size_t count);

/* Each table ends with a row without a name. */
extern const struct function address_functions[];    /* address prefixes */
extern const struct function array_functions[];      /* arrays and objects */
extern const struct function deployment_functions[]; /* the deployment and its resources */
extern const struct function encoding_functions[];   /* base64, URIs, hashes */
extern const struct function lazy_functions[];       /* logic and lambdas */
extern const struct function number_functions[];     /* numbers and comparison */
extern const struct function text_functions[];
extern const struct function time_functions[];

#endif
