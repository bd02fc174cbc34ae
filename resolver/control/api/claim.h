/* A change that sets the reverse name of an address or cloud service the Azure way: whose the name
 * is, is found out first (ownership.h), once, and never again.
 *
 *     api_claim ─► rehearsed: made in a change that is then undone (form, preconditions: 4xx)
 *                    ├─ the name that it has already, or none ───────────► made, answered
 *                    └─ another: ownership_check ─► ours ────────────────► made, answered
 *                                                ├► not ours, not known ─► 400, nothing has moved
 *                                                └► others are at work: all of it again when they
 *                                                   are done, CLAIM_WAITS times at most, then 503
 *
 * By ARM addresses take their names so, and by /v1 cloud services, be it the service or its PTR
 * that is set. Of an address /v1 and Designate take any name: then `checked` is false, and it is
 * the same change without the question. What is made is held against the preconditions once more,
 * for somebody else may have come while the name was asked for. */
#ifndef SLUICE_API_CLAIM_H
#define SLUICE_API_CLAIM_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/change.h"

enum { CLAIM_NAME_MAX = 128, CLAIM_WAITS = 3 };

struct api_claim;

/* What an API has of its own. */
struct api_claimant {
	const char *title; /* what errors call the owner: "PublicIPAddress" */
	const char *field; /* where the body has the reverse name */
	const char *also; /* whose names count besides public IPs', for the error: "cloud service or
			     " */
	/* The owner that the request names; NULL: there is none. */
	const struct owner *(*find)(const struct api_request *request);
	/* Whether the request goes with what is there (owner NULL: nothing); false: that has been
	 * answered. */
	bool (*fits)(struct api_claim *claim, const struct owner *owner);
	/* All edits, preconditions first. *owner is what there was, NULL for nothing, and then what
	 * there is. Called more than once. A failure has its reason in `error` where that gets an
	 * outcome, else in the change's. */
	int (*edit)(struct api_claim *claim, struct change *change, const struct owner **owner,
		    struct change_error *error);
	/* Each answers: with what an edit or the store failed of; with what has been done. */
	void (*fail)(struct api_claim *claim, const struct change_error *error);
	void (*answer)(struct api_claim *claim, const struct owner *owner);
	/* Called last, always. */
	void (*free)(struct api_claim *claim);
};

/* Embedded in what the claimant knows of the request. */
struct api_claim {
	const struct api_claimant *claimant;
	struct api_request *request;
	bool checked;              /* the Azure way; else any name will do */
	const char *fqdn;          /* the name that the body asks for, not empty; NULL: none */
	char name[CLAIM_NAME_MAX]; /* the owner's, once it has been rehearsed */
	unsigned waits;            /* for the end of others' work, while the name was asked for */
};

/* Takes the claim over, and answers its request at once or later. */
void api_claim(struct api_claim *claim);

#endif
