/* What a template may take: steps, memory and depth. Everything that is evaluated or made is
 * counted here, so a template of a stranger ends in time, in an error that names the limit. The
 * first error is kept, with its place; from then on nothing is given any more.
 *
 * Values are jansson's. Each that is made belongs to the budget and lives as long; values share
 * their parts, so a value may be deep, or large when it is written out, though few bytes were made.
 * Whoever walks a value therefore counts steps and depth (value.h). */
#ifndef SLUICE_TEMPLATE_BUDGET_H
#define SLUICE_TEMPLATE_BUDGET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/template/template.h"
#include "rules/arena.h"
#include "rules/hash.h"

enum { BUDGET_STEP_BYTES = 64 }; /* of a text that are looked at, for one step */

/* Where in the template: a member, or an element of an array. */
struct template_place {
	const struct template_place *outer; /* NULL: the whole */
	const char *name;                   /* NULL: an element */
	size_t index;
};

struct secrets;

struct budget {
	struct arena arena;
	struct template_error error;        /* the first */
	const struct template_place *place; /* what is being evaluated */
	const char *function;               /* that is being called, for errors */
	struct hash_key key;                /* of the tables of names */
	bool is_waiting; /* what is evaluated needs a resource that is not made yet: no error */
	struct secrets *secrets; /* that errors do not show; NULL: there are none */
	bool makes_secrets;      /* what is made is made of secret values */
	/* inside */
	size_t steps, bytes;
	unsigned depth;
	json_t **made; /* the inner ahead of the outer */
	size_t made_count, made_room;
};

void budget_init(struct budget *budget);
void budget_release(struct budget *budget);

/* False, and NULL: the budget has failed, now or before. */
MUST_CHECK bool budget_steps(struct budget *budget, size_t steps);
MUST_CHECK bool budget_bytes(struct budget *budget, size_t bytes);
/* The same without taking them yet. */
MUST_CHECK bool budget_has_room(struct budget *budget, size_t bytes);
/* Steps for a text of so many bytes. */
MUST_CHECK bool budget_text(struct budget *budget, size_t bytes);
/* A level deeper, in C; and back, where it was true. */
MUST_CHECK bool budget_enter(struct budget *budget);
void budget_leave(struct budget *budget);
/* Zeroed, as long as the budget lives. */
void *budget_alloc(struct budget *budget, size_t size);
char *budget_printf(struct budget *budget, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* In lower case (ASCII). */
const char *budget_lower(struct budget *budget, const char *text);
/* Takes over a value whose bytes were counted, NULL for want of memory; returns it. */
json_t *budget_keep(struct budget *budget, json_t *value);

/* All return NULL, so that a caller can hand it on. */
void *budget_fail(struct budget *budget, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* At a member of the place. */
void *budget_fail_at(struct budget *budget, const char *member, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void *budget_fail_as(struct budget *budget, enum template_trouble trouble, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void *budget_no_memory(struct budget *budget);
bool budget_has_failed(const struct budget *budget);

/* A level further in the template; and back. `here` is the caller's. */
void budget_at(struct budget *budget, struct template_place *here, const char *name);
void budget_at_index(struct budget *budget, struct template_place *here, size_t index);
void budget_back(struct budget *budget, const struct template_place *here);
/* One that stays. */
const struct template_place *budget_place(struct budget *budget, const struct template_place *outer,
					  const char *name, size_t index);
/* "resources[2].properties". */
void budget_print_place(const struct template_place *place, char *text, size_t size);

#endif
