/*
 * Posts out of the database, one after another with everything that hangs on them, inside the run's
 * snapshot. One reader per thread; it has two connections: one carries the posts, the other answers
 * what the posts of the moment have (reactions, attachments, earlier texts).
 *
 * Memory: READ_BATCH_BYTES of rows, and what hangs on the posts among them.
 */
#ifndef EXPORT_READ_H
#define EXPORT_READ_H

#include "export/bodies.h"
#include "export/record.h"
#include "export/select.h"

struct export_reader;

struct export_reader_options {
	const char *dsn;
	const char *snapshot; /* as pg_export_snapshot gave it */
	struct db_options db;
	const struct export_selection *sel;
	const struct export_run *run;
	struct export_bodies *bodies; /* where attachments are looked at; NULL: nowhere. Freed at close */
	/* Ask for reactions and attachments of every post, also of those whose columns say that they have
	 * none: a database that was written by others than the server. */
	bool thorough;
	bool wants_members;
	/* A connection in the snapshot that is the caller's, for what hangs on posts; the caller uses it only while
	 * nothing is asked of the reader, or from its sink. NULL: one of the reader's own. */
	struct db_conn *side;
};

/* What takes the records; each call as in struct export_format. */
struct export_sink {
	void *ctx;
	enum ark_rc (*channel_begin)(void *ctx, const struct export_channel *channel, struct ark_err *err);
	enum ark_rc (*record)(void *ctx, const struct export_record *record, struct ark_err *err);
	enum ark_rc (*channel_end)(void *ctx, const struct export_channel *channel, struct ark_err *err);
};

enum ark_rc export_reader_open(const struct export_reader_options *opt, struct export_reader **out,
                               struct ark_err *err);
void export_reader_close(struct export_reader *r); /* NULL is fine */

/* All posts of a task, in order. */
enum ark_rc export_reader_task(struct export_reader *r, const struct export_task *task,
                               const struct export_sink *sink, struct ark_err *err);

/* The posts with these ids in the order (channel id, create_ms, id); ids that are not there are passed over.
 * channel_begin and channel_end are not called. */
enum ark_rc export_reader_posts(struct export_reader *r, const struct ark_str *ids, size_t count,
                                const struct export_sink *sink, struct ark_err *err);

/* Settings of a transaction for many questions that indexes answer. */
enum ark_rc export_by_index(struct db_conn *conn, struct ark_err *err);

#endif
