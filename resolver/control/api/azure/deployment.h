/* A deployment: the resources of a template as one change.
 *
 *     template_round ─► resources ─► each as a PUT of its own (azure/put.h) ─► edits
 *            ▲                                                                  │
 *            └─────────── a draft that has the edits so far (service_rehearse) ◄┘
 *
 * A resource that is read later sees the earlier ones in the draft, for ids in its body and for
 * reference(). The choice of a free address needs no new draft, because it also looks at the edits
 * so far (api/earlier.h). A new draft is made when the next resource, or an expression of the next
 * round, may need an earlier resource that the latest draft lacks, and at the end for removals and
 * outputs. Then the edits are made as one change, or, in a rehearsal, dropped.
 *
 * All of this runs in a thread, in service_change.read; the control thread only begins and answers.
 */
#ifndef SLUICE_ARM_DEPLOYMENT_H
#define SLUICE_ARM_DEPLOYMENT_H

#include "resolver/control/api/azure/errors.h"
#include "resolver/control/api/azure/type.h"
#include "resolver/control/api/earlier.h"
#include "resolver/control/service/service.h"
#include "resolver/control/template/template.h"

enum {
	DEPLOYMENT_DRAFTS_MAX = 100,
	/* A draft makes a whole model, which takes 1 to 20 us for each item (most for a zone), and
	 * holds up other changes. A deployment may always make ten drafts. It may make more while
	 * all its drafts together have fewer items than DEPLOYMENT_DRAFT_WORK_MAX; making so many
	 * takes five seconds at most. */
	DEPLOYMENT_DRAFTS_ALWAYS = 10,
	DEPLOYMENT_DRAFT_WORK_MAX = 250000,
	DEPLOYMENT_REMOVALS_MAX = 10000
};

struct deployment_asked { /* texts are borrowed until deployment_release */
	struct api_request *request;
	const char *name, *group; /* group NULL: a deployment to the subscription */
	const char *location;     /* of a deployment to the subscription */
	bool complete;            /* mode Complete: removes other resources of the group */
	bool wants_before_after;  /* of each resource, for what-if */
	const json_t *template, *parameters;
};

struct deployed { /* a resource of the template, or one that is removed */
	const char *id, *place, *name;
	size_t deployment; /* index in `deployments` of its deployment */
	const struct arm_type *type;
	struct path path;
	const char *claimed;    /* a new reverse name; the edit's values own it; NULL: none */
	json_t *before, *after; /* as what-if shows it; NULL: it does not exist, or no what-if */
	bool is_removed;        /* by mode Complete */
};

struct deployment { /* before deployment_read only `asked` and errors.request are set */
	struct deployment_asked asked;
	/* The result: */
	struct deployed *resources;
	size_t count;
	struct api_earlier edits;                      /* of all resources */
	const struct template_deployment *deployments; /* this one and nested ones; NULL: unread */
	size_t deployment_count;
	char *text;                  /* the template as JSON */
	struct template_error error; /* a fault of the template itself */
	struct arm_errors errors;    /* faults of its resources */
	json_t *failed; /* an array of {"id": of a resource, "error": an object of errors.list} */
	struct deployment_reader *reader; /* private to deployment.c */
};

/* For service_change.read: gives the change its edits. ERR_NOT_FOUND: there is nothing to change.
 * ERR_INVALID: the reason is in `error` or `errors`, or else in the change's error. */
MUST_CHECK int deployment_read(struct deployment *deployment, struct resources *resources,
			       struct service_change *change);
bool deployment_has_failed(const struct deployment *deployment);
/* The text without the template's secrets, to be freed; NULL without memory. */
char *deployment_hide_secrets(const struct deployment *deployment, const char *text);
void deployment_release(struct deployment *deployment);

/* False: a deployment cannot have that name; an error was added. */
bool deployment_check_name(const char *name, struct arm_errors *errors);

/* ---- the preview of a deployment (what_if.c) ---- */

enum { WHAT_IF_ADDRESSES_MAX = 1000 };

/* Each resource before and after, with the members that differ. Other resources of the group are
 * listed as ignored, but at most WHAT_IF_ADDRESSES_MAX addresses, because there may be a million.
 * Call this in a rehearsal with wants_before_after, in the thread that has read the deployment. id:
 * the correlationId; ids_only: without bodies. The caller releases the result. */
json_t *what_if_json(const struct deployment *deployment, const char *id, bool ids_only);

#endif
