/* Limits what a template may use: steps, memory and depth. Everything evaluated or made is counted
 * here, so a stranger's template ends in time, with an error that names the limit. The first error
 * is kept, with its place; after it every request fails.
 *
 * Values are jansson's. The budget owns each value made, and frees it at its own end. Values share
 * their parts, so a value may be deep, or large when it is printed, though few bytes were made. So
 * every walk over a value counts steps and depth (value.h). */
#ifndef SLUICE_TEMPLATE_BUDGET_H
#define SLUICE_TEMPLATE_BUDGET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/template/template.h"
#include "rules/arena.h"
#include "rules/hash.h"

enum { BUDGET_STEP_BYTES = 64 }; /* of a text, per step */

/* A place in the template: a member, or an element of an array. */
struct template_place {
	const struct template_place *outer; /* NULL: the whole template */
	const char *name;                   /* NULL: an element */
	size_t index;
};

struct secrets;

struct budget {
	struct arena arena;
	struct template_error error;        /* the first error */
	const struct template_place *place; /* what is being evaluated */
	const char *function;               /* the last function called by `call`, for errors */
	struct hash_key key;                /* hashes the tables of names */
	bool is_waiting; /* evaluation needs a resource that is not made yet, which is no error */
	struct secrets *secrets; /* which errors must not show; NULL: none */
	bool makes_secrets;      /* values being made come from secret ones */
	/* internal */
	size_t steps, bytes;
	unsigned depth;
	json_t **made; /* all values, in the order in which they were made */
	size_t made_count, made_room;
};

void budget_init(struct budget *budget);
void budget_release(struct budget *budget);

/* False, or NULL: the budget has failed, now or before. */
MUST_CHECK bool budget_steps(struct budget *budget, size_t steps);
MUST_CHECK bool budget_bytes(struct budget *budget, size_t bytes);
/* Checks for room without taking it. */
MUST_CHECK bool budget_has_room(struct budget *budget, size_t bytes);
/* Takes the steps for a text of this length. */
MUST_CHECK bool budget_text(struct budget *budget, size_t bytes);
/* Counts one more level of recursion in C. After true, the caller ends it with budget_leave. */
MUST_CHECK bool budget_enter(struct budget *budget);
void budget_leave(struct budget *budget);
/* Zeroed memory that lives as long as the budget. */
void *budget_alloc(struct budget *budget, size_t size);
char *budget_printf(struct budget *budget, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Copies the text in lower case (ASCII). */
const char *budget_lower(struct budget *budget, const char *text);
/* Takes over a value, and returns it. The caller counts its bytes. `value` NULL: out of memory. */
json_t *budget_keep(struct budget *budget, json_t *value);

/* The budget_fail calls return NULL, for callers to return. */
void *budget_fail(struct budget *budget, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Fails at a member of the present place. */
void *budget_fail_at(struct budget *budget, const char *member, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void *budget_fail_as(struct budget *budget, enum template_trouble trouble, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void *budget_no_memory(struct budget *budget);
bool budget_has_failed(const struct budget *budget);

/* Go one level into the template, and back. The caller owns `here`. */
void budget_at(struct budget *budget, struct template_place *here, const char *name);
void budget_at_index(struct budget *budget, struct template_place *here, size_t index);
void budget_back(struct budget *budget, const struct template_place *here);
/* Makes a place that lives as long as the budget. */
const struct template_place *budget_place(struct budget *budget, const struct template_place *outer,
					  const char *name, size_t index);
/* Prints "resources[2].properties". */
void budget_print_place(const struct template_place *place, char *text, size_t size);

#endif
