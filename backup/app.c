#include "backup/app.h"

#include "common/base/limits.h"
#include "common/cli/signal.h"

#include "common/base/banned.h"

void app_release(struct app *a)
{
	app_bar_end(a);
	repo_close(a->repo);
	mm_place_release(&a->place);
}

struct repo_options app_repo_options(const struct app *a)
{
	return (struct repo_options){
		.place = a->args->operands.items[0],
		.identity_file = a->config->identity,
		.cache = a->config->cache,
		.interrupted = ark_interrupted,
		.s3 = &a->config->s3,
	};
}

enum ark_rc app_open_repo(struct app *a, struct ark_err *err)
{
	struct repo_options opt = app_repo_options(a);
	return repo_open(&opt, &a->repo, err);
}

enum ark_rc app_find(struct app *a, size_t operand, struct repo_snapshot *out, struct ark_err *err)
{
	const struct ark_list *o = &a->args->operands;
	return repo_snapshot_find(a->repo, operand < o->count ? o->items[operand] : NULL, out, err);
}

enum ark_rc app_tidy(struct app *a, struct ark_err *err)
{
	uint64_t count = 0;
	enum ark_rc rc = repo_keep_tidy(repo_keep(a->repo), &count, err);
	if (count > 0)
		ark_info(a->talk, "backup.tidied", "removed %llu half-written files of earlier runs", (unsigned long long)count);
	return rc;
}

void app_bar_begin(struct app *a, const char *phase, const char *noun, uint64_t items, uint64_t bytes)
{
	if (!a->bar_runs)
		ark_progress_begin(&a->bar, a->talk);
	a->bar_runs = true;
	ark_progress_phase(&a->bar, phase, noun, items, bytes);
}

void app_bar_end(struct app *a)
{
	if (a->bar_runs)
		ark_progress_end(&a->bar);
	a->bar_runs = false;
}

void app_tell_others(struct app *a, enum ark_exit code, const struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf target;
	ark_buf_init(&target, LIMIT_DSN);
	if (a->repo != NULL)
		ark_buf_fmt(&target, "repository %s", repo_keep_name(repo_keep(a->repo)));
	if (a->repo != NULL && a->place.dsn.len > 0)
		ark_buf_z(&target, ", ");
	mm_place_text(&a->place, &target);
	notify_target(&a->told, ark_buf_view(&target));
	notify_close(&a->told, code, err, a->talk);
}
