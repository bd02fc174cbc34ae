/* A deployment: the resources of a template as one change.
 *
 *     template_round ─► resources ─► each as a PUT of its own (azure/put.h) ─► edits
 *            ▲                                                                  │
 *            └──────────── a draft that has the edits so far (service_draft) ◄──┘
 *
 * What is read later sees in the draft what was read before: references, free addresses, and what
 * reference() asks for. A new draft is made where what is read next looks at something that the
 * latest does not have yet. At the end the edits are made as one change, or, of a rehearsal,
 * forgotten.
 *
 * All of that is in a thread, by service_change.read; the control thread only begins and answers.
 */
#ifndef SLUICE_ARM_DEPLOYMENT_H
#define SLUICE_ARM_DEPLOYMENT_H

#include "resolver/control/api/azure/errors.h"
#include "resolver/control/api/azure/type.h"
#include "resolver/control/service/service.h"
#include "resolver/control/template/template.h"

enum {
	DEPLOYMENT_DRAFTS_MAX = 100,
	/* Each draft makes a whole model, which takes 1 to 20 us an item (a zone takes longest),
	 * and no other change is made meanwhile. Ten drafts of one deployment are made in any case,
	 * more only while the items of all of them are fewer than these, which take about five
	 * seconds at most. */
	DEPLOYMENT_DRAFTS_ALWAYS = 10,
	DEPLOYMENT_DRAFT_WORK_MAX = 250000,
	DEPLOYMENT_REMOVALS_MAX = 10000
};

struct deployment_asked { /* borrowed until deployment_release */
	struct api_request *request;
	const char *name, *group; /* group NULL: of the subscription */
	const char *location;     /* of a deployment to the subscription */
	bool complete;            /* what the group has besides is removed */
	bool wants_before_after;  /* of each resource */
	const json_t *template, *parameters;
};

struct deployed { /* a resource of the template, or one that is removed */
	const char *id, *place, *name;
	size_t deployment; /* that it is of: an index of `deployments` */
	const struct arm_type *type;
	struct path path;
	json_t *before, *after; /* as GET shows it; NULL: it is not there */
	bool is_removed;        /* it is in no template, and the mode is Complete */
};

struct deployment { /* all zero but for what is asked, ahead of deployment_read */
	struct deployment_asked asked;
	/* What comes of it: */
	struct deployed *resources;
	size_t count;
	struct service_edit *edits; /* of all of them, in their order */
	size_t edit_count;
	const struct template_deployment *deployments; /* this one, and those that are nested in it;
							* NULL: not all were read */
	size_t deployment_count;
	char *text;                  /* the template's, as JSON */
	struct template_error error; /* why the template cannot be deployed */
	struct arm_errors errors;    /* why its resources cannot */
	json_t *failed; /* of errors, those that are a resource's: {"id", "error": the same} each */
	struct deployment_reader *reader; /* deployment.c's own */
};

/* For service_change.read: gives the change its edits. ERR_NOT_FOUND: all is as the template says
 * already. ERR_INVALID: `error` or `errors` say why it cannot be made, or else the change's error
 * does. */
MUST_CHECK int deployment_read(struct deployment *deployment, struct inventory *inventory,
			       struct service_change *change);
bool deployment_has_failed(const struct deployment *deployment);
/* The text without the template's secrets. To be freed; NULL: for want of memory. */
char *deployment_hide_secrets(const struct deployment *deployment, const char *text);
void deployment_release(struct deployment *deployment);

/* False: a deployment cannot have that name, which is added to the errors. */
bool deployment_check_name(const char *name, struct arm_errors *errors);

#endif
