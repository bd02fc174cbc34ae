/* Names, types and conditions are evaluated when the template is read, so reference() is not
 * allowed in them. Dependencies are found in a table, and a copy is a single target for all its
 * waiters, so the time grows with the template and not with its square. */
#include "resolver/control/template/entry.h"

#include <string.h>
#include <strings.h>

#include "resolver/control/template/names.h"
#include "resolver/control/template/source.h"
#include "resolver/control/template/value.h"

#define DEPLOYMENT_TYPE "Microsoft.Resources/deployments"
#define GROUP_TYPE      "Microsoft.Resources/resourceGroups"
#define PROVIDERS       "/providers/"

bool entry_is_deployment(const struct template_entry *entry)
{
	return strcasecmp(entry->type, DEPLOYMENT_TYPE) == 0;
}

struct scope entry_scope(struct template_entry *entry)
{
	struct scope scope = frame_scope(entry->frame);

	scope.loops = entry->loops;
	return scope;
}

/* ---- targets ---- */

void ready_queue_put(struct ready_queue *queue, struct awaited *target)
{
	if (target->is_queued || target->is_done || target->waits > 0)
		return;
	target->is_queued = true;
	target->next = NULL;
	*queue->last = target;
	queue->last = &target->next;
}

struct awaited *ready_queue_take(struct ready_queue *queue)
{
	struct awaited *target = queue->first;

	if (!target)
		return NULL;
	queue->first = target->next;
	if (!queue->first)
		queue->last = &queue->first;
	target->is_queued = false;
	return target;
}

bool awaited_wait(struct budget *budget, struct awaited *waiter, struct awaited *other)
{
	struct wait *wait;

	if (other->is_done)
		return true;
	wait = budget_steps(budget, 1) ? budget_alloc(budget, sizeof *wait) : NULL;
	if (!wait)
		return false;
	*wait = (struct wait){.waiter = waiter, .next = other->waiting};
	other->waiting = wait;
	waiter->waits++;
	return true;
}

void awaited_finish(struct ready_queue *queue, struct awaited *target)
{
	struct wait *first = NULL, *next;

	target->is_done = true;
	queue->unfinished--;
	for (struct wait *at = target->waiting; at; at = next) { /* in order of arrival */
		next = at->next;
		at->next = first;
		first = at;
	}
	target->waiting = NULL;
	for (struct wait *at = first; at; at = at->next) {
		at->waiter->waits--;
		ready_queue_put(queue, at->waiter);
	}
}

/* ---- ids ---- */

static const char *segment_end(const char *at)
{
	return at + strcspn(at, "/");
}

const char *entry_id(struct budget *budget, const char *subscription, const char *group,
		     const char *type, const char *name)
{
	const char *type_at, *name_at = name, *end;
	struct builder builder;
	const json_t *id;

	builder_init(&builder, budget);
	if (subscription) {
		builder_add_text(&builder, "/subscriptions/");
		builder_add_text(&builder, subscription);
	}
	if (strcasecmp(type, GROUP_TYPE) == 0) {
		builder_add_text(&builder, "/resourceGroups/");
		builder_add_text(&builder, name);
	} else {
		if (group) {
			builder_add_text(&builder, "/resourceGroups/");
			builder_add_text(&builder, group);
		}
		builder_add_text(&builder, PROVIDERS);
		type_at = segment_end(type);
		builder_add(&builder, type, (size_t)(type_at - type));
		while (*type_at != '\0') {
			end = segment_end(type_at + 1);
			builder_add(&builder, type_at, (size_t)(end - type_at));
			type_at = end;
			builder_add(&builder, "/", 1);
			end = segment_end(name_at);
			builder_add(&builder, name_at, (size_t)(end - name_at));
			name_at = end + (*end == '/');
		}
	}
	id = builder_finish(&builder);
	return id ? json_string_value(id) : NULL;
}

/* The id of an extension resource. `around` names the extended resource by its id, or as
 * "Microsoft.Network/virtualNetworks/hub". */
static const char *extension_id(struct template_entry *entry, const char *subscription,
				const char *around)
{
	struct budget *budget = entry->frame->budget;
	const char *own = entry_id(budget, NULL, NULL, entry->type, entry->name);

	if (!own)
		return NULL;
	if (around[0] == '/')
		return budget_printf(budget, "%s%s", around[1] == '\0' ? "" : around, own);
	if (!entry->group)
		return budget_printf(budget, "/subscriptions/%s" PROVIDERS "%s%s", subscription,
				     around, own);
	return budget_printf(budget, "/subscriptions/%s/resourceGroups/%s" PROVIDERS "%s%s",
			     subscription, entry->group, around, own);
}

static size_t segments(const char *text)
{
	size_t count = 1;

	for (; *text != '\0'; text++)
		count += *text == '/';
	return count;
}

static bool check_name(struct template_entry *entry)
{
	struct budget *budget = entry->frame->budget;
	size_t length = strlen(entry->name);

	if (!strchr(entry->type, '/'))
		return budget_fail(
			budget,
			"The template resource '%s' has an invalid type '%s': it is such "
			"as Microsoft.Network/virtualNetworks",
			entry->name, entry->type);
	if (length == 0 || entry->name[0] == '/' || entry->name[length - 1] == '/' ||
	    strstr(entry->name, "//"))
		return budget_fail(budget,
				   "The template resource '%s' of type '%s' has an invalid name: "
				   "no part of it is empty",
				   entry->name, entry->type);
	if (segments(entry->type) == segments(entry->name) + 1)
		return true;
	return budget_fail(
		budget,
		"The template resource '%s' for type '%s' has incorrect segment "
		"lengths. A nested resource type must have identical number of segments "
		"as its resource name. A root resource type must have segment length one "
		"greater than its resource name",
		entry->name, entry->type);
}

/* ---- entries ---- */

/* Puts the parent's type and name before those of a child resource, unless the child's type already
 * begins with the parent's type. */
static bool read_type(struct template_entry *entry, const struct scope *scope)
{
	struct budget *budget = scope->budget;
	const struct template_entry *parent = entry->parent;
	size_t length;

	if (!source_text(scope, entry->source, "type", &entry->type) ||
	    !source_text(scope, entry->source, "name", &entry->name))
		return false;
	if (!entry->type || !entry->name)
		return budget_fail(budget, "a resource has a '%s'", entry->type ? "name" : "type");
	length = parent ? strlen(parent->type) : 0;
	if (!parent ||
	    (strncasecmp(entry->type, parent->type, length) == 0 && entry->type[length] == '/'))
		return true;
	entry->type = budget_printf(budget, "%s/%s", parent->type, entry->type);
	entry->name = budget_printf(budget, "%s/%s", parent->name, entry->name);
	return entry->type && entry->name;
}

/* Reads "@options": {"onlyIfNotExists": true}; in place of true, Bicep writes the arguments of the
 * decorator: []. */
static bool read_options(struct template_entry *entry, const struct scope *scope)
{
	struct budget *budget = scope->budget;
	const json_t *options = value_member(budget, entry->source, "@options");
	struct template_place here;
	const char *name;
	json_t *value;

	if (options && !json_is_object(options) && !json_is_null(options))
		return budget_fail_at(budget, "@options", "it is an object, not %s",
				      value_kind(options));
	budget_at(budget, &here, "@options");
	json_object_foreach((json_t *)options, name, value)
	{
		if (strcasecmp(name, "onlyIfNotExists") != 0 || entry_is_deployment(entry))
			return budget_fail_at(budget, name,
					      "it is not supported here; a resource that is no "
					      "deployment may have onlyIfNotExists");
		if (!json_is_boolean(value) &&
		    !(json_is_array(value) && json_array_size(value) == 0))
			return budget_fail_at(budget, name, "it is true or false, not %s",
					      value_kind(value));
		entry->only_if_absent = !json_is_false(value);
	}
	budget_back(budget, &here);
	return !budget_has_failed(budget);
}

static bool read_id(struct template_entry *entry, const struct scope *scope)
{
	struct template_frame *frame = entry->frame;
	const char *subscription, *group, *around, *location;

	if (!source_text(scope, entry->source, "subscriptionId", &subscription) ||
	    !source_text(scope, entry->source, "resourceGroup", &group) ||
	    !source_text(scope, entry->source, "scope", &around))
		return false;
	if (around && entry_is_deployment(entry))
		return budget_fail(scope->budget,
				   "a deployment is to a resource group or to a subscription here: "
				   "write 'resourceGroup' or 'subscriptionId' in place of 'scope'");
	entry->group = group ? group : frame->group;
	if (!group && subscription && entry_is_deployment(entry)) { /* to the subscription? */
		if (!source_text(scope, entry->source, "location", &location))
			return false;
		entry->group = location ? NULL : entry->group;
	}
	if (strcasecmp(entry->type, GROUP_TYPE) == 0)
		entry->group = NULL;
	subscription = subscription ? subscription : frame->subscription;
	entry->id = around ? extension_id(entry, subscription, around)
			   : entry_id(scope->budget, subscription, entry->group, entry->type,
				      entry->name);
	if (entry->id && strlen(entry->id) > TEMPLATE_ID_MAX)
		return budget_fail_as(scope->budget, TEMPLATE_LIMIT,
				      "The template resource '%.100s' of type '%.100s' has an id "
				      "of more than %d bytes: give it a shorter name",
				      entry->name, entry->type, TEMPLATE_ID_MAX);
	return entry->id;
}

/* Enters every name by which the template may refer to the entry. Entries may share a name:
 * resources of different types may have the same name, and a symbol may equal another entry's
 * name. */
static bool put_names(struct template_entry *entry)
{
	struct template_frame *frame = entry->frame;
	struct budget *budget = frame->budget;
	const char *below = strstr(entry->id, PROVIDERS), *next, *typed;

	while (below && (next = strstr(below + 1, PROVIDERS)))
		below = next;
	if (below &&
	    !names_put(budget, &frame->targets, below + sizeof PROVIDERS - 1, &entry->target))
		return false;
	typed = budget_printf(budget, "%s/%s", entry->type, entry->name);
	if (!typed || (!(below && strcasecmp(below + sizeof PROVIDERS - 1, typed) == 0) &&
		       !names_put(budget, &frame->targets, typed, &entry->target)))
		return false;
	return names_put(budget, &frame->targets, entry->id, &entry->target) &&
	       names_put(budget, &frame->targets,
			 frame->is_symbolic && entry->symbol ? entry->symbol : entry->name,
			 &entry->target);
}

static bool is_defined_twice(struct template_entry *entry)
{
	struct budget *budget = entry->frame->budget;
	const struct name_row *row = names_find(budget, &entry->frame->targets, entry->id);

	if (entry->is_off || entry->is_existing)
		return false;
	for (; row && budget_steps(budget, 1); row = names_next(row)) {
		const struct awaited *target = row->item;

		if (!target->entry || target->entry->is_off || target->entry->is_existing)
			continue;
		budget_fail(budget, "The resource '%s' is defined multiple times in a template",
			    entry->id);
		return true;
	}
	return false;
}

static bool add_children(struct template_entry *entry, struct ready_queue *queue);

static bool count_entry(struct template_entry *entry, struct ready_queue *queue)
{
	if (entry->is_off || entry->is_existing) {
		entry->target.is_done = true;
		return true;
	}
	queue->unfinished++;
	if (++queue->resources <= TEMPLATE_RESOURCES_MAX)
		return true;
	return budget_fail_as(entry->frame->budget, TEMPLATE_LIMIT,
			      "it has more than %d resources; make several templates of it",
			      TEMPLATE_RESOURCES_MAX);
}

/* Adds an entry: copies the known members from `like`, and reads the rest from its source. */
static bool add_entry(struct template_frame *frame, struct ready_queue *queue,
		      const struct template_entry *like)
{
	struct budget *budget = frame->budget;
	struct template_entry *entry = budget_alloc(budget, sizeof *entry);
	struct scope scope;
	bool holds;

	if (!entry || !budget_steps(budget, 1))
		return false;
	*entry = *like;
	entry->frame = frame;
	entry->target.entry = entry;
	budget->place = entry->place;
	entry->is_existing = json_is_true(value_member(budget, entry->source, "existing"));
	scope = entry_scope(entry);
	if (!json_is_object(entry->source))
		return budget_fail(budget, "a resource is an object, not %s",
				   value_kind(entry->source));
	if (!read_type(entry, &scope) || !source_condition(&scope, entry->source, &holds))
		return false;
	entry->is_off = !holds;
	if ((!entry->is_off && !check_name(entry)) || !read_id(entry, &scope) ||
	    !read_options(entry, &scope) || is_defined_twice(entry) || budget_has_failed(budget) ||
	    !put_names(entry) || !count_entry(entry, queue))
		return false;
	*frame->last_entry = entry;
	frame->last_entry = &entry->next;
	if (entry->copy) {
		entry->copy->members[entry->copy->count++] = &entry->target;
		if (!awaited_wait(budget, entry->copy, &entry->target))
			return false;
	}
	return add_children(entry, queue);
}

/* ---- copies ---- */

static bool is_mode_known(const struct scope *scope, const json_t *copy)
{
	const char *mode = value_member_text(scope->budget, copy, "mode");

	return !mode || strcasecmp(mode, "parallel") == 0 || strcasecmp(mode, "serial") == 0;
}

/* Makes the target of the whole copy, found by the copy's name and the symbol. */
static struct awaited *new_copy(struct template_frame *frame, const char *name, const char *symbol,
				size_t count)
{
	struct budget *budget = frame->budget;
	struct awaited *target = budget_alloc(budget, sizeof *target);
	struct awaited **members = budget_alloc(budget, (count + 1) * sizeof(struct awaited *));

	if (!target || !members || !names_put(budget, &frame->targets, name, target) ||
	    (symbol && strcasecmp(symbol, name) != 0 &&
	     !names_put(budget, &frame->targets, symbol, target)))
		return NULL;
	target->members = members;
	return target;
}

static bool add_copies(struct template_frame *frame, struct ready_queue *queue,
		       const struct template_entry *like, const json_t *copy)
{
	struct budget *budget = frame->budget;
	struct scope scope =
		entry_scope(&(struct template_entry){.frame = frame, .loops = like->loops});
	struct template_entry each = *like;
	struct copy_loop *loop;
	const char *name;
	struct template_place here;
	size_t count;

	budget_at(budget, &here, "copy");
	if (!source_text(&scope, copy, "name", &name) || !source_count(&scope, copy, &count))
		return false;
	if (!name || !is_mode_known(&scope, copy))
		return budget_fail(budget, "a copy has %s",
				   name ? "the mode 'parallel' or 'serial'" : "a 'name'");
	budget_back(budget, &here);
	each.copy = new_copy(frame, name, like->symbol, count);
	if (!each.copy)
		return false;
	queue->unfinished++;
	for (size_t i = 0; i < count; i++) {
		loop = budget_alloc(budget, sizeof *loop);
		if (!loop)
			return false;
		*loop = (struct copy_loop){name, i, true, like->loops};
		each.loops = loop;
		if (like->symbol)
			each.symbol = budget_printf(budget, "%s[%zu]", like->symbol, i);
		if ((like->symbol && !each.symbol) || !add_entry(frame, queue, &each))
			return false;
	}
	ready_queue_put(queue, each.copy);
	return true;
}

static bool add_resource(struct template_frame *frame, struct ready_queue *queue,
			 const struct template_entry *like)
{
	struct budget *budget = frame->budget;
	const json_t *copy;
	bool fine;

	if (!like->place || !budget_enter(budget))
		return false;
	budget->place = like->place;
	copy = value_member(budget, like->source, "copy");
	if (copy && !json_is_object(copy) && !json_is_null(copy)) {
		fine = budget_fail_at(budget, "copy",
				      "a copy is an object with 'name' and 'count', not %s",
				      value_kind(copy));
	} else {
		fine = json_is_object(copy) ? add_copies(frame, queue, like, copy)
					    : add_entry(frame, queue, like);
	}
	budget_leave(budget);
	return fine;
}

/* Reads "resources" of the template or of a resource: an array, or an object by symbols. */
static bool add_resources(struct template_frame *frame, struct ready_queue *queue,
			  const json_t *resources, const struct template_place *outer,
			  const struct template_entry *around)
{
	const struct template_place *place = budget_place(frame->budget, outer, "resources", 0);
	struct template_entry like = *around;
	const char *symbol;
	json_t *source;
	size_t i;

	json_array_foreach((json_t *)resources, i, source)
	{
		like.source = source;
		like.place = budget_place(frame->budget, place, NULL, i);
		if (!add_resource(frame, queue, &like))
			return false;
	}
	json_object_foreach((json_t *)resources, symbol, source)
	{
		like.source = source;
		like.symbol = symbol;
		like.place = budget_place(frame->budget, place, symbol, 0);
		if (!add_resource(frame, queue, &like))
			return false;
	}
	return place;
}

static bool add_children(struct template_entry *entry, struct ready_queue *queue)
{
	struct budget *budget = entry->frame->budget;
	const json_t *resources = value_member(budget, entry->source, "resources");

	if (!resources || json_is_null(resources) || budget_has_failed(budget))
		return !budget_has_failed(budget);
	if (!json_is_array(resources) && !json_is_object(resources))
		return budget_fail_at(budget, "resources", "it is an array of resources, not %s",
				      value_kind(resources));
	return add_resources(entry->frame, queue, resources, entry->place,
			     &(struct template_entry){.parent = entry, .loops = entry->loops});
}

/* ---- dependencies ---- */

const struct name_row *entries_find(struct template_frame *frame, const char *text)
{
	return names_find(frame->budget, &frame->targets, text);
}

/* A resource does not wait for itself if another one has the same name. */
static bool wait_for_name(struct template_entry *entry, const char *text)
{
	struct budget *budget = entry->frame->budget;
	const struct name_row *row = entries_find(entry->frame, text), *first = row;

	if (!row)
		return budget_fail(budget, "The resource '%s' is not defined in the template",
				   text);
	for (; row; row = names_next(row)) {
		if (row->item == &entry->target && (row != first || names_next(row)))
			continue;
		if (!budget_steps(budget, 1) || !awaited_wait(budget, &entry->target, row->item))
			return false;
	}
	return true;
}

static bool read_depends_on(struct template_entry *entry)
{
	struct budget *budget = entry->frame->budget;
	struct scope scope = entry_scope(entry);
	const json_t *names;
	struct template_place here, element;
	json_t *name;
	size_t i;

	names = source_member(&scope, entry->source, "dependsOn");
	if (!names)
		return !budget_has_failed(budget);
	budget_at(budget, &here, "dependsOn");
	if (!json_is_array(names) && !json_is_null(names))
		return budget_fail(budget, "it is an array of resources, not %s",
				   value_kind(names));
	json_array_foreach((json_t *)names, i, name)
	{
		budget_at_index(budget, &element, i);
		if (!json_is_string(name))
			return budget_fail(budget,
					   "it is the id, the name or the symbol of a resource, "
					   "not %s",
					   value_kind(name));
		if (!wait_for_name(entry, json_string_value(name)))
			return false;
		budget_back(budget, &element);
	}
	budget_back(budget, &here);
	return true;
}

bool entries_read(struct template_frame *frame, struct ready_queue *queue)
{
	struct budget *budget = frame->budget;
	const json_t *resources;

	budget->place = frame->place;
	resources = value_member(budget, frame->source, "resources");
	frame->last_entry = &frame->first_entry;
	frame->is_symbolic = json_is_object(resources);
	if (!json_is_array(resources) && !json_is_object(resources))
		return budget_fail(budget,
				   "a template has 'resources': an array, or with languageVersion "
				   "2.0 an object of symbolic names");
	if (!add_resources(frame, queue, resources, frame->place,
			   &(struct template_entry){.loops = frame->loops}))
		return false;
	for (struct template_entry *entry = frame->first_entry; entry; entry = entry->next) {
		if (entry->target.is_done)
			continue;
		budget->place = entry->place;
		if ((entry->parent &&
		     !awaited_wait(budget, &entry->target, &entry->parent->target)) ||
		    !read_depends_on(entry))
			return false;
		ready_queue_put(queue, &entry->target);
	}
	budget->place = frame->place;
	return true;
}
