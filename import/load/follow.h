/*
 * What changed in Slack about channels and accounts that an earlier run brought: names and topics,
 * archiving, leaving. Followed only where nobody in Mattermost went another way meanwhile; the rest is
 * counted in the outcome.
 */
#ifndef IMPORT_LOAD_FOLLOW_H
#define IMPORT_LOAD_FOLLOW_H

#include "import/load/run.h"
#include "import/load/sink.h"

/* After accounts and channels are staged, and ark_older is there. */
enum ark_rc follow_slack(struct load *l, struct db_conn *conn, const struct sink *s,
                         struct load_outcome *out, struct ark_err *err);

#endif
