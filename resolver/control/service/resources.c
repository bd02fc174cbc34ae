/* A change of resources goes through the state twice, because nothing may hold a transaction open
 * while other calls of the store are made:
 *
 *     begin ─► put, ... ─► the parts of the model, read as they would be ─► roll_back
 *     record sets ─► place, complete, check ─► sockets opened, policy compiled    (faults, or a
 *     begin ─► put, ... ─► commit ─► published                                     rehearsal:
 *                                                                                  the end)
 *
 * Between the two the state may have been written to by another program, which the second begin
 * sees. Record sets need no first time: the change says all of them, and the zone that they are put
 * into (resource/zones.h) has the rest. A change of nothing else is one of the model that is
 * served. Nor do addresses, services, PTRs and groups, which are no part of the model
 * (resource/change.h): they are checked beside the model as it will be, within the second
 * transaction, and published right behind it. */
#include <strings.h>
#include <time.h>

#include "resolver/control/base/percent.h"
#include "resolver/control/resource/addresses.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/resource/zones.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "rules/policy/reverse_zones.h"
#include "rules/schema/reference.h"

/* ---- what is written ---- */

static int on_child(void *paths, const struct source_resource *resource)
{
	return json_array_append_new(paths, json_string(resource->path)) == 0 ? 0 : ERR_NOMEM;
}

/* All of that kind that is inside what has the key goes. */
static int remove_inside(struct source *source, const struct kind *kind, const char *key,
			 char error[SOURCE_ERROR_MAX])
{
	json_t *paths = json_array();
	struct key_range range;
	int err;

	key_range_inside(&range, key);
	err = source->calls->resources(source, kind->id, range.from, range.to, on_child, paths,
				       error);
	for (size_t i = 0; !err && i < json_array_size(paths); i++)
		err = source->calls->put(source, kind->id,
					 json_string_value(json_array_get(paths, i)), NULL, NULL,
					 error);
	json_decref(paths);
	return err;
}

/* Of a change that takes another back: what that put inside has edits of its own, and what was
 * there before, for something of that name in the file, stays. */
static bool takes_back(const struct service_change *change)
{
	return change->undo || change->again;
}

/* `values`: of the row; NULL: it goes. */
static int write_edit(struct source *source, const struct service_edit *edit, const json_t *values,
		      bool alone, char error[SOURCE_ERROR_MAX])
{
	char *json = values ? json_dumps(values, JSON_COMPACT) : NULL;
	char key[PATH_MAX_BYTES];
	int err = path_key(&edit->path, key);

	if (!err && values && !json)
		err = ERR_NOMEM;
	if (!err)
		err = source->calls->put(source, edit->path.kind->id, key, json, NULL, error);
	for (size_t i = 0; !err && !json && !alone && i < KIND_COUNT; i++)
		if (kinds[i].parent == edit->path.kind)
			err = remove_inside(source, &kinds[i], key, error);
	free(json);
	return err;
}

static int say(struct service_change *change, int err, const char *error)
{
	if (err == ERR_LIMIT)
		return change_say(&change->error, CHANGE_INVALID, NULL,
				  "the path is too long; give shorter names");
	return change_say(&change->error, err == ERR_NOMEM ? CHANGE_NO_MEMORY : CHANGE_STORE, NULL,
			  "%s", *error ? error : err_text(err));
}

static bool is_written(const struct kind *kind, bool bulk)
{
	return !kind->inventory && (bulk || !kind->bulk);
}

/* The values of the rows that the edits write: those that were given, until references are written
 * in full. */
struct edit_rows {
	json_t **values; /* by the edits; NULL: the one that was given */
	bool any;        /* of them is another one */
};

static void rows_release(struct edit_rows *rows, const struct service_change *change)
{
	for (size_t i = 0; rows->values && i < change->count; i++)
		json_decref(rows->values[i]);
	free(rows->values);
}

/* Each reference means the same from then on, whatever comes later. `model`: with the edits. */
static int rows_refer(struct edit_rows *rows, const struct service_change *change,
		      const struct model *model)
{
	int err = 0;

	rows->values = calloc(change->count, sizeof *rows->values);
	if (!rows->values)
		return ERR_NOMEM;
	for (size_t i = 0; !err && i < change->count; i++) {
		const struct service_edit *edit = &change->edits[i];
		bool changed = false;

		if (!edit->values || !is_written(edit->path.kind, false))
			continue;
		rows->values[i] = json_deep_copy(edit->values);
		err = rows->values[i] ? values_refer(edit->path.kind, edit->path.group, model,
						     rows->values[i], &changed)
				      : ERR_NOMEM;
		rows->any |= changed;
	}
	return err;
}

/* Begins a transaction with the edits of the model in it, all or without those in bulk; where that
 * fails there is none. */
static int write_edits(struct source *source, struct service_change *change,
		       const struct edit_rows *rows, bool all)
{
	char error[SOURCE_ERROR_MAX] = "";
	int err = source->calls->begin(source, change->who, &change->revision, error);

	for (size_t i = 0; !err && i < change->count; i++) {
		const struct service_edit *edit = &change->edits[i];
		const json_t *referring = rows->values ? rows->values[i] : NULL;

		if (is_written(edit->path.kind, all))
			err = write_edit(source, edit, referring ? referring : edit->values,
					 takes_back(change), error);
	}
	if (!err)
		return 0;
	source->calls->roll_back(source);
	return say(change, err, error);
}

/* ---- what it would make ---- */

/* Orders edits by what they are in, at the top. */
static int compare_roots(const struct path *left, const struct path *right)
{
	const struct kind *one = left->kind->parent ? left->kind->parent : left->kind;
	const struct kind *two = right->kind->parent ? right->kind->parent : right->kind;
	int order;

	if (one != two)
		return one->id < two->id ? -1 : 1;
	order = strcasecmp(left->names[0], right->names[0]);
	return order != 0 ? order : strcasecmp(left->group, right->group);
}

/* Edits of one item at the top, or inside it, stay in their order. */
static int compare_edits(const void *a, const void *b)
{
	const struct path *left = *(const struct path *const *)a;
	const struct path *right = *(const struct path *const *)b;
	int order = compare_roots(left, right);

	return order != 0 ? order : (left > right) - (left < right);
}

/* The edits of what is at the top of a model, or inside that. */
struct about {
	const struct path **paths; /* by what they are in, and then in their order */
	size_t count;
	const struct service_edit **removals; /* of what is at the top, by that */
	size_t removal_count;
};

static void about_release(struct about *about)
{
	free(about->paths);
	free(about->removals);
}

static int sort_edits(struct about *about, const struct service_change *change)
{
	const struct path **paths = reallocarray(NULL, change->count + 1, sizeof *paths);
	const struct service_edit **removals =
		reallocarray(NULL, change->count + 1, sizeof *removals);

	*about = (struct about){.paths = paths, .removals = removals};
	if (!paths || !removals)
		return ERR_NOMEM;
	for (size_t i = 0; i < change->count; i++)
		if (is_written(change->edits[i].path.kind, false))
			paths[about->count++] = &change->edits[i].path;
	if (about->count > 0)
		qsort(paths, about->count, sizeof *paths, compare_edits);
	for (size_t i = 0; i < about->count; i++) {
		const struct service_edit *edit =
			container_of(paths[i], const struct service_edit, path);

		if (!edit->path.kind->parent && !edit->values)
			removals[about->removal_count++] = edit;
	}
	return 0;
}

/* Where the paths end that are in the same as the one at `first`. */
static size_t end_of_root(const struct about *about, size_t first)
{
	size_t end = first + 1;

	while (end < about->count && compare_roots(about->paths[first], about->paths[end]) == 0)
		end++;
	return end;
}

/* Whether an edit behind `after` (NULL: any) removes what the path is in. */
static bool is_removed(const struct about *about, const struct path *path,
		       const struct service_edit *after)
{
	const struct service_edit *const *removals = about->removals;
	size_t low = 0, high = about->removal_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_roots(&removals[middle]->path, path) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && compare_roots(&removals[low - 1]->path, path) == 0 &&
	       (!after || removals[low - 1] > after);
}

static int on_values(void *context, const struct source_resource *resource)
{
	json_t **values = context;

	*values = json_loads(resource->json, 0, NULL);
	return *values ? 0 : ERR_INVALID;
}

static int find_values(struct source *source, const struct path *path, json_t **values,
		       char error[SOURCE_ERROR_MAX])
{
	struct key_range range;
	char key[PATH_MAX_BYTES];
	int err = path_key(path, key);

	*values = NULL;
	*error = '\0';
	if (err)
		return err;
	key_range_alone(&range, key);
	err = source->calls->resources(source, path->kind->id, range.from, range.to, on_values,
				       values, error);
	if (err == ERR_INVALID)
		snprintf(error, SOURCE_ERROR_MAX,
			 "its values in the state are no JSON; put it anew");
	return err;
}

/* Whether the last word on it in the change is that it is there. */
static bool stays(struct source *source, const struct path *path)
{
	char error[SOURCE_ERROR_MAX];
	json_t *values;
	bool found = find_values(source, path, &values, error) == 0 && values;

	json_decref(values);
	return found;
}

/* What is to be inside something has to have that. */
static void check_parents(const struct service_change *change, const struct about *about,
			  struct source *source, const struct model *model, struct faults *faults)
{
	for (size_t i = 0; i < change->count; i++) {
		const struct service_edit *edit = &change->edits[i];
		struct path root;

		if (!edit->values || !edit->path.kind->parent || edit->path.kind->bulk ||
		    is_removed(about, &edit->path, edit))
			continue;
		root = part_root(&edit->path);
		if (part_find(model, &root) || !stays(source, &edit->path))
			continue;
		part_refuse_orphan(model, &edit->path, faults);
	}
}

/* Reads what the edits are about again, from the rows of the open transaction. Each row that does
 * not fit is a fault. */
static int read_parts(struct parts *parts, const struct about *about, struct source *source,
		      const struct service_change *change, const struct model *declared,
		      struct faults *faults, char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	for (size_t i = 0, end; (!err || err == ERR_FAULTS) && i < about->count; i = end) {
		bool whole = takes_back(change) || is_removed(about, about->paths[i], NULL);
		int failed;

		end = end_of_root(about, i);
		failed = parts_refresh(parts, source, about->paths + i, end - i, whole,
				       change->revision, declared, faults, error);
		err = failed ? failed : err;
	}
	return err;
}

/* Zones say what they said before the edits. One that is made has the rows that were kept while it
 * was not there. */
static int read_zones(struct service *service, struct model *model, const struct about *about,
		      struct parts *parts, struct source *source, struct faults *faults,
		      char error[SOURCE_ERROR_MAX])
{
	const struct model *now = service->server.model;
	int err = 0;

	zones_keep(model, now);
	for (size_t i = 0; (!err || err == ERR_FAULTS) && i < about->count;
	     i = end_of_root(about, i)) {
		const struct path root = part_root(about->paths[i]);
		int failed = 0;

		if (!part_find(now, &root) || is_removed(about, &root, NULL))
			failed = zones_read(model, parts, source, &service->load.key, &root,
					    (uint64_t)time(NULL), faults, error);
		err = failed ? failed : err;
	}
	return err;
}

/* The record sets, in the order of the edits. What is in something that goes later goes with it. */
static int put_sets(struct model *model, const struct service_change *change,
		    const struct about *about, struct faults *faults)
{
	struct zones_draft *draft = zones_edit(model);
	int err = draft ? 0 : ERR_NOMEM, failed;

	for (size_t i = 0; err != ERR_NOMEM && i < change->count; i++) {
		const struct service_edit *edit = &change->edits[i];

		if (!edit->path.kind->bulk || is_removed(about, &edit->path, edit))
			continue;
		failed = zones_put(draft, &edit->path, edit->values, faults);
		err = failed ? failed : err;
	}
	if (err == ERR_NOMEM) {
		zones_discard(draft);
		return err;
	}
	failed = zones_commit(draft, (uint64_t)time(NULL), faults);
	return err ? err : failed;
}

/* Nothing of the model itself. */
static bool is_bulk(const struct service_change *change)
{
	for (size_t i = 0; i < change->count; i++)
		if (is_written(change->edits[i].path.kind, false))
			return false;
	return true;
}

/* The parts and the model that the rows make, by a transaction that is rolled back. NULL: error or
 * faults say why. */
static struct model *compose_once(struct service *service, struct source *source,
				  struct service_change *change, const struct about *about,
				  struct parts *parts, const struct edit_rows *rows,
				  struct faults *faults)
{
	struct model *declared = load_declared(service->server.model), *model = NULL;
	char error[SOURCE_ERROR_MAX] = "";
	int err;

	if (write_edits(source, change, rows, false) != 0)
		return NULL;
	err = read_parts(parts, about, source, change, declared, faults, error);
	if (!err) {
		model = model_compose(declared, parts->items, parts->count);
		err = model ? read_zones(service, model, about, parts, source, faults, error)
			    : ERR_NOMEM;
	}
	if (!err)
		check_parents(change, about, source, model, faults);
	source->calls->roll_back(source);
	if (!err)
		return model;
	if (err != ERR_FAULTS)
		say(change, err, error);
	model_free(model);
	return NULL;
}

/* References as they are and as they would be. */
struct meanings {
	const struct model *before, *after;
	struct service_change *change;
};

static const char *meaning(const struct model *model, const struct reference *reference,
			   struct arena *arena)
{
	static const struct hash_key any;
	struct name name;

	if (reference->refers == REFERS_ZONE && name_from_text(&name, &any, reference->text) == 0 &&
	    reverse_has_zone(model, &name))
		return "a reverse zone";
	return reference_full(model, reference->refers, reference->group, reference->text, arena);
}

static int on_meaning(void *context, const struct reference *reference)
{
	struct meanings *meanings = context;
	const struct origin *origin = reference->origin;
	const char *before, *after, *others = NULL;
	char place[512];
	struct arena arena;
	int err = 0;

	if (reference->refers == REFERS_NETWORK && strchr(reference->text, '/'))
		return 0; /* with its group, as all of the state have it */
	if (model_is_made(origin))
		return 0; /* nobody wrote it, and it is made anew each time */
	arena_init(&arena);
	before = meaning(meanings->before, reference, &arena);
	after = before ? meaning(meanings->after, reference, &arena) : NULL;
	if (before && after)
		others = strcasecmp(before, after) != 0 ? after : NULL;
	else if (before && reference_is_ambiguous(meanings->after, reference->refers,
						  reference->group, reference->text))
		others = "one of several";
	if (origin->file)
		snprintf(place, sizeof place, "%s:%u", origin->file, origin->line);
	else
		snprintf(place, sizeof place, "%s", origin->path ? origin->path : "the state");
	if (others)
		err = change_say(&meanings->change->error, CHANGE_READ_ONLY, NULL,
				 "%s \"%.80s\" at %.200s means %.100s, and would mean %.100s; give "
				 "the group there first%s",
				 reference->key, reference->text, place, before, others,
				 origin->file ? ", and reload" : "");
	arena_release(&arena);
	return err;
}

/* A change must not make a NAME refer to another item: nobody would look for the reason there. What
 * comes or goes at the top can do that. NAMEs are those of the file, and of rows that were written
 * before groups had names of their own. */
static int check_meanings(struct service *service, struct service_change *change,
			  const struct model *model)
{
	struct meanings meanings = {service->server.model, model, change};
	bool any = false;

	for (size_t i = 0; !any && i < change->count; i++) {
		const struct path *path = &change->edits[i].path;

		any = !path->kind->parent && kind_is_named(path->kind) &&
		      !part_find(meanings.before, path) != !part_find(model, path);
	}
	return any ? reference_each(meanings.before, on_meaning, &meanings) : 0;
}

/* The model of the parts that the edits make of these. NULL: error or faults say why. */
static struct model *compose_edits(struct service *service, struct source *source,
				   struct service_change *change, const struct about *about,
				   struct parts *parts, struct edit_rows *rows,
				   struct faults *faults)
{
	size_t errors = faults->errors;
	struct model *model = NULL, *given;
	struct faults again; /* its warnings were told already */
	int err;

	given = compose_once(service, source, change, about, parts, rows, faults);
	if (!given || faults->errors > errors)
		return given;
	err = check_meanings(service, change, given);
	if (!err && rows_refer(rows, change, given) != 0)
		err = say(change, ERR_NOMEM, "");
	if (!err && !rows->any)
		return given;
	faults_init(&again);
	if (!err)
		model = compose_once(service, source, change, about, parts, rows, &again);
	for (size_t i = 0; i < again.count; i++)
		if (again.items[i].severity == FAULT_ERROR)
			fault_add(faults, FAULT_ERROR, &again.items[i].origin, NULL, "%s",
				  again.items[i].text);
	faults_release(&again);
	model_free(given);
	return model;
}

/* The model that all edits make: items first, then the record sets, which may be in a zone that is
 * among these items. NULL: error or faults say why. */
static struct model *make_edits(struct service *service, struct source *source,
				struct service_change *change, const struct about *about,
				struct parts *parts, struct edit_rows *rows, struct faults *faults)
{
	struct model *now = service->server.model, *model = NULL;
	size_t errors = faults->errors;
	int err;

	if (!is_bulk(change) && parts_copy(parts, now) == 0)
		model = compose_edits(service, source, change, about, parts, rows, faults);
	else if (is_bulk(change))
		model = model_same(now);
	if (!model && change->error.outcome == CHANGE_FINE && faults->errors == errors)
		say(change, ERR_NOMEM, "");
	if (!model)
		return NULL;
	err = faults->errors > errors ? ERR_FAULTS : put_sets(model, change, about, faults);
	if (!err && !is_bulk(change))
		err = zones_go_on(model, now, source, (uint64_t)time(NULL));
	if (!err)
		return model;
	if (err != ERR_FAULTS)
		say(change, err, "");
	model_free(model);
	return NULL;
}

/* The model with the edits, to be served. NULL: error or faults say why. */
static struct model *model_with(struct service *service, struct source *source,
				struct service_change *change, struct edit_rows *rows,
				struct faults *faults)
{
	struct model *now = service->server.model, *model = NULL;
	struct load *load = &service->load;
	struct parts parts = {0};
	struct about about;

	if (sort_edits(&about, change) != 0)
		say(change, ERR_NOMEM, "");
	else
		model = make_edits(service, source, change, &about, &parts, rows, faults);
	/* A change looks at some rows only. Of a zone that goes when a change is taken back, record
	 * sets may stay, which are not looked at here. */
	if (model && is_bulk(change))
		model = load_complete_same(load, model, now, faults);
	else if (model)
		model = load_complete(load, model,
				      parts.passed_over || load->passed_over || takes_back(change),
				      now, faults);
	parts_release(&parts);
	about_release(&about);
	return model;
}

static const struct management_client *find_client(const struct model *model, const char *id)
{
	for (size_t i = 0; i < model->management.clients.count; i++)
		if (strcmp(model->management.clients.items[i].id, id) == 0)
			return &model->management.clients.items[i];
	return NULL;
}

/* Nobody shuts itself out: so the last administrator goes by the control socket alone, which always
 * lets the server's user in. */
static void check_asker(const struct model *now, const struct model *model, const char *who,
			struct faults *faults)
{
	const struct management_client *before = find_client(now, who);
	const struct management_client *after = find_client(model, who);
	const struct path path = {kind_named("client"), NULL, {who, NULL}};
	struct origin origin = {.path = path_text(&path, &faults->arena)};

	if (before && before->role == ROLE_ADMIN && (!after || after->role != ROLE_ADMIN))
		fault_add(faults, FAULT_ERROR, &origin, NULL,
			  "is the client that asks; another administrator, or whoever may use the "
			  "control socket, can remove it or make it a reader");
}

/* ---- making it so ---- */

struct commit {
	struct service *service;
	struct source *source;
	struct service_change *change;
	struct model
		*model; /* with the edits; NULL: none of them is the model's, or it is served */
	struct edit_rows rows;
	struct service_prepared prepared; /* that model */
	struct inventory *inventory;      /* beside which the edits of the inventory are made */
	struct change *owned;             /* these; NULL: none */
	struct unconfirmed unconfirmed;
};

/* What it takes to go back is on disk before there is anything to go back from. */
static int note_unconfirmed(struct commit *commit)
{
	struct service_change *change = commit->change;
	char error[CONFIRMATION_TEXT_MAX];
	int err;

	commit->unconfirmed = unconfirmed_now(UNCONFIRMED_CHANGE, change->who, change->wait_s);
	commit->unconfirmed.revision = change->revision;
	err = confirmation_write(&commit->service->confirmation, &commit->unconfirmed, error);
	return err ? change_say(&change->error, CHANGE_STORE, NULL, "%s", error) : 0;
}

/* Within the transaction. */
static int put_owned(struct commit *commit)
{
	struct service_change *change = commit->change;
	struct inventory *inventory = commit->inventory;
	enum addresses_why why = change->again     ? ADDRESSES_BACK
				 : change->undo    ? ADDRESSES_UNDO
				 : change->claimed ? ADDRESSES_CLAIMED
						   : ADDRESSES_ANY;
	int err = 0;

	commit->owned = change_within(inventory, change->who, change->revision);
	if (!commit->owned)
		return say(change, ERR_NOMEM, "");
	if (change->again)
		change_restore(commit->owned);
	for (size_t i = 0; !err && i < change->count; i++) {
		const struct service_edit *edit = &change->edits[i];

		if (!edit->path.kind->inventory)
			continue;
		err = addresses_put(commit->owned, &edit->path, edit->values, why);
		if (err)
			change->failed = i;
		else if (change->rehearsal && change->on_owned)
			change->on_owned(change->context, i);
	}
	if (err)
		change->error = *change_error(commit->owned);
	return err;
}

static size_t owned_count(const struct service_change *change)
{
	size_t count = 0;

	for (size_t i = 0; i < change->count; i++)
		count += change->edits[i].path.kind->inventory;
	return count;
}

static int commit_edits(struct commit *commit)
{
	struct service_change *change = commit->change;
	struct source *source = commit->source;
	char error[SOURCE_ERROR_MAX] = "";
	uint64_t revision =
		change->revision; /* that the model was made with; 0: without the state */
	bool any_owned = owned_count(change) > 0;
	int err;

	if (change->rehearsal && !any_owned)
		return ERR_EXISTS; /* it could be; what was prepared is given back */
	err = write_edits(source, change, &commit->rows, true);
	if (err)
		return err;
	if (revision && change->revision != revision)
		err = change_say(&change->error, CHANGE_STALE, NULL,
				 "the state was changed meanwhile; try again");
	if (!err && any_owned)
		err = put_owned(commit);
	if (!err && change->rehearsal)
		err = ERR_EXISTS;
	if (!err && change->wait_s > 0)
		err = note_unconfirmed(commit);
	if (!err) {
		err = source->calls->commit(source, error);
		err = err ? say(change, err, error) : 0;
	}
	if (err)
		source->calls->roll_back(source);
	return err;
}

/* What was made is served, or (err) nothing was; the error may be that it cannot be served yet. */
static int finish_owned(struct commit *commit, int err)
{
	struct change *owned = commit->owned;

	if (owned && !err && !commit->change->rehearsal && change_commit(owned) != 0) {
		commit->change->error = *change_error(owned);
		err = ERR_INVALID;
	}
	change_free(owned);
	commit->owned = NULL;
	return err;
}

/* Where it was not made, a record of it is worth nothing: a start finds that it never was. */
static void wait_for_confirmation(struct commit *commit, bool is_made)
{
	struct confirmation *confirmation = &commit->service->confirmation;
	char error[CONFIRMATION_TEXT_MAX];

	if (is_made)
		confirmation_begin(confirmation, &commit->unconfirmed);
	else if (commit->unconfirmed.revision > 0 &&
		 confirmation_remove(confirmation, UNCONFIRMED_CHANGE, error) != 0)
		log_event(LOG_WARNING, "confirm", "%s", error);
}

/* ERR_EXISTS: a rehearsal that went well. */
static int change_served(struct commit *commit, struct faults *faults)
{
	struct service *service = commit->service;
	struct service_change *change = commit->change;
	size_t errors = faults->errors;
	char text[SERVICE_TEXT_MAX];
	int err;

	commit->model = model_with(service, commit->source, change, &commit->rows, faults);
	if (commit->model)
		check_asker(service->server.model, commit->model, change->who, faults);
	change->checked = faults->count;
	if (!commit->model || faults->errors > errors)
		return ERR_FAULTS;
	err = service_prepare(service, commit->model, &commit->prepared, faults);
	if (err)
		return err;
	commit->inventory = commit->prepared.inventory;
	err = commit_edits(commit);
	if (err == ERR_EXISTS && change->on_model)
		change->on_model(change->context, commit->model);
	if (err)
		return err;
	service_publish(&commit->prepared, text);
	commit->model = NULL;
	return 0;
}

int service_change(struct service *service, struct service_change *change, struct faults *faults)
{
	struct commit commit = {.service = service,
				.change = change,
				.prepared = {.service = service},
				.inventory = service->inventory};
	int err;

	change->error.outcome = CHANGE_FINE;
	change->revision = 0;
	change->checked = 0;
	change->failed = change->count;
	commit.source = change_source(service->inventory, &change->error);
	if (!commit.source)
		return ERR_INVALID;
	err = owned_count(change) == change->count ? commit_edits(&commit)
						   : change_served(&commit, faults);
	if (err == ERR_EXISTS && change->rehearsal)
		err = 0;
	if (change->wait_s > 0 && !change->rehearsal)
		wait_for_confirmation(&commit, err == 0);
	if (change->error.outcome == CHANGE_STORE)
		inventory_note_error(service->inventory, change->error.text);
	else if (!err && !change->rehearsal)
		inventory_note_error(service->inventory, NULL);
	err = finish_owned(&commit, err);
	service_prepared_release(&commit.prepared);
	model_free(commit.model);
	rows_release(&commit.rows, change);
	if (change->error.outcome != CHANGE_FINE)
		return ERR_INVALID;
	if (err)
		return ERR_FAULTS;
	for (size_t i = change->checked; !change->rehearsal && i < faults->count; i++)
		log_fault("change", &faults->items[i]);
	return 0;
}

/* ---- taking it back ---- */

/* The path of a key in the store; its names are the arena's. ERR_INVALID, ERR_NOMEM. */
static int path_of_key(struct path *path, unsigned kind, const char *key, struct arena *arena)
{
	char *text = arena_strdup(arena, key), *parts[3] = {"", NULL, NULL}, *to;
	int err = text ? 0 : ERR_NOMEM;

	*path = (struct path){kind_of_id(kind), GROUP_NONE, {text, NULL}};
	if (!err && kind == KIND_PTR)
		return 0;
	for (size_t i = 0; !err && text && i < 3; i++) {
		size_t length = strcspn(text, "/");
		char *next = text[length] == '/' ? text + length + 1 : NULL;

		parts[i] = to = text;
		err = percent_decode(text, length, false, &to);
		text = next;
	}
	*path = (struct path){kind_of_id(kind), parts[0], {parts[1], parts[2]}};
	if (!err && (!path->kind || !parts[1] || !path->kind->parent != !parts[2]))
		err = ERR_INVALID;
	return err;
}

/* What goes back, until it is known whether it has. */
struct going_back {
	struct service *service;
	void (*on_back)(void *context, const char *why);
	void *context;
};

static void finish_back(struct going_back *back, const char *why)
{
	struct confirmation *confirmation = &back->service->confirmation;
	char text[CONFIRMATION_TEXT_MAX];

	if (!why) {
		/* A record that stays is found to be out of date at the next start. */
		if (confirmation_remove(confirmation, UNCONFIRMED_CHANGE, text) != 0)
			log_event(LOG_WARNING, "confirm", "%s", text);
		confirmation_end(confirmation, true);
	}
	back->on_back(back->context, why);
	free(back);
}

static void on_put_back(void *back, int err, const struct service_change *change,
			const struct faults *faults)
{
	const struct fault *first = faults_first(faults);

	log_faults("confirm", faults);
	if (err == ERR_INVALID)
		finish_back(back, change->error.text);
	else
		finish_back(back, !err ? NULL : first ? first->text : err_text(err));
}

/* One change that makes the rows what they were, the last first: a group goes behind its addresses.
 * Ahead of all goes what has an address, a label or an id that may be another's again. Takes `back`
 * over. */
static void put_back(struct going_back *back, const json_t *rows, const char *who)
{
	struct service *service = back->service;
	size_t count = json_array_size(rows), ahead = 0;
	struct service_edit *edits = calloc(2 * count, sizeof *edits), *edit;
	struct service_change change = {.who = who, .again = true};
	struct arena arena;
	int err = edits ? 0 : ERR_NOMEM;
	const json_t *row;
	size_t i;

	arena_init(&arena);
	inventory_forget(service->inventory);
	json_array_foreach(rows, i, row)
	{
		const json_t *values = json_object_get(row, "values");

		if (err)
			break;
		edit = &edits[2 * count - 1 - i];
		edit->values = json_is_null(values) ? NULL : values;
		err = path_of_key(&edit->path,
				  (unsigned)json_integer_value(json_object_get(row, "kind")),
				  json_string_value(json_object_get(row, "path")), &arena);
		if (!err && addresses_give_way(service->inventory, &edit->path, edit->values))
			edits[ahead++].path = edit->path;
	}
	if (err) {
		finish_back(back, err_text(err));
	} else { /* from the removals on, which stand right ahead of the rows */
		memmove(edits + count - ahead, edits, ahead * sizeof *edits);
		change.edits = edits + count - ahead;
		change.count = count + ahead;
		service_commit(service, &change, on_put_back, back);
	}
	arena_release(&arena);
	free(edits);
}

void service_take_back(struct service *service, void (*on_back)(void *context, const char *why),
		       void *context)
{
	struct confirmation *confirmation = &service->confirmation;
	struct going_back *back = malloc(sizeof *back);
	struct change_error error;
	struct source *source;
	char who[UNCONFIRMED_WHO_MAX], text[CONFIRMATION_TEXT_MAX];
	json_t *rows;

	if (!back) {
		on_back(context, err_text(ERR_NOMEM));
		return;
	}
	*back = (struct going_back){service, on_back, context};
	source = change_source(service->inventory, &error);
	if (!source) {
		finish_back(back, error.text);
		return;
	}
	unconfirmed_who(&confirmation->waiting, who);
	rows = confirmation_rows(source, &confirmation->waiting, text);
	if (!rows)
		finish_back(back, text);
	else if (json_array_size(rows) == 0)
		finish_back(back, NULL);
	else
		put_back(back, rows, who);
	json_decref(rows);
}

json_t *service_values(struct service *service, const struct path *path, struct change_error *error)
{
	struct source *source = change_source(service->inventory, error);
	char text[SOURCE_ERROR_MAX];
	json_t *values;

	if (!source)
		return NULL;
	if (find_values(source, path, &values, text) == 0) {
		if (!values)
			change_say(error, CHANGE_NOT_FOUND, NULL,
				   "the state does not have it any more");
		return values;
	}
	json_decref(values);
	change_say(error, CHANGE_STORE, NULL, "%s", text);
	return NULL;
}

/* ERR_LIMIT, of a callback that has enough, is no error. */
static int each_in(struct inventory *inventory, const struct kind *kind,
		   const struct key_range *range,
		   int (*on_row)(void *context, const struct source_resource *row), void *context,
		   struct change_error *error)
{
	struct source *source = change_source(inventory, error);
	char text[SOURCE_ERROR_MAX] = "";
	int err;

	if (!source)
		return ERR_INVALID;
	err = source->calls->resources(source, kind->id, range->from, range->to, on_row, context,
				       text);
	if (!err || err == ERR_LIMIT)
		return 0;
	return change_say(error, err == ERR_NOMEM ? CHANGE_NO_MEMORY : CHANGE_STORE, NULL, "%s",
			  *text ? text : err_text(err));
}

int service_each_row(struct service *service, const struct path *path,
		     int (*on_row)(void *context, const struct source_resource *row), void *context,
		     struct change_error *error)
{
	const struct path outer = part_root(path);
	struct key_range range = {.from = "", .to = "\x7f"};
	bool is_one = path_name(path), is_all = !is_one && !path->kind->parent;
	char key[PATH_MAX_BYTES];

	if (!is_all && path_key(is_one ? path : &outer, key) != 0)
		return 0; /* a path that is longer than any resource's has none */
	if (is_one)
		key_range_alone(&range, key);
	else if (!is_all)
		key_range_inside(&range, key);
	return each_in(service->inventory, path->kind, &range, on_row, context, error);
}

int service_each_behind(struct inventory *inventory, const struct path *path,
			int (*on_row)(void *context, const struct source_resource *row),
			void *context, struct change_error *error)
{
	const struct path outer = part_root(path);
	struct key_range range;
	char key[PATH_MAX_BYTES];

	if (path_key(&outer, key) != 0)
		return 0;
	key_range_inside(&range, key);
	if (path->names[1]) {
		if (path_key(path, key) != 0)
			return 0;
		snprintf(range.from, sizeof range.from, "%s\x01", key);
	}
	return each_in(inventory, path->kind, &range, on_row, context, error);
}
