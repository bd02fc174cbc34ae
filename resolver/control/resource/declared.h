/* Addresses and cloud services that the configuration file declares, with an index for each unique
 * member. A load of the file makes a new one, which never changes and which all models of that file
 * share. */
#ifndef SLUICE_DECLARED_H
#define SLUICE_DECLARED_H

#include "resolver/control/resource/owned_resource.h"

struct declared;

/* BY_NAME: by kind, resource group and name. BY_ADDRESS: addresses and services; BY_GROUP: only
 * addresses, by resource group and then address. All orders ignore ASCII case. */
enum declared_order {
	DECLARED_BY_ID,
	DECLARED_BY_NAME,
	DECLARED_BY_ADDRESS,
	DECLARED_BY_FQDN,
	DECLARED_BY_GROUP,
	DECLARED_ORDERS
};

/* Indexes a model that limits_check has accepted; model NULL: an empty one. The file's model must
 * outlive the result, which uses its texts. NULL without memory. */
struct declared *declared_new(const struct model *model);
/* Take and drop a reference, within one thread. NULL is fine. */
struct declared *declared_ref(struct declared *declared);
void declared_free(struct declared *declared);

/* A hash of everything that the API shows of the resources, for etags. */
uint64_t declared_hash(const struct declared *declared);
/* The resource that equals the probe in this order; NULL: none. */
const struct owned_resource *declared_find(const struct declared *declared,
					   enum declared_order order,
					   const struct owned_resource *probe);
/* Another declared resource with the same id, name, address or forward name; *field says which, by
 * the schema's key. NULL: none. */
const struct owned_resource *declared_clash(const struct declared *declared,
					    const struct owned_resource *resource,
					    const char **field);
/* All resources of the order, sorted. */
const struct owned_resource *const *declared_list(const struct declared *declared,
						  enum declared_order order, size_t *count);
/* The index in that list of the first resource after the probe. */
size_t declared_behind(const struct declared *declared, enum declared_order order,
		       const struct owned_resource *probe);
/* The addresses of a resource group, sorted (group NULL or "": those in no group). */
const struct owned_resource *const *declared_group(const struct declared *declared,
						   const char *group, size_t *count);
/* Compares two resources in that order, like strcmp. */
int declared_compare(enum declared_order order, const struct owned_resource *a,
		     const struct owned_resource *b);

#endif
