/* Any bytes as the small files and lines of a repository: refused, or what is written out reads back the same. */
#include "common/base/limits.h"
#include "common/repo/format.h"
#include "common/repo/snapshot.h"
#include "common/repo/walk.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static void snapshot(struct ark_str text)
{
	struct repo_snapshot s, again;
	struct ark_err err = { 0 };
	ark_auto(ark_buf_release) struct ark_buf out = { 0 };
	ark_auto(ark_buf_release) struct ark_buf summed = { 0 };
	ark_buf_init(&out, LIMIT_REPO_SMALL);
	ark_buf_init(&summed, LIMIT_REPO_SMALL);
	/* the fuzzer cannot guess a checksum: it is put behind its text */
	ark_buf_str(&summed, text);
	repo_sum_add(&summed);
	if (repo_snapshot_parse(ark_buf_view(&summed), "20260101T000000Z-0000000000000000", &s, &err) != ARK_OK)
		return;
	repo_snapshot_write(&s, &out);
	FUZZ_CLAIM(repo_snapshot_parse(ark_buf_view(&out), s.name, &again, &err) == ARK_OK);
	FUZZ_CLAIM(repo_id_eq(&s.root, &again.root) && s.rows == again.rows && s.taken_ms == again.taken_ms);
}

static void contents(struct ark_str text)
{
	struct repo_contents c = { 0 }, again = { 0 };
	struct ark_err err = { 0 };
	ark_buf_init(&c.text, LIMIT_REPO_INDEX);
	ark_buf_init(&again.text, LIMIT_REPO_INDEX);
	ark_buf_str(&c.text, text);
	if (repo_contents_parse(&c, &err) == ARK_OK) {
		for (size_t i = 0; i < c.count; i++)
			repo_part_write(&c.parts[i], &again.text);
		FUZZ_CLAIM(repo_contents_parse(&again, &err) == ARK_OK);
		FUZZ_CLAIM(again.count == c.count);
		for (size_t i = 0; i < c.count; i++)
			FUZZ_CLAIM(ark_str_eq(c.parts[i].name, again.parts[i].name) && c.parts[i].rows == again.parts[i].rows);
	}
	repo_contents_release(&c);
	repo_contents_release(&again);
}

static void lines(struct ark_str text)
{
	struct repo_item item, item2;
	struct repo_entry e, e2;
	ark_auto(ark_buf_release) struct ark_buf out = { 0 };
	ark_buf_init(&out, LIMIT_REPO_SMALL);
	if (repo_item_parse(text, &item)) {
		repo_item_add(&item, &out);
		FUZZ_CLAIM(repo_item_parse(ark_str_first(ark_buf_view(&out), out.len - 1), &item2));
		FUZZ_CLAIM(item.kind == item2.kind && item.rows == item2.rows && repo_id_eq(&item.id, &item2.id));
	}
	ark_buf_reset(&out);
	if (repo_entry_parse(text, &e)) {
		repo_entry_add(&e, &out);
		FUZZ_CLAIM(repo_entry_parse(ark_str_first(ark_buf_view(&out), out.len - 1), &e2));
		FUZZ_CLAIM(e.length == e2.length && e.offset == e2.offset && repo_id_eq(&e.pack, &e2.pack));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_str text = ark_str_n((const char *)data, size);
	struct repo_format format;
	struct ark_err err = { 0 };
	if (size > (64u << 10))
		return 0;
	(void)repo_format_parse(text, &format, &err);
	snapshot(text);
	contents(text);
	lines(text);
	return 0;
}
