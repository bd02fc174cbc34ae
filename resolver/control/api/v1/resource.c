/* /v1/KIND/GROUP/NAME[/KIND/NAME]: resources of every kind (resource/kind.h), by one set of
 * handlers. The parts that differ for addresses, services, PTRs and groups are in v1/addresses.h.
 *
 *     GET      one resource; or a list of a group, or of all groups, page by page
 *     PUT      creates or replaces it
 *     PATCH    changes the members in the body; null removes one (RFC 7396)
 *     DELETE   removes it, with all that is inside it
 *
 * A body has the keys of the configuration file, by the field table. A resource that a file
 * declares is shown with its file and line, and can be changed there only. */
#include <strings.h>

#include "resolver/control/api/edit.h"
#include "resolver/control/api/item.h"
#include "resolver/control/api/path.h"
#include "resolver/control/api/precondition.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/addresses.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/filter.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"
#include "resolver/control/config/write.h"
#include "resolver/control/resource/addresses.h"
#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/home.h"
#include "resolver/control/resource/kind.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/array.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

/* Members that are shown beside the values, and ignored in a body. */
static const char *const shown_members[] = {"path",   "origin", "etag",       "warnings",
					    "placed", "made",   "not_served", NULL};

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

static void fail_kind(struct api_request *request)
{
	api_fail(request, 404, NULL,
		 "there is nothing at this path; the kinds of resources are in "
		 "/v1/schema");
}

/* Sets path->group; NULL is for a list of all groups. False: several groups have an item of that
 * name and the path has no group; the request has been answered. */
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

/* Reads the path of a resource, or, without the last name, of a list; without a group, a list of
 * all groups. False: it is no such path, or not one for this client, and the request has been
 * answered. */
static bool read_path(struct api_request *request, struct path *path)
{
	const char *child = api_parameter(request, "child"), *collection = api_segment(request, 1);
	const struct kind *kind = kind_of_inventory(collection);

	if (kind && kind->id == KIND_PTR && *api_parameter(request, "group") != '\0') {
		fail_kind(request); /* a PTR is in no group */
		return false;
	}
	if (kind && *child == '\0')
		return api_addresses_read_path(request, kind, path);
	kind = kind_of_collection(NULL, collection);
	*path = (struct path){.group = api_parameter(request, "group")};
	path->names[0] = api_parameter(request, "name");
	path->kind = kind && *child != '\0' ? kind_of_collection(kind, child) : kind;
	if (*child != '\0')
		path->names[1] = api_parameter(request, "child_name");
	if (!path->kind)
		fail_kind(request);
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

static void fail_missing(struct api_request *request, const struct path *path)
{
	const struct path root = part_root(path);
	const struct kind *kind = path->kind;
	bool grouped = path->group && strcmp(path->group, GROUP_NONE) != 0;
	char text[PART_WHY_MAX];

	if (kind->inventory)
		api_addresses_fail_missing(request, path);
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

json_t *resource_origin(const void *item)
{
	const struct origin origin = part_origin(item);

	return values_print_origin(&origin);
}

/* value NULL: 0 */
static uint64_t hash_of(const json_t *value)
{
	char *dumped = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
	uint64_t hash = dumped ? etag_add_text(0, dumped) : 0;

	free(dumped);
	return hash;
}

/* `revision`: of its row; 0: it is in the file. `placed`: computed members, or NULL. */
static char *etag_of(uint64_t revision, const json_t *values, const json_t *placed,
		     char text[ETAG_MAX])
{
	return etag_print(revision, revision ? 0 : hash_of(values), hash_of(placed), text);
}

/* The computed members of the item, which are not among its values: addresses of endpoints, and the
 * outbound endpoints that a ruleset uses. */
static json_t *placed_json(const struct path *path, const void *item, const json_t *values)
{
	json_t *served = values_print(path->kind, path->group, item), *placed = json_object(),
	       *value;
	const char *key;

	json_object_foreach(served, key, value)
	{
		const json_t *given = json_object_get(values, key);

		if (!given || (json_is_array(given) && !json_equal(given, value)))
			json_put(placed, key, json_incref(value));
	}
	json_decref(served);
	return placed;
}

/* The item, unless the model made it by itself; NULL: there is none. */
static const void *find_named(const struct api_request *request, const struct path *path)
{
	return item_made_because(api_model(request), path) ? NULL
							   : part_find(api_model(request), path);
}

json_t *resource_given(const struct model *model, const struct path *path, const void *item)
{
	const void *given = path->kind->placed ? part_given(model, path) : item;

	return values_print(path->kind, path->group, given ? given : item);
}

/* The path with its first name and group in the item's own spelling. */
static struct path spelled(const struct api_request *request, const struct path *path)
{
	struct path own = *path, root = part_root(path);
	const void *item = part_find(api_model(request), &root);

	if (item) {
		own.group = part_group(root.kind, item);
		own.names[0] = part_name(root.kind, item);
	}
	return own;
}

static json_t *path_json(const struct path *path, const void *item)
{
	struct path own = *path;
	char text[PATH_URL_MAX];

	own.names[path->kind->parent != NULL] = part_name(path->kind, item);
	return json_text(path_url(&own, text));
}

/* `path` has the item's own spelling. */
static json_t *show(const struct api_request *request, const struct path *path, const void *item,
		    char etag[ETAG_MAX])
{
	json_t *object = resource_given(api_model(request), path, item), *placed = NULL;
	const char *because = item_made_because(api_model(request), path);

	if (path->kind->placed)
		placed = placed_json(path, item, object);
	etag_of(part_origin(item).revision, object, placed, etag);
	json_put(object, "path", path_json(path, item));
	if (placed)
		json_put(object, "placed", placed);
	json_put(object, "origin", because ? json_null() : resource_origin(item));
	if (because)
		json_put(object, "made", json_text(because));
	json_put(object, "etag", json_text(etag));
	return object;
}

/* ---- resources of the state that are not served ---- */

static json_t *show_row(const struct api_request *request, const struct path *path,
			const struct source_resource *row, char etag[ETAG_MAX])
{
	json_t *object = json_loads(row->json, 0, NULL);
	char why[PART_WHY_MAX], text[PATH_URL_MAX];

	if (!json_is_object(object)) {
		json_decref(object);
		object = json_object();
	}
	values_shorten(path->kind, path->group, object);
	part_why(api_model(request), path, row->json, why);
	etag_of(row->revision, NULL, NULL, etag);
	json_put(object, kind_name_key(path->kind), json_text(path_name(path)));
	json_put(object, "path", json_text(path_url(path, text)));
	json_put(object, "origin", json_null());
	json_put(object, "etag", json_text(etag));
	json_put(object, "not_served", json_text(why));
	return object;
}

struct unserved { /* a search for a resource that is not served */
	const struct api_request *request;
	const struct path *path;
	json_t *shown;
	char *etag;
};

static int on_unserved(void *context, const struct source_resource *row)
{
	struct unserved *unserved = context;

	unserved->shown = show_row(unserved->request, unserved->path, row, unserved->etag);
	return 0;
}

/* NULL: the state does not have it, or cannot be read. */
static json_t *show_unserved(const struct api_request *request, const struct path *path,
			     char etag[ETAG_MAX])
{
	struct unserved unserved = {request, path, NULL, etag};
	struct change_error unused;

	if (request->service->load.passed_over &&
	    service_each_row(api_inventory(request), path, on_unserved, &unserved, &unused) != 0)
		return NULL;
	return unserved.shown;
}

/* Shows the resource, served or not; NULL: there is none, or, with an outcome in the error, it
 * cannot be read. */
static json_t *show_any(const struct api_request *request, const struct path *path,
			char etag[ETAG_MAX], struct change_error *error)
{
	struct arena arena;
	const void *item;
	struct path own;
	json_t *shown;

	if (path->kind->inventory)
		return addresses_show(api_inventory(request), path, etag, error);
	arena_init(&arena);
	item = item_find(request, path, &arena, error);
	own = spelled(request, path);
	shown = item ? show(request, &own, item, etag) : show_unserved(request, path, etag);
	arena_release(&arena);
	return shown;
}

/* Shows the resource, unless the model made it by itself. */
static json_t *show_named(const struct api_request *request, const struct path *path,
			  char etag[ETAG_MAX], struct change_error *error)
{
	error->outcome = CHANGE_FINE;
	if (!path->kind->inventory && item_made_because(api_model(request), path))
		return NULL;
	return show_any(request, path, etag, error);
}

void api_resource_show(struct api_request *request)
{
	struct change_error error;
	char etag[ETAG_MAX];
	struct path path;
	json_t *shown;

	if (!read_path(request, &path))
		return;
	shown = show_any(request, &path, etag, &error);
	if (shown)
		api_reply_json(request, 200, shown, etag);
	else if (error.outcome != CHANGE_FINE)
		api_fail_change(request, &error);
	else
		fail_missing(request, &path);
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

/* ---- lists ---- */

struct list_item {
	const char *name, *group; /* `group`: "" for items inside another */
	const void *item;         /* NULL: not served, and `shown` is the state's row */
	json_t *shown;
	char etag[ETAG_MAX];
};

struct resource_list {
	struct api_request *request;
	const struct path *path; /* without the last name; group NULL: all groups */
	const struct kind *kind;
	struct arena arena;            /* names of items that are not served */
	struct resource_group *groups; /* for a list of groups */
	struct list_item *items;       /* that match, by name */
	size_t count, room;
	size_t served;   /* number of served items; they come first until all are sorted */
	bool unfiltered; /* the query's filters do not apply to the items */
};

static int compare_listed(const void *a, const void *b)
{
	const struct list_item *left = a, *right = b;
	int order = strcasecmp(left->name, right->name);

	return order != 0 ? order : strcasecmp(left->group, right->group);
}

/* The group of an item; "" for items inside another. */
static const char *group_of(const struct kind *kind, const void *item)
{
	return kind->parent ? "" : part_group(kind, item);
}

/* Is this group listed? Lists inside an item have no groups. */
static bool is_listed_group(const struct resource_list *listing, const char *group)
{
	return listing->kind->parent || !listing->path->group ||
	       strcasecmp(group, listing->path->group) == 0;
}

static int add_listed(struct resource_list *listing, struct list_item listed)
{
	struct list_item *items =
		array_grow(listing->items, listing->count, &listing->room, sizeof *items);

	if (!items)
		return ERR_NOMEM;
	listing->items = items;
	items[listing->count++] = listed;
	return 0;
}

static void listing_release(struct resource_list *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		json_decref(listing->items[i].shown);
	free(listing->items);
	free(listing->groups);
	arena_release(&listing->arena);
}

static bool fits(const struct api_request *request, const struct kind *kind, const void *item)
{
	const struct filter filter = {.kinds = {kind}};

	return filter_takes(request, &filter, kind, item, NULL);
}

bool resource_check_query(struct api_request *request, const char *const *known)
{
	const char *other = api_query_other(request, known);
	char text[API_TEXT_MAX] = "";

	for (size_t i = 0; other && known[i]; i++)
		text_append(text, sizeof text, "%s%s", i > 0 ? ", " : "; give ", known[i]);
	if (other)
		api_fail_at(request, 400, "invalid", other, "is not known here%s", text);
	return !other;
}

static int collect_served(struct resource_list *listing, const void *in)
{
	size_t size = kind_field(listing->kind)->group->size;
	struct schema_list items = kind_list(listing->kind, in);
	int err = 0;

	for (size_t i = 0; !err && i < items.count; i++) {
		const char *item = (const char *)items.items + i * size;
		const char *group = group_of(listing->kind, item);

		if (is_listed_group(listing, group) &&
		    (listing->unfiltered || fits(listing->request, listing->kind, item)))
			err = add_listed(listing,
					 (struct list_item){.name = part_name(listing->kind, item),
							    .group = group,
							    .item = item});
	}
	listing->served = listing->count;
	if (listing->count > 0)
		qsort(listing->items, listing->count, sizeof *listing->items, compare_listed);
	return err;
}

static int on_listed_row(void *context, const struct source_resource *row)
{
	struct resource_list *listing = context;
	const char *part = listing->unfiltered ? NULL : api_query(listing->request, "q");
	struct list_item listed = {.name = part_key_name(row->path, &listing->arena), .group = ""};
	struct path path = *listing->path;
	int err;

	if (!path.kind->parent)
		path.group = listed.group = part_key_group(row->path, &listing->arena);
	if (!listed.name || !listed.group || !is_listed_group(listing, listed.group) ||
	    (part && !strcasestr(listed.name, part)))
		return 0;
	path.names[path.kind->parent != NULL] = listed.name;
	if ((listing->served > 0 &&
	     bsearch(&listed, listing->items, listing->served, sizeof listed, compare_listed)) ||
	    part_find(api_model(listing->request), &path))
		return 0;
	listed.shown = show_row(listing->request, &path, row, listed.etag);
	err = add_listed(listing, listed);
	if (err)
		json_decref(listed.shown);
	return err;
}

/* Adds the state's items that are not served, in order of name; none if the query filters by a
 * member, because these rows are not checked against it. */
static int collect_unserved(struct resource_list *listing)
{
	static const char *const paging[] = {"limit", "marker", "q", NULL};
	struct api_request *request = listing->request;
	struct change_error error = {.outcome = CHANGE_FINE};
	bool is_short = request->service->load.passed_over && !api_query_other(request, paging) &&
			service_each_row(api_inventory(request), listing->path, on_listed_row,
					 listing, &error) != 0;

	if (listing->count > listing->served)
		qsort(listing->items, listing->count, sizeof *listing->items, compare_listed);
	return is_short && error.outcome == CHANGE_NO_MEMORY ? ERR_NOMEM : 0;
}

/* For a kind with a home: adds the items of the page, by key, and one more, to show that there is
 * another page. Not 0: the request has been answered. */
static int collect_of_home(struct resource_list *listing, size_t limit)
{
	struct api_request *request = listing->request;
	const struct item_source in = item_source_of(request, listing->path);
	struct path behind = *listing->path;
	struct change_error error;
	struct item_page page = {.limit = limit + 1, .fits = fits, .request = request};
	int err;

	behind.names[1] = api_query(request, "marker");
	err = item_list(&in, &behind, &page, &listing->arena, &error);
	if (err) {
		api_fail_change(request, &error);
		return err;
	}
	for (size_t i = 0; !err && i < page.count; i++)
		err = add_listed(listing,
				 (struct list_item){.name = part_name(listing->kind, page.items[i]),
						    .group = "",
						    .item = page.items[i]});
	free(page.items);
	if (err)
		api_fail_memory(request);
	return err;
}

/* Adds groups. Not 0: the request has been answered. */
static int collect_groups(struct resource_list *listing)
{
	struct api_request *request = listing->request;
	size_t count;
	int err = 0;

	listing->groups = groups_list(api_inventory(request), &count);
	if (api_could_not_read(request))
		return ERR_SYSTEM;
	for (size_t i = 0; listing->groups && !err && i < count; i++)
		if (fits(request, listing->kind, &listing->groups[i]))
			err = add_listed(listing,
					 (struct list_item){.name = listing->groups[i].name,
							    .group = "",
							    .item = &listing->groups[i]});
	if (listing->groups && !err)
		return 0;
	api_fail_memory(request);
	return ERR_NOMEM;
}

/* False: the group does not exist, which an empty list would hide. */
static bool is_group(const struct resource_list *listing)
{
	const char *name = listing->path->group;
	struct resource_group group;

	return listing->kind->parent || !name || strcmp(name, GROUP_NONE) == 0 ||
	       group_find(api_inventory(listing->request), name, &group);
}

/* Collects the items inside `in` (NULL: it is not served), and the state's items there that are not
 * served. */
static int collect_inside(struct resource_list *listing, const void *in)
{
	int err = in ? collect_served(listing, in) : 0;

	return err ? err : collect_unserved(listing);
}

/* Collects the list's items. Not 0: the request has been answered. */
static int collect(struct resource_list *listing, size_t limit)
{
	struct api_request *request = listing->request;
	const struct path *path = listing->path, parent = part_root(path);
	bool inside = path->kind->parent;
	const void *in = inside ? part_find(api_model(request), &parent) : api_model(request);
	int err;

	if (path->kind->id == KIND_GROUP)
		return collect_groups(listing);
	if (in && listing->kind->home)
		return collect_of_home(listing, limit);
	err = collect_inside(listing, in);
	if (err) {
		api_fail_memory(request);
	} else if (inside && !in && listing->count == 0) {
		fail_missing(request, &parent);
		err = ERR_NOT_FOUND;
	} else if (listing->count == 0 && !is_group(listing)) {
		if (!api_could_not_read(request))
			api_fail(request, 404, "not_found", "there is no resource group \"%.90s\"",
				 path->group);
		err = ERR_NOT_FOUND;
	}
	return err;
}

/* `list`: the list's path, in the parent's own spelling. */
static json_t *show_listed(struct resource_list *listing, struct list_item *listed,
			   const struct path *list)
{
	struct path path = *list;

	if (path.kind->id == KIND_GROUP)
		return group_show(listed->item);
	path.names[path.kind->parent != NULL] = listed->name;
	if (!path.kind->parent)
		path.group = listed->group;
	return listed->item ? show(listing->request, &path, listed->item, listed->etag)
			    : json_incref(listed->shown);
}

/* A marker is a NAME; in a list of all groups it is NAME/GROUP, because several groups may have the
 * name. A name may contain a slash, a group cannot. */
static bool is_of_all_groups(const struct resource_list *listing)
{
	return !listing->kind->parent && !listing->path->group;
}

static bool is_behind(const struct resource_list *listing, const struct list_item *listed,
		      const char *marker)
{
	const char *slash = is_of_all_groups(listing) ? strrchr(marker, '/') : NULL;
	char name[NAME_TEXT_MAX];
	int order;

	if (!slash)
		return strcasecmp(listed->name, marker) > 0;
	snprintf(name, sizeof name, "%.*s", (int)(slash - marker), marker);
	order = strcasecmp(listed->name, name);
	return order > 0 || (order == 0 && strcasecmp(listed->group, slash + 1) > 0);
}

static json_t *next_page(const struct resource_list *listing, const struct list_item *last)
{
	char marker[NAME_TEXT_MAX + GROUP_TEXT_MAX];

	if (!is_of_all_groups(listing))
		return api_next_page(listing->request, "marker", last->name);
	snprintf(marker, sizeof marker, "%s/%s", last->name, last->group);
	return api_next_page(listing->request, "marker", marker);
}

/* Fills the page with up to `limit` items behind the marker. Returns the last one if others follow,
 * else NULL. */
static const struct list_item *add_shown(struct resource_list *listing, const char *marker,
					 size_t limit, json_t *page)
{
	struct path list = *listing->path;

	if (list.kind->parent)
		list = spelled(listing->request, &list);
	for (size_t i = 0; i < listing->count; i++) {
		struct list_item *listed = &listing->items[i];

		if (marker && !is_behind(listing, listed, marker))
			continue;
		json_add(page, show_listed(listing, listed, &list));
		if (json_array_size(page) == limit)
			return i + 1 < listing->count ? listed : NULL;
	}
	return NULL;
}

static json_t *page_json(const struct kind *kind, json_t *items, json_t *next)
{
	json_t *page = json_object();

	json_put(page, kind->collection, items);
	json_put(page, "next", next ? next : json_null());
	return page;
}

static void list_inside(struct resource_list *listing, size_t limit)
{
	const char *marker = listing->kind->home ? NULL : api_query(listing->request, "marker");
	json_t *items = json_array();
	const struct list_item *last = add_shown(listing, marker, limit, items);

	api_reply_json(listing->request, 200,
		       page_json(listing->kind, items, last ? next_page(listing, last) : NULL),
		       NULL);
}

/* ---- lists across parents: all rules of all rulesets ---- */

/* From the path of the previous page's last item: its parent's group and name, and its own name. */
struct all_marker {
	struct api_path path; /* empty: from the first one on */
	struct list_item parent;
	const char *name;
};

/* False: it is no such path, and the request has been answered. */
static bool read_all_marker(struct api_request *request, struct all_marker *marker)
{
	const char *text = api_query(request, "marker");

	*marker = (struct all_marker){.name = NULL};
	if (!text)
		return true;
	if (api_path_init(&marker->path, text) == 0 && marker->path.count == 5) {
		marker->parent = (struct list_item){.group = marker->path.segments[1],
						    .name = marker->path.segments[2]};
		marker->name = marker->path.segments[4];
		return true;
	}
	api_path_release(&marker->path);
	api_fail_at(request, 400, "invalid", "marker",
		    "\"%.64s\" is no path of one; follow the `next` link of the previous page",
		    text);
	return false;
}

/* Adds the items inside one parent. */
static int add_inside(struct api_request *request, const struct path *path,
		      const struct list_item *parent, const char *behind, size_t limit,
		      json_t *items, bool *more)
{
	struct path own = {path->kind, parent->group, {parent->name, NULL}};
	struct resource_list listing = {.request = request, .path = &own, .kind = path->kind};
	int err;

	arena_init(&listing.arena);
	err = collect_inside(&listing, parent->item);
	*more = !err && add_shown(&listing, behind, limit, items);
	listing_release(&listing);
	return err;
}

/* Parents come by name, and the items of each by name. Only parents that the page needs are read.
 */
static json_t *list_of_all(struct resource_list *parents, const struct path *path, size_t limit,
			   const struct all_marker *marker)
{
	json_t *items = json_array(), *last = NULL;
	bool more = false;
	int err = 0;

	for (size_t i = 0; !err && !last && i < parents->count; i++) {
		const struct list_item *parent = &parents->items[i];
		int order = marker->name ? compare_listed(parent, &marker->parent) : 1;

		if (order >= 0)
			err = add_inside(parents->request, path, parent,
					 order == 0 ? marker->name : NULL, limit, items, &more);
		if (json_array_size(items) == limit && (more || i + 1 < parents->count))
			last = json_object_get(json_array_get(items, limit - 1), "path");
	}
	if (!err)
		return page_json(
			path->kind, items,
			last ? api_next_page(parents->request, "marker", json_string_value(last))
			     : NULL);
	json_decref(items);
	return NULL;
}

static void list_all(struct api_request *request, const struct path *path, size_t limit)
{
	const char *group = api_parameter(request, "group");
	struct path root = {
		path->kind->parent, strcmp(group, GROUP_ANY) == 0 ? NULL : group, {NULL, NULL}};
	struct resource_list parents = {
		.request = request, .path = &root, .kind = root.kind, .unfiltered = true};
	struct all_marker marker;
	json_t *page;

	if (!read_all_marker(request, &marker))
		return;
	arena_init(&parents.arena);
	if (collect(&parents, limit) == 0) {
		page = list_of_all(&parents, path, limit, &marker);
		if (page)
			api_reply_json(request, 200, page, NULL);
		else
			api_fail_memory(request);
	}
	listing_release(&parents);
	api_path_release(&marker.path);
}

static bool check_marker(struct api_request *request)
{
	const char *marker = api_query(request, "marker");
	bool fits = !marker || strlen(marker) < (size_t)NAME_TEXT_MAX + GROUP_TEXT_MAX;

	if (!fits)
		api_fail_at(request, 400, "invalid", "marker",
			    "it is longer than any name; follow the `next` link of the previous "
			    "page");
	return fits;
}

void api_resource_list(struct api_request *request)
{
	const struct kind *kind = kind_of_inventory(api_segment(request, 1));
	struct resource_list listing = {.request = request};
	struct path path;
	size_t limit;

	/* Lists of these kinds have no group in their path; v1/list.c has the long ones. */
	if (kind && (kind->id != KIND_GROUP || *api_parameter(request, "group") != '\0')) {
		fail_kind(request);
		return;
	}
	if (!read_path(request, &path))
		return;
	const struct filter filter = {.kinds = {path.kind}};
	if (!filter_check(request, &filter) || !api_v1_limit(request, &limit))
		return;
	if (path.kind->parent && !path.kind->home && strcmp(path.names[0], GROUP_ANY) == 0) {
		list_all(request, &path, limit);
		return;
	}
	if (!check_marker(request))
		return;
	path.names[path.kind->parent != NULL] = NULL;
	listing.path = &path;
	listing.kind = path.kind;
	arena_init(&listing.arena);
	if (collect(&listing, limit) == 0)
		list_inside(&listing, limit);
	listing_release(&listing);
}

/* ---- changes ---- */

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

bool resource_check_change(struct api_request *request, const char *const *known)
{
	const char *text = api_query(request, "dry_run");

	if (!resource_check_query(request, known))
		return false;
	if (!text || text_is_among(text, yes) || text_is_among(text, no))
		return true;
	api_fail_at(request, 400, "invalid", "dry_run", "must be true or false");
	return false;
}

/* The resource's file and line; file NULL: the resource is in the state. */
static struct origin origin_of(const struct api_request *request, const struct path *path)
{
	struct inventory *inventory = api_inventory(request);
	const struct owned_resource *resource;
	const void *item;
	struct resource_group group;

	if (path->kind->id == KIND_GROUP)
		return group_find(inventory, path->names[0], &group) ? group.origin
								     : (struct origin){0};
	if (path->kind->inventory) {
		resource = addresses_find(inventory, path);
		return resource && (path->kind->id != KIND_PTR || resource->ptr_is_declared)
			       ? resource->item.origin
			       : (struct origin){0};
	}
	item = part_find(api_model(request), path);
	return item ? part_origin(item) : (struct origin){0};
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
static void say_taken(const struct api_request *request, const struct path *path,
		      struct change_error *error)
{
	const struct path own = path->kind->inventory ? *path : spelled(request, path);
	const struct origin origin = origin_of(request, path);
	struct arena arena;
	const char *title;

	arena_init(&arena);
	title = title_of(&own, &arena);
	if (!title)
		change_say(error, CHANGE_NO_MEMORY, NULL, "%s", err_text(ERR_NOMEM));
	else if (origin.file)
		change_say(error, CHANGE_STALE, NULL,
			   "there is one already: %s, at %s:%u; change it there, and reload", title,
			   origin.file, origin.line);
	else
		change_say(error, CHANGE_STALE, NULL,
			   "there is one already: %s, in the state; set it instead of creating it "
			   "(HTTP: PATCH)%s",
			   title, path->kind->id == KIND_PTR ? "" : ", or choose another name");
	arena_release(&arena);
}

/* Wraps precondition_check; etag NULL: the resource does not exist. */
static bool check_precondition(const struct api_request *request, const struct path *path,
			       const char *etag, const char *if_match, const char *if_none_match,
			       struct change_error *error)
{
	char text[PRECONDITION_TEXT_MAX];

	if (precondition_check(etag, if_match, if_none_match, text) == 0)
		return true;
	if (precondition_check(etag, if_match, NULL, text) == 0)
		say_taken(request, path, error);
	else
		change_say(error, CHANGE_STALE, NULL, "%s", text);
	return false;
}

static bool may_change_owned(const struct api_request *request, const struct path *path,
			     const char *if_match, const char *if_none_match,
			     struct change_error *error)
{
	char etag[ETAG_MAX] = "";
	bool there = addresses_etag(api_inventory(request), path, etag);
	/* A client that reads a missing PTR gets the etag of its address. */
	const char *now = there || (if_match && *etag) ? etag : NULL;

	return check_precondition(request, path, now, if_match, if_none_match, error);
}

bool resource_may_change(const struct api_request *request, const struct path *path, bool removes,
			 const char *if_match, const char *if_none_match,
			 struct change_error *error)
{
	if (path->kind->inventory)
		return may_change_owned(request, path, if_match, if_none_match, error);
	const void *item = find_named(request, path);
	char etag[ETAG_MAX] = "";
	bool is_there;

	json_decref(show_named(request, path, etag, error));
	if (error->outcome != CHANGE_FINE)
		return false;
	is_there = *etag != '\0';
	return check_precondition(request, path, is_there ? etag : NULL, if_match, if_none_match,
				  error) &&
	       item_may_change(api_model(request), path, item, removes && is_there, error);
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

/* Answers with the resource as it is now, or, in a rehearsal, as it would be. */
static void answer(struct api_request *request, const struct path *path, unsigned status,
		   const json_t *values, const struct faults *faults, size_t checked)
{
	const void *item = NULL;
	struct change_error error;
	char etag[ETAG_MAX], url[PATH_URL_MAX];
	struct path own;
	struct arena arena;
	const char *text;
	json_t *body;

	arena_init(&arena);
	if (!resource_is_rehearsal(request))
		item = item_find(request, path, &arena, &error);
	own = spelled(request, path);
	body = item ? show(request, &own, item, etag) : completed(path, values, &arena);
	if (!item)
		json_put(body, "path", json_text(path_url(path, url)));
	text = path_text(path, &arena);
	json_put(body, "warnings", resource_warnings(faults, text ? text : "", checked));
	arena_release(&arena);
	api_reply_json(request, resource_is_rehearsal(request) ? 200 : status, body,
		       item ? etag : NULL);
}

/* Is a member that repeats a part of the path equal to it, or left out? */
static bool is_paths(const json_t *value, const char *text)
{
	return !value || (json_is_string(value) && strcasecmp(json_string_value(value), text) == 0);
}

/* Adds a part of the path as a member, if the body left it out; values NULL: no memory. */
static json_t *put_paths(json_t *values, const char *key, const char *text)
{
	if (!values || json_object_get(values, key) ||
	    json_object_set_new(values, key, json_string(text)) == 0)
		return values;
	json_decref(values);
	return NULL;
}

json_t *resource_values(const struct path *path, const json_t *body, const char **member,
			const char **why)
{
	const char *key = kind_name_key(path->kind);
	bool grouped = !path->kind->parent, in_none = strcmp(path->group, GROUP_NONE) == 0;
	const json_t *group = grouped ? json_object_get(body, "resource_group") : NULL;
	json_t *values;

	*member = key;
	*why = "the path has another; a resource keeps its name: leave it out, or make another one";
	if (!is_paths(json_object_get(body, key), path_name(path)))
		return NULL;
	*member = "resource_group";
	*why = "the path has another; a resource stays in its group: leave it out, or delete it "
	       "and "
	       "make it at KIND/GROUP/NAME (\"-\" is no group), in one change (/v1/changes)";
	if (in_none ? group && !json_is_null(group) : !is_paths(group, path->group))
		return NULL;
	*why = err_text(ERR_NOMEM);
	values = json_copy((json_t *)body);
	for (size_t i = 0; values && shown_members[i]; i++)
		json_object_del(values, shown_members[i]);
	if (values && grouped && in_none)
		json_object_del(values, "resource_group");
	else if (grouped)
		values = put_paths(values, "resource_group", path->group);
	values = put_paths(values, key, path_name(path));
	if (values && path->kind->home)
		path->kind->home->tidy(path, values);
	return values;
}

/* NULL: the body is wrong, and the request has been answered. */
static json_t *read_body(struct api_request *request, const struct path *path)
{
	json_t *values = NULL;
	const char *member, *why;

	if (!json_is_object(request->body)) {
		api_fail(request, 400, "invalid", "the body must be a JSON object");
		return NULL;
	}
	values = resource_values(path, request->body, &member, &why);
	if (!values)
		api_fail_at(request, 400, "invalid", member, "%s", why);
	return values;
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

/* ---- a change of one resource ---- */

struct resource_operation {
	struct api_edit edit; /* first */
	enum edit_method method;
	struct path path; /* the request's path */
	bool there;       /* it existed before */
	json_t *shown;    /* for the inventory's kinds: the resource as it would be */
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
	char etag[ETAG_MAX];
	const char *because;
	json_t *shown = show_named(request, path, etag, &error);
	bool found = shown != NULL;

	json_decref(shown);
	operation->there =
		kind->inventory ? addresses_etag(api_inventory(request), path, etag) : found;
	if (found || (operation->method == EDIT_PUT && kind->id != KIND_PTR &&
		      !(kind->parent && part_is_elsewhere(api_model(request), path))))
		return true;
	because = kind->inventory ? NULL : item_made_because(api_model(request), path);
	if (error.outcome != CHANGE_FINE)
		api_fail_change(request, &error);
	else if (because)
		fail_made(request, because);
	else
		fail_missing(request, path);
	return false;
}

/* RFC 7396 section 2; the target must be an object, and is changed. */
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

/* Keeps the spelling of a part of the path that the body leaves out. */
static void forget_paths(const struct api_request *request, json_t *patch, const char *key)
{
	if (!json_object_get(request->body, key))
		json_object_del(patch, key);
}

/* The state's values, changed by the body; NULL: it is not possible, and the request has been
 * answered. */
static json_t *read_patch(struct api_request *request, const struct path *path)
{
	json_t *patch = read_body(request, path), *values;
	struct change_error error;

	if (!patch)
		return NULL;
	forget_paths(request, patch, kind_name_key(path->kind));
	forget_paths(request, patch, "resource_group");
	values = service_values(api_inventory(request), path, &error);
	if (!values) {
		api_fail_change(request, &error);
	} else if (merge(values, patch) != 0) {
		json_decref(values);
		values = NULL;
		api_fail_memory(request);
	}
	json_decref(patch);
	return values;
}

static bool read_owned(struct resource_operation *operation, struct path *path, json_t **values)
{
	struct api_request *request = operation->edit.request;
	struct change_error error;

	if (operation->method != EDIT_DELETE)
		return api_addresses_read(&operation->edit, &operation->path,
					  operation->method == EDIT_PATCH, path, values);
	*values = json_null();
	if (operation->path.kind->id == KIND_PTR && !operation->there) {
		change_say(&error, CHANGE_NOT_FOUND, NULL, "it has no PTR");
		api_fail_change(request, &error);
		return false;
	}
	operation->edit.was = api_addresses_title(request, &operation->path);
	return true;
}

static bool read_operation(struct api_edit *edit, struct path *path, json_t **values)
{
	struct resource_operation *operation = operation_of(edit);
	struct api_request *request = edit->request;

	*path = operation->path;
	if (!find_to_change(request, operation) || !may_change(request, path))
		return false;
	if (path->kind->inventory)
		return read_owned(operation, path, values);
	*values = json_null();
	if (operation->method == EDIT_DELETE)
		return true;
	*values = operation->method == EDIT_PUT ? read_body(request, path)
						: read_patch(request, path);
	return *values;
}

static void look(struct api_edit *edit)
{
	struct resource_operation *operation = operation_of(edit);
	struct change_error unused;
	char etag[ETAG_MAX];

	json_decref(operation->shown);
	operation->shown =
		addresses_show(api_inventory(edit->request), &operation->path, etag, &unused);
}

/* Answers with the resource as it would be, or, if nothing changes, as it is. */
static void answer_rehearsed(struct resource_operation *operation)
{
	struct api_edit *edit = &operation->edit;

	if (!operation->shown)
		look(edit);
	if (operation->path.kind->id != KIND_GROUP)
		json_put(operation->shown, "warnings", json_array());
	api_reply_json(edit->request, 200, json_incref(operation->shown), NULL);
}

static void answer_owned(struct resource_operation *operation)
{
	struct api_edit *edit = &operation->edit;

	if (operation->method == EDIT_DELETE) {
		if (!edit->rehearsal)
			api_log_change(edit->request,
				       operation->path.kind->id == KIND_PTR ? "PTR removed"
									    : "removed",
				       edit->was);
		api_reply_empty(edit->request, 204);
	} else if (edit->rehearsal) {
		answer_rehearsed(operation);
	} else {
		api_addresses_answer(edit->request, &operation->path, operation->there);
	}
}

enum { RESOURCE_SHOWN_MAX = 2048 }; /* of a path and its revision */

static void log_made(const struct resource_operation *operation, uint64_t revision)
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

static void answer_operation(struct api_edit *edit, const struct api_made *made)
{
	const struct service_change *change = made->change;
	struct resource_operation *operation = operation_of(edit);

	if (operation->path.kind->inventory) {
		answer_owned(operation);
		return;
	}
	if (!change->rehearsal)
		log_made(operation, change->revision);
	if (operation->method == EDIT_DELETE)
		answer_gone(edit->request, made->faults, change->checked);
	else
		answer(edit->request, &operation->path, operation->there ? 200 : 201, edit->values,
		       made->faults, change->checked);
}

/* ?make: if the address of the PTR does not exist, turns the request into one for a new address
 * with this body. False: that is not possible, and the request has been answered. */
static bool make_missing(struct api_request *request, struct path *path, enum edit_method *method)
{
	const char *text = api_query(request, "make"), *asked = path->names[0];
	char why[ADDRESSES_WHY_MAX];
	int err;

	if (text && !text_is_among(text, yes) && !text_is_among(text, no)) {
		api_fail_at(request, 400, "invalid", "make", "must be true or false");
		return false;
	}
	if (!text || text_is_among(text, no) || path->kind->id != KIND_PTR ||
	    *method == EDIT_DELETE || !json_is_object(request->body) ||
	    addresses_find(api_inventory(request), path) ||
	    inventory_trouble(api_inventory(request)))
		return true;
	err = addresses_make(api_inventory(request), api_model(request), asked, path, request->body,
			     &request->arena, why);
	*method = EDIT_PUT;
	if (err == ERR_NOMEM)
		api_fail_memory(request);
	else if (err)
		api_fail(request, err == ERR_EXISTS ? 409 : 404,
			 err == ERR_EXISTS ? "conflict" : "not_found", "%s", why);
	return !err;
}

static void change_resource(struct api_request *request, enum edit_method method)
{
	static const char *const known[] = {"dry_run", "make", NULL};
	static const struct api_editor editor = {.read = read_operation,
						 .answer = answer_operation,
						 .free = operation_free,
						 .look = look,
						 .find = api_addresses_asked,
						 .title = "cloud service",
						 .field = "reverse_fqdn",
						 .also = "cloud service or "};
	struct resource_operation *operation;
	struct path path;

	if (!read_path(request, &path) || !resource_check_change(request, known) ||
	    !make_missing(request, &path, &method))
		return;
	operation = calloc(1, sizeof *operation);
	if (!operation) {
		api_fail_memory(request);
		return;
	}
	operation->edit = (struct api_edit){
		.editor = &editor, .request = request, .rehearsal = resource_is_rehearsal(request)};
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
