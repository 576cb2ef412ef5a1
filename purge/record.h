/*
 * What is remembered of purges, beside the ledger: one row for each plan that was carried out.
 *
 *	matterark.purge_run       plan (SHA-256, key), when, by whom, what was asked for, what went
 *	matterark.purge_deleting  portions that we deleted over the API just before they go: for the time between
 */
#ifndef PURGE_RECORD_H
#define PURGE_RECORD_H

#include "common/mm/purge.h"
#include "purge/planfile.h"

/* Tables of ours, nothing where they are already. */
enum ark_rc purge_record_create(struct db_conn *conn, struct ark_err *err);
enum ark_rc purge_record_exists(struct db_conn *conn, bool *out, struct ark_err *err);
/* The plan's row, made or opened again. `head` is the plan's first line. */
enum ark_rc purge_record_begin(struct db_conn *conn, const char *plan, struct ark_str head, int64_t now_ms,
                               struct ark_err *err);
/* In the transaction that deletes: what went with it. */
enum ark_rc purge_record_add(struct db_conn *conn, const char *plan, const struct mm_purge_counts *n, struct ark_err *err);
/* changed: messages that stay because they are not as planned; objects: bodies of files removed. */
enum ark_rc purge_record_end(struct db_conn *conn, const char *plan, int64_t now_ms, uint64_t changed, uint64_t objects,
                             struct ark_err *err);

#endif
