/* /v1/changes: makes many edits of resources as one change, and shows past changes.
 *
 *     POST   {"edits": [{"path": "rulesets/-/office/rules/contoso", "values": {...} or null,
 *                        "etag": "..."}, ...], "revision": N, "undo": true}
 *            all edits in their order, or none. ?dry_run changes nothing; ?confirm=SECONDS: the
 *            change is undone unless it is confirmed by then; "revision": only if there was no
 *            change since that one; "undo": the edits undo another change
 *     GET    ?after=REVISION&limit=N, the oldest first; a week is kept, but at most
 *            STATE_CHANGES_MAX edits. With "Accept: text/event-stream" a stream: the changes since
 *            that revision, and then new ones, up to N edits if there is a limit
 *
 *     POST   /v1/plan, with the same body: changes nothing, and shows which of the most queried
 *            names (observe/plan.h) would be decided differently
 *
 * An edit's path is the resource's path after /v1/. Its values are the body of a PUT, or null for
 * a DELETE. "etag" is If-Match; "" means that the resource must not exist yet. A refusal has the
 * first wrong edit as its error, and all of them in "faults". The headers If-Match and
 * If-None-Match are about the whole state, whose revision is the ETag. */
#include "resolver/control/api/long_answer.h"
#include "resolver/control/api/path.h"
#include "resolver/control/api/precondition.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/http/stream.h"
#include "resolver/control/observe/plan.h"
#include "resolver/control/resource/change_words.h"
#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/resources.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/text.h"

enum {
	EDITS_MAX = 50000, /* enough to replace the largest zone by another one */
	EDITS_AT_ONCE = 1000,
};

struct posted {              /* the edits of a POST */
	struct work_job job; /* first; a thread frees large ones */
	struct work *work;
	struct api_request *request; /* until it is answered */
	struct change_error error;   /* the error of the present edit */
	struct faults refused;       /* faults of wrong edits */
	struct resource_edit *edits;
	struct api_path *paths; /* hold the segments of the edits' paths */
	json_t **values;
	size_t count;
	bool undo;
	bool dry_run;
	json_t *questions, *plan; /* of a plan (observe/plan.h), else NULL */
};

/* Members that only GET /v1/export adds are accepted, so that its edits can be sent unchanged. */
static const char *const edit_members[] = {"path", "values", "etag", "origin", NULL};
static const char *const body_members[] = {"edits", "revision", "undo", "made", "settings", NULL};

/* ---- reading ---- */

static bool refuse(struct posted *posted, size_t index, const char *key, const char *text)
{
	char field[CHANGE_FIELD_MAX];

	snprintf(field, sizeof field, "edits[%zu].%s", index, key);
	change_refuse(&posted->error, field, "%s", text);
	return false;
}

static bool no_memory(struct posted *posted)
{
	(void)change_no_memory(&posted->error);
	return false;
}

/* Reads a path such as "addresses/office/mail", "services/-/app" or "ptrs/ID". */
static bool read_owned_path(const struct api_path *path, struct path *to)
{
	const struct kind *kind = path->count > 1 ? kind_beside(path->segments[0]) : NULL;
	bool is_ptr = kind && kind->id == KIND_PTR;

	if (!kind || path->count != (is_ptr ? 2 : 3) ||
	    (kind->id != KIND_ADDRESS && !is_ptr && strcmp(path->segments[1], GROUP_NONE) != 0))
		return false;
	*to = (struct path){kind,
			    is_ptr ? GROUP_NONE : path->segments[1],
			    {path->segments[path->count - 1], NULL}};
	return true;
}

/* Reads a path such as "rulesets/-/office/rules/contoso". */
static bool read_edit_path(struct posted *posted, size_t index, const char *text)
{
	struct api_path *path = &posted->paths[index];
	struct path *to = &posted->edits[index].path;
	const struct kind *kind = NULL;
	char why[PART_WHY_MAX];
	int err = text ? api_path_init(path, text) : ERR_INVALID;

	if (err == ERR_NOMEM)
		return no_memory(posted);
	if (err)
		path->count = 0;
	if (read_owned_path(path, to))
		return true;
	if (path->count == 3 || path->count == 5)
		kind = kind_of_collection(NULL, path->segments[0]);
	if (kind && path->count == 5)
		kind = kind_of_collection(kind, path->segments[3]);
	if (!kind)
		return refuse(posted, index, "path",
			      "is not a resource's; give KIND/GROUP/NAME or "
			      "KIND/GROUP/NAME/KIND/NAME, as in "
			      "rulesets/-/office/rules/contoso; \"-\" is no group, as of "
			      "services/-/NAME and groups/-/NAME; a PTR is ptrs/ID");
	*to = (struct path){kind, path->segments[1], {path->segments[2], NULL}};
	if (path->count == 5)
		to->names[1] = path->segments[4];
	if (part_normalize(api_model(posted->request), to, &posted->request->arena) != 0)
		return no_memory(posted);
	to->group = resource_group(posted->request, to, why);
	return to->group || refuse(posted, index, "path", why);
}

/* Finds a member that is not known, because a misspelt "etag" must not be ignored. NULL: all are
 * known. */
static const char *unknown_member(const json_t *object, const char *const *known)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (!text_is_among(key, known))
			return key;
	}
	return NULL;
}

static bool read_edit(struct posted *posted, size_t index, const json_t *edit)
{
	const json_t *values = json_object_get(edit, "values");
	const json_t *etag = json_object_get(edit, "etag");
	const char *wanted = json_string_value(etag), *member, *why;
	struct resource_edit *to = &posted->edits[index];
	char key[32], path[PATH_MAX_BYTES];

	if (!json_is_object(edit))
		return refuse(posted, index, "path", "is missing; an edit is an object");
	member = unknown_member(edit, edit_members);
	if (member)
		return refuse(posted, index, member,
			      "is not known here; an edit has path, values and etag");
	if (!read_edit_path(posted, index, json_string_value(json_object_get(edit, "path"))))
		return false;
	if (path_key(&to->path, path) != 0)
		return refuse(posted, index, "path", "is too long; give shorter names");
	if (!values || (!json_is_object(values) && !json_is_null(values)))
		return refuse(posted, index, "values",
			      "is missing; give an object, or null to remove the resource");
	if (etag && !wanted)
		return refuse(posted, index, "etag", "must be a string");
	if (!resource_may_change(posted->request, &to->path, json_is_null(values),
				 wanted && *wanted ? wanted : NULL, wanted && !*wanted ? "*" : NULL,
				 &posted->error)) {
		change_error_place(&posted->error, "edits", index);
		return false;
	}
	if (json_is_null(values))
		return true;
	if (kind_is_beside(to->path.kind)) {
		to->values = values;
		return true;
	}
	posted->values[index] = resource_values(&to->path, values, &member, &why);
	to->values = posted->values[index];
	if (to->values)
		return true;
	if (!member)
		return no_memory(posted);
	snprintf(key, sizeof key, "values.%s", member);
	return refuse(posted, index, key, why);
}

static void free_edits(void *context)
{
	struct posted *posted = context;

	for (size_t i = 0; i < posted->count; i++) {
		api_path_release(&posted->paths[i]);
		json_decref(posted->values[i]);
	}
	free(posted->edits);
	free(posted->paths);
	free(posted->values);
	json_decref(posted->questions);
	json_decref(posted->plan);
	faults_release(&posted->refused);
}

static void free_posted(void *context)
{
	free(context);
}

static void posted_free(struct posted *posted)
{
	if (posted->count >= SERVICE_LARGE &&
	    work_beside_in_thread(posted->work, &posted->job, free_edits, free_posted))
		return;
	free_edits(posted);
	free(posted);
}

static bool read_undo(struct posted *posted)
{
	const json_t *undo = json_object_get(posted->request->body, "undo");

	posted->undo = json_is_true(undo);
	if (!undo || json_is_boolean(undo))
		return true;
	api_fail_at(posted->request, 400, "invalid", "undo", "must be true or false");
	return false;
}

/* False: the body as a whole is invalid, and the request has been answered. */
static bool check_body(struct posted *posted)
{
	const json_t *edits = json_object_get(posted->request->body, "edits");
	const char *other = unknown_member(posted->request->body, body_members);
	size_t count = json_array_size(edits);

	if (other)
		api_fail_at(
			posted->request, 400, "invalid", other,
			"is not known here; give edits, revision and undo; dry_run and confirm are "
			"of the query");
	else if (count > EDITS_MAX)
		api_fail_at(posted->request, 400, "invalid", "edits",
			    "are %zu, and a change has at most %d; make several changes, or let "
			    "the configuration file include what is so large",
			    count, EDITS_MAX);
	else if (!json_is_array(edits) || count == 0)
		api_fail_at(posted->request, 400, "invalid", "edits",
			    "must be an array of 1 to %d edits", EDITS_MAX);
	else
		return read_undo(posted);
	return false;
}

static void note_refused(struct posted *posted, const struct change_error *error)
{
	struct origin origin = {.path = error->field};

	fault_add(&posted->refused, FAULT_ERROR, &origin, NULL, "%s", error->text);
}

/* The `refuse` of a service_change. */
static void refuse_edit(void *context, size_t index, const struct change_error *error)
{
	struct change_error placed = *error;

	change_error_place(&placed, "edits", index);
	note_refused(context, &placed);
}

/* The `read` of a service_change. */
static int read_edits(void *context, struct resources *resources, struct service_change *change)
{
	struct posted *posted = context;
	const json_t *edits = json_object_get(posted->request->body, "edits"), *edit;
	size_t count = json_array_size(edits), i;
	bool fits = true;

	posted->edits = calloc(count, sizeof *posted->edits);
	posted->paths = calloc(count, sizeof *posted->paths);
	posted->values = calloc(count, sizeof(*posted->values));
	if (!posted->edits || !posted->paths || !posted->values)
		return change_no_memory(&change->error);
	posted->count = count;
	posted->request->aside = resources;
	json_array_foreach(edits, i, edit)
	{
		posted->error.outcome = CHANGE_FINE;
		if (!read_edit(posted, i, edit)) {
			if (fits)
				change->error = posted->error;
			fits = false;
			if (!change_error_is_of_edit(&posted->error))
				break;
			note_refused(posted, &posted->error);
		}
		if (i % EDITS_AT_ONCE == EDITS_AT_ONCE - 1)
			resources_forget(resources);
	}
	posted->request->aside = NULL;
	change->edits = posted->edits;
	change->count = count;
	return fits ? 0 : ERR_INVALID;
}

static int on_later(void *context, const struct source_change *change)
{
	struct change_error *error = context;

	change_say(error, CHANGE_STALE, "revision",
		   "there is a later change, revision %llu by %s; look again and retry",
		   (unsigned long long)change->revision, change->who);
	return ERR_EXISTS;
}

static int on_oldest(void *context, const struct source_change *change)
{
	uint64_t *oldest = context;

	*oldest = change->revision;
	return ERR_LIMIT;
}

/* Checks that the state knows the revision. Otherwise "no later change" proves nothing: the history
 * may be too short, or an older state may have replaced the client's. */
static void check_known(struct source *source, uint64_t revision, struct change_error *error)
{
	uint64_t oldest = UINT64_MAX;
	struct source_about about;
	char text[SOURCE_ERROR_MAX];
	int err = 0;

	source_about(source, &about);
	if (revision < about.revision)
		err = source->calls->changes(source, source_after(0), on_oldest, &oldest, text);
	if (err && err != ERR_LIMIT)
		change_say(error, CHANGE_STORE, NULL, "%s", text);
	else if (revision > about.revision)
		change_say(error, CHANGE_STALE, "revision",
			   "the state is at revision %llu only; look again and retry",
			   (unsigned long long)about.revision);
	else if (revision < about.revision && revision < oldest)
		change_say(error, CHANGE_STALE, "revision",
			   "the history does not reach back to it, and the state is at revision "
			   "%llu; look again and retry",
			   (unsigned long long)about.revision);
}

/* Checks that the revision in the body, if there is one, is the latest; false: it is not, and the
 * request has been answered. */
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
	source = change_source(resources_store(request->service->resources), &error);
	if (source &&
	    source->calls->changes(source, source_after((uint64_t)json_integer_value(revision)),
				   on_later, &error, text) != 0 &&
	    error.outcome == CHANGE_FINE)
		change_say(&error, CHANGE_STORE, NULL, "%s", text);
	if (source && error.outcome == CHANGE_FINE)
		check_known(source, (uint64_t)json_integer_value(revision), &error);
	if (error.outcome == CHANGE_FINE)
		return true;
	api_fail_change(request, &error);
	return false;
}

/* The etag of the whole state; NULL: there is no state, and `error` has the reason. */
static char *etag_of_all(const struct api_request *request, char text[ETAG_MAX],
			 struct change_error *error)
{
	struct source *source = change_reader(resources_store(request->service->resources), error);
	struct source_about about;

	if (!source)
		return NULL;
	source_about(source, &about);
	return etag_print(about.revision, 0, 0, text);
}

/* Checks the headers If-Match and If-None-Match against the whole state; false: they are not met,
 * and the request has been answered. */
static bool is_matched(struct api_request *request)
{
	char etag[ETAG_MAX], text[PRECONDITION_TEXT_MAX];
	struct change_error error;

	if (!request->if_match && !request->if_none_match)
		return true;
	if (etag_of_all(request, etag, &error)) {
		if (precondition_check(etag, request->if_match, request->if_none_match, text) == 0)
			return true;
		change_say(&error, CHANGE_STALE, NULL, "%s", text);
	}
	api_fail_change(request, &error);
	return false;
}

/* ---- making the change ---- */

static void log_made(const struct posted *posted, uint64_t revision, const char *more)
{
	const char *s = text_plural(posted->count, "", "s");
	char shown[128];

	snprintf(shown, sizeof shown, "revision %llu: %zu edit%s%s", (unsigned long long)revision,
		 posted->count, s, more);
	log_event_guarded(LOG_INFO, "change", shown, "revision %llu by %s: %zu edit%s%s",
			  (unsigned long long)revision, posted->request->who, posted->count, s,
			  more);
}

/* Takes ownership of unconfirmed; NULL: the change needs no confirmation. */
static void answer_made(struct posted *posted, bool is_rehearsal, uint64_t revision,
			json_t *warnings, json_t *unconfirmed)
{
	struct change_error unused;
	char etag[ETAG_MAX];

	if (!is_rehearsal)
		log_made(posted, revision, unconfirmed ? ", to be confirmed" : "");
	api_reply_json(posted->request, 200,
		       json_make("{s:o, s:b, s:I, s:o, s:o}", "revision",
				 is_rehearsal ? json_null() : json_integer((json_int_t)revision),
				 "dry_run", is_rehearsal, "edits", (json_int_t)posted->count,
				 "warnings", warnings, "unconfirmed",
				 unconfirmed ? unconfirmed : json_null()),
		       is_rehearsal ? etag_of_all(posted->request, etag, &unused)
				    : etag_print(revision, 0, 0, etag));
}

/* policy NULL: the change has only resources such as addresses, which decide no name, so the plan
 * stays empty. */
static void note_plan(void *context, struct resources *unused, const struct policy *policy)
{
	struct posted *posted = context;

	(void)unused;
	if (!policy)
		return;
	json_decref(posted->plan);
	posted->plan = plan_changes(posted->questions, policy);
}

/* Takes ownership of warnings. */
static void answer_plan(struct posted *posted, json_t *warnings)
{
	if (posted->plan) {
		api_reply_json(posted->request, 200,
			       json_make("{s:I, s:O, s:o}", "names",
					 (json_int_t)json_array_size(posted->questions), "changes",
					 posted->plan, "warnings", warnings),
			       NULL);
	} else {
		json_decref(warnings);
		api_fail_memory(posted->request);
	}
}

static void on_changed(void *context, int err, const struct service_change *change,
		       const struct faults *faults)
{
	struct posted *posted = context;
	struct api_request *request = posted->request;
	const struct confirmation *confirmation = &request->service->confirmation;
	struct change_error error = change->error;

	if (err == ERR_INVALID && change->failed != NO_EDIT)
		change_error_place(&error, "edits", change->failed);
	if (err == ERR_INVALID && posted->refused.errors > 1 && change_error_is_of_edit(&error))
		api_fail_faults(request, api_change_status(&error), api_v1_change_code(&error),
				&posted->refused);
	else if (err == ERR_INVALID)
		api_fail_change(request, &error);
	else if (err != 0)
		api_fail_faults(request, 400, "invalid", faults);
	else if (posted->questions)
		answer_plan(posted, resource_warnings(faults, "", change->checked));
	else
		answer_made(posted, change->rehearsal, change->revision,
			    resource_warnings(faults, "", change->checked),
			    change->wait_s > 0
				    ? unconfirmed_json(&confirmation->waiting, NULL, false)
				    : NULL);
	posted_free(posted);
}

/* Makes the change; for a plan or with ?dry_run, only rehearses it. Takes ownership of `posted`. */
static void change(struct posted *posted, unsigned wait_s)
{
	struct api_request *request = posted->request;
	const json_t *edits = json_object_get(request->body, "edits");
	struct service_change wanted = {.read = read_edits,
					.large = json_array_size(edits) >= SERVICE_LARGE,
					.who = request->who,
					.undo = posted->undo,
					.rehearsal = posted->questions || posted->dry_run,
					.look = posted->questions ? note_plan : NULL,
					.refuse = refuse_edit,
					.context = posted,
					.wait_s = wait_s};

	/* A read of another request that failed while this one waited must not fail this change. */
	resources_forget(request->service->resources);
	service_commit(request->service, &wanted, on_changed, posted);
}

/* A rehearsal is allowed while another change waits to be confirmed. False: the request has been
 * answered. */
static bool may_post(const struct posted *posted, unsigned *wait_s)
{
	struct api_request *request = posted->request;

	*wait_s = 0;
	if (!posted->dry_run)
		return api_may_change(request) && api_query_confirm(request, wait_s);
	if (!api_query(request, "confirm"))
		return true;
	api_fail_at(request, 400, "invalid", "confirm",
		    "has no meaning where nothing is changed; leave it or dry_run out");
	return false;
}

void api_changes_post(struct api_request *request)
{
	struct posted *posted = calloc(1, sizeof *posted);
	unsigned wait_s;

	if (!posted) {
		api_fail_memory(request);
		return;
	}
	posted->request = request;
	posted->work = &request->service->work;
	faults_init(&posted->refused);
	if (!api_query_flag(request, "dry_run", &posted->dry_run) || !may_post(posted, &wait_s) ||
	    !is_matched(request) || !is_latest(request) || !check_body(posted))
		posted_free(posted);
	else
		change(posted, wait_s);
}

static void plan_again(struct work_waiter *waiter)
{
	struct posted *posted = api_request_of(waiter)->state;

	if (api_still_may(posted->request))
		change(posted, 0);
	else
		posted_free(posted);
}

static void on_question(void *context, json_t *question)
{
	const struct posted *posted = context;

	json_add(posted->questions, question);
}

/* A longer change may have begun while the questions were read, so wait for its end. */
static void on_questions(void *context, bool whole)
{
	struct posted *posted = context;
	struct api_request *request = posted->request;

	request->state = posted;
	if (whole) {
		if (!work_wait(&request->service->work, &request->waiter, plan_again))
			plan_again(&request->waiter);
		return;
	}
	if (request->service->ending)
		api_fail_ending(request);
	else
		api_fail_memory(request);
	posted_free(posted);
}

void api_plan(struct api_request *request)
{
	struct posted *posted = calloc(1, sizeof *posted);
	const struct plan_reader reader = {on_question, on_questions, posted};
	size_t limit;
	int err;

	if (!posted) {
		api_fail_memory(request);
		return;
	}
	posted->request = request;
	posted->work = &request->service->work;
	faults_init(&posted->refused);
	posted->plan = json_array();
	posted->questions = json_array();
	if (!api_v1_limit(request, &limit) || !api_v1_is_serving(request) || !check_body(posted)) {
		posted_free(posted);
		return;
	}
	err = plan_begin(request->service, limit, &reader);
	if (!err)
		return;
	if (err == ERR_NOMEM)
		api_fail_memory(request);
	else
		api_fail_ending(request);
	posted_free(posted);
}

/* ---- past changes ---- */

static json_t *values_json(const char *text)
{
	json_t *values = text ? json_loads(text, 0, NULL) : NULL;

	return values ? values : json_null();
}

static json_t *path_json(const struct source_change *change)
{
	const struct kind *kind = kind_of_id(change->kind);
	char text[PATH_URL_MAX];

	return kind ? json_text(key_url(kind, change->path, text)) : json_null();
}

/* Splits "uid 0 (says anna)" into the peer and the login name that it claims. */
static void put_who(json_t *object, const char *who)
{
	const char *says = strncmp(who, "uid ", 4) == 0 ? strstr(who, API_LOGIN_SAYS) : NULL;
	const char *login = says ? says + strlen(API_LOGIN_SAYS) : "";
	size_t length = strcspn(login, ")");

	if (!says) {
		json_put(object, "who", json_text(who));
		return;
	}
	/* A remark may follow, such as ", not confirmed". */
	json_put(object, "who",
		 json_sprintf("%.*s%s", (int)(says - who), who,
			      login + length + (login[length] == ')')));
	json_put(object, "login", json_stringn(login, length));
}

/* guarded: the reader is no administrator, so clients' names are left out. */
static json_t *change_json(const struct source_change *change, bool guarded)
{
	json_t *object = json_make(
		"{s:I, s:o, s:n, s:n, s:o, s:o, s:o}", "revision", (json_int_t)change->revision,
		"time", json_time(change->at_s), "who", "login", "path", path_json(change),
		"before", values_json(change->before), "after", values_json(change->after));

	if (object && !guarded)
		put_who(object, change->who);
	if (object)
		change_words_put(object);
	return object;
}

/* Is the resource of a kind that only administrators may see? */
static bool is_guarded(const struct source_change *change)
{
	const struct kind *kind = kind_of_id(change->kind);

	return !kind || kind->guarded;
}

/* All edits of a revision are on one page, whatever their number, so a page may be as long as an
 * export. */
struct history_page {
	struct api_long_answer answer;
	struct json_writer writer;
	bool guarded; /* leave out kinds that only administrators may see */
	uint64_t after, last;
	size_t count, limit;
	bool more;
};

static struct history_page *history_of(struct api_long_answer *answer)
{
	return container_of(answer, struct history_page, answer);
}

static int on_change(void *context, const struct source_change *change)
{
	struct history_page *history = context;

	if (history->guarded && is_guarded(change))
		return 0;
	if (history->count >= history->limit && change->revision != history->last) {
		history->more = true;
		return ERR_LIMIT;
	}
	history->last = change->revision;
	history->count++;
	json_writer_row(&history->writer, change_json(change, history->guarded));
	return json_writer_has_failed(&history->writer) ? ERR_NOMEM : 0;
}

static char *write_history(struct api_long_answer *answer, size_t *length) /* in a thread */
{
	struct history_page *history = history_of(answer);
	const struct store *store = resources_store(answer->resources);
	char error[SOURCE_ERROR_MAX];
	int err = ERR_SYSTEM;

	snprintf(error, sizeof error, "%s", store->error);
	if (!json_writer_begin(&history->writer, ",", JSON_COMPACT))
		return NULL;
	json_writer_list(&history->writer, "{\"changes\":[");
	if (store->source)
		err = store->source->calls->changes(store->source, source_after(history->after),
						    on_change, history, error);
	if (err && err != ERR_LIMIT && err != ERR_NOMEM)
		snprintf(answer->why, sizeof answer->why, "%s", error);
	if (err && err != ERR_LIMIT)
		json_writer_fail(&history->writer);
	fputs("],\"next\":", history->writer.out);
	json_writer_value(&history->writer,
			  history->more ? json_integer((json_int_t)history->last) : json_null());
	fputc('}', history->writer.out);
	return json_writer_end(&history->writer, length);
}

static void free_history(struct api_long_answer *answer)
{
	free(history_of(answer));
}

static void list_changes(struct api_request *request, uint64_t after, size_t limit)
{
	struct history_page *history = calloc(1, sizeof *history);

	if (!history) {
		api_fail_memory(request);
		return;
	}
	*history = (struct history_page){
		.answer = {.request = request, .write = write_history, .free = free_history},
		.guarded = request->role != ROLE_ADMIN,
		.after = after,
		.limit = limit};
	api_answer_long(&history->answer);
}

/* ---- changes as a stream ---- */

struct watch { /* the place of a stream in the history */
	struct service *service;
	bool guarded;
	struct source_place after; /* edits up to here were sent, or are hidden from the client */
};

struct watching { /* the events of a stream, while they are written */
	bool guarded;
	FILE *out;
	struct source_place read; /* the last edit read */
	json_t *held; /* the last edit, until it is known whether its revision shows more */
};

/* Writes the edit that is held. In each revision only the last edit that the client may see has an
 * id, so a client that resumes after that id misses nothing and gets nothing twice. */
static void let_go(struct watching *watching, bool ends)
{
	if (watching->held)
		http_stream_event(watching->out, ends ? watching->read.revision : 0,
				  watching->held);
	watching->held = NULL;
}

static int on_watched(void *context, const struct source_change *change)
{
	struct watching *watching = context;
	bool is_hidden = watching->guarded && is_guarded(change);
	bool is_next = watching->read.revision != change->revision; /* the next revision begins */

	if (is_next)
		let_go(watching, true);
	if (is_next || !is_hidden) {
		if (ftell(watching->out) > HTTP_STREAM_BUFFER)
			return ERR_LIMIT;
		let_go(watching, false);
	}
	watching->read = (struct source_place){change->revision, change->edit};
	if (!is_hidden)
		watching->held = change_json(change, watching->guarded);
	return 0;
}

static char *watch_next(void *context, size_t *length)
{
	struct watch *watch = context;
	struct watching watching = {.guarded = watch->guarded, .read = watch->after};
	struct change_error unused;
	struct source *source = change_reader(resources_store(watch->service->resources), &unused);
	char *text = NULL, error[SOURCE_ERROR_MAX];
	int err;

	watching.out = source ? open_memstream(&text, length) : NULL;
	if (!watching.out)
		return NULL;
	err = source->calls->changes(source, watch->after, on_watched, &watching, error);
	let_go(&watching, !err);
	if (fclose(watching.out) == 0 && (!err || err == ERR_LIMIT)) {
		watch->after = watching.read;
		if (*length > 0)
			return text;
	}
	free(text); /* a read that failed is tried again next time */
	return NULL;
}

/* Begins after the client's last event or ?after; without either, with new changes. */
static void answer_stream(struct api_request *request, struct source *source)
{
	const char *last = api_header(request, "Last-Event-ID");
	const char *text = last && *last ? last : api_query(request, "after");
	struct http_stream_source stream = {.next = watch_next, .release = free};
	struct source_about about;
	struct watch *watch;
	uint64_t after;

	if (!api_v1_after(request, text, &after) || !api_v1_stream_limit(request, &stream.limit))
		return;
	source_about(source, &about);
	watch = calloc(1, sizeof *watch);
	if (!watch) {
		api_fail_memory(request);
		return;
	}
	*watch = (struct watch){.service = request->service,
				.guarded = request->role != ROLE_ADMIN,
				.after = source_after(text ? after : about.revision)};
	stream.context = watch;
	api_reply_stream(request, &stream);
}

static void answer_page(struct api_request *request)
{
	struct change_error unused;
	char etag[ETAG_MAX];
	uint64_t after;
	size_t limit;

	if (!api_v1_after(request, api_query(request, "after"), &after) ||
	    !api_v1_limit(request, &limit))
		return;
	if (!etag_of_all(request, etag, &unused) || !api_not_modified(request, etag))
		list_changes(request, after, limit);
}

void api_changes_list(struct api_request *request)
{
	struct source *source = resources_store(request->service->resources)->source;
	struct change_error error;

	if (!source) {
		(void)change_reader(resources_store(request->service->resources),
				    &error); /* sets the reason */
		api_fail_change(request, &error);
	} else if (api_accepts(request, "text/event-stream")) {
		answer_stream(request, source);
	} else {
		answer_page(request);
	}
}
