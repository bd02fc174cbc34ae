/* Recursive descent with one word of lookahead. The first fault ends the parsing, because anything
 * after an unknown word could mean anything. */
#include "resolver/control/import/lua.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/import/json_file.h"
#include "rules/base.h"
#include "rules/text.h"

enum { DEPTH_MAX = 64 };

enum word_kind { WORD_END, WORD_NAME, WORD_TEXT, WORD_NUMBER, WORD_MARK };

struct lua_word {
	enum word_kind kind;
	const char *text; /* of a mark: one character, or ".." */
	unsigned line;
};

struct lua {
	struct import *import;
	const char *path, *at;
	unsigned line, spoken; /* spoken: the last word's line */
	struct lua_word word;  /* the next one */
	json_t *names, *calls;
	bool (*is_value)(const char *name);
	const char *const *constants;
	unsigned depth;
	bool failed;
};

static struct origin place(const struct lua *lua, unsigned line)
{
	return import_place(lua->import, lua->path, line, NULL);
}

__attribute__((format(printf, 2, 3))) static void fail(struct lua *lua, const char *format, ...)
{
	struct origin at = place(lua, lua->word.line);
	struct text_maker *maker;
	char *text = NULL;
	va_list arguments;
	int length;

	if (lua->failed)
		return;
	lua->failed = true;
	maker = import_begin(lua->import);
	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	import_put(maker, "%s", length >= 0 ? text : "it cannot be read");
	import_fault(lua->import, &at, "%s", import_end(maker));
	if (length >= 0)
		free(text);
}

/* ---- words ---- */

/* The number of '=' in "[==["; -1: no such bracket. */
static int long_level(const char *at)
{
	size_t level = *at == '[' ? strspn(at + 1, "=") : 0;

	return *at == '[' && at[1 + level] == '[' && level < 100 ? (int)level : -1;
}

/* Reads a long string, with its brackets. NULL: its end is missing. */
static const char *long_text(struct lua *lua, int level)
{
	const char *from = lua->at + level + 2, *end = from, *text;

	for (; (end = strchr(end, ']')); end++)
		if (strspn(end + 1, "=") == (size_t)level && end[1 + level] == ']')
			break;
	if (!end)
		return NULL;
	text = import_printf(lua->import, "%.*s", (int)(end - from), from);
	for (const char *c = from; c < end; c++)
		lua->line += *c == '\n';
	lua->at = end + level + 2;
	return text + (*text == '\n');
}

/* False: the comment has no end. */
static bool skip_comment(struct lua *lua)
{
	int level = long_level(lua->at + 2);
	unsigned line = lua->line;
	const char *text;
	size_t length;

	if (level >= 0) {
		lua->at += 2;
		text = long_text(lua, level);
		if (text)
			import_comment_ahead(lua->import, text + strspn(text, " \t\r\n"));
		return text;
	}
	text = lua->at + 2 + strspn(lua->at + 2, "- \t");
	length = strcspn(text, "\r\n");
	lua->at = text + length;
	text = import_printf(lua->import, "%.*s", (int)length, text);
	if (length > 0 && lua->spoken == line)
		import_comment(lua->import, lua->path, line, text);
	else if (length > 0)
		import_comment_ahead(lua->import, text);
	return true;
}

/* Reads a text after its quote. Escapes other than of quotes and backslashes are a fault. */
static const char *short_text(struct lua *lua, char quote)
{
	size_t length = 0;
	char *text, *to;

	for (; lua->at[length] != quote; length++) {
		char c = lua->at[length];
		char escaped = c == '\\' ? lua->at[length + 1] : '\\';

		if (c == '\0' || c == '\n') {
			fail(lua, "a text is opened here and never closed");
			return "";
		}
		if (escaped != '\\' && escaped != '"' && escaped != '\'') {
			fail(lua, "\\%c in a text is not read; write the character itself",
			     isprint((unsigned char)escaped) ? escaped : '?');
			return "";
		}
		length += c == '\\';
	}
	to = text = import_alloc(lua->import, length + 1);
	for (size_t i = 0; i < length; i++) {
		i += lua->at[i] == '\\';
		*to++ = lua->at[i];
	}
	*to = '\0';
	lua->at += length + 1;
	return text;
}

static void next(struct lua *lua)
{
	struct lua_word *word = &lua->word;
	const char *from;
	size_t length;
	int level;

	if (lua->failed)
		return;
	while (isspace((unsigned char)*lua->at) || (lua->at[0] == '-' && lua->at[1] == '-')) {
		if (*lua->at != '-') {
			lua->line += *lua->at++ == '\n';
		} else if (!skip_comment(lua)) {
			word->line = lua->line;
			fail(lua, "a comment is opened here and never closed");
			return;
		}
	}
	from = lua->at;
	level = long_level(from);
	*word = (struct lua_word){.line = lua->line};
	lua->spoken = lua->line;
	if (*from == '\0') {
		word->text = "";
	} else if (isalpha((unsigned char)*from) || *from == '_') {
		length = strspn(from, "_0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		word->kind = WORD_NAME;
		word->text = import_printf(lua->import, "%.*s", (int)length, from);
		lua->at += length;
	} else if (isdigit((unsigned char)*from)) {
		length = strspn(from, "0123456789.xabcdefABCDEF");
		word->kind = WORD_NUMBER;
		word->text = import_printf(lua->import, "%.*s", (int)length, from);
		lua->at += length;
	} else if (*from == '"' || *from == '\'') {
		word->kind = WORD_TEXT;
		lua->at++;
		word->text = short_text(lua, *from);
	} else if (level >= 0) {
		word->kind = WORD_TEXT;
		word->text = long_text(lua, level);
		if (!word->text)
			fail(lua, "a text is opened here and never closed");
	} else {
		word->kind = WORD_MARK;
		length = strncmp(from, "..", 2) == 0 ? 2 : 1;
		word->text = import_printf(lua->import, "%.*s", (int)length, from);
		lua->at += length;
	}
	lua->spoken = lua->line;
}

static bool is_mark(const struct lua *lua, const char *mark)
{
	return !lua->failed && lua->word.kind == WORD_MARK && strcmp(lua->word.text, mark) == 0;
}

static bool take_mark(struct lua *lua, const char *mark)
{
	bool is = is_mark(lua, mark);

	if (is)
		next(lua);
	return is;
}

static void need_mark(struct lua *lua, const char *mark)
{
	if (!take_mark(lua, mark))
		fail(lua,
		     "\"%s\" is expected here, and not \"%.40s\"; only calls and names with "
		     "values are read, not what Lua would work out",
		     mark, lua->word.text);
}

static bool is_keyword(const char *text)
{
	static const char *const words[] = {
		"and", "break", "do", "else",   "elseif", "end",  "for",   "function", "goto", "if",
		"in",  "not",   "or", "repeat", "return", "then", "until", "while",    "local"};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i], text) == 0)
			return true;
	return false;
}

/* Takes a name; NULL: another word, which is reported. */
static const char *need_name(struct lua *lua)
{
	const char *name = lua->word.text;

	if (lua->failed)
		return NULL;
	if (lua->word.kind != WORD_NAME) {
		fail(lua, "a name is expected here, and not \"%.40s\"", name);
		return NULL;
	}
	if (is_keyword(name)) {
		fail(lua,
		     "\"%s\": what this comes to is known to Lua alone; write down in a copy "
		     "of the file what it does",
		     name);
		return NULL;
	}
	next(lua);
	return name;
}

/* ---- values: the caller owns the result; NULL: failed ---- */

static json_t *value(struct lua *lua);

static json_t *keep(struct lua *lua, json_t *made, unsigned line)
{
	struct origin at = place(lua, line);

	if (!made)
		fail(lua, "it is no text in UTF-8");
	return json_file_keep(lua->import, made, &at);
}

static void put_item(struct lua *lua, json_t *table, const char *key, json_t *item)
{
	if (!item)
		return;
	if (key ? json_array_size(json_object_get(table, "list")) > 0
		: json_object_size(json_object_get(table, "keys")) > 0)
		fail(lua, "a table has names, or has none");
	else if (key && strcasecmp(key, "call") == 0)
		fail(lua, "a table with the key \"call\" is not read; no function takes one");
	else if (key && json_object_get(json_object_get(table, "keys"), key))
		fail(lua, "%s is there twice", key);
	else if (key ? json_object_set(json_object_get(table, "keys"), key, item) != 0
		     : json_array_append(json_object_get(table, "list"), item) != 0)
		fail(lua, "it is no text in UTF-8");
	json_decref(item);
}

/* Whether a single '=' follows the name. */
static bool is_named(const struct lua *lua)
{
	const char *at = lua->at + strspn(lua->at, " \t\r\n");

	return lua->word.kind == WORD_NAME && at[0] == '=' && at[1] != '=';
}

static void take_item(struct lua *lua, json_t *table)
{
	const char *key = NULL;

	if (is_named(lua)) {
		key = need_name(lua);
		need_mark(lua, "=");
	} else if (take_mark(lua, "[")) {
		key = lua->word.text;
		if (lua->word.kind != WORD_TEXT)
			fail(lua, "a text is expected here");
		next(lua);
		need_mark(lua, "]");
		need_mark(lua, "=");
	}
	put_item(lua, table, key, value(lua));
}

/* Reads a table after its "{". */
static json_t *table_value(struct lua *lua, unsigned line)
{
	json_t *table = json_pack("{s:[], s:{}}", "list", "keys"), *made;

	while (!lua->failed && !is_mark(lua, "}")) {
		take_item(lua, table);
		if (!take_mark(lua, ",") && !take_mark(lua, ";"))
			break;
	}
	need_mark(lua, "}");
	made = json_object_get(table, "keys");
	if (json_object_size(made) == 0)
		made = json_object_get(table, "list");
	json_incref(made);
	json_decref(table);
	return keep(lua, made, line);
}

static bool begins_arguments(const struct lua *lua)
{
	return is_mark(lua, "(") || is_mark(lua, "{") ||
	       (!lua->failed && lua->word.kind == WORD_TEXT);
}

/* Reads (a, b), {table} or "text". */
static json_t *arguments(struct lua *lua)
{
	json_t *list = json_array(), *item;

	if (!take_mark(lua, "(")) {
		item = value(lua);
		if (item)
			json_array_append_new(list, item);
		return list;
	}
	while (!lua->failed && !is_mark(lua, ")")) {
		item = value(lua);
		if (item)
			json_array_append_new(list, item);
		if (!take_mark(lua, ","))
			break;
	}
	need_mark(lua, ")");
	return list;
}

/* Makes a call's value; takes over `on`, which may be NULL. */
static json_t *call_value(struct lua *lua, const char *name, json_t *on, unsigned line)
{
	json_t *call = json_pack("{s:s, s:o}", "call", name, "args", arguments(lua));

	if (on && call)
		json_object_set(call, "on", on);
	json_decref(on);
	return keep(lua, call, line);
}

/* Reads a name with a value, a constant such as DNSAction.Drop, or a call. */
static json_t *name_value(struct lua *lua, bool nested)
{
	unsigned line = lua->word.line;
	const char *name = need_name(lua);
	json_t *known = name ? json_object_get(lua->names, name) : NULL;

	if (!name)
		return NULL;
	if (strcmp(name, "nil") == 0)
		return json_null();
	if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
		return keep(lua, json_string(name), line);
	if (known)
		return json_incref(known);
	if (take_mark(lua, ".")) {
		const char *member = need_name(lua);

		if (begins_arguments(lua))
			fail(lua, "%s.%s cannot be called without Lua", name, member ? member : "");
		return member ? keep(lua,
				     json_pack("{s:s}", "name",
					       import_printf(lua->import, "%s.%s", name, member)),
				     line)
			      : NULL;
	}
	if (begins_arguments(lua)) {
		if (nested && !lua->is_value(name))
			fail(lua, "%s cannot be read here: what it does is known to Lua alone",
			     name);
		return call_value(lua, name, NULL, line);
	}
	if (text_is_among(name, lua->constants))
		return keep(lua, json_pack("{s:s}", "name", name), line);
	fail(lua, "%s has no value that can be read", name);
	return NULL;
}

static json_t *value_here(struct lua *lua)
{
	unsigned line = lua->word.line;
	const char *text = lua->word.text;

	if (lua->word.kind == WORD_TEXT || lua->word.kind == WORD_NUMBER) {
		next(lua);
		return keep(lua, json_string(text), line);
	}
	if (take_mark(lua, "-")) {
		text = import_printf(lua->import, "-%s", lua->word.text);
		if (lua->word.kind != WORD_NUMBER)
			fail(lua, "a number is expected here");
		next(lua);
		return keep(lua, json_string(text), line);
	}
	if (take_mark(lua, "{"))
		return table_value(lua, line);
	return name_value(lua, true);
}

static json_t *value(struct lua *lua)
{
	json_t *made;

	if (lua->failed)
		return NULL;
	if (lua->depth == DEPTH_MAX) {
		fail(lua, "it is in more than %d others", DEPTH_MAX);
		return NULL;
	}
	lua->depth++;
	made = value_here(lua);
	lua->depth--;
	return made;
}

/* ---- statements ---- */

/* Gives the name this value, and takes over the value. */
static void assign(struct lua *lua, const char *name, json_t *given)
{
	if (given && json_object_get(lua->names, name))
		fail(lua, "%s has a value already; give the other one another name", name);
	if (given && json_object_get(given, "call") && !json_object_get(given, "told")) {
		json_object_set_new(given, "told", json_true());
		json_array_append(lua->calls, given);
	}
	if (given)
		json_object_set(lua->names, name, given);
	json_decref(given);
}

static json_t *assigned(struct lua *lua)
{
	if (!lua->failed && lua->word.kind == WORD_NAME)
		return name_value(lua, false);
	return value(lua);
}

static void statement(struct lua *lua)
{
	bool local = lua->word.kind == WORD_NAME && strcmp(lua->word.text, "local") == 0;
	unsigned line = lua->word.line;
	json_t *made, *outer;
	const char *name;

	import_comments_to(lua->import, lua->path, line);
	if (local)
		next(lua);
	if (!lua->failed && is_named(lua)) {
		name = need_name(lua);
		need_mark(lua, "=");
		if (name)
			assign(lua, name, assigned(lua));
		return;
	}
	if (local)
		fail(lua, "a name with a value is expected here, and not \"%.40s\"",
		     lua->word.text);
	made = name_value(lua, false);
	while (made && take_mark(lua, ":")) {
		name = need_name(lua);
		outer = NULL;
		if (name && begins_arguments(lua)) {
			outer = call_value(lua, name, made, line);
		} else {
			fail(lua, "a call is expected here");
			json_decref(made);
		}
		made = outer;
	}
	if (made && json_object_get(made, "call") && !json_object_get(made, "told"))
		json_array_append(lua->calls, made);
	else if (made)
		fail(lua, "a call is expected here");
	json_decref(made);
}

json_t *lua_parse(struct import *import, const char *path, const char *text,
		  bool (*is_value)(const char *name), const char *const *constants)
{
	struct lua lua = {.import = import,
			  .path = path,
			  .at = text,
			  .line = 1,
			  .names = json_object(),
			  .calls = json_array(),
			  .is_value = is_value,
			  .constants = constants};

	next(&lua);
	while (!lua.failed && lua.word.kind != WORD_END)
		if (!take_mark(&lua, ";"))
			statement(&lua);
	import_comments_to(import, path, lua.line);
	json_decref(lua.names);
	if (!lua.failed)
		return lua.calls;
	json_decref(lua.calls);
	return NULL;
}
