/*
 * What the commands of matter-import share: the database they mean, the archives they read, the
 * progress line, the report. One struct, released in one place.
 */
#ifndef IMPORT_APP_H
#define IMPORT_APP_H

#include "common/cli/progress.h"
#include "common/mm/place.h"
#include "import/fetch/api.h"
#include "import/fetch/fetch.h"
#include "import/fetch/picture.h"
#include "import/load/run.h"
#include "import/options.h"
#include "import/report/report.h"
#include "import/report/writer.h"

/* Everything a command works with; released in one place. */
struct mm_api; /* common/mm/api.h */

struct app {
	const struct import_config *config;
	const struct ark_args *args;
	struct ark_talk *talk;
	struct ark_progress bar;
	bool bar_runs;
	struct notify_book told; /* --notify, --metrics */
	struct mm_place place;
	struct import_report_writer *report;
	struct mapfile users;
	struct mapfile team_map;
	struct slack_export x;
	struct load l;
	bool loaded;
	struct store *store;      /* NULL: no file store is known, or none is wanted */
	char token[SLACK_TOKEN_BYTES]; /* for Slack; "": none */
	struct fetch_outcome fetched;
	struct fetch_missing missing;
	struct picture_count pictures;
	uint64_t archive_bytes;
	struct mm_api *api;      /* NULL: caches are not dropped by us */
	struct ark_str warnings[64];
	uint32_t warnings_count;
	struct ark_pool strings;
};

void app_release(struct app *a);

/* Which database, and who said so: before archives are read, so that contradictions on the command
 * line are told at once. `writes`: the embedded one is meant when nothing is said. */
enum ark_rc app_choose_database(struct app *a, bool writes, struct ark_err *err);
/* Sets a->place.dsn; starts the embedded server. */
enum ark_rc app_open_database(struct app *a, struct ark_err *err);
void app_show_config(struct app *a);

enum ark_rc app_open_report(struct app *a, struct ark_err *err);
enum ark_rc app_people(struct app *a, struct ark_err *err);
enum ark_rc app_open_archives(struct app *a, struct ark_err *err);
/* The loader's orders out of the options. */
struct load_job app_job(struct app *a);
/* Everything up to the first message: the archive is known, the progress line runs. */
enum ark_rc app_begin(struct app *a, const char *phase, struct ark_err *err);
void app_end_bar(struct app *a);
/* Report and closing lines; *lost is the number of messages lost against the archive's will. */
enum ark_rc app_tell(struct app *a, const struct load_outcome *out, bool check, uint64_t *lost,
                     struct ark_err *err);
/* What stays to be done by hand. */
void app_say_next(struct app *a, const struct load_outcome *out);

/* told.c: figures for --notify and --metrics, and the telling itself. */
struct bulk_outcome;
struct undo_outcome;
void told_load(struct app *a, const struct load_outcome *out, uint64_t lost);
void told_files(struct app *a);
void told_bulk(struct app *a, const struct bulk_outcome *out);
void told_undo(struct app *a, const struct undo_outcome *out);
void told_end(struct app *a, enum ark_exit code, const struct ark_err *err);

#endif
