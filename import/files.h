/*
 * The files part of an import, between the commands and the room fetch: which file store, where bodies
 * come from, what is said about it.
 */
#ifndef IMPORT_FILES_H
#define IMPORT_FILES_H

#include "import/app.h"

/* Before anything is written: contradictions are told at once. */
enum ark_rc files_open(struct app *a, struct ark_err *err);
/* load_job.files: bodies of everything that wants one, then the list of what is missing. */
enum ark_rc files_bring(void *ctx, struct db_conn *conn, const struct load *l, int64_t update_ms,
                        struct ark_err *err);
/* The command: what is still missing, out of archives that are named, or from Slack. */
int files_run(struct app *a, struct ark_err *err);
/* What came of it, for people and for --json. */
void files_say(struct app *a);
/* The store as verify and undo need it: none is no error. */
enum ark_rc files_open_plain(struct app *a, struct ark_err *err);
/* undo_job.body */
enum ark_rc files_delete(void *ctx, struct ark_str path, struct ark_err *err);
/* Are the bodies of what was imported in the store? */
enum ark_rc files_verify(struct app *a, uint64_t *bad, struct ark_err *err);
/* Files that were looked for and could not be had: exit code 3. */
uint64_t files_lost(const struct app *a);

#endif
