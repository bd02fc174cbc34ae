/* GET /ui/... sends a file of the dashboard, or its one page. The page's script reads the path, so
 * every view has a URL that can be kept, sent and reloaded. The views are the files in files/pages;
 * at any other path the page is sent with 404.
 *
 * The page asks for its files at /ui/VERSION/..., and VERSION changes with every change of any
 * file. So a browser keeps those files, and asks again only for the page. A page of another
 * version, which was open during an upgrade of the server, gets the present files.
 *
 * The headers restrict a page: it loads nothing from elsewhere, none of its texts becomes a script
 * or markup, it cannot be shown in a frame, and its URL is not sent to other sites. */
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

/* The name without the version before it, which is 16 hexadecimal digits and a slash. The version
 * of an older or newer server is removed, too: a tab from before an upgrade still gets files. */
static const char *behind_version(const char *name)
{
	const size_t length = sizeof "0123456789abcdef" - 1;

	return strspn(name, "0123456789abcdef") == length && name[length] == '/' ? name + length + 1
										 : name;
}

static bool is_of_this_version(const char *name)
{
	return strncmp(name, dashboard_version, strlen(dashboard_version)) == 0;
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

/* An unknown path gets the page as well: it says that there is no such view and links back. */
static void show(struct api_request *request)
{
	const char *path = request->path + strlen("/ui"), *name = *path ? path + 1 : path;
	const struct dashboard_file *file = find(behind_version(name)), *page = find(page_name);
	bool found = file || is_view(name);

	/* With "no-cache" a browser asks each time whether the ETag is still right. */
	api_answer_header(request, "Cache-Control",
			  file && is_of_this_version(name) ? "max-age=31536000, immutable"
							   : "no-cache");
	for (size_t i = 0; i < COUNT(headers); i++)
		api_answer_header(request, headers[i].name, headers[i].value);
	if (!found)
		reply(request, 404, page);
	else if (!api_not_modified(request, file ? file->etag : page->etag))
		reply(request, 200, file ? file : page);
}

static const struct api_route routes[] = {
	{"GET", "/ui/{file...}", API_NOTHING, show, 0, NULL},
	{.method = NULL},
};
const struct api_dialect dashboard = {.routes = routes};
