#include "resolver/control/resource/resources.h"

#include <assert.h>

/* The model before the first load, so that changes and lookups need no check for NULL. */
static struct model no_model = {.references = 1};

/* ---- making, copying and freeing ---- */

struct resources *resources_new(const struct hash_key *key)
{
	struct resources *resources = calloc(1, sizeof *resources);

	if (!resources)
		return NULL;
	resources->key = *key;
	store_init(&resources->store, SOURCE_WRITE);
	arena_init(&resources->shown);
	resources->model = &no_model;
	if (addresses_init(&resources->addresses, &no_model))
		return resources;
	resources_free(resources);
	return NULL;
}

void resources_free(struct resources *resources)
{
	if (!resources)
		return;
	assert(!resources->changing);
	addresses_release(&resources->addresses);
	store_close(&resources->store);
	arena_release(&resources->shown);
	free(resources);
}

struct resources *resources_copy(struct resources *resources, enum store_copy how)
{
	struct resources *copy = malloc(sizeof *copy);

	if (!copy)
		return NULL;
	*copy = *resources;
	copy->of = resources;
	copy->changing = false;
	copy->trouble[0] = '\0';
	arena_init(&copy->shown);
	if (how != STORE_SAME) /* a new connection gets the rows that this one has */
		resources_attach(resources);
	store_copy(&copy->store, &resources->store, how);
	if (how != STORE_VIEW)
		return copy;
	model_ref(copy->model);
	addresses_share(&copy->addresses);
	return copy;
}

void resources_copy_free(struct resources *copy)
{
	if (!copy)
		return;
	if (copy->store.how == STORE_VIEW) {
		model_free(copy->model);
		addresses_release(&copy->addresses);
	}
	store_close(&copy->store);
	arena_release(&copy->shown);
	free(copy);
}

struct store *resources_store(struct resources *resources)
{
	return &resources->store;
}

const struct model *resources_model(const struct resources *resources)
{
	return resources->model;
}

/* ---- what could not be read ---- */

const char *resources_trouble(const struct resources *resources)
{
	return *resources->trouble ? resources->trouble : NULL;
}

int resources_check_reads(const struct resources *resources, struct change_error *error)
{
	return *resources->trouble ? change_say(error, CHANGE_STORE, NULL, "%s", resources->trouble)
				   : 0;
}

void resources_say_trouble(struct resources *resources, const char *why)
{
	if (*resources->trouble)
		return;
	snprintf(resources->trouble, sizeof resources->trouble, "%s", why);
	resources->troubled.kind = 0;
}

void resources_take_trouble(struct resources *resources, const struct resources *from)
{
	if (!*from->trouble || *resources->trouble)
		return;
	resources_say_trouble(resources, from->trouble);
	resources->troubled = from->troubled;
}

void resources_note_unread(struct resources *resources, const struct resources *seen_by)
{
	if (*seen_by->trouble && seen_by->troubled.kind)
		resources->unread = seen_by->troubled;
}

bool resources_has_unread(const struct resources *resources)
{
	return resources->unread.kind && resources->store.unread;
}

void resources_try_unread(struct resources *resources)
{
	struct resources_row *row = &resources->unread;
	struct store *store = &resources->store;

	if (!row->kind || !store->source || store->stale)
		return;
	if (*store->error && !store->unread)
		return; /* the error is of writing now, and stays until writing works */
	resources_forget(resources);
	if (!addresses_try_row(resources, row->kind, row->path))
		return;
	if (!*resources->trouble) {
		row->kind = 0;
		store_note_error(store, NULL, false);
	} else if (strcmp(store->error, resources->trouble) != 0) {
		store_note_error(store, resources->trouble, true);
	}
	resources_forget(resources);
}

int resources_complain(struct resources *resources, const struct source_resource *row, int err)
{
	const char *ptr = row->keys && row->keys->ptr ? row->keys->ptr : NULL;
	char text[SOURCE_ERROR_MAX];

	snprintf(text, sizeof text,
		 "the state %s has a record \"%s\"%s%s%s, which was not written by sluice; repair "
		 "or remove it",
		 resources->store.url, row->path, ptr ? " with the PTR \"" : "", ptr ? ptr : "",
		 ptr ? "\"" : "");
	if (!*resources->trouble) {
		resources_say_trouble(resources, err == ERR_INVALID ? text : err_text(err));
		resources->troubled.kind = err == ERR_INVALID ? row->kind : 0;
		snprintf(resources->troubled.path, sizeof resources->troubled.path, "%s",
			 row->path);
	}
	return err;
}

void resources_forget(struct resources *resources)
{
	if (!resources->changing && !resources->of)
		resources->trouble[0] = '\0';
	if (resources->shown.held_bytes == 0)
		return;
	arena_release(&resources->shown);
	arena_init(&resources->shown);
}

/* ---- the store, with the rows of the file ---- */

/* Attaches the rows, or returns NULL; `error` says why. */
static struct source *attach(struct resources *resources, struct source *source,
			     char error[SOURCE_ERROR_MAX])
{
	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	return source && source->calls->attach(source, resources->addresses.rows, error) == 0
		       ? source
		       : NULL;
}

struct source *resources_source(struct resources *resources, char missing[SOURCE_ERROR_MAX])
{
	struct store *store = &resources->store;
	struct source *source = NULL;
	char error[SOURCE_ERROR_MAX];

	*missing = '\0';
	if (store->source)
		source = attach(resources, store->source, missing);
	else if (*store->url)
		snprintf(missing, SOURCE_ERROR_MAX, "%s",
			 *store->error ? store->error : "the state is not open; try again");
	if (source)
		*missing = '\0';
	else
		source = attach(resources, store_empty(store), error);
	if (!source)
		resources_say_trouble(resources, error);
	return source;
}

struct source *resources_reader(struct resources *resources)
{
	char missing[SOURCE_ERROR_MAX];
	struct source *source = resources_source(resources, missing);

	if (*missing)
		resources_say_trouble(resources, missing);
	return source;
}

void resources_attach(struct resources *resources)
{
	char unused[SOURCE_ERROR_MAX];

	(void)resources_source(resources, unused);
}

/* ---- for another model ---- */

/* Makes the resources of the model, beside the served ones. NULL: the faults say why. */
static struct resources *make(struct resources *resources, struct model *model,
			      struct faults *faults)
{
	struct resources *next = resources_copy(resources, STORE_SAME);

	resources->trouble[0] = '\0'; /* left by a request */
	if (!next) {
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(ERR_NOMEM));
		return NULL;
	}
	next->model = model;
	if (addresses_load(next, faults) != 0) {
		resources_prepared_free(next);
		return NULL;
	}
	next->trouble[0] = '\0'; /* is reported */
	resources_forget(next);
	return next;
}

struct resources *resources_prepare(struct resources *resources, struct model *model,
				    struct faults *faults)
{
	assert(!resources->changing && !resources->store.held);
	if (store_follow(&resources->store, model->management.state, &model->management.origin,
			 faults) != 0)
		return NULL;
	return make(resources, model, faults);
}

void resources_adopt(struct resources *next)
{
	next->of->model = next->model;
	addresses_adopt(next);
}

void resources_prepared_free(struct resources *next)
{
	struct source *source = next ? next->of->store.source : NULL;

	if (!next)
		return;
	assert(!next->changing);
	if (next->addresses.read && source) /* not served, so the next load reads the state again */
		source->calls->unsync(source);
	resources_attach(next->of);
	addresses_release(&next->addresses);
	resources_copy_free(next);
}

void resources_check(struct model *model, struct faults *faults)
{
	static const struct hash_key any_key;
	const struct management *management = &model->management;
	struct resources *resources = resources_new(&any_key);

	if (!resources)
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(ERR_NOMEM));
	else if (store_look(&resources->store, management->state, &management->origin, faults))
		resources_prepared_free(make(resources, model, faults));
	resources_free(resources);
}
