#include "resolver/control/api/azure/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "resolver/control/api/azure/body.h"
#include "resolver/control/base/json.h"

/* The error about that member; NULL: none. `inside`: also one about a member around or inside it.
 */
static const json_t *find_error(const struct arm_errors *errors, const char *target, bool inside)
{
	json_t *item;
	size_t i;

	json_array_foreach(errors->list, i, item)
	{
		const char *own = json_text_of(item, "target");
		size_t length = strlen(own), other = strlen(target),
		       least = length < other ? length : other;
		const char *behind = length < other ? target + least : own + least;

		if (strncmp(own, target, least) == 0 &&
		    (*behind == '\0' || (inside && least > 0 && strchr(".[", *behind))))
			return item;
	}
	return NULL;
}

size_t arm_errors_count(const struct arm_errors *errors)
{
	return json_array_size(errors->list) + errors->more;
}

bool arm_errors_is_full(const struct arm_errors *errors)
{
	return json_array_size(errors->list) >= ARM_ERRORS_MAX;
}

/* Each member has one error, the first. */
static void add_error(struct arm_errors *errors, unsigned status, const char *code,
		      const char *target, const char *message)
{
	if (!errors->list)
		errors->list = json_array();
	if (arm_errors_is_full(errors)) {
		errors->more++;
		return;
	}
	if (target && *target && find_error(errors, target, false))
		return;
	if (errors->status == 0)
		errors->status = status;
	json_add(errors->list, json_make("{s:s, s:o, s:o}", "code", code, "message",
					 json_text(message), "target", json_text(target)));
}

void arm_errors_add(struct arm_errors *errors, const struct arm_errors *others)
{
	json_t *item;
	size_t i;

	json_array_foreach(others->list, i, item)
	{
		const char *target = json_text_of(item, "target");

		if (*target && !find_error(errors, target, true))
			add_error(errors, others->status, json_text_of(item, "code"), target,
				  json_text_of(item, "message"));
	}
}

void arm_error(struct arm_errors *errors, unsigned status, const char *code, const char *target,
	       const char *format, ...)
{
	char message[2 * ARM_ID_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	add_error(errors, status, code, target, message);
}

void arm_misfit(struct arm_errors *errors, const char *target, const char *format, ...)
{
	char text[API_TEXT_MAX], message[API_TEXT_MAX + ARM_TARGET_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	snprintf(message, sizeof message, "%s: %s", *target ? target : "the body", text);
	add_error(errors, 400, "InvalidRequestContent", target, message);
}

void arm_errors_release(struct arm_errors *errors)
{
	json_decref(errors->list);
	*errors = (struct arm_errors){.request = errors->request};
}
