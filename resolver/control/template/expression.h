/* The expression language of Azure's templates: a text in '[' and ']' is an expression of calls,
 * literals, members and indexes. A text in '[[' and ']' is literal, without the first '['.
 *
 * Expressions are evaluated in a scope. Scopes are on the stack; an inner one is a changed copy of
 * the scope around it. */
#ifndef SLUICE_TEMPLATE_EXPRESSION_H
#define SLUICE_TEMPLATE_EXPRESSION_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/template/budget.h"

struct template_entry;
struct template_frame;

struct copy_loop {        /* the loop of a copy */
	const char *name; /* NULL: the copy of an output */
	size_t index;
	bool is_plain; /* copyIndex() without a name means this loop */
	const struct copy_loop *outer;
};

struct binding { /* a lambda's variable */
	const char *name;
	json_t *value;
	const struct binding *outer;
};

struct scope {
	struct budget *budget;
	struct template_frame *frame; /* gives parameters, variables and deployment */
	struct template_frame *home;  /* gives resources; differs for a nested template with outer
				       * scope */
	const struct copy_loop *loops;
	const struct binding *bindings;
	json_t *arguments;            /* of the template's function being called; NULL: none */
	struct template_entry *entry; /* waits for resources that reference() finds; NULL: nobody */
	bool may_refer;               /* reference() is allowed */
	bool is_default;              /* a parameter's default, where utcNow() is allowed */
};

enum term_kind { TERM_LITERAL, TERM_CALL };

struct term_part { /* ".name" or "[key]" after a term */
	struct expression_term *key;
	bool is_safe; /* ".?name": a missing part gives null, and so do parts after it */
	struct term_part *next;
};

struct expression_term {
	enum term_kind kind;
	json_t *literal;
	const char *name;                     /* of the function */
	const struct function *function;      /* NULL: a function of the template */
	struct expression_term *first, *next; /* arguments; the next argument */
	size_t count;                         /* of arguments */
	struct term_part *parts;
};

/* Evaluates the term; NULL: the budget has failed, or is waiting. */
json_t *term_evaluate(const struct scope *scope, const struct expression_term *term);

bool expression_is(const char *text);
/* Parses an expression. NULL: the budget has failed. */
const struct expression_term *expression_parse(struct budget *budget, const char *text);
/* Gives a member, ignoring case, or an element; NULL, without an error: none. */
json_t *expression_part(struct budget *budget, const json_t *value, const json_t *key);

#endif
