/* A secret's file holds the base64 text and nothing else, as `tsig-keygen` prints it between its
 * quotes. Whether it is base64 is limits_check's to say. */
#include "resolver/control/key_file.h"

#include <string.h>
#include <sys/stat.h>

#include "resolver/control/regular_file.h"
#include "rules/tsig_secret.h"

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
	struct stat st;
	const char *why;
	FILE *file = regular_file_open(key->secret_file, &why);
	bool read = file && read_text(file, text, &why);

	if (!read)
		fault_add(faults, FAULT_ERROR, &key->origin, "secret_file", "%s cannot be used: %s",
			  key->secret_file, why);
	else if (fstat(fileno(file), &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		fault_add(faults, FAULT_WARNING, &key->origin, "secret_file",
			  "%s is open to other users; chmod 600 it", key->secret_file);
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
	for (size_t i = 0; i < model->keys.count; i++)
		if (model->keys.items[i].secret_file)
			read_key(model, &model->keys.items[i], faults);
}
