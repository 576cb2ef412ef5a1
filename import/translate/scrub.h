/*
 * What must not stand in a post whoever wrote it: tokens that open the files of the workspace, and the
 * byte that PostgreSQL's text cannot hold.
 */
#ifndef IMPORT_TRANSLATE_SCRUB_H
#define IMPORT_TRANSLATE_SCRUB_H

#include "common/base/buf.h"

/* xoxe-... and its kin; of links, the parameter that carries it. */
void text_drop_tokens(struct ark_buf *b);
/* U+0000; json: as it is written in JSON, \\u0000. */
void text_drop_nul(struct ark_buf *b, bool json);

#endif
