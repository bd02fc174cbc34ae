/* The tree is one more syntax for the field table's reader (rules/schema/read.h), beside libconfig
 * and JSON; so names, ranges and references are checked as in a file, and a fault is at the line of
 * the other program's file:
 *
 *     dialect ─► tree ─► model ─► checked ─► faults? ─► their items are taken out of the tree ─┐
 *                 ▲                  └─► none: written                                        │
 *                 └───────────────────────────────────────────────────────────────────────────┘
 *
 * A fault names its value by path ("rulesets[office].rules[contoso].domain"); the innermost item on
 * that path is taken out, but an exceeded limit is raised instead. A round that does neither ends
 * the import in failure. */
#include "resolver/control/import/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/base/regular_file.h"
#include "resolver/control/config/file.h"
#include "resolver/control/config/write.h"
#include "resolver/control/import/encoding.h"
#include "resolver/control/service/load.h"
#include "rules/base.h"
#include "rules/check/limits.h"
#include "rules/schema/read.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum {
	INPUT_BYTES_MAX = 256 << 20, /* of all files together */
	INPUT_FILES_MAX = 10000,
	MADE_MIB_MAX = 256, /* of all texts and values that are made */
	TIME_MAX_S = 120,
	LOOK_EACH = 1024, /* texts and values between two checks of the time */
	NAME_CHARS_MAX = 80,
	ITEMS_SEEN_MAX = 50, /* of a list in the main file, which people read */
	ROUNDS_MAX = 100
};

struct node {
	enum value_kind kind;
	const char *key;  /* of a member; NULL: an item, or the root */
	struct origin at; /* its path is NULL */
	const char *what; /* the item's name in the original; NULL: none */
	const char *text;
	long long number;
	struct node *parent, *previous, *next, *first, *last;
	size_t count;
};

struct memory { /* an entry of import_keep */
	void *what;
	UT_hash_handle hh;
	char key[];
};

struct remark_lines { /* a text that grows by lines */
	char *text;   /* NULL: no line yet */
	size_t length, room;
};

struct remark { /* the comments of a line, or the lines that open an item (import_closed) */
	const char *file;
	unsigned line;
	struct remark_lines lines;
	struct remark *next; /* in the order found */
	bool printed;
};

struct import {
	bool for_server;
	size_t files, input_bytes, made_bytes, made; /* so far */
	time_t begun_s;
	mode_t readable; /* the read permissions that all files so far have */
	struct arena arena;
	struct node *root;
	struct memory *memories;
	struct remark *first_remark, **last_remark;
	struct faults notes;  /* warnings: what is lost or different; errors: why nothing is made */
	struct faults closed; /* printed before the notes: access that is closed now and was
			       * open */
	struct model *model;  /* NULL: not finished */
	const char *file;     /* the file named last */
	struct remark_lines ahead; /* comments for the next value */
};

/* ---- memory ---- */

static void *need(void *memory)
{
	if (!memory)
		exit(exit_fail("%s", err_text(ERR_NOMEM)));
	return memory;
}

/* Ends an import that would never end or exhaust the machine: files may include each other, and
 * lists may name lists. */
static void count(struct import *import, size_t bytes)
{
	import->made_bytes += bytes;
	if (import->made_bytes >> 20 >= MADE_MIB_MAX)
		exit(exit_fail("it grows to more than %d MiB; import parts of it", MADE_MIB_MAX));
	if (++import->made % LOOK_EACH == 0 && time(NULL) - import->begun_s > TIME_MAX_S)
		exit(exit_fail("it takes more than %d seconds; import parts of it", TIME_MAX_S));
}

struct arena *import_arena(struct import *import)
{
	return &import->arena;
}

void *import_alloc(struct import *import, size_t size)
{
	count(import, size);
	return need(arena_alloc(&import->arena, size));
}

static char *copy(struct import *import, const char *text)
{
	count(import, strlen(text));
	return need(arena_strdup(&import->arena, text));
}

char *import_printf(struct import *import, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = need(arena_vprintf(&import->arena, format, arguments));
	va_end(arguments);
	count(import, strlen(text));
	return text;
}

struct text_maker {
	struct import *import;
	char *text;
	size_t length;
	FILE *out;
};

struct text_maker *import_begin(struct import *import)
{
	struct text_maker *maker = need(calloc(1, sizeof *maker));

	maker->import = import;
	maker->out = need(open_memstream(&maker->text, &maker->length));
	return maker;
}

void import_put(struct text_maker *maker, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vfprintf(maker->out, format, arguments);
	va_end(arguments);
	if (length < 0)
		need(NULL);
	count(maker->import, (size_t)length);
}

char *import_end(struct text_maker *maker)
{
	char *text;

	if (fclose(maker->out) != 0)
		need(NULL);
	text = need(arena_strdup(&maker->import->arena, maker->text));
	free(maker->text);
	free(maker);
	return text;
}

void *import_find(struct import *import, const char *key)
{
	struct memory *memory;

	HASH_FIND_STR(import->memories, key, memory);
	return memory ? memory->what : NULL;
}

void import_keep(struct import *import, const char *key, void *what)
{
	size_t length = strlen(key);
	struct memory *memory = import_alloc(import, sizeof *memory + length + 1);

	memory->what = what;
	memcpy(memory->key, key, length + 1);
	HASH_ADD_KEYPTR(hh, import->memories, memory->key, length, memory);
}

static char *view_key(struct import *import, const char *network)
{
	return import_printf(import, "view of %s", network);
}

void import_view(struct import *import, const struct node *network)
{
	import_keep(import, view_key(import, import_get(network, "name")), import);
}

static char *aside_key(struct import *import, const char *group, const char *name)
{
	return import_printf(import, "aside %s/%s", group ? group : "", name);
}

void import_aside(struct import *import, const struct node *zone)
{
	import_keep(import,
		    aside_key(import, import_get(zone, "resource_group"), import_get(zone, "name")),
		    import);
}

struct import *import_new(bool for_server)
{
	struct import *import = need(calloc(1, sizeof *import));

	import->for_server = for_server;
	import->begun_s = time(NULL);
	import->readable = 0444;
	arena_init(&import->arena);
	faults_init(&import->notes);
	faults_init(&import->closed);
	import->last_remark = &import->first_remark;
	import->root = import_alloc(import, sizeof *import->root);
	import->root->kind = VALUE_GROUP;
	return import;
}

bool import_is_for_server(const struct import *import)
{
	return import->for_server;
}

void import_free(struct import *import)
{
	if (!import)
		return;
	HASH_CLEAR(hh, import->memories);
	model_free(import->model);
	faults_release(&import->notes);
	faults_release(&import->closed);
	arena_release(&import->arena);
	free(import);
}

/* ---- places, notes, comments ---- */

struct origin import_place(struct import *import, const char *file, unsigned line, const char *what)
{
	/* One copy of each file's path, because comments are found by its pointer. The last path is
	 * tried first: lines of one file mostly follow each other. */
	if (!import->file || strcmp(import->file, file) != 0) {
		char *key = import_printf(import, "file %s", file);

		import->file = import_find(import, key);
		if (!import->file) {
			import->file = copy(import, file);
			import_keep(import, key, (void *)(uintptr_t)import->file);
		}
	}
	return (struct origin){
		.file = import->file, .line = line, .path = what ? copy(import, what) : NULL};
}

static void note(struct faults *notes, enum severity severity, const struct origin *at,
		 const char *how, const char *format, va_list arguments)
{
	struct arena arena;

	arena_init(&arena);
	fault_add(notes, severity, at, NULL, "%s%s", how,
		  (char *)need(arena_vprintf(&arena, format, arguments)));
	arena_release(&arena);
}

void import_lost(struct import *import, const struct origin *at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	note(&import->notes, FAULT_WARNING, at, "not carried over: ", format, arguments);
	va_end(arguments);
}

void import_changed(struct import *import, const struct origin *at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	note(&import->notes, FAULT_WARNING, at, "different: ", format, arguments);
	va_end(arguments);
}

void import_fault(struct import *import, const struct origin *at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	note(&import->notes, FAULT_ERROR, at, "", format, arguments);
	va_end(arguments);
}

bool import_is_closed(const struct import *import)
{
	return import->closed.count > 0;
}

bool import_is_refused(const struct import *import)
{
	return import->notes.errors > 0;
}

static struct remark *find_remark(struct import *import, const struct origin *origin)
{
	char key[64];

	snprintf(key, sizeof key, "comment %p %u", (const void *)origin->file, origin->line);
	return import_find(import, key);
}

/* The room doubles, so that many lines are copied a few times only. */
static void add_line(struct import *import, struct remark_lines *lines, const char *text,
		     size_t length)
{
	bool first = !lines->text;

	if (first || lines->room - lines->length < length + 2) {
		size_t room = 2 * lines->room + length + 2;
		char *more = import_alloc(import, room);

		if (!first)
			memcpy(more, lines->text, lines->length);
		lines->text = more;
		lines->room = room;
	}
	if (!first)
		lines->text[lines->length++] = '\n';
	memcpy(lines->text + lines->length, text, length);
	lines->length += length;
	lines->text[lines->length] = '\0';
}

static struct remark *add_remark(struct import *import, const struct origin *at)
{
	struct remark *remark = import_alloc(import, sizeof *remark);

	*remark = (struct remark){.file = at->file, .line = at->line};
	*import->last_remark = remark;
	import->last_remark = &remark->next;
	return remark;
}

void import_comment(struct import *import, const char *file, unsigned line, const char *text)
{
	struct origin at = import_place(import, file, line, NULL);
	struct remark *remark = find_remark(import, &at);
	size_t size = strlen(text) * TEXT_SHOWN_MAX + 1;
	char key[64], *shown = need(malloc(size));

	text_show(text, shown, size);
	if (!remark) {
		remark = add_remark(import, &at);
		snprintf(key, sizeof key, "comment %p %u", (const void *)at.file, line);
		import_keep(import, key, remark);
	}
	add_line(import, &remark->lines, shown, strlen(shown));
	free(shown);
}

/* The item's path as in faults of the model: "rulesets[dev/office].rules[contoso]". */
static const char *path_of(struct import *import, const struct node *node)
{
	const char *around = node->parent->parent ? path_of(import, node->parent) : NULL, *group;

	if (node->key)
		return around ? import_printf(import, "%s.%s", around, node->key) : node->key;
	group = import_get(node, "resource_group");
	return import_printf(import, "%s[%s%s%s]", around, group ? group : "", group ? "/" : "",
			     import_get(node, "name"));
}

static char *open_key(const char *path, const struct origin *at, char *key, size_t size)
{
	snprintf(key, size, "open %p %u %s", (const void *)at->file, at->line, path);
	return key;
}

void import_closed(struct import *import, const struct origin *at, const struct node *in,
		   const char *open, const char *format, ...)
{
	const char *path = path_of(import, in);
	size_t size = strlen(path) + 64;
	char *key = open_key(path, &in->at, import_alloc(import, size), size);
	struct remark *remark = import_find(import, key);
	va_list arguments;

	va_start(arguments, format);
	note(&import->closed, FAULT_WARNING, at, "closed: ", format, arguments);
	va_end(arguments);
	if (!remark) {
		static const char heading[] =
			"as open as it was, in place of a line of the same name:";

		remark = add_remark(import, &in->at);
		add_line(import, &remark->lines, heading, strlen(heading));
		import_keep(import, key, remark);
	}
	/* A repeated line is written once. */
	key = import_printf(import, "open line %p %s", (void *)remark, open);
	if (import_find(import, key))
		return;
	import_keep(import, key, remark);
	add_line(import, &remark->lines, open, strlen(open));
}

void import_comment_ahead(struct import *import, const char *text)
{
	add_line(import, &import->ahead, text, strlen(text));
}

void import_comments_to(struct import *import, const char *file, unsigned line)
{
	const char *text = import->ahead.text, *end;

	import->ahead = (struct remark_lines){NULL, 0, 0};
	for (; text && *text != '\0'; text = end + (*end != '\0')) {
		end = strchrnul(text, '\n');
		import_comment(import, file, line,
			       import_printf(import, "%.*s", (int)(end - text), text));
	}
}

void import_comments_move(struct import *import, const struct origin *from, const struct origin *to)
{
	struct remark *remark = find_remark(import, from);

	if (!remark || remark->printed || (from->file == to->file && from->line == to->line))
		return;
	remark->printed = true;
	add_line(import, &import->ahead, remark->lines.text, remark->lines.length);
	import_comments_to(import, to->file, to->line);
}

struct includer {
	const char *file; /* NULL: named by the command */
};

static const char *included_by(struct import *import, const char *path)
{
	const struct includer *includer =
		import_find(import, import_printf(import, "includer %s", path));

	return includer ? includer->file : NULL;
}

static char *read_standard_input(size_t *length)
{
	char *text = NULL;
	size_t room = 0, count;

	*length = 0;
	do {
		if (*length + 1 >= room)
			text = need(realloc(text, room = room * 2 + 4096));
		count = fread(text + *length, 1, room - 1 - *length, stdin);
		*length += count;
	} while (count > 0 && *length < INPUT_BYTES_MAX);
	text[*length] = '\0';
	return text;
}

/* Notes which file includes this one. False: the file includes itself. */
static bool enter(struct import *import, const char *path, const struct origin *at)
{
	const char *from = at && at->line > 0 ? at->file : NULL;
	struct includer *includer;

	for (const char *file = from; file; file = included_by(import, file))
		if (strcmp(file, path) == 0)
			return false;
	includer = import_find(import, import_printf(import, "includer %s", path));
	if (!includer) {
		includer = import_alloc(import, sizeof *includer);
		import_keep(import, import_printf(import, "includer %s", path), includer);
	}
	includer->file = from;
	return true;
}

/* Why the file may not be read; NULL: it may. */
static const char *refusal(struct import *import, const char *path, const struct origin *at)
{
	if (!enter(import, path, at))
		return "it is included by what it includes";
	if (++import->files > INPUT_FILES_MAX)
		return "more than 10,000 files are included";
	return import->input_bytes >= INPUT_BYTES_MAX ? "all files together have more than 256 MiB"
						      : NULL;
}

char *import_read(struct import *import, const char *path, const struct origin *at, size_t *length)
{
	struct origin whole = {.file = path};
	struct stat status;
	const char *why = refusal(import, path, at);
	unsigned line;
	char *text = why ? NULL
		     : strcmp(path, "-") == 0 && (!at || at->line == 0)
			     ? read_standard_input(length)
			     : regular_file_read(path, INPUT_BYTES_MAX, NULL, length, &why);
	char *kept;

	if (!text) {
		import_fault(import, at ? at : &whole, "%s cannot be read: %s", path,
			     why ? why : "it could not be read");
		return NULL;
	}
	text = need(encoding_to_utf8(text, length, &line, &why));
	if (why) {
		whole.line = line;
		import_fault(import, &whole, "%s", why);
		free(text);
		return NULL;
	}
	if (strlen(text) != *length) {
		import_fault(import, &whole, "it has a NUL byte; give a text");
		free(text);
		return NULL;
	}
	import->input_bytes += *length;
	import->readable &= stat(path, &status) == 0 ? status.st_mode : 0400;
	kept = import_alloc(import, *length + 1);
	memcpy(kept, text, *length + 1);
	free(text);
	return kept;
}

/* ---- the tree ---- */

struct node *import_root(struct import *import)
{
	return import->root;
}

static struct node *find_member(const struct node *in, const char *key)
{
	struct node *node = in->first;

	while (node && strcmp(node->key, key) != 0)
		node = node->next;
	return node;
}

static struct node *append(struct import *import, struct node *in, const char *key,
			   enum value_kind kind, const struct origin *at)
{
	struct node *node = import_alloc(import, sizeof *node);

	node->kind = kind;
	node->key = key ? copy(import, key) : NULL;
	node->at = (struct origin){.file = at->file, .line = at->line};
	node->what = at->path;
	node->parent = in;
	node->previous = in->last;
	*(in->last ? &in->last->next : &in->first) = node;
	in->last = node;
	in->count++;
	return node;
}

static void take_out(struct node *node)
{
	*(node->previous ? &node->previous->next : &node->parent->first) = node->next;
	*(node->next ? &node->next->previous : &node->parent->last) = node->previous;
	node->parent->count--;
}

/* The member of this key, made if missing. */
static struct node *member(struct import *import, struct node *in, const char *key,
			   enum value_kind kind, const struct origin *at)
{
	struct node *found = find_member(in, key);

	return found ? found : append(import, in, key, kind, at);
}

struct node *import_group(struct import *import, struct node *in, const char *key,
			  const struct origin *at)
{
	return member(import, in, key, VALUE_GROUP, at);
}

struct node *import_item(struct import *import, struct node *in, const char *key,
			 const struct origin *at)
{
	return append(import, member(import, in, key, VALUE_LIST, at), NULL, VALUE_GROUP, at);
}

void import_text(struct import *import, struct node *in, const char *key, const struct origin *at,
		 const char *text)
{
	struct node *node = member(import, in, key, VALUE_STRING, at);

	node->text = copy(import, text);
	node->at = (struct origin){.file = at->file, .line = at->line};
}

void import_number(struct import *import, struct node *in, const char *key, const struct origin *at,
		   long long number)
{
	member(import, in, key, VALUE_INTEGER, at)->number = number;
}

void import_flag(struct import *import, struct node *in, const char *key, const struct origin *at,
		 bool flag)
{
	member(import, in, key, VALUE_BOOL, at)->number = flag;
}

void import_add(struct import *import, struct node *in, const char *key, const struct origin *at,
		const char *text)
{
	struct node *array = member(import, in, key, VALUE_ARRAY, at), *node;
	char *there = import_printf(import, "element %p %s", (void *)array, text);

	if (import_find(import, there))
		return;
	node = append(import, array, NULL, VALUE_STRING, at);
	node->text = copy(import, text);
	import_keep(import, there, node);
}

const char *import_get(const struct node *in, const char *key)
{
	const struct node *node = find_member(in, key);

	return node ? node->text : NULL;
}

size_t import_count(const struct node *in, const char *key)
{
	const struct node *node = find_member(in, key);

	return node ? node->count : 0;
}

/* Makes a name for fields of FIELD_NAME: letters, digits, '-' and '_', with a letter or digit at
 * both ends. For some types, Azure allows more. */
const char *import_name(struct import *import, const char *scope, const char *wanted,
			const char *first)
{
	char name[NAME_CHARS_MAX + 1], *key;
	size_t length = 0, number = 1;

	if (!isalpha((unsigned char)*wanted))
		length = (size_t)snprintf(name, sizeof name, "%s-", first);
	for (const char *at = wanted; *at != '\0' && length < NAME_CHARS_MAX - 8; at++) {
		bool taken = isalnum((unsigned char)*at) || *at == '_' || *at == '-';

		if (taken || (length > 0 && name[length - 1] != '-'))
			name[length++] = (char)(taken ? *at : '-');
	}
	while (length > 0 && !isalnum((unsigned char)name[length - 1]))
		length--;
	if (length == 0)
		length = (size_t)snprintf(name, sizeof name, "%s", first);
	name[length] = '\0';
	for (;; number++) {
		if (number > 1)
			snprintf(name + length, sizeof name - length, "-%zu", number);
		key = text_lower(import_printf(import, "name %s %s", scope, name));
		if (!import_find(import, key))
			break;
	}
	import_keep(import, key, import->root);
	return copy(import, name);
}

/* ---- reading the tree like a file ---- */

static enum value_kind node_kind(const void *value)
{
	return ((const struct node *)value)->kind;
}

static const char *node_kind_text(const void *value)
{
	switch (node_kind(value)) {
	case VALUE_GROUP: return "a group";
	case VALUE_LIST: return "a list";
	case VALUE_ARRAY: return "an array";
	case VALUE_INTEGER: return "an integer";
	case VALUE_BOOL: return "a truth value";
	case VALUE_STRING: return "a string";
	default: return "something else";
	}
}

static size_t node_count(const void *value)
{
	return ((const struct node *)value)->count;
}

static void node_each(const void *value,
		      void (*on_item)(void *context, const char *key, const void *value),
		      void *context)
{
	for (const struct node *node = ((const struct node *)value)->first; node; node = node->next)
		on_item(context, node->key, node);
}

static long long node_integer(const void *value)
{
	return ((const struct node *)value)->number;
}

static const char *node_string(const void *value)
{
	return ((const struct node *)value)->text;
}

static const struct value_syntax node_syntax = {.kind = node_kind,
						.kind_text = node_kind_text,
						.count = node_count,
						.each = node_each,
						.integer = node_integer,
						.string = node_string,
						.tags = VALUE_ARRAY};

static struct origin node_origin(void *context, const void *value)
{
	(void)context;
	return ((const struct node *)value)->at;
}

/* Builds the model of the tree; NULL: there are errors. */
static struct model *build(struct import *import, struct load *load, struct faults *faults)
{
	struct model *model = need(model_new()), *whole;
	struct schema_reader walk = {.syntax = &node_syntax,
				     .arena = &model->arena,
				     .faults = faults,
				     .origin = node_origin};

	model->origin = (struct origin){.file = arena_strdup(&model->arena, "sluice.conf")};
	config_tree_read(&walk, import->root, model, &load->key, NULL);
	if (faults->errors == 0) {
		whole = need(model_compose(model, NULL, 0)); /* composed only to be checked */
		model_free(load_complete(load, whole, false, NULL, faults));
	}
	if (faults->errors == 0)
		return model;
	model_free(model);
	return NULL;
}

/* ---- taking out refused values ---- */

/* Skips the item's name in a path after "["; NULL: the path names another item. */
static const char *behind_name(const struct node *item, size_t index, const char *path)
{
	const char *name = item->kind == VALUE_GROUP ? import_get(item, "name") : NULL;
	const char *group = item->kind == VALUE_GROUP ? import_get(item, "resource_group") : NULL;
	char number[32];
	size_t length = group ? strlen(group) : 0;

	if (group && strncmp(path, group, length) == 0 && path[length] == '/')
		path += length + 1; /* paths of addresses, keys and clients have no group */
	if (!name && item->kind == VALUE_GROUP)
		name = import_get(item, "id");
	snprintf(number, sizeof number, "%zu", index);
	name = name && *name != '\0' ? name : number;
	length = strlen(name);
	return strncmp(path, name, length) == 0 && path[length] == ']' ? path + length + 1 : NULL;
}

/* The innermost item on the path. If several have the same name (perhaps that is the fault), the
 * one at the line. NULL: none. */
static struct node *item_at(struct node *in, const char *path, unsigned line)
{
	struct node *node = in->first, *found = NULL, *inner;
	const char *rest;
	size_t length, index = 0;

	path += *path == '.';
	length = strcspn(path, ".[");
	while (node &&
	       !(node->key && strncmp(node->key, path, length) == 0 && node->key[length] == '\0'))
		node = node->next;
	path += length;
	if (!node || *path == '\0')
		return NULL;
	if (*path == '.')
		return item_at(node, path, line);
	for (node = node->first; node; node = node->next) {
		rest = behind_name(node, index++, path + 1);
		if (!rest)
			continue;
		inner = *rest != '\0' ? item_at(node, rest, line) : NULL;
		inner = inner ? inner : node;
		if (!found || inner->at.line == line)
			found = inner;
	}
	return found;
}

/* The item of the fault; NULL: none. */
static struct node *item_of(struct import *import, const struct fault *fault)
{
	return fault->origin.path ? item_at(import->root, fault->origin.path, fault->origin.line)
				  : NULL;
}

static bool is_in_tree(const struct node *node, const struct node *root)
{
	for (; node->parent; node = node->parent) {
		const struct node *sibling = node->parent->first;

		while (sibling && sibling != node)
			sibling = sibling->next;
		if (!sibling)
			return false;
	}
	return node == root;
}

/* Whether this is the last client of its list: an empty list would let others ask. */
static bool is_last_client(const struct node *node)
{
	const char *list = node->parent->key;

	return list && node->parent->count == 1 &&
	       (strcmp(list, "client_prefixes") == 0 || strcmp(list, "allow") == 0);
}

/* "in view guests, "; "" if there is one view, or the item is in none. */
static const char *in_view(struct import *import, const struct node *node)
{
	const struct node *top = node, *links;
	const char *network;

	while (top->parent->parent->parent)
		top = top->parent;
	if (top->key || top->kind != VALUE_GROUP)
		return ""; /* a setting */
	links = find_member(top, "links");
	network = strcmp(top->parent->key, "virtual_networks") == 0 ? import_get(top, "name")
		  : links && links->first ? import_get(links->first, "virtual_network")
					  : import_get(top, "virtual_network");
	return network && import_find(import, view_key(import, network)) &&
			       import_count(import->root, "virtual_networks") > 1
		       ? import_printf(import, "in view %s, ", network)
		       : "";
}

/* The fault's place in the original; the path is the item's name there. */
static struct origin place_of(const struct fault *fault, const struct node *item)
{
	struct origin at = fault->origin;

	if (item && (!at.file || at.line == 0)) {
		at.file = item->at.file;
		at.line = item->at.line;
	}
	at.path = item ? item->what : NULL;
	return at;
}

/* Why an item is taken out. For a rule without a usable server, the fault would only say that a
 * list is missing. */
static const char *reason(struct import *import, const struct node *item, const struct fault *fault)
{
	const char *domain = import_get(item, "domain"), *path = fault->origin.path;
	const char *dot = path ? strrchr(path, '.') : NULL;

	if (!domain || !dot || strcmp(dot, ".targets") != 0 || import_count(item, "targets") > 0)
		return fault->text;
	return import_printf(
		import,
		"no server is left that could be asked for %s; its names go where others go",
		domain);
}

/* Takes out the items of the faults, and reports that. False: there are none, or the import has
 * errors. */
static bool take_out_refused(struct import *import, const struct faults *faults)
{
	struct node **items = need(calloc(faults->count + 1, sizeof *items));
	size_t count = 0;

	/* All items are found before the first is removed, because paths have indexes. */
	for (size_t i = 0; i < faults->count; i++)
		if (faults->items[i].severity == FAULT_ERROR)
			items[i] = item_of(import, &faults->items[i]);
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		struct origin at = place_of(fault, items[i]);

		if (!items[i] || !is_in_tree(items[i], import->root))
			continue;
		if (is_last_client(items[i])) {
			import_fault(import, &at,
				     "%s%s; without it nobody is named who may ask, and "
				     "others might",
				     in_view(import, items[i]), fault->text);
			continue;
		}
		import_lost(import, &at, "%s%s", in_view(import, items[i]),
			    reason(import, items[i], fault));
		take_out(items[i]);
		count++;
	}
	free(items);
	return count > 0 && import->notes.errors == 0;
}

static void copy_faults(struct import *import, const struct faults *faults, enum severity severity)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		const struct node *item = item_of(import, fault);
		struct origin at = place_of(fault, item);

		if (fault->severity == severity)
			fault_add(&import->notes, severity, &at, NULL, "%s%s",
				  item ? in_view(import, item) : "", fault->text);
	}
}

/* ---- limits ---- */

/* Raises limits that are too low for the original. False: none was raised. */
static bool raise_limits(struct import *import, const struct faults *faults)
{
	const struct group *group = schema_field(&schema_model, "limits")->group;
	bool raised = false;

	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		const struct field *field = fault->limit ? schema_field(group, fault->limit) : NULL;
		struct node *limits, *limit;

		if (!field || fault->needed < field->min || fault->needed > field->max)
			continue;
		limits = import_group(import, import->root, "limits", &import->root->at);
		limit = find_member(limits, field->key);
		if (limit && !limits_lets_more(field->key, fault->needed, (uint64_t)limit->number))
			continue;
		import_number(import, limits, field->key, &import->root->at,
			      (long long)fault->needed);
		raised = true;
	}
	return raised;
}

/* ---- finishing ---- */

/* Opens a resolv.conf in memory and fills in its path: the servers of this machine do not matter,
 * because the result may be for another. No server listens at this one, the IPv4 dummy address (RFC
 * 7600 section 4.8). */
static int open_servers(char *path, size_t size)
{
	static const char text[] = "nameserver 192.0.0.8\n";
	int fd = memfd_create("resolv.conf", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, sizeof text - 1) != (ssize_t)sizeof text - 1)
		exit(exit_fail("no file in memory can be made: %s", strerror(errno)));
	snprintf(path, size, "/proc/self/fd/%d", fd);
	return fd;
}

/* Whether any value is left: lists may have lost all their items. */
static bool says_something(const struct node *node)
{
	if (node->kind != VALUE_LIST && node->kind != VALUE_ARRAY && node->kind != VALUE_GROUP)
		return true;
	for (const struct node *inner = node->first; inner; inner = inner->next)
		if (says_something(inner))
			return true;
	return false;
}

bool import_finish(struct import *import)
{
	struct faults faults;
	struct load load;
	bool again = true;
	char servers[64];
	int fd;

	if (import->notes.errors > 0)
		return false;
	fd = open_servers(servers, sizeof servers);
	load_init(&load, "sluice.conf", servers);
	for (int round = 0; again && round < ROUNDS_MAX; round++) {
		faults_init(&faults);
		import->model = build(import, &load, &faults);
		again = !import->model &&
			(raise_limits(import, &faults) || take_out_refused(import, &faults));
		if (import->model)
			copy_faults(import, &faults, FAULT_WARNING);
		else if ((!again || round + 1 == ROUNDS_MAX) && import->notes.errors == 0)
			copy_faults(import, &faults, FAULT_ERROR);
		faults_release(&faults);
	}
	close(fd);
	if (import->model && !says_something(import->root)) {
		import_fault(import, &(struct origin){.file = NULL},
			     "nothing of it can be carried over");
		return false;
	}
	return import->model;
}

mode_t import_mode(const struct import *import)
{
	for (size_t i = 0; i < import->model->keys.count; i++)
		if (import->model->keys.items[i].secret)
			return 0600;
	return 0600 | (import->readable & 0044);
}

static const char *comment_of(void *context, const struct origin *origin, bool take)
{
	struct remark *remark = origin->line ? find_remark(context, origin) : NULL;

	if (!remark || remark->printed)
		return NULL;
	remark->printed = take;
	return remark->lines.text;
}

static const char *open_line_of(void *context, const struct origin *origin, bool take)
{
	char key[NAME_TEXT_MAX + 128];
	struct remark *remark =
		origin->path ? import_find(context, open_key(origin->path, origin, key, sizeof key))
			     : NULL;

	if (!remark)
		return NULL;
	remark->printed |= take;
	return remark->lines.text;
}

static bool is_zone_aside(void *context, const void *item)
{
	const struct private_zone *zone = item;
	struct import *import = context;

	return zone->record_sets.count > ITEMS_SEEN_MAX ||
	       import_find(import, aside_key(import, zone->resource_group, zone->name));
}

static bool is_address_aside(void *context, const void *item)
{
	const struct import *import = context;

	(void)item;
	return import->model->addresses.count > ITEMS_SEEN_MAX;
}

static const struct {
	const char *word, *list, *text;
	bool (*holds)(void *context, const void *item);
} asides[] = {
	[IMPORT_ASIDE_NAMES] =
		{"names", "private_zones",
		 "Items of private_zones: names with data of their own, and long zones.",
		 is_zone_aside},
	[IMPORT_ASIDE_ADDRESSES] = {"addresses", "addresses", "Items of addresses.",
				    is_address_aside},
};

const char *import_aside_word(struct import *import, unsigned aside)
{
	const struct model *model = import->model;
	bool any = aside == IMPORT_ASIDE_ADDRESSES && is_address_aside(import, NULL);

	for (size_t i = 0; aside == IMPORT_ASIDE_NAMES && i < model->private_zones.count; i++)
		any |= is_zone_aside(import, &model->private_zones.items[i]);
	return any ? asides[aside].word : NULL;
}

static void write_lines(const char *text, FILE *out)
{
	for (const char *end; *text != '\0'; text = end + (*end != '\0')) {
		end = strchrnul(text, '\n');
		fprintf(out, "#%s%.*s\n", end > text ? " " : "", (int)(end - text), text);
	}
}

static void write_made_by(const char *from, FILE *out)
{
	fputs("# Made by `sluice import` from ", out);
	text_print(out, from);
	fputs(". sluice.conf(5) has every setting.\n", out);
}

int import_write(struct import *import, const char *from, FILE *out,
		 const struct import_aside into[IMPORT_ASIDES])
{
	struct config_aside aside[IMPORT_ASIDES];
	struct config_style style = {comment_of, open_line_of, import, aside, IMPORT_ASIDES};
	size_t notes = import->notes.warnings + import->closed.warnings;
	bool any = false;
	int err;

	write_made_by(from, out);
	for (size_t i = 0; i < IMPORT_ASIDES; i++) {
		aside[i] = (struct config_aside){.list = asides[i].list, .holds = asides[i].holds};
		if (!into || !into[i].out)
			continue;
		aside[i].name = into[i].name;
		aside[i].out = into[i].out;
		write_made_by(from, into[i].out);
		fprintf(into[i].out, "# %s\n\n", asides[i].text);
	}
	if (notes > 0)
		fprintf(out, "# %zu remark%s: they stand at the end.\n", notes,
			text_plural(notes, "", "s"));
	fputc('\n', out);
	err = config_file_write_for_people(import->model, &style, out);
	for (struct remark *remark = import->first_remark; remark; remark = remark->next) {
		if (remark->printed)
			continue;
		fprintf(out, "%s\n# ", any ? "" : "\n# Comments on what is not in this file.");
		text_print(out, remark->file);
		fprintf(out, ":%u:\n", remark->line);
		write_lines(remark->lines.text, out);
		any = true;
	}
	if (notes > 0) {
		fputs("\n# What was not carried over, or is different now.\n#\n", out);
		char *text = NULL;
		size_t length = 0;
		FILE *lines = need(open_memstream(&text, &length));

		import_print(import, lines);
		fclose(lines);
		write_lines(text, out);
		free(text);
	}
	if (!err && (fflush(out) != 0 || ferror(out)))
		err = ERR_SYSTEM;
	for (size_t i = 0; i < IMPORT_ASIDES; i++)
		if (!err && aside[i].out && (fflush(aside[i].out) != 0 || ferror(aside[i].out)))
			err = ERR_SYSTEM;
	return err;
}

static size_t print_notes(struct faults *notes, FILE *out)
{
	faults_sort(notes);
	for (size_t i = 0; i < notes->count; i++) {
		const struct fault *fault = &notes->items[i];

		if (fault->origin.file) {
			text_print(out, fault->origin.file);
			fprintf(out, fault->origin.line ? ":%u: " : ": ", fault->origin.line);
		}
		if (fault->origin.path) {
			text_print(out, fault->origin.path);
			fputs(": ", out);
		}
		text_print(out, fault->text);
		fputc('\n', out);
	}
	if (notes->errors + notes->warnings > notes->count)
		fprintf(out, "... and %zu more\n", notes->errors + notes->warnings - notes->count);
	return notes->count;
}

size_t import_print(struct import *import, FILE *out)
{
	size_t closed = print_notes(&import->closed, out);

	return closed + print_notes(&import->notes, out);
}
