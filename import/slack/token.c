#include "import/slack/token.h"

#include <stdio.h>

#include "common/base/mem.h"
#include "common/io/archive.h"

#include "common/base/banned.h"

#define CHUNK (1u << 20)
#define OVERLAP (SLACK_TOKEN_BYTES + 16)

static bool is_token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool slack_token_find(struct ark_str json, struct slack_token *out)
{
	static const char *const NAMES[] = { "?t=", "?token=", "&t=", "&token=", "\\u0026t=", "\\u0026token=" };
	for (size_t at = 0; (at = ark_str_search(json, ARK_LIT("=xox"), at)) != SIZE_MAX; at++) {
		size_t end = at + 1;
		while (end < json.len && is_token_byte(json.ptr[end]))
			end++;
		size_t len = end - at - 1;
		if (len < 10 || len >= SLACK_TOKEN_BYTES || json.ptr[at + 5] != '-')
			continue;
		for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
			size_t n = strlen(NAMES[i]);
			if (at + 1 < n || memcmp(json.ptr + at + 1 - n, NAMES[i], n) != 0)
				continue;
			snprintf(out->parameter, sizeof(out->parameter), "%s",
			         strchr(NAMES[i], 'k') != NULL ? "token" : "t");
			snprintf(out->value, sizeof(out->value), "%.*s", (int)len, json.ptr + at + 1);
			return true;
		}
	}
	return false;
}

/* One entry; pieces overlap so that a token is whole in one of them. */
static bool read_entry(struct io_archive *a, char *chunk, struct slack_token *out)
{
	size_t have = 0;
	for (;;) {
		size_t got;
		struct ark_err ignored = { 0 };
		bool whole = io_archive_read(a, chunk + have, CHUNK - have, &got, &ignored) == ARK_OK;
		bool more = whole && got == CHUNK - have;
		have += got;
		if (slack_token_find(ark_str_n(chunk, have), out))
			return true;
		if (!more)
			return false;
		memmove(chunk, chunk + have - OVERLAP, OVERLAP);
		have = OVERLAP;
	}
}

enum ark_rc slack_token_read(const struct slack_source *source, struct slack_token *out,
                             struct ark_err *err)
{
	ark_auto(ark_freep) char *chunk = ark_malloc(CHUNK);
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	*out = (struct slack_token){ 0 };
	enum ark_rc rc = io_archive_open(source->path, &a, err);
	while (rc == ARK_OK) {
		struct io_entry entry;
		struct ark_str folder;
		struct ark_err why = { 0 };
		enum ark_rc got = io_archive_next(a, &entry, &why);
		if (got == ARK_END || got == ARK_STOP)
			return ARK_OK;
		if (got == ARK_OK && slack_entry_kind(entry.name, source, &folder) == ENTRY_DAY &&
		    read_entry(a, chunk, out))
			return ARK_OK;
	}
	return rc;
}
