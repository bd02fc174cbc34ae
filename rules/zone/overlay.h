/* A zone with registered records beside its own (Azure's registration of machines). What it answers
 * with is a zone of its own, made of two others that know nothing of each other:
 *
 *     own         what its file, or its record sets, say      ─┐
 *     registered  what machines have registered               ─┴─► served
 *
 * Own sets take precedence: a name has those registered sets of whose type it has none of its own.
 * Where a CNAME of its own is, or a DNAME above it, it has none of them. All three have one apex.
 * It has no registered sets but NS and SOA; a SOA that was made up is none.
 *
 * The three are versions (zone.h, "set by set"), so a change costs what has changed, in either of
 * the two: what it hides, and what shows again, is found by the names that it is about. The
 * serial of what is served is the zone's own: registered records do not go out by transfer.
 */
#ifndef SLUICE_OVERLAY_H
#define SLUICE_OVERLAY_H

#include "rules/zone/zone.h"

struct zone_layers { /* references of whoever has it; all NULL: nothing registers in the zone */
	struct zone *own, *registered, *served;
};

/* What is served of `own`, in any form, and `registered`, which is editable; a reference, the
 * caller's. `before`: layers of the same zone, from which it goes on; NULL or all NULL: there are
 * none. NULL without memory. */
struct zone *zone_overlay(const struct zone_layers *before, struct zone *own,
			  struct zone *registered);

/* NULLs are fine for both. */
struct zone_layers zone_layers_ref(const struct zone_layers *layers);
void zone_layers_unref(struct zone_layers *layers);

#endif
