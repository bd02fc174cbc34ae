/* What somebody wants an owner to be: the structs that the configuration file fills, filled one
 * value at a time. */
#ifndef SLUICE_OWNER_FORM_H
#define SLUICE_OWNER_FORM_H

#include "resolver/control/resource/change.h"
#include "rules/schema/schema.h"

struct owner_form {
	enum owner_kind kind;
	struct owned_address address;
	struct cloud_service service;
	char *tags; /* allocated; NULL: none */
	uint8_t family;
	struct arena arena;
};

/* As the owner is, or (NULL) all defaults. ERR_NOMEM; release it all the same. */
MUST_CHECK int owner_form_init(struct owner_form *form, enum owner_kind kind,
			       const struct owner *owner);
void owner_form_release(struct owner_form *form);
/* ERR_INVALID: the reason is the change's. */
MUST_CHECK int owner_form_set(struct change *change, struct owner_form *form,
			      const struct change_value *value);
/* The rows of the table of fields that an owner has. */
const struct group *owner_fields(enum owner_kind kind);
/* One value by such a row. */
MUST_CHECK int owner_check_text(struct change *change, const struct field *field, void *item,
				const char *text, struct arena *arena);

#endif
