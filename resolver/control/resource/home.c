#include "resolver/control/resource/home.h"

#include "resolver/control/resource/kind.h"

static const struct home *const homes[HOMES] = {
	[HOME_ZONES] = &zones_home, [HOME_ADDRESSES] = &addresses_home};

int homes_load(const struct home_rows *rows, struct faults *faults, char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	for (size_t i = 0; !err && i < HOMES; i++)
		if (!homes[i]->beside)
			err = homes[i]->load(rows, faults, error);
	return err;
}

void homes_keep(struct model *model, const struct model *before)
{
	for (size_t i = 0; i < HOMES; i++)
		if (!homes[i]->beside)
			homes[i]->keep(model, before);
}

int homes_read(const struct home_rows *rows, const struct path *path, struct faults *faults,
	       char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	for (size_t i = 0; !err && i < HOMES; i++)
		if (!homes[i]->beside)
			err = homes[i]->read(rows, path, faults, error);
	return err;
}

int homes_edit(struct homes_draft *draft, const struct home_change *change)
{
	*draft = (struct homes_draft){.change = change};
	for (size_t i = 0; i < HOMES; i++) {
		if (homes[i]->beside != !change->model)
			continue;
		draft->of[i] = homes[i]->edit(change);
		if (draft->of[i])
			continue;
		homes_discard(draft);
		return ERR_NOMEM;
	}
	return 0;
}

int homes_put(struct homes_draft *draft, const struct resource_edit *edit)
{
	const struct home *home = edit->path.kind->home;

	return home->put(draft->of[home->number], edit, draft->change);
}

int homes_commit(struct homes_draft *draft)
{
	int err = 0;

	for (size_t i = 0; i < HOMES; i++) {
		void *of = draft->of[i];
		int failed;

		draft->of[i] = NULL;
		failed = of ? homes[i]->commit(of, draft->change) : 0;
		err = failed && err != ERR_NOMEM ? failed : err;
	}
	return err;
}

void homes_discard(struct homes_draft *draft)
{
	for (size_t i = 0; i < HOMES; i++)
		if (draft->of[i])
			homes[i]->discard(draft->of[i]);
	*draft = (struct homes_draft){.change = NULL};
}

void homes_check(const struct model *model, const struct model *before, struct faults *faults)
{
	for (size_t i = 0; i < HOMES; i++)
		if (!homes[i]->beside)
			homes[i]->check(model, before, faults);
}

bool homes_have_rows(const struct model *model)
{
	bool have = false;

	for (size_t i = 0; !have && i < HOMES; i++)
		have = !homes[i]->beside && homes[i]->has_rows(model);
	return have;
}
