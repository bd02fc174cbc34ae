/* /v1: PUT and PATCH of addresses, cloud services and their PTRs.
 *
 *     PUT      makes it, or makes it what the body says: a label, tags, a description and a PTR
 *              that are not given are removed; id, region, address and allocation stay
 *     PATCH    only what the body names; null removes it
 *
 * Each is one change, so an address and its PTR come together or not at all. An address's PTR takes
 * any legal name, as with Designate; a cloud service's has to be owned, as with Azure, also where
 * it is set as a PTR (api/claim.h). Where a name is set, the answer waits, 3 s at most, for whether
 * it leads back, and has that in `warnings`. It is written when every worker serves the change. */
#include "resolver/control/api/claim.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/api/v1/resource.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/reverse_json.h"

/* ---- the answer ---- */

/* What was done. Somebody else may have changed the same owner by the time of the answer: that
 * change, and its etag, are not shown. */
struct done {
	struct api_wait wait;
	struct api_request *request;
	unsigned status;
	enum api_v1_noun noun;
	json_t *shown;    /* as it was made */
	json_t *warnings; /* an array */
	char id[UUID_TEXT_MAX], etag[ETAG_MAX];
};

/* With the PTR's status of now, where nothing else has changed. */
static json_t *show_done(struct done *done)
{
	char etag[ETAG_MAX];
	const struct owner *owner = inventory_by_id(api_inventory(done->request), done->id);
	if (!owner || !etag_same_version(done->etag, owner_etag(owner, etag)))
		return json_incref(done->shown);
	memcpy(done->etag, etag, sizeof etag);
	return api_v1_show(done->noun, owner);
}

static void on_served(struct api_wait *wait)
{
	struct done *done = container_of(wait, struct done, wait);
	json_t *body = show_done(done);

	json_put(body, "warnings", done->warnings);
	api_reply_json(done->request, done->status, body, done->etag);
	json_decref(done->shown);
	free(done);
}

static void on_forward_known(void *context, const char *warning)
{
	struct done *done = context;

	if (warning)
		json_add(done->warnings, json_text(warning));
	api_await_served(done->request, &done->wait);
}

static void answer_done(struct api_request *request, unsigned status, const struct owner *owner,
			enum api_v1_noun noun, bool named)
{
	char text[API_OWNER_TEXT_MAX];
	struct done *done = malloc(sizeof *done);
	api_log_change(request, status == 201 ? "made" : "changed", api_owner_text(owner, text));
	if (!done) {
		api_fail_memory(request);
		return;
	}
	*done = (struct done){.wait.on_served = on_served,
			      .request = request,
			      .status = status,
			      .noun = noun,
			      .shown = json_whole(api_v1_show(noun, owner)),
			      .warnings = json_array()};
	snprintf(done->id, sizeof done->id, "%s", owner->id);
	owner_etag(owner, done->etag);
	if (named)
		api_check_forward(request->service, owner, on_forward_known, done);
	else
		on_forward_known(done, NULL);
}

/* ---- the change ---- */

struct store {
	struct api_claim claim; /* first */
	struct owner_input input;
	enum owner_kind kind;
	enum api_v1_noun noun;
	bool makes; /* an owner that is not there */
	bool whole; /* removes what the body does not name */
	bool created;
};

static bool fits(struct api_claim *claim, const struct owner *owner)
{
	const struct store *store = (struct store *)claim;
	if (owner || store->makes)
		return true;
	api_v1_miss(claim->request, store->noun);
	return false;
}

static int edit_owner(struct api_claim *claim, struct change *change, const struct owner **owner,
		      struct change_error *error)
{
	const struct api_request *request = claim->request;
	struct store *store = (struct store *)claim;
	store->created = !*owner;
	int err = api_require(request, change, *owner);
	return err ? err
		   : owner_input_put(&store->input, change, store->kind,
				     store->kind == OWNER_ADDRESS ? api_group(request) : NULL,
				     api_parameter(request, "name"), store->whole, owner, error);
}

static int edit_ptr(struct api_claim *claim, struct change *change, const struct owner **owner,
		    struct change_error *error)
{
	const struct api_request *request = claim->request;
	struct store *store = (struct store *)claim;
	bool had = (*owner)->ptr.fqdn;
	/* "If-None-Match: *" is about the PTR; an etag is the owner's, which a reader is shown. */
	int err = api_require(request, change, had || request->if_match ? *owner : NULL);
	if (err == 0)
		err = owner_input_put_ptr(&store->input, store->whole, change, owner, error);
	store->created = err == 0 && !had && (*owner)->ptr.fqdn;
	return err;
}

static void fail(struct api_claim *claim, const struct change_error *error)
{
	api_fail_change(claim->request, error);
}

static void answer(struct api_claim *claim, const struct owner *owner)
{
	const struct store *store = (struct store *)claim;
	json_t *shown;

	if (claim->rehearsal) {
		shown = api_v1_show(store->noun, owner);
		json_put(shown, "warnings", json_array());
		api_reply_json(claim->request, 200, shown, NULL);
		return;
	}
	answer_done(claim->request, store->created ? 201 : 200, owner, store->noun,
		    store->input.has_fqdn);
}

static void store_free(struct api_claim *claim)
{
	struct store *store = (struct store *)claim;
	owner_input_release(&store->input);
	free(store);
}

/* ---- requests ---- */

#define STORE                                                                                      \
	.title = "cloud service", .field = "reverse_fqdn", .also = "cloud service or ",            \
	.fits = fits, .fail = fail, .answer = answer, .free = store_free

static const struct api_claimant claimants[] = {
	[OWNER_ADDRESS] = {STORE, .find = api_v1_address, .edit = edit_owner},
	[OWNER_SERVICE] = {STORE, .find = api_v1_service, .edit = edit_owner},
};
static const struct api_claimant ptr_claimant = {STORE, .find = api_v1_ptr, .edit = edit_ptr};

/* Reads the body into the store. False: that has been answered. */
static bool read_store(struct store *store)
{
	struct api_request *request = store->claim.request;
	struct owner_input *input = &store->input;
	bool is_ptr = store->claim.claimant == &ptr_claimant;
	struct change_error error;
	int err = is_ptr ? owner_input_read_ptr(input, request->body, &error)
			 : owner_input_read(input, store->kind, request->body, &error);
	if (err != 0) {
		api_fail_change(request, &error);
		return false;
	}
	if (is_ptr && store->whole && !input->has_fqdn) {
		api_fail_at(request, 400, "invalid", "reverse_fqdn",
			    "it is missing; give the name, or null for none");
		return false;
	}
	if (input->has_fqdn && input->ptr.fqdn && *input->ptr.fqdn)
		store->claim.fqdn = input->ptr.fqdn;
	return true;
}

static void start(struct api_request *request, const struct store *wanted)
{
	static const char *const known[] = {"dry_run", NULL};
	struct store *store;
	const struct owner *owner = wanted->claim.claimant->find(request);
	if (!resource_check_change(request, known))
		return;
	if (!owner && (!wanted->makes || api_v1_is_grouped_service(request, wanted->noun))) {
		api_v1_miss(request, wanted->noun);
		return;
	}
	store = malloc(sizeof *store);
	if (!store) {
		api_fail_memory(request);
		return;
	}
	*store = *wanted;
	store->claim.request = request;
	store->claim.rehearsal = resource_is_rehearsal(request);
	store->claim.checked = (owner ? owner->kind : wanted->kind) == OWNER_SERVICE;
	if (read_store(store))
		api_claim(&store->claim);
	else
		store_free(&store->claim);
}

static void store_owner(struct api_request *request, enum owner_kind kind, bool whole)
{
	start(request,
	      &(struct store){.claim.claimant = &claimants[kind],
			      .kind = kind,
			      .noun = kind == OWNER_SERVICE ? API_V1_SERVICE : API_V1_ADDRESS,
			      .makes = whole,
			      .whole = whole});
}

static void store_ptr(struct api_request *request, bool whole)
{
	start(request,
	      &(struct store){.claim.claimant = &ptr_claimant, .noun = API_V1_PTR, .whole = whole});
}

void api_address_put(struct api_request *request)
{
	store_owner(request, OWNER_ADDRESS, true);
}

void api_address_patch(struct api_request *request)
{
	store_owner(request, OWNER_ADDRESS, false);
}

void api_service_put(struct api_request *request)
{
	store_owner(request, OWNER_SERVICE, true);
}

void api_service_patch(struct api_request *request)
{
	store_owner(request, OWNER_SERVICE, false);
}

void api_ptr_put(struct api_request *request)
{
	store_ptr(request, true);
}

void api_ptr_patch(struct api_request *request)
{
	store_ptr(request, false);
}
