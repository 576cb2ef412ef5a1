/* Mentions, channels, hashtags and emoji in the plain text of a message; see markdown.h. */
#ifndef EXPORT_FORMATS_MARKDOWN_DECORATE_H
#define EXPORT_FORMATS_MARKDOWN_DECORATE_H

#include "export/formats/markdown/html.h"

/* in_link: inside the text of a link, where no other link may be */
void html_decorate(struct ark_str text, const struct html_names *names, bool in_link,
                   struct ark_buf *out);

#endif
