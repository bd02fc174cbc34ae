/* A change of resources goes through the state twice, because no transaction may stay open while
 * the store is used in other ways:
 *
 *     begin ─► put, ... ─► the parts of the model, read as they would be ─► roll_back
 *     record sets ─► place, complete, check     (faults: the end)
 *     begin ─► put, ...                         (next_model_write; the caller commits)
 *
 * The first transaction is repeated if references or domains had to be rewritten (values_refer).
 * Another program may write to the state between two of the transactions; the next begin sees that.
 * If rows that are put back do not fit any more, or another program has written before, the first
 * transaction loads all rows, and skips those that do not fit.
 *
 * Record sets skip the first transaction: the edits have all their values, and the zone that they
 * are put into (resource/home.h) has the rest. So a change of record sets alone starts from the
 * served model. */
#include "resolver/control/service/next_model.h"

#include <strings.h>
#include <time.h>

#include "resolver/control/resource/home.h"
#include "resolver/control/resource/values.h"
#include "resolver/control/service/service.h"
#include "rules/base.h"
#include "rules/policy/reverse_zones.h"
#include "rules/schema/reference.h"

/* ---- writing rows ---- */

static int on_child(void *paths, const struct source_resource *resource)
{
	return json_array_append_new(paths, json_string(resource->path)) == 0 ? 0 : ERR_NOMEM;
}

/* Deletes all rows of that kind inside the resource with the key. */
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

/* A change with `undo` or `again` has an edit for each row that it removes. So a removal leaves
 * the rows inside alone: they may belong to an item of that name in the file. */
static bool takes_back(const struct service_change *change)
{
	return change->undo || change->again;
}

/* Writes or (values NULL) deletes the row; without `alone`, deletes the rows inside as well. */
static int write_edit(struct source *source, const struct resource_edit *edit, const json_t *values,
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

int next_model_fail(struct next_model *next, int err, const char *error)
{
	struct change_error *to = &next->change->error;

	if (err == ERR_LIMIT)
		return change_say(to, CHANGE_INVALID, NULL,
				  "the path is too long; give shorter names");
	return change_say(to, err == ERR_NOMEM ? CHANGE_NO_MEMORY : CHANGE_STORE, NULL, "%s",
			  *error ? error : err_text(err));
}

/* Whether a home in the model (resource/home.h) keeps the items. */
static bool is_in_home(const struct kind *kind)
{
	return kind->home && !kind_is_beside(kind);
}

/* Writes all references of the edits in full, so that later changes cannot give them another
 * meaning, and all domains in their canonical form. `model`: with the edits. *any: the text of a
 * reference or a domain has changed. */
static int refer_rows(struct next_model *next, const struct model *model, bool *any)
{
	const struct service_change *change = next->change;
	int err = 0;

	*any = false;
	next->values = calloc(change->count, sizeof *next->values);
	if (!next->values)
		return ERR_NOMEM;
	for (size_t i = 0; !err && i < change->count; i++) {
		const struct resource_edit *edit = &change->edits[i];
		json_t **values = &next->values[i];
		bool changed = false;

		if (!edit->values || edit->path.kind->home)
			continue;
		*values = json_deep_copy(edit->values);
		err = *values ? values_refer(edit->path.kind, edit->path.group, model, *values,
					     &changed)
			      : ERR_NOMEM;
		*any |= changed;
		if (changed)
			continue;
		json_decref(*values);
		*values = NULL;
	}
	return err;
}

/* Begins a transaction and writes the edits of the model, either all or those without a home. After
 * an error no transaction is open. */
static int write_edits(struct next_model *next, bool all)
{
	struct service_change *change = next->change;
	struct source *source = next->source;
	char error[SOURCE_ERROR_MAX] = "";
	int err = source->calls->begin(source, change->who, &change->revision, error);

	for (size_t i = 0; !err && i < change->count; i++) {
		const struct resource_edit *edit = &change->edits[i];
		const json_t *referring = next->values ? next->values[i] : NULL;

		if (!edit->path.kind->home || (all && is_in_home(edit->path.kind)))
			err = write_edit(source, edit, referring ? referring : edit->values,
					 takes_back(change), error);
	}
	if (!err)
		return 0;
	source->calls->roll_back(source);
	return next_model_fail(next, err, error);
}

int next_model_write(struct next_model *next)
{
	return write_edits(next, true);
}

void next_model_release(struct next_model *next)
{
	for (size_t i = 0; next->values && i < next->change->count; i++)
		json_decref(next->values[i]);
	free(next->values);
	next->values = NULL;
}

/* ---- the resulting model ---- */

/* Orders edits by their top-level parent. */
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

/* Edits with the same top-level item keep their order. */
static int compare_edits(const void *a, const void *b)
{
	const struct path *left = *(const struct path *const *)a;
	const struct path *right = *(const struct path *const *)b;
	int order = compare_roots(left, right);

	return order != 0 ? order : (left > right) - (left < right);
}

/* The edits of items of a model, and the parts that they result in. */
struct about {
	const struct path **paths; /* sorted by top-level item, then in the order of edits */
	size_t count;
	const struct resource_edit **removals; /* of top-level items, sorted by item */
	size_t removal_count;
	struct parts parts;
};

static void about_release(struct about *about)
{
	parts_release(&about->parts);
	free(about->paths);
	free(about->removals);
}

static int sort_edits(struct about *about, const struct service_change *change)
{
	const struct path **paths = reallocarray(NULL, change->count + 1, sizeof *paths);
	const struct resource_edit **removals =
		reallocarray(NULL, change->count + 1, sizeof *removals);

	*about = (struct about){.paths = paths, .removals = removals};
	if (!paths || !removals)
		return ERR_NOMEM;
	for (size_t i = 0; i < change->count; i++)
		if (!change->edits[i].path.kind->home)
			paths[about->count++] = &change->edits[i].path;
	if (about->count > 0)
		qsort(paths, about->count, sizeof *paths, compare_edits);
	for (size_t i = 0; i < about->count; i++) {
		const struct resource_edit *edit =
			container_of(paths[i], const struct resource_edit, path);

		if (!edit->path.kind->parent && !edit->values)
			removals[about->removal_count++] = edit;
	}
	return 0;
}

/* The end of the paths with the same top-level item as the one at `first`. */
static size_t end_of_root(const struct about *about, size_t first)
{
	size_t end = first + 1;

	while (end < about->count && compare_roots(about->paths[first], about->paths[end]) == 0)
		end++;
	return end;
}

/* Whether an edit later than `after` (NULL: any edit) removes the path's top-level item. */
static bool is_removed(const struct about *about, const struct path *path,
		       const struct resource_edit *after)
{
	const struct resource_edit *const *removals = about->removals;
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

/* Whether the resource exists after its last edit. */
static bool stays(struct source *source, const struct path *path)
{
	char error[SOURCE_ERROR_MAX];
	json_t *values;
	bool found = part_row(source, path, &values, error) == 0 && values;

	json_decref(values);
	return found;
}

/* Refuses edits inside a top-level item that does not exist. */
static void check_parents(const struct next_model *next, const struct about *about,
			  const struct model *model)
{
	const struct service_change *change = next->change;

	for (size_t i = 0; i < change->count; i++) {
		const struct resource_edit *edit = &change->edits[i];
		struct path root;

		if (!edit->values || !edit->path.kind->parent || edit->path.kind->home ||
		    is_removed(about, &edit->path, edit))
			continue;
		root = part_root(&edit->path);
		if (!part_find(model, &root) && stays(next->source, &edit->path))
			part_refuse_orphan(model, &edit->path, next->faults);
	}
}

/* Reads the parts of the edits again, from the rows of the open transaction. Each row that does not
 * fit is a fault. */
static int read_parts(struct next_model *next, struct about *about, const struct model *declared,
		      struct faults *faults, char error[SOURCE_ERROR_MAX])
{
	const struct service_change *change = next->change;
	int err = 0;

	for (size_t i = 0, end; (!err || err == ERR_FAULTS) && i < about->count; i = end) {
		bool whole = takes_back(change) || is_removed(about, about->paths[i], NULL);
		int failed;

		end = end_of_root(about, i);
		failed = parts_refresh(&about->parts, next->source, about->paths + i, end - i,
				       whole, change->revision, declared, faults, error);
		err = failed ? failed : err;
	}
	return err;
}

/* Keeps the items of homes, and gives a new parent the rows kept while it was missing. */
static int read_homes(struct next_model *next, struct about *about, struct model *model,
		      struct faults *faults, char error[SOURCE_ERROR_MAX])
{
	const struct home_rows rows = {.source = next->source,
				       .model = model,
				       .parts = &about->parts,
				       .before = next->now,
				       .key = &next->load.key,
				       .now_s = (uint64_t)time(NULL)};
	int err = 0;

	homes_keep(model, next->now);
	for (size_t i = 0; (!err || err == ERR_FAULTS) && i < about->count;
	     i = end_of_root(about, i)) {
		const struct path root = part_root(about->paths[i]);
		int failed = 0;

		if (!part_find(next->now, &root) || is_removed(about, &root, NULL))
			failed = homes_read(&rows, &root, faults, error);
		err = failed ? failed : err;
	}
	return err;
}

/* Puts items of homes in the order of the edits, except into a parent that a later edit removes. */
static int put_items(const struct next_model *next, const struct about *about, struct model *model)
{
	const struct service_change *change = next->change;
	const struct home_change edited = {.model = model,
					   .before = next->now,
					   .source = next->source,
					   .now_s = (uint64_t)time(NULL),
					   .faults = next->faults};
	struct homes_draft draft;
	int err = homes_edit(&draft, &edited), failed;

	for (size_t i = 0; err != ERR_NOMEM && i < change->count; i++) {
		const struct resource_edit *edit = &change->edits[i];

		if (!is_in_home(edit->path.kind) || is_removed(about, &edit->path, edit))
			continue;
		failed = homes_put(&draft, edit);
		err = failed ? failed : err;
	}
	if (err == ERR_NOMEM) {
		homes_discard(&draft);
		return err;
	}
	failed = homes_commit(&draft);
	return err ? err : failed;
}

/* Whether the change edits no item of the model itself. */
static bool has_no_item(const struct service_change *change)
{
	for (size_t i = 0; i < change->count; i++)
		if (!change->edits[i].path.kind->home)
			return false;
	return true;
}

/* Composes the parts and the model from the edited rows, in a transaction that it rolls back.
 * NULL: error or faults say why. */
static struct model *compose_once(struct next_model *next, struct about *about,
				  struct faults *faults)
{
	struct model *declared = model_declared(next->now), *model = NULL;
	char error[SOURCE_ERROR_MAX] = "";
	int err;

	if (write_edits(next, false) != 0)
		return NULL;
	err = read_parts(next, about, declared, faults, error);
	if (!err) {
		model = model_compose(declared, about->parts.items, about->parts.count);
		err = model ? read_homes(next, about, model, faults, error) : ERR_NOMEM;
	}
	if (!err)
		check_parents(next, about, model);
	next->source->calls->roll_back(next->source);
	if (!err)
		return model;
	if (err != ERR_FAULTS)
		next_model_fail(next, err, error);
	model_free(model);
	return NULL;
}

/* Compares the meanings of references before and after the change. */
struct meanings {
	const struct model *before, *after;
	struct service_change *change;
};

static const char *meaning(const struct model *model, const struct reference *reference,
			   struct arena *arena)
{
	struct name name;

	if (reference->refers == REFERS_ZONE && name_from_text(&name, NULL, reference->text) == 0 &&
	    reverse_has_zone(model, &name))
		return "a reverse zone";
	return reference_full(model, reference->refers, reference->group, reference->text, arena);
}

/* Whether sluice made the reference, and makes it anew each time. */
static bool is_made(const struct model *model, const struct reference *reference)
{
	const struct origin *origin = reference->origin;
	char list[PART_WHY_MAX];

	if (model_is_made(origin) || !origin->path)
		return model_is_made(origin);
	snprintf(list, sizeof list, "%s.%s", origin->path, reference->key);
	return model_made(model, list);
}

static int on_meaning(void *context, const struct reference *reference)
{
	struct meanings *meanings = context;
	const struct origin *origin = reference->origin;
	const char *before, *after, *others = NULL;
	char place[512];
	struct arena arena;
	int err = 0;

	if (reference_has_group(reference->refers, reference->text))
		return 0; /* the text names a group, so it cannot mean another item */
	if (is_made(meanings->before, reference))
		return 0;
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

/* A change must not make a bare NAME refer to another item, because nobody would look for the
 * reason there. Only adding or removing a top-level item can do that. Bare NAMEs occur in the file,
 * and in rows that were written before names had groups. */
static int check_meanings(const struct next_model *next, const struct model *model)
{
	struct service_change *change = next->change;
	struct meanings meanings = {next->now, model, change};
	bool any = false;

	for (size_t i = 0; !any && i < change->count; i++) {
		const struct path *path = &change->edits[i].path;

		any = !path->kind->parent && kind_scope(path->kind) == SCOPE_GROUP &&
		      !part_find(meanings.before, path) != !part_find(model, path);
	}
	return any ? reference_each(meanings.before, on_meaning, &meanings) : 0;
}

/* Applies the edits to the parts and composes a model. NULL: error or faults say why. */
static struct model *compose_parts(struct next_model *next, struct about *about)
{
	struct faults *faults = next->faults, again; /* its warnings were reported already */
	size_t errors = faults->errors;
	struct model *model = NULL, *given;
	bool any = false;
	int err;

	given = compose_once(next, about, faults);
	if (!given || faults->errors > errors)
		return given;
	err = check_meanings(next, given);
	if (!err && refer_rows(next, given, &any) != 0)
		err = next_model_fail(next, ERR_NOMEM, "");
	if (!err && !any)
		return given;
	faults_init(&again);
	if (!err)
		model = compose_once(next, about, &again);
	for (size_t i = 0; i < again.count; i++)
		if (again.items[i].severity == FAULT_ERROR)
			fault_add(faults, FAULT_ERROR, &again.items[i].origin, NULL, "%s",
				  again.items[i].text);
	faults_release(&again);
	model_free(given);
	return model;
}

/* The model after all edits: first items of the model, then those of homes, which may be inside
 * them. NULL: error or faults say why. */
static struct model *compose_all(struct next_model *next, struct about *about)
{
	struct service_change *change = next->change;
	struct model *now = next->now, *model = NULL;
	size_t errors = next->faults->errors;
	bool same = has_no_item(change);
	int err;

	if (same)
		model = model_same(now);
	else if (parts_copy(&about->parts, now) == 0)
		model = compose_parts(next, about);
	if (!model && change->error.outcome == CHANGE_FINE && next->faults->errors == errors)
		next_model_fail(next, ERR_NOMEM, "");
	if (!model)
		return NULL;
	err = next->faults->errors > errors ? ERR_FAULTS : put_items(next, about, model);
	if (!err)
		return model;
	if (err != ERR_FAULTS)
		next_model_fail(next, err, "");
	model_free(model);
	return NULL;
}

/* compose_all, completed and checked. */
static struct model *compose_checked(struct next_model *next)
{
	struct load *load = &next->load;
	struct model *model = NULL;
	struct about about;

	if (sort_edits(&about, next->change) != 0)
		next_model_fail(next, ERR_NOMEM, "");
	else
		model = compose_all(next, &about);
	/* passed_over is an estimate, because a change reads only some rows: a rollback that
	 * removes a zone may leave rows of its record sets behind. */
	if (model && has_no_item(next->change))
		model = load_complete_same(load, model, next->now, next->faults);
	else if (model)
		model = load_complete(load, model,
				      about.parts.passed_over || load->passed_over ||
					      (takes_back(next->change) && !next->change->agreed),
				      next->now, next->faults);
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

/* No client may remove or demote itself, so the last administrator can be removed only through the
 * control socket, which always admits the server's user. */
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

/* Makes the model of all rows as they would be with the edits, in a transaction that it rolls back.
 * If another program has written rows, this model has them, too. They are not served yet, so unsync
 * makes every other caller see that the state was changed. */
static struct model *load_written(struct next_model *next)
{
	struct model *now = next->now, *model = NULL;
	struct source *source = next->source;
	char error[SOURCE_ERROR_MAX];

	if (next->anew && source->calls->sync(source, error) != 0) {
		next_model_fail(next, ERR_SYSTEM, error);
		return NULL;
	}
	if (write_edits(next, true) == 0) {
		model = load_rows(&next->load, source, model_declared(now), now, next->faults);
		source->calls->roll_back(source);
	}
	if (next->anew)
		source->calls->unsync(source);
	return model;
}

/* Rows that are put back were served before, or were skipped by a load. So if some do not fit, a
 * load of all rows decides again what is served and what is skipped. */
static struct model *compose_again(struct next_model *next)
{
	struct faults *faults = next->faults;
	size_t count = faults->count, errors = faults->errors, warnings = faults->warnings;
	struct model *model = next->anew ? NULL : compose_checked(next);

	if (next->change->error.outcome != CHANGE_FINE || (model && faults->errors == errors))
		return model;
	model_free(model);
	faults->count = count;
	faults->errors = errors;
	faults->warnings = warnings;
	return load_written(next);
}

struct model *next_model_make(struct next_model *next)
{
	size_t errors = next->faults->errors;
	struct model *model = next->change->again ? compose_again(next) : compose_checked(next);

	if (model)
		check_asker(next->now, model, next->change->who, next->faults);
	next->change->checked = next->faults->count;
	if (model && next->faults->errors == errors)
		return model;
	model_free(model);
	return NULL;
}
