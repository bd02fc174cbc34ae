/* A template under deployment: the outermost, or a nested one. It has parameters and variables,
 * which are evaluated on first use, and functions of its own. */
#ifndef SLUICE_TEMPLATE_FRAME_H
#define SLUICE_TEMPLATE_FRAME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/template/expression.h"
#include "resolver/control/template/names.h"

enum known { KNOWN_NOT, KNOWN_SOON, KNOWN }; /* soon: evaluation is under way */

struct parameter {
	const char *name;
	const json_t *declared;
	const struct parameter_type *type;
	json_t *given; /* NULL: not given */
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

struct own_function {     /* a function of the template */
	const char *name; /* "NAMESPACE.NAME" */
	const json_t *source;
	const struct template_place *place;
};

struct template_frame {
	struct budget *budget;
	const struct template_scope *deployed;
	const json_t *source;
	const struct template_place *place; /* NULL: the outermost template */
	const char *name, *subscription;
	const char *group; /* NULL: deployed to a subscription */
	unsigned depth;
	size_t number; /* among all frames, in order of opening */
	/* The frame whose parameters, variables and functions are used here: this one, or one
	 * around it. */
	struct template_frame *language;
	const struct copy_loop
		*loops; /* loops around this frame, if its language is another frame's */
	struct name_table parameters, variables, functions;
	struct parameter *first_parameter;
	/* its resources: entry.h */
	struct name_table targets;
	bool is_symbolic; /* resources have symbols */
	struct template_entry *entry, *first_entry,
		**last_entry;               /* entry: the nested deployment of this template; NULL:
					     * the outermost */
	json_t *parameters_shown, *outputs; /* shown with the deployment; NULL: not yet known */
	struct template_frame *next;
	/* Shared by all frames: parsed expressions by the address of their text, and results of the
	 * caller's lookups. */
	struct name_table *expressions, *found;
};

/* Reads and checks the declarations. `given`: {"NAME": {"value": ...}}, or NULL. A frame that uses
 * another frame's language takes no parameters. */
MUST_CHECK bool frame_open(struct template_frame *frame, const json_t *given);
/* The scope for the frame's JSON outside of resources. */
struct scope frame_scope(struct template_frame *frame);

/* Give the value, evaluated on first use. NULL: the budget has failed, or is waiting. */
json_t *frame_parameter(const struct scope *scope, const char *name);
json_t *frame_variable(const struct scope *scope, const char *name);
/* Calls a function of the template. */
json_t *frame_call(const struct scope *scope, const char *name, json_t **arguments, size_t count);
/* The declared outputs whose condition holds: {"NAME": {"type": "String", "value": ...}}. */
json_t *frame_outputs(const struct scope *scope);

struct name_table *frame_expressions(struct template_frame *frame);
int64_t frame_now_s(const struct template_frame *frame);

#endif
