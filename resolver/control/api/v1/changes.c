/* /v1/changes: many edits of resources as one, and what was changed, when and by whom.
 *
 *     POST   {"edits": [{"path": "rulesets/-/office/rules/contoso", "values": {...} or null,
 *                        "etag": "..."}, ...], "revision": N}
 *            all or none, in their order; ?dry_run finds out and changes nothing; with a revision
 *            only if nothing was changed behind that one
 *     GET    ?after=REVISION&limit=N, the oldest first; a week is kept
 *
 * An edit's path is what is behind /v1/ in the resource's own, its values are what a PUT sends
 * there, null what a DELETE does. "etag" is If-Match; "" says that there must be none yet. */
#include "resolver/control/api/path.h"
#include "resolver/control/api/precondition.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"

enum { EDITS_MAX = 50000 }; /* the largest zone, and all of another one gone */

struct posted { /* a POST's edits */
	struct api_request *request;
	struct service_edit *edits;
	struct api_path *paths; /* whose segments the edits' paths are */
	json_t **values;
	size_t count;
};

/* ---- reading ---- */

static bool refuse(struct posted *posted, size_t index, const char *key, const char *text)
{
	char field[64];

	snprintf(field, sizeof field, "edits[%zu].%s", index, key);
	api_fail_at(posted->request, 400, "invalid", field, "%s", text);
	return false;
}

/* "rulesets/-/office/rules/contoso" */
static bool read_edit_path(struct posted *posted, size_t index, const char *text)
{
	struct api_path *path = &posted->paths[index];
	struct path *to = &posted->edits[index].path;
	const struct kind *kind = NULL;

	if (text && api_path_init(path, text) == 0 && (path->count == 3 || path->count == 5))
		kind = kind_of_collection(NULL, path->segments[0]);
	if (kind && path->count == 5)
		kind = kind_of_collection(kind, path->segments[3]);
	if (!kind || strcmp(path->segments[1], "-") != 0)
		return refuse(
			posted, index, "path",
			"is not a resource's; give KIND/-/NAME or KIND/-/NAME/KIND/NAME, as in "
			"rulesets/-/office/rules/contoso");
	*to = (struct path){kind, path->segments[1], {path->segments[2], NULL}};
	if (path->count == 5)
		to->names[1] = path->segments[4];
	return true;
}

static bool read_edit(struct posted *posted, size_t index, const json_t *edit)
{
	const json_t *values = json_object_get(edit, "values");
	const json_t *etag = json_object_get(edit, "etag");
	const char *wanted = json_string_value(etag), *why;
	struct service_edit *to = &posted->edits[index];
	struct change_error error;

	if (!json_is_object(edit))
		return refuse(posted, index, "path", "is missing; an edit is an object");
	if (!read_edit_path(posted, index, json_string_value(json_object_get(edit, "path"))))
		return false;
	if (!values || (!json_is_object(values) && !json_is_null(values)))
		return refuse(posted, index, "values",
			      "is missing; give an object, or null to remove the resource");
	if (etag && !wanted)
		return refuse(posted, index, "etag", "must be a string");
	if (!resource_may_change(posted->request, &to->path, wanted && *wanted ? wanted : NULL,
				 wanted && !*wanted ? "*" : NULL, &error)) {
		api_fail_change(posted->request, &error);
		return false;
	}
	if (json_is_null(values))
		return true;
	posted->values[index] = resource_values(&to->path, values, &why);
	to->values = posted->values[index];
	return to->values || refuse(posted, index, "values.name", why);
}

static void posted_release(struct posted *posted)
{
	for (size_t i = 0; i < posted->count; i++) {
		api_path_release(&posted->paths[i]);
		json_decref(posted->values[i]);
	}
	free(posted->edits);
	free(posted->paths);
	free(posted->values);
}

/* False: it does not fit, which has been answered. */
static bool read_edits(struct posted *posted)
{
	const json_t *edits = json_object_get(posted->request->body, "edits"), *edit;
	size_t count = json_array_size(edits), i;

	if (!json_is_array(edits) || count == 0 || count > EDITS_MAX) {
		api_fail_at(posted->request, 400, "invalid", "edits",
			    "must be an array of 1 to %d edits", EDITS_MAX);
		return false;
	}
	posted->edits = calloc(count, sizeof *posted->edits);
	posted->paths = calloc(count, sizeof *posted->paths);
	posted->values = calloc(count, sizeof(*posted->values));
	if (!posted->edits || !posted->paths || !posted->values) {
		api_fail_memory(posted->request);
		return false;
	}
	posted->count = count;
	json_array_foreach(edits, i, edit) if (!read_edit(posted, i, edit)) return false;
	return true;
}

static int on_later(void *context, const struct source_change *change)
{
	struct change_error *error = context;

	change_say(error, CHANGE_STALE, "revision",
		   "there is a later change, revision %llu by %s; look again and retry",
		   (unsigned long long)change->revision, change->who);
	return ERR_EXISTS;
}

/* Whether nothing was changed behind the revision that the body names, if it names one; false: that
 * has been answered. */
static bool is_latest(struct api_request *request)
{
	const json_t *revision = json_object_get(request->body, "revision");
	struct change_error error = {.outcome = CHANGE_FINE};
	struct source *source;
	char text[SOURCE_ERROR_MAX];

	if (!revision)
		return true;
	if (!json_is_integer(revision) || json_integer_value(revision) < 0) {
		api_fail_at(request, 400, "invalid", "revision",
			    "must be a revision, or be left out");
		return false;
	}
	source = change_source(request->service->inventory, &error);
	if (source &&
	    source->calls->changes(source, (uint64_t)json_integer_value(revision), on_later, &error,
				   text) != 0 &&
	    error.outcome == CHANGE_FINE)
		change_say(&error, CHANGE_STORE, NULL, "%s", text);
	if (error.outcome == CHANGE_FINE)
		return true;
	api_fail_change(request, &error);
	return false;
}

/* ---- changing ---- */

static void change(struct posted *posted)
{
	struct api_request *request = posted->request;
	struct service_change wanted = {.edits = posted->edits,
					.count = posted->count,
					.who = request->client,
					.rehearsal = resource_is_rehearsal(request)};
	struct faults faults;
	int err;

	faults_init(&faults);
	err = service_change(request->service, &wanted, &faults);
	if (err == ERR_INVALID) {
		api_fail_change(request, &wanted.error);
	} else if (err != 0) {
		api_fail_faults(request, 400, "invalid", &faults);
	} else {
		if (!wanted.rehearsal)
			log_event(LOG_INFO, "change", "revision %llu by %s: %zu edits",
				  (unsigned long long)wanted.revision, request->client,
				  posted->count);
		api_reply_json(
			request, 200,
			json_make("{s:o, s:b, s:I, s:o}", "revision",
				  wanted.rehearsal ? json_null()
						   : json_integer((json_int_t)wanted.revision),
				  "dry_run", wanted.rehearsal, "edits", (json_int_t)posted->count,
				  "warnings", resource_warnings(&faults, "", wanted.checked)),
			NULL);
	}
	faults_release(&faults);
}

void api_changes_post(struct api_request *request)
{
	struct posted posted = {.request = request};

	if (resource_check_change(request) && is_latest(request) && read_edits(&posted))
		change(&posted);
	posted_release(&posted);
}

/* ---- what was changed ---- */

struct history {
	json_t *array;
	uint64_t last;
	size_t count, limit;
	bool more;
};

static json_t *values_json(const char *text)
{
	json_t *values = text ? json_loads(text, 0, NULL) : NULL;

	return values ? values : json_null();
}

/* "rulesets/-/office/rules/contoso" of a key, whose names are encoded as in a URL. */
static json_t *path_json(const struct source_change *change)
{
	const struct kind *kind = kind_of_id(change->kind);
	const char *slash = change->path;
	char text[PATH_MAX_BYTES + 64];

	for (int i = 0; i < 2 && slash; i++)
		slash = strchr(slash + (i > 0), '/');
	if (!kind)
		return json_null();
	if (!kind->parent || !slash)
		snprintf(text, sizeof text, "%s/%s", kind->collection, change->path);
	else
		snprintf(text, sizeof text, "%s/%.*s/%s%s", kind->parent->collection,
			 (int)(slash - change->path), change->path, kind->collection, slash);
	return json_text(text);
}

static int on_change(void *context, const struct source_change *change)
{
	struct history *history = context;

	/* A page ends with a revision, whatever it has of edits. */
	if (history->count >= history->limit && change->revision != history->last) {
		history->more = true;
		return ERR_LIMIT;
	}
	history->last = change->revision;
	history->count++;
	json_add(history->array,
		 json_make("{s:I, s:o, s:o, s:o, s:o, s:o}", "revision",
			   (json_int_t)change->revision, "time", json_time(change->at_s), "who",
			   json_text(change->who), "path", path_json(change), "before",
			   values_json(change->before), "after", values_json(change->after)));
	return 0;
}

/* False: it is none, which has been answered. */
static bool read_after(struct api_request *request, uint64_t *after)
{
	const char *text = api_query(request, "after");
	char *end = NULL;

	*after = text ? strtoull(text, &end, 10) : 0;
	if (!text || (*text >= '0' && *text <= '9' && *end == '\0' && *after <= INT64_MAX))
		return true;
	api_fail_at(request, 400, "invalid", "after",
		    "\"%.32s\" does not fit; give a revision, or 0 for all", text);
	return false;
}

static json_t *history_json(const struct history *history)
{
	return json_make("{s:O, s:o}", "changes", history->array, "next",
			 history->more ? json_integer((json_int_t)history->last) : json_null());
}

void api_changes_list(struct api_request *request)
{
	static const char *const known[] = {"after", "limit", NULL};
	struct history history = {.limit = 0};
	struct change_error error;
	struct source *source;
	char text[SOURCE_ERROR_MAX];
	uint64_t after;

	if (!resource_check_query(request, known) || !read_after(request, &after) ||
	    !api_v1_limit(request, &history.limit))
		return;
	source = change_source(request->service->inventory, &error);
	if (!source) {
		api_fail_change(request, &error);
		return;
	}
	history.array = json_array();
	int err = source->calls->changes(source, after, on_change, &history, text);
	if (err && err != ERR_LIMIT)
		api_fail(request, 503, "store_failed", "%s", text);
	else
		api_reply_json(request, 200, history_json(&history), NULL);
	json_decref(history.array);
}
