/* A secret's file holds the base64 text and nothing else, as `tsig-keygen` prints it between its
 * quotes. Whether it is base64 is limits_check's to say. */
#include "resolver/control/config/key_file.h"

#include <string.h>

#include "resolver/control/base/regular_file.h"
#include "rules/schema/tsig_secret.h"

enum { TEXT_MAX = 2 * TSIG_SECRET_MAX };

/* Without the blanks around it. False: *why says the reason. */
static bool read_text(FILE *file, char text[TEXT_MAX + 1], const char **why)
{
	size_t length = fread(text, 1, TEXT_MAX + 1, file);

	*why = "it holds more than a secret";
	if (ferror(file) || length > TEXT_MAX || memchr(text, '\0', length)) {
		explicit_bzero(text, TEXT_MAX + 1);
		return false;
	}
	text[length] = '\0';
	while (length > 0 && strchr(" \t\r\n", text[length - 1]))
		text[--length] = '\0';
	return true;
}

static void read_key(struct model *model, struct tsig_settings *key, struct faults *faults)
{
	char text[TEXT_MAX + 1];
	const char *why;
	FILE *file = regular_file_open(key->secret_file, &why);
	bool read = file && read_text(file, text, &why);

	if (!read)
		fault_add(faults, FAULT_ERROR, &key->origin, "secret_file", "%s cannot be used: %s",
			  key->secret_file, why);
	else
		regular_file_warn(key->secret_file, SECRET_OF_USER, &key->origin, "secret_file",
				  faults);
	if (read) {
		key->loaded = arena_strdup(&model->arena, text);
		explicit_bzero(text, sizeof text);
		if (!key->loaded)
			fault_add(faults, FAULT_ERROR, &key->origin, "secret_file", "%s",
				  err_text(ERR_NOMEM));
	}
	if (file)
		fclose(file);
}

void key_files_read(struct model *model, struct faults *faults)
{
	const char *told = NULL; /* a file is warned of once */

	for (size_t i = 0; i < model->keys.count; i++) {
		struct tsig_settings *key = &model->keys.items[i];
		const char *file = key->secret ? key->origin.file : NULL;

		if (key->secret_file)
			read_key(model, key, faults);
		if (file && !(told && strcmp(told, file) == 0))
			regular_file_warn(file, SECRET_OF_GROUP, &key->origin, "secret", faults);
		told = file ? file : told;
	}
}
