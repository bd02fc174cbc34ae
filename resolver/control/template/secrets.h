/* Secret values: those of secure parameters, and what functions make of secret values. Errors show
 * "***" in place of their texts, and of the first SECRETS_CUT or more characters of one, which are
 * what is left of a long text that was cut off.
 *
 * A value is known by its address: values are shared and not copied, so a variable, a lambda or a
 * nested template that is given a secret has the same value. An array or object is secret when
 * something in it is, so that string() of it is secret, too; its other parts are not. Numbers and
 * booleans are never secret.
 *
 * A resource or an output that is set to a secret shows it: that is the author's decision. */
#ifndef SLUICE_TEMPLATE_SECRETS_H
#define SLUICE_TEMPLATE_SECRETS_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/template/budget.h"

enum {
	SECRETS_MAX = 300,       /* texts; of a template with more, errors show nothing */
	SECRETS_DERIVED_MIN = 4, /* bytes; a shorter part of a secret would be in any word */
	SECRETS_CUT = 32,
};

/* False: the budget has failed. */

/* The value and all that is in it is secret. */
MUST_CHECK bool secrets_add(struct budget *budget, const json_t *value);
/* A function has made this value of secret ones; what it has put in is added by itself. */
MUST_CHECK bool secrets_add_made(struct budget *budget, const json_t *value);
/* The part has been put into the whole, or is a name in it: the whole is secret if the part is. */
MUST_CHECK bool secrets_spread(struct budget *budget, const json_t *part, const json_t *whole);
bool secrets_has(struct budget *budget, const json_t *value);
/* Whether it has one of the values. */
bool secrets_has_any(struct budget *budget, json_t *const *values, size_t count);

/* The text with "***" in place of each secret; to be freed. NULL: for want of memory. */
char *secrets_hide(const struct secrets *secrets, const char *text);

#endif
