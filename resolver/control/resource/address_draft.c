/* Edits are made in address_edits.c and group.c:
 *
 *     edit ─► draft_put_row: row, keys, history
 *      └────► draft_serve: the served table, old entry out and new one in
 *
 * ROLLBACK and addresses_discard undo the edits. An edit sees the rows of the edits before it, so
 * it can take a name or address that one of these has released. After COMMIT nothing can fail. A
 * failed read voids the draft, even if its edit went on. */
#include "resolver/control/resource/address_draft.h"

#include <assert.h>
#include <stdlib.h>

#include "resolver/control/resource/address_body.h"
#include "resolver/control/store/pairs.h"

/* ---- begin and discard ---- */

struct address_draft *addresses_edit(struct resources *resources, struct source *source,
				     uint64_t revision, bool restores)
{
	struct address_draft *draft = calloc(1, sizeof *draft);

	assert(!resources->changing);
	if (!draft)
		return NULL;
	*draft = (struct address_draft){.resources = resources,
					.source = source,
					.revision = revision,
					.cursors = resources->addresses.past.cursors,
					.restores = restores,
					.counts = resources->addresses.counts};
	resources->changing = true;
	return draft;
}

void addresses_discard(struct address_draft *draft)
{
	if (!draft)
		return;
	owned_discard(draft->table);
	if (!draft->over) /* the same edits choose the same addresses again */
		draft->resources->addresses.past.cursors = draft->cursors;
	draft->resources->changing = false;
	free(draft);
}

const struct model *draft_model(const struct address_draft *draft)
{
	return draft->resources->model;
}

/* ---- errors ---- */

const struct change_error *draft_error(const struct address_draft *draft)
{
	return &draft->error;
}

void draft_take_error(struct address_draft *draft, struct change_error *error)
{
	*error = draft->error;
	draft->error = (struct change_error){.outcome = CHANGE_FINE};
}

int draft_fail_store(struct address_draft *draft, const char *error)
{
	if (draft->error.outcome != CHANGE_FINE)
		return ERR_INVALID;
	return change_say(&draft->error, CHANGE_STORE, NULL, "%s", error);
}

int draft_check_trouble(struct address_draft *draft)
{
	const char *trouble = resources_trouble(draft->resources);

	return trouble ? draft_fail_store(draft, trouble) : 0;
}

int draft_fail(struct address_draft *draft, enum change_outcome outcome, const char *field,
	       const char *format, ...)
{
	va_list arguments;

	if (draft->error.outcome != CHANGE_FINE || draft_check_trouble(draft) != 0)
		return ERR_INVALID;
	va_start(arguments, format);
	(void)change_say_list(&draft->error, outcome, field, format, arguments);
	va_end(arguments);
	return ERR_INVALID;
}

int draft_fail_memory(struct address_draft *draft)
{
	return draft_fail(draft, CHANGE_NO_MEMORY, NULL, "%s", err_text(ERR_NOMEM));
}

int draft_fail_declared(struct address_draft *draft, const struct origin *origin)
{
	return draft_fail(draft, CHANGE_READ_ONLY, NULL, CHANGE_DECLARED, origin->file,
			  origin->line);
}

int draft_is_open(struct address_draft *draft)
{
	assert(!draft->over);
	return draft->error.outcome != CHANGE_FINE ? ERR_INVALID : draft_check_trouble(draft);
}

int draft_read(struct address_draft *draft, const struct kind *kind, const json_t *values,
	       void *item, struct arena *arena)
{
	struct change_error error;
	int err = address_body_read(kind, values, item, arena, &error);

	return err ? draft_fail(draft, error.outcome, error.field, "%s", error.text) : 0;
}

/* ---- rows ---- */

/* Notes the draft's revision in the state, once: the rows do not show a deletion, so the next start
 * could not tell from them when the lists changed last. */
static int note_changed(struct address_draft *draft)
{
	char error[SOURCE_ERROR_MAX] = "";

	if (draft->noted)
		return 0;
	draft->noted = true;
	return pairs_note_changed(draft->source, draft->revision, error) == 0
		       ? 0
		       : draft_fail_store(draft, error);
}

/* json NULL: deletes the row. */
static int write_row(struct address_draft *draft, unsigned kind, const char *path, const char *json,
		     const struct source_keys *keys)
{
	char error[SOURCE_ERROR_MAX] = "";
	int err = draft_check_trouble(draft);

	if (!err)
		err = note_changed(draft);
	if (err)
		return err;
	err = draft->source->calls->put(draft->source, kind, path, json, keys, error);
	return !err || err == ERR_EXISTS ? err : draft_fail_store(draft, error);
}

int draft_put_row(struct address_draft *draft, unsigned kind, const char *path, char *json,
		  const struct source_keys *keys)
{
	int err = json ? write_row(draft, kind, path, json, keys) : draft_fail_memory(draft);

	free(json);
	return err;
}

int draft_delete_row(struct address_draft *draft, unsigned kind, const char *path)
{
	return write_row(draft, kind, path, NULL, NULL);
}

/* ---- the served table ---- */

/* Adds `one` (1 or -1) to the numbers that count the resource. */
static void count(struct address_draft *draft, const struct owned_resource *resource, bool refused,
		  int one)
{
	struct addresses_counts *after = &draft->counts;

	if (owned_is_declared(resource)) {
		after->given +=
			(size_t)(resource->item.reverse_fqdn && !resource->ptr_is_declared ? one
											   : 0);
		return;
	}
	*(owned_is_service(resource) ? &after->services : &after->addresses) += (size_t)one;
	after->ptrs += (size_t)(resource->item.reverse_fqdn ? one : 0);
	after->refused += (size_t)(refused ? one : 0);
}

int draft_serve(struct address_draft *draft, const struct owned_resource *before,
		const struct owned_resource *now)
{
	const struct resources *resources = draft->resources;
	char text[POOLS_TEXT_MAX];
	bool refused;
	int err = 0;

	if (!draft->table)
		draft->table = owned_edit(resources->addresses.owned);
	if (!draft->table)
		return draft_fail_memory(draft);
	if (before) {
		refused = addresses_refusal(resources, before, text);
		count(draft, before, refused, -1);
		if (!refused)
			err = owned_unserve(before, draft->table, &resources->key);
	}
	if (now) {
		refused = addresses_refusal(resources, now, text);
		count(draft, now, refused, 1);
		if (!err && !refused)
			err = owned_serve(now, draft->table, &resources->key, resources->model);
	}
	return err ? draft_fail(draft, CHANGE_NO_MEMORY, NULL, "cannot be served: %s",
				err_text(err))
		   : 0;
}

/* ---- the end ---- */

/* Updates the counts and, if it changed, the table to be served. If a copy was edited, its original
 * gets them. */
void addresses_commit(struct address_draft *draft)
{
	struct resources *resources =
		draft->resources->of ? draft->resources->of : draft->resources;

	assert(!draft->over && draft->error.outcome == CHANGE_FINE);
	draft->over = true;
	resources->addresses.counts = draft->counts;
	resources->addresses.past.cursors = draft->resources->addresses.past.cursors;
	if (draft->noted)
		resources->addresses.past.changed = draft->revision;
	addresses_publish(resources, draft->table ? owned_commit(draft->table) : NULL,
			  draft->revision);
	draft->table = NULL;
}
