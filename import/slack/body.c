#include "import/slack/body.h"

#include "common/base/banned.h"

static bool is_id(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!((s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'z') ||
		      (s.ptr[i] >= '0' && s.ptr[i] <= '9')))
			return false;
	return s.len > 1 && s.len <= SLACK_ID_BYTES;
}

/* What stands behind the folder `dir` ("name/"), which is a whole part of the path. */
static bool behind(struct ark_str name, struct ark_str dir, struct ark_str *rest)
{
	for (size_t at = 0; (at = ark_str_search(name, dir, at)) != SIZE_MAX; at++) {
		if (at > 0 && name.ptr[at - 1] != '/')
			continue;
		*rest = ark_str_from(name, at + dir.len);
		return true;
	}
	return false;
}

/* "ID<mark>something" */
static bool id_before(struct ark_str rest, char mark, struct ark_str *id)
{
	size_t end = ark_str_find(rest, mark, 0);
	if (end == SIZE_MAX || end + 1 >= rest.len || !is_id(ark_str_first(rest, end)))
		return false;
	*id = ark_str_first(rest, end);
	return ark_str_find(rest, '/', end + 1) == SIZE_MAX;
}

bool slack_body_id(struct ark_str name, struct ark_str *id)
{
	struct ark_str rest;
	if (behind(name, ARK_LIT("__uploads/"), &rest))
		return id_before(rest, '/', id);
	return behind(name, ARK_LIT("attachments/"), &rest) && rest.ptr > name.ptr + 12 &&
	       id_before(rest, '-', id);
}

bool slack_avatar_id(struct ark_str name, struct ark_str *id)
{
	struct ark_str rest;
	return behind(name, ARK_LIT("__avatars/"), &rest) && id_before(rest, '/', id);
}
