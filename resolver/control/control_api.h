/* The management API's part of the control thread: its listeners, which stay as they were opened,
 * and who is let in with which certificate shown, which every reload brings anew. */
#ifndef SLUICE_CONTROL_API_H
#define SLUICE_CONTROL_API_H

#include "resolver/control/control.h"

/* Opens what the model's management says. COMMAND_FINE, or what was printed about; either way
 * control_api_close ends it, when the questions of our own have been answered (server_release). */
int control_api_open(struct control *control, const struct model *model, struct faults *faults);
/* Stops the listeners; the loop's last callbacks free the rest, but for control_api_release. */
void control_api_close(struct control *control);
void control_api_release(struct control *control);

/* What a configuration says about access, read from its files. */
struct control_access {
	struct http_secrets *secrets;
	struct http_certificate *certificate; /* NULL: no https */
	struct http_hosts *hosts;
	size_t upload_max;
};
/* 0, or ERR_FAULTS. Then it is served or released. */
MUST_CHECK int control_access_load(struct control_access *access,
				   const struct management *management, struct faults *faults);
void control_access_serve(struct control_access *access, struct control *control);
void control_access_release(struct control_access *access);

/* Tokens are signed with the state's key from now on; without a state, or when that fails, with the
 * one of before, which no other run of the program has. */
void control_access_use_state(struct control *control);

/* What a reload cannot change of listeners is told, and left as it is. */
void control_api_warn(const struct control *control, const struct management *management,
		      struct faults *faults);

#endif
