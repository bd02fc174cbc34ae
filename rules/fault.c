/* Faults have their own arena, so that they outlive the model. Their array grows by doubling; the
 * arena keeps the old arrays, which costs as much again but needs no second kind of memory. A
 * configuration with a hundred thousand faults probably has a single cause, so faults above
 * FAULTS_MAX are only counted. */
#include "rules/fault.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rules/text.h"

void faults_init(struct faults *faults)
{
	*faults = (struct faults){0};
	arena_init(&faults->arena);
}

void faults_release(struct faults *faults)
{
	arena_release(&faults->arena);
	faults_init(faults);
}

static struct fault *new_item(struct faults *faults)
{
	size_t room = faults->room == 0 ? 16 : faults->room * 2;
	struct fault *items;

	if (faults->count == faults->room) {
		items = arena_alloc_array(&faults->arena, room, sizeof *items);
		if (!items)
			return NULL;
		if (faults->count > 0)
			memcpy(items, faults->items, faults->count * sizeof *items);
		faults->items = items;
		faults->room = room;
	}
	return &faults->items[faults->count];
}

static const char *copy(struct faults *faults, const char *text)
{
	return !text ? NULL : arena_strdup(&faults->arena, text);
}

static const char *join_path(struct faults *faults, const char *path, const char *field)
{
	if (!field)
		return copy(faults, path);
	if (!path || *path == '\0')
		return copy(faults, field);
	return arena_printf(&faults->arena, "%s.%s", path, field);
}

static bool is_about(const struct fault *fault, const struct origin *origin, const char *path)
{
	return fault->origin.line == origin->line && text_equal(fault->origin.path, path) &&
	       text_equal(fault->origin.file, origin->file);
}

static bool has_fault(const struct faults *faults, const struct origin *origin, const char *path)
{
	for (size_t i = faults->count; i > 0; i--)
		if (is_about(&faults->items[i - 1], origin, path))
			return true;
	return false;
}

static void __attribute__((format(printf, 5, 0)))
add(struct faults *faults, enum severity severity, const struct origin *origin, const char *path,
    const char *format, va_list arguments)
{
	size_t *found = severity == FAULT_ERROR ? &faults->errors : &faults->warnings;
	const char *text;
	struct fault *fault;

	if (++*found > FAULTS_MAX)
		return;
	text = arena_vprintf(&faults->arena, format, arguments);
	fault = text ? new_item(faults) : NULL;
	if (!fault) {
		faults->no_memory = true;
		return;
	}
	*fault = (struct fault){
		.severity = severity,
		.origin = {.file = copy(faults, origin->file),
			   .line = origin->line,
			   .path = path,
			   .revision = origin->revision},
		.text = text,
		.order = faults->count++,
	};
}

void fault_add(struct faults *faults, enum severity severity, const struct origin *origin,
	       const char *field, const char *format, ...)
{
	const char *path = join_path(faults, origin->path, field);
	va_list arguments;

	if (strncmp(format, FAULT_MISSING, strlen(FAULT_MISSING)) == 0 &&
	    has_fault(faults, origin, path))
		return;
	va_start(arguments, format);
	add(faults, severity, origin, path, format, arguments);
	va_end(arguments);
}

void fault_add_first(struct faults *faults, const struct origin *origin, const char *field,
		     const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(faults, FAULT_ERROR, origin, join_path(faults, origin->path, field), format, arguments);
	va_end(arguments);
}

void fault_needs(struct faults *faults, const char *limit, uint64_t needed)
{
	struct fault *last = faults->count > 0 ? &faults->items[faults->count - 1] : NULL;

	if (!last || faults->errors > FAULTS_MAX || faults->no_memory) /* it was not kept */
		return;
	last->limit = limit;
	last->needed = needed;
}

static int compare(const void *left, const void *right)
{
	const struct fault *a = left, *b = right;
	int files = strcmp(!a->origin.file ? "" : a->origin.file,
			   !b->origin.file ? "" : b->origin.file);

	if (files != 0)
		return files;
	if (a->origin.line != b->origin.line)
		return a->origin.line < b->origin.line ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

void faults_sort(struct faults *faults)
{
	if (faults->count > 1)
		qsort(faults->items, faults->count, sizeof *faults->items, compare);
}

/* A value from a file may contain anything; it must not control a terminal or fake a line. */
static void print_fault(const struct fault *fault, FILE *out)
{
	const struct origin *origin = &fault->origin;

	if (origin->file) {
		text_print(out, origin->file);
		if (origin->line != 0)
			fprintf(out, ":%u", origin->line);
		fputs(": ", out);
	}
	if (origin->path) {
		text_print(out, origin->path);
		fputs(": ", out);
	}
	if (fault->severity == FAULT_WARNING)
		fputs("warning: ", out);
	text_print(out, fault->text);
	fputc('\n', out);
}

const struct fault *faults_first(const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		if (faults->items[i].severity == FAULT_ERROR)
			return &faults->items[i];
	return NULL;
}

void faults_print(const struct faults *faults, FILE *out)
{
	size_t found = faults->errors + faults->warnings, i;

	for (i = 0; i < faults->count; i++)
		print_fault(&faults->items[i], out);
	if (found > faults->count)
		fprintf(out, "%zu more, not shown%s\n", found - faults->count,
			faults->no_memory ? ": out of memory" : "");
}
