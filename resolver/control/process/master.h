/* The master: the process of `sluice run`. It holds every listening socket and has a child that
 * serves on them (`sluice --serve`). It restarts a child that ends by itself; meanwhile queries
 * wait in the sockets. For an upgrade it starts a new child beside the old one, which reads queries
 * until the new one does. The master reads no configuration and answers no query. */
#ifndef SLUICE_MASTER_H
#define SLUICE_MASTER_H

/* Runs until it is told to stop, or until the first server ends before it serves; returns the exit
 * status. `config` and `resolv_conf` are paths for its servers; the master reads neither. `table`:
 * a descriptor of the master's data from before it executed itself; -1: a fresh start. */
int master_run(const char *config, const char *resolv_conf, int table);

#endif
