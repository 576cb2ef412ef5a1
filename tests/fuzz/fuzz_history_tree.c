/*
 * Any bytes as a folder's list in git: refused, or all of its entries are found, one taken out and put back gives
 * the list again, and the list as a delta of itself is a short one.
 */
#include "export/history/tree.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static void take_and_put(struct ark_str raw, const struct history_entry *e)
{
	struct ark_err err = { 0 };
	struct history_entry found;
	ark_auto(ark_buf_release) struct ark_buf list;
	ark_buf_init(&list, 1u << 24);
	ark_buf_str(&list, raw);
	if (!history_tree_find(raw, e->name, &found) || found.at != e->at)
		return; /* a file and a folder of one name: git allows it, we do not write it */
	history_tree_remove(&list, e->name);
	FUZZ_CLAIM(list.len == raw.len - e->len && history_tree_check(ark_buf_view(&list), &err) == ARK_OK);
	if (history_tree_find(ark_buf_view(&list), e->name, &found))
		return;
	history_tree_set(&list, e->name, e->is_tree, &e->id);
	FUZZ_CLAIM(ark_str_eq(ark_buf_view(&list), raw));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_err err = { 0 };
	struct ark_str raw = { (const char *)data, size };
	struct history_entry e;
	if (size > 4096 || history_tree_check(raw, &err) < 0)
		return 0;
	size_t total = 0, entries = 0;
	for (size_t at = 0; history_tree_next(raw, &at, &e); entries++) {
		FUZZ_CLAIM(e.name.len > 0 && e.at == total && at == e.at + e.len);
		total += e.len;
		take_and_put(raw, &e);
	}
	FUZZ_CLAIM(total == size);
	ark_auto(ark_buf_release) struct ark_buf delta;
	ark_buf_init(&delta, 1u << 24);
	history_tree_delta(raw, raw, &delta);
	FUZZ_CLAIM(delta.len <= 64);
	return 0;
}
