/* GET /ui/...: a file of the dashboard, or, where the path has no dot, its one page: that looks at
 * the path itself, so that every view has a URL that can be kept, sent and reloaded.
 *
 * The headers keep a page from doing what it does not do: it loads nothing from elsewhere, no text
 * of it becomes a script or markup, nobody shows it in a frame, and no address of it is told to
 * others. */
#include "resolver/control/dashboard/dashboard.h"

#include <stdlib.h>
#include <string.h>

static const char page_name[] = "index.html";

static const struct {
	const char *name, *value;
} headers[] = {
	{"Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; "
				    "frame-ancestors 'none'; object-src 'none'; "
				    "require-trusted-types-for 'script'; trusted-types 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cache-Control", "no-cache"}, /* asks each time whether the ETag is still right */
};

static const struct dashboard_file *find(const char *name)
{
	const struct dashboard_file *file = dashboard_files;

	while (file->name && strcmp(file->name, name) != 0)
		file++;
	return file->name ? file : NULL;
}

/* NULL: there is none. */
static const struct dashboard_file *file_of(const char *path)
{
	const char *name = path + strlen("/ui");
	const struct dashboard_file *file = find(*name ? name + 1 : name);

	return file || strchr(name, '.') ? file : find(page_name);
}

static void show(struct api_request *request)
{
	const struct dashboard_file *file = file_of(request->path);
	char *copy;

	if (!file) {
		api_fail(request, 404, NULL, "the dashboard has no such file");
		return;
	}
	for (size_t i = 0; i < COUNT(headers); i++)
		api_answer_header(request, headers[i].name, headers[i].value);
	if (api_not_modified(request, file->etag))
		return;
	copy = malloc(file->length);
	if (!copy) {
		api_fail_memory(request);
		return;
	}
	memcpy(copy, file->bytes, file->length);
	api_answer_header(request, "Content-Encoding", "gzip");
	api_reply_text(request, file->type, copy, file->length);
}

static const struct api_route routes[] = {
	{"GET", "/ui/{file...}", API_NOTHING, show, 0},
	{.method = NULL},
};
const struct api_dialect dashboard = {.routes = routes};
