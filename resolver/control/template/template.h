/* Azure's templates (Azure Resource Manager, also from Bicep): turns a template, parameters and a
 * target for the deployment into resources with bodies, in order of their dependencies.
 *
 *     template_new ─► template_round ─► what is ready: each resource's id and body ─┐
 *                          ▲      (nothing: all have been given)                    │
 *                          └── the caller makes them, so that reference() sees them ┘
 *     template_deployments ─► template_free
 *
 * A round gives the resources whose dependencies were all given in earlier rounds. A resource
 * depends on those in its dependsOn, on its parent, and on those that a reference() in its body
 * names. A template inside a template (a nested deployment, a Bicep module) is read when its turn
 * comes, because its parameters may need earlier resources; its resources are given like all
 * others.
 *
 * Only the caller knows Azure's types. All use is bounded (TEMPLATE_..._MAX), so strangers'
 * templates can be evaluated. Any thread may use a template, one at a time. */
#ifndef SLUICE_TEMPLATE_H
#define SLUICE_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"

enum {
	TEMPLATE_RESOURCES_MAX = 800,          /* with those of nested templates */
	TEMPLATE_COPIES_MAX = 10000,           /* of one copy */
	TEMPLATE_DEPTH_MAX = 64,               /* each of values, brackets and templates */
	TEMPLATE_RECURSION_MAX = 400,          /* of values, brackets, calls and resources inside
						* resources together */
	TEMPLATE_STEPS_MAX = 1000000,          /* calls, members and values that are evaluated */
	TEMPLATE_BYTES_MAX = 64 * 1024 * 1024, /* of all values made */
	TEMPLATE_ID_MAX = 4000,                /* bytes of a resource's id, which is in each error
						* about it */
	TEMPLATE_TEXT_MAX = 2048,              /* of an error's text */
};

/* Why a template cannot be deployed. */
struct template_error {
	enum template_trouble {
		TEMPLATE_FINE,
		TEMPLATE_INVALID,   /* the template or a parameter is wrong */
		TEMPLATE_LIMIT,     /* one of the limits above is exceeded; the text names it */
		TEMPLATE_NOT_FOUND, /* a resource or group that is referred to is missing */
		TEMPLATE_NO_MEMORY,
	} trouble;
	/* The place in the template's JSON: "resources[2].properties.subnets", "variables.names",
	 * "resources.vnet.name"; nested: "resources[1].properties.template.resources[0]"; "": the
	 * whole template. "parameters.NAME" may also mean a given value. */
	char place[TEMPLATE_TEXT_MAX];
	char text[TEMPLATE_TEXT_MAX]; /* says what would be right; without a final dot */
};

/* The target of the deployment, as functions see it. Objects are borrowed. */
struct template_scope {
	const char *name;     /* of the deployment */
	const char *location; /* of a deployment at subscription scope; otherwise NULL */
	const char *subscription, *tenant;
	const char *display_name;  /* of the subscription and of the tenant */
	const char *group;         /* NULL: deployed to the subscription */
	const json_t *environment; /* the result of environment() */
	const json_t *deployer;    /* the result of deployer() */
	int64_t now_s;             /* the time of utcNow(), since 1970 */
	void *context;
	/* Returns the resource group as GET shows it, for resourceGroup(). NULL: not found. */
	json_t *(*find_group)(void *context, const char *name);
	/* Returns the provider as GET shows it, with its "resourceTypes", for providers() and
	 * pickZones(). NULL: not found. */
	json_t *(*find_provider)(void *context, const char *namespace);
	/* Returns the resource as GET shows it, including results of earlier rounds, for
	 * reference(). NULL: not found. */
	json_t *(*find_resource)(void *context, const char *id);
};

struct template;

/* Reads the template; `given`: {"NAME": {"value": ...}, ...}, or NULL. Source, given and scope are
 * borrowed until template_free. NULL: the error says why. */
struct template *template_new(const json_t *source, const json_t *given,
			      const struct template_scope *scope, struct template_error *error);
void template_free(struct template *template); /* NULL is fine */

/* A resource to be made. Valid until template_free. */
struct template_resource {
	const char *id;    /* "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/..." */
	const char *type;  /* "Microsoft.Network/virtualNetworks/subnets" */
	const char *name;  /* "hub/in" */
	const char *group; /* NULL: in no group, like a resource group itself */
	const char *place; /* in the template */
	bool only_if_absent; /* an existing resource stays unchanged */
	size_t deployment;   /* index of its deployment in template_deployments */
	json_t *body;        /* the body of the PUT: location, tags, properties, ... */
};

/* Gives the resources of the next round: an array of *count, owned by the template and valid until
 * the next round. *count 0: all resources were given in earlier rounds. ERR_INVALID, ERR_NOMEM: the
 * error says why. */
MUST_CHECK int template_round(struct template *template,
			      const struct template_resource *const **resources, size_t *count,
			      struct template_error *error);

/* Copies the text without the template's secrets: "***" replaces texts of secure parameters, and
 * results of functions that got them. The template's own errors need no such call. To be freed;
 * NULL: out of memory. */
char *template_hide_secrets(const struct template *template, const char *text);
/* Whether the template gives, or has given, a resource of that id. Resources of a nested template
 * count once that template is read. */
bool template_has(struct template *template, const char *id);

/* Called after the last round. The template's own deployment comes first, then nested ones. Secure
 * parameters and outputs have no value. */
struct template_deployment {
	const char *name;
	const char *subscription;
	const char *group;  /* NULL: of the subscription */
	size_t outer;       /* index of the deployment around it; 0 for the first */
	json_t *parameters; /* {"NAME": {"type": "String", "value": ...}} */
	json_t *outputs;    /* in the form of parameters */
};
MUST_CHECK int template_deployments(struct template *template,
				    const struct template_deployment **deployments, size_t *count,
				    struct template_error *error);

#endif
