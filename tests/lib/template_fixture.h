/* A template that is deployed beside a few existing resources. The resources that it makes exist in
 * the next round, with their bodies. */
#ifndef SLUICE_TESTS_TEMPLATE_FIXTURE_H
#define SLUICE_TESTS_TEMPLATE_FIXTURE_H

#include <jansson.h>

#include "resolver/control/template/template.h"

#define TEMPLATE_SUB "00000000-0000-0000-0000-000000000001"
#define TEMPLATE_RG  "/subscriptions/" TEMPLATE_SUB "/resourceGroups/rg"

struct template_fixture {
	struct template_scope scope; /* the group "rg", unless a test says otherwise */
	json_t *source, *given;
	json_t *there; /* the existing resources, by id in lower case */
	struct template *template;
	struct template_error error;
	char rounds[8192]; /* the made resources: "hub hub/in; link" are two rounds */
	json_t *bodies;    /* by id */
	char places[512];  /* "NAME DEPLOYMENT; ..." of each resource */
	const struct template_deployment *deployments;
	size_t deployment_count;
	bool only_if_absent; /* of the last made resource */
	unsigned finds;      /* how often a resource was asked for */
};

void template_fixture_init(struct template_fixture *fixture);
void template_fixture_release(struct template_fixture *fixture);
/* Adds an existing resource. The text is as in template_json. */
void template_fixture_put(struct template_fixture *fixture, const char *id, const char *text);
/* Makes all rounds from the beginning. Takes over both; `given` may be NULL. False: the error says
 * why. */
bool template_fixture_deploy(struct template_fixture *fixture, json_t *source, json_t *given);

/* JSON with ' for " and ` for '. Ends the process if the text is wrong. */
json_t *template_json(const char *text);
/* The reverse, compact; free the text. */
char *template_json_text(const json_t *value);

#endif
