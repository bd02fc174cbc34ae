/* A change that sets the reverse name of an address or cloud service as Azure does: who owns the
 * name (ownership.h) is found out before it is set, and never again.
 *
 *     api_claim ─► rehearsed: made in a change that is then undone (form, preconditions: 4xx)
 *                    ├─ the name that it has already, or none ───────────► made, answered
 *                    └─ another: ownership_check ─► ours ────────────────► made, answered
 *                                                ├► not ours, not known ─► 400, nothing has moved
 *                                                └► others are at work: all of it again when they
 *                                                   are done, CLAIM_WAITS times at most, then 503
 *
 * ARM sets the names of addresses this way, and /v1 those of cloud services, whether the service or
 * its PTR is set. /v1 takes any name for an address: then `checked` is false, and it is the same
 * change without the question. The preconditions are checked again when the change is made:
 * somebody else may have changed the owner while the name was asked for. */
#ifndef SLUICE_API_CLAIM_H
#define SLUICE_API_CLAIM_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/change.h"

enum { CLAIM_NAME_MAX = 128, CLAIM_WAITS = 3 };

struct api_claim;

/* What differs between the APIs. */
struct api_claimant {
	const char *title; /* what errors call the owner: "PublicIPAddress" */
	const char *field; /* where the body has the reverse name */
	const char *also; /* whose names count besides public IPs', for the error: "cloud service or
			     " */
	/* The owner that the request names; NULL: there is none. */
	const struct owner *(*find)(const struct api_request *request);
	/* Whether the request fits what is there (owner NULL: nothing); false: that has been
	 * answered. */
	bool (*fits)(struct api_claim *claim, const struct owner *owner);
	/* All edits, preconditions first. *owner goes in as it was (NULL: there was none) and comes
	 * out as it is. Called more than once. The reason of a failure is in `error` if that has an
	 * outcome, else in the change. */
	int (*edit)(struct api_claim *claim, struct change *change, const struct owner **owner,
		    struct change_error *error);
	/* Each answers: why an edit or the store failed; what has been done. */
	void (*fail)(struct api_claim *claim, const struct change_error *error);
	void (*answer)(struct api_claim *claim, const struct owner *owner);
	/* Called last, always. */
	void (*free)(struct api_claim *claim);
};

/* Embedded in the claimant's own struct. */
struct api_claim {
	const struct api_claimant *claimant;
	struct api_request *request;
	bool checked;     /* the Azure way; else any name will do */
	bool rehearsal;   /* it is found out only; `answer` is called within the change, which is
			   * undone */
	const char *fqdn; /* the name that the body asks for, not empty; NULL: none */
	char name[CLAIM_NAME_MAX]; /* the owner's, once it has been rehearsed */
	unsigned waits;            /* for the end of others' work, while the name was asked for */
};

/* Takes the claim over, and answers its request at once or later. */
void api_claim(struct api_claim *claim);

#endif
