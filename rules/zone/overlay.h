/* A zone with registered records beside its own (as in Azure's registration of machines). The
 * served zone is made of two independent zones:
 *
 *     own         from its file or its record sets            ─┐
 *     registered  from machines and clients                   ─┴─► served
 *
 * Own sets take precedence: a name gets a registered set only if it has no own set of that type, no
 * own CNAME, and no own DNAME above it. All three zones have the same apex, which gets no
 * registered sets except NS and SOA; a made-up SOA does not count.
 *
 * The registered and the served zone are versions (zone.h, "set by set"). An own zone is one, too,
 * if it is not from a file. So a change costs only its difference: hidden sets and sets that show
 * again are found by the changed names. A file that is read again costs a comparison of the whole
 * zone. The served zone has the own zone's serial, because registered records are not
 * transferred. */
#ifndef SLUICE_OVERLAY_H
#define SLUICE_OVERLAY_H

#include "rules/zone/zone.h"

struct zone_layers { /* references; all NULL: the zone has no registration */
	struct zone *own, *registered, *served;
};

/* Makes the served zone of `own`, in any form, and `registered`, which must be editable; a
 * reference for the caller. `before`: earlier layers of the same zone to continue from; NULL or all
 * NULL: none. NULL without memory. */
struct zone *zone_overlay(const struct zone_layers *before, struct zone *own,
			  struct zone *registered);

/* NULLs are fine for both. */
struct zone_layers zone_layers_ref(const struct zone_layers *layers);
void zone_layers_unref(struct zone_layers *layers);

#endif
