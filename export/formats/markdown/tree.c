#include "export/formats/markdown/tree.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>

#include "common/base/err.h"

#include "common/base/banned.h"

cmark_node *markdown_tree(struct ark_str text)
{
	static const char *const EXTENSIONS[] = { "table", "strikethrough", "autolink", "tasklist" };
	cmark_gfm_core_extensions_ensure_registered();
	cmark_parser *parser =
	    cmark_parser_new(CMARK_OPT_VALIDATE_UTF8 | CMARK_OPT_STRIKETHROUGH_DOUBLE_TILDE);
	for (size_t i = 0; i < sizeof(EXTENSIONS) / sizeof(EXTENSIONS[0]); i++) {
		cmark_syntax_extension *e = cmark_find_syntax_extension(EXTENSIONS[i]);
		if (e == NULL)
			ark_bug("cmark-gfm has no extension '%s'", EXTENSIONS[i]);
		cmark_parser_attach_syntax_extension(parser, e);
	}
	cmark_parser_feed(parser, text.ptr, text.len);
	cmark_node *root = cmark_parser_finish(parser);
	cmark_parser_free(parser);
	cmark_consolidate_text_nodes(root);
	return root;
}

struct ark_str markdown_literal(cmark_node *node)
{
	const char *z = cmark_node_get_literal(node);
	return z != NULL ? ark_str_z(z) : ARK_STR_NONE;
}

bool markdown_is_bare_address(cmark_node *text)
{
	cmark_node *link = cmark_node_parent(text);
	if (link == NULL || cmark_node_get_type(link) != CMARK_NODE_LINK)
		return false;
	const char *url = cmark_node_get_url(link);
	return url != NULL && ark_str_ends(ark_str_z(url), markdown_literal(text));
}
