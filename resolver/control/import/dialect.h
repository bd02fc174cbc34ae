/* What can be imported. A dialect reads the file at a path ("-": standard input), with those that
 * it names, into an import; what is wrong with it are faults of the import's. */
#ifndef SLUICE_IMPORT_DIALECT_H
#define SLUICE_IMPORT_DIALECT_H

#include "resolver/control/import/import.h"

enum import_origin { IMPORT_AZURE, IMPORT_FORWARDER };

struct dialect {
	const char *name; /* of the command line; NULL ends the table */
	enum import_origin from;
	void (*read)(struct import *import, const char *path);
	void (*finish)(struct import *import); /* when all files were read */
};

extern const struct dialect dialects[];
/* NULL: there is none of that name. */
const struct dialect *dialect_named(const char *name);
/* "arm, unbound or hosts"; returns text. */
const char *dialect_names(char *text, size_t size);
/* When all files were read: puts together what they said, and is import_finish from there on. To be
 * called once for each import, also where a file has faults. */
bool dialect_finish(const struct dialect *dialect, struct import *import);

void arm_read(struct import *import, const char *path);
void arm_finish(struct import *import);
void terraform_read(struct import *import, const char *path);
void terraform_finish(struct import *import);
void unbound_read(struct import *import, const char *path);
void bind_read(struct import *import, const char *path);
void dnsmasq_read(struct import *import, const char *path);
/* The same of lines that a file of another form comes to. */
struct dnsmasq_line {
	unsigned number; /* of the line in the file; 0: the line is not in the file */
	const char *text;
	struct dnsmasq_line *next;
};
void dnsmasq_take(struct import *import, const char *path, const struct dnsmasq_line *lines);
void pihole_read(struct import *import, const char *path);
void coredns_read(struct import *import, const char *path);
void hosts_read(struct import *import, const char *path);
void windows_read(struct import *import, const char *path);
void windows_finish(struct import *import);
void adguard_read(struct import *import, const char *path);
void adguard_finish(struct import *import);
void dnsdist_read(struct import *import, const char *path);
void dnsdist_finish(struct import *import);

/* Which names are taken, of addresses' reverse names, too. */
struct hosts_zones {
	bool (*fits)(void *context, const char *name);
	void *context;
};

/* The lines of a hosts file, with that TTL; names of one label are there with `domain` behind them,
 * too; NULL: none. zones NULL: all. */
struct forward_view;
void hosts_read_into(struct import *import, struct forward_view *view, const struct origin *at,
		     const char *path, long ttl_s, const char *domain,
		     const struct hosts_zones *zones);
/* One name of it. */
void hosts_take(struct import *import, struct forward_view *view, const struct origin *at,
		const char *name, const char *address, long ttl_s, bool leads_back,
		const struct hosts_zones *zones);

#endif
