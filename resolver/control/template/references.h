/* Functions that refer to existing or earlier resources: reference(), references(), resourceGroup()
 * and providers(). */
#ifndef SLUICE_TEMPLATE_REFERENCES_H
#define SLUICE_TEMPLATE_REFERENCES_H

#include <jansson.h>

#include "resolver/control/template/entry.h"

/* reference(symbol, name or id[, version[, 'Full']]). NULL, with the budget waiting: the resource
 * is made later, and the scope's entry waits for it. */
json_t *references_one(const struct scope *scope, json_t **arguments, size_t count);
/* references(name of a copy[, 'Full']): an array. */
json_t *references_copy(const struct scope *scope, json_t **arguments, size_t count);
json_t *references_group(const struct scope *scope, const char *name);
json_t *references_provider(const struct scope *scope, const char *namespace);

#endif
