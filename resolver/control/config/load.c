/* The order matters: endpoints are placed before resolv.conf is read, because their addresses are
 * left out of it, and everything is checked at the end, so that a resolv.conf that cannot be used
 * is reported together with the file's own faults. */
#include "resolver/control/config/load.h"

#include "endpoints/entropy.h"
#include "resolver/control/config/file.h"
#include "rules/check/limits.h"

void load_init(struct load *load, const char *config, const char *resolv_conf)
{
	memset(load, 0, sizeof *load);
	load->config = config;
	load->resolv_conf = resolv_conf;
	entropy_read(&load->key, sizeof load->key);
}

struct model *load_model(struct load *load, const struct model *before, struct faults *faults)
{
	struct resolv_conf found = {0};
	size_t errors = faults->errors;
	struct model *model = config_file_read(load->config, &load->key, before, faults);

	if (!model)
		goto out;
	bool follows = resolv_conf_wanted(model);
	/* What these two return is in the faults, too. */
	if (follows && resolv_conf_read(&found, load->resolv_conf, faults) == 0) {
		int err = resolv_conf_apply(&found, load->resolv_conf, model, faults);
		(void)err;
	}
	limits_check(model, faults);
	if (faults->errors > errors) {
		model_free(model);
		model = NULL;
		goto out;
	}
	load->follows = follows;
	load->found = found;
out:
	faults_sort(faults);
	return model;
}

int load_resolv_conf(struct load *load, struct model *model, struct load_targets *before,
		     struct faults *faults)
{
	struct resolv_conf found;
	size_t errors = faults->errors;
	int err = resolv_conf_read(&found, load->resolv_conf, faults);

	if (err != 0)
		return err;
	if (resolv_conf_equal(&found, &load->found))
		return ERR_EXISTS;
	before->count = model->default_resolver.targets.count;
	before->found = load->found;
	memcpy(before->items, model->default_resolver.targets.items,
	       before->count * sizeof *before->items);
	err = resolv_conf_apply(&found, load->resolv_conf, model, faults);
	if (err != 0)
		return err;
	load->found = found;
	struct faults checked; /* its warnings have been told before */
	faults_init(&checked);
	limits_check(model, &checked);
	for (size_t i = 0; i < checked.count; i++)
		if (checked.items[i].severity == FAULT_ERROR)
			fault_add(faults, FAULT_ERROR, &checked.items[i].origin, NULL, "%s",
				  checked.items[i].text);
	faults_release(&checked);
	if (faults->errors == errors)
		return 0;
	load_restore(load, model, before);
	return ERR_FAULTS;
}

void load_restore(struct load *load, struct model *model, const struct load_targets *before)
{
	memcpy(model->default_resolver.targets.items, before->items,
	       before->count * sizeof *before->items);
	model->default_resolver.targets.count = before->count;
	load->found = before->found;
}
