/* How the rows of the field table are written, and the groups that stand in files of their own.
 * Private to schema_*.c; everybody else starts at schema_model (schema.h). */
#ifndef SLUICE_SCHEMA_ROWS_H
#define SLUICE_SCHEMA_ROWS_H

#include "rules/schema/schema.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define FIELDS(rows)     .fields = rows, .count = sizeof(rows) / sizeof((rows)[0])
#define TTL_MAX          2147483647 /* RFC 2181 section 8 */

/* Fields that several groups have in the same words. */
#define NAME_FIELD(struct_type, form, what)                                                        \
	{                                                                                          \
		.key = "name", .type = form, AT(struct_type, name), .required = true, .doc = what  \
	}
#define REGION_FIELD(struct_type)                                                                  \
	{                                                                                          \
		.key = "region", .type = FIELD_NAME, AT(struct_type, region),                      \
		.doc = "Where it is. Absent: the top-level region."                                \
	}

/* schema/settings.c */
extern const struct group schema_limits, schema_management, schema_cache, schema_udp,
	schema_outbound, schema_tcp, schema_response_limit, schema_log, schema_identity;
/* schema/addresses.c */
extern const struct group schema_address_pool, schema_owned_address, schema_cloud_service,
	schema_reverse;
/* schema/transfers.c */
extern const struct group schema_key, schema_transfer;

#endif
