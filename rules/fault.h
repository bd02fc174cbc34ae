/* Faults of a configuration. A reader or a check does not stop at the first one: it adds a fault
 * and goes on, so the operator gets the whole list with places. Errors refuse the configuration,
 * warnings never do.
 *
 * A fault's text says what is wrong and then what would be right:
 *     "10.10.0.0/29 is smaller than /28; use a prefix from /24 to /28". */
#ifndef SLUICE_FAULT_H
#define SLUICE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "rules/arena.h"

enum severity { FAULT_ERROR, FAULT_WARNING };

/* The place of a value. The strings belong to the value's owner, usually the model's arena, and are
 * copied into the fault. path names items by their name if they have one:
 * "virtual_networks[hub].subnets[dns-in].prefix". */
struct origin {
	const char *file;  /* NULL: not from a file */
	unsigned line;     /* 0: unknown */
	const char *path;  /* NULL: the file as a whole */
	uint64_t revision; /* of the state's row; 0: not from the state */
};

struct fault {
	enum severity severity;
	struct origin origin;
	const char *text;
	const char *limit; /* the limit in the group `limits` that causes it; NULL: none */
	uint64_t needed;   /* the limit's value that would be enough */
	size_t order;      /* its number, as found */
};

/* The text of a fault about a missing value begins with this. A value with another fault, such as
 * one that could not be read, does not get this fault, too. */
#define FAULT_MISSING "is missing"

enum { FAULTS_MAX = 10000 }; /* kept of each severity; later ones are only counted */

struct faults {
	struct arena arena;
	struct fault *items; /* in the order found, until faults_sort */
	size_t count, room;
	size_t errors, warnings; /* found; their sum may be larger than count */
	bool no_memory;          /* there was no memory for some of them */
};

void faults_init(struct faults *faults);
void faults_release(struct faults *faults);

/* Adds a fault at origin; `field`, when not NULL, is appended to the origin's path after a dot.
 * Without memory the fault is still counted, so that a refusal is never lost. */
void fault_add(struct faults *faults, enum severity severity, const struct origin *origin,
	       const char *field, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Adds an error about a value that cannot have an earlier fault. Unlike fault_add with
 * FAULT_MISSING, it does not search for one, because there may be very many faults. */
void fault_add_first(struct faults *faults, const struct origin *origin, const char *field,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Notes that the last added error would be none if the limit were `needed`. The text `limit` must
 * stay valid. */
void fault_needs(struct faults *faults, const char *limit, uint64_t needed);

/* Sorts by file and line; keeps the order within a line. Faults without a file come first. */
void faults_sort(struct faults *faults);
/* The first error; NULL: there is none. */
const struct fault *faults_first(const struct faults *faults);

/* Prints one line for each fault: "file:line: path: text", with "warning: " before the text of a
 * warning. A last line has the number of faults that were not kept, if any. Invisible characters
 * print in the form of text_show_one (text.h). */
void faults_print(const struct faults *faults, FILE *out);

#endif
