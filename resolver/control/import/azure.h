/* Azure's resources, as its interfaces and command line have them, into a tree of ours: networks,
 * resolvers, zones, rulesets and addresses, with what is in them, by the API's table of types
 * (api/azure/type.h). */
#ifndef SLUICE_IMPORT_AZURE_H
#define SLUICE_IMPORT_AZURE_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/import/import.h"

/* What a subscription and a resource group are called that the source does not know. */
#define AZURE_UNKNOWN "-"

/* "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/hub". */
const char *azure_id(struct import *import, const char *subscription, const char *group,
		     const char *type, const char *name);
/* Whether a resource of that type is carried over; if not, `at` is told why, unless nothing is
 * lost. */
bool azure_carries(struct import *import, const char *type, const struct origin *at);
/* A resource, `what` it is called there (NULL: nothing beside its place): `location`, `tags`, and
 * `properties` or, as az prints them, these members beside. It has to stay until azure_finish,
 * which changes it, with the places that json_file knows. The same id again is passed over. */
void azure_take(struct import *import, const char *id, const char *what, json_t *resource);
/* Puts all that was taken into the tree, ahead of import_finish. Nothing at all is a fault. */
void azure_finish(struct import *import);

#endif
