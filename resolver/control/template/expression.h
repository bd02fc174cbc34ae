/* The language of Azure's templates: a text that begins with '[' and ends with ']' is an
 * expression, of calls, literals, members and indexes. A text that begins with '[[' stands for
 * itself, without the first '['.
 *
 * What an expression sees is its scope: scopes are on the stack, each with the one around it. */
#ifndef SLUICE_TEMPLATE_EXPRESSION_H
#define SLUICE_TEMPLATE_EXPRESSION_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/template/budget.h"

struct template_entry;
struct template_frame;

struct copy_loop {        /* of a copy */
	const char *name; /* NULL: of an output */
	size_t index;
	bool is_plain; /* copyIndex() without a name means it */
	const struct copy_loop *outer;
};

struct binding { /* of a lambda */
	const char *name;
	json_t *value;
	const struct binding *outer;
};

struct scope {
	struct budget *budget;
	struct template_frame *frame; /* whose parameters, variables and deployment are meant */
	struct template_frame *home; /* whose resources; a template of outer scope has only these */
	const struct copy_loop *loops;
	const struct binding *bindings;
	json_t *arguments; /* of the template's own function that is evaluated; NULL: of none */
	struct template_entry
		*entry;  /* that waits for what reference() finds; NULL: nobody waits */
	bool may_refer;  /* reference() is expected here */
	bool is_default; /* of a parameter: the time of day may be asked for */
};

enum term_kind { TERM_LITERAL, TERM_CALL };

struct term_part { /* ".name" or "[key]" behind a term */
	struct expression_term *key;
	bool is_safe; /* ".?name": null where there is none, and behind it */
	struct term_part *next;
};

struct expression_term {
	enum term_kind kind;
	json_t *literal;
	const char *name;                     /* of a call */
	const struct function *function;      /* NULL: the template's own */
	struct expression_term *first, *next; /* its arguments; the next one */
	size_t count;                         /* of arguments */
	struct term_part *parts;
};

/* Its value; NULL: the budget has failed, or is waiting. */
json_t *term_evaluate(const struct scope *scope, const struct expression_term *term);

bool expression_is(const char *text);
/* Reads an expression. NULL: the budget has failed. */
const struct expression_term *expression_parse(struct budget *budget, const char *text);
/* A member, whatever its case, or an element; NULL, without failing: there is none. */
json_t *expression_part(struct budget *budget, const json_t *value, const json_t *key);

#endif
