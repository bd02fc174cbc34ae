/* /v1: addresses, cloud services and PTRs, by the configuration's own words (reverse_json.h).
 *
 *     PUT      makes it, or makes it what the body says: a label, tags, a description and a PTR
 * that are not given are gone afterwards; id, region, address and allocation stay PATCH    only
 * what the body names; null takes it away DELETE   with its PTR
 *
 * Each is one change, so an address and its PTR come together or not at all. Where a PTR's name is
 * set, the answer waits, 3 s at most, for whether that name leads back, and has it in `warnings`;
 * the change is done and served by then. A group of "-" in a path is none. */
#include <strings.h>

#include "resolver/control/api_reverse.h"
#include "resolver/control/control.h"
#include "resolver/control/json.h"
#include "resolver/control/reverse_check.h"
#include "resolver/control/reverse_json.h"

enum { ID_MAX = 37 };

typedef json_t *show_owner(const struct owner *owner);

/* ---- answers ---- */

static void answer_list(struct api_request *request, const char *key, const enum owner_kind *kinds,
			size_t kind_count, show_owner *show)
{
	json_t *array = json_array();
	bool whole = true;
	for (size_t k = 0; k < kind_count; k++) {
		size_t count;
		const struct owner **owners =
			inventory_list(api_inventory(request), kinds[k], &count);
		whole = whole && owners;
		for (size_t i = 0; owners && i < count; i++)
			json_add(array, show(owners[i]));
		free(owners);
	}
	json_t *body = json_make("{s:o}", key, array);
	if (!whole) {
		json_decref(body);
		body = NULL;
	}
	api_reply_json(request, 200, body, NULL);
}

static void answer_owner(struct api_request *request, const struct owner *owner, show_owner *show)
{
	char etag[OWNER_ETAG_MAX];
	if (!owner)
		api_fail(request, 404, "not_found",
			 "there is no such thing here; GET the path one level up to see what is");
	else
		api_reply_json(request, 200, show(owner), owner_etag(owner, etag));
}

/* What has been done, and is told when it is known whether the PTR leads back. */
struct done {
	struct api_request *request;
	unsigned status;
	show_owner *show;
	char id[ID_MAX];
};

static void on_forward_known(void *context, const char *warning)
{
	struct done *done = context;
	struct api_request *request = done->request;
	const struct owner *owner = inventory_by_id(api_inventory(request), done->id);
	char etag[OWNER_ETAG_MAX];
	json_t *body = owner ? done->show(owner) : json_object();
	json_t *warnings = json_array();
	if (warning)
		json_add(warnings, json_text(warning));
	json_put(body, "warnings", warnings);
	api_reply_json(request, done->status, body, owner ? owner_etag(owner, etag) : NULL);
	free(done);
}

static void answer_done(struct api_request *request, unsigned status, const char *id,
			show_owner *show, bool named)
{
	char text[API_OWNER_TEXT_MAX];
	const struct owner *owner = inventory_by_id(api_inventory(request), id);
	struct done *done = malloc(sizeof *done);
	if (owner)
		api_log_change(request, status == 201 ? "made" : "changed",
			       api_owner_text(owner, text));
	if (!done) {
		api_reply_json(request, status, NULL, NULL);
		return;
	}
	*done = (struct done){.request = request, .status = status, .show = show};
	snprintf(done->id, sizeof done->id, "%s", id);
	if (named && owner)
		api_check_forward(request->control, owner, on_forward_known, done);
	else
		on_forward_known(done, NULL);
}

/* ---- one change ---- */

/* Ends a change that did not come about; `error` is its reason where it has one. */
static void answer_failed(struct api_request *request, struct change *change,
			  const struct change_error *error)
{
	api_fail_change(request, error->outcome != CHANGE_FINE ? error : change_error(change));
	change_free(change);
}

static const char *group_of(const struct api_request *request)
{
	const char *group = api_parameter(request, "group");
	return strcmp(group, "-") == 0 ? NULL : group;
}

static const struct owner *asked_owner(const struct api_request *request, enum owner_kind kind)
{
	struct inventory *inventory = api_inventory(request);
	const char *name = api_parameter(request, "name");
	return kind == OWNER_SERVICE ? inventory_service(inventory, name)
				     : inventory_address(inventory, group_of(request), name);
}

/* What is there already, or stands in the path, need not be said, but may not be contradicted:
 * takes `key` out of the input. */
static int settle_value(struct owner_input *input, const char *key, const char *expected,
			struct change_error *error)
{
	for (size_t i = 0; i < input->count; i++) {
		const char *text = input->values[i].text;
		if (strcmp(input->values[i].key, key) != 0)
			continue;
		if (strcasecmp(text ? text : "", expected ? expected : "") != 0) {
			error->outcome = CHANGE_INVALID;
			snprintf(error->field, sizeof error->field, "%s", key);
			snprintf(error->text, sizeof error->text,
				 "it is %s%s%s, and cannot be another", expected ? "\"" : "",
				 expected ? expected : "none", expected ? "\"" : "");
			return ERR_INVALID;
		}
		input->values[i] = input->values[--input->count];
		return 0;
	}
	return 0;
}

static bool has_value(const struct owner_input *input, const char *key)
{
	for (size_t i = 0; i < input->count; i++)
		if (strcmp(input->values[i].key, key) == 0)
			return true;
	return false;
}

static void put_value(struct owner_input *input, const char *key, const char *text)
{
	if (!has_value(input, key))
		input->values[input->count++] = (struct change_value){key, text};
}

/* Brings the input into the form that change_add and change_set want. */
static int complete_input(struct owner_input *input, const struct api_request *request,
			  enum owner_kind kind, const struct owner *owner, bool whole,
			  struct change_error *error)
{
	const char *name = api_parameter(request, "name");
	const char *group = kind == OWNER_ADDRESS ? group_of(request) : NULL;
	int err = settle_value(input, "name", name, error);
	if (err == 0 && kind == OWNER_ADDRESS)
		err = settle_value(input, "resource_group", group, error);
	if (err == 0 && owner)
		err = settle_value(input, "id", owner->id, error);
	if (err != 0)
		return err;
	if (!owner) {
		put_value(input, "name", name);
		if (group)
			put_value(input, "resource_group", group);
	} else if (whole) {
		put_value(input, kind == OWNER_ADDRESS ? "domain_name_label" : "description", NULL);
		put_value(input, "tags", NULL);
	}
	return 0;
}

static int edit_owner(const struct owner_input *input, struct change *change, enum owner_kind kind,
		      const struct owner **owner)
{
	if (!*owner)
		return change_add(change, kind, input->values, input->count, owner);
	return input->count > 0 ? change_set(change, *owner, input->values, input->count, owner)
				: 0;
}

static void store_owner(struct api_request *request, enum owner_kind kind, bool whole)
{
	const struct owner *owner = asked_owner(request, kind);
	bool created = !owner;
	struct owner_input input;
	struct change_error error;
	char id[ID_MAX] = "";
	if (!owner && !whole) {
		answer_owner(request, NULL, owner_json);
		return;
	}
	if (owner_input_read(&input, kind, request->body, &error) != 0) {
		api_fail_change(request, &error);
		return;
	}
	struct change *change = change_begin(api_inventory(request));
	int err = change ? complete_input(&input, request, kind, owner, whole, &error) : ERR_NOMEM;
	if (err == 0)
		err = change_require(change, owner, request->if_match, request->if_none_match);
	if (err == 0)
		err = edit_owner(&input, change, kind, &owner);
	if (err == 0)
		snprintf(id, sizeof id, "%s", owner->id);
	if (err == 0)
		err = owner_input_apply_ptr(&input, whole, change, owner, &error);
	if (err == 0)
		err = change_commit(change);
	if (err != 0) {
		answer_failed(request, change, &error);
	} else {
		change_free(change);
		answer_done(request, created ? 201 : 200, id, owner_json, input.has_fqdn);
	}
	owner_input_release(&input);
}

static void remove_owner(struct api_request *request, const struct owner *owner,
			 int (*edit)(struct change *change, const struct owner *owner))
{
	const struct change_error fine = {.outcome = CHANGE_FINE};
	char text[API_OWNER_TEXT_MAX];
	if (!owner) {
		answer_owner(request, NULL, owner_json);
		return;
	}
	api_owner_text(owner, text);
	struct change *change = change_begin(api_inventory(request));
	int err = change ? change_require(change, owner, request->if_match, request->if_none_match)
			 : ERR_NOMEM;
	if (err == 0)
		err = edit(change, owner);
	if (err == 0)
		err = change_commit(change);
	if (err != 0) {
		answer_failed(request, change, &fine);
		return;
	}
	change_free(change);
	api_log_change(request, edit == change_remove ? "removed" : "PTR removed", text);
	api_reply_empty(request, 204);
}

/* ---- addresses and services ---- */

void api_addresses_list(struct api_request *request)
{
	answer_list(request, "addresses", (const enum owner_kind[]){OWNER_ADDRESS}, 1, owner_json);
}

void api_address_show(struct api_request *request)
{
	answer_owner(request, asked_owner(request, OWNER_ADDRESS), owner_json);
}

void api_address_put(struct api_request *request)
{
	store_owner(request, OWNER_ADDRESS, true);
}

void api_address_patch(struct api_request *request)
{
	store_owner(request, OWNER_ADDRESS, false);
}

void api_address_delete(struct api_request *request)
{
	remove_owner(request, asked_owner(request, OWNER_ADDRESS), change_remove);
}

void api_services_list(struct api_request *request)
{
	answer_list(request, "services", (const enum owner_kind[]){OWNER_SERVICE}, 1, owner_json);
}

void api_service_show(struct api_request *request)
{
	answer_owner(request, asked_owner(request, OWNER_SERVICE), owner_json);
}

void api_service_put(struct api_request *request)
{
	store_owner(request, OWNER_SERVICE, true);
}

void api_service_patch(struct api_request *request)
{
	store_owner(request, OWNER_SERVICE, false);
}

void api_service_delete(struct api_request *request)
{
	remove_owner(request, asked_owner(request, OWNER_SERVICE), change_remove);
}

/* ---- PTRs ---- */

void api_ptrs_list(struct api_request *request)
{
	answer_list(request, "ptrs", (const enum owner_kind[]){OWNER_ADDRESS, OWNER_SERVICE}, 2,
		    owner_ptr_json);
}

static const struct owner *asked_ptr(const struct api_request *request)
{
	return api_find_ptr(api_inventory(request), api_parameter(request, "id"));
}

void api_ptr_show(struct api_request *request)
{
	answer_owner(request, asked_ptr(request), owner_ptr_json);
}

static void store_ptr(struct api_request *request, bool whole)
{
	const struct owner *owner = asked_ptr(request);
	struct owner_input input;
	struct change_error error;
	char id[ID_MAX];
	if (!owner) {
		answer_owner(request, NULL, owner_ptr_json);
		return;
	}
	if (owner_input_read_ptr(&input, request->body, &error) != 0) {
		api_fail_change(request, &error);
		return;
	}
	if (whole && !input.has_fqdn) {
		api_fail_at(request, 400, "invalid", "reverse_fqdn",
			    "it is missing; give the name, or null for none");
		owner_input_release(&input);
		return;
	}
	snprintf(id, sizeof id, "%s", owner->id);
	bool created = !owner->ptr.fqdn;
	struct change *change = change_begin(api_inventory(request));
	int err = change ? change_require(change, owner, request->if_match, request->if_none_match)
			 : ERR_NOMEM;
	if (err == 0)
		err = owner_input_apply_ptr(&input, whole, change, owner, &error);
	if (err == 0)
		err = change_commit(change);
	if (err != 0) {
		answer_failed(request, change, &error);
	} else {
		change_free(change);
		created = created && input.ptr.fqdn && *input.ptr.fqdn;
		answer_done(request, created ? 201 : 200, id, owner_ptr_json, input.has_fqdn);
	}
	owner_input_release(&input);
}

void api_ptr_put(struct api_request *request)
{
	store_ptr(request, true);
}

void api_ptr_patch(struct api_request *request)
{
	store_ptr(request, false);
}

void api_ptr_delete(struct api_request *request)
{
	remove_owner(request, asked_ptr(request), change_ptr_unset);
}

/* ---- the check of any address or name ---- */

static void on_checked(void *context, enum reverse_result result, json_t *report)
{
	(void)result; /* is in the report */
	api_reply_json(context, 200, report, NULL);
}

/* GET /v1/check?subject=ADDRESS|NAME[&network=NETWORK] */
void api_check(struct api_request *request)
{
	const char *subject = api_query(request, "subject");
	const char *network = api_query(request, "network");
	struct reverse_question question = {.network = network};
	if (!subject || !*subject) {
		api_fail_at(request, 400, "invalid", "subject",
			    "it is missing; give an address or a name: /v1/check?subject=...");
		return;
	}
	if (network && !model_network(inventory_model(api_inventory(request)), network)) {
		api_fail_at(request, 400, "invalid", "network",
			    "there is no virtual network \"%s\"", network);
		return;
	}
	if (address_parse(&question.address, subject) != 0) {
		question.address.family = 0;
		question.name = subject;
	}
	int err = reverse_check(&request->control->server, &question, on_checked, request);
	if (err == ERR_INVALID)
		api_fail_at(request, 400, "invalid", "subject",
			    "\"%s\" is neither an address nor a domain name", subject);
	else if (err != 0)
		api_reply_json(request, 200, NULL, NULL);
}
