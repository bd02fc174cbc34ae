/* What a process serves, and how that becomes another: the configuration is read again, at SIGHUP
 * or POST /v1/reload, and goes back where nobody confirms it (service/confirmation.h). */
#ifndef SLUICE_RELOAD_H
#define SLUICE_RELOAD_H

#include "resolver/control/api/api.h"
#include "resolver/control/service/service.h"

struct process;

/* Serves the first model, and says where tokens are signed; as service_serve. */
MUST_CHECK int reload_serve(struct process *process, struct model *model, struct faults *faults,
			    char text[SERVICE_TEXT_MAX]);
/* At a start: what the file says, with the state's resources. Where the file has faults, what was
 * served before a reload that nobody has confirmed, if this process may read it. NULL: the faults
 * say why not. */
struct model *reload_load(struct process *process, struct faults *faults);
/* Behind that, what was served before whatever nobody has confirmed, in the place of the model,
 * which is taken over. As the user that the process is to be: the records are that user's to write.
 * NULL: the faults say why nothing can be served. */
struct model *reload_go_back(struct process *process, struct model *model, struct faults *faults);
/* Has the query log do as the model says: ahead of the first answer of this process, and behind a
 * change. Beside another process this one answers nothing, and the files are the other one's. */
void reload_query_log(struct process *process, const struct model *model);
/* With the loop open: from now on what waits goes back in time. */
void reload_open(struct process *process);

/* Does what SIGHUP wanted, unless work or an upgrade is under way: whoever ends one calls this.
 * While another process starts beside, it waits: for its end, or the other one reads the files
 * again, which the master has it do. */
void reload_catch_up(struct process *process);

/* POST /v1/reload and POST /v1/confirm. */
void api_reload(struct api_request *request);
void api_confirm(struct api_request *request);

#endif
