/*
 * What Mattermost says of a file by its name: extension and media type.
 *
 * Fact  docs/mattermost-facts.md "Files"
 */
#ifndef IMPORT_FETCH_MIME_H
#define IMPORT_FETCH_MIME_H

#include "common/base/buf.h"

/* Lower case, without the dot; appended. */
void mime_extension(struct ark_str name, struct ark_buf *out);
/* By the extension, as the server does; where that says nothing, what Slack says. */
struct ark_str mime_type(struct ark_str extension, struct ark_str slack);
/* `dir/stem_thumb.jpg` beside `dir/stem.png`: what the server calls what it makes of an image. */
void mime_beside(struct ark_str path, const char *suffix, struct ark_str type, struct ark_buf *out);

#endif
