/* Secret values: the values of secure parameters, and the results of functions that got a secret
 * value. Errors show "***" in place of their texts. A long text may be cut off, so a prefix of
 * SECRETS_CUT or more bytes is hidden as well.
 *
 * A value is recognized by its address: values are shared, not copied, so a variable, a lambda or a
 * nested template with a secret has the same value. An array or object with a secret part is
 * secret, so that string() of it is; its other parts are not. Numbers and booleans are never
 * secret.
 *
 * A resource or an output that is set to a secret shows it, by the author's decision. */
#ifndef SLUICE_TEMPLATE_SECRETS_H
#define SLUICE_TEMPLATE_SECRETS_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/template/budget.h"

enum {
	SECRETS_MAX = 300,       /* texts; with more, errors say only that they are not shown */
	SECRETS_DERIVED_MIN = 4, /* bytes; shorter parts of a secret would occur in any word */
	SECRETS_CUT = 32,
};

/* MUST_CHECK calls return false if the budget has failed. */

/* Marks the value and everything in it as secret. The caller has called value_measure, which bounds
 * this walk over the value. */
MUST_CHECK bool secrets_add(struct budget *budget, const json_t *value);
/* Marks a value that a function made as secret. Its parts were marked when they were made. */
MUST_CHECK bool secrets_add_made(struct budget *budget, const json_t *value);
/* Marks the whole as secret if its part or member name is. */
MUST_CHECK bool secrets_spread(struct budget *budget, const json_t *part, const json_t *whole);
bool secrets_has(struct budget *budget, const json_t *value);
/* Whether any of the values is secret. */
bool secrets_has_any(struct budget *budget, json_t *const *values, size_t count);

/* Copies the text with "***" in place of each secret. With more than SECRETS_MAX secrets, the copy
 * only says that the text is not shown. To be freed; NULL: out of memory. */
char *secrets_hide(const struct secrets *secrets, const char *text);

#endif
