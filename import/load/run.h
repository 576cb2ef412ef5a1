/*
 * One import from beginning to end: which kind of target it is, the phases in order, and the one
 * moment at which it counts. Everything before that moment leaves the target as it was.
 *
 *	a database that is not there   loaded under a temporary name, renamed at the end
 *	an empty one                   schema and import in one transaction
 *	a Mattermost database          one transaction: staging, merge, counters, COMMIT
 */
#ifndef IMPORT_LOAD_RUN_H
#define IMPORT_LOAD_RUN_H

#include "import/load/gather.h"

enum load_indexes { INDEXES_AUTO, INDEXES_KEEP, INDEXES_REBUILD };

enum load_phase { PHASE_READ, PHASE_MERGE, PHASE_INDEXES, PHASE_FINISH, PHASE_COUNT };

struct load_job {
	struct slack_export *x;
	struct load_settings set;
	struct translate_options translate;
	const char *dsn;
	const char *maintenance_db;   /* NULL: postgres */
	const char *workspace;        /* NULL: found out */
	const char *owner;            /* NULL: the current role */
	const char *tool;             /* "matter-import 0.1.0" */
	bool create_schema;
	bool create_team;
	bool dry_run;                 /* everything but the commit */
	bool force;
	enum load_indexes indexes;
	struct db_options db;
	/* for people; may be NULL */
	void (*phase)(void *ctx, enum load_phase phase, const char *text, size_t steps); /* steps 0: not known */
	void (*step)(void *ctx); /* one of these is done */
	void (*say)(void *ctx, const char *msgid, const char *text);
	enum ark_rc (*tick)(void *ctx, uint64_t messages, uint64_t bytes, struct ark_err *err);
	/* bodies of files: before a database that is made gets its name, else behind the commit, because a
	 * download may last for days. update_ms: posts.updateat of posts that get theirs; 0: it stays */
	enum ark_rc (*files)(void *ctx, struct db_conn *conn, const struct load *l, int64_t update_ms,
	                     struct ark_err *err);
	void *ctx;
};

struct load_outcome {
	bool created_database, created_team, first_import;
	uint64_t posts_new, posts_updated, posts_kept, reactions_new, reactions_removed;
	/* of posts_kept: changed, deleted, purged in Mattermost */
	uint64_t kept_changed, kept_deleted, kept_purged;
	uint64_t posts_adopted;       /* were there already, brought by another importer */
	uint64_t posts_orphaned;      /* new replies to what was deleted here, or by accounts that were */
	uint64_t channels_kept, users_kept; /* did not follow Slack, because people use them */
	uint64_t channels_older;      /* imported from a newer archive before: only what was missing */
	uint64_t users_deactivated;
	uint64_t users_new, channels_new;
	uint64_t rows_written;        /* in Mattermost's tables */
	int64_t phase_ms[PHASE_COUNT];
	char database[64], host[128];
};

/*
 * l    initialised by load_init, filled for the report; released by load_release
 * FAIL kinds: REFUSED (target is not what it should be), LOCKED (another import runs), DB, INPUT
 */
enum ark_rc load_run(const struct load_job *job, struct load *l, struct load_outcome *out,
                     struct ark_err *err);
/* The same without any database: what would be read, made and left out. */
enum ark_rc load_check(const struct load_job *job, struct load *l, struct load_outcome *out,
                       struct ark_err *err);
void load_init(struct load *l, struct slack_export *x);
void load_release(struct load *l);

/* Sum the targets' counts into l->report.total and check read = written + skipped; a sum that does
 * not add up is a bug of ours. */
void load_sum(struct load *l);

#endif
