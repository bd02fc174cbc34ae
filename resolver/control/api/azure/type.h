/* The table of Azure's resource types, for both directions. Each type is a row with its kind
 * (resource/kind.h) and a list of its members. GET, lists and exports print by it (azure/shown.h),
 * PUT and PATCH read by it (azure/reading.h). A new type needs code only for parts that no row can
 * express.
 *
 *     properties.addressSpace.addressPrefixes   <->   address_space
 *     properties.virtualNetwork.id              <->   virtual_network: "GROUP/NAME"
 *     properties.flowTimeoutInMinutes           <->   azure: {"flowTimeoutInMinutes": "10"}   kept
 *     properties.provisioningState               ->   shown only
 *
 * A member without a row is ignored: clients send back what GET gave them, with members of later
 * versions of the API. */
#ifndef SLUICE_ARM_TYPE_H
#define SLUICE_ARM_TYPE_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/api/api.h"
#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/kind.h"
#include "rules/name.h"

/* How a member's value in a body differs from the value by the field table. */
enum arm_form {
	ARM_SAME,     /* not at all: a text, a number, a truth value, or an array of them */
	ARM_WORD,     /* only in case: one of `words`; any other value is shown as the first word */
	ARM_LOCATION, /* "West Europe" is westeurope; without a region, the server's */
	ARM_HOSTS,    /* an array of addresses, which Azure shows without the port 53 */
	ARM_GLOBAL,   /* a location that is always "global", and has no key */
	ARM_TAGS,     /* an object of texts, in both forms */
	ARM_METADATA, /* an object of texts; in the values a list of "NAME=VALUE" */
	ARM_ID,       /* {"id": ID}; in the values a reference */
	ARM_ID_TEXT,  /* the ID alone; in the values a reference */
	ARM_IDS,      /* an array of ARM_ID */
	ARM_SUBNET,   /* {"id": ID}; in the values the name of a subnet of the resolver's network */
	ARM_OBJECTS,  /* an array of objects, with `inner` members */
	ARM_RECORD,   /* an object, with a record's data as `inner`; in the values a text */
	ARM_RECORDS,  /* an array of ARM_RECORD */
	ARM_CHILDREN, /* all resources of the type `of` that are inside */
	ARM_KEPT,     /* without a key: kept as JSON, and given back unchanged */
	ARM_SHOWN,    /* without a key: computed, and ignored in a body */
	/* Data of a record: */
	ARM_TEXT,
	ARM_NUMBER,
	ARM_NAME,    /* a domain name, in Azure without a final dot */
	ARM_STRINGS, /* the strings of a TXT record */
};

/* The function that computes a shown member (azure/hooks.h). */
enum arm_computed {
	ARM_COMPUTED_NOTHING,
	ARM_RESOURCE_GUID,
	ARM_ENDPOINT_LOCATION,
	ARM_SUBNET_IP_CONFIGURATIONS,
	ARM_IP_CONFIGURATION_ID,
	ARM_IP_CONFIGURATION_VERSION,
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
	/* A path below "properties", or, after a leading '/', in the resource itself; "a.b" is b in
	 * a, "a[0]" the only item of the array a. NULL ends a list. */
	const char *path;
	const char *key; /* of the values; NULL: the form has none */
	enum arm_form form;
	const char *of;                 /* the type of the id, or of the children */
	const struct arm_member *inner; /* of objects and records */
	const char *const *words;       /* Azure's, up to a NULL */
	const char *beside;             /* shown and kept only if this key has a value */
	const char *fallback;           /* JSON: shown by ARM_SHOWN, or by ARM_KEPT as default */
	enum arm_computed computed;     /* of ARM_SHOWN, instead of the fallback */
	bool required;
	bool fixed; /* cannot change once the resource is made */
	bool quiet; /* not shown if it has its default */
	bool alias; /* another name of a member, with the same key; not shown */
};

enum arm_etag { ARM_ETAG_QUOTED, ARM_ETAG_WEAK, ARM_ETAG_BARE };
/* What several types of one provider have in common. */
struct arm_family {
	const char *provider;
	enum arm_etag etag; /* in bodies: "\"V\"", "W/\"V\"", "V" */
	bool etag_header;   /* a header has it as well */
	const char *versions[4];
};

struct arm_type {
	const char *path; /* after the provider: "virtualNetworks/subnets" */
	unsigned kind;    /* the kind's id */
	const struct arm_family *family;
	const char *title; /* for errors: "Virtual network" */
	const struct arm_member *members;
	const char *record_type; /* of record sets: "A" */
	bool tracked;            /* has a location, and is listed in /resources */
	bool holds;              /* its parent cannot be removed while it exists */
	bool shows_placed;       /* shown with chosen values, such as its address */
};

#define ARM_PROVIDER "Microsoft.Network"

/* All types, each after its parent. The last row has no path. */
extern const struct arm_type arm_types[];
const struct arm_type *arm_type_named(const char *path); /* without regard to case */
/* The type that contains this one; NULL: it is in a group alone. */
const struct arm_type *arm_type_parent(const struct arm_type *type);
const struct arm_type *arm_type_of_kind(unsigned kind);
/* The type of a resource: of the record set "www:A" it is privateDnsZones/A. NULL: Azure has none.
 */
const struct arm_type *arm_type_of(const struct path *path);
/* The last part of its path: "subnets". */
const char *arm_type_last(const struct arm_type *type);

/* ---- ids ---- */

enum { ARM_ID_MAX = 4096 };

/* The resource's name in Azure: "www" for the record set "www:A". Returns text. */
char *arm_name(const struct path *path, char text[NAME_TEXT_MAX]);
/* Reads an id of any subscription into texts in the arena. ERR_INVALID: it is no id of these types.
 */
MUST_CHECK int arm_id_split(struct arena *arena, const char *id, const char **subscription,
			    const struct arm_type **type, struct path *path);
/* Reads the segments of an id from "providers" on. If they end with a type, they are a list's, and
 * the path's last name is "". ERR_NOT_FOUND: there is no such namespace or type; it is *unknown. */
MUST_CHECK int arm_path_read(struct arena *arena, const char *group, const char *const *segments,
			     size_t count, const struct arm_type **type, struct path *path,
			     const char **unknown);

#endif
