/* Lookups by the caller are expensive, so their results are kept. The next round discards them,
 * because they may differ then. */
#include "resolver/control/template/references.h"

#include <string.h>
#include <strings.h>

#include "resolver/control/template/names.h"
#include "resolver/control/template/value.h"

enum { FIND_STEPS = 100 };

/* Fails with Azure's text, which names type, name and resource group. */
static void *not_found(const struct scope *scope, const char *id)
{
	static const char providers[] = "/providers/", groups[] = "/resourceGroups/";
	const char *below = strstr(id, providers), *group = strcasestr(id, groups);

	group = group && (!below || group < below) ? group + sizeof groups - 1 : NULL;
	return budget_fail_as(scope->budget, TEMPLATE_NOT_FOUND,
			      "The Resource '%s' under resource group '%.*s' was not found",
			      below ? below + sizeof providers - 1 : id,
			      group ? (int)strcspn(group, "/") : 6, group ? group : "<null>");
}

/* Looks the name up by the caller's `find`. `kind` keeps results of different lookups apart. NULL,
 * without an error: not found. */
static json_t *ask(const struct scope *scope, const char *kind, const char *name,
		   json_t *(*find)(void *context, const char *name))
{
	struct budget *budget = scope->budget;
	const char *key = budget_printf(budget, "%s%s", kind, name);
	json_t *found = key ? names_item(budget, scope->frame->found, key) : NULL;
	size_t size;

	if (found || !key || !find || !budget_steps(budget, FIND_STEPS))
		return found;
	found = find(scope->frame->deployed->context, name);
	if (!found)
		return NULL;
	found = budget_keep(budget, found);
	return found && value_measure(budget, found, &size) &&
			       budget_bytes(budget, size * BUDGET_STEP_BYTES) &&
			       names_put(budget, scope->frame->found, key, found)
		       ? found
		       : NULL;
}

static json_t *find(const struct scope *scope, const char *id)
{
	json_t *resource = ask(scope, "", id, scope->frame->deployed->find_resource);

	return resource ? resource : not_found(scope, id);
}

/* A finished nested deployment, with the main members of GET's answer. */
static json_t *show_deployment(const struct scope *scope, const struct template_entry *entry)
{
	struct budget *budget = scope->budget;
	json_t *object = value_object(budget), *properties = value_object(budget);

	return value_put_text(budget, properties, "provisioningState", "Succeeded") &&
			       value_put_text(budget, properties, "mode", "Incremental") &&
			       value_put(budget, properties, "parameters",
					 entry->inner->parameters_shown) &&
			       value_put(budget, properties, "outputs", entry->inner->outputs) &&
			       value_put_text(budget, object, "id", entry->id) &&
			       value_put_text(budget, object, "name", entry->name) &&
			       value_put_text(budget, object, "type", entry->type) &&
			       value_put(budget, object, "properties", properties)
		       ? object
		       : NULL;
}

static json_t *show(const struct scope *scope, const struct template_entry *entry, const char *id,
		    bool is_full)
{
	bool is_ours = entry && entry->inner && entry->inner->outputs;
	json_t *whole = is_ours ? show_deployment(scope, entry) : find(scope, id), *properties;

	if (!whole || is_full)
		return whole;
	properties = json_object_get(whole, "properties");
	return properties ? properties : value_object(scope->budget);
}

/* True: the target is done. Otherwise the scope's entry waits for it; without an entry this
 * fails. */
static bool is_there(const struct scope *scope, struct awaited *target)
{
	if (target->is_done)
		return true;
	if (!scope->entry)
		budget_fail(scope->budget,
			    "reference() is to a resource that is made later; it stands in "
			    "'properties' or 'outputs'");
	else if (awaited_wait(scope->budget, &scope->entry->target, target))
		scope->budget->is_waiting = true;
	return false;
}

static bool is_expected(const struct scope *scope)
{
	if (scope->may_refer && !scope->arguments)
		return true;
	budget_fail(scope->budget,
		    "The template function '%s' is not expected at this location: it stands in "
		    "'properties' or 'outputs'",
		    scope->budget->function);
	return false;
}

/* If several targets have the name, prefers one that is not off. Targets of scope->frame count only
 * if scope->home has none of that name. */
static struct awaited *find_target(const struct scope *scope, const char *text)
{
	struct awaited *found = NULL, *target;

	for (unsigned i = 0; i < 2 && !found; i++) {
		const struct name_row *row =
			entries_find(i == 0 ? scope->home : scope->frame, text);

		for (; row && budget_steps(scope->budget, 1); row = names_next(row)) {
			target = row->item;
			if (!found || (found->entry && found->entry->is_off))
				found = target;
		}
	}
	return found;
}

static bool want_full(const struct scope *scope, json_t **arguments, size_t count, size_t at)
{
	const char *text = count > at ? json_string_value(arguments[at]) : NULL;

	if (count > at && (!text || strcasecmp(text, "Full") != 0))
		budget_fail(scope->budget, "%s() takes 'Full' as argument %zu, or nothing",
			    scope->budget->function, at + 1);
	return text;
}

json_t *references_one(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0);
	bool is_full = want_full(scope, arguments, count, 2);
	struct awaited *target;

	if (!text || !is_expected(scope) || budget_has_failed(scope->budget))
		return NULL;
	target = find_target(scope, text);
	if (!target && text[0] == '/')
		return show(scope, NULL, text, is_full);
	if (!target)
		return budget_fail(scope->budget,
				   "The resource '%s' is not defined in the template: reference() "
				   "takes the name or symbol of one that is, or an id",
				   text);
	if (!target->entry)
		return budget_fail(scope->budget,
				   "'%s' is a copy: references() takes it, and reference() takes "
				   "'%s[0]'",
				   text, text);
	if (!is_there(scope, target))
		return NULL;
	return show(scope, target->entry, target->entry->id, is_full);
}

json_t *references_copy(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0);
	bool is_full = want_full(scope, arguments, count, 1);
	json_t *items = value_array(scope->budget);
	struct awaited *target = NULL;
	const struct name_row *row;

	if (!text || !is_expected(scope) || budget_has_failed(scope->budget))
		return NULL;
	for (row = entries_find(scope->home, text); row && !target; row = names_next(row))
		target = ((struct awaited *)row->item)->entry ? NULL : row->item;
	if (!target)
		return budget_fail(scope->budget, "references() takes the name of a copy, not '%s'",
				   text);
	if (!is_there(scope, target))
		return NULL;
	for (size_t i = 0; i < target->count; i++) {
		const struct template_entry *entry = target->members[i]->entry;

		if (!entry->is_off &&
		    !value_add(scope->budget, items, show(scope, entry, entry->id, is_full)))
			return NULL;
	}
	return items;
}

json_t *references_group(const struct scope *scope, const char *name)
{
	json_t *group = ask(scope, "group ", name, scope->frame->deployed->find_group);

	return group ? group
		     : budget_fail_as(scope->budget, TEMPLATE_NOT_FOUND,
				      "Resource group '%s' could not be found", name);
}

json_t *references_provider(const struct scope *scope, const char *namespace)
{
	json_t *provider =
		ask(scope, "provider ", namespace, scope->frame->deployed->find_provider);

	return provider ? provider
			: budget_fail(scope->budget, "the provider '%s' is not known here",
				      namespace);
}
