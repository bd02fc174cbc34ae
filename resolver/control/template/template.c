/* A template is read from the outside in. Resources go into a queue when everything they wait for
 * is done; a round takes from the queue until all other resources wait for those that the caller
 * makes. A nested deployment is an entry as well: when its turn comes, its template is read, and
 * its resources go into the same queue. So nothing here recurses, however templates are nested.
 *
 * A resource with a reference() to an unfinished one is put back: it then waits for the unfinished
 * one too, and is evaluated again. */
#include "resolver/control/template/template.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/template/entry.h"
#include "resolver/control/template/secrets.h"
#include "resolver/control/template/source.h"
#include "resolver/control/template/value.h"
#include "rules/text.h"

struct template
{
	struct budget budget;
	const struct template_scope *deployed;
	struct name_table expressions, found;
	struct ready_queue queue;
	struct template_frame *root, **last_frame;
	size_t frames;
	const struct template_resource **given; /* in this round */
	struct awaited **given_targets;         /* the targets of `given` */
	size_t given_count;
	bool is_over;
};

static int failure(const struct template *template, struct template_error *error)
{
	*error = template->budget.error;
	return error->trouble == TEMPLATE_NO_MEMORY ? ERR_NOMEM : ERR_INVALID;
}

static struct template_frame *new_frame(struct template *template, const json_t *source,
					const struct template_place *place)
{
	struct template_frame *frame = budget_alloc(&template->budget, sizeof *frame);

	if (!frame)
		return NULL;
	*frame = (struct template_frame){.budget = &template->budget,
					 .number = template->frames,
					 .deployed = template->deployed,
					 .source = source,
					 .place = place,
					 .language = frame,
					 .expressions = &template->expressions,
					 .found = &template->found};
	*template->last_frame = frame;
	template->last_frame = &frame->next;
	template->frames++;
	return frame;
}

/* ---- nested deployments ---- */

/* *is_outer: the nested template's expressions use the parameters and variables of the template
 * around it. */
static bool read_expression_scope(const struct scope *scope, const json_t *properties,
				  bool *is_outer)
{
	static const char member[] = "expressionEvaluationOptions";
	struct budget *budget = scope->budget;
	const json_t *options = value_member(budget, properties, member);
	struct template_place here;
	const char *text;
	bool fine;

	if (options && !json_is_object(options) && !json_is_null(options))
		return budget_fail_at(budget, member,
				      "it is an object such as {\"scope\": \"inner\"}, not %s",
				      value_kind(options));
	budget_at(budget, &here, member);
	fine = source_text(scope, options, "scope", &text);
	*is_outer = fine && (!text || strcasecmp(text, "outer") == 0 ||
			     strcasecmp(text, "notSpecified") == 0);
	if (fine && !*is_outer && strcasecmp(text, "inner") != 0)
		fine = budget_fail_at(budget, "scope",
				      "the scope of expressions is 'inner' or 'outer', not '%s'",
				      text);
	budget_back(budget, &here);
	return fine;
}

/* Accepts only the mode Incremental in a nested deployment: Complete, which removes resources that
 * are in no template, is for the outermost one. */
static bool check_mode(const struct scope *scope, const json_t *properties)
{
	const char *mode;

	if (!source_text(scope, properties, "mode", &mode))
		return false;
	if (!mode || strcasecmp(mode, "Incremental") == 0)
		return true;
	if (strcasecmp(mode, "Complete") == 0)
		return budget_fail_at(
			scope->budget, "mode",
			"a deployment within a template is 'Incremental': give the mode "
			"'Complete' to the outermost deployment, whose template has this one");
	return budget_fail_at(
		scope->budget, "mode",
		"the mode is 'Incremental', or of the outermost deployment 'Complete', not "
		"'%s'",
		mode);
}

static bool check_deployment(const struct scope *scope, const json_t *properties)
{
	static const char *const refused[] = {"templateLink", "parametersLink", NULL};
	struct budget *budget = scope->budget;

	if (!json_is_object(properties))
		return budget_fail(budget,
				   "a deployment has 'properties', an object with a 'template', "
				   "not %s",
				   value_kind(properties));
	for (const char *const *name = refused; *name; name++)
		if (value_member(budget, properties, *name))
			return budget_fail(budget,
					   "'%s' is not supported here: put what it leads to into "
					   "the deployment itself",
					   *name);
	if (!value_member(budget, properties, "template"))
		return budget_fail(budget, "a deployment has a 'template' in its 'properties'");
	return !budget_has_failed(budget) && check_mode(scope, properties);
}

/* *given: {"NAME": {"value": ...}}; NULL: none. False: the budget has failed, or is waiting. */
static bool read_given(const struct scope *scope, const json_t *properties, const json_t **given)
{
	struct budget *budget = scope->budget;

	*given = source_member(scope, properties, "parameters");
	if (*given && !json_is_object(*given) && !json_is_null(*given))
		return budget_fail_at(budget, "parameters",
				      "it is an object: {\"NAME\": {\"value\": ...}}, not %s",
				      value_kind(*given));
	return !budget_has_failed(budget) && !budget->is_waiting;
}

static struct template_frame *new_inner(struct template *template, struct template_entry *entry,
					const json_t *properties, bool is_outer)
{
	struct budget *budget = &template->budget;
	struct template_frame *outer = entry->frame, *inner;
	const struct template_place *place = budget_place(
		budget, budget_place(budget, entry->place, "properties", 0), "template", 0);
	struct scope scope = entry_scope(entry);
	const char *subscription;

	if (outer->depth + 1 > TEMPLATE_DEPTH_MAX)
		return budget_fail_as(budget, TEMPLATE_LIMIT,
				      "templates are nested more than %d deep; make it flatter",
				      TEMPLATE_DEPTH_MAX);
	if (!source_text(&scope, entry->source, "subscriptionId", &subscription) || !place)
		return NULL;
	inner = new_frame(template, value_member(budget, properties, "template"), place);
	if (!inner)
		return NULL;
	inner->entry = entry;
	inner->depth = outer->depth + 1;
	inner->name = entry->name;
	inner->group = entry->group;
	inner->subscription = subscription ? subscription : outer->subscription;
	if (is_outer) {
		inner->language = outer->language;
		inner->loops = entry->loops;
	}
	return inner;
}

/* Opens the nested template's frame. False: the budget has failed, or is waiting. */
static bool open_deployment(struct template *template, struct template_entry *entry)
{
	struct budget *budget = &template->budget;
	const json_t *properties = value_member(budget, entry->source, "properties");
	struct scope scope = entry_scope(entry);
	struct template_frame *inner;
	struct template_place here;
	const json_t *given;
	bool is_outer = true;

	budget_at(budget, &here, "properties");
	scope.entry = entry;
	scope.may_refer = true;
	if (!check_deployment(&scope, properties) ||
	    !read_expression_scope(&scope, properties, &is_outer) ||
	    !read_given(&scope, properties, &given))
		return false;
	inner = new_inner(template, entry, properties, is_outer);
	if (!inner || !frame_open(inner, is_outer ? NULL : given) ||
	    !entries_read(inner, &template->queue))
		return false;
	entry->inner = inner;
	for (struct template_entry *at = inner->first_entry; at; at = at->next)
		if (!awaited_wait(budget, &entry->target, &at->target))
			return false;
	return true;
}

/* Ends a nested deployment whose resources are done. */
static bool close_deployment(struct template_entry *entry)
{
	struct scope scope = frame_scope(entry->inner);

	scope.entry = entry;
	scope.may_refer = true;
	entry->inner->outputs = frame_outputs(&scope);
	return entry->inner->outputs;
}

/* True: the deployment is done. */
static bool go_on_with_deployment(struct template *template, struct template_entry *entry)
{
	if (!entry->inner && !open_deployment(template, entry))
		return false;
	return entry->target.waits == 0 && close_deployment(entry);
}

/* ---- resources ---- */

static bool give(struct template *template, struct template_entry *entry)
{
	static const char *const ours[] = {
		"@options",  "apiVersion",    "asserts",   "comments", "condition",      "copy",
		"dependsOn", "existing",      "extension", "import",   "metadata",       "name",
		"provider",  "resourceGroup", "resources", "scope",    "subscriptionId", "type",
		NULL};
	struct budget *budget = &template->budget;
	struct template_resource *resource = budget_alloc(budget, sizeof *resource);
	char place[TEMPLATE_TEXT_MAX];
	struct scope scope = entry_scope(entry);
	size_t size;

	scope.entry = entry;
	scope.may_refer = true;
	if (!resource)
		return false;
	budget_print_place(entry->place, place, sizeof place);
	*resource = (struct template_resource){.id = entry->id,
					       .type = entry->type,
					       .name = entry->name,
					       .group = entry->group,
					       .place = budget_printf(budget, "%s", place),
					       .only_if_absent = entry->only_if_absent,
					       .deployment = entry->frame->number,
					       .body = value_object(budget)};
	if (!resource->place || !resource->body ||
	    !source_members(&scope, entry->source, ours, resource->body) ||
	    !value_measure(budget, resource->body, &size))
		return false;
	template->given_targets[template->given_count] = &entry->target;
	template->given[template->given_count++] = resource;
	return true;
}

/* ---- rounds ---- */

static void name_circle(struct budget *budget, const struct awaited *target)
{
	const char *id = target->entry ? target->entry->id : NULL;
	char others[TEMPLATE_TEXT_MAX / 2] = "";
	const struct awaited *at = target;

	do {
		if (at->entry && !id)
			id = at->entry->id;
		else if (at->entry && at->entry->id != id)
			text_append(others, sizeof others, "%s'%s'",
				    others[0] != '\0' ? ", " : "; it leads over ", at->entry->id);
		if (at->entry && at->entry->id == id)
			budget->place = at->entry->place;
		at = at->next;
	} while (at && at != target);
	budget_fail(budget, "Circular dependency detected on resource: '%s'%s", id ? id : "",
		    others);
}

/* Makes `next` of the target's waiters point to it. The ready queue is empty, so `next` is free. */
static void mark_waiting(struct awaited *target)
{
	for (const struct wait *wait = target->waiting; wait; wait = wait->next)
		wait->waiter->next = target;
}

/* Fails, and names the resources of a circle of dependencies. Nothing is ready, so each unfinished
 * target waits for another one. Makes it point to such a target; following these pointers leads
 * into a circle. */
static void fail_circle(struct template *template)
{
	struct awaited *at = NULL;

	for (struct template_frame *frame = template->root; frame; frame = frame->next)
		for (struct template_entry *entry = frame->first_entry; entry;
		     entry = entry->next) {
			if (entry->copy && !entry->copy->is_done)
				mark_waiting(entry->copy);
			if (entry->target.is_done)
				continue;
			mark_waiting(&entry->target);
			at = &entry->target;
		}
	for (size_t i = 0; at && i < template->queue.unfinished; i++)
		at = at->next;
	if (at)
		name_circle(&template->budget, at);
	else
		budget_fail(&template->budget, "Circular dependency detected");
}

static bool take_ready(struct template *template)
{
	struct budget *budget = &template->budget;
	struct awaited *target;
	bool is_done;

	while ((target = ready_queue_take(&template->queue))) {
		struct template_entry *entry = target->entry;
		const struct template_place *place = entry ? entry->place : template->root->place;

		budget->place = place;
		if (entry && !entry_is_deployment(entry)) {
			is_done = false;
			if (!give(template, entry) && !budget->is_waiting)
				return false;
		} else {
			is_done = !entry || go_on_with_deployment(template, entry);
		}
		budget->is_waiting = false;
		budget->place = place; /* a member that waits leaves the place inside the entry */
		if (budget_has_failed(budget) || !budget_steps(budget, 1))
			return false;
		if (is_done)
			awaited_finish(&template->queue, target);
	}
	return true;
}

static bool finish_given(struct template *template)
{
	for (size_t i = 0; i < template->given_count; i++)
		awaited_finish(&template->queue, template->given_targets[i]);
	template->given_count = 0;
	template->found = (struct name_table){0};
	return !budget_has_failed(&template->budget);
}

int template_round(struct template *template, const struct template_resource *const **resources,
		   size_t *count, struct template_error *error)
{
	struct scope scope;

	*count = 0;
	if (!finish_given(template) || !take_ready(template))
		return failure(template, error);
	if (template->given_count == 0 && template->queue.unfinished > 0)
		fail_circle(template);
	scope = frame_scope(template->root);
	scope.may_refer = true;
	if (template->given_count == 0 && !budget_has_failed(&template->budget) &&
	    !template->is_over) {
		template->root->outputs = frame_outputs(&scope);
		template->is_over = template->root->outputs;
	}
	if (budget_has_failed(&template->budget))
		return failure(template, error);
	*resources = template->given;
	*count = template->given_count;
	return 0;
}

bool template_has(struct template *template, const char *id)
{
	struct budget *budget = &template->budget;

	for (struct template_frame *frame = template->root; frame; frame = frame->next) {
		const struct name_row *row = names_find(budget, &frame->targets, id);

		for (; row && budget_steps(budget, 1); row = names_next(row)) {
			const struct awaited *target = row->item;
			const struct template_entry *entry = target->entry;

			if (entry && !entry->is_off && !entry->is_existing &&
			    strcasecmp(entry->id, id) == 0)
				return true;
		}
	}
	return false;
}

int template_deployments(struct template *template, const struct template_deployment **deployments,
			 size_t *count, struct template_error *error)
{
	struct template_deployment *made =
		budget_alloc(&template->budget, template->frames * sizeof *made);
	size_t i = 0;

	*count = 0;
	if (!template->is_over)
		budget_fail(&template->budget, "its resources are not made yet");
	if (budget_has_failed(&template->budget) || !made)
		return failure(template, error);
	for (const struct template_frame *frame = template->root; frame; frame = frame->next)
		made[i++] = (struct template_deployment){
			.name = frame->name,
			.subscription = frame->subscription,
			.group = frame->group,
			.outer = frame->entry ? frame->entry->frame->number : 0,
			.parameters = frame->parameters_shown,
			.outputs = frame->outputs};
	*deployments = made;
	*count = i;
	return 0;
}

char *template_hide_secrets(const struct template *template, const char *text)
{
	return secrets_hide(template->budget.secrets, text);
}

/* ---- making and freeing ---- */

static bool start(struct template *template, const json_t *source, const json_t *given)
{
	struct budget *budget = &template->budget;
	size_t room = (TEMPLATE_RESOURCES_MAX + 1) * sizeof(void *);

	template->root = new_frame(template, source, NULL);
	template->given = budget_alloc(budget, room);
	template->given_targets = budget_alloc(budget, room);
	if (!template->root || !template->given || !template->given_targets)
		return false;
	template->root->name = template->deployed->name;
	template->root->group = template->deployed->group;
	template->root->subscription = template->deployed->subscription;
	return frame_open(template->root, given) && entries_read(template->root, &template->queue);
}

struct template *template_new(const json_t *source, const json_t *given,
			      const struct template_scope *scope, struct template_error *error)
{
	struct template *template = calloc(1, sizeof *template);

	*error = (struct template_error){0};
	if (!template) {
		error->trouble = TEMPLATE_NO_MEMORY;
		snprintf(error->text, sizeof error->text, "%s", err_text(ERR_NOMEM));
		return NULL;
	}
	budget_init(&template->budget);
	template->deployed = scope;
	template->last_frame = &template->root;
	template->queue.last = &template->queue.first;
	if (start(template, source, given))
		return template;
	*error = template->budget.error;
	template_free(template);
	return NULL;
}

void template_free(struct template *template)
{
	if (!template)
		return;
	budget_release(&template->budget);
	free(template);
}
