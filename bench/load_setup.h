/* The command line of the load. */
#ifndef BENCH_LOAD_SETUP_H
#define BENCH_LOAD_SETUP_H

#include "bench/load.h"

/* Reads the command line. Returns 0, or the program's exit status after printing the reason. */
int load_setup_read(struct load_setup *setup, int argc, char **argv);

#endif
