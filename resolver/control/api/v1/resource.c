/* /v1/KIND/GROUP/NAME[/KIND/NAME]: resources of every kind (resource/kind.h), by one set of
 * handlers. Lists are in v1/list.c, the bodies of changes in v1/body.c.
 *
 *     GET      one resource; or a list of a group, or of all groups, page by page
 *     PUT      creates or replaces it
 *     PATCH    changes the members in the body; null removes one (RFC 7396)
 *     DELETE   removes it, with all that is inside it
 *
 * A body has the keys of the configuration file, by the field table. A resource that a file
 * declares is shown with its file and line, and can be changed there only. */
#include <strings.h>

#include "resolver/control/api/precondition.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/resource/address_edits.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/schema/schema.h"

/* ---- paths ---- */

const char *resource_group(struct api_request *request, const struct path *path,
			   char why[PART_WHY_MAX])
{
	const struct path root = part_root(path);
	char others[PART_WHY_MAX];
	const char *group;
	const void *item;

	if (strcmp(path->group, GROUP_ANY) != 0)
		return path->group;
	item = part_named(api_model(request), root.kind, root.names[0]);
	if (!item && part_namesakes(api_model(request), root.kind, root.names[0], others) > 1) {
		snprintf(why, PART_WHY_MAX,
			 "there is more than one %s \"%.80s\"; give its group: %.300s",
			 kind_field(root.kind)->group->name, root.names[0], others);
		return NULL;
	}
	group = item ? arena_strdup(&request->arena, part_group(root.kind, item)) : NULL;
	return group ? group : GROUP_NONE; /* without memory: not found */
}

void resource_fail_kind(struct api_request *request)
{
	api_fail(request, 404, NULL,
		 "there is nothing at this path; the kinds of resources are in "
		 "/v1/schema");
}

/* Sets path->group; NULL is for a list of all groups. False: the path's group is GROUP_ANY, and
 * several groups have an item of that name; the request has been answered. */
static bool read_group(struct api_request *request, struct path *path)
{
	bool is_list = *path->names[0] == '\0';
	char why[PART_WHY_MAX];

	if (is_list && (*path->group == '\0' || strcmp(path->group, GROUP_ANY) == 0)) {
		path->group = NULL;
	} else if (!is_list) {
		path->group = resource_group(request, path, why);
		if (!path->group)
			api_fail(request, 400, "invalid", "%s", why);
		return path->group;
	}
	return true;
}

/* The path of an item beside the model, from the route's parameters. */
static struct path owned_path(const struct api_request *request, const struct kind *kind)
{
	const char *group = api_parameter(request, "group");
	bool is_ptr = kind->id == KIND_PTR;

	return (struct path){kind,
			     *group ? group : GROUP_NONE,
			     {api_parameter(request, is_ptr ? "id" : "name"), NULL}};
}

static bool read_owned_path(struct api_request *request, const struct kind *kind, struct path *path)
{
	bool has_group = *api_parameter(request, "group") != '\0';

	*path = owned_path(request, kind);
	if (kind->id == KIND_PTR && has_group)
		resource_fail_kind(request);
	else if (strcmp(path->group, GROUP_NONE) != 0 && !kind_has_groups(kind))
		api_fail(request, 404, "not_found", "%s; write \"-\", none, in place of \"%.80s\"",
			 kind->id == KIND_GROUP ? "a group is in no other"
						: "a service is in no resource group",
			 path->group);
	else
		return true;
	return false;
}

bool resource_read_path(struct api_request *request, struct path *path)
{
	const char *child = api_parameter(request, "child"), *collection = api_segment(request, 1);
	const struct kind *kind = kind_beside(collection);

	if (kind && (*child == '\0' || kind->id == KIND_PTR))
		return read_owned_path(request, kind, path);
	kind = kind_of_collection(NULL, collection);
	*path = (struct path){.group = api_parameter(request, "group")};
	path->names[0] = api_parameter(request, "name");
	path->kind = kind && *child != '\0' ? kind_of_collection(kind, child) : kind;
	if (*child != '\0')
		path->names[1] = api_parameter(request, "child_name");
	if (!path->kind)
		resource_fail_kind(request);
	else if (path->kind->guarded && request->role != ROLE_ADMIN)
		api_fail(request, 403, NULL,
			 "this client is a reader; %s are shown to administrators alone",
			 path->kind->collection);
	else if (part_normalize(api_model(request), path, &request->arena) != 0)
		api_fail_memory(request);
	else
		return read_group(request, path);
	return false;
}

/* ---- finding ---- */

/* Finds the resource, served or not. ERR_NOT_FOUND; ERR_INVALID: it cannot be read, `error` says
 * why. */
static int find(const struct api_request *request, const struct path *path, struct arena *arena,
		struct item *item, struct change_error *error)
{
	struct resources *resources = api_resources(request);
	int err = items_of(path->kind)->find(resources, path, arena, item, error);

	if (err != ERR_NOT_FOUND || !request->service->load.passed_over)
		return err;
	return item_find_unserved(resources, path, arena, item, error);
}

/* Finds the resource, unless the model made it by itself. */
static int find_named(const struct api_request *request, const struct path *path,
		      struct arena *arena, struct item *item, struct change_error *error)
{
	error->outcome = CHANGE_FINE;
	return item_made_because(api_model(request), path)
		       ? ERR_NOT_FOUND
		       : find(request, path, arena, item, error);
}

/* Answers that there is no such address, service, PTR or group. */
static void fail_missing_owned(struct api_request *request, const struct path *path)
{
	bool has_group = path->group && strcmp(path->group, GROUP_NONE) != 0;
	bool sets = strcmp(request->method, "PUT") == 0 || strcmp(request->method, "PATCH") == 0;
	const char *name = path->names[0];

	switch (path->kind->id) {
	case KIND_PTR:
		api_fail(request, 404, "not_found",
			 "\"%.80s\" is not an address or id that we own; %s", name,
			 sets ? "add the address first, or give --make (HTTP: ?make=true) where "
				"an address pool has it"
			      : "the list of PTRs has all");
		break;
	case KIND_SERVICE:
		api_fail(request, 404, "not_found",
			 "there is no cloud service \"%.80s\"; the list of services has all", name);
		break;
	case KIND_GROUP:
		api_fail(request, 404, "not_found", "there is no resource group \"%.90s\"", name);
		break;
	default:
		api_fail(request, 404, "not_found",
			 "there is no address \"%.80s\" %s%.90s%s; the list of addresses has "
			 "all, with their groups",
			 name,
			 has_group ? "in the resource group \"" : "outside the resource groups",
			 has_group ? path->group : "", has_group ? "\"" : "");
	}
}

void resource_fail_missing(struct api_request *request, const struct path *path)
{
	const struct path root = part_root(path);
	const struct kind *kind = path->kind;
	bool grouped = path->group && strcmp(path->group, GROUP_NONE) != 0;
	char text[PART_WHY_MAX];

	if (kind_is_beside(kind))
		fail_missing_owned(request, path);
	else if (kind->parent && !part_is_elsewhere(api_model(request), path))
		api_fail(request, 404, "not_found",
			 "there is no %s \"%.80s\" in the %s \"%s%s%.80s\"",
			 kind_field(kind)->group->name, path_name(path),
			 kind_field(kind->parent)->group->name, grouped ? path->group : "",
			 grouped ? "/" : "", path->names[0]);
	else
		api_fail(request, 404, "not_found", "%s",
			 part_missing(api_model(request), &root, text));
}

/* ---- showing ---- */

void api_resource_show(struct api_request *request)
{
	struct change_error error;
	char etag[ETAG_MAX];
	struct path path;
	struct item item;
	json_t *shown;
	int err;

	if (!resource_read_path(request, &path))
		return;
	err = find(request, &path, &request->arena, &item, &error);
	if (err == ERR_NOT_FOUND) {
		resource_fail_missing(request, &path);
	} else if (err) {
		api_fail_change(request, &error);
	} else {
		shown = items_of(path.kind)->show(api_resources(request), &item, etag);
		api_reply_json(request, 200, shown, etag);
	}
}

void api_schema(struct api_request *request)
{
	json_t *array = json_array();

	for (size_t i = 0; i < KINDS_ALL; i++) {
		const struct kind *kind = &kinds[i];

		json_add(array, json_make("{s:s, s:s, s:o, s:s, s:b, s:b, s:o}", "name", kind->name,
					  "collection", kind->collection, "parent",
					  json_text(kind->parent ? kind->parent->name : NULL),
					  "name_key", kind_name_key(kind), "groups",
					  !kind->parent && kind_has_groups(kind), "guarded",
					  kind->guarded, "schema", values_schema(kind)));
	}
	api_reply_json(request, 200, json_make("{s:o}", "kinds", array), NULL);
}

/* ---- may it be changed? ---- */

json_t *resource_warnings(const struct faults *faults, const char *path, size_t checked)
{
	json_t *array = json_array();

	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		const char *at = fault->origin.path ? fault->origin.path : "";
		char text[API_TEXT_MAX];

		if (fault->severity != FAULT_WARNING ||
		    (i < checked && strncmp(at, path, strlen(path)) != 0))
			continue;
		snprintf(text, sizeof text, "%s%s%s", at, *at ? ": " : "", fault->text);
		json_add(array, json_text(text));
	}
	return array;
}

/* A title such as: rule "contoso" of ruleset "dev/lab" */
static const char *title_of(const struct path *path, struct arena *arena)
{
	bool grouped = path->group && strcmp(path->group, GROUP_NONE) != 0;
	const struct kind *parent = path->kind->parent;
	const char *own = kind_field(path->kind)->group->name;
	const char *group = grouped ? path->group : "", *slash = grouped ? "/" : "";

	if (!parent)
		return arena_printf(arena, "%s \"%s%s%s\"", own, group, slash, path->names[0]);
	return arena_printf(arena, "%s \"%s\" of %s \"%s%s%s\"", own, path->names[1],
			    kind_field(parent)->group->name, group, slash, path->names[0]);
}

/* Refuses to create a resource that exists; the text names the resource and the request that would
 * work. */
static void say_taken(const struct path *path, const struct item *item, struct change_error *error)
{
	bool is_ptr = path->kind->id == KIND_PTR;
	const struct path *own = is_ptr ? path : &item->path;
	struct arena arena;
	const char *title;

	arena_init(&arena);
	title = title_of(own, &arena);
	if (!title)
		change_no_memory(error);
	else if (item->origin.file)
		change_say(error, CHANGE_STALE, NULL,
			   "there is one already: %s, at %s:%u; change it there, and reload", title,
			   item->origin.file, item->origin.line);
	else
		change_say(error, CHANGE_STALE, NULL,
			   "there is one already: %s, in the state; set it instead of creating it "
			   "(HTTP: PATCH)%s",
			   title, is_ptr ? "" : ", or choose another name");
	arena_release(&arena);
}

/* Wraps precondition_check; item NULL: the resource does not exist. */
static bool check_precondition(const struct api_request *request, const struct path *path,
			       const struct item *item, const char *if_match,
			       const char *if_none_match, struct change_error *error)
{
	char text[PRECONDITION_TEXT_MAX], etag[ETAG_MAX], *now = NULL;

	if (!if_match && !if_none_match)
		return true;
	/* GET of a missing PTR shows the etag of its address, so If-Match may name that. */
	if (item && (!item->is_absent || if_match))
		now = items_of(path->kind)->etag(api_resources(request), path->kind, item, etag);
	if (precondition_check(now, if_match, if_none_match, text) == 0)
		return true;
	if (item && precondition_check(now, if_match, NULL, text) == 0)
		say_taken(path, item, error);
	else
		change_say(error, CHANGE_STALE, NULL, "%s", text);
	return false;
}

bool resource_may_change(const struct api_request *request, const struct path *path, bool removes,
			 const char *if_match, const char *if_none_match,
			 struct change_error *error)
{
	struct arena arena;
	struct item item;
	bool may = false;
	int err;

	arena_init(&arena);
	err = find_named(request, path, &arena, &item, error);
	if (!err || err == ERR_NOT_FOUND)
		may = check_precondition(request, path, err ? NULL : &item, if_match, if_none_match,
					 error);
	if (may)
		may = item_may_change(api_model(request), path, err ? NULL : item.fields,
				      removes && !err, error);
	arena_release(&arena);
	return may;
}

/* False: it must not be changed, and the request has been answered. */
static bool may_change(struct api_request *request, const struct path *path)
{
	struct change_error error;

	if (resource_may_change(request, path, strcmp(request->method, "DELETE") == 0,
				request->if_match, request->if_none_match, &error))
		return true;
	api_fail_change(request, &error);
	return false;
}

/* ---- reading a change ---- */

struct resource_operation {
	struct api_edit edit; /* first */
	enum edit_method method;
	struct path path; /* the request's path */
	bool there;       /* it existed before */
	json_t *shown;    /* of a dry run: the resource as it would be */
};

static struct resource_operation *operation_of(struct api_edit *edit)
{
	return (struct resource_operation *)edit;
}

static void operation_free(struct api_edit *edit)
{
	struct resource_operation *operation = operation_of(edit);

	json_decref(operation->shown);
	free(operation);
}

static void fail_made(struct api_request *request, const char *because)
{
	struct change_error error;

	change_say(&error, CHANGE_READ_ONLY, NULL,
		   "nobody named it: it is made because %s; make one of your own, and it goes",
		   because);
	api_fail_change(request, &error);
}

/* Finds the resource, served or not. False: there is none to change, and the request has been
 * answered. */
static bool find_to_change(struct api_request *request, struct resource_operation *operation)
{
	const struct path *path = &operation->path;
	const struct kind *kind = path->kind;
	struct change_error error;
	const char *because;
	struct item item;
	int err = find_named(request, path, &request->arena, &item, &error);

	operation->there = !err && !item.is_absent;
	if (!err || (operation->method == EDIT_PUT && kind->id != KIND_PTR &&
		     !(kind->parent && part_is_elsewhere(api_model(request), path))))
		return true;
	because = item_made_because(api_model(request), path);
	if (err != ERR_NOT_FOUND)
		api_fail_change(request, &error);
	else if (because)
		fail_made(request, because);
	else
		resource_fail_missing(request, path);
	return false;
}

/* A title for the log, which lives as long as the request. */
static const char *title_of_owned(struct api_request *request, const struct path *path)
{
	const struct owned_resource *resource = addresses_find(api_resources(request), path);
	const char *text =
		resource ? api_address_title(request, resource)
			 : arena_printf(&request->arena, "resource group %s", path->names[0]);

	return text ? text : path->names[0];
}

/* False: there is no PTR, and the request has been answered. */
static bool read_removal(struct resource_operation *operation)
{
	struct api_request *request = operation->edit.request;
	struct change_error error;

	if (kind_is_beside(operation->path.kind))
		operation->edit.was = title_of_owned(request, &operation->path);
	if (operation->path.kind->id != KIND_PTR || operation->there)
		return true;
	change_say(&error, CHANGE_NOT_FOUND, NULL, "it has no PTR");
	api_fail_change(request, &error);
	return false;
}

static bool read_operation(struct api_edit *edit, struct path *path, json_t **values)
{
	struct resource_operation *operation = operation_of(edit);
	struct api_request *request = edit->request;

	*path = operation->path;
	if (!find_to_change(request, operation) || !may_change(request, path))
		return false;
	if (operation->method != EDIT_DELETE)
		return resource_read_body(edit, operation->method == EDIT_PATCH, path, values);
	*values = json_null();
	return read_removal(operation);
}

/* ?make: if the address of the PTR does not exist, turns the request into one for a new address
 * with this body. False: that is not possible, and the request has been answered. */
static bool make_missing(struct api_request *request, struct path *path, enum edit_method *method)
{
	const char *asked = path->names[0];
	char why[ADDRESSES_WHY_MAX];
	bool makes;
	int err;

	if (!api_query_flag(request, "make", &makes))
		return false;
	if (!makes || path->kind->id != KIND_PTR || *method == EDIT_DELETE ||
	    !json_is_object(request->body) || addresses_find(api_resources(request), path) ||
	    resources_trouble(api_resources(request)))
		return true;
	err = addresses_make(api_resources(request), api_model(request), asked, path, request->body,
			     &request->arena, why);
	*method = EDIT_PUT;
	if (err == ERR_NOMEM)
		api_fail_memory(request);
	else if (err)
		api_fail(request, err == ERR_EXISTS ? 409 : 404,
			 err == ERR_EXISTS ? "conflict" : "not_found", "%s", why);
	return !err;
}

/* ---- answering a change ---- */

/* Adds defaults to values of a body that were found valid. */
static json_t *completed(const struct path *path, const json_t *values, struct arena *arena)
{
	const struct kind *kind = path->kind;
	static const struct origin origin;
	void *item = arena_alloc(arena, kind_field(kind)->group->size);
	struct faults unused;
	json_t *printed = NULL;

	faults_init(&unused);
	if (item)
		values_read(kind, values, item, &origin, arena, &unused);
	if (item && unused.errors == 0)
		printed = values_print(kind, path->group, item);
	faults_release(&unused);
	return printed;
}

/* Shows the resource as the change made it, or, in a dry run, would make it. If the model does not
 * serve the resource, the edit's values are shown, with defaults, and the item has no fields. NULL:
 * no memory, or the resource cannot be read. */
static json_t *show_made(const struct resource_operation *operation, struct item *item,
			 char etag[ETAG_MAX])
{
	struct api_request *request = operation->edit.request;
	const struct path *path = &operation->path;
	const struct item_calls *items = items_of(path->kind);
	struct change_error unused;
	char url[PATH_URL_MAX];
	json_t *shown;

	*etag = '\0';
	if (items->find(api_resources(request), path, &request->arena, item, &unused) == 0)
		return items->show(api_resources(request), item, etag);
	*item = (struct item){.fields = NULL};
	if (kind_is_beside(path->kind))
		return NULL;
	shown = completed(path, operation->edit.values, &request->arena);
	json_put(shown, "path", json_text(path_url(path, url)));
	return shown;
}

/* Leaves out the etag: a change made in the meantime could get the same one. */
static void look(struct api_edit *edit)
{
	struct resource_operation *operation = operation_of(edit);
	char etag[ETAG_MAX];
	struct item item;

	json_decref(operation->shown);
	operation->shown = show_made(operation, &item, etag);
	json_object_del(operation->shown, "etag");
}

static void fail_unseen(struct api_request *request)
{
	if (!api_could_not_read(request))
		api_fail_memory(request);
}

/* Answers with the resource as it would be, or, if nothing changes, as it is. */
static void answer_rehearsed(struct resource_operation *operation, const struct api_made *made,
			     json_t *warnings)
{
	struct api_request *request = operation->edit.request;
	char etag[ETAG_MAX];
	struct item item;

	if (made->change->count == 0)
		operation->shown = show_made(operation, &item, etag);
	if (!operation->shown) {
		json_decref(warnings);
		fail_unseen(request);
		return;
	}
	if (warnings)
		json_put(operation->shown, "warnings", warnings);
	api_reply_json(request, 200, json_incref(operation->shown), NULL);
}

enum { RESOURCE_SHOWN_MAX = 2048 }; /* bytes of a log line for readers, with path and revision */

static void log_revision(const struct resource_operation *operation, uint64_t revision)
{
	char shown[RESOURCE_SHOWN_MAX];
	struct arena arena;
	const char *text, *done = operation->method == EDIT_DELETE ? "removed" : "set";

	arena_init(&arena);
	text = path_text(&operation->path, &arena);
	snprintf(shown, sizeof shown, "revision %llu: %s %s", (unsigned long long)revision,
		 text ? text : "", done);
	log_event_guarded(LOG_INFO, "change", operation->path.kind->guarded ? NULL : shown,
			  "revision %llu by %s: %s %s", (unsigned long long)revision,
			  operation->edit.request->who, text ? text : "", done);
	arena_release(&arena);
}

/* `makes`: the resource did not exist before. */
static void log_made(const struct resource_operation *operation, const struct api_made *made,
		     bool makes)
{
	struct api_request *request = operation->edit.request;
	const struct path *path = &operation->path;

	if (!kind_is_beside(path->kind))
		log_revision(operation, made->change->revision);
	else if (operation->method == EDIT_DELETE)
		api_log_change(request, path->kind->id == KIND_PTR ? "PTR removed" : "removed",
			       operation->edit.was);
	else
		api_log_change(request, makes ? "made" : "changed", title_of_owned(request, path));
}

/* Answers 204, or 200 with warnings about items that cannot be served without the resource. */
static void answer_gone(struct api_request *request, const struct faults *faults, size_t checked)
{
	const struct faults served = {.items = faults->items + checked,
				      .count = faults->count - checked};
	json_t *warnings = resource_warnings(&served, "", 0);

	if (json_array_size(warnings) > 0) {
		api_reply_json(request, 200, json_make("{s:o}", "warnings", warnings), NULL);
		return;
	}
	json_decref(warnings);
	api_reply_empty(request, 204);
}

/* An answer with a resource as the request has made it, even if another client changes it
 * meanwhile. An answer about an address, service or PTR waits until every worker serves the change;
 * if the body has a reverse name, it first waits for the check whether that name leads back, which
 * may add a warning. */
struct resource_answer {
	struct api_wait wait;
	struct api_request *request;
	struct path path;
	unsigned status;
	json_t *shown;    /* the resource as it was made */
	json_t *warnings; /* an array; NULL: the kind has none */
	char etag[ETAG_MAX];
};

static void send_answer(struct resource_answer *answer)
{
	if (answer->warnings)
		json_put(answer->shown, "warnings", answer->warnings);
	api_reply_json(answer->request, answer->status, answer->shown,
		       *answer->etag ? answer->etag : NULL);
	free(answer);
}

/* Shows the PTR's present status, unless the resource has changed since. */
static void on_served(struct api_wait *wait)
{
	struct resource_answer *answer = container_of(wait, struct resource_answer, wait);
	struct api_request *request = answer->request;
	const struct item_calls *items = items_of(answer->path.kind);
	struct change_error unused;
	char etag[ETAG_MAX];
	struct item item;

	if (find(request, &answer->path, &request->arena, &item, &unused) == 0 &&
	    etag_same_version(answer->etag, items->etag(api_resources(request), answer->path.kind,
							&item, etag))) {
		json_decref(answer->shown);
		answer->shown = items->show(api_resources(request), &item, answer->etag);
	}
	send_answer(answer);
}

static void on_forward_known(void *context, const char *warning)
{
	struct resource_answer *answer = context;

	if (warning)
		json_add(answer->warnings, json_text(warning));
	api_await_served(answer->request, &answer->wait);
}

/* `owned`: the address or service, with or without a PTR; NULL: the resource is of another kind. */
static void finish_answer(struct resource_answer *answer, const struct owned_resource *owned)
{
	struct api_request *request = answer->request;

	answer->wait.on_served = on_served;
	if (!owned)
		send_answer(answer);
	else if (json_object_get(request->body, "reverse_fqdn"))
		api_check_forward(request->service, owned, on_forward_known, answer);
	else
		on_forward_known(answer, NULL);
}

/* Takes ownership of the warnings. */
static void answer_made(struct resource_operation *operation, const struct api_made *made,
			json_t *warnings)
{
	struct api_request *request = operation->edit.request;
	struct resource_answer *answer = calloc(1, sizeof *answer);
	struct item item;
	bool makes;

	if (!answer) {
		json_decref(warnings);
		api_fail_memory(request);
		return;
	}
	answer->request = request;
	answer->path = operation->path;
	answer->shown = show_made(operation, &item, answer->etag);
	if (!answer->shown) {
		json_decref(warnings);
		free(answer);
		fail_unseen(request);
		return;
	}
	makes = !operation->there && !item.is_absent;
	log_made(operation, made, makes);
	answer->status = makes ? 201 : 200;
	answer->warnings = warnings;
	finish_answer(answer, item.owned);
}

/* The warnings of the change, an array; NULL: changes of resource groups have none. */
static json_t *warnings_of(const struct resource_operation *operation, const struct api_made *made)
{
	const char *text;

	if (operation->path.kind->id == KIND_GROUP)
		return NULL;
	text = path_text(&operation->path, &operation->edit.request->arena);
	return resource_warnings(made->faults, text ? text : "", made->change->checked);
}

static void answer_operation(struct api_edit *edit, const struct api_made *made)
{
	struct resource_operation *operation = operation_of(edit);

	if (operation->method != EDIT_DELETE && edit->rehearsal) {
		answer_rehearsed(operation, made, warnings_of(operation, made));
	} else if (operation->method != EDIT_DELETE) {
		answer_made(operation, made, warnings_of(operation, made));
	} else {
		if (!edit->rehearsal)
			log_made(operation, made, false);
		answer_gone(edit->request, made->faults, made->change->checked);
	}
}

/* ---- changes ---- */

/* Finds the service that a name is claimed for. */
static const struct owned_resource *find_claimant(const struct api_request *request)
{
	const struct path path = owned_path(request, kind_beside(api_segment(request, 1)));

	return addresses_find(api_resources(request), &path);
}

static void change_resource(struct api_request *request, enum edit_method method)
{
	static const struct api_editor editor = {.read = read_operation,
						 .answer = answer_operation,
						 .free = operation_free,
						 .look = look,
						 .find = find_claimant,
						 .title = "cloud service",
						 .field = "reverse_fqdn",
						 .also = "cloud service or "};
	struct resource_operation *operation;
	struct path path;
	bool dry_run;

	if (!resource_read_path(request, &path) || !api_query_flag(request, "dry_run", &dry_run) ||
	    !make_missing(request, &path, &method))
		return;
	operation = calloc(1, sizeof *operation);
	if (!operation) {
		api_fail_memory(request);
		return;
	}
	operation->edit =
		(struct api_edit){.editor = &editor, .request = request, .rehearsal = dry_run};
	operation->method = method;
	operation->path = path;
	api_edit(&operation->edit);
}

void api_resource_put(struct api_request *request)
{
	change_resource(request, EDIT_PUT);
}

void api_resource_patch(struct api_request *request)
{
	change_resource(request, EDIT_PATCH);
}

void api_resource_delete(struct api_request *request)
{
	change_resource(request, EDIT_DELETE);
}
