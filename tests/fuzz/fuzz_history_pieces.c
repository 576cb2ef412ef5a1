/*
 * Any bytes as a day file of a history: refused, or its head and its messages are the file again, byte by byte, and
 * each of them is like itself.
 */
#include "export/history/alike.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static void read_day(struct history_alike *alike, enum history_form form, struct ark_str content)
{
	struct history_pieces pieces;
	struct history_piece p;
	struct ark_err err = { 0 };
	struct ark_str head;
	ark_auto(ark_buf_release) struct ark_buf line;
	ark_buf_init(&line, 1u << 24);
	history_pieces_begin(&pieces, form, content, &head);
	FUZZ_CLAIM(head.ptr == content.ptr && head.len <= content.len);
	const char *at = content.ptr + head.len;
	enum ark_rc rc;
	while ((rc = history_pieces_next(&pieces, &p, &err)) == ARK_OK) {
		FUZZ_CLAIM(p.all.ptr == at && p.all.len > 0 && p.id.len > 0);
		at += p.all.len;
		ark_buf_reset(&line);
		ark_buf_str(&line, p.all);
		FUZZ_CLAIM(history_alike(alike, form, p.all, &line));
		ark_buf_c(&line, 'x');
		(void)history_alike(alike, form, p.all, &line);
	}
	FUZZ_CLAIM(rc == ARK_END ? at == content.ptr + content.len : err.text[0] != '\0');
	history_pieces_end(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct history_alike *alike = history_alike_new();
	char *copy = fuzz_padded(data, size);
	read_day(alike, HISTORY_JSONL, ark_str_n(copy, size));
	read_day(alike, HISTORY_MD, ark_str_n(copy, size));
	free(copy);
	history_alike_free(alike);
	return 0;
}
