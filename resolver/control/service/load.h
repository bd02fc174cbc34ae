/* Turns the configuration file and the state's resources into a model that can be served: read,
 * combined, completed with the servers of resolv.conf if the default resolver needs targets and has
 * none, and checked. run, reload, check and explain all begin here. */
#ifndef SLUICE_LOAD_H
#define SLUICE_LOAD_H

#include <stdbool.h>

#include "resolver/control/config/resolv_conf.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/store/source.h"
#include "rules/fault.h"
#include "rules/hash.h"
#include "rules/schema/model.h"

enum { LOAD_PATH_MAX = 4096 };

struct load {
	const char *config;      /* path */
	const char *resolv_conf; /* path */
	struct hash_key key;     /* random; hashes all names and zones */
	enum source_mode mode;   /* for opening the state: SOURCE_READ or SOURCE_READ_APART */
	struct {
		void (*on_progress)(void *context); /* about once a second */
		void *context;
		bool required; /* otherwise a state that cannot be migrated is read from a copy */
	} migration;           /* of an older version's state; on_progress NULL: does not migrate */
	bool follows;          /* the served model's default resolver comes from resolv.conf */
	struct resolv_conf found;  /* resolv.conf as read for that model */
	bool has_read;             /* `state` is set, and stays */
	char state[LOAD_PATH_MAX]; /* the file's state at the start; "": none. Another state takes a
				    * restart */
	bool passed_over;          /* the served model leaves out rows of the state */
	bool next_follows;         /* follows, passed_over and found of the model loaded last, until
				    * load_adopt */
	bool next_passed_over;
	struct resolv_conf next_found;
};

/* The paths must outlive the load, which needs no release. */
void load_init(struct load *load, const char *config, const char *resolv_conf);

/* Loads the configuration file. Adds all faults and sorts them; NULL if one is an error. `before`:
 * the served model, of the same load; NULL: none. load_adopt must follow when the model is
 * served. */
struct model *load_model(struct load *load, const struct model *before, struct faults *faults);
/* load_model for another file. */
struct model *load_file(struct load *load, const char *path, const struct model *before,
			struct faults *faults);

/* Takes over, completes and checks a composed model (model_compose) whose zones have their data.
 * Faults are not sorted; NULL if one added here is an error. passed_over: the model leaves out
 * rows of the state. `before`: the served model, whose unchanged parts are not checked again
 * (limits_check_change); NULL: everything is checked. */
struct model *load_complete(struct load *load, struct model *model, bool passed_over,
			    const struct model *before, struct faults *faults);
/* load_complete for a model that differs from the served one only in records of zones (model_same),
 * so that only those are checked. */
struct model *load_complete_same(struct load *load, struct model *model, const struct model *before,
				 struct faults *faults);
/* Combines the declared model with the present rows of the state; `before` as in load_model. */
struct model *load_again(struct load *load, struct model *declared, const struct model *before,
			 struct faults *faults);
/* load_again with the rows of an open source, also those of its open transaction. Rows that do not
 * fit, alone or with the rest, are skipped with a warning. source NULL: load_again. */
struct model *load_rows(struct load *load, struct source *source, struct model *declared,
			const struct model *before, struct faults *faults);
/* Migrates an older version's state, so that source_open finds it. ERR_SYSTEM, ERR_NOMEM: `error`
 * says why. */
MUST_CHECK int load_migrate(const struct load *load, char error[SOURCE_ERROR_MAX]);

/* The model that was loaded last is now served. */
void load_adopt(struct load *load);

/* Reads resolv.conf again for a model that follows it, gives the model new servers, and checks
 * it. 0: changed, *before is for load_restore; ERR_EXISTS: nothing new; otherwise faults say why
 * not, and the model is unchanged. */
struct load_targets {
	struct target_server items[RESOLV_CONF_SERVERS_MAX];
	size_t count;
	struct resolv_conf found;
};
MUST_CHECK int load_resolv_conf(struct load *load, struct model *model, struct load_targets *before,
				struct faults *faults);
/* Undoes load_resolv_conf, because the server refused the change. */
void load_restore(struct load *load, struct model *model, const struct load_targets *before);

#endif
