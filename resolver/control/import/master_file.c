/* Master files (RFC 1035 section 5). Unlike the zones' own reader (rules/zone/zonefile.h), this one
 * keeps comments, and takes the other records if it cannot read one. A record's lines are joined,
 * without comments and parentheses, and parsed by ldns. A file that the server can read by itself
 * stays a file (forward_zone_file). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/regular_file.h"
#include "resolver/control/import/encoding.h"
#include "resolver/control/import/forward.h"
#include "rules/name.h"
#include "rules/text.h"
#include "rules/zone/zonefile.h"

enum {
	INCLUDE_DEPTH_MAX = 10,
	USUAL_TTL_S = 3600,
	GENERATED_MAX = 65536,
	STAYING_BYTES_MAX = 256 << 20
};

/* The default TTL until the file gives one (rules/zone/zonefile.h). */
#define TTL_UNKNOWN UINT32_MAX

struct master_file {
	struct import *import;
	struct node *zone;
	const char *file;
	const char *folder; /* the folder of included files; NULL: the file's own */
	unsigned depth;
	ldns_rdf *origin, *previous;
	uint32_t ttl_s;
	bool has_ttl;                         /* the file's TTL is known */
	const struct master_variant *variant; /* NULL: none, and unreadable entries are skipped */
};

/* Reads one line, or all lines of a record; moves *at and *line past it. Returns `entry`, which
 * is blank for a line with only a comment; the comment goes to the next entry. */
static char *next_entry(const struct master_file *master, const char **at, unsigned *line,
			char *entry)
{
	bool has_comments = !master->variant || !master->variant->writes_comments;
	unsigned depth = 0, first = *line;
	const char *c = *at, *end, *text;
	bool quoted = false, any = false, ends = false;
	char *to = entry;

	for (; *c != '\0' && !ends; c++) {
		if (*c == ';' && !quoted) {
			end = strchrnul(c, '\n');
			text = c + strspn(c, ";");
			text += *text == ' ';
			text = import_printf(master->import, "%.*s",
					     (int)(end - text - (end > text && end[-1] == '\r')),
					     text);
			if (any && has_comments)
				import_comment(master->import, master->file, first, text);
			else if (has_comments)
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

/* Skips an unreadable entry, or refuses the file if it has a variant. */
static void refuse(const struct master_file *master, const struct origin *at, const char *why)
{
	if (master->variant)
		import_fault(master->import, at, "%s", why);
	else
		import_lost(master->import, at, "%s", why);
}

static void read_file(struct master_file *master, const char *path, const struct origin *at);

static ldns_rdf *read_name(const struct master_file *master, const char *text)
{
	ldns_rdf *name = ldns_dname_new_frm_str(text);

	if (name && *text != '\0' && text[strlen(text) - 1] != '.' && strcmp(text, "@") != 0 &&
	    ldns_dname_cat(name, master->origin) != LDNS_STATUS_OK) {
		ldns_rdf_deep_free(name);
		return NULL;
	}
	return name;
}

/* NULL: the working directory. */
static const char *folder_of(struct import *import, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? import_printf(import, "%.*s", (int)(slash - path), path) : NULL;
}

static void include(struct master_file *master, const char *words, const struct origin *at)
{
	struct master_file inner = *master;
	char path[1024], origin[1024];
	const char *folder =
		master->folder ? master->folder : folder_of(master->import, master->file);
	int count = sscanf(words, "%1023s %1023s", path, origin);

	if (count < 1 || master->depth >= INCLUDE_DEPTH_MAX) {
		refuse(master, at, "it names no file that can be read");
		return;
	}
	inner.depth++;
	inner.origin = count == 2 ? read_name(master, origin) : ldns_rdf_clone(master->origin);
	inner.previous = NULL;
	if (!inner.origin) {
		refuse(master, at,
		       import_printf(master->import, "\"%s\" is no domain name", origin));
		return;
	}
	read_file(&inner,
		  path[0] == '/' || !folder ? path
					    : import_printf(master->import, "%s/%s", folder, path),
		  at);
	master->ttl_s = inner.ttl_s; /* the origin and the owner go back, a TTL stays */
	master->has_ttl = inner.has_ttl;
}

static void take_entry(struct master_file *master, const char *entry, const struct origin *at);

/* Replaces "$" by the number, and ${-5,3,x} by the number less five, in three hexadecimal digits.
 * NULL: unknown form. */
static char *put_number(struct import *import, const char *pattern, long number)
{
	char *text = import_printf(import, "%s", "");
	const char *at = pattern;

	while (*at != '\0') {
		size_t plain = strcspn(at, "\\$");
		long offset = 0;
		int width = 0, length = 0;
		char base = 'd';

		text = import_printf(import, "%s%.*s", text, (int)plain, at);
		at += plain;
		if (*at == '\\' || (at[0] == '$' && at[1] == '$')) {
			plain = *at == '\\' && at[1] != '$' && at[1] != '\0' ? 2 : 1;
			text = import_printf(import, "%s%.*s", text, (int)plain,
					     plain == 2 ? at : "$");
			at += at[1] != '\0' ? 2 : 1;
			continue;
		}
		if (*at == '\0')
			break;
		at++;
		if (*at == '{') {
			if (sscanf(at, "{%ld,%d,%c}%n", &offset, &width, &base, &length) < 3 ||
			    length == 0) {
				base = 'd';
				if (sscanf(at, "{%ld,%d}%n", &offset, &width, &length) < 2 ||
				    length == 0)
					sscanf(at, "{%ld}%n", &offset, &length);
			}
			if (length == 0 || !strchr("doxX", base) || width < 0 || width > 60)
				return NULL;
			at += length;
		}
		number += offset;
		text = import_printf(import,
				     base == 'o'   ? "%s%0*lo"
				     : base == 'x' ? "%s%0*lx"
				     : base == 'X' ? "%s%0*lX"
						   : "%s%0*ld",
				     text, width, number);
		number -= offset;
	}
	return text;
}

/* $GENERATE 1-5/2 OWNER TYPE DATA */
static void generate(struct master_file *master, const char *words, const struct origin *at)
{
	long first, last, step = 1;
	int length = 0;
	char *entry;

	if (sscanf(words, " %ld-%ld%n/%ld%n", &first, &last, &length, &step, &length) < 2 ||
	    first < 0 || step < 1 || last < first || (last - first) / step >= GENERATED_MAX) {
		refuse(master, at,
		       import_printf(master->import, "its range is none of up to %d numbers",
				     GENERATED_MAX));
		return;
	}
	words += length + strspn(words + length, " \t");
	for (long number = first; number <= last; number += step) {
		entry = put_number(master->import, words, number);
		if (!entry) {
			refuse(master, at, "this form of a number is not read");
			return;
		}
		take_entry(master, entry, at);
	}
}

/* $TTL and other directives. */
static void directive(struct master_file *master, const char *entry, const struct origin *at)
{
	const char *words = entry + strcspn(entry, " \t"), *end;
	char word[1024];
	ldns_rdf *origin;

	if (sscanf(words, "%1023s", word) != 1) {
		refuse(master, at, "it has no value");
	} else if (strncasecmp(entry, "$TTL", 4) == 0) {
		uint32_t ttl_s = ldns_str2period(word, &end);

		if (*end != '\0') {
			refuse(master, at, import_printf(master->import, "\"%s\" is no TTL", word));
			return;
		}
		master->ttl_s = ttl_s;
		master->has_ttl = true;
	} else if (strncasecmp(entry, "$ORIGIN", 7) == 0) {
		origin = read_name(master, word);
		if (!origin) {
			refuse(master, at,
			       import_printf(master->import, "\"%s\" is no domain name", word));
			return;
		}
		ldns_rdf_deep_free(master->origin);
		master->origin = origin;
	} else if (strncasecmp(entry, "$INCLUDE", 8) == 0) {
		include(master, words, at);
	} else if (strncasecmp(entry, "$GENERATE", 9) == 0) {
		generate(master, words, at);
	} else {
		refuse(master, at, "only $TTL, $ORIGIN, $INCLUDE and $GENERATE are read");
	}
}

/* A record without a TTL gets that of $TTL. Before a $TTL, it gets that of the record before it, or
 * USUAL_TTL_S if it is the first. But if the first record is a SOA without a TTL, its minimum is
 * the default from then on, as if $TTL had given it. */
static void keep_ttl(struct master_file *master, ldns_rr *rr)
{
	const ldns_rdf *minimum = ldns_rr_rdf(rr, 6);
	bool is_soa = ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA && minimum;

	if (ldns_rr_ttl(rr) == TTL_UNKNOWN) {
		if (master->ttl_s == TTL_UNKNOWN) {
			master->ttl_s = is_soa ? ldns_rdf2native_int32(minimum) : USUAL_TTL_S;
			master->has_ttl = is_soa;
		}
		ldns_rr_set_ttl(rr, master->ttl_s);
	} else if (!master->has_ttl) {
		master->ttl_s = ldns_rr_ttl(rr);
	}
}

/* Entries without an owner name take over the owner of the entry before, even of a skipped one. */
static void keep_owner(struct master_file *master, const char *entry)
{
	size_t length = strcspn(entry, " \t");
	ldns_rdf *owner;

	if (length == 0)
		return;
	if (length == 1 && *entry == '@')
		owner = ldns_rdf_clone(master->origin);
	else
		owner = read_name(master,
				  import_printf(master->import, "%.*s", (int)length, entry));
	ldns_rdf_deep_free(master->previous);
	master->previous = owner;
}

static void take_entry(struct master_file *master, const char *entry, const struct origin *at)
{
	size_t length = strlen(entry);
	ldns_rr *rr = NULL;
	ldns_status status;

	while (length > 1 && isspace((unsigned char)entry[length - 1]))
		length--;
	entry = import_printf(master->import, "%.*s", (int)length, entry);
	/* keep_ttl has the default, because ldns would take a default of 0 for none. */
	status = ldns_rr_new_frm_str(&rr, entry, TTL_UNKNOWN, master->origin, &master->previous);
	if (status == LDNS_STATUS_OK) {
		keep_ttl(master, rr);
		forward_zone_rr(master->import, master->zone, at, rr);
	} else {
		refuse(master, at,
		       import_printf(master->import, "%s: %s", entry,
				     ldns_get_errorstr_by_id(status)));
	}
	ldns_rr_free(rr);
}

/* Reads the text's entries (NULL: none), and frees the master's origin and previous owner. */
static void read_text(struct master_file *master, const char *path, const char *text)
{
	const struct master_variant *variant = master->variant;
	char *entry = text ? import_alloc(master->import, strlen(text) + 2) : NULL;
	const char *next = text;
	unsigned line = 1, first;

	master->file = path;
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
		else if (variant && !variant->edit(variant->context, &here, entry))
			keep_owner(master, entry);
		else
			take_entry(master, entry, &here);
	}
	if (text)
		import_comments_to(master->import, path, line);
	ldns_rdf_deep_free(master->origin);
	ldns_rdf_deep_free(master->previous);
}

static void read_file(struct master_file *master, const char *path, const struct origin *at)
{
	size_t length;

	read_text(master, path, import_read(master->import, path, at, &length));
}

void forward_zone_text(struct import *import, struct node *zone, const char *path, const char *text,
		       const char *origin, const struct master_variant *variant)
{
	struct master_file master = {.import = import,
				     .zone = zone,
				     .origin = ldns_dname_new_frm_str(origin),
				     .ttl_s = TTL_UNKNOWN,
				     .variant = variant};

	read_text(&master, path, text);
}

/* ---- files that stay ---- */

struct filed { /* a zone with a master file (forward_zone_file) */
	struct node *zone;
	struct origin at;
	const char *path, *origin, *folder;
	struct filed *next;
};

struct master_files { /* kept by the import */
	struct filed *first, **last;
};

void forward_zone_file(struct import *import, struct node *zone, const struct origin *at,
		       const char *path, const char *origin, const char *folder)
{
	struct master_files *files = import_find(import, "master files");
	struct filed *filed = import_alloc(import, sizeof *filed);

	if (!files) {
		files = import_alloc(import, sizeof *files);
		files->last = &files->first;
		import_keep(import, "master files", files);
	}
	*filed = (struct filed){.zone = zone,
				.at = *at,
				.path = import_printf(import, "%s", path),
				.origin = import_printf(import, "%s", origin),
				.folder = folder ? import_printf(import, "%s", folder) : NULL};
	*files->last = filed;
	files->last = &filed->next;
}

/* Whether the server can read all entries, and there are any. Missing TTLs are then as
 * rules/zone/zonefile.h says. */
static bool is_readable(const char *path, const struct name *apex, char *text, size_t length)
{
	static const struct hash_key any_key;
	struct zonefile_folder folder;
	struct faults faults;
	struct zone *zone = NULL;
	FILE *in;
	bool readable;

	if (length == 0 || zonefile_folder_init(&folder, path, regular_file_read_below) != 0)
		return false;
	faults_init(&faults);
	in = fmemopen(text, length, "r");
	if (in)
		zone = zonefile_read(in, path, &folder, &any_key, apex, &faults);
	readable = zone && faults.count == 0 && !zone_is_empty(zone);
	if (in)
		fclose(in);
	zone_unref(zone);
	faults_release(&faults);
	zonefile_folder_release(&folder);
	return readable;
}

/* Whether the server would look for included files in another folder. */
static bool includes_elsewhere(struct import *import, const struct filed *filed, const char *text)
{
	const char *own = folder_of(import, filed->path);

	return filed->folder && (!own || strcmp(own, filed->folder) != 0) &&
	       strcasestr(text, "$INCLUDE");
}

static void read_records(struct import *import, const struct filed *filed)
{
	struct master_file master = {.import = import,
				     .zone = filed->zone,
				     .file = filed->path,
				     .folder = filed->folder,
				     .origin = ldns_dname_new_frm_str(filed->origin),
				     .ttl_s = TTL_UNKNOWN};

	read_file(&master, filed->path, &filed->at);
}

static bool can_stay(struct import *import, const struct filed *filed)
{
	static const struct hash_key any_key;
	struct name apex, origin;
	size_t length;
	const char *why;
	char *text;
	bool stays;

	if (import_is_for_server(import) || import_count(filed->zone, "record_sets") > 0 ||
	    name_from_text(&apex, &any_key, import_get(filed->zone, "name")) != 0 ||
	    name_from_text(&origin, &any_key, filed->origin) != 0 || !name_equal(&apex, &origin))
		return false;
	text = regular_file_read(filed->path, STAYING_BYTES_MAX, NULL, &length, &why);
	stays = text && length <= STAYING_BYTES_MAX && encoding_is_plain(text, length) &&
		!includes_elsewhere(import, filed, text) &&
		is_readable(filed->path, &apex, text, length);
	free(text);
	return stays;
}

/* Files with the same remark: the first one, and the number of the others. */
struct alike {
	const struct filed *first;
	size_t others;
	char more[64]; /* " (and so do 2 others)" */
};

static void add_alike(struct alike *alike, const struct filed *filed)
{
	if (!alike->first) {
		alike->first = filed;
		return;
	}
	alike->others++;
	snprintf(alike->more, sizeof alike->more, " (and so %s %zu other%s)",
		 text_plural(alike->others, "does", "do"), alike->others,
		 text_plural(alike->others, "", "s"));
}

void forward_finish_files(struct import *import)
{
	const struct master_files *files = import_find(import, "master files");
	struct alike stay = {0}, end = {0};

	for (const struct filed *filed = files ? files->first : NULL; filed; filed = filed->next) {
		if (can_stay(import, filed)) {
			import_text(import, filed->zone, "file", &filed->at, filed->path);
			add_alike(&stay, filed);
		} else {
			read_records(import, filed);
			add_alike(&end, filed);
		}
	}
	if (stay.first)
		import_changed(import, &stay.first->at,
			       "%s stays a file, which the server's user has to be let read%s; "
			       "--apply makes record sets of it",
			       stay.first->path, stay.more);
	if (end.first)
		import_changed(import, &end.first->at,
			       "%s becomes record sets%s; changes of the file itself count no more",
			       end.first->path, end.more);
}
