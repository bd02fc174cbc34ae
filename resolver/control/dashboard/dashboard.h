/* The dashboard: pages in a browser, at /ui/ of the management listeners. Its files are in the
 * program, compressed when it is built (embed), and say nothing of the configuration; so they need
 * no login. What they show comes from the API, for which the page logs in as any client does. */
#ifndef SLUICE_DASHBOARD_H
#define SLUICE_DASHBOARD_H

#include <stddef.h>

#include "resolver/control/api/api.h"

/* A file, as it is sent: gzip (RFC 1952), which every browser takes. */
struct dashboard_file {
	const char *name; /* behind /ui/: "pages/changes.js"; NULL ends the table */
	const char *type;
	const char *etag; /* with its quotes */
	const unsigned char *bytes;
	size_t length;
};

/* 16 hexadecimal digits, others when any of the files is another. */
extern const char dashboard_version[];
extern const struct dashboard_file dashboard_files[];
extern const struct api_dialect dashboard;

#endif
