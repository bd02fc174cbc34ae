/* Azure's JSON: templates, as the portal exports them and Bicep compiles to, with the parameters
 * that they are given; and lists, as az prints them.
 *
 * A template is made of entries, one for each resource that it would deploy: copies are multiplied,
 * conditions decided, names known. What an entry says is evaluated when it is asked for, by
 * reference() or at the end, so the order in a file does not matter. A template within a template
 * (a module) is a frame of its own, with parameters that are evaluated in the outer one. What only
 * Azure knows when it deploys has no value, and is told where it is missing. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/import/azure.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/expression.h"
#include "resolver/control/import/json_file.h"
#include "rules/base.h"
#include "rules/err.h"
#include "rules/text.h"

enum { COPIES_MAX = 10000, FRAMES_MAX = 32 };

struct loop { /* of a copy */
	const char *name;
	size_t index;
	bool of_resource; /* what copyIndex() without a name means */
	const struct loop *outer;
};

struct frame {
	struct expression_scope scope; /* the first member: functions get no more */
	struct arm *arm;
	struct frame *outer; /* of a template within a template; NULL: none */
	const json_t *template;
	json_t *given;          /* parameters that have a value */
	json_t *known;          /* parameters and variables that were evaluated */
	const json_t *of_outer; /* parameters that are evaluated outside; NULL: none */
	const struct loop *loops, *outer_loops;
	const char *name, *subscription, *group;
	struct entry *first, **last;
	unsigned depth;
};

struct entry {
	struct frame *frame;
	const json_t *source;
	const struct loop *loops;
	const char *symbol, *type, *name, *id;
	struct origin at;
	bool existing;
	json_t *whole;       /* NULL: not evaluated yet */
	struct frame *inner; /* of a deployment, when it was looked into */
	struct entry *next;
};

struct document {
	const char *file;
	json_t *value;
	struct document *next;
};

struct arm {
	struct import *import;
	json_t *pool, *given;
	struct document *first, **last;
};

static struct arm *arm_of(struct import *import)
{
	struct arm *arm = import_find(import, "arm");

	if (arm)
		return arm;
	arm = import_alloc(import, sizeof *arm);
	*arm = (struct arm){.import = import, .pool = json_array(), .last = &arm->first};
	arm->given = json_object();
	if (!arm->pool || !arm->given)
		exit(exit_fail("%s", err_text(ERR_NOMEM)));
	import_keep(import, "arm", arm);
	return arm;
}

/* ---- values ---- */

static json_t *value_of(struct frame *frame, const json_t *value, bool strict);

/* What has failed at the value is told; a failure is over then. */
static void tell_failure(struct frame *frame, const struct origin *at, const char *what)
{
	struct origin there = import_place(frame->arm->import, at->file, at->line, what);

	import_lost(frame->arm->import, &there, "%s",
		    frame->scope.error ? frame->scope.error : "it has no value");
	frame->scope.error = NULL;
}

static const struct loop *push_loop(struct frame *frame, const char *name, size_t index,
				    bool of_resource)
{
	struct loop *loop = import_alloc(frame->arm->import, sizeof *loop);

	*loop = (struct loop){name, index, of_resource, frame->loops};
	return loop;
}

/* How many times; -1, which fails: not known. */
static long copies(struct frame *frame, const json_t *copy)
{
	const json_t *member = json_member(copy, "count"),
		     *count = member ? value_of(frame, member, true) : NULL;

	if (count && json_is_integer(count) && json_integer_value(count) >= 0 &&
	    json_integer_value(count) <= COPIES_MAX)
		return (long)json_integer_value(count);
	if (count || !member)
		expression_fail(&frame->scope, "copy takes a count of 0 to %d", COPIES_MAX);
	return -1;
}

/* [{name, count, input}]: an array each. */
static bool put_copies(struct frame *frame, json_t *to, const json_t *loops, bool strict)
{
	const struct loop *outer = frame->loops;
	json_t *loop, *items, *item;
	size_t i;

	json_array_foreach((json_t *)loops, i, loop)
	{
		const char *name = json_member_text(loop, "name");
		const json_t *input = json_member(loop, "input");
		long count = copies(frame, loop);

		if (count < 0 || !name || !input)
			return false;
		items = expression_made(&frame->scope, json_array());
		for (long number = 0; number < count; number++) {
			frame->loops = push_loop(frame, name, (size_t)number, false);
			item = value_of(frame, input, strict);
			frame->loops = outer;
			if (!item && strict)
				return false;
			if (item)
				json_array_append(items, item);
		}
		json_object_set(to, name, items);
	}
	return true;
}

static json_t *object_of(struct frame *frame, const json_t *value, bool strict)
{
	json_t *object = expression_made(&frame->scope, json_object()), *member, *made, *name;
	const char *key;

	json_object_foreach((json_t *)value, key, member)
	{
		bool fine;

		if (strcasecmp(key, "copy") == 0 && json_is_array(member)) {
			fine = put_copies(frame, object, member, strict);
		} else {
			name = expression_evaluate(&frame->scope, key);
			made = name ? value_of(frame, member, strict) : NULL;
			fine = made;
			if (made)
				json_object_set(object, expression_text(&frame->scope, name), made);
		}
		if (!fine && strict)
			return NULL;
		if (!fine) {
			struct origin at = json_file_at(frame->arm->import, member, NULL);

			tell_failure(frame, &at, key);
		}
	}
	return object;
}

/* The value with its expressions evaluated. Not strict: what has no value is left out and told. */
static json_t *value_of(struct frame *frame, const json_t *value, bool strict)
{
	json_t *made, *item, *element;
	size_t i;

	if (json_is_string(value)) {
		made = expression_evaluate(&frame->scope, json_string_value(value));
	} else if (json_is_object(value)) {
		made = object_of(frame, value, strict);
	} else if (json_is_array(value)) {
		made = expression_made(&frame->scope, json_array());
		json_array_foreach((json_t *)value, i, item)
		{
			element = value_of(frame, item, strict);
			if (element) {
				json_array_append(made, element);
			} else if (strict) {
				return NULL;
			} else {
				struct origin at = json_file_at(frame->arm->import, item, NULL);

				tell_failure(frame, &at, NULL);
			}
		}
	} else {
		made = (json_t *)value;
	}
	return made ? json_file_place(frame->arm->import, made, value) : NULL;
}

static const char *text_of(struct frame *frame, const json_t *value)
{
	const json_t *made = value ? value_of(frame, value, true) : NULL;

	return made ? expression_text(&frame->scope, made) : NULL;
}

/* ---- parameters and variables ---- */

static json_t *known(struct frame *frame, const char *what, const char *name, json_t *value)
{
	char *key = text_lower(import_printf(frame->arm->import, "%s %s", what, name));

	if (value)
		json_object_set(frame->known, key, value);
	return json_object_get(frame->known, key);
}

/* What the outer template gives; NULL: nothing. */
static json_t *given_outside(struct frame *frame, const char *name)
{
	const struct loop *loops;
	const json_t *given = json_member(json_member(frame->of_outer, name), "value");
	json_t *value;

	if (!given)
		return NULL;
	loops = frame->outer->loops;
	frame->outer->loops = frame->outer_loops;
	value = value_of(frame->outer, given, true);
	frame->outer->loops = loops;
	if (!value) {
		expression_fail(&frame->scope, "%s", frame->outer->scope.error);
		frame->outer->scope.error = NULL;
	}
	return value;
}

static json_t *find_parameter(struct frame *frame, const char *name)
{
	const json_t *declared = json_member(json_member(frame->template, "parameters"), name);
	const json_t *fallback = json_member(declared, "defaultValue");
	json_t *value = known(frame, "parameter", name, NULL);

	if (value)
		return value;
	value = json_member(json_member(frame->given, name), "value");
	value = value ? value : given_outside(frame, name);
	if (frame->scope.error)
		return NULL;
	if ((!value || json_is_null(value)) && fallback)
		value = value_of(frame, fallback, true);
	if (!value && json_is_true(json_member(declared, "nullable")))
		value = json_null();
	if (!value && !frame->scope.error)
		expression_fail(&frame->scope,
				"the parameter %s has no value; give the file of parameters, too",
				name);
	return value ? known(frame, "parameter", name, value) : NULL;
}

static json_t *find_variable(struct frame *frame, const char *name)
{
	const json_t *variables = json_member(frame->template, "variables"),
		     *source = json_member(variables, name);
	json_t *value = known(frame, "variable", name, NULL), *loop;
	size_t i;

	if (value)
		return value;
	if (source) {
		value = value_of(frame, source, true);
	} else {
		json_t *object = expression_made(&frame->scope, json_object()),
		       *one = expression_made(&frame->scope, json_array());

		json_array_foreach(json_member(variables, "copy"), i, loop)
		{
			const char *is = json_member_text(loop, "name");

			if (is && strcasecmp(is, name) == 0)
				json_array_append(one, loop);
		}
		if (!put_copies(frame, object, one, true))
			return NULL;
		value = json_member(object, name);
	}
	if (!value)
		return expression_fail(&frame->scope, "there is no variable %s", name);
	return known(frame, "variable", name, value);
}

/* ---- entries ---- */

static void read_template(struct frame *frame);
static json_t *outputs_of(struct frame *frame);

static struct frame *new_frame(struct arm *arm, const json_t *template);

/* A deployment's template; NULL: it has none. */
static struct frame *inner_of(struct entry *entry)
{
	const json_t *properties = json_member(entry->source, "properties"),
		     *template = json_member(properties, "template"), *scope;
	struct frame *frame = entry->frame, *inner;
	const char *text;

	if (entry->inner || !template || frame->depth >= FRAMES_MAX)
		return entry->inner;
	scope = json_member(json_member(properties, "expressionEvaluationOptions"), "scope");
	text = json_string_value(scope);
	inner = new_frame(frame->arm, template);
	inner->outer = frame;
	inner->depth = frame->depth + 1;
	inner->name = entry->name;
	inner->outer_loops = entry->loops;
	frame->loops = entry->loops;
	inner->group = text_of(frame, json_member(entry->source, "resourceGroup"));
	inner->subscription = text_of(frame, json_member(entry->source, "subscriptionId"));
	frame->loops = NULL;
	frame->scope.error = NULL;
	inner->group = inner->group ? inner->group : frame->group;
	inner->subscription = inner->subscription ? inner->subscription : frame->subscription;
	if (text && strcasecmp(text, "inner") == 0) {
		inner->of_outer = json_member(properties, "parameters");
	} else { /* its expressions are the outer one's */
		json_t *mixed = expression_made(&frame->scope, json_copy((json_t *)template));

		json_object_del(mixed, "parameters");
		json_object_del(mixed, "variables");
		for (const char *const *key =
			     (const char *const[]){"parameters", "variables", NULL};
		     *key; key++)
			if (json_member(frame->template, *key))
				json_object_set(mixed, *key, json_member(frame->template, *key));
		inner->template = mixed;
		inner->given = frame->given;
		inner->of_outer = frame->of_outer;
		inner->outer_loops = frame->outer_loops;
		inner->loops = entry->loops;
		if (frame->outer)
			inner->outer = frame->outer;
	}
	entry->inner = inner;
	read_template(inner);
	return inner;
}

static bool is_deployment(const struct entry *entry)
{
	return strcasecmp(entry->type, "Microsoft.Resources/deployments") == 0;
}

/* With all of its expressions evaluated. */
static json_t *whole_of(struct entry *entry)
{
	struct frame *frame = entry->frame;
	const struct loop *loops = frame->loops;
	const char *error = frame->scope.error;

	if (entry->whole || frame->scope.depth > 50)
		return entry->whole;
	frame->loops = entry->loops;
	frame->scope.error = NULL;
	frame->scope.depth++;
	if (is_deployment(entry)) {
		struct frame *inner = inner_of(entry);

		entry->whole = expression_made(&frame->scope,
					       json_pack("{s:s, s:{s:O}}", "name", entry->name,
							 "properties", "outputs",
							 inner ? outputs_of(inner) : json_null()));
	} else {
		json_t *source = expression_made(&frame->scope, json_copy((json_t *)entry->source));

		json_object_del(source, "resources");
		json_object_del(source, "dependsOn");
		json_object_del(source, "copy");
		json_object_del(source, "condition");
		json_file_place(frame->arm->import, source, entry->source);
		entry->whole = value_of(frame, source, false);
	}
	frame->scope.depth--;
	frame->loops = loops;
	frame->scope.error = error;
	return entry->whole;
}

static json_t *outputs_of(struct frame *frame)
{
	json_t *made = expression_made(&frame->scope, json_object()), *output, *value;
	const char *key;

	json_object_foreach(json_member(frame->template, "outputs"), key, output)
	{
		value = json_member(output, "value");
		value = value ? value_of(frame, value, true) : NULL;
		if (value)
			json_object_set_new(made, key, json_pack("{s:O}", "value", value));
		frame->scope.error = NULL;
	}
	return made;
}

/* By symbol, "symbol[0]", id or name. */
static struct entry *find_entry(struct frame *frame, const char *text)
{
	for (struct entry *at = frame->first; at; at = at->next)
		if ((at->symbol && strcasecmp(at->symbol, text) == 0) ||
		    (at->id && strcasecmp(at->id, text) == 0) || strcasecmp(at->name, text) == 0)
			return at;
	return frame->outer ? find_entry(frame->outer, text) : NULL;
}

/* False: it could not be, which was told. */
static bool add_entry(struct frame *frame, const json_t *source, const char *symbol,
		      const struct entry *parent)
{
	struct import *import = frame->arm->import;
	struct entry *entry = import_alloc(import, sizeof *entry);
	struct origin at = json_file_at(import, source, json_member_text(source, "type"));
	const char *type = text_of(frame, json_member(source, "type")),
		   *name = type ? text_of(frame, json_member(source, "name")) : NULL;
	const json_t *condition = json_member(source, "condition"), *decided;
	const char *subscription, *group;
	json_t *child;
	size_t i;

	decided = condition && type ? value_of(frame, condition, true) : json_true();
	if (!type || !name || !decided) {
		tell_failure(frame, &at, at.path);
		return false;
	}
	if (json_is_false(decided))
		return true;
	if (parent && !strchr(type, '/')) {
		type = import_printf(import, "%s/%s", parent->type, type);
		name = import_printf(import, "%s/%s", parent->name, name);
	}
	group = text_of(frame, json_member(source, "resourceGroup"));
	subscription = text_of(frame, json_member(source, "subscriptionId"));
	frame->scope.error = NULL;
	*entry = (struct entry){.frame = frame,
				.source = source,
				.loops = frame->loops,
				.symbol = symbol,
				.type = type,
				.name = name,
				.at = at,
				.existing = json_is_true(json_member(source, "existing"))};
	entry->id = azure_id(import, subscription ? subscription : frame->subscription,
			     group ? group : frame->group, type, name);
	*frame->last = entry;
	frame->last = &entry->next;
	json_array_foreach(json_member(source, "resources"), i, child)
		add_entry(frame, child, NULL, entry);
	return true;
}

static void add_resource(struct frame *frame, const json_t *source, const char *symbol)
{
	const json_t *copy = json_member(source, "copy");
	const char *name = json_member_text(copy, "name");
	struct origin at = json_file_at(frame->arm->import, source, NULL);
	long count;

	if (!copy) {
		add_entry(frame, source, symbol, NULL);
		return;
	}
	count = copies(frame, copy);
	if (count < 0)
		tell_failure(frame, &at, json_member_text(source, "type"));
	for (long i = 0; i < count; i++) {
		const struct loop *outer = frame->loops;

		frame->loops = push_loop(frame, name ? name : "", (size_t)i, true);
		add_entry(frame, source,
			  symbol ? import_printf(frame->arm->import, "%s[%ld]", symbol, i) : NULL,
			  NULL);
		frame->loops = outer;
	}
}

static void read_template(struct frame *frame)
{
	json_t *resources = json_member(frame->template, "resources"), *resource;
	const char *symbol;
	size_t i;

	json_array_foreach(resources, i, resource) add_resource(frame, resource, NULL);
	json_object_foreach(resources, symbol, resource) add_resource(frame, resource, symbol);
}

static void take_entry(struct entry *entry)
{
	struct import *import = entry->frame->arm->import;
	const json_t *properties = json_member(entry->source, "properties");
	struct frame *inner;

	if (entry->existing)
		return;
	if (!is_deployment(entry)) {
		if (azure_carries(import, entry->type, &entry->at) && whole_of(entry))
			azure_take(import, entry->id, NULL, entry->whole);
		return;
	}
	inner = inner_of(entry);
	if (!inner && json_member(properties, "templateLink"))
		import_lost(import, &entry->at, "its template is another file; give that, too");
	for (struct entry *at = inner ? inner->first : NULL; at; at = at->next)
		take_entry(at);
}

/* ---- functions that ask for the deployment ---- */

static json_t *text_made(struct frame *frame, const char *text)
{
	return expression_made(&frame->scope, json_string(text));
}

static json_t *on_parameters(struct frame *frame, json_t **arguments, size_t count)
{
	return count == 1 && json_is_string(arguments[0])
		       ? find_parameter(frame, json_string_value(arguments[0]))
		       : expression_fail(&frame->scope, "parameters() takes a name");
}

static json_t *on_variables(struct frame *frame, json_t **arguments, size_t count)
{
	return count == 1 && json_is_string(arguments[0])
		       ? find_variable(frame, json_string_value(arguments[0]))
		       : expression_fail(&frame->scope, "variables() takes a name");
}

/* copyIndex([name][, offset]) */
static json_t *on_copy_index(struct frame *frame, json_t **arguments, size_t count)
{
	const char *name = count > 0 ? json_string_value(arguments[0]) : NULL;
	size_t offset_at = name ? 1 : 0;
	json_int_t offset = count > offset_at ? json_integer_value(arguments[offset_at]) : 0;

	for (const struct loop *loop = frame->loops; loop; loop = loop->outer)
		if (name ? strcasecmp(name, loop->name) == 0 : loop->of_resource)
			return expression_made(&frame->scope,
					       json_integer((json_int_t)loop->index + offset));
	return expression_fail(&frame->scope, "copyIndex() stands in no copy%s%s",
			       name ? " named " : "", name ? name : "");
}

/* [subscription, [group,]] type, names */
static json_t *on_resource_id(struct frame *frame, json_t **arguments, size_t count)
{
	struct import *import = frame->arm->import;
	const char *subscription = frame->subscription, *group = frame->group, *name = NULL, *text;
	size_t type = 0;

	for (size_t i = 0; i < count; i++)
		if (!json_is_string(arguments[i]))
			return expression_fail(&frame->scope, "resourceId() takes texts");
	while (type < count && !strchr(json_string_value(arguments[type]), '/'))
		type++;
	if (type > 2 || type + 1 >= count)
		return expression_fail(&frame->scope, "resourceId() takes a type and names");
	if (type > 0)
		group = json_string_value(arguments[type - 1]);
	if (type > 1)
		subscription = json_string_value(arguments[0]);
	for (size_t i = type + 1; i < count; i++) {
		text = json_string_value(arguments[i]);
		name = name ? import_printf(import, "%s/%s", name, text) : text;
	}
	return text_made(frame, azure_id(import, subscription, group,
					 json_string_value(arguments[type]), name));
}

/* extensionResourceId(scope, type, names): its own way to say an id. */
static json_t *on_extension_id(struct frame *frame, json_t **arguments, size_t count)
{
	const char *scope, *id, *rest;
	json_t *made;

	if (count < 3 || !json_is_string(arguments[0]))
		return expression_fail(&frame->scope, "extensionResourceId() takes a scope");
	made = on_resource_id(frame, arguments + 1, count - 1);
	scope = json_string_value(arguments[0]);
	id = made ? json_string_value(made) : NULL;
	rest = id ? strstr(id, "/providers/") : NULL;
	return rest ? text_made(frame, import_printf(frame->arm->import, "%s%s", scope, rest))
		    : NULL;
}

static json_t *on_reference(struct frame *frame, json_t **arguments, size_t count)
{
	const char *what = count > 0 ? json_string_value(arguments[0]) : NULL;
	bool full = count > 2 && json_is_string(arguments[2]) &&
		    strcasecmp(json_string_value(arguments[2]), "Full") == 0;
	struct entry *entry = what ? find_entry(frame, what) : NULL;
	json_t *whole = entry && !entry->existing ? whole_of(entry) : NULL, *properties;

	if (!whole)
		return expression_fail(&frame->scope,
				       "what %s is, is known when it is deployed; give the lists "
				       "that az prints",
				       what ? what : "it");
	properties = json_member(whole, "properties");
	return full || !properties ? whole : properties;
}

static json_t *on_group(struct frame *frame, json_t **arguments, size_t count)
{
	(void)arguments;
	(void)count;
	return expression_made(
		&frame->scope,
		json_pack("{s:s, s:s, s:s, s:s, s:{}}", "id",
			  import_printf(frame->arm->import, "/subscriptions/%s/resourceGroups/%s",
					frame->subscription, frame->group),
			  "name", frame->group, "type", "Microsoft.Resources/resourceGroups",
			  "location", AZURE_UNKNOWN, "tags"));
}

static json_t *on_subscription(struct frame *frame, json_t **arguments, size_t count)
{
	(void)arguments;
	(void)count;
	return expression_made(&frame->scope,
			       json_pack("{s:s, s:s, s:s, s:s}", "id",
					 import_printf(frame->arm->import, "/subscriptions/%s",
						       frame->subscription),
					 "subscriptionId", frame->subscription, "tenantId",
					 AZURE_UNKNOWN, "displayName", AZURE_UNKNOWN));
}

static json_t *on_deployment(struct frame *frame, json_t **arguments, size_t count)
{
	(void)arguments;
	(void)count;
	return expression_made(&frame->scope, json_pack("{s:s, s:s, s:{}}", "name", frame->name,
							"location", AZURE_UNKNOWN, "properties"));
}

/* That of the public cloud, as far as names are made of it. */
static json_t *on_environment(struct frame *frame, json_t **arguments, size_t count)
{
	(void)arguments;
	(void)count;
	return expression_made(
		&frame->scope,
		json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "name", "AzureCloud",
			  "resourceManager", "https://management.azure.com/", "suffixes", "storage",
			  "core.windows.net", "sqlServerHostname", ".database.windows.net",
			  "keyvaultDns", ".vault.azure.net", "acrLoginServer", ".azurecr.io",
			  "azureDatalakeStoreFileSystem", "azuredatalakestore.net"));
}

static json_t *on_tenant(struct frame *frame, json_t **arguments, size_t count)
{
	(void)arguments;
	(void)count;
	return expression_made(&frame->scope, json_pack("{s:s}", "tenantId", AZURE_UNKNOWN));
}

/* Only deployments are named by it. */
static json_t *on_utc_now(struct frame *frame, json_t **arguments, size_t count)
{
	(void)arguments;
	(void)count;
	return text_made(frame, "20000101T000000Z");
}

static const struct {
	const char *name;
	json_t *(*call)(struct frame *frame, json_t **arguments, size_t count);
} functions[] = {
	{"copyIndex", on_copy_index},
	{"deployment", on_deployment},
	{"environment", on_environment},
	{"extensionResourceId", on_extension_id},
	{"parameters", on_parameters},
	{"reference", on_reference},
	{"resourceGroup", on_group},
	{"resourceId", on_resource_id},
	{"subscription", on_subscription},
	{"subscriptionResourceId", on_resource_id},
	{"tenant", on_tenant},
	{"tenantResourceId", on_resource_id},
	{"utcNow", on_utc_now},
	{"variables", on_variables},
};

/* NAMESPACE.NAME: the template's own; NULL: there is none. */
static const json_t *find_own(const struct frame *frame, const char *name)
{
	const char *dot = strrchr(name, '.'), *space;
	json_t *item;
	size_t i;

	json_array_foreach(json_member(frame->template, "functions"), i, item)
	{
		space = json_member_text(item, "namespace");
		if (dot && space && strlen(space) == (size_t)(dot - name) &&
		    strncasecmp(space, name, (size_t)(dot - name)) == 0)
			return json_member(json_member(item, "members"), dot + 1);
	}
	return NULL;
}

static json_t *call_own(struct frame *frame, const json_t *function, json_t **arguments,
			size_t count)
{
	const json_t *parameters = json_member(function, "parameters"),
		     *output = json_member(json_member(function, "output"), "value");
	struct frame *inner = new_frame(frame->arm, frame->template);
	json_t *value;

	if (!output || frame->depth >= FRAMES_MAX)
		return expression_fail(&frame->scope, "a function has no output");
	inner->depth = frame->depth + 1;
	inner->given = expression_made(&frame->scope, json_object());
	for (size_t i = 0; i < count && i < json_array_size(parameters); i++) {
		const char *name = json_member_text(json_array_get(parameters, i), "name");

		if (name)
			json_object_set_new(inner->given, name,
					    json_pack("{s:O}", "value", arguments[i]));
	}
	value = value_of(inner, output, true);
	if (!value)
		return expression_fail(&frame->scope, "%s", inner->scope.error);
	return value;
}

static json_t *call(struct expression_scope *scope, const char *name, json_t **arguments,
		    size_t count)
{
	struct frame *frame = (struct frame *)scope;
	const json_t *own = find_own(frame, name);

	if (own)
		return call_own(frame, own, arguments, count);
	for (size_t i = 0; i < COUNT(functions); i++)
		if (strcasecmp(functions[i].name, name) == 0)
			return functions[i].call(frame, arguments, count);
	return NULL;
}

static struct frame *new_frame(struct arm *arm, const json_t *template)
{
	struct frame *frame = import_alloc(arm->import, sizeof *frame);

	*frame = (struct frame){.scope = {.import = arm->import, .pool = arm->pool, .call = call},
				.arm = arm,
				.template = template,
				.given = NULL,
				.name = AZURE_UNKNOWN,
				.subscription = AZURE_UNKNOWN,
				.group = AZURE_UNKNOWN,
				.last = &frame->first};
	frame->known = expression_made(&frame->scope, json_object());
	return frame;
}

/* ---- files ---- */

static void take_template(struct arm *arm, const json_t *template)
{
	struct frame *frame = new_frame(arm, template);

	frame->given = arm->given;
	read_template(frame);
	for (struct entry *entry = frame->first; entry; entry = entry->next)
		take_entry(entry);
}

static bool is_template(const json_t *value)
{
	return json_is_object(value) && json_member(value, "resources") &&
	       (json_member(value, "$schema") || json_member(value, "contentVersion"));
}

/* One resource, as az prints it. */
static void take_listed(struct arm *arm, const char *file, const json_t *value)
{
	struct origin at = json_file_at(arm->import, value, NULL);
	const char *id = json_member_text(value, "id"), *type = json_member_text(value, "type");

	at = at.line > 0 ? at : import_place(arm->import, file, 0, NULL);
	if (!id || !type) {
		import_lost(arm->import, &at,
			    "it has no \"id\" and \"type\", as what az prints with -o json has");
		return;
	}
	if (azure_carries(arm->import, type, &at))
		azure_take(arm->import, id, NULL, value);
}

static void take_document(struct arm *arm, const struct document *document)
{
	json_t *value = document->value, *list, *item;
	size_t i;

	list = json_is_array(value) ? value : json_member(value, "value");
	if (is_template(value))
		take_template(arm, value);
	else if (json_member(value, "template")) /* as `az group export` once had it */
		take_template(arm, json_member(value, "template"));
	else if (json_is_array(list))
		json_array_foreach(list, i, item) take_listed(arm, document->file, item);
	else if (!json_member(value, "parameters") || json_member(value, "id"))
		take_listed(arm, document->file, value);
}

void arm_read(struct import *import, const char *path)
{
	struct arm *arm = arm_of(import);
	struct document *document = import_alloc(import, sizeof *document);
	json_t *value = json_file_read(import, path), *parameter;
	const char *name;

	if (!value)
		return;
	expression_made(&(struct expression_scope){.import = import, .pool = arm->pool}, value);
	*document = (struct document){.file = import_printf(import, "%s", path), .value = value};
	*arm->last = document;
	arm->last = &document->next;
	if (is_template(value))
		return;
	json_object_foreach(json_member(value, "parameters"), name, parameter)
		json_object_set(arm->given, name, parameter);
}

void arm_finish(struct import *import)
{
	struct arm *arm = arm_of(import);

	for (const struct document *document = arm->first; document; document = document->next)
		take_document(arm, document);
	azure_finish(import);
	json_decref(arm->given);
	json_decref(arm->pool);
}
