/*
 * What the phases of a run share: where from, what, and where to. Made in run.c, used by the files that
 * do one phase each.
 */
#ifndef EXPORT_APP_H
#define EXPORT_APP_H

#include <pthread.h>

#include "common/cli/progress.h"
#include "common/cli/talk.h"
#include "common/crypt/minisign.h"
#include "common/mm/detect.h"
#include "common/mm/place.h"
#include "export/bodies.h"
#include "export/options.h"
#include "export/out.h"
#include "export/read.h"
#include "export/record.h"
#include "export/select.h"

#define EXPORT_FORMATS_MAX 8
#define EXPORT_NOTES_MAX 64

struct export_changes; /* compare.h */
struct json_out;

struct export_note {
	const char *reason;
	uint64_t n;
};

struct export_app {
	const struct export_config *config;
	const struct ark_args *args;
	struct ark_talk *talk;
	const struct ark_tool *tool;
	char tool_text[64]; /* "matter-export 0.1.0" */

	struct notify_book told; /* --notify, --metrics */
	struct mm_place place;
	struct db_conn *conn; /* holds the snapshot as long as the run lasts */
	struct db_txn txn;
	struct mm_db_info *info;
	struct ark_buf snapshot;     /* as pg_export_snapshot names it */
	struct ark_buf server;       /* "15.8" */
	struct ark_buf database;
	bool standby;
	bool has_files; /* any attachment in the database */
	int64_t snapshot_ms;

	struct export_scope scope;
	struct export_selection sel;
	const struct export_format *formats[EXPORT_FORMATS_MAX + 1]; /* NULL-ended */
	unsigned formats_count;
	struct export_out *out;
	struct export_changes *changes; /* of an incremental run */
	bool after_first; /* an incremental run with one before it: differences only */
	const char *target; /* what the export is called in the end */
	bool looks_at_files; /* attachments are read */
	_Atomic uint64_t files_missing;
	bool signs;
	struct crypt_secret_key key; /* when it signs */
	struct export_run run;
	/* What needs the run's connection and can be done while posts are read; NULL: nothing. */
	enum ark_rc (*beside)(struct export_app *a, struct ark_err *err);

	struct ark_progress bar;
	bool bar_runs;
	int64_t begin_ms;

	/* Told by all threads. */
	pthread_mutex_t lock;
	struct export_note notes[EXPORT_NOTES_MAX];
	size_t notes_count;
	_Atomic uint64_t records; /* posts, orphans and purged ones that went to the formats */
	_Atomic uint64_t posts;   /* EXPORT_POST alone */
	_Atomic uint64_t orphans, purged;
	_Atomic uint64_t *per_channel; /* records of sel.channels[n] */
};

void export_app_init(struct export_app *a, const struct export_config *config,
                     const struct ark_args *args, struct ark_talk *talk);
void export_app_release(struct export_app *a); /* also for ark_auto */

/* --show-config: what was said, and what was found. */
void export_show_config(const struct export_config *config, const struct ark_args *args,
                        struct ark_talk *talk);

/* The commands; each returns an exit code or a negative ark_rc with err set. */
int export_command_run(struct export_app *a, struct ark_err *err);
int export_command_verify(struct export_app *a, struct ark_err *err);
int export_command_merge(struct export_app *a, struct ark_err *err);
int export_command_list(struct export_app *a, struct ark_err *err);
int export_command_keygen(struct export_app *a, struct ark_err *err);

/* run.c: whether --out can become an export. */
enum ark_rc export_check_out(struct export_app *a, struct ark_err *err);

/* crew.c: all tasks through the formats, over several connections; a->beside meanwhile. */
enum ark_rc export_crew_work(struct export_app *a, struct ark_err *err);
/*
 * source.c: find and open the database, and take the snapshot. REFUSED before anything is read when it is no
 * database of Mattermost, or behind a pooler.
 */
enum ark_rc export_source_open(struct export_app *a, struct ark_err *err);
/* Its two halves: the second one is the moment that all connections see. */
enum ark_rc export_source_connect(struct export_app *a, struct ark_err *err);
enum ark_rc export_source_snapshot(struct export_app *a, struct ark_err *err);
/* Whether there are attachments at all; and then whether their bytes can be looked at, before work begins. */
enum ark_rc export_source_has_files(struct export_app *a, struct ark_err *err);
enum ark_rc export_source_store(struct export_app *a, struct ark_err *err);
/* a->run out of what was selected. */
void export_source_fill(struct export_app *a);
/* --show-config: the place that was found. */
void export_source_show(const struct mm_place_options *options, const struct ark_args *args,
                        const struct ark_tool *tool, struct ark_talk *talk);
/* The file store, for one thread. */
enum ark_rc export_bodies_open(struct export_app *a, struct export_bodies **bodies, struct ark_err *err);
/* A format's instances and a reader, for a thread of its own; both to be closed also after a failure. */
enum ark_rc export_crew_prepare(struct export_app *a, void **selves, struct export_reader **reader,
                                struct ark_err *err);
/* Count a record that goes out, and give it to all formats. */
enum ark_rc export_give(struct export_app *a, void **selves, const struct export_record *record,
                        struct ark_err *err);

/* about.c: people, channels, run.json. */
enum ark_rc export_write_people(struct export_app *a, struct ark_err *err);
enum ark_rc export_write_channels(struct export_app *a, struct ark_err *err);
enum ark_rc export_write_run(struct export_app *a, struct ark_err *err);
/* The member "scope" of run.json: what decides which posts are exported. */
void export_scope_json(struct json_out *o, const struct export_app *a);

#endif
