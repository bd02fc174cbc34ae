/* Puts Azure's resources, as its interfaces and command line print them, into our tree: networks,
 * resolvers, zones, rulesets and addresses, with their children, by the API's table of types
 * (api/azure/type.h). */
#ifndef SLUICE_IMPORT_AZURE_H
#define SLUICE_IMPORT_AZURE_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/import/import.h"

/* Stands for a subscription or resource group that the source does not name. */
#define AZURE_UNKNOWN "-"

/* Prints "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/hub". */
const char *azure_id(struct import *import, const char *subscription, const char *group,
		     const char *type, const char *name);
/* Whether resources of that type are carried over; if not, reports why at `at`, unless nothing is
 * lost. */
bool azure_carries(struct import *import, const char *type, const struct origin *at);
/* Takes a resource: `location`, `tags`, and either `properties` or, as az prints them, the members
 * of `properties` beside the others. `what`: its name in the source (NULL: only its place is
 * shown). `resource` comes from json_file, and must live until azure_finish, which changes it. A
 * repeated id is skipped. */
void azure_take(struct import *import, const char *id, const char *what, json_t *resource);
/* Puts all resources into the tree, before import_finish. No resource at all is a fault. */
void azure_finish(struct import *import);

#endif
