/* What the configuration's addresses and services are called, as entries of the table: PTRs are
 * derived from addresses here, and stored nowhere else.
 *
 *     address    reverse_fqdn                  PTR of the address
 *                label, region, suffix         "label.region.suffix" to the address
 *     service    reverse_fqdn                  PTR of its address
 *                name, service suffix          "name.service-suffix" to its address
 *
 * limits_check has seen that nothing is given twice; of what is all the same, the last one stays.
 */
#include <stdio.h>

#include "rules/model.h"
#include "rules/owned.h"

struct filling {
	struct owned_draft *draft;
	const struct model *model;
	const struct hash_key *key;
};

static int set_ptr(const struct filling *f, const struct address *address, const char *target,
		   uint32_t ttl)
{
	struct name name;

	if (!address->family || !target || !*target || name_from_text(&name, f->key, target) != 0)
		return 0;
	return owned_set_ptr(f->draft, address, &name, ttl ? ttl : f->model->reverse.ttl);
}

static int set_host(const struct filling *f, const char *text, const struct address *address)
{
	struct name name;

	if (!address->family || name_from_text(&name, f->key, text) != 0)
		return 0;
	return owned_set_host(f->draft, &name, address, f->model->reverse.ttl);
}

static int set_address(const struct filling *f, const struct owned_address *address)
{
	const char *label = address->domain_name_label;
	const char *region = model_region(f->model, address->region);
	char text[NAME_TEXT_MAX];
	int err = set_ptr(f, &address->address, address->reverse_fqdn, address->ttl);

	if (err || !label || !*label || !region || !f->model->reverse.suffix)
		return err;
	snprintf(text, sizeof text, "%s.%s.%s", label, region, f->model->reverse.suffix);
	return set_host(f, text, &address->address);
}

static int set_service(const struct filling *f, const struct cloud_service *service)
{
	char text[NAME_TEXT_MAX];
	int err = set_ptr(f, &service->address, service->reverse_fqdn, service->ttl);

	if (err || !service->name || !f->model->reverse.service_suffix)
		return err;
	snprintf(text, sizeof text, "%s.%s", service->name, f->model->reverse.service_suffix);
	return set_host(f, text, &service->address);
}

int owned_set_model(struct owned_draft *draft, const struct model *model,
		    const struct hash_key *key)
{
	const struct filling filling = {draft, model, key};
	int err = 0;

	for (size_t i = 0; !err && i < model->addresses.count; i++)
		err = set_address(&filling, &model->addresses.items[i]);
	for (size_t i = 0; !err && i < model->cloud_services.count; i++)
		err = set_service(&filling, &model->cloud_services.items[i]);
	return err;
}
