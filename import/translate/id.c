#include "import/translate/id.h"

#include <stdio.h>

#include "common/base/buf.h"

#include "common/base/banned.h"

void id_derive(struct crypt_hash *h, struct ark_str workspace, const char *kind, struct ark_str a,
               struct ark_str b, unsigned ordinal, unsigned part, char out[MM_ID_LEN + 1])
{
	char text[512];
	struct ark_buf buf = { .data = text, .cap = sizeof(text) - 1, .ceil = sizeof(text) - 1 };
	ark_buf_add(&buf, "matterark-1\x1f", 12);
	ark_buf_str(&buf, ark_str_first(workspace, 64));
	ark_buf_c(&buf, '\x1f');
	ark_buf_z(&buf, kind);
	ark_buf_c(&buf, '\x1f');
	if (a.len + b.len > 300) {
		/* too long for the block: its digest stands for it (a bot's name of kilobytes) */
		unsigned char d[32];
		crypt_sha256(h, a.ptr, a.len, d);
		ark_buf_add(&buf, (const char *)d, sizeof(d));
		b = ark_str_first(b, 128);
	} else {
		ark_buf_str(&buf, a);
	}
	ark_buf_c(&buf, '\x1f');
	ark_buf_str(&buf, b);
	ark_buf_c(&buf, '\x1f');
	ark_buf_u64(&buf, ordinal);
	ark_buf_c(&buf, '\x1f');
	ark_buf_u64(&buf, part);
	unsigned char digest[32];
	crypt_sha256(h, buf.data, buf.len, digest);
	crypt_mm_id(digest, out);
	out[MM_ID_LEN] = '\0';
}
