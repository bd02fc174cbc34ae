/* A table by address finds secret values. Their texts are in a list, because an error's text is
 * compared with each of them at each character. */
#include "resolver/control/template/secrets.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "resolver/control/template/names.h"
#include "resolver/control/template/value.h"

struct secrets {
	struct name_table values; /* by address */
	struct name_table known;  /* texts without duplicates, ignoring case */
	const char *texts[SECRETS_MAX];
	size_t count;
	bool are_too_many;
};

/* ---- marking ---- */

bool secrets_has(struct budget *budget, const json_t *value)
{
	return budget->secrets && names_item_at(budget, &budget->secrets->values, value);
}

static bool add_value(struct budget *budget, const json_t *value)
{
	if (!budget->secrets)
		budget->secrets = budget_alloc(budget, sizeof *budget->secrets);
	return budget->secrets &&
	       (secrets_has(budget, value) ||
		names_put_address(budget, &budget->secrets->values, value, (void *)value));
}

static bool add_text(struct budget *budget, const char *text)
{
	struct secrets *secrets = budget->secrets;

	if (*text == '\0' || names_item(budget, &secrets->known, text))
		return !budget_has_failed(budget);
	secrets->are_too_many = secrets->count == SECRETS_MAX;
	if (secrets->are_too_many)
		return !budget_has_failed(budget);
	secrets->texts[secrets->count++] = text;
	return names_put(budget, &secrets->known, text, secrets);
}

bool secrets_add(struct budget *budget, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (!budget_steps(budget, 1) || json_is_boolean(value) || json_is_number(value) ||
	    json_is_null(value))
		return !budget_has_failed(budget);
	if (!add_value(budget, value) ||
	    (json_is_string(value) && !add_text(budget, json_string_value(value))))
		return false;
	json_array_foreach((json_t *)value, i, item)
	{
		if (!secrets_add(budget, item))
			return false;
	}
	json_object_foreach((json_t *)value, key, item)
	{
		if (!secrets_add(budget, item))
			return false;
	}
	return true;
}

bool secrets_add_made(struct budget *budget, const json_t *value)
{
	if (json_is_string(value))
		return add_value(budget, value) &&
		       (json_string_length(value) < SECRETS_DERIVED_MIN ||
			add_text(budget, json_string_value(value)));
	return (!json_is_array(value) && !json_is_object(value)) || add_value(budget, value);
}

bool secrets_spread(struct budget *budget, const json_t *part, const json_t *whole)
{
	return !secrets_has(budget, part) || add_value(budget, whole);
}

bool secrets_has_any(struct budget *budget, json_t *const *values, size_t count)
{
	for (size_t i = 0; i < count && budget->secrets; i++)
		if (secrets_has(budget, values[i]))
			return true;
	return false;
}

/* ---- hiding ---- */

/* The length of the longest secret that the text begins with, or of a secret's prefix of
 * SECRETS_CUT or more bytes; 0: none. */
static size_t secret_length(const struct secrets *secrets, const char *text)
{
	size_t longest = 0, length;

	for (size_t i = 0; i < secrets->count; i++) {
		const char *secret = secrets->texts[i];

		for (length = 0;
		     secret[length] != '\0' && tolower((unsigned char)secret[length]) ==
						       tolower((unsigned char)text[length]);)
			length++;
		if ((secret[length] == '\0' || length >= SECRETS_CUT) && length > longest)
			longest = length;
	}
	return longest;
}

char *secrets_hide(const struct secrets *secrets, const char *text)
{
	char *made = NULL;
	size_t length;
	FILE *out;

	if (!secrets)
		return strdup(text);
	if (secrets->are_too_many)
		return asprintf(&made, "not shown, because more than %d values are secret",
				SECRETS_MAX) < 0
			       ? NULL
			       : made;
	out = open_memstream(&made, &length);
	while (out && *text != '\0') {
		length = secret_length(secrets, text);
		fputs(length > 0 ? "***" : (char[]){*text, '\0'}, out);
		text += length > 0 ? length : 1;
	}
	return out && fclose(out) == 0 ? made : NULL;
}
