/* A template that is being deployed: the whole, or one within it. It knows its parameters and
 * variables, which are evaluated when somebody asks for them, and its own functions. */
#ifndef SLUICE_TEMPLATE_FRAME_H
#define SLUICE_TEMPLATE_FRAME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/template/expression.h"
#include "resolver/control/template/names.h"

enum known { KNOWN_NOT, KNOWN_SOON, KNOWN }; /* soon: it is being evaluated */

struct parameter {
	const char *name;
	const json_t *declared;
	const struct parameter_type *type;
	json_t *given; /* NULL: nothing */
	json_t *value;
	enum known known;
	struct parameter *next;
};

struct variable {
	const char *name;
	const json_t *source;
	bool is_copy;
	json_t *value;
	enum known known;
};

struct own_function {     /* of the template */
	const char *name; /* "NAMESPACE.NAME" */
	const json_t *source;
	const struct template_place *place;
};

struct template_frame {
	struct budget *budget;
	const struct template_scope *deployed;
	const json_t *source;
	const struct template_place *place; /* NULL: the whole template */
	const char *name, *subscription;
	const char *group; /* NULL: it is deployed to a subscription */
	unsigned depth;
	size_t number; /* among all frames, in the order in which they were opened */
	/* Whose parameters, variables and functions are used here: its own, or of the one around
	 * it. */
	struct template_frame *language;
	const struct copy_loop *loops; /* around it, where the language is not its own */
	struct name_table parameters, variables, functions;
	struct parameter *first_parameter;
	/* its resources: entry.h */
	struct name_table targets;
	bool is_symbolic; /* they have symbols */
	struct template_entry *entry, *first_entry,
		**last_entry;               /* of which it is the template; NULL: the whole */
	json_t *parameters_shown, *outputs; /* of the deployment; NULL: not yet */
	struct template_frame *next;
	/* Of all frames: expressions that were read, by their text; what the caller found. */
	struct name_table *expressions, *found;
};

/* Reads and checks what the template declares. `given`: {"NAME": {"value": ...}}, or NULL. A frame
 * whose language is another one's takes none. */
MUST_CHECK bool frame_open(struct template_frame *frame, const json_t *given);
/* What is seen of the frame's JSON outside of a resource. */
struct scope frame_scope(struct template_frame *frame);

/* NULL: the budget has failed, or is waiting. */
json_t *frame_parameter(const struct scope *scope, const char *name);
json_t *frame_variable(const struct scope *scope, const char *name);
/* Calls a function of the template's own. */
json_t *frame_call(const struct scope *scope, const char *name, json_t **arguments, size_t count);
/* {"NAME": {"type": "String", "value": ...}}, with those that are declared. */
json_t *frame_outputs(const struct scope *scope);

struct name_table *frame_expressions(struct template_frame *frame);
int64_t frame_now_s(const struct template_frame *frame);

#endif
