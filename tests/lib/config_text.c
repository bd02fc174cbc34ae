#include "tests/lib/config_text.h"

#include <dirent.h>
#include <unistd.h>

#include "resolver/control/config/file.h"
#include "rules/check/limits.h"

void config_text_init(struct config_text *config)
{
	snprintf(config->directory, sizeof config->directory, "/tmp/sluice-test-XXXXXX");
	if (!mkdtemp(config->directory))
		abort();
	snprintf(config->main_file, sizeof config->main_file, "%s/sluice.conf", config->directory);
	faults_init(&config->faults);
}

void config_text_release(struct config_text *config)
{
	DIR *directory = opendir(config->directory);
	struct dirent *entry;
	char path[512];

	while (directory && (entry = readdir(directory))) {
		snprintf(path, sizeof path, "%s/%s", config->directory, entry->d_name);
		unlink(path);
	}
	if (directory)
		closedir(directory);
	rmdir(config->directory);
	faults_release(&config->faults);
}

FILE *config_text_open(const struct config_text *config, const char *name)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", config->directory, name);
	file = fopen(path, "w");
	if (!file)
		abort();
	return file;
}

void config_text_put(const struct config_text *config, const char *name, const char *text)
{
	FILE *file = config_text_open(config, name);

	fputs(text, file);
	fclose(file);
}

struct model *config_text_read(struct config_text *config, const struct model *before)
{
	static const struct hash_key key = {1, 2};
	struct model *model;

	faults_release(&config->faults);
	model = config_file_read(config->main_file, &key, before, &config->faults);
	if (!model)
		return NULL;
	if (model_make_unnamed(model) != 0)
		abort();
	model_place_endpoints(model);
	limits_check(model, &config->faults);
	faults_sort(&config->faults);
	if (config->faults.errors == 0)
		return model;
	model_free(model);
	return NULL;
}

struct model *config_text_load(struct config_text *config, const char *text)
{
	config_text_put(config, "sluice.conf", text);
	return config_text_read(config, NULL);
}
