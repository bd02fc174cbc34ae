/* For tests: a configuration as text, read like by the program. Files are in a directory of their
 * own, which is removed after the test. */
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

/* Opens a file of the directory for writing; the caller closes it. */
FILE *config_text_open(const struct config_text *config, const char *name);
void config_text_put(const struct config_text *config, const char *name, const char *text);
/* Reads the main file, with new faults, and checks its limits; NULL: there was an error. `before`:
 * the served model, or NULL. */
struct model *config_text_read(struct config_text *config, const struct model *before);
/* The same for a main file with this text. */
struct model *config_text_load(struct config_text *config, const char *text);

#endif
