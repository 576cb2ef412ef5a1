/* What the commands of matter-purge share. Each is a function in a file of its own, listed in main.c. */
#ifndef PURGE_APP_H
#define PURGE_APP_H

#include "common/cli/progress.h"
#include "common/cli/talk.h"
#include "common/mm/detect.h"
#include "purge/options.h"

struct purge_app {
	const struct purge_config *config;
	struct ark_args *args;
	struct ark_talk *talk;
	struct notify_book told; /* --notify, --metrics */
	struct mm_place place;
	struct db_conn *conn;
	struct mm_db_info *info;
	struct ark_progress bar;
	bool bar_runs;
	int64_t begin_ms;
};

void purge_app_release(struct purge_app *a); /* also for ark_auto */
void purge_show_config(struct purge_app *a);
/* Find and open the database, and look at it. `verb` stands in front of its name. */
enum ark_rc purge_open(struct purge_app *a, const char *verb, struct ark_err *err);
void purge_bar_begin(struct purge_app *a, const char *phase, const char *noun, uint64_t items);
void purge_bar_end(struct purge_app *a);

/* The commands. Returns an enum ark_exit, or a negative enum ark_rc with err. */
int purge_command_plan(struct purge_app *a, struct ark_err *err);
int purge_command_apply(struct purge_app *a, struct ark_err *err);
int purge_command_log(struct purge_app *a, struct ark_err *err);

#endif
