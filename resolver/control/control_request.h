/* What can be asked of a running server on its control socket. A request is an object with
 * "command" and that command's own keys; an answer has "ok", and "error" (a line for people) when
 * that is false without further ado.
 *
 *     {"command": "status"}                  {"ok", ... as status.h has it}
 *     {"command": "reload"}                  {"ok", "text", "generation", "faults": [...]}
 *     {"command": "flush",                   {"ok", "entries"}
 *      "name": NAME, "suffix": BOOL}         without a name: everything */
#ifndef SLUICE_CONTROL_REQUEST_H
#define SLUICE_CONTROL_REQUEST_H

#include <jansson.h>

/* A control_handler; the context is a struct control. */
json_t *control_request(void *context, const json_t *request);

#endif
