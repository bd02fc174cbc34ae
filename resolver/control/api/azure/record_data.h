/* The data of DNS records in both forms: a text as in a master file ("10 mail"), and an object of
 * Azure's ({"preference": 10, "exchange": "mail.contoso.com"}). `data`: its members in the order of
 * the text, up to one without a path. */
#ifndef SLUICE_ARM_RECORD_DATA_H
#define SLUICE_ARM_RECORD_DATA_H

#include "resolver/control/api/azure/type.h"

/* Names are printed in full, without the final dot; those of the text may be relative to the zone.
 */
json_t *record_data_print(const struct arm_member *data, const char *text, const char *zone);
/* The text; NULL: the member *misfit does not fit, or, where that is NULL, there is no memory. */
json_t *record_data_read(const struct arm_member *data, json_t *object,
			 const struct arm_member **misfit);
/* What the datum takes, for errors: "a domain name". */
const char *record_data_expected(const struct arm_member *datum);

/* Whether two texts are the same domain name, with or without the final dot. */
bool record_data_is_same_name(const char *left, const char *right);

/* Some clients look for a record exactly as they wrote it, with or without the final dots of its
 * names. So what was written is kept beside the text:
 *
 *     written ─► record_data_written ─► kept ─► record_data_as_written ─► shown
 *
 * The members of the object, by Azure's names. */
json_t *record_data_written(const struct arm_member *data, json_t *object);
/* What was written, if that means the same as what would be printed; else the latter. Takes
 * `printed` over. */
json_t *record_data_as_written(const struct arm_member *data, json_t *written, json_t *printed);

#endif
