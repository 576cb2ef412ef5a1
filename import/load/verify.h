/*
 * Archive against database, message by message: the archive is read and translated as for an import,
 * staged, and compared. Nothing is changed.
 */
#ifndef IMPORT_LOAD_VERIFY_H
#define IMPORT_LOAD_VERIFY_H

#include "import/load/run.h"

struct verify_result {
	uint64_t messages;        /* posts compared */
	uint64_t reactions;
	uint64_t missing, time, author, thread, text, reactions_missing, files_missing; /* failures */
	/* people's doing: no failure */
	uint64_t changed_here, deleted_here, left_out_here, reactions_removed_here, files_removed_here;
	uint64_t unfinished;      /* threads and channels that an interrupted run left to do: a failure too */
	uint64_t elsewhere;       /* posts of earlier runs that this archive does not hold */
	char run[32];             /* whose scope was taken; "": none, or the caller named one */
};

/*
 * Without a scope of the caller's (channels, times, kinds of messages) that of the stored run counts: the
 * newest into this team that read these archives, else the newest. What it left out is left out here too,
 * and counted in l->report.
 *
 * line  told of each difference: kind, Mattermost channel name, Slack ts, post id
 */
enum ark_rc load_verify(const struct load_job *job, struct load *l, struct verify_result *out,
                        void (*line)(void *ctx, const char *kind, struct ark_str channel,
                                     int64_t ts_us, struct ark_str post_id, bool failure),
                        void *ctx, struct ark_err *err);

static inline bool verify_failed(const struct verify_result *v)
{
	return v->missing + v->time + v->author + v->thread + v->text + v->reactions_missing + v->files_missing +
	       v->unfinished > 0;
}

#endif
