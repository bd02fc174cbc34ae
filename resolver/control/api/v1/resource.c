/* /v1/KIND/GROUP/NAME[/KIND/NAME]: the resources of every kind (resource/kind.h), by one set of
 * handlers that know none of them by name.
 *
 *     GET      a list, page by page; one
 *     PUT      makes it, or makes it what the body says
 *     PATCH    only what the body names; null takes it away (RFC 7396)
 *     DELETE   with all that is inside it
 *
 * The body is the configuration file's, by the keys of the field table. What a file declares is
 * shown, with where it stands, and can be changed there only. */
#include <strings.h>

#include "resolver/control/api/precondition.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/bulk.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/config/write.h"
#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/inventory_group.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/resource/zone_part.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum { NAME_MAX_BYTES = 1024, LINK_MAX_BYTES = 8 * 1024 };

/* Members that are shown beside the values; in a body they say nothing. */
static const char *const shown_members[] = {"origin", "etag", "warnings", "placed", NULL};

/* ---- which ---- */

static void fail_kind(struct api_request *request)
{
	api_fail(request, 404, NULL,
		 "there is nothing at this path; the kinds of resources are in "
		 "/v1/schema");
}

/* The resource that the path names, or, without the last name, whose list it is. False: there is no
 * such kind, which has been answered. */
static bool read_path(struct api_request *request, struct path *path)
{
	const char *child = api_parameter(request, "child");
	const struct kind *kind = kind_of_collection(NULL, api_parameter(request, "kind"));

	*path = (struct path){.group = api_parameter(request, "group")};
	path->names[0] = api_parameter(request, "name");
	path->kind = kind && *child != '\0' ? kind_of_collection(kind, child) : kind;
	if (*child != '\0')
		path->names[1] = api_parameter(request, "child_name");
	if (!path->kind)
		fail_kind(request);
	else if (*path->group != '\0' && strcmp(path->group, GROUP_NONE) != 0)
		api_fail(request, 404, "not_found",
			 "there is no resource group \"%.80s\" of these kinds; write \"-\", none",
			 path->group);
	else
		return true;
	return false;
}

static const struct model *served(const struct api_request *request)
{
	return request->service->server.model;
}

static void fail_missing(struct api_request *request, const struct path *path)
{
	const struct kind *kind = path->kind;

	if (kind->parent)
		api_fail(request, 404, "not_found", "there is no %s \"%.80s\" in the %s \"%.80s\"",
			 kind_field(kind)->group->name, path_name(path),
			 kind_field(kind->parent)->group->name, path->names[0]);
	else
		api_fail(request, 404, "not_found", "there is no %s \"%.80s\"",
			 kind_field(kind)->group->name, path->names[0]);
}

/* ---- showing ---- */

static json_t *origin_json(const void *item)
{
	struct origin origin = part_origin(item);
	char text[600];

	if (!origin.file)
		return json_null();
	snprintf(text, sizeof text, "%s:%u", origin.file, origin.line);
	return json_text(text);
}

static char *etag_of(const json_t *values, char text[ETAG_MAX])
{
	char *dumped = json_dumps(values, JSON_COMPACT | JSON_SORT_KEYS);
	static const struct hash_key fixed; /* a client's tag is good after a restart */
	uint64_t version = etag_add_text(&fixed, 0, dumped);

	free(dumped);
	return etag_print(version, 0, text);
}

/* What of the item was found for it, and is not among its values: addresses of endpoints. */
static json_t *placed_json(const struct kind *kind, const void *item, const json_t *values)
{
	json_t *served = values_print(kind, item), *placed = json_object(), *value;
	const char *key;

	json_object_foreach(served, key, value)
	{
		if (!json_object_get(values, key))
			json_put(placed, key, json_incref(value));
	}
	json_decref(served);
	return placed;
}

/* The values as they were given. */
static json_t *values_of(const struct api_request *request, const struct path *path,
			 const void *item)
{
	const void *given = path->kind->placed ? part_given(served(request), path) : item;

	return values_print(path->kind, given ? given : item);
}

static json_t *show(const struct api_request *request, const struct path *path, const void *item,
		    char etag[ETAG_MAX])
{
	json_t *object = values_of(request, path, item);

	etag_of(object, etag);
	if (path->kind->placed)
		json_put(object, "placed", placed_json(path->kind, item, object));
	json_put(object, "origin", origin_json(item));
	json_put(object, "etag", json_text(etag));
	return object;
}

void api_resource_show(struct api_request *request)
{
	struct change_error error;
	char etag[ETAG_MAX];
	struct arena arena;
	struct path path;
	const void *item;

	if (!read_path(request, &path))
		return;
	arena_init(&arena);
	item = bulk_find(request, &path, &arena, &error);
	json_t *shown = item ? show(request, &path, item, etag) : NULL;
	arena_release(&arena);
	if (item)
		api_reply_json(request, 200, shown, etag);
	else if (error.outcome != CHANGE_FINE)
		api_fail_change(request, &error);
	else
		fail_missing(request, &path);
}

void api_schema(struct api_request *request)
{
	json_t *array = json_array();

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kinds[i];

		json_add(array, json_make("{s:s, s:s, s:o, s:o}", "name", kind->name, "collection",
					  kind->collection, "parent",
					  json_text(kind->parent ? kind->parent->name : NULL),
					  "schema", values_schema(kind)));
	}
	api_reply_json(request, 200, json_make("{s:o}", "kinds", array), NULL);
}

/* ---- all of them ---- */

/* "rulesets/-/office/rules/contoso" */
static void resource_path(const struct path *path, char text[LINK_MAX_BYTES])
{
	const struct kind *kind = path->kind;
	char first[3 * NAME_MAX_BYTES], second[3 * NAME_MAX_BYTES];

	percent_encode(first, sizeof first, path->names[0]);
	if (kind->parent)
		snprintf(text, LINK_MAX_BYTES, "%s/-/%s/%s/%s", kind->parent->collection, first,
			 kind->collection, percent_encode(second, sizeof second, path->names[1]));
	else
		snprintf(text, LINK_MAX_BYTES, "%s/-/%s", kind->collection, first);
}

static void export_item(const struct api_request *request, const struct path *path,
			const void *item, json_t *array)
{
	char text[LINK_MAX_BYTES];

	resource_path(path, text);
	json_add(array, json_make("{s:s, s:o, s:o}", "path", text, "values",
				  values_of(request, path, item), "origin", origin_json(item)));
}

static bool fits_any(struct api_request *request, const struct kind *kind, const void *item)
{
	(void)request, (void)kind, (void)item;
	return true;
}

/* A kind in bulk inside the parent of that name. False: the state cannot be read. */
static bool export_bulk(struct api_request *request, const struct kind *kind, const char *parent,
			json_t *array, struct change_error *error)
{
	struct path path = {kind, GROUP_NONE, {parent, NULL}};
	struct arena arena;
	const void **items;
	size_t count;
	int err;

	arena_init(&arena);
	err = bulk_list(request, &path, SIZE_MAX - 1, fits_any, &arena, &items, &count, error);
	for (size_t i = 0; !err && i < count; i++) {
		path.names[1] = part_name(kind, items[i]);
		export_item(request, &path, items[i], array);
	}
	free(items);
	arena_release(&arena);
	return !err;
}

static bool export_list(struct api_request *request, const struct kind *kind, const void *in,
			const char *parent, json_t *array, struct change_error *error)
{
	const struct field *list = kind_field(kind);
	struct schema_list items = schema_list_get(list, in);
	bool whole = true;

	if (kind->bulk)
		return export_bulk(request, kind, parent, array, error);
	for (size_t i = 0; i < items.count; i++) {
		const char *item = (const char *)items.items + i * list->group->size;
		const char *name = part_name(kind, item);
		const struct path path = {
			kind, GROUP_NONE, {parent ? parent : name, parent ? name : NULL}};

		export_item(request, &path, item, array);
		for (size_t k = 0; k < KIND_COUNT; k++)
			if (kinds[k].parent == kind)
				whole = whole &&
					export_list(request, &kinds[k], item, name, array, error);
	}
	return whole;
}

/* What the model does not have, because it is in bulk. False: it cannot be had, by the error. */
static bool add_bulk(struct api_request *request, struct model *model, struct change_error *error)
{
	const struct kind *kind = kind_named("record-set");
	const struct field *list = kind_field(kind);

	for (size_t i = 0; i < model->private_zones.count; i++) {
		struct private_zone *zone = &model->private_zones.items[i];
		const struct path path = {kind, GROUP_NONE, {zone->name, NULL}};
		const void **items;
		size_t count;
		char *copies;

		if (zone->file)
			continue;
		if (bulk_list(request, &path, SIZE_MAX - 1, fits_any, &model->arena, &items, &count,
			      error) != 0)
			return false;
		copies = arena_alloc_array(&model->arena, count, list->group->size);
		for (size_t k = 0; copies && k < count; k++)
			memcpy(copies + k * list->group->size, items[k], list->group->size);
		free(items);
		if (!copies) {
			change_say(error, CHANGE_NO_MEMORY, NULL, "%s", err_text(ERR_NOMEM));
			return false;
		}
		schema_list_set(list, zone, (struct schema_list){copies, count});
	}
	return true;
}

static void export_file(struct api_request *request)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	const struct model *now = served(request);
	/* Once more, because what is served has addresses that nobody gave. */
	struct model *given = model_compose(now->declared, now->parts.items, now->parts.count);
	struct change_error error = {.outcome = CHANGE_FINE};
	int err = out && given ? 0 : ERR_NOMEM;

	if (!err && !add_bulk(request, given, &error))
		err = ERR_NOMEM;
	if (!err)
		err = config_file_write(given, out);
	if (out && fclose(out) != 0)
		err = ERR_NOMEM;
	model_free(given);
	if (!err) {
		api_reply_text(request, text, length);
		return;
	}
	free(text);
	if (error.outcome != CHANGE_FINE)
		api_fail_change(request, &error);
	else
		api_fail_memory(request);
}

void api_export(struct api_request *request)
{
	const char *as = api_query(request, "as");
	struct change_error error;
	json_t *array;
	bool whole = true;

	if (as && strcmp(as, "libconfig") == 0) {
		export_file(request);
		return;
	}
	if (as && strcmp(as, "json") != 0) {
		api_fail_at(request, 400, "invalid", "as",
			    "\"%.32s\" does not fit; give json or libconfig", as);
		return;
	}
	array = json_array();
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!kinds[i].parent)
			whole = whole && export_list(request, &kinds[i], served(request), NULL,
						     array, &error);
	if (whole) {
		api_reply_json(request, 200, json_make("{s:o}", "edits", array), NULL);
		return;
	}
	json_decref(array);
	api_fail_change(request, &error);
}

/* ---- lists ---- */

struct listing {
	const struct path *path; /* without the last name */
	const struct kind *kind;
	const void **items; /* that fit, by name; in bulk those of the page alone, by key */
	size_t count;
};

static int compare_items(const void *a, const void *b, void *kind)
{
	return strcasecmp(part_name(kind, *(const void *const *)a),
			  part_name(kind, *(const void *const *)b));
}

/* Whether the item has the value that ?KEY=VALUE asks for. */
static bool has_value(const struct field *field, const void *item, const char *value)
{
	char buffer[128];
	const char *text = schema_get_text(field, item, buffer, sizeof buffer);

	return strcasecmp(text ? text : "", value) == 0;
}

static bool is_scalar(const struct field *field)
{
	switch (field->type) {
	case FIELD_STRINGS:
	case FIELD_DOMAINS:
	case FIELD_HOSTS:
	case FIELD_PREFIXES:
	case FIELD_LIST:
	case FIELD_GROUP:
	case FIELD_GONE: return false;
	default: return true;
	}
}

static bool fits(struct api_request *request, const struct kind *kind, const void *item)
{
	const struct group *group = kind_field(kind)->group;
	const char *part = api_query(request, "q");

	if (part && !strcasestr(part_name(kind, item), part))
		return false;
	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		const char *value = is_scalar(field) ? api_query(request, field->key) : NULL;

		if (value && !has_value(field, item, value))
			return false;
	}
	return true;
}

bool resource_check_query(struct api_request *request, const char *const *known)
{
	const char *other = api_query_other(request, known);

	if (other)
		api_fail_at(request, 400, "invalid", other, "is not known here");
	return !other;
}

/* False: a filter is not known, which has been answered. */
static bool check_filters(struct api_request *request, const struct kind *kind)
{
	const struct group *group = kind_field(kind)->group;
	const char *known[64 + 4] = {"limit", "marker", "q"}, *other;
	size_t count = 3;

	for (size_t i = 0; i < group->count; i++)
		if (is_scalar(&group->fields[i]))
			known[count++] = group->fields[i].key;
	other = api_query_other(request, known);
	if (!other)
		return true;
	api_fail_at(request, 400, "invalid", other,
		    "is not known here; give limit, marker, q, or a member of the %s that has one "
		    "value",
		    group->name);
	return false;
}

/* The parent's item, or the model; NULL: there is none, which has been answered. */
static const void *list_in(struct api_request *request, const struct path *path)
{
	struct path parent = {path->kind->parent, path->group, {path->names[0], NULL}};
	const void *item;

	if (!parent.kind)
		return served(request);
	item = part_find(served(request), &parent);
	if (!item)
		fail_missing(request, &parent);
	return item;
}

static int collect(struct api_request *request, struct listing *listing, const void *in)
{
	const struct field *list = kind_field(listing->kind);
	struct schema_list items = schema_list_get(list, in);

	listing->items = reallocarray(NULL, items.count + 1, sizeof *listing->items);
	if (!listing->items)
		return ERR_NOMEM;
	for (size_t i = 0; i < items.count; i++) {
		const char *item = (const char *)items.items + i * list->group->size;

		if (fits(request, listing->kind, item))
			listing->items[listing->count++] = item;
	}
	qsort_r(listing->items, listing->count, sizeof *listing->items, compare_items,
		(void *)(uintptr_t)listing->kind);
	return 0;
}

/* &KEY=VALUE as it was asked for; nothing where it was not. */
static void put_filter(const struct api_request *request, FILE *out, const char *key)
{
	const char *value = api_query(request, key);
	char encoded[3 * NAME_MAX_BYTES];

	if (value)
		fprintf(out, "&%s=%s", key, percent_encode(encoded, sizeof encoded, value));
}

/* The path and query of the page behind `marker`; null without memory. */
static json_t *next_json(const struct api_request *request, const struct listing *listing,
			 const char *marker, size_t limit)
{
	const struct kind *kind = listing->kind;
	const struct group *group = kind_field(kind)->group;
	char encoded[3 * NAME_MAX_BYTES], *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	json_t *next;

	if (!out)
		return json_null();
	if (kind->parent)
		fprintf(out, "/v1/%s/-/%s/%s", kind->parent->collection,
			percent_encode(encoded, sizeof encoded, listing->path->names[0]),
			kind->collection);
	else
		fprintf(out, "/v1/%s", kind->collection);
	fprintf(out, "?limit=%zu&marker=%s", limit,
		percent_encode(encoded, sizeof encoded, marker));
	put_filter(request, out, "q");
	for (size_t i = 0; i < group->count; i++)
		if (is_scalar(&group->fields[i]))
			put_filter(request, out, group->fields[i].key);
	next = fclose(out) == 0 ? json_text(text) : json_null();
	free(text);
	return next;
}

/* One more than the page has shows that there is another one. */
static bool collect_bulk(struct api_request *request, struct listing *listing, struct arena *arena,
			 size_t limit)
{
	struct path behind = *listing->path;
	struct change_error error;

	behind.names[1] = api_query(request, "marker");
	if (bulk_list(request, &behind, limit + 1, fits, arena, &listing->items, &listing->count,
		      &error) == 0)
		return true;
	api_fail_change(request, &error);
	return false;
}

static json_t *page_json(struct api_request *request, const struct listing *listing, size_t limit)
{
	const char *marker = api_query(request, "marker");
	json_t *array = json_array(), *page = json_object(), *next = NULL;
	struct path path = *listing->path;
	char etag[ETAG_MAX];
	size_t shown = 0;

	for (size_t i = 0; i < listing->count && !next; i++) {
		const char *name = part_name(listing->kind, listing->items[i]);

		if (!listing->kind->bulk && marker && strcasecmp(name, marker) <= 0)
			continue;
		path.names[listing->kind->parent != NULL] = name;
		json_add(array, show(request, &path, listing->items[i], etag));
		if (++shown == limit && i + 1 < listing->count)
			next = next_json(request, listing, name, limit);
	}
	json_put(page, listing->kind->collection, array);
	json_put(page, "next", next ? next : json_null());
	return page;
}

void api_resource_list(struct api_request *request)
{
	struct listing listing = {.count = 0};
	struct arena arena;
	struct path path;
	size_t limit;
	const void *in;

	if (!read_path(request, &path) || !check_filters(request, path.kind) ||
	    !api_v1_limit(request, &limit))
		return;
	in = list_in(request, &path);
	if (!in)
		return;
	listing.path = &path;
	listing.kind = path.kind;
	arena_init(&arena);
	if (path.kind->bulk) {
		if (collect_bulk(request, &listing, &arena, limit))
			api_reply_json(request, 200, page_json(request, &listing, limit), NULL);
	} else if (collect(request, &listing, in) == 0) {
		api_reply_json(request, 200, page_json(request, &listing, limit), NULL);
	} else {
		api_fail_memory(request);
	}
	free(listing.items);
	arena_release(&arena);
}

/* ---- changes ---- */

/* Answers with why not; err is service_change's. */
static void fail_change(struct api_request *request, const struct service_change *change, int err,
			const struct faults *faults)
{
	if (err == ERR_INVALID)
		api_fail_change(request, &change->error);
	else
		api_fail_faults(request, 400, "invalid", faults);
}

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

static const char *const yes[] = {"", "true", "1", NULL}, *const no[] = {"false", "0", NULL};

bool resource_is_rehearsal(const struct api_request *request)
{
	const char *text = api_query(request, "dry_run");

	return text && text_is_among(text, yes);
}

bool resource_check_change(struct api_request *request)
{
	static const char *const known[] = {"dry_run", NULL};
	const char *text = api_query(request, "dry_run");

	if (!resource_check_query(request, known))
		return false;
	if (!text || text_is_among(text, yes) || text_is_among(text, no))
		return true;
	api_fail_at(request, 400, "invalid", "dry_run", "must be true or false");
	return false;
}

/* One edit; true: it is made, or would be. Else that has been answered. */
static bool make(struct api_request *request, const struct path *path, const json_t *values,
		 struct faults *faults, size_t *checked)
{
	const struct service_edit edit = {*path, values};
	struct service_change change = {.edits = &edit,
					.count = 1,
					.who = request->client,
					.rehearsal = resource_is_rehearsal(request)};
	int err = service_change(request->service, &change, faults);
	struct arena arena;
	const char *text;

	if (err != 0) {
		fail_change(request, &change, err, faults);
		return false;
	}
	*checked = change.checked;
	for (size_t i = change.checked; i < faults->count; i++)
		log_event(LOG_WARNING, "change", "%s: %s",
			  faults->items[i].origin.path ? faults->items[i].origin.path : "",
			  faults->items[i].text);
	if (change.rehearsal)
		return true;
	arena_init(&arena);
	text = path_text(path, &arena);
	log_event(LOG_INFO, "change", "revision %llu by %s: %s %s",
		  (unsigned long long)change.revision, request->client, text ? text : "",
		  values ? "set" : "removed");
	arena_release(&arena);
	return true;
}

bool resource_may_change(const struct api_request *request, const struct path *path,
			 const char *if_match, const char *if_none_match,
			 struct change_error *error)
{
	char etag[ETAG_MAX] = "", text[PRECONDITION_TEXT_MAX];
	struct origin origin = {0};
	struct arena arena;
	const void *item;

	arena_init(&arena);
	item = bulk_find(request, path, &arena, error);
	if (item) {
		json_decref(show(request, path, item, etag));
		origin = part_origin(item);
	}
	arena_release(&arena);
	if (error->outcome != CHANGE_FINE)
		return false;
	if (precondition_check(item ? etag : NULL, if_match, if_none_match, text) != 0)
		change_say(error, CHANGE_STALE, NULL, "%s", text);
	else if (origin.file)
		change_say(error, CHANGE_READ_ONLY, NULL,
			   "it is declared at %s:%u; change it there, and reload", origin.file,
			   origin.line);
	else if (path->kind->bulk && zone_has_file(served(request), path->names[0]))
		change_say(error, CHANGE_READ_ONLY, NULL,
			   "the records of this zone are those of its file; change them there, and "
			   "reload");
	else
		return true;
	return false;
}

/* False: it may not be changed, which has been answered. */
static bool may_change(struct api_request *request, const struct path *path)
{
	struct change_error error;

	if (resource_may_change(request, path, request->if_match, request->if_none_match, &error))
		return true;
	api_fail_change(request, &error);
	return false;
}

/* What was sent, and has been found good, with its defaults. */
static json_t *completed(const struct kind *kind, const json_t *values, struct arena *arena)
{
	static const struct origin origin;
	void *item = arena_alloc(arena, kind_field(kind)->group->size);
	struct faults unused;
	json_t *printed = NULL;

	faults_init(&unused);
	if (item)
		values_read(kind, values, item, &origin, arena, &unused);
	if (item && unused.errors == 0)
		printed = values_print(kind, item);
	faults_release(&unused);
	return printed;
}

/* Answers with the resource as it is now, or, of a rehearsal, as it would be. */
static void answer(struct api_request *request, const struct path *path, unsigned status,
		   const json_t *values, const struct faults *faults, size_t checked)
{
	const void *item = NULL;
	struct change_error error;
	char etag[ETAG_MAX];
	struct arena arena;
	const char *text;
	json_t *body;

	arena_init(&arena);
	if (!resource_is_rehearsal(request))
		item = bulk_find(request, path, &arena, &error);
	body = item ? show(request, path, item, etag) : completed(path->kind, values, &arena);
	text = path_text(path, &arena);
	json_put(body, "warnings", resource_warnings(faults, text ? text : "", checked));
	arena_release(&arena);
	api_reply_json(request, resource_is_rehearsal(request) ? 200 : status, body,
		       item ? etag : NULL);
}

json_t *resource_values(const struct path *path, const json_t *body, const char **why)
{
	const json_t *name = json_object_get(body, "name");
	json_t *values;

	*why = "the path has another; a resource keeps its name: leave it out, or make another one";
	if (name &&
	    (!json_is_string(name) || strcasecmp(json_string_value(name), path_name(path)) != 0))
		return NULL;
	*why = err_text(ERR_NOMEM);
	values = json_copy((json_t *)body);
	for (size_t i = 0; values && shown_members[i]; i++)
		json_object_del(values, shown_members[i]);
	if (values && !name && json_object_set_new(values, "name", json_string(path_name(path)))) {
		json_decref(values);
		values = NULL;
	}
	return values;
}

/* NULL: it does not fit, which has been answered. */
static json_t *read_body(struct api_request *request, const struct path *path)
{
	json_t *values = NULL;
	const char *why;

	if (!json_is_object(request->body)) {
		api_fail(request, 400, "invalid", "the body must be a JSON object");
		return NULL;
	}
	values = resource_values(path, request->body, &why);
	if (!values)
		api_fail_at(request, 400, "invalid", "name", "%s", why);
	return values;
}

static void put(struct api_request *request, const struct path *path, bool found,
		const json_t *values)
{
	struct faults faults;
	size_t checked;

	faults_init(&faults);
	if (make(request, path, values, &faults, &checked))
		answer(request, path, found ? 200 : 201, values, &faults, checked);
	faults_release(&faults);
}

/* What a change is about, and whether it is there yet. False: it is not to be changed, or not
 * in this way, which has been answered. */
static bool find_to_change(struct api_request *request, struct path *path, bool makes, bool *found)
{
	struct change_error error;
	struct arena arena;

	if (!read_path(request, path) || !resource_check_change(request))
		return false;
	arena_init(&arena);
	*found = bulk_find(request, path, &arena, &error);
	arena_release(&arena);
	if (*found || makes)
		return may_change(request, path);
	if (error.outcome != CHANGE_FINE)
		api_fail_change(request, &error);
	else
		fail_missing(request, path);
	return false;
}

void api_resource_put(struct api_request *request)
{
	struct path path;
	bool found;
	json_t *values;

	if (!find_to_change(request, &path, true, &found))
		return;
	values = read_body(request, &path);
	if (values)
		put(request, &path, found, values);
	json_decref(values);
}

/* RFC 7396 section 2; the target is an object, and is altered. */
static int merge(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *value, *old;
	int err = 0;

	json_object_foreach((json_t *)patch, key, value)
	{
		old = json_object_get(target, key);
		if (json_is_null(value))
			json_object_del(target, key);
		else if (!json_is_object(value))
			err |= json_object_set(target, key, value);
		else if (json_is_object(old))
			err |= merge(old, value);
		else if (!json_object_set_new(target, key, json_object()))
			err |= merge(json_object_get(target, key), value);
		else
			err = -1;
	}
	return err ? ERR_NOMEM : 0;
}

void api_resource_patch(struct api_request *request)
{
	struct change_error error;
	json_t *values = NULL, *patch;
	struct path path;
	bool found;

	if (!find_to_change(request, &path, false, &found))
		return;
	patch = read_body(request, &path);
	if (!patch)
		return;
	values = service_values(request->service, &path, &error);
	if (!values)
		api_fail_change(request, &error);
	else if (merge(values, patch) == 0)
		put(request, &path, found, values);
	else
		api_fail_memory(request);
	json_decref(values);
	json_decref(patch);
}

void api_resource_delete(struct api_request *request)
{
	struct faults faults;
	struct path path;
	bool found;
	size_t checked;

	if (!find_to_change(request, &path, false, &found))
		return;
	faults_init(&faults);
	if (make(request, &path, NULL, &faults, &checked))
		api_reply_empty(request, 204);
	faults_release(&faults);
}
