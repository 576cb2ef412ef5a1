/*
 * Legal hold: what must not go, whatever else was said. A file of lines; '#' begins a comment.
 *
 *	user NAME      what this person wrote, and every direct or group conversation they are or were in
 *	channel GLOB   everything there; as --channel
 *	post ID        this message
 *	all            everything, of a time
 *
 * Behind each may stand `since TIME` and `until TIME`: of messages written from then on, before then.
 */
#ifndef PURGE_HOLD_H
#define PURGE_HOLD_H

#include "common/db/conn.h"

struct purge_hold {
	struct ark_buf sql; /* conditions over a row `@` of posts, joined by OR; "" when nothing is held */
};

void purge_hold_init(struct purge_hold *h);
void purge_hold_release(struct purge_hold *h); /* also for ark_auto */

/* FAIL: MISSING (no such file), USAGE with the line: it says nothing that is known, or names nobody.
 * now_ms: against which ages are read. */
enum ark_rc purge_hold_read(struct purge_hold *h, const char *path, struct db_conn *conn, int64_t now_ms,
                            struct ark_err *err);

/* The condition that row `alias` of posts is held; "false" when nothing is. */
void purge_hold_sql(const struct purge_hold *h, const char *alias, struct ark_buf *out);

#endif
