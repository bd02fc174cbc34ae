/* Each call in the template's text is looked up only once, so a search through the tables is fast
 * enough. */
#include "resolver/control/template/functions.h"

#include <string.h>
#include <strings.h>

#include "rules/base.h"
#include "rules/text.h"

static const struct function *const tables[] = {
	text_functions,     array_functions, number_functions,  lazy_functions,
	encoding_functions, time_functions,  address_functions, deployment_functions,
};

/* Functions that only Azure's cloud can answer. */
static const char *const refused[] = {
	"externalInput",   "getSecret",     "managementGroup", "managementGroupResourceId",
	"roleDefinition",  "toLogicalZone", "toLogicalZones",  "toPhysicalZone",
	"toPhysicalZones",
};

static void *unknown(struct budget *budget, const char *name)
{
	bool is_refused = strncasecmp(name, "list", 4) == 0;

	for (size_t i = 0; i < COUNT(refused); i++)
		is_refused = is_refused || strcasecmp(name, refused[i]) == 0;
	if (is_refused)
		return budget_fail(budget, "the function %s() is not supported here", name);
	return budget_fail(budget, "The template function '%s' is not valid", name);
}

static const struct function *find(const char *name)
{
	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct function *at = tables[i]; at->name; at++)
			if (strcasecmp(at->name, name) == 0)
				return at;
	return NULL;
}

const struct function *function_find(struct budget *budget, const char *name, size_t count)
{
	const struct function *function = find(name);

	if (!function)
		return unknown(budget, name);
	if (count >= function->least && count <= function->most)
		return function;
	if (function->most == FUNCTION_ANY)
		return budget_fail(budget, "%s() takes %zu argument%s or more, not %zu",
				   function->name, function->least,
				   text_plural(function->least, "", "s"), count);
	if (function->least == function->most)
		return budget_fail(budget, "%s() takes %zu argument%s, not %zu", function->name,
				   function->least, text_plural(function->least, "", "s"), count);
	return budget_fail(budget, "%s() takes %zu to %zu arguments, not %zu", function->name,
			   function->least, function->most, count);
}
