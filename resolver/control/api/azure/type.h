/* Azure's resource types and the kinds of resources (resource/kind.h) that they are: one table for
 * both directions. Each type is a row with a list of its members. GET, lists and exports print by
 * it (azure/shown.h), PUT and PATCH read by it (azure/reading.h). A new type needs code only for
 * what no row can say.
 *
 *     properties.addressSpace.addressPrefixes   <->   address_space
 *     properties.virtualNetwork.id              <->   virtual_network: "GROUP/NAME"
 *     properties.flowTimeoutInMinutes           <->   azure: {"flowTimeoutInMinutes": "10"}   kept
 *     properties.provisioningState               ->   shown only
 *
 * A member that is in no row is ignored: clients send back what GET gave them, with what later
 * versions of the API have. */
#ifndef SLUICE_ARM_TYPE_H
#define SLUICE_ARM_TYPE_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/api/api.h"
#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/kind.h"

/* How a member's value differs between a body and the values by the field table. */
enum arm_form {
	ARM_SAME, /* it does not: a text, a number, a truth value, or an array of them */
	ARM_WORD, /* only in case: one of `words`; a value without a word is shown as the first */
	ARM_LOCATION, /* "West Europe" is westeurope; without a region, the server's */
	ARM_HOSTS,    /* an array of addresses, which Azure shows without the port 53 */
	ARM_GLOBAL,   /* a location that is always "global", and has no key */
	ARM_TAGS,     /* an object of texts, in both */
	ARM_METADATA, /* an object of texts, and "NAME=VALUE" each */
	ARM_ID,       /* {"id": ID}, and a reference */
	ARM_ID_TEXT,  /* the ID alone, and a reference */
	ARM_IDS,      /* an array of ARM_ID */
	ARM_SUBNET,   /* {"id": ID}, and the name of a subnet of the resolver's network */
	ARM_OBJECTS,  /* an array of objects, with `inner` members */
	ARM_RECORD,  /* an object, with the data of a record as `inner`, and a master file's text */
	ARM_RECORDS, /* an array of these */
	ARM_CHILDREN, /* the resources of the type `of` that are inside, in full */
	ARM_KEPT,     /* without a key: not used here, and given back as it is */
	ARM_SHOWN,    /* without a key: computed, and ignored in a body */
	/* Of the data of a record: */
	ARM_TEXT,
	ARM_NUMBER,
	ARM_NAME,    /* a domain name, which Azure has without a final dot */
	ARM_STRINGS, /* the strings of a TXT record */
};

/* What a member that is shown is computed from (azure/hooks.h). */
enum arm_computed {
	ARM_COMPUTED_NOTHING,
	ARM_RESOURCE_GUID,
	ARM_ENDPOINT_LOCATION,
	ARM_SUBNET_IP_CONFIGURATIONS,
	ARM_IP_CONFIGURATION_ID,
	ARM_INTERFACE_MAC_ADDRESS,
	ARM_INTERFACE_PRIVATE_ENDPOINT,
	ARM_PRIVATE_ENDPOINT_STATE,
	ARM_PRIVATE_ENDPOINT_INTERFACES,
	ARM_PRIVATE_ENDPOINT_DNS_CONFIGS,
	ARM_ZONE_GROUP_RECORDS,
	ARM_ZONE_SET_COUNT,
	ARM_ZONE_SET_LIMIT,
	ARM_ZONE_LINK_COUNT,
	ARM_ZONE_LINK_LIMIT,
	ARM_ZONE_REGISTRATION_COUNT,
	ARM_ZONE_REGISTRATION_LIMIT,
	ARM_SET_FQDN,
	ARM_SET_IS_REGISTERED,
	ARM_ADDRESS_TEXT,
	ARM_ADDRESS_VERSION,
	ARM_ADDRESS_FQDN,
	ARM_ADDRESS_GUID,
};

struct arm_member {
	/* Below "properties", or, behind a '/', of the resource itself; "a.b" is b in a, "a[0]" the
	 * only item of the array a. NULL ends a list. */
	const char *path;
	const char *key; /* among the values; NULL: the form has none */
	enum arm_form form;
	const char *of;                 /* the type of the id, or of the children */
	const struct arm_member *inner; /* of objects and records */
	const char *const *words;       /* Azure's, up to a NULL */
	const char *beside;             /* shown and kept only where this key has a value */
	const char *fallback;           /* JSON: of SHOWN, always; of KEPT, where nothing is kept */
	enum arm_computed computed;     /* of SHOWN, in place of the fallback */
	bool required;
	bool fixed; /* stays as it was when the resource was made */
	bool quiet; /* not shown where it has its default */
	bool alias; /* of another member, whose key it gives, too; not shown */
};

/* What the types of one family have in common. */
enum arm_etag { ARM_ETAG_QUOTED, ARM_ETAG_WEAK, ARM_ETAG_BARE };
struct arm_family {
	const char *provider;
	enum arm_etag etag; /* "\"V\"", "W/\"V\"", "V" in the body */
	bool etag_header;   /* and as a header, too */
	const char *versions[4];
};

struct arm_type {
	const char *path; /* behind the provider: "virtualNetworks/subnets" */
	unsigned kind;    /* its id */
	const struct arm_family *family;
	const char *title; /* for errors: "Virtual network" */
	const struct arm_member *members;
	const char *record_type; /* of record sets: "A" */
	bool tracked;            /* it has a location, and is among the group's /resources */
	bool holds;              /* its parent cannot be removed while it is there */
	bool shows_placed;       /* shown with what was chosen for it, such as its address */
};

#define ARM_PROVIDER "Microsoft.Network"

/* All types, each behind its parent. The last row has no path. */
extern const struct arm_type arm_types[];
const struct arm_type *arm_type_named(const char *path); /* in any case */
/* NULL: it is in a group, and in no other resource. */
const struct arm_type *arm_type_parent(const struct arm_type *type);
const struct arm_type *arm_type_of_kind(unsigned kind);
/* The type of the resource: of the record set "www:A" privateDnsZones/A. NULL: Azure has none. */
const struct arm_type *arm_type_of(const struct path *path);
/* The last part of its path: "subnets". */
const char *arm_type_last(const struct arm_type *type);

/* ---- ids ---- */

enum { ARM_ID_MAX = 4096 };

/* The name of the resource: "www" of the record set "www:A". Returns text. */
char *arm_name(const struct path *path, char text[NAME_TEXT_MAX]);
/* Reads an id of any subscription into texts in the arena. ERR_INVALID: it is not an id of one of
 * these types. */
MUST_CHECK int arm_id_split(struct arena *arena, const char *id, const char **subscription,
			    const struct arm_type **type, struct path *path);
/* Reads the segments of an id from "providers" on. Where they end with a type they are those of a
 * list, and the path's last name is "". ERR_NOT_FOUND: there is no such type; *unknown is the
 * namespace or type that there is not. */
MUST_CHECK int arm_path_read(struct arena *arena, const char *group, const char *const *segments,
			     size_t count, const struct arm_type **type, struct path *path,
			     const char **unknown);

#endif
