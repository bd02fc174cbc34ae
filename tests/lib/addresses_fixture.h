/* For tests: resources with a state in a directory of its own. */
#ifndef SLUICE_TESTS_ADDRESSES_FIXTURE_H
#define SLUICE_TESTS_ADDRESSES_FIXTURE_H

#include <stdbool.h>

#include "resolver/control/resource/address_edits.h"
#include "resolver/control/resource/change_error.h"
#include "resolver/control/resource/resources.h"
#include "rules/owned/owned.h"
#include "tests/lib/config_text.h"

struct addresses_fixture {
	struct config_text config;
	char state[96]; /* DIRECTORY/state.db */
	struct model *model;
	struct resources *resources;
	struct owned *seen; /* the table at the last call of addresses_fixture_has_moved */
};

/* A region, three pools and a state. */
#define FIXTURE_WORLD                                                                              \
	"region = \"east\"; subscription = \"11111111-2222-3333-4444-555555555555\";\n"            \
	"management = { state = \"state.db\"; };\n" FIXTURE_POOLS
#define FIXTURE_POOLS                                                                              \
	"address_pools = ({ name = \"public\"; prefix = \"198.51.100.0/24\"; },\n"                 \
	"                 { name = \"small\"; prefix = \"203.0.113.8/30\"; region = \"west\"; "    \
	"},\n"                                                                                     \
	"                 { name = \"six\"; prefix = \"2001:db8::/64\"; });\n"

/* Suffixes in the file. With them there are no warnings of names in Azure's domains. */
#define FIXTURE_SUFFIXES                                                                           \
	"reverse = { suffix = \"cloudapp.azure.com\"; service_suffix = \"cloudapp.net\"; };\n"

/* Items that a file may have beside a state: an address with a PTR, one without, and a service. */
#define FIXTURE_FILED FIXTURE_ITEMS FIXTURE_SUFFIXES
#define FIXTURE_ITEMS                                                                              \
	"addresses = ({ name = \"filed\"; address = \"198.51.100.10\"; reverse_fqdn = \"f.test\";" \
	" domain_name_label = \"filed\"; },\n"                                                     \
	" { name = \"bare\"; address = \"198.51.100.11\"; });\n"                                   \
	"cloud_services = ({ name = \"app\"; address = \"198.51.100.20\"; });\n"

/* For a test's set-up and tear-down: *state is a fixture that starts with FIXTURE_WORLD and
 * FIXTURE_FILED, and only errors are logged. addresses_fixture_new makes a fixture with another
 * configuration, and addresses_fixture_free frees it. */
int addresses_fixture_set_up(void **state);
int addresses_fixture_tear_down(void **state);
struct addresses_fixture *addresses_fixture_new(const char *text);
void addresses_fixture_free(struct addresses_fixture *fixture);
/* Starts with this configuration; it must be good. */
void addresses_fixture_init(struct addresses_fixture *fixture, const char *text);
void addresses_fixture_release(struct addresses_fixture *fixture);
/* Reloads; config.faults has the faults. 0: the file's contents are served. */
int addresses_fixture_load(struct addresses_fixture *fixture, const char *text);
/* Ends, and starts again with the same configuration and state; like a kill -9, except for the
 * disk. */
void addresses_fixture_restart(struct addresses_fixture *fixture);
void addresses_fixture_stop(struct addresses_fixture *fixture);
void addresses_fixture_start(struct addresses_fixture *fixture);

/* Whether the address's served PTR is this name; target NULL: whether it has none. */
bool addresses_fixture_serves(const struct addresses_fixture *fixture, const char *address,
			      const char *target, uint32_t ttl);
/* Whether the name's served address is this one; address NULL: whether it has none. */
bool addresses_fixture_resolves(const struct addresses_fixture *fixture, const char *name,
				const char *address);

/* Whether the table to serve has changed since the last call or load. */
bool addresses_fixture_has_moved(struct addresses_fixture *fixture);

/* The resource with this address; NULL: none. */
const struct owned_resource *addresses_fixture_at(const struct addresses_fixture *fixture,
						  const char *address);
/* The address without a group, or the service, with this name; NULL: none. */
const struct owned_resource *addresses_fixture_named(const struct addresses_fixture *fixture,
						     const char *name);
/* Checks that the change has failed like this and cannot be committed, and frees it. */
void addresses_fixture_check_error(struct address_draft *draft, enum change_outcome outcome,
				   const char *field, const char *says);

/* Each makes one change, which must succeed. */
const struct owned_resource *addresses_fixture_add(struct addresses_fixture *fixture,
						   const char *name, const char *address);
void addresses_fixture_point(struct addresses_fixture *fixture,
			     const struct owned_resource *resource, const char *fqdn);

/* ---- a change with a transaction of its own (address_draft.h) ---- */

/* If the state cannot begin one, the change is void. NULL without memory. */
struct address_draft *edit_begin(struct resources *resources, const char *who);
int edit_store(struct address_draft *draft);  /* commits the transaction */
int edit_commit(struct address_draft *draft); /* the same, and gives the change to the resources */
void edit_free(struct address_draft *draft);  /* rolls back what is not committed; NULL is fine */

/* ---- edits, by texts: tags are a JSON object; NULL is null ---- */

struct edit_value {
	const char *key, *text;
};
/* Adds a resource that does not exist yet, and sets *resource to it, unless `resource` is NULL.
 * Errors as of addresses_put. */
int edit_add(struct address_draft *draft, unsigned kind, const struct edit_value *values,
	     size_t count, const struct owned_resource **resource);
/* Set this PTR (a service's ownership counts as known), remove the PTR, and remove the resource. In
 * edit_point, resource NULL stands for one that does not exist. */
int edit_point(struct address_draft *draft, const struct owned_resource *resource,
	       const struct owned_item *ptr);
int edit_unpoint(struct address_draft *draft, const struct owned_resource *resource);
int edit_remove(struct address_draft *draft, const struct owned_resource *resource);
/* Puts back a PTR whose address does not exist; ptr NULL: removes it. */
int edit_wait(struct address_draft *draft, const char *id, const struct owned_item *ptr);
/* Makes or changes a group. */
int edit_group(struct address_draft *draft, const struct resource_group *group);
/* Removes a group with its addresses of that subscription (group_removal_next). */
int edit_remove_group(struct address_draft *draft, const char *name, const char *subscription);
/* Makes the edits of an import (state_json.h); the error has the place in the document. */
int edit_import(struct address_draft *draft, const json_t *document);
/* Changes only these values of the resource. */
int edit_set(struct address_draft *draft, const struct owned_resource *resource,
	     const struct edit_value *values, size_t count, const struct owned_resource **now);

#endif
