/* What cmark-gfm makes of a message, for the writers beside this file; nobody else sees its types. */
#ifndef EXPORT_FORMATS_MARKDOWN_TREE_H
#define EXPORT_FORMATS_MARKDOWN_TREE_H

#include <cmark-gfm.h>
#include <stdbool.h>

#include "common/base/str.h"

/* With tables, strikethrough, bare addresses and task lists; text in as few nodes as it takes.
 * Released with cmark_node_free. */
cmark_node *markdown_tree(struct ark_str text);
/* The text of a node that has one; else NONE. */
struct ark_str markdown_literal(cmark_node *node);
/* The text of a link that is nothing but its own address: no names in there. */
bool markdown_is_bare_address(cmark_node *text);

#endif
