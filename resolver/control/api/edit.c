/* A change that claims a reverse name is rehearsed first. The rehearsal shows the address or
 * service as the change would make it: its own forward name and IP address may prove that the
 * reverse name is owned (resource/ownership.h), if they are known before the change is made. */
#include "resolver/control/api/edit.h"

#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/ownership.h"
#include "rules/array.h"
#include "rules/name.h"

/* Drops all edits, and frees the values of those from number `from` on. `from` is 1 if the first
 * edit's values are edit->values, which the caller frees, and else 0. */
static void drop_edits(struct api_edit *edit, size_t from)
{
	for (size_t i = from; i < edit->count; i++)
		json_decref((json_t *)(uintptr_t)edit->edits[i].values);
	edit->count = 0;
}

void api_edit_release(struct api_edit *edit)
{
	drop_edits(edit, 0);
	free(edit->edits);
	edit->edits = NULL;
}

static void end(struct api_edit *edit)
{
	json_decref(edit->values);
	drop_edits(edit, 1);
	free(edit->edits);
	if (edit->editor->free)
		edit->editor->free(edit);
	else
		free(edit);
}

/* ---- making the change ---- */

static void fail(struct api_edit *edit, int err, const struct change_error *error,
		 const struct faults *faults)
{
	if (err != ERR_INVALID && edit->editor->fail_faults)
		edit->editor->fail_faults(edit, faults);
	else if (err != ERR_INVALID)
		api_fail_faults(edit->request, 400, "invalid", faults);
	else if (edit->editor->fail)
		edit->editor->fail(edit, error);
	else
		api_fail_change(edit->request, error);
}

static void on_made(void *context, int err, const struct service_change *change,
		    const struct faults *faults)
{
	struct api_edit *edit = context;
	const struct api_made made = {change, faults};

	if (err)
		fail(edit, err, &change->error, faults);
	else
		edit->editor->answer(edit, &made);
	end(edit);
}

static void look(void *context, struct resources *draft, const struct policy *none)
{
	struct api_edit *edit = context;

	(void)none;
	edit->request->aside = draft;
	edit->editor->look(edit);
	edit->request->aside = NULL;
}

static struct service_change change_of(const struct api_edit *edit)
{
	bool has_first = edit->edits[0].path.kind;

	return (struct service_change){.edits = edit->edits + !has_first,
				       .count = edit->count - !has_first,
				       .who = edit->request->who,
				       .why = edit->claimed ? ADDRESSES_CLAIMED : ADDRESSES_ANY};
}

static void make(struct api_edit *edit)
{
	struct service_change change = change_of(edit);
	bool removes = json_is_null(edit->values); /* and leaves nothing to show */
	struct faults none;

	change.rehearsal = edit->rehearsal;
	change.look = edit->rehearsal && !removes && edit->editor->look ? look : NULL;
	change.context = edit;
	if (change.count > 0) {
		service_commit(edit->request->service, &change, on_made, edit);
		return;
	}
	faults_init(&none);
	on_made(edit, 0, &change, &none);
	faults_release(&none);
}

/* ---- ownership of the name ---- */

bool api_edit_allows(const struct api_edit *edit, const struct owned_resource *resource,
		     uint8_t family, const char *fqdn)
{
	const struct model *model = resources_model(api_resources(edit->request));

	return family != 6 || !fqdn || !*fqdn || model->reverse.ipv6 ||
	       (resource && resource->item.address.family == 6 && owned_has_ptr(resource, fqdn));
}

/* The address or service as it would be if the name were its own. */
struct rehearsed {
	struct api_edit *edit;
	bool is_there; /* it exists already */
	bool is_known; /* the rehearsal found it */
	char id[UUID_TEXT_MAX], fqdn[NAME_TEXT_MAX];
	struct address address;
};

/* During the rehearsal the served resources read through the connection of the transaction, so they
 * have the resource as the change would leave it. But a new resource's address is left out, because
 * it may be chosen from a pool only when the change is made (a service's is always given). */
static void note_rehearsed(void *context, struct resources *unused, const struct policy *none)
{
	struct rehearsed *rehearsed = context;
	struct api_edit *edit = rehearsed->edit;
	const struct owned_resource *resource = edit->editor->find(edit->request);

	(void)unused;
	(void)none;
	if (!resource)
		return;
	rehearsed->is_known = true;
	snprintf(edit->name, sizeof edit->name, "%s", resource->item.name);
	snprintf(rehearsed->id, sizeof rehearsed->id, "%s", resource->item.id);
	if (resource->fqdn)
		snprintf(rehearsed->fqdn, sizeof rehearsed->fqdn, "%s", resource->fqdn);
	if (resource->item.allocation == ALLOCATION_STATIC &&
	    (rehearsed->is_there || owned_is_service(resource)))
		rehearsed->address = resource->item.address;
}

/* False: the change is not possible, and the request has been answered. */
static bool rehearse(struct rehearsed *rehearsed)
{
	struct api_edit *edit = rehearsed->edit;
	struct api_request *request = edit->request;
	struct service_change change = change_of(edit);
	struct faults faults;
	int err;

	change.rehearsal = true;
	change.look = note_rehearsed;
	change.context = rehearsed;
	faults_init(&faults);
	err = service_change(request->service, &change, &faults);
	if (err)
		fail(edit, err, &change.error, &faults);
	faults_release(&faults);
	if (err)
		return false;
	if (!rehearsed->is_known && !api_could_not_read(request))
		api_fail_memory(request);
	return rehearsed->is_known;
}

/* While the edit waited, another change may have begun to wait for its confirmation, which excludes
 * further changes. Failed reads of other requests say nothing about this one, so forget them. */
static void go_on(struct api_edit *edit)
{
	resources_forget(api_resources(edit->request));
	if (api_still_may(edit->request) && api_may_change(edit->request))
		api_edit(edit);
	else
		end(edit);
}

static void ask_again(struct work_waiter *waiter)
{
	go_on(api_request_of(waiter)->state);
}

/* Waits for a large change, if one is under way: it may give the name to another resource, so the
 * check then begins again. */
static void make_or_wait(struct api_edit *edit)
{
	struct api_request *request = edit->request;
	struct work *work = &request->service->work;
	struct change_error error;

	if (edit->waits == EDIT_WAITS && work->busy) {
		change_say(&error, CHANGE_BUSY, NULL,
			   "many changes are being made at this moment; try again");
		fail(edit, ERR_INVALID, &error, NULL);
		end(edit);
		return;
	}
	request->state = edit;
	edit->is_ours = !work_wait(work, &request->waiter, ask_again);
	edit->waits++;
	if (edit->is_ours)
		go_on(edit);
}

static void fail_unresolved(struct api_edit *edit, const char *reason)
{
	const struct api_editor *editor = edit->editor;

	api_fail_at(edit->request, 400, "ReverseFqdnCouldNotBeResolved", editor->field,
		    "ReverseFqdn %s that %s %s is trying to use could not be resolved, so "
		    "it is not known whose it is: %s. Nothing has changed; try again when "
		    "it resolves.",
		    edit->claimed, editor->title, edit->name, reason);
}

static void fail_foreign(struct api_edit *edit)
{
	const struct api_editor *editor = edit->editor;

	api_fail_at(edit->request, 400, "ReverseFqdnDoesNotBelongToSubscription", editor->field,
		    "ReverseFqdn %s that %s %s is trying to use does not belong to "
		    "subscription %s. One of the following conditions need to be met to "
		    "establish ownership: 1) ReverseFqdn matches fqdn of any %spublic ip "
		    "resource under the subscription; 2) ReverseFqdn resolves to the fqdn "
		    "(through CName records chain) of any %spublic ip resource under the "
		    "subscription; 3) It resolves to the ip address (through CName and A "
		    "records chain) of a %sstatic public ip resource under the "
		    "subscription.",
		    edit->claimed, editor->title, edit->name,
		    ownership_subscription(api_resources(edit->request), NULL), editor->also,
		    editor->also, editor->also);
}

static void on_ownership(void *context, enum ownership ownership, const char *reason)
{
	struct api_edit *edit = context;

	if (ownership == OWNERSHIP_OWNED) {
		make_or_wait(edit);
		return;
	}
	if (ownership == OWNERSHIP_UNRESOLVED)
		fail_unresolved(edit, reason);
	else
		fail_foreign(edit);
	end(edit);
}

static void ask(const struct rehearsed *rehearsed)
{
	struct api_edit *edit = rehearsed->edit;
	struct api_request *request = edit->request;
	struct resources *resources = api_resources(request);
	const struct ownership_question question = {
		.name = edit->claimed,
		.subscription = ownership_subscription(resources, NULL),
		.id = rehearsed->is_there ? rehearsed->id : NULL,
		.fqdn = *rehearsed->fqdn ? rehearsed->fqdn : NULL,
		.address = rehearsed->address,
	};

	if (ownership_check(resources, &request->service->server, &question, on_ownership, edit) ==
	    0)
		return;
	api_fail_memory(request); /* the rehearsal has checked the name's form */
	end(edit);
}

static void claim(struct api_edit *edit, bool is_there)
{
	struct rehearsed rehearsed = {.edit = edit, .is_there = is_there};

	if (rehearse(&rehearsed))
		ask(&rehearsed);
	else
		end(edit);
}

static struct resource_edit *add_edit(struct api_edit *edit)
{
	struct resource_edit *edits =
		array_grow(edit->edits, edit->count, &edit->room, sizeof *edits);

	if (!edits)
		return NULL;
	edit->edits = edits;
	edits[edit->count] = (struct resource_edit){.path = {.kind = NULL}};
	return &edits[edit->count++];
}

/* Copies the path: its texts may be in the served model, which a reload frees while a change waits,
 * for example for answers about a name. */
int api_edit_also(struct api_edit *edit, const struct path *path, json_t *values)
{
	struct resource_edit *added = add_edit(edit);

	if (added && path_copy(path, &edit->request->arena, &added->path)) {
		added->values = values;
		return 0;
	}
	edit->count -= added != NULL;
	json_decref(values);
	return ERR_NOMEM;
}

/* Reads the request's edits, in place of those read before. False: they are not possible, and the
 * request has been answered.
 */
static bool read_edits(struct api_edit *edit)
{
	struct path path = {.kind = NULL};

	json_decref(edit->values);
	edit->values = NULL;
	edit->claimed = NULL;
	drop_edits(edit, 1);
	if (!add_edit(edit)) {
		api_fail_memory(edit->request);
		return false;
	}
	if (!edit->editor->read(edit, &path, &edit->values))
		return false;
	edit->values = json_whole(edit->values);
	if (path.kind &&
	    (!edit->values || !path_copy(&path, &edit->request->arena, &edit->edits[0].path))) {
		api_fail_memory(edit->request);
		return false;
	}
	edit->edits[0].values = json_is_null(edit->values) ? NULL : edit->values;
	return true;
}

void api_edit(struct api_edit *edit)
{
	const struct owned_resource *resource = NULL;

	if (!read_edits(edit)) {
		end(edit);
		return;
	}
	if (edit->claimed)
		resource = edit->editor->find(edit->request);
	if (!edit->claimed || edit->is_ours || owned_has_ptr(resource, edit->claimed))
		make(edit);
	else
		claim(edit, resource != NULL);
}

void api_edit_plain(struct api_request *request, const struct api_editor *editor)
{
	struct api_edit *edit = calloc(1, sizeof *edit);

	if (!edit) {
		api_fail_memory(request);
		return;
	}
	*edit = (struct api_edit){.editor = editor, .request = request};
	api_edit(edit);
}
