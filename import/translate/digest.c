#include "common/base/buf.h"
#include "import/translate/digest.h"

#include <xxhash.h>

#include "common/base/limits.h"

#include "common/base/banned.h"

static bool is(struct ark_str key, const char *name)
{
	return memcmp(key.ptr, name, key.len) == 0;
}

/* Keys of objects inside a message that differ between exports without meaning anything. Asked for
 * every key of every message, hence by length. */
static bool is_noise(struct ark_str key)
{
	if ((key.len >= 6 && memcmp(key.ptr, "thumb_", 6) == 0) || (key.len >= 8 && memcmp(key.ptr, "preview_", 8) == 0))
		return true;
	switch (key.len) {
	case 3: return is(key, "mp4") || is(key, "hls") || is(key, "vtt") || is(key, "ims");
	case 5: return is(key, "count") || is(key, "pjpeg");
	case 6: return is(key, "shares") || is(key, "groups");
	case 7: return is(key, "mp4_low") || is(key, "preview") || is(key, "updated");
	case 8: return is(key, "block_id") || is(key, "channels");
	case 9: return is(key, "permalink") || is(key, "edit_link") || is(key, "num_stars") ||
	               is(key, "deanimate");
	case 10: return is(key, "is_starred");
	case 11: return is(key, "url_private") || is(key, "display_url");
	case 13: return is(key, "converted_pdf") || is(key, "deanimate_gif");
	case 14: return is(key, "comments_count");
	case 15: return is(key, "initial_comment");
	case 16: return is(key, "permalink_public");
	case 20: return is(key, "url_private_download");
	default: return false;
	}
}

void message_digest(const struct slack_message *m, int pinned, struct ark_buf *tmp, uint8_t out[16])
{
	ark_buf_reset(tmp);
	const struct ark_str texts[] = { m->subtype, m->user,  m->bot_id,  m->username, m->text,
		                         m->topic,   m->purpose, m->name,  m->old_name, m->inviter };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ark_buf_str(tmp, texts[i]);
		ark_buf_c(tmp, '\x1f');
	}
	const int64_t numbers[] = { m->thread_us == m->ts_us ? 0 : m->thread_us, m->edited_us, pinned };
	ark_buf_add(tmp, (const char *)numbers, sizeof(numbers));
	const struct json_val values[] = { m->blocks, m->attachments, m->files, m->file,
		                           m->reactions, m->comment, m->room };
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		ark_buf_c(tmp, '\x1e');
		json_flatten(values[i], is_noise, tmp);
	}
	XXH128_hash_t h = XXH3_128bits(tmp->data, tmp->len);
	XXH128_canonical_t c;
	XXH128_canonicalFromHash(&c, h);
	memcpy(out, c.digest, 16);
}

uint64_t digest_64(struct ark_str s)
{
	return XXH3_64bits(s.ptr, s.len);
}
