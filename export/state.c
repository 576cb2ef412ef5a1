#include "export/state.h"

#include <string.h>

#include "common/base/limits.h"

#include "common/base/banned.h"

#define WORD_CEIL 4096

static void word(struct ark_buf *b, struct ark_str s)
{
	if (s.len == 0)
		ark_buf_z(b, "%-");
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c > ' ' && c < 0x7f && c != '%')
			ark_buf_c(b, (char)c);
		else
			ark_buf_fmt(b, "%%%02x", c);
	}
}

void export_state_channel_line(struct ark_buf *b, struct ark_str id, struct ark_str team_path,
                               struct ark_str channel_path)
{
	ark_buf_z(b, "C ");
	word(b, id);
	ark_buf_c(b, ' ');
	word(b, team_path);
	ark_buf_c(b, ' ');
	word(b, channel_path);
	ark_buf_c(b, '\n');
}

void export_state_post_line(struct ark_buf *b, const struct export_state_post *p)
{
	ark_buf_i64(b, p->create_ms);
	ark_buf_c(b, ' ');
	ark_buf_i64(b, p->update_ms);
	ark_buf_c(b, ' ');
	ark_buf_i64(b, p->delete_ms);
	ark_buf_c(b, ' ');
	ark_buf_i64(b, p->edit_ms);
	ark_buf_c(b, ' ');
	word(b, p->id);
	ark_buf_c(b, '\n');
}

void export_state_reader_init(struct export_state_reader *r)
{
	*r = (struct export_state_reader){ 0 };
	struct ark_buf *const ALL[] = { &r->channel, &r->team_path, &r->channel_path, &r->id, &r->last_id };
	for (size_t i = 0; i < sizeof(ALL) / sizeof(ALL[0]); i++)
		ark_buf_init(ALL[i], WORD_CEIL);
}

void export_state_reader_release(struct export_state_reader *r)
{
	ark_buf_release(&r->channel);
	ark_buf_release(&r->team_path);
	ark_buf_release(&r->channel_path);
	ark_buf_release(&r->id);
	ark_buf_release(&r->last_id);
}

static bool plain_word(struct ark_str w, struct ark_buf *out)
{
	ark_buf_reset(out);
	if (ark_str_eqz(w, "%-"))
		return true;
	for (size_t i = 0; i < w.len; i++) {
		if (w.ptr[i] != '%') {
			ark_buf_c(out, w.ptr[i]);
			continue;
		}
		int high = i + 2 < w.len ? ark_hex_digit(w.ptr[i + 1]) : -1, low = i + 2 < w.len ? ark_hex_digit(w.ptr[i + 2]) : -1;
		if (high < 0 || low < 0)
			return false;
		ark_buf_c(out, (char)(high << 4 | low));
		i += 2;
	}
	return w.len > 0 && !out->failed;
}

static bool number(struct ark_str w, int64_t *out)
{
	bool negative = w.len > 1 && w.ptr[0] == '-';
	uint64_t v = 0;
	if (!ark_str_u64(ark_str_from(w, negative), &v) || v > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)v : (int64_t)v;
	return true;
}

static enum ark_rc bad(struct ark_err *err)
{
	return ark_err_set(err, ARK_KIND_INPUT, "this is no state of an export, or it is damaged");
}

static enum ark_rc read_channel(struct export_state_reader *r, struct ark_str line, struct ark_err *err)
{
	(void)ark_str_take_word(&line);
	ark_buf_reset(&r->last_id);
	ark_buf_str(&r->last_id, ark_buf_view(&r->channel));
	if (!plain_word(ark_str_take_word(&line), &r->channel) || !plain_word(ark_str_take_word(&line), &r->team_path) ||
	    !plain_word(ark_str_take_word(&line), &r->channel_path) || line.len > 0)
		return bad(err);
	if (r->has_channel && ark_str_cmp(ark_buf_view(&r->last_id), ark_buf_view(&r->channel)) >= 0)
		return bad(err);
	r->has_channel = true;
	r->has_last = false;
	return ARK_END;
}

static enum ark_rc read_post(struct export_state_reader *r, struct ark_str line, struct ark_err *err)
{
	struct export_state_post *p = &r->post;
	ark_buf_reset(&r->last_id);
	ark_buf_str(&r->last_id, ark_buf_view(&r->id));
	bool fine = number(ark_str_take_word(&line), &p->create_ms) && number(ark_str_take_word(&line), &p->update_ms) &&
	            number(ark_str_take_word(&line), &p->delete_ms) && number(ark_str_take_word(&line), &p->edit_ms) &&
	            plain_word(ark_str_take_word(&line), &r->id) && line.len == 0;
	if (!fine || !r->has_channel)
		return bad(err);
	p->id = ark_buf_view(&r->id);
	if (r->has_last && (p->create_ms < r->last_ms ||
	                    (p->create_ms == r->last_ms && ark_str_cmp(ark_buf_view(&r->last_id), p->id) >= 0)))
		return bad(err);
	r->last_ms = p->create_ms;
	r->has_last = true;
	return ARK_OK;
}

enum ark_rc export_state_read(struct export_state_reader *r, struct ark_str line, struct ark_err *err)
{
	if (!r->begun) {
		r->begun = ark_str_eqz(line, EXPORT_STATE_HEAD);
		return r->begun ? ARK_END : bad(err);
	}
	return ark_str_starts(line, ARK_LIT("C ")) ? read_channel(r, line, err) : read_post(r, line, err);
}
