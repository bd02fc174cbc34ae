/* The order in complete() matters: unnamed items are made first; endpoints are placed before
 * resolv.conf is read, because their addresses are left out of it; and the check is last, so that
 * an unusable resolv.conf is reported together with the file's other faults. */
#include "resolver/control/service/load.h"

#include <time.h>

#include "endpoints/entropy.h"
#include "resolver/control/config/file.h"
#include "resolver/control/resource/home.h"
#include "rules/check/limits.h"
#include "rules/zone/serial.h"

void load_init(struct load *load, const char *config, const char *resolv_conf)
{
	memset(load, 0, sizeof *load);
	load->config = config;
	load->resolv_conf = resolv_conf;
	entropy_read(&load->key, sizeof load->key);
}

/* Reads resolv.conf; a change of resources reuses the last result if resolv.conf is followed. */
static int read_resolv_conf(const struct load *load, bool is_change, struct resolv_conf *found,
			    struct faults *faults)
{
	if (!is_change || !load->follows)
		return resolv_conf_read(found, load->resolv_conf, faults);
	*found = load->found;
	return 0;
}

/* Places, completes and checks the model, which has all items, and takes it over. `errors`: the
 * number of errors in `faults` before this model; `before`: a checked model, or NULL. */
static struct model *complete(struct load *load, struct model *model, const struct model *before,
			      size_t errors, struct faults *faults)
{
	struct resolv_conf found = {0};
	bool follows;

	if (model_make_unnamed(model) != 0)
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(ERR_NOMEM));
	model_place_endpoints(model);
	follows = resolv_conf_wanted(model);
	/* Errors of both calls are in the faults as well. */
	if (follows && read_resolv_conf(load, before != NULL, &found, faults) == 0) {
		int err = resolv_conf_apply(&found, load->resolv_conf, model, faults);
		(void)err;
	}
	limits_check_change(model, before, faults);
	if (faults->errors > errors) {
		model_free(model);
		return NULL;
	}
	load->next_follows = follows;
	load->next_found = found;
	return model;
}

void load_adopt(struct load *load)
{
	load->follows = load->next_follows;
	load->found = load->next_found;
	load->passed_over = load->next_passed_over;
}

struct model *load_complete(struct load *load, struct model *model, bool passed_over,
			    const struct model *before, struct faults *faults)
{
	load->next_passed_over = passed_over;
	return complete(load, model, before, faults->errors, faults);
}

struct model *load_complete_same(struct load *load, struct model *model, const struct model *before,
				 struct faults *faults)
{
	size_t errors = faults->errors;

	load->next_passed_over = load->passed_over;
	load->next_follows = load->follows;
	load->next_found = load->found;
	homes_check(model, before, faults);
	if (faults->errors == errors)
		return model;
	model_free(model);
	return NULL;
}

/* The state that the first model named; later models cannot change it. NULL: none. */
static const char *state_path(struct load *load, const struct model *declared)
{
	const char *named = declared->management.state;

	if (!load->has_read)
		snprintf(load->state, sizeof load->state, "%s", named ? named : "");
	load->has_read = true;
	return *load->state ? load->state : NULL;
}

static bool serves_state(const struct model *model)
{
	return model && (model->parts.count > 0 || homes_have_rows(model));
}

static void out_of_memory(const struct model *declared, struct faults *faults)
{
	fault_add(faults, FAULT_ERROR, &declared->origin, NULL, "%s", err_text(ERR_NOMEM));
}

/* Combines the file's model and the state (source NULL: none). NULL: *err says why. */
static struct model *compose(struct load *load, struct parts *parts, struct source *source,
			     struct model *declared, const struct model *before,
			     struct faults *faults, int *err, char error[SOURCE_ERROR_MAX])
{
	struct model *model = model_compose(declared, parts->items, parts->count);
	const struct home_rows rows = {.source = source,
				       .model = model,
				       .parts = parts,
				       .before = before,
				       .key = &load->key,
				       .now_s = (uint64_t)time(NULL)};

	*err = model ? homes_load(&rows, faults, error) : ERR_NOMEM;
	if (!*err)
		return model;
	model_free(model);
	return NULL;
}

int load_migrate(const struct load *load, char error[SOURCE_ERROR_MAX])
{
	if (!load->migration.on_progress || !*load->state)
		return 0;
	return source_migrate(load->state, load->migration.on_progress, load->migration.context,
			      error);
}

/* False: a required migration failed. */
static bool migrate(const struct load *load, const struct model *declared, struct faults *faults)
{
	char error[SOURCE_ERROR_MAX];

	if (load_migrate(load, error) == 0 || !load->migration.required)
		return true;
	fault_add(faults, FAULT_ERROR, &declared->management.origin, "state", "%s", error);
	return false;
}

/* Combines the file with the rows of the source (NULL: none). NULL: *err says why. */
static struct model *read_rows(struct load *load, struct parts *parts, struct source *source,
			       struct model *declared, const struct model *before,
			       const struct faults *refused, struct faults *faults, int *err,
			       char error[SOURCE_ERROR_MAX])
{
	*err = source ? parts_load(parts, source, declared, refused, faults, error) : 0;
	return *err ? NULL : compose(load, parts, source, declared, before, faults, err, error);
}

/* Opens the state, reads it and combines it with the file. `parts` notes skipped rows, even on
 * failure.
 *
 * If the state cannot be read at the start, the fault is a warning, and only the file's items are
 * served; resources_prepare opens the state again and warns as well. Later, while resources of the
 * state are served, the fault is an error, and they stay served. */
static struct model *read_model(struct load *load, struct parts *parts, struct model *declared,
				const struct model *before, const struct faults *refused,
				struct faults *faults)
{
	const char *path = state_path(load, declared);
	char error[SOURCE_ERROR_MAX] = "";

	if (!migrate(load, declared, faults))
		return NULL;
	struct source *source = path ? source_open(path, load->mode, error) : NULL;
	bool is_new = path && !source && !*error && !serves_state(before);
	struct model *model = NULL;
	int err = source || !path || is_new ? 0 : ERR_SYSTEM;

	if (err && !*error)
		snprintf(error, sizeof error, "the state %s is gone; put it back", path);
	if (!err)
		model = read_rows(load, parts, source, declared, before, refused, faults, &err,
				  error);
	source_close(source);
	if (err == ERR_SYSTEM && !serves_state(before)) {
		fault_add(faults, FAULT_WARNING, &declared->management.origin, "state",
			  "%s; without it no resources are served but the file's", error);
		parts_release(parts);
		model = compose(load, parts, NULL, declared, before, faults, &err, error);
	}
	if (err == ERR_SYSTEM)
		fault_add(faults, FAULT_ERROR, &declared->management.origin, "state",
			  "%s; resources in it are being served", error);
	else if (err == ERR_NOMEM)
		out_of_memory(declared, faults);
	return model;
}

enum { PASSES_MAX = 32 };

static void copy_faults(struct faults *to, const struct faults *from, bool errors_only)
{
	for (size_t i = 0; i < from->count; i++)
		if (!errors_only || from->items[i].severity == FAULT_ERROR)
			fault_add(to, from->items[i].severity, &from->items[i].origin, NULL, "%s",
				  from->items[i].text);
}

static bool are_of_rows(const struct faults *faults)
{
	bool all = faults->errors <= faults->count;

	for (size_t i = 0; i < faults->count; i++)
		all = all && (faults->items[i].severity != FAULT_ERROR ||
			      faults->items[i].origin.revision > 0);
	return all;
}

/* The model of an open source's rows. */
static struct model *read_open(struct load *load, struct parts *parts, struct source *source,
			       struct model *declared, const struct model *before,
			       const struct faults *refused, struct faults *faults)
{
	char error[SOURCE_ERROR_MAX] = "";
	int err;
	struct model *model =
		read_rows(load, parts, source, declared, before, refused, faults, &err, error);

	if (err == ERR_NOMEM)
		out_of_memory(declared, faults);
	else if (err && err != ERR_FAULTS)
		fault_add(faults, FAULT_ERROR, &declared->management.origin, "state", "%s", error);
	return model;
}

/* *misfit: some rows were skipped because they do not fit; set even on failure. */
static struct model *try_again(struct load *load, struct source *source, struct model *declared,
			       const struct model *before, const struct faults *refused,
			       struct faults *faults, bool *misfit)
{
	struct parts parts = {0};
	struct model *model =
		source ? read_open(load, &parts, source, declared, before, refused, faults)
		       : read_model(load, &parts, declared, before, refused, faults);

	*misfit = parts.misfit;
	if (model)
		model = load_complete(load, model, parts.passed_over, source ? before : NULL,
				      faults);
	parts_release(&parts);
	return model;
}

/* Skips rows that do not fit, and then repeatedly the rows that refer to these, so that no state
 * can keep the file from being served. If all rows fit, but conflict with the file, the file is
 * refused instead, because the operator has just written it; with an open source such rows are
 * skipped as well, because the file is served already. Rows whose parent is gone from the file are
 * skipped without counting as misfits. */
struct model *load_rows(struct load *load, struct source *source, struct model *declared,
			const struct model *before, struct faults *faults)
{
	struct faults refused, found;
	struct model *model = NULL;
	bool misfit = true;

	faults_init(&refused);
	for (int i = 0; !model && misfit && i < PASSES_MAX; i++) {
		faults_init(&found);
		model = try_again(load, source, declared, before, &refused, &found, &misfit);
		misfit = (misfit || source) && are_of_rows(&found) && i + 1 < PASSES_MAX;
		if (model || !misfit)
			copy_faults(faults, &found, false);
		else
			copy_faults(&refused, &found, true);
		faults_release(&found);
	}
	faults_release(&refused);
	return model;
}

struct model *load_again(struct load *load, struct model *declared, const struct model *before,
			 struct faults *faults)
{
	return load_rows(load, NULL, declared, before, faults);
}

struct model *load_file(struct load *load, const char *path, const struct model *before,
			struct faults *faults)
{
	size_t errors = faults->errors;
	struct model *declared = config_file_read(path, &load->key, before, faults);
	struct model *model = NULL;

	if (!declared)
		goto out;
	if (faults->errors > errors) { /* goes on only to find more faults */
		model = complete(load, declared, NULL, errors, faults);
		goto out;
	}
	for (size_t i = 0; i < declared->rulesets.count; i++)
		declared->rulesets.items[i].version = model_next_version();
	model = load_again(load, declared, before, faults);
	model_free(declared); /* the composed model has a reference */
out:
	faults_sort(faults);
	return model;
}

struct model *load_model(struct load *load, const struct model *before, struct faults *faults)
{
	return load_file(load, load->config, before, faults);
}

int load_resolv_conf(struct load *load, struct model *model, struct load_targets *before,
		     struct faults *faults)
{
	struct resolv_conf found;
	size_t errors = faults->errors;
	int err = resolv_conf_read(&found, load->resolv_conf, faults);

	if (err != 0)
		return err;
	if (resolv_conf_equal(&found, &load->found))
		return ERR_EXISTS;
	before->count = model->default_resolver.targets.count;
	before->found = load->found;
	memcpy(before->items, model->default_resolver.targets.items,
	       before->count * sizeof *before->items);
	err = resolv_conf_apply(&found, load->resolv_conf, model, faults);
	if (err != 0)
		return err;
	load->found = found;
	struct faults checked; /* its warnings were reported before */
	faults_init(&checked);
	limits_check(model, &checked);
	for (size_t i = 0; i < checked.count; i++)
		if (checked.items[i].severity == FAULT_ERROR)
			fault_add(faults, FAULT_ERROR, &checked.items[i].origin, NULL, "%s",
				  checked.items[i].text);
	faults_release(&checked);
	if (faults->errors == errors)
		return 0;
	load_restore(load, model, before);
	return ERR_FAULTS;
}

void load_restore(struct load *load, struct model *model, const struct load_targets *before)
{
	memcpy(model->default_resolver.targets.items, before->items,
	       before->count * sizeof *before->items);
	model->default_resolver.targets.count = before->count;
	load->found = before->found;
}
