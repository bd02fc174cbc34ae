#include "resolver/control/resource/change_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int change_say_list(struct change_error *error, enum change_outcome outcome, const char *field,
		    const char *format, va_list arguments)
{
	error->outcome = outcome;
	snprintf(error->field, sizeof error->field, "%s", field ? field : "");
	vsnprintf(error->text, sizeof error->text, format, arguments);
	return ERR_INVALID;
}

int change_say(struct change_error *error, enum change_outcome outcome, const char *field,
	       const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	change_say_list(error, outcome, field, format, arguments);
	va_end(arguments);
	return ERR_INVALID;
}

int change_refuse(struct change_error *error, const char *field, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	change_say_list(error, CHANGE_INVALID, field, format, arguments);
	va_end(arguments);
	return ERR_INVALID;
}

int change_no_memory(struct change_error *error)
{
	return change_say(error, CHANGE_NO_MEMORY, NULL, "%s", err_text(ERR_NOMEM));
}

bool change_error_is_of_edit(const struct change_error *error)
{
	return error->outcome != CHANGE_STORE && error->outcome != CHANGE_UNKNOWN &&
	       error->outcome != CHANGE_NO_MEMORY;
}

void change_error_place(struct change_error *error, const char *list, size_t index)
{
	char own[CHANGE_FIELD_MAX];

	memcpy(own, error->field, sizeof own);
	if (snprintf(error->field, sizeof error->field, "%s[%zu]%s%s", list, index, *own ? "." : "",
		     own) >= (int)sizeof error->field)
		snprintf(error->field, sizeof error->field, "%s[%zu]", list, index);
}

struct source *change_reader(const struct store *store, struct change_error *error)
{
	if (!*store->url)
		change_say(error, CHANGE_NO_STATE, NULL,
			   "there is no state to keep changes in; name a file for it in the "
			   "configuration, management = { state = "
			   "\"/var/lib/sluice/state.db\"; }, and restart");
	else if (!store->source || store->stale)
		change_say(error, CHANGE_STORE, NULL, "%s",
			   *store->error ? store->error : "the state has not been read yet");
	else
		return store->source;
	return NULL;
}

struct source *change_source(const struct store *store, struct change_error *error)
{
	struct source *source = change_reader(store, error);

	if (!source || !store->held)
		return source;
	change_say(error, CHANGE_BUSY, NULL,
		   "many changes are being made at this moment; try again");
	return NULL;
}
