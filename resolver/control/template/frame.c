/* Parameters and variables may refer to each other in any order, so each is evaluated on first use,
 * and kept. A value that is used during its own evaluation refers to itself, which is an error. */
#include "resolver/control/template/frame.h"

#include <string.h>
#include <strings.h>

#include "resolver/control/template/parameter.h"
#include "resolver/control/template/secrets.h"
#include "resolver/control/template/source.h"
#include "resolver/control/template/value.h"
#include "rules/text.h"

struct name_table *frame_expressions(struct template_frame *frame)
{
	return frame->expressions;
}

int64_t frame_now_s(const struct template_frame *frame)
{
	return frame->deployed->now_s;
}

struct scope frame_scope(struct template_frame *frame)
{
	return (struct scope){.budget = frame->budget,
			      .frame = frame->language,
			      .home = frame,
			      .loops = frame->loops};
}

/* Sets the place to "NAME" in a section; the caller restores budget->place. */
static void go_to(struct template_frame *frame, const char *section, const char *name,
		  struct template_place here[2])
{
	here[0] = (struct template_place){.outer = frame->place, .name = section};
	here[1] = (struct template_place){.outer = &here[0], .name = name};
	frame->budget->place = &here[1];
}

/* ---- members of the template ---- */

static bool check_members(struct template_frame *frame)
{
	static const char *const members[] = {
		"$schema",    "apiProfile", "contentVersion",  "definitions", "extensions",
		"functions",  "imports",    "languageVersion", "metadata",    "outputs",
		"parameters", "resources",  "variables",       NULL};
	const char *key;
	json_t *value;

	if (!json_is_object(frame->source)) {
		budget_fail(frame->budget, "a template is an object, not %s",
			    value_kind(frame->source));
		return false;
	}
	json_object_foreach((json_t *)frame->source, key, value)
	{
		const char *const *at = members;

		while (*at && strcasecmp(*at, key) != 0)
			at++;
		if (!*at) {
			budget_fail(frame->budget,
				    "Could not find member '%s' on object of type 'Template'", key);
			return false;
		}
	}
	return true;
}

/* NULL: no such section; or the budget has failed, because the section is no object. */
static json_t *section(struct template_frame *frame, const char *name)
{
	json_t *value = value_member(frame->budget, frame->source, name);

	if (!value || json_is_null(value) || json_is_object(value))
		return json_is_object(value) ? value : NULL;
	return budget_fail(frame->budget, "'%s' is an object, not %s", name, value_kind(value));
}

static bool read_functions(struct template_frame *frame)
{
	struct budget *budget = frame->budget;
	json_t *spaces = value_member(budget, frame->source, "functions"), *space, *member;
	const struct template_place *at = budget_place(budget, frame->place, "functions", 0),
				    *inner;
	struct own_function *function;
	const char *name, *namespace;
	size_t i;

	json_array_foreach(spaces, i, space)
	{
		namespace = value_member_text(budget, space, "namespace");
		inner = budget_place(budget, at, NULL, i);
		json_object_foreach(value_member(budget, space, "members"), name, member)
		{
			function = budget_alloc(budget, sizeof *function);
			if (!function)
				return false;
			*function = (struct own_function){
				.name = budget_printf(budget, "%s.%s", namespace ? namespace : "",
						      name),
				.source = member,
				.place = budget_place(budget,
						      budget_place(budget, inner, "members", 0),
						      name, 0)};
			if (!function->name ||
			    !names_put(budget, &frame->functions, function->name, function))
				return false;
		}
	}
	return !budget_has_failed(budget);
}

static bool add_variable(struct template_frame *frame, const char *name, const json_t *source,
			 bool is_copy)
{
	struct variable *variable = budget_alloc(frame->budget, sizeof *variable);

	if (!variable)
		return false;
	*variable = (struct variable){.name = name, .source = source, .is_copy = is_copy};
	return names_put(frame->budget, &frame->variables, name, variable);
}

static bool read_variables(struct template_frame *frame)
{
	json_t *variables = section(frame, "variables"), *value, *copy;
	const char *name;
	size_t i;

	json_object_foreach(variables, name, value)
	{
		if (strcasecmp(name, "copy") != 0 || !json_is_array(value)) {
			if (!add_variable(frame, name, value, false))
				return false;
			continue;
		}
		json_array_foreach(value, i, copy)
		{
			const char *is = value_member_text(frame->budget, copy, "name");

			if (is && !add_variable(frame, is, copy, true))
				return false;
		}
	}
	return !budget_has_failed(frame->budget);
}

/* ---- parameters ---- */

static bool read_parameters(struct template_frame *frame)
{
	struct parameter *parameter, **last = &frame->first_parameter;
	struct template_place here[2];
	const char *name;
	json_t *declared;

	json_object_foreach(section(frame, "parameters"), name, declared)
	{
		parameter = budget_alloc(frame->budget, sizeof *parameter);
		if (!parameter)
			return false;
		*parameter = (struct parameter){.name = name, .declared = declared};
		go_to(frame, "parameters", name, here);
		parameter->type = parameter_type_of(frame, declared);
		frame->budget->place = frame->place;
		if (!parameter->type ||
		    !names_put(frame->budget, &frame->parameters, name, parameter))
			return false;
		*last = parameter;
		last = &parameter->next;
	}
	return !budget_has_failed(frame->budget);
}

static void *unknown_parameter(struct template_frame *frame, const char *name)
{
	char known[TEMPLATE_TEXT_MAX / 2] = "";

	for (const struct parameter *at = frame->first_parameter;
	     at && strlen(known) < sizeof known / 2; at = at->next)
		text_append(known, sizeof known, "%s%s", known[0] != '\0' ? ", " : "", at->name);
	return budget_fail(frame->budget,
			   "The template parameters '%s' in the parameters file are not valid; "
			   "they are not present in the original template and can therefore not be "
			   "provided at deployment time. The only supported parameters for this "
			   "template are '%s'",
			   name, known);
}

static bool take_given(struct template_frame *frame, const json_t *given)
{
	struct parameter *parameter;
	struct template_place here[2];
	const char *name;
	json_t *item;

	json_object_foreach((json_t *)given, name, item)
	{
		parameter = names_item(frame->budget, &frame->parameters, name);
		go_to(frame, "parameters", name, here);
		if (!parameter)
			return unknown_parameter(frame, name);
		parameter->given = value_member(frame->budget, item, "value");
		if (!parameter->given && value_member(frame->budget, item, "reference"))
			return budget_fail(frame->budget,
					   "the value of the parameter '%s' is in a key vault, "
					   "which is not supported here",
					   parameter->name);
		if (!parameter->given)
			return budget_fail(frame->budget,
					   "the parameter '%s' is given as {\"value\": ...}",
					   parameter->name);
		frame->budget->place = frame->place;
	}
	return !budget_has_failed(frame->budget);
}

/* The given value, the default, or null. */
static json_t *find_value(struct template_frame *frame, struct parameter *parameter)
{
	struct budget *budget = frame->budget;
	const json_t *fallback = value_member(budget, parameter->declared, "defaultValue");
	struct scope scope = frame_scope(frame);

	scope.is_default = true;
	if (parameter->given && (!json_is_null(parameter->given) || !fallback))
		return parameter->given;
	if (fallback)
		return source_member(&scope, parameter->declared, "defaultValue");
	if (json_is_true(parameter_trait(frame, parameter->declared, "nullable")))
		return json_null();
	return budget_fail(budget, "The value for the template parameter '%s' is not provided",
			   parameter->name);
}

static json_t *evaluate_parameter(struct template_frame *frame, struct parameter *parameter)
{
	const struct template_place *before = frame->budget->place;
	struct template_place here[2];
	size_t size;

	if (parameter->known == KNOWN || budget_has_failed(frame->budget))
		return parameter->value;
	go_to(frame, "parameters", parameter->name, here);
	if (parameter->known == KNOWN_SOON)
		budget_fail(frame->budget,
			    "The default value of the template parameter '%s' refers to itself",
			    parameter->name);
	parameter->known = KNOWN_SOON;
	if (!budget_has_failed(frame->budget))
		parameter->value = find_value(frame, parameter);
	/* The deployment shows given values and defaults, so the size of both is limited. */
	if (parameter->value && !value_measure(frame->budget, parameter->value, &size))
		parameter->value = NULL;
	if (parameter->value && parameter->type->is_secure &&
	    !secrets_add(frame->budget, parameter->value))
		parameter->value = NULL;
	if (parameter->value && !parameter_check(frame, parameter, parameter->value))
		parameter->value = NULL;
	parameter->known = parameter->value ? KNOWN : KNOWN_NOT;
	frame->budget->place = before;
	return parameter->value;
}

json_t *frame_parameter(const struct scope *scope, const char *name)
{
	struct parameter *parameter;
	json_t *value;

	if (scope->arguments) {
		value = value_member(scope->budget, scope->arguments, name);
		return value ? value
			     : budget_fail(scope->budget, "The function has no parameter '%s'",
					   name);
	}
	parameter = names_item(scope->budget, &scope->frame->parameters, name);
	return parameter ? evaluate_parameter(scope->frame, parameter)
			 : budget_fail(scope->budget,
				       "The template parameter '%s' is not found: it is declared "
				       "in 'parameters'",
				       name);
}

/* The parameters as a deployment shows them. */
static json_t *show_parameters(struct template_frame *frame)
{
	struct budget *budget = frame->budget;
	json_t *shown = value_object(budget), *one;

	for (struct parameter *at = frame->first_parameter; at; at = at->next) {
		one = value_object(budget);
		if (!evaluate_parameter(frame, at) ||
		    !value_put_text(budget, one, "type", at->type->shown) ||
		    (!at->type->is_secure && !value_put(budget, one, "value", at->value)) ||
		    !value_put(budget, shown, at->name, one))
			return NULL;
	}
	return shown;
}

bool frame_open(struct template_frame *frame, const json_t *given)
{
	bool is_own = frame->language == frame;

	frame->budget->place = frame->place;
	if (!check_members(frame))
		return false;
	if (is_own && (!read_functions(frame) || !read_variables(frame) ||
		       !read_parameters(frame) || !take_given(frame, given)))
		return false;
	frame->parameters_shown = is_own ? show_parameters(frame) : value_object(frame->budget);
	return frame->parameters_shown;
}

/* ---- variables ---- */

json_t *frame_variable(const struct scope *scope, const char *name)
{
	struct template_frame *frame = scope->frame;
	struct budget *budget = scope->budget;
	struct variable *variable = names_item(budget, &frame->variables, name);
	const struct template_place *before = budget->place;
	struct scope inner = *scope;
	struct template_place here[2];

	if (!variable || scope->arguments)
		return budget_fail(budget, "The template variable '%s' is not found%s", name,
				   variable ? " in a function, which sees its parameters only"
					    : "");
	if (variable->known == KNOWN)
		return variable->value;
	go_to(frame, "variables", variable->name, here);
	if (variable->known == KNOWN_SOON) {
		budget_fail(budget, "The template variable '%s' refers to itself", variable->name);
		budget->place = before;
		return NULL;
	}
	variable->known = KNOWN_SOON;
	inner.loops = NULL;
	inner.bindings = NULL;
	variable->value = variable->is_copy ? source_copies(&inner, variable->source)
					    : source_value(&inner, variable->source);
	variable->known = variable->value ? KNOWN : KNOWN_NOT;
	budget->place = before;
	return variable->value;
}

/* ---- the template's functions ---- */

static json_t *bind_arguments(const struct scope *scope, const struct own_function *function,
			      json_t **arguments, size_t count)
{
	struct budget *budget = scope->budget;
	const json_t *parameters = value_member(budget, function->source, "parameters");
	json_t *bound = value_object(budget);
	const char *name;

	if (json_array_size(parameters) != count)
		return budget_fail(budget, "%s() takes %zu arguments, not %zu", function->name,
				   json_array_size(parameters), count);
	for (size_t i = 0; i < count; i++) {
		name = value_member_text(budget, json_array_get(parameters, i), "name");
		if (!name)
			return budget_fail(budget, "the parameters of %s() have names",
					   function->name);
		if (!value_put(budget, bound, name, arguments[i]))
			return NULL;
	}
	return bound;
}

json_t *frame_call(const struct scope *scope, const char *name, json_t **arguments, size_t count)
{
	struct budget *budget = scope->budget;
	const struct own_function *function = names_item(budget, &scope->frame->functions, name);
	const struct template_place *before = budget->place;
	struct scope inner = {.budget = budget, .frame = scope->frame, .home = scope->home};
	const json_t *output;
	json_t *value;

	if (!function)
		return budget_fail(budget, "The template function '%s' is not valid", name);
	inner.arguments = bind_arguments(scope, function, arguments, count);
	output = value_member(budget, function->source, "output");
	if (!inner.arguments || budget_has_failed(budget))
		return NULL;
	if (!value_member(budget, output, "value"))
		return budget_fail(budget, "%s() has no 'output' with a 'value'", function->name);
	budget->place = function->place;
	value = source_member(&inner, output, "value");
	budget->place = before;
	return value;
}

/* ---- outputs ---- */

/* Evaluates the output. NULL: the budget has failed, or is waiting. */
static json_t *output_value(const struct scope *scope, const json_t *declared,
			    const struct parameter_type *type)
{
	struct budget *budget = scope->budget;
	const json_t *copy = value_member(budget, declared, "copy");
	bool is_nullable = json_is_true(parameter_trait(scope->home, declared, "nullable"));
	json_t *value;

	if (!copy && !value_member(budget, declared, "value"))
		return budget_fail(budget, "an output has a 'value', or a 'copy'");
	value = copy ? source_copies(scope, copy) : source_member(scope, declared, "value");
	if (value && !parameter_is_of_type(type, value) && !(is_nullable && json_is_null(value)))
		return budget_fail(budget,
				   "Template output JToken type is not valid. Expected '%s'. "
				   "Actual '%s'",
				   type->shown, parameter_type_shown(value));
	return value;
}

static bool put_output(const struct scope *scope, const char *name, const json_t *declared,
		       json_t *outputs)
{
	struct budget *budget = scope->budget;
	const struct parameter_type *type = parameter_type_of(scope->home, declared);
	json_t *one = value_object(budget), *value;
	bool is_wanted;
	size_t size;

	if (!type || !one || !source_condition(scope, declared, &is_wanted))
		return false;
	if (!is_wanted)
		return true;
	value = output_value(scope, declared, type);
	return value && value_measure(budget, value, &size) &&
	       value_put_text(budget, one, "type", type->shown) &&
	       (type->is_secure || value_put(budget, one, "value", value)) &&
	       value_put(budget, outputs, name, one);
}

json_t *frame_outputs(const struct scope *scope)
{
	struct template_frame *frame = scope->home;
	json_t *outputs, *declared;
	bool fine = true;
	struct template_place here[2];
	const char *name;

	scope->budget->place = frame->place;
	outputs = value_object(scope->budget);
	json_object_foreach(section(frame, "outputs"), name, declared)
	{
		go_to(frame, "outputs", name, here);
		fine = outputs && put_output(scope, name, declared, outputs);
		if (!fine)
			break;
		scope->budget->place = frame->place;
	}
	scope->budget->place = frame->place;
	return fine && !budget_has_failed(scope->budget) ? outputs : NULL;
}
