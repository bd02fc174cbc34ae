/* The entries of a master file (RFC 1035 section 5.1): what stands on one line, or on several
 * between parentheses. An entry comes without comments, its parentheses and line ends turned to
 * blanks, escapes and quotes as they are, and with the line it began on. A file is walked to its
 * end whatever is in it. */
#ifndef SLUICE_ZONEFILE_ENTRY_H
#define SLUICE_ZONEFILE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/err.h"

enum { ZONEFILE_ENTRY_MAX = 512 * 1024 }; /* bytes: 65535 of rdata, each as \DDD, and then some */

struct zonefile_text { /* where we are in a file */
	const char *at, *end;
	unsigned line;
	unsigned rewinds; /* how often a broken entry was gone back into */
	char *entry;      /* ZONEFILE_ENTRY_MAX + 1 bytes */
};

struct zonefile_entry {
	unsigned line;
	char *text;          /* good until the next call; a blank ahead means: no owner */
	const char *problem; /* not NULL: the entry is not usable, and this is why */
};

MUST_CHECK int zonefile_text_init(struct zonefile_text *text, const char *bytes, size_t length);
void zonefile_text_release(struct zonefile_text *text);

/* The next entry that is not blank; false at the end. */
bool zonefile_next_entry(struct zonefile_text *text, struct zonefile_entry *entry);

/* Cuts the next token off *rest: up to a blank that is neither quoted nor escaped. "" at the end.
 */
char *zonefile_token(char **rest);

#endif
