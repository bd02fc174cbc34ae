/* The extension of Azure's command line that comes with sluice (etc/az/sluice), and where az looks
 * for such. Nothing of somebody else's is written over: what is there already has to be the same.
 */
#ifndef SLUICE_AZ_EXTENSION_H
#define SLUICE_AZ_EXTENSION_H

#include <limits.h>

#include "rules/err.h"

enum { AZ_TEXT_MAX = 2 * PATH_MAX + 256 };

/* $AZURE_CONFIG_DIR, or .azure in the home directory; NULL: there is neither. */
const char *az_config_directory(char path[PATH_MAX]);
/* The extension as it was installed beside this program, or as it lies in the source tree; NULL:
 * it is in neither place. */
const char *az_extension_source(char path[PATH_MAX]);

/* Whether it can be put into the directory: 0, or ERR_EXISTS and text names what is in the way. */
MUST_CHECK int az_extension_check(const char *source, const char *directory,
				  char text[AZ_TEXT_MAX]);
/* Puts it there, with its directories; takes away commandIndex.json, which az makes anew of the
 * extensions that it finds, and has az look for no newer version of itself where it has not looked
 * yet. ERR_SYSTEM, and text says why not. */
MUST_CHECK int az_extension_install(const char *source, const char *directory,
				    char text[AZ_TEXT_MAX]);

#endif
