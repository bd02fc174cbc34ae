/* The names of items at the top of a model, and references between items.
 *
 *     NAME          the item of this name in the referring item's own group; else the only item of
 *                   this name in any group
 *     GROUP/NAME    the item in that group
 *     -/NAME        the item in no group
 *     [GROUP/]RESOLVER/ENDPOINT    an endpoint of a resolver with such a reference
 *     [GROUP/]NETWORK/SUBNET       a subnet of a network with such a reference
 *
 * The configuration file may use NAME. The state uses GROUP/NAME or -/NAME, so that a new item
 * cannot change its meaning. Users see the full name: GROUP/NAME, or NAME for an item in no group.
 * ASCII case does not matter. A zone's name may contain a slash (RFC 2317), and may have a final
 * dot in a reference. */
#ifndef SLUICE_REFERENCE_H
#define SLUICE_REFERENCE_H

#include "rules/schema/schema.h"

/* NULL: it has no name, which has a fault already. */
static inline const char *full_name(const struct named *named)
{
	return named->full_name ? named->full_name : named->name;
}

/* Sets the full name of an item after reading, in the arena. ERR_NOMEM. */
MUST_CHECK int reference_name(struct named *item, struct arena *arena);

/* ---- finding ---- */

/* Find the item that `text` means if an item of this group refers to it (group NULL: an item
 * without a group). NULL: text is NULL, no item has the name, or several have it and none of these
 * is in the group. */
struct virtual_network *model_network(const struct model *model, const char *group,
				      const char *text);
struct private_zone *model_zone(const struct model *model, const char *group, const char *text);
/* Find an endpoint. *resolver (resolver may be NULL) is set to its resolver, even if that has no
 * such endpoint, or to NULL. */
struct outbound_endpoint *model_outbound(const struct model *model, const char *group,
					 const char *text, struct dns_resolver **resolver);
struct inbound_endpoint *model_inbound(const struct model *model, const char *group,
				       const char *text, struct dns_resolver **resolver);
/* The same for a network's subnet. */
struct subnet *model_subnet_of(const struct model *model, const char *group, const char *text,
			       struct virtual_network **network);

/* A list of a group whose items begin with struct named. */
struct named_list {
	const void *items;
	size_t count, size;
	const uint32_t *by_name; /* indexes by name; NULL: not sorted */
	bool of_zones;
};
/* The list that references of this kind lead to: for REFERS_OUTBOUND the resolvers, for
 * REFERS_SUBNET the networks. */
struct named_list reference_list(const struct model *model, enum refers refers);
struct named_list reference_list_of(const struct model *model, const struct field *list);
/* Like model_network. */
const struct named *reference_find(const struct named_list *list, const char *group,
				   const char *text);
/* Whether several items have the NAME in text, none of them in the group. */
bool reference_is_ambiguous(const struct model *model, enum refers refers, const char *group,
			    const char *text);
/* Prints references to the first few items of this name: "dev/hub, -/hub"; "" for none. Returns how
 * many there are in all. */
enum { REFERENCE_TEXT_MAX = 512 };
size_t reference_candidates(const struct named_list *list, const char *name,
			    char text[REFERENCE_TEXT_MAX]);
/* Prints why a look-up failed: "there is no virtual network "hub"; ...", or that there are several.
 * Returns why. */
char *reference_refusal(const struct model *model, enum refers refers, const char *group,
			const char *text, char why[REFERENCE_TEXT_MAX]);

/* ---- writing ---- */

/* The reference that means the same in every group: "prod/hub", "-/hub", "prod/home/outbound"; the
 * text itself, or in the arena. NULL: it refers to no item, or no memory. */
const char *reference_full(const struct model *model, enum refers refers, const char *group,
			   const char *text, struct arena *arena);
/* Whether a reference certainly names a group, so that it means the same in every group. False for
 * zones, whose names may have slashes. */
bool reference_has_group(enum refers refers, const char *text);
/* The text, without the group if that is the item's own; points into text. */
const char *reference_short(const char *text, enum refers refers, const char *group);

/* A reference in a model. */
struct reference {
	enum refers refers;
	const char *group, *text; /* of the referring item at the top; as written */
	const char *key;
	const struct origin *origin; /* of the innermost item with it */
};
/* Calls back for every reference in the model. A non-zero return stops the walk and is returned. */
int reference_each(const struct model *model,
		   int (*on_reference)(void *context, const struct reference *reference),
		   void *context);

/* ---- full names, without a model ---- */

/* The part after the group, or the whole name without one. `slashes`: how many such a name has
 * without a group: 0, or 1 for an endpoint. Not for zones, whose names may have slashes. */
const char *full_name_behind_group(const char *full, unsigned slashes);
/* How well a reference from no group fits a full name. */
enum reference_fit { REFERENCE_OTHER, REFERENCE_NAMESAKE, REFERENCE_EXACT };
enum reference_fit reference_fit(const char *text, const char *full, unsigned slashes);

#endif
