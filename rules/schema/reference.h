/* Names of items at the top of a model, and how one item refers to another.
 *
 *     NAME          the item of that name in the referring item's own group; else the only item of
 *                   that name, in whichever group it is
 *     GROUP/NAME    the item in that group
 *     -/NAME        the item in no group
 *     [GROUP/]RESOLVER/ENDPOINT    an endpoint of a resolver, which is referred to as above
 *     [GROUP/]NETWORK/SUBNET       a subnet of a network, likewise
 *
 * The configuration file may say NAME; the state says GROUP/NAME or -/NAME, so that an item that
 * comes later changes nothing. What people read is the full name: GROUP/NAME, or NAME of an item in
 * no group. ASCII case does not matter. A zone's name may have a slash of its own (RFC 2317), and
 * a final dot in a reference. */
#ifndef SLUICE_REFERENCE_H
#define SLUICE_REFERENCE_H

#include "rules/schema/schema.h"

/* NULL: it has no name, which is told already. */
static inline const char *full_name(const struct named *named)
{
	return named->full_name ? named->full_name : named->name;
}

/* Sets the full name of an item that has been read, in the arena. ERR_NOMEM. */
MUST_CHECK int reference_name(struct named *item, struct arena *arena);

/* ---- finding ---- */

/* What `text` refers to in an item of that group (NULL: of none). NULL: text is NULL, no item
 * has the name, or several have it and none of these is in the group. */
struct virtual_network *model_network(const struct model *model, const char *group,
				      const char *text);
struct private_zone *model_zone(const struct model *model, const char *group, const char *text);
/* `resolver`, which may be NULL, is set to the endpoint's, or to NULL. Where there is no endpoint
 * of that name the resolver may be there all the same. */
struct outbound_endpoint *model_outbound(const struct model *model, const char *group,
					 const char *text, struct dns_resolver **resolver);
struct inbound_endpoint *model_inbound(const struct model *model, const char *group,
				       const char *text, struct dns_resolver **resolver);
/* The same of a network's subnet. */
struct subnet *model_subnet_of(const struct model *model, const char *group, const char *text,
			       struct virtual_network **network);

/* A list of a named group: each item begins with struct named. */
struct named_list {
	const void *items;
	size_t count, size;
	const uint32_t
		*by_name; /* their places, by name and then as they stand; NULL: not sorted */
	bool of_zones;
};
/* The list that such references lead to: REFERS_OUTBOUND to the resolvers, REFERS_SUBNET to the
 * networks. */
struct named_list reference_list(const struct model *model, enum refers refers);
struct named_list reference_list_of(const struct model *model, const struct field *list);
/* As model_network. */
const struct named *reference_find(const struct named_list *list, const char *group,
				   const char *text);
/* Whether text is a NAME that several items have, none of them in the group. */
bool reference_is_ambiguous(const struct model *model, enum refers refers, const char *group,
			    const char *text);
/* Prints the references of all items of that name, the first few of them: "dev/hub, -/hub"; ""
 * where there is none. Returns how many there are. */
enum { REFERENCE_TEXT_MAX = 512 };
size_t reference_candidates(const struct named_list *list, const char *name,
			    char text[REFERENCE_TEXT_MAX]);
/* Why a look-up failed: "there is no virtual network "hub"; ...", or that there are several.
 * Returns why. */
char *reference_refusal(const struct model *model, enum refers refers, const char *group,
			const char *text, char why[REFERENCE_TEXT_MAX]);

/* ---- writing ---- */

/* The reference that means the same from everywhere: "prod/hub", "-/hub", "prod/home/outbound"; it
 * is the text itself, or in the arena. NULL: it refers to nothing, or there is no memory. */
const char *reference_full(const struct model *model, enum refers refers, const char *group,
			   const char *text, struct arena *arena);
/* Whether a reference surely names the group, and so leads to the same item from everywhere. False
 * for zones, whose names may have slashes. */
bool reference_has_group(enum refers refers, const char *text);
/* The same text, or a later part of it: without the group where that is the item's own. */
const char *reference_short(const char *text, enum refers refers, const char *group);

/* A reference as it stands in a model. */
struct reference {
	enum refers refers;
	const char *group, *text; /* of the item at the top that it is in; as it is written */
	const char *key;
	const struct origin *origin; /* of the innermost item that it is in */
};
/* Calls back for every reference in the model, until a return is not 0, which is returned. */
int reference_each(const struct model *model,
		   int (*on_reference)(void *context, const struct reference *reference),
		   void *context);

/* ---- full names, where the model is not at hand ---- */

/* What stands behind the group; the whole where there is none. `slashes`: those of such a name
 * without a group, 0, or 1 of an endpoint's. Not for zones: theirs may have slashes. */
const char *full_name_behind_group(const char *full, unsigned slashes);
/* How a reference from no group fits it. */
enum reference_fit { REFERENCE_OTHER, REFERENCE_NAMESAKE, REFERENCE_EXACT };
enum reference_fit reference_fit(const char *text, const char *full, unsigned slashes);

#endif
