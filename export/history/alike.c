#include "export/history/alike.h"

#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

struct history_alike {
	struct json_doc *doc;
	struct ark_buf was, now; /* what the two say */
};

struct history_alike *history_alike_new(void)
{
	struct history_alike *a = ark_calloc(1, sizeof(*a));
	a->doc = json_doc_new();
	ark_buf_init(&a->was, 2 * (size_t)LIMIT_RECORD);
	ark_buf_init(&a->now, 2 * (size_t)LIMIT_RECORD);
	return a;
}

void history_alike_free(struct history_alike *a)
{
	if (a == NULL)
		return;
	json_doc_free(a->doc);
	ark_buf_release(&a->was);
	ark_buf_release(&a->now);
	free(a);
}

/* --- JSON lines -------------------------------------------------------------------------------- */

static bool is_name(struct ark_str key)
{
	return ark_str_eqz(key, "author_name") || ark_str_eqz(key, "deleted_by_name") || ark_str_eqz(key, "user_name");
}

static bool is_name_or_props(struct ark_str key)
{
	return is_name(key) || ark_str_eqz(key, "props");
}

static bool is_nothing(struct ark_str key)
{
	(void)key;
	return false;
}

/* In props such keys are names of something else. */
static bool flatten(struct history_alike *a, struct ark_str line, struct ark_buf *out)
{
	struct ark_err ignored = { 0 };
	struct json_val root;
	ark_buf_reset(out);
	if (json_doc_parse(a->doc, line.ptr, line.len, &root, &ignored) < 0)
		return false;
	json_flatten(root, is_name_or_props, out);
	ark_buf_c(out, '\0');
	json_flatten(json_get(root, "props"), is_nothing, out);
	return !out->failed;
}

/* --- Markdown ---------------------------------------------------------------------------------- */

static struct ark_str take_line(struct ark_str *rest)
{
	size_t end = ark_str_find(*rest, '\n', 0);
	struct ark_str line = ark_str_first(*rest, end);
	*rest = ark_str_from(*rest, end == SIZE_MAX ? rest->len : end + 1);
	return line;
}

/* Behind the name in "**name** 12:00, edited ...": no later part holds "** ". */
static struct ark_str behind_author(struct ark_str line)
{
	size_t at = 0;
	for (size_t next = 0; (next = ark_str_search(line, ARK_LIT("** "), next)) != SIZE_MAX; next++)
		at = next;
	return ark_str_from(line, at);
}

/* "- :emoji:" of "- :emoji: name". */
static struct ark_str before_person(struct ark_str line)
{
	size_t at = ark_str_starts(line, ARK_LIT("- :")) ? ark_str_search(line, ARK_LIT(": "), 3) : SIZE_MAX;
	return ark_str_first(line, at);
}

static bool same_block(struct ark_str was, struct ark_str now)
{
	for (unsigned n = 0; was.len > 0 && now.len > 0; n++) {
		struct ark_str a = take_line(&was), b = take_line(&now);
		bool same = n == 1 ? ark_str_eq(behind_author(a), behind_author(b)) : ark_str_eq(before_person(a), before_person(b));
		if (!same)
			return false;
	}
	return was.len == now.len;
}

bool history_alike(struct history_alike *a, enum history_form form, struct ark_str was, struct ark_buf *now)
{
	if (ark_str_eq(was, ark_buf_view(now)))
		return true;
	if (form == HISTORY_MD)
		return same_block(was, ark_buf_view(now));
	(void)ark_buf_room(now, JSON_PADDING);
	return flatten(a, was, &a->was) && flatten(a, ark_buf_view(now), &a->now) &&
	       ark_str_eq(ark_buf_view(&a->was), ark_buf_view(&a->now));
}
