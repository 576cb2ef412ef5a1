/*
 * What the commands of matter-backup share: options, talk, the open repository. Each command is a
 * function in a file of its own, listed in main.c.
 */
#ifndef BACKUP_APP_H
#define BACKUP_APP_H

#include "backup/options.h"
#include "common/cli/progress.h"
#include "common/cli/talk.h"
#include "common/repo/snapshot.h"

struct app {
	const struct backup_config *config;
	struct ark_args *args;
	struct ark_talk *talk;
	struct notify_book told; /* --notify, --metrics */
	struct mm_place place;
	struct repo *repo;
	struct ark_progress bar;
	bool bar_runs;
};

void app_release(struct app *a); /* also for ark_auto */
/* How the repository, which is the first operand, is opened. */
struct repo_options app_repo_options(const struct app *a);
/* The repository is the first operand. */
enum ark_rc app_open_repo(struct app *a, struct ark_err *err);
/* The snapshot that operand n names; the newest when there is no such operand. */
enum ark_rc app_find(struct app *a, size_t operand, struct repo_snapshot *out, struct ark_err *err);
/* Before writing: what killed runs left half written goes. */
enum ark_rc app_tidy(struct app *a, struct ark_err *err);
void app_bar_begin(struct app *a, const char *phase, const char *noun, uint64_t items, uint64_t bytes);
void app_bar_end(struct app *a);

/* The end of a command, told to those of --notify and --metrics. err: NULL when it did not fail. */
void app_tell_others(struct app *a, enum ark_exit code, const struct ark_err *err);

/* The commands. Returns an enum ark_exit, or a negative enum ark_rc with err. */
int run_init(struct app *a, struct ark_err *err);
int run_create(struct app *a, struct ark_err *err);
int run_list(struct app *a, struct ark_err *err);
int run_show(struct app *a, struct ark_err *err);
int run_diff(struct app *a, struct ark_err *err);
int run_find(struct app *a, struct ark_err *err);
int run_verify(struct app *a, struct ark_err *err);
int run_check(struct app *a, struct ark_err *err);
int run_prune(struct app *a, struct ark_err *err);
int run_undelete(struct app *a, struct ark_err *err);
int run_extract(struct app *a, struct ark_err *err);
int run_restore(struct app *a, struct ark_err *err);
int run_drill(struct app *a, struct ark_err *err);
int run_keygen(struct app *a, struct ark_err *err);

#endif
