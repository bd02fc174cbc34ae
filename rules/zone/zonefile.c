/* Reads and writes master files.
 *
 *     entry   www  1h IN   MX   10 mail
 *             │    └─┬─┘   │    └──┬──┘
 *             │      │     │       └ rdata_parse (ldns)
 *             │      │     └ record_type_parse
 *             │      └ TTL and class, in either order, both optional
 *             └ owner: @, relative to $ORIGIN, or with a final dot; a blank: the last one
 *
 * A wrong entry is a fault with its line, and reading goes on, so that one run finds all faults.
 * Files that include themselves, too many files and too long ones end the reading: each line of
 * such a file could be another $INCLUDE, and the thread that reads zones also answers operators.
 * $GENERATE is refused, because it is an extension of BIND. */
#include "rules/zone/zonefile.h"

#include <ctype.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/base.h"
#include "rules/text.h"
#include "rules/wire.h"
#include "rules/zone/rdata.h"
#include "rules/zone/record.h"

enum {
	USUAL_TTL_S = 3600,       /* if the file has none */
	FILE_BYTES_MAX = 1 << 30, /* of a zone file */
	ROOM_MIN = 4 * 1024,
	ENTRY_MAX = 512 * 1024, /* bytes: 65535 of rdata, each as \DDD, and more */
	REWINDS_MAX = 16,
	INCLUDE_DEPTH_MAX = 10,        /* nested files */
	INCLUDES_MAX = 1000,           /* of a zone */
	INCLUDED_BYTES_MAX = 64 << 20, /* of a zone; a file that is included twice counts twice */
	CHAIN_TEXT_MAX = 1024,
};

struct zonefile_text { /* a position in a file */
	const char *at, *end;
	unsigned line;
	unsigned rewinds; /* how often reading went back into a broken entry */
	char *entry;      /* room for the longest entry, and a NUL */
};

/* ---- entries (RFC 1035 section 5.1) ----
 *
 * An entry is one line, or several between parentheses, without comments. Parentheses and line ends
 * become blanks; escapes and quotes stay unchanged:
 *
 *     www  IN  TXT ( "a;b"  ; comment       one entry, on line 1:
 *                    second )               |www  IN  TXT   "a;b"                 second|
 *
 * ldns can do this, too, but its line numbers are those after an entry and its blank lines, and an
 * unclosed parenthesis swallows the rest of the file. Here reading continues with the second line
 * of a broken entry, so that the records after an open parenthesis are still read. This is done at
 * most REWINDS_MAX times, because a file of only open parentheses would otherwise be read once for
 * each of them. */

struct zonefile_entry {
	unsigned line;       /* where the entry begins */
	char *text;          /* valid until the next call; a blank at its start: no owner */
	const char *problem; /* not NULL: why the entry is unusable */
	bool cut;            /* a comment begins in the middle of a word */
};

struct zonefile_scan {
	size_t used; /* bytes in the entry so far */
	unsigned depth;
	bool quoted, comment, something; /* something: there were not only blanks */
	bool folded;                     /* there was a parenthesis */
	bool cut;
	const char *second_line; /* of the entry; NULL: still on its first line */
	const char *problem;
};

static int text_init(struct zonefile_text *text, const char *bytes, size_t length)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	size_t mark = sizeof byte_order_mark - 1;

	*text = (struct zonefile_text){.at = bytes, .end = bytes + length, .line = 1};
	if (length >= mark && memcmp(bytes, byte_order_mark, mark) == 0)
		text->at += mark; /* some editors write one */
	/* No entry is longer than its file. */
	text->entry = malloc((length < ENTRY_MAX ? length : ENTRY_MAX) + 1);
	return text->entry ? 0 : ERR_NOMEM;
}

static void put(struct zonefile_text *text, struct zonefile_scan *scan, char c)
{
	if (c == ' ' && scan->used == 0 && scan->folded)
		return; /* after a parenthesis a leading blank does not mean "no owner" */
	if (c == '\0')
		scan->problem = "a NUL byte; a zone file is text";
	else if (scan->used == ENTRY_MAX)
		scan->problem = "an entry of more than 512 KB; is there a ) missing?";
	else
		text->entry[scan->used++] = c;
	scan->something |= c != ' ';
}

/* Handles a line's end; true: it ends the entry. */
static bool end_line(struct zonefile_text *text, struct zonefile_scan *scan)
{
	text->line++;
	if (!scan->second_line)
		scan->second_line = text->at;
	if (scan->quoted)
		scan->problem = "a \" that is not closed on the same line";
	if (scan->depth == 0 || scan->problem)
		return true;
	scan->comment = false;
	put(text, scan, ' ');
	return scan->problem != NULL;
}

static void parenthesis(struct zonefile_text *text, struct zonefile_scan *scan, char c)
{
	if (c == '(')
		scan->depth++;
	else if (scan->depth > 0)
		scan->depth--;
	else
		scan->problem = "a ) without a ( before it";
	scan->folded = true;
	put(text, scan, ' ');
}

/* Begins a comment; notes one within a word, as after "p=none" in an unquoted TXT. */
static void begin_comment(const struct zonefile_text *text, struct zonefile_scan *scan)
{
	scan->comment = true;
	scan->cut |= scan->used > 0 && !strchr(" \"", text->entry[scan->used - 1]);
}

/* Takes one character outside comments. */
static void take(struct zonefile_text *text, struct zonefile_scan *scan, char c)
{
	if (c == '\\' && text->at < text->end && *text->at != '\n') {
		put(text, scan, c);
		put(text, scan, *text->at++);
		return;
	}
	if (c == '"')
		scan->quoted = !scan->quoted;
	if (scan->quoted || c == '"')
		put(text, scan, c);
	else if (c == ';')
		begin_comment(text, scan);
	else if (c == '(' || c == ')')
		parenthesis(text, scan, c);
	else
		put(text, scan, strchr("\t\r\f\v", c) && c != '\0' ? ' ' : c);
}

/* Reads up to the end of the entry that begins here. */
static void read_entry(struct zonefile_text *text, struct zonefile_scan *scan)
{
	while (text->at < text->end) {
		char c = *text->at++;

		if (c == '\n') {
			if (end_line(text, scan))
				return;
		} else if (!scan->comment && !scan->problem) {
			take(text, scan, c);
		}
	}
	if (scan->quoted && !scan->problem)
		scan->problem = "a \" that is not closed on the same line";
	if (scan->depth > 0 && !scan->problem)
		scan->problem = "a ( that is never closed";
}

/* Goes back to the second line of a broken entry. */
static void resume(struct zonefile_text *text, const struct zonefile_scan *scan,
		   unsigned first_line)
{
	if (!scan->second_line || text->line <= first_line + 1 || text->rewinds++ >= REWINDS_MAX)
		return;
	text->at = scan->second_line;
	text->line = first_line + 1;
}

/* Reads the next entry that is not blank; false at the end. */
static bool next_entry(struct zonefile_text *text, struct zonefile_entry *entry)
{
	while (text->at < text->end) {
		struct zonefile_scan scan = {0};

		*entry = (struct zonefile_entry){.line = text->line, .text = text->entry};
		read_entry(text, &scan);
		entry->problem = scan.problem;
		entry->cut = scan.cut;
		if (scan.problem)
			resume(text, &scan, entry->line);
		while (scan.used > 0 && text->entry[scan.used - 1] == ' ' &&
		       (scan.used == 1 || text->entry[scan.used - 2] != '\\'))
			scan.used--;
		text->entry[scan.used] = '\0';
		if (scan.something || scan.problem)
			return true;
	}
	return false;
}

/* Cuts the next token off *rest, up to a blank that is neither quoted nor escaped. "" at the
 * end. */
static char *next_token(char **rest)
{
	char *start = *rest + strspn(*rest, " "), *at = start;
	bool quoted = false;

	for (; *at != '\0' && (quoted || *at != ' '); at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '"')
			quoted = !quoted;
	}
	*rest = at;
	if (*at != '\0') {
		*at = '\0';
		*rest = at + 1;
	}
	return start;
}

/* ---- the meaning of entries ---- */

struct zonefile_place {     /* the position in a file, and the context of its entries */
	struct origin here; /* the current file and line */
	struct zonefile_text text;
	uint8_t origin[NAME_WIRE_MAX]; /* $ORIGIN */
	uint8_t owner[NAME_WIRE_MAX];  /* of the last entry */
	enum { OWNER_NONE, OWNER_BROKEN, OWNER_KNOWN } owner_state;
};

struct zonefile_file {                  /* a file being read */
	const struct zonefile_file *by; /* the including file; NULL: the zone's own file */
	const char *path;               /* without symbolic links; NULL: no path */
	const char *shown;              /* the name for faults */
};

struct zonefile_reader {
	struct zone_builder *builder;
	struct faults *faults;
	struct zonefile_folder *folder; /* NULL: no $INCLUDE */
	const struct zonefile_file *file;
	unsigned depth, included; /* files around this one, and files included so far */
	size_t included_bytes;
	struct zonefile_place place;
	/* The TTL of records without one: $TTL (RFC 2308 section 4); before a $TTL the last TTL of
	 * a record (RFC 1035 section 5.1); if no record up to the SOA has one, the SOA's minimum,
	 * as in BIND. */
	uint32_t ttl;
	enum { TTL_NONE, TTL_OF_RECORD, TTL_OF_FILE } ttl_from;
	bool broken;
	bool stopped; /* reads nothing more */
	uint8_t rdata[RDATA_MAX];
};

struct header { /* the fields between owner and rdata */
	uint16_t type;
	bool has_ttl;
	uint32_t ttl;
};

#define REFUSE(reader, ...)                                                                        \
	do {                                                                                       \
		fault_add((reader)->faults, FAULT_ERROR, &(reader)->place.here, NULL,              \
			  __VA_ARGS__);                                                            \
		(reader)->broken = true;                                                           \
	} while (0)

/* Makes a token printable for a fault: other bytes than printable ASCII become a question mark. */
static const char *printable(char *token)
{
	for (char *at = token; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
	return token;
}

/* ---- names and times ---- */

static bool read_name(struct zonefile_reader *reader, char *text, uint8_t wire[NAME_WIRE_MAX])
{
	const char *why;
	size_t length;

	if (rdata_parse_name(text, reader->place.origin, wire, &length, &why) == 0)
		return true;
	REFUSE(reader, "\"%.300s\" is not a domain name: %s", printable(text), why);
	return false;
}

/* At most 2^31-1 (RFC 2181 section 8). */
static bool read_ttl(const char *text, uint32_t *ttl)
{
	return rdata_parse_period(text, INT32_MAX, ttl);
}

#define TTL_EXPECTED "a number of seconds up to 2147483647, or like 1h30m"

/* ---- directives ---- */

static int read_file(struct zonefile_reader *reader, const struct zonefile_file *file,
		     const char *bytes, size_t length);

static char *without_quotes(char *token)
{
	size_t length = strlen(token);

	if (length < 2 || *token != '"' || token[length - 1] != '"')
		return token;
	token[length - 1] = '\0';
	return token + 1;
}

/* The file of this path, if it is being read; else NULL. */
static const struct zonefile_file *find_around(const struct zonefile_reader *reader,
					       const char *path)
{
	const struct zonefile_file *file = reader->file;

	while (file && !text_equal(file->path, path))
		file = file->by;
	return file;
}

/* "a > b > ", from the first of these files to the last. */
static void print_chain(const struct zonefile_file *first, const struct zonefile_file *last,
			char text[CHAIN_TEXT_MAX])
{
	if (last != first)
		print_chain(first, last->by, text);
	text_append(text, CHAIN_TEXT_MAX, "%s > ", last->shown);
}

/* False: the file is being read already; a fault shows its way to itself. */
static bool may_include(struct zonefile_reader *reader, const char *path)
{
	const struct zonefile_file *again = find_around(reader, path);
	char chain[CHAIN_TEXT_MAX] = "";

	if (!again)
		return true;
	print_chain(again, reader->file, chain);
	REFUSE(reader, "a file cannot include itself: %s%s", chain, again->shown);
	reader->stopped = true;
	return false;
}

/* Reads the file's bytes; free them and *path. */
static char *open_include(struct zonefile_reader *reader, char *name, char **path, size_t *length)
{
	struct zonefile_folder *folder = reader->folder;
	size_t left = INCLUDED_BYTES_MAX - reader->included_bytes;
	const char *why = NULL;
	char *bytes;

	if (!folder) {
		REFUSE(reader,
		       "$INCLUDE is for a zone that is a file; put the records themselves here");
		return NULL;
	}
	if (reader->depth == INCLUDE_DEPTH_MAX || reader->included++ == INCLUDES_MAX) {
		REFUSE(reader, "files can include each other %d deep, and a zone %d of them",
		       INCLUDE_DEPTH_MAX, INCLUDES_MAX);
		reader->stopped = true;
		return NULL;
	}
	folder->used = true;
	bytes = folder->open(folder->path, name, left, path, length, &why);
	if (bytes) {
		reader->included_bytes += *length;
		// cppcheck-suppress returnDanglingLifetime ; bytes are no part of `why`
		return bytes;
	}
	reader->stopped = *length > left;
	if (reader->stopped)
		REFUSE(reader,
		       "the files that a zone includes can have %d MB together; put more into "
		       "the zone's own file",
		       INCLUDED_BYTES_MAX >> 20);
	else
		REFUSE(reader, "%.300s cannot be read: %s", printable(name), why);
	return NULL;
}

/* Reads the entries of an included file, whose bytes open_include has read. ERR_NOMEM, or 0. */
static int read_include(struct zonefile_reader *reader, const char *name, const char *path,
			const char *bytes, size_t length)
{
	char *shown = NULL;
	int err;

	if (asprintf(&shown, "%s/%s", reader->folder->path, name) < 0)
		return ERR_NOMEM;
	reader->place.here = (struct origin){.file = shown};
	reader->depth++;
	err = read_file(reader,
			&(struct zonefile_file){.by = reader->file, .path = path, .shown = shown},
			bytes, length);
	reader->depth--;
	free(shown);
	return err;
}

/* $INCLUDE FILE [ORIGIN]. Restores origin and owner afterwards, but keeps the TTL that the included
 * file left, as in BIND. ERR_NOMEM, or 0. */
static int include(struct zonefile_reader *reader, char *rest)
{
	struct zonefile_place before = reader->place;
	char *name = without_quotes(next_token(&rest)), *origin = next_token(&rest);
	char *bytes, *path = NULL;
	size_t length;
	int err = 0;

	if (*name == '\0' || *next_token(&rest) != '\0') {
		REFUSE(reader, "$INCLUDE takes a file and, where it is another, its origin");
		return 0;
	}
	bytes = open_include(reader, name, &path, &length);
	if (bytes && may_include(reader, path) &&
	    (*origin == '\0' || read_name(reader, origin, reader->place.origin)))
		err = read_include(reader, name, path, bytes, length);
	reader->place = before;
	free(path);
	free(bytes);
	return err;
}

/* ERR_NOMEM, or 0, even after a fault. */
static int read_directive(struct zonefile_reader *reader, char *rest)
{
	char *keyword = next_token(&rest), *value;

	if (strcasecmp(keyword, "$INCLUDE") == 0)
		return include(reader, rest);
	value = next_token(&rest);
	if (strcasecmp(keyword, "$ORIGIN") != 0 && strcasecmp(keyword, "$TTL") != 0) {
		REFUSE(reader,
		       "%.40s is not supported: only $ORIGIN, $TTL and $INCLUDE are; put the "
		       "records themselves into this file",
		       printable(keyword));
	} else if (*value == '\0' || *next_token(&rest) != '\0') {
		REFUSE(reader, "%.40s takes one value", printable(keyword));
	} else if (strcasecmp(keyword, "$TTL") == 0) {
		if (read_ttl(value, &reader->ttl))
			reader->ttl_from = TTL_OF_FILE;
		else
			REFUSE(reader, "$TTL \"%.40s\" is not " TTL_EXPECTED, printable(value));
	} else {
		read_name(reader, value, reader->place.origin);
	}
	return 0;
}

/* ---- records ---- */

static bool is_class(const char *token)
{
	static const char *const names[] = {"CH", "HS", "CS", "NONE"};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcasecmp(token, names[i]) == 0)
			return true;
	}
	return strncasecmp(token, "CLASS", 5) == 0 && isdigit((unsigned char)token[5]);
}

/* Reads [TTL] [class] type, or [class] [TTL] type; *rest is then the rdata. */
static bool read_header(struct zonefile_reader *reader, char **rest, bool indented,
			struct header *header)
{
	bool class_seen = false;
	char *token;

	header->has_ttl = false;
	for (;;) {
		token = next_token(rest);
		if (!header->has_ttl && isdigit((unsigned char)*token)) {
			header->has_ttl = true;
			if (!read_ttl(token, &header->ttl)) {
				REFUSE(reader, "TTL \"%.40s\" is not " TTL_EXPECTED,
				       printable(token));
				return false;
			}
		} else if (!class_seen &&
			   (strcasecmp(token, "IN") == 0 || strcasecmp(token, "CLASS1") == 0)) {
			class_seen = true;
		} else {
			break;
		}
	}
	if (*token == '\0')
		REFUSE(reader, "a record without a type; it is written OWNER [TTL] [IN] TYPE DATA");
	else if (is_class(token))
		REFUSE(reader, "class %.40s; a private zone has records of class IN only", token);
	else if (record_type_parse(&header->type, token) != 0 && indented)
		REFUSE(reader,
		       "\"%.40s\" is not a record type; the line begins with a blank, so it has no "
		       "owner: remove the blank, if this is the owner",
		       printable(token));
	else if (record_type_parse(&header->type, token) != 0)
		REFUSE(reader,
		       "\"%.40s\" is not a record type; one that has no name here is written "
		       "TYPEn, with data as \\# LENGTH HEX",
		       printable(token));
	else
		return true;
	return false;
}

/* The SOA's last field (RFC 2308 section 4), at most the largest TTL. */
static uint32_t soa_minimum(const uint8_t *rdata, size_t length)
{
	uint32_t minimum = wire_u32(rdata + length - sizeof minimum);

	return minimum > INT32_MAX ? INT32_MAX : minimum;
}

/* The TTL of a record whose data is reader->rdata. */
static uint32_t decide_ttl(struct zonefile_reader *reader, const struct header *header,
			   size_t length)
{
	if (header->has_ttl && reader->ttl_from != TTL_OF_FILE) {
		reader->ttl = header->ttl;
		reader->ttl_from = TTL_OF_RECORD;
	} else if (header->type == TYPE_SOA && reader->ttl_from == TTL_NONE) {
		reader->ttl = soa_minimum(reader->rdata, length);
		reader->ttl_from = TTL_OF_FILE;
	}
	return header->has_ttl ? header->ttl : reader->ttl;
}

/* Sets reader->place.owner to this entry's, and moves *rest after it. */
static void read_owner(struct zonefile_reader *reader, char **rest)
{
	if (**rest == ' ') {
		if (reader->place.owner_state == OWNER_NONE)
			REFUSE(reader,
			       "the line begins with a blank, so it has the owner of the record "
			       "before, but there is none; remove the blank, or begin with @ for "
			       "the apex");
		return;
	}
	reader->place.owner_state = OWNER_BROKEN;
	if (read_name(reader, next_token(rest), reader->place.owner))
		reader->place.owner_state = OWNER_KNOWN;
}

/* ERR_NOMEM, or 0, even after a fault. */
static int read_record(struct zonefile_reader *reader, const struct zonefile_entry *entry)
{
	char *rest = entry->text;
	bool indented = *rest == ' ';
	struct header header;
	const char *why;
	char type[16];
	size_t length;
	uint32_t ttl;
	int err;

	read_owner(reader, &rest);
	if (!read_header(reader, &rest, indented, &header))
		return 0;
	record_type_print(header.type, type, sizeof type);
	if (!record_type_is_data(header.type)) {
		REFUSE(reader, "%s cannot be data of a zone; it occurs in messages only", type);
		return 0;
	}
	if (rdata_parse(header.type, rest, reader->place.origin, reader->rdata, &length, &why) !=
	    0) {
		REFUSE(reader, "the data of this %s record, \"%.100s\", is not right: %s", type,
		       printable(rest), why);
		return 0;
	}
	ttl = decide_ttl(reader, &header, length);
	if (reader->place.owner_state != OWNER_KNOWN)
		return 0;
	if (entry->cut && header.type == TYPE_TXT)
		fault_add(reader->faults, FAULT_WARNING, &reader->place.here, NULL,
			  "what stands behind the ; is a comment; put a text that has one in "
			  "quotes");
	err = zone_builder_add(reader->builder, &reader->place.here, reader->place.owner,
			       header.type, ttl, reader->rdata, length, reader->faults);
	return err == ERR_NOMEM ? err : 0;
}

static int read_entries(struct zonefile_reader *reader)
{
	struct zonefile_entry entry;
	int err = 0;

	while (err == 0 && !reader->stopped && next_entry(&reader->place.text, &entry)) {
		char *rest = entry.text;

		reader->place.here.line = entry.line;
		if (entry.problem) {
			REFUSE(reader, "%s", entry.problem);
			reader->place.owner_state = OWNER_BROKEN;
		} else if (*rest == '$') {
			err = read_directive(reader, rest);
		} else {
			err = read_record(reader, &entry);
		}
	}
	return err;
}

/* Reads the bytes of a file, beginning in the context of reader->place. ERR_NOMEM, or 0. */
static int read_file(struct zonefile_reader *reader, const struct zonefile_file *file,
		     const char *bytes, size_t length)
{
	int err = text_init(&reader->place.text, bytes, length);

	reader->file = file;
	if (!err)
		err = read_entries(reader);
	reader->file = file->by;
	if (!err && !reader->stopped && length > 0 && bytes[length - 1] != '\n')
		fault_add(reader->faults, FAULT_WARNING, &reader->place.here, NULL,
			  "the last line has no newline; see that the file is complete, and add "
			  "one");
	free(reader->place.text.entry);
	return err;
}

/* ---- the file ---- */

int zonefile_folder_init(struct zonefile_folder *folder, const char *file, zonefile_open *open)
{
	char *copy = strdup(file), *path = copy ? strdup(dirname(copy)) : NULL;

	free(copy);
	if (!path)
		return ERR_NOMEM;
	*folder =
		(struct zonefile_folder){.path = path, .file = realpath(file, NULL), .open = open};
	return 0;
}

void zonefile_folder_release(struct zonefile_folder *folder)
{
	free(folder->path);
	free(folder->file);
}

/* Reads the whole file; free the result. */
static char *read_all(FILE *in, size_t *length, const char **why)
{
	size_t room = 0, used = 0, got;
	char *bytes = NULL, *more;

	do {
		if (room - used < ROOM_MIN) {
			room = room == 0 ? ROOM_MIN : room * 2;
			more = room <= FILE_BYTES_MAX ? realloc(bytes, room) : NULL;
			*why = room <= FILE_BYTES_MAX ? "there is not enough memory for it"
						      : "the file is larger than 1 GB";
			if (!more)
				goto failed;
			bytes = more;
		}
		got = fread(bytes + used, 1, room - used, in);
		used += got;
	} while (got > 0);
	*why = "the file cannot be read";
	if (ferror(in))
		goto failed;
	*length = used;
	return bytes;

failed:
	free(bytes);
	return NULL;
}

static struct zone *read_zone(struct zonefile_reader *reader, const char *bytes, size_t length,
			      const struct hash_key *key, const struct name *apex)
{
	const struct zonefile_file file = {.path = reader->folder ? reader->folder->file : NULL,
					   .shown = reader->place.here.file};
	struct zone *zone;
	int err = ERR_NOMEM;

	memcpy(reader->place.origin, apex->wire, apex->length);
	reader->ttl = USUAL_TTL_S;
	reader->builder = zone_builder_new(key, apex);
	if (reader->builder)
		err = read_file(reader, &file, bytes, length);
	reader->place.here.line = 0;
	if (err != 0) {
		REFUSE(reader, "there is not enough memory for the zone");
		zone_builder_free(reader->builder);
		return NULL;
	}
	zone = zone_builder_finish(reader->builder, &reader->place.here, reader->faults);
	if (reader->broken) {
		zone_unref(zone);
		return NULL;
	}
	return zone;
}

struct zone *zonefile_read(FILE *in, const char *file, struct zonefile_folder *folder,
			   const struct hash_key *key, const struct name *apex,
			   struct faults *faults)
{
	struct zonefile_reader *reader = calloc(1, sizeof *reader);
	struct origin here = {.file = file};
	struct zone *zone = NULL;
	const char *why = "there is not enough memory for it";
	size_t length;
	char *bytes = NULL;

	if (reader)
		bytes = read_all(in, &length, &why);
	if (!bytes) {
		fault_add(faults, FAULT_ERROR, &here, NULL, "%s", why);
	} else {
		reader->faults = faults;
		reader->folder = folder;
		reader->place.here = here;
		zone = read_zone(reader, bytes, length, key, apex);
	}
	free(bytes);
	free(reader);
	return zone;
}

/* ---- writing ---- */

char *zonefile_name(const struct name *apex, const uint8_t *name, char text[NAME_TEXT_MAX])
{
	char suffix[NAME_TEXT_MAX];
	size_t length = strlen(name_wire_to_text(name, text));

	if (name_wire_length(name) == apex->length) {
		snprintf(text, NAME_TEXT_MAX, "@");
		return text;
	}
	name_to_text(apex, suffix);
	/* Cuts the apex's text with the dot before it; for the root only that dot. */
	text[length - (apex->labels > 0 ? strlen(suffix) + 1 : 1)] = '\0';
	return text;
}

static int write_set(FILE *out, const char *owner, const struct rrset *set)
{
	const uint8_t *record = set->wire;
	char type[16];
	int err = 0;

	record_type_print(set->type, type, sizeof type);
	for (unsigned i = 0; !err && i < set->count; i++) {
		size_t length = wire_u16(record + RECORD_HEADER - 2);

		fprintf(out, "%s %u IN %s ", owner, set->ttl, type);
		err = rdata_print(set->type, record + RECORD_HEADER, length, out);
		fputc('\n', out);
		record += RECORD_HEADER + length;
	}
	return err;
}

int zonefile_write(const struct zone *zone, FILE *out)
{
	struct zone_cursor cursor = {0};
	char text[NAME_TEXT_MAX];
	const uint8_t *owner;
	const struct rrset *set;
	int err = 0;

	fprintf(out, "$ORIGIN %s\n", name_to_text(zone_apex(zone), text));
	while (!err && zone_next(zone, &cursor, &owner, &set))
		err = write_set(out, zonefile_name(zone_apex(zone), owner, text), set);
	return !err && !ferror(out) ? 0 : ERR_SYSTEM;
}
