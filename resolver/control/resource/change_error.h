/* Why a change of resources, or a read of the state, failed. All APIs show this text, each with its
 * own status and form. */
#ifndef SLUICE_CHANGE_ERROR_H
#define SLUICE_CHANGE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/store/store.h"
#include "rules/err.h"

enum change_outcome {
	CHANGE_FINE,
	CHANGE_INVALID,   /* a value does not fit: `field` names the member, the text says what
			   * fits */
	CHANGE_NOT_FOUND, /* the resource does not exist */
	CHANGE_TAKEN,     /* the name, id, address or label (`field`) is in use: the text names the
			   * holder */
	CHANGE_READ_ONLY, /* declared in the file: the text names file and line */
	CHANGE_EXHAUSTED, /* no free address in any pool of the region */
	CHANGE_STALE,     /* a precondition does not hold */
	CHANGE_NO_STATE,  /* no state is configured: the text says how to get one */
	CHANGE_BUSY,      /* a large change is under way, or cannot begin now */
	CHANGE_STORE,     /* the store failed (disk full, locked, corrupt); nothing has changed */
	CHANGE_UNKNOWN,   /* perhaps the change was made; commit.h finds out later */
	CHANGE_NO_MEMORY,
};

/* The text of a NOT_FOUND error about a resource that existed before. */
#define CHANGE_GONE "the state does not have it any more"
/* The text of a READ_ONLY error about an item of the file; takes the file and the line. */
#define CHANGE_DECLARED "it is declared at %s:%u; change it there, and reload"

enum { CHANGE_FIELD_MAX = 64, CHANGE_TEXT_MAX = 1024 };

struct change_error {
	enum change_outcome outcome;
	char field[CHANGE_FIELD_MAX]; /* the schema's key; "": no member */
	char text[CHANGE_TEXT_MAX];   /* without a final dot */
};

/* Set the error and return ERR_INVALID. change_say_list: as vprintf; change_refuse: a value does
 * not fit (INVALID); change_no_memory: NO_MEMORY. */
int change_say(struct change_error *error, enum change_outcome outcome, const char *field,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));
int change_refuse(struct change_error *error, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int change_no_memory(struct change_error *error);
int change_say_list(struct change_error *error, enum change_outcome outcome, const char *field,
		    const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));
/* True: the edit is wrong, so a batch goes on to find the faults of others. False: the store or the
 * memory failed, and every edit would fail. */
bool change_error_is_of_edit(const struct change_error *error);
/* Places the error in an item of a list: its field becomes "list[index].field". */
void change_error_place(struct change_error *error, const char *list, size_t index);
/* The source to change (change_source) or to read (change_reader). NULL: `error` says why not.
 * While the store is held, change_source fails with BUSY. */
struct source *change_source(const struct store *store, struct change_error *error);
struct source *change_reader(const struct store *store, struct change_error *error);

#endif
