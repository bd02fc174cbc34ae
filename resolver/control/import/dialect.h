/* The formats that can be imported. A dialect reads the file at a path ("-": standard input), and
 * the files that this one includes, into an import; errors are faults of the import. */
#ifndef SLUICE_IMPORT_DIALECT_H
#define SLUICE_IMPORT_DIALECT_H

#include "resolver/control/import/import.h"

enum import_origin { IMPORT_AZURE, IMPORT_FORWARDER };

struct dialect {
	const char *name; /* on the command line; NULL ends the table */
	enum import_origin from;
	void (*read)(struct import *import, const char *path);
	void (*finish)(struct import *import); /* called after all files were read */
};

extern const struct dialect dialects[];
/* NULL: no such dialect. */
const struct dialect *dialect_named(const char *name);
/* Prints "arm, unbound or hosts"; returns text. */
const char *dialect_names(char *text, size_t size);
/* Combines all files after they were read, and calls import_finish. Must be called once for each
 * import, even if a file has faults. */
bool dialect_finish(const struct dialect *dialect, struct import *import);

void arm_read(struct import *import, const char *path);
void arm_finish(struct import *import);
void terraform_read(struct import *import, const char *path);
void terraform_finish(struct import *import);
void unbound_read(struct import *import, const char *path);
void unbound_finish(struct import *import);
void bind_read(struct import *import, const char *path);
void bind_finish(struct import *import);
void dnsmasq_read(struct import *import, const char *path);
void dnsmasq_finish(struct import *import);
/* dnsmasq_read for lines that come from a file of another format. */
struct dnsmasq_line {
	unsigned number; /* in the file; 0: not from the file */
	const char *text;
	struct dnsmasq_line *next;
};
void dnsmasq_take(struct import *import, const char *path, const struct dnsmasq_line *lines);
void pihole_read(struct import *import, const char *path);
void pihole_finish(struct import *import);
void coredns_read(struct import *import, const char *path);
void coredns_finish(struct import *import);
void hosts_read(struct import *import, const char *path);
void windows_read(struct import *import, const char *path);
void windows_finish(struct import *import);
void adguard_read(struct import *import, const char *path);
void adguard_finish(struct import *import);
void dnsdist_read(struct import *import, const char *path);
void dnsdist_finish(struct import *import);

/* Selects the names to be taken, including reverse names of addresses. */
struct hosts_zones {
	bool (*fits)(void *context, const char *name);
	void *context;
};

/* How a hosts file is read. */
struct hosts_style {
	long ttl_s;
	const char *domain; /* a name of one label is also taken with this domain; NULL: none */
	bool without_ptrs;
	const struct hosts_zones *zones; /* NULL: all names are taken */
};

/* Reads a hosts file; /dev/null has no names. */
struct forward_view;
void hosts_read_into(struct import *import, struct forward_view *view, const struct origin *at,
		     const char *path, const struct hosts_style *style);
/* Takes a single name of a hosts file; `leads_back`: the address gets a PTR to it. */
void hosts_take(struct import *import, struct forward_view *view, const struct origin *at,
		const char *name, const char *address, long ttl_s, bool leads_back,
		const struct hosts_zones *zones);

#endif
