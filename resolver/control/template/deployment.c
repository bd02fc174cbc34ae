/* Functions about the deployment: its parameters, its target, and existing resources. */
#include <string.h>
#include <strings.h>

#include "resolver/control/template/entry.h"
#include "resolver/control/template/functions.h"
#include "resolver/control/template/references.h"
#include "resolver/control/template/value.h"
#include "rules/text.h"

static json_t *on_parameters(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *name = value_want_text(scope->budget, arguments, 0);

	(void)count;
	return name ? frame_parameter(scope, name) : NULL;
}

static json_t *on_variables(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *name = value_want_text(scope->budget, arguments, 0);

	(void)count;
	return name ? frame_variable(scope, name) : NULL;
}

/* copyIndex([name][, offset]) */
static json_t *on_copy_index(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *name = count > 0 ? json_string_value(arguments[0]) : NULL;
	size_t offset_at = name ? 1 : 0;
	int64_t offset = 0;

	if (count > offset_at && !value_want_integer(scope->budget, arguments, offset_at, &offset))
		return NULL;
	for (const struct copy_loop *loop = scope->loops; loop; loop = loop->outer)
		if (name ? loop->name && strcasecmp(name, loop->name) == 0 : loop->is_plain) {
			if (__builtin_add_overflow(offset, (int64_t)loop->index, &offset))
				return budget_fail(scope->budget,
						   "copyIndex() does not fit into 64 bits");
			return value_integer(scope->budget, offset);
		}
	if (name)
		return budget_fail(scope->budget, "copyIndex() stands in no copy named '%s'", name);
	return budget_fail(scope->budget,
			   "The template function 'copyIndex' is not expected at this location: it "
			   "stands in a copy, and takes its name where that copies a value");
}

/* ---- ids ---- */

/* Finds the type, the first argument with a '/'; *type is its index. At most `ahead` arguments, the
 * subscription or the group, may come before it. */
static bool find_type(const struct scope *scope, json_t **arguments, size_t count, size_t ahead,
		      size_t *type)
{
	struct budget *budget = scope->budget;
	size_t segments = 0;

	for (size_t i = 0; i < count; i++)
		if (!value_want_text(budget, arguments, i))
			return false;
	for (*type = 0; *type < count; ++*type)
		if (strchr(json_string_value(arguments[*type]), '/'))
			break;
	if (*type > ahead || *type + 1 >= count) {
		budget_fail(budget,
			    "%s() takes a type, such as Microsoft.Network/virtualNetworks, and "
			    "the resource's names",
			    budget->function);
		return false;
	}
	for (const char *at = json_string_value(arguments[*type]); *at != '\0'; at++)
		segments += *at == '/';
	if (segments == count - *type - 1)
		return true;
	budget_fail(budget, "%s() of the type '%s' takes %zu name%s, not %zu", budget->function,
		    json_string_value(arguments[*type]), segments, segments == 1 ? "" : "s",
		    count - *type - 1);
	return false;
}

static const char *id_of(const struct scope *scope, const char *subscription, const char *group,
			 json_t **arguments, size_t count)
{
	const json_t *names;
	struct builder builder;

	builder_init(&builder, scope->budget);
	for (size_t i = 1; i < count; i++) {
		if (i > 1)
			builder_add(&builder, "/", 1);
		builder_add_text(&builder, json_string_value(arguments[i]));
	}
	names = builder_finish(&builder);
	return names ? entry_id(scope->budget, subscription, group, json_string_value(arguments[0]),
				json_string_value(names))
		     : NULL;
}

/* resourceId([subscription,] [group,] type, names). A single argument before the type is the
 * subscription if it is a UUID, and otherwise the group. */
static json_t *on_resource_id(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *subscription = scope->frame->subscription, *group = scope->frame->group;
	size_t type;

	if (!find_type(scope, arguments, count, 2, &type))
		return NULL;
	if (type == 2)
		subscription = json_string_value(arguments[0]);
	if (type == 2 || (type == 1 && !text_is_uuid(json_string_value(arguments[0]))))
		group = json_string_value(arguments[type - 1]);
	else if (type == 1)
		subscription = json_string_value(arguments[0]);
	return value_text(scope->budget,
			  id_of(scope, subscription, group, arguments + type, count - type));
}

static json_t *on_subscription_id(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *subscription = scope->frame->subscription;
	size_t type;

	if (!find_type(scope, arguments, count, 1, &type))
		return NULL;
	if (type == 1)
		subscription = json_string_value(arguments[0]);
	return value_text(scope->budget,
			  id_of(scope, subscription, NULL, arguments + type, count - type));
}

static json_t *on_tenant_id(const struct scope *scope, json_t **arguments, size_t count)
{
	size_t type;

	return find_type(scope, arguments, count, 0, &type)
		       ? value_text(scope->budget, id_of(scope, NULL, NULL, arguments, count))
		       : NULL;
}

/* extensionResourceId(id of the extended resource, type, names) */
static json_t *on_extension_id(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *around = value_want_text(scope->budget, arguments, 0), *id;
	size_t type;

	if (!around || !find_type(scope, arguments + 1, count - 1, 0, &type))
		return NULL;
	id = id_of(scope, NULL, NULL, arguments + 1, count - 1);
	return id ? value_text(scope->budget, budget_printf(scope->budget, "%s%s", around, id))
		  : NULL;
}

/* ---- target ---- */

static json_t *on_group(const struct scope *scope, json_t **arguments, size_t count)
{
	const struct template_frame *frame = scope->frame;

	(void)arguments;
	(void)count;
	if (!frame->group)
		return budget_fail(scope->budget,
				   "The template function 'resourceGroup' is not expected at this "
				   "location: the deployment is to a subscription");
	return references_group(scope, frame->group);
}

static json_t *on_subscription(const struct scope *scope, json_t **arguments, size_t count)
{
	struct budget *budget = scope->budget;
	const char *subscription = scope->frame->subscription;
	json_t *object = value_object(budget);

	(void)arguments;
	(void)count;
	return value_put_text(budget, object, "id",
			      budget_printf(budget, "/subscriptions/%s", subscription)) &&
			       value_put_text(budget, object, "subscriptionId", subscription) &&
			       value_put_text(budget, object, "tenantId",
					      scope->frame->deployed->tenant) &&
			       value_put_text(budget, object, "displayName",
					      scope->frame->deployed->display_name)
		       ? object
		       : NULL;
}

static json_t *on_tenant(const struct scope *scope, json_t **arguments, size_t count)
{
	struct budget *budget = scope->budget;
	const char *tenant = scope->frame->deployed->tenant;
	json_t *object = value_object(budget);

	(void)arguments;
	(void)count;
	return value_put_text(budget, object, "id", budget_printf(budget, "/tenants/%s", tenant)) &&
			       value_put_text(budget, object, "tenantId", tenant) &&
			       value_put_text(budget, object, "displayName",
					      scope->frame->deployed->display_name)
		       ? object
		       : NULL;
}

static json_t *on_deployment(const struct scope *scope, json_t **arguments, size_t count)
{
	struct budget *budget = scope->budget;
	const struct template_frame *frame = scope->frame;
	json_t *object = value_object(budget), *properties = value_object(budget);

	(void)arguments;
	(void)count;
	if (!value_put_text(budget, object, "name", frame->name) ||
	    (!frame->group &&
	     !value_put_text(budget, object, "location", frame->deployed->location)) ||
	    !value_put(budget, properties, "template", (json_t *)frame->source) ||
	    !value_put_text(budget, properties, "mode", "Incremental") ||
	    !value_put_text(budget, properties, "provisioningState", "Accepted") ||
	    !value_put(budget, object, "properties", properties))
		return NULL;
	return object;
}

static json_t *on_environment(const struct scope *scope, json_t **arguments, size_t count)
{
	const json_t *environment = scope->frame->deployed->environment;

	(void)arguments;
	(void)count;
	return environment ? (json_t *)environment : value_object(scope->budget);
}

static json_t *on_deployer(const struct scope *scope, json_t **arguments, size_t count)
{
	const json_t *deployer = scope->frame->deployed->deployer;

	(void)arguments;
	(void)count;
	return deployer ? (json_t *)deployer : value_object(scope->budget);
}

/* ---- providers and zones ---- */

/* Finds a provider's type; both names are arguments. */
static json_t *find_resource_type(const struct scope *scope, json_t **arguments)
{
	struct budget *budget = scope->budget;
	const char *namespace = value_want_text(budget, arguments, 0),
		   *wanted = value_want_text(budget, arguments, 1), *name;
	json_t *provider, *types, *type;
	size_t i;

	if (!namespace || !wanted)
		return NULL;
	provider = references_provider(scope, namespace);
	types = value_member(budget, provider, "resourceTypes");
	json_array_foreach(types, i, type)
	{
		name = value_member_text(budget, type, "resourceType");
		if (!budget_steps(budget, 1))
			return NULL;
		if (name && strcasecmp(name, wanted) == 0)
			return type;
	}
	return provider ? budget_fail(budget, "the provider '%s' has no type '%s' here", namespace,
				      wanted)
			: NULL;
}

/* providers(namespace[, type]) */
static json_t *on_providers(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *namespace = value_want_text(scope->budget, arguments, 0);

	if (count > 1)
		return find_resource_type(scope, arguments);
	return namespace ? references_provider(scope, namespace) : NULL;
}

/* pickZones(namespace, type, location[, count[, offset]]): no location has zones here, and without
 * zones Azure returns an empty array as well. */
static json_t *on_pick_zones(const struct scope *scope, json_t **arguments, size_t count)
{
	int64_t number;

	if (!find_resource_type(scope, arguments) ||
	    !value_want_text(scope->budget, arguments, 2) ||
	    (count > 3 && !value_want_integer(scope->budget, arguments, 3, &number)) ||
	    (count > 4 && !value_want_integer(scope->budget, arguments, 4, &number)))
		return NULL;
	return value_array(scope->budget);
}

const struct function deployment_functions[] = {
	{"copyIndex", 0, 2, .call = on_copy_index},
	{"deployer", 0, 0, .call = on_deployer},
	{"deployment", 0, 0, .call = on_deployment},
	{"environment", 0, 0, .call = on_environment},
	{"extensionResourceId", 3, FUNCTION_ANY, .call = on_extension_id},
	{"parameters", 1, 1, .call = on_parameters},
	{"pickZones", 3, 5, .call = on_pick_zones},
	{"providers", 1, 2, .call = on_providers},
	{"reference", 1, 3, .call = references_one},
	{"references", 1, 2, .call = references_copy},
	{"resourceGroup", 0, 0, .call = on_group},
	{"resourceId", 2, FUNCTION_ANY, .call = on_resource_id},
	{"subscription", 0, 0, .call = on_subscription},
	{"subscriptionResourceId", 2, FUNCTION_ANY, .call = on_subscription_id},
	{"tenant", 0, 0, .call = on_tenant},
	{"tenantResourceId", 2, FUNCTION_ANY, .call = on_tenant_id},
	{"variables", 1, 1, .call = on_variables},
	{.name = NULL},
};
