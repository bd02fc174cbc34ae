/* Counts roughly the bytes that jansson and the arena take; nothing is freed before the end, so
 * their sum is the most that a template ever holds.
 *
 * Values are freed in reverse order: a value made of others is freed before them. The budget still
 * has references to the others then, so jansson does not recurse, however deep a value is.
 * Values that are made before their parts have a limited depth (budget_enter,
 * TEMPLATE_DEPTH_MAX). */
#include "resolver/control/template/budget.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/uuid.h"
#include "resolver/control/template/secrets.h"
#include "rules/text.h"

enum { MADE_FIRST = 64, PLACES_SHOWN = 100 };

void budget_init(struct budget *budget)
{
	char random[UUID_TEXT_MAX];

	*budget = (struct budget){0};
	arena_init(&budget->arena);
	uuid_random(random);
	memcpy(&budget->key, random, sizeof budget->key);
}

void budget_release(struct budget *budget)
{
	while (budget->made_count > 0)
		json_decref(budget->made[--budget->made_count]);
	free(budget->made);
	arena_release(&budget->arena);
}

/* ---- errors ---- */

void budget_print_place(const struct template_place *place, char *text, size_t size)
{
	const struct template_place *path[PLACES_SHOWN];
	size_t count = 0;

	text[0] = '\0';
	for (; place && count < PLACES_SHOWN; place = place->outer)
		path[count++] = place;
	while (count-- > 0) {
		if (path[count]->name)
			text_append(text, size, "%s%s", text[0] != '\0' ? "." : "",
				    path[count]->name);
		else
			text_append(text, size, "[%zu]", path[count]->index);
	}
}

static void fail(struct budget *budget, enum template_trouble trouble, const char *format,
		 va_list arguments)
{
	struct template_error *error = &budget->error;
	char text[4 * TEMPLATE_TEXT_MAX], *shown; /* replacing secrets may need more room */

	if (error->trouble != TEMPLATE_FINE)
		return;
	error->trouble = trouble;
	budget->is_waiting = false;
	budget_print_place(budget->place, error->place, sizeof error->place);
	vsnprintf(text, sizeof text, format, arguments);
	shown = secrets_hide(budget->secrets, text);
	text_show(shown ? shown : err_text(ERR_NOMEM), error->text, sizeof error->text);
	free(shown);
}

void *budget_fail(struct budget *budget, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail(budget, TEMPLATE_INVALID, format, arguments);
	va_end(arguments);
	return NULL;
}

void *budget_fail_at(struct budget *budget, const char *member, const char *format, ...)
{
	struct template_place here;
	va_list arguments;

	budget_at(budget, &here, member);
	va_start(arguments, format);
	fail(budget, TEMPLATE_INVALID, format, arguments);
	va_end(arguments);
	budget_back(budget, &here);
	return NULL;
}

void *budget_fail_as(struct budget *budget, enum template_trouble trouble, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail(budget, trouble, format, arguments);
	va_end(arguments);
	return NULL;
}

void *budget_no_memory(struct budget *budget)
{
	return budget_fail_as(budget, TEMPLATE_NO_MEMORY, "%s", err_text(ERR_NOMEM));
}

bool budget_has_failed(const struct budget *budget)
{
	return budget->error.trouble != TEMPLATE_FINE;
}

/* ---- limits ---- */

bool budget_steps(struct budget *budget, size_t steps)
{
	if (budget_has_failed(budget))
		return false;
	if (steps <= TEMPLATE_STEPS_MAX - budget->steps) {
		budget->steps += steps;
		return true;
	}
	budget_fail_as(budget, TEMPLATE_LIMIT,
		       "it takes more than %d steps to evaluate; make the template smaller",
		       TEMPLATE_STEPS_MAX);
	return false;
}

bool budget_has_room(struct budget *budget, size_t bytes)
{
	if (budget_has_failed(budget))
		return false;
	if (bytes <= TEMPLATE_BYTES_MAX - budget->bytes)
		return true;
	budget_fail_as(budget, TEMPLATE_LIMIT,
		       "its values take more than %d bytes; make the template smaller",
		       TEMPLATE_BYTES_MAX);
	return false;
}

bool budget_bytes(struct budget *budget, size_t bytes)
{
	bool fits = budget_has_room(budget, bytes);

	budget->bytes += fits ? bytes : 0;
	return fits;
}

bool budget_text(struct budget *budget, size_t bytes)
{
	return budget_steps(budget, bytes / BUDGET_STEP_BYTES);
}

bool budget_enter(struct budget *budget)
{
	if (budget->depth >= TEMPLATE_RECURSION_MAX)
		budget_fail_as(budget, TEMPLATE_LIMIT,
			       "its expressions and values lead to one another more than %d deep; "
			       "look for one that leads back to itself",
			       TEMPLATE_RECURSION_MAX);
	if (budget_has_failed(budget))
		return false;
	budget->depth++;
	return true;
}

void budget_leave(struct budget *budget)
{
	budget->depth--;
}

/* ---- memory ---- */

void *budget_alloc(struct budget *budget, size_t size)
{
	void *memory;

	if (!budget_bytes(budget, size + 16))
		return NULL;
	memory = arena_alloc(&budget->arena, size);
	return memory ? memory : budget_no_memory(budget);
}

char *budget_printf(struct budget *budget, const char *format, ...)
{
	va_list arguments;
	char *text;

	if (budget_has_failed(budget))
		return NULL;
	va_start(arguments, format);
	text = arena_vprintf(&budget->arena, format, arguments);
	va_end(arguments);
	if (!text)
		return budget_no_memory(budget);
	return budget_bytes(budget, strlen(text) + 1) && budget_text(budget, strlen(text)) ? text
											   : NULL;
}

const char *budget_lower(struct budget *budget, const char *text)
{
	return text_lower(budget_printf(budget, "%s", text));
}

json_t *budget_keep(struct budget *budget, json_t *value)
{
	json_t **more;
	size_t room;

	if (value && budget->made_count == budget->made_room) {
		room = budget->made_room > 0 ? budget->made_room * 2 : MADE_FIRST;
		more = realloc(budget->made, room * sizeof *more);
		if (!more) {
			json_decref(value);
			return budget_no_memory(budget);
		}
		budget->made = more;
		budget->made_room = room;
	}
	if (!value)
		return budget_no_memory(budget);
	budget->made[budget->made_count++] = value;
	return !budget->makes_secrets || secrets_add_made(budget, value) ? value : NULL;
}

/* ---- places ---- */

void budget_at(struct budget *budget, struct template_place *here, const char *name)
{
	*here = (struct template_place){.outer = budget->place, .name = name};
	budget->place = here;
}

void budget_at_index(struct budget *budget, struct template_place *here, size_t index)
{
	*here = (struct template_place){.outer = budget->place, .index = index};
	budget->place = here;
}

void budget_back(struct budget *budget, const struct template_place *here)
{
	budget->place = here->outer;
}

const struct template_place *budget_place(struct budget *budget, const struct template_place *outer,
					  const char *name, size_t index)
{
	struct template_place *place = budget_alloc(budget, sizeof *place);

	if (place)
		*place = (struct template_place){.outer = outer, .name = name, .index = index};
	return place;
}
