/* Master files (RFC 1035 section 5), for what the zones' own reader does not give: comments, and
 * going on behind a record that cannot be taken. A record's lines are put together here, without
 * comments and parentheses, and read by ldns. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/import/forward.h"
#include "rules/text.h"

enum { INCLUDE_DEPTH_MAX = 10, USUAL_TTL_S = 3600 };

struct master {
	struct import *import;
	struct node *zone;
	const char *file;
	unsigned depth;
	ldns_rdf *origin, *previous;
	uint32_t ttl_s;
};

/* One line, or as many as a record has; *at is moved behind it, *line to the line there. Returns
 * `entry`, which is blank where there is nothing but a comment: that is about what comes next. */
static char *next_entry(const struct master *master, const char **at, unsigned *line, char *entry)
{
	unsigned depth = 0, first = *line;
	const char *c = *at, *end, *text;
	bool quoted = false, any = false, ends = false;
	char *to = entry;

	for (; *c != '\0' && !ends; c++) {
		if (*c == ';' && !quoted) {
			end = strchrnul(c, '\n');
			text = c + strspn(c, ";");
			text += *text == ' ';
			text = import_printf(master->import, "%.*s", (int)(end - text), text);
			if (any)
				import_comment(master->import, master->file, first, text);
			else
				import_comment_ahead(master->import, text);
			c = end - 1;
		} else if (*c == '\n') {
			++*line;
			*to++ = ' ';
			ends = !quoted && depth == 0;
		} else if (!quoted && (*c == '(' || *c == ')')) {
			depth = *c == '(' ? depth + 1 : depth - (depth > 0);
			*to++ = ' ';
		} else {
			any |= !isspace((unsigned char)*c);
			quoted ^= *c == '"';
			*to++ = *c;
			if (*c == '\\' && c[1] != '\0' && c[1] != '\n')
				*to++ = *++c;
		}
	}
	*to = '\0';
	*at = c;
	return entry;
}

static void read_file(struct master *master, const char *path, const struct origin *at);

static ldns_rdf *read_name(const struct master *master, const char *text)
{
	ldns_rdf *name = ldns_dname_new_frm_str(text);

	if (name && *text != '\0' && text[strlen(text) - 1] != '.' && strcmp(text, "@") != 0 &&
	    ldns_dname_cat(name, master->origin) != LDNS_STATUS_OK) {
		ldns_rdf_deep_free(name);
		return NULL;
	}
	return name;
}

static void include(struct master *master, const char *words, const struct origin *at)
{
	struct master inner = *master;
	char path[1024], origin[1024];
	const char *slash = strrchr(master->file, '/');
	int count = sscanf(words, "%1023s %1023s", path, origin);

	if (count < 1 || master->depth >= INCLUDE_DEPTH_MAX) {
		import_lost(master->import, at, "it names no file that can be read");
		return;
	}
	inner.depth++;
	inner.origin = count == 2 ? read_name(master, origin) : ldns_rdf_clone(master->origin);
	inner.previous = NULL;
	read_file(&inner,
		  path[0] == '/' || !slash
			  ? path
			  : import_printf(master->import, "%.*s/%s", (int)(slash - master->file),
					  master->file, path),
		  at);
}

/* $TTL and the like. */
static void directive(struct master *master, const char *entry, const struct origin *at)
{
	const char *words = entry + strcspn(entry, " \t"), *end;
	char word[1024];
	ldns_rdf *origin;

	if (sscanf(words, "%1023s", word) != 1) {
		import_lost(master->import, at, "it has no value");
	} else if (strncasecmp(entry, "$TTL", 4) == 0) {
		master->ttl_s = ldns_str2period(word, &end);
	} else if (strncasecmp(entry, "$ORIGIN", 7) == 0) {
		origin = read_name(master, word);
		if (!origin) {
			import_lost(master->import, at, "\"%s\" is no domain name", word);
			return;
		}
		ldns_rdf_deep_free(master->origin);
		master->origin = origin;
	} else if (strncasecmp(entry, "$INCLUDE", 8) == 0) {
		include(master, words, at);
	} else {
		import_lost(master->import, at, "only $TTL, $ORIGIN and $INCLUDE are read");
	}
}

static void take_entry(struct master *master, const char *entry, const struct origin *at)
{
	ldns_rr *rr = NULL;
	ldns_status status =
		ldns_rr_new_frm_str(&rr, entry, master->ttl_s, master->origin, &master->previous);

	if (status == LDNS_STATUS_OK)
		forward_zone_rr(master->import, master->zone, at, rr);
	else
		import_lost(master->import, at, "%s: %s", entry, ldns_get_errorstr_by_id(status));
	ldns_rr_free(rr);
}

/* Takes over the master's names. */
static void read_file(struct master *master, const char *path, const struct origin *at)
{
	size_t length;
	char *text = import_read(master->import, path, at, &length), *entry;
	const char *next = text;
	unsigned line = 1, first;

	master->file = path;
	entry = text ? import_alloc(master->import, length + 2) : NULL;
	while (text && *next != '\0') {
		struct origin here;

		first = line;
		next_entry(master, &next, &line, entry);
		if (entry[strspn(entry, " \t\r")] == '\0')
			continue;
		import_comments_to(master->import, path, first);
		here = import_place(master->import, path, first, NULL);
		if (*entry == '$')
			directive(master, entry, &here);
		else
			take_entry(master, entry, &here);
	}
	if (text)
		import_comments_to(master->import, path, line);
	ldns_rdf_deep_free(master->origin);
	ldns_rdf_deep_free(master->previous);
}

void forward_zone_file(struct import *import, struct node *zone, const struct origin *at,
		       const char *path, const char *origin)
{
	struct master master = {.import = import,
				.zone = zone,
				.file = path,
				.origin = ldns_dname_new_frm_str(origin),
				.ttl_s = USUAL_TTL_S};

	read_file(&master, path, at);
}
