/* For tests: a configuration as text, read as the program reads it. Files stand in a directory of
 * their own, which goes when the test does. */
#ifndef SLUICE_TESTS_CONFIG_TEXT_H
#define SLUICE_TESTS_CONFIG_TEXT_H

#include <stdio.h>

#include "rules/fault.h"
#include "rules/schema/model.h"

struct config_text {
	char directory[32];
	char main_file[64]; /* DIRECTORY/sluice.conf */
	struct faults faults;
};

void config_text_init(struct config_text *config);
void config_text_release(struct config_text *config);

/* A file of the directory, to be written; the caller closes it. */
FILE *config_text_open(const struct config_text *config, const char *name);
void config_text_put(const struct config_text *config, const char *name, const char *text);
/* The main file, read; faults begin anew. With its limits checked; NULL when anything is an error.
 * `before` is the model that is served, or NULL. */
struct model *config_text_read(struct config_text *config, const struct model *before);
/* The same for a main file that is just this text. */
struct model *config_text_load(struct config_text *config, const char *text);

#endif
