/* Azure's templates (Azure Resource Manager, as Bicep compiles to them): a template, parameters and
 * a place to deploy to, in; resources with their bodies, in the order of their dependencies, out.
 *
 *     template_new ─► template_round ─► what is ready: each resource's id and body ─┐
 *                          ▲      (nothing: all have been given)                    │
 *                          └── the caller makes them, so that reference() sees them ┘
 *     template_outputs, template_deployments ─► template_free
 *
 * A round gives the resources of which all that they depend on was given in the rounds before: by
 * dependsOn, by the resource that they are in, or by a reference() in their body. A template within
 * a template (a nested deployment, a Bicep module) is read when its turn comes, because its
 * parameters may need what was made before it; its resources are given like all others.
 *
 * Nothing here knows of Azure's types: whoever deploys does. Everything is bounded
 * (TEMPLATE_..._MAX), so templates of strangers can be evaluated. One template is used by one
 * thread at a time, which may be any. */
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
	TEMPLATE_DEPTH_MAX = 64,               /* of a value, of brackets, and of templates, each */
	TEMPLATE_RECURSION_MAX = 400,          /* of all of these, and of calls, in one another */
	TEMPLATE_STEPS_MAX = 1000000,          /* calls, members and values that are evaluated */
	TEMPLATE_BYTES_MAX = 64 * 1024 * 1024, /* of all values that are made */
	TEMPLATE_TEXT_MAX = 2048,              /* of an error */
};

/* Why a template cannot be deployed. */
struct template_error {
	enum template_trouble {
		TEMPLATE_FINE,
		TEMPLATE_INVALID,   /* the template, or a parameter */
		TEMPLATE_LIMIT,     /* one of the limits above, which the text names */
		TEMPLATE_NOT_FOUND, /* reference() of a resource that is not there */
		TEMPLATE_NO_MEMORY,
	} trouble;
	/* Where, in the template's JSON: "resources[2].properties.subnets", "variables.names",
	 * "resources.vnet.name"; of a nested one "resources[1].properties.template.resources[0]".
	 * "" is the whole. "parameters.NAME" is also the place of a value that was given. */
	char place[TEMPLATE_TEXT_MAX];
	char text[TEMPLATE_TEXT_MAX]; /* with what would be right; without a final dot */
};

/* Where it is deployed, and what functions see there. Objects are borrowed. */
struct template_scope {
	const char *name;     /* of the deployment */
	const char *location; /* of the deployment at subscription scope; NULL */
	const char *subscription, *tenant;
	const char *display_name;  /* of the subscription and of the tenant */
	const char *group;         /* NULL: it is deployed to the subscription */
	const json_t *environment; /* what environment() gives */
	const json_t *deployer;    /* what deployer() gives: who deploys */
	int64_t now_s;             /* since 1970, of utcNow() */
	void *context;
	/* The resource group as GET shows it, for resourceGroup(). NULL: there is none. */
	json_t *(*find_group)(void *context, const char *name);
	/* The provider as GET shows it, with its "resourceTypes", for providers() and pickZones().
	 * NULL: there is none. */
	json_t *(*find_provider)(void *context, const char *namespace);
	/* The resource as GET shows it, with what the rounds before have made, for reference().
	 * NULL: there is none. */
	json_t *(*find_resource)(void *context, const char *id);
};

struct template;

/* Reads the template; `given`: {"NAME": {"value": ...}, ...}, or NULL. Both are borrowed until
 * template_free, as the scope is. NULL: the error says why. */
struct template *template_new(const json_t *source, const json_t *given,
			      const struct template_scope *scope, struct template_error *error);
void template_free(struct template *template); /* NULL is fine */

/* A resource to be made. Good until template_free. */
struct template_resource {
	const char *id;    /* "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/..." */
	const char *type;  /* "Microsoft.Network/virtualNetworks/subnets" */
	const char *name;  /* "hub/in" */
	const char *group; /* NULL: it is in none, as a resource group itself */
	const char *place; /* in the template */
	bool only_if_absent; /* one that is there already stays as it is */
	size_t deployment;   /* that it is of, by its index in template_deployments */
	json_t *body;        /* what a PUT would send: location, tags, properties, ... */
};

/* Gives the resources of the next round: an array of *count, the template's own; none: all were
 * given. ERR_INVALID: the error says why. */
MUST_CHECK int template_round(struct template *template,
			      const struct template_resource *const **resources, size_t *count,
			      struct template_error *error);

/* The text without the template's secrets: "***" in place of texts of secure parameters, and of
 * those that functions made of them. Its own errors have none. To be freed; NULL: for want of
 * memory. */
char *template_hide_secrets(const struct template *template, const char *text);
/* Whether a resource of that id is, or was, given. Of nested templates those count that are read
 * already. */
bool template_has(struct template *template, const char *id);

/* Behind the last round. A deployment: the template's own is the first, nested ones follow. Secure
 * parameters and outputs have no value. */
struct template_deployment {
	const char *name;
	const char *subscription;
	const char *group;  /* NULL: of the subscription */
	size_t outer;       /* index of the one that it is in; 0 of the first */
	json_t *parameters; /* {"NAME": {"type": "String", "value": ...}} */
	json_t *outputs;    /* the same form */
};
MUST_CHECK int template_deployments(struct template *template,
				    const struct template_deployment **deployments, size_t *count,
				    struct template_error *error);

#endif
