#include "resolver/control/resource/home.h"

#include "resolver/control/resource/kind.h"

int homes_load(const struct home_rows *rows, struct faults *faults, char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	for (size_t i = 0; !err && i < KIND_COUNT; i++)
		if (kinds[i].home)
			err = kinds[i].home->load(rows, faults, error);
	return err;
}

void homes_keep(struct model *model, const struct model *before)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (kinds[i].home)
			kinds[i].home->keep(model, before);
}

int homes_read(const struct home_rows *rows, const struct path *path, struct faults *faults,
	       char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	for (size_t i = 0; !err && i < KIND_COUNT; i++)
		if (kinds[i].home)
			err = kinds[i].home->read(rows, path, faults, error);
	return err;
}

int homes_edit(struct homes_draft *draft, struct model *model)
{
	*draft = (struct homes_draft){{NULL}};
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (!kinds[i].home)
			continue;
		draft->of[i] = kinds[i].home->edit(model);
		if (draft->of[i])
			continue;
		homes_discard(draft);
		return ERR_NOMEM;
	}
	return 0;
}

int homes_put(struct homes_draft *draft, const struct path *path, const json_t *values,
	      struct faults *faults)
{
	return path->kind->home->put(draft->of[path->kind - kinds], path, values, faults);
}

int homes_commit(struct homes_draft *draft, const struct model *before, struct source *source,
		 uint64_t now_s, struct faults *faults)
{
	int err = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		void *of = draft->of[i];
		int failed;

		draft->of[i] = NULL;
		failed = of ? kinds[i].home->commit(of, before, source, now_s, faults) : 0;
		err = failed && err != ERR_NOMEM ? failed : err;
	}
	return err;
}

void homes_discard(struct homes_draft *draft)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (draft->of[i])
			kinds[i].home->discard(draft->of[i]);
	*draft = (struct homes_draft){{NULL}};
}

void homes_check(const struct model *model, const struct model *before, struct faults *faults)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (kinds[i].home)
			kinds[i].home->check(model, before, faults);
}

bool homes_have_rows(const struct model *model)
{
	bool have = false;

	for (size_t i = 0; !have && i < KIND_COUNT; i++)
		have = kinds[i].home && kinds[i].home->has_rows(model);
	return have;
}
