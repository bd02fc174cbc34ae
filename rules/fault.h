/* What is wrong with a configuration. A reader or a check does not stop at the first thing: it adds
 * a fault and goes on, and the operator gets the whole list with places. Errors refuse the
 * configuration, warnings never do.
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

/* Where a value came from. The strings belong to whoever made the value, usually the model's arena,
 * and are copied into the fault. path names items by their name where they have one:
 * "virtual_networks[hub].subnets[dns-in].prefix". */
struct origin {
	const char *file;  /* NULL: not from a file */
	unsigned line;     /* 0: unknown */
	const char *path;  /* NULL: the file as a whole */
	uint64_t revision; /* of the state's row that it is from; 0: it is from none */
};

struct fault {
	enum severity severity;
	struct origin origin;
	const char *text;
	const char *limit; /* of the group `limits`, that is in the way; NULL: none */
	uint64_t needed;   /* what it would have to be */
	size_t order;      /* in which it was found */
};

/* The text of a fault about a missing value begins with this. It is not added where another fault
 * is about that value: what could not be read is not missing, too. */
#define FAULT_MISSING "is missing"

enum { FAULTS_MAX = 10000 }; /* kept of each severity; what comes after is only counted */

struct faults {
	struct arena arena;
	struct fault *items; /* in the order they were found */
	size_t count, room;
	size_t errors, warnings; /* found; together they can be more than count */
	bool no_memory;          /* for some of them */
};

void faults_init(struct faults *faults);
void faults_release(struct faults *faults);

/* Adds a fault at origin; `field`, when not NULL, is appended to the origin's path after a dot.
 * Out of memory still counts the fault, so that a refusal is never lost. */
void fault_add(struct faults *faults, enum severity severity, const struct origin *origin,
	       const char *field, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The error that was added last would not be one, were the limit that; `limit` has to stay. */
void fault_needs(struct faults *faults, const char *limit, uint64_t needed);

/* Sorts by file and line, as an operator reads them; the order of equal lines is kept. What has no
 * file comes first. */
void faults_sort(struct faults *faults);
/* The first that is an error; NULL: none is. */
const struct fault *faults_first(const struct faults *faults);

/* One line per fault: "file:line: path: text", with "warning: " ahead of the text of a warning.
 * What was found but not kept is a last line with its number. Control characters print as '?'. */
void faults_print(const struct faults *faults, FILE *out);

#endif
