/* The rehearsal shows what the owner will be, and so what can prove that a name is its own: its
 * forward name and its address, where they are known before they are given out. */
#include "resolver/control/api/claim.h"

#include "resolver/control/api/reverse.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/service/service.h"
#include "rules/name.h"

/* ---- one change ---- */

/* Azure has no reverse names for IPv6; one that is there already may stay. */
static bool is_refused_six(const struct api_claim *claim, const struct owner *owner, bool had)
{
	return claim->checked && owner->ptr.fqdn && owner->address.family == 6 && !had &&
	       !inventory_model(api_inventory(claim->request))->reverse.ipv6;
}

static void fail_six(struct api_claim *claim)
{
	api_fail_at(claim->request, 400, "ReverseFqdnNotSupportedForIPv6", claim->claimant->field,
		    "ReverseFqdn is for IPv4 addresses, and %s is IPv6; reverse.ipv6 in the "
		    "configuration allows it",
		    claim->name);
}

/* Makes the edits, and with `commit` keeps them. Puts the owner's id into `id`, and calls `look`
 * with the owner while the change is open. False: it failed, which has been answered. */
static bool run_change(struct api_claim *claim, bool commit, char id[UUID_TEXT_MAX],
		       void (*look)(void *context, const struct owner *owner), void *context)
{
	const struct api_claimant *claimant = claim->claimant;
	const struct owner *owner = claimant->find(claim->request);
	struct change_error error = {.outcome = CHANGE_FINE};
	bool had = owner && owner->address.family == 6 &&
		   (claim->fqdn ? owner_has_ptr(owner, claim->fqdn) : owner->ptr.fqdn != NULL);
	if (!claimant->fits(claim, owner))
		return false;
	struct change *change = change_begin(api_inventory(claim->request), claim->request->client);
	int err = change ? claimant->edit(claim, change, &owner, &error) : ERR_NOMEM;
	bool refused = false;
	if (err == 0 && !owner) { /* it could not be read again */
		(void)change_fail_memory(change);
		err = ERR_INVALID;
	}
	if (err == 0) {
		snprintf(claim->name, sizeof claim->name, "%s", owner->name);
		snprintf(id, UUID_TEXT_MAX, "%s", owner->id);
		refused = is_refused_six(claim, owner, had);
		if (look && !refused)
			look(context, owner);
	}
	if (err == 0 && !refused && commit)
		err = change_commit(change);
	if (err != 0)
		claimant->fail(claim, error.outcome != CHANGE_FINE ? &error : change_error(change));
	else if (refused)
		fail_six(claim);
	change_free(change);
	return err == 0 && !refused;
}

static void answer_within(void *claim, const struct owner *owner)
{
	((struct api_claim *)claim)->claimant->answer(claim, owner);
}

/* While it was asked whose the name is another change may have begun to wait to be confirmed: then
 * nothing else changes. */
static void make(struct api_claim *claim)
{
	struct api_request *request = claim->request;
	const struct owner *owner;
	char id[UUID_TEXT_MAX];
	if (!api_still_may(request) || !api_may_change(request)) {
		claim->claimant->free(claim);
		return;
	}
	if (claim->rehearsal) {
		(void)run_change(claim, false, id, answer_within, claim);
	} else if (run_change(claim, true, id, NULL, NULL)) {
		owner = inventory_by_id(api_inventory(request), id);
		if (owner)
			claim->claimant->answer(claim, owner);
		else if (!api_could_not_read(request))
			api_fail_memory(request);
	}
	claim->claimant->free(claim);
}

/* ---- whose the name is ---- */

/* What the owner would be if the name were its own. */
struct rehearsal {
	bool is_there; /* already */
	char id[UUID_TEXT_MAX], fqdn[NAME_TEXT_MAX];
	struct address address;
};

/* A new address of a pool is not known before it is given out. */
static void note_owner(void *context, const struct owner *owner)
{
	struct rehearsal *will_be = context;
	if (owner->fqdn)
		snprintf(will_be->fqdn, sizeof will_be->fqdn, "%s", owner->fqdn);
	if (owner->allocation == ALLOCATION_STATIC &&
	    (will_be->is_there || owner->kind == OWNER_SERVICE))
		will_be->address = owner->address;
}

static void again(struct work_waiter *waiter)
{
	api_claim(api_request_of(waiter)->state);
}

/* By the time the name can be set it may belong to somebody else: the work under way is a change,
 * too. */
static void make_or_wait(struct api_claim *claim)
{
	struct api_request *request = claim->request;

	request->state = claim;
	if (claim->waits == CLAIM_WAITS ||
	    !work_wait(&request->service->work, &request->waiter, again))
		make(claim);
	else
		claim->waits++;
}

static void on_ownership(void *context, enum ownership ownership, const char *reason)
{
	struct api_claim *claim = context;
	const struct api_claimant *claimant = claim->claimant;
	struct api_request *request = claim->request;
	if (ownership == OWNERSHIP_OWNED) {
		make_or_wait(claim);
		return;
	}
	if (ownership == OWNERSHIP_UNRESOLVED)
		api_fail_at(request, 400, "ReverseFqdnCouldNotBeResolved", claimant->field,
			    "ReverseFqdn %s that %s %s is trying to use could not be resolved, so "
			    "it is not known whose it is: %s. Nothing has changed; try again when "
			    "it resolves.",
			    claim->fqdn, claimant->title, claim->name, reason);
	else
		api_fail_at(request, 400, "ReverseFqdnDoesNotBelongToSubscription", claimant->field,
			    "ReverseFqdn %s that %s %s is trying to use does not belong to "
			    "subscription %s. One of the following conditions need to be met to "
			    "establish ownership: 1) ReverseFqdn matches fqdn of any %spublic ip "
			    "resource under the subscription; 2) ReverseFqdn resolves to the fqdn "
			    "(through CName records chain) of any %spublic ip resource under the "
			    "subscription; 3) It resolves to the ip address (through CName and A "
			    "records chain) of a %sstatic public ip resource under the "
			    "subscription.",
			    claim->fqdn, claimant->title, claim->name,
			    ownership_subscription(api_inventory(request), NULL), claimant->also,
			    claimant->also, claimant->also);
	claimant->free(claim);
}

static void ask(struct api_claim *claim, const struct rehearsal *will_be)
{
	struct api_request *request = claim->request;
	struct inventory *inventory = api_inventory(request);
	const struct ownership_question question = {
		.name = claim->fqdn,
		.subscription = ownership_subscription(inventory, NULL),
		.id = will_be->is_there ? will_be->id : NULL,
		.fqdn = *will_be->fqdn ? will_be->fqdn : NULL,
		.address = will_be->address,
	};
	if (ownership_check(inventory, &request->service->server, &question, on_ownership, claim) ==
	    0)
		return;
	api_fail_memory(request); /* its form is good: it was rehearsed */
	claim->claimant->free(claim);
}

void api_claim(struct api_claim *claim)
{
	const struct owner *owner = claim->claimant->find(claim->request);
	struct rehearsal will_be = {.is_there = owner};
	if (!claim->checked || !claim->fqdn || owner_has_ptr(owner, claim->fqdn))
		make(claim);
	else if (run_change(claim, false, will_be.id, note_owner, &will_be))
		ask(claim, &will_be);
	else
		claim->claimant->free(claim);
}
