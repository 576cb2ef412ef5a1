/* Any bytes as the state of an export: refused, or what is read and written again says the same, in order. */
#include "export/state.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static void again(const struct export_state_reader *r)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_auto(export_state_reader_release) struct export_state_reader back;
	struct ark_err err = { 0 };
	ark_buf_init(&text, 1u << 20);
	export_state_reader_init(&back);
	FUZZ_CLAIM(export_state_read(&back, ark_str_z(EXPORT_STATE_HEAD), &err) == ARK_END);
	export_state_channel_line(&text, ark_buf_view(&r->channel), ark_buf_view(&r->team_path),
	                          ark_buf_view(&r->channel_path));
	FUZZ_CLAIM(export_state_read(&back, ark_str_n(text.data, text.len - 1), &err) == ARK_END);
	ark_buf_reset(&text);
	export_state_post_line(&text, &r->post);
	FUZZ_CLAIM(export_state_read(&back, ark_str_n(text.data, text.len - 1), &err) == ARK_OK);
	FUZZ_CLAIM(ark_str_eq(back.post.id, r->post.id) && back.post.create_ms == r->post.create_ms &&
	           back.post.update_ms == r->post.update_ms && back.post.delete_ms == r->post.delete_ms &&
	           back.post.edit_ms == r->post.edit_ms);
	FUZZ_CLAIM(ark_str_eq(ark_buf_view(&back.channel), ark_buf_view(&r->channel)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ark_auto(export_state_reader_release) struct export_state_reader r;
	struct ark_err err = { 0 };
	struct ark_str rest = { (const char *)data, size };
	export_state_reader_init(&r);
	int64_t last_ms = INT64_MIN;
	while (rest.len > 0) {
		size_t end = ark_str_find(rest, '\n', 0);
		struct ark_str line = ark_str_first(rest, end);
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
		enum ark_rc rc = export_state_read(&r, line, &err);
		if (rc < 0)
			break;
		if (rc == ARK_END) {
			last_ms = INT64_MIN;
			continue;
		}
		FUZZ_CLAIM(r.post.create_ms >= last_ms);
		last_ms = r.post.create_ms;
		again(&r);
	}
	return 0;
}
