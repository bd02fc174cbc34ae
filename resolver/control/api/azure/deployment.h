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

enum { DEPLOYMENT_DRAFTS_MAX = 100, DEPLOYMENT_REMOVALS_MAX = 10000 };

struct deployed { /* a resource of the template */
	const char *id, *place, *name;
	const struct arm_type *type;
	struct path path;
	json_t *before, *after; /* as GET shows it; NULL: it is not there */
	bool goes;              /* it is in no template, and the mode is Complete */
};

struct deployment {
	struct api_request *request;
	const char *name, *group; /* NULL: of the subscription */
	const char *location;
	bool complete; /* what the group has besides is removed */
	bool looks;    /* before and after are wanted */
	const json_t *source, *given;
	/* out: */
	struct deployed *resources;
	size_t count, room;
	char *text;      /* the template's, as JSON */
	json_t *records; /* of the deployment and of nested ones: {"name", "group", "parameters",
			  * "outputs"} */
	struct template_error error; /* why the template cannot be deployed */
	struct arm_errors errors;    /* why its resources cannot */
	/* inside: */
	struct template_scope scope;
	struct template *template;
	struct service_edit *edits;
	size_t edit_count, edit_room;
	const struct template_resource *const *round;
	size_t round_count, round_at;
	size_t drafts;       /* that were made */
	size_t drafted;      /* edits that the latest has */
	bool has_references; /* the template may ask for anything, by reference() */
	bool read_all, removals_read, done;
	json_t *environment, *deployer;
};

/* `read` of a service_change, whose context is the deployment. ERR_NOT_FOUND: all is as the
 * template says already. ERR_INVALID: `error` or `errors` say why it cannot be made. */
int deployment_read(void *context, struct inventory *inventory, struct service_change *change);
void deployment_release(struct deployment *deployment);

/* False: a deployment cannot have that name, which is added to the errors. */
bool deployment_check_name(const char *name, struct arm_errors *errors);

#endif
