/* The addresses and cloud services that the configuration file declares, found by each of the
 * things that no two of them share. Made anew by every load, and never changed. */
#ifndef SLUICE_DECLARED_H
#define SLUICE_DECLARED_H

#include "resolver/control/resource/owned_resource.h"

struct declared;

/* BY_NAME: by kind, resource group and name. BY_ADDRESS: of addresses and services; BY_GROUP: of
 * addresses, by resource group and then address. All without regard to ASCII case. */
enum declared_order {
	DECLARED_BY_ID,
	DECLARED_BY_NAME,
	DECLARED_BY_ADDRESS,
	DECLARED_BY_FQDN,
	DECLARED_BY_GROUP,
	DECLARED_ORDERS
};

/* Of a model that limits_check has found good, which must outlive it; an empty one of NULL. NULL
 * without memory. */
struct declared *declared_new(const struct model *model);
/* References, of one thread: another one, and letting go of one. NULL is fine. */
struct declared *declared_ref(struct declared *declared);
void declared_free(struct declared *declared);

/* The one that is as the probe is, by the members that the order looks at; NULL: there is none.
 */
const struct owned_resource *declared_find(const struct declared *declared,
					   enum declared_order order,
					   const struct owned_resource *probe);
/* The one that has the id, name, address or forward name of this resource, which is another one;
 * *field says which, by the schema's key. NULL: none has. */
const struct owned_resource *declared_clash(const struct declared *declared,
					    const struct owned_resource *resource,
					    const char **field);
/* All that the order has, in it. */
const struct owned_resource *const *declared_list(const struct declared *declared,
						  enum declared_order order, size_t *count);
/* The index in that list of the first one behind the probe. */
size_t declared_behind(const struct declared *declared, enum declared_order order,
		       const struct owned_resource *probe);
/* The addresses of a resource group (NULL or "": of none), in their order. */
const struct owned_resource *const *declared_group(const struct declared *declared,
						   const char *group, size_t *count);
/* Which of the two comes first in the order, as strcmp says it. */
int declared_compare(enum declared_order order, const struct owned_resource *a,
		     const struct owned_resource *b);

#endif
