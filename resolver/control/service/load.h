/* From the configuration file and the resources of the state to a model that can be served: read,
 * put together, completed with resolv.conf where that is the default resolver, checked. run,
 * reload, check and explain all start here. */
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
	struct hash_key key;     /* drawn once, of every name and zone */
	enum source_mode mode;   /* how the state is read; APART where no server is run */
	struct {
		void (*on_progress)(void *context); /* about once a second */
		void *context;
		bool required; /* else a state that cannot be migrated is read from a copy */
	} migration;  /* of an older version's state, by a server; on_progress NULL: by no other */
	bool follows; /* the latest model's default resolver came from resolv.conf, */
	struct resolv_conf found;  /* which said this */
	bool has_read;             /* a model was loaded, */
	char state[LOAD_PATH_MAX]; /* whose state this is; "": it has none. Another takes a restart
				    */
	bool passed_over;          /* rows of the state are not served with the model that is, */
	bool next_follows;         /* the same of the model that was loaded last, */
	bool next_passed_over;
	struct resolv_conf next_found;
};

/* The paths must outlive it, which holds nothing else. */
void load_init(struct load *load, const char *config, const char *resolv_conf);

/* Adds all faults and sorts them; NULL when one of them is an error. `follows` and `found` change
 * with load_adopt, when the model is served. `before` is the model that is served, of the same
 * load; NULL: there is none.
 */
struct model *load_model(struct load *load, const struct model *before, struct faults *faults);
/* The same of another file. */
struct model *load_file(struct load *load, const char *path, const struct model *before,
			struct faults *faults);

/* Makes a model that was composed (model_compose), and whose zones have their data, one that can be
 * served: places, completes and checks it, and takes it over. The faults are not sorted; NULL when
 * one that came up here is an error. passed_over: rows of the state are not in it. `before`: the
 * model that is served, of which what is the same is not checked again (limits_check_change); NULL:
 * everything is. */
struct model *load_complete(struct load *load, struct model *model, bool passed_over,
			    const struct model *before, struct faults *faults);
/* The same of one that is like the model that is served, but for its zones' records (model_same),
 * which are all that is checked. */
struct model *load_complete_same(struct load *load, struct model *model, const struct model *before,
				 struct faults *faults);
/* With those that the state has now; `before` as in load_model. */
struct model *load_again(struct load *load, struct model *declared, const struct model *before,
			 struct faults *faults);
/* Migrates an older version's state, which source_open then finds. ERR_SYSTEM, ERR_NOMEM: `error`
 * says why. */
MUST_CHECK int load_migrate(const struct load *load, char error[SOURCE_ERROR_MAX]);
/* What the file said. */
struct model *load_declared(struct model *model);

/* The model that was loaded last is served. */
void load_adopt(struct load *load);

/* Reads resolv.conf again for a model that follows it; when its servers differ they become the
 * model's and the model is checked. 0: changed, *before has the targets that load_restore takes;
 * ERR_EXISTS: nothing to do; else faults say why not, and the model is as it was. */
struct load_targets {
	struct target_server items[RESOLV_CONF_SERVERS_MAX];
	size_t count;
	struct resolv_conf found;
};
MUST_CHECK int load_resolv_conf(struct load *load, struct model *model, struct load_targets *before,
				struct faults *faults);
/* Undoes it: the server did not take the change. */
void load_restore(struct load *load, struct model *model, const struct load_targets *before);

#endif
