/* The master: the process of `sluice run`. It has every listening socket and a child that serves on
 * them (`sluice serve`), which it starts again when it ends by itself, and replaces by another one
 * for an upgrade; whatever becomes of a server, what arrives meanwhile waits in the sockets. It
 * reads no configuration and answers nothing. */
#ifndef SLUICE_MASTER_H
#define SLUICE_MASTER_H

/* Until it is told to stop, or the first server ends before it serves; returns the exit status.
 * The paths are for its servers, who read them. `table`: what it was before it executed itself; -1:
 * it begins. */
int master_run(const char *config, const char *resolv_conf, int table);

#endif
