/*
 * Members' read state in channels that an import adds to: what they have read grows by as much as there
 * is to read, so that nothing turns unread, and undo takes it back. One note for each channel, because
 * one for each member would be the largest part of a run that brings a few messages:
 *
 *	key     {channel}
 *	before  member to lastviewedat, for all that were counted up
 *	after   n and roots, by how much; newest, up to where those had read who had read everything
 */
#ifndef IMPORT_LOAD_GROWTH_H
#define IMPORT_LOAD_GROWTH_H

#include "common/base/buf.h"
#include "common/db/conn.h"

/* Statements for the channels of ark_portion (rows of matterark.pending): members and channel together. With "; " behind. */
void growth_apply_sql(int64_t run_no, struct ark_buf *sql);

/* Out of ark_back_change. restored: members counted down; kept: of these, who looked into the channel since */
enum ark_rc growth_take_back(struct db_conn *conn, uint64_t *restored, uint64_t *kept, struct ark_err *err);

#endif
