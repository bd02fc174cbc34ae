/* Converts the data of a DNS record between a master file's text ("10 mail") and Azure's object
 * ({"preference": 10, "exchange": "mail.contoso.com"}). `data`: the members in the order of the
 * text, up to one without a path. */
#ifndef SLUICE_ARM_RECORD_DATA_H
#define SLUICE_ARM_RECORD_DATA_H

#include "resolver/control/api/azure/type.h"

/* Makes the object from a record's text, which may have any form that a master file allows. Names
 * are printed in full, without the final dot; in the text they may be relative to the zone. */
json_t *record_data_print(const struct arm_type *type, const struct arm_member *data,
			  const char *text, const char *zone);
/* Makes the text; NULL: the member *misfit is wrong, or, with *misfit NULL, there is no memory. */
json_t *record_data_read(const struct arm_member *data, json_t *object,
			 const struct arm_member **misfit);
/* What the datum accepts, for errors: "a domain name". */
const char *record_data_expected(const struct arm_member *datum);

/* Are the texts the same domain name, with or without the final dot? */
bool record_data_is_same_name(const char *left, const char *right);

/* Some clients search for a record exactly as they wrote it, with or without the final dots of its
 * names. So their spelling is kept beside the text:
 *
 *     written ─► record_data_written ─► kept ─► record_data_as_written ─► shown
 *
 * record_data_written returns the members of the object that `data` has, with Azure's names. */
json_t *record_data_written(const struct arm_member *data, json_t *object);
/* Returns the kept spelling if it means the same as `printed`, otherwise `printed`. Takes ownership
 * of `printed`. */
json_t *record_data_as_written(const struct arm_member *data, json_t *written, json_t *printed);

#endif
