/* The dashboard: pages in a browser, at /ui/ of the management listeners. Its files are compressed
 * into the program at build time (embed), and say nothing of the configuration, so they need no
 * login. The data come from the API, where the page logs in like any client. */
#ifndef SLUICE_DASHBOARD_H
#define SLUICE_DASHBOARD_H

#include <stddef.h>

#include "resolver/control/api/api.h"

/* A file as it is sent: compressed by gzip (RFC 1952), which every browser accepts. */
struct dashboard_file {
	const char *name; /* after /ui/: "pages/changes.js"; NULL ends the table */
	const char *type;
	const char *etag; /* with its quotes */
	const unsigned char *bytes;
	size_t length;
};

/* 16 hexadecimal digits, which change with every change of any file. */
extern const char dashboard_version[];
extern const struct dashboard_file dashboard_files[];
extern const struct api_dialect dashboard;

#endif
