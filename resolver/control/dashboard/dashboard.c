/* GET /ui/... sends a file of the dashboard, or its one page. The page's script reads the path, so
 * every view has a URL that can be kept, sent and reloaded. The views are the files in files/pages;
 * at any other path the page is sent with 404.
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

/* Whether the page has a view of this name; "" is its first view. */
static bool is_view(const char *name)
{
	char view[128];
	int length = snprintf(view, sizeof view, "pages/%s.js", name);

	return *name == '\0' || (length < (int)sizeof view && find(view) != NULL);
}

static void reply(struct api_request *request, unsigned status, const struct dashboard_file *file)
{
	char *copy = malloc(file->length);

	if (!copy) {
		api_fail_memory(request);
		return;
	}
	memcpy(copy, file->bytes, file->length);
	api_answer_header(request, "Content-Encoding", "gzip");
	api_reply_text(request, status, file->type, copy, file->length);
}

/* An unknown path gets the page, too: it says that there is no such view and links back. */
static void show(struct api_request *request)
{
	const char *path = request->path + strlen("/ui"), *name = *path ? path + 1 : path;
	const struct dashboard_file *file = find(name), *page = find(page_name);
	bool found = file || is_view(name);

	for (size_t i = 0; i < COUNT(headers); i++)
		api_answer_header(request, headers[i].name, headers[i].value);
	if (!found)
		reply(request, 404, page);
	else if (!api_not_modified(request, file ? file->etag : page->etag))
		reply(request, 200, file ? file : page);
}

static const struct api_route routes[] = {
	{"GET", "/ui/{file...}", API_NOTHING, show, 0},
	{.method = NULL},
};
const struct api_dialect dashboard = {.routes = routes};
