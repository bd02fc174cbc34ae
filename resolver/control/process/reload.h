/* Replaces the configuration that a process serves: reads it again at SIGHUP or POST /v1/reload. If
 * the request asked for a confirmation and none comes in time, the process goes back to the
 * previous configuration (service/confirmation.h). */
#ifndef SLUICE_RELOAD_H
#define SLUICE_RELOAD_H

#include "resolver/control/api/api.h"
#include "resolver/control/service/service.h"

struct process;

/* Like service_serve, but also sets the key of tokens and the query log. */
MUST_CHECK int reload_serve(struct process *process, struct model *model, struct faults *faults,
			    char text[SERVICE_TEXT_MAX]);
/* Loads at a start: the configuration file, with the state's resources. If the file has faults,
 * loads the copy from before an unconfirmed reload, if this process may read it. NULL: the faults
 * say why not. */
struct model *reload_load(struct process *process, struct faults *faults);
/* Takes over the model of reload_load, and returns the model to serve: the same, or the one from
 * before an unconfirmed reload or change. Call it as the process's final user, because it may write
 * the state. NULL: the faults say why nothing can be served. */
struct model *reload_go_back(struct process *process, struct model *model, struct faults *faults);
/* Applies the model's query log settings: before the first answer of this process, and after a
 * change. Do not call it while another process still writes the log's files. */
void reload_query_log(struct process *process, const struct model *model);
/* Call it with the loop open. From then on, reloads and changes that are not confirmed in time are
 * undone. */
void reload_open(struct process *process);

/* Reloads if SIGHUP asked for it, unless work or an upgrade is under way; the end of either calls
 * this. While another process starts beside this one, the reload waits: if that start fails, this
 * process reloads, else the master makes the new process reload. */
void reload_catch_up(struct process *process);

/* POST /v1/reload and POST /v1/confirm. */
void api_reload(struct api_request *request);
void api_confirm(struct api_request *request);

#endif
